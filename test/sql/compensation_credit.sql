-- Who is credited: shares, rules, overlays, teams, territories, up and down the tree, and by hand. Every figure was worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.deal (deal_id text, closed_on date, owner text, account text, product text, amount numeric, region text);
INSERT INTO shop.deal VALUES
    ('D-01', '2026-01-10', 'dana', 'acme', 'cloud', 1000.00, 'west'),
    ('D-02', '2026-01-20', 'eli', 'bolt', 'desk', 100.00, 'east'),
    ('D-03', '2026-02-10', NULL, 'cray', 'cloud', 500.00, 'west'),
    ('D-04', '2026-02-11', 'max', 'bolt', 'desk', 100.00, 'north'),
    ('D-05', '2026-02-12', 'nobody', 'bolt', 'cloud', 10.00, 'north');
SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount',
    account => 'account', product => 'product', fixed_currency => 'USD', attributes => '{region}')
FROM spm.add_currency('USD') \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01'), spm.add_title('AE'), spm.add_title('Manager') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k), CASE WHEN k IN ('max', 'vera') THEN 'Manager' WHEN k <> 'spec' THEN 'AE' END),
    spm.assign_position(k, k, '2025-01-01')
FROM unnest('{dana,eli,finn,max,vera,spec}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, 'max', '2025-01-01') FROM unnest('{dana,eli,finn}'::text[]) k \g /dev/null
SELECT spm.set_manager('max', 'vera', '2025-01-01') \g /dev/null
SELECT spm.create_plan('All', 'fiscal', 'USD', '2026-01-01') \g /dev/null
SELECT spm.add_component('All', 'margin', '0: 1%', measure => 'amount - cost', eligible => 'source = ''manual''') \g /dev/null
SELECT spm.add_component('All', k, '0: 10%', credits => k) FROM unnest('{direct,rollup,overlay,team,rolldown,territory}'::text[]) k \g /dev/null
SELECT spm.assign_plan('All', '2026-01-01', payee => k) FROM unnest('{dana,eli,finn,max,vera,spec}'::text[]) k \g /dev/null
SELECT spm.publish_plan('All') \g /dev/null

CREATE FUNCTION pg_temp.credits(kind text) RETURNS TABLE (transaction_key text, payee_key text, credited_amount numeric, rule text) LANGUAGE sql
    AS $$SELECT c.transaction_key, y.payee_key, trim_scale(c.credited_amount), c.rule FROM spm.standing_credit c JOIN spm.payee y USING (payee_id)
         WHERE c.kind = credits.kind ORDER BY 1, 2, 4, 3$$;
CREATE FUNCTION pg_temp.earned(component text) RETURNS TABLE (payee_key text, earned numeric) LANGUAGE sql
    AS $$SELECT payee_key, trim_scale(sum(earned_amount)) FROM spm_bi.earning WHERE component_name = earned.component GROUP BY 1 ORDER BY 1$$;
SAVEPOINT before;

-- ---- overlay
SELECT spm.add_overlay_rule('Cloud specialist', 'product_key = ''cloud''', '{spec}', '{0.5}', '2026-01-01'),
    spm.add_overlay_rule('West', 'attributes->>''region'' = ''west''', '{spec,vera}', '{0.25,1.5}', '2026-01-01', '2026-02-01') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('overlay')$$, $$VALUES
    ('D-01', 'spec', 500.0, 'Cloud specialist'), ('D-01', 'spec', 250, 'West'), ('D-01', 'vera', 1500, 'West'),
    ('D-03', 'spec', 250, 'Cloud specialist'), ('D-05', 'spec', 5, 'Cloud specialist')$$,
    'every overlay rule that matches credits its shares, also beyond 100 %, within its dates');
SELECT results_eq($$SELECT * FROM pg_temp.credits('direct')$$, $$VALUES ('D-01', 'dana', 1000.0, ''), ('D-02', 'eli', 100, ''), ('D-04', 'max', 100, '')$$,
    'on top: the owner is credited as ever');
SELECT results_eq($$SELECT * FROM pg_temp.earned('overlay')$$, $$VALUES ('spec', 100.5), ('vera', 150.0)$$,
    'and earns: 10 % of 500 + 250 + 250 + 5');
