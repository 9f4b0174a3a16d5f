/*
 * property/twin.sql: what everybody earns, once more without spm.
 *
 * Written from the definitions, with a row for each day instead of spans, and a
 * loop where one result stands on another.  Reads what company.sql has drawn.
 */

-- Who is on which version of a plan, on which seat, day by day.
CREATE VIEW property.on_plan AS
SELECT DISTINCT p.plan_no, CASE WHEN s.day >= p.second_since THEN 2 ELSE 1 END AS version_no, s.position_no, s.payee_no, s.day, d.period_no
FROM property.plan p
JOIN property.assignment a USING (plan_no)
JOIN property.seating s ON s.day >= a.since AND s.day >= p.since
JOIN property.position o ON o.position_no = s.position_no
JOIN property.day d ON d.day = s.day
WHERE a.payee_no = s.payee_no OR a.position_no = s.position_no OR a.title = o.title;

-- Who shares in an order: by the warehouse, else by the first rule that applies, else its owner.
CREATE VIEW property.claim AS
SELECT o.order_id, u.n AS share_no, u.owner, CASE WHEN cardinality(c.shares) > 1 THEN c.shares END AS shares
FROM property.sales_order o
LEFT JOIN LATERAL (
    SELECT array_agg(s.owner ORDER BY s.owner COLLATE "C") FILTER (WHERE percent > 0) AS owners, array_agg(percent / 100 ORDER BY s.owner COLLATE "C") FILTER (WHERE percent > 0) AS shares
    FROM property.share s WHERE s.order_id = o.order_id) w ON true
LEFT JOIN LATERAL (
    SELECT array_agg(u.owner ORDER BY u.owner COLLATE "C") AS owners, array_agg(u.share ORDER BY u.owner COLLATE "C") AS shares
    FROM (SELECT * FROM property.rule WHERE account = o.account AND since <= o.ordered_on ORDER BY priority LIMIT 1) r, unnest(r.owners, r.shares) AS u (owner, share)) r ON w.owners IS NULL
CROSS JOIN LATERAL (SELECT coalesce(w.owners, r.owners, ARRAY[o.owner]) AS owners, coalesce(w.shares, r.shares, '{1}') AS shares) c
CROSS JOIN LATERAL unnest(c.owners) WITH ORDINALITY AS u (owner, n);

-- Who is credited: the seat of whoever shares, and all seats above it that day.
CREATE VIEW property.credit AS
WITH RECURSIVE up AS (
    SELECT c.order_id, c.share_no, c.shares, c.owner, o.ordered_on AS day, s.position_no AS origin_no, s.position_no, 0 AS level
    FROM property.claim c JOIN property.sales_order o USING (order_id) JOIN property.payee y ON y.key = c.owner
    JOIN property.seating s ON s.payee_no = y.payee_no AND s.day = o.ordered_on
    UNION ALL
    SELECT up.order_id, up.share_no, up.shares, up.owner, up.day, up.origin_no, l.manager_no, up.level + 1
    FROM up JOIN property.line l ON l.position_no = up.position_no AND l.day = up.day
)
SELECT up.*, s.payee_no, CASE level WHEN 0 THEN 'direct' ELSE 'rollup' END AS kind, NULL AS rule, 1::numeric AS factor
FROM up JOIN property.seating s ON s.position_no = up.position_no AND s.day = up.day
UNION ALL    -- and specialists on top, whose credits go no further
SELECT o.order_id, NULL, NULL, u.owner, o.ordered_on, s.position_no, s.position_no, 0, s.payee_no, 'overlay', r.name, u.share
FROM property.sales_order o JOIN property.overlay r ON r.account = o.account AND r.since <= o.ordered_on
CROSS JOIN LATERAL unnest(r.owners, r.shares) AS u (owner, share)
JOIN property.payee y ON y.key = u.owner JOIN property.seating s ON s.payee_no = y.payee_no AND s.day = o.ordered_on;

