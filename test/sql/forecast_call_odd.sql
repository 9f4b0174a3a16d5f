-- Calls and the pipeline of seats whose people have left, and of periods of several lengths.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = error;
SET datestyle = 'ISO, YMD';
SELECT no_plan();
SELECT spm.add_currency('USD'), spm.add_currency('EUR') \g /dev/null

-- ann won a deal, and left with another one open; bob has one
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id int, owner text, stage text, amount numeric, opened date, closing date, category text);
INSERT INTO crm.deal VALUES (1, 'ann', 'Won', 100, '2020-01-01', '2020-01-20', NULL), (2, 'bob', 'Talk', 50, '2020-01-01', '2020-03-20', 'Commit'), (3, 'ann', 'Talk', 7, '2020-01-01', '2020-03-20', 'Commit');
CREATE TABLE crm.history (deal int, at date, stage text, amount numeric, closing date, category text);
INSERT INTO crm.history VALUES (1, '2020-01-01', 'Talk', 80, '2020-02-20', 'commit'), (1, '2020-01-20', 'Won', 100, '2020-01-20', NULL), (2, '2020-01-01', 'Talk', 50, '2020-03-20', 'commit'), (3, '2020-01-01', 'Talk', 7, '2020-03-20', 'commit');
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category') \g /dev/null
SELECT spm.map_stage_history('crm', 'crm.history', 'deal', 'at', 'stage', 'amount', 'closing', category => 'category') \g /dev/null
SELECT spm.add_position(k, k) FROM unnest('{ceo,s1,s2}'::text[]) k \g /dev/null
SELECT spm.add_payee(k, k), spm.assign_position(s, k, '2019-01-01') FROM (VALUES ('ann', 's1'), ('bob', 's2'), ('cyd', 'ceo')) v(k, s) \g /dev/null
SELECT spm.set_manager(k, 'ceo', '2019-01-01') FROM unnest('{s1,s2}'::text[]) k \g /dev/null
SELECT spm.create_calendar('fiscal', 'month', '2020-01-01', '2021-01-01'), spm.vacate_position('s1', '2020-03-01') \g /dev/null
SELECT spm.submit_call('ceo', '2020-Q1', 150, as_of => '2020-02-01'), spm.submit_call('ceo', '2020-01', 10, as_of => '2020-01-02') \g /dev/null

SELECT results_eq($$SELECT position_key, deal_amount FROM spm.pipeline_rollup('2020-Q1', '2020-03-15') WHERE category = 'closed'$$,
    $$VALUES ('ceo', 100::numeric), ('s1', 100), ('s2', 0), (NULL, 0)$$, 'what somebody won who has left stays with the seat and those above it');
SELECT results_eq($$SELECT position_key, deal_amount FROM spm.pipeline_rollup('2020-Q1', '2020-03-15') WHERE category = 'commit'$$,
    $$VALUES ('ceo', 150::numeric), ('s1', 100), ('s2', 50), (NULL, 7)$$, 'what is open waits for an owner, in a row of its own');
SELECT results_eq($$SELECT amount, actual_amount FROM spm.call_outcome('2020-04-01') WHERE amount = 150$$, $$VALUES (150::numeric, 100::numeric)$$, 'and a call is not held against less than was won');
SELECT results_eq($$SELECT step, key, s.position_key, amount FROM spm.pipeline_movement('2020-01-10', '2020-03-10', '2020-Q1') LEFT JOIN spm.position s USING (position_id) WHERE key = '1'$$,
    $$VALUES ('opening', '1', 's1', 80::numeric), ('increased', '1', 's1', 20), ('won', '1', 's1', -100)$$, 'in a waterfall the deal has not changed hands');
SELECT is((SELECT sum(CASE step WHEN 'closing' THEN -amount ELSE amount END) FROM spm.pipeline_movement('2020-01-10', '2020-03-10', '2020-Q1', 'ceo')), 0::numeric, 'and that of a team adds up');

-- periods of several lengths
SELECT spm.submit_call('ceo', '2020-Q2', 1000, as_of => '2020-04-10') \g /dev/null
SELECT is((SELECT past_count FROM spm.expected_call('2020-Q2', '2020-04-10')), 1::bigint, 'calls of quarters are held against quarters, not against months');
SELECT spm.submit_call('ceo', '2020-03', 40, as_of => '2020-02-01') \g /dev/null
SELECT results_eq($$SELECT period_grain, call_count, amount, actual_amount FROM spm_bi.call_accuracy WHERE week_index = 8 ORDER BY 1$$, $$VALUES ('month', 1::bigint, 40.000000, 0.000000), ('quarter', 1, 150.000000, 100.000000)$$,
    'and their accuracy stands apart, with as many weeks left');
SELECT spm.submit_call('ceo', '2020-03', 0, as_of => '2020-04-02') \g /dev/null
SELECT results_eq($$SELECT (SELECT count(*) FROM spm_bi.call_outcome WHERE day_count_left = -2), (SELECT sum(call_count)::int FROM spm_bi.call_accuracy WHERE period_grain = 'month')$$, $$VALUES (1::bigint, 2)$$,
    'nobody becomes accurate by a call that is made when the period is over');

-- a call looks at its own deals, but not only
SELECT count(spm.add_position('x' || i, 'X')) FROM generate_series(1, 9) i \g /dev/null
INSERT INTO crm.deal VALUES (4, 'eve', 'Talk', 1, '2020-01-01', '2020-06-20', 'Commit');
SELECT spm.map_opportunities('other', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category', fixed_currency => 'EUR', filter => 'id = 4'),
    spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category', fixed_currency => 'USD', filter => 'id < 4') \g /dev/null
SELECT throws_ok($$SELECT spm.submit_call('s2', '2020-Q2', 1, as_of => '2020-04-10')$$, '22023', 'deals are in several currencies, such as EUR and USD', 'refused: what the whole roll-up cannot add up, a seat with one currency does not call');
SELECT * FROM finish();
ROLLBACK;
