/*
 * territory/tables_defect.sql: what territories are compared with, and which
 * differences are meant to be.
 */

CREATE TABLE spm.territory_check (
    territory_check_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_model_id int NOT NULL REFERENCES spm.territory_model ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    payee_column text NOT NULL,
    territory_column text NOT NULL,
    UNIQUE (territory_model_id, name)
);
COMMENT ON TABLE spm.territory_check IS 'Another relation that says who holds which territory today. Written by spm.check_holders(); spm.territory_defect() compares.';
COMMENT ON COLUMN spm.territory_check.territory_check_id IS 'Key.';
COMMENT ON COLUMN spm.territory_check.territory_model_id IS 'Model that it is compared with.';
COMMENT ON COLUMN spm.territory_check.name IS 'Name, unique in the model.';
COMMENT ON COLUMN spm.territory_check.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.territory_check.relation_name IS 'Table or view with one row per payee and territory.';
COMMENT ON COLUMN spm.territory_check.payee_column IS 'Column with the payee_key.';
COMMENT ON COLUMN spm.territory_check.territory_column IS 'Column with the territory_key. NULL in a row: none.';

CREATE TABLE spm.accepted_territory_defect (
    territory_model_id int NOT NULL REFERENCES spm.territory_model ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('holder', 'outside', 'other owner', 'no territory')),
    key text NOT NULL CHECK (key <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    accepted_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (territory_model_id, kind, key)
);
COMMENT ON TABLE spm.accepted_territory_defect IS 'A difference that is meant to be, and no longer reported. Written by spm.accept_territory_defect(); who deletes the row has it reported again.';
COMMENT ON COLUMN spm.accepted_territory_defect.territory_model_id IS 'Model.';
COMMENT ON COLUMN spm.accepted_territory_defect.kind IS 'Kind, as spm.territory_defect() has it.';
COMMENT ON COLUMN spm.accepted_territory_defect.key IS 'Key, as spm.territory_defect() has it.';
COMMENT ON COLUMN spm.accepted_territory_defect.reason IS 'Why it is meant to be.';
COMMENT ON COLUMN spm.accepted_territory_defect.accepted_at IS 'When it was accepted.';
COMMENT ON COLUMN spm.accepted_territory_defect.accepted_by IS 'Login that accepted it.';

SELECT pg_catalog.pg_extension_config_dump('spm.territory_check', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_check_territory_check_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.accepted_territory_defect', '');
