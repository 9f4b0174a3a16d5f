/*
 * territory/views_design.sql: how good designs are, seat by seat and unit by unit.
 */

CREATE OR REPLACE VIEW spm_bi.territory_design_load WITH (security_invoker = true) AS
WITH load AS (
    SELECT u.territory_design_id, a.k, s.seat_key, sum(a.load) FILTER (WHERE u.planned_seat_key = s.seat_key) AS planned,
           sum(a.load) FILTER (WHERE u.seat_key = s.seat_key) AS now
    FROM spm.territory_design_unit u
    CROSS JOIN LATERAL (SELECT u.planned_seat_key WHERE u.planned_seat_key IS NOT NULL
                        UNION SELECT u.seat_key WHERE u.seat_key IS NOT NULL) s(seat_key)
    CROSS JOIN LATERAL unnest(u.activities) WITH ORDINALITY a(load, k)
    GROUP BY u.territory_design_id, a.k, s.seat_key
), total AS (
    SELECT u.territory_design_id, a.k, sum(a.load) AS total
    FROM spm.territory_design_unit u CROSS JOIN LATERAL unnest(u.activities) WITH ORDINALITY a(load, k)
    GROUP BY u.territory_design_id, a.k
), seat AS (
    SELECT s.territory_design_id, s.seat_key, s.is_closed, c.k, CASE WHEN s.is_closed THEN 0 ELSE c.size END AS size,
           sum(c.size) FILTER (WHERE NOT s.is_closed) OVER (PARTITION BY s.territory_design_id, c.k) AS sizes
    FROM spm.territory_design_seat s CROSS JOIN LATERAL unnest(s.capacities) WITH ORDINALITY c(size, k)
)
SELECT d.name AS design_name, s.seat_key, a.name AS activity, coalesce(l.planned, 0)::numeric(38,6) AS load, coalesce(l.now, 0)::numeric(38,6) AS load_now,
       (t.total * s.size / s.sizes)::numeric(38,6) AS target,
       (coalesce(l.planned, 0) / nullif(t.total * s.size / s.sizes, 0) - 1)::numeric(38,6) AS deviation,
       d.tolerances[a.k]::numeric(38,6) AS tolerance,
       abs(coalesce(l.planned, 0) - t.total * s.size / s.sizes) <= d.tolerances[a.k] * t.total * s.size / s.sizes AS is_within,
       s.is_closed
FROM spm.territory_design d
CROSS JOIN LATERAL unnest(d.activities) WITH ORDINALITY a(name, k)
JOIN seat s ON s.territory_design_id = d.territory_design_id AND s.k = a.k
JOIN total t ON t.territory_design_id = d.territory_design_id AND t.k = a.k
LEFT JOIN load l ON l.territory_design_id = d.territory_design_id AND l.k = a.k AND l.seat_key = s.seat_key;
COMMENT ON VIEW spm_bi.territory_design_load IS 'One row per design, seat and activity: what the seat carries in the plan, beside its target.';
COMMENT ON COLUMN spm_bi.territory_design_load.design_name IS 'Design.';
COMMENT ON COLUMN spm_bi.territory_design_load.seat_key IS 'Seat.';
COMMENT ON COLUMN spm_bi.territory_design_load.activity IS 'Activity.';
COMMENT ON COLUMN spm_bi.territory_design_load.load IS 'What it carries in the plan. Additive over seats.';
COMMENT ON COLUMN spm_bi.territory_design_load.load_now IS 'What it carries now. Additive over seats.';
COMMENT ON COLUMN spm_bi.territory_design_load.target IS 'Its share of the total by its capacity. Additive over seats.';
COMMENT ON COLUMN spm_bi.territory_design_load.deviation IS 'How far the load is from the target, as a ratio. NULL: the seat is closed.';
COMMENT ON COLUMN spm_bi.territory_design_load.tolerance IS 'How far it may be, as a ratio.';
COMMENT ON COLUMN spm_bi.territory_design_load.is_within IS 'Whether it is no farther.';
COMMENT ON COLUMN spm_bi.territory_design_load.is_closed IS 'Whether the seat is given up.';

CREATE OR REPLACE VIEW spm_bi.territory_design_seat WITH (security_invoker = true) AS
SELECT d.name AS design_name, s.seat_key, t.territory_key, s.is_closed, s.planned_latitude::numeric(9,6) AS latitude, s.planned_longitude::numeric(9,6) AS longitude,
       s.latitude IS NOT NULL AS is_home_given,
       count(u.unit_key) FILTER (WHERE u.planned_seat_key = s.seat_key) AS unit_count,
       coalesce(sum(u.value) FILTER (WHERE u.planned_seat_key = s.seat_key), 0)::numeric(38,6) AS value,
       coalesce(sum(u.value) FILTER (WHERE u.planned_seat_key = s.seat_key AND u.seat_key <> s.seat_key), 0)::numeric(38,6) AS gained_value,
       coalesce(sum(u.value) FILTER (WHERE u.seat_key = s.seat_key AND u.planned_seat_key <> s.seat_key), 0)::numeric(38,6) AS lost_value,
       (sum(u.weight * u.planned_distance) FILTER (WHERE u.planned_seat_key = s.seat_key)
           / nullif(sum(u.weight) FILTER (WHERE u.planned_seat_key = s.seat_key), 0))::numeric(38,6) AS mean_distance,
       (max(u.planned_distance) FILTER (WHERE u.planned_seat_key = s.seat_key))::numeric(38,6) AS farthest_distance
