/*
 * core/functions_people.sql: payees, the seats they sit in, and the tree of seats.
 */

-- ------------------------------------------------------ payees and positions

CREATE OR REPLACE FUNCTION spm._payee_id(payee text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT payee_id INTO found_id FROM spm.payee AS p WHERE p.payee_key = _payee_id.payee;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'payee "%" does not exist', payee
            USING ERRCODE = '42704', HINT = coalesce(
                'Keys that look like it: ' || spm._near(payee, ARRAY(SELECT payee_key FROM spm.payee)) || '.',
                format('Add the payee: SELECT spm.add_payee(%L, ''name'');', payee));
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._payee_id(text) IS 'Key of the payee with that payee_key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._payee_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._position_id(position_key text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT position_id INTO found_id FROM spm.position AS p WHERE p.position_key = _position_id.position_key;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'position "%" does not exist', position_key
            USING ERRCODE = '42704', HINT = coalesce(
                'Keys that look like it: ' || spm._near(position_key, ARRAY(SELECT p.position_key FROM spm.position AS p)) || '.',
                format('Add the position: SELECT spm.add_position(%L, ''name'');', position_key));
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._position_id(text) IS 'Key of the position with that position_key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._position_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._title_id(title text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT title_id INTO found_id FROM spm.title AS t WHERE t.name = _title_id.title;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'title "%" does not exist', title
            USING ERRCODE = '42704', HINT = coalesce(
                'Titles that look like it: ' || spm._near(title, ARRAY(SELECT t.name FROM spm.title AS t)) || '. ', '')
                || format('To add it: SELECT spm.add_title(%L);', title);
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._title_id(text) IS 'Key of the title of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._title_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_text(value text, what text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value IS NULL OR value = '' THEN
        RAISE EXCEPTION '% must not be empty', what USING ERRCODE = '22023', HINT = 'Give a text.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_text(text, text) IS 'Error 22023 for a NULL or empty text; what: its name in the error.';
REVOKE ALL ON FUNCTION spm._check_text(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_payee(payee_key text, name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(payee_key, 'payee_key'), spm._check_text(name, 'name');
    INSERT INTO spm.payee (payee_key, name) VALUES (add_payee.payee_key, add_payee.name)
    ON CONFLICT DO NOTHING RETURNING payee_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'payee "%" already exists', payee_key
            USING ERRCODE = '42710', HINT = 'Change the row in spm.payee if the name is wrong.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_payee(text, text) IS
'Adds somebody who is paid, without a seat, and returns the payee_id.
payee_key: key in the warehouse, what owner_key of a transaction holds; name: shown on statements.
Errors: 42710 when the key is taken; 22023 for an empty text.
Example: SELECT spm.add_payee(''U-17'', ''Dana Whitfield'');';

CREATE OR REPLACE FUNCTION spm.add_title(name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(name, 'name');
    INSERT INTO spm.title (name) VALUES (add_title.name)
    ON CONFLICT DO NOTHING RETURNING title_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'title "%" already exists', name
            USING ERRCODE = '42710', HINT = 'Use it: spm.add_position(..., title => ''...'').';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_title(text) IS
'Adds a class of positions that share plans, and returns the title_id.
Errors: 42710 when the name is taken; 22023 for an empty one.
Example: SELECT spm.add_title(''Account Executive'');';

CREATE OR REPLACE FUNCTION spm.add_position(position_key text, name text, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(position_key, 'position_key'), spm._check_text(name, 'name');
    INSERT INTO spm.position (position_key, name, title_id)
    VALUES (add_position.position_key, add_position.name,
        CASE WHEN add_position.title IS NOT NULL THEN spm._title_id(add_position.title) END)
    ON CONFLICT DO NOTHING RETURNING position_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'position "%" already exists', position_key
            USING ERRCODE = '42710', HINT = 'Change the row in spm.position if the name or the title is wrong.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_position(text, text, text) IS
'Adds a seat, vacant and reporting to nobody, and returns the position_id.
title: name of a title that exists, NULL for none.
Errors: 42710 when the key is taken; 42704 unknown title; 22023 for an empty text.
Example: SELECT spm.add_position(''AE-WEST-3'', ''West 3'', title => ''Account Executive'');';

CREATE OR REPLACE FUNCTION spm.assign_position(position_key text, payee text, since date, until date DEFAULT NULL, is_primary boolean DEFAULT true)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    person int := spm._payee_id(payee);
    room daterange;
    other record;
BEGIN
    room := spm._make_room('spm.position_assignment', jsonb_build_object('position_id', seat)::text,
        format('the payee of position "%s"', position_key), since, until);
    IF is_primary THEN
        SELECT p.position_key, a.span INTO other
        FROM spm.position_assignment AS a
        JOIN spm.position AS p USING (position_id)
        WHERE a.payee_id = person AND a.is_primary AND a.span && room
        ORDER BY a.span
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'payee "%" already has the primary seat "%"', payee, other.position_key
                USING ERRCODE = '23P01', DETAIL = format('It is held for %s, the new one would be for %s.', other.span, room),
                    HINT = format('Leave that seat first: SELECT spm.vacate_position(%L, since => %L); or hold both: is_primary => false.',
                        other.position_key, coalesce(lower(room), '-infinity'));
        END IF;
    END IF;
    INSERT INTO spm.position_assignment (position_id, payee_id, span, is_primary)
    VALUES (seat, person, room, assign_position.is_primary);
END
$$;
COMMENT ON FUNCTION spm.assign_position(text, text, date, date, boolean) IS
'Seats a payee from a day on. Whoever sat there leaves the day before; with until, they come back then.
payee: payee_key; until: first day after, NULL for no end or until the next one who is already assigned; is_primary: whether the payee''s own transactions are credited to this seat.
Errors: 42704 unknown position or payee; 23P01 when another assignment of the seat starts the same day or before until, or when the payee has another primary seat then; 22023 when until is not after since.
Example: SELECT spm.assign_position(''AE-WEST-3'', ''U-17'', since => ''2026-02-01'');';

CREATE OR REPLACE FUNCTION spm.vacate_position(position_key text, since date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    n bigint;
BEGIN
    UPDATE spm.position_assignment AS a SET span = daterange(lower(a.span), vacate_position.since)
    WHERE a.position_id = seat AND a.span @> vacate_position.since AND lower(a.span) IS DISTINCT FROM vacate_position.since;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        DELETE FROM spm.position_assignment AS a WHERE a.position_id = seat AND lower(a.span) = vacate_position.since;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF n = 0 THEN
        RAISE EXCEPTION 'nobody is in position "%" on %', position_key, since
            USING ERRCODE = '22023', HINT = 'Its history is in spm_bi.position_history.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.vacate_position(text, date) IS
'Whoever holds a seat on a day leaves it: their last day is the day before. An assignment that starts on that day is taken back.
Errors: 42704 unknown position; 22023 when nobody is in it.
Example: SELECT spm.vacate_position(''AE-WEST-3'', since => ''2026-05-01'');';

CREATE OR REPLACE FUNCTION spm.set_manager(position_key text, manager text, since date, until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    above int := CASE WHEN manager IS NOT NULL THEN spm._position_id(manager) END;
    room daterange;
BEGIN
    IF seat = above THEN
        RAISE EXCEPTION 'position "%" cannot report to itself', position_key
            USING ERRCODE = '23514', HINT = 'With NULL for the manager it reports to nobody.';
    END IF;
    room := spm._make_room('spm.reporting_line', jsonb_build_object('position_id', seat)::text,
        format('the manager of position "%s"', position_key), since, until);
    IF above IS NOT NULL THEN
        INSERT INTO spm.reporting_line (position_id, manager_position_id, span) VALUES (seat, above, room);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.set_manager(text, text, date, date) IS
'Lets a seat report to another from a day on. The line it follows ends the day before; with until, it holds again then.
manager: position_key of the seat above, NULL for nobody; until: first day after, NULL for no end or until the next line.
Errors: 42704 unknown position; 23514 when it would report to itself, directly or in a circle, which is named; 23P01 when a line starts the same day or before until; 22023 when until is not after since.
Example: SELECT spm.set_manager(''AE-WEST-3'', ''VP-WEST'', since => ''2026-02-01'');';

-- Index scans whatever the planner guesses: a plan made for 20,000 lines would
-- read the whole tree for the change of one.  Not && but isempty(): that leaves
-- the b-tree of position_id, which is faster than the constraint's index.
CREATE OR REPLACE FUNCTION spm._refresh_position_path(touched int[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_seqscan = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    circle record;
    affected int[];
BEGIN
    -- Below what changed, by the tree as it was: whoever comes in newly comes in by a line that was touched.
    affected := ARRAY(
        SELECT unnest(touched)
        UNION
        SELECT position_id FROM spm.position_path WHERE ancestor_position_id = ANY (touched));

    WITH RECURSIVE up AS (
        SELECT l.position_id, l.manager_position_id, l.span, ARRAY[l.position_id] AS trail
        FROM spm.reporting_line AS l
        WHERE l.position_id = ANY (touched)
        UNION ALL
        SELECT up.position_id, l.manager_position_id, up.span * l.span, up.trail || l.position_id
        FROM up
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND NOT isempty(up.span * l.span)
        WHERE up.manager_position_id <> ALL (up.trail)
    )
    SELECT up.trail || up.manager_position_id AS trail, coalesce(lower(up.span), upper(up.span) - 1) AS day INTO circle
    FROM up
    WHERE up.manager_position_id = up.position_id
    ORDER BY cardinality(up.trail), up.span, up.position_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'positions would report to each other in a circle'
            USING ERRCODE = '23514', CONSTRAINT = 'reporting_line_circle', TABLE = 'reporting_line',
                DETAIL = format('%s%s.',
                    (SELECT string_agg(p.position_key, ' reports to ' ORDER BY t.i)
                     FROM unnest(circle.trail) WITH ORDINALITY AS t (id, i)
                     JOIN spm.position AS p ON p.position_id = t.id),
                    coalesce(' on ' || to_char(circle.day, 'YYYY-MM-DD'), ' on every day')),
                HINT = 'End one of these lines first: SELECT spm.set_manager(position, NULL, since => day);';
    END IF;

    DELETE FROM spm.position_path WHERE position_id = ANY (affected);
    INSERT INTO spm.position_path (position_id, ancestor_position_id, depth, span)
    WITH RECURSIVE up AS (
        SELECT l.position_id, l.manager_position_id, 1 AS depth, l.span
        FROM spm.reporting_line AS l
        WHERE l.position_id = ANY (affected)
        UNION ALL
        SELECT up.position_id, l.manager_position_id, up.depth + 1, up.span * l.span
        FROM up
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND NOT isempty(up.span * l.span)
    )
    SELECT position_id, manager_position_id, depth, span FROM up;
END
$$;
COMMENT ON FUNCTION spm._refresh_position_path(int[]) IS
'Makes spm.position_path anew for the touched positions and everything below them.
Error 23514 when the lines of a touched position lead back to it; DETAIL names the circle and a day.';
REVOKE ALL ON FUNCTION spm._refresh_position_path(int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keep_position_path()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    touched int[];
BEGIN
    -- Two who change the tree at once could close a circle that neither of them sees.
    INSERT INTO spm.position_path_version (version) VALUES (1)
    ON CONFLICT (is_only) DO UPDATE SET version = position_path_version.version + 1;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM spm.position_path;
        RETURN NULL;
    END IF;
    EXECUTE CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT array_agg(DISTINCT position_id) FROM new_line'
        WHEN 'DELETE' THEN 'SELECT array_agg(DISTINCT position_id) FROM old_line'
        ELSE 'SELECT array_agg(DISTINCT position_id) FROM (
            (TABLE old_line EXCEPT TABLE new_line) UNION ALL (TABLE new_line EXCEPT TABLE old_line)) AS changed' END
        INTO touched;
    IF touched <> '{}' THEN
        PERFORM spm._refresh_position_path(touched);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._keep_position_path() IS 'Trigger: keeps spm.position_path in step with spm.reporting_line. Errors: 23514 for a circle, 40001 when another transaction changed the tree in between.';
REVOKE ALL ON FUNCTION spm._keep_position_path() FROM PUBLIC;
CREATE OR REPLACE TRIGGER reporting_line_inserted AFTER INSERT ON spm.reporting_line
    REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE OR REPLACE TRIGGER reporting_line_updated AFTER UPDATE ON spm.reporting_line
    REFERENCING OLD TABLE AS old_line NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE OR REPLACE TRIGGER reporting_line_deleted AFTER DELETE ON spm.reporting_line
    REFERENCING OLD TABLE AS old_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE OR REPLACE TRIGGER reporting_line_truncated AFTER TRUNCATE ON spm.reporting_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();

CREATE OR REPLACE FUNCTION spm.rebuild_position_path()
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE spm.position_path_version SET version = version + 1;
    DELETE FROM spm.position_path;
    PERFORM spm._refresh_position_path(ARRAY(SELECT DISTINCT position_id FROM spm.reporting_line));
    RETURN (SELECT count(*) FROM spm.position_path);
END
$$;
COMMENT ON FUNCTION spm.rebuild_position_path() IS
'Makes spm.position_path anew from spm.reporting_line and returns its number of rows. Needed only after triggers were switched off, as pg_restore --disable-triggers does.
Errors: 23514 when the lines form a circle.
Example: SELECT spm.rebuild_position_path();';

CREATE OR REPLACE FUNCTION spm.load_payees(relation regclass, key text, name text, manager text DEFAULT NULL, title text DEFAULT NULL,
    since date DEFAULT '-infinity', since_column text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    key_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric}';
    keys text[];
    names text[];
    managers text[];
    titles text[];
    starts date[];
    wrong record;
BEGIN
    PERFORM spm._column_type(relation, key, 'key', key_types, NULL),
        spm._column_type(relation, name, 'name', '{text,character varying,character,name}', NULL);
    IF manager IS NOT NULL THEN
        PERFORM spm._column_type(relation, manager, 'manager', key_types, NULL);
    END IF;
    IF title IS NOT NULL THEN
        PERFORM spm._column_type(relation, title, 'title', '{text,character varying,character,name}', NULL);
    END IF;
    IF since_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, since_column, 'since_column', '{date,timestamp without time zone}', NULL);
    END IF;

    -- One reading of the relation: what follows sees the same rows throughout.
    EXECUTE format('SELECT array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')),
            array_agg(nullif(greatest($1, %s::date), ''-infinity'')) FROM %s',
        quote_ident(key), quote_ident(name), coalesce(quote_ident(manager), 'NULL'), coalesce(quote_ident(title), 'NULL'),
        coalesce(quote_ident(since_column), 'NULL'), relation)
        INTO keys, names, managers, titles, starts USING since;

    SELECT u.key, u.name INTO wrong FROM unnest(keys, names) AS u (key, name) WHERE u.key IS NULL OR u.name IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a payee in % has no %', relation, CASE WHEN wrong.key IS NULL THEN 'key' ELSE 'name' END
            USING ERRCODE = '23502', DETAIL = format('It is %s.', coalesce(quote_literal(wrong.key), quote_literal(wrong.name), 'an empty row')),
                HINT = 'Correct the row, or name a view without it.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys) AS u (key) GROUP BY u.key HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payee "%" is in % more than once', wrong.key, relation
            USING ERRCODE = '23505', HINT = 'Name a view with one row per payee. Changes over time: spm.set_manager() and spm.assign_position().';
    END IF;
    SELECT u.key, u.manager INTO wrong
    FROM unnest(keys, managers) AS u (key, manager)
    WHERE u.manager IS NOT NULL
        AND NOT EXISTS (SELECT FROM unnest(keys) AS k (key) WHERE k.key = u.manager)
        AND NOT EXISTS (SELECT FROM spm.position AS p WHERE p.position_key = u.manager)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'manager "%" of payee "%" does not exist', wrong.manager, wrong.key
            USING ERRCODE = '23503', HINT = 'Add the manager to the relation, or leave the column empty.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys, managers) AS u (key, manager) WHERE u.key = u.manager LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" cannot report to itself', wrong.key
            USING ERRCODE = '23514', HINT = format('Name a view with nullif(%I, %I) for the manager.', manager, key);
    END IF;

    INSERT INTO spm.title (name)
    SELECT DISTINCT u.title FROM unnest(titles) AS u (title) WHERE u.title IS NOT NULL ORDER BY 1
    ON CONFLICT DO NOTHING;
    INSERT INTO spm.payee AS p (payee_key, name)
    SELECT u.key, u.name FROM unnest(keys, names) WITH ORDINALITY AS u (key, name, i) ORDER BY u.key COLLATE "C"
    ON CONFLICT (payee_key) DO UPDATE SET name = EXCLUDED.name WHERE p.name <> EXCLUDED.name;
    INSERT INTO spm.position AS p (position_key, name, title_id)
    SELECT u.key, u.name, t.title_id
    FROM unnest(keys, names, titles) AS u (key, name, title)
    LEFT JOIN spm.title AS t ON t.name = u.title
    ORDER BY u.key COLLATE "C"
    ON CONFLICT (position_key) DO UPDATE SET title_id = EXCLUDED.title_id
        WHERE load_payees.title IS NOT NULL AND p.title_id IS DISTINCT FROM EXCLUDED.title_id;

    INSERT INTO spm.position_assignment (position_id, payee_id, span)
    SELECT s.position_id, p.payee_id, daterange(u.start, NULL)
    FROM unnest(keys, starts) AS u (key, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.payee AS p ON p.payee_key = u.key
    WHERE NOT EXISTS (
            SELECT FROM spm.position_assignment AS a WHERE a.position_id = s.position_id AND a.span && daterange(u.start, NULL))
        AND NOT EXISTS (
            SELECT FROM spm.position_assignment AS a WHERE a.payee_id = p.payee_id AND a.is_primary AND a.span && daterange(u.start, NULL))
    ORDER BY s.position_id;

    IF manager IS NULL THEN
        RETURN coalesce(cardinality(keys), 0);
    END IF;
    SELECT u.key, l.span, m.position_key INTO wrong
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.reporting_line AS l ON l.position_id = s.position_id
    JOIN spm.position AS m ON m.position_id = l.manager_position_id
    WHERE l.span && daterange(u.start, NULL) AND m.position_key IS DISTINCT FROM u.manager
        AND (u.start IS NULL OR lower(l.span) >= u.start)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" already reports to "%"', wrong.key, wrong.position_key
            USING ERRCODE = '23P01', DETAIL = format('That line holds for %s.', wrong.span),
                HINT = 'Say from which day the relation holds, later than that: since => ''2026-03-01''.';
    END IF;
    UPDATE spm.reporting_line AS l SET span = daterange(lower(l.span), u.start)
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    LEFT JOIN spm.position AS m ON m.position_key = u.manager
    WHERE l.position_id = s.position_id AND l.span @> u.start AND l.manager_position_id IS DISTINCT FROM m.position_id;
    INSERT INTO spm.reporting_line (position_id, manager_position_id, span)
    SELECT s.position_id, m.position_id, daterange(u.start, NULL)
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.position AS m ON m.position_key = u.manager
    WHERE NOT EXISTS (SELECT FROM spm.reporting_line AS l WHERE l.position_id = s.position_id AND l.span && daterange(u.start, NULL))
    ORDER BY s.position_id;
    RETURN coalesce(cardinality(keys), 0);
END
$$;
COMMENT ON FUNCTION spm.load_payees(regclass, text, text, text, text, date, text) IS
'Makes everybody in a table or view a payee in a seat of their own, and returns the number of rows. Keys of payee and seat are the same.
key, name: columns; manager: column with the key of the manager; title: column with the title, which is added if new; since: day from which seats and lines hold, -infinity for always; since_column: column with a day of one''s own, where that is later.
It can be run again, every night: who is new is added, names and titles follow, and a manager who has changed counts from since on (then give it: since => current_date). Who is gone stays, with spm.vacate_position() to call.
Errors: 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 23502 without key or name; 23505 for a key that is there twice; 23503 unknown manager; 23514 for a circle; 23P01 when another line starts on or after since.
Example: SELECT spm.load_payees(''crm.users'', key => ''id'', name => ''name'', manager => ''manager_id'');';
