/*
 * forecast/tables_pipeline.sql: where deals are, what their stages mean, and how
 * they were on days gone by.
 */

CREATE TABLE spm.opportunity_source (
    opportunity_source_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    filter text,
    fixed_currency_code text REFERENCES spm.currency,
    time_zone text NOT NULL DEFAULT 'UTC',
    is_mapped boolean NOT NULL DEFAULT true
);
CREATE INDEX opportunity_source_currency ON spm.opportunity_source (fixed_currency_code);
COMMENT ON TABLE spm.opportunity_source IS 'A relation of the CRM whose rows are deals. Written by spm.map_opportunities().';
COMMENT ON COLUMN spm.opportunity_source.opportunity_source_id IS 'Key.';
COMMENT ON COLUMN spm.opportunity_source.name IS 'Name, unique; first part of every deal''s identity.';
COMMENT ON COLUMN spm.opportunity_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.opportunity_source.relation_name IS 'Table, view, foreign or partitioned table.';
COMMENT ON COLUMN spm.opportunity_source.filter IS 'Checked expression over the relation''s columns; only rows for which it is true are deals. NULL: all.';
COMMENT ON COLUMN spm.opportunity_source.fixed_currency_code IS 'Currency of all rows, where no column holds it.';
COMMENT ON COLUMN spm.opportunity_source.time_zone IS 'Time zone in which a timestamp with time zone becomes a day.';
COMMENT ON COLUMN spm.opportunity_source.is_mapped IS 'Whether its deals are shown. False after spm.unmap_opportunities(): what snapshots have kept stays.';

CREATE TABLE spm.opportunity_source_column (
    opportunity_source_id int NOT NULL REFERENCES spm.opportunity_source,
    name text NOT NULL,
    column_name text NOT NULL,
    PRIMARY KEY (opportunity_source_id, name)
);
COMMENT ON TABLE spm.opportunity_source_column IS 'Which column of the relation fills which standard column of a deal.';
COMMENT ON COLUMN spm.opportunity_source_column.opportunity_source_id IS 'Source.';
COMMENT ON COLUMN spm.opportunity_source_column.name IS 'Standard column: one of spm.opportunity, or is_lost, is_closed.';
COMMENT ON COLUMN spm.opportunity_source_column.column_name IS 'Column of the relation.';

CREATE TABLE spm.stage_history_source (
    opportunity_source_id int PRIMARY KEY REFERENCES spm.opportunity_source,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    changed_column text NOT NULL,
    stage_column text,
    amount_column text,
    close_date_column text,
    owner_column text,
    category_column text
);
COMMENT ON TABLE spm.stage_history_source IS 'A relation with one row per change of a deal. Written by spm.map_stage_history().';
COMMENT ON COLUMN spm.stage_history_source.opportunity_source_id IS 'Source whose deals changed.';
COMMENT ON COLUMN spm.stage_history_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.stage_history_source.relation_name IS 'Table or view with one row per change.';
COMMENT ON COLUMN spm.stage_history_source.key_column IS 'Column with the key of the deal.';
COMMENT ON COLUMN spm.stage_history_source.changed_column IS 'Column with the day or moment from which the row holds.';
COMMENT ON COLUMN spm.stage_history_source.stage_column IS 'Column with the stage from then on. NULL in a row: as before.';
COMMENT ON COLUMN spm.stage_history_source.amount_column IS 'Column with the amount from then on. NULL: not recorded.';
COMMENT ON COLUMN spm.stage_history_source.close_date_column IS 'Column with the expected close date from then on. NULL: not recorded.';
COMMENT ON COLUMN spm.stage_history_source.owner_column IS 'Column with the owner from then on. NULL: not recorded.';
COMMENT ON COLUMN spm.stage_history_source.category_column IS 'Column with the category from then on. NULL: not recorded.';

CREATE TABLE spm.sales_stage (
    opportunity_source_id int NOT NULL REFERENCES spm.opportunity_source,
    stage text NOT NULL CHECK (stage <> ''),
    stage_order int NOT NULL,
    category text NOT NULL CHECK (category IN ('omitted', 'pipeline', 'best_case', 'most_likely', 'commit', 'closed')),
    is_won boolean NOT NULL DEFAULT false,
    is_closed boolean NOT NULL DEFAULT false,
    probability numeric CHECK (probability BETWEEN 0 AND 1),
    label text,
    PRIMARY KEY (opportunity_source_id, stage),
    CONSTRAINT sales_stage_won CHECK (is_closed OR NOT is_won),
    CONSTRAINT sales_stage_category CHECK (category = CASE WHEN is_won THEN 'closed' WHEN is_closed THEN 'omitted'
        ELSE nullif(category, 'closed') END)
);
COMMENT ON TABLE spm.sales_stage IS 'Stages of a source: their order, and what they mean for a forecast. Written by spm.load_sales_stages() and spm.set_sales_stage().';
COMMENT ON COLUMN spm.sales_stage.opportunity_source_id IS 'Source.';
COMMENT ON COLUMN spm.sales_stage.stage IS 'Stage, as the source writes it.';
COMMENT ON COLUMN spm.sales_stage.stage_order IS 'Place among the stages of the source, from the first talk to the end.';
COMMENT ON COLUMN spm.sales_stage.category IS 'Category of deals in it that have none of their own; closed for won, omitted for lost.';
COMMENT ON COLUMN spm.sales_stage.is_won IS 'Whether a deal in it is won.';
COMMENT ON COLUMN spm.sales_stage.is_closed IS 'Whether a deal in it is won or lost.';
COMMENT ON COLUMN spm.sales_stage.probability IS 'Chance of winning that the CRM writes to the stage. NULL: none. Only for comparison: spm estimates its own.';
COMMENT ON COLUMN spm.sales_stage.label IS 'What people call it, where the source writes a key. NULL: as it is written.';

