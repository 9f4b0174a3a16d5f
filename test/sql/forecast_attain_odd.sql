-- Pace and needs of those who join or change plans in mid quarter, of growth, and of deals in currencies without a rate; worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = error;
\set ECHO none
\i test/fixture/attain.sql
CREATE FUNCTION pg_temp.pace(as_of date, of_plan text) RETURNS TABLE (payee text, component text, quota numeric, achieved numeric, elapsed numeric, expected numeric, days_left numeric) LANGUAGE sql AS $$
    SELECT y.payee_key, c.name, trim_scale(q.quota_amount), trim_scale(q.achieved_amount), round(q.elapsed_ratio, 4), round(q.expected_amount, 2), q.days_left
    FROM spm.quota_pace(as_of) q JOIN spm.payee y USING (payee_id) JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n USING (plan_id)
    WHERE n.name = of_plan ORDER BY 1, 2 $$;
\set ECHO all
SELECT no_plan();

-- on the plan for a part of the quarter: quota and days are those of the part
SELECT spm.create_plan('Late', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Late', 'Push', '0%: 1%', quota => 'bookings', accumulate => 'quarter', prorate => 'calendar'),
    spm.assign_plan('Late', payee => 'dana', since => '2026-02-01'), spm.publish_plan('Late') \g /dev/null
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT * FROM pg_temp.pace('2026-02-14', 'Late')$$, $$VALUES ('dana', 'Push', 118000::numeric, 20000::numeric, 0.2373, 28000.00, 45::numeric)$$,
    'who joins the plan on 1 February has 59 days of 90, of which 14 have gone by, though the seat is older');

-- growth is held against as many days of the time before
SELECT spm.create_plan('Grow', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Grow', 'Month', '0%: 0%, 100%: 1%', against => 'prior period'),
    spm.add_component('Grow', 'Quarter', '0%: 0%, 100%: 1%', against => 'prior year', accumulate => 'quarter'), spm.assign_plan('Grow', payee => 'dana', since => '2026-01-01'), spm.publish_plan('Grow') \g /dev/null
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT * FROM pg_temp.pace('2026-02-14', 'Grow')$$, $$VALUES ('dana', 'Month', 30000::numeric, 20000::numeric, 0.5, 15000.00, 14::numeric), ('dana', 'Quarter', 0, 50000, 0.7627, 0, 14)$$,
    'growth of a quarter is held against January and February before: 45 of 59 days have gone by');

-- deals
SELECT spm.add_currency('GBP') \g /dev/null
UPDATE crm.deal SET currency = 'GBP' WHERE id = 'l1';
SELECT is((SELECT needed_deal_count FROM spm.needed_deals('2026-02-28', 120, 2) JOIN spm.payee USING (payee_id) WHERE payee_key = 'jon' AND segment IS NULL), 4::bigint,
    'a lost deal brought nothing, and needs no rate of exchange');
UPDATE crm.deal SET amount = -amount;
SELECT is((SELECT count(*) FROM spm.needed_deals('2026-02-28', 120, 2) WHERE needed_win_count < 0 OR needed_deal_count < 0), 0::bigint, 'no number of deals that lose money reaches a quota');
SELECT spm.unmap_opportunities('crm') \g /dev/null
SELECT results_eq($$SELECT to_go_amount, needed_win_count, open_deal_count FROM spm.needed_deals('2026-02-28') JOIN spm.payee USING (payee_id) WHERE payee_key = 'jon'$$, $$VALUES (80000::numeric, NULL::bigint, 0::bigint)$$,
    'without any deals it is told what is missing');
SELECT * FROM finish();
ROLLBACK;
