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
'The same over the columns of a table or view, which the result calls t: the filter of a source. Columns of other types than an expression may use cannot be named in it.
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
 * core/functions.sql: currencies, calendars and periods, payees, positions and
 * the tree they form.  Sources are in core/stages.sql.
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
            FROM unnest(names) AS u (name)
            ORDER BY (
                SELECT count(*) FILTER (WHERE left(lower(u.name), i) = left(lower(wanted), i))
                    + count(*) FILTER (WHERE right(lower(u.name), i) = right(lower(wanted), i))
                FROM generate_series(1, length(wanted)) AS i
            ) DESC, u.name COLLATE "C"
            LIMIT 6
        ) AS n;
    END;
COMMENT ON FUNCTION spm._near(text, text[]) IS
    'Up to six of the names, those that begin and end most like the wanted one, for the hint of an error.';
REVOKE ALL ON FUNCTION spm._near(text, text[]) FROM PUBLIC;

CREATE FUNCTION spm._make_room(relation regclass, matching text, what text, since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    room daterange := spm._checked_span(since, until);
    next_start date;
    columns text;
    clash daterange;
BEGIN
    EXECUTE format('SELECT span FROM %s WHERE (%s) AND CASE WHEN lower_inf($1) THEN lower_inf(span) ELSE lower(span) = lower($1) END',
        relation, matching) INTO clash USING room;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '% is already set from %', what, coalesce(lower(clash)::text, 'the beginning')
            USING ERRCODE = '23P01',
                DETAIL = format('What is there holds for %s.', clash),
                HINT = CASE WHEN lower_inf(clash) THEN 'Give the day of the change: since => ''2026-01-01''.'
                    ELSE format('Give another day, or correct the row of that span in %s.', relation) END;
    END IF;

    EXECUTE format('SELECT min(lower(span)) FROM %s WHERE (%s) AND span && $1 AND NOT coalesce(span @> lower($1), false)',
        relation, matching) INTO next_start USING room;
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
        SELECT string_agg(quote_ident(attname), ', ') INTO columns
        FROM pg_catalog.pg_attribute
        WHERE attrelid = _make_room.relation AND attnum > 0 AND NOT attisdropped
            AND attidentity = '' AND attname <> 'span';
        EXECUTE format($sql$
            WITH held AS MATERIALIZED (
                SELECT * FROM %1$s WHERE (%2$s) AND span @> lower($1)
            ), cut AS (
                UPDATE %1$s SET span = daterange(lower(span), lower($1))
                WHERE (%2$s) AND span @> lower($1)
            )
            SELECT daterange(upper($1), upper(span)) FROM held
            WHERE NOT upper_inf($1) AND coalesce(upper(span) > upper($1), true)$sql$,
            relation, matching) INTO clash USING room;
        IF clash IS NOT NULL THEN
            EXECUTE format($sql$
                INSERT INTO %1$s (%3$s, span)
                SELECT %3$s, $2 FROM %1$s WHERE (%2$s) AND upper(span) = lower($1)$sql$,
                relation, matching, columns) USING room, clash;
        END IF;
    END IF;
    RETURN room;
END
$$;
COMMENT ON FUNCTION spm._make_room(regclass, text, text, date, date) IS
'Frees the days from since for a new row of a dated table and returns the span it may take: until the next one starts, where until is NULL.
The row that holds on since is cut there; when until is given, it holds again from then on. No other row changes.
relation: table with a column span; matching: condition for the rows of the same thing, made of literals by the caller; what: its name in errors.
Errors: 23P01 when one starts on the same day, or when one starts before until; 22023 when until is not after since.';
REVOKE ALL ON FUNCTION spm._make_room(regclass, text, text, date, date) FROM PUBLIC;

CREATE FUNCTION spm._column_type(relation regclass, column_name text, argument text, accepted text[], advice text)
    RETURNS regtype
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
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
    IF NOT format_type(type, NULL) = ANY (accepted) THEN
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
        format('rate_type = %L AND from_currency_code = %L AND to_currency_code = %L', rate_type, from_currency, to_currency),
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
                format('Calendars are: %s.', (SELECT string_agg(name, ', ' ORDER BY name) FROM spm.calendar)),
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
                format('Periods that look like it: %s.', spm._near(period, ARRAY(
                    SELECT DISTINCT name FROM spm.period WHERE wanted_calendar IS NULL OR calendar_id = wanted_calendar))),
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
            SELECT %2$I::date AS start, %4$s AS name,
                coalesce(%3$s + 1, lead(%2$I::date) OVER (ORDER BY %2$I), $3 + 1) AS stop
            FROM %1$s
        ) AS r$sql$,
        relation, start_column,
        coalesce(quote_ident(end_column) || '::date', 'NULL::date'),
        coalesce(quote_ident(name_column) || '::text', 'NULL::text'))
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
                format('Keys that look like it: %s.', spm._near(payee, ARRAY(SELECT payee_key FROM spm.payee))),
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
                format('Keys that look like it: %s.', spm._near(position_key, ARRAY(SELECT p.position_key FROM spm.position AS p))),
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
                format('Titles that look like it: %s. ', spm._near(title, ARRAY(SELECT t.name FROM spm.title AS t))), '')
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
    room := spm._make_room('spm.position_assignment', format('position_id = %s', seat),
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
    room := spm._make_room('spm.reporting_line', format('position_id = %s', seat),
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
-- read the whole tree for the change of one.
CREATE FUNCTION spm._refresh_position_path(touched int[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_seqscan = off
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
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND l.span && up.span
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
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND l.span && up.span
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
    ELSIF TG_OP = 'INSERT' THEN
        touched := ARRAY(SELECT DISTINCT position_id FROM new_line);
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT DISTINCT position_id FROM old_line);
    ELSE
        touched := ARRAY(
            SELECT position_id FROM (
                (TABLE old_line EXCEPT TABLE new_line) UNION ALL (TABLE new_line EXCEPT TABLE old_line)) AS changed
            GROUP BY position_id);
    END IF;
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
    WHERE u.manager IS NOT NULL AND u.manager <> ALL (keys)
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
        SELECT FROM spm.position_assignment AS a
        WHERE (a.position_id = s.position_id OR a.payee_id = p.payee_id AND a.is_primary) AND a.span && daterange(u.start, NULL))
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
    LANGUAGE plpgsql STABLE
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
Errors: 22023 a share is negative or all are 0; 22004 a share is null.
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
