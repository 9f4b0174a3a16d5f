-- AdventureWorks from orders to statements:
--   psql -d DB -f examples/adventureworks/run.sql
-- DB has the extension (CREATE EXTENSION spm CASCADE) and the data in schema aw
-- (README.md says how).  A second run calculates what is still open and shows it all again.
-- Orders from elsewhere: psql -v orders=my.sales_order_header ...
\set ON_ERROR_STOP 1
\set QUIET 1
SELECT EXISTS (SELECT FROM spm.calendar WHERE name = 'adventureworks') AS is_mapped \gset
\if :is_mapped
\else
SELECT to_regclass('aw.sales_order_header') IS NULL AS is_missing \gset
\if :is_missing
\warn 'There is no table aw.sales_order_header in this database; examples/adventureworks/README.md says how to load it.'
SELECT 'aw.sales_order_header'::regclass;
\endif
BEGIN;
\ir map.sql
\ir plans.sql
COMMIT;
\endif
\ir calculate.sql
\ir show.sql
\set QUIET 0
