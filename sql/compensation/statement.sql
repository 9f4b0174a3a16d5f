/*
 * compensation/statement.sql: results told to the people they are about.
 *
 * One query writes the statements of everybody, so that posting can keep them.
 */

CREATE OR REPLACE FUNCTION spm._statement_line(label text, base text, rate text, amount text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT rtrim(rpad(CASE WHEN length(_statement_line.label) > w.width THEN left(_statement_line.label, w.width - 1) || '~'
                           ELSE _statement_line.label END, w.width)
        -- lpad() would cut the end off a long amount
        || CASE WHEN w.width = 36 THEN lpad(coalesce(_statement_line.base, ''), greatest(17, 1 + length(_statement_line.base)))
                || lpad(coalesce(_statement_line.rate, ''), greatest(10, 1 + length(_statement_line.rate))) ELSE '' END
        || lpad(coalesce(_statement_line.amount, ''), greatest(17, 1 + length(_statement_line.amount))))
    FROM (SELECT CASE WHEN num_nulls(_statement_line.base, _statement_line.rate) = 2 THEN 63 ELSE 36 END AS width) w;
END;
COMMENT ON FUNCTION spm._statement_line(text, text, text, text) IS 'A line of a statement, 80 columns wide unless an amount needs more.';
REVOKE ALL ON FUNCTION spm._statement_line(text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._wrapped(words text, indent int)
    RETURNS SETOF text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT repeat(' ', CASE WHEN m.nth = 1 THEN _wrapped.indent ELSE _wrapped.indent + 2 END) || m.found[1]
    FROM regexp_matches(regexp_replace(_wrapped.words, '\s+', ' ', 'g'),
        format('\S(?:.{0,%s}\S)?(?=\s|$)|\S{%s}', 76 - _wrapped.indent, 78 - _wrapped.indent), 'g') WITH ORDINALITY m(found, nth)
    ORDER BY m.nth
$$;
COMMENT ON FUNCTION spm._wrapped(text, int) IS 'Words as lines of at most 80 columns.';
REVOKE ALL ON FUNCTION spm._wrapped(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plain(expression text)
    RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    e text := _plain.expression;
    before text;
BEGIN
    e := regexp_replace(e, '\mt\.(\w+)', '\1', 'g');
    e := regexp_replace(e, '::(?:pg_catalog\.)?(?:text|numeric|date|integer|bigint|boolean|character varying|interval)(?:\([\d,]+\))?(?:\[\])?', '', 'g');
    e := regexp_replace(e, '\(?attributes ->> ''([^'']*)''\)?', '\1', 'g');
    e := regexp_replace(e, '_key\M', '', 'g');
    e := regexp_replace(e, ' = ANY \(\(?''\{([^}]*)\}''\)?\)', ' is one of \1', 'g');
    e := regexp_replace(e, '\((-?\d+(?:\.\d+)?)\)', '\1', 'g');
    LOOP    -- brackets that say nothing
        before := e;
        e := regexp_replace(e, '\(([^()]* (?:=|<>|<|>|<=|>=|is one of) [^()]*)\)', '\1', 'g');
        e := regexp_replace(e, '^\(([^()]*)\)$', '\1');
        -- a pair around all of it: nowhere inside is everything closed
        IF left(e, 1) = '(' AND right(e, 1) = ')' AND e !~ '''' AND NOT EXISTS (
            SELECT FROM generate_series(1, length(e) - 1) n
            WHERE length(replace(left(e, n), '(', '')) = length(replace(left(e, n), ')', ''))) THEN
            e := substr(e, 2, length(e) - 2);
        END IF;
        EXIT WHEN e = before;
    END LOOP;
    e := regexp_replace(e, '\mAND\M', 'and', 'g');
    RETURN regexp_replace(e, '\mOR\M', 'or', 'g');
END
$$;
COMMENT ON FUNCTION spm._plain(text) IS 'A checked expression without what only PostgreSQL needs.';
REVOKE ALL ON FUNCTION spm._plain(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._method_words(c spm.component, grain text, minor_digits int, is_single boolean)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN words.told IS NULL AND is_single AND c.rounding = 'half_up' AND c.places = minor_digits THEN NULL ELSE concat_ws('; ',
        CASE WHEN NOT is_single THEN concat(
            CASE substring(c.rate_options FROM '^(whole|interpolated|weighted|bonus|excess|curve)')
                WHEN 'whole' THEN 'the rate reached pays for everything'
                WHEN 'interpolated' THEN 'the rate grows evenly between the steps and pays for everything'
                WHEN 'weighted' THEN 'a rate made up from the steps passed pays for everything'
                WHEN 'bonus' THEN 'a fixed amount for the step reached'
                WHEN 'excess' THEN 'all above the first step at the rate reached'
                WHEN 'curve' THEN 'the amount grows evenly between the steps'
                ELSE 'each part at its own rate' END,
            CASE WHEN c.basis <> 'credit' THEN NULL
                WHEN c.accumulate = 'deal' THEN ', every deal by itself'
                WHEN c.accumulate = 'group' THEN format(', every %s by itself', spm._plain(c.group_expression))
                WHEN c.accumulate = 'period' THEN format(', on the %s''s total', grain)
                WHEN c.accumulate ~ '^rolling' THEN format(', on the last %s %ss'' total', substring(c.accumulate FROM '\d+'), grain)
                ELSE format(', on the %s''s total', c.accumulate) END) END,
        words.told,
        CASE WHEN c.rate_options ~ '^bonus' AND c.rounding = 'half_up' THEN NULL ELSE concat(CASE WHEN c.basis = 'credit' THEN 'deals ' ELSE '' END,
            CASE c.rounding WHEN 'up' THEN 'rounded up to ' WHEN 'ceiling' THEN 'rounded up to ' WHEN 'down' THEN 'rounded down to '
                 WHEN 'floor' THEN 'rounded down to ' ELSE 'rounded to ' END,
            CASE c.places WHEN 0 THEN 'whole units' WHEN 2 THEN 'the cent' ELSE format('%s decimals', c.places) END,
            CASE c.rounding WHEN 'half_even' THEN ', halves to the even one' WHEN 'half_down' THEN ', halves down' END) END) END
    FROM (SELECT nullif(concat_ws('; ', CASE WHEN c.basis = 'credit' AND c.is_true_up THEN 'less what was earned before' END,
                                  CASE WHEN c.credit_cap IS NOT NULL THEN format('a deal counts for %s at most', spm._money(c.credit_cap, minor_digits)) END), '') AS told) words
$$;
COMMENT ON FUNCTION spm._method_words(spm.component, text, int, boolean) IS 'How a component is rated, in the words of who is paid by it. NULL: one rate for everything, rounded as usual.';
REVOKE ALL ON FUNCTION spm._method_words(spm.component, text, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._known_state(period_id int, as_of timestamptz, OUT posted_count bigint, OUT posting_id int, OUT is_draft boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.posted_count, p.posting_id,
           EXISTS (SELECT FROM spm.run r WHERE r.period_id = _known_state.period_id AND r.kind IN ('calculate', 'refresh')
                   AND r.finished_at <= _known_state.as_of AND r.finished_at > coalesce(p.posted_at, '-infinity'))
    FROM (SELECT count(*) AS posted_count, max(o.posting_id) AS posting_id, max(o.posted_at) AS posted_at
          FROM spm.posting o WHERE o.period_id = _known_state.period_id AND o.posted_at <= _known_state.as_of) p;
END;
COMMENT ON FUNCTION spm._known_state(int, timestamptz) IS 'Of a paying period at an instant: how often it had been posted, the last posting of these, and whether it had been calculated since.';
REVOKE ALL ON FUNCTION spm._known_state(int, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._difference_lines(postings int[], payee_id int)
    RETURNS SETOF spm.difference
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
DECLARE
    changed int;
BEGIN
    -- one period at a time, and by its key, so that no other part of the ledger is looked at
    FOR changed IN
        SELECT DISTINCT x.period_id FROM spm.payout x JOIN spm.posting o USING (posting_id)
        WHERE x.posting_id = ANY (_difference_lines.postings) AND (_difference_lines.payee_id IS NULL OR x.payee_id = _difference_lines.payee_id)
          AND x.kind = 'earning' AND x.amount <> 0 AND (x.period_id <> o.period_id OR x.posting_id <> _difference_lines.postings[1])
    LOOP
        RETURN QUERY EXECUTE format('SELECT d.* FROM spm.difference d WHERE d.period_id = %s AND d.posting_id = ANY (%L::int[])%s', changed, _difference_lines.postings,
                                    ' AND d.payee_id = ' || _difference_lines.payee_id);
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._difference_lines(int[], int) IS 'Rows of spm.difference that the postings of a period pay, in order of time, of one payee or, NULL, of everybody. A function, so that the view is planned only when there is something to tell.';
REVOKE ALL ON FUNCTION spm._difference_lines(int[], int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._statement_lines(period_id int, payee_id int, as_of timestamptz)
    RETURNS TABLE (who int, line_no bigint, line text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
    -- of one payee, starting workers would take longer than the work
    SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
    this int := _statement_lines.period_id;
    wanted int := _statement_lines.payee_id;
    instant timestamptz := _statement_lines.as_of;
    is_past boolean := _statement_lines.as_of < 'infinity';
    -- of a period that was reopened, the first posting is told in full, what the others add by line
    postings int[] := array(SELECT o.posting_id FROM spm.posting o WHERE o.period_id = _statement_lines.period_id ORDER BY 1);
    first_posting int := postings[1];
    -- a list also of one: so that a plan that holds for any payee finds the index, and need not be made for each
    whom int[] := CASE WHEN _statement_lines.payee_id IS NOT NULL THEN ARRAY[_statement_lines.payee_id]
                       ELSE array(SELECT y.payee_id FROM spm.payee y ORDER BY 1) END;
    how_far text := (SELECT concat(CASE WHEN h.posted_count > 1 OR h.posted_count = 1 AND h.is_draft THEN 'posted, reopened, ' END,
                                 CASE WHEN h.is_draft THEN 'calculated, not yet posted' ELSE 'posted' END)
                   FROM spm._known_state(_statement_lines.period_id, _statement_lines.as_of) h);
BEGIN
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT r.run_id FROM spm.run r WHERE r.finished_at <= instant
    ), m AS MATERIALIZED (
        -- as the period itself paid it: what a later posting has taken back still stands here
        SELECT m.* FROM spm.measurement m
        WHERE m.posting_id = first_posting AND m.period_id = this AND m.reverses_id IS NULL AND m.payee_id = ANY (whom)
          AND m.run_id IN (SELECT run_id FROM known)
        UNION ALL
        SELECT m.* FROM spm._superseded(NULL::spm.measurement, 'measurement', instant, postings[1:1], wanted) m
        WHERE is_past AND m.period_id = this AND m.reverses_id IS NULL
    ), e AS MATERIALIZED (
        SELECT e.payee_id, e.component_id, e.position_id, e.kind, e.schedule_id, e.from_total, e.base_amount, e.amount FROM spm.earning e
        WHERE e.posting_id = first_posting AND e.period_id = this AND e.reverses_id IS NULL AND e.payee_id = ANY (whom)
          AND e.run_id IN (SELECT run_id FROM known)
        UNION ALL
        SELECT e.payee_id, e.component_id, e.position_id, e.kind, e.schedule_id, e.from_total, e.base_amount, e.amount
        FROM spm._superseded(NULL::spm.earning, 'earning', instant, postings[1:1], wanted) e
        WHERE is_past AND e.period_id = this AND e.reverses_id IS NULL
    ), x AS MATERIALIZED (
        SELECT x.*, coalesce(x.plan_id, 0) AS of_plan FROM (
            SELECT x.* FROM spm.payout x
            WHERE x.posting_id = ANY (postings) AND x.payee_id = ANY (whom) AND x.run_id IN (SELECT run_id FROM known)
            UNION ALL
            SELECT x.* FROM spm._superseded(NULL::spm.payout, 'payout', instant, postings, wanted) x WHERE is_past) x
    ), balance AS MATERIALIZED (
        SELECT b.* FROM spm.balance b
        WHERE b.posting_id = ANY (postings) AND b.payee_id = ANY (whom) AND b.run_id IN (SELECT run_id FROM known)
        UNION ALL
        SELECT b.* FROM spm._superseded(NULL::spm.balance, 'balance', instant, postings, wanted) b WHERE is_past
    ), tier AS MATERIALIZED (
        SELECT t.component_id, row_number() OVER (PARTITION BY t.component_id ORDER BY lower(t.bounds)) AS tier_no,
               lower(t.bounds) AS from_value, upper(t.bounds) AS to_value, t.rate
        FROM spm.tier t WHERE t.component_id IN (SELECT m.component_id FROM m)
    ), seat AS MATERIALIZED (
        SELECT a.position_id, a.payee_id, min(lower(a.span)) AS since
        FROM spm.position_assignment a JOIN spm.period q ON q.period_id = this AND a.span && q.span
        WHERE a.payee_id = ANY (whom)
        GROUP BY a.position_id, a.payee_id
    ), part AS MATERIALIZED (    -- a component as it was measured for somebody
        SELECT m.*, p.plan_id, v.version_no, c AS component, c.component_no, c.name AS component_name, c.rate_options, c.basis, c.tier_basis, c.unit, c.pay, c.places,
               s.name AS seat, u.minor_digits, x.name AS variable_name, q.grain,
               count(*) OVER (PARTITION BY m.payee_id, m.component_id) > 1 AS has_seats,
               min(v.version_no) OVER (PARTITION BY m.payee_id, p.plan_id) < max(v.version_no) OVER (PARTITION BY m.payee_id, p.plan_id) AS has_versions,
               ARRAY[v.version_no::text, lpad(c.component_no::text, 6, '0'), h.since::text, s.name, m.position_id::text] AS place,
               -- the words that all seats share go to the first that has anything to tell
               row_number() OVER (PARTITION BY m.payee_id, m.component_id ORDER BY i.is_idle, h.since, s.name COLLATE "C", m.position_id) AS seat_no, i.is_idle,
               c.basis NOT IN ('credit', 'result') OR c.rate_options !~ '^(whole|interpolated|weighted|bonus|excess|curve)' AND k.n = 1 AS is_single,
               coalesce(w.words, 'all') AS whole_words,
               m.because AS told
        FROM m
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.currency u USING (currency_code)
        JOIN spm.position s USING (position_id)
        JOIN spm.period q ON q.period_id = this
        LEFT JOIN spm.variable x USING (variable_id)
        LEFT JOIN seat h ON h.position_id = m.position_id AND h.payee_id = m.payee_id
        LEFT JOIN (SELECT tier.component_id, count(*) AS n FROM tier GROUP BY tier.component_id) k ON k.component_id = m.component_id
        LEFT JOIN (SELECT i.component_id, string_agg(concat(CASE i.figure WHEN 'earned' THEN format('what %s earned', i.of_component) WHEN 'amount' THEN 'total of ' || i.of_component
                              ELSE format('%s of %s', i.figure, i.of_component) END, CASE i.scope WHEN 'team' THEN ' by the team' WHEN 'plan' THEN ' by everybody' END), ', ' ORDER BY i.input_no) AS words
                   FROM spm.component_input i GROUP BY i.component_id) w ON w.component_id = m.component_id
        LEFT JOIN (SELECT DISTINCT e.payee_id, e.component_id, e.position_id FROM e) o
            ON o.payee_id = m.payee_id AND o.component_id = m.component_id AND o.position_id = m.position_id
        CROSS JOIN LATERAL (SELECT c.basis = 'credit' AND m.credit_count = 0 AND m.opening_amount = 0 AND o.payee_id IS NULL AS is_idle) i
    ), told AS MATERIALIZED (    -- what is said of a component, the same to everybody: put into words once
        SELECT k.component_id, k.is_single,
               array(SELECT l.words FROM spm._wrapped(CASE WHEN k.basis = 'credit' THEN concat_ws(' of ',
                   CASE WHEN x.measure NOT IN ('amount', '1') THEN 'counts ' || x.measure END,
                   CASE WHEN x.condition IS NOT NULL THEN concat(CASE x.measure WHEN 'amount' THEN 'only ' WHEN '1' THEN 'counts ' END, 'deals where ', x.condition) END) END, 2)
                   WITH ORDINALITY l(words, sub) ORDER BY l.sub) AS count_lines,
               array(SELECT l.words FROM spm._wrapped(spm._method_words(k.component, k.grain, k.minor_digits, k.is_single), 2) WITH ORDINALITY l(words, sub) ORDER BY l.sub) AS method_lines
        FROM (SELECT DISTINCT ON (p.component_id, p.is_single) p.component_id, p.is_single, p.basis, p.component, p.grain, p.minor_digits FROM part p WHERE NOT p.is_idle) k
        CROSS JOIN LATERAL (SELECT spm._plain((k.component).measure_expression) AS measure, spm._plain((k.component).eligibility_expression) AS condition) x
    ), slice AS MATERIALIZED (
        SELECT e.payee_id, e.component_id, e.position_id, s.tier_no, s.kind, s.rate, sum(s.base) AS base_amount, sum(s.amount) AS amount,
               sum(sum(s.base)) OVER (PARTITION BY e.payee_id, e.component_id, e.position_id, s.kind ORDER BY s.tier_no, s.rate) AS running_base
        FROM e
        JOIN spm.schedule k USING (schedule_id)
        JOIN spm.component c USING (component_id)
        CROSS JOIN LATERAL spm.commission_slice(k.schedule, e.from_total, e.from_total + e.base_amount, c.places, c.rounding) s
        WHERE e.kind IN ('deal', 'total') AND c.basis NOT IN ('fixed', 'objective')
        GROUP BY e.payee_id, e.component_id, e.position_id, s.tier_no, s.kind, s.rate
    ), rated AS MATERIALIZED (    -- by the last calculation
        SELECT DISTINCT o.payee_id FROM spm.objective o
        CROSS JOIN (SELECT max(r.started_at) AS started_at FROM spm.run r WHERE r.period_id = this AND r.kind IN ('calculate', 'refresh') AND r.finished_at <= instant) r
        WHERE o.period_id = this AND o.rating IS NOT NULL AND o.recorded_at <= r.started_at AND coalesce(o.superseded_at, 'infinity') > r.started_at
    ), plan AS MATERIALIZED (    -- a section for each plan; 0: beside all plans
        SELECT y.payee_id, y.plan_id, n.name, coalesce(n.currency_code, y.currency_code) AS currency_code, coalesce(u.minor_digits, 2) AS minor_digits, y.versions, y.amount
        FROM (SELECT a.payee_id, a.plan_id, a.currency_code, string_agg(DISTINCT a.version, ', ') AS versions, coalesce(sum(a.amount), 0) AS amount
              FROM (SELECT part.payee_id, part.plan_id, NULL AS currency_code, 'v' || part.version_no AS version, NULL::numeric AS amount FROM part
                    UNION ALL
                    SELECT x.payee_id, x.of_plan, CASE x.of_plan WHEN 0 THEN x.currency_code END, NULL, x.amount FROM x) a
              GROUP BY a.payee_id, a.plan_id, a.currency_code) y
        LEFT JOIN spm.plan n USING (plan_id)
        LEFT JOIN spm.currency u ON u.currency_code = coalesce(n.currency_code, y.currency_code)
    ), difference AS MATERIALIZED (
        SELECT x.payee_id, x.of_plan AS plan_id, x.period_id, p.name AS period_name, c.name AS component_name, x.posting_id, sum(x.amount) AS amount,
               ARRAY[to_char(lower(p.span), 'YYYYMMDD'), lpad(min(c.component_no)::text, 6, '0'), c.name, x.posting_id::text] AS place
        FROM x JOIN spm.component c USING (component_id) JOIN spm.period p ON p.period_id = x.period_id
        WHERE x.kind = 'earning' AND (x.period_id <> this OR x.posting_id <> first_posting) AND x.amount <> 0
        GROUP BY x.payee_id, x.of_plan, x.period_id, p.name, p.span, c.name, x.posting_id
    ), reason AS MATERIALIZED (    -- of what is there now; a draft that is gone has left its amounts only
        SELECT d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id, d.transaction_key || coalesce('/' || nullif(d.line, ''), '') AS deal, d.amount, d.cause, d.reason,
               row_number() OVER w AS nth, count(*) OVER (PARTITION BY d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id) AS n
        FROM (SELECT FROM difference LIMIT 1) any_difference
        CROSS JOIN LATERAL spm._difference_lines(postings, wanted) d
        WHERE NOT is_past
        WINDOW w AS (PARTITION BY d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id
                     ORDER BY abs(d.amount) DESC, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C")
    ), titled AS MATERIALIZED (
        SELECT d.*, t.title, t.only_words, r.n IS NOT NULL AND length(t.title) + length(t.only_words) <= 60 AS is_short
        FROM difference d
        LEFT JOIN reason r ON r.n = 1 AND (r.payee_id, r.plan_id, r.period_id, r.component_name, r.posting_id) = (d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id)
        CROSS JOIN LATERAL (SELECT format('%s %s: %s', CASE WHEN d.period_id = this THEN 'Reopened' ELSE 'Difference' END, d.period_name, d.component_name) AS title,
                                   concat_ws(': ', r.deal, nullif(r.reason, '')) AS only_words) t
    ), written AS (
        -- ---- whose it is
        SELECT n.payee_id, n.plan_id, n.name AS plan_name, 1 AS section, '{}'::text[] AS place, w.nth::bigint AS nth, 0::bigint AS sub, w.words AS line
        FROM plan n JOIN spm.payee y USING (payee_id) JOIN spm.period p ON p.period_id = this
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, left(concat_ws(' - ', y.name, concat_ws(' ', coalesce(n.name, 'Beside all plans'), n.versions), p.name, n.currency_code), 80) AS words
            UNION ALL SELECT 2, format('%s to %s, %s', lower(p.span), upper(p.span) - 1, how_far)
            UNION ALL SELECT 3, repeat('-', 80)
            UNION ALL SELECT 4, spm._statement_line('', 'base', 'rate', 'earned')) w
        UNION ALL
        -- ---- each component: what counted, what it was measured by, what it earns
        SELECT p.payee_id, p.plan_id, n.name, 2, p.place, w.nth, w.sub, w.words
        FROM part p JOIN plan n USING (payee_id, plan_id)
        LEFT JOIN told k USING (component_id, is_single)
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, 0::bigint AS sub, left(concat(p.component_name, CASE WHEN p.has_versions THEN ' v' || p.version_no END, CASE WHEN p.has_seats THEN ' in ' || p.seat END, CASE WHEN p.is_idle THEN ': 0 deals' END,
                CASE WHEN p.is_idle THEN ', quota ' || spm._money(p.quota_amount, p.minor_digits) END), 80) AS words
            UNION ALL
            SELECT 2, l.sub, l.words FROM spm._wrapped(concat_ws(', ',
                CASE p.basis WHEN 'credit' THEN format('%s deal%s%s', p.credit_count, CASE WHEN p.credit_count <> 1 THEN 's' END,
                        CASE (p.component).credit_kind WHEN 'direct' THEN NULL WHEN 'rollup' THEN ' of the team' WHEN 'all' THEN ', own and of the team'
                             ELSE ' by ' || (p.component).credit_kind END) END,
                CASE WHEN p.opening_amount <> 0 THEN 'brought forward ' || spm._money(p.opening_amount, p.minor_digits) END,
                CASE WHEN p.quota_amount IS NOT NULL AND p.basis = 'credit' THEN CASE (p.component).against WHEN 'quota' THEN 'quota ' ELSE 'compared with ' END
                        || spm._money(p.quota_amount, p.minor_digits) END,
                CASE WHEN p.quota_amount > 0 AND p.basis = 'credit'
                     THEN 'attainment ' || spm._percent(spm.attainment(p.opening_amount + p.amount, p.quota_amount, 6)) END), 2) WITH ORDINALITY l(words, sub) WHERE NOT p.is_idle
            UNION ALL
            SELECT 3, l.sub, l.words FROM unnest(k.count_lines) WITH ORDINALITY l(words, sub) WHERE p.seat_no = 1 AND NOT p.is_idle
            UNION ALL
            -- of whoever sold nothing, how the quota came about and no more
            SELECT 4, 100 * b.nth + l.sub, l.words FROM unnest(p.told) WITH ORDINALITY b(words, nth)
            CROSS JOIN LATERAL spm._wrapped(b.words, 2) WITH ORDINALITY l(words, sub)
            WHERE NOT p.is_idle OR p.quota_amount IS NOT NULL AND b.nth = 1 AND b.words ~ '^([0-9]|nothing of )'
            UNION ALL
            SELECT 7, l.sub, l.words FROM unnest(k.method_lines) WITH ORDINALITY l(words, sub) WHERE p.seat_no = 1 AND NOT p.is_idle
            UNION ALL
            SELECT 8, l.sub, l.words FROM spm._wrapped(format('times your %s of %s', p.variable_name, trim_scale(p.factor)), 2) WITH ORDINALITY l(words, sub)
            WHERE p.variable_name IS NOT NULL AND p.basis IN ('credit', 'result') AND p.told = '{}' AND p.seat_no = 1 AND NOT p.is_idle) w
        UNION ALL
        SELECT p.payee_id, p.plan_id, n.name, 2, p.place, 5,
               row_number() OVER (PARTITION BY p.payee_id, p.component_id, p.position_id ORDER BY s.kind = 'tier' DESC, s.kind, s.tier_no, s.rate),
               spm._statement_line('  ' || CASE s.kind
                   WHEN 'rerate' THEN 'earlier deals at the new rate'
                   WHEN 'cap' THEN 'held back by the cap'
                   WHEN 'floor' THEN 'raised to the minimum'
                   ELSE CASE WHEN coalesce(s.tier_no, 0) = 0 THEN CASE WHEN p.rate_options ~ '^(bonus|curve)' THEN 'not reached' ELSE 'below the first step' END
                             WHEN t.to_value IS NULL AND t.from_value = 0 THEN p.whole_words
                             WHEN p.tier_basis = 'quota' THEN
                                 concat(CASE WHEN t.to_value IS NULL THEN 'from ' END, trim_scale(100 * t.from_value),
                                        ' - ' || trim_scale(100 * t.to_value), ' % of quota')
                             WHEN t.to_value IS NULL THEN 'from ' || spm._money(t.from_value, 0)
                             ELSE spm._money(t.from_value, 0) || ' - ' || spm._money(t.to_value, 0) END END,
                   CASE WHEN s.kind IN ('tier', 'rerate') THEN CASE WHEN p.basis = 'credit'
                        -- so that what is shown adds up to the deals
                        THEN spm._money(round(s.running_base, d.places) - round(s.running_base - s.base_amount, d.places), d.places)
                        ELSE trim_scale(round(s.base_amount, 6))::text END END,
                   CASE WHEN p.rate_options ~ '^(bonus|curve)' THEN NULL
                        WHEN p.pay = 'target' AND s.kind = 'tier' AND s.tier_no > 0 THEN 'x ' || trim_scale(t.rate)
                        WHEN s.rate IS NOT NULL THEN CASE WHEN p.unit = 'count' OR p.basis <> 'credit' THEN trim_scale(s.rate)::text ELSE spm._percent(s.rate) END END,
                   spm._money(s.amount, p.places))
        FROM slice s
        JOIN part p USING (payee_id, component_id, position_id)
        JOIN plan n USING (payee_id, plan_id)
        LEFT JOIN tier t ON t.component_id = s.component_id AND t.tier_no = s.tier_no
        CROSS JOIN LATERAL (SELECT CASE p.unit WHEN 'count' THEN 0 ELSE p.minor_digits END AS places) d
        -- but for the deals before a bonus was reached
        WHERE NOT (s.amount = 0 AND p.earned_amount <> 0 AND p.rate_options ~ '^(bonus|curve)')
        UNION ALL
        SELECT p.payee_id, p.plan_id, n.name, 2, p.place, 6, row_number() OVER (PARTITION BY p.payee_id, p.component_id, p.position_id ORDER BY o.kind),
               spm._statement_line('  ' || CASE
                   WHEN o.kind = 'true_up' THEN 'earlier deals, as they are worth by now'
                   WHEN o.kind = 'rank' THEN format('place %s', trim_scale(p.amount))
                   WHEN o.kind = 'pool' THEN format('your part of %s', spm._money(p.amount, p.minor_digits))
                   WHEN o.kind = 'refund' THEN 'taken back of deals that were cancelled'
                   WHEN p.basis = 'objective' THEN concat(CASE WHEN p.amount = 0 AND NOT EXISTS (SELECT FROM rated r WHERE r.payee_id = p.payee_id) THEN 'objectives not yet rated'
                                                               ELSE 'objectives met to ' || spm._percent(p.amount) END, ', ' || p.variable_name || ' ' || trim_scale(p.factor))
                   ELSE concat('fixed amount', ', ' || p.variable_name || ' ' || trim_scale(p.factor)) END, NULL, NULL, spm._money(o.amount, p.places))
        FROM (SELECT e.payee_id, e.component_id, e.position_id, e.kind, sum(e.amount) AS amount
              FROM e GROUP BY e.payee_id, e.component_id, e.position_id, e.kind) o
        JOIN part p USING (payee_id, component_id, position_id)
        JOIN plan n USING (payee_id, plan_id)
        WHERE o.kind IN ('true_up', 'rank', 'pool', 'refund') OR p.basis IN ('fixed', 'objective')
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 3, '{}', 1, 0, spm._statement_line('Earned in ' || p.name, NULL, NULL, spm._money(sum(z.amount), n.minor_digits))
        FROM plan n JOIN x z ON z.payee_id = n.payee_id AND z.of_plan = n.plan_id JOIN spm.period p ON p.period_id = this
        WHERE z.kind = 'earning' AND z.period_id = this AND z.posting_id = first_posting AND EXISTS (SELECT FROM x WHERE x.payee_id = n.payee_id AND x.of_plan = n.plan_id
                      AND (x.kind <> 'earning' OR x.amount <> 0 AND (x.period_id <> this OR x.posting_id <> first_posting)))
        GROUP BY n.payee_id, n.plan_id, n.name, n.minor_digits, p.name
        UNION ALL
        -- ---- what has changed since it was posted
        SELECT n.payee_id, n.plan_id, n.name, 4, d.place, 0, 0,
               spm._statement_line(concat(d.title, CASE WHEN d.is_short THEN ', ' || d.only_words END), NULL, NULL, spm._money(d.amount, n.minor_digits))
        FROM titled d JOIN plan n USING (payee_id, plan_id)
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 4, d.place, r.nth, l.sub, l.words
        FROM titled d
        JOIN plan n USING (payee_id, plan_id)
        JOIN reason r USING (payee_id, plan_id, period_id, component_name, posting_id)
        CROSS JOIN LATERAL spm._wrapped(concat(r.deal || ': ', CASE WHEN r.n > 1 THEN spm._money(r.amount, n.minor_digits) || ', ' END, r.reason), 2) WITH ORDINALITY l(words, sub)
        WHERE NOT d.is_short AND (r.nth <= 3 OR r.n = 4)
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 4, d.place, 100, l.sub, l.words
        FROM difference d
        JOIN plan n USING (payee_id, plan_id)
        JOIN (SELECT r.payee_id, r.plan_id, r.period_id, r.component_name, r.posting_id, count(*) AS n, sum(r.amount) AS amount, string_agg(DISTINCT r.cause, ', ') AS causes
              FROM reason r WHERE r.n > 4 AND r.nth > 3
              GROUP BY r.payee_id, r.plan_id, r.period_id, r.component_name, r.posting_id) o USING (payee_id, plan_id, period_id, component_name, posting_id)
        CROSS JOIN LATERAL spm._wrapped(format('%s more deals: %s (%s)', o.n, spm._money(o.amount, n.minor_digits), o.causes), 2) WITH ORDINALITY l(words, sub)
        UNION ALL
        -- ---- what pay rules, holds and adjustments made of it, in their order
        SELECT n.payee_id, n.plan_id, n.name, 5, ARRAY[lpad(coalesce(r.rule_no, 999999)::text, 6, '0'), x.kind, lpad(x.payout_id::text, 18, '0')], w.nth, w.sub, w.words
        FROM (SELECT x.payee_id, x.of_plan, x.kind, x.pay_rule_id, x.reason, x.period_id, min(x.payout_id) AS payout_id, sum(x.amount) AS amount
              FROM x WHERE x.kind <> 'earning' GROUP BY x.payee_id, x.of_plan, x.kind, x.pay_rule_id, x.reason, x.period_id) x
        JOIN plan n ON n.payee_id = x.payee_id AND n.plan_id = x.of_plan
        JOIN spm.period p ON p.period_id = x.period_id
        LEFT JOIN spm.pay_rule r USING (pay_rule_id)
        CROSS JOIN LATERAL (SELECT o.title, length(o.title) + coalesce(length(x.reason), 0) <= 60 AS is_short
            FROM (SELECT concat(r.name || ': ', CASE x.kind WHEN 'budget' THEN 'above the budget' WHEN 'cap' THEN 'above the cap'
                    WHEN 'carried' THEN 'paid of what was above the cap before' WHEN 'holdback' THEN 'held back until later' WHEN 'guarantee' THEN 'topped up to the guarantee'
                    WHEN 'draw' THEN 'drawn' WHEN 'recovery' THEN 'paid back' WHEN 'forgiveness' THEN 'written off' WHEN 'negative' THEN 'below zero, not collected now'
                    WHEN 'adjustment' THEN 'Adjustment' WHEN 'hold' THEN 'On hold' WHEN 'release' THEN 'Released' ELSE x.kind END,
                CASE WHEN x.period_id <> this THEN ' ' || p.name END) AS title) o) t
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, 0::bigint AS sub, spm._statement_line(concat(t.title, CASE WHEN t.is_short THEN ': ' || x.reason END), NULL, NULL, spm._money(x.amount, n.minor_digits)) AS words
            UNION ALL
            SELECT 2, l.sub, l.words FROM spm._wrapped(x.reason, 2) WITH ORDINALITY l(words, sub) WHERE NOT t.is_short) w
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 6, ARRAY[lpad(r.rule_no::text, 6, '0'), b.balance_id::text], 1, l.sub, l.words
        FROM balance b
        JOIN spm.pay_rule r USING (pay_rule_id) JOIN spm.plan_version v USING (plan_version_id)
        JOIN plan n ON n.payee_id = b.payee_id AND n.plan_id = v.plan_id
        CROSS JOIN LATERAL spm._wrapped(format('%s by %s: %s before, %s now', CASE WHEN r.kind IN ('draw', 'negative') THEN 'Owed' ELSE 'Kept for you' END, r.name,
            spm._money(b.opening_amount, n.minor_digits), spm._money(b.closing_amount, n.minor_digits)), 0) WITH ORDINALITY l(words, sub)
        WHERE b.opening_amount <> 0 OR b.closing_amount <> 0
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 7, '{}', w.nth, 0, w.words
        FROM plan n
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, repeat('-', 80) AS words
            UNION ALL
            SELECT 2, spm._statement_line('Payable', NULL, n.currency_code, spm._money(n.amount, n.minor_digits))) w
    )
    SELECT w.payee_id, row_number() OVER (PARTITION BY w.payee_id ORDER BY w.plan_name COLLATE "C" NULLS LAST, w.plan_id, w.section, w.place COLLATE "C", w.nth, w.sub), w.line
    FROM (SELECT w.* FROM written w
          UNION ALL    -- a space between plans
          SELECT n.payee_id, n.plan_id, n.name, 0, '{}', 0, 0, ''
          FROM (SELECT n.*, row_number() OVER (PARTITION BY n.payee_id ORDER BY n.name COLLATE "C" NULLS LAST, n.plan_id) AS nth FROM plan n) n WHERE n.nth > 1) w;
END
$$;
COMMENT ON FUNCTION spm._statement_lines(int, int, timestamptz) IS 'The statements of a paying period as they were at an instant, of one payee or, NULL, of everybody.';
REVOKE ALL ON FUNCTION spm._statement_lines(int, int, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keep_statements(posting_id int)
    RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    -- of everybody, out of rows that may have no statistics yet; never by the plan for one payee
    SET enable_nestloop = off
    SET plan_cache_mode = force_custom_plan
AS $$
    INSERT INTO spm.posted_statement (posting_id, payee_id, content)
    SELECT o.posting_id, s.who, string_agg(s.line, E'\n' ORDER BY s.line_no)
    FROM spm.posting o CROSS JOIN LATERAL spm._statement_lines(o.period_id, NULL, 'infinity') s
    WHERE o.posting_id = _keep_statements.posting_id
    GROUP BY o.posting_id, s.who
$$;
COMMENT ON FUNCTION spm._keep_statements(int) IS 'Keeps what the statements of a posting say, once it is posted.';
REVOKE ALL ON FUNCTION spm._keep_statements(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.statement(payee text, period text, calendar text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    -- planning takes longer than reading one payee's rows, which is the same for all
    SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    whose spm.payee;
    paid spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(statement.period, statement.calendar));
    instant timestamptz := coalesce(statement.as_of, 'infinity');
    known record;
    part text;
BEGIN
    SELECT y.* INTO whose FROM spm.payee y WHERE y.payee_key = statement.payee;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payee "%" does not exist', statement.payee
            USING ERRCODE = 'undefined_object', HINT = 'SELECT payee_key, name FROM spm.payee;';
    END IF;
    SELECT h.* INTO known FROM spm._known_state(paid.period_id, instant) h;
    IF NOT spm._is_leaf(paid.period_id) THEN
        SELECT p.name INTO part FROM spm.period p
        WHERE p.calendar_id = paid.calendar_id AND p.span <@ paid.span AND spm._is_leaf(p.period_id) ORDER BY p.span LIMIT 1;
        RAISE EXCEPTION 'period % has parts', paid.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Statements are of the parts, which are calculated and paid.',
                  HINT = format('SELECT spm.statement(%L, %L);', statement.payee, part);
    END IF;
    IF paid.state = 'open' AND statement.as_of IS NULL OR known.posted_count = 0 AND NOT known.is_draft THEN
        RAISE EXCEPTION '%', CASE WHEN statement.as_of IS NULL THEN format('period %s is not calculated', paid.name)
                                  ELSE format('period %s was not calculated by then', paid.name) END
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE WHEN statement.as_of IS NULL THEN format('CALL spm.calculate(%L);', paid.name)
                              ELSE format('SELECT * FROM spm.statement_version(%L, %L);', statement.payee, paid.name) END;
    END IF;
    IF NOT known.is_draft THEN
        -- what was posted is shown as it was said then
        RETURN QUERY SELECT l.line FROM spm.posted_statement s CROSS JOIN LATERAL string_to_table(s.content, E'\n') l(line)
        WHERE s.posting_id = known.posting_id AND s.payee_id = whose.payee_id;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT l.line FROM spm._statement_lines(paid.period_id, whose.payee_id, instant) l ORDER BY l.line_no;
    IF NOT FOUND THEN
        RETURN NEXT format('%s is on no plan in %s.', whose.name, paid.name);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.statement(text, text, text, timestamptz) IS
'What a payee is paid in a period and why, as lines of text of at most 80 columns: for each component what counted, the quota, the attainment and what each step earns; then differences of earlier periods with their reasons; then what caps, draws, holds and adjustments make of it; then the sum.
What was posted is shown to the letter as it was then, whatever has changed since.
payee: payee_key. period: name of the paying period. calendar: needed when two calendars have a period of that name. as_of: an instant, to see what was known then; NULL: now.
Errors: 42704 for an unknown payee or period, 55000 for a period that has parts, while the period is not calculated, or was not by then.
Example: SELECT spm.statement(''U-17'', ''2026-Q1''); SELECT spm.statement(''U-17'', ''2026-Q1'', as_of => ''2026-04-02 09:00+00'');';
