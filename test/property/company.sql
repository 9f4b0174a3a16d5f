/*
 * property/company.sql: a company in which nothing was planned.
 *
 * Random plans, people, orders and late edits, the same for a seed on every
 * machine.  What is drawn is written twice: into the tables of this schema,
 * which the twin reads, and to spm by its functions.  Days are rows here, not
 * ranges: so that the twin need not reckon with spans at all.
 */
SET datestyle = 'ISO, YMD';
CREATE SCHEMA property;
CREATE TABLE property.setting AS SELECT :plans::int AS plans;
SELECT set_config('property.seed', :'seed', true);

-- From 0 to below n; the same for a seed, a purpose and a number.
CREATE FUNCTION property.draw(purpose text, id bigint, n bigint) RETURNS bigint
    LANGUAGE sql STABLE AS
$$ SELECT (hashint8extended(id, hashtextextended(purpose, current_setting('property.seed')::bigint)) & 9223372036854775807) % n $$;

CREATE FUNCTION property.pick(purpose text, id bigint, VARIADIC words text[]) RETURNS text
    LANGUAGE sql STABLE AS
$$ SELECT words[1 + property.draw(purpose, id, cardinality(words))] $$;

-- ------------------------------------------------------------- time and money

CREATE TABLE property.period (period_no int PRIMARY KEY, name text, first date, last date, half_no int);
INSERT INTO property.period VALUES (1, '2026-01', '2026-01-01', '2026-01-31', 1), (2, '2026-02', '2026-02-01', '2026-02-28', 1), (3, '2026-03', '2026-03-01', '2026-03-31', 2);
CREATE VIEW property.half AS SELECT 'H' || half_no AS name, min(first) AS first, max(last) AS last FROM property.period GROUP BY half_no;
CREATE VIEW property.year AS SELECT '2026' AS name, min(first) AS first, max(last) AS last FROM property.period;
SELECT spm.load_periods('company', 'property.year', 'first', 'last', 'name', grain => 'year');
SELECT spm.load_periods('company', 'property.half', 'first', 'last', 'name', grain => 'half', parent_grain => 'year');
SELECT spm.load_periods('company', 'property.period', 'first', 'last', 'name', grain => 'month', parent_grain => 'half');

CREATE TABLE property.day AS
SELECT d::date AS day, period_no FROM property.period, generate_series(first, last, interval '1 day') AS d;
CREATE TABLE property.currency (code text PRIMARY KEY, digits int);
INSERT INTO property.currency VALUES ('EUR', 2), ('JPY', 0), ('USD', 2);
SELECT spm.add_currency(code, digits) FROM property.currency ORDER BY code;
CREATE TABLE property.rate (from_code text, to_code text, day date, rate numeric, PRIMARY KEY (from_code, to_code, day));

-- A rate from one day to before another, in both.
CREATE FUNCTION property.set_rate(from_code text, to_code text, since date, until date, new_rate numeric) RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    BEGIN
        PERFORM spm.set_exchange_rate(from_code, to_code, since, new_rate, until => until);
    EXCEPTION WHEN exclusion_violation THEN
        RETURN;    -- another one begins within these days
    END;
    INSERT INTO property.rate AS r SELECT set_rate.from_code, set_rate.to_code, d.day, new_rate FROM property.day d WHERE d.day >= since AND (d.day < until OR until IS NULL)
    ON CONFLICT ON CONSTRAINT rate_pkey DO UPDATE SET rate = EXCLUDED.rate;
END
$$;
SELECT property.set_rate(a.code, b.code, since, NULL,
    round(CASE WHEN b.code = 'JPY' THEN 150 WHEN a.code = 'JPY' THEN 0.0066 ELSE 1 END * (0.9 + 0.001 * property.draw(a.code || b.code, i, 200)), 6))
FROM property.currency a, property.currency b, (VALUES (1, date '2026-01-01'), (2, '2026-02-10'), (3, '2026-03-05')) AS t (i, since)
WHERE a.code <> b.code ORDER BY a.code, b.code, since;

-- --------------------------------------------------------------------- people

-- Positions: one director, leads, sellers; a payee for each seat, some more to come.
CREATE TABLE property.position (position_no int PRIMARY KEY, key text UNIQUE, level int, title text);
CREATE TABLE property.payee (payee_no int PRIMARY KEY, key text UNIQUE);
CREATE TABLE property.seating (position_no int, day date, payee_no int, PRIMARY KEY (position_no, day), UNIQUE (payee_no, day));
CREATE TABLE property.line (position_no int, day date, manager_no int, PRIMARY KEY (position_no, day));
CREATE TABLE property.moved (position_no int PRIMARY KEY);    -- negative: under another lead
CREATE TABLE property.joined (payee_no int PRIMARY KEY);

