-- From posted payouts to payments: currencies, rates, rounding, approval, ledgers. Figures worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA lab;
CREATE TABLE lab.deal (id text, day date, seller text, amount numeric);
INSERT INTO lab.deal SELECT k || n, d, k, a
FROM unnest('{kim,dan,ed,fay,gil,hal,ina,jon}'::text[]) k, (VALUES (1, '2026-01-10'::date, 600), (2, '2026-01-20', 400)) v(n, d, a);
INSERT INTO lab.deal VALUES ('eve1', '2026-01-10', 'eve', 600.30), ('eve2', '2026-01-20', 'eve', 400.20),
    ('neg1', '2026-01-10', 'neg', -500), ('neg2', '2026-02-10', 'neg', 700),
    ('ron1', '2026-01-10', 'ron', 100.05), ('ray1', '2026-01-10', 'ray', 100.05), ('rut1', '2026-01-10', 'rut', 100.05),
    ('tie1', '2026-02-12', 'tie', 1000), ('uma1', '2026-02-12', 'uma', 1000);
SELECT spm.add_currency(c) FROM unnest('{GBP,USD,EUR,UAH}'::text[]) c \g /dev/null
SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.map_source('deals', 'lab.deal', key => 'id', date => 'day', owner => 'seller', amount => 'amount', fixed_currency => 'GBP') \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position(k, k), spm.assign_position(k, k, '2025-01-01') FROM (SELECT DISTINCT seller FROM lab.deal) d(k) \g /dev/null
SELECT spm.create_plan('UK', 'fiscal', 'GBP', '2026-01-01'), spm.add_component('UK', 'Commission', '0: 10%'),
    spm.create_plan('US', 'fiscal', 'USD', '2026-01-01'), spm.add_component('US', 'Commission', '0: 10%, 1100: 20%'),
    spm.create_plan('Tiered', 'fiscal', 'GBP', '2026-01-01'), spm.add_component('Tiered', 'Commission', '0: 10%, 1100: 20%'),
    spm.create_plan('Fine', 'fiscal', 'GBP', '2026-01-01'), spm.add_component('Fine', 'One', '0: 10%', places => 3), spm.add_component('Fine', 'Two', '0: 10%', places => 3) \g /dev/null
SELECT spm.assign_plan(CASE k WHEN 'uma' THEN 'US' WHEN 'tie' THEN 'Tiered' WHEN 'ron' THEN 'Fine' WHEN 'ray' THEN 'Fine' WHEN 'rut' THEN 'Fine' ELSE 'UK' END, '2026-01-01', payee => k)
FROM (SELECT DISTINCT seller FROM lab.deal) d(k) \g /dev/null
SELECT spm.publish_plan(p) FROM unnest('{UK,US,Tiered,Fine}'::text[]) p \g /dev/null
SELECT spm.set_exchange_rate('GBP', 'USD', '2026-01-01', 1.20), spm.set_exchange_rate('GBP', 'USD', '2026-01-16', 1.25), spm.set_exchange_rate('GBP', 'USD', '2026-02-10', 1.22),
    spm.set_exchange_rate('GBP', 'USD', '2026-01-01', 1.30, 'budget'), spm.set_exchange_rate('USD', 'GBP', '2026-01-01', 0.8),
    spm.set_exchange_rate('GBP', 'EUR', '2026-01-01', 1.2), spm.set_exchange_rate('USD', 'EUR', '2026-01-01', 0.9) \g /dev/null

-- --------------------------------------------- two conventions of quoting a rate
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-01-01', 1.2, 'espo'), spm.set_exchange_rate('UAH', 'USD', '2026-01-01', 0.035, 'espo'),
    spm.set_exchange_rate('USD', 'EUR', '2026-01-01', 1.2, 'units') \g /dev/null
