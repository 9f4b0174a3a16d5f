-- Who is credited by territory: by what the account was assigned to on the day of the order, and by the rules of that day. Every figure was worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.account (account_id text PRIMARY KEY, state text, potential numeric);
INSERT INTO shop.account VALUES ('acme', 'CA', 100), ('bolt', 'NY', 50), ('cray', 'TX', 10);
CREATE TABLE shop.deal (deal_id text, closed_on date, owner text, account text, amount numeric, state text, refers_to text);
INSERT INTO shop.deal VALUES
    ('D-1', '2026-01-10', 'dana', 'acme', 1000.00, 'CA', NULL),
    ('D-2', '2026-02-10', 'dana', 'acme', 100.01, 'CA', NULL),
    ('D-3', '2026-02-20', 'eli', 'bolt', 200.00, 'NY', NULL),
    ('D-4', '2026-03-10', 'eli', 'cray', 10.00, 'TX', NULL),
    ('D-5', '2026-03-20', 'eli', NULL, 20.00, 'CA', NULL);
SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount',
    account => 'account', fixed_currency => 'USD', attributes => '{state}', reference => 'refers_to')
FROM spm.add_currency('USD') \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01') FROM unnest('{dana,eli,ann,bob,cy}'::text[]) k \g /dev/null
SELECT spm.add_position('spare', 'Spare') \g /dev/null
SELECT spm.create_plan('All', 'fiscal', 'USD', '2026-01-01') \g /dev/null
SELECT spm.add_component('All', 'territory', '0: 10%', credits => 'territory') \g /dev/null
SELECT spm.assign_plan('All', '2026-01-01', "position" => k) FROM unnest('{ann,bob,cy,spare}'::text[]) k \g /dev/null
SELECT spm.publish_plan('All') \g /dev/null

SELECT spm.add_territory_model('2026', 'shop.account', 'account_id', potential => 'potential'), spm.add_territory_attribute('2026', 'state') \g /dev/null
SELECT spm.add_territory('2026', k) FROM unnest('{W,E}'::text[]) k \g /dev/null
SELECT spm.add_territory_rule('W', '{"state": "CA"}') AS west, spm.add_territory_rule('E', '{"state": "NY"}') AS east \gset
SELECT spm.hold_territory('W', 'ann', '2026-01-01', share => 0.5), spm.hold_territory('W', 'bob', '2026-02-01', share => 0.5),
    spm.hold_territory('W', 'cy', '2026-01-01', role => 'support'), spm.hold_territory('E', 'cy', '2026-01-01') \g /dev/null
SELECT count(*) FROM spm.assign_territories(as_of => '2026-01-01') \g /dev/null

CREATE FUNCTION pg_temp.credits() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', c.transaction_key, s.position_key, trim_scale(c.credited_amount)) FROM spm.standing_credit c JOIN spm.position s USING (position_id)
    WHERE c.kind = 'territory' ORDER BY 1
