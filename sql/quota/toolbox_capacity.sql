/*
 * quota/toolbox_capacity.sql: how many people it takes, for anybody's numbers.
 */

CREATE OR REPLACE FUNCTION spm.capacity_chance(heads int[], present double precision[], units bigint[], need bigint, deviation double precision DEFAULT 0)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_capacity_chance';
COMMENT ON FUNCTION spm.capacity_chance(int[], double precision[], bigint[], bigint, double precision) IS
'Chance, 0 to 1, that people bring a need together: group i has heads[i] people, each of them there with the chance present[i] on their own account, who then brings units[i]. Exact, by convolution; with a deviation, or a need of more than 200,000 steps of their common divisor, by the normal distribution of the same mean and variance.
heads, present, units: arrays of the same length. need: in the same whole units. deviation: standard deviation of what one brings, as a ratio of it; 0 for all the same.
Errors: 22023 for arrays of different lengths or numbers that make no sense, 22004 for NULLs in them.
Example: SELECT spm.capacity_chance(''{10}'', ''{0.9}'', ''{1}'', 9) gives 0.736...: all ten or nine of them.';

CREATE OR REPLACE FUNCTION spm._hires(OUT hires int[], OUT chances double precision[], starts int[], heads int[], ramp bigint[], whole bigint,
                                      leaves double precision, deviation double precision, needs bigint[], level double precision, earliest int, least_units bigint)
    RETURNS record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_hires';
