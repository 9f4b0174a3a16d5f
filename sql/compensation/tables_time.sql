/*
 * compensation/tables_time.sql: what results were before they became what they are.
 *
 * A posted row never changes.  A draft does, at every calculation: what a
 * calculation removes is kept here, so that any instant can be looked at again,
 * at the price of what has changed and not of what there is.
 */

CREATE TABLE spm.superseded (
    superseded_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text NOT NULL,
    posting_id int NOT NULL,
    payee_id int,
    run_id bigint NOT NULL,
    superseded_run_id bigint,
    superseded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    content jsonb NOT NULL
);
CREATE INDEX superseded_posting ON spm.superseded (posting_id, payee_id);
COMMENT ON TABLE spm.superseded IS 'Draft rows of spm.credit, measurement, earning, payout and balance that a later calculation has removed. Written by triggers, never changed.';
COMMENT ON COLUMN spm.superseded.superseded_id IS 'Key.';
COMMENT ON COLUMN spm.superseded.relation IS 'Table that the row was in: credit, measurement, earning, payout or balance.';
COMMENT ON COLUMN spm.superseded.posting_id IS 'Posting that the row was in.';
COMMENT ON COLUMN spm.superseded.payee_id IS 'Payee of the row.';
COMMENT ON COLUMN spm.superseded.run_id IS 'Run that had written the row.';
COMMENT ON COLUMN spm.superseded.superseded_run_id IS 'Run that removed it. NULL: removed by hand.';
COMMENT ON COLUMN spm.superseded.superseded_at IS 'When it was removed; what counts is when the run that did was done.';
COMMENT ON COLUMN spm.superseded.content IS 'The row.';

CREATE TABLE spm.posted_statement (
    posting_id int NOT NULL REFERENCES spm.posting,
    payee_id int NOT NULL REFERENCES spm.payee,
    content text NOT NULL,
    PRIMARY KEY (posting_id, payee_id)
);
CREATE INDEX posted_statement_payee ON spm.posted_statement (payee_id);
COMMENT ON TABLE spm.posted_statement IS 'What the statements of a posting said when it was posted, to the letter: names, words and layout may change later.';
COMMENT ON COLUMN spm.posted_statement.posting_id IS 'Posting.';
COMMENT ON COLUMN spm.posted_statement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.posted_statement.content IS 'The statement, lines separated by line feeds. Holds the name of the payee.';

SELECT pg_catalog.pg_extension_config_dump('spm.superseded', '');
SELECT pg_catalog.pg_extension_config_dump('spm.superseded_superseded_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.posted_statement', '');
