-- What the past of a series tells: backtests, parts, unusual values.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SET LOCAL DateStyle = 'ISO';
SELECT no_plan();

-- dated rows as a series
SELECT is(spm.series(d, v), ROW('month', '{2026-01-01,2026-02-01,2026-03-01}'::timestamp[], '{5,0,9}'::float8[], '{12}'::int[])::spm.series, 'rows of a month are added up, and a month without is 0')
FROM (VALUES (date '2026-03-01', 7), ('2026-01-01', 5), ('2026-03-01', 2)) t(d, v);
SELECT is(spm.series(d, v, '{"step": "quarter", "season": [4, 8], "until": "2026-12-31"}'),
    ROW('quarter', '{2026-01-01,2026-04-01,2026-07-01,2026-10-01}'::timestamp[], '{5,0,9,0}'::float8[], '{4,8}'::int[])::spm.series, 'options are those of forecasts')
FROM (VALUES (timestamp '2026-08-01 12:00', 9), ('2026-01-31', 5)) t(d, v);
SELECT is((spm.series(d, 1, '{"zone": "America/New_York", "step": "day"}')).period[1], timestamp '2026-01-31', 'and moments are those of the zone') FROM (VALUES (timestamptz '2026-02-01 02:00Z')) t(d);
SELECT is(spm.series(d, 1), NULL, 'of no rows there is no series') FROM (SELECT current_date WHERE false) t(d);

-- backtests of the naive method can be told by hand
SELECT results_eq($$SELECT origin, step, actual, mean, method_used FROM spm.backtest(ARRAY[5,7,6,8,9,8,10,11], 2, 3, method => 'naive')$$,
    $$VALUES (4, 1, 9::float8, 8::float8, 'naive'), (4, 2, 8, 8, 'naive'), (5, 1, 8, 9, 'naive'), (5, 2, 10, 9, 'naive'), (6, 1, 10, 8, 'naive'), (6, 2, 11, 8, 'naive')$$,
    'each origin forecasts what follows it from what came before');
SELECT results_eq($$SELECT step, round(spm.wape(actual, mean)::numeric, 6) FROM spm.backtest(ARRAY[5,7,6,8,9,8,10,11], 2, 3, method => 'naive') GROUP BY step ORDER BY step$$,
    $$VALUES (1, round(4 / 27.0, 6)), (2, round(4 / 29.0, 6))$$, 'so that errors can be measured by steps ahead');
CREATE TEMP TABLE monthly AS
SELECT (date '2020-01-01' + t * interval '1 month')::date AS d, t, 200 + t + 30 * sin(t * pi() / 6) + (hashint4(t) % 97) / 10.0 AS v FROM generate_series(0, 71) t;
SELECT results_eq($$SELECT origin, step, round(mean::numeric, 6), round(lower::numeric, 6), method_used FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, spm.backtest(y, 3, 4, 12, 'dotm', 0.8)$$,
    $$SELECT o, r.step, round(r.mean::numeric, 6), round(r.lower::numeric, 6), r.method FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, generate_series(66, 69) o, spm.forecast_rows(spm.forecast(y[1:o], 3, 12, 'dotm', 0.8)) r ORDER BY 1, 2$$,
    'a backtest is what the forecast would have been, to the last limit');
SELECT results_eq($$SELECT origin, step, period, round(actual::numeric, 6), round(mean::numeric, 6) FROM (SELECT spm.series(d, v) AS s FROM monthly) q, spm.backtest(s, 3, 2, 'dotm')$$,
    $$SELECT date '2020-01-01' + (origin - 1) * interval '1 month', step, date '2020-01-01' + (origin - 1 + step) * interval '1 month', round(actual::numeric, 6), round(mean::numeric, 6)
        FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, spm.backtest(y, 3, 2, 12, 'dotm')$$, 'with dates and the season of months, where there are dates');
SELECT is((SELECT array_agg(DISTINCT origin) FROM spm.backtest(ARRAY[1,2,3,4], 2, 10, method => 'naive')), '{1,2}', 'a short series has fewer origins');
SELECT is((SELECT count(*) FROM spm.backtest(ARRAY(SELECT v FROM monthly ORDER BY d), 2, 2, '{12,24}'::int[], 'dotm')), 4::bigint, 'several seasons can be given');
SELECT is((SELECT count(*) FROM spm.backtest(NULL::float8[], 2)), 0::bigint, 'of NULL there is no backtest');
SELECT results_eq($$SELECT rep, b.origin, b.step, b.mean FROM (VALUES ('old', '{1,2,3,4}'::float8[]), ('new', '{7}'), ('three', '{5,6,7}')) s(rep, y), spm.backtest(y, 3, 5, method => 'naive') b$$,
    $$VALUES ('old', 1, 1, 1::float8), ('old', 1, 2, 1), ('old', 1, 3, 1)$$, 'who has no more values than the horizon gives no rows, and the others theirs');

