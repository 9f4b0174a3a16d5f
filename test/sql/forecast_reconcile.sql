-- Forecasts of a tree that add up.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- a company, two regions, three sellers; forecasts that do not add up
CREATE TEMP TABLE base (node text, parent text, f float8[], past float8[]);
INSERT INTO base VALUES
    ('company', NULL, '{100,110}', '{4,-2,1,3,-5}'), ('east', 'company', '{50,50}', '{1,-2,2,0,-1}'), ('west', 'company', '{30,40}', '{2,1,-1,2,-3}'),
    ('ann', 'east', '{20,30}', '{1,-1,1,0,-1}'), ('bob', 'east', '{40,30}', '{0,-1,1,1,0}');
-- a node and what is expected of it in the first step, rounded
CREATE FUNCTION pg_temp.means(tree spm.reconciled[], step int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(u.node || ' ' || trim_scale(round(((u.path).mean)[step]::numeric, 6)), ', ' ORDER BY o) FROM unnest(tree) WITH ORDINALITY u(node, parent, depth, is_leaf, base, path, o)
$$;
-- whether children add up to their parent to the last bit, in every order
CREATE FUNCTION pg_temp.adds_up(tree spm.reconciled[]) RETURNS boolean LANGUAGE sql AS $$
    SELECT bool_and((p.path).mean[s] = x.up AND x.up = x.down)
    FROM unnest(tree) p, generate_series(1, cardinality((p.path).mean)) s,
        LATERAL (SELECT sum((c.path).mean[s] ORDER BY (c.path).mean[s]) AS up, sum((c.path).mean[s] ORDER BY c.node DESC) AS down FROM unnest(tree) c WHERE c.parent = p.node) x
    WHERE NOT p.is_leaf
$$;

-- by hand: minimise (c - 100)^2 / 3 + (e - 50)^2 / 2 + (w - 30)^2 + (a - 20)^2 + (b - 40)^2 with c = e + w, e = a + b.
-- East by itself: 50 (variance 2) and 60 (1 + 1) meet at 55 (variance 1). 85 with west's (variance 2) stand against 100 (3): 91, 3 for east, 3 for west.
SELECT is(pg_temp.means(spm.reconcile(node, parent, f)), 'company 91, east 58, west 33, ann 19, bob 39', 'without a past a node is believed by the leaves below it') FROM base;
SELECT is(pg_temp.means(spm.reconcile(node, parent, f), 2), 'company 101, east 58, west 43, ann 29, bob 29', 'each step by itself') FROM base;
SELECT is(pg_temp.means(spm.reconcile(node, parent, f, NULL, 'bottom_up', false)), 'company 90, east 60, west 30, ann 20, bob 40', 'bottom-up believes the leaves') FROM base;
SELECT is(pg_temp.means(spm.reconcile(node, parent, f, NULL, 'top_down', false)), 'company 100, east 62.5, west 37.5, ann 20.833333, bob 41.666667', 'top-down believes the top and divides it as forecasts are') FROM base;
SELECT is(pg_temp.means(spm.reconcile(node, parent, f, CASE node WHEN 'ann' THEN '{1,2}'::float8[] WHEN 'bob' THEN '{1}' WHEN 'west' THEN '{10,2}' ELSE '{99}' END, 'top_down', false)),
    'company 100, east 25, west 75, ann 18.75, bob 6.25', 'or as the leaves have sold in the past') FROM base;
-- everybody alike: y - C'(CC')^-1 C y with Cy = (20, -10), CC' = ((3, -1), (-1, 3)), so x = (6.25, -1.25)
SELECT is(pg_temp.means(spm.reconcile(node, parent, f, NULL, 'ols', false)), 'company 93.75, east 57.5, west 36.25, ann 18.75, bob 38.75', 'least squares change everybody alike') FROM base;
-- mean squares 11, 2, 3.8, .8, .6: east 50 (2) and 60 (1.4) meet at (50 * 1.4 + 60 * 2) / 3.4, variance 2.8 / 3.4
SELECT is(pg_temp.means(spm.reconcile(node, parent, f, past, 'variance', false)),
    (SELECT format('company %s, east %s, west %s, ann %s, bob %s', trim_scale(round(85.882352941176 + u, 6)), trim_scale(round(55.882352941176 + u * 0.823529411765 / v, 6)), trim_scale(round(30 + u * 3.8 / v, 6)),
        trim_scale(round(20 + (55.882352941176 + u * 0.823529411765 / v - 60) * 0.8 / 1.4, 6)), trim_scale(round(40 + (55.882352941176 + u * 0.823529411765 / v - 60) * 0.6 / 1.4, 6)))
     FROM (SELECT 14.117647058824 * v / (v + 11) AS u, v FROM (SELECT 4.623529411765 AS v) a) b),
    'who erred more is changed more') FROM base;
