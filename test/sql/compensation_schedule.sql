-- Schedules, and what tells whether they are kept; runs themselves are in test/t/schedule.pl.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT no_plan();

-- ---------------------------------------------------------- when it is due
SELECT results_eq($$SELECT spm.next_tick(schedule, '2026-02-27 23:58:30+00', 'UTC') AT TIME ZONE 'UTC' FROM unnest('{* * * * *,*/5 * * * *,0 6 * * *,30 6 * * 1-5,"15,45 8-10/2 1 */3 *",0 0 29 2 *,0 12 1 * 0,0 12 * * 7,"  0	0 31 12 * "}'::text[]) WITH ORDINALITY u(schedule, n) ORDER BY n$$,
    $$VALUES ('2026-02-27 23:59'::timestamp), ('2026-02-28 00:00'), ('2026-02-28 06:00'), ('2026-03-02 06:30'), ('2026-04-01 08:15'), ('2028-02-29 00:00'),
        ('2026-03-01 12:00'), ('2026-03-01 12:00'), ('2026-12-31 00:00')$$, 'a schedule says when it comes next');
SELECT is(spm.next_tick('0 6 * * *', '2026-01-01 00:00+00', 'America/New_York'), '2026-01-01 11:00+00', 'in its time zone');
SELECT is(spm.next_tick('*/5 * * * *', '2026-01-01 00:05+00', 'UTC'), '2026-01-01 00:10+00', 'an instant that is on it waits for the next one');
SELECT results_eq($$SELECT u FROM unnest('{"",*,* * * *,* * * * * *,60 * * * *,* 24 * * *,* * 0 * *,* * 32 * *,* * * 13 *,* * * * 8,*/0 * * * *,5-3 * * * *,5/2 * * * *,a * * * *,"1,,2 * * * *",30 seconds,@daily,0 0 30 2 *,-1 * * * *}'::text[]) u
    WHERE spm.next_tick(u, now(), 'UTC') IS NOT NULL$$, '{}'::text[], 'what is no schedule, or never comes, has no next time');
SELECT is(spm.next_tick('* * * * *', 'infinity', 'UTC'), NULL, 'nor is there one at the end of time');
SELECT is(spm.next_tick(repeat('*,', 500) || '* * * * *', now(), 'UTC'), NULL, 'nor of a schedule that is longer than any needs to be');

-- ------------------------------------------------------- what is refused
SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01');
SELECT throws_ok($$SELECT spm.schedule()$$, '0A000', 'pg_cron is not installed in this database', 'without pg_cron nothing can be scheduled with it');
DO $do$
DECLARE
    hint text;
BEGIN
    PERFORM spm.schedule();
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    PERFORM set_config('test.hint', hint, true);
END
$do$;
SELECT matches(current_setting('test.hint'), 'shared_preload_libraries = ''pg_cron''.*CREATE EXTENSION pg_cron.*psql -d .*runner => ''other''', 'but the hint says how to get there, and how to do without');
SELECT throws_ok($$SELECT spm.schedule('every five minutes')$$, '22023', 'cron schedule "every five minutes" cannot be read, or never comes', 'a schedule that is none is refused');
SELECT throws_ok($$SELECT spm.schedule(NULL)$$, '22023', NULL, 'and no schedule');
SELECT throws_ok($$SELECT spm.schedule(runner => 'at')$$, '22023', 'runner must be pg_cron or other, not "at"', 'an unknown runner is refused');
SELECT throws_ok($$SELECT spm.schedule(calendar => 'lunar', runner => 'other')$$, '42704', 'calendar "lunar" does not exist', 'an unknown calendar is refused');
SELECT throws_ok($$SELECT spm.unschedule()$$, '42704', 'nothing is scheduled for all calendars', 'what is not scheduled cannot be taken back');
SELECT throws_ok($$SELECT spm.unschedule('fiscal')$$, '42704', 'nothing is scheduled for calendar "fiscal"', 'nor for one calendar');
SELECT throws_ok($$CALL spm.run_job()$$, '2D000', NULL, 'a run commits by itself, and so refuses to be part of a transaction');

