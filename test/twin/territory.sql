/*
 * twin/territory.sql: which rules a record meets, once more without spm: every
 * rule asked of every record, one condition after the other.
 *
 * Slow and obvious, written from the definitions.  Records come as cells of
 * text, so that no code of spm has read them.
 */

CREATE SCHEMA twin;

-- v2 is the longitude of a point; v NULL: unknown
CREATE TABLE twin.cell (record_id int, territory_attribute_id int, v text, v2 text);

CREATE FUNCTION twin.draw(i int, salt int, n int) RETURNS int
    LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(i || ':' || salt), 1, 8))::bit(32)::bigint % n)::int $$;

-- kilometres of the great circle (haversine), on a sphere of 6,371.0088 km
CREATE FUNCTION twin.distance(lat1 float8, lon1 float8, lat2 float8, lon2 float8) RETURNS float8
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT 2 * 6371.0088 * asin(sqrt(least(1, sin(radians(lat2 - lat1) / 2) ^ 2
        + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ^ 2)))
$$;

-- What lies above a value of a tree, itself first; depth of what has nothing above it is 1.
CREATE FUNCTION twin.above() RETURNS TABLE (territory_attribute_id int, value text, above text, steps int)
    LANGUAGE sql STABLE AS
$$
    WITH RECURSIVE up AS (
        SELECT v.territory_attribute_id, v.value, v.value AS above, 0 AS steps FROM spm.territory_attribute_value v
        UNION ALL
        SELECT u.territory_attribute_id, u.value, v.parent_value, u.steps + 1
        FROM up u JOIN spm.territory_attribute_value v ON v.territory_attribute_id = u.territory_attribute_id AND v.value = u.above
        WHERE v.parent_value IS NOT NULL
    )
    SELECT * FROM up
$$;

-- Whether a record meets all conditions of a rule, days aside.
CREATE FUNCTION twin.met() RETURNS TABLE (territory_rule_id int, record_id int)
    LANGUAGE sql STABLE AS
$$
    WITH above AS MATERIALIZED (
        SELECT u.territory_attribute_id, u.value, array_agg(u.above) AS above FROM twin.above() u GROUP BY 1, 2
    ), judged AS (
        SELECT c.territory_rule_id, x.record_id,
            CASE WHEN c.operator = 'null' THEN (x.v IS NULL) <> c.is_negated
                 WHEN x.v IS NULL THEN false
                 ELSE (CASE c.operator
                    WHEN 'in' THEN CASE a.kind
                        WHEN 'number' THEN x.v::numeric = ANY (c.operands::numeric[])
                        WHEN 'date' THEN x.v::date = ANY (c.operands::date[])
                        WHEN 'boolean' THEN x.v::boolean = ANY (c.operands::boolean[])
                        ELSE x.v COLLATE "C" = ANY (c.operands) END
                    WHEN 'range' THEN CASE a.kind
                        WHEN 'number' THEN coalesce(x.v::numeric >= c.operands[1]::numeric, true) AND coalesce(x.v::numeric <= c.operands[2]::numeric, true)
                        WHEN 'date' THEN coalesce(x.v::date >= c.operands[1]::date, true) AND coalesce(x.v::date <= c.operands[2]::date, true)
                        ELSE coalesce(x.v COLLATE "C" >= c.operands[1], true) AND coalesce(x.v COLLATE "C" <= c.operands[2], true) END
                    WHEN 'prefix' THEN EXISTS (SELECT FROM unnest(c.operands) o WHERE left(x.v, length(o)) COLLATE "C" = o)
                    WHEN 'under' THEN coalesce(u.above, ARRAY[x.v]) && c.operands
                    WHEN 'within' THEN twin.distance(c.operands[1]::float8, c.operands[2]::float8, x.v::float8, x.v2::float8) <= c.operands[3]::float8
                    END) <> c.is_negated END AS is_met
        FROM spm.territory_condition c
        JOIN spm.territory_attribute a USING (territory_attribute_id)
        JOIN twin.cell x USING (territory_attribute_id)
        LEFT JOIN above u ON u.territory_attribute_id = x.territory_attribute_id AND u.value = x.v
    ), failed AS (
        SELECT DISTINCT j.territory_rule_id, j.record_id FROM judged j WHERE NOT j.is_met
    )
    SELECT r.territory_rule_id, x.record_id
    FROM spm.territory_rule r CROSS JOIN (SELECT DISTINCT record_id FROM twin.cell) x
    EXCEPT
    SELECT f.territory_rule_id, f.record_id FROM failed f
$$;

