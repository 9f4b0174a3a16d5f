/*
 * forecast/views_call.sql: what BI tools read of the roll-up, of calls and of what came of them.
 */

CREATE OR REPLACE VIEW spm_bi.pipeline_forecast WITH (security_invoker = true) AS
SELECT t.forecast_type_id, t.name AS forecast_type_name, t.rollup, t.currency_code, c.name AS calendar_name, p.grain, p.period_id, p.name AS period_name,
    r.position_id, s.position_key, s.name AS position_name, r.manager_position_id, r.category, spm._category_order(r.category) AS category_order,
    r.own_count, r.own_amount::numeric(24,6) AS own_amount, r.deal_count, r.deal_amount::numeric(24,6) AS deal_amount, r.rollup_amount::numeric(24,6) AS rollup_amount,
    r.own_call_amount::numeric(24,6) AS own_call_amount, r.manager_call_amount::numeric(24,6) AS manager_call_amount, r.judge_position_id, r.call_as_of,
    coalesce(r.manager_call_amount, r.own_call_amount, r.rollup_amount)::numeric(24,6) AS amount,
    (coalesce(r.manager_call_amount, r.own_call_amount, r.rollup_amount) - r.deal_amount)::numeric(24,6) AS judgement_amount
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
CROSS JOIN (SELECT f.forecast_type_id, f.name, f.rollup, f.currency_code FROM spm.forecast_type AS f
    UNION ALL SELECT NULL, NULL, 'cumulative', NULL WHERE NOT EXISTS (SELECT FROM spm.forecast_type)) AS t
CROSS JOIN LATERAL spm._rollup(p.period_id, current_date, t.forecast_type_id) AS r
LEFT JOIN spm.position AS s ON s.position_id = r.position_id
WHERE p.span @> current_date;
COMMENT ON VIEW spm_bi.pipeline_forecast IS 'One row per forecast type, period that holds today, seat and category: what the period is to bring. Filter on period_name. For other periods and days: spm.pipeline_rollup().';
COMMENT ON COLUMN spm_bi.pipeline_forecast.forecast_type_id IS 'Forecast type. NULL: there is none.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.forecast_type_name IS 'Name of the forecast type.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.rollup IS 'single: a category holds its own deals; cumulative: those of surer ones as well. Then categories are not additive.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.currency_code IS 'Currency of the amounts. NULL: that of the deals.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.grain IS 'Kind of period.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.position_id IS 'Seat. NULL: deals whose owner has none.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.manager_position_id IS 'Seat above. NULL: none.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.category IS 'pipeline, best_case, most_likely, commit, closed.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.category_order IS 'Place of the category, the surer the higher: sort by it.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.own_count IS 'Deals of the seat itself. Additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.own_amount IS 'Their amounts. Additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.deal_count IS 'Deals of the seat and all below it. Not additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.deal_amount IS 'Their amounts, without anybody''s judgement. Not additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.rollup_amount IS 'Own amount and the numbers of the seats directly below. Not additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.own_call_amount IS 'What the seat says. NULL: nothing.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.manager_call_amount IS 'What a seat above says of it, the highest that does. NULL: nothing.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.judge_position_id IS 'Seat whose call counts. NULL: none.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.call_as_of IS 'Day of that call.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.amount IS 'The number that counts: the manager''s call, else the seat''s, else the roll-up. Not additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_forecast.judgement_amount IS 'Amount less deal_amount: what judgement adds. Not additive over seats.';

CREATE OR REPLACE VIEW spm_bi.forecast_call WITH (security_invoker = true) AS
SELECT c.forecast_call_id, t.name AS forecast_type_name, t.currency_code, k.name AS calendar_name, p.name AS period_name, c.period_id,
    c.position_id, s.position_key, s.name AS position_name, c.judge_position_id, j.position_key AS judge_position_key, j.name AS judge_position_name,
    c.judge_position_id <> c.position_id AS is_managers, c.category, c.as_of, c.amount::numeric(24,6) AS amount, c.amount IS NULL AS is_withdrawn,
    c.rollup_amount::numeric(24,6) AS rollup_amount, c.deal_amount::numeric(24,6) AS deal_amount, (c.amount - c.deal_amount)::numeric(24,6) AS judgement_amount,
    c.reason, c.recorded_at, c.recorded_by,
    NOT EXISTS (SELECT FROM spm.forecast_call AS n
        WHERE n.forecast_type_id = c.forecast_type_id AND n.position_id = c.position_id AND n.judge_position_id = c.judge_position_id AND n.period_id = c.period_id
            AND n.category = c.category AND (n.as_of, n.forecast_call_id) > (c.as_of, c.forecast_call_id)) AS is_last
