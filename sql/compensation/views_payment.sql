/*
 * compensation/views_payment.sql: what payroll, the general ledger and BI see
 * of payments.
 */

CREATE OR REPLACE VIEW spm_bi.unpaid WITH (security_invoker = true) AS
SELECT x.payout_id, w.period_id AS paid_period_id, w.name AS paid_period_name, p.name AS period_name, x.payee_id, y.payee_key, y.name AS payee_name,
       n.name AS plan_name, c.name AS component_name, x.kind, x.amount::numeric(20,4) AS unpaid_amount, x.currency_code
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id AND o.state = 'posted'
JOIN spm.period w ON w.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
WHERE x.amount <> 0 AND NOT EXISTS (SELECT FROM spm.payment_item i WHERE i.payout_id = x.payout_id AND i.is_live);
COMMENT ON VIEW spm_bi.unpaid IS 'One row per posted payout that is in no payment batch: the next one gathers it.';
COMMENT ON COLUMN spm_bi.unpaid.payout_id IS 'Payout.';
COMMENT ON COLUMN spm_bi.unpaid.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.unpaid.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.unpaid.period_name IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.unpaid.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.unpaid.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.unpaid.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.unpaid.plan_name IS 'Plan. NULL: beside all plans.';
COMMENT ON COLUMN spm_bi.unpaid.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.unpaid.kind IS 'Kind of the payout: earning, draw, recovery, holdback ...';
COMMENT ON COLUMN spm_bi.unpaid.unpaid_amount IS 'Amount, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.unpaid.currency_code IS 'Currency of the plan.';

CREATE OR REPLACE VIEW spm_bi.payment_batch WITH (security_invoker = true) AS
SELECT b.payment_batch_id, p.period_id, p.name AS period_name, b.pay_on, b.state, b.proposed_at, b.proposed_by, b.approved_at, b.approved_by,
       b.paid_on, b.reference, b.reason, a.payment_count, a.item_count,
       a.is_reconciled AND (b.state NOT IN ('approved', 'paid') OR EXISTS (
           SELECT FROM spm.payment_event e WHERE e.payment_batch_id = b.payment_batch_id AND e.to_state = 'approved'
             AND e.recorded_by = b.approved_by AND e.recorded_by <> b.proposed_by)) AS is_reconciled
FROM spm.payment_batch b
JOIN spm.period p ON p.period_id = b.period_id
CROSS JOIN LATERAL (
    SELECT count(*) AS payment_count, coalesce(sum(i.item_count), 0)::bigint AS item_count,
           coalesce(bool_and(i.paid_amount = m.amount AND i.is_whole AND i.is_live = (b.state NOT IN ('rejected', 'withdrawn'))), false) AS is_reconciled
    FROM spm.payment m
    LEFT JOIN LATERAL (
        SELECT sum(o.part_count) AS item_count, sum(o.paid_amount) AS paid_amount, bool_and(o.amount = x.amount AND g.state = 'posted') AS is_whole,
               bool_and(o.is_live) AS is_live
        FROM (SELECT t.payout_id, count(*) AS part_count, sum(t.amount) AS amount, sum(t.paid_amount) AS paid_amount, bool_and(t.is_live) AS is_live
              FROM spm.payment_item t WHERE t.payment_id = m.payment_id GROUP BY t.payout_id) o
        JOIN spm.payout x ON x.payout_id = o.payout_id
        JOIN spm.posting g ON g.posting_id = x.posting_id) i ON true
    WHERE m.payment_batch_id = b.payment_batch_id) a;
COMMENT ON VIEW spm_bi.payment_batch IS 'One row per payment batch: who proposed, approved and paid it, and the proof that it adds up.';
COMMENT ON COLUMN spm_bi.payment_batch.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payment_batch.period_id IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm_bi.payment_batch.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.payment_batch.pay_on IS 'Day of the payment as planned.';
COMMENT ON COLUMN spm_bi.payment_batch.state IS 'proposed, approved, paid, rejected or withdrawn.';
COMMENT ON COLUMN spm_bi.payment_batch.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN spm_bi.payment_batch.proposed_by IS 'Login that proposed it.';
COMMENT ON COLUMN spm_bi.payment_batch.approved_at IS 'When it was approved.';
COMMENT ON COLUMN spm_bi.payment_batch.approved_by IS 'Login that approved it.';
COMMENT ON COLUMN spm_bi.payment_batch.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm_bi.payment_batch.reference IS 'Reference of the payment.';
COMMENT ON COLUMN spm_bi.payment_batch.reason IS 'Why it was rejected or withdrawn.';
COMMENT ON COLUMN spm_bi.payment_batch.payment_count IS 'Payments. Additive.';
COMMENT ON COLUMN spm_bi.payment_batch.item_count IS 'Payouts, and parts of them, that are paid. Additive.';
COMMENT ON COLUMN spm_bi.payment_batch.is_reconciled IS 'Whether items add up to payments, parts to posted payouts, and another login approved. Always true, or something is wrong.';

