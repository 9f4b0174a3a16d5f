/*
 * territory/functions_design.sql: units and seats of a design, and the plan that
 * divides the ones among the others.
 */

-- ------------------------------------------------------------------------ in C

CREATE OR REPLACE FUNCTION spm._design(latitudes double precision[], longitudes double precision[], loads double precision[], weights double precision[],
    worth double precision[], seats int[], locked boolean[], borders int[], home_latitudes double precision[], home_longitudes double precision[],
    targets double precision[], tolerances double precision[], pair_units int[], pair_seats int[], pair_distances double precision[],
    is_contiguous boolean, keep boolean, disruption double precision, move_limit double precision, moves bigint, seed bigint,
    OUT status text, OUT place int, OUT activity int, OUT planned int[], OUT distances double precision[], OUT planned_latitudes double precision[],
    OUT planned_longitudes double precision[], OUT cost double precision, OUT bound double precision, OUT excess double precision, OUT pieces int,
    OUT tried bigint, OUT used_disruption double precision)
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'spm_design';
COMMENT ON FUNCTION spm._design(double precision[], double precision[], double precision[], double precision[], double precision[], int[], boolean[], int[],
    double precision[], double precision[], double precision[], double precision[], int[], int[], double precision[], boolean, boolean, double precision, double precision, bigint, bigint) IS
