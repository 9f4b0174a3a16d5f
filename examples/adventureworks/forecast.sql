-- What will AdventureWorks sell, in all, in each territory, by each seller?
--   psql -d DB -f examples/adventureworks/forecast.sql
-- DB has the extension and the data in schema aw (README.md); nothing there is changed.
\set ON_ERROR_STOP 1
\set QUIET 1
\pset footer off
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS adventureworks;

-- Each order counts three times: for the company, for its territory, for who sold it there.
CREATE OR REPLACE VIEW adventureworks.sales_node AS
SELECT n.node, n.parent, o.order_date, o.sub_total AS amount
FROM aw.sales_order_header o
JOIN aw.sales_territory t USING (territory_id)
JOIN aw.person p ON p.person_id = o.sales_person_id,
    LATERAL (VALUES ('company', NULL), (t.name, 'company'), (t.name || ': ' || p.last_name, t.name)) n(node, parent)
WHERE NOT o.online_order_flag AND o.order_date >= '2011-07-01';
COMMENT ON VIEW adventureworks.sales_node IS 'Orders, once for each level: the company, a territory, a seller in a territory.';

-- A forecast of each node by itself: four quarters from a day on, with what it would have erred one quarter ahead before that day.
DROP TABLE IF EXISTS adventureworks.base_forecast CASCADE;
CREATE TABLE adventureworks.base_forecast AS
SELECT u.until, n.node, n.parent, spm.series(n.order_date, n.amount, o.options) AS past,
       spm.forecast(n.order_date, n.amount, 4, o.options) AS path,
       spm.forecast_errors(spm.series(n.order_date, n.amount, o.options)) AS errors
FROM (VALUES (date '2013-03-31'), ('2014-03-31')) u(until),
     LATERAL (SELECT jsonb_build_object('step', 'quarter', 'until', u.until) AS options) o,
     adventureworks.sales_node n
WHERE n.order_date <= u.until
GROUP BY u.until, n.node, n.parent;

-- The same, changed so that sellers add up to territories and territories to the company.
DROP TABLE IF EXISTS adventureworks.sales_forecast CASCADE;
CREATE TABLE adventureworks.sales_forecast AS
SELECT b.until, b.method, r.*
FROM (SELECT f.until, m.method, spm.reconcile(f.node, f.parent, f.path, CASE WHEN m.method <> 'top_down' THEN f.errors END, m.method, true) AS tree
      FROM adventureworks.base_forecast f, (VALUES ('mint'), ('structure'), ('bottom_up'), ('top_down')) m(method)
      GROUP BY f.until, m.method) b, unnest(b.tree) r;

\echo '\nThe second quarter of 2014, before and after forecasts were made to add up (thousands):'
SELECT repeat('  ', f.depth) || f.node AS node, round(f.base[1]::numeric / 1000) AS "by itself", round(r.mean::numeric / 1000) AS "adding up",
       round(r.lower::numeric / 1000) AS lower, round(r.upper::numeric / 1000) AS upper
FROM adventureworks.sales_forecast f CROSS JOIN spm.forecast_rows(f.path) r
WHERE f.until = '2014-03-31' AND f.method = 'mint' AND f.depth < 2 AND r.step = 1
ORDER BY f.depth, r.mean DESC;

\echo 'Do sellers add up to their territories, and territories to the company, to the last bit?'
SELECT bool_and(s.total = (p.path).mean[s.step]) AS "adds up", count(*) AS sums
FROM adventureworks.sales_forecast p
JOIN LATERAL (SELECT x.step, sum(x.mean) AS total
              FROM adventureworks.sales_forecast c, spm.forecast_rows(c.path) x
              WHERE c.until = p.until AND c.method = p.method AND c.parent = p.node GROUP BY x.step) s ON true
WHERE NOT p.is_leaf;

\echo 'How far off it would have been: forecasts of 2013-03-31 for the four quarters that followed, errors as a share of what was sold:'
SELECT o.method, round(spm.wape(o.actual, o.mean) FILTER (WHERE o.depth = 0)::numeric, 3) AS company,
       round(spm.wape(o.actual, o.mean) FILTER (WHERE o.depth = 1)::numeric, 3) AS territory,
       round(spm.wape(o.actual, o.mean) FILTER (WHERE o.depth = 2)::numeric, 3) AS seller
FROM (SELECT m.method, f.depth, m.mean, coalesce(a.amount, 0) AS actual
      FROM adventureworks.sales_forecast f CROSS JOIN spm.forecast_rows(f.path) r
      CROSS JOIN LATERAL (SELECT f.method, r.mean UNION ALL SELECT 'each by itself', f.base[r.step] WHERE f.method = 'mint') m
      CROSS JOIN LATERAL (SELECT sum(n.amount) AS amount FROM adventureworks.sales_node n
                          WHERE n.node = f.node AND n.order_date >= r.period AND n.order_date < r.period + interval '3 months') a
      WHERE f.until = '2013-03-31') o
GROUP BY o.method ORDER BY seller;

\echo 'A picture of it: psql -At -d DB -c "SELECT svg FROM adventureworks.forecast_picture" > forecast.svg'
CREATE OR REPLACE VIEW adventureworks.forecast_picture AS
SELECT format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 %s">', max(place.y) + 150) || string_agg(format('<g transform="translate(%s %s)">%s</g>', place.x, place.y, place.picture), '' ORDER BY place.n) || '</svg>' AS svg
FROM (SELECT p.n, CASE WHEN p.n = 0 THEN 0 ELSE (p.n - 1) % 3 * 320 END AS x, CASE WHEN p.n = 0 THEN 0 ELSE 220 + (p.n - 1) / 3 * 150 END AS y,
             spm.forecast_svg(p.past, p.path, p.node, CASE WHEN p.n = 0 THEN 960 ELSE 320 END, CASE WHEN p.n = 0 THEN 220 ELSE 150 END) AS picture
      FROM (SELECT f.node, f.path, b.past, row_number() OVER (ORDER BY f.depth, (f.path).mean[1] DESC) - 1 AS n
            FROM adventureworks.sales_forecast f JOIN adventureworks.base_forecast b USING (until, node)
            WHERE f.until = '2014-03-31' AND f.method = 'mint' AND f.depth < 2) p) place;
COMMENT ON VIEW adventureworks.forecast_picture IS 'The company and its territories: what was sold, what is expected, as SVG.';
\set QUIET 0