SELECT is(spm.converted(2, 'USD', 'EUR', '2026-03-01', 'espo', 'base', 'USD', 10), 1.6666666667, 'ESPO-FX-1: a rate is what one unit is worth in the base: 2 / 1.2');
SELECT is(spm.converted(2, 'UAH', 'EUR', '2026-03-01', 'espo', 'base', 'USD', 10), 0.0583333333, 'ESPO-FX-1: into the base and out of it: 2 x 0.035 / 1.2');
SELECT is(spm.converted(2, 'EUR', 'USD', '2026-03-01', 'espo', 'base', 'USD', 10), 2.4000000000, 'ESPO-FX-1: into the base: 2 x 1.2');
SELECT is(spm.converted(2, 'USD', 'EUR', '2026-03-01', 'espo', 'inverse', places => 10), 1.6666666667, 'inverse: divided by the rate the other way round');
SELECT is(spm.converted(2, 'USD', 'EUR', '2026-03-01', 'units'), 2.40, 'the other convention, units for one of the base: 2 x 1.2');
SELECT is(spm.converted(2, 'USD', 'USD', '2026-03-01'), 2.00, 'a currency needs no rate to itself');
SELECT is(spm.converted(100, 'GBP', 'USD', '2026-02-15'), 122.00, 'FX-IDY-1: 100 GBP at 1.22 are 122 USD');
SELECT throws_ok($$SELECT spm.converted(2, 'USD', 'UAH', '2026-03-01')$$, '22000', 'no spot rate from USD to UAH on 2026-03-01', 'a rate that is missing is refused, not guessed');
SELECT throws_ok($$SELECT spm.converted(2, 'USD', 'XXX', '2026-03-01')$$, '42704', 'currency "XXX" does not exist', 'an unknown currency is refused');
SELECT throws_ok($$SELECT spm.converted(2, 'USD', 'EUR', '2026-03-01', quote => 'upside')$$, '22023', 'there is no quote "upside"', 'an unknown quote is refused');
SELECT throws_ok($$SELECT spm.converted(2, 'USD', 'EUR', '2026-03-01', quote => 'base')$$, '22023', 'quote base needs a base currency, and only that does', 'base without a base is refused');
SELECT throws_ok($$SELECT spm.converted(2, 'USD', 'EUR', 'infinity')$$, '22023', 'a rate holds on a day, not on infinity', 'no day is refused');
SELECT is(spm.converted(NULL, 'USD', 'EUR', '2026-03-01'), NULL, 'nothing stays nothing');

-- -------------------------------------------------------- who is paid in what
SELECT throws_ok($$SELECT spm.set_payment_currency('nix', 'USD')$$, '42704', NULL, 'an unknown payee is refused');
SELECT throws_ok($$SELECT spm.set_payment_currency('dan', 'XXX')$$, '42704', 'currency "XXX" does not exist', 'an unknown currency is refused');
SELECT throws_ok($$SELECT spm.set_payment_currency('dan', 'USD', rate_on => 'sunday')$$, '22023', 'there is no rate_on "sunday"', 'an unknown day is refused');
SELECT throws_ok($$SELECT spm.set_payment_currency('dan', 'USD', round_at => 'end')$$, '22023', 'there is no round_at "end"', 'an unknown rounding point is refused');
SELECT throws_ok($$SELECT spm.set_payment_currency('dan', 'USD', rounding => 'best')$$, '22023', NULL, 'an unknown rounding is refused');
SELECT throws_ok($$SELECT spm.set_payment_currency('dan', 'USD', quote => 'direct', base_currency => 'EUR')$$, '22023', 'quote base needs a base currency, and only that does', 'a base that is not used is refused');
SELECT spm.set_payment_currency('dan', 'USD'), spm.set_payment_currency('ed', 'USD', rate_on => 'booking'), spm.set_payment_currency('fay', 'USD', rate_on => 'average'),
    spm.set_payment_currency('gil', 'USD', rate_on => 'fixed', rate_type => 'budget'), spm.set_payment_currency('hal', 'USD', rate_on => 'period end'),
    spm.set_payment_currency('ina', 'USD', quote => 'inverse'), spm.set_payment_currency('jon', 'USD', quote => 'base', base_currency => 'EUR'),
    spm.set_payment_currency('eve', 'USD', rate_on => 'booking', round_at => 'deal'), spm.set_payment_currency('ray', 'GBP', round_at => 'payout'),
    spm.set_payment_currency('rut', 'GBP', round_at => 'payout', rounding => 'down'), spm.set_payment_currency('tie', 'USD') \g /dev/null