-- The two, kept while reckoning.
CREATE TABLE property.on_plan_day AS SELECT * FROM property.on_plan LIMIT 0;
CREATE INDEX ON property.on_plan_day (plan_no, version_no, position_no, payee_no, period_no);
CREATE TABLE property.credited AS SELECT * FROM property.credit LIMIT 0;
CREATE TABLE property.deal (
    plan_no int, version_no int, component_no int, period_no int, position_no int, payee_no int,
    order_id text, owner text, origin_no int, level int, way text, day date, group_key text, base numeric
);
CREATE TABLE property.measured (
    plan_no int, version_no int, component_no int, period_no int, position_no int, payee_no int, credit_count bigint,
    opening numeric, amount numeric, quota numeric, factor numeric, schedule twin.schedule, before numeric, earned numeric
);
CREATE TABLE property.earned (
    plan_no int, version_no int, component_no int, period_no int, position_no int, payee_no int, kind text,
    order_id text, owner text, origin_no int, level int, way text, base numeric, from_total numeric, amount numeric
);

CREATE INDEX ON property.deal (plan_no, version_no, component_no);
CREATE INDEX ON property.measured (plan_no, version_no, component_no, period_no, position_no, payee_no);
CREATE INDEX ON property.earned (plan_no, version_no, component_no, period_no, position_no, payee_no);

-- The first period that a total of a period reaches back to.
CREATE FUNCTION property.first_of(accumulate text, period_no int) RETURNS int
    LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE accumulate WHEN 'year' THEN 1 WHEN 'half' THEN CASE WHEN period_no < 3 THEN 1 ELSE 3 END WHEN 'rolling 2' THEN greatest(period_no - 1, 1) ELSE period_no END $$;

-- The last period of the span that a quota or a share of time is for.
CREATE FUNCTION property.last_of(accumulate text, period_no int) RETURNS int
    LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE accumulate WHEN 'year' THEN 3 WHEN 'half' THEN CASE WHEN period_no < 3 THEN 2 ELSE 3 END ELSE period_no END $$;

CREATE FUNCTION property.days_on(plan_no int, version_no int, position_no int, payee_no int, first_no int, last_no int) RETURNS numeric
    LANGUAGE sql STABLE AS
$$ SELECT count(*) FROM property.on_plan_day o
   WHERE (o.plan_no, o.version_no, o.position_no, o.payee_no) = ($1, $2, $3, $4) AND o.period_no BETWEEN $5 AND $6 $$;

CREATE FUNCTION property.days_in(first_no int, last_no int) RETURNS numeric
    LANGUAGE sql STABLE AS
$$ SELECT count(*) FROM property.day WHERE period_no BETWEEN $1 AND $2 $$;

-- The quota of the whole span if there is one, else of its halves, else of its months, each for the days on the plan; rounded if that takes off a part.
CREATE FUNCTION property.quota_of(c property.component, seat int, person int, this_no int, digits int) RETURNS numeric
    LANGUAGE sql STABLE AS
$$
    SELECT CASE WHEN bool_or(on_days > 0 AND on_days < days) THEN twin.rounded(round(sum(amount * on_days * 1.0000000000000000000000000 / days), 15), 1, digits, 'half_up')
                ELSE sum(amount) FILTER (WHERE on_days > 0) END
    FROM (SELECT q.amount, s.is_whole, bool_or(s.is_whole) OVER () AS has_whole, property.days_in(s.first_no, s.last_no) AS days,
                 CASE c.prorate WHEN 'calendar' THEN property.days_on(c.plan_no, c.version_no, seat, person, s.first_no, s.last_no) ELSE property.days_in(s.first_no, s.last_no) END AS on_days
          FROM (SELECT p.name, p.period_no AS first_no, p.period_no AS last_no, false AS is_whole FROM property.period p
                WHERE p.period_no BETWEEN property.first_of(c.accumulate, this_no) AND property.last_of(c.accumulate, this_no)
                  AND NOT (c.accumulate = 'year' AND EXISTS (SELECT FROM property.quota q WHERE q.position_no = seat AND q.period_name = 'H' || p.half_no))
                UNION ALL
                SELECT 'H' || half_no, min(period_no), max(period_no), false FROM property.period WHERE c.accumulate = 'year' GROUP BY half_no
                UNION ALL
                SELECT CASE c.accumulate WHEN 'year' THEN '2026' ELSE 'H' || CASE WHEN this_no < 3 THEN 1 ELSE 2 END END,
                       property.first_of(c.accumulate, this_no), property.last_of(c.accumulate, this_no), true WHERE c.accumulate IN ('half', 'year')) s
          JOIN property.quota q ON q.position_no = seat AND q.period_name = s.name) x
    WHERE is_whole = has_whole
$$;

-- What a variable is for a payee in a period: their own value if there is one by its last day, else everybody's.
CREATE FUNCTION property.variable_of(name text, person int, this_no int) RETURNS numeric
    LANGUAGE sql STABLE AS
