/*
 * forecast/views_pipeline.sql: what BI tools read of deals, and of what becomes of them.
 */

CREATE OR REPLACE VIEW spm_bi.sales_stage WITH (security_invoker = true) AS
SELECT s.name AS source_name, g.stage, coalesce(g.label, g.stage) AS stage_label, g.stage_order, g.category, spm._category_order(g.category) AS category_order,
    g.is_won, g.is_closed, g.probability::numeric(18,6) AS probability
FROM spm.sales_stage AS g
JOIN spm.opportunity_source AS s USING (opportunity_source_id);
COMMENT ON VIEW spm_bi.sales_stage IS 'One row per stage of a source of deals: the stage dimension.';
COMMENT ON COLUMN spm_bi.sales_stage.source_name IS 'Source of deals.';
COMMENT ON COLUMN spm_bi.sales_stage.stage IS 'Stage, as the source writes it.';
COMMENT ON COLUMN spm_bi.sales_stage.stage_label IS 'What people call it.';
COMMENT ON COLUMN spm_bi.sales_stage.stage_order IS 'Place among the stages of the source: sort by it.';
COMMENT ON COLUMN spm_bi.sales_stage.category IS 'Forecast category of deals in it that have none of their own.';
COMMENT ON COLUMN spm_bi.sales_stage.category_order IS 'Place of the category, the surer the higher: sort by it.';
COMMENT ON COLUMN spm_bi.sales_stage.is_won IS 'Whether a deal in it is won.';
COMMENT ON COLUMN spm_bi.sales_stage.is_closed IS 'Whether a deal in it is won or lost.';
COMMENT ON COLUMN spm_bi.sales_stage.probability IS 'Chance of winning that the CRM writes to it. Not additive.';

CREATE OR REPLACE VIEW spm_bi.opportunity WITH (security_invoker = true) AS
SELECT p.source AS source_name, p.key AS opportunity_key, p.name AS opportunity_name, p.account_key, p.owner_key, y.name AS owner_name,
    p.position_id, s.position_key, s.name AS position_name, p.segment, p.stage, coalesce(g.label, p.stage) AS stage_label, g.stage_order, p.stage_since,
    CASE WHEN p.state = 'open' THEN current_date - p.stage_since END AS stage_day_count, p.category, spm._category_order(p.category) AS category_order,
    p.state, p.state = 'open' AS is_open, p.state = 'won' AS is_won, p.amount::numeric(24,6) AS amount, p.currency_code,
    p.created_on, p.close_date, p.closed_on, coalesce(p.closed_on, current_date) - p.created_on AS age_day_count,
    p.state = 'open' AND coalesce(p.close_date < current_date, false) AS is_overdue
FROM spm.pipeline_on(current_date) AS p
LEFT JOIN spm.payee AS y ON y.payee_key = p.owner_key
LEFT JOIN spm.position AS s ON s.position_id = p.position_id
LEFT JOIN spm.sales_stage AS g ON g.opportunity_source_id = p.opportunity_source_id AND g.stage = p.stage;
COMMENT ON VIEW spm_bi.opportunity IS 'One row per deal, open or closed, as the CRM has it now.';
COMMENT ON COLUMN spm_bi.opportunity.source_name IS 'Source of the deal.';
COMMENT ON COLUMN spm_bi.opportunity.opportunity_key IS 'Key of the deal within its source.';
COMMENT ON COLUMN spm_bi.opportunity.opportunity_name IS 'Name of the deal.';
COMMENT ON COLUMN spm_bi.opportunity.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.opportunity.owner_key IS 'Key of the owner in the CRM.';
COMMENT ON COLUMN spm_bi.opportunity.owner_name IS 'Name of the owner. NULL: not a payee.';
COMMENT ON COLUMN spm_bi.opportunity.position_id IS 'Seat of the owner today. NULL: none, and the deal is in nobody''s number.';
COMMENT ON COLUMN spm_bi.opportunity.position_key IS 'Key of that seat.';
COMMENT ON COLUMN spm_bi.opportunity.position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.opportunity.segment IS 'Kind of deal.';
COMMENT ON COLUMN spm_bi.opportunity.stage IS 'Stage, as the source writes it.';
COMMENT ON COLUMN spm_bi.opportunity.stage_label IS 'What people call the stage.';
COMMENT ON COLUMN spm_bi.opportunity.stage_order IS 'Place of the stage: sort by it. NULL: the stage is not known.';
COMMENT ON COLUMN spm_bi.opportunity.stage_since IS 'Day on which it came into its stage, as far as is known.';
COMMENT ON COLUMN spm_bi.opportunity.stage_day_count IS 'Days in its stage. NULL: closed. Not additive.';
COMMENT ON COLUMN spm_bi.opportunity.category IS 'omitted, pipeline, best_case, most_likely, commit, closed.';
COMMENT ON COLUMN spm_bi.opportunity.category_order IS 'Place of the category, the surer the higher: sort by it.';
COMMENT ON COLUMN spm_bi.opportunity.state IS 'open, won or lost.';
COMMENT ON COLUMN spm_bi.opportunity.is_open IS 'Whether it is open.';
COMMENT ON COLUMN spm_bi.opportunity.is_won IS 'Whether it was won.';
COMMENT ON COLUMN spm_bi.opportunity.amount IS 'Amount in its currency. NULL: not known. Additive within a currency.';
COMMENT ON COLUMN spm_bi.opportunity.currency_code IS 'Currency of the amount.';
COMMENT ON COLUMN spm_bi.opportunity.created_on IS 'Day on which it was opened.';
COMMENT ON COLUMN spm_bi.opportunity.close_date IS 'Day on which it is expected to close, or did.';
COMMENT ON COLUMN spm_bi.opportunity.closed_on IS 'Day on which it was won or lost. NULL: open.';
COMMENT ON COLUMN spm_bi.opportunity.age_day_count IS 'Days from the opening to the closing, or until today. Not additive.';
COMMENT ON COLUMN spm_bi.opportunity.is_overdue IS 'Whether it is open though its close date is over.';

