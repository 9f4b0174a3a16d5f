-- What comes after a series: arrays, dated rows, options, forecasts that are kept.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- arrays
SELECT is((spm.forecast('{5,7,6,8}', 3, method => 'naive')).mean, '{8,8,8}', 'the naive method says the last value again');
SELECT is((spm.forecast('{5,7,6,8,9,8}', 4, 3, 'snaive')).mean, '{8,9,8,8}', 'with a season, the last season again');
SELECT is((spm.forecast('{5,7,6,8}', 3, method => 'naive')).method, 'naive', 'a forecast says by which method it is');
SELECT is((spm.forecast('{5,7,6,8}', 3)).level, 0.95::float8, 'limits hold 95 of 100 unless told otherwise');
SELECT is((spm.forecast('{5,7,6,8}', 3)).period, NULL, 'without dates there are no periods');
SELECT is(spm.forecast(y, 5, seasons => '{28,7,1}'), spm.forecast(y, 5, seasons => '{7,28}'), 'seasons go from the shortest to the longest, and 1 is none'),
    is(spm.forecast(y, 5, seasons => '{7}'), spm.forecast(y, 5, 7), 'one of them is a season'), is(spm.forecast(y, 5, seasons => '{}'), spm.forecast(y, 5), 'none of them is none'),
    is(spm.forecast(y::numeric[], 5, 7), spm.forecast(y, 5, 7), 'numeric values are values'),
    is((SELECT max(abs(v - 100 - 10 * (i % 7) - 20 * (i % 28 / 7)))::numeric(9,3) < 1 FROM unnest((spm.forecast(y, 56, seasons => '{7,28}')).mean) WITH ORDINALITY u(v, o), LATERAL (SELECT 280 + o::int AS i) n), true,
        'two seasons on top of each other go on as they are')
FROM (SELECT array_agg(100 + 10 * (i % 7) + 20 * (i % 28 / 7) ORDER BY i)::float8[] AS y FROM generate_series(1, 280) i) s;
SELECT ok(narrow.lower > wide.lower AND narrow.upper < wide.upper AND narrow.mean = wide.mean AND narrow.lower < narrow.mean AND narrow.upper > narrow.mean,
    'the more outcomes limits are to hold, the wider they are, around the same mean')
FROM spm.forecast_rows(spm.forecast('{5,7,6,8,5,9,6,7,8,9,4}', 1, level => 0.8)) narrow, spm.forecast_rows(spm.forecast('{5,7,6,8,5,9,6,7,8,9,4}', 1, level => 0.99)) wide;
SELECT results_eq($$SELECT step, period, mean, method FROM spm.forecast_rows(spm.forecast('{5,7,6,8}', 2, method => 'naive'))$$,
    $$VALUES (1, NULL::timestamp, 8::float8, 'naive'), (2, NULL, 8, 'naive')$$, 'its periods as rows');
SELECT is_empty($$SELECT * FROM spm.forecast_rows(NULL)$$, 'no forecast has no rows');
SELECT is(spm.forecast(NULL, 3), NULL, 'of nothing known nothing comes');
SELECT is((spm.forecast('{7}', 2)).mean, '{7,7}', 'a single value is said again');
SELECT is(round((spm.forecast(ARRAY(SELECT 5 + 3 * t FROM generate_series(0, 23) t), 10000, 12)).mean[10000]::numeric, 3), 30074.000, 'a straight line goes straight on, however far');
SELECT ok((spm.forecast(y || 1e6::float8, 10000, 3, method)).mean[1] = (spm.forecast(y || 1e6::float8, 1, 3, method)).mean[1]
    AND (SELECT max(mean) FROM unnest((spm.forecast(y || 1e6::float8, 10, 3, method)).mean) mean) < 1e7, 'no spike makes ' || method || ' explode, nor does the horizon change what comes next')