SELECT throws_ok($$SELECT spm.set_payment_currency('dan', 'EUR')$$, '23P01', 'the payment currency of dan is already set from the beginning', 'nothing is overwritten');
SELECT lives_ok($$SELECT spm.set_payment_currency('dan', 'EUR', '2026-06-01')$$, 'it changes from a day on');

-- ---------------------------------------------------------------- a proposal
CALL spm.calculate('2026-01');
SELECT throws_ok($$SELECT spm.propose_payment('2026-01')$$, '55000', 'nothing is to be paid up to 2026-01', 'what is not posted is not paid');
CALL spm.post('2026-01');
SELECT throws_ok($$SELECT spm.propose_payment('2026-99')$$, '42704', NULL, 'an unknown period is refused');
SELECT throws_ok($$SELECT spm.propose_payment('2026-01', negative => 'forgive')$$, '22023', 'there is no treatment "forgive" of negative payments', 'an unknown treatment is refused');
SELECT throws_ok($$SELECT spm.propose_payment('2026-01', pay_on => 'infinity')$$, '22023', 'a payment needs a day, not infinity', 'no day is refused');
SELECT throws_ok($$SELECT spm.propose_payment('2026-01', pay_on => '2025-12-31')$$, '22000', NULL, 'a day without a rate is refused');
SELECT is(count(*), 0::bigint, 'and leaves nothing behind') FROM spm.payment_batch;
SELECT spm.propose_payment('2026-01', pay_on => '2026-02-15') AS batch \gset
SELECT is((SELECT payment_amount || ' ' || currency_code FROM spm_bi.payment WHERE payee_key = k), expected, d)
FROM (VALUES ('kim', '100.0000 GBP', 'without more, in the currency of the plan'),
    ('dan', '122.0000 USD', 'FX-IDY-1: computed, then converted at the day of the payment: 100 x 1.22'),
    ('ed', '122.0000 USD', 'booking: each deal at the rate of its day: 60 x 1.20 + 40 x 1.25'),
    ('fay', '122.5800 USD', 'average: 15 days at 1.20 and 16 at 1.25 are 38 / 31, times 100'),
    ('gil', '130.0000 USD', 'fixed: the budget rate'),
    ('hal', '125.0000 USD', 'period end: 100 x 1.25'),
    ('ina', '125.0000 USD', 'inverse: 100 / 0.8'),
    ('jon', '133.3300 USD', 'base: 100 x 1.2 / 0.9'),
    ('eve', '122.0700 USD', 'rounded deal by deal: 72.04 + 50.03, where the sum would be 122.06'),
    ('ron', '20.0100 GBP', 'rounded once: 10.005 + 10.005'),
    ('ray', '20.0200 GBP', 'rounded payout by payout: 10.01 + 10.01'),
    ('rut', '20.0000 GBP', 'rounded down: 10.00 + 10.00'),
    ('neg', NULL, 'what nets below zero is not paid')) v(k, expected, d);
SELECT results_eq($$SELECT paid_amount FROM spm.payment_item i JOIN spm.payment USING (payment_id) JOIN spm.payee USING (payee_id) WHERE payee_key = 'ron' ORDER BY payout_id$$,
    $$VALUES (10.01), (10.00)$$, 'the items of a payment add up to it');
SELECT results_eq($$SELECT part_no, payout_amount, exchange_rate, payment_amount FROM spm_bi.payment_item WHERE payee_key = 'ed' ORDER BY 1$$,
    $$VALUES (1, 60.0000, 1.2000000000, 72.0000), (2, 40.0000, 1.2500000000, 50.0000)$$, 'each rate is kept, with what was paid at it');
