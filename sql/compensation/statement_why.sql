/*
 * compensation/statement_why.sql: what became of a payee's pay between two
 * instants, in rows that add up.
 */

CREATE OR REPLACE FUNCTION spm.statement_version(payee text, period text, calendar text DEFAULT NULL)
    RETURNS TABLE (version_no bigint, known_at timestamptz, state text, run_id bigint, currency_code text, payable_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(statement_version.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(statement_version.period, statement_version.calendar);
    postings int[] := array(SELECT o.posting_id FROM spm.posting o WHERE o.period_id = spm._period_id(statement_version.period, statement_version.calendar));
BEGIN
    RETURN QUERY
    WITH live AS MATERIALIZED (
        SELECT x.run_id, NULL::timestamptz AS gone_at, NULL::bigint AS gone_by, x.currency_code, x.amount FROM spm.payout x
        WHERE x.posting_id = ANY (postings) AND x.payee_id = who
        UNION ALL
        SELECT s.run_id, s.superseded_at, s.superseded_run_id, s.content->>'currency_code', (s.content->>'amount')::numeric FROM spm.superseded s
        WHERE s.relation = 'payout' AND s.posting_id = ANY (postings) AND s.payee_id = who
    ), payout AS MATERIALIZED (
        SELECT w.finished_at AS since, coalesce(g.finished_at, l.gone_at, 'infinity') AS until, l.currency_code, l.amount
        FROM live l JOIN spm.run w ON w.run_id = l.run_id LEFT JOIN spm.run g ON g.run_id = l.gone_by
        WHERE w.finished_at IS NOT NULL
    ), instant AS (
        SELECT r.finished_at AS known_at, 'calculated' AS state, r.run_id
        FROM spm.run r
        WHERE r.kind IN ('calculate', 'refresh') AND r.period_id = paid AND r.finished_at IS NOT NULL AND r.run_id IN (
            SELECT m.run_id FROM spm.measurement m WHERE m.posting_id = ANY (postings) AND m.payee_id = who
            UNION SELECT e.run_id FROM spm.earning e WHERE e.posting_id = ANY (postings) AND e.payee_id = who
            UNION SELECT x.run_id FROM spm.payout x WHERE x.posting_id = ANY (postings) AND x.payee_id = who
            UNION SELECT u.run_id FROM spm.superseded u WHERE u.posting_id = ANY (postings) AND u.payee_id = who
            UNION SELECT u.superseded_run_id FROM spm.superseded u WHERE u.posting_id = ANY (postings) AND u.payee_id = who)
        UNION ALL
        SELECT o.posted_at, 'posted', o.run_id FROM spm.posting o WHERE o.posting_id = ANY (postings) AND o.state = 'posted'
    )
    SELECT dense_rank() OVER (ORDER BY i.known_at), i.known_at, i.state, i.run_id, p.currency_code, coalesce(sum(p.amount), 0)
    FROM instant i LEFT JOIN payout p ON p.since <= i.known_at AND p.until > i.known_at
    GROUP BY i.known_at, i.state, i.run_id, p.currency_code
    ORDER BY i.known_at, p.currency_code;
END
$$;
COMMENT ON FUNCTION spm.statement_version(text, text, text) IS
'Every version of a payee''s statement of a paying period: each calculation that changed anything of it, and each posting, with what was payable then. known_at is an instant for spm.statement(..., as_of) and spm.why().
payee: payee_key. period: name of the paying period. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period.
Example: SELECT * FROM spm.statement_version(''U-17'', ''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm.why(payee text, period text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (earned_in text, plan_name text, item text, before_amount numeric, after_amount numeric, difference numeric, currency_code text, reason text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(why.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(why.period, why.calendar);
    postings int[] := array(SELECT o.posting_id FROM spm.posting o WHERE o.period_id = spm._period_id(why.period, why.calendar));
    later timestamptz := coalesce(why.until, 'infinity');
    earlier timestamptz := why.since;
    has_before boolean;
BEGIN
    IF earlier IS NULL THEN
        -- the last version that paid something else
        WITH version AS (
            SELECT v.known_at, array_agg(v.payable_amount ORDER BY v.currency_code) AS payable
            FROM spm.statement_version(why.payee, why.period, why.calendar) v WHERE v.known_at <= later GROUP BY v.known_at)
        SELECT max(v.known_at) INTO earlier FROM version v
        WHERE v.payable IS DISTINCT FROM (SELECT l.payable FROM version l ORDER BY l.known_at DESC LIMIT 1);
        earlier := coalesce(earlier, '-infinity');
    END IF;
    IF earlier > later THEN
        RAISE EXCEPTION 'the first instant must come before the second'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('since is %s, until is %s.', earlier, later);
    END IF;
    SELECT h.posted_count > 0 OR h.is_draft INTO has_before FROM spm._known_state(paid, earlier) h;
    RETURN QUERY
    WITH e AS MATERIALIZED (
        SELECT false AS is_after, e.* FROM spm.earning_as_of(earlier) e WHERE e.posting_id = ANY (postings) AND e.payee_id = who
        UNION ALL
        SELECT true, e.* FROM spm.earning_as_of(later) e WHERE e.posting_id = ANY (postings) AND e.payee_id = who
    ), entry AS MATERIALIZED (
        SELECT e.*, count(*) OVER (PARTITION BY e.earning_id) = 1 AS is_changed FROM e
    ), c AS MATERIALIZED (
        SELECT false AS is_after, c.* FROM spm.credit_as_of(earlier) c WHERE c.credit_id = ANY (array(SELECT r.credit_id FROM entry r WHERE NOT r.is_after))
        UNION ALL
        SELECT true, c.* FROM spm.credit_as_of(later) c WHERE c.credit_id = ANY (array(SELECT r.credit_id FROM entry r WHERE r.is_after))
    ), touched AS MATERIALIZED (
        SELECT array_agg(DISTINCT k.transaction_key) AS keys FROM entry r JOIN c k ON k.is_after = r.is_after AND k.credit_id = r.credit_id WHERE r.is_changed
    ), order_credit AS MATERIALIZED (    -- all credits of the orders, on both sides
        SELECT false AS is_after, c.* FROM spm.credit_as_of(earlier) c WHERE c.transaction_key = ANY ((SELECT keys FROM touched)::text[])
        UNION ALL
        SELECT true, c.* FROM spm.credit_as_of(later) c WHERE c.transaction_key = ANY ((SELECT keys FROM touched)::text[])
    ), standing AS MATERIALIZED (
        SELECT o.* FROM order_credit o
        WHERE o.reverses_id IS NULL AND NOT EXISTS (SELECT FROM order_credit r WHERE r.is_after = o.is_after AND r.reverses_id = o.credit_id)
    ), moved AS MATERIALIZED (           -- direct credits that stand on one side only
        SELECT o.is_after, o.source, o.transaction_key, o.line, o.payee_id, o.credit_id, to_jsonb(o) || jsonb_build_object('name', y.name) AS credit
        FROM standing o LEFT JOIN spm.payee y ON y.payee_key = o.owner_key
        WHERE o.kind = 'direct' AND NOT EXISTS (SELECT FROM standing p WHERE p.is_after <> o.is_after AND p.credit_id = o.credit_id)
    ), m AS MATERIALIZED (
        SELECT x.is_after, x.m FROM (
            SELECT false AS is_after, m FROM spm.measurement_as_of(earlier) m WHERE m.payee_id = who
            UNION ALL
            SELECT true, m FROM spm.measurement_as_of(later) m WHERE m.payee_id = who) x
    ), measured AS MATERIALIZED (
        SELECT x.is_after, x.m, (x.m).component_id, (x.m).position_id, (x.m).period_id FROM m x
        WHERE (x.m).reverses_id IS NULL AND NOT EXISTS (SELECT FROM m r WHERE r.is_after = x.is_after AND (r.m).reverses_id = (x.m).measurement_id)
    ), item AS (
        SELECT v.plan_id, g.period_id, k.name AS component_name, min(k.component_no) AS component_no, CASE WHEN g.credit_id IS NULL THEN g.kind ELSE 'deal' END AS kind,
               t.source, t.transaction_key, t.line, max(t.event_date) AS event_date,
               coalesce(sum(g.amount) FILTER (WHERE NOT g.is_after), 0) AS before_amount, coalesce(sum(g.amount) FILTER (WHERE g.is_after), 0) AS after_amount,
               min(g.earning_id) FILTER (WHERE g.is_changed AND NOT g.is_after AND g.reverses_id IS NULL) AS before_id,
               max(g.reverses_id) FILTER (WHERE g.is_changed AND g.is_after) AS reversed_id,
               max(g.reverses_id) FILTER (WHERE g.is_changed AND NOT g.is_after) AS restored_id,
               min(g.earning_id) FILTER (WHERE g.is_changed AND g.is_after AND g.reverses_id IS NULL) AS after_id
        FROM entry g
        JOIN spm.component k USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
        LEFT JOIN c t ON t.is_after = g.is_after AND t.credit_id = g.credit_id
        GROUP BY v.plan_id, g.period_id, k.name, CASE WHEN g.credit_id IS NULL THEN g.kind ELSE 'deal' END, t.source, t.transaction_key, t.line
    ), told AS (
        SELECT i.*, (SELECT string_agg(w.change[n][2], '; ' ORDER BY n) FROM generate_subscripts(w.change, 1) n) AS reason
        FROM item i
        -- what was: the row itself, or the posted one that is taken back now; what is: the new row, or the posted one that stands again
        LEFT JOIN LATERAL (
            SELECT spm.earning_fact((b.e).component_id, to_jsonb(b.e), to_jsonb(t.t), to_jsonb(q.m)) || jsonb_build_object('is_gone', NOT EXISTS (SELECT FROM standing s WHERE s.is_after AND s.credit_id = (b.e).credit_id)) AS fact
            FROM (SELECT x AS e FROM spm.earning_as_of(earlier) x WHERE x.earning_id = coalesce(i.before_id, i.reversed_id)) b
            LEFT JOIN LATERAL (SELECT t FROM spm.credit_as_of(earlier) t WHERE t.credit_id = (b.e).credit_id) t ON true
            LEFT JOIN measured q ON NOT q.is_after AND (q.component_id, q.position_id, q.period_id) = ((b.e).component_id, (b.e).position_id, i.period_id)) b ON true
        LEFT JOIN LATERAL (
            SELECT spm.earning_fact((a.e).component_id, to_jsonb(a.e), to_jsonb(t.t), to_jsonb(q.m)) || jsonb_build_object('is_new', NOT EXISTS (SELECT FROM standing s WHERE NOT s.is_after AND s.credit_id = (a.e).credit_id)) AS fact
            FROM (SELECT x AS e FROM spm.earning_as_of(later) x WHERE x.earning_id = coalesce(i.after_id, i.restored_id)) a
            LEFT JOIN LATERAL (SELECT t FROM spm.credit_as_of(later) t WHERE t.credit_id = (a.e).credit_id) t ON true
            LEFT JOIN measured q ON q.is_after AND (q.component_id, q.position_id, q.period_id) = ((a.e).component_id, (a.e).position_id, i.period_id)) a ON true
        LEFT JOIN LATERAL (
            SELECT o.credit FROM moved o WHERE NOT o.is_after AND (o.source, o.transaction_key, o.line) = (i.source, i.transaction_key, i.line)
            ORDER BY o.payee_id IS DISTINCT FROM who, o.credit_id LIMIT 1) g ON b.fact IS NULL OR a.fact IS NULL
        LEFT JOIN LATERAL (
            SELECT o.credit FROM moved o WHERE o.is_after AND (o.source, o.transaction_key, o.line) = (i.source, i.transaction_key, i.line)
            ORDER BY o.payee_id IS DISTINCT FROM who, o.credit_id LIMIT 1) n ON b.fact IS NULL OR a.fact IS NULL
        CROSS JOIN LATERAL (SELECT CASE WHEN has_before THEN spm.earning_change(b.fact, a.fact, g.credit, n.credit, NULL)
                                        ELSE ARRAY[ARRAY['new', 'first calculation']] END AS change OFFSET 0) w
        WHERE i.before_amount <> i.after_amount
    ), rule AS (
        SELECT x.plan_id, x.period_id, x.currency_code, x.kind, coalesce(r.name, x.kind) AS name, min(coalesce(r.rule_no, 999999)) AS rule_no,
               sum(CASE WHEN x.is_after THEN 0 ELSE x.amount END) AS before_amount, sum(CASE WHEN x.is_after THEN x.amount ELSE 0 END) AS after_amount,
               coalesce(max(x.reason) FILTER (WHERE x.is_after), max(x.reason)) AS reason
        FROM (SELECT false AS is_after, x.* FROM spm.payout_as_of(earlier) x WHERE x.posting_id = ANY (postings) AND x.payee_id = who AND x.kind <> 'earning'
              UNION ALL
              SELECT true, x.* FROM spm.payout_as_of(later) x WHERE x.posting_id = ANY (postings) AND x.payee_id = who AND x.kind <> 'earning') x
        LEFT JOIN spm.pay_rule r USING (pay_rule_id)
        GROUP BY x.plan_id, x.period_id, x.currency_code, x.kind, coalesce(r.name, x.kind)
    )
    SELECT l.period_name, l.plan_name, l.item, l.before_amount, l.after_amount, l.after_amount - l.before_amount, l.currency_code, l.reason
    FROM (SELECT 1 AS section, p.span, p.name AS period_name, n.name AS plan_name, t.component_no, t.event_date,
                 concat(t.component_name, coalesce(', ' || t.transaction_key || coalesce('/' || nullif(t.line, ''), ''), CASE WHEN t.kind <> 'total' THEN ', ' || replace(t.kind, '_', ' ') END)) AS item,
                 t.before_amount, t.after_amount, n.currency_code, t.reason
          FROM told t JOIN spm.period p USING (period_id) JOIN spm.plan n USING (plan_id)
          UNION ALL
          SELECT 2, p.span, p.name, n.name, r.rule_no, NULL, CASE r.name WHEN r.kind THEN r.kind ELSE format('%s, %s', r.name, r.kind) END,
                 r.before_amount, r.after_amount, r.currency_code, coalesce(r.reason, 'follows what was earned')
          FROM rule r JOIN spm.period p USING (period_id) LEFT JOIN spm.plan n USING (plan_id)
          WHERE r.before_amount <> r.after_amount) l
    ORDER BY l.section, l.span, l.plan_name COLLATE "C", l.component_no, l.event_date, l.item COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.why(text, text, timestamptz, timestamptz, text) IS
'Why what a payee is paid in a period is another sum than it was: one row per deal, or other item, that pays more or less, before and after, with the reason. The differences add up to that of what is payable.
payee: payee_key. period: name of the paying period. since: the earlier instant; NULL: the last version that paid something else. until: the later one; NULL: now. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 22023 when since comes after until.
Example: SELECT * FROM spm.why(''U-17'', ''2026-Q1''); SELECT * FROM spm.why(''U-17'', ''2026-Q1'', since => ''2026-04-02 09:00+00'', until => ''2026-04-09 09:00+00'');';
