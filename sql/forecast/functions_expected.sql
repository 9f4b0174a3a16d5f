/*
 * forecast/functions_expected.sql: what the open deals of a period will cost in
 * commission.  Plans see them as they see transactions: the same query, another
 * relation.
 */

CREATE OR REPLACE FUNCTION spm._outlook_query(period_id int, odds_run_id int, cost_ratio numeric, type text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    run spm.odds_run;
    leaf spm.period;
    bases text;
    currencies text[];
BEGIN
    SELECT r.* INTO run FROM spm.odds_run r WHERE r.odds_run_id = _outlook_query.odds_run_id;
    SELECT p.* INTO leaf FROM spm.period p WHERE p.period_id = _outlook_query.period_id;
    SELECT string_agg(format('SELECT %s AS component_id, b.* FROM (%s) b', c.component_id,
               spm._deal_query(c.component_id, daterange(run.as_of + 1, run.until + 1), true, false, format('(SELECT * FROM outlook WHERE plan_currency = %L)', n.currency_code))), E'\nUNION ALL\n' ORDER BY c.component_id),
        array_agg(DISTINCT n.currency_code)
    INTO bases, currencies
    FROM spm.component c
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan n USING (plan_id)
    WHERE n.calendar_id = leaf.calendar_id AND c.basis = 'credit'
      AND EXISTS (SELECT FROM spm.standing_measurement m WHERE m.period_id = leaf.period_id AND m.component_id = c.component_id);
    RETURN format($sql$
WITH open AS MATERIALIZED (
    SELECT p.*, o.win_probability, CASE WHEN p.close_date > %2$L AND p.close_date < %3$L THEN p.close_date ELSE %3$L::date END AS event_date
    FROM spm.odds_deal o
    JOIN spm.pipeline_on(%2$L) p ON p.opportunity_source_id = o.opportunity_source_id AND p.key = o.opportunity_key
    WHERE o.odds_run_id = %7$s AND p.state = 'open' AND p.amount IS NOT NULL
), deal AS MATERIALIZED (      -- the owner's seat of that day, which need not be the one of today
    SELECT o.*, coalesce(a.position_id, z.position_id) AS seat_id
    FROM open o
    LEFT JOIN spm.payee y ON y.payee_key = o.owner_key
    LEFT JOIN spm.position_assignment a ON a.payee_id = y.payee_id AND a.is_primary AND o.event_date <@ a.span
    LEFT JOIN spm.position z ON z.position_key = o.owner_key AND y.payee_id IS NULL
), seated AS (      -- to that seat, and up the tree
    SELECT d.*, d.seat_id AS to_position_id, 'direct' AS kind, 0::smallint AS level FROM deal d
    UNION ALL
    SELECT d.*, h.ancestor_position_id, 'rollup', h.depth
    FROM deal d JOIN spm.position_path h ON h.position_id = d.seat_id AND d.event_date <@ h.span
), outlook AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY d.source COLLATE "C", d.key COLLATE "C", d.level, d.to_position_id) AS credit_id, l.period_id,
           d.to_position_id AS position_id, a.payee_id, d.kind, d.seat_id AS origin_position_id, d.level, ''::text AS rule,
           NULL::numeric[] AS shares, NULL::int AS share_no, f.factor, 1 AS part_no, 1 AS part_count,
           d.source, d.key AS transaction_key, ''::text AS line, d.event_date, %4$L::text AS type, d.owner_key, d.account_key, NULL::text AS product_key,
           1::numeric AS quantity, d.amount, d.amount * %5$L::numeric AS cost, coalesce(d.list_amount, d.amount) AS list_amount,
           u.plan_currency, coalesce(d.currency_code, u.plan_currency) AS currency_code,    -- without one they are in that of the plan
           jsonb_strip_nulls(jsonb_build_object('segment', d.segment, 'stage', d.stage, 'category', d.category)) AS attributes,
           'booking'::text AS event, NULL::text AS reference_key
    FROM seated d
    CROSS JOIN unnest(%9$L::text[]) u (plan_currency)
    JOIN spm.position_assignment a ON a.position_id = d.to_position_id AND d.event_date <@ a.span
    JOIN spm.position s ON s.position_id = d.to_position_id
    JOIN spm.period l ON l.calendar_id = %8$s AND l.span @> d.event_date AND spm._is_leaf(l.period_id)
    CROSS JOIN LATERAL (SELECT CASE d.kind WHEN 'direct' THEN 1 ELSE coalesce((SELECT r.factor FROM spm.rollup_factor r
        WHERE r.level IN (0, d.level) AND d.event_date <@ r.span
          AND (r.position_id = s.position_id OR r.title_id = s.title_id OR num_nonnulls(r.position_id, r.title_id) = 0)
        ORDER BY r.position_id IS NULL, r.title_id IS NULL, r.level DESC LIMIT 1), 1) END AS factor) f
    WHERE f.factor > 0
), base AS (
%6$s
), chance AS (      -- a deal or group for itself begins at nothing, all else at what has been reached
    SELECT b.*, d.win_probability, m.schedule_id, c.accumulate = 'deal' AS is_single, c.places, c.rounding, round(b.base_amount * d.win_probability, 6) AS weighted_amount,
           CASE WHEN c.accumulate IN ('deal', 'group') THEN 0 ELSE m.opening_amount + m.amount END AS reached_amount,
           CASE c.accumulate WHEN 'deal' THEN b.credit_id::text WHEN 'group' THEN b.group_key END AS part
    FROM base b
    JOIN deal d ON d.source = b.source AND d.key = b.transaction_key
    JOIN spm.component c USING (component_id)
    JOIN spm.standing_measurement m ON m.period_id = %1$s AND m.component_id = b.component_id AND m.position_id = b.position_id AND m.payee_id = b.payee_id
)
SELECT %1$s, c.payee_id, c.position_id, c.component_id, c.source, c.transaction_key, c.kind, c.event_date, c.base_amount, c.win_probability, c.weighted_amount, c.from_total,
       CASE WHEN c.is_single THEN spm.rounded(c.win_probability * spm.commission(k.schedule, 0, c.base_amount, c.places::int, c.rounding), c.places::int, c.rounding)
            ELSE spm.commission(k.schedule, c.from_total, c.from_total + c.weighted_amount, c.places::int, c.rounding) END,
       c.part, c.schedule_id, c.reached_amount
