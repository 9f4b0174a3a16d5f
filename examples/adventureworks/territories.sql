-- The territories of AdventureWorks, who held them, and what contradicts what:
--   psql -d DB -f examples/adventureworks/territories.sql
-- in a database in which run.sql or map.sql has run.  Nothing in schema aw is changed.
\set ON_ERROR_STOP 1
\set QUIET 1
\pset footer off
SELECT EXISTS (SELECT FROM spm.territory_model WHERE name = 'AdventureWorks') AS is_mapped \gset
\if :is_mapped
\else
BEGIN;
\o /dev/null
CREATE VIEW adventureworks.account AS
SELECT c.customer_id, s.name, s.sales_person_id, s.annual_revenue, c.territory_id, a.latitude, a.longitude
FROM aw.customer c
JOIN aw.store s USING (store_id)
LEFT JOIN LATERAL (SELECT d.latitude, d.longitude FROM aw.business_entity_address b JOIN aw.address d USING (address_id)
                   WHERE b.business_entity_id = s.store_id ORDER BY d.address_id LIMIT 1) a ON true;
COMMENT ON VIEW adventureworks.account IS 'Stores that buy: their owner, revenue, territory and place.';

SELECT spm.add_territory_model('AdventureWorks', 'adventureworks.account', key => 'customer_id', potential => 'annual_revenue',
                               latitude => 'latitude', longitude => 'longitude', owner => 'sales_person_id');
SELECT spm.add_territory_attribute('AdventureWorks', 'territory', column_name => 'territory_id');

-- Three groups, and ten territories below them, each with the rule that its accounts are those of the warehouse.
SELECT spm.add_territory('AdventureWorks', g.territory_group) FROM (SELECT DISTINCT t.territory_group FROM aw.sales_territory t ORDER BY 1) g;
SELECT spm.add_territory('AdventureWorks', t.territory_id::text, t.name, parent => t.territory_group),
       spm.add_territory_rule(t.territory_id::text, jsonb_build_object('territory', t.territory_id::text), model => 'AdventureWorks')
FROM aw.sales_territory t ORDER BY t.territory_id;

-- Who held them, from the history; and the other table that says so.
SELECT spm.load_territory_holders('aw.sales_territory_history', territory => 'territory_id', payee => 'sales_person_id',
                                  since => 'start_date', last_day => 'end_date', model => 'AdventureWorks');
SELECT spm.check_holders('sales_person', 'aw.sales_person', payee => 'sales_person_id', territory => 'territory_id', model => 'AdventureWorks');
SELECT spm.activate_territory_model('AdventureWorks');
SELECT spm.assign_territories('AdventureWorks', as_of => '2011-05-31');
\o
COMMIT;
\endif

\echo '\nTerritories on the last day of the data:'
SELECT t.territory_key AS key, t.name, c.account_count AS accounts, c.potential, c.payee_count AS reps, c.is_vacant AS vacant, round(c.load_ratio, 2) AS load
FROM spm.territory_coverage('AdventureWorks', '2014-06-30') c JOIN spm.territory t USING (territory_id)
WHERE t.parent_territory_id IS NOT NULL
ORDER BY t.territory_id;

\echo 'What contradicts what:'
SELECT d.kind, count(*), sum(d.amount)::numeric(20,2) AS amount, min(d.detail) AS "for example"
FROM spm.territory_defect('AdventureWorks') d GROUP BY d.kind ORDER BY d.kind;

\echo 'Reps whose territory differs between two tables, and what repairs it:'
SELECT d.payee_key AS rep, d.detail, d.repair FROM spm.territory_defect('AdventureWorks') d WHERE d.kind = 'holder';
\set QUIET 0
