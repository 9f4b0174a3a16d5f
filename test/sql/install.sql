\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT plan(2);
SELECT is(
    (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'spm'),
    (SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'spm'),
    'CREATE EXTENSION spm installs the version that the control file names');
SELECT has_schema('spm_bi', 'the schema that BI tools read is there');
SELECT * FROM finish();
ROLLBACK;
