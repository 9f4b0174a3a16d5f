-- What BI tools read of the pipeline, relative to today.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT is_empty(format('SELECT ''%s'' FROM spm_bi.%I', v, v), v || ' has no rows where nothing is mapped')
FROM unnest('{opportunity,opportunity_defect,sales_stage,pipeline_snapshot,pipeline_trend,pipeline_waterfall,pipeline_forecast,forecast_call,call_outcome,call_accuracy,call_expectation}'::text[]) v;

CREATE SCHEMA crm;
CREATE TABLE crm.deal (id int, owner text, stage text, amount numeric, opened date, closing date);
INSERT INTO crm.deal VALUES (1, 'ann', 'Won', 100, current_date - 40, current_date), (2, 'ann', 'Talk', 50, current_date - 30, current_date), (3, 'bob', 'Talk', NULL, current_date - 20, current_date - 1), (4, 'zoe', 'Talk', 7, current_date - 10, NULL);
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing') \g /dev/null
SELECT spm.add_payee('ann', 'Ann Lee'), spm.add_position('A', 'Seat A'), spm.add_position('bob', 'Seat B'), spm.add_position('top', 'Top') \g /dev/null
SELECT spm.assign_position('A', 'ann', '2020-01-01'), spm.set_manager('A', 'top', '2020-01-01'), spm.set_manager('bob', 'top', '2020-01-01') \g /dev/null
SELECT spm.create_calendar('year', 'year', make_date(extract(year FROM current_date)::int - 1, 1, 1), make_date(extract(year FROM current_date)::int + 1, 1, 1)) \g /dev/null

SELECT results_eq('SELECT opportunity_key, owner_name, position_key, state, is_won, amount, age_day_count, stage_day_count, is_overdue FROM spm_bi.opportunity ORDER BY 1',
    $$VALUES ('1', 'Ann Lee', 'A', 'won', true, 100.000000, 40, NULL, false), ('2', 'Ann Lee', 'A', 'open', false, 50, 30, 30, false), ('3', NULL, 'bob', 'open', false, NULL, 20, 20, true), ('4', NULL, NULL, 'open', false, 7, 10, 10, false)$$,
    'deals have their owner, seat, age and whether they are overdue');
SELECT results_eq('SELECT opportunity_key, defect FROM spm_bi.opportunity_defect ORDER BY 1, defect COLLATE "C"', $$VALUES ('3', 'no amount'), ('3', 'overdue'), ('4', 'no close date'), ('4', 'no seat')$$, 'what makes a forecast wrong is found deal by deal');
INSERT INTO crm.deal VALUES (5, 'ann', 'New stage', 1, current_date, current_date);
SELECT is((SELECT detail FROM spm_bi.opportunity_defect WHERE opportunity_key = '5'), 'SELECT spm.load_sales_stages(''crm'');', 'a stage that is not known, with the call that mends it');
UPDATE crm.deal SET stage = 'Talk', opened = NULL WHERE id = 5;
SELECT results_eq($$SELECT defect FROM spm_bi.opportunity_defect WHERE opportunity_key = '5' AND NOT EXISTS (SELECT FROM spm.deal_odds(current_date + 30) WHERE key = '5')$$, $$VALUES ('no first day')$$,
    'a deal that no forecast counts, since nobody knows how old it is, is named');
DELETE FROM crm.deal WHERE id = 5;
SELECT results_eq($$SELECT position_key, category, own_amount, deal_amount, amount, judgement_amount FROM spm_bi.pipeline_forecast WHERE period_name = extract(year FROM current_date)::text AND category IN ('closed', 'pipeline') AND position_key IN ('A', 'top') ORDER BY 1, 2$$,
    $$VALUES ('A', 'closed', 100.000000, 100.000000, 100.000000, 0.000000), ('A', 'pipeline', 150, 150, 150, 0), ('top', 'closed', 0, 100, 100, 0), ('top', 'pipeline', 0, 150, 150, 0)$$, 'the year that holds today is added up over the tree');
SELECT spm.submit_call('A', extract(year FROM current_date)::text, 175.5) \g /dev/null
SELECT results_eq($$SELECT position_key, own_call_amount, rollup_amount, amount, judgement_amount FROM spm_bi.pipeline_forecast WHERE category = 'commit' AND position_key IN ('A', 'top') ORDER BY 1$$,
    $$VALUES ('A', 175.500000, 100.000000, 175.500000, 75.500000), ('top', NULL, 175.5, 175.5, 75.5)$$, 'calls count, the deals stay beside them');
