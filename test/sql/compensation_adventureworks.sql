\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
-- The example runs on real data that is not part of the project: beside it, or where SPM_DATA says.
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

-- Databases of its own: posting is for good. And no options from outside: which settings differ is said below.
\set home :DBNAME
DROP DATABASE IF EXISTS spm_aw WITH (FORCE);
DROP DATABASE IF EXISTS spm_aw_halves WITH (FORCE);
DROP DATABASE IF EXISTS spm_aw_late WITH (FORCE);
DROP DATABASE IF EXISTS spm_aw_fresh WITH (FORCE);
CREATE DATABASE spm_aw TEMPLATE template0;
\c -reuse-previous=on "dbname=spm_aw options=-cjit=off"
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION spm CASCADE;
\cd :data/adventureworks
\set ECHO none
\i load.sql
\set QUIET 1
\set ON_ERROR_STOP 0
\set ECHO all
-- Orders are credited whole, so their lines need not be copied below.
DROP TABLE aw.sales_order_detail, aw.business_entity_address;
-- Every result, to the last digit, as one text a row: deals, attainment, what each period of earning was paid in all.
CREATE FUNCTION public.result_row() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('|', 'deal', y.payee_key, c.name, t.transaction_key, t.kind, p.name, e.base_amount, e.from_total, e.exchange_rate, k.definition, e.amount)
    FROM spm.standing_earning e
    JOIN spm.payee y USING (payee_id) JOIN spm.component c USING (component_id) JOIN spm.credit t USING (credit_id)
    JOIN spm.schedule k USING (schedule_id) JOIN spm.period p ON p.period_id = e.period_id
    UNION ALL
    SELECT concat_ws('|', 'attainment', payee_key, component_name, period_name, credit_count, credited_amount, quota_amount, attainment_ratio, earned_amount)
    FROM spm_bi.attainment
    UNION ALL
    SELECT concat_ws('|', 'paid', payee_key, component_name, period_name, sum(paid_amount)) FROM spm_bi.payout
    GROUP BY payee_key, component_name, period_name
$$;
-- The same company by plain SQL over the warehouse, knowing nothing of spm.
CREATE VIEW public.window_quota AS
SELECT h.sales_person_id, h.quota_date AS first_day, h.sales_quota, s.commission_pct, s.bonus,
       coalesce((SELECT sum(o.sub_total) FROM aw.sales_order_header o
                 WHERE o.sales_person_id = h.sales_person_id AND NOT o.online_order_flag AND o.order_date >= h.quota_date
                   AND o.order_date < coalesce((SELECT min(n.quota_date) FROM aw.sales_person_quota_history n WHERE n.quota_date > h.quota_date), '2014-06-01')), 0) AS sold
FROM aw.sales_person_quota_history h JOIN aw.sales_person s USING (sales_person_id);
CREATE VIEW public.plain AS
SELECT q.sales_person_id AS payee, q.first_day, c.component, c.amount
FROM public.window_quota q
CROSS JOIN LATERAL (VALUES
    ('Commission', round(q.sold * q.commission_pct, 2)),
    ('Accelerator', round(0.08 * least(q.sold, 0.8 * q.sales_quota) + 0.10 * greatest(least(q.sold, q.sales_quota) - 0.8 * q.sales_quota, 0)
                          + 0.14 * greatest(q.sold - q.sales_quota, 0), 2)),
    ('Bonus', CASE WHEN q.sold >= q.sales_quota THEN q.bonus ELSE 0 END)) c(component, amount)
UNION ALL
SELECT m.employee_id, w.quota_date, 'Override',
       round(0.01 * coalesce((SELECT sum(o.sub_total) FROM aw.sales_order_header o JOIN aw.employee e ON e.employee_id = o.sales_person_id
                              WHERE NOT o.online_order_flag AND o.order_date >= w.quota_date AND o.order_date < w.next_date AND o.order_date >= m.hire_date
                                AND e.employee_id <> m.employee_id AND e.org_path LIKE m.org_path || '%'), 0), 2)
FROM aw.employee m
JOIN (SELECT quota_date, lead(quota_date, 1, '2014-06-01') OVER (ORDER BY quota_date) AS next_date
      FROM (SELECT DISTINCT quota_date FROM aw.sales_person_quota_history) d) w ON m.hire_date < w.next_date
