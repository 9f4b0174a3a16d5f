-- Exponential smoothing beside R: the fits of its package forecast 8.20, recomputed and found again.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
-- They are not part of the project: beside it, or where SPM_DATA says.
\getenv input PG_ABS_SRCDIR
\set data :input/../../../shared/data
\getenv data SPM_DATA
\set has_data `if [ -r :'data'/forecast/oracle_ets.csv ]; then echo 1; else echo 0; fi`
\if :has_data
\else
SELECT plan(1);
SELECT skip('R''s fits are not there; SPM_DATA names the folder that has forecast/oracle_ets.csv', 1);
SELECT * FROM finish();
\q
\endif
BEGIN;
SELECT no_plan();
\cd :data/forecast
CREATE TEMP TABLE oracle (series_id text, model text, m int, alpha float8, beta float8, gamma float8, phi float8, init text, loglik float8, aic float8, aicc float8, bic float8, mse float8, sigma2 float8,
    final text, mean text, lo95 text, hi95 text);
\copy oracle FROM 'oracle_ets.csv' (FORMAT csv, HEADER)
CREATE TEMP TABLE other (series_id text, m int, auto_arima text, auto_arima_aicc float8, auto_ets text, auto_ets_aicc float8, ndiffs int, nsdiffs int, alpha float8, drift float8, mean text, lo text, hi text);
\copy other FROM 'oracle_other.csv' (FORMAT csv, HEADER, NULL 'NA')
CREATE TEMP TABLE obs (series_id text, t int, value float8, test int);
\copy obs FROM PROGRAM 'gzip -dc obs.csv.gz | awk -F, "NR == FNR { id[\$1]; next } FNR == 1 || \$1 in id" oracle_ets.csv -' (FORMAT csv, HEADER)
CREATE TEMP TABLE fit AS
SELECT o.series_id, o.model, o.m, s.v, o.aicc, o.loglik, string_to_array(o.mean, ';')::float8[] AS mean, string_to_array(o.lo95, ';')::float8[] AS lower, string_to_array(o.hi95, ';')::float8[] AS upper,
    o.sigma2, array_remove(ARRAY[alpha, beta, gamma, phi], NULL) AS parameters,
    i.states[:i.n] || coalesce((SELECT array_agg(x ORDER BY k DESC) FROM unnest(i.states[i.n + 1:]) WITH ORDINALITY u(x, k)), '{}') AS states
FROM oracle o
JOIN (SELECT series_id, array_agg(value ORDER BY t) AS v FROM obs WHERE test = 0 GROUP BY 1) s USING (series_id),
    LATERAL (SELECT string_to_array(o.init, ';')::float8[], CASE WHEN o.beta IS NULL THEN 1 ELSE 2 END) i(states, n);
CREATE FUNCTION pg_temp.off(a float8[], b float8[]) RETURNS float8 LANGUAGE sql AS 'SELECT max(abs(x - y) / abs(y)) FROM unnest(a, b) u(x, y)';
CREATE TEMP TABLE again AS
SELECT f.model, abs(e.loglik - f.loglik) AS loglik, abs(e.aicc - f.aicc) AS aicc, abs(e.sigma2 / f.sigma2 - 1) AS sigma2, pg_temp.off(e.mean, f.mean) AS mean,
    greatest(pg_temp.off(e.lower, f.lower), pg_temp.off(e.upper, f.upper)) AS limits
FROM fit f, spm.ets_fixed(f.v, f.m, cardinality(f.mean), f.model, f.parameters, f.states) e;
SELECT is((SELECT count(*) FROM again), 204::bigint, 'R''s 204 fits of 15 forms are there');
SELECT is((SELECT count(*) FROM again WHERE NOT (loglik < 1e-8 AND aicc < 1e-8 AND sigma2 < 1e-8)), 0::bigint, 'their likelihood, AICc and variance come out the same, to 1e-8');
SELECT is((SELECT count(*) FROM again WHERE model <> 'MAdM' AND NOT mean < 1e-8), 0::bigint, 'so do their forecasts, but for MAdM');
SELECT is((SELECT count(*) FROM again WHERE model NOT IN ('ANA', 'MNA', 'MAdM') AND NOT limits < 1e-8), 0::bigint, 'and their limits, but for three forms');
SELECT is((SELECT count(*) FROM again WHERE model IN ('ANA', 'MNA') AND NOT limits < 0.03), 0::bigint, 'of which R lets two learn the season one period early: up to 3 % of a limit');
-- R's MAdM uses growth before it is damped, its other forms after: 0.3 % of a forecast.
SELECT is((SELECT count(*) FROM again WHERE model = 'MAdM' AND NOT (mean < 0.005 AND limits < 0.01)), 0::bigint, 'the third uses growth before it is damped: up to 0.5 % of a forecast');
SELECT is((SELECT count(*) FROM fit f, spm.ets(f.v, f.m, 1, f.model) e WHERE e.aicc > f.aicc + 0.01) < 11, true, 'of 204 fits of a given form at most 10 are found less likely than R finds them, by 0.01');
SELECT is((SELECT sum(e.aicc - f.aicc) < 0 FROM fit f, spm.ets(f.v, f.m, 1, f.model) e), true, 'and on the whole they are more likely');
SELECT is((SELECT count(*) FROM other o JOIN (SELECT DISTINCT series_id, v FROM fit) f USING (series_id), spm.ets(f.v, o.m, 1) e WHERE e.aicc > o.auto_ets_aicc + 0.01), 0::bigint,
    'no series is given a form with a larger AICc than R''s choice');
SELECT * FROM finish();
ROLLBACK;
