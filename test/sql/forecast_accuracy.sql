-- How far forecasts were off.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- worked out by hand: 90 for 100, 230 for 200
CREATE TEMP TABLE two AS SELECT * FROM (VALUES (100, 90, 110), (200, 230, 260)) t(actual, forecast, naive);
SELECT is((SELECT spm.mae(actual, forecast) FROM two), 20::float8, 'off by 10 and by 30 is off by 20');
SELECT is((SELECT spm.rmse(actual, forecast) FROM two), sqrt(500::float8), 'and by the root of 500 in squares');
SELECT is((SELECT spm.wape(actual, forecast) FROM two), 40 / 300::float8, '40 of 300');
SELECT is((SELECT spm.bias(actual, forecast) FROM two), 20 / 300::float8, 'of which 20 too much on the whole');
SELECT is((SELECT spm.bias(-actual, -forecast) FROM two), -20 / 300::float8, 'too little where all is negative');
SELECT is((SELECT spm.mape(actual, forecast) FROM two), 0.125::float8, 'a tenth and three twentieths');
SELECT is((SELECT round(spm.smape(actual, forecast)::numeric, 12) FROM two), round((2000 / 190.0 + 6000 / 430.0) / 2, 12), 'each over the mean of both');
SELECT is((SELECT spm.mase(actual, forecast, 40) FROM two), 0.5::float8, 'in multiples of 40');
SELECT is((SELECT spm.rmsse(actual, forecast, 10) FROM two), sqrt(5::float8), 'squares in multiples of 10');
SELECT is((SELECT round(spm.owa(actual, forecast, naive, 10)::numeric, 12) FROM two),
    round(((2000 / 190.0 + 6000 / 430.0) / (2000 / 210.0 + 12000 / 460.0) + 40 / 70.0) / 2, 12), 'the mean of two ratios to the naive forecast');
SELECT is((SELECT spm.pinball(actual, forecast, 0.9) FROM two), 6::float8, 'too low costs nine times too high, for a quantile of 0.9');
SELECT is((SELECT spm.pinball(actual, forecast, 0.5) FROM two), 10::float8, 'for the median it is half the mean error');
CREATE TEMP TABLE limits AS SELECT * FROM (VALUES (100, 80, 110), (200, 210, 250)) t(actual, lower, upper);
SELECT is((SELECT spm.coverage(actual, lower, upper) FROM limits), 0.5::float8, 'one of two lies within its limits');
SELECT is((SELECT spm.coverage(actual, actual, actual) FROM limits), 1::float8, 'what lies on a limit lies within');
SELECT is((SELECT spm.coverage(actual, '-infinity', 'infinity') FROM limits), 1::float8, 'limits that are none always hold');
SELECT is((SELECT round(spm.msis(actual, lower, upper, 10)::numeric, 12) FROM limits), 23.5, 'widths of 30 and 40, and 40 times the 10 outside');
SELECT is((SELECT round(spm.msis(actual, lower, upper, 10, 0.8)::numeric, 12) FROM limits), 8.5, '10 times at a level of 0.8');
SELECT is((SELECT round(spm.brier(won, p)::numeric, 12) FROM (VALUES (true, 0.8), (false, 0.4)) t(won, p)), 0.1, 'probabilities are off by their squares');
SELECT is((SELECT spm.brier(won, won::int) FROM (VALUES (true), (false)) t(won)), 0::float8, 'and not at all where all was known');

-- nothing, NULL and zero
SELECT is((SELECT ARRAY[spm.mae(a, f), spm.rmse(a, f), spm.wape(a, f), spm.bias(a, f), spm.mape(a, f), spm.smape(a, f), spm.mase(a, f, 1), spm.rmsse(a, f, 1),
    spm.owa(a, f, f, 1), spm.pinball(a, f, 0.5), spm.coverage(a, f, f), spm.msis(a, f, f, 1), spm.msis(a, f, f, 1, 0.8), spm.brier(a > 0, f)]
    FROM (VALUES (1, NULL), (NULL, 1)) t(a, f)), array_fill(NULL::float8, ARRAY[14]), 'nothing is told of rows that lack something');
