-- Demand that mostly is nothing, and series with several seasons.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- intermittent demand: 6 every third month is 2 a month
CREATE FUNCTION pg_temp.says(demand text, method text, horizon int DEFAULT 1) RETURNS numeric[] LANGUAGE sql AS $$
    SELECT array_agg(round(m::numeric, 4) ORDER BY i) FROM unnest((spm.forecast(demand::float8[], horizon, method => says.method)).mean) WITH ORDINALITY u(m, i)
$$;
\set parts '{0,0,6,0,0,6,0,0,6,0,0,6,0,0,6,0,0,6,0,0,6,0,0,6}'
SELECT is(pg_temp.says(:'parts', 'croston', 3), '{2,2,2}', 'Croston divides sizes by intervals, and expects the same of each month');
SELECT is(pg_temp.says(:'parts', 'sba'), '{1.99}', 'SBA takes half its weight off: 1 % where nothing ever changes');
SELECT is(pg_temp.says(:'parts', 'adida'), '{2}', 'ADIDA smooths quarters');
SELECT ok((pg_temp.says(:'parts', m))[1] BETWEEN 1.8 AND 2.2, format('%s comes near to it', m)) FROM unnest('{tsb,imapa,intermittent,auto,light}'::text[]) m;
SELECT is(string_agg((spm.forecast(:'parts', 1, method => m)).method, ', ' ORDER BY o), 'intermittent, intermittent, Croston, TSB',
    'auto and light take the method that suits such demand; who names one gets it') FROM unnest('{auto,light,croston,tsb}'::text[]) WITH ORDINALITY u(m, o);
SELECT isnt((spm.forecast('{0,9,0,0,0,0,0,0,0,0,0,0,0,9,0,0,0,0,0,0,0,0,0,0,0,9,0,0,0,0,0,0,0,0,0,0,0,9,0,0,0,0,0,0,0,0,0,0}', 12, 12)).method, 'intermittent',
    'what comes each February is a season and no chance');

-- a long silence
SELECT ok(alive < croston / 3 AND alive > 0, 'the longer a part has not been asked for, the less it is expected, whatever Croston says')
FROM (SELECT (pg_temp.says(rtrim(:'parts', '}') || ',0,0,0,0,0,0,0,0,0,0,0,0}', 'auto'))[1] alive, (pg_temp.says(rtrim(:'parts', '}') || ',0,0,0,0,0,0,0,0,0,0,0,0}', 'croston'))[1] croston) s;
SELECT is_empty($$
    WITH m AS (SELECT zeros, (spm.forecast(array_cat('{3,0,2,0,0,4,0,1,0,0,0,5}', array_fill(0::float8, ARRAY[zeros])), 1)).mean[1] AS mean FROM generate_series(1, 30) zeros)
    SELECT * FROM m JOIN m AS l ON l.zeros = m.zeros + 3 WHERE l.mean >= m.mean
    $$, 'with each quarter of silence it is less');

-- limits
SELECT is((r.lower, r.upper), (0::float8, 6::float8), '9 of 10 months see between nothing and the only size there was') FROM spm.forecast_rows(spm.forecast(:'parts', 1, level => 0.9)) r;
SELECT ok(r.lower = 0 AND r.upper = r.mean AND r.mean < 6, 'and half of them nothing at all, but limits hold the mean') FROM spm.forecast_rows(spm.forecast(:'parts', 1, level => 0.5)) r;
SELECT ok(every(r.lower = 0 AND r.upper >= r.mean), 'limits begin with nothing and hold the mean')
FROM generate_series(1, 50) g, LATERAL (SELECT array_agg(CASE WHEN (hashint4(g * 100 + i) & 1023) < 300 THEN (hashint4(i * 77 + g) & 3) + 1 ELSE 0 END::float8 ORDER BY i) AS y FROM generate_series(1, 48) i) d,
    spm.forecast_rows(spm.forecast(d.y, 2, 12)) r;
SELECT ok(count(*) FILTER (WHERE y[61] <= r.upper) BETWEEN 930 AND 990, 'of 1,000 drawn demands about 95 % fall within')
FROM generate_series(1, 1000) g, LATERAL (SELECT array_agg(CASE WHEN (hashint4(g * 100 + i) & 1023) < 300 THEN (hashint4(i * 777 + g) & 3) + 1 ELSE 0 END::float8 ORDER BY i) AS y FROM generate_series(1, 61) i) d,
    spm.forecast_rows(spm.forecast(d.y[1:60], 1)) r;

SELECT is(array_agg(ARRAY[r.lower, r.upper] ORDER BY place), array_agg('{0,4000}'::float8[]), 'one order in eight months may come again, whichever month it was')
FROM generate_series(1, 8) place, LATERAL (SELECT array_agg((4000 * (t = place)::int)::float8 ORDER BY t) AS y FROM generate_series(1, 8) t) d, spm.forecast_rows(spm.forecast(d.y, 1)) r;
SELECT ok(max(r.mean) < 500 AND min(r.mean) > 0, 'and 500 a month are the most that is expected of it') FROM generate_series(1, 8) place, LATERAL (SELECT array_agg((4000 * (t = place)::int)::float8 ORDER BY t) AS y FROM generate_series(1, 8) t) d, spm.forecast_rows(spm.forecast(d.y, 1)) r;
SELECT ok((pg_temp.says('{4000,0,0,0,0,0,0,0}', 'auto'))[1] > 100, 'one demand does not tell how often it comes: a silence after it is no sure end');
SELECT ok(r.upper < 1, 'of what came every month but the third, then not for years, nothing is to be admitted') FROM spm.forecast_rows(spm.forecast(array_cat('{9,9,0,9,9,0,9,9}', array_fill(0::float8, '{24}')), 1)) r;

