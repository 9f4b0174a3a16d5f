-- Designs of territories: balance, one piece, locks, families, rebalancing, publishing.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = error;
SELECT no_plan();

-- A town of 12 by 12 blocks, a kilometre or so apart; the two in the middle are a family.
CREATE TABLE public.block AS
SELECT format('%s-%s', to_char(y, 'FM00'), to_char(x, 'FM00')) AS block_id, x, y, 40 + y * 0.01 AS lat, -74 + x * 0.01 AS lon,
       10 + (x * 7 + y * 3) % 5 AS work, 100 + (x * 5 + y * 11) % 17 AS potential, CASE WHEN (x, y) IN ((5, 5), (6, 5)) THEN 'twins' END AS family
FROM generate_series(0, 11) x, generate_series(0, 11) y;
CREATE TABLE public.block_border AS
SELECT a.block_id AS a, b.block_id AS b FROM public.block a JOIN public.block b ON (b.x, b.y) IN ((a.x + 1, a.y), (a.x, a.y + 1));
SELECT spm.add_territory_model('town', 'public.block', key => 'block_id'), spm.add_territory_design('town', '{work,potential}', '{0.05,0.08}', model => 'town') \g /dev/null

-- what makes no sense is refused
SELECT throws_ok($$SELECT * FROM spm.solve_design('twon')$$, '42704', 'territory design "twon" does not exist', 'an unknown design is refused');
SELECT throws_ok($$SELECT * FROM spm.solve_design('town')$$, '55000', 'design "town" has no units', 'so is one without units');
SELECT is(spm.load_design_units('town', 'public.block', 'block_id', 'lat', 'lon', family => 'family'), 144::bigint, 'units are loaded by naming columns');
SELECT throws_ok($$SELECT * FROM spm.solve_design('town')$$, '55000', 'design "town" has no seats', 'no seats are refused');
SELECT spm.add_design_seats('town', 4) \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.solve_design('town')$$, '55000', 'design "town" does not know which units touch', 'one piece cannot be asked for without borders');
SELECT is(spm.load_design_borders('town', 'public.block_border', 'a', 'b'), 264::bigint, 'borders are loaded');
SELECT throws_ok($$SELECT spm.add_territory_design('town', '{work}')$$, '42710', 'territory design "town" already exists', 'a name that is taken is refused');
SELECT throws_ok($$SELECT spm.add_territory_design('x', '{work}', '{-1}')$$, '22023', 'each activity has a tolerance from 0 to 1', 'a negative tolerance is refused');
SELECT throws_ok($$SELECT spm.add_territory_design('x', '{work}', '{5}')$$, '22023', 'each activity has a tolerance from 0 to 1', 'so is one in percent');
SELECT throws_ok($$SELECT spm.add_design_seat('town', 'x', capacities => '{0}')$$, '22023', 'seat "x" has a capacity above 0 for each activity, not {0,0}', 'so is a seat without capacity');
CREATE TABLE public.odd AS SELECT block_id, lat, lon, CASE WHEN block_id = '03-04' THEN -1 ELSE work END AS work, potential FROM public.block;
SELECT throws_ok($$SELECT spm.load_design_units('town', 'public.odd', 'block_id', 'lat', 'lon')$$, '22023', 'unit "03-04" has -1 of work', 'a negative load is refused by name');
UPDATE public.odd SET work = CASE WHEN block_id = '03-05' THEN 1000 ELSE 10 END;
SELECT spm.copy_design('town', 'odd') \g /dev/null
SELECT spm.load_design_units('odd', 'public.odd', 'block_id', 'lat', 'lon') \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.solve_design('odd')$$, '22023', 'unit "03-05" alone is more work than any of its seats may carry', 'what cannot be balanced is refused by name');
DELETE FROM spm.territory_design_border WHERE '00-00' IN (unit_key, other_key) AND territory_design_id = (SELECT territory_design_id FROM spm.territory_design WHERE name = 'odd');
SELECT spm.load_design_units('odd', 'public.block', 'block_id', 'lat', 'lon') \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.solve_design('odd')$$, '22023', 'unit "00-01" is not connected with the others', 'so is a unit that nothing connects');
SELECT is(spm.connect_design('odd'), 1::bigint, 'one bridge connects it');
SELECT is((SELECT unit_key || ' ' || other_key FROM spm.territory_design_border WHERE origin = 'bridge'), '00-00 00-01', 'and it is the shortest');
SELECT throws_ok($$SELECT * FROM spm.solve_design('town', moves => 0)$$, '22023', 'a plan cannot be made with moves 0, seed 1, disruption 0, move_limit NULL', 'a budget of nothing is refused');
SELECT throws_ok($$SELECT * FROM spm.solve_design('town', moves => 9223372036854775807)$$, '22023', 'a plan cannot be made with moves 9223372036854775807, seed 1, disruption 0, move_limit NULL', 'so is one without end');