-- Schaefer and Strimmer's weight of the diagonal, pair by pair
SELECT is((SELECT (u.path).method FROM unnest(t) u LIMIT 1),
    (WITH error AS (SELECT node, k, e / sqrt(avg(e * e) OVER (PARTITION BY node)) AS z FROM base, unnest(past) WITH ORDINALITY p(e, k)),
        pair AS (SELECT sum(a.z * b.z) AS s, sum((a.z * b.z) ^ 2) AS q, count(*) AS t FROM error a JOIN error b USING (k) WHERE a.node <> b.node GROUP BY a.node, b.node)
    SELECT format('MinT(%s)', round((sum((q - s * s / t) / (t * (t - 1))) / sum(s * s / (t * t)))::numeric, 2)) FROM pair),
    'with a past, by errors and what they have in common') FROM (SELECT spm.reconcile(node, parent, f, past) AS t FROM base) r;
SELECT is(spm.reconcile(node, parent, f, past), spm.reconcile(node, parent, f, past, NULL, NULL), 'which is what is done when no method is named') FROM base;

-- shape of the answer
SELECT results_eq($$SELECT u.node, u.parent, u.depth, u.is_leaf, u.base FROM (SELECT spm.reconcile(node, parent, f) AS t FROM base) r, unnest(t) u$$,
    $$VALUES ('company', NULL, 0, false, '{100,110}'::float8[]), ('east', 'company', 1, false, '{50,50}'), ('west', 'company', 1, true, '{30,40}'), ('ann', 'east', 2, true, '{20,30}'), ('bob', 'east', 2, true, '{40,30}')$$,
    'nodes come from the top down, with what was expected of them before');
SELECT ok(pg_temp.adds_up(spm.reconcile(node, parent, f, past)), 'and add up') FROM base;
SELECT is(pg_temp.means(spm.reconcile(node, parent, f) FILTER (WHERE node <> 'company')), 'company 88, east 55, west 33, ann 17.5, bob 37.5', 'a parent without a row is the sum of its children') FROM (
    SELECT node, parent, CASE node WHEN 'west' THEN '{33}'::float8[] ELSE f[1:1] END AS f FROM base) b;
SELECT is(pg_temp.means(spm.reconcile(node, parent, CASE WHEN node <> 'east' THEN f END)), 'company 95.5, east 63, west 32.5, ann 21.5, bob 41.5', 'and so is one without a forecast') FROM (
    SELECT node, parent, CASE node WHEN 'west' THEN '{31}' ELSE f[1:1] END AS f FROM base) b;
SELECT is(pg_temp.means(spm.reconcile(node, parent, CASE WHEN node <> 'west' THEN f END)), 'company 100, east 55, west 45, ann 17.5, bob 37.5', 'a leaf without a forecast is what the others leave') FROM base;
SELECT is(pg_temp.means(spm.reconcile(node, parent, CASE WHEN node NOT IN ('ann', 'west') THEN f END, NULL, NULL, true)), 'company 100, east 50, west 50, ann 10, bob 40', 'two may be left out in two places') FROM base;
SELECT is(pg_temp.means(spm.reconcile(n, p, f)), 'a 1, b 2', 'nodes without a tree stay as they are') FROM (VALUES ('b', NULL, '{2}'::float8[]), ('a', NULL, '{1}')) t(n, p, f);
SELECT is(pg_temp.means(spm.reconcile(n, p, f)), 'top 4, x 1, y 3', 'two trees are two') FROM (VALUES ('x', 'top', '{1}'::float8[]), ('y', 'top', '{3}')) t(n, p, f);
SELECT is(spm.reconcile(n, p, f), NULL, 'of nothing there is nothing') FROM (SELECT ''::text, ''::text, '{}'::float8[] WHERE false) t(n, p, f);
SELECT is(spm.reconcile(n, p, f), NULL, 'nor where nothing is forecast') FROM (VALUES ('a', NULL, NULL::float8[]), ('b', 'a', NULL)) t(n, p, f);

