-- Snapshots of a CRM that keeps no history, and how the pipeline of one day becomes that of another.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SELECT no_plan();

CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, owner text, stage text, amount numeric, opened date, closing date, category text, cur text);
INSERT INTO crm.deal VALUES
    ('won', 'w1', 'Talk', 100, '2020-01-01', '2020-04-20', NULL, NULL), ('lost', 'w1', 'Talk', 200, '2020-01-02', '2020-05-20', NULL, NULL), ('slips', 'w1', 'Talk', 300, '2020-01-03', '2020-06-20', NULL, NULL),
    ('early', 'w2', 'Talk', 40, '2020-01-04', '2020-06-01', NULL, NULL), ('later', 'w2', 'Talk', 500, '2020-01-05', '2020-09-20', NULL, NULL), ('undated', 'w2', 'Talk', 60, '2020-01-06', NULL, NULL, NULL),
    ('grows', 'w2', 'Talk', 70, '2020-01-07', '2020-06-20', NULL, NULL), ('shrinks', 'w2', 'Talk', 80, '2020-01-08', '2020-06-20', NULL, NULL), ('moves', 'w1', 'Talk', 90, '2020-01-09', '2020-06-20', NULL, NULL),
    ('dropped', 'w1', 'Talk', 1000, '2020-01-10', '2020-06-20', NULL, NULL), ('hidden', 'w2', 'Talk', 11, '2020-01-11', '2020-06-20', NULL, NULL), ('shown', 'w2', 'Talk', 12, '2020-01-12', '2020-06-20', 'Omitted', NULL),
    ('back', 'w2', 'Lost', 13, '2020-01-13', '2020-02-01', NULL, NULL), ('overdue', 'w1', 'Talk', 14, '2020-01-14', '2020-03-20', NULL, NULL), ('late win', 'w1', 'Talk', 15, '2020-01-15', '2020-06-20', NULL, NULL),
    ('rests', 'w1', 'Talk', 16, '2020-01-16', '2020-06-20', NULL, NULL);
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category', currency => 'cur') \g /dev/null
SELECT spm.add_position(k, k) FROM unnest('{boss,w1,w2}'::text[]) k \g /dev/null
SELECT spm.set_manager('w1', 'boss', '2020-01-01'), spm.set_manager('w2', 'boss', '2020-01-01'), spm.create_calendar('fiscal', 'month', '2020-01-01', '2021-01-01') \g /dev/null

-- snapshots
SELECT spm.take_snapshot('start', '2020-03-31') \g /dev/null
SELECT results_eq('SELECT as_of, name, open_count, new_count, changed_count, gone_count FROM spm.pipeline_snapshot', $$VALUES ('2020-03-31'::date, 'start', 15::bigint, 16::bigint, 0::bigint, 0::bigint)$$, 'a snapshot keeps every deal');
SELECT spm.take_snapshot(as_of => '2020-04-01') \g /dev/null
SELECT is((SELECT count(*) FROM spm.opportunity_record), 16::bigint, 'one of the day after takes no room where nothing has changed');
UPDATE crm.deal SET amount = 101 WHERE id = 'won';
SELECT spm.take_snapshot(as_of => '2020-04-01'), spm.take_snapshot(as_of => '2020-04-01') \g /dev/null
SELECT is((SELECT string_agg(span::text || ' ' || amount, ', ' ORDER BY span) FROM spm.opportunity_record WHERE opportunity_key = 'won'), '[2020-03-31,2020-04-01) 100, [2020-04-01,) 101', 'taken again on its day it takes the place of itself');
UPDATE crm.deal SET amount = 100 WHERE id = 'won';
SELECT spm.take_snapshot(as_of => '2020-04-01') \g /dev/null
SELECT is((SELECT count(*) FROM spm.opportunity_record), 16::bigint, 'and leaves no trace of what it was');
SELECT is((SELECT string_agg(as_of::text || coalesce(' ' || name, ''), ', ' ORDER BY as_of) FROM spm.pipeline_snapshot), '2020-03-31 start, 2020-04-01', 'one row a day');
UPDATE crm.deal SET stage = 'Won', amount = 110, closing = '2020-05-02' WHERE id = 'won';
UPDATE crm.deal SET stage = 'Lost', amount = 0, closing = '2020-05-03' WHERE id = 'lost';
UPDATE crm.deal SET closing = '2020-07-01' WHERE id = 'slips';
UPDATE crm.deal SET closing = '2020-03-01' WHERE id = 'early';
UPDATE crm.deal SET closing = '2020-06-30', amount = 550 WHERE id IN ('later', 'overdue');
UPDATE crm.deal SET closing = '2020-06-10' WHERE id = 'undated';
UPDATE crm.deal SET amount = 75 WHERE id = 'grows';
UPDATE crm.deal SET amount = 50 WHERE id = 'shrinks';
UPDATE crm.deal SET owner = 'w2', amount = 95 WHERE id = 'moves';
UPDATE crm.deal SET category = 'Omitted' WHERE id = 'hidden';
UPDATE crm.deal SET category = NULL WHERE id = 'shown';
UPDATE crm.deal SET stage = 'Talk', closing = '2020-06-20' WHERE id = 'back';
UPDATE crm.deal SET stage = 'Won', closing = '2020-07-02' WHERE id = 'late win';
DELETE FROM crm.deal WHERE id = 'dropped';
INSERT INTO crm.deal VALUES ('new', 'w1', 'Talk', 21, '2020-04-10', '2020-06-20', NULL, NULL), ('new won', 'w1', 'Won', 22, '2020-04-11', '2020-04-30', NULL, NULL), ('new lost', 'w1', 'Lost', 23, '2020-04-12', '2020-04-30', NULL, NULL),
    ('new later', 'w1', 'Talk', 24, '2020-04-13', '2020-08-20', NULL, NULL);