CREATE OR REPLACE VIEW spm_bi.payment WITH (security_invoker = true) AS
SELECT m.payment_id, m.payment_batch_id, b.state, b.pay_on, b.paid_on, b.reference, p.period_id, p.name AS period_name,
       m.payee_id, y.payee_key, y.name AS payee_name, m.amount::numeric(20,4) AS payment_amount, m.currency_code
FROM spm.payment m
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id
JOIN spm.period p ON p.period_id = b.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id;
COMMENT ON VIEW spm_bi.payment IS 'One row per batch, payee and currency: what is transferred.';
COMMENT ON COLUMN spm_bi.payment.payment_id IS 'Payment.';
COMMENT ON COLUMN spm_bi.payment.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payment.state IS 'State of the batch. Those rejected or withdrawn are not paid.';
COMMENT ON COLUMN spm_bi.payment.pay_on IS 'Day of the payment as planned.';
COMMENT ON COLUMN spm_bi.payment.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm_bi.payment.reference IS 'Reference of the payment.';
COMMENT ON COLUMN spm_bi.payment.period_id IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm_bi.payment.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.payment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payment.payment_amount IS 'Amount, in currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.payment.currency_code IS 'Currency of the payment.';

CREATE OR REPLACE VIEW spm_bi.payment_item WITH (security_invoker = true) AS
SELECT i.payment_item_id, i.payment_id, m.payment_batch_id, b.state, i.payout_id, i.part_no, m.payee_id, y.payee_key, y.name AS payee_name,
       w.name AS paid_period_name, p.name AS period_name, n.name AS plan_name, c.name AS component_name, x.kind,
       i.amount::numeric(20,4) AS payout_amount, i.currency_code, (i.exchange_rate / i.exchange_divisor)::numeric(24,10) AS exchange_rate,
       i.paid_amount::numeric(20,4) AS payment_amount, m.currency_code AS payment_currency_code, i.is_live
FROM spm.payment_item i
JOIN spm.payment m ON m.payment_id = i.payment_id
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id
JOIN spm.payout x ON x.payout_id = i.payout_id
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period w ON w.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id;
COMMENT ON VIEW spm_bi.payment_item IS 'One row per payment, payout and exchange rate: what a payment is made of.';
COMMENT ON COLUMN spm_bi.payment_item.payment_item_id IS 'Item.';
COMMENT ON COLUMN spm_bi.payment_item.payment_id IS 'Payment.';
COMMENT ON COLUMN spm_bi.payment_item.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payment_item.state IS 'State of the batch.';
COMMENT ON COLUMN spm_bi.payment_item.payout_id IS 'Payout.';
COMMENT ON COLUMN spm_bi.payment_item.part_no IS '1, or more where deals of a payout have rates of their own.';
COMMENT ON COLUMN spm_bi.payment_item.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payment_item.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payment_item.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payment_item.paid_period_name IS 'Period that pays the payout.';
COMMENT ON COLUMN spm_bi.payment_item.period_name IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.payment_item.plan_name IS 'Plan. NULL: beside all plans.';
COMMENT ON COLUMN spm_bi.payment_item.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.payment_item.kind IS 'Kind of the payout: earning, draw, recovery, holdback ...';
COMMENT ON COLUMN spm_bi.payment_item.payout_amount IS 'What of the payout, in currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.payment_item.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm_bi.payment_item.exchange_rate IS 'Rate into the currency of the payment; 1 when it is the same. Not additive.';
COMMENT ON COLUMN spm_bi.payment_item.payment_amount IS 'What it is in payment_currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.payment_item.payment_currency_code IS 'Currency of the payment.';
COMMENT ON COLUMN spm_bi.payment_item.is_live IS 'Whether it counts: false once the batch is rejected or withdrawn.';

CREATE OR REPLACE VIEW spm_bi.payroll_export WITH (security_invoker = true) AS
SELECT m.payment_batch_id, m.payee_key, m.payee_name, m.payment_amount, m.currency_code, m.period_name, m.pay_on, m.state = 'paid' AS is_paid,
       m.paid_on, m.reference, m.payment_id
