-- Requests from below and the total, reconciled: the conditions of a least squares solution hold in a generated tree.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- a top, 4 regions, 20 teams, 120 seats; everybody at the bottom asks for something, and some of those above
CREATE FUNCTION pg_temp.draw(node int, what int, below int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT (('x' || substr(md5(node || '/' || what), 1, 8))::bit(32)::bigint % below)::int $$;
CREATE TABLE public.seat AS
SELECT i, CASE WHEN i = 1 THEN NULL WHEN i < 6 THEN 1 WHEN i < 26 THEN 2 + (i - 6) / 5 ELSE 6 + (i - 26) / 6 END AS parent, 's' || lpad(i::text, 3, '0') AS key FROM generate_series(1, 145) i;
SELECT spm.create_calendar('fiscal', 'year', '2026-01-01', '2027-01-01'), spm.add_measure('bookings') \g /dev/null
SELECT spm.add_position(key, key) FROM public.seat ORDER BY i \g /dev/null
SELECT spm.set_manager(s.key, p.key, '2026-01-01') FROM public.seat s JOIN public.seat p ON p.i = s.parent ORDER BY s.i \g /dev/null
SELECT spm.add_quota_plan('asked', '2026', 'bookings', 36000000), spm.set_quota_total('asked', NULL, method => 'reconcile') \g /dev/null
SELECT spm.request_quota('asked', key, 100000 + pg_temp.draw(i, 1, 40000000) * 0.01, variance => CASE pg_temp.draw(i, 2, 3) WHEN 0 THEN 5000 + pg_temp.draw(i, 3, 900000) END) FROM public.seat WHERE i >= 26 \g /dev/null
SELECT spm.request_quota('asked', key, 1200000 + pg_temp.draw(i, 1, 120000000) * 0.01, variance => CASE pg_temp.draw(i, 2, 3) WHEN 0 THEN 900000 END) FROM public.seat WHERE i BETWEEN 6 AND 25 AND i % 2 = 0 \g /dev/null
SELECT spm.request_quota('asked', key, 8000000, variance => 2000000) FROM public.seat WHERE i IN (3, 4) \g /dev/null

/*
 * With amounts q, requests b and their variances v, the sum of (q - b)^2 / v is least
 * when what an amount would gain is the same for all below one seat: for a seat at
 * the bottom (q - b) / v; above, that of its own request and, times what it
 * assigns, that of the seats below it.
 */
CREATE FUNCTION pg_temp.pull() RETURNS TABLE (parent int, lowest numeric, highest numeric) LANGUAGE sql AS $$
    WITH node AS (
        SELECT s.i, s.parent, n.amount, n.bottom_up AS request, coalesce(n.variance, n.bottom_up) AS variance, 1 + coalesce(l.over_assignment, 0) AS assigns
        FROM public.seat s JOIN spm.position p ON p.position_key = s.key JOIN spm.quota_plan_node n USING (position_id) LEFT JOIN spm.quota_plan_level l USING (quota_plan_version_id, level)
    ), own AS (SELECT i, parent, assigns, coalesce((amount - request) / variance, 0) AS own FROM node),
    bottom AS (SELECT parent, min(own) AS lowest, max(own) AS highest FROM own WHERE i >= 26 GROUP BY parent),
    team AS (SELECT o.parent, min(o.own + o.assigns * b.lowest) AS lowest, max(o.own + o.assigns * b.highest) AS highest FROM own o JOIN bottom b ON b.parent = o.i GROUP BY o.parent),
    region AS (SELECT o.parent, min(o.own + o.assigns * t.lowest) AS lowest, max(o.own + o.assigns * t.highest) AS highest FROM own o JOIN team t ON t.parent = o.i GROUP BY o.parent)
    SELECT * FROM bottom UNION ALL SELECT * FROM team UNION ALL SELECT * FROM region
$$;
SELECT spm.allocate_quota_plan('asked') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.pull() WHERE highest - lowest > 0.00001$$, 'no amount could move without the sum of squares growing, but for the cents of rounding');
SELECT is(count(*), 25::bigint, 'among all seats below one, 25 times') FROM pg_temp.pull();
SELECT cmp_ok(count(DISTINCT round(lowest, 3)), '>', 10::bigint, 'although they are pulled by different forces') FROM pg_temp.pull();
SELECT spm.set_over_assignment('asked', 1, 0.1), spm.set_over_assignment('asked', 2, 0.05), spm.set_over_assignment('asked', 3, 0.025), spm.allocate_quota_plan('asked') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.pull() WHERE highest - lowest > 0.00001$$, 'also where levels assign more than they have');
SELECT is_empty($$SELECT * FROM spm_bi.quota_plan_tree WHERE difference_amount <> 0$$, 'and all adds up');
SELECT is((SELECT sum(quota_amount) FROM spm_bi.quota_plan_tree WHERE level = 1), 36000000.000000, 'to the total');

SELECT * FROM finish();
ROLLBACK;
