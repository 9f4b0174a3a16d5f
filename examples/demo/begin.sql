-- An empty database, a company, and spm set up on it.
\echo
\echo '=> CREATE EXTENSION spm CASCADE;'
CREATE EXTENSION IF NOT EXISTS spm CASCADE;

\echo '=> \\ir company.sql     -- a warehouse in schema demo'
\ir company.sql
SELECT (SELECT count(*) FROM demo.seller) AS sellers, count(*) AS orders, count(*) FILTER (WHERE type = 'refund') AS refunds,
       (SELECT count(DISTINCT order_id) FROM demo.order_split) AS shared,
       sum(amount) FILTER (WHERE currency = 'USD') AS usd, sum(amount) FILTER (WHERE currency = 'EUR') AS eur
FROM demo.sales_order;

\echo '=> \\ir setup.sql       -- sources, people, quarters, quotas, plans'
\o /dev/null
\ir setup.sql
\o
SELECT p.name AS plan, v.version_no AS version, lower(v.span) AS since, c.name AS component, spm.component_rates(c.component_id) AS rates,
       c.credit_kind AS credits
FROM spm.plan p
JOIN spm.plan_version v USING (plan_id)
JOIN spm.component c USING (plan_version_id)
ORDER BY p.plan_id, v.version_no, c.component_no;