FROM spm.territory_design d
JOIN spm.territory_design_seat s USING (territory_design_id)
LEFT JOIN spm.territory t ON t.territory_id = s.territory_id
LEFT JOIN spm.territory_design_unit u ON u.territory_design_id = s.territory_design_id AND s.seat_key IN (u.planned_seat_key, u.seat_key)
GROUP BY d.name, s.territory_design_id, s.seat_key, t.territory_key;
COMMENT ON VIEW spm_bi.territory_design_seat IS 'One row per seat of a design: its home, and what it keeps, gains and loses by the plan.';
COMMENT ON COLUMN spm_bi.territory_design_seat.design_name IS 'Design.';
COMMENT ON COLUMN spm_bi.territory_design_seat.seat_key IS 'Seat.';
COMMENT ON COLUMN spm_bi.territory_design_seat.territory_key IS 'Territory that it is published as. NULL: none yet.';
COMMENT ON COLUMN spm_bi.territory_design_seat.is_closed IS 'Whether the seat is given up.';
COMMENT ON COLUMN spm_bi.territory_design_seat.latitude IS 'Latitude of its home in the plan, degrees.';
COMMENT ON COLUMN spm_bi.territory_design_seat.longitude IS 'Longitude of its home in the plan, degrees.';
COMMENT ON COLUMN spm_bi.territory_design_seat.is_home_given IS 'Whether the home was given, not found.';
COMMENT ON COLUMN spm_bi.territory_design_seat.unit_count IS 'Units in the plan. Additive.';
COMMENT ON COLUMN spm_bi.territory_design_seat.value IS 'Their value. Additive.';
COMMENT ON COLUMN spm_bi.territory_design_seat.gained_value IS 'Value that it takes from other seats. Additive.';
COMMENT ON COLUMN spm_bi.territory_design_seat.lost_value IS 'Value that other seats take from it. Additive.';
COMMENT ON COLUMN spm_bi.territory_design_seat.mean_distance IS 'Kilometres from the home to its units, by weight.';
COMMENT ON COLUMN spm_bi.territory_design_seat.farthest_distance IS 'Kilometres to the farthest.';

CREATE OR REPLACE VIEW spm_bi.territory_design_unit WITH (security_invoker = true) AS
SELECT d.name AS design_name, u.unit_key, u.latitude::numeric(9,6) AS latitude, u.longitude::numeric(9,6) AS longitude, u.seat_key, u.planned_seat_key,
       coalesce(u.planned_seat_key <> u.seat_key, false) AS is_moved, u.is_locked, u.weight::numeric(38,6) AS weight, u.value::numeric(38,6) AS value, u.planned_distance::numeric(38,6) AS distance,
       nullif(u.family_key, u.unit_key) AS family_key
FROM spm.territory_design d
JOIN spm.territory_design_unit u USING (territory_design_id);
COMMENT ON VIEW spm_bi.territory_design_unit IS 'One row per unit of a design, ready for a map: where it is, who has it and who gets it.';
COMMENT ON COLUMN spm_bi.territory_design_unit.design_name IS 'Design.';
COMMENT ON COLUMN spm_bi.territory_design_unit.unit_key IS 'Unit.';
COMMENT ON COLUMN spm_bi.territory_design_unit.latitude IS 'Latitude, degrees.';
COMMENT ON COLUMN spm_bi.territory_design_unit.longitude IS 'Longitude, degrees.';
COMMENT ON COLUMN spm_bi.territory_design_unit.seat_key IS 'Seat that has it now. NULL: none.';
COMMENT ON COLUMN spm_bi.territory_design_unit.planned_seat_key IS 'Seat in the plan.';
COMMENT ON COLUMN spm_bi.territory_design_unit.is_moved IS 'Whether it changes hands.';
COMMENT ON COLUMN spm_bi.territory_design_unit.is_locked IS 'Whether it must not.';
COMMENT ON COLUMN spm_bi.territory_design_unit.weight IS 'What a kilometre to it counts. Additive.';
COMMENT ON COLUMN spm_bi.territory_design_unit.value IS 'What is lost when it changes hands. Additive.';
COMMENT ON COLUMN spm_bi.territory_design_unit.distance IS 'Kilometres to the home of its seat in the plan.';
COMMENT ON COLUMN spm_bi.territory_design_unit.family_key IS 'Family. NULL: none.';