SELECT spm.take_snapshot(as_of => '2020-07-05') \g /dev/null
SELECT results_eq('SELECT open_count, new_count, changed_count, gone_count FROM spm.pipeline_snapshot WHERE as_of = ''2020-07-05''', $$VALUES (14::bigint, 4::bigint, 14::bigint, 1::bigint)$$, 'what is new, has changed or is gone is counted');
SELECT is((SELECT string_agg(key, ', ' ORDER BY key COLLATE "C") FROM spm.pipeline_on('2020-04-01') WHERE key IN ('dropped', 'new', 'rests')), 'dropped, rests', 'a deal that the CRM has deleted was there all the same, and one that was new later was not');
SELECT results_eq($$SELECT key, stage, amount, close_date, owner_key, category FROM spm.pipeline_on('2020-04-01') WHERE key IN ('moves', 'won', 'shown') ORDER BY key$$,
    $$VALUES ('moves', 'Talk', 90::numeric, '2020-06-20'::date, 'w1', 'pipeline'), ('shown', 'Talk', 12, '2020-06-20', 'w2', 'omitted'), ('won', 'Talk', 100, '2020-04-20', 'w1', 'pipeline')$$, 'a day gone by is told by the snapshots');
SELECT results_eq($$SELECT key, stage, entered_on, seen_on, left_on, outcome FROM spm.stage_spell('2020-07-05') WHERE key IN ('won', 'new', 'new won', 'back') ORDER BY key, entered_on$$,
    $$VALUES ('back', 'open', '2020-01-13'::date, '2020-01-13'::date, '2020-02-01'::date, 'lost'), ('back', 'Talk', '2020-07-05', '2020-07-05', NULL, 'open'), ('new', 'Talk', '2020-04-10', '2020-04-10', NULL, 'open'),
        ('new won', 'open', '2020-04-11', '2020-04-11', '2020-04-30', 'won'), ('won', 'Talk', '2020-01-01', '2020-03-31', '2020-05-02', 'won')$$,
    'so are stays in a stage; those that the first snapshot found are known from then on only');

-- the waterfall of all
SELECT results_eq($$SELECT step, deal_count, amount, running_amount FROM spm.pipeline_waterfall('2020-04-01', '2020-07-05')$$,
    $$VALUES ('opening', 14::bigint, 2496::numeric, 2496::numeric), ('new', 4, 90, 2586), ('reopened', 1, 13, 2599), ('restored', 1, 12, 2611), ('owner_in', 1, 90, 2701), ('increased', 5, 606, 3307),
        ('decreased', 1, -30, 3277), ('owner_out', 1, -90, 3187), ('omitted', 1, -11, 3176), ('removed', 1, -1000, 2176), ('lost', 2, -223, 1953), ('won', 3, -147, 1806), ('closing', 13, 1806, 1806)$$,
    'without a period close dates do not matter; every step is there and they add up');
