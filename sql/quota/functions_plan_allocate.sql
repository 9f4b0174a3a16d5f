/*
 * quota/functions_plan_allocate.sql: dividing the total of a quota plan down
 * its tree, and over the periods that quotas are published for.
 *
 * Helpers read a plan in a few queries over all its seats, which take less time
 * than compiling them would: so they say jit = off.
 */

CREATE OR REPLACE FUNCTION spm._quota_plan_periods(quota_plan_id int)
    RETURNS int[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN min(q.grain) IS NULL THEN ARRAY[min(q.period_id)] ELSE array_agg(p.period_id ORDER BY p.span) END
    FROM spm.quota_plan q
    JOIN spm.period w USING (period_id)
    LEFT JOIN spm.period p ON p.calendar_id = w.calendar_id AND p.grain = q.grain AND p.span <@ w.span
    WHERE q.quota_plan_id = _quota_plan_periods.quota_plan_id;
END;
COMMENT ON FUNCTION spm._quota_plan_periods(int) IS 'Periods that a plan is published for, in order.';
REVOKE ALL ON FUNCTION spm._quota_plan_periods(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_arrays(version_id int, OUT positions int[], OUT parents int[], OUT levels int[], OUT names text[],
                                             OUT lowers numeric[], OUT uppers numeric[], OUT over_assignments numeric[], OUT amounts numeric[],
                                             OUT requests numeric[], OUT variances numeric[])
    LANGUAGE sql STABLE PARALLEL SAFE
    SET jit = off
BEGIN ATOMIC
    -- by key, so that ties go the same way in every database
    WITH node AS MATERIALIZED (
        SELECT n.*, s.position_key, (row_number() OVER (ORDER BY s.position_key COLLATE "C"))::int AS nth
        FROM spm.quota_plan_node n JOIN spm.position s USING (position_id)
        WHERE n.quota_plan_version_id = _quota_arrays.version_id
    )
    SELECT array_agg(o.position_id), array_agg(o.parent), array_agg(o.level), array_agg(o.position_key), array_agg(o.lower), array_agg(o.upper),
        array_agg(o.over_assignment), array_agg(o.amount), array_agg(o.bottom_up), array_agg(o.variance)
    FROM (SELECT n.position_id, p.nth AS parent, n.level::int AS level, n.position_key, coalesce(n.locked_amount, n.at_least) AS lower,
              coalesce(n.locked_amount, n.at_most) AS upper, l.over_assignment, n.amount, n.bottom_up, n.variance
          FROM node n
          LEFT JOIN node p ON p.position_id = n.parent_position_id
          LEFT JOIN spm.quota_plan_level l ON l.quota_plan_version_id = n.quota_plan_version_id AND l.level = n.level
          ORDER BY n.nth) o;
END;
COMMENT ON FUNCTION spm._quota_arrays(int) IS 'The tree of a version as arrays, one element a seat, in the order of position_key; parents as places in that order.';
REVOKE ALL ON FUNCTION spm._quota_arrays(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_sums(parents int[], weights numeric[])
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_quota_sums';
COMMENT ON FUNCTION spm._quota_sums(int[], numeric[]) IS 'The weight of each node of a tree with all that is below it.';
REVOKE ALL ON FUNCTION spm._quota_sums(int[], numeric[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_weights(version_id int, positions int[], parents int[], levels int[])
    RETURNS numeric[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET jit = off
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    factor_level int;
    own numeric[];
    sums numeric[];
    weights numeric[] := array_fill(0::numeric, ARRAY[cardinality(_quota_weights.positions)]);
BEGIN
    -- 0 first: the levels that have factors of their own come after it
    FOR factor_level IN SELECT DISTINCT f.level FROM spm.quota_plan_factor f WHERE f.quota_plan_version_id = _quota_weights.version_id ORDER BY 1 LOOP
        SELECT array_agg(coalesce(w.weight, 0) + coalesce(e.weight, 0) ORDER BY u.nth) INTO own
        FROM unnest(_quota_weights.positions) WITH ORDINALITY u(position_id, nth)
        LEFT JOIN (
            -- one input as it is; of several the shares, cut off after 24 decimals
            SELECT i.position_id, sum(CASE WHEN t.factors = 1 THEN i.amount ELSE div(t.weight * i.amount * 1e24, t.whole) END) AS weight
            FROM (SELECT f.name, f.weight, count(*) OVER () AS factors,
                      (SELECT sum(x.amount) FROM spm.quota_plan_input x WHERE x.quota_plan_version_id = _quota_weights.version_id AND x.name = f.name) AS whole
                  FROM spm.quota_plan_factor f WHERE f.quota_plan_version_id = _quota_weights.version_id AND f.level = factor_level) t
            JOIN spm.quota_plan_input i ON i.quota_plan_version_id = _quota_weights.version_id AND i.name = t.name
            WHERE t.whole > 0
            GROUP BY i.position_id) w ON w.position_id = u.position_id
        LEFT JOIN (
            -- even: every seat below which there is none
            SELECT b.nth, CASE WHEN t.factors = 1 THEN 1 ELSE div(t.weight * 1e24, count(*) OVER ()) END AS weight
            FROM (SELECT f.name, f.weight, count(*) OVER () AS factors
                  FROM spm.quota_plan_factor f WHERE f.quota_plan_version_id = _quota_weights.version_id AND f.level = factor_level) t
            CROSS JOIN (SELECT x.nth FROM generate_series(1, cardinality(_quota_weights.positions)) x(nth)
                        EXCEPT SELECT x.parent FROM unnest(_quota_weights.parents) x(parent)) b
            WHERE t.name = 'even') e ON e.nth = u.nth;
        sums := spm._quota_sums(_quota_weights.parents, own);
        IF factor_level = 0 THEN
            weights := sums;
        ELSE
            SELECT array_agg(CASE WHEN u.level = factor_level THEN u.sum ELSE u.weight END ORDER BY u.nth) INTO weights
            FROM unnest(_quota_weights.levels, sums, weights) WITH ORDINALITY u(level, sum, weight, nth);
        END IF;
    END LOOP;
    RETURN weights;
END
$$;
COMMENT ON FUNCTION spm._quota_weights(int, int[], int[], int[]) IS 'What each seat of a version weighs by the factors of its level, with all that is below it.';
REVOKE ALL ON FUNCTION spm._quota_weights(int, int[], int[], int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_requests(version_id int, OUT bases numeric[], OUT variances numeric[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET jit = off
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tree record;
    missing text[];
BEGIN
    SELECT * INTO tree FROM spm._quota_arrays(_quota_requests.version_id);
    SELECT array_agg(u.name ORDER BY u.nth) INTO missing
    FROM unnest(tree.names, tree.requests, tree.lowers, tree.uppers) WITH ORDINALITY u(name, request, lower, upper, nth)
    WHERE u.request IS NULL AND (u.lower = u.upper) IS NOT TRUE AND u.nth <> ALL (array_remove(tree.parents, NULL));
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% of the seats at the bottom have asked for nothing', cardinality(missing)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The first is "%s".', missing[1]),
                  HINT = 'SELECT spm.request_quota(plan, position, amount); or load them: spm.load_quota_input(plan, ''bottom_up'', relation, position, amount).';
    END IF;
    bases := coalesce(tree.requests, '{}');
    variances := bases;
    /*
     * From below: what a seat's own request and those below it say together,
     * each by how sure it is.  From above, the kernel divides what remains.
     */
    FOR of_level IN REVERSE (SELECT max(l) FROM unnest(tree.levels) l) .. 1 LOOP
        SELECT array_agg(CASE WHEN u.level <> of_level THEN u.base
                              WHEN c.base IS NULL THEN coalesce(u.request, u.upper)
                              WHEN u.request IS NULL OR c.variance + u.own = 0 THEN round(c.base, 12)
                              ELSE round((c.base * u.own + u.request * c.variance) / (c.variance + u.own), 12) END ORDER BY u.nth),
               array_agg(CASE WHEN u.level <> of_level THEN u.variance
                              WHEN c.base IS NULL THEN coalesce(u.own, 0)
                              WHEN u.request IS NULL OR c.variance + u.own = 0 THEN round(c.variance, 12)
                              ELSE round(c.variance * u.own / (c.variance + u.own), 12) END ORDER BY u.nth)
        INTO bases, variances
        FROM (SELECT x.*, coalesce(x.stated, x.request) AS own
              FROM unnest(tree.levels, tree.requests, tree.variances, tree.uppers, bases, variances) WITH ORDINALITY x(level, request, stated, upper, base, variance, nth)) u
        LEFT JOIN (SELECT b.parent, sum(b.base) / (1 + coalesce(max(tree.over_assignments[b.parent]), 0)) AS base,
                          sum(b.variance) / (1 + coalesce(max(tree.over_assignments[b.parent]), 0)) ^ 2 AS variance
                   FROM unnest(tree.parents, bases, variances, tree.levels) b(parent, base, variance, level)
                   WHERE b.level = of_level + 1 GROUP BY b.parent) c ON c.parent = u.nth;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._quota_requests(int) IS 'What each seat of a version is expected to have by all that was asked for below and for it, and how unsure that is: the upward pass of a least squares reconciliation. Error 22023 when a seat at the bottom has asked for nothing.';
REVOKE ALL ON FUNCTION spm._quota_requests(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_amounts(version_id int)
    RETURNS TABLE (position_id int, weight numeric, amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET jit = off
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version;
    tree record;
    weights numeric[];
    bases numeric[] := '{}';
BEGIN
    SELECT v.* INTO this FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = _quota_amounts.version_id;
    SELECT * INTO tree FROM spm._quota_arrays(this.quota_plan_version_id);
    IF this.method = 'reconcile' THEN
        SELECT (SELECT array_agg(round(u.base / this.unit) * this.unit ORDER BY u.nth) FROM unnest(r.bases) WITH ORDINALITY u(base, nth)), r.variances
        INTO bases, weights FROM spm._quota_requests(this.quota_plan_version_id) r;
    ELSE
        weights := spm._quota_weights(this.quota_plan_version_id, tree.positions, tree.parents, tree.levels);
        IF this.carry_input IS NOT NULL THEN
            -- at the bottom; who is above others carries what they carry
            SELECT array_agg(CASE WHEN c.parent IS NULL THEN round(coalesce(i.amount, 0) * this.carry_ratio / this.unit) * this.unit END ORDER BY u.nth) INTO bases
            FROM unnest(tree.positions) WITH ORDINALITY u(seat, nth)
            LEFT JOIN spm.quota_plan_input i ON i.quota_plan_version_id = this.quota_plan_version_id AND i.name = this.carry_input AND i.position_id = u.seat
            LEFT JOIN (SELECT DISTINCT p.parent FROM unnest(tree.parents) p(parent)) c ON c.parent = u.nth;
        END IF;
    END IF;
    RETURN QUERY
    SELECT r.seat, r.weight, r.amount
    FROM unnest(tree.positions, weights,
                spm.quota_tree(tree.parents, weights, this.total, tree.lowers, tree.uppers, bases, tree.over_assignments, this.unit, tree.names)) r(seat, weight, amount);
END
$$;
COMMENT ON FUNCTION spm._quota_amounts(int) IS 'What each seat of a version gets as it stands, and by which weight; nothing is written.';
REVOKE ALL ON FUNCTION spm._quota_amounts(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.allocate_quota_plan(plan text)
    RETURNS TABLE (level int, seat_count bigint, amount numeric, changed_count bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(allocate_quota_plan.plan);
BEGIN
    RETURN QUERY
    WITH new AS MATERIALIZED (
        SELECT r.position_id, r.weight, r.amount FROM spm._quota_amounts(version_id) r
    ), written AS (
        UPDATE spm.quota_plan_node n SET weight = r.weight, amount = r.amount
        FROM new r
        WHERE n.quota_plan_version_id = version_id AND n.position_id = r.position_id
          AND (n.weight IS DISTINCT FROM r.weight OR n.amount IS DISTINCT FROM r.amount)
    )
    SELECT o.level::int, count(*), sum(r.amount), count(*) FILTER (WHERE o.amount IS DISTINCT FROM r.amount)
    FROM spm.quota_plan_node o JOIN new r USING (position_id)
    WHERE o.quota_plan_version_id = version_id
    GROUP BY o.level ORDER BY o.level;
END
$$;
COMMENT ON FUNCTION spm.allocate_quota_plan(text) IS
'Divides the total of a draft down its tree, and returns for each level how many seats it has, what they have together, and how many of them have another amount than before.
Every seat is what the seats directly below it have, divided by 1 + the over-assignment of its level and rounded to the unit: without over-assignment the sum. Bounds and locks of all levels are kept; see spm.quota_tree().
method share: by the factors of the plan. reconcile: what was asked for is moved as little as the total allows, by least squares weighted with the variances, in one pass up the tree and one down.
plan: name.
Errors: 42704 unknown plan, 55000 no draft; 22023 when bounds and locks leave no way (the message names the seat and both sums), when nobody with a weight can take what is left, or when a seat has not asked for anything.
Sources: R. P. Byron, The estimation of large social account matrices, JRSS A 141 (1978); R. J. Hyndman et al., Optimal combination forecasts for hierarchical time series, CSDA 55 (2011).
Example: SELECT * FROM spm.allocate_quota_plan(''FY26'');';

CREATE OR REPLACE FUNCTION spm.override_quota(plan text, "position" text, amount numeric, reason text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(override_quota.plan);
    seat int := spm._quota_seat(version_id, override_quota."position");
BEGIN
    PERFORM spm._check_text(override_quota.reason, 'reason'), spm._quota_amount(override_quota.amount, 'quota');
    IF EXISTS (SELECT FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = version_id AND mod(override_quota.amount, v.unit) <> 0) THEN
        RAISE EXCEPTION 'a quota of % is not in units of %', override_quota.amount, (SELECT v.unit FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = version_id)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Round it to the unit of the plan.';
    END IF;
    UPDATE spm.quota_plan_node n SET locked_amount = override_quota.amount, reason = override_quota.reason
    WHERE n.quota_plan_version_id = version_id AND n.position_id = seat;
    RETURN (SELECT sum(a.changed_count) FROM spm.allocate_quota_plan(override_quota.plan) a);
END
$$;
COMMENT ON FUNCTION spm.override_quota(text, text, numeric, text) IS
'Gives a seat of a draft an amount by hand, keeps it there, and divides the rest anew: first among the others of its team, beyond that only where bounds ask for it. Returns how many seats have another amount than before.
plan: name. position: position_key; that of a manager fixes the team. amount: in the unit of the measure; NULL: back to its share. reason: why, kept in spm.quota_plan_change.
Errors: 42704 unknown plan or position, 55000 no draft, 22023 for an amount that makes no sense or leaves the others no way, or no reason.
Example: SELECT spm.override_quota(''FY26'', ''U-17'', 260000, ''inherits Acme'');';

CREATE OR REPLACE FUNCTION spm._quota_parts(version_id int)
    RETURNS TABLE (position_id int, period_id int, amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET jit = off
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version;
    tree record;
    periods int[];
    shares numeric[];
    seasons int[];
BEGIN
    SELECT v.* INTO this FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = _quota_parts.version_id;
    periods := spm._quota_plan_periods(this.quota_plan_id);
    SELECT * INTO tree FROM spm._quota_arrays(this.quota_plan_version_id);
    IF array_position(tree.amounts, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'position "%" has no quota yet', tree.names[array_position(tree.amounts, NULL)]
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT * FROM spm.allocate_quota_plan(plan);';
    END IF;
    -- the first season is that of calendar days
    SELECT array_agg(s.shares ORDER BY s.nth) INTO shares
    FROM (SELECT 0 AS nth, array_agg((upper(p.span) - lower(p.span))::numeric ORDER BY p.span) AS shares FROM spm.period p WHERE p.period_id = ANY (periods)
          UNION ALL
          SELECT row_number() OVER (ORDER BY q.position_id), q.shares FROM spm.quota_plan_season q WHERE q.quota_plan_version_id = this.quota_plan_version_id) s;
    WITH RECURSIVE own AS (
        SELECT q.position_id, (1 + row_number() OVER (ORDER BY q.position_id))::int AS season
        FROM spm.quota_plan_season q WHERE q.quota_plan_version_id = this.quota_plan_version_id
    ), down AS (
        SELECT n.position_id, coalesce(o.season, 1) AS season
        FROM spm.quota_plan_node n LEFT JOIN own o USING (position_id)
        WHERE n.quota_plan_version_id = this.quota_plan_version_id AND n.parent_position_id IS NULL
        UNION ALL
        SELECT n.position_id, coalesce(o.season, d.season)
        FROM down d
        JOIN spm.quota_plan_node n ON n.quota_plan_version_id = this.quota_plan_version_id AND n.parent_position_id = d.position_id
        LEFT JOIN own o ON o.position_id = n.position_id
    )
    SELECT array_agg(d.season ORDER BY u.nth) INTO seasons
    FROM unnest(tree.positions) WITH ORDINALITY u(seat, nth) JOIN down d ON d.position_id = u.seat;
    RETURN QUERY
    SELECT tree.positions[1 + (r.nth - 1) / cardinality(periods)], periods[1 + (r.nth - 1) % cardinality(periods)], r.amount
    FROM unnest(spm.quota_season(tree.parents, tree.amounts, shares, tree.over_assignments, seasons, this.unit, tree.names)) WITH ORDINALITY r(amount, nth);
END
$$;
COMMENT ON FUNCTION spm._quota_parts(int) IS 'The amounts of a version for each period that it is published for. Error 55000 when they have not been allocated.';
REVOKE ALL ON FUNCTION spm._quota_parts(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.quota_plan_part(plan text, version int DEFAULT NULL)
    RETURNS TABLE (position_key text, period_name text, amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT s.position_key, p.name, r.amount
    FROM spm._quota_parts((spm._quota_version(quota_plan_part.plan, quota_plan_part.version)).quota_plan_version_id) r
    JOIN spm.position s USING (position_id)
    JOIN spm.period p USING (period_id)
    ORDER BY s.position_key COLLATE "C", p.span;
END
$$;
COMMENT ON FUNCTION spm.quota_plan_part(text, int) IS
'The quotas of a plan by period, as they are published: one row per seat and period. Parts add up to the amount of the seat exactly; what is due by the end of each period adds up the tree, see spm.quota_season().
plan: name. version: NULL: the one that is worked on, else the published one.
Errors: 42704 unknown plan or version, 55000 when it has not been allocated.
Example: SELECT * FROM spm.quota_plan_part(''FY26'');';
