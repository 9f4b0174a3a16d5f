/*
 * compensation/views_job.sql: whether results are kept current.
 */

CREATE OR REPLACE VIEW spm_bi.job_run WITH (security_invoker = true) AS
SELECT r.job_run_id, r.job AS job_name, c.name AS calendar_name, r.started_at, r.finished_at,
       round(extract(epoch FROM r.finished_at - r.started_at), 3)::numeric(18, 3) AS duration_seconds,
       -- its session is gone, and no run has come since to say so
       CASE WHEN r.outcome = 'running' AND NOT pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.pid = r.pid AND l.objsubid = 1
                                                          AND (l.classid::bigint << 32 | l.objid::bigint) = spm.job_lock(r.job))
            THEN 'interrupted' ELSE r.outcome END AS outcome,
       r.error_code, r.message, r.changed_count, r.run_by, r.version
FROM spm.job_run r
LEFT JOIN spm.calendar c USING (calendar_id);
COMMENT ON VIEW spm_bi.job_run IS 'One row per run of a scheduled job.';
COMMENT ON COLUMN spm_bi.job_run.job_run_id IS 'Run, in order of time.';
COMMENT ON COLUMN spm_bi.job_run.job_name IS 'Job.';
COMMENT ON COLUMN spm_bi.job_run.calendar_name IS 'Calendar that was brought up to date. NULL: all.';
COMMENT ON COLUMN spm_bi.job_run.started_at IS 'When it began.';
COMMENT ON COLUMN spm_bi.job_run.finished_at IS 'When it ended. NULL: it is running, or was interrupted.';
COMMENT ON COLUMN spm_bi.job_run.duration_seconds IS 'Seconds it took. Not additive.';
COMMENT ON COLUMN spm_bi.job_run.outcome IS 'running, done, failed, interrupted or skipped.';
COMMENT ON COLUMN spm_bi.job_run.error_code IS 'SQLSTATE of its first error.';
COMMENT ON COLUMN spm_bi.job_run.message IS 'What that error said, or why it was skipped.';
COMMENT ON COLUMN spm_bi.job_run.changed_count IS 'Result rows added or taken back. Additive.';
COMMENT ON COLUMN spm_bi.job_run.run_by IS 'Login that ran it.';
COMMENT ON COLUMN spm_bi.job_run.version IS 'Version of spm that ran.';

CREATE OR REPLACE VIEW spm_bi.job_lateness WITH (security_invoker = true) AS
SELECT j.name AS job_name, c.name AS calendar_name, j.schedule, j.time_zone, j.runner,
       done.finished_at AS last_success_at, d.due_since,
       -- a run is as late as its start: while one takes no longer than the last one that succeeded, nothing is
       coalesce(d.due_since + interval '2 minutes' + coalesce(done.finished_at - done.started_at, interval '0') < now(), false) AS is_late,
       CASE WHEN NOT under_way.is_dead THEN under_way.started_at END AS running_since,
       w.change_count AS waiting_count, w.waiting_since,
       CASE WHEN under_way.is_dead THEN under_way.started_at ELSE wrong.started_at END AS last_error_at,
       CASE WHEN under_way.is_dead THEN 'interrupted' ELSE wrong.outcome END AS last_error_outcome,
       CASE WHEN under_way.is_dead THEN NULL ELSE wrong.error_code END AS last_error_code,
       CASE WHEN under_way.is_dead THEN NULL ELSE wrong.message END AS last_error_message
FROM spm.job j
LEFT JOIN spm.calendar c USING (calendar_id)
LEFT JOIN LATERAL (SELECT r.job_run_id, r.started_at, r.finished_at FROM spm.job_run r WHERE r.job = j.name AND r.outcome = 'done' ORDER BY r.job_run_id DESC LIMIT 1) done ON true
-- there is at most one: a run that begins closes those before it
LEFT JOIN LATERAL (SELECT r.started_at, NOT pg_is_in_recovery() AND NOT EXISTS (
                       SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.pid = r.pid AND l.objsubid = 1
                           AND (l.classid::bigint << 32 | l.objid::bigint) = spm.job_lock(r.job)) AS is_dead
                   FROM spm.job_run r WHERE r.job = j.name AND r.outcome = 'running' ORDER BY r.job_run_id DESC LIMIT 1) under_way ON true
LEFT JOIN LATERAL (SELECT r.started_at, r.outcome, r.error_code, r.message FROM spm.job_run r
                   WHERE r.job = j.name AND r.job_run_id > coalesce(done.job_run_id, 0) AND r.outcome IN ('failed', 'interrupted')
                   ORDER BY r.job_run_id DESC LIMIT 1) wrong ON true
CROSS JOIN LATERAL (SELECT count(*) AS change_count, min(m.marked_at) AS waiting_since FROM spm.change m
                    WHERE j.calendar_id IS NULL OR m.calendar_id IS NULL OR m.calendar_id = j.calendar_id) w
CROSS JOIN LATERAL (SELECT CASE WHEN t.tick <= now() THEN t.tick END AS due_since
                    FROM (VALUES (spm.next_tick(j.schedule, greatest(done.started_at, j.scheduled_at), j.time_zone))) t(tick)) d;
COMMENT ON VIEW spm_bi.job_lateness IS 'One row per scheduled job: whether it runs as it should, and what waits for it. It looks at what has been recorded, not at pg_cron, and so notices whatever keeps a job from running.';
COMMENT ON COLUMN spm_bi.job_lateness.job_name IS 'Job.';
COMMENT ON COLUMN spm_bi.job_lateness.calendar_name IS 'Calendar it keeps current. NULL: all.';
COMMENT ON COLUMN spm_bi.job_lateness.schedule IS 'When it is due, as in cron.';
COMMENT ON COLUMN spm_bi.job_lateness.time_zone IS 'Time zone of the schedule.';
COMMENT ON COLUMN spm_bi.job_lateness.runner IS 'What runs it: pg_cron, or other.';
COMMENT ON COLUMN spm_bi.job_lateness.last_success_at IS 'When it last succeeded. NULL: never.';
COMMENT ON COLUMN spm_bi.job_lateness.due_since IS 'First time it was due after the start of its last success (or after it was scheduled), if that has come. NULL: it is on time.';
COMMENT ON COLUMN spm_bi.job_lateness.is_late IS 'Whether it has been due for two minutes longer than its last success took.';
COMMENT ON COLUMN spm_bi.job_lateness.running_since IS 'Start of the run under way. NULL: none is.';
COMMENT ON COLUMN spm_bi.job_lateness.waiting_count IS 'Changes that wait for it. Additive.';
COMMENT ON COLUMN spm_bi.job_lateness.waiting_since IS 'Since when the first of them waits. NULL: none does.';
COMMENT ON COLUMN spm_bi.job_lateness.last_error_at IS 'Start of the last run since the last success that failed or was interrupted. NULL: none was; earlier ones are in spm_bi.job_run.';
COMMENT ON COLUMN spm_bi.job_lateness.last_error_outcome IS 'failed or interrupted.';
COMMENT ON COLUMN spm_bi.job_lateness.last_error_code IS 'SQLSTATE of its first error.';
COMMENT ON COLUMN spm_bi.job_lateness.last_error_message IS 'What that error said.';
