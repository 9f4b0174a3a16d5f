-- Calculated again: what is right stays, what is not is put right; and the same digits come out however the server works.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/company.sql
\set ECHO all
SELECT no_plan();

-- everything that was calculated for a period, but for keys and runs
CREATE FUNCTION pg_temp.results(period text) RETURNS TABLE (line text) LANGUAGE sql AS $$
    SELECT to_jsonb(c) - '{credit_id,posting_id,run_id}'::text[] || '{"stage": 1}' FROM spm.standing_credit c JOIN spm.period p USING (period_id) WHERE p.name = period
    UNION ALL
    SELECT to_jsonb(m) - '{measurement_id,posting_id,run_id,schedule_id}'::text[] || jsonb_build_object('stage', 2, 'schedule', k.definition)
    FROM spm.standing_measurement m JOIN spm.schedule k USING (schedule_id) JOIN spm.period p USING (period_id) WHERE p.name = period
    UNION ALL
    SELECT to_jsonb(e) - '{earning_id,posting_id,run_id,schedule_id,credit_id}'::text[] || jsonb_build_object('stage', 3, 'schedule', k.definition, 'key', c.transaction_key, 'origin', c.origin_position_id)
    FROM spm.standing_earning e JOIN spm.schedule k USING (schedule_id) LEFT JOIN spm.credit c ON c.credit_id = e.credit_id AND c.period_id = e.period_id
    JOIN spm.period p ON p.period_id = e.period_id WHERE p.name = results.period
    UNION ALL
    SELECT to_jsonb(o) - '{payout_id,posting_id,run_id}'::text[] || '{"stage": 4}' FROM spm.payout o JOIN spm.period p USING (period_id) WHERE p.name = period
$$;
CREATE FUNCTION pg_temp.digest(period text) RETURNS text LANGUAGE sql AS $$ SELECT count(*) || ' rows ' || md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")) FROM pg_temp.results(period) $$;
CREATE FUNCTION pg_temp.last_run() RETURNS spm.run LANGUAGE sql AS $$ SELECT r FROM spm.run r ORDER BY r.run_id DESC LIMIT 1 $$;
-- how many rows of the ledger each run has written
CREATE FUNCTION pg_temp.written() RETURNS TABLE (run_id bigint, n bigint) LANGUAGE sql AS $$
    SELECT run_id, count(*) FROM (SELECT run_id FROM spm.credit UNION ALL SELECT run_id FROM spm.measurement UNION ALL SELECT run_id FROM spm.earning UNION ALL SELECT run_id FROM spm.payout) w GROUP BY run_id
$$;

-- ------------------------------------------------------------ with workers
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SAVEPOINT fresh;
SET LOCAL max_parallel_workers_per_gather = 0;
CALL spm.calculate('2026-Q1');
SELECT pg_temp.digest('2026-Q1') AS q1 \gset
ROLLBACK TO fresh;
SET LOCAL max_parallel_workers_per_gather = 1;
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.digest('2026-Q1'), :'q1'::text, 'one worker gives the same digits as none');
ROLLBACK TO fresh;
SET LOCAL max_parallel_workers_per_gather = 2;
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.digest('2026-Q1'), :'q1'::text, 'so do two');
ROLLBACK TO fresh;
SET LOCAL max_parallel_workers_per_gather = 4;
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.digest('2026-Q1'), :'q1'::text, 'so do four');
ROLLBACK TO fresh;
SET LOCAL work_mem = '64kB';
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.digest('2026-Q1'), :'q1'::text, 'so does the least memory, by way of the disk');
RESET work_mem;
SELECT matches(:'q1'::text, '^[1-9][0-9]{2,} rows', 'and there are results to be compared');
ROLLBACK TO fresh;

RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET min_parallel_index_scan_size;
SAVEPOINT calm;

-- ------------------------------------------------ another heap, the same rows
CREATE TABLE company.shuffled AS SELECT * FROM company.sales_order ORDER BY md5(order_id::text);
ALTER TABLE company.shuffled RENAME COLUMN seller TO who;
ALTER TABLE company.shuffled DROP COLUMN kind, ADD COLUMN kind text;
UPDATE company.shuffled s SET kind = o.kind FROM company.sales_order o WHERE o.order_id = s.order_id;
SELECT spm.map_source('orders', 'company.shuffled', key => 'order_id', date => 'ordered_on', owner => 'who', amount => 'amount',
    type => 'kind', account => 'customer', product => 'product', quantity => 'quantity', cost => 'cost', currency => 'currency') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is(pg_temp.digest('2026-Q1'), :'q1'::text, 'rows that lie in another order give the same');
ROLLBACK TO calm;