CREATE TABLE property.size AS
SELECT greatest(plans, 8) AS sellers, 2 + plans / 12 AS leads, 2 + plans / 4 AS titles FROM property.setting;
INSERT INTO property.position
SELECT i, CASE WHEN i = 1 THEN 'd' ELSE (CASE WHEN i <= 1 + leads THEN 'l' ELSE 's' END) || to_char(i, 'FM0000') END,
       CASE WHEN i = 1 THEN 2 WHEN i <= 1 + leads THEN 1 ELSE 0 END,
       CASE WHEN i > 1 + leads THEN 'title ' || 1 + property.draw('title', i, titles) END
FROM property.size, generate_series(1, 1 + leads + sellers) AS i;
-- keys that sort in another order than the numbers
INSERT INTO property.payee
SELECT i, chr(97 + property.draw('payee', i, 26)::int) || i FROM property.size, generate_series(1, 1 + leads + sellers + sellers / 4) AS i;
INSERT INTO property.seating SELECT position_no, day, position_no FROM property.position, property.day;
INSERT INTO property.line
SELECT position_no, day, CASE level WHEN 1 THEN 1 ELSE 2 + property.draw('lead', position_no, leads) END
FROM property.position, property.size, property.day WHERE level < 2;
SELECT spm.add_title('title ' || i) FROM property.size, generate_series(1, titles) AS i;
SELECT spm.add_payee(key, 'Payee ' || payee_no) FROM property.payee ORDER BY payee_no;
SELECT spm.add_position(key, 'Position ' || position_no, title) FROM property.position ORDER BY position_no;
SELECT spm.assign_position(p.key, y.key, '2025-06-01') FROM property.position p JOIN property.payee y ON y.payee_no = p.position_no ORDER BY position_no;
SELECT spm.set_manager(p.key, m.key, '2025-06-01')
FROM property.line l JOIN property.position p USING (position_no) JOIN property.position m ON m.position_no = l.manager_no
WHERE l.day = '2026-01-01' ORDER BY p.position_no;

-- --------------------------------------------------------- quotas and variables

CREATE TABLE property.quota (position_no int, period_name text, amount numeric, PRIMARY KEY (position_no, period_name));
SELECT spm.add_measure('bookings');
INSERT INTO property.quota
SELECT p.position_no, name, (10 + property.draw('quota ' || name, p.position_no, 90)) * CASE level WHEN 0 THEN 100 ELSE 500 END * months
FROM property.position p,
     (SELECT name, 1 AS months FROM property.period UNION ALL SELECT name, 2 FROM property.half UNION ALL SELECT name, 3 FROM property.year) t
WHERE months = 1 OR property.draw('long quota ' || name, position_no, 5) = 0;
SELECT spm.set_quota(key, period_name, amount, 'bookings') FROM property.quota JOIN property.position USING (position_no) ORDER BY position_no, period_name;

-- Two variables: everybody's value, some payees' own from a day on.
CREATE TABLE property.variable_value (variable text, payee_no int, since date, amount numeric, UNIQUE (variable, payee_no, since));
INSERT INTO property.variable_value VALUES ('multiplier', NULL, '2025-06-01', 1.1), ('target', NULL, '2025-06-01', 1234.5);
INSERT INTO property.variable_value
SELECT v, payee_no, CASE WHEN property.draw('since ' || v, payee_no, 3) = 0 THEN date '2026-02-15' ELSE '2025-06-01' END,
       CASE v WHEN 'multiplier' THEN 0.5 + 0.05 * property.draw('multiplier', payee_no, 30) ELSE 500 + 0.01 * property.draw('target', payee_no, 300000) END
FROM property.payee, unnest('{multiplier,target}'::text[]) AS v WHERE property.draw('own ' || v, payee_no, 3) > 0;
SELECT spm.set_variable(variable, amount, payee => y.key, since => since)
FROM property.variable_value v LEFT JOIN property.payee y USING (payee_no) ORDER BY variable, payee_no NULLS FIRST, since;

-- A target is for a whole period: a component that prorates takes a part of it.
SELECT spm.prorate_variable('target');

