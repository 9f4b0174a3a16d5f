-- Deals of a CRM, and the pipeline as it was known on days gone by.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT is_empty('SELECT * FROM spm.pipeline_on()', 'without mapped deals there is no pipeline');
SELECT is_empty('SELECT * FROM spm.stage_spell()', 'and nothing to learn from');
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id int, title text, owner_id text, stage text, amount float8, created_at timestamptz, close_date date, account text, category text, region text, deleted boolean);
INSERT INTO crm.deal VALUES
    (1, 'Anvils', 'dana', 'Closed Won', 1000.10, '2020-01-05 23:30Z', '2020-03-10', 'ACME', NULL, 'west', false),
    (2, 'Bolts', 'dana', 'Closed Lost', 500, '2020-01-07', '2020-02-20', 'BOLT', NULL, 'west', false),
    (3, 'Cogs', 'eli', 'Negotiation', 700, '2020-02-01', '2099-12-20', 'COG', 'Best Case', 'east', NULL),
    (4, 'Dies', 'eli', 'Qualify', 'NaN', '2020-03-01', 'infinity', '', 'nonsense', 'east', false),
    (5, 'Gone', 'eli', 'Qualify', 9, '2020-03-01', '2020-04-01', 'X', NULL, 'east', true);
SELECT spm.add_currency('USD') \g /dev/null
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner_id', stage => 'stage', amount => 'amount', created => 'created_at', close_date => 'close_date',
    account => 'account', category => 'category', segment => 'region', deal_name => 'title', fixed_currency => 'USD', filter => 'deleted IS NOT TRUE', time_zone => 'Europe/Berlin') \g /dev/null

-- the deals
SELECT results_eq('SELECT opportunity_key, source_name, name, owner_key, amount, currency_code, created_on FROM spm.opportunity ORDER BY 1',
    $$VALUES ('1', 'crm', 'Anvils', 'dana', 1000.1, 'USD', '2020-01-06'::date), ('2', 'crm', 'Bolts', 'dana', 500, 'USD', '2020-01-07'),
        ('3', 'crm', 'Cogs', 'eli', 700, 'USD', '2020-02-01'), ('4', 'crm', 'Dies', 'eli', NULL, 'USD', '2020-03-01')$$,
    'deals are read where they are: days in the time zone of the source, amounts exact, no amount for what is no number');
SELECT results_eq('SELECT opportunity_key, is_won, closed_on, close_date, category, account_key FROM spm.opportunity ORDER BY 1',
    $$VALUES ('1', true, '2020-03-10'::date, '2020-03-10'::date, 'closed', 'ACME'), ('2', false, '2020-02-20', '2020-02-20', 'omitted', 'BOLT'),
        ('3', NULL, NULL, '2099-12-20', 'best_case', 'COG'), ('4', NULL, NULL, NULL, 'pipeline', NULL)$$,
    'a deal is won, lost or open by its stage, and has the category of its own, or else of its stage');
SELECT results_eq('SELECT stage, stage_order, category, is_won, is_closed FROM spm.sales_stage ORDER BY stage_order',
    $$VALUES ('Negotiation', 1, 'pipeline', false, false), ('Qualify', 2, 'pipeline', false, false), ('Closed Won', 3, 'closed', true, true), ('Closed Lost', 4, 'omitted', false, true)$$,
    'stages are found in the deals, and those that say so are won or lost');
SELECT spm.set_sales_stage('crm', 'Negotiation', 3, 'Commit', probability => 0.7), spm.set_sales_stage('crm', 'Qualify', 1), spm.set_sales_stage('crm', 'Proposal', 2) \g /dev/null
SELECT is((SELECT string_agg(stage || ' ' || category, ', ' ORDER BY stage_order, stage) FROM spm.sales_stage WHERE NOT is_closed), 'Qualify pipeline, Proposal pipeline, Negotiation commit',
    'stages are put in order, given categories and added before any deal is in them');
UPDATE crm.deal SET category = NULL WHERE id = 3;
SELECT is((SELECT category FROM spm.opportunity WHERE opportunity_key = '3'), 'commit', 'the category of the stage holds where the deal has none');
SELECT is(string_agg(coalesce(spm.forecast_category(w), '-'), ' '), 'best_case best_case commit commit omitted closed - -', 'the words of several CRMs mean one category')
    FROM unnest('{Best Case,BEST_CASE,Forecast,commit,NOT_FORECASTED,Closed,x,NULL}'::text[]) w;

