-- ARIMA models: by hand, of odd series, and beside those that R's forecast package has published for 16 series of M3.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
\getenv input PG_ABS_SRCDIR
\set data :input/../../../shared/data
\getenv data SPM_DATA
\set has_data `if [ -r :'data'/forecast/oracle_arima.csv ]; then echo 1; else echo 0; fi`
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE FUNCTION pg_temp.r(x float8) RETURNS numeric LANGUAGE sql AS 'SELECT round(x::numeric, 9)';
CREATE FUNCTION pg_temp.r(x float8[]) RETURNS numeric[] LANGUAGE sql AS 'SELECT array_agg(round(v::numeric, 9) ORDER BY i) FROM unnest(x) WITH ORDINALITY u(v, i)';

-- 1, 2, 3 with a coefficient of 1/2: squares are 3/4 * 1, 1.5 * 1.5 and 2 * 2, in all 7; the first value's variance is 4/3 of the others'
SELECT results_eq($$SELECT pg_temp.r(log_likelihood), pg_temp.r(sigma2), pg_temp.r(mean), pg_temp.r(upper) FROM spm.arima_at('{1,2,3}', '{1,0,0}', '{0.5}', horizon => 2)$$,
    $$SELECT pg_temp.r(-1.5 * (ln(2 * pi() * 7 / 3) + 1) + ln(0.75) / 2), 3.5, '{1.5,0.75}'::numeric[], pg_temp.r(ARRAY[1.5 + 1.959963984540054 * sqrt(3.5), 0.75 + 1.959963984540054 * sqrt(3.5 * 1.25)])$$,
    'an autoregression of three values is as by hand');
-- covariances 1.25 and 0.5: determinant 1.3125, squares (1.25 - 2 + 5) / 1.3125
SELECT is((SELECT pg_temp.r(log_likelihood) FROM spm.arima_at('{1,2}', '{0,0,1}', '{0.5}')), pg_temp.r(-(ln(2 * pi() * 4.25 / 1.3125 / 2) + 1) - ln(1.3125) / 2), 'so is a moving average of two');
-- steps of 2, 1, 4, 1: mean 2, squares about it 6
SELECT results_eq($$SELECT model, coefficient_names, pg_temp.r(estimates), pg_temp.r(sigma2), pg_temp.r(log_likelihood), pg_temp.r(mean), pg_temp.r(lower) FROM spm.arima_fit('{1,3,4,8,9}', '{0,1,0}', horizon => 2, constant => true, level => 0.8)$$,
    $$SELECT 'ARIMA(0,1,0) with drift', '{drift}'::text[], '{2}'::numeric[], 2.0, pg_temp.r(-2 * (ln(2 * pi() * 1.5) + 1)), '{11,13}'::numeric[], pg_temp.r(ARRAY[11 - 1.281551565544600 * sqrt(2), 13 - 1.281551565544600 * 2])$$,
    'a random walk drifts by its mean step, and its errors add up');
SELECT results_eq($$SELECT pg_temp.r(estimates), pg_temp.r(mean) FROM spm.arima_fit('{1,2,3,4,3,4,5,6,6,7,8,9}', '{0,0,0,0,1,0}', 4, 6, constant => true)$$,
    $$VALUES ('{0.625}'::numeric[], '{8.5,9.5,10.5,11.5,11,12}'::numeric[])$$, 'the last season comes again, with what a season has brought on the mean');
SELECT results_eq($$SELECT model, pg_temp.r(aicc) FROM spm.arima_fit('{3,5,4,6,5}', '{0,0,0}', constant => true)$$,
    $$SELECT 'ARIMA(0,0,0) with mean', pg_temp.r(5 * (ln(2 * pi() * 5.2 / 5) + 1) + 2.0 * 2 * 5 / 2)$$, 'AICc counts the mean and the variance');
-- two differences: forecasts go on in a line
SELECT is((SELECT pg_temp.r(mean) FROM spm.arima_fit('{1,4,2,8,5,9}', '{0,2,0}', horizon => 3)), '{13,17,21}', 'after two differences the last step comes again');