SELECT results_eq($$SELECT payee_key, unpaid_amount FROM spm_bi.unpaid$$, $$VALUES ('neg', -50.0000)$$, 'it waits for what comes');
SELECT ok(bool_and(is_reconciled), 'the batch adds up') FROM spm_bi.payment_batch;
SELECT throws_ok($$SELECT spm.propose_payment('2026-01')$$, '55000', 'nothing is to be paid up to 2026-01', 'what is in a batch is not gathered again');
SAVEPOINT include;
SELECT lives_ok($$SELECT spm.propose_payment('2026-01', negative => 'include')$$, 'it can be gathered all the same');
SELECT is(payment_amount, -50.0000, 'include: payroll deducts it') FROM spm_bi.payment WHERE payee_key = 'neg';
ROLLBACK TO include;
SELECT throws_ok(format('INSERT INTO spm.payment_item (payment_id, payout_id, part_no, amount, currency_code, exchange_rate, exchange_divisor, paid_amount)
    SELECT payment_id, payout_id, part_no, amount, currency_code, 1, 1, amount FROM spm.payment_item LIMIT 1'), '23505', NULL, 'a payout is never in two batches that live');

-- ----------------------------------------------------------------- four eyes
SELECT throws_ok(format('SELECT spm.approve_payment(%s)', :batch), '42501', format('payment batch %s must be approved by another login', :batch), 'whoever proposes does not approve');
SELECT throws_ok($$UPDATE spm.payment_batch SET state = 'approved', approved_by = 'x', approved_at = now()$$, '42501', NULL, 'nor by hand, in the name of somebody else');
SELECT throws_ok(format('SELECT spm.record_payment(%s, ''P'', ''2026-02-15'')', :batch), '55000', format('payment batch %s is proposed, not approved', :batch), 'what is not approved is not paid');
SELECT throws_ok($$SELECT spm.approve_payment(0)$$, '42704', 'payment batch 0 does not exist', 'an unknown batch is refused');
SELECT throws_ok($$SELECT spm.approve_payment(NULL)$$, '42704', 'payment batch NULL does not exist', 'as is none');
SELECT is(count(*), 0::bigint, 'payroll sees nothing of it') FROM spm_bi.payroll_export;
SELECT throws_ok(format('SELECT spm.reject_payment(%s, '''')', :batch), '22023', 'a batch is rejected for a reason', 'no reason is refused');
CREATE ROLE controller;
GRANT USAGE ON SCHEMA spm, spm_bi TO controller;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA spm TO controller;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO controller;
SELECT spm.reject_payment(:batch, 'the rate of jon') \g /dev/null
SELECT results_eq(format('SELECT b.state, e.from_state, e.to_state, e.reason, e.recorded_by = session_user FROM spm.payment_batch b JOIN spm.payment_event e USING (payment_batch_id) WHERE payment_batch_id = %s', :batch),
    $$VALUES ('withdrawn', 'proposed', 'withdrawn', 'the rate of jon', true)$$, 'who proposes can withdraw, and it is written down');
SELECT is(count(*), 16::bigint, 'everything is free again: nothing is lost') FROM spm_bi.unpaid;
SELECT throws_ok(format('SELECT spm.approve_payment(%s)', :batch), '55000', format('payment batch %s is withdrawn, not proposed', :batch), 'what is withdrawn is not approved');
SELECT ok(bool_and(is_reconciled), 'and still adds up') FROM spm_bi.payment_batch;
SELECT spm.propose_payment('2026-01', pay_on => '2026-02-15') AS batch \gset
SET SESSION AUTHORIZATION controller;
SELECT spm.approve_payment(:batch) \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT results_eq(format('SELECT state, approved_by FROM spm_bi.payment_batch WHERE payment_batch_id = %s', :batch), $$VALUES ('approved', 'controller')$$, 'another login approves');
SELECT is(count(*), 12::bigint, 'and payroll has it') FROM spm_bi.payroll_export WHERE payment_batch_id = :batch AND NOT is_paid;
SAVEPOINT rejected;
SELECT spm.reject_payment(:batch, 'bank holiday') \g /dev/null
SELECT is((SELECT state FROM spm.payment_batch WHERE payment_batch_id = :batch) || (SELECT count(*) FROM spm_bi.unpaid), 'rejected16', 'until it is paid it can be rejected');
SELECT results_eq($$SELECT entry, purpose, debit_amount, credit_amount FROM spm_bi.gl_export WHERE payee_key = 'kim' AND entry IN ('payable', 'rejection') ORDER BY 1, 3$$,
    $$VALUES ('payable', 'payable', 0.0000, 100.0000), ('payable', 'waiting', 100.0000, 0.0000), ('rejection', 'waiting', 0.0000, 100.0000), ('rejection', 'payable', 100.0000, 0.0000)$$,
    'and the ledger takes back what it had as payable');
ROLLBACK TO rejected;
SELECT throws_ok(format('SELECT spm.record_payment(%s, '''', ''2026-02-15'')', :batch), '22023', 'a payment needs a reference and a day', 'no reference is refused');
SELECT throws_ok(format('SELECT spm.record_payment(%s, ''P'', NULL)', :batch), '22023', 'a payment needs a reference and a day', 'no day is refused');
SELECT spm.record_payment(:batch, 'PAY-2026-02', '2026-02-16') \g /dev/null
SELECT results_eq($$SELECT payee_name, payment_amount, currency_code, period_name, is_paid, paid_on, reference FROM spm_bi.payroll_export WHERE payee_key = 'dan'$$,
    $$VALUES ('dan', 122.0000, 'USD', '2026-01', true, '2026-02-16'::date, 'PAY-2026-02')$$, 'what was paid, when, and under which reference');

-- -------------------------------------------------------- what is paid never changes
SELECT throws_ok(format('SELECT spm.reject_payment(%s, ''x'')', :batch), '55000', format('payment batch %s is paid, not proposed or approved', :batch), 'what is paid is not rejected');
SELECT throws_ok(format(call, :batch), code, NULL, format('refused: %s', call))
FROM (VALUES ('UPDATE spm.payment_batch SET state = ''proposed'', approved_at = NULL, approved_by = NULL, paid_on = NULL, reference = NULL WHERE payment_batch_id = %s', '23001'),
    ('UPDATE spm.payment_batch SET pay_on = pay_on + 1 WHERE payment_batch_id = %s', '23001'), ('DELETE FROM spm.payment_batch WHERE payment_batch_id = %s', '23001'),
    ('UPDATE spm.payment SET amount = amount + 1 WHERE payment_batch_id = %s', '55000'), ('DELETE FROM spm.payment WHERE payment_batch_id = %s', '55000'),
    ('UPDATE spm.payment_item SET paid_amount = 0', '23001'), ('UPDATE spm.payment_item SET is_live = false', '23001'), ('DELETE FROM spm.payment_item', '23001'),
    ('DELETE FROM spm.payment_event', '55000'), ('TRUNCATE spm.payment_item', '23001'), ('TRUNCATE spm.payment_batch CASCADE', '23001'), ('TRUNCATE spm.payment CASCADE', '55000'),
    ('INSERT INTO spm.payment_batch (period_id, pay_on, state, approved_at, approved_by, proposed_by) SELECT period_id, pay_on, ''approved'', now(), ''ann'', ''ann'' FROM spm.payment_batch', '23514')) v(call, code);

-- ---------------------------------------------- the next batch; convert, then rate
CALL spm.calculate('2026-02');
CALL spm.post('2026-02');
SELECT spm.propose_payment('2026-02', pay_on => '2026-03-15') \g /dev/null
SELECT results_eq($$SELECT payee_key, payment_amount, currency_code FROM spm_bi.payment WHERE period_name = '2026-02' ORDER BY 1$$,
    $$VALUES ('neg', 20.0000, 'GBP'), ('tie', 122.0000, 'USD'), ('uma', 134.0000, 'USD')$$,
    'what was carried is made up for; 1000 GBP are 100 GBP, then 122 USD; or 1220 USD, and then 110 + 24, as a tier starts at 1100');
SELECT is(count(*), 0::bigint, 'nothing waits any more') FROM spm_bi.unpaid;

-- ------------------------------------------------------------- the general ledger
SELECT throws_ok($$SELECT spm.set_gl_account('coffee', '1')$$, '22023', 'no account is needed for "coffee"', 'an unknown purpose is refused');
SELECT throws_ok($$SELECT spm.set_gl_account('expense', '')$$, '22023', NULL, 'an empty account is refused');
SELECT throws_ok($$SELECT spm.set_gl_account('expense', '1', 'Nix')$$, '42704', 'plan "Nix" does not exist', 'an unknown plan is refused');
SELECT spm.set_gl_account('expense', '6100'), spm.set_gl_account('expense', '6150', 'UK'), spm.set_gl_account('expense', '6199', component => 'Two'), spm.set_gl_account('waiting', '2310'),
    spm.set_gl_account('payable', '2320') \g /dev/null
SELECT throws_ok($$SELECT spm.set_gl_account('expense', '6101')$$, '23P01', 'the account for "expense" is already set', 'nothing is overwritten');
SELECT lives_ok($$SELECT spm.set_gl_account('expense', '6160', 'UK', since => '2026-02-01')$$, 'an account changes from a day on');
SELECT results_eq($$SELECT entry, account_code, debit_amount, credit_amount, is_mapped FROM spm_bi.gl_export WHERE payee_key = 'kim' ORDER BY entry_date, entry DESC, debit_amount DESC$$,
    $$VALUES ('accrual', '6150', 100.0000, 0.0000, true), ('accrual', '2310', 0.0000, 100.0000, true), ('payable', '2310', 100.0000, 0.0000, true), ('payable', '2320', 0.0000, 100.0000, true),
        ('payment', '2320', 100.0000, 0.0000, true), ('payment', 'cash', 0.0000, 100.0000, false)$$,
    'expense to waiting when posted, to payable when approved, to cash when paid');
SELECT results_eq($$SELECT account_code, sum(debit_amount) FROM spm_bi.gl_export WHERE payee_key = 'ron' AND purpose = 'expense' GROUP BY 1 ORDER BY 1$$, $$VALUES ('6100', 10.0050), ('6199', 10.0050)$$,
    'the account of a component goes before that of all');
SELECT is(account_code, '6160', 'and a later one holds for later entries') FROM spm_bi.gl_export WHERE payee_key = 'neg' AND purpose = 'expense' AND entry_date = '2026-02-28';
SELECT results_eq($$SELECT account_code, debit_amount, credit_amount, currency_code FROM spm_bi.gl_export WHERE payee_key = 'dan' AND entry = 'payable' ORDER BY currency_code, 2 DESC$$,
    $$VALUES ('2310', 100.0000, 0.0000, 'GBP'), ('clearing', 0.0000, 100.0000, 'GBP'), ('clearing', 122.0000, 0.0000, 'USD'), ('2320', 0.0000, 122.0000, 'USD')$$, 'another currency goes through clearing');
SELECT results_eq($$SELECT purpose, debit_amount, credit_amount FROM spm_bi.gl_export WHERE payee_key = 'ray' AND entry = 'payable' AND purpose = 'rounding'$$,
    $$VALUES ('rounding', 0.0050, 0.0000), ('rounding', 0.0050, 0.0000)$$, 'what rounding adds is an expense of its own');
SELECT is_empty($$SELECT document, entry, currency_code FROM spm_bi.gl_export GROUP BY 1, 2, 3 HAVING sum(debit_amount) <> sum(credit_amount)$$, 'debits equal credits in every entry');
SELECT is((SELECT sum(debit_amount - credit_amount) FROM spm_bi.gl_export WHERE purpose = 'waiting'), -(SELECT sum(payout_amount) FROM spm_bi.payment_item WHERE state = 'proposed'),
    'what waits is what is posted and not approved');
SELECT is((SELECT sum(debit_amount - credit_amount) FROM spm_bi.gl_export WHERE purpose = 'payable'), 0.0000, 'and nothing that is paid is payable');
SELECT spm.set_capitalization('US', 'Commission', 24) \g /dev/null
SELECT results_eq($$SELECT entry, account_code, debit_amount, credit_amount FROM spm_bi.gl_export WHERE payee_key = 'uma' AND entry_date = '2026-02-28' ORDER BY entry, debit_amount DESC$$,
    $$VALUES ('accrual', '6100', 134.0000, 0.0000), ('accrual', '2310', 0.0000, 134.0000), ('amortization', 'amortization', 5.5800, 0.0000), ('amortization', 'contract cost', 0.0000, 5.5800),
        ('capitalization', 'contract cost', 134.0000, 0.0000), ('capitalization', '6100', 0.0000, 134.0000)$$, 'contract costs are booked from expense to the asset, and amortised');

SELECT * FROM finish();
ROLLBACK;
