/*
 * install.sql: the first words of the install script.
 *
 * A schema named spm that is there already may hold somebody's functions of our
 * names with better fitting arguments: an extension must not move in with them.
 */
DO $$
DECLARE
    stranger text;
BEGIN
    SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) INTO stranger
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
        AND d.refobjid = pg_catalog.to_regnamespace('spm')
        AND d.deptype = 'n'
        AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass
    ORDER BY 1
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema spm is there already and is not empty',
            DETAIL = pg_catalog.format('It holds %s.', stranger),
            HINT = 'Rename it: ALTER SCHEMA spm RENAME TO spm_before;';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace n
               WHERE n.nspname = 'spm' AND n.nspowner <> CURRENT_USER::pg_catalog.regrole) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema spm is there already and belongs to somebody else',
            HINT = 'Rename it: ALTER SCHEMA spm RENAME TO spm_before;';
    END IF;
END
$$;

