/*
 * From earning to pay: draws, guarantees, balances, commissions that are paid in
 * parts, payments in another currency, ledgers, contract costs.
 * Periods are posted, and so have a calendar that begins where the examples do.
 */
SELECT spm.create_calendar('pay', 'month', '2025-01-01', '2026-01-01');
CREATE TABLE leaving (first_day date, last_day date, name text);
INSERT INTO leaving VALUES ('2025-12-01', '2025-12-31', 'before'), ('2026-01-01', '2026-01-31', 'exit');
SELECT spm.load_periods('leaving', 'leaving', 'first_day', 'last_day', 'name');
SELECT spm.add_currency(c) FROM unnest('{EUR,GBP,UAH}'::text[]) c;

-- ----------------------------------------------------- draws and balances

-- everybody earns what they sell, month by month
CREATE FUNCTION seller(id text, amounts numeric[], n bigint DEFAULT 1, since date DEFAULT '2025-01-01') RETURNS text LANGUAGE sql AS $$
    SELECT oracle.deals(seller.id, '0: 100%', '{}', n => seller.n, plan_no => seller.n, since => seller.since, calendar => 'pay');
    SELECT oracle.sell(oracle.rep(seller.id, seller.n), x, make_date(2025, m::int, 20)) FROM unnest(seller.amounts) WITH ORDINALITY u (x, m);
    SELECT oracle.plan(seller.id, seller.n)
$$;
SELECT spm.add_pay_rule(seller(id, numbers(i->'gross')), 'draw', num(i, 'draw')) FROM example WHERE id = 'DRAW-SB-1';
SELECT spm.add_pay_rule(seller(id, numbers(i->'earned')), CASE WHEN (i->>'recoverable')::boolean THEN 'draw' ELSE 'guarantee' END, num(i, 'draw')) FROM example WHERE id = 'DRAW-OI-1';
SELECT spm.add_pay_rule(seller(id, ARRAY[num(x, 1)], n), 'draw', num(x, 0), method => 'advance', first_periods => 1) FROM example, each(i->'cases') WHERE id = 'DRAW-VIS-1';
SELECT spm.add_pay_rule(seller(id, ARRAY[-num(i, 'chargeback'), num(i, 'advance')]), 'negative') FROM example WHERE id = 'DRAW-FES-1';
SELECT spm.add_pay_rule(seller(id, '{}', since => date '2025-02-01' - num(i, 'active_days')::int), 'draw', num(i, 'draw'), prorate => 'calendar', first_periods => 1) FROM example WHERE id = 'DRAW-OI-4';
SELECT spm.set_variable('variable pay', num(i, 'variable'), payee => rep(id)), quota(rep(id), num(i, 'ramped_quota'), calendar => 'pay'),
       spm.add_pay_rule(seller(id, '{}', since => date '2025-02-01' - num(i, 'active_days')::int), 'draw', variable => 'variable pay', share => num(i, 'draw_percent'), prorate => 'calendar', first_periods => 1),
       component(plan(id), 'Quota', '0: 0', '{"quota": "bookings", "prorate": "calendar"}')
FROM example WHERE id = 'DRAW-TH-2';
-- what was paid before is an advance, recovered from what is earned on the last days
SELECT quota(rep(id, n), num(i, 'quota'), p.name, calendar => 'leaving') FROM example, each(i->'cases'), leaving p WHERE id = 'LEAVE-CAT-1';
SELECT deals(id, format('0%%: %s, 100%%: %s whole', i->>'base_rate', num(i, 'base_rate') * num(i, 'multiplier')), '{}', '{"quota": "bookings"}', n, n, '2025-12-01', (x->>0)::date + 1, 'leaving'),
       sell(rep(id, n), num(i, 'contract'), (i->>'signed')::date)
FROM example, each(i->'cases') WHERE id = 'LEAVE-CAT-1';
SELECT spm.add_pay_rule(plan(id, n), 'draw', num(x, 1), method => 'advance', until => '2026-01-01') FROM example, each(i->'cases') WHERE id = 'LEAVE-CAT-1' AND num(x, 1) > 0;

-- -------------------------------------------------- parts, other currencies

-- a share at once, the rest in three months
SELECT deals(id, '0: ' || (i->>'rate'), ARRAY[coalesce(num(i, 'annual'), num(i, 'premium'))], calendar => 'pay'), spm.spread_pay(plan(id), num(i, 'advance_share'), 3)
FROM example WHERE id IN ('RES-FFL-1', 'RES-FES-1');
SELECT component(plan(id, calendar => 'pay', currency => 'GBP'), 'Pay', '0: ' || (i->>'rate')) FROM example WHERE id = 'FX-IDY-1';
SELECT spm.set_exchange_rate('GBP', 'USD', '2025-01-01', num(i, 'usd_per_gbp')), spm.assign_plan(plan(id), '2025-01-01', payee => rep(id)), spm.set_payment_currency(rep(id), 'USD'),
       sell(rep(id), num(i, 'amount_gbp'), currency => 'GBP')
FROM example WHERE id = 'FX-IDY-1';
SELECT spm.set_exchange_rate(r.key, 'USD', '2025-01-01', r.value::numeric, rate_type => 'base') FROM example, jsonb_each_text(i->'rate_to_base') r WHERE id = 'ESPO-FX-1' AND r.key <> 'USD';

-- --------------------------------------------------- ledgers, contract costs

SELECT deals(id, '0: ' || (i->>'rate'), ARRAY[num(i, 'amount')], calendar => 'pay') FROM example WHERE id = 'FLAT-TRY-3';
SELECT deals(id, '0: 100%', ARRAY[coalesce(num(i, 'deferred'), num(i, 'commission'))], calendar => 'pay'), spm.set_capitalization(plan(id), 'Pay', num(i, 'months')::int)
FROM example WHERE id IN ('ASC-BC-1', 'ASC-JE-1');