WHERE m.job_title IN ('Vice President of Sales', 'North American Sales Manager', 'European Sales Manager', 'Pacific Sales Manager');

\c :home
CREATE DATABASE spm_aw_halves TEMPLATE spm_aw;

-- The whole example, as a user runs it.
\c -reuse-previous=on "dbname=spm_aw options=-cjit=off"
SET client_min_messages = warning;
\pset format aligned
\pset tuples_only false
\set ECHO none
\i :example/run.sql
\set QUIET 1
\set ON_ERROR_STOP 0
\set ECHO all
\pset format unaligned
\pset tuples_only true
SELECT plan(15);
SELECT is((SELECT sum(credited_amount) FROM spm.standing_credit WHERE kind = 'direct'), 80487704.1832,
    'owners are credited with all that reps sold');
SELECT is_empty('SELECT * FROM spm_bi.uncredited', 'and no order is left over');
SELECT is((SELECT count(*) FROM spm_bi.attainment WHERE component_name = 'Accelerator' AND quota_amount IS NOT NULL), 163::bigint,
    'each of the 163 quotas has an attainment');
SELECT is_empty($$SELECT * FROM public.window_quota w
    FULL JOIN (SELECT * FROM spm_bi.attainment WHERE component_name = 'Accelerator') a
        ON a.payee_key = w.sales_person_id::text AND a.period_start = w.first_day
    WHERE (a.credited_amount, a.quota_amount, a.attainment_ratio) IS DISTINCT FROM (w.sold, w.sales_quota, round(w.sold / w.sales_quota, 6))$$,
    'which is what plain SQL over the warehouse gives, to 6 places');
SELECT is_empty($$SELECT * FROM public.plain w
    FULL JOIN (SELECT payee_key, paid_period_start, component_name, sum(paid_amount) AS paid FROM spm_bi.payout GROUP BY 1, 2, 3) o
        ON o.payee_key = w.payee::text AND o.paid_period_start = w.first_day AND o.component_name = w.component
    WHERE coalesce(o.paid, 0) <> coalesce(w.amount, 0)$$,
    'commission, accelerator, bonus and override of everybody in every window are what plain SQL gives, to the cent');
SELECT set_eq('SELECT component, sum(amount) FROM public.plain GROUP BY 1',
    'SELECT component_name, sum(paid_amount) FROM spm_bi.payout GROUP BY 1', 'and so are their sums');
SELECT isnt((SELECT count(*) FROM spm_bi.payout WHERE component_name = 'Bonus' AND paid_amount > 0), 0::bigint, 'bonuses were reached');
SELECT is_empty($$SELECT * FROM
    (SELECT payee_key, component_name, period_name, sum(earned_amount) AS amount FROM spm_bi.earning GROUP BY 1, 2, 3) e
    FULL JOIN (SELECT payee_key, component_name, period_name, sum(earned_amount) AS amount FROM spm_bi.attainment GROUP BY 1, 2, 3) m
        USING (payee_key, component_name, period_name)
    FULL JOIN (SELECT payee_key, component_name, period_name, sum(paid_amount) AS amount FROM spm_bi.payout GROUP BY 1, 2, 3) o
        USING (payee_key, component_name, period_name)
    WHERE coalesce(e.amount, 0) <> coalesce(m.amount, 0) OR coalesce(m.amount, 0) <> coalesce(o.amount, 0)$$,
    'for everybody and every window the deals add up to what the total earns and to what is paid');
SELECT results_eq('SELECT bool_and(is_reconciled), count(*) > 500 FROM spm_bi.reconciliation', 'VALUES (true, true)',
    'and the reconciliation says the same');
SELECT is_empty($$SELECT transaction_key FROM spm_bi.credit WHERE credit_kind = 'direct' GROUP BY 1 HAVING count(*) <> 1$$,
    'every order is credited once');

-- A second run finds nothing to do.
SELECT count(*) AS runs FROM spm.run \gset
\o /dev/null
\set ECHO none
\i :example/run.sql
\set QUIET 1
\set ON_ERROR_STOP 0
\set ECHO all
\o
\pset format unaligned
\pset tuples_only true
SELECT is((SELECT count(*) FROM spm.run), :runs::bigint, 'the example can be run again, and calculates nothing twice');