-- --------------------------------------------------------------- a second call
CALL spm.calculate('2026-Q1');
CALL spm.calculate('2026-Q2');
SELECT pg_temp.digest('2026-Q2') AS q2 \gset
SELECT is((pg_temp.last_run()).transaction_count, (SELECT count(*) FROM company.sales_order WHERE ordered_on >= '2026-04-01' AND ordered_on < '2026-07-01'), 'a run counts the transactions of its period');
SELECT is((pg_temp.last_run()).credit_count, (SELECT count(*) FROM spm.standing_credit c JOIN spm.period p USING (period_id) WHERE p.name = '2026-Q2'), 'the credits');
SELECT is((pg_temp.last_run()).earning_count, (SELECT count(*) FROM spm.standing_earning e JOIN spm.period p USING (period_id) WHERE p.name = '2026-Q2'), 'and the earnings');
SELECT is((pg_temp.last_run()).changed_count, (SELECT n FROM pg_temp.written() w WHERE w.run_id = (pg_temp.last_run()).run_id), 'and the rows that it has written');
CREATE TEMPORARY TABLE before AS SELECT * FROM pg_temp.last_run();
CALL spm.calculate('2026-Q2');
SELECT is((pg_temp.last_run()).changed_count, 0::bigint, 'calculated again, nothing changes');
SELECT results_eq('SELECT transaction_count, uncredited_count, credit_count, payee_count, earning_count, input_watermark FROM pg_temp.last_run()',
    'SELECT transaction_count, uncredited_count, credit_count, payee_count, earning_count, input_watermark FROM before', 'and the run says the same as the one before');
SELECT is(pg_temp.digest('2026-Q2'), :'q2'::text, 'the results are those of before');
SAVEPOINT again;

-- what somebody has taken out of the draft comes back
DELETE FROM spm.earning e USING spm.period p WHERE p.period_id = e.period_id AND p.name = '2026-Q2' AND e.earning_id % 50 = 0;
DELETE FROM spm.credit c USING spm.period p WHERE p.period_id = c.period_id AND p.name = '2026-Q2' AND c.credit_id % 50 = 0 AND NOT EXISTS (SELECT FROM spm.earning e WHERE e.credit_id = c.credit_id);
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.digest('2026-Q2'), :'q2'::text, 'rows missing from a draft are entered again');
SELECT isnt((pg_temp.last_run()).changed_count, 0::bigint, 'and counted');
ROLLBACK TO again;
UPDATE spm.earning e SET amount = e.amount + 1 FROM spm.period p WHERE p.period_id = e.period_id AND p.name = '2026-Q2' AND e.amount > 100;
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.digest('2026-Q2'), :'q2'::text, 'rows changed in a draft are put right');
ROLLBACK TO again;

-- what has changed is calculated: in the input, ...
UPDATE company.sales_order SET amount = amount + 0.01 WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30' AND seller IS NOT NULL);
CALL spm.calculate('2026-Q2');
SELECT cmp_ok((pg_temp.last_run()).changed_count, '>', 0::bigint, 'a cent more is noticed');
SELECT cmp_ok((pg_temp.last_run()).changed_count, '<', (SELECT credit_count FROM before), 'and only what it changes is written');
UPDATE company.sales_order SET amount = amount - 0.01 WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30' AND seller IS NOT NULL);
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.digest('2026-Q2'), :'q2'::text, 'and taken back');
ROLLBACK TO again;
-- ... in what people set, ...
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-05-01', 1.09) \g /dev/null
CALL spm.calculate('2026-Q2');
SELECT isnt(pg_temp.digest('2026-Q2'), :'q2'::text, 'a rate of exchange is noticed');
ROLLBACK TO again;
-- ... and in earlier periods that it stands on
CALL spm.calculate('2026-Q3');
CALL spm.calculate('2026-Q4');
SELECT pg_temp.digest('2026-Q4') AS q4 \gset
UPDATE company.sales_order SET amount = amount * 2 WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30';
CALL spm.calculate('2026-Q2');
CALL spm.calculate('2026-Q4');
SELECT pg_temp.digest('2026-Q4') AS changed \gset
SELECT isnt(:'changed'::text, :'q4'::text, 'a change of a quarter reaches those that accumulate over it');
UPDATE company.sales_order SET amount = amount / 2 WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30';
CALL spm.calculate('2026-Q2');
CALL spm.calculate('2026-Q4');
SELECT is(pg_temp.digest('2026-Q4'), :'q4'::text, 'both ways');

-- a transaction that is there twice is refused, however it is shared
ROLLBACK TO again;
ALTER TABLE company.sales_order DROP CONSTRAINT sales_order_pkey;
INSERT INTO company.sales_order SELECT * FROM company.sales_order WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30' AND order_id % 17 <> 0 AND seller LIKE 's%');
SELECT throws_like($$CALL spm.calculate('2026-Q2')$$, 'transaction orders/% occurs 2 times', 'a row that is there twice is refused');
ROLLBACK TO again;
ALTER TABLE company.sales_order DROP CONSTRAINT sales_order_pkey;
INSERT INTO company.sales_order SELECT * FROM company.sales_order WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30' AND order_id % 17 = 0);
SELECT throws_like($$CALL spm.calculate('2026-Q2')$$, 'transaction orders/% occurs 2 times', 'also one that people share');

SELECT finish();
ROLLBACK;
