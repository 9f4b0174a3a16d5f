/*
 * compensation/statement_document.sql: a plan told to the people who are paid
 * by it, and that they have agreed to it.
 *
 * What is told is collected as rows (spm._plan_line), then written as text or
 * HTML in one place.  A column that no sentence here knows is told by its name:
 * nothing that a plan says is left out.
 */

CREATE OR REPLACE FUNCTION spm._figure_words(figure text, component text, scope text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT concat_ws(' ', CASE _figure_words.scope WHEN 'team' THEN 'your team''s' WHEN 'plan' THEN 'everybody''s' ELSE 'your' END,
        CASE _figure_words.figure WHEN 'amount' THEN 'total' WHEN 'earned' THEN 'earnings' WHEN 'credits' THEN 'number of orders' ELSE _figure_words.figure END,
        CASE WHEN _figure_words.component <> '' THEN format('of "%s"', _figure_words.component) END);
END;
COMMENT ON FUNCTION spm._figure_words(text, text, text) IS 'A figure of a component in words: your attainment of "Renewals".';
REVOKE ALL ON FUNCTION spm._figure_words(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rates_words(rates text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- not grouped by the schedule: pg_upgrade makes the function before what orders schedules
    SELECT (SELECT string_agg(format('%s from %s', CASE WHEN s.schedule::text ~ '\m(bonus|curve)\M' THEN trim_scale(t.rate)::text ELSE spm._percent(t.rate) END,
                                     CASE WHEN spm._is_of_quota(s.schedule) THEN spm._percent(t.tier_from) ELSE trim_scale(t.tier_from)::text END), ', ' ORDER BY t.tier_no)
            FROM spm.tier(s.schedule) t)
        || coalesce(' (' || nullif(spm._rate_options(s.schedule), '') || ')', '')
    FROM (SELECT _rates_words.rates::spm.rate_schedule AS schedule) s;
END;
COMMENT ON FUNCTION spm._rates_words(text) IS 'A rate schedule within a sentence: 50 % from 0 %, 100 % from 90 % (whole).';
REVOKE ALL ON FUNCTION spm._rates_words(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._modifier_sentence(modifier spm.modifier)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    figures text := (SELECT string_agg(spm._figure_words(u.figure, u.component, modifier.scope), ' and ' ORDER BY u.ordinality)
                     FROM unnest(modifier.figures, modifier.of_components) WITH ORDINALITY u(figure, component, ordinality));
    is_ratio boolean := modifier.figures[1] = 'attainment';
    amount text;
BEGIN
    IF modifier.kind = 'gate' THEN
        RETURN format('Nothing is paid unless %s %s %s.', figures, CASE WHEN modifier.is_strict THEN 'is above' ELSE 'reaches' END,
                      CASE WHEN is_ratio THEN spm._percent(modifier.value) ELSE spm._figure(modifier.value) END
                      || coalesce(' times your ' || (SELECT v.name FROM spm.variable v WHERE v.variable_id = modifier.variable_id), ''));
    END IF;
    amount := concat_ws(' times ',
        CASE WHEN modifier.value IS NOT NULL THEN CASE WHEN modifier.kind IN ('cap', 'floor') OR modifier.value > 10 THEN spm._figure(modifier.value) ELSE spm._percent(modifier.value) END END,
        CASE WHEN modifier.rates IS NOT NULL THEN format('what %s gives: %s', figures, spm._rates_words(modifier.rates))
             WHEN modifier.lookup_id IS NOT NULL THEN format('what table "%s" says of %s', (SELECT l.name FROM spm.lookup l WHERE l.lookup_id = modifier.lookup_id), figures)
             ELSE figures END,
        'your ' || (SELECT v.name FROM spm.variable v WHERE v.variable_id = modifier.variable_id));
    RETURN format(CASE modifier.kind WHEN 'multiply' THEN 'All of it is multiplied by %s.' WHEN 'add' THEN 'To the factor of all rates is added %s.'
                      WHEN 'at most' THEN 'The factor of all rates is at most %s.' WHEN 'at least' THEN 'The factor of all rates is at least %s.'
                      WHEN 'cap' THEN 'No more is earned than %s.' WHEN 'floor' THEN 'No less is earned than %s, once anything is.'
                      ELSE modifier.kind || ': %s.' END, coalesce(amount, '1'));
END
$$;
COMMENT ON FUNCTION spm._modifier_sentence(spm.modifier) IS 'A modifier as a sentence.';
REVOKE ALL ON FUNCTION spm._modifier_sentence(spm.modifier) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_rule_sentence(rule spm.pay_rule, currency text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    amount text := concat_ws(' of ', CASE WHEN rule.share IS NOT NULL THEN spm._percent(rule.share) END,
        CASE WHEN rule.amount IS NOT NULL THEN spm._figure(rule.amount) || ' ' || currency END,
        'your ' || (SELECT v.name FROM spm.variable v WHERE v.variable_id = rule.variable_id));
    scope text := coalesce('what you earn by ' || array_to_string(rule.components, ', '), 'what you earn');
    term text := concat(CASE WHEN rule.first_periods IS NOT NULL THEN format(' in your first %s periods on the plan', rule.first_periods) END,
                        CASE WHEN rule.until IS NOT NULL THEN format(' until %s', rule.until) END);
BEGIN
    RETURN concat(rule.name, ': ', CASE rule.kind
        WHEN 'budget' THEN format('All payees together are paid no more than %s for %s; what is short is missing %s.', amount, scope,
            CASE rule.method WHEN 'deal order' THEN 'from the last deals' ELSE 'from all in proportion' END)
        WHEN 'cap' THEN format('Of %s no more than %s is paid in a %s. What is above is %s.', scope, amount, rule.grain,
            CASE rule.method WHEN 'carried' THEN 'carried, and paid as soon as there is room' ELSE 'not paid' END)
        WHEN 'holdback' THEN format('Of %s %s is held back%s.', scope, amount, concat(
            CASE WHEN rule.release_after IS NOT NULL THEN format(', and paid %s period(s) later', rule.release_after) END,
            CASE WHEN rule.release_on IS NOT NULL THEN format(', and paid on %s', rule.release_on) END,
            CASE WHEN num_nonnulls(rule.release_after, rule.release_on) = 0 THEN ' until it is released' END))
        WHEN 'guarantee' THEN format('You are paid at least %s%s; it need not be paid back.', amount, term)
        WHEN 'draw' THEN CASE rule.method WHEN 'advance' THEN format('You are advanced %s%s besides what you earn.', amount, term)
                         ELSE format('You are paid at least %s%s; what that is more than you have earned is an advance.', amount, term) END
            || format(' An advance is taken back from later pay: %s of what is above %s%s%s%s.', spm._percent(rule.recover_share),
                coalesce(spm._figure(rule.minimum) || ' ' || currency, CASE rule.method WHEN 'advance' THEN 'nothing' ELSE 'the draw' END),
                CASE WHEN rule.recover_maximum IS NOT NULL THEN format(', at most %s a period', spm._figure(rule.recover_maximum)) END,
                CASE WHEN rule.recover_after > 0 THEN format(', from %s period(s) later', rule.recover_after) END,
                CASE WHEN rule.is_forgiven THEN '; what is owed when it ends is forgiven' END)
        WHEN 'adjustment' THEN 'Adjustments by hand take their place here, each with its reason.'
        WHEN 'negative' THEN CASE rule.method WHEN 'carried' THEN 'When refunds outweigh what you earn, the rest is taken back from later pay.'
                             ELSE 'When refunds outweigh what you earn, you are paid nothing, and owe nothing.' END
        ELSE rule.kind END,
        -- what has no words above
        (SELECT format(' (%s)', string_agg(format('%s: %s', replace(f.key, '_', ' '), spm._said(f.value)), ', ' ORDER BY f.key))
         FROM jsonb_each(spm._named(to_jsonb(rule), spm._column_default('pay_rule'), 'plan_version')) f
         WHERE f.key NOT IN ('name', 'rule_no', 'kind', 'method', 'amount', 'variable', 'share')
           AND f.key <> ALL (CASE rule.kind
               WHEN 'draw' THEN '{recover_share,recover_maximum,recover_after,minimum,first_periods,until,is_forgiven}'
               WHEN 'guarantee' THEN '{first_periods,until}' WHEN 'holdback' THEN '{components,release_after,release_on}'
               WHEN 'cap' THEN '{components,grain}' WHEN 'budget' THEN '{components}' ELSE '{}' END::text[])
         HAVING count(*) > 0));
END
$$;
COMMENT ON FUNCTION spm._pay_rule_sentence(spm.pay_rule, text) IS 'A pay rule as a sentence.';
REVOKE ALL ON FUNCTION spm._pay_rule_sentence(spm.pay_rule, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._example_line(component_id int, currency text)
    RETURNS TABLE (kind text, cells text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    c spm.component := (SELECT p FROM spm.component p WHERE p.component_id = _example_line.component_id);
    schedule spm.rate_schedule := spm.component_rates(c.component_id);
    is_share boolean := c.tier_basis = 'quota';
    -- a round quota, and a total that passes through all tiers
    quota numeric := CASE WHEN c.basis <> 'credit' THEN 1 WHEN c.unit = 'count' THEN 100 ELSE 100000 END;
    last record;
    reached numeric;
    total numeric;
    target numeric := 10000;
    variable text := (SELECT v.name FROM spm.variable v WHERE v.variable_id = c.variable_id);
BEGIN
    IF c.basis NOT IN ('credit', 'objective') OR NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.rate <> 0) OR c.accumulate IN ('deal', 'group') AND c.unit = 'count' AND is_share THEN
        RETURN;
    END IF;
    SELECT t.tier_from, t.tier_to INTO last FROM spm.tier(schedule) t ORDER BY t.tier_no DESC LIMIT 1;
    reached := coalesce(last.tier_to, CASE WHEN last.tier_from > 0 THEN 1.2 * last.tier_from WHEN is_share THEN 1 ELSE quota END);
    total := CASE WHEN is_share THEN reached * quota ELSE reached END;
    IF is_share THEN
        schedule := spm.for_quota(schedule, quota);
    END IF;
    IF c.pay = 'target' THEN
        schedule := spm.per(schedule, CASE WHEN is_share THEN quota ELSE 1 END);
    END IF;
    IF variable IS NOT NULL AND (c.pay = 'target' OR c.basis = 'objective') THEN
        schedule := spm.with_factor(schedule, target);
    END IF;
    RETURN QUERY SELECT 'paragraph', ARRAY[format('Example: %s%s is worth %s %s%s.',
        CASE WHEN c.basis = 'objective' THEN format('meeting your objectives by %s', spm._percent(total))
             ELSE concat('a total of ', spm._figure(total), CASE c.unit WHEN 'money' THEN ' ' || currency END, ' against a quota of ' || CASE WHEN is_share THEN spm._figure(quota) END) END,
        CASE WHEN c.lookup_id IS NOT NULL THEN ', with what the table says,' END,
        spm._figure(spm.commission(schedule, 0, total, c.places, c.rounding)), currency,
        CASE WHEN variable IS NOT NULL AND (c.pay = 'target' OR c.basis = 'objective') THEN format(', with a %s of %s', variable, spm._figure(target))
             WHEN variable IS NOT NULL THEN format(', times your %s', variable) ELSE '' END
        || CASE WHEN EXISTS (SELECT FROM spm.modifier m WHERE m.component_id = c.component_id) THEN ', before what the lines above make of it' ELSE '' END)];
    RETURN QUERY SELECT 'head', ARRAY['from', 'to', 'counts', 'rate', 'earns'];
    RETURN QUERY
    SELECT 'row', ARRAY[spm._figure(s.slice_from), spm._figure(s.slice_to), spm._figure(s.base),
        CASE WHEN s.kind IN ('tier', 'base', 'rerate') THEN CASE WHEN c.unit = 'money' AND c.basis = 'credit' THEN spm._percent(s.rate) ELSE spm._figure(s.rate) END ELSE s.kind END,
        spm._figure(s.amount)]
    FROM spm.commission_slice(schedule, 0, total, c.places, c.rounding) s;
END
$$;
COMMENT ON FUNCTION spm._example_line(int, text) IS 'A worked example of a component, reckoned by the very functions that pay.';
REVOKE ALL ON FUNCTION spm._example_line(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_line(component_id int, currency text)
    RETURNS TABLE (kind text, cells text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres'
AS $$
#variable_conflict use_column
DECLARE
    c record;
    rates spm.rate_schedule := spm.component_rates(_component_line.component_id);
    is_amount boolean;
    is_flat boolean;
    words text;
BEGIN
    SELECT p.*, m.name AS measure, v.name AS variable, l.name AS lookup, (SELECT max(t.rate) FROM spm.tier t WHERE t.component_id = p.component_id) AS rate INTO c
    FROM spm.component p LEFT JOIN spm.measure m USING (measure_id) LEFT JOIN spm.variable v USING (variable_id) LEFT JOIN spm.lookup l USING (lookup_id)
    WHERE p.component_id = _component_line.component_id;
    is_amount := c.rate_options ~ '\m(bonus|curve)\M';
    is_flat := NOT is_amount AND NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.bounds <> numrange(0, NULL));
    RETURN QUERY SELECT 'heading', ARRAY[format('%s. %s', c.component_no, c.name)];
    -- what is measured
    words := CASE c.basis
        WHEN 'credit' THEN format('What counts: %s of %s%s.', spm._plain(c.measure_expression),
            CASE c.credit_kind WHEN 'direct' THEN 'each order that you are credited with' WHEN 'rollup' THEN 'each order that comes up the reporting tree to you'
                WHEN 'all' THEN 'each order that you are credited with or that comes up the reporting tree to you' ELSE format('each order that you have a credit of kind %s for', c.credit_kind) END,
            ', where ' || spm._plain(c.eligibility_expression))
        WHEN 'fixed' THEN 'A fixed amount; it does not depend on sales.'
        WHEN 'objective' THEN 'What counts: how far your objectives are met, each by its weight.'
        ELSE format('What counts: %s%s.', CASE c.basis WHEN 'rank' THEN 'your place by ' WHEN 'pool' THEN 'a pot of ' END, coalesce(
            (SELECT string_agg(concat(CASE WHEN i.weight <> 1 THEN spm._percent(i.weight) || ' of ' END, spm._figure_words(i.figure, i.of_component, i.scope)),
                               CASE c.basis WHEN 'pool' THEN ', shared by ' ELSE ' plus ' END ORDER BY i.input_no)
             FROM spm.component_input i WHERE i.component_id = c.component_id),
            'a fixed sum' || coalesce(', shared by ' || c.variable, ''))) END;
    RETURN QUERY SELECT 'paragraph', ARRAY[words];
    IF c.event <> 'booking' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('It counts with each %s of the order, by its part of the whole.', c.event)];
    END IF;
    IF c.refund <> 'running' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('A refund takes back %s of what its order earned%s%s.', spm._percent(c.refund_share),
            CASE c.refund WHEN 'unearned' THEN format(', less what has been earned since: an order is earned in equal parts over %s months', c.earned_over) END,
            CASE WHEN c.refund_window IS NOT NULL THEN format(', when it comes within %s', c.refund_window) END)];
    END IF;
    IF c.credit_cap IS NOT NULL THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('At most %s of one order counts.', spm._figure(c.credit_cap))];
    END IF;
    IF c.lookup IS NOT NULL THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('It is multiplied by what table "%s" says of %s.', c.lookup,
            (SELECT string_agg(spm._plain(e), ' and ' ORDER BY o) FROM unnest(c.lookup_expressions) WITH ORDINALITY u(e, o)))];
    END IF;
    IF c.basis = 'credit' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[CASE c.accumulate
            WHEN 'deal' THEN 'Every order starts at zero.' WHEN 'period' THEN 'The total starts at zero in each period.'
            WHEN 'group' THEN format('Orders with the same %s have a total of their own, which starts at zero in each period.', spm._plain(c.group_expression))
            ELSE CASE WHEN c.accumulate ~ '^rolling' THEN format('The total is that of the last %s periods.', substr(c.accumulate, 9))
                      ELSE format('The total goes on through the %s.', c.accumulate) END END];
    END IF;
    IF c.is_true_up THEN
        RETURN QUERY SELECT 'paragraph', ARRAY['Each period pays what the whole is worth by then, less what was earned before.'];
    END IF;
    IF c.against <> 'quota' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('Attainment is the total divided by that of the %s.', CASE c.against WHEN 'prior year' THEN 'same days a year before' ELSE 'period before' END)];
    ELSIF c.measure IS NOT NULL THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('Attainment is the total divided by your quota for %s.', c.measure)];
    END IF;
    IF c.prorate <> 'none' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('For a part of a period, quota%s reduced to that part (days: %s).', CASE WHEN c.measure IS NULL THEN ' and tiers are' ELSE ' and target are' END, c.prorate)];
    END IF;
    -- what it is worth
    RETURN QUERY SELECT 'paragraph', ARRAY[CASE
        WHEN NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.rate <> 0) THEN 'It earns nothing by itself.'
        WHEN is_flat THEN format('All of it is worth %s.', CASE WHEN c.unit = 'count' OR c.basis IN ('rank', 'fixed') THEN spm._figure(c.rate) || ' each' ELSE spm._percent(c.rate) END)
        WHEN c.rate_options ~ '\mbonus\M' THEN 'An amount is paid once the total reaches where it begins; the highest counts.'
        WHEN c.rate_options ~ '\mcurve\M' THEN 'The amount goes up in a straight line from each point to the next.'
        WHEN c.rate_options ~ '\mwhole\M' THEN 'The rate that the total reaches applies to all of it.'
        WHEN c.rate_options ~ '\m(interpolated|weighted|excess)\M' THEN format('Rates apply by method %s.', substring(c.rate_options FROM '\m(interpolated|weighted|excess)\M'))
        ELSE 'Each rate applies to what lies between where it begins and where it ends.' END
        || CASE WHEN c.pay = 'target' THEN ' It is a share of your ' || coalesce(c.variable, 'target') || ' for each full attainment.'
                WHEN c.variable IS NOT NULL AND c.basis <> 'pool' THEN ' All rates are multiplied by your ' || c.variable || '.' ELSE '' END];
    IF NOT is_flat AND EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.rate <> 0) THEN
        RETURN QUERY SELECT 'head', ARRAY['from', 'to', CASE WHEN is_amount THEN 'amount' WHEN c.unit = 'count' THEN 'for each' ELSE 'rate' END];
        RETURN QUERY
        SELECT 'row', ARRAY[CASE WHEN c.tier_basis = 'quota' THEN spm._percent(t.tier_from) ELSE spm._figure(t.tier_from) END,
            CASE WHEN t.tier_to IS NULL THEN 'no end' WHEN c.tier_basis = 'quota' THEN spm._percent(t.tier_to) ELSE spm._figure(t.tier_to) END,
            CASE WHEN is_amount OR c.unit = 'count' OR c.basis IN ('rank', 'fixed') THEN spm._figure(t.rate) ELSE spm._percent(t.rate) END]
        FROM spm.tier(rates) t ORDER BY t.tier_no;
    END IF;
    IF btrim(regexp_replace(c.rate_options, '\m(bonus|curve|whole|interpolated|weighted|excess)\M', '')) <> '' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('With: %s.', btrim(regexp_replace(c.rate_options, '\m(bonus|curve|whole|interpolated|weighted|excess)\M', '')))];
    END IF;
    RETURN QUERY SELECT 'item', ARRAY[spm._modifier_sentence(m)] FROM spm.modifier m WHERE m.component_id = c.component_id ORDER BY m.modifier_no;
    -- what has no sentence yet
    RETURN QUERY
    SELECT 'item', ARRAY[format('%s: %s', replace(f.key, '_', ' '), spm._said(f.value))]
    FROM jsonb_each(spm._named(to_jsonb((SELECT p FROM spm.component p WHERE p.component_id = c.component_id)), spm._column_default('component'), 'plan_version')) f
    WHERE f.key NOT IN ('name', 'component_no', 'credit_kind', 'measure_expression', 'eligibility_expression', 'measure', 'accumulate', 'tier_basis', 'rate_options', 'variable',
                        'basis', 'pay', 'against', 'prorate', 'is_true_up', 'group_expression', 'credit_cap', 'lookup', 'lookup_expressions',
                        'event', 'refund', 'refund_window', 'refund_share', 'earned_over')
      AND (f.key, f.value) <> ('unit', '"count"')
      AND NOT (f.key = 'places' AND c.places = (SELECT u.minor_digits FROM spm.currency u WHERE u.currency_code = _component_line.currency))
    ORDER BY f.key;
    RETURN QUERY SELECT e.* FROM spm._example_line(c.component_id, _component_line.currency) e;