FROM (SELECT array_agg(1 + 0.01 * (t * 7 % 5)) AS y FROM generate_series(1, 42) t) s, unnest('{auto,light,ces,ets,etsmix,hw,MNM,MAM,MAdM}'::text[]) AS method;
SELECT is((spm.forecast('{0,0,0,0,0,0,0,0}', 2)).mean, '{0,0}', 'nothing but zeros stays 0');
SELECT is((spm.forecast('{4,4,4,4,4,4,4,4}', 2)).mean::numeric(9,6)[], '{4,4}', 'what never changes goes on');
SELECT ok(count(*) > 4 AND bool_and(about <> ''), 'the methods that there are can be asked for') FROM spm.forecast_method();
SELECT is_empty($$
    SELECT m.method, f FROM spm.forecast_method() m, (VALUES ('{3}'::float8[]), ('{3,4}'), ('{0,0,0}'), ('{5,5,5,5,5}'), ('{-1,2,-3,4,-5,6,-7,8,-9}'),
            ('{1e-30,1e30,1e-30,1e30,1e-30,1e30}'), ('{1e30,1e30,-1e30,1e30,1e30,1e30,1e30}'), ('{0,0,5,0,0,0,0,1,0,0,0,3,0,0,0,0,0,2}')) v(y), generate_series(1, 4, 3) s,
        spm.forecast(v.y, 5, s, m.method) f
    WHERE cardinality(f.mean) <> 5 OR f.mean && '{NaN,Infinity,-Infinity}' OR array_position(f.mean, NULL) IS NOT NULL OR f.lower && '{NaN}' OR f.upper && '{NaN}'
        OR EXISTS (SELECT FROM spm.forecast_rows(f) r WHERE NOT r.lower <= r.upper)
    $$, 'every method has an answer in numbers for every odd series');

