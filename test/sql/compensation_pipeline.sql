-- Orders become pay: credited, measured, rated, paid, posted, corrected; every figure below was worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT plan(64);

CREATE SCHEMA shop;
CREATE TABLE shop.deal (deal_id text, closed_on date, owner text, account text, amount numeric, cost numeric, units int, currency text, kind text);
CREATE TABLE shop.share (deal_id text, owner text, percent numeric);
INSERT INTO shop.deal VALUES
    ('D-01', '2026-01-10', 'dana', 'acme', 200000.00, 150000, 10, 'USD', 'booking'),
    ('D-02', '2026-02-20', 'dana', 'bolt', 112400.00, 100000, 4, 'USD', 'booking'),
    ('D-03', '2026-02-21', 'eli', 'acme', 50000.00, 20000, 2, 'USD', 'booking'),
    ('D-04', '2026-03-01', 'nobody', 'acme', 10.00, 1, 1, 'USD', 'booking'),
    ('D-05', '2026-03-02', NULL, 'acme', 20.00, 1, 1, 'USD', 'booking'),
    ('D-06', '2026-04-10', 'dana', 'bolt', 100.00, 10, 1, 'USD', 'booking'),
    ('D-07', '2026-05-01', 'eli', 'cray', 1000.00, 10, 1, 'EUR', 'booking'),
    ('D-08', '2026-06-30', 'eli', 'acme', 400.00, 10, 1, 'USD', 'booking'),
    ('D-09', '2026-06-30', 'eli', 'acme', -400.00, -10, -1, 'USD', 'refund');
INSERT INTO shop.share VALUES ('D-06', 'dana', 33.3333), ('D-06', 'eli', 33.3333), ('D-06', 'max', 33.3334);

SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount', type => 'kind',
    account => 'account', quantity => 'units', cost => 'cost', currency => 'currency'),
    spm.map_split('deals', 'shop.share', key => 'deal_id', owner => 'owner', share => 'percent', share_unit => 'percent') \g /dev/null