-- A table of rates by product, one cell missing and so by default.
CREATE TABLE property.product_rate (product text, rate numeric);
INSERT INTO property.product_rate VALUES ('p0', 0.5), ('p1', 1.25), ('p2', 0.8);
SELECT spm.add_lookup('product rates', '{product}', otherwise => 1);
SELECT spm.set_lookup('product rates', ARRAY[product], rate) FROM property.product_rate ORDER BY product;

-- --------------------------------------------------------------------- orders

CREATE TABLE property.sales_order (
    order_id text PRIMARY KEY, ordered_on date NOT NULL, owner text, product text NOT NULL, account text NOT NULL,
    quantity numeric NOT NULL, amount numeric NOT NULL, cost numeric NOT NULL, currency text NOT NULL, kind text NOT NULL
);
CREATE TABLE property.share (order_id text NOT NULL, owner text NOT NULL, percent numeric NOT NULL, PRIMARY KEY (order_id, owner));

-- An order as number i draws it; with dates from the first day of the first period to the last day of the last.
CREATE FUNCTION property.make_order(i bigint) RETURNS property.sales_order
    LANGUAGE sql STABLE AS
$$
    SELECT ROW(property.pick('key', i, 'A', 'b', 'Z', 'é', '_') || i, date '2026-01-01' + property.draw('date', i, 90)::int,
        CASE property.draw('owned', i, 40) WHEN 0 THEN NULL WHEN 1 THEN 'nobody' ELSE
            (SELECT key FROM property.payee WHERE payee_no = 1 + property.draw('owner', i, (SELECT count(*) FROM property.payee))) END,
        'p' || property.draw('product', i, 5), 'a' || property.draw('account', i, 9), 1 + property.draw('quantity', i, 9),
        CASE WHEN property.draw('round', i, 4) = 0 THEN 500 * (1 + property.draw('amount', i, 6)) ELSE 1 + 0.01 * property.draw('amount', i, 400000) END
            * CASE property.draw('refund', i, 12) WHEN 0 THEN -1 ELSE 1 END,
        0.01 * property.draw('cost', i, 90000), property.pick('currency', i, 'USD', 'USD', 'EUR', 'JPY'),
        CASE property.draw('refund', i, 12) WHEN 0 THEN 'refund' ELSE 'booking' END)::property.sales_order
$$;

-- Two or three payees share an order; a share may be 0, and one may be everything.
CREATE FUNCTION property.share_order(id text, i bigint) RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM property.share WHERE order_id = id;
    INSERT INTO property.share
    SELECT id, y.key, percent
    FROM (SELECT n, percent, row_number() OVER () AS k
          FROM unnest(CASE property.draw('shares', i, 4) WHEN 0 THEN '{100,0}'::numeric[] WHEN 1 THEN '{33.33,33.33,33.34}' WHEN 2 THEN '{50,50}'
                           ELSE ARRAY[12.5, 87.5 - 0.001 * property.draw('share', i, 50000), 0.001 * property.draw('share', i, 50000)] END) WITH ORDINALITY AS t (percent, n)) s
    JOIN property.payee y ON y.payee_no = 1 + (property.draw('first', i, 100000) + k * (1 + property.draw('step', i, 3))) % (SELECT count(*) FROM property.payee);
END
$$;
INSERT INTO property.sales_order SELECT (property.make_order(i)).* FROM property.size, generate_series(1, sellers * 14) AS i;
SELECT property.share_order(order_id, n) FROM (SELECT order_id, row_number() OVER (ORDER BY order_id) AS n FROM property.sales_order) o WHERE property.draw('shared', n, 8) = 0;

-- Rules share what the warehouse does not.
CREATE TABLE property.rule (priority int PRIMARY KEY, account text, since date, owners text[], shares numeric[]);
INSERT INTO property.rule
SELECT i, 'a' || i, CASE i WHEN 1 THEN date '2025-06-01' ELSE '2026-02-10' END,
       (SELECT array_agg(key ORDER BY payee_no) FROM property.payee WHERE payee_no BETWEEN 3 + i * 2 AND 5 + i * 2), '{0.5,0.2,0.3}'
FROM generate_series(1, 2) AS i;
SELECT spm.map_source('orders', 'property.sales_order', key => 'order_id', date => 'ordered_on', owner => 'owner', amount => 'amount', type => 'kind',
    account => 'account', product => 'product', quantity => 'quantity', cost => 'cost', currency => 'currency');
SELECT spm.map_split('orders', 'property.share', key => 'order_id', owner => 'owner', share => 'percent', share_unit => 'percent');
SELECT spm.add_credit_rule('rule ' || priority, format('account_key = %L', account), owners, shares, since, priority => priority) FROM property.rule ORDER BY priority;

