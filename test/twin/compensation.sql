/*
 * twin/compensation.sql: what spm computes in C, once more without it.
 *
 * Slow and obvious, written from the definitions, without any function of spm.
 * Quotients are kept as numerator and denominator, so nothing is ever rounded
 * but once, at the end.
 */

CREATE SCHEMA twin;

-- ends[i] is null where the last tier has none; base null where none is given.
CREATE TYPE twin.schedule AS (
    floors numeric[],
    ends numeric[],
    rates numeric[],
    method text,
    edge text,
    base numeric,
    cap numeric,
    least numeric,
    outside text,
    zero_quota text,
    is_percent boolean,
    divisor numeric
);

CREATE FUNCTION twin.power_of_ten(places int) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS
$$ SELECT ('1e' || places)::numeric $$;

-- num / den to a number of places
CREATE FUNCTION twin.rounded(num numeric, den numeric, places int, rounding text) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    side numeric := sign(num) * sign(den);
    n numeric := abs(num) * twin.power_of_ten(places);
    d numeric := abs(den);
    whole numeric := div(n, d);
    rest numeric := n - whole * d;
BEGIN
    IF rest > 0 AND (CASE rounding
        WHEN 'half_up' THEN 2 * rest >= d
        WHEN 'half_down' THEN 2 * rest > d
        WHEN 'half_even' THEN 2 * rest > d OR (2 * rest = d AND whole % 2 = 1)
        WHEN 'up' THEN true
        WHEN 'down' THEN false
        WHEN 'floor' THEN side < 0
        WHEN 'ceil' THEN side > 0
    END) THEN
        whole := whole + 1;
    END IF;
    RETURN round(side * whole * twin.power_of_ten(-places), greatest(places, 0));
END
$$;

CREATE FUNCTION twin.base(s twin.schedule) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    RETURN CASE
        WHEN s.method IN ('bonus', 'curve') THEN 0
        WHEN s.base IS NOT NULL THEN s.base
        WHEN s.method = 'interpolated' OR s.floors[1] = 0 THEN s.rates[1]
        ELSE 0
    END;
END
$$;

-- The number of the tier that an amount belongs to: 0 below the first, null outside.
CREATE FUNCTION twin.tier_of(s twin.schedule, x numeric) RETURNS int
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    f numeric;
    e numeric;
BEGIN
    FOR i IN 1..cardinality(s.floors) LOOP
        f := s.floors[i];
        e := coalesce(s.ends[i], 'Infinity');
        IF (CASE s.edge
            WHEN 'upper' THEN f <= x AND (x < e OR (x = e AND e <> ALL (s.floors)))
            WHEN 'lower' THEN f < x AND x <= e
            WHEN 'closed' THEN f <= x AND x <= e
        END) THEN
            RETURN i;
        END IF;
    END LOOP;
    IF x < s.floors[1] OR (x = s.floors[1] AND s.edge = 'lower') THEN
        RETURN 0;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION twin.is_refused(s twin.schedule, x numeric) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    RETURN s.outside = 'refuse' AND coalesce(x > s.ends[cardinality(s.ends)], false);
END
$$;

CREATE FUNCTION twin.rate(s twin.schedule, x numeric, OUT num numeric, OUT den numeric)
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    t int := twin.tier_of(s, x);
BEGIN
    den := 1;
    IF t IS NULL THEN
        num := 0;
    ELSIF t = 0 THEN
        num := twin.base(s);
    ELSIF s.method IN ('interpolated', 'curve') AND t < cardinality(s.floors) THEN
        den := s.floors[t + 1] - s.floors[t];
        num := s.rates[t] * den + (s.rates[t + 1] - s.rates[t]) * (x - s.floors[t]);
    ELSIF s.method = 'weighted' THEN
        den := s.ends[t] - s.floors[t];
        num := s.rates[t] * (x - s.floors[t]);
        FOR i IN 1..t - 1 LOOP
            num := num + s.rates[i] * den;
        END LOOP;
    ELSE
        num := s.rates[t];
    END IF;
    den := den * coalesce(s.divisor, 1);
