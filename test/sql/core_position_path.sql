\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(19);

-- The closure from its definition: walk up every line, day spans cut on the way.
CREATE VIEW pg_temp.expected_path AS
WITH RECURSIVE up AS (
    SELECT position_id, manager_position_id AS ancestor_position_id, 1 AS depth, span FROM spm.reporting_line
    UNION ALL
    SELECT up.position_id, l.manager_position_id, up.depth + 1, up.span * l.span
    FROM up JOIN spm.reporting_line l ON l.position_id = up.ancestor_position_id AND l.span && up.span
)
SELECT position_id, ancestor_position_id, depth::smallint, span FROM up;
CREATE FUNCTION pg_temp.difference() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        (TABLE spm.position_path EXCEPT ALL TABLE pg_temp.expected_path) UNION ALL
        (TABLE pg_temp.expected_path EXCEPT ALL TABLE spm.position_path)) AS d
$$;
CREATE FUNCTION pg_temp.path(of text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT a.position_key || ' ' || x.depth || ' ' || x.span
    FROM spm.position_path x JOIN spm.position p USING (position_id) JOIN spm.position a ON a.position_id = x.ancestor_position_id
    WHERE p.position_key = $1 ORDER BY x.span, x.depth
$$;

SELECT count(spm.add_position(k, k)) FROM unnest('{a,b,c,d}'::text[]) AS k;
SELECT spm.set_manager('d', 'c', '-infinity');
SELECT spm.set_manager('c', 'b', '2026-01-01');
SELECT spm.set_manager('b', 'a', '2026-02-01');
SELECT results_eq($$SELECT * FROM pg_temp.path('d')$$, ARRAY['c 1 (,)', 'b 2 [2026-01-01,)', 'a 3 [2026-02-01,)'],
    'a seat is below all above it, on the days on which every line between them holds');
SELECT spm.set_manager('c', 'a', '2026-03-01');
SELECT results_eq($$SELECT * FROM pg_temp.path('d')$$,
    ARRAY['c 1 (,)', 'b 2 [2026-01-01,2026-03-01)', 'a 3 [2026-02-01,2026-03-01)', 'a 2 [2026-03-01,)'],
    'when a seat moves, everything below it moves along');

-- Circles
SELECT throws_ok($$SELECT spm.set_manager('a', 'd', '2026-04-01')$$, '23514', 'positions would report to each other in a circle',
    'a circle is refused');
SELECT throws_ok($$SELECT spm.set_manager('a', 'd', '2026-02-15', until => '2026-02-16')$$, '23514', 'positions would report to each other in a circle',
    'even of one day');
CREATE FUNCTION pg_temp.circle(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
    RETURN said;
END $$;
SELECT is(pg_temp.circle($$SELECT spm.set_manager('a', 'd', '2026-02-15', until => '2026-02-16')$$),
    'a reports to d reports to c reports to b reports to a on 2026-02-15.', 'and named with its first day');
SELECT is(pg_temp.circle($$INSERT INTO spm.reporting_line (position_id, manager_position_id, span)
        SELECT x.position_id, y.position_id, '(,2020-01-01)' FROM spm.position x, spm.position y
        WHERE (x.position_key, y.position_key) IN (('a', 'b'), ('b', 'a'))$$),
    'a reports to b reports to a on 2019-12-31.', 'as is one that a single statement would close');
SELECT lives_ok($$SELECT spm.set_manager('a', 'd', '2025-06-01', until => '2025-07-01')$$, 'on days without the other lines the same line is none');
SELECT lives_ok($$UPDATE spm.reporting_line l SET position_id = manager_position_id, manager_position_id = position_id
        WHERE position_id = (SELECT position_id FROM spm.position WHERE position_key = 'b')$$, 'two seats can change places in one statement');
SELECT is(pg_temp.difference(), 0::bigint, 'and the paths are those of the lines');
DELETE FROM spm.reporting_line WHERE position_id = (SELECT position_id FROM spm.position WHERE position_key = 'd');
SELECT is(pg_temp.difference(), 0::bigint, 'also after lines were deleted');
TRUNCATE spm.reporting_line;
SELECT is_empty($$SELECT 1 FROM spm.position_path$$, 'without lines there are no paths');

-- Edits at random, always compared with the definition
CREATE FUNCTION pg_temp.edit(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    refused int := 0;
    different int := 0;
    day date;
BEGIN
    PERFORM setseed(0.5);
    FOR i IN 1..n LOOP
        day := '2026-01-01'::date + (random() * 60)::int;
        BEGIN
            CASE (random() * 6)::int
                WHEN 0 THEN
                    DELETE FROM spm.reporting_line WHERE reporting_line_id = (
                        SELECT reporting_line_id FROM spm.reporting_line ORDER BY random() LIMIT 1);
                WHEN 1 THEN
                    UPDATE spm.reporting_line SET manager_position_id = (SELECT position_id FROM spm.position ORDER BY random() LIMIT 1)
                    WHERE reporting_line_id IN (SELECT reporting_line_id FROM spm.reporting_line ORDER BY random() LIMIT 3);
                WHEN 2 THEN
                    PERFORM spm.set_manager('r' || (random() * 39)::int, 'r' || (random() * 39)::int, day, until => day + 1 + (random() * 20)::int);
                ELSE
                    PERFORM spm.set_manager('r' || (random() * 39)::int, 'r' || (random() * 39)::int, day);
            END CASE;
        EXCEPTION WHEN check_violation OR exclusion_violation THEN
            refused := refused + 1;
        END;
        different := different + (pg_temp.difference() > 0)::int;
    END LOOP;
    RETURN format('%s edits, %s, %s', n, CASE WHEN refused BETWEEN n / 10 AND n * 9 / 10 THEN 'some refused' ELSE refused || ' refused' END,
        CASE different WHEN 0 THEN 'never different' ELSE different || ' times different' END);
END $$;
SELECT spm.add_position('r' || i, 'r' || i) IS NOT NULL FROM generate_series(0, 39) AS i \g /dev/null
SELECT is(pg_temp.edit(500), '500 edits, some refused, never different', 'after every one of 500 random edits the paths are those of the lines');
SELECT cmp_ok((SELECT max(depth)::int FROM spm.position_path), '>=', 4, 'among them trees of some depth');

-- Size
TRUNCATE spm.reporting_line;
INSERT INTO spm.position (position_key, name) SELECT 'n' || i, 'n' FROM generate_series(1, 20000) AS i;
SELECT lives_ok($$INSERT INTO spm.reporting_line (position_id, manager_position_id, span)
    SELECT p.position_id, m.position_id, '(,)'
    FROM generate_series(2, 20000) AS i
    JOIN spm.position p ON p.position_key = 'n' || i
    JOIN spm.position m ON m.position_key = 'n' || (i + 5) / 6$$, 'the lines of 20,000 seats are loaded in one statement');
SELECT is((SELECT count(*) FROM spm.position_path), 110669::bigint, 'with all their paths');
SELECT lives_ok($$SELECT spm.set_manager('n20000', 'n7', '2026-01-01')$$, 'one of them is changed');
SELECT is((SELECT count(*) FROM spm.position_path p JOIN spm.position USING (position_id) WHERE position_key = 'n20000' AND upper_inf(p.span)),
    (SELECT count(*) + 1 FROM spm.position_path p JOIN spm.position USING (position_id) WHERE position_key = 'n7'), 'with the paths of its new place');

-- When triggers were off
DELETE FROM spm.position_path;
SELECT is(spm.rebuild_position_path(), (SELECT count(*) FROM pg_temp.expected_path), 'the paths can be made anew');
SELECT is(pg_temp.difference(), 0::bigint, 'and are the same');
SELECT * FROM finish();
ROLLBACK;
