/*
 * forecast/tables_call.sql: what people say that a period will bring.
 */

CREATE TABLE spm.forecast_type (
    forecast_type_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    currency_code text REFERENCES spm.currency,
    rate_type text NOT NULL DEFAULT 'spot' CHECK (rate_type <> ''),
    rollup text NOT NULL DEFAULT 'cumulative' CHECK (rollup IN ('single', 'cumulative'))
);
CREATE INDEX forecast_type_currency ON spm.forecast_type (currency_code);
COMMENT ON TABLE spm.forecast_type IS 'A way of adding up the pipeline. Written by spm.add_forecast_type().';
COMMENT ON COLUMN spm.forecast_type.forecast_type_id IS 'Key.';
COMMENT ON COLUMN spm.forecast_type.name IS 'Name, unique.';
COMMENT ON COLUMN spm.forecast_type.currency_code IS 'Currency it is reported in. NULL: all deals have one currency, and nothing is converted.';
COMMENT ON COLUMN spm.forecast_type.rate_type IS 'Exchange rates that are used: spot, budget ...';
COMMENT ON COLUMN spm.forecast_type.rollup IS 'single: a category holds its own deals; cumulative: those of surer categories as well, so that commit is closed and commit.';

CREATE TABLE spm.forecast_call (
    forecast_call_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    forecast_type_id int NOT NULL REFERENCES spm.forecast_type,
    position_id int NOT NULL REFERENCES spm.position,
    judge_position_id int NOT NULL REFERENCES spm.position,
    period_id int NOT NULL REFERENCES spm.period,
    category text NOT NULL CHECK (category IN ('pipeline', 'best_case', 'most_likely', 'commit')),
    as_of date NOT NULL CHECK (isfinite(as_of)),
    amount numeric CHECK (amount > '-Infinity' AND amount < 'Infinity'),
    rollup_amount numeric,
    deal_amount numeric,
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX forecast_call_period ON spm.forecast_call (period_id, forecast_type_id, position_id);
CREATE INDEX forecast_call_type ON spm.forecast_call (forecast_type_id);
CREATE INDEX forecast_call_position ON spm.forecast_call (position_id);
CREATE INDEX forecast_call_judge ON spm.forecast_call (judge_position_id);
COMMENT ON TABLE spm.forecast_call IS 'One row per time that somebody said what a seat and all below it would bring: a call, or a manager''s judgement of one. Rows are only ever added; the last one of a judge counts. Written by spm.submit_call().';
COMMENT ON COLUMN spm.forecast_call.forecast_call_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.forecast_call.forecast_type_id IS 'Way of adding up that the amount stands in for.';
COMMENT ON COLUMN spm.forecast_call.position_id IS 'Seat whose number it is.';
COMMENT ON COLUMN spm.forecast_call.judge_position_id IS 'Seat that says so: the same, or one above it.';
COMMENT ON COLUMN spm.forecast_call.period_id IS 'Period that it is about.';
COMMENT ON COLUMN spm.forecast_call.category IS 'Category whose sum it takes the place of.';
COMMENT ON COLUMN spm.forecast_call.as_of IS 'Day from which it counts.';
COMMENT ON COLUMN spm.forecast_call.amount IS 'What is expected, in the currency of the type. NULL: withdrawn.';
COMMENT ON COLUMN spm.forecast_call.rollup_amount IS 'What the roll-up said when it was recorded: the numbers of those below and the own deals.';
COMMENT ON COLUMN spm.forecast_call.deal_amount IS 'What the deals came to when it was recorded, without anybody''s judgement.';
COMMENT ON COLUMN spm.forecast_call.reason IS 'Why; needed when it is about another seat than one''s own.';
COMMENT ON COLUMN spm.forecast_call.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.forecast_call.recorded_by IS 'Login that recorded it.';

SELECT pg_catalog.pg_extension_config_dump('spm.forecast_type', '');
SELECT pg_catalog.pg_extension_config_dump('spm.forecast_call', '');
SELECT pg_catalog.pg_extension_config_dump('spm.forecast_type_forecast_type_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.forecast_call_forecast_call_id_seq', '');