END
$$;

-- What a total has earned; null if it is refused.
CREATE FUNCTION twin.earned(s twin.schedule, x numeric, OUT num numeric, OUT den numeric)
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    r record;
BEGIN
    num := 0;
    den := 1;
    IF twin.is_refused(s, x) THEN
        num := NULL;
    ELSIF x <> 0 THEN
        IF s.method = 'marginal' THEN
            num := twin.base(s) * least(x, s.floors[1]);
            FOR i IN 1..cardinality(s.floors) LOOP
                num := num + greatest(least(x, s.ends[i]) - s.floors[i], 0) * s.rates[i];
            END LOOP;
            den := coalesce(s.divisor, 1);
        ELSIF s.method = 'excess' THEN
            -- the first tier at its rate; all that lies above its end at the rate of the tier reached
            num := twin.base(s) * least(x, s.floors[1])
                + greatest(least(x, s.ends[1]) - s.floors[1], 0) * s.rates[1]
                + coalesce(greatest(x - s.ends[1], 0) * s.rates[twin.tier_of(s, x)], 0);
            den := coalesce(s.divisor, 1);
        ELSE
            r := twin.rate(s, x);
            num := CASE WHEN s.method IN ('bonus', 'curve') THEN r.num ELSE r.num * x END;
            den := r.den;
        END IF;
        IF num > s.cap * den THEN
            num := s.cap;
            den := 1;
        END IF;
        IF num < s.least * den THEN
            num := s.least;
            den := 1;
        END IF;
    END IF;
END
$$;

CREATE FUNCTION twin.commission(s twin.schedule, a numeric, b numeric, places int, rounding text) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    x record := twin.earned(s, a);
    y record := twin.earned(s, b);
BEGIN
    RETURN twin.rounded(y.num, y.den, places, rounding) - twin.rounded(x.num, x.den, places, rounding);
END
$$;

CREATE FUNCTION twin.for_quota(s twin.schedule, quota numeric) RETURNS twin.schedule
    LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    IF quota = 0 AND s.zero_quota = 'nothing' THEN
        RETURN ROW('{0}', '{NULL}', '{0}', 'marginal', 'upper', NULL, NULL, NULL, 'refuse', 'top', false, NULL)::twin.schedule;
    ELSIF quota = 0 THEN
        s.rates := ARRAY[CASE s.method
            WHEN 'weighted' THEN (SELECT sum(r) FROM unnest(s.rates) AS r)
            ELSE s.rates[cardinality(s.rates)]
        END];
        s.floors := '{0}';
        s.ends := '{NULL}';
        s.method := CASE s.method WHEN 'weighted' THEN 'whole' ELSE s.method END;
    ELSE
        s.floors := ARRAY(SELECT f * quota FROM unnest(s.floors) WITH ORDINALITY AS t (f, i) ORDER BY i);
        s.ends := ARRAY(SELECT e * quota FROM unnest(s.ends) WITH ORDINALITY AS t (e, i) ORDER BY i);
    END IF;
    s.is_percent := false;
    RETURN s;
END
$$;

CREATE FUNCTION twin.with_factor(s twin.schedule, factor numeric) RETURNS twin.schedule
    LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    s.rates := ARRAY(SELECT r * factor FROM unnest(s.rates) WITH ORDINALITY AS t (r, i) ORDER BY i);
    s.base := s.base * factor;
    RETURN s;
END
$$;

CREATE FUNCTION twin.with_limits(s twin.schedule, cap numeric, minimum numeric) RETURNS twin.schedule
    LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    s.cap := least(s.cap, with_limits.cap);
    s.least := greatest(s.least, minimum);
    RETURN s;
END
$$;