SELECT spm.add_currency('USD'), spm.add_currency('EUR'), spm.set_exchange_rate('EUR', 'USD', '2026-01-01', 1.23456) \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01')
FROM unnest('{dana,eli,max,vera}'::text[]) k \g /dev/null
SELECT spm.set_manager('dana', 'max', '2025-01-01'), spm.set_manager('eli', 'max', '2025-01-01'), spm.set_manager('max', 'vera', '2025-01-01') \g /dev/null
SELECT spm.add_measure('bookings') \g /dev/null
SELECT spm.set_quota(k, p, 250000, 'bookings') FROM unnest('{dana,eli}'::text[]) k, unnest('{2026-Q1,2026-Q2,2026-Q3}'::text[]) p \g /dev/null
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('AE', 'Commission', '0%: 8%, 80%: 10%, 100%: 14%', quota => 'bookings') \g /dev/null
SELECT spm.create_plan('Manager', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Manager', 'Override', '0: 1%', credits => 'rollup') \g /dev/null
SELECT spm.assign_plan('AE', '2026-01-01', payee => k) FROM unnest('{dana,eli}'::text[]) k \g /dev/null
SELECT spm.assign_plan('Manager', '2026-01-01', "position" => k) FROM unnest('{max,vera}'::text[]) k \g /dev/null

CREATE FUNCTION pg_temp.paid(who text, paying text, OUT numeric) LANGUAGE sql
    AS $$SELECT coalesce(sum(paid_amount), 0) FROM spm_bi.payout WHERE payee_key = who AND paid_period_name = paying$$;
CREATE FUNCTION pg_temp.last_run(OUT spm.run) LANGUAGE sql AS $$SELECT * FROM spm.run ORDER BY run_id DESC LIMIT 1$$;

-- ---- order of things
SELECT throws_ok($$CALL spm.calculate('2026-Q9')$$, '42704', NULL, 'an unknown period is refused');
SELECT throws_ok($$CALL spm.calculate('2026')$$, '55000', 'period 2026 has parts', 'a year is not calculated, its quarters are');
SELECT throws_ok($$CALL spm.post('2026-Q1')$$, '55000', 'period 2026-Q1 is open, not calculated', 'what is not calculated is not posted');
SELECT throws_ok($$SELECT spm.statement('dana', '2026-Q1')$$, '55000', 'period 2026-Q1 is not calculated', 'and has no statement');
CALL spm.calculate('2026-Q1');
SELECT is((r.credit_count, r.earning_count), (3::bigint, 0::bigint), 'a draft pays nobody') FROM pg_temp.last_run() r;
SELECT spm.publish_plan('AE'), spm.publish_plan('Manager') \g /dev/null
CALL spm.calculate('2026-Q1');

-- ---- the first quarter
SELECT is((r.transaction_count, r.uncredited_count, r.credit_count, r.payee_count, r.earning_count), (5::bigint, 2::bigint, 9::bigint, 4::bigint, 9::bigint),
    'five orders: three are credited, to the owner and two levels up') FROM pg_temp.last_run() r;
SELECT results_eq($$SELECT transaction_key, reason FROM spm_bi.uncredited ORDER BY 1$$,
    $$VALUES ('D-04', 'its owner is not a payee'), ('D-05', 'it has no owner')$$, 'the others are named, with the reason');
SELECT is(pg_temp.paid('dana', '2026-Q1'), 29736.0000, 'Dana earns 200,000 at 8 %, 50,000 at 10 % and 62,400 at 14 %');
SELECT is(pg_temp.paid('eli', '2026-Q1'), 4000.0000, 'Eli earns 50,000 at 8 %');
SELECT is(pg_temp.paid('max', '2026-Q1'), 3624.0000, 'their manager earns 1 % of both');
SELECT is(pg_temp.paid('vera', '2026-Q1'), 3624.0000, 'and so does hers');
SELECT results_eq($$SELECT transaction_key, earned_amount FROM spm_bi.earning WHERE payee_key = 'dana' ORDER BY 1$$,
    $$VALUES ('D-01', 16000.0000), ('D-02', 13736.0000)$$, 'each deal earns what it adds to the total');
SELECT results_eq($$SELECT tier_no, base_amount, rate, earned_amount FROM spm_bi.statement WHERE payee_key = 'dana' ORDER BY 1$$,
    $$VALUES (1, 200000.000000, 0.08000000, 16000.0000), (2, 50000.000000, 0.10000000, 5000.0000), (3, 62400.000000, 0.14000000, 8736.0000)$$,
    'the statement says how much in which tier');
SELECT results_eq($$SELECT payee_key, quota_amount, attainment_ratio FROM spm_bi.attainment WHERE measure_name = 'bookings' ORDER BY 1$$,
    $$VALUES ('dana', 250000.000000, 1.249600), ('eli', 250000.000000, 0.200000)$$, 'attainment is what was credited by quota');
SELECT is((SELECT sum(slice_amount) FROM spm_bi.lineage), (SELECT sum(paid_amount) FROM spm_bi.payout), 'every cent paid has its line to a source row');
SELECT results_eq($$SELECT count(*), bool_and(is_reconciled) FROM spm_bi.reconciliation$$, $$VALUES (4::bigint, true)$$, 'all levels add up, for everybody');
SELECT results_eq($$SELECT * FROM spm.statement('dana', '2026-Q1')$$, $$VALUES
    ('Dana - AE v1 - 2026-Q1 - USD'),
    ('2026-01-01 to 2026-03-31, calculated, not yet posted'),
    ('--------------------------------------------------------------------------------'),
    ('                                                 base      rate           earned'),
    ('Commission'),
    ('  2 deals, quota 250,000.00, attainment 124.96 %'),
    ('  0 - 80 % of quota                        200,000.00       8 %        16,000.00'),
    ('  80 - 100 % of quota                       50,000.00      10 %         5,000.00'),
    ('  from 100 % of quota                       62,400.00      14 %         8,736.00'),
    ('  each part at its own rate, on the quarter''s total; deals rounded to the cent'),
    ('--------------------------------------------------------------------------------'),
    ('Payable                                                     USD        29,736.00')$$, 'a seller can read it');
SELECT results_eq($$SELECT step, item, base_amount, amount, because FROM spm.explain('dana', '2026-Q1', 'D-02')$$, $$VALUES
    ('payout', 'Commission, 2026-Q1', NULL::numeric, 29736.00, 'plan AE v1, rates 0: 8%, 200000: 10%, 250000: 14%, total of the period'),
    ('  earning', 'deals/D-02', 112400.00, 13736.00, 'takes the total from 200000.00 to 312400.00'),
    ('    slice', 'tier 2', 50000.00, 5000.00, 'from 200000.00 to 250000'),
    ('    slice', 'tier 3', 62400.00, 8736.00, 'from 250000 to 312400.00'),
    ('      credit', 'direct to Dana', 112400.00, NULL, 'share 1 of owner dana'),
    ('        transaction', 'booking of 2026-02-20', 112400.00, NULL, 'as it is in the warehouse')$$,
    'and trace a deal from the payout to the order');
CALL spm.calculate('2026-Q1');
SELECT is((pg_temp.last_run()).changed_count, 0::bigint, 'calculating again changes nothing');
SELECT throws_ok($$CALL spm.post('2026-Q2')$$, '55000', NULL, 'quarters are posted in order');
CALL spm.post('2026-Q1');
SELECT is((SELECT state FROM spm.period WHERE name = '2026-Q1'), 'posted', 'a calculated quarter is posted');
SELECT throws_ok($$CALL spm.post('2026-Q1')$$, '55000', 'period 2026-Q1 is posted, not calculated', 'once');
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '55000', 'period 2026-Q1 is posted', 'and not calculated any more');
SELECT throws_ok(format('UPDATE spm.%I SET amount = 0', t), '23001', format('a posted row of spm.%s never changes', t), format('posted rows of %s stay', t))
FROM unnest('{credit,earning,measurement,payout}'::text[]) t;
SELECT throws_ok('TRUNCATE spm.earning CASCADE', '23001', NULL, 'and are not thrown away');

