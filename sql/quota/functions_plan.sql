/*
 * quota/functions_plan.sql: quota plans, and what is asked of their seats.
 */

CREATE OR REPLACE FUNCTION spm._quota_version(plan text, version int DEFAULT NULL)
    RETURNS spm.quota_plan_version
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := (SELECT p.quota_plan_id FROM spm.quota_plan p WHERE p.name = _quota_version.plan);
    found_version spm.quota_plan_version;
BEGIN
    IF of_plan IS NULL THEN
        RAISE EXCEPTION 'quota plan "%" does not exist', _quota_version.plan
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('Plans that look like it: ' || spm._near(_quota_version.plan, ARRAY(SELECT p.name FROM spm.quota_plan p)) || '.',
                                  format('SELECT spm.add_quota_plan(%L, period, measure, total);', _quota_version.plan));
    END IF;
    SELECT v.* INTO found_version FROM spm.quota_plan_version v
    WHERE v.quota_plan_id = of_plan AND (v.version = _quota_version.version OR _quota_version.version IS NULL)
    ORDER BY v.state IN ('draft', 'proposed', 'approved') DESC, v.state = 'published' DESC, v.version DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'quota plan "%" has no version %', _quota_version.plan, _quota_version.version
            USING ERRCODE = 'undefined_object',
                  HINT = format('It has %s.', (SELECT string_agg(v.version::text, ', ' ORDER BY v.version) FROM spm.quota_plan_version v WHERE v.quota_plan_id = of_plan));
    END IF;
    RETURN found_version;
