\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(13);
CREATE TYPE pg_temp.mood AS ENUM ('good', 'bad');
CREATE TABLE pg_temp.deal (gone int, stage varchar(10), amount numeric(12,2), closed date, deleted_at timestamptz, score float8, mood pg_temp.mood);
ALTER TABLE pg_temp.deal DROP COLUMN gone;
CREATE FUNCTION pg_temp.checked(expression text) RETURNS text LANGUAGE sql AS $$
    SELECT spm.checked_expression($1, 'boolean', 'pg_temp.deal')
$$;
SELECT is(pg_temp.checked($$stage = 'won'$$), '((t.stage)::text = ''won''::text)', 'a filter is read over the columns of its relation');
SELECT is(pg_temp.checked(pg_temp.checked($$stage IN ('won', 'paid') AND amount > 0$$)), pg_temp.checked($$stage IN ('won', 'paid') AND amount > 0$$),
    'and gives itself when checked again');
SELECT is(pg_temp.checked('deleted_at IS NULL AND mood IS NOT NULL'), '((t.deleted_at IS NULL) AND (t.mood IS NOT NULL))',
    'whether a column is empty can be asked whatever its type');
SELECT throws_ok($$SELECT pg_temp.checked('stagg = 1')$$, '42703', 'column "stagg" of deal does not exist', 'an unknown column is refused');
SELECT throws_ok($$SELECT pg_temp.checked('event_date IS NULL')$$, '42703', 'column "event_date" of deal does not exist', 'a filter sees the columns of the relation, not those of a transaction');
SELECT throws_ok($$SELECT pg_temp.checked('"........pg.dropped.1........" IS NULL')$$, '42703', NULL, 'a dropped column is no column');
SELECT throws_ok($$SELECT pg_temp.checked('ctid IS NULL')$$, '42703', NULL, 'nor is a system column');
SELECT throws_ok($$SELECT pg_temp.checked('deleted_at > ''2026-01-01''')$$, '42P17', NULL, 'an instant is not compared: that would depend on the time zone');
SELECT throws_ok($$SELECT pg_temp.checked('score > 1')$$, '42P17', NULL, 'nor floating point');
SELECT throws_ok($$SELECT pg_temp.checked('mood = ''good''')$$, '42P17', NULL, 'nor a type of a user''s');
SELECT throws_ok($$SELECT pg_temp.checked('amount > (SELECT 1)')$$, '42P17', NULL, 'what a filter may not use is what no expression may use');
SELECT throws_ok($$SELECT pg_temp.checked('amount')$$, '42804', NULL, 'a filter is true or false');
SELECT throws_ok($$SELECT spm.checked_expression('true', 'boolean', 'pg_class_oid_index')$$, '42809', NULL, 'an index has no rows to filter');
SELECT * FROM finish();
ROLLBACK;