FROM (SELECT c.*, c.reached_amount + sum(c.weighted_amount) OVER w - c.weighted_amount AS from_total
      FROM chance c
      WINDOW w AS (PARTITION BY c.component_id, c.position_id, c.payee_id, c.part
                   ORDER BY c.event_date, c.transaction_key COLLATE "C", c.source COLLATE "C", c.credit_id)) c
JOIN spm.schedule k USING (schedule_id)$sql$,
        leaf.period_id, run.as_of, run.until, _outlook_query.type, _outlook_query.cost_ratio,
        coalesce(bases, $none$SELECT 0 AS component_id, t.credit_id, t.position_id, t.payee_id, t.event_date, t.transaction_key, t.line, t.source, t.level,
        t.origin_position_id, t.kind, t.rule, t.owner_key, t.part_no, 1::numeric AS exchange_rate, NULL::text AS group_key, 0::numeric AS base_amount FROM outlook t WHERE false$none$), run.odds_run_id, leaf.calendar_id, currencies);
END
$$;
COMMENT ON FUNCTION spm._outlook_query(int, int, numeric, text) IS 'SQL of what open deals would count and earn in every component of a calculated period: the rows of spm.expected_commission_deal().';
REVOKE ALL ON FUNCTION spm._outlook_query(int, int, numeric, text) FROM PUBLIC;

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
        SELECT r.as_of, r.until, l.period_id, l.span, c.component_id, c.component_no, c.name, c.basis, c.accumulate, n.plan_id, n.name AS plan_name, v.plan_version_id
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
    (SELECT format('component "%s" of plan "%s" starts anew on %s, before the forecast ends', u.name, u.plan_name, upper(w.span)), format('Forecast %s goes to %s.', r.odds_run_id, r.until),
            CASE WHEN upper(w.span) > u.as_of + 1 THEN format('Forecast to there: SELECT spm.forecast_pipeline(until => %L, as_of => %L);', upper(w.span) - 1, u.as_of)
                 ELSE format('Forecast from a day of the time that begins then, and calculate its period: SELECT spm.forecast_pipeline(until => %L, as_of => %L);', u.until, upper(w.span)) END
     FROM run r
     CROSS JOIN used u
     CROSS JOIN LATERAL (SELECT spm._window(u.period_id, u.accumulate) AS span) w
     WHERE u.accumulate NOT IN ('deal', 'group') AND NOT w.span @> r.until
     ORDER BY upper(w.span), u.plan_name COLLATE "C", u.component_no LIMIT 1)
    UNION ALL    -- of a version that begins in between nobody knows totals and rates
    (SELECT format('version %s of plan "%s" begins on %s, before the forecast ends', v.version_no, u.plan_name, lower(v.span)), format('Forecast %s goes to %s.', u.odds_run_id, u.until),
            CASE WHEN lower(v.span) > u.as_of + 1 THEN format('Forecast to there: SELECT spm.forecast_pipeline(until => %L, as_of => %L);', lower(v.span) - 1, u.as_of)
                 ELSE format('Forecast from a day of that version, and calculate its period: SELECT spm.forecast_pipeline(until => %L, as_of => %L);', u.until, lower(v.span)) END
     FROM (SELECT DISTINCT r.odds_run_id, u.as_of, u.until, u.period_id, u.plan_id, u.plan_name FROM run r CROSS JOIN used u) u
     JOIN spm.plan_version v USING (plan_id)
     WHERE v.state <> 'draft' AND lower(v.span) > u.as_of AND lower(v.span) <= u.until
       AND NOT EXISTS (SELECT FROM used k WHERE k.plan_version_id = v.plan_version_id)
     ORDER BY lower(v.span), u.plan_name COLLATE "C" LIMIT 1)
    LIMIT 1
