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
COMMENT ON TABLE spm.payee IS 'Who is paid. Names of people are here, and in the texts of posted statements.';
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
    kind text NOT NULL CHECK (kind IN ('calculate', 'post', 'refresh')),
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
COMMENT ON TABLE spm.run IS 'One row per calculation, refresh or posting that succeeded; one that failed is rolled back whole.';
COMMENT ON COLUMN spm.run.run_id IS 'Key, stamped on every result row that the run wrote.';
COMMENT ON COLUMN spm.run.kind IS 'calculate, refresh or post.';
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