FROM spm.forecast_call AS c
JOIN spm.forecast_type AS t USING (forecast_type_id)
JOIN spm.period AS p USING (period_id)
JOIN spm.calendar AS k USING (calendar_id)
JOIN spm.position AS s ON s.position_id = c.position_id
JOIN spm.position AS j ON j.position_id = c.judge_position_id;
COMMENT ON VIEW spm_bi.forecast_call IS 'One row per time that somebody said what a seat would bring in a period: all calls that were ever made.';
COMMENT ON COLUMN spm_bi.forecast_call.forecast_call_id IS 'Call, in order of time.';
COMMENT ON COLUMN spm_bi.forecast_call.forecast_type_name IS 'Forecast type.';
COMMENT ON COLUMN spm_bi.forecast_call.currency_code IS 'Currency of the amounts. NULL: that of the deals.';
COMMENT ON COLUMN spm_bi.forecast_call.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.forecast_call.period_name IS 'Period that it is about.';
COMMENT ON COLUMN spm_bi.forecast_call.period_id IS 'That period.';
COMMENT ON COLUMN spm_bi.forecast_call.position_id IS 'Seat whose number it is.';
COMMENT ON COLUMN spm_bi.forecast_call.position_key IS 'Key of that seat.';
COMMENT ON COLUMN spm_bi.forecast_call.position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.forecast_call.judge_position_id IS 'Seat that says so.';
COMMENT ON COLUMN spm_bi.forecast_call.judge_position_key IS 'Key of that seat.';
COMMENT ON COLUMN spm_bi.forecast_call.judge_position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.forecast_call.is_managers IS 'Whether a seat above says so, and not the seat itself.';
COMMENT ON COLUMN spm_bi.forecast_call.category IS 'Category whose sum it takes the place of.';
COMMENT ON COLUMN spm_bi.forecast_call.as_of IS 'Day from which it counts.';
COMMENT ON COLUMN spm_bi.forecast_call.amount IS 'What is expected. NULL: the call was taken back. Not additive.';
COMMENT ON COLUMN spm_bi.forecast_call.is_withdrawn IS 'Whether it takes the call before it back.';
COMMENT ON COLUMN spm_bi.forecast_call.rollup_amount IS 'What the roll-up said then. Not additive.';
COMMENT ON COLUMN spm_bi.forecast_call.deal_amount IS 'What the deals came to then. Not additive.';
COMMENT ON COLUMN spm_bi.forecast_call.judgement_amount IS 'Amount less deal_amount. Not additive.';
COMMENT ON COLUMN spm_bi.forecast_call.reason IS 'Why.';
COMMENT ON COLUMN spm_bi.forecast_call.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.forecast_call.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm_bi.forecast_call.is_last IS 'Whether it is the last one of its judge, seat, period and category.';

CREATE OR REPLACE VIEW spm_bi.call_outcome WITH (security_invoker = true) AS
SELECT o.forecast_call_id, t.name AS forecast_type_name, t.currency_code, p.period_id, p.name AS period_name, o.position_id, s.position_key, s.name AS position_name,
    o.judge_position_id, j.position_key AS judge_position_key, j.name AS judge_position_name, o.judge_position_id <> o.position_id AS is_managers, c.recorded_by,
    o.depth AS position_depth, o.category, o.as_of, o.days_left AS day_count_left, greatest(o.days_left / 7, 0) AS week_index, (c.recorded_at AT TIME ZONE 'UTC')::date > o.as_of + 1 AS is_backdated,
    o.amount::numeric(24,6) AS amount, o.rollup_amount::numeric(24,6) AS rollup_amount, o.deal_amount::numeric(24,6) AS deal_amount,
    o.actual_amount::numeric(24,6) AS actual_amount, o.error::numeric(24,6) AS error_amount, abs(o.error)::numeric(24,6) AS abs_error_amount,
    abs(o.rollup_error)::numeric(24,6) AS abs_rollup_error_amount, abs(o.deal_error)::numeric(24,6) AS abs_deal_error_amount, p.grain AS period_grain
