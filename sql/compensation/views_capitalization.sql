/*
 * compensation/views_capitalization.sql: the asset that commissions are, month
 * by month, derived from the ledger.
 */

CREATE OR REPLACE VIEW spm.contract_cost_lot WITH (security_invoker = true) AS
SELECT l.posting_id, l.is_posted, l.paid_period_id, l.capitalization_id, l.plan_id, l.component_name, l.payee_id,
       l.source, l.transaction_key, l.line, l.type AS transaction_type, l.event_date, l.currency_code, l.months, l.is_term,
       l.is_expedient AND l.months <= 12 AS is_expensed, l.first_month, l.amount, l.booked_month,
       (spm._month(l.event_date) + make_interval(months => greatest(b.booked_no, b.last_no)))::date AS last_month,
       b.booked_no, greatest(b.booked_no, b.last_no) AS last_no, b.unit, b.first_units, l.months * b.unit AS units,
       -- spread over what is left: as though the months before had not been there
       CASE WHEN l.late = 'catch-up' OR b.booked_no = 0 THEN 0 ELSE least(l.months * b.unit, b.first_units + (b.booked_no - 1) * b.unit) END AS passed_units
FROM (SELECT e.posting_id, o.state = 'posted' AS is_posted, o.period_id AS paid_period_id, k.capitalization_id,
             v.plan_id, m.name AS component_name, e.payee_id, c.source, d.transaction_key, d.line, d.type, d.event_date, n.currency_code,
             greatest(spm._month(c.event_date), spm._month(lower(w.span))) AS booked_month,
             coalesce(t.term, k.months) AS months, t.term IS NOT NULL AS is_term, k.is_expedient, k.first_month,
             CASE WHEN r.transaction_key IS NULL THEN k.late WHEN m.refund = 'unearned' THEN 'prospective' ELSE 'catch-up' END AS late,
             sum(e.amount) AS amount
      FROM spm.earning e
      JOIN spm.posting o USING (posting_id)
      JOIN spm.period w ON w.period_id = o.period_id
      JOIN spm.component m ON m.component_id = e.component_id
      JOIN spm.plan_version v USING (plan_version_id)
      JOIN spm.plan n USING (plan_id)
      JOIN spm.credit c ON c.credit_id = e.credit_id AND c.period_id = coalesce(e.credit_period_id, e.period_id)
      -- what takes a deal back belongs to the asset of that deal, as it stood then: booked or paid, as the component goes by
      LEFT JOIN LATERAL (
          SELECT x.transaction_key, x.line, x.type, x.event_date, x.attributes FROM spm.credit x
          WHERE x.transaction_key = c.reference_key AND x.source = c.source AND x.event = m.event AND x.posting_id <= e.posting_id
          ORDER BY x.line = c.line DESC, x.line, x.posting_id DESC, x.reverses_id NULLS FIRST LIMIT 1) r ON true
      CROSS JOIN LATERAL (
          SELECT coalesce(r.transaction_key, c.transaction_key) AS transaction_key, coalesce(r.line, c.line) AS line, coalesce(r.type, c.type) AS type,
                 coalesce(r.event_date, c.event_date) AS event_date, coalesce(r.attributes, c.attributes) AS attributes) d
      CROSS JOIN LATERAL (
          SELECT x.* FROM spm.capitalization x
          WHERE x.plan_id = v.plan_id AND x.component_name IN (m.name, '') AND x.transaction_type IN (d.type, '') AND x.span @> d.event_date
          ORDER BY x.component_name = '', x.transaction_type = '' LIMIT 1) k
      CROSS JOIN LATERAL (
          SELECT CASE WHEN d.attributes ->> k.term_attribute ~ '^0*[1-9][0-9]{0,2}(\.0*)?$|^1[01][0-9]{2}(\.0*)?$|^1200(\.0*)?$'
                      THEN (d.attributes ->> k.term_attribute)::numeric::int END AS term) t
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
      HAVING sum(e.amount) <> 0) l
CROSS JOIN LATERAL (
    SELECT spm._month_no(l.booked_month) - spm._month_no(l.event_date) AS booked_no, spm._last_no(l.event_date, l.first_month, l.months) AS last_no,
           spm._month_unit(l.event_date, l.first_month) AS unit, spm._first_units(l.event_date, l.first_month) AS first_units) b;
