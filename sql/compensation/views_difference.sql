/*
 * compensation/views_difference.sql: what differs from what was there before,
 * deal by deal, and why, in the words of the seller it happens to.
 */

CREATE OR REPLACE FUNCTION spm._money(amount numeric, places int DEFAULT 2)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- written without the locale, so that a statement reads the same everywhere
    SELECT CASE WHEN n.value < 0 THEN '-' ELSE '' END
        || regexp_replace(split_part(abs(n.value)::text, '.', 1), '(\d)(?=(\d{3})+$)', '\1,', 'g')
        || CASE WHEN _money.places > 0 THEN '.' || split_part(n.value::text, '.', 2) ELSE '' END
    FROM (SELECT round(_money.amount, _money.places) AS value) n;
END;
COMMENT ON FUNCTION spm._money(numeric, int) IS 'An amount as people read it: 1,234.50.';
REVOKE ALL ON FUNCTION spm._money(numeric, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._percent(ratio numeric)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trim_scale(round(100 * _percent.ratio, 4))::text || ' %';
END;
COMMENT ON FUNCTION spm._percent(numeric) IS 'A ratio as people read it: 8.5 %.';
REVOKE ALL ON FUNCTION spm._percent(numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.earning_fact(component_id int, earning jsonb, credit jsonb, measurement jsonb)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT jsonb_build_object('version', v.version_no, 'variable', x.name, 'earning', earning_fact.earning,
        'credit', earning_fact.credit, 'measurement', earning_fact.measurement)
    FROM spm.component c
    JOIN spm.plan_version v USING (plan_version_id)
    LEFT JOIN spm.variable x USING (variable_id)
    WHERE c.component_id = earning_fact.component_id;
END;
COMMENT ON FUNCTION spm.earning_fact(int, jsonb, jsonb, jsonb) IS
'What an earning came from, as one document for spm.earning_change(). Used by spm.difference.
component_id: key. earning, credit, measurement: the rows, as documents; NULL: none. Returns NULL for an unknown component.
Example: SELECT spm.earning_fact(e.component_id, to_jsonb(e), NULL, NULL) FROM spm.earning e;';

-- A change is a cause and words for it; several make an array, weightiest first.
CREATE OR REPLACE FUNCTION spm.order_change(before jsonb, after jsonb)
    RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(ARRAY[v.cause, v.words] ORDER BY v.nth)
    FROM (SELECT order_change.before AS b, order_change.after AS a) x
    CROSS JOIN LATERAL (VALUES
        (1, 'order changed', CASE WHEN b->'amount' <> a->'amount' THEN format('amount changed from %s to %s',
            to_char((b->>'amount')::numeric, 'FM999,999,999,999,999,990.00'),
            to_char((a->>'amount')::numeric, 'FM999,999,999,999,999,990.00')) END),
        (2, 'order changed', CASE WHEN b->>'currency_code' <> a->>'currency_code'
            THEN format('currency changed from %s to %s', b->>'currency_code', a->>'currency_code') END),
        (3, 'order changed', CASE WHEN b->>'event_date' <> a->>'event_date'
            THEN format('date changed from %s to %s', b->>'event_date', a->>'event_date') END),
        (4, 'order changed', (SELECT 'changed: ' || string_agg(replace(replace(k, '_key', ''), '_', ' '), ', ' ORDER BY k)
            FROM jsonb_object_keys(a || b) k
            WHERE b->k IS DISTINCT FROM a->k
              AND k NOT IN ('credit_id', 'posting_id', 'period_id', 'run_id', 'reverses_id', 'position_id', 'payee_id', 'origin_position_id', 'level',
                            'kind', 'share', 'shares', 'share_no', 'credited_amount', 'owner_key', 'amount', 'currency_code', 'event_date', 'name',
                            'source', 'transaction_key', 'line'))),
        (5, 'split changed', CASE WHEN b->>'payee_id' = a->>'payee_id' AND b->'share' <> a->'share' AND b->>'owner_key' = a->>'owner_key'
            THEN format('%s changed from %s to %s', CASE a->>'kind' WHEN 'direct' THEN 'your share' ELSE 'share' END,
                        (trim_scale(round(100 * (b->>'share')::numeric, 4)) || ' %'), (trim_scale(round(100 * (a->>'share')::numeric, 4)) || ' %')) END),
        (6, 'owner changed', CASE WHEN b->>'owner_key' <> a->>'owner_key'
            THEN format('order moved from %s to %s', coalesce(b->>'name', b->>'owner_key'), coalesce(a->>'name', a->>'owner_key')) END),
        (7, 'hierarchy', CASE WHEN a->>'kind' LIKE 'roll%' AND b->>'kind' LIKE 'roll%'
                AND (b->'origin_position_id', b->'level') IS DISTINCT FROM (a->'origin_position_id', a->'level') AND b->>'owner_key' = a->>'owner_key'
            THEN 'reporting line changed' END),
        (8, 'seat', CASE WHEN b->>'owner_key' = a->>'owner_key' AND b->'position_id' <> a->'position_id'
            THEN 'seat changed' END),
        (9, 'split changed', CASE WHEN b->>'owner_key' = a->>'owner_key' AND b->'share' = a->'share' AND b->'amount' = a->'amount'
                AND b->'credited_amount' <> a->'credited_amount'
            THEN 'shares of others changed' END)) v(nth, cause, words)
    WHERE v.words IS NOT NULL
$$;
COMMENT ON FUNCTION spm.order_change(jsonb, jsonb) IS
'How an order differs between two credits of it, as pairs of cause and words, weightiest first. NULL: not at all.
before, after: rows of spm.credit as documents.
Example: SELECT spm.order_change(to_jsonb(a), to_jsonb(b)) FROM spm.credit a, spm.credit b WHERE a.credit_id = 1 AND b.credit_id = 2;';

CREATE OR REPLACE FUNCTION spm.earning_change(before jsonb, after jsonb, gone jsonb, came jsonb, uncredited text)
    RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(CASE
        WHEN f.tb IS NULL AND f.ta IS NULL THEN NULL    -- not of one deal: see below
        WHEN f.b IS NULL THEN CASE
            WHEN NOT f.is_new THEN ARRAY[ARRAY['plan', 'counts by the plan now']]
            WHEN f.ta->>'source' = 'manual' AND gone IS NULL THEN ARRAY[ARRAY['manual', 'credit entered by hand']]
            WHEN f.ta->>'kind' <> 'direct' AND gone IS NULL AND came IS NULL THEN ARRAY[CASE WHEN f.ta->>'kind' LIKE 'roll%'
                THEN ARRAY['hierarchy', 'reporting line or seat changed'] ELSE ARRAY['rule', 'a rule credits you with it now'] END]
            WHEN gone IS NULL THEN ARRAY[ARRAY['late order', 'late order of ' || (f.ta->>'event_date')]]
            WHEN gone->>'owner_key' <> coalesce(came, f.ta)->>'owner_key' AND f.ta->>'kind' = 'direct' THEN ARRAY[CASE
                WHEN (f.ta->>'share')::numeric < 1 THEN ARRAY['split changed', 'your share is ' || (trim_scale(round(100 * (f.ta->>'share')::numeric, 4)) || ' %') || ' now']
                WHEN (gone->>'share')::numeric < 1 THEN ARRAY['split changed', 'no longer shared']
                ELSE ARRAY['owner changed', 'order moved from ' || coalesce(gone->>'name', gone->>'owner_key')] END]
            ELSE coalesce(spm.order_change(gone, coalesce(came, f.ta)), ARRAY[ARRAY['hierarchy', 'reporting line or seat changed']]) END
        WHEN f.a IS NULL THEN CASE
            WHEN NOT f.is_gone THEN ARRAY[ARRAY['plan', 'no longer counts by the plan']]
            WHEN f.tb->>'source' = 'manual' AND came IS NULL THEN ARRAY[ARRAY['manual', 'credit entered by hand was withdrawn']]
            WHEN f.tb->>'kind' <> 'direct' AND gone IS NULL AND came IS NULL THEN ARRAY[CASE WHEN f.tb->>'kind' LIKE 'roll%'
                THEN ARRAY['hierarchy', 'reporting line or seat changed'] ELSE ARRAY['rule', 'no rule credits you with it any more'] END]
            WHEN came IS NULL AND uncredited IS NOT NULL THEN ARRAY[ARRAY['seat', 'nobody is credited: ' || uncredited]]
            WHEN came IS NULL THEN ARRAY[ARRAY['order deleted', 'order deleted']]
            WHEN came->>'owner_key' <> coalesce(gone, f.tb)->>'owner_key' AND f.tb->>'kind' = 'direct' THEN ARRAY[CASE
                WHEN (came->>'share')::numeric < 1 THEN ARRAY['split changed', 'your share went to others']
                ELSE ARRAY['owner changed', 'order moved to ' || coalesce(came->>'name', came->>'owner_key')] END]
            ELSE coalesce(spm.order_change(coalesce(gone, f.tb), came), ARRAY[ARRAY['hierarchy', 'reporting line or seat changed']]) END
        END, w.changes,
        ARRAY[CASE WHEN f.ea->>'kind' = 'refund' OR f.eb->>'kind' = 'refund' THEN ARRAY['earlier deals', 'what the cancelled order had earned changed']
                   ELSE ARRAY['other', 'calculated anew'] END])
    FROM (SELECT earning_change.before AS b, earning_change.after AS a, nullif(earning_change.before->'credit', 'null') AS tb, nullif(earning_change.after->'credit', 'null') AS ta,
                 nullif(earning_change.before->'measurement', 'null') AS mb, nullif(earning_change.after->'measurement', 'null') AS ma,
                 earning_change.before->'earning' AS eb, earning_change.after->'earning' AS ea,
                 (earning_change.after->>'is_new')::boolean AS is_new, (earning_change.before->>'is_gone')::boolean AS is_gone) f
    CROSS JOIN LATERAL (
        SELECT CASE WHEN f.tb->'credit_id' IS DISTINCT FROM f.ta->'credit_id' THEN spm.order_change(f.tb, f.ta) END
               || array_agg(ARRAY[v.cause, v.words] ORDER BY v.nth) AS changes
        FROM (VALUES
            (1, 'exchange rate', CASE WHEN f.eb->'exchange_rate' <> f.ea->'exchange_rate' AND f.tb->'currency_code' = f.ta->'currency_code'
                THEN format('exchange rate changed from %s to %s', trim_scale((f.eb->>'exchange_rate')::numeric), trim_scale((f.ea->>'exchange_rate')::numeric)) END),
            (2, 'plan', CASE WHEN f.b->'version' <> f.a->'version' THEN format('version %s of the plan applies, not %s', f.a->>'version', f.b->>'version') END),
            (3, 'quota', CASE WHEN f.mb->'quota_amount' IS DISTINCT FROM f.ma->'quota_amount' AND f.mb IS NOT NULL AND f.ma IS NOT NULL
                THEN format('quota changed from %s to %s', coalesce(to_char((f.mb->>'quota_amount')::numeric, 'FM999,999,999,999,999,990.00'), 'none'), coalesce(to_char((f.ma->>'quota_amount')::numeric, 'FM999,999,999,999,999,990.00'), 'none')) END),
            (4, 'variable', CASE WHEN f.mb->'factor' <> f.ma->'factor' AND coalesce(f.mb->'because', '[]') = coalesce(f.ma->'because', '[]')
                THEN format('%s changed from %s to %s', CASE WHEN f.a->>'variable' IS NULL THEN 'factor' ELSE 'your ' || (f.a->>'variable') END,
                            trim_scale((f.mb->>'factor')::numeric), trim_scale((f.ma->>'factor')::numeric)) END),
            (5, 'result', (SELECT string_agg('now ' || n.word, ', ') FROM jsonb_array_elements_text(nullif(f.ma->'because', 'null')) n(word)
                           WHERE f.mb IS NOT NULL AND NOT coalesce(nullif(f.mb->'because', 'null'), '[]') ? n.word)),
            (6, 'result', CASE WHEN f.ta IS NULL AND f.tb IS NULL AND f.eb->'base_amount' <> f.ea->'base_amount'
                THEN format('result changed from %s to %s', trim_scale(round((f.eb->>'base_amount')::numeric, 6)), trim_scale(round((f.ea->>'base_amount')::numeric, 6))) END),
            (7, 'order changed', CASE WHEN f.tb->'credit_id' = f.ta->'credit_id' AND f.eb->'base_amount' <> f.ea->'base_amount' AND f.eb->'exchange_rate' = f.ea->'exchange_rate'
                    AND f.b->'version' = f.a->'version'
                THEN format('what counts of it changed from %s to %s', to_char((f.eb->>'base_amount')::numeric, 'FM999,999,999,999,999,990.00'), to_char((f.ea->>'base_amount')::numeric, 'FM999,999,999,999,999,990.00')) END),
            (8, 'earlier deals', CASE WHEN f.eb->'from_total' <> f.ea->'from_total'
                THEN format('other deals moved the total before it from %s to %s', to_char((f.eb->>'from_total')::numeric, 'FM999,999,999,999,999,990.00'), to_char((f.ea->>'from_total')::numeric, 'FM999,999,999,999,999,990.00')) END),
            (9, 'plan', CASE WHEN f.tb IS NULL AND f.ta IS NULL AND f.b IS NULL THEN 'counts by the plan now' END),
            (10, 'plan', CASE WHEN f.tb IS NULL AND f.ta IS NULL AND f.a IS NULL THEN 'no longer counts by the plan' END)) v(nth, cause, words)
        WHERE v.words IS NOT NULL) w
$$;
COMMENT ON FUNCTION spm.earning_change(jsonb, jsonb, jsonb, jsonb, text) IS 'Why an earning differs, as pairs of cause and words, weightiest first. before, after: spm.earning_fact() of it; gone, came: the direct credit of its order that was taken back and that is new.';

CREATE OR REPLACE VIEW spm.difference WITH (security_invoker = true) AS
WITH fact AS (
    -- what a posting takes back, and what it enters in its place
    SELECT e.posting_id, e.period_id, e.payee_id, e.component_id, e.position_id, e.credit_id, e.kind, e.amount,
           e.reverses_id IS NULL AS is_after, e.earning_id, e.reverses_id, coalesce(e.credit_period_id, e.period_id) AS credit_period_id
    FROM spm.earning e
    JOIN spm.posting o ON o.posting_id = e.posting_id
    WHERE e.period_id <> o.period_id OR EXISTS (SELECT FROM spm.posting b WHERE b.period_id = o.period_id AND b.posting_id < o.posting_id)
), item AS (
    SELECT f.posting_id, f.period_id, f.payee_id, v.plan_id, c.name AS component_name,
           CASE WHEN f.credit_id IS NULL THEN f.kind ELSE 'deal' END AS kind, t.source, t.transaction_key, t.line,
           min(c.component_no) AS component_no, max(t.event_date) AS event_date,
           coalesce(-sum(f.amount) FILTER (WHERE NOT f.is_after), 0) AS before_amount,
           coalesce(sum(f.amount) FILTER (WHERE f.is_after), 0) AS after_amount,
           min(f.reverses_id) AS before_id, min(f.earning_id) FILTER (WHERE f.is_after) AS after_id
    FROM fact f
    JOIN spm.component c ON c.component_id = f.component_id
    JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
    LEFT JOIN spm.credit t ON t.credit_id = f.credit_id AND t.period_id = f.credit_period_id
    GROUP BY f.posting_id, f.period_id, f.payee_id, v.plan_id, c.name, CASE WHEN f.credit_id IS NULL THEN f.kind ELSE 'deal' END,
             t.source, t.transaction_key, t.line
)
SELECT i.posting_id, i.period_id, i.payee_id, i.plan_id, i.component_no, i.component_name, i.kind, i.source, i.transaction_key, i.line, i.event_date,
       i.before_amount, i.after_amount, i.after_amount - i.before_amount AS amount,
       w.change[1][1] AS cause,
       (SELECT string_agg(w.change[n][2], '; ' ORDER BY n) FROM generate_subscripts(w.change, 1) n) AS reason
FROM item i
LEFT JOIN LATERAL (
    SELECT spm.earning_fact(e.component_id, to_jsonb(e), to_jsonb(t), to_jsonb(m)) || jsonb_build_object('is_gone', EXISTS (
               SELECT FROM spm.credit r WHERE r.reverses_id = e.credit_id AND r.period_id = coalesce(e.credit_period_id, e.period_id) AND r.posting_id = i.posting_id)) AS fact
    FROM spm.earning e
    LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = coalesce(e.credit_period_id, e.period_id)
    LEFT JOIN spm.measurement r ON r.posting_id = i.posting_id AND r.period_id = i.period_id AND r.reverses_id IS NOT NULL
        AND (r.component_id, r.position_id, r.payee_id) = (e.component_id, e.position_id, e.payee_id)
    LEFT JOIN spm.measurement m ON m.measurement_id = r.reverses_id
    WHERE e.earning_id = i.before_id AND e.period_id = i.period_id) b ON true
LEFT JOIN LATERAL (
    SELECT spm.earning_fact(e.component_id, to_jsonb(e), to_jsonb(t), to_jsonb(m)) || jsonb_build_object('is_new', t.posting_id = i.posting_id) AS fact
    FROM spm.earning e
    LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = coalesce(e.credit_period_id, e.period_id)
    LEFT JOIN spm.measurement m ON m.posting_id = i.posting_id AND m.period_id = i.period_id AND m.reverses_id IS NULL
        AND (m.component_id, m.position_id, m.payee_id) = (e.component_id, e.position_id, e.payee_id)
    WHERE e.earning_id = i.after_id AND e.period_id = i.period_id) a ON true
-- of an order that came or went: what it was, what it is, whoever is credited
LEFT JOIN LATERAL (
    SELECT to_jsonb(c) || jsonb_build_object('name', y.name) AS credit
    FROM spm.credit r JOIN spm.credit c ON c.credit_id = r.reverses_id AND c.period_id = r.period_id LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
    WHERE r.posting_id = i.posting_id AND (r.transaction_key, r.source, r.line) = (i.transaction_key, i.source, i.line) AND r.kind = 'direct'
    ORDER BY c.payee_id IS DISTINCT FROM i.payee_id, c.credit_id LIMIT 1) g ON i.before_id IS NULL OR i.after_id IS NULL
LEFT JOIN LATERAL (
    SELECT to_jsonb(c) || jsonb_build_object('name', y.name) AS credit
    FROM spm.credit c LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
    WHERE c.posting_id = i.posting_id AND (c.transaction_key, c.source, c.line) = (i.transaction_key, i.source, i.line) AND c.kind = 'direct'
      AND c.reverses_id IS NULL
    ORDER BY c.payee_id IS DISTINCT FROM i.payee_id, c.credit_id LIMIT 1) n ON i.before_id IS NULL OR i.after_id IS NULL
LEFT JOIN LATERAL (
    SELECT u.reason FROM spm.uncredited u
    WHERE (u.period_id, u.source, u.transaction_key, u.line) = (i.period_id, i.source, i.transaction_key, i.line) LIMIT 1) u ON i.after_id IS NULL
CROSS JOIN LATERAL (SELECT spm.earning_change(b.fact, a.fact, g.credit, n.credit, u.reason) AS change OFFSET 0) w    -- once, not wherever it is used
WHERE i.after_amount <> i.before_amount;
COMMENT ON VIEW spm.difference IS 'One row per posting, period of earning, payee, component and deal: what a posting pays more or less than was posted before, and why. Adds up to the differences paid.';
COMMENT ON COLUMN spm.difference.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.difference.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.difference.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.difference.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.difference.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm.difference.component_name IS 'Component; the same name in another version of the plan is the same here.';
COMMENT ON COLUMN spm.difference.kind IS 'deal, or the kind of an earning that is not of a single deal.';
COMMENT ON COLUMN spm.difference.source IS 'Source of the transaction. NULL: not of a single deal.';
COMMENT ON COLUMN spm.difference.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.difference.line IS 'Its line.';
COMMENT ON COLUMN spm.difference.event_date IS 'Its date.';
COMMENT ON COLUMN spm.difference.before_amount IS 'What had been posted.';
COMMENT ON COLUMN spm.difference.after_amount IS 'What it is now.';
COMMENT ON COLUMN spm.difference.amount IS 'The difference.';
COMMENT ON COLUMN spm.difference.cause IS 'late order, order changed, order deleted, owner changed, split changed, hierarchy, seat, exchange rate, plan, quota, variable, result, rule, manual, earlier deals; the weightiest when there are several.';
COMMENT ON COLUMN spm.difference.reason IS 'All of them in words.';

CREATE OR REPLACE VIEW spm_bi.difference WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start, o.state = 'posted' AS is_posted,
       d.period_id, p.name AS period_name, d.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, d.component_no, d.component_name,
       d.kind AS earning_kind, d.source, d.transaction_key, d.line, d.event_date,
       d.before_amount::numeric(20,4) AS before_amount, d.after_amount::numeric(20,4) AS after_amount, d.amount::numeric(20,4) AS difference_amount,
       n.currency_code, d.cause, d.reason
FROM spm.difference d
JOIN spm.posting o ON o.posting_id = d.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = d.period_id
JOIN spm.payee y ON y.payee_id = d.payee_id
JOIN spm.plan n ON n.plan_id = d.plan_id;
COMMENT ON VIEW spm_bi.difference IS 'One row per paying period, payee, period of earning, component and deal: what is paid more or less than was posted before, and why.';
COMMENT ON COLUMN spm_bi.difference.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.difference.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.difference.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.difference.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.difference.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.difference.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.difference.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.difference.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.difference.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.difference.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.difference.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.difference.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.difference.earning_kind IS 'deal, or the kind of an earning that is not of a single deal.';
COMMENT ON COLUMN spm_bi.difference.source IS 'Source of the transaction. NULL: not of a single deal.';
COMMENT ON COLUMN spm_bi.difference.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.difference.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.difference.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.difference.before_amount IS 'What had been posted. Additive within a currency.';
COMMENT ON COLUMN spm_bi.difference.after_amount IS 'What it is now. Additive within a currency.';
COMMENT ON COLUMN spm_bi.difference.difference_amount IS 'What is paid more or less. Additive within a currency; adds up to the differences in spm_bi.payout.';
COMMENT ON COLUMN spm_bi.difference.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.difference.cause IS 'Weightiest cause: late order, order changed, order deleted, owner changed, split changed, hierarchy, seat, exchange rate, plan, quota, variable, result, rule, manual, earlier deals.';
COMMENT ON COLUMN spm_bi.difference.reason IS 'All causes in words.';
