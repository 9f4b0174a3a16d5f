/*
 * From earning to pay: caps, budgets and holdbacks, and the order of rules.
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

-- ---- caps
SELECT pg_temp.seller('month', '{1200,800,1500}'), spm.add_pay_rule('month', 'cap', 1000) \g /dev/null
SELECT pg_temp.seller('carry', '{1200,700,900,1500}'), spm.add_pay_rule('carry', 'cap', 1000, method => 'carried') \g /dev/null
SELECT pg_temp.seller('quarter', '{2000,500,1000,400}'), spm.add_pay_rule('quarter', 'cap', 3000, grain => 'quarter') \g /dev/null
SELECT pg_temp.seller('year', '{400,400,400,400,400,400}'), spm.add_pay_rule('year', 'cap', 2000, grain => 'year') \g /dev/null
SELECT spm.set_variable('salary', 1000, payee => 'month'), spm.set_variable('salary', 400, payee => 'year') \g /dev/null
SELECT pg_temp.seller('salary', '{1200,800}') \g /dev/null
SELECT spm.set_variable('salary', 400, payee => 'salary'), spm.add_pay_rule('salary', 'cap', variable => 'salary', share => 2.5) \g /dev/null
SELECT pg_temp.seller('part', '{1000,1000}', '2026-01-15'), spm.add_pay_rule('part', 'cap', 930, prorate => 'calendar') \g /dev/null
SELECT pg_temp.seller('one', '{1500}'), spm.add_component('one', 'Spiff', '0: 10%'), spm.add_pay_rule('one', 'cap', 1000, components => '{Commission}') \g /dev/null
SELECT pg_temp.seller('two', '{1500,900}'), spm.add_pay_rule('two', 'cap', 1000, name => 'monthly'), spm.add_pay_rule('two', 'cap', 1700, name => 'quarterly', grain => 'quarter') \g /dev/null

-- ---- the order of rules
SELECT pg_temp.seller('usual', '{5000,500,3000}'), spm.add_pay_rule('usual', 'draw', 1000), spm.add_pay_rule('usual', 'cap', 800) \g /dev/null
SELECT pg_temp.seller('other', '{5000,500,3000}'), spm.add_pay_rule('other', 'draw', 1000, rule_no => 1), spm.add_pay_rule('other', 'cap', 800, rule_no => 2) \g /dev/null

SELECT pg_temp.seller('chain', '{500,3000}'), spm.add_component('chain', 'Spiff', '0: 10%'), spm.add_pay_rule('chain', 'budget', 60, components => '{Spiff}'),
    spm.add_pay_rule('chain', 'draw', 1000, until => '2026-03-01'), spm.add_pay_rule('chain', 'cap', 2500) \g /dev/null

-- ---- holdbacks
SELECT pg_temp.seller('back', '{1000,500,300}'), spm.add_pay_rule('back', 'holdback', share => 0.1, release_after => 2) \g /dev/null
SELECT pg_temp.seller('day', '{1000,500,300,100}'), spm.add_pay_rule('day', 'holdback', share => 0.25, release_on => '2026-03-15') \g /dev/null
SELECT pg_temp.seller('call', '{1000,500,300}'), spm.add_pay_rule('call', 'holdback', share => 0.5, name => 'warranty') \g /dev/null
SELECT pg_temp.seller('refund', '{1000,-400}'), spm.add_pay_rule('refund', 'holdback', share => 0.1, release_after => 2) \g /dev/null

-- ---- budgets: one plan for three
SELECT spm.create_plan(b, 'fiscal', 'USD', '2026-01-01'), spm.add_component(b, 'Spiff', '0: 100%') FROM unnest('{first,fair}'::text[]) b \g /dev/null
SELECT spm.add_pay_rule('first', 'budget', 1000), spm.add_pay_rule('fair', 'budget', 1000, method => 'pro rata') \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position(k, k), spm.assign_position(k, k, '2026-01-01'), spm.assign_plan(regexp_replace(k, '.$', ''), '2026-01-01', payee => k)
FROM unnest('{first1,first2,first3,fair1,fair2,fair3}'::text[]) k \g /dev/null
INSERT INTO shop.deal VALUES ('f1', '2026-01-03', 'first1', 400), ('f2', '2026-01-02', 'first2', 500), ('f3', '2026-01-04', 'first3', 300), ('f4', '2026-02-04', 'first1', 50),
    ('g1', '2026-01-03', 'fair1', 400), ('g2', '2026-01-02', 'fair2', 500), ('g3', '2026-01-04', 'fair3', 300), ('g4', '2026-02-04', 'fair1', 50);

SELECT spm.publish_plan(name) FROM spm.plan ORDER BY name \g /dev/null
SELECT pg_temp.run(1, 3) \g /dev/null
SELECT spm.release_holdback('call', 'warranty', '2026-02', 'projects accepted') \g /dev/null
SELECT pg_temp.run(4, 6) \g /dev/null

SELECT is(pg_temp.net('month'), '1000 800 1000 0 0 0', 'a cap of a month: what is above is forfeited');
SELECT results_eq($$SELECT kind, paid_amount, pay_rule_name FROM spm_bi.payout WHERE payee_key = 'month' AND paid_period_name = '2026-01' ORDER BY 1$$,
    $$VALUES ('cap', -200.0000, 'cap'), ('earning', 1200.0000, NULL)$$, 'the payout shows what was earned, and what the cap takes');
SELECT is(pg_temp.net('carry') || ' / ' || pg_temp.owed('carry', 'cap'), '1000 900 900 1000 500 0 / 200 0 0 500 0 0', 'carried: what is above is paid when there is room');
SELECT is(pg_temp.net('quarter'), '2000 500 500 400 0 0', 'a cap of a quarter holds for its months together');
SELECT is(pg_temp.net('year'), '400 400 400 400 400 0', 'a cap of a year for all of them');
SELECT is(pg_temp.net('salary'), '1000 800 0 0 0 0', 'a cap of 250 % of a salary of 400');
SELECT is(pg_temp.net('part'), '510 930 0 0 0 0', 'prorated: 930 for 17 of 31 days is 510');
SELECT is(pg_temp.net('one'), '1150 0 0 0 0 0', 'a cap of one component leaves the others');
SELECT is(pg_temp.net('two'), '1000 700 0 0 0 0', 'two caps: the second sees what the first has left');
SELECT is(pg_temp.net('usual') || ' / ' || pg_temp.owed('usual'), '1000 1000 1000 1000 1000 1000 / 200 700 900 1900 2900 3900', 'without numbers the cap comes before the draw, however they were added');
SELECT is(pg_temp.net('other') || ' / ' || pg_temp.owed('other'), '800 800 800 800 800 800 / 0 500 0 1000 2000 3000', 'the other way round the cap takes the draw, too, and less is owed');
SELECT results_eq($$SELECT kind, paid_amount FROM spm_bi.payout WHERE payee_key = 'chain' AND paid_period_name = '2026-02' ORDER BY 1, 2$$,
    $$VALUES ('budget', -290.0000), ('cap', -510.0000), ('earning', 300.0000), ('earning', 3000.0000), ('recovery', -450.0000)$$,
    'each rule sees what the ones before have left: a budget of 60 with 50 spent, a cap of 2,500 on 3,010, 450 owed of a draw of 1,000');
SELECT is(pg_temp.net('back') || ' / ' || pg_temp.owed('back', 'holdback'), '900 450 370 50 30 0 / 100 150 80 30 0 0', 'a tenth is held back, and paid two months later');
SELECT is(pg_temp.net('day') || ' / ' || pg_temp.owed('day', 'holdback'), '750 375 675 100 0 0 / 250 375 0 0 0 0', 'a quarter is held back until March pays it all');
SELECT is(pg_temp.net('call') || ' / ' || pg_temp.owed('call', 'warranty'), '500 250 150 750 0 0 / 500 750 900 150 150 150', 'a half is held back until it is released, up to a period');
SELECT is(pg_temp.net('refund') || ' / ' || pg_temp.owed('refund', 'holdback'), '900 -360 100 -40 0 0 / 100 60 -40 0 0 0', 'a refund takes its share from what is held back');
SELECT is(pg_temp.net('first1') || ', ' || pg_temp.net('first2') || ', ' || pg_temp.net('first3'), '400 0 0 0 0 0, 500 0 0 0 0 0, 100 0 0 0 0 0',
    'a budget of 1,000, deal order: the orders of 2 and 3 January are paid, a third of the next, and nothing in February');
SELECT is(pg_temp.net('fair1') || ', ' || pg_temp.net('fair2') || ', ' || pg_temp.net('fair3'), '333.33 0 0 0 0 0, 416.67 0 0 0 0 0, 250 0 0 0 0 0',
    'pro rata: 1,000 are shared by 400, 500 and 300 earned, to the cent');
SELECT results_eq($$SELECT payee_key, paid_amount FROM spm_bi.payout WHERE kind = 'budget' AND plan_name = 'first' ORDER BY 1$$,
    $$VALUES ('first1', -50.0000), ('first3', -200.0000)$$, 'what the budget does not pay is shown');

-- ---- late changes: a rule pays the difference to what was paid of the same span
UPDATE shop.deal SET amount = CASE deal_id WHEN 'month-1' THEN 900 WHEN 'quarter-1' THEN 1400 WHEN 'carry-1' THEN 1000 WHEN 'f1' THEN 0 ELSE 0 END
WHERE deal_id IN ('month-1', 'quarter-1', 'carry-1', 'f1', 'g2');
INSERT INTO shop.deal VALUES ('late-year', '2026-02-20', 'year', 300), ('late-two', '2026-01-20', 'two', 100);
CALL spm.calculate('2026-07');
CREATE FUNCTION pg_temp.rows(who text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', kind, period_name, trim_scale(paid_amount)), ', ' ORDER BY kind, period_name) FROM spm_bi.payout WHERE payee_key = who AND paid_period_name = '2026-07'
$$;
SELECT is(pg_temp.rows('month'), 'cap 2026-01 200, earning 2026-01 -300', 'January had earned 1,200 and was capped at 1,000; of 900 nothing is capped: 100 come back');
SELECT is(pg_temp.rows('quarter'), 'cap 2026-Q1 500, earning 2026-01 -600', 'a quarter that was capped by 500 loses 600 and no more than 100 of its pay');
SELECT is(pg_temp.rows('year'), 'cap 2026-07 -300, earning 2026-02 300', 'a year that has reached its cap pays no more, whenever it was earned');
SELECT is(pg_temp.rows('two'), 'cap 2026-01 -100, earning 2026-01 100', 'nor does a month');
SELECT is(pg_temp.rows('carry'), 'cap 2026-01 200, carried 2026-07 -200, earning 2026-01 -200', 'what was carried from a month that had less in fact is taken back');
SELECT is(pg_temp.rows('first3') || ', ' || pg_temp.rows('first1'), 'budget 2026-07 200, budget 2026-07 50, earning 2026-01 -400', 'what a refund sets free of a budget goes to those first in line');
SELECT is(pg_temp.rows('fair2') || ', ' || pg_temp.rows('fair1') || ', ' || pg_temp.rows('fair3'),
    'budget 2026-07 83.33, earning 2026-01 -500, budget 2026-07 116.67, budget 2026-07 50', 'or is enough for all who share it, and nobody loses what was never paid');
CALL spm.calculate('2026-07');
SELECT is((pg_temp.last_run()).changed_count, 0::bigint, 'calculating again changes nothing');
SELECT ok(bool_and(is_reconciled), 'what is earned adds up') FROM spm_bi.reconciliation;
SELECT is_empty($$SELECT balance_id FROM spm_bi.balance WHERE NOT is_reconciled$$, 'and balances say what payouts say');
CALL spm.post('2026-07');

-- ---- a new version: late changes are capped as it was then
SELECT spm.new_plan_version('month', '2026-08-01'), spm.drop_pay_rule('month', 'cap'), spm.add_pay_rule('month', 'cap', 500) \g /dev/null
SELECT spm.new_plan_version('back', '2026-08-01'), spm.drop_pay_rule('back', 'holdback') \g /dev/null
SELECT spm.publish_plan('month'), spm.publish_plan('back') \g /dev/null
INSERT INTO shop.deal VALUES ('late-month', '2026-02-20', 'month', 300), ('aug-month', '2026-08-20', 'month', 700), ('jul-back', '2026-07-20', 'back', 100), ('aug-back', '2026-08-20', 'back', 100);
CALL spm.calculate('2026-08');
SELECT results_eq($$SELECT kind, period_name, paid_amount FROM spm_bi.payout WHERE payee_key = 'month' AND paid_period_name = '2026-08' ORDER BY 1, 2$$,
    $$VALUES ('cap', '2026-02', -100.0000), ('cap', '2026-08', -200.0000), ('earning', '2026-02', 300.0000), ('earning', '2026-08', 700.0000)$$,
    'February under 1,000, August under 500');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'back' AND paid_period_name = '2026-08'), 200.0000, 'where there is no holdback any more nothing is held back');

-- ---- one payee, two plans, two currencies: each rule in its own
SELECT spm.add_currency('EUR', 2), spm.set_exchange_rate('USD', 'EUR', '2026-01-01', 0.5), spm.add_payee('abroad', 'Abroad'), spm.add_position('abroad', 'Abroad'),
    spm.assign_position('abroad', 'abroad', '2026-01-01') \g /dev/null
SELECT spm.create_plan('abroad ' || c, 'fiscal', c, '2026-08-01'), spm.add_component('abroad ' || c, 'Commission', '0: 100%'), spm.add_pay_rule('abroad ' || c, 'draw', 1000),
    spm.assign_plan('abroad ' || c, '2026-01-01', payee => 'abroad'), spm.publish_plan('abroad ' || c) FROM unnest('{EUR,USD}'::text[]) c \g /dev/null
INSERT INTO shop.deal VALUES ('aug-abroad', '2026-08-20', 'abroad', 1200);
CALL spm.calculate('2026-08');
SELECT results_eq($$SELECT currency_code, kind, paid_amount FROM spm_bi.payout WHERE payee_key = 'abroad' ORDER BY 1, 2$$,
    $$VALUES ('EUR', 'draw', 400.0000), ('EUR', 'earning', 600.0000), ('USD', 'earning', 1200.0000)$$, '1,200 dollars are above a draw of 1,000 dollars, and are 600 euros below one of 1,000');

CALL spm.calculate('2026-09');
SELECT spm.new_plan_version('year', '2026-09-01'), spm.publish_plan('year') \g /dev/null
SELECT throws_ok($$CALL spm.post('2026-08')$$, '55000', NULL, 'a period that was calculated before other rules were published is not posted');

-- ---- what makes no sense is refused
SELECT spm.create_plan('x', 'fiscal', 'USD', '2026-01-01'), spm.add_component('x', 'Commission', '0: 5%') \g /dev/null
SELECT throws_ok(format('SELECT spm.add_pay_rule(''x'', %s)', args), '22023', NULL, promise) FROM (VALUES
    ($$'cap'$$, 'a cap without an amount'),
    ($$'cap', 5, grain => 'decade'$$, 'a cap of a span that the calendar does not have'),
    ($$'cap', 5, method => 'floor'$$, 'a method of another kind'),
    ($$'budget', variable => 'salary'$$, 'a budget that differs from payee to payee'),
    ($$'holdback', share => 1.5$$, 'holding back more than there is'),
    ($$'holdback', 100$$, 'a holdback without a share'),
    ($$'adjustment', 5$$, 'an amount where there is none')) v(args, promise);
SELECT throws_ok($$SELECT spm.release_holdback('call', 'cap', '2026-02', 'why')$$, '42704', 'plan "call" has no holdback "cap"', 'releasing what is not held back is refused');
SELECT throws_ok($$SELECT spm.release_holdback('call', 'warranty', '2026-02', '')$$, '22023', NULL, 'and releasing without a reason');
SELECT throws_ok($$UPDATE spm.holdback_release SET reason = 'x'$$, '55000', NULL, 'a release stays as it was recorded');
SELECT is((SELECT released_by FROM spm.holdback_release), session_user::text, 'with who did it');

SELECT * FROM finish();
ROLLBACK;
