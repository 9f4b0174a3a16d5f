-- Scores, segments, potential and odds.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();
CREATE SCHEMA crm;

-- inequality
SELECT is((SELECT spm.gini(v) FROM unnest('{1,1,2}'::int[]) v), 1 / 6.0::float8, 'of 1, 1 and 2 the mean difference is 2/3 x 2/3, twice the mean 8/3');
SELECT is((SELECT spm.gini(v) FROM unnest('{0,0,0,8}'::numeric[]) v), 0.75::float8, 'where one of four has it all it is three quarters');
SELECT is((SELECT spm.gini(v) FROM unnest('{5,5,5,NULL,5}'::int[]) v), 0::float8, 'where all have the same it is zero, and NULL is nobody');
SELECT is((SELECT spm.gini(v) FROM unnest('{0,0}'::int[]) v), 0::float8, 'also where all have nothing');
SELECT is((SELECT spm.gini(v::float8) FROM unnest('{}'::int[]) v), NULL::float8, 'of nobody there is none');
CREATE TABLE crm.sample AS
SELECT i, (i * 7919 % 1009)::float8 AS x, (i * 104729 % 997 / 10.0)::float8 AS z, (i * 15485863::bigint % 1000) < 300 + 400 * (i * 7919 % 1009) / 1009 AS won
FROM generate_series(1, 5000) i;
SELECT is((SELECT round(spm.gini(x)::numeric, 12) FROM crm.sample WHERE i <= 300),
    (SELECT round((sum(abs(a.x - b.x)) / (2 * 300 * 300 * (SELECT avg(x) FROM crm.sample WHERE i <= 300)))::numeric, 12) FROM crm.sample a, crm.sample b WHERE a.i <= 300 AND b.i <= 300),
    'always the mean difference of all pairs over twice the mean');

-- how well a score tells
SELECT is((SELECT spm.auc(w, s) FROM (VALUES (true, 3), (true, 1), (false, 2), (false, 0)) t(w, s)), 0.75::float8, 'three of four pairs are told apart');
SELECT is((SELECT spm.auc(w, 1) FROM (VALUES (true), (true), (false)) t(w)), 0.5::float8, 'a tie is half a chance');
SELECT is((SELECT spm.auc(w, 1) FROM (VALUES (true), (true), (NULL)) t(w)), NULL::float8, 'without both outcomes there is nothing to tell');

-- natural breaks
SELECT is((SELECT spm.natural_breaks(v, 3) FROM unnest('{11,1,30,2,10,30}'::int[]) v), '{10,30}'::float8[], 'what is close stays together');
SELECT is((SELECT spm.natural_breaks(v, 5) FROM unnest('{4,4,9}'::int[]) v), '{9}'::float8[], 'two values make no more than two classes');
SELECT is((SELECT spm.natural_breaks(v, 1) FROM unnest('{4,9}'::int[]) v), '{}'::float8[], 'one class has no cut');
SELECT is(width_bucket(10::float8, '{10,30}'::float8[]), 1, 'a cut is the lowest value of its class');
-- every way to cut 40 values in three
CREATE FUNCTION pg_temp.least_squares(n int) RETURNS numeric LANGUAGE sql AS $$
    WITH v AS (SELECT DISTINCT x::numeric AS x FROM crm.sample WHERE i <= n)
    SELECT min(s) FROM (
        SELECT (SELECT coalesce(sum(q), 0) FROM (SELECT sum(y.x * y.x) - sum(y.x) ^ 2 / count(*) AS q FROM crm.sample AS w, LATERAL (SELECT w.x::numeric) y(x)
                WHERE w.i <= n GROUP BY width_bucket(w.x::numeric, ARRAY[a.x, b.x])) p) AS s
        FROM v a JOIN v b ON a.x < b.x) t
$$;
SELECT is((SELECT round(sum(q)::numeric, 6) FROM (SELECT sum((x - m) ^ 2) AS q FROM (
        SELECT x, avg(x) OVER (PARTITION BY width_bucket(x, c)) AS m FROM crm.sample, (SELECT spm.natural_breaks(x, 3) AS c FROM crm.sample WHERE i <= 40) b WHERE i <= 40) u) w),
    round(pg_temp.least_squares(40), 6), 'no other two cuts leave less within the classes');

