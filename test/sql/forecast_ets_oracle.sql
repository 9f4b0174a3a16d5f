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
-- The third, MAdM: R's formula for seasons that multiply takes growth before it is damped.  Here it is, for the state v = season x (level, growth)
-- of each place in the season, which an error e takes to (F + G e) v or, when the season is due, to (F + K e + gamma G e^2) v, K = gamma F + G.
-- What growth adds to a forecast is share x growth: phi in the model, and in all that R fits; 1 in R's class3(), F1 = [1 1; 0 phi], H1 = (1 1).
CREATE FUNCTION pg_temp.times(a float8[], v float8[], b float8[]) RETURNS float8[] LANGUAGE sql AS   -- a v b', of 2 x 2 by rows
$$SELECT ARRAY[c[1] * b[1] + c[2] * b[2], c[1] * b[3] + c[2] * b[4], c[3] * b[1] + c[4] * b[2], c[3] * b[3] + c[4] * b[4]]
FROM (SELECT ARRAY[a[1] * v[1] + a[2] * v[3], a[1] * v[2] + a[2] * v[4], a[3] * v[1] + a[4] * v[3], a[3] * v[2] + a[4] * v[4]]) AS x(c)$$;
CREATE FUNCTION pg_temp.total(a float8[], b float8[], factor float8) RETURNS float8[] LANGUAGE sql AS 'SELECT array_agg(x + factor * y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY u(x, y, i)';
CREATE FUNCTION pg_temp.ahead(parameters float8[], share float8, sigma2 float8, level float8, growth float8, season float8[], h int, OUT mean float8[], OUT deviation float8[]) LANGUAGE plpgsql AS $$
DECLARE
    gamma float8 := parameters[3];
    f float8[] := ARRAY[1, share, 0, parameters[4]];
    g float8[] := ARRAY[parameters[1], parameters[1] * share, parameters[2], parameters[2] * share];
    k float8[] := pg_temp.total(g, f, gamma);
    v float8[];     -- its mean
    w float8[];     -- the mean of v v'
    q float8;
BEGIN
    FOR j IN 1..least(cardinality(season), h) LOOP
        v := ARRAY[level * season[j], growth * season[j]];
        w := ARRAY[v[1] * v[1], v[1] * v[2], v[1] * v[2], v[2] * v[2]];
        FOR t IN 1..h LOOP
            IF (t - j) % cardinality(season) = 0 THEN
                mean[t] := v[1] + share * v[2];
                q := w[1] + share * (w[2] + w[3]) + share * share * w[4];
                deviation[t] := sqrt((1 + sigma2) * q - mean[t] * mean[t]);
                v := ARRAY[(f[1] + gamma * sigma2 * g[1]) * v[1] + (f[2] + gamma * sigma2 * g[2]) * v[2], gamma * sigma2 * g[3] * v[1] + (f[4] + gamma * sigma2 * g[4]) * v[2]];
                w := pg_temp.total(pg_temp.total(pg_temp.total(pg_temp.total(pg_temp.times(f, w, f), pg_temp.times(k, w, k), sigma2),
                    pg_temp.times(f, w, g), gamma * sigma2), pg_temp.times(g, w, f), gamma * sigma2), pg_temp.times(g, w, g), 3 * gamma * gamma * sigma2 * sigma2);
            ELSE
                v := ARRAY[v[1] + share * v[2], f[4] * v[2]];
                w := pg_temp.total(pg_temp.times(f, w, f), pg_temp.times(g, w, g), sigma2);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
CREATE TEMP TABLE damped AS
SELECT pg_temp.off(a.mean, f.mean) AS r_mean, greatest(pg_temp.off(limits.lower, f.lower), pg_temp.off(limits.upper, f.upper)) AS r_limits,
    pg_temp.off(b.mean, e.mean) AS mean, pg_temp.off(own.upper, e.upper) AS upper, more.fitted[cardinality(f.v) + 1] AS next_fitted, e.mean[1] AS next_mean
FROM fit f, spm.ets_fixed(f.v, f.m, cardinality(f.mean), f.model, f.parameters, f.states) e, spm.ets_fixed(f.v || f.v[1], f.m, 1, f.model, f.parameters, f.states) more,
    pg_temp.ahead(f.parameters, 1, e.sigma2, e.last_level, e.last_growth, e.last_season, cardinality(f.mean)) a,
    pg_temp.ahead(f.parameters, e.phi, e.sigma2, e.last_level, e.last_growth, e.last_season, cardinality(f.mean)) b,
    LATERAL (SELECT array_agg(x - 1.959963984540054 * d ORDER BY i), array_agg(x + 1.959963984540054 * d ORDER BY i) FROM unnest(a.mean, a.deviation) WITH ORDINALITY u(x, d, i)) limits(lower, upper),
    LATERAL (SELECT array_agg(x + 1.959963984540054 * d ORDER BY i) FROM unnest(b.mean, b.deviation) WITH ORDINALITY u(x, d, i)) own(upper)
WHERE f.model = 'MAdM';
SELECT is((SELECT count(*) > 10 FROM damped), true, 'and some of them are MAdM');
SELECT is((SELECT count(*) FROM damped WHERE NOT (r_mean < 1e-8 AND r_limits < 1e-8)), 0::bigint, 'the third uses growth before it is damped: so reckoned from our last states, its forecasts and limits are R''s to 1e-8');
SELECT is((SELECT count(*) FROM damped WHERE NOT (mean < 1e-10 AND upper < 1e-10)), 0::bigint, 'and with growth damped the same formula gives ours');
SELECT is((SELECT count(*) FROM damped WHERE NOT abs(next_fitted / next_mean - 1) < 1e-12), 0::bigint, 'ours is the model''s own: what it would have said of the next value, had that been there to fit');
SELECT is((SELECT count(*) FROM again WHERE model = 'MAdM' AND NOT (mean < 0.005 AND limits < 0.01)), 0::bigint, 'that makes 0.5 % of a forecast at most');
SELECT is((SELECT count(*) FROM fit f, spm.ets(f.v, f.m, 1, f.model) e WHERE e.aicc > f.aicc + 0.01) < 11, true, 'of 204 fits of a given form at most 10 are found less likely than R finds them, by 0.01');
SELECT is((SELECT sum(e.aicc - f.aicc) < 0 FROM fit f, spm.ets(f.v, f.m, 1, f.model) e), true, 'and on the whole they are more likely');
SELECT is((SELECT count(*) FROM other o JOIN (SELECT DISTINCT series_id, v FROM fit) f USING (series_id), spm.ets(f.v, o.m, 1) e WHERE e.aicc > o.auto_ets_aicc + 0.01), 0::bigint,
    'no series is given a form with a larger AICc than R''s choice');
SELECT * FROM finish();
ROLLBACK;
