/*
 * territory/functions_design_plan.sql: the plan of a design: made, compared,
 * copied and published.
 */

CREATE OR REPLACE FUNCTION spm._refuse_design(it spm.territory_design, status text, unit text, seat text, activity text, moving numeric)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF status = 'too large' THEN
        RAISE EXCEPTION 'unit "%" alone is more % than any of its seats may carry', unit, activity
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It has %s. A seat is to have its share of the total, and at most %s percent more.',
                      (SELECT sum(u.activities[array_position(it.activities, _refuse_design.activity)]) FROM spm.territory_design_unit u
                       WHERE u.territory_design_id = it.territory_design_id AND u.family_key = _refuse_design.unit),
                      trim_scale(100 * it.tolerances[array_position(it.activities, _refuse_design.activity)])),
                  HINT = 'Split it, allow a larger tolerance, or have fewer seats.';
    ELSIF status = 'barred' THEN
        RAISE EXCEPTION 'unit "%" may go to no seat', unit
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'All pairs with it are barred, or it is locked to a seat from which it is barred.',
                  HINT = format('SELECT spm.set_design_distance(%L, %L, seat, kilometres); allows a pair again.', it.name, unit);
    ELSIF status = 'locked' THEN
        RAISE EXCEPTION 'what is locked to seat "%" is more % than it may carry', seat, activity
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Let some of it go: SELECT spm.lock_design_units(%L, ''{...}'', locked => false); or allow a larger tolerance.', it.name);
    ELSIF status = 'few' THEN
        RAISE EXCEPTION 'design "%" has fewer units than seats', it.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Each seat needs a unit: take smaller units, or close seats with spm.close_design_seat().';
    ELSIF status = 'apart' THEN
        RAISE EXCEPTION 'unit "%" is not connected with the others', unit
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'No chain of borders leads to it from the first unit, so not all territories can be in one piece.',
                  HINT = format('Connect what lies apart by the shortest ways: SELECT spm.connect_design(%L);', it.name);
    ELSIF status = 'limit' THEN
        RAISE EXCEPTION 'more must change hands than the limit allows'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Closed and barred seats, and families that are apart, alone move %s.', trim_scale(moving)),
                  HINT = 'Raise the limit: move_limit => ...';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._refuse_design(spm.territory_design, text, text, text, text, numeric) IS 'Error 22023 in words for a status of spm._design().';
REVOKE ALL ON FUNCTION spm._refuse_design(spm.territory_design, text, text, text, text, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_design(it spm.territory_design)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id) THEN
        RAISE EXCEPTION 'design "%" has no units', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Load them: SELECT spm.load_design_units(%L, ''crm.account'', ...);', it.name);
    ELSIF NOT EXISTS (SELECT FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id AND NOT s.is_closed) THEN
        RAISE EXCEPTION 'design "%" has no seats', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Add some: SELECT spm.add_design_seats(%L, 20);', it.name);
    ELSIF it.is_contiguous AND NOT EXISTS (SELECT FROM spm.territory_design_border b WHERE b.territory_design_id = it.territory_design_id)
            AND (SELECT count(*) FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id) > 1 THEN
        RAISE EXCEPTION 'design "%" does not know which units touch', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Its territories are to be in one piece.',
                  HINT = format('Load the borders: SELECT spm.load_design_borders(%L, ...); or take those that are near: SELECT spm.find_design_borders(%L);', it.name, it.name);
    END IF;
    SELECT a.name INTO wrong FROM unnest(it.activities) WITH ORDINALITY a(name, k)
    WHERE NOT EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id AND u.activities[a.k] > 0) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no unit of design "%" has any %', it.name, wrong.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'What nobody has cannot be balanced: load units with it, or make a design without it.';
    END IF;
    SELECT u.family_key, min(u.unit_key) FILTER (WHERE s.is_closed) AS closed, min(u.seat_key) AS seat, max(u.seat_key) AS other INTO wrong
    FROM spm.territory_design_unit u JOIN spm.territory_design_seat s USING (territory_design_id, seat_key)
    WHERE u.territory_design_id = it.territory_design_id AND u.is_locked
    GROUP BY u.family_key HAVING count(DISTINCT u.seat_key) > 1 OR bool_or(s.is_closed) ORDER BY u.family_key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', CASE WHEN wrong.closed IS NOT NULL THEN format('unit "%s" is locked to a closed seat', wrong.closed)
                             ELSE format('family "%s" is locked to two seats', wrong.family_key) END
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Seats: %s.', concat_ws(', ', wrong.seat, nullif(wrong.other, wrong.seat))),
                  HINT = format('Let it go: SELECT spm.lock_design_units(%L, ''{...}'', locked => false);', it.name);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_design(spm.territory_design) IS 'Error 55000 for a design without units, seats or borders, 22023 for loads of nothing and locks that cannot hold.';
