/*
 * compensation/statement_explain.sql: every cent back to the order it comes
 * from, and every order to what it earned.
 */

CREATE OR REPLACE FUNCTION spm.explain(payee text, period text, transaction_key text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (step text, item text, base_amount numeric, rate numeric, amount numeric, currency_code text, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
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
               p.name AS period_name, n.currency_code, n.name AS plan_name, v.version_no, k.definition, t.transaction_key, t.source, t.line, t.event_date,
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
        JOIN spm.credit t USING (credit_id)
        JOIN spm.position s ON s.position_id = e.position_id
        JOIN spm.position s0 ON s0.position_id = t.origin_position_id
        WHERE e.payee_id = $1 AND o.period_id = $2 AND ($3 IS NULL OR t.transaction_key = $3)
    ), line AS (
        SELECT DISTINCT ON (payout_id, period_id, component_id, position_id)
               ARRAY[period_id, component_no, position_id]::bigint[] AS place, 1 AS depth, 0::bigint AS nth, 'payout' AS step,
               format('%s, %s', component_name, period_name) AS item, NULL::numeric AS base, NULL::numeric AS rate, coalesce(paid_amount, 0) AS amount, currency_code,
               concat(CASE WHEN period_id <> $2 THEN 'difference of a posted period; ' END,
                      format('plan %s v%s, rates %s, total of the %s', plan_name, version_no, definition, accumulate)) AS because
        FROM earned
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, to_char(event_date, 'J')::int, earning_id], 2, 0, 'earning',
               format('%s/%s%s', source, transaction_key, '/' || nullif(line, '')), base_amount, NULL, amount, currency_code,
               CASE WHEN reverses_id IS NOT NULL THEN 'takes back a posted earning'
                    WHEN kind = 'refund' THEN format('takes back what %s earned', reference_key)
                    ELSE format('takes the total from %s to %s', from_total, from_total + base_amount) END
        FROM earned
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, to_char(e.event_date, 'J')::int, e.earning_id], 3, CASE s.kind WHEN 'tier' THEN 0 WHEN 'rerate' THEN 100000 ELSE 200000 END + coalesce(s.tier_no, 0), 'slice',
               CASE s.kind WHEN 'tier' THEN format('tier %s', s.tier_no) ELSE s.kind END, s.base_amount, s.rate, s.amount, e.currency_code,
               format('from %s to %s', s.slice_from, s.slice_to)
        FROM earned e JOIN spm.earning_slice s USING (earning_id)
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, to_char(event_date, 'J')::int, earning_id], 4, 0, 'credit',
               format('%s to %s', credit_kind, seat), credited_amount, NULL, NULL, transaction_currency,
               CASE credit_kind WHEN 'rollup' THEN format('%s level(s) up from %s', level, origin)
                    WHEN 'rolldown' THEN format('%s level(s) down from %s', level, origin)
                    WHEN 'direct' THEN format('share %s of owner %s', share, owner_key)
                    ELSE format('%s "%s"', CASE credit_kind WHEN 'territory' THEN 'holder in' ELSE 'rule' END, rule) END
               || CASE WHEN credit_factor <> 1 THEN format(', times %s', trim_scale(credit_factor)) ELSE '' END
               || CASE WHEN part_count > 1 THEN format(', part %s of %s', part_no, part_count) ELSE '' END
               || CASE WHEN exchange_rate <> 1 THEN format(', exchange rate %s', exchange_rate) ELSE '' END
        FROM earned
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, to_char(e.event_date, 'J')::int, e.earning_id], 5, 0, 'transaction',
               format('%s of %s', e.type, e.event_date), e.transaction_amount, NULL, NULL, e.transaction_currency,
               CASE WHEN e.source = 'manual' THEN (SELECT format('entered by %s: %s', m.author, m.reason) FROM spm.manual_credit m WHERE 'M-' || m.manual_credit_id = e.transaction_key)
                    WHEN t.transaction_key IS NULL THEN 'no longer in the warehouse'
                    WHEN e.event <> 'booking' THEN format('%s; the part of %s %s that it credits', e.event, t.amount, t.currency_code)
                    WHEN (t.amount, t.event_date, t.currency_code) = (e.transaction_amount, e.event_date, e.transaction_currency) THEN 'as it is in the warehouse'
                    ELSE format('in the warehouse now: %s %s on %s', t.amount, t.currency_code, t.event_date) END
        FROM earned e
        LEFT JOIN spm.transaction t ON t.source = e.source AND t.transaction_key = e.transaction_key AND t.line = e.line
    )
    SELECT repeat('  ', depth - 1) || step, item, base, rate, amount, currency_code, because FROM line ORDER BY place, depth, nth
    $q$ USING who, paid, explain.transaction_key;
END
$$;
COMMENT ON FUNCTION spm.explain(text, text, text, text) IS
'Where a payee''s money comes from, as rows in reading order: payout, and under it each earning, its tier slices, its credit, and the transaction, compared with what the warehouse says now.
payee: payee_key. period: name of the paying period. transaction_key: only that transaction; NULL: all. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 55000 when no source is mapped.
Example: SELECT * FROM spm.explain(''U-17'', ''2026-Q1'', ''D-1007'');';
