/*
 * quota/views_capacity.sql: capacity plans for BI tools.
 */

CREATE OR REPLACE VIEW spm_bi.capacity WITH (security_invoker = true) AS
SELECT p.name AS plan_name, c.role_name, c.month, c.heads::numeric(18,4) AS heads, c.productive_heads::numeric(18,4) AS productive_heads,
    c.needed_heads::numeric(18,4) AS needed_heads, (c.needed_heads - c.productive_heads)::numeric(18,4) AS missing_heads,
    c.capacity::numeric(24,2) AS capacity_amount, c.deviation::numeric(24,2) AS deviation_amount, c.target::numeric(24,2) AS target_amount,
    c.coverage::numeric(18,6) AS coverage, c.chance::numeric(9,6) AS chance, p.service_level::numeric(9,6) AS service_level,
    c.chance >= p.service_level AS is_reached, c.cost::numeric(24,2) AS cost_amount
FROM spm.capacity_plan AS p
CROSS JOIN LATERAL spm.capacity_by_month(p.name) AS c;
COMMENT ON VIEW spm_bi.capacity IS 'One row per capacity plan, role and month: what those bring who are there or planned.';
COMMENT ON COLUMN spm_bi.capacity.plan_name IS 'Capacity plan.';
COMMENT ON COLUMN spm_bi.capacity.role_name IS 'Role.';
COMMENT ON COLUMN spm_bi.capacity.month IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.capacity.heads IS 'Expected heads. Additive over roles.';
COMMENT ON COLUMN spm_bi.capacity.productive_heads IS 'The same in heads that have learned. Additive over roles.';
COMMENT ON COLUMN spm_bi.capacity.needed_heads IS 'Heads that have learned which the target takes. NULL: no target is set. Additive over roles.';
COMMENT ON COLUMN spm_bi.capacity.missing_heads IS 'How many are missing; less than 0: too many. Additive over roles.';
COMMENT ON COLUMN spm_bi.capacity.capacity_amount IS 'What they bring, expected. Additive.';
COMMENT ON COLUMN spm_bi.capacity.deviation_amount IS 'Its standard deviation. Not additive.';
COMMENT ON COLUMN spm_bi.capacity.target_amount IS 'What they are to bring. Additive.';
COMMENT ON COLUMN spm_bi.capacity.coverage IS 'Capacity over target, as a ratio. Not additive.';
COMMENT ON COLUMN spm_bi.capacity.chance IS 'Chance that the target is reached, as a ratio. Not additive.';
COMMENT ON COLUMN spm_bi.capacity.service_level IS 'Chance that it shall have.';
COMMENT ON COLUMN spm_bi.capacity.is_reached IS 'Whether it has it.';
COMMENT ON COLUMN spm_bi.capacity.cost_amount IS 'Cost of the expected heads. Additive.';

CREATE OR REPLACE VIEW spm_bi.hiring_plan WITH (security_invoker = true) AS
SELECT p.name AS plan_name, h.role_name, h.start_month, h.decide_month, h.hires, h.chance::numeric(9,6) AS chance, h.is_reached
FROM spm.capacity_plan AS p
CROSS JOIN LATERAL spm.hiring_plan(p.name) AS h;
COMMENT ON VIEW spm_bi.hiring_plan IS 'One row per capacity plan, role and month: how many more must start for its service level.';
COMMENT ON COLUMN spm_bi.hiring_plan.plan_name IS 'Capacity plan.';
COMMENT ON COLUMN spm_bi.hiring_plan.role_name IS 'Role.';
COMMENT ON COLUMN spm_bi.hiring_plan.start_month IS 'First day of the month in which they start.';
COMMENT ON COLUMN spm_bi.hiring_plan.decide_month IS 'First day of the month by which it must be decided.';
COMMENT ON COLUMN spm_bi.hiring_plan.hires IS 'How many start, besides those who are planned. Additive.';
COMMENT ON COLUMN spm_bi.hiring_plan.chance IS 'Chance that the target of the month is reached with all of them, as a ratio.';
COMMENT ON COLUMN spm_bi.hiring_plan.is_reached IS 'Whether that is as likely as the plan says.';

CREATE OR REPLACE VIEW spm_bi.capacity_workload WITH (security_invoker = true) AS
SELECT p.name AS plan_name, r.name AS role_name, w.name AS workload_name, s.name AS segmentation_name, g.name AS segment_name, a.accounts::numeric(18,4) AS accounts,
    (a.accounts * w.visits)::numeric(18,4) AS visits, (a.accounts * w.visits * (w.hours + w.other_hours))::numeric(18,4) AS hours,
    spm.workload_fte(a.accounts, w.visits, w.hours + w.other_hours, r.hours, r.shrinkage)::numeric(18,4) AS needed_heads
FROM spm.capacity_workload AS w
JOIN spm.capacity_role AS r USING (capacity_role_id)
JOIN spm.capacity_plan AS p USING (capacity_plan_id)
LEFT JOIN spm.segment AS g USING (segment_id)
LEFT JOIN spm.segmentation AS s USING (segmentation_id)
CROSS JOIN LATERAL (
    SELECT coalesce(w.accounts, (SELECT count(*) FROM spm.segment_member AS m WHERE m.segment_id = w.segment_id AND m.span @> p.first_month)) AS accounts
) AS a;
COMMENT ON VIEW spm_bi.capacity_workload IS 'One row per workload of a capacity plan: how many people it takes in a month.';
COMMENT ON COLUMN spm_bi.capacity_workload.plan_name IS 'Capacity plan.';
COMMENT ON COLUMN spm_bi.capacity_workload.role_name IS 'Role that does it.';
COMMENT ON COLUMN spm_bi.capacity_workload.workload_name IS 'Workload.';
COMMENT ON COLUMN spm_bi.capacity_workload.segmentation_name IS 'Segmentation whose accounts are counted. NULL: their number is given.';
COMMENT ON COLUMN spm_bi.capacity_workload.segment_name IS 'Segment whose accounts are counted. NULL: their number is given.';
COMMENT ON COLUMN spm_bi.capacity_workload.accounts IS 'Accounts, on the first day of the plan. Additive.';
COMMENT ON COLUMN spm_bi.capacity_workload.visits IS 'Visits in a month. Additive.';
COMMENT ON COLUMN spm_bi.capacity_workload.hours IS 'Hours in a month, with preparation and travel. Additive.';
COMMENT ON COLUMN spm_bi.capacity_workload.needed_heads IS 'People that takes: hours over those that one has left. Additive.';