COMMENT ON FUNCTION spm._hires(int[], int[], bigint[], bigint, double precision, double precision, bigint[], double precision, int, bigint) IS
'How many must start in each month, and how likely each month''s need is reached then. starts, heads: cohorts, by months from the first of the plan; ramp, whole: units of one in the first months and after them; leaves: chance to leave at the end of a month; needs: units, month by month; level: chance to be reached; earliest: first month in which somebody can start; least_units: units that one must bring to be hired for a month.';
REVOKE ALL ON FUNCTION spm._hires(int[], int[], bigint[], bigint, double precision, double precision, bigint[], double precision, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.workload_fte(accounts numeric, visits numeric, hours numeric, paid_hours numeric, shrinkage numeric DEFAULT 0)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT workload_fte.accounts * workload_fte.visits * workload_fte.hours / nullif(workload_fte.paid_hours * (1 - workload_fte.shrinkage), 0);
END;
COMMENT ON FUNCTION spm.workload_fte(numeric, numeric, numeric, numeric, numeric) IS
'People that a workload takes (the workload method, Talley 1961): accounts x visits x hours / (paid hours x (1 - shrinkage)). NULL when no hours are left.
accounts: how many. visits: of one account, in the time that paid_hours are for. hours: of a visit, with preparation and travel. paid_hours: of one person. shrinkage: share of these that is lost, as a ratio.
Example: SELECT spm.workload_fte(300, 2, 1.5, 160, 0.25) gives 7.5.';

CREATE OR REPLACE FUNCTION spm._sales_at(heads numeric, sales numeric, heads_now numeric, elasticity numeric)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _sales_at.heads > 0 THEN _sales_at.sales * power(_sales_at.heads / _sales_at.heads_now, _sales_at.elasticity) ELSE 0 END;
END;
COMMENT ON FUNCTION spm._sales_at(numeric, numeric, numeric, numeric) IS 'Sales of a force of another size: those of now times (size / size now) to the elasticity.';
REVOKE ALL ON FUNCTION spm._sales_at(numeric, numeric, numeric, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_response(sales numeric, heads numeric, elasticity numeric, margin numeric, which text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (_check_response.sales >= 0 AND _check_response.sales < 'Infinity' AND _check_response.heads > 0 AND _check_response.heads < 'Infinity'
        AND _check_response.elasticity > 0 AND _check_response.elasticity < 1 AND _check_response.margin >= 0 AND _check_response.margin < 'Infinity') IS NOT TRUE THEN
        RAISE EXCEPTION '% makes no sense', _check_response.which
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Sales are %s, heads %s, elasticity %s, margin %s.', _check_response.sales, _check_response.heads, _check_response.elasticity, _check_response.margin),
                  HINT = 'Sales and margin are zero or more, heads more than 0, and the elasticity lies between 0 and 1: SELECT regr_slope(ln(sales), ln(heads)) of past years estimates it.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_response(numeric, numeric, numeric, numeric, text) IS 'Error 22023 for a response of sales to heads that makes no sense.';
REVOKE ALL ON FUNCTION spm._check_response(numeric, numeric, numeric, numeric, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.economic_size(OUT heads bigint, OUT sales numeric, OUT profit numeric, OUT profit_now numeric, OUT least_heads bigint, OUT most_heads bigint,
                                             sales_now numeric, heads_now numeric, elasticity numeric, margin numeric, cost numeric, tolerance numeric DEFAULT 0.01)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    best numeric;
    enough numeric;
    low bigint;
    high bigint;
    middle bigint;
BEGIN
    PERFORM spm._check_response(economic_size.sales_now, economic_size.heads_now, economic_size.elasticity, economic_size.margin, 'the response of sales');
    IF (economic_size.cost > 0 AND economic_size.cost < 'Infinity' AND economic_size.tolerance >= 0 AND economic_size.tolerance < 1) IS NOT TRUE THEN
        RAISE EXCEPTION 'cost of one cannot be %, tolerance %', coalesce(economic_size.cost::text, 'NULL'), coalesce(economic_size.tolerance::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Cost is more than 0, tolerance 0 or more and less than 1.';
    END IF;
    -- where the margin of one more is the cost of one more; profit is concave, so the best whole number is beside it
    best := economic_size.heads_now * power(economic_size.margin * economic_size.elasticity * economic_size.sales_now / (economic_size.cost * economic_size.heads_now),
                                            1 / (1 - economic_size.elasticity));
    IF best > 1e15 THEN
        RAISE EXCEPTION 'the best size is % people', round(best)
            USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Elasticity is too near to 1, or cost too small.';
    END IF;
    SELECT n, economic_size.margin * spm._sales_at(n, economic_size.sales_now, economic_size.heads_now, economic_size.elasticity) - economic_size.cost * n
    INTO heads, profit
    FROM unnest(ARRAY[floor(best), ceil(best)]) n ORDER BY 2 DESC, 1 LIMIT 1;
    enough := profit * (1 - economic_size.tolerance);
    low := 0; high := heads;            -- the fewest with enough profit are above low, or low itself
    WHILE low < high LOOP
        middle := (low + high) / 2;
        IF economic_size.margin * spm._sales_at(middle, economic_size.sales_now, economic_size.heads_now, economic_size.elasticity) - economic_size.cost * middle >= enough THEN high := middle; ELSE low := middle + 1; END IF;
    END LOOP;
    least_heads := low;
    low := heads; high := heads + 1;
    WHILE economic_size.margin * spm._sales_at(high, economic_size.sales_now, economic_size.heads_now, economic_size.elasticity) - economic_size.cost * high >= enough LOOP
        low := high; high := high * 2;
    END LOOP;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        IF economic_size.margin * spm._sales_at(middle, economic_size.sales_now, economic_size.heads_now, economic_size.elasticity) - economic_size.cost * middle >= enough THEN low := middle; ELSE high := middle; END IF;
    END LOOP;
    most_heads := low;
    sales := round(spm._sales_at(heads, economic_size.sales_now, economic_size.heads_now, economic_size.elasticity), 2);
    profit := round(profit, 2);
    profit_now := round(economic_size.margin * economic_size.sales_now - economic_size.cost * economic_size.heads_now, 2);
END
$$;
COMMENT ON FUNCTION spm.economic_size(numeric, numeric, numeric, numeric, numeric, numeric) IS
'How many people pay for themselves: with sales S0 (x / x0)^e, profit margin x sales - cost x heads is highest at x0 (margin e S0 / (cost x0))^(1 / (1 - e)) (marginal analysis; Semlow 1959, Lodish 1980). Returns the best whole number of heads, sales and profit with it, profit now, and least_heads to most_heads, between which profit is within the tolerance of the best: the optimum is flat.
sales_now, heads_now: of a year, say. elasticity: by what part of a percent sales grow with a percent more people, between 0 and 1; regr_slope(ln(sales), ln(heads)) estimates it. margin: profit on sales before the cost of people, as a ratio. cost: of one, in the same time. tolerance: a ratio.
Errors: 22023 for numbers that make no sense, 22003 where the best size has no end.
Example: SELECT * FROM spm.economic_size(50000000, 100, 0.5, 0.4, 80000) gives 156 heads instead of 100.';

CREATE OR REPLACE FUNCTION spm.allocate_heads(total int, sales numeric[], heads numeric[], elasticities numeric[], margins numeric[])
    RETURNS int[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n int := cardinality(allocate_heads.sales);
BEGIN
    IF cardinality(allocate_heads.heads) <> n OR cardinality(allocate_heads.elasticities) <> n OR cardinality(allocate_heads.margins) <> n OR n = 0 THEN
        RAISE EXCEPTION 'sales, heads, elasticities and margins must be of the same length'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One of each for every segment or product.';
    END IF;
    IF allocate_heads.total < 0 OR allocate_heads.total::bigint * n > 1000000 THEN
        RAISE EXCEPTION '% people cannot be allocated to % segments', allocate_heads.total, n
            USING ERRCODE = 'invalid_parameter_value', HINT = 'People times segments are at most a million.';
    END IF;
    PERFORM spm._check_response(allocate_heads.sales[i], allocate_heads.heads[i], allocate_heads.elasticities[i], allocate_heads.margins[i], 'segment ' || i)
    FROM generate_series(1, n) i;
    -- each gains less than the one before in the same segment: so the best are taken in order
    RETURN ARRAY(
        SELECT count(g.i)::int
        FROM generate_series(1, n) s(i)
        LEFT JOIN (
            SELECT c.i
            FROM (SELECT i, x, allocate_heads.margins[i] * spm._sales_at(x, allocate_heads.sales[i], allocate_heads.heads[i], allocate_heads.elasticities[i]) AS profit
                  FROM generate_series(1, n) i, generate_series(0, allocate_heads.total) x) c
            WINDOW w AS (PARTITION BY c.i ORDER BY c.x)
            ORDER BY c.profit - lag(c.profit) OVER w DESC NULLS LAST, c.i, c.x
            LIMIT allocate_heads.total
        ) g USING (i)
        GROUP BY s.i ORDER BY s.i);
END
$$;
COMMENT ON FUNCTION spm.allocate_heads(int, numeric[], numeric[], numeric[], numeric[]) IS
'Divides people among segments or products so that profit is highest: one after the other goes where the margin of one more is largest, which is optimal as each brings less than the one before (Lodish 1971). Returns the heads of each segment, in order; they add up to total. Of equal ones the first segment gets more.
total: people. sales, heads: of each segment now. elasticities: between 0 and 1. margins: ratios.
Errors: 22023 for arrays of different lengths, numbers that make no sense (it says which segment), or people times segments above a million.
Example: SELECT spm.allocate_heads(10, ''{100,400}'', ''{5,5}'', ''{0.5,0.5}'', ''{1,1}'') gives {1,9}.';
