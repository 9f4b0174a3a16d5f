-- Whatever changes, a refresh leaves what calculating every period anew would: each kind of change, one after the other.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/company.sql
\o
\set ECHO all
SELECT plan(55);
CREATE TABLE company.invoice (order_id int, invoiced_on date, amount numeric);
CREATE FUNCTION pg_temp.uncredited() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s %s %s %s', u.period_id, u.transaction_key, u.line, u.owner_key, u.reason), ', ' ORDER BY u.period_id, u.transaction_key, u.line, u.owner_key) FROM spm.uncredited u
$$;
-- What calculating all that was calculated would still change after a refresh, undone afterwards; NULL: nothing.
CREATE FUNCTION pg_temp.left_over() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := pg_temp.uncredited();
    p record;
    found text;
BEGIN
    FOR p IN SELECT name FROM spm.period q WHERE state = 'calculated' AND NOT EXISTS (
        SELECT FROM spm.period e WHERE e.state = 'open' AND e.grain = 'quarter' AND e.span << q.span) ORDER BY span LOOP
        EXECUTE format('CALL spm.calculate(%L)', p.name);
    END LOOP;
    SELECT nullif(concat_ws('; ', string_agg(format('period %s: %s rows', r.period_id, r.changed_count), ', ') FILTER (WHERE r.changed_count > 0),
                            CASE WHEN before IS DISTINCT FROM pg_temp.uncredited() THEN 'uncredited' END), '') INTO found
    FROM spm.run r WHERE r.run_id > (SELECT max(run_id) FROM spm.run WHERE kind <> 'calculate');
    RAISE EXCEPTION USING ERRCODE = 'SPM99', MESSAGE = coalesce(found, '');
EXCEPTION WHEN SQLSTATE 'SPM99' THEN
    RETURN nullif(SQLERRM, '');
END
$$;
-- A change is made and refreshed.
CREATE FUNCTION pg_temp.change(VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    s text;
    last bigint := (SELECT max(run_id) FROM spm.run);
BEGIN
    FOREACH s IN ARRAY statements LOOP
        EXECUTE s;
    END LOOP;
    CALL spm.refresh();
    RETURN coalesce(nullif(concat_ws('; ', 'left over: ' || pg_temp.left_over(), 'waiting: ' || (SELECT count(*) FROM spm.change HAVING count(*) > 0)), ''),
        (SELECT string_agg(format('%s%s', p.name, CASE WHEN r.changed_count > 0 THEN ' changed' END), ', ' ORDER BY r.run_id)
         FROM spm.run r JOIN spm.period p USING (period_id) WHERE r.run_id > last), 'nothing to do');
END
$$;

SELECT is(pg_temp.change('SELECT 1'), 'nothing to do', 'what was never calculated is left alone');
CALL spm.calculate('2026-Q1');
CALL spm.calculate('2026-Q2');
CALL spm.calculate('2026-Q3');
SELECT spm.track_source('orders') \g /dev/null
SELECT is(pg_temp.change('SELECT 1'), '2026-Q1, 2026-Q2, 2026-Q3', 'from the day it is tracked, nobody knows what changed before');
SELECT is(pg_temp.change('SELECT 1'), 'nothing to do', 'and then nothing waits');

-- ---- transactions
SELECT is(pg_temp.change($$INSERT INTO company.sales_order VALUES (9001, '2026-02-03', 's05', 'c1', 'goods', 1, 1234.56, 1, 'USD', 'booking')$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed',
    'a new order, and the totals of the year in the periods after it');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET amount = 99.10, currency = 'EUR' WHERE order_id = 9001$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'its amount');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET seller = 's06' WHERE order_id = 9001$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'its owner');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET ordered_on = '2026-06-30' WHERE order_id = 9001$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'its day, into another period');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET ordered_on = '2026-11-30' WHERE order_id = 9001$$), '2026-Q2 changed, 2026-Q3 changed', 'into one that is not calculated');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET ordered_on = '2026-09-30' WHERE order_id = 9001$$), '2026-Q3 changed', 'and back');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET order_id = 9002 WHERE order_id = 9001$$), '2026-Q3 changed', 'its key');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET seller = 'nobody' WHERE order_id = 9002$$), '2026-Q3 changed', 'an owner whom nobody knows');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET seller = NULL WHERE order_id = 9002$$), '2026-Q3', 'or none');
