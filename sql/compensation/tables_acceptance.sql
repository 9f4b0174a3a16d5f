/*
 * compensation/tables_acceptance.sql: who has agreed to what a plan says.
 */

CREATE TABLE spm.plan_acceptance (
    plan_acceptance_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_version_id int NOT NULL REFERENCES spm.plan_version,
    payee_id int NOT NULL REFERENCES spm.payee,
    document_hash text NOT NULL,
    document text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    accepted_by text NOT NULL DEFAULT session_user,
    UNIQUE (plan_version_id, payee_id, document_hash)
);
CREATE INDEX plan_acceptance_payee ON spm.plan_acceptance (payee_id);
COMMENT ON TABLE spm.plan_acceptance IS 'That a payee has accepted a version of a plan, with the text that was accepted. Rows are only added.';
COMMENT ON COLUMN spm.plan_acceptance.plan_acceptance_id IS 'Key.';
COMMENT ON COLUMN spm.plan_acceptance.plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.plan_acceptance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.plan_acceptance.document_hash IS 'SHA-256 of the document, in hex.';
COMMENT ON COLUMN spm.plan_acceptance.document IS 'The document as it was accepted: the text of spm.plan_document().';
COMMENT ON COLUMN spm.plan_acceptance.accepted_at IS 'When.';
COMMENT ON COLUMN spm.plan_acceptance.accepted_by IS 'Login that recorded it: the payee''s own, or that of a portal.';

SELECT pg_catalog.pg_extension_config_dump('spm.plan_acceptance', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_acceptance_plan_acceptance_id_seq', '');
