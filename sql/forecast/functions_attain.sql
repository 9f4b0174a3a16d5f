/*
 * forecast/functions_attain.sql: how far everybody is, and what the rest of the
 * period has to bring.
 */

CREATE OR REPLACE FUNCTION spm.quota_pace(as_of date DEFAULT current_date, days text DEFAULT 'calendar')
    RETURNS TABLE (period_id int, span daterange, payee_id int, position_id int, component_id int,
        quota_amount numeric, achieved_amount numeric, attainment_ratio numeric, elapsed_ratio numeric, expected_amount numeric, pace_ratio numeric,
        daily_amount numeric, projected_amount numeric, to_go_amount numeric, days_left numeric, needed_daily_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH leaf AS (
        SELECT p.period_id, p.calendar_id, p.span FROM spm.period p
        WHERE p.span @> quota_pace.as_of AND spm._is_leaf(p.period_id)
    ), component AS (    -- whose totals stand against a quota: a deal or group for itself has none
        SELECT c.component_id, l.period_id, n.plan_id, n.calendar_id, v.span AS version_span, c.prorate,
               -- growth is held against as many days of the time before, not against all of it
               spm._window(l.period_id, c.accumulate) * CASE WHEN c.against = 'quota' THEN '(,)' ELSE daterange(NULL, upper(l.span)) END AS span
        FROM spm.component c
        JOIN spm.plan_version v USING (plan_version_id)
        JOIN spm.plan n USING (plan_id)
        JOIN leaf l USING (calendar_id)
        WHERE c.basis = 'credit' AND c.accumulate NOT IN ('deal', 'group') AND v.span @> quota_pace.as_of
    ), seat AS (     -- whose quota is prorated has only the days in the seat, on the plan, and not away
        SELECT p.plan_id, p.version_span, s.position_id, s.payee_id, s.spans - spm._absent(s.payee_id, true) AS active
        FROM (SELECT DISTINCT k.plan_id, k.version_span FROM component k WHERE k.prorate <> 'none') p
        CROSS JOIN LATERAL spm.plan_seat(p.plan_id, p.version_span) s
    ), later AS (    -- credited in the period, but after the day
        SELECT e.period_id, e.component_id, e.position_id, e.payee_id, sum(e.base_amount) AS amount
        FROM component k
        JOIN spm.standing_earning e ON e.period_id = k.period_id AND e.component_id = k.component_id
        JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = coalesce(e.credit_period_id, e.period_id)
        WHERE t.event_date > quota_pace.as_of
        GROUP BY 1, 2, 3, 4
    ), state AS (
        SELECT k.period_id, k.span, m.payee_id, m.position_id, m.component_id, m.quota_amount,
               m.opening_amount + m.amount - coalesce(l.amount, 0) AS achieved_amount, whole.active_days AS whole_days, gone.active_days AS gone_days
        FROM component k
        JOIN spm.standing_measurement m ON m.period_id = k.period_id AND m.component_id = k.component_id AND m.quota_amount IS NOT NULL
        LEFT JOIN later l ON l.period_id = m.period_id AND l.component_id = m.component_id AND l.position_id = m.position_id AND l.payee_id = m.payee_id
        LEFT JOIN seat s ON k.prorate <> 'none' AND s.plan_id = k.plan_id AND s.version_span = k.version_span AND s.position_id = m.position_id AND s.payee_id = m.payee_id
        CROSS JOIN LATERAL (SELECT CASE WHEN k.prorate = 'none' THEN datemultirange(k.span) ELSE coalesce(s.active, '{}') * datemultirange(k.span) END AS active) a
        CROSS JOIN LATERAL spm._day_count(a.active, k.span, quota_pace.days, k.calendar_id) whole
        CROSS JOIN LATERAL spm._day_count(a.active * datemultirange(daterange(NULL, quota_pace.as_of + 1)), k.span, quota_pace.days, k.calendar_id) gone
    )
    SELECT s.period_id, s.span, s.payee_id, s.position_id, s.component_id, s.quota_amount, s.achieved_amount,
           spm.attainment(s.achieved_amount, s.quota_amount, 6),
           round(s.gone_days / nullif(s.whole_days, 0), 6),
           round(s.quota_amount * s.gone_days / nullif(s.whole_days, 0), 6),
           round(s.achieved_amount * s.whole_days / nullif(s.quota_amount * s.gone_days, 0), 6),
           round(s.achieved_amount / nullif(s.gone_days, 0), 6),
           round(s.achieved_amount * s.whole_days / nullif(s.gone_days, 0), 6),
           greatest(s.quota_amount - s.achieved_amount, 0),
           s.whole_days - s.gone_days,
           round(greatest(s.quota_amount - s.achieved_amount, 0) / nullif(s.whole_days - s.gone_days, 0), 6)
    FROM state s;
END;
COMMENT ON FUNCTION spm.quota_pace(date, text) IS
'How far everybody is on a day against where they should be: one row per payee, position and component with a quota, over the days that its total accumulates. Amounts are those of the component: in the currency of the plan, or pieces.
as_of: the last day that counts; credits dated later are left out. days: calendar, or working (Monday to Friday but holidays of the plan''s calendar), and what else spm.day_count() knows.
achieved_amount is what counts by then, expected_amount the quota times elapsed_ratio, pace_ratio the one by the other (1: on course), daily_amount the run rate, projected_amount the run rate over all days,
to_go_amount what is missing, needed_daily_amount what every day left has to bring. NULL: no day has gone by, none is left, or the quota is 0.
Source: linear run rate, as in sales operations everywhere; a forecast that knows of seasons and of open deals is in spm_bi.pipeline_outlook.
Errors: 22023 for another way of counting days.
Example: SELECT * FROM spm.quota_pace(''2026-02-14'', days => ''working'') ORDER BY pace_ratio;';

CREATE OR REPLACE FUNCTION spm.needed_deals(as_of date DEFAULT current_date, days int DEFAULT 180, weight numeric DEFAULT 20)
    RETURNS TABLE (period_id int, payee_id int, position_id int, component_id int, segment text,
        to_go_amount numeric, deal_amount numeric, win_ratio numeric, needed_win_count bigint, needed_deal_count bigint,
        open_deal_count bigint, open_amount numeric, coverage_ratio numeric, needed_coverage_ratio numeric, known_deal_count bigint, known_win_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
BEGIN
    IF needed_deals.days IS NULL OR needed_deals.days NOT BETWEEN 1 AND 3660 THEN
        RAISE EXCEPTION 'days cannot be %', coalesce(needed_deals.days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is how many days a deal has to be won in, 1 to 3,660: at least as long as most won deals took.';
    ELSIF needed_deals.weight IS NULL OR needed_deals.weight < 0 OR needed_deals.weight >= 'Infinity' THEN
        RAISE EXCEPTION 'weight cannot be %', coalesce(needed_deals.weight::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is how many deals of its own a seat needs to count as much as all others together: 20.';
    END IF;
    RETURN QUERY
    WITH goal AS MATERIALIZED (
        SELECT q.period_id, q.payee_id, q.position_id, q.component_id, q.to_go_amount, c.unit, c.credit_kind, n.currency_code, n.rate_type
        FROM spm.quota_pace(needed_deals.as_of) q
        JOIN spm.component c USING (component_id)
        JOIN spm.plan_version v USING (plan_version_id)
        JOIN spm.plan n USING (plan_id)
    ), known AS MATERIALIZED (
        SELECT p.source, p.key, p.position_id, p.segment, p.state, p.amount, p.currency_code, p.created_on, p.closed_on,
               p.created_on > needed_deals.as_of - 2 * needed_deals.days AND p.created_on <= needed_deals.as_of - needed_deals.days AS is_ripe,
               p.state = 'won' AND p.closed_on < p.created_on + needed_deals.days AS is_won_in_time,
               p.state = 'won' AND p.closed_on > needed_deals.as_of - needed_deals.days AS is_recent_win
        FROM spm.pipeline_on(needed_deals.as_of) p
    ), rate AS (      -- what a deal's amount is in the money of the plan; pieces: each deal is one
        SELECT g.unit, g.currency_code, g.rate_type, k.currency_code AS deal_currency,
               CASE WHEN g.unit = 'count' OR NOT k.is_needed THEN NULL WHEN k.currency_code IS NULL OR k.currency_code = g.currency_code THEN 1
                    ELSE coalesce(spm.exchange_rate_on(k.currency_code, g.currency_code, needed_deals.as_of, g.rate_type), spm._refuse(
                        format('no %s rate from %s to %s on %s', g.rate_type, k.currency_code, g.currency_code, needed_deals.as_of),
                        'Deals in that currency are open, or were won.',
                        format('SELECT spm.set_exchange_rate(%L, %L, %L, rate, %L);', k.currency_code, g.currency_code, needed_deals.as_of, g.rate_type))) END AS rate
        FROM (SELECT DISTINCT g.unit, g.currency_code, g.rate_type FROM goal g) g
        CROSS JOIN (SELECT k.currency_code, bool_or(k.amount IS NOT NULL AND (k.state = 'open' OR k.is_recent_win)) AS is_needed FROM known k GROUP BY k.currency_code) k
    ), member AS (
        SELECT DISTINCT g.position_id, g.credit_kind, m.position_id AS member_position_id
        FROM (SELECT DISTINCT g.position_id, g.credit_kind FROM goal g) g
        JOIN (SELECT h.ancestor_position_id AS top, h.position_id, h.depth AS level FROM spm.position_path h WHERE h.span @> needed_deals.as_of
              UNION ALL SELECT s.position_id, s.position_id, 0 FROM spm.position s) m ON m.top = g.position_id
        WHERE CASE g.credit_kind WHEN 'rollup' THEN m.level > 0 WHEN 'all' THEN true ELSE m.level = 0 END
    ), market AS (    -- the same of everybody
        SELECT r.unit, r.currency_code, r.rate_type, k.segment, grouping(k.segment) = 1 AS is_all,
               count(*) FILTER (WHERE k.is_ripe) AS deals, count(*) FILTER (WHERE k.is_ripe AND k.is_won_in_time) AS wins,
               count(*) FILTER (WHERE k.is_recent_win AND k.amount IS NOT NULL) AS paid,
               sum(coalesce(k.amount * r.rate, 1)) FILTER (WHERE k.is_recent_win AND k.amount IS NOT NULL) AS amount
        FROM known k JOIN rate r ON r.deal_currency IS NOT DISTINCT FROM k.currency_code
        GROUP BY r.unit, r.currency_code, r.rate_type, GROUPING SETS ((k.segment), ())
    ), own AS (
        SELECT m.position_id, m.credit_kind, r.unit, r.currency_code, r.rate_type, k.segment, grouping(k.segment) = 1 AS is_all,
               count(*) FILTER (WHERE k.is_ripe) AS deals, count(*) FILTER (WHERE k.is_ripe AND k.is_won_in_time) AS wins,
               count(*) FILTER (WHERE k.is_recent_win AND k.amount IS NOT NULL) AS paid,
               sum(coalesce(k.amount * r.rate, 1)) FILTER (WHERE k.is_recent_win AND k.amount IS NOT NULL) AS amount,
               count(*) FILTER (WHERE k.state = 'open') AS open_deal_count,
               sum(coalesce(k.amount * r.rate, 1)) FILTER (WHERE k.state = 'open' AND (k.amount IS NOT NULL OR r.unit = 'count')) AS open_amount
        FROM member m
        JOIN known k ON k.position_id = m.member_position_id
        JOIN rate r ON r.deal_currency IS NOT DISTINCT FROM k.currency_code
        GROUP BY m.position_id, m.credit_kind, r.unit, r.currency_code, r.rate_type, GROUPING SETS ((k.segment), ())
    ), figure AS (
        SELECT g.period_id, g.payee_id, g.position_id, g.component_id, g.to_go_amount, k.is_all, k.segment,
               (coalesce(o.amount, 0) + needed_deals.weight * k.amount / nullif(k.paid, 0)) / nullif(coalesce(o.paid, 0) + needed_deals.weight, 0) AS deal_amount,
               (coalesce(o.wins, 0) + needed_deals.weight * k.wins / nullif(k.deals, 0)) / nullif(coalesce(o.deals, 0) + needed_deals.weight, 0) AS win_ratio,
               coalesce(o.open_deal_count, 0) AS open_deal_count, coalesce(o.open_amount, 0) AS open_amount, coalesce(o.deals, 0) AS deals, coalesce(o.wins, 0) AS wins
        FROM goal g
        LEFT JOIN market k ON k.unit = g.unit AND k.currency_code = g.currency_code AND k.rate_type = g.rate_type
        LEFT JOIN own o ON o.position_id = g.position_id AND o.credit_kind = g.credit_kind AND o.unit = g.unit AND o.currency_code = g.currency_code
            AND o.rate_type = g.rate_type AND o.is_all = k.is_all AND o.segment IS NOT DISTINCT FROM k.segment
        WHERE coalesce(k.is_all, true) OR k.segment IS NOT NULL
    )
    SELECT f.period_id, f.payee_id, f.position_id, f.component_id, f.segment, f.to_go_amount, round(f.deal_amount, 2), round(f.win_ratio, 6),
           ceil(f.to_go_amount / nullif(greatest(f.deal_amount, 0), 0))::bigint,
           ceil(f.to_go_amount / nullif(greatest(f.deal_amount, 0) * f.win_ratio, 0))::bigint,
           f.open_deal_count, round(f.open_amount, 2), round(f.open_amount / nullif(f.to_go_amount, 0), 6), round(1 / nullif(f.win_ratio, 0), 6), f.deals, f.wins
    FROM figure f;
END
$$;
COMMENT ON FUNCTION spm.needed_deals(date, int, numeric) IS
'What is still needed to reach quota: one row per payee, position and component with a quota for deals of any kind (segment NULL), and one per segment, were all of it to come from there.
as_of: day as of which pipeline and quotas are looked at. days: in which a deal must be won to count as won; those created between so many days ago and twice as many are judged, of all of which it is known (open ones count as not won). weight: how many own deals count as much as everybody''s; 0: own deals alone.
to_go_amount: quota less what is achieved. deal_amount: what a deal won in these last days brought on average, in the currency of the plan; pieces: 1. win_ratio: share of created deals won in time. Both are own figures drawn to those of everybody: (own sum + weight x ratio of all) / (own number + weight).
needed_win_count: deals to be won, needed_deal_count: deals to be created for that. open_deal_count, open_amount: what is open; coverage_ratio: open_amount by to_go_amount, needed_coverage_ratio: 1 / win_ratio. known_deal_count, known_win_count: own deals judged. A manager''s component of kind rollup or all looks at the deals of those below.
NULL: nothing was won or judged, or deals brought nothing or less. Errors: 22023 for days or weight out of range; 22000 for a rate of exchange that is missing.
Source: pipeline coverage as in sales operations; shrinkage of shares to the whole, beta-binomial (Efron and Morris 1975).
Example: SELECT * FROM spm.needed_deals(''2026-02-14'') WHERE segment IS NULL ORDER BY coverage_ratio;';