SELECT results_eq('SELECT position_key, judge_position_key, is_managers, amount, deal_amount, judgement_amount, is_withdrawn, is_last FROM spm_bi.forecast_call', $$VALUES ('A', 'A', false, 175.500000, 100.000000, 75.500000, false, true)$$, 'a call shows what the deals said');
SELECT spm.withdraw_call('A', extract(year FROM current_date)::text) \g /dev/null
SELECT is((SELECT string_agg(is_withdrawn || ' ' || is_last, ', ' ORDER BY forecast_call_id) FROM spm_bi.forecast_call), 'false false, true true', 'and stays when it is taken back');
SELECT is((SELECT sum(amount) FILTER (WHERE step <> 'closing') - sum(amount) FILTER (WHERE step = 'closing') FROM spm_bi.pipeline_waterfall), 0::numeric, 'the last seven days add up');
SELECT spm.take_snapshot() \g /dev/null
SELECT results_eq('SELECT owner_key, stage, deal_count, amount FROM spm_bi.pipeline_trend ORDER BY 1', $$VALUES ('ann', 'Talk', 1::bigint, 50.000000), ('bob', 'Talk', 1, 0), ('zoe', 'Talk', 1, 7)$$, 'open deals are drawn over snapshots');

-- a year that is over: two calls of 80 and 120 where 100 was won, and deals that said nothing
SELECT spm.submit_call('bob', (extract(year FROM current_date) - 1)::text, a, as_of => make_date(extract(year FROM current_date)::int - 1, 12, d)) FROM (VALUES (130, 14), (80, 29)) v(a, d) \g /dev/null
INSERT INTO crm.deal VALUES (6, 'bob', 'Won', 100, make_date(extract(year FROM current_date)::int - 1, 12, 30), make_date(extract(year FROM current_date)::int - 1, 12, 31));
SELECT results_eq('SELECT week_index, amount, deal_amount, actual_amount, error_amount, abs_error_amount, is_backdated FROM spm_bi.call_outcome ORDER BY forecast_call_id', $$VALUES (2, 130.000000, 0.000000, 100.000000, 30.000000, 30.000000, true), (0, 80, 0, 100, -20, 20, true)$$,
    'calls of a year that is over are held against what was won');
SELECT results_eq('SELECT judge_position_key, week_index, call_count, bias_ratio, wape_ratio, deal_wape_ratio, is_better_than_rollup FROM spm_bi.call_accuracy ORDER BY week_index', $$VALUES ('bob', 0, 1::bigint, -0.200000, 0.200000, 1.000000, true), ('bob', 2, 1, 0.3, 0.3, 1, true)$$,
    'how one-sided and how far off, by weeks that were left');

SELECT spm.submit_call('bob', extract(year FROM current_date)::text, 200) \g /dev/null
SELECT results_eq('SELECT position_key, amount, past_count FROM spm_bi.call_expectation', $$VALUES ('bob', 200.000000, 1::bigint)$$, 'and what a call of this year has come to mean');

-- rights
CREATE ROLE analyst;
GRANT USAGE ON SCHEMA spm, spm_bi, crm TO analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA spm, spm_bi TO analyst;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO analyst;
SET LOCAL ROLE analyst;
SELECT throws_ok('SELECT * FROM spm_bi.opportunity', '42501', 'permission denied for table deal', 'who may not read the CRM does not read it through a view');
RESET ROLE;
GRANT SELECT ON crm.deal TO analyst;
SET LOCAL ROLE analyst;
SELECT lives_ok(format('SELECT * FROM spm_bi.%I', v), 'who may reads ' || v)
FROM unnest('{opportunity,opportunity_defect,sales_stage,pipeline_snapshot,pipeline_trend,pipeline_waterfall,pipeline_forecast,forecast_call,call_outcome,call_accuracy,call_expectation}'::text[]) v;
SELECT throws_ok($$SELECT spm.submit_call('A', extract(year FROM current_date)::text, 1)$$, '42501', NULL, 'and calls nothing');
RESET ROLE;
CREATE ROLE job;
GRANT USAGE ON SCHEMA spm, crm TO job;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA spm TO job;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO job;
GRANT SELECT ON crm.deal TO job;
SET LOCAL ROLE job;
SELECT lives_ok('SELECT spm.take_snapshot()', 'a job that may write takes snapshots, without being the owner');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
