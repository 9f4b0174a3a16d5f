/*
 * From earning to pay: holds and releases, and adjustments that four eyes see.
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
CREATE FUNCTION pg_temp.paid(who text, month text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', kind, trim_scale(paid_amount), '(' || reason || ')'), ', ' ORDER BY kind, paid_amount) FROM spm_bi.payout WHERE payee_key = who AND paid_period_name = month
$$;

SELECT pg_temp.seller('ann', '{1000,800,700,600}'), pg_temp.seller('bob', '{1000,500}'), pg_temp.seller('cap', '{1000}'), pg_temp.seller('dan', '{1000,-400,100}'),
    pg_temp.seller('eve', '{1000,500}'), pg_temp.seller('fay', '{900}') \g /dev/null
SELECT spm.add_component('eve', 'Spiff', '0: 10%'), spm.add_pay_rule('cap', 'cap', 800) \g /dev/null
INSERT INTO shop.deal VALUES ('bob-big', '2026-01-20', 'bob', 300), ('eve-2b', '2026-02-20', 'eve', 200);
SELECT spm.publish_plan(name) FROM spm.plan ORDER BY name \g /dev/null
CALL spm.calculate('2026-01');

-- ---- holds: earned, and not paid
SELECT spm.hold('leaves the company', payee => 'ann', since => '2026-02-01') AS of_ann \gset
SELECT spm.hold('invoice disputed', transaction_key => 'bob-big') AS of_bob \gset
SELECT spm.hold('capped and disputed', transaction_key => 'cap-1') AS of_cap \gset
SELECT spm.hold('audit', payee => 'dan') AS of_dan \gset
SELECT spm.hold('rules unclear', plan => 'eve', component => 'Spiff', since => '2026-02-01') AS of_eve \gset
SELECT throws_ok($$CALL spm.post('2026-01')$$, '55000', NULL, 'a period that was calculated before is not posted without the hold');
SELECT pg_temp.run(1, 1) \g /dev/null
SELECT is(pg_temp.paid('ann', '2026-01'), 'earning 1000', 'a hold since February leaves January alone');
SELECT is(pg_temp.paid('bob', '2026-01'), 'earning 1300, hold -300 (invoice disputed)', 'an order that is held is earned and not paid');
SELECT is(pg_temp.paid('cap', '2026-01'), 'cap -200, earning 1000, hold -800 (capped and disputed)', 'no more is held than would be paid');
SELECT is(pg_temp.paid('dan', '2026-01'), 'earning 1000, hold -1000 (audit)', 'all pay of a payee');
SELECT is((SELECT sum(earned_amount) FROM spm_bi.earning WHERE payee_key = 'dan'), 1000.0000, 'which is earned all the same');
SELECT pg_temp.run(2, 2) \g /dev/null
SELECT is(pg_temp.paid('ann', '2026-02'), 'earning 800, hold -800 (leaves the company)', 'from February on Ann is not paid');
SELECT is(pg_temp.paid('bob', '2026-02'), 'earning 500', 'Bob is, for everything else');
SELECT is(pg_temp.paid('dan', '2026-02'), 'earning -400, release 400 (audit)', 'what is taken back is taken from what is held');
SELECT is(pg_temp.paid('eve', '2026-02'), 'earning 70, earning 700, hold -70 (rules unclear)', 'one component is held; what it paid in January stays paid');
SELECT results_eq($$SELECT hold_id, held_amount FROM spm_bi.hold ORDER BY 1$$,
    format('VALUES (%s, 800.0000), (%s, 300.0000), (%s, 800.0000), (%s, 600.0000), (%s, 70.0000)', :of_ann, :of_bob, :of_cap, :of_dan, :of_eve), 'what every hold keeps is known');

-- ---- releases
SELECT spm.release(:of_ann, 'stays after all'), spm.release(:of_bob, 'invoice paid'), spm.release(:of_eve, 'rules clear') \g /dev/null
SELECT spm.hold('once more', transaction_key => 'bob-1'), spm.hold('new doubts', payee => 'eve', transaction_key => 'eve-2') \g /dev/null
UPDATE shop.deal SET amount = 0 WHERE deal_id = 'cap-1';
SELECT pg_temp.run(3, 3) \g /dev/null
SELECT is(pg_temp.paid('ann', '2026-03'), 'earning 700, release 800 (stays after all)', 'the posting after a release pays what was held');
SELECT is(pg_temp.paid('bob', '2026-03'), 'release 300 (invoice paid)', 'to everybody; an order that was posted before it is held stays paid');
SELECT is(pg_temp.paid('cap', '2026-03'), 'cap 200, earning -1000, release 800 (capped and disputed)', 'a held order that is cancelled takes nothing from other pay');
SELECT is(pg_temp.paid('dan', '2026-03'), 'earning 100, hold -100 (audit)', 'a hold keeps on');
SELECT is(pg_temp.paid('eve', '2026-03'), 'release 70 (rules clear)', 'and one of what is paid holds nothing');
CALL spm.calculate('2026-04');
CALL spm.calculate('2026-04');
SELECT is((pg_temp.last_run()).changed_count, 0::bigint, 'calculating again changes nothing');
SELECT results_eq(format('SELECT held_amount, is_released, held_by = session_user, released_by = session_user, release_reason FROM spm_bi.hold WHERE hold_id = %s', :of_bob),
    $$VALUES (0.0000, true, true, true, 'invoice paid')$$, 'who held and who released it is kept');
SELECT throws_ok(format('SELECT spm.release(%s, ''again'')', :of_bob), '55000', NULL, 'a hold is released once');
SELECT throws_ok($$SELECT spm.release(0, 'why')$$, '42704', 'hold 0 does not exist', 'and exists');
SELECT throws_ok(format('SELECT spm.release(%s, '''')', :of_dan), '22023', NULL, 'with a reason');
SELECT throws_ok($$SELECT spm.hold('why')$$, '22023', 'a hold is of a payee, a component of a plan, or a transaction', 'a hold of nothing is refused');
SELECT throws_ok($$SELECT spm.hold('why', component => 'Spiff')$$, '22023', NULL, 'and of a component without its plan');
SELECT throws_ok($$SELECT spm.hold('why', plan => 'eve', component => 'Nonsense')$$, '42704', 'plan "eve" has no component "Nonsense"', 'and of one that does not exist');
SELECT throws_ok($$SELECT spm.hold('why', payee => 'nobody')$$, '42704', NULL, 'and of nobody');
SELECT throws_ok($$SELECT spm.hold('', payee => 'ann')$$, '22023', NULL, 'and without a reason');
SELECT throws_ok('DELETE FROM spm.hold', '23001', 'a row of spm.hold is kept as it was recorded', 'holds are not deleted');
SELECT throws_ok('UPDATE spm.hold SET reason = ''other''', '23001', NULL, 'nor rewritten');
SELECT throws_ok(format('UPDATE spm.hold SET released_at = now(), released_by = ''somebody'', release_reason = ''x'' WHERE hold_id = %s', :of_dan), '23001', NULL, 'nor released in another name');
SELECT throws_ok('TRUNCATE spm.hold CASCADE', '23001', NULL, 'nor thrown away');

-- ---- adjustments: one enters, another approves
CREATE ROLE clerk;
CREATE ROLE boss;
GRANT USAGE ON SCHEMA spm, spm_bi TO clerk, boss;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA spm TO clerk, boss;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO clerk, boss;
SET LOCAL SESSION AUTHORIZATION clerk;
SELECT spm.add_adjustment('fay', '2026-04', 500, 'USD', 'speaker at the kick-off') AS speech \gset
SELECT spm.add_adjustment('fay', '2026-04', -120.50, 'USD', 'wrong territory in January', plan => 'fay', component => 'Commission') AS wrong \gset
SELECT spm.add_adjustment('fay', '2026-04', 77, 'USD', 'entered twice') AS twice \gset
SELECT spm.add_adjustment('fay', '2026-05', 33, 'USD', 'next month') AS later \gset
SELECT throws_ok(format('SELECT spm.approve_adjustment(%s)', :speech), '42501', NULL, 'who entered an adjustment does not approve it');
SELECT throws_ok(format('UPDATE spm.adjustment SET approved_at = now(), approved_by = ''boss'' WHERE adjustment_id = %s', :speech), '23001', NULL, 'nor in another name');
SELECT throws_ok(format('UPDATE spm.adjustment SET approved_at = now(), approved_by = ''clerk'' WHERE adjustment_id = %s', :speech), '23514', NULL, 'nor by hand');
SELECT throws_ok($$INSERT INTO spm.adjustment (payee_id, period_id, amount, currency_code, reason, recorded_by) SELECT payee_id, period_id, 1, 'USD', 'x', 'boss' FROM spm.adjustment LIMIT 1$$,
    '42501', 'a row of spm.adjustment is recorded in the name of the login that enters it', 'nor is one entered in another name, to be approved by oneself');
SELECT throws_ok($$INSERT INTO spm.adjustment (payee_id, period_id, amount, currency_code, reason, approved_at, approved_by) SELECT payee_id, period_id, 1, 'USD', 'x', now(), 'boss' FROM spm.adjustment LIMIT 1$$,
    '42501', NULL, 'nor one that is approved already');
SELECT spm.add_manual_credit('fay', '2026-04-02', 5, 'USD', 'x') AS own \gset
SELECT throws_ok(format('INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, decided_by) VALUES (%s, ''approved'', ''boss'')', :own), '42501', NULL, 'the same holds for credits by hand');
SELECT throws_ok($$INSERT INTO spm.payment_batch (period_id, pay_on, proposed_by) SELECT period_id, '2026-04-30', 'boss' FROM spm.period LIMIT 1$$, '42501', NULL, 'and for payments');
RESET SESSION AUTHORIZATION;
CALL spm.calculate('2026-04');
SELECT is(pg_temp.paid('fay', '2026-04'), NULL, 'what is not approved is not paid');
SET LOCAL SESSION AUTHORIZATION boss;
SELECT spm.approve_adjustment(a) FROM unnest(ARRAY[:speech, :wrong, :twice, :later]) a \g /dev/null
SELECT throws_ok(format('SELECT spm.approve_adjustment(%s)', :speech), '55000', NULL, 'it is approved once');
SELECT spm.withdraw_adjustment(:twice, 'entered twice') \g /dev/null
SELECT throws_ok(format('SELECT spm.withdraw_adjustment(%s, ''again'')', :twice), '55000', NULL, 'and withdrawn once');
RESET SESSION AUTHORIZATION;
SELECT throws_ok($$CALL spm.post('2026-04')$$, '55000', NULL, 'a period that was calculated before is not posted without it');
SELECT pg_temp.run(4, 4) \g /dev/null
SELECT is(pg_temp.paid('fay', '2026-04'), 'adjustment -120.5 (wrong territory in January), adjustment 500 (speaker at the kick-off)', 'what is approved is paid, with its reason');
SELECT results_eq($$SELECT state, recorded_by, approved_by, withdrawn_by FROM spm_bi.adjustment ORDER BY adjustment_id$$,
    $$VALUES ('paid', 'clerk', 'boss', NULL), ('paid', 'clerk', 'boss', NULL), ('withdrawn', 'clerk', 'boss', 'boss'), ('approved', 'clerk', 'boss', NULL)$$, 'who did what is kept');
SELECT is(count(*), 1::bigint, 'the statement has it') FROM spm.statement('fay', '2026-04') line WHERE line LIKE 'Adjustment: wrong territory%-120.50';
SELECT throws_ok(format('SELECT spm.withdraw_adjustment(%s, ''why'')', :speech), '55000', 'adjustment ' || :speech || ' is paid', 'what is paid is not withdrawn');
SELECT pg_temp.run(5, 5) \g /dev/null
SELECT is(pg_temp.paid('fay', '2026-05'), 'adjustment 33 (next month)', 'each is paid once, by its period');
SET LOCAL SESSION AUTHORIZATION clerk;
SELECT spm.add_adjustment('fay', '2026-06', 10, 'USD', 'approved late') AS late \gset
RESET SESSION AUTHORIZATION;
SELECT pg_temp.run(6, 6) \g /dev/null
SELECT spm.approve_adjustment(:late) \g /dev/null
SELECT pg_temp.run(7, 7) \g /dev/null
SELECT is(pg_temp.paid('fay', '2026-07'), 'adjustment 10 (approved late)', 'or by the first open one after it');
SELECT ok(bool_and(is_reconciled), 'what is earned adds up') FROM spm_bi.reconciliation;
SELECT throws_ok(format('SELECT spm.add_adjustment(%s)', args), state, NULL, promise) FROM (VALUES
    ($$'nobody', '2026-08', 1, 'USD', 'why'$$, '42704', 'an adjustment for nobody is refused'),
    ($$'fay', '2027-08', 1, 'USD', 'why'$$, '42704', 'in no period'),
    ($$'fay', '2026-01', 1, 'USD', 'why'$$, '55000', 'in a posted period'),
    ($$'fay', '2026', 1, 'USD', 'why'$$, '55000', 'in one that has parts'),
    ($$'fay', '2026-08', 1, 'XXX', 'why'$$, '42704', 'in no currency'),
    ($$'fay', '2026-08', 0, 'USD', 'why'$$, '22023', 'of nothing'),
    ($$'fay', '2026-08', 1.005, 'USD', 'why'$$, '22023', 'of a part of a cent'),
    ($$'fay', '2026-08', 'NaN', 'USD', 'why'$$, '22023', 'of no number'),
    ($$'fay', '2026-08', 1, 'USD', ''$$, '22023', 'without a reason'),
    ($$'fay', '2026-08', 1, 'USD', 'why', plan => 'fay', component => 'Nonsense'$$, '42704', 'of a component that does not exist'),
    ($$'fay', '2026-08', 1, 'USD', 'why', component => 'Commission'$$, '42704', 'of a component without its plan')) v(args, state, promise);
SELECT spm.add_currency('EUR', 2) \g /dev/null
SELECT throws_ok($$SELECT spm.add_adjustment('fay', '2026-08', 1, 'EUR', 'why', plan => 'fay')$$, '22023', NULL, 'in another currency than its plan''s');
SELECT throws_ok($$SELECT spm.approve_adjustment(0)$$, '42704', 'adjustment 0 does not exist', 'approving what does not exist is refused');
SELECT throws_ok('DELETE FROM spm.adjustment', '23001', NULL, 'adjustments are not deleted');
SELECT throws_ok('UPDATE spm.adjustment SET amount = 1', '23001', NULL, 'nor rewritten');

-- ---- the place of adjustments in the order of rules
SELECT pg_temp.seller(k, '{}'), spm.add_pay_rule(k, 'draw', 1000, until => '2026-09-01') FROM unnest('{gil,hal}'::text[]) k \g /dev/null
SELECT spm.add_pay_rule('hal', 'adjustment', rule_no => 1) \g /dev/null
SELECT spm.publish_plan('gil'), spm.publish_plan('hal') \g /dev/null
SET LOCAL SESSION AUTHORIZATION clerk;
SELECT array_agg(spm.add_adjustment(k, '2026-08', 300, 'USD', 'help', plan => k)) AS help FROM unnest('{gil,hal}'::text[]) k \gset
RESET SESSION AUTHORIZATION;
SELECT spm.approve_adjustment(a) FROM unnest(:'help'::int[]) a \g /dev/null
CALL spm.calculate('2026-08');
SELECT is(pg_temp.paid('gil', '2026-08'), 'adjustment 300 (help), draw 1000', 'after the draw, unless the plan says otherwise');
SELECT is(pg_temp.paid('hal', '2026-08'), 'adjustment 300 (help), draw 700', 'a rule of kind adjustment is their place: before the draw');

SELECT * FROM finish();
ROLLBACK;
