-- Who could have been credited, and why not: each rule, split, owner, and what pays for it.
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
SELECT spm.add_component('All', k, '0: 10%', credits => k) FROM unnest('{direct,rollup,overlay,team,rolldown,territory}'::text[]) k \g /dev/null
SELECT spm.assign_plan('All', '2026-01-01', payee => k) FROM unnest('{dana,eli,finn,max,vera,spec}'::text[]) k \g /dev/null
SELECT spm.publish_plan('All') \g /dev/null

CREATE FUNCTION pg_temp.why(key text, way text DEFAULT NULL) RETURNS TABLE (way text, name text, payee_key text, share numeric, credited_amount numeric, is_credited boolean, because text)
    LANGUAGE sql AS $$SELECT c.way, c.name, c.payee_key, c.share, c.credited_amount, c.is_credited, c.because
                      FROM spm.credit_candidates('deals', key) c WHERE c.way NOT IN ('component', 'rollup') AND why.way IS NULL OR c.way = why.way$$;
SAVEPOINT before;

SELECT spm.add_credit_rule('Cloud', 'product_key = ''cloud''', '{eli}', '{1}', '2026-01-01', priority => 20),
    spm.add_credit_rule('Acme', 'account_key = ''acme''', '{finn,dana}', '{0.6,0.4}', '2026-01-01', priority => 10),
    spm.add_credit_rule('Old', 'true', '{finn}', '{1}', '2025-01-01', '2026-01-01', priority => 1),
    spm.add_credit_rule('Bolt', 'account_key = ''bolt''', '{finn}', '{1}', '2026-01-01'),
    spm.add_overlay_rule('Cloud specialist', 'product_key = ''cloud''', '{spec}', '{1.5}', '2026-01-01'),
    spm.add_team_rule('Empty', 'true', '2026-01-01', manager => 'spec') \g /dev/null
SELECT results_eq($$SELECT * FROM pg_temp.why('D-01')$$, $$VALUES
    ('overlay', 'Cloud specialist', 'spec', 1.5, 1500.0, true, '150 % of it'),
    ('rule', 'Acme', 'dana', 0.4, 400.0, true, '40 % of it'),
    ('rule', 'Acme', 'finn', 0.6, 600.0, true, '60 % of it'),
    ('rule', 'Bolt', 'finn', 1.0, NULL, false, 'its condition is false: (t.account_key = ''bolt''::text)'),
    ('rule', 'Cloud', 'eli', 1.0, NULL, false, 'rule "Acme" goes before it'),
    ('rule', 'Old', 'finn', 1.0, NULL, false, 'it holds for [2025-01-01,2026-01-01)'),
    ('team', 'Empty', NULL, NULL, NULL, false, 'nobody in the team held a seat on that day'),
    ('owner', NULL, 'dana', NULL, NULL, false, 'rule "Acme" goes before the owner')$$,
    'the winner, and every loser with its first reason: dates, condition, priority');
SELECT results_eq($$SELECT payee_key, share, is_credited, because FROM pg_temp.why('D-01', 'rollup')$$, $$VALUES
    ('max', 0.4, true, '1 level(s) up'), ('max', 0.6, true, '1 level(s) up'), ('vera', 0.4, true, '2 level(s) up'), ('vera', 0.6, true, '2 level(s) up')$$, 'who is above');
SELECT results_eq($$SELECT name, payee_key, is_credited, because FROM pg_temp.why('D-01', 'component')$$, $$VALUES
    ('All: direct', 'dana', true, 'it counts'), ('All: direct', 'finn', true, 'it counts'), ('All: overlay', 'spec', true, 'it counts')$$, 'and which components pay for it');
SELECT results_eq($$SELECT way, payee_key, is_credited, because FROM spm.credit_candidates('deals', 'D-01', '') WHERE is_credited AND way = 'rule'$$,
    $$VALUES ('rule', 'dana', true, '40 % of it'), ('rule', 'finn', true, '60 % of it')$$, 'of one line, or all');
SELECT is_empty($$SELECT FROM spm.credit_candidates('deals', 'D-01', '7')$$, 'of a line that is not there nobody');
ROLLBACK TO before;

CREATE TABLE shop.share (deal_id text, owner text, share numeric);
INSERT INTO shop.share VALUES ('D-01', 'dana', 0.5), ('D-01', 'ghost', 0.5);
SELECT spm.map_split('deals', 'shop.share', key => 'deal_id', owner => 'owner', share => 'share'),
    spm.add_credit_rule('All', 'true', '{eli}', '{1}', '2026-01-01') \g /dev/null
