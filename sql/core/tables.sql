/*
 * core/tables.sql: what every other domain stands on.
 */
CREATE SCHEMA spm_bi;
COMMENT ON SCHEMA spm_bi IS 'Views for BI tools: columns are only ever appended.';
