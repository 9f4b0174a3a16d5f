-- Every option of a component, on a handful of orders; figures worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT plan(30);

CREATE SCHEMA lab;
CREATE TABLE lab.sale (id text, line int, day date, seller text, account text, amount numeric, cost numeric, units int, category text);
INSERT INTO lab.sale VALUES
    ('A1', 1, '2026-01-10', 'ann', 'x', 600, 200, 3, 'hw'), ('A2', 1, '2026-02-10', 'ann', 'x', 600, 500, 1, 'sw'),
    ('A3', 1, '2026-04-10', 'ann', 'x', 300, 100, 2, 'hw'),
    ('A4', 1, '2026-07-07', 'ann', 'acme', 100.01, 0, 1, 'sw'), ('A4', 2, '2026-07-07', 'ann', 'other', 10, 0, 1, 'sw'),
    ('B1', 1, '2026-10-10', 'ann', 'x', 100, 0, 1, 'sw'), ('B2', 1, '2026-11-10', 'ann', 'x', 100, 0, 1, 'sw'),
    ('C1', 1, '2026-10-20', 'bob', 'x', 40, 0, 1, 'sw'), ('C2', 1, '2026-11-20', 'bob', 'x', 60, 0, 1, 'sw');
SELECT spm.add_currency('USD'), spm.add_measure('sales'), spm.add_title('Rep') \g /dev/null
SELECT spm.map_source('sales', 'lab.sale', key => 'id', line => 'line', date => 'day', owner => 'seller', amount => 'amount', account => 'account',
    quantity => 'units', cost => 'cost', fixed_currency => 'USD', attributes => '{category}') \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, k) FROM unnest('{ann,bob,vera}'::text[]) k \g /dev/null
SELECT spm.add_position(k, k, CASE WHEN k ~ '^s' THEN 'Rep' END) FROM unnest('{s1,s2,s3,manager,top}'::text[]) k \g /dev/null
SELECT spm.assign_position('s1', 'ann', '2025-01-01'), spm.assign_position('top', 'vera', '2025-01-01'),
    spm.assign_position('s2', 'bob', '2025-01-01', '2026-11-01'), spm.assign_position('s3', 'bob', '2026-11-01') \g /dev/null
SELECT spm.set_manager(k, 'manager', '2025-01-01') FROM unnest('{s1,s2,s3}'::text[]) k \g /dev/null
SELECT spm.set_manager('manager', 'top', '2025-01-01') \g /dev/null
SELECT spm.set_quota('s1', '2026-Q1', 500, 'sales'), spm.set_quota('s1', '2026-Q2', 500, 'sales') \g /dev/null
SELECT spm.set_quota(s, '2026', 1000, 'sales') FROM unnest('{s2,s3}'::text[]) s \g /dev/null
SELECT spm.set_variable('pct', 0.5), spm.set_variable('pct', 2, payee => 'ann') \g /dev/null
SELECT spm.create_plan('Lab', 'fiscal', 'USD', '2026-01-01') \g /dev/null
SELECT spm.add_component('Lab', 'Whole', '0: 10%, 1000: 20% whole'),
    spm.add_component('Lab', 'Year', '0: 10%, 1000: 20%', accumulate => 'year'),
    spm.add_component('Lab', 'Singly', '0: 10%, 500: 20%', accumulate => 'deal'),
    spm.add_component('Lab', 'Units', '0: 5', measure => 'quantity', unit => 'count'),
    spm.add_component('Lab', 'Capped', '0: 10% cap 100'),
    spm.add_component('Lab', 'Hardware', '0: 50%', measure => 'amount - cost', eligible => 'attributes ->> ''category'' = ''hw'''),
    spm.add_component('Lab', 'Bonus', '100%: 77 bonus', quota => 'sales', accumulate => 'year'),
    spm.add_component('Lab', 'Curve', '0: 0%, 1000: 10% interpolated'),
    spm.add_component('Lab', 'Floored', '0: 33.3%', places => 0, rounding => 'floor'),
    spm.add_component('Lab', 'Raised', '0: 33.3%', places => 0, rounding => 'ceil'),
    spm.add_component('Lab', 'Own', '0: 1%', variable => 'pct') \g /dev/null
SELECT spm.assign_plan('Lab', '2026-01-01', title => 'Rep'), spm.assign_plan('Lab', '2026-01-01', payee => 'ann') \g /dev/null
SELECT spm.create_plan('Top', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Top', 'Everything', '0: 1%', credits => 'all'),
    spm.assign_plan('Top', '2026-01-01', payee => 'vera') \g /dev/null
SELECT spm.publish_plan('Lab'), spm.publish_plan('Top') \g /dev/null
SELECT spm.add_credit_rule('acme', 'account_key = ''acme''', '{ann,bob}', '{0.6,0.4}', '2026-01-01'),
    spm.add_credit_rule('acme, too late', 'account_key = ''acme''', '{vera}', '{1}', '2026-01-01', priority => 200) \g /dev/null

CREATE FUNCTION pg_temp.paid(component text, who text, period text, OUT numeric) LANGUAGE sql
    AS $$SELECT coalesce(sum(paid_amount), 0) FROM spm_bi.payout WHERE component_name = component AND payee_key = who AND paid_period_name = period$$;

SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '55000', 'period 2026-Q1 is not calculated', 'a total of the year needs the quarters before');
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.paid(c, 'ann', '2026-Q1') || ', ' || pg_temp.paid(c, 'ann', '2026-Q2'), q1 || '.0000, ' || q2 || '.0000', d)
FROM (VALUES
    ('Whole', 240, 30, 'whole: the rate of the tier reached pays everything, in each quarter'),
    ('Year', 140, 60, 'year: the second quarter goes on where the first ended'),
    ('Singly', 140, 30, 'deal: every order starts at zero'),
    ('Units', 20, 10, 'a count of units, at five each'),
    ('Capped', 100, 30, 'cap: at most 100 a quarter'),
    ('Hardware', 200, 100, 'half the margin, of hardware only'),
    ('Bonus', 77, 0, 'a bonus when the year''s quota, the sum of its quarters, is reached: once'),
    ('Curve', 120, 9, 'interpolated: the rate grows with the total, and stays at the last point'),
    ('Floored', 399, 99, 'rounded down to whole dollars'),
    ('Raised', 400, 100, 'rounded up to whole dollars'),
    ('Own', 24, 6, 'rates times a variable: the payee''s own goes before everybody''s')) v(c, q1, q2, d);