COMMENT ON VIEW spm.contract_cost_lot IS 'One row per posting, deal line, payee and component that is a cost of obtaining a contract: what it adds to the asset, and how that is spread. A later posting adds only its difference.';
COMMENT ON COLUMN spm.contract_cost_lot.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.contract_cost_lot.is_posted IS 'Whether that is closed.';
COMMENT ON COLUMN spm.contract_cost_lot.paid_period_id IS 'Period of the posting.';
COMMENT ON COLUMN spm.contract_cost_lot.capitalization_id IS 'Row of spm.capitalization that says so.';
COMMENT ON COLUMN spm.contract_cost_lot.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.contract_cost_lot.component_name IS 'Component.';
COMMENT ON COLUMN spm.contract_cost_lot.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.contract_cost_lot.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.contract_cost_lot.transaction_key IS 'Its key; of a refund, that of the deal which it takes back.';
COMMENT ON COLUMN spm.contract_cost_lot.line IS 'Its line.';
COMMENT ON COLUMN spm.contract_cost_lot.transaction_type IS 'Its type.';
COMMENT ON COLUMN spm.contract_cost_lot.event_date IS 'Its date, on which the spreading starts.';
COMMENT ON COLUMN spm.contract_cost_lot.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm.contract_cost_lot.months IS 'Months it is spread over.';
COMMENT ON COLUMN spm.contract_cost_lot.is_term IS 'Whether they are the term of the contract; else the benefit period.';
COMMENT ON COLUMN spm.contract_cost_lot.is_expensed IS 'Whether it is expensed at once, as it is spread over twelve months or less.';
COMMENT ON COLUMN spm.contract_cost_lot.first_month IS 'How the first month counts.';
COMMENT ON COLUMN spm.contract_cost_lot.amount IS 'What is earned, in the currency of the plan; negative where a difference takes back.';
COMMENT ON COLUMN spm.contract_cost_lot.booked_month IS 'Month in which the asset grows: that of the deal or refund, or for a difference the first of the period that pays it.';
COMMENT ON COLUMN spm.contract_cost_lot.last_month IS 'Month in which the last part is amortised.';
COMMENT ON COLUMN spm.contract_cost_lot.booked_no IS 'Months from that of the deal to the one in which it is booked.';
COMMENT ON COLUMN spm.contract_cost_lot.last_no IS 'Months from that of the deal to the last one.';
COMMENT ON COLUMN spm.contract_cost_lot.unit IS 'Parts of a month: its days, two, or one.';
COMMENT ON COLUMN spm.contract_cost_lot.first_units IS 'Parts that count in the month of the deal.';
COMMENT ON COLUMN spm.contract_cost_lot.units IS 'Parts of months in all.';
COMMENT ON COLUMN spm.contract_cost_lot.passed_units IS 'Parts of months that had passed before a difference that is spread over the rest.';

CREATE OR REPLACE VIEW spm.contract_cost_month WITH (security_invoker = true) AS
WITH impaired AS (      -- what is kept of a schedule, month by month
    SELECT i.source, i.transaction_key, i.line, i.kept,
           daterange(spm._month(i.impaired_on), lead(spm._month(i.impaired_on)) OVER (
               PARTITION BY i.source, i.transaction_key, i.line ORDER BY i.impairment_id)) AS months
    FROM spm.impairment i
)
SELECT l.posting_id, l.is_posted, l.plan_id, l.component_name, l.payee_id, l.source, l.transaction_key, l.line, l.event_date, l.currency_code, m.month,
       CASE WHEN m.no = l.booked_no THEN l.amount ELSE 0 END AS added_amount,
       v.before - v.scheduled AS amortized_amount, v.scheduled - v.carrying AS impaired_amount, v.carrying AS carrying_amount
FROM spm.contract_cost_lot l
JOIN spm.currency u ON u.currency_code = l.currency_code
-- OFFSET 0: what follows uses these more than once, and they are not to be computed again
CROSS JOIN LATERAL (
    SELECT g.no, (spm._month(l.event_date) + make_interval(months => g.no))::date AS month,
           CASE WHEN l.units = l.passed_units THEN 0
                ELSE l.amount * (l.units - least(l.units, l.first_units + g.no * l.unit)) / (l.units - l.passed_units) END AS scheduled,
           CASE WHEN g.no > l.booked_no    -- else all of it is still there
                THEN l.amount * (l.units - least(l.units, l.first_units + (g.no - 1) * l.unit)) / (l.units - l.passed_units) END AS scheduled_before
    FROM generate_series(l.booked_no, l.last_no) g(no) OFFSET 0) m
