/*
 * forecast/views_attain.sql: pace and needs as BI tools read them, as of today.
 */

CREATE OR REPLACE VIEW spm_bi.quota_pace WITH (security_invoker = true) AS
SELECT q.period_id, p.name AS period_name, lower(q.span) AS since, upper(q.span) - 1 AS last_day,
       q.payee_id, y.payee_key, y.name AS payee_name, q.position_id, s.position_key, s.name AS position_name,
       n.name AS plan_name, c.name AS component_name, x.name AS measure_name, c.unit, n.currency_code,
       q.quota_amount::numeric(24,6) AS quota_amount, q.achieved_amount::numeric(24,6) AS achieved_amount, q.attainment_ratio::numeric(18,6) AS attainment_ratio,
       q.elapsed_ratio::numeric(9,6) AS elapsed_ratio, q.expected_amount::numeric(24,6) AS expected_amount, q.pace_ratio::numeric(18,6) AS pace_ratio,
       q.daily_amount::numeric(24,6) AS daily_amount, q.projected_amount::numeric(24,6) AS projected_amount,
       q.to_go_amount::numeric(24,6) AS to_go_amount, q.days_left::int AS days_left, q.needed_daily_amount::numeric(24,6) AS needed_daily_amount
FROM spm.quota_pace(current_date) q
JOIN spm.period p USING (period_id)
JOIN spm.payee y USING (payee_id)
JOIN spm.position s ON s.position_id = q.position_id
JOIN spm.component c USING (component_id)
JOIN spm.plan_version v USING (plan_version_id)
JOIN spm.plan n USING (plan_id)
LEFT JOIN spm.measure x USING (measure_id);
COMMENT ON VIEW spm_bi.quota_pace IS 'One row per payee, position and component with a quota in the period of today: how far it is reached, how far it should be by now, and what the run rate comes to. Counts calendar days; spm.quota_pace() counts others and looks at other days.';
COMMENT ON COLUMN spm_bi.quota_pace.period_id IS 'Period of today.';
COMMENT ON COLUMN spm_bi.quota_pace.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.quota_pace.since IS 'First day of the time over which the component accumulates.';
COMMENT ON COLUMN spm_bi.quota_pace.last_day IS 'Last day of it.';
COMMENT ON COLUMN spm_bi.quota_pace.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.quota_pace.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.quota_pace.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.quota_pace.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.quota_pace.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.quota_pace.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.quota_pace.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.quota_pace.component_name IS 'Component.';
COMMENT ON COLUMN spm_bi.quota_pace.measure_name IS 'Measure of the quota. NULL: growth against a time before.';
COMMENT ON COLUMN spm_bi.quota_pace.unit IS 'money: amounts are in currency_code; count: pieces.';
COMMENT ON COLUMN spm_bi.quota_pace.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm_bi.quota_pace.quota_amount IS 'Quota. Additive over the seats of one component.';
COMMENT ON COLUMN spm_bi.quota_pace.achieved_amount IS 'What counts towards it by today. Additive over the seats of one component.';
COMMENT ON COLUMN spm_bi.quota_pace.attainment_ratio IS 'achieved_amount by quota_amount. Not additive. NULL: the quota is 0.';
COMMENT ON COLUMN spm_bi.quota_pace.elapsed_ratio IS 'Share of the days that have gone by, today among them. Not additive.';
COMMENT ON COLUMN spm_bi.quota_pace.expected_amount IS 'Quota times elapsed_ratio: where the seat should be.';
COMMENT ON COLUMN spm_bi.quota_pace.pace_ratio IS 'achieved_amount by expected_amount: 1 is on course. Not additive.';
COMMENT ON COLUMN spm_bi.quota_pace.daily_amount IS 'Run rate: what each day has brought.';
COMMENT ON COLUMN spm_bi.quota_pace.projected_amount IS 'What the run rate comes to by the last day.';
COMMENT ON COLUMN spm_bi.quota_pace.to_go_amount IS 'What is missing to the quota; 0 when it is reached.';
COMMENT ON COLUMN spm_bi.quota_pace.days_left IS 'Days after today.';
COMMENT ON COLUMN spm_bi.quota_pace.needed_daily_amount IS 'What each day left has to bring. NULL: none is left.';

