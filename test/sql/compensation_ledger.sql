-- The ledger is kept by period: what a part is, who may touch it, what reads it, and what happens when one is away.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/company.sql
\set ECHO all
CREATE ROLE reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA spm GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA spm GRANT INSERT ON TABLES TO PUBLIC;
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
CALL spm.calculate('2026-Q2');
CALL spm.calculate('2026-Q3');
CREATE FUNCTION pg_temp.last_run() RETURNS spm.run LANGUAGE sql AS 'SELECT r FROM spm.run r ORDER BY run_id DESC LIMIT 1';
CREATE TEMPORARY VIEW part AS
SELECT i.inhparent::regclass::text AS whole, c.oid, c.relname::text AS name, p.period_id, p.name AS period
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN spm.period p ON c.relname IN ('credit_' || p.period_id, 'earning_' || p.period_id)
WHERE i.inhparent IN ('spm.credit'::regclass, 'spm.earning'::regclass);
CREATE TEMPORARY VIEW index AS
SELECT t.name AS part, regexp_replace(pg_get_indexdef(i.indexrelid), '(credit|earning)_' || t.period_id, '\1_N', 'g') AS definition
FROM part t JOIN pg_index i ON i.indrelid = t.oid;

SELECT plan(32);
SELECT is((SELECT string_agg(concat(period_id, ' ', name), ', ' ORDER BY span) FROM spm.period WHERE grain = 'quarter'), '2 2026-Q1, 3 2026-Q2, 4 2026-Q3, 5 2026-Q4', 'the keys below');


-- ---- what there is
SELECT results_eq($$SELECT period, string_agg(whole, ' ' ORDER BY whole) FROM part GROUP BY period_id, period ORDER BY period_id$$,
    $$VALUES ('2026-Q1', 'spm.credit spm.earning'), ('2026-Q2', 'spm.credit spm.earning'), ('2026-Q3', 'spm.credit spm.earning')$$,
    'a period that was calculated has a part of each table, one that was not has none');