-- What a statement says is not up to the session.
SELECT string_agg(s, E'\n') AS statement FROM spm.statement('283', '2013-11-30') s \gset
SELECT md5(string_agg(concat_ws('|', step, item, base_amount, amount, because), E'\n')) AS explained FROM spm.explain('283', '2013-11-30') \gset
\set locale `locale -a 2>/dev/null | grep -iE '^(de|fr|nl)_' | head -n 1`
SELECT coalesce(nullif(:'locale', ''), 'C') AS locale \gset
SET datestyle = 'German';
SET timezone = 'Pacific/Kiritimati';
SET lc_numeric = :'locale';
SET lc_monetary = :'locale';
SET extra_float_digits = 3;
SET intervalstyle = 'iso_8601';
SELECT is((SELECT string_agg(s, E'\n') FROM spm.statement('283', '2013-11-30') s), :'statement',
    'a statement reads the same in every time zone, date style and locale');
SELECT is((SELECT md5(string_agg(concat_ws('|', step, item, base_amount, amount, because), E'\n')) FROM spm.explain('283', '2013-11-30')), :'explained',
    'and so does an explanation');
RESET ALL;
SET client_min_messages = warning;
SELECT throws_ok($$CALL spm.calculate('2014-03-01')$$, '55000', 'period 2014-03-01 is posted', 'what is posted is not calculated again: refused');
SELECT is((SELECT count(*) FROM spm.transaction), 3806::bigint, 'the orders are read where they are');
SELECT * FROM finish();
SELECT string_agg(r, E'\n') AS base FROM public.result_row() r \gset

-- The same orders, but from two sources in which they lie in no order; and each window is calculated twice.
\c -reuse-previous=on "dbname=spm_aw_halves options=-cjit=off"
SET client_min_messages = warning;
CREATE TABLE aw.even_order AS SELECT * FROM aw.sales_order_header WHERE sales_order_id % 2 = 0 ORDER BY hashint4(sales_order_id);
CREATE TABLE aw.shuffled AS SELECT * FROM aw.sales_order_header ORDER BY hashint4(sales_order_id);
CREATE VIEW aw.odd_order AS SELECT * FROM aw.shuffled WHERE sales_order_id % 2 = 1;
\set orders aw.even_order
\set ECHO none
\i :example/map.sql
\i :example/plans.sql
\set ECHO all
\o /dev/null
SELECT spm.map_source('odd', 'aw.odd_order', key => 'sales_order_id', date => 'order_date',
                      owner => 'sales_person_id', amount => 'sub_total', account => 'customer_id',
                      fixed_currency => 'USD', fixed_type => 'booking', filter => 'NOT online_order_flag');
\o
-- Two copies for later, before anything is calculated.
\c :home
CREATE DATABASE spm_aw_late TEMPLATE spm_aw_halves;
CREATE DATABASE spm_aw_fresh TEMPLATE spm_aw_halves;
\c -reuse-previous=on "dbname=spm_aw_halves options=-cjit=off"
SET client_min_messages = warning;
CREATE TEMPORARY TABLE base AS SELECT * FROM string_to_table(:'base', E'\n') r;
SELECT plan(13);
SELECT set_eq('SELECT source, count(*) FROM spm.transaction GROUP BY 1', $$VALUES ('adventureworks', 1903::bigint), ('odd', 1903)$$,
    'half of the orders come from another source');
SELECT isnt((SELECT array_agg(sales_order_id ORDER BY ctid) FROM aw.shuffled), (SELECT array_agg(sales_order_id ORDER BY sales_order_id) FROM aw.shuffled),
    'and they lie in no order');
