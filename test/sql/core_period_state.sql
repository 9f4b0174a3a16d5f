\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(20);
SELECT spm.create_calendar('fiscal', grain => 'quarter', first => '2026-01-01', until => '2027-01-01');

CREATE FUNCTION pg_temp.set_state(period text, state text) RETURNS void LANGUAGE sql AS $$
    UPDATE spm.period SET state = $2 WHERE name = $1
$$;
SELECT throws_ok($$SELECT pg_temp.set_state('2026-Q1', 'posted')$$, '55000', 'period "2026-Q1" cannot go from open to posted',
    'what was not calculated cannot be posted');
SELECT lives_ok($$SELECT pg_temp.set_state('2026-Q1', 'calculated')$$, 'an open period can be calculated');
SELECT throws_ok($$SELECT pg_temp.set_state('2026-Q1', 'open')$$, '55000', 'period "2026-Q1" cannot go from calculated to open',
    'a calculated period stays calculated until it is posted');
SELECT throws_ok($$UPDATE spm.period SET span = '[2026-01-01,2026-03-31)' WHERE name = '2026-Q1'$$, '55000',
    'period "2026-Q1" is calculated, and its days cannot change', 'the days of a calculated period do not change');
SELECT lives_ok($$UPDATE spm.period SET span = '[2026-10-01,2026-12-31)' WHERE name = '2026-Q4'$$, 'those of an open one can');
SELECT throws_ok($$DELETE FROM spm.period WHERE name = '2026-Q1'$$, '55000', 'period "2026-Q1" is calculated',
    'a calculated period cannot be deleted');
SELECT lives_ok($$SELECT pg_temp.set_state('2026-Q1', 'posted')$$, 'a calculated period can be posted');
SELECT throws_ok($$SELECT pg_temp.set_state('2026-Q1', 'open')$$, '55000', 'period "2026-Q1" is posted',
    'a posted period is not opened by an update');
SELECT throws_ok($$SELECT pg_temp.set_state('2026-Q1', 'calculated')$$, '55000', 'period "2026-Q1" is posted',
    'nor calculated again');
SELECT throws_ok($$SELECT spm.reopen_period('2026-Q1', NULL)$$, '22023', 'reopening period "2026-Q1" needs a reason',
    'reopening needs a reason');
SELECT throws_ok($$SELECT spm.reopen_period('2026-Q1', ' ')$$, '22023', 'reopening period "2026-Q1" needs a reason',
    'and blanks are none');
SELECT throws_ok($$SELECT spm.reopen_period('2026-Q2', 'why not')$$, '55000', 'period "2026-Q2" is open and not posted',
    'only a posted period is reopened');
SELECT lives_ok($$SELECT spm.reopen_period('2026-Q1', 'bank returned the file')$$, 'with a reason a posted period is opened again');
SELECT results_eq($$SELECT p.name, e.from_state, e.to_state, e.reason, e.recorded_by = session_user FROM spm.period_event e JOIN spm.period p USING (period_id) ORDER BY period_event_id$$,
    $$VALUES ('2026-Q1', 'open', 'calculated', NULL, true), ('2026-Q1', 'calculated', 'posted', NULL, true),
             ('2026-Q1', 'posted', 'open', 'bank returned the file', true)$$,
    'every change of state is recorded once, with who and why');
SELECT pg_temp.set_state('2026-Q1', 'calculated');
SELECT pg_temp.set_state('2026-Q1', 'posted');
SELECT throws_ok($$SELECT pg_temp.set_state('2026-Q1', 'open')$$, '55000', 'period "2026-Q1" is posted',
    'one reopening opens a period once');
SELECT throws_ok($$INSERT INTO spm.period_event (period_id, from_state, to_state) VALUES (spm._period_id('2026-Q1'), 'posted', 'open')$$,
    '23514', NULL, 'a reopening without a reason cannot be recorded');
SELECT throws_ok($$UPDATE spm.period_event SET reason = 'other'$$, '55000', 'rows of spm.period_event are never changed',
    'the record of changes is never rewritten');
SELECT throws_ok($$DELETE FROM spm.period_event$$, '55000', 'rows of spm.period_event are never changed', 'nor deleted');
SELECT throws_ok($$TRUNCATE spm.period_event$$, '55000', 'rows of spm.period_event are never changed', 'nor emptied');
SELECT is((SELECT state FROM spm.period WHERE name = '2026-Q1'), 'posted', 'and what was refused has changed nothing');
SELECT * FROM finish();
ROLLBACK;
