/*
 * compensation/views.sql: results as they stand, the proof that they add up,
 * and what BI sees of them.
 */

CREATE OR REPLACE VIEW spm.standing_credit WITH (security_invoker = true) AS
SELECT c.* FROM spm.credit c
WHERE c.reverses_id IS NULL AND NOT EXISTS (
    SELECT FROM spm.credit r WHERE r.reverses_id IS NOT NULL AND r.reverses_id = c.credit_id AND r.period_id = c.period_id);
COMMENT ON VIEW spm.standing_credit IS 'Credits as they stand: originals that nothing has taken back.';
COMMENT ON COLUMN spm.standing_credit.credit_id IS 'Key.';
COMMENT ON COLUMN spm.standing_credit.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_credit.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.standing_credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_credit.reverses_id IS 'Credit of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_credit.position_id IS 'Position credited.';
COMMENT ON COLUMN spm.standing_credit.payee_id IS 'Who sat there on the event date. NULL: vacant.';
COMMENT ON COLUMN spm.standing_credit.kind IS 'direct: by ownership or split; rollup: from below in the reporting tree; overlay, team, territory: on top, by a rule; rolldown: from above in the tree.';
COMMENT ON COLUMN spm.standing_credit.origin_position_id IS 'Position that holds the direct credit: for kind direct this one.';
COMMENT ON COLUMN spm.standing_credit.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm.standing_credit.share IS 'Share of the transaction: 0.6 is 60 %.';
COMMENT ON COLUMN spm.standing_credit.shares IS 'Shares of all who share in the transaction, in order. NULL: nobody shares.';
COMMENT ON COLUMN spm.standing_credit.share_no IS 'Place of this share in shares.';
COMMENT ON COLUMN spm.standing_credit.credited_amount IS 'Share of amount, apportioned by largest remainder; negative where a row is reversed. In currency_code.';
COMMENT ON COLUMN spm.standing_credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.standing_credit.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.standing_credit.line IS 'Its line; empty when the source has none.';
COMMENT ON COLUMN spm.standing_credit.event_date IS 'Its date.';
COMMENT ON COLUMN spm.standing_credit.type IS 'Its type.';
COMMENT ON COLUMN spm.standing_credit.owner_key IS 'payee_key that the credit goes by: the owner, or the sharer.';
COMMENT ON COLUMN spm.standing_credit.account_key IS 'Its account.';
COMMENT ON COLUMN spm.standing_credit.product_key IS 'Its product.';
COMMENT ON COLUMN spm.standing_credit.quantity IS 'Its quantity, whole, before it is shared.';
COMMENT ON COLUMN spm.standing_credit.amount IS 'Its amount, whole, before it is shared, in currency_code.';
COMMENT ON COLUMN spm.standing_credit.cost IS 'Its cost, whole.';
COMMENT ON COLUMN spm.standing_credit.list_amount IS 'Its amount at list price, whole.';
COMMENT ON COLUMN spm.standing_credit.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.standing_credit.attributes IS 'Its further attributes.';
COMMENT ON COLUMN spm.standing_credit.event IS 'booking, or the milestone that is credited: amount, quantity, cost and list_amount are then its part of the transaction, event_date its day.';
COMMENT ON COLUMN spm.standing_credit.reference_key IS 'Key of the transaction that it takes back.';
COMMENT ON COLUMN spm.standing_credit.rule IS 'Name of the rule or territory that credits on top; empty for kinds direct, rollup and rolldown.';
COMMENT ON COLUMN spm.standing_credit.factor IS 'What its share is multiplied by: the share of an overlay or a territory, the roll-up factor; else 1.';
COMMENT ON COLUMN spm.standing_credit.part_no IS 'Which of part_count equal parts it is.';
COMMENT ON COLUMN spm.standing_credit.part_count IS 'Equal parts that it is divided into: members of a team; 1: not divided.';

CREATE OR REPLACE VIEW spm.standing_measurement WITH (security_invoker = true) AS
SELECT m.* FROM spm.measurement m
WHERE m.reverses_id IS NULL AND NOT EXISTS (
    SELECT FROM spm.measurement r WHERE r.reverses_id IS NOT NULL AND r.reverses_id = m.measurement_id);