CREATE TEMP TABLE sales AS SELECT array_agg(round((100 + t + 20 * sin(t * pi() / 6) + ((t * 7919) % 31) / 3.0)::numeric, 2)::float8 ORDER BY t) AS y FROM generate_series(1, 96) t;
SELECT is((SELECT count(*) FROM sales, spm.arima_fit(y, '{1,1,1,0,1,1}', 12) f, spm.arima_at(y, '{1,1,1,0,1,1}', f.estimates, 12) a
    WHERE a.log_likelihood = f.log_likelihood AND a.aicc = f.aicc AND a.mean = f.mean), 1::bigint, 'a model read on with its own coefficients is the same');
SELECT is_empty($$SELECT i, step FROM sales, spm.arima_fit(y, '{1,1,0,1,0,0}', 12) f, generate_series(1, 2) i, (VALUES (-0.001), (0.001)) v(step),
    LATERAL (SELECT array_agg(e + CASE WHEN k = i THEN step ELSE 0 END ORDER BY k) AS c FROM unnest(f.estimates) WITH ORDINALITY u(e, k)) other,
    spm.arima_at(y, '{1,1,0,1,0,0}', other.c, 12) a WHERE a.log_likelihood > f.log_likelihood$$, 'no other coefficients are more likely than those of a fit');
SELECT is((SELECT (f.p).method LIKE 'ARIMA(%' AND (f.p).mean = a.mean AND (f.p).lower[1] < (f.p).mean[1] FROM sales, spm.arima(y, 12, 6) a, LATERAL (SELECT spm.forecast(y, 6, 12, method => 'arima') AS p OFFSET 0) f), true, 'it is a method of spm.forecast(), too');
SELECT is((SELECT pg_temp.r(b.mean[6] / a.mean[6]) FROM sales, spm.arima(y, 12, 6) a, spm.arima((SELECT array_agg(v * 1024 ORDER BY i) FROM unnest(y) WITH ORDINALITY u(v, i)), 12, 6) b), 1024.0, 'in another unit the forecast is the same');
SELECT is((SELECT spm.arima(y, 12, 6)::text FROM sales), (SELECT spm.arima(y, 12, 6)::text FROM sales), 'and it always is');

-- a diffuse start: a walk's first value has a variance of 1,000,001 shocks and does not count, its steps of 2, 1 and 4 have squares of 21
SELECT results_eq($$SELECT pg_temp.r(log_likelihood), pg_temp.r(sigma2), pg_temp.r(mean), pg_temp.r(upper) FROM spm.arima_at('{1,3,4,8}', '{0,1,0}', '{}', horizon => 2, start => 'diffuse')$$,
    $$SELECT pg_temp.r(-1.5 * (ln(2 * pi() * 7) + 1)), pg_temp.r((21 + 1 / 1000001.0::float8) / 3), '{8,8}'::numeric[], pg_temp.r(ARRAY[8 + 1.959963984540054 * sqrt((21 + 1 / 1000001.0::float8) / 3), 8 + 1.959963984540054 * sqrt((21 + 1 / 1000001.0::float8) / 1.5)])$$,
    'with a diffuse start a walk is as by hand');
-- drifts are from a value 0 before the first: 1 - 2, then what steps are off 2
SELECT results_eq($$SELECT pg_temp.r(log_likelihood), pg_temp.r(sigma2), pg_temp.r(mean) FROM spm.arima_at('{1,3,4,8,9}', '{0,1,0}', '{2}', horizon => 2, constant => true, start => 'diffuse')$$,
    $$SELECT pg_temp.r(-2 * (ln(2 * pi() * 1.5) + 1)), pg_temp.r((6 + 1 / 1000001.0::float8) / 3), '{11,13}'::numeric[]$$, 'so is one that drifts');
SELECT is((SELECT pg_temp.r(a.log_likelihood) FROM spm.arima_at('{1,2,3}', '{1,0,0}', '{0.5}', start => 'diffuse') a), (SELECT pg_temp.r(log_likelihood) FROM spm.arima_at('{1,2,3}', '{1,0,0}', '{0.5}')), 'without differences there is but one start');
SELECT is((SELECT array_agg(round(m::numeric, 6)) FROM spm.arima_at('{7,7,7,7,7}', '{0,1,1}', '{0.5}', horizon => 2, start => 'diffuse') a, unnest(a.mean) m), '{7,7}', 'and a constant goes on');

