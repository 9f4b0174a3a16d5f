-- Exponential smoothing: models by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();
CREATE FUNCTION pg_temp.rounded(numbers float8[], digits int) RETURNS numeric[] LANGUAGE sql
    AS 'SELECT array_agg(round(x::numeric, digits) ORDER BY i) FROM unnest(numbers) WITH ORDINALITY u(x, i)';

-- worked out by hand: half of each error goes to the level
SELECT results_eq($$SELECT fitted, mean, last_level, sigma2 FROM spm.ets_fixed('{10,14,8}', 1, 2, 'ANN', '{0.5}', '{10}')$$,
    $$VALUES ('{10,10,12}'::float8[], '{10,10}'::float8[], 10::float8, 32::float8)$$, 'a level takes its share of each error, 4 and -4; one of three values is left to tell their variance');
SELECT is((SELECT pg_temp.rounded(upper, 6) FROM spm.ets_fixed('{10,14,8}', 1, 2, 'ANN', '{0.5}', '{10}')),
    ARRAY[round((10 + 1.959963984540054 * sqrt(32))::numeric, 6), round((10 + 1.959963984540054 * sqrt(32 * 1.25))::numeric, 6)],
    'limits grow with what a level may learn by then');
SELECT is((SELECT pg_temp.rounded(lower, 6) FROM spm.ets_fixed('{10,14,8}', 1, 1, 'ANN', '{0.5}', '{10}', 0.5)),
    ARRAY[round((10 - 0.674489750196082 * sqrt(32))::numeric, 6)], 'half of all outcomes lie within narrower ones');
SELECT results_eq($$SELECT fitted, last_level, last_growth, mean FROM spm.ets_fixed('{10,13,18}', 1, 2, 'AAN', '{0.5,0.25}', '{8,2}')$$,
    $$VALUES ('{10,12,14.75}'::float8[], 16.375::float8, 3.0625::float8, '{19.4375,22.5}'::float8[])$$, 'a trend takes a share, too');
SELECT results_eq($$SELECT pg_temp.rounded(fitted, 9), pg_temp.rounded(mean, 9) FROM spm.ets_fixed('{10,10}', 1, 3, 'AAdN', '{0.5,0.25,0.9}', '{8,2}')$$,
    $$SELECT pg_temp.rounded(fitted, 9), pg_temp.rounded(ARRAY[q + 0.9 * b, q + 1.71 * b, q + 2.439 * b], 9)
      FROM (SELECT ARRAY[f1, f2], f2 + 0.5 * (10 - f2), 0.9 * b1 + 0.25 * (10 - f2)
            FROM (SELECT 9.8::float8, 1.85::float8, 9.8 + 0.1 + 0.9::float8 * 1.85) s(f1, b1, f2)) t(fitted, q, b)$$, 'and a damped one fades');
SELECT results_eq($$SELECT fitted, last_level, last_season, mean FROM spm.ets_fixed('{30,10,34}', 2, 2, 'ANA', '{0.5,0.25}', '{20,10,-10}')$$,
    $$VALUES ('{30,10,30}'::float8[], 22::float8, '{-10,11}'::float8[], '{12,33}'::float8[])$$, 'a season adds what its place in it does, and learns');
SELECT results_eq($$SELECT fitted, last_level, last_season, form FROM spm.ets_fixed('{30,10,36}', 2, 1, 'ETS(M,N,M)', '{0.5,0.25}', '{20,1.5,0.5}')$$,
    $$VALUES ('{30,10,30}'::float8[], 22::float8, '{0.5,1.575}'::float8[], 'ETS(M,N,M)'::text)$$, 'or multiplies');

-- what is found
SELECT results_eq($$SELECT form, mean FROM spm.ets('{10,12,14,16,18,20,22,24}', horizon => 2)$$, $$VALUES ('ETS(A,A,N)', '{26,28}'::float8[])$$, 'a line goes on');
SELECT results_eq($$SELECT form, mean, upper FROM spm.ets('{7,7,7,7,7,7,7,7}', horizon => 2)$$, $$VALUES ('ETS(A,N,N)', '{7,7}'::float8[], '{7,7}'::float8[])$$, 'what never changed stays');
SELECT results_eq($$SELECT form, mean FROM spm.ets('{1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}', 4, 5)$$, $$VALUES ('ETS(A,N,A)', '{1,2,3,4,1}'::float8[])$$, 'a season comes again');
SELECT results_eq($$SELECT form, mean FROM spm.ets('{0,0,0,0,0,0,0,0}', horizon => 2)$$, $$VALUES ('ETS(A,N,N)', '{0,0}'::float8[])$$, 'nothing is a forecast, too');
SELECT is((SELECT bool_and(x.mean = e.mean AND x.fitted = e.fitted AND x.lower = e.lower) FROM (SELECT array_agg(100 + 3 * t + 20 * sin(t) + (t * t) % 7 ORDER BY t) FROM generate_series(1, 60) t) s(v),
    unnest('{ANN,AAN,AAdN,MNN,MAN,MAdN,ANA,AAA,AAdA,MNA,MAA,MAdA,MNM,MAM,MAdM}'::text[]) f, spm.ets(v, 4, 8, f) e,
    spm.ets_fixed(v, 4, 8, e.form, array_remove(ARRAY[e.alpha, e.beta, e.gamma, e.phi], NULL), array_remove(ARRAY[e.first_level, e.first_growth], NULL) || coalesce(e.first_season, '{}')) x),
    true, 'a model that was found says the same when its parameters and states are given');
