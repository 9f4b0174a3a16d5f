-- What open deals will cost in commission: odds given by hand, amounts worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = error;
\set ECHO none
\i test/fixture/attain.sql
UPDATE crm.deal SET amount = 100000 WHERE id = 'o3';
UPDATE crm.deal_history SET amount = 100000 WHERE id = 'o3';
CREATE FUNCTION pg_temp.run(as_of date, until date) RETURNS int LANGUAGE sql AS $$
    INSERT INTO spm.odds_run (as_of, since, until, paths, seed, origin_count, drift, drift_new, shock, shock_owner, amount_ratio, arrivals_per_day, won_count, lost_count, learned_from)
    VALUES (as_of, as_of, until, 1000, 7, 0, 1, 1, 0, 0, 1, 0, 0, 0, as_of) RETURNING odds_run_id $$;
SELECT pg_temp.run('2026-02-28', '2026-03-31') AS run \gset
INSERT INTO spm.odds_deal (odds_run_id, opportunity_source_id, opportunity_key, stage, age_days, win_probability, lose_probability, expected_amount)
SELECT :run, opportunity_source_id, k, 'Proposal', 1, p, 0, 0 FROM spm.opportunity_source, (VALUES ('o1', 0.5), ('o2', 0.25), ('o3', 0.3)) v(k, p);
CREATE FUNCTION pg_temp.deal(cost_ratio numeric DEFAULT NULL) RETURNS TABLE (payee text, deal text, day date, base numeric, weighted numeric, from_total numeric, expected numeric) LANGUAGE sql AS $$
    SELECT y.payee_key, d.transaction_key, d.event_date, trim_scale(d.base_amount), trim_scale(d.weighted_amount), trim_scale(d.from_total), d.expected_amount
    FROM spm.expected_commission_deal(cost_ratio => deal.cost_ratio) d JOIN spm.payee y USING (payee_id) ORDER BY 1, 3, 2 $$;
\set ECHO all
SELECT no_plan();

-- deal by deal
SELECT results_eq($$SELECT * FROM pg_temp.deal()$$, $$VALUES
    ('dana', 'o1', date '2026-03-05', 50000::numeric, 25000::numeric, 90000::numeric, 2500.00::numeric), ('dana', 'o2', '2026-03-09', 60000, 15000, 115000, 1500.00),
    ('jon', 'o3', '2026-03-31', 100000, 30000, 10000, 1500.00),
    ('mara', 'o1', '2026-03-05', 50000, 25000, 100000, 250.00), ('mara', 'o2', '2026-03-09', 60000, 15000, 125000, 150.00), ('mara', 'o3', '2026-03-31', 100000, 30000, 140000, 300.00)$$,
    'each deal earns at the rate that will be reached by then: 10 % for who is at half the quota, 5 % for who is not, and 1 % for the manager; euros are dollars of the day');
SELECT is((SELECT sum(expected_amount) FROM spm.expected_commission_deal()), (SELECT sum(spm.commission(k.schedule, t.reached_amount, t.reached_amount + t.amount))
    FROM (SELECT schedule_id, reached_amount, sum(weighted_amount) AS amount FROM spm.expected_commission_deal() GROUP BY payee_id, component_id, 1, 2) t JOIN spm.schedule k USING (schedule_id)),
    'deals add up to what the expected total earns, to the last cent');

-- all of somebody's
SELECT results_eq($$SELECT y.payee_key, deal_count, trim_scale(base_amount), trim_scale(weighted_amount), earned_amount, expected_amount FROM spm.expected_commission() JOIN spm.payee y USING (payee_id) ORDER BY 1$$,
    $$VALUES ('dana', 2::bigint, 110000::numeric, 40000::numeric, 3000.00::numeric, 4000.00::numeric), ('jon', 1, 100000, 30000, 500.00, 1500.00), ('mara', 3, 210000, 70000, 700.00, 700.00)$$,
    'what February has earned, what deals would count, and what they are expected to earn');
SELECT ok(abs(simulated_amount - 2475) < 3 * 8250 * sqrt(0.3 * 0.7 / 10000), 'drawn futures know the accelerator: three times in ten 35,000 at 5 % and 65,000 at 10 %')
FROM spm.expected_commission(paths => 10000) JOIN spm.payee USING (payee_id) WHERE payee_key = 'jon';
SELECT ok(abs(simulated_amount - 4000) < 3 * sqrt(0.25 * 5000 ^ 2 + 0.1875 * 6000 ^ 2) / 100, 'where one rate holds they say the same') FROM spm.expected_commission(paths => 10000) JOIN spm.payee USING (payee_id) WHERE payee_key = 'dana';
SELECT results_eq($$SELECT lower_amount, upper_amount FROM spm.expected_commission(paths => 10000) JOIN spm.payee USING (payee_id) WHERE payee_key IN ('dana', 'jon') ORDER BY payee_key$$,
    'VALUES (0.00, 11000.00), (0.00, 8250.00)', 'four in five futures lie between nothing and all: both deals are won one time in eight');
