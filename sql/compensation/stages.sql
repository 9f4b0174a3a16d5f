/*
 * compensation/stages.sql: transaction -> credit -> measurement -> earning ->
 * payout.  Each stage is one query over the stage before it; its rows are
 * compared with the ledger, and only what differs is written.
 */

-- ------------------------------------------------------- who is on what, when

CREATE OR REPLACE FUNCTION spm.plan_seat(plan_id int, span daterange)
    RETURNS TABLE (position_id int, payee_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.position_id, t.payee_id, range_agg(t.span * plan_seat.span)
    FROM (SELECT s.position_id, s.payee_id, s.span * a.span AS span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (payee_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (position_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position p USING (title_id) JOIN spm.position_assignment s ON s.position_id = p.position_id
          WHERE a.plan_id = plan_seat.plan_id) t
    WHERE t.span && plan_seat.span
    GROUP BY t.position_id, t.payee_id;
END;
COMMENT ON FUNCTION spm.plan_seat(int, daterange) IS
'Who is on a plan during a span: position, payee sitting there, and the days.
plan_id: key. span: days looked at.
Example: SELECT * FROM spm.plan_seat(1, ''[2026-01-01,2026-04-01)'');';

CREATE OR REPLACE FUNCTION spm._is_leaf(period_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM spm.period p WHERE p.parent_period_id = _is_leaf.period_id);
END;
COMMENT ON FUNCTION spm._is_leaf(int) IS 'Whether a period has no parts: such periods are calculated.';
REVOKE ALL ON FUNCTION spm._is_leaf(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._whole(period_id int, accumulate text)
    RETURNS int
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _whole.accumulate IN ('deal', 'period') THEN _whole.period_id ELSE (
        WITH RECURSIVE up AS (
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p WHERE p.period_id = _whole.period_id
            UNION ALL
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p JOIN up ON p.period_id = up.parent_period_id)
        SELECT up.period_id FROM up WHERE up.grain = _whole.accumulate) END;
END;
COMMENT ON FUNCTION spm._whole(int, text) IS 'Period that a component accumulates over, when it is calculated for a period.';
REVOKE ALL ON FUNCTION spm._whole(int, text) FROM PUBLIC;

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

CREATE OR REPLACE FUNCTION spm._refuse(message text, detail text, hint text)
    RETURNS numeric
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%', _refuse.message
        USING ERRCODE = 'data_exception', DETAIL = _refuse.detail, HINT = _refuse.hint;
END
$$;
COMMENT ON FUNCTION spm._refuse(text, text, text) IS 'Raises error 22000 from within a query that meets a row it cannot use.';
REVOKE ALL ON FUNCTION spm._refuse(text, text, text) FROM PUBLIC;

-- ------------------------------------------------------------------ crediting

CREATE OR REPLACE FUNCTION spm._claim_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    days daterange := (SELECT p.span FROM spm.period p WHERE p.period_id = _claim_query.period_id);
    rules text;
BEGIN
    SELECT string_agg(format(E'\n               WHEN t.event_date <@ %L::daterange AND (%s) THEN %s', r.span, r.condition, r.credit_rule_id),
                      '' ORDER BY r.priority, r.credit_rule_id) INTO rules
    FROM spm.credit_rule r WHERE r.span && days;
    RETURN format($sql$
WITH split AS (    -- shares that the warehouse gives
    SELECT s.source, s.transaction_key, s.line,
           CASE WHEN bool_and(coalesce(s.share >= 0, false)) THEN sum(s.share) END AS total,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS shares,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) AS all_owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) AS all_shares
    FROM spm.transaction_split s
    GROUP BY s.source, s.transaction_key, s.line
), rule AS (       -- shares that rules give
    SELECT r.credit_rule_id, array_agg(y.payee_key ORDER BY y.payee_key COLLATE "C") AS owners,
           array_agg(r.share ORDER BY y.payee_key COLLATE "C") AS shares
    FROM spm.credit_rule_share r JOIN spm.payee y USING (payee_id)
    GROUP BY r.credit_rule_id
), booked AS (
    SELECT t.*, %s AS credit_rule_id
    FROM spm.transaction t
    WHERE t.event_date >= %L AND t.event_date < %L
)
SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity,
       CASE WHEN t.transaction_key IS NULL OR t.type IS NULL OR t.currency_code IS NULL OR t.amount IS NULL
                 OR t.amount = 'NaN' OR abs(t.amount) >= 1e15
            THEN spm._refuse(format('transaction %%s/%%s has no usable %%s', t.source, coalesce(t.transaction_key, '(no key)'),
                     CASE WHEN t.transaction_key IS NULL THEN 'key' WHEN t.type IS NULL THEN 'type'
                          WHEN t.currency_code IS NULL THEN 'currency' ELSE 'amount' END),
                 format('Line "%%s" of %%s.', t.line, t.event_date),
                 'Repair the row, or leave it out with the filter of spm.map_source().')
            WHEN s.all_shares IS NOT NULL AND s.total IS DISTINCT FROM 1
            THEN spm._refuse(format('shares of transaction %%s/%%s %%s', t.source, t.transaction_key,
                     coalesce('total ' || s.total || ', not 1', 'must be given and not negative')),
                 format('Line "%%s": %%s have %%s.', t.line, s.all_owners, s.all_shares),
                 'Repair the rows of the relation given to spm.map_split().')
            ELSE t.amount END AS amount,
       t.cost, t.list_amount, t.currency_code, t.attributes,
       coalesce(c.owner_key, '') AS owner_key,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN coalesce(s.shares, r.shares) END AS shares,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN c.share_no::int END AS share_no,
       coalesce((coalesce(s.shares, r.shares))[c.share_no], 1) AS share,
       y.payee_id, seat.position_id,
       CASE WHEN c.owner_key IS NULL THEN 'it has no owner'
            WHEN y.payee_id IS NULL THEN 'its owner is not a payee'
            WHEN seat.position_id IS NULL THEN 'its owner held no position on that day' END AS reason
FROM booked t
LEFT JOIN split s ON s.source = t.source AND s.transaction_key = t.transaction_key AND coalesce(s.line, t.line) = t.line
LEFT JOIN rule r ON r.credit_rule_id = t.credit_rule_id AND s.owners IS NULL
CROSS JOIN LATERAL unnest(coalesce(s.owners, r.owners, ARRAY[t.owner_key])) WITH ORDINALITY c(owner_key, share_no)
LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
LEFT JOIN spm.position_assignment seat ON seat.payee_id = y.payee_id AND seat.is_primary AND t.event_date <@ seat.span
$sql$, coalesce('CASE' || rules || E'\n          END', 'NULL::int'), lower(days), upper(days));
END
$$;
COMMENT ON FUNCTION spm._claim_query(int) IS 'SQL that finds who shares in each transaction of a period, and where that payee sits.';
REVOKE ALL ON FUNCTION spm._claim_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN format($sql$
WITH direct AS (
    SELECT c.*, CASE WHEN c.shares IS NULL THEN c.amount
                     ELSE (spm.split(c.amount, c.shares, coalesce(k.minor_digits, 2)))[c.share_no] END AS credited_amount
    FROM pg_temp.spm_claim c LEFT JOIN spm.currency k USING (currency_code)
    WHERE c.reason IS NULL
), above AS (      -- seats whose plan pays for what comes up the tree
    SELECT s.position_id, s.payee_id, range_agg(d.days) AS spans
    FROM spm.plan_version v
    JOIN spm.plan p USING (plan_id)
    CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
    CROSS JOIN LATERAL unnest(s.spans) d(days)
    WHERE v.state <> 'draft' AND p.calendar_id = (SELECT calendar_id FROM spm.period WHERE period_id = %1$s)
      AND EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = v.plan_version_id AND c.credit_kind <> 'direct')
    GROUP BY s.position_id, s.payee_id
)
SELECT d.position_id, d.payee_id, 'direct' AS kind, d.position_id AS origin_position_id, 0::smallint AS level,
       d.share, d.shares, d.share_no, d.credited_amount, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes
FROM direct d
UNION ALL
SELECT a.position_id, a.payee_id, 'rollup', d.position_id, p.depth,
       d.share, d.shares, d.share_no, d.credited_amount, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes
FROM direct d
JOIN spm.position_path p ON p.position_id = d.position_id AND d.event_date <@ p.span
JOIN above a ON a.position_id = p.ancestor_position_id AND d.event_date <@ a.spans
$sql$, _credit_query.period_id);
END
$$;
COMMENT ON FUNCTION spm._credit_query(int) IS 'SQL that makes the credits of a period: direct ones, and those that roll up.';
REVOKE ALL ON FUNCTION spm._credit_query(int) FROM PUBLIC;

-- -------------------------------------------- one component, as a single query

CREATE OR REPLACE FUNCTION spm._one_line(name text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT regexp_replace(_one_line.name, '[[:cntrl:]\u0085\u2028\u2029]', ' ', 'g');
END;
COMMENT ON FUNCTION spm._one_line(text) IS 'A name as it may stand in an SQL comment: it must not end the line.';
REVOKE ALL ON FUNCTION spm._one_line(text) FROM PUBLIC;

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

CREATE OR REPLACE FUNCTION spm._components(period_id int)
    RETURNS SETOF spm.component
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.*
    FROM spm.period p
    JOIN spm.plan n USING (calendar_id)
    JOIN spm.plan_version v ON v.plan_id = n.plan_id AND v.state <> 'draft' AND v.span && p.span
    JOIN spm.component c USING (plan_version_id)
    WHERE p.period_id = _components.period_id
    ORDER BY c.component_id;
END;
COMMENT ON FUNCTION spm._components(int) IS 'Components that apply in a period.';
REVOKE ALL ON FUNCTION spm._components(int) FROM PUBLIC;

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

-- --------------------------------------------------------- writing the ledger

CREATE OR REPLACE FUNCTION spm._sync(relation text, keys text[], contents text[], negated text[],
                                     period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    id text := relation || '_id';
    columns text := array_to_string(keys || contents, ', ');
    same text := (SELECT string_agg(format('a.%1$s = b.%1$s', k), ' AND ' ORDER BY k) FROM unnest(keys) k)
        || (SELECT format(' AND (%s) IS NOT DISTINCT FROM (%s)', string_agg('a.' || c, ', ' ORDER BY c), string_agg('b.' || c, ', ' ORDER BY c))
            FROM unnest(contents) c);
    -- originals in closed postings that no closed posting has taken back
    posted text := format('SELECT o.* FROM spm.%1$I o JOIN spm.posting p USING (posting_id)
        WHERE o.period_id = %3$s AND p.state = ''posted'' AND o.reverses_id IS NULL AND NOT EXISTS (
            SELECT FROM spm.%1$I r JOIN spm.posting q USING (posting_id) WHERE r.reverses_id = o.%2$I AND q.state = ''posted'')',
        relation, id, _sync.period_id);
    wanted text := format('SELECT a.* FROM pg_temp.spm_result a WHERE NOT EXISTS (SELECT FROM (%s) b WHERE %s)', posted, same);
    has_posted boolean;
    changed bigint := 0;
    n bigint;
BEGIN
    EXECUTE format('SELECT EXISTS (%s)', posted) INTO has_posted;
    IF has_posted THEN
        EXECUTE format('DELETE FROM spm.%1$I d WHERE d.posting_id = $1 AND d.period_id = $2 AND d.reverses_id IS NOT NULL
            AND EXISTS (SELECT FROM (%2$s) a JOIN pg_temp.spm_result b ON %3$s WHERE a.%4$I = d.reverses_id)', relation, posted, same, id)
            USING _sync.posting_id, _sync.period_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
        EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, reverses_id, %2$s)
            SELECT $1, $2, $3, a.%3$I, %4$s FROM (%5$s) a
            WHERE NOT EXISTS (SELECT FROM pg_temp.spm_result b WHERE %6$s)
              AND NOT EXISTS (SELECT FROM spm.%1$I r WHERE r.reverses_id = a.%3$I)',
            relation, columns, id,
            (SELECT string_agg(CASE WHEN c = ANY (negated) THEN '-a.' ELSE 'a.' END || c, ', ' ORDER BY o)
             FROM unnest(keys || contents) WITH ORDINALITY u(c, o)), posted, same)
            USING _sync.posting_id, _sync.period_id, _sync.run_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
    ELSE
        wanted := 'SELECT a.* FROM pg_temp.spm_result a';
    END IF;
    EXECUTE format('DELETE FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL
        AND NOT EXISTS (SELECT FROM (%2$s) b WHERE %3$s)', relation, wanted, same)
        USING _sync.posting_id, _sync.period_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n;
    EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, %2$s)
        SELECT $1, $2, $3, %2$s FROM (%3$s) b
        WHERE NOT EXISTS (SELECT FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL AND %4$s)',
        relation, columns, wanted, same)
        USING _sync.posting_id, _sync.period_id, _sync.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint) IS