SELECT is((SELECT bool_and(e.is_stable AND e.alpha BETWEEN 0.0001 AND 0.9999 AND (e.beta <= e.alpha) IS NOT FALSE AND (e.gamma <= 1 - e.alpha) IS NOT FALSE AND (e.phi BETWEEN 0.8 AND 0.98) IS NOT FALSE)
    FROM generate_series(1, 30) k, LATERAL (SELECT array_agg(100 + (k * t * t) % (10 + k) + k % 5 * t ORDER BY t) FROM generate_series(1, 40 + k) t) s(v), spm.ets(v, 4, 8) e), true,
    'a model that is found is stable, and its parameters are in the usual region');
SELECT is((SELECT e.aicc FROM spm.ets_fixed('{1,5}', 1, 1, 'ANN', '{0.5}', '{1}') e), 'infinity', 'a model with as many parameters as values has no AICc');
SELECT is((SELECT count(e) FROM spm.ets(NULL) e WHERE e IS NOT NULL), 0::bigint, 'no series, no model');

-- as a method of spm_methods: each form by its name
SELECT is((SELECT count(*) FROM (SELECT array_agg(100 + 3 * t + t % 4 + (t * t) % 7 ORDER BY t) FROM generate_series(1, 60) t) s(v), spm.ets(v, 4, 8) a, unnest('{ANN,MAdM,AAA}'::text[]) f, spm.ets(v, 4, 8, f) e
    WHERE e.aicc < a.aicc - 0.01), 0::bigint, 'no form is better than the one that is chosen');

-- refused
SELECT throws_ok($$SELECT spm.ets('{1,2,3}')$$, '22023', 'ETS(A,N,N) needs 5 values at least', 'too few values are refused');
SELECT throws_ok($$SELECT spm.ets('{}')$$, '22023', 'there are no values', 'and none at all');
SELECT throws_ok($$SELECT spm.ets('{1,2,NULL,4,5,6}')$$, '22004', 'value 3 is null', 'gaps are refused');
SELECT throws_ok($$SELECT spm.ets('{1,2,NaN,4,5,6}')$$, '22023', 'value 3 is NaN', 'and what is no number');
SELECT throws_ok($$SELECT spm.ets('{1,2,1e200,4,5,6}')$$, '22023', 'value 3 is neither 0 nor from 1e-30 to 1e+30', 'or too large a one');
SELECT throws_ok($$SELECT spm.ets('{{1,2},{3,4}}')$$, '2202E', 'values must be an array of one dimension', 'or a table');
SELECT throws_ok($$SELECT spm.ets('{1,2,3,4,5,6,7,8}', model => 'AAM')$$, '22023', 'there is no model "AAM"', 'a form that is none is refused');
SELECT throws_ok($$SELECT spm.ets('{1,2,3,4,5,6,7,8,9,9,9,9,9}', model => 'AAA')$$, '22023', 'ETS(A,A,A) needs a season', 'a season without a period');
SELECT throws_ok($$SELECT spm.ets('{1,2,3,4,0,6,7,8,9}', model => 'MAN')$$, '22023', 'ETS(M,A,N) needs values above 0', 'errors in proportion to nothing');
SELECT throws_ok($$SELECT spm.ets('{1,2,3,4,5,6,7,8,9}', 52)$$, '22023', 'season must be from 1 to 24', 'a season that is too long to search for');
SELECT throws_ok($$SELECT spm.ets('{1,2,3,4,5,6,7,8,9}', horizon => 0)$$, '22023', 'horizon must be from 1 to 10000 periods', 'no horizon');
SELECT throws_ok($$SELECT spm.ets('{1,2,3,4,5,6,7,8,9}', level => 1)$$, '22023', 'level must be between 0 and 1', 'limits that hold everything');
SELECT throws_ok($$SELECT spm.ets_fixed('{1,2}', 1, 1, 'AAdN', '{0.5,0.1}', '{1,0}')$$, '22023', 'ETS(A,Ad,N) has the parameters alpha, beta, phi', 'parameters that are missing are named');
SELECT throws_ok($$SELECT spm.ets_fixed('{1,2}', 4, 1, 'ANA', '{0.5,0.1}', '{1,0}')$$, '22023', 'ETS(A,N,A) has the states level and 4 of a season', 'and so are states');
SELECT throws_ok($$SELECT spm.ets_fixed('{1,2}', 1, 1, 'MNN', '{0.5}', '{0}')$$, '22003', 'the model does not hold for these values', 'a model that forecasts 0 cannot be in proportion to it');

SELECT * FROM finish();
ROLLBACK;
