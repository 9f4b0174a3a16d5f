-- Forecasts of a generated pipeline with a history of stages.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/twin/pipeline_truth.sql
\set ECHO all
SELECT no_plan();
CALL truth.fill(3, '2020-01-01', 500, 1500, 6, 0.2);
SELECT spm.map_opportunities('crm', 'truth.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'created', close_date => 'closed',
    segment => 'segment', list_amount => 'list_amount') \g /dev/null
SELECT spm.map_stage_history('crm', 'truth.deal_change', opportunity => 'id', entered => 'changed', stage => 'stage', amount => 'amount') \g /dev/null
SELECT spm.set_sales_stage('crm', stage, nth) FROM (VALUES ('qualify', 1), ('discover', 2), ('propose', 3), ('negotiate', 4)) s (stage, nth) \g /dev/null

CREATE TEMP TABLE odds AS SELECT * FROM spm.odds_backtest('2020-11-01', '2021-02-01', 46, 90);
SELECT results_eq('SELECT DISTINCT stage FROM odds ORDER BY 1', $$VALUES ('discover'), ('negotiate'), ('propose'), ('qualify')$$, 'deals are in the stages that the history tells');
SELECT results_eq('SELECT stage FROM odds WHERE age_days < 15 GROUP BY 1 ORDER BY avg(win_probability)', $$VALUES ('qualify'), ('discover'), ('propose'), ('negotiate')$$, 'the later the stage, the better the odds');
SELECT ok(avg(win_probability) / avg(is_won::int) BETWEEN 0.75 AND 1.3, 'as many deals are won as odds say') FROM odds;
SELECT ok(regr_slope(is_won::int, win_probability) BETWEEN 0.75 AND 1.25, 'odds mean what they say') FROM odds;
SELECT cmp_ok(avg(win_probability) FILTER (WHERE is_won), '>', 2 * avg(win_probability) FILTER (WHERE NOT is_won), 'deals that are won had at least twice the odds of others') FROM odds;
-- deals with amounts as history has them: what is won differs from what was known
SELECT ok(won_speed_ratio > 1, 'large deals are lost faster than small ones') FROM (
    SELECT max(lose_speed) FILTER (WHERE level = 'largest 3 %') / max(lose_speed) FILTER (WHERE level = 'smallest 25 %') AS won_speed_ratio
    FROM spm.odds_factors('2021-05-01', '2021-02-01') WHERE factor = 'size') f;
SELECT is(round(sum(won_count)), (SELECT count(*)::numeric FROM truth.deal WHERE stage = 'won' AND closed <= '2021-02-01'), 'odds are learned from every deal that was won')
    FROM spm.odds_factors('2021-05-01', '2021-02-01') WHERE factor = 'segment';
SELECT spm.forecast_pipeline('2021-05-01', '2021-02-01') AS run \gset
SELECT ok((SELECT sum(amount) FROM truth.deal WHERE stage = 'won' AND closed > '2021-02-01' AND closed <= '2021-05-01') BETWEEN q05 AND q95, 'what was won lies within the limits of the total')
    FROM spm_bi.pipeline_outlook WHERE odds_run_id = :run AND kind = 'total';