-- --------------------------------------------- scheduled by somebody else
SELECT is(spm.schedule('0 6 * * *', runner => 'other'), 'spm', 'what calls it from outside is told of');
SELECT is(spm.schedule('0 7 * * *', 'fiscal', true, 'other'), 'spm fiscal', 'also for one calendar');
SELECT is(spm.schedule(cron => '*/10 * * * *', runner => 'other'), 'spm', 'a second call replaces the first');
SELECT results_eq($$SELECT name, schedule, time_zone, runner, is_calculating, scheduled_by = current_user FROM spm.job ORDER BY name COLLATE "C"$$,
    $$VALUES ('spm', '*/10 * * * *', 'UTC', 'other', false, true), ('spm fiscal', '0 7 * * *', 'UTC', 'other', true, true)$$, 'and each is there once');

-- ---------------------------------------------------------------- lateness
UPDATE spm.job SET scheduled_at = now() - interval '1 hour' WHERE name = 'spm';
UPDATE spm.job SET schedule = to_char(now() + interval '5 minutes', 'MI HH24 * * *') WHERE name = 'spm fiscal';
CREATE TEMPORARY VIEW lateness AS
SELECT job_name, last_success_at IS NOT NULL AS succeeded, due_since IS NOT NULL AS is_due, is_late, last_error_code FROM spm_bi.job_lateness ORDER BY job_name COLLATE "C";
SELECT results_eq('TABLE lateness', $$VALUES ('spm', false, true, true, NULL), ('spm fiscal', false, false, false, NULL)$$, 'a job that has not run is late once it has been due');
INSERT INTO spm.job_run (job, started_at, finished_at, outcome, version) VALUES ('spm', now() - interval '20 minutes', now() - interval '19 minutes', 'done', '1');
SELECT results_eq($$SELECT is_late, due_since BETWEEN now() - interval '20 minutes' AND now() - interval '9 minutes' FROM spm_bi.job_lateness WHERE job_name = 'spm'$$, $$VALUES (true, true)$$,
    'it is late when it was due again after its last success');
INSERT INTO spm.job_run (job, started_at, finished_at, outcome, error_code, message, version) VALUES ('spm', now() - interval '5 minutes', now() - interval '5 minutes', 'failed', '22012', 'division by zero', '1');
SELECT results_eq('SELECT is_late, last_error_code, last_error_message FROM spm_bi.job_lateness WHERE job_name = ''spm''', $$VALUES (true, '22012', 'division by zero')$$, 'a run that failed makes it no less late, and shows why');
INSERT INTO spm.job_run (job, started_at, finished_at, outcome, version) VALUES ('spm', now() - interval '1 second', now(), 'done', '1');
SELECT is((SELECT is_late FROM spm_bi.job_lateness WHERE job_name = 'spm'), false, 'a success makes it good');
INSERT INTO spm.job_run (job, started_at, pid, version) VALUES ('spm', now(), 0, '1');
SELECT results_eq($$SELECT running_since IS NULL, last_error_outcome FROM spm_bi.job_lateness WHERE job_name = 'spm'$$, $$VALUES (true, 'interrupted')$$, 'a run whose session is gone is not taken for running');
SELECT is((SELECT waiting_count FROM spm_bi.job_lateness WHERE job_name = 'spm'), (SELECT count(*) FROM spm.change), 'what waits is counted');

-- ------------------------------------------------------- what is recorded stays: error
SELECT throws_ok($$DELETE FROM spm.job_run$$, '55000', NULL, 'no run is deleted');
SELECT throws_ok($$TRUNCATE spm.job_run$$, '55000', NULL, 'nor are all');
SELECT throws_ok($$UPDATE spm.job_run SET outcome = 'done', error_code = NULL WHERE outcome = 'failed'$$, '55000', NULL, 'no failure becomes a success');
SELECT throws_ok($$UPDATE spm.job_run SET started_at = now() - interval '1 day', outcome = 'done', finished_at = now() WHERE outcome = 'running'$$, '55000', NULL, 'how a run began does not change');
SELECT throws_ok($$UPDATE spm.job_run SET message = '' WHERE outcome = 'running'$$, '55000', NULL, 'nor does one that goes on');
SELECT lives_ok($$UPDATE spm.job_run SET outcome = 'interrupted', finished_at = now() WHERE outcome = 'running'$$, 'a run is finished once');
SELECT throws_ok($$UPDATE spm.job_run SET outcome = 'done' WHERE outcome = 'interrupted'$$, '55000', NULL, 'and not twice');

SELECT lives_ok($$SELECT spm.unschedule(), spm.unschedule('fiscal')$$, 'schedules are taken back');
SELECT is((SELECT count(*) FROM spm.job), 0::bigint, 'and gone');
SELECT * FROM finish();
ROLLBACK;
