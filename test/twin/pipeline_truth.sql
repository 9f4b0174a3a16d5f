/*
 * pipeline_truth.sql: a sales pipeline whose truth is known, the same for a seed on every machine.
 *
 * Deals go through four stages; the time in each is Weibull on a clock of business, which runs faster
 * at the end of quarters and, by a shock that all deals share, in some months.  Sellers differ in speed
 * and luck, segments in odds, large deals are won less often; some deals never end.  What a deal is
 * won at differs from what it was known at, and sellers who sandbag say less than they win.
 */
CREATE SCHEMA truth;

-- A number from 0 to 1, exclusive.
CREATE FUNCTION truth.chance(seed bigint, variadic what bigint[]) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (('x' || substr(md5(seed::text || array_to_string(what, '/')), 1, 8))::bit(32)::bigint + 0.5) / 4294967296
$$;
CREATE FUNCTION truth.normal(seed bigint, variadic what bigint[]) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sqrt(-2 * ln(truth.chance(seed, variadic what || 1::bigint))) * cos(2 * pi() * truth.chance(seed, variadic what || 2::bigint))
$$;

-- Business done by the end of each day: element n is the day n - 1 after the first.
CREATE FUNCTION truth.clock(seed bigint, first date, days int, shock float8) RETURNS float8[] LANGUAGE sql STABLE AS $$
    WITH day AS (
        SELECT n, first + n AS day FROM generate_series(0, days) n
    ), speed AS (
        SELECT n, exp(shock * truth.normal(seed, 1, extract(year FROM day)::int * 12 + extract(month FROM day)::int) - shock * shock / 2)
            * CASE WHEN (date_trunc('quarter', day) + interval '3 months')::date - day <= 14 THEN 1.7 ELSE 0.87 END AS speed
        FROM day
    )
    SELECT array_agg(total ORDER BY n) FROM (SELECT n, sum(speed) OVER (ORDER BY n) AS total FROM speed) s
$$;

-- When and how the stay in a stage ends; ended is NULL for a deal that nobody decides on within the time.
CREATE FUNCTION truth.ending(seed bigint, done float8[], deal int, seller int, segment int, size float8, nth int, entered int,
    OUT ended int, OUT outcome text) LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN day < cardinality(done) THEN day END,
        CASE WHEN day >= cardinality(done) THEN 'open' WHEN is_lost THEN 'lost' WHEN nth = 4 THEN 'won' ELSE 'moved' END
    FROM (
        SELECT width_bucket(done[entered + 1] + CASE WHEN truth.chance(seed, 7, deal, nth) < 0.07 THEN 'Infinity'
                ELSE (ARRAY[9, 14, 18, 11])[nth] * power(-ln(truth.chance(seed, 8, deal, nth)), 1 / (ARRAY[0.9, 1.3, 1.6, 1.2])[nth])
                    / exp(0.25 * truth.normal(seed, 9, seller)) END, done) AS day,
            truth.chance(seed, 10, deal, nth) < 1 / (1 + exp(-((ARRAY[-0.5, -0.9, -1.0, -1.2])[nth] - 0.4 * truth.normal(seed, 11, seller)
                - 0.5 * (segment - 1) + 0.25 * (ln(size) - 9)))) AS is_lost
    ) x
$$;

CREATE FUNCTION truth.spell(seed bigint, first date, days int, deals int, sellers int, shock float8)
    RETURNS TABLE (deal int, seller int, segment int, amount numeric, won_amount numeric, nth int, entered int, ended int, outcome text)
    LANGUAGE sql STABLE AS $$
    WITH RECURSIVE clock AS MATERIALIZED (
        SELECT truth.clock(seed, first, days, shock) AS done
    ), deal AS (
        SELECT d, floor(truth.chance(seed, 2, d) * days)::int AS created, floor(truth.chance(seed, 3, d) * sellers)::int AS seller,
            floor(power(truth.chance(seed, 4, d), 1.5) * 3)::int AS segment, exp(9 + 0.9 * truth.normal(seed, 5, d)) AS size
        FROM generate_series(1, deals) d
    ), spell AS (
        SELECT d.*, 1 AS nth, d.created AS entered FROM deal d
        UNION ALL
        SELECT s.d, s.created, s.seller, s.segment, s.size, s.nth + 1, e.ended
        FROM spell s, clock c, LATERAL truth.ending(seed, c.done, s.d, s.seller, s.segment, s.size, s.nth, s.entered) e
        WHERE e.outcome = 'moved'
    )
    SELECT s.d, s.seller, s.segment, round(s.size::numeric, 2),
        CASE WHEN e.outcome = 'won' THEN round((s.size * (CASE WHEN s.seller % 4 = 0 THEN 1.2 ELSE 0.95 END) * exp(0.15 * truth.normal(seed, 6, s.d)))::numeric, 2) END,
        s.nth, s.entered, e.ended, e.outcome
    FROM spell s, clock c, LATERAL truth.ending(seed, c.done, s.d, s.seller, s.segment, s.size, s.nth, s.entered) e
$$;

