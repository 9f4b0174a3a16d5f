/*
 * compensation/views_pay.sql: balances, holds and adjustments for BI.
 */

CREATE OR REPLACE VIEW spm_bi.balance WITH (security_invoker = true) AS
SELECT b.balance_id, p.period_id, p.name AS period_name, lower(p.span) AS period_start, o.state = 'posted' AS is_posted,
       b.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, v.version_no AS plan_version_no, r.name AS pay_rule_name, r.kind AS pay_rule_kind,
       CASE WHEN r.kind IN ('draw', 'negative') THEN 'payee' ELSE 'company' END AS owed_by,
       b.opening_amount::numeric(20,4) AS opening_amount, b.added_amount::numeric(20,4) AS added_amount,
       b.recovered_amount::numeric(20,4) AS recovered_amount, b.forgiven_amount::numeric(20,4) AS forgiven_amount,
       b.closing_amount::numeric(20,4) AS closing_amount, n.currency_code,
       NOT EXISTS (SELECT FROM spm.balance l JOIN spm.pay_rule lr USING (pay_rule_id) JOIN spm.plan_version lv USING (plan_version_id)
                   JOIN spm.period lp ON lp.period_id = l.period_id
                   WHERE l.payee_id = b.payee_id AND lv.plan_id = v.plan_id AND lr.name = r.name
                     AND (lp.span >> p.span OR l.period_id = b.period_id AND l.posting_id > b.posting_id)) AS is_latest,
       NOT EXISTS (SELECT FROM spm.plan_seat(n.plan_id, daterange(upper(p.span), NULL)) s WHERE s.payee_id = b.payee_id) AS is_off_plan,
       (b.added_amount, b.recovered_amount) = (
           SELECT coalesce(sum(CASE WHEN x.kind IN ('draw', 'negative') THEN x.amount WHEN x.kind IN ('cap', 'holdback') THEN -x.amount ELSE 0 END), 0),
                  coalesce(sum(CASE WHEN x.kind = 'recovery' THEN -x.amount WHEN x.kind IN ('carried', 'release') THEN x.amount ELSE 0 END), 0)
           FROM spm.payout x JOIN spm.pay_rule xr USING (pay_rule_id)
           WHERE x.posting_id = b.posting_id AND x.payee_id = b.payee_id AND xr.name = r.name AND x.plan_id = v.plan_id) AS is_reconciled,
       b.run_id
FROM spm.balance b
JOIN spm.posting o ON o.posting_id = b.posting_id
JOIN spm.period p ON p.period_id = b.period_id
JOIN spm.payee y ON y.payee_id = b.payee_id
JOIN spm.pay_rule r ON r.pay_rule_id = b.pay_rule_id
JOIN spm.plan_version v ON v.plan_version_id = r.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.balance IS 'One row per paying period, payee and pay rule: what is owed or kept before and after, and what has moved it.';
COMMENT ON COLUMN spm_bi.balance.balance_id IS 'Balance.';
COMMENT ON COLUMN spm_bi.balance.period_id IS 'Period that pays.';
COMMENT ON COLUMN spm_bi.balance.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.balance.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.balance.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.balance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.balance.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.balance.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.balance.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.balance.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.balance.pay_rule_name IS 'Pay rule.';
COMMENT ON COLUMN spm_bi.balance.pay_rule_kind IS 'draw or negative: owed by the payee; cap or holdback: kept for the payee.';
COMMENT ON COLUMN spm_bi.balance.owed_by IS 'Who owes it: payee or company.';
COMMENT ON COLUMN spm_bi.balance.opening_amount IS 'Balance before, in currency_code. Not additive over periods.';
COMMENT ON COLUMN spm_bi.balance.added_amount IS 'Added, in currency_code. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.balance.recovered_amount IS 'Recovered from pay, or paid to the payee. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.balance.forgiven_amount IS 'Written off. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.balance.closing_amount IS 'Balance after. Not additive over periods.';
COMMENT ON COLUMN spm_bi.balance.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.balance.is_latest IS 'Whether no later period has moved or carried it on: the balance as it stands.';
COMMENT ON COLUMN spm_bi.balance.is_off_plan IS 'Whether the payee is off the plan after the period: what is still owed then was overpaid.';
COMMENT ON COLUMN spm_bi.balance.is_reconciled IS 'Whether the payouts say the same. Always true, or something is wrong.';
COMMENT ON COLUMN spm_bi.balance.run_id IS 'Run that wrote it.';

CREATE OR REPLACE VIEW spm_bi.hold WITH (security_invoker = true) AS
SELECT h.hold_id, h.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, h.component_name, h.source, h.transaction_key,
       nullif(h.since, '-infinity') AS since, h.reason, h.held_at, h.held_by, h.released_at, h.released_by, h.release_reason,
       h.released_at IS NOT NULL AS is_released, (-x.amount)::numeric(20,4) AS held_amount, x.currency_code