-- the top errs by a tenth of what is expected, so the new one's 100 by 10: variances 121 and 100, 110 - 10 * 121 / 221
SELECT is(pg_temp.means(spm.reconcile(n, p, f, e, 'variance', false)), 'top 104.524887, new 104.524887', 'a new seller without a past is believed as others are for the size of their forecast')
FROM (VALUES ('top', NULL, '{110}'::float8[], '{11,-11}'::float8[]), ('new', 'top', '{100}', NULL)) t(n, p, f, e);
-- nothing below zero: 10 above 20 and -5 leaves 0 for the second
SELECT is(pg_temp.means(spm.reconcile(n, p, f, NULL, 'ols', false)), 'top 11.666667, a 18.333333, b -6.666667', 'a forecast below zero is one') FROM (VALUES ('top', NULL, '{10}'::float8[]), ('a', 'top', '{20}'), ('b', 'top', '{-5}')) t(n, p, f);
SELECT is(pg_temp.means(spm.reconcile(n, p, f, NULL, 'ols', true)), 'top 15, a 15, b 0', 'unless it must not be: then it is 0, and the others are reconciled again') FROM (VALUES ('top', NULL, '{10}'::float8[]), ('a', 'top', '{20}'), ('b', 'top', '{-5}')) t(n, p, f);

-- paths: dates and limits go with the mean
CREATE TEMP TABLE path AS
SELECT node, parent, spm.forecast(d::date, v + 10 * b, 3, '{"step": "month", "method": "snaive"}') AS f
FROM (VALUES ('all', NULL, 3), ('one', 'all', 1), ('two', 'all', 1)) n(node, parent, b), generate_series('2024-01-01', '2025-12-01', interval '1 month') d, LATERAL (SELECT extract(month FROM d)::int) m(v)
GROUP BY node, parent;
SELECT results_eq($$SELECT u.node, r.step, r.period, round(r.mean::numeric, 6), round((r.upper - r.mean - (f.upper - f.mean))::numeric, 6), r.method
        FROM (SELECT spm.reconcile(node, parent, f) AS t FROM path) q, unnest(t) u JOIN path p USING (node), spm.forecast_rows(u.path) r JOIN spm.forecast_rows(p.f) f USING (step) WHERE step = 1 ORDER BY node$$,
    $$SELECT p.node, 1, timestamp '2026-01-01', b, 0.000000, 'WLS(structure)' FROM (VALUES ('all', 26.5), ('one', 13.25), ('two', 13.25)) p(node, b)$$,
    'limits keep their distance, periods stay what they are') ;
SELECT is((SELECT (u.path).level FROM (SELECT spm.reconcile(node, parent, f, '{1,2}') AS t FROM path) q, unnest(t) u LIMIT 1), 0.95::float8, 'and so does the level');

SELECT results_eq($$SELECT u.node, (u.path).mean, (u.path).lower, (u.path).upper FROM (SELECT spm.reconcile(n, p, ROW('a', 0.5, NULL, m, l, h)::spm.forecast_path) AS t
        FROM (VALUES ('a', NULL, '{3}'::float8[], '{1}'::float8[], '{Infinity}'::float8[]), ('b', 'a', '{1e-40}', '{NULL}', '{1}')) v(n, p, m, l, h)) q, unnest(t) u$$,
    $$VALUES ('a', '{1.5}'::float8[], '{-0.5}'::float8[], '{Infinity}'::float8[]), ('b', '{1.5}', '{NULL}', '{2.5}')$$, 'a limit may be infinite or unknown, and what is next to nothing is nothing');