-- a fresh plan
SELECT results_eq($$SELECT is_balanced, is_contiguous, worst_deviation <= 0.08, gap BETWEEN -0.000001 AND 0.03, moved_value FROM spm.solve_design('town', moves => 300000)$$,
    $$VALUES (true, true, true, true, 0::numeric)$$, 'a fresh plan is balanced, in one piece each, and proven to be within 3 percent of the best for its homes');
CREATE FUNCTION pg_temp.pieces(design text) RETURNS bigint LANGUAGE sql AS $$
    -- each seat's units that can be reached from its first one by borders
    WITH RECURSIVE u AS (SELECT * FROM spm_bi.territory_design_unit WHERE design_name = design),
    reached AS (
        SELECT min(unit_key) AS unit_key, planned_seat_key FROM u GROUP BY planned_seat_key
        UNION
        SELECT n.unit_key, r.planned_seat_key FROM reached r JOIN public.block_border b ON r.unit_key IN (b.a, b.b)
        JOIN u n ON n.unit_key IN (b.a, b.b) AND n.planned_seat_key = r.planned_seat_key)
    SELECT (SELECT count(*) FROM u) - (SELECT count(*) FROM reached)
$$;
SELECT is(pg_temp.pieces('town'), 0::bigint, 'as plain SQL finds by walking the borders');
SELECT results_eq($$SELECT seat_key, activity, is_within FROM spm_bi.territory_design_load WHERE design_name = 'town' ORDER BY 1, 2$$,
    $$SELECT s, a, true FROM unnest('{T1,T2,T3,T4}'::text[]) s, unnest('{potential,work}'::text[]) a ORDER BY 1, 2$$, 'both activities of all seats are within their tolerances');
SELECT results_eq($$SELECT sum(load)::numeric(38,6), sum(target)::numeric(38,6) FROM spm_bi.territory_design_load WHERE design_name = 'town' AND activity = 'work'$$,
    $$SELECT sum(work)::numeric(38,6), sum(work)::numeric(38,6) FROM public.block$$, 'loads and targets add up to what there is');
SELECT is((SELECT count(DISTINCT planned_seat_key) FROM spm_bi.territory_design_unit WHERE design_name = 'town' AND family_key = 'twins'), 1::bigint, 'a family is kept together');
CREATE TEMP TABLE first AS SELECT unit_key, planned_seat_key, distance FROM spm_bi.territory_design_unit WHERE design_name = 'town';
SELECT spm.solve_design('town', moves => 300000) \g /dev/null
SELECT results_eq($$SELECT unit_key, planned_seat_key, distance FROM spm_bi.territory_design_unit WHERE design_name = 'town' ORDER BY 1$$, $$SELECT * FROM first ORDER BY 1$$,
    'the same seed and moves make the same plan');

-- people know better
SELECT is(spm.place_design_units('town', '{00-00,00-01}', 'T3'), 2::bigint, 'units are placed by hand');
SELECT spm.set_design_distance('town', '11-11', s) FROM unnest('{T1,T2,T3}'::text[]) s \g /dev/null
SELECT spm.solve_design('town', moves => 300000) \g /dev/null
SELECT results_eq($$SELECT unit_key, planned_seat_key FROM spm_bi.territory_design_unit WHERE design_name = 'town' AND unit_key IN ('00-00', '00-01', '11-11') ORDER BY 1$$,
    $$VALUES ('00-00', 'T3'), ('00-01', 'T3'), ('11-11', 'T4')$$, 'what is locked stays, and what is barred from all other seats goes to the last');
SELECT is((SELECT is_balanced AND is_contiguous FROM spm_bi.territory_design WHERE design_name = 'town'), true, 'and the rest is balanced around it');

