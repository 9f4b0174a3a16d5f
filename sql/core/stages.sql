/*
 * core/stages.sql: source -> transaction.  Warehouse relations are mapped, and
 * the view spm.transaction shows the rows of all of them; nothing is copied.
 *
 * The two views are made here and not by the extension's script, because they
 * are the user's: pg_dump keeps them with the rest of the database.
 */

CREATE OR REPLACE FUNCTION spm._source_argument()
    RETURNS TABLE (argument text, name text, accepted text[])
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT a.argument, a.name, CASE a.kind
            WHEN 'label' THEN '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}'::text[]
            WHEN 'day' THEN '{date,timestamp without time zone,timestamp with time zone}'
            WHEN 'word' THEN '{text,character varying,character,name,enum}'
            ELSE '{numeric,integer,bigint,smallint}' END
        FROM (VALUES
            ('key', 'transaction_key', 'label'), ('date', 'event_date', 'day'), ('owner', 'owner_key', 'label'),
            ('amount', 'amount', 'number'), ('line', 'line', 'label'), ('type', 'type', 'word'),
            ('account', 'account_key', 'label'), ('product', 'product_key', 'label'), ('quantity', 'quantity', 'number'),
            ('cost', 'cost', 'number'), ('list_amount', 'list_amount', 'number'), ('currency', 'currency_code', 'word'),
            ('reference', 'reference_key', 'label')
        ) AS a (argument, name, kind);
    END;
COMMENT ON FUNCTION spm._source_argument() IS
    'Arguments of spm.map_source() that name columns: the column of spm.transaction that each fills, and the types it takes.';
REVOKE ALL ON FUNCTION spm._source_argument() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_relation(relation regclass)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    class record;
BEGIN
    SELECT relkind, relpersistence INTO class FROM pg_catalog.pg_class WHERE oid = _check_relation.relation;
    IF class IS NULL OR class.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '% cannot be a source', coalesce(relation::text, 'NULL')
            USING ERRCODE = '42809', HINT = 'Name a table, partitioned table, foreign table, view or materialized view.';
    ELSIF class.relpersistence = 't' THEN
        RAISE EXCEPTION 'temporary relation % cannot be a source', relation
            USING ERRCODE = '42809', HINT = 'It would be gone with the session; name one that stays.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_relation(regclass) IS 'Error 42809 for what cannot be a source: not a table or view, or temporary.';