LEFT JOIN impaired a ON a.source = l.source AND a.transaction_key = l.transaction_key AND a.line = l.line AND a.months @> m.month
LEFT JOIN impaired b ON b.source = l.source AND b.transaction_key = l.transaction_key AND b.line = l.line AND b.months @> (m.month - interval '1 month')::date
CROSS JOIN LATERAL (
    SELECT coalesce(spm.rounded(CASE WHEN b.kept IS NULL THEN m.scheduled_before ELSE m.scheduled_before * b.kept END, u.minor_digits), l.amount) AS before,
           spm.rounded(CASE WHEN b.kept IS NULL OR m.no = l.booked_no THEN m.scheduled ELSE m.scheduled * b.kept END, u.minor_digits) AS scheduled,
           spm.rounded(CASE WHEN a.kept IS NULL THEN m.scheduled ELSE m.scheduled * a.kept END, u.minor_digits) AS carrying OFFSET 0) v
WHERE NOT l.is_expensed;
COMMENT ON VIEW spm.contract_cost_month IS 'One row per month of every row of spm.contract_cost_lot that is an asset. What is carried is rounded; what is amortised and written off is the difference to it, so that all of it adds up.';
COMMENT ON COLUMN spm.contract_cost_month.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.contract_cost_month.is_posted IS 'Whether that is closed.';
COMMENT ON COLUMN spm.contract_cost_month.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.contract_cost_month.component_name IS 'Component.';
COMMENT ON COLUMN spm.contract_cost_month.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.contract_cost_month.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.contract_cost_month.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.contract_cost_month.line IS 'Its line.';
COMMENT ON COLUMN spm.contract_cost_month.event_date IS 'Its date.';
COMMENT ON COLUMN spm.contract_cost_month.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm.contract_cost_month.month IS 'First day of the month.';
COMMENT ON COLUMN spm.contract_cost_month.added_amount IS 'What the asset grows by in the month.';
COMMENT ON COLUMN spm.contract_cost_month.amortized_amount IS 'What is amortised in it.';
COMMENT ON COLUMN spm.contract_cost_month.impaired_amount IS 'What is written off at its end.';
COMMENT ON COLUMN spm.contract_cost_month.carrying_amount IS 'What is left of the asset after that.';

-- ------------------------------------------------------------------- for BI

CREATE OR REPLACE VIEW spm_bi.contract_cost WITH (security_invoker = true) AS
SELECT n.name AS plan_name, l.component_name, l.payee_id, y.payee_key, y.name AS payee_name, l.source, l.transaction_key, l.line,
       l.transaction_type, l.event_date, l.is_posted, NOT l.is_expensed AS is_capitalized, l.months, l.is_term AS is_contract_term,
       min(l.booked_month) AS first_booked_month, max(l.last_month) AS last_month,
       sum(l.amount)::numeric(20,4) AS earned_amount, (CASE WHEN l.is_expensed THEN 0 ELSE sum(l.amount) END)::numeric(20,4) AS asset_amount,
       l.currency_code
FROM spm.contract_cost_lot l
JOIN spm.plan n ON n.plan_id = l.plan_id
JOIN spm.payee y ON y.payee_id = l.payee_id
GROUP BY n.name, l.component_name, l.payee_id, y.payee_key, y.name, l.source, l.transaction_key, l.line, l.transaction_type, l.event_date,
         l.is_posted, l.is_expensed, l.months, l.is_term, l.currency_code;
COMMENT ON VIEW spm_bi.contract_cost IS 'One row per deal line, payee and component that is a cost of obtaining a contract: what was earned, and what of it is an asset over how many months.';
COMMENT ON COLUMN spm_bi.contract_cost.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.contract_cost.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.contract_cost.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.contract_cost.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.contract_cost.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.contract_cost.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.contract_cost.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.contract_cost.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.contract_cost.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.contract_cost.event_date IS 'Date of the transaction, on which the spreading starts.';
COMMENT ON COLUMN spm_bi.contract_cost.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.contract_cost.is_capitalized IS 'Whether it is an asset; else it is expensed at once, as it is spread over twelve months or less.';
COMMENT ON COLUMN spm_bi.contract_cost.months IS 'Months it is spread over. Not additive.';
COMMENT ON COLUMN spm_bi.contract_cost.is_contract_term IS 'Whether they are the term of the contract; else the benefit period.';
COMMENT ON COLUMN spm_bi.contract_cost.first_booked_month IS 'Month in which the asset was first booked, its first day.';
COMMENT ON COLUMN spm_bi.contract_cost.last_month IS 'Month in which the last part is amortised, its first day.';
COMMENT ON COLUMN spm_bi.contract_cost.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost.asset_amount IS 'What of it is an asset, before amortisation. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost.currency_code IS 'Currency of the amounts.';

