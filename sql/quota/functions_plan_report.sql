/*
 * quota/functions_plan_report.sql: whether a quota plan is fair, what would move
 * it, and what of it is carried.
 */

CREATE OR REPLACE FUNCTION spm._quota_fairness(version_id int, input text, spread numeric,
        OUT seat_count bigint, OUT quota_amount numeric, OUT input_amount numeric, OUT ratio numeric, OUT least_ratio numeric, OUT most_ratio numeric,
        OUT correlation numeric, OUT ratio_correlation numeric, OUT ratio_slope numeric, OUT gini numeric,
        OUT below_80_share numeric, OUT from_80_to_120_share numeric, OUT above_120_share numeric, OUT reaching_share numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET jit = off
BEGIN ATOMIC
    WITH seat AS MATERIALIZED (
        SELECT n.amount AS q, i.amount AS x, round(n.amount / i.amount, 12) AS r
        FROM spm.quota_plan_node n
        JOIN spm.quota_plan_input i USING (quota_plan_version_id, position_id)
        WHERE n.quota_plan_version_id = _quota_fairness.version_id AND i.name = _quota_fairness.input AND i.amount > 0 AND n.amount IS NOT NULL
          AND NOT EXISTS (SELECT FROM spm.quota_plan_node c WHERE c.quota_plan_version_id = n.quota_plan_version_id AND c.parent_position_id = n.position_id)
    ), whole AS MATERIALIZED (
        SELECT count(*)::numeric AS n, sum(s.q) AS q, sum(s.x) AS x, sum(s.r) AS r, sum(s.q * s.x) AS qx, sum(s.q * s.q) AS qq, sum(s.x * s.x) AS xx,
            sum(s.r * s.x) AS rx, sum(s.r * s.r) AS rr, min(s.r) AS least, max(s.r) AS most
        FROM seat s
    ), moment AS (
        SELECT w.*, w.n * w.qx - w.q * w.x AS cov_qx, w.n * w.rx - w.r * w.x AS cov_rx, w.n * w.qq - w.q * w.q AS var_q, w.n * w.xx - w.x * w.x AS var_x, w.n * w.rr - w.r * w.r AS var_r
        FROM whole w
    ), burden AS (      -- from the lightest to the heaviest
        SELECT sum((2 * s.nth - w.n - 1) * s.r) / nullif(w.n * w.r, 0) AS gini
        FROM (SELECT s.r, row_number() OVER (ORDER BY s.r) AS nth FROM seat s) s, whole w GROUP BY w.n, w.r
    ), factor AS (
        -- of what everybody sells, in proportion to the input: twenty that are equally likely, quantiles of the normal distribution
        SELECT array_agg(1 + _quota_fairness.spread * z ORDER BY z) AS up, array_agg(-1 - _quota_fairness.spread * z ORDER BY z DESC) AS down
        FROM unnest('{-1.959964,-1.439531,-1.150349,-0.934589,-0.755415,-0.597760,-0.453762,-0.318639,-0.189118,-0.062707,
            0.062707,0.189118,0.318639,0.453762,0.597760,0.755415,0.934589,1.150349,1.439531,1.959964}'::numeric[]) z
    ), chance AS (
        -- the factor that just reaches the quota tells how many are below and above; negated, those equal to it count
        SELECT 20 * count(*)::numeric AS n, sum(20 - width_bucket(-0.8 * s.needed, f.down)) AS below, sum(20 - width_bucket(1.2 * s.needed, f.up)) AS above,
            sum(width_bucket(-s.needed, f.down)) AS reaching
        FROM (SELECT s.q * w.x / nullif(s.x * w.q, 0) AS needed FROM seat s, whole w) s, factor f
    )
    SELECT m.n::bigint, m.q, m.x, round(m.q / nullif(m.x, 0), 6), round(m.least, 6), round(m.most, 6),
        round(m.cov_qx / nullif(sqrt(m.var_q) * sqrt(m.var_x), 0), 6), round(m.cov_rx / nullif(sqrt(m.var_r) * sqrt(m.var_x), 0), 6),
        round(m.cov_rx * m.x * m.x / nullif(m.var_x * m.q * m.n, 0), 6), round(b.gini, 6),
        round(c.below / nullif(c.n, 0), 6), round((c.n - c.below - c.above) / nullif(c.n, 0), 6), round(c.above / nullif(c.n, 0), 6), round(c.reaching / nullif(c.n, 0), 6)
    FROM moment m CROSS JOIN chance c LEFT JOIN burden b ON true;
END;
COMMENT ON FUNCTION spm._quota_fairness(int, text, numeric) IS 'How quotas of the seats at the bottom of a version stand to an input.';
REVOKE ALL ON FUNCTION spm._quota_fairness(int, text, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.quota_fairness(plan text, input text DEFAULT 'potential', version int DEFAULT NULL, spread numeric DEFAULT 0.25,
        OUT seat_count bigint, OUT quota_amount numeric, OUT input_amount numeric, OUT ratio numeric, OUT least_ratio numeric, OUT most_ratio numeric,
        OUT correlation numeric, OUT ratio_correlation numeric, OUT ratio_slope numeric, OUT gini numeric,
        OUT below_80_share numeric, OUT from_80_to_120_share numeric, OUT above_120_share numeric, OUT reaching_share numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version := spm._quota_version(quota_fairness.plan, quota_fairness.version);
BEGIN
    IF quota_fairness.spread IS NULL OR quota_fairness.spread < 0 OR quota_fairness.spread >= 0.5 THEN
        RAISE EXCEPTION 'spread of sales cannot be %', coalesce(quota_fairness.spread::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a ratio below 0.5: 0.25 for a standard deviation of 25 %.';
    END IF;
    IF NOT EXISTS (SELECT FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = this.quota_plan_version_id AND i.name = quota_fairness.input) THEN
        RAISE EXCEPTION 'quota plan "%" has no input "%"', quota_fairness.plan, quota_fairness.input
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('It has ' || (SELECT string_agg(DISTINCT i.name, ', ' ORDER BY i.name) FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = this.quota_plan_version_id) || '.',
                                  format('SELECT spm.load_quota_input(%L, %L, relation, position, amount);', quota_fairness.plan, quota_fairness.input));
    END IF;
    SELECT f.* INTO seat_count, quota_amount, input_amount, ratio, least_ratio, most_ratio, correlation, ratio_correlation, ratio_slope, gini,
        below_80_share, from_80_to_120_share, above_120_share, reaching_share
    FROM spm._quota_fairness(this.quota_plan_version_id, quota_fairness.input, quota_fairness.spread) f;
END
$$;
COMMENT ON FUNCTION spm.quota_fairness(text, text, int, numeric) IS
'Whether the quotas of a plan are fair, judged by an input: how the quotas of the seats at the bottom stand to their potential (or capacity, history ...). Seats without any of it are left out.
seat_count, quota_amount, input_amount: what was looked at. ratio: quota by input of all together; least_ratio, most_ratio: of one seat. correlation: of quota and input, 1 at best.
ratio_correlation, ratio_slope: of the ratio with the input, 0 at best; the slope says by which share of the mean ratio that of a seat is higher when its input is higher by one average. Negative: small territories carry too much. gini: of the ratios, 0 where all are equal.
Then what may come of it: if everybody sold in proportion to the input, all together their quota, each times 1 + spread x one of twenty equally likely quantiles of the normal distribution, which share would end below 80 %, from 80 to 120 % and above, and which would reach 100 %. No chance is involved: the same plan has the same figures.
plan: name. input: name. version: NULL: the one that is worked on, else the published one. spread: standard deviation of sales as a ratio, below 0.5.
Errors: 42704 unknown plan, version or input; 22023 for another spread.
Sources: A. Zoltners, P. Sinha and S. Lorimer, The Complete Guide to Sales Force Incentive Compensation (2006); C. Gini (1912).
Example: SELECT * FROM spm.quota_fairness(''FY26'', ''potential'');';

CREATE OR REPLACE FUNCTION spm.quota_sensitivity(plan text, version int DEFAULT NULL, step numeric DEFAULT 0.1)
    RETURNS TABLE (factor text, weight_share numeric, moved_share numeric, moved_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version := spm._quota_version(quota_sensitivity.plan, quota_sensitivity.version);
BEGIN
    IF quota_sensitivity.step IS NULL OR quota_sensitivity.step <= 0 OR quota_sensitivity.step > 1 THEN
        RAISE EXCEPTION 'step of a weight cannot be %', coalesce(quota_sensitivity.step::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a ratio above 0, at most 1: 0.1 for ten points.';
    END IF;
    RETURN QUERY
    WITH bottom AS (
        SELECT n.position_id FROM spm.quota_plan_node n
        WHERE n.quota_plan_version_id = this.quota_plan_version_id
          AND NOT EXISTS (SELECT FROM spm.quota_plan_node c WHERE c.quota_plan_version_id = n.quota_plan_version_id AND c.parent_position_id = n.position_id)
    ), input AS (
        SELECT i.name, b.position_id, i.amount / sum(i.amount) OVER (PARTITION BY i.name) AS share
        FROM bottom b
        JOIN (SELECT i.name, i.position_id, i.amount FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = this.quota_plan_version_id AND i.amount > 0
              UNION ALL SELECT 'even', e.position_id, 1 FROM bottom e) i USING (position_id)
    ), weighed AS (
        SELECT f.name, f.weight / sum(f.weight) OVER () AS weight FROM spm.quota_plan_factor f WHERE f.quota_plan_version_id = this.quota_plan_version_id AND f.level = 0
    ), mixed AS (
        SELECT b.position_id, sum(coalesce(i.share, 0) * w.weight) AS share FROM bottom b CROSS JOIN weighed w LEFT JOIN input i USING (position_id, name) GROUP BY b.position_id
    )
    -- what a factor gains the others lose in proportion: every share moves by step / (1 + step) towards that of the factor
    SELECT w.name, round(w.weight, 6), round(sum(abs(coalesce(i.share, 0) - m.share)) / 2 * quota_sensitivity.step / (1 + quota_sensitivity.step), 6),
        round(sum(abs(coalesce(i.share, 0) - m.share)) / 2 * quota_sensitivity.step / (1 + quota_sensitivity.step) * this.total, 2)
    FROM weighed w CROSS JOIN mixed m LEFT JOIN input i ON i.position_id = m.position_id AND i.name = w.name
    GROUP BY w.name, w.weight ORDER BY w.name;
END
$$;
COMMENT ON FUNCTION spm.quota_sensitivity(text, int, numeric) IS
'How much the factors of a plan matter: for each of those that hold for all levels its share of the weights, and which part of the total would lie with other seats at the bottom if its weight grew by a step of all weights. Bounds and locks are not looked at.
plan: name. version: NULL: the one that is worked on, else the published one. step: 0.1 for a tenth of all weights.
Errors: 42704 unknown plan or version, 22023 for another step.
Example: SELECT * FROM spm.quota_sensitivity(''FY26'');';

CREATE OR REPLACE FUNCTION spm.quota_plan_difference(plan text, version int, other_version int)
    RETURNS TABLE (position_key text, level int, amount numeric, other_amount numeric, difference numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one int := (spm._quota_version(quota_plan_difference.plan, quota_plan_difference.version)).quota_plan_version_id;
    other int := (spm._quota_version(quota_plan_difference.plan, quota_plan_difference.other_version)).quota_plan_version_id;
BEGIN
    RETURN QUERY
    SELECT s.position_key, coalesce(b.level, a.level)::int, a.amount, b.amount, coalesce(b.amount, 0) - coalesce(a.amount, 0)
    FROM (SELECT n.* FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = one) a
    FULL JOIN (SELECT n.* FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = other) b USING (position_id)
    JOIN spm.position s USING (position_id)
    WHERE a.amount IS DISTINCT FROM b.amount
    ORDER BY abs(coalesce(b.amount, 0) - coalesce(a.amount, 0)) DESC, s.position_key COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.quota_plan_difference(text, int, int) IS
'Seats whose amounts differ between two versions of a quota plan, the largest difference first. NULL: the seat is not in that version.
plan: name. version, other_version: numbers.
Errors: 42704 unknown plan or version.
Example: SELECT * FROM spm.quota_plan_difference(''FY26'', 1, 2);';

CREATE OR REPLACE FUNCTION spm.quota_carried(plan text, version int DEFAULT NULL)
    RETURNS TABLE (position_key text, payee_key text, planned_amount numeric, carried_amount numeric, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version := spm._quota_version(quota_carried.plan, quota_carried.version);
    whole spm.period := (SELECT p FROM spm.period p JOIN spm.quota_plan q USING (period_id) WHERE q.quota_plan_id = this.quota_plan_id);
    of_measure int := (SELECT q.measure_id FROM spm.quota_plan q WHERE q.quota_plan_id = this.quota_plan_id);
BEGIN
    RETURN QUERY
    WITH bottom AS (
        SELECT n.position_id, s.position_key, coalesce(n.amount, 0) AS amount
        FROM spm.quota_plan_node n JOIN spm.position s USING (position_id)
        WHERE n.quota_plan_version_id = this.quota_plan_version_id
          AND NOT EXISTS (SELECT FROM spm.quota_plan_node c WHERE c.quota_plan_version_id = n.quota_plan_version_id AND c.parent_position_id = n.position_id)
    ), holder AS (      -- who sits there in the period, and, without a payee, when nobody does
        SELECT b.*, y.payee_id, y.payee_key, coalesce(range_agg(a.span * whole.span), '{}') AS days
        FROM bottom b JOIN spm.position_assignment a USING (position_id) JOIN spm.payee y USING (payee_id)
        WHERE a.span && whole.span GROUP BY b.position_id, b.position_key, b.amount, y.payee_id, y.payee_key
        UNION ALL
        SELECT v.position_id, v.position_key, v.amount, NULL, NULL, v.days
        FROM (SELECT b.*, datemultirange(whole.span) - coalesce(range_agg(a.span) FILTER (WHERE a.span IS NOT NULL), '{}') AS days
              FROM bottom b LEFT JOIN spm.position_assignment a USING (position_id) GROUP BY b.position_id, b.position_key, b.amount) v
        WHERE NOT isempty(v.days)
    )
    SELECT h.position_key, h.payee_key, round(h.amount * held.active_days / whole_days.days, 2),
        CASE WHEN h.payee_id IS NULL THEN 0 ELSE greatest(round(round(h.amount * at_work.active_days * ramp.share / (whole_days.days * ramp.whole), 15), 2) - coalesce(relief.amount, 0), 0) END,
        CASE WHEN h.payee_id IS NULL THEN format('%s of %s days vacant', spm._figure(held.active_days), spm._figure(whole_days.days))
             ELSE nullif(concat_ws(', ', CASE WHEN at_work.active_days <> whole_days.days THEN format('%s of %s days', spm._figure(at_work.active_days), spm._figure(whole_days.days)) END,
                CASE WHEN ramp.share <> ramp.whole THEN format('%s %% ramp', spm._figure(100 * ramp.share / ramp.whole)) END,
                CASE WHEN relief.amount <> 0 THEN format('%s relief', spm._figure(relief.amount)) END), '') END
    FROM holder h
    CROSS JOIN LATERAL (SELECT (upper(whole.span) - lower(whole.span))::numeric AS days) whole_days
    CROSS JOIN LATERAL (SELECT h.days - CASE WHEN EXISTS (SELECT FROM spm.absence a WHERE a.payee_id = h.payee_id) THEN spm._absent(h.payee_id, true) ELSE '{}' END AS days) active
    CROSS JOIN LATERAL (SELECT coalesce(sum(upper(d) - lower(d)), 0)::numeric AS active_days FROM unnest(h.days) d) held
    CROSS JOIN LATERAL (SELECT coalesce(sum(upper(d) - lower(d)), 0)::numeric AS active_days FROM unnest(active.days) d) at_work
    CROSS JOIN LATERAL (SELECT coalesce(r.share, 1) AS share, coalesce(nullif(r.whole, 0), 1) AS whole
        FROM (SELECT) one LEFT JOIN LATERAL spm._ramp_share(h.payee_id, whole.span, active.days, 'calendar', whole.calendar_id) r
            ON EXISTS (SELECT FROM spm.ramp_assignment a WHERE a.payee_id = h.payee_id)) ramp
    LEFT JOIN LATERAL (SELECT sum(r.amount) AS amount FROM spm.quota_relief r JOIN spm.period p USING (period_id)
        WHERE r.payee_id = h.payee_id AND r.measure_id = of_measure AND r.superseded_at IS NULL AND p.calendar_id = whole.calendar_id AND p.span <@ whole.span) relief ON true
    ORDER BY h.position_key COLLATE "C", h.payee_key COLLATE "C" NULLS LAST;
END
$$;
COMMENT ON FUNCTION spm.quota_carried(text, int) IS
'What of the quotas at the bottom of a plan is carried by somebody in the period: times the days in the seat less absences that relieve quota, and the ramp of who is new, less reliefs, as a component that is prorated by calendar days takes them. One row per seat and payee, and one without a payee for the days on which nobody sits there.
planned_amount: part of the quota that falls into these days; carried_amount: what is expected in the end; because: why that is less. The sum of carried_amount, against the total of the plan, tells how much has to be over-assigned.
plan: name. version: NULL: the one that is worked on, else the published one.
Errors: 42704 unknown plan or version.
Example: SELECT sum(planned_amount), sum(carried_amount) FROM spm.quota_carried(''FY26'');';
