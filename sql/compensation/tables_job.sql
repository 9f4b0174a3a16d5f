/*
 * compensation/tables_job.sql: what keeps results current by itself, and a log of it.
 */

CREATE TABLE spm.job (
    job_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    calendar_id int UNIQUE REFERENCES spm.calendar,
    schedule text NOT NULL,
    time_zone text NOT NULL,
    runner text NOT NULL CHECK (runner IN ('pg_cron', 'other')),
    is_calculating boolean NOT NULL DEFAULT false,
    scheduled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    scheduled_by text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE spm.job IS 'When CALL spm.run_job() is to be run, for all calendars or for one. Written by spm.schedule().';
COMMENT ON COLUMN spm.job.job_id IS 'Key.';
COMMENT ON COLUMN spm.job.name IS 'Name, also of the job in pg_cron: spm, or spm and the calendar.';
COMMENT ON COLUMN spm.job.calendar_id IS 'Calendar it keeps current. NULL: all.';
COMMENT ON COLUMN spm.job.schedule IS 'When: minute, hour, day of the month, month, day of the week, as in cron.';
COMMENT ON COLUMN spm.job.time_zone IS 'Time zone in which the schedule is read: for pg_cron its own, else that of the session that called spm.schedule().';
COMMENT ON COLUMN spm.job.runner IS 'pg_cron, or other: something outside of the database calls it.';
COMMENT ON COLUMN spm.job.is_calculating IS 'Whether a run also calculates periods that have begun.';
COMMENT ON COLUMN spm.job.scheduled_at IS 'When spm.schedule() was last called for it.';
COMMENT ON COLUMN spm.job.scheduled_by IS 'Role that called it, and that pg_cron runs it as.';

CREATE TABLE spm.job_run (
    job_run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL,
    calendar_id int,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'done', 'failed', 'interrupted', 'skipped')),
    error_code text,
    message text,
    changed_count bigint,
    pid int NOT NULL DEFAULT pg_backend_pid(),
    run_by text NOT NULL DEFAULT session_user,
    version text NOT NULL,
    CONSTRAINT job_run_finished CHECK ((outcome = 'running') = (finished_at IS NULL)),
    CONSTRAINT job_run_error CHECK ((outcome = 'failed') = (error_code IS NOT NULL))
);
CREATE INDEX job_run_job ON spm.job_run (job, job_run_id);
CREATE INDEX job_run_running ON spm.job_run (job) WHERE outcome = 'running';
CREATE INDEX job_run_wrong ON spm.job_run (job, job_run_id) WHERE outcome IN ('failed', 'interrupted');
COMMENT ON TABLE spm.job_run IS 'One row per CALL spm.run_job(): written when it begins, finished once when it ends, and never deleted.';
COMMENT ON COLUMN spm.job_run.job_run_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.job_run.job IS 'Name of the job.';
COMMENT ON COLUMN spm.job_run.calendar_id IS 'Calendar that was to be brought up to date. NULL: all.';
COMMENT ON COLUMN spm.job_run.started_at IS 'When it began.';
COMMENT ON COLUMN spm.job_run.finished_at IS 'When it ended; of an interrupted run, when that was found. NULL: it is running.';
COMMENT ON COLUMN spm.job_run.outcome IS 'running; done; failed: part or all of its work was rolled back; interrupted: its session or the server went away; skipped: the run before it was still under way.';
COMMENT ON COLUMN spm.job_run.error_code IS 'SQLSTATE of the first error.';
COMMENT ON COLUMN spm.job_run.message IS 'What the first error said, or why the run was skipped.';
COMMENT ON COLUMN spm.job_run.changed_count IS 'Result rows that it added or took back. NULL: it did not end.';
COMMENT ON COLUMN spm.job_run.pid IS 'Process that ran it.';
COMMENT ON COLUMN spm.job_run.run_by IS 'Login that ran it.';
COMMENT ON COLUMN spm.job_run.version IS 'Version of spm that ran.';

SELECT pg_catalog.pg_extension_config_dump('spm.job', '');
SELECT pg_catalog.pg_extension_config_dump('spm.job_job_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.job_run', '');
SELECT pg_catalog.pg_extension_config_dump('spm.job_run_job_run_id_seq', '');
