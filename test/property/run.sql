/*
 * property/run.sql: one company twice, in one transaction that leaves nothing.
 *
 *   psql -v seed=1 -v plans=40 -f test/property/run.sql
 *
 * 1. Step by step: late edits between calculating and posting, differences paid.
 * 2. Afresh: the same edits first, the orders out of two sources and in another
 *    order of arrival, everything calculated from nothing; and by the twin.
 *
 * Afterwards :faults holds what was found, a line each, empty if nothing was;
 * :earnings how many earnings were compared; :missing which options nothing was earned by.
 */
\set QUIET 1
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
-- hundreds of queries over little data: less time to look for the best plan of each
SET LOCAL join_collapse_limit = 1;
SET LOCAL from_collapse_limit = 1;
\o /dev/null
\ir ../twin/compensation.sql
\ir company.sql
\ir twin.sql
\ir check.sql
ANALYZE;
SAVEPOINT drawn;

CALL spm.calculate('2026-01');
SELECT property.edit(1);
CALL spm.calculate('2026-01');
CALL spm.post('2026-01');
INSERT INTO property.kept SELECT property.ledger();
SELECT property.edit(2);
CALL spm.calculate('2026-02');
CALL spm.calculate('2026-02');
SELECT coalesce(property.changed('2026-02'), '') AS again \gset
CALL spm.post('2026-02');
SELECT property.edit(3);
CALL spm.calculate('2026-03');
CALL spm.post('2026-03');
ANALYZE;
SELECT property.snapshot() AS stepwise, (SELECT coalesce(string_agg('stepwise: ' || f, E'\n'), '') FROM property.fault() f) AS stepwise_fault \gset
ROLLBACK TO drawn;

SELECT property.edit(1), property.edit(2), property.edit(3);
CREATE TABLE property.order_a AS SELECT * FROM property.sales_order WHERE hashtext(order_id) % 3 <> 0 ORDER BY md5(order_id);
CREATE TABLE property.order_b AS SELECT * FROM property.sales_order WHERE hashtext(order_id) % 3 = 0 ORDER BY md5(order_id);
CREATE TABLE property.share_a AS SELECT s.* FROM property.share s JOIN property.order_a USING (order_id) ORDER BY md5(s.order_id || s.owner);
CREATE TABLE property.share_b AS SELECT s.* FROM property.share s JOIN property.order_b USING (order_id) ORDER BY md5(s.order_id || s.owner);
SELECT spm.map_source(CASE r WHEN 'a' THEN 'orders' ELSE 'more orders' END, ('property.order_' || r)::regclass, key => 'order_id', date => 'ordered_on', owner => 'owner', amount => 'amount', type => 'kind',
        account => 'account', product => 'product', quantity => 'quantity', cost => 'cost', currency => 'currency'),
    spm.map_split(CASE r WHEN 'a' THEN 'orders' ELSE 'more orders' END, ('property.share_' || r)::regclass, key => 'order_id', owner => 'owner', share => 'percent', share_unit => 'percent')
FROM unnest('{a,b}'::text[]) AS r;
ANALYZE;
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
CALL spm.calculate('2026-03');
SELECT property.reckon();
ANALYZE;
SELECT property.snapshot() AS afresh, (SELECT coalesce(string_agg('afresh: ' || f, E'\n'), '') FROM property.fault() f) AS afresh_fault,
       (SELECT coalesce(string_agg(f, E'\n'), '') FROM property.twin_fault() f) AS twin_fault, (SELECT count(*) FROM spm.standing_earning) AS earnings,
       (SELECT coalesce(string_agg(f, ', '), '') FROM property.missing() f) AS missing \gset

SELECT concat_ws(E'\n', nullif(:'again', ''), nullif(:'stepwise_fault', ''), nullif(:'afresh_fault', ''), nullif(:'twin_fault', ''),
    (SELECT string_agg(d, E'\n') FROM property.difference('stepwise', :'stepwise', 'afresh', :'afresh') d)) AS faults \gset
\o
ROLLBACK;
