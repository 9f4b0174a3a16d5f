/*
 * compensation/functions_change.sql: whoever changes an order, a quota or a
 * seat leaves a mark in spm.change, and spm.refresh() knows where to look.
 *
 * The functions that write marks run with the rights of their owner: else the
 * application that enters orders would need rights in this schema, and fail
 * without.  They read nothing but the rows of the statement that fired them.
 */

-- ------------------------------------------------------------- transactions

CREATE OR REPLACE FUNCTION spm._mark_transactions()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most constant int := 10000;
    of record;
    rows text := CASE TG_OP WHEN 'INSERT' THEN 'SELECT * FROM new_row' WHEN 'DELETE' THEN 'SELECT * FROM old_row'
                            WHEN 'UPDATE' THEN 'SELECT * FROM old_row UNION ALL SELECT * FROM new_row' END;
    n bigint;
    days daterange;
BEGIN
    -- what the rows are to the source, as it is mapped now; argument: its key
    SELECT s.name, s.source_id, k.column_name AS key_column, d.column_name AS date_column INTO of
    FROM spm.source s
    JOIN spm.source_column k ON k.source_id = s.source_id AND k.name = 'transaction_key'
    JOIN spm.source_column d ON d.source_id = s.source_id AND d.name = 'event_date'
    WHERE s.source_id = TG_ARGV[0]::int;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    CASE TG_ARGV[1]
        WHEN 'split' THEN
            of.date_column := NULL;
            of.key_column := (SELECT p.key_column FROM spm.split_source p WHERE p.source_id = of.source_id);
        WHEN 'event' THEN
            of.date_column := NULL;
            of.key_column := (SELECT e.key_column FROM spm.event_source e WHERE e.source_id = of.source_id AND e.kind = TG_ARGV[2]);
        ELSE NULL;
    END CASE;
    -- a type of somebody's own could run code of theirs on its way to text
    IF rows IS NULL OR NOT EXISTS (
        SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = TG_RELID AND a.attname = of.key_column AND NOT a.attisdropped
          AND (t.typnamespace = 'pg_catalog'::regnamespace OR t.typtype = 'e' AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid))) THEN
        INSERT INTO spm.change (relation, source) VALUES (TG_RELID::regclass, of.name);
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) r LIMIT %s) n', rows, most + 1) INTO n;
    IF n <= most THEN
        EXECUTE format('INSERT INTO spm.change (relation, source, transaction_key)
            SELECT DISTINCT $1, $2, r.%1$I::text FROM (%2$s) r WHERE r.%1$I IS NOT NULL', of.key_column, rows)
            USING TG_RELID::regclass::text, of.name;
        -- no key: nobody can be told which it is
        EXECUTE format('INSERT INTO spm.change (relation, source) SELECT $1, $2 WHERE EXISTS (SELECT FROM (%2$s) r WHERE r.%1$I IS NULL)', of.key_column, rows)
            USING TG_RELID::regclass::text, of.name;
        RETURN NULL;
    END IF;
    -- a transaction may count on other days than its own: those of its milestones, and of what takes it back
    IF EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
               WHERE a.attrelid = TG_RELID AND a.attname = of.date_column AND NOT a.attisdropped
                 AND t.typname IN ('date', 'timestamp', 'timestamptz') AND t.typnamespace = 'pg_catalog'::regnamespace)
       AND NOT EXISTS (SELECT FROM spm.event_source e WHERE e.source_id = of.source_id)
       AND NOT EXISTS (SELECT FROM spm.source_column c WHERE c.source_id = of.source_id AND c.name = 'reference_key') THEN
        -- a day more at either end, for time zones
        EXECUTE format('SELECT daterange(nullif(min(r.%1$I)::date, ''-infinity'') - 1, nullif(max(r.%1$I)::date, ''infinity'') + 2) FROM (%2$s) r', of.date_column, rows) INTO days;
    END IF;
    INSERT INTO spm.change (relation, source, span) VALUES (TG_RELID::regclass, of.name, days);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._mark_transactions() IS
