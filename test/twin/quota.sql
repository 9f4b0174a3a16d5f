/*
 * twin/quota.sql: quotas divided as their definition says, once more without C.
 *
 * Slow and obvious, without any function of spm.  Quotients are compared by
 * multiplying them out, so nothing is rounded but the result.
 */

CREATE SCHEMA IF NOT EXISTS twin;

CREATE FUNCTION twin.clip(x numeric, low numeric, high numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN x <= low THEN low WHEN x >= high THEN high ELSE x END $$;

/*
 * What parts come to, times weight, when the factor is way / weight.  A part
 * with its lower bound there or above it is at that bound; so is one with its
 * upper bound there or below.
 */
CREATE FUNCTION twin.comes_to(way numeric, weight numeric, weights numeric[], lowers numeric[], uppers numeric[], bases numeric[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS
$$ SELECT sum(twin.clip(b * weight + way * w, l * weight, u * weight)) FROM unnest(weights, lowers, uppers, bases) p(w, l, u, b) $$;

-- In whole units; uppers[i] NULL: none.  NULL: there is no way.
CREATE FUNCTION twin.allocate_units(total numeric, weights numeric[], lowers numeric[], uppers numeric[], bases numeric[]) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE AS
$$
    WITH part AS (
        SELECT nth, w, l, u, b,
            CASE WHEN w = 0 THEN twin.clip(b, l, u)
                 WHEN twin.comes_to(l - b, w, weights, lowers, uppers, bases) >= total * w THEN l
                 WHEN twin.comes_to(u - b, w, weights, lowers, uppers, bases) <= total * w THEN u END AS fixed
        FROM unnest(weights, lowers, uppers, bases) WITH ORDINALITY p(w, l, u, b, nth)
    ), whole AS (
        SELECT coalesce(sum(w) FILTER (WHERE fixed IS NULL), 0) AS weight,
            total - coalesce(sum(fixed), 0) - coalesce(sum(b) FILTER (WHERE fixed IS NULL), 0) AS free
        FROM part
    ), down AS (
        SELECT nth, coalesce(fixed, div(b * weight + free * w, weight)) AS low,
            CASE WHEN fixed IS NULL THEN mod(b * weight + free * w, weight) ELSE -1 END AS rest
        FROM part, whole
    )
    SELECT CASE WHEN (SELECT sum(l) <= total AND (count(u) < count(*) OR sum(u) >= total) FROM part) AND (SELECT weight > 0 OR free = 0 FROM whole)
        THEN array_agg(low + (place <= total - lows)::int ORDER BY nth) END
    FROM (SELECT nth, low, row_number() OVER (ORDER BY rest DESC, nth) AS place, sum(low) OVER () AS lows FROM down) d
$$;

CREATE FUNCTION twin.allocate(total numeric, weights numeric[], lowers numeric[], uppers numeric[], bases numeric[], unit numeric) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT array_agg(p * unit ORDER BY nth) FROM unnest(twin.allocate_units(total / unit, weights,
        (SELECT array_agg(coalesce(ceil(l / unit), 0) ORDER BY n) FROM unnest(lowers) WITH ORDINALITY v(l, n)),
        (SELECT array_agg(floor(u / unit) ORDER BY n) FROM unnest(uppers) WITH ORDINALITY v(u, n)),
        (SELECT array_agg(coalesce(round(b / unit), 0) ORDER BY n) FROM unnest(bases) WITH ORDINALITY v(b, n)))) WITH ORDINALITY r(p, nth)
$$;

-- A tree whose nodes come after their parents, amounts in units.
CREATE TABLE twin.node (tree int, node int, parent int, weight numeric, low numeric, high numeric, over numeric, amount numeric, PRIMARY KEY (tree, node));

CREATE FUNCTION twin.half_up(num numeric, den numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS
$$ SELECT div(2 * num + den, 2 * den) $$;

-- Own bounds, and those that the nodes below leave; parent 0: the whole.
CREATE FUNCTION twin.bound(of_tree int, of_node int, OUT low numeric, OUT high numeric, OUT below_low numeric, OUT below_high numeric)
    LANGUAGE plpgsql AS
$$
DECLARE
    own twin.node;
BEGIN
    SELECT n.* INTO own FROM twin.node n WHERE n.tree = of_tree AND n.node = of_node;
    SELECT sum(b.low), CASE WHEN count(b.high) = count(*) THEN sum(b.high) END INTO below_low, below_high
    FROM twin.node n, LATERAL twin.bound(of_tree, n.node) b WHERE n.tree = of_tree AND n.parent = of_node;
    low := greatest(coalesce(own.low, 0), twin.half_up(below_low, 1 + coalesce(own.over, 0)));
    high := least(own.high, twin.half_up(below_high, 1 + coalesce(own.over, 0)));
END
$$;

-- false: there is no way
CREATE FUNCTION twin.cascade(of_tree int, of_node int, total numeric) RETURNS boolean
    LANGUAGE plpgsql AS
$$
DECLARE
    members int[];
    parts numeric[];
    is_possible boolean := true;
BEGIN
    SELECT array_agg(n.node ORDER BY n.node),
        twin.allocate_units(twin.clip(twin.half_up(total * (1 + coalesce((SELECT o.over FROM twin.node o WHERE o.tree = of_tree AND o.node = of_node), 0)), 1),
                                      sum(b.low), CASE WHEN count(b.high) = count(*) THEN sum(b.high) END),
            array_agg(n.weight ORDER BY n.node), array_agg(b.low ORDER BY n.node), array_agg(b.high ORDER BY n.node), array_fill(0::numeric, ARRAY[count(*)::int]))
    INTO members, parts
    FROM twin.node n, LATERAL twin.bound(of_tree, n.node) b
    WHERE n.tree = of_tree AND n.parent = of_node;
    IF members IS NULL THEN
        RETURN true;
    END IF;
    IF parts IS NULL OR of_node = 0 AND (SELECT sum(p) FROM unnest(parts) p) <> total THEN
        RETURN false;
    END IF;
    FOR i IN 1 .. cardinality(members) LOOP
        UPDATE twin.node n SET amount = parts[i] WHERE n.tree = of_tree AND n.node = members[i];
        is_possible := is_possible AND twin.cascade(of_tree, members[i], parts[i]);
    END LOOP;
    RETURN is_possible;
END
$$;
