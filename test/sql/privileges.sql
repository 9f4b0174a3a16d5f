-- Who has no rights sees nothing and changes nothing; who may calculate still cannot touch what is posted.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/company.sql
\set ECHO all
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
CREATE ROLE stranger;
CREATE ROLE reader;
CREATE ROLE clerk;
GRANT USAGE ON SCHEMA spm, spm_bi TO stranger, reader, clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA spm_bi, spm TO reader, clerk;
GRANT USAGE ON SCHEMA company TO clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA company TO clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA spm TO clerk;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO clerk;
CREATE TEMPORARY TABLE writing (call text);
INSERT INTO writing VALUES ('CALL spm.calculate(''2026-Q2'')'), ('CALL spm.post(''2026-Q1'')'), ('SELECT spm.reopen_period(''2026-Q1'', ''why'')'),
    ('SELECT spm.set_quota(''s01'', ''2026-Q1'', 1, ''bookings'')'), ('SELECT spm.add_payee(''x'', ''x'')'), ('SELECT spm.set_manager(''s01'', ''l1'', ''2026-01-01'')'),
    ('SELECT spm.set_exchange_rate(''EUR'', ''USD'', ''2026-01-01'', 2)'), ('SELECT spm.set_variable(''target_bonus'', 9, payee => ''s01'')'),
    ('SELECT spm.publish_plan(''Seller'')'), ('SELECT spm.retire_plan(''Seller'', ''2026-06-01'')'), ('SELECT spm.new_plan_version(''Seller'', ''2026-06-01'')'),
    ('SELECT spm.import_plan(''{"spm_plan": 1, "name": "x", "calendar": "company", "currency_code": "USD", "since": "2026-01-01", "components": []}'')'),
    ('SELECT spm.create_plan_from_template(''flat'', ''x'', ''company'', ''USD'', ''2026-01-01'')'), ('SELECT spm.accept_plan(''Seller'', 1, ''s01'')'),
    ('SELECT spm.import_plan_version(''Seller'', ''{"spm_plan": 1, "name": "x", "calendar": "company", "currency_code": "USD", "since": "2026-01-01", "components": []}'', ''2026-06-01'')'),
    ('SELECT spm.add_credit_rule(''r'', ''true'', ''{s01}'', ''{1}'', ''2026-01-01'')'), ('SELECT spm.map_source(''orders'', ''company.sales_order'', ''order_id'', ''ordered_on'', ''seller'', ''amount'', currency => ''currency'')'),
    ('SELECT spm.create_calendar(''x'', ''month'', ''2026-01-01'', ''2027-01-01'')');
GRANT SELECT ON writing TO PUBLIC;
CREATE FUNCTION pg_temp.relations() RETURNS SETOF regclass LANGUAGE sql AS $$
    SELECT c.oid::regclass FROM pg_class c
    WHERE c.relnamespace IN ('spm'::regnamespace, 'spm_bi'::regnamespace) AND c.relkind IN ('r', 'p', 'v') ORDER BY c.oid::regclass::text COLLATE "C"
$$;
-- what an error says of a statement, '' when there is none
CREATE FUNCTION pg_temp.answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN '';
EXCEPTION WHEN others THEN
    RETURN sqlstate;
END
$$;

SELECT plan(23);
SELECT is_empty($$SELECT r FROM pg_temp.relations() r, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p
    WHERE has_table_privilege('stranger', r, p)$$, 'a login without rights has none on any table or view');

SET LOCAL ROLE stranger;
SELECT results_eq('SELECT DISTINCT pg_temp.answer(format(''SELECT FROM %s'', r)) FROM pg_temp.relations() r', ARRAY['42501'], 'reads nothing');
SELECT results_eq('SELECT DISTINCT pg_temp.answer(call) FROM writing', ARRAY['42501'], 'runs nothing that changes anything');
SELECT is(pg_temp.answer($$SELECT spm.statement('s01', '2026-Q1')$$), '42501', 'sees no statement');
SELECT is(pg_temp.answer($$SELECT spm.explain('s01', '2026-Q1', '5')$$), '42501', 'gets nothing explained');
SELECT is(spm.commission('0: 5%, 100: 10%', 150), 10.00, 'and may use the toolbox, which reads no tables');
RESET ROLE;