-- Specialists, on top; some of them twice, some of them owners too.
CREATE TABLE property.overlay (name text PRIMARY KEY, account text, since date, owners text[], shares numeric[]);
INSERT INTO property.overlay
SELECT 'overlay ' || i, 'a' || i + 2, CASE i WHEN 1 THEN date '2025-06-01' ELSE '2026-02-03' END,
       (SELECT array_agg(key ORDER BY payee_no) FROM property.payee, property.size WHERE payee_no - leads IN (3, 4 + i, 6 + i)), '{0.5,0.333,1.5}'::numeric[]
FROM generate_series(1, 2) AS i
UNION ALL SELECT 'overlay 3', 'a3', '2025-06-01', (SELECT array_agg(key) FROM property.payee, property.size WHERE payee_no - leads = 3), '{0.1}'::numeric[];
SELECT spm.add_overlay_rule(name, format('account_key = %L', account), owners, shares, since) FROM property.overlay ORDER BY name;

-- ---------------------------------------------------------------------- plans

CREATE TABLE property.plan (plan_no int PRIMARY KEY, name text, currency text, since date, is_above boolean, second_since date);
CREATE TABLE property.assignment (plan_no int, payee_no int, position_no int, title text, since date);
CREATE TABLE property.component (
    component_no int, version_no int, plan_no int, name text, schedule twin.schedule, measure text, condition text, credits text,
    is_of_quota boolean, accumulate text, variable text, unit text, places int, rounding text, basis text, pay text, prorate text,
    is_true_up boolean, group_by text, credit_cap numeric, is_looked_up boolean, ties text, PRIMARY KEY (plan_no, version_no, component_no)
);
CREATE TABLE property.input (plan_no int, version_no int, component_no int, input_no int, of_no int, figure text, scope text, weight numeric);
CREATE TABLE property.modifier (plan_no int, version_no int, component_no int, modifier_no int, kind text, of_no int, figure text, rates twin.schedule, value numeric, is_strict boolean, scope text);

-- Tiers in steps that orders reach; amounts of money in cents.
CREATE FUNCTION property.make_schedule(id bigint, method text, is_percent boolean) RETURNS twin.schedule
    LANGUAGE plpgsql STABLE AS
$$
DECLARE
    s twin.schedule;
    n int := 1 + property.draw('tiers', id, 4);
    is_money boolean := method IN ('bonus', 'curve');
    at numeric := CASE property.draw('first floor', id, 3) WHEN 0 THEN CASE WHEN is_percent THEN 0.25 ELSE 1000 END ELSE 0 END;
BEGIN
    s.is_percent := is_percent;
    s.method := method;
    s.edge := property.pick('edge', id, 'upper', 'upper', 'lower', 'closed');
    s.zero_quota := 'top';
    s.outside := CASE WHEN method = 'weighted' OR property.draw('outside', id, 5) = 0 THEN 'zero' ELSE 'refuse' END;
    FOR i IN 1..n LOOP
        s.floors[i] := at;
        at := at + (1 + property.draw('width ' || i, id, 5)) * CASE WHEN is_percent THEN 0.2 ELSE 500 END;
        s.ends[i] := at;
        IF s.outside = 'zero' AND property.draw('gap ' || i, id, 5) = 0 THEN
            at := at + CASE WHEN is_percent THEN 0.1 ELSE 500 END;
        END IF;
        s.rates[i] := CASE WHEN is_money THEN 0.01 * property.draw('rate ' || i, id, 100000) ELSE 0.001 * (property.draw('rate ' || i, id, 200) - 5) END;
    END LOOP;
    IF s.outside = 'refuse' THEN
        s.ends[n] := NULL;
    ELSIF method = 'weighted' THEN
        s.ends[n] := s.ends[n] + CASE WHEN is_percent THEN 4 ELSE 30000 END;
    END IF;
    IF NOT is_money AND property.draw('base', id, 5) = 0 THEN
        s.base := 0.001 * property.draw('base rate', id, 50);
    END IF;
    IF property.draw('cap', id, 5) = 0 THEN
        -- not below what a tier starts with: publishing refuses tiers that are never reached
        s.cap := greatest(100 + 0.5 * property.draw('capped', id, 4000),
                          (SELECT max(trunc(e.num / e.den)) + 25 FROM unnest(s.floors) AS f, twin.earned(s, f) AS e WHERE method = 'marginal' AND NOT is_percent));
    END IF;
    IF property.draw('least', id, 8) = 0 THEN
        s.least := 0.25 * (property.draw('at least', id, 400) - 200);
        s.least := least(s.least, s.cap);
    END IF;
    IF property.draw('per', id, 8) = 0 THEN
        s.divisor := 0.7 + 0.1 * property.draw('divisor', id, 20);
    END IF;
    RETURN s;