-- odds: 30 of 40 with, 10 of 40 without
CREATE TABLE crm.two AS SELECT n <= 30 AS won, 1 AS visit FROM generate_series(1, 40) n UNION ALL SELECT n <= 10, 0 FROM generate_series(1, 40) n;
SELECT is((SELECT ARRAY(SELECT round(c::numeric, 12) FROM unnest((f).coefficients) c) FROM (SELECT spm.logistic_regression(won, ARRAY[visit]) FROM crm.two) r(f)),
    ARRAY[round(-ln(3.0), 12), round(ln(9.0), 12)], 'odds of 1 : 3, times 9 with a visit');
SELECT is((SELECT ARRAY(SELECT round(c::numeric, 12) FROM unnest((f).standard_errors) c) FROM (SELECT spm.logistic_regression(won, ARRAY[visit]) FROM crm.two) r(f)),
    ARRAY[round(sqrt(1 / 10.0 + 1 / 30.0), 12), round(sqrt(2 / 10.0 + 2 / 30.0), 12)], 'with standard errors of the root of the sum of reciprocals');
SELECT is((SELECT round((f).null_log_likelihood::numeric, 10) FROM (SELECT spm.logistic_regression(won, ARRAY[visit]) FROM crm.two) r(f)), round(-80 * ln(2.0), 10), 'knowing nothing, 80 coins');
SELECT is((SELECT round((f).log_likelihood::numeric, 10) FROM (SELECT spm.logistic_regression(won, ARRAY[visit]) FROM crm.two) r(f)),
    round(60 * ln(0.75) + 20 * ln(0.25), 10), 'knowing visits, three in four are right');
SELECT is(round(spm.logistic_predict((f).coefficients, ARRAY[1])::numeric, 12), 0.75, 'and so the chance with a visit is three in four')
FROM (SELECT spm.logistic_regression(won, ARRAY[visit]) FROM crm.two) r(f);
SELECT is(spm.logistic_predict('{0,1}', ARRAY[NULL]::float8[]), NULL::float8, 'what is not known is not foretold');
CREATE TABLE crm.fit AS SELECT spm.logistic_regression(won, ARRAY[x, z]) AS f FROM crm.sample;
SELECT is((SELECT (f).row_count FROM crm.fit), 5000::bigint, 'two factors that are no whole numbers');
SELECT results_eq($$SELECT abs(sum(won::int - p)) < 1e-6, abs(sum((won::int - p) * x)) < 1e-4, abs(sum((won::int - p) * z)) < 1e-4
    FROM (SELECT s.*, spm.logistic_predict((f).coefficients, ARRAY[x, z]) AS p FROM crm.sample s, crm.fit) t$$,
    $$VALUES (true, true, true)$$, 'where the likelihood is highest, what happened and what was expected balance in every factor: only there');
SELECT is((SELECT f FROM crm.fit)::text, (SELECT spm.logistic_regression(won, ARRAY[x, z] ORDER BY z, i DESC)::text FROM crm.sample), 'the order of rows changes no digit');
SELECT is((SELECT ((f).coefficients)[2] > 0.0015 AND abs(((f).coefficients)[3]) < 3 * ((f).standard_errors)[3] FROM crm.fit), true, 'it finds what made the outcomes, and not what did not');
SELECT is((SELECT spm.logistic_regression(won, CASE WHEN visit >= 0 THEN ARRAY[visit, NULL] END) FROM crm.two), NULL::spm.logistic_fit, 'rows with a NULL are left out');
SELECT cmp_ok((SELECT (f).coefficients[2] FROM (SELECT spm.logistic_regression(won, ARRAY[visit], 20) FROM crm.two) r(f)), '<', ln(9.0)::float8, 'a ridge holds coefficients back');

-- in parallel
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line LIKE '%Partial Aggregate%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
SELECT ok(pg_temp.is_partial('SELECT ' || a || ' FROM crm.sample'), 'workers share the work of ' || a)
FROM unnest('{"spm.gini(x)","spm.auc(won, x)","spm.natural_breaks(x, 4)","spm.logistic_regression(won, ARRAY[x, z])","spm.logistic_regression(won, ARRAY[x, z], 1)"}'::text[]) a;
SELECT is((SELECT spm.logistic_regression(won, ARRAY[x, z])::text FROM crm.sample), (SELECT f FROM crm.fit)::text, 'and give the same to the last digit');
SELECT is((SELECT ARRAY[spm.gini(x), spm.auc(won, x)] || spm.natural_breaks(x, 4) FROM crm.sample),
    (SELECT ARRAY[spm.gini(x ORDER BY i), spm.auc(won, x ORDER BY i)] || spm.natural_breaks(x, 4 ORDER BY i) FROM crm.sample), 'so do the others');
