-- Where seats should be: capacitated p-median, what no plan can be below, published instances.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
\getenv input PG_ABS_SRCDIR
\set data :input/../../../shared/data
\getenv data SPM_DATA
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- by hand
SELECT results_eq($$SELECT unit, seat, distance FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 2)$$,
    $$VALUES (1, 1, 0::float8), (2, 1, 1), (3, 3, 0), (4, 3, 1)$$, 'two pairs get a seat each');
SELECT results_eq($$SELECT unit, seat, distance FROM spm.p_median('{{0,1,9},{1,0,8},{9,8,0}}', '{1,1,1}', '{2}', 2)$$,
    $$VALUES (1, 1, 0::float8), (2, 1, 1), (3, 3, 0)$$, 'distances may be a matrix');
SELECT results_eq($$SELECT unit, seat, distance FROM spm.p_median('{{0,5},{1,0}}', '{1,1}', '{2}', 1)$$,
    $$VALUES (1, 1, 0::float8), (2, 1, 1)$$, 'whose rows are units and whose columns are seats');
SELECT is(array_agg(seat ORDER BY unit), '{3,3,3,3,3}', 'without limits one seat is in the middle')
    FROM spm.p_median('{0,3,4,5,9}', '{0,0,0,0,0}', '{1,1,1,1,1}', '{infinity}', 1);
SELECT is(string_agg(seat || ':' || distance, ' ' ORDER BY unit), '2:1 2:0 2:1 5:17 5:0 5:1 8:18 8:0 8:1', 'seats that are full send units far')
    FROM spm.p_median('{0,1,2,3,20,21,22,40,41}', '{0,0,0,0,0,0,0,0,0}', '{1,1,1,1,1,1,1,1,1}', '{3}', 3);
SELECT is(array_agg(seat ORDER BY unit), '{1,1,4,4}', 'no seat is at a unit without a capacity')
    FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{2,2,2,2}', '{4,NULL,NULL,5}', 2);
SELECT is(array_agg(seat ORDER BY unit), '{2,2,2,4}', 'a capacity counts where the seat is')
    FROM spm.p_median('{0,1,2,3}', '{0,0,0,0}', '{1,1,1,1}', '{1,3,1,1}', 2);
SELECT is(count(DISTINCT seat), 4::bigint, 'units at one place can have different seats')
    FROM spm.p_median('{5,5,5,5}', '{5,5,5,5}', '{1,1,1,1}', '{1}', 4);
SELECT is(sum(distance), 1::float8, 'a load that is its capacity but for rounding is within it')
    FROM spm.p_median('{0,1}', '{0,0}', '{0.1,0.2}', '{0.3}', 1);
SELECT is(count(*), 1::bigint, 'one unit is its own seat') FROM spm.p_median('{7}', '{7}', '{1}', '{1}', 1) WHERE unit = 1 AND seat = 1 AND distance = 0;
SELECT results_eq($$SELECT value, bound, gap, is_optimal, seat_of FROM spm.p_median_report('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 2)$$,
    $$VALUES (2::float8, 2::float8, 0::float8, true, '{1,1,3,3}'::int[])$$, 'a report says that no plan is shorter');
SELECT is_empty($$SELECT * FROM spm.p_median(NULL, '{0}', '{1}', '{1}', 1)$$, 'of nothing known there are no rows');

-- 200 units drawn by md5: any plan is as long as it says, within capacity, at most the seats asked for, and above the bound
CREATE TEMP TABLE place AS
SELECT i, ('x' || substr(md5('x' || i), 1, 4))::bit(16)::int / 100.0::float8 AS x, ('x' || substr(md5('y' || i), 1, 4))::bit(16)::int / 100.0::float8 AS y,
       1 + ('x' || substr(md5('q' || i), 1, 2))::bit(8)::int % 50 AS demand
FROM generate_series(1, 200) i;
CREATE FUNCTION pg_temp.plan(moves bigint, seed bigint) RETURNS TABLE (unit int, seat int, distance float8) LANGUAGE sql AS $$
    SELECT p.* FROM (SELECT array_agg(x ORDER BY i) AS x, array_agg(y ORDER BY i) AS y, array_agg(demand ORDER BY i)::float8[] AS q FROM place) a,
        spm.p_median(x, y, q, '{400}', 14, moves, seed) p
$$;
CREATE TEMP TABLE plan AS SELECT * FROM pg_temp.plan(400000, 1);
SELECT is((SELECT count(*) FROM plan p JOIN place u ON u.i = p.unit JOIN place s ON s.i = p.seat
           WHERE abs(p.distance - sqrt((u.x - s.x) ^ 2 + (u.y - s.y) ^ 2)) < 1e-9), 200::bigint, 'each distance is that between unit and seat');
SELECT is((SELECT count(*) FROM (SELECT FROM plan JOIN place ON i = unit GROUP BY seat HAVING sum(demand) <= 400) s), 14::bigint, 'all seats are within capacity');
SELECT is((SELECT count(DISTINCT seat) FROM plan WHERE unit = seat), 14::bigint, 'each serves its own unit');
SELECT results_eq('SELECT * FROM plan', 'SELECT * FROM pg_temp.plan(400000, 1)', 'the same moves and seed give the same plan, bit for bit');
SELECT isnt((SELECT array_agg(seat ORDER BY unit) FROM pg_temp.plan(30000, 1)), (SELECT array_agg(seat ORDER BY unit) FROM pg_temp.plan(30000, 2)), 'another seed another');
SELECT ok(bound <= least AND gap = value / bound - 1 AND gap < 0.02 AND NOT is_optimal AND seat_of = seats AND abs(value - sum) < 1e-9 * value, 'the report is about the same plan')
FROM (SELECT array_agg(x ORDER BY i) AS x, array_agg(y ORDER BY i) AS y, array_agg(demand ORDER BY i)::float8[] AS q FROM place) a,
    spm.p_median_report(x, y, q, '{400}', 14, 400000, 1),
    (SELECT array_agg(seat ORDER BY unit) AS seats, sum(distance) FROM plan) p,
    (SELECT sum(distance) AS least FROM pg_temp.plan(4000000, 3)) l;

-- what is refused
SELECT throws_ok($$SELECT * FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 1)$$,
    '22023', 'the seats cannot serve all units', 'seats that cannot serve all units are refused');
