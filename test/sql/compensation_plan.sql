-- Plans are data: written, checked, published, and from then on kept as they are.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT plan(35);

SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_currency('USD') \g /dev/null
SELECT spm.add_measure('bookings') \g /dev/null
SELECT spm.add_title('AE') \g /dev/null
SELECT spm.add_payee('ann', 'Ann'), spm.add_position('ann', 'Ann''s seat', 'AE'), spm.assign_position('ann', 'ann', '2026-01-01') \g /dev/null

SELECT throws_ok($$SELECT spm.create_plan('AE', 'lunar', 'USD', '2026-01-01')$$, '42704', 'calendar "lunar" does not exist',
    'a plan needs a calendar that is there');
SELECT throws_ok($$SELECT spm.create_plan('AE', 'fiscal', 'XXX', '2026-01-01')$$, '42704', 'currency "XXX" does not exist',
    'a plan needs a currency that is there');
SELECT lives_ok($$SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01')$$, 'a plan begins with a draft');
SELECT results_eq($$SELECT component, defect FROM spm.plan_defect('AE')$$,
    $$VALUES (NULL::text, 'the version has no component')$$, 'an empty plan is a defect, by name');
SELECT throws_ok($$SELECT spm.add_component('AE', 'Commission', '0%: 8%, 100%: 12%')$$, '22023',
    'component "Commission" has tiers in percent of quota, but no quota', 'tiers in percent of quota need a quota');
SELECT throws_ok($$SELECT spm.add_component('AE', 'Commission', '0: 8%', measure => 'profit')$$, '42703', NULL,
    'a measure of a column that is not there is refused');
SELECT throws_ok($$SELECT spm.add_component('AE', 'Commission', '0: 8%', eligible => 'now() > event_date')$$, '42P17', NULL,
    'a condition that depends on the clock is refused');
SELECT throws_ok($$SELECT spm.add_component('AE', 'Commission', '0..100: 8%, 120: 12%')$$, NULL, 'rate schedule has no rate between 100 and 120',
    'rates with a gap are refused');
SELECT throws_ok($$SELECT spm.add_component('AE', 'Commission', '0: 8%', variable => 'share')$$, '42704', 'variable "share" does not exist',
    'a variable must be there');
SELECT throws_ok($$SELECT spm.add_component('AE', 'Commission', '0: 8%', quota => 'units')$$, '42704', 'measure "units" does not exist',
    'a measure of quota must be there');
SELECT lives_ok($$SELECT spm.add_component('AE', 'Commission', '0%: 8%, 80%: 10%, 100%: 14% edge lower cap 50000',
    eligible => 'type <> ''internal''', quota => 'bookings', accumulate => 'year')$$, 'a component is one call');
SELECT results_eq($$SELECT bounds, rate FROM spm.tier ORDER BY bounds$$,
    $$VALUES (numrange(0, 0.8), 0.08), (numrange(0.8, 1), 0.10), (numrange(1, NULL), 0.14)$$, 'tiers are rows, as shares of quota');
SELECT is(spm.component_rates(component_id)::text, '0%: 8%, 80%: 10%, 100%: 14% edge lower cap 50000', 'and give the rates again')
FROM spm.component;
SELECT throws_ok($$INSERT INTO spm.tier (component_id, bounds, rate) SELECT component_id, numrange(0.9, 1.1), 0.5 FROM spm.component$$, '23P01', NULL,
    'tiers that overlap are refused');
SELECT lives_ok($$SELECT spm.assign_plan('AE', '2026-01-01', title => 'AE')$$, 'a plan is assigned to a title');
SELECT throws_ok($$SELECT spm.assign_plan('AE', '2026-02-01', title => 'AE')$$, '23P01', NULL, 'but not twice at a time');
SELECT throws_ok($$SELECT spm.assign_plan('AE', '2026-01-01')$$, '22023', 'a plan is assigned to a payee, a position or a title',
    'and not to nobody');
SELECT results_eq($$SELECT component, defect, repair FROM spm.plan_defect('AE') LIMIT 1$$,
    $$VALUES ('Commission', 'position ann has no quota for bookings in 2026-Q1', 'SELECT spm.set_quota(''ann'', ''2026-Q1'', amount, ''bookings'');')$$,
    'a missing quota is a defect, with the call that repairs it');
SELECT throws_ok($$SELECT spm.publish_plan('AE')$$, '23514', NULL, 'a plan with defects is not published');
SELECT spm.set_quota('ann', '2026', 400000, 'bookings') \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('AE')$$, 'a quota of the year is enough for a component that accumulates over the year');
SAVEPOINT gap;
DELETE FROM spm.tier WHERE lower(bounds) = 0.8;
SELECT results_eq($$SELECT component, defect FROM spm.plan_defect('AE')$$,
    $$VALUES ('Commission', 'rate schedule has no rate between 80% and 100%')$$, 'a gap that was cut into the tiers is a defect');