-- One window under settings that change plans, workers, compiled expressions, and how things are written.
CREATE FUNCTION public.window_digest() RETURNS text LANGUAGE sql AS $$SELECT count(*) || ':' || md5(string_agg(r, E'\n' ORDER BY r COLLATE "C")) FROM public.result_row() r$$;
BEGIN;
CALL spm.calculate('2012-05-30');
SELECT window_digest() AS digest \gset
ROLLBACK;
SELECT ok(:'digest' ~ '^[1-9][0-9]{3}:', 'a window has more than a thousand results');
BEGIN;
SET LOCAL timezone = 'Pacific/Kiritimati';
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL lc_numeric = :'locale';
CALL spm.calculate('2012-05-30');
SELECT is(window_digest(), :'digest', 'time zone, date style and locale change no digit');
ROLLBACK;
BEGIN;
SET LOCAL timezone = 'America/Adak';
SET LOCAL datestyle = 'German';
CALL spm.calculate('2012-05-30');
SELECT is(window_digest(), :'digest', 'nor do others');
ROLLBACK;
BEGIN;
SET LOCAL jit = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL enable_nestloop = off;
CALL spm.calculate('2012-05-30');
SELECT is(window_digest(), :'digest', 'nor does a plan of merge joins');
ROLLBACK;
BEGIN;
SET LOCAL jit = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
SET LOCAL work_mem = '64kB';
CALL spm.calculate('2012-05-30');
SELECT is(window_digest(), :'digest', 'nor one of nested loops with hardly any memory');
ROLLBACK;
BEGIN;
SET LOCAL jit = on;
SET LOCAL jit_above_cost = 0;
SET LOCAL jit_inline_above_cost = -1;
SET LOCAL jit_optimize_above_cost = -1;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 4;
CALL spm.calculate('2012-05-30');
SELECT is(window_digest(), :'digest', 'nor do workers and compiled expressions');
ROLLBACK;

SELECT format('CALL spm.%s(%L)', s.step, p.name) FROM spm.period p
CROSS JOIN (VALUES (1, 'calculate'), (2, 'calculate'), (3, 'post')) s(no, step) ORDER BY p.span, s.no
\gexec
SELECT is_empty('(SELECT r FROM public.result_row() r EXCEPT ALL TABLE base) UNION ALL (TABLE base EXCEPT ALL SELECT r FROM public.result_row() r)',
    'orders that lie in another order and come from two sources give the same deals, totals, attainment and pay, to the last digit');
SELECT is((SELECT count(*) FROM public.result_row()), (SELECT count(*) FROM base), 'as many of them');
SELECT cmp_ok((SELECT count(*) FROM base), '>', 18000::bigint, 'which is more than 18,000');
SELECT is((SELECT array_agg(changed_count > 0 ORDER BY run_id) FROM spm.run WHERE kind = 'calculate'),
    (SELECT array_agg(n % 2 = 1 ORDER BY n) FROM generate_series(1, 24) n), 'and calculating a window twice changes no row');
SELECT is((SELECT count(*) FROM (SELECT period_id FROM spm.run WHERE kind = 'calculate' GROUP BY period_id HAVING count(DISTINCT input_watermark) = 1) r), 12::bigint,
    'because its input was the same');
SELECT * FROM finish();

