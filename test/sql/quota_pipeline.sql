-- Quotas on their way into pay: by title and by default, prorated, ramped, relieved, and changed when it is late.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.deal (id text, day date, who text, amount numeric, kind text);
INSERT INTO shop.deal VALUES ('a1', '2026-01-20', 'ann', 6000, 'hw'), ('b1', '2026-01-20', 'bob', 6000, 'hw'), ('c1', '2026-01-20', 'cat', 6000, 'sw'),
    ('a2', '2026-02-20', 'ann', 6000, 'hw'), ('b2', '2026-02-20', 'bob', 6000, 'hw');
SELECT spm.add_currency('USD'), spm.add_title('AE'), spm.add_measure('sales'), spm.add_measure('sales/hardware', falls_back_to => 'sales') \g /dev/null
SELECT spm.map_source('deals', 'shop.deal', key => 'id', date => 'day', owner => 'who', amount => 'amount', fixed_currency => 'USD', attributes => '{kind}') \g /dev/null
SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position(k, k, 'AE') FROM unnest('{ann,bob,cat}'::text[]) k \g /dev/null
SELECT spm.assign_position('ann', 'ann', '2026-01-15'), spm.assign_position('bob', 'bob', '2025-01-01'), spm.assign_position('cat', 'cat', '2025-01-01') \g /dev/null
SELECT spm.set_variable('target', 1000) \g /dev/null
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01') \g /dev/null

SELECT throws_ok($$SELECT spm.add_component('AE', 'x', '0%: 5%', quota => 'sales', prorate => 'daily')$$, '22023', 'there is no way of prorating named "daily"',
    'a way of prorating that does not exist is refused where it is typed');
SELECT spm.add_component('AE', 'Commission', '0%: 5%, 100%: 10%', quota => 'sales/hardware', prorate => 'calendar'),
    spm.add_component('AE', 'Whole', '0%: 5%, 100%: 10%', quota => 'sales'),
    spm.add_component('AE', 'Bonus', '0%: 100%', quota => 'sales', pay => 'target', variable => 'target', prorate => 'calendar') \g /dev/null
SELECT spm.prorate_variable('target') \g /dev/null
SELECT spm.assign_plan('AE', '2026-01-01', title => 'AE') \g /dev/null
SELECT results_eq($$SELECT component, count(*) FROM spm.plan_defect('AE') GROUP BY 1 ORDER BY 1$$, $$VALUES ('Bonus', 3::bigint), ('Commission', 3), ('Whole', 3)$$,
    'quotas that are missing are found before a plan is published');
SELECT spm.set_quota('*', p.name, 10000, 'sales') FROM spm.period p WHERE p.grain = 'month' \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('AE')$$, 'a quota of everybody is one for each, also for a measure that falls back to it');
UPDATE spm.quota SET superseded_at = now();
SELECT spm.set_quota(NULL, p.name, 10000, 'sales', title => 'AE') FROM spm.period p WHERE p.grain = 'month' \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('AE')$$, 'and so is one of their title');
SELECT spm.publish_plan('AE') \g /dev/null
CALL spm.calculate('2026-01');

CREATE FUNCTION pg_temp.measured(component text, period text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s: %s of %s earns %s', payee_key, trim_scale(credited_amount), trim_scale(quota_amount), trim_scale(earned_amount))
    FROM spm_bi.attainment WHERE component_name = component AND period_name = period ORDER BY payee_key
$$;
SELECT results_eq($$SELECT pg_temp.measured('Commission', '2026-01')$$,
    $$VALUES ('ann: 6000 of 5483.87 earns 325.81'), ('bob: 6000 of 10000 earns 300'), ('cat: 6000 of 10000 earns 300')$$,
    'who starts on the 15th is measured against 17 of 31 days of the quota: 5 % of 5,483.87 and 10 % of 516.13');
SELECT results_eq($$SELECT pg_temp.measured('Whole', '2026-01')$$,
    $$VALUES ('ann: 6000 of 10000 earns 300'), ('bob: 6000 of 10000 earns 300'), ('cat: 6000 of 10000 earns 300')$$, 'where a component does not prorate, against all of it');
SELECT results_eq($$SELECT pg_temp.measured('Bonus', '2026-01')$$,
    $$VALUES ('ann: 6000 of 5483.87 earns 600'), ('bob: 6000 of 10000 earns 600'), ('cat: 6000 of 10000 earns 600')$$, 'a target is reduced with the quota: 6,000 of 5,483.87, of a target of 548.39');
SELECT is((SELECT array_to_string(m.because, ' ') ~ '10,000 x 17 of 31 days \(quota of title AE for sales\)' FROM spm.standing_measurement m JOIN spm.component c USING (component_id) JOIN spm.payee y USING (payee_id)
    WHERE c.name = 'Commission' AND y.payee_key = 'ann'), true, 'and the arithmetic is kept with the result');
CALL spm.post('2026-01');

-- found out later: bob was away half of January, cat is new, ann was promised relief
SELECT spm.add_absence_kind('leave'), spm.add_ramp('new', '{0.5,1}') \g /dev/null
SELECT spm.add_absence('bob', 'leave', '2026-01-01', '2026-01-17'), spm.assign_ramp('new', 'cat', '2026-01-05'),
    spm.relieve_quota('ann', '2026-01', 1483.87, 'sales', 'launch slipped') \g /dev/null
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT pg_temp.measured('Commission', '2026-01')$$,
    $$VALUES ('ann: 6000 of 4000 earns 400'), ('bob: 6000 of 4838.71 earns 358.06'), ('cat: 6000 of 5000 earns 350')$$,
    'relief, absence and ramp reach a posted month');
