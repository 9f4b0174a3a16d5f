/*
 * odds.sql: from the open deals of a CRM to what the quarter will bring, who reaches
 * quota, and what it costs.
 *
 *   createdb odds && psql -d odds -f examples/odds.sql
 *
 * Everything is asked as of 14 February 2026, so that it prints the same on every day.
 * Leave out as_of to ask as of today.
 */
\set ON_ERROR_STOP 1
\pset footer off

-- Your CRM: a manager with six sellers, 1,500 deals of two years, and how they went through the stages.
CREATE SCHEMA crm;
CREATE TABLE crm.users (id text PRIMARY KEY, name text, role text, manager_id text);
INSERT INTO crm.users VALUES ('M-1', 'Vera Lindqvist', 'Manager', NULL), ('U-1', 'Dana Whitfield', 'AE', 'M-1'), ('U-2', 'Jon Berg', 'AE', 'M-1'),
    ('U-3', 'Mara Lind', 'AE', 'M-1'), ('U-4', 'Owen Price', 'AE', 'M-1'), ('U-5', 'Ines Costa', 'AE', 'M-1'), ('U-6', 'Paul Weber', 'AE', 'M-1');

CREATE TABLE crm.deal_history (deal_id text, changed_on date, stage text, amount numeric, close_date date);
CREATE TABLE crm.deal (id text PRIMARY KEY, owner_id text, product_line text, stage text, amount numeric, created_on date, close_date date);

-- A number from 0 to 1 for each deal and question, the same on every machine.
CREATE FUNCTION crm.chance(deal int, question int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$SELECT (('x' || substr(md5(deal || '/' || question), 1, 6))::bit(24)::int + 0.5) / 16777216$$;

-- A deal stays about 20, 25 and 15 days in its stages, and is lost in three of ten stays; U-1 and U-2 lose less.
INSERT INTO crm.deal_history
WITH RECURSIVE stay AS (
    SELECT d, 0 AS nth, date '2024-01-01' + (crm.chance(d, 1) * 775)::int AS day, false AS is_lost FROM generate_series(1, 1500) d
    UNION ALL
    SELECT d, nth + 1, day + 1 + (-ln(crm.chance(d, 10 + nth)) * (ARRAY[20, 25, 15])[nth + 1])::int,
        crm.chance(d, 20 + nth) < CASE WHEN d % 6 < 2 THEN 0.22 ELSE 0.32 END
    FROM stay WHERE NOT is_lost AND nth < 3
)
SELECT 'D-' || d, day, CASE WHEN is_lost THEN 'Lost' ELSE (ARRAY['Qualify', 'Proposal', 'Negotiate', 'Won'])[nth + 1] END,
    round((1000 * exp(1.5 + 1.8 * crm.chance(d, 3)))::numeric, -2), CASE WHEN is_lost OR nth = 3 THEN day ELSE min(day) OVER (PARTITION BY d) + 60 END
FROM stay WHERE day <= '2026-02-14';

INSERT INTO crm.deal
SELECT DISTINCT ON (h.deal_id) h.deal_id, 'U-' || d % 6 + 1, CASE WHEN crm.chance(d, 2) < 0.6 THEN 'Software' ELSE 'Services' END, h.stage, h.amount,
    min(h.changed_on) OVER (PARTITION BY h.deal_id), h.close_date
FROM crm.deal_history h, substr(h.deal_id, 3) AS id, CAST(id AS int) AS d ORDER BY h.deal_id, h.changed_on DESC;

-- spm on it: people, quarters, deals and their stages.
CREATE EXTENSION IF NOT EXISTS spm CASCADE;
SELECT spm.add_currency('USD');
SELECT spm.load_payees('crm.users', key => 'id', name => 'name', manager => 'manager_id', title => 'role'),
    spm.create_calendar('fiscal', 'quarter', '2024-01-01', '2027-01-01');
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner_id', stage => 'stage', amount => 'amount', created => 'created_on',
    close_date => 'close_date', segment => 'product_line', fixed_currency => 'USD');