-- limits and errors of the past, by hand. The top errs by 2 and -2, its parts by 1 and 1, 1 and -1: the first time that adds up, the second time 2 are missing,
-- shared by variances 4, 1, 1: errors would have been -2/3, 2/3, -4/3. Mean squares of 4, 1, 1 become 20/9, 13/18, 25/18; half of the change is believed.
CREATE TEMP TABLE erring (node text, parent text, m float8[], lower float8[], upper float8[], e float8[]);
INSERT INTO erring VALUES ('top', NULL, '{100,100}', '{90,80}', '{120,120}', '{2,-2}'), ('a', 'top', '{60,60}', '{50,50}', '{70,70}', '{1,1}'), ('b', 'top', '{40,40}', '{30,30}', '{50,50}', '{1,-1}');
CREATE FUNCTION pg_temp.widths(tree spm.reconciled[], step int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s -%s +%s', u.node, round(((u.path).mean[step] - (u.path).lower[step])::numeric, 4), round(((u.path).upper[step] - (u.path).mean[step])::numeric, 4)), ', ' ORDER BY u.node) FROM unnest(tree) u
$$;
CREATE FUNCTION pg_temp.path(m float8[], l float8[], u float8[]) RETURNS spm.forecast_path LANGUAGE sql AS $$ SELECT ROW('by hand', 0.9, NULL, m, l, u)::spm.forecast_path $$;
SELECT is(pg_temp.widths(spm.reconcile(node, parent, pg_temp.path(m, lower, upper), e, 'variance', false)),
    format('a -%1$s +%1$s, b -%2$s +%2$s, top -%3$s +%4$s', round(10 * sqrt(31 / 36.0), 4), round(10 * sqrt(43 / 36.0), 4), round(10 * sqrt(7 / 9.0), 4), round(20 * sqrt(7 / 9.0), 4)),
    'limits become narrower or wider, by half of what the errors of the past would have, and keep their shape') FROM erring;
SELECT is(pg_temp.widths(spm.reconcile(node, parent, pg_temp.path(m, lower, upper), e, 'variance', false), 2), format('a -%1$s +%1$s, b -%2$s +%2$s, top -%3$s +%3$s',
    round(10 * sqrt(31 / 36.0), 4), round(10 * sqrt(43 / 36.0), 4), round(20 * sqrt(7 / 9.0), 4)), 'at every step ahead') FROM erring;
SELECT is(pg_temp.widths(spm.reconcile(node, parent, pg_temp.path(m, lower, upper), e, 'top_down', false)), 'a -10.0000 +10.0000, b -10.0000 +10.0000, top -10.0000 +20.0000', 'what top-down knows of the past are no errors: all keep their width') FROM erring;
-- 1, 1 and -1: one is missing, a third of it for each: 2/3, 4/3, -2/3
SELECT is(pg_temp.widths(spm.reconcile(node, parent, pg_temp.path(m, lower, upper), CASE WHEN node <> 'b' THEN '{1,1}'::float8[] ELSE '{-1,-1}' END, 'variance', false)),
    format('a -%1$s +%1$s, b -%2$s +%2$s, top -%2$s +%3$s', round(10 * sqrt(25 / 18.0), 4), round(10 * sqrt(13 / 18.0), 4), round(20 * sqrt(13 / 18.0), 4)), 'who pays for the errors of others has wider ones') FROM erring;
-- a sum without a forecast has limits, too: of parts with limits of 3 and 4
SELECT is(pg_temp.widths(spm.reconcile(n, 'top', pg_temp.path(ARRAY[m], ARRAY[m - w], ARRAY[m + w]), CASE n WHEN 'a' THEN '{1,1}'::float8[] ELSE e END)), want, format('a sum without a forecast has limits of those below it, who erred %s', about))
FROM (VALUES ('a', 60, 3), ('b', 40, 4)) v(n, m, w), (VALUES ('{1,-1}'::float8[], 'a -3.0000 +3.0000, b -4.0000 +4.0000, top -5.0000 +5.0000', 'independently'),
    ('{1,1}', 'a -3.0000 +3.0000, b -4.0000 +4.0000, top -7.0711 +7.0711', 'together'), ('{-1,-1}', 'a -3.0000 +3.0000, b -4.0000 +4.0000, top -0.0000 +0.0000', 'to and fro')) w(e, want, about)
GROUP BY want, about, e ORDER BY e;
SELECT is((SELECT string_agg(u.node, ', ') FROM unnest(spm.reconcile(n, 'top', pg_temp.path('{1}', '{0}', '{2}'))) u WHERE (u.path).lower IS NULL), 'top', 'but none, where of errors of the past nothing is known') FROM (VALUES ('a'), ('b')) v(n);

-- any order of rows, and in parallel
CREATE TABLE public.tree AS
SELECT i::text AS node, CASE WHEN i > 1 THEN (i / 4)::text END AS parent, ARRAY[(i * 7919 % 1009)::float8, i % 7] AS f, ARRAY(SELECT sin(i * t) + cos(t) FROM generate_series(1, 24) t) AS past
FROM generate_series(1, 2000) i WHERE i / 4 > 0 OR i = 1;
SELECT ok(pg_temp.adds_up(spm.reconcile(node, parent, f, past)), 'two thousand nodes add up') FROM public.tree WHERE node::int <= 300;
SELECT is(md5(spm.reconcile(node, parent, f, past ORDER BY hashtext(node))::text), md5(spm.reconcile(node, parent, f, past ORDER BY node DESC)::text), 'the order of rows changes no digit') FROM public.tree;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line LIKE '%Partial Aggregate%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
SELECT ok(pg_temp.is_partial('SELECT spm.reconcile(node, parent, f, past) FROM public.tree'), 'workers gather rows');
SELECT is((SELECT md5(spm.reconcile(node, parent, f, past)::text) FROM public.tree), (SELECT md5(spm.reconcile(node, parent, f, past ORDER BY node)::text) FROM public.tree), 'and give the same to the last digit');
RESET ALL; SET client_min_messages = warning;

-- what is refused
SELECT throws_ok('SELECT spm.reconcile(n, p, f) FROM (VALUES (''a'', NULL, ''{1}''::float8[]), (''a'', ''b'', ''{1}'')) t(n, p, f)', '21000', 'node "a" is there twice', 'a node that is there twice is refused');
SELECT throws_ok('SELECT spm.reconcile(n, p, f) FROM (VALUES (''a'', ''b'', ''{1}''::float8[]), (''b'', ''a'', ''{1}'')) t(n, p, f)', '22023', 'node "a" is above itself', 'a circle is refused');
SELECT throws_ok('SELECT spm.reconcile(n, n, f) FROM (VALUES (''a'', ''{1}''::float8[])) t(n, f)', '22023', 'node "a" is above itself', 'who is his own parent is refused');
SELECT throws_ok('SELECT spm.reconcile(NULL, NULL, f) FROM (VALUES (''{1}''::float8[])) t(f)', '22004', 'a node must have a name', 'a node without a name is refused');
SELECT throws_ok('SELECT spm.reconcile(n, p, f) FROM (VALUES (''a'', NULL, ''{1}''::float8[]), (''b'', ''a'', ''{1,2}'')) t(n, p, f)', '22023', 'all forecasts must have the same number of steps', 'forecasts of different length are refused');
SELECT throws_ok('SELECT spm.reconcile(n, p, f) FROM (VALUES (''a'', NULL, NULL::float8[]), (''b'', ''a'', ''{1,2}''), (''c'', ''a'', NULL)) t(n, p, f)', '22023', 'nothing tells the forecast of node "a"', 'what nothing tells is refused');
SELECT throws_ok('SELECT spm.reconcile(n, p, f, NULL, ''bottom_up'', false) FROM (VALUES (''a'', NULL, ''{5}''::float8[]), (''b'', ''a'', ''{1}''), (''c'', ''a'', NULL)) t(n, p, f)', '22023', 'nothing tells the forecast of node "c"', 'bottom-up must know all leaves');
SELECT throws_ok('SELECT spm.reconcile(n, p, f, e) FROM (VALUES (''a'', NULL, ''{5}''::float8[], ''{1,NaN}''::float8[]), (''b'', ''a'', ''{1}'', ''{NULL,1}'')) t(n, p, f, e)', '22023', 'no node has two errors of the past', 'one error tells nothing');
SELECT throws_ok('SELECT spm.reconcile(n, NULL, f, NULL, ''best'', false) FROM (VALUES (''a'', ''{5}''::float8[])) t(n, f)', '22023', 'forecasts cannot be reconciled by "best"', 'a method that nobody knows is refused');
SELECT throws_ok('SELECT spm.reconcile(n, NULL, f, NULL, n, false) FROM (VALUES (''ols'', ''{5}''::float8[]), (''mint'', ''{5}'')) t(n, f)', '22023', 'a tree is reconciled in one way', 'and two methods at once');
SELECT throws_ok('SELECT spm.reconcile(n, NULL, f) FROM (VALUES (''a'', ''{1,NaN}''::float8[])) t(n, f)', '22023', 'forecast 2 of node "a" is not a number up to 1e+30', 'a forecast that is no number is refused');
SELECT throws_ok('SELECT spm.reconcile(n, NULL, f) FROM (VALUES (''a'', ''{1,NULL}''::float8[])) t(n, f)', '22023', 'forecast 2 of node "a" is not a number up to 1e+30', 'or of which a step is missing');
SELECT throws_ok('SELECT spm.reconcile(n, NULL, f, e) FROM (VALUES (''a'', ''{1}''::float8[], ''{infinity}''::float8[])) t(n, f, e)', '22023', 'past value 1 of node "a" is not a number up to 1e+30', 'an infinite error is refused');
SELECT throws_ok($$SELECT spm.reconcile(node, parent, CASE node WHEN 'two' THEN ROW((f).method, 0.8, (f).period, (f).mean, (f).lower, (f).upper)::spm.forecast_path ELSE f END) FROM path$$,
    '22023', 'all limits must be of the same level', 'limits of different levels are refused');
SELECT throws_ok($$SELECT spm.reconcile(node, parent, CASE node WHEN 'two' THEN ROW((f).method, (f).level, (SELECT array_agg(x + interval '1 day') FROM unnest((f).period) x), (f).mean, (f).lower, (f).upper)::spm.forecast_path ELSE f END) FROM path$$,
    '22023', 'all forecasts must be for the same periods', 'forecasts for other periods are refused');

SELECT * FROM finish();
ROLLBACK;