'Makes the draft of a posting say, together with what is posted, exactly what pg_temp.spm_result says of a period; returns the number of rows written or removed. Rows that are right stay untouched.';
REVOKE ALL ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._drop_temporary(relation text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('pg_temp.' || _drop_temporary.relation) IS NOT NULL THEN
        EXECUTE format('DROP TABLE pg_temp.%I', _drop_temporary.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._drop_temporary(text) IS 'Drops a temporary table of an earlier call in the same transaction, without a notice when there is none.';
REVOKE ALL ON FUNCTION spm._drop_temporary(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._result(query text, relation text DEFAULT 'spm_result')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    -- a stage reads a whole period: where the planner would loop, it has guessed wrong;
    -- and compiling what runs once takes longer than running it
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    PERFORM spm._drop_temporary(_result.relation);
    EXECUTE format('CREATE TEMPORARY TABLE %I ON COMMIT DROP AS %s', _result.relation, _result.query);
    EXECUTE format('ANALYZE pg_temp.%I', _result.relation);
EXCEPTION WHEN data_exception THEN
    -- said again without the query, which would bury it
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION '%', message USING ERRCODE = state, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION spm._result(text, text) IS 'Runs the query of a stage into a temporary table.';
REVOKE ALL ON FUNCTION spm._result(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    PERFORM spm._result(spm._claim_query(_credit_period.period_id), 'spm_claim');
    -- the claims on one row total 1, whoever makes them: more is a second row
    EXECUTE 'SELECT source, transaction_key, line, ceil(sum(share)) AS rows FROM pg_temp.spm_claim
             GROUP BY source, transaction_key, line HAVING sum(share) > 1
             UNION ALL
             SELECT source, transaction_key, line, count(*) FROM pg_temp.spm_claim WHERE shares IS NOT NULL
             GROUP BY source, transaction_key, line, owner_key HAVING count(*) > 1
             ORDER BY 1, 2, 3 LIMIT 1' INTO twice;
    IF twice.rows IS NOT NULL THEN
        RAISE EXCEPTION 'transaction %/% occurs % times', twice.source, twice.transaction_key, twice.rows
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source, and an owner a share of it: map another key or line, or a filter, with spm.map_source().';
    END IF;
    DELETE FROM spm.uncredited u WHERE u.period_id = _credit_period.period_id;
    EXECUTE 'INSERT INTO spm.uncredited (period_id, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, run_id)
             SELECT $1, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, $2
             FROM pg_temp.spm_claim WHERE reason IS NOT NULL'
        USING _credit_period.period_id, _credit_period.run_id;
    PERFORM spm._result(spm._credit_query(_credit_period.period_id));
    RETURN spm._sync('credit',
        ARRAY['position_id', 'transaction_key', 'line', 'source', 'kind', 'origin_position_id', 'owner_key'],
        ARRAY['payee_id', 'level', 'share', 'shares', 'share_no', 'credited_amount', 'event_date', 'type', 'account_key',
              'product_key', 'quantity', 'amount', 'cost', 'list_amount', 'currency_code', 'attributes'],
        ARRAY['credited_amount'], _credit_period.period_id, _credit_period.posting_id, _credit_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._credit_period(int, int, bigint) IS 'First stage: transactions to credits. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._credit_period(int, int, bigint) FROM PUBLIC;

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
        SELECT e.period_id, e.payee_id, e.position_id, e.component_id, p.currency_code, sum(e.amount) AS amount
        FROM spm.earning e
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.posting o USING (posting_id)
        WHERE e.posting_id = %s
        GROUP BY e.period_id, o.period_id, e.payee_id, e.position_id, e.component_id, p.currency_code
        HAVING sum(e.amount) <> 0 OR e.period_id = o.period_id', _pay.posting_id));
    EXECUTE 'DELETE FROM spm.payout o WHERE o.posting_id = $1 AND NOT EXISTS (
        SELECT FROM pg_temp.spm_result r WHERE (r.period_id, r.payee_id, r.position_id, r.component_id, r.currency_code, r.amount)
            = (o.period_id, o.payee_id, o.position_id, o.component_id, o.currency_code, o.amount))' USING _pay.posting_id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    EXECUTE 'INSERT INTO spm.payout (posting_id, run_id, period_id, payee_id, position_id, component_id, currency_code, amount)
        SELECT $1, $2, period_id, payee_id, position_id, component_id, currency_code, amount FROM pg_temp.spm_result
        ON CONFLICT (posting_id, period_id, payee_id, position_id, component_id) DO NOTHING' USING _pay.posting_id, _pay.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._pay(int, bigint) IS 'Fourth stage: the earnings of a posting to payouts. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._pay(int, bigint) FROM PUBLIC;

-- ------------------------------------------------------- calculating, posting

CREATE OR REPLACE FUNCTION spm._digest(relation text, condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digest text;
BEGIN
    EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(hash_record_extended(r, 0)::numeric), 0) FROM %s r WHERE %s',
                   _digest.relation, _digest.condition) INTO digest;
    RETURN digest;
END
$$;
COMMENT ON FUNCTION spm._digest(text, text) IS 'Number of rows of a relation and a sum of their hashes, whatever their order.';
REVOKE ALL ON FUNCTION spm._digest(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._config_digest(calendar_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(spm._digest(r), ' ')
    FROM unnest(ARRAY['spm.currency', 'spm.exchange_rate', 'spm.payee', 'spm.position', 'spm.position_assignment',
        'spm.position_path', 'spm.quota', 'spm.plan', 'spm.plan_version', 'spm.component', 'spm.tier', 'spm.plan_assignment',
        'spm.variable_value', 'spm.credit_rule', 'spm.credit_rule_share', 'spm.source', 'spm.source_column', 'spm.transaction_split']) r
$$;
COMMENT ON FUNCTION spm._config_digest(int) IS 'Digest of everything but the transactions that results depend on.';
REVOKE ALL ON FUNCTION spm._config_digest(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._watermark(config text, span daterange)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(_watermark.config || spm._digest('spm.transaction',
        format('r.event_date >= %L AND r.event_date < %L', lower(_watermark.span), upper(_watermark.span))))
$$;
COMMENT ON FUNCTION spm._watermark(text, daterange) IS 'Digest of everything that a period is calculated from, given that of all but its transactions.';
REVOKE ALL ON FUNCTION spm._watermark(text, daterange) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE spm.calculate(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(calculate.period, calculate.calendar));
    run spm.run;
    draft int;
    earlier record;
    config text;
    watermark text;
    is_changed boolean := false;
    is_first boolean;
BEGIN
    -- nobody changes a plan, a quota or a seat under our hands; before the calendar, so that whoever has
    -- changed one may calculate in the same transaction
    LOCK TABLE spm.currency, spm.exchange_rate, spm.payee, spm.position, spm.position_assignment, spm.reporting_line,
        spm.position_path, spm.quota, spm.plan, spm.plan_version, spm.component, spm.tier, spm.plan_assignment,
        spm.variable_value, spm.credit_rule, spm.credit_rule_share IN SHARE MODE;
    -- one at a time in a calendar; readers never wait.  A new row version, so that a
    -- transaction with an older snapshot fails instead of missing what the one before wrote
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state = 'posted' THEN
        RAISE EXCEPTION 'period % is posted', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'What changes in it is paid as a difference in the first open period.',
                  HINT = format('CALL spm.calculate(<the open period>); or SELECT spm.reopen_period(%L, reason);', this.name);
    END IF;
    IF NOT spm._is_leaf(this.period_id) THEN
        RAISE EXCEPTION 'period % has parts', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Calculate its parts, in order.';
    END IF;
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    PERFORM spm._check_sources();
    PERFORM spm._check_versions(this.calendar_id);

    INSERT INTO spm.run (kind, period_id, version)
    SELECT 'calculate', this.period_id, e.extversion FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING * INTO run;
    SELECT o.posting_id INTO draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    IF NOT FOUND THEN
        INSERT INTO spm.posting (period_id) VALUES (this.period_id) RETURNING posting_id INTO draft;
    END IF;

    -- the first open period also pays what has changed in posted ones
    config := spm._config_digest(this.calendar_id);
    SELECT coalesce(bool_and(p.state = 'posted'), true) INTO is_first
    FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND spm._is_leaf(p.period_id);
    IF is_first THEN
        PERFORM spm._withdraw_differences(this.calendar_id, draft);
    END IF;
    FOR earlier IN
        SELECT p.period_id, p.span, p.name, w.watermark AS known
        FROM spm.period p LEFT JOIN spm.period_watermark w USING (period_id)
        WHERE p.calendar_id = this.calendar_id AND (p.span << this.span AND is_first OR p.period_id = this.period_id)
          AND spm._is_leaf(p.period_id)
        ORDER BY p.span
    LOOP
        watermark := spm._watermark(config, earlier.span);
        IF earlier.period_id = this.period_id THEN
            run.input_watermark := watermark;
        ELSE
            -- a change also reaches every later period
            is_changed := is_changed OR watermark IS DISTINCT FROM earlier.known;
            CONTINUE WHEN NOT is_changed;
            run.late_period_count := run.late_period_count + 1;
        END IF;
        run.changed_count := run.changed_count
            + spm._credit_period(earlier.period_id, draft, run.run_id)
            + spm._measure_period(earlier.period_id, draft, run.run_id)
            + spm._earn_period(earlier.period_id, draft, run.run_id);
        -- the warehouse is not locked: what came while this ran may go again, and must be looked for then
        INSERT INTO spm.period_watermark (period_id, watermark)
        VALUES (earlier.period_id, CASE watermark WHEN spm._watermark(spm._config_digest(this.calendar_id), earlier.span) THEN watermark ELSE 'unsure' END)
        ON CONFLICT (period_id) DO UPDATE SET watermark = EXCLUDED.watermark;
    END LOOP;
    IF is_first THEN
        PERFORM spm._check_once(draft);
    END IF;
    run.changed_count := run.changed_count + spm._pay(draft, run.run_id);
    -- what accumulates in later periods may stand on what has changed here
    DELETE FROM spm.period_watermark w USING spm.period p
    WHERE run.changed_count > 0 AND p.period_id = w.period_id AND p.calendar_id = this.calendar_id AND p.span >> this.span;

    EXECUTE 'SELECT count(DISTINCT (source, transaction_key, line)) FROM pg_temp.spm_claim' INTO run.transaction_count;
    PERFORM spm._drop_temporary('spm_claim'), spm._drop_temporary('spm_result');
    UPDATE spm.run r
    SET finished_at = clock_timestamp(), input_watermark = run.input_watermark, late_period_count = run.late_period_count,
        changed_count = run.changed_count, transaction_count = run.transaction_count,
        uncredited_count = (SELECT count(DISTINCT (u.source, u.transaction_key, u.line)) FROM spm.uncredited u WHERE u.period_id = this.period_id),
        credit_count = (SELECT count(*) FROM spm.standing_credit c WHERE c.period_id = this.period_id),
        payee_count = (SELECT count(DISTINCT m.payee_id) FROM spm.standing_measurement m WHERE m.period_id = this.period_id),
        earning_count = (SELECT count(*) FROM spm.standing_earning e WHERE e.period_id = this.period_id)
    WHERE r.run_id = run.run_id
    RETURNING r.* INTO run;
    UPDATE spm.period p SET state = 'calculated' WHERE p.period_id = this.period_id AND p.state = 'open';
    RAISE NOTICE 'run %: % transactions, % credits, % payees, % s; % rows changed%', run.run_id, run.transaction_count,
        run.credit_count, run.payee_count, round(extract(epoch FROM run.finished_at - run.started_at), 1), run.changed_count,
        concat(CASE WHEN run.late_period_count > 0 THEN format('; %s posted period(s) looked at again', run.late_period_count) END,
               CASE WHEN run.uncredited_count > 0 THEN format('; %s transactions not credited (see spm_bi.uncredited)', run.uncredited_count) END);
END
$$;
COMMENT ON PROCEDURE spm.calculate(text, text) IS
'Calculates a period: credits, measurements, earnings, payouts. May be called again until the period is posted; rows that are right stay untouched, so a second call in a row changes none. The first open period also takes up what has changed in posted ones, as differences.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 for a posted period, one that has parts, or no mapped source; 22000 for a row that cannot be used, a missing quota, rate or variable; 23505 for a transaction that occurs twice; those of a source that has changed.
Example: CALL spm.calculate(''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm._withdraw_differences(calendar_id int, posting_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other record;
    relation text;
BEGIN
    FOR other IN
        SELECT o.posting_id, o.period_id FROM spm.posting o JOIN spm.period p USING (period_id)
        WHERE p.calendar_id = _withdraw_differences.calendar_id AND o.state = 'draft' AND o.posting_id <> _withdraw_differences.posting_id
    LOOP
        DELETE FROM spm.period_watermark w
        WHERE w.period_id IN (SELECT m.period_id FROM spm.measurement m WHERE m.posting_id = other.posting_id AND m.period_id <> other.period_id
                              UNION SELECT c.period_id FROM spm.credit c WHERE c.posting_id = other.posting_id AND c.period_id <> other.period_id
                              UNION SELECT e.period_id FROM spm.earning e WHERE e.posting_id = other.posting_id AND e.period_id <> other.period_id);
        FOREACH relation IN ARRAY ARRAY['payout', 'earning', 'measurement', 'credit'] LOOP
            EXECUTE format('DELETE FROM spm.%I r WHERE r.posting_id = $1 AND r.period_id <> $2', relation) USING other.posting_id, other.period_id;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._withdraw_differences(int, int) IS 'Differences are paid by the first open period: takes them out of the drafts of all others, as when an earlier period was reopened.';
REVOKE ALL ON FUNCTION spm._withdraw_differences(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_once(posting_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    SELECT c.source, c.transaction_key, c.line, q.name AS earlier, p.name AS later INTO twice
    FROM spm.credit c
    JOIN spm.period p ON p.period_id = c.period_id
    JOIN spm.standing_credit o ON o.transaction_key = c.transaction_key AND o.source = c.source AND o.line = c.line AND o.kind = c.kind
    JOIN spm.period q ON q.period_id = o.period_id AND q.calendar_id = p.calendar_id AND q.span << p.span
    WHERE c.posting_id = _check_once.posting_id AND c.reverses_id IS NULL AND c.kind = 'direct'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction %/% is credited in % and in %', twice.source, twice.transaction_key, twice.earlier, twice.later
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source for all time. If its date has just been changed, calculate again.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_once(int) IS 'Error 23505 when a posting credits a transaction that stands credited in an earlier period.';
REVOKE ALL ON FUNCTION spm._check_once(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_versions(calendar_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT p.name, v.version_no INTO wrong
    FROM spm.plan p JOIN spm.plan_version v USING (plan_id)
    WHERE p.calendar_id = _check_versions.calendar_id AND v.state <> 'draft'
      AND v.content_hash IS DISTINCT FROM spm._plan_hash(v.plan_version_id)
    ORDER BY 1, 2 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'plan "%" version % is not what was published', wrong.name, wrong.version_no
            USING ERRCODE = 'data_corrupted',
                  DETAIL = 'Its components and tiers do not match the hash taken when it was published.',
                  HINT = 'Remove what was added to it, or restore it from a backup.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_versions(int) IS 'Error XX001 when a published version of the calendar''s plans was tampered with.';
REVOKE ALL ON FUNCTION spm._check_versions(int) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE spm.post(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(post.period, post.calendar));
    before text;
    wrong record;
    draft int;
    this_run bigint;
    total text;
BEGIN
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state <> 'calculated' THEN
        RAISE EXCEPTION 'period % is %, not calculated', this.name, this.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'open' THEN format('CALL spm.calculate(%L);', this.name)
                              ELSE 'Nothing is left to do; later changes are paid in the next period.' END;
    END IF;
    SELECT p.name INTO before FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND p.state <> 'posted' AND spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % comes before % and is not posted', before, this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('CALL spm.calculate(%L); CALL spm.post(%L);', before, before);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = this.period_id) THEN
        RAISE EXCEPTION 'period % was calculated before an earlier one changed', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL spm.calculate(%L);', this.name);
    END IF;
    SELECT o.posting_id INTO STRICT draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    PERFORM spm._check_once(draft);
    SELECT r.* INTO wrong FROM spm.reconciliation r WHERE r.posting_id = draft AND NOT r.is_reconciled LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'results of period % do not add up', this.name
            USING ERRCODE = 'data_corrupted',
                  DETAIL = format('Payee %s, component %s: totals earn %s, deals %s, paid %s.', wrong.payee_id, wrong.component_id,
                                  wrong.measured_amount, wrong.earned_amount, wrong.paid_amount),
                  HINT = format('CALL spm.calculate(%L); and look at spm_bi.reconciliation.', this.name);
    END IF;
    INSERT INTO spm.run (kind, period_id, version, earning_count, payee_count)
    SELECT 'post', this.period_id, e.extversion,
           (SELECT count(*) FROM spm.earning x WHERE x.posting_id = draft),
           (SELECT count(DISTINCT o.payee_id) FROM spm.payout o WHERE o.posting_id = draft)
    FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING run_id INTO this_run;
    UPDATE spm.posting o SET state = 'posted', posted_at = clock_timestamp(), posted_by = session_user, run_id = this_run
    WHERE o.posting_id = draft;
    UPDATE spm.period p SET state = 'posted' WHERE p.period_id = this.period_id;
    UPDATE spm.run r SET finished_at = clock_timestamp() WHERE r.run_id = this_run;
    SELECT string_agg(s.line, ', ' ORDER BY s.line) INTO total
    FROM (SELECT format('%s %s', sum(o.amount), o.currency_code) AS line FROM spm.payout o WHERE o.posting_id = draft GROUP BY o.currency_code) s;
    RAISE NOTICE 'period % is posted: %', this.name, coalesce(total, 'nothing to pay');
END
$$;
COMMENT ON PROCEDURE spm.post(text, text) IS
'Closes a calculated period: its results can change no more, later changes are paid as differences in the next period. Periods are posted in order, and only when every level adds up.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 unless the period is calculated, since the last change of an earlier one, and all before it are posted; XX001 when the results do not add up.
Example: CALL spm.post(''2026-Q1'');';
