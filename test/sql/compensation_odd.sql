-- What goes wrong in warehouses and sessions: doubled rows, odd shares, no date, odd settings, long amounts, a period that is reopened late.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA "Shop";
CREATE TABLE "Shop".deal (deal_id text, closed_on timestamptz, owner text, amount numeric, units int, currency text);
CREATE TABLE "Shop".share (deal_id text, owner text, percent numeric);
INSERT INTO "Shop".deal VALUES
    ('D-01', '2026-01-10 12:00Z', 'dana', 1000.00, 1, 'USD'),
    ('D-02', '2026-02-20 12:00Z', 'dana', 500.00, 1, 'USD'),
    ('D-03', '2026-03-01 12:00Z', 'dana', 100.00, 1, 'USD');
INSERT INTO "Shop".share VALUES ('D-03', 'dana', 50), ('D-03', 'eli', 50);

-- in a schema whose name needs quotes, mapped and calculated with every identifier quoted: neither types nor days may come out differently
SET quote_all_identifiers = on;
SELECT spm.map_source('deals', '"Shop".deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount',
    quantity => 'units', currency => 'currency', time_zone => 'Asia/Tokyo'),
    spm.map_split('deals', '"Shop".share', key => 'deal_id', owner => 'owner', share => 'percent', share_unit => 'percent') \g /dev/null
SELECT spm.add_currency('USD'), spm.add_currency('JPY') \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01')
FROM unnest('{dana,eli,max}'::text[]) k \g /dev/null
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01'), spm.add_component('AE', 'Commission', '0: 10%, 1000: 20%') \g /dev/null
SELECT spm.assign_plan('AE', '2026-01-01', payee => k) FROM unnest('{dana,eli}'::text[]) k \g /dev/null
SELECT spm.publish_plan('AE') \g /dev/null
CREATE FUNCTION pg_temp.paid(who text, paying text, OUT numeric) LANGUAGE sql
    AS $$SELECT coalesce(sum(paid_amount), 0) FROM spm_bi.payout WHERE payee_key = who AND paid_period_name = paying$$;

SELECT lives_ok($$CALL spm.calculate('2026-Q1')$$, 'a period can be calculated with every identifier quoted');
SELECT is(pg_temp.paid('dana', '2026-Q1'), 210.0000, 'and pays 1,000 at 10 % and 550 at 20 %');
RESET quote_all_identifiers;
SAVEPOINT fine;
INSERT INTO "Shop".deal VALUES ('D-04', '2026-03-31 15:00Z', 'dana', 100.00, 1, 'USD');
SELECT is((SELECT event_date FROM spm.transaction WHERE transaction_key = 'D-04'), '2026-04-01'::date,
    'midnight in Tokyo begins the next day, however the source was mapped');
ROLLBACK TO fine;

-- ---- a row that is there twice
INSERT INTO "Shop".deal VALUES ('D-01', '2026-01-10 12:00Z', 'eli', 1000.00, 1, 'USD');
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '23505', 'transaction deals/D-01 occurs 2 times', 'a deal does not pay two owners in full');
ROLLBACK TO fine;
INSERT INTO "Shop".deal VALUES ('D-01', '2026-01-11 12:00Z', NULL, 1000.00, 1, 'USD');
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '23505', 'transaction deals/D-01 occurs 2 times', 'nor is it doubled by a row without an owner');
ROLLBACK TO fine;
INSERT INTO "Shop".deal VALUES ('D-03', '2026-01-11 12:00Z', 'eli', 1000.00, 1, 'USD');
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '23505', 'transaction deals/D-03 occurs 2 times', 'a shared deal neither');
ROLLBACK TO fine;
UPDATE "Shop".share SET owner = 'dana';
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '23505', 'transaction deals/D-03 occurs 2 times', 'nor does anybody share a deal with himself');
ROLLBACK TO fine;

-- ---- shares
INSERT INTO "Shop".share VALUES ('D-03', 'max', 0);
CALL spm.calculate('2026-Q1');
SELECT results_eq($$SELECT payee_key, credited_amount FROM spm_bi.credit WHERE transaction_key = 'D-03' ORDER BY 1$$,
    $$VALUES ('dana', 50.000000), ('eli', 50.000000)$$, 'whoever shares nothing is credited nothing');