SELECT is((SELECT count(*) FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' JOIN part USING (oid)), 0::bigint,
    'parts are no members of the extension, so that pg_dump saves them');
SELECT results_eq($$SELECT replace(definition, ' ON spm.', ' ') FROM index WHERE part IN (SELECT name FROM part WHERE period = '2026-Q1') ORDER BY definition COLLATE "C"$$, $$VALUES
    ('CREATE INDEX credit_N_payee credit_N USING btree (payee_id)'),
    ('CREATE INDEX credit_N_position credit_N USING btree (position_id)'),
    ('CREATE INDEX credit_N_posting credit_N USING brin (posting_id)'),
    ('CREATE INDEX credit_N_transaction credit_N USING btree (transaction_key, source)'),
    ('CREATE INDEX earning_N_credit earning_N USING btree (credit_id)'),
    ('CREATE INDEX earning_N_elsewhere earning_N USING btree (credit_period_id, credit_id) WHERE (credit_period_id IS NOT NULL)'),
    ('CREATE INDEX earning_N_payee earning_N USING btree (payee_id)'),
    ('CREATE INDEX earning_N_posting earning_N USING brin (posting_id)'),
    ('CREATE UNIQUE INDEX credit_N_pkey credit_N USING btree (credit_id)'),
    ('CREATE UNIQUE INDEX credit_N_reverses credit_N USING btree (reverses_id) WHERE (reverses_id IS NOT NULL)'),
    ('CREATE UNIQUE INDEX earning_N_pkey earning_N USING btree (earning_id)'),
    ('CREATE UNIQUE INDEX earning_N_reverses earning_N USING btree (reverses_id) WHERE (reverses_id IS NOT NULL)')$$,
    'its indexes are made with it');
SELECT is((SELECT count(DISTINCT n) FROM (SELECT array_agg(definition ORDER BY definition) AS n FROM index JOIN part ON part.name = index.part GROUP BY period_id) p), 1::bigint,
    'every period has the same');
DROP INDEX spm.earning_2_credit, spm.earning_2_posting;
ALTER TABLE spm.earning_2 DROP CONSTRAINT earning_2_pkey;
SELECT spm._index_partition('earning', 2);
SELECT is((SELECT count(DISTINCT n) FROM (SELECT array_agg(definition ORDER BY definition) AS n FROM index JOIN part ON part.name = index.part GROUP BY period_id) p), 1::bigint,
    'what somebody has dropped can be made again');
SELECT is(spm._ledger_partition('credit', 2)::text, 'spm.credit_2', 'asked for again, a part is what it was');
SELECT is((SELECT count(*) FROM part WHERE obj_description(oid, 'pg_class') IS NULL), 0::bigint, 'each says where to look');

-- ---- who may touch it
SELECT is((SELECT string_agg(DISTINCT a.grantee::regrole::text, ', ') FROM part JOIN pg_class c USING (oid), aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a),
    current_user::text, 'a part gives rights to nobody but its owner, whatever the default is');
SELECT throws_ok('UPDATE spm.earning_3 SET amount = 0', '23001', 'spm.earning_3 is a part of spm.earning', 'drafts are not changed where no trace is kept of it');
SELECT throws_ok('DELETE FROM spm.credit_3', '23001', 'spm.credit_3 is a part of spm.credit', 'not deleted');
SELECT throws_ok('TRUNCATE spm.credit_2', '23001', 'spm.credit_2 is a part of spm.credit', 'and not emptied');
SELECT throws_ok('DELETE FROM spm.credit', '23001', 'a posted row of spm.credit never changes', 'posted rows stay');
SELECT throws_ok($$DELETE FROM spm.payee WHERE payee_key = 's01'$$, '23503', 'credits refer to this row of spm.payee', 'what credits refer to stays: payees');
SELECT throws_ok($$DELETE FROM spm.position WHERE position_key = 's01'$$, '23503', 'credits refer to this row of spm.position', 'positions');
SELECT throws_ok($$DELETE FROM spm.period WHERE name = '2026-Q2'$$, '23503', 'credits refer to this row of spm.period', 'periods');
SELECT throws_ok($$SELECT spm._ledger_partition('payout', 1)$$, '22023', 'the ledger has no parts of "payout" for period 1', 'nothing but credits and earnings is kept in parts');
SELECT throws_ok($$SELECT spm._ledger_partition('credit', NULL)$$, '22023', NULL, 'for periods');
SELECT throws_ok($$SELECT spm._ledger_partition('credit', 99)$$, '42704', 'period 99 does not exist', 'that there are');

-- ---- what reads it
ANALYZE spm.credit, spm.earning, spm.period, spm.payee;
CREATE FUNCTION pg_temp.parts_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    whole text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
        whole := whole || CASE WHEN line !~ 'never executed' THEN line ELSE '' END;
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT m[1], ' ' ORDER BY m[1]) FROM regexp_matches(whole, ' on ((?:credit|earning)_\d+)', 'g') m);
END
$$;
SELECT is(pg_temp.parts_of('SELECT * FROM spm.standing_earning WHERE period_id = 3'), 'earning_3', 'what stands of a period is read from its part');
SELECT is(pg_temp.parts_of('SELECT * FROM spm.standing_credit WHERE period_id = 3'), 'credit_3', 'credits, too');
SELECT is(pg_temp.parts_of('SELECT * FROM spm_bi.earning WHERE period_id = 4'), 'credit_4 earning_4', 'views for BI read the parts of the period they are asked for');
SELECT is(pg_temp.parts_of('SELECT * FROM spm_bi.lineage WHERE period_id = 4'), 'credit_4 earning_4', 'down to the order');
SELECT is(pg_temp.parts_of('SELECT * FROM spm.reconciliation WHERE period_id = 4'), 'earning_4', 'what proves that all adds up, too');
CREATE TEMPORARY TABLE scans AS SELECT name, pg_stat_get_xact_numscans(oid) AS n FROM part;
SELECT cmp_ok((SELECT count(*) FROM spm.statement('s03', '2026-Q2')), '>', 10::bigint, 'a statement');
SELECT is((SELECT string_agg(name, ' ' ORDER BY name) FROM part JOIN scans s USING (name) WHERE pg_stat_get_xact_numscans(oid) > s.n AND name NOT LIKE '%\_3'), NULL,
    'reads no part of another period');

-- ---- a part that was taken away
SAVEPOINT whole;
UPDATE company.sales_order SET amount = amount + 100 WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30' AND kind = 'booking' AND seller = 's01');
ALTER TABLE spm.credit DETACH PARTITION spm.credit_2;
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '55000', 'spm.credit_2 is no part of spm.credit', 'a total of the year is not reckoned without a quarter of it');
ROLLBACK TO whole;
UPDATE company.sales_order SET amount = amount + 100 WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on < '2026-04-01' AND kind = 'booking' AND seller = 's01');
ALTER TABLE spm.earning DETACH PARTITION spm.earning_2;
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '55000', 'spm.earning_2 is no part of spm.earning', 'without what was posted, a late change is not paid');
ALTER TABLE spm.earning_2 RENAME TO archived;
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '55000', 'spm.earning_2 is no part of spm.earning', 'nor made up for with an empty part');
ALTER TABLE spm.archived RENAME TO earning_2;
ALTER TABLE spm.earning ATTACH PARTITION spm.earning_2 FOR VALUES IN (2);
CALL spm.calculate('2026-Q2');
SELECT is((SELECT bool_and(is_reconciled) FROM spm.reconciliation), true, 'once it is back, the difference is paid');
SELECT is((pg_temp.last_run()).late_period_count, 1, 'of the posted period');
ROLLBACK TO whole;

-- ---- when all is dropped
SELECT spm.unmap_source('orders');
SET CONSTRAINTS ALL IMMEDIATE;
CREATE TEMPORARY TABLE name AS SELECT name FROM part;
DROP VIEW part CASCADE;
DROP FUNCTION pg_temp.last_run();
DROP EXTENSION spm;
SELECT is((SELECT string_agg(name, ' ') FROM name JOIN pg_class c ON c.relname = name.name), NULL, 'the parts go with the extension');
SELECT * FROM finish();
ROLLBACK;