-- The bounds scaled; null where two of them are the same.
CREATE FUNCTION twin.scaled(s twin.schedule, num numeric, den numeric, places int) RETURNS twin.schedule
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    below numeric := twin.base(s);
BEGIN
    FOR i IN 1..cardinality(s.floors) LOOP
        s.floors[i] := twin.rounded(s.floors[i] * num, den, places, 'half_up');
        s.ends[i] := twin.rounded(s.ends[i] * num, den, places, 'half_up');
        IF s.floors[i] = s.ends[i] OR s.floors[i] = s.floors[i - 1] THEN
            RETURN NULL;
        END IF;
    END LOOP;
    s.base := CASE WHEN s.method NOT IN ('bonus', 'curve') THEN below END;
    RETURN s;
END
$$;

-- Everybody's part cut off, then one unit each to those who lost most.
CREATE FUNCTION twin.split(total numeric, shares numeric[], places int) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE AS
$$
    WITH unit AS (
        SELECT greatest(places, min_scale(total)) AS p
    ), due AS (
        SELECT i, abs(total) * twin.power_of_ten(p) * share AS n, (SELECT sum(x) FROM unnest(shares) AS x) AS d, p
        FROM unit, unnest(shares) WITH ORDINALITY AS t (share, i)
    ), cut AS (
        SELECT i, p, div(n, d) AS whole,
               row_number() OVER (ORDER BY n - div(n, d) * d DESC, i) AS turn
        FROM due
    )
    SELECT array_agg(round(sign(total) * twin.power_of_ten(-p)
                           * (whole + (turn <= abs(total) * twin.power_of_ten(p) - (SELECT sum(whole) FROM cut))::int), greatest(p, 0))
                     ORDER BY i)
    FROM cut
$$;

-- The text of a schedule, as a user might write it.
CREATE FUNCTION twin.schedule_text(s twin.schedule, write_all boolean, rates_in_percent boolean) RETURNS text
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT string_agg(
            CASE WHEN s.is_percent THEN (f * 100)::text || '%' ELSE f::text END
            || CASE
                WHEN e IS NULL THEN CASE WHEN write_all THEN ' .. ' ELSE '' END
                WHEN e = s.floors[i + 1] AND NOT write_all THEN ''
                ELSE '..' || CASE WHEN s.is_percent THEN (e * 100)::text || '%' ELSE e::text END
            END
            || ': ' || CASE WHEN rates_in_percent AND s.method NOT IN ('bonus', 'curve') THEN (r * 100)::text || '%' ELSE r::text END,
            ', ' ORDER BY i)
        || CASE WHEN write_all OR s.method <> 'marginal' THEN ' ' || s.method ELSE '' END
        || CASE WHEN write_all OR s.edge <> 'upper' THEN ' edge ' || s.edge ELSE '' END
        || coalesce(' base ' || s.base, '')
        || coalesce(' per ' || s.divisor, '')
        || coalesce(' cap ' || s.cap, '')
        || coalesce(' floor ' || s.least, '')
        || CASE WHEN write_all OR s.outside <> 'refuse' THEN ' outside ' || s.outside ELSE '' END
        || CASE WHEN s.zero_quota <> 'top' THEN ' zero quota ' || s.zero_quota ELSE '' END
    FROM unnest(s.floors, s.ends, s.rates) WITH ORDINALITY AS t (f, e, r, i)
$$;

/* ------------------------------------------------------------ generated cases */

-- From 0 to below n; the same for a case and a stream, on every machine.
CREATE FUNCTION twin.draw(case_no bigint, stream int, n bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(case_no, stream) & 9223372036854775807) % n $$;