RESET ALL; SET client_min_messages = warning;

-- what these refuse
SELECT throws_ok(format('SELECT %s FROM crm.two', c), '22023', m, m) FROM (VALUES
    ('spm.gini(-visit)', 'value must not be negative'),
    ('spm.gini(''Infinity''::float8)', 'value cannot be infinite'),
    ('spm.auc(won, ''NaN''::float8)', 'score cannot be NaN'),
    ('spm.natural_breaks(visit, 0)', 'numbers cannot be divided into 0 classes'),
    ('spm.natural_breaks(visit, NULL)', 'number of classes is missing'),
    ('spm.natural_breaks(visit, 2 + visit)', 'number of classes must be the same for all rows'),
    ('spm.logistic_regression(true, ARRAY[visit])', 'all outcomes are the same'),
    ('spm.logistic_regression(won, ARRAY[visit, 3])', 'factor 2 is the same in all rows'),
    ('spm.logistic_regression(won, ARRAY[visit, 1 - visit])', 'factor 2 follows from the factors before it'),
    ('spm.logistic_regression(visit = 1, ARRAY[visit])', 'the factors tell some outcomes for certain'),
    ('spm.logistic_regression(won, ARRAY[visit], -1)', 'ridge must be a number that is not negative'),
    ('spm.logistic_regression(won, ARRAY[visit], visit)', 'ridge must be the same for all rows'),
    ('spm.logistic_regression(won, CASE visit WHEN 1 THEN ARRAY[1, 2] ELSE ARRAY[1] END)', 'all rows must have the same number of factors'),
    ('spm.logistic_regression(won, ''{}'')', 'a regression cannot have 0 factors'),
    ('spm.logistic_regression(won, ARRAY[''NaN''::float8])', 'factor 1 cannot be NaN')) t(c, m);
SELECT throws_ok($$SELECT spm.logistic_predict('{1,2}', '{1,2}')$$, '22023', 'there must be one coefficient more than factors', 'coefficients must fit the factors');
SELECT lives_ok($$SELECT spm.logistic_regression(visit = 1, ARRAY[visit], 1) FROM crm.two$$, 'what is told for certain bears with a ridge');

-- segments: revenue counts twice
CREATE TABLE crm.account (account_id text, revenue numeric, employees int, last_order date, is_partner boolean);
INSERT INTO crm.account VALUES ('a', 100, 10, '2026-01-01', true), ('b', 200, 20, '2026-02-01', false), ('c', 300, NULL, '2026-03-01', false),
    ('d', 300, 5, NULL, true), ('e', 1000, 500, '2025-01-01', NULL), ('f', NULL, NULL, NULL, NULL);
CREATE FUNCTION pg_temp.members(segmentation text, day date) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(account_key || segment_name, ' ' ORDER BY account_key) FROM spm_bi.segment_member WHERE segmentation_name = segmentation AND start_day <= day AND coalesce(end_day > day, true)
$$;
SELECT spm.add_segmentation('tier', 'crm.account', 'account_id', '{revenue,employees}', '{A,B,C}', 'count', '{0.2,0.5}', weights => '{2,1}') \g /dev/null
SELECT results_eq($$SELECT * FROM spm.explain_segment('tier', 'd')$$,
    $$VALUES ('revenue', 300::numeric, 60::numeric, 2::numeric, 40::numeric), ('employees', 5, 12.5, 1, 4.166667), ('score', 44.166667, NULL, NULL, 44.166667)$$,
    'a percentile is the share that has less, and half of those that have the same: 300 is more than two of five and like two');
SELECT results_eq($$SELECT * FROM spm.segment_accounts('tier', '2026-01-01', dry_run => true)$$,
    $$VALUES ('A', 1::bigint, 0::bigint, 1::bigint, 0::bigint, 89.166667), ('B', 2, 0, 2, 0, 40.833333), ('C', 2, 0, 2, 0, 19.166667)$$, 'trying tells: the best 20 %, the next 30 %, the rest');