END
$$;

INSERT INTO property.plan
SELECT i, 'plan ' || to_char(i, 'FM0000'), property.pick('plan currency', i, 'USD', 'USD', 'EUR', 'JPY'),
       CASE property.draw('plan since', i, 6) WHEN 0 THEN date '2026-01-20' ELSE '2025-06-01' END, property.draw('above', i, 5) = 0,
       CASE property.draw('second version', i, 14) WHEN 0 THEN date '2026-02-01' WHEN 1 THEN '2026-02-17' END
FROM generate_series(1, (SELECT plans FROM property.setting)) AS i;

-- The first component stands on credits, others on credits, on those before them or on nothing.
INSERT INTO property.component
SELECT k, v, plan_no, 'component ' || k,
       property.make_schedule(id, CASE basis
           WHEN 'rank' THEN 'bonus' WHEN 'fixed' THEN 'marginal'
           ELSE property.pick('method', id, 'marginal', 'marginal', 'whole', 'interpolated', 'weighted', 'bonus', 'excess', 'curve') END, is_of_quota),
       CASE WHEN unit = 'count' THEN property.pick('count', id, 'quantity', '1') ELSE property.pick('measure', id, 'amount', 'amount', 'amount', 'amount - cost', 'amount * 0.375') END,
       property.pick('condition', id, NULL, NULL, NULL, 'type = ''booking''', 'product_key <> ''p1''', 'amount > 100'),
       CASE WHEN is_above THEN property.pick('credits', id, 'rollup', 'rollup', 'all') ELSE property.pick('credits', id, 'direct', 'direct', 'direct', 'direct', 'all', 'all', 'overlay') END,
       is_of_quota, CASE WHEN basis <> 'credit' THEN 'period' WHEN group_by IS NOT NULL THEN 'group' WHEN is_true_up THEN property.pick('true-up', id, 'half', 'year')
                         ELSE property.pick('accumulate', id, 'period', 'period', 'half', 'year', 'deal', 'rolling 2') END,
       CASE WHEN pay = 'target' OR basis = 'fixed' THEN 'target' WHEN basis = 'credit' THEN property.pick('variable', id, NULL, NULL, NULL, 'multiplier') END,
       unit, property.pick('places', id, '2', '2', '2', '0', '4')::int,
       property.pick('rounding', id, 'half_up', 'half_up', 'half_up', 'half_even', 'half_down', 'down', 'up', 'floor'),
       basis, pay, CASE WHEN basis IN ('credit', 'fixed') AND property.draw('prorate', id, 4) = 0 THEN 'calendar' ELSE 'none' END,
       is_true_up, group_by, CASE WHEN property.draw('credit cap', id, 8) = 0 THEN 1500 END,
       basis = 'credit' AND property.draw('lookup', id, 8) = 0, property.pick('ties', id, 'competition', 'dense', 'average', 'share')
FROM property.plan, generate_series(1, 3) AS k, generate_series(1, 2) AS v,
    LATERAL (SELECT plan_no * 100 + v * 10 + k AS id) a,
    LATERAL (SELECT CASE WHEN k > 1 THEN property.pick('basis', id, 'credit', 'credit', 'credit', 'credit', 'fixed', 'result', 'rank', 'pool') ELSE 'credit' END AS basis) b,
    LATERAL (SELECT CASE WHEN basis = 'credit' THEN property.pick('pay', id, 'amount', 'amount', 'amount', 'amount', 'target') ELSE 'amount' END AS pay) c,
    LATERAL (SELECT CASE WHEN basis = 'credit' THEN property.pick('unit', id, 'money', 'money', 'money', 'money', 'count') ELSE 'money' END AS unit,
                    basis = 'credit' AND (pay = 'target' OR property.draw('of quota', id, 3) = 0) AS is_of_quota,
                    basis = 'credit' AND property.draw('is true-up', id, 8) = 0 AS is_true_up) d,
    LATERAL (SELECT CASE WHEN basis = 'credit' AND NOT is_true_up AND property.draw('group', id, 10) = 0 THEN property.pick('group by', id, 'product_key', 'account_key') END AS group_by) e
