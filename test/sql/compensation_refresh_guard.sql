-- Whoever owns the table of orders changes it after it is tracked: changes are noticed as well as can be, and nothing runs with the rights of spm.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT plan(3);
SET LOCAL client_min_messages = warning;
\o /dev/null
CREATE ROLE spm_shopkeeper;
CREATE SCHEMA kiosk AUTHORIZATION spm_shopkeeper;
SET LOCAL ROLE spm_shopkeeper;
CREATE TABLE kiosk.sale (sale_id text PRIMARY KEY, sold_on date, seller text, amount numeric);
RESET ROLE;
SELECT spm.add_currency('USD');
SELECT spm.map_source('kiosk', 'kiosk.sale', key => 'sale_id', date => 'sold_on', owner => 'seller', amount => 'amount', fixed_currency => 'USD');
SELECT spm.track_source('kiosk');
DELETE FROM spm.change;
SET LOCAL ROLE spm_shopkeeper;
CREATE TYPE kiosk.word AS ENUM ('a');
CREATE TABLE kiosk.run_by (who text);
GRANT ALL ON kiosk.run_by TO PUBLIC;
CREATE FUNCTION kiosk.as_text(kiosk.word) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO kiosk.run_by VALUES (current_user);
    RETURN 'x';
END
$$;
CREATE FUNCTION kiosk.as_date(kiosk.word) RETURNS date LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO kiosk.run_by VALUES (current_user);
    RETURN '2026-01-01';
END
$$;
CREATE CAST (kiosk.word AS text) WITH FUNCTION kiosk.as_text(kiosk.word);
CREATE CAST (kiosk.word AS date) WITH FUNCTION kiosk.as_date(kiosk.word);

-- the day has another name
ALTER TABLE kiosk.sale RENAME sold_on TO sold_before;
INSERT INTO kiosk.sale SELECT i, '2026-02-01', 's05', 5 FROM generate_series(1, 10001) AS i;
RESET ROLE;
\o
SELECT results_eq('SELECT source, transaction_key, span FROM spm.change', $$VALUES ('kiosk', NULL::text, NULL::daterange)$$,
    'many orders whose day has another name by now are marked as a whole');
\o /dev/null
DELETE FROM spm.change;

-- the day and the key are of a type that runs what its owner wrote
SET LOCAL ROLE spm_shopkeeper;
ALTER TABLE kiosk.sale ADD sold_on kiosk.word;
INSERT INTO kiosk.sale SELECT i, '2026-02-01', 's05', 5, 'a' FROM generate_series(20001, 30001) AS i;
ALTER TABLE kiosk.sale RENAME sale_id TO id_before;
ALTER TABLE kiosk.sale ADD sale_id kiosk.word;
INSERT INTO kiosk.sale VALUES ('1x', '2026-02-01', 's05', 5, 'a', 'a');
INSERT INTO kiosk.sale SELECT i, '2026-02-01', 's05', 5, 'a', 'a' FROM generate_series(30002, 40002) AS i;
RESET ROLE;
\o
SELECT results_eq('SELECT source, transaction_key, span FROM spm.change', $$SELECT 'kiosk', NULL::text, NULL::daterange FROM generate_series(1, 3)$$,
    'orders whose day or key is of a type of somebody''s own are marked as a whole');
SELECT is_empty('SELECT who FROM kiosk.run_by', 'and no code of theirs is run with the rights of spm');
SELECT finish();
ROLLBACK;
