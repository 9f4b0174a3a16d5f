/*
 * territory/functions_book.sql: what rules ask of an account, and the rules
 * themselves, as they are entered.
 */

-- ----------------------------------------------------------------- attributes

CREATE OR REPLACE FUNCTION spm._territory_attribute(attribute text, model_id int)
    RETURNS spm.territory_attribute
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_attribute;
BEGIN
    SELECT a.* INTO it FROM spm.territory_attribute a
    WHERE a.territory_model_id = _territory_attribute.model_id AND a.name = _territory_attribute.attribute;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'attribute "%" does not exist in model "%"', _territory_attribute.attribute,
                (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = _territory_attribute.model_id)
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('There are: ' || spm._near(_territory_attribute.attribute,
                                      ARRAY(SELECT a.name FROM spm.territory_attribute a WHERE a.territory_model_id = _territory_attribute.model_id)) || '. ', '')
                      || format('To add it: SELECT spm.add_territory_attribute(%L, %L);',
                                (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = _territory_attribute.model_id), _territory_attribute.attribute);
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._territory_attribute(text, int) IS 'The attribute of that name in a model; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._territory_attribute(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_territory_attribute(model text, name text, kind text DEFAULT 'text', column_name text DEFAULT NULL, longitude text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(add_territory_attribute.model);
    accounts regclass;
    id int;
BEGIN
    PERFORM spm._check_text(add_territory_attribute.name, 'name');
    IF add_territory_attribute.kind IS NULL OR add_territory_attribute.kind NOT IN ('text', 'number', 'date', 'boolean', 'tree', 'point') THEN
        RAISE EXCEPTION 'kind of an attribute cannot be "%"', add_territory_attribute.kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is text, number, date, boolean, tree or point.';
    ELSIF (add_territory_attribute.kind = 'point') <> (add_territory_attribute.longitude IS NOT NULL) THEN
        RAISE EXCEPTION 'a point has a latitude and a longitude, and nothing else has'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For a point: kind => ''point'', column_name => ''lat'', longitude => ''lon''.';
    END IF;
    INSERT INTO spm.territory_attribute (territory_model_id, name, kind, column_name, longitude_column)
    VALUES (model_id, add_territory_attribute.name, add_territory_attribute.kind,
            coalesce(add_territory_attribute.column_name, add_territory_attribute.name), add_territory_attribute.longitude)
    ON CONFLICT ON CONSTRAINT territory_attribute_territory_model_id_name_key DO NOTHING
    RETURNING territory_attribute_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'attribute "%" already exists', add_territory_attribute.name
            USING ERRCODE = 'duplicate_object', HINT = 'Take another name; two attributes may ask the same column.';
    END IF;
    -- the column may also be a key of the jsonb column attributes, which only the rows can tell
    SELECT to_regclass(quote_ident(m.relation_schema) || '.' || quote_ident(m.relation_name)) INTO accounts
    FROM spm.territory_model m WHERE m.territory_model_id = model_id;
    IF accounts IS NOT NULL AND spm._type_name(accounts, 'attributes') IS DISTINCT FROM 'jsonb' THEN
        PERFORM spm._check_attribute_column(a, accounts) FROM spm.territory_attribute a WHERE a.territory_attribute_id = id;
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_territory_attribute(text, text, text, text, text) IS
'Adds what rules of a model may ask of an account or a transaction, and returns its territory_attribute_id.
model: name; NULL: the one active model. name: in conditions. kind: text (compared by bytes), number, date, boolean, tree (text in a hierarchy, see spm.load_attribute_tree) or point. column_name: column, or key of a jsonb column attributes; NULL: the name. longitude: the same for the longitude of a point, whose latitude is column_name.
Errors: 42704 for an unknown model; 42710 when the name is taken; 22023 for another kind; 42703, 42804, 42501 when the accounts have no such column; 55000 for an archived model.
Example: SELECT spm.add_territory_attribute(''2026'', ''employees'', ''number'', column_name => ''employee_count'');';

