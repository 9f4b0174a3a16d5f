/*
 * compensation/tables_capitalization.sql: commissions as costs of obtaining a
 * contract (ASC 340-40, IFRS 15): which are an asset, over how many months, and
 * what is written off early.  The asset itself is derived from the ledger, by
 * views: it cannot disagree with what was earned.
 */

CREATE TABLE spm.capitalization (
    capitalization_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    component_name text NOT NULL DEFAULT '',
    transaction_type text NOT NULL DEFAULT '',
    span daterange NOT NULL CHECK (NOT isempty(span)),
    months int NOT NULL CHECK (months BETWEEN 1 AND 1200),
    term_attribute text,
    first_month text NOT NULL DEFAULT 'full' CHECK (first_month IN ('full', 'partial', 'half', 'next')),
    is_expedient boolean NOT NULL DEFAULT true,
    late text NOT NULL DEFAULT 'catch-up' CHECK (late IN ('catch-up', 'prospective')),
    CONSTRAINT capitalization_overlap EXCLUDE USING gist
        (plan_id WITH =, component_name WITH =, transaction_type WITH =, span WITH &&)
);
CREATE INDEX capitalization_plan ON spm.capitalization (plan_id);
COMMENT ON TABLE spm.capitalization IS 'Which earnings are incremental costs of obtaining a contract, and over how many months they are spread. The most particular row counts: component and type, component, type, neither.';
COMMENT ON COLUMN spm.capitalization.capitalization_id IS 'Key.';
COMMENT ON COLUMN spm.capitalization.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.capitalization.component_name IS 'Component, by name in every version of the plan. Empty: all.';
COMMENT ON COLUMN spm.capitalization.transaction_type IS 'Type of the transaction, such as renewal. Empty: all.';
COMMENT ON COLUMN spm.capitalization.span IS 'Days of the transactions it is for; end exclusive.';
COMMENT ON COLUMN spm.capitalization.months IS 'Benefit period in months.';
COMMENT ON COLUMN spm.capitalization.term_attribute IS 'Attribute of the transaction that holds the contract term in months, which then counts instead. NULL: the benefit period counts.';
COMMENT ON COLUMN spm.capitalization.first_month IS 'full: the month of the deal counts whole; partial: by its days that are left; half: as half a month; next: the following month is the first.';
COMMENT ON COLUMN spm.capitalization.is_expedient IS 'Practical expedient: what is spread over twelve months or less is expensed at once.';
COMMENT ON COLUMN spm.capitalization.late IS 'What is earned more or less after its period was posted. catch-up: as though it had been there from the start, the past all at once; prospective: spread over the months that are left.';

-- No foreign keys: the deal is the warehouse's.
CREATE TABLE spm.impairment (
    impairment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    impaired_on date NOT NULL CHECK (isfinite(impaired_on)),
    share numeric NOT NULL CHECK (share > 0 AND share <= 1),
    kept numeric NOT NULL CHECK (kept >= 0 AND kept < 1),
    reason text NOT NULL CHECK (reason <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX impairment_transaction ON spm.impairment (transaction_key, source, line);
COMMENT ON TABLE spm.impairment IS 'Contract costs written off before their time, because the contract is cancelled or worth less. In order of time within a deal.';
COMMENT ON COLUMN spm.impairment.impairment_id IS 'Key, in order of time within a deal.';
COMMENT ON COLUMN spm.impairment.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.impairment.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.impairment.line IS 'Its line.';
COMMENT ON COLUMN spm.impairment.impaired_on IS 'Day; what is left at the end of its month is written off.';
COMMENT ON COLUMN spm.impairment.share IS 'Share of what is left that is written off: 1 is all.';
COMMENT ON COLUMN spm.impairment.kept IS 'What remains of the schedule after this and all earlier ones: 0 is nothing.';
COMMENT ON COLUMN spm.impairment.reason IS 'Why.';
COMMENT ON COLUMN spm.impairment.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.impairment.recorded_by IS 'Login that recorded it.';

SELECT pg_catalog.pg_extension_config_dump('spm.capitalization', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capitalization_capitalization_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.impairment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.impairment_impairment_id_seq', '');
