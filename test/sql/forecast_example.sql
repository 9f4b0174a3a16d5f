-- What examples/forecast.sql shows, from orders to months to come: its shape here, its figures by plain SQL.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
\i examples/forecast.sql
\o
\pset format unaligned
\pset tuples_only true
\set ECHO all
SELECT no_plan();
SELECT results_eq($$SELECT series_name, series_key, count(*), min(period_on), max(period_on), bool_and(is_latest), bool_and(lower < mean AND mean < upper) FROM spm_bi.forecast GROUP BY 1, 2 ORDER BY 2$$,
    $$VALUES ('sales by region', 'North', 6::bigint, date '2026-07-01', date '2026-12-01', true, true), ('sales by region', 'South', 6, '2026-07-01', '2026-12-01', true, true)$$,
    'it keeps a forecast of six months for each region');
SELECT is_empty($$
    SELECT series_key, period_on, mean, amount FROM spm_bi.forecast,
        LATERAL (SELECT sum(amount) AS amount FROM shop.orders WHERE region = series_key AND date_trunc('month', ordered_on) = period_on - interval '1 year') a
    WHERE NOT mean BETWEEN 0.9 * amount AND 1.2 * amount
    $$, 'every month is to bring about what the same month of the year before did, or somewhat more');
SELECT cmp_ok(avg(abs(r.mean - a.amount) / a.amount), '<', 0.08::float8, 'as of the end of 2025 it would have been off by less than 8 % a month')
FROM (SELECT spm.forecast(ordered_on, amount, 6, '{"step": "month", "until": "2025-12-31"}') AS f FROM shop.orders) o, spm.forecast_rows(o.f) r,
    LATERAL (SELECT sum(amount)::float8 AS amount FROM shop.orders WHERE date_trunc('month', ordered_on) = r.period) a;
SELECT * FROM finish();
