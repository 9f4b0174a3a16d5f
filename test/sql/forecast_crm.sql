-- Forecasts of a pipeline as they would have been made in 2017, against what was won.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
-- Real data that is not part of the project: beside it, or where SPM_DATA says.
\getenv input PG_ABS_SRCDIR
\set data :input/../../../shared/data
\getenv data SPM_DATA
\set has_data `if [ -r :'data'/crm/sales_pipeline.csv ]; then echo 1; else echo 0; fi`
\if :has_data
\else
SELECT plan(1);
SELECT skip('the CRM data is not there; SPM_DATA names the folder that has crm/sales_pipeline.csv', 1);
SELECT * FROM finish();
\q
\endif

BEGIN;
SELECT no_plan();
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, owner text, product text, account text, stage text, created date, closed date, value numeric);
CREATE TABLE crm.product (product text, series text, price numeric);
\cd :data/crm
\copy crm.deal FROM 'sales_pipeline.csv' CSV HEADER
\copy crm.product FROM 'products.csv' CSV HEADER
CREATE VIEW crm.opportunity AS
SELECT d.*, p.price FROM crm.deal d LEFT JOIN crm.product p ON replace(p.product, ' ', '') = replace(d.product, ' ', '');
SELECT spm.map_opportunities('crm', 'crm.opportunity', key => 'id', owner => 'owner', stage => 'stage', amount => 'value', created => 'created',
    close_date => 'closed', segment => 'product', list_amount => 'price') \g /dev/null

-- a day of four months
CREATE TABLE crm.result AS
SELECT b.* FROM generate_series('2017-06-15'::timestamp, '2017-09-15', '1 month') m, LATERAL spm.pipeline_backtest(m::date, m::date, horizons => '{30,90}') b;
SELECT results_eq('SELECT horizon, count(*), sum(deal_count) > 6000 FROM crm.result GROUP BY 1 ORDER BY 1', $$VALUES (30, 4::bigint, true), (90, 4, true)$$, 'each day and horizon is forecast');
SELECT is_empty($$SELECT r.as_of, r.horizon FROM crm.result r WHERE r.actual_amount <> (SELECT sum(value) FROM crm.deal WHERE stage = 'Won' AND closed > r.as_of AND closed <= r.as_of + r.horizon)$$,
    'what was won is what the CRM says');
SELECT cmp_ok(avg(abs(error_ratio)), '<', 0.20, 'totals of 30 days are off by less than 20 % on average') FROM crm.result WHERE horizon = 30;
SELECT cmp_ok(avg(abs(error_ratio)), '<', 0.15, 'totals of 90 days by less than 15 %') FROM crm.result WHERE horizon = 90;
SELECT cmp_ok(avg(abs(open_forecast / open_actual - 1)), '<', 0.35, 'what open deals bring is off by less than 35 %, where won over closed is off by more than 100 %') FROM crm.result;
SELECT cmp_ok(avg(is_within::int), '>=', 0.5, 'most totals lie within their limits') FROM crm.result;
SELECT ok(regr_slope(is_won::int, win_probability) BETWEEN 0.85 AND 1.15, 'odds of 90 days mean what they say: slope ' || round(regr_slope(is_won::int, win_probability)::numeric, 1))
    FROM spm.odds_backtest('2017-07-01', '2017-09-01', 62);
SELECT * FROM finish();
ROLLBACK;