SELECT is((SELECT spm.mae(a, f) FROM (VALUES (1, 3), (NULL, 1), (7, NULL)) t(a, f)), 2::float8, 'a row with a NULL is left out');
SELECT is((SELECT spm.mase(a, 3, s) FROM (VALUES (1, 2), (1, NULL)) t(a, s)), 1::float8, 'and so is one without a scale');
SELECT is((SELECT ARRAY[spm.wape(0, f), spm.bias(0, f), spm.mape(0, f)] FROM generate_series(1, 3) f), '{NULL,NULL,NULL}'::float8[], 'where nothing was sold there is no percentage');
SELECT is((SELECT spm.mape(a, 2) FROM (VALUES (0), (4)) t(a)), 0.5::float8, 'a month without sales has none and counts for nothing');
SELECT is((SELECT spm.smape(a, f) FROM (VALUES (0, 0), (0, 5)) t(a, f)), 100::float8, 'nothing of nothing is no error, something of nothing is 200');
SELECT is((SELECT spm.owa(a, a, a, 1) FROM generate_series(1, 3) a), NULL::float8, 'nothing is better than what is never off');
SELECT is((SELECT spm.mae(a, f) FROM (VALUES (1.5::numeric, 2::bigint), (2.5, 2)) t(a, f)), 0.5::float8, 'any kind of number will do');

-- scales
SELECT is(spm.mase_scale('{100,110,100,130}'), 50 / 3.0::float8, 'the value before is off by 10, 10 and 30');
SELECT is(spm.mase_scale('{100,110,100,130}', 2), 10::float8, 'that of two before by 0 and 20');
SELECT is(spm.rmsse_scale('{100,110,100,130}', 2), sqrt(200::float8), 'or in squares');
SELECT is(ARRAY[spm.mase_scale('{}'), spm.mase_scale('{1}'), spm.mase_scale('{1,2}', 2), spm.rmsse_scale('{3,3,3}'), spm.mase_scale('{1,2}', NULL)], '{NULL,NULL,NULL,NULL,NULL}'::float8[],
    'a series that is too short or never changes has none');

-- against plain SQL in numeric
CREATE TABLE public.sample AS
SELECT i, (i * 7919 % 1009 - 100)::numeric / 7 AS actual, (i * 104729 % 997 - 100)::numeric / 7 AS forecast, (1 + i % 13)::numeric AS scale
FROM generate_series(1, 20000) i;
SELECT is((SELECT ARRAY[round(spm.mae(actual, forecast)::numeric, 9), round(spm.rmse(actual, forecast)::numeric, 9), round(spm.wape(actual, forecast)::numeric, 9),
        round(spm.bias(actual, forecast)::numeric, 9), round(spm.smape(actual, forecast)::numeric, 9), round(spm.mase(actual, forecast, scale)::numeric, 9),
        round(spm.rmsse(actual, forecast, scale)::numeric, 9), round(spm.pinball(actual, forecast, 0.3)::numeric, 9),
        round(spm.msis(actual, forecast, forecast + 20, scale, 0.9)::numeric, 9)] FROM public.sample),
    (SELECT ARRAY[round(avg(abs(actual - forecast)), 9), round(sqrt(avg((actual - forecast) ^ 2)), 9), round(sum(abs(actual - forecast)) / sum(abs(actual)), 9),
        round(sum(forecast - actual) / sum(abs(actual)), 9), round(avg(coalesce(200 * abs(actual - forecast) / nullif(abs(actual) + abs(forecast), 0), 0)), 9),
        round(avg(abs(actual - forecast) / scale), 9), round(sqrt(avg(((actual - forecast) / scale) ^ 2)), 9),
        round(avg((actual - forecast) * (0.3 - (actual < forecast)::int)), 9),
        round(avg((20 + 20 * (greatest(forecast - actual, 0) + greatest(actual - forecast - 20, 0))) / scale), 9)] FROM public.sample),
    'twenty thousand rows agree with the definitions in SQL');