REVOKE ALL ON FUNCTION spm._check_design(spm.territory_design) FROM PUBLIC;

-- A sum, so that neither order nor size matters.
CREATE OR REPLACE FUNCTION spm._design_digest(it spm.territory_design)
    RETURNS text
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH input AS (
        SELECT row('design', it.activities, it.tolerances, it.is_contiguous)::text AS line
        UNION ALL
        SELECT row('seat', s.seat_key, s.capacities, s.latitude, s.longitude, s.is_closed)::text
        FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id
        UNION ALL
        SELECT row('unit', u.unit_key, u.latitude, u.longitude, u.activities, u.weight, u.value, u.family_key, u.seat_key, u.is_locked)::text
        FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id
        UNION ALL
        SELECT row('border', b.unit_key, b.other_key)::text
        FROM spm.territory_design_border b WHERE b.territory_design_id = it.territory_design_id
        UNION ALL
        SELECT row('pair', p.unit_key, p.seat_key, p.distance)::text
        FROM spm.territory_design_pair p WHERE p.territory_design_id = it.territory_design_id
    )
    SELECT concat_ws('/', count(*), sum(('x' || left(md5(i.line), 16))::bit(64)::bigint), sum(('x' || right(md5(i.line), 16))::bit(64)::bigint)) FROM input i;
END;
COMMENT ON FUNCTION spm._design_digest(spm.territory_design) IS 'Digest of all that a plan is made from: options, seats, units, borders and pairs.';
REVOKE ALL ON FUNCTION spm._design_digest(spm.territory_design) FROM PUBLIC;

-- Families are the kernel's units.  Everything is put in the order of keys by
-- bytes, so that the plan does not hang on how rows lie.
CREATE OR REPLACE FUNCTION spm._plan_design(it spm.territory_design, keep boolean, disruption numeric, move_limit numeric, moves bigint, seed bigint)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    SET jit = off
AS $$
DECLARE
    seat record;
    unit record;
    border record;
    pair record;
    plan record;
    width int := cardinality(it.activities);
    targets double precision[];
    moving numeric;
