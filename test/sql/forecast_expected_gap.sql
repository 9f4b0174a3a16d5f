-- No open deal is missing from what commission will cost: it is counted, or there is a reason; amounts worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = error;
\set ECHO none
\i test/fixture/attain.sql
CREATE FUNCTION pg_temp.run(as_of date, until date) RETURNS int LANGUAGE sql AS $$
    INSERT INTO spm.odds_run (as_of, since, until, paths, seed, origin_count, drift, drift_new, shock, shock_owner, amount_ratio, arrivals_per_day, won_count, lost_count, learned_from)
    VALUES (as_of, as_of, until, 1000, 7, 0, 1, 1, 0, 0, 1, 0, 0, 0, as_of) RETURNING odds_run_id $$;
CREATE VIEW pg_temp.told AS
SELECT y.payee_key AS payee, s.position_key AS seat, n.name AS plan, d.transaction_key AS deal, d.kind, trim_scale(d.base_amount) AS base, d.expected_amount, d.reason, d.is_estimated, d.used_cost_ratio
FROM spm.expected_commission_deal() d
LEFT JOIN spm.payee y USING (payee_id) LEFT JOIN spm.position s ON s.position_id = d.position_id
LEFT JOIN spm.component c USING (component_id) LEFT JOIN spm.plan_version v USING (plan_version_id) LEFT JOIN spm.plan n USING (plan_id);
-- lee has left, kim is on no plan, ann on one for large deals, ned will begin in March, zoe is nobody
SELECT spm.add_currency('GBP'), spm.add_payee('lee', 'Lee'), spm.add_payee('kim', 'Kim'), spm.add_payee('ann', 'Ann'), spm.add_payee('ned', 'Ned'),
    spm.add_title('SE'), spm.add_title('Spec') \g /dev/null
SELECT spm.add_position('lee', 'Lee', title => 'SE'), spm.add_position('kim', 'Kim', title => 'SE'), spm.add_position('ann', 'Ann', title => 'Spec'), spm.add_position('ned', 'Ned', title => 'AE'),
    spm.assign_position('lee', 'lee', '2025-01-01'), spm.vacate_position('lee', '2026-02-01'), spm.assign_position('kim', 'kim', '2025-01-01'), spm.assign_position('ann', 'ann', '2025-01-01'),
    spm.assign_position('ned', 'ned', '2026-03-01') \g /dev/null
