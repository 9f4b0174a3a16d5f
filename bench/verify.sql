/*
 * verify.sql: whether what stands in the ledger is what a calculation from nothing gives, to the digit.
 * Everything happens in a transaction that is rolled back.  Says "differences: 0" or what differs.
 */
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET jit = off;
SET work_mem = '256MB';
BEGIN;
-- Every row of results, without the keys that one calculation draws and another draws anew.
CREATE VIEW pg_temp.content AS
SELECT 'credit' AS relation, (to_jsonb(c) - '{credit_id,posting_id,run_id,reverses_id}'::text[]
       || jsonb_build_object('paid', o.period_id, 'takes back', c.reverses_id IS NOT NULL))::text AS content
FROM spm.credit c JOIN spm.posting o USING (posting_id)
UNION ALL
SELECT 'measurement', (to_jsonb(m) - '{measurement_id,posting_id,run_id,reverses_id,schedule_id}'::text[]
       || jsonb_build_object('paid', o.period_id, 'takes back', m.reverses_id IS NOT NULL, 'rates', k.definition))::text
FROM spm.measurement m JOIN spm.posting o USING (posting_id) JOIN spm.schedule k USING (schedule_id)
UNION ALL
SELECT 'earning', (to_jsonb(e) - '{earning_id,posting_id,run_id,reverses_id,schedule_id,credit_id}'::text[]
       || jsonb_build_object('paid', o.period_id, 'takes back', e.reverses_id IS NOT NULL, 'rates', k.definition,
                             'of', ARRAY[c.source, c.transaction_key, c.line, c.kind, c.owner_key, c.level::text, c.origin_position_id::text, c.part_no::text]))::text
FROM spm.earning e JOIN spm.posting o USING (posting_id) JOIN spm.schedule k USING (schedule_id)
LEFT JOIN spm.credit c ON c.credit_id = e.credit_id AND c.period_id = coalesce(e.credit_period_id, e.period_id)
UNION ALL
SELECT 'payout', (to_jsonb(x) - '{payout_id,posting_id,run_id}'::text[] || jsonb_build_object('paid', o.period_id))::text
FROM spm.payout x JOIN spm.posting o USING (posting_id)
UNION ALL
SELECT 'balance', (to_jsonb(b) - '{balance_id,posting_id,run_id}'::text[] || jsonb_build_object('paid', o.period_id))::text
FROM spm.balance b JOIN spm.posting o USING (posting_id)
UNION ALL
SELECT 'uncredited', (to_jsonb(u) - '{run_id}'::text[])::text FROM spm.uncredited u;

CREATE TEMPORARY TABLE stands ON COMMIT DROP AS SELECT relation, hashtextextended(content, 0) AS hash FROM pg_temp.content;

-- From nothing: no draft, no digest; and nothing kept of what goes here.
SET LOCAL session_replication_role = replica;
DELETE FROM spm.payout x USING spm.posting o WHERE o.posting_id = x.posting_id AND o.state = 'draft';
DELETE FROM spm.balance x USING spm.posting o WHERE o.posting_id = x.posting_id AND o.state = 'draft';
DELETE FROM spm.earning x USING spm.posting o WHERE o.posting_id = x.posting_id AND o.state = 'draft';
DELETE FROM spm.measurement x USING spm.posting o WHERE o.posting_id = x.posting_id AND o.state = 'draft';
DELETE FROM spm.credit x USING spm.posting o WHERE o.posting_id = x.posting_id AND o.state = 'draft';
DELETE FROM spm.uncredited u USING spm.period p WHERE p.period_id = u.period_id AND p.state = 'calculated';
DELETE FROM spm.period_watermark;
SET LOCAL session_replication_role = origin;
SELECT format('CALL spm.calculate(%L)', p.name) FROM spm.period p WHERE p.state = 'calculated' ORDER BY p.span \gexec

CREATE TEMPORARY TABLE afresh ON COMMIT DROP AS SELECT relation, hashtextextended(content, 0) AS hash, content FROM pg_temp.content;
CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
SELECT 'only afresh' AS side, d.* FROM (SELECT relation, hash FROM afresh EXCEPT ALL SELECT relation, hash FROM stands) d
UNION ALL
SELECT 'only as it stands', d.* FROM (SELECT relation, hash FROM stands EXCEPT ALL SELECT relation, hash FROM afresh) d;
\pset tuples_only on
\pset format unaligned
SELECT format('%s %s rows: %s', side, relation, count(*)) FROM difference GROUP BY side, relation ORDER BY relation, side;
SELECT format('  afresh: %s', a.content) FROM afresh a WHERE a.hash IN (SELECT d.hash FROM difference d WHERE d.side = 'only afresh') LIMIT 5;
SELECT format('compared: %s rows, differences: %s', (SELECT count(*) FROM afresh), (SELECT count(*) FROM difference));
ROLLBACK;