FROM spm.call_outcome(current_date) AS o
JOIN spm.forecast_call AS c USING (forecast_call_id)
JOIN spm.forecast_type AS t ON t.forecast_type_id = o.forecast_type_id
JOIN spm.period AS p ON p.period_id = o.period_id
JOIN spm.position AS s ON s.position_id = o.position_id
JOIN spm.position AS j ON j.position_id = o.judge_position_id;
COMMENT ON VIEW spm_bi.call_outcome IS 'One row per call of a period that is over: what was said, what the deals said, and what was won.';
COMMENT ON COLUMN spm_bi.call_outcome.forecast_call_id IS 'Call.';
COMMENT ON COLUMN spm_bi.call_outcome.forecast_type_name IS 'Forecast type.';
COMMENT ON COLUMN spm_bi.call_outcome.currency_code IS 'Currency of the amounts. NULL: that of the deals.';
COMMENT ON COLUMN spm_bi.call_outcome.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.call_outcome.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.call_outcome.position_id IS 'Seat whose number it is.';
COMMENT ON COLUMN spm_bi.call_outcome.position_key IS 'Key of that seat.';
COMMENT ON COLUMN spm_bi.call_outcome.position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.call_outcome.judge_position_id IS 'Seat that said so.';
COMMENT ON COLUMN spm_bi.call_outcome.judge_position_key IS 'Key of that seat.';
COMMENT ON COLUMN spm_bi.call_outcome.judge_position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.call_outcome.is_managers IS 'Whether a seat above said so, and not the seat itself.';
COMMENT ON COLUMN spm_bi.call_outcome.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm_bi.call_outcome.position_depth IS 'Seats above the one whose number it is: 0 at the top.';
COMMENT ON COLUMN spm_bi.call_outcome.category IS 'Category.';
COMMENT ON COLUMN spm_bi.call_outcome.as_of IS 'Day of the call.';
COMMENT ON COLUMN spm_bi.call_outcome.day_count_left IS 'Days from the call to the last day of the period. Not additive.';
COMMENT ON COLUMN spm_bi.call_outcome.week_index IS 'Whole weeks that were left: 0 is the last one.';
COMMENT ON COLUMN spm_bi.call_outcome.is_backdated IS 'Whether it was recorded later than the day after it.';
COMMENT ON COLUMN spm_bi.call_outcome.amount IS 'What was said.';
COMMENT ON COLUMN spm_bi.call_outcome.rollup_amount IS 'What the roll-up said then.';
COMMENT ON COLUMN spm_bi.call_outcome.deal_amount IS 'What the deals came to then.';
COMMENT ON COLUMN spm_bi.call_outcome.actual_amount IS 'What was won.';
COMMENT ON COLUMN spm_bi.call_outcome.error_amount IS 'Amount less actual_amount: above 0, too much was promised.';
COMMENT ON COLUMN spm_bi.call_outcome.abs_error_amount IS 'The same without its sign. Additive: divide by the sum of actual_amount.';
COMMENT ON COLUMN spm_bi.call_outcome.abs_rollup_error_amount IS 'Distance of the roll-up from what was won.';
COMMENT ON COLUMN spm_bi.call_outcome.abs_deal_error_amount IS 'Distance of the deals from what was won.';
COMMENT ON COLUMN spm_bi.call_outcome.period_grain IS 'How long the period is: month, quarter ...';

CREATE OR REPLACE VIEW spm_bi.call_accuracy WITH (security_invoker = true) AS
SELECT o.forecast_type_name, o.currency_code, o.category, o.judge_position_id, o.judge_position_key, o.judge_position_name, o.is_managers, o.position_depth, o.week_index,
    count(*) AS call_count, count(DISTINCT o.period_id) AS period_count, sum(o.amount)::numeric(24,6) AS amount, sum(o.actual_amount)::numeric(24,6) AS actual_amount,
    sum(o.error_amount)::numeric(24,6) AS error_amount, sum(o.abs_error_amount)::numeric(24,6) AS abs_error_amount,
    (sum(o.error_amount) / nullif(sum(o.actual_amount), 0))::numeric(18,6) AS bias_ratio,
    (sum(o.abs_error_amount) / nullif(sum(o.actual_amount), 0))::numeric(18,6) AS wape_ratio,
    (sum(o.abs_rollup_error_amount) / nullif(sum(o.actual_amount), 0))::numeric(18,6) AS rollup_wape_ratio,
    (sum(o.abs_deal_error_amount) / nullif(sum(o.actual_amount), 0))::numeric(18,6) AS deal_wape_ratio,
    sum(o.abs_error_amount) < sum(o.abs_rollup_error_amount) AS is_better_than_rollup, o.period_grain