$$;
CREATE FUNCTION pg_temp.left_over() RETURNS SETOF text LANGUAGE sql AS $$SELECT concat_ws(': ', transaction_key, reason) FROM spm_bi.uncredited ORDER BY 1$$;
-- What refreshing after a change leaves to do: nothing, if the change was marked.
CREATE FUNCTION pg_temp.after(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE statement;
    CALL spm.refresh();
    UPDATE spm.period_watermark SET watermark = 'unsure';
    CALL spm.calculate('2026-Q1');
    SELECT changed_count INTO n FROM spm.run ORDER BY run_id DESC LIMIT 1;
    RETURN format('%s; %s left', (SELECT string_agg(c, ', ') FROM pg_temp.credits() c), n);
END
$$;
SAVEPOINT before;

-- ---- by assignment
SELECT spm.credit_territories('accounts') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq('SELECT * FROM pg_temp.credits()', $$VALUES ('D-1 ann 500'), ('D-2 ann 50.01'), ('D-2 bob 50'), ('D-3 cy 200')$$,
    'owners of the territory of the account are credited with their share, on the day of the order');
SELECT is((SELECT trim_scale(sum(earned_amount)) FROM spm_bi.earning), 80.00, 'and earn by it: 10 % of 500, 50.01, 50 and 200, each to the cent: owners of one territory divide an order to the last cent');
SELECT is_empty('SELECT * FROM pg_temp.left_over()', 'an account without a territory, or an order without an account, lacks nothing');
SELECT spm.track_source('deals') \g /dev/null
SELECT is(pg_temp.after($$UPDATE shop.deal SET amount = 100.03, closed_on = '2026-02-11' WHERE deal_id = 'D-2'$$),
    'D-1 ann 500, D-2 ann 50.02, D-2 bob 50.01, D-3 cy 200; 0 left', 'an order that changes is looked up alone, and credited the same way');
SELECT is(pg_temp.after($$UPDATE shop.deal SET amount = 100.01, closed_on = '2026-02-10' WHERE deal_id = 'D-2'$$), 'D-1 ann 500, D-2 ann 50.01, D-2 bob 50, D-3 cy 200; 0 left', 'and back');
SELECT is(pg_temp.after($$SELECT spm.assign_account('cray', 'W', '2026-03-01', 'asked for')$$),
    'D-1 ann 500, D-2 ann 50.01, D-2 bob 50, D-3 cy 200, D-4 ann 5, D-4 bob 5; 0 left', 'what is assigned by hand is credited by the next refresh');
SELECT is(pg_temp.after($$SELECT count(*) FROM spm.assign_territories(as_of => '2026-02-15')$$),
    'D-1 ann 500, D-2 ann 50.01, D-2 bob 50, D-3 cy 200, D-4 ann 5, D-4 bob 5; 0 left', 'a run that moves nobody credits nobody else');
SELECT is(pg_temp.after($$UPDATE shop.account SET state = 'NY' WHERE account_id = 'acme'; SELECT spm.assign_territories(as_of => '2026-02-01', accounts => '{acme}')$$),
    'D-1 ann 500, D-2 cy 100.01, D-3 cy 200, D-4 ann 5, D-4 bob 5; 0 left', 'an account that moves in February keeps its order of January where it was');
SELECT is(pg_temp.after($$SELECT spm.leave_territory('E', 'cy', '2026-02-15'), spm.hold_territory('E', 'bob', '2026-02-15')$$),
    'D-1 ann 500, D-2 cy 100.01, D-3 bob 200, D-4 ann 5, D-4 bob 5; 0 left', 'who holds the territory on the day is credited');
SELECT is(pg_temp.after($$SELECT spm.hold_territory('W', 'spare', '2026-03-01'), spm.assign_position('spare', 'dana', '2026-03-01', is_primary => false)$$),
    'D-1 ann 500, D-2 cy 100.01, D-3 bob 200, D-4 ann 5, D-4 bob 5, D-4 spare 10; 0 left', 'the seat that holds it is credited, also where it is not the primary seat of the payee');
SELECT is(pg_temp.after($$SELECT spm.vacate_position('ann', '2026-03-01')$$), 'D-1 ann 500, D-2 cy 100.01, D-3 bob 200, D-4 bob 5, D-4 spare 10; 0 left', 'an empty seat is not');
SELECT results_eq('SELECT * FROM pg_temp.left_over()', $$VALUES ('D-4: nobody held territory "accounts" on that day')$$, 'and its order is left over by name');
SELECT is(pg_temp.after($$SELECT spm.end_territory('E', '2026-02-15')$$), 'D-1 ann 500, D-2 cy 100.01, D-4 bob 5, D-4 spare 10; 0 left', 'neither is a territory that has ended');
SELECT is((SELECT count(*) FROM spm.credit_candidates('deals', 'D-2') WHERE way = 'territory' AND name = 'accounts' AND is_credited), 1::bigint, 'the way by which a credit came is explained');
SELECT ok(bool_and(is_reconciled), 'and everything adds up') FROM spm_bi.reconciliation;
INSERT INTO shop.deal VALUES ('D-6', '2026-02-05', 'dana', 'cray', -100.01, 'TX', 'D-2');
CALL spm.calculate('2026-Q1');
SELECT is((SELECT string_agg(c, ', ') FROM pg_temp.credits() c WHERE c ~ 'D-[26]'), 'D-2 cy 100.01, D-6 cy -100.01', 'a refund goes back to the territory of the account of its order');

-- ---- by rules, of the day and of the transaction itself
ROLLBACK TO before;
SELECT spm.credit_territories('rules', by => 'rule') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq('SELECT * FROM pg_temp.credits()', $$VALUES ('D-1 ann 500'), ('D-2 ann 50.01'), ('D-2 bob 50'), ('D-3 cy 200'), ('D-5 ann 10'), ('D-5 bob 10')$$,
    'by rules, the transaction itself is asked, and need have no account');
SELECT spm.track_source('deals') \g /dev/null
SELECT is(pg_temp.after($$UPDATE shop.deal SET state = 'NY' WHERE deal_id = 'D-2'$$), 'D-1 ann 500, D-2 cy 100.01, D-3 cy 200, D-5 ann 10, D-5 bob 10; 0 left', 'an order that changes is looked up alone by rules, too');
SELECT is(pg_temp.after($$UPDATE shop.deal SET state = 'CA' WHERE deal_id = 'D-2'$$), 'D-1 ann 500, D-2 ann 50.01, D-2 bob 50, D-3 cy 200, D-5 ann 10, D-5 bob 10; 0 left', 'and back');
SELECT is(pg_temp.after($$SELECT spm.add_territory_rule('E', '{"state": ["TX", "CA"]}', since => '2026-02-01', until => '2026-03-15', precedence => 1)$$),
    'D-1 ann 500, D-2 cy 100.01, D-3 cy 200, D-4 cy 10, D-5 ann 10, D-5 bob 10; 0 left', 'a rule of some days credits the orders of these days');
SELECT is(pg_temp.after(format('SELECT spm.end_territory_rule(%s)', :west)), 'D-2 cy 100.01, D-3 cy 200, D-4 cy 10; 0 left', 'a rule that is taken away credits nothing');
SELECT is(pg_temp.after($$SELECT spm.name_accounts('W', '{cray}', reason => 'key account')$$), 'D-2 cy 100.01, D-3 cy 200, D-4 ann 5, D-4 bob 5; 0 left', 'named accounts are known by the account of the transaction');
SELECT is(pg_temp.after($$SELECT spm.add_exception('E', '{"account": "cray"}', 'moves in March', since => '2026-03-01')$$), 'D-2 cy 100.01, D-3 cy 200, D-4 cy 10; 0 left', 'exceptions go before them');
SELECT is(pg_temp.after($$SELECT spm.unmap_territory('rules')$$), '; 0 left', 'what is unmapped credits nobody');
SELECT is((SELECT count(*) FROM spm.change), 0::bigint, 'nothing waits');
SELECT spm.name_accounts('E', '{bolt}') \g /dev/null
SELECT is((SELECT count(*) FROM spm.change), 0::bigint, 'and rules of a model that is not credited leave no mark');

-- ---- one model after the other
ROLLBACK TO before;
SELECT spm.copy_territory_model('2026', '2027') \g /dev/null
SELECT spm.leave_territory('E', 'cy', '2026-01-01', model => '2027'), spm.hold_territory('E', 'bob', '2026-01-01', model => '2027') \g /dev/null
SELECT spm.activate_territory_model('2027', archived => '2026', since => '2026-02-15') \g /dev/null
SELECT spm.credit_territories(m, by => 'rule', model => m) FROM unnest('{2026,2027}'::text[]) m \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq('SELECT * FROM pg_temp.credits()', $$VALUES ('D-1 ann 500'), ('D-2 ann 50.01'), ('D-2 bob 50'), ('D-3 bob 200'), ('D-5 ann 10'), ('D-5 bob 10')$$,
    'where a model takes the place of another, each credits the orders of its days');
ROLLBACK TO before;
SELECT spm.credit_territories('territory'), spm.credit_territories('rules 2026', by => 'rule', type => 'overlay') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT spm.copy_territory_model('2026', '2027') \g /dev/null
SELECT spm.leave_territory('E', 'cy', '2026-01-01', model => '2027'), spm.hold_territory('E', 'bob', '2026-01-01', model => '2027') \g /dev/null
SELECT spm.assign_territories('2027', as_of => '2026-01-01') \g /dev/null
SELECT is(pg_temp.after($$SELECT spm.activate_territory_model('2027', archived => '2026', since => '2026-02-15')$$), 'D-1 ann 500, D-2 ann 50.01, D-2 bob 50, D-3 bob 200; 0 left',
    'what the one credited is credited by the other from the day of the switch on, and no order twice');
SELECT results_eq($$SELECT s.name, m.name, s.territory_type, s.relation_name FROM spm.territory_source s JOIN spm.territory_model m USING (territory_model_id) ORDER BY s.territory_source_id$$,
    $$VALUES ('territory', '2026', 'primary', 'territory_assignment'), ('rules 2026', '2026', 'overlay', 'territory_rule'),
             ('territory 2027', '2027', 'primary', 'territory_assignment'), ('rules 2027', '2027', 'overlay', 'territory_rule')$$, 'in the same way, under a name of its own');
SELECT throws_ok($$SELECT spm.credit_territories('territory')$$, '42710', 'territory mapping "territory" credits model "2026"', 'credits of the old days are not taken away by chance: that is refused');
SELECT spm.copy_territory_model('2027', '2028'), spm.credit_territories('own', model => '2028') \g /dev/null
SELECT spm.activate_territory_model('2028', archived => '2027', since => '2026-03-15') \g /dev/null
SELECT is((SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.territory_source s JOIN spm.territory_model m USING (territory_model_id) WHERE m.name = '2028'), 'own, rules 2028',
    'what is credited already is not credited again');
ROLLBACK TO before;

-- ---- refused
SELECT throws_ok($$SELECT spm.credit_territories('x', by => 'moon')$$, '22023', 'territories are not credited by "moon"', 'another way is refused');
SELECT throws_ok($$SELECT spm.credit_territories('x', type => 'tertiary')$$, '22023', 'type of a territory cannot be "tertiary"', 'another type is refused');
SELECT throws_ok($$SELECT spm.credit_territories('x', model => 'none')$$, '42704', 'territory model "none" does not exist', 'an unknown model is refused');
SELECT spm.add_territory_attribute('2026', 'potential', 'number'), spm.add_territory_rule('W', '{"potential": {"from": 10}}') \g /dev/null
SELECT throws_ok($$SELECT spm.credit_territories('x', by => 'rule')$$, '42703', 'transactions have no "potential", which rules of model "2026" ask', 'so are rules that ask what transactions do not have');
SELECT lives_ok($$SELECT spm.credit_territories('x')$$, 'which assignments may');
SELECT * FROM finish();
ROLLBACK;