-- without a history
SELECT results_eq($$SELECT key, state, stage, amount, close_date, category, closed_on FROM spm.pipeline_on('2020-03-01') ORDER BY key$$,
    $$VALUES ('1', 'open', 'open', NULL::numeric, NULL::date, 'pipeline', NULL::date), ('2', 'lost', 'Closed Lost', 500, '2020-02-20', 'omitted', '2020-02-20'),
        ('3', 'open', 'open', NULL, NULL, 'pipeline', NULL), ('4', 'open', 'open', NULL, NULL, 'pipeline', NULL)$$,
    'what closed later was open then; without a history nothing else is known of an open deal');
SELECT is((SELECT string_agg(key, ' ' ORDER BY key) FROM spm.pipeline_on('2020-01-31')), '1 2', 'a deal is not known before it was opened');
SELECT results_eq($$SELECT key, stage, entered_on, left_on, outcome, next_stage, amount FROM spm.stage_spell('2020-03-10') ORDER BY key$$,
    $$VALUES ('1', 'open', '2020-01-06'::date, '2020-03-10'::date, 'won', 'Closed Won', 1000.1), ('2', 'open', '2020-01-07', '2020-02-20', 'lost', 'Closed Lost', 500),
        ('3', 'open', '2020-02-01', NULL, 'open', NULL, NULL), ('4', 'open', '2020-03-01', NULL, 'open', NULL, NULL)$$,
    'without a history a deal has one spell, from the day it was opened to that on which it closed');
SELECT is((SELECT outcome FROM spm.stage_spell('2020-03-09') WHERE key = '1'), 'open', 'the day before it was open');
SELECT results_eq('SELECT key, stage, spell_stage, amount, state FROM spm.pipeline_on() ORDER BY key',
    $$VALUES ('1', 'Closed Won', NULL, 1000.1, 'won'), ('2', 'Closed Lost', NULL, 500, 'lost'), ('3', 'Negotiation', 'open', 700, 'open'), ('4', 'Qualify', 'open', NULL, 'open')$$,
    'today is what the CRM says');

-- with a history
CREATE TABLE crm.deal_history (deal_id int, changed_at timestamp, stage text, amount numeric, close_date date, owner_id text, category text);
INSERT INTO crm.deal_history VALUES
    (1, '2020-03-12 09:00', 'Closed Won', 1000.10, '2020-03-10', NULL, NULL),
    (1, '2020-01-06 10:00', 'Qualify', 800, '2020-04-01', 'kim', NULL), (1, '2020-02-01 08:00', 'Negotiation', 900, '2020-03-15', 'dana', 'Best Case'),
    (3, '2020-02-01', 'Qualify', 650, '2020-05-01', NULL, NULL), (3, '2020-04-01', 'Negotiation', NULL, NULL, NULL, NULL), (3, '2020-04-01', 'Proposal', 690, NULL, NULL, NULL),
    (3, '2020-06-01', NULL, 700, '2099-12-20', NULL, NULL), (3, '2020-07-01', 'Negotiation', 700, NULL, NULL, NULL),
    (4, '2020-05-01', 'Closed Lost', 1, NULL, NULL, NULL), (4, '2020-06-01', 'Qualify', NULL, NULL, NULL, NULL), (99, '2020-01-01', 'Qualify', 1, NULL, NULL, NULL);
SELECT spm.map_stage_history('crm', 'crm.deal_history', opportunity => 'deal_id', entered => 'changed_at', stage => 'stage', amount => 'amount', close_date => 'close_date',
    owner => 'owner_id', category => 'category') \g /dev/null
SELECT results_eq($$SELECT as_of, p.owner_key, p.stage, p.stage_since, p.amount, p.close_date, p.state, p.category FROM unnest('{2020-01-06,2020-01-31,2020-02-01,2020-03-11,2020-03-12}'::date[]) as_of, spm.pipeline_on(as_of) p WHERE p.key = '1' ORDER BY as_of$$,
    $$VALUES ('2020-01-06'::date, 'kim', 'Qualify', '2020-01-06'::date, 800::numeric, '2020-04-01'::date, 'open', 'pipeline'), ('2020-01-31', 'kim', 'Qualify', '2020-01-06', 800, '2020-04-01', 'open', 'pipeline'),
        ('2020-02-01', 'dana', 'Negotiation', '2020-02-01', 900, '2020-03-15', 'open', 'best_case'), ('2020-03-11', 'dana', 'Negotiation', '2020-02-01', 900, '2020-03-15', 'open', 'best_case'),
        ('2020-03-12', 'dana', 'Closed Won', '2020-03-12', 1000.1, '2020-03-10', 'won', 'closed')$$,
    'owner, stage, amount, date and category are those of the day, whatever order the history is in; a closing is known when the history tells it');