-- ----------------------------------------------------------------- snapshots

CREATE TABLE spm.pipeline_snapshot (
    pipeline_snapshot_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    as_of date NOT NULL UNIQUE CHECK (isfinite(as_of)),
    name text UNIQUE CHECK (name <> ''),
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_by text NOT NULL DEFAULT session_user,
    open_count bigint NOT NULL,
    new_count bigint NOT NULL,
    changed_count bigint NOT NULL,
    gone_count bigint NOT NULL
);
COMMENT ON TABLE spm.pipeline_snapshot IS 'One row per day on which spm.take_snapshot() has kept the pipeline.';
COMMENT ON COLUMN spm.pipeline_snapshot.pipeline_snapshot_id IS 'Key.';
COMMENT ON COLUMN spm.pipeline_snapshot.as_of IS 'Day whose pipeline it is.';
COMMENT ON COLUMN spm.pipeline_snapshot.name IS 'Name given to it, such as a board meeting. NULL: none.';
COMMENT ON COLUMN spm.pipeline_snapshot.taken_at IS 'When it was taken last.';
COMMENT ON COLUMN spm.pipeline_snapshot.taken_by IS 'Login that took it.';
COMMENT ON COLUMN spm.pipeline_snapshot.open_count IS 'Open deals.';
COMMENT ON COLUMN spm.pipeline_snapshot.new_count IS 'Deals that were not there at the snapshot before.';
COMMENT ON COLUMN spm.pipeline_snapshot.changed_count IS 'Deals that had changed since.';
COMMENT ON COLUMN spm.pipeline_snapshot.gone_count IS 'Deals that the sources no longer had, those of a source that is no longer mapped among them.';

-- A row per change, not per day: a deal that rests takes no room.
CREATE TABLE spm.opportunity_record (
    opportunity_record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    opportunity_source_id int NOT NULL REFERENCES spm.opportunity_source,
    opportunity_key text NOT NULL,
    span daterange NOT NULL CHECK (NOT isempty(span) AND NOT lower_inf(span)),
    is_gone boolean NOT NULL DEFAULT false,
    name text,
    account_key text,
    owner_key text,
    stage text,
    amount numeric,
    currency_code text,
    created_on date,
    close_date date,
    closed_on date,
    is_won boolean,
    category text,
    segment text,
    entered_on date,
    list_amount numeric
);
-- No exclusion constraint: only snapshots write here, one after the other, and a first
-- one of a million deals would spend its time in the constraint's index.
CREATE UNIQUE INDEX opportunity_record_start ON spm.opportunity_record (opportunity_source_id, opportunity_key, lower(span));
CREATE UNIQUE INDEX opportunity_record_current ON spm.opportunity_record (opportunity_source_id, opportunity_key) WHERE upper_inf(span);
COMMENT ON TABLE spm.opportunity_record IS 'One row per deal and state in which snapshots found it: what a deal said from one snapshot to the next that differs. Written by spm.take_snapshot().';
COMMENT ON COLUMN spm.opportunity_record.opportunity_record_id IS 'Key.';
COMMENT ON COLUMN spm.opportunity_record.opportunity_source_id IS 'Source of the deal.';
COMMENT ON COLUMN spm.opportunity_record.opportunity_key IS 'Key of the deal within its source.';
COMMENT ON COLUMN spm.opportunity_record.span IS 'From the snapshot that first saw it so to the first that saw it otherwise; end exclusive.';
COMMENT ON COLUMN spm.opportunity_record.is_gone IS 'Whether the source no longer had the deal; the rest is as it was last seen.';
COMMENT ON COLUMN spm.opportunity_record.name IS 'Name of the deal.';
COMMENT ON COLUMN spm.opportunity_record.account_key IS 'Account.';
COMMENT ON COLUMN spm.opportunity_record.owner_key IS 'Owner.';
COMMENT ON COLUMN spm.opportunity_record.stage IS 'Stage.';
COMMENT ON COLUMN spm.opportunity_record.amount IS 'Amount, in the currency of the deal.';
COMMENT ON COLUMN spm.opportunity_record.currency_code IS 'Currency.';
COMMENT ON COLUMN spm.opportunity_record.created_on IS 'Day on which the deal was opened.';
COMMENT ON COLUMN spm.opportunity_record.close_date IS 'Expected close date.';
COMMENT ON COLUMN spm.opportunity_record.closed_on IS 'Day on which it was won or lost. NULL: open.';
COMMENT ON COLUMN spm.opportunity_record.is_won IS 'Whether it was won, or lost. NULL: open.';
COMMENT ON COLUMN spm.opportunity_record.category IS 'Category.';
COMMENT ON COLUMN spm.opportunity_record.segment IS 'Segment.';
COMMENT ON COLUMN spm.opportunity_record.entered_on IS 'Day on which it came into its stage, as far as is known.';
COMMENT ON COLUMN spm.opportunity_record.list_amount IS 'Amount at list price.';

SELECT pg_catalog.pg_extension_config_dump('spm.opportunity_source', '');
SELECT pg_catalog.pg_extension_config_dump('spm.opportunity_source_column', '');
SELECT pg_catalog.pg_extension_config_dump('spm.stage_history_source', '');
SELECT pg_catalog.pg_extension_config_dump('spm.sales_stage', '');
SELECT pg_catalog.pg_extension_config_dump('spm.pipeline_snapshot', '');
SELECT pg_catalog.pg_extension_config_dump('spm.opportunity_record', '');
SELECT pg_catalog.pg_extension_config_dump('spm.opportunity_source_opportunity_source_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.pipeline_snapshot_pipeline_snapshot_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.opportunity_record_opportunity_record_id_seq', '');
