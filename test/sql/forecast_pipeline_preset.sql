-- CRMs as their loaders write them.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- Salesforce by Fivetran: small letters, floating point, soft deletes
CREATE SCHEMA sf;
CREATE TABLE sf.opportunity (id text, owner_id text, stage_name text, amount float8, created_date timestamptz, close_date timestamptz, account_id text, name text, forecast_category text, forecast_category_name text,
    is_won boolean, is_closed boolean, is_deleted boolean, _fivetran_deleted boolean);
INSERT INTO sf.opportunity VALUES ('a', 'u1', 'Closed Won', 1234.56, '2020-01-01', '2020-02-01', 'x', 'A', 'Closed', 'Closed', true, true, false, false), ('b', 'u1', 'Prospecting', 10, '2020-01-01', '2020-03-01', 'x', 'B', 'BestCase', 'Best Case', false, false, false, false),
    ('c', 'u2', 'Prospecting', 10, '2020-01-01', '2020-03-01', 'x', 'B', 'Pipeline', 'Pipeline', false, false, true, false), ('d', 'u2', 'Prospecting', 10, '2020-01-01', '2020-03-01', 'x', 'B', 'Pipeline', 'Pipeline', false, false, false, true);
CREATE TABLE sf.opportunity_history (opportunity_id text, created_date timestamptz, stage_name text, amount float8, close_date date, forecast_category text);
INSERT INTO sf.opportunity_history VALUES ('a', '2020-01-01', 'Prospecting', 1000, '2020-02-10', 'Pipeline'), ('a', '2020-02-01', 'Closed Won', 1234.56, '2020-02-01', 'Closed'), ('b', '2020-01-01', 'Prospecting', 10, '2020-03-01', 'Pipeline');
CREATE TABLE sf.opportunity_stage (api_name text, master_label text, sort_order int, is_won boolean, is_closed boolean, default_probability float8, forecast_category_name text);
INSERT INTO sf.opportunity_stage VALUES ('Prospecting', 'Prospecting', 1, false, false, 10, 'Pipeline'), ('Value', 'Value Proposition', 2, false, false, 50, 'Commit'), ('Closed Won', 'Gewonnen', 3, true, true, 100, 'Closed'), ('Closed Lost', 'Closed Lost', 4, false, true, 0, 'Omitted');
SELECT results_eq($$SELECT relation, argument, column_name, note FROM spm.map_opportunities_preset('salesforce_fivetran', 'sf') WHERE note <> 'taken' OR argument IN ('relation', 'category')$$,
    $$VALUES ('opportunity', 'relation', 'sf.opportunity', 'taken'), ('opportunity', 'category', 'forecast_category_name', 'taken'), ('opportunity', 'currency', NULL, 'Not found: give fixed_currency, if deals have several.'), ('opportunity', 'entered', NULL, 'Not found: it is left out.'),
        ('opportunity', 'segment', NULL, 'Not found: all deals are of one kind.'), ('stage', 'relation', 'sf.opportunity_stage', 'taken'), ('stage', 'category', 'forecast_category_name', 'taken'), ('history', 'relation', 'sf.opportunity_history', 'taken'), ('history', 'category', 'forecast_category', 'taken')$$,
    'Salesforce by Fivetran is found, and what is missing is told');
SELECT results_eq($$SELECT opportunity_key, owner_key, amount, is_won, category FROM spm.opportunity ORDER BY 1$$, $$VALUES ('a', 'u1', 1234.56, true, 'closed'), ('b', 'u1', 10, NULL, 'best_case')$$, 'deleted deals are none, cents are exact');
SELECT results_eq($$SELECT stage, label, stage_order, category, is_won, is_closed, probability FROM spm.sales_stage ORDER BY stage_order$$,
    $$VALUES ('Prospecting', NULL, 1, 'pipeline', false, false, 0.1), ('Value', 'Value Proposition', 2, 'commit', false, false, 0.5), ('Closed Won', 'Gewonnen', 3, 'closed', true, true, 1), ('Closed Lost', NULL, 4, 'omitted', false, true, 0)$$, 'with its stages');
