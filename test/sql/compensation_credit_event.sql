-- Orders credited by their milestones: invoices and payments, pro rata, first or full, over- and underpaid. Every figure was worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.deal (deal_id text, line text, closed_on date, owner text, amount numeric, cost numeric, units numeric);
CREATE TABLE shop.payment (deal_id text, line text, paid_on date, amount numeric);
INSERT INTO shop.deal VALUES
    ('D-01', '1', '2026-01-10', 'dana', 1000.00, 700, 3),
    ('D-02', '1', '2026-01-20', 'eli', 60.00, 40, 1),
    ('D-02', '2', '2026-01-20', 'eli', 40.00, 20, 1);
INSERT INTO shop.payment VALUES
    ('D-01', NULL, '2026-02-01', 333.33), ('D-01', NULL, '2026-05-01', 333.33), ('D-01', NULL, '2026-08-01', 333.34),
    ('D-02', NULL, '2026-02-01', 25), ('D-02', NULL, '2026-02-01', 25), ('D-02', '2', '2026-04-15', 20), ('D-02', '1', '2026-04-20', 30);
SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', line => 'line', date => 'closed_on', owner => 'owner', amount => 'amount',
    cost => 'cost', quantity => 'units', fixed_currency => 'USD')
FROM spm.add_currency('USD') \g /dev/null
SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount', line => 'line') \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01')
FROM unnest('{dana,eli,max,spec}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, 'max', '2025-01-01') FROM unnest('{dana,eli}'::text[]) k \g /dev/null
SELECT spm.create_plan('Booked', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Booked', 'Bookings', '0: 1%') \g /dev/null
SELECT spm.create_plan('Paid', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Paid', 'Cash', '0: 10%', event => 'payment'),
    spm.add_component('Paid', 'Margin', '0: 10%', measure => 'amount - cost', event => 'payment'),
    spm.add_component('Paid', 'Team cash', '0: 1%', credits => 'rollup', event => 'payment'),
    spm.add_component('Paid', 'Special', '0: 1%', credits => 'overlay', event => 'payment') \g /dev/null
SELECT spm.assign_plan(p, '2026-01-01', payee => k) FROM unnest('{dana,eli,max,spec}'::text[]) k, unnest('{Booked,Paid}'::text[]) p \g /dev/null
SELECT spm.publish_plan('Booked') \g /dev/null

CREATE FUNCTION pg_temp.parts(key text) RETURNS TABLE (line text, event_date date, amount numeric, cost numeric, quantity numeric) LANGUAGE sql
    AS $$SELECT c.line, c.event_date, trim_scale(c.amount), trim_scale(c.cost), trim_scale(c.quantity) FROM spm.standing_credit c
         WHERE c.transaction_key = key AND c.event = 'payment' AND c.kind = 'direct' ORDER BY 1, 2$$;
CREATE FUNCTION pg_temp.earned(component text, period text) RETURNS TABLE (payee_key text, earned numeric) LANGUAGE sql
    AS $$SELECT payee_key, trim_scale(sum(earned_amount)) FROM spm_bi.earning WHERE component_name = component AND period_name = period GROUP BY 1 ORDER BY 1$$;

-- ---- pro rata
CALL spm.calculate('2026-Q1');
SELECT is_empty($$SELECT FROM spm.standing_credit WHERE event <> 'booking'$$, 'milestones that no plan pays for are not credited');
SELECT spm.publish_plan('Paid') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT * FROM pg_temp.parts('D-01')$$, $$VALUES ('1', '2026-02-01'::date, 333.33, 233.33, 0.99999)$$,
    'a payment credits its part of amount, cost and quantity: 33.333 %');
SELECT results_eq($$SELECT * FROM pg_temp.parts('D-02')$$, $$VALUES ('1', '2026-02-01'::date, 30.0, 20.0, 0.5), ('2', '2026-02-01', 20, 10, 0.5)$$,
    'payments of one day go together, over all lines in proportion');
SELECT results_eq($$SELECT * FROM pg_temp.earned('Cash', '2026-Q1')$$, $$VALUES ('dana', 33.33), ('eli', 5.0)$$, 'and earn what they are: 10 % of 333.33');
SELECT results_eq($$SELECT * FROM pg_temp.earned('Bookings', '2026-Q1')$$, $$VALUES ('dana', 10.0), ('eli', 1.0)$$, 'what is paid for bookings stays as it is');
SELECT is((SELECT earned FROM pg_temp.earned('Team cash', '2026-Q1')), 3.83, 'payments go up the tree, too');
CALL spm.post('2026-Q1');
CALL spm.calculate('2026-Q2');
SELECT results_eq($$SELECT * FROM pg_temp.parts('D-02') WHERE event_date > '2026-04-01'$$, $$VALUES ('1', '2026-04-20'::date, 30.0, 20.0, 0.5), ('2', '2026-04-15', 20, 10, 0.5)$$,
    'a payment may be of a single line');
SELECT results_eq($$SELECT * FROM pg_temp.earned('Cash', '2026-Q2')$$, $$VALUES ('dana', 33.33), ('eli', 5.0)$$, 'payments are earned in their own period, bookings or not');
CALL spm.post('2026-Q2');
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT sum(amount), sum(cost), sum(quantity) FROM pg_temp.parts('D-01')$$, $$VALUES (1000.0, 700.0, 3.0)$$,
    'the parts add up to the order, to the cent');
SELECT results_eq($$SELECT * FROM pg_temp.earned('Margin', '2026-Q3')$$, $$VALUES ('dana', 10.0)$$, 'measures are of the part: 333.34 less 233.34, 10 %');
SELECT ok(bool_and(is_reconciled), 'everything adds up') FROM spm_bi.reconciliation;
CALL spm.calculate('2026-Q3');
SELECT is((SELECT changed_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 0::bigint, 'calculating again changes nothing');

-- ---- late
SAVEPOINT before;
UPDATE shop.deal SET amount = 2000 WHERE deal_id = 'D-01';
CALL spm.calculate('2026-Q3');
SELECT is((SELECT sum(earned_amount) FROM spm_bi.earning WHERE component_name = 'Cash' AND payee_key = 'dana'), 99.9900,
    'an order that turns out larger is not paid more than came in');
SELECT results_eq($$SELECT amount FROM pg_temp.parts('D-01')$$, $$VALUES (333.33), (333.33), (333.34)$$, 'the same payments, half of the order');
SELECT ok(bool_and(is_reconciled), 'the differences add up') FROM spm_bi.reconciliation;
ROLLBACK TO before;
DELETE FROM shop.payment WHERE paid_on = '2026-02-01' AND deal_id = 'D-01';
CALL spm.calculate('2026-Q3');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE paid_period_name = '2026-Q3' AND component_name = 'Cash' AND period_name = '2026-Q1' AND payee_key = 'dana'),
    -33.3300, 'a payment that bounces after the quarter is posted is taken back in the open one');
