-- AdventureWorks: territories, who held them, whose orders lie where, and what contradicts what. Compared with plain SQL over the warehouse.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
-- Real data that is not part of the project: beside it, or where SPM_DATA says.
\getenv input PG_ABS_SRCDIR
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
DROP DATABASE IF EXISTS spm_aw_territory WITH (FORCE);
CREATE DATABASE spm_aw_territory TEMPLATE template0;
\c -reuse-previous=on "dbname=spm_aw_territory options=-cjit=off"
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION spm CASCADE;
\cd :data/adventureworks
\set ECHO none
\i load.sql
\set QUIET 1
\set ON_ERROR_STOP 0
\set ECHO all
-- The warehouse in our words: who sells, the accounts, and the tree of territories.
CREATE SCHEMA crm;
CREATE VIEW crm.rep AS
SELECT s.sales_person_id, p.first_name || ' ' || p.last_name AS name, e.hire_date
FROM aw.sales_person s JOIN aw.employee e ON e.employee_id = s.sales_person_id JOIN aw.person p ON p.person_id = s.sales_person_id;
CREATE VIEW crm.account AS
SELECT c.customer_id, s.name, s.sales_person_id, s.annual_revenue, c.territory_id, g.latitude, g.longitude
FROM aw.customer c
JOIN aw.store s USING (store_id)
LEFT JOIN LATERAL (SELECT a.latitude, a.longitude FROM aw.business_entity_address b JOIN aw.address a USING (address_id)
                   WHERE b.business_entity_id = s.store_id ORDER BY a.address_id LIMIT 1) g ON true;
SELECT spm.add_currency('USD'), spm.load_payees('crm.rep', key => 'sales_person_id', name => 'name', since_column => 'hire_date') \g /dev/null
SELECT spm.map_source('orders', 'aw.sales_order_header', key => 'sales_order_id', date => 'order_date', owner => 'sales_person_id', amount => 'sub_total',
    account => 'customer_id', fixed_currency => 'USD', attributes => '{territory_id}', filter => 'NOT online_order_flag') \g /dev/null
SELECT spm.add_territory_model('AdventureWorks', 'crm.account', 'customer_id', potential => 'annual_revenue', latitude => 'latitude', longitude => 'longitude', owner => 'sales_person_id') \g /dev/null
SELECT spm.add_territory_attribute('AdventureWorks', 'territory', column_name => 'territory_id') \g /dev/null
SELECT spm.add_territory('AdventureWorks', t.territory_group) FROM (SELECT DISTINCT territory_group FROM aw.sales_territory ORDER BY 1) t \g /dev/null
SELECT spm.add_territory('AdventureWorks', t.territory_id::text, t.name, parent => t.territory_group),
    spm.add_territory_rule(t.territory_id::text, jsonb_build_object('territory', t.territory_id::text))
FROM aw.sales_territory t ORDER BY t.territory_id \g /dev/null
SELECT spm.activate_territory_model('AdventureWorks') \g /dev/null
SELECT plan(26);
SELECT is(spm.load_territory_holders('aw.sales_territory_history', 'territory_id', 'sales_person_id', since => 'start_date', last_day => 'end_date'), 17::bigint, 'all 17 rows of the history become holders');

-- ---- the accounts
SELECT results_eq($$SELECT outcome, account_count FROM spm.assign_territories(as_of => '2011-05-31')$$,
    $$SELECT 'gained'::text, count(*) FROM crm.account$$, 'every account has a territory');
SELECT is_empty($$SELECT a.customer_id FROM crm.account a FULL JOIN spm.territory_account(NULL, '2013-01-01') s ON s.account_key = a.customer_id::text
    LEFT JOIN spm.territory t ON t.territory_id = s.territory_id WHERE t.territory_key IS DISTINCT FROM a.territory_id::text$$, 'which is that of the warehouse');
SELECT is_empty($$SELECT c.territory_key FROM spm_bi.territory_coverage c
    FULL JOIN (SELECT territory_id::text AS key, count(*) AS n, sum(annual_revenue) AS potential FROM crm.account GROUP BY 1) w ON w.key = c.territory_key
    WHERE (coalesce(w.n, 0), coalesce(w.potential, 0)) IS DISTINCT FROM (c.account_count, c.potential)$$, 'coverage adds accounts and their revenue up as plain SQL does');
SELECT results_eq($$SELECT territory_key FROM spm_bi.territory_coverage WHERE is_vacant AND account_count > 0 ORDER BY 1$$,
    $$SELECT t.territory_id::text FROM aw.sales_territory t WHERE EXISTS (SELECT FROM crm.account a WHERE a.territory_id = t.territory_id)
        AND NOT EXISTS (SELECT FROM aw.sales_territory_history h WHERE h.territory_id = t.territory_id AND h.end_date IS NULL) ORDER BY 1$$, 'territories that nobody holds are vacant');
