\echo Use "CREATE EXTENSION spm" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
/*
 * install.sql: the first words of the install script.
 *
 * A schema named spm that is there already may hold somebody's functions of our
 * names with better fitting arguments: an extension must not move in with them.
 */
DO $$
DECLARE
    stranger text;
BEGIN
    SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) INTO stranger
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
        AND d.refobjid = pg_catalog.to_regnamespace('spm')
        AND d.deptype = 'n'
        AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass
    ORDER BY 1
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema spm is there already and is not empty',
            DETAIL = pg_catalog.format('It holds %s.', stranger),
            HINT = 'Rename it: ALTER SCHEMA spm RENAME TO spm_before;';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace n
               WHERE n.nspname = 'spm' AND n.nspowner <> CURRENT_USER::pg_catalog.regrole) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema spm is there already and belongs to somebody else',
            HINT = 'Rename it: ALTER SCHEMA spm RENAME TO spm_before;';
    END IF;
END
$$;

/*
 * core/types.sql: what a transaction looks like to an expression.
 */

-- The shape that expressions are analysed against, and nothing else: a table with
-- a column of this type would forbid adding to it.
CREATE TYPE spm.transaction_row AS (
    source text,
    transaction_key text,
    line text,
    event_date date,
    type text,
    owner_key text,
    account_key text,
    product_key text,
    quantity numeric,
    amount numeric,
    cost numeric,
    list_amount numeric,
    currency_code text,
    attributes jsonb
);
COMMENT ON TYPE spm.transaction_row IS
    'Columns that an expression over a transaction may use. Only a shape: no column of any table has this type.';
COMMENT ON COLUMN spm.transaction_row.source IS 'Name of the mapped source that the row comes from.';
COMMENT ON COLUMN spm.transaction_row.transaction_key IS 'Key of the transaction within its source.';
COMMENT ON COLUMN spm.transaction_row.line IS 'Line of the transaction; the empty string when the source has no lines.';
COMMENT ON COLUMN spm.transaction_row.event_date IS 'Day that decides the period.';
COMMENT ON COLUMN spm.transaction_row.type IS 'Kind of event: booking, invoice, cash, refund or whatever the source calls it.';
COMMENT ON COLUMN spm.transaction_row.owner_key IS 'Key of whoever owns the transaction in the source.';
COMMENT ON COLUMN spm.transaction_row.account_key IS 'Key of the account (customer).';
COMMENT ON COLUMN spm.transaction_row.product_key IS 'Key of the product.';
COMMENT ON COLUMN spm.transaction_row.quantity IS 'Pieces, hours, seats: whatever the product is counted in.';
COMMENT ON COLUMN spm.transaction_row.amount IS 'Amount of the transaction, in its currency.';
COMMENT ON COLUMN spm.transaction_row.cost IS 'Cost of what was sold, in the same currency.';
COMMENT ON COLUMN spm.transaction_row.list_amount IS 'Amount at list price, before discounts, in the same currency.';
COMMENT ON COLUMN spm.transaction_row.currency_code IS 'Currency of the amounts, ISO 4217.';
COMMENT ON COLUMN spm.transaction_row.attributes IS 'Any further columns that the mapping adds, by name.';
/*
 * core/tables.sql: what every other domain stands on.  Sources, calendars,
 * currencies, payees, positions, the reporting tree, runs.
 *
 * Everything dated carries a half-open daterange named span; overlaps are
 * refused by exclusion constraints.
 */

CREATE SCHEMA spm_bi;
COMMENT ON SCHEMA spm_bi IS 'Views for BI tools, and nothing else. Columns are only ever appended.';

-- ---------------------------------------------------------------- currencies

CREATE TABLE spm.currency (
    currency_code text PRIMARY KEY CHECK (currency_code ~ '^[A-Z]{3}$'),
    minor_digits smallint NOT NULL DEFAULT 2 CHECK (minor_digits BETWEEN 0 AND 4),
    name text
);
COMMENT ON TABLE spm.currency IS 'Currencies that plans pay in or transactions come in.';
COMMENT ON COLUMN spm.currency.currency_code IS 'ISO 4217 code.';
COMMENT ON COLUMN spm.currency.minor_digits IS 'Decimal places of an amount that is paid: 2 for USD, 0 for JPY.';
COMMENT ON COLUMN spm.currency.name IS 'Name shown to people.';

CREATE TABLE spm.exchange_rate (
    exchange_rate_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rate_type text NOT NULL DEFAULT 'spot',
    from_currency_code text NOT NULL REFERENCES spm.currency,
    to_currency_code text NOT NULL REFERENCES spm.currency,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    rate numeric NOT NULL CHECK (rate > 0 AND rate < 'Infinity'),
    CHECK (from_currency_code <> to_currency_code),
    CONSTRAINT exchange_rate_overlap EXCLUDE USING gist
        (rate_type WITH =, from_currency_code WITH =, to_currency_code WITH =, span WITH &&)
);
CREATE INDEX exchange_rate_to ON spm.exchange_rate (to_currency_code);
CREATE INDEX exchange_rate_from ON spm.exchange_rate (from_currency_code);
COMMENT ON TABLE spm.exchange_rate IS 'One row per currency pair, rate type and span: an amount in from_currency_code times rate is the amount in to_currency_code.';
COMMENT ON COLUMN spm.exchange_rate.exchange_rate_id IS 'Key.';
COMMENT ON COLUMN spm.exchange_rate.rate_type IS 'Which rate: spot, average, budget ...; a plan names the one it uses.';
COMMENT ON COLUMN spm.exchange_rate.from_currency_code IS 'Currency that is converted.';
COMMENT ON COLUMN spm.exchange_rate.to_currency_code IS 'Currency it becomes.';
COMMENT ON COLUMN spm.exchange_rate.span IS 'Days on which the rate holds; end exclusive.';
COMMENT ON COLUMN spm.exchange_rate.rate IS 'Units of to_currency_code for one unit of from_currency_code.';

-- ----------------------------------------------------- calendars and periods

CREATE TABLE spm.calendar (
    calendar_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    is_gapless boolean NOT NULL DEFAULT true,
    scheme text CHECK (scheme IN ('month', 'quarter', 'year', 'week', '4-4-5', '4-5-4', '5-4-4')),
    year_end text,
    year_named_by text CHECK (year_named_by IN ('start', 'end'))
);
COMMENT ON TABLE spm.calendar IS 'A scheme of periods: fiscal months and quarters, 4-4-5 weeks, irregular windows.';
COMMENT ON COLUMN spm.calendar.calendar_id IS 'Key.';
COMMENT ON COLUMN spm.calendar.name IS 'Name, unique.';
COMMENT ON COLUMN spm.calendar.is_gapless IS 'Whether periods of one grain must follow each other without a gap.';
COMMENT ON COLUMN spm.calendar.scheme IS 'How spm.create_calendar() made its periods, so that spm.extend_calendar() can go on. NULL: they were loaded.';
COMMENT ON COLUMN spm.calendar.year_end IS 'Retail schemes: the day on which a year ends, such as nearest saturday to january.';
COMMENT ON COLUMN spm.calendar.year_named_by IS 'Whether a year is called after the calendar year in which it ends or starts.';

CREATE TABLE spm.period (
    period_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calendar_id int NOT NULL REFERENCES spm.calendar,
    grain text NOT NULL CHECK (grain ~ '^[a-z][a-z0-9_]*$'),
    name text NOT NULL CHECK (name <> ''),
    span daterange NOT NULL CHECK (NOT isempty(span) AND NOT lower_inf(span) AND NOT upper_inf(span)),
    parent_period_id int,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'calculated', 'posted')),
    UNIQUE (calendar_id, name),
    CONSTRAINT period_overlap EXCLUDE USING gist (calendar_id WITH =, grain WITH =, span WITH &&)
);
-- No foreign key from a period to its parent: pg_dump would warn of it at every
-- backup.  The trigger period_check holds the two together.
CREATE INDEX period_parent ON spm.period (parent_period_id);
COMMENT ON TABLE spm.period IS 'One row per period of a calendar. Periods of one grain never overlap; a child lies within its parent.';
COMMENT ON COLUMN spm.period.period_id IS 'Key.';
COMMENT ON COLUMN spm.period.calendar_id IS 'Calendar it belongs to.';
COMMENT ON COLUMN spm.period.grain IS 'Kind of period: month, quarter, year, week, window ...';
COMMENT ON COLUMN spm.period.name IS 'Name, unique in its calendar: 2026-Q1.';
COMMENT ON COLUMN spm.period.span IS 'Days of the period; end exclusive.';
COMMENT ON COLUMN spm.period.parent_period_id IS 'Period it is part of: the quarter of a month. NULL at the top.';
COMMENT ON COLUMN spm.period.state IS 'open, calculated or posted: one way, but for spm.reopen_period().';

CREATE TABLE spm.period_event (
    period_event_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id int NOT NULL REFERENCES spm.period,
    from_state text NOT NULL,
    to_state text NOT NULL,
    reason text,
    CONSTRAINT period_event_reason CHECK (from_state <> 'posted' OR (reason IS NOT NULL AND reason <> '')),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX period_event_period ON spm.period_event (period_id);
COMMENT ON TABLE spm.period_event IS 'Every change of a period''s state. Written by a trigger, never changed.';
COMMENT ON COLUMN spm.period_event.period_event_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.period_event.period_id IS 'Period that changed.';
COMMENT ON COLUMN spm.period_event.from_state IS 'State before.';
COMMENT ON COLUMN spm.period_event.to_state IS 'State after.';
COMMENT ON COLUMN spm.period_event.reason IS 'Why; required when a posted period is reopened.';
COMMENT ON COLUMN spm.period_event.recorded_at IS 'When.';
COMMENT ON COLUMN spm.period_event.recorded_by IS 'Login that did it.';

-- ------------------------------------------------------ people and positions

CREATE TABLE spm.payee (
    payee_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_key text NOT NULL UNIQUE CHECK (payee_key <> ''),
    name text NOT NULL CHECK (name <> '')
);
COMMENT ON TABLE spm.payee IS 'Who is paid. The only table that holds names of people.';
COMMENT ON COLUMN spm.payee.payee_id IS 'Key; says nothing about the person.';
COMMENT ON COLUMN spm.payee.payee_key IS 'Key in the warehouse: what a transaction''s owner_key holds.';
COMMENT ON COLUMN spm.payee.name IS 'Name shown on statements.';

CREATE TABLE spm.title (
    title_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);
COMMENT ON TABLE spm.title IS 'Class of positions that share plans and variables: Account Executive.';
COMMENT ON COLUMN spm.title.title_id IS 'Key.';
COMMENT ON COLUMN spm.title.name IS 'Name, unique.';

CREATE TABLE spm.position (
    position_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_key text NOT NULL UNIQUE CHECK (position_key <> ''),
    name text NOT NULL CHECK (name <> ''),
    title_id int REFERENCES spm.title
);
CREATE INDEX position_title ON spm.position (title_id);
COMMENT ON TABLE spm.position IS 'A seat in the sales organisation. Credits and quotas belong to it; it can be vacant.';
COMMENT ON COLUMN spm.position.position_id IS 'Key.';
COMMENT ON COLUMN spm.position.position_key IS 'Key in the warehouse, unique.';
COMMENT ON COLUMN spm.position.name IS 'Name shown to people.';
COMMENT ON COLUMN spm.position.title_id IS 'Title, which may carry plans and variables. NULL: none.';

CREATE TABLE spm.position_assignment (
    position_assignment_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int NOT NULL REFERENCES spm.position,
    payee_id int NOT NULL REFERENCES spm.payee,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    is_primary boolean NOT NULL DEFAULT true,
    CONSTRAINT position_assignment_seat EXCLUDE USING gist (position_id WITH =, span WITH &&),
    CONSTRAINT position_assignment_primary EXCLUDE USING gist (payee_id WITH =, span WITH &&) WHERE (is_primary)
);
CREATE INDEX position_assignment_payee ON spm.position_assignment (payee_id);
CREATE INDEX position_assignment_position ON spm.position_assignment (position_id);
COMMENT ON TABLE spm.position_assignment IS 'Who sat where when. A seat holds one payee at a time; a payee has one primary seat at a time.';
COMMENT ON COLUMN spm.position_assignment.position_assignment_id IS 'Key.';
COMMENT ON COLUMN spm.position_assignment.position_id IS 'Seat.';
COMMENT ON COLUMN spm.position_assignment.payee_id IS 'Payee in it.';
COMMENT ON COLUMN spm.position_assignment.span IS 'Days; end exclusive.';
COMMENT ON COLUMN spm.position_assignment.is_primary IS 'Whether the payee''s own transactions are credited to this seat.';

CREATE TABLE spm.reporting_line (
    reporting_line_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int NOT NULL REFERENCES spm.position,
    manager_position_id int NOT NULL REFERENCES spm.position,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    CONSTRAINT reporting_line_self CHECK (position_id <> manager_position_id),
    CONSTRAINT reporting_line_overlap EXCLUDE USING gist (position_id WITH =, span WITH &&)
);
CREATE INDEX reporting_line_manager ON spm.reporting_line (manager_position_id);
CREATE INDEX reporting_line_position ON spm.reporting_line (position_id);
COMMENT ON TABLE spm.reporting_line IS 'Which seat reports to which, by date. A tree at every date: cycles are refused.';
COMMENT ON COLUMN spm.reporting_line.reporting_line_id IS 'Key.';
COMMENT ON COLUMN spm.reporting_line.position_id IS 'Seat that reports.';
COMMENT ON COLUMN spm.reporting_line.manager_position_id IS 'Seat it reports to.';
COMMENT ON COLUMN spm.reporting_line.span IS 'Days; end exclusive.';

-- No foreign keys: reporting_line has them, and here they would cost more than the path.
CREATE TABLE spm.position_path (
    position_id int NOT NULL,
    ancestor_position_id int NOT NULL,
    depth smallint NOT NULL CHECK (depth > 0),
    span daterange NOT NULL,
    PRIMARY KEY (position_id, ancestor_position_id, span)
);
CREATE INDEX position_path_ancestor ON spm.position_path (ancestor_position_id);
COMMENT ON TABLE spm.position_path IS 'Closure of spm.reporting_line: every seat above a seat, by date. Kept by triggers, and by them alone: a backup leaves it out and a restore makes it again.';
COMMENT ON COLUMN spm.position_path.position_id IS 'Seat below.';
COMMENT ON COLUMN spm.position_path.ancestor_position_id IS 'Seat above it.';
COMMENT ON COLUMN spm.position_path.depth IS 'Levels between them: 1 for the direct manager.';
COMMENT ON COLUMN spm.position_path.span IS 'Days on which this holds; end exclusive.';

CREATE TABLE spm.position_path_version (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    version bigint NOT NULL
);
INSERT INTO spm.position_path_version (version) VALUES (0);
COMMENT ON TABLE spm.position_path_version IS 'One row, counted up by every change of the reporting tree: two changes at a time wait for each other here, or one is told to try again.';
COMMENT ON COLUMN spm.position_path_version.is_only IS 'Keeps it at one row.';
COMMENT ON COLUMN spm.position_path_version.version IS 'Number of changes.';

-- ------------------------------------------------------------------- sources

CREATE TABLE spm.source (
    source_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    filter text,
    fixed_type text,
    fixed_currency_code text,
    time_zone text NOT NULL DEFAULT 'UTC'
);
COMMENT ON TABLE spm.source IS 'A warehouse relation mapped to the standard columns of a transaction. Written by spm.map_source().';
COMMENT ON COLUMN spm.source.source_id IS 'Key.';
COMMENT ON COLUMN spm.source.name IS 'Name, unique; first part of every transaction''s identity.';
COMMENT ON COLUMN spm.source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.source.relation_name IS 'Table, view, foreign or partitioned table.';
COMMENT ON COLUMN spm.source.filter IS 'Checked expression over the relation''s columns; only rows for which it is true are transactions. NULL: all.';
COMMENT ON COLUMN spm.source.fixed_type IS 'Transaction type of all rows, where no column holds it.';
COMMENT ON COLUMN spm.source.fixed_currency_code IS 'Currency of all rows, where no column holds it.';
COMMENT ON COLUMN spm.source.time_zone IS 'Time zone in which a timestamp with time zone becomes the day of the transaction.';

CREATE TABLE spm.source_column (
    source_id int NOT NULL REFERENCES spm.source ON DELETE CASCADE,
    name text NOT NULL,
    column_name text NOT NULL,
    column_type text NOT NULL,
    PRIMARY KEY (source_id, name)
);
COMMENT ON TABLE spm.source_column IS 'Which column of the relation fills which standard column.';
COMMENT ON COLUMN spm.source_column.source_id IS 'Source.';
COMMENT ON COLUMN spm.source_column.name IS 'Standard column (a column of spm.transaction_row), or attributes.<name> for one more attribute.';
COMMENT ON COLUMN spm.source_column.column_name IS 'Column of the relation.';
COMMENT ON COLUMN spm.source_column.column_type IS 'Its type when it was mapped; checked again at use.';

CREATE TABLE spm.split_source (
    source_id int PRIMARY KEY REFERENCES spm.source ON DELETE CASCADE,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    line_column text,
    owner_column text NOT NULL,
    share_column text NOT NULL,
    share_unit text NOT NULL DEFAULT 'ratio' CHECK (share_unit IN ('ratio', 'percent'))
);
COMMENT ON TABLE spm.split_source IS 'A warehouse relation that says who shares in a source''s transactions. Written by spm.map_split().';
COMMENT ON COLUMN spm.split_source.source_id IS 'Source whose transactions are split.';
COMMENT ON COLUMN spm.split_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.split_source.relation_name IS 'Table or view with one row per transaction and sharer.';
COMMENT ON COLUMN spm.split_source.key_column IS 'Column with the transaction''s key.';
COMMENT ON COLUMN spm.split_source.line_column IS 'Column with its line. NULL: a split holds for all lines of the key.';
COMMENT ON COLUMN spm.split_source.owner_column IS 'Column with the sharer''s payee_key.';
COMMENT ON COLUMN spm.split_source.share_column IS 'Column with the share.';
COMMENT ON COLUMN spm.split_source.share_unit IS 'ratio: shares of a transaction total 1; percent: 100.';

-- ---------------------------------------------------------------------- runs

CREATE TABLE spm.run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('calculate', 'post')),
    period_id int NOT NULL REFERENCES spm.period,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    started_by text NOT NULL DEFAULT session_user,
    version text NOT NULL,
    input_watermark text,
    transaction_count bigint NOT NULL DEFAULT 0,
    uncredited_count bigint NOT NULL DEFAULT 0,
    credit_count bigint NOT NULL DEFAULT 0,
    payee_count bigint NOT NULL DEFAULT 0,
    earning_count bigint NOT NULL DEFAULT 0,
    changed_count bigint NOT NULL DEFAULT 0,
    late_period_count int NOT NULL DEFAULT 0
);
CREATE INDEX run_period ON spm.run (period_id);
COMMENT ON TABLE spm.run IS 'One row per calculation or posting that succeeded; one that failed is rolled back whole.';
COMMENT ON COLUMN spm.run.run_id IS 'Key, stamped on every result row that the run wrote.';
COMMENT ON COLUMN spm.run.kind IS 'calculate or post.';
COMMENT ON COLUMN spm.run.period_id IS 'Period it ran for.';
COMMENT ON COLUMN spm.run.started_at IS 'When it began.';
COMMENT ON COLUMN spm.run.finished_at IS 'When its last stage was done.';
COMMENT ON COLUMN spm.run.started_by IS 'Login that ran it.';
COMMENT ON COLUMN spm.run.version IS 'Version of spm that ran.';
COMMENT ON COLUMN spm.run.input_watermark IS 'Digest of everything the period was calculated from; equal digests mean equal input.';
COMMENT ON COLUMN spm.run.transaction_count IS 'Transactions of the period.';
COMMENT ON COLUMN spm.run.uncredited_count IS 'Of those, transactions that nobody was credited for.';
COMMENT ON COLUMN spm.run.credit_count IS 'Credits of the period.';
COMMENT ON COLUMN spm.run.payee_count IS 'Payees measured.';
COMMENT ON COLUMN spm.run.earning_count IS 'Deal earnings of the period.';
COMMENT ON COLUMN spm.run.changed_count IS 'Result rows added or removed; 0 when nothing has changed since the run before.';
COMMENT ON COLUMN spm.run.late_period_count IS 'Posted periods that were recalculated because their input had changed.';

