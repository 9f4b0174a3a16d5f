/*
 * compensation/functions_plan.sql: what a plan version says, as one document.
 *
 * The document names things where the tables have keys, and says nothing of
 * what has its default.  It is made from the columns that the tables have, so
 * that a new column needs nothing here, and does not change what older versions
 * say as long as its default means what was before; a new table needs a line in
 * spm._plan_part(), a new reference one in spm._named() and spm._keyed().
 */

CREATE OR REPLACE FUNCTION spm._plan_part()
    RETURNS TABLE (relation text, parent text, field text, number text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES ('component', 'plan_version', 'components', 'component_no'),
           ('tier', 'component', 'tiers', 'bounds'),
           ('component_input', 'component', 'inputs', 'input_no'),
           ('modifier', 'component', 'modifiers', 'modifier_no'),
           ('pay_rule', 'plan_version', 'pay_rules', 'rule_no');
END;
COMMENT ON FUNCTION spm._plan_part() IS
'The tables that a plan version consists of: the table it belongs to, the field of the document that has its rows, and the column they are ordered by.';
REVOKE ALL ON FUNCTION spm._plan_part() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._column_default(relation text)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_ jsonb;
BEGIN
    EXECUTE (SELECT format('SELECT to_jsonb(d) FROM (SELECT %s) d',
                 string_agg(format('%s AS %I', coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL'), a.attname), ', '))
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = format('spm.%I', _column_default.relation)::regclass
               AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '') INTO row_;
    RETURN row_;
END
$$;
COMMENT ON FUNCTION spm._column_default(text) IS 'Columns of a table of the extension that are not generated, with their defaults; null for those without.';
REVOKE ALL ON FUNCTION spm._column_default(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._named(row_ jsonb, defaults jsonb, parent text)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(CASE WHEN e.key IN ('measure_id', 'variable_id', 'lookup_id') THEN left(e.key, -3) ELSE e.key END,
        CASE e.key
            WHEN 'measure_id' THEN (SELECT to_jsonb(m.name) FROM spm.measure m WHERE m.measure_id = e.value::int)
            WHEN 'variable_id' THEN (SELECT to_jsonb(v.name) FROM spm.variable v WHERE v.variable_id = e.value::int)
            WHEN 'lookup_id' THEN (SELECT to_jsonb(l.name) FROM spm.lookup l WHERE l.lookup_id = e.value::int)
            ELSE e.value END), '{}')
    FROM jsonb_each(_named.row_) e
    -- the row's own key has no place among the defaults
    WHERE _named.defaults ? e.key AND e.value <> _named.defaults -> e.key AND e.key <> _named.parent || '_id';
END;
COMMENT ON FUNCTION spm._named(jsonb, jsonb, text) IS 'A row of a plan version as the document has it: without its keys and defaults, with names for what it refers to.';
REVOKE ALL ON FUNCTION spm._named(jsonb, jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keyed(element jsonb)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_ jsonb := _keyed.element - '{measure,variable,lookup}'::text[];
    id int;
BEGIN
    IF _keyed.element ->> 'measure' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('measure_id', spm._measure_id(_keyed.element ->> 'measure'));
    END IF;
    IF _keyed.element ->> 'variable' IS NOT NULL THEN
        SELECT v.variable_id INTO id FROM spm.variable v WHERE v.name = _keyed.element ->> 'variable';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'variable "%" does not exist', _keyed.element ->> 'variable'
                USING ERRCODE = 'undefined_object',
                      HINT = format('SELECT spm.set_variable(%L, value, payee => ...);', _keyed.element ->> 'variable');
        END IF;
        row_ := row_ || jsonb_build_object('variable_id', id);
    END IF;
    IF _keyed.element ->> 'lookup' IS NOT NULL THEN
        SELECT l.lookup_id INTO id FROM spm.lookup l WHERE l.name = _keyed.element ->> 'lookup';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'lookup table "%" does not exist', _keyed.element ->> 'lookup'
                USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.lookup;';
        END IF;
        row_ := row_ || jsonb_build_object('lookup_id', id);
    END IF;
    RETURN row_;
END
$$;
COMMENT ON FUNCTION spm._keyed(jsonb) IS 'The way back of spm._named(): keys for names, or error 42704.';
REVOKE ALL ON FUNCTION spm._keyed(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._part_content(parent text, parent_id int)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    part record;
    elements jsonb;
    content jsonb := '{}';
BEGIN
    FOR part IN
        SELECT p.*, EXISTS (SELECT FROM spm._plan_part() c WHERE c.parent = p.relation) AS is_parent
        FROM spm._plan_part() p WHERE p.parent = _part_content.parent
    LOOP
        EXECUTE format('SELECT jsonb_agg(spm._named(to_jsonb(r), $2, $3)%s ORDER BY r.%I) FROM spm.%I r WHERE r.%I = $1',
            CASE WHEN part.is_parent THEN format(' || spm._part_content(%L, r.%I)', part.relation, part.relation || '_id') ELSE '' END,
            part.number, part.relation, part.parent || '_id')
            INTO elements USING _part_content.parent_id, spm._column_default(part.relation), part.parent;
        IF elements IS NOT NULL THEN
            content := content || jsonb_build_object(part.field, elements);
        END IF;
    END LOOP;
    RETURN content;
END
$$;
COMMENT ON FUNCTION spm._part_content(text, int) IS 'What hangs below a row of a plan version, one field a table.';
REVOKE ALL ON FUNCTION spm._part_content(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_content(plan_version_id int)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT spm._part_content('plan_version', _plan_content.plan_version_id);
END;
COMMENT ON FUNCTION spm._plan_content(int) IS
'Everything a plan version says: {"components": [{"name": ..., "tiers": [...], "inputs": [...], "modifiers": [...]}]}. What others may change by date, such as the rows of a lookup table, is meant by its name.';
REVOKE ALL ON FUNCTION spm._plan_content(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_part(parent text, parent_id int, content jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    part record;
    element record;
    defaults jsonb;
    row_ jsonb;
    below text[];
    unknown text;
    id int;
BEGIN
    FOR part IN SELECT p.* FROM spm._plan_part() p WHERE p.parent = _write_part.parent LOOP
        defaults := spm._column_default(part.relation);
        below := array(SELECT c.field FROM spm._plan_part() c WHERE c.parent = part.relation);
        FOR element IN SELECT e.value, e.ordinality AS nth FROM jsonb_array_elements(_write_part.content -> part.field) WITH ORDINALITY e LOOP
            row_ := CASE WHEN part.number LIKE '%\_no' THEN jsonb_build_object(part.number, element.nth) ELSE '{}' END
                || spm._keyed(element.value - below) || jsonb_build_object(part.parent || '_id', _write_part.parent_id);
            SELECT k INTO unknown FROM jsonb_object_keys(row_) k WHERE NOT defaults ? k ORDER BY k LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION '"%" is not known in "%" of a plan', unknown, part.field
                    USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It stands in %s.', left(element.value::text, 200)),
                          HINT = 'A newer version of spm may know it; or it is misspelt.';
            END IF;
            EXECUTE format('INSERT INTO spm.%1$I (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::spm.%1$I, $1) RETURNING %3$s', part.relation,
                (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(defaults) k),
                CASE WHEN below <> '{}' THEN quote_ident(part.relation || '_id') ELSE 'NULL' END)
                INTO id USING defaults || row_;
            IF below <> '{}' THEN
                PERFORM spm._write_part(part.relation, id, element.value);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._write_part(text, int, jsonb) IS 'Writes what spm._part_content() has read below a row. Error 22023 for what no column knows, 42704 for an unknown name.';
REVOKE ALL ON FUNCTION spm._write_part(text, int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_content(plan_version_id int, content jsonb)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    SELECT spm._write_part('plan_version', _write_content.plan_version_id, _write_content.content);
END;
COMMENT ON FUNCTION spm._write_content(int, jsonb) IS
'Writes what spm._plan_content() has read into a version that is empty. The expressions in it must have been checked.';
REVOKE ALL ON FUNCTION spm._write_content(int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_hash(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(convert_to(spm._plan_content(_plan_hash.plan_version_id)::text, 'UTF8')), 'hex');
END;
COMMENT ON FUNCTION spm._plan_hash(int) IS 'SHA-256 of everything a plan version says: the same wherever it says the same.';
REVOKE ALL ON FUNCTION spm._plan_hash(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_hash_before(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(convert_to(coalesce(jsonb_agg(jsonb_build_array(
               c.component_id, c.component_no, c.name, c.credit_kind, c.measure_expression, c.eligibility_expression,
               c.unit, c.measure_id, c.accumulate, c.tier_basis, c.rate_options, c.variable_id, c.places, c.rounding,
               (SELECT jsonb_agg(jsonb_build_array(t.bounds::text, t.rate::text) ORDER BY lower(t.bounds))
                FROM spm.tier t WHERE t.component_id = c.component_id)) ORDER BY c.component_no)::text, ''), 'UTF8')), 'hex')
    FROM spm.component c
    WHERE c.plan_version_id = _plan_hash_before.plan_version_id
    -- it covers no more than this, so it is good for nothing that says more
    HAVING spm._plan_content(_plan_hash_before.plan_version_id) - 'components' = '{}'
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(spm._plan_content(_plan_hash_before.plan_version_id) -> 'components') e, jsonb_object_keys(e.value) k
                       WHERE k NOT IN ('component_no', 'name', 'credit_kind', 'measure_expression', 'eligibility_expression', 'unit', 'measure',
                                       'accumulate', 'tier_basis', 'rate_options', 'variable', 'places', 'rounding', 'tiers'));
END;
COMMENT ON FUNCTION spm._plan_hash_before(int) IS
'SHA-256 of a plan version as spm 0.2.0 took it at publishing. NULL for a version that says what 0.2.0 could not.';
REVOKE ALL ON FUNCTION spm._plan_hash_before(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_as_published(plan_version_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(v.content_hash IN (spm._plan_hash(v.plan_version_id), spm._plan_hash_before(v.plan_version_id)), false)
    FROM spm.plan_version v WHERE v.plan_version_id = _is_as_published.plan_version_id;
END;
COMMENT ON FUNCTION spm._is_as_published(int) IS 'Whether a published plan version still says what it said then.';
REVOKE ALL ON FUNCTION spm._is_as_published(int) FROM PUBLIC;