COMMENT ON VIEW spm.standing_measurement IS 'Measurements as they stand.';
COMMENT ON COLUMN spm.standing_measurement.measurement_id IS 'Key.';
COMMENT ON COLUMN spm.standing_measurement.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_measurement.period_id IS 'Period measured.';
COMMENT ON COLUMN spm.standing_measurement.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_measurement.reverses_id IS 'Measurement of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_measurement.component_id IS 'Component.';
COMMENT ON COLUMN spm.standing_measurement.position_id IS 'Position.';
COMMENT ON COLUMN spm.standing_measurement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.standing_measurement.credit_count IS 'Credits of the period that count.';
COMMENT ON COLUMN spm.standing_measurement.opening_amount IS 'What had accumulated before the period; 0 unless the component accumulates over a longer one.';
COMMENT ON COLUMN spm.standing_measurement.amount IS 'Measured in the period, in the currency of the plan or the unit of the measure.';
COMMENT ON COLUMN spm.standing_measurement.quota_amount IS 'Quota of the span that the component accumulates over. NULL: none.';
COMMENT ON COLUMN spm.standing_measurement.factor IS 'What all rates are multiplied by: the component''s variable times its modifiers; 1 when it has none.';
COMMENT ON COLUMN spm.standing_measurement.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.standing_measurement.earned_amount IS 'What the totals earn by the schedule: the deals must add up to it.';
COMMENT ON COLUMN spm.standing_measurement.earned_before IS 'True-up: what the earlier periods of the span have earned; else 0.';
COMMENT ON COLUMN spm.standing_measurement.because IS 'How quota, factor and limits came about, in words.';

CREATE OR REPLACE VIEW spm.standing_earning WITH (security_invoker = true) AS
SELECT e.* FROM spm.earning e
WHERE e.reverses_id IS NULL AND NOT EXISTS (
    SELECT FROM spm.earning r WHERE r.reverses_id IS NOT NULL AND r.reverses_id = e.earning_id AND r.period_id = e.period_id);
COMMENT ON VIEW spm.standing_earning IS 'Deal earnings as they stand.';
COMMENT ON COLUMN spm.standing_earning.earning_id IS 'Key.';
COMMENT ON COLUMN spm.standing_earning.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.standing_earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_earning.reverses_id IS 'Earning of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_earning.component_id IS 'Component.';
COMMENT ON COLUMN spm.standing_earning.position_id IS 'Position.';
COMMENT ON COLUMN spm.standing_earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.standing_earning.credit_id IS 'Credit it is for.';
COMMENT ON COLUMN spm.standing_earning.exchange_rate IS 'Rate from the currency of the transaction to that of the plan on the event date; 1 when they are the same.';
COMMENT ON COLUMN spm.standing_earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure; negative where a row is reversed.';
COMMENT ON COLUMN spm.standing_earning.from_total IS 'Running total before the deal; after it: from_total + base_amount.';
COMMENT ON COLUMN spm.standing_earning.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.standing_earning.amount IS 'What the deal earns, rounded, in the currency of the plan.';
COMMENT ON COLUMN spm.standing_earning.kind IS 'deal, total, true_up, rank, pool or refund.';
COMMENT ON COLUMN spm.standing_earning.credit_period_id IS 'Period of the credit, where it is another one than period_id.';

CREATE OR REPLACE VIEW spm.earning_slice WITH (security_invoker = true) AS
-- No union: so a condition on payee or posting, direct or by a join, reaches its index.
SELECT e.earning_id, e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, e.credit_id, e.reverses_id,
       s.tier_no, CASE WHEN e.kind IN ('deal', 'total') THEN s.kind ELSE e.kind END AS kind, s.slice_from, s.slice_to, s.rate,
       CASE WHEN e.kind NOT IN ('deal', 'total') THEN e.base_amount WHEN e.reverses_id IS NULL THEN s.base ELSE -s.base END AS base_amount,
       CASE WHEN e.kind NOT IN ('deal', 'total') THEN e.amount WHEN e.reverses_id IS NULL THEN s.amount ELSE -s.amount END AS amount,
       e.credit_period_id
FROM spm.earning e
JOIN spm.schedule k USING (schedule_id)
JOIN spm.component c USING (component_id)
-- what is not earned along the schedule is one slice
LEFT JOIN LATERAL spm.commission_slice(CASE WHEN e.kind IN ('deal', 'total') THEN k.schedule END, e.from_total,
    e.from_total + CASE WHEN e.reverses_id IS NULL THEN e.base_amount ELSE -e.base_amount END, c.places, c.rounding) s ON true