WHERE k <= property.pick('components', plan_no, '1', '1', '1', '2', '2', '3')::int AND (v = 1 OR second_since IS NOT NULL);
-- places by rank, two of them paid; figures to be shared or rated
UPDATE property.component SET schedule = ROW('{1,2,4}', '{2,4,NULL}', '{900.1,400.05,0}', 'bonus', 'upper', NULL, NULL, NULL, 'refuse', 'top', false, NULL)::twin.schedule WHERE basis = 'rank';
UPDATE property.component SET schedule = ROW('{0}', '{NULL}', '{0.5}', 'marginal', 'upper', NULL, NULL, NULL, 'refuse', 'top', false, NULL)::twin.schedule WHERE basis = 'fixed';
INSERT INTO property.input
SELECT plan_no, version_no, component_no, n, n, property.pick('figure', plan_no * 10 + n, 'amount', 'earned', 'earned'),
       CASE WHEN basis = 'pool' THEN 'plan' ELSE 'own' END, property.pick('weight', plan_no * 10 + n, '1', '0.3', '-0.5')::numeric
FROM property.component, generate_series(1, 2) AS n
WHERE basis IN ('result', 'rank', 'pool') AND (n = 1 OR basis = 'result' AND component_no = 3 AND property.draw('inputs', plan_no, 2) = 0);
UPDATE property.input i SET scope = 'plan' FROM property.component c WHERE (c.plan_no, c.version_no, c.component_no) = (i.plan_no, i.version_no, i.component_no) AND basis = 'rank';

-- Gates, multipliers and limits on components of credits, by their own figures or those of one before.
INSERT INTO property.modifier
SELECT plan_no, version_no, component_no, n, kind, of_no, figure,
       CASE WHEN kind = 'multiply' THEN ROW('{0,0.5,1}', '{0.5,1,NULL}', CASE figure WHEN 'attainment' THEN '{0.75,1,1.5}' ELSE '{0.9,1.2,1.1}' END::numeric[],
                property.pick('modifier method', id, 'whole', 'interpolated'), 'upper', NULL, NULL, NULL, 'refuse', 'top', false, NULL)::twin.schedule END,
       CASE kind WHEN 'gate' THEN CASE figure WHEN 'attainment' THEN 0.4 WHEN 'credits' THEN 3 ELSE 1500 END
                 WHEN 'add' THEN 0.125 WHEN 'at most' THEN 1.3 WHEN 'at least' THEN 0.9 WHEN 'cap' THEN 777.77 WHEN 'floor' THEN -50 END,
       kind = 'gate' AND property.draw('strict', id, 2) = 0, CASE WHEN of_no > 0 THEN property.pick('scope', id, 'own', 'team', 'plan') ELSE 'own' END
FROM property.component c, generate_series(1, 2) AS n,
    LATERAL (SELECT plan_no * 1000 + version_no * 100 + component_no * 10 + n AS id) a,
    LATERAL (SELECT CASE n WHEN 1 THEN property.pick('modifier', id, 'gate', 'multiply', 'multiply', 'add') ELSE property.pick('modifier', id, 'at most', 'at least', 'cap', 'floor', 'multiply') END AS kind) b,
    LATERAL (SELECT CASE WHEN kind IN ('gate', 'multiply') THEN CASE WHEN component_no > 1 AND property.draw('other', id, 2) = 0 THEN 1 ELSE 0 END END AS of_no) d,
    LATERAL (SELECT CASE WHEN of_no IS NOT NULL THEN CASE
                WHEN (SELECT o.is_of_quota FROM property.component o WHERE (o.plan_no, o.version_no, o.component_no) = (c.plan_no, c.version_no, CASE of_no WHEN 0 THEN c.component_no ELSE of_no END))
                THEN property.pick('modified by', id, 'attainment', 'attainment', 'amount', 'credits') ELSE property.pick('modified by', id, 'amount', 'credits') END END AS figure) e
WHERE basis = 'credit' AND property.draw('modified', id / 10, 3) = 0 AND (n = 1 OR property.draw('modified twice', id / 10, 2) = 0);

-- Two or three seats each, by payee, position or title; those above by position.
INSERT INTO property.assignment
SELECT plan_no,
       CASE WHEN NOT is_above AND way = 0 THEN someone END, CASE WHEN is_above OR way = 1 THEN someone END, CASE WHEN NOT is_above AND way = 2 THEN 'title ' || 1 + property.draw('plan title', plan_no, titles) END,
       CASE property.draw('assigned', plan_no * 10 + n, 6) WHEN 0 THEN date '2026-02-09' ELSE '2025-06-01' END