'A design as arrays: units and seats are counted from 1, seat 0 is none; loads and targets go activity by activity; homes that are NaN are found; distances of pairs: Infinity for what must not be.
keep: begin with what is. disruption: NaN for as much as makes little move. status: ok, or what makes it impossible, and at which unit or seat and which activity.';
REVOKE ALL ON FUNCTION spm._design(double precision[], double precision[], double precision[], double precision[], double precision[], int[], boolean[], int[],
    double precision[], double precision[], double precision[], double precision[], int[], int[], double precision[], boolean, boolean, double precision, double precision, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._near_pairs(latitudes double precision[], longitudes double precision[], neighbours int)
    RETURNS int[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_near_pairs';
COMMENT ON FUNCTION spm._near_pairs(double precision[], double precision[], int) IS 'Pairs of points, counted from 1, of which one is among the nearest of the other; latitudes ascend. Some come twice.';
REVOKE ALL ON FUNCTION spm._near_pairs(double precision[], double precision[], int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._bridge_pairs(latitudes double precision[], longitudes double precision[], borders int[])
    RETURNS int[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_bridge_pairs';
COMMENT ON FUNCTION spm._bridge_pairs(double precision[], double precision[], int[]) IS 'The shortest pairs of points, counted from 1, that connect what the borders leave apart.';
REVOKE ALL ON FUNCTION spm._bridge_pairs(double precision[], double precision[], int[]) FROM PUBLIC;

-- ------------------------------------------------------------------ the design

CREATE OR REPLACE FUNCTION spm._territory_design(design text)
    RETURNS spm.territory_design
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design;
BEGIN
    SELECT d.* INTO it FROM spm.territory_design d WHERE d.name = _territory_design.design;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'territory design % does not exist', coalesce('"' || _territory_design.design || '"', 'NULL')
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('There are: ' || spm._near(_territory_design.design, ARRAY(SELECT d.name FROM spm.territory_design d)) || '.',
                                  'Add one: SELECT spm.add_territory_design(''2027'', ''{workload}'');');
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._territory_design(text) IS 'The design of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._territory_design(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_territory_design(name text, activities text[], tolerances numeric[] DEFAULT NULL, is_contiguous boolean DEFAULT true,
                                                    model text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := CASE WHEN add_territory_design.model IS NOT NULL THEN spm._open_territory_model(add_territory_design.model) END;
    allowed numeric[] := coalesce(add_territory_design.tolerances, ARRAY(SELECT 0.05 FROM unnest(add_territory_design.activities)));
    id int;
BEGIN
    PERFORM spm._check_text(add_territory_design.name, 'name');
    IF coalesce(cardinality(add_territory_design.activities), 0) NOT BETWEEN 1 AND 16
            OR EXISTS (SELECT FROM unnest(add_territory_design.activities) a(name) WHERE coalesce(a.name, '') = '')
            OR (SELECT count(DISTINCT a.name) FROM unnest(add_territory_design.activities) a(name)) < cardinality(add_territory_design.activities) THEN
        RAISE EXCEPTION 'a design balances 1 to 16 activities with different names'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name them: activities => ''{workload,potential}''.';
    ELSIF cardinality(allowed) <> cardinality(add_territory_design.activities)
            OR EXISTS (SELECT FROM unnest(allowed) t(ratio) WHERE t.ratio IS NULL OR t.ratio NOT BETWEEN 0 AND 1) THEN
        RAISE EXCEPTION 'each activity has a tolerance from 0 to 1'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The activities are %s, the tolerances %s.', add_territory_design.activities, allowed),
                  HINT = 'As ratios: tolerances => ''{0.05,0.10}'' for 5 and 10 percent.';
    END IF;
    INSERT INTO spm.territory_design (name, territory_model_id, activities, tolerances, is_contiguous)
    VALUES (add_territory_design.name, model_id, add_territory_design.activities, allowed, coalesce(add_territory_design.is_contiguous, true))
    ON CONFLICT DO NOTHING RETURNING territory_design_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'territory design "%" already exists', add_territory_design.name
            USING ERRCODE = 'duplicate_object', HINT = format('Take another name, or throw it away: SELECT spm.drop_territory_design(%L);', add_territory_design.name);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_territory_design(text, text[], numeric[], boolean, text) IS
'Adds a design of territories, and returns its territory_design_id.
name: unique; activities: names of what is balanced, all at once; tolerances: how far each may be from its target, as ratios from 0 to 1, NULL for 0.05 each; is_contiguous: whether each territory is to be in one piece; model: territory model to publish to, NULL for none.
Errors: 42710 when the name is taken; 22023 for activities or tolerances that make no sense; 42704, 55000 for a model that is unknown or archived.
Source: Hess et al. (1965), Zoltners and Sinha (1983), Kalcsics, Nickel and Schroeder (2005).
Example: SELECT spm.add_territory_design(''2027'', ''{workload,potential}'', ''{0.05,0.10}'');';

CREATE OR REPLACE FUNCTION spm.drop_territory_design(design text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(drop_territory_design.design);
BEGIN
    DELETE FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id;
    DELETE FROM spm.territory_design d WHERE d.territory_design_id = it.territory_design_id;
END
$$;
COMMENT ON FUNCTION spm.drop_territory_design(text) IS
'Throws a design away, with its units, seats and plan. What it has published stays.
Errors: 42704 for an unknown design.
Example: SELECT spm.drop_territory_design(''2027'');';

-- ----------------------------------------------------------------------- seats

CREATE OR REPLACE FUNCTION spm.add_design_seat(design text, seat text, latitude numeric DEFAULT NULL, longitude numeric DEFAULT NULL,
                                               capacities numeric[] DEFAULT NULL, territory text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(add_design_seat.design);
    sizes numeric[] := coalesce(add_design_seat.capacities, ARRAY(SELECT 1 FROM unnest(it.activities)));
BEGIN
    PERFORM spm._check_text(add_design_seat.seat, 'seat');
    IF num_nonnulls(add_design_seat.latitude, add_design_seat.longitude) = 1
            OR NOT (coalesce(add_design_seat.latitude, 0) BETWEEN -90 AND 90 AND coalesce(add_design_seat.longitude, 0) BETWEEN -180 AND 180) THEN
        RAISE EXCEPTION 'seat "%" has no home at latitude %, longitude %', add_design_seat.seat, coalesce(add_design_seat.latitude::text, 'NULL'), coalesce(add_design_seat.longitude::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give both in degrees, or neither: then the design finds a home.';
    ELSIF cardinality(sizes) = 1 THEN
        sizes := ARRAY(SELECT sizes[1] FROM unnest(it.activities));
    END IF;
    IF cardinality(sizes) <> cardinality(it.activities) OR EXISTS (SELECT FROM unnest(sizes) c(size) WHERE c.size IS NULL OR c.size <= 0 OR c.size IN ('NaN', 'Infinity')) THEN
        RAISE EXCEPTION 'seat "%" has a capacity above 0 for each activity, not %', add_design_seat.seat, sizes
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The activities are %s.', it.activities),
                  HINT = 'Beside the other seats: capacities => ''{0.5}'' for half of theirs.';
    END IF;
    INSERT INTO spm.territory_design_seat (territory_design_id, seat_key, capacities, latitude, longitude, territory_id)
    VALUES (it.territory_design_id, add_design_seat.seat, sizes, add_design_seat.latitude, add_design_seat.longitude,
            CASE WHEN add_design_seat.territory IS NOT NULL THEN spm._territory_id(add_design_seat.territory, it.territory_model_id) END)
    ON CONFLICT (territory_design_id, seat_key) DO UPDATE SET capacities = EXCLUDED.capacities, latitude = EXCLUDED.latitude, longitude = EXCLUDED.longitude,
        territory_id = coalesce(EXCLUDED.territory_id, territory_design_seat.territory_id), is_closed = false;
END
$$;
COMMENT ON FUNCTION spm.add_design_seat(text, text, numeric, numeric, numeric[], text) IS
'Adds a seat to a design, or changes one; one that was closed opens again.
design: name; seat: key; latitude, longitude: its home in degrees, NULL: the design finds one; capacities: its size for each activity beside the other seats, one number for all, NULL for 1; territory: key of the territory of the design''s model that it is published as, NULL for one with the seat''s key.
Errors: 42704 for an unknown design or territory; 22023 for a home or capacities that make no sense.
Example: SELECT spm.add_design_seat(''2027'', ''dana'', 40.71, -74.01, ''{0.5}'');';

CREATE OR REPLACE FUNCTION spm.add_design_seats(design text, count int, prefix text DEFAULT 'T')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF add_design_seats.count IS NULL OR add_design_seats.count NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'a design cannot get % seats', coalesce(add_design_seats.count::text, 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a number from 1 on.';
    END IF;
    PERFORM spm.add_design_seat(add_design_seats.design, add_design_seats.prefix || lpad(n::text, length(add_design_seats.count::text), '0'))
    FROM generate_series(1, add_design_seats.count) n;
END
$$;
COMMENT ON FUNCTION spm.add_design_seats(text, int, text) IS
'Adds so many seats of equal size, whose homes the design finds: T01, T02 ...
design: name; count: how many; prefix: what their keys begin with.
Errors: 42704 for an unknown design; 22023 for a count below 1.
Example: SELECT spm.add_design_seats(''2027'', 20);';

CREATE OR REPLACE FUNCTION spm.close_design_seat(design text, seat text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(close_design_seat.design);
BEGIN
    UPDATE spm.territory_design_seat s SET is_closed = true
    WHERE s.territory_design_id = it.territory_design_id AND s.seat_key = close_design_seat.seat;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'seat "%" does not exist in design "%"', close_design_seat.seat, it.name
            USING ERRCODE = 'undefined_object', HINT = format('Seats that look like it: %s.', spm._near(close_design_seat.seat,
                ARRAY(SELECT s.seat_key FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id)));
    END IF;
END
$$;
COMMENT ON FUNCTION spm.close_design_seat(text, text) IS
'Gives a seat of a design up: the next plan divides what it has among the others. spm.add_design_seat() opens it again.
Errors: 42704 for an unknown design or seat.
Example: SELECT spm.close_design_seat(''2027'', ''dana'');';

-- ----------------------------------------------------------------------- units

CREATE OR REPLACE FUNCTION spm._design_number(relation regclass, column_name text, argument text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM spm._column_type(_design_number.relation, _design_number.column_name, _design_number.argument,
                             '{numeric,integer,bigint,smallint,real,double precision}', NULL);
    RETURN format('r.%I::numeric', _design_number.column_name);
END
$$;
COMMENT ON FUNCTION spm._design_number(regclass, text, text) IS 'SQL of a column of r as numeric; errors of spm._column_type().';
REVOKE ALL ON FUNCTION spm._design_number(regclass, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._design_label(relation regclass, column_name text, argument text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _design_label.column_name IS NULL THEN
        RETURN 'NULL::text';
    END IF;
    PERFORM spm._column_type(_design_label.relation, _design_label.column_name, _design_label.argument,
                             '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}', NULL);
    RETURN format('nullif(r.%I::text, '''')', _design_label.column_name);
END
$$;
COMMENT ON FUNCTION spm._design_label(regclass, text, text) IS 'SQL of a column of r as text, NULL for none; errors of spm._column_type().';
REVOKE ALL ON FUNCTION spm._design_label(regclass, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.load_design_units(design text, relation regclass, key text, latitude text, longitude text, activities text[] DEFAULT NULL,
    weight text DEFAULT NULL, value text DEFAULT NULL, family text DEFAULT NULL, seat text DEFAULT NULL, locked text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(load_design_units.design);
    source constant regclass := load_design_units.relation;
    names text[] := coalesce(load_design_units.activities, it.activities);
    loads text;
    wrong record;
    loaded bigint;
BEGIN
    PERFORM spm._column_type(source, load_design_units.key, 'key', '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}', NULL);
    IF cardinality(names) <> cardinality(it.activities) THEN
        RAISE EXCEPTION 'design "%" balances % activities, not %', it.name, cardinality(it.activities), cardinality(names)
            USING ERRCODE = 'invalid_parameter_value', HINT = format('Name one column for each of %s.', array_to_string(it.activities, ', '));
    END IF;
    SELECT string_agg(spm._design_number(source, n.name, 'activities'), ', ' ORDER BY n.i) INTO loads FROM unnest(names) WITH ORDINALITY n(name, i);
    IF load_design_units.locked IS NOT NULL THEN
        PERFORM spm._column_type(source, load_design_units.locked, 'locked', '{boolean}', NULL);
    END IF;
    DROP TABLE IF EXISTS pg_temp.spm_unit;
    EXECUTE format('CREATE TEMP TABLE spm_unit ON COMMIT DROP AS SELECT %s AS unit_key, %s AS latitude, %s AS longitude, ARRAY[%s] AS activities,
            %s AS weight, %s AS value, %s AS family_key, %s AS seat_key, %s AS is_locked FROM %s r',
        spm._design_label(source, load_design_units.key, 'key'),
        spm._design_number(source, load_design_units.latitude, 'latitude'), spm._design_number(source, load_design_units.longitude, 'longitude'), loads,
        CASE WHEN load_design_units.weight IS NULL THEN format('r.%I::numeric', names[1]) ELSE spm._design_number(source, load_design_units.weight, 'weight') END,
        CASE WHEN load_design_units.value IS NULL THEN format('r.%I::numeric', names[1]) ELSE spm._design_number(source, load_design_units.value, 'value') END,
        spm._design_label(source, load_design_units.family, 'family'), spm._design_label(source, load_design_units.seat, 'seat'),
        CASE WHEN load_design_units.locked IS NULL THEN 'false' ELSE format('coalesce(r.%I, false)', load_design_units.locked) END, source);

    SELECT u.unit_key, CASE
            WHEN u.unit_key IS NULL THEN 'has no key'
            WHEN u.latitude IS NULL OR u.longitude IS NULL THEN 'has no place'
            WHEN NOT (u.latitude BETWEEN -90 AND 90 AND u.longitude BETWEEN -180 AND 180) THEN format('is at latitude %s, longitude %s', u.latitude, u.longitude)
            WHEN array_position(u.activities, NULL) IS NOT NULL THEN format('has no %s', it.activities[array_position(u.activities, NULL)])
            WHEN a.load IS NOT NULL THEN format('has %s of %s', a.load, a.name)
            WHEN u.weight IS NULL OR u.weight < 0 OR u.weight IN ('NaN', 'Infinity') THEN format('has a weight of %s', coalesce(u.weight::text, 'NULL'))
            WHEN u.value IS NULL OR u.value < 0 OR u.value IN ('NaN', 'Infinity') THEN format('has a value of %s', coalesce(u.value::text, 'NULL'))
            WHEN u.is_locked AND u.seat_key IS NULL THEN 'is locked, but no seat has it' END AS problem
    INTO wrong
    FROM pg_temp.spm_unit u
    LEFT JOIN LATERAL (SELECT l.load, n.name FROM unnest(u.activities, it.activities) n(load, name), LATERAL (SELECT n.load) l
                       WHERE l.load < 0 OR l.load IN ('NaN', 'Infinity') LIMIT 1) a ON true
    WHERE u.unit_key IS NULL OR num_nulls(u.latitude, u.longitude, u.weight, u.value) > 0 OR array_position(u.activities, NULL) IS NOT NULL OR a.load IS NOT NULL
        OR NOT (u.latitude BETWEEN -90 AND 90 AND u.longitude BETWEEN -180 AND 180) OR u.weight < 0 OR u.weight IN ('NaN', 'Infinity')
        OR u.value < 0 OR u.value IN ('NaN', 'Infinity') OR u.is_locked AND u.seat_key IS NULL
    ORDER BY u.unit_key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', CASE WHEN wrong.unit_key IS NULL THEN format('a unit in %s has no key', source) ELSE format('unit "%s" %s', wrong.unit_key, wrong.problem) END
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is in %s.', source),
                  HINT = 'Degrees are from -90 to 90 and -180 to 180; loads, weights and values are 0 or more. Correct the row, or name a view without it.';
    END IF;
    SELECT u.unit_key INTO wrong FROM pg_temp.spm_unit u GROUP BY u.unit_key HAVING count(*) > 1 ORDER BY u.unit_key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unit "%" is in % more than once', wrong.unit_key, source
            USING ERRCODE = 'unique_violation', HINT = 'Name a view with one row per unit.';
    END IF;

    DELETE FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id
        AND NOT EXISTS (SELECT FROM pg_temp.spm_unit n WHERE n.unit_key = u.unit_key);
    INSERT INTO spm.territory_design_seat (territory_design_id, seat_key, capacities)
    SELECT DISTINCT it.territory_design_id, u.seat_key, ARRAY(SELECT 1 FROM unnest(it.activities)) FROM pg_temp.spm_unit u WHERE u.seat_key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO spm.territory_design_unit (territory_design_id, unit_key, latitude, longitude, activities, weight, value, family_key, seat_key, is_locked)
    SELECT it.territory_design_id, u.unit_key, u.latitude, u.longitude, u.activities, u.weight, u.value, coalesce(u.family_key, u.unit_key), u.seat_key, u.is_locked
    FROM pg_temp.spm_unit u ORDER BY u.unit_key COLLATE "C"
    ON CONFLICT (territory_design_id, unit_key) DO UPDATE SET latitude = EXCLUDED.latitude, longitude = EXCLUDED.longitude, activities = EXCLUDED.activities,
        weight = EXCLUDED.weight, value = EXCLUDED.value, family_key = EXCLUDED.family_key, seat_key = EXCLUDED.seat_key, is_locked = EXCLUDED.is_locked;
    GET DIAGNOSTICS loaded = ROW_COUNT;
    DROP TABLE pg_temp.spm_unit;
    RETURN loaded;
END
$$;
COMMENT ON FUNCTION spm.load_design_units(text, regclass, text, text, text, text[], text, text, text, text, text) IS
'Copies the units of a design from a table or view, and returns how many there are. Units that are not in it any more go; borders of the others stay.
design: name; relation: one row per unit. Names of columns: key, latitude and longitude (degrees), activities (one for each activity of the design, NULL: columns of the same names), weight (what a kilometre to it counts, NULL: the first activity), value (what is lost when it changes hands, NULL: the first activity), family (units of one family go to one seat), seat (key of the seat that has it now; seats that are not there are added), locked (whether it must stay there).
Errors: 42704 for an unknown design; 42703, 42804, 42501 for a column that will not do; 22023 for a unit without key, place or load, or with a negative one: the unit is named; 23505 for one that is there twice.
Example: SELECT spm.load_design_units(''2027'', ''crm.county'', ''fips'', ''lat'', ''lon'', ''{workload,potential}'');';

CREATE OR REPLACE FUNCTION spm.load_design_borders(design text, relation regclass, unit text, other text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(load_design_borders.design);
    units text[];
    others text[];
    stranger text;
    loaded bigint;
BEGIN
    EXECUTE format('SELECT array_agg(%s), array_agg(%s) FROM %s r', spm._design_label(load_design_borders.relation, load_design_borders.unit, 'unit'),
        spm._design_label(load_design_borders.relation, load_design_borders.other, 'other'), load_design_borders.relation) INTO units, others;
    SELECT coalesce(k.key, 'NULL') INTO stranger FROM unnest(units || others) k(key)
    WHERE NOT EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id AND u.unit_key = k.key)
    ORDER BY k.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unit "%" does not exist in design "%"', stranger, it.name
            USING ERRCODE = 'undefined_object', DETAIL = format('It is in %s.', load_design_borders.relation),
                  HINT = 'Load the units first, or name a view with the borders between them.';
    END IF;
    DELETE FROM spm.territory_design_border b WHERE b.territory_design_id = it.territory_design_id;
    INSERT INTO spm.territory_design_border (territory_design_id, unit_key, other_key)
    SELECT DISTINCT it.territory_design_id, least(p.a COLLATE "C", p.b COLLATE "C"), greatest(p.a COLLATE "C", p.b COLLATE "C")
    FROM unnest(units, others) p(a, b) WHERE p.a <> p.b;
    GET DIAGNOSTICS loaded = ROW_COUNT;
    RETURN loaded;
END
$$;
COMMENT ON FUNCTION spm.load_design_borders(text, regclass, text, text) IS
'Copies which units of a design touch from a table or view, instead of those before, and returns how many pairs there are.
design: name; relation: one row per pair, in either direction or both; unit, other: names of its columns with the keys of the units.
Errors: 42704 for an unknown design or unit; 42703, 42804, 42501 for a column that will not do.
Example: SELECT spm.load_design_borders(''2027'', ''crm.county_border'', ''fips_a'', ''fips_b'');';

CREATE OR REPLACE FUNCTION spm.find_design_borders(design text, neighbours int DEFAULT 6)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(find_design_borders.design);
    keys text[];
    pairs int[];
BEGIN
    SELECT array_agg(u.unit_key ORDER BY u.latitude, u.unit_key COLLATE "C"),
           spm._near_pairs(coalesce(array_agg(u.latitude::double precision ORDER BY u.latitude, u.unit_key COLLATE "C"), '{}'),
                           coalesce(array_agg(u.longitude::double precision ORDER BY u.latitude, u.unit_key COLLATE "C"), '{}'), find_design_borders.neighbours)
    INTO keys, pairs
    FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id;
    DELETE FROM spm.territory_design_border b WHERE b.territory_design_id = it.territory_design_id;
    INSERT INTO spm.territory_design_border (territory_design_id, unit_key, other_key, origin)
    SELECT DISTINCT it.territory_design_id, least(keys[p.a] COLLATE "C", keys[p.b] COLLATE "C"), greatest(keys[p.a] COLLATE "C", keys[p.b] COLLATE "C"), 'near'
    FROM (SELECT p.n, p.i AS a, lead(p.i) OVER (ORDER BY p.n) AS b FROM unnest(pairs) WITH ORDINALITY p(i, n)) p WHERE p.n % 2 = 1;
    PERFORM spm.connect_design(find_design_borders.design);
    RETURN (SELECT count(*) FROM spm.territory_design_border b WHERE b.territory_design_id = it.territory_design_id);
END
$$;
COMMENT ON FUNCTION spm.find_design_borders(text, int) IS
'Takes units as touching that are near: each with its nearest, and the shortest ways between parts that are left apart. Instead of the borders before; returns how many pairs there are.
design: name; neighbours: how many of the nearest, 1 to 32.
Errors: 42704 for an unknown design; 22023 for another number of neighbours.
Example: SELECT spm.find_design_borders(''2027'');';

CREATE OR REPLACE FUNCTION spm.connect_design(design text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(connect_design.design);
    keys text[];
    pairs int[];
    added bigint;
BEGIN
    WITH unit AS (
        SELECT u.unit_key, u.latitude, u.longitude, (row_number() OVER (ORDER BY u.unit_key COLLATE "C"))::int AS n
        FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id
    ), border AS (
        SELECT a.n AS a, b.n AS b
        FROM spm.territory_design_border e JOIN unit a ON a.unit_key = e.unit_key JOIN unit b ON b.unit_key = e.other_key
        WHERE e.territory_design_id = it.territory_design_id
    )
    SELECT array_agg(u.unit_key ORDER BY u.n),
           spm._bridge_pairs(coalesce(array_agg(u.latitude::double precision ORDER BY u.n), '{}'), coalesce(array_agg(u.longitude::double precision ORDER BY u.n), '{}'),
                             ARRAY(SELECT e.n FROM border b CROSS JOIN LATERAL (VALUES (1, b.a), (2, b.b)) e(side, n) ORDER BY b.a, b.b, e.side))
    INTO keys, pairs FROM unit u;
    INSERT INTO spm.territory_design_border (territory_design_id, unit_key, other_key, origin)
    SELECT it.territory_design_id, least(keys[p.a] COLLATE "C", keys[p.b] COLLATE "C"), greatest(keys[p.a] COLLATE "C", keys[p.b] COLLATE "C"), 'bridge'
    FROM (SELECT p.n, p.i AS a, lead(p.i) OVER (ORDER BY p.n) AS b FROM unnest(pairs) WITH ORDINALITY p(i, n)) p WHERE p.n % 2 = 1;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END
$$;
COMMENT ON FUNCTION spm.connect_design(text) IS
'Connects parts of a design that no border connects, such as islands, by the shortest ways; returns how many were added, as borders of origin bridge.
Errors: 42704 for an unknown design.
Example: SELECT spm.connect_design(''2027'');';

CREATE OR REPLACE FUNCTION spm.lock_design_units(design text, units text[], locked boolean DEFAULT true)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(lock_design_units.design);
    wrong record;
    changed bigint;
BEGIN
    SELECT k.key, u.unit_key INTO wrong FROM unnest(lock_design_units.units) k(key)
    LEFT JOIN spm.territory_design_unit u ON u.territory_design_id = it.territory_design_id AND u.unit_key = k.key
    WHERE u.unit_key IS NULL OR lock_design_units.locked AND u.seat_key IS NULL ORDER BY k.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unit "%" %', wrong.key, CASE WHEN wrong.unit_key IS NULL THEN format('does not exist in design "%s"', it.name) ELSE 'has no seat to be locked to' END
            USING ERRCODE = CASE WHEN wrong.unit_key IS NULL THEN 'undefined_object' ELSE 'invalid_parameter_value' END,
                  HINT = CASE WHEN wrong.unit_key IS NULL THEN format('Units that look like it: %s.', spm._near(wrong.key,
                             ARRAY(SELECT u.unit_key FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id)))
                         ELSE format('Give it one: SELECT spm.place_design_units(%L, ARRAY[%L], ''seat'');', it.name, wrong.key) END;
    END IF;
    UPDATE spm.territory_design_unit u SET is_locked = lock_design_units.locked
    WHERE u.territory_design_id = it.territory_design_id AND u.unit_key = ANY (lock_design_units.units) AND u.is_locked <> lock_design_units.locked;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION spm.lock_design_units(text, text[], boolean) IS
'Locks units to the seats that have them now, or lets them go again; returns how many have changed.
Errors: 42704 for an unknown design or unit; 22023 for a unit that no seat has.
Example: SELECT spm.lock_design_units(''2027'', ''{36061,36047}'');';

CREATE OR REPLACE FUNCTION spm._check_design_seat(it spm.territory_design, seat text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id AND s.seat_key = seat) THEN
        RAISE EXCEPTION 'seat "%" does not exist in design "%"', seat, it.name
            USING ERRCODE = 'undefined_object', HINT = coalesce(format('Seats that look like it: %s.', spm._near(seat,
                ARRAY(SELECT s.seat_key FROM spm.territory_design_seat s WHERE s.territory_design_id = it.territory_design_id))),
                format('Add it: SELECT spm.add_design_seat(%L, %L);', it.name, seat));
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_design_seat(spm.territory_design, text) IS 'Error 42704 when the design has no such seat.';
REVOKE ALL ON FUNCTION spm._check_design_seat(spm.territory_design, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.place_design_units(design text, units text[], seat text, locked boolean DEFAULT true)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(place_design_units.design);
    stranger text;
    changed bigint;
BEGIN
    PERFORM spm._check_design_seat(it, place_design_units.seat);
    SELECT k.key INTO stranger FROM unnest(place_design_units.units) k(key)
    WHERE NOT EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id AND u.unit_key = k.key) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unit "%" does not exist in design "%"', stranger, it.name
            USING ERRCODE = 'undefined_object', HINT = 'Units are loaded by spm.load_design_units().';
    END IF;
    UPDATE spm.territory_design_unit u SET seat_key = place_design_units.seat, is_locked = place_design_units.locked
    WHERE u.territory_design_id = it.territory_design_id AND u.unit_key = ANY (place_design_units.units)
        AND (u.seat_key, u.is_locked) IS DISTINCT FROM (place_design_units.seat, place_design_units.locked);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION spm.place_design_units(text, text[], text, boolean) IS
'Gives units to a seat by hand, before a plan is made: what people know goes first, and the next plan is made around it. Returns how many have changed.
design: name; units: their keys; seat: key of the seat; locked: whether they must stay there.
Errors: 42704 for an unknown design, unit or seat.
Example: SELECT spm.place_design_units(''2027'', ''{36061}'', ''dana'');';

CREATE OR REPLACE FUNCTION spm.set_design_distance(design text, unit text, seat text, distance numeric DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_design := spm._territory_design(set_design_distance.design);
BEGIN
    PERFORM spm._check_design_seat(it, set_design_distance.seat);
    IF NOT EXISTS (SELECT FROM spm.territory_design_unit u WHERE u.territory_design_id = it.territory_design_id AND u.unit_key = set_design_distance.unit) THEN
        RAISE EXCEPTION 'unit "%" does not exist in design "%"', set_design_distance.unit, it.name
            USING ERRCODE = 'undefined_object', HINT = 'Units are loaded by spm.load_design_units().';
    ELSIF set_design_distance.distance < 0 OR set_design_distance.distance IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'a distance cannot be %', set_design_distance.distance
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out when the unit must not go to the seat.';
    END IF;
    INSERT INTO spm.territory_design_pair (territory_design_id, unit_key, seat_key, distance)
    VALUES (it.territory_design_id, set_design_distance.unit, set_design_distance.seat, set_design_distance.distance)
    ON CONFLICT (territory_design_id, unit_key, seat_key) DO UPDATE SET distance = EXCLUDED.distance;
END
$$;
COMMENT ON FUNCTION spm.set_design_distance(text, text, text, numeric) IS
'Says how far a unit really is from a seat, or that it must not go there. Many at once: INSERT INTO spm.territory_design_pair.
design: name; unit, seat: keys; distance: kilometres, or minutes if all pairs have them; NULL: never.
Errors: 42704 for an unknown design, unit or seat; 22023 for a negative distance.
Example: SELECT spm.set_design_distance(''2027'', ''36061'', ''dana'', 12.5);';
