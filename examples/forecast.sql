/*
 * forecast.sql: from a table of orders to the months to come, in one query.
 *
 *   createdb sales && psql -d sales -f examples/forecast.sql
 */
\set ON_ERROR_STOP 1
\pset footer off

-- Your warehouse: three and a half years of orders, to the end of June 2026.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (order_id int PRIMARY KEY, ordered_on date, region text, amount numeric);
INSERT INTO shop.orders
SELECT i, day, region, round((300 + chance) * (1 + 0.005 * month) * (1 + 0.3 * cos((month - CASE region WHEN 'North' THEN 12 ELSE 10 END) * pi() / 6))::numeric, 2)
FROM (SELECT i, ('x' || substr(md5('o' || i), 1, 4))::bit(16)::int % 1000 AS chance, date '2023-01-01' + i * 7919 % 1277 AS day,
             CASE WHEN i % 5 < 3 THEN 'North' ELSE 'South' END AS region FROM generate_series(1, 5000) i) o,
    LATERAL (SELECT (extract(year FROM day) - 2023) * 12 + extract(month FROM day) AS month) m;

CREATE EXTENSION IF NOT EXISTS spm CASCADE;

-- 1. What will the second half of the year bring?  Orders as they are; they are added up by month.
SELECT r.period::date AS month, round(r.mean) AS expected, round(r.lower) AS at_least, round(r.upper) AS at_most
FROM (SELECT spm.forecast(ordered_on, amount, 6, '{"step": "month", "level": 0.8}') AS f FROM shop.orders) o, spm.forecast_rows(o.f) r;

-- 2. By region: a GROUP BY.  Limits hold 95 of 100 months when no level is given.
SELECT region, (f).method, round((f).mean[1]) AS july, round((f).lower[1]) AS at_least, round((f).upper[1]) AS at_most
FROM (SELECT region, spm.forecast(ordered_on, amount, 6, '{"step": "month"}') AS f FROM shop.orders GROUP BY region) o ORDER BY region;

-- 3. Would it have been right?  As of the end of 2025, beside what came since.
SELECT r.period::date AS month, round(r.mean) AS expected, round(a.amount) AS came, round(100 * (r.mean - a.amount) / a.amount) AS percent_off,
    a.amount BETWEEN r.lower AND r.upper AS within_limits
FROM (SELECT spm.forecast(ordered_on, amount, 6, '{"step": "month", "until": "2025-12-31"}') AS f FROM shop.orders) o, spm.forecast_rows(o.f) r,
    LATERAL (SELECT sum(amount)::float8 AS amount FROM shop.orders WHERE date_trunc('month', ordered_on) = r.period) a;

-- 4. Keep it, for dashboards and for the day when the truth is known.
INSERT INTO spm.forecast_series (name, series_key, as_of, method, level, period, mean, lower, upper)
SELECT 'sales by region', region, '2026-06-30', (f).*
FROM (SELECT region, spm.forecast(ordered_on, amount, 6, '{"step": "month", "until": "2026-06-30"}') AS f FROM shop.orders GROUP BY region) o;
SELECT series_key, period_on, round(mean) AS mean, round(lower) AS lower, round(upper) AS upper
FROM spm_bi.forecast WHERE series_name = 'sales by region' AND is_latest AND step <= 2 ORDER BY series_key, step;

-- What else there is to ask: SELECT * FROM spm.forecast_method(); and docs/forecast.md.
