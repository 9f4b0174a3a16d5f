/*
 * core/views_progress.sql: what is under way.
 */

CREATE OR REPLACE VIEW spm.progress WITH (security_invoker = true) AS
SELECT j.pid, j.job, j.period, j.phase, j.done, j.total,
    CASE WHEN j.total > 0 THEN round(least(j.done, j.total)::numeric / j.total, 4) END AS ratio,
    j.started_at, j.phase_started_at,
    CASE WHEN j.total > 0 AND j.done > 0
         THEN j.phase_started_at + (clock_timestamp() - j.phase_started_at) * (greatest(j.done, j.total)::double precision / j.done) END AS phase_eta,
    CASE WHEN j.expected_at > clock_timestamp() THEN j.expected_at END AS eta
FROM spm.running_job() AS j;
COMMENT ON VIEW spm.progress IS 'One row per calculation, refresh or posting that is under way in this database: what it is doing and how far it has come. SELECT pg_cancel_backend(pid) FROM spm.progress stops them.';
COMMENT ON COLUMN spm.progress.pid IS 'Process that does it.';
COMMENT ON COLUMN spm.progress.job IS 'calculate, refresh or post.';
COMMENT ON COLUMN spm.progress.period IS 'Period that is being worked on; a calculation may also look again at earlier ones. NULL: no single one.';
COMMENT ON COLUMN spm.progress.phase IS 'What is being done. NULL: it has just begun.';
COMMENT ON COLUMN spm.progress.done IS 'How much of the phase is done.';
COMMENT ON COLUMN spm.progress.total IS 'Of how much. NULL: not known.';
COMMENT ON COLUMN spm.progress.ratio IS 'done in proportion to total, 0 to 1.';
COMMENT ON COLUMN spm.progress.started_at IS 'When the job began.';
COMMENT ON COLUMN spm.progress.phase_started_at IS 'When the phase began.';
COMMENT ON COLUMN spm.progress.phase_eta IS 'When the phase is done if it goes on at its pace so far. NULL: its total is not known, or nothing is done yet.';
COMMENT ON COLUMN spm.progress.eta IS 'When the job is done if it takes as long as the last one of its kind for the period, or else for the one before. NULL: there was none, or it already takes longer.';