SELECT results_eq($$SELECT transaction_key, reason FROM spm_bi.uncredited ORDER BY 1$$, $$VALUES ('D-05', 'its owner is not a payee')$$,
    'an order that nobody owns, and that an overlay credits, lacks nothing; one with an unknown owner does');
SELECT is((SELECT count(*) FROM spm_bi.credit WHERE rule = 'West' AND factor = 1.5), 1::bigint, 'BI sees the rule and its share');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;
CALL spm.calculate('2026-Q1');
SELECT is((SELECT changed_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 0::bigint, 'calculating again changes nothing');
SELECT throws_ok($$SELECT spm.add_overlay_rule('None', 'true', '{spec}', '{0}', '2026-01-01')$$, '23514', NULL, 'an overlay of nothing is refused');
SELECT throws_ok($$SELECT spm.add_overlay_rule('None', 'true', '{spec,vera}', '{1}', '2026-01-01')$$, '23514', NULL, 'so is one without a share for each');
SELECT throws_ok($$SELECT spm.add_overlay_rule('None', 'true', '{ghost}', '{1}', '2026-01-01')$$, '42704', NULL, 'and one for an unknown payee');
SELECT throws_ok($$SELECT spm.add_credit_rule('Short', 'true', '{dana,eli}', '{0.6,0.5}', '2026-01-01')$$, '23514',
    'shares of credit rule "Short" must total 1, one for each payee', 'rules that share total 100 %, no more');
ROLLBACK TO before;

-- ---- teams
SELECT spm.add_team_rule('Desk club', 'product_key = ''desk''', '2026-01-01', payees => '{dana,spec}'),
    spm.add_team_rule('All AE', 'account_key = ''bolt'' AND amount = 100 AND owner_key = ''eli''', '2026-01-01', title => 'AE', parts => 'equal'),
    spm.add_team_rule('Under Vera', 'transaction_key = ''D-01''', '2026-01-01', manager => 'vera') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('team') WHERE rule = 'Desk club'$$, $$VALUES
    ('D-02', 'dana', 100.0, 'Desk club'), ('D-02', 'spec', 100, 'Desk club'), ('D-04', 'dana', 100, 'Desk club'), ('D-04', 'spec', 100, 'Desk club')$$,
    'everybody in a team is credited all of it');
SELECT results_eq($$SELECT * FROM pg_temp.credits('team') WHERE rule = 'All AE'$$, $$VALUES
    ('D-02', 'dana', 33.34, 'All AE'), ('D-02', 'eli', 33.33, 'All AE'), ('D-02', 'finn', 33.33, 'All AE')$$,
    'or an equal part, to the cent: everybody of a title');
SELECT results_eq($$SELECT * FROM pg_temp.credits('team') WHERE rule = 'Under Vera'$$, $$VALUES
    ('D-01', 'dana', 1000.0, 'Under Vera'), ('D-01', 'eli', 1000, 'Under Vera'), ('D-01', 'finn', 1000, 'Under Vera'), ('D-01', 'max', 1000, 'Under Vera')$$,
    'or everybody below a manager');
SELECT results_eq($$SELECT * FROM pg_temp.earned('team')$$, $$VALUES ('dana', 123.33), ('eli', 103.33), ('finn', 103.33), ('max', 100.0), ('spec', 20.0)$$,
    'parts of a deal are rated as they are credited: 10 % of 100 + 33.34 + 100 + 1,000 is 123.33, deal by deal');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;
SELECT throws_ok($$SELECT spm.add_team_rule('Who', 'true', '2026-01-01')$$, '22023', NULL, 'a team of nobody is refused');
SELECT throws_ok($$SELECT spm.add_team_rule('Who', 'true', '2026-01-01', title => 'AE', manager => 'max')$$, '22023', NULL, 'and one of two kinds');
SELECT throws_ok($$SELECT spm.add_team_rule('Who', 'true', '2026-01-01', title => 'AE', parts => 'some')$$, '22023', 'parts cannot be "some"', 'and other parts');
ROLLBACK TO before;

-- ---- which rule wins
SELECT spm.add_credit_rule('Cloud', 'product_key = ''cloud''', '{eli}', '{1}', '2026-01-01', priority => 20),
    spm.add_credit_rule('Acme', 'account_key = ''acme''', '{finn}', '{1}', '2026-01-01', priority => 10) \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is((SELECT payee_key FROM pg_temp.credits('direct') WHERE transaction_key = 'D-01'), 'finn', 'the smallest priority wins');