SELECT results_eq($$SELECT amount, close_date, state, category FROM spm.pipeline_on('2020-01-20') WHERE key = 'a'$$, $$VALUES (1000::numeric, '2020-02-10'::date, 'open', 'pipeline')$$, 'and its history');
SELECT is((SELECT count(*) FROM spm.map_opportunities_preset('salesforce_fivetran', 'sf') WHERE note = 'taken'), 29::bigint, 'it may be run again');

-- Salesforce by Airbyte: names as the API writes them
CREATE SCHEMA ab;
CREATE TABLE ab."Opportunity" ("Id" text, "OwnerId" text, "StageName" text, "Amount" numeric, "CreatedDate" timestamptz, "CloseDate" date, "IsWon" boolean, "IsClosed" boolean, "IsDeleted" boolean, "CurrencyIsoCode" text, "LastStageChangeDate" timestamptz);
INSERT INTO ab."Opportunity" VALUES ('a', 'u1', 'Shut', 5, '2020-01-01', '2020-02-01', false, true, false, 'EUR', '2020-01-15'), ('b', 'u1', 'Talk', 5, '2020-01-01', '2020-02-01', false, false, NULL, 'EUR', '2020-01-15');
SELECT is((SELECT note FROM spm.map_opportunities_preset('salesforce_airbyte', 'ab', name => 'ab') WHERE relation = 'history' AND argument = 'relation'), 'Not found, or not with its columns: run spm.take_snapshot() every night.', 'without a history snapshots are advised');
SELECT results_eq($$SELECT opportunity_key, currency_code, is_won, entered_on FROM spm.opportunity WHERE source_name = 'ab' ORDER BY 1$$, $$VALUES ('a', 'EUR', false, '2020-01-15'::date), ('b', 'EUR', NULL, '2020-01-15')$$, 'Airbyte''s names are found as well');
SELECT is((SELECT string_agg(stage || ' ' || is_closed, ', ' ORDER BY stage) FROM spm.sales_stage JOIN spm.opportunity_source USING (opportunity_source_id) WHERE name = 'ab'), 'Shut true, Talk false', 'without a table of stages the deals tell which are closed');

-- HubSpot
CREATE SCHEMA hs;
CREATE TABLE hs.deal (deal_id bigint, deal_pipeline_id text, deal_pipeline_stage_id text, owner_id bigint, property_dealname text, property_amount float8, property_closedate timestamptz, property_createdate timestamptz, is_deleted boolean);
INSERT INTO hs.deal VALUES (1, 'p', '901', 7, 'One', 10, '2020-02-01', '2020-01-01', false), (2, 'p', '900', 7, 'Two', 10, '2020-03-01', '2020-01-01', false);
CREATE TABLE hs.deal_pipeline_stage (stage_id text, label text, probability float8, is_closed boolean, closed_won boolean, display_order int);
INSERT INTO hs.deal_pipeline_stage VALUES ('900', 'Appointment', 0.2, false, false, 0), ('901', 'Closed won', 1, true, true, 1);
CREATE TABLE hs.deal_stage (deal_id bigint, value text, date_entered timestamptz);
INSERT INTO hs.deal_stage VALUES (1, '900', '2020-01-01'), (1, '901', '2020-02-01'), (2, '900', '2020-01-01');
SELECT is((SELECT count(*) FROM spm.map_opportunities_preset('hubspot_fivetran', 'hs') WHERE argument = 'relation' AND note = 'taken'), 3::bigint, 'HubSpot is found with stages and history');
SELECT results_eq($$SELECT opportunity_key, stage_label, is_won, category FROM spm_bi.opportunity WHERE source_name = 'hubspot_fivetran' ORDER BY 1$$, $$VALUES ('1', 'Closed won', true, 'closed'), ('2', 'Appointment', false, 'pipeline')$$, 'stages have the names that people know');
SELECT is((SELECT left_on FROM spm.stage_spell('2020-12-31') WHERE source = 'hubspot_fivetran' AND key = '1'), '2020-02-01', 'and their days');

