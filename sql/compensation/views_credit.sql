/*
 * compensation/views_credit.sql: credits that people entered.
 */

CREATE OR REPLACE VIEW spm_bi.manual_credit WITH (security_invoker = true) AS
SELECT m.manual_credit_id, m.event_date, y.payee_key, y.name AS payee_name, m.amount::numeric(24,6) AS credited_amount, m.currency_code,
       m.type AS transaction_type, m.account_key, m.product_key, m.quantity::numeric(24,6) AS quantity, m.event, m.reason, m.author, m.entered_at,
       coalesce(d.decision, 'entered') AS state, d.decided_by, d.decided_at, d.reason AS decision_reason
FROM spm.manual_credit m
JOIN spm.payee y USING (payee_id)
LEFT JOIN LATERAL (SELECT e.* FROM spm.manual_credit_decision e WHERE e.manual_credit_id = m.manual_credit_id
                   ORDER BY e.decision = 'withdrawn' DESC LIMIT 1) d ON true;
COMMENT ON VIEW spm_bi.manual_credit IS 'One row per credit that somebody entered, and what became of it.';
COMMENT ON COLUMN spm_bi.manual_credit.manual_credit_id IS 'Key; M-<key> is its transaction_key, in source manual.';
COMMENT ON COLUMN spm_bi.manual_credit.event_date IS 'Day that decides period and seat.';
COMMENT ON COLUMN spm_bi.manual_credit.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.manual_credit.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.manual_credit.credited_amount IS 'Amount, in currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.manual_credit.currency_code IS 'Currency.';
COMMENT ON COLUMN spm_bi.manual_credit.transaction_type IS 'Type, for the conditions of components.';
COMMENT ON COLUMN spm_bi.manual_credit.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.manual_credit.product_key IS 'Product.';
COMMENT ON COLUMN spm_bi.manual_credit.quantity IS 'Quantity.';
COMMENT ON COLUMN spm_bi.manual_credit.event IS 'booking, or the milestone that it stands for.';
COMMENT ON COLUMN spm_bi.manual_credit.reason IS 'Why it was entered.';
COMMENT ON COLUMN spm_bi.manual_credit.author IS 'Login that entered it.';
COMMENT ON COLUMN spm_bi.manual_credit.entered_at IS 'When.';
COMMENT ON COLUMN spm_bi.manual_credit.state IS 'entered: waits for another login; approved: it counts; withdrawn: it counts no more.';
COMMENT ON COLUMN spm_bi.manual_credit.decided_by IS 'Login that approved or withdrew it.';
COMMENT ON COLUMN spm_bi.manual_credit.decided_at IS 'When.';
COMMENT ON COLUMN spm_bi.manual_credit.decision_reason IS 'Why it was approved or withdrawn.';