$$ SELECT amount FROM property.variable_value v
   WHERE variable = name AND (payee_no = person OR payee_no IS NULL) AND since <= (SELECT last FROM property.period WHERE period_no = this_no)
   ORDER BY payee_no NULLS LAST, since LIMIT 1 $$;

-- A rate that is read off, to 20 places.
CREATE FUNCTION property.rate_of(s twin.schedule, x numeric) RETURNS numeric
    LANGUAGE sql STABLE AS
$$ SELECT twin.rounded(r.num, r.den, 20, 'half_up') FROM twin.rate(s, x) AS r $$;

-- The manager on the last day of a period; whoever has none is a team alone.
CREATE FUNCTION property.team_of(seat int, this_no int) RETURNS int
    LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT manager_no FROM property.line WHERE position_no = seat AND day = (SELECT last FROM property.period WHERE period_no = this_no)), -seat) $$;

-- The rates of a seat: quota or part of the time, variable, target and modifiers worked in.
CREATE FUNCTION property.rates_of(c property.component, INOUT m property.measured) LANGUAGE plpgsql STABLE AS
$$
DECLARE
    s twin.schedule := c.schedule;
    factor numeric := 1;
    cap numeric;
    least numeric;
    active numeric := property.days_on(c.plan_no, c.version_no, m.position_no, m.payee_no, CASE c.accumulate WHEN 'rolling 2' THEN m.period_no ELSE property.first_of(c.accumulate, m.period_no) END,
                                       property.last_of(c.accumulate, m.period_no));
    of_days numeric := property.days_in(CASE c.accumulate WHEN 'rolling 2' THEN m.period_no ELSE property.first_of(c.accumulate, m.period_no) END, property.last_of(c.accumulate, m.period_no));
    d property.modifier;
    other property.measured;
    x numeric;
    value numeric;
BEGIN
    FOR d IN SELECT k.* FROM property.modifier k WHERE (k.plan_no, k.version_no, k.component_no) = (c.plan_no, c.version_no, c.component_no) ORDER BY modifier_no LOOP
        other := m;
        IF d.of_no > 0 THEN
            -- of the same seat, of all with the same manager on the last day, or of everybody
            SELECT sum(k.opening), sum(k.amount), sum(k.quota), sum(k.credit_count) INTO other.opening, other.amount, other.quota, other.credit_count
            FROM property.measured k
            WHERE (k.plan_no, k.version_no, k.component_no, k.period_no) = (c.plan_no, c.version_no, d.of_no, m.period_no)
              AND CASE d.scope WHEN 'own' THEN (k.position_no, k.payee_no) = (m.position_no, m.payee_no)
                               WHEN 'team' THEN property.team_of(k.position_no, k.period_no) = property.team_of(m.position_no, m.period_no) ELSE true END;
        END IF;
        x := CASE d.figure WHEN 'credits' THEN other.credit_count ELSE other.opening + other.amount END;
        CASE d.kind
            WHEN 'gate' THEN
                value := d.value * CASE d.figure WHEN 'attainment' THEN other.quota ELSE 1 END;
                value := (x > value OR x = value AND NOT d.is_strict)::int;
            WHEN 'multiply' THEN
                -- attainment is rounded to 20 places; without a quota it is beyond all tiers
                value := CASE WHEN d.figure = 'attainment' THEN
                             CASE WHEN other.quota = 0 THEN (d.rates).rates[cardinality((d.rates).rates)] ELSE property.rate_of(d.rates, twin.rounded(x, other.quota, 20, 'half_up')) END
                         WHEN d.figure IS NOT NULL THEN property.rate_of(d.rates, x) ELSE d.value END;
            ELSE value := d.value;
        END CASE;
        CASE d.kind
            WHEN 'gate', 'multiply' THEN factor := factor * value; cap := cap * value; least := least * value;
            WHEN 'add' THEN factor := factor + value;
            WHEN 'at most' THEN factor := CASE WHEN value < factor THEN value ELSE factor END;
            WHEN 'at least' THEN factor := CASE WHEN value > factor THEN value ELSE factor END;
            WHEN 'cap' THEN cap := value;
            WHEN 'floor' THEN least := value;
        END CASE;
    END LOOP;
    m.factor := factor * CASE WHEN c.variable IS NULL THEN 1 ELSE property.variable_of(c.variable, m.payee_no, m.period_no) END;
    IF c.is_of_quota THEN
        s := twin.for_quota(s, m.quota);
    ELSIF c.prorate = 'calendar' AND c.pay = 'amount' AND c.basis = 'credit' THEN
        s := twin.scaled(s, active, of_days, c.places);
    END IF;
    s := twin.with_factor(s, m.factor);
    IF c.prorate = 'calendar' AND c.variable = 'target' THEN
        s := twin.with_factor(s, active);
        s.divisor := coalesce(s.divisor, 1) * of_days;
    END IF;
    IF c.pay = 'target' THEN
        s.divisor := coalesce(s.divisor, 1) * m.quota;
    END IF;
    m.schedule := twin.with_limits(s, cap, least);