ROLLBACK TO before;

-- ---- over and under
INSERT INTO shop.payment VALUES ('D-01', NULL, '2026-08-15', 500), ('D-01', NULL, '2026-08-20', -600);
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT event_date, amount FROM pg_temp.parts('D-01') WHERE event_date > '2026-07-01'$$,
    $$VALUES ('2026-08-01'::date, 333.34), ('2026-08-20', -100.0)$$, 'capped: what exceeds the order is not credited, and only what falls below it is taken back');
SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount', line => 'line', over => 'credited') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT event_date, amount FROM pg_temp.parts('D-01') WHERE event_date > '2026-07-01'$$,
    $$VALUES ('2026-08-01'::date, 333.34), ('2026-08-15', 500.0), ('2026-08-20', -600.0)$$, 'or it is, like the rest');
ROLLBACK TO before;
UPDATE shop.payment SET amount = 330 WHERE paid_on = '2026-08-01';
SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount', line => 'line', tolerance => 0.01) \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT is((SELECT sum(amount) FROM pg_temp.parts('D-01')), 1000.0, 'what is missing within the tolerance is credited with the last payment: 996.66 of 1,000');
ROLLBACK TO before;

-- ---- first, and full
SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount', line => 'line', credited => 'first') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT event_date, amount, quantity FROM pg_temp.parts('D-01')$$, $$VALUES ('2026-02-01'::date, 1000.0, 3.0)$$, 'the first payment credits all');
SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on', amount => 'amount', line => 'line', credited => 'full') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT event_date, amount FROM pg_temp.parts('D-01')$$, $$VALUES ('2026-08-01'::date, 1000.0)$$, 'or the last');
CREATE TABLE shop.live (deal_id text, at timestamptz, part int);
INSERT INTO shop.live VALUES ('D-01', '2026-07-07 12:00+00', 50), ('D-01', '2026-07-09 12:00+00', 50);
SELECT spm.map_event('deals', 'payment', 'shop.live', key => 'deal_id', date => 'at', amount => 'part', amount_unit => 'percent') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT event_date, amount FROM pg_temp.parts('D-01')$$, $$VALUES ('2026-07-07'::date, 500.0), ('2026-07-09', 500.0)$$, 'milestones may be in percent of the order');
SELECT spm.map_event('deals', 'payment', 'shop.live', key => 'deal_id', date => 'at') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT event_date, amount FROM pg_temp.parts('D-01')$$, $$VALUES ('2026-07-07'::date, 1000.0)$$, 'or without an amount: all of it');
ROLLBACK TO before;