SELECT throws_ok($$DELETE FROM spm.period WHERE name = '2026-Q1'$$, '23503', NULL, 'nor is what they refer to');
SELECT throws_ok('DELETE FROM spm.schedule', '55000', NULL, 'nor the rates');

-- ---- the second quarter: shares, another currency, a refund
CALL spm.calculate('2026-Q2');
SELECT results_eq($$SELECT payee_key, credited_amount FROM spm_bi.credit WHERE transaction_key = 'D-06' AND credit_kind = 'direct' ORDER BY 1$$,
    $$VALUES ('dana', 33.330000), ('eli', 33.330000), ('max', 33.340000)$$, 'a hundred among three: the shares add up to the cent');
SELECT is((SELECT base_amount FROM spm_bi.earning WHERE transaction_key = 'D-07' AND payee_key = 'eli'), 1234.560000,
    'euros count at the rate of their day');
SELECT is((SELECT sum(earned_amount) FROM spm_bi.earning WHERE transaction_key IN ('D-08', 'D-09') AND payee_key = 'eli'), 0.0000,
    'a refund takes back what its order earned');
SELECT is(pg_temp.paid('eli', '2026-Q2'), 101.4300, 'Eli earns 8 % of 1,267.89');
SELECT is(pg_temp.paid('max', '2026-Q2'), 13.0100, 'Max earns 1 % of 1,301.22: his team''s, not his own share');
SELECT is(pg_temp.paid('vera', '2026-Q2'), 13.3500, 'Vera earns 1 % of 1,334.56: all of it');

-- ---- what cannot be used is refused, by name, and nothing is half done
SAVEPOINT before;
DELETE FROM spm.exchange_rate;
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '22000', 'no spot rate from EUR to USD on 2026-05-01', 'a missing exchange rate is refused');
ROLLBACK TO before;
UPDATE shop.deal SET amount = NULL WHERE deal_id = 'D-08';
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '22000', 'transaction deals/D-08 has no usable amount', 'an order without an amount is refused');
ROLLBACK TO before;
UPDATE shop.share SET percent = 50 WHERE owner = 'eli';
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '22000', NULL, 'shares that do not total 100 % are refused');
ROLLBACK TO before;
INSERT INTO shop.deal SELECT * FROM shop.deal WHERE deal_id = 'D-08';
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '23505', 'transaction deals/D-08 occurs 2 times', 'an order that occurs twice is refused');
ROLLBACK TO before;
UPDATE spm.quota SET superseded_at = now() WHERE period_id = (SELECT period_id FROM spm.period WHERE name = '2026-Q2');
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '22000', 'position "dana" has no quota of bookings for 2026-Q2', 'a missing quota is refused');
ROLLBACK TO before;
INSERT INTO spm.component (plan_version_id, component_no, name, measure_expression, places)
SELECT plan_version_id, 9, 'Slipped in', 't.amount', 2 FROM spm.plan_version LIMIT 1;
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, 'XX001', NULL, 'a plan that was tampered with is refused');
ROLLBACK TO before;
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE paid_period_name = '2026-Q2'), 130.4600, 'and the results are as they were');

-- ---- late: a posted quarter is recalculated as of its own date, the difference is paid in the open one
INSERT INTO shop.deal VALUES ('D-10', '2026-01-05', 'dana', 'late', 10000, 1, 1, 'USD', 'booking');
UPDATE shop.deal SET amount = 60000 WHERE deal_id = 'D-03';
CALL spm.calculate('2026-Q2');
SELECT is((pg_temp.last_run()).late_period_count, 1, 'the posted quarter is looked at again');
SELECT results_eq($$SELECT period_name, component_name, paid_amount FROM spm_bi.payout WHERE payee_key = 'dana' AND paid_period_name = '2026-Q2' ORDER BY 1$$,
    $$VALUES ('2026-Q1', 'Commission', 1400.0000), ('2026-Q2', 'Commission', 2.6700)$$,
    'an order of January that comes in May pays its difference: 10,000 more at 14 %');