CREATE OR REPLACE VIEW spm_bi.amortization WITH (security_invoker = true) AS
SELECT m.month, n.name AS plan_name, m.component_name, m.payee_id, y.payee_key, y.name AS payee_name, m.source, m.transaction_key, m.line, m.event_date,
       m.is_posted, sum(m.added_amount)::numeric(20,4) AS added_amount, sum(m.amortized_amount)::numeric(20,4) AS amortized_amount,
       sum(m.impaired_amount)::numeric(20,4) AS impaired_amount, sum(m.carrying_amount)::numeric(20,4) AS carrying_amount, m.currency_code
FROM spm.contract_cost_month m
JOIN spm.plan n ON n.plan_id = m.plan_id
JOIN spm.payee y ON y.payee_id = m.payee_id
GROUP BY m.month, n.name, m.component_name, m.payee_id, y.payee_key, y.name, m.source, m.transaction_key, m.line, m.event_date, m.is_posted, m.currency_code;
COMMENT ON VIEW spm_bi.amortization IS 'One row per month, deal line, payee and component: how the asset is amortised.';
COMMENT ON COLUMN spm_bi.amortization.month IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.amortization.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.amortization.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.amortization.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.amortization.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.amortization.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.amortization.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.amortization.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.amortization.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.amortization.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.amortization.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.amortization.added_amount IS 'What the asset grows by in the month. Additive within a currency.';
COMMENT ON COLUMN spm_bi.amortization.amortized_amount IS 'Amortised in the month. Additive within a currency.';
COMMENT ON COLUMN spm_bi.amortization.impaired_amount IS 'Written off at the end of the month. Additive within a currency.';
COMMENT ON COLUMN spm_bi.amortization.carrying_amount IS 'What is left of the asset at the end of the month. Additive over deals, not over months.';
COMMENT ON COLUMN spm_bi.amortization.currency_code IS 'Currency of the amounts.';

CREATE OR REPLACE VIEW spm_bi.contract_cost_rollforward WITH (security_invoker = true) AS
SELECT w.month, n.name AS plan_name, w.is_posted,
       w.opening_amount::numeric(20,4) AS opening_amount, w.added_amount::numeric(20,4) AS added_amount,
       w.amortized_amount::numeric(20,4) AS amortized_amount, w.impaired_amount::numeric(20,4) AS impaired_amount,
       w.closing_amount::numeric(20,4) AS closing_amount, w.currency_code,
       w.opening_amount + w.added_amount - w.amortized_amount - w.impaired_amount = w.closing_amount AS is_reconciled
FROM (SELECT m.plan_id, m.is_posted, m.currency_code, m.month,
             coalesce(lag(sum(m.carrying_amount)) OVER (PARTITION BY m.plan_id, m.is_posted, m.currency_code ORDER BY m.month), 0) AS opening_amount,
             sum(m.added_amount) AS added_amount, sum(m.amortized_amount) AS amortized_amount, sum(m.impaired_amount) AS impaired_amount,
             sum(m.carrying_amount) AS closing_amount
      FROM spm.contract_cost_month m
      GROUP BY m.plan_id, m.is_posted, m.currency_code, m.month) w
JOIN spm.plan n ON n.plan_id = w.plan_id;
COMMENT ON VIEW spm_bi.contract_cost_rollforward IS 'One row per month and plan: the asset at its beginning, what it grows by, what is amortised and written off, and the asset at its end. Posted and draft pay apart; those that are posted are the books.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.month IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.opening_amount IS 'What was carried at the end of the month before. Not additive over months.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.added_amount IS 'What the asset grows by. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.amortized_amount IS 'Amortised. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.impaired_amount IS 'Written off. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.closing_amount IS 'What is carried at the end of the month, from the schedules of all deals. Not additive over months.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.is_reconciled IS 'Whether opening plus additions less amortisation and impairment is what is carried. Always true, or something is wrong.';
