/*
 * compensation/stages_measure.sql: credit -> measurement -> earning.  A
 * component compiles to one query for each of the two.
 */

-- ------------------------------------------------------ what stands on what

CREATE OR REPLACE FUNCTION spm._component_edge(plan_version_id int)
    RETURNS TABLE (above int, below int)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.component_id, b.component_id
    FROM spm.component c
    CROSS JOIN LATERAL (SELECT i.of_component AS name FROM spm.component_input i WHERE i.component_id = c.component_id
                        UNION SELECT unnest(m.of_components) FROM spm.modifier m WHERE m.component_id = c.component_id) n
    JOIN spm.component b ON b.plan_version_id = c.plan_version_id AND b.name = n.name
    WHERE c.plan_version_id = _component_edge.plan_version_id;
END;
COMMENT ON FUNCTION spm._component_edge(int) IS 'Which components of a version stand on the results of which.';
REVOKE ALL ON FUNCTION spm._component_edge(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_level(plan_version_id int)
    RETURNS TABLE (component_id int, level int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    most int := (SELECT count(*) FROM spm.component c WHERE c.plan_version_id = _component_level.plan_version_id);
    circle text;
BEGIN
    RETURN QUERY
    WITH RECURSIVE edge AS MATERIALIZED (SELECT e.above, e.below FROM spm._component_edge(_component_level.plan_version_id) e), walk AS (
        SELECT c.component_id, 0 AS level FROM spm.component c WHERE c.plan_version_id = _component_level.plan_version_id
        UNION    -- not ALL: in a circle the levels grow to the limit, and no further
        SELECT e.above, w.level + 1 FROM walk w JOIN edge e ON e.below = w.component_id WHERE w.level <= most
    )
    SELECT w.component_id, max(w.level) FROM walk w GROUP BY w.component_id;
    SELECT string_agg(format('"%s"', c.name), ', ' ORDER BY c.component_no) INTO circle
    FROM spm._component_circle(_component_level.plan_version_id) k JOIN spm.component c USING (component_id);
    IF circle IS NOT NULL THEN
        RAISE EXCEPTION 'components % stand on each other', circle
            USING ERRCODE = 'invalid_recursion',
                  HINT = 'Take the input or modifier out that closes the circle: spm.drop_modifier() or spm.drop_component().';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._component_level(int) IS 'Order in which the components of a version are reckoned: 0 for those that stand on credits alone, then those that stand on results of lower ones. Error 42P19 for a circle.';
REVOKE ALL ON FUNCTION spm._component_level(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_circle(plan_version_id int)
    RETURNS TABLE (component_id int)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE edge AS MATERIALIZED (SELECT e.above, e.below FROM spm._component_edge(_component_circle.plan_version_id) e), reach AS (
        SELECT e.above, e.below FROM edge e
        UNION
        SELECT r.above, e.below FROM reach r JOIN edge e ON e.above = r.below
    )
    SELECT DISTINCT r.above FROM reach r WHERE r.above = r.below;
END;
COMMENT ON FUNCTION spm._component_circle(int) IS 'Components of a version that stand on their own results.';
REVOKE ALL ON FUNCTION spm._component_circle(int) FROM PUBLIC;

-- ----------------------------------------------------------- pieces of a query

CREATE OR REPLACE FUNCTION spm._window(period_id int, accumulate text)
    RETURNS daterange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _window.accumulate LIKE 'rolling %' THEN (
        SELECT daterange(min(lower(n.span)), upper(p.span))
        FROM (SELECT b.span FROM spm.period b
              WHERE b.calendar_id = p.calendar_id AND NOT b.span >> p.span AND spm._is_leaf(b.period_id)
              ORDER BY b.span DESC LIMIT substring(_window.accumulate FROM '\d+')::int) n)
    ELSE (SELECT w.span FROM spm.period w WHERE w.period_id = spm._whole(p.period_id, _window.accumulate)) END
    FROM spm.period p WHERE p.period_id = _window.period_id;
END;
COMMENT ON FUNCTION spm._window(int, text) IS 'Days that a component accumulates over, when it is calculated for a period.';
REVOKE ALL ON FUNCTION spm._window(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._prior(component_id int, period_id int)
    RETURNS daterange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE c.against
        WHEN 'prior year' THEN daterange((lower(w.span) - interval '1 year')::date, (upper(t.span) - interval '1 year')::date)
        WHEN 'prior period' THEN (    -- as much of the span before as is over of this one
            SELECT daterange(lower(b.span), CASE WHEN upper(w.span) = upper(t.span) THEN upper(b.span)
                                                 ELSE least(upper(b.span), lower(b.span) + (upper(t.span) - lower(w.span))) END)
            FROM spm.period b JOIN spm.period o ON o.period_id = spm._whole(t.period_id, c.accumulate)
            WHERE b.calendar_id = t.calendar_id AND upper(b.span) = lower(w.span) AND b.grain = o.grain) END
    FROM spm.component c, spm.period t CROSS JOIN LATERAL (SELECT spm._window(t.period_id, c.accumulate) AS span) w
    WHERE c.component_id = _prior.component_id AND t.period_id = _prior.period_id;
END;
COMMENT ON FUNCTION spm._prior(int, int) IS 'Days that the growth of a component is reckoned against. NULL: none.';
REVOKE ALL ON FUNCTION spm._prior(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._reach(component_id int, period_id int)
    RETURNS datemultirange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT datemultirange(spm._window(_reach.period_id, c.accumulate) * v.span)
           + datemultirange(coalesce(spm._prior(c.component_id, _reach.period_id), 'empty'))
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
    WHERE c.component_id = _reach.component_id;
END;
COMMENT ON FUNCTION spm._reach(int, int) IS 'Days whose credits a component reckons with in a period.';
REVOKE ALL ON FUNCTION spm._reach(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_join(component_id int, period_id int, is_scoped boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    today spm.period;
    days daterange;
    before daterange;
    whole int;
    parts int[];
BEGIN
    SELECT k.*, v.plan_id, p.name AS plan_name, m.name AS measure_name, u.minor_digits INTO c
    FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    JOIN spm.currency u USING (currency_code)
    LEFT JOIN spm.measure m USING (measure_id)
    WHERE k.component_id = _quota_join.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _quota_join.period_id;
    days := spm._window(_quota_join.period_id, c.accumulate);
    IF c.basis <> 'credit' AND c.measure_id IS NULL THEN
        RETURN format(E'\n    CROSS JOIN (SELECT %s::numeric AS quota_amount, NULL::text AS because, NULL::numeric AS base_amount) q',
                      CASE c.tier_basis WHEN 'quota' THEN '1' ELSE 'NULL' END);
    ELSIF c.against <> 'quota' THEN
        -- growth: what the seat brought before stands for the quota
        before := spm._prior(c.component_id, _quota_join.period_id);
        RETURN format($sql$
    LEFT JOIN (SELECT d.position_id, sum(d.base_amount) AS amount FROM (%1$s) d GROUP BY d.position_id) g ON g.position_id = s.position_id
    CROSS JOIN LATERAL (SELECT greatest(coalesce(g.amount, 0), 0) AS quota_amount, %2$L::text AS because, NULL::numeric AS base_amount) q$sql$,
            spm._deal_query(c.component_id, coalesce(before, 'empty'), false, _quota_join.is_scoped),
            format('against what the seat brought in %s', coalesce(before::text, 'no period before')));
    ELSIF c.measure_id IS NULL THEN
        RETURN E'\n    CROSS JOIN (SELECT NULL::numeric AS quota_amount, NULL::text AS because, NULL::numeric AS base_amount) q';
    END IF;
    whole := spm._whole(today.period_id, c.accumulate);
    parts := CASE WHEN whole IS NOT NULL THEN spm._quota_parts(today.calendar_id, days, whole, c.measure_id)
        ELSE array(SELECT p.period_id FROM spm.period p WHERE p.calendar_id = today.calendar_id AND p.span <@ days AND spm._is_leaf(p.period_id) ORDER BY p.span) END;
    RETURN CASE WHEN c.prorate = 'none' AND spm._is_plain_quota(c.measure_id)
        -- and no quarters besides months
        AND NOT EXISTS (SELECT FROM unnest(parts) n WHERE NOT spm._is_leaf(n)) THEN format($sql$
    LEFT JOIN (SELECT q.position_id, coalesce(sum(q.amount) FILTER (WHERE q.period_id = %1$s), sum(q.amount)) AS quota_amount, NULL::text AS because,
                      NULL::numeric AS base_amount
               FROM spm.quota q WHERE q.measure_id = %2$s AND q.period_id = ANY (%3$L::int[]) AND q.superseded_at IS NULL%4$s
               GROUP BY q.position_id) w ON w.position_id = s.position_id$sql$, coalesce(whole, 0), c.measure_id, array_append(parts, whole),
            CASE WHEN _quota_join.is_scoped THEN ' AND q.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' ELSE '' END)
        WHEN whole IS NULL THEN format($sql$
    LEFT JOIN LATERAL (SELECT CASE WHEN bool_or(p.quota_amount > 0 AND p.quota_amount <> p.base_amount)    -- rounded once, as a whole
                                   THEN round(sum(p.quota_amount), %4$s) ELSE sum(p.quota_amount) END AS quota_amount,
                              string_agg(p.because, ' + ') AS because, sum(p.base_amount) AS base_amount
                       FROM unnest(%1$L::int[]) part CROSS JOIN LATERAL spm.seat_quota(s.position_id, s.payee_id, s.spans, %2$s, part, NULL, %3$L, 15) p) w ON true$sql$,
            parts, c.measure_id, c.prorate, c.minor_digits)
        ELSE format($sql$
    LEFT JOIN LATERAL spm.seat_quota(s.position_id, s.payee_id, s.spans, %1$s, %2$s, %3$L::int[], %4$L, %5$s) w ON true$sql$,
            c.measure_id, whole, parts, c.prorate, c.minor_digits) END
    || format($sql$
    CROSS JOIN LATERAL (SELECT coalesce(w.quota_amount%1$s) AS quota_amount, w.because, w.base_amount) q$sql$,
        CASE WHEN c.tier_basis = 'quota' OR c.pay = 'target' THEN format($q$, spm._refuse(
            format('position "%%s" has no quota of %%s for %%s', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %1$L, %2$L),
            %3$L, format('SELECT spm.set_quota(%%L, %%L, amount, %%L);', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %2$L, %1$L))$q$,
            c.measure_name, coalesce((SELECT p.name FROM spm.period p WHERE p.period_id = whole), today.name),
            format('Component "%s" of plan "%s" needs it.', c.name, c.plan_name)) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._quota_join(int, int, boolean) IS 'SQL that joins the quota of a component to its seats: q.quota_amount, q.because in words, and q.base_amount, what it was before days, ramp and relief.';
REVOKE ALL ON FUNCTION spm._quota_join(int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._variable_sql(variable_id int, component_id int, period_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT format($q$coalesce(spm.variable_value(%s, s.payee_id, s.position_id, %L), spm._refuse(
            format('payee "%%s" has no value of variable %%s for %%s', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %L, %L),
            %L, format('SELECT spm.set_variable(%%L, value, payee => %%L);', %L, (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id))))$q$,
        x.variable_id, t.span, x.name, t.name, format('Component "%s" of plan "%s" needs it.', c.name, p.name), x.name)
    FROM spm.variable x, spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id), spm.period t
    WHERE x.variable_id = _variable_sql.variable_id AND c.component_id = _variable_sql.component_id AND t.period_id = _variable_sql.period_id
$$;
COMMENT ON FUNCTION spm._variable_sql(int, int, int) IS 'SQL of a variable''s value for seat s, or error 22000.';
REVOKE ALL ON FUNCTION spm._variable_sql(int, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._deal_query(component_id int, span daterange, is_seated boolean, is_scoped boolean DEFAULT false, credits text DEFAULT 'spm.standing_credit',
                                            refusal text DEFAULT 'spm._refuse')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    digits int;
BEGIN
    SELECT k.*, v.plan_id, v.span AS version_span, p.calendar_id, p.currency_code, p.rate_type, u.minor_digits, x.name AS lookup_name INTO c
    FROM spm.component k
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan p USING (plan_id)
    JOIN spm.currency u USING (currency_code)
    LEFT JOIN spm.lookup x USING (lookup_id)
    WHERE k.component_id = _deal_query.component_id;
    digits := CASE c.unit WHEN 'count' THEN greatest(c.minor_digits, 2) ELSE c.minor_digits END;
    RETURN format($sql$SELECT t.credit_id, t.position_id, t.payee_id, t.event_date, t.transaction_key, t.line, t.source, t.level, t.origin_position_id,
           t.kind, t.rule, t.owner_key, t.part_no, r.exchange_rate, %1$s AS group_key, %2$s AS base_amount
    FROM %3$s t
$sql$, coalesce('coalesce((' || c.group_expression || '), '''')', 'NULL::text'),
        CASE WHEN c.credit_cap IS NULL THEN 'w.value' ELSE format('CASE WHEN w.value IS NOT NULL THEN greatest(least(w.value, %1$s), -%1$s) END', c.credit_cap) END, _deal_query.credits)
    || CASE WHEN is_seated THEN format($sql$    JOIN spm.plan_seat(%s, %L) s ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND multirange_contains_elem(s.spans, t.event_date)
$sql$, c.plan_id, c.version_span) ELSE '' END
    || CASE c.unit WHEN 'count' THEN $sql$    CROSS JOIN LATERAL (SELECT 1::numeric AS exchange_rate) r
$sql$ ELSE format($sql$    LEFT JOIN spm.exchange_rate x ON x.rate_type = %1$L AND x.from_currency_code = t.currency_code
        AND x.to_currency_code = %2$L AND x.span && %3$L::daterange AND t.event_date <@ x.span
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t.currency_code = %2$L THEN 1
        WHEN x.rate IS NULL THEN %4$s(
            format('no %%s rate from %%s to %%s on %%s', %1$L, t.currency_code, %2$L, t.event_date),
            format('Transaction %%s/%%s needs it.', t.source, t.transaction_key),
            format('SELECT spm.set_exchange_rate(%%L, %%L, %%L, rate, %%L);', t.currency_code, %2$L, t.event_date, %1$L))
        ELSE x.rate END AS exchange_rate) r
$sql$, c.rate_type, c.currency_code, _deal_query.span, _deal_query.refusal) END
    || format($sql$    CROSS JOIN LATERAL (SELECT coalesce((%1$s)::numeric, %12$s(
            format('measure of component "%%s" is NULL for transaction %%s/%%s', %2$L, t.source, t.transaction_key),
            %3$L, 'Use coalesce() in the measure, or leave the transaction out with a condition.'))%4$s AS value) m
    CROSS JOIN LATERAL (SELECT %5$s AS value) v
    CROSS JOIN LATERAL (SELECT %6$s AS value) w
    WHERE %7$s AND t.period_id = ANY (%8$L::int[])
      AND t.event_date >= %9$L AND t.event_date < %10$L%11$s$sql$,
        c.measure_expression, c.name, 'It is ' || c.measure_expression || '.',
        CASE WHEN c.lookup_id IS NOT NULL THEN format($q$ * coalesce(spm.lookup_value(%1$s, ARRAY[%2$s], t.event_date), %5$s(
            format('lookup table "%%s" has no row for %%s', %3$L, array_to_string(ARRAY[%2$s], ', ', 'NULL')),
            format('Component "%%s" looks there for transaction %%s/%%s.', %4$L, t.source, t.transaction_key),
            format('SELECT spm.set_lookup(%%L, %%L, value);', %3$L, ARRAY[%2$s])))$q$,
            c.lookup_id, (SELECT string_agg(format('(%s)::text', e), ', ' ORDER BY o) FROM unnest(c.lookup_expressions) WITH ORDINALITY u(e, o)), c.lookup_name, c.name, _deal_query.refusal) END,
        CASE c.unit WHEN 'count' THEN 'm.value'
             ELSE format('CASE WHEN t.currency_code = %L%s THEN m.value ELSE spm.rounded(m.value * r.exchange_rate, %s) END', c.currency_code,
                         CASE WHEN c.lookup_id IS NOT NULL AND c.accumulate <> 'deal' THEN ' AND scale(m.value) <= ' || c.minor_digits END, c.minor_digits) END,
        spm._credited_sql('v.value', digits::text),
        spm._credit_condition(c.component_id),
        coalesce((SELECT array_agg(p.period_id ORDER BY p.period_id) FROM spm.period p
                  WHERE p.calendar_id = c.calendar_id AND p.span && _deal_query.span AND spm._is_leaf(p.period_id)), '{}'),
        coalesce(lower(_deal_query.span), 'infinity'), coalesce(upper(_deal_query.span), 'infinity'),
        CASE WHEN _deal_query.is_scoped THEN E'\n      AND t.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))'
            || CASE WHEN is_seated THEN ' AND s.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' ELSE '' END ELSE '' END
        || coalesce(E'\n      AND (' || c.eligibility_expression || ')', ''), _deal_query.refusal);
END
$$;
COMMENT ON FUNCTION spm._deal_query(int, daterange, boolean, boolean, text, text) IS 'SQL of what counts of every credit in some days: base_amount, in the currency of the plan. is_seated: only while the payee is on the plan. is_scoped: of the seats in pg_temp.spm_scope. credits: relation that they are read from. refusal: function that is called where a measure, a lookup or a rate of exchange is not known: spm._refuse() or spm._unknown().';
REVOKE ALL ON FUNCTION spm._deal_query(int, daterange, boolean, boolean, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._figure_join(alias text, version int, of_component text, scope text)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($sql$
    LEFT JOIN (SELECT %2$s, sum(f.opening_amount + f.amount) AS amount, sum(f.earned_amount) AS earned,
                      sum(f.quota_amount) AS quota, sum(f.credit_count) AS credits
               FROM pg_temp.spm_result f WHERE f.component_id = %3$s GROUP BY %4$s) %1$s ON %5$s$sql$,
        _figure_join.alias,
        CASE _figure_join.scope WHEN 'own' THEN 'f.position_id, f.payee_id' WHEN 'payee' THEN 'f.payee_id' WHEN 'team' THEN 'f.team' ELSE '1 AS one' END,
        coalesce((SELECT c.component_id FROM spm.component c
                  WHERE c.plan_version_id = _figure_join.version AND c.name = _figure_join.of_component), 0),
        CASE _figure_join.scope WHEN 'own' THEN 'f.position_id, f.payee_id' WHEN 'payee' THEN 'f.payee_id' WHEN 'team' THEN 'f.team' ELSE '()' END,
        CASE _figure_join.scope WHEN 'own' THEN format('%1$s.position_id = s.position_id AND %1$s.payee_id = s.payee_id', _figure_join.alias)
            WHEN 'payee' THEN format('%s.payee_id = s.payee_id', _figure_join.alias)
            WHEN 'team' THEN format('%s.team = s.team', _figure_join.alias) ELSE 'true' END)
$$;
COMMENT ON FUNCTION spm._figure_join(text, int, text, text) IS 'SQL that joins the figures of another component to seat s.';
REVOKE ALL ON FUNCTION spm._figure_join(text, int, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._modifier_sql(component_id int, period_id int, OUT joins text, OUT factor text, OUT cap text, OUT floor text, OUT because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c spm.component;
    m record;
    k text;
    x text[];
    ratio text[];     -- in numbers, above a quota of 0 infinite: gates, lookup tables and words bear that
    exact text;       -- the first of them, refused where it is not defined
    quota text;
    value text;
    last_day date := (SELECT upper(p.span) - 1 FROM spm.period p WHERE p.period_id = _modifier_sql.period_id);
BEGIN
    SELECT p.* INTO c FROM spm.component p WHERE p.component_id = _modifier_sql.component_id;
    joins := '';
    factor := '1::numeric';
    cap := 'NULL::numeric';
    floor := 'NULL::numeric';
    because := '';
    FOR m IN SELECT d.*, y.name AS variable_name, l.name AS lookup_name
             FROM spm.modifier d LEFT JOIN spm.variable y USING (variable_id) LEFT JOIN spm.lookup l USING (lookup_id)
             WHERE d.component_id = c.component_id ORDER BY d.modifier_no LOOP
        k := m.modifier_no::text;
        x := '{}';
        ratio := '{}';
        FOR i IN 1 .. cardinality(m.figures) LOOP
            IF m.of_components[i] = '' AND m.scope = 'own' THEN    -- the component itself
                joins := joins || format($sql$
    CROSS JOIN LATERAL (SELECT s.opening_amount + s.amount AS amount, s.quota_amount AS quota, s.credit_count::numeric AS credits, NULL::numeric AS earned) x%s_%s$sql$, k, i);
            ELSE
                joins := joins || spm._figure_join(format('x%s_%s', k, i), c.plan_version_id, m.of_components[i], m.scope);
            END IF;
            x := x || format('coalesce(x%s_%s.%s, 0)', k, i, CASE m.figures[i] WHEN 'attainment' THEN 'amount' ELSE m.figures[i] END);
            quota := CASE m.figures[i] WHEN 'attainment' THEN format($q$coalesce(x%s_%s.quota, spm._refuse(
            format('position "%%s" has no quota for the attainment of "%%s"', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %L),
            %L, 'SELECT spm.set_quota(position, period, amount, measure);'))$q$, k, i, coalesce(nullif(m.of_components[i], ''), c.name),
                format('Modifier %s of component "%s" needs it.', k, c.name)) ELSE '1' END;
            ratio := ratio || CASE m.figures[i] WHEN 'attainment' THEN format('coalesce(spm.attainment(%s, %s, 20), ''Infinity'')', x[i], quota) ELSE x[i] END;
        END LOOP;
        -- of whom nothing is expected for a time earns nothing by it
        exact := CASE WHEN m.figures[1] = 'attainment' THEN format($q$coalesce(spm.attainment(%s, %s, 20), CASE WHEN s.factor = 0 THEN 0 ELSE spm._refuse(
            format('%s "%%s" has a quota of 0, and its attainment is not defined', (SELECT position_key FROM spm.position WHERE position_id = s.position_id)),
            %L, 'SELECT spm.set_quota(position, period, amount, measure); or use rates in percent.') END)$q$, x[1], quota,
            CASE m.scope WHEN 'team' THEN 'the team of position' WHEN 'plan' THEN 'the whole plan of position' ELSE 'position' END,
            format('Modifier %s of component "%s" goes by the attainment of "%s".', k, c.name, coalesce(nullif(m.of_components[1], ''), c.name))) ELSE ratio[1] END;
        value := CASE
            WHEN m.rates IS NOT NULL THEN format('spm.rate_at(%s, %s, 20)', CASE
                WHEN spm._is_of_quota(m.rates::spm.rate_schedule) THEN format('spm.for_quota(%L, %s)', m.rates, quota)
                ELSE format('%L::spm.rate_schedule', m.rates) END,
                CASE WHEN m.figures[1] = 'attainment' AND NOT spm._is_of_quota(m.rates::spm.rate_schedule) THEN exact ELSE x[1] END)
            WHEN m.lookup_id IS NOT NULL THEN format($q$coalesce(spm.lookup_value(%1$s, ARRAY[%2$s], %3$L), spm._refuse(
            format('lookup table "%%s" has no row for %%s', %4$L, array_to_string(ARRAY[%2$s], ', ')), %5$L, format('SELECT spm.set_lookup(%%L, %%L, value);', %4$L, ARRAY[%2$s])))$q$,
                m.lookup_id, (SELECT string_agg(format('trim_scale(round(%s, 10))::text', e), ', ' ORDER BY o) FROM unnest(ratio) WITH ORDINALITY u(e, o)), last_day,
                m.lookup_name, format('Modifier %s of component "%s" looks there.', k, c.name))
            WHEN m.kind = 'gate' THEN '1'
            WHEN cardinality(ratio) = 1 THEN exact
            ELSE '1::numeric' END
            || CASE WHEN m.variable_id IS NOT NULL THEN ' * ' || spm._variable_sql(m.variable_id, c.component_id, _modifier_sql.period_id) ELSE '' END
            || CASE WHEN m.kind <> 'gate' AND m.value IS NOT NULL THEN format(' * (%s)', m.value) ELSE '' END;
        joins := joins || CASE m.kind
            WHEN 'gate' THEN format(E'\n    CROSS JOIN LATERAL (SELECT CASE WHEN %s %s (%s) * %s THEN 1::numeric ELSE 0 END AS value, %s AS shown) m%s',
                x[1], CASE WHEN m.is_strict THEN '>' ELSE '>=' END, m.value,
                CASE WHEN m.figures[1] = 'attainment' THEN quota ELSE value END, ratio[1], k)
            ELSE format(E'\n    CROSS JOIN LATERAL (SELECT (%s)::numeric AS value, %s AS shown) m%s', value, coalesce(ratio[1], 'NULL::numeric'), k) END;
        CASE m.kind
            WHEN 'gate', 'multiply' THEN factor := format('%s * m%s.value', factor, k);
                -- a limit set before is a limit on what was there before
                cap := CASE cap WHEN 'NULL::numeric' THEN cap ELSE format('(%s) * m%s.value', cap, k) END;
                floor := CASE floor WHEN 'NULL::numeric' THEN floor ELSE format('(%s) * m%s.value', floor, k) END;
            WHEN 'add' THEN factor := format('(%s + m%s.value)', factor, k);
            WHEN 'at most' THEN factor := format('least(%s, m%s.value)', factor, k);
            WHEN 'at least' THEN factor := format('greatest(%s, m%s.value)', factor, k);
            WHEN 'cap' THEN cap := format('least(%s, m%s.value)', cap, k);
            WHEN 'floor' THEN floor := format('greatest(%s, m%s.value)', floor, k);
        END CASE;
        because := because || format(', spm._modifier_words(%L, %L, %L, m%s.shown, m%s.value, %L)', m.kind,
            CASE WHEN cardinality(m.figures) > 0 THEN concat_ws(' ', CASE m.scope WHEN 'team' THEN 'team' WHEN 'plan' THEN 'everybody''s' END,
                m.figures[1], CASE WHEN m.of_components[1] <> '' THEN 'of ' || m.of_components[1] END) END,
            coalesce(m.variable_name, ''), k, k, CASE m.kind WHEN 'gate' THEN m.value END);
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._modifier_sql(int, int) IS 'SQL of a component''s modifiers for seat s: joins, and the expressions of the factor, the limits, and the words for them.';
REVOKE ALL ON FUNCTION spm._modifier_sql(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._modifier_words(kind text, figure text, variable text, shown numeric, value numeric, threshold numeric)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE _modifier_words.kind
        WHEN 'gate' THEN format('%s is %s, needs %s: %s', f.label, f.shown,
            CASE WHEN f.is_ratio THEN spm._percent(_modifier_words.threshold) ELSE trim_scale(_modifier_words.threshold)::text END,
            CASE _modifier_words.value WHEN 0 THEN 'pays nothing' ELSE 'reached' END)
        ELSE concat(CASE _modifier_words.kind WHEN 'multiply' THEN 'times ' WHEN 'add' THEN 'factor plus ' WHEN 'at most' THEN 'factor at most '
                         WHEN 'at least' THEN 'factor at least ' WHEN 'cap' THEN 'at most ' ELSE 'at least ' END,
                    trim_scale(round(_modifier_words.value, 6)),
                    ' for ' || f.label || ' ' || f.shown, ' by ' || nullif(_modifier_words.variable, '')) END
    FROM (SELECT _modifier_words.figure AS label, _modifier_words.figure ~ 'attainment' AS is_ratio,
                 CASE WHEN _modifier_words.shown = 'Infinity' THEN 'above a quota of 0'
                      WHEN _modifier_words.figure ~ 'attainment' THEN spm._percent(round(_modifier_words.shown, 4))
                      ELSE trim_scale(_modifier_words.shown)::text END AS shown) f
$$;
COMMENT ON FUNCTION spm._modifier_words(text, text, text, numeric, numeric, numeric) IS 'A modifier and what it came to, in words.';
REVOKE ALL ON FUNCTION spm._modifier_words(text, text, text, numeric, numeric, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._basis_sql(component_id int, period_id int, OUT joins text, OUT amount text, OUT weight text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c spm.component;
    this spm.period;
    i record;
    figure text;
BEGIN
    SELECT k.* INTO c FROM spm.component k WHERE k.component_id = _basis_sql.component_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _basis_sql.period_id;
    joins := '';
    amount := '1::numeric';
    weight := '1::numeric';
    IF c.basis = 'objective' THEN
        joins := format($sql$
    LEFT JOIN (SELECT o.payee_id, sum(o.weight * coalesce(o.rating, 0)) AS score, sum(o.weight) AS weight
               FROM spm.objective o WHERE o.period_id = %s AND o.superseded_at IS NULL GROUP BY o.payee_id) o ON o.payee_id = s.payee_id$sql$, this.period_id);
        amount := format($q$CASE WHEN o.weight = 1 THEN o.score ELSE spm._refuse(
            format('objectives of payee "%%s" for %%s %%s', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %1$L,
                   CASE WHEN o.weight IS NULL THEN 'are missing' ELSE 'have weights that total ' || o.weight || ', not 1' END),
            %2$L, format('SELECT spm.set_objective(%%L, %%L, objective, weight, rating);', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %1$L)) END$q$,
            this.name, format('Component "%s" pays by them.', c.name));
    END IF;
    FOR i IN SELECT n.* FROM spm.component_input n WHERE n.component_id = c.component_id ORDER BY n.input_no LOOP
        joins := joins || spm._figure_join('i' || i.input_no, c.plan_version_id, i.of_component,
            CASE WHEN c.basis = 'rank' OR c.basis = 'pool' AND i.input_no > 1 THEN 'payee' ELSE i.scope END);
        figure := format('%s * %s', i.weight, CASE i.figure
            WHEN 'attainment' THEN format($q$coalesce(spm.attainment(i%1$s.amount, i%1$s.quota, 20), spm._refuse(
            format('attainment of "%%s" is not defined for position "%%s"', %2$L, (SELECT position_key FROM spm.position WHERE position_id = s.position_id)),
            %3$L, 'SELECT spm.set_quota(position, period, amount, measure);'))$q$, i.input_no, i.of_component, format('Component "%s" reckons with it: its quota is missing or 0.', c.name))
            ELSE format('coalesce(i%s.%s, 0)', i.input_no, i.figure) END);
        IF c.basis = 'pool' AND i.input_no > 1 THEN
            weight := CASE weight WHEN '1::numeric' THEN figure ELSE weight || ' + ' || figure END;
        ELSE
            amount := CASE amount WHEN '1::numeric' THEN figure ELSE amount || ' + ' || figure END;
        END IF;
    END LOOP;
    IF c.basis = 'pool' AND weight = '1::numeric' AND c.variable_id IS NOT NULL THEN
        weight := spm._variable_sql(c.variable_id, c.component_id, this.period_id);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._basis_sql(int, int) IS 'SQL of what a component measures that does not stand on credits, for seat s: joins, the figure, and the weight in a pool.';
REVOKE ALL ON FUNCTION spm._basis_sql(int, int) FROM PUBLIC;

-- -------------------------------------------- one component, as a single query

CREATE OR REPLACE FUNCTION spm._measurement_query(component_id int, period_id int, is_scoped boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    m record;
    b record;
    today spm.period;
    days daterange;
    rounding text;
    schedule text;
    divisor text;
    comrades text;    -- with whom a seat is ranked or shares a pot
BEGIN
    SELECT k.*, v.plan_id, v.span AS version_span, p.name AS plan_name,
           coalesce(x.is_prorated, false) AND k.prorate <> 'none' AS is_part,
           (SELECT i.scope FROM spm.component_input i WHERE i.component_id = k.component_id ORDER BY i.input_no LIMIT 1) AS scope INTO c
    FROM spm.component k
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan p USING (plan_id)
    LEFT JOIN spm.variable x USING (variable_id)
    WHERE k.component_id = _measurement_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _measurement_query.period_id;
    days := spm._window(today.period_id, c.accumulate);
    rounding := format('%s, %L', c.places, c.rounding);
    SELECT * INTO m FROM spm._modifier_sql(c.component_id, today.period_id);
    SELECT * INTO b FROM spm._basis_sql(c.component_id, today.period_id);
    comrades := CASE WHEN c.scope = 'team' THEN 's.team' ELSE '1' END;

    schedule := CASE WHEN c.tier_basis = 'quota' THEN 'spm.for_quota(r.schedule, s.quota_amount)'
                     WHEN c.prorate <> 'none' AND c.basis = 'credit' AND c.pay = 'amount'
                     THEN format('spm.scaled(r.schedule, s.active_days, s.period_days, %s)', c.places)
                     ELSE 'r.schedule' END;
    schedule := format('spm.with_factor(%s, s.factor%s * %s)', schedule, CASE WHEN c.is_part THEN ' * s.active_days' END, m.factor);
    divisor := concat_ws(' * ', CASE WHEN c.is_part THEN 's.period_days' END, CASE WHEN c.pay = 'target' THEN
        format($q$CASE WHEN s.quota_amount = 0 AND s.factor = 0 THEN 1 WHEN s.quota_amount = 0 THEN spm._refuse(
            format('position "%%s" has a quota of 0, and its target is paid by attainment', (SELECT position_key FROM spm.position WHERE position_id = s.position_id)),
            %L, 'SELECT spm.set_quota(position, period, amount, measure);') ELSE s.quota_amount END$q$, format('Component "%s" of plan "%s".', c.name, c.plan_name)) END);
    IF divisor <> '' THEN
        schedule := format('spm.per(%s, %s)', schedule, divisor);
    END IF;
    IF m.cap <> 'NULL::numeric' OR m.floor <> 'NULL::numeric' THEN
        -- what was worked out may be below 0, or a floor above a cap
        schedule := format('spm.with_limits(%s, %s, %s)', schedule,
            CASE m.cap WHEN 'NULL::numeric' THEN m.cap ELSE format('greatest(%s, 0)', m.cap) END, CASE WHEN 'NULL::numeric' IN (m.cap, m.floor) THEN m.floor ELSE format('least(%s, greatest(%s, 0))', m.floor, m.cap) END);
    END IF;

    RETURN CASE c.basis WHEN 'credit' THEN format(E'WITH deal AS (\n    %s\n), total AS (\n',
               spm._deal_query(c.component_id, daterange(lower(days), upper(today.span)), true, _measurement_query.is_scoped))
        || format($sql$    SELECT d.position_id, d.payee_id,
           count(*) FILTER (WHERE d.event_date >= %1$L) AS credit_count,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date < %1$L), 0) AS opening_amount,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date >= %1$L), 0) AS amount
    FROM deal d GROUP BY d.position_id, d.payee_id
), $sql$, lower(today.span)) ELSE 'WITH ' END
    || format($sql$rates AS MATERIALIZED (
    SELECT spm.component_rates(%1$s) AS schedule
), seat AS MATERIALIZED (    -- everybody on the plan, and what is expected of them
    SELECT s.position_id, s.payee_id, q.quota_amount, q.because, y.active_days, y.period_days, f.factor,
           coalesce((SELECT h.ancestor_position_id FROM spm.position_path h
                     WHERE h.position_id = s.position_id AND h.depth = 1 AND h.span @> %2$L::date), -s.position_id) AS team
    FROM %9$s s%5$s
    CROSS JOIN LATERAL %6$s y
    CROSS JOIN LATERAL (SELECT %7$s AS factor) f
    WHERE s.spans && %8$L::daterange%10$s
), measured AS MATERIALIZED (
$sql$, c.component_id, upper(today.span) - 1, c.plan_id, c.version_span, spm._quota_join(c.component_id, today.period_id, _measurement_query.is_scoped),
        CASE c.prorate WHEN 'none' THEN '(SELECT 1::numeric AS active_days, 1::numeric AS period_days)'
             ELSE format('spm.seat_share(s.position_id, s.payee_id, s.spans, %s, %L)', coalesce(spm._whole(today.period_id, c.accumulate), today.period_id), c.prorate) END,
        -- of whom nothing is expected for a time (away, new) earns no part of a target
        CASE WHEN c.pay = 'target' THEN 'CASE WHEN q.quota_amount = 0 AND q.base_amount > 0 THEN 0 ELSE ' ELSE '' END
        || CASE WHEN c.variable_id IS NULL OR c.basis = 'pool' THEN '1::numeric' ELSE spm._variable_sql(c.variable_id, c.component_id, today.period_id) END
        || CASE WHEN c.pay = 'target' THEN ' END' ELSE '' END,
        today.span,
        -- a salary, a prize or a part of a pot is paid once, also to somebody who has changed seats: in the last one
        CASE WHEN c.basis IN ('rank', 'pool') OR c.basis IN ('fixed', 'objective') AND c.prorate = 'none' THEN format(
            '(SELECT DISTINCT ON (p.payee_id) p.* FROM spm.plan_seat(%1$s, %2$L) p WHERE p.spans && %3$L::daterange
          ORDER BY p.payee_id, upper(p.spans * datemultirange(%3$L::daterange)) DESC, p.position_id)', c.plan_id, c.version_span, today.span)
        -- by days it is paid in each, and a day that two seats share in the first
            WHEN c.basis IN ('fixed', 'objective') THEN format('(WITH held AS (SELECT p.*, count(*) OVER (PARTITION BY p.payee_id) AS seats FROM spm.plan_seat(%1$s, %2$L) p)
          SELECT h.position_id, h.payee_id, CASE WHEN h.seats = 1 THEN h.spans ELSE h.spans - coalesce((
              SELECT range_agg(r) FROM held o, unnest(o.spans) r WHERE o.payee_id = h.payee_id AND o.position_id < h.position_id), ''{}'') END AS spans
          FROM held h)', c.plan_id, c.version_span)
            ELSE format('spm.plan_seat(%s, %L)', c.plan_id, c.version_span) END,
        CASE WHEN _measurement_query.is_scoped THEN ' AND s.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' ELSE '' END)
    || CASE c.basis
        WHEN 'credit' THEN format($sql$    SELECT s.*, coalesce(t.credit_count, 0) AS credit_count, coalesce(t.opening_amount, 0) AS opening_amount,
           coalesce(t.amount, 0) AS amount, 1::numeric AS weight, %s AS earned_before
    FROM seat s LEFT JOIN total t USING (position_id, payee_id)%s$sql$,
            CASE WHEN c.is_true_up THEN 'coalesce(z.earned_amount, 0)' ELSE '0::numeric' END,
            CASE WHEN c.is_true_up THEN format($sql$
    LEFT JOIN (SELECT e.position_id, e.payee_id, sum(e.earned_amount) AS earned_amount FROM spm.standing_measurement e
               WHERE e.component_id = %s AND e.period_id = ANY (%L::int[])%s GROUP BY e.position_id, e.payee_id) z USING (position_id, payee_id)$sql$,
                c.component_id, array(SELECT p.period_id FROM spm.period p WHERE p.calendar_id = today.calendar_id
                                      AND p.span <@ daterange(lower(days), lower(today.span)) AND spm._is_leaf(p.period_id) ORDER BY 1),
                CASE WHEN _measurement_query.is_scoped THEN ' AND e.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' ELSE '' END) END)
        WHEN 'rank' THEN format($sql$    SELECT s.*, 0::bigint AS credit_count, 0::numeric AS opening_amount, %3$s AS amount, s.equals::numeric AS weight, 0::numeric AS earned_before
    FROM (SELECT s.*, rank() OVER (PARTITION BY %4$s ORDER BY s.score DESC) AS place,
                 dense_rank() OVER (PARTITION BY %4$s ORDER BY s.score DESC) AS dense_place,
                 count(*) OVER (PARTITION BY %4$s, s.score) AS equals,
                 row_number() OVER (PARTITION BY %4$s, s.score ORDER BY s.position_id, s.payee_id) AS nth
          FROM (SELECT s.*, %1$s AS score FROM seat s%2$s) s) s$sql$, b.amount, b.joins,
            CASE c.ties WHEN 'dense' THEN 's.dense_place::numeric' WHEN 'average' THEN 's.place + (s.equals - 1) / 2.0' ELSE 's.place::numeric' END, comrades)
        ELSE format($sql$    SELECT s.*, 0::bigint AS credit_count, 0::numeric AS opening_amount, (%s)::numeric AS amount, (%s)::numeric AS weight, 0::numeric AS earned_before
    FROM seat s%s$sql$, b.amount, b.weight, b.joins) END
    || format($sql$
), rated AS MATERIALIZED (    -- their own rates: quota, factor, gates, multipliers and limits worked in
    SELECT s.*, s.factor * %1$s AS all_factor, %2$s AS schedule,
           array_remove(ARRAY[CASE WHEN s.because ~ '[a-z]' THEN s.because END%3$s]::text[], NULL) AS words
    FROM rates r CROSS JOIN measured s%4$s
)$sql$, m.factor, schedule, m.because || CASE c.basis WHEN 'pool' THEN $q$,
           CASE WHEN s.weight < 0 THEN format('a share of %s counts as 0', trim_scale(s.weight)) END$q$ ELSE '' END, m.joins)
    || CASE WHEN c.accumulate IN ('deal', 'group') THEN format($sql$, singly AS (    -- every deal, or group of deals, from zero
    SELECT g.position_id, g.payee_id, sum(spm.commission(s.schedule, 0, g.amount, %1$s)) AS amount
    FROM (SELECT d.position_id, d.payee_id, sum(d.base_amount) AS amount FROM deal d WHERE d.event_date >= %2$L GROUP BY d.position_id, d.payee_id, %3$s) g
    JOIN rated s USING (position_id, payee_id)
    GROUP BY g.position_id, g.payee_id
)$sql$, rounding, lower(today.span), CASE c.accumulate WHEN 'deal' THEN 'd.credit_id' ELSE 'd.group_key' END) ELSE '' END
    || format($sql$
SELECT %1$s AS component_id, s.position_id, s.payee_id, s.team, s.credit_count, s.opening_amount, s.amount, s.quota_amount,
       s.all_factor AS factor, s.schedule, s.earned_before, s.words AS because,
       %2$s AS earned_amount
FROM rated s%3$s$sql$, c.component_id,
        CASE WHEN c.basis = 'rank' AND c.ties = 'share' THEN format($q$(spm.split((SELECT sum(spm.commission(s.schedule, 0, n, %1$s)) FROM generate_series(s.amount, s.amount + s.equals - 1) n),
           array_fill(1::numeric, ARRAY[s.equals::int]), %2$s))[s.nth]$q$, rounding, c.places)
        WHEN c.basis = 'pool' THEN format($q$CASE WHEN sum(greatest(s.weight, 0)) OVER everybody > 0 THEN
           (spm.split(spm.commission(s.schedule, 0, s.amount, %1$s), array_agg(greatest(s.weight, 0)) OVER everybody, %2$s))[row_number() OVER (PARTITION BY %3$s ORDER BY s.position_id, s.payee_id)]
           ELSE 0 END$q$, rounding, c.places, comrades)
        WHEN c.accumulate IN ('deal', 'group') THEN 'coalesce(e.amount, 0)'
        WHEN c.is_true_up THEN format('spm.commission(s.schedule, 0, s.opening_amount + s.amount, %s) - s.earned_before', rounding)
        ELSE format('spm.commission(s.schedule, s.opening_amount, s.opening_amount + s.amount, %s)', rounding) END,
        CASE WHEN c.accumulate IN ('deal', 'group') THEN E'\nLEFT JOIN singly e USING (position_id, payee_id)' ELSE '' END
        || CASE c.basis WHEN 'pool' THEN format(E'\nWINDOW everybody AS (PARTITION BY %s ORDER BY s.position_id, s.payee_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)', comrades) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._measurement_query(int, int, boolean) IS 'SQL that measures one component for one period: totals, quota, rates, and what the totals earn.';
REVOKE ALL ON FUNCTION spm._measurement_query(int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._earning_query(component_id int, period_id int, is_scoped boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c spm.component;
    today spm.period;
    rounding text;
    of_scope constant text := CASE WHEN _earning_query.is_scoped THEN ' AND m.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' ELSE '' END;
BEGIN
    SELECT k.* INTO c FROM spm.component k WHERE k.component_id = _earning_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _earning_query.period_id;
    rounding := format('%s, %L', c.places, c.rounding);
    IF c.basis <> 'credit' THEN
        RETURN format($sql$SELECT m.component_id, NULL::bigint AS credit_id, m.position_id, m.payee_id, 1::numeric AS exchange_rate,
       m.amount AS base_amount, 0::numeric AS from_total, m.schedule_id, m.earned_amount AS amount, %L AS kind
FROM spm.standing_measurement m
WHERE m.component_id = %s AND m.period_id = %s%s$sql$,
            CASE WHEN c.basis IN ('rank', 'pool') THEN c.basis ELSE 'total' END, c.component_id, today.period_id, of_scope);
    END IF;
    RETURN format($sql$WITH deal AS (
    %1$s
), running AS (    -- deals by date, then key
    SELECT d.*, %2$s AS from_total
    FROM deal d
)
SELECT %3$s AS component_id, d.credit_id, d.position_id, d.payee_id, d.exchange_rate, d.base_amount, d.from_total, m.schedule_id,
       spm.commission(k.schedule, d.from_total, d.from_total + d.base_amount, %4$s) AS amount, 'deal' AS kind
FROM running d
JOIN spm.standing_measurement m ON m.component_id = %3$s AND m.period_id = %5$s
    AND m.position_id = d.position_id AND m.payee_id = d.payee_id%7$s
JOIN spm.schedule k USING (schedule_id)
WHERE d.event_date >= %6$L$sql$,
        spm._deal_query(c.component_id, daterange(lower(spm._window(today.period_id, c.accumulate)), upper(today.span)), true, _earning_query.is_scoped),
        CASE c.accumulate WHEN 'deal' THEN '0::numeric' ELSE format($w$sum(d.base_amount) OVER (
               PARTITION BY d.position_id, d.payee_id%s
               ORDER BY d.event_date, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C", d.level, d.origin_position_id,
                        d.kind COLLATE "C", d.rule COLLATE "C", d.owner_key COLLATE "C", d.part_no
               ROWS UNBOUNDED PRECEDING) - d.base_amount$w$, CASE c.accumulate WHEN 'group' THEN ', d.group_key' END) END,
        c.component_id, rounding, today.period_id, lower(today.span), of_scope)
    || CASE WHEN c.is_true_up THEN format($sql$
UNION ALL
SELECT m.component_id, NULL, m.position_id, m.payee_id, 1, 0, m.opening_amount, m.schedule_id,
       spm.commission(k.schedule, 0, m.opening_amount, %s) - m.earned_before, 'true_up'
FROM spm.standing_measurement m JOIN spm.schedule k USING (schedule_id)
WHERE m.component_id = %s AND m.period_id = %s
  AND spm.commission(k.schedule, 0, m.opening_amount, %1$s) <> m.earned_before%4$s$sql$, rounding, c.component_id, today.period_id, of_scope) ELSE '' END;
END
$$;
COMMENT ON FUNCTION spm._earning_query(int, int, boolean) IS 'SQL of what the deals of one component earn in one period, and of what it earns besides.';
REVOKE ALL ON FUNCTION spm._earning_query(int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_query(component_id int, period_id int, stage text, is_scoped boolean DEFAULT false)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'-- %s v%s, component %s "%s", %s: %s\n', spm._one_line(p.name), v.version_no, c.component_no,
                  spm._one_line(c.name), spm._one_line(t.name), _component_query.stage)
        || CASE _component_query.stage WHEN 'measurement' THEN spm._measurement_query(c.component_id, t.period_id, _component_query.is_scoped)
                ELSE spm._earning_query(c.component_id, t.period_id, _component_query.is_scoped) END
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id), spm.period t
    WHERE c.component_id = _component_query.component_id AND t.period_id = _component_query.period_id
$$;
COMMENT ON FUNCTION spm._component_query(int, int, text, boolean) IS 'SQL of one component for one period: stage measurement or earning.';
REVOKE ALL ON FUNCTION spm._component_query(int, int, text, boolean) FROM PUBLIC;

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

CREATE OR REPLACE FUNCTION spm._measure_period(period_id int, posting_id int, run_id bigint, is_scoped boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    components int[];
    queries text[];
    missing record;
BEGIN
    SELECT c.name AS component, p.name AS period INTO missing
    FROM spm._components(_measure_period.period_id) c
    JOIN spm.period this ON this.period_id = _measure_period.period_id
    CROSS JOIN LATERAL (SELECT spm._reach(c.component_id, this.period_id) AS days OFFSET 0) r
    JOIN spm.period p ON p.calendar_id = this.calendar_id AND p.span << this.span AND p.state = 'open' AND p.span && r.days
    WHERE NOT _measure_period.is_scoped AND spm._is_leaf(p.period_id)    -- a refresh has looked already
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is not calculated', missing.period
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Component "%s" reckons with its total.', missing.component),
                  HINT = format('CALL spm.calculate(%L);', missing.period);
    END IF;
    -- a part that was taken away for the archive would be missing in the totals: an error
    PERFORM spm._ledger_partition('credit', p.period_id)
    FROM spm.period this
    JOIN spm.period p ON p.calendar_id = this.calendar_id AND p.span << this.span AND p.state = 'posted' AND spm._is_leaf(p.period_id)
    WHERE this.period_id = _measure_period.period_id
      AND EXISTS (SELECT FROM spm._components(this.period_id) c WHERE p.span && spm._reach(c.component_id, this.period_id));
    PERFORM spm._result('SELECT 0 AS component_id, 0 AS position_id, 0 AS payee_id, 0 AS team, 0::bigint AS credit_count,
        0.0 AS opening_amount, 0.0 AS amount, 0.0 AS quota_amount, 0.0 AS factor, NULL::spm.rate_schedule AS schedule,
        0.0 AS earned_before, NULL::text[] AS because, 0.0 AS earned_amount WHERE false');
    -- what stands on credits first, then what stands on the results of others
    FOR components, queries IN
        SELECT array_agg(c.component_id ORDER BY c.component_id),
               array_agg(CASE WHEN _measure_period.is_scoped THEN spm._compiled('measurement', _measure_period.period_id, c.component_id)
                         ELSE spm._component_query(c.component_id, _measure_period.period_id, 'measurement') END ORDER BY c.component_id)
        FROM spm._components(_measure_period.period_id) c
        JOIN (SELECT l.* FROM (SELECT DISTINCT k.plan_version_id FROM spm._components(_measure_period.period_id) k) v
              CROSS JOIN LATERAL spm._component_level(v.plan_version_id) l) l USING (component_id)
        WHERE NOT _measure_period.is_scoped OR spm._is_in_scope(c.component_id)
        GROUP BY l.level ORDER BY l.level
    LOOP
        PERFORM spm._result(format('(%s)', array_to_string(queries, E')\nUNION ALL\n(')), is_added => true, components => components, queries => queries, is_small => _measure_period.is_scoped AND spm._is_small_scope());
    END LOOP;
    EXECUTE 'INSERT INTO spm.schedule (schedule, definition)
             SELECT DISTINCT ON (schedule::text) schedule, schedule::text FROM pg_temp.spm_result
             ON CONFLICT (definition) DO NOTHING';
    EXECUTE 'ALTER TABLE pg_temp.spm_result ADD COLUMN schedule_id bigint';
    EXECUTE 'UPDATE pg_temp.spm_result r SET schedule_id = k.schedule_id FROM spm.schedule k WHERE k.definition = r.schedule::text';
    RETURN spm._sync('measurement', ARRAY['component_id', 'position_id', 'payee_id'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'factor', 'schedule_id', 'earned_amount', 'earned_before', 'because'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'earned_amount', 'earned_before'],
        _measure_period.period_id, _measure_period.posting_id, _measure_period.run_id, CASE WHEN _measure_period.is_scoped THEN 'position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' END);
END
$$;
COMMENT ON FUNCTION spm._measure_period(int, int, bigint, boolean) IS 'Second stage: credits to totals, quota and rates. is_scoped: of the seats in pg_temp.spm_scope. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._measure_period(int, int, bigint, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._earn_period(period_id int, posting_id int, run_id bigint, is_scoped boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    contents constant text[] := '{credit_id, exchange_rate, base_amount, from_total, schedule_id, amount, credit_period_id}';
    components int[];
    queries text[];
    query text;
    refunds record;
BEGIN
    SELECT array_agg(c.component_id ORDER BY c.component_id),
           array_agg(CASE WHEN _earn_period.is_scoped THEN spm._compiled('earning', _earn_period.period_id, c.component_id)
                     ELSE spm._component_query(c.component_id, _earn_period.period_id, 'earning') END ORDER BY c.component_id) INTO components, queries
    FROM spm._components(_earn_period.period_id) c
    WHERE NOT _earn_period.is_scoped OR spm._is_in_scope(c.component_id);
    query := 'SELECT r.*, NULL::int AS credit_period_id FROM ('
        || coalesce('(' || array_to_string(queries, E')\nUNION ALL\n(') || ')', 'SELECT 0 AS component_id, 0::bigint AS credit_id, 0 AS position_id, 0 AS payee_id,
        0.0 AS exchange_rate, 0.0 AS base_amount, 0.0 AS from_total, 0::bigint AS schedule_id, 0.0 AS amount, ''deal'' AS kind WHERE false') || ') r';
    IF spm._is_blank('earning', _earn_period.period_id) AND NOT EXISTS (SELECT FROM spm._components(_earn_period.period_id) c WHERE c.refund <> 'running') THEN
        RETURN spm._fill('earning', '{component_id, position_id, payee_id, kind}'::text[] || contents, query,
            _earn_period.period_id, _earn_period.posting_id, _earn_period.run_id, components, queries);
    END IF;
    PERFORM spm._result(query, components => components, queries => queries, is_small => _earn_period.is_scoped AND spm._is_small_scope());
    -- refunds that are no part of the total go by what the deals, these and earlier ones, have earned
    FOR refunds IN SELECT c.component_id, spm._refund_query(c.component_id, _earn_period.period_id) AS query
                   FROM spm._components(_earn_period.period_id) c WHERE c.refund <> 'running' LOOP
        PERFORM spm._result(refunds.query, is_added => true, components => ARRAY[refunds.component_id], queries => ARRAY[refunds.query]);
    END LOOP;
    RETURN spm._sync('earning', '{component_id, position_id, payee_id, kind, "coalesce(credit_id, 0)"}', contents, ARRAY['base_amount', 'amount'],
        _earn_period.period_id, _earn_period.posting_id, _earn_period.run_id, CASE WHEN _earn_period.is_scoped THEN 'payee_id = ANY (ARRAY(SELECT z.payee_id FROM pg_temp.spm_payee z)) AND position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))' END);
END
$$;
COMMENT ON FUNCTION spm._earn_period(int, int, bigint, boolean) IS 'Third stage: what each deal earns. is_scoped: in the seats in pg_temp.spm_scope. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._earn_period(int, int, bigint, boolean) FROM PUBLIC;