UPDATE spm.credit_rule SET priority = 5 WHERE name = 'Cloud';
CALL spm.calculate('2026-Q1');
SELECT is((SELECT payee_key FROM pg_temp.credits('direct') WHERE transaction_key = 'D-01'), 'eli', 'whichever that is');
UPDATE spm.credit_rule SET priority = NULL;
SELECT spm.add_credit_rule('Acme, cloud', 'account_key = ''acme'' AND product_key = ''cloud''', '{vera}', '{1}', '2026-01-01', priority => NULL) \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is((SELECT payee_key FROM pg_temp.credits('direct') WHERE transaction_key = 'D-01'), 'vera', 'without priorities the most specific wins: two columns tested go before one');
UPDATE spm.credit_rule SET priority = 100 WHERE name = 'Acme';
CALL spm.calculate('2026-Q1');
SELECT is((SELECT payee_key FROM pg_temp.credits('direct') WHERE transaction_key = 'D-01'), 'finn', 'but after every rule with a priority');
SELECT results_eq($$SELECT spm._specificity(spm.checked_expression(e, 'boolean')) FROM (VALUES (1, 'true'), (2, 'amount > 1 AND amount < 5'),
    (3, 'account_key = ''t.amount and t.type'''), (4, 'attributes->>''region'' = ''w'' AND attributes->>''x'' = ''y'' AND line = ''''')) v(n, e) ORDER BY n$$,
    $$VALUES (0), (1), (1), (3)$$, 'columns and attributes count once; what stands in quotes does not');
ROLLBACK TO before;

-- ---- up the tree, with factors
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('rollup')$$, $$VALUES ('D-01', 'max', 1000.0, ''), ('D-01', 'vera', 1000, ''),
    ('D-02', 'max', 100, ''), ('D-02', 'vera', 100, ''), ('D-04', 'vera', 100, '')$$, 'without factors all of it goes up, at every level');
SELECT spm.set_rollup(0.5), spm.set_rollup(0.25, level => 2), spm.set_rollup(0.3333, level => 1, "position" => 'max', until => '2026-01-15') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('rollup')$$, $$VALUES ('D-01', 'max', 333.3, ''), ('D-01', 'vera', 250, ''),
    ('D-02', 'max', 50, ''), ('D-02', 'vera', 25, ''), ('D-04', 'vera', 50, '')$$,
    'factors by level, by position before everybody, by date: 0.3333 of 1,000 for Max until the 15th, then half; a quarter two levels up');
SELECT results_eq($$SELECT * FROM pg_temp.earned('rollup')$$, $$VALUES ('max', 38.33), ('vera', 32.5)$$, 'and the components measure what is left: 10 % of 383.30 and of 325');
SELECT spm.set_rollup(0, title => 'Manager', level => 2), spm.set_rollup(1, title => 'Manager', level => 1) \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('rollup')$$, $$VALUES ('D-01', 'max', 333.3, ''), ('D-02', 'max', 100, ''), ('D-04', 'vera', 100, '')$$,
    'by title before everybody; with factor 0 nothing comes up');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;
SELECT lives_ok($$SELECT spm.set_rollup(0.6, since => '2026-03-01')$$, 'a new factor ends the one before');
SELECT throws_ok($$SELECT spm.set_rollup(0.7, since => '2026-02-01')$$, '23P01', NULL, 'in the middle of another it is refused');
SELECT throws_ok($$SELECT spm.set_rollup(-1)$$, '22023', 'a roll-up factor cannot be -1', 'negative factors are refused');
SELECT throws_ok($$SELECT spm.set_rollup(1, level => 0)$$, '22023', 'level 0 is not above the credit', 'and levels that are not above');
SELECT throws_ok($$SELECT spm.set_rollup(1, "position" => 'max', title => 'AE')$$, '22023', NULL, 'and two targets');
ROLLBACK TO before;

-- ---- down the tree
SELECT spm.set_rolldown('equal', "position" => 'max') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('rolldown')$$, $$VALUES ('D-04', 'dana', 33.34, ''), ('D-04', 'eli', 33.33, ''), ('D-04', 'finn', 33.33, '')$$,
    'a manager''s own deal is shared equally among those below');
UPDATE spm.rolldown SET parts = 'full';
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('rolldown')$$, $$VALUES ('D-04', 'dana', 100.0, ''), ('D-04', 'eli', 100, ''), ('D-04', 'finn', 100, '')$$,
    'or credits each of them in full');
SELECT results_eq($$SELECT * FROM pg_temp.earned('rolldown')$$, $$VALUES ('dana', 10.0), ('eli', 10.0), ('finn', 10.0)$$, 'and they earn by it');
UPDATE shop.deal SET owner = 'vera' WHERE deal_id = 'D-04';
DELETE FROM spm.rolldown;
SELECT spm.set_rolldown('full', title => 'Manager', depth => 1) \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('rolldown')$$, $$VALUES ('D-04', 'max', 100.0, '')$$, 'only as deep as it is said');
SELECT throws_ok($$SELECT spm.set_rolldown('full')$$, '22023', NULL, 'a roll-down from nobody is refused');
SELECT throws_ok($$SELECT spm.set_rolldown('half', title => 'AE')$$, '22023', 'parts cannot be "half"', 'and other parts');
SELECT throws_ok($$SELECT spm.set_rolldown('full', title => 'AE', depth => 0)$$, '22023', 'depth 0 goes nowhere', 'and no depth');
ROLLBACK TO before;

-- ---- territories
CREATE TABLE shop.patch (region text, rep text, starts date, ends date, part numeric);
INSERT INTO shop.patch VALUES ('west', 'finn', NULL, '2026-02-01', 1), ('west', 'eli', '2026-02-01', NULL, 0.5), ('east', 'ghost', NULL, NULL, 1), ('north', 'spec', NULL, NULL, 0);
SELECT spm.map_territory('regions', 'shop.patch', key => 'region', owner => 'rep', match => 'attributes->>''region''', since => 'starts', until => 'ends', share => 'part') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.credits('territory')$$, $$VALUES ('D-01', 'finn', 1000.0, 'regions'), ('D-03', 'eli', 250, 'regions')$$,
    'who holds the region on the day is credited: Finn in January, then Eli with half of it; a share of zero nobody');
SELECT results_eq($$SELECT transaction_key, owner_key, reason FROM spm_bi.uncredited WHERE owner_key = 'ghost'$$,
    $$VALUES ('D-02', 'ghost', 'the holder of territory "regions" is not a payee')$$, 'a holder who is not known is named');
SELECT results_eq($$SELECT * FROM pg_temp.earned('territory')$$, $$VALUES ('eli', 25.0), ('finn', 100.0)$$, 'and they earn by it');
UPDATE shop.patch SET rep = 'dana' WHERE rep = 'finn';
CALL spm.calculate('2026-Q1');
SELECT is((SELECT payee_key FROM pg_temp.credits('territory') WHERE transaction_key = 'D-01'), 'dana', 'it is the relation as it is now that counts');
INSERT INTO shop.patch VALUES ('west', 'dana', NULL, NULL, 1);
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '23505', 'territory "regions" has holder dana 2 times for transaction deals/D-01', 'nobody is credited twice');
DELETE FROM shop.patch WHERE rep = 'dana';
UPDATE shop.patch SET part = -1 WHERE rep = 'eli';
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'territory regions gives eli no usable share', 'negative shares are refused');
SELECT throws_ok($$SELECT spm.map_territory('x', 'shop.patch', key => 'nothing', owner => 'rep')$$, '42703', NULL, 'a column that is not there is refused');
SELECT throws_ok($$SELECT spm.map_territory('x', 'shop.patch', key => 'region', owner => 'rep', match => 'postcode')$$, '42703', NULL, 'and a match over one');
SELECT spm.unmap_territory('regions') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is_empty($$SELECT * FROM pg_temp.credits('territory')$$, 'what is unmapped credits nobody');
SELECT throws_ok($$SELECT spm.unmap_territory('regions')$$, '42704', 'territory mapping "regions" does not exist', 'once');
ROLLBACK TO before;