SELECT results_eq($$SELECT slice_kind, tier_no, base_amount, rate, slice_amount FROM spm_bi.lineage
    WHERE component_name = 'Whole' AND transaction_key = 'A2' AND payee_key = 'ann' ORDER BY 1$$,
    $$VALUES ('rerate', 2, 600.000000, 0.10000000, 60.0000), ('tier', 2, 600.000000, 0.20000000, 120.0000)$$,
    'whole: what earlier orders earn more is told apart');
SELECT is(sum(slice_amount), -20.0000, 'cap: what it holds back is told apart') FROM spm_bi.lineage WHERE component_name = 'Capped' AND slice_kind = 'cap' AND payee_key = 'ann';
SELECT results_eq($$SELECT period_name, opening_amount, credited_amount, quota_amount, attainment_ratio FROM spm_bi.attainment WHERE component_name = 'Bonus' AND payee_key = 'ann' ORDER BY 1$$,
    $$VALUES ('2026-Q1', 0.000000, 1200.000000, 1000.000000, 1.200000), ('2026-Q2', 1200.000000, 300.000000, 1000.000000, 1.500000)$$,
    'attainment of the year to date');
SELECT results_eq($$SELECT level, sum(credited_amount) FROM spm_bi.credit WHERE position_name IN ('manager', 'top') GROUP BY 1$$,
    $$VALUES (2, 1500.000000)$$, 'credit passes a vacant seat on its way up');
SELECT is(pg_temp.paid('Everything', 'vera', '2026-Q1'), 12.0000, 'and is paid above it');
SELECT is((SELECT count(*) FROM spm_bi.attainment WHERE payee_key = 'ann' AND component_name = 'Whole'), 2::bigint, 'on a plan twice, by title and by name, is on it once');
SELECT is((SELECT count(*) FROM spm_bi.attainment WHERE payee_key = 'bob' AND period_name = '2026-Q1'), 11::bigint, 'who has sold nothing is measured too');

CALL spm.post('2026-Q2');
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT line, payee_key, share_ratio, credited_amount FROM spm_bi.credit WHERE transaction_key = 'A4' AND credit_kind = 'direct' ORDER BY 1, 2$$,
    $$VALUES ('1', 'ann', 0.600000, 60.010000), ('1', 'bob', 0.400000, 40.000000), ('2', 'ann', 1.000000, 10.000000)$$,
    'a rule shares the lines it is for, by priority, to the cent');
SELECT is(sum(credited_amount), 110.010000, 'what is shared goes up whole') FROM spm_bi.credit WHERE transaction_key = 'A4' AND payee_key = 'vera';
CALL spm.post('2026-Q3');

SELECT spm.new_plan_version('Lab', '2026-11-01') \g /dev/null
SELECT spm.drop_component('Lab', name) FROM spm.component JOIN spm.plan_version USING (plan_version_id) WHERE state = 'draft' \g /dev/null
SELECT spm.add_component('Lab', 'Flat', '0: 50%'), spm.publish_plan('Lab') \g /dev/null
CALL spm.calculate('2026-Q4');
SELECT is(pg_temp.paid('Whole', 'ann', '2026-Q4'), 10.0000, 'an order before the change of plan is paid by the old version');
SELECT is(pg_temp.paid('Flat', 'ann', '2026-Q4'), 50.0000, 'one after it by the new');
SELECT results_eq($$SELECT component_name, position_name, credited_amount FROM spm_bi.attainment WHERE payee_key = 'bob' AND period_name = '2026-Q4' AND component_name IN ('Whole', 'Flat') ORDER BY 1, 2$$,
    $$VALUES ('Flat', 's3', 60.000000), ('Whole', 's2', 40.000000)$$, 'who moves is measured in each seat for its days');
SELECT is((SELECT count(*) FROM spm_bi.payout WHERE is_difference), 0::bigint, 'nothing of this changes what is posted');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;
CALL spm.calculate('2026-Q4');
SELECT is(changed_count, 0::bigint, 'calculating again changes nothing') FROM spm.run ORDER BY run_id DESC LIMIT 1;
SELECT ok(length(line) <= 80, 'no line of a statement is wider than 80 columns') FROM spm.statement('ann', '2026-Q1') line ORDER BY length(line) DESC LIMIT 1;
SELECT lives_ok($$SELECT * FROM spm.explain('ann', '2026-Q1')$$, 'all of it can be explained');
SELECT is(count(*), 11::bigint, 'every component shows its query') FROM regexp_matches(spm.plan_query('Lab', '2026-Q1', 'measurement'), 'component \d+ "', 'g');

SELECT * FROM finish();
ROLLBACK;