SELECT is((SELECT md5(string_agg(e::text, ',' ORDER BY payee_id)) FROM spm.expected_commission() e), (SELECT md5(string_agg(e::text, ',' ORDER BY payee_id)) FROM spm.expected_commission() e), 'asked again, the same to the digit');

-- over the end of a quarter
SAVEPOINT before;
SELECT pg_temp.run('2026-02-28', '2026-06-30') AS long \gset
INSERT INTO spm.odds_deal SELECT (jsonb_populate_record(d, jsonb_build_object('odds_run_id', :long))).* FROM spm.odds_deal d WHERE odds_run_id = :run;
SELECT results_eq($$SELECT y.payee_key, d.transaction_key, d.event_date, d.expected_amount, d.reason FROM spm.expected_commission_deal() d JOIN spm.payee y USING (payee_id) ORDER BY 1, 2$$, $$VALUES
    ('dana', 'o1', date '2026-03-05', 2500.00, NULL), ('dana', 'o2', '2026-03-09', 1500.00, NULL), ('jon', 'o3', '2026-04-09', NULL, 'starts anew'),
    ('mara', 'o1', '2026-03-05', 250.00, NULL), ('mara', 'o2', '2026-03-09', 150.00, NULL), ('mara', 'o3', '2026-04-09', NULL, 'starts anew')$$,
    'a forecast into a quarter with other quotas counts the deals of this one, and says so of the others');
ROLLBACK TO before;
-- refused
CALL spm.calculate('2026-03');
SELECT pg_temp.run('2026-03-31', '2026-04-30') AS next \gset
SELECT throws_ok($$SELECT * FROM spm.expected_commission()$$, '55000', 'component "Commission" of plan "AE" starts anew on 2026-04-01, before any deal is won', 'as of the last day of all that could count a deal');
SELECT is((SELECT hint FROM spm._outlook_problem(:next)), 'Forecast from a day of the time that begins then, and calculate its period: SELECT spm.forecast_pipeline(until => ''2026-04-30'', as_of => ''2026-04-01'');', 'and what to do');
SELECT is_empty('SELECT * FROM spm_bi.expected_commission', 'of which the view has no rows');
ROLLBACK TO before;

-- plans see deals as transactions
SELECT spm.create_plan('Spiff', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Spiff', 'Cloud margin', '0: 2%, 20000: 4%', accumulate => 'deal', measure => 'amount - coalesce(cost, 0)', eligible => $$attributes ->> 'segment' = 'cloud' AND type = 'booking'$$),
    spm.add_component('Spiff', 'Deals', '0: 100', unit => 'count', measure => 'quantity', accumulate => 'quarter', eligible => 'amount > 50000'),
    spm.assign_plan('Spiff', title => 'AE', since => '2026-01-01'), spm.publish_plan('Spiff') \g /dev/null
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT y.payee_key, c.name, d.transaction_key, trim_scale(d.base_amount), trim_scale(d.from_total), d.expected_amount FROM spm.expected_commission_deal(cost_ratio => 0.4) d
    JOIN spm.payee y USING (payee_id) JOIN spm.component c USING (component_id) JOIN spm.plan_version USING (plan_version_id) JOIN spm.plan n USING (plan_id) WHERE n.name = 'Spiff' ORDER BY 1, 2, 3$$,
    $$VALUES ('dana', 'Cloud margin', 'o1', 30000::numeric, 0::numeric, 400.00::numeric), ('jon', 'Cloud margin', 'o3', 60000, 0, 600.00), ('jon', 'Deals', 'o3', 1, 0, 30.00)$$,
    'conditions and measures hold: the margin by the cost ratio, half of the 800 that the deal would earn by itself, 30 % of 2,000, and one piece each');
SELECT is_empty($$SELECT * FROM spm.expected_commission_deal(type => 'renewal') JOIN spm.component c USING (component_id) WHERE c.name = 'Cloud margin'$$, 'booked as something else they may earn nothing');
SELECT is((SELECT count(*) FROM spm_bi.expected_commission WHERE odds_run_id = :run), (SELECT count(*) FROM spm.expected_commission()), 'the view has them');

-- refused
SELECT throws_ok($$SELECT * FROM spm.expected_commission(run => 0)$$, '42704', 'there is no forecast of the pipeline 0', 'a forecast that there is not');
SELECT throws_ok($$SELECT * FROM spm.expected_commission(cost_ratio => -0.1)$$, '22023', 'cost_ratio cannot be -0.1', 'a cost below nothing');
SELECT throws_ok($$SELECT * FROM spm.expected_commission(paths => 1)$$, '22023', 'paths must be from 100 to 1000000', 'one future');
SELECT pg_temp.run('2026-05-31', '2026-06-30') AS early \gset
SELECT throws_ok($$SELECT * FROM spm.expected_commission()$$, '55000', 'no period with 2026-05-31 is calculated', 'or of a period of which nobody knows what is reached');
SELECT is((SELECT count(*) FROM spm_bi.expected_commission), 0::bigint, 'then the view has no rows, and does not fail');
SELECT * FROM finish();
ROLLBACK;