-- an account between, half a seller more
SELECT spm.copy_design('town', 'half'), spm.add_design_seat('half', 'T5', capacities => '{0.5}') \g /dev/null
SELECT results_eq($$SELECT is_balanced, is_contiguous, moved_value > 0 FROM spm.rebalance_design('half', moves => 300000)$$, $$VALUES (true, true, true)$$, 'a seat more gets its share from the others');
SELECT is((SELECT round(target) FROM spm_bi.territory_design_load WHERE design_name = 'half' AND seat_key = 'T5' AND activity = 'work'), (SELECT round(sum(work) / 9.0) FROM public.block),
    'which is half of theirs');

-- a seat less: little changes hands
SELECT spm.copy_design('town', 'three'), spm.lock_design_units('three', '{00-00,00-01}', false), spm.close_design_seat('three', 'T2') \g /dev/null
CREATE TEMP TABLE kept AS SELECT moved_value, is_balanced AND is_contiguous AS is_good FROM spm.rebalance_design('three', moves => 300000);
SELECT is(is_good, true, 'without a seat the others are balanced again') FROM kept;
SELECT is((SELECT unit_count FROM spm_bi.territory_design_seat WHERE design_name = 'three' AND seat_key = 'T2'), 0::bigint, 'and the closed one has nothing');
SELECT ok(k.moved_value < f.moved_value, 'less changes hands than in a fresh plan') FROM kept k, spm.solve_design('three', moves => 300000) f;
SELECT results_eq($$SELECT count(*), sum(value) FROM spm_bi.territory_design_unit u WHERE design_name = 'three' AND planned_seat_key <> (SELECT t.planned_seat_key FROM spm_bi.territory_design_unit t
    WHERE t.design_name = 'town' AND t.unit_key = u.unit_key)$$, $$SELECT count(*), sum(value)::numeric FROM spm.compare_designs('town', 'three')$$, 'comparing two designs lists what differs');
SELECT results_eq($$SELECT r.moved_value <= 520 FROM spm.rebalance_design('three', move_limit => 520, moves => 100000) r$$, $$VALUES (true)$$, 'no more changes hands than the limit');
-- refused: what must move is more
SELECT throws_ok($$SELECT * FROM spm.rebalance_design('three', move_limit => 10)$$, '22023', 'more must change hands than the limit allows', 'a limit below what a closed seat has is refused');