-- Without these a backup would lose people's pay.
SELECT pg_catalog.pg_extension_config_dump('spm.currency', '');
SELECT pg_catalog.pg_extension_config_dump('spm.exchange_rate', '');
SELECT pg_catalog.pg_extension_config_dump('spm.calendar', '');
SELECT pg_catalog.pg_extension_config_dump('spm.period', '');
SELECT pg_catalog.pg_extension_config_dump('spm.period_event', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payee', '');
SELECT pg_catalog.pg_extension_config_dump('spm.title', '');
SELECT pg_catalog.pg_extension_config_dump('spm.position', '');
SELECT pg_catalog.pg_extension_config_dump('spm.position_assignment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.reporting_line', '');
SELECT pg_catalog.pg_extension_config_dump('spm.source', '');
SELECT pg_catalog.pg_extension_config_dump('spm.source_column', '');
SELECT pg_catalog.pg_extension_config_dump('spm.split_source', '');
SELECT pg_catalog.pg_extension_config_dump('spm.run', '');
SELECT pg_catalog.pg_extension_config_dump('spm.exchange_rate_exchange_rate_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.calendar_calendar_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.period_period_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.period_event_period_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payee_payee_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.title_title_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.position_position_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.position_assignment_position_assignment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.reporting_line_reporting_line_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.source_source_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.run_run_id_seq', '');
/*
 * core/toolbox.sql: expressions over a transaction.
 */

CREATE FUNCTION spm.checked_expression(expression text, result_type regtype)
    RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET bytea_output = 'hex'
    SET datestyle = 'ISO, YMD'
    SET extra_float_digits = 1
    SET intervalstyle = 'iso_8601'
    SET quote_all_identifiers = off
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_checked_expression';
COMMENT ON FUNCTION spm.checked_expression(text, regtype) IS
'An expression over the columns of a transaction, checked and written out in full; it is never executed.
expression: one SQL value over the columns of spm.transaction_row, at most 10,000 bytes, as typed and as returned. result_type: boolean for a condition, numeric for a measure; whole numbers become numeric.
Only immutable functions and operators that are built in or spm''s may be used. The result is to be read with search_path pg_catalog and gives itself when checked again.
Errors: 42P17 for what is refused, 42703 for an unknown column, 42804 for another result type, 54000 for one too long, 22023 for a result type that no expression can have, and those of the parser.
Example: spm.checked_expression(''amount - cost'', ''numeric'') is (t.amount - t.cost).';

CREATE FUNCTION spm.checked_expression(expression text, result_type regtype, relation regclass)
    RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET bytea_output = 'hex'
    SET datestyle = 'ISO, YMD'
    SET extra_float_digits = 1
    SET intervalstyle = 'iso_8601'
    SET quote_all_identifiers = off
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_checked_expression';
COMMENT ON FUNCTION spm.checked_expression(text, regtype, regclass) IS
'The same over the columns of a table or view, which the result calls t: the filter of a source. Columns of other types than an expression may use can only be tested with IS NULL.
relation: the table or view. Errors: as without a relation, and 42809 for a relation that has no rows, such as an index.
Example: spm.checked_expression(''total > 0'', ''boolean'', ''public.orders'') is (t.total > (0)::numeric).';

CREATE FUNCTION spm.expression_columns(expression text)
    RETURNS text[]
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'iso_8601'
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_expression_columns';
COMMENT ON FUNCTION spm.expression_columns(text) IS
'Columns of spm.transaction_row that an expression uses, in the order of that type. The expression is checked as by spm.checked_expression, whose errors it shares; its type may be any.
Example: spm.expression_columns(''amount - cost'') is {amount,cost}.';
/*
 * core/functions.sql: currencies, calendars and periods.
 *
 * Inside PL/pgSQL a bare name in a query is a column, and an argument is
 * written function.argument.
 */

-- -------------------------------------------------------------- small helpers

CREATE FUNCTION spm._span(since date, until date)
    RETURNS daterange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT daterange(nullif(since, '-infinity'), nullif(until, 'infinity'), '[)');
    END;
COMMENT ON FUNCTION spm._span(date, date) IS
    'The days from since until the day before until; NULL and infinity both mean without end.';
REVOKE ALL ON FUNCTION spm._span(date, date) FROM PUBLIC;

CREATE FUNCTION spm._checked_span(since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(since, '-infinity') >= coalesce(until, 'infinity') THEN
        RAISE EXCEPTION 'until must be after since'
            USING ERRCODE = '22023',
                DETAIL = format('since is %s, until is %s.', coalesce(since::text, '-infinity'), coalesce(until::text, 'infinity')),
                HINT = 'until is the first day on which it no longer holds; leave it out to leave the end open.';
    END IF;
    RETURN spm._span(since, until);
END
$$;
COMMENT ON FUNCTION spm._checked_span(date, date) IS
    'As spm._span(), but error 22023 when no day would be left.';
REVOKE ALL ON FUNCTION spm._checked_span(date, date) FROM PUBLIC;

CREATE FUNCTION spm._near(wanted text, names text[])
    RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT string_agg(n.name, ', ' ORDER BY n.name COLLATE "C")
        FROM (
            SELECT u.name
            FROM unnest(names) AS u (name), (SELECT lower(left(wanted, 63)), lower(right(wanted, 63))) AS w (head, tail)
            ORDER BY (
                SELECT count(*) FILTER (WHERE left(lower(u.name), i) = left(w.head, i))
                    + count(*) FILTER (WHERE right(lower(u.name), i) = right(w.tail, i))
                FROM generate_series(1, least(length(wanted), 63)) AS i
            ) DESC, u.name COLLATE "C"
            LIMIT 6
        ) AS n;
    END;
COMMENT ON FUNCTION spm._near(text, text[]) IS
    'Up to six of the names, those that begin and end most like the wanted one, for the hint of an error.';
REVOKE ALL ON FUNCTION spm._near(text, text[]) FROM PUBLIC;

CREATE FUNCTION spm._condition(matching jsonb)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT string_agg(format('r.%I = %L', m.key, m.value), ' AND ') FROM jsonb_each_text(matching) AS m;
    END;
COMMENT ON FUNCTION spm._condition(jsonb) IS 'Condition that the columns of r have these values.';
REVOKE ALL ON FUNCTION spm._condition(jsonb) FROM PUBLIC;

CREATE FUNCTION spm._key_columns(relation regclass)
    RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = _key_columns.relation AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attidentity = '' AND a.attname <> 'span';
    END;
COMMENT ON FUNCTION spm._key_columns(regclass) IS 'Columns of a dated table but its identity and its span, quoted.';
REVOKE ALL ON FUNCTION spm._key_columns(regclass) FROM PUBLIC;

CREATE FUNCTION spm._make_room(relation regclass, matching text, what text, since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    same CONSTANT jsonb := matching;
    room daterange := spm._checked_span(since, until);
    next_start date;
    clash daterange;
BEGIN
    EXECUTE format('SELECT r.span FROM %s AS r WHERE %s AND CASE WHEN lower_inf($1) THEN lower_inf(r.span) ELSE lower(r.span) = lower($1) END',
        relation, spm._condition(same)) INTO clash USING room;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '% is already set from %', what, coalesce(lower(clash)::text, 'the beginning')
            USING ERRCODE = '23P01',
                DETAIL = format('What is there holds for %s.', clash),
                HINT = CASE WHEN lower_inf(clash) THEN 'Give the day of the change: since => ''2026-01-01''.'
                    ELSE format('Give another day, or correct the row of that span in %s.', relation) END;
    END IF;

    EXECUTE format('SELECT min(lower(r.span)) FROM %s AS r WHERE %s AND r.span && $1 AND NOT coalesce(r.span @> lower($1), false)',
        relation, spm._condition(same)) INTO next_start USING room;
    IF next_start IS NOT NULL THEN
        IF NOT upper_inf(room) THEN
            RAISE EXCEPTION '% is already set from %', what, next_start
                USING ERRCODE = '23P01',
                    DETAIL = format('The new span would be %s.', room),
                    HINT = format('Leave until out to let it end on %s, or give an earlier one.', next_start);
        END IF;
        room := daterange(lower(room), next_start);
    END IF;

    -- The one that held until now ends; what it still had beyond a given end stays.
    IF NOT lower_inf(room) THEN
        EXECUTE format($sql$
            WITH held AS MATERIALIZED (
                SELECT r.span FROM %s AS r WHERE %s AND r.span @> lower($1)
            ), cut AS (
                UPDATE %s AS r SET span = daterange(lower(r.span), lower($1))
                WHERE %s AND r.span @> lower($1)
            )
            SELECT daterange(upper($1), upper(held.span)) FROM held
            WHERE NOT upper_inf($1) AND coalesce(upper(held.span) > upper($1), true)$sql$,
            relation, spm._condition(same), relation, spm._condition(same)) INTO clash USING room;
        IF clash IS NOT NULL THEN
            EXECUTE format('INSERT INTO %s (%s, span) SELECT %s, $2 FROM %s AS r WHERE %s AND upper(r.span) = lower($1)',
                relation, spm._key_columns(relation), spm._key_columns(relation), relation, spm._condition(same)) USING room, clash;
        END IF;
    END IF;
    RETURN room;
END
$$;
COMMENT ON FUNCTION spm._make_room(regclass, text, text, date, date) IS
'Frees the days from since for a new row of a dated table and returns the span it may take: until the next one starts, where until is NULL.
The row that holds on since is cut there; when until is given, it holds again from then on. No other row changes.
relation: table with a column span; matching: columns and values of the rows about the same thing, as JSON; what: its name in errors.
Errors: 23P01 when one starts on the same day, or when one starts before until; 22023 when until is not after since.';
REVOKE ALL ON FUNCTION spm._make_room(regclass, text, text, date, date) FROM PUBLIC;

CREATE FUNCTION spm._column_type(relation regclass, column_name text, argument text, accepted text[], advice text)
    RETURNS regtype
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    type oid;
BEGIN
    SELECT coalesce(nullif(t.typbasetype, 0), t.oid) INTO type
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = _column_type.relation AND a.attname = _column_type.column_name
        AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
        RAISE EXCEPTION 'column "%" of % does not exist', column_name, relation
            USING ERRCODE = '42703', DETAIL = format('It is named by %s => %L.', argument, column_name),
                HINT = format('Columns that look like it: %s.', spm._near(column_name, ARRAY(
                    SELECT attname::text FROM pg_catalog.pg_attribute
                    WHERE attrelid = _column_type.relation AND attnum > 0 AND NOT attisdropped)));
    END IF;
    IF NOT has_column_privilege(relation, column_name, 'SELECT') THEN
        RAISE EXCEPTION 'you may not read column "%" of %', column_name, relation
            USING ERRCODE = '42501', DETAIL = format('It is named by %s => %L.', argument, column_name),
                HINT = format('Let its owner run: GRANT SELECT ON %s TO %I;', relation, current_user);
    END IF;
    IF NOT (format_type(type, NULL) = ANY (accepted) OR 'enum' = ANY (accepted) AND EXISTS (
        SELECT FROM pg_catalog.pg_type AS t WHERE t.oid = type AND t.typtype = 'e')) THEN
        RAISE EXCEPTION 'column "%" of % has type %, which cannot be %', column_name, relation, format_type(type, NULL), argument
            USING ERRCODE = '42804', DETAIL = format('Possible are %s.', array_to_string(accepted, ', ')),
                HINT = CASE WHEN type IN ('real'::regtype, 'double precision'::regtype)
                    THEN format('Floating point loses cents. Name a view with %I::numeric instead of the table.', column_name)
                    ELSE coalesce(advice, format('Name a view that converts %I instead of the table.', column_name)) END;
    END IF;
    RETURN type;
END
$$;
COMMENT ON FUNCTION spm._column_type(regclass, text, text, text[], text) IS
'Type of a column that a caller named, below domains, after checking it.
argument: what the caller calls it; accepted: names of types that will do; advice: hint for another type.
Errors: 42703 no such column, 42501 not readable, 42804 another type.';
REVOKE ALL ON FUNCTION spm._column_type(regclass, text, text, text[], text) FROM PUBLIC;

-- ----------------------------------------------------------------- currencies

CREATE FUNCTION spm._check_currency(currency_code text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM spm.currency AS c WHERE c.currency_code = _check_currency.currency_code) THEN
        RAISE EXCEPTION 'currency "%" does not exist', currency_code
            USING ERRCODE = '42704', HINT = format('Add it: SELECT spm.add_currency(%L);', currency_code);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_currency(text) IS 'Error 42704 when the currency is not in spm.currency.';
REVOKE ALL ON FUNCTION spm._check_currency(text) FROM PUBLIC;

CREATE FUNCTION spm.add_currency(currency_code text, minor_digits int DEFAULT NULL, name text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    digits int := coalesce(minor_digits, CASE
        WHEN currency_code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
            'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency_code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN currency_code IN ('CLF', 'UYW') THEN 4
        ELSE 2 END);
BEGIN
    IF currency_code IS NULL OR currency_code !~ '^[A-Z]{3}$' THEN
        RAISE EXCEPTION 'currency code must be three capital letters, not %', coalesce(quote_literal(currency_code), 'NULL')
            USING ERRCODE = '22023', HINT = 'Use the ISO 4217 code, such as USD.';
    END IF;
    IF digits NOT BETWEEN 0 AND 4 THEN
        RAISE EXCEPTION 'minor digits must be between 0 and 4, not %', digits
            USING ERRCODE = '22023', HINT = 'Leave minor_digits out to take those of ISO 4217.';
    END IF;
    INSERT INTO spm.currency (currency_code, minor_digits, name)
    VALUES (add_currency.currency_code, digits, add_currency.name)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'currency "%" already exists', currency_code
            USING ERRCODE = '42710', HINT = 'Change its row in spm.currency if the name or the digits are wrong.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.add_currency(text, int, text) IS
'Adds a currency.
currency_code: ISO 4217; minor_digits: decimal places of a payment, NULL for those of ISO 4217; name: shown to people.
Errors: 22023 for a code that is not three capital letters or digits outside 0 to 4; 42710 when it is there already.
Example: SELECT spm.add_currency(''JPY'') adds it with 0 digits.';

CREATE FUNCTION spm.set_exchange_rate(from_currency text, to_currency text, since date, rate numeric,
    rate_type text DEFAULT 'spot', until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    room daterange;
BEGIN
    PERFORM spm._check_currency(from_currency);
    PERFORM spm._check_currency(to_currency);
    IF from_currency = to_currency THEN
        RAISE EXCEPTION 'a currency needs no rate to itself' USING ERRCODE = '22023',
            DETAIL = format('Both currencies are %s.', from_currency), HINT = 'It is always 1.';
    END IF;
    IF rate IS NULL OR rate <= 0 OR rate IN ('Infinity', 'NaN') THEN
        RAISE EXCEPTION 'exchange rate must be a number above zero, not %', coalesce(rate::text, 'NULL')
            USING ERRCODE = '22023', HINT = format('Give how many %s one %s is worth.', to_currency, from_currency);
    END IF;
    room := spm._make_room('spm.exchange_rate',
        jsonb_build_object('rate_type', rate_type, 'from_currency_code', from_currency, 'to_currency_code', to_currency)::text,
        format('the %s rate from %s to %s', rate_type, from_currency, to_currency), since, until);
    INSERT INTO spm.exchange_rate (rate_type, from_currency_code, to_currency_code, span, rate)
    VALUES (set_exchange_rate.rate_type, from_currency, to_currency, room, set_exchange_rate.rate);
END
$$;
COMMENT ON FUNCTION spm.set_exchange_rate(text, text, date, numeric, text, date) IS
'Adds a rate from a day on. The rate it follows ends the day before; no other changes.
rate: units of to_currency for one of from_currency; rate_type: spot, average, budget ...; until: first day on which it no longer holds, NULL for until the next rate. With until, the rate before holds again afterwards.
Errors: 42704 unknown currency; 22023 for a rate that is not above zero, equal currencies, until not after since; 23P01 when a rate is already set from that day, or starts before until.
Example: SELECT spm.set_exchange_rate(''EUR'', ''USD'', ''2026-01-01'', 1.0842);';

CREATE FUNCTION spm.exchange_rate_on(from_currency text, to_currency text, date date, rate_type text DEFAULT 'spot')
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE WHEN from_currency = to_currency THEN 1 ELSE (
            SELECT r.rate
            FROM spm.exchange_rate AS r
            WHERE r.from_currency_code = from_currency AND r.to_currency_code = to_currency
                AND r.rate_type = exchange_rate_on.rate_type AND r.span @> exchange_rate_on.date
        ) END;
    END;
COMMENT ON FUNCTION spm.exchange_rate_on(text, text, date, text) IS
'Rate that holds on a day: 1 for the same currency, NULL when none was set. Only the rate of this direction counts; nothing is inverted or crossed.
Example: SELECT 100 * spm.exchange_rate_on(''EUR'', ''USD'', ''2026-01-15'');';

-- ------------------------------------------------------- calendars and periods

CREATE FUNCTION spm._calendar_id(calendar text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT calendar_id INTO found_id FROM spm.calendar AS c WHERE c.name = _calendar_id.calendar;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'calendar "%" does not exist', calendar
            USING ERRCODE = '42704', HINT = coalesce(
                'Calendars are: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM spm.calendar) || '.',
                'There is none yet: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2026-01-01'', until => ''2028-01-01'');');
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._calendar_id(text) IS 'Key of the calendar of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._calendar_id(text) FROM PUBLIC;

CREATE FUNCTION spm._period_id(period text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_calendar int := CASE WHEN calendar IS NOT NULL THEN spm._calendar_id(calendar) END;
    ids int[];
    calendars text;
BEGIN
    SELECT array_agg(p.period_id), string_agg(c.name, ', ' ORDER BY c.name) INTO ids, calendars
    FROM spm.period AS p
    JOIN spm.calendar AS c USING (calendar_id)
    WHERE p.name = _period_id.period AND (wanted_calendar IS NULL OR p.calendar_id = wanted_calendar);
    IF cardinality(ids) > 1 THEN
        RAISE EXCEPTION 'period "%" is in more than one calendar', period
            USING ERRCODE = '22023', DETAIL = format('Calendars with it are: %s.', calendars),
                HINT = format('Say which: calendar => %L.', split_part(calendars, ', ', 1));
    ELSIF ids IS NULL THEN
        RAISE EXCEPTION 'period "%" does not exist', period
            USING ERRCODE = '42704', HINT = coalesce(
                'Periods that look like it: ' || spm._near(period, ARRAY(
                    SELECT DISTINCT name FROM spm.period WHERE wanted_calendar IS NULL OR calendar_id = wanted_calendar)) || '.',
                'There is none yet: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2026-01-01'', until => ''2028-01-01'');');
    END IF;
    RETURN ids[1];
END
$$;
COMMENT ON FUNCTION spm._period_id(text, text) IS
'Key of the period of that name, in the named calendar or, with NULL, in whichever has it.
Errors: 42704 unknown period or calendar; 22023 when several calendars have a period of that name.';
REVOKE ALL ON FUNCTION spm._period_id(text, text) FROM PUBLIC;

CREATE FUNCTION spm.period_on(calendar text, grain text, date date)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT p.name
        FROM spm.period AS p
        JOIN spm.calendar AS c USING (calendar_id)
        WHERE c.name = period_on.calendar AND p.grain = period_on.grain AND p.span @> period_on.date;
    END;
COMMENT ON FUNCTION spm.period_on(text, text, date) IS
'Name of the period of a calendar and grain that holds a day; NULL when none does.
Example: SELECT spm.period_on(''fiscal'', ''quarter'', current_date);';

CREATE FUNCTION spm._retail_year_end(year_end text, year int)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days constant text[] := '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}';
    months constant text[] := '{january,february,march,april,may,june,july,august,september,october,november,december}';
    words text[] := regexp_match(lower(year_end),
        '^\s*(last|nearest)\s+(\w+day)\s+(?:of|to)\s+(?:the\s+end\s+of\s+)?(\w+)\s*$');
    day int := array_position(days, words[2]);
    month int := array_position(months, words[3]);
    month_end date;
    back int;
BEGIN
    IF day IS NULL OR month IS NULL THEN
        RAISE EXCEPTION 'year end "%" is not understood', year_end
            USING ERRCODE = '22023', HINT = 'Write ''last saturday of january'' or ''nearest saturday to january'' (to its last day).';
    END IF;
    month_end := (make_date(year, month, 1) + interval '1 month')::date - 1;
    back := (extract(isodow FROM month_end)::int - day + 7) % 7;
    RETURN month_end - back + CASE WHEN words[1] = 'nearest' AND back > 3 THEN 7 ELSE 0 END;
END
$$;
COMMENT ON FUNCTION spm._retail_year_end(text, int) IS
    'Last day of the retail year whose last month is that of the given calendar year; error 22023 for a rule that is not understood.';
REVOKE ALL ON FUNCTION spm._retail_year_end(text, int) FROM PUBLIC;

CREATE FUNCTION spm._year_start(scheme text, first date, year_end text, year int)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN scheme ~ '-' THEN spm._retail_year_end(year_end, year - 1) + 1
        ELSE make_date(year, extract(month FROM first)::int, extract(day FROM first)::int) END;
END
$$;
COMMENT ON FUNCTION spm._year_start(text, date, text, int) IS
    'First day of the fiscal year: retail years count by the year of their last month, others by the year they start in.';
REVOKE ALL ON FUNCTION spm._year_start(text, date, text, int) FROM PUBLIC;

CREATE FUNCTION spm._check_year_start(scheme text, first date, year_end text, day date, argument text)
    RETURNS int
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    near_year int := extract(year FROM day);
    year int;
BEGIN
    SELECT y INTO year
    FROM generate_series(near_year - 1, near_year + 2) AS y
    ORDER BY abs(spm._year_start(scheme, first, year_end, y) - day)
    LIMIT 1;
    IF spm._year_start(scheme, first, year_end, year) <> day THEN
        RAISE EXCEPTION 'a year of the calendar does not start on %', day
            USING ERRCODE = '22023', DETAIL = format('It is given as %s => %L, and a calendar has whole years.', argument, day),
                HINT = format('The year nearest to it starts on %s.', spm._year_start(scheme, first, year_end, year));
    END IF;
    RETURN year;
END
$$;
COMMENT ON FUNCTION spm._check_year_start(text, date, text, date, text) IS
    'Year that starts on the day, as spm._year_start() counts; error 22023 when none does.';
REVOKE ALL ON FUNCTION spm._check_year_start(text, date, text, date, text) FROM PUBLIC;

CREATE FUNCTION spm._calendar_period(scheme text, first date, until date, year_end text, year_named_by text)
    RETURNS TABLE (grain text, name text, span daterange, parent_name text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    is_retail boolean := scheme ~ '-';
    week_ends int[];        -- 4-4-5: the week of the quarter with which each of its months ends
    first_year int;
    last_year int;
BEGIN
    IF scheme = 'week' THEN
        -- Called after the ISO week that its fourth day is in: one each, whatever day a week starts on.
        RETURN QUERY
        SELECT 'week', to_char(d.day + 3, 'IYYY-"W"IW'), daterange(d.day, d.day + 7), NULL
        FROM (SELECT first + 7 * i AS day FROM generate_series(0, (until - first) / 7 - 1) AS i) AS d;
        RETURN;
    END IF;

    first_year := spm._check_year_start(scheme, first, year_end, first, 'first');
    last_year := spm._check_year_start(scheme, first, year_end, until, 'until') - 1;
    IF is_retail THEN
        week_ends := string_to_array(scheme, '-');
        week_ends := ARRAY[week_ends[1], week_ends[1] + week_ends[2], 13];
    END IF;

    RETURN QUERY
    WITH year AS (
        SELECT y AS year,
            spm._year_start(scheme, first, year_end, y) AS start,
            spm._year_start(scheme, first, year_end, y + 1) AS stop
        FROM generate_series(first_year, last_year) AS y
    ), named AS (
        -- A retail year belongs to the year of its last month, even when it ends some days into the next.
        SELECT start, stop, CASE
            WHEN NOT is_retail THEN extract(year FROM CASE year_named_by WHEN 'start' THEN start ELSE stop - 1 END)::int
            WHEN year_named_by = 'end' OR year_end ~* 'december' THEN year
            ELSE year - 1 END::text AS year
        FROM year
    ), quarter AS (
        SELECT year, q,
            CASE WHEN is_retail THEN start + 91 * (q - 1) ELSE (start + make_interval(months => 3 * (q - 1)))::date END AS start,
            CASE WHEN q = 4 THEN stop WHEN is_retail THEN start + 91 * q ELSE (start + make_interval(months => 3 * q))::date END AS stop
        FROM named, generate_series(1, 4) AS q
    ), month AS (
        SELECT year, q, m,
            CASE WHEN is_retail THEN start + 7 * coalesce(week_ends[m - 1], 0)
                ELSE (start + make_interval(months => m - 1))::date END AS start,
            CASE WHEN m = 3 THEN stop WHEN is_retail THEN start + 7 * week_ends[m]
                ELSE (start + make_interval(months => m))::date END AS stop
        FROM quarter, generate_series(1, 3) AS m
    )
    SELECT 'year', year, daterange(start, stop), NULL FROM named
    UNION ALL
    SELECT 'quarter', year || '-Q' || q, daterange(start, stop), year FROM quarter
    WHERE scheme <> 'year'
    UNION ALL
    SELECT 'month',
        CASE WHEN is_retail OR extract(day FROM start) <> 1 THEN format('%s-M%s', year, lpad((3 * (q - 1) + m)::text, 2, '0'))
            ELSE to_char(start, 'YYYY-MM') END,
        daterange(start, stop), year || '-Q' || q
    FROM month
    WHERE scheme NOT IN ('year', 'quarter');
END
$$;
COMMENT ON FUNCTION spm._calendar_period(text, date, date, text, text) IS
    'Periods that spm.create_calendar() and spm.extend_calendar() make, with the names of their parents.';
REVOKE ALL ON FUNCTION spm._calendar_period(text, date, date, text, text) FROM PUBLIC;

CREATE FUNCTION spm._add_calendar_periods(calendar_id int, first date, until date)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    calendar spm.calendar;
    level text;
    added bigint := 0;
    n bigint;
BEGIN
    SELECT * INTO calendar FROM spm.calendar AS c WHERE c.calendar_id = _add_calendar_periods.calendar_id;
    IF NOT isfinite(first) OR NOT isfinite(until) OR first IS NULL OR until IS NULL OR first >= until THEN
        RAISE EXCEPTION 'a calendar must end after it begins'
            USING ERRCODE = '22023', DETAIL = format('It would begin on %s and end before %s.', coalesce(first::text, 'NULL'), coalesce(until::text, 'NULL')),
                HINT = 'until is the first day after the last year.';
    END IF;
    IF calendar.scheme = 'week' AND (until - first) % 7 <> 0 THEN
        RAISE EXCEPTION 'a calendar of weeks has whole weeks'
            USING ERRCODE = '22023', DETAIL = format('From %s until %s are %s days.', first, until, until - first),
                HINT = format('Give until => %L.', until + 7 - (until - first) % 7);
    END IF;
    FOREACH level IN ARRAY ARRAY['year', 'quarter', 'month', 'week'] LOOP
        INSERT INTO spm.period (calendar_id, grain, name, span, parent_period_id)
        SELECT calendar.calendar_id, p.grain, p.name, p.span, parent.period_id
        FROM spm._calendar_period(calendar.scheme, _add_calendar_periods.first, _add_calendar_periods.until,
            calendar.year_end, calendar.year_named_by) AS p
        LEFT JOIN spm.period AS parent ON parent.calendar_id = calendar.calendar_id AND parent.name = p.parent_name
        WHERE p.grain = level
        ORDER BY p.span;
        GET DIAGNOSTICS n = ROW_COUNT;
        added := added + n;
    END LOOP;
    RETURN added;
END
$$;
COMMENT ON FUNCTION spm._add_calendar_periods(int, date, date) IS
    'Makes the periods of a calendar that has a scheme, between two days, and returns their number; error 22023 for days that do not fit.';
REVOKE ALL ON FUNCTION spm._add_calendar_periods(int, date, date) FROM PUBLIC;

CREATE FUNCTION spm.create_calendar(name text, grain text, first date, until date,
    year_end text DEFAULT NULL, year_named_by text DEFAULT 'end')
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    IF grain IS NULL OR grain NOT IN ('month', 'quarter', 'year', 'week', '4-4-5', '4-5-4', '5-4-4') THEN
        RAISE EXCEPTION 'calendar grain "%" is not known', grain
            USING ERRCODE = '22023', HINT = 'Use month, quarter, year, week, 4-4-5, 4-5-4 or 5-4-4. For other periods: spm.load_periods().';
    END IF;
    IF year_named_by IS NULL OR year_named_by NOT IN ('end', 'start') THEN
        RAISE EXCEPTION 'year_named_by must be end or start, not "%"', year_named_by
            USING ERRCODE = '22023', HINT = 'end: the year from February 2025 to January 2026 is 2026; start: it is 2025.';
    END IF;
    IF year_end IS NOT NULL AND grain !~ '-' THEN
        RAISE EXCEPTION 'year_end is for the retail schemes only'
            USING ERRCODE = '22023', HINT = 'Leave it out: a year of months ends where the next one starts.';
    END IF;
    IF grain !~ '-' AND grain <> 'week' AND extract(day FROM first) > 28 THEN
        RAISE EXCEPTION 'a year of months cannot start on day % of a month', extract(day FROM first)
            USING ERRCODE = '22023', HINT = 'Start on the 28th or before: every month has that day.';
    END IF;
    IF EXISTS (SELECT FROM spm.calendar AS c WHERE c.name = create_calendar.name) THEN
        RAISE EXCEPTION 'calendar "%" already exists', name
            USING ERRCODE = '42710', HINT = format('To go on with it: SELECT spm.extend_calendar(%L, until => %L);', name, until);
    END IF;
    INSERT INTO spm.calendar (name, scheme, year_end, year_named_by)
    VALUES (create_calendar.name, create_calendar.grain,
        CASE WHEN create_calendar.grain ~ '-' THEN coalesce(create_calendar.year_end, 'nearest saturday to january') END,
        create_calendar.year_named_by)
    RETURNING calendar_id INTO new_id;
    RETURN spm._add_calendar_periods(new_id, first, until);
END
$$;
COMMENT ON FUNCTION spm.create_calendar(text, text, date, date, text, text) IS
'Makes a calendar with all its periods, one inside the other, and returns their number.
grain: the finest wanted. month (in quarters, in years), quarter (in years), year; week (weeks alone); 4-4-5, 4-5-4 or 5-4-4: months of whole weeks, in quarters of 13 and years of 52; the 53rd week of a long year goes into its last month.
first: first day of a year (of a week for week); until: first day after the last year.
year_end: for the retail schemes, last or nearest, weekday and month: ''last saturday of september'', ''nearest saturday to january'' (to its last day; the default).
year_named_by: end, a year is called after the calendar year it ends in; start, after the one it starts in.
Names: 2026, 2026-Q1; months 2026-01 where they are calendar months, else 2026-M01; weeks 2026-W01, by the ISO week of their fourth day.
Errors: 42710 when there is one of that name; 22023 for what does not fit, with the nearest day that would.
Example: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2025-02-01'', until => ''2028-02-01'');';

CREATE FUNCTION spm.extend_calendar(name text, until date)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int := spm._calendar_id(name);
BEGIN
    IF (SELECT scheme FROM spm.calendar WHERE calendar_id = found_id) IS NULL THEN
        RAISE EXCEPTION 'calendar "%" was loaded from a table', name
            USING ERRCODE = '55000', HINT = 'Load the further periods in the same way, with spm.load_periods().';
    END IF;
    RETURN spm._add_calendar_periods(found_id, (SELECT max(upper(span)) FROM spm.period WHERE calendar_id = found_id), until);
END
$$;
COMMENT ON FUNCTION spm.extend_calendar(text, date) IS
'Goes on with a calendar made by spm.create_calendar(), in the same way, and returns the number of new periods.
until: first day after the last year.
Errors: 42704 unknown calendar; 55000 when its periods were loaded; 22023 for a day on which no year starts, with the nearest.
Example: SELECT spm.extend_calendar(''fiscal'', until => ''2030-02-01'');';

CREATE FUNCTION spm.load_periods(calendar text, relation regclass, start_column text, end_column text DEFAULT NULL,
    name_column text DEFAULT NULL, grain text DEFAULT 'window', last_day date DEFAULT NULL, parent_grain text DEFAULT NULL,
    is_gapless boolean DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    date_types constant text[] := '{date,timestamp without time zone}';
    label_types constant text[] := '{text,character varying,character,name,integer,bigint,smallint}';
    this_calendar spm.calendar;
    loaded spm.period[];
    wrong record;
    n bigint;
BEGIN
    PERFORM spm._column_type(relation, start_column, 'start_column', date_types, NULL);
    IF end_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, end_column, 'end_column', date_types, NULL);
    END IF;
    IF name_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, name_column, 'name_column', label_types, NULL);
    END IF;
    IF grain IS NULL OR grain !~ '^[a-z][a-z0-9_]*$' THEN
        RAISE EXCEPTION 'period grain must be a word in small letters, not "%"', grain
            USING ERRCODE = '22023', HINT = 'Write, for example, grain => ''window''.';
    END IF;

    INSERT INTO spm.calendar (name, is_gapless)
    VALUES (load_periods.calendar, coalesce(load_periods.is_gapless, true))
    ON CONFLICT DO NOTHING;
    SELECT * INTO this_calendar FROM spm.calendar AS c WHERE c.name = load_periods.calendar;
    IF this_calendar.is_gapless <> load_periods.is_gapless THEN
        RAISE EXCEPTION 'calendar "%" is there already, with is_gapless %', calendar, this_calendar.is_gapless
            USING ERRCODE = '22023', HINT = 'Leave is_gapless out, or load into another calendar.';
    END IF;

    EXECUTE format($sql$
        SELECT array_agg(ROW(NULL, $1, $2, coalesce(r.name, to_char(r.start, 'YYYY-MM-DD')),
            CASE WHEN r.start < r.stop THEN daterange(r.start, r.stop) END, NULL, 'open')::spm.period ORDER BY r.start)
        FROM (
            SELECT p.%I::date AS start, %s::text AS name, coalesce(%s::date + 1, lead(p.%I::date) OVER (ORDER BY p.%I), $3 + 1) AS stop
            FROM %s AS p
        ) AS r$sql$,
        start_column, coalesce(quote_ident(name_column), 'NULL'), coalesce(quote_ident(end_column), 'NULL'), start_column, start_column, relation)
        INTO loaded USING this_calendar.calendar_id, grain, last_day;

    SELECT p.name, p.span INTO wrong FROM unnest(loaded) AS p WHERE p.span IS NULL OR p.name IS NULL OR p.name = '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period "%" of % has no % ', wrong.name, relation, CASE WHEN wrong.span IS NULL THEN 'last day after its first' ELSE 'name' END
            USING ERRCODE = '22023', HINT = CASE WHEN wrong.span IS NULL AND end_column IS NULL
                THEN 'Each lasts until the next starts; say when the last one ends: last_day => ''2026-12-31''.'
                ELSE 'Correct the row, or name a view without it.' END;
    END IF;
    SELECT p.name, p.next_name, p.span, p.next_span INTO wrong
    FROM (SELECT l.name, l.span, lead(l.name) OVER w AS next_name, lead(l.span) OVER w AS next_span
          FROM (SELECT name, span FROM unnest(loaded) UNION ALL
                SELECT q.name, q.span FROM spm.period AS q WHERE q.calendar_id = this_calendar.calendar_id AND q.grain = load_periods.grain) AS l
          WINDOW w AS (ORDER BY l.span)) AS p
    WHERE p.span && p.next_span
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'periods "%" and "%" overlap', wrong.name, wrong.next_name
            USING ERRCODE = '23P01', DETAIL = format('Their days are %s and %s.', wrong.span, wrong.next_span),
                HINT = 'end_column holds the last day of a period, not the day after it.';
    END IF;

    INSERT INTO spm.period (calendar_id, grain, name, span, parent_period_id)
    SELECT p.calendar_id, p.grain, p.name, p.span, parent.period_id
    FROM unnest(loaded) AS p
    LEFT JOIN spm.period AS parent ON parent.calendar_id = p.calendar_id AND parent.grain = load_periods.parent_grain
        AND parent.span @> lower(p.span)
    ORDER BY p.span;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_periods(text, regclass, text, text, text, text, date, text, boolean) IS
'Loads periods of any length from a table or view, and returns their number. The calendar is made if it does not exist.
start_column: first day; end_column: last day, NULL for the day before the next start (last_day then ends the last one); name_column: name, NULL for the first day; grain: what to call this kind of period; parent_grain: grain of the periods in the same calendar that these are part of; is_gapless: for a new calendar, whether gaps are refused (they are by default).
Errors: 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 22023 for a period without days or name; 23P01 for two that overlap; 23505 for a name used twice; 23514 at the end of the transaction for a gap or a period that reaches beyond its parent.
Example: SELECT spm.load_periods(''campaign'', ''crm.campaign'', ''starts_on'', ''ends_on'', ''title'', is_gapless => false);';

CREATE FUNCTION spm._guard_period()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    last_event spm.period_event;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'open' THEN
            RAISE EXCEPTION 'period "%" is %', OLD.name, OLD.state
                USING ERRCODE = '55000', DETAIL = 'Only an open period can be deleted.', HINT = 'Results refer to it: keep it.';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'open' AND (OLD.span, OLD.calendar_id, OLD.grain) IS DISTINCT FROM (NEW.span, NEW.calendar_id, NEW.grain) THEN
        RAISE EXCEPTION 'period "%" is %, and its days cannot change', OLD.name, OLD.state
            USING ERRCODE = '55000', DETAIL = format('It holds for %s.', OLD.span),
                HINT = 'Results were calculated for these days.';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'posted' THEN
        SELECT * INTO last_event
        FROM spm.period_event AS e
        WHERE e.period_id = OLD.period_id
        ORDER BY e.period_event_id DESC
        LIMIT 1;
        -- reopen_period() records first and changes then, both in one transaction.
        IF NEW.state <> 'open' OR last_event.to_state IS DISTINCT FROM 'open' OR last_event.from_state <> 'posted'
            OR last_event.recorded_at < transaction_timestamp() THEN
            RAISE EXCEPTION 'period "%" is posted', OLD.name
                USING ERRCODE = '55000', DETAIL = format('It cannot become %s.', NEW.state),
                    HINT = format('What arrives late is posted as a difference in the open period. To open this one all the same: SELECT spm.reopen_period(%L, reason => ''why'');', OLD.name);
        END IF;
    ELSIF (OLD.state, NEW.state) NOT IN (('open', 'calculated'), ('calculated', 'posted')) THEN
        RAISE EXCEPTION 'period "%" cannot go from % to %', OLD.name, OLD.state, NEW.state
            USING ERRCODE = '55000', DETAIL = 'A period is open, then calculated, then posted.',
                HINT = CASE NEW.state WHEN 'posted' THEN format('Calculate it first: CALL spm.calculate(%L);', OLD.name)
                    ELSE 'Calculate it again: it stays calculated.' END;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_period() IS
    'Trigger: a period goes from open to calculated to posted, and keeps its days from calculated on. Error 55000.';
REVOKE ALL ON FUNCTION spm._guard_period() FROM PUBLIC;
CREATE TRIGGER period_guard BEFORE UPDATE OR DELETE ON spm.period
    FOR EACH ROW EXECUTE FUNCTION spm._guard_period();

CREATE FUNCTION spm._record_period_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- The guard has made sure that reopening was recorded beforehand.
    INSERT INTO spm.period_event (period_id, from_state, to_state)
    SELECT o.period_id, o.state, n.state
    FROM old_period AS o
    JOIN new_period AS n USING (period_id)
    WHERE o.state <> n.state AND o.state <> 'posted'
    ORDER BY lower(n.span), o.period_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._record_period_event() IS 'Trigger: records every change of a period''s state in spm.period_event.';
REVOKE ALL ON FUNCTION spm._record_period_event() FROM PUBLIC;
CREATE TRIGGER period_recorded AFTER UPDATE ON spm.period
    REFERENCING OLD TABLE AS old_period NEW TABLE AS new_period
    FOR EACH STATEMENT EXECUTE FUNCTION spm._record_period_event();

CREATE FUNCTION spm._refuse_change()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '55000', DETAIL = format('%s was tried.', TG_OP), HINT = 'What happened is kept as it was recorded.';
END
$$;
COMMENT ON FUNCTION spm._refuse_change() IS 'Trigger for tables that only grow. Error 55000.';
REVOKE ALL ON FUNCTION spm._refuse_change() FROM PUBLIC;
CREATE TRIGGER period_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.period_event
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE TRIGGER run_kept BEFORE DELETE OR TRUNCATE ON spm.run
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

CREATE FUNCTION spm._check_period()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    now_there spm.period;
    other spm.period;
    days daterange;
    calendar spm.calendar;
    edge date;
    before date;
    after date;
BEGIN
    -- At the end of the transaction: look at what is there now, not at what was.
    IF TG_OP <> 'DELETE' THEN
        SELECT * INTO now_there FROM spm.period AS p WHERE p.period_id = NEW.period_id;
    END IF;
    SELECT * INTO other
    FROM spm.period AS child
    WHERE child.parent_period_id = coalesce(now_there.period_id, OLD.period_id)
        AND (now_there.period_id IS NULL OR child.calendar_id <> now_there.calendar_id OR NOT child.span <@ now_there.span)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period "%" must lie within the period it is part of', other.name
            USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                DETAIL = CASE WHEN now_there.period_id IS NULL THEN format('Its parent "%s" is gone.', OLD.name)
                    ELSE format('It holds for %s, its parent "%s" for %s.', other.span, now_there.name, now_there.span) END,
                HINT = 'Change both in one transaction, or set parent_period_id to NULL.';
    END IF;
    IF now_there.parent_period_id IS NOT NULL THEN
        SELECT * INTO other FROM spm.period AS p WHERE p.period_id = now_there.parent_period_id FOR KEY SHARE;
        IF other.period_id IS NULL OR other.calendar_id <> now_there.calendar_id OR NOT now_there.span <@ other.span
            OR other.period_id = now_there.period_id THEN
            RAISE EXCEPTION 'period "%" must lie within the period it is part of', now_there.name
                USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                    DETAIL = CASE WHEN other.period_id IS NULL THEN 'Its parent does not exist.'
                        ELSE format('It holds for %s, its parent "%s" for %s.', now_there.span, other.name, other.span) END,
                    HINT = 'Correct span or parent_period_id.';
        END IF;
    END IF;

    -- A gap can only be where this period begins or ends, or where it was.
    FOREACH days IN ARRAY ARRAY[now_there.span, CASE WHEN TG_OP <> 'INSERT' THEN OLD.span END] LOOP
        CONTINUE WHEN days IS NULL;
        SELECT * INTO calendar FROM spm.calendar AS c
        WHERE c.calendar_id = CASE WHEN days = now_there.span THEN now_there.calendar_id ELSE OLD.calendar_id END;
        CONTINUE WHEN calendar.is_gapless IS NOT TRUE;
        FOREACH edge IN ARRAY ARRAY[lower(days) - 1, lower(days), upper(days)] LOOP
            CONTINUE WHEN EXISTS (
                SELECT FROM spm.period AS p
                WHERE p.calendar_id = calendar.calendar_id AND p.grain = CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END
                    AND p.span @> edge);
            SELECT max(upper(p.span)) FILTER (WHERE upper(p.span) <= edge), min(lower(p.span)) FILTER (WHERE lower(p.span) > edge)
            INTO before, after
            FROM spm.period AS p
            WHERE p.calendar_id = calendar.calendar_id AND p.grain = CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END;
            IF before IS NOT NULL AND after IS NOT NULL THEN
                RAISE EXCEPTION 'calendar "%" has a gap from % to %', calendar.name, before, after - 1
                    USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                        DETAIL = format('No period of grain %s holds these days.',
                            CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END),
                        HINT = 'Add the period, or load into a calendar with is_gapless => false.';
            END IF;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_period() IS
    'Trigger at the end of the transaction: periods of a gapless calendar follow each other, and a period lies within its parent. Error 23514.';
REVOKE ALL ON FUNCTION spm._check_period() FROM PUBLIC;
-- There is no CREATE OR REPLACE for a constraint trigger.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid OPERATOR(pg_catalog.=) 'spm.period'::pg_catalog.regclass AND tgname OPERATOR(pg_catalog.=) 'period_check') THEN
        CREATE CONSTRAINT TRIGGER period_check AFTER INSERT OR UPDATE OR DELETE ON spm.period
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spm._check_period();
    END IF;
END
$$;

CREATE FUNCTION spm.reopen_period(period text, reason text, calendar text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_period spm.period;
BEGIN
    SELECT * INTO this_period FROM spm.period AS p
    WHERE p.period_id = spm._period_id(reopen_period.period, reopen_period.calendar) FOR UPDATE;
    IF reason IS NULL OR btrim(reason) = '' THEN
        RAISE EXCEPTION 'reopening period "%" needs a reason', period
            USING ERRCODE = '22023', HINT = 'It is kept in spm.period_event: reason => ''bank returned the payment''.';
    END IF;
    IF this_period.state <> 'posted' THEN
        RAISE EXCEPTION 'period "%" is % and not posted', period, this_period.state
            USING ERRCODE = '55000', HINT = 'It can be calculated as it is.';
    END IF;
    INSERT INTO spm.period_event (period_id, from_state, to_state, reason)
    VALUES (this_period.period_id, 'posted', 'open', reopen_period.reason);
    UPDATE spm.period SET state = 'open' WHERE period_id = this_period.period_id;
END
$$;
COMMENT ON FUNCTION spm.reopen_period(text, text, text) IS
'Opens a posted period again; the only way to. Who, when and why are kept in spm.period_event. What was posted stays.
Errors: 42704 unknown period or calendar; 22023 without a reason, or when several calendars have the period; 55000 when it is not posted.
Example: SELECT spm.reopen_period(''2026-01'', reason => ''bank returned the payment file'');';
/*
 * core/functions_people.sql: payees, the seats they sit in, and the tree of seats.
 */

-- ------------------------------------------------------ payees and positions

CREATE FUNCTION spm._payee_id(payee text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT payee_id INTO found_id FROM spm.payee AS p WHERE p.payee_key = _payee_id.payee;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'payee "%" does not exist', payee
            USING ERRCODE = '42704', HINT = coalesce(
                'Keys that look like it: ' || spm._near(payee, ARRAY(SELECT payee_key FROM spm.payee)) || '.',
                format('Add the payee: SELECT spm.add_payee(%L, ''name'');', payee));
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._payee_id(text) IS 'Key of the payee with that payee_key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._payee_id(text) FROM PUBLIC;

CREATE FUNCTION spm._position_id(position_key text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT position_id INTO found_id FROM spm.position AS p WHERE p.position_key = _position_id.position_key;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'position "%" does not exist', position_key
            USING ERRCODE = '42704', HINT = coalesce(
                'Keys that look like it: ' || spm._near(position_key, ARRAY(SELECT p.position_key FROM spm.position AS p)) || '.',
                format('Add the position: SELECT spm.add_position(%L, ''name'');', position_key));
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._position_id(text) IS 'Key of the position with that position_key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._position_id(text) FROM PUBLIC;

CREATE FUNCTION spm._title_id(title text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT title_id INTO found_id FROM spm.title AS t WHERE t.name = _title_id.title;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'title "%" does not exist', title
            USING ERRCODE = '42704', HINT = coalesce(
                'Titles that look like it: ' || spm._near(title, ARRAY(SELECT t.name FROM spm.title AS t)) || '. ', '')
                || format('To add it: SELECT spm.add_title(%L);', title);
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._title_id(text) IS 'Key of the title of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._title_id(text) FROM PUBLIC;

CREATE FUNCTION spm._check_text(value text, what text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value IS NULL OR value = '' THEN
        RAISE EXCEPTION '% must not be empty', what USING ERRCODE = '22023', HINT = 'Give a text.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_text(text, text) IS 'Error 22023 for a NULL or empty text; what: its name in the error.';
REVOKE ALL ON FUNCTION spm._check_text(text, text) FROM PUBLIC;

CREATE FUNCTION spm.add_payee(payee_key text, name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(payee_key, 'payee_key'), spm._check_text(name, 'name');
    INSERT INTO spm.payee (payee_key, name) VALUES (add_payee.payee_key, add_payee.name)
    ON CONFLICT DO NOTHING RETURNING payee_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'payee "%" already exists', payee_key
            USING ERRCODE = '42710', HINT = 'Change the row in spm.payee if the name is wrong.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_payee(text, text) IS
'Adds somebody who is paid, without a seat, and returns the payee_id.
payee_key: key in the warehouse, what owner_key of a transaction holds; name: shown on statements.
Errors: 42710 when the key is taken; 22023 for an empty text.
Example: SELECT spm.add_payee(''U-17'', ''Dana Whitfield'');';

CREATE FUNCTION spm.add_title(name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(name, 'name');
    INSERT INTO spm.title (name) VALUES (add_title.name)
    ON CONFLICT DO NOTHING RETURNING title_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'title "%" already exists', name
            USING ERRCODE = '42710', HINT = 'Use it: spm.add_position(..., title => ''...'').';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_title(text) IS
'Adds a class of positions that share plans, and returns the title_id.
Errors: 42710 when the name is taken; 22023 for an empty one.
Example: SELECT spm.add_title(''Account Executive'');';

CREATE FUNCTION spm.add_position(position_key text, name text, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(position_key, 'position_key'), spm._check_text(name, 'name');
    INSERT INTO spm.position (position_key, name, title_id)
    VALUES (add_position.position_key, add_position.name,
        CASE WHEN add_position.title IS NOT NULL THEN spm._title_id(add_position.title) END)
    ON CONFLICT DO NOTHING RETURNING position_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'position "%" already exists', position_key
            USING ERRCODE = '42710', HINT = 'Change the row in spm.position if the name or the title is wrong.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_position(text, text, text) IS
'Adds a seat, vacant and reporting to nobody, and returns the position_id.
title: name of a title that exists, NULL for none.
Errors: 42710 when the key is taken; 42704 unknown title; 22023 for an empty text.
Example: SELECT spm.add_position(''AE-WEST-3'', ''West 3'', title => ''Account Executive'');';

CREATE FUNCTION spm.assign_position(position_key text, payee text, since date, until date DEFAULT NULL, is_primary boolean DEFAULT true)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    person int := spm._payee_id(payee);
    room daterange;
    other record;
BEGIN
    room := spm._make_room('spm.position_assignment', jsonb_build_object('position_id', seat)::text,
        format('the payee of position "%s"', position_key), since, until);
    IF is_primary THEN
        SELECT p.position_key, a.span INTO other
        FROM spm.position_assignment AS a
        JOIN spm.position AS p USING (position_id)
        WHERE a.payee_id = person AND a.is_primary AND a.span && room
        ORDER BY a.span
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'payee "%" already has the primary seat "%"', payee, other.position_key
                USING ERRCODE = '23P01', DETAIL = format('It is held for %s, the new one would be for %s.', other.span, room),
                    HINT = format('Leave that seat first: SELECT spm.vacate_position(%L, since => %L); or hold both: is_primary => false.',
                        other.position_key, coalesce(lower(room), '-infinity'));
        END IF;
    END IF;
    INSERT INTO spm.position_assignment (position_id, payee_id, span, is_primary)
    VALUES (seat, person, room, assign_position.is_primary);
END
$$;
COMMENT ON FUNCTION spm.assign_position(text, text, date, date, boolean) IS
'Seats a payee from a day on. Whoever sat there leaves the day before; with until, they come back then.
payee: payee_key; until: first day after, NULL for no end or until the next one who is already assigned; is_primary: whether the payee''s own transactions are credited to this seat.
Errors: 42704 unknown position or payee; 23P01 when another assignment of the seat starts the same day or before until, or when the payee has another primary seat then; 22023 when until is not after since.
Example: SELECT spm.assign_position(''AE-WEST-3'', ''U-17'', since => ''2026-02-01'');';

CREATE FUNCTION spm.vacate_position(position_key text, since date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    n bigint;
BEGIN
    UPDATE spm.position_assignment AS a SET span = daterange(lower(a.span), vacate_position.since)
    WHERE a.position_id = seat AND a.span @> vacate_position.since AND lower(a.span) IS DISTINCT FROM vacate_position.since;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        DELETE FROM spm.position_assignment AS a WHERE a.position_id = seat AND lower(a.span) = vacate_position.since;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF n = 0 THEN
        RAISE EXCEPTION 'nobody is in position "%" on %', position_key, since
            USING ERRCODE = '22023', HINT = 'Its history is in spm_bi.position_history.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.vacate_position(text, date) IS
'Whoever holds a seat on a day leaves it: their last day is the day before. An assignment that starts on that day is taken back.
Errors: 42704 unknown position; 22023 when nobody is in it.
Example: SELECT spm.vacate_position(''AE-WEST-3'', since => ''2026-05-01'');';

CREATE FUNCTION spm.set_manager(position_key text, manager text, since date, until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    above int := CASE WHEN manager IS NOT NULL THEN spm._position_id(manager) END;
    room daterange;
BEGIN
    IF seat = above THEN
        RAISE EXCEPTION 'position "%" cannot report to itself', position_key
            USING ERRCODE = '23514', HINT = 'With NULL for the manager it reports to nobody.';
    END IF;
    room := spm._make_room('spm.reporting_line', jsonb_build_object('position_id', seat)::text,
        format('the manager of position "%s"', position_key), since, until);
    IF above IS NOT NULL THEN
        INSERT INTO spm.reporting_line (position_id, manager_position_id, span) VALUES (seat, above, room);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.set_manager(text, text, date, date) IS
'Lets a seat report to another from a day on. The line it follows ends the day before; with until, it holds again then.
manager: position_key of the seat above, NULL for nobody; until: first day after, NULL for no end or until the next line.
Errors: 42704 unknown position; 23514 when it would report to itself, directly or in a circle, which is named; 23P01 when a line starts the same day or before until; 22023 when until is not after since.
Example: SELECT spm.set_manager(''AE-WEST-3'', ''VP-WEST'', since => ''2026-02-01'');';

-- Index scans whatever the planner guesses: a plan made for 20,000 lines would
-- read the whole tree for the change of one.  Not && but isempty(): that leaves
-- the b-tree of position_id, which is faster than the constraint's index.
CREATE FUNCTION spm._refresh_position_path(touched int[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_seqscan = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    circle record;
    affected int[];
BEGIN
    -- Below what changed, by the tree as it was: whoever comes in newly comes in by a line that was touched.
    affected := ARRAY(
        SELECT unnest(touched)
        UNION
        SELECT position_id FROM spm.position_path WHERE ancestor_position_id = ANY (touched));

    WITH RECURSIVE up AS (
        SELECT l.position_id, l.manager_position_id, l.span, ARRAY[l.position_id] AS trail
        FROM spm.reporting_line AS l
        WHERE l.position_id = ANY (touched)
        UNION ALL
        SELECT up.position_id, l.manager_position_id, up.span * l.span, up.trail || l.position_id
        FROM up
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND NOT isempty(up.span * l.span)
        WHERE up.manager_position_id <> ALL (up.trail)
    )
    SELECT up.trail || up.manager_position_id AS trail, coalesce(lower(up.span), upper(up.span) - 1) AS day INTO circle
    FROM up
    WHERE up.manager_position_id = up.position_id
    ORDER BY cardinality(up.trail), up.span, up.position_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'positions would report to each other in a circle'
            USING ERRCODE = '23514', CONSTRAINT = 'reporting_line_circle', TABLE = 'reporting_line',
                DETAIL = format('%s%s.',
                    (SELECT string_agg(p.position_key, ' reports to ' ORDER BY t.i)
                     FROM unnest(circle.trail) WITH ORDINALITY AS t (id, i)
                     JOIN spm.position AS p ON p.position_id = t.id),
                    coalesce(' on ' || to_char(circle.day, 'YYYY-MM-DD'), ' on every day')),
                HINT = 'End one of these lines first: SELECT spm.set_manager(position, NULL, since => day);';
    END IF;

    DELETE FROM spm.position_path WHERE position_id = ANY (affected);
    INSERT INTO spm.position_path (position_id, ancestor_position_id, depth, span)
    WITH RECURSIVE up AS (
        SELECT l.position_id, l.manager_position_id, 1 AS depth, l.span
        FROM spm.reporting_line AS l
        WHERE l.position_id = ANY (affected)
        UNION ALL
        SELECT up.position_id, l.manager_position_id, up.depth + 1, up.span * l.span
        FROM up
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND NOT isempty(up.span * l.span)
    )
    SELECT position_id, manager_position_id, depth, span FROM up;
END
$$;
COMMENT ON FUNCTION spm._refresh_position_path(int[]) IS
'Makes spm.position_path anew for the touched positions and everything below them.
Error 23514 when the lines of a touched position lead back to it; DETAIL names the circle and a day.';
REVOKE ALL ON FUNCTION spm._refresh_position_path(int[]) FROM PUBLIC;

CREATE FUNCTION spm._keep_position_path()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    touched int[];
BEGIN
    -- Two who change the tree at once could close a circle that neither of them sees.
    INSERT INTO spm.position_path_version (version) VALUES (1)
    ON CONFLICT (is_only) DO UPDATE SET version = position_path_version.version + 1;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM spm.position_path;
        RETURN NULL;
    END IF;
    EXECUTE CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT array_agg(DISTINCT position_id) FROM new_line'
        WHEN 'DELETE' THEN 'SELECT array_agg(DISTINCT position_id) FROM old_line'
        ELSE 'SELECT array_agg(DISTINCT position_id) FROM (
            (TABLE old_line EXCEPT TABLE new_line) UNION ALL (TABLE new_line EXCEPT TABLE old_line)) AS changed' END
        INTO touched;
    IF touched <> '{}' THEN
        PERFORM spm._refresh_position_path(touched);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._keep_position_path() IS 'Trigger: keeps spm.position_path in step with spm.reporting_line. Errors: 23514 for a circle, 40001 when another transaction changed the tree in between.';
REVOKE ALL ON FUNCTION spm._keep_position_path() FROM PUBLIC;
CREATE TRIGGER reporting_line_inserted AFTER INSERT ON spm.reporting_line
    REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE TRIGGER reporting_line_updated AFTER UPDATE ON spm.reporting_line
    REFERENCING OLD TABLE AS old_line NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE TRIGGER reporting_line_deleted AFTER DELETE ON spm.reporting_line
    REFERENCING OLD TABLE AS old_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE TRIGGER reporting_line_truncated AFTER TRUNCATE ON spm.reporting_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();

CREATE FUNCTION spm.rebuild_position_path()
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE spm.position_path_version SET version = version + 1;
    DELETE FROM spm.position_path;
    PERFORM spm._refresh_position_path(ARRAY(SELECT DISTINCT position_id FROM spm.reporting_line));
    RETURN (SELECT count(*) FROM spm.position_path);
END
$$;
COMMENT ON FUNCTION spm.rebuild_position_path() IS
'Makes spm.position_path anew from spm.reporting_line and returns its number of rows. Needed only after triggers were switched off, as pg_restore --disable-triggers does.
Errors: 23514 when the lines form a circle.
Example: SELECT spm.rebuild_position_path();';

CREATE FUNCTION spm.load_payees(relation regclass, key text, name text, manager text DEFAULT NULL, title text DEFAULT NULL,
    since date DEFAULT '-infinity', since_column text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    key_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric}';
    keys text[];
    names text[];
    managers text[];
    titles text[];
    starts date[];
    wrong record;
BEGIN
    PERFORM spm._column_type(relation, key, 'key', key_types, NULL),
        spm._column_type(relation, name, 'name', '{text,character varying,character,name}', NULL);
    IF manager IS NOT NULL THEN
        PERFORM spm._column_type(relation, manager, 'manager', key_types, NULL);
    END IF;
    IF title IS NOT NULL THEN
        PERFORM spm._column_type(relation, title, 'title', '{text,character varying,character,name}', NULL);
    END IF;
    IF since_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, since_column, 'since_column', '{date,timestamp without time zone}', NULL);
    END IF;

    -- One reading of the relation: what follows sees the same rows throughout.
    EXECUTE format('SELECT array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')),
            array_agg(nullif(greatest($1, %s::date), ''-infinity'')) FROM %s',
        quote_ident(key), quote_ident(name), coalesce(quote_ident(manager), 'NULL'), coalesce(quote_ident(title), 'NULL'),
        coalesce(quote_ident(since_column), 'NULL'), relation)
        INTO keys, names, managers, titles, starts USING since;

    SELECT u.key, u.name INTO wrong FROM unnest(keys, names) AS u (key, name) WHERE u.key IS NULL OR u.name IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a payee in % has no %', relation, CASE WHEN wrong.key IS NULL THEN 'key' ELSE 'name' END
            USING ERRCODE = '23502', DETAIL = format('It is %s.', coalesce(quote_literal(wrong.key), quote_literal(wrong.name), 'an empty row')),
                HINT = 'Correct the row, or name a view without it.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys) AS u (key) GROUP BY u.key HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payee "%" is in % more than once', wrong.key, relation
            USING ERRCODE = '23505', HINT = 'Name a view with one row per payee. Changes over time: spm.set_manager() and spm.assign_position().';
    END IF;
    SELECT u.key, u.manager INTO wrong
    FROM unnest(keys, managers) AS u (key, manager)
    WHERE u.manager IS NOT NULL
        AND NOT EXISTS (SELECT FROM unnest(keys) AS k (key) WHERE k.key = u.manager)
        AND NOT EXISTS (SELECT FROM spm.position AS p WHERE p.position_key = u.manager)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'manager "%" of payee "%" does not exist', wrong.manager, wrong.key
            USING ERRCODE = '23503', HINT = 'Add the manager to the relation, or leave the column empty.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys, managers) AS u (key, manager) WHERE u.key = u.manager LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" cannot report to itself', wrong.key
            USING ERRCODE = '23514', HINT = format('Name a view with nullif(%I, %I) for the manager.', manager, key);
    END IF;

    INSERT INTO spm.title (name)
    SELECT DISTINCT u.title FROM unnest(titles) AS u (title) WHERE u.title IS NOT NULL ORDER BY 1
    ON CONFLICT DO NOTHING;
    INSERT INTO spm.payee AS p (payee_key, name)
    SELECT u.key, u.name FROM unnest(keys, names) WITH ORDINALITY AS u (key, name, i) ORDER BY u.key COLLATE "C"
    ON CONFLICT (payee_key) DO UPDATE SET name = EXCLUDED.name WHERE p.name <> EXCLUDED.name;
    INSERT INTO spm.position AS p (position_key, name, title_id)
    SELECT u.key, u.name, t.title_id
    FROM unnest(keys, names, titles) AS u (key, name, title)
    LEFT JOIN spm.title AS t ON t.name = u.title
    ORDER BY u.key COLLATE "C"
    ON CONFLICT (position_key) DO UPDATE SET title_id = EXCLUDED.title_id
        WHERE load_payees.title IS NOT NULL AND p.title_id IS DISTINCT FROM EXCLUDED.title_id;

    INSERT INTO spm.position_assignment (position_id, payee_id, span)
    SELECT s.position_id, p.payee_id, daterange(u.start, NULL)
    FROM unnest(keys, starts) AS u (key, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.payee AS p ON p.payee_key = u.key
    WHERE NOT EXISTS (
            SELECT FROM spm.position_assignment AS a WHERE a.position_id = s.position_id AND a.span && daterange(u.start, NULL))
        AND NOT EXISTS (
            SELECT FROM spm.position_assignment AS a WHERE a.payee_id = p.payee_id AND a.is_primary AND a.span && daterange(u.start, NULL))
    ORDER BY s.position_id;

    IF manager IS NULL THEN
        RETURN coalesce(cardinality(keys), 0);
    END IF;
    SELECT u.key, l.span, m.position_key INTO wrong
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.reporting_line AS l ON l.position_id = s.position_id
    JOIN spm.position AS m ON m.position_id = l.manager_position_id
    WHERE l.span && daterange(u.start, NULL) AND m.position_key IS DISTINCT FROM u.manager
        AND (u.start IS NULL OR lower(l.span) >= u.start)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" already reports to "%"', wrong.key, wrong.position_key
            USING ERRCODE = '23P01', DETAIL = format('That line holds for %s.', wrong.span),
                HINT = 'Say from which day the relation holds, later than that: since => ''2026-03-01''.';
    END IF;
    UPDATE spm.reporting_line AS l SET span = daterange(lower(l.span), u.start)
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    LEFT JOIN spm.position AS m ON m.position_key = u.manager
    WHERE l.position_id = s.position_id AND l.span @> u.start AND l.manager_position_id IS DISTINCT FROM m.position_id;
    INSERT INTO spm.reporting_line (position_id, manager_position_id, span)
    SELECT s.position_id, m.position_id, daterange(u.start, NULL)
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.position AS m ON m.position_key = u.manager
    WHERE NOT EXISTS (SELECT FROM spm.reporting_line AS l WHERE l.position_id = s.position_id AND l.span && daterange(u.start, NULL))
    ORDER BY s.position_id;
    RETURN coalesce(cardinality(keys), 0);
END
$$;
COMMENT ON FUNCTION spm.load_payees(regclass, text, text, text, text, date, text) IS
'Makes everybody in a table or view a payee in a seat of their own, and returns the number of rows. Keys of payee and seat are the same.
key, name: columns; manager: column with the key of the manager; title: column with the title, which is added if new; since: day from which seats and lines hold, -infinity for always; since_column: column with a day of one''s own, where that is later.
It can be run again, every night: who is new is added, names and titles follow, and a manager who has changed counts from since on (then give it: since => current_date). Who is gone stays, with spm.vacate_position() to call.
Errors: 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 23502 without key or name; 23505 for a key that is there twice; 23503 unknown manager; 23514 for a circle; 23P01 when another line starts on or after since.
Example: SELECT spm.load_payees(''crm.users'', key => ''id'', name => ''name'', manager => ''manager_id'');';
/*
 * core/stages.sql: source -> transaction.  Warehouse relations are mapped, and
 * the view spm.transaction shows the rows of all of them; nothing is copied.
 *
 * The two views are made here and not by the extension's script, because they
 * are the user's: pg_dump keeps them with the rest of the database.
 */

CREATE FUNCTION spm._source_argument()
    RETURNS TABLE (argument text, name text, accepted text[])
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT a.argument, a.name, CASE a.kind
            WHEN 'label' THEN '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}'::text[]
            WHEN 'day' THEN '{date,timestamp without time zone,timestamp with time zone}'
            WHEN 'word' THEN '{text,character varying,character,name,enum}'
            ELSE '{numeric,integer,bigint,smallint}' END
        FROM (VALUES
            ('key', 'transaction_key', 'label'), ('date', 'event_date', 'day'), ('owner', 'owner_key', 'label'),
            ('amount', 'amount', 'number'), ('line', 'line', 'label'), ('type', 'type', 'word'),
            ('account', 'account_key', 'label'), ('product', 'product_key', 'label'), ('quantity', 'quantity', 'number'),
            ('cost', 'cost', 'number'), ('list_amount', 'list_amount', 'number'), ('currency', 'currency_code', 'word')
        ) AS a (argument, name, kind);
    END;
COMMENT ON FUNCTION spm._source_argument() IS
    'Arguments of spm.map_source() that name columns: the column of spm.transaction that each fills, and the types it takes.';
REVOKE ALL ON FUNCTION spm._source_argument() FROM PUBLIC;

CREATE FUNCTION spm._check_relation(relation regclass)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    class record;
BEGIN
    SELECT relkind, relpersistence INTO class FROM pg_catalog.pg_class WHERE oid = _check_relation.relation;
    IF class IS NULL OR class.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '% cannot be a source', coalesce(relation::text, 'NULL')
            USING ERRCODE = '42809', HINT = 'Name a table, partitioned table, foreign table, view or materialized view.';
    ELSIF class.relpersistence = 't' THEN
        RAISE EXCEPTION 'temporary relation % cannot be a source', relation
            USING ERRCODE = '42809', HINT = 'It would be gone with the session; name one that stays.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_relation(regclass) IS 'Error 42809 for what cannot be a source: not a table or view, or temporary.';
REVOKE ALL ON FUNCTION spm._check_relation(regclass) FROM PUBLIC;

CREATE FUNCTION spm._type_name(relation regclass, column_name text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN (
        SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = _type_name.relation AND attname = _type_name.column_name AND attnum > 0 AND NOT attisdropped);
END
$$;
COMMENT ON FUNCTION spm._type_name(regclass, text) IS 'Type of a column, qualified unless it is built in, without its modifier; NULL when there is no such column.';
REVOKE ALL ON FUNCTION spm._type_name(regclass, text) FROM PUBLIC;

CREATE FUNCTION spm._source_expression(source spm.source, name text, alias text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    type text := (
        SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.transaction_row'::regclass AND attname = _source_expression.name);
    mapped record;
    expression text;
BEGIN
    IF name = 'source' THEN
        RETURN format('%L::text', source.name);
    ELSIF name = 'attributes' THEN
        RETURN coalesce((
            SELECT format('jsonb_build_object(%s)', string_agg(format('%L, %s%I', substr(c.name, 12), alias, c.column_name), ', ' ORDER BY c.name COLLATE "C"))
            FROM spm.source_column AS c
            WHERE c.source_id = source.source_id AND c.name LIKE 'attributes.%'
            HAVING count(*) > 0), '''{}''::jsonb');
    END IF;
    SELECT format('%s%I', alias, c.column_name) AS reference, c.column_type, a.attcollation INTO mapped
    FROM spm.source_column AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = to_regclass(format('%I.%I', source.relation_schema, source.relation_name))
        AND a.attname = c.column_name
    WHERE c.source_id = source.source_id AND c.name = _source_expression.name;
    IF NOT FOUND THEN
        RETURN CASE name WHEN 'line' THEN '''''::text'
            WHEN 'type' THEN format('%L::text', source.fixed_type)
            WHEN 'currency_code' THEN format('%L::text', source.fixed_currency_code)
            ELSE 'NULL::' || type END;
    END IF;

    -- A column that is of the type already stays bare: its indexes then serve the
    -- view.  Only numeric loses its digits, or the view's type would be the first source's.
    expression := CASE
        WHEN mapped.column_type = type AND type <> 'numeric' THEN mapped.reference
        WHEN type = 'date' AND mapped.column_type = 'timestamp with time zone'
            THEN format('(%s AT TIME ZONE %L)::date', mapped.reference, source.time_zone)
        ELSE format('%s::%s', mapped.reference, type) END;
    IF type = 'text' AND mapped.attcollation NOT IN (0, '"default"'::regcollation) THEN
        expression := format('(%s) COLLATE "default"', expression);
    END IF;
    RETURN CASE name WHEN 'line' THEN format('coalesce(%s, '''')', expression) ELSE expression END;
END
$$;
COMMENT ON FUNCTION spm._source_expression(spm.source, text, text) IS
    'What a source gives for a column of spm.transaction, as SQL over its relation; alias: prefix of its columns, such as t. or nothing.';
REVOKE ALL ON FUNCTION spm._source_expression(spm.source, text, text) FROM PUBLIC;

CREATE FUNCTION spm._map_source_call(source spm.source)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN format('SELECT spm.map_source(%L, %L', source.name, format('%I.%I', source.relation_schema, source.relation_name))
        || (SELECT string_agg(format(', %s => %L', a.argument, c.column_name), '' ORDER BY a.place)
            FROM spm._source_argument() WITH ORDINALITY AS a (argument, name, accepted, place)
            LEFT JOIN spm.source_column AS c ON c.source_id = source.source_id AND c.name = a.name
            WHERE c.name IS NOT NULL OR a.argument = 'owner')
        || coalesce(', fixed_type => ' || quote_literal(source.fixed_type), '')
        || coalesce(', fixed_currency => ' || quote_literal(source.fixed_currency_code), '')
        || coalesce((SELECT format(', attributes => %L', array_agg(c.column_name ORDER BY c.name)) FROM spm.source_column AS c
            WHERE c.source_id = source.source_id AND c.name LIKE 'attributes.%' HAVING count(*) > 0), '')
        || coalesce(', filter => ' || quote_literal(source.filter), '')
        || CASE WHEN source.time_zone <> 'UTC' THEN format(', time_zone => %L', source.time_zone) ELSE '' END
        || ');';
END
$$;
COMMENT ON FUNCTION spm._map_source_call(spm.source) IS 'The call of spm.map_source() that maps a source as it is mapped.';
REVOKE ALL ON FUNCTION spm._map_source_call(spm.source) FROM PUBLIC;

CREATE FUNCTION spm._source_problem()
    RETURNS TABLE (source text, code text, problem text, detail text, repair text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH mapping AS (
        SELECT s.name, s AS source, spm._map_source_call(s) AS repair, 'spm.transaction' AS view,
            format('%I.%I', s.relation_schema, s.relation_name) AS relation,
            to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) AS oid
        FROM spm.source AS s
        UNION ALL
        SELECT s.name, s, format('SELECT spm.map_split(%L, %L, key => %L, owner => %L, share => %L%s, share_unit => %L);', s.name,
                format('%I.%I', p.relation_schema, p.relation_name), p.key_column, p.owner_column, p.share_column,
                coalesce(', line => ' || quote_literal(p.line_column), ''), p.share_unit), 'spm.transaction_split',
            format('%I.%I', p.relation_schema, p.relation_name),
            to_regclass(format('%I.%I', p.relation_schema, p.relation_name))
        FROM spm.split_source AS p
        JOIN spm.source AS s USING (source_id)
    ), mapped AS (
        SELECT m.*, coalesce(a.argument, c.name) AS argument, c.column_name, c.column_type
        FROM mapping AS m
        JOIN spm.source_column AS c ON c.source_id = (m.source).source_id
        LEFT JOIN spm._source_argument() AS a ON a.name = c.name
        WHERE m.view = 'spm.transaction' AND m.oid IS NOT NULL
        UNION ALL
        SELECT m.*, c.argument, c.column_name, NULL
        FROM mapping AS m
        JOIN spm.split_source AS p ON p.source_id = (m.source).source_id
        CROSS JOIN LATERAL (VALUES ('key', p.key_column), ('owner', p.owner_column), ('share', p.share_column), ('line', p.line_column))
            AS c (argument, column_name)
        WHERE m.view = 'spm.transaction_split' AND m.oid IS NOT NULL AND c.column_name IS NOT NULL
    ), problem AS (
        SELECT m.name, 1 AS place, '42P01' AS code, format('relation %s of source "%s" does not exist', m.relation, m.name) AS problem,
            'It was dropped, renamed or moved to another schema after it was mapped.' AS detail, m.repair
        FROM mapping AS m WHERE m.oid IS NULL
        UNION ALL
        SELECT m.name, 2, '42703', format('column "%s" of %s does not exist', m.column_name, m.relation),
            format('Source "%s" takes it for %s. It was dropped or renamed after it was mapped.', m.name, m.argument), m.repair
        FROM mapped AS m WHERE spm._type_name(m.oid, m.column_name) IS NULL
        UNION ALL
        SELECT m.name, 3, '42804', format('column "%s" of %s has become %s', m.column_name, m.relation, spm._type_name(m.oid, m.column_name)),
            format('Source "%s" took it for %s when it was %s.', m.name, m.argument, m.column_type), m.repair
        FROM mapped AS m WHERE spm._type_name(m.oid, m.column_name) <> m.column_type
        UNION ALL
        SELECT m.name, 4, '42501', format('you may not read column "%s" of %s', m.column_name, m.relation),
            format('Source "%s" takes it for %s.', m.name, m.argument), format('GRANT SELECT ON %s TO %I;', m.relation, current_user)
        FROM mapped AS m
        WHERE CASE WHEN spm._type_name(m.oid, m.column_name) IS NOT NULL THEN NOT has_column_privilege(m.oid, m.column_name, 'SELECT') END
        UNION ALL
        SELECT m.name, 5, '55000', format('source "%s" is missing from %s', m.name, m.view),
            format('The view does not read %s.', m.relation), m.repair
        FROM mapping AS m
        WHERE m.oid IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_rewrite AS r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = m.oid AND r.ev_class = to_regclass(m.view))
    )
    SELECT p.name, p.code, p.problem, p.detail, p.repair FROM problem AS p ORDER BY p.name, p.place, p.problem;
END
$$;
COMMENT ON FUNCTION spm._source_problem() IS
    'What is wrong with mapped sources today, for whoever asks: a relation, column or right that is gone, a type that has changed; with the call that mends it.';
REVOKE ALL ON FUNCTION spm._source_problem() FROM PUBLIC;

CREATE FUNCTION spm._check_sources()
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first record;
BEGIN
    SELECT * INTO first FROM spm._source_problem() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', first.problem
            USING ERRCODE = first.code, DETAIL = first.detail,
                HINT = CASE WHEN first.repair LIKE 'GRANT%' THEN 'Let its owner run: ' || first.repair
                    ELSE 'Map it as it is now: ' || first.repair END;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_sources() IS
'Checks every mapped source again before it is used.
Errors: 42P01 relation gone, 42703 column gone, 42804 type changed, 42501 not readable, 55000 missing from the view; the hint has the call that maps it anew.';
REVOKE ALL ON FUNCTION spm._check_sources() FROM PUBLIC;

-- One branch a source.  The last branch of each view has no rows: it ties the
-- view to the extension, so that dropping that says what else would go.
CREATE FUNCTION spm._transaction_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %s\nFROM %s AS t%s\nUNION ALL\n', b.columns, b.relation, E'\nWHERE ' || b.filter), '' ORDER BY b.source_id)
        FROM (
            SELECT s.source_id, format('%I.%I', s.relation_schema, s.relation_name) AS relation, s.filter,
                string_agg(format('%s AS %I', spm._source_expression(s, a.attname, 't.'), a.attname), E',\n    ' ORDER BY a.attnum) AS columns
            FROM spm.source AS s, pg_catalog.pg_attribute AS a
            WHERE a.attrelid = 'spm.transaction_row'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND s.name <> ALL (broken)
            GROUP BY s.source_id
        ) AS b), 'SELECT (NULL::spm.transaction_row).* WHERE false');
END
$$;
COMMENT ON FUNCTION spm._transaction_query(text[]) IS 'The query of the view spm.transaction, without the broken sources.';
REVOKE ALL ON FUNCTION spm._transaction_query(text[]) FROM PUBLIC;

CREATE FUNCTION spm._split_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %L::text AS source, t.%I::text AS transaction_key, %s::text AS line, t.%I::text AS owner_key, %s AS share\nFROM %I.%I AS t\nUNION ALL\n',
            s.name, p.key_column, coalesce('t.' || quote_ident(p.line_column), 'NULL'), p.owner_column,
            CASE p.share_unit WHEN 'percent' THEN format('t.%I * 0.01', p.share_column) ELSE format('t.%I::numeric', p.share_column) END,
            p.relation_schema, p.relation_name), '' ORDER BY s.source_id)
        FROM spm.split_source AS p
        JOIN spm.source AS s USING (source_id)
        WHERE s.name <> ALL (broken)),
        'SELECT r.source, r.transaction_key, r.line, r.owner_key, r.amount AS share FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false');
END
$$;
COMMENT ON FUNCTION spm._split_query(text[]) IS 'The query of the view spm.transaction_split, without the broken splits.';
REVOKE ALL ON FUNCTION spm._split_query(text[]) FROM PUBLIC;

CREATE FUNCTION spm.rebuild_transaction_views()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    broken text[] := '{}';
    broken_splits text[] := '{}';
    wrong record;
    described record;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.source) THEN
        EXECUTE 'DROP VIEW IF EXISTS spm.transaction, spm.transaction_split';
        RETURN;
    END IF;
    FOR wrong IN SELECT * FROM spm._source_problem() WHERE code IN ('42P01', '42703', '42804') LOOP
        RAISE WARNING 'source "%" is left out: %', wrong.source, wrong.problem
            USING ERRCODE = wrong.code, HINT = 'Map it as it is now: ' || wrong.repair;
        IF wrong.repair LIKE '%map_split%' THEN
            broken_splits := broken_splits || wrong.source;
        ELSE
            broken := broken || wrong.source;
        END IF;
    END LOOP;

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction WITH (security_invoker = true) AS %s', spm._transaction_query(broken));
    COMMENT ON VIEW spm.transaction IS
        'One row per transaction line of every mapped source, read from the warehouse as it is now. Made by spm.map_source().';
    FOR described IN
        SELECT attname, col_description(attrelid, attnum) AS description FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.transaction_row'::regclass AND attnum > 0 AND NOT attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN spm.transaction.%I IS %L', described.attname, described.description);
    END LOOP;

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction_split WITH (security_invoker = true) AS %s', spm._split_query(broken_splits));
    COMMENT ON VIEW spm.transaction_split IS
        'One row per transaction (or line) and sharer, where the warehouse says who shares. Made by spm.map_split().';
    COMMENT ON COLUMN spm.transaction_split.source IS 'Source of the transaction.';
    COMMENT ON COLUMN spm.transaction_split.transaction_key IS 'Key of the transaction.';
    COMMENT ON COLUMN spm.transaction_split.line IS 'Its line; NULL when the split holds for all lines.';
    COMMENT ON COLUMN spm.transaction_split.owner_key IS 'payee_key of the sharer.';
    COMMENT ON COLUMN spm.transaction_split.share IS 'Share as a ratio; those of a transaction total 1.';
    -- Whoever maps a view that reads spm.transaction learns it now.
    EXECUTE format('SELECT FROM %s LIMIT 0', to_regclass('spm.transaction'));
END
$$;
COMMENT ON FUNCTION spm.rebuild_transaction_views() IS
'Makes the views spm.transaction and spm.transaction_split anew from the mapped sources; without any, drops them. spm.map_source() and the like do it by themselves.
A source whose relation or column is gone is left out with a warning; what uses sources refuses to run until it is mapped again.
Errors: 2BP01 when something depends on a view that is to be dropped; 42501 for other than the owner of the views.
Example: SELECT spm.rebuild_transaction_views();';

CREATE FUNCTION spm.map_source(name text, relation regclass, key text, date text, owner text, amount text,
    line text DEFAULT NULL, type text DEFAULT NULL, account text DEFAULT NULL, product text DEFAULT NULL, quantity text DEFAULT NULL,
    cost text DEFAULT NULL, list_amount text DEFAULT NULL, currency text DEFAULT NULL,
    fixed_type text DEFAULT NULL, fixed_currency text DEFAULT NULL, attributes text[] DEFAULT '{}', filter text DEFAULT NULL,
    time_zone text DEFAULT 'UTC')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    given constant jsonb := jsonb_build_object('key', key, 'date', date, 'owner', owner, 'amount', amount, 'line', line,
        'type', type, 'account', account, 'product', product, 'quantity', quantity, 'cost', cost, 'list_amount', list_amount,
        'currency', currency);
    attribute_types constant text[] := '{text,character varying,character,name,uuid,boolean,integer,bigint,smallint,numeric,date,timestamp without time zone,json,jsonb,enum}';
    checked_filter text;
    attribute text;
    this_id int;
BEGIN
    PERFORM spm._check_text(name, 'name'), spm._check_text(key, 'key'), spm._check_text(date, 'date'),
        spm._check_text(amount, 'amount'), spm._check_relation(relation);
    IF type IS NOT NULL AND fixed_type IS NOT NULL THEN
        RAISE EXCEPTION 'give type or fixed_type, not both' USING ERRCODE = '22023',
            HINT = 'type names a column; fixed_type is the type of all rows.';
    END IF;
    IF (currency IS NULL) = (fixed_currency IS NULL) THEN
        RAISE EXCEPTION 'give either currency or fixed_currency' USING ERRCODE = '22023',
            DETAIL = format('%s was given.', CASE WHEN currency IS NULL THEN 'Neither' ELSE 'Each' END),
            HINT = 'currency names a column with ISO codes; fixed_currency is the currency of all rows, such as USD.';
    END IF;
    IF fixed_currency IS NOT NULL THEN
        PERFORM spm._check_currency(fixed_currency);
    END IF;
    IF time_zone IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = map_source.time_zone) THEN
        RAISE EXCEPTION 'time zone "%" does not exist', time_zone
            USING ERRCODE = '22023', HINT = 'Use a name from pg_timezone_names, such as Europe/Berlin.';
    END IF;
    PERFORM spm._column_type(map_source.relation, given ->> a.argument, a.argument, a.accepted, CASE
        WHEN a.argument = 'date' THEN format('Name a view with %I::date instead of the table.', date) END)
    FROM spm._source_argument() AS a
    WHERE given ->> a.argument IS NOT NULL;
    FOREACH attribute IN ARRAY coalesce(attributes, '{}') LOOP
        PERFORM spm._column_type(relation, attribute, 'attributes', attribute_types, NULL);
    END LOOP;
    IF filter IS NOT NULL THEN
        checked_filter := spm.checked_expression(filter, 'boolean', relation);
    END IF;

    -- Two who map at once: the second must see the first's source when it makes the view.
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.source (name, relation_schema, relation_name, filter, fixed_type, fixed_currency_code, time_zone)
    SELECT map_source.name, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, checked_filter,
        CASE WHEN map_source.type IS NULL THEN coalesce(map_source.fixed_type, 'booking') END, map_source.fixed_currency, map_source.time_zone
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_source.relation
    ON CONFLICT (name) DO UPDATE SET relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name,
        filter = EXCLUDED.filter, fixed_type = EXCLUDED.fixed_type, fixed_currency_code = EXCLUDED.fixed_currency_code,
        time_zone = EXCLUDED.time_zone
    RETURNING source_id INTO this_id;
    DELETE FROM spm.source_column WHERE source_id = this_id;
    INSERT INTO spm.source_column (source_id, name, column_name, column_type)
    SELECT this_id, c.name, c.column_name, spm._type_name(map_source.relation, c.column_name)
    FROM (
        SELECT a.name, given ->> a.argument AS column_name FROM spm._source_argument() AS a
        UNION
        SELECT 'attributes.' || u.column_name, u.column_name FROM unnest(map_source.attributes) AS u (column_name)
    ) AS c
    WHERE c.column_name IS NOT NULL;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_source(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text[], text, text) IS
'Maps a warehouse relation: its rows become transactions in the view spm.transaction. Nothing is copied. Under a name that exists the mapping is replaced.
name: of the source; relation: table, view, materialized, partitioned or foreign table. Names of its columns: key (of the transaction; with line unique), date (date or timestamp; one with time zone is taken in time_zone), owner (payee_key, or NULL), amount, line, type, account, product, quantity, cost, list_amount, currency.
fixed_type: type of all rows without a type column, booking unless said otherwise; fixed_currency: currency of all rows without a currency column; attributes: further columns, for expressions as attributes->>''name''; filter: SQL condition over the relation''s columns for the rows that count.
Errors: 42809 not a table or view; 42703 no such column; 42804 a type that does not fit (amounts are numeric or integer, never floating point); 42501 not readable; 22023 currency or time zone missing or unknown; 42704 fixed_currency unknown; those of spm.checked_expression() for the filter.
Example: SELECT spm.map_source(''orders'', ''crm.deal'', key => ''deal_id'', date => ''closed_on'', owner => ''owner_id'', amount => ''amount'', currency => ''currency'', filter => $$stage = ''won''$$);';

CREATE FUNCTION spm._source_named(source text)
    RETURNS spm.source
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source;
BEGIN
    SELECT s.* INTO this_source FROM spm.source AS s WHERE s.name = _source_named.source;
    IF this_source.source_id IS NULL THEN
        RAISE EXCEPTION 'source "%" does not exist', source
            USING ERRCODE = '42704', HINT = coalesce(
                'Sources are: ' || (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.source AS s) || '.',
                'There is none yet: SELECT spm.map_source(...);');
    END IF;
    RETURN this_source;
END
$$;
COMMENT ON FUNCTION spm._source_named(text) IS 'The source of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._source_named(text) FROM PUBLIC;

CREATE FUNCTION spm.unmap_source(name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(name);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.source WHERE source_id = this_source.source_id;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_source(text) IS
'Takes a source and its split out of spm.transaction; with the last one the view goes. What was calculated from it stays.
Errors: 42704 unknown source; 2BP01 when something depends on the view.
Example: SELECT spm.unmap_source(''orders'');';

CREATE FUNCTION spm.map_split(source text, relation regclass, key text, owner text, share text,
    line text DEFAULT NULL, share_unit text DEFAULT 'ratio')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    this_source spm.source := spm._source_named(source);
BEGIN
    PERFORM spm._check_relation(relation),
        spm._column_type(relation, key, 'key', label_types, NULL),
        spm._column_type(relation, owner, 'owner', label_types, NULL),
        spm._column_type(relation, share, 'share', '{numeric,integer,bigint,smallint}', NULL);
    IF line IS NOT NULL THEN
        PERFORM spm._column_type(relation, line, 'line', label_types, NULL);
    END IF;
    IF share_unit IS NULL OR share_unit NOT IN ('ratio', 'percent') THEN
        RAISE EXCEPTION 'share_unit must be ratio or percent, not "%"', share_unit
            USING ERRCODE = '22023', HINT = 'ratio: the shares of a transaction total 1; percent: 100.';
    END IF;
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.split_source WHERE source_id = this_source.source_id;
    INSERT INTO spm.split_source (source_id, relation_schema, relation_name, key_column, line_column, owner_column, share_column, share_unit)
    SELECT this_source.source_id, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, map_split.key, map_split.line, map_split.owner,
        map_split.share, map_split.share_unit
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_split.relation;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_split(text, regclass, text, text, text, text, text) IS
'Maps a relation that says who shares in the transactions of a source: its rows are in the view spm.transaction_split. A second call for the source replaces the first.
source: name of a mapped source; names of columns: key (of the transaction), owner (payee_key), share, line (NULL, or NULL in a row: for all lines); share_unit: ratio, shares total 1, or percent, they total 100.
Errors: 42704 unknown source; 42809, 42703, 42804, 42501 as for spm.map_source(); 22023 unknown share_unit.
Example: SELECT spm.map_split(''orders'', ''crm.deal_split'', key => ''deal_id'', owner => ''user_id'', share => ''percentage'', share_unit => ''percent'');';

CREATE FUNCTION spm.unmap_split(source text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(source);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.split_source WHERE source_id = this_source.source_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'source "%" has no split', source USING ERRCODE = '42704', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_split(text) IS
'Takes the split of a source away: its transactions belong to their owners alone.
Errors: 42704 for an unknown source or one without a split.
Example: SELECT spm.unmap_split(''orders'');';

CREATE FUNCTION spm.source_index(name text)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(name);
    this_relation regclass := to_regclass(format('%I.%I', this_source.relation_schema, this_source.relation_name));
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = this_relation AND c.relkind IN ('r', 'p', 'm')) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT format('CREATE INDEX IF NOT EXISTS %I ON %s ((%s));', left(format('spm_%s_%s', this_source.name, c.name), 63),
        this_relation, spm._source_expression(this_source, c.name, ''))
    FROM spm.source_column AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = this_relation AND a.attname = c.column_name
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE c.source_id = this_source.source_id AND c.name IN ('event_date', 'transaction_key', 'owner_key')
        -- how an enum is written is not immutable, so it cannot be indexed
        AND t.typtype <> 'e'
        AND NOT (spm._source_expression(this_source, c.name, '') = quote_ident(c.column_name) AND EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = this_relation AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid))
    ORDER BY array_position('{event_date,transaction_key,owner_key}', c.name);
END
$$;
COMMENT ON FUNCTION spm.source_index(text) IS
'Statements that make the indexes with which a filter on event_date, transaction_key or owner_key of spm.transaction finds the rows of a source. None for columns that have one already, and none for views and foreign tables.
Errors: 42704 unknown source.
Example: SELECT * FROM spm.source_index(''orders'') \gexec';

CREATE FUNCTION spm.doctor()
    RETURNS TABLE (what text, severity text, detail text, repair text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    sources_are_sound boolean := NOT EXISTS (SELECT FROM spm._source_problem());
BEGIN
    RETURN QUERY
    SELECT 'source', 'error', format('%s. %s', p.problem, p.detail), p.repair FROM spm._source_problem() AS p
    UNION ALL
    SELECT 'source', 'info', 'No source of transactions is mapped.', 'SELECT spm.map_source(...);'
    WHERE NOT EXISTS (SELECT FROM spm.source);

    RETURN QUERY
    SELECT 'calendar', 'info', 'There is no calendar.',
        format('SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''%s-01-01'', until => ''%s-01-01'');',
            extract(year FROM current_date), extract(year FROM current_date) + 2)
    WHERE NOT EXISTS (SELECT FROM spm.calendar)
    UNION ALL
    -- within a month there should be a period to come
    SELECT 'calendar', 'warning', format('Calendar "%s" ends on %s.', c.name, max(upper(p.span)) - 1),
        CASE WHEN c.scheme IS NULL THEN format('SELECT spm.load_periods(%L, ...);', c.name)
            ELSE format('SELECT spm.extend_calendar(%L, until => %L);', c.name, CASE
                WHEN c.scheme = 'week' THEN max(upper(p.span)) + 364
                WHEN c.scheme ~ '-' THEN (
                    SELECT min(e.day) FROM generate_series(0, 2) AS i,
                        LATERAL (SELECT spm._retail_year_end(c.year_end, extract(year FROM max(upper(p.span)))::int + i) + 1) AS e (day)
                    WHERE e.day > max(upper(p.span)))
                ELSE (max(upper(p.span)) + interval '1 year')::date END) END
    FROM spm.calendar AS c
    JOIN spm.period AS p USING (calendar_id)
    GROUP BY c.calendar_id
    HAVING max(upper(p.span)) BETWEEN current_date - 366 AND current_date + 31
    UNION ALL
    SELECT 'calendar', 'info', format('Calendar "%s" has no period of grain %s from %s to %s.', g.name, g.grain, g.until, g.since - 1),
        'Add the period if days are missing by mistake: INSERT INTO spm.period ...'
    FROM (
        SELECT c.name, p.grain, lag(upper(p.span)) OVER (PARTITION BY p.calendar_id, p.grain ORDER BY p.span) AS until, lower(p.span) AS since
        FROM spm.period AS p
        JOIN spm.calendar AS c USING (calendar_id)
    ) AS g
    WHERE g.until < g.since;

    RETURN QUERY
    SELECT 'payee', 'warning', format('%s payee(s) hold no seat today: %s.', count(*), string_agg(f.payee_key, ', ' ORDER BY f.payee_key) FILTER (WHERE f.place <= 5)),
        format('SELECT spm.assign_position(position, %L, since => %L);', min(f.payee_key), current_date)
    FROM (
        SELECT y.payee_key, row_number() OVER (ORDER BY y.payee_key) AS place FROM spm.payee AS y
        WHERE NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.payee_id = y.payee_id AND a.span @> current_date)
            -- whoever has left is no loss
            AND NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.payee_id = y.payee_id AND a.span << daterange(current_date, NULL))
    ) AS f
    HAVING count(*) > 0
    UNION ALL
    SELECT 'position', 'info', format('%s seat(s) are vacant today: %s.', count(*), string_agg(f.position_key, ', ' ORDER BY f.position_key) FILTER (WHERE f.place <= 5)),
        format('SELECT spm.assign_position(%L, payee, since => %L);', min(f.position_key), current_date)
    FROM (
        SELECT s.position_key, row_number() OVER (ORDER BY s.position_key) AS place FROM spm.position AS s
        WHERE NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.position_id = s.position_id AND a.span @> current_date)
    ) AS f
    HAVING count(*) > 0
    UNION ALL
    SELECT 'hierarchy', 'error', 'spm.position_path does not follow spm.reporting_line: triggers were switched off.', 'SELECT spm.rebuild_position_path();'
    WHERE EXISTS (
        SELECT FROM spm.reporting_line AS l
        LEFT JOIN spm.position_path AS x ON x.position_id = l.position_id AND x.ancestor_position_id = l.manager_position_id AND x.span = l.span AND x.depth = 1
        WHERE x.position_id IS NULL);

    IF sources_are_sound AND to_regclass('spm.transaction') IS NOT NULL THEN
        RETURN QUERY EXECUTE format($sql$
            SELECT p.what, 'error', p.detail, coalesce(p.repair, 'Correct the rows, or leave them out with the filter of spm.map_source().')
            FROM (SELECT source, currency_code, count(*) AS n, count(*) FILTER (WHERE event_date IS NULL) AS dateless
                  FROM %s GROUP BY source, currency_code) AS t
            CROSS JOIN LATERAL (
                SELECT 'currency', CASE WHEN t.currency_code IS NULL THEN format('Source "%%s" has %%s transaction(s) without a currency.', t.source, t.n)
                        ELSE format('Source "%%s" has %%s transaction(s) in %%s, which is not a known currency.', t.source, t.n, t.currency_code) END,
                    CASE WHEN t.currency_code ~ '^[A-Z]{3}$' THEN format('SELECT spm.add_currency(%%L);', t.currency_code) END
                WHERE NOT EXISTS (SELECT FROM spm.currency AS c WHERE c.currency_code = t.currency_code)
                UNION ALL
                SELECT 'source', format('Source "%%s" has %%s transaction(s) without a date: no period pays them.', t.source, t.dateless), NULL
                WHERE t.dateless > 0) AS p (what, detail, repair)
            ORDER BY t.source, t.currency_code$sql$, to_regclass('spm.transaction'));
    END IF;
END
$$;
COMMENT ON FUNCTION spm.doctor() IS
'What is inconsistent or missing, and the call that mends it; no row when all is well. It reads the mapped sources once.
what: source, calendar, payee, position, hierarchy or currency; severity: error (a calculation refuses or is wrong), warning or info.
Example: SELECT * FROM spm.doctor();';
/*
 * core/views.sql: what BI tools read of calendars, people and runs.
 */

CREATE VIEW spm_bi.period WITH (security_invoker = true) AS
SELECT p.period_id, c.name AS calendar_name, p.grain, p.name AS period_name,
    lower(p.span) AS period_start, upper(p.span) AS period_end, upper(p.span) - 1 AS last_day,
    p.parent_period_id, parent.name AS parent_period_name, p.state, p.state = 'posted' AS is_posted,
    (row_number() OVER (PARTITION BY p.calendar_id, p.grain ORDER BY p.span))::int AS period_index
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
LEFT JOIN spm.period AS parent ON parent.period_id = p.parent_period_id;
COMMENT ON VIEW spm_bi.period IS 'One row per period of every calendar.';
COMMENT ON COLUMN spm_bi.period.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.period.calendar_name IS 'Calendar it belongs to.';
COMMENT ON COLUMN spm_bi.period.grain IS 'Kind of period: week, month, quarter, year, window.';
COMMENT ON COLUMN spm_bi.period.period_name IS 'Name, unique in its calendar.';
COMMENT ON COLUMN spm_bi.period.period_start IS 'First day.';
COMMENT ON COLUMN spm_bi.period.period_end IS 'Day after the last one, for conditions: day >= period_start and day < period_end.';
COMMENT ON COLUMN spm_bi.period.last_day IS 'Last day, for people.';
COMMENT ON COLUMN spm_bi.period.parent_period_id IS 'Period it is part of. NULL: none.';
COMMENT ON COLUMN spm_bi.period.parent_period_name IS 'Name of the period it is part of. NULL: none.';
COMMENT ON COLUMN spm_bi.period.state IS 'open, calculated or posted.';
COMMENT ON COLUMN spm_bi.period.is_posted IS 'Whether it is closed: what is paid for it is final.';
COMMENT ON COLUMN spm_bi.period.period_index IS 'Place among the periods of its calendar and grain, from 1; subtract 1 for the period before.';

CREATE VIEW spm_bi.day WITH (security_invoker = true) AS
SELECT c.name AS calendar_name, p.grain, d.day::date AS day, p.period_id, p.name AS period_name,
    CASE 'month' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS month_name,
    CASE 'quarter' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS quarter_name,
    CASE 'year' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS year_name,
    extract(isodow FROM d.day)::int AS weekday_index, extract(isodow FROM d.day) > 5 AS is_weekend,
    d.day::date - lower(p.span) + 1 AS day_index, upper(p.span) - lower(p.span) AS day_count
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
CROSS JOIN LATERAL generate_series(lower(p.span)::timestamp, (upper(p.span) - 1)::timestamp, interval '1 day') AS d (day)
LEFT JOIN spm.period AS p1 ON p1.period_id = p.parent_period_id
LEFT JOIN spm.period AS p2 ON p2.period_id = p1.parent_period_id
WHERE NOT EXISTS (SELECT FROM spm.period AS part WHERE part.parent_period_id = p.period_id);
COMMENT ON VIEW spm_bi.day IS 'One row per calendar, day and finest period that holds it: the day dimension. Filter on calendar_name (and grain, where a calendar has windows beside its months).';
COMMENT ON COLUMN spm_bi.day.calendar_name IS 'Calendar.';
COMMENT ON COLUMN spm_bi.day.grain IS 'Kind of the finest period: week, month, quarter, year, window.';
COMMENT ON COLUMN spm_bi.day.day IS 'Day.';
COMMENT ON COLUMN spm_bi.day.period_id IS 'Finest period that holds the day.';
COMMENT ON COLUMN spm_bi.day.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.day.month_name IS 'Month of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.quarter_name IS 'Quarter of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.year_name IS 'Year of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.weekday_index IS 'Day of the week: 1 Monday to 7 Sunday.';
COMMENT ON COLUMN spm_bi.day.is_weekend IS 'Whether it is a Saturday or Sunday.';
COMMENT ON COLUMN spm_bi.day.day_index IS 'Place of the day in its finest period, from 1.';
COMMENT ON COLUMN spm_bi.day.day_count IS 'Days of its finest period. Not additive.';

CREATE VIEW spm_bi.payee WITH (security_invoker = true) AS
SELECT y.payee_id, y.payee_key, y.name AS payee_name, s.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    m.position_id AS manager_position_id, m.name AS manager_position_name,
    boss.payee_id AS manager_payee_id, boss.payee_key AS manager_payee_key, boss.name AS manager_payee_name
FROM spm.payee AS y
LEFT JOIN spm.position_assignment AS a ON a.payee_id = y.payee_id AND a.is_primary AND a.span @> current_date
LEFT JOIN spm.position AS s ON s.position_id = a.position_id
LEFT JOIN spm.title AS t ON t.title_id = s.title_id
LEFT JOIN spm.reporting_line AS l ON l.position_id = a.position_id AND l.span @> current_date
LEFT JOIN spm.position AS m ON m.position_id = l.manager_position_id
LEFT JOIN spm.position_assignment AS b ON b.position_id = l.manager_position_id AND b.span @> current_date
LEFT JOIN spm.payee AS boss ON boss.payee_id = b.payee_id;
COMMENT ON VIEW spm_bi.payee IS 'One row per payee, as of today: primary seat, title and manager. For other days see position_history and hierarchy.';
COMMENT ON COLUMN spm_bi.payee.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payee.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payee.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payee.position_id IS 'Primary seat. NULL: none today.';
COMMENT ON COLUMN spm_bi.payee.position_key IS 'Key of the primary seat.';
COMMENT ON COLUMN spm_bi.payee.position_name IS 'Name of the primary seat.';
COMMENT ON COLUMN spm_bi.payee.title_name IS 'Title of that seat. NULL: none.';
COMMENT ON COLUMN spm_bi.payee.manager_position_id IS 'Seat that it reports to. NULL: none.';
COMMENT ON COLUMN spm_bi.payee.manager_position_name IS 'Name of the seat that it reports to.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_id IS 'Who sits there. NULL: vacant, or none.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_key IS 'Key in the warehouse of who sits there.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_name IS 'Name of who sits there.';

CREATE VIEW spm_bi.position_history WITH (security_invoker = true) AS
SELECT a.position_assignment_id, s.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    y.payee_id, y.payee_key, y.name AS payee_name,
    lower(a.span) AS since, upper(a.span) AS until, upper(a.span) - 1 AS last_day,
    a.is_primary, a.span @> current_date AS is_current
FROM spm.position_assignment AS a
JOIN spm.position AS s USING (position_id)
JOIN spm.payee AS y USING (payee_id)
LEFT JOIN spm.title AS t USING (title_id);
COMMENT ON VIEW spm_bi.position_history IS 'One row per time that a payee holds a seat: who sat where when.';
COMMENT ON COLUMN spm_bi.position_history.position_assignment_id IS 'Assignment.';
COMMENT ON COLUMN spm_bi.position_history.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.position_history.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.position_history.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.position_history.title_name IS 'Title of the seat. NULL: none.';
COMMENT ON COLUMN spm_bi.position_history.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.position_history.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.position_history.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.position_history.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.position_history.until IS 'Day after the last one. NULL: no end.';
COMMENT ON COLUMN spm_bi.position_history.last_day IS 'Last day. NULL: no end.';
COMMENT ON COLUMN spm_bi.position_history.is_primary IS 'Whether the payee''s own transactions are credited to this seat.';
COMMENT ON COLUMN spm_bi.position_history.is_current IS 'Whether it holds today.';

CREATE VIEW spm_bi.hierarchy WITH (security_invoker = true) AS
SELECT x.position_id, s.position_key, s.name AS position_name,
    x.ancestor_position_id, a.position_key AS ancestor_position_key, a.name AS ancestor_position_name,
    x.depth::int AS depth, lower(x.span) AS since, upper(x.span) AS until, x.span @> current_date AS is_current
FROM spm.position_path AS x
JOIN spm.position AS s ON s.position_id = x.position_id
JOIN spm.position AS a ON a.position_id = x.ancestor_position_id;
COMMENT ON VIEW spm_bi.hierarchy IS 'One row per seat, seat above it at any distance, and time for which that holds. For the tree of today filter on is_current.';
COMMENT ON COLUMN spm_bi.hierarchy.position_id IS 'Seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.position_key IS 'Key of the seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.position_name IS 'Name of the seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_id IS 'Seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_key IS 'Key of the seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_name IS 'Name of the seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.depth IS 'Levels between them: 1 for the direct manager.';
COMMENT ON COLUMN spm_bi.hierarchy.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.hierarchy.until IS 'Day after the last one. NULL: no end.';
COMMENT ON COLUMN spm_bi.hierarchy.is_current IS 'Whether it holds today.';

CREATE VIEW spm_bi.run WITH (security_invoker = true) AS
SELECT r.run_id, r.kind AS run_kind, r.period_id, c.name AS calendar_name, p.name AS period_name, lower(p.span) AS period_start,
    r.started_at, r.finished_at, (extract(epoch FROM r.finished_at - r.started_at) * 1000)::bigint AS duration_ms,
    r.started_by, r.version AS spm_version,
    r.transaction_count, r.uncredited_count, r.credit_count, r.payee_count, r.earning_count, r.changed_count, r.late_period_count
FROM spm.run AS r
JOIN spm.period AS p USING (period_id)
JOIN spm.calendar AS c USING (calendar_id);
COMMENT ON VIEW spm_bi.run IS 'One row per calculation or posting that succeeded.';
COMMENT ON COLUMN spm_bi.run.run_id IS 'Run, as stamped on every result row that it wrote.';
COMMENT ON COLUMN spm_bi.run.run_kind IS 'calculate or post.';
COMMENT ON COLUMN spm_bi.run.period_id IS 'Period it ran for.';
COMMENT ON COLUMN spm_bi.run.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.run.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.run.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.run.started_at IS 'When it began.';
COMMENT ON COLUMN spm_bi.run.finished_at IS 'When it ended.';
COMMENT ON COLUMN spm_bi.run.duration_ms IS 'Milliseconds that it took. Additive.';
COMMENT ON COLUMN spm_bi.run.started_by IS 'Login that ran it.';
COMMENT ON COLUMN spm_bi.run.spm_version IS 'Version of spm that ran.';
COMMENT ON COLUMN spm_bi.run.transaction_count IS 'Transactions of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.uncredited_count IS 'Of those, transactions that nobody was credited for. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.credit_count IS 'Credits of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.payee_count IS 'Payees measured. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.earning_count IS 'Deal earnings of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.changed_count IS 'Result rows added or removed; 0 when nothing had changed. Additive.';
COMMENT ON COLUMN spm_bi.run.late_period_count IS 'Posted periods that were recalculated because their input had changed. Additive.';

CREATE VIEW spm_bi.dictionary WITH (security_invoker = true) AS
SELECT c.relname::text AS view_name, obj_description(c.oid, 'pg_class') AS view_comment,
    row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)::int AS column_index, a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS data_type, col_description(c.oid, a.attnum) AS column_comment
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'spm_bi'::regnamespace AND c.relkind = 'v';
COMMENT ON VIEW spm_bi.dictionary IS 'One row per column of every view in this schema: what it means.';
COMMENT ON COLUMN spm_bi.dictionary.view_name IS 'View.';
COMMENT ON COLUMN spm_bi.dictionary.view_comment IS 'What a row of the view is.';
COMMENT ON COLUMN spm_bi.dictionary.column_index IS 'Place of the column in the view, from 1.';
COMMENT ON COLUMN spm_bi.dictionary.column_name IS 'Column.';
COMMENT ON COLUMN spm_bi.dictionary.data_type IS 'Type of the column.';
COMMENT ON COLUMN spm_bi.dictionary.column_comment IS 'What the column holds, and whether it may be added up.';
/*
 * quota/tables.sql: what is measured, and how much of it is expected.
 */

CREATE TABLE spm.measure (
    measure_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    unit text NOT NULL DEFAULT 'money' CHECK (unit IN ('money', 'count'))
);
COMMENT ON TABLE spm.measure IS 'What quotas are set in: bookings, margin, units.';
COMMENT ON COLUMN spm.measure.measure_id IS 'Key.';
COMMENT ON COLUMN spm.measure.name IS 'Name, unique.';
COMMENT ON COLUMN spm.measure.unit IS 'money (in the currency of the plan) or count.';

CREATE TABLE spm.quota (
    quota_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int NOT NULL REFERENCES spm.position,
    measure_id int NOT NULL REFERENCES spm.measure,
    period_id int NOT NULL REFERENCES spm.period,
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    superseded_at timestamptz
);
CREATE UNIQUE INDEX quota_current ON spm.quota (position_id, measure_id, period_id) WHERE superseded_at IS NULL;
CREATE INDEX quota_position ON spm.quota (position_id);
CREATE INDEX quota_measure ON spm.quota (measure_id);
CREATE INDEX quota_period ON spm.quota (period_id);
COMMENT ON TABLE spm.quota IS 'Quota of a position for a measure and period. A change adds a row and ends the one before; nothing is overwritten.';
COMMENT ON COLUMN spm.quota.quota_id IS 'Key.';
COMMENT ON COLUMN spm.quota.position_id IS 'Position that carries it.';
COMMENT ON COLUMN spm.quota.measure_id IS 'What is measured.';
COMMENT ON COLUMN spm.quota.period_id IS 'Period in which it is to be reached.';
COMMENT ON COLUMN spm.quota.amount IS 'Quota, in the unit of the measure.';
COMMENT ON COLUMN spm.quota.reason IS 'Why it was set or changed.';
COMMENT ON COLUMN spm.quota.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.quota.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.quota.superseded_at IS 'When a later row took its place. NULL: it counts.';

SELECT pg_catalog.pg_extension_config_dump('spm.measure', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota', '');
SELECT pg_catalog.pg_extension_config_dump('spm.measure_measure_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_quota_id_seq', '');
/*
 * quota/functions.sql: measures and quotas.
 */

CREATE FUNCTION spm.add_measure(name text, unit text DEFAULT 'money')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    INSERT INTO spm.measure (name, unit) VALUES (add_measure.name, add_measure.unit)
    RETURNING measure_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_measure(text, text) IS
'Adds a measure that quotas can be set in, and returns its measure_id.
name: unique name. unit: money or count.
Errors: 23505 when the name is taken, 23514 for another unit.
Example: SELECT spm.add_measure(''bookings'');';

CREATE FUNCTION spm._measure_id(measure text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT m.measure_id INTO id FROM spm.measure m WHERE m.name = _measure_id.measure;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'measure "%" does not exist', _measure_id.measure
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT spm.add_measure(%L);', _measure_id.measure);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._measure_id(text) IS 'measure_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._measure_id(text) FROM PUBLIC;

CREATE FUNCTION spm.set_quota("position" text, period text, amount numeric, measure text,
                                         calendar text DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seat int := spm._position_id(set_quota."position");
    of_measure int := spm._measure_id(set_quota.measure);
    of_period int := spm._period_id(set_quota.period, set_quota.calendar);
    id int;
BEGIN
    IF set_quota.amount IS NULL OR set_quota.amount < 0 OR set_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'quota of position "%" for % cannot be %', set_quota."position", set_quota.period,
            coalesce(set_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A quota is zero or more.';
    END IF;
    SELECT q.quota_id INTO id FROM spm.quota q
    WHERE q.position_id = seat AND q.measure_id = of_measure AND q.period_id = of_period
      AND q.superseded_at IS NULL AND q.amount = set_quota.amount
    FOR UPDATE;
    IF FOUND THEN
        RETURN id;
    END IF;
    UPDATE spm.quota q SET superseded_at = clock_timestamp()
    WHERE q.position_id = seat AND q.measure_id = of_measure AND q.period_id = of_period
      AND q.superseded_at IS NULL;
    INSERT INTO spm.quota (position_id, measure_id, period_id, amount, reason)
    VALUES (seat, of_measure, of_period, set_quota.amount, set_quota.reason)
    RETURNING quota_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_quota(text, text, numeric, text, text, text) IS
'Sets the quota of a position for a period and measure, and returns its quota_id. A quota that is there already is
ended and kept; the same amount again changes nothing. A change to a posted period becomes a difference in the next one.
position: position_key. period: period name. amount: in the unit of the measure, zero or more. measure: its name.
calendar: needed when two calendars have a period of that name. reason: kept with the row.
Errors: 22023 for a negative or missing amount, 42704 for an unknown position, measure or period.
Example: SELECT spm.set_quota(''U-17'', ''2026-Q1'', 250000, ''bookings'');';

CREATE FUNCTION spm.quota_of(position_id int, measure_id int, period_id int)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT q.amount FROM spm.quota q
    WHERE q.position_id = quota_of.position_id AND q.measure_id = quota_of.measure_id
      AND q.period_id = quota_of.period_id AND q.superseded_at IS NULL;
END;
COMMENT ON FUNCTION spm.quota_of(int, int, int) IS
'Quota that counts for a position, measure and period (their keys), in the unit of the measure. NULL: none is set.
Example: SELECT spm.quota_of(1, 1, 1);';
/*
 * compensation/types.sql: the rate schedule, and what a deal has earned.
 */

CREATE TYPE spm.rate_schedule;

CREATE FUNCTION spm.rate_schedule_in(cstring)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_in';
COMMENT ON FUNCTION spm.rate_schedule_in(cstring) IS 'Text input of spm.rate_schedule.';

CREATE FUNCTION spm.rate_schedule_out(spm.rate_schedule)
    RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_out';
COMMENT ON FUNCTION spm.rate_schedule_out(spm.rate_schedule) IS 'Text output of spm.rate_schedule.';

CREATE FUNCTION spm.rate_schedule_recv(internal)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_recv';
COMMENT ON FUNCTION spm.rate_schedule_recv(internal) IS 'Binary input of spm.rate_schedule.';

CREATE FUNCTION spm.rate_schedule_send(spm.rate_schedule)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_send';
COMMENT ON FUNCTION spm.rate_schedule_send(spm.rate_schedule) IS 'Binary output of spm.rate_schedule: a version byte and the text.';

CREATE TYPE spm.rate_schedule (
    INPUT = spm.rate_schedule_in,
    OUTPUT = spm.rate_schedule_out,
    RECEIVE = spm.rate_schedule_recv,
    SEND = spm.rate_schedule_send,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE spm.rate_schedule IS $$What a running total earns, as one value: tiers of amounts ('0: 5%, 100000: 8%, 150000: 12%') or of shares of a quota ('0%: 8%, 80%: 10%, 100%: 14%'), and options after them. Equal schedules are written alike.
Options, each with its default first: method marginal | whole | interpolated | weighted | bonus; edge upper | lower | closed; base RATE below the first tier; cap AMOUNT; floor AMOUNT; outside refuse | zero; zero quota top | nothing | refuse.$$;

-- Equality lets schedules be grouped, joined and compared; the order means nothing.

CREATE FUNCTION spm.rate_schedule_compare(spm.rate_schedule, spm.rate_schedule)
    RETURNS int
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_compare';
COMMENT ON FUNCTION spm.rate_schedule_compare(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_eq(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_eq';
COMMENT ON FUNCTION spm.rate_schedule_eq(spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules are the same.';

CREATE FUNCTION spm.rate_schedule_ne(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_ne';
COMMENT ON FUNCTION spm.rate_schedule_ne(spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules differ.';

CREATE FUNCTION spm.rate_schedule_lt(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_lt';
COMMENT ON FUNCTION spm.rate_schedule_lt(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_le(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_le';
COMMENT ON FUNCTION spm.rate_schedule_le(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_gt(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_gt';
COMMENT ON FUNCTION spm.rate_schedule_gt(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_ge(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_ge';
COMMENT ON FUNCTION spm.rate_schedule_ge(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_hash(spm.rate_schedule)
    RETURNS int
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_hash';
COMMENT ON FUNCTION spm.rate_schedule_hash(spm.rate_schedule) IS 'Hash of a rate schedule, for joins and grouping.';

CREATE OPERATOR spm.= (
    FUNCTION = spm.rate_schedule_eq, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.=), NEGATOR = OPERATOR(spm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR spm.= (spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules are the same.';

CREATE OPERATOR spm.<> (
    FUNCTION = spm.rate_schedule_ne, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.<>), NEGATOR = OPERATOR(spm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR spm.<> (spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules differ.';

CREATE OPERATOR spm.< (
    FUNCTION = spm.rate_schedule_lt, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.>), NEGATOR = OPERATOR(spm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR spm.< (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR spm.<= (
    FUNCTION = spm.rate_schedule_le, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.>=), NEGATOR = OPERATOR(spm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR spm.<= (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR spm.> (
    FUNCTION = spm.rate_schedule_gt, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.<), NEGATOR = OPERATOR(spm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR spm.> (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR spm.>= (
    FUNCTION = spm.rate_schedule_ge, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.<=), NEGATOR = OPERATOR(spm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR spm.>= (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR CLASS spm.rate_schedule_order DEFAULT FOR TYPE spm.rate_schedule USING btree AS
    OPERATOR 1 spm.<, OPERATOR 2 spm.<=, OPERATOR 3 spm.=, OPERATOR 4 spm.>=, OPERATOR 5 spm.>,
    FUNCTION 1 spm.rate_schedule_compare(spm.rate_schedule, spm.rate_schedule);
COMMENT ON OPERATOR CLASS spm.rate_schedule_order USING btree IS 'Sorting and grouping of rate schedules.';

CREATE OPERATOR CLASS spm.rate_schedule_hashing DEFAULT FOR TYPE spm.rate_schedule USING hash AS
    OPERATOR 1 spm.=,
    FUNCTION 1 spm.rate_schedule_hash(spm.rate_schedule);
COMMENT ON OPERATOR CLASS spm.rate_schedule_hashing USING hash IS 'Hash joins and grouping of rate schedules.';

CREATE TYPE spm.deal_commission AS (
    deal_key text,
    deal_date date,
    amount numeric,
    running_total numeric,
    commission numeric
);
COMMENT ON TYPE spm.deal_commission IS 'What one deal earned, in the order of its period.';
COMMENT ON COLUMN spm.deal_commission.deal_key IS 'Key of the deal.';
COMMENT ON COLUMN spm.deal_commission.deal_date IS 'Day of the deal.';
COMMENT ON COLUMN spm.deal_commission.amount IS 'Amount of the deal.';
COMMENT ON COLUMN spm.deal_commission.running_total IS 'Total of the period up to and with this deal.';
COMMENT ON COLUMN spm.deal_commission.commission IS 'What the deal earned: the commission of the running total less that of the total before it.';
/*
 * compensation/tables.sql: plans, crediting, and the ledger of results.
 */

-- ------------------------------------------------------------------ variables

CREATE TABLE spm.variable (
    variable_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);
COMMENT ON TABLE spm.variable IS 'A figure that differs from payee to payee and that rates are multiplied by: commission_pct, target_bonus.';
COMMENT ON COLUMN spm.variable.variable_id IS 'Key.';
COMMENT ON COLUMN spm.variable.name IS 'Name, unique.';

CREATE TABLE spm.variable_value (
    variable_value_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variable_id int NOT NULL REFERENCES spm.variable,
    payee_id int REFERENCES spm.payee,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    value numeric NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    CONSTRAINT variable_value_target CHECK (num_nonnulls(payee_id, position_id, title_id) <= 1),
    CONSTRAINT variable_value_overlap EXCLUDE USING gist
        (variable_id WITH =, coalesce(payee_id, 0) WITH =, coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, span WITH &&)
);
CREATE INDEX variable_value_payee ON spm.variable_value (payee_id);
CREATE INDEX variable_value_position ON spm.variable_value (position_id);
CREATE INDEX variable_value_title ON spm.variable_value (title_id);
CREATE INDEX variable_value_variable ON spm.variable_value (variable_id);
COMMENT ON TABLE spm.variable_value IS 'Value of a variable by date. That of the payee goes before that of the position, the title, and everybody.';
COMMENT ON COLUMN spm.variable_value.variable_value_id IS 'Key.';
COMMENT ON COLUMN spm.variable_value.variable_id IS 'Variable.';
COMMENT ON COLUMN spm.variable_value.payee_id IS 'Payee it is for; at most one of payee, position and title is set, none means everybody.';
COMMENT ON COLUMN spm.variable_value.position_id IS 'Position it is for.';
COMMENT ON COLUMN spm.variable_value.title_id IS 'Title it is for.';
COMMENT ON COLUMN spm.variable_value.span IS 'Days; end exclusive. The value on the first day of a period counts for the period, or the first one within it.';
COMMENT ON COLUMN spm.variable_value.value IS 'Value.';

-- ---------------------------------------------------------------------- plans

CREATE TABLE spm.plan (
    plan_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    calendar_id int NOT NULL REFERENCES spm.calendar,
    currency_code text NOT NULL REFERENCES spm.currency,
    rate_type text NOT NULL DEFAULT 'spot'
);
CREATE INDEX plan_calendar ON spm.plan (calendar_id);
CREATE INDEX plan_currency ON spm.plan (currency_code);
COMMENT ON TABLE spm.plan IS 'A compensation plan. What it says is in its versions.';
COMMENT ON COLUMN spm.plan.plan_id IS 'Key.';
COMMENT ON COLUMN spm.plan.name IS 'Name, unique.';
COMMENT ON COLUMN spm.plan.calendar_id IS 'Calendar whose periods it is calculated for.';
COMMENT ON COLUMN spm.plan.currency_code IS 'Currency it measures and pays in.';
COMMENT ON COLUMN spm.plan.rate_type IS 'Exchange rates that convert transactions: those of this type on the day of the transaction.';

CREATE TABLE spm.plan_version (
    plan_version_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    version_no int NOT NULL CHECK (version_no > 0),
    span daterange NOT NULL CHECK (NOT isempty(span)),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'retired')),
    published_at timestamptz,
    published_by text,
    content_hash text,
    UNIQUE (plan_id, version_no),
    CONSTRAINT plan_version_overlap EXCLUDE USING gist (plan_id WITH =, span WITH &&) WHERE (state <> 'draft')
);
COMMENT ON TABLE spm.plan_version IS 'What a plan says from a date on: draft, then published, then retired. A published version never changes, only its end is set.';
COMMENT ON COLUMN spm.plan_version.plan_version_id IS 'Key.';
COMMENT ON COLUMN spm.plan_version.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.plan_version.version_no IS 'Number of the version within the plan: 1, 2, ...';
COMMENT ON COLUMN spm.plan_version.span IS 'Days on which it applies; end exclusive.';
COMMENT ON COLUMN spm.plan_version.state IS 'draft, published or retired. A retired version still prices the days of its span.';
COMMENT ON COLUMN spm.plan_version.published_at IS 'When it was published.';
COMMENT ON COLUMN spm.plan_version.published_by IS 'Login that published it.';
COMMENT ON COLUMN spm.plan_version.content_hash IS 'SHA-256 of its components and tiers when it was published; calculating refuses a version that no longer matches.';

CREATE TABLE spm.component (
    component_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_version_id int NOT NULL REFERENCES spm.plan_version,
    component_no int NOT NULL CHECK (component_no > 0),
    name text NOT NULL CHECK (name <> ''),
    credit_kind text NOT NULL DEFAULT 'direct' CHECK (credit_kind IN ('direct', 'rollup', 'all')),
    measure_expression text NOT NULL,
    eligibility_expression text,
    unit text NOT NULL DEFAULT 'money' CHECK (unit IN ('money', 'count')),
    measure_id int REFERENCES spm.measure,
    accumulate text NOT NULL DEFAULT 'period',
    tier_basis text NOT NULL DEFAULT 'amount' CHECK (tier_basis IN ('amount', 'quota')),
    rate_options text NOT NULL DEFAULT '',
    variable_id int REFERENCES spm.variable,
    places smallint NOT NULL CHECK (places BETWEEN 0 AND 4),
    rounding text NOT NULL DEFAULT 'half_up'
        CHECK (rounding IN ('half_up', 'half_even', 'half_down', 'up', 'down', 'floor', 'ceiling')),
    UNIQUE (plan_version_id, component_no),
    UNIQUE (plan_version_id, name),
    CONSTRAINT component_quota CHECK (tier_basis = 'amount' OR measure_id IS NOT NULL)
);
CREATE INDEX component_measure ON spm.component (measure_id);
CREATE INDEX component_variable ON spm.component (variable_id);
COMMENT ON TABLE spm.component IS 'One pay element of a plan version: which credits, measured how, against which quota, rated and rounded how.';
COMMENT ON COLUMN spm.component.component_id IS 'Key.';
COMMENT ON COLUMN spm.component.plan_version_id IS 'Version it belongs to.';
COMMENT ON COLUMN spm.component.component_no IS 'Order on the statement.';
COMMENT ON COLUMN spm.component.name IS 'Name shown on the statement.';
COMMENT ON COLUMN spm.component.credit_kind IS 'direct: own credits; rollup: what comes up the tree; all: both.';
COMMENT ON COLUMN spm.component.measure_expression IS 'Checked expression: what of a transaction counts, before it is shared. amount, amount - cost, quantity ...';
COMMENT ON COLUMN spm.component.eligibility_expression IS 'Checked expression: which transactions count. NULL: all.';
COMMENT ON COLUMN spm.component.unit IS 'Unit of the measure expression: money is converted to the currency of the plan, a count is not.';
COMMENT ON COLUMN spm.component.measure_id IS 'Measure whose quota attainment is reckoned against. NULL: no quota.';
COMMENT ON COLUMN spm.component.accumulate IS 'deal: every transaction starts at zero; period: the total starts with the period; or the grain of a longer period that it starts with.';
COMMENT ON COLUMN spm.component.tier_basis IS 'amount: tiers are amounts; quota: tiers are shares of quota (0.8 is 80 %).';
COMMENT ON COLUMN spm.component.rate_options IS 'Options of the rate schedule: whole, edge lower, cap 5000 ...';
COMMENT ON COLUMN spm.component.variable_id IS 'Variable that all rates are multiplied by. NULL: none.';
COMMENT ON COLUMN spm.component.places IS 'Decimal places that earnings are rounded to.';
COMMENT ON COLUMN spm.component.rounding IS 'Rounding mode.';

CREATE TABLE spm.tier (
    tier_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component_id int NOT NULL REFERENCES spm.component ON DELETE CASCADE,
    bounds numrange NOT NULL CHECK (NOT isempty(bounds) AND NOT lower_inf(bounds) AND lower(bounds) >= 0 AND lower_inc(bounds)),
    rate numeric NOT NULL CHECK (rate NOT IN ('NaN', 'Infinity', '-Infinity')),
    CONSTRAINT tier_overlap EXCLUDE USING gist (component_id WITH =, bounds WITH &&)
);
COMMENT ON TABLE spm.tier IS 'Tiers of a component. They never overlap; gaps are found when the version is published.';
COMMENT ON COLUMN spm.tier.tier_id IS 'Key.';
COMMENT ON COLUMN spm.tier.component_id IS 'Component.';
COMMENT ON COLUMN spm.tier.bounds IS 'Where the tier applies, in the tier_basis of the component. Who owns the edges is an option of the rates, not of this range.';
COMMENT ON COLUMN spm.tier.rate IS 'Rate: 0.08 is 8 %. With the option bonus: an amount of money.';

CREATE TABLE spm.plan_assignment (
    plan_assignment_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    payee_id int REFERENCES spm.payee,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    CONSTRAINT plan_assignment_target CHECK (num_nonnulls(payee_id, position_id, title_id) = 1),
    CONSTRAINT plan_assignment_overlap EXCLUDE USING gist
        (plan_id WITH =, coalesce(payee_id, 0) WITH =, coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, span WITH &&)
);
CREATE INDEX plan_assignment_payee ON spm.plan_assignment (payee_id);
CREATE INDEX plan_assignment_position ON spm.plan_assignment (position_id);
CREATE INDEX plan_assignment_title ON spm.plan_assignment (title_id);
CREATE INDEX plan_assignment_plan ON spm.plan_assignment (plan_id);
COMMENT ON TABLE spm.plan_assignment IS 'Who is on which plan when: a payee, a position, or everybody in a title.';
COMMENT ON COLUMN spm.plan_assignment.plan_assignment_id IS 'Key.';
COMMENT ON COLUMN spm.plan_assignment.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.plan_assignment.payee_id IS 'Payee; exactly one of payee, position and title is set.';
COMMENT ON COLUMN spm.plan_assignment.position_id IS 'Position, whoever sits in it.';
COMMENT ON COLUMN spm.plan_assignment.title_id IS 'Title: all positions of it.';
COMMENT ON COLUMN spm.plan_assignment.span IS 'Days; end exclusive.';

-- ------------------------------------------------------------------ crediting

CREATE TABLE spm.credit_rule (
    credit_rule_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    condition text NOT NULL,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    priority int NOT NULL
);
COMMENT ON TABLE spm.credit_rule IS 'A rule that shares transactions among payees. Shares given by the source go before rules, rules before the owner.';
COMMENT ON COLUMN spm.credit_rule.credit_rule_id IS 'Key.';
COMMENT ON COLUMN spm.credit_rule.name IS 'Name, unique.';
COMMENT ON COLUMN spm.credit_rule.condition IS 'Checked expression: which transactions it shares.';
COMMENT ON COLUMN spm.credit_rule.span IS 'Days of the transactions; end exclusive.';
COMMENT ON COLUMN spm.credit_rule.priority IS 'The smallest wins; among equals the older rule.';

CREATE TABLE spm.credit_rule_share (
    credit_rule_id int NOT NULL REFERENCES spm.credit_rule ON DELETE CASCADE,
    payee_id int NOT NULL REFERENCES spm.payee,
    share numeric NOT NULL CHECK (share > 0 AND share <= 1),
    PRIMARY KEY (credit_rule_id, payee_id)
);
CREATE INDEX credit_rule_share_payee ON spm.credit_rule_share (payee_id);
COMMENT ON TABLE spm.credit_rule_share IS 'Who shares by a rule. The shares of a rule total 1.';
COMMENT ON COLUMN spm.credit_rule_share.credit_rule_id IS 'Rule.';
COMMENT ON COLUMN spm.credit_rule_share.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.credit_rule_share.share IS 'Share: 0.6 is 60 %.';

-- ----------------------------------------------------------------- the ledger
--
-- A posting is what one period pays: its own results, and the differences that
-- were found in earlier, posted periods.  While it is a draft, calculating
-- replaces its rows; once posted it is closed.  A result row of a posted
-- posting is corrected by a row in a later one that reverses it.
--
-- Credits and earnings come by the million, from one function, out of rows that
-- it has just read: a foreign key for each of their columns would cost more than
-- all else.  Triggers keep what they refer to (spm._guard_credited, and the
-- foreign keys of spm.measurement and spm.payout).

CREATE TABLE spm.posting (
    posting_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id int NOT NULL REFERENCES spm.period,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'posted')),
    posted_at timestamptz,
    posted_by text,
    run_id bigint REFERENCES spm.run
);
CREATE UNIQUE INDEX posting_draft ON spm.posting (period_id) WHERE state = 'draft';
CREATE INDEX posting_period ON spm.posting (period_id);
CREATE INDEX posting_run ON spm.posting (run_id);
COMMENT ON TABLE spm.posting IS 'What a period pays. One per period, and one more for each time it was reopened.';
COMMENT ON COLUMN spm.posting.posting_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.posting.period_id IS 'Period that pays.';
COMMENT ON COLUMN spm.posting.state IS 'draft: may be calculated again; posted: closed.';
COMMENT ON COLUMN spm.posting.posted_at IS 'When it was posted.';
COMMENT ON COLUMN spm.posting.posted_by IS 'Login that posted it.';
COMMENT ON COLUMN spm.posting.run_id IS 'Run that posted it.';

CREATE TABLE spm.credit (
    credit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL,
    period_id int NOT NULL,
    run_id bigint NOT NULL,
    reverses_id bigint,
    position_id int NOT NULL,
    payee_id int,
    kind text NOT NULL CHECK (kind IN ('direct', 'rollup')),
    origin_position_id int NOT NULL,
    level smallint NOT NULL CHECK (level >= 0),
    share numeric NOT NULL CHECK (share > 0 AND share <= 1),
    shares numeric[],
    share_no int,
    credited_amount numeric NOT NULL,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    event_date date NOT NULL,
    type text NOT NULL,
    owner_key text NOT NULL,
    account_key text,
    product_key text,
    quantity numeric,
    amount numeric NOT NULL,
    cost numeric,
    list_amount numeric,
    currency_code text NOT NULL,
    attributes jsonb NOT NULL
);
CREATE INDEX credit_posting ON spm.credit (posting_id, period_id);
CREATE INDEX credit_period ON spm.credit (period_id, position_id);
CREATE INDEX credit_position ON spm.credit (position_id);
CREATE INDEX credit_payee ON spm.credit (payee_id);
CREATE INDEX credit_transaction ON spm.credit (transaction_key, source);
CREATE UNIQUE INDEX credit_reverses ON spm.credit (reverses_id) WHERE reverses_id IS NOT NULL;
COMMENT ON TABLE spm.credit IS 'One row per transaction line and position credited, with all that was used of the transaction: posted pay stays explainable after the warehouse has changed.';
COMMENT ON COLUMN spm.credit.credit_id IS 'Key.';
COMMENT ON COLUMN spm.credit.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.credit.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.credit.reverses_id IS 'Credit of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.credit.position_id IS 'Position credited.';
COMMENT ON COLUMN spm.credit.payee_id IS 'Who sat there on the event date. NULL: vacant.';
COMMENT ON COLUMN spm.credit.kind IS 'direct: by ownership or split; rollup: from below in the reporting tree.';
COMMENT ON COLUMN spm.credit.origin_position_id IS 'Position that holds the direct credit: for kind direct this one.';
COMMENT ON COLUMN spm.credit.level IS 'Levels above the direct credit; 0 for kind direct.';
COMMENT ON COLUMN spm.credit.share IS 'Share of the transaction: 0.6 is 60 %.';
COMMENT ON COLUMN spm.credit.shares IS 'Shares of all who share in the transaction, in order. NULL: nobody shares.';
COMMENT ON COLUMN spm.credit.share_no IS 'Place of this share in shares.';
COMMENT ON COLUMN spm.credit.credited_amount IS 'Share of amount, apportioned by largest remainder; negative where a row is reversed. In currency_code.';
COMMENT ON COLUMN spm.credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.credit.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.credit.line IS 'Its line; empty when the source has none.';
COMMENT ON COLUMN spm.credit.event_date IS 'Its date.';
COMMENT ON COLUMN spm.credit.type IS 'Its type.';
COMMENT ON COLUMN spm.credit.owner_key IS 'payee_key that the credit goes by: the owner, or the sharer.';
COMMENT ON COLUMN spm.credit.account_key IS 'Its account.';
COMMENT ON COLUMN spm.credit.product_key IS 'Its product.';
COMMENT ON COLUMN spm.credit.quantity IS 'Its quantity, whole, before it is shared.';
COMMENT ON COLUMN spm.credit.amount IS 'Its amount, whole, before it is shared, in currency_code.';
COMMENT ON COLUMN spm.credit.cost IS 'Its cost, whole.';
COMMENT ON COLUMN spm.credit.list_amount IS 'Its amount at list price, whole.';
COMMENT ON COLUMN spm.credit.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.credit.attributes IS 'Its further attributes.';

CREATE TABLE spm.uncredited (
    period_id int NOT NULL REFERENCES spm.period,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    owner_key text NOT NULL,
    event_date date NOT NULL,
    amount numeric,
    currency_code text,
    reason text NOT NULL,
    run_id bigint NOT NULL REFERENCES spm.run,
    PRIMARY KEY (period_id, source, transaction_key, line, owner_key)
);
CREATE INDEX uncredited_run ON spm.uncredited (run_id);
COMMENT ON TABLE spm.uncredited IS 'Transactions, or shares of them, that nobody could be credited for, as of the last calculation of their period.';
COMMENT ON COLUMN spm.uncredited.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.uncredited.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.uncredited.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.uncredited.line IS 'Its line.';
COMMENT ON COLUMN spm.uncredited.owner_key IS 'Owner or sharer that is not known; empty when the transaction has none.';
COMMENT ON COLUMN spm.uncredited.event_date IS 'Its date.';
COMMENT ON COLUMN spm.uncredited.amount IS 'Its amount, whole, in currency_code.';
COMMENT ON COLUMN spm.uncredited.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.uncredited.reason IS 'Why nobody was credited.';
COMMENT ON COLUMN spm.uncredited.run_id IS 'Run that found it.';

CREATE TABLE spm.schedule (
    schedule_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule spm.rate_schedule NOT NULL,
    definition text NOT NULL UNIQUE
);
COMMENT ON TABLE spm.schedule IS 'Every rate schedule that anything was rated by, with quota and variable worked in. Rows are never changed.';
COMMENT ON COLUMN spm.schedule.schedule_id IS 'Key.';
COMMENT ON COLUMN spm.schedule.schedule IS 'The schedule.';
COMMENT ON COLUMN spm.schedule.definition IS 'Its text.';

CREATE TABLE spm.measurement (
    measurement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL REFERENCES spm.posting,
    period_id int NOT NULL REFERENCES spm.period,
    run_id bigint NOT NULL,
    reverses_id bigint,
    component_id int NOT NULL REFERENCES spm.component,
    position_id int NOT NULL REFERENCES spm.position,
    payee_id int NOT NULL REFERENCES spm.payee,
    credit_count bigint NOT NULL,
    opening_amount numeric NOT NULL,
    amount numeric NOT NULL,
    quota_amount numeric,
    factor numeric NOT NULL,
    schedule_id bigint NOT NULL,
    earned_amount numeric NOT NULL
);
CREATE INDEX measurement_posting ON spm.measurement (posting_id, period_id);
CREATE INDEX measurement_period ON spm.measurement (period_id, component_id);
CREATE INDEX measurement_component ON spm.measurement (component_id);
CREATE INDEX measurement_position ON spm.measurement (position_id);
CREATE INDEX measurement_payee ON spm.measurement (payee_id);
CREATE UNIQUE INDEX measurement_reverses ON spm.measurement (reverses_id) WHERE reverses_id IS NOT NULL;
COMMENT ON TABLE spm.measurement IS 'One row per component, position, payee and period: what the credits add up to, against which quota.';
COMMENT ON COLUMN spm.measurement.measurement_id IS 'Key.';
COMMENT ON COLUMN spm.measurement.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.measurement.period_id IS 'Period measured.';
COMMENT ON COLUMN spm.measurement.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.measurement.reverses_id IS 'Measurement of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.measurement.component_id IS 'Component.';
COMMENT ON COLUMN spm.measurement.position_id IS 'Position.';
COMMENT ON COLUMN spm.measurement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.measurement.credit_count IS 'Credits of the period that count.';
COMMENT ON COLUMN spm.measurement.opening_amount IS 'What had accumulated before the period; 0 unless the component accumulates over a longer one.';
COMMENT ON COLUMN spm.measurement.amount IS 'Measured in the period, in the currency of the plan or the unit of the measure.';
COMMENT ON COLUMN spm.measurement.quota_amount IS 'Quota of the span that the component accumulates over. NULL: none.';
COMMENT ON COLUMN spm.measurement.factor IS 'Value of the component''s variable; 1 when it has none.';
COMMENT ON COLUMN spm.measurement.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.measurement.earned_amount IS 'What the totals earn by the schedule: the deals must add up to it.';

CREATE TABLE spm.earning (
    earning_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL,
    period_id int NOT NULL,
    run_id bigint NOT NULL,
    reverses_id bigint,
    component_id int NOT NULL,
    position_id int NOT NULL,
    payee_id int NOT NULL,
    credit_id bigint NOT NULL,
    exchange_rate numeric NOT NULL,
    base_amount numeric NOT NULL,
    from_total numeric NOT NULL,
    schedule_id bigint NOT NULL,
    amount numeric NOT NULL
);
CREATE INDEX earning_posting ON spm.earning (posting_id, period_id);
CREATE INDEX earning_period ON spm.earning (period_id, payee_id);
CREATE INDEX earning_payee ON spm.earning (payee_id);
CREATE INDEX earning_credit ON spm.earning (credit_id);
CREATE UNIQUE INDEX earning_reverses ON spm.earning (reverses_id) WHERE reverses_id IS NOT NULL;
COMMENT ON TABLE spm.earning IS 'One row per component and credit: what the deal earns. The running total goes by event date, then source, then key.';
COMMENT ON COLUMN spm.earning.earning_id IS 'Key.';
COMMENT ON COLUMN spm.earning.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.earning.reverses_id IS 'Earning of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.earning.component_id IS 'Component.';
COMMENT ON COLUMN spm.earning.position_id IS 'Position.';
COMMENT ON COLUMN spm.earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.earning.credit_id IS 'Credit it is for.';
COMMENT ON COLUMN spm.earning.exchange_rate IS 'Rate from the currency of the transaction to that of the plan on the event date; 1 when they are the same.';
COMMENT ON COLUMN spm.earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure; negative where a row is reversed.';
COMMENT ON COLUMN spm.earning.from_total IS 'Running total before the deal; after it: from_total + base_amount.';
COMMENT ON COLUMN spm.earning.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.earning.amount IS 'What the deal earns, rounded, in the currency of the plan.';

CREATE TABLE spm.payout (
    payout_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL REFERENCES spm.posting,
    period_id int NOT NULL REFERENCES spm.period,
    run_id bigint NOT NULL REFERENCES spm.run,
    payee_id int NOT NULL REFERENCES spm.payee,
    position_id int NOT NULL REFERENCES spm.position,
    component_id int NOT NULL REFERENCES spm.component,
    currency_code text NOT NULL REFERENCES spm.currency,
    amount numeric NOT NULL,
    UNIQUE (posting_id, period_id, payee_id, position_id, component_id)
);
CREATE INDEX payout_payee ON spm.payout (payee_id);
CREATE INDEX payout_period ON spm.payout (period_id);
CREATE INDEX payout_component ON spm.payout (component_id);
CREATE INDEX payout_position ON spm.payout (position_id);
CREATE INDEX payout_currency ON spm.payout (currency_code);
CREATE INDEX payout_run ON spm.payout (run_id);
COMMENT ON TABLE spm.payout IS 'One row per posting, payee, position, component and period of earning: what is paid.';
COMMENT ON COLUMN spm.payout.payout_id IS 'Key.';
COMMENT ON COLUMN spm.payout.posting_id IS 'Posting.';
COMMENT ON COLUMN spm.payout.period_id IS 'Period in which it was earned; an earlier one than the posting''s for a difference.';
COMMENT ON COLUMN spm.payout.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.payout.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.payout.position_id IS 'Position it was earned in.';
COMMENT ON COLUMN spm.payout.component_id IS 'Component.';
COMMENT ON COLUMN spm.payout.currency_code IS 'Currency.';
COMMENT ON COLUMN spm.payout.amount IS 'Amount paid: the sum of the posting''s earnings.';

CREATE TABLE spm.period_watermark (
    period_id int PRIMARY KEY REFERENCES spm.period,
    watermark text NOT NULL
);
COMMENT ON TABLE spm.period_watermark IS 'Digest of the input that a period''s results were last calculated from. Tells which posted periods need another look; a missing or other digest only means that the period is calculated once more.';
COMMENT ON COLUMN spm.period_watermark.period_id IS 'Period.';
COMMENT ON COLUMN spm.period_watermark.watermark IS 'Digest.';

-- Without these a backup would lose people's pay.
SELECT pg_catalog.pg_extension_config_dump('spm.variable', '');
SELECT pg_catalog.pg_extension_config_dump('spm.variable_variable_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.variable_value', '');
SELECT pg_catalog.pg_extension_config_dump('spm.variable_value_variable_value_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_plan_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_version', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_version_plan_version_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.component', '');
SELECT pg_catalog.pg_extension_config_dump('spm.component_component_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.tier', '');
SELECT pg_catalog.pg_extension_config_dump('spm.tier_tier_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_assignment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_assignment_plan_assignment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_rule', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_rule_credit_rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_rule_share', '');
SELECT pg_catalog.pg_extension_config_dump('spm.posting', '');
SELECT pg_catalog.pg_extension_config_dump('spm.posting_posting_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_credit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.uncredited', '');
SELECT pg_catalog.pg_extension_config_dump('spm.schedule', '');
SELECT pg_catalog.pg_extension_config_dump('spm.schedule_schedule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.measurement', '');
SELECT pg_catalog.pg_extension_config_dump('spm.measurement_measurement_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.earning', '');
SELECT pg_catalog.pg_extension_config_dump('spm.earning_earning_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payout', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payout_payout_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.period_watermark', '');

/*
 * compensation/toolbox.sql: functions for anybody's tables, no set-up.
 */

CREATE FUNCTION spm.rate_schedule(floors numeric[], rates numeric[], options text DEFAULT '')
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule';
COMMENT ON FUNCTION spm.rate_schedule(numeric[], numeric[], text) IS
$$Rate schedule whose tier i starts at floors[i] and has rates[i]; each tier ends where the next one starts, the last has no end.
Arguments: floors (money; shares of quota, 0.8 for 80%, with the option 'of quota'), rates (0.05 for 5%; money with the option bonus), options (as in the text form).
Errors: 22023 floors not ascending or arrays of different length; 22004 a null; 22P02 an unknown option.
Example: SELECT spm.rate_schedule('{0,100000}', '{0.05,0.08}') gives 0: 5%, 100000: 8%.$$;

CREATE FUNCTION spm.for_quota(schedule spm.rate_schedule, quota numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_for_quota';
COMMENT ON FUNCTION spm.for_quota(spm.rate_schedule, numeric) IS
$$The schedule with its bounds in percent of quota turned into amounts, exactly. On a quota of 0 every floor is 0, so the top rate holds from the first cent (a weighted schedule: the sum of its rates), unless the schedule says zero quota nothing or zero quota refuse.
Arguments: schedule (bounds in percent), quota (money, not negative).
Errors: 22023 bounds are amounts already, quota negative, or quota 0 and zero quota refuse.
Example: SELECT spm.for_quota('0%: 8%, 100%: 12%', 50000) gives 0: 8%, 50000: 12%.$$;

CREATE FUNCTION spm.with_factor(schedule spm.rate_schedule, factor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_with_factor';
COMMENT ON FUNCTION spm.with_factor(spm.rate_schedule, numeric) IS
$$The schedule with every rate (or bonus) and the base times the factor: a payee's own rate, or a multiplier. Cap and floor stay as they are.
Arguments: schedule, factor (1.5 for one and a half times).
Errors: 22023 factor is not finite; 22003 a rate gets too many digits.
Example: SELECT spm.with_factor('0: 5%, 100000: 8%', 1.5) gives 0: 7.5%, 100000: 12%.$$;

CREATE FUNCTION spm.commission(schedule spm.rate_schedule, amount numeric)
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_commission';
COMMENT ON FUNCTION spm.commission(spm.rate_schedule, numeric) IS
$$What a total of amount earns, rounded once to cents, halves away from zero. For other places or roundings use spm.commission(schedule, 0, amount, places, rounding).
Arguments: schedule (bounds in amounts), amount (money).
Errors: 22023 the schedule is in percent of quota, amount is not finite; 22003 the amount is above the end of the last tier.
Example: SELECT spm.commission('0: 5%, 100000: 8%', 160000) gives 9800.00.$$;

CREATE FUNCTION spm.commission(schedule spm.rate_schedule, from_total numeric, to_total numeric,
                                          places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_commission_between';
COMMENT ON FUNCTION spm.commission(spm.rate_schedule, numeric, numeric, int, text) IS
$$What a deal earns that takes the running total from from_total to to_total: the rounded commission of the one less that of the other, so that deals add up to their period to the last cent.
Arguments: schedule (bounds in amounts), from_total and to_total (money), places (decimals of the result), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22023 the schedule is in percent of quota, an amount is not finite, no such rounding; 22003 an amount is above the end of the last tier.
Example: SELECT spm.commission('0: 5%, 100000: 8%', 90000, 110000) gives 1300.00.$$;

CREATE FUNCTION spm.rate_at(schedule spm.rate_schedule, amount numeric,
                                       places int DEFAULT 6, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_at';
COMMENT ON FUNCTION spm.rate_at(spm.rate_schedule, numeric, int, text) IS
$$The rate that applies at an amount: the rate of its tier, with method interpolated the rate between two points, with weighted the sum of the shares of the tiers, with bonus the bonus.
Arguments: schedule (bounds in amounts), amount (money), places (decimals of the rate), rounding.
Errors: 22023 the schedule is in percent of quota, no such rounding; 22003 the amount is above the end of the last tier.
Example: SELECT spm.rate_at('0: 5%, 100000: 8%', 100000) gives 0.080000.$$;

CREATE FUNCTION spm.rounded(value numeric, places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rounded';
COMMENT ON FUNCTION spm.rounded(numeric, int, text) IS
$$The value to a number of decimals. half_up, half_even and half_down differ in where a half goes: away from zero, to the even neighbour, toward zero; up is away from zero, down toward zero, floor and ceil are what they say.
Arguments: value, places (-100 to 100), rounding.
Errors: 22023 no such rounding, places out of range, value is not finite.
Example: SELECT spm.rounded(0.125, 2, 'half_even') gives 0.12.$$;

CREATE FUNCTION spm.split(total numeric, shares numeric[], places int DEFAULT 2)
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_split';
COMMENT ON FUNCTION spm.split(numeric, numeric[], int) IS
$$The total in parts that add up to it exactly, in proportion to the shares (which need not total 1), by largest remainder: what rounding leaves goes to those that lost most by it, on a tie to the earlier. A negative total mirrors the positive one.
Arguments: total (money), shares (not negative, one at least above 0), places (decimals of the parts; more where the total has more).
Errors: 22023 a share is negative or all are 0; 22004 a share is null; 54000 more than 100,000 shares.
Example: SELECT spm.split(100, '{1,1,1}') gives {33.34,33.33,33.33}.$$;

CREATE FUNCTION spm.attainment(amount numeric, quota numeric, places int DEFAULT 6)
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_attainment';
COMMENT ON FUNCTION spm.attainment(numeric, numeric, int) IS
$$Amount as a share of quota, rounded once, halves away from zero; NULL when the quota is 0, since that has no share.
Arguments: amount and quota (money), places (decimals of the share).
Errors: 22023 a number is not finite.
Example: SELECT spm.attainment(90000, 120000) gives 0.750000.$$;

CREATE FUNCTION spm.tier(schedule spm.rate_schedule,
                                    OUT tier_no int, OUT tier_from numeric, OUT tier_to numeric, OUT rate numeric)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 5
    AS 'MODULE_PATHNAME', 'spm_tier';
COMMENT ON FUNCTION spm.tier(spm.rate_schedule) IS
$$One row per tier: number, start, end (NULL: none) and rate; shares (0.8 for 80%) where the schedule is in percent of quota.
Argument: schedule.
Example: SELECT * FROM spm.tier('0: 5%, 100000: 8%').$$;

CREATE FUNCTION spm.commission_slice(schedule spm.rate_schedule, from_total numeric, to_total numeric,
                                                places int DEFAULT 2, rounding text DEFAULT 'half_up',
                                                OUT tier_no int, OUT kind text, OUT slice_from numeric, OUT slice_to numeric,
                                                OUT base numeric, OUT rate numeric, OUT amount numeric)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3
    AS 'MODULE_PATHNAME', 'spm_commission_slice';
COMMENT ON FUNCTION spm.commission_slice(spm.rate_schedule, numeric, numeric, int, text) IS
$$How spm.commission(schedule, from_total, to_total, places, rounding) comes about: rows whose amounts add up to it exactly.
Kinds: tier (base at the rate of tier_no), base (below the first tier), outside (in a gap or above the end, earns 0), rerate (methods whole, interpolated, weighted: the earlier total at the change of rate), bonus, cap and floor (what they take or add). A refund runs backwards. Rates that do not end are shown to 10 decimals.
Arguments: schedule (bounds in amounts), from_total and to_total (money), places, rounding.
Errors: as spm.commission.
Example: SELECT * FROM spm.commission_slice('0: 5%, 100000: 8%', 90000, 110000).$$;

-- ---------------------------------------------------------------- aggregates

CREATE FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_add';
REVOKE ALL ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule) IS 'State function of spm.period_commission.';

CREATE FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_add';
REVOKE ALL ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text) IS 'State function of spm.period_commission.';

CREATE FUNCTION spm._period_commission_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_combine';
REVOKE ALL ON FUNCTION spm._period_commission_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_combine(internal, internal) IS 'Combine function of spm.period_commission.';

CREATE FUNCTION spm._period_commission_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_serialize';
REVOKE ALL ON FUNCTION spm._period_commission_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_serialize(internal) IS 'Serialization of spm.period_commission.';

CREATE FUNCTION spm._period_commission_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_deserialize';
REVOKE ALL ON FUNCTION spm._period_commission_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_deserialize(bytea, internal) IS 'Deserialization of spm.period_commission.';

CREATE FUNCTION spm._period_commission_final(internal)
    RETURNS numeric
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_final';
REVOKE ALL ON FUNCTION spm._period_commission_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_final(internal) IS 'Final function of spm.period_commission.';

CREATE AGGREGATE spm.period_commission(amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._period_commission_add, STYPE = internal, SSPACE = 256,
    FINALFUNC = spm._period_commission_final,
    COMBINEFUNC = spm._period_commission_combine,
    SERIALFUNC = spm._period_commission_serialize,
    DESERIALFUNC = spm._period_commission_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.period_commission(numeric, spm.rate_schedule) IS
$$What the total of a group earns: spm.commission(schedule, sum(amount)). Null amounts are left out; no amounts, or a null schedule, give NULL.
Arguments: amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 the total is above the end of the last tier.
Example: SELECT rep, spm.period_commission(amount, '0: 5%, 100000: 8%') FROM sales GROUP BY rep.$$;

CREATE AGGREGATE spm.period_commission(amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._period_commission_add, STYPE = internal, SSPACE = 256,
    FINALFUNC = spm._period_commission_final,
    COMBINEFUNC = spm._period_commission_combine,
    SERIALFUNC = spm._period_commission_serialize,
    DESERIALFUNC = spm._period_commission_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.period_commission(numeric, spm.rate_schedule, int, text) IS
$$What the total of a group earns, to places decimals with a rounding (half_up, half_even, half_down, up, down, floor, ceil); else as spm.period_commission(amount, schedule).
Errors: 22004 places or rounding null; 22023 rows of one group have different schedules, places or roundings.
Example: SELECT rep, spm.period_commission(amount, '0: 5%', 0, 'half_even') FROM sales GROUP BY rep.$$;

CREATE FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule) IS 'State function of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text) IS 'State function of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule) IS 'State function of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text) IS 'State function of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_combine';
REVOKE ALL ON FUNCTION spm._deal_commissions_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_combine(internal, internal) IS 'Combine function of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_serialize';
REVOKE ALL ON FUNCTION spm._deal_commissions_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_serialize(internal) IS 'Serialization of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_deserialize';
REVOKE ALL ON FUNCTION spm._deal_commissions_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_deserialize(bytea, internal) IS 'Deserialization of spm.deal_commissions.';

CREATE FUNCTION spm._deal_commissions_final(internal)
    RETURNS spm.deal_commission[]
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_final';
REVOKE ALL ON FUNCTION spm._deal_commissions_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_final(internal) IS 'Final function of spm.deal_commissions.';

CREATE AGGREGATE spm.deal_commissions(deal_date date, deal_key bigint, amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, bigint, numeric, spm.rate_schedule) IS
$$What each deal of a group earns, in order of date and key (by number; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%')) AS d FROM sales GROUP BY rep) x.$$;

CREATE AGGREGATE spm.deal_commissions(deal_date date, deal_key bigint, amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, bigint, numeric, spm.rate_schedule, int, text) IS
$$What each deal of a group earns, in order of date and key (by number; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group); places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%', 0, 'half_even')) AS d FROM sales GROUP BY rep) x.$$;

CREATE AGGREGATE spm.deal_commissions(deal_date date, deal_key text, amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, text, numeric, spm.rate_schedule) IS
$$What each deal of a group earns, in order of date and key (by bytes; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%')) AS d FROM sales GROUP BY rep) x.$$;

CREATE AGGREGATE spm.deal_commissions(deal_date date, deal_key text, amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, text, numeric, spm.rate_schedule, int, text) IS
$$What each deal of a group earns, in order of date and key (by bytes; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group); places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%', 0, 'half_even')) AS d FROM sales GROUP BY rep) x.$$;

CREATE FUNCTION spm._deals_add(internal, date, bigint, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deals_add(internal, date, bigint, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_add(internal, date, bigint, numeric) IS 'State function of spm.deals.';

CREATE FUNCTION spm._deals_add(internal, date, text, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deals_add(internal, date, text, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_add(internal, date, text, numeric) IS 'State function of spm.deals.';

CREATE FUNCTION spm._deals_final(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deals_final';
REVOKE ALL ON FUNCTION spm._deals_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_final(internal) IS 'Final function of spm.deals.';

CREATE AGGREGATE spm.deals(deal_date date, deal_key bigint, amount numeric) (
    SFUNC = spm._deals_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deals_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deals(date, bigint, numeric) IS
$$The deals of a group in one value, to be rated by spm.deal_commissions(deals, schedule): so the schedule is looked up once a group, not once a deal, and the same deals can be rated by several schedules. Null amounts are left out; no amounts give NULL.
Arguments: deal_date, deal_key (ordered by number), amount (money).
Errors: 22004 a deal has no date or key; 22023 an amount is not finite.
Example: SELECT rep, spm.deals(day, deal_id, amount) FROM sales GROUP BY rep.$$;

CREATE AGGREGATE spm.deals(deal_date date, deal_key text, amount numeric) (
    SFUNC = spm._deals_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deals_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deals(date, text, numeric) IS
$$The deals of a group in one value, to be rated by spm.deal_commissions(deals, schedule): so the schedule is looked up once a group, not once a deal, and the same deals can be rated by several schedules. Null amounts are left out; no amounts give NULL.
Arguments: deal_date, deal_key (ordered by bytes), amount (money).
Errors: 22004 a deal has no date or key; 22023 an amount is not finite.
Example: SELECT rep, spm.deals(day, deal_id, amount) FROM sales GROUP BY rep.$$;

CREATE FUNCTION spm.deal_commissions(deals bytea, schedule spm.rate_schedule, places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS spm.deal_commission[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_of';
COMMENT ON FUNCTION spm.deal_commissions(bytea, spm.rate_schedule, int, text) IS
$$What each of the deals collected by spm.deals() earns, in order, as the aggregate spm.deal_commissions.
Arguments: deals (what spm.deals() returned), schedule (bounds in amounts), places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22P03 or 08P01 the bytes are no deals; 22023 the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals than an array holds.
Example: SELECT rep, unnest(spm.deal_commissions(deals, '0: 5%, 100000: 8%')) FROM (SELECT rep, spm.deals(day, deal_id, amount) AS deals FROM sales GROUP BY rep) x.$$;
/*
 * compensation/functions.sql: plans as data.  Writing them, checking them,
 * publishing them.
 */

-- ------------------------------------------------------------------ look-ups

CREATE FUNCTION spm._plan_id(plan text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT p.plan_id INTO id FROM spm.plan p WHERE p.name = _plan_id.plan;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" does not exist', _plan_id.plan
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.plan; or spm.create_plan() to make it.';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._plan_id(text) IS 'plan_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._plan_id(text) FROM PUBLIC;

CREATE FUNCTION spm._draft_id(plan text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- a look-up that raises stands alone: within a query the planner calls it too, and with an older snapshot
    of_plan int := spm._plan_id(_draft_id.plan);
    id int;
BEGIN
    SELECT v.plan_version_id INTO id FROM spm.plan_version v
    WHERE v.plan_id = of_plan AND v.state = 'draft'
    ORDER BY v.version_no DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no draft version', _draft_id.plan
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'A published version never changes.',
                  HINT = format('SELECT spm.new_plan_version(%L, since => ...);', _draft_id.plan);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._draft_id(text) IS 'plan_version_id of the draft of a plan, or error 55000.';
REVOKE ALL ON FUNCTION spm._draft_id(text) FROM PUBLIC;

CREATE FUNCTION spm._target(OUT payee_id int, OUT position_id int, OUT title_id int,
                                       payee text, "position" text, title text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    _target.payee_id := CASE WHEN _target.payee IS NOT NULL THEN spm._payee_id(_target.payee) END;
    _target.position_id := CASE WHEN _target."position" IS NOT NULL THEN spm._position_id(_target."position") END;
    _target.title_id := CASE WHEN _target.title IS NOT NULL THEN spm._title_id(_target.title) END;
END
$$;
COMMENT ON FUNCTION spm._target(text, text, text) IS 'Keys of a payee, a position and a title given by name, or error 42704.';
REVOKE ALL ON FUNCTION spm._target(text, text, text) FROM PUBLIC;

-- ------------------------------------------------------------------ variables

CREATE FUNCTION spm.set_variable(variable text, value numeric, payee text DEFAULT NULL,
                                            "position" text DEFAULT NULL, title text DEFAULT NULL,
                                            since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_variable int;
    target record;
    days daterange := daterange(nullif(set_variable.since, '-infinity'), nullif(set_variable.until, 'infinity'));
    id int;
BEGIN
    IF num_nonnulls(set_variable.payee, set_variable."position", set_variable.title) > 1 THEN
        RAISE EXCEPTION 'a value is for a payee, a position or a title, not for more than one of them'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    target := spm._target(set_variable.payee, set_variable."position", set_variable.title);
    INSERT INTO spm.variable (name) VALUES (set_variable.variable) ON CONFLICT (name) DO NOTHING;
    SELECT v.variable_id INTO of_variable FROM spm.variable v WHERE v.name = set_variable.variable;
    -- the value before it ends where this one begins
    UPDATE spm.variable_value v SET span = daterange(lower(v.span), lower(days))
    WHERE v.variable_id = of_variable AND v.span && days AND lower(days) IS NOT NULL
      AND (lower_inf(v.span) OR lower(v.span) < lower(days)) AND upper_inf(v.span)
      AND v.payee_id IS NOT DISTINCT FROM target.payee_id
      AND v.position_id IS NOT DISTINCT FROM target.position_id
      AND v.title_id IS NOT DISTINCT FROM target.title_id;
    INSERT INTO spm.variable_value (variable_id, payee_id, position_id, title_id, span, value)
    VALUES (of_variable, target.payee_id, target.position_id, target.title_id, days, set_variable.value)
    RETURNING variable_value_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'variable "%" has a value in that time already', set_variable.variable
        USING ERRCODE = 'exclusion_violation',
              DETAIL = format('The new value would hold for %s.', days),
              HINT = 'Give since a later day than the value that is there, or end that one first in spm.variable_value.';
END
$$;
COMMENT ON FUNCTION spm.set_variable(text, numeric, text, text, text, date, date) IS
'Sets the value of a variable from a day on, making the variable if need be; returns the variable_value_id. An open-ended value before it is ended.
variable: name. value: what rates are multiplied by. payee, position, title: whom it is for, by key or name; none: everybody. since: first day. until: day after the last; NULL: for good.
Errors: 42704 for an unknown payee, position or title; 23P01 where a value exists already; 22023 for two targets.
Example: SELECT spm.set_variable(''commission_pct'', 0.012, payee => ''275'', since => ''2026-01-01'');';

CREATE FUNCTION spm.variable_value(variable_id int, payee_id int, position_id int, span daterange)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.value
    FROM spm.variable_value v
    WHERE v.variable_id = variable_value.variable_id AND v.span && variable_value.span
      AND (v.payee_id = variable_value.payee_id OR v.position_id = variable_value.position_id
           OR v.title_id = (SELECT p.title_id FROM spm.position p WHERE p.position_id = variable_value.position_id)
           OR num_nonnulls(v.payee_id, v.position_id, v.title_id) = 0)
    ORDER BY CASE WHEN v.payee_id IS NOT NULL THEN 1 WHEN v.position_id IS NOT NULL THEN 2
                  WHEN v.title_id IS NOT NULL THEN 3 ELSE 4 END, v.span
    LIMIT 1;
END;
COMMENT ON FUNCTION spm.variable_value(int, int, int, daterange) IS
'Value of a variable that counts for a payee in a position during a span: the payee''s own goes before the position''s, the title''s and everybody''s; of several within the span the first. NULL: none.
Example: SELECT spm.variable_value(1, 1, 1, ''[2026-01-01,2026-04-01)'');';

-- -------------------------------------------------------------- writing plans

CREATE FUNCTION spm.create_plan(name text, calendar text, currency text, since date,
                                           rate_type text DEFAULT 'spot')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_calendar int;
    id int;
BEGIN
    SELECT c.calendar_id INTO of_calendar FROM spm.calendar c WHERE c.name = create_plan.calendar;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'calendar "%" does not exist', create_plan.calendar
            USING ERRCODE = 'undefined_object', HINT = 'spm.create_calendar() or spm.load_periods() makes one.';
    END IF;
    IF NOT EXISTS (SELECT FROM spm.currency c WHERE c.currency_code = create_plan.currency) THEN
        RAISE EXCEPTION 'currency "%" does not exist', create_plan.currency
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', create_plan.currency);
    END IF;
    INSERT INTO spm.plan (name, calendar_id, currency_code, rate_type)
    VALUES (create_plan.name, of_calendar, create_plan.currency, create_plan.rate_type)
    RETURNING plan_id INTO id;
    INSERT INTO spm.plan_version (plan_id, version_no, span) VALUES (id, 1, daterange(create_plan.since, NULL));
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.create_plan(text, text, text, date, text) IS
'Creates a plan with an empty draft version 1, and returns its plan_id.
name: unique. calendar: whose periods it is calculated for. currency: ISO code it measures and pays in. since: first day. rate_type: exchange rates it converts by.
Errors: 42704 for an unknown calendar or currency, 23505 when the name is taken.
Example: SELECT spm.create_plan(''Account Executive'', ''fiscal'', ''USD'', ''2026-01-01'');';

CREATE FUNCTION spm.new_plan_version(plan text, since date)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(new_plan_version.plan);
    before spm.plan_version;
    id int;
    old record;
    copy int;
BEGIN
    SELECT v.* INTO before FROM spm.plan_version v WHERE v.plan_id = of_plan ORDER BY v.version_no DESC LIMIT 1;
    IF before.state = 'draft' THEN
        RAISE EXCEPTION 'plan "%" has a draft already: version %', new_plan_version.plan, before.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT spm.publish_plan(%L);', new_plan_version.plan);
    END IF;
    INSERT INTO spm.plan_version (plan_id, version_no, span)
    VALUES (of_plan, before.version_no + 1, daterange(new_plan_version.since, NULL))
    RETURNING plan_version_id INTO id;
    FOR old IN SELECT c.* FROM spm.component c WHERE c.plan_version_id = before.plan_version_id LOOP
        INSERT INTO spm.component (plan_version_id, component_no, name, credit_kind, measure_expression,
            eligibility_expression, unit, measure_id, accumulate, tier_basis, rate_options, variable_id, places, rounding)
        VALUES (id, old.component_no, old.name, old.credit_kind, old.measure_expression,
            old.eligibility_expression, old.unit, old.measure_id, old.accumulate, old.tier_basis, old.rate_options,
            old.variable_id, old.places, old.rounding)
        RETURNING component_id INTO copy;
        INSERT INTO spm.tier (component_id, bounds, rate)
        SELECT copy, t.bounds, t.rate FROM spm.tier t WHERE t.component_id = old.component_id;
    END LOOP;
    RETURN before.version_no + 1;
END
$$;
COMMENT ON FUNCTION spm.new_plan_version(text, date) IS
'Starts the next version of a plan as a draft, a copy of the last one, and returns its number.
plan: name. since: first day of the new version; publishing it ends the version before on that day.
Errors: 42704 for an unknown plan, 55000 while there is a draft.
Example: SELECT spm.new_plan_version(''Account Executive'', ''2026-07-01'');';

CREATE FUNCTION spm.add_component(plan text, name text, rates text, measure text DEFAULT 'amount',
                                             eligible text DEFAULT NULL, credits text DEFAULT 'direct',
                                             quota text DEFAULT NULL, accumulate text DEFAULT 'period',
                                             variable text DEFAULT NULL, unit text DEFAULT 'money',
                                             places int DEFAULT NULL, rounding text DEFAULT 'half_up')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(add_component.plan);
    schedule spm.rate_schedule := add_component.rates::spm.rate_schedule;
    of_quota int := CASE WHEN add_component.quota IS NOT NULL THEN spm._measure_id(add_component.quota) END;
    of_variable int;
    measured text := spm.checked_expression(add_component.measure, 'numeric');
    condition text := spm.checked_expression(add_component.eligible, 'boolean');
    id int;
BEGIN
    IF add_component.variable IS NOT NULL THEN
        SELECT v.variable_id INTO of_variable FROM spm.variable v WHERE v.name = add_component.variable;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'variable "%" does not exist', add_component.variable
                USING ERRCODE = 'undefined_object',
                      HINT = format('SELECT spm.set_variable(%L, value, payee => ...);', add_component.variable);
        END IF;
    END IF;
    IF spm._is_of_quota(schedule) AND of_quota IS NULL THEN
        RAISE EXCEPTION 'component "%" has tiers in percent of quota, but no quota', add_component.name
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name the measure of the quota: quota => ''bookings''.';
    END IF;
    INSERT INTO spm.component (plan_version_id, component_no, name, credit_kind, measure_expression,
        eligibility_expression, unit, measure_id, accumulate, tier_basis, rate_options, variable_id, places, rounding)
    SELECT version,
           1 + coalesce((SELECT max(c.component_no) FROM spm.component c WHERE c.plan_version_id = version), 0),
           add_component.name, add_component.credits, measured, condition, add_component.unit, of_quota,
           add_component.accumulate, CASE WHEN spm._is_of_quota(schedule) THEN 'quota' ELSE 'amount' END,
           spm._rate_options(schedule), of_variable, coalesce(add_component.places, c.minor_digits), add_component.rounding
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id) JOIN spm.currency c USING (currency_code)
    WHERE v.plan_version_id = version
    RETURNING component_id INTO id;
    INSERT INTO spm.tier (component_id, bounds, rate)
    SELECT id, numrange(t.tier_from, t.tier_to), t.rate FROM spm.tier(schedule) t;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_component(text, text, text, text, text, text, text, text, text, text, int, text) IS
'Adds a pay element to the draft of a plan, and returns its component_id.
plan, name: names. rates: a rate schedule; its tiers are amounts, or shares of quota when written in percent. measure: expression, what of a transaction counts. eligible: condition, which transactions count; NULL: all.
credits: direct, rollup or all. quota: measure whose quota attainment is reckoned against. accumulate: deal, period, or the grain of a longer period. variable: multiplies all rates. unit: money or count.
places, rounding: how each deal is rounded; places defaults to those of the currency.
Errors: 42P17, 42703 and others for a refused expression, 22P02 for rates that cannot be read, 42704 for an unknown name, 55000 without a draft.
Example: SELECT spm.add_component(''Account Executive'', ''Commission'', ''0%: 8%, 80%: 10%, 100%: 14%'', quota => ''bookings'');';

CREATE FUNCTION spm.drop_component(plan text, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(drop_component.plan);
BEGIN
    DELETE FROM spm.component c WHERE c.plan_version_id = version AND c.name = drop_component.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', drop_component.plan, drop_component.name
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_component(text, text) IS
'Removes a component from the draft of a plan.
Errors: 42704 when there is none of that name, 55000 without a draft.
Example: SELECT spm.drop_component(''Account Executive'', ''Commission'');';

CREATE FUNCTION spm._is_of_quota(schedule spm.rate_schedule)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT schedule::text ~ '^[0-9.]+%';
END;
COMMENT ON FUNCTION spm._is_of_quota(spm.rate_schedule) IS 'Whether the tiers of a schedule are shares of quota.';
REVOKE ALL ON FUNCTION spm._is_of_quota(spm.rate_schedule) FROM PUBLIC;

CREATE FUNCTION spm._rate_options(schedule spm.rate_schedule)
    RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(substring(schedule::text FROM '[a-z].*$'), '');
END;
COMMENT ON FUNCTION spm._rate_options(spm.rate_schedule) IS 'The options in the text of a schedule: what follows its tiers.';
REVOKE ALL ON FUNCTION spm._rate_options(spm.rate_schedule) FROM PUBLIC;

CREATE FUNCTION spm.component_rates(component_id int)
    RETURNS spm.rate_schedule
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (string_agg(CASE c.tier_basis
                WHEN 'quota' THEN 100 * lower(t.bounds) || '%..' || coalesce(100 * upper(t.bounds) || '%', '')
                ELSE lower(t.bounds) || '..' || coalesce(upper(t.bounds)::text, '')
            END || ': ' || t.rate, ', ' ORDER BY lower(t.bounds)) || ' ' || c.rate_options)::spm.rate_schedule
    FROM spm.component c JOIN spm.tier t USING (component_id)
    WHERE c.component_id = component_rates.component_id
    GROUP BY c.component_id;
END;
COMMENT ON FUNCTION spm.component_rates(int) IS
'Rate schedule of a component, made from its tiers and options. NULL when it has no tiers.
component_id: key. Errors: 22023 for tiers that leave a gap.
Example: SELECT spm.component_rates(1);';

CREATE FUNCTION spm.assign_plan(plan text, since date, until date DEFAULT NULL, payee text DEFAULT NULL,
                                           "position" text DEFAULT NULL, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record;
    id int;
BEGIN
    IF num_nonnulls(assign_plan.payee, assign_plan."position", assign_plan.title) <> 1 THEN
        RAISE EXCEPTION 'a plan is assigned to a payee, a position or a title'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('SELECT spm.assign_plan(%L, since => %L, title => ...);', assign_plan.plan, assign_plan.since);
    END IF;
    target := spm._target(assign_plan.payee, assign_plan."position", assign_plan.title);
    INSERT INTO spm.plan_assignment (plan_id, payee_id, position_id, title_id, span)
    VALUES (spm._plan_id(assign_plan.plan), target.payee_id, target.position_id, target.title_id,
            daterange(assign_plan.since, assign_plan.until))
    RETURNING plan_assignment_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.assign_plan(text, date, date, text, text, text) IS
'Puts a payee, a position or everybody in a title on a plan, and returns the plan_assignment_id.
plan: name. since: first day. until: day after the last; NULL: for good. payee, position, title: exactly one, by key or name.
Errors: 22023 unless exactly one is given, 42704 for an unknown name, 23P01 when it is assigned already in that time.
Example: SELECT spm.assign_plan(''Account Executive'', ''2026-01-01'', title => ''AE'');';

-- ---------------------------------------------------------------- publishing

CREATE FUNCTION spm._plan_hash(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(convert_to(coalesce(jsonb_agg(jsonb_build_array(
               c.component_id, c.component_no, c.name, c.credit_kind, c.measure_expression, c.eligibility_expression,
               c.unit, c.measure_id, c.accumulate, c.tier_basis, c.rate_options, c.variable_id, c.places, c.rounding,
               (SELECT jsonb_agg(jsonb_build_array(t.bounds::text, t.rate::text) ORDER BY lower(t.bounds))
                FROM spm.tier t WHERE t.component_id = c.component_id)) ORDER BY c.component_no)::text, ''), 'UTF8')), 'hex')
    FROM spm.component c WHERE c.plan_version_id = _plan_hash.plan_version_id;
END;
COMMENT ON FUNCTION spm._plan_hash(int) IS 'SHA-256 of everything a plan version says.';
REVOKE ALL ON FUNCTION spm._plan_hash(int) FROM PUBLIC;

CREATE FUNCTION spm._open_periods(calendar_id int, span daterange)
    RETURNS TABLE (period_id int, nth bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.period_id, row_number() OVER (ORDER BY p.span)
    FROM spm.period p
    WHERE p.calendar_id = _open_periods.calendar_id AND p.span && _open_periods.span AND p.state <> 'posted'
      AND NOT EXISTS (SELECT FROM spm.period part WHERE part.parent_period_id = p.period_id);
END;
COMMENT ON FUNCTION spm._open_periods(int, daterange) IS 'Periods of a span that are still to be calculated or posted, in order.';
REVOKE ALL ON FUNCTION spm._open_periods(int, daterange) FROM PUBLIC;

CREATE FUNCTION spm.plan_defect(plan text, version_no int DEFAULT NULL)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    key int := spm._plan_id(plan_defect.plan);
    of_plan spm.plan;
    version spm.plan_version;
    part record;
    message text;
    hint text;
BEGIN
    SELECT p.* INTO of_plan FROM spm.plan p WHERE p.plan_id = key;
    SELECT v.* INTO version FROM spm.plan_version v
    WHERE v.plan_id = of_plan.plan_id AND (plan_defect.version_no IS NULL OR v.version_no = plan_defect.version_no)
    ORDER BY v.version_no DESC LIMIT 1;
    IF version.plan_version_id IS NULL THEN
        RAISE EXCEPTION 'plan "%" has no version %', plan_defect.plan, plan_defect.version_no
            USING ERRCODE = 'undefined_object';
    END IF;
    IF NOT EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = version.plan_version_id) THEN
        RETURN QUERY SELECT NULL::text, 'the version has no component',
            format('SELECT spm.add_component(%L, name, rates);', of_plan.name);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period p WHERE p.calendar_id = of_plan.calendar_id AND p.span && version.span) THEN
        RETURN QUERY SELECT NULL::text, 'the calendar has no period on or after the first day of the version',
            'Add periods with spm.create_calendar() or spm.load_periods().'::text;
    END IF;
    FOR part IN SELECT c.* FROM spm.component c WHERE c.plan_version_id = version.plan_version_id ORDER BY c.component_no LOOP
        IF NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = part.component_id) THEN
            RETURN QUERY SELECT part.name, 'it has no tier', 'Insert its tiers into spm.tier.'::text;
        ELSE
            BEGIN
                PERFORM spm.component_rates(part.component_id);
            EXCEPTION WHEN data_exception OR feature_not_supported OR program_limit_exceeded THEN
                GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
                RETURN QUERY SELECT part.name, message, hint;
            END;
        END IF;
        BEGIN
            PERFORM spm.checked_expression(part.measure_expression, 'numeric'),
                    spm.checked_expression(part.eligibility_expression, 'boolean');
        EXCEPTION WHEN others THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT part.name, message, hint;
        END;
        IF part.accumulate NOT IN ('deal', 'period') AND NOT EXISTS (
            SELECT FROM spm.period p WHERE p.calendar_id = of_plan.calendar_id AND p.grain = part.accumulate) THEN
            RETURN QUERY SELECT part.name,
                format('it accumulates over a %s, but the calendar has none', part.accumulate),
                'Use deal, period, or a grain of the calendar.'::text;
        END IF;
        IF part.measure_id IS NOT NULL THEN
            RETURN QUERY
            WITH seat AS MATERIALIZED (SELECT a.* FROM spm.plan_seat(of_plan.plan_id, version.span) a),
            due AS (    -- periods, and those whose quota would do
                SELECT o.period_id, p.name, p.span,
                       array(SELECT w.period_id FROM spm.period w WHERE w.calendar_id = of_plan.calendar_id AND (
                             w.period_id = o.period_id
                             OR w.span <@ whole.span AND whole.period_id <> o.period_id AND (w.period_id = whole.period_id OR spm._is_leaf(w.period_id)))) AS any_of
                FROM spm._open_periods(of_plan.calendar_id, version.span) o
                JOIN spm.period p USING (period_id)
                JOIN spm.period whole ON whole.period_id = spm._whole(o.period_id, part.accumulate)
                WHERE o.nth = 1 OR EXISTS (SELECT FROM spm.quota q WHERE q.measure_id = part.measure_id
                                           AND q.period_id = o.period_id AND q.superseded_at IS NULL))
            SELECT part.name, format('position %s has no quota for %s in %s', s.position_key, m.name, p.name),
                   format('SELECT spm.set_quota(%L, %L, amount, %L);', s.position_key, p.name, m.name)
            FROM spm.measure m, due p, seat a
            JOIN spm.position s USING (position_id)
            WHERE m.measure_id = part.measure_id AND part.tier_basis = 'quota' AND a.spans && p.span
              AND NOT EXISTS (SELECT FROM spm.quota q WHERE q.position_id = a.position_id AND q.measure_id = part.measure_id
                              AND q.period_id = ANY (p.any_of) AND q.superseded_at IS NULL)
            ORDER BY p.span, s.position_key;
        END IF;
        IF part.variable_id IS NOT NULL THEN
            RETURN QUERY
            SELECT part.name, format('payee %s has no value of %s in %s', y.payee_key, v.name, p.name),
                   format('SELECT spm.set_variable(%L, value, payee => %L);', v.name, y.payee_key)
            FROM spm.variable v, spm.period p, spm.plan_seat(of_plan.plan_id, version.span) a
            JOIN spm.payee y USING (payee_id)
            WHERE v.variable_id = part.variable_id AND a.spans && p.span
              AND p.period_id IN (SELECT o.period_id FROM spm._open_periods(of_plan.calendar_id, version.span) o WHERE o.nth = 1)
              AND spm.variable_value(v.variable_id, a.payee_id, a.position_id, p.span) IS NULL
            ORDER BY p.span, y.payee_key;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm.plan_defect(text, int) IS
'Everything that keeps a plan version from being published, one row per defect: the component, what is wrong, and the call that repairs it. No row: it is sound.
plan: name. version_no: number; NULL: the latest. Quotas are looked for in the first open period and in every later one for which somebody has a quota of that measure; variables in the first open period.
Errors: 42704 for an unknown plan or version.
Example: SELECT * FROM spm.plan_defect(''Account Executive'');';

CREATE FUNCTION spm.publish_plan(plan text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    draft int := spm._draft_id(publish_plan.plan);
    version spm.plan_version;
    defects text;
    number bigint;
BEGIN
    SELECT v.* INTO version FROM spm.plan_version v WHERE v.plan_version_id = draft FOR UPDATE;
    SELECT count(*), string_agg(format('%s: %s', coalesce(d.component, 'plan'), d.defect), E'\n') INTO number, defects
    FROM spm.plan_defect(publish_plan.plan, version.version_no) d;
    IF number > 0 THEN
        RAISE EXCEPTION 'plan "%" version % has % defect(s)', publish_plan.plan, version.version_no, number
            USING ERRCODE = 'check_violation', DETAIL = defects,
                  HINT = format('SELECT * FROM spm.plan_defect(%L); names the repair of each.', publish_plan.plan);
    END IF;
    -- the version before ends where this one begins
    UPDATE spm.plan_version v SET span = v.span * daterange(NULL, lower(version.span)), state = 'retired'
    WHERE v.plan_id = version.plan_id AND v.state = 'published' AND lower(v.span) < lower(version.span);
    UPDATE spm.plan_version v
    SET state = 'published', published_at = clock_timestamp(), published_by = session_user,
        content_hash = spm._plan_hash(v.plan_version_id)
    WHERE v.plan_version_id = version.plan_version_id;
    RETURN version.version_no;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'plan "%" version % overlaps a version that is published', publish_plan.plan, version.version_no
        USING ERRCODE = 'exclusion_violation',
              HINT = 'Let it begin after the first day of the version before.';
END
$$;
COMMENT ON FUNCTION spm.publish_plan(text) IS
'Publishes the draft of a plan, and returns its version number. From then on the version never changes; the one before it ends where it begins.
plan: name.
Errors: 23514 with every defect in the detail, 55000 without a draft, 23P01 when it would begin before the published version.
Example: SELECT spm.publish_plan(''Account Executive'');';

CREATE FUNCTION spm.retire_plan(plan text, until date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(retire_plan.plan);
BEGIN
    UPDATE spm.plan_version v SET span = v.span * daterange(NULL, retire_plan.until), state = 'retired'
    WHERE v.plan_id = of_plan AND v.state = 'published' AND v.span @> retire_plan.until;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no published version on %', retire_plan.plan, retire_plan.until
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.retire_plan(text, date) IS
'Ends a plan: its published version applies no longer from a day on.
plan: name. until: day after the last one.
Errors: 55000 when no published version holds on that day.
Example: SELECT spm.retire_plan(''Account Executive'', ''2027-01-01'');';

CREATE FUNCTION spm._guard_plan_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.span @> NEW.span AND lower(OLD.span) IS NOT DISTINCT FROM lower(NEW.span)
       AND NEW.state IN (OLD.state, 'retired')
       AND (OLD.plan_id, OLD.version_no, OLD.published_at, OLD.published_by, OLD.content_hash)
           IS NOT DISTINCT FROM (NEW.plan_id, NEW.version_no, NEW.published_at, NEW.published_by, NEW.content_hash) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a published plan version never changes'
        USING ERRCODE = 'restrict_violation', DETAIL = format('Version %s of plan %s is %s.', OLD.version_no, OLD.plan_id, OLD.state),
              HINT = 'SELECT spm.new_plan_version(plan, since);';
END
$$;
COMMENT ON FUNCTION spm._guard_plan_version() IS 'Trigger: a published version may only end.';
REVOKE ALL ON FUNCTION spm._guard_plan_version() FROM PUBLIC;

CREATE FUNCTION spm._guard_component()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- additions are found by the hash of the version: a restore must be able to load them
    IF EXISTS (SELECT FROM spm.plan_version v JOIN spm.component c USING (plan_version_id)
               WHERE c.component_id = OLD.component_id AND v.state <> 'draft') THEN
        RAISE EXCEPTION 'a published plan version never changes'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Component %s belongs to one.', OLD.component_id),
                  HINT = 'SELECT spm.new_plan_version(plan, since);';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_component() IS 'Trigger: components and tiers of a published version stay as they are.';
REVOKE ALL ON FUNCTION spm._guard_component() FROM PUBLIC;

-- ----------------------------------------------------------------- crediting

CREATE FUNCTION spm.add_credit_rule(name text, condition text, payees text[], shares numeric[],
                                               since date, until date DEFAULT NULL, priority int DEFAULT 100)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
    total numeric := (SELECT sum(s) FROM unnest(add_credit_rule.shares) s);
BEGIN
    IF cardinality(add_credit_rule.payees) IS DISTINCT FROM cardinality(add_credit_rule.shares) OR total IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION 'shares of credit rule "%" must total 1, one for each payee', add_credit_rule.name
            USING ERRCODE = 'check_violation',
                  DETAIL = format('%s payees, %s shares, total %s.', cardinality(add_credit_rule.payees),
                                  cardinality(add_credit_rule.shares), total),
                  HINT = 'Write 60 % as 0.6.';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, priority)
    VALUES (add_credit_rule.name, spm.checked_expression(add_credit_rule.condition, 'boolean'),
            daterange(add_credit_rule.since, add_credit_rule.until), add_credit_rule.priority)
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(s.payee, NULL, NULL)).payee_id, s.share
    FROM unnest(add_credit_rule.payees, add_credit_rule.shares) s(payee, share);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_credit_rule(text, text, text[], numeric[], date, date, int) IS
'Adds a rule that shares transactions among payees, and returns its credit_rule_id.
name: unique. condition: which transactions. payees, shares: who, and how much each; the shares total 1. since, until: days of the transactions, until exclusive. priority: the smallest wins.
Errors: 23514 when the shares do not total 1, 42704 for an unknown payee, 42P17 and others for a refused condition.
Example: SELECT spm.add_credit_rule(''Acme'', ''account_key = ''''ACME'''''', ''{U-1,U-2}'', ''{0.6,0.4}'', ''2026-01-01'');';

CREATE FUNCTION spm._check_rule_shares()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT r.name, sum(s.share) AS total INTO wrong
    FROM spm.credit_rule r LEFT JOIN spm.credit_rule_share s USING (credit_rule_id)
    WHERE r.credit_rule_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.credit_rule_id ELSE NEW.credit_rule_id END
    GROUP BY r.credit_rule_id HAVING sum(s.share) IS DISTINCT FROM 1;
    IF FOUND THEN
        RAISE EXCEPTION 'shares of credit rule "%" must total 1', wrong.name
            USING ERRCODE = 'check_violation', DETAIL = format('They total %s.', coalesce(wrong.total, 0));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_rule_shares() IS 'Trigger at commit: the shares of a rule total 1.';
REVOKE ALL ON FUNCTION spm._check_rule_shares() FROM PUBLIC;

CREATE FUNCTION spm._guard_ledger()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM spm.posting p WHERE p.posting_id IN (OLD.posting_id, NEW.posting_id) AND p.state = 'posted') THEN
        RAISE EXCEPTION 'a posted row of spm.% never changes', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Correct its cause: the next calculation pays the difference.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_ledger() IS 'Trigger: rows of a posted posting stay as they are, and no row is moved into one.';
REVOKE ALL ON FUNCTION spm._guard_ledger() FROM PUBLIC;

CREATE FUNCTION spm._refuse_truncate()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'spm.% cannot be emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION spm._refuse_truncate() IS 'Trigger: a ledger is not truncated.';
REVOKE ALL ON FUNCTION spm._refuse_truncate() FROM PUBLIC;

CREATE FUNCTION spm._guard_credited()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_used boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM spm.credit c WHERE c.%1$I = ($1).%1$I%2$s)', TG_ARGV[0],
        CASE TG_ARGV[0] WHEN 'position_id' THEN ' OR c.origin_position_id = ($1).position_id' ELSE '' END) INTO is_used USING OLD;
    IF is_used THEN
        RAISE EXCEPTION 'credits refer to this row of spm.%', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', DETAIL = format('%s', OLD), HINT = 'End it by its span instead.';
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION spm._guard_credited() IS 'Trigger: what a credit refers to is not deleted. Its argument is the key.';
REVOKE ALL ON FUNCTION spm._guard_credited() FROM PUBLIC;

CREATE TRIGGER guard_credited BEFORE DELETE ON spm.payee
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('payee_id');
CREATE TRIGGER guard_credited BEFORE DELETE ON spm.position
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('position_id');
CREATE TRIGGER guard_credited BEFORE DELETE ON spm.period
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('period_id');
CREATE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.schedule
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._guard_plan_version();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.component
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.tier
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.posting
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.credit
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.measurement
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.earning
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payout
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.credit
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.measurement
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.earning
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payout
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();

-- a constraint trigger has no OR REPLACE
DROP TRIGGER IF EXISTS shares ON spm.credit_rule_share;
CREATE CONSTRAINT TRIGGER shares AFTER INSERT OR UPDATE OR DELETE ON spm.credit_rule_share
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spm._check_rule_shares();
/*
 * compensation/stages.sql: transaction -> credit -> measurement -> earning ->
 * payout.  Each stage is one query over the stage before it; its rows are
 * compared with the ledger, and only what differs is written.
 */

-- ------------------------------------------------------- who is on what, when

CREATE FUNCTION spm.plan_seat(plan_id int, span daterange)
    RETURNS TABLE (position_id int, payee_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.position_id, t.payee_id, range_agg(t.span * plan_seat.span)
    FROM (SELECT s.position_id, s.payee_id, s.span * a.span AS span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (payee_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (position_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position p USING (title_id) JOIN spm.position_assignment s ON s.position_id = p.position_id
          WHERE a.plan_id = plan_seat.plan_id) t
    WHERE t.span && plan_seat.span
    GROUP BY t.position_id, t.payee_id;
END;
COMMENT ON FUNCTION spm.plan_seat(int, daterange) IS
'Who is on a plan during a span: position, payee sitting there, and the days.
plan_id: key. span: days looked at.
Example: SELECT * FROM spm.plan_seat(1, ''[2026-01-01,2026-04-01)'');';

CREATE FUNCTION spm._is_leaf(period_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM spm.period p WHERE p.parent_period_id = _is_leaf.period_id);
END;
COMMENT ON FUNCTION spm._is_leaf(int) IS 'Whether a period has no parts: such periods are calculated.';
REVOKE ALL ON FUNCTION spm._is_leaf(int) FROM PUBLIC;

CREATE FUNCTION spm._whole(period_id int, accumulate text)
    RETURNS int
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _whole.accumulate IN ('deal', 'period') THEN _whole.period_id ELSE (
        WITH RECURSIVE up AS (
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p WHERE p.period_id = _whole.period_id
            UNION ALL
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p JOIN up ON p.period_id = up.parent_period_id)
        SELECT up.period_id FROM up WHERE up.grain = _whole.accumulate) END;
END;
COMMENT ON FUNCTION spm._whole(int, text) IS 'Period that a component accumulates over, when it is calculated for a period.';
REVOKE ALL ON FUNCTION spm._whole(int, text) FROM PUBLIC;

CREATE FUNCTION spm._quota_join(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c record;
    whole spm.period;
    parts text;
BEGIN
    SELECT k.name, k.measure_id, k.tier_basis, k.accumulate, p.name AS plan_name, m.name AS measure_name INTO c
    FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    LEFT JOIN spm.measure m USING (measure_id)
    WHERE k.component_id = _quota_join.component_id;
    IF c.measure_id IS NULL THEN
        RETURN E'\n    CROSS JOIN (SELECT NULL::numeric AS quota_amount) q';
    END IF;
    SELECT p.* INTO whole FROM spm.period p WHERE p.period_id = spm._whole(_quota_join.period_id, c.accumulate);
    SELECT string_agg(p.period_id::text, ', ' ORDER BY p.span) INTO parts
    FROM spm.period p
    WHERE p.calendar_id = whole.calendar_id AND p.span <@ whole.span AND p.period_id <> whole.period_id AND spm._is_leaf(p.period_id);
    -- the quota of all that the component accumulates over, else the sum of its parts
    RETURN format($sql$
    LEFT JOIN spm.quota w ON w.position_id = s.position_id AND w.measure_id = %1$s AND w.period_id = %2$s AND w.superseded_at IS NULL$sql$,
        c.measure_id, whole.period_id)
    || CASE WHEN parts IS NOT NULL THEN format($sql$
    LEFT JOIN (SELECT q.position_id, sum(q.amount) AS amount FROM spm.quota q
               WHERE q.measure_id = %1$s AND q.period_id IN (%2$s) AND q.superseded_at IS NULL GROUP BY q.position_id) n
        ON n.position_id = s.position_id$sql$, c.measure_id, parts) ELSE '' END
    || format($sql$
    CROSS JOIN LATERAL (SELECT coalesce(w.amount%1$s%2$s) AS quota_amount) q$sql$,
        CASE WHEN parts IS NOT NULL THEN ', n.amount' ELSE '' END,
        CASE WHEN c.tier_basis = 'quota' THEN format($q$, spm._refuse(
            format('position "%%s" has no quota of %%s for %%s', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %1$L, %2$L),
            %3$L, format('SELECT spm.set_quota(%%L, %%L, amount, %%L);', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %2$L, %1$L))$q$,
            c.measure_name, whole.name, format('Component "%s" of plan "%s" needs it.', c.name, c.plan_name)) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._quota_join(int, int) IS 'SQL that joins the quota of a component to its seats.';
REVOKE ALL ON FUNCTION spm._quota_join(int, int) FROM PUBLIC;

CREATE FUNCTION spm._refuse(message text, detail text, hint text)
    RETURNS numeric
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%', _refuse.message
        USING ERRCODE = 'data_exception', DETAIL = _refuse.detail, HINT = _refuse.hint;
END
$$;
COMMENT ON FUNCTION spm._refuse(text, text, text) IS 'Raises error 22000 from within a query that meets a row it cannot use.';
REVOKE ALL ON FUNCTION spm._refuse(text, text, text) FROM PUBLIC;

-- ------------------------------------------------------------------ crediting

CREATE FUNCTION spm._claim_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    days daterange := (SELECT p.span FROM spm.period p WHERE p.period_id = _claim_query.period_id);
    rules text;
BEGIN
    SELECT string_agg(format(E'\n               WHEN t.event_date <@ %L::daterange AND (%s) THEN %s', r.span, r.condition, r.credit_rule_id),
                      '' ORDER BY r.priority, r.credit_rule_id) INTO rules
    FROM spm.credit_rule r WHERE r.span && days;
    RETURN format($sql$
WITH split AS (    -- shares that the warehouse gives
    SELECT s.source, s.transaction_key, s.line,
           CASE WHEN bool_and(coalesce(s.share >= 0, false)) THEN sum(s.share) END AS total,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS shares,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) AS all_owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) AS all_shares
    FROM spm.transaction_split s
    GROUP BY s.source, s.transaction_key, s.line
), rule AS (       -- shares that rules give
    SELECT r.credit_rule_id, array_agg(y.payee_key ORDER BY y.payee_key COLLATE "C") AS owners,
           array_agg(r.share ORDER BY y.payee_key COLLATE "C") AS shares
    FROM spm.credit_rule_share r JOIN spm.payee y USING (payee_id)
    GROUP BY r.credit_rule_id
), booked AS (
    SELECT t.*, %s AS credit_rule_id
    FROM spm.transaction t
    WHERE t.event_date >= %L AND t.event_date < %L
)
SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity,
       CASE WHEN t.transaction_key IS NULL OR t.type IS NULL OR t.currency_code IS NULL OR t.amount IS NULL
                 OR t.amount = 'NaN' OR abs(t.amount) >= 1e15
            THEN spm._refuse(format('transaction %%s/%%s has no usable %%s', t.source, coalesce(t.transaction_key, '(no key)'),
                     CASE WHEN t.transaction_key IS NULL THEN 'key' WHEN t.type IS NULL THEN 'type'
                          WHEN t.currency_code IS NULL THEN 'currency' ELSE 'amount' END),
                 format('Line "%%s" of %%s.', t.line, t.event_date),
                 'Repair the row, or leave it out with the filter of spm.map_source().')
            WHEN s.all_shares IS NOT NULL AND s.total IS DISTINCT FROM 1
            THEN spm._refuse(format('shares of transaction %%s/%%s %%s', t.source, t.transaction_key,
                     coalesce('total ' || s.total || ', not 1', 'must be given and not negative')),
                 format('Line "%%s": %%s have %%s.', t.line, s.all_owners, s.all_shares),
                 'Repair the rows of the relation given to spm.map_split().')
            ELSE t.amount END AS amount,
       t.cost, t.list_amount, t.currency_code, t.attributes,
       coalesce(c.owner_key, '') AS owner_key,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN coalesce(s.shares, r.shares) END AS shares,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN c.share_no::int END AS share_no,
       coalesce((coalesce(s.shares, r.shares))[c.share_no], 1) AS share,
       y.payee_id, seat.position_id,
       CASE WHEN c.owner_key IS NULL THEN 'it has no owner'
            WHEN y.payee_id IS NULL THEN 'its owner is not a payee'
            WHEN seat.position_id IS NULL THEN 'its owner held no position on that day' END AS reason
FROM booked t
LEFT JOIN split s ON s.source = t.source AND s.transaction_key = t.transaction_key AND coalesce(s.line, t.line) = t.line
LEFT JOIN rule r ON r.credit_rule_id = t.credit_rule_id AND s.owners IS NULL
CROSS JOIN LATERAL unnest(coalesce(s.owners, r.owners, ARRAY[t.owner_key])) WITH ORDINALITY c(owner_key, share_no)
LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
LEFT JOIN spm.position_assignment seat ON seat.payee_id = y.payee_id AND seat.is_primary AND t.event_date <@ seat.span
$sql$, coalesce('CASE' || rules || E'\n          END', 'NULL::int'), lower(days), upper(days));
END
$$;
COMMENT ON FUNCTION spm._claim_query(int) IS 'SQL that finds who shares in each transaction of a period, and where that payee sits.';
REVOKE ALL ON FUNCTION spm._claim_query(int) FROM PUBLIC;

CREATE FUNCTION spm._credit_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN format($sql$
WITH direct AS (
    SELECT c.*, CASE WHEN c.shares IS NULL THEN c.amount
                     ELSE (spm.split(c.amount, c.shares, coalesce(k.minor_digits, 2)))[c.share_no] END AS credited_amount
    FROM pg_temp.spm_claim c LEFT JOIN spm.currency k USING (currency_code)
    WHERE c.reason IS NULL
), above AS (      -- seats whose plan pays for what comes up the tree
    SELECT s.position_id, s.payee_id, range_agg(d.days) AS spans
    FROM spm.plan_version v
    JOIN spm.plan p USING (plan_id)
    CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
    CROSS JOIN LATERAL unnest(s.spans) d(days)
    WHERE v.state <> 'draft' AND p.calendar_id = (SELECT calendar_id FROM spm.period WHERE period_id = %1$s)
      AND EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = v.plan_version_id AND c.credit_kind <> 'direct')
    GROUP BY s.position_id, s.payee_id
)
SELECT d.position_id, d.payee_id, 'direct' AS kind, d.position_id AS origin_position_id, 0::smallint AS level,
       d.share, d.shares, d.share_no, d.credited_amount, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes
FROM direct d
UNION ALL
SELECT a.position_id, a.payee_id, 'rollup', d.position_id, p.depth,
       d.share, d.shares, d.share_no, d.credited_amount, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes
FROM direct d
JOIN spm.position_path p ON p.position_id = d.position_id AND d.event_date <@ p.span
JOIN above a ON a.position_id = p.ancestor_position_id AND d.event_date <@ a.spans
$sql$, _credit_query.period_id);
END
$$;
COMMENT ON FUNCTION spm._credit_query(int) IS 'SQL that makes the credits of a period: direct ones, and those that roll up.';
REVOKE ALL ON FUNCTION spm._credit_query(int) FROM PUBLIC;

-- -------------------------------------------- one component, as a single query

CREATE FUNCTION spm._one_line(name text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT regexp_replace(_one_line.name, '[[:cntrl:]\u0085\u2028\u2029]', ' ', 'g');
END;
COMMENT ON FUNCTION spm._one_line(text) IS 'A name as it may stand in an SQL comment: it must not end the line.';
REVOKE ALL ON FUNCTION spm._one_line(text) FROM PUBLIC;

CREATE FUNCTION spm._component_query(component_id int, period_id int, stage text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    today spm.period;
    whole spm.period;
    deal text;
    rounding text;
BEGIN
    SELECT k.*, v.plan_id, v.version_no, v.span, p.name AS plan_name, p.currency_code, p.rate_type,
           u.minor_digits, m.name AS measure_name, x.name AS variable_name INTO c
    FROM spm.component k
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan p USING (plan_id)
    JOIN spm.currency u USING (currency_code)
    LEFT JOIN spm.measure m USING (measure_id)
    LEFT JOIN spm.variable x USING (variable_id)
    WHERE k.component_id = _component_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _component_query.period_id;
    SELECT p.* INTO whole FROM spm.period p WHERE p.period_id = spm._whole(today.period_id, c.accumulate);
    rounding := format('%s, %L', c.places, c.rounding);

    -- what counts of every credit since the running total began
    deal := format($sql$-- %1$s v%2$s, component %3$s "%4$s", %5$s: %6$s
WITH deal AS (
    SELECT t.credit_id, t.position_id, t.payee_id, t.event_date, t.transaction_key, t.line, t.source, t.level, t.origin_position_id,
           r.exchange_rate,
           CASE WHEN t.shares IS NULL THEN v.value ELSE (spm.split(v.value, t.shares, %7$s))[t.share_no] END AS base_amount
    FROM spm.standing_credit t
    JOIN spm.plan_seat(%8$s, %9$L) s ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans
$sql$, spm._one_line(c.plan_name), c.version_no, c.component_no, spm._one_line(c.name), spm._one_line(today.name), _component_query.stage,
        CASE c.unit WHEN 'count' THEN greatest(c.minor_digits, 2) ELSE c.minor_digits END, c.plan_id, c.span)
    || CASE c.unit WHEN 'count' THEN $sql$    CROSS JOIN LATERAL (SELECT 1::numeric AS exchange_rate) r
$sql$ ELSE format($sql$    LEFT JOIN spm.exchange_rate x ON x.rate_type = %1$L AND x.from_currency_code = t.currency_code
        AND x.to_currency_code = %2$L AND x.span && %3$L::daterange AND t.event_date <@ x.span
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t.currency_code = %2$L THEN 1
        WHEN x.rate IS NULL THEN spm._refuse(
            format('no %%s rate from %%s to %%s on %%s', %1$L, t.currency_code, %2$L, t.event_date),
            format('Transaction %%s/%%s needs it.', t.source, t.transaction_key),
            format('SELECT spm.set_exchange_rate(%%L, %%L, %%L, rate, %%L);', t.currency_code, %2$L, t.event_date, %1$L))
        ELSE x.rate END AS exchange_rate) r
$sql$, c.rate_type, c.currency_code, daterange(lower(whole.span), upper(today.span))) END
    || format($sql$    CROSS JOIN LATERAL (SELECT coalesce((%1$s)::numeric, spm._refuse(
            format('measure of component "%%s" is NULL for transaction %%s/%%s', %2$L, t.source, t.transaction_key),
            %3$L, 'Use coalesce() in the measure, or leave the transaction out with a condition.')) AS value) m
    CROSS JOIN LATERAL (SELECT %4$s AS value) v
    WHERE %5$s AND t.period_id = ANY (%6$L::int[])
      AND t.event_date >= %7$L AND t.event_date < %8$L%9$s
)$sql$, c.measure_expression, c.name, 'It is ' || c.measure_expression || '.',
        CASE c.unit WHEN 'count' THEN 'm.value'
             ELSE format('CASE WHEN t.currency_code = %L THEN m.value ELSE spm.rounded(m.value * r.exchange_rate, %s) END', c.currency_code, c.minor_digits) END,
        CASE c.credit_kind WHEN 'all' THEN 'true' ELSE format('t.kind = %L', c.credit_kind) END,
        (SELECT array_agg(p.period_id ORDER BY p.period_id) FROM spm.period p
         WHERE p.calendar_id = today.calendar_id AND p.span <@ daterange(lower(whole.span), upper(today.span))),
        lower(whole.span), upper(today.span),
        E'\n      AND (' || c.eligibility_expression || ')');

    IF _component_query.stage = 'measurement' THEN
        RETURN deal || format($sql$, total AS (
    SELECT d.position_id, d.payee_id,
           count(*) FILTER (WHERE d.event_date >= %1$L) AS credit_count,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date < %1$L), 0) AS opening_amount,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date >= %1$L), 0) AS amount
    FROM deal d GROUP BY d.position_id, d.payee_id
), rates AS MATERIALIZED (
    SELECT spm.component_rates(%2$s) AS schedule
), seat AS MATERIALIZED (    -- everybody on the plan, what is expected, by which rates
    SELECT s.position_id, s.payee_id, q.quota_amount, f.factor, spm.with_factor(%3$s, f.factor) AS schedule
    FROM rates r
    CROSS JOIN spm.plan_seat(%4$s, %5$L) s%6$s
    CROSS JOIN LATERAL (SELECT %7$s AS factor) f
    WHERE s.spans && %8$L::daterange
)$sql$, lower(today.span), c.component_id,
            CASE c.tier_basis WHEN 'quota' THEN 'spm.for_quota(r.schedule, q.quota_amount)' ELSE 'r.schedule' END,
            c.plan_id, c.span, spm._quota_join(_component_query.component_id, today.period_id),
            CASE WHEN c.variable_id IS NULL THEN '1::numeric'
                 ELSE format($q$coalesce(spm.variable_value(%s, s.payee_id, s.position_id, %L), spm._refuse(
            format('payee "%%s" has no value of variable %%s for %%s', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %L, %L),
            %L, format('SELECT spm.set_variable(%%L, value, payee => %%L);', %L, (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id))))$q$,
                     c.variable_id, today.span, c.variable_name, today.name,
                     format('Component "%s" of plan "%s" needs it.', c.name, c.plan_name), c.variable_name) END,
            today.span)
        || CASE c.accumulate WHEN 'deal' THEN format($sql$, singly AS (    -- every deal from zero
    SELECT d.position_id, d.payee_id, sum(spm.commission(s.schedule, 0, d.base_amount, %1$s)) AS amount
    FROM deal d JOIN seat s USING (position_id, payee_id)
    WHERE d.event_date >= %2$L GROUP BY d.position_id, d.payee_id
)$sql$, rounding, lower(today.span)) ELSE '' END
        || format($sql$
SELECT %1$s AS component_id, s.position_id, s.payee_id, coalesce(t.credit_count, 0) AS credit_count,
       coalesce(t.opening_amount, 0) AS opening_amount, coalesce(t.amount, 0) AS amount, s.quota_amount, s.factor, s.schedule,
       %2$s AS earned_amount
FROM seat s LEFT JOIN total t USING (position_id, payee_id)%3$s$sql$, c.component_id,
            CASE c.accumulate WHEN 'deal' THEN 'coalesce(e.amount, 0)'
                 ELSE format('spm.commission(s.schedule, coalesce(t.opening_amount, 0), coalesce(t.opening_amount + t.amount, 0), %s)', rounding) END,
            CASE c.accumulate WHEN 'deal' THEN E'\nLEFT JOIN singly e USING (position_id, payee_id)' ELSE '' END);
    END IF;
    RETURN deal || format($sql$, running AS (    -- deals by date, then key
    SELECT d.*, %1$s AS from_total
    FROM deal d
)
SELECT %2$s AS component_id, d.credit_id, d.position_id, d.payee_id, d.exchange_rate, d.base_amount, d.from_total, m.schedule_id,
       spm.commission(k.schedule, d.from_total, d.from_total + d.base_amount, %3$s) AS amount
FROM running d
JOIN spm.standing_measurement m ON m.component_id = %2$s AND m.period_id = %4$s
    AND m.position_id = d.position_id AND m.payee_id = d.payee_id
JOIN spm.schedule k USING (schedule_id)
WHERE d.event_date >= %5$L$sql$,
        CASE c.accumulate WHEN 'deal' THEN '0::numeric' ELSE
            $w$sum(d.base_amount) OVER (
               PARTITION BY d.position_id, d.payee_id
               ORDER BY d.event_date, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C", d.level, d.origin_position_id
               ROWS UNBOUNDED PRECEDING) - d.base_amount$w$ END,
        c.component_id, rounding, today.period_id, lower(today.span));
END
$$;
COMMENT ON FUNCTION spm._component_query(int, int, text) IS 'SQL of one component for one period: stage measurement or earning.';
REVOKE ALL ON FUNCTION spm._component_query(int, int, text) FROM PUBLIC;

CREATE FUNCTION spm._components(period_id int)
    RETURNS SETOF spm.component
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.*
    FROM spm.period p
    JOIN spm.plan n USING (calendar_id)
    JOIN spm.plan_version v ON v.plan_id = n.plan_id AND v.state <> 'draft' AND v.span && p.span
    JOIN spm.component c USING (plan_version_id)
    WHERE p.period_id = _components.period_id
    ORDER BY c.component_id;
END;
COMMENT ON FUNCTION spm._components(int) IS 'Components that apply in a period.';
REVOKE ALL ON FUNCTION spm._components(int) FROM PUBLIC;

CREATE FUNCTION spm.plan_query(plan text, period text, stage text DEFAULT 'earning', calendar text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    of_plan int := spm._plan_id(plan_query.plan);
    of_period int := spm._period_id(plan_query.period, coalesce(plan_query.calendar,
        (SELECT k.name FROM spm.plan p JOIN spm.calendar k USING (calendar_id) WHERE p.plan_id = of_plan)));
    sql text;
BEGIN
    IF plan_query.stage NOT IN ('measurement', 'earning') THEN
        RAISE EXCEPTION 'stage "%" has no query of its own for a plan', plan_query.stage
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for measurement or earning.';
    END IF;
    SELECT string_agg(spm._component_query(c.component_id, of_period, plan_query.stage), E'\n\n' ORDER BY c.component_id) INTO sql
    FROM spm._components(of_period) c JOIN spm.plan_version v USING (plan_version_id)
    WHERE v.plan_id = of_plan;
    RETURN sql;
END
$$;
COMMENT ON FUNCTION spm.plan_query(text, text, text, text) IS
'The very SQL that a plan compiles to for a period, one query per component. It is what spm.calculate() runs.
plan, period: names. stage: measurement (credits to totals, quota and rates) or earning (each deal''s own). calendar: needed only when it is not the plan''s.
Returns NULL when no published version applies.
Errors: 42704 for an unknown plan or period, 22023 for another stage.
Example: SELECT spm.plan_query(''Account Executive'', ''2026-Q1'');';

-- --------------------------------------------------------- writing the ledger

CREATE FUNCTION spm._sync(relation text, keys text[], contents text[], negated text[],
                                     period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    id text := relation || '_id';
    columns text := array_to_string(keys || contents, ', ');
    same text := (SELECT string_agg(format('a.%1$s = b.%1$s', k), ' AND ' ORDER BY k) FROM unnest(keys) k)
        || (SELECT format(' AND (%s) IS NOT DISTINCT FROM (%s)', string_agg('a.' || c, ', ' ORDER BY c), string_agg('b.' || c, ', ' ORDER BY c))
            FROM unnest(contents) c);
    -- originals in closed postings that no closed posting has taken back
    posted text := format('SELECT o.* FROM spm.%1$I o JOIN spm.posting p USING (posting_id)
        WHERE o.period_id = %3$s AND p.state = ''posted'' AND o.reverses_id IS NULL AND NOT EXISTS (
            SELECT FROM spm.%1$I r JOIN spm.posting q USING (posting_id) WHERE r.reverses_id = o.%2$I AND q.state = ''posted'')',
        relation, id, _sync.period_id);
    wanted text := format('SELECT a.* FROM pg_temp.spm_result a WHERE NOT EXISTS (SELECT FROM (%s) b WHERE %s)', posted, same);
    has_posted boolean;
    changed bigint := 0;
    n bigint;
BEGIN
    EXECUTE format('SELECT EXISTS (%s)', posted) INTO has_posted;
    IF has_posted THEN
        EXECUTE format('DELETE FROM spm.%1$I d WHERE d.posting_id = $1 AND d.period_id = $2 AND d.reverses_id IS NOT NULL
            AND EXISTS (SELECT FROM (%2$s) a JOIN pg_temp.spm_result b ON %3$s WHERE a.%4$I = d.reverses_id)', relation, posted, same, id)
            USING _sync.posting_id, _sync.period_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
        EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, reverses_id, %2$s)
            SELECT $1, $2, $3, a.%3$I, %4$s FROM (%5$s) a
            WHERE NOT EXISTS (SELECT FROM pg_temp.spm_result b WHERE %6$s)
              AND NOT EXISTS (SELECT FROM spm.%1$I r WHERE r.reverses_id = a.%3$I)',
            relation, columns, id,
            (SELECT string_agg(CASE WHEN c = ANY (negated) THEN '-a.' ELSE 'a.' END || c, ', ' ORDER BY o)
             FROM unnest(keys || contents) WITH ORDINALITY u(c, o)), posted, same)
            USING _sync.posting_id, _sync.period_id, _sync.run_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
    ELSE
        wanted := 'SELECT a.* FROM pg_temp.spm_result a';
    END IF;
    EXECUTE format('DELETE FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL
        AND NOT EXISTS (SELECT FROM (%2$s) b WHERE %3$s)', relation, wanted, same)
        USING _sync.posting_id, _sync.period_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n;
    EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, %2$s)
        SELECT $1, $2, $3, %2$s FROM (%3$s) b
        WHERE NOT EXISTS (SELECT FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL AND %4$s)',
        relation, columns, wanted, same)
        USING _sync.posting_id, _sync.period_id, _sync.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint) IS
'Makes the draft of a posting say, together with what is posted, exactly what pg_temp.spm_result says of a period; returns the number of rows written or removed. Rows that are right stay untouched.';
REVOKE ALL ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint) FROM PUBLIC;

CREATE FUNCTION spm._drop_temporary(relation text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('pg_temp.' || _drop_temporary.relation) IS NOT NULL THEN
        EXECUTE format('DROP TABLE pg_temp.%I', _drop_temporary.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._drop_temporary(text) IS 'Drops a temporary table of an earlier call in the same transaction, without a notice when there is none.';
REVOKE ALL ON FUNCTION spm._drop_temporary(text) FROM PUBLIC;

CREATE FUNCTION spm._result(query text, relation text DEFAULT 'spm_result')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    -- a stage reads a whole period: where the planner would loop, it has guessed wrong;
    -- and compiling what runs once takes longer than running it
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    PERFORM spm._drop_temporary(_result.relation);
    EXECUTE format('CREATE TEMPORARY TABLE %I ON COMMIT DROP AS %s', _result.relation, _result.query);
    EXECUTE format('ANALYZE pg_temp.%I', _result.relation);
EXCEPTION WHEN data_exception THEN
    -- said again without the query, which would bury it
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION '%', message USING ERRCODE = state, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION spm._result(text, text) IS 'Runs the query of a stage into a temporary table.';
REVOKE ALL ON FUNCTION spm._result(text, text) FROM PUBLIC;

CREATE FUNCTION spm._credit_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    PERFORM spm._result(spm._claim_query(_credit_period.period_id), 'spm_claim');
    -- the claims on one row total 1, whoever makes them: more is a second row
    EXECUTE 'SELECT source, transaction_key, line, ceil(sum(share)) AS rows FROM pg_temp.spm_claim
             GROUP BY source, transaction_key, line HAVING sum(share) > 1
             UNION ALL
             SELECT source, transaction_key, line, count(*) FROM pg_temp.spm_claim WHERE shares IS NOT NULL
             GROUP BY source, transaction_key, line, owner_key HAVING count(*) > 1
             ORDER BY 1, 2, 3 LIMIT 1' INTO twice;
    IF twice.rows IS NOT NULL THEN
        RAISE EXCEPTION 'transaction %/% occurs % times', twice.source, twice.transaction_key, twice.rows
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source, and an owner a share of it: map another key or line, or a filter, with spm.map_source().';
    END IF;
    DELETE FROM spm.uncredited u WHERE u.period_id = _credit_period.period_id;
    EXECUTE 'INSERT INTO spm.uncredited (period_id, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, run_id)
             SELECT $1, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, $2
             FROM pg_temp.spm_claim WHERE reason IS NOT NULL'
        USING _credit_period.period_id, _credit_period.run_id;
    PERFORM spm._result(spm._credit_query(_credit_period.period_id));
    RETURN spm._sync('credit',
        ARRAY['position_id', 'transaction_key', 'line', 'source', 'kind', 'origin_position_id', 'owner_key'],
        ARRAY['payee_id', 'level', 'share', 'shares', 'share_no', 'credited_amount', 'event_date', 'type', 'account_key',
              'product_key', 'quantity', 'amount', 'cost', 'list_amount', 'currency_code', 'attributes'],
        ARRAY['credited_amount'], _credit_period.period_id, _credit_period.posting_id, _credit_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._credit_period(int, int, bigint) IS 'First stage: transactions to credits. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._credit_period(int, int, bigint) FROM PUBLIC;

CREATE FUNCTION spm._measure_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query text;
    missing record;
BEGIN
    SELECT c.name AS component, p.name AS period INTO missing
    FROM spm._components(_measure_period.period_id) c
    JOIN spm.period this ON this.period_id = _measure_period.period_id
    JOIN spm.period whole ON whole.period_id = spm._whole(this.period_id, c.accumulate)
    JOIN spm.period p ON p.calendar_id = this.calendar_id AND p.span <@ whole.span AND p.span << this.span AND p.state = 'open'
    WHERE spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is not calculated', missing.period
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Component "%s" goes on from its total.', missing.component),
                  HINT = format('CALL spm.calculate(%L);', missing.period);
    END IF;
    SELECT string_agg('(' || spm._component_query(c.component_id, _measure_period.period_id, 'measurement') || ')', E'\nUNION ALL\n') INTO query
    FROM spm._components(_measure_period.period_id) c;
    PERFORM spm._result(coalesce(query, 'SELECT 0 AS component_id, 0 AS position_id, 0 AS payee_id, 0::bigint AS credit_count,
        0.0 AS opening_amount, 0.0 AS amount, 0.0 AS quota_amount, 0.0 AS factor, NULL::spm.rate_schedule AS schedule, 0.0 AS earned_amount WHERE false'));
    EXECUTE 'INSERT INTO spm.schedule (schedule, definition)
             SELECT DISTINCT ON (schedule::text) schedule, schedule::text FROM pg_temp.spm_result
             ON CONFLICT (definition) DO NOTHING';
    EXECUTE 'ALTER TABLE pg_temp.spm_result ADD COLUMN schedule_id bigint';
    EXECUTE 'UPDATE pg_temp.spm_result r SET schedule_id = k.schedule_id FROM spm.schedule k WHERE k.definition = r.schedule::text';
    RETURN spm._sync('measurement', ARRAY['component_id', 'position_id', 'payee_id'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'factor', 'schedule_id', 'earned_amount'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'earned_amount'],
        _measure_period.period_id, _measure_period.posting_id, _measure_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._measure_period(int, int, bigint) IS 'Second stage: credits to totals, quota and rates. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._measure_period(int, int, bigint) FROM PUBLIC;

CREATE FUNCTION spm._earn_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query text;
BEGIN
    SELECT string_agg('(' || spm._component_query(c.component_id, _earn_period.period_id, 'earning') || ')', E'\nUNION ALL\n') INTO query
    FROM spm._components(_earn_period.period_id) c;
    PERFORM spm._result(coalesce(query, 'SELECT 0 AS component_id, 0::bigint AS credit_id, 0 AS position_id, 0 AS payee_id,
        0.0 AS exchange_rate, 0.0 AS base_amount, 0.0 AS from_total, 0::bigint AS schedule_id, 0.0 AS amount WHERE false'));
    RETURN spm._sync('earning', ARRAY['component_id', 'credit_id'],
        ARRAY['position_id', 'payee_id', 'exchange_rate', 'base_amount', 'from_total', 'schedule_id', 'amount'],
        ARRAY['base_amount', 'amount'],
        _earn_period.period_id, _earn_period.posting_id, _earn_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._earn_period(int, int, bigint) IS 'Third stage: what each deal earns. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._earn_period(int, int, bigint) FROM PUBLIC;

CREATE FUNCTION spm._pay(posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
    changed bigint;
BEGIN
    PERFORM spm._result(format('
        SELECT e.period_id, e.payee_id, e.position_id, e.component_id, p.currency_code, sum(e.amount) AS amount
        FROM spm.earning e
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.posting o USING (posting_id)
        WHERE e.posting_id = %s
        GROUP BY e.period_id, o.period_id, e.payee_id, e.position_id, e.component_id, p.currency_code
        HAVING sum(e.amount) <> 0 OR e.period_id = o.period_id', _pay.posting_id));
    EXECUTE 'DELETE FROM spm.payout o WHERE o.posting_id = $1 AND NOT EXISTS (
        SELECT FROM pg_temp.spm_result r WHERE (r.period_id, r.payee_id, r.position_id, r.component_id, r.currency_code, r.amount)
            = (o.period_id, o.payee_id, o.position_id, o.component_id, o.currency_code, o.amount))' USING _pay.posting_id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    EXECUTE 'INSERT INTO spm.payout (posting_id, run_id, period_id, payee_id, position_id, component_id, currency_code, amount)
        SELECT $1, $2, period_id, payee_id, position_id, component_id, currency_code, amount FROM pg_temp.spm_result
        ON CONFLICT (posting_id, period_id, payee_id, position_id, component_id) DO NOTHING' USING _pay.posting_id, _pay.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._pay(int, bigint) IS 'Fourth stage: the earnings of a posting to payouts. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._pay(int, bigint) FROM PUBLIC;

-- ------------------------------------------------------- calculating, posting

CREATE FUNCTION spm._digest(relation text, condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digest text;
BEGIN
    EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(hash_record_extended(r, 0)::numeric), 0) FROM %s r WHERE %s',
                   _digest.relation, _digest.condition) INTO digest;
    RETURN digest;
END
$$;
COMMENT ON FUNCTION spm._digest(text, text) IS 'Number of rows of a relation and a sum of their hashes, whatever their order.';
REVOKE ALL ON FUNCTION spm._digest(text, text) FROM PUBLIC;

CREATE FUNCTION spm._config_digest(calendar_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(spm._digest(r), ' ')
    FROM unnest(ARRAY['spm.currency', 'spm.exchange_rate', 'spm.payee', 'spm.position', 'spm.position_assignment',
        'spm.position_path', 'spm.quota', 'spm.plan', 'spm.plan_version', 'spm.component', 'spm.tier', 'spm.plan_assignment',
        'spm.variable_value', 'spm.credit_rule', 'spm.credit_rule_share', 'spm.source', 'spm.source_column', 'spm.transaction_split']) r
$$;
COMMENT ON FUNCTION spm._config_digest(int) IS 'Digest of everything but the transactions that results depend on.';
REVOKE ALL ON FUNCTION spm._config_digest(int) FROM PUBLIC;

CREATE FUNCTION spm._watermark(config text, span daterange)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(_watermark.config || spm._digest('spm.transaction',
        format('r.event_date >= %L AND r.event_date < %L', lower(_watermark.span), upper(_watermark.span))))
$$;
COMMENT ON FUNCTION spm._watermark(text, daterange) IS 'Digest of everything that a period is calculated from, given that of all but its transactions.';
REVOKE ALL ON FUNCTION spm._watermark(text, daterange) FROM PUBLIC;

CREATE PROCEDURE spm.calculate(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(calculate.period, calculate.calendar));
    run spm.run;
    draft int;
    earlier record;
    config text;
    watermark text;
    is_changed boolean := false;
    is_first boolean;
BEGIN
    -- nobody changes a plan, a quota or a seat under our hands; before the calendar, so that whoever has
    -- changed one may calculate in the same transaction
    LOCK TABLE spm.currency, spm.exchange_rate, spm.payee, spm.position, spm.position_assignment, spm.reporting_line,
        spm.position_path, spm.quota, spm.plan, spm.plan_version, spm.component, spm.tier, spm.plan_assignment,
        spm.variable_value, spm.credit_rule, spm.credit_rule_share IN SHARE MODE;
    -- one at a time in a calendar; readers never wait.  A new row version, so that a
    -- transaction with an older snapshot fails instead of missing what the one before wrote
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state = 'posted' THEN
        RAISE EXCEPTION 'period % is posted', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'What changes in it is paid as a difference in the first open period.',
                  HINT = format('CALL spm.calculate(<the open period>); or SELECT spm.reopen_period(%L, reason);', this.name);
    END IF;
    IF NOT spm._is_leaf(this.period_id) THEN
        RAISE EXCEPTION 'period % has parts', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Calculate its parts, in order.';
    END IF;
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    PERFORM spm._check_sources();
    PERFORM spm._check_versions(this.calendar_id);

    INSERT INTO spm.run (kind, period_id, version)
    SELECT 'calculate', this.period_id, e.extversion FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING * INTO run;
    SELECT o.posting_id INTO draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    IF NOT FOUND THEN
        INSERT INTO spm.posting (period_id) VALUES (this.period_id) RETURNING posting_id INTO draft;
    END IF;

    -- the first open period also pays what has changed in posted ones
    config := spm._config_digest(this.calendar_id);
    SELECT coalesce(bool_and(p.state = 'posted'), true) INTO is_first
    FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND spm._is_leaf(p.period_id);
    IF is_first THEN
        PERFORM spm._withdraw_differences(this.calendar_id, draft);
    END IF;
    FOR earlier IN
        SELECT p.period_id, p.span, p.name, w.watermark AS known
        FROM spm.period p LEFT JOIN spm.period_watermark w USING (period_id)
        WHERE p.calendar_id = this.calendar_id AND (p.span << this.span AND is_first OR p.period_id = this.period_id)
          AND spm._is_leaf(p.period_id)
        ORDER BY p.span
    LOOP
        watermark := spm._watermark(config, earlier.span);
        IF earlier.period_id = this.period_id THEN
            run.input_watermark := watermark;
        ELSE
            -- a change also reaches every later period
            is_changed := is_changed OR watermark IS DISTINCT FROM earlier.known;
            CONTINUE WHEN NOT is_changed;
            run.late_period_count := run.late_period_count + 1;
        END IF;
        run.changed_count := run.changed_count
            + spm._credit_period(earlier.period_id, draft, run.run_id)
            + spm._measure_period(earlier.period_id, draft, run.run_id)
            + spm._earn_period(earlier.period_id, draft, run.run_id);
        -- the warehouse is not locked: what came while this ran may go again, and must be looked for then
        INSERT INTO spm.period_watermark (period_id, watermark)
        VALUES (earlier.period_id, CASE watermark WHEN spm._watermark(spm._config_digest(this.calendar_id), earlier.span) THEN watermark ELSE 'unsure' END)
        ON CONFLICT (period_id) DO UPDATE SET watermark = EXCLUDED.watermark;
    END LOOP;
    IF is_first THEN
        PERFORM spm._check_once(draft);
    END IF;
    run.changed_count := run.changed_count + spm._pay(draft, run.run_id);
    -- what accumulates in later periods may stand on what has changed here
    DELETE FROM spm.period_watermark w USING spm.period p
    WHERE run.changed_count > 0 AND p.period_id = w.period_id AND p.calendar_id = this.calendar_id AND p.span >> this.span;

    EXECUTE 'SELECT count(DISTINCT (source, transaction_key, line)) FROM pg_temp.spm_claim' INTO run.transaction_count;
    PERFORM spm._drop_temporary('spm_claim'), spm._drop_temporary('spm_result');
    UPDATE spm.run r
    SET finished_at = clock_timestamp(), input_watermark = run.input_watermark, late_period_count = run.late_period_count,
        changed_count = run.changed_count, transaction_count = run.transaction_count,
        uncredited_count = (SELECT count(DISTINCT (u.source, u.transaction_key, u.line)) FROM spm.uncredited u WHERE u.period_id = this.period_id),
        credit_count = (SELECT count(*) FROM spm.standing_credit c WHERE c.period_id = this.period_id),
        payee_count = (SELECT count(DISTINCT m.payee_id) FROM spm.standing_measurement m WHERE m.period_id = this.period_id),
        earning_count = (SELECT count(*) FROM spm.standing_earning e WHERE e.period_id = this.period_id)
    WHERE r.run_id = run.run_id
    RETURNING r.* INTO run;
    UPDATE spm.period p SET state = 'calculated' WHERE p.period_id = this.period_id AND p.state = 'open';
    RAISE NOTICE 'run %: % transactions, % credits, % payees, % s; % rows changed%', run.run_id, run.transaction_count,
        run.credit_count, run.payee_count, round(extract(epoch FROM run.finished_at - run.started_at), 1), run.changed_count,
        concat(CASE WHEN run.late_period_count > 0 THEN format('; %s posted period(s) looked at again', run.late_period_count) END,
               CASE WHEN run.uncredited_count > 0 THEN format('; %s transactions not credited (see spm_bi.uncredited)', run.uncredited_count) END);
END
$$;
COMMENT ON PROCEDURE spm.calculate(text, text) IS
'Calculates a period: credits, measurements, earnings, payouts. May be called again until the period is posted; rows that are right stay untouched, so a second call in a row changes none. The first open period also takes up what has changed in posted ones, as differences.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 for a posted period, one that has parts, or no mapped source; 22000 for a row that cannot be used, a missing quota, rate or variable; 23505 for a transaction that occurs twice; those of a source that has changed.
Example: CALL spm.calculate(''2026-Q1'');';

CREATE FUNCTION spm._withdraw_differences(calendar_id int, posting_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other record;
    relation text;
BEGIN
    FOR other IN
        SELECT o.posting_id, o.period_id FROM spm.posting o JOIN spm.period p USING (period_id)
        WHERE p.calendar_id = _withdraw_differences.calendar_id AND o.state = 'draft' AND o.posting_id <> _withdraw_differences.posting_id
    LOOP
        DELETE FROM spm.period_watermark w
        WHERE w.period_id IN (SELECT m.period_id FROM spm.measurement m WHERE m.posting_id = other.posting_id AND m.period_id <> other.period_id
                              UNION SELECT c.period_id FROM spm.credit c WHERE c.posting_id = other.posting_id AND c.period_id <> other.period_id
                              UNION SELECT e.period_id FROM spm.earning e WHERE e.posting_id = other.posting_id AND e.period_id <> other.period_id);
        FOREACH relation IN ARRAY ARRAY['payout', 'earning', 'measurement', 'credit'] LOOP
            EXECUTE format('DELETE FROM spm.%I r WHERE r.posting_id = $1 AND r.period_id <> $2', relation) USING other.posting_id, other.period_id;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._withdraw_differences(int, int) IS 'Differences are paid by the first open period: takes them out of the drafts of all others, as when an earlier period was reopened.';
REVOKE ALL ON FUNCTION spm._withdraw_differences(int, int) FROM PUBLIC;

CREATE FUNCTION spm._check_once(posting_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    SELECT c.source, c.transaction_key, c.line, q.name AS earlier, p.name AS later INTO twice
    FROM spm.credit c
    JOIN spm.period p ON p.period_id = c.period_id
    JOIN spm.standing_credit o ON o.transaction_key = c.transaction_key AND o.source = c.source AND o.line = c.line AND o.kind = c.kind
    JOIN spm.period q ON q.period_id = o.period_id AND q.calendar_id = p.calendar_id AND q.span << p.span
    WHERE c.posting_id = _check_once.posting_id AND c.reverses_id IS NULL AND c.kind = 'direct'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction %/% is credited in % and in %', twice.source, twice.transaction_key, twice.earlier, twice.later
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source for all time. If its date has just been changed, calculate again.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_once(int) IS 'Error 23505 when a posting credits a transaction that stands credited in an earlier period.';
REVOKE ALL ON FUNCTION spm._check_once(int) FROM PUBLIC;

CREATE FUNCTION spm._check_versions(calendar_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT p.name, v.version_no INTO wrong
    FROM spm.plan p JOIN spm.plan_version v USING (plan_id)
    WHERE p.calendar_id = _check_versions.calendar_id AND v.state <> 'draft'
      AND v.content_hash IS DISTINCT FROM spm._plan_hash(v.plan_version_id)
    ORDER BY 1, 2 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'plan "%" version % is not what was published', wrong.name, wrong.version_no
            USING ERRCODE = 'data_corrupted',
                  DETAIL = 'Its components and tiers do not match the hash taken when it was published.',
                  HINT = 'Remove what was added to it, or restore it from a backup.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_versions(int) IS 'Error XX001 when a published version of the calendar''s plans was tampered with.';
REVOKE ALL ON FUNCTION spm._check_versions(int) FROM PUBLIC;

CREATE PROCEDURE spm.post(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(post.period, post.calendar));
    before text;
    wrong record;
    draft int;
    this_run bigint;
    total text;
BEGIN
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state <> 'calculated' THEN
        RAISE EXCEPTION 'period % is %, not calculated', this.name, this.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'open' THEN format('CALL spm.calculate(%L);', this.name)
                              ELSE 'Nothing is left to do; later changes are paid in the next period.' END;
    END IF;
    SELECT p.name INTO before FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND p.state <> 'posted' AND spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % comes before % and is not posted', before, this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('CALL spm.calculate(%L); CALL spm.post(%L);', before, before);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = this.period_id) THEN
        RAISE EXCEPTION 'period % was calculated before an earlier one changed', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL spm.calculate(%L);', this.name);
    END IF;
    SELECT o.posting_id INTO STRICT draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    PERFORM spm._check_once(draft);
    SELECT r.* INTO wrong FROM spm.reconciliation r WHERE r.posting_id = draft AND NOT r.is_reconciled LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'results of period % do not add up', this.name
            USING ERRCODE = 'data_corrupted',
                  DETAIL = format('Payee %s, component %s: totals earn %s, deals %s, paid %s.', wrong.payee_id, wrong.component_id,
                                  wrong.measured_amount, wrong.earned_amount, wrong.paid_amount),
                  HINT = format('CALL spm.calculate(%L); and look at spm_bi.reconciliation.', this.name);
    END IF;
    INSERT INTO spm.run (kind, period_id, version, earning_count, payee_count)
    SELECT 'post', this.period_id, e.extversion,
           (SELECT count(*) FROM spm.earning x WHERE x.posting_id = draft),
           (SELECT count(DISTINCT o.payee_id) FROM spm.payout o WHERE o.posting_id = draft)
    FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING run_id INTO this_run;
    UPDATE spm.posting o SET state = 'posted', posted_at = clock_timestamp(), posted_by = session_user, run_id = this_run
    WHERE o.posting_id = draft;
    UPDATE spm.period p SET state = 'posted' WHERE p.period_id = this.period_id;
    UPDATE spm.run r SET finished_at = clock_timestamp() WHERE r.run_id = this_run;
    SELECT string_agg(s.line, ', ' ORDER BY s.line) INTO total
    FROM (SELECT format('%s %s', sum(o.amount), o.currency_code) AS line FROM spm.payout o WHERE o.posting_id = draft GROUP BY o.currency_code) s;
    RAISE NOTICE 'period % is posted: %', this.name, coalesce(total, 'nothing to pay');
END
$$;
COMMENT ON PROCEDURE spm.post(text, text) IS
'Closes a calculated period: its results can change no more, later changes are paid as differences in the next period. Periods are posted in order, and only when every level adds up.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 unless the period is calculated, since the last change of an earlier one, and all before it are posted; XX001 when the results do not add up.
Example: CALL spm.post(''2026-Q1'');';
/*
 * compensation/views.sql: results as they stand, the proof that they add up,
 * and what BI sees of them.
 */

CREATE VIEW spm.standing_credit WITH (security_invoker = true) AS
SELECT c.* FROM spm.credit c
WHERE c.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.credit r WHERE r.reverses_id = c.credit_id);
COMMENT ON VIEW spm.standing_credit IS 'Credits as they stand: originals that nothing has taken back.';
COMMENT ON COLUMN spm.standing_credit.credit_id IS 'Key.';
COMMENT ON COLUMN spm.standing_credit.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_credit.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.standing_credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_credit.reverses_id IS 'Credit of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_credit.position_id IS 'Position credited.';
COMMENT ON COLUMN spm.standing_credit.payee_id IS 'Who sat there on the event date. NULL: vacant.';
COMMENT ON COLUMN spm.standing_credit.kind IS 'direct: by ownership or split; rollup: from below in the reporting tree.';
COMMENT ON COLUMN spm.standing_credit.origin_position_id IS 'Position that holds the direct credit: for kind direct this one.';
COMMENT ON COLUMN spm.standing_credit.level IS 'Levels above the direct credit; 0 for kind direct.';
COMMENT ON COLUMN spm.standing_credit.share IS 'Share of the transaction: 0.6 is 60 %.';
COMMENT ON COLUMN spm.standing_credit.shares IS 'Shares of all who share in the transaction, in order. NULL: nobody shares.';
COMMENT ON COLUMN spm.standing_credit.share_no IS 'Place of this share in shares.';
COMMENT ON COLUMN spm.standing_credit.credited_amount IS 'Share of amount, apportioned by largest remainder; negative where a row is reversed. In currency_code.';
COMMENT ON COLUMN spm.standing_credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.standing_credit.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.standing_credit.line IS 'Its line; empty when the source has none.';
COMMENT ON COLUMN spm.standing_credit.event_date IS 'Its date.';
COMMENT ON COLUMN spm.standing_credit.type IS 'Its type.';
COMMENT ON COLUMN spm.standing_credit.owner_key IS 'payee_key that the credit goes by: the owner, or the sharer.';
COMMENT ON COLUMN spm.standing_credit.account_key IS 'Its account.';
COMMENT ON COLUMN spm.standing_credit.product_key IS 'Its product.';
COMMENT ON COLUMN spm.standing_credit.quantity IS 'Its quantity, whole, before it is shared.';
COMMENT ON COLUMN spm.standing_credit.amount IS 'Its amount, whole, before it is shared, in currency_code.';
COMMENT ON COLUMN spm.standing_credit.cost IS 'Its cost, whole.';
COMMENT ON COLUMN spm.standing_credit.list_amount IS 'Its amount at list price, whole.';
COMMENT ON COLUMN spm.standing_credit.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.standing_credit.attributes IS 'Its further attributes.';

CREATE VIEW spm.standing_measurement WITH (security_invoker = true) AS
SELECT m.* FROM spm.measurement m
WHERE m.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.measurement r WHERE r.reverses_id = m.measurement_id);
COMMENT ON VIEW spm.standing_measurement IS 'Measurements as they stand.';
COMMENT ON COLUMN spm.standing_measurement.measurement_id IS 'Key.';
COMMENT ON COLUMN spm.standing_measurement.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_measurement.period_id IS 'Period measured.';
COMMENT ON COLUMN spm.standing_measurement.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_measurement.reverses_id IS 'Measurement of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_measurement.component_id IS 'Component.';
COMMENT ON COLUMN spm.standing_measurement.position_id IS 'Position.';
COMMENT ON COLUMN spm.standing_measurement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.standing_measurement.credit_count IS 'Credits of the period that count.';
COMMENT ON COLUMN spm.standing_measurement.opening_amount IS 'What had accumulated before the period; 0 unless the component accumulates over a longer one.';
COMMENT ON COLUMN spm.standing_measurement.amount IS 'Measured in the period, in the currency of the plan or the unit of the measure.';
COMMENT ON COLUMN spm.standing_measurement.quota_amount IS 'Quota of the span that the component accumulates over. NULL: none.';
COMMENT ON COLUMN spm.standing_measurement.factor IS 'Value of the component''s variable; 1 when it has none.';
COMMENT ON COLUMN spm.standing_measurement.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.standing_measurement.earned_amount IS 'What the totals earn by the schedule: the deals must add up to it.';

CREATE VIEW spm.standing_earning WITH (security_invoker = true) AS
SELECT e.* FROM spm.earning e
WHERE e.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.earning r WHERE r.reverses_id = e.earning_id);
COMMENT ON VIEW spm.standing_earning IS 'Deal earnings as they stand.';
COMMENT ON COLUMN spm.standing_earning.earning_id IS 'Key.';
COMMENT ON COLUMN spm.standing_earning.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.standing_earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_earning.reverses_id IS 'Earning of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_earning.component_id IS 'Component.';
COMMENT ON COLUMN spm.standing_earning.position_id IS 'Position.';
COMMENT ON COLUMN spm.standing_earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.standing_earning.credit_id IS 'Credit it is for.';
COMMENT ON COLUMN spm.standing_earning.exchange_rate IS 'Rate from the currency of the transaction to that of the plan on the event date; 1 when they are the same.';
COMMENT ON COLUMN spm.standing_earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure; negative where a row is reversed.';
COMMENT ON COLUMN spm.standing_earning.from_total IS 'Running total before the deal; after it: from_total + base_amount.';
COMMENT ON COLUMN spm.standing_earning.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.standing_earning.amount IS 'What the deal earns, rounded, in the currency of the plan.';

CREATE VIEW spm.earning_slice WITH (security_invoker = true) AS
SELECT e.earning_id, e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, e.credit_id, e.reverses_id,
       s.tier_no, s.kind, s.slice_from, s.slice_to, s.rate,
       CASE WHEN e.reverses_id IS NULL THEN s.base ELSE -s.base END AS base_amount,
       CASE WHEN e.reverses_id IS NULL THEN s.amount ELSE -s.amount END AS amount
FROM spm.earning e
JOIN spm.schedule k USING (schedule_id)
JOIN spm.component c USING (component_id)
CROSS JOIN LATERAL spm.commission_slice(k.schedule, e.from_total,
    e.from_total + CASE WHEN e.reverses_id IS NULL THEN e.base_amount ELSE -e.base_amount END, c.places, c.rounding) s;
COMMENT ON VIEW spm.earning_slice IS 'One row per deal earning and tier it touches: what is earned there. Adds up to the earning.';
COMMENT ON COLUMN spm.earning_slice.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm.earning_slice.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.earning_slice.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.earning_slice.component_id IS 'Component.';
COMMENT ON COLUMN spm.earning_slice.position_id IS 'Position.';
COMMENT ON COLUMN spm.earning_slice.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.earning_slice.credit_id IS 'Credit.';
COMMENT ON COLUMN spm.earning_slice.reverses_id IS 'Posted earning that the row takes back. NULL: an original.';
COMMENT ON COLUMN spm.earning_slice.tier_no IS 'Tier; 0 below the first.';
COMMENT ON COLUMN spm.earning_slice.kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm.earning_slice.slice_from IS 'Running total where the slice begins.';
COMMENT ON COLUMN spm.earning_slice.slice_to IS 'Running total where it ends.';
COMMENT ON COLUMN spm.earning_slice.rate IS 'Rate.';
COMMENT ON COLUMN spm.earning_slice.base_amount IS 'What of the deal lies in the slice.';
COMMENT ON COLUMN spm.earning_slice.amount IS 'What it earns there.';

-- One union and not joins, so that a condition on posting or period reaches every table.
CREATE VIEW spm.reconciliation WITH (security_invoker = true) AS
SELECT r.posting_id, r.period_id, r.component_id, r.position_id, r.payee_id,
       sum(r.measured_base) AS measured_base, sum(r.earned_base) AS earned_base,
       sum(r.measured_amount) AS measured_amount, sum(r.earned_amount) AS earned_amount,
       sum(r.sliced_amount) AS sliced_amount, sum(r.paid_amount) AS paid_amount,
       sum(r.measured_base) = sum(r.earned_base) AND sum(r.measured_amount) = sum(r.earned_amount)
       AND sum(r.earned_amount) = sum(r.sliced_amount) AND sum(r.earned_amount) = sum(r.paid_amount) AS is_reconciled
FROM (
    SELECT m.posting_id, m.period_id, m.component_id, m.position_id, m.payee_id, m.amount AS measured_base, 0::numeric AS earned_base,
           m.earned_amount AS measured_amount, 0::numeric AS earned_amount, 0::numeric AS sliced_amount, 0::numeric AS paid_amount
    FROM spm.measurement m
    UNION ALL
    SELECT e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, 0, e.base_amount, 0, e.amount, 0, 0
    FROM spm.earning e
    UNION ALL
    SELECT s.posting_id, s.period_id, s.component_id, s.position_id, s.payee_id, 0, 0, 0, 0, s.amount, 0
    FROM spm.earning_slice s
    UNION ALL
    SELECT o.posting_id, o.period_id, o.component_id, o.position_id, o.payee_id, 0, 0, 0, 0, 0, o.amount
    FROM spm.payout o
) r
GROUP BY r.posting_id, r.period_id, r.component_id, r.position_id, r.payee_id;
COMMENT ON VIEW spm.reconciliation IS 'One row per posting, period of earning, component, position and payee: what the totals earn, what the deals earn, what their slices add up to, and what is paid. is_reconciled is true in every row, or something is wrong.';
COMMENT ON COLUMN spm.reconciliation.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.reconciliation.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.reconciliation.component_id IS 'Component.';
COMMENT ON COLUMN spm.reconciliation.position_id IS 'Position.';
COMMENT ON COLUMN spm.reconciliation.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.reconciliation.measured_base IS 'Measured, from the totals.';
COMMENT ON COLUMN spm.reconciliation.earned_base IS 'Measured, added up from the deals.';
COMMENT ON COLUMN spm.reconciliation.measured_amount IS 'Earned, from the totals.';
COMMENT ON COLUMN spm.reconciliation.earned_amount IS 'Earned, added up from the deals.';
COMMENT ON COLUMN spm.reconciliation.sliced_amount IS 'Earned, added up from the tier slices.';
COMMENT ON COLUMN spm.reconciliation.paid_amount IS 'Paid.';
COMMENT ON COLUMN spm.reconciliation.is_reconciled IS 'Whether all agree.';

-- ------------------------------------------------------------------- for BI

CREATE VIEW spm_bi.credit WITH (security_invoker = true) AS
SELECT c.credit_id, c.period_id, p.name AS period_name, lower(p.span) AS period_start,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       c.reverses_id IS NOT NULL AS is_reversal,
       c.payee_id, y.payee_key, y.name AS payee_name, c.position_id, s.name AS position_name,
       c.kind AS credit_kind, c.level::int AS level, s0.name AS origin_position_name,
       c.share::numeric(12,6) AS share_ratio, c.source, c.transaction_key, c.line, c.event_date, c.type AS transaction_type,
       c.account_key, c.product_key, c.amount::numeric(24,6) AS transaction_amount,
       c.credited_amount::numeric(24,6) AS credited_amount, c.currency_code, c.run_id
FROM spm.credit c
JOIN spm.period p ON p.period_id = c.period_id
JOIN spm.posting o ON o.posting_id = c.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.position s ON s.position_id = c.position_id
JOIN spm.position s0 ON s0.position_id = c.origin_position_id
LEFT JOIN spm.payee y ON y.payee_id = c.payee_id;
COMMENT ON VIEW spm_bi.credit IS 'One row per transaction line and position credited, and one more for each that takes back a posted one.';
COMMENT ON COLUMN spm_bi.credit.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.credit.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.credit.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.credit.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.credit.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.credit.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.credit.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.credit.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.credit.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.credit.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.credit.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.credit.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.credit.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.credit.credit_kind IS 'direct or rollup.';
COMMENT ON COLUMN spm_bi.credit.level IS 'Levels above the direct credit; 0 for a direct one.';
COMMENT ON COLUMN spm_bi.credit.origin_position_name IS 'Position that holds the direct credit.';
COMMENT ON COLUMN spm_bi.credit.share_ratio IS 'Share of the transaction: 0.6 is 60 %. Not additive.';
COMMENT ON COLUMN spm_bi.credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.credit.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.credit.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.credit.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.credit.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.credit.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.credit.product_key IS 'Product.';
COMMENT ON COLUMN spm_bi.credit.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.credit.credited_amount IS 'Credited, in currency_code. Additive within a currency and credit kind.';
COMMENT ON COLUMN spm_bi.credit.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.credit.run_id IS 'Run that wrote it.';

CREATE VIEW spm_bi.uncredited WITH (security_invoker = true) AS
SELECT u.period_id, p.name AS period_name, u.source, u.transaction_key, u.line, u.owner_key, u.event_date,
       u.amount::numeric(24,6) AS transaction_amount, u.currency_code, u.reason
FROM spm.uncredited u
JOIN spm.period p USING (period_id);
COMMENT ON VIEW spm_bi.uncredited IS 'One row per transaction line and claimed owner that nobody could be credited for, as of the last calculation.';
COMMENT ON COLUMN spm_bi.uncredited.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.uncredited.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.uncredited.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.uncredited.owner_key IS 'Owner or sharer that is not known; empty when there is none.';
COMMENT ON COLUMN spm_bi.uncredited.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.uncredited.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.uncredited.reason IS 'Why nobody was credited.';

CREATE VIEW spm_bi.attainment WITH (security_invoker = true) AS
SELECT m.measurement_id, m.period_id, p.name AS period_name, lower(p.span) AS period_start,
       m.payee_id, y.payee_key, y.name AS payee_name, m.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name, q.name AS measure_name,
       m.credit_count, m.opening_amount::numeric(24,6) AS opening_amount, m.amount::numeric(24,6) AS credited_amount,
       m.quota_amount::numeric(24,6) AS quota_amount,
       spm.attainment(m.opening_amount + m.amount, m.quota_amount, 6)::numeric(18,6) AS attainment_ratio,
       m.earned_amount::numeric(20,4) AS earned_amount, n.currency_code, m.run_id
FROM spm.standing_measurement m
JOIN spm.period p ON p.period_id = m.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id
JOIN spm.position s ON s.position_id = m.position_id
JOIN spm.component c ON c.component_id = m.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
LEFT JOIN spm.measure q ON q.measure_id = c.measure_id;
COMMENT ON VIEW spm_bi.attainment IS 'One row per period, payee, position and component, as it stands now: what was credited, the quota, and how far it is reached.';
COMMENT ON COLUMN spm_bi.attainment.measurement_id IS 'Measurement.';
COMMENT ON COLUMN spm_bi.attainment.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.attainment.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.attainment.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.attainment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.attainment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.attainment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.attainment.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.attainment.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.attainment.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.attainment.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.attainment.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.attainment.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.attainment.measure_name IS 'Measure of the quota. NULL: none.';
COMMENT ON COLUMN spm_bi.attainment.credit_count IS 'Credits that count. Additive.';
COMMENT ON COLUMN spm_bi.attainment.opening_amount IS 'Accumulated before the period. Not additive.';
COMMENT ON COLUMN spm_bi.attainment.credited_amount IS 'Credited, in currency_code. Additive within a currency and credit kind.';
COMMENT ON COLUMN spm_bi.attainment.quota_amount IS 'Quota of all that the component accumulates over. Additive over payees only.';
COMMENT ON COLUMN spm_bi.attainment.attainment_ratio IS 'opening plus credited amount, divided by quota: 1 is 100 %. NULL without a quota. Not additive: divide the sums.';
COMMENT ON COLUMN spm_bi.attainment.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.attainment.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.attainment.run_id IS 'Run that wrote it.';

CREATE VIEW spm_bi.earning WITH (security_invoker = true) AS
SELECT e.earning_id, e.period_id, p.name AS period_name, lower(p.span) AS period_start,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       e.reverses_id IS NOT NULL AS is_reversal,
       e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name,
       e.credit_id, t.source, t.transaction_key, t.line, t.event_date,
       e.exchange_rate::numeric(24,10) AS exchange_rate, e.base_amount::numeric(24,6) AS base_amount,
       e.from_total::numeric(24,6) AS from_total, e.amount::numeric(20,4) AS earned_amount, n.currency_code, e.run_id
FROM spm.earning e
JOIN spm.credit t ON t.credit_id = e.credit_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.payee y ON y.payee_id = e.payee_id
JOIN spm.position s ON s.position_id = e.position_id
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.earning IS 'One row per component and deal: what the deal earned; and one more for each that takes back a posted one.';
COMMENT ON COLUMN spm_bi.earning.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm_bi.earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.earning.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.earning.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.earning.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.earning.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.earning.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.earning.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.earning.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.earning.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.earning.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.earning.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.earning.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.earning.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.earning.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.earning.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.earning.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.earning.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.earning.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.earning.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.earning.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.earning.exchange_rate IS 'From the currency of the transaction to that of the plan. Not additive.';
COMMENT ON COLUMN spm_bi.earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.earning.from_total IS 'Running total before the deal. Not additive.';
COMMENT ON COLUMN spm_bi.earning.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.earning.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.earning.run_id IS 'Run that wrote it.';

CREATE VIEW spm_bi.payout WITH (security_invoker = true) AS
SELECT x.payout_id, pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start,
       o.state = 'posted' AS is_posted, x.period_id, p.name AS period_name, x.period_id <> pp.period_id AS is_difference,
       x.payee_id, y.payee_key, y.name AS payee_name, x.position_id, s.name AS position_name,
       n.name AS plan_name, c.component_no, c.name AS component_name,
       x.amount::numeric(20,4) AS paid_amount, x.currency_code, x.run_id
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
JOIN spm.position s ON s.position_id = x.position_id
JOIN spm.component c ON c.component_id = x.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.payout IS 'One row per paying period, payee, component and period of earning: what is paid.';
COMMENT ON COLUMN spm_bi.payout.payout_id IS 'Payout. NULL while a difference nets to zero.';
COMMENT ON COLUMN spm_bi.payout.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.payout.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.payout.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.payout.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.payout.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.payout.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.payout.is_difference IS 'Whether it corrects an earlier, posted period.';
COMMENT ON COLUMN spm_bi.payout.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payout.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payout.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payout.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.payout.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.payout.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.payout.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.payout.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.payout.paid_amount IS 'Paid, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.payout.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.payout.run_id IS 'Run that wrote it.';

CREATE VIEW spm_bi.statement WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start, o.state = 'posted' AS is_posted,
       l.period_id, p.name AS period_name, l.period_id <> pp.period_id AS is_difference,
       l.payee_id, y.payee_key, y.name AS payee_name, l.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name,
       l.tier_no, l.kind AS slice_kind, k.from_value::numeric(24,6) AS tier_from, k.to_value::numeric(24,6) AS tier_to, c.tier_basis,
       l.rate::numeric(18,8) AS rate, l.deal_count, l.base_amount::numeric(24,6) AS base_amount,
       l.amount::numeric(20,4) AS earned_amount, n.currency_code
FROM (SELECT e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, e.tier_no, e.kind, e.rate,
             count(DISTINCT e.credit_id) AS deal_count, sum(e.base_amount) AS base_amount, sum(e.amount) AS amount
      FROM spm.earning_slice e
      GROUP BY e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, e.tier_no, e.kind, e.rate) l
JOIN spm.posting o ON o.posting_id = l.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = l.period_id
JOIN spm.payee y ON y.payee_id = l.payee_id
JOIN spm.position s ON s.position_id = l.position_id
JOIN spm.component c ON c.component_id = l.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
LEFT JOIN LATERAL (
    SELECT lower(t.bounds) AS from_value, upper(t.bounds) AS to_value
    FROM spm.tier t WHERE t.component_id = l.component_id
    ORDER BY lower(t.bounds) OFFSET greatest(l.tier_no, 1) - 1 LIMIT 1) k ON l.tier_no > 0;
COMMENT ON VIEW spm_bi.statement IS 'One row per line of a statement: paying period, payee, component, period of earning, tier and rate.';
COMMENT ON COLUMN spm_bi.statement.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.statement.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.statement.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.statement.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.statement.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.statement.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.statement.is_difference IS 'Whether it corrects an earlier, posted period.';
COMMENT ON COLUMN spm_bi.statement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.statement.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.statement.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.statement.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.statement.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.statement.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.statement.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.statement.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.statement.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.statement.tier_no IS 'Tier of the rates; 0 below the first.';
COMMENT ON COLUMN spm_bi.statement.slice_kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm_bi.statement.tier_from IS 'Where the tier begins, in tier_basis. Not additive.';
COMMENT ON COLUMN spm_bi.statement.tier_to IS 'Where it ends; NULL: it does not.';
COMMENT ON COLUMN spm_bi.statement.tier_basis IS 'amount: tiers are amounts; quota: shares of quota.';
COMMENT ON COLUMN spm_bi.statement.rate IS 'Rate: 0.08 is 8 %. Not additive.';
COMMENT ON COLUMN spm_bi.statement.deal_count IS 'Deals in the line. Additive over tiers only with care: a deal can touch two.';
COMMENT ON COLUMN spm_bi.statement.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.statement.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.statement.currency_code IS 'Currency of the amounts.';

CREATE VIEW spm_bi.lineage WITH (security_invoker = true) AS
SELECT x.payout_id, e.earning_id, e.tier_no, e.kind AS slice_kind, e.credit_id,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       e.period_id, p.name AS period_name, e.reverses_id IS NOT NULL AS is_reversal,
       e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, n.name AS plan_name, c.component_no, c.name AS component_name,
       e.slice_from::numeric(24,6) AS slice_from, e.slice_to::numeric(24,6) AS slice_to, e.rate::numeric(18,8) AS rate,
       e.base_amount::numeric(24,6) AS base_amount, e.amount::numeric(20,4) AS slice_amount, n.currency_code,
       t.kind AS credit_kind, t.level::int AS level, t.share::numeric(12,6) AS share_ratio,
       t.source, t.transaction_key, t.line, t.event_date, t.type AS transaction_type,
       t.amount::numeric(24,6) AS transaction_amount, t.currency_code AS transaction_currency_code
FROM spm.earning_slice e
JOIN spm.credit t ON t.credit_id = e.credit_id
LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id)
    = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id)
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.payee y ON y.payee_id = e.payee_id
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.lineage IS 'One row per payout, deal and tier: every cent from what is paid back to the row of the source.';
COMMENT ON COLUMN spm_bi.lineage.payout_id IS 'Payout. NULL while a difference nets to zero.';
COMMENT ON COLUMN spm_bi.lineage.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm_bi.lineage.tier_no IS 'Tier of the rates; 0 below the first.';
COMMENT ON COLUMN spm_bi.lineage.slice_kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm_bi.lineage.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.lineage.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.lineage.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.lineage.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.lineage.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.lineage.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.lineage.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.lineage.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.lineage.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.lineage.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.lineage.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.lineage.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.lineage.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.lineage.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.lineage.slice_from IS 'Running total where the slice begins. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.slice_to IS 'Running total where it ends. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.rate IS 'Rate: 0.08 is 8 %. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.lineage.slice_amount IS 'Earned in the slice. Additive within a currency.';
COMMENT ON COLUMN spm_bi.lineage.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.lineage.credit_kind IS 'direct or rollup.';
COMMENT ON COLUMN spm_bi.lineage.level IS 'Levels above the direct credit; 0 for a direct one.';
COMMENT ON COLUMN spm_bi.lineage.share_ratio IS 'Share of the transaction: 0.6 is 60 %. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.lineage.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.lineage.transaction_currency_code IS 'Currency of the transaction.';

CREATE VIEW spm_bi.reconciliation WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, r.period_id, p.name AS period_name, r.payee_id, y.payee_key, y.name AS payee_name,
       c.component_no, c.name AS component_name, r.measured_base::numeric(24,6) AS measured_base_amount,
       r.earned_base::numeric(24,6) AS deal_base_amount, r.measured_amount::numeric(20,4) AS measured_amount,
       r.earned_amount::numeric(20,4) AS earned_amount, r.sliced_amount::numeric(20,4) AS sliced_amount,
       r.paid_amount::numeric(20,4) AS paid_amount, r.is_reconciled
FROM spm.reconciliation r
JOIN spm.posting o ON o.posting_id = r.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = r.period_id
JOIN spm.payee y ON y.payee_id = r.payee_id
JOIN spm.component c ON c.component_id = r.component_id;
COMMENT ON VIEW spm_bi.reconciliation IS 'One row per paying period, period of earning, payee and component: the proof that totals, deals, slices and payout agree.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.reconciliation.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.reconciliation.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.reconciliation.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.reconciliation.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.reconciliation.measured_base_amount IS 'Measured, from the totals.';
COMMENT ON COLUMN spm_bi.reconciliation.deal_base_amount IS 'Measured, added up from the deals.';
COMMENT ON COLUMN spm_bi.reconciliation.measured_amount IS 'Earned, from the totals.';
COMMENT ON COLUMN spm_bi.reconciliation.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.reconciliation.sliced_amount IS 'Earned, added up from the tier slices.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_amount IS 'Paid, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.reconciliation.is_reconciled IS 'Whether all agree. Always true, or something is wrong.';
/*
 * compensation/statement.sql: results told to the people they are about.
 */

CREATE FUNCTION spm._money(amount numeric, places int DEFAULT 2)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- written without the locale, so that a statement reads the same everywhere
    SELECT CASE WHEN n.value < 0 THEN '-' ELSE '' END
        || regexp_replace(split_part(abs(n.value)::text, '.', 1), '(\d)(?=(\d{3})+$)', '\1,', 'g')
        || CASE WHEN _money.places > 0 THEN '.' || split_part(n.value::text, '.', 2) ELSE '' END
    FROM (SELECT round(_money.amount, _money.places) AS value) n;
END;
COMMENT ON FUNCTION spm._money(numeric, int) IS 'An amount as people read it: 1,234.50.';
REVOKE ALL ON FUNCTION spm._money(numeric, int) FROM PUBLIC;

CREATE FUNCTION spm._percent(ratio numeric)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trim_scale(round(100 * _percent.ratio, 4))::text || ' %';
END;
COMMENT ON FUNCTION spm._percent(numeric) IS 'A ratio as people read it: 8.5 %.';
REVOKE ALL ON FUNCTION spm._percent(numeric) FROM PUBLIC;

CREATE FUNCTION spm._statement_line(label text, base text, rate text, amount text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT rtrim(rpad(CASE WHEN length(_statement_line.label) > 36 THEN left(_statement_line.label, 35) || '~'
                           ELSE _statement_line.label END, 36)
        -- lpad() would cut the end off a long amount
        || lpad(coalesce(_statement_line.base, ''), greatest(17, 1 + length(_statement_line.base)))
        || lpad(coalesce(_statement_line.rate, ''), greatest(10, 1 + length(_statement_line.rate)))
        || lpad(coalesce(_statement_line.amount, ''), greatest(17, 1 + length(_statement_line.amount))));
END;
COMMENT ON FUNCTION spm._statement_line(text, text, text, text) IS 'A line of a statement, 80 columns wide unless an amount needs more.';
REVOKE ALL ON FUNCTION spm._statement_line(text, text, text, text) FROM PUBLIC;

CREATE FUNCTION spm.statement(payee text, period text, calendar text DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    who spm.payee;
    paid spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(statement.period, statement.calendar));
    plan record;
    part record;
    slice record;
    other record;
    n int := 0;
    digits int;
    -- of a period that was reopened, the first posting is told in full, what the others add by line
    original int := (SELECT min(o.posting_id) FROM spm.posting o WHERE o.period_id = paid.period_id);
    is_reopened boolean := (SELECT count(*) > 1 FROM spm.posting o WHERE o.period_id = paid.period_id);
BEGIN
    SELECT y.* INTO who FROM spm.payee y WHERE y.payee_key = statement.payee;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payee "%" does not exist', statement.payee
            USING ERRCODE = 'undefined_object', HINT = 'SELECT payee_key, name FROM spm.payee;';
    END IF;
    IF paid.state = 'open' THEN
        RAISE EXCEPTION 'period % is not calculated', paid.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL spm.calculate(%L);', paid.name);
    END IF;
    FOR plan IN
        SELECT p.plan_id, p.name, p.currency_code, u.minor_digits, max(r.finished_at) AS calculated_at,
               string_agg(DISTINCT 'v' || v.version_no, ', ') AS versions
        FROM spm.measurement m
        JOIN spm.posting o USING (posting_id)
        JOIN spm.run r ON r.run_id = m.run_id
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.currency u USING (currency_code)
        WHERE m.payee_id = who.payee_id AND o.period_id = paid.period_id
        GROUP BY p.plan_id, p.name, p.currency_code, u.minor_digits ORDER BY p.name
    LOOP
        n := n + 1;
        digits := plan.minor_digits;
        IF n > 1 THEN
            RETURN NEXT '';
        END IF;
        RETURN NEXT left(format('%s - %s %s - %s - %s', who.name, plan.name, plan.versions, paid.name, plan.currency_code), 80);
        RETURN NEXT format('%s to %s, %s', lower(paid.span), upper(paid.span) - 1,
            concat(CASE WHEN is_reopened THEN 'posted, reopened, ' END,
                   CASE paid.state WHEN 'posted' THEN 'posted' ELSE 'calculated, not yet posted' END));
        RETURN NEXT repeat('-', 80);
        RETURN NEXT spm._statement_line('', 'base', 'rate', 'earned');
        FOR part IN
            SELECT c.*, m.position_id, m.opening_amount, m.amount, m.quota_amount, m.factor, m.earned_amount, m.credit_count,
                   s.name AS seat, count(*) OVER (PARTITION BY c.component_id) > 1 AS has_seats,
                   min(v.version_no) OVER () < max(v.version_no) OVER () AS has_versions,
                   q.name AS measure_name, v.version_no, x.name AS variable_name
            FROM spm.measurement m
            JOIN spm.posting o USING (posting_id)
            JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
            JOIN spm.position s USING (position_id)
            LEFT JOIN spm.measure q USING (measure_id)
            LEFT JOIN spm.variable x USING (variable_id)
            WHERE m.payee_id = who.payee_id AND m.period_id = paid.period_id AND v.plan_id = plan.plan_id
              -- as the period itself paid it: what a later posting has taken back still stands here
              AND o.posting_id = original AND m.reverses_id IS NULL
            ORDER BY v.version_no, c.component_no, s.name
        LOOP
            RETURN NEXT left(concat(part.name, CASE WHEN part.has_versions THEN ' v' || part.version_no END,
                CASE WHEN part.has_seats THEN ' in ' || part.seat END), 80);
            RETURN NEXT left(format('  %s deal(s)%s%s%s', part.credit_count,
                CASE WHEN part.opening_amount <> 0 THEN ', brought forward ' || spm._money(part.opening_amount, digits) ELSE '' END,
                CASE WHEN part.quota_amount IS NOT NULL THEN ', quota ' || spm._money(part.quota_amount, digits) ELSE '' END,
                CASE WHEN part.quota_amount > 0
                     THEN ', attainment ' || spm._percent(spm.attainment(part.opening_amount + part.amount, part.quota_amount, 6)) ELSE '' END), 80);
            FOR slice IN
                SELECT e.tier_no, e.kind, e.rate, sum(e.base_amount) AS base_amount, sum(e.amount) AS amount,
                       k.from_value, k.to_value
                FROM spm.earning_slice e
                LEFT JOIN LATERAL (
                    SELECT lower(t.bounds) AS from_value, upper(t.bounds) AS to_value FROM spm.tier t
                    WHERE t.component_id = e.component_id ORDER BY lower(t.bounds) OFFSET greatest(e.tier_no, 1) - 1 LIMIT 1) k ON e.tier_no > 0
                WHERE e.payee_id = who.payee_id AND e.period_id = paid.period_id
                  AND e.component_id = part.component_id AND e.position_id = part.position_id
                  AND e.posting_id = original AND e.reverses_id IS NULL
                GROUP BY e.tier_no, e.kind, e.rate, k.from_value, k.to_value
                ORDER BY e.kind = 'tier' DESC, e.kind, e.tier_no, e.rate
            LOOP
                -- the deals before a bonus was reached
                CONTINUE WHEN slice.amount = 0 AND part.earned_amount <> 0 AND part.rate_options ~ '^bonus';
                RETURN NEXT spm._statement_line('  ' || CASE slice.kind
                    WHEN 'rerate' THEN 'earlier deals at the new rate'
                    WHEN 'cap' THEN 'held back by the cap'
                    WHEN 'floor' THEN 'raised to the minimum'
                    ELSE CASE WHEN slice.tier_no IS NULL OR slice.tier_no = 0 THEN CASE WHEN part.rate_options ~ '^bonus' THEN 'not reached' ELSE 'below the first tier' END
                              WHEN slice.to_value IS NULL AND slice.from_value = 0 THEN 'all'
                              WHEN part.tier_basis = 'quota' THEN
                                  concat(CASE WHEN slice.to_value IS NULL THEN 'from ' END, trim_scale(100 * slice.from_value),
                                         ' - ' || trim_scale(100 * slice.to_value), ' % of quota')
                              WHEN slice.to_value IS NULL THEN 'from ' || spm._money(slice.from_value, 0)
                              ELSE spm._money(slice.from_value, 0) || ' - ' || spm._money(slice.to_value, 0) END END,
                    CASE WHEN slice.kind = 'tier' OR slice.kind = 'rerate' THEN spm._money(slice.base_amount, CASE part.unit WHEN 'count' THEN 0 ELSE digits END) END,
                    CASE WHEN part.rate_options ~ '^bonus' THEN NULL WHEN slice.rate IS NOT NULL THEN spm._percent(slice.rate) END,
                    spm._money(slice.amount, part.places));
            END LOOP;
            RETURN NEXT left(format('  %s, %s; each deal rounded to %s places, %s',
                coalesce(substring(part.rate_options FROM '^(whole|interpolated|weighted|bonus)'), 'marginal'),
                CASE part.accumulate WHEN 'deal' THEN 'deal by deal' WHEN 'period' THEN 'on the total of the period'
                     ELSE 'on the total of the ' || part.accumulate END, part.places, part.rounding), 80);
            IF part.variable_name IS NOT NULL THEN
                RETURN NEXT left(format('  rates times your %s of %s', part.variable_name, trim_scale(part.factor)), 80);
            END IF;
        END LOOP;
        FOR other IN
            SELECT p.name, c.name AS component_name, x.amount, x.period_id = o.period_id AS is_own
            FROM spm.payout x
            JOIN spm.posting o USING (posting_id)
            JOIN spm.period p ON p.period_id = x.period_id
            JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
            WHERE x.payee_id = who.payee_id AND o.period_id = paid.period_id AND v.plan_id = plan.plan_id
              AND (x.period_id <> o.period_id OR x.posting_id <> original AND x.amount <> 0)
            ORDER BY p.span, c.component_no, x.posting_id
        LOOP
            RETURN NEXT spm._statement_line(format('%s %s: %s', CASE WHEN other.is_own THEN 'Reopened' ELSE 'Difference' END, other.name, other.component_name), NULL, NULL, spm._money(other.amount, digits));
        END LOOP;
        RETURN NEXT repeat('-', 80);
        RETURN NEXT spm._statement_line('Payable', NULL, plan.currency_code,
            spm._money((SELECT coalesce(sum(x.amount), 0) FROM spm.payout x
                        JOIN spm.posting o USING (posting_id) JOIN spm.component c USING (component_id)
                        JOIN spm.plan_version v USING (plan_version_id)
                        WHERE x.payee_id = who.payee_id AND o.period_id = paid.period_id AND v.plan_id = plan.plan_id), digits));
    END LOOP;
    IF n = 0 THEN
        RETURN NEXT format('%s is on no plan in %s.', who.name, paid.name);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.statement(text, text, text) IS
'What a payee is paid in a period and why, as lines of text of at most 80 columns: for each component the quota, the attainment and what each tier earns; then differences of earlier periods; then the sum.
payee: payee_key. period: name of the paying period. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 55000 while the period is not calculated.
Example: SELECT spm.statement(''U-17'', ''2026-Q1'');';

CREATE FUNCTION spm.explain(payee text, period text, transaction_key text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (step text, item text, base_amount numeric, rate numeric, amount numeric, currency_code text, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(explain.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(explain.period, explain.calendar);
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    RETURN QUERY EXECUTE $q$
    WITH earned AS MATERIALIZED (
        SELECT e.*, x.payout_id, x.amount AS paid_amount, c.component_no, c.name AS component_name, c.tier_basis, c.accumulate, c.rate_options,
               p.name AS period_name, n.currency_code, n.name AS plan_name, v.version_no, k.definition, t.transaction_key, t.source, t.line, t.event_date,
               t.kind, t.level, t.share, t.amount AS transaction_amount, t.currency_code AS transaction_currency, t.credited_amount, t.owner_key, t.type,
               s.name AS seat, s0.name AS origin
        FROM spm.earning e
        JOIN spm.posting o USING (posting_id)
        LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id)
            = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id)
        JOIN spm.component c ON c.component_id = e.component_id
        JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n USING (plan_id)
        JOIN spm.period p ON p.period_id = e.period_id
        JOIN spm.schedule k USING (schedule_id)
        JOIN spm.credit t USING (credit_id)
        JOIN spm.position s ON s.position_id = e.position_id
        JOIN spm.position s0 ON s0.position_id = t.origin_position_id
        WHERE e.payee_id = $1 AND o.period_id = $2 AND ($3 IS NULL OR t.transaction_key = $3)
    ), line AS (
        SELECT DISTINCT ON (payout_id, period_id, component_id, position_id)
               ARRAY[period_id, component_no, position_id]::bigint[] AS place, 1 AS depth, 0::bigint AS nth, 'payout' AS step,
               format('%s, %s', component_name, period_name) AS item, NULL::numeric AS base, NULL::numeric AS rate, coalesce(paid_amount, 0) AS amount, currency_code,
               concat(CASE WHEN period_id <> $2 THEN 'difference of a posted period; ' END,
                      format('plan %s v%s, rates %s, total of the %s', plan_name, version_no, definition, accumulate)) AS because
        FROM earned
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, to_char(event_date, 'J')::int, earning_id], 2, 0, 'earning',
               format('%s/%s%s', source, transaction_key, '/' || nullif(line, '')), base_amount, NULL, amount, currency_code,
               CASE WHEN reverses_id IS NOT NULL THEN 'takes back a posted earning'
                    ELSE format('takes the total from %s to %s', from_total, from_total + base_amount) END
        FROM earned
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, to_char(e.event_date, 'J')::int, e.earning_id], 3, CASE s.kind WHEN 'tier' THEN 0 WHEN 'rerate' THEN 100000 ELSE 200000 END + coalesce(s.tier_no, 0), 'slice',
               CASE s.kind WHEN 'tier' THEN format('tier %s', s.tier_no) ELSE s.kind END, s.base_amount, s.rate, s.amount, e.currency_code,
               format('from %s to %s', s.slice_from, s.slice_to)
        FROM earned e JOIN spm.earning_slice s USING (earning_id)
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, to_char(event_date, 'J')::int, earning_id], 4, 0, 'credit',
               format('%s to %s', kind, seat), credited_amount, NULL, NULL, transaction_currency,
               CASE kind WHEN 'rollup' THEN format('%s level(s) up from %s', level, origin)
                    ELSE format('share %s of owner %s', share, owner_key) END
               || CASE WHEN exchange_rate <> 1 THEN format(', exchange rate %s', exchange_rate) ELSE '' END
        FROM earned
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, to_char(e.event_date, 'J')::int, e.earning_id], 5, 0, 'transaction',
               format('%s of %s', e.type, e.event_date), e.transaction_amount, NULL, NULL, e.transaction_currency,
               CASE WHEN t.transaction_key IS NULL THEN 'no longer in the warehouse'
                    WHEN (t.amount, t.event_date, t.currency_code) = (e.transaction_amount, e.event_date, e.transaction_currency) THEN 'as it is in the warehouse'
                    ELSE format('in the warehouse now: %s %s on %s', t.amount, t.currency_code, t.event_date) END
        FROM earned e
        LEFT JOIN spm.transaction t ON t.source = e.source AND t.transaction_key = e.transaction_key AND t.line = e.line
    )
    SELECT repeat('  ', depth - 1) || step, item, base, rate, amount, currency_code, because FROM line ORDER BY place, depth, nth
    $q$ USING who, paid, explain.transaction_key;
END
$$;
COMMENT ON FUNCTION spm.explain(text, text, text, text) IS
'Where a payee''s money comes from, as rows in reading order: payout, and under it each earning, its tier slices, its credit, and the transaction, compared with what the warehouse says now.
payee: payee_key. period: name of the paying period. transaction_key: only that transaction; NULL: all. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 55000 when no source is mapped.
Example: SELECT * FROM spm.explain(''U-17'', ''2026-Q1'', ''D-1007'');';