FROM spm_bi.payment m
WHERE m.state IN ('approved', 'paid');
COMMENT ON VIEW spm_bi.payroll_export IS 'One row per payment that is approved: for payroll or the bank. Nothing that is not posted and approved is here.';
COMMENT ON COLUMN spm_bi.payroll_export.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payroll_export.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payroll_export.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payroll_export.payment_amount IS 'Amount, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.payroll_export.currency_code IS 'Currency.';
COMMENT ON COLUMN spm_bi.payroll_export.period_name IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm_bi.payroll_export.pay_on IS 'Day of the payment as planned.';
COMMENT ON COLUMN spm_bi.payroll_export.is_paid IS 'Whether it was paid.';
COMMENT ON COLUMN spm_bi.payroll_export.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm_bi.payroll_export.reference IS 'Reference of the payment.';
COMMENT ON COLUMN spm_bi.payroll_export.payment_id IS 'Payment.';

-- What happened, as lines: a positive amount is a debit.  Each entry adds up to zero in every currency.
CREATE OR REPLACE VIEW spm.gl_line WITH (security_invoker = true) AS
SELECT 'accrual' AS entry, 'posting ' || o.posting_id AS document, upper(w.span) - 1 AS entry_date, x.plan_id, coalesce(c.name, '') AS component_name, x.payee_id,
       l.purpose, l.amount, x.currency_code
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id AND o.state = 'posted'
JOIN spm.period w ON w.period_id = o.period_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
CROSS JOIN LATERAL (VALUES (spm._gl_purpose(x.kind, r.method), x.amount), ('waiting', -x.amount)) l(purpose, amount)
UNION ALL
SELECT 'forgiveness', 'posting ' || o.posting_id, upper(w.span) - 1, v.plan_id, '', m.payee_id, l.purpose, l.amount, n.currency_code
FROM spm.balance m
JOIN spm.posting o ON o.posting_id = m.posting_id AND o.state = 'posted'
JOIN spm.period w ON w.period_id = o.period_id
JOIN spm.pay_rule r ON r.pay_rule_id = m.pay_rule_id
JOIN spm.plan_version v ON v.plan_version_id = r.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
CROSS JOIN LATERAL (VALUES ('expense', m.forgiven_amount), ('advance', -m.forgiven_amount)) l(purpose, amount)
WHERE m.forgiven_amount <> 0
UNION ALL      -- what was approved and then rejected is taken back, on the day of the rejection
SELECT t.entry, 'batch ' || b.payment_batch_id, t.entry_date, x.plan_id, coalesce(c.name, ''), m.payee_id, l.purpose, t.sign * l.amount, l.currency_code
FROM spm.payment_item i
JOIN spm.payment m ON m.payment_id = i.payment_id
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id AND b.approved_at IS NOT NULL
JOIN spm.payout x ON x.payout_id = i.payout_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
CROSS JOIN LATERAL (
    SELECT 'payable' AS entry, b.pay_on AS entry_date, 1 AS sign
    UNION ALL
    SELECT 'rejection', greatest(b.pay_on, (e.recorded_at AT TIME ZONE 'UTC')::date), -1 FROM spm.payment_event e
    WHERE e.payment_batch_id = b.payment_batch_id AND e.to_state = 'rejected') t
CROSS JOIN LATERAL (VALUES
    ('waiting', i.amount, i.currency_code), ('payable', -i.paid_amount, m.currency_code),
    ('rounding', CASE WHEN i.currency_code = m.currency_code THEN i.paid_amount - i.amount ELSE 0 END, i.currency_code),
    ('clearing', CASE WHEN i.currency_code = m.currency_code THEN 0 ELSE -i.amount END, i.currency_code),
    ('clearing', CASE WHEN i.currency_code = m.currency_code THEN 0 ELSE i.paid_amount END, m.currency_code)) l(purpose, amount, currency_code)
UNION ALL
SELECT 'payment', 'batch ' || b.payment_batch_id, b.paid_on, NULL, '', m.payee_id, l.purpose, l.amount, m.currency_code
FROM spm.payment m
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id AND b.state = 'paid'
CROSS JOIN LATERAL (VALUES ('payable', m.amount), ('cash', -m.amount)) l(purpose, amount)
UNION ALL
SELECT l.entry, 'month ' || to_char(k.month, 'YYYY-MM'), (k.month + interval '1 month' - interval '1 day')::date, k.plan_id, k.component_name, k.payee_id,
       l.purpose, l.amount, k.currency_code
