-- The pipeline added up over the tree of seats, what people say instead, and what came of it.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SELECT no_plan();

-- ceo over west and east; west over w1 and w2, east over e1
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id int, owner text, stage text, amount numeric, opened date, closing date, category text);
INSERT INTO crm.deal VALUES (1, 'w1', 'Won', 100, '2020-01-01', '2020-01-20', NULL), (2, 'w1', 'Talk', 50, '2020-01-01', '2020-03-20', 'Commit'), (3, 'w2', 'Talk', 30, '2020-01-01', '2020-03-20', 'Best Case'),
    (4, 'e1', 'Talk', 200, '2020-01-01', '2020-02-20', 'Commit'), (5, 'e1', 'Talk', 7, '2020-01-01', '2020-03-31', 'Pipeline'), (6, 'west', 'Talk', 1000, '2020-01-01', '2020-03-01', 'Commit'),
    (7, 'w1', 'Talk', 5000, '2020-01-01', '2020-04-01', 'Commit'), (8, 'w1', 'Talk', 6000, '2020-01-01', '2020-03-01', 'Omitted'), (9, 'nobody', 'Talk', 3, '2020-01-01', '2020-03-01', 'Most Likely'),
    (10, 'w2', 'Lost', 9999, '2020-01-01', '2020-02-01', NULL);
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category') \g /dev/null
SELECT spm.add_position(k, k) FROM unnest('{ceo,west,east,w1,w2,e1}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, m, '2020-01-01') FROM (VALUES ('west', 'ceo'), ('east', 'ceo'), ('w1', 'west'), ('w2', 'west'), ('e1', 'east')) v(k, m) \g /dev/null
SELECT spm.create_calendar('fiscal', 'month', '2020-01-01', '2021-01-01'), spm.take_snapshot(as_of => '2020-02-01') \g /dev/null
CREATE FUNCTION pg_temp.numbers(of_category text, as_of date DEFAULT '2020-02-01', type text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(coalesce(position_key, '-') || ' ' || amount, ', ' ORDER BY position_key COLLATE "C" NULLS LAST) FROM spm.pipeline_rollup('2020-Q1', as_of, type) WHERE category = of_category
$$;

SELECT results_eq($$SELECT category, own_amount, deal_amount, amount, deal_count FROM spm.pipeline_rollup('2020-Q1', '2020-02-01') WHERE position_key = 'west'$$,
    $$VALUES ('closed', 0::numeric, 100::numeric, 100::numeric, 1::bigint), ('commit', 1000, 1150, 1150, 3), ('most_likely', 1000, 1150, 1150, 3), ('best_case', 1000, 1180, 1180, 4), ('pipeline', 1000, 1180, 1180, 4)$$,
    'each category holds the surer ones as well; other periods, omitted and lost deals do not count');
SELECT is(pg_temp.numbers('commit'), 'ceo 1350, e1 200, east 200, w1 150, w2 0, west 1150, - 0', 'a seat holds its own deals and those of the seats below');
SELECT is(pg_temp.numbers('pipeline'), 'ceo 1387, e1 207, east 207, w1 150, w2 30, west 1180, - 3', 'deals without a seat have a row of their own, so that nothing is lost');

-- calls
SELECT spm.submit_call('w1', '2020-Q1', 120, as_of => '2020-02-01') AS w1 \gset
SELECT is(pg_temp.numbers('commit'), 'ceo 1320, e1 200, east 200, w1 120, w2 0, west 1120, - 0', 'a call counts instead of the deals, all the way up');
SELECT results_eq($$SELECT deal_amount, rollup_amount, own_call, manager_call, amount, judgement FROM spm.pipeline_rollup('2020-Q1', '2020-02-01') WHERE position_key = 'w1' AND category = 'commit'$$,
    $$VALUES (150::numeric, 150::numeric, 120::numeric, NULL::numeric, 120::numeric, -30::numeric)$$, 'beside which the deals stay to be seen');
SELECT is(pg_temp.numbers('best_case'), 'ceo 1380, e1 200, east 200, w1 150, w2 30, west 1180, - 3', 'no other category changes');
SELECT spm.submit_call('w1', '2020-Q1', 110, by => 'west', reason => 'one budget is not approved', as_of => '2020-02-01') \g /dev/null
SELECT is(pg_temp.numbers('commit'), 'ceo 1310, e1 200, east 200, w1 110, w2 0, west 1110, - 0', 'what a manager says goes before what the seat says');
SELECT results_eq($$SELECT own_call, manager_call, judge_key, amount FROM spm.pipeline_rollup('2020-Q1', '2020-02-01') WHERE position_key = 'w1' AND category = 'commit'$$, $$VALUES (120::numeric, 110::numeric, 'west', 110::numeric)$$, 'both are kept');
SELECT spm.submit_call('west', '2020-Q1', 1200, as_of => '2020-02-01') \g /dev/null
SELECT is(pg_temp.numbers('commit'), 'ceo 1400, e1 200, east 200, w1 110, w2 0, west 1200, - 0', 'above a seat that has made its call those below it do not matter');
SELECT results_eq($$SELECT deal_amount, rollup_amount, amount, judgement FROM spm.pipeline_rollup('2020-Q1', '2020-02-01') WHERE position_key = 'west' AND category = 'commit'$$,
    $$VALUES (1150::numeric, 1110::numeric, 1200::numeric, 50::numeric)$$, 'but are still added up beside it');
SELECT spm.submit_call('w1', '2020-Q1', 90, by => 'ceo', reason => 'I know the buyer', as_of => '2020-02-02'), spm.submit_call('ceo', '2020-Q1', 1500, 'best_case', as_of => '2020-02-02') \g /dev/null
SELECT is(pg_temp.numbers('commit', '2020-02-02'), 'ceo 1400, e1 200, east 200, w1 90, w2 0, west 1200, - 0', 'of several judges the highest one counts');
SELECT is(pg_temp.numbers('commit', '2020-02-01') || '; ' || pg_temp.numbers('best_case', '2020-02-02'), 'ceo 1400, e1 200, east 200, w1 110, w2 0, west 1200, - 0; ceo 1500, e1 200, east 200, w1 150, w2 30, west 1180, - 3',
    'from its day on, in its category; a day before is as it was');
SELECT spm.withdraw_call('west', '2020-Q1', as_of => '2020-02-02'), spm.withdraw_call('w1', '2020-Q1', by => 'ceo', reason => 'it was another buyer', as_of => '2020-02-02'), spm.submit_call('w1', '2020-Q1', 105, by => 'west', reason => 'half of it is approved', as_of => '2020-02-02') \g /dev/null
SELECT is(pg_temp.numbers('commit', '2020-02-02'), 'ceo 1305, e1 200, east 200, w1 105, w2 0, west 1105, - 0', 'a call that is taken back leaves the roll-up, the last of a judge counts');
SELECT results_eq($$SELECT amount, rollup_amount, deal_amount, reason, as_of FROM spm.forecast_call WHERE position_id = (SELECT position_id FROM spm.position WHERE position_key = 'w1') ORDER BY forecast_call_id$$,
    $$VALUES (120::numeric, 150::numeric, 150::numeric, NULL, '2020-02-01'::date), (110, 150, 150, 'one budget is not approved', '2020-02-01'), (90, 150, 150, 'I know the buyer', '2020-02-02'), (NULL, 150, 150, 'it was another buyer', '2020-02-02'), (105, 150, 150, 'half of it is approved', '2020-02-02')$$,
    'all that was said is kept, with what the roll-up said');
-- A twin that walks the tree: the number of a seat is its call, or its own deals and the numbers of the seats right below.
CREATE FUNCTION pg_temp.number_of(seat int, of_category text, as_of date) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    said numeric;
    rank constant text[] := '{pipeline,best_case,most_likely,commit,closed}';
BEGIN
    SELECT amount INTO said FROM (SELECT DISTINCT ON (c.judge_position_id) c.judge_position_id, c.amount FROM spm.forecast_call c JOIN spm.period p USING (period_id)
        WHERE c.position_id = seat AND c.category = of_category AND c.as_of <= number_of.as_of AND p.name = '2020-Q1' ORDER BY c.judge_position_id, c.as_of DESC, c.forecast_call_id DESC) j
    WHERE amount IS NOT NULL ORDER BY (SELECT count(*) FROM spm.position_path x WHERE x.position_id = j.judge_position_id) LIMIT 1;
    RETURN coalesce(said, (SELECT coalesce(sum(amount), 0) FROM spm.pipeline_on(as_of) WHERE position_id = seat AND array_position(rank, category) >= array_position(rank, of_category) AND coalesce(closed_on, close_date) BETWEEN '2020-01-01' AND '2020-03-31')
        + (SELECT coalesce(sum(pg_temp.number_of(l.position_id, of_category, as_of)), 0) FROM spm.reporting_line l WHERE l.manager_position_id = seat));
END
$$;
SELECT is_empty($$SELECT d, position_key, category FROM unnest('{2020-02-01,2020-02-02}'::date[]) d, spm.pipeline_rollup('2020-Q1', d) WHERE position_id IS NOT NULL AND amount <> pg_temp.number_of(position_id, category, d)$$, 'a twin that walks the tree says the same');
SELECT spm.add_forecast_type('alone', rollup => 'single') \g /dev/null
SELECT is(pg_temp.numbers('commit', type => 'alone') || '; ' || pg_temp.numbers('pipeline', type => 'alone'), 'ceo 1250, e1 200, east 200, w1 50, w2 0, west 1050, - 0; ceo 7, e1 7, east 7, w1 0, w2 0, west 0, - 0',
    'in a single type a category holds its own deals, and calls of another type do not count');

-- what came of them
SELECT is_empty($$SELECT * FROM spm.call_outcome('2020-03-30')$$, 'a period that is not over has no outcome');
UPDATE crm.deal SET stage = 'Won', amount = amount + 1, closing = '2020-03-15' WHERE id IN (2, 4);
UPDATE crm.deal SET stage = 'Lost', closing = '2020-03-15' WHERE id = 6;
UPDATE crm.deal SET stage = 'Won', closing = '2020-04-15' WHERE id = 3;
SELECT spm.set_manager('e1', 'west', '2020-03-01'), spm.take_snapshot(as_of => '2020-04-20') \g /dev/null
SELECT results_eq($$SELECT s.position_key, j.position_key, o.depth, o.category, o.days_left, o.amount, o.actual_amount, o.error, o.rollup_error, o.deal_error
    FROM spm.call_outcome('2020-04-20') o JOIN spm.position s USING (position_id) JOIN spm.position j ON j.position_id = judge_position_id ORDER BY forecast_call_id$$,
    $$VALUES ('w1', 'w1', 2, 'commit', 59, 120::numeric, 151::numeric, -31::numeric, -1::numeric, -1::numeric), ('w1', 'west', 2, 'commit', 59, 110, 151, -41, -1, -1), ('west', 'west', 1, 'commit', 59, 1200, 352, 848, 758, 798),
        ('w1', 'ceo', 2, 'commit', 58, 90, 151, -61, -1, -1), ('ceo', 'ceo', 0, 'best_case', 58, 1500, 352, 1148, 1028, 1028), ('w1', 'west', 2, 'commit', 58, 105, 151, -46, -1, -1)$$,
    'each call is held against what was won in the period, by the tree of its last day, beside what roll-up and deals had said');
SELECT is((SELECT string_agg(actual_amount::text, ' ' ORDER BY forecast_call_id) FROM spm.call_outcome('2020-03-31')), '100 100 100 100 100 100', 'what is known decides');
SELECT spm.submit_call('w1', '2020-Q1', 60, as_of => '2020-02-02', forecast_type => 'alone') \g /dev/null
SELECT is((SELECT actual_amount FROM spm.call_outcome('2020-04-20') o JOIN spm.forecast_type t USING (forecast_type_id) WHERE t.name = 'alone'), 51::numeric, 'in a single type only what closed after the call');

-- what is refused
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 1, by => 'e1', reason => 'x', forecast_type => 'default')$$, '22023', NULL, 'who is not above a seat does not judge it');
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 1, by => 'west', forecast_type => 'default')$$, '22023', 'judging the number of another seat needs a reason', 'and nobody without a reason');
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 1)$$, '22023', 'there is more than one forecast type', 'of several types one is named');
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 1, forecast_type => 'x')$$, '42704', 'forecast type "x" does not exist', 'that is there');
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 'NaN', forecast_type => 'default')$$, '22023', 'amount of a call cannot be NaN', 'what is no number is no call');
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 1, 'closed', forecast_type => 'default')$$, '22023', 'a call cannot be of category "closed"', 'what is closed is known');
SELECT throws_ok($$SELECT spm.submit_call('w1', '2020-Q1', 1, as_of => 'infinity', forecast_type => 'default')$$, '22023', 'a call cannot count from infinity', 'nobody calls from tomorrow');
SELECT throws_ok($$SELECT spm.withdraw_call('w2', '2020-Q1', forecast_type => 'default')$$, '22023', '"w2" has made no call on "w2" for 2020-Q1', 'what was not said is not taken back');
SELECT throws_ok($$UPDATE spm.forecast_call SET amount = 1$$, '55000', 'rows of spm.forecast_call are never changed', 'what was said is not changed');
SELECT throws_ok($$DELETE FROM spm.forecast_call$$, '55000', 'rows of spm.forecast_call are never changed', 'or forgotten');
SELECT throws_ok($$SELECT spm.add_forecast_type('y', rollup => 'both')$$, '22023', 'rollup must be single or cumulative, not "both"', 'there are two ways of adding up');
CREATE ROLE seller;
GRANT USAGE ON SCHEMA spm TO seller;
GRANT SELECT, INSERT ON spm.forecast_call TO seller;
SET LOCAL SESSION AUTHORIZATION seller;
SELECT throws_ok($$INSERT INTO spm.forecast_call (forecast_type_id, position_id, judge_position_id, period_id, category, as_of, amount, recorded_by) SELECT forecast_type_id, position_id, judge_position_id, period_id, category, as_of, 1, 'ceo' FROM spm.forecast_call LIMIT 1$$,
    '42501', NULL, 'nobody calls in the name of another');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
ROLLBACK;
