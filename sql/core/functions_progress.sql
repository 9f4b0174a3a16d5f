/*
 * core/functions_progress.sql: how far a calculation has come.
 */

CREATE OR REPLACE FUNCTION spm._progress(phase text, done bigint, total bigint)
    RETURNS void
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'spm_progress';
COMMENT ON FUNCTION spm._progress(text, bigint, bigint) IS 'Says how far the job of this session has come: what it is doing, how much of it is done, of how much. Either number may be NULL. Never fails.';
REVOKE ALL ON FUNCTION spm._progress(text, bigint, bigint) FROM PUBLIC;
