/*
 * 0.3.0--0.4.0_after: what can only be done when nothing in the code refers to the old any more.
 */
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent IN ('spm.credit'::pg_catalog.regclass, 'spm.earning'::pg_catalog.regclass) LOOP
        EXECUTE pg_catalog.format('CREATE TRIGGER guard_part BEFORE UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_part()', part);
    END LOOP;
END
$$;
-- what is to be dumped names them no more
ALTER EXTENSION spm DROP TABLE spm.credit_before;
ALTER EXTENSION spm DROP TABLE spm.earning_before;
ALTER EXTENSION spm DROP SEQUENCE spm.credit_before_seq;
ALTER EXTENSION spm DROP SEQUENCE spm.earning_before_seq;
DROP TABLE spm.credit_before, spm.earning_before;
