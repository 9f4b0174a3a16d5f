/*
 * compensation/stages_pay.sql: earning -> payout.
 *
 * What a posting pays is worked out as lines in pg_temp.spm_line: first what was
 * earned and adjusted, then what each pay rule makes of the lines before it, then
 * holds.  A line is new when this posting pays it; the others are what earlier
 * postings have paid of the same spans, so that a rule can pay the difference.
 * Every step is one query for all payees; their balances are those of the
 * postings before.
 */

-- ----------------------------------------------------------------- what is there

CREATE OR REPLACE FUNCTION spm._posting_before(posting_id int)
    RETURNS TABLE (posting_id int, period_id int, span daterange, posted_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 30
    -- so that it is a small table to be joined once, not looked into row by row
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.posting_id, o.period_id, q.span, o.posted_at
    FROM spm.posting this
    JOIN spm.period p ON p.period_id = this.period_id
    JOIN spm.period q ON q.calendar_id = p.calendar_id
    JOIN spm.posting o ON o.period_id = q.period_id AND o.posting_id <> this.posting_id
    WHERE this.posting_id = _posting_before.posting_id AND (o.state = 'posted' OR q.span << p.span);
END;
COMMENT ON FUNCTION spm._posting_before(int) IS 'Postings that a posting stands on: posted ones, and drafts of earlier periods.';
REVOKE ALL ON FUNCTION spm._posting_before(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_relations()
    RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT unnest(ARRAY['spm.adjustment', 'spm.hold', 'spm.holdback_release', 'spm.pay_rule'])::regclass
$$;
COMMENT ON FUNCTION spm._pay_relations() IS
'Tables that only what a posting pays depends on, and no earning: a change needs no other look at posted periods.';
REVOKE ALL ON FUNCTION spm._pay_relations() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._leaf(calendar_id int)
    RETURNS TABLE (period_id int, span daterange, nth bigint)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 60
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.period_id, p.span, row_number() OVER (ORDER BY p.span) FROM spm.period p
    WHERE p.calendar_id = _leaf.calendar_id AND NOT EXISTS (SELECT FROM spm.period part WHERE part.parent_period_id = p.period_id);
END;
COMMENT ON FUNCTION spm._leaf(int) IS 'Periods of a calendar that are calculated, numbered in order.';
REVOKE ALL ON FUNCTION spm._leaf(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rule_place(kind text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 100 * array_position('{budget,cap,holdback,guarantee,draw,adjustment,negative}'::text[], _rule_place.kind);
END;
COMMENT ON FUNCTION spm._rule_place(text) IS 'Where rules of a kind begin in the order when no number is given.';
REVOKE ALL ON FUNCTION spm._rule_place(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rule_in_force(plan_id int, name text, span daterange)
    RETURNS SETOF spm.pay_rule
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.*
    FROM spm.plan_version v JOIN spm.pay_rule r USING (plan_version_id)
    WHERE v.plan_version_id = (
        SELECT w.plan_version_id FROM spm.plan_version w
        WHERE w.plan_id = _rule_in_force.plan_id AND w.state <> 'draft' AND w.span && _rule_in_force.span
        ORDER BY w.span DESC LIMIT 1)
      AND r.name = _rule_in_force.name;
END;
COMMENT ON FUNCTION spm._rule_in_force(int, text, daterange) IS 'Pay rule of a name as the last version of a plan has it that applies in a span.';
REVOKE ALL ON FUNCTION spm._rule_in_force(int, text, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_payee(plan_id int, span daterange)
    RETURNS TABLE (payee_id int, position_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.payee_id, min(s.position_id), range_agg(r)
    FROM spm.plan_seat(_plan_payee.plan_id, _plan_payee.span) s, unnest(s.spans) r
    GROUP BY s.payee_id;
END;
COMMENT ON FUNCTION spm._plan_payee(int, daterange) IS 'Who is on a plan during a span: the payee, the first of their seats, and the days in any of them.';
REVOKE ALL ON FUNCTION spm._plan_payee(int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rule_amount(rule spm.pay_rule, payee_id int, position_id int, spans datemultirange, period_id int)
    RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.period;
    value numeric := rule.amount;
    digits int;
    days record;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _rule_amount.period_id;
    SELECT u.minor_digits INTO digits
    FROM spm.plan_version v JOIN spm.plan n USING (plan_id) JOIN spm.currency u USING (currency_code)
    WHERE v.plan_version_id = rule.plan_version_id;
    IF rule.variable_id IS NOT NULL THEN
        value := spm.variable_value(rule.variable_id, _rule_amount.payee_id, _rule_amount.position_id, this.span) * coalesce(rule.share, 1);
        IF value IS NULL THEN
            PERFORM spm._refuse(
                format('payee "%s" has no value of variable %s for %s', y.payee_key, x.name, this.name),
                format('Pay rule "%s" needs it.', rule.name), format('SELECT spm.set_variable(%L, value, payee => %L);', x.name, y.payee_key))
            FROM spm.payee y, spm.variable x WHERE y.payee_id = _rule_amount.payee_id AND x.variable_id = rule.variable_id;
        END IF;
    END IF;
    IF rule.prorate <> 'none' THEN
        SELECT c.active_days, c.period_days INTO days
        FROM spm._day_count(_rule_amount.spans - spm._absent(_rule_amount.payee_id, false), this.span, rule.prorate, this.calendar_id) c;
        value := value * days.active_days / nullif(days.period_days, 0);
    END IF;
    RETURN round(coalesce(value, 0), digits);
END
$$;
COMMENT ON FUNCTION spm._rule_amount(spm.pay_rule, int, int, datemultirange, int) IS
'Amount of a cap, guarantee or draw for a payee in a period: given or a share of a variable, prorated by the days on the plan, rounded to the digits of the currency. Error 22000 when the variable has no value.';
REVOKE ALL ON FUNCTION spm._rule_amount(spm.pay_rule, int, int, datemultirange, int) FROM PUBLIC;

-- ------------------------------------------------------------------------ rules

CREATE OR REPLACE FUNCTION spm._pay_budget(rule spm.pay_rule, plan_id int, posting_id int, period_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    digits int := (SELECT u.minor_digits FROM spm.plan n JOIN spm.currency u USING (currency_code) WHERE n.plan_id = _pay_budget.plan_id);
BEGIN
    -- what was paid stays, as far as it is still earned; what is left, or free again, goes to those first in line
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    WITH part AS MATERIALIZED (
        SELECT c.component_id FROM spm.component c
        WHERE c.plan_version_id = rule.plan_version_id AND (rule.components IS NULL OR c.name = ANY (rule.components))
    ), deal AS MATERIALIZED (
        SELECT e.payee_id, coalesce(t.event_date, upper(p.span) - 1) AS event_date, coalesce(t.transaction_key, '') AS transaction_key,
               coalesce(t.line, '') AS line, coalesce(t.source, '') AS source, sum(e.amount) AS amount
        FROM spm.earning e
        JOIN part USING (component_id)
        JOIN spm.period p ON p.period_id = e.period_id
        LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = coalesce(e.credit_period_id, e.period_id)
        WHERE e.posting_id IN (SELECT b.posting_id FROM spm._posting_before(_pay_budget.posting_id) b UNION ALL SELECT _pay_budget.posting_id)
        GROUP BY 1, 2, 3, 4, 5
    ), posted AS (
        SELECT x.payee_id, sum(x.amount) AS paid, coalesce(sum(x.amount) FILTER (WHERE x.kind = 'budget'), 0) AS budget
        FROM spm.payout x JOIN spm._posting_before(_pay_budget.posting_id) b USING (posting_id)
        WHERE x.plan_id = _pay_budget.plan_id
          AND (x.kind = 'earning' AND x.component_id IN (SELECT component_id FROM part) OR x.kind = 'budget' AND x.pay_rule_id = rule.pay_rule_id)
        GROUP BY x.payee_id
    ), payee AS MATERIALIZED (
        SELECT d.payee_id, d.earned, least(greatest(coalesce(o.paid, 0), 0), d.earned) AS keep, coalesce(o.budget, 0) AS budget
        FROM (SELECT d.payee_id, sum(d.amount) AS earned FROM deal d GROUP BY d.payee_id) d LEFT JOIN posted o USING (payee_id)
    ), room AS (
        SELECT greatest(rule.amount - coalesce(sum(y.keep), 0), 0) AS room, coalesce(sum(y.earned - y.keep), 0) AS demand FROM payee y
    ), in_line AS (
        SELECT l.payee_id, sum(least(r.room, l.upto) - least(r.room, l.upto - l.unmet)) AS granted
        FROM (SELECT u.payee_id, u.unmet, sum(u.unmet) OVER w AS upto
              FROM (SELECT d.*, greatest(sum(d.amount) OVER v, y.keep, 0) - greatest(sum(d.amount) OVER v - d.amount, y.keep, 0) AS unmet
                    FROM deal d JOIN payee y USING (payee_id)
                    WINDOW v AS (PARTITION BY d.payee_id ORDER BY d.event_date, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C"
                                 ROWS UNBOUNDED PRECEDING)) u
              WINDOW w AS (ORDER BY u.event_date, u.transaction_key COLLATE "C", u.line COLLATE "C", u.source COLLATE "C", u.payee_id
                           ROWS UNBOUNDED PRECEDING)) l, room r
        GROUP BY l.payee_id
    ), by_share AS (
        SELECT s.payee_ids[u.nth] AS payee_id, u.granted
        FROM (SELECT array_agg(y.payee_id ORDER BY y.payee_id) AS payee_ids, array_agg(y.earned - y.keep ORDER BY y.payee_id) AS demands
              FROM payee y WHERE y.earned > y.keep) s, room r,
             unnest(CASE WHEN r.demand > r.room THEN spm.split(r.room, s.demands, digits) ELSE s.demands END) WITH ORDINALITY u(granted, nth)
    ), granted AS (
        SELECT i.payee_id, i.granted FROM in_line i WHERE rule.method = 'deal order'
        UNION ALL
        SELECT s.payee_id, s.granted FROM by_share s WHERE rule.method = 'pro rata'
    )
    SELECT true, _pay_budget.period_id, _pay_budget.period_id, y.payee_id, n.plan_id, n.currency_code, 'budget', rule.pay_rule_id, rule.name, rule.rule_no,
           y.keep + coalesce(g.granted, 0) - y.earned - y.budget
    FROM payee y LEFT JOIN granted g USING (payee_id), spm.plan n
    WHERE n.plan_id = _pay_budget.plan_id AND y.keep + coalesce(g.granted, 0) - y.earned - y.budget <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_budget(spm.pay_rule, int, int, int) IS 'Lines of a budget: what is earned beyond what the plan version may spend.';
REVOKE ALL ON FUNCTION spm._pay_budget(spm.pay_rule, int, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_cap(rule spm.pay_rule, plan_id int, posting_id int, period_id int, is_active boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_cap.period_id;
    PERFORM spm._drop_temporary('spm_cap');
    -- each span that new lines were earned in, under the rule as it was then: everything paid for it so far
    EXECUTE 'CREATE TEMPORARY TABLE spm_cap ON COMMIT DROP AS
    WITH span AS (
        SELECT DISTINCT q.period_id, q.span
        FROM (SELECT l.period_id FROM pg_temp.spm_line l WHERE l.is_new AND l.plan_id = $2 UNION SELECT $3) l
        JOIN spm.period p ON p.period_id = l.period_id
        JOIN spm.period q ON q.calendar_id = p.calendar_id AND q.span @> p.span
            AND CASE ($1).grain WHEN ''period'' THEN q.period_id = p.period_id ELSE q.grain = ($1).grain END
    )
    SELECT w.period_id, w.span @> $4 AS is_own, l.payee_id, k AS in_force,
           coalesce(sum(l.amount) FILTER (WHERE l.rule_no < k.rule_no AND (k.components IS NULL OR l.component_name = ANY (k.components))), 0) AS base,
           coalesce(sum(l.amount) FILTER (WHERE l.rule_name = k.name AND l.kind = ''cap''), 0) AS capped,
           coalesce(sum(l.amount) FILTER (WHERE l.rule_name = k.name AND l.kind = ''carried''), 0) AS carried
    FROM span w
    CROSS JOIN LATERAL spm._rule_in_force($2, ($1).name, w.span) k
    JOIN spm.period p ON p.calendar_id = $5 AND p.span <@ w.span
    JOIN pg_temp.spm_line l ON l.period_id = p.period_id AND l.plan_id = $2
    WHERE k.kind = ''cap''
    GROUP BY w.period_id, w.span, l.payee_id, k' USING rule, _pay_cap.plan_id, this.period_id, this.span, this.calendar_id;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    SELECT true, this.period_id, CASE WHEN w.is_own THEN this.period_id ELSE w.period_id END, w.payee_id, n.plan_id, n.currency_code,
           'cap', (w.in_force).pay_rule_id, (w.in_force).name, (w.in_force).rule_no, -greatest(w.base - a.amount, 0) - w.capped
    FROM pg_temp.spm_cap w
    JOIN spm.plan n ON n.plan_id = _pay_cap.plan_id
    JOIN spm.period p ON p.period_id = w.period_id
    LEFT JOIN LATERAL spm._plan_payee(n.plan_id, p.span) s ON s.payee_id = w.payee_id AND ((w.in_force).variable_id IS NOT NULL OR (w.in_force).prorate <> 'none')
    CROSS JOIN LATERAL (SELECT CASE WHEN (w.in_force).variable_id IS NULL AND (w.in_force).prorate = 'none' THEN (w.in_force).amount
        ELSE spm._rule_amount(w.in_force, w.payee_id, s.position_id, coalesce(s.spans, '{}'), w.period_id) END AS amount) a
    WHERE (w.base > 0 OR w.capped <> 0) AND -greatest(w.base - a.amount, 0) - w.capped <> 0;
    IF rule.method <> 'carried' THEN
        RETURN;
    END IF;
    -- what earlier spans have left over is paid as far as this one has room; all of it once there is no cap any more
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    SELECT true, this.period_id, this.period_id, b.payee_id, n.plan_id, n.currency_code, 'carried', rule.pay_rule_id, rule.name, rule.rule_no,
           CASE WHEN is_active THEN least(greatest(a.amount - coalesce(w.base, 0), 0), b.owed + coalesce(w.carried, 0)) ELSE b.owed + coalesce(w.carried, 0) END
           - coalesce(w.carried, 0)
    FROM (SELECT u.payee_id, sum(u.amount) AS owed
          FROM (SELECT m.payee_id, m.added_amount - m.recovered_amount - m.forgiven_amount AS amount FROM spm._balance_before(_pay_cap.plan_id, rule.name, _pay_cap.posting_id) m
                UNION ALL
                SELECT l.payee_id, -l.amount FROM pg_temp.spm_line l WHERE l.is_new AND l.kind = 'cap' AND l.plan_id = _pay_cap.plan_id AND l.rule_name = rule.name) u
          GROUP BY u.payee_id) b
    JOIN spm.plan n ON n.plan_id = _pay_cap.plan_id
    LEFT JOIN pg_temp.spm_cap w ON w.is_own AND w.payee_id = b.payee_id
    LEFT JOIN LATERAL (SELECT p.period_id, p.span FROM spm.period p
                       WHERE p.calendar_id = this.calendar_id AND p.span @> this.span
                         AND CASE rule.grain WHEN 'period' THEN p.period_id = this.period_id ELSE p.grain = rule.grain END) p ON true
    LEFT JOIN LATERAL spm._plan_payee(n.plan_id, p.span) s ON s.payee_id = b.payee_id AND (rule.variable_id IS NOT NULL OR rule.prorate <> 'none')
    CROSS JOIN LATERAL (SELECT CASE WHEN NOT is_active THEN NULL WHEN rule.variable_id IS NULL AND rule.prorate = 'none' THEN rule.amount ELSE spm._rule_amount(rule, b.payee_id, s.position_id, coalesce(s.spans, '{}'), p.period_id) END AS amount) a
    WHERE b.owed <> 0 OR w.carried <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_cap(spm.pay_rule, int, int, int, boolean) IS 'Lines of a cap: what is above it in every span that new lines were earned in, and what is carried into this one.';
REVOKE ALL ON FUNCTION spm._pay_cap(spm.pay_rule, int, int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._balance_before(plan_id int, rule_name text, posting_id int)
    RETURNS TABLE (payee_id int, period_id int, span daterange, pay_rule_id int, added_amount numeric, recovered_amount numeric, forgiven_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.payee_id, o.period_id, o.span, m.pay_rule_id, m.added_amount, m.recovered_amount, m.forgiven_amount
    FROM spm.plan_version v
    JOIN spm.pay_rule r USING (plan_version_id)
    JOIN spm.balance m USING (pay_rule_id)
    JOIN spm._posting_before(_balance_before.posting_id) o USING (posting_id)
    WHERE v.plan_id = _balance_before.plan_id AND r.name = _balance_before.rule_name;
END;
COMMENT ON FUNCTION spm._balance_before(int, text, int) IS 'What has moved the balances of a pay rule, under all versions of the plan, in the postings that a posting stands on.';
REVOKE ALL ON FUNCTION spm._balance_before(int, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_holdback(rule spm.pay_rule, plan_id int, posting_id int, period_id int, is_active boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
    of_plan record;
    this_no bigint;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_holdback.period_id;
    SELECT f.nth INTO this_no FROM spm._leaf(this.calendar_id) f WHERE f.period_id = this.period_id;
    SELECT n.plan_id, n.currency_code, u.minor_digits INTO of_plan FROM spm.plan n JOIN spm.currency u USING (currency_code) WHERE n.plan_id = _pay_holdback.plan_id;
    IF is_active AND (rule.release_on IS NULL OR upper(this.span) <= rule.release_on) THEN
        INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
        SELECT true, this.period_id, this.period_id, l.payee_id, of_plan.plan_id, of_plan.currency_code, 'holdback', rule.pay_rule_id, rule.name, rule.rule_no,
               -round(sum(l.amount) * rule.share, of_plan.minor_digits)
        FROM pg_temp.spm_line l
        WHERE l.is_new AND l.plan_id = of_plan.plan_id AND l.rule_no < rule.rule_no AND (rule.components IS NULL OR l.component_name = ANY (rule.components))
        GROUP BY l.payee_id
        HAVING round(sum(l.amount) * rule.share, of_plan.minor_digits) <> 0;
    END IF;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    SELECT true, this.period_id, this.period_id, m.payee_id, of_plan.plan_id, of_plan.currency_code, 'release', rule.pay_rule_id, rule.name, rule.rule_no,
           coalesce(sum(m.added_amount) FILTER (WHERE upper(this.span) > k.release_on OR this_no >= f.nth + k.release_after
               OR EXISTS (SELECT FROM spm.holdback_release x JOIN spm.period p ON p.period_id = x.through_period_id
                          WHERE x.plan_id = of_plan.plan_id AND x.rule_name = rule.name AND coalesce(x.payee_id, m.payee_id) = m.payee_id
                            AND upper(m.span) <= upper(p.span))), 0)
           - sum(m.recovered_amount) AS due
    FROM (SELECT b.payee_id, b.period_id, b.span, b.pay_rule_id, b.added_amount, b.recovered_amount
          FROM spm._balance_before(of_plan.plan_id, rule.name, _pay_holdback.posting_id) b
          UNION ALL
          SELECT l.payee_id, this.period_id, this.span, l.pay_rule_id, -l.amount, 0
          FROM pg_temp.spm_line l WHERE l.is_new AND l.kind = 'holdback' AND l.pay_rule_id = rule.pay_rule_id) m
    JOIN spm.pay_rule k ON k.pay_rule_id = m.pay_rule_id
    JOIN spm._leaf(this.calendar_id) f ON f.period_id = m.period_id
    GROUP BY m.payee_id;
END
$$;
COMMENT ON FUNCTION spm._pay_holdback(spm.pay_rule, int, int, int, boolean) IS 'Lines of a holdback: the share that is kept of new lines, and what was kept before and is due.';
REVOKE ALL ON FUNCTION spm._pay_holdback(spm.pay_rule, int, int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_floor(rule spm.pay_rule, plan_id int, posting_id int, period_id int, is_active boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
    of_plan record;
    this_no bigint;
    is_recovered boolean;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_floor.period_id;
    SELECT f.nth INTO this_no FROM spm._leaf(this.calendar_id) f WHERE f.period_id = this.period_id;
    SELECT n.plan_id, n.currency_code, u.minor_digits INTO of_plan FROM spm.plan n JOIN spm.currency u USING (currency_code) WHERE n.plan_id = _pay_floor.plan_id;
    is_recovered := coalesce(lower(this.span) >= rule.recover_from, true) AND coalesce(lower(this.span) < rule.recover_until, true);
    -- the period as a whole, with all its postings; this one pays the difference
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount, forgiven, reason)
    WITH leaf AS MATERIALIZED (
        SELECT * FROM spm._leaf(this.calendar_id)
    ), member AS MATERIALIZED (    -- who is on the plan, since when, and whether the guarantee holds
        SELECT s.payee_id, s.position_id, s.spans, f.nth,
               is_active AND rule.kind <> 'negative' AND coalesce(lower(this.span) < rule.until, true) AND coalesce(f.nth <= rule.first_periods, true) AS is_in,
               coalesce(upper(this.span) >= rule.until, false) OR coalesce(f.nth = rule.first_periods, false) AS is_last
        FROM spm._plan_payee(of_plan.plan_id, this.span) s
        LEFT JOIN (SELECT a.payee_id, this_no + 1 - min(l.nth) AS nth
                   FROM spm._plan_payee(of_plan.plan_id, '(,)') a
                   JOIN leaf l ON upper(l.span) > lower(a.spans) OR lower_inf(a.spans)
                   WHERE rule.first_periods IS NOT NULL
                   GROUP BY a.payee_id) f USING (payee_id)
    ), line AS (
        SELECT l.payee_id,
               coalesce(sum(l.amount) FILTER (WHERE l.rule_no < rule.rule_no AND (rule.components IS NULL OR l.component_name = ANY (rule.components))), 0) AS pay,
               coalesce(sum(l.amount) FILTER (WHERE l.rule_name = rule.name AND l.kind = rule.kind), 0) AS added,
               -coalesce(sum(l.amount) FILTER (WHERE l.rule_name = rule.name AND l.kind = 'recovery'), 0) AS recovered
        FROM pg_temp.spm_line l
        WHERE l.plan_id = of_plan.plan_id AND l.posting_period_id = this.period_id
        GROUP BY l.payee_id
    ), owed AS (
        SELECT m.payee_id,
               coalesce(sum(m.added_amount - m.recovered_amount - m.forgiven_amount) FILTER (WHERE m.span << this.span), 0) AS opening,
               coalesce(sum(CASE WHEN f.nth + rule.recover_after <= this_no THEN m.added_amount ELSE 0 END
                            - m.recovered_amount - m.forgiven_amount) FILTER (WHERE m.span << this.span), 0) AS due,
               coalesce(sum(m.forgiven_amount) FILTER (WHERE m.period_id = this.period_id), 0) AS forgiven
        FROM spm._balance_before(of_plan.plan_id, rule.name, _pay_floor.posting_id) m JOIN leaf f USING (period_id)
        GROUP BY m.payee_id
    ), payee AS (
        SELECT y.payee_id, coalesce(l.pay, 0) AS pay, coalesce(l.added, 0) AS added, coalesce(l.recovered, 0) AS recovered,
               coalesce(o.opening, 0) AS opening, coalesce(o.due, 0) AS due, coalesce(o.forgiven, 0) AS forgiven,
               coalesce(m.is_in, false) AS is_in, coalesce(m.is_in AND m.is_last, false) AS is_last,
               CASE WHEN NOT coalesce(m.is_in, false) THEN 0
                    WHEN rule.variable_id IS NULL AND rule.prorate = 'none' THEN round(rule.amount, of_plan.minor_digits)
                    ELSE spm._rule_amount(rule, y.payee_id, m.position_id, m.spans, this.period_id) END AS draw
        FROM (SELECT payee_id FROM member UNION SELECT payee_id FROM line UNION SELECT payee_id FROM owed) y
        LEFT JOIN member m USING (payee_id) LEFT JOIN line l USING (payee_id) LEFT JOIN owed o USING (payee_id)
    ), topped AS (
        SELECT y.*, CASE WHEN rule.kind = 'negative' THEN CASE WHEN is_active THEN greatest(-y.pay, 0) ELSE 0 END
                         WHEN NOT y.is_in THEN 0
                         WHEN rule.method = 'advance' THEN y.draw
                         ELSE greatest(y.draw - y.pay, 0) END AS topup
        FROM payee y
    ), settled AS (
        SELECT t.*, CASE WHEN rule.kind = 'guarantee' OR rule.method = 'zeroed' OR NOT is_recovered OR rule.method <> 'advance' AND t.topup > 0 THEN 0
                    ELSE greatest(least(
                        t.opening + t.topup,
                        CASE rule.recover_after WHEN 0 THEN t.due + t.topup ELSE t.due END,
                        round(greatest(least(t.pay, CASE rule.method
                            WHEN 'floor' THEN t.pay - coalesce(rule.minimum, t.draw)
                            WHEN 'advance' THEN t.pay + t.topup - coalesce(rule.minimum, 0)
                            ELSE t.pay - coalesce(rule.minimum, 0) END), 0) * rule.recover_share, of_plan.minor_digits),
                        rule.recover_maximum), 0) END AS recovery
        FROM topped t
    ), written AS (
        SELECT s.*, CASE WHEN rule.method = 'zeroed' THEN s.topup
                         WHEN rule.is_forgiven AND s.is_last THEN greatest(s.opening + s.topup - s.recovery, 0)
                         ELSE 0 END AS forgiveness
        FROM settled s
    )
    SELECT true, this.period_id, this.period_id, w.payee_id, of_plan.plan_id, of_plan.currency_code, u.kind, rule.pay_rule_id, rule.name, rule.rule_no,
           u.amount, u.forgiven, u.reason
    FROM written w
    CROSS JOIN LATERAL (VALUES
        (rule.kind, w.topup - w.added, 0::numeric, NULL::text),
        ('recovery', w.recovered - w.recovery, 0, NULL),
        ('forgiveness', 0, w.forgiveness - w.forgiven, format('%s written off', w.forgiveness - w.forgiven))) u(kind, amount, forgiven, reason)
    WHERE u.amount <> 0 OR u.forgiven <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_floor(spm.pay_rule, int, int, int, boolean) IS
'Lines of a guarantee, a draw or a rule for negative pay: what is added to the pay of the period, what is recovered from it, and what is written off.';
REVOKE ALL ON FUNCTION spm._pay_floor(spm.pay_rule, int, int, int, boolean) FROM PUBLIC;

-- ------------------------------------------------------------------------ holds

CREATE OR REPLACE FUNCTION spm._pay_hold(posting_id int, period_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_hold.period_id;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, hold_id, rule_no, amount, reason)
    WITH active AS MATERIALIZED (
        SELECT h.* FROM spm.hold h WHERE h.released_at IS NULL AND h.since < upper(this.span)
    ), held AS MATERIALIZED (    -- what is held by now
        SELECT x.hold_id, x.payee_id, x.plan_id, x.currency_code, -sum(x.amount) AS amount
        FROM spm.payout x JOIN spm._posting_before(_pay_hold.posting_id) USING (posting_id)
        WHERE x.hold_id IS NOT NULL
        GROUP BY x.hold_id, x.payee_id, x.plan_id, x.currency_code HAVING sum(x.amount) <> 0
    ), earned AS (    -- what each hold is meant to keep; an earning is kept by the first
        SELECT e.hold_id, e.payee_id, n.plan_id, n.currency_code, greatest(sum(e.amount), 0) AS amount
        FROM (SELECT DISTINCT ON (e.earning_id) e.earning_id, h.hold_id, e.payee_id, v.plan_id, e.amount
              FROM active h
              JOIN (SELECT b.posting_id, b.span, b.posted_at FROM spm._posting_before(_pay_hold.posting_id) b UNION ALL SELECT _pay_hold.posting_id, this.span, NULL) o ON h.since < upper(o.span)
              JOIN spm.earning e ON e.posting_id = o.posting_id AND coalesce(h.payee_id, e.payee_id) = e.payee_id
              JOIN spm.component c ON c.component_id = e.component_id AND coalesce(h.component_name, c.name) = c.name
              JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id AND coalesce(h.plan_id, v.plan_id) = v.plan_id
              LEFT JOIN spm.credit t ON t.credit_id = e.credit_id AND t.period_id = coalesce(e.credit_period_id, e.period_id)
              WHERE num_nonnulls(h.component_name, h.transaction_key) > 0
                AND (h.transaction_key IS NULL OR t.transaction_key = h.transaction_key AND coalesce(h.source, t.source) = t.source)
                -- what was posted before it was held stays paid
                AND (o.posted_at IS NULL OR o.posted_at > h.held_at)
              ORDER BY e.earning_id, h.hold_id) e
        JOIN spm.plan n USING (plan_id)
        GROUP BY e.hold_id, e.payee_id, n.plan_id, n.currency_code
    ), payable AS MATERIALIZED (
        SELECT l.payee_id, l.plan_id, l.currency_code, sum(l.amount) AS amount
        FROM pg_temp.spm_line l WHERE l.is_new GROUP BY l.payee_id, l.plan_id, l.currency_code
    ), demand AS (    -- more to be kept, or less; NULL: all there is
        SELECT h.hold_id, p.payee_id, p.plan_id, p.currency_code, coalesce(k.amount, 0) AS held, NULL::numeric AS amount, h.reason
        FROM active h
        JOIN payable p ON p.payee_id = h.payee_id AND (h.plan_id IS NULL OR h.plan_id = p.plan_id)
        LEFT JOIN held k ON (k.hold_id, k.payee_id, coalesce(k.plan_id, 0), k.currency_code) = (h.hold_id, p.payee_id, coalesce(p.plan_id, 0), p.currency_code)
        WHERE num_nonnulls(h.component_name, h.transaction_key) = 0
        UNION ALL
        SELECT m.hold_id, m.payee_id, m.plan_id, m.currency_code, m.held, m.amount, h.reason
        FROM (SELECT hold_id, payee_id, plan_id, currency_code, coalesce(k.amount, 0) AS held, coalesce(e.amount, 0) - coalesce(k.amount, 0) AS amount
              FROM earned e FULL JOIN held k USING (hold_id, payee_id, plan_id, currency_code)) m
        JOIN active h ON h.hold_id = m.hold_id
        WHERE num_nonnulls(h.component_name, h.transaction_key) > 0
        UNION ALL
        SELECT k.hold_id, k.payee_id, k.plan_id, k.currency_code, k.amount, -k.amount, h.release_reason
        FROM held k JOIN spm.hold h USING (hold_id) WHERE h.released_at IS NOT NULL
    ), base AS (    -- releases first
        SELECT d.*, coalesce(p.amount, 0)
               - coalesce(sum(least(d.amount, 0)) FILTER (WHERE d.amount IS NOT NULL) OVER (PARTITION BY d.payee_id, d.plan_id, d.currency_code), 0) AS base
        FROM demand d
        LEFT JOIN payable p ON (p.payee_id, coalesce(p.plan_id, 0), p.currency_code) = (d.payee_id, coalesce(d.plan_id, 0), d.currency_code)
    ), room AS (    -- then holds of something, then holds of everything, each of what the ones before leave
        SELECT b.*, greatest(b.base - coalesce(sum(greatest(b.amount, 0)) FILTER (WHERE b.amount IS NOT NULL) OVER (
                     PARTITION BY b.payee_id, b.plan_id, b.currency_code
                     ORDER BY b.amount IS NULL, b.hold_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0) AS room,
               row_number() OVER (PARTITION BY b.payee_id, b.plan_id, b.currency_code, b.amount IS NULL ORDER BY b.hold_id) AS nth
        FROM base b
    ), kept AS (
        SELECT r.*, CASE WHEN r.amount < 0 THEN r.amount
                         WHEN r.amount >= 0 THEN least(r.amount, r.room)
                         WHEN r.nth > 1 THEN 0
                         -- what takes back pay takes it from what is kept
                         WHEN r.base < 0 THEN greatest(r.base, -r.held)
                         ELSE r.room END AS keep
        FROM room r
    )
    SELECT true, this.period_id, this.period_id, k.payee_id, k.plan_id, k.currency_code, CASE WHEN k.keep > 0 THEN 'hold' ELSE 'release' END, k.hold_id, 2147483647,
           -k.keep, k.reason
    FROM kept k WHERE k.keep <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_hold(int, int) IS 'Lines of holds: what is kept of new lines, never more than there is to pay, and what was kept and is released.';
REVOKE ALL ON FUNCTION spm._pay_hold(int, int) FROM PUBLIC;

-- ------------------------------------------------------------------------ stage

CREATE OR REPLACE FUNCTION spm._pay(posting_id int, run_id bigint, payees int[] DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period := (SELECT p FROM spm.posting o JOIN spm.period p USING (period_id) WHERE o.posting_id = _pay.posting_id);
    step record;
    changed bigint := 0;
    n bigint;
BEGIN
    PERFORM spm._drop_temporary('spm_line');
    CREATE TEMPORARY TABLE spm_line (
        is_new boolean NOT NULL, posting_period_id int NOT NULL, period_id int NOT NULL, payee_id int NOT NULL, position_id int, component_id int,
        component_name text, plan_id int, currency_code text NOT NULL, kind text NOT NULL, pay_rule_id int, rule_name text, rule_no int NOT NULL,
        hold_id int, adjustment_id int, amount numeric NOT NULL, forgiven numeric NOT NULL DEFAULT 0, reason text) ON COMMIT DROP;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, position_id, component_id, component_name, plan_id, currency_code, kind, rule_no, amount)
    SELECT true, this.period_id, e.period_id, e.payee_id, e.position_id, c.component_id, c.name, p.plan_id, p.currency_code, 'earning', 0, sum(e.amount)
    FROM spm.earning e
    JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    WHERE e.posting_id = _pay.posting_id AND (_pay.payees IS NULL OR e.payee_id = ANY (_pay.payees))
    GROUP BY e.period_id, e.payee_id, e.position_id, c.component_id, p.plan_id
    HAVING sum(e.amount) <> 0 OR e.period_id = this.period_id;
    -- adjustments wait for nothing; rules that come after them see them by their number
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, component_id, component_name, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no,
                                  adjustment_id, amount, reason)
    SELECT true, this.period_id, a.period_id, a.payee_id, a.component_id, c.name, a.plan_id, a.currency_code, 'adjustment', r.pay_rule_id, r.name,
           coalesce(r.rule_no, spm._rule_place('adjustment')), a.adjustment_id, a.amount, a.reason
    FROM spm.adjustment a
    JOIN spm.period p ON p.period_id = a.period_id AND p.calendar_id = this.calendar_id AND NOT p.span >> this.span
    LEFT JOIN spm.component c ON c.component_id = a.component_id
    LEFT JOIN LATERAL (
        SELECT k.* FROM spm.pay_rule k
        WHERE k.kind = 'adjustment' AND k.plan_version_id = (
            SELECT w.plan_version_id FROM spm.plan_version w WHERE w.plan_id = a.plan_id AND w.state <> 'draft' AND w.span && this.span ORDER BY w.span DESC LIMIT 1)
        ORDER BY k.rule_no LIMIT 1) r ON true
    WHERE a.approved_at IS NOT NULL AND a.withdrawn_at IS NULL AND (_pay.payees IS NULL OR a.payee_id = ANY (_pay.payees))
      AND NOT EXISTS (SELECT FROM spm.payout x JOIN spm._posting_before(_pay.posting_id) USING (posting_id) WHERE x.adjustment_id = a.adjustment_id);
    -- what earlier postings have paid in this period, and of the spans that new lines belong to
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, position_id, component_id, component_name, plan_id, currency_code, kind,
                                  pay_rule_id, rule_name, rule_no, hold_id, adjustment_id, amount, reason)
    SELECT false, o.period_id, x.period_id, x.payee_id, x.position_id, x.component_id, c.name, x.plan_id, x.currency_code, x.kind,
           x.pay_rule_id, r.name, CASE WHEN x.kind = 'earning' THEN 0 WHEN x.hold_id IS NOT NULL THEN 2147483647
                                       ELSE coalesce(r.rule_no, spm._rule_place(x.kind)) END, x.hold_id, x.adjustment_id, x.amount, x.reason
    FROM spm.payout x
    JOIN spm._posting_before(_pay.posting_id) o USING (posting_id)
    JOIN spm.period p ON p.period_id = x.period_id
    LEFT JOIN spm.component c ON c.component_id = x.component_id
    LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
    WHERE x.plan_id IN (SELECT v.plan_id FROM spm.plan_version v JOIN spm.pay_rule k USING (plan_version_id) WHERE v.state <> 'draft')
      AND (_pay.payees IS NULL OR x.payee_id = ANY (_pay.payees))
      AND (o.period_id = this.period_id
           OR upper(p.span) > (SELECT min(lower(q.span)) FROM spm.period q
                               WHERE q.calendar_id = this.calendar_id AND q.span && ANY (
                                   SELECT m.span FROM spm.period m WHERE m.period_id IN (SELECT l.period_id FROM pg_temp.spm_line l UNION SELECT this.period_id))));
    ANALYZE pg_temp.spm_line;
    -- rules in order; one that the last version has no longer only settles its balances
    FOR step IN
        SELECT s.* FROM (
            SELECT DISTINCT ON (v.plan_id, r.name, CASE r.kind WHEN 'budget' THEN r.pay_rule_id END)
                   r AS rule, r.kind, r.rule_no, v.plan_id,
                   v.plan_version_id = (SELECT w.plan_version_id FROM spm.plan_version w
                                        WHERE w.plan_id = v.plan_id AND w.state <> 'draft' AND w.span && this.span ORDER BY w.span DESC LIMIT 1) AS is_active
            FROM spm.plan n JOIN spm.plan_version v USING (plan_id) JOIN spm.pay_rule r USING (plan_version_id)
            WHERE n.calendar_id = this.calendar_id AND v.state <> 'draft' AND NOT v.span >> this.span
            ORDER BY v.plan_id, r.name, CASE r.kind WHEN 'budget' THEN r.pay_rule_id END, v.span DESC) s
        ORDER BY s.rule_no, s.plan_id
    LOOP
        CASE step.kind
            WHEN 'budget' THEN PERFORM spm._pay_budget(step.rule, step.plan_id, _pay.posting_id, this.period_id);
            WHEN 'cap' THEN PERFORM spm._pay_cap(step.rule, step.plan_id, _pay.posting_id, this.period_id, coalesce(step.is_active, false));
            WHEN 'holdback' THEN PERFORM spm._pay_holdback(step.rule, step.plan_id, _pay.posting_id, this.period_id, coalesce(step.is_active, false));
            WHEN 'adjustment' THEN NULL;
            ELSE PERFORM spm._pay_floor(step.rule, step.plan_id, _pay.posting_id, this.period_id, coalesce(step.is_active, false));
        END CASE;
    END LOOP;
    IF EXISTS (SELECT FROM spm.hold) THEN
        PERFORM spm._pay_hold(_pay.posting_id, this.period_id);
    END IF;
    DELETE FROM pg_temp.spm_line l WHERE NOT l.is_new OR l.amount = 0 AND l.kind NOT IN ('earning', 'forgiveness') OR l.payee_id <> ALL (_pay.payees);

    DELETE FROM spm.payout o WHERE o.posting_id = _pay.posting_id AND (_pay.payees IS NULL OR o.payee_id = ANY (_pay.payees)) AND NOT EXISTS (
        SELECT FROM pg_temp.spm_line l
        WHERE (l.period_id, l.payee_id, coalesce(l.position_id, 0), coalesce(l.component_id, 0), l.kind, coalesce(l.plan_id, 0), coalesce(l.pay_rule_id, 0),
               coalesce(l.hold_id, 0), coalesce(l.adjustment_id, 0), l.currency_code, l.amount, coalesce(l.reason, ''))
            = (o.period_id, o.payee_id, coalesce(o.position_id, 0), coalesce(o.component_id, 0), o.kind, coalesce(o.plan_id, 0), coalesce(o.pay_rule_id, 0),
               coalesce(o.hold_id, 0), coalesce(o.adjustment_id, 0), o.currency_code, o.amount, coalesce(o.reason, '')));
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n;
    IF NOT spm._is_blank('payout', _pay.posting_id, 'posting_id') OR NOT spm._is_locked() THEN
        INSERT INTO spm.payout (posting_id, run_id, period_id, payee_id, position_id, component_id, kind, plan_id, pay_rule_id, hold_id, adjustment_id, currency_code, amount, reason)
        SELECT _pay.posting_id, _pay.run_id, l.period_id, l.payee_id, l.position_id, l.component_id, l.kind, l.plan_id, l.pay_rule_id, l.hold_id, l.adjustment_id,
               l.currency_code, l.amount, l.reason
        FROM pg_temp.spm_line l
        ON CONFLICT ON CONSTRAINT payout_key DO NOTHING;
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSE
        n := spm._append('spm.payout', format('SELECT %s AS posting_id, %s::bigint AS run_id, l.period_id, l.payee_id, l.position_id, l.component_id, l.kind, l.plan_id,
            l.pay_rule_id, l.hold_id, l.adjustment_id, l.currency_code, l.amount, l.reason FROM pg_temp.spm_line l', _pay.posting_id, _pay.run_id));
    END IF;
    changed := changed + n + spm._balance(_pay.posting_id, this.period_id, _pay.run_id, _pay.payees);
    PERFORM spm._drop_temporary('spm_line'), spm._drop_temporary('spm_cap');
    RETURN changed;
END
$$;
COMMENT ON FUNCTION spm._pay(int, bigint, int[]) IS 'Fourth stage: the earnings of a posting to payouts, by way of adjustments, pay rules and holds. payees: whose; NULL: all. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._pay(int, bigint, int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._balance(posting_id int, period_id int, run_id bigint, payees int[] DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    changed bigint;
    n bigint;
BEGIN
    PERFORM spm._drop_temporary('spm_balance');
    -- the rule of a name that moves it now, else the one that moved it last
    CREATE TEMPORARY TABLE spm_balance ON COMMIT DROP AS
    SELECT m.payee_id, m.plan_id, m.name, (array_agg(m.pay_rule_id ORDER BY m.is_new DESC, m.pay_rule_id DESC))[1] AS pay_rule_id,
           sum(m.opening) AS opening_amount, sum(m.added) AS added_amount, sum(m.recovered) AS recovered_amount, sum(m.forgiven) AS forgiven_amount
    FROM (SELECT l.payee_id, l.plan_id, r.name, l.pay_rule_id, true AS is_new, 0 AS opening,
                 CASE WHEN l.kind IN ('draw', 'negative') THEN l.amount WHEN l.kind IN ('cap', 'holdback') THEN -l.amount ELSE 0 END AS added,
                 CASE WHEN l.kind = 'recovery' THEN -l.amount WHEN l.kind IN ('carried', 'release') THEN l.amount ELSE 0 END AS recovered, l.forgiven
          FROM pg_temp.spm_line l JOIN spm.pay_rule r USING (pay_rule_id)
          WHERE r.kind IN ('draw', 'negative', 'holdback') OR r.kind = 'cap' AND r.method = 'carried'
          UNION ALL
          SELECT b.payee_id, v.plan_id, r.name, b.pay_rule_id, false, b.added_amount - b.recovered_amount - b.forgiven_amount, 0, 0, 0
          FROM spm.balance b
          JOIN spm._posting_before(_balance.posting_id) USING (posting_id)
          JOIN spm.pay_rule r USING (pay_rule_id) JOIN spm.plan_version v USING (plan_version_id)
          WHERE _balance.payees IS NULL OR b.payee_id = ANY (_balance.payees)) m
    GROUP BY m.payee_id, m.plan_id, m.name
    HAVING sum(m.opening) <> 0 OR bool_or(m.added <> 0 OR m.recovered <> 0 OR m.forgiven <> 0);
    DELETE FROM spm.balance b WHERE b.posting_id = _balance.posting_id AND (_balance.payees IS NULL OR b.payee_id = ANY (_balance.payees)) AND NOT EXISTS (
        SELECT FROM pg_temp.spm_balance m
        WHERE (m.payee_id, m.pay_rule_id, m.opening_amount, m.added_amount, m.recovered_amount, m.forgiven_amount)
            = (b.payee_id, b.pay_rule_id, b.opening_amount, b.added_amount, b.recovered_amount, b.forgiven_amount));
    GET DIAGNOSTICS changed = ROW_COUNT;
    INSERT INTO spm.balance (posting_id, period_id, run_id, payee_id, pay_rule_id, opening_amount, added_amount, recovered_amount, forgiven_amount, closing_amount)
    SELECT _balance.posting_id, _balance.period_id, _balance.run_id, m.payee_id, m.pay_rule_id, m.opening_amount, m.added_amount, m.recovered_amount, m.forgiven_amount,
           m.opening_amount + m.added_amount - m.recovered_amount - m.forgiven_amount
    FROM pg_temp.spm_balance m
    ON CONFLICT (posting_id, payee_id, pay_rule_id) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM spm._drop_temporary('spm_balance');
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._balance(int, int, bigint, int[]) IS 'Balances of the pay rules after a posting, from its lines and the postings before. payees: whose; NULL: all. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._balance(int, int, bigint, int[]) FROM PUBLIC;