-- in any order, and in parallel
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line LIKE '%Partial Aggregate%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
CREATE TEMP TABLE call AS SELECT ordinality AS i, c FROM unnest('{"mae(actual, forecast","rmse(actual, forecast","pinball(actual, forecast, 0.9","wape(actual, forecast","bias(actual, forecast",
    "mape(actual, forecast","smape(actual, forecast","mase(actual, forecast, scale","rmsse(actual, forecast, scale","owa(actual, forecast, actual + 20, scale",
    "coverage(actual, forecast, forecast + 20","msis(actual, forecast, forecast + 20, scale","msis(actual, forecast, forecast + 20, scale, 0.9","brier(actual > 20, scale / 13"}'::text[]) WITH ORDINALITY c;
SELECT ok(pg_temp.is_partial(format('SELECT spm.%s) FROM public.sample', c)), 'workers share the work of ' || split_part(c, '(', 1)) FROM call ORDER BY i;
SELECT format('SELECT is((SELECT spm.%1$s) FROM public.sample), (SELECT spm.%1$s ORDER BY hashint4(i::int)) FROM public.sample), %2$L)', c,
    'workers and another order give the same ' || split_part(c, '(', 1) || ' to the last digit') FROM call ORDER BY i \gexec
RESET ALL; SET client_min_messages = warning;
SELECT is((SELECT spm.bias(a, f) FROM (VALUES (1e15, 1e15), (0.25, 0.5), (-1e15, -1e15), (3.75, 3.75)) t(a, f)), 0.25 / 2000000000000004::float8, 'what is small is not lost beside what is large');

-- what is refused
SELECT throws_ok('SELECT spm.mae(v, 1) FROM (VALUES (float8 ''NaN'')) t(v)', '22023', 'actual value cannot be NaN', 'what is no number is refused');
SELECT throws_ok('SELECT spm.wape(1, v) FROM (VALUES (float8 ''infinity'')) t(v)', '22023', 'forecast cannot be infinite', 'and what is infinite');
SELECT throws_ok('SELECT spm.rmse(v, 1) FROM (VALUES (1e200)) t(v)', '22003', 'errors of forecasts are too large to be summed', 'numbers beyond all sums are refused');
SELECT throws_ok('SELECT spm.mase(v, 1, 0) FROM (VALUES (1)) t(v)', '22023', 'scale must be greater than 0', 'a scale of 0 is refused');
SELECT throws_ok('SELECT spm.msis(v, 1, 2, -1) FROM (VALUES (1)) t(v)', '22023', 'scale must be greater than 0', 'or a negative one');
SELECT throws_ok('SELECT spm.coverage(v, 2, 1) FROM (VALUES (1)) t(v)', '22023', 'lower limit must not be above the upper', 'limits the wrong way round are refused');
SELECT throws_ok('SELECT spm.msis(v, 1, 2, 1, 95) FROM (VALUES (1)) t(v)', '22023', 'level must lie between 0 and 1', 'a level is a share, not a percentage');
SELECT throws_ok('SELECT spm.pinball(v, 1, 0) FROM (VALUES (1)) t(v)', '22023', 'probability must lie between 0 and 1', 'nothing is exceeded always');
SELECT throws_ok('SELECT spm.brier(v, 1.5) FROM (VALUES (true)) t(v)', '22023', 'probability must be from 0 to 1', 'a probability is at most 1');
SELECT throws_ok('SELECT spm.mase_scale(''{1,NULL}'')', '22004', 'values must not be null', 'a scale of values with gaps is refused');
SELECT throws_ok('SELECT spm.mase_scale(''{1,2}'', 0)', '22023', 'season must be at least 1', 'and a season of none');
SELECT throws_ok('SELECT spm.rmsse_scale(''{1,NaN}'')', '22023', 'value 2 is not finite', 'and a value that is no number');

SELECT * FROM finish();
ROLLBACK;