SELECT results_eq($$SELECT payee_key, sum(paid_amount) FROM spm_bi.payout WHERE component_name = 'Commission' AND period_name = '2026-01' AND paid_period_name = '2026-02' GROUP BY 1 ORDER BY 1$$,
    $$VALUES ('ann', 74.1900), ('bob', 58.0600), ('cat', 50.0000)$$, 'and are paid as differences in the next');
SELECT results_eq($$SELECT pg_temp.measured('Whole', '2026-01')$$,
    $$VALUES ('ann: 6000 of 8516.13 earns 300'), ('bob: 6000 of 10000 earns 300'), ('cat: 6000 of 5000 earns 350')$$,
    'a component that does not prorate knows relief and ramp, not days');
SELECT spm.set_quota('bob', '2026-02', 3000, 'sales/hardware'), spm.add_holiday('fiscal', '2026-02-16', 'Presidents'' Day') \g /dev/null
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT pg_temp.measured('Commission', '2026-02')$$,
    $$VALUES ('ann: 6000 of 10000 earns 300'), ('bob: 6000 of 3000 earns 450'), ('cat: 0 of 10000 earns 0')$$, 'a quota of the measure and the position goes before');
CALL spm.post('2026-02');
SELECT is((SELECT bool_and(is_reconciled) FROM spm.reconciliation), true, 'and everything adds up');

-- a target that is no amount for a period after all
SELECT spm.prorate_variable('target', false) \g /dev/null
CALL spm.calculate('2026-03');
SELECT results_eq($$SELECT pg_temp.measured('Bonus', '2026-01')$$,
    $$VALUES ('ann: 6000 of 4000 earns 1500'), ('bob: 6000 of 4838.71 earns 1240'), ('cat: 6000 of 5000 earns 1200')$$, 'not prorated, it is whole: also where it was paid in part');
SELECT throws_ok($$SELECT spm.prorate_variable('target', NULL)$$, '22023', 'a variable is an amount for a period, or it is not', 'it is one or the other');

-- away for all of a month
SELECT spm.add_absence('bob', 'leave', '2026-03-01', '2026-04-01'), spm.set_quota('cat', '2026-03', 0, 'sales') \g /dev/null
SELECT throws_ok($$CALL spm.calculate('2026-03')$$, '22000', 'position "cat" has a quota of 0, and its target is paid by attainment', 'a target cannot be paid by attainment of a quota that was set to zero');
SELECT spm.set_quota('cat', '2026-03', 500, 'sales') \g /dev/null
CALL spm.calculate('2026-03');
SELECT results_eq($$SELECT pg_temp.measured('Bonus', '2026-03')$$,
    $$VALUES ('ann: 0 of 10000 earns 0'), ('bob: 0 of 0 earns 0'), ('cat: 0 of 500 earns 0')$$, 'but who is away for all of it stops nobody: nothing is expected, and no target paid');

-- quotas by quarter, in a calendar of months
SELECT spm.add_measure('season') \g /dev/null
SELECT spm.spread_quota('*', '2026', 100000, 'season', '{0.2,0.2,0.2,0.4}', grain => 'quarter') \g /dev/null
SELECT spm.create_plan('Season', 'fiscal', 'USD', '2026-03-01'), spm.add_component('Season', 'Season', '0%: 1%', quota => 'season', accumulate => 'year') \g /dev/null
SELECT spm.assign_plan('Season', '2026-03-01', payee => k) FROM unnest('{ann,bob,cat}'::text[]) k \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('Season')$$, 'the quarters make a year');
SELECT spm.publish_plan('Season') \g /dev/null
SELECT spm.set_quota('ann', '2026-Q1', 5000, 'season'), spm.set_quota(NULL, '2026-01', 9999, 'season', title => 'AE') \g /dev/null
SELECT spm.set_quota('bob', '2026-0' || m, 1000, 'season') FROM generate_series(1, 3) m \g /dev/null
CALL spm.calculate('2026-03');
SELECT results_eq($$SELECT pg_temp.measured('Season', '2026-03')$$,
    $$VALUES ('ann: 0 of 85000 earns 0'), ('bob: 0 of 83000 earns 0'), ('cat: 0 of 84999.5 earns 0')$$,
    'a quarter of one''s own goes before a month of the title, months of one''s own before a quarter of everybody: 5,000, 3 x 1,000, a ramp''s half of 9,999, and 80,000');

SELECT * FROM finish();
ROLLBACK;
