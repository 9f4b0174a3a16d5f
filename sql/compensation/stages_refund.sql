/*
 * compensation/stages_refund.sql: what refunds, credit notes and cancellations
 * take back of that which the transaction they refer to has earned.
 */

CREATE OR REPLACE FUNCTION spm._whole_months(since date, until date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.n - CASE WHEN (_whole_months.since + make_interval(months => m.n))::date > _whole_months.until THEN 1 ELSE 0 END
    FROM (SELECT (12 * (extract(year FROM _whole_months.until) - extract(year FROM _whole_months.since))
                  + extract(month FROM _whole_months.until) - extract(month FROM _whole_months.since))::int AS n) m;
END;
COMMENT ON FUNCTION spm._whole_months(date, date) IS 'Whole months from a day to another; a day that a month does not have is its last.';
REVOKE ALL ON FUNCTION spm._whole_months(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refund_query(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres'
AS $$
DECLARE
    c record;
    today spm.period;
BEGIN
    SELECT k.*, v.plan_id, v.span AS version_span INTO c
    FROM spm.component k JOIN spm.plan_version v USING (plan_version_id)
    WHERE k.component_id = _refund_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _refund_query.period_id;
    -- another calendar has credits of the same transactions
    RETURN format($sql$WITH credit AS NOT MATERIALIZED (
    SELECT t.* FROM spm.standing_credit t JOIN spm.period p USING (period_id) WHERE p.calendar_id = %14$s
), refund AS (    -- all up to now: together they take back what was earned, no more
    SELECT t.credit_id, t.period_id, t.position_id, t.payee_id, t.kind, t.rule, t.event_date, t.transaction_key, t.line, t.source, t.reference_key, t.credited_amount,
           t.level, t.origin_position_id, t.owner_key, t.part_no,
           (SELECT min(o.line) FROM credit o WHERE o.transaction_key = t.reference_key AND o.source = t.source
                AND o.line = t.line AND o.event = t.event) AS of_line
    FROM credit t
    JOIN spm.plan_seat(%1$s, '(,)') s ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans
    JOIN (SELECT n.source, n.reference_key FROM credit n WHERE n.period_id = %2$s AND n.reference_key IS NOT NULL
          UNION    -- or came before what they take back
          SELECT b.source, b.reference_key FROM credit n JOIN credit b ON b.source = n.source AND b.reference_key = n.transaction_key
          WHERE n.period_id = %2$s AND b.event_date < %11$L) n ON n.source = t.source AND n.reference_key = t.reference_key
    WHERE %3$s AND t.event = %4$L AND t.event_date < %5$L
), original AS (   -- what they refer to
    SELECT r.payee_id, r.kind, r.rule, r.source, r.reference_key, r.of_line, sum(o.credited_amount) AS credited_amount, min(o.event_date) AS since
    FROM (SELECT DISTINCT payee_id, kind, rule, source, reference_key, of_line FROM refund) r
    JOIN credit o ON o.transaction_key = r.reference_key AND o.source = r.source AND o.payee_id = r.payee_id AND o.kind = r.kind AND o.rule = r.rule
        AND o.event = %4$L AND o.line = coalesce(r.of_line, o.line) AND o.event_date < %5$L
    GROUP BY r.payee_id, r.kind, r.rule, r.source, r.reference_key, r.of_line
), reached AS (
    SELECT r.*, greatest(r.event_date, o.since) AS on_day, o.credited_amount AS whole, -sum(r.credited_amount) OVER w AS until_now, -sum(r.credited_amount) OVER w + r.credited_amount AS before
    FROM refund r
    JOIN original o ON (o.payee_id, o.kind, o.rule, o.source, o.reference_key) = (r.payee_id, r.kind, r.rule, r.source, r.reference_key)
        AND o.of_line IS NOT DISTINCT FROM r.of_line
    WHERE o.credited_amount <> 0
    WINDOW w AS (PARTITION BY r.payee_id, r.kind, r.rule, r.source, r.reference_key, r.of_line
                 ORDER BY greatest(r.event_date, o.since), r.event_date, r.transaction_key COLLATE "C", r.line COLLATE "C", r.position_id, r.level, r.origin_position_id,
                          r.owner_key COLLATE "C", r.part_no)
), part AS (       -- from none to all of the original
    SELECT r.*, CASE WHEN r.whole > 0 THEN least(greatest(r.until_now, 0), r.whole) ELSE greatest(least(r.until_now, 0), r.whole) END AS to_amount,
           CASE WHEN r.whole > 0 THEN least(greatest(r.before, 0), r.whole) ELSE greatest(least(r.before, 0), r.whole) END AS from_amount
    FROM reached r
), namesake AS (
    SELECT k.component_id FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) WHERE v.plan_id = %1$s AND k.name = %6$L
), earned AS (     -- by this component, whatever version of the plan; two may apply within a period
    SELECT e.credit_id, e.period_id, e.amount FROM spm.standing_earning e JOIN namesake USING (component_id) WHERE e.kind = 'deal' AND e.period_id <> %2$s
    UNION ALL
    SELECT e.credit_id, %2$s, e.amount FROM pg_temp.spm_result e JOIN namesake USING (component_id) WHERE e.kind = 'deal'
)
SELECT %7$s AS component_id, p.credit_id, p.position_id, p.payee_id, 1::numeric AS exchange_rate, 0::numeric AS base_amount, 0::numeric AS from_total,
       m.schedule_id, -sum(spm.rounded(%8$s * p.to_amount%9$s, %10$s) - spm.rounded(%8$s * p.from_amount%9$s, %10$s)) AS amount, 'refund' AS kind,
       nullif(p.period_id, %2$s) AS credit_period_id
FROM part p
JOIN credit o ON o.transaction_key = p.reference_key AND o.source = p.source AND o.payee_id = p.payee_id AND o.kind = p.kind AND o.rule = p.rule
    AND o.event = %4$L AND o.line = coalesce(p.of_line, o.line) AND o.event_date <= p.on_day
JOIN earned e ON e.credit_id = o.credit_id AND e.period_id = o.period_id
JOIN spm.standing_measurement m ON m.component_id = %7$s AND m.period_id = %2$s AND m.position_id = p.position_id AND m.payee_id = p.payee_id
WHERE p.on_day >= %11$L AND p.on_day <@ %12$L::daterange%13$s
GROUP BY p.credit_id, p.period_id, p.position_id, p.payee_id, m.schedule_id$sql$,
        c.plan_id, today.period_id,
        CASE c.credit_kind WHEN 'all' THEN 'true' ELSE format('t.kind = %L', c.credit_kind) END, c.event, upper(today.span), c.name, c.component_id,
        CASE c.refund_share WHEN 1 THEN 'e.amount' ELSE format('e.amount * %s', c.refund_share) END,
        CASE c.refund WHEN 'unearned' THEN format(' * greatest(%1$s - spm._whole_months(o.event_date, p.on_day), 0) / (p.whole * %1$s)', c.earned_over) ELSE ' / p.whole' END,
        format('%s, %L', c.places, c.rounding), lower(today.span), c.version_span,
        CASE WHEN c.refund_window IS NULL THEN '' ELSE format(E'\n  AND p.event_date <= (o.event_date + %L::interval)::date', c.refund_window) END,
        today.calendar_id);
END
$$;
COMMENT ON FUNCTION spm._refund_query(int, int) IS 'SQL of what refunds of a period take back of what a component has paid: earnings of kind refund. Reads what the deals of the period earn from pg_temp.spm_result.';
REVOKE ALL ON FUNCTION spm._refund_query(int, int) FROM PUBLIC;