WHERE s.kind IS NOT NULL OR e.kind NOT IN ('deal', 'total');
COMMENT ON VIEW spm.earning_slice IS 'One row per deal earning and tier it touches: what is earned there. Adds up to the earning.';
COMMENT ON COLUMN spm.earning_slice.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm.earning_slice.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.earning_slice.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.earning_slice.component_id IS 'Component.';
COMMENT ON COLUMN spm.earning_slice.position_id IS 'Position.';
COMMENT ON COLUMN spm.earning_slice.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.earning_slice.credit_id IS 'Credit.';
COMMENT ON COLUMN spm.earning_slice.reverses_id IS 'Posted earning that the row takes back. NULL: an original.';
COMMENT ON COLUMN spm.earning_slice.tier_no IS 'Tier; 0 below the first.';
COMMENT ON COLUMN spm.earning_slice.kind IS 'true_up, rank, pool, refund: an earning that is one piece; tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm.earning_slice.slice_from IS 'Running total where the slice begins.';
COMMENT ON COLUMN spm.earning_slice.slice_to IS 'Running total where it ends.';
COMMENT ON COLUMN spm.earning_slice.rate IS 'Rate.';
COMMENT ON COLUMN spm.earning_slice.base_amount IS 'What of the deal lies in the slice.';
COMMENT ON COLUMN spm.earning_slice.amount IS 'What it earns there.';
COMMENT ON COLUMN spm.earning_slice.credit_period_id IS 'Period of the credit, where it is another one than period_id.';

-- One union and not joins, so that a condition on posting or period reaches every table.
CREATE OR REPLACE VIEW spm.reconciliation WITH (security_invoker = true) AS
SELECT r.posting_id, r.period_id, r.component_id, r.position_id, r.payee_id,
       sum(r.measured_base) AS measured_base, sum(r.earned_base) AS earned_base,
       sum(r.measured_amount) AS measured_amount, sum(r.earned_amount) AS earned_amount,
       sum(r.sliced_amount) AS sliced_amount, sum(r.paid_amount) AS paid_amount,
       sum(r.measured_base) = sum(r.earned_base) AND sum(r.measured_amount) = sum(r.earned_amount)
       AND sum(r.earned_amount) = sum(r.sliced_amount) AND sum(r.earned_amount) = sum(r.paid_amount) AS is_reconciled
FROM (
    SELECT m.posting_id, m.period_id, m.component_id, m.position_id, m.payee_id, m.amount AS measured_base, 0::numeric AS earned_base,
           m.earned_amount AS measured_amount, 0::numeric AS earned_amount, 0::numeric AS sliced_amount, 0::numeric AS paid_amount
    FROM spm.measurement m
    UNION ALL    -- what is taken back is no part of the totals; added up before they are compared, which takes half the time
    SELECT e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, 0, sum(e.base_amount),
           coalesce(sum(e.amount) FILTER (WHERE e.kind = 'refund'), 0), sum(e.amount), 0, 0
    FROM spm.earning e
    GROUP BY e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id
    UNION ALL
    SELECT s.posting_id, s.period_id, s.component_id, s.position_id, s.payee_id, 0, 0, 0, 0, sum(s.amount), 0
    FROM spm.earning_slice s
    GROUP BY s.posting_id, s.period_id, s.component_id, s.position_id, s.payee_id
    UNION ALL
    SELECT o.posting_id, o.period_id, o.component_id, o.position_id, o.payee_id, 0, 0, 0, 0, 0, o.amount
    FROM spm.payout o WHERE o.kind = 'earning'
) r
GROUP BY r.posting_id, r.period_id, r.component_id, r.position_id, r.payee_id;
COMMENT ON VIEW spm.reconciliation IS 'One row per posting, period of earning, component, position and payee: what the totals earn, what the deals earn, what their slices add up to, and what is paid for them, before pay rules, holds and adjustments. is_reconciled is true in every row, or something is wrong.';
COMMENT ON COLUMN spm.reconciliation.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.reconciliation.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.reconciliation.component_id IS 'Component.';
COMMENT ON COLUMN spm.reconciliation.position_id IS 'Position.';
COMMENT ON COLUMN spm.reconciliation.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.reconciliation.measured_base IS 'Measured, from the totals.';
COMMENT ON COLUMN spm.reconciliation.earned_base IS 'Measured, added up from the deals.';
COMMENT ON COLUMN spm.reconciliation.measured_amount IS 'Earned, from the totals, less what refunds take back of earlier deals.';
COMMENT ON COLUMN spm.reconciliation.earned_amount IS 'Earned, added up from the deals.';
COMMENT ON COLUMN spm.reconciliation.sliced_amount IS 'Earned, added up from the tier slices.';
COMMENT ON COLUMN spm.reconciliation.paid_amount IS 'Paid.';
COMMENT ON COLUMN spm.reconciliation.is_reconciled IS 'Whether all agree.';

-- ------------------------------------------------------------------- for BI