-- odd series
SELECT is((SELECT mean::text || upper::text FROM spm.arima('{7,7,7,7,7}', horizon => 2)), '{7,7}{7,7}', 'a constant goes on, and is sure');
SELECT is((SELECT mean::text || upper::text FROM spm.arima('{0,0,0,0,0,0,0,0,0,0,0,0}', 4, 2)), '{0,0}{0,0}', 'so does nothing');
SELECT is((SELECT model || ' ' || mean::text FROM spm.arima('{1,3,5,7,9,11}', horizon => 2)), 'ARIMA(0,1,0) with drift {13,15}', 'and a straight line');
SELECT is((SELECT bool_and(array_length(mean, 1) = 30 AND 'NaN' <> ALL (mean || lower || upper)) FROM generate_series(3, 40) n, (VALUES (1), (7), (12), (60), (365)) v(m),
    LATERAL (SELECT array_agg(((t * 7919) % 31)::float8 ORDER BY t) AS y FROM generate_series(1, n) t) s, spm.arima(y, m, 30)), true, 'from three values on there is a forecast, with any season');
SELECT is((SELECT bool_and('NaN' <> ALL (mean || lower || upper)) FROM spm.arima((SELECT array_agg(CASE WHEN t % 3 = 0 THEN 1e30 WHEN t % 3 = 1 THEN -1e-30 ELSE 0 END ORDER BY t) FROM generate_series(1, 60) t), 12, 12)), true, 'and of the largest numbers beside the smallest');
SELECT is((SELECT model FROM spm.arima(NULL)), NULL, 'nothing is known of nothing');

-- differences
SELECT is(spm.differences('{1,3,4,6,7,9,10,12,13,15,16,18}'), 1, 'a trend is differenced once');
SELECT is(spm.differences('{5,3,4,6,5,4,3,5,6,4,5,4}'), 0, 'a level is not');
SELECT is((SELECT spm.differences(array_agg((t * t * t)::float8 ORDER BY t)) FROM generate_series(1, 30) t), 2, 'and never more than twice');
SELECT is(spm.seasonal_differences('{1,5,2,4,2,6,3,5,3,7,4,6,4,8,5,7}', 4), 1, 'a strong season is differenced');
SELECT is(spm.seasonal_differences('{5,3,4,6,5,4,3,5,6,4,5,4}', 4), 0, 'a weak one is not');
SELECT is(spm.seasonal_differences('{1,5,2,4,2,6,3,5}', 4), 0, 'nor one that was seen twice only');