ROLLBACK TO gap;
SELECT is(spm.publish_plan('AE'), 1, 'a sound plan is published');
SELECT throws_ok($$UPDATE spm.component SET name = 'Other'$$, '23001', 'a published plan version never changes', 'then its components stay as they are');
SELECT throws_ok($$DELETE FROM spm.tier$$, '23001', 'a published plan version never changes', 'and its tiers');
SELECT throws_ok($$UPDATE spm.plan_version SET state = 'draft'$$, '23001', 'a published plan version never changes', 'and its state');
SELECT throws_ok($$SELECT spm.add_component('AE', 'More', '0: 1%')$$, '55000', 'plan "AE" has no draft version', 'nothing can be added');
SELECT is(spm.new_plan_version('AE', '2026-07-01'), 2, 'a change is a new version, a copy of the last');
SELECT throws_ok($$SELECT spm.new_plan_version('AE', '2026-08-01')$$, '55000', 'plan "AE" has a draft already: version 2', 'one draft at a time');
SELECT lives_ok($$SELECT spm.drop_component('AE', 'Commission'); SELECT spm.add_component('AE', 'Commission', '0: 9%')$$, 'which can be changed');
SELECT is(spm.publish_plan('AE'), 2, 'and published');
SELECT results_eq($$SELECT version_no, span, state FROM spm.plan_version ORDER BY 1$$,
    $$VALUES (1, '[2026-01-01,2026-07-01)'::daterange, 'retired'), (2, '[2026-07-01,)'::daterange, 'published')$$,
    'the version before ends where it begins');
SELECT throws_ok($$SELECT spm.add_credit_rule('even', 'account_key = ''X''', '{ann,bob}', '{0.5,0.4}', '2026-01-01')$$, '23514',
    'shares of credit rule "even" must total 1, one for each payee', 'shares of a rule total 1');
SELECT spm.set_variable('pct', 0.10, payee => 'ann', since => '2026-01-01'), spm.set_variable('pct', 0.05, title => 'AE') \g /dev/null
SELECT spm.set_variable('pct', 0.12, payee => 'ann', since => '2026-07-01') \g /dev/null
SELECT is(array_agg(spm.variable_value(v.variable_id, y.payee_id, p.position_id, s.span) ORDER BY s.span), '{0.05,0.10,0.12}',
    'a payee''s own value goes before the title''s, each in its time')
FROM spm.variable v, spm.payee y, spm.position p,
    (VALUES ('[2025-01-01,2025-04-01)'::daterange), ('[2026-04-01,2026-07-01)'), ('[2026-07-01,2026-10-01)')) s(span);

SELECT throws_ok($$SELECT spm.create_plan(E'Bobby\nDROP TABLE students; --\r', 'fiscal', 'USD', '2026-01-01')$$, '22023',
    'name of a plan must be one line of at most 200 characters', 'a name is one line');
SELECT spm.create_plan('Bobby', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Bobby', 'a', '0: 1%') \g /dev/null
UPDATE spm.component SET name = E'a\nb' WHERE name = 'a';
UPDATE spm.plan SET name = E'Bobby\nDROP TABLE students; --\r' WHERE name = 'Bobby';
SELECT spm.publish_plan(E'Bobby\nDROP TABLE students; --\r') \g /dev/null
SELECT ok(bool_and(q !~ '\nDROP'), 'the name of a plan stays a name in its query') FROM spm.plan_query(E'Bobby\nDROP TABLE students; --\r', '2026-Q1') q;

SELECT * FROM finish();
ROLLBACK;
