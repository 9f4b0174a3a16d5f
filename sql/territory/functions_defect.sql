/*
 * territory/functions_defect.sql: holders from a relation, and where people,
 * orders and territories contradict each other.
 */

CREATE OR REPLACE FUNCTION spm.load_territory_holders(relation regclass, territory text, payee text, since text DEFAULT NULL, until text DEFAULT NULL,
                                                      last_day text DEFAULT NULL, share text DEFAULT NULL, model text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(load_territory_holders.model);
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    given record;
    rows text;
    problem text;
    n bigint;
BEGIN
    PERFORM spm._check_relation(load_territory_holders.relation),
        spm._column_type(load_territory_holders.relation, load_territory_holders.territory, 'territory', label_types, NULL),
        spm._column_type(load_territory_holders.relation, load_territory_holders.payee, 'payee', label_types, NULL);
    FOR given IN SELECT a.* FROM (VALUES ('since', load_territory_holders.since), ('until', load_territory_holders.until),
                                         ('last_day', load_territory_holders.last_day)) a(argument, name) WHERE a.name IS NOT NULL LOOP
        PERFORM spm._column_type(load_territory_holders.relation, given.name, given.argument, '{date,timestamp without time zone}', NULL);
    END LOOP;
    IF load_territory_holders.share IS NOT NULL THEN
        PERFORM spm._column_type(load_territory_holders.relation, load_territory_holders.share, 'share', '{numeric,integer,bigint,smallint}', NULL);
    END IF;
    IF load_territory_holders.until IS NOT NULL AND load_territory_holders.last_day IS NOT NULL THEN
        RAISE EXCEPTION 'give until or last_day, not both' USING ERRCODE = 'invalid_parameter_value', HINT = 'until is the day after the last one.';
    END IF;
    rows := format('SELECT r.%I::text AS territory, r.%I::text AS payee, %s AS since, %s AS until, %s AS share FROM %s r',
        load_territory_holders.territory, load_territory_holders.payee, coalesce('r.' || quote_ident(load_territory_holders.since) || '::date', 'NULL::date'),
        coalesce('r.' || quote_ident(load_territory_holders.until) || '::date', 'r.' || quote_ident(load_territory_holders.last_day) || '::date + 1', 'NULL::date'),
        coalesce('r.' || quote_ident(load_territory_holders.share) || '::numeric', '1::numeric'), load_territory_holders.relation);
    EXECUTE format('SELECT CASE WHEN t.territory_id IS NULL THEN format(''territory "%%s" does not exist'', r.territory)
                                WHEN y.payee_id IS NULL THEN format(''payee "%%s" does not exist'', r.payee)
                                WHEN r.until <= r.since THEN format(''"%%s" holds "%%s" until %%s, and not before %%s'', r.payee, r.territory, r.until, r.since)
                                ELSE format(''"%%s" holds %%s of "%%s"'', r.payee, coalesce(r.share::text, ''NULL''), r.territory) END
        FROM (%s) r
        LEFT JOIN spm.territory t ON t.territory_model_id = $1 AND t.territory_key = r.territory
        LEFT JOIN spm.payee y ON y.payee_key = r.payee
        WHERE t.territory_id IS NULL OR y.payee_id IS NULL OR r.until <= r.since OR NOT coalesce(r.share > 0 AND r.share <= 1, false)
        ORDER BY r.payee, r.territory, r.since LIMIT 1', rows) INTO problem USING model_id;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'a row of % cannot be a holder', load_territory_holders.relation
            USING ERRCODE = 'invalid_parameter_value', DETAIL = upper(left(problem, 1)) || substr(problem, 2) || '.',
                  HINT = 'Add what does not exist with spm.add_territory() and spm.add_payee(), or name a view without the row.';
    END IF;
    -- whoever has a seat on these days holds it by that seat
    EXECUTE format('INSERT INTO spm.territory_holder (territory_id, position_id, share, span)
        SELECT t.territory_id, a.position_id, r.share, a.span * daterange(r.since, r.until)
        FROM (%s) r
        JOIN spm.territory t ON t.territory_model_id = $1 AND t.territory_key = r.territory
        JOIN spm.payee y ON y.payee_key = r.payee
        JOIN spm.position_assignment a ON a.payee_id = y.payee_id AND a.is_primary AND a.span && daterange(r.since, r.until)
        ORDER BY t.territory_id, a.position_id, 4', rows) USING model_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_territory_holders(regclass, text, text, text, text, text, text, text) IS
'Loads who holds which territory when from a relation, for the primary seats that the payees have on these days, and returns the number of rows.
relation: one row per territory, payee and time. Names of columns: territory (territory_key), payee (payee_key), since (first day), until (the day after the last) or last_day, share (a ratio; none: all of it). NULL in a row: without end. model: name; NULL: the one active model.
Errors: 42704 for an unknown model, 55000 for an archived one; 42809, 42703, 42804, 42501 for a relation or column that will not do; 22023 for a row with an unknown territory or payee, or without days; 23P01 for one that is there already.
Example: SELECT spm.load_territory_holders(''crm.coverage'', territory => ''patch'', payee => ''rep'', since => ''starts_on'', last_day => ''ends_on'');';

-- ----------------------------------------------------------------- comparisons

CREATE OR REPLACE FUNCTION spm.check_holders(name text, relation regclass, payee text, territory text, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(check_holders.model);
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
BEGIN
    PERFORM spm._check_text(check_holders.name, 'name'), spm._check_relation(check_holders.relation),
        spm._column_type(check_holders.relation, check_holders.payee, 'payee', label_types, NULL),
        spm._column_type(check_holders.relation, check_holders.territory, 'territory', label_types, NULL);
    INSERT INTO spm.territory_check (territory_model_id, name, relation_schema, relation_name, payee_column, territory_column)
    SELECT model_id, check_holders.name, n.nspname, c.relname, check_holders.payee, check_holders.territory
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = check_holders.relation
    ON CONFLICT ON CONSTRAINT territory_check_territory_model_id_name_key DO UPDATE SET relation_schema = EXCLUDED.relation_schema,
        relation_name = EXCLUDED.relation_name, payee_column = EXCLUDED.payee_column, territory_column = EXCLUDED.territory_column;
END
$$;
COMMENT ON FUNCTION spm.check_holders(text, regclass, text, text, text) IS
'Has spm.territory_defect() compare who holds what today with another relation that says so. A name that exists is replaced.
name: of the comparison. relation: one row per payee, or per payee and territory. payee, territory: columns with payee_key and territory_key. model: name; NULL: the one active model.
Errors: 42704 for an unknown model, 55000 for an archived one; 42809, 42703, 42804, 42501 for a relation or column that will not do.
Example: SELECT spm.check_holders(''crm'', ''crm.sales_person'', payee => ''rep_id'', territory => ''territory_id'');';

CREATE OR REPLACE FUNCTION spm._asked_in_vain(model_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.name
    FROM spm.territory_attribute a
    JOIN spm.territory_model m USING (territory_model_id)
    CROSS JOIN LATERAL unnest(ARRAY[a.column_name, a.longitude_column]) c(column_name)
    WHERE a.territory_model_id = _asked_in_vain.model_id AND c.column_name IS DISTINCT FROM m.key_column AND c.column_name IS NOT NULL
      AND EXISTS (SELECT FROM spm.territory_condition d WHERE d.territory_attribute_id = a.territory_attribute_id)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute t WHERE t.attrelid = 'spm.transaction_row'::regclass AND t.attname = c.column_name)
      AND NOT EXISTS (SELECT FROM spm.source_column s WHERE s.name = 'attributes.' || c.column_name)
    ORDER BY a.territory_attribute_id
    LIMIT 1;
END;
COMMENT ON FUNCTION spm._asked_in_vain(int) IS 'Attribute that rules of a model ask and no transaction has; NULL: there is none.';
REVOKE ALL ON FUNCTION spm._asked_in_vain(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._holder_defect(model_id int, as_of date)
    RETURNS SETOF spm.territory_defect
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c spm.territory_check;
BEGIN
    FOR c IN SELECT k.* FROM spm.territory_check k WHERE k.territory_model_id = _holder_defect.model_id ORDER BY k.name COLLATE "C" LOOP
        RETURN QUERY EXECUTE format($sql$
            WITH there AS (
                SELECT y.payee_key, y.payee_id, array_agg(DISTINCT r.%1$I::text ORDER BY r.%1$I::text) FILTER (WHERE r.%1$I IS NOT NULL) AS keys
                FROM %2$I.%3$I r JOIN spm.payee y ON y.payee_key = r.%4$I::text GROUP BY 1, 2
            ), here AS (
                SELECT h.payee_id, array_agg(DISTINCT t.territory_key ORDER BY t.territory_key) AS keys
                FROM spm.territory_held h JOIN spm.territory t USING (territory_id)
                WHERE h.territory_model_id = $1 AND h.type = 'primary' AND h.payee_id IS NOT NULL AND h.span @> $2 GROUP BY 1
            )
            SELECT 'holder', format('%%s/%%s/%%s', $3, t.payee_key, array_to_string(t.keys, ',')), t.payee_key, array_to_string(t.keys, ','), NULL::date, NULL::numeric,
                format('%%s names %%s, and %%s is held.', %5$L, coalesce('"' || array_to_string(t.keys, '", "') || '"', 'no territory'),
                       coalesce('"' || array_to_string(h.keys, '", "') || '"', 'none')),
                CASE WHEN cardinality(h.keys) > 1 THEN format('-- %%s has room for one of %%s', %5$L, array_to_string(h.keys, ', '))
                     ELSE format('UPDATE %%s SET %%I = %%L WHERE %%I = %%L;', %5$L, %6$L, h.keys[1], %7$L, t.payee_key) END, NULL
            FROM there t LEFT JOIN here h USING (payee_id)
            WHERE t.keys IS DISTINCT FROM h.keys
            ORDER BY t.payee_key COLLATE "C"$sql$,
            c.territory_column, c.relation_schema, c.relation_name, c.payee_column, format('%I.%I', c.relation_schema, c.relation_name), c.territory_column, c.payee_column)
            USING _holder_defect.model_id, _holder_defect.as_of, c.name;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._holder_defect(int, date) IS 'Payees who hold other territories on a day than the relations of spm.check_holders() say.';
REVOKE ALL ON FUNCTION spm._holder_defect(int, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._order_defect(model_id int, days daterange)
    RETURNS SETOF spm.territory_defect
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    it spm.territory_model;
    is_by_rule boolean;
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RETURN;
    END IF;
    SELECT m.* INTO it FROM spm.territory_model m WHERE m.territory_model_id = _order_defect.model_id;
    is_by_rule := spm._asked_in_vain(it.territory_model_id) IS NULL AND EXISTS (
        SELECT FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) WHERE t.territory_model_id = it.territory_model_id AND t.type = 'primary');
    RETURN QUERY EXECUTE format($sql$
        WITH RECURSIVE deal AS MATERIALIZED (
            SELECT concat_ws('/', t.source, t.transaction_key, nullif(t.line, '')) AS key, t.event_date, t.owner_key, y.payee_id, t.amount, %1$s AS territory_id
            FROM spm.transaction t JOIN spm.payee y ON y.payee_key = t.owner_key%2$s
            WHERE t.event_date <@ %3$L::daterange
        ), held AS MATERIALIZED (      -- in any role, by any seat
            SELECT a.payee_id, t.territory_id, t.territory_key, h.span * t.span * a.span AS span
            FROM spm.territory t
            JOIN spm.territory_holder h ON h.territory_id = t.territory_id AND h.span && t.span
            JOIN spm.position_assignment a ON a.position_id = h.position_id AND a.span && h.span * t.span
            WHERE t.territory_model_id = %4$s AND t.type = 'primary'
        ), up AS (      -- whoever holds a territory holds all below it
            SELECT t.territory_id, t.territory_id AS held_id, t.parent_territory_id FROM spm.territory t WHERE t.territory_model_id = %4$s
            UNION ALL
            SELECT u.territory_id, p.territory_id, p.parent_territory_id FROM up u JOIN spm.territory p ON p.territory_id = u.parent_territory_id
        ), judged AS (
            SELECT d.key, d.event_date, d.owner_key, d.payee_id, d.amount, d.territory_id, string_agg(DISTINCT '"' || h.territory_key || '"', ', ') AS held_keys,
                   bool_or(u.held_id IS NOT NULL) AS is_inside
            FROM deal d
            LEFT JOIN held h ON h.payee_id = d.payee_id AND d.event_date <@ h.span
            LEFT JOIN up u ON u.territory_id = d.territory_id AND u.held_id = h.territory_id
            GROUP BY 1, 2, 3, 4, 5, 6
        )
        SELECT 'outside', j.key, j.owner_key, t.territory_key, j.event_date, j.amount,
            format('The order lies in territory "%%s", and %%s held %%s on that day.', t.territory_key, j.owner_key, j.held_keys),
            format('SELECT spm.hold_territory(%%L, %%L, since => %%L, until => %%L, role => ''support'', model => %%L);', t.territory_key,
                   (SELECT s.position_key FROM spm.position_assignment a JOIN spm.position s USING (position_id)
                    WHERE a.payee_id = j.payee_id AND j.event_date <@ a.span ORDER BY a.is_primary DESC, s.position_id LIMIT 1),
                   j.event_date, j.event_date + 1, %5$L), NULL
        FROM judged j JOIN spm.territory t USING (territory_id)
        WHERE j.held_keys IS NOT NULL AND NOT j.is_inside
        UNION ALL
        SELECT 'no territory', j.owner_key, j.owner_key, NULL, min(j.event_date), sum(j.amount),
            format('%%s order(s) from %%s to %%s, and no territory on these days.', count(*), min(j.event_date), max(j.event_date)),
            format('SELECT spm.hold_territory(%%L, %%L, since => %%L, until => %%L, model => %%L);', mode() WITHIN GROUP (ORDER BY t.territory_key),
                   (SELECT s.position_key FROM spm.position_assignment a JOIN spm.position s USING (position_id)
                    WHERE a.payee_id = j.payee_id ORDER BY a.is_primary DESC, a.span LIMIT 1), min(j.event_date), max(j.event_date) + 1, %5$L), NULL
        FROM judged j LEFT JOIN spm.territory t USING (territory_id)
        WHERE j.held_keys IS NULL
        GROUP BY j.owner_key, j.payee_id$sql$,
        CASE WHEN is_by_rule THEN format('spm.territory_of(t, t.event_date, ''primary'', %L)', it.name) ELSE 's.territory_id' END,
        CASE WHEN is_by_rule THEN '' ELSE format('
            JOIN spm.territory_assignment s ON s.territory_model_id = %s AND s.type = ''primary'' AND s.account_key = t.account_key AND t.event_date <@ s.span', it.territory_model_id) END,
        _order_defect.days, it.territory_model_id, it.name);
    IF it.owner_column IS NOT NULL THEN
        RETURN QUERY EXECUTE format($sql$
            SELECT 'other owner', concat_ws('/', t.source, t.transaction_key, nullif(t.line, '')), t.owner_key, NULL::text, t.event_date, t.amount,
                format('The order is of %%s, its account "%%s" of %%s.', t.owner_key, t.account_key, r.%1$I),
                format('UPDATE %%s SET %%I = %%L WHERE %%I = %%L;', %2$L, %3$L, t.owner_key, %4$L, t.account_key), NULL
            FROM spm.transaction t
            JOIN spm.payee y ON y.payee_key = t.owner_key
            JOIN %5$I.%6$I r ON r.%7$I::text = t.account_key
            WHERE t.event_date <@ %8$L::daterange AND r.%1$I::text <> t.owner_key$sql$,
            it.owner_column, format('%I.%I', it.relation_schema, it.relation_name), it.owner_column, it.key_column, it.relation_schema, it.relation_name, it.key_column,
            _order_defect.days);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._order_defect(int, daterange) IS 'Orders of some days outside of what their owners held, owners who held nothing, and orders whose account is another''s.';
REVOKE ALL ON FUNCTION spm._order_defect(int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_defect(model text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL, as_of date DEFAULT current_date)
    RETURNS SETOF spm.territory_defect
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(territory_defect.model);
BEGIN
    RETURN QUERY
    SELECT d.kind, d.key, d.payee_key, d.territory_key, d.event_date, d.amount, d.detail, d.repair,
           format('SELECT spm.accept_territory_defect(%L, %L, reason => ''...'', model => %L);', d.kind, d.key, it.name)
    FROM (SELECT h.* FROM spm._holder_defect(it.territory_model_id, territory_defect.as_of) h
          UNION ALL
          SELECT o.* FROM spm._order_defect(it.territory_model_id, spm._checked_span(territory_defect.since, territory_defect.until)) o) d
    WHERE NOT EXISTS (SELECT FROM spm.accepted_territory_defect a WHERE a.territory_model_id = it.territory_model_id AND a.kind = d.kind AND a.key = d.key)
    ORDER BY array_position('{holder,no territory,outside,other owner}', d.kind), d.event_date, d.key COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.territory_defect(text, date, date, date) IS
'Where people, orders and territories contradict each other, each with the SQL that repairs or accepts it. Kinds: holder, a payee holds other territories than a relation of spm.check_holders() says; no territory, a payee has orders and held no territory on their days; outside, an order lies in a territory that its owner did not hold on that day, in any role, nor any above it; other owner, the account of an order belongs to another payee (spm.map_accounts(owner => ...)).
An order lies where the rules of its day put it or, where they ask what transactions do not have, where its account was assigned to. Territories are the primary ones.
model: name; NULL: the one active model. since, until: days of the orders, until exclusive; NULL: all. as_of: day on which holders are compared.
Errors: 42704 for an unknown model; 22023 for days the wrong way round.
Example: SELECT kind, count(*) FROM spm.territory_defect(since => ''2026-01-01'') GROUP BY kind;';

CREATE OR REPLACE FUNCTION spm.accept_territory_defect(kind text, key text, reason text, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := (spm._territory_model(accept_territory_defect.model)).territory_model_id;
BEGIN
    PERFORM spm._check_text(accept_territory_defect.key, 'key'), spm._check_text(accept_territory_defect.reason, 'reason');
    IF accept_territory_defect.kind IS NULL OR accept_territory_defect.kind NOT IN ('holder', 'outside', 'other owner', 'no territory') THEN
        RAISE EXCEPTION 'kind of a defect cannot be "%"', accept_territory_defect.kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is holder, outside, other owner or no territory, as spm.territory_defect() has it.';
    END IF;
    INSERT INTO spm.accepted_territory_defect (territory_model_id, kind, key, reason)
    VALUES (model_id, accept_territory_defect.kind, accept_territory_defect.key, accept_territory_defect.reason)
    ON CONFLICT ON CONSTRAINT accepted_territory_defect_pkey DO UPDATE SET reason = EXCLUDED.reason, accepted_at = clock_timestamp(), accepted_by = session_user;
END
$$;
COMMENT ON FUNCTION spm.accept_territory_defect(text, text, text, text) IS
'Accepts a difference that is meant to be: spm.territory_defect() no longer reports it. Who did, when and why is in spm.accepted_territory_defect.
kind, key: as spm.territory_defect() has them. reason: why. model: name; NULL: the one active model.
Errors: 42704 for an unknown model; 22023 for another kind, or without a key or reason.
Example: SELECT spm.accept_territory_defect(d.kind, d.key, reason => ''house accounts'') FROM spm.territory_defect() d WHERE d.payee_key = ''U-1'';';
