/*
 * Published examples through the pipeline: what every category begins with.
 *
 * A category sets its examples up from their inputs (people, quotas, plans, and
 * deals in a table that is mapped as a source), calculates, and reads the
 * answers from the views.  One person is "EXAMPLE 1", "EXAMPLE 2" ..., and so is
 * one plan; what has no date of its own happens in January 2025.
 */
CREATE SCHEMA oracle;
SET search_path = oracle, public;

CREATE TABLE line (line jsonb NOT NULL);
CREATE VIEW example AS
SELECT line->>'id' AS id, line->>'category' AS category, line->'inputs' AS i, line->'expected' AS e FROM line;
CREATE TABLE answer (answer_no bigint GENERATED ALWAYS AS IDENTITY, id text NOT NULL UNIQUE, options text NOT NULL, got jsonb, reason text);

-- The warehouse: sales, which may take back others; for some of them who shares in them, and what is paid of them when.
CREATE SEQUENCE deal_no;
CREATE TABLE deal (
    deal_id text PRIMARY KEY DEFAULT to_char(nextval('deal_no'), 'FM00000'),
    day date NOT NULL,
    rep text,
    amount numeric NOT NULL,
    quantity numeric,
    cost numeric,
    account text,
    product text,
    currency text NOT NULL,
    kind text NOT NULL,
    takes_back text REFERENCES deal,
    tags jsonb NOT NULL
);
CREATE TABLE share (deal_id text NOT NULL REFERENCES deal, rep text NOT NULL, part numeric NOT NULL);
CREATE TABLE payment (deal_id text NOT NULL REFERENCES deal, day date NOT NULL, amount numeric NOT NULL);
SELECT spm.map_source('deal', 'oracle.deal', key => 'deal_id', date => 'day', owner => 'rep', amount => 'amount', type => 'kind', account => 'account',
    product => 'product', quantity => 'quantity', cost => 'cost', currency => 'currency', reference => 'takes_back', attributes => '{tags}');
SELECT spm.map_split('deal', 'oracle.share', key => 'deal_id', owner => 'rep', share => 'part');
SELECT spm.map_event('deal', 'payment', 'oracle.payment', key => 'deal_id', date => 'day', amount => 'amount');
SELECT spm.add_currency('USD'), spm.add_measure('bookings');
SELECT spm.create_calendar('months', 'month', '2023-01-01', '2027-01-01');

-- ------------------------------------------------------------------- set-up