-- Tables as a CRM has them, with the history of stages, from days that are past.
CREATE PROCEDURE truth.fill(seed bigint, first date, days int, deals int, sellers int, shock float8) LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS truth.stay, truth.deal_change, truth.deal CASCADE;
    CREATE TABLE truth.stay AS SELECT * FROM truth.spell(fill.seed, fill.first, fill.days, fill.deals, fill.sellers, fill.shock);
    CREATE TABLE truth.deal AS
    SELECT DISTINCT ON (deal) deal AS id, 'seller ' || seller AS owner, (ARRAY['enterprise', 'middle', 'small'])[segment + 1] AS segment,
        coalesce(won_amount, amount) AS amount, amount AS list_amount, first + min(entered) OVER (PARTITION BY deal) AS created,
        CASE WHEN outcome IN ('won', 'lost') THEN first + ended END AS closed,
        CASE outcome WHEN 'won' THEN 'won' WHEN 'lost' THEN 'lost' ELSE (ARRAY['qualify', 'discover', 'propose', 'negotiate'])[nth] END AS stage
    FROM truth.stay
    ORDER BY deal, nth DESC;
    CREATE TABLE truth.deal_change AS
    SELECT deal AS id, first + entered AS changed, (ARRAY['qualify', 'discover', 'propose', 'negotiate'])[nth] AS stage, amount FROM truth.stay
    UNION ALL
    SELECT id, closed, stage, amount FROM truth.deal WHERE closed IS NOT NULL;
END $$;

-- Close dates that people hope for, after fill(): when one comes and the deal is open it is mostly moved to later; some
-- deals are forgotten more often than others, some looked after late.
CREATE PROCEDURE truth.fill_close_dates(seed bigint, last date) LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS truth.close_change;
    CREATE TABLE truth.close_change AS
    WITH RECURSIVE hope AS (
        SELECT d.id, d.created AS changed, d.created + 30 + floor(120 * truth.chance(fill_close_dates.seed, 21, d.id))::int AS close_date, d.closed, 0 AS nth,
            floor(4 * truth.chance(fill_close_dates.seed, 29, d.id)) AS kind
        FROM truth.deal d
        UNION ALL
        SELECT h.id, x.day, x.day + 15 + floor(60 * truth.chance(fill_close_dates.seed, 22, h.id, h.nth))::int, h.closed, h.nth + 1, h.kind
        FROM hope h, LATERAL (SELECT h.close_date + floor(20 * truth.chance(fill_close_dates.seed, 23, h.id, h.nth))::int - 10 + CASE WHEN h.kind = 0 THEN 40 ELSE 0 END AS day) x
        WHERE (h.closed IS NULL OR x.day < h.closed) AND x.day <= fill_close_dates.last AND x.day > h.changed
            AND truth.chance(fill_close_dates.seed, 24, h.id, h.nth) < CASE WHEN h.kind = 1 THEN 0.5 ELSE 0.95 END
    )
    SELECT id, changed, close_date FROM hope;
END $$;

-- The day on which a deal would be won were it never lost; NULL: never.
CREATE FUNCTION truth.hoped(seed bigint, first date, days int, shock float8) RETURNS TABLE (deal int, won_on date) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE clock AS MATERIALIZED (
        SELECT truth.clock(hoped.seed, hoped.first, hoped.days, hoped.shock) AS done
    ), path AS (
        SELECT s.deal, s.seller, s.segment, s.amount::float8 AS size, 1 AS nth, s.entered AS day FROM truth.stay s WHERE s.nth = 1
        UNION ALL
        SELECT p.deal, p.seller, p.segment, p.size, p.nth + 1, e.ended
        FROM path p, clock c, LATERAL truth.ending(hoped.seed, c.done, p.deal, p.seller, p.segment, p.size, p.nth, p.day) e
        WHERE p.nth <= 4 AND e.ended IS NOT NULL
    )
    SELECT p.deal, hoped.first + p.day FROM path p WHERE p.nth = 5;
END $$;

-- Close dates that mean something, after fill(): of 7 of 10 deals the seller knows about when it would be won, and says so anew when
-- the day has passed; of the others, and of those that never will, dates are hopes.
CREATE PROCEDURE truth.fill_known_dates(seed bigint, first date, days int, shock float8) LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE IF NOT EXISTS truth.close_change (id int, changed date, close_date date);
    TRUNCATE truth.close_change;
    INSERT INTO truth.close_change
    WITH RECURSIVE deal AS MATERIALIZED (
        SELECT d.id, d.created, d.closed, CASE WHEN truth.chance(fill_known_dates.seed, 31, d.id) < 0.7 THEN h.won_on END AS won_on
        FROM truth.deal d
        LEFT JOIN truth.hoped(fill_known_dates.seed, fill_known_dates.first, fill_known_dates.days, fill_known_dates.shock) h ON h.deal = d.id
    ), told AS (
        SELECT d.id, d.created AS changed, x.ahead, d.won_on, d.closed, 0 AS nth
        FROM deal d, LATERAL (SELECT CASE WHEN d.won_on > d.created THEN 1 + (d.won_on - d.created) * exp(0.3 * truth.normal(fill_known_dates.seed, 32, d.id, 0))
            ELSE 15 + 75 * truth.chance(fill_known_dates.seed, 33, d.id, 0) END::int AS ahead) x
        UNION ALL
        SELECT t.id, x.day, y.ahead, t.won_on, t.closed, t.nth + 1
        FROM told t, LATERAL (SELECT t.changed + t.ahead + floor(greatest(0, 70 * truth.chance(fill_known_dates.seed, 34, t.id, t.nth) - 50))::int AS day) x,
            LATERAL (SELECT CASE WHEN t.won_on > x.day THEN 1 + (t.won_on - x.day) * exp(0.3 * truth.normal(fill_known_dates.seed, 32, t.id, t.nth + 1))
                ELSE 15 + 75 * truth.chance(fill_known_dates.seed, 33, t.id, t.nth + 1) END::int AS ahead) y
        WHERE (t.closed IS NULL OR x.day < t.closed) AND x.day <= fill_known_dates.first + fill_known_dates.days
    )
    SELECT id, changed, changed + ahead AS close_date FROM told;
END $$;
