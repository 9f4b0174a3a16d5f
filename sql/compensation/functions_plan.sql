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
    SET intervalstyle = 'postgres'
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
    SELECT coalesce(jsonb_object_agg(CASE WHEN e.key IN ('calendar_id', 'measure_id', 'variable_id', 'lookup_id') THEN left(e.key, -3) ELSE e.key END,
        CASE e.key
            WHEN 'calendar_id' THEN (SELECT to_jsonb(c.name) FROM spm.calendar c WHERE c.calendar_id = e.value::int)
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

CREATE OR REPLACE FUNCTION spm._plan_expression()
    RETURNS TABLE (field text, result_type text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES ('measure_expression', 'numeric'), ('eligibility_expression', 'boolean'), ('group_expression', 'text'), ('lookup_expressions', 'key');
END;
COMMENT ON FUNCTION spm._plan_expression() IS 'Columns of the tables of a plan version that hold expressions over a transaction, and their types; key: an array of keys for a lookup table.';
REVOKE ALL ON FUNCTION spm._plan_expression() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keyed(element jsonb)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_ jsonb := _keyed.element - '{calendar,measure,variable,lookup}'::text[];
    expression record;
BEGIN
    IF _keyed.element ->> 'calendar' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('calendar_id', spm._calendar_id(_keyed.element ->> 'calendar'));
    END IF;
    IF _keyed.element ->> 'measure' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('measure_id', spm._measure_id(_keyed.element ->> 'measure'));
    END IF;
    IF _keyed.element ->> 'variable' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('variable_id', spm._variable_id(_keyed.element ->> 'variable'));
    END IF;
    IF _keyed.element ->> 'lookup' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('lookup_id', spm._lookup_id(_keyed.element ->> 'lookup'));
    END IF;
    -- whoever wrote it: nothing becomes part of a plan unchecked
    FOR expression IN SELECT x.* FROM spm._plan_expression() x WHERE row_ ->> x.field IS NOT NULL LOOP
        row_ := row_ || jsonb_build_object(expression.field, CASE expression.result_type
            WHEN 'key' THEN (SELECT jsonb_agg(spm._checked_key(e.value) ORDER BY e.ordinality)
                             FROM jsonb_array_elements_text(row_ -> expression.field) WITH ORDINALITY e)
            ELSE to_jsonb(spm.checked_expression(row_ ->> expression.field, expression.result_type::regtype)) END);
    END LOOP;
    PERFORM (row_ ->> 'rates')::spm.rate_schedule;
    RETURN row_;
END
$$;
COMMENT ON FUNCTION spm._keyed(jsonb) IS 'The way back of spm._named(): keys for names, or error 42704; expressions and rates are checked, with the errors of spm.checked_expression().';
REVOKE ALL ON FUNCTION spm._keyed(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._part_content(parent text, parent_id int)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
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

CREATE OR REPLACE FUNCTION spm._write_row(relation text, element jsonb, other jsonb, field text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    defaults jsonb := spm._column_default(_write_row.relation);
    row_ jsonb := spm._keyed(_write_row.element);
    key text := (SELECT quote_ident(a.attname) FROM pg_attribute a
                 WHERE a.attrelid = format('spm.%I', _write_row.relation)::regclass AND a.attidentity <> '');
    unknown text;
    id int;
BEGIN
    SELECT k INTO unknown FROM jsonb_object_keys(row_) k WHERE NOT defaults ? k OR _write_row.other ? k ORDER BY k LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not known in % of a plan', unknown, _write_row.field
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It stands in %s.', left(_write_row.element::text, 200)),
                  HINT = 'It is misspelt, or only a newer version of spm knows it.';
    END IF;
    EXECUTE format('INSERT INTO spm.%1$I (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::spm.%1$I, $1) RETURNING %3$s',
        _write_row.relation, (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(defaults) k), coalesce(key, 'NULL'))
        INTO id USING defaults || row_ || _write_row.other;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._write_row(text, jsonb, jsonb, text) IS
'Inserts an element of a plan document into its table, with other columns that it does not say, and returns its key if it has one. Error 22023 for what no column knows.';
REVOKE ALL ON FUNCTION spm._write_row(text, jsonb, jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._with_tiers(element jsonb)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _with_tiers.element ->> 'rates' IS NULL THEN _with_tiers.element ELSE
        _with_tiers.element - 'rates' || jsonb_build_object(
            'tier_basis', CASE WHEN spm._is_of_quota(s.schedule) THEN 'quota' ELSE 'amount' END,
            'rate_options', spm._rate_options(s.schedule),
            'tiers', (SELECT jsonb_agg(jsonb_build_object('bounds', numrange(t.tier_from, t.tier_to), 'rate', t.rate) ORDER BY t.tier_no)
                      FROM spm.tier(s.schedule) t)) END
    FROM (SELECT (_with_tiers.element ->> 'rates')::spm.rate_schedule AS schedule) s;
END;
COMMENT ON FUNCTION spm._with_tiers(jsonb) IS 'A component of a plan document, in which rates may be written as a rate schedule, with its tiers.';
REVOKE ALL ON FUNCTION spm._with_tiers(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_part(parent text, parent_id int, content jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
    element record;
    below text[];
    id int;
BEGIN
    FOR part IN SELECT p.* FROM spm._plan_part() p WHERE p.parent = _write_part.parent LOOP
        below := array(SELECT c.field FROM spm._plan_part() c WHERE c.parent = part.relation);
        FOR element IN
            SELECT CASE part.relation WHEN 'component' THEN spm._with_tiers(e.value) ELSE e.value END AS said, e.ordinality AS nth
            FROM jsonb_array_elements(_write_part.content -> part.field) WITH ORDINALITY e
        LOOP
            id := spm._write_row(part.relation,
                CASE WHEN part.number LIKE '%\_no' THEN jsonb_build_object(part.number, element.nth) ELSE '{}' END || (element.said - below),
                jsonb_build_object(part.parent || '_id', _write_part.parent_id), part.field);
            PERFORM spm._write_part(part.relation, id, element.said);
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._write_part(text, int, jsonb) IS 'Writes what spm._part_content() has read below a row.';
REVOKE ALL ON FUNCTION spm._write_part(text, int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_content(plan_version_id int, content jsonb)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    SELECT spm._write_part('plan_version', _write_content.plan_version_id, _write_content.content);
END;
COMMENT ON FUNCTION spm._write_content(int, jsonb) IS
'Writes what spm._plan_content() has read into a version that is empty. Elements without number are numbered, and a component may have its rates as a rate schedule instead of tiers.';
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

-- --------------------------------------------------------------- in and out

CREATE OR REPLACE FUNCTION spm._version_of(plan text, version_no int)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(_version_of.plan);
    id int;
BEGIN
    SELECT v.plan_version_id INTO id FROM spm.plan_version v
    WHERE v.plan_id = of_plan AND (_version_of.version_no IS NULL OR v.version_no = _version_of.version_no)
    ORDER BY v.version_no DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no version %', _version_of.plan, _version_of.version_no
            USING ERRCODE = 'undefined_object', HINT = 'SELECT version_no, span, state FROM spm.plan_version;';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._version_of(text, int) IS 'plan_version_id of a plan and version number, NULL for the latest; or error 42704.';
REVOKE ALL ON FUNCTION spm._version_of(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._lookup_content(lookup_id int)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT spm._named(to_jsonb(l), spm._column_default('lookup'), '') || jsonb_strip_nulls(jsonb_build_object('rows',
               (SELECT jsonb_agg(spm._named(to_jsonb(r), spm._column_default('lookup_row'), 'lookup')
                                 ORDER BY r.span, r.keys::text COLLATE "C", r.ranges::text COLLATE "C", r.value)
                FROM spm.lookup_row r WHERE r.lookup_id = l.lookup_id)))
    FROM spm.lookup l WHERE l.lookup_id = _lookup_content.lookup_id
$$;
COMMENT ON FUNCTION spm._lookup_content(int) IS 'A lookup table with its rows, as a plan document has it.';
REVOKE ALL ON FUNCTION spm._lookup_content(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.export_plan(plan text, version_no int DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT jsonb_build_object('spm_plan', 1, 'since', lower(v.span))
        || spm._named(to_jsonb(p), spm._column_default('plan'), '') || c.content
        || coalesce((SELECT jsonb_build_object('lookups', jsonb_agg(spm._lookup_content(l.lookup_id) ORDER BY l.name COLLATE "C"))
                     FROM spm.lookup l
                     WHERE to_jsonb(l.name) IN (SELECT jsonb_path_query(c.content, 'strict $.**.lookup', silent => true))
                     HAVING count(*) > 0), '{}')
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id), spm._plan_content(v.plan_version_id) AS c(content)
    WHERE v.plan_version_id = spm._version_of(export_plan.plan, export_plan.version_no)
$$;
COMMENT ON FUNCTION spm.export_plan(text, int) IS
'A version of a plan as one document, to be kept, compared, edited, and read with spm.import_plan(). It names its calendar, measures and variables; lookup tables come along with their rows. What has its default is not said.
plan: name. version_no: number; NULL: the latest.
Errors: 42704 for an unknown plan or version.
Example: SELECT jsonb_pretty(spm.export_plan(''Account Executive''));';

CREATE OR REPLACE FUNCTION spm._import_lookup(content jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := _import_lookup.content ->> 'name';
    of_row jsonb;
    id int;
BEGIN
    SELECT l.lookup_id INTO id FROM spm.lookup l WHERE l.name = _import_lookup.content ->> 'name';
    IF FOUND THEN
        IF spm._lookup_content(id) <> _import_lookup.content THEN
            RAISE EXCEPTION 'lookup table "%" exists, with other rows', name
                USING ERRCODE = 'duplicate_object', DETAIL = format('Here it is %s.', left(spm._lookup_content(id)::text, 200)),
                      HINT = 'Leave "lookups" out of the document to use the table that is there, or give the one in the document another name.';
        END IF;
        RETURN;
    END IF;
    id := spm._write_row('lookup', _import_lookup.content - 'rows', '{}', 'lookups');
    FOR of_row IN SELECT e.value FROM jsonb_array_elements(_import_lookup.content -> 'rows') e LOOP
        PERFORM spm._write_row('lookup_row', of_row, jsonb_build_object('lookup_id', id), 'rows');
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._import_lookup(jsonb) IS 'Writes a lookup table that spm._lookup_content() has read, unless it is there. Error 42710 when it is, but differs.';
REVOKE ALL ON FUNCTION spm._import_lookup(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._import_content(plan_version_id int, document jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lookup jsonb;
    digits int;
BEGIN
    SELECT c.minor_digits INTO digits
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id) JOIN spm.currency c USING (currency_code)
    WHERE v.plan_version_id = _import_content.plan_version_id;
    PERFORM spm._check_name('component', e.value ->> 'name') FROM jsonb_array_elements(_import_content.document -> 'components') e WHERE e.value ? 'name';
    FOR lookup IN SELECT e.value FROM jsonb_array_elements(_import_content.document -> 'lookups') e LOOP
        PERFORM spm._import_lookup(lookup);
    END LOOP;
    PERFORM spm._write_content(_import_content.plan_version_id, _import_content.document || jsonb_build_object('components', coalesce(
        (SELECT jsonb_agg(jsonb_build_object('places', digits, 'measure_expression', 'amount') || e.value ORDER BY e.ordinality)
         FROM jsonb_array_elements(_import_content.document -> 'components') WITH ORDINALITY e), '[]')));
END
$$;
COMMENT ON FUNCTION spm._import_content(int, jsonb) IS 'Writes lookup tables and content of a plan document into a version that is empty.';
REVOKE ALL ON FUNCTION spm._import_content(int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_document(document jsonb)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong text;
BEGIN
    IF jsonb_typeof(_check_document.document) IS DISTINCT FROM 'object' OR NOT _check_document.document ? 'spm_plan' THEN
        RAISE EXCEPTION 'this is no document of a plan'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A plan is an object with "spm_plan": 1.', HINT = 'SELECT spm.export_plan(plan); gives one.';
    END IF;
    IF _check_document.document -> 'spm_plan' <> '1' THEN
        RAISE EXCEPTION 'a document of a plan in format % cannot be read', _check_document.document ->> 'spm_plan'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'This version of spm reads format 1.', HINT = 'Update spm, or export the plan again.';
    END IF;
    SELECT k INTO wrong FROM jsonb_object_keys(_check_document.document) k
    WHERE k NOT IN ('spm_plan', 'since', 'lookups', 'calendar') AND NOT spm._column_default('plan') - 'calendar_id' ? k
      AND k NOT IN (SELECT p.field FROM spm._plan_part() p WHERE p.parent = 'plan_version')
    ORDER BY k LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not known in a plan', wrong
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is misspelt, or only a newer version of spm knows it.';
    END IF;
    SELECT k INTO wrong FROM unnest('{name,calendar,currency_code,since,components}'::text[]) k WHERE _check_document.document ->> k IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the document of the plan has no "%"', wrong
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT spm.export_plan(plan); shows how a plan is written.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_document(jsonb) IS 'Error 0A000 for a plan document of another format, 22023 for one that has too little or too much.';
REVOKE ALL ON FUNCTION spm._check_document(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.import_plan(document jsonb, name text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    said jsonb := CASE WHEN jsonb_typeof(import_plan.document) = 'object'
        THEN import_plan.document || jsonb_strip_nulls(jsonb_build_object('name', import_plan.name)) ELSE import_plan.document END;
    of_plan int;
    version int;
BEGIN
    PERFORM spm._check_document(said);
    PERFORM spm._check_name('plan', said ->> 'name');
    IF NOT EXISTS (SELECT FROM spm.currency c WHERE c.currency_code = said ->> 'currency_code') THEN
        RAISE EXCEPTION 'currency "%" does not exist', said ->> 'currency_code'
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', said ->> 'currency_code');
    END IF;
    IF EXISTS (SELECT FROM spm.plan p WHERE p.name = said ->> 'name') THEN
        RAISE EXCEPTION 'plan "%" exists already', said ->> 'name'
            USING ERRCODE = 'unique_violation',
                  HINT = 'Give another name, or SELECT spm.import_plan_version(plan, document, since); to make it the next version.';
    END IF;
    of_plan := spm._write_row('plan', (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(said) e
                                       WHERE e.key = 'calendar' OR spm._column_default('plan') ? e.key), '{}', 'plan');
    INSERT INTO spm.plan_version (plan_id, version_no, span) VALUES (of_plan, 1, daterange((said ->> 'since')::date, NULL))
    RETURNING plan_version_id INTO version;
    PERFORM spm._import_content(version, said);
    RETURN of_plan;
END
$$;
COMMENT ON FUNCTION spm.import_plan(jsonb, text) IS
'Creates a plan from a document that spm.export_plan() has written, or somebody by hand, as a draft; returns its plan_id. Its expressions are checked as if they had been typed.
document: the plan; a component may have "rates": "0%: 8%, 100%: 12%" instead of tiers. name: instead of the one in the document.
Errors: 0A000 for a newer format, 22023 for what is missing or not known, 42704 for a calendar, currency, measure, variable or lookup table that is not there, 23505 when the name is taken, 42710 for another lookup table of the same name, 42P17 and others for a refused expression.
Example: SELECT spm.import_plan(spm.export_plan(''Account Executive''), ''Account Executive West'');';

CREATE OR REPLACE FUNCTION spm.import_plan_version(plan text, document jsonb, since date)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.plan := (SELECT p FROM spm.plan p WHERE p.plan_id = spm._plan_id(import_plan_version.plan));
    number int;
    draft int;
    other record;
BEGIN
    PERFORM spm._check_document(import_plan_version.document);
    SELECT a.key, a.value AS here, import_plan_version.document ->> a.key AS there INTO other
    FROM jsonb_each_text(spm._named(to_jsonb(of_plan), '{}'::jsonb || spm._column_default('plan'), '')) a
    WHERE a.key <> 'name' AND import_plan_version.document ->> a.key IS DISTINCT FROM a.value LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of plan "%" is %, that of the document is %', other.key, of_plan.name, other.here, coalesce(other.there, 'not said')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'All versions of a plan share it: import the document as another plan.';
    END IF;
    number := spm.new_plan_version(of_plan.name, import_plan_version.since);
    draft := spm._draft_id(of_plan.name);
    DELETE FROM spm.component c WHERE c.plan_version_id = draft;
    DELETE FROM spm.pay_rule r WHERE r.plan_version_id = draft;
    PERFORM spm._import_content(draft, import_plan_version.document);
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.import_plan_version(text, jsonb, date) IS
'Makes a document the next version of a plan, as a draft, and returns its number. Name and first day in the document do not count.
plan: name. document: see spm.import_plan(). since: first day of the new version.
Errors: those of spm.import_plan(); 22023 when calendar, currency or rate type are not those of the plan; 55000 while there is a draft.
Example: SELECT spm.import_plan_version(''Account Executive'', document, ''2026-07-01'') FROM reviewed_plan;';

-- -------------------------------------------------------------- what changed

CREATE OR REPLACE FUNCTION spm._said(value jsonb)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE jsonb_typeof(_said.value)
        WHEN 'null' THEN NULL
        WHEN 'array' THEN (SELECT coalesce(string_agg(coalesce(e.value, 'any'), ', ' ORDER BY e.ordinality), 'none')
                           FROM jsonb_array_elements_text(_said.value) WITH ORDINALITY e)
        WHEN 'boolean' THEN CASE WHEN _said.value::boolean THEN 'yes' ELSE 'no' END
        WHEN 'number' THEN trim_scale(_said.value::numeric)::text
        ELSE _said.value #>> '{}' END;
END;
COMMENT ON FUNCTION spm._said(jsonb) IS 'A value of a plan document as people read it.';
REVOKE ALL ON FUNCTION spm._said(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_item(parent text, content jsonb, above jsonb, path text, above_place numeric[])
    RETURNS TABLE (place numeric[], item text, field text, value text, otherwise text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    is_share boolean := _plan_item.above ->> 'tier_basis' = 'quota';
    is_rate boolean := coalesce(_plan_item.above ->> 'unit', 'money') = 'money' AND coalesce(_plan_item.above ->> 'rate_options', '') !~ '\m(bonus|curve)\M';
    part record;
    said jsonb;
    defaults jsonb;
    below text[];
    label text;
    here numeric[];
BEGIN
    FOR part IN SELECT p.*, p.ordinality FROM ROWS FROM (spm._plan_part()) WITH ORDINALITY p WHERE p.parent = _plan_item.parent LOOP
        defaults := spm._column_default(part.relation);
        below := array(SELECT c.field FROM spm._plan_part() c WHERE c.parent = part.relation);
        FOR said IN SELECT e.value FROM jsonb_array_elements(_plan_item.content -> part.field) e LOOP
            IF part.relation = 'tier' THEN
                -- known by where it begins
                said := said - 'bounds' || jsonb_build_object('from', lower((said ->> 'bounds')::numrange), 'to', upper((said ->> 'bounds')::numrange));
            END IF;
            label := concat_ws(', ', _plan_item.path, replace(rtrim(part.field, 's'), '_', ' ') || ' '
                || coalesce(said ->> 'name', said ->> part.number, CASE WHEN is_share THEN spm._percent((said ->> 'from')::numeric) ELSE spm._said(said -> 'from') END));
            -- two versions may have different things in one place
            here := _plan_item.above_place || part.ordinality::numeric || coalesce(said ->> part.number, said ->> 'from')::numeric || hashtext(label)::numeric;
            RETURN QUERY
            SELECT here, label, coalesce(n.word, replace(f.key, '_', ' ')),
                CASE WHEN f.key = 'to' AND is_share OR f.key = 'rate' AND is_rate THEN spm._percent((f.value #>> '{}')::numeric)
                     ELSE spm._said(f.value) END,
                spm._said(coalesce(defaults -> f.key, 'null'))
            FROM jsonb_each(said) f
            LEFT JOIN (VALUES ('measure_expression', 'measure'), ('eligibility_expression', 'eligible'), ('credit_kind', 'credits'), ('measure', 'quota'),
                              ('component_no', 'order')) n(key, word) ON n.key = f.key
            WHERE f.key NOT IN ('name', 'from') AND f.key <> ALL (below) AND (f.key <> part.number OR part.relation = 'component');
            RETURN QUERY SELECT i.* FROM spm._plan_item(part.relation, said, said, label, here) i;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._plan_item(text, jsonb, jsonb, text, numeric[]) IS
'Everything that the document of a plan says, one row a field: where it stands, what it is about, the field, its value, and the one it has where nothing is said.';
REVOKE ALL ON FUNCTION spm._plan_item(text, jsonb, jsonb, text, numeric[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_diff(plan text, from_version int DEFAULT NULL, to_version int DEFAULT NULL)
    RETURNS TABLE (item text, field text, before text, after text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH number AS (
        SELECT coalesce(plan_diff.from_version, v.version_no - 1) AS old, v.version_no AS new
        FROM spm.plan_version v WHERE v.plan_version_id = spm._version_of(plan_diff.plan, plan_diff.to_version)
    ), old AS MATERIALIZED (
        SELECT i.* FROM number n, spm._plan_content(spm._version_of(plan_diff.plan, n.old)) c(content),
            spm._plan_item('plan_version', c.content, NULL, NULL, '{}') i
    ), new AS MATERIALIZED (
        SELECT i.* FROM number n, spm._plan_content(spm._version_of(plan_diff.plan, n.new)) c(content),
            spm._plan_item('plan_version', c.content, NULL, NULL, '{}') i
    )
    SELECT d.item, d.field, d.before, d.after
    FROM (SELECT coalesce(b.place, a.place) AS place, item, field,
                 -- what is not said of something that is there has its default
                 CASE WHEN a.item IS NOT NULL THEN a.value WHEN item IN (SELECT o.item FROM old o) THEN b.otherwise END AS before,
                 CASE WHEN b.item IS NOT NULL THEN b.value WHEN item IN (SELECT n.item FROM new n) THEN a.otherwise END AS after
          FROM old a FULL JOIN new b USING (item, field)) d
    WHERE d.before IS DISTINCT FROM d.after
    ORDER BY d.place, d.item, d.field
$$;
COMMENT ON FUNCTION spm.plan_diff(text, int, int) IS
'What changes from one version of a plan to another, one row a field; before or after is NULL where there is nothing: all of a component that is added stands under after.
plan: name. from_version: number; NULL: the one before. to_version: number; NULL: the latest.
Errors: 42704 for an unknown plan or version.
Example: SELECT * FROM spm.plan_diff(''Account Executive''); says: component Commission, tier 100 % | rate | 12 % | 14 %.';