CREATE OR REPLACE VIEW spm_bi.credit WITH (security_invoker = true) AS
SELECT c.credit_id, c.period_id, p.name AS period_name, lower(p.span) AS period_start,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       c.reverses_id IS NOT NULL AS is_reversal,
       c.payee_id, y.payee_key, y.name AS payee_name, c.position_id, s.name AS position_name,
       c.kind AS credit_kind, c.level::int AS level, s0.name AS origin_position_name,
       c.share::numeric(12,6) AS share_ratio, c.source, c.transaction_key, c.line, c.event_date, c.type AS transaction_type,
       c.account_key, c.product_key, c.amount::numeric(24,6) AS transaction_amount,
       c.credited_amount::numeric(24,6) AS credited_amount, c.currency_code, c.run_id,
       c.event, c.rule, c.reference_key, c.factor::numeric(18,6) AS factor, c.part_count
FROM spm.credit c
JOIN spm.period p ON p.period_id = c.period_id
JOIN spm.posting o ON o.posting_id = c.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.position s ON s.position_id = c.position_id
JOIN spm.position s0 ON s0.position_id = c.origin_position_id
LEFT JOIN spm.payee y ON y.payee_id = c.payee_id;
COMMENT ON VIEW spm_bi.credit IS 'One row per transaction line and position credited, and one more for each that takes back a posted one.';
COMMENT ON COLUMN spm_bi.credit.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.credit.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.credit.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.credit.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.credit.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.credit.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.credit.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.credit.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.credit.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.credit.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.credit.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.credit.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.credit.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.credit.credit_kind IS 'direct, rollup, overlay, team, territory or rolldown.';
COMMENT ON COLUMN spm_bi.credit.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm_bi.credit.origin_position_name IS 'Position that holds the direct credit.';
COMMENT ON COLUMN spm_bi.credit.share_ratio IS 'Share of the transaction: 0.6 is 60 %. Not additive.';
COMMENT ON COLUMN spm_bi.credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.credit.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.credit.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.credit.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.credit.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.credit.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.credit.product_key IS 'Product.';
COMMENT ON COLUMN spm_bi.credit.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.credit.credited_amount IS 'Credited, in currency_code. Additive within a currency and credit kind.';
COMMENT ON COLUMN spm_bi.credit.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm_bi.credit.event IS 'booking, or the milestone that is credited, such as invoice or payment.';
COMMENT ON COLUMN spm_bi.credit.rule IS 'Rule or territory that credits on top; empty for kinds direct, rollup and rolldown.';
COMMENT ON COLUMN spm_bi.credit.reference_key IS 'Key of the transaction that it takes back.';
COMMENT ON COLUMN spm_bi.credit.factor IS 'Roll-up factor, or share of an overlay; else 1. Not additive.';
COMMENT ON COLUMN spm_bi.credit.part_count IS 'Equal parts that it is divided into; 1: not divided. Not additive.';

CREATE OR REPLACE VIEW spm_bi.uncredited WITH (security_invoker = true) AS
SELECT u.period_id, p.name AS period_name, u.source, u.transaction_key, u.line, u.owner_key, u.event_date,
       u.amount::numeric(24,6) AS transaction_amount, u.currency_code, u.reason
FROM spm.uncredited u
JOIN spm.period p USING (period_id);
COMMENT ON VIEW spm_bi.uncredited IS 'One row per transaction line and claimed owner that nobody could be credited for, as of the last calculation.';
COMMENT ON COLUMN spm_bi.uncredited.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.uncredited.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.uncredited.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.uncredited.owner_key IS 'Owner or sharer that is not known; empty when there is none.';
COMMENT ON COLUMN spm_bi.uncredited.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.uncredited.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.uncredited.reason IS 'Why nobody was credited.';

CREATE OR REPLACE VIEW spm_bi.attainment WITH (security_invoker = true) AS
SELECT m.measurement_id, m.period_id, p.name AS period_name, lower(p.span) AS period_start,
       m.payee_id, y.payee_key, y.name AS payee_name, m.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name, q.name AS measure_name,
       m.credit_count, m.opening_amount::numeric(24,6) AS opening_amount, m.amount::numeric(24,6) AS credited_amount,
       m.quota_amount::numeric(24,6) AS quota_amount,
       spm.attainment(m.opening_amount + m.amount, m.quota_amount, 6)::numeric(18,6) AS attainment_ratio,
       m.earned_amount::numeric(20,4) AS earned_amount, n.currency_code, m.run_id
