/*
 * pipeline.sql: from the deals of a CRM to a forecast that people stand for, and to
 * why it moved.
 *
 *   createdb deals && psql -d deals -f examples/pipeline.sql
 */
\set ON_ERROR_STOP 1

-- Your CRM: who sells, deals, and how they got where they are.
CREATE SCHEMA crm;
CREATE TABLE crm.users (id text PRIMARY KEY, name text, manager_id text);
INSERT INTO crm.users VALUES ('M-1', 'Vera Lindqvist', NULL), ('U-17', 'Dana Whitfield', 'M-1'), ('U-18', 'Jon Berg', 'M-1');
CREATE TABLE crm.deal (id text PRIMARY KEY, name text, owner_id text, stage text, amount numeric, created_on date, close_date date);
CREATE TABLE crm.deal_history (deal_id text, changed_on date, stage text, amount numeric, close_date date);
INSERT INTO crm.deal_history VALUES
    ('D-1', '2025-01-06', 'Qualify', 40000, '2025-03-14'), ('D-1', '2025-02-10', 'Negotiate', 46000, '2025-03-14'), ('D-1', '2025-03-12', 'Won', 46000, '2025-03-12'),
    ('D-2', '2025-01-13', 'Qualify', 90000, '2025-03-28'), ('D-2', '2025-03-03', 'Negotiate', 80000, '2025-04-25'), ('D-2', '2025-04-22', 'Won', 80000, '2025-04-22'),
    ('D-3', '2025-01-20', 'Qualify', 25000, '2025-03-31'), ('D-3', '2025-02-24', 'Lost', 25000, '2025-02-24'),
    ('D-4', '2025-02-17', 'Qualify', 30000, '2025-03-21'), ('D-4', '2025-03-10', 'Negotiate', 33000, '2025-03-28'), ('D-4', '2025-03-27', 'Won', 33000, '2025-03-27'),
    ('D-5', '2025-02-03', 'Qualify', 60000, '2025-03-31'), ('D-5', '2025-03-31', 'Negotiate', 60000, '2025-06-13'),
    ('D-6', '2025-01-27', 'Negotiate', 20000, '2025-02-14'), ('D-6', '2025-02-14', 'Won', 20000, '2025-02-14');
INSERT INTO crm.deal
SELECT DISTINCT ON (h.deal_id) h.deal_id, 'Deal ' || h.deal_id, CASE WHEN h.deal_id IN ('D-1', 'D-2', 'D-6') THEN 'U-17' ELSE 'U-18' END, h.stage, h.amount,
    (SELECT min(changed_on) FROM crm.deal_history f WHERE f.deal_id = h.deal_id), h.close_date
FROM crm.deal_history h ORDER BY h.deal_id, h.changed_on DESC;

-- spm on it: people, a calendar, the deals, their history and what the stages mean.
CREATE EXTENSION IF NOT EXISTS spm CASCADE;
SELECT spm.load_payees('crm.users', key => 'id', name => 'name', manager => 'manager_id', since => '2025-01-01'), spm.create_calendar('fiscal', 'month', '2025-01-01', '2026-01-01');
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner_id', stage => 'stage', amount => 'amount', created => 'created_on', close_date => 'close_date', deal_name => 'name');
SELECT spm.map_stage_history('crm', 'crm.deal_history', opportunity => 'deal_id', entered => 'changed_on', stage => 'stage', amount => 'amount', close_date => 'close_date');
SELECT spm.set_sales_stage('crm', 'Qualify', 1, 'pipeline'), spm.set_sales_stage('crm', 'Negotiate', 2, 'commit');

-- The pipeline as it was known on 17 February: nothing of what came later.
SELECT key, owner_key, stage, stage_since, amount, close_date, category FROM spm.pipeline_on('2025-02-17') ORDER BY key;

-- What the quarter was to bring, bottom up: commit is what is closed and what is committed.
SELECT position_key, category, own_amount, deal_amount, amount FROM spm.pipeline_rollup('2025-Q1', '2025-02-17') WHERE category IN ('closed', 'commit', 'pipeline') ORDER BY position_key, category;

-- People know more than stages do. Dana counts on D-2; her manager does not, and says why.
SELECT spm.submit_call('U-17', '2025-Q1', 150000, as_of => '2025-02-17'), spm.submit_call('U-18', '2025-Q1', 45000, as_of => '2025-02-17');
SELECT spm.submit_call('U-17', '2025-Q1', 80000, by => 'M-1', reason => 'D-2 waits for a budget in April', as_of => '2025-02-18');
SELECT position_key, deal_amount, rollup_amount, own_call, manager_call, amount, judgement FROM spm.pipeline_rollup('2025-Q1', '2025-02-18') WHERE category = 'commit';

-- Six weeks later: how the pipeline of the quarter became what it is, and which deals slipped.
SELECT step, deal_count, amount, running_amount FROM spm.pipeline_waterfall('2025-02-17', '2025-03-31', '2025-Q1');
SELECT key, name, amount, from_close_date, to_close_date FROM spm.pipeline_movement('2025-02-17', '2025-03-31', '2025-Q1') WHERE step = 'slipped';

-- Who was right? Above 0: too much was promised.
SELECT position_key, judge_position_key AS said_by, amount, deal_amount AS deals_said, actual_amount, error_amount FROM spm_bi.call_outcome WHERE period_name = '2025-Q1' ORDER BY forecast_call_id;

-- How long deals stay in a stage, and how they leave it.
SELECT stage, outcome, count(*) AS deals, round(avg(left_on - entered_on)) AS days FROM spm.stage_spell('2025-06-30') GROUP BY stage, outcome ORDER BY stage, outcome;

-- A CRM without history: keep the pipeline every night, and ask the same.
--   SELECT cron.schedule('spm snapshot', '55 23 * * *', 'SELECT spm.take_snapshot()');
