-- Drawn deals: what snapshots of a CRM tell is what its history tells, every deal's waterfall adds up, and so does every roll-up.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT plan(11);

-- 120 deals over 26 weeks, drawn from a hash: each week some change stage, amount, date, owner or category
CREATE FUNCTION pg_temp.draw(VARIADIC numbers int[]) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT (hashtextextended(array_to_string(numbers, ','), 42) & 1073741823)::int$$;
CREATE SCHEMA crm;
CREATE TABLE crm.history (deal int, on_day date, stage text, amount numeric, closing date, owner text, category text);
INSERT INTO crm.history
WITH RECURSIVE deal AS (
    SELECT i, 0 AS week, pg_temp.draw(i, 1) % 20 AS start, 1 AS stage, 100 + pg_temp.draw(i, 2) % 900 AS amount, pg_temp.draw(i, 3) % 120 AS closing, pg_temp.draw(i, 4) % 8 AS owner, pg_temp.draw(i, 5) % 6 AS category
    FROM generate_series(1, 120) i
    UNION ALL
    SELECT i, week + 1, start,
        CASE WHEN stage > 3 THEN CASE WHEN pg_temp.draw(i, week, 9) % 40 = 0 THEN 2 ELSE stage END WHEN pg_temp.draw(i, week, 6) % 4 = 0 THEN stage + 1 WHEN pg_temp.draw(i, week, 6) % 23 = 1 THEN 5 ELSE stage END,
        CASE WHEN stage < 4 AND pg_temp.draw(i, week, 7) % 5 = 0 THEN amount + pg_temp.draw(i, week, 8) % 400 - 150 ELSE amount END,
        CASE WHEN stage < 4 AND pg_temp.draw(i, week, 10) % 4 = 0 THEN closing + pg_temp.draw(i, week, 11) % 60 - 20 ELSE closing END,
        CASE WHEN pg_temp.draw(i, week, 12) % 11 = 0 THEN pg_temp.draw(i, week, 13) % 8 ELSE owner END,
        CASE WHEN pg_temp.draw(i, week, 14) % 6 = 0 THEN pg_temp.draw(i, week, 15) % 6 ELSE category END
    FROM deal WHERE week < 26
)
SELECT i, date '2021-01-03' + 7 * week, ('{Talk,Try,Buy,Won,Lost}'::text[])[stage], amount, date '2021-01-10' + closing, 'o' || owner, ('{omitted,pipeline,best_case,most_likely,commit,pipeline}'::text[])[category + 1]
FROM deal WHERE week >= start;
CREATE FUNCTION pg_temp.now_is(d date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM crm.deal;
    INSERT INTO crm.deal SELECT DISTINCT ON (deal) deal, min(on_day) OVER (PARTITION BY deal), stage, amount, closing, owner, category FROM crm.history WHERE on_day <= d ORDER BY deal, on_day DESC;
END
$$;
CREATE TABLE crm.deal (id int, opened date, stage text, amount numeric, closing date, owner text, category text);
CREATE VIEW crm.other AS TABLE crm.deal;
SELECT spm.map_opportunities(n, n::regclass, key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category') FROM unnest('{crm.deal,crm.other}'::text[]) n \g /dev/null
SELECT spm.map_stage_history('crm.deal', 'crm.history', 'deal', 'on_day', 'stage', 'amount', 'closing', 'owner', 'category') \g /dev/null
SELECT spm.set_sales_stage(n, s, o, c) FROM unnest('{crm.deal,crm.other}'::text[]) n, (VALUES ('Talk', 1, NULL), ('Try', 2, NULL), ('Buy', 3, 'commit'), ('Won', 4, 'closed')) v(s, o, c) \g /dev/null
SELECT spm.set_sales_stage(n, 'Lost', 5, is_won => false, is_closed => true) FROM unnest('{crm.deal,crm.other}'::text[]) n \g /dev/null
-- a tree of three levels that changes in spring
SELECT spm.add_position(k, k) FROM unnest('{top,a,b,o0,o1,o2,o3,o4,o5,o6}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, m, '2021-01-01') FROM (VALUES ('a', 'top'), ('b', 'top'), ('o0', 'a'), ('o1', 'a'), ('o2', 'a'), ('o3', 'b'), ('o4', 'b'), ('o5', 'o4')) v(k, m) \g /dev/null
SELECT spm.set_manager('o2', 'b', '2021-04-01'), spm.create_calendar('fiscal', 'month', '2021-01-01', '2022-01-01') \g /dev/null

SELECT count(pg_temp.now_is(d)), count(spm.take_snapshot(as_of => d)) FROM (SELECT date '2021-01-03' + 7 * w AS d FROM generate_series(0, 26) w ORDER BY 1) w \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM spm.opportunity_record r JOIN spm.opportunity_source s USING (opportunity_source_id) WHERE s.name = 'crm.other'), '<', (SELECT count(*) * 3 / 4 FROM crm.history), 'snapshots keep changes, not days');

-- Closed deals of the history are known by its rows, of snapshots by theirs; both on the same days here.
SELECT is_empty($$
    SELECT d, key FROM (SELECT d::date FROM generate_series(date '2021-01-01', '2021-07-10', '5 days') d) d, spm.pipeline_on(d) p
    GROUP BY d, key HAVING count(*) <> 2 OR count(DISTINCT (p.owner_key, p.stage, p.amount, p.close_date, p.state, p.category, p.created_on, p.spell_stage, p.position_id)) <> 1
    $$, 'on any day snapshots tell of every deal what the history tells');
-- A snapshot dates a closing that it had not seen before by its close date.
SELECT is_empty($$
    SELECT key, stage, CASE WHEN stage <> 'open' THEN entered_on END, outcome, next_stage, CASE WHEN outcome = 'moved' THEN left_on END FROM spm.stage_spell('2021-07-10') WHERE source = 'crm.deal'
    EXCEPT ALL SELECT key, stage, CASE WHEN stage <> 'open' THEN entered_on END, outcome, next_stage, CASE WHEN outcome = 'moved' THEN left_on END FROM spm.stage_spell('2021-07-10') WHERE source = 'crm.other'
    $$, 'and of every stay in a stage');
SELECT cmp_ok((SELECT count(*) FILTER (WHERE outcome = 'won') + 1000 * count(*) FILTER (WHERE outcome = 'lost') + 1000000 * count(*) FILTER (WHERE outcome = 'moved') FROM spm.stage_spell('2021-07-10') WHERE source = 'crm.deal'), '>', 50010010::bigint, 'of which there are many of each kind');

-- the waterfall, for many pairs of days and periods
CREATE TEMP TABLE move AS
SELECT a, b, p, m.* FROM (VALUES ('2021-01-15'::date, '2021-02-14'::date), ('2021-02-01', '2021-04-20'), ('2021-03-31', '2021-06-30'), ('2021-05-02', '2021-05-09'), ('2020-12-31', '2021-07-10')) v(a, b),
    unnest('{NULL,2021,2021-Q1,2021-Q2,2021-04}'::text[]) p, spm.pipeline_movement(a, b, p) m;
SELECT is_empty($$SELECT a, b, p, source, key FROM move GROUP BY a, b, p, source, key HAVING coalesce(sum(amount) FILTER (WHERE step <> 'closing'), 0) <> coalesce(sum(amount) FILTER (WHERE step = 'closing'), 0)$$, 'every deal adds up between any days in any period');
SELECT is_empty($$SELECT a, b, p, position_id FROM move GROUP BY a, b, p, position_id HAVING coalesce(sum(amount) FILTER (WHERE step <> 'closing'), 0) <> coalesce(sum(amount) FILTER (WHERE step = 'closing'), 0)$$, 'so does every seat, though deals change hands');
CREATE TEMP TABLE deal_then AS SELECT d, p.* FROM (SELECT a FROM move UNION SELECT b FROM move UNION SELECT unnest('{2021-04-01,2021-04-20,2021-05-31,2021-06-30}'::date[])) v(d), spm.pipeline_on(d) p;
SELECT is_empty($$
    SELECT a, b, p, told, won
    FROM (SELECT a, b, p, coalesce(-sum(amount) FILTER (WHERE step = 'won'), 0) AS told FROM move GROUP BY a, b, p) x
    CROSS JOIN LATERAL (SELECT coalesce(sum(o.amount), 0) AS won FROM deal_then o LEFT JOIN deal_then q ON q.d = a AND q.source = o.source AND q.key = o.key
        WHERE o.d = b AND o.state = 'won' AND q.state IS DISTINCT FROM 'won' AND (p IS NULL OR o.closed_on <@ (SELECT span FROM spm.period WHERE name = p))) w
    WHERE told <> won
    $$, 'and what it calls won is what was won in between, in the period');

-- the roll-up with drawn calls, against a twin that walks the tree
SELECT spm.unmap_opportunities('crm.other') \g /dev/null
SELECT count(spm.submit_call(k, '2021-Q2', 500 + pg_temp.draw(i, 20) % 3000, ('{commit,best_case,pipeline}'::text[])[pg_temp.draw(i, 22) % 3 + 1], by => m, reason => 'drawn', as_of => d)) FROM generate_series(1, 40) i,
    LATERAL (SELECT ('{top,a,b,o0,o1,o2,o3,o4,o5,o6}'::text[])[pg_temp.draw(i, 21) % 10 + 1] AS k, date '2021-04-01' + pg_temp.draw(i, 23) % 60 AS d) c,
    LATERAL (SELECT s.position_key AS m FROM (SELECT k AS position_key UNION ALL SELECT h.ancestor_position_key FROM spm_bi.hierarchy h WHERE h.position_key = k AND daterange(h.since, h.until) @> d) s ORDER BY pg_temp.draw(i, length(s.position_key)), 1 LIMIT 1) j \g /dev/null
CREATE FUNCTION pg_temp.number_of(seat int, of_category text, d date) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    said numeric;
    rank constant text[] := '{pipeline,best_case,most_likely,commit,closed}';
BEGIN
    SELECT amount INTO said FROM (SELECT DISTINCT ON (c.judge_position_id) c.judge_position_id, c.amount FROM spm.forecast_call c
        WHERE c.position_id = seat AND c.category = of_category AND c.as_of <= d
            AND (c.judge_position_id = seat OR EXISTS (SELECT FROM spm.position_path x WHERE x.position_id = seat AND x.ancestor_position_id = c.judge_position_id AND x.span @> d))
        ORDER BY c.judge_position_id, c.as_of DESC, c.forecast_call_id DESC) j
    ORDER BY (SELECT count(*) FROM spm.position_path x WHERE x.position_id = j.judge_position_id AND x.span @> d) LIMIT 1;
    RETURN coalesce(said, (SELECT coalesce(sum(amount), 0) FROM deal_then t WHERE t.d = number_of.d AND position_id = seat AND array_position(rank, category) >= array_position(rank, of_category) AND coalesce(closed_on, close_date) BETWEEN '2021-04-01' AND '2021-06-30')
        + (SELECT coalesce(sum(pg_temp.number_of(l.position_id, of_category, d)), 0) FROM spm.reporting_line l WHERE l.manager_position_id = seat AND l.span @> d));
END
$$;
DELETE FROM deal_then WHERE source = 'crm.other';
SELECT is_empty($$SELECT d, position_key, category, amount, pg_temp.number_of(position_id, category, d) FROM unnest('{2021-04-01,2021-04-20,2021-05-31,2021-06-30}'::date[]) d, spm.pipeline_rollup('2021-Q2', d)
    WHERE position_id IS NOT NULL AND amount <> pg_temp.number_of(position_id, category, d)$$, 'a roll-up with many calls is what a walk down the tree says');
SELECT cmp_ok((SELECT count(*) FILTER (WHERE manager_call IS NOT NULL) * 100 + count(*) FILTER (WHERE own_call IS NOT NULL) FROM spm.pipeline_rollup('2021-Q2', '2021-06-30')), '>', 505::bigint, 'of sellers and managers');
CREATE TEMP TABLE whole AS
SELECT d, r.* FROM unnest('{2021-04-01,2021-04-20,2021-05-31,2021-06-30}'::date[] || current_date) d, spm._rollup((SELECT period_id FROM spm.period WHERE name = '2021-Q2'), d, (SELECT forecast_type_id FROM spm.forecast_type)) r;
CREATE TEMP TABLE single AS
SELECT d, r.* FROM unnest('{2021-04-01,2021-04-20,2021-05-31,2021-06-30}'::date[] || current_date) d, spm.position s,
    spm._rollup((SELECT period_id FROM spm.period WHERE name = '2021-Q2'), d, (SELECT forecast_type_id FROM spm.forecast_type), s.position_id) r;
SELECT is_empty('(TABLE whole EXCEPT ALL TABLE single) UNION ALL (TABLE single EXCEPT ALL TABLE whole)' || $$ EXCEPT SELECT * FROM whole WHERE position_id IS NULL$$, 'one seat asked alone, of its own deals, is what it is among all');
SELECT is_empty($$SELECT source_id, key, owner_key, amount, currency_code, close_date, closed_on, state, category FROM spm._pipeline_state(current_date)
    EXCEPT SELECT source_id, key, owner_key, amount, currency_code, close_date, closed_on, state, category FROM spm._pipeline_state(current_date, NULL, false)$$, 'of today the CRM tells all that counts without its history');
SELECT * FROM finish();
ROLLBACK;
