/*
 * territories.sql: whose account is it, since when, and why.
 *
 *   createdb territories && psql -d territories -f examples/territories.sql
 */
\set ON_ERROR_STOP 1

-- Your warehouse: accounts, and who sells.
CREATE SCHEMA crm;
CREATE TABLE crm.users (id text PRIMARY KEY, name text);
INSERT INTO crm.users VALUES ('U-17', 'Dana Whitfield'), ('U-18', 'Jon Berg'), ('U-19', 'Ana Ruiz');
CREATE TABLE crm.account (account_id text PRIMARY KEY, name text, state text, industry text, employees int, parent_id text, potential numeric);
INSERT INTO crm.account VALUES
    ('A-1', 'Bay Logistics', 'CA', '4841', 220, NULL, 400000), ('A-2', 'Sierra Clinics', 'CA', '6211', 3100, NULL, 900000),
    ('A-3', 'Rio Foods', 'TX', '3114', 90, NULL, 120000), ('A-4', 'Lone Star Bank', 'TX', '5221', 5400, NULL, 1500000),
    ('A-5', 'Rio Foods West', 'CA', '3114', 40, 'A-3', 60000), ('A-6', 'Yukon Mining', 'AK', '2122', 300, NULL, 250000);

-- spm on it: a model, its territories, who holds them, and the rules.
CREATE EXTENSION IF NOT EXISTS spm CASCADE;

SELECT spm.load_payees('crm.users', key => 'id', name => 'name');

SELECT spm.add_territory_model('2026', 'crm.account', key => 'account_id', family => 'parent_id', potential => 'potential'),
    spm.add_territory_attribute('2026', 'state'), spm.add_territory_attribute('2026', 'industry'),
    spm.add_territory_attribute('2026', 'employees', 'number');

SELECT spm.add_territory('2026', 'West'), spm.add_territory('2026', 'South'), spm.add_territory('2026', 'Enterprise'),
    spm.hold_territory('West', 'U-17', since => '2026-01-01'), spm.hold_territory('South', 'U-18', since => '2026-01-01'),
    spm.hold_territory('Enterprise', 'U-19', since => '2026-01-01');

SELECT spm.add_territory_rule('West', '{"state": ["CA", "OR", "WA"]}'),
    spm.add_territory_rule('South', '{"state": "TX"}'),
    spm.add_territory_rule('Enterprise', '{"employees": {"from": 1000}}', precedence => 100);

SELECT spm.name_accounts('South', '{A-1}', reason => 'Jon has known them for years');

-- Which rule would win, without writing anything.
SELECT a.account_id, a.name, spm.territory_rule_of(a) AS rule FROM crm.account AS a ORDER BY 1;

-- Written with the days on which they hold: only what changes.
SELECT * FROM spm.assign_territories('2026', as_of => '2026-01-01');

SELECT account_key, territory_key, origin, since FROM spm_bi.territory_assignment ORDER BY 1;

-- Why is A-1 in the South?
SELECT e.rank, e.territory_key, e.kind, e.outcome, e.failed_attribute, e.value, e.condition
FROM crm.account AS a, spm.territory_explain(a) AS e WHERE a.account_id = 'A-1';

-- Who holds what, what it is worth, and what nobody works.
SELECT territory_key, account_count, potential, payee_count, load_ratio FROM spm.territory_coverage('2026', '2026-01-01') JOIN spm.territory USING (territory_id) ORDER BY 1;