FROM spm.standing_measurement m
JOIN spm.period p ON p.period_id = m.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id
JOIN spm.position s ON s.position_id = m.position_id
JOIN spm.component c ON c.component_id = m.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
LEFT JOIN spm.measure q ON q.measure_id = c.measure_id;
COMMENT ON VIEW spm_bi.attainment IS 'One row per period, payee, position and component, as it stands now: what was credited, the quota, and how far it is reached.';
COMMENT ON COLUMN spm_bi.attainment.measurement_id IS 'Measurement.';
COMMENT ON COLUMN spm_bi.attainment.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.attainment.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.attainment.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.attainment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.attainment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.attainment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.attainment.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.attainment.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.attainment.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.attainment.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.attainment.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.attainment.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.attainment.measure_name IS 'Measure of the quota. NULL: none.';
COMMENT ON COLUMN spm_bi.attainment.credit_count IS 'Credits that count. Additive.';
COMMENT ON COLUMN spm_bi.attainment.opening_amount IS 'Accumulated before the period. Not additive.';
COMMENT ON COLUMN spm_bi.attainment.credited_amount IS 'Credited, in currency_code. Additive within a currency and credit kind.';
COMMENT ON COLUMN spm_bi.attainment.quota_amount IS 'Quota of all that the component accumulates over. Additive over payees only.';
COMMENT ON COLUMN spm_bi.attainment.attainment_ratio IS 'opening plus credited amount, divided by quota: 1 is 100 %. NULL without a quota. Not additive: divide the sums.';
COMMENT ON COLUMN spm_bi.attainment.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.attainment.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.attainment.run_id IS 'Run that wrote it.';

CREATE OR REPLACE VIEW spm_bi.earning WITH (security_invoker = true) AS
SELECT e.earning_id, e.period_id, p.name AS period_name, lower(p.span) AS period_start,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       e.reverses_id IS NOT NULL AS is_reversal,
       e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name,
       e.credit_id, t.source, t.transaction_key, t.line, t.event_date,
       e.exchange_rate::numeric(24,10) AS exchange_rate, e.base_amount::numeric(24,6) AS base_amount,
       e.from_total::numeric(24,6) AS from_total, e.amount::numeric(20,4) AS earned_amount, n.currency_code, e.run_id,
       e.kind AS earning_kind
FROM spm.earning e
LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = e.period_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.payee y ON y.payee_id = e.payee_id
JOIN spm.position s ON s.position_id = e.position_id
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
WHERE e.credit_period_id IS NULL
UNION ALL    -- by itself, so that what is asked of one period reads the credits of that one only
SELECT e.earning_id, e.period_id, p.name, lower(p.span),
       pp.period_id, pp.name, o.state = 'posted',
       e.reverses_id IS NOT NULL,
       e.payee_id, y.payee_key, y.name, e.position_id, s.name,
       n.name, v.version_no, c.component_no, c.name,
       e.credit_id, t.source, t.transaction_key, t.line, t.event_date,
       e.exchange_rate::numeric(24,10), e.base_amount::numeric(24,6),
       e.from_total::numeric(24,6), e.amount::numeric(20,4), n.currency_code, e.run_id,
       e.kind
FROM spm.earning e
JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = e.credit_period_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.payee y ON y.payee_id = e.payee_id
JOIN spm.position s ON s.position_id = e.position_id
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
WHERE e.credit_period_id IS NOT NULL;
COMMENT ON VIEW spm_bi.earning IS 'One row per component and deal: what the deal earned; one per component and seat for what is not of a single deal; and one more for each that takes back a posted one.';
COMMENT ON COLUMN spm_bi.earning.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm_bi.earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.earning.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.earning.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.earning.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.earning.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.earning.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.earning.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.earning.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.earning.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.earning.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.earning.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.earning.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.earning.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.earning.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.earning.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.earning.credit_id IS 'Credit. NULL: not of a single deal.';
COMMENT ON COLUMN spm_bi.earning.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.earning.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.earning.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.earning.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.earning.exchange_rate IS 'From the currency of the transaction to that of the plan. Not additive.';
COMMENT ON COLUMN spm_bi.earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.earning.from_total IS 'Running total before the deal. Not additive.';
COMMENT ON COLUMN spm_bi.earning.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.earning.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm_bi.earning.earning_kind IS 'deal, refund: of a deal; total, true_up, rank, pool: not of a single one.';

