/*
 * compensation/stages_refresh.sql: marks -> results.  What has changed is
 * calculated again, and nothing else: afterwards every calculated period says
 * what CALL spm.calculate() of each, in order, would make it say.
 */

-- ------------------------------------------------------------ what has changed

CREATE OR REPLACE FUNCTION spm._keyed_sql(role text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    sql text;
    nothing constant text := CASE _keyed_sql.role
        WHEN 'transaction' THEN 'SELECT (NULL::spm.transaction_row).* WHERE false'
        WHEN 'reference' THEN 'SELECT (NULL::spm.transaction_row).* WHERE false'
        WHEN 'split' THEN 'SELECT r.source, r.transaction_key, r.line, r.owner_key, r.amount AS share FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false'
        ELSE 'SELECT r.source, r.type AS kind, r.transaction_key, r.line, r.event_date, r.amount FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false' END;
BEGIN
    -- the condition is on the column as it is, so that the warehouse's own index on it serves
    SELECT string_agg(format(E'SELECT v.* FROM (%s) v WHERE (v.source, v.%s) IN (SELECT k.source, k.transaction_key FROM pg_temp.spm_key k)\nUNION ALL\n', b.sql,
        CASE role WHEN 'reference' THEN 'reference_key' ELSE 'transaction_key' END), '' ORDER BY b.place) INTO sql
    FROM (
        SELECT s.source_id::text AS place, format('SELECT %s FROM %I.%I AS t WHERE %s%s', (
                SELECT string_agg(format('%s AS %I', spm._source_expression(s, a.attname, 't.'), a.attname), ', ' ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'spm.transaction_row'::regclass AND a.attnum > 0 AND NOT a.attisdropped),
            s.relation_schema, s.relation_name, spm._key_condition(s.name, s.relation_schema, s.relation_name, k.column_name), ' AND (' || s.filter || ')') AS sql
        FROM spm.source s JOIN spm.source_column k ON k.source_id = s.source_id AND k.name = 'transaction_key'
        WHERE role = 'transaction'
        UNION ALL
        SELECT s.source_id::text, format('SELECT %s FROM %I.%I AS t WHERE %s%s', (
                SELECT string_agg(format('%s AS %I', spm._source_expression(s, a.attname, 't.'), a.attname), ', ' ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'spm.transaction_row'::regclass AND a.attnum > 0 AND NOT a.attisdropped),
            s.relation_schema, s.relation_name, spm._key_condition(s.name, s.relation_schema, s.relation_name, k.column_name), ' AND (' || s.filter || ')')
        FROM spm.source s JOIN spm.source_column k ON k.source_id = s.source_id AND k.name = 'reference_key'
        WHERE role = 'reference'
        UNION ALL
        SELECT s.source_id::text, format('SELECT %L::text AS source, t.%I::text AS transaction_key, %s::text AS line, t.%I::text AS owner_key, %s AS share FROM %I.%I AS t WHERE %s',
            s.name, p.key_column, coalesce('t.' || quote_ident(p.line_column), 'NULL'), p.owner_column,
            CASE p.share_unit WHEN 'percent' THEN format('t.%I * 0.01', p.share_column) ELSE format('t.%I::numeric', p.share_column) END,
            p.relation_schema, p.relation_name, spm._key_condition(s.name, p.relation_schema, p.relation_name, p.key_column))
        FROM spm.split_source p JOIN spm.source s USING (source_id)
        WHERE role = 'split'
        UNION ALL
        SELECT s.source_id || e.kind, format('SELECT %L::text AS source, %L::text AS kind, t.%I::text AS transaction_key, %s::text AS line, %s AS event_date, %s AS amount FROM %I.%I AS t WHERE %s',
            s.name, e.kind, e.key_column, coalesce('t.' || quote_ident(e.line_column), 'NULL'),
            CASE WHEN spm._type_name(to_regclass(format('%I.%I', e.relation_schema, e.relation_name)), e.date_column) = 'timestamp with time zone'
                THEN format('(t.%I AT TIME ZONE %L)::date', e.date_column, s.time_zone) ELSE format('t.%I::date', e.date_column) END,
            CASE WHEN e.amount_column IS NULL THEN 'NULL::numeric'
                WHEN e.amount_unit = 'percent' THEN format('t.%I * 0.01', e.amount_column) ELSE format('t.%I::numeric', e.amount_column) END,
            e.relation_schema, e.relation_name, spm._key_condition(s.name, e.relation_schema, e.relation_name, e.key_column))
        FROM spm.event_source e JOIN spm.source s USING (source_id)
        WHERE role = 'event') b;
    RETURN concat('(', sql, nothing, ')');
END
$$;
COMMENT ON FUNCTION spm._keyed_sql(text) IS 'SQL of the transactions, splits or events (role) whose keys are in pg_temp.spm_key, or of the transactions that take these back (role reference): what the view of that name says of them, found by the indexes of the warehouse.';
REVOKE ALL ON FUNCTION spm._keyed_sql(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._key_condition(source text, relation_schema text, relation_name text, column_name text)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
    -- a key that is not of the type cannot be there; other types are compared as text
    SELECT format(CASE
        WHEN t.name IN ('text', 'character varying', 'character', 'name') THEN
            't.%1$I = ANY (ARRAY(SELECT k.transaction_key::%3$s FROM pg_temp.spm_key k WHERE k.source = %2$L))'
        WHEN t.name IN ('smallint', 'integer', 'bigint') THEN
            't.%1$I = ANY (ARRAY(SELECT CASE WHEN k.transaction_key::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 THEN k.transaction_key::bigint END
                                 FROM pg_temp.spm_key k WHERE k.source = %2$L AND k.transaction_key ~ ''^-?\d{1,19}$''))'
        WHEN t.name = 'uuid' THEN
            't.%1$I = ANY (ARRAY(SELECT k.transaction_key::uuid FROM pg_temp.spm_key k WHERE k.source = %2$L AND k.transaction_key ~ ''^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$''))'
        WHEN t.name = 'numeric' THEN
            't.%1$I = ANY (ARRAY(SELECT k.transaction_key::numeric FROM pg_temp.spm_key k WHERE k.source = %2$L AND k.transaction_key ~ ''^(-?\d+(\.\d+)?|NaN|-?Infinity)$''))'
        ELSE 't.%1$I::text = ANY (ARRAY(SELECT k.transaction_key FROM pg_temp.spm_key k WHERE k.source = %2$L))' END,
        _key_condition.column_name, _key_condition.source, CASE t.name WHEN 'character' THEN 'bpchar' WHEN 'name' THEN 'name' ELSE 'text' END)
    FROM (SELECT spm._type_name(to_regclass(format('%I.%I', _key_condition.relation_schema, _key_condition.relation_name)), _key_condition.column_name) AS name) t
$$;
COMMENT ON FUNCTION spm._key_condition(text, text, text, text) IS 'SQL condition that the key of row t is one of those in pg_temp.spm_key, in the type of the column.';
REVOKE ALL ON FUNCTION spm._key_condition(text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._begin_refresh()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- kept for the session: what a refresh of one order takes is little more than making them would
    IF to_regclass('pg_temp.spm_mark') IS NULL THEN
        CREATE TEMPORARY TABLE spm_mark (calendar_id int, source text, transaction_key text, position_id int, payee_id int, currency_code text,
                                         span daterange, is_pay boolean) ON COMMIT DELETE ROWS;
    END IF;
    IF to_regclass('pg_temp.spm_key') IS NULL THEN
        CREATE TEMPORARY TABLE spm_key (source text, transaction_key text, is_touched boolean) ON COMMIT DELETE ROWS;
    END IF;
    IF to_regclass('pg_temp.spm_scope') IS NULL THEN
        CREATE TEMPORARY TABLE spm_scope (position_id int PRIMARY KEY) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE spm_payee (payee_id int PRIMARY KEY) ON COMMIT DELETE ROWS;
    END IF;
    IF to_regclass('pg_temp.spm_compiled') IS NULL THEN
        CREATE TEMPORARY TABLE spm_compiled (stage text, period_id int, component_id int, version bigint NOT NULL, query text NOT NULL, PRIMARY KEY (stage, period_id, component_id));
    END IF;
    DELETE FROM pg_temp.spm_mark;
END
$$;
COMMENT ON FUNCTION spm._begin_refresh() IS 'Makes the temporary tables of a refresh, or empties those of the one before.';
REVOKE ALL ON FUNCTION spm._begin_refresh() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._mark_watermarks()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET timezone = 'UTC'
AS $$
DECLARE
    most constant int := 10000;
    t record;
    type text;
    seen text;
    n bigint;
BEGIN
    FOR t IN
        SELECT w.*, s.name, to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) AS relation, k.column_name AS key_column
        FROM spm.tracked_source w JOIN spm.source s USING (source_id) JOIN spm.source_column k ON k.source_id = s.source_id AND k.name = 'transaction_key'
        WHERE w.watermark_column IS NOT NULL ORDER BY w.source_id FOR NO KEY UPDATE OF w
    LOOP
        type := spm._type_name(t.relation, t.watermark_column);
        EXECUTE format('SELECT max(r.%I)::text FROM %s r', t.watermark_column, t.relation) INTO seen;
        CONTINUE WHEN seen IS NULL;
        IF t.seen_until IS NULL THEN
            -- seen for the first time: anything may have changed
            INSERT INTO spm.change (relation, source) VALUES (t.relation, t.name);
        ELSE
            EXECUTE format('INSERT INTO spm.change (relation, source, transaction_key)
                SELECT DISTINCT $1, $2, r.%1$I::text FROM %2$s r WHERE r.%3$I >= $3::%4$s - $4::%5$s AND r.%1$I IS NOT NULL LIMIT %6$s',
                t.key_column, t.relation, t.watermark_column, CASE WHEN type IN ('smallint', 'integer') THEN 'bigint' ELSE type END,
                CASE WHEN type ~ '^(timestamp|date)' THEN 'interval' WHEN type = 'numeric' THEN 'numeric' ELSE 'bigint' END, most + 1)
                USING t.relation::text, t.name, t.seen_until, t.watermark_overlap;
            GET DIAGNOSTICS n = ROW_COUNT;
            IF n > most THEN
                INSERT INTO spm.change (relation, source) VALUES (t.relation, t.name);
            END IF;
        END IF;
        UPDATE spm.tracked_source w SET seen_until = seen WHERE w.source_id = t.source_id AND w.seen_until IS DISTINCT FROM seen;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._mark_watermarks() IS 'Leaves marks for the rows of sources with a watermark that have changed since the last look.';
REVOKE ALL ON FUNCTION spm._mark_watermarks() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._take_changes(calendar_ids int[])
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM spm._begin_refresh();
    WITH taken AS (
        DELETE FROM spm.change c WHERE c.calendar_id IS NULL OR c.calendar_id = ANY (_take_changes.calendar_ids)
        RETURNING c.*
    ), left_over AS (    -- what touches other calendars, too, stays for them
        INSERT INTO spm.change (relation, calendar_id, source, transaction_key, position_id, payee_id, currency_code, span, is_pay, marked_at, marked_by)
        SELECT t.relation, k.calendar_id, t.source, t.transaction_key, t.position_id, t.payee_id, t.currency_code, t.span, t.is_pay, t.marked_at, t.marked_by
        FROM taken t, spm.calendar k
        WHERE t.calendar_id IS NULL AND k.calendar_id <> ALL (_take_changes.calendar_ids)
          AND EXISTS (SELECT FROM spm.plan p WHERE p.calendar_id = k.calendar_id)
    )
    INSERT INTO pg_temp.spm_mark (calendar_id, source, transaction_key, position_id, payee_id, currency_code, span, is_pay)
    SELECT DISTINCT t.calendar_id, t.source, t.transaction_key, t.position_id, t.payee_id, t.currency_code, t.span, t.is_pay FROM taken t;
    GET DIAGNOSTICS n = ROW_COUNT;
    -- whether there are credits entered by hand at all is in the queries, too
    IF EXISTS (SELECT FROM pg_temp.spm_mark m WHERE m.transaction_key IS NULL OR m.source = 'manual') THEN
        UPDATE spm.change_version SET version = version + 1;
    END IF;
    DELETE FROM pg_temp.spm_compiled c WHERE c.version <> (SELECT v.version FROM spm.change_version v);
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm._take_changes(int[]) IS 'Moves the marks of some calendars from spm.change to pg_temp.spm_mark; returns their number. Marks that other calendars need, too, stay for those.';
REVOKE ALL ON FUNCTION spm._take_changes(int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._compiled(stage text, period_id int DEFAULT 0, component_id int DEFAULT 0)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sql text;
BEGIN
    SELECT c.query INTO sql FROM pg_temp.spm_compiled c
    WHERE (c.stage, c.period_id, c.component_id) = (_compiled.stage, _compiled.period_id, _compiled.component_id);
    IF FOUND THEN
        RETURN sql;
    END IF;
    CASE _compiled.stage
        WHEN 'claim' THEN
            SELECT spm._claim_sql(p.span, spm._credited_events(p.calendar_id),
                       '(t.source, t.transaction_key) IN (SELECT k.source, k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched)', true)
            INTO STRICT sql FROM spm.period p WHERE p.period_id = _compiled.period_id;
        WHEN 'credit' THEN
            sql := spm._credit_query(_compiled.period_id);
        WHEN 'measurement', 'earning' THEN
            sql := spm._component_query(_compiled.component_id, _compiled.period_id, _compiled.stage, true);
        ELSE
            sql := spm._keyed_sql(_compiled.stage);
    END CASE;
    INSERT INTO pg_temp.spm_compiled (stage, period_id, component_id, version, query)
    SELECT _compiled.stage, _compiled.period_id, _compiled.component_id, v.version, sql FROM spm.change_version v;
    RETURN sql;
END
$$;
COMMENT ON FUNCTION spm._compiled(text, int, int) IS 'SQL of a refresh, compiled once a session and kept until something else than transactions changes. stage: claim, credit, measurement or earning, of a period and component; or a role of spm._keyed_sql().';
REVOKE ALL ON FUNCTION spm._compiled(text, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._touched_days(calendar_id int)
    RETURNS datemultirange
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days datemultirange;
    periods int[] := array(SELECT f.period_id FROM spm._leaf(_touched_days.calendar_id) f);
BEGIN
    DELETE FROM pg_temp.spm_key;
    INSERT INTO pg_temp.spm_key (source, transaction_key, is_touched)
    SELECT DISTINCT m.source, m.transaction_key, true FROM pg_temp.spm_mark m
    WHERE m.transaction_key IS NOT NULL AND coalesce(m.calendar_id, _touched_days.calendar_id) = _touched_days.calendar_id;
    IF NOT FOUND THEN
        RETURN '{}';
    END IF;
    -- what takes a transaction back is judged and shared as that is
    IF EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key')
       AND EXISTS (SELECT FROM spm.credit_rule UNION ALL SELECT FROM spm.territory_source UNION ALL SELECT FROM spm.split_source) THEN
        EXECUTE format('INSERT INTO pg_temp.spm_key (source, transaction_key, is_touched) SELECT DISTINCT t.source, t.transaction_key, true FROM (%s) t
            EXCEPT SELECT k.source, k.transaction_key, k.is_touched FROM pg_temp.spm_key k', spm._compiled('reference'));
        EXECUTE format('INSERT INTO pg_temp.spm_key (source, transaction_key, is_touched) SELECT DISTINCT t.source, t.reference_key, false FROM %s t
            WHERE t.reference_key IS NOT NULL AND (t.source, t.reference_key) NOT IN (SELECT k.source, k.transaction_key FROM pg_temp.spm_key k)', spm._compiled('transaction'));
    END IF;
    ANALYZE pg_temp.spm_key;
    -- where they were and where they are
    EXECUTE format('WITH touched AS MATERIALIZED (SELECT k.source, k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched), one AS MATERIALIZED (
            SELECT array_agg(DISTINCT k.transaction_key) AS keys, array_agg(DISTINCT k.source) AS sources FROM touched k)
        SELECT range_agg(u.span) FROM (
            SELECT p.span FROM spm.credit c JOIN spm.period p USING (period_id)
            WHERE c.period_id = ANY ($1) AND c.transaction_key = ANY ((SELECT keys FROM one)::text[]) AND (c.source, c.transaction_key) IN (SELECT k.source, k.transaction_key FROM touched k)
            UNION ALL
            SELECT p.span FROM spm.uncredited c JOIN spm.period p USING (period_id)
            WHERE c.period_id = ANY ($1) AND c.source = ANY ((SELECT sources FROM one)::text[]) AND c.transaction_key = ANY ((SELECT keys FROM one)::text[])
            UNION ALL
            SELECT daterange(t.event_date, t.event_date, ''[]'') FROM %s t WHERE (t.source, t.transaction_key) IN (SELECT k.source, k.transaction_key FROM touched k)
            UNION ALL
            SELECT daterange(e.event_date, e.event_date, ''[]'') FROM %s e WHERE (e.source, e.transaction_key) IN (SELECT k.source, k.transaction_key FROM touched k)
            UNION ALL
            SELECT daterange(m.event_date, m.event_date, ''[]'') FROM spm.manual_credit m
            WHERE m.manual_credit_id = ANY (ARRAY(SELECT substr(k.transaction_key, 3)::int FROM touched k WHERE k.source = ''manual''))) u(span)',
        spm._compiled('transaction'), spm._compiled('event')) INTO days USING periods;
    RETURN coalesce(days, '{}');
END
$$;
COMMENT ON FUNCTION spm._touched_days(int) IS 'Puts the keys of marked transactions, and of those that go by them, into pg_temp.spm_key; returns the days that they were credited on, by the ledger, or are to be, by their sources.';
REVOKE ALL ON FUNCTION spm._touched_days(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_in_scope(component_id int)
    RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
        WHERE c.component_id = _is_in_scope.component_id AND s.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z)));
END
$$;
COMMENT ON FUNCTION spm._is_in_scope(int) IS 'Whether any seat in pg_temp.spm_scope is paid by a component.';
REVOKE ALL ON FUNCTION spm._is_in_scope(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_small_scope()
    RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- the planner, which does not know, would loop over many as over few
    RETURN (SELECT count(*) FROM (SELECT FROM pg_temp.spm_scope LIMIT 31) z) <= 30;
END
$$;
COMMENT ON FUNCTION spm._is_small_scope() IS 'Whether the seats in pg_temp.spm_scope are so few that queries may loop over them.';
REVOKE ALL ON FUNCTION spm._is_small_scope() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._widen_scope(period_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
    m bigint;
BEGIN
    LOOP
        -- all seats of the payees, and all payees of the seats: results of one go into those of another
        INSERT INTO pg_temp.spm_payee (payee_id)
        SELECT DISTINCT a.payee_id FROM spm.position_assignment a WHERE a.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS n = ROW_COUNT;
        INSERT INTO pg_temp.spm_scope (position_id)
        SELECT DISTINCT a.position_id FROM spm.position_assignment a WHERE a.payee_id = ANY (ARRAY(SELECT z.payee_id FROM pg_temp.spm_payee z))
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS m = ROW_COUNT;
        CONTINUE WHEN n + m > 0;
        -- where a plan ranks, shares a pot or goes by a team's results, one touches all
        INSERT INTO pg_temp.spm_scope (position_id)
        SELECT DISTINCT s.position_id
        FROM (SELECT DISTINCT v.plan_version_id, v.plan_id, v.span
              FROM spm._components(_widen_scope.period_id) c JOIN spm.plan_version v USING (plan_version_id)
              WHERE c.basis IN ('rank', 'pool')
                 OR EXISTS (SELECT FROM spm.modifier x WHERE x.component_id = c.component_id AND x.scope IN ('team', 'plan'))
                 OR EXISTS (SELECT FROM spm.component_input i WHERE i.component_id = c.component_id AND i.scope IN ('team', 'plan'))) v
        CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
        WHERE EXISTS (SELECT FROM spm.plan_seat(v.plan_id, v.span) z WHERE z.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z)))
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS n = ROW_COUNT;
        EXIT WHEN n = 0;
    END LOOP;
    -- those whose rows are in the ledger, though they no longer sit there
    INSERT INTO pg_temp.spm_payee (payee_id)
    SELECT DISTINCT e.payee_id FROM spm.measurement e
    WHERE e.period_id = _widen_scope.period_id AND e.position_id = ANY (ARRAY(SELECT z.position_id FROM pg_temp.spm_scope z))
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION spm._widen_scope(int) IS 'Adds to the seats in pg_temp.spm_scope all whose results in a period depend on theirs, and to pg_temp.spm_payee who sits or sat there.';
REVOKE ALL ON FUNCTION spm._widen_scope(int) FROM PUBLIC;

-- ------------------------------------------------------- calculating it again

CREATE OR REPLACE FUNCTION spm._credit_keys(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched constant text := '(source, transaction_key) IN (SELECT k.source, k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched)';
    scope constant text := 'transaction_key = ANY (ARRAY(SELECT k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched)) AND ' || touched;
    is_small constant boolean := (SELECT count(*) <= 30 FROM pg_temp.spm_key);
    n bigint;
BEGIN
    PERFORM spm._result(spm._compiled('claim', _credit_keys.period_id), 'spm_claim', is_small => is_small);
    DELETE FROM spm.uncredited u WHERE u.period_id = _credit_keys.period_id AND u.source = ANY (ARRAY(SELECT DISTINCT k.source FROM pg_temp.spm_key k WHERE k.is_touched))
        AND u.transaction_key = ANY (ARRAY(SELECT k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched))
        AND (u.source, u.transaction_key) IN (SELECT k.source, k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched);
    PERFORM spm._note_uncredited(_credit_keys.period_id, _credit_keys.run_id);
    -- whose credits these were, and whose they are; where none changes nobody is looked at
    EXECUTE format('CREATE TEMPORARY TABLE spm_before ON COMMIT DROP AS SELECT DISTINCT c.position_id FROM spm.credit c WHERE c.period_id = %s AND %s', _credit_keys.period_id, scope);
    n := spm._write_credits(spm._compiled('credit', _credit_keys.period_id), _credit_keys.period_id, _credit_keys.posting_id, _credit_keys.run_id, scope, is_small);
    IF n > 0 THEN
        EXECUTE 'INSERT INTO pg_temp.spm_scope (position_id) SELECT b.position_id FROM pg_temp.spm_before b UNION SELECT r.position_id FROM pg_temp.spm_result r ON CONFLICT DO NOTHING';
    END IF;
    PERFORM spm._drop_temporary('spm_before');
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm._credit_keys(int, int, bigint) IS 'First stage, of the transactions in pg_temp.spm_key: to credits. Adds the seats whose credits change to pg_temp.spm_scope. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._credit_keys(int, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_keys_once(calendar_id int, posting_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    keys text[] := array(SELECT k.transaction_key FROM pg_temp.spm_key k WHERE k.is_touched);
BEGIN
    -- only to be told by who looks at everything
    IF EXISTS (
        SELECT FROM spm.standing_credit c JOIN spm.period p USING (period_id)
        WHERE c.transaction_key = ANY (keys) AND c.kind = 'direct' AND c.event = 'booking' AND p.calendar_id = _check_keys_once.calendar_id
        GROUP BY c.source, c.transaction_key, c.line HAVING count(DISTINCT c.period_id) > 1) THEN
        PERFORM spm._check_once(_check_keys_once.posting_id);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_keys_once(int, int) IS 'Error 23505 as that of spm._check_once(), where it could be one of the transactions in pg_temp.spm_key.';
REVOKE ALL ON FUNCTION spm._check_keys_once(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refresh_calendar(calendar_id int)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period;
    first spm.period;
    run spm.run;
    draft int;
    wide datemultirange;               -- days on which anybody may be touched
    touched datemultirange;            -- days of marked transactions
    changed datemultirange := '{}';    -- days whose results have changed
    is_scoped boolean := true;         -- those who are touched are known: pg_temp.spm_scope
    is_seat boolean;                   -- seats are marked
    is_paid boolean;                   -- marks touch what is paid
    is_joint boolean;                  -- what one is paid touches all
    is_ruled boolean;                  -- what one posting pays touches later ones
    is_full boolean;
    is_reached boolean;
    is_stale boolean;
    n bigint;
    all_changed bigint := 0;
BEGIN
    SELECT p.* INTO first FROM spm.period p
    WHERE p.calendar_id = _refresh_calendar.calendar_id AND p.state <> 'posted' AND spm._is_leaf(p.period_id) ORDER BY p.span LIMIT 1;
    DELETE FROM pg_temp.spm_scope;
    DELETE FROM pg_temp.spm_payee;
    INSERT INTO pg_temp.spm_scope (position_id)
    SELECT m.position_id FROM pg_temp.spm_mark m WHERE m.position_id IS NOT NULL AND coalesce(m.calendar_id, _refresh_calendar.calendar_id) = _refresh_calendar.calendar_id
    UNION
    SELECT a.position_id FROM pg_temp.spm_mark m JOIN spm.position_assignment a USING (payee_id)
    WHERE NOT m.is_pay AND coalesce(m.calendar_id, _refresh_calendar.calendar_id) = _refresh_calendar.calendar_id
    UNION
    SELECT c.position_id FROM pg_temp.spm_mark m JOIN spm.credit c ON c.currency_code = m.currency_code AND c.event_date <@ coalesce(m.span, '(,)')
    WHERE m.currency_code IS NOT NULL AND coalesce(m.calendar_id, _refresh_calendar.calendar_id) = _refresh_calendar.calendar_id;
    is_seat := FOUND;
    INSERT INTO pg_temp.spm_payee (payee_id)
    SELECT DISTINCT m.payee_id FROM pg_temp.spm_mark m WHERE m.payee_id IS NOT NULL AND coalesce(m.calendar_id, _refresh_calendar.calendar_id) = _refresh_calendar.calendar_id;
    SELECT coalesce(range_agg(coalesce(m.span, '(,)')) FILTER (WHERE num_nonnulls(m.transaction_key, m.position_id, m.payee_id, m.currency_code) = 0 AND NOT m.is_pay), '{}'),
           -- pay rules, too, go by variables, absences and the days on a plan
           coalesce(bool_or(m.is_pay OR num_nonnulls(m.position_id, m.payee_id) > 0), false), coalesce(bool_or(m.is_pay AND m.payee_id IS NULL), false) INTO wide, is_paid, is_joint
    FROM pg_temp.spm_mark m WHERE coalesce(m.calendar_id, _refresh_calendar.calendar_id) = _refresh_calendar.calendar_id;
    is_joint := is_joint OR EXISTS (SELECT FROM spm.plan p JOIN spm.plan_version v USING (plan_id) JOIN spm.pay_rule r USING (plan_version_id)
                                      WHERE p.calendar_id = _refresh_calendar.calendar_id AND v.state <> 'draft' AND r.kind = 'budget');
    is_ruled := is_joint OR EXISTS (SELECT FROM spm.pay_rule) OR EXISTS (SELECT FROM spm.hold) OR EXISTS (SELECT FROM spm.adjustment);
    IF wide <> '{}' THEN
        is_paid := is_paid OR is_ruled;
        is_joint := is_joint OR is_ruled;
        PERFORM spm._check_sources(), spm._check_versions(_refresh_calendar.calendar_id);
    END IF;
    touched := spm._touched_days(_refresh_calendar.calendar_id);

    FOR this IN
        SELECT p.* FROM spm.period p
        WHERE p.calendar_id = _refresh_calendar.calendar_id AND spm._is_leaf(p.period_id) AND p.state <> 'open'
        ORDER BY p.span
    LOOP
        is_stale := NOT EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = this.period_id);
        is_full := is_stale OR wide && this.span
            OR wide <> '{}' AND EXISTS (SELECT FROM spm._components(this.period_id) c WHERE spm._reach(c.component_id, this.period_id) && (wide * datemultirange(daterange(NULL, upper(this.span)))));
        -- what is prorated goes by the days of all that it accumulates over, also by those of another version
        is_full := is_full OR wide <> '{}' AND EXISTS (SELECT FROM spm._components(this.period_id) c WHERE c.prorate <> 'none' AND spm._window(this.period_id, c.accumulate) && wide);
        is_reached := is_full OR is_seat OR touched && this.span
            OR changed <> '{}' AND EXISTS (SELECT FROM spm._components(this.period_id) c WHERE spm._reach(c.component_id, this.period_id) && changed OR c.refund <> 'running');
        -- what has changed in posted periods is paid by the first open one after them, once that is calculated;
        -- and what stands on a period that was opened again waits until that is calculated
        IF is_reached AND (CASE this.state WHEN 'posted' THEN NOT coalesce(first.state = 'calculated' AND this.span << first.span, false)
            ELSE EXISTS (SELECT FROM spm._components(this.period_id) c
                         CROSS JOIN LATERAL (SELECT spm._reach(c.component_id, this.period_id) AS days OFFSET 0) r
                         JOIN spm.period e ON e.calendar_id = this.calendar_id AND e.state = 'open' AND e.span << this.span AND e.span && r.days
                         WHERE spm._is_leaf(e.period_id)) END) THEN
            DELETE FROM spm.period_watermark w WHERE w.period_id = this.period_id;
            CONTINUE;
        END IF;
        CONTINUE WHEN NOT is_reached AND NOT (this.state = 'calculated' AND (is_paid OR run.run_id IS NOT NULL OR is_ruled AND changed <> '{}'));
        -- one run for each posting
        IF run.run_id IS NULL THEN
            IF to_regclass('spm.transaction') IS NULL THEN
                RAISE EXCEPTION 'no source of transactions is mapped'
                    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
            END IF;
            SELECT o.posting_id INTO STRICT draft FROM spm.posting o
            WHERE o.period_id = CASE this.state WHEN 'posted' THEN first.period_id ELSE this.period_id END AND o.state = 'draft';
            INSERT INTO spm.run (kind, period_id, version)
            SELECT 'refresh', o.period_id, e.extversion FROM pg_extension e, spm.posting o WHERE e.extname = 'spm' AND o.posting_id = draft
            RETURNING * INTO run;
        END IF;
        n := 0;
        PERFORM spm._begin_progress('refresh', this.name), spm._end_progress();
        IF is_full THEN
            IF this.period_id = first.period_id OR this.state = 'posted' THEN
                PERFORM spm._withdraw_differences(_refresh_calendar.calendar_id, draft);
            END IF;
            PERFORM spm._progress('crediting', 0, NULL);
            n := spm._credit_period(this.period_id, draft, run.run_id);
            PERFORM spm._progress('measuring', 0, NULL);
            n := n + spm._measure_period(this.period_id, draft, run.run_id);
            PERFORM spm._progress('earning', 0, NULL);
            n := n + spm._earn_period(this.period_id, draft, run.run_id);
            is_scoped := is_scoped AND n = 0;
        ELSIF is_reached THEN
            IF touched && this.span THEN
                n := spm._credit_keys(this.period_id, draft, run.run_id);
            END IF;
            IF EXISTS (SELECT FROM pg_temp.spm_scope) OR NOT is_scoped THEN
                IF EXISTS (SELECT FROM spm._components(this.period_id) c WHERE c.refund <> 'running') THEN
                    -- what refunds take back stands on what anybody has earned of the order, at any time
                    is_scoped := false;
                END IF;
                IF is_scoped THEN
                    PERFORM spm._widen_scope(this.period_id);
                END IF;
                n := n + spm._measure_period(this.period_id, draft, run.run_id, is_scoped) + spm._earn_period(this.period_id, draft, run.run_id, is_scoped);
            END IF;
        END IF;
        IF is_reached AND this.state = 'posted' THEN
            run.late_period_count := run.late_period_count + 1;
        END IF;
        IF n > 0 THEN
            changed := changed + this.span::datemultirange;
        END IF;
        IF n > 0 OR is_stale THEN
            -- what the digest was taken of is no longer what the results are made of
            INSERT INTO spm.period_watermark (period_id, watermark) VALUES (this.period_id, 'unsure')
            ON CONFLICT (period_id) DO UPDATE SET watermark = EXCLUDED.watermark WHERE period_watermark.watermark <> 'unsure';
        END IF;
        run.changed_count := run.changed_count + n;
        IF this.state = 'posted' THEN
            CONTINUE;
        END IF;
        IF this.period_id = first.period_id THEN
            IF is_full OR NOT is_scoped THEN
                PERFORM spm._check_once(draft);
            ELSIF touched <> '{}' THEN
                PERFORM spm._check_keys_once(_refresh_calendar.calendar_id, draft);
            END IF;
        END IF;
        PERFORM spm._progress('paying', 0, NULL);
        IF run.changed_count > 0 OR is_paid OR is_full OR is_ruled AND changed <> '{}' THEN
            run.changed_count := run.changed_count
                + spm._pay(draft, run.run_id, CASE WHEN is_scoped AND NOT is_full AND NOT is_joint THEN array(SELECT y.payee_id FROM pg_temp.spm_payee y) END);
        END IF;
        UPDATE spm.run r
        SET finished_at = clock_timestamp(), late_period_count = run.late_period_count, changed_count = run.changed_count
        WHERE r.run_id = run.run_id
        RETURNING r.* INTO run;
        RAISE NOTICE 'run %: period % refreshed, % s; % rows changed%', run.run_id, this.name, round(extract(epoch FROM run.finished_at - run.started_at), 3), run.changed_count,
            CASE WHEN run.late_period_count > 0 THEN format('; %s posted period(s) looked at again', run.late_period_count) ELSE '' END;
        all_changed := all_changed + run.changed_count;
        run := NULL;
    END LOOP;
    RETURN all_changed;
END
$$;
COMMENT ON FUNCTION spm._refresh_calendar(int) IS 'Calculates again what the marks in pg_temp.spm_mark touch in a calendar, in the order of its periods. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._refresh_calendar(int) FROM PUBLIC;

-- No jit: compiling a query takes longer than a refresh, or a cancel, may.
CREATE OR REPLACE PROCEDURE spm.refresh(calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
DECLARE
    calendars int[] := array(SELECT k.calendar_id FROM spm.calendar k WHERE k.name = refresh.calendar OR refresh.calendar IS NULL ORDER BY 1);
    of_calendar int;
    rounds int := 0;
BEGIN
    IF refresh.calendar IS NOT NULL AND calendars = '{}' THEN
        RAISE EXCEPTION 'calendar "%" does not exist', refresh.calendar USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.calendar;';
    END IF;
    PERFORM spm._begin_progress('refresh', NULL), spm._progress('waiting for another run in this calendar', 0, NULL);
    -- one at a time in a calendar; readers never wait.  A new row version, so that a transaction
    -- with an older snapshot fails instead of missing what the one before wrote
    FOREACH of_calendar IN ARRAY calendars LOOP
        UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = of_calendar;
    END LOOP;
    PERFORM spm._progress('looking for what has changed', 0, NULL), spm._mark_watermarks();
    -- plans, quotas and seats are not locked.  Whoever changes one leaves a mark: while there are
    -- new ones, what was just calculated may stand half on the old and half on the new
    LOOP
        rounds := rounds + 1;
        PERFORM spm._take_changes(calendars);
        FOREACH of_calendar IN ARRAY calendars LOOP
            PERFORM spm._refresh_calendar(of_calendar);
        END LOOP;
        EXIT WHEN rounds = 5 OR NOT EXISTS (
            SELECT FROM spm.change c WHERE c.transaction_key IS NULL AND (c.calendar_id IS NULL OR c.calendar_id = ANY (calendars)));
    END LOOP;
    PERFORM spm._end_progress();
END
$$;
COMMENT ON PROCEDURE spm.refresh(text) IS
'Brings every calculated period up to date: takes the marks of what has changed (spm.waiting_change) and calculates that again and nothing else, also later periods that accumulate over it, and for posted periods the differences, which the first open period pays once it has been calculated. Afterwards every calculated period says what CALL spm.calculate() of each, in order, would make it say. Periods that were never calculated are left alone. Readers never wait; a failure or cancellation leaves everything as it was, the marks included.
calendar: name; NULL: all.
Errors: 42704 for an unknown calendar; those of spm.calculate().
Example: CALL spm.refresh();';