SELECT throws_ok($$SELECT * FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{2,2,2,2}', '{3}', 3)$$,
    '54000', 'no plan within capacity was found', 'and so are seats that could if units were divided');
SELECT throws_ok($$SELECT * FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{2,2,5,2}', '{3}', 4)$$,
    '22023', 'unit 3 is larger than any seat can serve', 'a unit that is too large is named');
SELECT throws_ok($$SELECT * FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{2,2,2,2}', '{3,NULL,1,3}', 3)$$,
    '22023', 'fewer units can be seats than there are seats', 'a seat has a place of its own, and room for its own unit');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1e200,1}', '{0,1}', '{1,1}', '{2,2}', 1)$$, '22023', NULL, 'numbers of which the squares are none are refused');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{0,1}', '{1,1e-308}', '{2,2}', 1)$$, '22023', NULL, 'as are those by which nothing can be divided');
SELECT throws_ok($$SELECT * FROM spm.p_median('{}', '{}', '{}', '{}', 1)$$, '22023', 'there are no units', 'no units are refused');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,1}', '{1}', 0)$$, '22023', 'seats must be from 1 to the number of units', 'so are no seats');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,1}', '{1}', 3)$$, '22023', 'seats must be from 1 to the number of units', 'and more than units');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,1}', '{1}', 2, -1)$$, '22023', 'moves must be from 0 to 1000000000000', 'moves are not negative');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,1}', '{1}', 2, 9223372036854775807)$$, '22023', 'moves must be from 0 to 1000000000000', 'nor endless');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1}', '{1,1}', '{1}', 2)$$, '22023', 'there must be one y for each unit', 'every unit has a place');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1}', '{1}', 2)$$, '22023', 'there must be one demand for each unit', 'a demand');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2,3}', '{1,2,3}', '{1,1,1}', '{1,1}', 2)$$, '22023', 'there must be one capacity for each unit', 'and a capacity');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,NaN}', '{1,1}', '{1}', 2)$$, '22023', 'y 2 is not finite', 'a place that is none is named');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,NULL}', '{1,2}', '{1,1}', '{1}', 2)$$, '22004', 'x 2 is null', 'or not known');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,-1}', '{1}', 2)$$, '22023', 'demand 2 is negative', 'a demand below nothing');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,1}', '{1,-1}', 2)$$, '22023', 'capacity 2 is negative', 'a capacity below nothing');
SELECT throws_ok($$SELECT * FROM spm.p_median('{1,2}', '{1,2}', '{1,1}', '{NaN}', 2)$$, '22023', 'capacity 1 is not a number', 'or that is no number');
SELECT throws_ok($$SELECT * FROM spm.p_median('{{0,1},{-1,0}}', '{1,1}', '{1}', 2)$$, '22023', 'distance [2][1] is negative', 'a distance below nothing');
SELECT throws_ok($$SELECT * FROM spm.p_median('{{0,1,2},{1,0,2}}', '{1,1}', '{1}', 2)$$, '2202E', 'distances must have as many columns as rows', 'distances are a square');
CREATE FUNCTION pg_temp.is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.plan(1000000000000, 1);
    RETURN false;
EXCEPTION WHEN query_canceled THEN
    RETURN true;