SELECT ok(new_amount BETWEEN 0.2 * open_amount AND 5 * open_amount, 'deals to come are part of it') FROM spm_bi.pipeline_outlook WHERE odds_run_id = :run AND kind = 'total';
-- close dates that are moved
CALL truth.fill_close_dates(3, '2021-05-15');
CREATE VIEW truth.history AS SELECT id, changed, stage, amount, NULL::date AS close_date FROM truth.deal_change UNION ALL SELECT id, changed, NULL, NULL, close_date FROM truth.close_change;
SELECT spm.map_stage_history('crm', 'truth.history', opportunity => 'id', entered => 'changed', stage => 'stage', amount => 'amount', close_date => 'close_date') \g /dev/null
CREATE TEMP TABLE slip AS
SELECT o.slip_probability AS said, (d.closed IS NULL OR d.closed > m.day + 30) AND c.close_date > m.day + 30 AS slipped
FROM (VALUES (date '2020-11-01'), ('2021-01-10'), ('2021-03-01')) m (day) CROSS JOIN LATERAL spm.deal_odds(m.day + 30, m.day) o
JOIN truth.deal d ON d.id::text = o.key
CROSS JOIN LATERAL (SELECT c.close_date FROM truth.close_change c WHERE c.id = d.id AND c.changed <= m.day + 30 ORDER BY c.changed DESC LIMIT 1) c
WHERE o.slip_probability IS NOT NULL;
SELECT ok(count(*) > 300 AND avg(said) / avg(slipped::int) BETWEEN 0.75 AND 1.3, 'as many close dates move out of the period as odds say') FROM slip;
SELECT ok(regr_slope(slipped::int, said) BETWEEN 0.75 AND 1.25, 'odds of slipping mean what they say') FROM slip;
SELECT cmp_ok(avg((said - slipped::int) ^ 2), '<', 0.85 * var_pop(slipped::int), 'and tell more than one share for all') FROM slip;
-- hopes tell nothing of winning
SELECT ok(bool_and(win_speed BETWEEN 0.8 AND 1.25 AND lose_speed BETWEEN 0.8 AND 1.25), 'close dates that are hopes change no odds to speak of')
    FROM spm.odds_factors('2021-03-03', '2021-02-01') WHERE factor = 'close_date';
-- close dates that mean something
CALL truth.fill_known_dates(3, '2020-01-01', 500, 0.2);
CREATE TEMP TABLE speed AS SELECT * FROM spm.odds_factors('2021-03-03', '2021-02-01') WHERE factor = 'close_date';
SELECT is(count(*)::int, 11, 'there is a row for each place of a day by the close date') FROM speed;
SELECT cmp_ok(max(win_speed) FILTER (WHERE level = 'the week after'), '>', 1.3 * max(win_speed) FILTER (WHERE level = '31 to 60 days before'), 'deals are won near their close date')
    FROM speed;
CREATE TEMP TABLE told AS SELECT * FROM spm.odds_backtest('2020-11-01', '2021-03-20', 20, 30);
SELECT ok(regr_slope(is_won::int, win_probability) BETWEEN 0.8 AND 1.2, 'odds with close dates mean what they say') FROM told;
-- the same deals without
SELECT spm.map_stage_history('crm', 'truth.deal_change', opportunity => 'id', entered => 'changed', stage => 'stage', amount => 'amount') \g /dev/null
CREATE TEMP TABLE untold AS SELECT * FROM spm.odds_backtest('2020-11-01', '2021-03-20', 20, 30);
SELECT cmp_ok((SELECT avg((win_probability - is_won::int) ^ 2) FROM told), '<', (SELECT avg((win_probability - is_won::int) ^ 2) FROM untold), 'and tell more than odds without them');
SELECT is(count(*)::int, 0, 'without close dates there are no such rows') FROM spm.odds_factors('2021-03-03', '2021-02-01') WHERE factor = 'close_date';
-- what was said later is not known
SELECT spm.map_stage_history('crm', 'truth.history', opportunity => 'id', entered => 'changed', stage => 'stage', amount => 'amount', close_date => 'close_date') \g /dev/null
CREATE TEMP TABLE before AS SELECT * FROM spm.deal_odds('2021-03-03', '2021-02-01');
UPDATE truth.close_change SET close_date = close_date + 100 WHERE changed > '2021-02-01';
SELECT results_eq('SELECT key, win_probability, lose_probability FROM before ORDER BY key', $$SELECT key, win_probability, lose_probability FROM spm.deal_odds('2021-03-03', '2021-02-01') ORDER BY key$$,
    'a close date that was said after the day of the forecast changes nothing');
SELECT * FROM finish();
ROLLBACK;