$$;
COMMENT ON FUNCTION spm._outlook_problem(int) IS 'Why it cannot be told what a forecast of the pipeline costs in commission; NULL: it can.';
REVOKE ALL ON FUNCTION spm._outlook_problem(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.expected_commission_deal(run int DEFAULT NULL, cost_ratio numeric DEFAULT NULL, type text DEFAULT 'booking')
    RETURNS TABLE (period_id int, payee_id int, position_id int, component_id int, source text, transaction_key text, kind text, event_date date,
        base_amount numeric, win_probability numeric, weighted_amount numeric, from_total numeric, expected_amount numeric,
        part text, schedule_id bigint, reached_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    -- how many deals the CRM has the planner cannot know, and loops over each other's rows take the square of it
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    forecast spm.odds_run;
    problem record;
    leaf int;
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
    FOR leaf IN
        SELECT p.period_id FROM spm.period p
        WHERE p.span @> forecast.as_of AND spm._is_leaf(p.period_id) AND EXISTS (SELECT FROM spm.measurement m WHERE m.period_id = p.period_id)
        ORDER BY p.period_id
    LOOP
        RETURN QUERY EXECUTE spm._outlook_query(leaf, forecast.odds_run_id, expected_commission_deal.cost_ratio, expected_commission_deal.type);
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm.expected_commission_deal(int, numeric, text) IS
'What every open deal is expected to earn for everybody who will be credited with it, at the rate that they will have reached by then: one row per payee, position, component and deal.
run: odds_run_id of a forecast of the pipeline; NULL: the last one. The period of its as_of is calculated, and no component starts anew, and no version of a plan begins, before it ends. cost_ratio: cost of a deal as a share of its amount, for plans that measure margin; NULL: not known. type: what type of transaction a deal will be booked as, for conditions of plans.
A deal counts base_amount in the component, weighted_amount is that times win_probability. Deals follow each other by event_date (the close date; the last day of the forecast where that is later or has passed), each takes the total on from from_total, and expected_amount is what that stretch earns: rows of a payee and component add up, to the last cent, to what the expected total earns beyond reached_amount. A component by group starts each group from 0; of one by deal, expected_amount is win_probability times what the deal would earn.
Owners and those above them are credited, in the seats that they hold on event_date; who has no result in the period of as_of for that seat and component has no rows, and neither have deals without an amount and deals whose owner has no seat. An amount without a currency is in that of the plan.
Overlays, teams, territories and shares come when it is booked. Quantity is 1, and there is no product; components of other events than booking have no rows. What a seat draws, holds back or is capped at after earning is not part of it.
Errors: 42704 no forecast; 55000 the period is not calculated, in each calendar that plans in force go by, or a component starts anew or a version of a plan begins before the forecast ends; 22023 cost_ratio below 0; and those of the plan: 22000 for a measure that is NULL or a rate of exchange that is missing.
Example: SELECT * FROM spm.expected_commission_deal() ORDER BY expected_amount DESC;';

CREATE OR REPLACE FUNCTION spm.expected_commission(run int DEFAULT NULL, cost_ratio numeric DEFAULT NULL, type text DEFAULT 'booking', paths int DEFAULT 1000)
    RETURNS TABLE (period_id int, payee_id int, position_id int, component_id int, deal_count bigint, earned_amount numeric,
        base_amount numeric, weighted_amount numeric, expected_amount numeric, simulated_amount numeric, lower_amount numeric, upper_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH chance AS (
        SELECT r.seed, r.shock::float8 AS shock FROM spm.odds_run r
        WHERE r.odds_run_id = coalesce(expected_commission.run, (SELECT max(l.odds_run_id) FROM spm.odds_run l))
    ), deal AS MATERIALIZED (
        -- what a deal brings to what is drawn: where it is rated by itself, its commission, and no rating is left
        SELECT d.period_id, d.payee_id, d.position_id, d.component_id, CASE WHEN c.accumulate <> 'deal' THEN d.part END AS part, d.schedule_id, d.reached_amount,
               d.event_date, d.transaction_key, d.source, d.kind, d.base_amount, d.win_probability, d.weighted_amount, d.expected_amount,
               CASE WHEN c.accumulate = 'deal' THEN spm.commission(k.schedule, 0, d.base_amount, c.places::int, c.rounding) ELSE d.base_amount END AS worth
        FROM spm.expected_commission_deal(expected_commission.run, expected_commission.cost_ratio, expected_commission.type) d
        JOIN spm.component c USING (component_id)
        JOIN spm.schedule k USING (schedule_id)
    ), total AS (      -- what is rated together
        SELECT d.period_id, d.payee_id, d.position_id, d.component_id, d.part, d.schedule_id, d.reached_amount, count(*) AS deal_count,
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
               sum(t.base_amount) AS base_amount, sum(t.weighted_amount) AS weighted_amount, sum(t.expected_amount) AS expected_amount
        FROM total t
        GROUP BY 1, 2, 3, 4
    )
    SELECT w.period_id, w.payee_id, w.position_id, w.component_id, w.deal_count, m.earned_amount, w.base_amount, w.weighted_amount, w.expected_amount,
           round(s.mean, c.places::int), s.lower, s.upper
    FROM whole w
    JOIN spread s ON s.period_id = w.period_id AND s.payee_id = w.payee_id AND s.position_id = w.position_id AND s.component_id = w.component_id
    JOIN spm.component c ON c.component_id = w.component_id
    JOIN spm.standing_measurement m ON m.period_id = w.period_id AND m.payee_id = w.payee_id AND m.position_id = w.position_id AND m.component_id = w.component_id
$$;
COMMENT ON FUNCTION spm.expected_commission(int, numeric, text, int) IS
'What open deals are expected to cost in commission: the accrual of a month''s end. One row per payee, position and component that open deals would be credited in.
run, cost_ratio, type: as for spm.expected_commission_deal(). paths: futures that are drawn, 100 to 1,000,000.
earned_amount: what is earned in the period of as_of. base_amount: what open deals count in all, weighted_amount: with their odds. expected_amount: what the total earns beyond what is reached when it grows by weighted_amount: the sum of spm.expected_commission_deal().
simulated_amount: the mean of what is earned in futures in which each deal is won or lost. An accelerator makes it more than expected_amount, a cap less, for winning much pays other rates than winning little. lower_amount and upper_amount: 80 % of futures lie between.
Errors: as for spm.expected_commission_deal(); 22023 paths out of range.
Example: SELECT sum(simulated_amount) FROM spm.expected_commission();';
