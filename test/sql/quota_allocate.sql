-- Quotas divided among many, down a tree and over a season: worked examples, then generated cases beside a twin in SQL.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/twin/quota.sql
\set ECHO all
SELECT no_plan();

-- one group
SELECT is(spm.quota_allocate(100, '{1,1,1}'), '{33.34,33.33,33.33}', 'a total in proportion, to the cent; on a tie the earlier gets the cent');
SELECT is(spm.quota_allocate(100, '{1,1,2}', '{}', '{NULL,NULL,40}'), '{30.00,30.00,40.00}', 'who meets the upper bound leaves the rest to the others, in their proportion');
SELECT is(spm.quota_allocate(100, '{1,1,2}', '{30,NULL,NULL}', '{}'), '{30.00,23.33,46.67}', 'who must have more leaves less to them');
-- 90 for the last two is 14.21 and 75.79, of which the cap takes 0.29
SELECT is(spm.quota_allocate(100, '{5,15,80}', '{10,NULL,NULL}', '{NULL,NULL,75.50}'), '{10.00,14.50,75.50}', 'bounds on both sides at once');
SELECT is(spm.quota_allocate(1000000, '{3,2,1}', unit => 1000), '{500000,333000,167000}', 'parts are multiples of the unit');
SELECT is(spm.quota_allocate(12, '{0,1,2}'), '{0.00,4.00,8.00}', 'no weight, no share');
SELECT is(spm.quota_allocate(110, '{1,1,1}', bases => '{50,30,20}'), '{53.34,33.33,23.33}', 'requests are raised alike where all are equally sure');
SELECT is(spm.quota_allocate(110, '{3,1,0}', bases => '{50,30,20}'), '{57.50,32.50,20.00}', 'by how unsure they are, where not: 3 / 4 and 1 / 4 of 10, and nothing for who is certain');
SELECT is(spm.quota_allocate(90, '{1,1,1}', bases => '{50,30,3}', uppers => '{52,NULL,NULL}'), '{52.00,32.50,5.50}', 'within bounds too');
SELECT is(spm.quota_allocate(60, '{1,1,1}', bases => '{50,30,3}'), '{40.00,20.00,0.00}', 'and never below 0');
SELECT is(spm.quota_allocate(0, '{}'), '{}', 'nothing for nobody');
SELECT is((SELECT sum(p) FROM unnest(spm.quota_allocate(1e15, (SELECT array_agg(1 / n::numeric) FROM generate_series(1, 3000) n))) p), 1e15, 'large totals by quotients of 20 digits add up');

-- a tree
SELECT is(spm.quota_tree('{NULL,1,1}', '{NULL,2,1}', 1000, over_assignments => '{0.1,0,0}'), '{1000.00,733.33,366.67}', 'a level may assign more than it has');
SELECT is(spm.quota_tree('{NULL,1,1,2,2,3}', '{NULL,NULL,NULL,1,1,2}', 100), '{100.00,50.00,50.00,25.00,25.00,50.00}', 'who is above others weighs what they weigh');
SELECT is(spm.quota_tree('{NULL,1,1,2,2,3}', '{NULL,NULL,NULL,1,1,2}', 100, lowers => '{NULL,NULL,NULL,NULL,40,NULL}'), '{100.00,50.00,50.00,10.00,40.00,50.00}', 'a bound is kept within its team where that has room');
SELECT is(spm.quota_tree('{NULL,1,1,2,2,3}', '{NULL,NULL,NULL,1,1,2}', 100, lowers => '{NULL,NULL,NULL,NULL,60,NULL}'), '{100.00,60.00,40.00,0.00,60.00,40.00}', 'and by more for the team where it has none');
SELECT is(spm.quota_tree('{NULL,NULL,1,1,2}', '{NULL,NULL,1,1,2}', 100, '{NULL,NULL,12.34,NULL,NULL}', '{NULL,NULL,12.34,NULL,NULL}'), '{50.00,50.00,12.34,37.66,50.00}', 'what is fixed stays, and the rest of its team makes up for it');
SELECT is(spm.quota_tree('{3,3,NULL}', '{1,3,NULL}', 8, unit => 1), '{2,6,8}', 'nodes come in any order');

-- a season
SELECT is(spm.quota_season('{NULL,1,1}', '{100,60,40}', '{1,1,1}'), '{{33.33,33.34,33.33},{20.00,20.00,20.00},{13.33,13.34,13.33}}', 'months add up to the year, and to those above');
SELECT is(spm.quota_season('{NULL,1,1}', '{100,60,40}', '{{1,1},{3,1}}', seasons => '{1,2,1}'), '{{65.00,35.00},{45.00,15.00},{20.00,20.00}}', 'each at the bottom has a season of its own, and who is above what comes of them');
SELECT is(spm.quota_season('{NULL,1,1}', '{1000,733.33,366.67}', '{1,1}', '{0.1,0,0}'), '{{500.01,499.99},{366.67,366.66},{183.34,183.33}}', 'above an excess: 550.01 of 1,100.00 by the middle of the year is 500.01 of 1,000');