CREATE OR REPLACE VIEW spm_bi.territory_design WITH (security_invoker = true) AS
SELECT d.name AS design_name, m.name AS model_name, d.method, u.unit_count, s.seat_count, d.excess = 0 AS is_balanced,
       d.piece_count <= s.used_count AS is_contiguous, l.worst_deviation::numeric(38,6) AS worst_deviation,
       (u.distance / nullif(u.weight, 0))::numeric(38,6) AS mean_distance, u.farthest_distance::numeric(38,6) AS farthest_distance,
       u.value::numeric(38,6) AS value, u.moved_count, u.moved_value::numeric(38,6) AS moved_value,
       (u.moved_value / nullif(u.held_value, 0))::numeric(38,6) AS moved_ratio, d.disruption::numeric(38,6) AS disruption, d.move_limit::numeric(38,6) AS move_limit,
       d.cost::numeric(38,6) AS cost, d.bound::numeric(38,6) AS bound, ((d.cost - d.bound) / nullif(d.bound, 0))::numeric(38,6) AS gap, d.excess::numeric(38,9) AS excess, d.seed, d.moves, d.planned_at,
       lower(d.published_span) AS published_since, upper(d.published_span) AS published_until
FROM spm.territory_design d
LEFT JOIN spm.territory_model m USING (territory_model_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS unit_count, sum(u.weight) AS weight, sum(u.weight * u.planned_distance) AS distance,
           max(u.planned_distance) AS farthest_distance, sum(u.value) AS value, sum(u.value) FILTER (WHERE u.seat_key IS NOT NULL) AS held_value,
           count(*) FILTER (WHERE u.planned_seat_key <> u.seat_key) AS moved_count,
           coalesce(sum(u.value) FILTER (WHERE u.planned_seat_key <> u.seat_key), 0) AS moved_value
    FROM spm.territory_design_unit u WHERE u.territory_design_id = d.territory_design_id) u
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT s.is_closed) AS seat_count,
           count(*) FILTER (WHERE EXISTS (SELECT FROM spm.territory_design_unit u
                                          WHERE u.territory_design_id = s.territory_design_id AND u.planned_seat_key = s.seat_key)) AS used_count
    FROM spm.territory_design_seat s WHERE s.territory_design_id = d.territory_design_id) s
LEFT JOIN (
    SELECT l.design_name, max(abs(l.deviation)) AS worst_deviation FROM spm_bi.territory_design_load l WHERE NOT l.is_closed GROUP BY l.design_name
) l ON l.design_name = d.name AND d.planned_at IS NOT NULL;
COMMENT ON VIEW spm_bi.territory_design IS 'One row per design of territories: how good its plan is.';
COMMENT ON COLUMN spm_bi.territory_design.design_name IS 'Design.';
COMMENT ON COLUMN spm_bi.territory_design.model_name IS 'Model that it is published to. NULL: none.';
COMMENT ON COLUMN spm_bi.territory_design.method IS 'fresh or rebalance. NULL: there is no plan.';
COMMENT ON COLUMN spm_bi.territory_design.unit_count IS 'Units.';
COMMENT ON COLUMN spm_bi.territory_design.seat_count IS 'Seats that are not closed.';
COMMENT ON COLUMN spm_bi.territory_design.is_balanced IS 'Whether all loads are within their tolerances, and no more changes hands than the limit.';
COMMENT ON COLUMN spm_bi.territory_design.is_contiguous IS 'Whether each territory is in one piece. NULL: not asked.';
COMMENT ON COLUMN spm_bi.territory_design.worst_deviation IS 'Farthest load from its target, as a ratio.';
COMMENT ON COLUMN spm_bi.territory_design.mean_distance IS 'Kilometres from homes to units, by weight.';
COMMENT ON COLUMN spm_bi.territory_design.farthest_distance IS 'Kilometres to the farthest unit.';
COMMENT ON COLUMN spm_bi.territory_design.value IS 'Value of all units.';
COMMENT ON COLUMN spm_bi.territory_design.moved_count IS 'Units that change hands.';
COMMENT ON COLUMN spm_bi.territory_design.moved_value IS 'Value that changes hands.';
COMMENT ON COLUMN spm_bi.territory_design.moved_ratio IS 'That as a ratio of what seats have now. NULL: they have nothing.';
COMMENT ON COLUMN spm_bi.territory_design.disruption IS 'Kilometres that it is worth to leave a unit of value where it is.';
COMMENT ON COLUMN spm_bi.territory_design.move_limit IS 'Value that might change hands. NULL: any.';
COMMENT ON COLUMN spm_bi.territory_design.cost IS 'Weight times kilometres, and disruption times the value that changes hands.';
COMMENT ON COLUMN spm_bi.territory_design.bound IS 'No balanced plan with the same homes costs less, in one piece or not.';
COMMENT ON COLUMN spm_bi.territory_design.gap IS 'How far the cost is above the bound, as a ratio.';
COMMENT ON COLUMN spm_bi.territory_design.excess IS 'Load outside of the tolerances and value over the limit, in targets of a seat.';
COMMENT ON COLUMN spm_bi.territory_design.seed IS 'Seed.';
COMMENT ON COLUMN spm_bi.territory_design.moves IS 'Budget of moves.';
COMMENT ON COLUMN spm_bi.territory_design.planned_at IS 'When the plan was made.';
COMMENT ON COLUMN spm_bi.territory_design.published_since IS 'First day for which it was published. NULL: it was not.';
COMMENT ON COLUMN spm_bi.territory_design.published_until IS 'First day for which it was not any more. NULL: no end.';