'Trigger on a tracked relation: leaves the keys of the transactions that a statement has changed in spm.change, or, when it has changed more than 10,000 rows, the days. Arguments: source_id; transaction, split or event; kind of event. Runs with the rights of its owner.';
REVOKE ALL ON FUNCTION spm._mark_transactions() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._tracked_relation(source_id int)
    RETURNS TABLE (relation regclass, role text, kind text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE mapped AS (
        SELECT to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) AS relation, 'transaction' AS role, '' AS kind
        FROM spm.source s WHERE s.source_id = _tracked_relation.source_id
        UNION ALL
        SELECT to_regclass(format('%I.%I', p.relation_schema, p.relation_name)), 'split', ''
        FROM spm.split_source p WHERE p.source_id = _tracked_relation.source_id
        UNION ALL
        SELECT to_regclass(format('%I.%I', e.relation_schema, e.relation_name)), 'event', e.kind
        FROM spm.event_source e WHERE e.source_id = _tracked_relation.source_id
    ), part AS (    -- who writes to a partition does not fire the triggers of the whole
        SELECT m.relation::oid AS oid, m.role, m.kind FROM mapped m WHERE m.relation IS NOT NULL
        UNION
        SELECT i.inhrelid, p.role, p.kind FROM part p JOIN pg_inherits i ON i.inhparent = p.oid
    )
    SELECT p.oid::regclass, p.role, p.kind FROM part p