CREATE OR REPLACE VIEW spm_bi.needed_deals WITH (security_invoker = true) AS
SELECT d.period_id, p.name AS period_name, d.payee_id, y.payee_key, y.name AS payee_name, d.position_id, s.position_key, s.name AS position_name,
       n.name AS plan_name, c.name AS component_name, c.unit, n.currency_code, d.segment,
       d.to_go_amount::numeric(24,6) AS to_go_amount, d.deal_amount::numeric(24,6) AS deal_amount, d.win_ratio::numeric(9,6) AS win_ratio,
       d.needed_win_count, d.needed_deal_count, d.open_deal_count, d.open_amount::numeric(24,6) AS open_amount,
       d.coverage_ratio::numeric(18,6) AS coverage_ratio, d.needed_coverage_ratio::numeric(18,6) AS needed_coverage_ratio,
       d.known_deal_count, d.known_win_count
FROM spm.needed_deals(current_date) d
JOIN spm.period p USING (period_id)
JOIN spm.payee y USING (payee_id)
JOIN spm.position s ON s.position_id = d.position_id
JOIN spm.component c USING (component_id)
JOIN spm.plan_version v USING (plan_version_id)
JOIN spm.plan n USING (plan_id);
COMMENT ON VIEW spm_bi.needed_deals IS 'One row per payee, position, component with a quota and segment, as of today: how many deals it would take to reach the quota from this segment alone, and from all (segment NULL).';
COMMENT ON COLUMN spm_bi.needed_deals.period_id IS 'Period of today.';
COMMENT ON COLUMN spm_bi.needed_deals.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.needed_deals.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.needed_deals.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.needed_deals.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.needed_deals.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.needed_deals.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.needed_deals.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.needed_deals.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.needed_deals.component_name IS 'Component.';
COMMENT ON COLUMN spm_bi.needed_deals.unit IS 'money: amounts are in currency_code; count: pieces.';
COMMENT ON COLUMN spm_bi.needed_deals.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm_bi.needed_deals.segment IS 'Segment of deals. NULL: all of them.';
COMMENT ON COLUMN spm_bi.needed_deals.to_go_amount IS 'What is missing to the quota.';
COMMENT ON COLUMN spm_bi.needed_deals.deal_amount IS 'What a won deal brings on average. Not additive.';
COMMENT ON COLUMN spm_bi.needed_deals.win_ratio IS 'Share of created deals that are won within 180 days. Not additive.';
COMMENT ON COLUMN spm_bi.needed_deals.needed_win_count IS 'Deals to be won.';
COMMENT ON COLUMN spm_bi.needed_deals.needed_deal_count IS 'Deals to be created for that.';
COMMENT ON COLUMN spm_bi.needed_deals.open_deal_count IS 'Deals that are open.';
COMMENT ON COLUMN spm_bi.needed_deals.open_amount IS 'What they would bring.';
COMMENT ON COLUMN spm_bi.needed_deals.coverage_ratio IS 'open_amount by to_go_amount. NULL: the quota is reached. Not additive.';
COMMENT ON COLUMN spm_bi.needed_deals.needed_coverage_ratio IS 'Coverage that this win ratio asks for. Not additive.';
COMMENT ON COLUMN spm_bi.needed_deals.known_deal_count IS 'Own deals that win_ratio was learned from.';
COMMENT ON COLUMN spm_bi.needed_deals.known_win_count IS 'Those of them that were won in time.';

CREATE OR REPLACE VIEW spm_bi.expected_commission WITH (security_invoker = true) AS
SELECT r.odds_run_id, r.as_of, r.until, e.period_id, p.name AS period_name, e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, s.position_key, s.name AS position_name,
       n.name AS plan_name, c.name AS component_name, n.currency_code, e.deal_count, e.earned_amount::numeric(20,4) AS earned_amount,
       c.unit, e.base_amount::numeric(24,6) AS base_amount, e.weighted_amount::numeric(24,6) AS weighted_amount, e.expected_amount::numeric(20,4) AS expected_amount,
       e.simulated_amount::numeric(20,4) AS simulated_amount, e.lower_amount::numeric(20,4) AS lower_amount, e.upper_amount::numeric(20,4) AS upper_amount,
       e.reason, e.estimated_count AS estimated_deal_count, e.pipeline_amount::numeric(24,6) AS pipeline_amount, r.currency_code AS pipeline_currency_code