FROM spm_bi.call_outcome AS o
WHERE o.day_count_left >= 0     -- who speaks when the period is over only tells what came
GROUP BY o.forecast_type_name, o.currency_code, o.category, o.judge_position_id, o.judge_position_key, o.judge_position_name, o.is_managers, o.position_depth, o.week_index, o.period_grain;
COMMENT ON VIEW spm_bi.call_accuracy IS 'One row per forecast type, category, seat that makes calls, level of the tree, length of the period and weeks left: how good and how one-sided its calls have been, and whether they were better than no judgement. Calls that were made after the last day do not count.';
COMMENT ON COLUMN spm_bi.call_accuracy.forecast_type_name IS 'Forecast type.';
COMMENT ON COLUMN spm_bi.call_accuracy.currency_code IS 'Currency of the amounts. NULL: that of the deals.';
COMMENT ON COLUMN spm_bi.call_accuracy.category IS 'Category.';
COMMENT ON COLUMN spm_bi.call_accuracy.judge_position_id IS 'Seat that made the calls.';
COMMENT ON COLUMN spm_bi.call_accuracy.judge_position_key IS 'Key of that seat.';
COMMENT ON COLUMN spm_bi.call_accuracy.judge_position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.call_accuracy.is_managers IS 'Whether they are about seats below, and not about the seat itself.';
COMMENT ON COLUMN spm_bi.call_accuracy.position_depth IS 'Seats above those that the calls are about: 0 at the top.';
COMMENT ON COLUMN spm_bi.call_accuracy.week_index IS 'Whole weeks that were left: 0 is the last one.';
COMMENT ON COLUMN spm_bi.call_accuracy.call_count IS 'Calls. Additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.period_count IS 'Periods they were about. Not additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.amount IS 'What was said, summed over calls.';
COMMENT ON COLUMN spm_bi.call_accuracy.actual_amount IS 'What was won, summed over calls.';
COMMENT ON COLUMN spm_bi.call_accuracy.error_amount IS 'Amount less actual_amount. Additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.abs_error_amount IS 'Distances, without their signs. Additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.bias_ratio IS 'error_amount over actual_amount: 0.1, a tenth too much is promised; below 0, sandbagging. Not additive. NULL: nothing was won.';
COMMENT ON COLUMN spm_bi.call_accuracy.wape_ratio IS 'abs_error_amount over actual_amount: 0.1, a tenth off. Not additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.rollup_wape_ratio IS 'The same of what the roll-up said. Not additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.deal_wape_ratio IS 'The same of what the deals came to. Not additive.';
COMMENT ON COLUMN spm_bi.call_accuracy.is_better_than_rollup IS 'Whether judgement has brought the number nearer to what was won.';
COMMENT ON COLUMN spm_bi.call_accuracy.period_grain IS 'How long the periods are: month, quarter ... Eight weeks before the end is early for a quarter, and before a month has begun.';

CREATE OR REPLACE VIEW spm_bi.call_expectation WITH (security_invoker = true) AS
SELECT t.name AS forecast_type_name, t.currency_code, c.name AS calendar_name, p.period_id, p.name AS period_name, e.position_key, e.judge_key AS judge_position_key,
    e.category, e.called_on, e.days_left AS day_count_left, e.amount::numeric(24,6) AS amount, e.deal_amount::numeric(24,6) AS deal_amount, e.past_count,
    e.call_ratio::numeric(18,6) AS call_ratio, e.deal_ratio::numeric(18,6) AS deal_ratio, e.call_weight::numeric(18,6) AS call_weight_ratio,
    e.expected_amount::numeric(24,6) AS expected_amount
FROM spm.forecast_type AS t
CROSS JOIN spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
CROSS JOIN LATERAL spm.expected_call(p.name, current_date, t.name, c.name) AS e
WHERE p.span @> current_date
    AND EXISTS (SELECT FROM spm.forecast_call AS f WHERE f.period_id = p.period_id AND f.forecast_type_id = t.forecast_type_id);
COMMENT ON VIEW spm_bi.call_expectation IS 'One row per call that holds today, of a period that holds today: what it has come to mean, by what became of earlier ones.';
COMMENT ON COLUMN spm_bi.call_expectation.forecast_type_name IS 'Forecast type.';
COMMENT ON COLUMN spm_bi.call_expectation.currency_code IS 'Currency of the amounts. NULL: that of the deals.';
COMMENT ON COLUMN spm_bi.call_expectation.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.call_expectation.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.call_expectation.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.call_expectation.position_key IS 'Seat whose number it is.';
COMMENT ON COLUMN spm_bi.call_expectation.judge_position_key IS 'Seat that says so.';
COMMENT ON COLUMN spm_bi.call_expectation.category IS 'Category.';
COMMENT ON COLUMN spm_bi.call_expectation.called_on IS 'Day of the call.';
COMMENT ON COLUMN spm_bi.call_expectation.day_count_left IS 'Days to the end of the period. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.amount IS 'What was said. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.deal_amount IS 'What the deals say today. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.past_count IS 'Earlier calls that it is judged by. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.call_ratio IS 'Won over said, by the judge; below 1, too much is promised. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.deal_ratio IS 'Won over said, by the deals. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.call_weight_ratio IS 'How much the judge weighs beside the deals, from 0 to 1. Not additive.';
COMMENT ON COLUMN spm_bi.call_expectation.expected_amount IS 'What can be expected. NULL: there is no past. Not additive.';