SELECT is((SELECT count(*) FROM spm.segment_member), 0::bigint, 'and writes nothing');
SELECT spm.segment_accounts('tier', '2026-01-01') \g /dev/null
SELECT is(pg_temp.members('tier', '2026-01-01'), 'aC bB cC dB eA', 'who has no number at all has no segment');
SELECT is(spm.segment_of('e', 'tier', '2025-12-31'), NULL, 'nor has anybody on the day before');
SELECT is((SELECT sum(gained + lost) FROM spm.segment_accounts('tier', '2026-01-01')), 0::numeric, 'the same again changes nothing');
SELECT is((SELECT count(*) FROM spm.segmentation_run), 1::bigint, 'and is not recorded');
UPDATE crm.account SET revenue = 5000 WHERE account_id = 'a';
SELECT results_eq($$SELECT segment, accounts, accounts_before, gained, lost FROM spm.segment_accounts('tier', '2026-02-01')$$,
    $$VALUES ('A', 1::bigint, 1::bigint, 0::bigint, 0::bigint), ('B', 2, 2, 1, 1), ('C', 2, 2, 1, 1)$$, 'when revenue has changed, two accounts change places');
SELECT is(pg_temp.members('tier', '2026-02-01') || ', before ' || pg_temp.members('tier', '2026-01-31'), 'aB bC cC dB eA, before aC bB cC dB eA', 'from that day on, and what was before stays');
SELECT is((SELECT count(*) FROM spm.segment_member), 7::bigint, 'only what changes is written');
SELECT spm.set_segment('tier', 'b', 'A', '2026-02-01', 'strategic'), spm.set_segment('tier', 'g', 'B', '2026-04-01') \g /dev/null
DELETE FROM crm.account WHERE account_id = 'e';
SELECT spm.segment_accounts('tier', '2026-03-01') \g /dev/null
SELECT is(pg_temp.members('tier', '2026-03-01') || ', before ' || pg_temp.members('tier', '2026-02-01'), 'aA bA cC dB, before aB bA cC dB eA', 'what was set by hand stays, who is gone has none, and another is best now');
SELECT spm.release_segment('tier', 'b', '2026-05-01') \g /dev/null
SELECT spm.segment_accounts('tier', '2026-05-01') \g /dev/null
SELECT is(pg_temp.members('tier', '2026-05-01'), 'aA bC cC dB gB', 'once released it goes by its score again');
SELECT results_eq($$SELECT segment_name, accounts, manual_accounts, share_of_accounts, lowest_score FROM spm_bi.segment WHERE segmentation_name = 'tier' ORDER BY segment_rank$$,
    $$VALUES ('A', 1::bigint, 0::bigint, 0.2, 75::numeric), ('B', 2, 1, 0.4, 38.888889), ('C', 2, 0, 0.4, 33.333333)$$, 'BI sees how many are where');

-- a rule asks for a segment
CREATE VIEW crm.account_tier AS SELECT a.account_id, a.revenue, spm.segment_of(a.account_id, 'tier', '2026-05-01') AS tier FROM crm.account a;
SELECT spm.add_territory_model('2026', 'crm.account_tier', key => 'account_id', potential => 'revenue') \g /dev/null
SELECT spm.add_territory_attribute('2026', 'tier'), spm.add_territory('2026', 'KEY'), spm.add_territory('2026', 'REST') \g /dev/null
SELECT spm.add_territory_rule('KEY', '{"tier": "A"}'), spm.add_territory_rule('REST', '{"tier": {"not": ["A"]}}') \g /dev/null
SELECT is((SELECT string_agg(a.account_id || coalesce(t.territory_key, '-'), ' ' ORDER BY a.account_id) FROM crm.account_tier a
    LEFT JOIN spm.territory t ON t.territory_id = spm.territory_of(a, '2026-05-01')), 'aKEY bREST cREST dREST f-', 'the best account has a territory of its own');

