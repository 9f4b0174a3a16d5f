-- Sales of AdventureWorks forecast by seller, territory and company, so that they add up; compared with plain SQL over the warehouse.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
-- Real data that is not part of the project: beside it, or where SPM_DATA says.
\getenv input PG_ABS_SRCDIR
\set example :input/../../examples/adventureworks
\set data :input/../../../shared/data
\getenv data SPM_DATA
\set has_data `if [ -r :'data'/adventureworks/load.sql ]; then echo 1; else echo 0; fi`
\if :has_data
\else
SELECT plan(1);
SELECT skip('the AdventureWorks data is not there; SPM_DATA names the folder that has adventureworks/load.sql', 1);
SELECT * FROM finish();
\q
\endif
\set home :DBNAME
DROP DATABASE IF EXISTS spm_aw_forecast WITH (FORCE);
CREATE DATABASE spm_aw_forecast TEMPLATE template0;
\c -reuse-previous=on "dbname=spm_aw_forecast options=-cjit=off"
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION spm CASCADE;
\cd :data/adventureworks
\set ECHO none
\i load.sql
\o /dev/null
\i :example/forecast.sql
\i :example/forecast.sql
\o
\set QUIET 1
\set ON_ERROR_STOP 0
\set ECHO all
\pset format unaligned
\pset tuples_only true
SELECT no_plan();

-- the past of each node is what the warehouse says
SELECT is_empty($$
    WITH quarter AS (
        SELECT CASE WHEN grouping(o.territory_id) = 1 THEN 'company' WHEN grouping(p.last_name) = 1 THEN min(t.name) ELSE min(t.name) || ': ' || p.last_name END AS node,
            date_trunc('quarter', o.order_date)::timestamp AS period, sum(o.sub_total) AS amount
        FROM aw.sales_order_header o JOIN aw.sales_territory t USING (territory_id) JOIN aw.person p ON p.person_id = o.sales_person_id
        WHERE NOT o.online_order_flag AND o.order_date BETWEEN '2011-07-01' AND '2014-03-31'
        GROUP BY GROUPING SETS ((date_trunc('quarter', o.order_date)), (o.territory_id, date_trunc('quarter', o.order_date)), (o.territory_id, p.last_name, date_trunc('quarter', o.order_date)))
    )
    SELECT node, period, q.amount, s.value
    FROM quarter q FULL JOIN (SELECT b.node, u.period, u.value FROM adventureworks.base_forecast b, unnest((b.past).period, (b.past).value) u(period, value)
                              WHERE b.until = '2014-03-31' AND u.value <> 0) s USING (node, period)
    WHERE round(q.amount, 4) IS DISTINCT FROM round(s.value::numeric, 4)$$, 'each node''s past is its orders, by quarter');
SELECT is((SELECT count(*)::int FROM adventureworks.base_forecast WHERE until = '2014-03-31'), 45, 'one company, ten territories, 34 sellers in them');
SELECT is((SELECT array_agg(DISTINCT p) FROM adventureworks.base_forecast, unnest((path).period) p WHERE until = '2014-03-31'), '{2014-04-01,2014-07-01,2014-10-01,2015-01-01}'::timestamp[], 'all are forecast for the same four quarters');
-- sellers who came late, or have stopped
SELECT ok(bool_or(cardinality((past).value) < 3), 'one of them had sold for less than three quarters') FROM adventureworks.base_forecast WHERE until = '2013-03-31';

-- forecasts add up, in doubles, in any order; whatever the method
SELECT is_empty($$
    SELECT p.method, p.node, s.step FROM adventureworks.sales_forecast p
    JOIN LATERAL (SELECT x.step, sum(x.mean ORDER BY c.node) AS forth, sum(x.mean ORDER BY x.mean) AS back FROM adventureworks.sales_forecast c, spm.forecast_rows(c.path) x
                  WHERE c.until = p.until AND c.method = p.method AND c.parent = p.node GROUP BY x.step) s ON true
    WHERE s.forth <> (p.path).mean[s.step] OR s.back <> s.forth$$, 'sellers add up to their territory, territories to the company, to the last bit');
SELECT is((SELECT sum((path).mean[1]) FROM adventureworks.sales_forecast WHERE until = '2014-03-31' AND method = 'mint' AND is_leaf),
    (SELECT (path).mean[1] FROM adventureworks.sales_forecast WHERE until = '2014-03-31' AND method = 'mint' AND node = 'company'), 'so do all sellers to the company');
SELECT is((SELECT count(*)::int FROM adventureworks.sales_forecast, unnest((path).mean) m WHERE m < 0), 0, 'nobody is expected to sell less than nothing');
SELECT is_empty($$SELECT node FROM adventureworks.sales_forecast f JOIN adventureworks.base_forecast b USING (until, node)
    WHERE method = 'bottom_up' AND is_leaf AND (SELECT max(abs(x - y)) FROM unnest((f.path).mean, (b.path).mean) u(x, y)) > 1e-6$$, 'bottom-up leaves sellers as they were');
SELECT is_empty($$SELECT until FROM adventureworks.sales_forecast f JOIN adventureworks.base_forecast b USING (until, node)
    WHERE method = 'top_down' AND node = 'company' AND (SELECT max(abs(x - y)) FROM unnest((f.path).mean, (b.path).mean) u(x, y)) > 1e-6$$, 'top-down leaves the company as it was');

-- what it is worth: the four quarters after March 2013
CREATE TABLE outcome AS
SELECT f.method, f.depth, r.mean, f.base[r.step] AS base, r.lower, r.upper, coalesce(a.amount, 0)::float8 AS actual
FROM adventureworks.sales_forecast f CROSS JOIN spm.forecast_rows(f.path) r
CROSS JOIN LATERAL (SELECT sum(n.amount) AS amount FROM adventureworks.sales_node n WHERE n.node = f.node AND n.order_date >= r.period AND n.order_date < r.period + interval '3 months') a
WHERE f.until = '2013-03-31';
SELECT cmp_ok(spm.wape(actual, mean), '<', 0.95 * spm.wape(actual, base), 'by sellers, errors are a twentieth smaller at least, once they have learned from territories and the company') FROM outcome WHERE method = 'mint' AND depth = 2;
SELECT cmp_ok(spm.wape(actual, mean), '<', 1.02 * spm.wape(actual, base), 'and above them no larger') FROM outcome WHERE method = 'mint' AND depth < 2;
SELECT cmp_ok(spm.coverage(actual, lower, upper), '>', 0.75::float8, 'limits still hold, for series of seven quarters') FROM outcome WHERE method = 'mint';

-- the picture
SELECT is((SELECT count(*)::int FROM regexp_matches(svg, '<svg ', 'g')), 12, 'the company and ten territories are drawn') FROM adventureworks.forecast_picture;

SELECT * FROM finish();
\c :home
DROP DATABASE spm_aw_forecast WITH (FORCE);
