/*
 * compensation/functions_defect.sql: all that can be wrong with a plan version,
 * found before anybody is paid by it.
 */

CREATE OR REPLACE FUNCTION spm._open_periods(calendar_id int, span daterange)
    RETURNS TABLE (period_id int, nth bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.period_id, row_number() OVER (ORDER BY p.span)
    FROM spm.period p
    WHERE p.calendar_id = _open_periods.calendar_id AND p.span && _open_periods.span AND p.state <> 'posted'
      AND NOT EXISTS (SELECT FROM spm.period part WHERE part.parent_period_id = p.period_id);
END;
COMMENT ON FUNCTION spm._open_periods(int, daterange) IS 'Periods of a span that are still to be calculated or posted, in order.';
REVOKE ALL ON FUNCTION spm._open_periods(int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_defect(component_id int)
    RETURNS TABLE (defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    part spm.component;
    of_plan spm.plan;
    said jsonb;
    checked jsonb;
    message text;
    hint text;
BEGIN
    SELECT c.* INTO part FROM spm.component c WHERE c.component_id = _component_defect.component_id;
    SELECT p.* INTO of_plan FROM spm.plan p JOIN spm.plan_version v USING (plan_id) WHERE v.plan_version_id = part.plan_version_id;
    IF NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = part.component_id) THEN
        RETURN QUERY SELECT 'it has no tier', 'Insert its tiers into spm.tier.'::text;
    ELSE
        BEGIN
            PERFORM spm.component_rates(part.component_id);
        EXCEPTION WHEN data_exception OR feature_not_supported OR program_limit_exceeded THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT message, hint;
            RETURN;
        END;
    END IF;
    BEGIN
        said := to_jsonb(part);
        checked := spm._keyed(said);
        IF checked <> said THEN
            RETURN QUERY SELECT format('its %s is not written as checking would have written it', replace(e.key, '_', ' ')),
                format('Write it as %s; spm.add_component() does.', checked ->> e.key)
            FROM jsonb_each(said) e WHERE e.value <> checked -> e.key;
        END IF;
    EXCEPTION WHEN others THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT message, hint;
    END;
    BEGIN
        PERFORM spm._check_prorate(part.prorate), (SELECT count(m.rates::spm.rate_schedule) FROM spm.modifier m WHERE m.component_id = part.component_id);
    EXCEPTION WHEN data_exception OR feature_not_supported OR program_limit_exceeded THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT message, hint;
    END;
    IF part.accumulate NOT IN ('deal', 'period', 'group') AND part.accumulate !~ '^rolling [1-9][0-9]?$' AND NOT EXISTS (
        SELECT FROM spm.period p WHERE p.calendar_id = of_plan.calendar_id AND p.grain = part.accumulate) THEN
        RETURN QUERY SELECT format('it accumulates over a %s, but the calendar has none', part.accumulate),
            'Use deal, period, group, rolling 3, or a grain of the calendar.'::text;
    END IF;
    IF part.basis <> 'credit' AND part.accumulate <> 'period' THEN
        RETURN QUERY SELECT format('it accumulates over a %s with basis %s', part.accumulate, part.basis), 'Only credits accumulate: add it with accumulate => ''period''.'::text;
    END IF;
    IF part.event <> 'booking' AND NOT EXISTS (SELECT FROM spm.event_source e WHERE e.kind = part.event)
       AND NOT EXISTS (SELECT FROM spm.manual_credit m WHERE m.event = part.event) THEN
        RETURN QUERY SELECT format('it is paid by "%s", but no such milestone is mapped', part.event),
            format('SELECT spm.map_event(source, %L, relation, key => ..., date => ..., amount => ...);', part.event);
    END IF;
    IF part.is_true_up AND part.accumulate IN ('deal', 'group', 'period') THEN
        RETURN QUERY SELECT 'it trues up, but does not accumulate over several periods', 'Add it with accumulate => ''year'', or without true_up.'::text;
    END IF;
    IF part.is_true_up AND part.refund <> 'running' THEN
        RETURN QUERY SELECT format('it trues up, and refunds go by %s: what came as a true-up would never be taken back', part.refund),
            'Add it with refund => ''running'', or without true_up.'::text;
    END IF;
    IF part.pay = 'target' AND part.variable_id IS NULL THEN
        RETURN QUERY SELECT 'it pays a target by attainment, but has no target', 'Name the variable that holds it: variable => ''target_incentive''.'::text;
    END IF;
    IF part.pay = 'target' AND part.basis = 'credit' AND part.measure_id IS NULL AND part.against = 'quota' THEN
        RETURN QUERY SELECT 'it pays a target by attainment, but has no quota', 'Name the measure of the quota: quota => ''bookings''.'::text;
    END IF;
    -- a pool may be a fixed sum
    IF part.basis <> 'pool' AND part.basis IN ('result', 'rank') <> EXISTS (SELECT FROM spm.component_input i WHERE i.component_id = part.component_id) THEN
        RETURN QUERY SELECT CASE WHEN part.basis IN ('result', 'rank') THEN format('it has basis %s, but no input', part.basis)
                                 ELSE format('it has inputs, but basis %s', part.basis) END,
            CASE WHEN part.basis IN ('result', 'rank', 'pool') THEN format('SELECT spm.add_input(%L, %L, of => component);', of_plan.name, part.name)
                 ELSE 'Add it with basis => ''result'', ''rank'' or ''pool''.' END;
    END IF;
    -- place 1 is where the first step begins: up to there rates that add up have earned nothing
    IF part.basis = 'rank' AND coalesce(part.rate_options, '') !~ '\m(whole|interpolated|weighted|bonus|excess|curve)\M' THEN
        RETURN QUERY SELECT 'it pays places, but by rates that add up from one to the next: the first would earn nothing', 'Write the prizes as ''1: 1000, 2: 600, 3: 0 bonus''.'::text;
    END IF;
    -- an amount that the cap is reached by before the tier begins
    RETURN QUERY
    SELECT format('its tier from %s is never reached: %s earns the cap of %s already', trim_scale(lower(t.bounds)), trim_scale(lower(t.bounds)), k.cap),
        'Raise the cap, or leave the tier out.'::text
    FROM spm.tier t, CAST(substring(part.rate_options FROM '\mcap ([0-9.]+)') AS numeric) k(cap)
    WHERE NOT EXISTS (SELECT FROM spm.modifier m WHERE m.component_id = part.component_id)    -- which change what is earned, not the cap
      AND t.component_id = part.component_id AND part.tier_basis = 'amount' AND part.variable_id IS NULL AND part.pay = 'amount' AND lower(t.bounds) > 0
      AND part.rate_options !~ '\m(whole|interpolated|weighted|bonus|excess|curve|divided|per)\M'
      AND spm.commission(spm.component_rates(part.component_id), lower(t.bounds)) >= k.cap
    ORDER BY t.bounds;
END
$$;
COMMENT ON FUNCTION spm._component_defect(int) IS 'What is wrong with a component by itself.';
REVOKE ALL ON FUNCTION spm._component_defect(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._structure_defect(plan_version_id int)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH of_plan AS (
        SELECT p.plan_id, p.name, p.calendar_id FROM spm.plan p JOIN spm.plan_version v USING (plan_id) WHERE v.plan_version_id = _structure_defect.plan_version_id
    ), part AS (
        SELECT c.*, c.measure_id IS NULL AND c.against = 'quota' AND (c.basis = 'credit' OR c.tier_basis = 'amount') AS is_without_quota
        FROM spm.component c WHERE c.plan_version_id = _structure_defect.plan_version_id
    ), meant AS (    -- where a component is named, by whom, for what
        SELECT c.component_no AS place, c.name, format('input %s', i.input_no) AS what, i.of_component, i.figure, c.basis
        FROM part c JOIN spm.component_input i USING (component_id)
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s', m.modifier_no), CASE u.of_component WHEN '' THEN c.name ELSE u.of_component END, u.figure, NULL
        FROM part c JOIN spm.modifier m USING (component_id), unnest(m.of_components, m.figures) u(of_component, figure)
        UNION ALL
        SELECT 100000 + r.rule_no, r.name, 'pay rule', u.of_component, NULL, NULL
        FROM spm.pay_rule r, unnest(r.components) u(of_component)
        WHERE r.plan_version_id = _structure_defect.plan_version_id
    ), looking AS (
        SELECT c.component_no AS place, c.name, 'its measure' AS what, c.lookup_id, cardinality(c.lookup_expressions) AS given FROM part c WHERE c.lookup_id IS NOT NULL
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s', m.modifier_no), m.lookup_id, cardinality(m.figures)
        FROM part c JOIN spm.modifier m USING (component_id) WHERE m.lookup_id IS NOT NULL
    ), used AS (
        SELECT min(l.place) AS place, min(l.name) AS name, t.lookup_id, t.name AS lookup, t.dimensions, t.otherwise
        FROM looking l JOIN spm.lookup t USING (lookup_id) GROUP BY t.lookup_id
    ), cell AS (    -- ranges of a dimension, where all others are the same
        SELECT u.place, u.name, u.lookup, u.dimensions[i] AS dimension, r.ranges[i] AS span,
               lag(r.ranges[i]) OVER (PARTITION BY u.lookup_id, i, r.span, o.others ORDER BY r.ranges[i]) AS before
        FROM used u JOIN spm.lookup_row r USING (lookup_id)
        CROSS JOIN LATERAL generate_subscripts(r.ranges, 1) i
        CROSS JOIN LATERAL (SELECT string_agg(quote_ident(coalesce(r.keys[j], r.ranges[j]::text, '*')), ',' ORDER BY j) AS others
                            FROM generate_subscripts(r.ranges, 1) j WHERE j <> i) o
        WHERE r.ranges[i] IS NOT NULL AND u.otherwise IS NULL
    )
    SELECT f.name, f.defect, f.repair FROM (
        SELECT n.place, n.name, format('%s names the component "%s", which the version does not have', n.what, n.of_component) AS defect,
               format('SELECT spm.add_component(%L, %L, rates);', p.name, n.of_component) AS repair
        FROM meant n, of_plan p WHERE n.of_component NOT IN (SELECT c.name FROM part c)
        UNION ALL
        SELECT n.place, n.name, format('%s goes by the %s of "%s", which has no quota', n.what, n.figure, n.of_component), 'Add that component with quota => a measure.'
        FROM meant n JOIN part c ON c.name = n.of_component WHERE n.figure IN ('attainment', 'quota') AND c.is_without_quota
        UNION ALL
        SELECT 0, string_agg(c.name, ', ' ORDER BY c.component_no), 'components stand on each other', 'Take out the input or modifier that closes the circle: spm.drop_modifier() or spm.drop_component().'
        FROM spm._component_circle(_structure_defect.plan_version_id) k JOIN part c USING (component_id) HAVING count(*) > 0
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s goes by %s of the component itself', m.modifier_no, CASE m.scope WHEN 'own' THEN 'earnings' ELSE 'results of others' END),
               format('SELECT spm.drop_modifier(%L, %L, %s); and name a component with rates ''0: 0%%'' that measures the same.', p.name, c.name, m.modifier_no)
        FROM part c JOIN spm.modifier m USING (component_id), of_plan p
        WHERE EXISTS (SELECT FROM unnest(m.of_components, m.figures) u(of_component, figure) WHERE u.of_component = '' AND (m.scope <> 'own' OR u.figure = 'earned'))
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s, "%s", comes after a limit', m.modifier_no, m.kind),
               format('SELECT spm.drop_modifier(%L, %L, %s); and add it before: after a cap or a floor only gate and multiply have a meaning.', p.name, c.name, m.modifier_no)
        FROM part c JOIN spm.modifier m USING (component_id), of_plan p
        WHERE m.kind IN ('add', 'at most', 'at least')
          AND EXISTS (SELECT FROM spm.modifier b WHERE b.component_id = m.component_id AND b.modifier_no < m.modifier_no AND b.kind IN ('cap', 'floor'))
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s is a cap of %s', m.modifier_no, m.value),
               format('SELECT spm.drop_modifier(%L, %L, %s); and add one of 0 or more.', p.name, c.name, m.modifier_no)
        FROM part c JOIN spm.modifier m USING (component_id), of_plan p
        WHERE m.kind = 'cap' AND m.value < 0 AND num_nonnulls(m.rates, m.variable_id, m.lookup_id) = 0 AND cardinality(m.figures) = 0
        UNION ALL
        SELECT l.place, l.name, format('%s looks into "%s" by %s, which has %s: %s', l.what, t.name, CASE l.given WHEN 1 THEN '1 dimension' ELSE l.given || ' dimensions' END,
                   cardinality(t.dimensions), array_to_string(t.dimensions, ', ')), 'Give as many expressions or figures as the lookup table has dimensions.'
        FROM looking l JOIN spm.lookup t USING (lookup_id) WHERE l.given <> cardinality(t.dimensions)
        UNION ALL
        SELECT u.place, u.name, format('lookup table "%s" has no rows', u.lookup), format('SELECT spm.set_lookup(%L, %L, value);', u.lookup, u.dimensions)
        FROM used u WHERE u.otherwise IS NULL AND NOT EXISTS (SELECT FROM spm.lookup_row r WHERE r.lookup_id = u.lookup_id)
        UNION ALL
        SELECT u.place, u.name, format('lookup table "%s" has a row with %s cells for %s dimensions', u.lookup, cardinality(r.keys), cardinality(u.dimensions)),
               format('DELETE FROM spm.lookup_row WHERE lookup_row_id = %s; and SELECT spm.set_lookup(%L, %L, value);', r.lookup_row_id, u.lookup, u.dimensions)
        FROM used u JOIN spm.lookup_row r USING (lookup_id) WHERE cardinality(r.keys) <> cardinality(u.dimensions)
        UNION ALL
        SELECT u.place, u.name, format('lookup table "%s" has two rows that cover the same: %s and %s', u.lookup, d.a, d.b), 'End or change one of them in spm.lookup_row.'
        FROM used u JOIN spm.lookup_row a USING (lookup_id) JOIN spm.lookup_row b USING (lookup_id)
        CROSS JOIN LATERAL (
            SELECT string_agg(coalesce(a.keys[i], a.ranges[i]::text, '*'), ' ' ORDER BY i) AS a, string_agg(coalesce(b.keys[i], b.ranges[i]::text, '*'), ' ' ORDER BY i) AS b,
                   bool_and((a.keys[i] IS NULL) = (b.keys[i] IS NULL) AND (a.ranges[i] IS NULL) = (b.ranges[i] IS NULL)
                            AND coalesce(a.keys[i] = b.keys[i], true) AND coalesce(a.ranges[i] && b.ranges[i], true)) AS is_same
            FROM generate_subscripts(a.keys, 1) i) d
        WHERE a.lookup_row_id < b.lookup_row_id AND a.span && b.span AND cardinality(a.keys) = cardinality(b.keys) AND d.is_same
        UNION ALL
        SELECT c.place, c.name, format('lookup table "%s" has nothing between %s and %s of %s', c.lookup, upper(c.before), lower(c.span), c.dimension),
               format('SELECT spm.set_lookup(%L, cell, value); or give the table a value for what no row matches.', c.lookup)
        FROM cell c WHERE NOT c.before -|- c.span AND NOT c.before && c.span
        UNION ALL
        SELECT 100000 + r.rule_no, r.name, format('pay rule holds for a %s, but the calendar has none', r.grain), 'Use period, or a grain of the calendar.'
        FROM spm.pay_rule r, of_plan p
        WHERE r.plan_version_id = _structure_defect.plan_version_id AND r.grain <> 'period'
          AND NOT EXISTS (SELECT FROM spm.period d WHERE d.calendar_id = p.calendar_id AND d.grain = r.grain)
    ) f ORDER BY f.place, f.defect
$$;
COMMENT ON FUNCTION spm._structure_defect(int) IS 'What is wrong with a plan version in how its parts hang together: names, circles, lookup tables.';
REVOKE ALL ON FUNCTION spm._structure_defect(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._input_defect(plan_version_id int)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = _input_defect.plan_version_id);
    of_plan spm.plan := (SELECT p FROM spm.plan p WHERE p.plan_id = version.plan_id);
    first spm.period;
    part spm.component;
BEGIN
    SELECT p.* INTO first FROM spm._open_periods(of_plan.calendar_id, version.span) o JOIN spm.period p USING (period_id) WHERE o.nth = 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR part IN
        SELECT c.* FROM spm.component c
        WHERE c.plan_version_id = version.plan_version_id AND c.measure_id IS NOT NULL AND c.against = 'quota' AND (c.tier_basis = 'quota' OR c.pay = 'target')
        ORDER BY c.component_no
    LOOP
        RETURN QUERY
        WITH seat AS MATERIALIZED (SELECT a.* FROM spm.plan_seat(of_plan.plan_id, version.span) a),
        due AS (    -- the first open period, and those for which somebody has a quota already
            SELECT p.period_id, p.name, p.span, w.whole,
                   CASE WHEN w.whole IS NOT NULL THEN spm._quota_parts(of_plan.calendar_id, spm._window(p.period_id, part.accumulate), w.whole, part.measure_id)
                        ELSE array(SELECT b.period_id FROM spm.period b
                                   WHERE b.calendar_id = of_plan.calendar_id AND b.span <@ spm._window(p.period_id, part.accumulate) AND spm._is_leaf(b.period_id)) END AS parts
            FROM spm._open_periods(of_plan.calendar_id, version.span) o
            JOIN spm.period p USING (period_id)
            CROSS JOIN LATERAL (SELECT spm._whole(p.period_id, part.accumulate) AS whole) w
            WHERE o.nth = 1 OR EXISTS (SELECT FROM spm.quota q WHERE q.measure_id = ANY (spm._measure_chain(part.measure_id))
                                       AND q.period_id = o.period_id AND q.superseded_at IS NULL))
        SELECT part.name, CASE WHEN q.quota_amount IS NULL THEN format('position %s has no quota for %s in %s', s.position_key, m.name, d.name)
                               ELSE format('position %s has a quota of 0 for %s in %s, and a target that is paid by attainment', s.position_key, m.name, d.name) END,
               format('SELECT spm.set_quota(%L, %L, amount, %L);', s.position_key, d.name, m.name)
        FROM due d JOIN seat a ON a.spans && d.span JOIN spm.position s USING (position_id) JOIN spm.measure m ON m.measure_id = part.measure_id
        CROSS JOIN LATERAL (
            SELECT sum(t.quota_amount) AS quota_amount, sum(t.base_amount) AS base_amount
            FROM unnest(CASE WHEN d.whole IS NULL THEN d.parts ELSE ARRAY[d.whole] END) u(period_id)
            CROSS JOIN LATERAL spm.seat_quota(a.position_id, a.payee_id, a.spans, part.measure_id, u.period_id,
                CASE WHEN d.whole IS NOT NULL THEN d.parts END, part.prorate, 6) t) q
        WHERE q.quota_amount IS NULL OR q.base_amount = 0 AND part.pay = 'target'
        ORDER BY d.span, s.position_key;
    END LOOP;
    RETURN QUERY
    SELECT u.name, format('payee %s has no value of %s in %s', y.payee_key, v.name, first.name),
           format('SELECT spm.set_variable(%L, value, payee => %L);', v.name, y.payee_key)
    FROM (SELECT c.component_no AS place, c.name, c.variable_id FROM spm.component c WHERE c.plan_version_id = version.plan_version_id
          UNION
          SELECT c.component_no, c.name, m.variable_id FROM spm.component c JOIN spm.modifier m USING (component_id) WHERE c.plan_version_id = version.plan_version_id
          UNION    -- a rule that ends may be for some only
          SELECT 100000 + r.rule_no, r.name, r.variable_id FROM spm.pay_rule r
          WHERE r.plan_version_id = version.plan_version_id AND num_nonnulls(r.first_periods, r.until) = 0) u
    JOIN spm.variable v USING (variable_id)
    CROSS JOIN spm.plan_seat(of_plan.plan_id, version.span) a
    JOIN spm.payee y USING (payee_id)
    WHERE a.spans && first.span AND spm.variable_value(v.variable_id, a.payee_id, a.position_id, first.span) IS NULL
    ORDER BY u.place, y.payee_key, v.name;
    RETURN QUERY
    SELECT c.name, format('objectives of payee %s for %s %s', y.payee_key, first.name,
               CASE WHEN o.weight IS NULL THEN 'are missing' ELSE format('have weights that total %s, not 1', o.weight) END),
           format('SELECT spm.set_objective(%L, %L, objective, weight);', y.payee_key, first.name)
    FROM spm.component c
    CROSS JOIN (SELECT DISTINCT a.payee_id FROM spm.plan_seat(of_plan.plan_id, version.span) a WHERE a.spans && first.span) a
    JOIN spm.payee y USING (payee_id)
    CROSS JOIN LATERAL (SELECT sum(o.weight) AS weight FROM spm.objective o
                        WHERE o.payee_id = a.payee_id AND o.period_id = first.period_id AND o.superseded_at IS NULL) o
    WHERE c.plan_version_id = version.plan_version_id AND c.basis = 'objective' AND o.weight IS DISTINCT FROM 1
    ORDER BY c.component_no, y.payee_key;
    -- orders of people on the plan that could not be converted
    IF to_regclass('spm.transaction') IS NOT NULL AND EXISTS (
        SELECT FROM spm.component c WHERE c.plan_version_id = version.plan_version_id AND c.basis = 'credit' AND c.unit = 'money') THEN
        BEGIN
            RETURN QUERY EXECUTE $query$
                SELECT NULL::text, format('no %s rate from %s to %s on %s, the day of an order', $1, t.currency_code, $2, min(t.event_date)),
                       format('SELECT spm.set_exchange_rate(%L, %L, %L, rate, %L);', t.currency_code, $2, min(t.event_date), $1)
                FROM spm.transaction t
                WHERE t.event_date >= lower($3) AND t.event_date < upper($3) AND t.currency_code <> $2
                  AND t.owner_key IN (SELECT y.payee_key FROM spm.plan_seat($4, $3) a JOIN spm.payee y USING (payee_id))
                  AND NOT EXISTS (SELECT FROM spm.exchange_rate x WHERE x.rate_type = $1 AND x.from_currency_code = t.currency_code
                                  AND x.to_currency_code = $2 AND x.span @> t.event_date)
                GROUP BY t.currency_code ORDER BY t.currency_code$query$
                USING of_plan.rate_type, of_plan.currency_code, first.span * version.span, of_plan.plan_id;
        EXCEPTION WHEN insufficient_privilege OR undefined_table OR undefined_column OR data_exception THEN
            -- whoever writes plans need not see the orders; and what is wrong with those, calculating tells
            NULL;
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._input_defect(int) IS 'What a plan version needs and does not find: quotas, variables, objectives, exchange rates.';
REVOKE ALL ON FUNCTION spm._input_defect(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_defect(plan text, version_no int DEFAULT NULL)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    id int := spm._version_of(plan_defect.plan, plan_defect.version_no);
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = id);
    rule spm.pay_rule;
    message text;
    hint text;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = id) THEN
        RETURN QUERY SELECT NULL::text, 'the version has no component',
            format('SELECT spm.add_component(%L, name, rates);', plan_defect.plan);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period p JOIN spm.plan n USING (calendar_id) WHERE n.plan_id = version.plan_id AND p.span && version.span) THEN
        RETURN QUERY SELECT NULL::text, 'the calendar has no period on or after the first day of the version',
            'Add periods with spm.create_calendar() or spm.load_periods().'::text;
    END IF;
    RETURN QUERY
    SELECT c.name, d.defect, d.repair
    FROM spm.component c CROSS JOIN LATERAL spm._component_defect(c.component_id) d
    WHERE c.plan_version_id = id ORDER BY c.component_no;
    FOR rule IN SELECT r.* FROM spm.pay_rule r WHERE r.plan_version_id = id ORDER BY r.rule_no LOOP
        BEGIN
            PERFORM spm._check_prorate(rule.prorate);
        EXCEPTION WHEN invalid_parameter_value THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT rule.name, message, hint;
        END;
    END LOOP;
    RETURN QUERY SELECT d.* FROM spm._structure_defect(id) d;
    RETURN QUERY SELECT d.* FROM spm._input_defect(id) d;
END
$$;
COMMENT ON FUNCTION spm.plan_defect(text, int) IS
'Everything that keeps a plan version from being published, one row per defect: the component or pay rule, what is wrong, and the call that repairs it. No row: it is sound.
plan: name. version_no: number; NULL: the latest. Quotas are looked for in the first open period and in every later one for which somebody has a quota of that measure; variables, objectives and exchange rates in the first open period.
Errors: 42704 for an unknown plan or version.
Example: SELECT * FROM spm.plan_defect(''Account Executive'');';
