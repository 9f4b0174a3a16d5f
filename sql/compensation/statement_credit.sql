/*
 * compensation/statement_credit.sql: who could have been credited, and why not.
 */

CREATE OR REPLACE FUNCTION spm.credit_candidates(source text, transaction_key text, line text DEFAULT NULL)
    RETURNS TABLE (way text, name text, payee_key text, position_name text, event text, event_date date, transaction_line text, share numeric,
                   credited_amount numeric, is_credited boolean, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    relation text := spm._transaction_relation();
    chosen text := format('t.source = %L AND t.transaction_key = %L', credit_candidates.source, credit_candidates.transaction_key);
    -- rules judge the order that a transaction takes back
    judging text := CASE WHEN EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key') THEN format($sql$(
        SELECT DISTINCT ON (t.line) t.line AS of_line, t.event_date AS on_day, o.*
        FROM %1$s t JOIN %1$s o ON o.source = t.source AND (o.transaction_key = t.reference_key OR o.transaction_key = t.transaction_key AND o.line = t.line)
        WHERE %2$s ORDER BY t.line, o.transaction_key = t.transaction_key, o.line <> t.line, o.line COLLATE "C")$sql$, relation, chosen)
        ELSE format('(SELECT t.line AS of_line, t.event_date AS on_day, t.* FROM %s t WHERE %s)', relation, chosen) END;
    known boolean;
    manual spm.manual_credit;
    rules text;
    components text;
    territories text;
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    IF credit_candidates.source = 'manual' THEN
        SELECT m.* INTO manual FROM spm.manual_credit m WHERE 'M-' || m.manual_credit_id = credit_candidates.transaction_key;
        known := FOUND;
    ELSE
        EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE %s)', relation, chosen) INTO known;
    END IF;
    IF NOT known THEN
        RAISE EXCEPTION 'transaction %/% does not exist', credit_candidates.source, credit_candidates.transaction_key
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('Sources are: ' || (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.source s)
                                  || '. A row that the filter of spm.map_source() leaves out is no transaction.', 'SELECT spm.map_source(...);');
    END IF;

    SELECT string_agg(format(E'SELECT t.of_line AS line, %s AS credit_rule_id, t.event_date <@ %L::daterange AS is_in_time, coalesce((%s), false) AS is_met FROM %s t',
                             r.credit_rule_id, r.span, r.condition, judging), E'\nUNION ALL ' ORDER BY r.credit_rule_id) INTO rules FROM spm.credit_rule r;
    SELECT string_agg(format(E'SELECT t.claim_no, %s AS component_id, %s AS is_eligible FROM claim t JOIN spm.plan_seat(%s, %L) s
            ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans WHERE t.reason IS NULL',
                             c.component_id, coalesce('coalesce((' || c.eligibility_expression || '), false)', 'true'), v.plan_id, v.span),
                      E'\nUNION ALL ' ORDER BY c.component_id) INTO components
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) WHERE v.state <> 'draft' AND c.basis = 'credit';
    IF to_regclass('spm.territory_claim') IS NOT NULL THEN
        SELECT string_agg(format('SELECT t.of_line AS line, %L::text AS territory, (%s)::text AS match_key, t.on_day AS event_date FROM %s t',
                                 s.name, s.match_expression, judging), E'\nUNION ALL ' ORDER BY s.territory_source_id) INTO territories FROM spm.territory_source s;
    END IF;

    RETURN QUERY EXECUTE format($sql$
WITH claimed AS (%1$s),
claim AS (
    SELECT c.*, row_number() OVER () AS claim_no FROM claimed c
), judged AS (      -- what each rule says of each line
    SELECT u.line, r.credit_rule_id, r.name, r.kind, u.is_in_time, u.is_met, p.place, p.condition, r.span
    FROM (%2$s) u JOIN spm.credit_rule r USING (credit_rule_id) LEFT JOIN spm._share_rule() p USING (credit_rule_id)
), winner AS (
    SELECT DISTINCT ON (j.line) j.* FROM judged j WHERE j.kind = 'share' AND j.is_in_time AND j.is_met ORDER BY j.line, j.place
), line AS (        -- what decides about each
    SELECT t.line, t.event_date, t.owner_key, w.credit_rule_id, w.name AS rule_name,
           EXISTS (SELECT FROM spm.transaction_split s WHERE s.source = t.source
               AND s.transaction_key IN (t.transaction_key, t.reference_key) AND coalesce(s.line, t.line) = t.line AND s.share <> 0) AS is_split
    FROM %3$s t LEFT JOIN winner w USING (line) WHERE %4$s
), element AS (     -- what pays at the seats credited
    SELECT u.claim_no, u.is_eligible, k.*, p.name AS plan_name, bool_or(k.credit_kind IN (c.kind, 'all')) OVER (PARTITION BY u.claim_no) AS is_taken
    FROM (%6$s) u JOIN claim c USING (claim_no) JOIN spm.component k USING (component_id)
    JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
), answer AS (
    SELECT 1 AS place, CASE WHEN c.kind <> 'direct' THEN c.kind WHEN c.source = 'manual' THEN 'manual' WHEN l.is_split THEN 'split' WHEN l.credit_rule_id IS NOT NULL THEN 'rule' ELSE 'owner' END AS way,
           CASE WHEN c.kind <> 'direct' THEN c.rule WHEN NOT l.is_split THEN l.rule_name END AS name, nullif(c.owner_key, '') AS payee_key, s.name AS position_name,
           c.event, c.event_date, c.line, c.share * c.factor AS share,
           CASE WHEN c.reason IS NULL THEN spm._credited(c.amount, c.shares, c.share_no, c.factor, c.part_no, c.part_count, coalesce(k.minor_digits, 2)) END AS credited_amount,
           c.reason IS NULL AS is_credited, coalesce(c.reason, CASE WHEN c.part_count > 1 THEN format('part %%s of %%s', c.part_no, c.part_count)
               WHEN c.kind = 'direct' AND c.share = 1 THEN 'all of it' ELSE format('%%s %%%% of it', trim_scale(100 * c.share * c.factor)) END) AS because
    FROM claim c LEFT JOIN line l USING (line) LEFT JOIN spm.position s USING (position_id) LEFT JOIN spm.currency k USING (currency_code)
    UNION ALL
    SELECT 2, CASE j.kind WHEN 'share' THEN 'rule' ELSE j.kind END, j.name, y.payee_key, NULL, 'booking', l.event_date, j.line, m.share, NULL, false,
           CASE WHEN NOT j.is_in_time THEN format('it holds for %%s', j.span)
                WHEN NOT j.is_met THEN format('its condition is false: %%s', (SELECT r.condition FROM spm.credit_rule r WHERE r.credit_rule_id = j.credit_rule_id))
                WHEN j.kind <> 'share' THEN 'nobody in the team held a seat on that day'
                WHEN l.is_split THEN 'shares given by the source go before rules'
                ELSE format('rule "%%s" goes before it', l.rule_name) END
    FROM judged j JOIN line l USING (line)
    LEFT JOIN spm.credit_rule_share m ON m.credit_rule_id = j.credit_rule_id LEFT JOIN spm.payee y ON y.payee_id = m.payee_id
    WHERE NOT (j.is_in_time AND j.is_met) OR j.kind = 'share' AND (l.is_split OR j.credit_rule_id <> l.credit_rule_id)
       OR j.kind = 'team' AND NOT EXISTS (SELECT FROM claim c WHERE c.kind = 'team' AND c.rule = j.name AND c.line = j.line)
    UNION ALL
    SELECT 3, 'owner', NULL, l.owner_key, NULL, 'booking', l.event_date, l.line, NULL, NULL, false,
           CASE WHEN l.is_split THEN 'shares given by the source go before the owner' ELSE format('rule "%%s" goes before the owner', l.rule_name) END
    FROM line l WHERE l.is_split OR l.credit_rule_id IS NOT NULL
    UNION ALL
    SELECT 4, 'territory', u.territory, NULL, NULL, 'booking', u.event_date, u.line, NULL, NULL, false,
           CASE WHEN u.match_key IS NULL THEN 'the transaction has nothing to look for' ELSE format('nobody holds "%%s" on that day', u.match_key) END
    FROM (%5$s) u WHERE NOT EXISTS (SELECT FROM claim c WHERE c.kind = 'territory' AND c.rule = u.territory AND c.line = u.line AND c.event = 'booking')
    UNION ALL           -- up the tree
    SELECT 5, 'rollup', NULL, y.payee_key, s.name, c.event, c.event_date, c.line, c.share * coalesce(f.factor, 1), NULL,
           g.position_id IS NOT NULL AND coalesce(f.factor, 1) > 0,
           concat(format('%%s level(s) up', h.depth), CASE WHEN a.payee_id IS NULL THEN ': nobody held the position' WHEN g.position_id IS NULL THEN ': no plan there takes rollup'
               WHEN f.factor IS NOT NULL THEN format(', times %%s', trim_scale(f.factor)) END)
    FROM claim c
    JOIN spm.position_path h ON h.position_id = c.position_id AND c.event_date <@ h.span
    JOIN spm.position s ON s.position_id = h.ancestor_position_id
    LEFT JOIN spm.position_assignment a ON a.position_id = s.position_id AND c.event_date <@ a.span
    LEFT JOIN spm.payee y ON y.payee_id = a.payee_id
    LEFT JOIN LATERAL (SELECT t.position_id FROM spm.calendar k CROSS JOIN LATERAL spm._taking_seat(k.calendar_id, 'rollup') t
                       WHERE t.position_id = s.position_id AND t.payee_id = a.payee_id AND c.event_date <@ t.spans LIMIT 1) g ON true
    LEFT JOIN LATERAL (SELECT r.factor FROM spm.rollup_factor r
        WHERE r.level IN (0, h.depth) AND c.event_date <@ r.span
          AND (r.position_id = s.position_id OR r.title_id = s.title_id OR num_nonnulls(r.position_id, r.title_id) = 0)
        ORDER BY r.position_id IS NULL, r.title_id IS NULL, r.level DESC LIMIT 1) f ON true
    WHERE c.kind = 'direct' AND c.reason IS NULL
    UNION ALL           -- what pays for it
    SELECT 6, 'component', coalesce(k.plan_name || ': ' || k.name, 'no plan'), c.owner_key, s.name, c.event, c.event_date, c.line, c.share * c.factor, NULL,
           coalesce(k.credit_kind IN (c.kind, 'all') AND k.event = c.event AND k.is_eligible, false),
           CASE WHEN k.component_id IS NULL THEN 'the seat was on no published plan that pays by credits on that day'
                WHEN k.credit_kind NOT IN (c.kind, 'all') THEN format('it takes %%s credits, this is %%s', k.credit_kind, c.kind)
                WHEN k.event <> c.event THEN format('it pays by %%s, this is %%s', k.event, c.event)
                WHEN k.refund <> 'running' AND c.reference_key IS NOT NULL THEN format('it takes back what %%s earned', c.reference_key)
                WHEN NOT k.is_eligible THEN format('its condition is false: %%s', k.eligibility_expression)
                ELSE 'it counts' END
    FROM claim c
    JOIN spm.position s USING (position_id)
    LEFT JOIN element k ON k.claim_no = c.claim_no AND (k.credit_kind IN (c.kind, 'all') OR NOT k.is_taken)
    WHERE c.reason IS NULL
)
SELECT a.way, a.name, a.payee_key, a.position_name, a.event, a.event_date, a.line, trim_scale(a.share), a.credited_amount, a.is_credited, a.because
FROM answer a
WHERE $1 IS NULL OR a.line = $1
ORDER BY a.place = 6, a.line COLLATE "C", a.event <> 'booking', a.event_date, a.place, NOT a.is_credited, a.way, a.name COLLATE "C", a.payee_key COLLATE "C", a.share, a.because
$sql$, spm._claim_sql('[0001-01-01,9999-12-31)', (SELECT array_agg(DISTINCT u.event) FROM (SELECT 'booking' AS event UNION ALL SELECT e.kind FROM spm.event_source e) u), chosen),
        coalesce(rules, 'SELECT ''''::text AS line, 0 AS credit_rule_id, false AS is_in_time, false AS is_met WHERE false'), relation, chosen,
        coalesce(territories, 'SELECT ''''::text AS line, ''''::text AS territory, ''''::text AS match_key, NULL::date AS event_date WHERE false'),
        coalesce(components, 'SELECT 0::bigint AS claim_no, 0 AS component_id, false AS is_eligible WHERE false'))
    USING credit_candidates.line;
    IF manual.manual_credit_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.manual_credit_decision d WHERE d.manual_credit_id = manual.manual_credit_id AND d.decision = 'approved'
          AND NOT EXISTS (SELECT FROM spm.manual_credit_decision w WHERE w.manual_credit_id = d.manual_credit_id AND w.decision = 'withdrawn')) THEN
        RETURN QUERY SELECT 'manual', NULL::text, y.payee_key, NULL::text, manual.event, manual.event_date, '', NULL::numeric, NULL::numeric, false,
            CASE WHEN EXISTS (SELECT FROM spm.manual_credit_decision w WHERE w.manual_credit_id = manual.manual_credit_id AND w.decision = 'withdrawn')
                 THEN 'it is withdrawn' ELSE 'nobody has approved it yet' END
        FROM spm.payee y WHERE y.payee_id = manual.payee_id;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.credit_candidates(text, text, text) IS
'Who could have been credited with a transaction and why not, as it is in the warehouse now: who is credited; then every rule, split and owner that is not, with the first reason; who is above; and each component of their plans, whether it counts there and why not. So it also answers why an order paid nobody.
source, transaction_key: of the transaction. line: only that line; NULL: all.
way: split, rule, owner, manual, overlay, team, territory, rollup or component; name: of the rule, territory or component; share: as a ratio; credited_amount: in the currency of the transaction; is_credited: whether it won, or counts.
Errors: 42704 for a transaction that is not there, 55000 when no source is mapped, those of a calculation for a row that cannot be used.
Example: SELECT way, name, payee_key, is_credited, because FROM spm.credit_candidates(''orders'', ''D-1007'');';