SELECT results_eq($$SELECT transaction_key, is_reversal, earned_amount FROM spm_bi.earning WHERE payee_key = 'dana' AND period_name = '2026-Q1' AND NOT is_posted ORDER BY 1, 2$$,
    $$VALUES ('D-01', false, 16200.0000), ('D-01', true, -16000.0000), ('D-02', false, 14136.0000), ('D-02', true, -13736.0000), ('D-10', false, 800.0000)$$,
    'deals that move up the tiers are taken back and earned again');
SELECT is((SELECT sum(earned_amount) FROM spm_bi.earning WHERE payee_key = 'dana' AND period_name = '2026-Q1'), 31136.0000,
    'both versions add up to what a calculation in time would have paid');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'eli' AND paid_period_name = '2026-Q2' AND is_difference), 800.0000,
    'an order that has changed is paid its difference');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'vera' AND paid_period_name = '2026-Q2' AND is_difference), 200.0000,
    'also up the tree');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;
SELECT ok(bool_or(line LIKE 'Difference 2026-Q1: Commission%1,400.00'), 'the statement says so') FROM spm.statement('dana', '2026-Q2') line;
CALL spm.calculate('2026-Q2');
SELECT is((pg_temp.last_run()).changed_count, 0::bigint, 'calculating again changes nothing');
DELETE FROM shop.deal WHERE deal_id = 'D-10';
CALL spm.calculate('2026-Q2');
SELECT is((SELECT count(*) FROM spm_bi.payout WHERE payee_key = 'dana' AND is_difference), 0::bigint, 'a late order that goes again leaves no trace in a draft');
CALL spm.post('2026-Q2');
UPDATE shop.deal SET amount = 50000 WHERE deal_id = 'D-03';
CALL spm.calculate('2026-Q3');
SELECT is(pg_temp.paid('eli', '2026-Q3'), -800.0000, 'what was paid too much is taken back, a quarter later');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'eli' AND period_name = '2026-Q1'), 4000.0000, 'which leaves the quarter as it was paid first');
SELECT spm.set_quota('dana', '2026-Q1', 300000, 'bookings', reason => 'new patch') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'dana' AND period_name = '2026-Q1'), 26936.0000,
    'a higher quota after the fact is a difference too: 240,000 at 8 %, 60,000 at 10 %, 12,400 at 14 %');
SELECT results_eq($$SELECT quota_amount, attainment_ratio FROM spm_bi.attainment WHERE payee_key = 'dana' AND period_name = '2026-Q1'$$,
    $$VALUES (300000.000000, 1.041333)$$, 'and attainment stands corrected');
SELECT is((SELECT count(*) FROM spm.measurement m JOIN spm.payee y USING (payee_id) JOIN spm.period p USING (period_id)
           WHERE y.payee_key = 'dana' AND p.name = '2026-Q1' AND m.reverses_id IS NULL), 2::bigint, 'with both versions kept');

-- ---- reopening
SELECT spm.reopen_period('2026-Q2', 'auditor asked') \g /dev/null
UPDATE shop.deal SET amount = 1100 WHERE deal_id = 'D-07';
CALL spm.calculate('2026-Q2');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'eli' AND period_name = '2026-Q2' AND NOT is_posted), 9.8800,
    'a reopened quarter pays what is new, on top of what it has paid');
CALL spm.post('2026-Q2');
SELECT is((SELECT count(*) FROM spm.posting o JOIN spm.period p USING (period_id) WHERE p.name = '2026-Q2'), 2::bigint, 'in a posting of its own');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;

-- ---- what a plan compiles to
SELECT is(count(*), 1::bigint, 'a component is one query') FROM regexp_matches(spm.plan_query('AE', '2026-Q1'), '-- AE v1, component 1 "Commission", 2026-Q1: earning', 'g');
SELECT throws_ok($$SELECT spm.plan_query('AE', '2026-Q1', 'credit')$$, '22023', NULL, 'credits are not a plan''s');
DO $$BEGIN EXECUTE 'CREATE TEMPORARY TABLE again ON COMMIT DROP AS ' || spm.plan_query('AE', '2026-Q1'); END$$;
SELECT results_eq('SELECT credit_id, base_amount, amount FROM again ORDER BY 1',
    $$SELECT credit_id, base_amount, amount FROM spm.standing_earning e JOIN spm.component c USING (component_id) JOIN spm.period p USING (period_id)
      WHERE c.name = 'Commission' AND p.name = '2026-Q1' ORDER BY 1$$, 'which gives what was paid, when anybody runs it');

SELECT * FROM finish();
ROLLBACK;