-- dated rows: what a period is
CREATE FUNCTION pg_temp.first_of(dates text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(p, CASE WHEN p = date_trunc('day', p) THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD HH24:MI' END), ' ')
    FROM (SELECT spm.forecast(d::timestamp, 1, 2, options) AS f FROM string_to_table(dates, ' ') d) o, unnest((o.f).period) p
$$;
SELECT is(pg_temp.first_of('2026-01-01 2026-02-01 2026-03-01'), '2026-04-01 2026-05-01', 'firsts of months are months');
SELECT is(pg_temp.first_of('2026-01-31 2026-02-28 2026-03-31'), '2026-04-01 2026-05-01', 'last days of months, too');
SELECT is(pg_temp.first_of('2026-01-30 2026-02-27 2026-03-31 2026-04-30'), '2026-05-01 2026-06-01', 'and their last working days');
SELECT is(pg_temp.first_of('2026-01-01 2026-02-01 2026-12-01'), '2027-01-01 2027-02-01', 'and firsts of months of which many had no sale');
SELECT is(pg_temp.first_of('2026-01-01 2026-04-01 2026-10-01'), '2027-01-01 2027-04-01', 'quarters are found with one left out');
SELECT is(pg_temp.first_of('2024-07-01 2025-07-01'), '2026-07-01 2027-07-01', 'years of another beginning are such years');
SELECT is(pg_temp.first_of('2026-11-01 2026-11-08 2026-11-15'), '2026-11-22 2026-11-29', 'Sundays are weeks that begin on Sunday');
SELECT is(pg_temp.first_of('2026-11-18 2026-11-19 2026-11-20 2026-11-21'), '2026-11-22 2026-11-23', 'days are days');
SELECT is(pg_temp.first_of('2026-11-18T22:30 2026-11-18T23:30'), '2026-11-19 2026-11-19 01:00', 'hours are hours');
SELECT is(pg_temp.first_of('2026-01-13 2026-01-14 2026-03-02', '{"step": "month"}'), '2026-04-01 2026-05-01', 'orders of any day make months when told so');
SELECT is(pg_temp.first_of('2026-11-22', '{"step": "week"}'), '2026-11-23 2026-11-30', 'weeks that are told begin on Monday');
SELECT is(string_agg(pg_temp.first_of('2026-08-15', jsonb_build_object('step', s)), ', '),
    '2026-08-15 01:00 2026-08-15 02:00, 2026-08-16 2026-08-17, 2026-08-17 2026-08-24, 2026-09-01 2026-10-01, 2026-10-01 2027-01-01, 2027-01-01 2027-07-01, 2027-01-01 2028-01-01',
    'every step that there is goes on after the last period') FROM unnest('{hour,day,week,month,quarter,half,year}'::text[]) s;
SELECT is(pg_temp.first_of('1900-01-01 1900-03-01', '{"step": "day"}'), '1900-03-02 1900-03-03', '1900 has no leap day');
SELECT is((spm.forecast(d, 1, 1)).period, '{0044-03-01 BC}', 'years before ours are years') FROM unnest('{0046-03-15 BC,0045-03-15 BC}'::date[]) d;
SELECT is((spm.forecast(d, 1, 1, '{"step": "year"}')).period, '{10001-01-01}', 'and those of five digits') FROM unnest('{9998-05-01,10000-05-01}'::date[]) d;

-- dated rows: what is in a period; snaive over one period of season shows the series
CREATE FUNCTION pg_temp.series(dates text, amounts text, options jsonb DEFAULT '{}') RETURNS float8[] LANGUAGE sql AS $$
    WITH o AS (SELECT nullif(d, '-')::date AS d, nullif(v, '-')::float8 AS v FROM ROWS FROM (string_to_table(dates, ' '), string_to_table(amounts, ' ')) r(d, v)),
        n AS (SELECT count(*)::int AS n FROM generate_series((SELECT min(date_trunc('month', d)) FROM o), (SELECT coalesce((options ->> 'until')::date, max(d)) FROM o), '1 month'))
    SELECT (spm.forecast(d, v, 12, jsonb_build_object('step', 'month', 'method', 'snaive', 'season', n) || options)).mean[1:n] FROM o, n GROUP BY n
$$;
SELECT is(pg_temp.series('2026-01-05 2026-01-09 2026-02-01 2026-03-31', '1 2 4 8'), '{3,4,8}', 'orders of a month are added up');
SELECT is(pg_temp.series('2026-01-05 2026-04-09', '1 2'), '{1,0,0,2}', 'a month without orders has sold nothing');
SELECT is(pg_temp.series('2026-01-05 2026-04-09', '1 2', '{"until": "2026-06-15"}'), '{1,0,0,2,0,0}', 'nor have those after the last order, up to the last month that counts');
SELECT is(pg_temp.series('2026-01-05 2026-04-09 2026-05-31', '1 2 4', '{"until": "2026-04-01"}'), '{1,0,0,2}', 'and what comes after that one is left out');
SELECT results_eq($$SELECT u, cardinality((spm.series(h, 1, jsonb_build_object('step', 'hour', 'until', u))).value) FROM generate_series(timestamp '2026-06-01', '2026-06-04', '1 hour') h, unnest('{2026-06-02,2026-06-02 17:00}'::text[]) u GROUP BY u ORDER BY u$$,
    $$VALUES ('2026-06-02', 48), ('2026-06-02 17:00', 42)$$, 'a day that counts counts to its last hour, unless one is named');
SELECT is(pg_temp.series('2026-01-05 2026-04-09', '1 4', '{"gaps": "interpolate"}'), '{1,2,3,4}', 'gaps are bridged by a straight line when told so');
SELECT is(pg_temp.series('2026-01-05 2026-04-09', '1 4', '{"gaps": "last"}'), '{1,1,1,4}', 'or with the last value');
SELECT is(pg_temp.series('2026-01-05 2026-01-09 2026-03-05', '1 2 8', '{"combine": "mean"}'), '{1.5,4.75,8}', 'means of a period are bridged, since no price is not a price of 0');
SELECT is(pg_temp.series('2026-01-09 2026-01-05 2026-03-05', '2 1 8', '{"combine": "last", "gaps": "zero"}'), '{2,0,8}', 'the last value of a period is that of the last day');
SELECT is(pg_temp.series('2026-01-05 2026-02-05 2026-03-05 2026-04-01', '- 2 8 -'), '{0,2,8,0}', 'a row without a value makes its period part of the series');
SELECT is(pg_temp.series('2026-01-05 2026-02-05 - 2026-03-01', '1 2 - 3'), '{1,2,3}', 'a row with neither date nor value is none');
SELECT is(pg_temp.series('2026-01-05 2026-02-05', '1 2', '{"gaps": null, "until": null, "level": null}'), '{1,2}', 'an option that is null is not given');
SELECT is(spm.forecast(NULL::date, NULL::float8, 2), NULL, 'no rows have no forecast');
SELECT is(spm.forecast(d::date, 1, 2, '{"step": "month", "until": "2025-12-31"}'), NULL, 'nor have rows that are all too late') FROM generate_series(timestamp '2026-01-01', '2026-05-01', '1 month') d;

-- orders by md5: the aggregate is what plain SQL makes of them and the array function of that
CREATE TEMP TABLE ord AS
SELECT i, 'R' || i % 3 AS region, timestamptz '2021-01-01 00:30Z' + ('x' || substr(md5(i::text), 1, 7))::bit(28)::int % 1800 * interval '1 day 1 hour' AS at,
    (1 + ('x' || substr(md5('v' || i), 1, 5))::bit(20)::int % 100000) / 100.0 AS amount
FROM generate_series(1, 6000) i;
CREATE FUNCTION pg_temp.twin(region text, step text, zone text, m int) RETURNS spm.forecast_path LANGUAGE sql AS $$
    WITH p AS (SELECT date_trunc(step, at AT TIME ZONE zone) AS p, amount::float8 AS v, at FROM ord o WHERE o.region = twin.region),
        s AS (SELECT g, coalesce((SELECT sum(v ORDER BY at, v) FROM p WHERE p = g), 0) AS v
              FROM generate_series((SELECT min(p) FROM p), (SELECT max(p) FROM p), ('1 ' || step)::interval) g)
    SELECT spm.forecast(array_agg(v ORDER BY g), 6, m, 'light') FROM s
$$;
SELECT is_empty($$
    SELECT s.step, o.region FROM (VALUES ('day', 'UTC', 7), ('week', 'UTC', 1), ('month', 'Asia/Kolkata', 12), ('month', 'America/Los_Angeles', 12), ('year', 'Europe/Berlin', 1)) s(step, zone, m),
        LATERAL (SELECT region, spm.forecast(at, amount, 6, jsonb_build_object('step', step, 'zone', zone, 'season', m, 'method', 'light')) AS f FROM ord GROUP BY region) o,
        LATERAL pg_temp.twin(o.region, s.step, s.zone, s.m) t
    WHERE ((o.f).mean, (o.f).lower, (o.f).upper, (o.f).method) IS DISTINCT FROM (t.mean, t.lower, t.upper, t.method)
    $$, 'in every step and zone, orders make the series that plain SQL makes, to the last digit');
SELECT is((SELECT spm.forecast(at, amount::float8, 6, '{"step": "month"}') FROM ord), (SELECT spm.forecast(at, amount, 6, '{"step": "month"}') FROM ord), 'numeric amounts need no cast');
SELECT is((SELECT spm.forecast(at AT TIME ZONE 'UTC', amount, 6, '{"step": "month"}') FROM ord), (SELECT spm.forecast(at, amount, 6, '{"step": "month"}') FROM ord), 'without a zone, clocks are those of UTC');
SELECT is((SELECT spm.forecast((at AT TIME ZONE 'UTC')::date, amount, 6, '{"step": "month"}') FROM ord WHERE i < 3), (SELECT spm.forecast(at, amount, 6, '{"step": "month"}') FROM ord WHERE i < 3), 'and days do for months');
SELECT is((SELECT spm.forecast(at, amount, 2, '{"step": "day", "season": [365, 7, 1]}') FROM ord), (SELECT spm.forecast(at, amount, 2, '{"step": "day"}') FROM ord), 'days have a week and, where there are three, a year, unless told otherwise');
SELECT is((SELECT (spm.forecast(at::date, v, 1)).mean FROM (VALUES (date '2026-01-01', 0.1::numeric), ('2026-02-01', 123456789012345678901234567890.5), ('2026-03-01', -0.007)) v(at, v)),
    (SELECT (spm.forecast(at::date, v::float8, 1)).mean FROM (VALUES (date '2026-01-01', 0.1::numeric), ('2026-02-01', 123456789012345678901234567890.5), ('2026-03-01', -0.007)) v(at, v)), 'whatever their size');

-- nothing but the rows has a say
CREATE TEMP TABLE usual AS SELECT region, spm.forecast(at, amount, 6, '{"step": "month"}') AS f FROM ord GROUP BY region;
SELECT is_empty($$SELECT region, spm.forecast(at, amount, 6, '{"step": "month"}') FROM (SELECT * FROM ord ORDER BY md5(i::text)) o GROUP BY region EXCEPT SELECT * FROM usual$$,
    'the order of arrival changes no digit');
SELECT is_empty($$SELECT region, spm.forecast(at, amount, 6, '{"step": "month"}' ORDER BY at DESC, amount DESC) FROM ord GROUP BY region EXCEPT SELECT * FROM usual$$, 'nor does the order asked for');
SET LOCAL TimeZone = 'Pacific/Auckland';
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL IntervalStyle = 'sql_standard';
SET LOCAL extra_float_digits = 0;
CREATE TEMP TABLE elsewhere AS SELECT region, spm.forecast(at, amount, 6, '{"step": "month"}') AS f FROM ord GROUP BY region;
SELECT is((SELECT (spm.forecast(at, amount, 6, '{"step": "month", "until": "2024-02-01"}')).period[1] FROM ord), '2024-03-01', 'days in options are read as they are written, year first');
RESET TimeZone; RESET DateStyle; RESET IntervalStyle; RESET extra_float_digits;
SELECT is_empty('SELECT * FROM elsewhere EXCEPT SELECT * FROM usual', 'nor does any setting');
SELECT results_eq($$SELECT DISTINCT ON (region) region, spm.forecast(at, amount, 6, '{"step": "month"}') OVER (PARTITION BY region ORDER BY at, i ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM ord ORDER BY region$$,
    'SELECT * FROM usual ORDER BY region', 'it is a window function as well');
SELECT is_empty($$
    SELECT o.i FROM (SELECT i, at, (spm.forecast(at, amount, 2, '{"step": "month", "method": "naive"}') OVER (ORDER BY i)).mean FROM ord WHERE i <= 40) o,
        LATERAL (SELECT (spm.forecast(at, amount, 2, '{"step": "month", "method": "naive"}')).mean FROM ord p WHERE p.i <= o.i) p
    WHERE o.mean <> p.mean$$, 'whose frame may grow row by row, out of order');
SELECT is((SELECT count(DISTINCT o.mean) FROM (SELECT (spm.forecast(at, amount, 2, jsonb_build_object('step', 'month', 'method', 'naive', 'level', 0.5 + g / 1000.0))).mean FROM ord, generate_series(1, 200) g WHERE region = 'R0' GROUP BY g) o),
    1::bigint, 'each series may have options of its own');

-- kept
INSERT INTO spm.forecast_series (name, series_key, as_of, method, level, period, mean, lower, upper)
SELECT 'sales', region, '2026-03-31', (f).* FROM (
    SELECT r AS region, spm.forecast(d::date, v, 2, '{"method": "naive", "step": "month"}') AS f
    FROM unnest('{east,west}'::text[]) r, (VALUES ('2026-01-01', 3), ('2026-02-01', 5), ('2026-03-01', 4)) v(d, v) GROUP BY r) o;
INSERT INTO spm.forecast_series (name, series_key, as_of, method, level, period, mean, lower, upper)
VALUES ('sales', 'east', '2026-04-30', 'by hand', 0.9, '{2026-05-01}', '{7}', '{6.5}', '{7.5}');
SELECT results_eq($$SELECT series_key, as_of, is_latest, step, period_on, period_hour, mean, method FROM spm_bi.forecast WHERE series_name = 'sales' ORDER BY 1, 2, 4$$,
    $$VALUES ('east', date '2026-03-31', false, 1, date '2026-04-01', 0, 4.000000, 'naive'), ('east', '2026-03-31', false, 2, '2026-05-01', 0, 4.000000, 'naive'),
        ('east', '2026-04-30', true, 1, '2026-05-01', 0, 7.000000, 'by hand'), ('west', '2026-03-31', true, 1, '2026-04-01', 0, 4.000000, 'naive'), ('west', '2026-03-31', true, 2, '2026-05-01', 0, 4.000000, 'naive')$$,
    'forecasts that are kept are rows for BI, and the latest of a series is known');
SELECT throws_ok($$INSERT INTO spm.forecast_series (name, series_key, as_of, method, level, period, mean, lower, upper) SELECT name, series_key, as_of, method, level, period, mean, lower, upper FROM spm.forecast_series$$,
    '23505', NULL, 'a series has one forecast a day: a second is refused');
SELECT throws_ok(format($$INSERT INTO spm.forecast_series (name, as_of, method, level, period, mean, lower, upper) VALUES ('odd', %L, 'm', 0.9, %L, %L, %L, %L)$$, a, p, m, l, u), '23514', NULL, why || ' is refused')
FROM (VALUES ('infinity', '{2026-01-01}', '{1}', '{1}', '{1}', 'a forecast made at no day'), ('2026-01-01', '{infinity}', '{1}', '{1}', '{1}', 'a period that never begins'),
    ('2026-01-01', '{2026-01-01}', '{NaN}', '{1}', '{1}', 'a mean that is no number'), ('2026-01-01', '{2026-01-01}', '{NULL}', '{1}', '{1}', 'a mean that is not known'),
    ('2026-01-01', '{2026-01-01}', '{1}', '{1}', '{Infinity}', 'a limit without end'), ('2026-01-01', '{2026-01-01}', '{1}', '{-1e40}', '{NULL}', 'a number that no reader could be shown')) v(a, p, m, l, u, why);
INSERT INTO spm.forecast_series (name, as_of, method, level, period, mean, lower, upper)
SELECT 'single', '2026-01-31', (f).* FROM (SELECT spm.forecast(date '2026-01-01', 7, 2, '{"step": "month"}') AS f) s;
SELECT results_eq($$SELECT mean, lower, upper FROM spm_bi.forecast WHERE series_name = 'single'$$, $$VALUES (7.000000, NULL::numeric, NULL::numeric), (7, NULL, NULL)$$, 'limits that are not known are kept as such');

-- a cancel gets through
SET LOCAL statement_timeout = '200ms';
DO $$
BEGIN
    PERFORM spm.forecast(array_agg(sqrt(i) + (i::bigint * 7919 % 101)), 24, 12) FROM generate_series(1, 1000000) i;
    CREATE TEMP TABLE outcome AS SELECT 'done' AS how;
EXCEPTION WHEN query_canceled THEN
    CREATE TEMP TABLE outcome AS SELECT 'canceled' AS how;
END $$;
RESET statement_timeout;
SELECT is(how, 'canceled', 'a forecast of a million values can be cancelled') FROM outcome;

-- refused
SELECT throws_ok($$SELECT spm.forecast('{}', 3)$$, '22023', 'there are no values', 'no values are refused');
SELECT throws_ok($$SELECT spm.forecast('{1,NULL,3}', 3)$$, '22004', 'value 2 is null', 'a null is refused, by its number');
SELECT throws_ok($$SELECT spm.forecast('{1,NaN,3}', 3)$$, '22023', 'value 2 is NaN', 'and what is no number');
SELECT throws_ok($$SELECT spm.forecast('{1,Infinity}', 3)$$, '22023', 'value 2 is infinite', 'and what has no end');
SELECT throws_ok($$SELECT spm.forecast('{1e31}', 3)$$, '22023', 'value 1 is neither 0 nor from 1e-30 to 1e+30', 'and what is too large to be squared');
SELECT throws_ok($$SELECT spm.forecast('{{1,2},{3,4}}', 3)$$, '2202E', 'values must be an array of one dimension', 'and a matrix');
SELECT throws_ok($$SELECT spm.forecast('{1,2}', 0)$$, '22023', 'horizon must be from 1 to 10000 periods', 'and no period to come');
SELECT throws_ok($$SELECT spm.forecast('{1,2}', 1, 0)$$, '22023', 'season must be a whole number of periods from 1 to 10000', 'and a season of nothing');
SELECT throws_ok($$SELECT spm.forecast('{1,2}', 1, level => 1)$$, '22023', 'level must be between 0 and 1', 'and limits that hold all');
SELECT throws_ok($$SELECT spm.forecast('{1,2}', 1, method => 'oracle')$$, '22023', 'there is no method of forecasting "oracle"', 'and an unknown method');
CREATE FUNCTION pg_temp.refusal(options jsonb, horizon int DEFAULT 2) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; hint text;
BEGIN
    PERFORM spm.forecast(d, 1, horizon, options) FROM unnest('{2026-01-01,2026-02-01,2026-05-01}'::date[]) d;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s. %s', state, message, hint);
END $$;
SELECT is(pg_temp.refusal('{"stp": "month"}'), '22023: a forecast has no option "stp". Options are method, level, step, season, gaps, combine, until and zone.', 'an unknown option is refused');
SELECT is(pg_temp.refusal('[1]'), '22023: options of a forecast must be a JSON object. As in ''{"step": "month", "level": 0.8}''.', 'and options that are no object');
SELECT is(pg_temp.refusal(o::jsonb), format('22023: option "%s" of a forecast cannot be read. %s', n, h), format('%s is refused', o)) FROM (VALUES
    ('{"step": "decade"}', 'step', 'It is one of hour, day, week, month, quarter, half, year.'),
    ('{"step": 12}', 'step', 'It is one of hour, day, week, month, quarter, half, year.'),
    ('{"season": "12"}', 'season', 'It is a number of periods, or a few of them: 12, or [7, 365].'),
    ('{"season": {"m": 12}}', 'season', 'It is a number of periods, or a few of them: 12, or [7, 365].'),
    ('{"season": [7, "x"]}', 'season', 'It is a number of periods, or a few of them: 12, or [7, 365].'),
    ('{"season": [2,3,4,5,6,7,8,9,10]}', 'season', 'It is a number of periods, or a few of them: 12, or [7, 365].'),
    ('{"gaps": "none"}', 'gaps', 'It is one of zero, interpolate, last, refuse.'),
    ('{"combine": "max"}', 'combine', 'It is one of sum, mean, last.'),
    ('{"until": "31.12.2026"}', 'until', 'It is a day such as "2026-06-30", or an hour such as "2026-06-30 17:00".'),
    ('{"until": "2026-02-29"}', 'until', 'It is a day such as "2026-06-30", or an hour such as "2026-06-30 17:00".'),
    ('{"until": "2026-02-28 24:00"}', 'until', 'It is a day such as "2026-06-30", or an hour such as "2026-06-30 17:00".'),
    ('{"zone": "Mars/Olympus"}', 'zone', 'Names of time zones: SELECT name FROM pg_timezone_names;'),
    ('{"level": "high"}', 'level', 'It is a share such as 0.95.')) v(o, n, h);
SELECT is(pg_temp.refusal('{"season": [7, 7]}'), '22023: season 7 is given twice. ', 'the same season twice is refused');
SELECT throws_ok($$SELECT spm.forecast('{1,2}', 1, seasons => '{3,3}')$$, '22023', 'season 3 is given twice', 'for arrays, too');
SELECT throws_ok($$SELECT spm.forecast('{1,2}', 1, seasons => '{3,NULL}')$$, '22023', 'seasons must be an array of at most 8 numbers', 'a season that is null is refused');
SELECT is(pg_temp.refusal('{"season": 1.5}'), '22023: season must be a whole number of periods from 1 to 10000. 12 for months that repeat each year, 7 for days that repeat each week, 1 for none.', 'half a period is refused');
SELECT throws_ok($$SELECT spm.forecast('{1,2,3,2,4}', 1, level => 0.9999999999999999)$$, '22023', 'level must be between 0 and 1', 'a level so near 1 that nothing is left above the limits is refused');
SELECT is(pg_temp.refusal('{"gaps": "refuse"}'), '22004: a period of a series has no value. Option "gaps" says what such a period has: zero, interpolate or last.', 'a gap is refused when gaps are');
SELECT is(pg_temp.refusal('{}', 20000), '22023: horizon must be from 1 to 10000 periods. ', 'a horizon without end is refused');
SELECT throws_ok($$SELECT spm.forecast(date '2026-01-01', 1, 2)$$, '22023', 'the periods of a series cannot be told from its dates', 'one date alone is refused, where nothing says how long a period is');
SELECT throws_ok($$SELECT spm.forecast(d, 1, 2) FROM unnest('{2026-01-05,2026-01-06,2026-02-19,2026-06-30,2026-07-02}'::date[]) d$$, '22023', 'the periods of a series cannot be told from its dates',
    'and orders on any day are');
SELECT throws_ok($$SELECT spm.forecast(NULL::date, 5, 2)$$, '22004', 'a value has no date', 'an amount without a date is refused');
SELECT throws_ok($$SELECT spm.forecast(d, 5, 2) FROM unnest('{2026-01-01,infinity}'::date[]) d$$, '22008', 'a date of a series is infinite, or beyond what a timestamp holds', 'a date without end is refused');
SELECT throws_ok($$SELECT spm.forecast(d, 5, 2) FROM unnest('{2026-01-01,-infinity}'::timestamptz[]) d$$, '22008', 'a date of a series is infinite, or beyond what a timestamp holds', 'or without beginning');
SELECT throws_ok($$SELECT spm.forecast(date '5874897-01-01', 5, 2)$$, '22008', 'a date of a series is infinite, or beyond what a timestamp holds', 'or that no timestamp holds');
SELECT throws_ok($$SELECT spm.forecast(date '294276-12-01', 5, 2, '{"step": "month"}')$$, '22008', 'a forecast reaches beyond what a timestamp holds', 'a forecast beyond the end of time is refused');
SELECT throws_ok($$SELECT spm.forecast(date '2026-01-01', 'NaN'::float8, 2)$$, '22023', 'value is NaN', 'an amount that is no number is refused');
SELECT throws_ok($$SELECT spm.forecast(date '2026-01-01', 'Infinity'::numeric, 2)$$, '22023', 'value is infinite', 'in numeric, too');
SELECT throws_ok($$SELECT spm.forecast(d, 1e30, 2, '{"step": "year"}') FROM unnest('{2026-01-01,2026-02-01}'::date[]) d$$, '22023', 'value of the year that begins 2026-01-01 00:00:00 is neither 0 nor from 1e-30 to 1e+30', 'and a sum that is too large');
SELECT throws_ok($$SELECT spm.forecast(d, 5, 2, '{"step": "hour"}') FROM unnest('{2026-01-01,9026-01-01}'::date[]) d$$, '54000', 'a series has at most 1000000 periods', 'a date in the wrong millennium is refused');
SELECT throws_ok($$SELECT spm.forecast(date '2026-01-01', 5, NULL)$$, '22004', 'horizon must not be null', 'a horizon that is null is refused');
SELECT throws_ok($$SELECT spm.forecast(date '2026-01-01', 5, i) FROM generate_series(1, 2) i$$, '22023', 'horizon must be the same for all rows of a series', 'and one that changes within a series');
SELECT throws_ok($$SELECT spm.forecast(date '2026-01-01', 5, 2, jsonb_build_object('level', 0.1 * i)) FROM generate_series(1, 2) i$$, '22023', 'options must be the same for all rows of a series', 'and options that do');

-- a line without noise: methods that find it have no width, all others have limits that hold it
SELECT is_empty($$
    SELECT y.name, m.method, r.step, r.mean, r.lower, r.upper
    FROM (VALUES ('rising', 0, 1), ('high', 100, 1), ('falling', 100, -1), ('huge', 0, 3e28), ('tiny', 0, 1e-28), ('flat', 7, 0)) y(name, a, b), spm.forecast_method() m,
        LATERAL (SELECT array_agg(a + b * t ORDER BY t) FROM generate_series(1, 30) t) s(line), spm.forecast_rows(spm.forecast(s.line, 3, method => m.method)) r
    WHERE m.method <> 'sba' AND a + b * (30 + r.step) NOT BETWEEN r.lower - 1e-9 * abs(r.mean) AND r.upper + 1e-9 * abs(r.mean)$$, 'what follows a line without noise lies within the limits of every method');
SELECT results_eq($$
    SELECT m, round((r.upper - r.lower)::numeric, 2) > 0 FROM unnest('{auto,light,dotm,ets,holt,ces,comb,hw}'::text[]) m,
        LATERAL (SELECT array_agg(t::float8 ORDER BY t) FROM generate_series(1, 30) t) s(line), spm.forecast_rows(spm.forecast(s.line, 1, method => m)) r ORDER BY 1$$,
    $$VALUES ('auto', false), ('ces', true), ('comb', true), ('dotm', false), ('ets', false), ('holt', false), ('hw', true), ('light', false)$$, 'which have no width where it is found, and have one where it is not');

SELECT * FROM finish();
ROLLBACK;
