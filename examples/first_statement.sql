/*
 * first_statement.sql: from a table of orders to a statement.
 *
 *   createdb first && psql -d first -f examples/first_statement.sql
 */
\set ON_ERROR_STOP 1

-- Your warehouse: deals, and who sells.
CREATE SCHEMA crm;
CREATE TABLE crm.users (id text PRIMARY KEY, name text, role text, manager_id text);
INSERT INTO crm.users VALUES
    ('U-1', 'Mara Lind', 'Manager', NULL), ('U-17', 'Dana Whitfield', 'AE', 'U-1'), ('U-18', 'Jon Berg', 'AE', 'U-1');
CREATE TABLE crm.deal (deal_id text PRIMARY KEY, closed_on date, stage text, owner_id text, amount numeric(12,2), currency text);
INSERT INTO crm.deal VALUES
    ('D-1001', '2026-01-14', 'won', 'U-17', 120000, 'USD'), ('D-1002', '2026-02-03', 'won', 'U-17', 95000, 'USD'),
    ('D-1003', '2026-02-20', 'lost', 'U-17', 80000, 'USD'), ('D-1004', '2026-03-09', 'won', 'U-17', 97400, 'USD'),
    ('D-1005', '2026-03-27', 'won', 'U-18', 64000, 'USD'), ('D-1006', '2026-03-30', 'won', NULL, 15000, 'USD');

-- spm on it: eight statements.
CREATE EXTENSION IF NOT EXISTS spm CASCADE;

SELECT spm.add_currency('USD');

SELECT spm.map_source('orders', 'crm.deal', key => 'deal_id', date => 'closed_on', owner => 'owner_id',
    amount => 'amount', currency => 'currency', filter => $$stage = 'won'$$);

SELECT spm.load_payees('crm.users', key => 'id', name => 'name', manager => 'manager_id', title => 'role');

SELECT spm.create_calendar('fiscal', grain => 'quarter', first => '2026-01-01', until => '2027-01-01');

SELECT spm.add_measure('bookings'),
    spm.set_quota('U-17', '2026-Q1', 250000, 'bookings'), spm.set_quota('U-18', '2026-Q1', 200000, 'bookings');

SELECT spm.create_plan('Account Executive', 'fiscal', 'USD', since => '2026-01-01'),
    spm.add_component('Account Executive', 'Commission', '0%: 8%, 80%: 10%, 100%: 14%', quota => 'bookings'),
    spm.assign_plan('Account Executive', title => 'AE', since => '2026-01-01'),
    spm.publish_plan('Account Executive');

CALL spm.calculate('2026-Q1');

-- What it came to.
SELECT spm.statement('U-17', '2026-Q1');

SELECT * FROM spm.explain('U-17', '2026-Q1', 'D-1002');

SELECT transaction_key, owner_key, transaction_amount, reason FROM spm_bi.uncredited;