-- other ways to score and to band
SELECT spm.add_segmentation('abc', 'crm.account', 'account_id', '{revenue}', '{A,B,C}', 'sum', '{0.8,0.95}', scales => '{value}') \g /dev/null
SELECT spm.segment_accounts('abc', '2026-01-01') \g /dev/null
SELECT is(pg_temp.members('abc', '2026-01-01'), 'aA bC cB dB', 'ABC: 5,000 of 5,800 come first, 300 twice before 95 % are reached, then the rest');
SELECT spm.add_segmentation('recent', 'crm.account', 'account_id', '{last_order,is_partner}', '{near,far}', 'floors', '{50}', scales => '{percentile,value}', weights => '{100,1}', lower_is_better => '{last_order}') \g /dev/null
SELECT spm.segment_accounts('recent', '2026-01-01') \g /dev/null
SELECT is(pg_temp.members('recent', '2026-01-01'), 'anear bfar cfar dfar', 'floors: dates count as days, and the earlier is better when it is said');
SELECT spm.add_segmentation('z', 'crm.account', 'account_id', '{revenue}', '{high,low}', scales => '{standard}') \g /dev/null
SELECT spm.segment_accounts('z', '2026-01-01') \g /dev/null
SELECT results_eq($$SELECT account_key, score FROM spm.segment_member WHERE segmentation_id = (SELECT segmentation_id FROM spm.segmentation WHERE name = 'z') ORDER BY 1$$,
    $$SELECT account_id, round(50 + 10 * (revenue - avg(revenue) OVER ()) / stddev_pop(revenue) OVER (), 6) FROM crm.account WHERE revenue IS NOT NULL ORDER BY 1$$, 'standard scores: 50, and 10 for each standard deviation');
SELECT is(pg_temp.members('z', '2026-01-01'), 'ahigh blow clow dlow', 'natural breaks keep apart what is far');

-- a margin keeps accounts from going back and forth
CREATE TABLE crm.lead (lead_id int, points int);
INSERT INTO crm.lead VALUES (1, 60), (2, 40);
SELECT spm.add_segmentation('heat', 'crm.lead', 'lead_id', '{points}', '{hot,cold}', 'floors', '{50}', scales => '{value}', margin => 5) \g /dev/null
SELECT spm.segment_accounts('heat', '2026-01-01') \g /dev/null
UPDATE crm.lead SET points = CASE lead_id WHEN 1 THEN 47 ELSE 53 END;
SELECT spm.segment_accounts('heat', '2026-01-02') \g /dev/null
SELECT is(pg_temp.members('heat', '2026-01-02'), '1hot 2cold', 'three points past the limit are within a margin of five');
UPDATE crm.lead SET points = 100 - points + CASE lead_id WHEN 1 THEN -10 ELSE 10 END;
SELECT spm.segment_accounts('heat', '2026-01-03') \g /dev/null
SELECT is((SELECT string_agg(points::text, ' ' ORDER BY lead_id) FROM crm.lead) || ': ' || pg_temp.members('heat', '2026-01-03'), '43 57: 1cold 2hot', 'seven points are not');

-- a naive twin: 400 accounts with ties and gaps, each compared with each
CREATE TABLE crm.many AS SELECT i AS id, nullif(i * 37 % 23, 7) AS x, nullif((i * 61 % 101) / 7.0, 0) AS y FROM generate_series(1, 400) i;
CREATE TABLE crm.twin AS
SELECT a.id, round((3 * coalesce(a.px, 0) + coalesce(a.py, 0)) / 4, 6) AS score
FROM (SELECT m.*, (SELECT 100.0 * (count(*) FILTER (WHERE o.x < m.x) + count(*) FILTER (WHERE o.x = m.x) / 2.0) / count(o.x) FROM crm.many o) * CASE WHEN m.x IS NOT NULL THEN 1 END AS px,
          (SELECT 100.0 * (count(*) FILTER (WHERE o.y > m.y) + count(*) FILTER (WHERE o.y = m.y) / 2.0) / count(o.y) FROM crm.many o) * CASE WHEN m.y IS NOT NULL THEN 1 END AS py
      FROM crm.many m) a WHERE num_nonnulls(a.x, a.y) > 0;