ROLLBACK TO fine;
UPDATE "Shop".share SET percent = 0;
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'shares of transaction deals/D-03 total 0.00, not 1', 'shares of nothing do not make the owner''s whole');
ROLLBACK TO fine;
INSERT INTO "Shop".share VALUES ('D-03', 'max', NULL);
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'shares of transaction deals/D-03 must be given and not negative', 'a missing share is refused by name');
ROLLBACK TO fine;
UPDATE "Shop".share SET percent = CASE owner WHEN 'dana' THEN 150 ELSE -50 END;
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'shares of transaction deals/D-03 must be given and not negative', 'and so is a negative one');
ROLLBACK TO fine;

-- ---- counting, in a currency without decimals
SELECT spm.create_plan('Units', 'fiscal', 'JPY', '2026-01-01'),
    spm.add_component('Units', 'Units', '0: 1000', measure => 'quantity', unit => 'count') \g /dev/null
SELECT spm.assign_plan('Units', '2026-01-01', payee => 'eli'), spm.publish_plan('Units') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE plan_name = 'Units'), 500.0000, 'half a unit counts half, also where money has no decimals');
ROLLBACK TO fine;

-- ---- no date
INSERT INTO "Shop".deal VALUES ('D-05', NULL, 'dana', 1, 1, 'USD'), ('D-06', NULL, 'dana', 1, 1, 'USD');
SELECT results_eq($$SELECT what, severity, detail FROM spm.doctor() WHERE what = 'source'$$,
    $$VALUES ('source', 'error', 'Source "deals" has 2 transaction(s) without a date: no period pays them.')$$, 'the doctor names deals that no period would find');
ROLLBACK TO fine;

-- ---- long amounts
UPDATE "Shop".deal SET amount = 160000000000.00 WHERE deal_id = 'D-01';
CALL spm.calculate('2026-Q1');
SELECT ok(bool_or(s LIKE '% 159,999,999,550.00 %') AND bool_or(s LIKE '% 32,000,000,010.00'), 'a statement never cuts an amount off')
FROM spm.statement('dana', '2026-Q1') s;
ROLLBACK TO fine;

UPDATE "Shop".deal SET amount = 1e15 WHERE deal_id = 'D-01';
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'transaction deals/D-01 has no usable amount', 'what cannot be money is refused where it enters');
ROLLBACK TO fine;

-- ---- one key, two periods
CALL spm.post('2026-Q1');
INSERT INTO "Shop".deal SELECT deal_id, closed_on + interval '100 days', owner, amount, units, currency FROM "Shop".deal WHERE deal_id = 'D-01';
SELECT throws_ok($$CALL spm.calculate('2026-Q2')$$, '23505', 'transaction deals/D-01 is credited in 2026-Q1 and in 2026-Q2',
    'a key that comes again in another period is not paid twice');
DELETE FROM "Shop".deal WHERE deal_id = 'D-01' AND closed_on < '2026-04-01';
CALL spm.calculate('2026-Q2');
SELECT is(array_agg(period_name || CASE WHEN credited_amount < 0 THEN ' back' ELSE '' END ORDER BY 1), '{2026-Q1,"2026-Q1 back",2026-Q2}',
    'a deal that moves from a posted period to the open one is taken back there')
FROM spm_bi.credit WHERE transaction_key = 'D-01' AND credit_kind = 'direct';
ROLLBACK TO fine;

-- ---- reopened after a later period has paid a difference
CALL spm.post('2026-Q1');
DELETE FROM "Shop".deal WHERE deal_id = 'D-02';
CALL spm.calculate('2026-Q2');
CALL spm.post('2026-Q2');
SELECT spm.reopen_period('2026-Q1', 'a deal was forgotten') \g /dev/null
INSERT INTO "Shop".deal VALUES ('D-07', '2026-03-01 12:00Z', 'dana', 10.00, 1, 'USD');
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
SELECT s FROM spm.statement('dana', '2026-Q1') s;
SELECT ok(bool_and(is_reconciled), 'everything adds up') FROM spm_bi.reconciliation;
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE payee_key = 'dana' AND period_name = '2026-Q1'), 112.0000,
    'and in all 1,000 at 10 % and 60 at 20 % are paid');
SELECT * FROM finish();
ROLLBACK;
