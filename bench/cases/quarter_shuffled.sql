-- title: commission per payee and quarter, heap shuffled
-- like: quarter
-- schema: shuffled
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS shuffled;
SELECT to_regclass('shuffled.txn') IS NULL AS is_missing \gset
\if :is_missing
CREATE TABLE shuffled.txn AS SELECT * FROM bench.txn ORDER BY hashint8extended(txn_id, 1);
VACUUM ANALYZE shuffled.txn;
\endif