SELECT spm.add_segmentation('by ' || b, 'crm.many', 'id', '{x,y}', '{A,B,C,D}', b, l, weights => '{3,1}', lower_is_better => '{y}')
FROM (VALUES ('floors', '{70,50,20}'::numeric[]), ('count', '{0.1,0.4,0.7}'), ('sum', '{0.3,0.6,0.9}')) v(b, l) \g /dev/null
SELECT spm.segment_accounts('by ' || b, '2026-01-01') FROM unnest('{floors,count,sum}'::text[]) b \g /dev/null
CREATE FUNCTION pg_temp.differs(segmentation text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        SELECT t.id::text AS account_key, t.score, CASE segmentation
            WHEN 'by floors' THEN CASE WHEN t.score >= 70 THEN 'A' WHEN t.score >= 50 THEN 'B' WHEN t.score >= 20 THEN 'C' ELSE 'D' END
            ELSE CASE WHEN s.better < 0.1 * s.c + 0.3 * s.s THEN 'A' WHEN s.better < 0.4 * s.c + 0.6 * s.s THEN 'B' WHEN s.better < 0.7 * s.c + 0.9 * s.s THEN 'C' ELSE 'D' END END AS segment_name
        FROM crm.twin t, LATERAL (
            SELECT CASE segmentation WHEN 'by count' THEN count(*) FILTER (WHERE o.score > t.score) ELSE coalesce(sum(o.score) FILTER (WHERE o.score > t.score), 0) END AS better,
                CASE segmentation WHEN 'by count' THEN count(*) ELSE 0 END AS c, CASE segmentation WHEN 'by sum' THEN sum(o.score) ELSE 0 END AS s FROM crm.twin o) s) naive
    FULL JOIN (SELECT m.* FROM spm_bi.segment_member m WHERE m.segmentation_name = segmentation) mine USING (account_key)
    WHERE (naive.score, naive.segment_name) IS DISTINCT FROM (mine.score, mine.segment_name)
$$;
SELECT is(pg_temp.differs('by ' || b), 0::bigint, 'every score and segment is that of comparing each account with each: ' || b) FROM unnest('{floors,count,sum}'::text[]) b;
SELECT ok((SELECT count(DISTINCT segment_name) = 12 FROM (SELECT segmentation_name || segment_name FROM spm_bi.segment_member WHERE segmentation_name LIKE 'by %') t(segment_name)), 'in all four segments of each');

-- names that need quotes
CREATE SCHEMA "My S";
CREATE TABLE "My S"."Acc %I" AS SELECT i AS "Key ""x", i::real AS "Rev $1", (i % 7)::smallint AS "emp%s" FROM generate_series(1, 50) i;
SELECT spm.add_segmentation('w''x "%s"', '"My S"."Acc %I"', 'Key "x', ARRAY['Rev $1', 'emp%s'], ARRAY['A''', 'B %s'], 'count', '{0.3}') \g /dev/null
SELECT is((SELECT string_agg(segment || accounts, ' ') FROM spm.segment_accounts('w''x "%s"', '2026-01-01')), 'A''15 B %s35', 'any names will do');
SELECT is((SELECT count(*) FROM spm.explain_segment('w''x "%s"', '50')), 3::bigint, 'for explanations, too');
SELECT is((SELECT count(DISTINCT cell) FROM spm.peer_potential('"My S"."Acc %I"', 'Key "x', 'emp%s', cells => ARRAY['emp%s'])), 7::bigint, 'and for potential');
DROP TABLE "My S"."Acc %I";
SELECT throws_ok($$SELECT spm.segment_accounts('w''x "%s"', '2026-02-01')$$, '42P01', NULL, 'a relation that has gone is refused');

-- what segments refuse
CREATE FUNCTION pg_temp.refused(columns text, segments text, more text) RETURNS text LANGUAGE sql AS $$
    SELECT format($q$SELECT spm.add_segmentation('x', 'crm.account', 'account_id', %L, %L%s)$q$, columns, segments, more)
$$;
SELECT throws_ok(pg_temp.refused(c, s, m), e, t, t) FROM (VALUES
    ('{}', '{A,B}', '', '22023', 'a score needs columns, each named once'),
    ('{revenue,revenue}', '{A,B}', '', '22023', 'a score needs columns, each named once'),
    ('{revenues}', '{A,B}', '', '42703', 'column "revenues" of crm.account does not exist'),
    ('{account_id}', '{A,B}', '', '42804', 'column "account_id" of crm.account has type text, which cannot be columns'),
    ('{revenue}', '{A}', '', '22023', 'a segmentation needs 2 to 100 segments of different names'),
    ('{revenue}', '{A,A}', '', '22023', 'a segmentation needs 2 to 100 segments of different names'),
    ('{revenue}', '{A,B}', $$, 'deciles'$$, '22023', 'there are no bands by "deciles"'),
    ('{revenue}', '{A,B}', $$, 'natural', '{1}'$$, '22023', 'natural bands have no limits'),
    ('{revenue}', '{A,B,C}', $$, 'floors', '{50}'$$, '22023', '3 segments need 2 limits, not 1'),
    ('{revenue}', '{A,B,C}', $$, 'floors', '{50,80}'$$, '22023', 'limits {50,80} are not in order'),
    ('{revenue}', '{A,B,C}', $$, 'sum', '{0.8,1}'$$, '22023', 'limits {0.8,1} are not in order'),
    ('{revenue}', '{A,B}', $$, weights => '{1,2}'$$, '22023', '1 columns need as many weights and scales'),
    ('{revenue}', '{A,B}', $$, weights => '{0}'$$, '22023', 'weights {0} are not all greater than 0'),
    ('{revenue}', '{A,B}', $$, scales => '{log}'$$, '22023', 'scales {log} are not all known'),
    ('{revenue}', '{A,B}', $$, lower_is_better => '{employees}'$$, '22023', 'lower_is_better names a column that is not scored'),
    ('{revenue}', '{A,B}', $$, margin => -1$$, '22023', 'margin cannot be -1')) v(c, s, m, e, t);