-- ---- by hand: two logins
SELECT spm.add_manual_credit('dana', '2026-02-02', 250, 'USD', 'saved the renewal', account => 'acme') AS id \gset
SELECT throws_ok(format('SELECT spm.approve_manual_credit(%s)', :id), '42501', format('manual credit %s cannot be approved by its author', :id), 'nobody approves what they entered');
CALL spm.calculate('2026-Q1');
SELECT is((SELECT count(*) FROM spm.standing_credit WHERE source = 'manual'), 0::bigint, 'what is not approved does not count');
INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, decided_by) VALUES (:id, 'approved', 'credit_approver');
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT transaction_key, payee_key, credited_amount FROM pg_temp.credits('direct') WHERE transaction_key LIKE 'M-%'$$,
    format($$VALUES ('M-%s', 'dana', 250.0)$$, :id), 'what another login approves is credited');
SELECT is((SELECT earned FROM pg_temp.earned('direct') WHERE payee_key = 'dana'), 125.0, 'and paid: 10 % of 1,250');
SELECT is((SELECT earned FROM pg_temp.earned('rollup') WHERE payee_key = 'vera'), 145.0, 'also up the tree');
SELECT is((SELECT earned FROM pg_temp.earned('margin') WHERE payee_key = 'dana'), 2.5, 'without a cost it is all margin');
SELECT throws_ok(format('SELECT spm.approve_manual_credit(%s)', :id), '55000', NULL, 'it is approved once');
SELECT throws_ok('UPDATE spm.manual_credit SET amount = 1', '55000', NULL, 'it never changes');
SELECT throws_ok('DELETE FROM spm.manual_credit_decision', '55000', NULL, 'nor what was decided');
CALL spm.post('2026-Q1');
SELECT spm.withdraw_manual_credit(:id, 'entered twice') \g /dev/null
CALL spm.calculate('2026-Q2');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE paid_period_name = '2026-Q2' AND payee_key = 'dana'), -27.5000, 'withdrawn after posting, its difference is paid');
SELECT throws_ok(format('SELECT spm.withdraw_manual_credit(%s, %L)', :id, 'again'), '55000', NULL, 'it is withdrawn once');
SELECT throws_ok(format('SELECT spm.withdraw_manual_credit(%s, NULL)', :id), '22023', NULL, 'and with a reason');
SELECT throws_ok('SELECT spm.approve_manual_credit(0)', '42704', 'manual credit 0 does not exist', 'an unknown one is refused');
SELECT throws_ok($$SELECT spm.add_manual_credit('dana', '2026-02-02', 1, 'USD', '')$$, '22023', NULL, 'and one without a reason');
SELECT throws_ok($$SELECT spm.add_manual_credit('dana', NULL, 1, 'USD', 'why')$$, '22023', NULL, 'or date');
SELECT results_eq($$SELECT payee_key, credited_amount, state, decided_by = session_user FROM spm_bi.manual_credit$$,
    $$VALUES ('dana', 250.000000, 'withdrawn', true)$$, 'BI sees each with what became of it');
