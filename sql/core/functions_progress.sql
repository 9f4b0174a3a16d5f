/*
 * core/functions_progress.sql: how far a job has come.
 */

CREATE OR REPLACE FUNCTION spm._begin_progress(job text, period text, expected interval DEFAULT NULL)
    RETURNS void
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'spm_begin_progress';
COMMENT ON FUNCTION spm._begin_progress(text, text, interval) IS 'Shows in spm.progress that this session does a job, until spm._end_progress() or the end of the (sub)transaction. Within a job only the period changes. expected: what it took before. Never fails.';
REVOKE ALL ON FUNCTION spm._begin_progress(text, text, interval) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._progress(phase text, done bigint, total bigint)
    RETURNS void
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'spm_progress';
COMMENT ON FUNCTION spm._progress(text, bigint, bigint) IS 'Says how far the job of this session has come: what it is doing, how much of it is done, of how much. Either number may be NULL. Never fails.';
REVOKE ALL ON FUNCTION spm._progress(text, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._end_progress()
    RETURNS void
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'spm_end_progress';
COMMENT ON FUNCTION spm._end_progress() IS 'Ends what spm._begin_progress() began.';
REVOKE ALL ON FUNCTION spm._end_progress() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.running_job(OUT pid int, OUT job text, OUT period text, OUT phase text, OUT done bigint, OUT total bigint,
    OUT started_at timestamptz, OUT phase_started_at timestamptz, OUT expected_at timestamptz)
    RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_running_job';
COMMENT ON FUNCTION spm.running_job() IS
'What the calculations and refreshes that are under way in this database do, right now; the view spm.progress adds when they will be done.
pid: process, for pg_cancel_backend(); job: calculate, refresh or post; period: the one being worked on; phase: what is done to it; done, total: how much of the phase, total NULL when nobody knows; expected_at: when the job ends if it takes as long as the last time.
A role sees the jobs of roles that it is a member of, and all with SELECT on spm.progress. At most 32 jobs of a server are shown.
Example: SELECT * FROM spm.running_job();';

CREATE OR REPLACE FUNCTION spm._last_duration(kind text, period_id int)
    RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.finished_at - r.started_at
    FROM (SELECT p.period_id, p.span FROM spm.period this
          JOIN spm.period p ON p.calendar_id = this.calendar_id AND p.grain = this.grain AND upper(p.span) IN (upper(this.span), lower(this.span))
          WHERE this.period_id = _last_duration.period_id) p
    JOIN spm.run r USING (period_id)
    WHERE r.kind = _last_duration.kind
    ORDER BY p.span DESC, r.run_id DESC LIMIT 1;
END;
COMMENT ON FUNCTION spm._last_duration(text, int) IS 'How long the last run of a kind took for a period, or else for the one before it. NULL: there was none.';
REVOKE ALL ON FUNCTION spm._last_duration(text, int) FROM PUBLIC;