BEGIN
    PERFORM spm._check_design(it);
    SELECT array_agg(s.seat_key ORDER BY s.seat_key COLLATE "C") AS keys,
           array_agg(coalesce(s.latitude, 'NaN')::double precision ORDER BY s.seat_key COLLATE "C") AS latitudes,
           array_agg(coalesce(s.longitude, 'NaN')::double precision ORDER BY s.seat_key COLLATE "C") AS longitudes
    INTO seat
    FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id AND NOT s.is_closed;
    SELECT array_agg((t.total * c.size / c.total)::double precision ORDER BY c.seat_key COLLATE "C", c.k) INTO targets
    FROM (SELECT s.seat_key, c.k, c.size, sum(c.size) OVER (PARTITION BY c.k) AS total
          FROM spm.territory_design_seat s, unnest(s.capacities) WITH ORDINALITY c(size, k)
          WHERE s.territory_design_id = it.territory_design_id AND NOT s.is_closed) c
    JOIN (SELECT a.k, sum(a.load) AS total FROM spm.territory_design_unit u, unnest(u.activities) WITH ORDINALITY a(load, k)
          WHERE u.territory_design_id = it.territory_design_id GROUP BY a.k) t USING (k);

    DROP TABLE IF EXISTS pg_temp.spm_family;
    CREATE TEMP TABLE spm_family ON COMMIT DROP AS
    WITH member AS (
        SELECT u.*, array_position(seat.keys, u.seat_key) AS n,
               row_number() OVER (PARTITION BY u.family_key ORDER BY u.weight DESC, u.unit_key COLLATE "C") = 1 AS is_head
        FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id
    ), held AS (        -- the seat that has most of a family, or all that is locked
        SELECT DISTINCT ON (m.family_key) m.family_key, m.n, sum(m.value) AS value, bool_or(m.is_locked) AS is_locked
        FROM member m WHERE m.n IS NOT NULL
        GROUP BY m.family_key, m.n ORDER BY m.family_key, bool_or(m.is_locked) DESC, sum(m.value) DESC, m.n
    )
    SELECT m.family_key, (row_number() OVER (ORDER BY m.family_key COLLATE "C"))::int AS i, m.latitude, m.longitude, t.weight, coalesce(h.value, 0) AS value,
           coalesce(h.n, 0) AS n, coalesce(h.is_locked, false) AS is_locked, t.held - coalesce(h.value, 0) AS moving
    FROM member m
    JOIN (SELECT m.family_key, sum(m.weight) AS weight, coalesce(sum(m.value) FILTER (WHERE m.seat_key IS NOT NULL), 0) AS held FROM member m GROUP BY m.family_key) t USING (family_key)
    LEFT JOIN held h USING (family_key)
    WHERE m.is_head;
    ANALYZE pg_temp.spm_family;
    SELECT array_agg(f.latitude::double precision ORDER BY f.i) AS latitudes, array_agg(f.longitude::double precision ORDER BY f.i) AS longitudes,
           array_agg(f.weight::double precision ORDER BY f.i) AS weights, array_agg(f.value::double precision ORDER BY f.i) AS worth,
           array_agg(f.n ORDER BY f.i) AS seats, array_agg(f.is_locked ORDER BY f.i) AS locked, array_agg(f.family_key ORDER BY f.i) AS keys, sum(f.moving) AS moving,
           (SELECT array_agg(l.load::double precision ORDER BY l.i, l.k)
            FROM (SELECT g.i, a.k, sum(a.load) AS load FROM spm.territory_design_unit u JOIN pg_temp.spm_family g USING (family_key),
                      unnest(u.activities) WITH ORDINALITY a(load, k)
                  WHERE u.territory_design_id = it.territory_design_id GROUP BY g.i, a.k) l) AS loads
    INTO unit FROM pg_temp.spm_family f;
    SELECT coalesce(array_agg(e.i ORDER BY b.a, b.b, e.side), '{}') AS pairs INTO border
    FROM (SELECT DISTINCT least(f.i, g.i) AS a, greatest(f.i, g.i) AS b
          FROM spm.territory_design_border b
          JOIN spm.territory_design_unit u ON u.territory_design_id = b.territory_design_id AND u.unit_key = b.unit_key JOIN pg_temp.spm_family f ON f.family_key = u.family_key
          JOIN spm.territory_design_unit v ON v.territory_design_id = b.territory_design_id AND v.unit_key = b.other_key JOIN pg_temp.spm_family g ON g.family_key = v.family_key
          WHERE b.territory_design_id = it.territory_design_id AND f.i <> g.i) b
    CROSS JOIN LATERAL (VALUES (1, b.a), (2, b.b)) e(side, i);
    SELECT coalesce(array_agg(p.i ORDER BY p.i, p.n), '{}') AS units, coalesce(array_agg(p.n ORDER BY p.i, p.n), '{}') AS seats,
           coalesce(array_agg(p.distance::double precision ORDER BY p.i, p.n), '{}') AS distances
    INTO pair
    FROM (SELECT f.i, array_position(seat.keys, p.seat_key) AS n, max(coalesce(p.distance, 'Infinity')) AS distance
          FROM spm.territory_design_pair p JOIN spm.territory_design_unit u USING (territory_design_id, unit_key) JOIN pg_temp.spm_family f USING (family_key)
          WHERE p.territory_design_id = it.territory_design_id AND p.seat_key = ANY (seat.keys) GROUP BY 1, 2) p;

    moving := unit.moving;
    IF _plan_design.move_limit < moving THEN
        PERFORM spm._refuse_design(it, 'limit', NULL, NULL, NULL, moving);
    END IF;
    SELECT d.* INTO plan FROM spm._design(unit.latitudes, unit.longitudes, unit.loads, unit.weights, unit.worth, unit.seats, unit.locked, border.pairs,
        seat.latitudes, seat.longitudes, targets, it.tolerances::double precision[], pair.units, pair.seats, pair.distances,
        it.is_contiguous, _plan_design.keep, coalesce(_plan_design.disruption, 'NaN')::double precision, coalesce((_plan_design.move_limit - moving), 'Infinity')::double precision,
        _plan_design.moves, _plan_design.seed) d;
    IF plan.status <> 'ok' THEN
        PERFORM spm._refuse_design(it, plan.status, unit.keys[plan.place], seat.keys[plan.place], it.activities[plan.activity], moving);
    END IF;

    UPDATE spm.territory_design_seat s SET planned_latitude = p.latitude, planned_longitude = p.longitude
    FROM (SELECT s.seat_key, p.latitude, p.longitude FROM spm.territory_design_seat s
          LEFT JOIN unnest(seat.keys, plan.planned_latitudes, plan.planned_longitudes) p(seat_key, latitude, longitude) USING (seat_key)
          WHERE s.territory_design_id = it.territory_design_id) p
    WHERE s.territory_design_id = it.territory_design_id AND s.seat_key = p.seat_key
        AND (s.planned_latitude, s.planned_longitude) IS DISTINCT FROM (p.latitude::numeric, p.longitude::numeric);
    UPDATE spm.territory_design_unit u SET planned_seat_key = seat.keys[p.n], planned_distance = p.distance
    FROM pg_temp.spm_family f JOIN unnest(plan.planned, plan.distances) WITH ORDINALITY p(n, distance, i) USING (i)
    WHERE u.territory_design_id = it.territory_design_id AND u.family_key = f.family_key
        AND (u.planned_seat_key, u.planned_distance) IS DISTINCT FROM (seat.keys[p.n], p.distance::numeric);
    UPDATE spm.territory_design d SET method = CASE WHEN _plan_design.keep THEN 'rebalance' ELSE 'fresh' END, disruption = plan.used_disruption,
        move_limit = _plan_design.move_limit, moves = _plan_design.moves, seed = _plan_design.seed, cost = plan.cost, bound = plan.bound,
        excess = plan.excess, piece_count = CASE WHEN it.is_contiguous THEN plan.pieces END, planned_at = clock_timestamp(),
        planned_digest = spm._design_digest(it)
    WHERE d.territory_design_id = it.territory_design_id;
    DROP TABLE pg_temp.spm_family;