SELECT is((SELECT sum(total_potential) FROM spm_bi.territory_coverage WHERE parent_territory_key IS NULL), (SELECT sum(annual_revenue) FROM crm.account)::numeric, 'the tops of the tree have it all');
SELECT is((SELECT count(*) FROM spm_bi.territory_map WHERE latitude IS NOT NULL AND territory_key IS NOT NULL), (SELECT count(*) FROM crm.account WHERE latitude IS NOT NULL), 'every account can be put on a map');

-- ---- what contradicts what
SELECT spm.check_holders('sales_person', 'aw.sales_person', payee => 'sales_person_id', territory => 'territory_id') \g /dev/null
CREATE TEMP TABLE defect AS SELECT * FROM spm.territory_defect();
SELECT results_eq($$SELECT kind, count(*) FROM defect GROUP BY 1 ORDER BY 1$$,
    $$VALUES ('holder', 5::bigint), ('no territory', 4), ('other owner', 1563), ('outside', 542)$$, 'all that is known of the data is found, and no more');
SELECT results_eq($$SELECT payee_key FROM defect WHERE kind = 'holder' ORDER BY 1$$, $$VALUES ('275'), ('277'), ('280'), ('282'), ('289')$$,
    'five reps whose territory differs between two tables');
SELECT results_eq($$SELECT key FROM defect WHERE kind = 'outside' ORDER BY 1$$,
    $$SELECT 'orders/' || o.sales_order_id FROM aw.sales_order_header o JOIN aw.sales_territory_history h
        ON h.sales_person_id = o.sales_person_id AND o.order_date >= h.start_date AND o.order_date <= coalesce(h.end_date, o.order_date)
      WHERE h.territory_id <> o.territory_id ORDER BY 1$$, 'orders outside of the territory of the rep on that day, each of them');
SELECT results_eq($$SELECT key FROM defect WHERE kind = 'other owner' ORDER BY 1$$,
    $$SELECT 'orders/' || o.sales_order_id FROM aw.sales_order_header o JOIN aw.customer c USING (customer_id) JOIN aw.store s USING (store_id)
      WHERE s.sales_person_id <> o.sales_person_id ORDER BY 1$$, 'orders of a store of another rep, each of them');
SELECT results_eq($$SELECT payee_key, amount FROM defect WHERE kind = 'no territory' ORDER BY 1$$,
    $$SELECT o.sales_person_id::text, sum(o.sub_total) FROM aw.sales_order_header o WHERE o.sales_person_id IS NOT NULL AND NOT EXISTS (SELECT FROM aw.sales_territory_history h
        WHERE h.sales_person_id = o.sales_person_id AND o.order_date >= h.start_date AND o.order_date <= coalesce(h.end_date, o.order_date)) GROUP BY 1 ORDER BY 1$$,
    'and reps with orders and no territory');

