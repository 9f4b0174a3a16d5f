/*
 * compensation/stages_ledger.sql: the parts of spm.credit and spm.earning, one
 * for each period that was ever calculated.
 *
 * Two functions run with the rights of their owner: parts can only be made by
 * the owner of the ledger, and whoever may calculate need not be that.  They take
 * no names and no SQL, make nothing but what a calculation would, and nobody has
 * rights on a part: all reading and writing goes through spm.credit and
 * spm.earning, by their rights, triggers and policies.
 */

CREATE OR REPLACE FUNCTION spm._guard_part()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- there would be no trace of what was there before
    RAISE EXCEPTION 'spm.% is a part of spm.%', TG_TABLE_NAME, regexp_replace(TG_TABLE_NAME, '_\d+$', '')
        USING ERRCODE = 'restrict_violation', HINT = 'Its rows are changed as rows of the whole.';
END
$$;
COMMENT ON FUNCTION spm._guard_part() IS 'Trigger of the parts of the ledger: their rows are not changed behind the back of the whole. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_part() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._ledger_partition(relation text, period_id int, is_indexed boolean DEFAULT true)
    RETURNS regclass
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part_name text := _ledger_partition.relation || '_' || _ledger_partition.period_id;
    part regclass;
    role regrole;
    posted text;
BEGIN
    IF part_name IS NULL OR _ledger_partition.relation NOT IN ('credit', 'earning') THEN
        RAISE EXCEPTION 'the ledger has no parts of "%" for period %', _ledger_partition.relation, _ledger_partition.period_id
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    part := to_regclass(format('spm.%I', part_name));
    IF part IS NOT NULL AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = part AND NOT i.inhdetachpending
                                    AND i.inhparent = to_regclass(format('spm.%I', _ledger_partition.relation))) THEN
        RETURN part;
    END IF;
    -- always both, and in this order: no two calculations wait for each other
    LOCK TABLE ONLY spm.credit, ONLY spm.earning IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT p.name INTO posted FROM spm.posting o JOIN spm.period p USING (period_id)
    WHERE o.period_id = _ledger_partition.period_id AND o.state = 'posted' LIMIT 1;
    IF FOUND OR to_regclass(format('spm.%I', part_name)) IS NOT NULL THEN
        -- whoever took it away for the archive must not be paid twice
        RAISE EXCEPTION 'spm.% is no part of spm.%', part_name, _ledger_partition.relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = CASE WHEN posted IS NULL THEN 'A table of that name is there.' ELSE format('Period %s was posted: its rows must be there to tell what has changed.', posted) END,
                  HINT = format('ALTER TABLE spm.%I ATTACH PARTITION spm.%I FOR VALUES IN (%s);', _ledger_partition.relation, part_name, _ledger_partition.period_id);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period p WHERE p.period_id = _ledger_partition.period_id) THEN
        RAISE EXCEPTION 'period % does not exist', _ledger_partition.period_id USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE format('CREATE TABLE spm.%I (LIKE spm.%I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)',
                   part_name, _ledger_partition.relation);
    part := to_regclass(format('spm.%I', part_name));
    -- what default privileges may have given away
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', part);
    FOR role IN SELECT DISTINCT a.grantee FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE c.oid = part AND a.grantee NOT IN (0, c.relowner) LOOP
        EXECUTE format('REVOKE ALL ON TABLE %s FROM %s', part, role);
    END LOOP;
    EXECUTE format('COMMENT ON TABLE %s IS %L', part,
                   format('Rows of spm.%s of one period. Read and written through spm.%1$s, where their columns are explained.', _ledger_partition.relation));
    EXECUTE format('CREATE TRIGGER guard_part BEFORE UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_part()', part);
    -- the lock of the table itself would keep everybody from reading
    EXECUTE format('ALTER TABLE spm.%I ATTACH PARTITION %s FOR VALUES IN (%s)', _ledger_partition.relation, part, _ledger_partition.period_id);
    IF _ledger_partition.is_indexed THEN
        PERFORM spm._index_partition(_ledger_partition.relation, _ledger_partition.period_id);
    END IF;
    RETURN part;
END
$$;
COMMENT ON FUNCTION spm._ledger_partition(text, int, boolean) IS
'Part of spm.credit or spm.earning that holds a period, made if it is missing. Readers do not wait; until the end of the transaction, whoever makes a part for another period does.
relation: credit or earning. period_id: key. is_indexed: false leaves out the indexes of a new part, for who fills it first and calls spm._index_partition() then.
Errors: 55000 where the part of a posted period was taken away, or another table has its name; 42704 for an unknown period.';
REVOKE ALL ON FUNCTION spm._ledger_partition(text, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._index_partition(relation text, period_id int)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning   -- an index that is there already is no news
AS $$
DECLARE
    part regclass := spm._ledger_partition(_index_partition.relation, _index_partition.period_id, false);
    name text := _index_partition.relation || '_' || _index_partition.period_id;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = part AND k.contype = 'p') THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%I)', part, _index_partition.relation || '_id');
    END IF;
    EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %s (reverses_id) WHERE reverses_id IS NOT NULL', name || '_reverses', part);
    -- nearly all rows of a period are of one posting, and those of a later one lie together
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s USING brin (posting_id)', name || '_posting', part);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (payee_id)', name || '_payee', part);
    IF _index_partition.relation = 'credit' THEN
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (position_id)', name || '_position', part);
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (transaction_key, source)', name || '_transaction', part);
    ELSE
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (credit_id)', name || '_credit', part);
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (credit_period_id, credit_id) WHERE credit_period_id IS NOT NULL', name || '_elsewhere', part);
    END IF;
    -- the next stage reads it before anybody else comes to look; what the stages join and choose by is enough for them
    EXECUTE format('ANALYZE %s (posting_id, reverses_id, position_id, payee_id, %s)', part,
                   CASE _index_partition.relation WHEN 'credit' THEN 'credit_id, event_date, kind, event, currency_code, reference_key' ELSE 'credit_id, component_id, schedule_id, kind' END);
END
$$;
COMMENT ON FUNCTION spm._index_partition(text, int) IS
'Gives the part of spm.credit or spm.earning that holds a period the indexes that it lacks, and tells the planner what is in it.
relation: credit or earning. period_id: key.
Errors: those of spm._ledger_partition().';
REVOKE ALL ON FUNCTION spm._index_partition(text, int) FROM PUBLIC;
