-- Rows of a query in bulk: the same table as INSERT makes, and the same refusals.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SEQUENCE spm.parcel_seq;
CREATE TABLE spm.parcel (parcel_id bigint PRIMARY KEY DEFAULT nextval('spm.parcel_seq'), gone int, period_id int NOT NULL, label text, weight numeric CHECK (weight > 0),
    tags text[] DEFAULT '{new}', content jsonb, UNIQUE (period_id, label));
ALTER TABLE spm.parcel DROP COLUMN gone;
CREATE TABLE spm.parcel_query AS
SELECT i % 7 AS period_id, CASE WHEN i % 11 > 0 THEN 'label ' || i END AS label, i / 8.0 AS weight, jsonb_build_object('i', i, 'long', repeat(md5(i::text), i % 300)) AS content
FROM generate_series(1, 2500) i;

SELECT is(spm._append('spm.parcel', 'SELECT content, weight, label, period_id FROM spm.parcel_query'), 2500::bigint, 'it says how many rows there were');
SELECT set_eq('SELECT period_id, label, weight, content FROM spm.parcel', 'SELECT * FROM spm.parcel_query', 'columns go by name, whatever their order; long values and NULLs are kept');
SELECT results_eq('SELECT min(parcel_id), max(parcel_id), count(DISTINCT parcel_id), count(*) FILTER (WHERE tags = ''{new}'') FROM spm.parcel',
    'VALUES (1::bigint, 2500::bigint, 2500::bigint, 2500::bigint)', 'what the query does not give is the default');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT weight FROM spm.parcel WHERE period_id = 3 AND label = 'label 10'), 1.25, 'indexes that are there know the rows');
RESET enable_seqscan;
SELECT is(spm._append('spm.parcel', 'SELECT period_id FROM spm.parcel_query WHERE false'), 0::bigint, 'no rows are no trouble');
SELECT is(spm._append('spm.parcel', 'SELECT p.period_id, ''again '' || p.parcel_id AS label FROM spm.parcel p'), 2500::bigint, 'a query sees what was there before, and not what it appends');

CREATE FUNCTION pg_temp.refused(relation regclass, query text) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM spm._append(relation, query);
    RETURN 'appended';
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END
$$;
SELECT is(pg_temp.refused('spm.parcel', call), message, what)
FROM (VALUES
    ('a check that fails', 'SELECT 1 AS period_id, -1.0 AS weight', '23514 new row for relation "parcel" violates check constraint "parcel_weight_check"'),
    ('a NULL where none may be', 'SELECT NULL::int AS period_id', '23502 null value in column "period_id" of relation "parcel" violates not-null constraint'),
    ('a key that is there', 'SELECT 3 AS period_id, ''label 10'' AS label', '23505 duplicate key value violates unique constraint "parcel_period_id_label_key"'),
    ('a key that the query has twice', 'SELECT 3 AS period_id, ''twin'' AS label FROM generate_series(1, 2)', '23505 duplicate key value violates unique constraint "parcel_period_id_label_key"'),
    ('another type', 'SELECT 1::bigint AS period_id', '42804 column "period_id" of "parcel" is of type integer, but the query gives bigint'),
    ('a column that is not there', 'SELECT 1 AS period_id, 2 AS colour', '42703 the query gives columns that "parcel" does not have'),
    ('what is no query', 'DELETE FROM spm.parcel', '42601 only the rows of a SELECT can be appended'),
    ('an error in a row', 'SELECT 1 / (2000 - i) AS period_id FROM generate_series(1, 2500) i', '22012 division by zero')) AS t (what, call, message);
SELECT is((SELECT count(*) FROM spm.parcel), 5000::bigint, 'what is refused leaves nothing behind');
SELECT is(pg_temp.refused('spm.standing_credit', 'SELECT 1'), '42809 "standing_credit" is not a table', 'views take no rows');

-- a part of a table takes the rows that belong there
CREATE TABLE spm.whole (period_id int, label text) PARTITION BY LIST (period_id);
CREATE TABLE spm.part PARTITION OF spm.whole FOR VALUES IN (1);
SELECT is(spm._append('spm.part', 'SELECT 1 AS period_id, ''x'' AS label'), 1::bigint, 'a row goes into its part');
SELECT is(pg_temp.refused('spm.part', 'SELECT 2 AS period_id'), '23514 new row for relation "part" violates partition constraint', 'and into no other');
SELECT is(pg_temp.refused('spm.whole', 'SELECT 1 AS period_id'), '42809 "whole" is not a table', 'a part has to be named');

-- rights are those of the whole; policies that hide rows are not passed by
CREATE ROLE packer;
GRANT USAGE ON SCHEMA spm TO packer;
GRANT EXECUTE ON FUNCTION spm._append TO packer;
SET LOCAL ROLE packer;
SELECT is(pg_temp.refused('spm.part', 'SELECT 1 AS period_id'), '42501 permission denied for table whole', 'who may not insert may not append');
RESET ROLE;
GRANT INSERT ON spm.whole TO packer;
SET LOCAL ROLE packer;
SELECT is(pg_temp.refused('spm.part', 'SELECT 1 AS period_id'), 'appended', 'who may insert may');
RESET ROLE;
ALTER TABLE spm.whole ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE packer;
SELECT is(pg_temp.refused('spm.part', 'SELECT 1 AS period_id'), '42501 new row violates row-level security policy for table "whole"', 'row-level security is obeyed');
RESET ROLE;
CREATE POLICY few ON spm.whole FOR INSERT WITH CHECK (label = 'few');
SET LOCAL ROLE packer;
SELECT is(pg_temp.refused('spm.part', 'SELECT 1 AS period_id, ''many'' AS label'), '42501 new row violates row-level security policy for table "whole"', 'row by row');
SELECT is(spm._append('spm.part', 'SELECT 1 AS period_id, ''few'' AS label FROM generate_series(1, 3)'), 3::bigint, 'and lets in what it lets in');
RESET ROLE;
ALTER TABLE spm.whole DISABLE ROW LEVEL SECURITY;

-- what somebody has added to the tables
CREATE TABLE spm.seen (label text);
CREATE FUNCTION pg_temp.see() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO spm.seen VALUES (NEW.label);
    RETURN NEW;
END
$$;
CREATE TRIGGER see AFTER INSERT ON spm.whole FOR EACH ROW EXECUTE FUNCTION pg_temp.see();
SELECT is(spm._append('spm.part', 'SELECT i::text AS label, 1 AS period_id FROM generate_series(1, 3) i'), 3::bigint, 'rows for a trigger of somebody''s');
SELECT results_eq('SELECT label FROM spm.seen ORDER BY 1', 'VALUES (''1''), (''2''), (''3'')', 'which sees them');
ALTER TABLE spm.whole DISABLE TRIGGER see;
SELECT is(spm._append('spm.part', 'SELECT ''4'' AS label, 1 AS period_id'), 1::bigint, 'and does not,');
SELECT is((SELECT count(*) FROM spm.seen), 3::bigint, 'once it is disabled');
ALTER TABLE spm.parcel ADD COLUMN double numeric GENERATED ALWAYS AS (weight * 2) STORED;
SELECT is(spm._append('spm.parcel', 'SELECT 8 AS period_id, i::numeric AS weight FROM generate_series(1, 1500) i'), 1500::bigint, 'a generated column');
SELECT results_eq('SELECT count(double), sum(double) FROM spm.parcel WHERE period_id = 8', 'VALUES (1500::bigint, 1500 * 1501::numeric)', 'is what it says');

SELECT finish();
ROLLBACK;
