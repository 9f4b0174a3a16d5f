/*
 * forecast/tables_pipeline_odds.sql: forecasts of the pipeline that were kept.
 */

CREATE TABLE spm.odds_run (
    odds_run_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    as_of date NOT NULL,
    since date NOT NULL,
    until date NOT NULL,
    currency_code text,
    measure_id int REFERENCES spm.measure,
    period_id int REFERENCES spm.period,
    paths int NOT NULL,
    seed bigint NOT NULL,
    origin_count int NOT NULL,
    drift numeric NOT NULL,
    drift_new numeric NOT NULL,
    shock numeric NOT NULL,
    shock_owner numeric NOT NULL,
    amount_ratio numeric NOT NULL,
    arrivals_per_day numeric NOT NULL,
    won_count int NOT NULL,
    lost_count int NOT NULL,
    learned_from date NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    CONSTRAINT odds_run_days CHECK (since <= as_of + 1 AND as_of < until)
);
CREATE INDEX odds_run_measure ON spm.odds_run (measure_id);
CREATE INDEX odds_run_period ON spm.odds_run (period_id);
COMMENT ON TABLE spm.odds_run IS 'One row per forecast of the pipeline that was kept. Written by spm.forecast_pipeline() and spm.forecast_attainment().';
COMMENT ON COLUMN spm.odds_run.odds_run_id IS 'Key.';
COMMENT ON COLUMN spm.odds_run.as_of IS 'Last day that it knows of.';
COMMENT ON COLUMN spm.odds_run.since IS 'First day from which what is won counts.';
COMMENT ON COLUMN spm.odds_run.until IS 'Last day on which what is won counts.';
COMMENT ON COLUMN spm.odds_run.currency_code IS 'Currency of the amounts. NULL: the one that all deals have.';
COMMENT ON COLUMN spm.odds_run.measure_id IS 'Measure whose quotas are to be reached. NULL: none.';
COMMENT ON COLUMN spm.odds_run.period_id IS 'Period of these quotas.';
COMMENT ON COLUMN spm.odds_run.paths IS 'Futures that were drawn.';
COMMENT ON COLUMN spm.odds_run.seed IS 'Seed they were drawn with: the same gives the same.';
COMMENT ON COLUMN spm.odds_run.origin_count IS 'Earlier days as of which the same was forecast, from what was known then, to learn drift and shocks.';
COMMENT ON COLUMN spm.odds_run.drift IS 'Speed at which open deals are won, against what rates by stage and age gave on these days.';
COMMENT ON COLUMN spm.odds_run.drift_new IS 'The same of deals to come.';
COMMENT ON COLUMN spm.odds_run.shock IS 'How far totals went up and down beyond what chance makes of single deals: 0.15 is 15 %.';
COMMENT ON COLUMN spm.odds_run.shock_owner IS 'The same of each owner, besides what all have in common.';
COMMENT ON COLUMN spm.odds_run.amount_ratio IS 'What deals were won at, divided by what they were known at before.';
COMMENT ON COLUMN spm.odds_run.arrivals_per_day IS 'Deals created a day, of late.';
COMMENT ON COLUMN spm.odds_run.won_count IS 'Won deals that odds were learned from.';
COMMENT ON COLUMN spm.odds_run.lost_count IS 'Lost deals that odds were learned from.';
COMMENT ON COLUMN spm.odds_run.learned_from IS 'Day of the first end of a stage that is known: history begins there.';
COMMENT ON COLUMN spm.odds_run.recorded_at IS 'When.';
COMMENT ON COLUMN spm.odds_run.recorded_by IS 'Login that did it.';

CREATE TABLE spm.odds_deal (
    odds_run_id int NOT NULL REFERENCES spm.odds_run ON DELETE CASCADE,
    opportunity_source_id int NOT NULL REFERENCES spm.opportunity_source,
    opportunity_key text NOT NULL,
    owner_key text,
    segment text,
    stage text NOT NULL,
    age_days int NOT NULL,
    amount numeric,
    win_probability numeric NOT NULL CHECK (win_probability BETWEEN 0 AND 1),
    lose_probability numeric NOT NULL CHECK (lose_probability BETWEEN 0 AND 1),
    expected_amount numeric NOT NULL,
    territory_id int REFERENCES spm.territory ON DELETE SET NULL,
    slip_probability numeric CHECK (slip_probability BETWEEN 0 AND 1),
    PRIMARY KEY (odds_run_id, opportunity_source_id, opportunity_key)
);
CREATE INDEX odds_deal_source ON spm.odds_deal (opportunity_source_id);
CREATE INDEX odds_deal_territory ON spm.odds_deal (territory_id);
COMMENT ON TABLE spm.odds_deal IS 'Odds of each open deal in a forecast of the pipeline.';
COMMENT ON COLUMN spm.odds_deal.odds_run_id IS 'Forecast.';
COMMENT ON COLUMN spm.odds_deal.opportunity_source_id IS 'Source of the deal.';
COMMENT ON COLUMN spm.odds_deal.opportunity_key IS 'Key of the deal in it.';
COMMENT ON COLUMN spm.odds_deal.owner_key IS 'Who had it.';
COMMENT ON COLUMN spm.odds_deal.segment IS 'Kind of deal.';
COMMENT ON COLUMN spm.odds_deal.stage IS 'Stage it was in.';
COMMENT ON COLUMN spm.odds_deal.age_days IS 'Days that it had been in it.';
COMMENT ON COLUMN spm.odds_deal.amount IS 'Amount it was known at. NULL: none; then the usual one counts.';
COMMENT ON COLUMN spm.odds_deal.win_probability IS 'Probability that it is won by the last day.';
COMMENT ON COLUMN spm.odds_deal.lose_probability IS 'Probability that it is lost by then; otherwise it is still open.';
COMMENT ON COLUMN spm.odds_deal.expected_amount IS 'Probability times what such a deal is won at.';
COMMENT ON COLUMN spm.odds_deal.slip_probability IS 'Probability that it is still open at the end of the last day, with a close date moved beyond it. NULL: the close date is none or after the last day already, or no history of close dates is known.';
COMMENT ON COLUMN spm.odds_deal.territory_id IS 'Territory it counts in. NULL: none.';