-- errors in the sample
SELECT is(spm.forecast_errors(ARRAY[5,7,6,8], method => 'naive'), '{NULL,2,-1,2}', 'the naive method expects the value before');
SELECT is(spm.forecast_errors(ARRAY[5,7,6,8,9,9], 2, 'snaive'), '{NULL,NULL,1,1,3,1}', 'or that of the season before');
SELECT is(spm.forecast_errors(spm.series(d, v), 'snaive') , (SELECT array_agg(v - p ORDER BY d) FROM (SELECT d, v, lag(v, 12) OVER (ORDER BY d) AS p FROM monthly) l), 'whose season may be that of the dates') FROM monthly;
SELECT is((SELECT array_agg(e IS NULL) FROM unnest((spm.forecast_errors(ARRAY[4.2,3.2,4.5,4.8,4.5,4.5,3.0,2.2,3.4,3.3,3.1,1.8,3.0,3.8,4.0,4.4,3.8,3.1,2.7,3.0,1.0,1.1,1.5,2.2], 12, m))[1:4]) e), '{t,t,t,f}', format('%s tells nothing of the three values that its first level was free to meet', m))
FROM (VALUES ('dotm'), ('light'), ('auto')) v(m);
SELECT is(cardinality(spm.forecast_errors(y, 12)), 72, 'each value has an error') FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s;

-- what it is made of
SELECT is((SELECT max(abs(value - trend - seasonal - remainder)) < 1e-9 AND max(abs(seasonal - seasons[1])) = 0 AND count(*) = 72 FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, spm.decompose(y, '{12}')), true,
    'parts add up to the series');
SELECT is((SELECT ARRAY[max(abs(trend - 200 - t))::numeric(9,1), max(abs(seasonal - 30 * sin((t - 1) * pi() / 6)))::numeric(9,1)] FROM spm.decompose(ARRAY(SELECT 200 + t + 30 * sin((t - 1) * pi() / 6) FROM generate_series(1, 72) t), '{12}')), '{0.0,0.0}',
    'a trend and a season are found as they are');
SELECT is((SELECT round(max(abs(seasons[1] - 3 * (t % 2)::float8 + 1.5))::numeric, 1) FROM spm.decompose(ARRAY(SELECT 3 * (t % 2) + 5 * sin(t * pi() / 12) FROM generate_series(1, 240) t), '{2,24}')), 0.0, 'so are two, each by itself');
SELECT is((SELECT ARRAY[d.period::date, '2020-01-01']::date[] FROM (SELECT spm.series(d, v) AS s FROM monthly) q, spm.decompose(s) d LIMIT 1), '{2020-01-01,2020-01-01}', 'dated rows have dated parts');
SELECT is((SELECT array_agg(DISTINCT cardinality(seasons)) FROM spm.decompose(ARRAY[1,2,1,2,1], '{1,3,2}')), '{1}', 'a season that is not seen twice is left out');
SELECT is((SELECT season_found FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, spm.series_strength(y)), '{12}', 'a season is found where nobody says it');
SELECT results_eq($$SELECT season_found, round(season_strength[1]::numeric, 2) > 0.9, trend_strength > 0.9 FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, spm.series_strength(y, '{12}')$$, $$VALUES ('{12}'::int[], true, true)$$, 'with its strength, and that of the trend');
SELECT is((SELECT spm.series_strength(s) FROM (SELECT spm.series(d, v) AS s FROM monthly) q), (SELECT spm.series_strength(y, '{12}') FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) q), 'dated rows have the season of months');
SELECT is((SELECT count(*) FROM spm.decompose(NULL::float8[])), 0::bigint, 'of NULL there are no parts');

SELECT is((SELECT array_agg(DISTINCT spm.seasons(ARRAY(SELECT 5 + .3 * t + t % p FROM generate_series(1, n) t)) = ARRAY[p]) FROM unnest('{2,3,5,12}'::int[]) p, unnest('{60,999,1001}'::int[]) n), '{t}', 'a season without noise is found alone');

