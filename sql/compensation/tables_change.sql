/*
 * compensation/tables_change.sql: what has changed since results were
 * calculated, and which sources say so by themselves.
 *
 * Marks are not dumped: a restore fires the triggers that mark everything.
 */

CREATE TABLE spm.change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text NOT NULL,
    calendar_id int,
    source text,
    transaction_key text,
    position_id int,
    payee_id int,
    currency_code text,
    span daterange,
    is_pay boolean NOT NULL DEFAULT false,
    marked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    marked_by text NOT NULL DEFAULT session_user,
    CONSTRAINT change_transaction CHECK (transaction_key IS NULL OR source IS NOT NULL),
    CONSTRAINT change_what CHECK (num_nonnulls(transaction_key, position_id, payee_id, currency_code) <= 1)
);
COMMENT ON TABLE spm.change IS 'Marks: what has changed and waits for spm.refresh(), which takes them away. Without transaction, position, payee and currency: everything that the days touch. Written by triggers and spm.declare_change().';
COMMENT ON COLUMN spm.change.change_id IS 'Key.';
COMMENT ON COLUMN spm.change.relation IS 'Relation whose rows have changed.';
COMMENT ON COLUMN spm.change.calendar_id IS 'Calendar whose results are touched. NULL: all.';
COMMENT ON COLUMN spm.change.source IS 'Source whose transactions have changed.';
COMMENT ON COLUMN spm.change.transaction_key IS 'Transaction of that source. NULL: not one alone.';
COMMENT ON COLUMN spm.change.position_id IS 'Position, where something about it alone has changed.';
COMMENT ON COLUMN spm.change.payee_id IS 'Payee, where something about them alone has changed.';
COMMENT ON COLUMN spm.change.currency_code IS 'Currency, where its exchange rates have changed.';
COMMENT ON COLUMN spm.change.span IS 'Days that are touched; end exclusive. NULL: any.';
COMMENT ON COLUMN spm.change.is_pay IS 'Whether it touches only what is paid, and no earning.';
COMMENT ON COLUMN spm.change.marked_at IS 'When the statement that changed it ran.';
COMMENT ON COLUMN spm.change.marked_by IS 'Login that changed it.';

CREATE TABLE spm.tracked_source (
    source_id int PRIMARY KEY REFERENCES spm.source ON DELETE CASCADE,
    watermark_column text,
    watermark_overlap text,
    seen_until text,
    tracked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tracked_by text NOT NULL DEFAULT session_user,
    CONSTRAINT tracked_source_watermark CHECK ((watermark_column IS NULL) = (watermark_overlap IS NULL)
        AND (watermark_column IS NOT NULL OR seen_until IS NULL))
);
COMMENT ON TABLE spm.tracked_source IS 'Sources whose changes are noticed: by triggers on their relations, or by a column that grows with every change. Written by spm.track_source().';
COMMENT ON COLUMN spm.tracked_source.source_id IS 'Source.';
COMMENT ON COLUMN spm.tracked_source.watermark_column IS 'Column that grows with every change of a row. NULL: triggers.';
COMMENT ON COLUMN spm.tracked_source.watermark_overlap IS 'How far before the greatest value seen rows are looked at again, for what was committed late: an interval, or a number.';
COMMENT ON COLUMN spm.tracked_source.seen_until IS 'Greatest value seen so far.';
COMMENT ON COLUMN spm.tracked_source.tracked_at IS 'Since when.';
COMMENT ON COLUMN spm.tracked_source.tracked_by IS 'Login that asked for it.';

CREATE TABLE spm.change_version (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    version bigint NOT NULL
);
INSERT INTO spm.change_version (version) VALUES (0);
COMMENT ON TABLE spm.change_version IS 'Counts how often something else than transactions has changed: queries that a session has compiled before are compiled anew. One row.';
COMMENT ON COLUMN spm.change_version.is_only IS 'True: there is one row.';
COMMENT ON COLUMN spm.change_version.version IS 'Number of changes.';

SELECT pg_catalog.pg_extension_config_dump('spm.tracked_source', '');