-- odd demand
SELECT is(pg_temp.says('{0,0,0,0}', m), '{0}', m || ': where nothing was, nothing is expected') FROM unnest('{croston,sba,tsb,adida,imapa,intermittent}'::text[]) m;
SELECT isnt((spm.forecast('{0,0,-3,0,0,2,0,0}', 1, method => m)).method, 'Croston', 'what falls below zero is no demand: a simpler method does it') FROM unnest('{croston}'::text[]) m;
SELECT ok((pg_temp.says('{0,0,0,0,0,0,0,8}', 'croston'))[1] = 1, 'a single demand after eight months is one eighth a month');

-- several seasons: three years of days with a week and a year
CREATE TEMP TABLE sale AS
SELECT date '2023-01-01' + i AS on_day, 300 + 20 * (i % 7 < 5)::int + 30 * sin(2 * pi() * i / 365) + ((hashint4(i) & 1023) - 512) / 30.0 AS amount FROM generate_series(0, 365 * 3 - 1) i;
CREATE TEMP VIEW comes AS
SELECT r.step, r.period, r.mean, r.lower, r.upper, r.method, 300 + 20 * ((365 * 3 + r.step - 1) % 7 < 5)::int + 30 * sin(2 * pi() * (365 * 3 + r.step - 1) / 365) AS truth
FROM (SELECT spm.forecast(on_day, amount, 90, '{"season": [7, 365]}') AS f FROM sale) s, spm.forecast_rows(s.f) r;
SELECT ok(avg(abs(mean - truth)) < 5, 'the week and the year go on: within 5 of what was meant, where each day was off by 9') FROM comes;
SELECT ok(every(method LIKE 'MSTL + %'), 'the name says that seasons were taken out first') FROM comes;
SELECT ok(avg((truth BETWEEN lower AND upper)::int) > 0.99 AND avg(upper - lower) BETWEEN 30 AND 90, 'limits are as wide as the days are off') FROM comes;
SELECT ok(avg(abs(w.mean - c.truth)) > 2 * avg(abs(c.mean - c.truth)), 'which a week alone does not give')
FROM comes c JOIN (SELECT r.step, r.mean FROM (SELECT spm.forecast(on_day, amount, 90, '{"season": 7}') AS f FROM sale) s, spm.forecast_rows(s.f) r) w USING (step);
SELECT is((SELECT count(DISTINCT f::text) FROM (SELECT spm.forecast(on_day, amount, 9, '{"season": [7, 365]}') AS f FROM (SELECT * FROM sale ORDER BY hashint4(on_day - date '2000-01-01') LIMIT 2000) s
    UNION ALL SELECT spm.forecast(on_day, amount, 9, '{"season": [7, 365]}') FROM sale) b), 1::bigint, 'in any order of rows to the last digit');
SELECT unalike((SELECT (spm.forecast(on_day, amount, 9, '{"season": [7, 365]}')).method FROM sale WHERE on_day < '2024-06-01'), 'MSTL%', 'a year that was not seen twice is left out');

-- seasons that a series shows by itself
SELECT is((SELECT spm.seasons(array_agg(amount ORDER BY on_day)) FROM sale), '{7,365}', 'days show their week and their year');
SELECT is((SELECT spm.seasons(spm.series(on_day, amount)) FROM sale), '{7,365}', 'and so do dated rows');
SELECT is((SELECT spm.seasons(spm.series(date '2023-01-01' + i * 7, 5)) FROM generate_series(1, 200) i), '{}', 'which show nothing, whatever the calendar has, if they never change');
SELECT is(spm.seasons(NULL::spm.series), NULL, 'of no series there are none');
SELECT is(spm.seasons(array_agg((d % 7 < 5)::int::float8 ORDER BY d)), '{7}', 'weekdays show their week') FROM generate_series(1, 70) d;
SELECT is(spm.seasons(array_agg(((hashint4(d) & 1023) + 3 * d)::float8 ORDER BY d)), '{}', 'chance and growth show none') FROM generate_series(1, 400) d;
SELECT is(spm.seasons('{5}'::float8[]), '{}', 'nor does a single value');
SELECT is(spm.seasons(array_fill(5::float8, '{1000}')), '{}', 'nor what never changes');
-- refused
SELECT throws_ok($$SELECT spm.seasons('{1,NULL,2}'::float8[])$$, '22004', 'value 2 is null', 'a missing value is refused');
SELECT throws_ok($$SELECT spm.seasons('{}'::float8[])$$, '22023', 'there are no values', 'no values are refused');
SELECT throws_ok($$SELECT spm.seasons('{1,NaN}'::float8[])$$, '22023', 'value 2 is NaN', 'what is no number is refused');

SELECT * FROM finish();
ROLLBACK;