SELECT results_eq($$SELECT stage, entered_on, left_on, outcome, next_stage FROM spm.stage_spell('2020-12-31') WHERE key = '3' ORDER BY entered_on, left_on NULLS LAST$$,
    $$VALUES ('Qualify', '2020-02-01'::date, '2020-04-01'::date, 'moved', 'Proposal'), ('Proposal', '2020-04-01', '2020-04-01', 'moved', 'Negotiation'), ('Negotiation', '2020-04-01', NULL, 'open', NULL)$$,
    'stages of one moment follow each other in their order; a row that repeats the stage, or leaves it out, begins no spell');
SELECT results_eq($$SELECT key, stage, entered_on, left_on, outcome, next_stage FROM spm.stage_spell('2020-03-12') WHERE key = '1' ORDER BY entered_on$$,
    $$VALUES ('1', 'Qualify', '2020-01-06'::date, '2020-02-01'::date, 'moved', 'Negotiation'), ('1', 'Negotiation', '2020-02-01', '2020-03-12', 'won', 'Closed Won')$$, 'a deal goes through its stages to its end');
SELECT results_eq($$SELECT as_of, s.stage, s.left_on, s.outcome FROM unnest('{2020-01-31,2020-03-11}'::date[]) as_of, spm.stage_spell(as_of) s WHERE s.key = '1' AND s.left_on IS NULL ORDER BY as_of$$,
    $$VALUES ('2020-01-31'::date, 'Qualify', NULL::date, 'open'), ('2020-03-11', 'Negotiation', NULL, 'open')$$, 'of which nothing is known beforehand');
SELECT results_eq($$SELECT stage, entered_on, left_on, outcome, next_stage FROM spm.stage_spell('2020-12-31') WHERE key = '4' ORDER BY entered_on$$,
    $$VALUES ('open', '2020-03-01'::date, '2020-05-01'::date, 'lost', 'Closed Lost'), ('Qualify', '2020-06-01', NULL, 'open', NULL)$$,
    'before its history begins a deal is open; one that is opened again has another spell');
SELECT results_eq($$SELECT as_of, p.state FROM unnest('{2020-04-30,2020-05-15,2020-06-01}'::date[]) as_of, spm.pipeline_on(as_of) p WHERE p.key = '4' ORDER BY as_of$$,
    $$VALUES ('2020-04-30'::date, 'open'), ('2020-05-15', 'lost'), ('2020-06-01', 'open')$$, 'it was lost in between');
SELECT results_eq($$SELECT key, stage, outcome FROM spm.stage_spell('2020-12-31') WHERE key = '2'$$, $$VALUES ('2', 'open', 'lost')$$, 'a deal that the history does not know is told by its row');
SELECT is_empty($$SELECT d, key FROM (SELECT d, p.* FROM generate_series(date '2020-01-01', '2020-08-01', '1 day') d, spm.pipeline_on(d::date) p) p
    FULL JOIN (SELECT d, s.key, s.stage FROM generate_series(date '2020-01-01', '2020-08-01', '1 day') d, spm.stage_spell(d::date) s WHERE s.left_on IS NULL) s USING (d, key)
    WHERE p.spell_stage IS DISTINCT FROM s.stage$$, 'on every day an open deal has one open spell, of the stage that the pipeline names, and a closed one none');
