/*
 * compensation/functions_time.sql: drafts that are calculated again leave their
 * rows behind, and any instant's results can be read.
 */

CREATE OR REPLACE FUNCTION spm._keep_superseded()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- others' runs are finished when we see them
    this_run bigint := (SELECT max(r.run_id) FROM spm.run r WHERE r.finished_at IS NULL);
BEGIN
    INSERT INTO spm.superseded (relation, posting_id, payee_id, run_id, superseded_run_id, content)
    SELECT TG_TABLE_NAME, g.posting_id, g.payee_id, g.run_id, this_run, to_jsonb(g)
    FROM gone g
    -- what a run writes and takes back again was never known
    WHERE g.run_id IS DISTINCT FROM this_run;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._keep_superseded() IS 'Trigger: keeps draft rows that are removed or changed in spm.superseded.';
REVOKE ALL ON FUNCTION spm._keep_superseded() FROM PUBLIC;

CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.credit
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.credit
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.measurement
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.measurement
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.earning
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.earning
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.payout
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.payout
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.balance
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.balance
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.superseded
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.posted_statement
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

-- ------------------------------------------------------------------ as of then

CREATE OR REPLACE FUNCTION spm._superseded(pattern anyelement, relation text, as_of timestamptz, posting_ids int[] DEFAULT NULL, payee_id int DEFAULT NULL)
    RETURNS SETOF anyelement
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_populate_record(_superseded.pattern, s.content)
    FROM spm.superseded s
    JOIN spm.run w ON w.run_id = s.run_id AND w.finished_at <= _superseded.as_of
    LEFT JOIN spm.run g ON g.run_id = s.superseded_run_id
    WHERE s.relation = _superseded.relation AND coalesce(g.finished_at, s.superseded_at) > _superseded.as_of
      AND (_superseded.posting_ids IS NULL OR s.posting_id = ANY (_superseded.posting_ids))
      AND (_superseded.payee_id IS NULL OR s.payee_id = _superseded.payee_id)
$$;
COMMENT ON FUNCTION spm._superseded(anyelement, text, timestamptz, int[], int) IS 'Rows of a result table that held at an instant and are no longer there.';
REVOKE ALL ON FUNCTION spm._superseded(anyelement, text, timestamptz, int[], int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.credit_as_of(as_of timestamptz)
    RETURNS SETOF spm.credit
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.* FROM spm.credit c JOIN spm.run r USING (run_id) WHERE r.finished_at <= credit_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.credit, 'credit', credit_as_of.as_of);
END;
COMMENT ON FUNCTION spm.credit_as_of(timestamptz) IS
'Rows of spm.credit as they were at an instant: what was posted by then, and drafts as they had last been calculated. Amounts of rows that take back posted ones are negative, so sums are right.
as_of: instant.
Example: SELECT * FROM spm.credit_as_of(''2026-04-02 09:00+00'');';

CREATE OR REPLACE FUNCTION spm.measurement_as_of(as_of timestamptz)
    RETURNS SETOF spm.measurement
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.* FROM spm.measurement m JOIN spm.run r USING (run_id) WHERE r.finished_at <= measurement_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.measurement, 'measurement', measurement_as_of.as_of);
END;
COMMENT ON FUNCTION spm.measurement_as_of(timestamptz) IS
'Rows of spm.measurement as they were at an instant: what was posted by then, and drafts as they had last been calculated. Amounts of rows that take back posted ones are negative, so sums are right.
as_of: instant.
Example: SELECT payee_id, component_id, sum(amount), sum(quota_amount) FROM spm.measurement_as_of(''2026-04-02 09:00+00'') WHERE period_id = 7 GROUP BY 1, 2;';

CREATE OR REPLACE FUNCTION spm.earning_as_of(as_of timestamptz)
    RETURNS SETOF spm.earning
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.* FROM spm.earning e JOIN spm.run r USING (run_id) WHERE r.finished_at <= earning_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.earning, 'earning', earning_as_of.as_of);
END;
COMMENT ON FUNCTION spm.earning_as_of(timestamptz) IS
'Rows of spm.earning as they were at an instant: what was posted by then, and drafts as they had last been calculated. Amounts of rows that take back posted ones are negative, so sums are right.
as_of: instant.
Example: SELECT payee_id, sum(amount) FROM spm.earning_as_of(''2026-04-02 09:00+00'') WHERE period_id = 7 GROUP BY 1;';

CREATE OR REPLACE FUNCTION spm.payout_as_of(as_of timestamptz)
    RETURNS SETOF spm.payout
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.* FROM spm.payout p JOIN spm.run r USING (run_id) WHERE r.finished_at <= payout_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.payout, 'payout', payout_as_of.as_of);
END;
COMMENT ON FUNCTION spm.payout_as_of(timestamptz) IS
'Rows of spm.payout as they were at an instant: what was posted by then, and drafts as they had last been calculated.
as_of: instant.
Example: SELECT payee_id, sum(amount) FROM spm.payout_as_of(''2026-04-02 09:00+00'') GROUP BY 1;';