REVOKE ALL ON FUNCTION spm._check_relation(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._type_name(relation regclass, column_name text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN (
        SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = _type_name.relation AND attname = _type_name.column_name AND attnum > 0 AND NOT attisdropped);
END
$$;
COMMENT ON FUNCTION spm._type_name(regclass, text) IS 'Type of a column, qualified unless it is built in, without its modifier; NULL when there is no such column.';
REVOKE ALL ON FUNCTION spm._type_name(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._source_expression(source spm.source, name text, alias text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    type text := (
        SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.transaction_row'::regclass AND attname = _source_expression.name);
    mapped record;
    expression text;
BEGIN
    IF name = 'source' THEN
        RETURN format('%L::text', source.name);
    ELSIF name = 'attributes' THEN
        RETURN coalesce((
            SELECT format('jsonb_build_object(%s)', string_agg(format('%L, %s%I', substr(c.name, 12), alias, c.column_name), ', ' ORDER BY c.name COLLATE "C"))
            FROM spm.source_column AS c
            WHERE c.source_id = source.source_id AND c.name LIKE 'attributes.%'
            HAVING count(*) > 0), '''{}''::jsonb');
    END IF;
    SELECT format('%s%I', alias, c.column_name) AS reference, c.column_type, a.attcollation INTO mapped
    FROM spm.source_column AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = to_regclass(format('%I.%I', source.relation_schema, source.relation_name))
        AND a.attname = c.column_name
    WHERE c.source_id = source.source_id AND c.name = _source_expression.name;
    IF NOT FOUND THEN
        RETURN CASE name WHEN 'line' THEN '''''::text'
            WHEN 'type' THEN format('%L::text', source.fixed_type)
            WHEN 'currency_code' THEN format('%L::text', source.fixed_currency_code)
            ELSE 'NULL::' || type END;
    END IF;

    -- A column that is of the type already stays bare: its indexes then serve the
    -- view.  Only numeric loses its digits, or the view's type would be the first source's.
    expression := CASE
        WHEN mapped.column_type = type AND type <> 'numeric' THEN mapped.reference
        WHEN type = 'date' AND mapped.column_type = 'timestamp with time zone'
            THEN format('(%s AT TIME ZONE %L)::date', mapped.reference, source.time_zone)
        ELSE format('%s::%s', mapped.reference, type) END;
    IF type = 'text' AND mapped.attcollation NOT IN (0, '"default"'::regcollation) THEN
        expression := format('(%s) COLLATE "default"', expression);
    END IF;
    RETURN CASE name WHEN 'line' THEN format('coalesce(%s, '''')', expression)
        WHEN 'reference_key' THEN format('nullif(%s, '''')', expression)    -- many write nothing as an empty text
        ELSE expression END;
END
$$;
COMMENT ON FUNCTION spm._source_expression(spm.source, text, text) IS
    'What a source gives for a column of spm.transaction, as SQL over its relation; alias: prefix of its columns, such as t. or nothing.';
REVOKE ALL ON FUNCTION spm._source_expression(spm.source, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._map_source_call(source spm.source)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN format('SELECT spm.map_source(%L, %L', source.name, format('%I.%I', source.relation_schema, source.relation_name))
        || (SELECT string_agg(format(', %s => %L', a.argument, c.column_name), '' ORDER BY a.place)
            FROM spm._source_argument() WITH ORDINALITY AS a (argument, name, accepted, place)
            LEFT JOIN spm.source_column AS c ON c.source_id = source.source_id AND c.name = a.name
            WHERE c.name IS NOT NULL OR a.argument = 'owner')
        || coalesce(', fixed_type => ' || quote_literal(source.fixed_type), '')
        || coalesce(', fixed_currency => ' || quote_literal(source.fixed_currency_code), '')
        || coalesce((SELECT format(', attributes => %L', array_agg(c.column_name ORDER BY c.name)) FROM spm.source_column AS c
            WHERE c.source_id = source.source_id AND c.name LIKE 'attributes.%' HAVING count(*) > 0), '')
        || coalesce(', filter => ' || quote_literal(source.filter), '')
        || CASE WHEN source.time_zone <> 'UTC' THEN format(', time_zone => %L', source.time_zone) ELSE '' END
        || ');';
END
$$;
COMMENT ON FUNCTION spm._map_source_call(spm.source) IS 'The call of spm.map_source() that maps a source as it is mapped.';
REVOKE ALL ON FUNCTION spm._map_source_call(spm.source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._source_problem()
    RETURNS TABLE (source text, code text, problem text, detail text, repair text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH mapping AS (
        SELECT s.name, s AS source, spm._map_source_call(s) AS repair, 'spm.transaction' AS view,
            format('%I.%I', s.relation_schema, s.relation_name) AS relation,
            to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) AS oid
        FROM spm.source AS s
        UNION ALL
        SELECT s.name, s, format('SELECT spm.map_split(%L, %L, key => %L, owner => %L, share => %L%s, share_unit => %L);', s.name,
                format('%I.%I', p.relation_schema, p.relation_name), p.key_column, p.owner_column, p.share_column,
                coalesce(', line => ' || quote_literal(p.line_column), ''), p.share_unit), 'spm.transaction_split',
            format('%I.%I', p.relation_schema, p.relation_name),
            to_regclass(format('%I.%I', p.relation_schema, p.relation_name))
        FROM spm.split_source AS p
        JOIN spm.source AS s USING (source_id)
        UNION ALL
        SELECT s.name, s, spm._map_event_call(e), 'spm.transaction_event',
            format('%I.%I', e.relation_schema, e.relation_name),
            to_regclass(format('%I.%I', e.relation_schema, e.relation_name))
        FROM spm.event_source AS e
        JOIN spm.source AS s USING (source_id)
    ), mapped AS (
        SELECT m.*, coalesce(a.argument, c.name) AS argument, c.column_name, c.column_type
        FROM mapping AS m
        JOIN spm.source_column AS c ON c.source_id = (m.source).source_id
        LEFT JOIN spm._source_argument() AS a ON a.name = c.name
        WHERE m.view = 'spm.transaction' AND m.oid IS NOT NULL
        UNION ALL
        SELECT m.*, c.argument, c.column_name, NULL
        FROM mapping AS m
        JOIN spm.split_source AS p ON p.source_id = (m.source).source_id
        CROSS JOIN LATERAL (VALUES ('key', p.key_column), ('owner', p.owner_column), ('share', p.share_column), ('line', p.line_column))
            AS c (argument, column_name)
        WHERE m.view = 'spm.transaction_split' AND m.oid IS NOT NULL AND c.column_name IS NOT NULL
        UNION ALL
        SELECT m.*, c.argument, c.column_name, NULL
        FROM mapping AS m
        JOIN spm.event_source AS e ON e.source_id = (m.source).source_id AND spm._map_event_call(e) = m.repair
        CROSS JOIN LATERAL (VALUES ('key', e.key_column), ('date', e.date_column), ('amount', e.amount_column), ('line', e.line_column))
            AS c (argument, column_name)
        WHERE m.view = 'spm.transaction_event' AND m.oid IS NOT NULL AND c.column_name IS NOT NULL
    ), problem AS (
        SELECT m.name, 1 AS place, '42P01' AS code, format('relation %s of source "%s" does not exist', m.relation, m.name) AS problem,
            'It was dropped, renamed or moved to another schema after it was mapped.' AS detail, m.repair
        FROM mapping AS m WHERE m.oid IS NULL
        UNION ALL
        SELECT m.name, 2, '42703', format('column "%s" of %s does not exist', m.column_name, m.relation),
            format('Source "%s" takes it for %s. It was dropped or renamed after it was mapped.', m.name, m.argument), m.repair
        FROM mapped AS m WHERE spm._type_name(m.oid, m.column_name) IS NULL
        UNION ALL
        SELECT m.name, 3, '42804', format('column "%s" of %s has become %s', m.column_name, m.relation, spm._type_name(m.oid, m.column_name)),
            format('Source "%s" took it for %s when it was %s.', m.name, m.argument, m.column_type), m.repair
        FROM mapped AS m WHERE spm._type_name(m.oid, m.column_name) <> m.column_type
        UNION ALL
        SELECT m.name, 4, '42501', format('you may not read column "%s" of %s', m.column_name, m.relation),
            format('Source "%s" takes it for %s.', m.name, m.argument), format('GRANT SELECT ON %s TO %I;', m.relation, current_user)
        FROM mapped AS m
        WHERE CASE WHEN spm._type_name(m.oid, m.column_name) IS NOT NULL THEN NOT has_column_privilege(m.oid, m.column_name, 'SELECT') END
        UNION ALL
        SELECT m.name, 5, '55000', format('source "%s" is missing from %s', m.name, m.view),
            format('The view does not read %s.', m.relation), m.repair
        FROM mapping AS m
        WHERE m.oid IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_rewrite AS r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = m.oid AND r.ev_class = to_regclass(m.view))
    )
    SELECT p.name, p.code, p.problem, p.detail, p.repair FROM problem AS p ORDER BY p.name, p.place, p.problem;
END
$$;
COMMENT ON FUNCTION spm._source_problem() IS
    'What is wrong with mapped sources today, for whoever asks: a relation, column or right that is gone, a type that has changed; with the call that mends it.';
REVOKE ALL ON FUNCTION spm._source_problem() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_sources()
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first record;
BEGIN
    SELECT * INTO first FROM spm._source_problem() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', first.problem
            USING ERRCODE = first.code, DETAIL = first.detail,
                HINT = CASE WHEN first.repair LIKE 'GRANT%' THEN 'Let its owner run: ' || first.repair
                    ELSE 'Map it as it is now: ' || first.repair END;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_sources() IS
'Checks every mapped source again before it is used.
Errors: 42P01 relation gone, 42703 column gone, 42804 type changed, 42501 not readable, 55000 missing from the view; the hint has the call that maps it anew.';
REVOKE ALL ON FUNCTION spm._check_sources() FROM PUBLIC;

-- One branch a source.  The last branch of each view has no rows: it ties the
-- view to the extension, so that dropping that says what else would go.
CREATE OR REPLACE FUNCTION spm._transaction_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %s\nFROM %s AS t%s\nUNION ALL\n', b.columns, b.relation, E'\nWHERE ' || b.filter), '' ORDER BY b.source_id)
        FROM (
            SELECT s.source_id, format('%I.%I', s.relation_schema, s.relation_name) AS relation, s.filter,
                string_agg(format('%s AS %I', spm._source_expression(s, a.attname, 't.'), a.attname), E',\n    ' ORDER BY a.attnum) AS columns
            FROM spm.source AS s, pg_catalog.pg_attribute AS a
            WHERE a.attrelid = 'spm.transaction_row'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND s.name <> ALL (broken)
            GROUP BY s.source_id
        ) AS b), 'SELECT (NULL::spm.transaction_row).* WHERE false');
END
$$;
COMMENT ON FUNCTION spm._transaction_query(text[]) IS 'The query of the view spm.transaction, without the broken sources.';
REVOKE ALL ON FUNCTION spm._transaction_query(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._split_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %L::text AS source, t.%I::text AS transaction_key, %s::text AS line, t.%I::text AS owner_key, %s AS share\nFROM %I.%I AS t\nUNION ALL\n',
            s.name, p.key_column, coalesce('t.' || quote_ident(p.line_column), 'NULL'), p.owner_column,
            CASE p.share_unit WHEN 'percent' THEN format('t.%I * 0.01', p.share_column) ELSE format('t.%I::numeric', p.share_column) END,
            p.relation_schema, p.relation_name), '' ORDER BY s.source_id)
        FROM spm.split_source AS p
        JOIN spm.source AS s USING (source_id)
        WHERE s.name <> ALL (broken)),
        'SELECT r.source, r.transaction_key, r.line, r.owner_key, r.amount AS share FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false');
END
$$;
COMMENT ON FUNCTION spm._split_query(text[]) IS 'The query of the view spm.transaction_split, without the broken splits.';
REVOKE ALL ON FUNCTION spm._split_query(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.rebuild_transaction_views()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    broken text[] := '{}';
    broken_splits text[] := '{}';
    broken_events text[] := '{}';
    wrong record;
    described record;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.source) THEN
        EXECUTE 'DROP VIEW IF EXISTS spm.transaction, spm.transaction_split, spm.transaction_event';
        RETURN;
    END IF;
    FOR wrong IN SELECT * FROM spm._source_problem() WHERE code IN ('42P01', '42703', '42804') LOOP
        RAISE WARNING 'source "%" is left out: %', wrong.source, wrong.problem
            USING ERRCODE = wrong.code, HINT = 'Map it as it is now: ' || wrong.repair;
        IF wrong.repair LIKE '%map_split%' THEN
            broken_splits := broken_splits || wrong.source;
        ELSIF wrong.repair LIKE '%map_event%' THEN
            broken_events := broken_events || wrong.source;
        ELSE
            broken := broken || wrong.source;
        END IF;
    END LOOP;

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction WITH (security_invoker = true) AS %s', spm._transaction_query(broken));
    COMMENT ON VIEW spm.transaction IS
        'One row per transaction line of every mapped source, read from the warehouse as it is now. Made by spm.map_source().';
    FOR described IN
        SELECT attname, col_description(attrelid, attnum) AS description FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.transaction_row'::regclass AND attnum > 0 AND NOT attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN spm.transaction.%I IS %L', described.attname, described.description);
    END LOOP;

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction_split WITH (security_invoker = true) AS %s', spm._split_query(broken_splits));
    COMMENT ON VIEW spm.transaction_split IS
        'One row per transaction (or line) and sharer, where the warehouse says who shares. Made by spm.map_split().';
    COMMENT ON COLUMN spm.transaction_split.source IS 'Source of the transaction.';
    COMMENT ON COLUMN spm.transaction_split.transaction_key IS 'Key of the transaction.';
    COMMENT ON COLUMN spm.transaction_split.line IS 'Its line; NULL when the split holds for all lines.';
    COMMENT ON COLUMN spm.transaction_split.owner_key IS 'payee_key of the sharer.';
    COMMENT ON COLUMN spm.transaction_split.share IS 'Share as a ratio; those of a transaction total 1.';

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction_event WITH (security_invoker = true) AS %s', spm._event_query(broken_events));
    COMMENT ON VIEW spm.transaction_event IS
        'One row per milestone of a transaction: an invoice, a payment. Made by spm.map_event().';
    COMMENT ON COLUMN spm.transaction_event.source IS 'Source of the transaction.';
    COMMENT ON COLUMN spm.transaction_event.kind IS 'Kind of milestone: invoice, payment ...';
    COMMENT ON COLUMN spm.transaction_event.transaction_key IS 'Key of the transaction.';
    COMMENT ON COLUMN spm.transaction_event.line IS 'Its line; NULL when the milestone is of all lines.';
    COMMENT ON COLUMN spm.transaction_event.event_date IS 'Day of the milestone.';
    COMMENT ON COLUMN spm.transaction_event.amount IS 'How much of the transaction it is, in its currency, or as a ratio. NULL: all of it.';
    -- Whoever maps a view that reads spm.transaction learns it now.
    EXECUTE format('SELECT FROM %s LIMIT 0', to_regclass('spm.transaction'));
END
$$;
COMMENT ON FUNCTION spm.rebuild_transaction_views() IS
'Makes the views spm.transaction, spm.transaction_split and spm.transaction_event anew from the mapped sources; without any, drops them. spm.map_source() and the like do it by themselves.
A source whose relation or column is gone is left out with a warning; what uses sources refuses to run until it is mapped again.
Errors: 2BP01 when something depends on a view that is to be dropped; 42501 for other than the owner of the views.
Example: SELECT spm.rebuild_transaction_views();';

CREATE OR REPLACE FUNCTION spm.map_source(name text, relation regclass, key text, date text, owner text, amount text,
    line text DEFAULT NULL, type text DEFAULT NULL, account text DEFAULT NULL, product text DEFAULT NULL, quantity text DEFAULT NULL,
    cost text DEFAULT NULL, list_amount text DEFAULT NULL, currency text DEFAULT NULL,
    fixed_type text DEFAULT NULL, fixed_currency text DEFAULT NULL, attributes text[] DEFAULT '{}', filter text DEFAULT NULL,
    time_zone text DEFAULT 'UTC', reference text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    given constant jsonb := jsonb_build_object('key', key, 'date', date, 'owner', owner, 'amount', amount, 'line', line,
        'type', type, 'account', account, 'product', product, 'quantity', quantity, 'cost', cost, 'list_amount', list_amount,
        'currency', currency, 'reference', reference);
    attribute_types constant text[] := '{text,character varying,character,name,uuid,boolean,integer,bigint,smallint,numeric,date,timestamp without time zone,json,jsonb,enum}';
    checked_filter text;
    attribute text;
    this_id int;
BEGIN
    PERFORM spm._check_text(name, 'name'), spm._check_text(key, 'key'), spm._check_text(date, 'date'),
        spm._check_text(amount, 'amount'), spm._check_relation(relation);
    IF name = 'manual' THEN
        RAISE EXCEPTION 'no source can be named "manual"' USING ERRCODE = 'reserved_name', HINT = 'That is the source of spm.add_manual_credit(); choose another name.';
    END IF;
    IF type IS NOT NULL AND fixed_type IS NOT NULL THEN
        RAISE EXCEPTION 'give type or fixed_type, not both' USING ERRCODE = '22023',
            HINT = 'type names a column; fixed_type is the type of all rows.';
    END IF;
    IF (currency IS NULL) = (fixed_currency IS NULL) THEN
        RAISE EXCEPTION 'give either currency or fixed_currency' USING ERRCODE = '22023',
            DETAIL = format('%s was given.', CASE WHEN currency IS NULL THEN 'Neither' ELSE 'Each' END),
            HINT = 'currency names a column with ISO codes; fixed_currency is the currency of all rows, such as USD.';
    END IF;
    IF fixed_currency IS NOT NULL THEN
        PERFORM spm._check_currency(fixed_currency);
    END IF;
    IF time_zone IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = map_source.time_zone) THEN
        RAISE EXCEPTION 'time zone "%" does not exist', time_zone
            USING ERRCODE = '22023', HINT = 'Use a name from pg_timezone_names, such as Europe/Berlin.';
    END IF;
    PERFORM spm._column_type(map_source.relation, given ->> a.argument, a.argument, a.accepted, CASE
        WHEN a.argument = 'date' THEN format('Name a view with %I::date instead of the table.', date) END)
    FROM spm._source_argument() AS a
    WHERE given ->> a.argument IS NOT NULL;
    FOREACH attribute IN ARRAY coalesce(attributes, '{}') LOOP
        PERFORM spm._column_type(relation, attribute, 'attributes', attribute_types, NULL);
    END LOOP;
    IF filter IS NOT NULL THEN
        checked_filter := spm.checked_expression(filter, 'boolean', relation);
    END IF;

    -- Two who map at once: the second must see the first's source when it makes the view.
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.source (name, relation_schema, relation_name, filter, fixed_type, fixed_currency_code, time_zone)
    SELECT map_source.name, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, checked_filter,
        CASE WHEN map_source.type IS NULL THEN coalesce(map_source.fixed_type, 'booking') END, map_source.fixed_currency, map_source.time_zone
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_source.relation
    ON CONFLICT (name) DO UPDATE SET relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name,
        filter = EXCLUDED.filter, fixed_type = EXCLUDED.fixed_type, fixed_currency_code = EXCLUDED.fixed_currency_code,
        time_zone = EXCLUDED.time_zone
    RETURNING source_id INTO this_id;
    DELETE FROM spm.source_column WHERE source_id = this_id;
    INSERT INTO spm.source_column (source_id, name, column_name, column_type)
    SELECT this_id, c.name, c.column_name, spm._type_name(map_source.relation, c.column_name)
    FROM (
        SELECT a.name, given ->> a.argument AS column_name FROM spm._source_argument() AS a
        UNION
        SELECT 'attributes.' || u.column_name, u.column_name FROM unnest(map_source.attributes) AS u (column_name)
    ) AS c
    WHERE c.column_name IS NOT NULL;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_source(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text[], text, text, text) IS
'Maps a warehouse relation: its rows become transactions in the view spm.transaction. Nothing is copied. Under a name that exists the mapping is replaced.
name: of the source; relation: table, view, materialized, partitioned or foreign table. Names of its columns: key (of the transaction; with line unique), date (date or timestamp; one with time zone is taken in time_zone), owner (payee_key, or NULL), amount, line, type, account, product, quantity, cost, list_amount, currency, reference (key of the transaction that a refund, credit note or cancellation takes back).
fixed_type: type of all rows without a type column, booking unless said otherwise; fixed_currency: currency of all rows without a currency column; attributes: further columns, for expressions as attributes->>''name''; filter: SQL condition over the relation''s columns for the rows that count.
Errors: 42809 not a table or view; 42703 no such column; 42804 a type that does not fit (amounts are numeric or integer, never floating point); 42501 not readable; 22023 currency or time zone missing or unknown; 42704 fixed_currency unknown; 42939 for the name manual; those of spm.checked_expression() for the filter.
Example: SELECT spm.map_source(''orders'', ''crm.deal'', key => ''deal_id'', date => ''closed_on'', owner => ''owner_id'', amount => ''amount'', currency => ''currency'', filter => $$stage = ''won''$$);';

CREATE OR REPLACE FUNCTION spm._source_named(source text)
    RETURNS spm.source
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source;
BEGIN
    SELECT s.* INTO this_source FROM spm.source AS s WHERE s.name = _source_named.source;
    IF this_source.source_id IS NULL THEN
        RAISE EXCEPTION 'source "%" does not exist', source
            USING ERRCODE = '42704', HINT = coalesce(
                'Sources are: ' || (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.source AS s) || '.',
                'There is none yet: SELECT spm.map_source(...);');
    END IF;
    RETURN this_source;
END
$$;
COMMENT ON FUNCTION spm._source_named(text) IS 'The source of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._source_named(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.unmap_source(name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(name);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.source WHERE source_id = this_source.source_id;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_source(text) IS
'Takes a source and its split out of spm.transaction; with the last one the view goes. What was calculated from it stays.
Errors: 42704 unknown source; 2BP01 when something depends on the view.
Example: SELECT spm.unmap_source(''orders'');';

CREATE OR REPLACE FUNCTION spm.map_split(source text, relation regclass, key text, owner text, share text,
    line text DEFAULT NULL, share_unit text DEFAULT 'ratio')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    this_source spm.source := spm._source_named(source);
BEGIN
    PERFORM spm._check_relation(relation),
        spm._column_type(relation, key, 'key', label_types, NULL),
        spm._column_type(relation, owner, 'owner', label_types, NULL),
        spm._column_type(relation, share, 'share', '{numeric,integer,bigint,smallint}', NULL);
    IF line IS NOT NULL THEN
        PERFORM spm._column_type(relation, line, 'line', label_types, NULL);
    END IF;
    IF share_unit IS NULL OR share_unit NOT IN ('ratio', 'percent') THEN
        RAISE EXCEPTION 'share_unit must be ratio or percent, not "%"', share_unit
            USING ERRCODE = '22023', HINT = 'ratio: the shares of a transaction total 1; percent: 100.';
    END IF;
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.split_source WHERE source_id = this_source.source_id;
    INSERT INTO spm.split_source (source_id, relation_schema, relation_name, key_column, line_column, owner_column, share_column, share_unit)
    SELECT this_source.source_id, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, map_split.key, map_split.line, map_split.owner,
        map_split.share, map_split.share_unit
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_split.relation;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_split(text, regclass, text, text, text, text, text) IS
'Maps a relation that says who shares in the transactions of a source: its rows are in the view spm.transaction_split. A second call for the source replaces the first.
source: name of a mapped source; names of columns: key (of the transaction), owner (payee_key), share, line (NULL, or NULL in a row: for all lines); share_unit: ratio, shares total 1, or percent, they total 100.
Errors: 42704 unknown source; 42809, 42703, 42804, 42501 as for spm.map_source(); 22023 unknown share_unit.
Example: SELECT spm.map_split(''orders'', ''crm.deal_split'', key => ''deal_id'', owner => ''user_id'', share => ''percentage'', share_unit => ''percent'');';

CREATE OR REPLACE FUNCTION spm.unmap_split(source text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(source);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.split_source WHERE source_id = this_source.source_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'source "%" has no split', source USING ERRCODE = '42704', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_split(text) IS
'Takes the split of a source away: its transactions belong to their owners alone.
Errors: 42704 for an unknown source or one without a split.
Example: SELECT spm.unmap_split(''orders'');';

CREATE OR REPLACE FUNCTION spm.source_index(name text)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(name);
    this_relation regclass := to_regclass(format('%I.%I', this_source.relation_schema, this_source.relation_name));
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = this_relation AND c.relkind IN ('r', 'p', 'm')) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT format('CREATE INDEX IF NOT EXISTS %I ON %s ((%s));', left(format('spm_%s_%s', this_source.name, c.name), 63),
        this_relation, spm._source_expression(this_source, c.name, ''))
    FROM spm.source_column AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = this_relation AND a.attname = c.column_name
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE c.source_id = this_source.source_id AND c.name IN ('event_date', 'transaction_key', 'owner_key')
        -- how an enum is written is not immutable, so it cannot be indexed
        AND t.typtype <> 'e'
        AND NOT (spm._source_expression(this_source, c.name, '') = quote_ident(c.column_name) AND EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = this_relation AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid))
    ORDER BY array_position('{event_date,transaction_key,owner_key}', c.name);