CREATE OR REPLACE VIEW spm_bi.payout WITH (security_invoker = true) AS
SELECT x.payout_id, pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start,
       o.state = 'posted' AS is_posted, x.period_id, p.name AS period_name, x.period_id <> pp.period_id AS is_difference,
       x.payee_id, y.payee_key, y.name AS payee_name, x.position_id, s.name AS position_name,
       n.name AS plan_name, c.component_no, c.name AS component_name,
       x.amount::numeric(20,4) AS paid_amount, x.currency_code, x.run_id, x.kind, r.name AS pay_rule_name, x.reason
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.position s ON s.position_id = x.position_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id;
COMMENT ON VIEW spm_bi.payout IS 'One row per paying period, payee, component and period of earning: what is paid; and rows beside them for what pay rules, holds and adjustments add or take away.';
COMMENT ON COLUMN spm_bi.payout.payout_id IS 'Payout. NULL while a difference nets to zero.';
COMMENT ON COLUMN spm_bi.payout.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.payout.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.payout.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.payout.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.payout.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.payout.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.payout.is_difference IS 'Whether it corrects an earlier, posted period.';
COMMENT ON COLUMN spm_bi.payout.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payout.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payout.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payout.position_id IS 'Position. NULL: not of one position.';
COMMENT ON COLUMN spm_bi.payout.position_name IS 'Name of the position. NULL: not of one position.';
COMMENT ON COLUMN spm_bi.payout.plan_name IS 'Plan. NULL: an adjustment beside all plans.';
COMMENT ON COLUMN spm_bi.payout.component_no IS 'Order of the component on the statement. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.payout.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.payout.paid_amount IS 'Paid, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.payout.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.payout.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm_bi.payout.kind IS 'earning: what was earned; others add to it or take away: budget, cap, carried, holdback, guarantee, draw, recovery, forgiveness, negative, adjustment, hold, release.';
COMMENT ON COLUMN spm_bi.payout.pay_rule_name IS 'Pay rule that it comes from. NULL: none.';
COMMENT ON COLUMN spm_bi.payout.reason IS 'Why, in words. NULL: the kind says it.';

CREATE OR REPLACE VIEW spm_bi.statement WITH (security_invoker = true) AS
SELECT l.paid_period_id, l.paid_period_name, l.paid_period_start, l.is_posted, l.period_id, l.period_name, l.is_difference,
       l.payee_id, l.payee_key, l.payee_name, l.position_id, l.position_name, l.plan_name, l.plan_version_no, l.component_no, l.component_name,
       l.tier_no, l.kind AS slice_kind, k.from_value::numeric(24,6) AS tier_from, k.to_value::numeric(24,6) AS tier_to, l.tier_basis,
       l.rate::numeric(18,8) AS rate, l.deal_count, l.base_amount::numeric(24,6) AS base_amount,
       l.amount::numeric(20,4) AS earned_amount, l.currency_code,
       'earning' AS payout_kind, NULL::text AS pay_rule_name, l.amount::numeric(20,4) AS paid_amount
-- Grouped by all the keys, so that a condition on a name is met before anything is added up.
FROM (SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start, o.state = 'posted' AS is_posted,
             e.period_id, p.name AS period_name, e.period_id <> pp.period_id AS is_difference,
             e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, s.name AS position_name,
             n.name AS plan_name, n.currency_code, v.version_no AS plan_version_no, e.component_id, c.component_no, c.name AS component_name, c.tier_basis,
             e.tier_no, e.kind, e.rate, count(DISTINCT e.credit_id) AS deal_count, sum(e.base_amount) AS base_amount, sum(e.amount) AS amount
      FROM spm.earning_slice e
      JOIN spm.posting o ON o.posting_id = e.posting_id
      JOIN spm.period pp ON pp.period_id = o.period_id
      JOIN spm.period p ON p.period_id = e.period_id
      JOIN spm.payee y ON y.payee_id = e.payee_id
      JOIN spm.position s ON s.position_id = e.position_id
      JOIN spm.component c ON c.component_id = e.component_id
      JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
      JOIN spm.plan n ON n.plan_id = v.plan_id
      GROUP BY o.posting_id, pp.period_id, e.period_id, p.period_id, e.payee_id, y.payee_id, e.position_id, s.position_id,
               e.component_id, c.component_id, v.plan_version_id, n.plan_id, e.tier_no, e.kind, e.rate) l
LEFT JOIN LATERAL (
    SELECT lower(t.bounds) AS from_value, upper(t.bounds) AS to_value
    FROM spm.tier t WHERE t.component_id = l.component_id
    ORDER BY lower(t.bounds) OFFSET greatest(l.tier_no, 1) - 1 LIMIT 1) k ON l.tier_no > 0
