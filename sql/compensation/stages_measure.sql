/*
 * compensation/stages_measure.sql: credit -> measurement -> earning.  A
 * component compiles to one query for each of the two.
 */

CREATE OR REPLACE FUNCTION spm._quota_join(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c record;
    whole spm.period;
    parts text;
BEGIN
    SELECT k.name, k.measure_id, k.tier_basis, k.accumulate, p.name AS plan_name, m.name AS measure_name INTO c
    FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    LEFT JOIN spm.measure m USING (measure_id)
    WHERE k.component_id = _quota_join.component_id;
    IF c.measure_id IS NULL THEN
        RETURN E'\n    CROSS JOIN (SELECT NULL::numeric AS quota_amount) q';
    END IF;
    SELECT p.* INTO whole FROM spm.period p WHERE p.period_id = spm._whole(_quota_join.period_id, c.accumulate);
    SELECT string_agg(p.period_id::text, ', ' ORDER BY p.span) INTO parts
    FROM spm.period p
    WHERE p.calendar_id = whole.calendar_id AND p.span <@ whole.span AND p.period_id <> whole.period_id AND spm._is_leaf(p.period_id);
    -- the quota of all that the component accumulates over, else the sum of its parts
    RETURN format($sql$
    LEFT JOIN spm.quota w ON w.position_id = s.position_id AND w.measure_id = %1$s AND w.period_id = %2$s AND w.superseded_at IS NULL$sql$,
        c.measure_id, whole.period_id)
    || CASE WHEN parts IS NOT NULL THEN format($sql$
    LEFT JOIN (SELECT q.position_id, sum(q.amount) AS amount FROM spm.quota q
               WHERE q.measure_id = %1$s AND q.period_id IN (%2$s) AND q.superseded_at IS NULL GROUP BY q.position_id) n
        ON n.position_id = s.position_id$sql$, c.measure_id, parts) ELSE '' END
    || format($sql$
    CROSS JOIN LATERAL (SELECT coalesce(w.amount%1$s%2$s) AS quota_amount) q$sql$,
        CASE WHEN parts IS NOT NULL THEN ', n.amount' ELSE '' END,
        CASE WHEN c.tier_basis = 'quota' THEN format($q$, spm._refuse(
            format('position "%%s" has no quota of %%s for %%s', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %1$L, %2$L),
            %3$L, format('SELECT spm.set_quota(%%L, %%L, amount, %%L);', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %2$L, %1$L))$q$,
            c.measure_name, whole.name, format('Component "%s" of plan "%s" needs it.', c.name, c.plan_name)) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._quota_join(int, int) IS 'SQL that joins the quota of a component to its seats.';
REVOKE ALL ON FUNCTION spm._quota_join(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_query(component_id int, period_id int, stage text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    today spm.period;
    whole spm.period;
    deal text;
    rounding text;
BEGIN
    SELECT k.*, v.plan_id, v.version_no, v.span, p.name AS plan_name, p.currency_code, p.rate_type,
           u.minor_digits, m.name AS measure_name, x.name AS variable_name INTO c
    FROM spm.component k
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan p USING (plan_id)
    JOIN spm.currency u USING (currency_code)
    LEFT JOIN spm.measure m USING (measure_id)
    LEFT JOIN spm.variable x USING (variable_id)
    WHERE k.component_id = _component_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _component_query.period_id;
    SELECT p.* INTO whole FROM spm.period p WHERE p.period_id = spm._whole(today.period_id, c.accumulate);
    rounding := format('%s, %L', c.places, c.rounding);

    -- what counts of every credit since the running total began
    deal := format($sql$-- %1$s v%2$s, component %3$s "%4$s", %5$s: %6$s
WITH deal AS (
    SELECT t.credit_id, t.position_id, t.payee_id, t.event_date, t.transaction_key, t.line, t.source, t.level, t.origin_position_id,
           r.exchange_rate,
           CASE WHEN t.shares IS NULL THEN v.value ELSE (spm.split(v.value, t.shares, %7$s))[t.share_no] END AS base_amount
    FROM spm.standing_credit t
    JOIN spm.plan_seat(%8$s, %9$L) s ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans
$sql$, spm._one_line(c.plan_name), c.version_no, c.component_no, spm._one_line(c.name), spm._one_line(today.name), _component_query.stage,
        CASE c.unit WHEN 'count' THEN greatest(c.minor_digits, 2) ELSE c.minor_digits END, c.plan_id, c.span)
    || CASE c.unit WHEN 'count' THEN $sql$    CROSS JOIN LATERAL (SELECT 1::numeric AS exchange_rate) r
$sql$ ELSE format($sql$    LEFT JOIN spm.exchange_rate x ON x.rate_type = %1$L AND x.from_currency_code = t.currency_code
        AND x.to_currency_code = %2$L AND x.span && %3$L::daterange AND t.event_date <@ x.span
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t.currency_code = %2$L THEN 1
        WHEN x.rate IS NULL THEN spm._refuse(
            format('no %%s rate from %%s to %%s on %%s', %1$L, t.currency_code, %2$L, t.event_date),
            format('Transaction %%s/%%s needs it.', t.source, t.transaction_key),
            format('SELECT spm.set_exchange_rate(%%L, %%L, %%L, rate, %%L);', t.currency_code, %2$L, t.event_date, %1$L))
        ELSE x.rate END AS exchange_rate) r
$sql$, c.rate_type, c.currency_code, daterange(lower(whole.span), upper(today.span))) END
    || format($sql$    CROSS JOIN LATERAL (SELECT coalesce((%1$s)::numeric, spm._refuse(
            format('measure of component "%%s" is NULL for transaction %%s/%%s', %2$L, t.source, t.transaction_key),
            %3$L, 'Use coalesce() in the measure, or leave the transaction out with a condition.')) AS value) m
    CROSS JOIN LATERAL (SELECT %4$s AS value) v
    WHERE %5$s AND t.period_id = ANY (%6$L::int[])
      AND t.event_date >= %7$L AND t.event_date < %8$L%9$s
)$sql$, c.measure_expression, c.name, 'It is ' || c.measure_expression || '.',
        CASE c.unit WHEN 'count' THEN 'm.value'
             ELSE format('CASE WHEN t.currency_code = %L THEN m.value ELSE spm.rounded(m.value * r.exchange_rate, %s) END', c.currency_code, c.minor_digits) END,
        CASE c.credit_kind WHEN 'all' THEN 'true' ELSE format('t.kind = %L', c.credit_kind) END,
        (SELECT array_agg(p.period_id ORDER BY p.period_id) FROM spm.period p
         WHERE p.calendar_id = today.calendar_id AND p.span <@ daterange(lower(whole.span), upper(today.span))),
        lower(whole.span), upper(today.span),
        E'\n      AND (' || c.eligibility_expression || ')');

    IF _component_query.stage = 'measurement' THEN
        RETURN deal || format($sql$, total AS (
    SELECT d.position_id, d.payee_id,
           count(*) FILTER (WHERE d.event_date >= %1$L) AS credit_count,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date < %1$L), 0) AS opening_amount,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date >= %1$L), 0) AS amount
    FROM deal d GROUP BY d.position_id, d.payee_id
), rates AS MATERIALIZED (
    SELECT spm.component_rates(%2$s) AS schedule
), seat AS MATERIALIZED (    -- everybody on the plan, what is expected, by which rates
    SELECT s.position_id, s.payee_id, q.quota_amount, f.factor, spm.with_factor(%3$s, f.factor) AS schedule
    FROM rates r
    CROSS JOIN spm.plan_seat(%4$s, %5$L) s%6$s
    CROSS JOIN LATERAL (SELECT %7$s AS factor) f
    WHERE s.spans && %8$L::daterange
)$sql$, lower(today.span), c.component_id,
            CASE c.tier_basis WHEN 'quota' THEN 'spm.for_quota(r.schedule, q.quota_amount)' ELSE 'r.schedule' END,
            c.plan_id, c.span, spm._quota_join(_component_query.component_id, today.period_id),
            CASE WHEN c.variable_id IS NULL THEN '1::numeric'
                 ELSE format($q$coalesce(spm.variable_value(%s, s.payee_id, s.position_id, %L), spm._refuse(
            format('payee "%%s" has no value of variable %%s for %%s', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %L, %L),
            %L, format('SELECT spm.set_variable(%%L, value, payee => %%L);', %L, (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id))))$q$,
                     c.variable_id, today.span, c.variable_name, today.name,
                     format('Component "%s" of plan "%s" needs it.', c.name, c.plan_name), c.variable_name) END,
            today.span)
        || CASE c.accumulate WHEN 'deal' THEN format($sql$, singly AS (    -- every deal from zero
    SELECT d.position_id, d.payee_id, sum(spm.commission(s.schedule, 0, d.base_amount, %1$s)) AS amount
    FROM deal d JOIN seat s USING (position_id, payee_id)
    WHERE d.event_date >= %2$L GROUP BY d.position_id, d.payee_id
)$sql$, rounding, lower(today.span)) ELSE '' END
        || format($sql$
SELECT %1$s AS component_id, s.position_id, s.payee_id, coalesce(t.credit_count, 0) AS credit_count,
       coalesce(t.opening_amount, 0) AS opening_amount, coalesce(t.amount, 0) AS amount, s.quota_amount, s.factor, s.schedule,
       %2$s AS earned_amount
FROM seat s LEFT JOIN total t USING (position_id, payee_id)%3$s$sql$, c.component_id,
            CASE c.accumulate WHEN 'deal' THEN 'coalesce(e.amount, 0)'
                 ELSE format('spm.commission(s.schedule, coalesce(t.opening_amount, 0), coalesce(t.opening_amount + t.amount, 0), %s)', rounding) END,
            CASE c.accumulate WHEN 'deal' THEN E'\nLEFT JOIN singly e USING (position_id, payee_id)' ELSE '' END);
    END IF;
    RETURN deal || format($sql$, running AS (    -- deals by date, then key
    SELECT d.*, %1$s AS from_total
    FROM deal d
)
SELECT %2$s AS component_id, d.credit_id, d.position_id, d.payee_id, d.exchange_rate, d.base_amount, d.from_total, m.schedule_id,
       spm.commission(k.schedule, d.from_total, d.from_total + d.base_amount, %3$s) AS amount
FROM running d
JOIN spm.standing_measurement m ON m.component_id = %2$s AND m.period_id = %4$s
    AND m.position_id = d.position_id AND m.payee_id = d.payee_id
JOIN spm.schedule k USING (schedule_id)
WHERE d.event_date >= %5$L$sql$,
        CASE c.accumulate WHEN 'deal' THEN '0::numeric' ELSE
            $w$sum(d.base_amount) OVER (
               PARTITION BY d.position_id, d.payee_id
               ORDER BY d.event_date, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C", d.level, d.origin_position_id
               ROWS UNBOUNDED PRECEDING) - d.base_amount$w$ END,
        c.component_id, rounding, today.period_id, lower(today.span));