SELECT throws_ok($$SELECT spm.add_segmentation('tier', 'crm.account', 'account_id', '{revenue}', '{A,B}')$$, '42710', 'segmentation "tier" already exists', 'a name is taken once');
SELECT throws_ok($$SELECT spm.segment_accounts('tiers')$$, '42704', 'segmentation "tiers" does not exist', 'a segmentation that is not there is refused');
SELECT throws_ok($$SELECT spm.segment_accounts('tier', '2026-01-01')$$, '22023', 'segmentation "tier" was made as of 2026-05-01 already', 'what was is not divided again');
SELECT throws_ok($$SELECT spm.set_segment('tier', 'a', 'D')$$, '42704', 'segment "D" does not exist', 'nobody is put into a segment that is not there');
SELECT throws_ok($$SELECT spm.release_segment('tier', 'a', '2026-06-01')$$, '42704', 'account "a" is in no segment by hand on 2026-06-01', 'nor released from none');
SELECT throws_ok($$SELECT spm.explain_segment('tier', 'f')$$, '42704', 'account "f" has no score in segmentation "tier"', 'nor explained without a score');
INSERT INTO crm.account VALUES ('d', 1), ('h', -7);
SELECT throws_ok($$SELECT spm.segment_accounts('abc', '2026-06-01')$$, '22023', 'account "d" is in crm.account 2 times', 'an account has one row');
DELETE FROM crm.account WHERE revenue = 1;
SELECT throws_ok($$SELECT spm.segment_accounts('abc', '2026-06-01')$$, '22023', 'account "h" has the score -7.000000, and a share of a sum cannot be negative', 'what is shared is not negative');
UPDATE crm.account SET revenue = 'NaN' WHERE account_id = 'h';
SELECT throws_ok($$SELECT spm.segment_accounts('abc', '2026-06-01')$$, '22023', 'account "h" has no finite number in "revenue"', 'what is not a number is no score');
UPDATE crm.account SET revenue = NULL;
SELECT throws_ok($$SELECT spm.segment_accounts('abc', '2026-06-01')$$, '22023', 'no account of crm.account has a score', 'an empty load takes nobody''s segment away');
ALTER TABLE crm.account DROP COLUMN revenue CASCADE;
SELECT throws_ok($$SELECT spm.segment_accounts('abc', '2026-06-01')$$, '42703', 'column "revenue" of crm.account does not exist', 'a column that has gone is named');

-- recency, frequency, monetary value
CREATE TABLE crm.deal (account int, day date, amount numeric);
INSERT INTO crm.deal SELECT 1 + i % 10, date '2026-01-01' + (i * 37) % 180, i FROM generate_series(1, 55) i;
SELECT results_eq($$SELECT account_key, last_day, frequency, monetary, recency_band FROM spm.rfm('crm.deal', 'account', 'day', 'amount', as_of => '2026-06-30') ORDER BY account_key::int$$,
    $$SELECT account::text, max(day), count(*), sum(amount), ntile(5) OVER (ORDER BY max(day)) FROM crm.deal d GROUP BY d.account ORDER BY d.account$$, 'where all are different, bands are those of ntile');