SELECT spm.create_plan('Spec', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Spec', 'Large', '0: 1%', accumulate => 'quarter', eligible => 'amount > 1000000'),
    spm.assign_plan('Spec', title => 'Spec', since => '2026-01-01'), spm.publish_plan('Spec') \g /dev/null
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
INSERT INTO crm.deal
SELECT k, owner, 'Proposal', amount, currency, '2026-02-02', '2026-03-10', 'box'
FROM (VALUES ('o4', 'zoe', NULL, 'USD'), ('o5', 'lee', 1000, 'USD'), ('o6', 'kim', 1000, 'USD'), ('o7', 'ned', 1000, 'USD'), ('o8', 'dana', 1000, 'GBP'), ('o9', 'ann', 1000, 'USD')) v(k, owner, amount, currency);
INSERT INTO crm.deal_history SELECT id, created, 'Proposal', amount, close_date FROM crm.deal WHERE id BETWEEN 'o4' AND 'o9';
SELECT pg_temp.run('2026-02-28', '2026-03-31') AS run \gset
INSERT INTO spm.odds_deal (odds_run_id, opportunity_source_id, opportunity_key, owner_key, stage, age_days, amount, win_probability, lose_probability, expected_amount)
SELECT :run, opportunity_source_id, k, o, 'Proposal', 1, a, p, 0, e FROM spm.opportunity_source,
    (VALUES ('o1', 'dana', 50000, 0.5, 25000), ('o2', 'dana', 60000, 0.25, 15000), ('o3', 'jon', NULL, 0.3, 24000), ('o4', 'zoe', NULL, 0.1, 8000), ('o5', 'lee', 1000, 0.5, 500), ('o6', 'kim', 1000, 0.5, 500),
     ('o7', 'ned', 1000, 0.5, 500), ('o8', 'dana', 1300, 0.5, 650), ('o9', 'ann', 1000, 0.5, 500), ('w1', 'dana', 30000, 0.5, 15000), ('gone', 'dana', 700, 0.5, 350)) v(k, o, a, p, e);
\set ECHO all
SELECT no_plan();

-- every deal has a row of its owner
SELECT results_eq($$SELECT payee, plan, deal, base, expected_amount, reason, is_estimated FROM pg_temp.told WHERE kind = 'direct' ORDER BY deal$$, $$VALUES
    ('dana', NULL, 'gone', NULL::numeric, NULL::numeric, 'not open', false),
    ('dana', 'AE', 'o1', 50000, 2500.00, NULL, false), ('dana', 'AE', 'o2', 60000, 1500.00, NULL, false),
    ('jon', 'AE', 'o3', 80000, 1200.00, NULL, true), (NULL, NULL, 'o4', NULL, NULL, 'no seat', true), ('lee', NULL, 'o5', NULL, NULL, 'no seat', false), ('kim', NULL, 'o6', NULL, NULL, 'no plan', false),
    ('ned', 'AE', 'o7', 1000, NULL, 'no result', false), ('dana', 'AE', 'o8', NULL, NULL, 'no rate', false), ('ann', NULL, 'o9', NULL, NULL, 'not counted', false), ('dana', NULL, 'w1', NULL, NULL, 'not open', false)$$,
    'each deal of the forecast is counted, or there is a reason; one without an amount counts 80,000, what such deals are forecast at: 32,000 over odds of 0.4');
SELECT results_eq($$SELECT deal, base, expected_amount, reason FROM pg_temp.told WHERE payee = 'mara' ORDER BY deal$$, $$VALUES
    ('o1', 50000::numeric, 250.00::numeric, NULL), ('o2', 60000, 150.00, NULL), ('o3', 80000, 240.00, NULL), ('o8', NULL, NULL, 'no rate')$$, 'their manager is credited as before, or not for the same reason');
SELECT results_eq($$SELECT y.payee_key, reason, deal_count, estimated_count, earned_amount, expected_amount, pipeline_amount FROM spm.expected_commission() LEFT JOIN spm.payee y USING (payee_id) WHERE y.payee_key IS DISTINCT FROM 'mara' ORDER BY 1, 2$$, $$VALUES
    ('ann', 'not counted', 1::bigint, 0::bigint, NULL::numeric, NULL::numeric, 500::numeric), ('dana', 'no rate', 1, 0, NULL, NULL, 650), ('dana', 'not open', 2, 0, NULL, NULL, 15350), ('dana', NULL, 2, 0, 3000.00, 4000.00, 40000),
    ('jon', NULL, 1, 1, 500.00, 1200.00, 24000), ('kim', 'no plan', 1, 0, NULL, NULL, 500), ('lee', 'no seat', 1, 0, NULL, NULL, 500), ('ned', 'no result', 1, 0, NULL, NULL, 500), (NULL, 'no seat', 1, 1, NULL, NULL, 8000)$$,
    'summed up: what is not counted stands beside what is, with what the deals are forecast to bring');
SELECT results_eq($$SELECT count(*), sum(deal_count), sum(expected_amount) FROM spm_bi.expected_commission$$, $$SELECT count(*), sum(deal_count), sum(expected_amount)::numeric(20,4) FROM spm.expected_commission()$$, 'finance sees all of that');

-- a forecast in another currency
SAVEPOINT before;
UPDATE spm.odds_run SET currency_code = 'EUR';
SELECT results_eq($$SELECT payee, base, expected_amount FROM pg_temp.told WHERE deal = 'o3' ORDER BY 1$$, $$VALUES ('jon', 120000::numeric, 1850.00::numeric), ('mara', 120000, 360.00)$$,
    'usual amounts are in the currency of the forecast: 80,000 euros are 120,000 dollars, and 0.3 of it are 35,000 at 5 % and 1,000 at 10 %');
ROLLBACK TO before;

-- a calendar that ends before a deal is won
UPDATE crm.deal SET close_date = '2027-02-01' WHERE id = 'o1';
UPDATE crm.deal_history SET close_date = '2027-02-01' WHERE id = 'o1';
UPDATE spm.odds_run SET until = '2027-03-01';
SELECT results_eq($$SELECT payee, plan, deal, reason FROM pg_temp.told WHERE deal = 'o1'$$, $$VALUES ('dana', NULL, 'o1', 'starts anew')$$,
    'of a deal that is expected after the last period of the calendar nobody says that no plan takes it');
ROLLBACK TO before;

-- without a usual amount
SELECT spm.create_plan('Pieces', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Pieces', 'Deals', '0: 100', unit => 'count', measure => '1', accumulate => 'quarter'),
    spm.assign_plan('Pieces', title => 'AE', since => '2026-01-01'), spm.publish_plan('Pieces') \g /dev/null
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
UPDATE spm.odds_deal SET expected_amount = 0 WHERE amount IS NULL;
SELECT results_eq($$SELECT payee, plan, deal, base, expected_amount, reason, is_estimated FROM pg_temp.told WHERE deal IN ('o3', 'o4') ORDER BY 3, 1, 2$$, $$VALUES
    ('jon', 'AE', 'o3', NULL::numeric, NULL::numeric, 'no amount', false), ('jon', 'Pieces', 'o3', 1, 30.00, NULL, false), ('mara', 'Lead', 'o3', NULL, NULL, 'no amount', false), (NULL, NULL, 'o4', NULL, NULL, 'no seat', false)$$,
    'a deal of which nothing is known has no amount, but is a deal: 30 % of 100 for each');
ROLLBACK TO before;

-- a plan that needs what deals do not have
SELECT spm.add_lookup('price', '{product}'), spm.set_lookup('price', '{A}', 0.5) \g /dev/null
SELECT spm.create_plan('Margin', 'fiscal', 'USD', '2026-02-21'), spm.add_component('Margin', 'Margin', '0: 1%', accumulate => 'quarter', measure => 'amount - cost', credit_cap => 20000),
    spm.assign_plan('Margin', title => 'AE', since => '2026-02-21'), spm.publish_plan('Margin'),
    spm.create_plan('Product', 'fiscal', 'USD', '2026-02-21'), spm.add_component('Product', 'By product', '0: 1%', accumulate => 'quarter', lookup => 'price', lookup_by => '{product_key}'),
    spm.assign_plan('Product', title => 'AE', since => '2026-02-21'), spm.publish_plan('Product') \g /dev/null
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT payee, plan, deal, base, expected_amount, reason FROM pg_temp.told WHERE plan IN ('Margin', 'Product') AND payee IN ('dana', 'jon') ORDER BY 1, 2, 3$$, $$VALUES
    ('dana', 'Margin', 'o1', NULL::numeric, NULL::numeric, 'no measure'), ('dana', 'Margin', 'o2', NULL, NULL, 'no measure'), ('dana', 'Margin', 'o8', NULL, NULL, 'no rate'),
    ('dana', 'Product', 'o1', NULL, NULL, 'no measure'), ('dana', 'Product', 'o2', NULL, NULL, 'no measure'), ('dana', 'Product', 'o8', NULL, NULL, 'no rate'),
    ('jon', 'Margin', 'o3', NULL, NULL, 'no measure'), ('jon', 'Product', 'o3', NULL, NULL, 'no measure')$$, 'a plan that asks for a cost or a product fails nobody: its rows have no money, but a reason');
SELECT results_eq($$SELECT sum(expected_amount) FROM spm_bi.expected_commission WHERE plan_name IN ('AE', 'Lead')$$, $$VALUES (5840.0000)$$, 'and all other plans are as they were');
CREATE TABLE crm.parts (id text, day date, owner text, amount numeric, cost numeric, currency text, product text);
INSERT INTO crm.parts VALUES ('p1', '2026-02-22', 'dana', 10000, 5000, 'USD', 'A'), ('p2', '2026-02-23', 'dana', 20000, 6000, 'EUR', 'A'), ('p3', '2026-02-24', 'jon', -9000, -9000, 'USD', 'A');
SELECT spm.map_source('parts', 'crm.parts', key => 'id', date => 'day', owner => 'owner', amount => 'amount', cost => 'cost', currency => 'currency', product => 'product') \g /dev/null
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT payee, deal, base, expected_amount, reason, used_cost_ratio FROM pg_temp.told WHERE plan = 'Margin' AND payee IN ('dana', 'jon') ORDER BY 1, 2, 3$$, $$VALUES
    ('dana', 'o1', 20000::numeric, 100.00::numeric, NULL, 0.35), ('dana', 'o2', 20000, 50.00, NULL, 0.35), ('dana', 'o8', NULL, NULL, 'no rate', 0.35), ('jon', 'o3', 20000, 60.00, NULL, 0.35)$$,
    'cost is learned from the orders that the component has counted: 5,000 and 9,000 of 10,000 and 30,000 dollars, refunds left out; the cap of a deal holds');
SELECT results_eq($$SELECT y.payee_key, transaction_key, trim_scale(base_amount), used_cost_ratio FROM spm.expected_commission_deal(cost_ratio => 0.8) JOIN spm.component c USING (component_id) JOIN spm.payee y USING (payee_id)
    WHERE c.name = 'Margin' AND reason IS NULL ORDER BY 1, 2$$, $$VALUES ('dana', 'o1', 10000::numeric, 0.8), ('dana', 'o2', 12000, 0.8), ('jon', 'o3', 16000, 0.8)$$, 'a cost ratio that is given goes before it');
SELECT is_empty($$SELECT deal FROM pg_temp.told WHERE kind = 'direct' GROUP BY deal HAVING bool_or(plan IS NULL) AND count(*) > 1 OR count(*) <> count(DISTINCT plan) + count(*) FILTER (WHERE plan IS NULL)$$,
    'a deal has one row for each component of its owner, or one without any');
SELECT * FROM finish();
ROLLBACK;
