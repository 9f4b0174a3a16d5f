/*
 * forecast/types_pipeline.sql: what an opportunity looks like, whatever CRM it is in.
 */

-- Shapes of views that are the user's, and nothing else: a table with a column of
-- such a type would forbid adding to it.
CREATE TYPE spm.opportunity_row AS (
    opportunity_source_id int,
    source_name text,
    opportunity_key text,
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
COMMENT ON TYPE spm.opportunity_row IS 'Columns of the view spm.opportunity. Only a shape: no column of any table has this type.';
COMMENT ON COLUMN spm.opportunity_row.opportunity_source_id IS 'Mapped source that the row comes from.';
COMMENT ON COLUMN spm.opportunity_row.source_name IS 'Name of that source.';
COMMENT ON COLUMN spm.opportunity_row.opportunity_key IS 'Key of the deal within its source.';
COMMENT ON COLUMN spm.opportunity_row.name IS 'Name of the deal, for people.';
COMMENT ON COLUMN spm.opportunity_row.account_key IS 'Key of the account (customer).';
COMMENT ON COLUMN spm.opportunity_row.owner_key IS 'Key of whoever works the deal: the payee_key of a payee, or the position_key of a seat.';
COMMENT ON COLUMN spm.opportunity_row.stage IS 'Stage of the sale, in the words of the source.';
COMMENT ON COLUMN spm.opportunity_row.amount IS 'Amount of the deal, in its currency. NULL: not known.';
COMMENT ON COLUMN spm.opportunity_row.currency_code IS 'Currency of the amounts, ISO 4217. NULL: the one in which forecasts are reported.';
COMMENT ON COLUMN spm.opportunity_row.created_on IS 'Day on which the deal was opened.';
COMMENT ON COLUMN spm.opportunity_row.close_date IS 'Day on which it is expected to close; when it has closed, that on which it did.';
COMMENT ON COLUMN spm.opportunity_row.closed_on IS 'Day on which it was won or lost. NULL: open.';
COMMENT ON COLUMN spm.opportunity_row.is_won IS 'Whether it was won, or lost. NULL: open.';
COMMENT ON COLUMN spm.opportunity_row.category IS 'How sure it is: pipeline, best_case, most_likely, commit; closed when won; omitted when lost or not to be forecast.';
COMMENT ON COLUMN spm.opportunity_row.segment IS 'Kind of deal, among which rates of winning differ: a product line, a size, a region.';
COMMENT ON COLUMN spm.opportunity_row.entered_on IS 'Day on which it came into its stage. NULL: the source does not say.';
COMMENT ON COLUMN spm.opportunity_row.list_amount IS 'Amount at list price, which stands for the amount where that is not known.';