-- what is refused
SELECT throws_ok($$SELECT spm.arima('{1,2}')$$, '22023', 'the series is too short for this model', 'two values are refused');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{2,0,2}')$$, '22023', 'the series is too short for this model', 'so are more coefficients than five values bear');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{1,0}')$$, '22023', 'orders must be three or six numbers', 'orders are three or six');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{1,0,NULL}')$$, '22023', 'orders must be three or six numbers', 'all known');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{11,0,0}')$$, '22023', 'p must be from 0 to 10', 'and small');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{0,3,0}')$$, '22023', 'd must be from 0 to 2', 'differences even more so');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{0,0,0,1,0,0}')$$, '22023', 'a series without a season has no seasonal orders', 'seasonal orders need a season');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{0,0,0,3,0,0}', 500)$$, '54000', 'a model looks back at most 1000 values', 'and not one that is far too long');
SELECT throws_ok($$SELECT spm.arima_fit('{1,2,3,4,5}', '{0,2,0}', constant => true)$$, '22023', 'a model of second differences has no constant', 'a parabola is refused');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{1,0,0}', '{0.5,3}')$$, '22023', 'this model has 1 coefficient', 'coefficients are as many as the model has');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{1,0,0}', '{1.01}')$$, '22023', 'at these coefficients the model is not stationary, or not invertible', 'and stationary');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{0,0,1}', '{2}')$$, '22023', 'at these coefficients the model is not stationary, or not invertible', 'and invertible');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{1,0,0}', '{NaN}')$$, '22023', 'coefficient 1 is NaN', 'and numbers');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{1,0,0}', '{1.01}', start => 'diffuse')$$, '22023', 'at these coefficients the model is not stationary, or not invertible', 'with a diffuse start, too');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{0,1,0}', '{}', start => 'Diffuse')$$, '22023', 'there is no start "Diffuse"', 'another start is refused');
SELECT throws_ok($$SELECT spm.arima_at('{1,2,3,4,5}', '{0,0,0,0,2,0}', '{}', 1000, start => 'diffuse')$$, '54000', 'a diffuse start has at most 2000 states', 'and one that takes too many states');
SELECT throws_ok($$SELECT spm.arima_at('{1,2}', '{0,2,0}', '{}', start => 'diffuse')$$, '22023', 'the series is too short for this model', 'and nothing but first values');
SELECT throws_ok($$SELECT spm.arima('{1,2,NULL,4,5}')$$, '22004', 'value 3 is null', 'values are known');
SELECT throws_ok($$SELECT spm.arima('{1,2,3,4,5}', horizon => 0)$$, '22023', 'horizon must be from 1 to 10000 periods', 'a horizon of none is refused');
SELECT throws_ok($$SELECT spm.arima('{1,2,3,4,5}', level => 95)$$, '22023', 'level must be between 0 and 1', 'so is a level in percent');

-- beside R
\if :has_data
\cd :data/forecast
CREATE TEMP TABLE obs (series_id text, t int, value float8, test int);
\copy obs FROM PROGRAM 'gzip -dc obs.csv.gz' CSV HEADER
CREATE TEMP TABLE oracle (series_id text, m int, orders text, coef text, loglik float8, aicc float8, sigma2 float8, mean text, lo95 text, hi95 text);
\copy oracle FROM oracle_arima.csv CSV HEADER
CREATE TEMP TABLE other (series_id text, m int, auto_arima text, auto_arima_aicc float8, auto_ets text, auto_ets_aicc float8, ndiffs int, nsdiffs text,
    theta_alpha float8, theta_drift float8, theta_mean text, theta_lo95 text, theta_hi95 text);
\copy other FROM oracle_other.csv CSV HEADER
CREATE TEMP TABLE series AS SELECT series_id, array_agg(value ORDER BY t) AS y FROM obs WHERE test = 0 AND series_id IN (SELECT series_id FROM other) GROUP BY series_id;
CREATE TEMP TABLE beside AS
SELECT o.series_id, o.orders, string_to_array(o.orders, ',')::int[] AS n, o.loglik, o.aicc AS r_aicc, o.sigma2 AS r_sigma2, a.*, f.log_likelihood AS fit_log_likelihood,
    string_to_array(o.mean, ';')::float8[] AS r_mean, string_to_array(o.lo95, ';')::float8[] AS r_lower, string_to_array(o.hi95, ';')::float8[] AS r_upper
FROM oracle o JOIN series s USING (series_id),
    LATERAL (SELECT array_agg(split_part(c, '=', 2)::float8 ORDER BY i) AS c, o.coef LIKE '%intercept%' AS has_mean FROM string_to_table(o.coef, ';') WITH ORDINALITY u(c, i)) c,
    spm.arima_at(s.y, string_to_array(o.orders, ',')::int[], c.c, o.m, array_length(string_to_array(o.mean, ';'), 1), c.has_mean) a,
    spm.arima_fit(s.y, string_to_array(o.orders, ',')::int[], o.m, constant => c.has_mean) f;
SELECT is((SELECT count(*) FROM beside), 86::bigint, 'R has fitted 86 models');
SELECT is_empty($$SELECT series_id FROM beside WHERE n[2] + n[5] = 0 AND NOT (abs(log_likelihood - loglik) < 1e-8 AND abs(aicc - r_aicc) < 1e-8 AND abs(sigma2 / r_sigma2 - 1) < 1e-8)$$,
    'of those without differences log likelihood, AICc and variance are the same to 1e-8');
