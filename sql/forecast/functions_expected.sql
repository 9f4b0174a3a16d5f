/*
 * forecast/functions_expected.sql: what the open deals of a period will cost in
 * commission.  Plans see them as they see transactions: the same query, another
 * relation.
 */

CREATE OR REPLACE FUNCTION spm._unknown(message text, detail text, hint text)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NULL::numeric;
END;
COMMENT ON FUNCTION spm._unknown(text, text, text) IS 'NULL, where spm._refuse() would raise an error: an open deal need not know yet what an order must.';
REVOKE ALL ON FUNCTION spm._unknown(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._usual_cost_ratio(component_id int, as_of date)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- an order without a cost is one of the whole: what the measure makes of it, it makes of it
    SELECT round(sum(t.cost * e.exchange_rate) / nullif(sum(t.amount * e.exchange_rate), 0), 6)
    FROM spm.component c
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan_version a ON a.plan_id = v.plan_id
    JOIN spm.component k ON k.plan_version_id = a.plan_version_id AND k.name = c.name
    JOIN spm.standing_earning e ON e.component_id = k.component_id
    JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = e.period_id
    WHERE c.component_id = _usual_cost_ratio.component_id AND e.kind = 'deal' AND e.credit_period_id IS NULL AND t.amount > 0
      -- of a ledger of many years only these parts
      AND e.period_id = ANY (ARRAY(SELECT p.period_id FROM spm.period p WHERE p.span && daterange(_usual_cost_ratio.as_of - 364, _usual_cost_ratio.as_of + 1)))
      AND t.period_id = ANY (ARRAY(SELECT p.period_id FROM spm.period p WHERE p.span && daterange(_usual_cost_ratio.as_of - 364, _usual_cost_ratio.as_of + 1)))
      AND t.event_date > _usual_cost_ratio.as_of - 365 AND t.event_date <= _usual_cost_ratio.as_of
$$;
COMMENT ON FUNCTION spm._usual_cost_ratio(int, date) IS 'Cost by amount of the orders that a component of a plan has counted in the year up to a day, in any version. NULL: none, or none with a cost.';
REVOKE ALL ON FUNCTION spm._usual_cost_ratio(int, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._outlook_query(odds_run_id int, cost_ratio numeric, type text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    run spm.odds_run;
    bases text;
    currencies text[];
    calendars int[];
    versions int[];
    leaves int[];
BEGIN
    SELECT r.* INTO run FROM spm.odds_run r WHERE r.odds_run_id = _outlook_query.odds_run_id;
    leaves := ARRAY(SELECT p.period_id FROM spm.period p
        WHERE p.span @> run.as_of AND spm._is_leaf(p.period_id) AND EXISTS (SELECT FROM spm.plan n WHERE n.calendar_id = p.calendar_id) ORDER BY p.period_id);
    SELECT string_agg(format('SELECT %s AS component_id, %s AS leaf_id, %L::daterange AS days, %L::numeric AS cost_ratio, b.* FROM (%s) b', c.component_id, p.period_id,
               CASE WHEN c.accumulate NOT IN ('deal', 'group') THEN spm._window(p.period_id, c.accumulate) ELSE '(,)' END, u.cost_ratio,
               spm._deal_query(c.component_id, daterange(run.as_of + 1, run.until + 1), true, false,
                   format('(SELECT o.*, o.amount * %L::numeric AS cost FROM outlook o WHERE o.plan_currency = %L)', u.cost_ratio, n.currency_code), 'spm._unknown')),
               E'\nUNION ALL\n' ORDER BY c.component_id),
        array_agg(DISTINCT n.currency_code), array_agg(DISTINCT n.calendar_id), array_agg(DISTINCT v.plan_version_id)
    INTO bases, currencies, calendars, versions
    FROM spm.component c
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan n USING (plan_id)
    JOIN spm.period p USING (calendar_id)
    CROSS JOIN LATERAL (SELECT CASE WHEN _outlook_query.cost_ratio IS NOT NULL THEN _outlook_query.cost_ratio
        WHEN concat_ws(' ', c.measure_expression, c.eligibility_expression, c.group_expression, array_to_string(c.lookup_expressions, ' ')) ~ '\mcost\M'
        THEN spm._usual_cost_ratio(c.component_id, run.as_of) END AS cost_ratio) u
    WHERE p.period_id = ANY (leaves) AND c.basis = 'credit' AND v.state <> 'draft' AND v.span && daterange(run.as_of, run.until + 1);
    RETURN format($sql$
WITH usual AS (      -- what a deal brings of which no amount is known, by the forecast
    SELECT round(sum(o.expected_amount) / nullif(sum(o.win_probability), 0), 2) AS amount
    FROM spm.odds_deal o WHERE o.odds_run_id = %7$s AND o.amount IS NULL
), known AS MATERIALIZED (
    SELECT s.name AS source, o.opportunity_key AS key, coalesce(p.owner_key, o.owner_key) AS owner_key, p.account_key, p.segment, p.stage, p.category,
           p.state IS NOT DISTINCT FROM 'open' AS is_open, coalesce(p.amount, nullif(u.amount, 0)) AS amount, coalesce(p.state = 'open', false) AND p.amount IS NULL AND coalesce(u.amount, 0) <> 0 AS is_estimated,
           coalesce(p.list_amount, p.amount, nullif(u.amount, 0)) AS list_amount, CASE WHEN p.amount IS NULL THEN coalesce(%10$L, p.currency_code) ELSE p.currency_code END AS currency_code,
           o.win_probability, o.expected_amount AS pipeline_amount,
           CASE WHEN p.close_date > %2$L AND p.close_date < %3$L THEN p.close_date ELSE %3$L::date END AS event_date
    FROM spm.odds_deal o
    CROSS JOIN usual u
    JOIN spm.opportunity_source s USING (opportunity_source_id)
    LEFT JOIN spm.pipeline_on(%2$L) p ON p.opportunity_source_id = o.opportunity_source_id AND p.key = o.opportunity_key
    WHERE o.odds_run_id = %7$s
), deal AS MATERIALIZED (      -- the owner's seat of that day, which need not be the one of today
    SELECT k.*, y.payee_id AS owner_payee_id, coalesce(a.position_id, z.position_id) AS seat_id
    FROM known k
    LEFT JOIN spm.payee y ON y.payee_key = k.owner_key
    LEFT JOIN spm.position_assignment a ON a.payee_id = y.payee_id AND a.is_primary AND k.event_date <@ a.span
    LEFT JOIN spm.position z ON z.position_key = k.owner_key AND y.payee_id IS NULL
), seated AS (      -- to that seat, and up the tree
    SELECT d.*, d.seat_id AS to_position_id, 'direct' AS kind, 0::smallint AS level FROM deal d WHERE d.is_open
    UNION ALL
    SELECT d.*, h.ancestor_position_id, 'rollup', h.depth
    FROM deal d JOIN spm.position_path h ON h.position_id = d.seat_id AND d.event_date <@ h.span
    WHERE d.is_open
), leaf AS MATERIALIZED (
    SELECT p.period_id, p.span FROM spm.period p
    WHERE p.calendar_id = ANY (%8$L::int[]) AND p.span && daterange(%2$L, %3$L, '[]') AND spm._is_leaf(p.period_id)
), outlook AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY d.source COLLATE "C", d.key COLLATE "C", d.level, d.to_position_id, l.period_id, u.plan_currency COLLATE "C") AS credit_id, l.period_id,
           d.to_position_id AS position_id, a.payee_id, d.kind, d.seat_id AS origin_position_id, d.level, ''::text AS rule,
           NULL::numeric[] AS shares, NULL::int AS share_no, f.factor, 1 AS part_no, 1 AS part_count,
           d.source, d.key AS transaction_key, ''::text AS line, d.event_date, %4$L::text AS type, d.owner_key, d.account_key, NULL::text AS product_key,
           1::numeric AS quantity, d.amount, d.list_amount,
           u.plan_currency, coalesce(d.currency_code, u.plan_currency) AS currency_code,    -- without one they are in that of the plan
           jsonb_strip_nulls(jsonb_build_object('segment', d.segment, 'stage', d.stage, 'category', d.category)) AS attributes,
           'booking'::text AS event, NULL::text AS reference_key
    FROM seated d
    CROSS JOIN unnest(%9$L::text[]) u (plan_currency)
    JOIN spm.position_assignment a ON a.position_id = d.to_position_id AND d.event_date <@ a.span
    JOIN spm.position s ON s.position_id = d.to_position_id
    JOIN leaf l ON l.span @> d.event_date
    CROSS JOIN LATERAL (SELECT CASE d.kind WHEN 'direct' THEN 1 ELSE coalesce((SELECT r.factor FROM spm.rollup_factor r
        WHERE r.level IN (0, d.level) AND d.event_date <@ r.span
          AND (r.position_id = s.position_id OR r.title_id = s.title_id OR num_nonnulls(r.position_id, r.title_id) = 0)
        ORDER BY r.position_id IS NULL, r.title_id IS NULL, r.level DESC LIMIT 1), 1) END AS factor) f
    WHERE f.factor > 0
), base AS (
%6$s
), chance AS MATERIALIZED (      -- a deal or group for itself begins at nothing, all else at what has been reached
    SELECT b.*, d.win_probability, d.is_estimated, d.pipeline_amount, m.schedule_id, c.accumulate = 'deal' AS is_single, c.places, c.rounding,
           round(b.base_amount * d.win_probability, 6) AS weighted_amount,
           CASE WHEN NOT b.days @> b.event_date THEN 'starts anew'
                WHEN b.base_amount IS NULL THEN CASE WHEN d.amount IS NULL THEN 'no amount' WHEN b.exchange_rate IS NULL THEN 'no rate' ELSE 'no measure' END
                WHEN m.measurement_id IS NULL THEN 'no result' END AS reason,
           CASE WHEN c.accumulate IN ('deal', 'group') THEN 0 ELSE m.opening_amount + m.amount END AS reached_amount,
           CASE c.accumulate WHEN 'deal' THEN b.credit_id::text WHEN 'group' THEN b.group_key END AS part
    FROM base b
    JOIN deal d ON d.source = b.source AND d.key = b.transaction_key
    JOIN spm.component c USING (component_id)
    LEFT JOIN spm.standing_measurement m ON m.period_id = b.leaf_id AND m.component_id = b.component_id AND m.position_id = b.position_id AND m.payee_id = b.payee_id
), planned AS (
    SELECT s.position_id, s.payee_id, range_agg(s.spans) AS spans
    FROM spm.plan_version v CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
    WHERE v.plan_version_id = ANY (%5$L::int[])
    GROUP BY s.position_id, s.payee_id
)
SELECT c.leaf_id, c.payee_id, c.position_id, c.component_id, c.source, c.transaction_key, c.kind, c.event_date, c.base_amount, c.win_probability, c.weighted_amount, c.from_total,
       CASE WHEN c.is_single THEN spm.rounded(c.win_probability * spm.commission(k.schedule, 0, c.base_amount, c.places::int, c.rounding), c.places::int, c.rounding)
            ELSE spm.commission(k.schedule, c.from_total, c.from_total + c.weighted_amount, c.places::int, c.rounding) END,
       c.part, c.schedule_id, c.reached_amount, NULL::text, c.is_estimated, c.cost_ratio, c.pipeline_amount
FROM (SELECT c.*, c.reached_amount + sum(c.weighted_amount) OVER w - c.weighted_amount AS from_total
      FROM chance c
      WHERE c.reason IS NULL
      WINDOW w AS (PARTITION BY c.component_id, c.position_id, c.payee_id, c.part
                   ORDER BY c.event_date, c.transaction_key COLLATE "C", c.source COLLATE "C", c.credit_id)) c
JOIN spm.schedule k USING (schedule_id)
UNION ALL
SELECT c.leaf_id, c.payee_id, c.position_id, c.component_id, c.source, c.transaction_key, c.kind, c.event_date, c.base_amount, c.win_probability, c.weighted_amount, NULL, NULL,
       NULL, NULL, NULL, c.reason, c.is_estimated, c.cost_ratio, c.pipeline_amount
FROM chance c WHERE c.reason IS NOT NULL
UNION ALL      -- no component of the owner's sees it
SELECT %1$s, coalesce(d.owner_payee_id, a.payee_id), d.seat_id, NULL, d.source, d.key, 'direct', d.event_date, NULL, d.win_probability, NULL, NULL, NULL,
       NULL, NULL, NULL, CASE WHEN NOT d.is_open THEN 'not open' WHEN a.payee_id IS NULL THEN 'no seat'
           WHEN NOT coalesce(multirange_contains_elem(p.spans, d.event_date), false) THEN 'no plan'
           WHEN NOT EXISTS (SELECT FROM leaf l WHERE l.span @> d.event_date) THEN 'starts anew'    -- after the last period of the calendar
           WHEN d.amount IS NULL THEN 'no amount' ELSE 'not counted' END,
       d.is_estimated, NULL, d.pipeline_amount
FROM deal d
LEFT JOIN spm.position_assignment a ON a.position_id = d.seat_id AND d.event_date <@ a.span
LEFT JOIN planned p ON p.position_id = a.position_id AND p.payee_id = a.payee_id
WHERE NOT EXISTS (SELECT FROM chance c WHERE c.source = d.source AND c.transaction_key = d.key AND c.kind = 'direct')$sql$,
        leaves[1], run.as_of, run.until, _outlook_query.type, coalesce(versions, '{}'),
        coalesce(bases, $none$SELECT 0 AS component_id, 0 AS leaf_id, '(,)'::daterange AS days, NULL::numeric AS cost_ratio, t.credit_id, t.position_id, t.payee_id, t.event_date, t.transaction_key, t.line, t.source, t.level,
        t.origin_position_id, t.kind, t.rule, t.owner_key, t.part_no, 1::numeric AS exchange_rate, NULL::text AS group_key, 0::numeric AS base_amount FROM outlook t WHERE false$none$),
        run.odds_run_id, coalesce(calendars, '{}'), coalesce(currencies, '{}'), run.currency_code);
END
$$;
COMMENT ON FUNCTION spm._outlook_query(int, numeric, text) IS 'SQL of what open deals would count and earn in every component of a calculated period, or why they do not: the rows of spm.expected_commission_deal().';
REVOKE ALL ON FUNCTION spm._outlook_query(int, numeric, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._outlook_problem(odds_run_id int, OUT message text, OUT detail text, OUT hint text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
    WITH run AS (
        SELECT r.* FROM spm.odds_run r WHERE r.odds_run_id = _outlook_problem.odds_run_id
    ), leaf AS (
        SELECT p.*, EXISTS (SELECT FROM spm.measurement m WHERE m.period_id = p.period_id) AS is_calculated
        FROM spm.period p JOIN run r ON p.span @> r.as_of
        WHERE spm._is_leaf(p.period_id) AND EXISTS (SELECT FROM spm.plan n WHERE n.calendar_id = p.calendar_id)
    ), used AS (
        SELECT r.odds_run_id, r.as_of, r.until, c.component_no, c.name, n.name AS plan_name,
               CASE WHEN c.accumulate NOT IN ('deal', 'group') THEN spm._window(l.period_id, c.accumulate) ELSE '(,)' END * v.span AS days
        FROM run r
        CROSS JOIN leaf l
        JOIN spm.plan n USING (calendar_id)
        JOIN spm.plan_version v USING (plan_id)
        JOIN spm.component c USING (plan_version_id)
        WHERE c.basis = 'credit' AND EXISTS (SELECT FROM spm.standing_measurement m WHERE m.period_id = l.period_id AND m.component_id = c.component_id)
    )
    (SELECT format('no period with %s is calculated', r.as_of), 'What open deals earn depends on what has been reached by then.',
            coalesce((SELECT format('CALL spm.calculate(%L);', l.name) FROM leaf l ORDER BY l.period_id LIMIT 1), 'Publish a plan first: spm.publish_plan().')
     FROM run r WHERE NOT EXISTS (SELECT FROM leaf l WHERE l.is_calculated))
    UNION ALL    -- somebody's deals would be missing
    (SELECT format('period "%s" of calendar "%s" is not calculated', l.name, c.name), format('Plan "%s" goes by it.', min(n.name COLLATE "C")), format('CALL spm.calculate(%L, %L);', l.name, c.name)
     FROM run r
     CROSS JOIN leaf l
     JOIN spm.calendar c USING (calendar_id)
     JOIN spm.plan n USING (calendar_id)
     JOIN spm.plan_version v USING (plan_id)
     WHERE NOT l.is_calculated AND v.state <> 'draft' AND v.span @> r.as_of
       AND EXISTS (SELECT FROM spm.component k WHERE k.plan_version_id = v.plan_version_id AND k.basis = 'credit')
       AND EXISTS (SELECT FROM spm.plan_seat(n.plan_id, v.span) s WHERE s.spans @> r.as_of)
     GROUP BY l.period_id, l.name, c.name
     ORDER BY l.period_id LIMIT 1)
    UNION ALL
    -- a month that is over has nothing to add to: not a single deal could be counted
    (SELECT format('component "%s" of plan "%s" starts anew on %s, before any deal is won', u.name, u.plan_name, upper(u.days)), format('So does all that forecast %s could count deals for.', u.odds_run_id),
            format('Forecast from a day of the time that begins then, and calculate its period: SELECT spm.forecast_pipeline(until => %L, as_of => %L);', u.until, upper(u.days))
     FROM used u
     WHERE NOT EXISTS (SELECT FROM used k WHERE k.days @> k.as_of + 1)
     ORDER BY upper(u.days), u.plan_name COLLATE "C", u.component_no LIMIT 1)
    LIMIT 1
$$;
COMMENT ON FUNCTION spm._outlook_problem(int) IS 'Why it cannot be told what a forecast of the pipeline costs in commission; NULL: it can.';
REVOKE ALL ON FUNCTION spm._outlook_problem(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.expected_commission_deal(run int DEFAULT NULL, cost_ratio numeric DEFAULT NULL, type text DEFAULT 'booking')
    RETURNS TABLE (period_id int, payee_id int, position_id int, component_id int, source text, transaction_key text, kind text, event_date date,
        base_amount numeric, win_probability numeric, weighted_amount numeric, from_total numeric, expected_amount numeric,
        part text, schedule_id bigint, reached_amount numeric, reason text, is_estimated boolean, used_cost_ratio numeric, pipeline_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    -- how many deals the CRM has the planner cannot know, and loops over each other's rows take the square of it
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    forecast spm.odds_run;
    problem record;
BEGIN
    SELECT r.* INTO forecast FROM spm.odds_run r
    WHERE r.odds_run_id = coalesce(expected_commission_deal.run, (SELECT max(l.odds_run_id) FROM spm.odds_run l));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no forecast of the pipeline%', coalesce(' ' || expected_commission_deal.run, '')
            USING ERRCODE = 'undefined_object', HINT = 'Make one: SELECT spm.forecast_pipeline(until => last day of the period);';
    ELSIF expected_commission_deal.cost_ratio < 0 OR expected_commission_deal.cost_ratio >= 'Infinity' THEN
        RAISE EXCEPTION 'cost_ratio cannot be %', expected_commission_deal.cost_ratio
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the cost of a deal as a share of its amount: 0.4.';
    END IF;
    SELECT p.* INTO problem FROM spm._outlook_problem(forecast.odds_run_id) p;
    IF problem.message IS NOT NULL THEN
        RAISE EXCEPTION '%', problem.message USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = problem.detail, HINT = problem.hint;
    END IF;
    RETURN QUERY EXECUTE spm._outlook_query(forecast.odds_run_id, expected_commission_deal.cost_ratio, expected_commission_deal.type);
END
$$;
COMMENT ON FUNCTION spm.expected_commission_deal(int, numeric, text) IS
'What every open deal is expected to earn for everybody who will be credited with it, at the rate that they will have reached by then: one row per payee, position, component and deal. Each deal of the forecast has a row for its owner at least: where it earns nothing, or nobody can tell what, reason says why and expected_amount is NULL.
run: odds_run_id of a forecast of the pipeline; NULL: the last one. The period of its as_of is calculated. cost_ratio: cost of a deal as a share of its amount, for plans that measure margin; NULL: that of the orders which the component has counted in the past year, if they have costs. type: what type of transaction a deal will be booked as, for conditions of plans.
A deal counts base_amount in the component, weighted_amount is that times win_probability. Deals follow each other by event_date (the close date; the last day of the forecast where that is later or has passed), each takes the total on from from_total, and expected_amount is what that stretch earns: rows of a payee and component add up, to the last cent, to what the expected total earns beyond reached_amount. A component by group starts each group from 0; of one by deal, expected_amount is win_probability times what the deal would earn.
reason: NULL, it is counted; no amount: neither is a usual one known; no rate: one of exchange is missing; no measure: the component measures what an open deal does not have yet, such as a product or a cost that nobody has learned; no result: that seat has no result of the component in the period of as_of, being new, or of a version of the plan that begins later; starts anew: the month, quarter or so over which the component adds up, or the calendar of the plan, ends before event_date, and what will be reached in the next one nobody knows; no seat: the owner holds none on event_date, or nobody holds it; no plan: the seat is on none then; not counted: no component of the seat takes such deals; not open: it is so no more.
is_estimated: the deal has no amount, and the usual one of the forecast is taken. used_cost_ratio: cost_ratio, or what was learned in its place; NULL: none is needed or known. pipeline_amount: what the deal is expected to bring, in the currency of the forecast. component_id is NULL where no component of the owner sees the deal.
Owners and those above them are credited, in the seats that they hold on event_date. An amount without a currency is in that of the plan.
Overlays, teams, territories and shares come when it is booked. Quantity is 1, and there is no product; components of other events than booking have no rows. What a seat draws, holds back or is capped at after earning is not part of it.
Errors: 42704 no forecast; 55000 the period is not calculated, in each calendar that plans in force go by, or all components start anew on the day after; 22023 cost_ratio below 0; and those of expressions of the plan.
Example: SELECT transaction_key, payee_id, expected_amount, reason FROM spm.expected_commission_deal() ORDER BY expected_amount DESC NULLS LAST;';

CREATE OR REPLACE FUNCTION spm.expected_commission(run int DEFAULT NULL, cost_ratio numeric DEFAULT NULL, type text DEFAULT 'booking', paths int DEFAULT 1000)
    RETURNS TABLE (period_id int, payee_id int, position_id int, component_id int, deal_count bigint, earned_amount numeric,
        base_amount numeric, weighted_amount numeric, expected_amount numeric, simulated_amount numeric, lower_amount numeric, upper_amount numeric,
        reason text, estimated_count bigint, pipeline_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH chance AS (
        SELECT r.seed, r.shock::float8 AS shock FROM spm.odds_run r
        WHERE r.odds_run_id = coalesce(expected_commission.run, (SELECT max(l.odds_run_id) FROM spm.odds_run l))
    ), outlook AS MATERIALIZED (
        SELECT d.* FROM spm.expected_commission_deal(expected_commission.run, expected_commission.cost_ratio, expected_commission.type) d
    ), deal AS MATERIALIZED (
        -- what a deal brings to what is drawn: where it is rated by itself, its commission, and no rating is left
        SELECT d.period_id, d.payee_id, d.position_id, d.component_id, CASE WHEN c.accumulate <> 'deal' THEN d.part END AS part, d.schedule_id, d.reached_amount,
               d.event_date, d.transaction_key, d.source, d.kind, d.base_amount, d.win_probability, d.weighted_amount, d.expected_amount,
               d.is_estimated, d.pipeline_amount,
               CASE WHEN c.accumulate = 'deal' THEN spm.commission(k.schedule, 0, d.base_amount, c.places::int, c.rounding) ELSE d.base_amount END AS worth
        FROM outlook d
        JOIN spm.component c USING (component_id)
        JOIN spm.schedule k USING (schedule_id)
        WHERE d.reason IS NULL
    ), total AS (      -- what is rated together
        SELECT d.period_id, d.payee_id, d.position_id, d.component_id, d.part, d.schedule_id, d.reached_amount, count(*) AS deal_count,
               count(*) FILTER (WHERE d.is_estimated) AS estimated_count, sum(d.pipeline_amount) AS pipeline_amount,
               -- drawn alike, the parts of a seat would be won and lost together
               row_number() OVER (PARTITION BY d.period_id, d.payee_id, d.position_id, d.component_id
                                  ORDER BY min(d.event_date), min(d.transaction_key COLLATE "C"), min(d.source COLLATE "C"), d.part COLLATE "C") - 1 AS part_no,
               sum(d.base_amount) AS base_amount, sum(d.weighted_amount) AS weighted_amount, sum(d.expected_amount) AS expected_amount,
               -- a margin below nothing is expected as it is: chance is drawn for what brings something
               coalesce(sum(round(d.worth * d.win_probability, 6)) FILTER (WHERE d.worth < 0), 0) AS lost_amount,
               coalesce(array_agg(d.win_probability::float8 ORDER BY d.event_date, d.transaction_key COLLATE "C", d.source COLLATE "C", d.kind) FILTER (WHERE d.worth >= 0), '{}') AS odds,
               coalesce(array_agg(d.worth::float8 ORDER BY d.event_date, d.transaction_key COLLATE "C", d.source COLLATE "C", d.kind) FILTER (WHERE d.worth >= 0), '{}') AS amounts
        FROM deal d
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), future AS (
        SELECT t.period_id, t.payee_id, t.position_id, t.component_id, f.path,
               sum(CASE WHEN c.accumulate = 'deal' THEN spm.rounded(round(f.total::numeric, 6) + t.lost_amount, c.places::int, c.rounding)
                        ELSE spm.commission(k.schedule, t.reached_amount, t.reached_amount + t.lost_amount + round(f.total::numeric, 6), c.places::int, c.rounding) END) AS amount
        FROM total t
        CROSS JOIN chance x
        JOIN spm.schedule k USING (schedule_id)
        JOIN spm.component c USING (component_id)
        CROSS JOIN LATERAL unnest(spm.deal_futures(t.odds, t.amounts, expected_commission.paths, x.seed + t.part_no, x.shock)) WITH ORDINALITY f (total, path)
        GROUP BY 1, 2, 3, 4, 5
    ), spread AS (
        SELECT f.period_id, f.payee_id, f.position_id, f.component_id, avg(f.amount) AS mean,
               percentile_disc(0.1) WITHIN GROUP (ORDER BY f.amount) AS lower, percentile_disc(0.9) WITHIN GROUP (ORDER BY f.amount) AS upper
        FROM future f
        GROUP BY 1, 2, 3, 4
    ), whole AS (
        SELECT t.period_id, t.payee_id, t.position_id, t.component_id, sum(t.deal_count)::bigint AS deal_count,
               sum(t.estimated_count)::bigint AS estimated_count, sum(t.pipeline_amount) AS pipeline_amount,
               sum(t.base_amount) AS base_amount, sum(t.weighted_amount) AS weighted_amount, sum(t.expected_amount) AS expected_amount
        FROM total t
        GROUP BY 1, 2, 3, 4
    )
    SELECT w.period_id, w.payee_id, w.position_id, w.component_id, w.deal_count, m.earned_amount, w.base_amount, w.weighted_amount, w.expected_amount,
           round(s.mean, c.places::int), s.lower, s.upper, NULL::text, w.estimated_count, w.pipeline_amount
    FROM whole w
    JOIN spread s ON s.period_id = w.period_id AND s.payee_id = w.payee_id AND s.position_id = w.position_id AND s.component_id = w.component_id
    JOIN spm.component c ON c.component_id = w.component_id
    JOIN spm.standing_measurement m ON m.period_id = w.period_id AND m.payee_id = w.payee_id AND m.position_id = w.position_id AND m.component_id = w.component_id
    UNION ALL      -- of what is not known a sum is not, either
    SELECT d.period_id, d.payee_id, d.position_id, d.component_id, count(*), NULL,
           CASE WHEN bool_and(d.base_amount IS NOT NULL) THEN sum(d.base_amount) END, CASE WHEN bool_and(d.weighted_amount IS NOT NULL) THEN sum(d.weighted_amount) END,
           NULL, NULL, NULL, NULL, d.reason, count(*) FILTER (WHERE d.is_estimated), sum(d.pipeline_amount)
    FROM outlook d
    WHERE d.reason IS NOT NULL
    GROUP BY d.period_id, d.payee_id, d.position_id, d.component_id, d.reason
$$;
COMMENT ON FUNCTION spm.expected_commission(int, numeric, text, int) IS
'What open deals are expected to cost in commission: the accrual of a month''s end. One row per payee, position and component that open deals would be credited in, and one per reason for which deals of theirs are not counted: so no open deal is missing unsaid.
run, cost_ratio, type: as for spm.expected_commission_deal(). paths: futures that are drawn, 100 to 1,000,000.
earned_amount: what is earned in the period of as_of. base_amount: what open deals count in all, weighted_amount: with their odds. expected_amount: what the total earns beyond what is reached when it grows by weighted_amount: the sum of spm.expected_commission_deal().
simulated_amount: the mean of what is earned in futures in which each deal is won or lost. An accelerator makes it more than expected_amount, a cap less, for winning much pays other rates than winning little. lower_amount and upper_amount: 80 % of futures lie between.
reason: NULL, the deals are counted; else why they are not, as there, and what they earn is NULL. estimated_count: those of deal_count that have no amount, so that the usual one was taken. pipeline_amount: what the deals are expected to bring, in the currency of the forecast; a deal of which several are credited is in each of their rows.
Errors: as for spm.expected_commission_deal(); 22023 paths out of range.
Example: SELECT sum(simulated_amount), sum(deal_count) FILTER (WHERE reason IS NOT NULL) FROM spm.expected_commission();';
