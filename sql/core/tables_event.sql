/*
 * core/tables_event.sql: where the milestones of transactions are.
 */

CREATE TABLE spm.event_source (
    source_id int NOT NULL REFERENCES spm.source ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind NOT IN ('', 'booking')),
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    line_column text,
    date_column text NOT NULL,
    amount_column text,
    amount_unit text NOT NULL DEFAULT 'money' CHECK (amount_unit IN ('money', 'ratio', 'percent')),
    credited text NOT NULL DEFAULT 'pro rata' CHECK (credited IN ('pro rata', 'first', 'full')),
    over text NOT NULL DEFAULT 'capped' CHECK (over IN ('capped', 'credited')),
    tolerance numeric NOT NULL DEFAULT 0 CHECK (tolerance >= 0 AND tolerance < 1),
    PRIMARY KEY (source_id, kind)
);
COMMENT ON TABLE spm.event_source IS 'A warehouse relation with milestones of a source''s transactions: invoices, payments. Written by spm.map_event().';
COMMENT ON COLUMN spm.event_source.source_id IS 'Source whose transactions have them.';
COMMENT ON COLUMN spm.event_source.kind IS 'Kind of milestone, by which components name it.';
COMMENT ON COLUMN spm.event_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.event_source.relation_name IS 'Table or view with one row per milestone.';
COMMENT ON COLUMN spm.event_source.key_column IS 'Column with the transaction''s key.';
COMMENT ON COLUMN spm.event_source.line_column IS 'Column with its line. NULL: a milestone is of all lines of the key.';
COMMENT ON COLUMN spm.event_source.date_column IS 'Column with the day.';
COMMENT ON COLUMN spm.event_source.amount_column IS 'Column that says how much of the transaction it is. NULL: all of it.';
COMMENT ON COLUMN spm.event_source.amount_unit IS 'money: in the currency of the transaction; ratio: 1 is all of it; percent: 100 is.';
COMMENT ON COLUMN spm.event_source.credited IS 'pro rata: each milestone credits its part; first: the first one credits all; full: all is credited once it is reached in full.';
COMMENT ON COLUMN spm.event_source.over IS 'What goes beyond the transaction: capped, not credited; credited, like the rest.';
COMMENT ON COLUMN spm.event_source.tolerance IS 'Share that may be missing for the transaction to count as reached in full: 0.01 is 1 %.';

SELECT pg_catalog.pg_extension_config_dump('spm.event_source', '');