SELECT results_eq($$SELECT step, string_agg(key || ' ' || amount, ', ' ORDER BY key COLLATE "C") FROM spm.pipeline_movement('2020-04-01', '2020-07-05', '2020-Q2') GROUP BY step ORDER BY min(spm._waterfall_order(step))$$,
    $$VALUES ('opening', 'dropped 1000, early 40, grows 70, hidden 11, late win 15, lost 200, moves 90, rests 16, shrinks 80, slips 300, won 100'), ('new', 'new 21, new lost 23, new won 22'), ('reopened', 'back 13'), ('restored', 'shown 12'),
        ('pulled_in', 'later 550, undated 60'), ('slipped_in', 'overdue 550'), ('owner_in', 'moves 90'), ('increased', 'grows 5, moves 5, won 10'), ('decreased', 'shrinks -30'), ('owner_out', 'moves -90'), ('omitted', 'hidden -11'),
        ('slipped', 'late win -15, slips -300'), ('pulled_out', 'early -40'), ('removed', 'dropped -1000'), ('lost', 'lost -200, new lost -23'), ('won', 'new won -22, won -110'),
        ('closing', 'back 13, grows 75, later 550, moves 95, new 21, overdue 550, rests 16, shown 12, shrinks 50, undated 60')$$,
    'within a period: what was won at its amount, what came in and slipped out by its close date');
SELECT is((SELECT sum(amount) FILTER (WHERE step <> 'closing') FROM spm.pipeline_movement('2020-04-01', '2020-07-05', '2020-Q2')), 1442::numeric, 'opening and steps add up ...');
SELECT is((SELECT sum(amount) FROM spm.pipeline_on('2020-07-05') WHERE state = 'open' AND category <> 'omitted' AND close_date BETWEEN '2020-04-01' AND '2020-06-30'), 1442::numeric, '... to the pipeline of the second day');
SELECT is_empty($$SELECT period, key FROM (VALUES (NULL), ('2020-Q1'), ('2020-Q2'), ('2020-Q3'), ('2020-06'), ('2020')) p(period), spm.pipeline_movement('2020-04-01', '2020-07-05', period)
    GROUP BY period, key HAVING coalesce(sum(amount) FILTER (WHERE step <> 'closing'), 0) <> coalesce(sum(amount) FILTER (WHERE step = 'closing'), 0)$$,
    'every single deal adds up, whatever the period');
SELECT results_eq($$SELECT step, amount, running_amount FROM spm.pipeline_waterfall('2020-04-01', '2020-07-05', '2020-Q2', 'w1')$$,
    $$VALUES ('opening', 1721::numeric, 1721::numeric), ('new', 66, 1787), ('slipped_in', 550, 2337), ('increased', 10, 2347), ('owner_out', -90, 2257), ('slipped', -315, 1942), ('removed', -1000, 942), ('lost', -223, 719), ('won', -132, 587), ('closing', 587, 587)$$,
    'a deal that has changed hands leaves the seat');
SELECT results_eq($$SELECT sum(w1.amount + w2.amount), sum(b.amount) FROM spm.pipeline_waterfall('2020-04-01', '2020-07-05', '2020-Q2', 'w1') w1 JOIN spm.pipeline_waterfall('2020-04-01', '2020-07-05', '2020-Q2', 'w2') w2 USING (step)
    JOIN spm.pipeline_waterfall('2020-04-01', '2020-07-05', '2020-Q2', 'boss') b USING (step) WHERE step IN ('opening', 'closing')$$, $$VALUES (3364::numeric, 3364::numeric)$$, 'and seats add up to the one above them');
SELECT results_eq($$SELECT step, amount, running_amount FROM spm.pipeline_waterfall('2019-01-01', '2019-02-01')$$, $$VALUES ('opening', 0::numeric, 0::numeric), ('closing', 0, 0)$$, 'where nothing was nothing moved');