CREATE OR REPLACE VIEW spm_bi.opportunity_defect WITH (security_invoker = true) AS
SELECT o.source_name, o.opportunity_key, o.opportunity_name, o.owner_key, o.position_id, o.position_name, d.defect, d.detail, o.amount, o.currency_code
FROM spm_bi.opportunity AS o
CROSS JOIN LATERAL (
    SELECT 'no seat', CASE WHEN o.owner_key IS NULL THEN 'It has no owner.' ELSE format('Owner "%s" holds no seat: the deal is in nobody''s number.', o.owner_key) END
    WHERE o.is_open AND o.position_id IS NULL
    UNION ALL
    SELECT 'no amount', 'It counts as 0.' WHERE o.is_open AND coalesce(o.amount, 0) = 0
    UNION ALL
    SELECT 'no close date', 'No period counts it.' WHERE o.is_open AND o.close_date IS NULL
    UNION ALL
    SELECT 'no first day', 'The CRM does not say since when it is there: no odds or forecast count it.' WHERE o.is_open AND o.created_on IS NULL
    UNION ALL
    SELECT 'overdue', format('It was to close %s day(s) ago.', current_date - o.close_date) WHERE o.is_overdue
    UNION ALL
    SELECT 'unknown stage', format('SELECT spm.load_sales_stages(%L);', o.source_name) WHERE o.is_open AND o.stage IS NOT NULL AND o.stage_order IS NULL
    UNION ALL
    SELECT 'closes later', format('It is %s, but its close date is %s: the period of that day counts it.', o.state, o.closed_on) WHERE o.closed_on > current_date
) AS d (defect, detail);
COMMENT ON VIEW spm_bi.opportunity_defect IS 'One row per deal and thing about it that makes a forecast wrong. Amounts are not additive: a deal may have several rows.';
COMMENT ON COLUMN spm_bi.opportunity_defect.source_name IS 'Source of the deal.';
COMMENT ON COLUMN spm_bi.opportunity_defect.opportunity_key IS 'Key of the deal within its source.';
COMMENT ON COLUMN spm_bi.opportunity_defect.opportunity_name IS 'Name of the deal.';
COMMENT ON COLUMN spm_bi.opportunity_defect.owner_key IS 'Key of the owner in the CRM.';
COMMENT ON COLUMN spm_bi.opportunity_defect.position_id IS 'Seat of the owner. NULL: none.';
COMMENT ON COLUMN spm_bi.opportunity_defect.position_name IS 'Name of that seat.';
COMMENT ON COLUMN spm_bi.opportunity_defect.defect IS 'no seat, no amount, no close date, no first day, overdue or unknown stage of an open deal; closes later: a closed one with a close date to come.';
COMMENT ON COLUMN spm_bi.opportunity_defect.detail IS 'What it does, or how to mend it.';
COMMENT ON COLUMN spm_bi.opportunity_defect.amount IS 'Amount of the deal, in its currency. Not additive over defects.';
COMMENT ON COLUMN spm_bi.opportunity_defect.currency_code IS 'Currency of the amount.';

CREATE OR REPLACE VIEW spm_bi.pipeline_snapshot WITH (security_invoker = true) AS
SELECT s.pipeline_snapshot_id, s.as_of, s.name AS snapshot_name, s.taken_at, s.taken_by, s.open_count, s.new_count, s.changed_count, s.gone_count,
    s.as_of - lag(s.as_of) OVER (ORDER BY s.as_of) AS day_count
