/*
 * forecast/views_odds.sql: what BI tools read of forecasts of the pipeline.
 */

CREATE OR REPLACE VIEW spm_bi.pipeline_outlook WITH (security_invoker = true) AS
SELECT s.odds_run_id, r.as_of, r.since, r.until, r.until - r.as_of AS horizon_days, s.kind, s.key, p.name AS position_name, s.position_id,
    r.currency_code, s.won_amount::numeric(24,6) AS won_amount, s.open_amount::numeric(24,6) AS open_amount, s.new_amount::numeric(24,6) AS new_amount,
    s.forecast_amount::numeric(24,6) AS forecast_amount, s.q05::numeric(24,6) AS q05, s.q10::numeric(24,6) AS q10, s.q25::numeric(24,6) AS q25,
    s.median::numeric(24,6) AS median, s.q75::numeric(24,6) AS q75, s.q90::numeric(24,6) AS q90, s.q95::numeric(24,6) AS q95,
    m.name AS measure_name, d.name AS period_name, s.quota_amount::numeric(24,6) AS quota_amount,
    s.reach_probability::numeric(18,6) AS reach_probability, s.shortfall_amount::numeric(24,6) AS shortfall_amount,
    r.odds_run_id = max(r.odds_run_id) OVER (PARTITION BY r.since, r.until, r.measure_id, r.as_of) AS is_latest,
    r.recorded_at, r.recorded_by, s.territory_id, t.name AS territory_name
FROM spm.odds_seat AS s
JOIN spm.odds_run AS r USING (odds_run_id)
LEFT JOIN spm.position AS p ON p.position_id = s.position_id
LEFT JOIN spm.territory AS t ON t.territory_id = s.territory_id
LEFT JOIN spm.measure AS m USING (measure_id)
LEFT JOIN spm.period AS d USING (period_id);
COMMENT ON VIEW spm_bi.pipeline_outlook IS 'One row per forecast of the pipeline that was kept, and owner of deals, seat or territory with all below it, or total. Rows of one kind, owner, add up to the total; limits do not.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.odds_run_id IS 'Forecast.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.as_of IS 'Last day that it knows of.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.since IS 'First day from which what is won counts.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.until IS 'Last day on which what is won counts.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.horizon_days IS 'Days from as_of to until.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.kind IS 'owner, seat, territory or total. Add up rows of kind owner only.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.key IS 'owner_key, position_key or territory_key; empty for the total.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.currency_code IS 'Currency. NULL: the one of all deals.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.won_amount IS 'Won from since to as_of. Additive over owners.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.open_amount IS 'Expected of deals that are open. Additive over owners.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.new_amount IS 'Expected of deals to come. Additive over owners.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.forecast_amount IS 'won_amount + open_amount + new_amount. Additive over owners.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.q05 IS 'In 5 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.q10 IS 'In 10 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.q25 IS 'In 25 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.median IS 'In 50 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.q75 IS 'In 75 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.q90 IS 'In 90 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.q95 IS 'In 95 of 100 futures it is less. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.measure_name IS 'Measure of the quota. NULL: none was asked for.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.period_name IS 'Period of the quota.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.quota_amount IS 'Quota of the seat or territory. NULL: none.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.reach_probability IS 'Share of futures in which the quota is reached. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.shortfall_amount IS 'What is missing to the quota on average. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.is_latest IS 'Whether no later forecast was made of the same days as of the same day.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.recorded_at IS 'When it was made.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.recorded_by IS 'Login that made it.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.territory_id IS 'Territory.';
COMMENT ON COLUMN spm_bi.pipeline_outlook.territory_name IS 'Name of the territory.';

CREATE OR REPLACE VIEW spm_bi.deal_odds WITH (security_invoker = true) AS
SELECT d.odds_run_id, r.as_of, r.until, s.name AS source_name, d.opportunity_key, d.owner_key, d.segment, d.stage, d.age_days,
    d.amount::numeric(24,6) AS amount, d.win_probability::numeric(18,6) AS win_probability, d.lose_probability::numeric(18,6) AS lose_probability,
    d.expected_amount::numeric(24,6) AS expected_amount, r.currency_code,
    t.territory_id, t.name AS territory_name, d.slip_probability::numeric(18,6) AS slip_probability