-- Three windows are posted; then the past changes: an order turns up late, another was too high, a third is gone, a quota was too low.
\c -reuse-previous=on "dbname=spm_aw_late options=-cjit=off"
SET client_min_messages = warning;
SELECT format('CALL spm.%s(%L)', s.step, p.name) FROM spm.period p
CROSS JOIN (VALUES (1, 'calculate'), (2, 'post')) s(no, step) WHERE p.span << '[2012-02-29,2012-03-01)' ORDER BY p.span, s.no
\gexec
CREATE TABLE public.posted AS
SELECT 'credit' AS relation, md5(c::text) AS row FROM spm.credit c UNION ALL SELECT 'measurement', md5(m::text) FROM spm.measurement m
UNION ALL SELECT 'earning', md5(e::text) FROM spm.earning e UNION ALL SELECT 'payout', md5(o::text) FROM spm.payout o;
SELECT string_agg(s, E'\n') AS statement FROM spm.statement('280', '2011-12-01') s \gset
\set past 'INSERT INTO aw.shuffled SELECT 99001, ''SO99001'', ''2011-09-15'', ''2011-09-27'', NULL, 5, false, customer_id, 275, territory_id, bill_to_address_id, ship_to_address_id, NULL, 50000.0049, 0, 0, 50000.0049 FROM aw.sales_order_header WHERE sales_order_id = 43659; UPDATE aw.even_order SET sub_total = sub_total / 2 WHERE sales_order_id = (SELECT min(sales_order_id) FROM aw.even_order WHERE sales_person_id = 276); DELETE FROM aw.even_order WHERE sales_order_id = (SELECT max(sales_order_id) FROM aw.even_order WHERE sales_person_id = 282 AND order_date < ''2011-12-01''); SELECT spm.set_quota(''280'', ''2011-12-01'', 400000, ''sales'', reason => ''corrected'');'
\o /dev/null
:past
\o
CALL spm.calculate('2012-02-29');
SELECT plan(7);
SELECT is((SELECT late_period_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 3, 'changes in the past are found when the next window is calculated');
CALL spm.calculate('2012-02-29');
SELECT is((SELECT changed_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 0::bigint, 'and once only');
SELECT is_empty($$TABLE public.posted EXCEPT ALL (
    SELECT 'credit', md5(c::text) FROM spm.credit c UNION ALL SELECT 'measurement', md5(m::text) FROM spm.measurement m
    UNION ALL SELECT 'earning', md5(e::text) FROM spm.earning e UNION ALL SELECT 'payout', md5(o::text) FROM spm.payout o)$$,
    'no posted row has changed');
SELECT is((SELECT string_agg(s, E'\n') FROM spm.statement('280', '2011-12-01') s), :'statement', 'a posted statement reads as it did');
SELECT set_eq('SELECT payee_key, period_name, component_name, paid_amount FROM spm_bi.payout WHERE is_difference',
    $$VALUES ('276', '2011-05-31', 'Commission', -37.92), ('276', '2011-05-31', 'Accelerator', -202.26),
             ('274', '2011-05-31', 'Override', -25.28), ('273', '2011-05-31', 'Override', -25.28),
             ('275', '2011-08-31', 'Commission', 600.00), ('275', '2011-08-31', 'Accelerator', 5000.00),
             ('282', '2011-08-31', 'Commission', -1334.66), ('282', '2011-08-31', 'Accelerator', -7118.19),
             ('274', '2011-08-31', 'Override', -389.78), ('273', '2011-08-31', 'Override', -389.77),
             ('280', '2011-12-01', 'Accelerator', -2132.04), ('280', '2011-12-01', 'Bonus', -5000.00)$$,
    'what has changed is paid as a difference, to whom it concerns and to nobody else');
SELECT is((SELECT array_agg(is_reversal::text || ' ' || credited_amount::text || ' ' || paid_period_name ORDER BY credit_id)
    FROM spm_bi.credit WHERE transaction_key = (SELECT min(sales_order_id)::text FROM aw.even_order WHERE sales_person_id = 276) AND credit_kind = 'direct'),
    '{"false 5056.489600 2011-05-31","true -5056.489600 2012-02-29","false 2528.244800 2012-02-29"}',
    'both versions of an order are kept, and what takes the first one back');
CALL spm.post('2012-02-29');
SELECT spm.statement('280', '2012-02-29');
SELECT results_eq('SELECT bool_and(is_reconciled) FROM spm_bi.reconciliation', 'VALUES (true)', 'and every level adds up, differences too');
SELECT string_agg(r, E'\n') AS base FROM public.result_row() r \gset

-- The same past, known from the start.
\c -reuse-previous=on "dbname=spm_aw_fresh options=-cjit=off"
SET client_min_messages = warning;
CREATE TEMPORARY TABLE base AS SELECT * FROM string_to_table(:'base', E'\n') r;
\o /dev/null
:past
\o
SELECT format('CALL spm.%s(%L)', s.step, p.name) FROM spm.period p
CROSS JOIN (VALUES (1, 'calculate'), (2, 'post')) s(no, step) WHERE p.span << '[2012-05-30,2012-05-31)' ORDER BY p.span, s.no
\gexec
SELECT plan(1);
SELECT is_empty('(SELECT r FROM public.result_row() r EXCEPT ALL TABLE base) UNION ALL (TABLE base EXCEPT ALL SELECT r FROM public.result_row() r)',
    'what was posted and the differences come to what is calculated when all is known from the start');
SELECT * FROM finish();

\c :home
DROP DATABASE spm_aw;
DROP DATABASE spm_aw_halves;
DROP DATABASE spm_aw_late;
DROP DATABASE spm_aw_fresh;