END
$$;
SET LOCAL statement_timeout = '300ms';
SELECT ok(pg_temp.is_cancelled(), 'a search can be cancelled');
RESET statement_timeout;

-- published instances: OR-Library (Beasley 1990; Ceselli and Righini 2005) and Sao Jose dos Campos (Lorena and Senne 2004)
CREATE TEMP TABLE instance (name text, content text, moves bigint, best float8);
CREATE FUNCTION pg_temp.solved(name text, content text, moves bigint) RETURNS TABLE (value float8, is_plan boolean, is_above boolean) LANGUAGE sql AS $$
    WITH number AS (SELECT string_to_array(btrim(regexp_replace(content, '\s+', ' ', 'g')), ' ')::float8[] AS v),
    size AS (SELECT v, v[1]::int AS n, v[2]::int AS p, name LIKE 'pmed%' AS is_matrix FROM number),
    input AS (
        SELECT n, p, is_matrix,
               CASE WHEN is_matrix THEN (SELECT array_agg(v[3 + i * n : 2 + (i + 1) * n] ORDER BY i) FROM generate_series(0, n - 1) i) END AS distances,
               CASE WHEN is_matrix THEN v[3 + n * n : 2 + n * n + n] ELSE (SELECT array_agg(v[6 + i * 4] ORDER BY i) FROM generate_series(0, n - 1) i) END AS demands,
               CASE WHEN is_matrix THEN v[3 + n * n + n :] ELSE (SELECT array_agg(v[5 + i * 4] ORDER BY i) FROM generate_series(0, n - 1) i) END AS capacities,
               (SELECT array_agg(v[3 + i * 4] ORDER BY i) FROM generate_series(0, n - 1) i) AS x,
               (SELECT array_agg(v[4 + i * 4] ORDER BY i) FROM generate_series(0, n - 1) i) AS y
        FROM size
    ), report AS MATERIALIZED (
        SELECT i.*, r.* FROM input i, spm.p_median_report(distances, demands, capacities, p, moves) r WHERE is_matrix
        UNION ALL
        SELECT i.*, r.* FROM input i, spm.p_median_report(x, y, demands, capacities, p, moves) r WHERE NOT is_matrix
    )
    SELECT round(value::numeric, 2)::float8,
           (SELECT count(*) <= p AND bool_and(is_within) AND abs(sum(length) - value) < 1e-6
            FROM (SELECT sum(demands[u]) <= capacities[seat_of[u]] AS is_within,
                         sum(CASE WHEN is_matrix THEN distances[u][seat_of[u]] ELSE sqrt((x[u] - x[seat_of[u]]) ^ 2 + (y[u] - y[seat_of[u]]) ^ 2) END) AS length
                  FROM generate_series(1, n) u GROUP BY seat_of[u]) s),
           bound <= value AND bound > 0.98 * value
    FROM report
$$;
\set has_data `if [ -r :'data'/territory/cpmp/SJC1.dat ]; then echo 1; else echo 0; fi`
\if :has_data
    \cd :data/territory/cpmp
    \set ECHO none
    \set a `cat pmedcap-01.txt`
    \set b `cat pmedcap-02.txt`
    \set c `cat pmedcap-03.txt`
    \set d `cat pmedcap-04.txt`
    \set e `cat pmedcap-05.txt`
    \set f `cat pmedcap-11.txt`
    \set g `cat pmedcap-12.txt`
    \set h `cat pmedcap-13.txt`
    \set i `cat pmedcap-14.txt`
    \set j `cat pmedcap-15.txt`
    \set k `cat SJC1.dat`
    \set l `cat SJC2.dat`
    \set m `cat SJC3a.dat`
    INSERT INTO instance VALUES ('pmedcap 1', :'a', 1000000, 713), ('pmedcap 2', :'b', 1000000, 740), ('pmedcap 3', :'c', 1000000, 751),
        ('pmedcap 4', :'d', 1000000, 651), ('pmedcap 5', :'e', 1000000, 664), ('pmedcap 11', :'f', 0, 1006), ('pmedcap 12', :'g', 0, 966),
        ('pmedcap 13', :'h', 0, 1026), ('pmedcap 14', :'i', 0, 982), ('pmedcap 15', :'j', 0, 1091),
        ('SJC1', :'k', 0, 17288.99), ('SJC2', :'l', 0, 33270.94), ('SJC3a', :'m', 0, 45335.16);
    \set ECHO all
    SELECT is(s.value, i.best, 'the optimum of ' || i.name) || E'\n' || ok(s.is_plan AND s.is_above, 'is a plan, within 2% of the bound')
    FROM instance i, pg_temp.solved(i.name, i.content, i.moves) s;
\else
    SELECT skip('the instances are not there; SPM_DATA names the folder that has territory/cpmp', 26);
\endif
SELECT * FROM finish();
ROLLBACK;
