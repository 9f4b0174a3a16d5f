/*
 * compensation/statement_explain.sql: every cent back to the order it comes
 * from, and every order to what it earned.
 */

CREATE OR REPLACE FUNCTION spm._rates_as_amounts(definition text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- the point moves two places to the left, and noughts at the end go
    SELECT regexp_replace(regexp_replace(regexp_replace(_rates_as_amounts.definition,
        '(?<![0-9.])([0-9]+)([0-9]{2})(\.[0-9]+)?%', '\1|\2\3%', 'g'),
        '\|([0-9]{2})\.?([0-9]*)%', '.\1\2', 'g'),
        '(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])', '\1', 'g');
END;
COMMENT ON FUNCTION spm._rates_as_amounts(text) IS 'A rate schedule that pays amounts, each unit or all at once: 200 in place of 20000%. Rates below 1 stay percentages.';
REVOKE ALL ON FUNCTION spm._rates_as_amounts(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.explain(payee text, period text, transaction_key text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (step text, item text, base_amount numeric, rate numeric, amount numeric, currency_code text, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(explain.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(explain.period, explain.calendar);
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    RETURN QUERY EXECUTE $q$
    WITH earned AS MATERIALIZED (
        SELECT e.*, x.payout_id, x.amount AS paid_amount, c.component_no, c.name AS component_name, c.tier_basis, c.accumulate, c.rate_options,
               c.basis, c.unit, p.name AS period_name, n.currency_code, n.name AS plan_name, v.version_no, k.definition, t.transaction_key, t.source, t.line, t.event_date,
               t.kind AS credit_kind, t.level, t.share, t.amount AS transaction_amount, t.currency_code AS transaction_currency, t.credited_amount, t.owner_key, t.type,
               t.rule, t.factor AS credit_factor, t.part_no, t.part_count, t.event, t.reference_key,
               s.name AS seat, s0.name AS origin
        FROM spm.earning e
        JOIN spm.posting o USING (posting_id)
        LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.kind)
            = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, 'earning')
        JOIN spm.component c ON c.component_id = e.component_id
        JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n ON n.plan_id = v.plan_id
        JOIN spm.period p ON p.period_id = e.period_id
        JOIN spm.schedule k USING (schedule_id)
        LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = coalesce(e.credit_period_id, e.period_id)
        JOIN spm.position s ON s.position_id = e.position_id
        LEFT JOIN spm.position s0 ON s0.position_id = t.origin_position_id
        WHERE e.payee_id = $1 AND o.period_id = $2 AND ($3 IS NULL OR t.transaction_key = $3)
    ), line AS (
        SELECT DISTINCT ON (payout_id, period_id, component_id, position_id)
               ARRAY[period_id, component_no, position_id]::bigint[] AS place, 1 AS depth, 0::bigint AS nth, 'payout' AS step,
               format('%s, %s', component_name, period_name) AS item, NULL::numeric AS base, NULL::numeric AS rate, coalesce(paid_amount, 0) AS amount, currency_code,
               concat(CASE WHEN period_id <> $2 THEN 'difference of a posted period; ' END,
                      format('plan %s v%s, rates %s, total of the %s', plan_name, version_no,
                             CASE WHEN unit = 'count' OR basis IN ('fixed', 'objective') THEN spm._rates_as_amounts(definition)
                                  ELSE definition END, accumulate)) AS because
        FROM earned
        UNION ALL    -- pay rules, holds, adjustments: after what was earned, in their order
        SELECT ARRAY[2147483647, coalesce(r.rule_no, 999999), x.payout_id], 1, 0, 'payout', concat_ws(', ', coalesce(r.name, x.kind), p.name), NULL, NULL, x.amount, x.currency_code,
               concat_ws(': ', x.kind, x.reason)
        FROM spm.payout x
        JOIN spm.posting o USING (posting_id)
        JOIN spm.period p ON p.period_id = x.period_id
        LEFT JOIN spm.pay_rule r USING (pay_rule_id)
        WHERE x.payee_id = $1 AND o.period_id = $2 AND $3 IS NULL AND x.kind <> 'earning'
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, coalesce(to_char(event_date, 'J')::int, 0), earning_id], 2, 0, 'earning',
               CASE WHEN credit_id IS NULL THEN replace(kind, '_', ' ') ELSE format('%s/%s%s', source, transaction_key, '/' || nullif(line, '')) END, base_amount, NULL, amount, currency_code,
               CASE WHEN reverses_id IS NOT NULL THEN 'takes back a posted earning'
                    WHEN credit_id IS NULL AND kind <> 'total' THEN NULL
                    WHEN kind = 'refund' THEN format('takes back what %s earned', reference_key)
                    ELSE format('takes the total from %s to %s', from_total, from_total + base_amount) END
        FROM earned
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, coalesce(to_char(e.event_date, 'J')::int, 0), e.earning_id], 3, CASE s.kind WHEN 'tier' THEN 0 WHEN 'rerate' THEN 100000 ELSE 200000 END + coalesce(s.tier_no, 0), 'slice',
               CASE s.kind WHEN 'tier' THEN format('tier %s', s.tier_no) ELSE s.kind END, s.base_amount, s.rate, s.amount, e.currency_code,
               CASE WHEN s.slice_from IS NOT NULL THEN format('from %s to %s', s.slice_from, s.slice_to)
                    WHEN s.kind = 'refund' THEN format('by what %s earned, not by the rates', e.reference_key)
                    ELSE 'in one piece, not by the rates' END
        FROM earned e JOIN spm.earning_slice s ON s.earning_id = e.earning_id AND s.period_id = e.period_id
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, coalesce(to_char(event_date, 'J')::int, 0), earning_id], 4, 0, 'credit',
               format('%s to %s', credit_kind, seat), CASE WHEN reverses_id IS NULL THEN credited_amount ELSE -credited_amount END, NULL, NULL, transaction_currency,
               CASE credit_kind WHEN 'rollup' THEN format('%s level(s) up from %s', level, origin)
                    WHEN 'rolldown' THEN format('%s level(s) down from %s', level, origin)
                    WHEN 'direct' THEN format('share %s of owner %s', share, owner_key)
                    ELSE format('%s "%s"', CASE credit_kind WHEN 'territory' THEN 'holder in' ELSE 'rule' END, rule) END
               || CASE WHEN credit_factor <> 1 THEN format(', times %s', trim_scale(credit_factor)) ELSE '' END
               || CASE WHEN part_count > 1 THEN format(', part %s of %s', part_no, part_count) ELSE '' END
               || CASE WHEN exchange_rate <> 1 THEN format(', exchange rate %s', exchange_rate) ELSE '' END
        FROM earned WHERE credit_id IS NOT NULL
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, coalesce(to_char(e.event_date, 'J')::int, 0), e.earning_id], 5, 0, 'transaction',
               format('%s of %s', e.type, e.event_date), CASE WHEN e.reverses_id IS NULL THEN e.transaction_amount ELSE -e.transaction_amount END, NULL, NULL, e.transaction_currency,
               CASE WHEN e.source = 'manual' THEN (SELECT format('entered by %s: %s', m.author, m.reason) FROM spm.manual_credit m WHERE 'M-' || m.manual_credit_id = e.transaction_key)
                    WHEN t.transaction_key IS NULL THEN 'no longer in the warehouse'
                    WHEN e.event <> 'booking' THEN format('%s; the part of %s %s that it credits', e.event, t.amount, t.currency_code)
                    WHEN (t.amount, t.event_date, t.currency_code) = (e.transaction_amount, e.event_date, e.transaction_currency) THEN 'as it is in the warehouse'
                    ELSE format('in the warehouse now: %s %s on %s', t.amount, t.currency_code, t.event_date) END
        FROM earned e
        LEFT JOIN spm.transaction t ON t.source = e.source AND t.transaction_key = e.transaction_key AND t.line = e.line
        WHERE e.credit_id IS NOT NULL
    )
    SELECT repeat('  ', depth - 1) || step, item, base, rate, amount, currency_code, because FROM line ORDER BY place, depth, nth
    $q$ USING who, paid, explain.transaction_key;