-- The strictest form of the promise: a CRM whose history ends on a day answers for that day what the whole history answers.
CREATE TEMP TABLE whole AS SELECT d::date AS d, p.* FROM generate_series(date '2020-01-01', '2020-08-01', '13 days') d, spm.pipeline_on(d::date) p WHERE key IN ('1', '3', '4');
CREATE TEMP TABLE whole_spell AS SELECT d::date AS d, s.* FROM generate_series(date '2020-01-01', '2020-08-01', '13 days') d, spm.stage_spell(d::date) s WHERE key IN ('1', '3', '4');
CREATE TEMP TABLE kept AS TABLE crm.deal_history;
CREATE FUNCTION pg_temp.cut(d date) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM crm.deal_history;
    INSERT INTO crm.deal_history SELECT * FROM kept WHERE changed_at < d + 1;
    RETURN QUERY (SELECT to_jsonb(p)::text FROM spm.pipeline_on(d) p WHERE key IN ('1', '3', '4') AND NOT (key = '1' AND d >= '2020-03-10') EXCEPT SELECT (to_jsonb(w) - 'd')::text FROM whole w WHERE w.d = cut.d)
        UNION ALL (SELECT to_jsonb(s)::text FROM spm.stage_spell(d) s WHERE key IN ('1', '3', '4') AND NOT (key = '1' AND d >= '2020-03-10') EXCEPT SELECT (to_jsonb(w) - 'd')::text FROM whole_spell w WHERE w.d = cut.d);
END
$$;
SELECT is_empty($$SELECT pg_temp.cut(d) FROM (SELECT DISTINCT d FROM whole) x$$, 'what the history tells later changes no answer for a day');
DELETE FROM crm.deal_history;
INSERT INTO crm.deal_history TABLE kept;
SELECT is_empty($$SELECT * FROM spm.pipeline_on(NULL)$$, 'no day, no pipeline');
SELECT lives_ok($$SELECT count(*) FROM spm.pipeline_on('infinity') a, spm.pipeline_on('-infinity') b, spm.stage_spell('infinity') c, spm.stage_spell('5874897-12-31') d$$, 'days without end are days');

-- seats
SELECT spm.add_payee('dana', 'Dana'), spm.add_position('W1', 'West 1'), spm.add_position('eli', 'East 1') \g /dev/null
SELECT spm.assign_position('W1', 'dana', '2020-02-01') \g /dev/null
SELECT results_eq($$SELECT as_of, p.key, s.position_key FROM unnest('{2020-01-31,2020-02-01}'::date[]) as_of, spm.pipeline_on(as_of) p LEFT JOIN spm.position s USING (position_id) ORDER BY as_of, key$$,
    $$VALUES ('2020-01-31'::date, '1', NULL), ('2020-01-31', '2', NULL), ('2020-02-01', '1', 'W1'), ('2020-02-01', '2', 'W1'), ('2020-02-01', '3', 'eli')$$,
    'a deal belongs to the seat that its owner holds on the day, or to the seat of that key');

-- flags instead of stages, and the list price
CREATE VIEW crm.flagged AS SELECT id, owner_id, amount, created_at, close_date, id = 1 AS won, id = 2 AS lost, 77::int AS list FROM crm.deal;
SELECT spm.map_opportunities('flags', 'crm.flagged', key => 'id', owner => NULL, stage => NULL, amount => 'amount', created => 'created_at', close_date => 'close_date', won => 'won', lost => 'lost', list_amount => 'list') \g /dev/null
SELECT results_eq($$SELECT opportunity_key, is_won, currency_code FROM spm.opportunity WHERE source_name = 'flags' ORDER BY 1$$,
    $$VALUES ('1', true, NULL), ('2', false, NULL), ('3', NULL, NULL), ('4', NULL, NULL), ('5', NULL, NULL)$$, 'columns that are true or false tell what is won and lost where there are no stages');
SELECT is((SELECT string_agg(key || ' ' || coalesce(amount::text, '-'), ', ' ORDER BY key) FROM spm.pipeline_on('2020-03-01') WHERE source = 'flags'), '1 77, 2 500, 3 77, 4 77, 5 77',
    'the list price stands for an amount that is not known on the day');
SELECT is((SELECT string_agg(key || ' ' || coalesce(amount::text, '-'), ', ' ORDER BY key) FROM spm.pipeline_on() WHERE source = 'flags'), '1 1000.1, 2 500, 3 700, 4 77, 5 9', 'or at all');
SELECT spm.unmap_opportunities('flags') \g /dev/null
SELECT is((SELECT string_agg(DISTINCT source_name, ' ') FROM spm.opportunity), 'crm', 'a source that is taken away shows no deals');