CREATE FUNCTION twin.pick(case_no bigint, stream int, VARIADIC words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE AS
$$ SELECT words[1 + twin.draw(case_no, stream, cardinality(words))] $$;

-- The step in which the amounts of a case come: cents mostly; also ones, tiny fractions, 10^24.
CREATE FUNCTION twin.unit(case_no bigint) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS
$$ SELECT twin.pick(case_no, 1, '0.01', '0.01', '0.01', '0.01', '1', '0.1', '0.000000000001', '1000000000000000000000000.01')::numeric $$;

CREATE FUNCTION twin.make_schedule(case_no bigint, is_percent boolean) RETURNS twin.schedule
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    s twin.schedule;
    n int := 1 + twin.draw(case_no, 2, 6);
    unit numeric := CASE WHEN is_percent THEN 0.0001 ELSE twin.unit(case_no) END;
    at numeric := CASE WHEN twin.draw(case_no, 3, 3) > 0 THEN 0 ELSE twin.draw(case_no, 4, 20000) * unit END;
BEGIN
    s.is_percent := is_percent;
    s.method := twin.pick(case_no, 5, 'marginal', 'marginal', 'whole', 'interpolated', 'weighted', 'bonus', 'excess', 'curve');
    s.edge := twin.pick(case_no, 6, 'upper', 'upper', 'lower', 'closed');
    s.outside := twin.pick(case_no, 7, 'refuse', 'zero');
    s.zero_quota := CASE WHEN is_percent THEN twin.pick(case_no, 8, 'top', 'top', 'nothing') ELSE 'top' END;
    FOR i IN 1..n LOOP
        s.floors[i] := at;
        at := at + unit * (1 + twin.draw(case_no, 10 + i, CASE WHEN twin.draw(case_no, 20 + i, 8) = 0 THEN 3 ELSE 900000 END));
        s.ends[i] := at;
        IF s.outside = 'zero' AND twin.draw(case_no, 30 + i, 5) = 0 THEN
            at := at + unit * (1 + twin.draw(case_no, 40 + i, 5000));
        END IF;
        s.rates[i] := CASE
            WHEN s.method IN ('bonus', 'curve') THEN twin.draw(case_no, 50 + i, 500000) * 0.01
            ELSE (twin.draw(case_no, 50 + i, 3000) - 30) * twin.pick(case_no, 9, '0.0001', '0.0001', '0.001', '0.0000001')::numeric
        END;
    END LOOP;
    IF s.method <> 'weighted' AND twin.draw(case_no, 60, 3) > 0 THEN
        s.ends[n] := NULL;
    END IF;
    IF s.method NOT IN ('bonus', 'curve') AND twin.draw(case_no, 61, 4) = 0 THEN
        s.base := twin.draw(case_no, 62, 1000) * 0.0001;
    END IF;
    IF twin.draw(case_no, 63, 4) = 0 THEN
        s.cap := at / 20;
        s.cap := trunc(s.cap, 4);
    END IF;
    IF twin.draw(case_no, 64, 5) = 0 THEN
        s.least := least(s.cap, (twin.draw(case_no, 65, 20000) - 10000) * 0.01);
    END IF;
    IF twin.draw(case_no, 66, 4) = 0 THEN
        s.divisor := (2 + twin.draw(case_no, 67, CASE WHEN twin.draw(case_no, 68, 2) = 0 THEN 20 ELSE 90000000 END)) * twin.pick(case_no, 69, '1', '0.01', '0.0007')::numeric;
    END IF;
    RETURN s;
END
$$;

-- On an edge, just beside one, negative, zero, or anywhere.
CREATE FUNCTION twin.make_amount(case_no bigint, stream int, s twin.schedule) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    n int := cardinality(s.floors);
    i int := 1 + twin.draw(case_no, stream, n);
    step numeric := twin.unit(case_no);
BEGIN
    RETURN CASE twin.draw(case_no, stream + 1, 8)
        WHEN 0 THEN s.floors[i]
        WHEN 1 THEN coalesce(s.ends[i], s.floors[i])
        WHEN 2 THEN s.floors[i] + step
        WHEN 3 THEN s.floors[i] - step
        WHEN 4 THEN -twin.draw(case_no, stream + 2, 2000000) * step
        WHEN 5 THEN twin.draw(case_no, stream + 2, 2) * twin.draw(case_no, stream + 3, 5000000) * step
        ELSE s.floors[i] + twin.draw(case_no, stream + 2, 900000) * step
    END;
END
$$;

-- What a call gives, as text, or its SQLSTATE.
CREATE FUNCTION twin.result_of(call text) RETURNS text
    LANGUAGE plpgsql AS
$$
DECLARE
    result text;
BEGIN
    EXECUTE 'SELECT (' || call || ')::text' INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