UNION ALL    -- what pay rules, holds and adjustments make of it
SELECT pp.period_id, pp.name, lower(pp.span), o.state = 'posted', x.period_id, p.name, x.period_id <> pp.period_id,
       x.payee_id, y.payee_key, y.name, x.position_id, s.name, n.name, v.version_no, c.component_no, c.name,
       NULL::int, NULL::text, NULL::numeric(24,6), NULL::numeric(24,6), NULL::text, NULL::numeric(18,8), NULL::bigint, NULL::numeric(24,6), NULL::numeric(20,4),
       x.currency_code, x.kind, r.name, x.amount::numeric(20,4)
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
LEFT JOIN spm.position s ON s.position_id = x.position_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
WHERE x.kind <> 'earning';
COMMENT ON VIEW spm_bi.statement IS 'One row per line of a statement: paying period, payee, component, period of earning, tier and rate; and what pay rules, holds and adjustments make of it.';
COMMENT ON COLUMN spm_bi.statement.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.statement.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.statement.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.statement.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.statement.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.statement.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.statement.is_difference IS 'Whether it corrects an earlier, posted period.';
COMMENT ON COLUMN spm_bi.statement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.statement.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.statement.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.statement.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.statement.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.statement.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.statement.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.statement.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.statement.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.statement.tier_no IS 'Tier of the rates; 0 below the first.';
COMMENT ON COLUMN spm_bi.statement.slice_kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm_bi.statement.tier_from IS 'Where the tier begins, in tier_basis. Not additive.';
COMMENT ON COLUMN spm_bi.statement.tier_to IS 'Where it ends; NULL: it does not.';
COMMENT ON COLUMN spm_bi.statement.tier_basis IS 'amount: tiers are amounts; quota: shares of quota.';
COMMENT ON COLUMN spm_bi.statement.rate IS 'Rate: 0.08 is 8 %. Not additive.';
COMMENT ON COLUMN spm_bi.statement.deal_count IS 'Deals in the line. Additive over tiers only with care: a deal can touch two.';
COMMENT ON COLUMN spm_bi.statement.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.statement.earned_amount IS 'Earned, in currency_code; NULL for what is not earned. Additive within a currency.';
COMMENT ON COLUMN spm_bi.statement.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.statement.payout_kind IS 'earning: what was earned; others add to it or take away: cap, draw, recovery, adjustment ...';
COMMENT ON COLUMN spm_bi.statement.pay_rule_name IS 'Pay rule. NULL: none.';
COMMENT ON COLUMN spm_bi.statement.paid_amount IS 'Paid: earned, or what a pay rule, hold or adjustment adds or takes. Additive within a currency; adds up to what is payable.';

-- Payee and period first: what the planner is asked for goes before the slices are worked out.
CREATE OR REPLACE VIEW spm_bi.lineage WITH (security_invoker = true) AS
SELECT x.payout_id, e.earning_id, e.tier_no, e.kind AS slice_kind, e.credit_id,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       e.period_id, p.name AS period_name, e.reverses_id IS NOT NULL AS is_reversal,
       e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, n.name AS plan_name, c.component_no, c.name AS component_name,
       e.slice_from::numeric(24,6) AS slice_from, e.slice_to::numeric(24,6) AS slice_to, e.rate::numeric(18,8) AS rate,
       e.base_amount::numeric(24,6) AS base_amount, e.amount::numeric(20,4) AS slice_amount, n.currency_code,
       t.kind AS credit_kind, t.level::int AS level, t.share::numeric(12,6) AS share_ratio,
       t.source, t.transaction_key, t.line, t.event_date, t.type AS transaction_type,
       t.amount::numeric(24,6) AS transaction_amount, t.currency_code AS transaction_currency_code,
       'earning' AS payout_kind, NULL::text AS pay_rule_name, e.amount::numeric(20,4) AS paid_amount
FROM spm.payee y
JOIN spm.earning_slice e ON e.payee_id = y.payee_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = e.period_id
LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.kind)
    = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, 'earning')
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
WHERE e.credit_period_id IS NULL
UNION ALL    -- by itself, so that what is asked of one period reads the credits of that one only
SELECT x.payout_id, e.earning_id, e.tier_no, e.kind, e.credit_id,
       pp.period_id, pp.name, o.state = 'posted',
       e.period_id, p.name, e.reverses_id IS NOT NULL,
       e.payee_id, y.payee_key, y.name, e.position_id, n.name, c.component_no, c.name,
       e.slice_from::numeric(24,6), e.slice_to::numeric(24,6), e.rate::numeric(18,8),
       e.base_amount::numeric(24,6), e.amount::numeric(20,4), n.currency_code,
       t.kind, t.level::int, t.share::numeric(12,6),
       t.source, t.transaction_key, t.line, t.event_date, t.type,
       t.amount::numeric(24,6), t.currency_code,
       'earning', NULL::text, e.amount::numeric(20,4)