-- ---- what ends it
CREATE FUNCTION pg_temp.do_all(kind text, what text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    d spm.territory_defect;
    n bigint := 0;
BEGIN
    -- one repair may end several
    FOR d IN SELECT r.* FROM defect r WHERE r.kind = do_all.kind ORDER BY r.key LOOP
        CONTINUE WHEN what = 'repair' AND kind = 'outside' AND NOT EXISTS (SELECT FROM spm.territory_defect(since => d.event_date, until => d.event_date + 1) o WHERE o.kind = d.kind AND o.key = d.key);
        EXECUTE CASE what WHEN 'repair' THEN d.repair ELSE replace(d.accept, '...', 'seen') END;
        n := n + 1;
    END LOOP;
    RETURN n;
END
$$;
SELECT is(pg_temp.do_all('holder', 'repair'), 5::bigint, 'the repair of a holder can be run as it is');
SELECT is((SELECT count(*) FROM spm.territory_defect() WHERE kind = 'holder'), 0::bigint, 'after which both tables agree');
SELECT is((SELECT string_agg(concat_ws(' ', sales_person_id, territory_id), ', ' ORDER BY sales_person_id) FROM aw.sales_person WHERE sales_person_id IN (275, 277, 280, 282, 289)),
    '275 3, 277 2, 280, 282 10, 289 6', 'with the history');
SELECT is((SELECT count(*) FROM spm.territory_defect(since => '2014-01-01', until => '2014-02-01') WHERE kind = 'outside'),
    (SELECT count(*) FROM defect WHERE kind = 'outside' AND event_date >= '2014-01-01' AND event_date < '2014-02-01'), 'one month can be looked at alone');
SELECT spm.hold_territory('North America', '277', since => '2014-01-01', until => '2014-02-01', role => 'support') \g /dev/null
SELECT is((SELECT count(*) FROM spm.territory_defect(since => '2014-01-01', until => '2014-02-01') WHERE kind = 'outside'),
    (SELECT count(*) FROM defect d JOIN aw.sales_order_header o ON d.key = 'orders/' || o.sales_order_id JOIN aw.sales_territory t USING (territory_id)
     WHERE kind = 'outside' AND event_date >= '2014-01-01' AND event_date < '2014-02-01' AND NOT (d.payee_key = '277' AND t.territory_group = 'North America')), 'who holds a territory holds all below it');
SELECT isnt((SELECT count(*) FROM defect WHERE kind = 'outside' AND payee_key = '277' AND event_date >= '2014-01-01' AND event_date < '2014-02-01'), 0::bigint, 'which matters for some orders');
DELETE FROM defect WHERE kind = 'outside' AND event_date NOT BETWEEN '2014-01-01' AND '2014-01-31';
SELECT cmp_ok(pg_temp.do_all('outside', 'repair'), '>', 0::bigint, 'orders outside are repaired by letting the rep support the territory on that day');
SELECT is((SELECT count(*) FROM spm.territory_defect(since => '2014-01-01', until => '2014-02-01') WHERE kind = 'outside'), 0::bigint, 'after which they are inside');
SELECT is(pg_temp.do_all('no territory', 'accept'), 4::bigint, 'what is meant to be can be accepted');
SELECT spm.accept_territory_defect(kind, key, reason => 'stores were handed over') FROM spm.territory_defect() WHERE kind = 'other owner' \g /dev/null
SELECT results_eq('SELECT DISTINCT kind FROM spm_bi.territory_defect', $$VALUES ('outside')$$, 'and is no longer reported');
SELECT is((SELECT count(*) FROM spm.accepted_territory_defect WHERE accepted_by = session_user), 1567::bigint, 'but kept, with who accepted it and why');
DELETE FROM spm.accepted_territory_defect WHERE kind = 'no territory';
SELECT is((SELECT count(*) FROM spm.territory_defect() WHERE kind = 'no territory'), 4::bigint, 'until somebody takes that back');

-- ---- who is credited
SELECT spm.credit_territories('territory', by => 'rule') \g /dev/null
CREATE TABLE crm.month AS SELECT d::date AS first_day FROM generate_series(date '2011-05-01', '2014-05-01', interval '1 month') d;
SELECT spm.load_periods('aw', 'crm.month', 'first_day', grain => 'month', last_day => '2014-05-31') \g /dev/null
SELECT spm.create_plan('Territory', 'aw', 'USD', '2011-05-01'), spm.add_component('Territory', 'Share', '0: 1%', credits => 'territory') \g /dev/null
SELECT spm.assign_plan('Territory', '2011-05-01', payee => sales_person_id::text) FROM crm.rep \g /dev/null
SELECT spm.publish_plan('Territory') \g /dev/null
CALL spm.calculate('2013-06-01');
SELECT results_eq($$SELECT y.payee_key, sum(c.credited_amount) FROM spm.standing_credit c JOIN spm.payee y USING (payee_id) WHERE c.kind = 'territory' GROUP BY 1 ORDER BY 1$$,
    $$SELECT h.sales_person_id::text, sum(o.sub_total) FROM aw.sales_order_header o JOIN aw.sales_territory_history h
        ON h.territory_id = o.territory_id AND o.order_date >= h.start_date AND o.order_date <= coalesce(h.end_date, o.order_date)
      WHERE NOT o.online_order_flag AND o.order_date >= '2013-06-01' AND o.order_date < '2013-07-01' GROUP BY 1 ORDER BY 1$$,
    'in June 2013 every holder is credited with the orders of the territory, whoever sold them');
SELECT spm.credit_territories('territory', by => 'assignment') \g /dev/null
CALL spm.calculate('2013-06-01');
SELECT results_eq($$SELECT y.payee_key, sum(c.credited_amount) FROM spm.standing_credit c JOIN spm.payee y USING (payee_id) WHERE c.kind = 'territory' GROUP BY 1 ORDER BY 1$$,
    $$SELECT h.sales_person_id::text, sum(o.sub_total) FROM aw.sales_order_header o JOIN aw.customer c USING (customer_id) JOIN aw.sales_territory_history h
        ON h.territory_id = c.territory_id AND o.order_date >= h.start_date AND o.order_date <= coalesce(h.end_date, o.order_date)
      WHERE NOT o.online_order_flag AND o.order_date >= '2013-06-01' AND o.order_date < '2013-07-01' GROUP BY 1 ORDER BY 1$$,
    'and by assignment with those of its accounts');
SELECT * FROM finish();
\c :home
DROP DATABASE spm_aw_territory WITH (FORCE);