FROM spm.hold h
LEFT JOIN spm.payee y ON y.payee_id = h.payee_id
LEFT JOIN spm.plan n ON n.plan_id = h.plan_id
LEFT JOIN (SELECT o.hold_id, o.currency_code, sum(o.amount) AS amount FROM spm.payout o WHERE o.hold_id IS NOT NULL GROUP BY o.hold_id, o.currency_code) x
    ON x.hold_id = h.hold_id;
COMMENT ON VIEW spm_bi.hold IS 'One row per hold and currency: what is held, why, by whom, and how much it keeps.';
COMMENT ON COLUMN spm_bi.hold.hold_id IS 'Hold.';
COMMENT ON COLUMN spm_bi.hold.payee_id IS 'Payee. NULL: whoever.';
COMMENT ON COLUMN spm_bi.hold.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.hold.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.hold.plan_name IS 'Plan. NULL: whichever.';
COMMENT ON COLUMN spm_bi.hold.component_name IS 'Component. NULL: all.';
COMMENT ON COLUMN spm_bi.hold.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.hold.transaction_key IS 'Transaction. NULL: all pay.';
COMMENT ON COLUMN spm_bi.hold.since IS 'First day. NULL: from the start.';
COMMENT ON COLUMN spm_bi.hold.reason IS 'Why it is held.';
COMMENT ON COLUMN spm_bi.hold.held_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.hold.held_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm_bi.hold.released_at IS 'When it was released. NULL: it holds.';
COMMENT ON COLUMN spm_bi.hold.released_by IS 'Login that released it.';
COMMENT ON COLUMN spm_bi.hold.release_reason IS 'Why it was released.';
COMMENT ON COLUMN spm_bi.hold.is_released IS 'Whether it is released.';
COMMENT ON COLUMN spm_bi.hold.held_amount IS 'Kept by now, drafts included, in currency_code. NULL: nothing was ever kept. Additive within a currency.';
COMMENT ON COLUMN spm_bi.hold.currency_code IS 'Currency of the amount.';

CREATE OR REPLACE VIEW spm_bi.adjustment WITH (security_invoker = true) AS
SELECT a.adjustment_id, a.period_id, p.name AS period_name, a.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, c.name AS component_name,
       a.amount::numeric(20,4) AS adjustment_amount, a.currency_code, a.reason, a.recorded_at, a.recorded_by, a.approved_at, a.approved_by,
       a.withdrawn_at, a.withdrawn_by, a.withdrawal_reason,
       CASE WHEN a.withdrawn_at IS NOT NULL THEN 'withdrawn'
            WHEN EXISTS (SELECT FROM spm.payout x JOIN spm.posting o USING (posting_id) WHERE x.adjustment_id = a.adjustment_id AND o.state = 'posted') THEN 'paid'
            WHEN a.approved_at IS NOT NULL THEN 'approved' ELSE 'entered' END AS state
FROM spm.adjustment a
JOIN spm.period p ON p.period_id = a.period_id
JOIN spm.payee y ON y.payee_id = a.payee_id
LEFT JOIN spm.plan n ON n.plan_id = a.plan_id
LEFT JOIN spm.component c ON c.component_id = a.component_id;
COMMENT ON VIEW spm_bi.adjustment IS 'One row per adjustment entered by hand: how much, why, who entered and who approved it.';
COMMENT ON COLUMN spm_bi.adjustment.adjustment_id IS 'Adjustment.';
COMMENT ON COLUMN spm_bi.adjustment.period_id IS 'Period that pays it, or the first open one after it.';
COMMENT ON COLUMN spm_bi.adjustment.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.adjustment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.adjustment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.adjustment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.adjustment.plan_name IS 'Plan whose rules it takes part in. NULL: none.';
COMMENT ON COLUMN spm_bi.adjustment.component_name IS 'Component it is shown with. NULL: none.';
COMMENT ON COLUMN spm_bi.adjustment.adjustment_amount IS 'Amount, in currency_code; negative takes back. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.adjustment.currency_code IS 'Currency of the amount.';
COMMENT ON COLUMN spm_bi.adjustment.reason IS 'Why.';
COMMENT ON COLUMN spm_bi.adjustment.recorded_at IS 'When it was entered.';
COMMENT ON COLUMN spm_bi.adjustment.recorded_by IS 'Login that entered it.';
COMMENT ON COLUMN spm_bi.adjustment.approved_at IS 'When it was approved. NULL: not yet.';
COMMENT ON COLUMN spm_bi.adjustment.approved_by IS 'Login that approved it.';
COMMENT ON COLUMN spm_bi.adjustment.withdrawn_at IS 'When it was withdrawn. NULL: it stands.';
COMMENT ON COLUMN spm_bi.adjustment.withdrawn_by IS 'Login that withdrew it.';
COMMENT ON COLUMN spm_bi.adjustment.withdrawal_reason IS 'Why it was withdrawn.';
COMMENT ON COLUMN spm_bi.adjustment.state IS 'entered, approved, paid or withdrawn.';