-- published, unless it is out of date or unbalanced: refused
SELECT spm.lock_design_units('town', '{00-01}', false) \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.publish_design('town', since => '2027-01-01')$$, '55000', 'the plan of design "town" is out of date', 'a plan from before a lock was taken off is refused');
SELECT spm.lock_design_units('town', '{00-01}') \g /dev/null
SELECT spm.copy_design('town', 'stale') \g /dev/null
SELECT spm.solve_design('stale', moves => 100000) \g /dev/null
CREATE FUNCTION pg_temp.is_stale(change text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN       -- the change is taken back
    EXECUTE change;
    PERFORM spm.publish_design('stale', since => '2027-01-01', unbalanced => true, dry_run => true);
    RAISE SQLSTATE 'SPM01';
EXCEPTION WHEN SQLSTATE 'SPM01' THEN RETURN false;
    WHEN object_not_in_prerequisite_state THEN RETURN SQLERRM = 'the plan of design "stale" is out of date';
END
$$;
SELECT is(pg_temp.is_stale(change), is_stale, format('%s: %s', what, CASE WHEN is_stale THEN 'the plan is out of date' ELSE 'the plan is what it was' END))
FROM (VALUES ('nothing', 'SELECT 1', false), ('units loaded again', $$SELECT spm.load_design_units('stale', 'public.block', 'block_id', 'lat', 'lon', family => 'family') FROM (SELECT
            spm.lock_design_units('stale', '{00-00,00-01}', false)) l$$, true),
    ('a closed seat', $$SELECT spm.close_design_seat('stale', 'T2')$$, true), ('another size', $$SELECT spm.add_design_seat('stale', 'T2', capacities => '{2}')$$, true),
    ('a seat more', $$SELECT spm.add_design_seat('stale', 'T9')$$, true), ('other borders', $$SELECT spm.find_design_borders('stale')$$, true),
    ('the same borders', $$SELECT spm.load_design_borders('stale', 'public.block_border', 'b', 'a')$$, false),
    ('a pair barred', $$SELECT spm.set_design_distance('stale', '00-05', 'T1')$$, true),
    ('another load', $$UPDATE spm.territory_design_unit SET activities = '{11,100}' WHERE unit_key = '00-05'$$, true),
    ('other tolerances', $$UPDATE spm.territory_design SET tolerances = '{0.1,0.1}'$$, true)) c(what, change, is_stale);
SELECT spm.copy_design('town', 'rough') \g /dev/null
UPDATE spm.territory_design SET tolerances = '{0,0}' WHERE name = 'rough';
SELECT spm.solve_design('rough', moves => 1000) \g /dev/null
SELECT throws_ok($$SELECT * FROM spm.publish_design('rough', since => '2027-01-01')$$, '55000', 'the plan of design "rough" is not balanced', 'a plan that is not balanced is refused');
SELECT is((SELECT sum(account_count) FROM spm.publish_design('rough', since => '2027-01-01', unbalanced => true, dry_run => true)), 144::numeric, 'unless that is said');
SELECT spm.add_position('T1', 'Seat 1'), spm.add_position('T9', 'Seat 9') \g /dev/null
SELECT results_eq($$SELECT outcome, account_count FROM spm.publish_design('town', since => '2027-01-01')$$, $$VALUES ('gained', 144::bigint)$$, 'a plan is published as assignments');
SELECT results_eq($$SELECT t.territory_key, count(*) FROM spm.territory_assignment a JOIN spm.territory t USING (territory_id) WHERE a.origin = 'design' AND a.span = '[2027-01-01,)' GROUP BY 1 ORDER BY 1$$,
    $$SELECT seat_key, unit_count FROM spm_bi.territory_design_seat WHERE design_name = 'town' ORDER BY 1$$, 'of the territories of its seats, from that day on');
SELECT results_eq($$SELECT outcome, account_count FROM spm.publish_design('town', since => '2027-01-01')$$, $$VALUES ('kept', 144::bigint)$$, 'publishing again changes nothing');
SELECT results_eq($$SELECT t.territory_key, p.position_key, h.role, h.share, h.span FROM spm.territory_holder h JOIN spm.territory t USING (territory_id) JOIN spm.position p USING (position_id)$$,
    $$VALUES ('T1', 'T1', 'owner', 1::numeric, '[2027-01-01,)'::daterange)$$, 'a position with the key of a seat holds its territory from that day, once');
SELECT is((SELECT sum(account_count) FROM spm.publish_design('three', since => '2027-07-01') WHERE outcome = 'moved'), (SELECT moved_count::numeric FROM spm_bi.territory_design WHERE design_name = 'three'),
    'another plan moves what it says');
SELECT results_eq($$SELECT outcome, account_count FROM spm.publish_design('three', since => '2027-07-01', locked => true)$$, $$VALUES ('kept', 144::bigint)$$, 'a plan can be locked');
SELECT results_eq($$SELECT outcome, account_count FROM spm.publish_design('town', since => '2027-10-01')$$, $$VALUES ('locked', 144::bigint)$$, 'then nothing else moves it');
SELECT is((SELECT bool_and(is_locked) FROM spm.territory_assignment a JOIN spm.territory_model m USING (territory_model_id) WHERE m.name = 'town' AND a.span @> '2027-07-01'::date), true, 'account by account');

-- borders from points
SELECT spm.add_territory_design('near', '{work}'), spm.load_design_units('near', 'public.block', 'block_id', 'lat', 'lon'), spm.add_design_seats('near', 3) \g /dev/null
SELECT ok(spm.find_design_borders('near', 4) >= 264, 'units that are near are taken as touching');
SELECT results_eq($$SELECT is_balanced, is_contiguous FROM spm.solve_design('near', moves => 100000)$$, $$VALUES (true, true)$$, 'and make territories in one piece');
SELECT matches(spm.design_svg('near'), '^<svg .*</svg>$', 'which can be drawn');
SELECT is(regexp_count(spm.design_svg('near'), 'h0'), 144, 'with a dot for every unit');
SELECT * FROM finish();
ROLLBACK;