END
$$;
COMMENT ON FUNCTION spm._quota_version(text, int) IS 'Version of a quota plan; NULL: the one that is worked on, else the published one, else the last. Error 42704.';
REVOKE ALL ON FUNCTION spm._quota_version(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_draft(plan text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current_version spm.quota_plan_version := spm._quota_version(_quota_draft.plan);
BEGIN
    SELECT v.* INTO current_version FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = current_version.quota_plan_version_id FOR UPDATE;
    IF current_version.state <> 'draft' THEN
        RAISE EXCEPTION 'version % of quota plan "%" is %, and only a draft is changed', current_version.version, _quota_draft.plan, current_version.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE WHEN current_version.state IN ('proposed', 'approved') THEN format('SELECT spm.return_quota_plan(%L, reason);', _quota_draft.plan)
                              ELSE format('SELECT spm.new_quota_plan_version(%L, reason);', _quota_draft.plan) END;
    END IF;
    RETURN current_version.quota_plan_version_id;
END
$$;
COMMENT ON FUNCTION spm._quota_draft(text) IS 'Key of the draft of a quota plan, locked. Error 55000 when it is no draft.';
REVOKE ALL ON FUNCTION spm._quota_draft(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_seat(version_id int, position_key text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seat int := spm._position_id(_quota_seat.position_key);
BEGIN
    IF NOT EXISTS (SELECT FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = _quota_seat.version_id AND n.position_id = seat) THEN
        RAISE EXCEPTION 'position "%" is not in the quota plan', _quota_seat.position_key
            USING ERRCODE = 'undefined_object', HINT = 'A new version reads the reporting tree again: spm.new_quota_plan_version(plan, reason, as_of => date).';
    END IF;
    RETURN seat;
END
$$;
COMMENT ON FUNCTION spm._quota_seat(int, text) IS 'Key of a position that is in a version; error 42704 otherwise.';
REVOKE ALL ON FUNCTION spm._quota_seat(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_amount(value numeric, what text)
    RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _quota_amount.value < 0 OR _quota_amount.value IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION '% cannot be %', _quota_amount.what, _quota_amount.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give an amount of zero or more.';
    END IF;
    RETURN _quota_amount.value;
END
$$;
COMMENT ON FUNCTION spm._quota_amount(numeric, text) IS 'The amount itself, or error 22023 where it is none; what: its name in the error.';
REVOKE ALL ON FUNCTION spm._quota_amount(numeric, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._note_quota_plan(version_id int, "position" int, what text, new_value text)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO spm.quota_plan_change (quota_plan_version_id, position_id, what, new_value)
    VALUES (_note_quota_plan.version_id, _note_quota_plan."position", _note_quota_plan.what, _note_quota_plan.new_value);
END;
COMMENT ON FUNCTION spm._note_quota_plan(int, int, text, text) IS 'Keeps in spm.quota_plan_change what triggers on seats and versions do not: inputs, factors, over-assignments, seasons.';
REVOKE ALL ON FUNCTION spm._note_quota_plan(int, int, text, text) FROM PUBLIC;

-- ------------------------------------------------------------------- the tree

CREATE OR REPLACE FUNCTION spm._read_quota_tree(version_id int, top text, except_titles text[])
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    day date := (SELECT v.as_of FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = _read_quota_tree.version_id);
    top_seat int := CASE WHEN _read_quota_tree.top IS NOT NULL THEN spm._position_id(_read_quota_tree.top) END;
    without int[] := ARRAY(SELECT spm._title_id(t) FROM unnest(_read_quota_tree.except_titles) t);
    seats bigint;
BEGIN
    INSERT INTO spm.quota_plan_node (quota_plan_version_id, position_id, parent_position_id, level)
    WITH RECURSIVE line AS (
        SELECT l.position_id, l.manager_position_id FROM spm.reporting_line l WHERE l.span @> day
    ), seat AS (
        SELECT s.position_id, s.title_id = ANY (without) IS NOT TRUE AS is_kept
        FROM spm.position s
        WHERE s.position_id IN (SELECT l.position_id FROM line l UNION SELECT l.manager_position_id FROM line l) OR s.position_id = top_seat
    ), down AS (    -- from the top, with the nearest seat above that is kept
        SELECT s.position_id, s.is_kept, NULL::int AS parent_position_id, 1 AS level
        FROM seat s
        WHERE CASE WHEN top_seat IS NULL THEN NOT EXISTS (SELECT FROM line l WHERE l.position_id = s.position_id) ELSE s.position_id = top_seat END
        UNION ALL
        SELECT s.position_id, s.is_kept, CASE WHEN d.is_kept THEN d.position_id ELSE d.parent_position_id END, d.level + d.is_kept::int
        FROM down d
        JOIN line l ON l.manager_position_id = d.position_id
        JOIN seat s ON s.position_id = l.position_id
    )
    SELECT _read_quota_tree.version_id, d.position_id, d.parent_position_id, d.level FROM down d WHERE d.is_kept;
    GET DIAGNOSTICS seats = ROW_COUNT;
    IF seats = 0 THEN
        RAISE EXCEPTION 'no position reports to another on %', to_char(day, 'YYYY-MM-DD')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give another day: as_of => date; or SELECT spm.set_manager(position, manager, since);';
    END IF;
    RETURN seats;
END
$$;
COMMENT ON FUNCTION spm._read_quota_tree(int, text, text[]) IS 'Puts the seats of the reporting tree into a version and returns how many; whoever reports to a seat of a title that is left out comes below the next one above. Error 22023 when there are none.';
REVOKE ALL ON FUNCTION spm._read_quota_tree(int, text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_quota_plan(name text, period text, measure text, total numeric, top text DEFAULT NULL, as_of date DEFAULT NULL,
                                              grain text DEFAULT NULL, unit numeric DEFAULT 0.01, except_titles text[] DEFAULT '{}',
                                              calendar text DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    whole spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(add_quota_plan.period, add_quota_plan.calendar));
    id int;
    version_id int;
BEGIN
    PERFORM spm._check_text(add_quota_plan.name, 'name of a quota plan'), spm._quota_amount(add_quota_plan.total, 'total');
    IF add_quota_plan.grain IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.period p WHERE p.calendar_id = whole.calendar_id AND p.grain = add_quota_plan.grain AND p.span <@ whole.span) THEN
        RAISE EXCEPTION 'period % has no part of the kind "%"', whole.name, add_quota_plan.grain
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a grain that lies within it, or none.';
    END IF;
    IF num_nulls(add_quota_plan.total, add_quota_plan.unit) > 0 OR add_quota_plan.unit <= 0 OR add_quota_plan.unit IN ('NaN', 'Infinity')
       OR mod(add_quota_plan.total, add_quota_plan.unit) <> 0 THEN
        RAISE EXCEPTION 'a total of % is not divided in units of %', coalesce(add_quota_plan.total::text, 'NULL'), coalesce(add_quota_plan.unit::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The total must be a multiple of the unit, which is greater than 0.';
    END IF;
    INSERT INTO spm.quota_plan (name, measure_id, period_id, grain)
    VALUES (add_quota_plan.name, spm._measure_id(add_quota_plan.measure), whole.period_id, add_quota_plan.grain)
    RETURNING quota_plan_id INTO id;
    INSERT INTO spm.quota_plan_version (quota_plan_id, version, total, unit, as_of, reason)
    VALUES (id, 1, add_quota_plan.total, add_quota_plan.unit, coalesce(add_quota_plan.as_of, lower(whole.span)), add_quota_plan.reason)
    RETURNING quota_plan_version_id INTO version_id;
    PERFORM spm._read_quota_tree(version_id, add_quota_plan.top, add_quota_plan.except_titles);
    INSERT INTO spm.quota_plan_factor (quota_plan_version_id, level, name, weight) VALUES (version_id, 0, 'even', 1);
    RETURN id;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'quota plan "%" exists already', add_quota_plan.name
        USING ERRCODE = 'unique_violation', HINT = format('SELECT spm.new_quota_plan_version(%L, reason);', add_quota_plan.name);
END
$$;
COMMENT ON FUNCTION spm.add_quota_plan(text, text, text, numeric, text, date, text, numeric, text[], text, text) IS
'Adds a quota plan with a first draft, and returns its quota_plan_id. Its seats are those of the reporting tree on a day. Until factors are set, seats at the bottom share alike.
name: unique name. period: what it is for, mostly a year. measure: what is measured. total: what is to be divided, in the unit of the measure, a multiple of unit.
top: position_key of the seat on top; NULL: the whole tree. as_of: day whose tree is read; NULL: first day of the period. grain: quotas are published for the quarters, months ... of the period; NULL: for the period.
unit: what quotas are multiples of. except_titles: titles whose seats carry no quota; who reports to them comes below the next seat above. calendar: needed when two calendars have a period of that name. reason: kept with the version.
Errors: 23505 when the name is taken; 42704 unknown period, measure, position or title; 22023 for a total, unit, grain or tree that makes no sense.
Example: SELECT spm.add_quota_plan(''FY26'', ''2026'', ''bookings'', 12000000, grain => ''quarter'', unit => 100);';

CREATE OR REPLACE FUNCTION spm.load_quota_tree(plan text, relation regclass, "position" text, parent text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(load_quota_tree.plan);
    key_types CONSTANT text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric}';
    keys text[];
    parents text[];
    wrong record;
    seats bigint;
BEGIN
    PERFORM spm._column_type(load_quota_tree.relation, load_quota_tree."position", 'position', key_types, NULL),
        spm._column_type(load_quota_tree.relation, load_quota_tree.parent, 'parent', key_types, NULL);
    EXECUTE format('SELECT array_agg(%1$I::text), array_agg(nullif(%2$I::text, %4$L)) FROM %3$s', load_quota_tree."position", load_quota_tree.parent, load_quota_tree.relation, '')
        INTO keys, parents;
    SELECT u.key INTO wrong FROM unnest(keys) u(key) GROUP BY u.key HAVING count(*) > 1 OR u.key IS NULL ORDER BY u.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position % is in % more than once', coalesce('"' || wrong.key || '"', 'NULL'), load_quota_tree.relation
            USING ERRCODE = 'unique_violation', HINT = 'Name a view with one row per position.';
    END IF;
    SELECT u.key, u.parent INTO wrong FROM unnest(keys, parents) u(key, parent) WHERE u.parent <> ALL (keys) ORDER BY u.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" is below "%", which is not in %', wrong.key, wrong.parent, load_quota_tree.relation
            USING ERRCODE = 'foreign_key_violation', HINT = 'Add a row for it, or leave its column empty.';
    END IF;
    DELETE FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = version_id;
    INSERT INTO spm.quota_plan_node (quota_plan_version_id, position_id, parent_position_id, level)
    WITH RECURSIVE seat AS (
        SELECT u.key, u.parent FROM unnest(keys, parents) u(key, parent)
    ), down AS (
        SELECT s.key, s.parent, 1 AS level FROM seat s WHERE s.parent IS NULL
        UNION ALL
        SELECT s.key, s.parent, d.level + 1 FROM down d JOIN seat s ON s.parent = d.key
    )
    SELECT version_id, spm._position_id(d.key), p.position_id, d.level
    FROM down d LEFT JOIN spm.position p ON p.position_key = d.parent
    ORDER BY d.level, d.key COLLATE "C";
    GET DIAGNOSTICS seats = ROW_COUNT;
    IF seats < coalesce(cardinality(keys), 0) THEN
        SELECT u.key INTO wrong FROM unnest(keys) u(key)
        WHERE NOT EXISTS (SELECT FROM spm.quota_plan_node n JOIN spm.position s USING (position_id) WHERE n.quota_plan_version_id = version_id AND s.position_key = u.key)
        ORDER BY u.key COLLATE "C" LIMIT 1;
        RAISE EXCEPTION 'from position "%" there is no way to the top', wrong.key
            USING ERRCODE = 'check_violation', HINT = 'A position whose parent is NULL is on top; those in a circle are not below it.';
    ELSIF seats = 0 THEN
        RAISE EXCEPTION '% has no row', load_quota_tree.relation USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a table or view with a row for each position.';
    END IF;
    DELETE FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = version_id
        AND NOT EXISTS (SELECT FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = version_id AND n.position_id = i.position_id);
    DELETE FROM spm.quota_plan_season s WHERE s.quota_plan_version_id = version_id
        AND NOT EXISTS (SELECT FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = version_id AND n.position_id = s.position_id);
    PERFORM spm._note_quota_plan(version_id, NULL, 'tree', format('%s seats from %s', seats, load_quota_tree.relation));
    RETURN seats;
END
$$;
COMMENT ON FUNCTION spm.load_quota_tree(text, regclass, text, text) IS
'Gives a draft another tree than that of reporting lines, from a table or view, and returns the number of seats: a tree of territories and their holders, of products, or one with seats that are only planned. Bounds, locks and requests begin anew; inputs of seats that stay are kept.
plan: name. relation: table or view with one row per seat. position: its column with the position_key. parent: its column with the position_key of the seat above; NULL or empty: on top.
Errors: 42704 unknown plan or position; 55000 no draft; 23505 a position that is there twice; 23503 a parent that is not there; 23514 a circle; 42703, 42804, 42501 for a column that is not there, of another type, or not readable.
Example: SELECT spm.load_quota_tree(''FY26'', ''public.sales_tree'', ''seat'', ''above'');';

-- ------------------------------------------------- what shares and bounds go by

CREATE OR REPLACE FUNCTION spm.load_quota_input(plan text, name text, relation regclass, "position" text, amount text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(load_quota_input.plan);
    keys text[];
    amounts numeric[];
    wrong text;
    loaded bigint;
BEGIN
    PERFORM spm._check_text(load_quota_input.name, 'name of an input');
    PERFORM spm._column_type(load_quota_input.relation, load_quota_input."position", 'position', '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric}', NULL),
        spm._column_type(load_quota_input.relation, load_quota_input.amount, 'amount', '{numeric,integer,bigint,smallint}', NULL);
    IF load_quota_input.name = 'even' THEN
        RAISE EXCEPTION 'an input cannot be called even' USING ERRCODE = 'invalid_parameter_value', HINT = 'That is the factor by which seats share alike; it needs no input.';
    END IF;
    EXECUTE format('SELECT array_agg(r.key), array_agg(r.amount) FROM (SELECT %1$I::text AS key, sum(%2$I)::numeric AS amount FROM %3$s WHERE %2$I IS NOT NULL GROUP BY 1) r',
        load_quota_input."position", load_quota_input.amount, load_quota_input.relation)
        INTO keys, amounts;
    SELECT u.key INTO wrong FROM unnest(keys) u(key)
    WHERE NOT EXISTS (SELECT FROM spm.position s JOIN spm.quota_plan_node n USING (position_id) WHERE s.position_key = u.key AND n.quota_plan_version_id = version_id)
    ORDER BY u.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position % of % is not in the quota plan', coalesce('"' || wrong || '"', 'NULL'), load_quota_input.relation
            USING ERRCODE = 'undefined_object', HINT = 'Name a view that has positions of the plan only.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys, amounts) u(key, amount) WHERE u.amount < 0 OR u.amount IN ('NaN', 'Infinity') ORDER BY u.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of position "%" cannot be %', load_quota_input.name, wrong, (SELECT u.amount FROM unnest(keys, amounts) u(key, amount) WHERE u.key = wrong)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a view with amounts of zero or more.';
    END IF;
    CASE load_quota_input.name
        WHEN 'bottom_up', 'variance', 'at_least', 'at_most' THEN
            UPDATE spm.quota_plan_node n
            SET bottom_up = CASE load_quota_input.name WHEN 'bottom_up' THEN r.amount ELSE n.bottom_up END,
                variance = CASE load_quota_input.name WHEN 'variance' THEN r.amount ELSE n.variance END,
                at_least = CASE load_quota_input.name WHEN 'at_least' THEN r.amount ELSE n.at_least END,
                at_most = CASE load_quota_input.name WHEN 'at_most' THEN r.amount ELSE n.at_most END,
                reason = 'loaded from ' || load_quota_input.relation
            FROM unnest(keys, amounts) r(key, amount)
            JOIN spm.position s ON s.position_key = r.key
            WHERE n.quota_plan_version_id = version_id AND n.position_id = s.position_id;
        ELSE
            DELETE FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = version_id AND i.name = load_quota_input.name;
            INSERT INTO spm.quota_plan_input (quota_plan_version_id, name, position_id, amount)
            SELECT version_id, load_quota_input.name, s.position_id, r.amount
            FROM unnest(keys, amounts) r(key, amount) JOIN spm.position s ON s.position_key = r.key;
    END CASE;
    GET DIAGNOSTICS loaded = ROW_COUNT;
    PERFORM spm._note_quota_plan(version_id, NULL, 'input ' || load_quota_input.name,
        format('%s of %s seats from %s', (SELECT trim_scale(sum(a)) FROM unnest(amounts) a), loaded, load_quota_input.relation));
    RETURN loaded;
END
$$;
COMMENT ON FUNCTION spm.load_quota_input(text, text, regclass, text, text) IS
'Loads what is known of the seats of a draft from a table or view, and returns the number of seats. Several rows of a seat are added up; what was loaded by that name before gives way.
plan: name. name: what it is: history, potential, pipeline, capacity, or any other word; bottom_up, variance, at_least and at_most are columns of the seats themselves. relation: table or view. position: its column with the position_key. amount: its column with the amount, zero or more.
What a seat has of its own also counts for the seats above it, so it is enough to load those at the bottom.
Errors: 42704 unknown plan, or a position that is not in it; 55000 no draft; 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 22023 for negative amounts.
Example: SELECT spm.load_quota_input(''FY26'', ''history'', ''crm.sales_2025'', ''rep'', ''amount'');';

CREATE OR REPLACE FUNCTION spm.set_quota_factors(plan text, factors jsonb, level int DEFAULT 0)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(set_quota_factors.plan);
    wrong text;
BEGIN
    IF set_quota_factors.level IS NULL OR set_quota_factors.level < 0 OR set_quota_factors.level > 32767 THEN
        RAISE EXCEPTION 'level cannot be %', coalesce(set_quota_factors.level::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are counted from 1 at the top; 0 is all that have no factors of their own.';
    END IF;
    IF jsonb_typeof(set_quota_factors.factors) IS DISTINCT FROM 'object' OR set_quota_factors.factors = '{}' AND set_quota_factors.level = 0 THEN
        RAISE EXCEPTION 'factors cannot be %', coalesce(set_quota_factors.factors::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give inputs and their weights: {"history": 0.6, "potential": 0.3, "even": 0.1}.';
    END IF;
    SELECT f.key INTO wrong FROM jsonb_each(set_quota_factors.factors) f
    WHERE jsonb_typeof(f.value) <> 'number' OR CASE WHEN jsonb_typeof(f.value) = 'number' THEN (f.value #>> '{}')::numeric <= 0 END LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'weight of factor "%" cannot be %', wrong, set_quota_factors.factors ->> wrong
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A weight is a number greater than 0; leave out what does not count.';
    END IF;
    SELECT f.key INTO wrong FROM jsonb_object_keys(set_quota_factors.factors) f(key)
    WHERE f.key <> 'even' AND NOT EXISTS (SELECT FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = version_id AND i.name = f.key AND i.amount > 0) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'quota plan "%" has no input "%" greater than 0', set_quota_factors.plan, wrong
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.load_quota_input(%L, %L, relation, position, amount);', set_quota_factors.plan, wrong);
    END IF;
    DELETE FROM spm.quota_plan_factor f WHERE f.quota_plan_version_id = version_id AND f.level = set_quota_factors.level;
    INSERT INTO spm.quota_plan_factor (quota_plan_version_id, level, name, weight)
    SELECT version_id, set_quota_factors.level, f.key, f.value::numeric FROM jsonb_each_text(set_quota_factors.factors) f;
    PERFORM spm._note_quota_plan(version_id, NULL, 'factors' || coalesce(' of level ' || nullif(set_quota_factors.level, 0), ''), set_quota_factors.factors::text);
END
$$;
COMMENT ON FUNCTION spm.set_quota_factors(text, jsonb, int) IS
'Sets by what a draft divides: a seat''s share is the weighted mean of its shares in the inputs. One input alone, potential, also makes the largest ratio of quota to it as small as bounds allow.
plan: name. factors: inputs and their weights, which need not total 1: {"history": 0.6, "potential": 0.3, "even": 0.1}; even: every seat at the bottom counts the same. level: for the seats of that level (1 at the top); 0: for all levels that have none of their own. {} takes those of a level away.
Errors: 42704 unknown plan or input, 55000 no draft, 22023 for weights that are not greater than 0.
Example: SELECT spm.set_quota_factors(''FY26'', ''{"history": 0.6, "potential": 0.4}'');';

CREATE OR REPLACE FUNCTION spm.carry_quota(plan text, input text, ratio numeric)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(carry_quota.plan);
BEGIN
    PERFORM spm._quota_amount(carry_quota.ratio, 'ratio that is carried');
    IF carry_quota.ratio IS NOT NULL AND NOT EXISTS (SELECT FROM spm.quota_plan_input i WHERE i.quota_plan_version_id = version_id AND i.name = carry_quota.input) THEN
        RAISE EXCEPTION 'quota plan "%" has no input "%"', carry_quota.plan, carry_quota.input
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.load_quota_input(%L, %L, relation, position, amount);', carry_quota.plan, carry_quota.input);
    END IF;
    UPDATE spm.quota_plan_version v SET carry_input = CASE WHEN carry_quota.ratio IS NOT NULL THEN carry_quota.input END, carry_ratio = carry_quota.ratio
    WHERE v.quota_plan_version_id = version_id;
END
$$;
COMMENT ON FUNCTION spm.carry_quota(text, text, numeric) IS
'Everybody keeps a part of an input, and only the rest of the total is divided by the factors: what is retained of last year, and the growth by untapped potential.
plan: name. input: what is kept of. ratio: how much: 0.9 is 90 %; NULL: nothing is carried.
Errors: 42704 unknown plan or input, 55000 no draft, 22023 for a negative ratio.
Example: SELECT spm.carry_quota(''FY26'', ''history'', 0.9);';

CREATE OR REPLACE FUNCTION spm.set_quota_total(plan text, total numeric, reason text DEFAULT NULL, method text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(set_quota_total.plan);
BEGIN
    IF set_quota_total.method NOT IN ('share', 'reconcile') THEN
        RAISE EXCEPTION 'method "%" does not exist', set_quota_total.method USING ERRCODE = 'invalid_parameter_value', HINT = 'It is share or reconcile.';
    END IF;
    PERFORM spm._quota_amount(set_quota_total.total, 'total');
    IF EXISTS (SELECT FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = version_id AND mod(set_quota_total.total, v.unit) <> 0) THEN
        RAISE EXCEPTION 'a total of % is not divided in units of %', set_quota_total.total, (SELECT v.unit FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = version_id)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The total must be a multiple of the unit.';
    END IF;
    UPDATE spm.quota_plan_version v
    SET total = coalesce(set_quota_total.total, v.total), method = coalesce(set_quota_total.method, v.method), reason = coalesce(set_quota_total.reason, v.reason)
    WHERE v.quota_plan_version_id = version_id;
END
$$;
COMMENT ON FUNCTION spm.set_quota_total(text, numeric, text, text) IS
'Changes the total of a draft, or how it is divided; spm.allocate_quota_plan() then divides it anew.
plan: name. total: in the unit of the measure, a multiple of the plan''s unit; NULL: as it was. reason: kept. method: share (by factors) or reconcile (what seats asked for, in bottom_up, moved as little as the total allows); NULL: as it was.
Errors: 42704 unknown plan, 55000 no draft, 22023 for a total or method that makes no sense.
Example: SELECT spm.set_quota_total(''FY26'', 12600000, ''board, 5 March'');';

CREATE OR REPLACE FUNCTION spm.set_over_assignment(plan text, level int, ratio numeric)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(set_over_assignment.plan);
BEGIN
    IF set_over_assignment.level IS NULL OR set_over_assignment.level < 1 OR set_over_assignment.level > 32767
       OR set_over_assignment.ratio IS NULL OR set_over_assignment.ratio NOT BETWEEN 0 AND 1 OR scale(trim_scale(set_over_assignment.ratio)) > 6 THEN
        RAISE EXCEPTION 'over-assignment of level % cannot be %', coalesce(set_over_assignment.level::text, 'NULL'), coalesce(set_over_assignment.ratio::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are counted from 1 at the top; the ratio is from 0 to 1, with at most six decimals: 0.05 for 5 %.';
    END IF;
    INSERT INTO spm.quota_plan_level AS l (quota_plan_version_id, level, over_assignment)
    VALUES (version_id, set_over_assignment.level, trim_scale(set_over_assignment.ratio))
    ON CONFLICT ON CONSTRAINT quota_plan_level_pkey DO UPDATE SET over_assignment = EXCLUDED.over_assignment;
    PERFORM spm._note_quota_plan(version_id, NULL, 'over-assignment of level ' || set_over_assignment.level, trim_scale(set_over_assignment.ratio)::text);
END
$$;
COMMENT ON FUNCTION spm.set_over_assignment(text, int, numeric) IS
'Lets the seats of a level assign more to those below them than they have themselves, so that a number is reached although not everybody reaches theirs.
plan: name. level: of the seats that assign, 1 at the top. ratio: 0.05 for 5 % more; 0 to 1.
Errors: 42704 unknown plan, 55000 no draft, 22023 for another ratio.
Example: SELECT spm.set_over_assignment(''FY26'', 2, 0.05);';

-- --------------------------------------------------------- bounds and overrides

CREATE OR REPLACE FUNCTION spm.bound_quotas(plan text, input text, at_least numeric DEFAULT NULL, at_most numeric DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(bound_quotas.plan);
    bound bigint;
BEGIN
    PERFORM spm._quota_amount(bound_quotas.at_least, 'the least ratio'), spm._quota_amount(bound_quotas.at_most, 'the most');
    IF bound_quotas.at_least > bound_quotas.at_most THEN
        RAISE EXCEPTION 'quotas cannot be at least % and at most % of "%"', bound_quotas.at_least, bound_quotas.at_most, bound_quotas.input
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the smaller ratio as at_least.';
    END IF;
    UPDATE spm.quota_plan_node n
    SET at_least = ceil(i.amount * bound_quotas.at_least / v.unit) * v.unit,
        -- a ratio that falls between two units leaves one of them
        at_most = CASE WHEN bound_quotas.at_most IS NOT NULL THEN greatest(ceil(i.amount * bound_quotas.at_least / v.unit), floor(i.amount * bound_quotas.at_most / v.unit)) * v.unit END,
        reason = coalesce(bound_quotas.reason, concat_ws(' and ', 'at least ' || bound_quotas.at_least, 'at most ' || bound_quotas.at_most) || ' of ' || bound_quotas.input)
    FROM spm.quota_plan_input i JOIN spm.quota_plan_version v USING (quota_plan_version_id)
    WHERE n.quota_plan_version_id = version_id AND i.quota_plan_version_id = version_id AND i.position_id = n.position_id AND i.name = bound_quotas.input
      AND NOT EXISTS (SELECT FROM spm.quota_plan_node c WHERE c.quota_plan_version_id = version_id AND c.parent_position_id = n.position_id);
    GET DIAGNOSTICS bound = ROW_COUNT;
    IF bound = 0 THEN
        RAISE EXCEPTION 'quota plan "%" has no input "%"', bound_quotas.plan, bound_quotas.input
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.load_quota_input(%L, %L, relation, position, amount);', bound_quotas.plan, bound_quotas.input);
    END IF;
    RETURN bound;
END
$$;
COMMENT ON FUNCTION spm.bound_quotas(text, text, numeric, numeric, text) IS
'Binds the quotas of all seats at the bottom to an input, and returns how many there are: no less than 95 % and no more than 130 % of last year''s. Bounds are rounded inward to units.
plan: name. input: what they are bound to. at_least, at_most: ratios: 0.95, 1.3; NULL: no bound. reason: kept with the seats.
Errors: 42704 unknown plan or input, 55000 no draft, 22023 for ratios that make no sense.
Example: SELECT spm.bound_quotas(''FY26'', ''last quota'', 0.95, 1.3);';

CREATE OR REPLACE FUNCTION spm.bound_quota(plan text, "position" text, at_least numeric, at_most numeric, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(bound_quota.plan);
    seat int := spm._quota_seat(version_id, bound_quota."position");
BEGIN
    PERFORM spm._check_text(bound_quota.reason, 'reason'), spm._quota_amount(bound_quota.at_least, 'the least quota'), spm._quota_amount(bound_quota.at_most, 'the most');
    IF bound_quota.at_least > bound_quota.at_most THEN
        RAISE EXCEPTION 'the quota of position "%" cannot be at least % and at most %', bound_quota."position", bound_quota.at_least, bound_quota.at_most
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the smaller amount as at_least.';
    END IF;
    UPDATE spm.quota_plan_node n SET at_least = bound_quota.at_least, at_most = bound_quota.at_most, reason = bound_quota.reason
    WHERE n.quota_plan_version_id = version_id AND n.position_id = seat;
END
$$;
COMMENT ON FUNCTION spm.bound_quota(text, text, numeric, numeric, text) IS
'Sets what a seat of a draft is to have at least and at most; a team''s bounds are those of its manager''s seat.
plan: name. position: position_key. at_least, at_most: in the unit of the measure; NULL: no bound. reason: why, kept.
Errors: 42704 unknown plan or position, 55000 no draft, 22023 for bounds that make no sense or no reason.
Example: SELECT spm.bound_quota(''FY26'', ''U-17'', 200000, 300000, ''new in the patch'');';

CREATE OR REPLACE FUNCTION spm.request_quota(plan text, "position" text, amount numeric, reason text DEFAULT NULL, variance numeric DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(request_quota.plan);
    seat int := spm._quota_seat(version_id, request_quota."position");
BEGIN
    PERFORM spm._quota_amount(request_quota.amount, 'amount'), spm._quota_amount(request_quota.variance, 'variance');
    UPDATE spm.quota_plan_node n SET bottom_up = request_quota.amount, variance = request_quota.variance, reason = request_quota.reason
    WHERE n.quota_plan_version_id = version_id AND n.position_id = seat;
END
$$;
COMMENT ON FUNCTION spm.request_quota(text, text, numeric, text, numeric) IS
'Records what a seat asks for, bottom up; the method reconcile brings requests and total together.
plan: name. position: position_key. amount: in the unit of the measure; NULL takes it back. reason: why. variance: how unsure it is: requests move in proportion to it, and who has 0 is not moved; NULL: the amount itself, which moves everybody by the same percentage.
Errors: 42704 unknown plan or position, 55000 no draft, 22023 for negative amounts.
Example: SELECT spm.request_quota(''FY26'', ''U-17'', 240000, ''Acme renews in May'');';

CREATE OR REPLACE FUNCTION spm.set_quota_season(plan text, shares numeric[], "position" text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(set_quota_season.plan);
    seat int := CASE WHEN set_quota_season."position" IS NOT NULL THEN spm._quota_seat(version_id, set_quota_season."position") END;
    parts int := cardinality(spm._quota_plan_periods((spm._quota_version(set_quota_season.plan)).quota_plan_id));
BEGIN
    IF set_quota_season.shares IS NOT NULL AND (array_ndims(set_quota_season.shares) IS DISTINCT FROM 1 OR cardinality(set_quota_season.shares) <> parts) THEN
        RAISE EXCEPTION 'the plan is published for % periods, and there are % shares', parts, cardinality(set_quota_season.shares)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a share for each.';
    END IF;
    IF array_position(set_quota_season.shares, NULL) IS NOT NULL OR NOT 0 <= ALL (set_quota_season.shares) OR NOT 'Infinity' > ALL (set_quota_season.shares)
       OR NOT 0 < ANY (set_quota_season.shares) THEN
        RAISE EXCEPTION 'a season cannot be %', set_quota_season.shares
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Shares are zero or more, and one of them is more; they need not total 1.';
    END IF;
    DELETE FROM spm.quota_plan_season s
    WHERE s.quota_plan_version_id = version_id AND (s.position_id = seat OR seat IS NULL AND s.position_id IN (
        SELECT n.position_id FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = version_id AND n.parent_position_id IS NULL));
    IF set_quota_season.shares IS NOT NULL THEN
        INSERT INTO spm.quota_plan_season (quota_plan_version_id, position_id, shares)
        SELECT version_id, n.position_id, set_quota_season.shares FROM spm.quota_plan_node n
        WHERE n.quota_plan_version_id = version_id AND (n.position_id = seat OR seat IS NULL AND n.parent_position_id IS NULL);
    END IF;
    PERFORM spm._note_quota_plan(version_id, seat, 'season', set_quota_season.shares::text);
END
$$;
COMMENT ON FUNCTION spm.set_quota_season(text, numeric[], text) IS
'Sets how the quotas of a seat and all below it are divided among the periods they are published for. Seats at the bottom have the season of the nearest seat above; who is above has what comes of them.
plan: name. shares: one for each period in order, which need not total 1; NULL: by calendar days again. position: position_key; NULL: everybody.
Errors: 42704 unknown plan or position, 55000 no draft, 22023 for shares that make no sense.
Example: SELECT spm.set_quota_season(''FY26'', ''{0.2,0.22,0.25,0.33}'');';