END
$$;

CREATE FUNCTION property.reckon() RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    c property.component;
    digits int;
    people bigint;
BEGIN
    INSERT INTO property.on_plan_day SELECT * FROM property.on_plan;
    INSERT INTO property.credited SELECT * FROM property.credit;
    ANALYZE property.on_plan_day, property.credited, property.sales_order;

    -- what counts of every credit by every component
    INSERT INTO property.deal
    SELECT part.plan_no, part.version_no, part.component_no, p_day.period_no, t.position_no, t.payee_no, t.order_id, t.owner, t.origin_no, t.level, concat_ws(' ', t.kind, t.rule), t.day,
           CASE part.group_by WHEN 'product_key' THEN o.product WHEN 'account_key' THEN o.account END,
           least(greatest(w.value, -part.credit_cap), part.credit_cap)
    FROM property.component part
    JOIN property.plan p USING (plan_no)
    JOIN property.currency k ON k.code = p.currency
    JOIN property.on_plan_day p_day ON (p_day.plan_no, p_day.version_no) = (part.plan_no, part.version_no)
    JOIN property.credited t ON (t.position_no, t.payee_no, t.day) = (p_day.position_no, p_day.payee_no, p_day.day)
    JOIN property.sales_order o USING (order_id)
    LEFT JOIN property.product_rate l ON l.product = o.product
    CROSS JOIN LATERAL (SELECT CASE part.measure WHEN 'amount' THEN o.amount WHEN 'amount - cost' THEN o.amount - o.cost WHEN 'amount * 0.375' THEN o.amount * 0.375
                                              WHEN 'quantity' THEN o.quantity ELSE 1 END * CASE WHEN part.is_looked_up THEN coalesce(l.rate, 1) ELSE 1 END AS value) m
    CROSS JOIN LATERAL (SELECT CASE
        WHEN part.unit = 'count' THEN m.value
        -- what is the plan's own money stays as it is; a product of a table is rounded as money unless each deal stands alone
        WHEN o.currency = p.currency THEN CASE WHEN part.is_looked_up AND part.accumulate <> 'deal' THEN twin.rounded(m.value, 1, k.digits, 'half_up') ELSE m.value END
        ELSE twin.rounded(m.value * (SELECT r.rate FROM property.rate r WHERE r.from_code = o.currency AND r.to_code = p.currency AND r.day = t.day), 1, k.digits, 'half_up') END AS value) x
    CROSS JOIN LATERAL (SELECT CASE WHEN t.shares IS NULL THEN x.value
        ELSE (twin.split(x.value, t.shares, CASE part.unit WHEN 'count' THEN 2 ELSE k.digits END))[t.share_no] END AS value) v
    CROSS JOIN LATERAL (SELECT CASE t.factor WHEN 1 THEN v.value ELSE twin.rounded(v.value * t.factor, 1, CASE part.unit WHEN 'count' THEN 2 ELSE k.digits END, 'half_up') END AS value) w
    WHERE part.basis = 'credit'
      AND (part.credits = 'all' OR part.credits = t.kind)
      AND CASE part.condition WHEN 'type = ''booking''' THEN o.kind = 'booking' WHEN 'product_key <> ''p1''' THEN o.product <> 'p1' WHEN 'amount > 100' THEN o.amount > 100 ELSE true END;
    ANALYZE property.deal;

    FOR this_no IN 1 .. 3 LOOP
        FOR c IN SELECT * FROM property.component ORDER BY component_no, plan_no, version_no LOOP
            digits := (SELECT k.digits FROM property.plan p JOIN property.currency k ON k.code = p.currency WHERE p.plan_no = c.plan_no);
            INSERT INTO property.measured
            SELECT c.plan_no, c.version_no, c.component_no, this_no, s.position_no, s.payee_no, coalesce(t.credit_count, 0),
                   coalesce(t.opening, 0), coalesce(t.amount, 0),
                   CASE WHEN c.is_of_quota THEN property.quota_of(c, s.position_no, s.payee_no, this_no, digits) END, 1, NULL, 0, 0
            FROM (SELECT o.position_no, o.payee_no, row_number() OVER (PARTITION BY o.payee_no ORDER BY max(o.day) DESC, o.position_no) AS seat_no
                  FROM property.on_plan_day o WHERE o.plan_no = c.plan_no AND o.version_no = c.version_no AND o.period_no = this_no GROUP BY o.position_no, o.payee_no) s
            LEFT JOIN (SELECT d.position_no, d.payee_no, count(*) FILTER (WHERE d.period_no = this_no) AS credit_count,
                              sum(d.base) FILTER (WHERE d.period_no < this_no) AS opening, sum(d.base) FILTER (WHERE d.period_no = this_no) AS amount
                       FROM property.deal d
                       WHERE (d.plan_no, d.version_no, d.component_no) = (c.plan_no, c.version_no, c.component_no)
                         AND d.period_no BETWEEN property.first_of(c.accumulate, this_no) AND this_no
                       GROUP BY d.position_no, d.payee_no) t USING (position_no, payee_no)
            -- a salary, a prize or a part of a pot is paid once, in the last seat
            WHERE seat_no = 1 OR c.basis NOT IN ('fixed', 'rank', 'pool') OR c.prorate <> 'none';

            -- what does not stand on credits
            IF c.basis = 'fixed' THEN
                UPDATE property.measured m SET amount = 1 WHERE (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no);
            ELSIF c.basis <> 'credit' THEN
                UPDATE property.measured m SET amount = (
                    SELECT sum(i.weight * coalesce(f.figure, 0))
                    FROM property.input i
                    LEFT JOIN LATERAL (SELECT sum(CASE i.figure WHEN 'earned' THEN b.earned ELSE b.opening + b.amount END) AS figure FROM property.measured b
                                       WHERE (b.plan_no, b.version_no, b.component_no, b.period_no) = (c.plan_no, c.version_no, i.of_no, this_no)
                                         AND (c.basis = 'pool' OR b.payee_no = m.payee_no AND (c.basis = 'rank' OR b.position_no = m.position_no))) f ON true
                    WHERE (i.plan_no, i.version_no, i.component_no) = (c.plan_no, c.version_no, c.component_no))
                WHERE (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no);
            END IF;
            UPDATE property.measured m
            SET (factor, schedule) = (SELECT r.factor, r.schedule FROM property.rates_of(c, m) r),
                before = CASE WHEN c.is_true_up THEN coalesce((
                    SELECT sum(b.earned) FROM property.measured b
                    WHERE (b.plan_no, b.version_no, b.component_no, b.position_no, b.payee_no) = (c.plan_no, c.version_no, c.component_no, m.position_no, m.payee_no)
                      AND b.period_no >= property.first_of(c.accumulate, this_no) AND b.period_no < this_no), 0) ELSE 0 END
            WHERE (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no);

            IF c.basis = 'credit' THEN
                -- every deal from the total before it to that with it
                INSERT INTO property.earned
                SELECT c.plan_no, c.version_no, c.component_no, this_no, d.position_no, d.payee_no, 'deal', d.order_id, d.owner, d.origin_no, d.level, d.way, d.base, d.from_total,
                       twin.commission(m.schedule, d.from_total, d.from_total + d.base, c.places, c.rounding)
                FROM (SELECT d.*, CASE c.accumulate WHEN 'deal' THEN 0 ELSE sum(d.base) OVER (
                             PARTITION BY d.position_no, d.payee_no, CASE WHEN c.group_by IS NOT NULL THEN d.group_key END
                             ORDER BY d.day, d.order_id COLLATE "C", d.level, d.origin_no, d.way COLLATE "C", d.owner COLLATE "C" ROWS UNBOUNDED PRECEDING) - d.base END AS from_total
                      FROM property.deal d
                      WHERE (d.plan_no, d.version_no, d.component_no) = (c.plan_no, c.version_no, c.component_no)
                        AND d.period_no BETWEEN property.first_of(c.accumulate, this_no) AND this_no) d
                JOIN property.measured m ON (m.plan_no, m.version_no, m.component_no, m.period_no, m.position_no, m.payee_no)
                    = (c.plan_no, c.version_no, c.component_no, this_no, d.position_no, d.payee_no)
                WHERE d.period_no = this_no;
                IF c.is_true_up THEN
                    INSERT INTO property.earned
                    SELECT c.plan_no, c.version_no, c.component_no, this_no, m.position_no, m.payee_no, 'true_up', NULL, NULL, NULL, NULL, NULL, 0, m.opening, due - m.before
                    FROM property.measured m, LATERAL (SELECT twin.commission(m.schedule, 0, m.opening, c.places, c.rounding) AS due) x
                    WHERE (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no) AND due <> m.before;
                END IF;
            ELSE
                INSERT INTO property.earned
                SELECT c.plan_no, c.version_no, c.component_no, this_no, m.position_no, m.payee_no, CASE WHEN c.basis IN ('rank', 'pool') THEN c.basis ELSE 'total' END,
                       NULL, NULL, NULL, NULL, NULL, base, 0,
                       CASE WHEN c.basis = 'pool' THEN (twin.split(twin.commission(m.schedule, 0, base, c.places, c.rounding), array_fill(1::numeric, ARRAY[everybody::int]), c.places))[nth]
                            -- equals share what their places pay
                            WHEN c.basis = 'rank' AND c.ties = 'share' THEN (twin.split((
                                SELECT sum(twin.commission(m.schedule, 0, place, c.places, c.rounding)) FROM generate_series(base, base + equals - 1) AS place),
                                array_fill(1::numeric, ARRAY[equals::int]), c.places))[nth_equal]
                            ELSE twin.commission(m.schedule, 0, base, c.places, c.rounding) END
                FROM (SELECT m.*, count(*) OVER () AS everybody, row_number() OVER (ORDER BY position_no, payee_no) AS nth,
                             count(*) OVER (PARTITION BY amount) AS equals, row_number() OVER (PARTITION BY amount ORDER BY position_no, payee_no) AS nth_equal,
                             CASE WHEN c.basis <> 'rank' THEN amount WHEN c.ties = 'dense' THEN dense_rank() OVER (ORDER BY amount DESC)
                                  WHEN c.ties = 'average' THEN rank() OVER (ORDER BY amount DESC) + (count(*) OVER (PARTITION BY amount) - 1) / 2.0
                                  ELSE rank() OVER (ORDER BY amount DESC) END AS base
                      FROM property.measured m WHERE (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no)) m;
                UPDATE property.measured m SET amount = e.base
                FROM property.earned e
                WHERE c.basis = 'rank' AND (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no)
                  AND (e.plan_no, e.version_no, e.component_no, e.period_no, e.position_no, e.payee_no) = (m.plan_no, m.version_no, m.component_no, m.period_no, m.position_no, m.payee_no);
            END IF;

            -- totals on their own: not added up from the deals
            UPDATE property.measured m
            SET earned = CASE
                WHEN c.accumulate IN ('deal', 'group') THEN coalesce((
                    SELECT sum(twin.commission(m.schedule, 0, g.total, c.places, c.rounding))
                    FROM (SELECT sum(d.base) AS total FROM property.deal d
                          WHERE (d.plan_no, d.version_no, d.component_no, d.period_no, d.position_no, d.payee_no) = (c.plan_no, c.version_no, c.component_no, this_no, m.position_no, m.payee_no)
                          GROUP BY CASE c.accumulate WHEN 'group' THEN d.group_key ELSE concat_ws('/', d.order_id, d.owner, d.level, d.way, d.origin_no) END) g), 0)
                WHEN c.basis = 'credit' THEN twin.commission(m.schedule, CASE WHEN c.is_true_up THEN 0 ELSE m.opening END, m.opening + m.amount, c.places, c.rounding) - m.before
                ELSE (SELECT sum(e.amount) FROM property.earned e
                      WHERE (e.plan_no, e.version_no, e.component_no, e.period_no, e.position_no, e.payee_no) = (m.plan_no, m.version_no, m.component_no, m.period_no, m.position_no, m.payee_no)) END
            WHERE (m.plan_no, m.version_no, m.component_no, m.period_no) = (c.plan_no, c.version_no, c.component_no, this_no);
        END LOOP;
    END LOOP;
END
$$;