SELECT is_empty($$SELECT series_id, i FROM beside, generate_subscripts(mean, 1) i WHERE n[2] + n[5] = 0 AND
    greatest(abs(mean[i] - r_mean[i]), abs(lower[i] - r_lower[i]), abs(upper[i] - r_upper[i])) > 1e-8 * (abs(r_mean[i]) + r_upper[i] - r_lower[i])$$, 'and so are forecasts and limits');
-- R takes the first values of a series with differences for drawn with a variance of 1e6 times the shocks'; we take them as given, which is the limit of that.
SELECT is_empty($$SELECT series_id, orders FROM beside WHERE n[2] + n[5] > 0 AND (series_id, orders) <> ('M3.N1099', '1,0,1,1,1,0') AND NOT (abs(log_likelihood - loglik) < 0.006 AND abs(sigma2 / r_sigma2 - 1) < 0.01)$$,
    'with differences R''s prior leaves 0.006 of log likelihood, where it does not take a root of 0.99999 for another difference');
SELECT is_empty($$SELECT series_id, i FROM beside, generate_subscripts(mean, 1) i WHERE n[2] + n[5] > 0 AND (abs(mean[i] - r_mean[i]) > 1e-4 * abs(r_mean[i]) OR
    greatest(abs(lower[i] - r_lower[i]), abs(upper[i] - r_upper[i])) > 3e-3 * (r_upper[i] - r_lower[i]))$$, 'and forecasts and limits within 0.01 % and 0.3 %');
-- with R's own reading nothing is left: no fit of the 86 needs an exception, not even those with roots of 0.99999
CREATE TEMP TABLE alike AS
SELECT o.series_id, o.orders, o.loglik, o.r_aicc, o.r_sigma2, o.r_mean, o.r_lower, o.r_upper, a.*
FROM beside o JOIN series s USING (series_id) JOIN (SELECT DISTINCT series_id, m FROM oracle) m USING (series_id),
    spm.arima_at(s.y, o.n, o.estimates, m.m, array_length(o.r_mean, 1), o.coefficient_names && '{mean}', start => 'diffuse') a;
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE abs(log_likelihood / loglik - 1) < 1e-8 AND abs(aicc / r_aicc - 1) < 1e-8 AND abs(sigma2 / r_sigma2 - 1) < 1e-8) FROM alike$$,
    $$VALUES (86::bigint, 86::bigint)$$, 'with a diffuse start log likelihood, AICc and variance of all 86 are the same to 1e-8');
SELECT is_empty($$SELECT series_id, orders, i FROM alike, generate_subscripts(r_mean, 1) i WHERE abs(mean[i] / r_mean[i] - 1) > 1e-8 OR
    (greatest(abs(lower[i] - r_lower[i]), abs(upper[i] - r_upper[i])) <= 1e-8 * (r_upper[i] - r_lower[i])) IS NOT TRUE$$, 'and so are forecasts and limits');
SELECT is_empty($$SELECT series_id, orders FROM beside WHERE fit_log_likelihood < log_likelihood - 1e-6$$, 'of none of the 86 R has found coefficients that are more likely than ours');
CREATE TEMP TABLE chosen AS
SELECT o.*, a.*, spm.differences(s.y) AS d, spm.seasonal_differences(s.y, o.m)::text AS ds FROM other o JOIN series s USING (series_id), spm.arima(s.y, o.m) a;
SELECT is_empty($$SELECT series_id FROM chosen WHERE d <> ndiffs OR ds <> replace(nsdiffs, 'NA', '0')$$, 'differences are as many as R takes');
SELECT is_empty($$SELECT series_id, auto_arima, model, aicc - auto_arima_aicc FROM chosen WHERE aicc > auto_arima_aicc + 0.01$$, 'and of no series R finds an order with a better AICc');
\else
SELECT skip('the oracles are not there; SPM_DATA names the folder that has forecast/oracle_arima.csv', 10);
\endif
SELECT * FROM finish();
ROLLBACK;
