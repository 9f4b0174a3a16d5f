-- What calls have come to mean, by what became of those before them.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT plan(9);

-- w1 promised 100 and 120 and brought 80 and 96, of deals of 50 and 60; boss said 70 and 90 of w1
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id int, owner text, stage text, amount numeric, opened date, closing date, category text);
CREATE TABLE crm.history (deal int, at date, stage text, amount numeric, closing date, category text);
INSERT INTO crm.history VALUES (1, '2020-01-01', 'Talk', 50, '2020-01-31', 'commit'), (1, '2020-01-31', 'Won', 80, '2020-01-31', NULL), (2, '2020-02-01', 'Talk', 60, '2020-02-28', 'commit'), (2, '2020-02-28', 'Won', 96, '2020-02-28', NULL),
    (3, '2020-03-01', 'Talk', 40, '2020-03-31', 'commit'), (3, '2020-03-31', 'Won', 1000, '2020-03-31', NULL);
INSERT INTO crm.deal SELECT DISTINCT ON (deal) deal, 'w1', stage, amount, min(at) OVER (PARTITION BY deal), closing, category FROM crm.history ORDER BY deal, at DESC;
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', category => 'category') \g /dev/null
SELECT spm.map_stage_history('crm', 'crm.history', 'deal', 'at', 'stage', 'amount', 'closing', category => 'category') \g /dev/null
SELECT spm.add_position(k, k) FROM unnest('{boss,w1}'::text[]) k \g /dev/null
SELECT spm.set_manager('w1', 'boss', '2020-01-01'), spm.create_calendar('fiscal', 'month', '2020-01-01', '2021-01-01') \g /dev/null
SELECT spm.submit_call('w1', p, a, as_of => d) FROM (VALUES ('2020-01', 90000, '2020-01-02'::date), ('2020-01', 100, '2020-01-10'), ('2020-01', 81, '2020-01-30'), ('2020-02', 120, '2020-02-08'), ('2020-03', 200, '2020-03-05')) v(p, a, d) \g /dev/null
SELECT spm.submit_call('w1', p, a, by => 'boss', reason => 'so I think', as_of => d) FROM (VALUES ('2020-01', 80, '2020-01-10'::date), ('2020-02', 96, '2020-02-08'), ('2020-03', 30, '2020-03-05')) v(p, a, d) \g /dev/null

SELECT results_eq($$SELECT judge_key, days_left, amount, deal_amount, past_count, call_ratio, deal_ratio FROM spm.expected_call('2020-03', '2020-03-11')$$,
    $$VALUES ('boss', 20, 30::numeric, 40::numeric, 2::bigint, 1.000000, 1.300000), ('w1', 20, 200, 40, 2, 0.900000, 1.3)$$,
    'a promise is worth what became of those made when as much was left: (80 + 96 + 2 x 110) of (100 + 120 + 2 x 110)');
-- errors of calls 80 - 90, 96 - 108, of deals 80 - 65, 96 - 78: mean squares 122 and 274.5
SELECT is((SELECT call_weight FROM spm.expected_call('2020-03', '2020-03-11') WHERE judge_key = 'w1'), round((2 * 274.5 / (122 + 274.5) + 1) / 4, 6), 'who was less off weighs more, drawn to a half');
SELECT is((SELECT expected_amount FROM spm.expected_call('2020-03', '2020-03-11') WHERE judge_key = 'w1'), round((2 * 274.5 / 396.5 + 1) / 4 * 0.9 * 200 + (1 - (2 * 274.5 / 396.5 + 1) / 4) * 1.3 * 40, 2), 'which mixes call and deals');
SELECT is((SELECT call_weight FROM spm.expected_call('2020-03', '2020-03-11') WHERE judge_key = 'boss'), 0.750000, 'a judge who was always right weighs three quarters after two periods');
SELECT results_eq($$SELECT judge_key, past_count, call_ratio, call_weight, expected_amount FROM spm.expected_call('2020-01', '2020-01-15')$$, $$VALUES ('boss', 0::bigint, 1.000000, 0.500000, NULL::numeric), ('w1', 0, 1, 0.5, NULL)$$, 'without past nothing is expected');
SELECT is((SELECT past_count FROM spm.expected_call('2020-02', '2020-02-10') WHERE judge_key = 'w1'), 1::bigint, 'only periods that are over count');
SELECT is((SELECT expected_amount FROM spm.expected_call('2020-02', '2020-02-10') WHERE judge_key = 'w1'),
    (SELECT round(w * (80 + 200) / 300 * 120 + (1 - w) * (80 + 100) / 150 * 60, 2) FROM (SELECT ((80 - 60.0) ^ 2 / ((80 - 60.0) ^ 2 + (80 - 100 * 280 / 300.0) ^ 2) + 1) / 3 AS w) x), 'and what was known on the day');
SELECT spm.withdraw_call('w1', '2020-03', as_of => '2020-03-12') \g /dev/null
SELECT is((SELECT string_agg(judge_key, ' ') FROM spm.expected_call('2020-03', '2020-03-12')), 'boss', 'a call that was taken back is none');
SELECT is_empty($$SELECT * FROM spm.expected_call('2020-05', '2020-05-05')$$, 'no calls, no rows');
SELECT * FROM finish();
ROLLBACK;