ROLLBACK TO before;

SELECT throws_ok($$SELECT spm.map_source('manual', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount', fixed_currency => 'USD')$$,
    '42939', NULL, 'the name of credits by hand is taken');

-- ---- a manager is rated on the team's total, or rep by rep
SELECT spm.create_plan('Boss', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Boss', 'Team total', '0: 0%, 500: 10%', credits => 'rollup'),
    spm.add_component('Boss', 'Rep by rep', '0: 0%, 500: 10%', credits => 'rollup', group_by => 'owner_key'),
    spm.assign_plan('Boss', '2026-01-01', payee => 'max'), spm.publish_plan('Boss') \g /dev/null
UPDATE shop.deal SET amount = 400, owner = CASE deal_id WHEN 'D-01' THEN 'dana' ELSE 'eli' END WHERE deal_id IN ('D-01', 'D-02');
UPDATE shop.deal SET amount = 600, owner = 'eli' WHERE deal_id = 'D-04';
CALL spm.calculate('2026-Q1');
SELECT is((SELECT earned FROM pg_temp.earned('Team total')), 90.0, 'the sum of all: 10 % of what 1,400 exceeds 500');
SELECT is((SELECT earned FROM pg_temp.earned('Rep by rep')), 50.0, 'each rep''s own: 400 not, 1,000 by 500');

SELECT * FROM finish();
ROLLBACK;