SELECT results_eq($$SELECT * FROM pg_temp.why('D-01')$$, $$VALUES
    ('split', NULL, 'dana', 0.5, 500.0, true, '50 % of it'),
    ('split', NULL, 'ghost', 0.5, NULL, false, 'its owner is not a payee'),
    ('rule', 'All', 'eli', 1.0, NULL, false, 'shares given by the source go before rules'),
    ('owner', NULL, 'dana', NULL, NULL, false, 'shares given by the source go before the owner')$$, 'shares of the source go before rules and owner');
ROLLBACK TO before;

-- ---- why nobody was paid
SELECT results_eq($$SELECT way, payee_key, is_credited, because FROM pg_temp.why('D-03')$$, $$VALUES ('owner', NULL, false, 'it has no owner')$$, 'an order without an owner');
SELECT results_eq($$SELECT way, payee_key, is_credited, because FROM pg_temp.why('D-05')$$, $$VALUES ('owner', 'nobody', false, 'its owner is not a payee')$$, 'one whose owner is not known');
SELECT results_eq($$SELECT name, payee_key, is_credited, because FROM pg_temp.why('D-01', 'component')$$, $$VALUES ('All: direct', 'dana', true, 'it counts')$$, 'one that counts');
SELECT spm.retire_plan('All', '2026-02-01') \g /dev/null
SELECT results_eq($$SELECT name, payee_key, is_credited, because FROM pg_temp.why('D-04', 'component')$$,
    $$VALUES ('no plan', 'max', false, 'the seat was on no published plan that pays by credits on that day')$$, 'one after the plan has ended');
SELECT results_eq($$SELECT payee_key, is_credited, because FROM pg_temp.why('D-04', 'rollup')$$, $$VALUES ('vera', false, '1 level(s) up: no plan there takes rollup')$$, 'also above');
CREATE TABLE shop.payment (deal_id text, paid_on date, amount numeric);
SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount') \g /dev/null
SELECT spm.create_plan('Late', 'fiscal', 'USD', '2026-02-01'), spm.add_component('Late', 'Big', '0: 1%', eligible => 'amount > 1000'),
    spm.add_component('Late', 'Cash', '0: 1%', event => 'payment'), spm.assign_plan('Late', '2026-02-01', payee => 'max'),
    spm.publish_plan('Late'), spm.set_rollup(0) \g /dev/null
SELECT results_eq($$SELECT name, is_credited, because FROM pg_temp.why('D-04', 'component')$$, $$VALUES
    ('Late: Big', false, 'its condition is false: (t.amount > (1000)::numeric)'), ('Late: Cash', false, 'it pays by payment, this is booking')$$,
    'one that no component takes, each with its reason');
SELECT spm.create_plan('Boss', 'fiscal', 'USD', '2026-02-01'), spm.add_component('Boss', 'Override', '0: 1%', credits => 'rollup'),
    spm.assign_plan('Boss', '2026-02-01', payee => k), spm.publish_plan('Boss') FROM unnest('{eli}'::text[]) k \g /dev/null
UPDATE shop.deal SET owner = 'eli' WHERE deal_id = 'D-04';
SELECT results_eq($$SELECT name, is_credited, because FROM pg_temp.why('D-04', 'component')$$, $$VALUES ('Boss: Override', false, 'it takes rollup credits, this is direct')$$,
    'one of somebody who is paid for what comes up the tree only');
ROLLBACK TO before;

-- ---- territories, milestones, credits by hand
CREATE TABLE shop.patch (region text, rep text);
INSERT INTO shop.patch VALUES ('west', 'finn');
CREATE TABLE shop.payment (deal_id text, paid_on date, amount numeric);
INSERT INTO shop.payment VALUES ('D-02', '2026-03-01', 40), ('D-02', '2026-05-01', 60);
SELECT spm.map_territory('regions', 'shop.patch', key => 'region', owner => 'rep', match => 'attributes->>''region'''),
    spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount'),
    spm.add_manual_credit('dana', '2026-02-02', 250, 'USD', 'saved the renewal') AS id \gset
SELECT results_eq($$SELECT way, name, payee_key, is_credited, because FROM pg_temp.why('D-01')$$, $$VALUES
    ('owner', NULL, 'dana', true, 'all of it'), ('territory', 'regions', 'finn', true, '100 % of it')$$, 'who holds the territory');
