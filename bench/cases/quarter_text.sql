-- title: commission per payee and quarter, payees by text
-- like: quarter
-- schema: worded
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS worded;
SELECT to_regclass('worded.txn') IS NULL AS is_missing \gset
\if :is_missing
CREATE TABLE worded.txn AS SELECT txn_id, close_date, 'seller-' || payee_id AS payee_id, account_id, product_id, amount, currency FROM bench.txn;
CREATE TABLE worded.payee AS SELECT 'seller-' || payee_id AS payee_id, 'seller-' || manager_id AS manager_id, lvl, plan_id, territory_id FROM bench.payee;
CREATE TABLE worded.quota AS SELECT 'seller-' || payee_id AS payee_id, qtr, quota FROM bench.quota;
ALTER TABLE worded.payee ADD PRIMARY KEY (payee_id);
ALTER TABLE worded.quota ADD PRIMARY KEY (payee_id, qtr);
VACUUM ANALYZE worded.txn, worded.payee, worded.quota;
\endif