-- generated cases: n parts of 1 to 7, weights of all sizes, bounds for some, bases for some
CREATE FUNCTION pg_temp.draw(case_no int, what int, below int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT (('x' || substr(md5(case_no || '/' || what), 1, 8))::bit(32)::bigint % below)::int
$$;
CREATE TEMP TABLE generated AS
SELECT i AS case_no, total, weights, lowers, uppers, bases, unit,
    twin.allocate(total, weights, lowers, uppers, bases, unit) AS expected
FROM (
    SELECT i, u.unit, pg_temp.draw(i, 1, 100000) * u.unit AS total,
        (SELECT array_agg(CASE pg_temp.draw(i, 10 + k, 5) WHEN 0 THEN 0 WHEN 1 THEN 1 / (1 + pg_temp.draw(i, 20 + k, 99))::numeric ELSE pg_temp.draw(i, 20 + k, 1000) END) FROM generate_series(1, n) k) AS weights,
        (SELECT array_agg(CASE pg_temp.draw(i, 30 + k, 3) WHEN 0 THEN pg_temp.draw(i, 40 + k, 30000) * 0.37 * u.unit END) FROM generate_series(1, n) k) AS lowers,
        (SELECT array_agg(CASE pg_temp.draw(i, 50 + k, 3) WHEN 0 THEN 11200 * u.unit + pg_temp.draw(i, 60 + k, 90000) * 0.77 * u.unit END) FROM generate_series(1, n) k) AS uppers,
        (SELECT array_agg(CASE pg_temp.draw(i, 70, 2) WHEN 0 THEN pg_temp.draw(i, 80 + k, 30000) * u.unit END) FROM generate_series(1, n) k) AS bases
    FROM generate_series(1, 1200) i, LATERAL (SELECT 1 + pg_temp.draw(i, 2, 7) AS n) n,
        LATERAL (SELECT (ARRAY[0.01, 1, 1000, 0.05, 250])[1 + pg_temp.draw(i, 3, 5)] AS unit) u OFFSET 0) g;
CREATE FUNCTION pg_temp.answer(g generated) RETURNS numeric[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN spm.quota_allocate(g.total, g.weights, g.lowers, g.uppers, g.bases, g.unit);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END
$$;
SELECT ok(count(expected) > 600 AND count(*) - count(expected) > 120, 'of 1,200 cases many are possible, and many not') FROM generated;
SELECT is_empty($$SELECT case_no, total, weights, lowers, uppers, bases, unit, expected, pg_temp.answer(g) FROM generated g WHERE pg_temp.answer(g) IS DISTINCT FROM expected$$,
    'each gives what the twin gives, to the unit, or is refused where that finds no way');

-- generated trees
INSERT INTO twin.node (tree, node, parent, weight, low, high, over)
SELECT i, k, CASE WHEN k = 1 OR pg_temp.draw(i, k, 9) = 0 THEN 0 ELSE 1 + pg_temp.draw(i, 100 + k, k - 1) END, 1 + pg_temp.draw(i, 200 + k, 500),
    CASE pg_temp.draw(i, 300 + k, 4) WHEN 0 THEN pg_temp.draw(i, 400 + k, 90000) END,
    CASE pg_temp.draw(i, 500 + k, 4) WHEN 0 THEN 90000 + pg_temp.draw(i, 600 + k, 900000) END,
    CASE pg_temp.draw(i, 700 + k, 3) WHEN 0 THEN pg_temp.draw(i, 800 + k, 300) * 0.001 ELSE 0 END
FROM generate_series(1, 120) i, generate_series(1, 4 + i % 9) k;
CREATE FUNCTION pg_temp.tree_answer(of_tree int, total numeric) RETURNS numeric[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT spm.quota_tree(array_agg(nullif(n.parent, 0) ORDER BY n.node), array_agg(n.weight ORDER BY n.node), total, array_agg(n.low ORDER BY n.node),
        array_agg(n.high ORDER BY n.node), over_assignments => array_agg(n.over ORDER BY n.node), unit => 1) FROM twin.node n WHERE n.tree = of_tree);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END
$$;
CREATE TEMP TABLE tree_result AS
SELECT i AS tree, twin.cascade(i, 0, 300000 + pg_temp.draw(i, 900, 500000)) AS is_possible, pg_temp.tree_answer(i, 300000 + pg_temp.draw(i, 900, 500000)) AS answer
FROM generate_series(1, 120) i;
SELECT ok(count(answer) > 50 AND count(*) - count(answer) > 10, 'of 120 trees many are possible, and many not') FROM tree_result;
SELECT is_empty($$SELECT r.tree, r.answer, e.amounts FROM tree_result r, LATERAL (SELECT array_agg(n.amount ORDER BY n.node) AS amounts FROM twin.node n WHERE n.tree = r.tree) e
    WHERE r.answer IS NOT NULL AND (r.answer <> e.amounts OR NOT r.is_possible)$$, 'where a tree is possible, each node has what the twin gives it');
SELECT is_empty($$SELECT r.tree FROM tree_result r WHERE r.answer IS NULL AND r.is_possible
    AND NOT EXISTS (SELECT FROM twin.node n, LATERAL twin.bound(n.tree, n.node) b WHERE n.tree = r.tree AND b.low > b.high)$$, 'and none is refused that is');

-- what is refused
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,0}', '{30,90}')$$, '22023', 'lower bounds come to 120.00, more than the total of 100.00', 'lower bounds above the total');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,1}', '{}', '{30,20}')$$, '22023', 'upper bounds come to 50.00, less than the total of 100.00', 'upper bounds below it');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,0}', '{}', '{30,NULL}')$$, '22023', 'nobody with a weight can take what is left of the total of 100.00', 'what is left, where only somebody without a weight could take it');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,1}', '{50,0}', '{40,100}')$$, '22023', 'part 1 is to have at least 50.00 and at most 40.00', 'bounds the wrong way round');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,1}', '{}', '{40}')$$, '22023', 'there are 1 upper bounds for 2 parts', 'bounds for some only');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,NULL}')$$, '22004', 'weight 2 is null', 'a weight that is not there');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,NaN}')$$, '22023', 'weight 2 must be a finite number', 'one that is no number');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1,-1}')$$, '22023', 'weight 2 must not be negative', 'and a negative one');
SELECT throws_ok($$SELECT spm.quota_allocate(100, '{1e20,1e-20}')$$, '22003', 'weights have too many digits', 'weights that are 40 digits apart');
SELECT throws_ok($$SELECT spm.quota_allocate(-1, '{1}')$$, '22023', 'total must not be negative', 'a negative total');
SELECT throws_ok($$SELECT spm.quota_allocate(0.001, '{1}')$$, '22023', 'total is no multiple of the unit', 'a total that is finer than its parts');
SELECT throws_ok($$SELECT spm.quota_allocate(1e17, '{1}')$$, '22003', 'total has too many digits', 'a total beyond 10^18 cents');
SELECT throws_ok($$SELECT spm.quota_allocate(1, '{1}', unit => 0)$$, '22023', 'unit cannot be 0', 'a unit of nothing');
SELECT throws_ok($$SELECT spm.quota_tree('{2,3,2}', '{1,1,1}', 1, names => '{Ann,East,West}')$$, '22023', '"West" is above itself', 'a circle, with who is in it');
SELECT throws_ok($$SELECT spm.quota_tree('{NULL,7}', '{1,1}', 1)$$, '22023', 'parent of node 2 cannot be 7', 'a parent that is not there');
SELECT throws_ok($$SELECT spm.quota_tree('{NULL,1,1}', '{NULL,1,1}', 100, '{NULL,20,30}', '{40,NULL,NULL}', names => '{East,Ann,Bob}')$$, '22023',
    'lower bounds below "East" come to 50.00, more than its 40.00', 'bounds that contradict those below, by name');