FROM property.plan, property.size, generate_series(1, 2) AS n,
    LATERAL (SELECT property.draw('way', plan_no * 10 + n, 3) AS way,
                    CASE WHEN is_above THEN 1 + property.draw('manager', plan_no, 1 + leads) + n * 0 ELSE 2 + leads + (property.draw('assignee', plan_no, sellers) + n) % sellers END AS someone) w
WHERE (n = 1 OR way <> 2) AND NOT (is_above AND n = 2);

CREATE FUNCTION property.write_plan(plan_no int, version_no int) RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    p property.plan := (SELECT p FROM property.plan p WHERE p.plan_no = write_plan.plan_no);
    c property.component;
    i property.input;
    m property.modifier;
BEGIN
    IF version_no = 1 THEN
        PERFORM spm.create_plan(p.name, 'company', p.currency, p.since);
    ELSE
        PERFORM spm.new_plan_version(p.name, p.second_since);
        PERFORM spm.drop_component(p.name, name) FROM (SELECT DISTINCT k.name FROM property.component k WHERE k.plan_no = p.plan_no AND k.version_no = 1 ORDER BY 1 DESC) x;
    END IF;
    FOR c IN SELECT * FROM property.component k WHERE k.plan_no = p.plan_no AND k.version_no = write_plan.version_no ORDER BY component_no LOOP
        PERFORM spm.add_component(p.name, c.name, twin.schedule_text(c.schedule, false, false), c.measure, c.condition, c.credits,
            quota => CASE WHEN c.is_of_quota THEN 'bookings' END, accumulate => c.accumulate, variable => c.variable, unit => c.unit, places => c.places, rounding => c.rounding,
            basis => c.basis, pay => c.pay, prorate => c.prorate, true_up => c.is_true_up, group_by => c.group_by, credit_cap => c.credit_cap,
            lookup => CASE WHEN c.is_looked_up THEN 'product rates' END, lookup_by => CASE WHEN c.is_looked_up THEN '{product_key}'::text[] END, ties => c.ties);
        FOR i IN SELECT * FROM property.input k WHERE (k.plan_no, k.version_no, k.component_no) = (p.plan_no, write_plan.version_no, c.component_no) ORDER BY input_no LOOP
            PERFORM spm.add_input(p.name, c.name, 'component ' || i.of_no, i.figure, i.scope, i.weight);
        END LOOP;
        FOR m IN SELECT * FROM property.modifier k WHERE (k.plan_no, k.version_no, k.component_no) = (p.plan_no, write_plan.version_no, c.component_no) ORDER BY modifier_no LOOP
            PERFORM spm.add_modifier(p.name, c.name, m.kind, CASE WHEN m.of_no > 0 THEN ARRAY['component ' || m.of_no] END, CASE WHEN m.figure IS NOT NULL THEN ARRAY[m.figure] END,
                rates => CASE WHEN NOT m.rates IS NULL THEN twin.schedule_text(m.rates, false, false) END, value => m.value, strict => m.is_strict, scope => m.scope);
        END LOOP;
    END LOOP;
    IF version_no = 1 THEN
        PERFORM spm.assign_plan(p.name, a.since, payee => y.key, "position" => s.key, title => a.title)
        FROM property.assignment a LEFT JOIN property.payee y USING (payee_no) LEFT JOIN property.position s USING (position_no) WHERE a.plan_no = p.plan_no;
    END IF;
    PERFORM spm.publish_plan(p.name);
END
$$;
SELECT property.write_plan(plan_no, version_no) FROM (SELECT DISTINCT plan_no, version_no FROM property.component) v ORDER BY plan_no, version_no;

-- ---------------------------------------------------------------------- edits

-- Whoever sits on a seat from a day on; nobody if that is NULL.
CREATE FUNCTION property.seat(seat int, person int, since date) RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM property.seating WHERE position_no = seat AND day >= since;
    INSERT INTO property.seating SELECT seat, day, person FROM property.day WHERE day >= since AND person IS NOT NULL;
END
$$;

-- What changes in a step: orders of all periods, and in periods up to one people, quotas, rates.
CREATE FUNCTION property.edit(step int) RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    base bigint := 1000000 * step;
    size property.size := (SELECT s FROM property.size s);
    until int := least(step, 3) * 30;
    o property.sales_order;
    id text;
    k bigint;
    since date;
    a int;
    b int;
    someone int;
    quota property.quota;