CREATE OR REPLACE FUNCTION spm._check_attribute_column(attribute spm.territory_attribute, relation regclass)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    number_types constant text[] := '{numeric,integer,bigint,smallint,real,double precision}';
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
BEGIN
    PERFORM spm._column_type(_check_attribute_column.relation, (_check_attribute_column.attribute).column_name, 'column_name',
        CASE (_check_attribute_column.attribute).kind
            WHEN 'number' THEN '{numeric,integer,bigint,smallint}' WHEN 'point' THEN number_types
            WHEN 'date' THEN '{date}' WHEN 'boolean' THEN '{boolean}' ELSE label_types END, NULL);
    IF (_check_attribute_column.attribute).longitude_column IS NOT NULL THEN
        PERFORM spm._column_type(_check_attribute_column.relation, (_check_attribute_column.attribute).longitude_column, 'longitude', number_types, NULL);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_attribute_column(spm.territory_attribute, regclass) IS 'Error 42703, 42804 or 42501 unless a relation has the columns of an attribute, of a type that will do.';
REVOKE ALL ON FUNCTION spm._check_attribute_column(spm.territory_attribute, regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_territory_attributes(model text, names text[], kind text DEFAULT 'text')
    RETURNS int
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(spm.add_territory_attribute(add_territory_attributes.model, n, add_territory_attributes.kind))::int
    FROM unnest(add_territory_attributes.names) n
$$;
COMMENT ON FUNCTION spm.add_territory_attributes(text, text[], text) IS
'Adds several attributes of one kind whose columns have their names, and returns their number.
Errors: as for spm.add_territory_attribute().
Example: SELECT spm.add_territory_attributes(''2026'', ''{state,industry,tier}'');';

CREATE OR REPLACE FUNCTION spm.load_attribute_tree(attribute text, relation regclass, value text, parent text, model text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_attribute := spm._territory_attribute(load_attribute_tree.attribute, spm._open_territory_model(load_attribute_tree.model));
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    n bigint;
BEGIN
    IF it.kind <> 'tree' THEN
        RAISE EXCEPTION 'attribute "%" is a % and not a tree', it.name, it.kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Add it with kind => ''tree''.';
    END IF;
    PERFORM spm._check_relation(load_attribute_tree.relation),
        spm._column_type(load_attribute_tree.relation, load_attribute_tree.value, 'value', label_types, NULL),
        spm._column_type(load_attribute_tree.relation, load_attribute_tree.parent, 'parent', label_types, NULL);
    DELETE FROM spm.territory_attribute_value v WHERE v.territory_attribute_id = it.territory_attribute_id;
    -- a value that is only named as a parent is at the top
    EXECUTE format('WITH pair AS MATERIALIZED (
            SELECT DISTINCT r.%I::text AS value, nullif(r.%I::text, '''') AS parent FROM %s r)
        INSERT INTO spm.territory_attribute_value (territory_attribute_id, value, parent_value)
        SELECT $1, p.value, p.parent FROM pair p WHERE p.value IS NOT NULL
        UNION
        SELECT $1, p.parent, NULL FROM pair p WHERE p.parent IS NOT NULL AND NOT EXISTS (SELECT FROM pair o WHERE o.value = p.parent)',
        load_attribute_tree.value, load_attribute_tree.parent, load_attribute_tree.relation) USING it.territory_attribute_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_attribute_tree(text, regclass, text, text, text) IS
'Loads the hierarchy of a tree attribute from a relation, in place of what is there, and returns the number of values.
attribute: name. relation: one row per value. value, parent: columns with it and with the value above it, NULL or empty at the top. model: name; NULL: the one active model.
Errors: 42704 for an unknown one; 22023 when the attribute is no tree; 42809, 42703, 42804, 42501 for a relation or column that will not do; 23505 for a value with two parents; 23514 for values that lie below themselves; 55000 for an archived model.
Example: SELECT spm.load_attribute_tree(''region'', ''geo.region'', value => ''code'', parent => ''part_of'');';

CREATE OR REPLACE FUNCTION spm._check_value_tree()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    WITH RECURSIVE changed AS (
        SELECT DISTINCT n.territory_attribute_id FROM new_row n
    ), down AS (
        SELECT v.territory_attribute_id, v.value FROM spm.territory_attribute_value v JOIN changed USING (territory_attribute_id)
        WHERE v.parent_value IS NULL
        UNION ALL
        SELECT v.territory_attribute_id, v.value
        FROM down d JOIN spm.territory_attribute_value v ON v.territory_attribute_id = d.territory_attribute_id AND v.parent_value = d.value
    )
    SELECT a.name, v.value, v.parent_value INTO wrong
    FROM spm.territory_attribute_value v
    JOIN changed USING (territory_attribute_id)
    JOIN spm.territory_attribute a USING (territory_attribute_id)
    WHERE NOT EXISTS (SELECT FROM down d WHERE d.territory_attribute_id = v.territory_attribute_id AND d.value = v.value)
    ORDER BY v.value COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'values of attribute "%" do not form a tree', wrong.name
            USING ERRCODE = 'check_violation', DETAIL = format('From "%s" under "%s" no way leads to a top.', wrong.value, wrong.parent_value),
                  HINT = 'Every parent is a value itself, and none lies below itself.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_value_tree() IS 'Trigger: the values of a tree attribute form a tree. Error 23514.';
REVOKE ALL ON FUNCTION spm._check_value_tree() FROM PUBLIC;

CREATE OR REPLACE TRIGGER tree_insert AFTER INSERT ON spm.territory_attribute_value REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION spm._check_value_tree();
CREATE OR REPLACE TRIGGER tree_update AFTER UPDATE ON spm.territory_attribute_value REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION spm._check_value_tree();

-- ----------------------------------------------------------------- conditions

CREATE OR REPLACE FUNCTION spm._condition_operand(value jsonb, attribute spm.territory_attribute)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    operand text := _condition_operand.value #>> '{}';
    kind constant text := (_condition_operand.attribute).kind;
BEGIN
    IF jsonb_typeof(_condition_operand.value) IN ('object', 'array', 'null') OR kind IN ('text', 'tree') AND jsonb_typeof(_condition_operand.value) = 'boolean' THEN
        RAISE EXCEPTION 'attribute "%" cannot be compared with %', (_condition_operand.attribute).name, _condition_operand.value
            USING ERRCODE = 'invalid_parameter_value', HINT = format('It is a %s: give one value, or an array of values.', kind);
    END IF;
    BEGIN
        operand := CASE kind WHEN 'number' THEN trim_scale(operand::numeric)::text WHEN 'date' THEN operand::date::text
                             WHEN 'boolean' THEN operand::boolean::text ELSE operand END;
    EXCEPTION WHEN data_exception THEN
        operand := NULL;
    END;
    IF operand IS NULL OR kind IN ('number', 'date') AND lower(operand) ~ 'nan|infinity' THEN
        RAISE EXCEPTION 'attribute "%" cannot be compared with %', (_condition_operand.attribute).name, _condition_operand.value
            USING ERRCODE = 'invalid_parameter_value', HINT = format('It is a %s.', kind);
    END IF;
    RETURN operand;
END
$$;
COMMENT ON FUNCTION spm._condition_operand(jsonb, spm.territory_attribute) IS 'A value of a condition as text, as the kind of the attribute is written; error 22023 when it is none.';
REVOKE ALL ON FUNCTION spm._condition_operand(jsonb, spm.territory_attribute) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._parsed_condition(attribute spm.territory_attribute, condition jsonb, is_negated boolean DEFAULT false)
    RETURNS TABLE (operator text, negated boolean, operands text[])
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it constant spm.territory_attribute := _parsed_condition.attribute;
    given constant jsonb := _parsed_condition.condition;
    possible constant text[] := CASE it.kind
        WHEN 'text' THEN '{in,range,prefix,"null"}'::text[] WHEN 'tree' THEN '{in,under,"null"}' WHEN 'point' THEN '{within,"null"}'
        WHEN 'boolean' THEN '{in,"null"}' ELSE '{in,range,"null"}' END;
    part record;
    used text;
BEGIN
    IF given IS NULL OR jsonb_typeof(given) = 'null' THEN
        RETURN QUERY SELECT 'null', _parsed_condition.is_negated, '{}'::text[];
        RETURN;
    ELSIF jsonb_typeof(given) <> 'object' THEN
        RETURN QUERY SELECT c.* FROM spm._parsed_condition(it, jsonb_build_object('in', given), _parsed_condition.is_negated) c;
        RETURN;
    ELSIF given = '{}' THEN
        RAISE EXCEPTION 'condition on attribute "%" says nothing', it.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the attribute out where any value will do.';
    END IF;
    FOR part IN SELECT e.key, e.value FROM jsonb_each(given) e ORDER BY e.key COLLATE "C" LOOP
        used := CASE WHEN part.key IN ('from', 'to') THEN 'range' ELSE part.key END;
        IF used = 'not' THEN
            RETURN QUERY SELECT c.* FROM spm._parsed_condition(it, part.value, NOT _parsed_condition.is_negated) c;
            CONTINUE;
        ELSIF part.key = 'to' AND given ? 'from' THEN
            CONTINUE;
        END IF;
        operands := CASE WHEN used = 'range' THEN ARRAY(
                SELECT CASE WHEN given -> k IS NOT NULL AND jsonb_typeof(given -> k) <> 'null' THEN spm._condition_operand(given -> k, it) END
                FROM unnest('{from,to}'::text[]) WITH ORDINALITY u(k, i) ORDER BY u.i)
            WHEN used = 'null' THEN '{}'
            WHEN used = 'within' AND jsonb_typeof(part.value) = 'array' THEN ARRAY(SELECT v #>> '{}' FROM jsonb_array_elements(part.value) v)
            WHEN used = 'within' THEN '{}'
            WHEN NOT used = ANY (possible) THEN '{}'
            ELSE ARRAY(SELECT DISTINCT spm._condition_operand(v, it) COLLATE "C"
                       FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value ELSE jsonb_build_array(part.value) END) v ORDER BY 1) END;
        PERFORM spm._check_condition(it, used, operands, possible);
        IF used = 'null' AND jsonb_typeof(part.value) <> 'boolean' THEN
            RAISE EXCEPTION 'attribute "%" is null, or it is not', it.name USING ERRCODE = 'invalid_parameter_value', HINT = 'Write {"null": true} or {"null": false}.';
        END IF;
        RETURN QUERY SELECT used, _parsed_condition.is_negated <> (used = 'null' AND part.value = 'false'), operands;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._parsed_condition(spm.territory_attribute, jsonb, boolean) IS 'What a rule asks of one attribute, as rows of spm.territory_condition; error 22023 for what makes no sense.';
REVOKE ALL ON FUNCTION spm._parsed_condition(spm.territory_attribute, jsonb, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_condition(attribute spm.territory_attribute, operator text, operands text[], possible text[])
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it constant spm.territory_attribute := _check_condition.attribute;
    o constant text[] := _check_condition.operands;
    unknown text;
    problem text;
BEGIN
    IF NOT _check_condition.operator = ANY (_check_condition.possible) THEN
        RAISE EXCEPTION 'a % cannot be asked for "%"', it.kind, _check_condition.operator
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Attribute "%s".', it.name),
                  HINT = format('Possible are %s, and not.', array_to_string(array_replace(_check_condition.possible, 'range', 'from and to'), ', '));
    END IF;
    CASE _check_condition.operator
        WHEN 'range' THEN
            problem := CASE WHEN num_nonnulls(VARIADIC o) = 0 THEN 'it has neither from nor to'
                WHEN it.kind = 'number' AND o[1]::numeric > o[2]::numeric OR it.kind = 'date' AND o[1]::date > o[2]::date
                     OR it.kind = 'text' AND o[1] COLLATE "C" > o[2] COLLATE "C" THEN format('from %s is beyond to %s', o[1], o[2]) END;
        WHEN 'within' THEN
            problem := 'it is an array of latitude, longitude and kilometres';
            IF cardinality(o) = 3 AND o[1] ~ '^-?[0-9.]+(e-?[0-9]+)?$' AND o[2] ~ '^-?[0-9.]+(e-?[0-9]+)?$' AND o[3] ~ '^[0-9.]+(e-?[0-9]+)?$' THEN
                problem := CASE WHEN NOT o[1]::numeric BETWEEN -90 AND 90 THEN format('latitude %s is not between -90 and 90', o[1])
                    WHEN NOT o[2]::numeric BETWEEN -180 AND 180 THEN format('longitude %s is not between -180 and 180', o[2])
                    WHEN o[3]::numeric NOT BETWEEN 0 AND 20040 THEN format('%s kilometres are more than the earth has', o[3]) END;
            END IF;
        WHEN 'null' THEN
            NULL;
        ELSE
            problem := CASE WHEN o = '{}' THEN 'it has no value' WHEN _check_condition.operator = 'prefix' AND '' = ANY (o) THEN 'a prefix is empty' END;
    END CASE;
    IF _check_condition.operator = 'under' THEN
        SELECT u INTO unknown FROM unnest(o) u
        WHERE NOT EXISTS (SELECT FROM spm.territory_attribute_value v WHERE v.territory_attribute_id = it.territory_attribute_id AND v.value = u) LIMIT 1;
        problem := coalesce(problem, '"' || unknown || '" is not in its tree');
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'condition on attribute "%" cannot be met', it.name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('%s: %s.', initcap(_check_condition.operator), problem),
                  HINT = CASE WHEN unknown IS NOT NULL THEN coalesce('Values that look like it: ' || spm._near(unknown,
                                  ARRAY(SELECT v.value FROM spm.territory_attribute_value v WHERE v.territory_attribute_id = it.territory_attribute_id)) || '.',
                                  format('Load the tree first: SELECT spm.load_attribute_tree(%L, ...);', it.name))
                              ELSE 'For example {"in": ["CA"]}, {"from": 100, "to": 999}, {"prefix": ["52"]}, {"within": [40.7, -74.0, 50]}.' END;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_condition(spm.territory_attribute, text, text[], text[]) IS 'Error 22023 for operands that an operator cannot take.';
REVOKE ALL ON FUNCTION spm._check_condition(spm.territory_attribute, text, text[], text[]) FROM PUBLIC;

-- ---------------------------------------------------------------------- rules

CREATE OR REPLACE FUNCTION spm.add_territory_rule(territory text, conditions jsonb, kind text DEFAULT 'rule', precedence int DEFAULT 1000,
                                                  inherited boolean DEFAULT false, since date DEFAULT NULL, until date DEFAULT NULL,
                                                  reason text DEFAULT NULL, model text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(add_territory_rule.model);
    place int := spm._territory_id(add_territory_rule.territory, model_id);
    id int;
BEGIN
    IF add_territory_rule.kind IS NULL OR add_territory_rule.kind NOT IN ('exception', 'named', 'rule') THEN
        RAISE EXCEPTION 'kind of a rule cannot be "%"', add_territory_rule.kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is exception, named or rule, in the order in which they go.';
    ELSIF jsonb_typeof(add_territory_rule.conditions) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'conditions of a rule must be a JSON object'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One key for each attribute: {"state": "CA", "employees": {"from": 100}}; {} is everything.';
    END IF;
    INSERT INTO spm.territory_rule (territory_id, kind, precedence, is_inherited, span, reason)
    VALUES (place, add_territory_rule.kind, coalesce(add_territory_rule.precedence, 1000), coalesce(add_territory_rule.inherited, false),
            spm._checked_span(add_territory_rule.since, add_territory_rule.until), add_territory_rule.reason)
    RETURNING territory_rule_id INTO id;
    INSERT INTO spm.territory_condition (territory_rule_id, territory_attribute_id, operator, is_negated, operands)
    SELECT id, a.territory_attribute_id, c.operator, c.negated, c.operands
    FROM jsonb_each(add_territory_rule.conditions) WITH ORDINALITY e(name, condition, place)
    CROSS JOIN LATERAL spm._territory_attribute(e.name, model_id) a
    CROSS JOIN LATERAL spm._parsed_condition(a, e.condition) c
    ORDER BY e.place;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_territory_rule(text, jsonb, text, int, boolean, date, date, text, text) IS
'Adds a rule that assigns what meets all its conditions to a territory, and returns its territory_rule_id.
territory: key. conditions: JSON object, a key for each attribute: a value or an array of values (one of them), null (has no value), or an object with from and to (both included), prefix, under (in a tree), within ([latitude, longitude, kilometres]), not (around any of these); {} is everything. kind: exception, named or rule: exceptions go before named accounts, those before rules. precedence: the lower goes first. inherited: whether its conditions also bind the rules of all territories below. since, until: days on which it holds, until exclusive. reason: why. model: name; NULL: the one active model.
Errors: 42704 for an unknown model, territory or attribute; 22023 for a condition that makes no sense; 55000 for an archived model.
Example: SELECT spm.add_territory_rule(''US-W-CA'', ''{"state": "CA", "employees": {"from": 100, "to": 999}, "industry": {"not": {"prefix": ["52"]}}}'');';

CREATE OR REPLACE FUNCTION spm.end_territory_rule(territory_rule_id int, since date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it record;
BEGIN
    SELECT r.span, t.territory_model_id INTO it
    FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) WHERE r.territory_rule_id = end_territory_rule.territory_rule_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'territory rule % does not exist', end_territory_rule.territory_rule_id
            USING ERRCODE = 'undefined_object', HINT = 'They are in spm.territory_rule.';
    END IF;
    PERFORM spm._open_territory_model(m.name) FROM spm.territory_model m WHERE m.territory_model_id = it.territory_model_id;
    IF end_territory_rule.since IS NULL OR coalesce(lower(it.span) >= end_territory_rule.since, false) THEN
        DELETE FROM spm.territory_rule r WHERE r.territory_rule_id = end_territory_rule.territory_rule_id;
    ELSE
        UPDATE spm.territory_rule r SET span = it.span * daterange(NULL, end_territory_rule.since)
        WHERE r.territory_rule_id = end_territory_rule.territory_rule_id;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.end_territory_rule(int, date) IS
'Ends a rule from a day on; without a day, or when it has not begun by then, takes it away. What it assigned stays until spm.assign_territories(rules => ...).
territory_rule_id: key; since: first day on which it no longer holds.
Errors: 42704 for an unknown one; 55000 for an archived model.
Example: SELECT spm.end_territory_rule(17, since => ''2026-07-01'');';

CREATE OR REPLACE FUNCTION spm.set_rule_precedence(territory_rule_id int, precedence int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_model text := (SELECT m.name FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) JOIN spm.territory_model m USING (territory_model_id)
                      WHERE r.territory_rule_id = set_rule_precedence.territory_rule_id);
BEGIN
    IF of_model IS NULL THEN
        RAISE EXCEPTION 'territory rule % does not exist', set_rule_precedence.territory_rule_id
            USING ERRCODE = 'undefined_object', HINT = 'They are in spm.territory_rule.';
    ELSIF set_rule_precedence.precedence IS NULL THEN
        RAISE EXCEPTION 'precedence must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'The lower goes first; rules have 1000 unless said otherwise.';
    END IF;
    PERFORM spm._open_territory_model(of_model);
    UPDATE spm.territory_rule r SET precedence = set_rule_precedence.precedence
    WHERE r.territory_rule_id = set_rule_precedence.territory_rule_id AND r.precedence <> set_rule_precedence.precedence;
END
$$;
COMMENT ON FUNCTION spm.set_rule_precedence(int, int) IS
'Lets a rule go before others of its kind, or after them. What it assigned stays until spm.assign_territories(rules => ...).
territory_rule_id: key; precedence: the lower goes first, 1000 where nothing was said.
Errors: 42704 for an unknown rule; 22004 for NULL; 55000 for an archived model.
Example: SELECT spm.set_rule_precedence(4, 100);';

CREATE OR REPLACE FUNCTION spm._account_attribute(model_id int)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model;
    found_name text;
BEGIN
    SELECT m.* INTO it FROM spm.territory_model m WHERE m.territory_model_id = _account_attribute.model_id;
    IF it.key_column IS NULL THEN
        RAISE EXCEPTION 'model "%" has no accounts', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Say where they are: SELECT spm.map_accounts(%L, ''crm.account'', key => ''account_id'');', it.name);
    END IF;
    SELECT a.name INTO found_name FROM spm.territory_attribute a
    WHERE a.territory_model_id = it.territory_model_id AND a.column_name = it.key_column AND a.kind = 'text'
    ORDER BY a.territory_attribute_id LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO spm.territory_attribute (territory_model_id, name, kind, column_name) VALUES (it.territory_model_id, 'account', 'text', it.key_column)
        RETURNING name INTO found_name;
    END IF;
    RETURN found_name;
END
$$;
COMMENT ON FUNCTION spm._account_attribute(int) IS 'Name of the attribute that asks for the key of an account; it is made where there is none. Error 55000 when a model has no accounts.';
REVOKE ALL ON FUNCTION spm._account_attribute(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._warn_of_accounts(rule_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked record;
    unknown text[];
BEGIN
    FOR asked IN
        SELECT k.attrelid::regclass AS relation, m.key_column, c.operands, k.atttypid IN ('int4'::regtype, 'int8'::regtype) AS is_integer
        FROM spm.territory_condition c
        JOIN spm.territory_attribute a USING (territory_attribute_id)
        JOIN spm.territory_model m ON m.territory_model_id = a.territory_model_id AND m.key_column = a.column_name
        JOIN pg_namespace s ON s.nspname = m.relation_schema
        JOIN pg_class l ON l.relnamespace = s.oid AND l.relname = m.relation_name
        JOIN pg_attribute k ON k.attrelid = l.oid AND k.attname = m.key_column
        WHERE c.territory_rule_id = _warn_of_accounts.rule_id AND c.operator = 'in' AND NOT c.is_negated
          AND has_schema_privilege(s.oid, 'USAGE') AND has_column_privilege(l.oid, k.attnum, 'SELECT')
    LOOP
        -- integers are compared as such, too, so that their index is used
        EXECUTE format('SELECT array_agg(u.key ORDER BY u.n) FROM unnest($1) WITH ORDINALITY u(key, n) WHERE NOT EXISTS (SELECT FROM %s r WHERE r.%I::text = u.key%s)',
            asked.relation, asked.key_column,
            CASE WHEN asked.is_integer THEN format($q$ AND r.%I = CASE WHEN u.key ~ '^-?[0-9]{1,18}$' THEN u.key::bigint END$q$, asked.key_column) END)
        INTO unknown USING asked.operands;
        IF unknown IS NOT NULL THEN
            RAISE WARNING 'not among the accounts now: %', array_to_string(unknown[:8], ', ') || CASE WHEN cardinality(unknown) > 8 THEN format(' and %s more', cardinality(unknown) - 8) ELSE '' END
                USING DETAIL = format('Accounts are in %s, their keys in %s.', asked.relation, asked.key_column),
                      HINT = format('The rule waits for them; if they are misspelt, SELECT spm.end_territory_rule(%s); and name them anew.', _warn_of_accounts.rule_id);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._warn_of_accounts(int) IS 'A warning with the keys that a rule names and that are not among the accounts now, as far as the caller may read them.';
REVOKE ALL ON FUNCTION spm._warn_of_accounts(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.name_accounts(territory text, keys text[], since date DEFAULT NULL, until date DEFAULT NULL,
                                             reason text DEFAULT NULL, precedence int DEFAULT 1000, model text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id constant int := spm.add_territory_rule(name_accounts.territory,
        jsonb_build_object(spm._account_attribute(spm._open_territory_model(name_accounts.model)), coalesce(to_jsonb(name_accounts.keys), '[]')),
        'named', name_accounts.precedence, false, name_accounts.since, name_accounts.until, name_accounts.reason, name_accounts.model);
BEGIN
    PERFORM spm._warn_of_accounts(id);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.name_accounts(text, text[], date, date, text, int, text) IS
'Names accounts of a territory, whatever the rules say, and returns the territory_rule_id.
territory: key. keys: of the accounts. since, until: days, until exclusive. reason: why. precedence: among lists of named accounts the lower goes first. model: name; NULL: the one active model.
A warning names keys that are not among the accounts now: they may come later.
Errors: those of spm.add_territory_rule(); 55000 when the model has no accounts.
Example: SELECT spm.name_accounts(''STRATEGIC'', ''{A-1001,A-1002}'', since => ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.add_exception(territory text, conditions jsonb, reason text, since date DEFAULT NULL, until date DEFAULT NULL,
                                             precedence int DEFAULT 1000, model text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    PERFORM spm._check_text(add_exception.reason, 'reason');
    id := spm.add_territory_rule(add_exception.territory, add_exception.conditions, 'exception', add_exception.precedence, false,
                                 add_exception.since, add_exception.until, add_exception.reason, add_exception.model);
    PERFORM spm._warn_of_accounts(id);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_exception(text, jsonb, text, date, date, int, text) IS
'Adds a rule that goes before all named accounts and rules, and returns its territory_rule_id.
territory, conditions, since, until, precedence, model: as for spm.add_territory_rule(). reason: why, which must be said.
A warning names accounts that are not there now: they may come later.
Errors: those of spm.add_territory_rule(); 22023 without a reason.
Example: SELECT spm.add_exception(''US-E'', ''{"account": "A-1001"}'', ''headquarters move in May'', until => ''2026-06-01'');';