SELECT is(pg_temp.change($$DELETE FROM company.sales_order WHERE order_id IN (5, 9002)$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'orders deleted');
SELECT is(pg_temp.change($$INSERT INTO company.sales_order VALUES (9003, '2026-03-31', 's03', 'c1', 'service', -1, -77.77, 1, 'USD', 'refund')$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'a refund');
SELECT is(pg_temp.change($$INSERT INTO company.share VALUES (9003, 's03', 50), (9003, 's04', 50)$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'a split');
SELECT is(pg_temp.change($$UPDATE company.share SET percent = CASE seller WHEN 's03' THEN 60 ELSE 40 END WHERE order_id = 9003$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'its shares');
SELECT is(pg_temp.change($$DELETE FROM company.share WHERE order_id = 9003$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'no split any more');
SELECT is(pg_temp.change($$WITH gone AS (DELETE FROM company.sales_order WHERE order_id = 9003 RETURNING *) INSERT INTO company.sales_order SELECT (g).* FROM (SELECT g FROM gone g) g$$), '2026-Q1',
    'taken out and put in again by one statement: looked at, not changed');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET amount = amount + 0.01 WHERE order_id % 50 = 0$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'many orders at once');
SELECT is(pg_temp.change($$CREATE TABLE company.kept AS SELECT * FROM company.sales_order$$, 'TRUNCATE company.sales_order'), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'all orders gone');
SELECT is(pg_temp.change('INSERT INTO company.sales_order SELECT * FROM company.kept'), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'and there again');
INSERT INTO company.sales_order SELECT 20000 + i, '2026-12-01', 's01', 'c', 'goods', 1, 0.01, 0, 'USD', 'booking' FROM generate_series(1, 10001) i;
SELECT results_eq('SELECT source, transaction_key, span FROM spm.change', $$VALUES ('orders', NULL::text, '[2026-11-30,2026-12-03)'::daterange)$$, 'of more than 10,000 orders the days are noted');
SELECT is(pg_temp.change('UPDATE company.sales_order SET ordered_on = ''2026-09-01'' WHERE order_id = 20001', 'DELETE FROM company.sales_order WHERE order_id > 20000'), '2026-Q3',
    'and looked at; one that came and went meanwhile changes nothing');

-- ---- milestones
SELECT spm.map_event('orders', 'invoice', 'company.invoice', 'order_id', 'invoiced_on', 'amount') \g /dev/null
SELECT is(pg_temp.change($$SELECT spm.create_plan('Billing', 'company', 'USD', '2026-01-01')$$, $$SELECT spm.add_component('Billing', 'Invoiced', '0: 1%', event => 'invoice', accumulate => 'year')$$,
    $$SELECT spm.assign_plan('Billing', '2026-01-01', title => 'Seller')$$, $$SELECT spm.publish_plan('Billing')$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'a plan that pays what is invoiced');
SELECT is(pg_temp.change($$INSERT INTO company.invoice VALUES (1, '2026-02-01', 100), (1, '2026-08-01', 50)$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3',
    'an order is invoiced in two periods, and the one between goes on from the first');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET amount = amount * 2 WHERE order_id = 1$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'its amount changes');
SELECT is(pg_temp.change($$DELETE FROM company.invoice WHERE invoiced_on = '2026-02-01'$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3', 'an invoice is withdrawn');

-- ---- people, quotas, rates, rules
SELECT is(pg_temp.change($$SELECT spm.set_quota('s05', '2026-Q2', 12345, 'bookings')$$), '2026-Q1, 2026-Q2 changed, 2026-Q3', 'a quota');
SELECT is(pg_temp.change($$SELECT spm.set_exchange_rate('EUR', 'USD', '2026-08-01', 1.2)$$), '2026-Q1, 2026-Q2, 2026-Q3 changed', 'an exchange rate');
SELECT is(pg_temp.change($$SELECT spm.set_variable('target_bonus', 777, payee => 's05', since => '2026-04-01')$$), '2026-Q1, 2026-Q2 changed, 2026-Q3 changed', 'a variable');
SELECT is(pg_temp.change($$SELECT spm.set_manager('s05', 'l1', '2026-08-01')$$), '2026-Q3 changed', 'another manager');
SELECT is(pg_temp.change($$SELECT spm.vacate_position('s12', '2026-09-01')$$), '2026-Q3 changed', 'a seat that is left');
SELECT is(pg_temp.change($$SELECT spm.add_payee('new', 'New')$$, $$SELECT spm.assign_position('s12', 'new', '2026-09-10')$$), '2026-Q1, 2026-Q2, 2026-Q3 changed', 'and taken');
SELECT is(pg_temp.change($$SELECT spm.add_credit_rule('half', 'account_key = ''c7''', '{s01,s02}', '{0.5,0.5}', '2026-05-01')$$), '2026-Q1, 2026-Q2 changed, 2026-Q3 changed', 'a rule that shares');
SELECT is(pg_temp.change($$SELECT spm.add_manual_credit('s03', '2026-06-01', 500, 'USD', 'forgotten')$$), '2026-Q2', 'a credit entered by hand counts for nothing');
SELECT is(pg_temp.change($$INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, decided_by) SELECT manual_credit_id, 'approved', 'boss' FROM spm.manual_credit$$), '2026-Q2 changed, 2026-Q3 changed', 'before it is approved');
SELECT is(pg_temp.change($$SELECT spm.new_plan_version('Seller', '2026-07-01')$$), 'nothing to do', 'a draft of a plan touches nothing');
SELECT is(pg_temp.change($$SELECT spm.add_component('Seller', 'More', '0: 1%')$$, $$SELECT spm.publish_plan('Seller')$$), '2026-Q3 changed', 'its version does');
SELECT is(pg_temp.change($$SELECT spm.assign_plan('Billing', '2026-01-01', "position" => 'd1')$$), '2026-Q1 changed, 2026-Q2 changed, 2026-Q3 changed', 'an assignment');
SELECT is(pg_temp.change($$SELECT spm.retire_plan('Billing', '2026-08-01')$$), '2026-Q3 changed', 'the end of a plan');

-- ---- posted periods
CALL spm.post('2026-Q1');
SELECT is(pg_temp.change('SELECT 1'), 'nothing to do', 'posting changes nothing');
SELECT is(pg_temp.change($$INSERT INTO company.sales_order VALUES (9010, '2026-01-15', 's05', 'c1', 'goods', 1, 4321, 1, 'USD', 'booking')$$), '2026-Q2 changed, 2026-Q3 changed',
    'a late order is paid by the first open period');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET ordered_on = '2026-04-15' WHERE order_id = 9010$$), '2026-Q2 changed, 2026-Q3', 'and moved there');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET amount = amount + 1 WHERE order_id IN (2, 9010)$$), '2026-Q2 changed, 2026-Q3 changed', 'orders of a posted and an open period');
CALL spm.post('2026-Q2');
SELECT is(pg_temp.change($$SELECT spm.set_quota('s05', '2026-Q2', 54321, 'bookings')$$), '2026-Q3 changed', 'the quota of a posted period');
SELECT is(pg_temp.change($$DELETE FROM company.sales_order WHERE order_id = 9010$$), '2026-Q3 changed', 'an order of a posted period is deleted');
SELECT spm.reopen_period('2026-Q2', 'wrong') \g /dev/null
SELECT is(pg_temp.change('SELECT 1'), 'nothing to do', 'what stands on a period that was opened again waits');
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.change('SELECT 1'), '2026-Q3', 'until that is calculated');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET amount = amount + 1 WHERE order_id IN (1, 2, 3, 4)$$), '2026-Q2 changed, 2026-Q3 changed', 'and then takes up what is late');