SELECT spm.map_stage_history('crm', 'crm.deal_history', opportunity => 'deal_id', entered => 'changed_on', stage => 'stage',
    amount => 'amount', close_date => 'close_date');
SELECT spm.set_sales_stage('crm', 'Qualify', 1, 'pipeline'), spm.set_sales_stage('crm', 'Proposal', 2, 'best_case'), spm.set_sales_stage('crm', 'Negotiate', 3, 'commit');

-- How likely is each open deal won by the end of the quarter?
SELECT key, owner_key, stage, age_days, amount, round(win_probability, 2) AS odds, round(lose_probability, 2) AS lost, round(expected_amount) AS expected
FROM spm.deal_odds('2026-03-31', as_of => '2026-02-14') ORDER BY expected_amount DESC LIMIT 5;

-- Do odds mean what they say?  Asked as of five days gone by, knowing what was known then.
SELECT round(win_probability, 1) AS odds, count(*) AS deals, round(avg(is_won::int), 2) AS won
FROM spm.odds_backtest('2025-05-01', '2025-09-01', step_days => 31, horizon => 90) GROUP BY 1 ORDER BY 1;

-- Quotas, a plan, and what is sold so far: the won deals are the orders.
SELECT spm.map_source('orders', 'crm.deal', key => 'id', date => 'close_date', owner => 'owner_id', amount => 'amount', fixed_currency => 'USD', filter => $$stage = 'Won'$$);
SELECT spm.add_measure('bookings');
SELECT spm.set_quota('U-' || n, '2026-Q1', 150000, 'bookings') FROM generate_series(1, 6) n;
SELECT spm.create_plan('Account Executive', 'fiscal', 'USD', since => '2026-01-01'),
    spm.add_component('Account Executive', 'Commission', '0%: 5%, 50%: 10%', quota => 'bookings'),
    spm.assign_plan('Account Executive', title => 'AE', since => '2026-01-01'), spm.publish_plan('Account Executive');
CALL spm.calculate('2026-Q1');

-- Who is on course?  1 is on course.
SELECT payee_key, name, achieved_amount, round(pace_ratio, 2) AS pace, round(projected_amount) AS projected, round(needed_daily_amount) AS needed_daily
FROM spm.quota_pace('2026-02-14') q JOIN spm.payee USING (payee_id) ORDER BY payee_key;

-- What will the quarter bring, how sure is that, and who reaches quota?
SELECT spm.forecast_attainment('2026-Q1', 'bookings', as_of => '2026-02-14') AS run \gset
SELECT kind, coalesce(position_name, key) AS who, round(won_amount) AS won, round(open_amount) AS open, round(new_amount) AS new, round(forecast_amount) AS forecast,
    round(q10) AS at_least, round(q90) AS at_most, round(reach_probability, 2) AS reaches_quota
FROM spm_bi.pipeline_outlook WHERE odds_run_id = :run AND kind IN ('seat', 'total') ORDER BY kind, key;

-- What will it cost?  Finance books the simulated amount.
SELECT payee_name, deal_count, earned_amount, round(expected_amount) AS expected, round(simulated_amount) AS simulated, round(lower_amount) AS at_least, round(upper_amount) AS at_most
FROM spm_bi.expected_commission ORDER BY payee_key;

-- How good would such forecasts have been?  Beside "the same as in as many days before".
SELECT horizon, count(*) AS forecasts, round(100 * avg(abs(error_ratio)), 1) AS off_percent, round(avg(is_within::int), 2) AS within_limits,
    round(100 * avg(abs(last_amount / nullif(actual_amount, 0) - 1)), 1) AS last_days_again
FROM spm.pipeline_backtest('2025-05-01', '2025-11-01', step_days => 31) GROUP BY horizon ORDER BY horizon;
