-- What open deals will cost where plans, seats and currencies are odd; amounts worked out by hand.
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
INSERT INTO crm.deal SELECT 'x' || i, 'dana', 'Proposal', 1000, NULL, '2026-02-01', '2026-03-05', 'cloud' FROM generate_series(1, 20) i;
INSERT INTO crm.deal_history SELECT id, created, 'Proposal', amount, close_date FROM crm.deal WHERE id LIKE 'x%';
SELECT spm.create_plan('Spiff', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Spiff', 'Each', '0: 10%', accumulate => 'deal'), spm.add_component('Spiff', 'All', '0: 10%', accumulate => 'quarter'),
    spm.assign_plan('Spiff', title => 'AE', since => '2026-01-01'), spm.publish_plan('Spiff') \g /dev/null
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
SELECT pg_temp.run('2026-02-28', '2026-03-31') AS run \gset
INSERT INTO spm.odds_deal (odds_run_id, opportunity_source_id, opportunity_key, stage, age_days, win_probability, lose_probability, expected_amount)
SELECT :run, opportunity_source_id, 'x' || i, 'Proposal', 1, 0.5, 0, 0 FROM spm.opportunity_source, generate_series(1, 20) i;
\set ECHO all
SELECT no_plan();

SELECT results_eq($$SELECT c.name, e.deal_count, trim_scale(e.base_amount), e.expected_amount, e.lower_amount, e.upper_amount FROM spm.expected_commission(paths => 10000) e JOIN spm.component c USING (component_id) WHERE c.name IN ('Each', 'All') ORDER BY 1$$,
    $$VALUES ('All', 20::bigint, 20000::numeric, 1000.00, 700.00, 1300.00), ('Each', 20, 20000, 1000.00, 700.00, 1300.00)$$,
    'of 20 even deals 7 to 13 are won four times in five, also where each is rated by itself; amounts without a currency are in that of the plan');

-- seats of the day on which a deal is expected
SAVEPOINT before;
SELECT spm.add_position('west', 'West', title => 'AE'), spm.vacate_position('dana', '2026-03-01'), spm.assign_position('west', 'dana', '2026-03-01'), spm.vacate_position('jon', '2026-03-01'), spm.assign_position('dana', 'jon', '2026-03-01') \g /dev/null
SELECT results_eq($$SELECT y.payee_key, s.position_key, reason, count(DISTINCT transaction_key), sum(expected_amount) FROM spm.expected_commission_deal() d JOIN spm.payee y USING (payee_id) JOIN spm.position s USING (position_id) GROUP BY 1, 2, 3$$,
    $$VALUES ('dana', 'west', 'no result', 20::bigint, NULL::numeric)$$, 'who changes seats takes the deals along: no seller or manager of the old seat is credited with them, and of the new one nobody knows what it has reached');
SELECT spm.set_manager('west', 'mara', '2026-03-01') \g /dev/null
SELECT results_eq($$SELECT y.payee_key, sum(expected_amount) FROM spm.expected_commission_deal() JOIN spm.payee y USING (payee_id) WHERE reason IS NULL GROUP BY 1$$, $$VALUES ('mara', 100.00)$$, 'but the manager of the new one');
ROLLBACK TO before;

-- what begins before the deals are won
SELECT spm.new_plan_version('Spiff', '2026-03-01'), spm.publish_plan('Spiff') \g /dev/null
SELECT results_eq($$SELECT n.name, v.version_no, c.name, d.reason, count(*), sum(d.expected_amount) FROM spm.expected_commission_deal() d JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n USING (plan_id) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3$$,
    $$VALUES ('AE', 1, 'Commission', NULL, 20::bigint, 1000.00::numeric), ('Lead', 1, 'Override', NULL, 20, 100.00), ('Spiff', 2, 'All', 'no result', 20, NULL), ('Spiff', 2, 'Each', 'no result', 20, NULL)$$,
    'of a version that begins by then nobody knows what is reached; other plans are counted');
ROLLBACK TO before;
SELECT spm.create_plan('Month', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Month', 'Flat', '0: 1%'), spm.assign_plan('Month', title => 'AE', since => '2026-01-01'), spm.publish_plan('Month') \g /dev/null
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT component_name, reason, deal_count, expected_amount FROM spm_bi.expected_commission ORDER BY 1$$,
    $$VALUES ('All', NULL, 20::bigint, 1000.0000), ('Commission', NULL, 20, 1000.0000), ('Each', NULL, 20, 1000.0000), ('Flat', 'starts anew', 20, NULL), ('Override', NULL, 20, 100.0000)$$,
    'nor of a month that is to come; and one monthly plan keeps nobody from the others');
ROLLBACK TO before;
-- refused
SELECT spm.create_calendar('other', 'month', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.create_plan('Other', 'other', 'USD', '2026-01-01'), spm.add_component('Other', 'Part', '0: 1%', accumulate => 'quarter'), spm.assign_plan('Other', payee => 'jon', since => '2026-01-01'), spm.publish_plan('Other') \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.expected_commission()$$, '55000', 'period "2026-02" of calendar "other" is not calculated', 'a calendar whose plans would be missing');
SELECT * FROM finish();
ROLLBACK;