CALL spm.post('2026-Q2');
CALL spm.post('2026-Q3');
CALL spm.calculate('2026-Q4');
SELECT spm.reopen_period('2026-Q2', 'wrong again') \g /dev/null
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.change($$UPDATE company.sales_order SET amount = amount + 1 WHERE ordered_on = '2026-08-01' OR order_id IN (3, 4)$$), '2026-Q2 changed, 2026-Q4 changed', 'an open period does not pay what changes in a posted one after it');
CALL spm.post('2026-Q2');
SELECT is(pg_temp.change('SELECT 1'), '2026-Q4 changed', 'the first open one after both does');

SELECT is(count(*), 0::bigint, 'all results add up') FROM spm.reconciliation WHERE NOT is_reconciled;
SELECT spm.unmap_source('orders') \g /dev/null
SELECT is_empty($$SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE tgname LIKE 'spm%' AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'company'::regnamespace)$$,
    'a source that is mapped no longer leaves no triggers behind');
SELECT throws_ok('CALL spm.refresh()', '55000', 'no source of transactions is mapped', 'without sources there is nothing to calculate from');
SELECT throws_ok($$CALL spm.refresh('nowhere')$$, '42704', 'calendar "nowhere" does not exist', 'an unknown calendar is refused');
SELECT * FROM finish();
ROLLBACK;
