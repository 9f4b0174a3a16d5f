/*
 * forecast/functions_call_expected.sql: what a call has come to mean, by what became of
 * those before it.
 */

/*
 * Both the calls of a judge and what the deals said are scaled by what became of them,
 * and then mixed: the less a forecast was off, the more it weighs.  Few periods prove
 * little: as if two more had come true, and weighed the same.
 */
CREATE OR REPLACE FUNCTION spm.expected_call(period text, as_of date DEFAULT current_date, forecast_type text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (position_key text, judge_key text, category text, called_on date, days_left int, amount numeric, deal_amount numeric,
        past_count bigint, call_ratio numeric, deal_ratio numeric, call_weight numeric, expected_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_type int := spm._forecast_type_id(forecast_type);
    this_period spm.period := (SELECT p FROM spm.period AS p WHERE p.period_id = spm._period_id(expected_call.period, expected_call.calendar));
    digits int := coalesce((SELECT c.minor_digits FROM spm.forecast_type AS t JOIN spm.currency AS c USING (currency_code) WHERE t.forecast_type_id = this_type), 2);
BEGIN
    RETURN QUERY
    WITH call AS MATERIALIZED (
        SELECT * FROM (
            SELECT DISTINCT ON (c.position_id, c.judge_position_id, c.category) c.position_id, c.judge_position_id, c.category, c.as_of, c.amount,
                upper(this_period.span) - 1 - expected_call.as_of AS days_left
            FROM spm.forecast_call AS c
            WHERE c.forecast_type_id = this_type AND c.period_id = this_period.period_id AND c.as_of <= expected_call.as_of
            ORDER BY c.position_id, c.judge_position_id, c.category, c.as_of DESC, c.forecast_call_id DESC) AS last
        WHERE last.amount IS NOT NULL
    ), past AS (
        -- of each period that is over what was said when as much of it was left, or nearest to that
        SELECT DISTINCT ON (c.position_id, c.judge_position_id, c.category, o.period_id, o.position_id)
            c.position_id, c.judge_position_id, c.category, o.amount, o.deal_amount, o.actual_amount
        FROM call AS c
        JOIN spm.call_outcome(expected_call.as_of) AS o ON o.forecast_type_id = this_type AND o.judge_position_id = c.judge_position_id AND o.category = c.category
            -- a judge of months need not be one of years
            AND EXISTS (SELECT FROM spm.period AS g WHERE g.period_id = o.period_id AND g.grain = this_period.grain)
            AND (o.position_id = o.judge_position_id) = (c.position_id = c.judge_position_id) AND o.period_id <> this_period.period_id AND o.days_left >= 0
        ORDER BY c.position_id, c.judge_position_id, c.category, o.period_id, o.position_id, (o.days_left >= c.days_left) DESC, abs(o.days_left - c.days_left), o.forecast_call_id DESC
    ), ratio AS (
        SELECT p.position_id, p.judge_position_id, p.category, count(*) AS n,
            coalesce((sum(p.actual_amount) + 2 * avg(abs(p.amount))) / nullif(greatest(sum(p.amount), 0) + 2 * avg(abs(p.amount)), 0), 1) AS of_call,
            coalesce((sum(p.actual_amount) + 2 * avg(abs(p.deal_amount))) / nullif(greatest(sum(p.deal_amount), 0) + 2 * avg(abs(p.deal_amount)), 0), 1) AS of_deals
        FROM past AS p
        GROUP BY p.position_id, p.judge_position_id, p.category
    ), weight AS (
        SELECT r.position_id, r.judge_position_id, r.category, r.n, r.of_call, r.of_deals,
            (r.n * coalesce(avg((p.actual_amount - r.of_deals * p.deal_amount) ^ 2)
                / nullif(avg((p.actual_amount - r.of_deals * p.deal_amount) ^ 2) + avg((p.actual_amount - r.of_call * p.amount) ^ 2), 0), 0.5) + 2 * 0.5) / (r.n + 2) AS of_the_call
        FROM ratio AS r
        JOIN past AS p USING (position_id, judge_position_id, category)
        GROUP BY r.position_id, r.judge_position_id, r.category, r.n, r.of_call, r.of_deals
    )
    SELECT s.position_key, j.position_key, c.category, c.as_of, c.days_left, c.amount, coalesce(d.deal_amount, 0), coalesce(w.n, 0),
        round(coalesce(w.of_call, 1), 6), round(coalesce(w.of_deals, 1), 6), round(coalesce(w.of_the_call, 0.5), 6),
        CASE WHEN w.n > 0 THEN round(w.of_the_call * w.of_call * c.amount + (1 - w.of_the_call) * w.of_deals * coalesce(d.deal_amount, 0), digits) END
    FROM call AS c
    JOIN spm.position AS s ON s.position_id = c.position_id
    JOIN spm.position AS j ON j.position_id = c.judge_position_id
    LEFT JOIN weight AS w ON w.position_id = c.position_id AND w.judge_position_id = c.judge_position_id AND w.category = c.category
    LEFT JOIN spm._rollup(this_period.period_id, expected_call.as_of, this_type) AS d ON d.position_id = c.position_id AND d.category = c.category
    ORDER BY s.position_key COLLATE "C", spm._category_order(c.category) DESC, j.position_key COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.expected_call(text, date, text, text) IS
'What the calls of a period have come to mean: one row per call that holds on a day, with what can be expected by what became of earlier calls of the same judge, category, kind (about the own number, or about others) and grain of period, made when as much of their periods was left.
called_on: day of the call; days_left: from as_of to the end of the period; amount: what was said; deal_amount: what the deals say on the day. past_count: earlier calls that are over. call_ratio, deal_ratio: what was won over what was said, by the judge and by the deals; below 1, too much is promised. call_weight: how much the judge weighs beside the deals, from 0 to 1. expected_amount: call_weight x call_ratio x amount + (1 - call_weight) x deal_ratio x deal_amount; NULL without past.
Ratios are drawn to 1 and weights to a half as if two more periods had come true. Weights are inverse to mean squared errors (J. M. Bates and C. W. J. Granger, The Combination of Forecasts, 1969). Only what was known on as_of is used.
Errors: those of spm.pipeline_rollup().
Example: SELECT position_key, judge_key, amount, deal_amount, expected_amount FROM spm.expected_call(''2026-Q2'') WHERE category = ''commit'';';