SET LOCAL ROLE reader;
SELECT results_eq('SELECT DISTINCT pg_temp.answer(call) FROM writing', ARRAY['42501'], 'who may only read runs nothing that changes anything either');
SELECT cmp_ok((SELECT count(*) FROM spm_bi.payout), '>', 0::bigint, 'but reads');
RESET ROLE;

SET LOCAL ROLE clerk;
SELECT lives_ok($$CALL spm.calculate('2026-Q2')$$, 'who has rights on the tables calculates, without being superuser');
SELECT results_eq($$SELECT DISTINCT pg_temp.answer(format('UPDATE spm.%I SET run_id = run_id WHERE posting_id = 1', t)) FROM unnest('{posting,credit,measurement,earning,payout}'::text[]) t$$,
    ARRAY['23001'], 'but changes no posted row');
SELECT results_eq($$SELECT DISTINCT pg_temp.answer(format('DELETE FROM spm.%I WHERE posting_id = 1', t)) FROM unnest('{posting,credit,measurement,earning,payout}'::text[]) t$$,
    ARRAY['23001'], 'deletes none');
SELECT is(pg_temp.answer('UPDATE spm.payout SET posting_id = 1 WHERE posting_id = 2'), '23001', 'moves none into what is posted');
SELECT is(pg_temp.answer('UPDATE spm.schedule SET definition = definition'), '55000', 'changes no rates that explain it');
SELECT results_eq($$SELECT DISTINCT pg_temp.answer(format('TRUNCATE spm.%I CASCADE', t)) FROM unnest('{posting,credit,measurement,earning,payout}'::text[]) t$$,
    ARRAY['42501'], 'throws none away');
SELECT is(pg_temp.answer('ALTER TABLE spm.payout DISABLE TRIGGER ALL'), '42501', 'does not take the guard away');
SELECT is(pg_temp.answer($$SET session_replication_role = replica$$), '42501', 'or around it');
SELECT is(pg_temp.answer($$CREATE OR REPLACE FUNCTION spm._guard_ledger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'$$), '42501', 'or out of it');
SELECT is(pg_temp.answer($$UPDATE spm.period SET state = 'open' WHERE name = '2026-Q1'$$), '55000', 'opens no period behind its back');
SELECT is(pg_temp.answer($$DELETE FROM spm.period_event$$), '55000', 'rewrites nothing that was recorded');
SELECT is(pg_temp.answer($$UPDATE spm.tier SET rate = 1$$), '23001', 'and no published plan');
RESET ROLE;
SELECT is((SELECT string_agg(DISTINCT is_reconciled::text, ' ') FROM spm.reconciliation), 'true', 'after all that everything adds up');
SET LOCAL SESSION AUTHORIZATION clerk;
SELECT is(pg_temp.answer($$INSERT INTO spm.payout (posting_id, period_id, run_id, payee_id, position_id, component_id, currency_code, amount)
    SELECT posting_id, period_id, run_id, payee_id, position_id, component_id, currency_code, 1000000 FROM spm.payout WHERE posting_id = 1 LIMIT 1$$), '23001', 'nor does it put a payout into what is posted');
RESET SESSION AUTHORIZATION;
-- a restore has to load posted rows, so nothing forbids the owner to add one
INSERT INTO spm.payout (posting_id, period_id, run_id, payee_id, position_id, component_id, currency_code, amount)
SELECT posting_id, period_id, run_id, (SELECT payee_id FROM spm.payee WHERE payee_key = 's21'), position_id, component_id, currency_code, 1000000 FROM spm.payout WHERE posting_id = 1 LIMIT 1;
RESET ROLE;
SELECT results_eq('SELECT posting_id, paid_amount FROM spm.reconciliation WHERE NOT is_reconciled', $$VALUES (1, 1000000::numeric)$$,
    'a payout put into a posted posting stands out where everything else adds up');
SELECT * FROM finish();
ROLLBACK;