END
$$;
COMMENT ON FUNCTION spm.explain(text, text, text, text) IS
'Where a payee''s money comes from, as rows in reading order: payout, and under it each earning, its tier slices, its credit, and the transaction, compared with what the warehouse says now; then what pay rules, holds and adjustments make of it. The rows of step payout add up to what is paid; what takes back a posted row is negative throughout.
payee: payee_key. period: name of the paying period. transaction_key: only that transaction; NULL: all. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 55000 when no source is mapped.
Example: SELECT * FROM spm.explain(''U-17'', ''2026-Q1'', ''D-1007'');';

CREATE OR REPLACE FUNCTION spm.explain_transaction(transaction_key text, source text DEFAULT NULL)
    RETURNS TABLE (step text, payee_key text, item text, amount numeric, currency_code text, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    has_rows boolean := false;
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    RETURN QUERY EXECUTE $q$
        SELECT 'transaction', t.owner_key, format('%s/%s%s', t.source, t.transaction_key, '/' || nullif(t.line, '')), t.amount, t.currency_code,
               format('%s of %s, as it is in the warehouse', t.type, t.event_date)
        FROM spm.transaction t WHERE t.transaction_key = $1 AND ($2 IS NULL OR t.source = $2) ORDER BY t.source, t.line
    $q$ USING explain_transaction.transaction_key, explain_transaction.source;
    has_rows := FOUND;
    RETURN QUERY
        SELECT 'uncredited', nullif(u.owner_key, ''), format('%s/%s%s', u.source, u.transaction_key, '/' || nullif(u.line, '')), u.amount, u.currency_code, u.reason
        FROM spm.uncredited u
        WHERE u.transaction_key = explain_transaction.transaction_key AND (explain_transaction.source IS NULL OR u.source = explain_transaction.source)
        ORDER BY u.source, u.line, u.owner_key COLLATE "C";
    has_rows := has_rows OR FOUND;
    RETURN QUERY
        WITH credit AS MATERIALIZED (
            SELECT c.*, EXISTS (SELECT FROM spm.credit r WHERE r.reverses_id = c.credit_id AND r.period_id = c.period_id) AS is_gone,
                   (SELECT p.name FROM spm.credit r JOIN spm.posting o USING (posting_id) JOIN spm.period p ON p.period_id = o.period_id
                    WHERE r.reverses_id = c.credit_id AND r.period_id = c.period_id) AS gone_in
            FROM spm.credit c
            WHERE c.transaction_key = explain_transaction.transaction_key AND (explain_transaction.source IS NULL OR c.source = explain_transaction.source)
              AND c.reverses_id IS NULL
        ), earned AS (
            SELECT c.source, c.line, e.payee_id, k.plan_id, k.plan_name, k.currency_code, k.component_no, k.name AS component_name, e.period_id, e.posting_id, sum(e.amount) AS amount,
                   max(format('v%s, takes the total from %s to %s', k.version_no, trim_scale(e.from_total), trim_scale(e.from_total + e.base_amount)))
                       FILTER (WHERE e.reverses_id IS NULL AND e.kind = 'deal') AS words
            FROM credit c
            JOIN spm.earning e ON e.credit_id = c.credit_id AND coalesce(e.credit_period_id, e.period_id) = c.period_id
            JOIN (SELECT k.component_id, k.component_no, k.name, v.version_no, n.plan_id, n.name AS plan_name, n.currency_code
                  FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n USING (plan_id)) k USING (component_id)
            GROUP BY c.source, c.line, e.payee_id, k.plan_id, k.plan_name, k.currency_code, k.component_no, k.name, e.period_id, e.posting_id
        ), line AS (
            SELECT 1 AS section, ARRAY[c.source, c.line, CASE c.kind WHEN 'direct' THEN '0' ELSE c.kind END, lpad(c.level::text, 4, '0'), y.payee_key, lpad(c.credit_id::text, 18, '0')] AS place,
                   'credit' AS step, y.payee_key, format('%s to %s', c.kind, s.name) AS item, c.credited_amount AS amount, c.currency_code,
                   concat_ws('; ', CASE WHEN c.level > 0 THEN format('%s level(s) from %s', c.level, b.name) ELSE format('share %s of owner %s', trim_scale(c.share), c.owner_key) END,
                       CASE WHEN c.is_gone THEN 'taken back in ' || c.gone_in
                            WHEN EXISTS (SELECT FROM spm.standing_earning e WHERE e.credit_id = c.credit_id
                                         AND coalesce(e.credit_period_id, e.period_id) = c.period_id) THEN NULL
                            WHEN c.payee_id IS NULL THEN 'the seat was vacant: earns nothing'
                            WHEN EXISTS (SELECT FROM spm.plan_version v CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) t
                                         WHERE v.state <> 'draft' AND t.position_id = c.position_id AND t.payee_id = c.payee_id AND c.event_date <@ t.spans)
                            THEN 'no component of the plan takes it: earns nothing' ELSE 'on no plan that day: earns nothing' END) AS because
            FROM credit c
            LEFT JOIN spm.payee y USING (payee_id)
            JOIN spm.position s ON s.position_id = c.position_id
            JOIN spm.position b ON b.position_id = c.origin_position_id
            UNION ALL
            SELECT 2, ARRAY[e.source, e.line, y.payee_key, e.plan_name, lpad(e.component_no::text, 6, '0'), to_char(lower(p.span), 'YYYYMMDD'), lpad(e.posting_id::text, 9, '0')],
                   'earning', y.payee_key, format('%s, %s', e.component_name, p.name), e.amount, e.currency_code,
                   concat_ws('; ', format('paid in %s%s', pp.name, CASE o.state WHEN 'draft' THEN ', not yet posted' END), coalesce(d.reason, 'plan ' || e.plan_name || ' ' || e.words))
            FROM earned e
            JOIN spm.posting o USING (posting_id)
            JOIN spm.period p ON p.period_id = e.period_id
            JOIN spm.period pp ON pp.period_id = o.period_id
            JOIN spm.payee y USING (payee_id)
            LEFT JOIN spm.difference d ON (d.posting_id, d.period_id, d.payee_id, d.plan_id, d.component_name, d.source, d.transaction_key, d.line)
                = (e.posting_id, e.period_id, e.payee_id, e.plan_id, e.component_name, e.source, explain_transaction.transaction_key, e.line)
            WHERE e.amount <> 0 OR e.words IS NOT NULL)
        SELECT l.step, l.payee_key, l.item, l.amount, l.currency_code, l.because FROM line l ORDER BY l.section, l.place COLLATE "C";
    has_rows := has_rows OR FOUND;
    IF NOT has_rows THEN
        RAISE EXCEPTION 'transaction "%" does not exist', explain_transaction.transaction_key
            USING ERRCODE = 'undefined_object', DETAIL = 'It is neither in the warehouse, by the filter of spm.map_source(), nor was it ever credited.',
                  HINT = 'SELECT source, transaction_key FROM spm.transaction;';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.explain_transaction(text, text) IS
'Who earned what from an order and why, whoever and whenever: the order as the warehouse has it, who could not be credited, each credit, and what each component paid for it in which period. The rows of step earning add up to all that was ever paid for it. Who else could have been credited, and why not, says spm.credit_candidates().
transaction_key: key of the order. source: when two sources have that key.
Errors: 42704 for an order that nobody knows, 55000 when no source is mapped.
Example: SELECT * FROM spm.explain_transaction(''D-1007'');';