-- several currencies
SELECT spm.add_currency('EUR'), spm.add_currency('USD') \g /dev/null
UPDATE crm.deal SET cur = CASE WHEN id = 'rests' THEN 'EUR' ELSE 'USD' END;
SELECT spm.take_snapshot(as_of => '2020-07-06') \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.pipeline_waterfall('2020-07-05', '2020-07-06')$$, '22023', 'deals are in several currencies, such as EUR and USD', 'several currencies are not added up, but refused');
SELECT spm.add_forecast_type('revenue', 'USD') \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.pipeline_waterfall('2020-07-05', '2020-07-06')$$, '22023', 'there is no spot rate from EUR to USD on 2020-07-06', 'so is a rate that is missing');
SELECT spm.set_exchange_rate('EUR', 'USD', '2020-01-01', 1.1111) \g /dev/null
SELECT is((SELECT from_amount || ' ' || to_amount FROM spm.pipeline_movement('2020-07-05', '2020-07-06') WHERE key = 'rests' AND step = 'closing'), '17.78 17.78', 'amounts are converted and rounded deal by deal, both days at one rate');

-- what is refused
SELECT throws_ok($$SELECT * FROM spm.pipeline_waterfall('2020-07-05', '2020-07-05')$$, '22023', 'until must be after since', 'no time in between');
SELECT throws_ok($$SELECT spm.take_snapshot(as_of => '2020-06-01')$$, '22023', 'there is a later snapshot, of 2020-07-06', 'the past is not rewritten');
SELECT throws_ok($$SELECT spm.take_snapshot(as_of => 'infinity')$$, '22023', 'a snapshot cannot be of infinity', 'nor is the future');
SELECT throws_ok($$SELECT spm.take_snapshot('start', '2020-08-01')$$, '23505', NULL, 'a name is of one snapshot');
INSERT INTO crm.deal VALUES ('won');
SELECT throws_ok($$SELECT spm.take_snapshot(as_of => '2020-08-01')$$, '23505', 'opportunity "won" is in "crm" more than once', 'a key that is there twice');
DELETE FROM crm.deal;
SELECT throws_ok($$SELECT spm.take_snapshot(as_of => '2020-08-01')$$, '55000', 'opportunities "crm" are empty, and had open deals', 'a CRM that is being loaded is not taken for an empty one');
ALTER TABLE crm.deal RENAME TO gone;
SELECT throws_ok($$SELECT spm.take_snapshot(as_of => '2020-08-01')$$, '42P01', 'opportunities "crm" cannot be read: relation crm.deal does not exist', 'or one that cannot be read');
SELECT is((SELECT count(*) FROM spm.pipeline_snapshot), 4::bigint, 'and nothing was kept of all these');

-- another CRM comes in its place, and both are there in the end
CREATE TABLE crm.fresh AS SELECT 'f' || i AS id, 'w1' AS owner, 'Talk' AS stage, 5 AS amount, date '2020-07-20' AS opened, date '2020-12-01' AS closing FROM generate_series(1, 3) i;
SELECT spm.unmap_opportunities('crm'), spm.map_opportunities('fresh', 'crm.fresh', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing') \g /dev/null
SELECT spm.take_snapshot(as_of => '2020-08-01') \g /dev/null
SELECT is((SELECT string_agg(DISTINCT source_name, ' ') FROM spm_bi.pipeline_trend WHERE as_of = '2020-08-01'), 'fresh', 'deals of a source that is no longer mapped are not drawn on');
INSERT INTO crm.gone (id, owner, stage, amount, opened, closing) VALUES ('rests', 'w1', 'Talk', 16, '2020-01-16', '2020-12-20');
SELECT spm.map_opportunities('crm', 'crm.gone', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing') \g /dev/null
SELECT spm.take_snapshot(as_of => '2020-08-02') \g /dev/null
SELECT is((SELECT new_count FROM spm.pipeline_snapshot WHERE as_of = '2020-08-02'), 0::bigint, 'when it is mapped again its deals are no new ones');
SELECT is_empty('SELECT s.as_of, s.open_count FROM spm.pipeline_snapshot s LEFT JOIN spm_bi.pipeline_trend t USING (as_of) GROUP BY s.as_of, s.open_count HAVING s.open_count <> sum(t.deal_count)',
    'on each day as many deals are drawn as were open');
SELECT * FROM finish();
ROLLBACK;