-- twin.met() once and for all: call when all rules and cells are there.
CREATE TABLE twin.known (territory_rule_id int, record_id int);
CREATE FUNCTION twin.learn() RETURNS void
    LANGUAGE sql AS
$$
    DELETE FROM twin.known;
    INSERT INTO twin.known SELECT * FROM twin.met();
$$;

-- What each record meets on a day, with what is inherited, in the order in which rules go: n = 1 wins.
CREATE FUNCTION twin.standing(day date) RETURNS TABLE (record_id int, type text, territory_id int, territory_rule_id int, n bigint)
    LANGUAGE sql STABLE SET enable_nestloop = off AS
$$
    WITH RECURSIVE met AS (
        SELECT * FROM twin.known
    ), depth AS MATERIALIZED (
        SELECT u.territory_attribute_id, u.value, max(u.steps) + 1 AS depth FROM twin.above() u GROUP BY 1, 2
    ), asked AS MATERIALIZED (
        -- how many attributes, and how deep in trees
        SELECT c.territory_rule_id, count(DISTINCT c.territory_attribute_id) AS attributes, sum(l.level) AS level
        FROM spm.territory_condition c
        JOIN spm.territory_attribute a USING (territory_attribute_id)
        LEFT JOIN LATERAL (SELECT min(coalesce(d.depth, 1)) AS level FROM unnest(c.operands) o
                           LEFT JOIN depth d ON d.territory_attribute_id = c.territory_attribute_id AND d.value = o) l ON a.kind = 'tree' AND NOT c.is_negated
        GROUP BY 1
    ), rule AS MATERIALIZED (
        SELECT r.*, t.type, coalesce(q.attributes, 0) AS attributes, coalesce(q.level, 0) AS level
        FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) LEFT JOIN asked q USING (territory_rule_id)
        WHERE r.span @> standing.day AND t.span @> standing.day
    ), over AS (
        SELECT t.territory_id, t.parent_territory_id AS above FROM spm.territory t WHERE t.parent_territory_id IS NOT NULL
        UNION ALL
        SELECT o.territory_id, t.parent_territory_id FROM over o JOIN spm.territory t ON t.territory_id = o.above WHERE t.parent_territory_id IS NOT NULL
    ), heritage AS MATERIALIZED (
        -- whatever the day: of each territory above, what the rule that asks most passes on
        SELECT o.territory_id, count(*) AS layers, sum(i.attributes) AS attributes
        FROM over o JOIN (SELECT r.territory_id AS above, max(coalesce(q.attributes, 0)) AS attributes
                          FROM spm.territory_rule r LEFT JOIN asked q USING (territory_rule_id) WHERE r.is_inherited GROUP BY 1) i USING (above)
        GROUP BY 1
    ), binding AS MATERIALIZED (
        -- territories above that pass rules on that day
        SELECT o.territory_id, o.above FROM over o WHERE o.above IN (SELECT i.territory_id FROM rule i WHERE i.is_inherited)
    ), passed AS MATERIALIZED (
        SELECT DISTINCT i.territory_id AS above, m.record_id FROM rule i JOIN met m USING (territory_rule_id) WHERE i.is_inherited
    ), enough AS MATERIALIZED (
        SELECT r.territory_rule_id, p.record_id, count(*) AS n
        FROM rule r JOIN binding b USING (territory_id) JOIN passed p USING (above)
        GROUP BY 1, 2
    ), free AS (
        -- of each territory above that passes rules on, one is met; exceptions are not bound
        SELECT r.territory_rule_id, m.record_id
        FROM rule r JOIN met m USING (territory_rule_id)
        LEFT JOIN (SELECT b.territory_id, count(*) AS n FROM binding b GROUP BY 1) needed USING (territory_id)
        LEFT JOIN enough e ON e.territory_rule_id = r.territory_rule_id AND e.record_id = m.record_id
        WHERE r.kind = 'exception' OR coalesce(e.n, 0) = coalesce(needed.n, 0)
    )
    SELECT f.record_id, r.type, r.territory_id, r.territory_rule_id,
        row_number() OVER (PARTITION BY f.record_id, r.type ORDER BY array_position('{exception,named,rule}', r.kind), r.precedence,
                           r.attributes + CASE WHEN r.kind <> 'exception' THEN coalesce(h.attributes, 0) ELSE 0 END DESC,
                           CASE WHEN r.kind <> 'exception' THEN coalesce(h.layers, 0) ELSE 0 END DESC, r.level DESC, r.territory_rule_id)
    FROM free f JOIN rule r USING (territory_rule_id) LEFT JOIN heritage h USING (territory_id)
$$;