FROM (SELECT m.month, m.plan_id, m.component_name, m.payee_id, m.currency_code, sum(m.added_amount) AS added_amount,
             sum(m.amortized_amount) AS amortized_amount, sum(m.impaired_amount) AS impaired_amount
      FROM spm.contract_cost_month m
      WHERE m.is_posted
      GROUP BY m.month, m.plan_id, m.component_name, m.payee_id, m.currency_code) k
CROSS JOIN LATERAL (VALUES
    ('capitalization', 'contract cost', k.added_amount), ('capitalization', 'expense', -k.added_amount),
    ('amortization', 'amortization', k.amortized_amount), ('amortization', 'contract cost', -k.amortized_amount),
    ('impairment', 'impairment', k.impaired_amount), ('impairment', 'contract cost', -k.impaired_amount)) l(entry, purpose, amount);
COMMENT ON VIEW spm.gl_line IS 'What is posted, approved, paid and amortised, as lines of a general ledger: a positive amount is a debit. The lines of a document and entry add up to zero in every currency.';
COMMENT ON COLUMN spm.gl_line.entry IS 'accrual, forgiveness, payable, rejection, payment, capitalization, amortization or impairment.';
COMMENT ON COLUMN spm.gl_line.document IS 'Posting, batch or month.';
COMMENT ON COLUMN spm.gl_line.entry_date IS 'Day of the entry.';
COMMENT ON COLUMN spm.gl_line.plan_id IS 'Plan. NULL: not of one.';
COMMENT ON COLUMN spm.gl_line.component_name IS 'Component. Empty: not of one.';
COMMENT ON COLUMN spm.gl_line.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.gl_line.purpose IS 'What the account is for.';
COMMENT ON COLUMN spm.gl_line.amount IS 'Debit; negative: credit.';
COMMENT ON COLUMN spm.gl_line.currency_code IS 'Currency.';

CREATE OR REPLACE VIEW spm_bi.gl_export WITH (security_invoker = true) AS
SELECT g.entry_date, g.entry, g.document, coalesce(a.account_code, g.purpose) AS account_code, g.purpose, n.name AS plan_name,
       nullif(g.component_name, '') AS component_name, g.payee_id, y.payee_key,
       greatest(g.amount, 0)::numeric(20,4) AS debit_amount, greatest(-g.amount, 0)::numeric(20,4) AS credit_amount, g.currency_code,
       a.account_code IS NOT NULL AS is_mapped
FROM (SELECT l.entry, l.document, l.entry_date, l.plan_id, l.component_name, l.payee_id, l.purpose, l.currency_code, sum(l.amount) AS amount
      FROM spm.gl_line l
      GROUP BY l.entry, l.document, l.entry_date, l.plan_id, l.component_name, l.payee_id, l.purpose, l.currency_code
      HAVING sum(l.amount) <> 0) g
JOIN spm.payee y ON y.payee_id = g.payee_id
LEFT JOIN spm.plan n ON n.plan_id = g.plan_id
LEFT JOIN LATERAL (
    SELECT k.account_code FROM spm.gl_account k
    WHERE k.purpose = g.purpose AND coalesce(k.plan_id = g.plan_id, k.plan_id IS NULL) AND k.component_name IN (g.component_name, '') AND k.span @> g.entry_date
    ORDER BY k.plan_id IS NULL, k.component_name = '' LIMIT 1) a ON true;
COMMENT ON VIEW spm_bi.gl_export IS 'One row per entry, account, plan, component and payee: debits and credits for the general ledger. Debits equal credits in every document, entry and currency.';
COMMENT ON COLUMN spm_bi.gl_export.entry_date IS 'Day of the entry: end of the paying period, day of payment, end of the month.';
COMMENT ON COLUMN spm_bi.gl_export.entry IS 'accrual (expense to waiting, at posting), forgiveness (an advance that is written off becomes an expense), payable (waiting to payable, at approval), rejection (back to waiting, where an approved batch is rejected), payment (payable to cash), capitalization, amortization or impairment of contract costs.';
COMMENT ON COLUMN spm_bi.gl_export.document IS 'Posting, batch or month.';
COMMENT ON COLUMN spm_bi.gl_export.account_code IS 'Account by spm.gl_account; the purpose itself where none is set.';
COMMENT ON COLUMN spm_bi.gl_export.purpose IS 'What the account is for.';
COMMENT ON COLUMN spm_bi.gl_export.plan_name IS 'Plan. NULL: not of one plan.';
COMMENT ON COLUMN spm_bi.gl_export.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.gl_export.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.gl_export.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.gl_export.debit_amount IS 'Debit, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.gl_export.credit_amount IS 'Credit, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.gl_export.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.gl_export.is_mapped IS 'Whether an account is set for it.';