FROM spm.odds_deal AS d
JOIN spm.odds_run AS r USING (odds_run_id)
JOIN spm.opportunity_source AS s USING (opportunity_source_id)
LEFT JOIN spm.territory AS t ON t.territory_id = d.territory_id;
COMMENT ON VIEW spm_bi.deal_odds IS 'One row per forecast of the pipeline that was kept, and deal that was open.';
COMMENT ON COLUMN spm_bi.deal_odds.odds_run_id IS 'Forecast.';
COMMENT ON COLUMN spm_bi.deal_odds.as_of IS 'Last day that it knows of.';
COMMENT ON COLUMN spm_bi.deal_odds.until IS 'Last day.';
COMMENT ON COLUMN spm_bi.deal_odds.source_name IS 'Source of the deal.';
COMMENT ON COLUMN spm_bi.deal_odds.opportunity_key IS 'Key of the deal in it.';
COMMENT ON COLUMN spm_bi.deal_odds.owner_key IS 'Who had it.';
COMMENT ON COLUMN spm_bi.deal_odds.segment IS 'Kind of deal.';
COMMENT ON COLUMN spm_bi.deal_odds.stage IS 'Stage it was in.';
COMMENT ON COLUMN spm_bi.deal_odds.age_days IS 'Days that it had been in it. Not additive.';
COMMENT ON COLUMN spm_bi.deal_odds.amount IS 'Amount it was known at. Additive.';
COMMENT ON COLUMN spm_bi.deal_odds.win_probability IS 'Probability that it is won by the last day. Not additive.';
COMMENT ON COLUMN spm_bi.deal_odds.lose_probability IS 'Probability that it is lost by then. Not additive.';
COMMENT ON COLUMN spm_bi.deal_odds.expected_amount IS 'What it is expected to bring by then. Additive.';
COMMENT ON COLUMN spm_bi.deal_odds.currency_code IS 'Currency. NULL: the one of all deals.';
COMMENT ON COLUMN spm_bi.deal_odds.territory_id IS 'Territory it counts in. NULL: none.';
COMMENT ON COLUMN spm_bi.deal_odds.territory_name IS 'Name of the territory.';
COMMENT ON COLUMN spm_bi.deal_odds.slip_probability IS 'Probability that it is still open at the end of the last day, with a close date moved beyond it. NULL: not known, or its close date is later already. Not additive.';

CREATE OR REPLACE VIEW spm_bi.pipeline_outlook_basis WITH (security_invoker = true) AS
SELECT r.odds_run_id, r.as_of, r.since, r.until, r.paths, r.seed, r.origin_count, r.drift::numeric(18,6) AS drift, r.drift_new::numeric(18,6) AS drift_new,
    r.shock::numeric(18,6) AS shock, r.shock_owner::numeric(18,6) AS shock_owner, r.amount_ratio::numeric(18,6) AS amount_ratio,
    r.arrivals_per_day::numeric(18,6) AS arrivals_per_day, r.won_count, r.lost_count, r.learned_from, r.recorded_at, r.recorded_by
FROM spm.odds_run AS r;
COMMENT ON VIEW spm_bi.pipeline_outlook_basis IS 'One row per forecast of the pipeline that was kept: what it was learned from.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.odds_run_id IS 'Forecast.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.as_of IS 'Last day that it knows of.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.since IS 'First day from which what is won counts.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.until IS 'Last day.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.paths IS 'Futures that were drawn.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.seed IS 'Seed they were drawn with.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.origin_count IS 'Earlier days as of which the same was forecast, to learn drift and shocks.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.drift IS 'Speed of wins of open deals against what rates by stage and age gave on these days. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.drift_new IS 'The same of deals to come. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.shock IS 'How far totals move for reasons that deals share: 0.15 is 15 %. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.shock_owner IS 'The same of each owner alone. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.amount_ratio IS 'What deals were won at over what they were known at. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.arrivals_per_day IS 'Deals created a day, of late. Not additive.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.won_count IS 'Won deals that it was learned from.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.lost_count IS 'Lost deals that it was learned from.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.learned_from IS 'Day on which history begins.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.recorded_at IS 'When it was made.';
COMMENT ON COLUMN spm_bi.pipeline_outlook_basis.recorded_by IS 'Login that made it.';
