/*
 * compensation/statement.sql: results told to the people they are about.
 */

CREATE OR REPLACE FUNCTION spm._statement_line(label text, base text, rate text, amount text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT rtrim(rpad(CASE WHEN length(_statement_line.label) > 36 THEN left(_statement_line.label, 35) || '~'
                           ELSE _statement_line.label END, 36)
        -- lpad() would cut the end off a long amount
        || lpad(coalesce(_statement_line.base, ''), greatest(17, 1 + length(_statement_line.base)))
        || lpad(coalesce(_statement_line.rate, ''), greatest(10, 1 + length(_statement_line.rate)))
        || lpad(coalesce(_statement_line.amount, ''), greatest(17, 1 + length(_statement_line.amount))));
END;
COMMENT ON FUNCTION spm._statement_line(text, text, text, text) IS 'A line of a statement, 80 columns wide unless an amount needs more.';
REVOKE ALL ON FUNCTION spm._statement_line(text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.statement(payee text, period text, calendar text DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    who spm.payee;
    paid spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(statement.period, statement.calendar));
    plan record;
    part record;
    slice record;
    other record;
    n int := 0;
    digits int;
    -- of a period that was reopened, the first posting is told in full, what the others add by line
    original int := (SELECT min(o.posting_id) FROM spm.posting o WHERE o.period_id = paid.period_id);
    is_reopened boolean := (SELECT count(*) > 1 FROM spm.posting o WHERE o.period_id = paid.period_id);
BEGIN
    SELECT y.* INTO who FROM spm.payee y WHERE y.payee_key = statement.payee;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payee "%" does not exist', statement.payee
            USING ERRCODE = 'undefined_object', HINT = 'SELECT payee_key, name FROM spm.payee;';
    END IF;
    IF paid.state = 'open' THEN
        RAISE EXCEPTION 'period % is not calculated', paid.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL spm.calculate(%L);', paid.name);
    END IF;
    FOR plan IN
        SELECT p.plan_id, p.name, p.currency_code, u.minor_digits, max(r.finished_at) AS calculated_at,
               string_agg(DISTINCT 'v' || v.version_no, ', ') AS versions
        FROM spm.measurement m
        JOIN spm.posting o USING (posting_id)
        JOIN spm.run r ON r.run_id = m.run_id
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.currency u USING (currency_code)
        WHERE m.payee_id = who.payee_id AND o.period_id = paid.period_id
        GROUP BY p.plan_id, p.name, p.currency_code, u.minor_digits ORDER BY p.name
    LOOP
        n := n + 1;
        digits := plan.minor_digits;
        IF n > 1 THEN
            RETURN NEXT '';
        END IF;
        RETURN NEXT left(format('%s - %s %s - %s - %s', who.name, plan.name, plan.versions, paid.name, plan.currency_code), 80);
        RETURN NEXT format('%s to %s, %s', lower(paid.span), upper(paid.span) - 1,
            concat(CASE WHEN is_reopened THEN 'posted, reopened, ' END,
                   CASE paid.state WHEN 'posted' THEN 'posted' ELSE 'calculated, not yet posted' END));
        RETURN NEXT repeat('-', 80);
        RETURN NEXT spm._statement_line('', 'base', 'rate', 'earned');
        FOR part IN
            SELECT c.*, m.position_id, m.opening_amount, m.amount, m.quota_amount, m.factor, m.earned_amount, m.credit_count,
                   s.name AS seat, count(*) OVER (PARTITION BY c.component_id) > 1 AS has_seats,
                   min(v.version_no) OVER () < max(v.version_no) OVER () AS has_versions,
                   q.name AS measure_name, v.version_no, x.name AS variable_name
            FROM spm.measurement m
            JOIN spm.posting o USING (posting_id)
            JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
            JOIN spm.position s USING (position_id)
            LEFT JOIN spm.measure q USING (measure_id)
            LEFT JOIN spm.variable x USING (variable_id)
            WHERE m.payee_id = who.payee_id AND m.period_id = paid.period_id AND v.plan_id = plan.plan_id
              -- as the period itself paid it: what a later posting has taken back still stands here
              AND o.posting_id = original AND m.reverses_id IS NULL
            ORDER BY v.version_no, c.component_no, s.name
        LOOP
            RETURN NEXT left(concat(part.name, CASE WHEN part.has_versions THEN ' v' || part.version_no END,
                CASE WHEN part.has_seats THEN ' in ' || part.seat END), 80);
            RETURN NEXT left(format('  %s deal(s)%s%s%s', part.credit_count,
                CASE WHEN part.opening_amount <> 0 THEN ', brought forward ' || spm._money(part.opening_amount, digits) ELSE '' END,
                CASE WHEN part.quota_amount IS NOT NULL THEN ', quota ' || spm._money(part.quota_amount, digits) ELSE '' END,
                CASE WHEN part.quota_amount > 0
                     THEN ', attainment ' || spm._percent(spm.attainment(part.opening_amount + part.amount, part.quota_amount, 6)) ELSE '' END), 80);
            FOR slice IN
                SELECT e.tier_no, e.kind, e.rate, sum(e.base_amount) AS base_amount, sum(e.amount) AS amount,
                       k.from_value, k.to_value
                FROM spm.earning_slice e
                LEFT JOIN LATERAL (
                    SELECT lower(t.bounds) AS from_value, upper(t.bounds) AS to_value FROM spm.tier t
                    WHERE t.component_id = e.component_id ORDER BY lower(t.bounds) OFFSET greatest(e.tier_no, 1) - 1 LIMIT 1) k ON e.tier_no > 0
                WHERE e.payee_id = who.payee_id AND e.period_id = paid.period_id
                  AND e.component_id = part.component_id AND e.position_id = part.position_id
                  AND e.posting_id = original AND e.reverses_id IS NULL
                GROUP BY e.tier_no, e.kind, e.rate, k.from_value, k.to_value
                ORDER BY e.kind = 'tier' DESC, e.kind, e.tier_no, e.rate
            LOOP
                -- the deals before a bonus was reached
                CONTINUE WHEN slice.amount = 0 AND part.earned_amount <> 0 AND part.rate_options ~ '^(bonus|curve)';
                RETURN NEXT spm._statement_line('  ' || CASE slice.kind
                    WHEN 'rerate' THEN 'earlier deals at the new rate'
                    WHEN 'cap' THEN 'held back by the cap'
                    WHEN 'floor' THEN 'raised to the minimum'
                    WHEN 'refund' THEN 'taken back by refunds'
                    ELSE CASE WHEN slice.tier_no IS NULL OR slice.tier_no = 0 THEN CASE WHEN part.rate_options ~ '^(bonus|curve)' THEN 'not reached' ELSE 'below the first tier' END
                              WHEN slice.to_value IS NULL AND slice.from_value = 0 THEN 'all'
                              WHEN part.tier_basis = 'quota' THEN
                                  concat(CASE WHEN slice.to_value IS NULL THEN 'from ' END, trim_scale(100 * slice.from_value),
                                         ' - ' || trim_scale(100 * slice.to_value), ' % of quota')
                              WHEN slice.to_value IS NULL THEN 'from ' || spm._money(slice.from_value, 0)
                              ELSE spm._money(slice.from_value, 0) || ' - ' || spm._money(slice.to_value, 0) END END,
                    CASE WHEN slice.kind = 'tier' OR slice.kind = 'rerate' THEN spm._money(slice.base_amount, CASE part.unit WHEN 'count' THEN 0 ELSE digits END) END,
                    CASE WHEN part.rate_options ~ '^(bonus|curve)' THEN NULL WHEN slice.rate IS NOT NULL THEN spm._percent(slice.rate) END,
                    spm._money(slice.amount, part.places));
            END LOOP;
            RETURN NEXT left(format('  %s, %s; each deal rounded to %s places, %s',
                coalesce(substring(part.rate_options FROM '^(whole|interpolated|weighted|bonus|excess|curve)'), 'marginal'),
                CASE part.accumulate WHEN 'deal' THEN 'deal by deal' WHEN 'period' THEN 'on the total of the period'
                     ELSE 'on the total of the ' || part.accumulate END, part.places, part.rounding), 80);
            IF part.variable_name IS NOT NULL THEN
                RETURN NEXT left(format('  rates times your %s of %s', part.variable_name, trim_scale(part.factor)), 80);
            END IF;
        END LOOP;
        FOR other IN
            SELECT p.name, c.name AS component_name, x.amount, x.period_id = o.period_id AS is_own
            FROM spm.payout x
            JOIN spm.posting o USING (posting_id)
            JOIN spm.period p ON p.period_id = x.period_id
            JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
            WHERE x.payee_id = who.payee_id AND o.period_id = paid.period_id AND v.plan_id = plan.plan_id
              AND x.kind = 'earning' AND (x.period_id <> o.period_id OR x.posting_id <> original AND x.amount <> 0)
            ORDER BY p.span, c.component_no, x.posting_id
        LOOP
            RETURN NEXT spm._statement_line(format('%s %s: %s', CASE WHEN other.is_own THEN 'Reopened' ELSE 'Difference' END, other.name, other.component_name), NULL, NULL, spm._money(other.amount, digits));
        END LOOP;
        -- what pay rules, holds and adjustments made of it, in their order
        FOR other IN
            SELECT x.kind, coalesce(r.name, x.kind) AS name, x.reason, p.name AS period_name, x.period_id = o.period_id AS is_own, sum(x.amount) AS amount
            FROM spm.payout x
            JOIN spm.posting o USING (posting_id)
            JOIN spm.period p ON p.period_id = x.period_id
            LEFT JOIN spm.pay_rule r USING (pay_rule_id)
            WHERE x.payee_id = who.payee_id AND o.period_id = paid.period_id AND x.plan_id = plan.plan_id AND x.kind <> 'earning'
            GROUP BY x.kind, r.name, r.rule_no, x.reason, p.name, p.span, x.period_id = o.period_id
            ORDER BY r.rule_no NULLS LAST, p.span, x.kind, x.reason
        LOOP
            RETURN NEXT spm._statement_line(left(concat(upper(left(other.name, 1)), substr(other.name, 2),
                CASE WHEN other.kind <> other.name THEN ', ' || other.kind END,
                CASE WHEN NOT other.is_own THEN ' ' || other.period_name END, ': ' || other.reason), 60),
                NULL, NULL, spm._money(other.amount, digits));
        END LOOP;
        RETURN NEXT repeat('-', 80);
        RETURN NEXT spm._statement_line('Payable', NULL, plan.currency_code,
            spm._money((SELECT coalesce(sum(x.amount), 0) FROM spm.payout x JOIN spm.posting o USING (posting_id)
                        WHERE x.payee_id = who.payee_id AND o.period_id = paid.period_id AND x.plan_id = plan.plan_id), digits));
    END LOOP;
    IF n = 0 THEN
        RETURN NEXT format('%s is on no plan in %s.', who.name, paid.name);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.statement(text, text, text) IS
'What a payee is paid in a period and why, as lines of text of at most 80 columns: for each component the quota, the attainment and what each tier earns; then differences of earlier periods; then the sum.
payee: payee_key. period: name of the paying period. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 55000 while the period is not calculated.
Example: SELECT spm.statement(''U-17'', ''2026-Q1'');';

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