FROM spm.pipeline_snapshot AS s;
COMMENT ON VIEW spm_bi.pipeline_snapshot IS 'One row per day on which the pipeline was kept.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.pipeline_snapshot_id IS 'Snapshot.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.as_of IS 'Day whose pipeline it is.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.snapshot_name IS 'Name given to it. NULL: none.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.taken_at IS 'When it was taken last.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.taken_by IS 'Login that took it.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.open_count IS 'Open deals. Not additive over snapshots.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.new_count IS 'Deals that were not there at the snapshot before. Additive.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.changed_count IS 'Deals that had changed since the snapshot before. Additive.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.gone_count IS 'Deals that the sources no longer had. Additive.';
COMMENT ON COLUMN spm_bi.pipeline_snapshot.day_count IS 'Days since the snapshot before: what happened between two is seen at the second. NULL: the first.';

CREATE OR REPLACE VIEW spm_bi.pipeline_trend WITH (security_invoker = true) AS
SELECT s.as_of, s.name AS snapshot_name, o.name AS source_name, r.owner_key, r.segment, r.stage, r.category, spm._category_order(r.category) AS category_order,
    r.currency_code, date_trunc('month', r.close_date::timestamp)::date AS close_month, count(*) AS deal_count, coalesce(sum(r.amount), 0)::numeric(24,6) AS amount
FROM spm.pipeline_snapshot AS s
JOIN spm.opportunity_record AS r ON r.span @> s.as_of AND NOT r.is_gone AND r.is_won IS NULL
JOIN spm.opportunity_source AS o USING (opportunity_source_id)
GROUP BY s.as_of, s.name, o.name, r.owner_key, r.segment, r.stage, r.category, r.currency_code, close_month;
COMMENT ON VIEW spm_bi.pipeline_trend IS 'One row per snapshot, source, owner, segment, stage, category, currency and month of closing: open deals as they were kept. Filter on as_of, or draw over it.';
COMMENT ON COLUMN spm_bi.pipeline_trend.as_of IS 'Day of the snapshot.';
COMMENT ON COLUMN spm_bi.pipeline_trend.snapshot_name IS 'Name of the snapshot. NULL: none.';
COMMENT ON COLUMN spm_bi.pipeline_trend.source_name IS 'Source of the deals.';
COMMENT ON COLUMN spm_bi.pipeline_trend.owner_key IS 'Owner then.';
COMMENT ON COLUMN spm_bi.pipeline_trend.segment IS 'Kind of deal.';
COMMENT ON COLUMN spm_bi.pipeline_trend.stage IS 'Stage then.';
COMMENT ON COLUMN spm_bi.pipeline_trend.category IS 'Category then.';
COMMENT ON COLUMN spm_bi.pipeline_trend.category_order IS 'Place of the category, the surer the higher: sort by it.';
COMMENT ON COLUMN spm_bi.pipeline_trend.currency_code IS 'Currency of the amount.';
COMMENT ON COLUMN spm_bi.pipeline_trend.close_month IS 'First day of the month in which they were to close. NULL: no date.';
COMMENT ON COLUMN spm_bi.pipeline_trend.deal_count IS 'Open deals. Additive, but not over snapshots.';
COMMENT ON COLUMN spm_bi.pipeline_trend.amount IS 'Their amounts. Additive within a currency, but not over snapshots.';

CREATE OR REPLACE VIEW spm_bi.pipeline_waterfall WITH (security_invoker = true) AS
SELECT t.forecast_type_id, t.name AS forecast_type_name, t.currency_code, (current_date - 7) AS since, current_date AS until,
    m.position_id, s.position_key, s.name AS position_name, spm._waterfall_order(m.step) AS step_order, m.step, count(*) AS deal_count, sum(m.amount)::numeric(24,6) AS amount
FROM (SELECT f.forecast_type_id, f.name, f.currency_code FROM spm.forecast_type AS f
      UNION ALL SELECT NULL, NULL, NULL WHERE NOT EXISTS (SELECT FROM spm.forecast_type)) AS t
CROSS JOIN LATERAL spm._movement(current_date - 7, current_date, t.forecast_type_id, NULL) AS m
LEFT JOIN spm.position AS s ON s.position_id = m.position_id
GROUP BY t.forecast_type_id, t.name, t.currency_code, m.position_id, s.position_key, s.name, m.step;
COMMENT ON VIEW spm_bi.pipeline_waterfall IS 'One row per forecast type, seat and step: how the open pipeline of a week ago became today''s. For other days and periods: spm.pipeline_waterfall().';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.forecast_type_id IS 'Forecast type. NULL: there is none.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.forecast_type_name IS 'Name of the forecast type.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.currency_code IS 'Currency of the amounts. NULL: that of the deals.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.since IS 'Day at whose end it opens.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.until IS 'Day at whose end it closes.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.position_id IS 'Seat of the owner. NULL: none.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.step_order IS 'Place of the step: sort by it.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.step IS 'opening, new, reopened, restored, owner_in, increased, decreased, owner_out, omitted, removed, lost, won, closing.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.deal_count IS 'Deals that took the step. Additive over seats.';
COMMENT ON COLUMN spm_bi.pipeline_waterfall.amount IS 'Amount with its sign. Additive over seats and steps, closing left out: the sum is closing.';