END
$$;
COMMENT ON FUNCTION spm.source_index(text) IS
'Statements that make the indexes with which a filter on event_date, transaction_key or owner_key of spm.transaction finds the rows of a source. None for columns that have one already, and none for views and foreign tables.
Errors: 42704 unknown source.
Example: SELECT * FROM spm.source_index(''orders'') \gexec';

CREATE OR REPLACE FUNCTION spm.doctor()
    RETURNS TABLE (what text, severity text, detail text, repair text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    sources_are_sound boolean := NOT EXISTS (SELECT FROM spm._source_problem());
BEGIN
    RETURN QUERY
    SELECT 'source', 'error', format('%s. %s', p.problem, p.detail), p.repair FROM spm._source_problem() AS p
    UNION ALL
    SELECT 'source', 'info', 'No source of transactions is mapped.', 'SELECT spm.map_source(...);'
    WHERE NOT EXISTS (SELECT FROM spm.source);

    RETURN QUERY
    SELECT 'calendar', 'info', 'There is no calendar.',
        format('SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''%s-01-01'', until => ''%s-01-01'');',
            extract(year FROM current_date), extract(year FROM current_date) + 2)
    WHERE NOT EXISTS (SELECT FROM spm.calendar)
    UNION ALL
    -- within a month there should be a period to come
    SELECT 'calendar', 'warning', format('Calendar "%s" ends on %s.', c.name, max(upper(p.span)) - 1),
        CASE WHEN c.scheme IS NULL THEN format('SELECT spm.load_periods(%L, ...);', c.name)
            ELSE format('SELECT spm.extend_calendar(%L, until => %L);', c.name, CASE
                WHEN c.scheme = 'week' THEN max(upper(p.span)) + 364
                WHEN c.scheme ~ '-' THEN (
                    SELECT min(e.day) FROM generate_series(0, 2) AS i,
                        LATERAL (SELECT spm._retail_year_end(c.year_end, extract(year FROM max(upper(p.span)))::int + i) + 1) AS e (day)
                    WHERE e.day > max(upper(p.span)))
                ELSE (max(upper(p.span)) + interval '1 year')::date END) END
    FROM spm.calendar AS c
    JOIN spm.period AS p USING (calendar_id)
    GROUP BY c.calendar_id
    HAVING max(upper(p.span)) BETWEEN current_date - 366 AND current_date + 31
    UNION ALL
    SELECT 'calendar', 'info', format('Calendar "%s" has no period of grain %s from %s to %s.', g.name, g.grain, g.until, g.since - 1),
        'Add the period if days are missing by mistake: INSERT INTO spm.period ...'
    FROM (
        SELECT c.name, p.grain, lag(upper(p.span)) OVER (PARTITION BY p.calendar_id, p.grain ORDER BY p.span) AS until, lower(p.span) AS since
        FROM spm.period AS p
        JOIN spm.calendar AS c USING (calendar_id)
    ) AS g
    WHERE g.until < g.since;

    RETURN QUERY
    SELECT 'payee', 'warning', format('%s payee(s) hold no seat today: %s.', count(*), string_agg(f.payee_key, ', ' ORDER BY f.payee_key) FILTER (WHERE f.place <= 5)),
        format('SELECT spm.assign_position(position, %L, since => %L);', min(f.payee_key), current_date)
    FROM (
        SELECT y.payee_key, row_number() OVER (ORDER BY y.payee_key) AS place FROM spm.payee AS y
        WHERE NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.payee_id = y.payee_id AND a.span @> current_date)
            -- whoever has left is no loss
            AND NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.payee_id = y.payee_id AND a.span << daterange(current_date, NULL))
    ) AS f
    HAVING count(*) > 0
    UNION ALL
    SELECT 'position', 'info', format('%s seat(s) are vacant today: %s.', count(*), string_agg(f.position_key, ', ' ORDER BY f.position_key) FILTER (WHERE f.place <= 5)),
        format('SELECT spm.assign_position(%L, payee, since => %L);', min(f.position_key), current_date)
    FROM (
        SELECT s.position_key, row_number() OVER (ORDER BY s.position_key) AS place FROM spm.position AS s
        WHERE NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.position_id = s.position_id AND a.span @> current_date)
    ) AS f
    HAVING count(*) > 0
    UNION ALL
    SELECT 'hierarchy', 'error', 'spm.position_path does not follow spm.reporting_line: triggers were switched off.', 'SELECT spm.rebuild_position_path();'
    WHERE EXISTS (
        SELECT FROM spm.reporting_line AS l
        LEFT JOIN spm.position_path AS x ON x.position_id = l.position_id AND x.ancestor_position_id = l.manager_position_id AND x.span = l.span AND x.depth = 1
        WHERE x.position_id IS NULL);

    IF sources_are_sound AND to_regclass('spm.transaction') IS NOT NULL THEN
        RETURN QUERY EXECUTE format($sql$
            SELECT p.what, 'error', p.detail, coalesce(p.repair, 'Correct the rows, or leave them out with the filter of spm.map_source().')
            FROM (SELECT source, currency_code, count(*) AS n, count(*) FILTER (WHERE event_date IS NULL) AS dateless
                  FROM %s GROUP BY source, currency_code) AS t
            CROSS JOIN LATERAL (
                SELECT 'currency', CASE WHEN t.currency_code IS NULL THEN format('Source "%%s" has %%s transaction(s) without a currency.', t.source, t.n)
                        ELSE format('Source "%%s" has %%s transaction(s) in %%s, which is not a known currency.', t.source, t.n, t.currency_code) END,
                    CASE WHEN t.currency_code ~ '^[A-Z]{3}$' THEN format('SELECT spm.add_currency(%%L);', t.currency_code) END
                WHERE NOT EXISTS (SELECT FROM spm.currency AS c WHERE c.currency_code = t.currency_code)
                UNION ALL
                SELECT 'source', format('Source "%%s" has %%s transaction(s) without a date: no period pays them.', t.source, t.dateless), NULL
                WHERE t.dateless > 0) AS p (what, detail, repair)
            ORDER BY t.source, t.currency_code$sql$, to_regclass('spm.transaction'));
    END IF;
END
$$;
COMMENT ON FUNCTION spm.doctor() IS
'What is inconsistent or missing, and the call that mends it; no row when all is well. It reads the mapped sources once.
what: source, calendar, payee, position, hierarchy or currency; severity: error (a calculation refuses or is wrong), warning or info.
Example: SELECT * FROM spm.doctor();';
