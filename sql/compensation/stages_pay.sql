/*
 * compensation/stages_pay.sql: earning -> payout.
 */

CREATE OR REPLACE FUNCTION spm._pay(posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
    changed bigint;
BEGIN
    PERFORM spm._result(format('
        SELECT e.period_id, e.payee_id, e.position_id, e.component_id, p.plan_id, p.currency_code, sum(e.amount) AS amount
        FROM spm.earning e
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.posting o USING (posting_id)
        WHERE e.posting_id = %s
        GROUP BY e.period_id, o.period_id, e.payee_id, e.position_id, e.component_id, p.plan_id, p.currency_code
        HAVING sum(e.amount) <> 0 OR e.period_id = o.period_id', _pay.posting_id));
    EXECUTE 'DELETE FROM spm.payout o WHERE o.posting_id = $1 AND NOT EXISTS (
        SELECT FROM pg_temp.spm_result r WHERE (r.period_id, r.payee_id, r.position_id, r.component_id, r.plan_id, r.currency_code, r.amount)
            = (o.period_id, o.payee_id, o.position_id, o.component_id, o.plan_id, o.currency_code, o.amount))' USING _pay.posting_id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    EXECUTE 'INSERT INTO spm.payout (posting_id, run_id, period_id, payee_id, position_id, component_id, plan_id, currency_code, amount)
        SELECT $1, $2, period_id, payee_id, position_id, component_id, plan_id, currency_code, amount FROM pg_temp.spm_result
        ON CONFLICT ON CONSTRAINT payout_key DO NOTHING' USING _pay.posting_id, _pay.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._pay(int, bigint) IS 'Fourth stage: the earnings of a posting to payouts. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._pay(int, bigint) FROM PUBLIC;
