/*
 * forecast/functions_pipeline.sql: CRM -> opportunity.  Relations are mapped, and the
 * views spm.opportunity and spm.opportunity_change show the rows of all of them;
 * nothing is copied.
 *
 * The two views are made here and not by the extension's script, because they
 * are the user's: pg_dump keeps them with the rest of the database.
 */

CREATE OR REPLACE FUNCTION spm.forecast_category(word text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE translate(lower(word), ' _-', '')
            WHEN 'omitted' THEN 'omitted' WHEN 'omit' THEN 'omitted' WHEN 'notforecasted' THEN 'omitted'
            WHEN 'pipeline' THEN 'pipeline'
            WHEN 'bestcase' THEN 'best_case' WHEN 'upside' THEN 'best_case'
            WHEN 'mostlikely' THEN 'most_likely' WHEN 'probable' THEN 'most_likely'
            WHEN 'commit' THEN 'commit' WHEN 'committed' THEN 'commit' WHEN 'forecast' THEN 'commit'
            WHEN 'closed' THEN 'closed' WHEN 'closedwon' THEN 'closed' WHEN 'won' THEN 'closed' END;
    END;
COMMENT ON FUNCTION spm.forecast_category(text) IS
'Forecast category that a CRM means by a word: omitted, pipeline, best_case, most_likely, commit or closed; NULL for a word that is none. Capitals, blanks and underscores do not count.
Example: SELECT spm.forecast_category(''Best Case'') is best_case.';

CREATE OR REPLACE FUNCTION spm._category_order(category text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE category WHEN 'omitted' THEN 0 WHEN 'pipeline' THEN 1 WHEN 'best_case' THEN 2 WHEN 'most_likely' THEN 3
            WHEN 'commit' THEN 4 WHEN 'closed' THEN 5 END;
    END;
COMMENT ON FUNCTION spm._category_order(text) IS 'Place of a category among the others, the surer the higher.';
REVOKE ALL ON FUNCTION spm._category_order(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._opportunity_argument()
    RETURNS TABLE (argument text, name text, accepted text[])
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT a.argument, a.name, CASE a.kind
            WHEN 'label' THEN '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}'::text[]
            WHEN 'day' THEN '{date,timestamp without time zone,timestamp with time zone}'
            WHEN 'word' THEN '{text,character varying,character,name,enum}'
            WHEN 'flag' THEN '{boolean}'
            ELSE '{numeric,integer,bigint,smallint,real,double precision}' END
        FROM (VALUES
            ('key', 'opportunity_key', 'label'), ('owner', 'owner_key', 'label'), ('stage', 'stage', 'label'), ('amount', 'amount', 'number'),
            ('created', 'created_on', 'day'), ('close_date', 'close_date', 'day'), ('account', 'account_key', 'label'),
            ('currency', 'currency_code', 'word'), ('deal_name', 'name', 'word'), ('segment', 'segment', 'label'), ('category', 'category', 'word'),
            ('won', 'is_won', 'flag'), ('lost', 'is_lost', 'flag'), ('closed', 'is_closed', 'flag'), ('closed_on', 'closed_on', 'day'),
            ('entered', 'entered_on', 'day'), ('list_amount', 'list_amount', 'number')
        ) AS a (argument, name, kind);
    END;
COMMENT ON FUNCTION spm._opportunity_argument() IS
    'Arguments of spm.map_opportunities() that name columns: the column of spm.opportunity that each fills, and the types it takes.';
REVOKE ALL ON FUNCTION spm._opportunity_argument() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._opportunity_source_named(source text)
    RETURNS spm.opportunity_source
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.opportunity_source;
BEGIN
    SELECT s.* INTO this_source FROM spm.opportunity_source AS s WHERE s.name = _opportunity_source_named.source AND s.is_mapped;
    IF this_source.opportunity_source_id IS NULL THEN
        RAISE EXCEPTION 'opportunities "%" are not mapped', source
            USING ERRCODE = '42704', HINT = coalesce(
                'Mapped are: ' || (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.opportunity_source AS s WHERE s.is_mapped) || '.',
                'There are none yet: SELECT spm.map_opportunities(...);');
    END IF;
    RETURN this_source;
END
$$;
COMMENT ON FUNCTION spm._opportunity_source_named(text) IS 'The mapped source of deals of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._opportunity_source_named(text) FROM PUBLIC;

-- Nonsense that a column may hold (NaN, infinity) is no amount and no day.
CREATE OR REPLACE FUNCTION spm._pipeline_expression(relation regclass, column_name text, kind text, time_zone text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    reference text := 't.' || quote_ident(column_name);
    type text;
    collation_id oid;
BEGIN
    IF column_name IS NULL THEN
        RETURN format('NULL::%s', CASE kind WHEN 'moment' THEN 'timestamp' ELSE kind END);
    END IF;
    SELECT format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), a.attcollation INTO type, collation_id
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = _pipeline_expression.relation AND a.attname = _pipeline_expression.column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF kind IN ('date', 'moment') AND type = 'timestamp with time zone' THEN
        reference := format('(%s AT TIME ZONE %L)', reference, time_zone);
    END IF;
    RETURN CASE kind
        WHEN 'date' THEN format('CASE WHEN isfinite(%s) THEN %s::date END', reference, reference)
        WHEN 'moment' THEN format('CASE WHEN isfinite(%s) THEN %s::timestamp END', reference, reference)
        WHEN 'numeric' THEN CASE WHEN type IN ('numeric', 'real', 'double precision')
            THEN format('CASE WHEN %s > ''-Infinity'' AND %s < ''Infinity'' THEN %s::numeric END', reference, reference, reference)
            ELSE reference || '::numeric' END
        WHEN 'text' THEN format('nullif(%s::text, '''')', CASE WHEN collation_id IN (0, '"default"'::regcollation) THEN reference
            ELSE format('(%s) COLLATE "default"', reference) END)
        ELSE reference END;
END
$$;
COMMENT ON FUNCTION spm._pipeline_expression(regclass, text, text, text) IS
    'SQL that reads a column of the relation t as text, numeric, boolean, date or moment (a timestamp in the time zone); NULL of that type without a column.';
REVOKE ALL ON FUNCTION spm._pipeline_expression(regclass, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._opportunity_columns(source spm.opportunity_source)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    relation regclass := to_regclass(format('%I.%I', source.relation_schema, source.relation_name));
BEGIN
    RETURN (
        SELECT jsonb_object_agg(a.name, spm._pipeline_expression(relation, c.column_name, CASE
            WHEN a.accepted[1] = 'date' THEN 'date' WHEN a.accepted[1] = 'numeric' THEN 'numeric' WHEN a.accepted[1] = 'boolean' THEN 'boolean'
            ELSE 'text' END, source.time_zone))
        FROM spm._opportunity_argument() AS a
        LEFT JOIN spm.opportunity_source_column AS c ON c.opportunity_source_id = source.opportunity_source_id AND c.name = a.name);
END
$$;
COMMENT ON FUNCTION spm._opportunity_columns(spm.opportunity_source) IS 'SQL over the relation of a source for each standard column, by its name.';
REVOKE ALL ON FUNCTION spm._opportunity_columns(spm.opportunity_source) FROM PUBLIC;

-- A flag of the source goes before its stage; what is neither won nor lost is open.
CREATE OR REPLACE FUNCTION spm._opportunity_branch(source spm.opportunity_source)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    has text[] := ARRAY(SELECT c.name FROM spm.opportunity_source_column AS c WHERE c.opportunity_source_id = source.opportunity_source_id);
    x jsonb := spm._opportunity_columns(source);
    closed text;
    won text;
BEGIN
    closed := concat_ws(' OR ',
        CASE WHEN 'is_won' = ANY (has) THEN format('coalesce(%s, false)', x ->> 'is_won') END,
        CASE WHEN 'is_lost' = ANY (has) THEN format('coalesce(%s, false)', x ->> 'is_lost') END,
        CASE WHEN 'is_closed' = ANY (has) THEN format('coalesce(%s, false)', x ->> 'is_closed')
            WHEN has @> '{is_won,is_lost}' THEN NULL ELSE 'coalesce(g.is_closed, false)' END);
    won := CASE WHEN 'is_won' = ANY (has) THEN format('coalesce(%s, false)', x ->> 'is_won')
        WHEN has @> '{is_lost,is_closed}' THEN format('NOT coalesce(%s, false)', x ->> 'is_lost')
        ELSE 'coalesce(g.is_won, false)' END;
    RETURN concat_ws(E'\n',
        format('SELECT %s AS opportunity_source_id, %L::text AS source_name, %s AS opportunity_key, %s AS name, %s AS account_key, %s AS owner_key,',
            source.opportunity_source_id, source.name, x ->> 'opportunity_key', x ->> 'name', x ->> 'account_key', x ->> 'owner_key'),
        format('    %s AS stage, %s AS amount, %s AS currency_code,', x ->> 'stage', x ->> 'amount',
            CASE WHEN source.fixed_currency_code IS NOT NULL THEN quote_literal(source.fixed_currency_code) || '::text' ELSE x ->> 'currency_code' END),
        format('    %s AS created_on, %s AS close_date,', x ->> 'created_on', x ->> 'close_date'),
        format('    CASE WHEN s.is_closed THEN coalesce(%s, %s, %s, %s) END AS closed_on,', x ->> 'closed_on', x ->> 'close_date', x ->> 'entered_on', x ->> 'created_on'),
        '    CASE WHEN s.is_closed THEN s.is_won END AS is_won,',
        '    CASE WHEN s.is_closed AND s.is_won THEN ''closed'' WHEN s.is_closed THEN ''omitted''',
        format('        ELSE coalesce(nullif(spm.forecast_category(%s), ''closed''), nullif(g.category, ''closed''), ''pipeline'') END AS category,', x ->> 'category'),
        format('    %s AS segment, %s AS entered_on, %s AS list_amount', x ->> 'segment', x ->> 'entered_on', x ->> 'list_amount'),
        format('FROM %I.%I AS t', source.relation_schema, source.relation_name),
        format('LEFT JOIN spm.sales_stage AS g ON g.opportunity_source_id = %s AND g.stage = %s', source.opportunity_source_id, x ->> 'stage'),
        format('CROSS JOIN LATERAL (SELECT %s AS is_closed, %s AS is_won) AS s', closed, won),
        'WHERE ' || source.filter,
        'UNION ALL', '');
END
$$;
COMMENT ON FUNCTION spm._opportunity_branch(spm.opportunity_source) IS 'The branch of the view spm.opportunity for a source.';
REVOKE ALL ON FUNCTION spm._opportunity_branch(spm.opportunity_source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._change_branch(history spm.stage_history_source)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    relation regclass := to_regclass(format('%I.%I', history.relation_schema, history.relation_name));
    zone text := (SELECT s.time_zone FROM spm.opportunity_source AS s WHERE s.opportunity_source_id = history.opportunity_source_id);
BEGIN
    RETURN format(concat_ws(E'\n', 'SELECT %s AS opportunity_source_id, %s AS opportunity_key, %s AS changed_at, NULL::date AS entered_on, %s AS stage,',
            '    %s AS amount, %s AS close_date, %s AS owner_key, spm.forecast_category(%s) AS category', 'FROM %I.%I AS t', 'UNION ALL', ''),
        history.opportunity_source_id, spm._pipeline_expression(relation, history.key_column, 'text', zone),
        spm._pipeline_expression(relation, history.changed_column, 'moment', zone),
        spm._pipeline_expression(relation, history.stage_column, 'text', zone), spm._pipeline_expression(relation, history.amount_column, 'numeric', zone),
        spm._pipeline_expression(relation, history.close_date_column, 'date', zone), spm._pipeline_expression(relation, history.owner_column, 'text', zone),
        spm._pipeline_expression(relation, history.category_column, 'text', zone), history.relation_schema, history.relation_name);
END
$$;
COMMENT ON FUNCTION spm._change_branch(spm.stage_history_source) IS 'The branch of the view spm.opportunity_change for a mapped history.';
REVOKE ALL ON FUNCTION spm._change_branch(spm.stage_history_source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pipeline_problem()
    RETURNS TABLE (source_id int, source text, is_history boolean, code text, problem text)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        WITH mapping AS (
            SELECT s.opportunity_source_id, s.name, false AS is_history, format('%I.%I', s.relation_schema, s.relation_name) AS relation, c.column_name
            FROM spm.opportunity_source AS s
            JOIN spm.opportunity_source_column AS c USING (opportunity_source_id)
            WHERE s.is_mapped
            UNION
            SELECT s.opportunity_source_id, s.name, true, format('%I.%I', h.relation_schema, h.relation_name), c.column_name
            FROM spm.stage_history_source AS h
            JOIN spm.opportunity_source AS s USING (opportunity_source_id)
            CROSS JOIN LATERAL unnest(ARRAY[h.key_column, h.changed_column, h.stage_column, h.amount_column, h.close_date_column,
                h.owner_column, h.category_column]) AS c (column_name)
            WHERE s.is_mapped AND c.column_name IS NOT NULL
        )
        SELECT DISTINCT ON (m.opportunity_source_id, m.is_history) m.opportunity_source_id, m.name, m.is_history, p.code, p.problem
        FROM mapping AS m
        CROSS JOIN LATERAL (
            SELECT '42P01', format('relation %s does not exist', m.relation) WHERE to_regclass(m.relation) IS NULL
            UNION ALL
            SELECT '42703', format('column "%s" of %s does not exist', m.column_name, m.relation)
            WHERE to_regclass(m.relation) IS NOT NULL AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = to_regclass(m.relation) AND a.attname = m.column_name AND a.attnum > 0 AND NOT a.attisdropped)
        ) AS p (code, problem)
        ORDER BY m.opportunity_source_id, m.is_history, p.problem COLLATE "C";
    END;
COMMENT ON FUNCTION spm._pipeline_problem() IS 'Mapped sources and histories of deals whose relation, or a column of it, is gone.';
REVOKE ALL ON FUNCTION spm._pipeline_problem() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.rebuild_opportunity_views()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    broken int[] := '{}';
    broken_histories int[] := '{}';
    wrong record;
    described record;
BEGIN
    FOR wrong IN SELECT * FROM spm._pipeline_problem() LOOP
        RAISE WARNING '% "%" left out: %', CASE WHEN wrong.is_history THEN 'history of opportunities' ELSE 'opportunities' END, wrong.source, wrong.problem
            USING ERRCODE = wrong.code, HINT = format('Map them as they are now: SELECT spm.%s(%L, ...);',
                CASE WHEN wrong.is_history THEN 'map_stage_history' ELSE 'map_opportunities' END, wrong.source);
        IF wrong.is_history THEN
            broken_histories := broken_histories || wrong.source_id;
        ELSE
            broken := broken || wrong.source_id;
        END IF;
    END LOOP;

    -- The last branch has no rows: it ties the view to the extension, so that dropping that says what else would go.
    EXECUTE format('CREATE OR REPLACE VIEW spm.opportunity WITH (security_invoker = true) AS %sSELECT (NULL::spm.opportunity_row).* WHERE false', (
        SELECT string_agg(spm._opportunity_branch(s), '' ORDER BY s.opportunity_source_id)
        FROM spm.opportunity_source AS s
        WHERE s.is_mapped AND s.opportunity_source_id <> ALL (broken)));
    COMMENT ON VIEW spm.opportunity IS 'One row per deal of every mapped source, read from the CRM as it is now. Made by spm.map_opportunities().';
    FOR described IN
        SELECT attname, col_description(attrelid, attnum) AS description FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.opportunity_row'::regclass AND attnum > 0 AND NOT attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN spm.opportunity.%I IS %L', described.attname, described.description);
    END LOOP;

    EXECUTE format($sql$CREATE OR REPLACE VIEW spm.opportunity_change WITH (security_invoker = true) AS
        %sSELECT r.opportunity_source_id, r.opportunity_key, lower(r.span)::timestamp AS changed_at, r.entered_on, r.stage,
            r.amount, r.close_date, r.owner_key, r.category
        FROM spm.opportunity_record AS r
        WHERE NOT r.is_gone AND NOT EXISTS (SELECT FROM spm.stage_history_source AS h WHERE h.opportunity_source_id = r.opportunity_source_id)$sql$, (
        SELECT string_agg(spm._change_branch(h), '' ORDER BY h.opportunity_source_id)
        FROM spm.stage_history_source AS h
        JOIN spm.opportunity_source AS s USING (opportunity_source_id)
        WHERE s.is_mapped AND h.opportunity_source_id <> ALL (broken_histories)));
    COMMENT ON VIEW spm.opportunity_change IS
        'One row per recorded change of a deal: those of mapped histories, and for other sources what snapshots have seen. NULL: not recorded, as before. Made by spm.map_opportunities().';
    COMMENT ON COLUMN spm.opportunity_change.opportunity_source_id IS 'Source of the deal.';
    COMMENT ON COLUMN spm.opportunity_change.opportunity_key IS 'Key of the deal within its source.';
    COMMENT ON COLUMN spm.opportunity_change.changed_at IS 'Moment from which the row holds, in the time zone of the source.';
    COMMENT ON COLUMN spm.opportunity_change.entered_on IS 'Day on which the stage was entered, where that was before it was seen.';
    COMMENT ON COLUMN spm.opportunity_change.stage IS 'Stage from then on.';
    COMMENT ON COLUMN spm.opportunity_change.amount IS 'Amount from then on.';
    COMMENT ON COLUMN spm.opportunity_change.close_date IS 'Expected close date from then on.';
    COMMENT ON COLUMN spm.opportunity_change.owner_key IS 'Owner from then on.';
    COMMENT ON COLUMN spm.opportunity_change.category IS 'Category from then on.';
    -- Whoever maps a view that reads spm.opportunity learns it now.
    EXECUTE format('SELECT FROM %s LIMIT 0', to_regclass('spm.opportunity'));
END
$$;
COMMENT ON FUNCTION spm.rebuild_opportunity_views() IS
'Makes the views spm.opportunity and spm.opportunity_change anew from the mapped sources. spm.map_opportunities() and the like do it by themselves.
A source whose relation or column is gone is left out with a warning.
Errors: 42501 for other than the owner of the views.
Example: SELECT spm.rebuild_opportunity_views();';

CREATE OR REPLACE FUNCTION spm.load_sales_stages(source text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.opportunity_source := spm._opportunity_source_named(source);
    n bigint;
    guessed text;
BEGIN
    -- What the flags of the deals in a stage say goes before its name.
    WITH found AS (
        SELECT o.stage, count(*) AS deals, count(*) FILTER (WHERE o.is_won) AS won, count(*) FILTER (WHERE NOT o.is_won) AS lost,
            min(o.entered_on) AS first_day
        FROM spm.opportunity AS o
        WHERE o.opportunity_source_id = this_source.opportunity_source_id AND o.stage IS NOT NULL
        GROUP BY o.stage
        UNION ALL
        SELECT c.stage, 0, 0, 0, NULL FROM spm.opportunity_change AS c
        WHERE c.opportunity_source_id = this_source.opportunity_source_id AND c.stage IS NOT NULL
        GROUP BY c.stage
    ), stage AS (
        SELECT f.stage, sum(f.won) AS won, sum(f.lost) AS lost, sum(f.deals) AS deals,
            f.stage ~* '\mwon\M|^closed ?won$' AS sounds_won, f.stage ~* '\m(lost|dead|disqualified|abandoned|cancell?ed)\M|^closed ?lost$|^closed$' AS sounds_lost
        FROM found AS f
        WHERE NOT EXISTS (SELECT FROM spm.sales_stage AS s
            WHERE s.opportunity_source_id = this_source.opportunity_source_id AND s.stage = f.stage)
        GROUP BY f.stage
    ), judged AS (
        SELECT s.stage, CASE WHEN 2 * s.won > s.deals THEN true WHEN 2 * s.lost > s.deals THEN false
            WHEN 2 * (s.won + s.lost) > s.deals OR s.sounds_won OR s.sounds_lost THEN s.sounds_won END AS is_won
        FROM stage AS s
    )
    INSERT INTO spm.sales_stage (opportunity_source_id, stage, stage_order, category, is_won, is_closed)
    SELECT this_source.opportunity_source_id, j.stage,
        (SELECT coalesce(max(s.stage_order), 0) FROM spm.sales_stage AS s WHERE s.opportunity_source_id = this_source.opportunity_source_id)
            + row_number() OVER (ORDER BY CASE WHEN j.is_won IS NULL THEN 0 WHEN j.is_won THEN 1 ELSE 2 END, j.stage COLLATE "C"),
        CASE WHEN j.is_won THEN 'closed' WHEN j.is_won IS NULL THEN 'pipeline' ELSE 'omitted' END, coalesce(j.is_won, false), j.is_won IS NOT NULL
    FROM judged AS j;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        SELECT format('won: %s; lost: %s; open: %s', coalesce(string_agg(s.stage, ', ' ORDER BY s.stage_order) FILTER (WHERE s.is_won), 'none'),
            coalesce(string_agg(s.stage, ', ' ORDER BY s.stage_order) FILTER (WHERE s.is_closed AND NOT s.is_won), 'none'),
            coalesce(string_agg(s.stage, ', ' ORDER BY s.stage_order) FILTER (WHERE NOT s.is_closed), 'none')) INTO guessed
        FROM spm.sales_stage AS s WHERE s.opportunity_source_id = this_source.opportunity_source_id;
        RAISE NOTICE 'stages of "%": %', source, guessed
            USING HINT = format('Correct one, or its place and category: SELECT spm.set_sales_stage(%L, stage, ...);', source);
    END IF;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_sales_stages(text) IS
'Adds stages that deals of a source have or had and spm.sales_stage does not know, and returns their number. What is won or lost is read from the deals'' flags, else from the name; open stages come in alphabetical order and in category pipeline. A notice says what was made of them.
source: name of mapped opportunities. Errors: 42704 unknown source.
Example: SELECT spm.load_sales_stages(''crm'');';

CREATE OR REPLACE FUNCTION spm.set_sales_stage(source text, stage text, stage_order int DEFAULT NULL, category text DEFAULT NULL,
    is_won boolean DEFAULT NULL, is_closed boolean DEFAULT NULL, probability numeric DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.opportunity_source := spm._opportunity_source_named(source);
    old spm.sales_stage;
    won boolean;
    closed boolean;
    wanted text := spm.forecast_category(category);
BEGIN
    PERFORM spm._check_text(stage, 'stage');
    IF category IS NOT NULL AND wanted IS NULL THEN
        RAISE EXCEPTION 'forecast category "%" does not exist', category
            USING ERRCODE = '22023', HINT = 'Categories are omitted, pipeline, best_case, most_likely, commit and closed.';
    END IF;
    IF probability NOT BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'probability must be between 0 and 1, not %', probability USING ERRCODE = '22023', HINT = 'Half is 0.5.';
    END IF;
    SELECT s.* INTO old FROM spm.sales_stage AS s
    WHERE s.opportunity_source_id = this_source.opportunity_source_id AND s.stage = set_sales_stage.stage;
    -- what is said goes before what follows from it, and that before what was
    won := coalesce(set_sales_stage.is_won, CASE WHEN set_sales_stage.is_closed IS FALSE THEN false WHEN wanted IS NOT NULL THEN wanted = 'closed' END,
        old.is_won, false);
    closed := coalesce(set_sales_stage.is_closed, CASE WHEN won THEN true WHEN wanted IS NOT NULL AND wanted <> 'omitted' THEN false END,
        old.is_closed, false);
    IF won AND NOT closed OR closed AND wanted <> (CASE WHEN won THEN 'closed' ELSE 'omitted' END) OR wanted = 'closed' AND NOT won THEN
        RAISE EXCEPTION 'stage "%" cannot be % and in category %', stage,
            CASE WHEN won AND NOT closed THEN 'won and open' WHEN won THEN 'won' WHEN closed THEN 'lost' ELSE 'open' END,
            coalesce(wanted, CASE WHEN won THEN 'closed' WHEN closed THEN 'omitted' ELSE old.category END)
            USING ERRCODE = '22023', HINT = 'A won stage is in closed, a lost one in omitted, an open one in any but closed.';
    END IF;
    INSERT INTO spm.sales_stage AS s (opportunity_source_id, stage, stage_order, category, is_won, is_closed, probability)
    VALUES (this_source.opportunity_source_id, set_sales_stage.stage,
        coalesce(set_sales_stage.stage_order, old.stage_order,
            (SELECT max(o.stage_order) + 1 FROM spm.sales_stage AS o WHERE o.opportunity_source_id = this_source.opportunity_source_id), 1),
        CASE WHEN won THEN 'closed' WHEN closed THEN 'omitted' ELSE coalesce(wanted, CASE WHEN NOT old.is_closed THEN old.category END, 'pipeline') END,
        won, closed, coalesce(set_sales_stage.probability, old.probability))
    ON CONFLICT (opportunity_source_id, stage) DO UPDATE SET stage_order = EXCLUDED.stage_order, category = EXCLUDED.category,
        is_won = EXCLUDED.is_won, is_closed = EXCLUDED.is_closed, probability = EXCLUDED.probability;
END
$$;
COMMENT ON FUNCTION spm.set_sales_stage(text, text, int, text, boolean, boolean, numeric) IS
'Says what a stage means; what is left out stays as it is. A stage that deals do not have yet is added.
source: name of mapped opportunities. stage: as the source writes it. stage_order: place among the stages, rising towards the end. category: omitted, pipeline, best_case, most_likely, commit or closed; a won stage is in closed, a lost one in omitted. is_won, is_closed: closed and not won is lost. probability: chance that the CRM gives it, from 0 to 1, for comparison only.
Errors: 42704 unknown source; 22023 for a category or probability that cannot be, or category and flags that contradict each other.
Example: SELECT spm.set_sales_stage(''crm'', ''Negotiation'', stage_order => 4, category => ''commit'');';

CREATE OR REPLACE FUNCTION spm.map_opportunities(name text, relation regclass, key text, owner text, stage text, amount text, created text, close_date text,
    account text DEFAULT NULL, currency text DEFAULT NULL, fixed_currency text DEFAULT NULL, deal_name text DEFAULT NULL, segment text DEFAULT NULL,
    category text DEFAULT NULL, won text DEFAULT NULL, lost text DEFAULT NULL, closed text DEFAULT NULL, closed_on text DEFAULT NULL,
    entered text DEFAULT NULL, list_amount text DEFAULT NULL, filter text DEFAULT NULL, time_zone text DEFAULT 'UTC')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    given constant jsonb := jsonb_build_object('key', key, 'owner', owner, 'stage', stage, 'amount', amount, 'created', created,
        'close_date', close_date, 'account', account, 'currency', currency, 'deal_name', deal_name, 'segment', segment, 'category', category,
        'won', won, 'lost', lost, 'closed', closed, 'closed_on', closed_on, 'entered', entered, 'list_amount', list_amount);
    checked_filter text;
    this_id int;
BEGIN
    PERFORM spm._check_text(name, 'name'), spm._check_text(key, 'key'), spm._check_relation(relation);
    IF stage IS NULL AND won IS NULL AND lost IS NULL AND closed IS NULL THEN
        RAISE EXCEPTION 'nothing tells which opportunities are won' USING ERRCODE = '22023',
            HINT = 'Name a column: stage, or won and lost, which are true or false.';
    END IF;
    IF currency IS NOT NULL AND fixed_currency IS NOT NULL THEN
        RAISE EXCEPTION 'give currency or fixed_currency, not both' USING ERRCODE = '22023',
            HINT = 'currency names a column with ISO codes; fixed_currency is the currency of all rows, such as USD.';
    END IF;
    IF fixed_currency IS NOT NULL THEN
        PERFORM spm._check_currency(fixed_currency);
    END IF;
    IF time_zone IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = map_opportunities.time_zone) THEN
        RAISE EXCEPTION 'time zone "%" does not exist', time_zone
            USING ERRCODE = '22023', HINT = 'Use a name from pg_timezone_names, such as Europe/Berlin.';
    END IF;
    PERFORM spm._column_type(map_opportunities.relation, given ->> a.argument, a.argument, a.accepted, NULL)
    FROM spm._opportunity_argument() AS a
    WHERE given ->> a.argument IS NOT NULL;
    IF filter IS NOT NULL THEN
        checked_filter := spm.checked_expression(filter, 'boolean', relation);
    END IF;

    -- Two who map at once: the second must see the first's source when it makes the view.
    LOCK TABLE spm.opportunity_source IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.opportunity_source (name, relation_schema, relation_name, filter, fixed_currency_code, time_zone)
    SELECT map_opportunities.name, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, checked_filter,
        map_opportunities.fixed_currency, map_opportunities.time_zone
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_opportunities.relation
    ON CONFLICT (name) DO UPDATE SET relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name,
        filter = EXCLUDED.filter, fixed_currency_code = EXCLUDED.fixed_currency_code, time_zone = EXCLUDED.time_zone, is_mapped = true
    RETURNING opportunity_source_id INTO this_id;
    DELETE FROM spm.opportunity_source_column WHERE opportunity_source_id = this_id;
    INSERT INTO spm.opportunity_source_column (opportunity_source_id, name, column_name)
    SELECT this_id, a.name, given ->> a.argument FROM spm._opportunity_argument() AS a WHERE given ->> a.argument IS NOT NULL;
    PERFORM spm.rebuild_opportunity_views(), spm.load_sales_stages(map_opportunities.name);
END
$$;
COMMENT ON FUNCTION spm.map_opportunities(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text) IS
'Maps a relation of the CRM: its rows become deals in the view spm.opportunity. Nothing is copied. Under a name that exists the mapping is replaced. Stages that are new are added by spm.load_sales_stages(), which says in a notice what it takes for won and lost.
name: of the source; relation: table, view, materialized, partitioned or foreign table. Names of its columns: key (of the deal, unique), owner (payee_key or position_key), stage, amount, created (day it was opened), close_date (expected; when closed, the day it closed), account, currency, deal_name, segment (kind of deal among which chances differ), category (of the forecast: words as spm.forecast_category() knows), won, lost, closed (true or false; without them the stage decides), closed_on (where close_date is not that), entered (day it came into its stage), list_amount (stands for the amount where that is not known). Any but key may be NULL, but one that tells what is won.
fixed_currency: currency of all rows without a currency column; filter: SQL condition over the relation''s columns for the rows that count; time_zone: in which a timestamp with time zone becomes a day.
Errors: 42809 not a table or view; 42703 no such column; 42804 a type that does not fit; 42501 not readable; 22023 nothing tells what is won, both currencies, or an unknown time zone; 42704 fixed_currency unknown; those of spm.checked_expression() for the filter.
Example: SELECT spm.map_opportunities(''crm'', ''crm.deal'', key => ''id'', owner => ''owner_id'', stage => ''stage'', amount => ''amount'', created => ''created_at'', close_date => ''close_date'', fixed_currency => ''USD'');';

CREATE OR REPLACE FUNCTION spm.unmap_opportunities(name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.opportunity_source := spm._opportunity_source_named(name);
BEGIN
    LOCK TABLE spm.opportunity_source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.stage_history_source AS h WHERE h.opportunity_source_id = this_source.opportunity_source_id;
    DELETE FROM spm.opportunity_source_column AS c WHERE c.opportunity_source_id = this_source.opportunity_source_id;
    UPDATE spm.opportunity_source AS s SET is_mapped = false WHERE s.opportunity_source_id = this_source.opportunity_source_id;
    PERFORM spm.rebuild_opportunity_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_opportunities(text) IS
'Takes the deals of a source and their history out of spm.opportunity. Its stages and what snapshots have kept stay, and count again when it is mapped again.
Errors: 42704 unknown source.
Example: SELECT spm.unmap_opportunities(''crm'');';

CREATE OR REPLACE FUNCTION spm.map_stage_history(source text, relation regclass, opportunity text, entered text, stage text DEFAULT NULL,
    amount text DEFAULT NULL, close_date text DEFAULT NULL, owner text DEFAULT NULL, category text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.opportunity_source := spm._opportunity_source_named(source);
    given constant jsonb := jsonb_build_object('key', opportunity, 'created', entered, 'stage', stage, 'amount', amount, 'close_date', close_date,
        'owner', owner, 'category', category);
    wrong text;
BEGIN
    PERFORM spm._check_text(opportunity, 'opportunity'), spm._check_text(entered, 'entered'), spm._check_relation(relation);
    PERFORM spm._column_type(map_stage_history.relation, given ->> a.argument,
        CASE a.argument WHEN 'key' THEN 'opportunity' WHEN 'created' THEN 'entered' ELSE a.argument END, a.accepted, NULL)
    FROM spm._opportunity_argument() AS a
    WHERE given ->> a.argument IS NOT NULL;
    LOCK TABLE spm.opportunity_source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.stage_history_source AS h WHERE h.opportunity_source_id = this_source.opportunity_source_id;
    INSERT INTO spm.stage_history_source (opportunity_source_id, relation_schema, relation_name, key_column, changed_column, stage_column,
        amount_column, close_date_column, owner_column, category_column)
    SELECT this_source.opportunity_source_id, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname,
        opportunity, entered, map_stage_history.stage, map_stage_history.amount, map_stage_history.close_date, map_stage_history.owner, map_stage_history.category
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_stage_history.relation;
    PERFORM spm.rebuild_opportunity_views(), spm.load_sales_stages(source);
    -- Stages of the history that its deals do not have are often another spelling: ids here, labels there.
    IF stage IS NOT NULL THEN
        SELECT string_agg(quote_literal(o.stage), ', ' ORDER BY o.stage COLLATE "C") INTO wrong
        FROM (SELECT DISTINCT o.stage FROM spm.opportunity AS o
              WHERE o.opportunity_source_id = this_source.opportunity_source_id AND o.stage IS NOT NULL
              EXCEPT SELECT c.stage FROM spm.opportunity_change AS c WHERE c.opportunity_source_id = this_source.opportunity_source_id) AS o;
        IF wrong IS NOT NULL THEN
            RAISE WARNING 'stages of opportunities "%" that their history never has: %', source, left(wrong, 300)
                USING HINT = 'The history may write them otherwise; then name a view that writes them as the opportunities do.';
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.map_stage_history(text, regclass, text, text, text, text, text, text, text) IS
'Maps a relation with one row per change of a source''s deals: how a deal was on a day gone by is read from it, and how long it stayed in each stage. A second call for the source replaces the first. Without a mapped history, what spm.take_snapshot() has kept serves for it.
source: name of mapped opportunities. Names of columns: opportunity (key of the deal), entered (day or moment from which the row holds), and what it was from then on: stage, amount, close_date, owner, category. A NULL means that it was not recorded and is as before. Rows need no order.
Errors: 42704 unknown source; 42809, 42703, 42804, 42501 as for spm.map_opportunities(). A warning names stages that the deals have and the history never.
Example: SELECT spm.map_stage_history(''crm'', ''crm.deal_history'', opportunity => ''deal_id'', entered => ''changed_at'', stage => ''stage'', amount => ''amount'', close_date => ''close_date'');';

CREATE OR REPLACE FUNCTION spm.unmap_stage_history(source text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.opportunity_source := spm._opportunity_source_named(source);
BEGIN
    LOCK TABLE spm.opportunity_source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.stage_history_source AS h WHERE h.opportunity_source_id = this_source.opportunity_source_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'opportunities "%" have no history', source USING ERRCODE = '42704', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_opportunity_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_stage_history(text) IS
'Takes the history of a source''s deals away.
Errors: 42704 for an unknown source or one without a history.
Example: SELECT spm.unmap_stage_history(''crm'');';