-- with the company and what amounts were, by views as docs/pipeline.md has them
CREATE TABLE hs.deal_company (deal_id bigint, company_id bigint, category text);
INSERT INTO hs.deal_company VALUES (1, 55, 'PRIMARY');
CREATE TABLE hs.deal_property_history (deal_id bigint, name text, value text, "timestamp" timestamptz);
INSERT INTO hs.deal_property_history VALUES (1, 'amount', '8.5', '2020-01-02'), (1, 'closedate', '1583020800000', '2020-01-02'), (1, 'amount', 'n/a', '2020-01-03'), (1, 'closedate', '2020-02-20T00:00:00Z', '2020-01-10'), (1, 'dealname', 'x', '2020-01-02');
\set views `sed -n '/^CREATE VIEW hubspot/,/;$/{s/hubspot[.]/hs./g;p;}' docs/pipeline.md`
:views
SELECT is((SELECT count(*) FROM spm.map_opportunities_preset('hubspot_fivetran', 'hs') WHERE column_name ~ '^hs.spm_' AND note = 'taken'), 2::bigint, 'the views of the manual are taken');
SELECT results_eq($$SELECT d, account_key, stage, amount, close_date FROM unnest('{2020-01-05,2020-01-15}'::date[]) d, spm.pipeline_on(d) p WHERE source = 'hubspot_fivetran' AND key = '1' ORDER BY d$$,
    $$VALUES ('2020-01-05'::date, '55', '900', 8.5, '2020-03-01'::date), ('2020-01-15', '55', '900', 8.5, '2020-02-20')$$, 'and tell company, amount and close date of a day');

-- the data set, with a view of one's own for the list price
CREATE SCHEMA maven;
CREATE TABLE maven.sales_pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value int);
INSERT INTO maven.sales_pipeline VALUES ('1', 'Ann', 'GTX', 'X', 'Won', '2017-01-01', '2017-02-01', 90), ('2', 'Ann', 'GTX', NULL, 'Engaging', '2017-01-05', NULL, NULL), ('3', 'Ann', 'GTX', NULL, 'Prospecting', NULL, NULL, NULL);
SELECT is((SELECT note FROM spm.map_opportunities_preset('crm_maven', 'maven') WHERE argument = 'list_amount'), 'Not found: make a view maven.spm_opportunity that joins the products, so that open deals have a value.', 'what would help is told');
CREATE VIEW maven.spm_opportunity AS SELECT s.*, 100 AS sales_price FROM maven.sales_pipeline s;
SELECT is((SELECT column_name FROM spm.map_opportunities_preset('crm_maven', 'maven') WHERE relation = 'opportunity' AND argument = 'relation'), 'maven.spm_opportunity', 'a view of one''s own goes before the table');
SELECT is((SELECT string_agg(key || ' ' || stage || ' ' || amount, ', ' ORDER BY key) FROM spm.pipeline_on() WHERE source = 'crm_maven'), '1 Won 90, 2 Engaging 100, 3 Prospecting 100', 'and open deals have a value');
SELECT is((SELECT string_agg(key || ' ' || state || ' ' || amount, ', ' ORDER BY key) FROM spm.pipeline_on('2017-01-10') WHERE source = 'crm_maven'), '1 open 100, 2 open 100', 'on a day gone by, too');

-- what is refused
SELECT throws_ok($$SELECT * FROM spm.map_opportunities_preset('siebel', 'sf')$$, '42704', 'preset "siebel" does not exist', 'a CRM that is not known');
SELECT throws_ok($$SELECT * FROM spm.map_opportunities_preset('hubspot_fivetran', 'hss')$$, '3F000', 'schema "hss" does not exist', 'a schema that is not there');
SELECT throws_ok($$SELECT * FROM spm.map_opportunities_preset('hubspot_fivetran', 'sf')$$, '42P01', 'schema "sf" has no relation "deal"', 'one without deals');
DROP VIEW hs.spm_opportunity CASCADE;
ALTER TABLE hs.deal RENAME property_amount TO x;
ALTER TABLE hs.deal RENAME owner_id TO y;
SELECT throws_ok($$SELECT * FROM spm.map_opportunities_preset('hubspot_fivetran', 'hs')$$, '42703', 'hs.deal has no column owner_id, property_amount', 'columns that are needed are all named');
SELECT * FROM finish();
ROLLBACK;