-- what is refused
SELECT throws_ok($$SELECT spm.map_opportunities('x', 'crm.deal', 'id', NULL, NULL, 'amount', NULL, NULL)$$, '22023', 'nothing tells which opportunities are won', 'a mapping that cannot tell won from open is refused');
SELECT throws_ok($$SELECT spm.map_opportunities('x', 'crm.deal', 'idd', NULL, 'stage', 'amount', NULL, NULL)$$, '42703', 'column "idd" of crm.deal does not exist', 'and a column that is not there');
SELECT throws_ok($$SELECT spm.map_opportunities('x', 'crm.deal', 'id', NULL, 'stage', 'title', NULL, NULL)$$, '42804', 'column "title" of crm.deal has type text, which cannot be amount', 'or of another type');
SELECT throws_ok($$SELECT spm.map_opportunities('x', 'crm.deal', 'id', NULL, 'stage', 'amount', NULL, NULL, fixed_currency => 'EUR')$$, '42704', 'currency "EUR" does not exist', 'a currency that is not there');
SELECT throws_ok($$SELECT spm.map_opportunities('x', 'crm.deal', 'id', NULL, 'stage', 'amount', NULL, NULL, time_zone => 'Mars')$$, '22023', 'time zone "Mars" does not exist', 'a time zone');
SELECT throws_ok($$SELECT spm.map_stage_history('x', 'crm.deal_history', 'deal_id', 'changed_at')$$, '42704', 'opportunities "x" are not mapped', 'a history of nothing');
SELECT throws_ok($$SELECT spm.unmap_stage_history('flags')$$, '42704', 'opportunities "flags" are not mapped', 'what is gone cannot be taken away');
SELECT throws_ok($$SELECT spm.set_sales_stage('crm', 'Qualify', category => 'hot')$$, '22023', 'forecast category "hot" does not exist', 'a category that is none');
SELECT throws_ok($$SELECT spm.set_sales_stage('crm', 'Qualify', category => 'commit', is_won => true)$$, '22023', 'stage "Qualify" cannot be won and in category commit', 'a won stage in commit');
SELECT throws_ok($$SELECT spm.set_sales_stage('crm', 'Qualify', probability => 70)$$, '22023', 'probability must be between 0 and 1, not 70', 'a probability in percent');
SELECT throws_ok($$SELECT spm.set_sales_stage('crm', '')$$, '22023', 'stage must not be empty', 'a stage without a name');
ALTER TABLE crm.deal RENAME amount TO sum;
ALTER TABLE crm.deal_history RENAME TO gone;
SELECT lives_ok('SELECT spm.rebuild_opportunity_views()', 'what is gone is left out with a warning');
SELECT is((SELECT count(*) FROM spm.opportunity), 0::bigint, 'and its deals are not shown');
-- closed when it was first heard of
CREATE TABLE crm.quick (id text, owner text, stage text, amount numeric, created date, closing date);
INSERT INTO crm.quick VALUES ('q1', 'dana', 'Closed Won', 100, '2020-02-03', '2020-02-03'), ('q2', 'dana', 'Closed Won', 200, '2020-02-05', '2020-02-04'), ('q3', 'dana', 'Closed Lost', 300, NULL, '2020-02-06'),
    ('q4', 'dana', 'Closed Won', 400, '2020-02-03', current_date + 10);
CREATE TABLE crm.quick_history AS SELECT id, least(closing, '2020-02-07')::timestamp + '15 hours' AS at, stage FROM crm.quick;
SELECT spm.map_opportunities('quick', 'crm.quick', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'created', close_date => 'closing'),
    spm.map_stage_history('quick', 'crm.quick_history', opportunity => 'id', entered => 'at', stage => 'stage') \g /dev/null
SELECT results_eq($$SELECT key, stage, entered_on, left_on, outcome FROM spm.stage_spell('2020-12-31') WHERE source = 'quick' ORDER BY key$$,
    $$VALUES ('q1', 'open', date '2020-02-03', date '2020-02-03', 'won'), ('q2', 'open', '2020-02-04', '2020-02-04', 'won'), ('q3', 'open', '2020-02-06', '2020-02-06', 'lost'), ('q4', 'open', '2020-02-03', '2020-02-07', 'won')$$,
    'what was closed when it was first heard of was open before, if only for a moment: so its amount is won');
SELECT is((SELECT count(*) FROM spm.stage_spell() WHERE source = 'quick' AND outcome = 'won'), 3::bigint, 'also today');
SELECT results_eq($$SELECT opportunity_key, defect FROM spm_bi.opportunity_defect WHERE source_name = 'quick'$$, $$VALUES ('q4', 'closes later')$$, 'a deal that is won, with a close date to come, is told of');

SELECT * FROM finish();
ROLLBACK;
