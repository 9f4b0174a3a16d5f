/*
 * territory/functions.sql: models of territories, their trees, attributes and
 * rules, and who holds them.
 *
 * A model is named by its name; where it is left out, the one active model is
 * meant or, before any is active, the only one that is planned. Where several
 * are active, it is the one that has territories today.
 */

-- --------------------------------------------------------------------- models

CREATE OR REPLACE FUNCTION spm._territory_model(model text DEFAULT NULL)
    RETURNS spm.territory_model
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model;
    names text[];
BEGIN
    IF _territory_model.model IS NOT NULL THEN
        SELECT m.* INTO it FROM spm.territory_model m WHERE m.name = _territory_model.model;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'territory model "%" does not exist', _territory_model.model
                USING ERRCODE = 'undefined_object',
                      HINT = coalesce('There are: ' || spm._near(_territory_model.model, ARRAY(SELECT m.name FROM spm.territory_model m)) || '.',
                                      format('Add it: SELECT spm.add_territory_model(%L);', _territory_model.model));
        END IF;
        RETURN it;
    END IF;
    -- as find_version() in territory_book.c
    names := ARRAY(SELECT m.name FROM spm.territory_model m
                   WHERE m.state = 'active' AND EXISTS (SELECT FROM spm.territory t WHERE t.territory_model_id = m.territory_model_id AND t.span @> current_date)
                   ORDER BY m.name COLLATE "C");
    IF names = '{}' THEN
        names := ARRAY(SELECT m.name FROM spm.territory_model m WHERE m.state = 'active' ORDER BY m.name COLLATE "C");
    END IF;
    IF names = '{}' THEN
        names := ARRAY(SELECT m.name FROM spm.territory_model m WHERE m.state = 'plan' ORDER BY m.name COLLATE "C");
    END IF;
    IF names = '{}' THEN
        RAISE EXCEPTION 'there is no territory model'
            USING ERRCODE = 'undefined_object', HINT = 'Add one: SELECT spm.add_territory_model(''2026'');';
    ELSIF cardinality(names) > 1 THEN
        RAISE EXCEPTION 'it is not clear which territory model is meant'
            USING ERRCODE = 'undefined_object', DETAIL = format('There are %s.', array_to_string(names, ', ')),
                  HINT = format('Name it: model => %L; or let one alone be active: SELECT spm.activate_territory_model(%L);', names[1], names[1]);
    END IF;
    SELECT m.* INTO it FROM spm.territory_model m WHERE m.name = names[1];
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._territory_model(text) IS 'The model of that name; NULL: the one active model, of several the one that has territories today, or, where none is, the only planned one. Error 42704.';
REVOKE ALL ON FUNCTION spm._territory_model(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._open_territory_model(model text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(_open_territory_model.model);
BEGIN
    IF it.state = 'archived' THEN
        RAISE EXCEPTION 'territory model "%" is archived', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Plan with a copy: SELECT spm.copy_territory_model(%L, %L);', it.name, it.name || ' copy');
    END IF;
    RETURN it.territory_model_id;
END
$$;
COMMENT ON FUNCTION spm._open_territory_model(text) IS 'Key of a model that may be changed: as spm._territory_model(), and error 55000 for an archived one.';
REVOKE ALL ON FUNCTION spm._open_territory_model(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.map_accounts(model text, relation regclass, key text, family text DEFAULT NULL, potential text DEFAULT NULL,
                                            latitude text DEFAULT NULL, longitude text DEFAULT NULL, owner text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(map_accounts.model);
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    number_types constant text[] := '{numeric,integer,bigint,smallint,real,double precision}';
BEGIN
    PERFORM spm._check_relation(map_accounts.relation),
        spm._column_type(map_accounts.relation, map_accounts.key, 'key', label_types, NULL);
    IF map_accounts.family IS NOT NULL THEN
        PERFORM spm._column_type(map_accounts.relation, map_accounts.family, 'family', label_types, NULL);
    END IF;
    IF map_accounts.owner IS NOT NULL THEN
        PERFORM spm._column_type(map_accounts.relation, map_accounts.owner, 'owner', label_types, NULL);
    END IF;
    IF map_accounts.potential IS NOT NULL THEN
        PERFORM spm._column_type(map_accounts.relation, map_accounts.potential, 'potential', '{numeric,integer,bigint,smallint}', NULL);
    END IF;
    IF num_nonnulls(map_accounts.latitude, map_accounts.longitude) = 1 THEN
        RAISE EXCEPTION 'a point has a latitude and a longitude' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give both columns, or neither.';
    ELSIF map_accounts.latitude IS NOT NULL THEN
        PERFORM spm._column_type(map_accounts.relation, map_accounts.latitude, 'latitude', number_types, NULL),
            spm._column_type(map_accounts.relation, map_accounts.longitude, 'longitude', number_types, NULL);
    END IF;
    UPDATE spm.territory_model m SET relation_schema = n.nspname, relation_name = c.relname, key_column = map_accounts.key,
        family_column = map_accounts.family, potential_column = map_accounts.potential, owner_column = map_accounts.owner,
        latitude_column = map_accounts.latitude, longitude_column = map_accounts.longitude, version = m.version + 1
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE m.territory_model_id = model_id AND c.oid = map_accounts.relation;
END
$$;
COMMENT ON FUNCTION spm.map_accounts(text, regclass, text, text, text, text, text, text) IS
'Says where the accounts of a model are; nothing is copied. What was mapped before is replaced.
model: name; NULL: the one active model. relation: table or view with one row per account. Names of columns: key (account''s key), family (key of the account that heads its family: families stay together), potential (what it is worth; without one every account counts 1), latitude and longitude (degrees), owner (payee_key of its owner in the warehouse, to compare orders with).
Errors: 42704 for an unknown model, 55000 for an archived one; 42809, 42703, 42804, 42501 for a relation or column that will not do; 22023 for half a point.
Example: SELECT spm.map_accounts(''2026'', ''crm.account'', key => ''account_id'', family => ''parent_id'', potential => ''potential'');';

CREATE OR REPLACE FUNCTION spm.add_territory_model(name text, relation regclass DEFAULT NULL, key text DEFAULT NULL, family text DEFAULT NULL,
                                                   potential text DEFAULT NULL, latitude text DEFAULT NULL, longitude text DEFAULT NULL, owner text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    PERFORM spm._check_text(add_territory_model.name, 'name');
    INSERT INTO spm.territory_model (name) VALUES (add_territory_model.name)
    ON CONFLICT DO NOTHING RETURNING territory_model_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'territory model "%" already exists', add_territory_model.name
            USING ERRCODE = 'duplicate_object', HINT = 'Take another name, such as that of the year.';
    END IF;
    IF add_territory_model.relation IS NOT NULL THEN
        PERFORM spm.map_accounts(add_territory_model.name, add_territory_model.relation, add_territory_model.key, add_territory_model.family,
                                 add_territory_model.potential, add_territory_model.latitude, add_territory_model.longitude, add_territory_model.owner);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_territory_model(text, regclass, text, text, text, text, text, text) IS
'Adds a model of territories in state plan, and returns its territory_model_id.
name: unique. relation and the columns: where its accounts are, as for spm.map_accounts(), which may also be called later.
Errors: 42710 when the name is taken; those of spm.map_accounts().
Example: SELECT spm.add_territory_model(''2026'', ''crm.account'', key => ''account_id'', potential => ''potential'');';

CREATE OR REPLACE FUNCTION spm.activate_territory_model(model text, archived text DEFAULT NULL, since date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it int := spm._open_territory_model(activate_territory_model.model);
    old int := CASE WHEN activate_territory_model.archived IS NOT NULL THEN spm._open_territory_model(activate_territory_model.archived) END;
    wrong record;
    source record;
BEGIN
    PERFORM spm._check_text(activate_territory_model.model, 'model');
    IF activate_territory_model.since IS NOT NULL AND old IS NULL THEN
        RAISE EXCEPTION 'since goes with the model that is archived'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it: archived => ''2025''. The days of a territory are given by spm.add_territory().';
    END IF;
    IF it = old THEN
        RAISE EXCEPTION 'a model cannot take the place of itself' USING ERRCODE = 'invalid_parameter_value', HINT = 'archived is the other model.';
    END IF;
    SELECT t.territory_key, t.span, m.name INTO wrong
    FROM spm.territory t JOIN spm.territory_model m USING (territory_model_id)
    WHERE t.territory_model_id = old AND lower(t.span) >= activate_territory_model.since
       OR t.territory_model_id = it AND upper(t.span) <= activate_territory_model.since
    ORDER BY t.territory_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'territory "%" of model "%" would have no day left', wrong.territory_key, wrong.name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It exists for %s.', wrong.span), HINT = 'Give another day, or delete the territory.';
    END IF;
    UPDATE spm.territory t SET span = t.span * CASE t.territory_model_id WHEN old THEN daterange(NULL, activate_territory_model.since) ELSE daterange(activate_territory_model.since, NULL) END
    WHERE t.territory_model_id IN (it, old) AND activate_territory_model.since IS NOT NULL;
    DELETE FROM spm.territory_assignment a WHERE a.territory_model_id = old AND lower(a.span) >= activate_territory_model.since;
    UPDATE spm.territory_assignment a SET span = daterange(lower(a.span), activate_territory_model.since)
    WHERE a.territory_model_id = old AND a.span @> activate_territory_model.since;
    UPDATE spm.territory_model m SET state = 'active' WHERE m.territory_model_id = it;
    -- until that day people work with the old one
    UPDATE spm.territory_model m SET state = 'archived' WHERE m.territory_model_id = old AND activate_territory_model.since > current_date IS NOT TRUE;
    FOR source IN
        -- 'territory 2025' goes on as 'territory 2026', 'territory' as 'territory 2026'
        SELECT CASE WHEN right(' ' || s.name, length(activate_territory_model.archived) + 1) = ' ' || activate_territory_model.archived
                    THEN left(s.name, -length(activate_territory_model.archived)) || activate_territory_model.model
                    ELSE s.name || ' ' || activate_territory_model.model END AS name,
               CASE s.relation_name WHEN 'territory_rule' THEN 'rule' ELSE 'assignment' END AS way, s.territory_type AS type
        FROM spm.territory_source s
        WHERE s.territory_model_id = old AND activate_territory_model.since IS NOT NULL
          AND NOT EXISTS (SELECT FROM spm.territory_source n
                          WHERE n.territory_model_id = it AND (n.relation_name, n.territory_type) = (s.relation_name, s.territory_type))
        ORDER BY s.territory_source_id
    LOOP
        -- a name that is taken stays with what has it
        PERFORM spm.credit_territories(source.name || CASE WHEN EXISTS (SELECT FROM spm.territory_source s WHERE s.name = source.name)
                                           THEN format(' (%s, %s)', source.type, source.way) ELSE '' END,
                                       source.way, source.type, activate_territory_model.model);
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm.activate_territory_model(text, text, date) IS
'Makes a planned model active. Several may be: calls that name none mean the one that has territories today.
model: name; archived: name of a model that it takes the place of; since: day from which on it does. On that day the territories and assignments of the one end, also locked ones, and the territories of the other begin; what is credited by the one (spm.credit_territories()) is from then on credited by the other, in the same way, under the name of the mapping with that of the model: no order is credited by both. With a day in the future the old model stays active until spm.archive_territory_model() is called; otherwise it is archived in the same step. Without a day, only the states change.
Errors: 42704 for an unknown model, 55000 for an archived one, 22023 without one, for one in place of itself, or when a territory would have no day left; those of spm.credit_territories().
Example: SELECT spm.activate_territory_model(''2026'', archived => ''2025'', since => ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.archive_territory_model(model text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM spm._check_text(archive_territory_model.model, 'model'), spm._territory_model(archive_territory_model.model);
    UPDATE spm.territory_model m SET state = 'archived' WHERE m.name = archive_territory_model.model;
END
$$;
COMMENT ON FUNCTION spm.archive_territory_model(text) IS
'Archives a model: it stays as it is, and what was assigned by it goes on explaining what was credited.
Errors: 42704 for an unknown model; 22023 without one.
Example: SELECT spm.archive_territory_model(''2025'');';

CREATE OR REPLACE FUNCTION spm._raise_territory_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    models int[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE spm.territory_model m SET version = m.version + 1;
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT array_agg(DISTINCT m.territory_model_id) FROM (%s) r JOIN %s', CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT * FROM new_row' WHEN 'DELETE' THEN 'SELECT * FROM old_row'
        ELSE 'SELECT * FROM new_row UNION ALL SELECT * FROM old_row' END, TG_ARGV[0]) INTO models;
    UPDATE spm.territory_model m SET version = m.version + 1 WHERE m.territory_model_id = ANY (models);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._raise_territory_version() IS 'Trigger: counts up the version of the models whose territories, attributes or rules a statement has changed. Argument: how a row r leads to its model m.';
REVOKE ALL ON FUNCTION spm._raise_territory_version() FROM PUBLIC;

DO $do$
DECLARE
    -- table, way from its row r to the model m
    way constant text[] := ARRAY[
        ['territory', 'spm.territory_model m USING (territory_model_id)'],
        ['territory_attribute', 'spm.territory_model m USING (territory_model_id)'],
        ['territory_attribute_value', 'spm.territory_attribute m USING (territory_attribute_id)'],
        ['territory_rule', 'spm.territory m USING (territory_id)'],
        ['territory_condition', 'spm.territory_attribute m USING (territory_attribute_id)']];
    w text[];
BEGIN
    FOREACH w SLICE 1 IN ARRAY way LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER version_insert AFTER INSERT ON spm.%I REFERENCING NEW TABLE AS new_row
            FOR EACH STATEMENT EXECUTE FUNCTION spm._raise_territory_version(%L)', w[1], w[2]);
        EXECUTE format('CREATE OR REPLACE TRIGGER version_update AFTER UPDATE ON spm.%I REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
            FOR EACH STATEMENT EXECUTE FUNCTION spm._raise_territory_version(%L)', w[1], w[2]);
        EXECUTE format('CREATE OR REPLACE TRIGGER version_delete AFTER DELETE ON spm.%I REFERENCING OLD TABLE AS old_row
            FOR EACH STATEMENT EXECUTE FUNCTION spm._raise_territory_version(%L)', w[1], w[2]);
        EXECUTE format('CREATE OR REPLACE TRIGGER version_truncate AFTER TRUNCATE ON spm.%I FOR EACH STATEMENT EXECUTE FUNCTION spm._raise_territory_version()', w[1]);
    END LOOP;
END
$do$;

-- ---------------------------------------------------------------- territories

CREATE OR REPLACE FUNCTION spm._territory_id(territory text, model_id int)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := (SELECT t.territory_id FROM spm.territory t WHERE t.territory_model_id = _territory_id.model_id AND t.territory_key = _territory_id.territory);
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'territory "%" does not exist in model "%"', _territory_id.territory,
                (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = _territory_id.model_id)
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('Keys that look like it: ' || spm._near(_territory_id.territory,
                                      ARRAY(SELECT t.territory_key FROM spm.territory t WHERE t.territory_model_id = _territory_id.model_id)) || '.',
                                  format('Add it: SELECT spm.add_territory(%L, %L);',
                                      (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = _territory_id.model_id), _territory_id.territory));
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._territory_id(text, int) IS 'Key of the territory with that territory_key in a model; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._territory_id(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_territory(model text, key text, name text DEFAULT NULL, parent text DEFAULT NULL, type text DEFAULT NULL,
                                             since date DEFAULT NULL, until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(add_territory.model);
    above_id int := CASE WHEN add_territory.parent IS NOT NULL THEN spm._territory_id(add_territory.parent, model_id) END;
    above spm.territory;
    id int;
BEGIN
    PERFORM spm._check_text(add_territory.key, 'key');
    SELECT t.* INTO above FROM spm.territory t WHERE t.territory_id = above_id;
    IF add_territory.type NOT IN ('primary', 'overlay', 'specialist') THEN
        RAISE EXCEPTION 'type of a territory cannot be "%"', add_territory.type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is primary, overlay or specialist; left out, that of the territory above.';
    END IF;
    INSERT INTO spm.territory (territory_model_id, territory_key, name, type, parent_territory_id, span)
    VALUES (model_id, add_territory.key, coalesce(add_territory.name, add_territory.key), coalesce(add_territory.type, above.type, 'primary'),
            above.territory_id, spm._checked_span(add_territory.since, add_territory.until))
    ON CONFLICT ON CONSTRAINT territory_territory_model_id_territory_key_key DO NOTHING
    RETURNING territory_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'territory "%" already exists', add_territory.key
            USING ERRCODE = 'duplicate_object', HINT = 'To put it elsewhere: SELECT spm.move_territory(...); its name is in spm.territory.';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_territory(text, text, text, text, text, date, date) IS
'Adds a territory to a model, and returns its territory_id.
model: name; NULL: the one active model. key: short name, unique in the model; name: shown to people, NULL for the key; parent: key of the territory above; type: primary, overlay or specialist, NULL for that of the parent, or primary; since, until: days on which it exists, until exclusive.
Errors: 42704 for an unknown model or parent; 42710 when the key is taken; 22023 for another type or days the wrong way round; 55000 for an archived model.
Example: SELECT spm.add_territory(''2026'', ''US-W-CA'', ''California'', parent => ''US-W'');';

CREATE OR REPLACE FUNCTION spm.move_territory(territory text, parent text, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(move_territory.model);
    id int := spm._territory_id(move_territory.territory, model_id);
    above int := CASE WHEN move_territory.parent IS NOT NULL THEN spm._territory_id(move_territory.parent, model_id) END;
BEGIN
    UPDATE spm.territory t SET parent_territory_id = above WHERE t.territory_id = id AND t.parent_territory_id IS DISTINCT FROM above;
END
$$;
COMMENT ON FUNCTION spm.move_territory(text, text, text) IS
'Puts a territory, with all below it, under another one.
territory, parent: keys; NULL: to the top. model: name; NULL: the one active model.
Errors: 42704 for an unknown one; 23514 when it would lie below itself; 55000 for an archived model.
Example: SELECT spm.move_territory(''US-W-CA'', ''US-SW'');';

CREATE OR REPLACE FUNCTION spm.end_territory(territory text, since date, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(end_territory.model);
    id int := spm._territory_id(end_territory.territory, model_id);
    it spm.territory;
    below text;
BEGIN
    SELECT t.* INTO it FROM spm.territory t WHERE t.territory_id = id;
    IF end_territory.since IS NULL OR NOT coalesce(lower(it.span) < end_territory.since, true) THEN
        RAISE EXCEPTION 'territory "%" has no day before %', it.territory_key, coalesce(end_territory.since::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It exists for %s.', it.span),
                  HINT = 'since is the first day on which it no longer exists.';
    END IF;
    SELECT t.territory_key INTO below FROM spm.territory t
    WHERE t.parent_territory_id = it.territory_id AND coalesce(upper(t.span) > end_territory.since, true)
    ORDER BY t.territory_key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'territory "%" has territories below it', it.territory_key
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Such as "%s".', below),
                  HINT = format('End or move it first: SELECT spm.end_territory(%L, since => %L);', below, end_territory.since);
    END IF;
    UPDATE spm.territory t SET span = daterange(lower(it.span), end_territory.since) WHERE t.territory_id = it.territory_id;
    UPDATE spm.territory_holder h SET span = daterange(lower(h.span), end_territory.since)
    WHERE h.territory_id = it.territory_id AND h.span @> end_territory.since AND coalesce(lower(h.span) < end_territory.since, true);
    DELETE FROM spm.territory_holder h WHERE h.territory_id = it.territory_id AND lower(h.span) >= end_territory.since;
END
$$;
COMMENT ON FUNCTION spm.end_territory(text, date, text) IS
'Ends a territory: its rules and holders end with it. Its accounts stay until they are assigned anew: spm.assign_territories(as_of => since).
territory: key; since: first day on which it no longer exists; model: name; NULL: the one active model.
Errors: 42704 for an unknown one; 22023 when no day would be left; 55000 when territories below it go on, or for an archived model.
Example: SELECT spm.end_territory(''US-W-CA'', since => ''2026-07-01'');';

CREATE OR REPLACE FUNCTION spm._check_territory_tree()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT c.territory_key, o.territory_key AS parent_key INTO wrong
        FROM old_row o JOIN spm.territory c ON c.parent_territory_id = o.territory_id
        ORDER BY c.territory_id LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'territory "%" has territories below it', wrong.parent_key
                USING ERRCODE = 'foreign_key_violation', DETAIL = format('Such as "%s".', wrong.territory_key),
                      HINT = 'Move them first: SELECT spm.move_territory(...);';
        END IF;
        RETURN NULL;
    END IF;
    SELECT n.territory_key, n.parent_territory_id INTO wrong
    FROM new_row n
    WHERE n.parent_territory_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.territory p WHERE p.territory_id = n.parent_territory_id AND p.territory_model_id = n.territory_model_id)
    ORDER BY n.territory_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'territory "%" must lie below one of its own model', wrong.territory_key
            USING ERRCODE = 'foreign_key_violation', DETAIL = format('Its parent_territory_id is %s.', wrong.parent_territory_id);
    END IF;
    WITH RECURSIVE up AS (
        SELECT n.territory_id, n.parent_territory_id FROM new_row n WHERE n.parent_territory_id IS NOT NULL
        UNION
        SELECT up.territory_id, p.parent_territory_id
        FROM up JOIN spm.territory p ON p.territory_id = up.parent_territory_id AND p.parent_territory_id IS NOT NULL
    )
    SELECT t.territory_key INTO wrong
    FROM up JOIN spm.territory t ON t.territory_id = up.territory_id
    WHERE up.parent_territory_id = up.territory_id
    ORDER BY t.territory_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'territory "%" would lie below itself', wrong.territory_key
            USING ERRCODE = 'check_violation', HINT = 'Move what is between to the top first: SELECT spm.move_territory(..., NULL);';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_territory_tree() IS 'Trigger: territories of a model form a tree. Errors 23503, 23514.';
REVOKE ALL ON FUNCTION spm._check_territory_tree() FROM PUBLIC;

CREATE OR REPLACE TRIGGER tree_insert AFTER INSERT ON spm.territory REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION spm._check_territory_tree();
CREATE OR REPLACE TRIGGER tree_update AFTER UPDATE ON spm.territory REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION spm._check_territory_tree();
CREATE OR REPLACE TRIGGER tree_delete AFTER DELETE ON spm.territory REFERENCING OLD TABLE AS old_row
    FOR EACH STATEMENT EXECUTE FUNCTION spm._check_territory_tree();

-- -------------------------------------------------------------------- holders

CREATE OR REPLACE FUNCTION spm.hold_territory(territory text, "position" text, since date, until date DEFAULT NULL,
                                              share numeric DEFAULT 1, role text DEFAULT 'owner', model text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(hold_territory.model);
    id int := spm._territory_id(hold_territory.territory, model_id);
    seat int := spm._position_id(hold_territory."position");
    room daterange;
BEGIN
    PERFORM spm._check_text(hold_territory.role, 'role');
    IF NOT coalesce(hold_territory.share > 0 AND hold_territory.share <= 1, false) THEN
        RAISE EXCEPTION 'share of a holder cannot be %', coalesce(hold_territory.share::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write 60 % as 0.6.';
    END IF;
    room := spm._make_room('spm.territory_holder',
        jsonb_build_object('territory_id', id, 'position_id', seat, 'role', hold_territory.role)::text,
        format('position "%s" as %s of territory "%s"', hold_territory."position", hold_territory.role, hold_territory.territory),
        hold_territory.since, hold_territory.until);
    INSERT INTO spm.territory_holder (territory_id, position_id, role, share, span)
    VALUES (id, seat, hold_territory.role, hold_territory.share, room)
    RETURNING territory_holder_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.hold_territory(text, text, date, date, numeric, text, text) IS
'Lets a seat hold a territory from a day on, and returns the territory_holder_id. Several may hold it: each with a share and a role. What the same seat held before in that role ends the day before.
territory: key; position: key of the seat; since, until: days, until exclusive; share: of the credit, a ratio; role: owner, support ..., only owners are credited; model: name; NULL: the one active model.
Errors: 42704 for an unknown one; 22023 for another share or days the wrong way round; 23P01 when the seat holds it from that day already; 55000 for an archived model.
Example: SELECT spm.hold_territory(''US-W-CA'', ''AE-WEST-3'', since => ''2026-02-01'');';

CREATE OR REPLACE FUNCTION spm.leave_territory(territory text, "position" text, since date, role text DEFAULT 'owner', model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._territory_id(leave_territory.territory, spm._open_territory_model(leave_territory.model));
    seat int := spm._position_id(leave_territory."position");
BEGIN
    UPDATE spm.territory_holder h SET span = daterange(lower(h.span), leave_territory.since)
    WHERE h.territory_id = id AND h.position_id = seat AND h.role = leave_territory.role
      AND h.span @> leave_territory.since AND lower(h.span) IS DISTINCT FROM leave_territory.since;
    IF NOT FOUND THEN
        DELETE FROM spm.territory_holder h
        WHERE h.territory_id = id AND h.position_id = seat AND h.role = leave_territory.role AND lower(h.span) = leave_territory.since;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'position "%" does not hold territory "%" as % on %', leave_territory."position", leave_territory.territory,
                leave_territory.role, coalesce(leave_territory.since::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Who holds it when is in spm_bi.territory_holder.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.leave_territory(text, text, date, text, text) IS
'A seat no longer holds a territory from a day on. What begins on that day is taken back.
territory, position: keys; since: first day without; role: as what it held it; model: name; NULL: the one active model.
Errors: 42704 for an unknown one; 22023 when the seat does not hold it on that day; 55000 for an archived model.
Example: SELECT spm.leave_territory(''US-W-CA'', ''AE-WEST-3'', since => ''2026-07-01'');';