BEGIN
    FOR i IN 1 .. size.sellers LOOP
        k := base + i;
        SELECT s.* INTO o FROM property.sales_order s ORDER BY order_id COLLATE "C" OFFSET property.draw('edited', k, (SELECT count(*) FROM property.sales_order)) LIMIT 1;
        id := o.order_id;
        CASE property.draw('edit', k, 8)
            WHEN 0, 1 THEN INSERT INTO property.sales_order SELECT (property.make_order(k)).*;
            WHEN 2 THEN UPDATE property.sales_order s SET amount = round(s.amount * (0.5 + 0.01 * property.draw('changed', k, 100)), 2) WHERE order_id = id;
            WHEN 3 THEN DELETE FROM property.sales_order WHERE order_id = id; DELETE FROM property.share WHERE order_id = id;
            WHEN 4 THEN UPDATE property.sales_order s SET ordered_on = (property.make_order(k)).ordered_on WHERE order_id = id;
            WHEN 5 THEN UPDATE property.sales_order s SET owner = (property.make_order(k)).owner WHERE order_id = id;
            WHEN 6 THEN o.order_id := 'r' || k; o.amount := -o.amount; o.cost := -o.cost; o.quantity := -o.quantity; o.kind := 'refund';
                o.ordered_on := least(o.ordered_on + property.draw('later', k, 40)::int, '2026-03-31');
                INSERT INTO property.sales_order SELECT (o).*;
            ELSE PERFORM property.share_order(id, k);
        END CASE;
    END LOOP;
    FOR i IN 1 .. 2 + size.sellers / 10 LOOP
        k := base + i;
        since := date '2026-01-01' + property.draw('moving day', k, until)::int;
        a := 2 + size.leads + property.draw('moves', k, size.sellers);
        b := 2 + size.leads + property.draw('with', k, size.sellers);
        CASE property.draw('setting', k, 5)
            WHEN 0 THEN    -- two who have not moved yet change seats, or one is followed by somebody new after some days
                CONTINUE WHEN a = b OR EXISTS (SELECT FROM property.moved WHERE position_no IN (a, b));
                INSERT INTO property.moved VALUES (a), (b);
                PERFORM spm.vacate_position(p.key, since) FROM property.position p WHERE position_no IN (a, b);
                PERFORM property.seat(a, NULL, since), property.seat(b, NULL, since);
                PERFORM property.seat(a, b, since), property.seat(b, a, since);
                PERFORM spm.assign_position(p.key, y.key, since) FROM property.position p JOIN property.payee y ON y.payee_no = CASE position_no WHEN a THEN b ELSE a END WHERE position_no IN (a, b);
            WHEN 1 THEN
                SELECT min(payee_no) INTO someone FROM property.payee WHERE payee_no > 1 + size.leads + size.sellers AND payee_no NOT IN (SELECT payee_no FROM property.joined);
                CONTINUE WHEN someone IS NULL OR EXISTS (SELECT FROM property.moved WHERE position_no = a);
                INSERT INTO property.moved VALUES (a);
                INSERT INTO property.joined VALUES (someone);
                PERFORM property.seat(a, NULL, since), property.seat(a, someone, since + 7);
                PERFORM spm.vacate_position(p.key, since), spm.assign_position(p.key, (SELECT key FROM property.payee WHERE payee_no = someone), since + 7)
                FROM property.position p WHERE position_no = a;
            WHEN 2 THEN
                CONTINUE WHEN EXISTS (SELECT FROM property.moved WHERE position_no = -a);
                INSERT INTO property.moved VALUES (-a);
                b := 2 + property.draw('new lead', k, size.leads);
                PERFORM spm.set_manager(p.key, m.key, since) FROM property.position p, property.position m WHERE p.position_no = a AND m.position_no = b;
                UPDATE property.line l SET manager_no = b WHERE l.position_no = a AND l.day >= since;
            WHEN 3 THEN
                SELECT q.* INTO quota FROM property.quota q ORDER BY position_no, period_name OFFSET property.draw('quota', k, (SELECT count(*) FROM property.quota)) LIMIT 1;
                quota.amount := quota.amount + 1234.5;
                UPDATE property.quota q SET amount = quota.amount WHERE q.position_no = quota.position_no AND q.period_name = quota.period_name;
                PERFORM spm.set_quota(p.key, quota.period_name, quota.amount, 'bookings') FROM property.position p WHERE p.position_no = quota.position_no;
            ELSE
                PERFORM property.set_rate('EUR', 'USD', since, since + 3, 1.05 + 0.001 * property.draw('new rate', k, 100));
        END CASE;
    END LOOP;
END
$$;