CALL calculate('2025-01', '2025-06', 'pay', is_posted => true);
CALL calculate('before', 'exit', 'leaving', is_posted => true);
-- what the ledger says, before and after the payment is approved by somebody else
CREATE FUNCTION ledger(rep text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(purpose, coalesce((SELECT sum(debit_amount - credit_amount) FROM spm_bi.gl_export g WHERE g.payee_key = ledger.rep AND g.purpose = p.purpose), 0))
    FROM unnest('{expense,waiting,payable}'::text[]) p (purpose)
$$;
CREATE TABLE book AS SELECT ledger('FLAT-TRY-3 1') AS after_sale;
SELECT spm.propose_payment('2025-01', 'pay', pay_on => '2025-02-15') AS batch \gset
CREATE ROLE spm_oracle_controller SUPERUSER;
SET SESSION AUTHORIZATION spm_oracle_controller;
SELECT spm.approve_payment(:batch);
RESET SESSION AUTHORIZATION;
DROP ROLE spm_oracle_controller;

-- ------------------------------------------------------------------- answers

CREATE FUNCTION month_by_month(rep text, months int, OUT net jsonb, OUT owed jsonb) LANGUAGE sql AS $$
    SELECT jsonb_agg(coalesce(oracle.paid(rep, period => p.name), 0) ORDER BY p.span),
           jsonb_agg(coalesce((SELECT sum(b.closing_amount) FROM spm_bi.balance b WHERE b.payee_key = rep AND b.period_id = p.period_id), 0) ORDER BY p.span)
    FROM spm.period p JOIN spm.calendar c USING (calendar_id) WHERE c.name = 'pay' AND p.grain = 'month' AND extract(month FROM lower(p.span)) <= months
$$;
SELECT answer(id, 'pay rule draw', jsonb_build_object('net', net, 'owed', owed)) FROM example, month_by_month(rep(id), jsonb_array_length(i->'gross')) WHERE id = 'DRAW-SB-1';
SELECT answer(id, 'pay rule guarantee', net) FROM example, month_by_month(rep(id), 2) WHERE id = 'DRAW-OI-1';
-- what is left beside the advance, or missing
SELECT answer(id, 'pay rule draw, method advance', (SELECT jsonb_build_object('net', jsonb_agg(num(net, 0) - drawn - num(owed, 0) ORDER BY n))
    FROM each(i->'cases') CROSS JOIN LATERAL month_by_month(rep(id, n), 1) m, LATERAL (SELECT sum(paid_amount) AS drawn FROM spm_bi.payout WHERE payee_key = rep(id, n) AND kind = 'draw') d))
FROM example WHERE id = 'DRAW-VIS-1';
SELECT answer(id, 'pay rule negative', net->1) FROM example, month_by_month(rep(id), 2) WHERE id = 'DRAW-FES-1';
SELECT answer(id, 'pay rule draw, prorate calendar', jsonb_build_object('draw', net->0)) FROM example, month_by_month(rep(id), 1) WHERE id = 'DRAW-OI-4';
SELECT answer(id, 'pay rule draw of a share of a variable, prorate calendar; quota, prorate calendar', jsonb_build_object('draw', net->0, 'quota', a.quota_amount))
FROM example CROSS JOIN LATERAL month_by_month(rep(id), 1) CROSS JOIN LATERAL attained(rep(id), 'Quota') a WHERE id = 'DRAW-TH-2';
SELECT answer(id, 'assign_plan until; whole, tiers in percent of quota; pay rule draw, method advance', (
    SELECT jsonb_agg(jsonb_build_object('entitlement', paid(rep(id, n), 'Pay'), 'pay', paid(rep(id, n), period => 'exit')) ORDER BY n) FROM each(i->'cases')))
FROM example WHERE id = 'LEAVE-CAT-1';

SELECT answer(id, 'spread_pay', (SELECT jsonb_object_agg(k, CASE k WHEN 'commission' THEN paid(rep(id)) WHEN 'advance' THEN num(net, 0) WHEN 'rest' THEN num(net, 1) + num(net, 2) + num(net, 3)
        ELSE CASE WHEN net->1 = net->2 AND net->2 = net->3 THEN num(net, 1) END END) FROM jsonb_object_keys(e) k))
FROM example, month_by_month(rep(id), 4) WHERE id IN ('RES-FFL-1', 'RES-FES-1');
SELECT answer(id, 'a plan in its own currency; set_payment_currency, propose_payment', jsonb_build_object('gbp', payout_amount, 'usd', payment_amount))
FROM example JOIN spm_bi.payment_item ON payee_key = rep(id) WHERE id = 'FX-IDY-1';
SELECT answer(id, 'to 10 decimals by the function that payments are converted with: converted, quote base', (
    SELECT jsonb_agg(spm.converted(num(x, 0), x->>1, x->>2, '2025-01-15', rate_type => 'base', quote => 'base', base_currency => 'USD', places => 10) ORDER BY n) FROM each(i->'cases')))
FROM example WHERE id = 'ESPO-FX-1';
SELECT answer(id, 'post, approve_payment; gl_export', jsonb_build_object('after_sale', after_sale, 'after_commission_invoice', ledger(rep(id)))) FROM example, book WHERE id = 'FLAT-TRY-3';
SELECT answer(id, 'set_capitalization', (SELECT jsonb_build_object('per_month', min(amortized_amount)) FROM spm_bi.amortization WHERE payee_key = rep(id) HAVING min(amortized_amount) = max(amortized_amount) AND count(*) = num(i, 'months')))
FROM example WHERE id IN ('ASC-BC-1', 'ASC-JE-1');