END
$$;
COMMENT ON FUNCTION spm._plan_design(spm.territory_design, boolean, numeric, numeric, bigint, bigint) IS 'Makes the plan of a design and writes it to the units and seats. keep: begin with the seats that units have now.';
REVOKE ALL ON FUNCTION spm._plan_design(spm.territory_design, boolean, numeric, numeric, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._start_plan(design text, keep boolean, disruption numeric, move_limit numeric, moves bigint, seed bigint)
    RETURNS TABLE (is_balanced boolean, is_contiguous boolean, worst_deviation numeric, mean_distance numeric, moved_value numeric, moved_ratio numeric,
                   cost numeric, bound numeric, gap numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(_start_plan.design);
    worst record;
BEGIN
    IF _start_plan.moves NOT BETWEEN 1 AND 1000000000000 OR _start_plan.seed IS NULL OR _start_plan.disruption < 0 OR _start_plan.disruption IN ('NaN', 'Infinity')
            OR _start_plan.move_limit < 0 OR _start_plan.move_limit IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'a plan cannot be made with moves %, seed %, disruption %, move_limit %', _start_plan.moves, coalesce(_start_plan.seed::text, 'NULL'),
                coalesce(_start_plan.disruption::text, 'NULL'), coalesce(_start_plan.move_limit::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'moves is from 1 to 10^12, seed any number, the others 0 or more or left out.';
    END IF;
    -- one plan at a time
    PERFORM FROM spm.territory_design d WHERE d.territory_design_id = it.territory_design_id FOR UPDATE;
    PERFORM spm._plan_design(it, _start_plan.keep, _start_plan.disruption, _start_plan.move_limit,
        coalesce(_start_plan.moves, (SELECT least(greatest(3000 * count(*), 1000000), 50000000) FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id)),
        _start_plan.seed);
    SELECT l.* INTO worst FROM spm_bi.territory_design_load l WHERE l.design_name = it.name AND NOT l.is_closed ORDER BY abs(l.deviation) - l.tolerance DESC, l.seat_key COLLATE "C", l.activity LIMIT 1;
    IF (SELECT d.excess FROM spm.territory_design d WHERE d.territory_design_id = it.territory_design_id) > 0 THEN
        RAISE WARNING 'no plan of design "%" was found that keeps its conditions', it.name
            USING DETAIL = format('Farthest from its target is %s of seat "%s", by %s percent.', worst.activity, worst.seat_key, round(100 * worst.deviation, 2)),
                  HINT = 'Allow larger tolerances or a higher limit, unlock units, or try more moves or another seed.'
                      || CASE WHEN it.is_contiguous THEN format(' Few borders leave little way: SELECT spm.find_design_borders(%L, neighbours => 12); takes more units as touching.', it.name) ELSE '' END;
    END IF;
    RETURN QUERY
    SELECT d.is_balanced, d.is_contiguous, d.worst_deviation, d.mean_distance, d.moved_value, d.moved_ratio, d.cost, d.bound, d.gap
    FROM spm_bi.territory_design d WHERE d.design_name = it.name;
END
$$;
COMMENT ON FUNCTION spm._start_plan(text, boolean, numeric, numeric, bigint, bigint) IS 'Makes a plan and says how good it is; a warning when it does not keep the conditions.';
REVOKE ALL ON FUNCTION spm._start_plan(text, boolean, numeric, numeric, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.solve_design(design text, moves bigint DEFAULT NULL, seed bigint DEFAULT 1, disruption numeric DEFAULT 0)
    RETURNS TABLE (is_balanced boolean, is_contiguous boolean, worst_deviation numeric, mean_distance numeric, moved_value numeric, moved_ratio numeric,
                   cost numeric, bound numeric, gap numeric)
    LANGUAGE sql
BEGIN ATOMIC
    SELECT * FROM spm._start_plan(solve_design.design, false, coalesce(solve_design.disruption, 0), NULL, solve_design.moves, solve_design.seed);
END;
COMMENT ON FUNCTION spm.solve_design(text, bigint, bigint, numeric) IS
'Makes a fresh plan of a design and returns how good it is. Free seats find their homes; seats of one size get the territories in which most of what they have lies.
design: name; moves: budget, counted in tries, NULL for 3,000 a unit (at most 50 million), spent up to four times where balance is hard to find; seed: another one makes another plan, the same input, seed and moves make the same; disruption: kilometres that it is worth to leave a unit of value where it is.
Returns: is_balanced, is_contiguous: whether its conditions are kept; worst_deviation: farthest load from its target, as a ratio; mean_distance: kilometres by weight; moved_value, moved_ratio: value that changes hands; cost: weight times kilometres, and disruption times value; bound: no balanced plan with the same homes costs less; gap: how far cost is above it, as a ratio.
Errors: 42704 for an unknown design; 55000 without units, seats or borders; 22023 for what cannot be balanced: a unit too large, too much locked, a unit without a seat, parts that are not connected, and so on, each by name. A warning when no plan within the tolerances was found.
Source: balance by prices: Aurenhammer, Hoffmann and Aronov (1998); homes: Weiszfeld (1937), Hess et al. (1965); bound: Held and Karp (1970).
Example: SELECT * FROM spm.solve_design(''2027'');';

CREATE OR REPLACE FUNCTION spm.rebalance_design(design text, move_limit numeric DEFAULT NULL, disruption numeric DEFAULT NULL, moves bigint DEFAULT NULL, seed bigint DEFAULT 1)
    RETURNS TABLE (is_balanced boolean, is_contiguous boolean, worst_deviation numeric, mean_distance numeric, moved_value numeric, moved_ratio numeric,
                   cost numeric, bound numeric, gap numeric)
    LANGUAGE sql
BEGIN ATOMIC
    SELECT * FROM spm._start_plan(rebalance_design.design, true, rebalance_design.disruption, rebalance_design.move_limit, rebalance_design.moves, rebalance_design.seed);
END;
COMMENT ON FUNCTION spm.rebalance_design(text, numeric, numeric, bigint, bigint) IS
'Balances what is with as little changing hands as can be, and returns the same as spm.solve_design(). It begins with the seats that units have now; what closed seats have is divided among the others.
design: name; move_limit: value that may change hands in all, NULL for any: it goes before balance; disruption: kilometres that it is worth to leave a unit of value where it is, NULL for 20 times the mean distance now; moves, seed: as for spm.solve_design().
Errors: those of spm.solve_design(); 22023 when more must change hands than move_limit.
Example: SELECT * FROM spm.rebalance_design(''2027'', move_limit => 500000);';

CREATE OR REPLACE FUNCTION spm.copy_design(design text, name text, from_plan boolean DEFAULT true)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(copy_design.design);
    id int;
BEGIN
    id := spm.add_territory_design(copy_design.name, it.activities, it.tolerances, it.is_contiguous,
        (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = it.territory_model_id));
    INSERT INTO spm.territory_design_seat (territory_design_id, seat_key, capacities, latitude, longitude, is_closed, territory_id)
    SELECT id, s.seat_key, s.capacities, s.latitude, s.longitude, s.is_closed, s.territory_id
    FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id;
    INSERT INTO spm.territory_design_unit (territory_design_id, unit_key, latitude, longitude, activities, weight, value, family_key, seat_key, is_locked)
    SELECT id, u.unit_key, u.latitude, u.longitude, u.activities, u.weight, u.value, u.family_key,
           CASE WHEN copy_design.from_plan THEN coalesce(u.planned_seat_key, u.seat_key) ELSE u.seat_key END, u.is_locked
    FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id;
    INSERT INTO spm.territory_design_border (territory_design_id, unit_key, other_key, origin)
    SELECT id, b.unit_key, b.other_key, b.origin FROM spm.territory_design_border b WHERE b.territory_design_id = it.territory_design_id;
    INSERT INTO spm.territory_design_pair (territory_design_id, unit_key, seat_key, distance)
    SELECT id, p.unit_key, p.seat_key, p.distance FROM spm.territory_design_pair p WHERE p.territory_design_id = it.territory_design_id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.copy_design(text, text, boolean) IS
'Copies a design, to try something else beside it; returns the copy''s territory_design_id.
design: name; name: of the copy; from_plan: whether the plan is what units have now, in the copy.
Errors: 42704 for an unknown design; 42710 when the name is taken; 55000 when its model is archived.
Example: SELECT spm.copy_design(''2027'', ''2027 without two''), spm.close_design_seat(''2027 without two'', ''T07'');';

CREATE OR REPLACE FUNCTION spm._planned(it spm.territory_design)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF it.planned_at IS NULL OR EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id AND u.planned_seat_key IS NULL) THEN
        RAISE EXCEPTION 'design "%" has no plan', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = CASE WHEN it.planned_at IS NOT NULL THEN 'Units were added since.' END,
                  HINT = format('Make one: SELECT * FROM spm.solve_design(%L);', it.name);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._planned(spm.territory_design) IS 'Error 55000 when not all units of a design are planned.';
REVOKE ALL ON FUNCTION spm._planned(spm.territory_design) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.compare_designs(design text, other text)
    RETURNS TABLE (unit_key text, seat_key text, other_seat_key text, value numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    it spm.territory_design := spm._territory_design(compare_designs.design);
    that spm.territory_design := spm._territory_design(compare_designs.other);
BEGIN
    PERFORM spm._planned(it), spm._planned(that);
    RETURN QUERY
    SELECT coalesce(a.unit_key, b.unit_key), a.planned_seat_key, b.planned_seat_key, coalesce(a.value, b.value)
    FROM (SELECT u.* FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id) a
    FULL JOIN (SELECT u.* FROM spm.territory_design_unit u WHERE u.territory_design_id = that.territory_design_id) b ON b.unit_key = a.unit_key
    WHERE a.planned_seat_key IS DISTINCT FROM b.planned_seat_key
    ORDER BY coalesce(a.value, b.value) DESC, coalesce(a.unit_key, b.unit_key) COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.compare_designs(text, text) IS
'Units that two designs plan for different seats, those of the most value first; NULL for a unit that one does not have. How good each is: spm_bi.territory_design.
Errors: 42704 for an unknown design; 55000 for one without a plan.
Example: SELECT count(*), sum(value) FROM spm.compare_designs(''2027'', ''2027 without two'');';

CREATE OR REPLACE FUNCTION spm._check_plan(it spm.territory_design, unbalanced boolean)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    worst record;
BEGIN
    PERFORM spm._planned(it);
    IF it.planned_digest IS DISTINCT FROM spm._design_digest(it) THEN
        RAISE EXCEPTION 'the plan of design "%" is out of date', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Units, seats, borders, distances or options have changed since %s.', it.planned_at),
                  HINT = format('Make it again: SELECT * FROM spm.solve_design(%L); or rebalance it: SELECT * FROM spm.rebalance_design(%L);', it.name, it.name);
    ELSIF it.excess > 0 AND NOT coalesce(_check_plan.unbalanced, false) THEN
        SELECT l.* INTO worst FROM spm_bi.territory_design_load l WHERE l.design_name = it.name AND NOT l.is_closed
        ORDER BY abs(l.deviation) - l.tolerance DESC, l.seat_key COLLATE "C", l.activity LIMIT 1;
        RAISE EXCEPTION 'the plan of design "%" is not balanced', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Farthest from its target is %s of seat "%s", by %s percent.', worst.activity, worst.seat_key, round(100 * worst.deviation, 2)),
                  HINT = 'Make another, or publish it as it is: unbalanced => true.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_plan(spm.territory_design, boolean) IS 'Error 55000 for a plan that is missing, out of date or, unless that is allowed, not balanced.';
REVOKE ALL ON FUNCTION spm._check_plan(spm.territory_design, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.publish_design(design text, since date, until date DEFAULT NULL, unit_column text DEFAULT NULL, dry_run boolean DEFAULT false,
                                              locked boolean DEFAULT false, unbalanced boolean DEFAULT false)
    RETURNS TABLE (outcome text, account_count bigint, potential numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(publish_design.design);
    model text := (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = it.territory_model_id);
    mapped spm.territory_model;
    account text;
    stranger record;
BEGIN
    -- no new plan meanwhile
    SELECT d.* INTO it FROM spm.territory_design d WHERE d.territory_design_id = it.territory_design_id FOR UPDATE;
    PERFORM spm._check_plan(it, publish_design.unbalanced);
    IF model IS NULL THEN
        RAISE EXCEPTION 'design "%" has no territory model', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A design is published to the model that it was added with: spm.add_territory_design(..., model => ...).';
    ELSIF publish_design.since IS NULL OR publish_design.since IN ('-infinity', 'infinity') THEN
        RAISE EXCEPTION 'a design is published from a day on' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it: since => ''2027-01-01''.';
    END IF;
    PERFORM spm._open_territory_model(model), spm._checked_span(publish_design.since, publish_design.until);
    PERFORM FROM spm.territory_model m WHERE m.territory_model_id = it.territory_model_id FOR NO KEY UPDATE;

    IF publish_design.unit_column IS NULL THEN
        account := 'SELECT unit_key AS account_key, unit_key, value AS potential FROM spm.territory_design_unit WHERE territory_design_id = $1';
    ELSE
        mapped := spm._accounts_of(it.territory_model_id);
        account := format('SELECT account_key, %s AS unit_key, potential FROM (%s) a, LATERAL (SELECT (a.account).*) r',
            spm._design_label(format('%I.%I', mapped.relation_schema, mapped.relation_name)::regclass, publish_design.unit_column, 'unit_column'),
            spm._account_sql(it.territory_model_id));
    END IF;

    -- territories that are not there yet
    UPDATE spm.territory_design_seat s SET territory_id = t.territory_id
    FROM spm.territory t
    WHERE s.territory_design_id = it.territory_design_id AND s.territory_id IS NULL AND t.territory_model_id = it.territory_model_id AND t.territory_key = s.seat_key;
    UPDATE spm.territory_design_seat s SET territory_id = spm.add_territory(model, s.seat_key)
    WHERE s.territory_design_id = it.territory_design_id AND s.territory_id IS NULL
        AND EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = s.territory_design_id AND u.planned_seat_key = s.seat_key);

    DROP TABLE IF EXISTS pg_temp.spm_assign;
    EXECUTE format('CREATE TEMP TABLE spm_assign ON COMMIT DROP AS
        WITH wanted AS (
            SELECT w.account_key, t.type, coalesce(w.potential, 0) AS potential, s.territory_id
            FROM (%s) w
            JOIN spm.territory_design_unit u ON u.territory_design_id = $1 AND u.unit_key = w.unit_key
            JOIN spm.territory_design_seat s ON s.territory_design_id = $1 AND s.seat_key = u.planned_seat_key
            JOIN spm.territory t ON t.territory_id = s.territory_id
        )
        SELECT w.account_key, w.type, w.potential, w.territory_id AS to_territory_id, NULL::int AS territory_rule_id, ''design''::text AS origin,
               $3::text AS reason, $5 AS is_locked, c.territory_assignment_id, c.territory_id AS from_territory_id,
               c.territory_rule_id AS from_territory_rule_id, c.origin AS from_origin, c.is_locked AS was_locked, c.reason AS from_reason, c.span AS from_span,
               CASE WHEN c.is_locked THEN ''locked'' WHEN c.territory_id = w.territory_id THEN ''kept'' WHEN c.territory_id IS NULL THEN ''gained'' ELSE ''moved'' END AS outcome
        FROM wanted w
        LEFT JOIN spm.territory_assignment c ON c.territory_model_id = $2 AND c.account_key = w.account_key AND c.type = w.type AND c.span @> $4', account)
        USING it.territory_design_id, it.territory_model_id, format('design %s', it.name), publish_design.since, coalesce(publish_design.locked, false);
    SELECT p.account_key, count(*) AS n INTO stranger FROM pg_temp.spm_assign p GROUP BY p.account_key, p.type HAVING count(*) > 1 OR p.account_key IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % occurs % times', coalesce('"' || stranger.account_key || '"', 'NULL'), stranger.n
            USING ERRCODE = 'unique_violation', HINT = 'Map a relation with one row per account: spm.map_accounts().';
    END IF;
    IF NOT coalesce(publish_design.dry_run, false) THEN
        PERFORM spm._write_assignment(it.territory_model_id, publish_design.since, publish_design.until);
        UPDATE spm.territory_assignment a SET is_locked = true
        FROM pg_temp.spm_assign p
        WHERE a.territory_assignment_id = p.territory_assignment_id AND p.outcome = 'kept' AND p.is_locked;
        -- a seat named after a position is its territory's first holder
        PERFORM spm.hold_territory(t.territory_key, s.seat_key, publish_design.since, publish_design.until, model => model)
        FROM spm.territory_design_seat s
        JOIN spm.territory t ON t.territory_id = s.territory_id
        JOIN spm.position p ON p.position_key = s.seat_key
        WHERE s.territory_design_id = it.territory_design_id
            AND EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = s.territory_design_id AND u.planned_seat_key = s.seat_key)
            AND NOT EXISTS (SELECT FROM spm.territory_holder h WHERE h.territory_id = s.territory_id AND h.role = 'owner'
                            AND h.span && daterange(publish_design.since, publish_design.until))
        ORDER BY s.seat_key COLLATE "C";
        UPDATE spm.territory_design d SET published_span = daterange(publish_design.since, publish_design.until) WHERE d.territory_design_id = it.territory_design_id;
    END IF;
    RETURN QUERY
    SELECT p.outcome, count(*), sum(p.potential) FROM pg_temp.spm_assign p GROUP BY p.outcome
    ORDER BY array_position('{kept,gained,moved,locked}', p.outcome);
    DROP TABLE pg_temp.spm_assign;
END
$$;
COMMENT ON FUNCTION spm.publish_design(text, date, date, text, boolean, boolean, boolean) IS
'Makes the plan of a design true: accounts belong to the territories of their seats from a day on, as rows of spm.territory_assignment of origin design; only what changes is written, and what is locked stays. Returns what became of how many accounts: kept, gained, moved or locked. A territory without an owner is held from that day by the position whose key its seat has, if there is one.
design: name; since: first day; until: first day on which it no longer holds, NULL for no end; unit_column: column of the model''s accounts with the key of the unit that each belongs to (its county, say), NULL: the units are accounts; dry_run: only say what would change; locked: lock the accounts where the plan puts them: otherwise the next spm.assign_territories() gives those that a rule of the model meets to that rule''s territory; unbalanced: publish a plan that does not keep its tolerances or limit, too.
Errors: 42704 for an unknown design; 55000 without a plan, model or mapped accounts, for a plan that is out of date because units, seats, borders or options have changed, and for one that is not balanced; 42703, 42804, 42501 for a unit_column that will not do; 22023 for days that make no sense.
Example: SELECT * FROM spm.publish_design(''2027'', since => ''2027-01-01'', unit_column => ''county_fips'');';

CREATE OR REPLACE FUNCTION spm.design_svg(design text, width int DEFAULT 960)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(design_svg.design);
    drawn text;
BEGIN
    PERFORM spm._planned(it);
    WITH unit AS (      -- degrees of longitude get shorter away from the equator
        SELECT u.planned_seat_key AS seat_key, u.unit_key, u.longitude * cosd((avg(u.latitude) OVER ())::float8)::numeric AS x, -u.latitude AS y
        FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id
    ), frame AS (
        SELECT min(x) AS x, min(y) AS y, (design_svg.width - 40) / greatest(max(x) - min(x), (max(y) - min(y)) / 2, 0.000001) AS scale,
               max(y) - min(y) AS height, greatest(3, round(0.6 * design_svg.width / sqrt(count(*))))::int AS dot
        FROM unit
    ), territory AS (
        SELECT u.seat_key, dense_rank() OVER (ORDER BY u.seat_key COLLATE "C") AS n,
               string_agg(format('M%s %sh0', round((u.x - f.x) * f.scale + 20), round((u.y - f.y) * f.scale + 20)), '' ORDER BY u.unit_key COLLATE "C") AS dots
        FROM unit u, frame f GROUP BY u.seat_key
    )
    SELECT format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" fill="none" stroke-linecap="round" stroke-width="%s">', design_svg.width,
                  round(f.height * f.scale + 40), f.dot)
        -- neighbours in the list of seats are far apart in colour
        || string_agg(format('<path stroke="hsl(%s %s%% %s%%)" d="%s"/>', t.n * 137 % 360, 55 + 15 * (t.n % 3), 42 + 11 * (t.n % 4), t.dots), '' ORDER BY t.n) || '</svg>'
    INTO drawn FROM territory t, frame f GROUP BY f.height, f.scale, f.dot;
    RETURN drawn;
END
$$;
COMMENT ON FUNCTION spm.design_svg(text, int) IS
'Draws the plan of a design as a picture (SVG): a dot for each unit, a colour for each seat.
design: name; width: in pixels.
Errors: 42704 for an unknown design; 55000 for one without a plan.
Example: SELECT spm.design_svg(''2027'');';
