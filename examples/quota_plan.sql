/*
 * quota_plan.sql: a number for the year, on its way down to everybody.
 *
 *   createdb quotas && psql -d quotas -f examples/quota_plan.sql
 */
\set ON_ERROR_STOP 1

-- Your warehouse: who sells, what they sold last year, what their accounts could buy.
CREATE SCHEMA crm;
CREATE TABLE crm.users (id text PRIMARY KEY, name text, manager_id text, sales_2025 numeric, potential numeric);
INSERT INTO crm.users VALUES
    ('M-1', 'Vera Lindqvist', NULL, NULL, NULL), ('E-1', 'Tom East', 'M-1', NULL, NULL), ('W-1', 'Ines West', 'M-1', NULL, NULL),
    ('U-17', 'Dana Whitfield', 'E-1', 410000, 900000), ('U-18', 'Jon Berg', 'E-1', 620000, 1100000), ('U-19', 'Ana Ruiz', 'E-1', 95000, 700000),
    ('U-20', 'Li Chen', 'W-1', 880000, 1600000), ('U-21', 'Omar Aziz', 'W-1', 540000, 800000);

-- spm on it: people, a calendar, what is measured.
CREATE EXTENSION IF NOT EXISTS spm CASCADE;
SELECT spm.load_payees('crm.users', key => 'id', name => 'name', manager => 'manager_id', since => '2026-01-01'),
    spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01'), spm.add_measure('bookings');

-- 3.2 million, by what everybody sold and could sell; regions give 5 % more than they have; Li, at most 1.1 million.
SELECT spm.add_quota_plan('FY26', '2026', 'bookings', 3200000, grain => 'quarter', unit => 1000);
SELECT spm.load_quota_input('FY26', 'history', 'crm.users', 'id', 'sales_2025'), spm.load_quota_input('FY26', 'potential', 'crm.users', 'id', 'potential');
SELECT spm.set_quota_factors('FY26', '{"history": 0.6, "potential": 0.4}'), spm.set_over_assignment('FY26', 2, 0.05);
SELECT spm.bound_quota('FY26', 'U-20', NULL, 1100000, '125 % of last year');
SELECT * FROM spm.allocate_quota_plan('FY26');

-- Ana inherits an account: her quota by hand, and her team makes up for it.
SELECT spm.override_quota('FY26', 'U-19', 420000, 'inherits Acme');
SELECT repeat('  ', level - 1) || position_name AS seat, quota_amount::int AS quota, below_amount::int AS below, difference_amount::int AS difference, reason
FROM spm_bi.quota_plan_tree WHERE plan_name = 'FY26' ORDER BY CASE level WHEN 1 THEN '' WHEN 2 THEN position_key ELSE parent_position_key END, level, position_key;

-- Is it fair?
SELECT ratio, least_ratio, most_ratio, gini, reaching_share FROM spm.quota_fairness('FY26', 'potential');

-- A season, and the quarters as they will be published.
SELECT spm.set_quota_season('FY26', '{20,22,25,33}');
SELECT position_key, string_agg(amount::int::text, '  ' ORDER BY period_name) AS quarters FROM spm.quota_plan_part('FY26') GROUP BY position_key ORDER BY position_key;

-- Another login agrees, and publishes: SELECT spm.approve_quota_plan('FY26'), spm.publish_quota_plan('FY26');
SELECT spm.propose_quota_plan('FY26', 'for the board');
SELECT plan_name, version, state, total_amount::int AS total, assigned_amount::int AS assigned, proposed_by IS NOT NULL AS proposed FROM spm_bi.quota_plan;