-- what is unusual
SELECT is((SELECT array_agg(t) FROM spm.anomaly(ARRAY[5,6,5,7,6,5,6,60,6,5,7,6,5,6,5,6,7,6,5,6]) WHERE is_anomaly), '{8}', 'sixty among sixes is unusual');
SELECT is((SELECT array_agg(a.period::date ORDER BY a.period) FROM (SELECT spm.series(d, v + CASE t WHEN 30 THEN 60 WHEN 71 THEN -50 ELSE 0 END) AS s FROM monthly) q, spm.anomaly(s) a WHERE a.is_anomaly), '{2022-07-01,2025-12-01}',
    'a good July and a bad December are told from the season, also at the end');
SELECT is((SELECT bool_and(is_anomaly = (value < lower OR value > upper)) AND bool_and(is_anomaly = (abs(score) > 3.3)) FROM (SELECT spm.series(d, v + 90 * (t = 7)::int) AS s FROM monthly) q, spm.anomaly(s) a), true, 'unusual is what lies beyond its limits');
SELECT is((SELECT count(*) FROM (SELECT array_agg(v ORDER BY d) AS y FROM monthly) s, spm.anomaly(y, '{12}') WHERE is_anomaly), 0::bigint, 'where nothing is unusual nothing is called so');
SELECT is((SELECT count(*) FROM spm.anomaly(ARRAY[5,5,5,5,5,5,5,5,5]) WHERE is_anomaly), 0::bigint, 'nor where all is the same');
SELECT is((SELECT array_agg(is_anomaly) FROM spm.anomaly(ARRAY[1,100,1])), '{NULL,NULL,NULL}', 'of three values nothing can be said');
SELECT is((SELECT count(*) FROM spm.anomaly(NULL::float8[])), 0::bigint, 'nor of NULL');

-- a picture
CREATE FUNCTION pg_temp.drawn(svg text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(m[1], ' ' ORDER BY n) FROM regexp_matches(svg, '>(\d{4}-\d\d-\d\d)<', 'g') WITH ORDINALITY AS r (m, n)
$$;
CREATE TEMP TABLE picture AS SELECT spm.series(d, v) AS past, spm.forecast(d, v, 2, '{"method": "naive"}') AS path FROM monthly;
SELECT is((SELECT pg_temp.drawn(spm.forecast_svg(past, path)) FROM picture), '2020-01-01 2026-02-01', 'a picture tells its first and last period');
SELECT is((SELECT pg_temp.drawn(spm.forecast_svg(NULL, path)) FROM picture), '2026-01-01 2026-02-01', 'of a forecast alone, its own');
SELECT is((SELECT pg_temp.drawn(spm.forecast_svg(past, NULL)) FROM picture), '2020-01-01 2025-12-01', 'of the past alone, its own');
SELECT is(spm.forecast_svg(NULL, NULL), NULL, 'of nothing there is no picture');
SET LOCAL datestyle = 'SQL, DMY';
SELECT is((SELECT pg_temp.drawn(spm.forecast_svg(past, path)) FROM picture), '2020-01-01 2026-02-01', 'whatever way of writing dates is set');
RESET datestyle;

-- what is refused
SELECT throws_ok('SELECT spm.backtest(ARRAY[1,2,3], 0)', '22023', NULL, 'a horizon of nothing is refused');
SELECT throws_ok('SELECT spm.backtest(ARRAY[1], 9, 0)', '22023', 'there must be at least one origin', 'and a backtest of nothing');
SELECT throws_ok('SELECT spm.backtest(ARRAY[1,2,3], 1, 1, 1, ''oracle'')', '22023', 'there is no method of forecasting "oracle"', 'a method that nobody knows is refused');
SELECT throws_ok('SELECT spm.decompose(ARRAY[1,NULL,3])', '22004', 'value 2 is null', 'a gap is refused');
SELECT throws_ok('SELECT spm.decompose(ARRAY[1,2,3], ''{0}'')', '22023', 'season must be a whole number of periods from 1 to 10000', 'a season of none is refused');
SELECT throws_ok('SELECT spm.decompose(ARRAY[1,2,3], ''{2,2}'')', '22023', 'season 2 is given twice', 'so is one given twice');
SELECT throws_ok('SELECT spm.backtest(ARRAY[1,2,3], 1, 1, ''{2,NULL}''::int[])', '22023', 'seasons must be an array of at most 8 numbers', 'and one that is null');
SELECT throws_ok('SELECT spm.anomaly(ARRAY[1,2,3], level => 99.9)', '22023', 'level must be between 0 and 1', 'a level is a share, not a percentage');
SELECT throws_ok('SELECT spm.series(d, 1) FROM (VALUES (date ''infinity'')) t(d)', '22008', NULL, 'an infinite day is refused');

SELECT * FROM finish();
ROLLBACK;
