/*
 * core/stages_event.sql: milestones of transactions, such as invoices and
 * payments.  Warehouse relations are mapped, and the view
 * spm.transaction_event shows the rows of all of them; nothing is copied.
 */

CREATE OR REPLACE FUNCTION spm._map_event_call(event spm.event_source)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT spm.map_event(%L, %L, %L, key => %L, date => %L', s.name, event.kind,
            format('%I.%I', event.relation_schema, event.relation_name), event.key_column, event.date_column)
        || coalesce(', amount => ' || quote_literal(event.amount_column), '') || coalesce(', line => ' || quote_literal(event.line_column), '')
        || CASE WHEN event.amount_unit <> 'money' THEN format(', amount_unit => %L', event.amount_unit) ELSE '' END
        || CASE WHEN event.credited <> 'pro rata' THEN format(', credited => %L', event.credited) ELSE '' END
        || CASE WHEN event.over <> 'capped' THEN format(', over => %L', event.over) ELSE '' END
        || CASE WHEN event.tolerance <> 0 THEN format(', tolerance => %s', event.tolerance) ELSE '' END || ');'
    FROM spm.source s WHERE s.source_id = event.source_id
$$;
COMMENT ON FUNCTION spm._map_event_call(spm.event_source) IS 'The call of spm.map_event() that maps milestones as they are mapped.';
REVOKE ALL ON FUNCTION spm._map_event_call(spm.event_source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._event_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %L::text AS source, %L::text AS kind, t.%I::text AS transaction_key, %s::text AS line, %s AS event_date, %s AS amount\nFROM %I.%I AS t\nUNION ALL\n',
            s.name, e.kind, e.key_column, coalesce('t.' || quote_ident(e.line_column), 'NULL'),
            CASE WHEN spm._type_name(to_regclass(format('%I.%I', e.relation_schema, e.relation_name)), e.date_column) = 'timestamp with time zone'
                THEN format('(t.%I AT TIME ZONE %L)::date', e.date_column, s.time_zone) ELSE format('t.%I::date', e.date_column) END,
            CASE WHEN e.amount_column IS NULL THEN 'NULL::numeric'
                WHEN e.amount_unit = 'percent' THEN format('t.%I * 0.01', e.amount_column) ELSE format('t.%I::numeric', e.amount_column) END,
            e.relation_schema, e.relation_name), '' ORDER BY s.source_id, e.kind)
        FROM spm.event_source AS e
        JOIN spm.source AS s USING (source_id)
        WHERE s.name <> ALL (broken)),
        'SELECT r.source, r.type AS kind, r.transaction_key, r.line, r.event_date, r.amount FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false');
END
$$;
COMMENT ON FUNCTION spm._event_query(text[]) IS 'The query of the view spm.transaction_event, without the broken sources.';
REVOKE ALL ON FUNCTION spm._event_query(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.map_event(source text, kind text, relation regclass, key text, date text, amount text DEFAULT NULL,
    line text DEFAULT NULL, amount_unit text DEFAULT 'money', credited text DEFAULT 'pro rata', over text DEFAULT 'capped', tolerance numeric DEFAULT 0)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    this_source spm.source := spm._source_named(source);
    wrong record;
BEGIN
    PERFORM spm._check_text(map_event.kind, 'kind'), spm._check_relation(relation),
        spm._column_type(relation, key, 'key', label_types, NULL),
        spm._column_type(relation, date, 'date', '{date,timestamp without time zone,timestamp with time zone}', NULL);
    IF amount IS NOT NULL THEN
        PERFORM spm._column_type(relation, amount, 'amount', '{numeric,integer,bigint,smallint}', NULL);
    END IF;
    IF line IS NOT NULL THEN
        PERFORM spm._column_type(relation, line, 'line', label_types, NULL);
    END IF;
    SELECT w.* INTO wrong FROM (VALUES
        ('kind', map_event.kind, map_event.kind <> 'booking', 'Every transaction is its own booking; name the milestone: invoice, payment ...'),
        ('amount_unit', amount_unit, amount_unit IN ('money', 'ratio', 'percent'), 'money: in the currency of the transaction; ratio: 1 is all of it; percent: 100 is.'),
        ('credited', credited, credited IN ('pro rata', 'first', 'full'), 'pro rata: each credits its part; first: the first credits all; full: all is credited once it is reached in full.'),
        ('over', over, over IN ('capped', 'credited'), 'What goes beyond the transaction: capped, not credited; credited, like the rest.'),
        ('tolerance', tolerance::text, tolerance >= 0 AND tolerance < 1, 'The share that may be missing: 0.01 is 1 %.')) AS w (argument, value, is_right, hint)
    WHERE w.is_right IS NOT TRUE;
    IF FOUND THEN
        RAISE EXCEPTION '% cannot be "%"', wrong.argument, wrong.value USING ERRCODE = '22023', HINT = wrong.hint;
    END IF;
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.event_source AS e WHERE e.source_id = this_source.source_id AND e.kind = map_event.kind;
    INSERT INTO spm.event_source (source_id, kind, relation_schema, relation_name, key_column, line_column, date_column, amount_column,
        amount_unit, credited, over, tolerance)
    SELECT this_source.source_id, map_event.kind, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname,
        map_event.key, map_event.line, map_event.date, map_event.amount, map_event.amount_unit, map_event.credited, map_event.over, map_event.tolerance
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_event.relation;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_event(text, text, regclass, text, text, text, text, text, text, text, numeric) IS
'Maps a relation with milestones of a source''s transactions, such as invoices or payments: its rows are in the view spm.transaction_event, and components with event => kind are paid by them. A second call for the source and kind replaces the first.
source: name of a mapped source. kind: name of the milestone. Names of columns: key (of the transaction), date, amount (NULL: each is of all of the transaction), line (NULL, or NULL in a row: of all lines). amount_unit: money in the currency of the transaction, ratio, or percent of it.
credited: pro rata, each credits its part; first, the first one credits all; full, all is credited once it is reached. over: what goes beyond the transaction is capped, or credited too. tolerance: share that may be missing for it to be reached in full.
Errors: 42704 unknown source; 42809, 42703, 42804, 42501 as for spm.map_source(); 22023 for another value of an option.
Example: SELECT spm.map_event(''orders'', ''payment'', ''erp.payment'', key => ''order_id'', date => ''received_on'', amount => ''amount'');';

CREATE OR REPLACE FUNCTION spm.unmap_event(source text, kind text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(source);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.event_source AS e WHERE e.source_id = this_source.source_id AND e.kind = unmap_event.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'source "%" has no milestones of kind "%"', source, kind USING ERRCODE = '42704', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_event(text, text) IS
'Takes milestones of a source away: nothing is credited by them any more.
source: name of a mapped source. kind: name of the milestone.
Errors: 42704 for an unknown source, or a kind that it has not.
Example: SELECT spm.unmap_event(''orders'', ''payment'');';