SELECT is((SELECT string_agg(bands_text, ' ' ORDER BY account_key) FROM spm.rfm('crm.deal', 'account', 'day', 'amount', as_of => '2026-06-30', bands => 2)),
    (SELECT string_agg(concat(1 + (l >= 5)::int, 1 + (f >= 5)::int, 1 + (m >= 5)::int), ' ' ORDER BY account::text COLLATE "C") FROM (
        SELECT account, rank() OVER (ORDER BY max(day)) - 1 AS l, rank() OVER (ORDER BY count(*)) - 1 AS f, rank() OVER (ORDER BY sum(amount)) - 1 AS m FROM crm.deal GROUP BY account) t),
    'who is the same is in the same band');
SELECT is((SELECT sum(frequency) FROM spm.rfm('crm.deal', 'account', 'day', 'amount', as_of => '2026-03-31', since => '2026-02-01')),
    (SELECT count(*)::numeric FROM crm.deal WHERE day BETWEEN '2026-02-01' AND '2026-03-31'), 'only days from the first to the last count');
-- refused
SELECT throws_ok($$SELECT * FROM spm.rfm('crm.deal', 'account', 'day', 'amount', bands => 10)$$, '22023', 'there cannot be 10 bands', 'a band is a digit');
SELECT throws_ok($$SELECT * FROM spm.rfm('crm.deal', 'account', 'day', 'amount', '2026-01-01', '2026-01-02')$$, '22023', 'there are no days from 2026-01-02 to 2026-01-01', 'there are days to look at');
SELECT throws_ok($$SELECT * FROM spm.rfm('crm.deal', 'account', 'amount', 'amount')$$, '42804', NULL, 'a day is a date');

-- potential: of 10, 20, 30 and 90 a head the median is 25
CREATE TABLE crm.peer (id text, spend numeric, size int, industry text, region text);
INSERT INTO crm.peer VALUES ('a', 100, 10, 'x', 'n'), ('b', 200, 10, 'x', 'n'), ('c', 300, 10, 'x', 's'), ('d', 900, 10, 'y', 's'), ('e', NULL, 20, 'y', 's'), ('f', 50, NULL, 'y', 's'), ('g', NULL, 20, NULL, 's');
SELECT results_eq($$SELECT account_key, cell, peers, rate, potential, untapped FROM spm.peer_potential('crm.peer', 'id', 'spend', 'size', '{industry,region}', 0.5, 2)$$,
    $$VALUES ('a', 'x / n', 2::bigint, 18.5, 185.00, 85.00), ('b', 'x / n', 2, 18.5, 200, 0), ('c', 'x / s', 1, 24.6666666667, 300, 0), ('d', 'y / s', 1, 61.1111111111, 900, 0),
        ('e', 'y / s', 1, 61.1111111111, 1222.22, 1222.22), ('f', 'y / s', 1, 61.1111111111, NULL, NULL), ('g', '- / s', 0, 25, 500.00, 500.00)$$,
    'x: (3 x 20 + 2 x 25) / 5 = 22; x / n: (2 x 15 + 2 x 22) / 4 = 18.5; without peers the rate of the cell above');
SELECT results_eq($$SELECT DISTINCT rate FROM spm.peer_potential('crm.peer', 'id', 'spend', quantile => 0.8)$$,
    $$SELECT round(percentile_cont(0.8) WITHIN GROUP (ORDER BY spend)::numeric, 10) FROM crm.peer$$, 'without size and cells it is a quantile of all');
SELECT is_empty($$SELECT * FROM (SELECT rate, cell FROM spm.peer_potential('crm.peer', 'id', 'spend', 'size', '{industry}', 0.9, 0)) r
    JOIN (SELECT industry, percentile_cont(0.9) WITHIN GROUP (ORDER BY spend / size) AS q FROM crm.peer WHERE industry IS NOT NULL GROUP BY 1) p ON p.industry = r.cell WHERE abs(r.rate - q::numeric) > 1e-9$$,
    'without shrinkage that of the cell');
-- refused
SELECT throws_ok($$SELECT * FROM spm.peer_potential('crm.peer', 'id', 'spend', quantile => 1.5)$$, '22023', 'quantile cannot be 1.5', 'a quantile is 0 to 1');
SELECT throws_ok($$SELECT * FROM spm.peer_potential('crm.peer', 'id', 'spend', shrinkage => -1)$$, '22023', 'shrinkage cannot be -1', 'shrinkage is not negative');
SELECT throws_ok($$SELECT * FROM spm.peer_potential('crm.peer', 'id', 'spend', 'region')$$, '42804', NULL, 'a size is a number');

SELECT * FROM finish();
ROLLBACK;