-- ---- shares and rules are those of the order
SELECT spm.add_credit_rule('Big', 'amount >= 1000', '{eli,spec}', '{0.6,0.4}', '2026-01-01', '2026-04-01'),
    spm.add_overlay_rule('Special', 'amount >= 1000', '{spec}', '{0.5}', '2026-01-01') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT y.payee_key, c.event_date, c.kind, c.credited_amount FROM spm.standing_credit c JOIN spm.payee y USING (payee_id)
    WHERE c.event = 'payment' AND c.transaction_key = 'D-01' AND c.kind <> 'rollup' AND c.event_date < '2026-07-01' ORDER BY 2, 3, 1$$, $$VALUES
    ('eli', '2026-02-01'::date, 'direct', 200.00), ('spec', '2026-02-01', 'direct', 133.33), ('spec', '2026-02-01', 'overlay', 166.67),
    ('eli', '2026-05-01', 'direct', 200.00), ('spec', '2026-05-01', 'direct', 133.33), ('spec', '2026-05-01', 'overlay', 166.67)$$,
    'conditions and dates of rules are about the order, whatever part is paid, and whenever');
ROLLBACK TO before;

-- ---- an order of nothing, and one that is taken back
INSERT INTO shop.deal VALUES ('D-03', '1', '2026-07-01', 'dana', 0, 0, 5), ('D-04', '1', '2026-07-01', 'dana', -300, -200, -1);
INSERT INTO shop.payment VALUES ('D-03', NULL, '2026-07-02', 1), ('D-04', NULL, '2026-07-02', -100);
CALL spm.calculate('2026-Q3');
SELECT results_eq($$SELECT * FROM pg_temp.parts('D-03')$$, $$VALUES ('1', '2026-07-02'::date, 0.0, 0.0, 5.0)$$, 'an order of amount zero is credited with its first payment');
SELECT results_eq($$SELECT * FROM pg_temp.parts('D-04')$$, $$VALUES ('1', '2026-07-02'::date, -100.0, -66.67, -0.333333)$$, 'a negative one by negative payments');
ROLLBACK TO before;

-- ---- paid before it was booked
INSERT INTO shop.deal VALUES ('D-05', '1', '2026-11-01', 'dana', 500, 0, 1);
INSERT INTO shop.payment VALUES ('D-05', NULL, '2026-07-15', 100);
CALL spm.calculate('2026-Q3');
CALL spm.post('2026-Q3');
UPDATE shop.deal SET amount = 80 WHERE deal_id = 'D-05';
CALL spm.calculate('2026-Q4');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE paid_period_name = '2026-Q4' AND period_name = '2026-Q3' AND component_name = 'Cash' AND payee_key = 'dana'), -2.0000,
    'an order of a later quarter that shrinks also changes what an earlier one has paid for it: 80 instead of 100');
SELECT ok(bool_and(is_reconciled), 'and adds up') FROM spm_bi.reconciliation;
ROLLBACK TO before;

-- ---- refused
SELECT spm.create_plan('Typo', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Typo', 'Cash', '0: 1%', event => 'paymnet') \g /dev/null
SELECT results_eq($$SELECT component, defect FROM spm.plan_defect('Typo')$$, $$VALUES ('Cash', 'it is paid by "paymnet", but no such milestone is mapped')$$,
    'a plan that is paid by what nobody maps is not published');
SELECT throws_ok(format($$SELECT spm.map_event('deals', %L, 'shop.payment', key => 'deal_id', date => 'paid_on', %s)$$, k, o), '22023', m, d)
FROM (VALUES ('booking', 'amount => ''amount''', 'kind cannot be "booking"', 'a milestone is not the booking'),
    ('payment', 'amount_unit => ''cents''', 'amount_unit cannot be "cents"', 'other units are refused'),
    ('payment', 'credited => ''last''', 'credited cannot be "last"', 'other ways to credit'),
    ('payment', 'over => ''kept''', 'over cannot be "kept"', 'other ways with what is too much'),
    ('payment', 'tolerance => 1', 'tolerance cannot be "1"', 'and a tolerance of everything')) v(k, o, m, d);
SELECT throws_ok($$SELECT spm.map_event('deals', 'payment', 'shop.payment', key => 'deal_id', date => 'amount')$$, '42804', NULL, 'a date must be one');
SELECT throws_ok($$SELECT spm.map_event('orders', 'payment', 'shop.payment', key => 'deal_id', date => 'paid_on')$$, '42704', NULL, 'the source must be mapped');
SELECT throws_ok($$SELECT spm.unmap_event('deals', 'invoice')$$, '42704', 'source "deals" has no milestones of kind "invoice"', 'what is not mapped is not unmapped');
SELECT is(spm._map_event_call(e), 'SELECT spm.map_event(''deals'', ''payment'', ''shop.payment'', key => ''deal_id'', date => ''paid_on'', amount => ''amount'', line => ''line'');',
    'the call that maps it can be told') FROM spm.event_source e;
ALTER TABLE shop.payment RENAME COLUMN amount TO euros;
SELECT throws_ok($$CALL spm.calculate('2026-Q3')$$, '42703', 'column "amount" of shop.payment does not exist', 'a column that has gone is told before anything is calculated');
ROLLBACK TO before;
SELECT spm.unmap_event('deals', 'payment') \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE component_name = 'Cash'), 0.0000, 'unmapped, they are taken back');

SELECT * FROM finish();
ROLLBACK;