END
$$;
COMMENT ON FUNCTION spm._component_query(int, int, text) IS 'SQL of one component for one period: stage measurement or earning.';
REVOKE ALL ON FUNCTION spm._component_query(int, int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_query(plan text, period text, stage text DEFAULT 'earning', calendar text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    of_plan int := spm._plan_id(plan_query.plan);
    of_period int := spm._period_id(plan_query.period, coalesce(plan_query.calendar,
        (SELECT k.name FROM spm.plan p JOIN spm.calendar k USING (calendar_id) WHERE p.plan_id = of_plan)));
    sql text;
BEGIN
    IF plan_query.stage NOT IN ('measurement', 'earning') THEN
        RAISE EXCEPTION 'stage "%" has no query of its own for a plan', plan_query.stage
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for measurement or earning.';
    END IF;
    SELECT string_agg(spm._component_query(c.component_id, of_period, plan_query.stage), E'\n\n' ORDER BY c.component_id) INTO sql
    FROM spm._components(of_period) c JOIN spm.plan_version v USING (plan_version_id)
    WHERE v.plan_id = of_plan;
    RETURN sql;
END
$$;
COMMENT ON FUNCTION spm.plan_query(text, text, text, text) IS
'The very SQL that a plan compiles to for a period, one query per component. It is what spm.calculate() runs.
plan, period: names. stage: measurement (credits to totals, quota and rates) or earning (each deal''s own). calendar: needed only when it is not the plan''s.
Returns NULL when no published version applies.
Errors: 42704 for an unknown plan or period, 22023 for another stage.
Example: SELECT spm.plan_query(''Account Executive'', ''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm._measure_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query text;
    missing record;
BEGIN
    SELECT c.name AS component, p.name AS period INTO missing
    FROM spm._components(_measure_period.period_id) c
    JOIN spm.period this ON this.period_id = _measure_period.period_id
    JOIN spm.period whole ON whole.period_id = spm._whole(this.period_id, c.accumulate)
    JOIN spm.period p ON p.calendar_id = this.calendar_id AND p.span <@ whole.span AND p.span << this.span AND p.state = 'open'
    WHERE spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is not calculated', missing.period
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Component "%s" goes on from its total.', missing.component),
                  HINT = format('CALL spm.calculate(%L);', missing.period);
    END IF;
    SELECT string_agg('(' || spm._component_query(c.component_id, _measure_period.period_id, 'measurement') || ')', E'\nUNION ALL\n') INTO query
    FROM spm._components(_measure_period.period_id) c;
    PERFORM spm._result(coalesce(query, 'SELECT 0 AS component_id, 0 AS position_id, 0 AS payee_id, 0::bigint AS credit_count,
        0.0 AS opening_amount, 0.0 AS amount, 0.0 AS quota_amount, 0.0 AS factor, NULL::spm.rate_schedule AS schedule, 0.0 AS earned_amount WHERE false'));
    EXECUTE 'INSERT INTO spm.schedule (schedule, definition)
             SELECT DISTINCT ON (schedule::text) schedule, schedule::text FROM pg_temp.spm_result
             ON CONFLICT (definition) DO NOTHING';
    EXECUTE 'ALTER TABLE pg_temp.spm_result ADD COLUMN schedule_id bigint';
    EXECUTE 'UPDATE pg_temp.spm_result r SET schedule_id = k.schedule_id FROM spm.schedule k WHERE k.definition = r.schedule::text';
    RETURN spm._sync('measurement', ARRAY['component_id', 'position_id', 'payee_id'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'factor', 'schedule_id', 'earned_amount'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'earned_amount'],
        _measure_period.period_id, _measure_period.posting_id, _measure_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._measure_period(int, int, bigint) IS 'Second stage: credits to totals, quota and rates. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._measure_period(int, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._earn_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query text;
BEGIN
    SELECT string_agg('(' || spm._component_query(c.component_id, _earn_period.period_id, 'earning') || ')', E'\nUNION ALL\n') INTO query
    FROM spm._components(_earn_period.period_id) c;
    PERFORM spm._result(coalesce(query, 'SELECT 0 AS component_id, 0::bigint AS credit_id, 0 AS position_id, 0 AS payee_id,
        0.0 AS exchange_rate, 0.0 AS base_amount, 0.0 AS from_total, 0::bigint AS schedule_id, 0.0 AS amount WHERE false'));
    RETURN spm._sync('earning', ARRAY['component_id', 'credit_id'],
        ARRAY['position_id', 'payee_id', 'exchange_rate', 'base_amount', 'from_total', 'schedule_id', 'amount'],
        ARRAY['base_amount', 'amount'],
        _earn_period.period_id, _earn_period.posting_id, _earn_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._earn_period(int, int, bigint) IS 'Third stage: what each deal earns. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._earn_period(int, int, bigint) FROM PUBLIC;
