/*
 * From earning to pay: guarantees, draws and negative balances, with figures
 * that were published, or worked out by hand.  Everybody earns what they sell,
 * to the cent, so that what is paid shows what the pay rules do.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

\set ECHO none
\i test/fixture/seller.sql
\set ECHO all

-- ---- plans with their rules
SELECT pg_temp.seller('sb', '{2750,3000,1500,2375,3000,2750}'), spm.add_pay_rule('sb', 'draw', 2000) \g /dev/null
SELECT pg_temp.seller('min', '{100,1200,-20,110,50}'), spm.add_pay_rule('min', 'draw', 250, until => '2026-06-01') \g /dev/null
SELECT pg_temp.seller('to', '{500,700,400}'), spm.add_pay_rule('to', 'draw', 1000, until => '2026-04-01') \g /dev/null
SELECT pg_temp.seller('oi', '{500,5000}'), spm.add_pay_rule('oi', 'guarantee', 3000, until => '2026-03-01') \g /dev/null
SELECT pg_temp.seller('vis', '{6000}'), spm.add_pay_rule('vis', 'draw', 4000, method => 'advance', until => '2026-02-01') \g /dev/null
SELECT pg_temp.seller('vis2', '{2000,0,4000}'), spm.add_pay_rule('vis2', 'draw', 3000, method => 'advance', until => '2026-02-01') \g /dev/null
SELECT pg_temp.seller('half', '{0,3000,3000,3000}'), spm.add_pay_rule('half', 'draw', 2000, recover_share => 0.5, until => '2026-05-01') \g /dev/null
SELECT pg_temp.seller('most', '{500,4000,4000,4000,4000}'), spm.add_pay_rule('most', 'draw', 2000, recover_maximum => 600, until => '2026-06-01') \g /dev/null
SELECT pg_temp.seller('late', '{1000,5000,5000,5000}'), spm.add_pay_rule('late', 'draw', 2000, recover_after => 2, until => '2026-05-01') \g /dev/null
SELECT pg_temp.seller('from', '{1000,5000,5000}'), spm.add_pay_rule('from', 'draw', 2000, recover_from => '2026-03-01', until => '2026-04-01') \g /dev/null
SELECT pg_temp.seller('stop', '{0,3000,3000,9000}'), spm.add_pay_rule('stop', 'draw', 2500, recover_until => '2026-04-01', until => '2026-05-01') \g /dev/null
SELECT pg_temp.seller('least', '{500,2200,2200}'), spm.add_pay_rule('least', 'draw', 2000, minimum => 1500, until => '2026-04-01') \g /dev/null
SELECT pg_temp.seller('free', '{500,700,400,9000}'), spm.add_pay_rule('free', 'draw', 1000, first_periods => 3, is_forgiven => true) \g /dev/null
SELECT pg_temp.seller('keep', '{500,700,400,900,900}'), spm.add_pay_rule('keep', 'draw', 1000, first_periods => 3) \g /dev/null
SELECT pg_temp.seller('new', '{0,500,500}', '2026-02-10'), spm.add_pay_rule('new', 'guarantee', 1000, first_periods => 1) \g /dev/null
SELECT pg_temp.seller('mid', '{100}', '2026-01-15'), spm.add_pay_rule('mid', 'draw', 3000, prorate => 'calendar', until => '2026-02-01') \g /dev/null
SELECT spm.set_variable('incentive', 5000) \g /dev/null
SELECT pg_temp.seller('var', '{}', '2026-01-15'), spm.add_pay_rule('var', 'draw', variable => 'incentive', share => 0.8, prorate => 'calendar', until => '2026-02-01') \g /dev/null
SELECT pg_temp.seller('fes', '{-100,500}'), spm.add_pay_rule('fes', 'negative') \g /dev/null
SELECT pg_temp.seller('slow', '{-300,500,500,500}'), spm.add_pay_rule('slow', 'negative', recover_maximum => 100, minimum => 400) \g /dev/null
SELECT pg_temp.seller('zero', '{-100,500}'), spm.add_pay_rule('zero', 'negative', method => 'zeroed') \g /dev/null
SELECT pg_temp.seller('exit', '{1000,-1500,0}', until => '2026-03-01'), spm.add_pay_rule('exit', 'negative') \g /dev/null
SELECT pg_temp.seller('none', '{-100,500}') \g /dev/null
SELECT pg_temp.seller('both', '{500,3000}'), spm.add_component('both', 'Spiff', '0: 10%'), spm.add_pay_rule('both', 'draw', 1000, components => '{Commission}') \g /dev/null
SELECT spm.publish_plan(name) FROM spm.plan ORDER BY name \g /dev/null
SELECT pg_temp.run(1, 6) \g /dev/null

-- ---- published figures
SELECT is(pg_temp.net('sb'), '2750 3000 2000 2000 2875 2750', 'a recoverable draw of 2,000 tops pay up, and takes back only what is above it');
SELECT is(pg_temp.owed('sb'), '0 0 500 125 0 0', 'what is owed is known after each period');
SELECT is(pg_temp.owed('min'), '150 0 270 410 610 610', 'a minimum of 250 that is recovered at once: 150 owed, none, 270, 410, 610 after each period');
SELECT is(pg_temp.net('min'), '250 1050 250 250 250 0', 'and never less than 250 paid while it lasts');
SELECT is(pg_temp.owed('to'), '500 800 1400 1400 1400 1400', 'a draw to 1,000 on 500, 700 and 400: 500, 800 and 1,400 owed');
SELECT is(pg_temp.net('oi'), '3000 5000 0 0 0 0', 'a guarantee of 3,000 is the least that is paid of a period, and nothing is carried');
SELECT is(pg_temp.net('vis', 'earning') || ' / ' || pg_temp.net('vis', 'recovery'), '6000 0 0 0 0 0 / -4000 0 0 0 0 0',
    'an advance of 4,000 against 6,000 earned: 2,000 are left to pay');
SELECT is(pg_temp.owed('vis2'), '1000 1000 0 0 0 0', 'an advance of 3,000 against 2,000 earned: 1,000 are owed, and stay so until there are earnings');
SELECT is(pg_temp.net('vis2'), '3000 0 3000 0 0 0', 'which then pay it back');
SELECT is(pg_temp.net('mid', 'draw') || ' / ' || pg_temp.net('mid'), '1545.16 0 0 0 0 0 / 1645.16 0 0 0 0 0', 'a draw of 3,000 for 17 of 31 days is 1,645.16');
SELECT is(pg_temp.net('var'), '2193.55 0 0 0 0 0', '80 % of a variable pay of 5,000 for 17 of 31 days is 2,193.55');
SELECT is(pg_temp.net('fes'), '0 400 0 0 0 0', 'a chargeback of 100 with nothing to take it from is kept, and taken from the 500 that come next');

-- ---- options of recovery
SELECT is(pg_temp.net('half') || ' / ' || pg_temp.owed('half'), '2000 2500 2500 2500 0 0 / 2000 1500 1000 500 500 500',
    'recover_share: half of what is above the draw is taken back');
SELECT is(pg_temp.net('most') || ' / ' || pg_temp.owed('most'), '2000 3400 3400 3700 4000 0 / 1500 900 300 0 0 0', 'recover_maximum: no more than 600 in a period');
SELECT is(pg_temp.net('late') || ' / ' || pg_temp.owed('late'), '2000 5000 4000 5000 0 0 / 1000 1000 0 0 0 0', 'recover_after: two periods later');
SELECT is(pg_temp.net('from'), '2000 5000 4000 0 0 0', 'recover_from: not before March');
SELECT is(pg_temp.net('stop') || ' / ' || pg_temp.owed('stop'), '2500 2500 2500 9000 0 0 / 2500 2000 1500 1500 1500 1500', 'recover_until: not from April on');
SELECT is(pg_temp.net('least') || ' / ' || pg_temp.owed('least'), '2000 1500 1500 0 0 0 / 1500 800 100 100 100 100', 'minimum: recovery may take pay below the draw, to 1,500');
SELECT is(pg_temp.net('keep') || ' / ' || pg_temp.owed('keep'), '1000 1000 1000 0 400 0 / 500 800 1400 500 0 0', 'first_periods: after three periods the draw ends, and what is owed is taken from all pay');
SELECT is(pg_temp.net('free') || ' / ' || pg_temp.owed('free'), '1000 1000 1000 9000 0 0 / 500 800 0 0 0 0', 'is_forgiven: what is owed when the draw ends is written off');
SELECT results_eq($$SELECT kind, paid_amount, reason FROM spm_bi.payout WHERE payee_key = 'free' AND period_name = '2026-03' ORDER BY kind$$,
    $$VALUES ('draw', 600.0000, NULL), ('earning', 400.0000, NULL), ('forgiveness', 0.0000, '1400.00 written off')$$, 'and the payout says so');
SELECT is(pg_temp.net('new'), '0 1000 500 0 0 0', 'first_periods count from the first day on the plan');
SELECT is(pg_temp.net('both'), '1050 2800 1000 1000 1000 1000', 'components: only the commission counts towards the draw, the spiff is paid besides');

-- ---- pay below zero
SELECT is(pg_temp.net('none'), '-100 500 0 0 0 0', 'without a rule pay below zero is what it is');
SELECT is(pg_temp.net('slow') || ' / ' || pg_temp.owed('slow', 'negative'), '0 400 400 400 0 0 / 300 200 100 0 0 0', 'carried: taken back with the terms of recovery');
SELECT is(pg_temp.net('zero') || ' / ' || pg_temp.owed('zero', 'negative'), '0 500 0 0 0 0 / 0 0 0 0 0 0', 'zeroed: written off');
SELECT is(pg_temp.net('exit'), '1000 0 0 0 0 0', 'the last pay of who leaves is not below zero');
SELECT results_eq($$SELECT closing_amount, owed_by, pay_rule_kind FROM spm_bi.balance WHERE payee_key = 'exit' AND is_latest AND is_off_plan$$,
    $$VALUES (1500.0000, 'payee', 'negative')$$, 'and what was paid too much is reported');

-- ---- the ledger
SELECT is_empty($$SELECT balance_id FROM spm_bi.balance WHERE NOT is_reconciled$$, 'balances say what payouts say');
SELECT is_empty($$SELECT balance_id FROM (SELECT *, lag(closing_amount) OVER (PARTITION BY payee_id, pay_rule_name ORDER BY period_start) AS before FROM spm_bi.balance) b
    WHERE coalesce(before, 0) <> opening_amount$$, 'each opens with what the one before closed with');
SELECT ok(bool_and(is_reconciled), 'what is earned adds up as before') FROM spm_bi.reconciliation;
SELECT throws_ok('UPDATE spm.balance SET opening_amount = 0', '23001', 'a posted row of spm.balance never changes', 'a posted balance stays');
SELECT throws_ok('DELETE FROM spm.balance', '23001', NULL, 'and is not deleted');
SELECT throws_ok('TRUNCATE spm.balance', '23001', NULL, 'nor thrown away');

-- ---- late: a posted period stays, the next one pays the difference, and rules see the period that pays
INSERT INTO shop.deal VALUES ('late-sb', '2026-03-20', 'sb', 800), ('jul-sb', '2026-07-15', 'sb', 1500);
CALL spm.calculate('2026-07');
SELECT results_eq($$SELECT kind, period_name, paid_amount FROM spm_bi.payout WHERE payee_key = 'sb' AND paid_period_name = '2026-07' ORDER BY 1, 2$$,
    $$VALUES ('earning', '2026-03', 800.0000), ('earning', '2026-07', 1500.0000)$$, '800 that come late lift July above the draw');
CALL spm.calculate('2026-07');
SELECT is((pg_temp.last_run()).changed_count, 0::bigint, 'calculating again changes nothing');
DELETE FROM shop.deal WHERE deal_id = 'late-sb';
CALL spm.calculate('2026-07');
SELECT is(pg_temp.owed('sb'), '0 0 500 125 0 0 500', 'without it July is topped up by 500');
CALL spm.calculate('2026-08');
SELECT is(pg_temp.owed('sb'), '0 0 500 125 0 0 500 2500', 'a later draft goes on from an earlier one');
INSERT INTO shop.deal VALUES ('more-sb', '2026-07-16', 'sb', 100);
CALL spm.calculate('2026-07');
CALL spm.post('2026-07');
SELECT throws_ok($$CALL spm.post('2026-08')$$, '55000', 'period 2026-08 was calculated before something it stands on changed', 'and is not posted when that one has changed');
CALL spm.calculate('2026-08');
SELECT is(pg_temp.owed('sb'), '0 0 500 125 0 0 400 2400', 'until it is calculated again');

-- ---- reopened: the period as a whole keeps its draw
SELECT spm.reopen_period('2026-07', 'forgotten order') \g /dev/null
INSERT INTO shop.deal VALUES ('forgot-sb', '2026-07-17', 'sb', 1000);
CALL spm.calculate('2026-07');
SELECT results_eq($$SELECT kind, paid_amount FROM spm_bi.payout WHERE payee_key = 'sb' AND paid_period_name = '2026-07' AND NOT is_posted ORDER BY 1$$,
    $$VALUES ('draw', -400.0000), ('earning', 1000.0000)$$, '1,000 more in July, which had been topped up by 400: 600 more are paid');
SELECT is((SELECT closing_amount FROM spm_bi.balance WHERE payee_key = 'sb' AND period_name = '2026-07' AND NOT is_posted), 0.0000, 'and nothing is owed');
CALL spm.post('2026-07');

-- ---- a new version goes on with the balance of the rule of the same name; one that is dropped is settled
SELECT spm.new_plan_version('min', '2026-09-01'), spm.new_plan_version('to', '2026-09-01') \g /dev/null
SELECT is((SELECT amount FROM spm.pay_rule JOIN spm.plan_version USING (plan_version_id) JOIN spm.plan p USING (plan_id) WHERE p.name = 'min' AND version_no = 2), 250::numeric,
    'a new version of a plan has its pay rules');
SELECT spm.drop_pay_rule('to', 'draw') \g /dev/null
SELECT spm.drop_pay_rule('min', 'draw'), spm.add_pay_rule('min', 'draw', 300) \g /dev/null
SELECT spm.publish_plan('min'), spm.publish_plan('to') \g /dev/null
INSERT INTO shop.deal VALUES ('sep-min', '2026-09-15', 'min', 400), ('sep-to', '2026-09-15', 'to', 1000);
CALL spm.calculate('2026-08');
CALL spm.post('2026-08');
CALL spm.calculate('2026-09');
SELECT results_eq($$SELECT payee_key, plan_version_no, opening_amount, recovered_amount, closing_amount FROM spm_bi.balance
    WHERE period_name = '2026-09' AND payee_key IN ('min', 'to') ORDER BY 1$$,
    $$VALUES ('min', 2, 610.0000, 100.0000, 510.0000), ('to', 1, 1400.0000, 1000.0000, 400.0000)$$,
    'the new draw of 300 takes back 100 of 400; without a draw all pay goes to what is owed');
SELECT throws_ok($$UPDATE spm.pay_rule SET amount = 1$$, '23001', 'a published plan version never changes', 'pay rules of a published version stay');
SELECT throws_ok($$DELETE FROM spm.pay_rule$$, '23001', 'a published plan version never changes', 'all of them');
SAVEPOINT before;
INSERT INTO spm.pay_rule (plan_version_id, rule_no, name, kind, amount, method) SELECT plan_version_id, 9, 'slipped in', 'cap', 1, 'forfeited' FROM spm.plan_version ORDER BY 1 LIMIT 1;
SELECT throws_ok($$CALL spm.calculate('2026-09')$$, 'XX001', NULL, 'and one that was slipped in is found');
ROLLBACK TO before;

-- ---- what makes no sense is refused
SELECT spm.create_plan('x', 'fiscal', 'USD', '2026-01-01'), spm.add_component('x', 'Commission', '0: 5%') \g /dev/null
SELECT throws_ok(format('SELECT spm.add_pay_rule(''x'', %s)', args), '22023', NULL, promise) FROM (VALUES
    ($$'bonus', 5$$, 'a kind that does not exist'),
    ($$'draw'$$, 'a draw without an amount'),
    ($$'draw', 5, variable => 'incentive'$$, 'an amount and a variable'),
    ($$'draw', 5, share => 0.5$$, 'a share of nothing'),
    ($$'draw', 5, method => 'roof'$$, 'a method that the kind does not have'),
    ($$'draw', 5, is_forgiven => true$$, 'forgiving at the end of what does not end'),
    ($$'guarantee', 5, recover_share => 0.5$$, 'recovery of what is not owed'),
    ($$'draw', 5, grain => 'year'$$, 'a draw over a year'),
    ($$'draw', 5, prorate => 'by moon'$$, 'a way of prorating that does not exist'),
    ($$'negative', first_periods => 3$$, 'an end of what does not end'),
    ($$'negative', components => '{Commission}'$$, 'pay below zero of one component'),
    ($$'draw', 5, release_after => 1$$, 'a release of what is not held back'),
    ($$'draw', -5$$, 'a negative amount'),
    ($$'draw', 5, recover_share => 2$$, 'a share above one')) v(args, promise);
SELECT throws_ok($$SELECT spm.add_pay_rule('x', 'draw', 5, components => '{Nonsense}')$$, '42704', 'the draft of plan "x" has no component "Nonsense"', 'a component that does not exist');
SELECT throws_ok($$SELECT spm.add_pay_rule('x', 'draw', variable => 'nothing')$$, '42704', 'variable "nothing" does not exist', 'a variable that does not exist');
SELECT throws_ok($$SELECT spm.add_pay_rule('min', 'draw', 5)$$, '55000', NULL, 'a version that is published');
SELECT spm.add_pay_rule('x', 'draw', 5) \g /dev/null
SELECT throws_ok($$SELECT spm.add_pay_rule('x', 'draw', 6)$$, '23505', NULL, 'two rules of one name');
SELECT throws_ok($$SELECT spm.drop_pay_rule('x', 'cap')$$, '42704', NULL, 'dropping a rule that does not exist');
SELECT spm.set_variable('salary', 100, payee => 'sb'), spm.assign_plan('x', '2026-01-01', payee => 'oi'), spm.add_pay_rule('x', 'cap', variable => 'salary') \g /dev/null
SELECT results_eq($$SELECT * FROM spm.plan_defect('x')$$, $$VALUES ('cap', 'payee oi has no value of salary in 2026-09', 'SELECT spm.set_variable(''salary'', value, payee => ''oi'');')$$,
    'a variable without a value is found before publishing');
SELECT spm.drop_component('x', 'Commission'), spm.add_component('x', 'Bonus', '0: 5%') \g /dev/null
SELECT spm.add_pay_rule('x', 'guarantee', 5, components => '{Bonus}'), spm.drop_component('x', 'Bonus'), spm.add_component('x', 'Other', '0: 5%') \g /dev/null
SELECT is(count(*), 1::bigint, 'and so is a component that was dropped') FROM spm.plan_defect('x') WHERE component = 'guarantee' AND defect LIKE '%"Bonus"%';

SELECT * FROM finish();
ROLLBACK;
