/*
 * compensation/stages_credit.sql: transaction -> credit.  Who is credited with
 * each transaction, where that payee sits, and who above or below is, too.
 */

CREATE OR REPLACE FUNCTION spm._transaction_relation(is_keyed boolean DEFAULT false)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- a view that an earlier version made lacks what nobody had mapped then
    SELECT CASE WHEN _transaction_relation.is_keyed THEN spm._keyed_sql('transaction') WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('spm.transaction') AND a.attname = 'reference_key')
        THEN 'spm.transaction' ELSE '(SELECT x.*, NULL::text AS reference_key FROM spm.transaction x)' END
$$;
COMMENT ON FUNCTION spm._transaction_relation(boolean) IS 'What to read transactions from. is_keyed: only those whose keys are in pg_temp.spm_key.';
REVOKE ALL ON FUNCTION spm._transaction_relation(boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._shared(value numeric, shares numeric[], share_no int, factor numeric, digits int)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _shared.factor = 1 THEN (spm.split(_shared.value, coalesce(_shared.shares, '{1}'), _shared.digits))[coalesce(_shared.share_no, 1)]
                ELSE spm.rounded((spm.split(_shared.value, coalesce(_shared.shares, '{1}'), _shared.digits))[coalesce(_shared.share_no, 1)] * _shared.factor, _shared.digits) END;
END;
COMMENT ON FUNCTION spm._shared(numeric, numeric[], int, numeric, int) IS 'A share of a value, times a factor.';
REVOKE ALL ON FUNCTION spm._shared(numeric, numeric[], int, numeric, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credited(value numeric, shares numeric[], share_no int, factor numeric, part_no int, part_count int, digits int)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _credited.part_count = 1 THEN spm._shared(_credited.value, _credited.shares, _credited.share_no, _credited.factor, _credited.digits)
                ELSE (spm.split(spm._shared(_credited.value, _credited.shares, _credited.share_no, _credited.factor, _credited.digits),
                                array_fill(1::numeric, ARRAY[_credited.part_count]), _credited.digits))[_credited.part_no] END;
END;
COMMENT ON FUNCTION spm._credited(numeric, numeric[], int, numeric, int, int, int) IS 'What of a value is credited: its share, times the factor, in equal parts; each apportioned so that parts add up.';
REVOKE ALL ON FUNCTION spm._credited(numeric, numeric[], int, numeric, int, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credited_sql(value text, digits text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- most credits are of all of it, or of a share
    SELECT format('CASE WHEN t.factor = 1 AND t.part_count = 1 THEN CASE WHEN t.shares IS NULL THEN %1$s ELSE (spm.split(%1$s, t.shares, %2$s))[t.share_no] END
                ELSE spm._credited(%1$s, t.shares, t.share_no, t.factor, t.part_no, t.part_count, %2$s) END', _credited_sql.value, _credited_sql.digits)
$$;
COMMENT ON FUNCTION spm._credited_sql(text, text) IS 'SQL of what credit t counts of a value.';
REVOKE ALL ON FUNCTION spm._credited_sql(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_condition(component_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s AND t.event = %L', CASE c.credit_kind WHEN 'all' THEN 'true' ELSE format('t.kind = %L', c.credit_kind) END, c.event)
        -- what takes back an original is not part of the running total
        || CASE WHEN c.refund <> 'running' THEN ' AND t.reference_key IS NULL' ELSE '' END
    FROM spm.component c WHERE c.component_id = _credit_condition.component_id
$$;
COMMENT ON FUNCTION spm._credit_condition(int) IS 'SQL condition that credit t is one that a component takes into its total.';
REVOKE ALL ON FUNCTION spm._credit_condition(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._portion(value numeric, fixed numeric, whole numeric, of_all numeric, all_amount numeric,
                                        of_line numeric, line_amount numeric, digits int)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(_portion.value * _portion.fixed,
        round(_portion.value * _portion.whole + coalesce(_portion.value * _portion.of_all / nullif(_portion.all_amount, 0), 0)
              + coalesce(_portion.value * _portion.of_line / nullif(_portion.line_amount, 0), 0), _portion.digits));
END;
COMMENT ON FUNCTION spm._portion(numeric, numeric, numeric, numeric, numeric, numeric, numeric, int) IS
'What of a value is reached: a fixed ratio, or that of milestones as ratios, of the amount of all lines, and of the line, rounded.';
REVOKE ALL ON FUNCTION spm._portion(numeric, numeric, numeric, numeric, numeric, numeric, numeric, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._judged_sql(columns text, condition text, is_keyed boolean DEFAULT false)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- what takes an order back goes by the rules that hold for the order: of its line, or the first one
    SELECT CASE WHEN EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key')
                 AND EXISTS (SELECT FROM spm.credit_rule UNION ALL SELECT FROM spm.territory_source) THEN format($sql$(
    SELECT t.*, CASE WHEN x.line IS NULL THEN j.credit_rule_id ELSE x.credit_rule_id END AS credit_rule_id,
           CASE WHEN x.line IS NULL THEN j.extra_rules ELSE x.extra_rules END AS extra_rules,
           CASE WHEN x.line IS NULL THEN j.territory_keys ELSE x.territory_keys END AS territory_keys
    FROM %1$s t
    CROSS JOIN LATERAL (SELECT %2$s) j
    LEFT JOIN (
        SELECT DISTINCT ON (r.source, r.transaction_key, r.line) r.source, r.transaction_key, r.line, o.credit_rule_id, o.extra_rules, o.territory_keys
        FROM (SELECT t.source, t.transaction_key, t.line, t.reference_key FROM %1$s t WHERE t.reference_key IS NOT NULL AND %3$s) r
        JOIN (SELECT t.source, t.transaction_key, t.line, %2$s FROM %1$s t) o ON o.source = r.source AND o.transaction_key = r.reference_key
        ORDER BY r.source, r.transaction_key, r.line, o.line <> r.line, o.line COLLATE "C") x
        ON x.source = t.source AND x.transaction_key = t.transaction_key AND x.line = t.line
    WHERE %3$s)$sql$, spm._transaction_relation(_judged_sql.is_keyed), _judged_sql.columns, _judged_sql.condition)
    ELSE format('(SELECT t.*, %s FROM %s t WHERE %s)', _judged_sql.columns, spm._transaction_relation(_judged_sql.is_keyed), _judged_sql.condition) END
$$;
COMMENT ON FUNCTION spm._judged_sql(text, text, boolean) IS 'SQL of the transactions that meet a condition, with the rules that hold for each: its own, or those of the order that it takes back.';
REVOKE ALL ON FUNCTION spm._judged_sql(text, text, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._milestone_sql(days daterange, events text[], columns text, condition text, is_keyed boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    -- what is reached by now less what was reached before: so that parts add up to the whole
    parts text := (
        SELECT string_agg(format('spm._portion(o.%1$s, s.fixed, s.whole, s.of_all, s.all_amount, s.of_line, s.amount, %2$s)
           - coalesce(spm._portion(o.%1$s, s.fixed_before, s.whole_before, s.of_all_before, s.all_amount, s.of_line_before, s.amount, %2$s), 0) AS %1$s',
           n.name, n.digits), E',\n           ' ORDER BY n.place)
        FROM (VALUES (1, 'quantity', '6'), (2, 'amount', 'o.digits'), (3, 'cost', 'o.digits'), (4, 'list_amount', 'o.digits')) n (place, name, digits));
BEGIN
    RETURN format($sql$
milestone AS (     -- of transactions that have one in these days
    SELECT e.source, e.transaction_key, e.line, e.kind, e.event_date, g.credited, g.over, g.tolerance,
           CASE WHEN e.amount IS NULL THEN 1 WHEN g.amount_unit = 'money' THEN 0 ELSE e.amount END AS whole,
           CASE WHEN g.amount_unit = 'money' THEN coalesce(e.amount, 0) ELSE 0 END AS money
    FROM %6$s e
    JOIN spm.source n ON n.name = e.source
    JOIN spm.event_source g ON g.source_id = n.source_id AND g.kind = e.kind
    WHERE e.kind = ANY (%1$L::text[]) AND e.event_date < %3$L AND (e.source, e.transaction_key) IN (
        SELECT i.source, i.transaction_key FROM %6$s i
        WHERE i.kind = ANY (%1$L::text[]) AND i.event_date >= %2$L AND i.event_date < %3$L)
), ordered AS (
    SELECT t.*, sum(t.amount) OVER (PARTITION BY t.source, t.transaction_key) AS all_amount, coalesce(k.minor_digits, 2) AS digits
    FROM %4$s t LEFT JOIN spm.currency k USING (currency_code)
), reached AS (    -- how much of each line is reached by which day
    SELECT o.source, o.transaction_key, o.line, m.kind, m.event_date, m.credited, m.over, m.tolerance, o.all_amount, o.amount,
           sum(sum(m.whole + CASE WHEN m.money <> 0 AND CASE WHEN m.line IS NULL THEN o.all_amount ELSE o.amount END = 0 THEN 1 ELSE 0 END)) OVER u AS whole,
           sum(sum(CASE WHEN m.line IS NULL THEN m.money ELSE 0 END)) OVER u AS of_all,
           sum(sum(CASE WHEN m.line IS NULL THEN 0 ELSE m.money END)) OVER u AS of_line
    FROM ordered o
    JOIN milestone m ON m.source = o.source AND m.transaction_key = o.transaction_key AND coalesce(m.line, o.line) = o.line
    GROUP BY o.source, o.transaction_key, o.line, m.kind, m.event_date, m.credited, m.over, m.tolerance, o.all_amount, o.amount
    WINDOW u AS (PARTITION BY o.source, o.transaction_key, o.line, m.kind ORDER BY m.event_date)
), judged AS (
    SELECT r.*, i.ratio, CASE
               WHEN r.credited = 'first' THEN CASE WHEN i.ratio > 0 THEN 1 ELSE 0 END
               WHEN r.credited = 'full' THEN CASE WHEN i.ratio >= 1 - r.tolerance THEN 1 ELSE 0 END
               WHEN i.ratio >= 1 - r.tolerance AND (i.ratio <= 1 OR r.over = 'capped') THEN 1
               WHEN i.ratio <= 0 AND r.over = 'capped' THEN 0 END::numeric AS fixed
    FROM reached r
    CROSS JOIN LATERAL (SELECT r.whole + coalesce(r.of_all / nullif(r.all_amount, 0), 0) + coalesce(r.of_line / nullif(r.amount, 0), 0) AS ratio) i
), step AS (
    SELECT j.*, coalesce(j.fixed, j.ratio) AS now, coalesce(lag(coalesce(j.fixed, j.ratio)) OVER w, 0) AS before,
           lag(j.fixed) OVER w AS fixed_before, lag(j.whole) OVER w AS whole_before, lag(j.of_all) OVER w AS of_all_before, lag(j.of_line) OVER w AS of_line_before
    FROM judged j
    WINDOW w AS (PARTITION BY j.source, j.transaction_key, j.line, j.kind ORDER BY j.event_date)
), happened AS (
    SELECT o.source, o.transaction_key, o.line, s.event_date, o.type, o.owner_key, o.account_key, o.product_key,
           %5$s,
           o.currency_code, o.attributes, o.reference_key, s.kind AS event, o.credit_rule_id, o.extra_rules, o.territory_keys
    FROM step s JOIN ordered o USING (source, transaction_key, line)
    WHERE s.now <> s.before AND s.event_date >= %2$L AND s.event_date < %3$L
)$sql$, _milestone_sql.events, lower(_milestone_sql.days), upper(_milestone_sql.days),
        spm._judged_sql(_milestone_sql.columns,
            format('(t.source, t.transaction_key) IN (SELECT m.source, m.transaction_key FROM milestone m) AND (%s)', _milestone_sql.condition), _milestone_sql.is_keyed), parts,
        CASE WHEN _milestone_sql.is_keyed THEN spm._keyed_sql('event') ELSE 'spm.transaction_event' END);
END
$$;
COMMENT ON FUNCTION spm._milestone_sql(daterange, text[], text, text, boolean) IS 'SQL of the parts of transactions that milestones of some days credit: common table expressions, the last one named happened.';
REVOKE ALL ON FUNCTION spm._milestone_sql(daterange, text[], text, text, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._territory_owner(territory text, match_key text, day date)
    RETURNS TABLE (territory text, match_key text, owner_key text, share numeric, position_id int)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.name, _territory_owner.match_key, coalesce(h.payee_key, ''), coalesce(h.share, 1), h.position_id
    FROM spm.territory_source s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.relation_name = 'territory_rule' THEN _territory_owner.match_key::int END AS territory_id
        UNION ALL
        SELECT a.territory_id FROM spm.territory_assignment a
        WHERE s.relation_name = 'territory_assignment' AND a.territory_model_id = s.territory_model_id AND a.type = s.territory_type
          AND a.account_key = _territory_owner.match_key AND _territory_owner.day <@ a.span) x
    CROSS JOIN LATERAL (SELECT o.* FROM spm.territory_held o WHERE o.territory_id = x.territory_id AND _territory_owner.day <@ o.span OFFSET 0) h
    WHERE s.name = _territory_owner.territory AND s.territory_model_id IS NOT NULL AND h.type = s.territory_type;
END;
COMMENT ON FUNCTION spm._territory_owner(text, text, date) IS 'What the view spm.territory_claim says of one key and day, of a mapping by spm.credit_territories().';
REVOKE ALL ON FUNCTION spm._territory_owner(text, text, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._claim_sql(days daterange, events text[], condition text DEFAULT 'true', is_keyed boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    rules text;
    extras text;
    territories text;
    territory_names text[];
    columns text;
    sql text;
    shares constant text := CASE WHEN is_keyed THEN spm._keyed_sql('split') ELSE 'spm.transaction_split' END;
    -- an order that is taken back may be of any day
    is_any_day boolean := events <> '{booking}' OR EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key');
    is_shared boolean;
    is_divided constant boolean := EXISTS (SELECT FROM spm.territory_source s JOIN spm.territory t USING (territory_model_id)
                                           JOIN spm.territory_holder h USING (territory_id) WHERE h.role = 'owner' AND h.share <> 1);
    whole constant text := format('(c.territory = ANY (%L) AND c.owner_key <> '''' AND sum(c.share) FILTER (WHERE c.owner_key <> '''') OVER w = 1 AND c.share < 1)',
        ARRAY(SELECT s.name FROM spm.territory_source s WHERE s.territory_model_id IS NOT NULL ORDER BY s.name));
    place constant text := 'LEFT JOIN spm.position_assignment seat ON seat.payee_id = y.payee_id AND seat.is_primary AND t.event_date <@ seat.span';
    fields constant text := 't.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity, t.amount,
       t.cost, t.list_amount, t.currency_code, t.attributes, t.reference_key, t.event';
BEGIN
    SELECT string_agg(format(E'\n               WHEN t.event_date <@ %L::daterange AND (%s) THEN %s', r.span, r.condition, r.credit_rule_id),
                      '' ORDER BY r.place) INTO rules
    FROM spm._share_rule() r WHERE is_any_day OR r.span && days;
    is_shared := rules IS NOT NULL OR EXISTS (SELECT FROM spm.split_source);
    SELECT string_agg(format('CASE WHEN t.event_date <@ %L::daterange AND (%s) THEN %s END', r.span, r.condition, r.credit_rule_id),
                      E',\n               ' ORDER BY r.credit_rule_id) INTO extras
    FROM spm.credit_rule r WHERE r.kind <> 'share' AND (is_any_day OR r.span && days);
    IF to_regclass('spm.territory_claim') IS NOT NULL THEN
        SELECT string_agg(format('(%s)::text', s.match_expression), ', ' ORDER BY s.territory_source_id), array_agg(s.name ORDER BY s.territory_source_id)
        INTO territories, territory_names FROM spm.territory_source s;
    END IF;
    -- rules judge the transaction as it was booked, also when a milestone credits a part of it
    columns := format('%s AS credit_rule_id, %s AS extra_rules, %s AS territory_keys', coalesce('CASE' || rules || E'\n          END', 'NULL::int'),
        coalesce('ARRAY[' || extras || ']', 'NULL::int[]'), coalesce('ARRAY[' || territories || ']', 'NULL::text[]'));

    sql := format($sql$
WITH %1$s%7$sbooked AS (
    SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.owner_key, t.account_key, t.product_key, t.quantity, t.amount, t.cost,
           t.list_amount, t.currency_code, t.attributes, t.reference_key, 'booking' AS event, t.credit_rule_id, t.extra_rules, t.territory_keys
    FROM %2$s t%3$s%4$s
)
SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity,
       CASE WHEN t.transaction_key IS NULL OR t.type IS NULL OR t.currency_code IS NULL OR t.amount IS NULL
                 OR t.amount = 'NaN' OR abs(t.amount) >= 1e15
            THEN spm._refuse(format('transaction %%s/%%s has no usable %%s', t.source, coalesce(t.transaction_key, '(no key)'),
                     CASE WHEN t.transaction_key IS NULL THEN 'key' WHEN t.type IS NULL THEN 'type'
                          WHEN t.currency_code IS NULL THEN 'currency' ELSE 'amount' END),
                 format('Line "%%s" of %%s.', t.line, t.event_date),
                 'Repair the row, or leave it out with the filter of spm.map_source().')
%8$s            ELSE t.amount END AS amount,
       t.cost, t.list_amount, t.currency_code, t.attributes, t.reference_key, t.event, 'direct' AS kind, '' AS rule,
%9$s       y.payee_id, seat.position_id,
       CASE WHEN %10$s.owner_key IS NULL THEN 'it has no owner'
            WHEN y.payee_id IS NULL THEN 'its owner is not a payee'
            WHEN seat.position_id IS NULL THEN 'its owner held no position on that day' END AS reason
FROM booked t
%6$sLEFT JOIN spm.payee y ON y.payee_key = %10$s.owner_key
%5$s$sql$,
        CASE WHEN events <> '{booking}' AND to_regclass('spm.transaction_event') IS NOT NULL
             THEN spm._milestone_sql(days, events, columns, condition, is_keyed) || ', ' ELSE '' END,
        spm._judged_sql(columns, format('t.event_date >= %L AND t.event_date < %L AND (%s)', lower(days), upper(days), condition), is_keyed),
        CASE WHEN events <> '{booking}' AND to_regclass('spm.transaction_event') IS NOT NULL
             THEN E'\n    UNION ALL\n    SELECT * FROM happened' ELSE '' END,
        CASE WHEN EXISTS (SELECT FROM spm.manual_credit m WHERE m.event_date <@ days) THEN format($manual$
    UNION ALL
    SELECT t.*, NULL::int, NULL::int[], NULL::text[]
    FROM (SELECT 'manual' AS source, 'M-' || m.manual_credit_id AS transaction_key, '' AS line, m.event_date, m.type, y.payee_key AS owner_key,
                 m.account_key, m.product_key, m.quantity, m.amount, m.cost, m.list_amount, m.currency_code,
                 '{}'::jsonb AS attributes, NULL::text AS reference_key, m.event
          FROM spm.manual_credit m
          JOIN spm.payee y USING (payee_id)
          JOIN spm.manual_credit_decision a ON a.manual_credit_id = m.manual_credit_id AND a.decision = 'approved'
          WHERE NOT EXISTS (SELECT FROM spm.manual_credit_decision w WHERE w.manual_credit_id = m.manual_credit_id AND w.decision = 'withdrawn')) t
    WHERE t.event = ANY (%L::text[]) AND t.event_date >= %L AND t.event_date < %L AND (%s)$manual$,
            events, lower(days), upper(days), condition) ELSE '' END,
        place,
        CASE WHEN is_shared THEN format($joins$LEFT JOIN split s ON s.source = t.source AND s.transaction_key = %s AND coalesce(s.line, t.line) = t.line
LEFT JOIN rule r ON r.credit_rule_id = t.credit_rule_id AND s.owners IS NULL
CROSS JOIN LATERAL unnest(coalesce(s.owners, r.owners, ARRAY[t.owner_key])) WITH ORDINALITY c(owner_key, share_no)
$joins$,
            -- what takes an order back is shared as the order was, unless it says otherwise
        CASE WHEN EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key') THEN
            'CASE WHEN t.reference_key IS NULL OR (t.source, t.transaction_key) IN (SELECT x.source, x.transaction_key FROM ' || shares || ' x)
        THEN t.transaction_key ELSE t.reference_key END' ELSE 't.transaction_key' END) ELSE '' END,
        CASE WHEN is_shared THEN $shares$ split AS (    -- shares that the warehouse gives
    SELECT s.source, s.transaction_key, s.line,
           CASE WHEN bool_and(coalesce(s.share >= 0, false)) THEN sum(s.share) END AS total,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS shares,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) AS all_owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) AS all_shares
    FROM $shares$ || shares || $shares$ s
    GROUP BY s.source, s.transaction_key, s.line
), rule AS (       -- shares that rules give
    SELECT r.credit_rule_id, array_agg(y.payee_key ORDER BY y.payee_key COLLATE "C") AS owners,
           array_agg(r.share ORDER BY y.payee_key COLLATE "C") AS shares
    FROM spm.credit_rule_share r JOIN spm.payee y USING (payee_id)
    GROUP BY r.credit_rule_id
), $shares$ ELSE '' END,
        CASE WHEN is_shared THEN format($check$            WHEN s.all_shares IS NOT NULL AND s.total IS DISTINCT FROM 1
            THEN spm._refuse(format('shares of transaction %%s/%%s %%s', t.source, t.transaction_key,
                     coalesce('total ' || s.total || ', not 1', 'must be given and not negative')),
                 format('Line "%%s": %%s have %%s.', t.line, s.all_owners, s.all_shares),
                 'Repair the rows of the relation given to spm.map_split().')
$check$) ELSE '' END,
        CASE WHEN is_shared THEN $columns$       coalesce(c.owner_key, '') AS owner_key,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN coalesce(s.shares, r.shares) END AS shares,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN c.share_no::int END AS share_no,
       coalesce((coalesce(s.shares, r.shares))[c.share_no], 1) AS share, 1::numeric AS factor, 1 AS part_no, 1 AS part_count,
$columns$
             ELSE $columns$       coalesce(t.owner_key, '') AS owner_key, NULL::numeric[] AS shares, NULL::int AS share_no, 1::numeric AS share, 1::numeric AS factor, 1 AS part_no, 1 AS part_count,
$columns$ END,
        CASE WHEN is_shared THEN 'c' ELSE 't' END);

    IF extras IS NOT NULL THEN
        sql := sql || format($sql$
UNION ALL          -- specialists, on top
SELECT %1$s, 'overlay', r.name, y.payee_key, NULL, NULL, 1, m.share, 1, 1, y.payee_id, seat.position_id,
       CASE WHEN seat.position_id IS NULL THEN format('a payee of overlay rule "%%s" held no position on that day', r.name) END
FROM booked t
CROSS JOIN LATERAL unnest(t.extra_rules) x(credit_rule_id)
JOIN spm.credit_rule r ON r.credit_rule_id = x.credit_rule_id AND r.kind = 'overlay'
JOIN spm.credit_rule_share m ON m.credit_rule_id = r.credit_rule_id
JOIN spm.payee y ON y.payee_id = m.payee_id
%2$s
UNION ALL          -- teams, on top
SELECT %1$s, 'team', r.name, m.payee_key, NULL, NULL, 1, 1,
       CASE r.parts WHEN 'equal' THEN row_number() OVER w ELSE 1 END::int, CASE r.parts WHEN 'equal' THEN count(*) OVER a ELSE 1 END::int,
       m.payee_id, m.position_id, NULL
FROM booked t
CROSS JOIN LATERAL unnest(t.extra_rules) x(credit_rule_id)
JOIN spm.credit_rule r ON r.credit_rule_id = x.credit_rule_id AND r.kind = 'team'
JOIN spm._team_member() m ON m.credit_rule_id = r.credit_rule_id AND t.event_date <@ m.span
WINDOW a AS (PARTITION BY t.source, t.transaction_key, t.line, t.event, t.event_date, r.credit_rule_id),
       w AS (PARTITION BY t.source, t.transaction_key, t.line, t.event, t.event_date, r.credit_rule_id ORDER BY m.payee_key COLLATE "C", m.position_id)$sql$,
            fields, place);
    END IF;
    IF territories IS NOT NULL THEN
        sql := sql || format($sql$
UNION ALL          -- holders of a territory, on top
SELECT %1$s, 'territory', c.territory, c.owner_key, %5$s,
       CASE WHEN %6$s THEN 1 WHEN c.share >= 0 THEN c.share ELSE spm._refuse(format('territory %%s gives %%s no usable share', c.territory, c.owner_key),
           format('Key "%%s": share %%s.', c.match_key, coalesce(c.share::text, 'NULL')), 'Repair the rows of the relation given to spm.map_territory().') END, 1, 1,
       y.payee_id, coalesce(%4$s, seat.position_id),
       CASE WHEN c.owner_key = '' THEN format('nobody held territory "%%s" on that day', c.territory)
            WHEN y.payee_id IS NULL THEN format('the holder of territory "%%s" is not a payee', c.territory)
            WHEN coalesce(%4$s, seat.position_id) IS NULL THEN format('the holder of territory "%%s" held no position on that day', c.territory) END
FROM booked t
CROSS JOIN LATERAL unnest(%2$L::text[], t.territory_keys) k(territory, match_key)
%8$s
LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
%3$s
WHERE t.territory_keys IS NOT NULL%7$s$sql$, fields, territory_names, place,
            -- a view that an earlier version made knows no seats
            CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('spm.territory_claim') AND a.attname = 'position_id') THEN 'c.position_id' ELSE 'NULL::int' END,
            -- owners who hold all of a territory between them share to the last cent
            CASE WHEN is_divided THEN format($shares$CASE WHEN %1$s THEN array_agg(c.share) FILTER (WHERE c.owner_key <> '') OVER w END,
       CASE WHEN %1$s THEN row_number() OVER w END::int, CASE WHEN %1$s THEN c.share ELSE 1 END$shares$, whole) ELSE 'NULL, NULL, 1' END,
            CASE WHEN is_divided THEN whole ELSE 'false' END,
            CASE WHEN is_divided THEN $window$
WINDOW w AS (PARTITION BY t.source, t.transaction_key, t.line, t.event, t.event_date, c.territory ORDER BY c.owner_key = '', c.owner_key COLLATE "C", c.position_id
             ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)$window$ ELSE '' END,
            -- a few transactions are looked up one by one
            CASE WHEN is_keyed AND NOT EXISTS (SELECT FROM spm.territory_source s WHERE s.territory_model_id IS NULL)
                 THEN 'CROSS JOIN LATERAL spm._territory_owner(k.territory, k.match_key, t.event_date) c'
                 ELSE 'JOIN spm.territory_claim c ON c.territory = k.territory AND c.match_key = k.match_key AND t.event_date <@ c.span AND c.share IS DISTINCT FROM 0' END);
    END IF;
    RETURN sql;
END
$$;
COMMENT ON FUNCTION spm._claim_sql(daterange, text[], text, boolean) IS 'SQL that finds who is credited with each transaction, or milestone, of some days and a condition on t, and where that payee sits. is_keyed: of those whose keys are in pg_temp.spm_key.';
REVOKE ALL ON FUNCTION spm._claim_sql(daterange, text[], text, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._team_member()
    RETURNS TABLE (credit_rule_id int, payee_id int, payee_key text, position_id int, span daterange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.credit_rule_id, y.payee_id, y.payee_key, a.position_id, a.span
    FROM spm.credit_rule r
    JOIN spm.credit_rule_share s USING (credit_rule_id)
    JOIN spm.payee y ON y.payee_id = s.payee_id
    JOIN spm.position_assignment a ON a.payee_id = y.payee_id AND a.is_primary
    WHERE r.kind = 'team'
    UNION ALL
    SELECT r.credit_rule_id, y.payee_id, y.payee_key, a.position_id, a.span
    FROM spm.credit_rule r
    JOIN spm.position p ON p.title_id = r.title_id
    JOIN spm.position_assignment a ON a.position_id = p.position_id AND a.is_primary
    JOIN spm.payee y ON y.payee_id = a.payee_id
    WHERE r.kind = 'team'
    UNION ALL
    SELECT r.credit_rule_id, y.payee_id, y.payee_key, a.position_id, a.span * h.span
    FROM spm.credit_rule r
    JOIN spm.position_path h ON h.ancestor_position_id = r.manager_position_id
    JOIN spm.position_assignment a ON a.position_id = h.position_id AND a.is_primary AND a.span && h.span
    JOIN spm.payee y ON y.payee_id = a.payee_id
    WHERE r.kind = 'team';
END;
COMMENT ON FUNCTION spm._team_member() IS 'Who is in the team of which credit rule, and when: holders of primary seats.';
REVOKE ALL ON FUNCTION spm._team_member() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credited_events(calendar_id int)
    RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(DISTINCT e.event ORDER BY e.event)
    FROM (SELECT 'booking' AS event
          UNION ALL
          SELECT c.event FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
          WHERE v.state <> 'draft' AND p.calendar_id = _credited_events.calendar_id) e;
END;
COMMENT ON FUNCTION spm._credited_events(int) IS 'Events that published plans of a calendar pay for; booking always.';
REVOKE ALL ON FUNCTION spm._credited_events(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._claim_query(period_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT spm._claim_sql(p.span, spm._credited_events(p.calendar_id)) FROM spm.period p WHERE p.period_id = _claim_query.period_id
$$;
COMMENT ON FUNCTION spm._claim_query(int) IS 'SQL that finds who is credited with each transaction of a period, and where that payee sits.';
REVOKE ALL ON FUNCTION spm._claim_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._taking_seat(calendar_id int, credit_kind text)
    RETURNS TABLE (position_id int, payee_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.position_id, s.payee_id, range_agg(d.days)
    FROM spm.plan_version v
    JOIN spm.plan p USING (plan_id)
    CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
    CROSS JOIN LATERAL unnest(s.spans) d(days)
    WHERE v.state <> 'draft' AND p.calendar_id = _taking_seat.calendar_id
      AND EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = v.plan_version_id AND c.credit_kind IN (_taking_seat.credit_kind, 'all'))
    GROUP BY s.position_id, s.payee_id;
END;
COMMENT ON FUNCTION spm._taking_seat(int, text) IS 'Seats whose plan pays for credits of a kind, and when.';
REVOKE ALL ON FUNCTION spm._taking_seat(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_taken(calendar_id int, credit_kind text)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM spm.plan p JOIN spm.plan_version v USING (plan_id) JOIN spm.component c USING (plan_version_id)
                   WHERE p.calendar_id = _is_taken.calendar_id AND v.state <> 'draft' AND c.credit_kind IN (_is_taken.credit_kind, 'all'));
END;
COMMENT ON FUNCTION spm._is_taken(int, text) IS 'Whether any plan of a calendar pays for credits of a kind: what nobody takes is not credited up or down the tree.';
REVOKE ALL ON FUNCTION spm._is_taken(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    calendar int := (SELECT p.calendar_id FROM spm.period p WHERE p.period_id = _credit_query.period_id);
    fields constant text := 'd.shares, d.share_no, %s AS factor, %s AS part_no, %s AS part_count, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes, d.reference_key, d.event, d.rule';
BEGIN
    RETURN format($sql$
WITH claimed AS (
    SELECT t.*, coalesce(k.minor_digits, 2) AS digits, %1$s AS credited_amount
    FROM pg_temp.spm_claim t LEFT JOIN spm.currency k USING (currency_code)
    WHERE t.reason IS NULL
)
SELECT d.position_id, d.payee_id, d.kind, d.position_id AS origin_position_id, 0::smallint AS level, d.share, d.credited_amount, %2$s
FROM claimed d$sql$, spm._credited_sql('t.amount', 'coalesce(k.minor_digits, 2)'), format(fields, 'd.factor', 'd.part_no', 'd.part_count'))
    || CASE WHEN spm._is_taken(calendar, 'rollup') THEN format($sql$
UNION ALL          -- to the seats above whose plan pays for what comes up the tree
SELECT a.position_id, a.payee_id, 'rollup', d.position_id, p.depth, d.share, %2$s, %3$s
FROM claimed d
JOIN spm.position_path p ON p.position_id = d.position_id AND d.event_date <@ p.span
JOIN spm._taking_seat(%1$s, 'rollup') a ON a.position_id = p.ancestor_position_id AND multirange_contains_elem(a.spans, d.event_date)%4$s
WHERE d.kind = 'direct'%5$s$sql$, calendar,
        CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN 'CASE WHEN f.factor = 1 THEN d.credited_amount ELSE spm.rounded(d.credited_amount * f.factor, d.digits) END'
             ELSE 'd.credited_amount' END,
        format(fields, CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN 'f.factor' ELSE '1::numeric' END, '1', '1'),
        CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN $sql$
JOIN spm.position s ON s.position_id = a.position_id
CROSS JOIN LATERAL (SELECT coalesce((SELECT r.factor FROM spm.rollup_factor r
    WHERE r.level IN (0, p.depth) AND d.event_date <@ r.span
      AND (r.position_id = s.position_id OR r.title_id = s.title_id OR num_nonnulls(r.position_id, r.title_id) = 0)
    ORDER BY r.position_id IS NULL, r.title_id IS NULL, r.level DESC LIMIT 1), 1) AS factor) f$sql$ ELSE '' END,
        CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN ' AND f.factor > 0' ELSE '' END) ELSE '' END
    || CASE WHEN EXISTS (SELECT FROM spm.rolldown) AND spm._is_taken(calendar, 'rolldown') THEN format($sql$
UNION ALL          -- to the seats below
SELECT d.to_position_id, d.to_payee_id, 'rolldown', d.position_id, d.depth, d.share,
       spm._credited(d.amount, d.shares, d.share_no, d.factor, d.to_part_no, d.to_part_count, d.digits), %1$s
FROM (SELECT d.*, h.position_id AS to_position_id, a.payee_id AS to_payee_id, h.depth,
             CASE g.parts WHEN 'equal' THEN row_number() OVER w ELSE 1 END::int AS to_part_no,
             CASE g.parts WHEN 'equal' THEN count(*) OVER o ELSE 1 END::int AS to_part_count
      FROM claimed d
      JOIN spm.position s ON s.position_id = d.position_id
      CROSS JOIN LATERAL (SELECT r.* FROM spm.rolldown r WHERE (r.position_id = s.position_id OR r.title_id = s.title_id) AND d.event_date <@ r.span
                          ORDER BY r.position_id IS NULL LIMIT 1) g
      JOIN spm.position_path h ON h.ancestor_position_id = d.position_id AND d.event_date <@ h.span AND (g.depth IS NULL OR h.depth <= g.depth)
      JOIN spm.position b ON b.position_id = h.position_id
      JOIN spm.position_assignment a ON a.position_id = h.position_id AND d.event_date <@ a.span
      WHERE d.kind = 'direct'
      WINDOW o AS (PARTITION BY d.source, d.transaction_key, d.line, d.event, d.event_date, d.position_id, d.owner_key),
             w AS (PARTITION BY d.source, d.transaction_key, d.line, d.event, d.event_date, d.position_id, d.owner_key
                   ORDER BY b.position_key COLLATE "C", a.payee_id)) d
JOIN spm._taking_seat(%2$s, 'rolldown') t ON t.position_id = d.to_position_id AND t.payee_id = d.to_payee_id AND multirange_contains_elem(t.spans, d.event_date)$sql$,
        format(fields, 'd.factor', 'd.to_part_no', 'd.to_part_count'), calendar) ELSE '' END;
END
$$;
COMMENT ON FUNCTION spm._credit_query(int) IS 'SQL that makes the credits of a period out of the claims: the claims themselves, and what goes up and down the tree.';
REVOKE ALL ON FUNCTION spm._credit_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_claims()
    RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
DECLARE
    found record;
    twice record;
BEGIN
    -- a row of a source is claimed once, or its first share is; where hashes say otherwise a closer look follows
    EXECUTE $sql$
        SELECT count(*) FILTER (WHERE c.is_first)
               <> count(DISTINCT hashtextextended(c.transaction_key, hashtextextended(c.source, hashtextextended(c.line, hashtextextended(c.event,
                   CASE WHEN c.event = 'booking' THEN 0 ELSE c.event_date - date '2000-01-01' END))))) FILTER (WHERE c.is_first) AS is_repeated,
               bool_or(c.shares IS NOT NULL) AS is_shared, bool_or(c.kind = 'territory') AS has_territory,
               coalesce(bool_or(c.reason IS NOT NULL), false) AS has_reason
        FROM (SELECT x.*, x.kind = 'direct' AND coalesce(x.share_no, 1) = 1 AS is_first FROM pg_temp.spm_claim x) c$sql$ INTO found;
    IF found.is_repeated OR found.is_shared THEN
        -- the claims on one row total 1, whoever makes them: more is a second row
        EXECUTE 'SELECT source, transaction_key, line, ceil(sum(share)) AS rows FROM pg_temp.spm_claim WHERE kind = ''direct'' AND $1
                 GROUP BY source, transaction_key, line, event, CASE WHEN event <> ''booking'' THEN event_date END HAVING sum(share) > 1
                 UNION ALL
                 SELECT source, transaction_key, line, count(*) FROM pg_temp.spm_claim WHERE kind = ''direct'' AND shares IS NOT NULL
                 GROUP BY source, transaction_key, line, event, CASE WHEN event <> ''booking'' THEN event_date END, owner_key HAVING count(*) > 1
                 ORDER BY 1, 2, 3 LIMIT 1' INTO twice USING found.is_repeated;
        IF twice.rows IS NOT NULL THEN
            RAISE EXCEPTION 'transaction %/% occurs % times', twice.source, twice.transaction_key, twice.rows
                USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                      HINT = 'Key and line must identify a row of the source, and an owner a share of it: map another key or line, or a filter, with spm.map_source().';
        END IF;
    END IF;
    IF found.has_territory THEN
        EXECUTE 'SELECT source, transaction_key, line, rule, owner_key, count(*) AS rows FROM pg_temp.spm_claim WHERE kind = ''territory''
                 GROUP BY source, transaction_key, line, event, event_date, rule, owner_key, position_id HAVING count(*) > 1
                 ORDER BY 1, 2, 3, 4, 5 LIMIT 1' INTO twice;
        IF twice.rows IS NOT NULL THEN
            RAISE EXCEPTION 'territory "%" has holder % % times for transaction %/%', twice.rule, twice.owner_key, twice.rows, twice.source, twice.transaction_key
                USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                      HINT = 'On one day a holder holds a key once: repair the rows of the relation given to spm.map_territory().';
        END IF;
    END IF;
    RETURN found.has_reason;
END
$$;
COMMENT ON FUNCTION spm._check_claims() IS 'Error 23505 when pg_temp.spm_claim has a row of a source, a share or a holder twice. Returns whether it has transactions that nobody can be credited for.';
REVOKE ALL ON FUNCTION spm._check_claims() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._claim_count()
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
DECLARE
    n bigint;
    has_event boolean;
BEGIN
    -- every booking has one first share; what only has a milestone in these days is counted by its key
    EXECUTE 'SELECT count(*) FILTER (WHERE kind = ''direct'' AND coalesce(share_no, 1) = 1), bool_or(event <> ''booking'') FROM pg_temp.spm_claim' INTO n, has_event;
    IF has_event THEN
        EXECUTE 'SELECT count(DISTINCT (source, transaction_key, line)) FROM pg_temp.spm_claim' INTO n;
    END IF;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm._claim_count() IS 'Number of transactions in pg_temp.spm_claim.';
REVOKE ALL ON FUNCTION spm._claim_count() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._note_uncredited(period_id int, run_id bigint)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF spm._check_claims() THEN
        -- nobody owns it, and nobody need to, where it is credited on top
        EXECUTE 'INSERT INTO spm.uncredited (period_id, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, run_id)
                 SELECT $1, c.source, c.transaction_key, c.line, c.owner_key, c.event_date, c.amount, c.currency_code, c.reason, $2
                 FROM pg_temp.spm_claim c
                 WHERE c.reason IS NOT NULL AND NOT (c.kind = ''direct'' AND c.owner_key = '''' AND EXISTS (
                     SELECT FROM pg_temp.spm_claim o WHERE o.kind <> ''direct'' AND o.reason IS NULL AND (o.source, o.transaction_key, o.line) = (c.source, c.transaction_key, c.line)))
                 ORDER BY c.kind <> ''direct'', c.event <> ''booking'', c.event_date, c.rule
                 ON CONFLICT DO NOTHING'
            USING _note_uncredited.period_id, _note_uncredited.run_id;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._note_uncredited(int, bigint) IS 'Checks the claims in pg_temp.spm_claim, and writes those that nobody can be credited for to spm.uncredited.';
REVOKE ALL ON FUNCTION spm._note_uncredited(int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_credits(query text, period_id int, posting_id int, run_id bigint, scope text DEFAULT NULL, is_small boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    keys constant text[] := '{position_id, transaction_key, line, source, kind, origin_position_id, owner_key, event, rule, part_no}';
    contents constant text[] := '{payee_id, level, share, shares, share_no, factor, part_count, credited_amount, event_date, type, account_key, product_key,
                                  quantity, amount, cost, list_amount, currency_code, attributes, reference_key}';
BEGIN
    IF _write_credits.scope IS NULL AND spm._is_blank('credit', _write_credits.period_id) THEN
        RETURN spm._fill('credit', keys || contents, _write_credits.query, _write_credits.period_id, _write_credits.posting_id, _write_credits.run_id);
    END IF;
    PERFORM spm._result(_write_credits.query, is_small => _write_credits.is_small);
    RETURN spm._sync('credit', keys, contents, ARRAY['credited_amount'], _write_credits.period_id, _write_credits.posting_id, _write_credits.run_id, _write_credits.scope);
END
$$;
COMMENT ON FUNCTION spm._write_credits(text, int, int, bigint, text, boolean) IS 'Writes the credits that a query makes of the claims to the ledger. scope, is_small: as for spm._sync() and spm._result(). Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._write_credits(text, int, int, bigint, text, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    calendar int := (SELECT p.calendar_id FROM spm.period p WHERE p.period_id = _credit_period.period_id);
BEGIN
    -- the planner need not know the claims unless they are joined with the tree
    PERFORM spm._result(spm._claim_query(_credit_period.period_id), 'spm_claim',
        analyzed => CASE WHEN spm._is_taken(calendar, 'rollup') OR spm._is_taken(calendar, 'rolldown') THEN 'position_id, payee_id, event_date, kind, currency_code' ELSE '' END);
    DELETE FROM spm.uncredited u WHERE u.period_id = _credit_period.period_id;
    PERFORM spm._note_uncredited(_credit_period.period_id, _credit_period.run_id);
    RETURN spm._write_credits(spm._credit_query(_credit_period.period_id), _credit_period.period_id, _credit_period.posting_id, _credit_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._credit_period(int, int, bigint) IS 'First stage: transactions to credits. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._credit_period(int, int, bigint) FROM PUBLIC;