FROM (SELECT l.* FROM (SELECT l.* FROM spm.odds_run l ORDER BY l.odds_run_id DESC LIMIT 1) l
      WHERE (SELECT x.message FROM spm._outlook_problem(l.odds_run_id) x) IS NULL OFFSET 0) r     -- asked before it is told
CROSS JOIN LATERAL spm.expected_commission(r.odds_run_id) e
JOIN spm.period p ON p.period_id = e.period_id
LEFT JOIN spm.payee y ON y.payee_id = e.payee_id
LEFT JOIN spm.position s ON s.position_id = e.position_id
LEFT JOIN spm.component c ON c.component_id = e.component_id
LEFT JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
LEFT JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.expected_commission IS 'One row per payee, position and component that open deals would be credited in, by the last forecast of the pipeline: what they are expected to cost in commission; and one per reason for which deals are not counted, without money. No row: that cannot be told, and spm.expected_commission() says why.';
COMMENT ON COLUMN spm_bi.expected_commission.odds_run_id IS 'Forecast of the pipeline.';
COMMENT ON COLUMN spm_bi.expected_commission.as_of IS 'Day as of which it was made.';
COMMENT ON COLUMN spm_bi.expected_commission.until IS 'Day on which it ends.';
COMMENT ON COLUMN spm_bi.expected_commission.period_id IS 'Period of as_of.';
COMMENT ON COLUMN spm_bi.expected_commission.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.expected_commission.payee_id IS 'Payee. NULL: the owner of the deals is none.';
COMMENT ON COLUMN spm_bi.expected_commission.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.expected_commission.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.expected_commission.position_id IS 'Seat. NULL: the owner holds none.';
COMMENT ON COLUMN spm_bi.expected_commission.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.expected_commission.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.expected_commission.plan_name IS 'Plan. NULL: no component of the owner sees the deals.';
COMMENT ON COLUMN spm_bi.expected_commission.component_name IS 'Component.';
COMMENT ON COLUMN spm_bi.expected_commission.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm_bi.expected_commission.deal_count IS 'Open deals that would be credited.';
COMMENT ON COLUMN spm_bi.expected_commission.earned_amount IS 'What is earned in the period so far. NULL beside a reason. Additive within a currency.';
COMMENT ON COLUMN spm_bi.expected_commission.unit IS 'money: base and weighted amounts are in currency_code; count: pieces.';
COMMENT ON COLUMN spm_bi.expected_commission.base_amount IS 'What the open deals count in all.';
COMMENT ON COLUMN spm_bi.expected_commission.weighted_amount IS 'The same times their odds.';
COMMENT ON COLUMN spm_bi.expected_commission.expected_amount IS 'What the total earns beyond what is reached when it grows by weighted_amount. Additive within a currency.';
COMMENT ON COLUMN spm_bi.expected_commission.simulated_amount IS 'Mean of what is earned in drawn futures: knows accelerators and caps. Additive within a currency.';
COMMENT ON COLUMN spm_bi.expected_commission.lower_amount IS 'In one future of ten less is earned. Not additive.';
COMMENT ON COLUMN spm_bi.expected_commission.upper_amount IS 'In one future of ten more is earned. Not additive.';
COMMENT ON COLUMN spm_bi.expected_commission.reason IS 'NULL: the deals are counted. Else why not, and what they earn is NULL: no amount, no rate, no measure, no result, starts anew, no seat, no plan, not counted or not open.';
COMMENT ON COLUMN spm_bi.expected_commission.estimated_deal_count IS 'Deals without an amount that are counted at the usual one.';
COMMENT ON COLUMN spm_bi.expected_commission.pipeline_amount IS 'What the deals are expected to bring. Not additive: a deal is in the row of each who is credited.';
COMMENT ON COLUMN spm_bi.expected_commission.pipeline_currency_code IS 'Currency of pipeline_amount. NULL: the one that all deals have.';