SELECT results_eq($$SELECT way, event, event_date, payee_key, credited_amount, because FROM spm.credit_candidates('deals', 'D-02') WHERE way IN ('owner', 'territory')$$, $$VALUES
    ('owner', 'booking', '2026-01-20'::date, 'eli', 100.0, 'all of it'), ('territory', 'booking', '2026-01-20', NULL, NULL, 'nobody holds "east" on that day'),
    ('owner', 'payment', '2026-03-01', 'eli', 40.0, 'all of it'), ('owner', 'payment', '2026-05-01', 'eli', 60.0, 'all of it')$$, 'or that nobody does; and each milestone');
SELECT results_eq(format($$SELECT way, payee_key, is_credited, because FROM spm.credit_candidates('manual', 'M-%s')$$, :id), $$VALUES ('manual', 'dana', false, 'nobody has approved it yet')$$,
    'a credit by hand that waits');
INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, decided_by) VALUES (:id, 'approved', 'somebody else');
SELECT results_eq(format($$SELECT way, payee_key, is_credited, because FROM spm.credit_candidates('manual', 'M-%s') WHERE way = 'manual'$$, :id), $$VALUES ('manual', 'dana', true, 'all of it')$$,
    'one that counts');
SELECT spm.withdraw_manual_credit(:id, 'entered twice') \g /dev/null
SELECT results_eq(format($$SELECT way, payee_key, is_credited, because FROM spm.credit_candidates('manual', 'M-%s')$$, :id), $$VALUES ('manual', 'dana', false, 'it is withdrawn')$$, 'and one that does no more');
SELECT throws_ok($$SELECT spm.credit_candidates('deals', 'D-99')$$, '42704', 'transaction deals/D-99 does not exist', 'an unknown order is refused');
SELECT throws_ok($$SELECT spm.credit_candidates('manual', 'M-99')$$, '42704', 'transaction manual/M-99 does not exist', 'and an unknown credit by hand');
ROLLBACK TO before;

-- ---- published examples: which rule wins
DELETE FROM shop.deal;
INSERT INTO shop.deal VALUES ('L-1', '2026-01-10', 'max', 'c', 'p', 100, ''), ('L-2', '2026-01-10', 'max', 'c', '', 100, ''), ('L-3', '2026-01-10', 'max', '', '', 100, '');
SELECT spm.create_plan(k, 'fiscal', 'USD', '2026-01-01'), spm.add_component(k, 'Rate', format('0: %s%%', r)), spm.assign_plan(k, '2026-01-01', payee => k), spm.publish_plan(k)
FROM (VALUES ('dana', 2), ('eli', 3), ('max', 1)) v(k, r) \g /dev/null
SELECT spm.add_credit_rule('Product', 'product_key = ''p'' AND account_key = ''c''', '{dana}', '{1}', '2026-01-01', priority => 1),
    spm.add_credit_rule('Category', 'account_key = ''c''', '{eli}', '{1}', '2026-01-01', priority => 2) \g /dev/null
CREATE FUNCTION pg_temp.total(component text, OUT numeric) LANGUAGE sql AS $$SELECT trim_scale(sum(earned_amount)) FROM spm_bi.earning WHERE component_name = component$$;
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.total('Rate'), 6.0, 'OCA-PB-1: first by sequence, product first: 2 + 3 + 1');
UPDATE spm.credit_rule SET priority = 3 WHERE name = 'Product';
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.total('Rate'), 7.0, 'OCA-PB-2: category first: 3 + 3 + 1');
UPDATE spm.credit_rule SET priority = NULL;
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.total('Rate'), 6.0, 'by the most specific it does not matter which was first');
DELETE FROM shop.deal;
INSERT INTO shop.deal VALUES ('L-1', '2026-01-10', 'finn', '', '', 10000, '');
SELECT spm.create_plan('Stack', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Stack', 'Stacked', '0: 10%'), spm.add_component('Stack', 'Flat', '0: 500', measure => '1', unit => 'count'),
    spm.assign_plan('Stack', '2026-01-01', payee => 'finn'), spm.publish_plan('Stack') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.total('Stacked') + pg_temp.total('Flat'), 1500.0, 'PREC-CF-3: what stacks is several components: 1,000 and a flat 500');

SELECT * FROM finish();
ROLLBACK;