FROM spm.payee y
JOIN spm.earning_slice e ON e.payee_id = y.payee_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = e.credit_period_id
LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.kind)
    = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, 'earning')
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
WHERE e.credit_period_id IS NOT NULL
UNION ALL    -- what pay rules, holds and adjustments make of it
SELECT x.payout_id, NULL, NULL, NULL, NULL, pp.period_id, pp.name, o.state = 'posted', x.period_id, p.name, false,
       x.payee_id, y.payee_key, y.name, x.position_id, n.name, c.component_no, c.name,
       NULL::numeric(24,6), NULL::numeric(24,6), NULL::numeric(18,8), NULL::numeric(24,6), NULL::numeric(20,4), x.currency_code,
       NULL::text, NULL::int, NULL::numeric(12,6), NULL::text, NULL::text, NULL::text, NULL::date, NULL::text, NULL::numeric(24,6), NULL::text,
       x.kind, r.name, x.amount::numeric(20,4)
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
WHERE x.kind <> 'earning';
COMMENT ON VIEW spm_bi.lineage IS 'One row per payout, deal and tier: every cent from what is paid back to the row of the source; and one per payout that is not earned but comes from a pay rule, a hold or an adjustment.';
COMMENT ON COLUMN spm_bi.lineage.payout_id IS 'Payout. NULL while a difference nets to zero.';
COMMENT ON COLUMN spm_bi.lineage.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm_bi.lineage.tier_no IS 'Tier of the rates; 0 below the first.';
COMMENT ON COLUMN spm_bi.lineage.slice_kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm_bi.lineage.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.lineage.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.lineage.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.lineage.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.lineage.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.lineage.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.lineage.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.lineage.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.lineage.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.lineage.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.lineage.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.lineage.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.lineage.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.lineage.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.lineage.slice_from IS 'Running total where the slice begins. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.slice_to IS 'Running total where it ends. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.rate IS 'Rate: 0.08 is 8 %. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.lineage.slice_amount IS 'Earned in the slice; NULL for what is not earned. Additive within a currency.';
COMMENT ON COLUMN spm_bi.lineage.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.lineage.credit_kind IS 'direct, rollup, overlay, team, territory or rolldown.';
COMMENT ON COLUMN spm_bi.lineage.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm_bi.lineage.share_ratio IS 'Share of the transaction: 0.6 is 60 %. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.lineage.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.lineage.transaction_currency_code IS 'Currency of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.payout_kind IS 'earning: what was earned; others add to it or take away: cap, draw, recovery, adjustment ...';
COMMENT ON COLUMN spm_bi.lineage.pay_rule_name IS 'Pay rule. NULL: none.';
COMMENT ON COLUMN spm_bi.lineage.paid_amount IS 'Paid: the slice, or what a pay rule, hold or adjustment adds or takes. Additive within a currency; adds up to what is payable.';

CREATE OR REPLACE VIEW spm_bi.reconciliation WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, r.period_id, p.name AS period_name, r.payee_id, y.payee_key, y.name AS payee_name,
       c.component_no, c.name AS component_name, r.measured_base::numeric(24,6) AS measured_base_amount,
       r.earned_base::numeric(24,6) AS deal_base_amount, r.measured_amount::numeric(20,4) AS measured_amount,
       r.earned_amount::numeric(20,4) AS earned_amount, r.sliced_amount::numeric(20,4) AS sliced_amount,
       r.paid_amount::numeric(20,4) AS paid_amount, r.is_reconciled
FROM spm.reconciliation r
JOIN spm.posting o ON o.posting_id = r.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = r.period_id
JOIN spm.payee y ON y.payee_id = r.payee_id
JOIN spm.component c ON c.component_id = r.component_id;
COMMENT ON VIEW spm_bi.reconciliation IS 'One row per paying period, period of earning, payee and component: the proof that totals, deals, slices and payout agree.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.reconciliation.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.reconciliation.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.reconciliation.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.reconciliation.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.reconciliation.measured_base_amount IS 'Measured, from the totals.';
COMMENT ON COLUMN spm_bi.reconciliation.deal_base_amount IS 'Measured, added up from the deals.';
COMMENT ON COLUMN spm_bi.reconciliation.measured_amount IS 'Earned, from the totals.';
COMMENT ON COLUMN spm_bi.reconciliation.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.reconciliation.sliced_amount IS 'Earned, added up from the tier slices.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_amount IS 'Paid, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.reconciliation.is_reconciled IS 'Whether all agree. Always true, or something is wrong.';