CREATE TABLE spm.odds_seat (
    odds_run_id int NOT NULL REFERENCES spm.odds_run ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('owner', 'seat', 'territory', 'total')),
    key text NOT NULL,
    position_id int REFERENCES spm.position,
    won_amount numeric NOT NULL,
    open_amount numeric NOT NULL,
    new_amount numeric NOT NULL,
    forecast_amount numeric NOT NULL,
    sd numeric NOT NULL,
    q05 numeric NOT NULL,
    q10 numeric NOT NULL,
    q25 numeric NOT NULL,
    median numeric NOT NULL,
    q75 numeric NOT NULL,
    q90 numeric NOT NULL,
    q95 numeric NOT NULL,
    quota_amount numeric,
    reach_probability numeric CHECK (reach_probability BETWEEN 0 AND 1),
    shortfall_amount numeric,
    territory_id int REFERENCES spm.territory ON DELETE SET NULL,
    PRIMARY KEY (odds_run_id, kind, key)
);
CREATE INDEX odds_seat_position ON spm.odds_seat (position_id);
CREATE INDEX odds_seat_territory ON spm.odds_seat (territory_id);
COMMENT ON TABLE spm.odds_seat IS 'What a forecast of the pipeline says of each owner of deals, of each seat and each territory with all below it, and of all together. Sums and limits come from the same futures, so they agree up the tree.';
COMMENT ON COLUMN spm.odds_seat.odds_run_id IS 'Forecast.';
COMMENT ON COLUMN spm.odds_seat.kind IS 'owner: own deals; seat: its deals and those of all seats below; territory: its deals and those of all territories below; total: all deals.';
COMMENT ON COLUMN spm.odds_seat.key IS 'owner_key, position_key, territory_key, or empty for the total; an owner without a name is empty, too.';
COMMENT ON COLUMN spm.odds_seat.position_id IS 'Seat, for kind seat.';
COMMENT ON COLUMN spm.odds_seat.won_amount IS 'Won from the first day up to the day of the forecast.';
COMMENT ON COLUMN spm.odds_seat.open_amount IS 'Expected from deals that are open.';
COMMENT ON COLUMN spm.odds_seat.new_amount IS 'Expected from deals that are created later and won by the last day.';
COMMENT ON COLUMN spm.odds_seat.forecast_amount IS 'won_amount + open_amount + new_amount.';
COMMENT ON COLUMN spm.odds_seat.sd IS 'Standard deviation of the total.';
COMMENT ON COLUMN spm.odds_seat.q05 IS 'The total is below it in 5 of 100 futures.';
COMMENT ON COLUMN spm.odds_seat.q10 IS 'The total is below it in 10 of 100 futures.';
COMMENT ON COLUMN spm.odds_seat.q25 IS 'The total is below it in 25 of 100 futures.';
COMMENT ON COLUMN spm.odds_seat.median IS 'The total is below it in every other future.';
COMMENT ON COLUMN spm.odds_seat.q75 IS 'The total is below it in 75 of 100 futures.';
COMMENT ON COLUMN spm.odds_seat.q90 IS 'The total is below it in 90 of 100 futures.';
COMMENT ON COLUMN spm.odds_seat.q95 IS 'The total is below it in 95 of 100 futures.';
COMMENT ON COLUMN spm.odds_seat.quota_amount IS 'Quota of the seat or territory. NULL: none.';
COMMENT ON COLUMN spm.odds_seat.reach_probability IS 'Share of futures in which the quota is reached.';
COMMENT ON COLUMN spm.odds_seat.shortfall_amount IS 'What is missing to the quota, on average over all futures.';
COMMENT ON COLUMN spm.odds_seat.territory_id IS 'Territory, for kind territory.';

SELECT pg_catalog.pg_extension_config_dump('spm.odds_run', '');
SELECT pg_catalog.pg_extension_config_dump('spm.odds_deal', '');
SELECT pg_catalog.pg_extension_config_dump('spm.odds_seat', '');
SELECT pg_catalog.pg_extension_config_dump('spm.odds_run_odds_run_id_seq', '');