SELECT throws_ok($$SELECT spm.quota_tree('{NULL,1,1}', '{NULL,1,1}', 100, '{NULL,20,30}', '{NULL,NULL,40}', over_assignments => '{0.5,0,0}', names => '{East,Ann,Bob}', bases => '{NULL,-1,0}')$$, '22023',
    'base 2 must not be negative', 'a negative base');
SELECT throws_ok($$SELECT spm.quota_tree('{NULL,1,1}', '{NULL,1,1}', 100, '{80,NULL,NULL}', '{NULL,30,20}', names => '{East,Ann,Bob}')$$, '22023',
    'upper bounds below "East" come to 50.00, less than its 80.00', 'also from above');
SELECT throws_ok($$SELECT spm.quota_tree('{NULL,1,1}', '{1,0,0}', 100, names => '{East,Ann,Bob}')$$, '22023', 'nobody with a weight below "East" can take what is left of 100.00', 'a team without weights that is given something');
SELECT throws_ok($$SELECT spm.quota_tree('{NULL,1}', '{1,1}', 100, over_assignments => '{1.5,0}')$$, '22023', 'over-assignment of node 1 cannot be 1.5', 'an excess of more than all');
SELECT throws_ok($$SELECT spm.quota_season('{NULL,1,1}', '{101,60,40}', '{1,1,1}')$$, '22023', 'node 1 has 101.00, but what is below it makes that 100.00', 'a tree that does not add up is not spread');
SELECT throws_ok($$SELECT spm.quota_season('{NULL}', '{101}', '{0,0}')$$, '22023', 'season of node 1 has no share greater than 0', 'nor over a season of nothing');

SELECT * FROM finish();
ROLLBACK;