-- A person with a seat of the same name.
CREATE FUNCTION rep(id text, n bigint DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    key text := concat_ws(' ', rep.id, rep.n);
BEGIN
    IF NOT EXISTS (SELECT FROM spm.payee p WHERE p.payee_key = key) THEN
        PERFORM spm.add_payee(key, key), spm.add_position(key, key), spm.assign_position(key, key, '2023-01-01');
    END IF;
    RETURN key;
END
$$;

CREATE FUNCTION sell(rep text, amount numeric, day date DEFAULT '2025-01-15', quantity numeric DEFAULT NULL, cost numeric DEFAULT NULL,
                     product text DEFAULT NULL, account text DEFAULT NULL, tags jsonb DEFAULT '{}', currency text DEFAULT 'USD', kind text DEFAULT 'sale', takes_back text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    INSERT INTO oracle.deal (day, rep, amount, quantity, cost, account, product, currency, kind, takes_back, tags)
    VALUES (sell.day, sell.rep, sell.amount, sell.quantity, sell.cost, sell.account, sell.product, sell.currency, sell.kind, sell.takes_back, sell.tags)
    RETURNING deal_id
$$;

-- An empty plan.
CREATE FUNCTION plan(id text, n bigint DEFAULT 1, calendar text DEFAULT 'months', currency text DEFAULT 'USD', since date DEFAULT '2025-01-01') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    key text := concat_ws(' ', plan.id, plan.n);
BEGIN
    IF NOT EXISTS (SELECT FROM spm.plan p WHERE p.name = key) THEN
        PERFORM spm.create_plan(key, plan.calendar, plan.currency, plan.since);
    END IF;
    RETURN key;
END
$$;

-- A component, with options by name: those of spm.add_component().
CREATE FUNCTION component(plan text, name text, rates text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT spm.add_component(%L, %L, %L%s)', component.plan, component.name, component.rates,
        (SELECT string_agg(format(', %I => %L', o.key, o.value), '') FROM jsonb_each_text(component.options) o));
    RETURN component.plan;
END
$$;

-- The commonest case: person n of an example, on a plan of one component (by default all on the same), with some deals in a row.
CREATE FUNCTION deals(id text, rates text, amounts numeric[], options jsonb DEFAULT '{}', n bigint DEFAULT 1, plan_no bigint DEFAULT 1,
                      since date DEFAULT '2025-01-01', until date DEFAULT NULL, calendar text DEFAULT 'months') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    who text := oracle.rep(deals.id, deals.n);
    x numeric;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.plan p WHERE p.name = concat_ws(' ', deals.id, deals.plan_no)) THEN
        PERFORM oracle.component(oracle.plan(deals.id, deals.plan_no, deals.calendar, since => date_trunc('year', deals.since)::date), 'Pay', deals.rates, deals.options);
    END IF;
    PERFORM spm.assign_plan(concat_ws(' ', deals.id, deals.plan_no), deals.since, deals.until, payee => who);
    FOREACH x IN ARRAY deals.amounts LOOP
        PERFORM oracle.sell(who, x);
    END LOOP;
    RETURN who;
END
$$;

CREATE FUNCTION quota(rep text, amount numeric, period text DEFAULT '2025-01', measure text DEFAULT 'bookings', calendar text DEFAULT 'months') RETURNS void LANGUAGE sql AS
$$ SELECT spm.set_quota(quota.rep, quota.period, quota.amount, quota.measure, quota.calendar) $$;

-- Publishes all plans and calculates the periods of a calendar from one to another.
CREATE PROCEDURE calculate(first text DEFAULT '2025-01', last text DEFAULT NULL, calendar text DEFAULT 'months', is_posted boolean DEFAULT false) LANGUAGE plpgsql AS $$
DECLARE
    this text;
BEGIN
    PERFORM spm.publish_plan(n.name) FROM spm.plan n JOIN spm.plan_version v USING (plan_id) WHERE v.state = 'draft' ORDER BY n.plan_id;
    FOR this IN SELECT p.name FROM spm.period p JOIN spm.calendar c USING (calendar_id), spm.period f, spm.period l
                WHERE c.name = calculate.calendar AND spm._is_leaf(p.period_id) AND p.state <> 'posted'
                  AND f.calendar_id = c.calendar_id AND f.name = calculate.first AND l.calendar_id = c.calendar_id AND l.name = coalesce(calculate.last, calculate.first)
                  AND p.span <@ daterange(lower(f.span), upper(l.span))
                ORDER BY p.span LOOP
        CALL spm.calculate(this, calculate.calendar);
        IF is_posted THEN
            CALL spm.post(this, calculate.calendar);
        END IF;
    END LOOP;
END
$$;

-- -------------------------------------------------- inputs in the words of spm

-- [lower, upper or null, rate] as the text of a schedule; of attainment with bounds in shares of quota.
CREATE FUNCTION tiers(bands jsonb, options text DEFAULT '', factor numeric DEFAULT 1) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT string_agg(format('%s..%s: %s', t->>0, t->>1, (t->>2)::numeric * factor), ', ' ORDER BY n) || ' ' || options
   FROM jsonb_array_elements(bands) WITH ORDINALITY AS x (t, n) $$;

CREATE FUNCTION numbers(list jsonb) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(x::numeric ORDER BY n) FROM jsonb_array_elements_text(list) WITH ORDINALITY AS t (x, n) $$;

-- The elements of a list, numbered from 1; v is the value of one that is a number.
CREATE FUNCTION each(list jsonb) RETURNS TABLE (x jsonb, n bigint, v numeric) LANGUAGE sql IMMUTABLE AS
$$ SELECT t.x, t.n, CASE WHEN t.x#>>'{}' ~ '^-?\d+(\.\d+)?$' THEN (t.x#>>'{}')::numeric END FROM jsonb_array_elements(list) WITH ORDINALITY AS t (x, n) $$;

-- A number of an object, or of a list counted from 0.
CREATE FUNCTION num(v jsonb, key text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT (v->>key)::numeric $$;
CREATE FUNCTION num(v jsonb, place int) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT (v->>place)::numeric $$;

-- ------------------------------------------------------------------- answers

-- What a person is paid by a component or in all, in a period or in all. NULL: there is no such component.
CREATE FUNCTION paid(rep text, component text DEFAULT NULL, period text DEFAULT NULL) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM spm_bi.attainment a WHERE a.payee_key = paid.rep AND (a.component_name = paid.component OR paid.component IS NULL)) THEN
        (SELECT coalesce(sum(p.paid_amount), 0) FROM spm_bi.payout p
         WHERE p.payee_key = paid.rep AND (p.component_name = paid.component OR paid.component IS NULL) AND (p.paid_period_name = paid.period OR paid.period IS NULL)) END
$$;

-- What each deal of a person earns, in their order.
CREATE FUNCTION earned(rep text, component text DEFAULT 'Pay') RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(e.earned_amount ORDER BY e.event_date, e.transaction_key) FROM spm_bi.earning e
    WHERE e.payee_key = earned.rep AND e.component_name = earned.component
$$;

-- Where a person stands by a component.
CREATE FUNCTION attained(rep text, component text DEFAULT 'Pay', period text DEFAULT '2025-01') RETURNS spm_bi.attainment LANGUAGE sql STABLE AS $$
    SELECT a FROM spm_bi.attainment a WHERE a.payee_key = attained.rep AND a.component_name = attained.component AND a.period_name = attained.period
$$;

-- What people 1, 2 ... are paid each.
CREATE FUNCTION paid_each(id text, many bigint, component text DEFAULT NULL) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(oracle.paid(paid_each.id || ' ' || n, paid_each.component) ORDER BY n) FROM generate_series(1, paid_each.many) n
$$;

-- The options that an example takes, and its answer in the shape of what is expected.
CREATE FUNCTION answer(id text, options text, got jsonb) RETURNS void LANGUAGE sql AS
$$ INSERT INTO oracle.answer (id, options, got) VALUES (answer.id, answer.options, answer.got) $$;
CREATE FUNCTION answer(id text, options text, got numeric) RETURNS void LANGUAGE sql AS
$$ INSERT INTO oracle.answer (id, options, got) VALUES (answer.id, answer.options, to_jsonb(answer.got)) $$;

-- What cannot be said, and why.
CREATE FUNCTION cannot(id text, reason text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO oracle.answer (id, options, reason) VALUES (cannot.id, '', cannot.reason) $$;

-- Numbers are compared as numbers, whether they are written as such or as text; a NULL is only like a NULL.
CREATE FUNCTION same(a jsonb, b jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(a) = 'object' AND jsonb_typeof(b) = 'object' THEN
        RETURN (SELECT coalesce(bool_and(oracle.same(x.value, y.value)), true) FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y USING (key));
    ELSIF jsonb_typeof(a) = 'array' AND jsonb_typeof(b) = 'array' THEN
        RETURN jsonb_array_length(a) = jsonb_array_length(b)
            AND (SELECT coalesce(bool_and(oracle.same(x.x, y.x)), true) FROM oracle.each(a) x JOIN oracle.each(b) y USING (n));
    ELSIF jsonb_typeof(a) IN ('number', 'string') AND jsonb_typeof(b) IN ('number', 'string')
          AND a#>>'{}' ~ '^-?\d+(\.\d+)?$' AND b#>>'{}' ~ '^-?\d+(\.\d+)?$' THEN
        RETURN (a#>>'{}')::numeric = (b#>>'{}')::numeric;
    END IF;
    RETURN coalesce(a = b, false);
END
$$;

-- A line for each answer, and for each level of what was calculated that does not agree with the others.
CREATE FUNCTION verdict() RETURNS SETOF text LANGUAGE sql AS $$
    (SELECT CASE WHEN a.reason IS NOT NULL THEN format('cannot be expressed - %s %s: %s', a.id, x.category, a.reason)
                 WHEN x.id IS NULL THEN format('not ok - %s: there is no such example', a.id)
                 WHEN oracle.same(x.e, coalesce(a.got, 'null')) THEN format('ok - %s %s: %s', a.id, x.category, a.options)
                 ELSE format(E'not ok - %s %s: %s\n# expected %s\n#      got %s', a.id, x.category, a.options, x.e, coalesce(a.got, 'null')) END
     FROM oracle.answer a LEFT JOIN oracle.example x USING (id) ORDER BY a.answer_no)
    UNION ALL
    SELECT format('not ok - %s of %s in %s is not reconciled', r.component_name, r.payee_key, r.period_name) FROM spm_bi.reconciliation r WHERE NOT r.is_reconciled
$$;