$$;
COMMENT ON FUNCTION spm._tracked_relation(int) IS 'Relations whose rows make up the transactions of a source, with their partitions: role transaction, split or event, and the kind of event.';
REVOKE ALL ON FUNCTION spm._tracked_relation(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._marking_name(source_id int, role text, kind text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT format('spm_change_%s_%s%s', _marking_name.source_id, _marking_name.role,
                  CASE WHEN _marking_name.kind <> '' THEN '_' || left(md5(_marking_name.kind), 8) END);
END;
COMMENT ON FUNCTION spm._marking_name(int, text, text) IS 'What the names of the triggers that mark changes of a relation begin with.';
REVOKE ALL ON FUNCTION spm._marking_name(int, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._set_marking(source_id int, is_wanted boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old record;
    new record;
    name text;
BEGIN
    FOR old IN
        SELECT t.tgname, t.tgrelid::regclass AS relation
        FROM pg_trigger t
        WHERE t.tgfoid = 'spm._mark_transactions'::regproc
          AND split_part(encode(t.tgargs, 'escape'), '\000', 1) = _set_marking.source_id::text
          AND NOT (_set_marking.is_wanted AND EXISTS (
              SELECT FROM spm._tracked_relation(_set_marking.source_id) r
              WHERE r.relation = t.tgrelid AND t.tgname LIKE replace(spm._marking_name(_set_marking.source_id, r.role, r.kind), '_', '\_') || '\_%'))
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', old.tgname, old.relation);
    END LOOP;
    IF NOT _set_marking.is_wanted THEN
        RETURN;
    END IF;
    FOR new IN
        SELECT r.*, c.relkind FROM spm._tracked_relation(_set_marking.source_id) r JOIN pg_class c ON c.oid = r.relation
    LOOP
        IF new.relkind NOT IN ('r', 'p') THEN
            RAISE EXCEPTION '% is not a table, and has no triggers that see what a statement changes', new.relation
                USING ERRCODE = 'wrong_object_type',
                      HINT = 'Track it by a column that grows with every change: spm.track_source(source, watermark => ''updated_at''); or say what changes: spm.declare_change(source, transaction_key).';
        END IF;
        name := spm._marking_name(_set_marking.source_id, new.role, new.kind);
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$I AFTER INSERT ON %4$s REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_transactions(%5$L, %6$L, %7$L);
            CREATE OR REPLACE TRIGGER %2$I AFTER UPDATE ON %4$s REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_transactions(%5$L, %6$L, %7$L);
            CREATE OR REPLACE TRIGGER %3$I AFTER DELETE ON %4$s REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_transactions(%5$L, %6$L, %7$L);',
            name || '_insert', name || '_update', name || '_delete', new.relation, _set_marking.source_id, new.role, new.kind);
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$I AFTER TRUNCATE ON %2$s FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_transactions(%3$L, %4$L, %5$L)',
            name || '_truncate', new.relation, _set_marking.source_id, new.role, new.kind);
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._set_marking(int, boolean) IS 'Puts the triggers that mark changes on the relations that a source is mapped to, and takes them off all others. Error 42809 for what is not a table.';
REVOKE ALL ON FUNCTION spm._set_marking(int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.track_source(source text, watermark text DEFAULT NULL, overlap text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_source spm.source := spm._source_named(track_source.source);
    of_relation regclass := to_regclass(format('%I.%I', of_source.relation_schema, of_source.relation_name));
    type text;
    back text := track_source.overlap;
BEGIN
    -- two who map and track at once
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    IF track_source.watermark IS NULL THEN
        IF track_source.overlap IS NOT NULL THEN
            RAISE EXCEPTION 'an overlap needs a watermark' USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Triggers miss nothing: leave the overlap out, or name the watermark column.';
        END IF;
    ELSE
        type := spm._column_type(of_relation, track_source.watermark, 'watermark',
            '{timestamp with time zone,timestamp without time zone,date,integer,bigint,smallint,numeric}', NULL);
        back := coalesce(back, CASE WHEN type ~ '^(timestamp|date)' THEN '10 minutes' ELSE '1000' END);
        BEGIN
            IF (CASE WHEN type ~ '^(timestamp|date)' THEN back::interval < '0' ELSE back::numeric < 0 END) THEN
                RAISE EXCEPTION 'overlap cannot be below zero' USING ERRCODE = 'invalid_parameter_value';
            END IF;
        EXCEPTION WHEN invalid_datetime_format OR invalid_text_representation THEN
            RAISE EXCEPTION 'overlap "%" does not fit a watermark of type %', back, type
                USING ERRCODE = 'invalid_parameter_value', HINT = 'An interval such as 10 minutes for a time, a number for a number.';
        END;
    END IF;
    INSERT INTO spm.tracked_source (source_id, watermark_column, watermark_overlap)
    VALUES (of_source.source_id, track_source.watermark, back)
    ON CONFLICT (source_id) DO UPDATE SET watermark_column = EXCLUDED.watermark_column, watermark_overlap = EXCLUDED.watermark_overlap,
        seen_until = NULL, tracked_at = EXCLUDED.tracked_at, tracked_by = EXCLUDED.tracked_by;
    PERFORM spm._set_marking(of_source.source_id, track_source.watermark IS NULL);
    -- nobody knows what changed before
    INSERT INTO spm.change (relation, source) VALUES (of_relation, of_source.name);
END
$$;
COMMENT ON FUNCTION spm.track_source(text, text, text) IS
'From now on changes of a source''s transactions, splits and milestones are noticed, and CALL spm.refresh() brings results up to date. Triggers on the tables leave the keys of the rows that a statement has changed in spm.change; they are taken off by spm.untrack_source() and spm.unmap_source(), and follow the source when it is mapped to another table.
source: name. watermark: instead of triggers, name of a column of the source''s relation that grows with every change of a row (updated_at); rows that are deleted, and changes of splits and milestones, are not seen then: spm.declare_change() says them. overlap: how far back of the greatest value seen rows are looked at again, for what is committed late: an interval (default 10 minutes), or for a number a number (1000).
Partitions that are attached later must be tracked by another call when rows are written to them directly. Logical replication fires no triggers of this kind: use a watermark.
Errors: 42704 unknown source; 42809 when a relation is no table; 42703, 42804 for the watermark; 22023 for the overlap; 42501 for who may not make triggers on the table.
Example: SELECT spm.track_source(''orders'');';

CREATE OR REPLACE FUNCTION spm.untrack_source(source text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_source spm.source := spm._source_named(untrack_source.source);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.tracked_source t WHERE t.source_id = of_source.source_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'source "%" is not tracked', untrack_source.source USING ERRCODE = 'undefined_object', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm._set_marking(of_source.source_id, false);
END
$$;
COMMENT ON FUNCTION spm.untrack_source(text) IS
'Takes the triggers of spm.track_source() off again; marks that wait stay.
source: name.
Errors: 42704 for an unknown source, or one that is not tracked.
Example: SELECT spm.untrack_source(''orders'');';

CREATE OR REPLACE FUNCTION spm.declare_change(source text, transaction_key text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_source spm.source := spm._source_named(declare_change.source);
BEGIN
    INSERT INTO spm.change (relation, source, transaction_key)
    VALUES (format('%I.%I', of_source.relation_schema, of_source.relation_name), of_source.name, declare_change.transaction_key);
END
$$;
COMMENT ON FUNCTION spm.declare_change(text, text) IS
'Says that a transaction has changed, where nothing notices by itself: a view, a foreign table, a row deleted from a source with a watermark. CALL spm.refresh() looks at it.
source: name. transaction_key: key of the transaction, as spm.transaction has it; NULL: any of the source.
Errors: 42704 for an unknown source.
Example: SELECT spm.declare_change(''orders'', ''SO-1001'');';

CREATE OR REPLACE FUNCTION spm._follow_source()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone int;
BEGIN
    PERFORM spm._set_marking(t.source_id, t.watermark_column IS NULL) FROM spm.tracked_source t;
    FOR gone IN
        SELECT DISTINCT split_part(encode(t.tgargs, 'escape'), '\000', 1)::int
        FROM pg_trigger t WHERE t.tgfoid = 'spm._mark_transactions'::regproc
        EXCEPT SELECT t.source_id FROM spm.tracked_source t
    LOOP
        PERFORM spm._set_marking(gone, false);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._follow_source() IS 'Trigger: the triggers of tracked sources follow them to the relations that they are mapped to.';
REVOKE ALL ON FUNCTION spm._follow_source() FROM PUBLIC;

CREATE OR REPLACE TRIGGER follow AFTER UPDATE OR DELETE ON spm.source FOR EACH STATEMENT EXECUTE FUNCTION spm._follow_source();
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON spm.split_source FOR EACH STATEMENT EXECUTE FUNCTION spm._follow_source();
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON spm.event_source FOR EACH STATEMENT EXECUTE FUNCTION spm._follow_source();

-- ----------------------------------------------- plans, quotas, people and rules

CREATE OR REPLACE FUNCTION spm._mark_config()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most constant int := 1000;
    columns constant text := TG_ARGV[0];
    mark constant text := TG_ARGV[1];
    condition constant text := TG_ARGV[2];
    -- what is the same before and after is no change, nor are the days on which it is
    rows text := CASE TG_OP
        WHEN 'INSERT' THEN format('SELECT true AS is_new, %s FROM new_row', columns)
        WHEN 'DELETE' THEN format('SELECT false AS is_new, %s FROM old_row', columns)
        ELSE format('(SELECT true AS is_new, n.* FROM (SELECT %1$s FROM new_row EXCEPT SELECT %1$s FROM old_row) n)
            UNION ALL (SELECT false, o.* FROM (SELECT %1$s FROM old_row EXCEPT SELECT %1$s FROM new_row) o)', columns) END;
BEGIN
    rows := format('SELECT k.*, r.is_new, to_jsonb(r) - ''{span,is_new}''::text[] AS rest
        FROM (%s) r CROSS JOIN LATERAL (SELECT %s) m CROSS JOIN LATERAL jsonb_populate_record(NULL::spm.change, to_jsonb(m)) k WHERE %s', rows, mark, condition);
    IF mark ~ '\mspan\M' THEN
        rows := format('SELECT s.calendar_id, s.transaction_key, s.position_id, s.payee_id, s.currency_code, s.is_pay, u.span
            FROM (SELECT r.calendar_id, r.transaction_key, r.position_id, r.payee_id, r.currency_code, r.is_pay,
                         coalesce(range_agg(r.span) FILTER (WHERE r.is_new), ''{}'') AS after, coalesce(range_agg(r.span) FILTER (WHERE NOT r.is_new), ''{}'') AS before
                  FROM (%s) r GROUP BY r.rest, 1, 2, 3, 4, 5, 6) s
            CROSS JOIN LATERAL unnest((s.before + s.after) - (s.before * s.after)) u(span)', rows);
    END IF;
    -- so many that to look at each is no cheaper than to look at all
    EXECUTE format('WITH mark AS MATERIALIZED (
            SELECT DISTINCT r.calendar_id, r.transaction_key, r.position_id, r.payee_id, r.currency_code, coalesce(r.is_pay, false) AS is_pay, r.span
            FROM (%1$s) r LIMIT %2$s + 1)
        INSERT INTO spm.change (relation, calendar_id, source, transaction_key, position_id, payee_id, currency_code, span, is_pay)
        SELECT $1, m.calendar_id, CASE WHEN m.transaction_key IS NOT NULL THEN ''manual'' END, m.transaction_key, m.position_id, m.payee_id, m.currency_code, m.span, m.is_pay
        FROM mark m WHERE (SELECT count(*) FROM mark) <= %2$s
        UNION ALL
        SELECT $1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false WHERE (SELECT count(*) FROM mark) > %2$s', rows, most)
        USING TG_RELID::regclass::text;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._mark_config() IS
'Trigger on what results depend on besides transactions: leaves marks in spm.change for the rows that a statement has changed. Arguments: the columns that matter; SQL over a row r of the columns of the mark; and which rows matter. Runs with the rights of its owner.';
REVOKE ALL ON FUNCTION spm._mark_config() FROM PUBLIC;

-- What is not narrowed to a seat, a payee or a currency is looked at for everybody, in the
-- periods that its days touch; without days in all of them.  Drafts of plans touch nothing,
-- and what published versions say never changes: components, tiers, modifiers and pay rules
-- need no marks.  What a component accumulates over is wider than the period of a quota: a
-- quota is looked at in all periods, for its seat.
DO $do$
DECLARE
    by_rule constant text := ' AND s.relation_name = ''territory_rule''';
    credited constant text := 'EXISTS (SELECT FROM spm.territory_source s JOIN %1$s o USING (territory_model_id) WHERE o.%2$s = r.%2$s%3$s)';
    -- table, operations, columns that matter, mark, rows that matter
    marking constant text[] := ARRAY[
        ['quota', 'iud', '*', 'r.position_id', 'true'],
        ['quota_relief', 'iud', '*', 'r.payee_id', 'true'],
        ['ramp_assignment', 'iud', '*', 'r.payee_id', 'true'],
        ['absence', 'iud', '*', 'r.payee_id', 'true'],
        ['objective', 'iud', '*', 'r.payee_id', 'true'],
        ['variable_value', 'iud', '*', 'r.position_id, r.payee_id', 'true'],
        ['exchange_rate', 'iud', '*', 'r.from_currency_code AS currency_code, r.span', 'true'],
        ['manual_credit', 'iud', '*', '''M-'' || r.manual_credit_id AS transaction_key', 'true'],
        ['manual_credit_decision', 'iud', '*', '''M-'' || r.manual_credit_id AS transaction_key', 'true'],
        ['adjustment', 'iud', '*', 'r.payee_id, true AS is_pay', 'true'],
        ['hold', 'iud', '*', 'r.payee_id, true AS is_pay', 'true'],
        ['holdback_release', 'iud', '*', 'r.payee_id, true AS is_pay', 'true'],
        ['position_assignment', 'iud', '*', 'r.span', 'true'],
        ['reporting_line', 'iud', '*', 'r.span', 'true'],
        ['plan_assignment', 'iud', '*', 'r.span', 'true'],
        ['plan_version', 'iud', 'plan_version_id, plan_id, span, state = ''draft'' AS is_draft', 'r.span', 'NOT r.is_draft'],
        -- by the rules of a day is also shared what refers to its orders, milestones and refunds of any other day
        ['credit_rule', 'iud', '*', 'NULL::int AS payee_id', 'true'],
        ['credit_rule_share', 'iud', '*', 'NULL::int AS payee_id', 'true'],
        ['rollup_factor', 'iud', '*', 'r.span', 'true'],
        ['rolldown', 'iud', '*', 'r.span', 'true'],
        ['lookup_row', 'iud', '*', 'r.span', 'true'],
        ['lookup', 'ud', '*', 'NULL::int AS payee_id', 'true'],
        ['variable', 'ud', 'variable_id, is_prorated', 'NULL::int AS payee_id', 'true'],
        ['measure', 'ud', '*', 'NULL::int AS payee_id', 'true'],
        ['ramp', 'ud', '*', 'NULL::int AS payee_id', 'true'],
        ['absence_kind', 'ud', '*', 'NULL::int AS payee_id', 'true'],
        ['holiday', 'iud', 'calendar_id, day', 'r.calendar_id', 'true'],
        ['currency', 'iud', 'currency_code, minor_digits', 'NULL::int AS payee_id', 'true'],
        ['payee', 'iud', 'payee_id, payee_key', 'NULL::int AS payee_id', 'true'],
        ['position', 'ud', 'position_id, position_key, title_id', 'NULL::int AS payee_id', 'true'],
        ['period', 'iud', 'period_id, calendar_id, grain, span, parent_period_id', 'r.calendar_id', 'true'],
        ['period_event', 'i', '*', '(SELECT p.calendar_id FROM spm.period p WHERE p.period_id = r.period_id) AS calendar_id', 'r.from_state = ''posted'''],
        ['source', 'ud', '*', 'NULL::int AS payee_id', 'true'],
        ['source_column', 'iud', '*', 'NULL::int AS payee_id', 'true'],
        ['split_source', 'iud', '*', 'NULL::int AS payee_id', 'true'],
        ['event_source', 'iud', '*', 'NULL::int AS payee_id', 'true'],
        ['territory_source', 'iud', '*', 'NULL::int AS payee_id', 'true'],
        -- territories matter where their model is credited, and its rules where it is credited by them
        ['territory', 'iud', 'territory_id, territory_model_id, type, span', 'NULL::int AS payee_id', 'EXISTS (SELECT FROM spm.territory_source s WHERE s.territory_model_id = r.territory_model_id)'],
        ['territory_holder', 'iud', 'territory_id, position_id, role, share, span', 'r.span', format(credited, 'spm.territory', 'territory_id', '')],
        ['territory_assignment', 'iud', 'territory_model_id, account_key, type, territory_id, span', 'r.span',
            'EXISTS (SELECT FROM spm.territory_source s WHERE s.territory_model_id = r.territory_model_id)'],
        ['territory_attribute', 'iud', '*', 'NULL::int AS payee_id',
            'EXISTS (SELECT FROM spm.territory_source s WHERE s.territory_model_id = r.territory_model_id AND s.relation_name = ''territory_rule'')'],
        ['territory_attribute_value', 'iud', '*', 'NULL::int AS payee_id', format(credited, 'spm.territory_attribute', 'territory_attribute_id', by_rule)],
        ['territory_rule', 'iud', 'territory_rule_id, territory_id, kind, precedence, is_inherited, span', 'NULL::int AS payee_id', format(credited, 'spm.territory', 'territory_id', by_rule)],
        ['territory_condition', 'iud', '*', 'NULL::int AS payee_id', format(credited, 'spm.territory_attribute', 'territory_attribute_id', by_rule)]];
    m text[];
BEGIN
    FOREACH m SLICE 1 IN ARRAY marking LOOP
        IF m[2] ~ 'i' THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER mark_insert AFTER INSERT ON spm.%I REFERENCING NEW TABLE AS new_row
                FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_config(%L, %L, %L)', m[1], m[3], m[4], m[5]);
        END IF;
        IF m[2] ~ 'u' THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER mark_update AFTER UPDATE ON spm.%I REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
                FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_config(%L, %L, %L)', m[1], m[3], m[4], m[5]);
        END IF;
        IF m[2] ~ 'd' THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER mark_delete AFTER DELETE ON spm.%I REFERENCING OLD TABLE AS old_row
                FOR EACH STATEMENT EXECUTE FUNCTION spm._mark_config(%L, %L, %L)', m[1], m[3], m[4], m[5]);
        END IF;
    END LOOP;
END
$do$;

-- whoever updates compiles anew
UPDATE spm.change_version SET version = version + 1;

CREATE OR REPLACE VIEW spm.waiting_change WITH (security_invoker = true) AS
SELECT k.name AS calendar_name, c.relation, c.source, y.payee_key, s.position_key, c.currency_code, c.span, c.is_pay,
       count(*) AS change_count, count(DISTINCT c.transaction_key) AS transaction_count, min(c.marked_at) AS waiting_since, max(c.marked_at) AS last_marked_at
FROM spm.change c
LEFT JOIN spm.calendar k USING (calendar_id)
LEFT JOIN spm.payee y USING (payee_id)
LEFT JOIN spm.position s USING (position_id)
GROUP BY k.name, c.relation, c.source, y.payee_key, s.position_key, c.currency_code, c.span, c.is_pay;
COMMENT ON VIEW spm.waiting_change IS 'What has changed and waits for CALL spm.refresh(), and since when: one row per relation and what it touches. Empty: results are current, as far as sources are tracked.';
COMMENT ON COLUMN spm.waiting_change.calendar_name IS 'Calendar whose results it touches. NULL: all.';
COMMENT ON COLUMN spm.waiting_change.relation IS 'Relation whose rows have changed.';
COMMENT ON COLUMN spm.waiting_change.source IS 'Source whose transactions have changed.';
COMMENT ON COLUMN spm.waiting_change.payee_key IS 'Payee, where something about them alone has changed.';
COMMENT ON COLUMN spm.waiting_change.position_key IS 'Position, where something about it alone has changed.';
COMMENT ON COLUMN spm.waiting_change.currency_code IS 'Currency, where its exchange rates have changed.';
COMMENT ON COLUMN spm.waiting_change.span IS 'Days that are touched; end exclusive. NULL: any.';
COMMENT ON COLUMN spm.waiting_change.is_pay IS 'Whether it touches only what is paid, and no earning.';
COMMENT ON COLUMN spm.waiting_change.change_count IS 'Marks. Additive.';
COMMENT ON COLUMN spm.waiting_change.transaction_count IS 'Transactions among them.';
COMMENT ON COLUMN spm.waiting_change.waiting_since IS 'When the first of them was left.';
COMMENT ON COLUMN spm.waiting_change.last_marked_at IS 'When the last of them was left.';
