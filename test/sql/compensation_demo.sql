\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
BEGIN;
SELECT plan(38);

-- A small company from the generator of examples/demo; its text is not repeated here.
\set orders 2000
\set ECHO none
\i examples/demo/company.sql
\set ECHO all

-- The generator
CREATE FUNCTION pg_temp.digest(relation regclass, key text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    digest text;
BEGIN
    EXECUTE format('SELECT count(*) || '' '' || md5(string_agg(r::text, E''\n'' ORDER BY %s)) FROM %s r', key, relation) INTO digest;
    RETURN digest;
END $$;
SELECT is(pg_temp.digest('demo.seller', 'seller_id COLLATE "C"'), '324 e17ba35f09972235d0982c542c789cf9', 'sellers are the same on every machine');
SELECT is(pg_temp.digest('demo.seller_move', 'seller_id COLLATE "C", moved_on'), '17 872f3e5166c43744b9b1452fb6e05477', 'so are their moves');
SELECT is(pg_temp.digest('demo.account', 'account_id COLLATE "C"'), '2000 972cfa8d4a93d39e387da86101716633', 'and accounts');
SELECT is(pg_temp.digest('demo.product', 'product_id COLLATE "C"'), '24 44d8196bfa59f8050c9c6d3ee77a8e8c', 'and products');
SELECT is(pg_temp.digest('demo.exchange_rate', 'month'), '24 8f32103cf802e96a6c1b02ca2d85506d', 'and exchange rates');
SELECT is(pg_temp.digest('demo.quota', 'seat_id COLLATE "C", quarter COLLATE "C"'), '2386 781f8b6829da6fc0565d0834d7fee196', 'and quotas');
SELECT is(pg_temp.digest('demo.sales_order', 'order_id COLLATE "C"'), '2000 91dc762214320cb612ab5a9221e0e980', 'and orders');
SELECT is(pg_temp.digest('demo.order_split', 'order_id COLLATE "C", seller_id COLLATE "C"'), '409 7ac26136d30f7ec68245facb259a230c', 'and splits');
SELECT is((SELECT count(*) FROM demo.sales_order), 2000::bigint, 'there are as many orders as were asked for');
SELECT is_empty($$SELECT FROM demo.order_split GROUP BY order_id HAVING sum(percent) <> 100$$, 'every split totals 100 %');
SELECT results_eq($$SELECT count(*)::int, count(*) FILTER (WHERE amount < 0 AND refund_of IS NOT NULL)::int FROM demo.sales_order WHERE type = 'refund'$$,
    $$VALUES (80, 80)$$, 'one row of 25 is a refund of an order');
SELECT bag_eq($$SELECT DISTINCT title FROM demo.seller$$,
    ARRAY['Chief Revenue Officer', 'Vice President', 'Director', 'Sales Manager', 'Account Executive', 'Specialist'], 'there are five levels');

-- The set-up, and eight quarters
\set ECHO none
\o /dev/null
\i examples/demo/setup.sql
\o
\set ECHO all
SELECT is((SELECT count(*) FROM spm.plan_version WHERE state <> 'draft'), 5::bigint, 'four plans are published, one in two versions');
CALL spm.calculate('2025-Q1');
CALL spm.post('2025-Q1');
CALL spm.calculate('2025-Q2');
CALL spm.post('2025-Q2');
CALL spm.calculate('2025-Q3');
CALL spm.post('2025-Q3');
CALL spm.calculate('2025-Q4');
CALL spm.post('2025-Q4');
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
CALL spm.calculate('2026-Q2');
CALL spm.calculate('2026-Q3');
CALL spm.calculate('2026-Q4');
SELECT results_eq($$SELECT count(*) > 0, bool_and(is_reconciled) FROM spm.reconciliation$$, $$VALUES (true, true)$$,
    'totals, deals, slices and payouts agree in every line');

-- The same in plain SQL over the warehouse.  Who claims what:
CREATE TEMPORARY VIEW claim AS
SELECT o.order_id, o.refund_of, o.ordered_on, to_char(o.ordered_on, 'YYYY-"Q"Q') AS quarter, o.currency, o.amount, b.family,
       coalesce(c.seller_id, o.seller_id, '') AS seller_id, c.percent, s.seat_id, s.seat_id IS NOT NULL AS is_known,
       CASE o.currency WHEN 'USD' THEN o.amount ELSE round(o.amount * x.usd_per_eur, 2) END AS usd,
       CASE o.currency WHEN 'USD' THEN o.amount - o.cost ELSE round((o.amount - o.cost) * x.usd_per_eur, 2) END AS margin_usd,
       o.list_amount, c.shares, c.share_no
FROM demo.sales_order o
JOIN demo.booking b USING (order_id)
JOIN demo.exchange_rate x ON x.month = date_trunc('month', o.ordered_on)
LEFT JOIN (
    SELECT p.*, array_agg(p.percent) OVER w AS shares, row_number() OVER (PARTITION BY p.order_id ORDER BY p.seller_id COLLATE "C") AS share_no
    FROM demo.order_split p
    WINDOW w AS (PARTITION BY p.order_id ORDER BY p.seller_id COLLATE "C" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) c
    ON c.order_id = o.order_id
LEFT JOIN (SELECT seller_id, coalesce(replaces_id, seller_id) AS seat_id, hired_on, coalesce(left_on, 'infinity') AS left_on FROM demo.seller) s
    ON s.seller_id = coalesce(c.seller_id, o.seller_id) AND o.ordered_on BETWEEN s.hired_on AND s.left_on;
-- ... what of it in US dollars is theirs:
CREATE TEMPORARY VIEW share AS
SELECT c.*, CASE WHEN c.shares IS NULL THEN c.usd ELSE (spm.split(c.usd, c.shares))[c.share_no] END AS base,
       CASE WHEN c.shares IS NULL THEN c.margin_usd ELSE (spm.split(c.margin_usd, c.shares))[c.share_no] END AS margin
FROM claim c WHERE c.is_known;

SELECT results_eq(
    $$SELECT transaction_key, owner_key FROM spm_bi.uncredited ORDER BY transaction_key COLLATE "C", owner_key COLLATE "C"$$,
    $$SELECT order_id, seller_id FROM claim WHERE NOT is_known ORDER BY order_id COLLATE "C", seller_id COLLATE "C"$$,
    'whoever had no seat on the day of the order is listed as not credited');
SELECT cmp_ok((SELECT count(*) FROM spm_bi.uncredited), '>', 0::bigint, 'and there is somebody to list');
SELECT results_eq(
    $$SELECT currency_code, sum(credited_amount) FROM spm.standing_credit
      WHERE kind = 'direct' AND transaction_key NOT IN (SELECT order_id FROM claim WHERE NOT is_known)
      GROUP BY currency_code ORDER BY currency_code$$,
    $$SELECT currency, sum(amount) FROM demo.sales_order
      WHERE order_id NOT IN (SELECT order_id FROM claim WHERE NOT is_known) GROUP BY currency ORDER BY currency$$,
    'what is credited is the sum of the orders with known owners, per currency');
SELECT is_empty(
    $$SELECT order_id FROM (SELECT transaction_key AS order_id, sum(credited_amount) AS amount FROM spm.standing_credit
                            WHERE kind = 'direct' GROUP BY transaction_key) c JOIN demo.sales_order o USING (order_id)
      WHERE c.amount <> o.amount AND order_id NOT IN (SELECT order_id FROM claim WHERE NOT is_known)$$,
    'parts of a split add up to their order');
SELECT results_eq(
    $$SELECT count(DISTINCT transaction_key)::int, count(*)::int FROM spm.standing_credit WHERE kind = 'direct' AND shares IS NOT NULL$$,
    $$SELECT count(DISTINCT order_id)::int, count(*)::int FROM claim WHERE is_known AND percent IS NOT NULL$$,
    'every share is a credit of its own');
SELECT results_eq(
    $$SELECT count(*) > 0, count(*) FILTER (WHERE o.credited_amount + r.credited_amount <> 0)::int
      FROM spm.standing_credit o
      JOIN demo.sales_order w ON w.refund_of = o.transaction_key AND w.amount = -o.amount
      JOIN spm.standing_credit r ON r.transaction_key = w.order_id AND r.owner_key = o.owner_key AND r.kind = 'direct'
      WHERE o.kind = 'direct'$$,
    $$VALUES (true, 0)$$, 'a whole refund takes back from everybody what the order gave');
SELECT cmp_ok((SELECT sum(e.amount) FROM spm.standing_earning e JOIN spm.standing_credit c USING (credit_id) WHERE c.type = 'refund'), '<', 0::numeric,
    'and takes pay back');
SELECT is_empty(
    $$SELECT FROM spm.standing_earning e JOIN spm.standing_credit c USING (credit_id) JOIN demo.sales_order o ON o.order_id = c.transaction_key
      JOIN demo.exchange_rate x ON x.month = date_trunc('month', o.ordered_on)
      WHERE e.exchange_rate <> CASE o.currency WHEN 'EUR' THEN x.usd_per_eur ELSE 1 END$$,
    'each deal is converted by the rate of its month');

-- What counts of a quarter, component by component; who sold nothing has nothing.
CREATE TEMPORARY VIEW measured AS
SELECT m.plan_name, m.component_name, s.title, m.payee_key, m.period_name, m.credited_amount, m.quota_amount, m.earned_amount
FROM spm_bi.attainment m JOIN demo.seller s ON s.seller_id = m.payee_key WHERE m.credit_count > 0;
SELECT results_eq(
    $$SELECT payee_key, period_name, credited_amount::numeric(14,2) FROM measured WHERE component_name = 'Commission'
      ORDER BY payee_key COLLATE "C", period_name COLLATE "C"$$,
    $$SELECT seller_id, quarter, sum(base) FROM share JOIN demo.seller USING (seller_id) WHERE title = 'Account Executive'
      GROUP BY seller_id, quarter ORDER BY seller_id COLLATE "C", quarter COLLATE "C"$$,
    'bookings of account executives are what plain SQL adds up');
SELECT results_eq(
    $$SELECT payee_key, period_name, credited_amount::numeric(14,2) FROM measured WHERE component_name = 'Margin share'
      ORDER BY payee_key COLLATE "C", period_name COLLATE "C"$$,
    $$SELECT seller_id, quarter, sum(margin) FROM share JOIN demo.seller USING (seller_id)
      WHERE title = 'Account Executive' AND (ordered_on < '2026-01-01' OR abs(amount) >= 0.9 * abs(list_amount))
      GROUP BY seller_id, quarter ORDER BY seller_id COLLATE "C", quarter COLLATE "C"$$,
    'margin is amount less cost, from 2026 on only of orders with a small discount');
SELECT results_eq(
    $$SELECT payee_key, period_name, credited_amount::numeric(14,2), earned_amount::numeric(14,2) FROM measured WHERE plan_name = 'Specialist'
      ORDER BY payee_key COLLATE "C", period_name COLLATE "C"$$,
    $$SELECT seller_id, quarter, sum(base), round(0.05 * sum(base), 2) FROM share JOIN demo.seller USING (seller_id)
      WHERE title = 'Specialist' AND family IN ('Services', 'Training')
      GROUP BY seller_id, quarter ORDER BY seller_id COLLATE "C", quarter COLLATE "C"$$,
    'specialists earn 5 % of services and training, and nothing else');
SELECT results_eq(
    $$SELECT count(*) > 500, count(*) FILTER (WHERE earned_amount <> round(
          0.04 * least(credited_amount, 0.8 * quota_amount) + 0.06 * greatest(least(credited_amount, quota_amount) - 0.8 * quota_amount, 0)
          + 0.09 * greatest(least(credited_amount, CASE WHEN period_name < '2026' THEN credited_amount ELSE 1.3 * quota_amount END) - quota_amount, 0)
          + CASE WHEN period_name < '2026' THEN 0 ELSE 0.11 * greatest(credited_amount - 1.3 * quota_amount, 0) END, 2))::int
      FROM measured WHERE component_name = 'Commission' AND credited_amount >= 0$$,
    $$VALUES (true, 0)$$, 'commission is 4, 6 and 9 % of its slices, and 11 % above 130 % of quota from 2026 on');

-- Who reports to whom, by day, and what comes up to each level.
CREATE TEMPORARY TABLE line AS
SELECT seat_id, manager_id, since, lead(since, 1, 'infinity') OVER (PARTITION BY seat_id ORDER BY since) AS until
FROM (SELECT seller_id AS seat_id, manager_id, hired_on AS since FROM demo.seller WHERE replaces_id IS NULL
      UNION ALL SELECT seller_id, manager_id, moved_on FROM demo.seller_move) l;
CREATE TEMPORARY TABLE rolled AS
WITH RECURSIVE up AS (
    SELECT order_id, seller_id, seat_id, ordered_on, quarter, base, 0 AS level FROM share
    UNION ALL
    SELECT u.order_id, u.seller_id, l.manager_id, u.ordered_on, u.quarter, u.base, u.level + 1
    FROM up u JOIN line l ON l.seat_id = u.seat_id AND u.ordered_on >= l.since AND u.ordered_on < l.until AND l.manager_id IS NOT NULL
)
SELECT h.title, h.seller_id, u.quarter, sum(u.base) AS base
FROM up u
JOIN demo.seller h ON coalesce(h.replaces_id, h.seller_id) = u.seat_id AND u.ordered_on BETWEEN h.hired_on AND coalesce(h.left_on, 'infinity')
WHERE u.level > 0 OR h.title = 'Sales Manager'
GROUP BY h.title, h.seller_id, u.quarter;
SELECT is((SELECT count(DISTINCT title) FROM rolled), 4::bigint, 'something comes up to four levels');
PREPARE came_up (text) AS SELECT payee_key, period_name, credited_amount::numeric(14,2) FROM measured
    WHERE component_name = 'Override' AND title = $1 ORDER BY payee_key COLLATE "C", period_name COLLATE "C";
PREPARE added_up (text) AS SELECT seller_id, quarter, base FROM rolled WHERE title = $1 ORDER BY seller_id COLLATE "C", quarter COLLATE "C";
SELECT results_eq($$EXECUTE came_up('Sales Manager')$$, $$EXECUTE added_up('Sales Manager')$$,
    'managers get what their team sold, as it was on each day, and what they sold themselves');
SELECT results_eq($$EXECUTE came_up('Director')$$, $$EXECUTE added_up('Director')$$, 'directors get what came up two levels');
SELECT results_eq($$EXECUTE came_up('Vice President')$$, $$EXECUTE added_up('Vice President')$$, 'vice presidents three');
SELECT results_eq($$EXECUTE came_up('Chief Revenue Officer')$$, $$EXECUTE added_up('Chief Revenue Officer')$$, 'and the chief all of it');
SELECT is_empty($$SELECT FROM spm.standing_credit WHERE position_id = (SELECT position_id FROM spm.position WHERE position_key = 'S011')
    AND event_date > '2026-02-14'$$, 'nothing is credited to a vacant seat');

-- Again, and something late
CALL spm.calculate('2026-Q4');
SELECT is((SELECT changed_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 0::bigint, 'calculating again changes nothing');
INSERT INTO demo.sales_order (order_id, type, ordered_on, seller_id, account_id, product_id, quantity, list_amount, amount, cost, currency)
VALUES ('O999999', 'order', '2026-03-30', 'S071', 'A0071', 'P12', 3, 46410.00, 44089.50, 10674.00, 'USD');
CALL spm.calculate('2026-Q2');
SELECT results_eq($$SELECT sum(amount) FROM spm.payout o JOIN spm.period p USING (period_id) WHERE p.name = '2026-Q1'$$,
    $$SELECT sum(earned_amount) FROM spm.standing_measurement m JOIN spm.period p USING (period_id) WHERE p.name = '2026-Q1'$$,
    'what was posted and the difference for a late order make what the quarter earned with it');
SELECT bag_eq($$SELECT payee_key FROM spm_bi.payout WHERE paid_period_name = '2026-Q2' AND is_difference AND plan_name <> 'Account Executive'$$,
    ARRAY['S401', 'S006', 'S002', 'S001'], 'everybody above is paid the difference too');

-- every plan of the demo goes out and in again
CREATE TEMPORARY TABLE exported AS SELECT p.name, v.version_no, v.plan_version_id, spm.export_plan(p.name, v.version_no) AS document FROM spm.plan p JOIN spm.plan_version v USING (plan_id);
SELECT ok(bool_and(spm.import_plan(document, name || ' ' || version_no) > 0), 'plans are exported and imported') FROM exported;
SELECT is_empty($$SELECT name, version_no FROM exported e WHERE (spm.export_plan(name || ' ' || version_no) || jsonb_build_object('name', name))::text <> document::text$$, 'and are the same again');
SELECT is_empty($$SELECT e.name FROM exported e JOIN spm.plan p ON p.name = e.name || ' ' || e.version_no JOIN spm.plan_version i USING (plan_id) JOIN spm.plan_version v ON v.plan_version_id = e.plan_version_id
    WHERE v.content_hash <> spm._plan_hash(i.plan_version_id)$$, 'with the hash that was taken when they were published');
SELECT * FROM finish();
ROLLBACK;
