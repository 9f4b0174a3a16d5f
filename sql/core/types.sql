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
    attributes jsonb,
    reference_key text
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
COMMENT ON COLUMN spm.transaction_row.reference_key IS 'Key of the transaction that this one takes back: a refund, credit note or cancellation.';
