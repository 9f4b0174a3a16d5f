/*
 * compensation/stages.sql: transaction -> credit -> measurement -> earning ->
 * payout.  Each stage is one query over the stage before it; its rows are
 * compared with the ledger, and only what differs is written.
 */

-- ------------------------------------------------------- who is on what, when

CREATE OR REPLACE FUNCTION spm.plan_seat(plan_id int, span daterange)
    RETURNS TABLE (position_id int, payee_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.position_id, t.payee_id, range_agg(t.span * plan_seat.span)
    FROM (SELECT s.position_id, s.payee_id, s.span * a.span AS span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (payee_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (position_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position p USING (title_id) JOIN spm.position_assignment s ON s.position_id = p.position_id
          WHERE a.plan_id = plan_seat.plan_id) t
    -- nobody knows how many spans overlap: by the operator the planner would expect hardly any
    WHERE NOT isempty(t.span * plan_seat.span)
    GROUP BY t.position_id, t.payee_id
    ORDER BY t.position_id, t.payee_id;    -- of several mistakes the first is told
END;
COMMENT ON FUNCTION spm.plan_seat(int, daterange) IS
'Who is on a plan during a span: position, payee sitting there, and the days.
plan_id: key. span: days looked at.
Example: SELECT * FROM spm.plan_seat(1, ''[2026-01-01,2026-04-01)'');';

CREATE OR REPLACE FUNCTION spm._is_leaf(period_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM spm.period p WHERE p.parent_period_id = _is_leaf.period_id);
END;
COMMENT ON FUNCTION spm._is_leaf(int) IS 'Whether a period has no parts: such periods are calculated.';
REVOKE ALL ON FUNCTION spm._is_leaf(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._whole(period_id int, accumulate text)
    RETURNS int
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _whole.accumulate IN ('deal', 'group', 'period') THEN _whole.period_id ELSE (
        WITH RECURSIVE up AS (
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p WHERE p.period_id = _whole.period_id
            UNION ALL
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p JOIN up ON p.period_id = up.parent_period_id)
        SELECT up.period_id FROM up WHERE up.grain = _whole.accumulate) END;
END;
COMMENT ON FUNCTION spm._whole(int, text) IS 'Period that a component accumulates over, when it is calculated for a period. NULL: a rolling one.';
REVOKE ALL ON FUNCTION spm._whole(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refuse(message text, detail text, hint text)
    RETURNS numeric
    -- stable: a query must not be cut at each call of what is hardly ever called
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%', _refuse.message
        USING ERRCODE = 'data_exception', DETAIL = _refuse.detail, HINT = _refuse.hint;
END
$$;
COMMENT ON FUNCTION spm._refuse(text, text, text) IS 'Raises error 22000 from within a query that meets a row it cannot use.';
REVOKE ALL ON FUNCTION spm._refuse(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._one_line(name text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT regexp_replace(_one_line.name, '[[:cntrl:]\u0085\u2028\u2029]', ' ', 'g');
END;
COMMENT ON FUNCTION spm._one_line(text) IS 'A name as it may stand in an SQL comment: it must not end the line.';
REVOKE ALL ON FUNCTION spm._one_line(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._components(period_id int)
    RETURNS SETOF spm.component
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.*
    FROM spm.period p
    JOIN spm.plan n USING (calendar_id)
    JOIN spm.plan_version v ON v.plan_id = n.plan_id AND v.state <> 'draft' AND v.span && p.span
    JOIN spm.component c USING (plan_version_id)
    WHERE p.period_id = _components.period_id
    ORDER BY c.component_id;
END;
COMMENT ON FUNCTION spm._components(int) IS 'Components that apply in a period.';
REVOKE ALL ON FUNCTION spm._components(int) FROM PUBLIC;

-- --------------------------------------------------------- writing the ledger

CREATE OR REPLACE FUNCTION spm._append(relation regclass, query text)
    RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'spm_append';
COMMENT ON FUNCTION spm._append(regclass, text) IS 'Puts the rows of a query into a table, a page at a time: by the names of columns, of their very types; what is not given is the default. Checks hold, our own triggers do not fire and foreign keys are not looked at: what they refer to must be locked. Where the table has triggers of somebody else or row-level security, the rows are inserted in the ordinary way. Returns the number of rows.';
REVOKE ALL ON FUNCTION spm._append(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_blank(relation text, id int, key text DEFAULT 'period_id')
    RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    -- the planner takes the first row for near, where it may lie behind those of all other periods
    SET enable_seqscan = off
AS $$
DECLARE
    is_blank boolean;
BEGIN
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM spm.%I o WHERE o.%I = %s)', _is_blank.relation, _is_blank.key, _is_blank.id) INTO is_blank;
    RETURN is_blank;
END
$$;
COMMENT ON FUNCTION spm._is_blank(text, int, text) IS 'Whether a relation of the ledger has no row of a period, or another key: nothing to be compared with.';
REVOKE ALL ON FUNCTION spm._is_blank(text, int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_locked()
    RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT EXISTS (
        SELECT FROM (SELECT r FROM spm._config_relations() r UNION ALL SELECT r FROM spm._pay_relations() r) t(r)
        WHERE NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                          AND l.relation = t.r AND l.mode = 'ShareLock' AND l.granted))
$$;
COMMENT ON FUNCTION spm._is_locked() IS 'Whether this transaction keeps everybody from changing plans, quotas, people and pay rules, as a calculation does: what results refer to is then sure to stay.';
REVOKE ALL ON FUNCTION spm._is_locked() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._fill(relation text, columns text[], query text, period_id int, posting_id int, run_id bigint,
                                     components int[] DEFAULT NULL, queries text[] DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_parted boolean := _fill.relation IN ('credit', 'earning');
    n bigint;
BEGIN
    n := spm._result(format('SELECT %s AS posting_id, %s AS period_id, %s::bigint AS run_id, %s FROM (%s) q', _fill.posting_id, _fill.period_id, _fill.run_id,
                            (SELECT string_agg('q.' || quote_ident(c), ', ' ORDER BY o) FROM unnest(_fill.columns) WITH ORDINALITY u(c, o)), _fill.query),
        components => _fill.components, queries => _fill.queries,
        part => CASE WHEN is_parted THEN spm._ledger_partition(_fill.relation, _fill.period_id, false) ELSE to_regclass(format('spm.%I', _fill.relation)) END);
    IF is_parted THEN
        PERFORM spm._index_partition(_fill.relation, _fill.period_id);
    END IF;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm._fill(text, text[], text, int, int, bigint, int[], text[]) IS
'Writes the rows of a query to the ledger of a period that has none: in bulk, and then the indexes. columns: what of the query is written. components, queries: as for spm._result(). Returns the number of rows.';
REVOKE ALL ON FUNCTION spm._fill(text, text[], text, int, int, bigint, int[], text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._sync(relation text, keys text[], contents text[], negated text[],
                                     period_id int, posting_id int, run_id bigint, scope text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    id text := relation || '_id';
    -- coalesce(column, 0) among the keys compares a column that may be NULL; it is written as one of the contents
    written text[] := array(SELECT k FROM unnest(keys || contents) WITH ORDINALITY u(k, o) WHERE k NOT LIKE 'coalesce(%' ORDER BY o);
    columns text := array_to_string(written, ', ');
    same text := (SELECT string_agg(format('%s = %s', p.a, replace(p.a, 'a.', 'b.')), ' AND ' ORDER BY p.a)
                  FROM unnest(keys) k CROSS JOIN LATERAL (SELECT CASE WHEN k LIKE 'coalesce(%' THEN replace(k, '(', '(a.') ELSE 'a.' || k END AS a) p)
        || (SELECT format(' AND (%s) IS NOT DISTINCT FROM (%s)', string_agg('a.' || c, ', ' ORDER BY c), string_agg('b.' || c, ', ' ORDER BY c))
            FROM unnest(contents) c);
    -- originals in closed postings that no closed posting has taken back
    posted text := format('SELECT o.* FROM spm.%1$I o JOIN spm.posting p USING (posting_id)
        WHERE o.period_id = %3$s AND p.state = ''posted'' AND o.reverses_id IS NULL%4$s AND NOT EXISTS (
            SELECT FROM spm.%1$I r JOIN spm.posting q USING (posting_id)
            WHERE r.period_id = %3$s AND r.reverses_id = o.%2$I AND q.state = ''posted'')',
        relation, id, _sync.period_id, ' AND (' || _sync.scope || ')');
    wanted text := format('SELECT a.* FROM pg_temp.spm_result a WHERE NOT EXISTS (SELECT FROM (%s) b WHERE %s)', posted, same);
    has_posted boolean;
    changed bigint := 0;
    n bigint;
BEGIN
    -- measurements have foreign keys
    IF spm._is_blank(_sync.relation, _sync.period_id) AND (_sync.relation <> 'measurement' OR spm._is_locked()) THEN
        RETURN spm._fill(_sync.relation, written, 'SELECT * FROM pg_temp.spm_result', _sync.period_id, _sync.posting_id, _sync.run_id);
    END IF;
    IF _sync.scope IS NOT NULL THEN
        PERFORM set_config('enable_nestloop', 'on', true);    -- a few rows, found by index
    END IF;
    EXECUTE format('SELECT EXISTS (%s)', posted) INTO has_posted;
    IF has_posted THEN
        EXECUTE format('DELETE FROM spm.%1$I d WHERE d.posting_id = $1 AND d.period_id = $2 AND d.reverses_id IS NOT NULL%5$s
            AND EXISTS (SELECT FROM (%2$s) a JOIN pg_temp.spm_result b ON %3$s WHERE a.%4$I = d.reverses_id)', relation, posted, same, id, ' AND (' || _sync.scope || ')')
            USING _sync.posting_id, _sync.period_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
        EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, reverses_id, %2$s)
            SELECT $1, $2, $3, a.%3$I, %4$s FROM (%5$s) a
            WHERE NOT EXISTS (SELECT FROM pg_temp.spm_result b WHERE %6$s)
              AND NOT EXISTS (SELECT FROM spm.%1$I r WHERE r.period_id = $2 AND r.reverses_id = a.%3$I)',
            relation, columns, id,
            (SELECT string_agg(CASE WHEN c = ANY (negated) THEN '-a.' ELSE 'a.' END || c, ', ' ORDER BY o)
             FROM unnest(written) WITH ORDINALITY u(c, o)), posted, same)
            USING _sync.posting_id, _sync.period_id, _sync.run_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
    ELSE
        wanted := 'SELECT a.* FROM pg_temp.spm_result a';
    END IF;
    EXECUTE format('DELETE FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL%4$s
        AND NOT EXISTS (SELECT FROM (%2$s) b WHERE %3$s)', relation, wanted, same, ' AND (' || _sync.scope || ')')
        USING _sync.posting_id, _sync.period_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n;
    EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, %2$s)
        SELECT $1, $2, $3, %2$s FROM (%3$s) b
        WHERE NOT EXISTS (SELECT FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL%5$s AND %4$s)',
        relation, columns, wanted, same, ' AND (' || _sync.scope || ')')
        USING _sync.posting_id, _sync.period_id, _sync.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint, text) IS
'Makes the draft of a posting say, together with what is posted, exactly what pg_temp.spm_result says of a period; returns the number of rows written or removed. Rows that are right stay untouched. scope: condition on the rows of the ledger that it says something of; NULL: all of the period.';
REVOKE ALL ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._drop_temporary(relation text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('pg_temp.' || _drop_temporary.relation) IS NOT NULL THEN
        EXECUTE format('DROP TABLE pg_temp.%I', _drop_temporary.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._drop_temporary(text) IS 'Drops a temporary table of an earlier call in the same transaction, without a notice when there is none.';
REVOKE ALL ON FUNCTION spm._drop_temporary(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._result(query text, relation text DEFAULT 'spm_result', is_added boolean DEFAULT false, components int[] DEFAULT NULL, queries text[] DEFAULT NULL,
                                       analyzed text DEFAULT NULL, part regclass DEFAULT NULL, is_small boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    -- a stage reads a whole period: where the planner would loop, it has guessed wrong;
    -- and compiling what runs once takes longer than running it
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    n bigint;
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    IF _result.is_small THEN
        PERFORM set_config('enable_nestloop', 'on', true);
    END IF;
    IF _result.part IS NOT NULL THEN
        RETURN spm._append(_result.part, _result.query);
    ELSIF _result.is_added THEN
        EXECUTE format('INSERT INTO pg_temp.%I %s', _result.relation, _result.query);
    ELSE
        PERFORM spm._drop_temporary(_result.relation);
        EXECUTE format('CREATE TEMPORARY TABLE %I ON COMMIT DROP AS %s', _result.relation, _result.query);
    END IF;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF _result.analyzed IS DISTINCT FROM '' THEN
        EXECUTE format('ANALYZE pg_temp.%I%s', _result.relation, ' (' || _result.analyzed || ')');
    END IF;
    RETURN n;
EXCEPTION WHEN data_exception THEN
    -- said again without the query, which would bury it
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    -- 22000 are refusals of our own, which name what they are of; what else goes wrong does so in one of the parts
    IF state <> '22000' THEN
        FOR i IN 1 .. coalesce(cardinality(_result.components), 0) LOOP
            BEGIN
                EXECUTE _result.queries[i];
            EXCEPTION WHEN data_exception THEN
                GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
                IF state <> '22000' THEN
                    detail := concat_ws(' ', spm._component_words(_result.components[i]), nullif(detail, ''));
                    hint := coalesce(nullif(hint, ''), 'Guard the measure with nullif(), or leave such transactions out with a condition.');
                END IF;
                EXIT;
            END;
        END LOOP;
    END IF;
    RAISE EXCEPTION '%', message USING ERRCODE = state, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION spm._result(text, text, boolean, int[], text[], text, regclass, boolean) IS 'Runs the query of a stage into a temporary table, a new one or, is_added, one that is there. components, queries: what the query is put together from, to find the one that an error of class 22 comes from. analyzed: columns that the planner is to know about, all when NULL, none when empty. part: a table of the ledger to append to instead. is_small: a few rows, found by index. Returns the number of rows.';
REVOKE ALL ON FUNCTION spm._result(text, text, boolean, int[], text[], text, regclass, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_words(component_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT format('Component "%s" of plan "%s"%s%s.', c.name, p.name,
                  CASE c.basis WHEN 'credit' THEN ' measures ' || c.measure_expression ELSE ' has basis ' || c.basis END,
                  CASE c.basis WHEN 'credit' THEN ' where ' || c.eligibility_expression END)
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    WHERE c.component_id = _component_words.component_id;
END;
COMMENT ON FUNCTION spm._component_words(int) IS 'Names a component, its plan and what it measures, for the DETAIL of an error.';
REVOKE ALL ON FUNCTION spm._component_words(int) FROM PUBLIC;

-- ------------------------------------------------------- calculating, posting

CREATE OR REPLACE FUNCTION spm._digest(relation text, condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digest text;
BEGIN
    EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(hash_record_extended(r, 0)::numeric), 0) FROM %s r WHERE %s',
                   _digest.relation, _digest.condition) INTO digest;
    RETURN digest;
END
$$;
COMMENT ON FUNCTION spm._digest(text, text) IS 'Number of rows of a relation and a sum of their hashes, whatever their order.';
REVOKE ALL ON FUNCTION spm._digest(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._config_relations()
    RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT unnest(ARRAY[
        'spm.currency', 'spm.exchange_rate',
        'spm.payee', 'spm.position', 'spm.position_assignment', 'spm.reporting_line', 'spm.position_path',
        'spm.measure', 'spm.quota', 'spm.quota_relief', 'spm.ramp', 'spm.ramp_assignment',
        'spm.absence', 'spm.absence_kind', 'spm.holiday',
        'spm.plan', 'spm.plan_version', 'spm.plan_assignment',
        'spm.component', 'spm.tier', 'spm.component_input', 'spm.modifier',
        'spm.lookup', 'spm.lookup_row', 'spm.objective', 'spm.variable', 'spm.variable_value',
        'spm.credit_rule', 'spm.credit_rule_share', 'spm.rollup_factor', 'spm.rolldown', 'spm.territory_source',
        'spm.manual_credit', 'spm.manual_credit_decision', 'spm.event_source'])::regclass
$$;
COMMENT ON FUNCTION spm._config_relations() IS 'Tables of plans, quotas, people and rules that results depend on.';
REVOKE ALL ON FUNCTION spm._config_relations() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._config_digest(calendar_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(spm._digest(r), ' ' ORDER BY r)
    FROM (SELECT c::text FROM spm._config_relations() c
          UNION ALL VALUES ('spm.source'), ('spm.source_column'), ('spm.transaction_split'),
              -- these are there once something is mapped
              (CASE WHEN EXISTS (SELECT FROM spm.event_source) THEN to_regclass('spm.transaction_event')::text END),
              (CASE WHEN EXISTS (SELECT FROM spm.territory_source) THEN to_regclass('spm.territory_claim')::text END)
          UNION ALL
          SELECT t FROM unnest('{spm.territory,spm.territory_rule,spm.territory_condition,spm.territory_attribute,spm.territory_attribute_value}'::text[]) t
          WHERE EXISTS (SELECT FROM spm.territory_source s WHERE s.relation_name = 'territory_rule' AND s.territory_model_id IS NOT NULL)) u(r)
    WHERE r IS NOT NULL
$$;
COMMENT ON FUNCTION spm._config_digest(int) IS 'Digest of everything but the transactions that results depend on.';
REVOKE ALL ON FUNCTION spm._config_digest(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._watermark(config text, span daterange)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(_watermark.config || spm._digest('spm.transaction',
        format('r.event_date >= %L AND r.event_date < %L', lower(_watermark.span), upper(_watermark.span)))
        -- what has a milestone in the period may be of another time
        || CASE WHEN EXISTS (SELECT FROM spm.event_source) THEN spm._digest('spm.transaction',
               format('(r.source, r.transaction_key) IN (SELECT e.source, e.transaction_key FROM spm.transaction_event e
                       WHERE e.event_date >= %L AND e.event_date < %L)', lower(_watermark.span), upper(_watermark.span))) ELSE '' END)
$$;
COMMENT ON FUNCTION spm._watermark(text, daterange) IS 'Digest of everything that a period is calculated from, given that of all but its transactions.';
REVOKE ALL ON FUNCTION spm._watermark(text, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._results_digest(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
DECLARE
    digest text;
BEGIN
    -- rows have a new key whenever they are written; what else they stand on is in the watermark
    EXECUTE format($sql$
        SELECT md5(concat_ws(' ',
            (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'spm'),
            (SELECT string_agg(concat_ws('/', p.period_id, p.grain, p.span, p.parent_period_id, CASE WHEN p.span << this.span THEN p.state = 'open' END), ' ' ORDER BY p.period_id)
             FROM spm.period this JOIN spm.period p USING (calendar_id) WHERE this.period_id = %1$s),
            (SELECT concat_ws('/', count(*), sum(c.credit_id), sum(c.credited_amount)) FROM spm.credit c WHERE c.period_id = %1$s),
            (SELECT concat_ws('/', count(*), sum(m.measurement_id), sum(m.earned_amount)) FROM spm.measurement m WHERE m.period_id = %1$s),
            (SELECT concat_ws('/', count(*), sum(e.earning_id), sum(e.amount)) FROM spm.earning e WHERE e.period_id = %1$s)))$sql$, _results_digest.period_id) INTO digest;
    RETURN digest;
END
$$;
COMMENT ON FUNCTION spm._results_digest(int) IS 'Digest of what was calculated for a period, by which version, among which periods.';
REVOKE ALL ON FUNCTION spm._results_digest(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._reads_elsewhere()
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pg_catalog.pg_foreign_table) OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'dblink');
END;
COMMENT ON FUNCTION spm._reads_elsewhere() IS 'Whether the database can read from another server: no snapshot tells whether something has changed there.';
REVOKE ALL ON FUNCTION spm._reads_elsewhere() FROM PUBLIC;

-- Compiling a query takes longer than a cancel may wait, and nothing interrupts it: hence no jit.
CREATE OR REPLACE PROCEDURE spm.calculate(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(calculate.period, calculate.calendar));
    run spm.run;
    draft int;
    earlier record;
    seen text;
    config text;
    watermark text;
    is_changed boolean := false;
    is_same boolean := false;
    is_first boolean;
BEGIN
    PERFORM spm._begin_progress('calculate', this.name, spm._last_duration('calculate', this.period_id)),
        spm._progress('waiting for whoever changes plans, quotas or seats', 0, NULL);
    -- nobody changes a plan, a quota or a seat under our hands; before the calendar, so that whoever has
    -- changed one may calculate in the same transaction
    FOR earlier IN
        SELECT k.relname FROM (SELECT * FROM spm._config_relations() UNION ALL SELECT * FROM spm._pay_relations()) r(oid) JOIN pg_class k USING (oid) ORDER BY 1
    LOOP
        EXECUTE format('LOCK TABLE spm.%I IN SHARE MODE', earlier.relname);
    END LOOP;
    -- one at a time in a calendar; readers never wait.  A new row version, so that a
    -- transaction with an older snapshot fails instead of missing what the one before wrote
    PERFORM spm._progress('waiting for another run in this calendar', 0, NULL);
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    PERFORM spm._progress('checking sources and plans', 0, NULL);
    IF this.state = 'posted' THEN
        RAISE EXCEPTION 'period % is posted', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'What changes in it is paid as a difference in the first open period.',
                  HINT = format('CALL spm.calculate(<the open period>); or SELECT spm.reopen_period(%L, reason);', this.name);
    END IF;
    IF NOT spm._is_leaf(this.period_id) THEN
        RAISE EXCEPTION 'period % has parts', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Calculate its parts, in order.';
    END IF;
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    PERFORM spm._check_sources();
    PERFORM spm._check_versions(this.calendar_id);

    INSERT INTO spm.run (kind, period_id, version)
    SELECT 'calculate', this.period_id, e.extversion FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING * INTO run;
    SELECT o.posting_id INTO draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    IF NOT FOUND THEN
        INSERT INTO spm.posting (period_id) VALUES (this.period_id) RETURNING posting_id INTO draft;
    END IF;

    -- the first open period also pays what has changed in posted ones
    PERFORM spm._progress('comparing input with the run before', 0, NULL);
    seen := pg_current_snapshot()::text;
    config := spm._config_digest(this.calendar_id);
    SELECT coalesce(bool_and(p.state = 'posted'), true) INTO is_first
    FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND spm._is_leaf(p.period_id);
    IF is_first THEN
        PERFORM spm._withdraw_differences(this.calendar_id, draft);
    END IF;
    FOR earlier IN
        SELECT p.period_id, p.span, p.name, w.watermark AS known, w.results
        FROM spm.period p LEFT JOIN spm.period_watermark w USING (period_id)
        WHERE p.calendar_id = this.calendar_id AND (p.span << this.span AND is_first OR p.period_id = this.period_id)
          AND spm._is_leaf(p.period_id)
        ORDER BY p.span
    LOOP
        PERFORM spm._begin_progress('calculate', earlier.name), spm._progress('comparing input with the run before', 0, NULL);
        watermark := spm._watermark(config, earlier.span);
        IF earlier.period_id = this.period_id THEN
            run.input_watermark := md5(watermark || (SELECT string_agg(spm._digest(r::text), ' ') FROM spm._pay_relations() r));
            -- what goes in is what went in before, and what came out is still there: it would come out again.
            -- Only where transactions of other days count, the watermark does not say all
            is_same := coalesce(watermark = earlier.known AND NOT is_changed AND spm._credited_events(this.calendar_id) = '{booking}'
                AND NOT EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key')
                AND earlier.results = spm._results_digest(this.period_id), false);
            IF is_same THEN
                PERFORM spm._end_progress();
                EXIT;
            END IF;
        ELSE
            -- a change also reaches every later period
            is_changed := is_changed OR watermark IS DISTINCT FROM earlier.known;
            IF NOT is_changed THEN
                PERFORM spm._end_progress();
                CONTINUE;
            END IF;
            run.late_period_count := run.late_period_count + 1;
        END IF;
        PERFORM spm._progress('crediting', 0, NULL);
        run.changed_count := run.changed_count + spm._credit_period(earlier.period_id, draft, run.run_id);
        PERFORM spm._progress('measuring', 0, NULL);
        run.changed_count := run.changed_count + spm._measure_period(earlier.period_id, draft, run.run_id);
        -- into an empty part of the ledger rows go one for each deal that was measured, and are counted
        PERFORM spm._progress('earning', 0, CASE WHEN spm._is_blank('earning', earlier.period_id)
                                                 THEN (SELECT sum(m.credit_count)::bigint FROM spm.measurement m WHERE m.period_id = earlier.period_id) END);
        run.changed_count := run.changed_count + spm._earn_period(earlier.period_id, draft, run.run_id);
        PERFORM spm._progress('comparing input with what it was', 0, NULL);
        -- the warehouse is not locked: what came while this ran may go again, and must be looked for then;
        -- as long as nobody has committed anything, nothing came
        INSERT INTO spm.period_watermark (period_id, watermark, results)
        VALUES (earlier.period_id, CASE WHEN pg_current_snapshot()::text = seen AND NOT spm._reads_elsewhere()
            OR watermark = spm._watermark(spm._config_digest(this.calendar_id), earlier.span) THEN watermark ELSE 'unsure' END,
            CASE WHEN earlier.period_id = this.period_id THEN spm._results_digest(earlier.period_id) END)
        ON CONFLICT (period_id) DO UPDATE SET watermark = EXCLUDED.watermark, results = EXCLUDED.results;
        PERFORM spm._end_progress();
    END LOOP;
    PERFORM spm._progress('paying', 0, NULL);
    IF is_first AND NOT is_same THEN
        PERFORM spm._check_once(draft);
    END IF;
    run.changed_count := run.changed_count + spm._pay(draft, run.run_id);
    -- what accumulates in later periods may stand on what has changed here
    DELETE FROM spm.period_watermark w USING spm.period p
    WHERE run.changed_count > 0 AND p.period_id = w.period_id AND p.calendar_id = this.calendar_id AND p.span >> this.span;

    run.transaction_count := CASE WHEN is_same THEN (SELECT r.transaction_count FROM spm.run r WHERE r.period_id = this.period_id AND r.kind = 'calculate' AND r.run_id < run.run_id
                                                     ORDER BY r.run_id DESC LIMIT 1) ELSE spm._claim_count() END;
    PERFORM spm._drop_temporary('spm_claim'), spm._drop_temporary('spm_result'), spm._progress('counting', 0, NULL);
    UPDATE spm.run r
    SET finished_at = clock_timestamp(), input_watermark = run.input_watermark, late_period_count = run.late_period_count,
        changed_count = run.changed_count, transaction_count = run.transaction_count,
        uncredited_count = (SELECT count(DISTINCT (u.source, u.transaction_key, u.line)) FROM spm.uncredited u WHERE u.period_id = this.period_id),
        -- what takes a row back lies in its period
        credit_count = (SELECT count(*) - 2 * count(c.reverses_id) FROM spm.credit c WHERE c.period_id = this.period_id),
        payee_count = (SELECT count(*) FROM (SELECT FROM spm.measurement m WHERE m.period_id = this.period_id
                                             GROUP BY m.payee_id HAVING count(*) > 2 * count(m.reverses_id)) y),
        earning_count = (SELECT count(*) - 2 * count(e.reverses_id) FROM spm.earning e WHERE e.period_id = this.period_id)
    WHERE r.run_id = run.run_id
    RETURNING r.* INTO run;
    UPDATE spm.period p SET state = 'calculated' WHERE p.period_id = this.period_id AND p.state = 'open';
    PERFORM spm._end_progress();
    RAISE NOTICE 'run %: % transactions, % credits, % payees, % s; % rows changed%', run.run_id, run.transaction_count,
        run.credit_count, run.payee_count, round(extract(epoch FROM run.finished_at - run.started_at), 1), run.changed_count,
        concat(CASE WHEN run.late_period_count > 0 THEN format('; %s posted period(s) looked at again', run.late_period_count) END,
               CASE WHEN run.uncredited_count > 0 THEN format('; %s transaction%s not credited (see spm_bi.uncredited)', run.uncredited_count,
                                                                   CASE WHEN run.uncredited_count <> 1 THEN 's' END) END);
END
$$;
COMMENT ON PROCEDURE spm.calculate(text, text) IS
'Calculates a period: credits, measurements, earnings, payouts. May be called again until the period is posted; rows that are right stay untouched, and where neither the input nor the results have changed nothing is calculated: a second call in a row changes no row. The first open period also takes up what has changed in posted ones, as differences.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 for a posted period, one that has parts, or no mapped source; 22000 for a row that cannot be used, a missing quota, rate or variable; 23505 for a transaction that occurs twice; those of a source that has changed.
Example: CALL spm.calculate(''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm._withdraw_differences(calendar_id int, posting_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other record;
    relation text;
BEGIN
    FOR other IN
        SELECT o.posting_id, o.period_id FROM spm.posting o JOIN spm.period p USING (period_id)
        WHERE p.calendar_id = _withdraw_differences.calendar_id AND o.state = 'draft' AND o.posting_id <> _withdraw_differences.posting_id
    LOOP
        DELETE FROM spm.period_watermark w
        WHERE w.period_id IN (SELECT m.period_id FROM spm.measurement m WHERE m.posting_id = other.posting_id AND m.period_id <> other.period_id
                              UNION SELECT c.period_id FROM spm.credit c WHERE c.posting_id = other.posting_id AND c.period_id <> other.period_id
                              UNION SELECT e.period_id FROM spm.earning e WHERE e.posting_id = other.posting_id AND e.period_id <> other.period_id);
        FOREACH relation IN ARRAY ARRAY['payout', 'earning', 'measurement', 'credit'] LOOP
            EXECUTE format('DELETE FROM spm.%I r WHERE r.posting_id = $1 AND r.period_id <> $2', relation) USING other.posting_id, other.period_id;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._withdraw_differences(int, int) IS 'Differences are paid by the first open period: takes them out of the drafts of all others, as when an earlier period was reopened.';
REVOKE ALL ON FUNCTION spm._withdraw_differences(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_once(posting_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    -- rows just written have no statistics: by loops this takes the square of them
    SET enable_nestloop = off
AS $$
DECLARE
    twice record;
BEGIN
    -- what is taken back is looked at last: hardly any key is there twice
    SELECT c.source, c.transaction_key, c.line, q.name AS earlier, p.name AS later INTO twice
    FROM spm.credit c
    JOIN spm.period p ON p.period_id = c.period_id
    JOIN spm.credit o ON o.transaction_key = c.transaction_key AND o.source = c.source AND o.line = c.line AND o.kind = c.kind AND o.event = c.event
    JOIN spm.period q ON q.period_id = o.period_id AND q.calendar_id = p.calendar_id AND q.span << p.span
    WHERE c.posting_id = _check_once.posting_id AND c.reverses_id IS NULL AND c.kind = 'direct' AND c.event = 'booking'
      AND o.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.credit r WHERE r.reverses_id = o.credit_id AND r.period_id = o.period_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction %/% is credited in % and in %', twice.source, twice.transaction_key, twice.earlier, twice.later
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source for all time. If its date has just been changed, calculate again.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_once(int) IS 'Error 23505 when a posting credits a transaction that stands credited in an earlier period.';
REVOKE ALL ON FUNCTION spm._check_once(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_versions(calendar_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT p.name, v.version_no INTO wrong
    FROM spm.plan p JOIN spm.plan_version v USING (plan_id)
    WHERE p.calendar_id = _check_versions.calendar_id AND v.state <> 'draft'
      AND NOT spm._is_as_published(v.plan_version_id)
    ORDER BY 1, 2 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'plan "%" version % is not what was published', wrong.name, wrong.version_no
            USING ERRCODE = 'data_corrupted',
                  DETAIL = 'What it says does not match the hash taken when it was published.',
                  HINT = 'Remove what was added to it, or restore it from a backup.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_versions(int) IS 'Error XX001 when a published version of the calendar''s plans was tampered with.';
REVOKE ALL ON FUNCTION spm._check_versions(int) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE spm.post(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(post.period, post.calendar));
    before text;
    wrong record;
    draft int;
    this_run bigint;
    total text;
BEGIN
    PERFORM spm._begin_progress('post', this.name, spm._last_duration('post', this.period_id)), spm._progress('waiting for another run in this calendar', 0, NULL);
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state <> 'calculated' THEN
        RAISE EXCEPTION 'period % is %, not calculated', this.name, this.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'open' THEN format('CALL spm.calculate(%L);', this.name)
                              ELSE 'Nothing is left to do; later changes are paid in the next period.' END;
    END IF;
    SELECT p.name INTO before FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND p.state <> 'posted' AND spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % comes before % and is not posted', before, this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('CALL spm.calculate(%L); CALL spm.post(%L);', before, before);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = this.period_id) THEN
        RAISE EXCEPTION 'period % was calculated before something it stands on changed', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL spm.calculate(%L);', this.name);
    END IF;
    SELECT o.posting_id INTO STRICT draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    PERFORM spm._progress('reconciling', 0, NULL), spm._check_once(draft);
    SELECT r.* INTO wrong FROM spm.reconciliation r WHERE r.posting_id = draft AND NOT r.is_reconciled LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'results of period % do not add up', this.name
            USING ERRCODE = 'data_corrupted',
                  DETAIL = format('Payee %s, component %s: totals earn %s, deals %s, paid %s.', wrong.payee_id, wrong.component_id,
                                  wrong.measured_amount, wrong.earned_amount, wrong.paid_amount),
                  HINT = format('CALL spm.calculate(%L); and look at spm_bi.reconciliation.', this.name);
    END IF;
    INSERT INTO spm.run (kind, period_id, version, earning_count, payee_count)
    SELECT 'post', this.period_id, e.extversion,
           (SELECT count(*) FROM spm.earning x WHERE x.posting_id = draft),
           (SELECT count(DISTINCT o.payee_id) FROM spm.payout o WHERE o.posting_id = draft)
    FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING run_id INTO this_run;
    UPDATE spm.posting o SET state = 'posted', posted_at = clock_timestamp(), posted_by = session_user, run_id = this_run
    WHERE o.posting_id = draft;
    UPDATE spm.period p SET state = 'posted' WHERE p.period_id = this.period_id;
    PERFORM spm._progress('keeping statements', 0, NULL), spm._keep_statements(draft);
    UPDATE spm.run r SET finished_at = clock_timestamp() WHERE r.run_id = this_run;
    SELECT string_agg(s.line, ', ' ORDER BY s.line) INTO total
    FROM (SELECT format('%s %s', sum(o.amount), o.currency_code) AS line FROM spm.payout o WHERE o.posting_id = draft GROUP BY o.currency_code) s;
    PERFORM spm._end_progress();
    RAISE NOTICE 'period % is posted: %', this.name, coalesce(total, 'nothing to pay');
END
$$;
COMMENT ON PROCEDURE spm.post(text, text) IS
'Closes a calculated period: its results can change no more, later changes are paid as differences in the next period. Periods are posted in order, and only when every level adds up.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 unless the period is calculated, since the last change of an earlier one, and all before it are posted; XX001 when the results do not add up.
Example: CALL spm.post(''2026-Q1'');';