END
$$;
COMMENT ON FUNCTION spm._component_line(int, text) IS 'A component told to a payee, line by line.';
REVOKE ALL ON FUNCTION spm._component_line(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_line(plan_version_id int)
    RETURNS TABLE (kind text, cells text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = _plan_line.plan_version_id);
    of_plan spm.plan := (SELECT p FROM spm.plan p WHERE p.plan_id = version.plan_id);
    of_lookup record;
BEGIN
    RETURN QUERY SELECT 'title', ARRAY[of_plan.name];
    RETURN QUERY SELECT 'paragraph', ARRAY[format('Version %s, from %s.%s', version.version_no, coalesce(lower(version.span)::text, 'the beginning'),
        CASE version.state WHEN 'draft' THEN ' This is a draft.' ELSE '' END)];
    RETURN QUERY SELECT 'paragraph', ARRAY[format('It measures and pays in %s, for each period of calendar %s. Orders in other currencies are converted at the %s rate of their day.',
        of_plan.currency_code, (SELECT c.name FROM spm.calendar c WHERE c.calendar_id = of_plan.calendar_id), of_plan.rate_type)];
    RETURN QUERY
    SELECT l.kind, l.cells FROM spm.component c CROSS JOIN LATERAL spm._component_line(c.component_id, of_plan.currency_code) WITH ORDINALITY l(kind, cells, nth)
    WHERE c.plan_version_id = version.plan_version_id ORDER BY c.component_no, l.nth;
    RETURN QUERY SELECT 'heading', ARRAY['How it is paid'];
    IF NOT EXISTS (SELECT FROM spm.pay_rule r WHERE r.plan_version_id = version.plan_version_id) THEN
        RETURN QUERY SELECT 'paragraph', ARRAY['What is earned in a period is paid when the period is posted.'];
    ELSE
        RETURN QUERY SELECT 'paragraph', ARRAY['What is earned in a period is paid when the period is posted, by these rules in turn:'];
        RETURN QUERY SELECT 'item', ARRAY[spm._pay_rule_sentence(r, of_plan.currency_code)] FROM spm.pay_rule r WHERE r.plan_version_id = version.plan_version_id ORDER BY r.rule_no;
    END IF;
    RETURN QUERY SELECT 'paragraph', ARRAY['Orders that come late, change or are cancelled are reckoned in the period that they belong to; the difference is paid, or taken back, with the next one.'];
    FOR of_lookup IN
        SELECT l.* FROM spm.lookup l
        WHERE EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = version.plan_version_id
                      AND (c.lookup_id = l.lookup_id OR EXISTS (SELECT FROM spm.modifier m WHERE m.component_id = c.component_id AND m.lookup_id = l.lookup_id)))
        ORDER BY l.name COLLATE "C"
    LOOP
        RETURN QUERY SELECT 'heading', ARRAY[format('Table "%s"', of_lookup.name)];
        RETURN QUERY SELECT 'head', of_lookup.dimensions || ARRAY['from day', 'to day', 'value'];
        RETURN QUERY
        SELECT 'row', (SELECT array_agg(coalesce(r.keys[i], r.ranges[i]::text, 'any') ORDER BY i) FROM generate_subscripts(r.keys, 1) i)
            || ARRAY[coalesce(lower(r.span)::text, 'ever'), coalesce(upper(r.span)::text, 'no end'), trim_scale(r.value)::text]
        FROM spm.lookup_row r WHERE r.lookup_id = of_lookup.lookup_id
        ORDER BY r.keys::text COLLATE "C", r.ranges, r.span;
        IF of_lookup.otherwise IS NOT NULL THEN
            RETURN QUERY SELECT 'paragraph', ARRAY[format('For all else: %s.', trim_scale(of_lookup.otherwise))];
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._plan_line(int) IS 'A plan version told to a payee, line by line: title, heading, paragraph, item, head and row of a table.';
REVOKE ALL ON FUNCTION spm._plan_line(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._escaped(content text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT replace(replace(replace(replace(replace(_escaped.content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
END;
COMMENT ON FUNCTION spm._escaped(text) IS 'A text as it may stand anywhere in HTML.';
REVOKE ALL ON FUNCTION spm._escaped(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._document_text(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(CASE l.kind
            WHEN 'title' THEN l.content || E'\n' || repeat('=', length(l.content))
            WHEN 'heading' THEN E'\n' || l.content || E'\n' || repeat('-', length(l.content))
            WHEN 'item' THEN '- ' || l.content
            WHEN 'paragraph' THEN l.content
            ELSE '    ' || rtrim((SELECT string_agg(CASE w.nth WHEN 1 THEN rpad(spm._one_line(c.cell), 16) ELSE lpad(spm._one_line(c.cell), greatest(16, 2 + length(c.cell))) END, '' ORDER BY w.nth)
                                  FROM unnest(l.cells) WITH ORDINALITY c(cell, nth) JOIN generate_series(1, 10) w(nth) USING (nth))) END,
        E'\n' ORDER BY l.nth)
    FROM (SELECT l.kind, l.cells, l.nth, spm._one_line(l.cells[1]) AS content
          FROM ROWS FROM (spm._plan_line(_document_text.plan_version_id)) WITH ORDINALITY l(kind, cells, nth)) l
$$;
COMMENT ON FUNCTION spm._document_text(int) IS 'The document of a plan version as plain text.';
REVOKE ALL ON FUNCTION spm._document_text(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._document_html(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n%s\n</body>\n</html>',
        max(spm._escaped(l.cells[1])) FILTER (WHERE l.kind = 'title'),
        'body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:.5em 0}td,th{border-bottom:1px solid #ccc;padding:.2em 1em;text-align:right}',
        string_agg(CASE l.kind
            WHEN 'title' THEN format('<h1>%s</h1>', spm._escaped(l.cells[1]))
            WHEN 'heading' THEN format('<h2>%s</h2>', spm._escaped(l.cells[1]))
            WHEN 'paragraph' THEN format('<p>%s</p>', spm._escaped(l.cells[1]))
            WHEN 'item' THEN concat(CASE WHEN l.before IS DISTINCT FROM 'item' THEN E'<ul>\n' END, format('<li>%s</li>', spm._escaped(l.cells[1])), CASE WHEN l.after IS DISTINCT FROM 'item' THEN E'\n</ul>' END)
            WHEN 'head' THEN E'<table>\n' || format('<tr>%s</tr>', (SELECT string_agg(format('<th>%s</th>', spm._escaped(c)), '' ORDER BY o) FROM unnest(l.cells) WITH ORDINALITY u(c, o)))
            ELSE format('<tr>%s</tr>', (SELECT string_agg(format('<td>%s</td>', spm._escaped(c)), '' ORDER BY o) FROM unnest(l.cells) WITH ORDINALITY u(c, o))) END
            || CASE WHEN l.kind IN ('head', 'row') AND l.after IS DISTINCT FROM 'row' THEN E'\n</table>' ELSE '' END, E'\n' ORDER BY l.nth))
    FROM (SELECT l.*, lag(l.kind) OVER (ORDER BY l.nth) AS before, lead(l.kind) OVER (ORDER BY l.nth) AS after
          FROM ROWS FROM (spm._plan_line(_document_html.plan_version_id)) WITH ORDINALITY l(kind, cells, nth)) l
$$;
COMMENT ON FUNCTION spm._document_html(int) IS 'The document of a plan version as a page of HTML.';
REVOKE ALL ON FUNCTION spm._document_html(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_document(plan text, version_no int DEFAULT NULL, format text DEFAULT 'text')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._version_of(plan_document.plan, plan_document.version_no);
BEGIN
    IF coalesce(plan_document.format, '') NOT IN ('text', 'html') THEN
        RAISE EXCEPTION 'a plan document cannot be written as "%"', plan_document.format
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Formats are text and html.';
    END IF;
    RETURN CASE plan_document.format WHEN 'html' THEN spm._document_html(id) ELSE spm._document_text(id) END;
END
$$;
COMMENT ON FUNCTION spm.plan_document(text, int, text) IS
'What a version of a plan says, told to the people who are paid by it: what counts, rates, quota, conditions, a worked example that the engine itself reckons, how it is paid, tables.
plan: name. version_no: number; NULL: the latest. format: text or html, a page of its own with all values escaped.
Errors: 42704 for an unknown plan or version, 22023 for another format.
Example: SELECT spm.plan_document(''Account Executive'', format => ''html'');';

-- ---------------------------------------------------------------- acceptance

CREATE OR REPLACE FUNCTION spm.accept_plan(plan text, version_no int, payee text, document_hash text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_version int := spm._version_of(accept_plan.plan, accept_plan.version_no);
    who int := spm._payee_id(accept_plan.payee);
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = of_version);
    said text;
    hash text;
    id int;
BEGIN
    IF version.state = 'draft' THEN
        RAISE EXCEPTION 'plan "%" version % is a draft', accept_plan.plan, version.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT spm.publish_plan(%L);', accept_plan.plan);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.plan_seat(version.plan_id, version.span) s WHERE s.payee_id = who) THEN
        RAISE EXCEPTION 'payee "%" is not on version % of plan "%"', accept_plan.payee, version.version_no, accept_plan.plan
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT spm.assign_plan(%L, since => ..., payee => %L);', accept_plan.plan, accept_plan.payee);
    END IF;
    said := spm._document_text(of_version);
    hash := encode(sha256(convert_to(said, 'UTF8')), 'hex');
    IF accept_plan.document_hash <> hash THEN
        RAISE EXCEPTION 'plan "%" version % no longer reads as it did', accept_plan.plan, version.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The hash of its document is %s.', hash),
                  HINT = 'A table that it uses has changed: show spm.plan_document() again.';
    END IF;
    SELECT a.plan_acceptance_id INTO id FROM spm.plan_acceptance a
    WHERE a.plan_version_id = of_version AND a.payee_id = who AND a.document_hash = hash;
    IF NOT FOUND THEN
        INSERT INTO spm.plan_acceptance (plan_version_id, payee_id, document_hash, document)
        VALUES (of_version, who, hash, said) RETURNING plan_acceptance_id INTO id;
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.accept_plan(text, int, text, text) IS
'Records that a payee accepts a version of a plan, with the text of its document, and returns the plan_acceptance_id. Accepting the same again changes nothing.
plan: name. version_no: number; NULL: the latest. payee: payee_key. document_hash: SHA-256 in hex of the text that was shown; NULL: of what it says now.
Errors: 42704 for an unknown plan, version or payee; 55000 for a draft, a payee who is not on the plan, or a text that is no longer the same.
Example: SELECT spm.accept_plan(''Account Executive'', 2, ''U-17'');';

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.plan_acceptance
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
