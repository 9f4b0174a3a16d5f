/*
 * quota/views_plan.sql: what BI tools read of quota plans.
 */

CREATE OR REPLACE VIEW spm_bi.quota_plan WITH (security_invoker = true) AS
SELECT q.quota_plan_id, q.name AS plan_name, v.version, v.state, v.state = 'published' AS is_published,
    v.state IN ('draft', 'proposed', 'approved') AS is_open, m.name AS measure_name, m.unit AS measure_unit, p.name AS period_name, q.grain,
    v.total::numeric(24,6) AS total_amount, n.top_amount::numeric(24,6) AS allocated_amount, n.bottom_amount::numeric(24,6) AS assigned_amount,
    n.seat_count, n.locked_count, v.method, v.as_of, v.reason, v.recorded_at, v.recorded_by, v.proposed_at, v.proposed_by,
    v.approved_at, v.approved_by, v.published_at, v.published_by
FROM spm.quota_plan AS q
JOIN spm.quota_plan_version AS v USING (quota_plan_id)
JOIN spm.measure AS m USING (measure_id)
JOIN spm.period AS p USING (period_id)
LEFT JOIN LATERAL (
    SELECT sum(o.amount) FILTER (WHERE o.parent_position_id IS NULL) AS top_amount,
        sum(o.amount) FILTER (WHERE NOT EXISTS (SELECT FROM spm.quota_plan_node AS c
            WHERE c.quota_plan_version_id = o.quota_plan_version_id AND c.parent_position_id = o.position_id)) AS bottom_amount,
        count(*) AS seat_count, count(o.locked_amount) AS locked_count
    FROM spm.quota_plan_node AS o WHERE o.quota_plan_version_id = v.quota_plan_version_id) AS n ON true;
COMMENT ON VIEW spm_bi.quota_plan IS 'One row per version of a quota plan: where it stands, who did what, what it divides.';
COMMENT ON COLUMN spm_bi.quota_plan.quota_plan_id IS 'Plan.';
COMMENT ON COLUMN spm_bi.quota_plan.plan_name IS 'Name of the plan.';
COMMENT ON COLUMN spm_bi.quota_plan.version IS 'Version, from 1.';
COMMENT ON COLUMN spm_bi.quota_plan.state IS 'draft, proposed, approved, published, replaced or withdrawn.';
COMMENT ON COLUMN spm_bi.quota_plan.is_published IS 'Whether it is the one that quotas come from.';
COMMENT ON COLUMN spm_bi.quota_plan.is_open IS 'Whether it is the one that is worked on.';
COMMENT ON COLUMN spm_bi.quota_plan.measure_name IS 'What is measured.';
COMMENT ON COLUMN spm_bi.quota_plan.measure_unit IS 'money or count.';
COMMENT ON COLUMN spm_bi.quota_plan.period_name IS 'Period that is planned.';
COMMENT ON COLUMN spm_bi.quota_plan.grain IS 'Kind of the periods it is published for. NULL: the period itself.';
COMMENT ON COLUMN spm_bi.quota_plan.total_amount IS 'What is divided, in the unit of the measure.';
COMMENT ON COLUMN spm_bi.quota_plan.allocated_amount IS 'What the seats at the top have: the total, once it is allocated.';
COMMENT ON COLUMN spm_bi.quota_plan.assigned_amount IS 'What the seats at the bottom have: more by what is over-assigned.';
COMMENT ON COLUMN spm_bi.quota_plan.seat_count IS 'Seats. Additive over plans, not over versions.';
COMMENT ON COLUMN spm_bi.quota_plan.locked_count IS 'Seats whose amount was given by hand.';
COMMENT ON COLUMN spm_bi.quota_plan.method IS 'share or reconcile.';
COMMENT ON COLUMN spm_bi.quota_plan.as_of IS 'Day whose reporting tree it has.';
COMMENT ON COLUMN spm_bi.quota_plan.reason IS 'Why there is this version, or what was said last.';
COMMENT ON COLUMN spm_bi.quota_plan.recorded_at IS 'When it was made.';
COMMENT ON COLUMN spm_bi.quota_plan.recorded_by IS 'Login that made it.';
COMMENT ON COLUMN spm_bi.quota_plan.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN spm_bi.quota_plan.proposed_by IS 'Login that proposed it.';
COMMENT ON COLUMN spm_bi.quota_plan.approved_at IS 'When it was approved.';
COMMENT ON COLUMN spm_bi.quota_plan.approved_by IS 'Login that approved it.';
COMMENT ON COLUMN spm_bi.quota_plan.published_at IS 'When it was published.';
COMMENT ON COLUMN spm_bi.quota_plan.published_by IS 'Login that published it.';

CREATE OR REPLACE VIEW spm_bi.quota_plan_tree WITH (security_invoker = true) AS
SELECT q.quota_plan_id, q.name AS plan_name, v.version, v.state, n.level::int AS level, n.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    p.position_key AS parent_position_key, n.amount::numeric(24,6) AS quota_amount, (n.amount / nullif(v.total, 0))::numeric(18,9) AS total_share,
    c.below_count, c.below_amount::numeric(24,6) AS below_amount, coalesce(l.over_assignment, 0)::numeric(18,6) AS over_assignment,
    (n.amount - round(c.below_amount / (1 + coalesce(l.over_assignment, 0)) / v.unit) * v.unit)::numeric(24,6) AS difference_amount,
    n.at_least::numeric(24,6) AS least_amount, n.at_most::numeric(24,6) AS most_amount, n.locked_amount IS NOT NULL AS is_locked, n.bottom_up::numeric(24,6) AS requested_amount, n.reason
FROM spm.quota_plan AS q
JOIN spm.quota_plan_version AS v USING (quota_plan_id)
JOIN spm.quota_plan_node AS n USING (quota_plan_version_id)
JOIN spm.position AS s USING (position_id)
LEFT JOIN spm.title AS t USING (title_id)
LEFT JOIN spm.position AS p ON p.position_id = n.parent_position_id
LEFT JOIN spm.quota_plan_level AS l ON l.quota_plan_version_id = n.quota_plan_version_id AND l.level = n.level
LEFT JOIN (SELECT o.quota_plan_version_id, o.parent_position_id, count(*) AS below_count, sum(o.amount) AS below_amount
           FROM spm.quota_plan_node AS o GROUP BY 1, 2) AS c ON c.quota_plan_version_id = n.quota_plan_version_id AND c.parent_position_id = n.position_id;
COMMENT ON VIEW spm_bi.quota_plan_tree IS 'One row per seat of a version of a quota plan: what it has, and what those below it have.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.quota_plan_id IS 'Plan.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.plan_name IS 'Name of the plan.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.version IS 'Version, from 1.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.state IS 'draft, proposed, approved, published, replaced or withdrawn.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.level IS '1 at the top.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.position_key IS 'Key in the warehouse of the seat.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.title_name IS 'Title of the seat.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.parent_position_key IS 'Key of the seat above it. NULL at the top.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.quota_amount IS 'Quota, in the unit of the measure. Additive within a level of a version.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.total_share IS 'As a share of the total. Not additive over levels.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.below_count IS 'Seats directly below it. NULL: none.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.below_amount IS 'What they have together.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.over_assignment IS 'How much more than it has it assigns, as a ratio. Not additive.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.difference_amount IS 'Quota less what those below make it: 0 once the plan is allocated. NULL: nobody is below.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.least_amount IS 'The least it is to have. NULL: 0.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.most_amount IS 'The most it is to have. NULL: no limit.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.is_locked IS 'Whether its amount was given by hand.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.requested_amount IS 'What was asked for, bottom up. NULL: nothing was.';
COMMENT ON COLUMN spm_bi.quota_plan_tree.reason IS 'Why it was bound, locked or asked for.';

CREATE OR REPLACE VIEW spm_bi.quota_plan_change WITH (security_invoker = true) AS
SELECT c.quota_plan_change_id, q.name AS plan_name, v.version, s.position_key, c.what, c.old_value, c.new_value, c.reason, c.recorded_at, c.recorded_by
FROM spm.quota_plan_change AS c
JOIN spm.quota_plan_version AS v USING (quota_plan_version_id)
JOIN spm.quota_plan AS q USING (quota_plan_id)
LEFT JOIN spm.position AS s USING (position_id);
COMMENT ON VIEW spm_bi.quota_plan_change IS 'One row per override, bound, request or step of a quota plan, as it was recorded.';
COMMENT ON COLUMN spm_bi.quota_plan_change.quota_plan_change_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm_bi.quota_plan_change.plan_name IS 'Name of the plan.';
COMMENT ON COLUMN spm_bi.quota_plan_change.version IS 'Version, from 1.';
COMMENT ON COLUMN spm_bi.quota_plan_change.position_key IS 'Key of the seat. NULL: the version as a whole.';
COMMENT ON COLUMN spm_bi.quota_plan_change.what IS 'What was changed.';
COMMENT ON COLUMN spm_bi.quota_plan_change.old_value IS 'Before.';
COMMENT ON COLUMN spm_bi.quota_plan_change.new_value IS 'After.';
COMMENT ON COLUMN spm_bi.quota_plan_change.reason IS 'Why.';
COMMENT ON COLUMN spm_bi.quota_plan_change.recorded_at IS 'When.';
COMMENT ON COLUMN spm_bi.quota_plan_change.recorded_by IS 'Login that did it.';

CREATE OR REPLACE VIEW spm_bi.quota_fairness WITH (security_invoker = true) AS
SELECT q.quota_plan_id, q.name AS plan_name, v.version, v.state, i.name AS input_name, f.seat_count, f.quota_amount::numeric(24,6) AS quota_amount,
    f.input_amount::numeric(24,6) AS input_amount, f.ratio::numeric(24,6) AS ratio, f.least_ratio::numeric(24,6) AS least_ratio, f.most_ratio::numeric(24,6) AS most_ratio,
    f.correlation::numeric(18,6) AS correlation, f.ratio_correlation::numeric(18,6) AS ratio_correlation, f.ratio_slope::numeric(18,6) AS ratio_slope, f.gini::numeric(18,6) AS gini,
    f.below_80_share::numeric(18,6) AS below_80_share, f.from_80_to_120_share::numeric(18,6) AS from_80_to_120_share,
    f.above_120_share::numeric(18,6) AS above_120_share, f.reaching_share::numeric(18,6) AS reaching_share
FROM spm.quota_plan AS q
JOIN spm.quota_plan_version AS v USING (quota_plan_id)
JOIN (SELECT DISTINCT n.quota_plan_version_id, n.name FROM spm.quota_plan_input AS n) AS i USING (quota_plan_version_id)
CROSS JOIN LATERAL spm._quota_fairness(v.quota_plan_version_id, i.name, 0.25) AS f
WHERE v.state IN ('draft', 'proposed', 'approved', 'published');
COMMENT ON VIEW spm_bi.quota_fairness IS 'One row per version of a quota plan that is open or published, and input: how fair its quotas are by that; see spm.quota_fairness(), with sales that vary by 25 %.';
COMMENT ON COLUMN spm_bi.quota_fairness.quota_plan_id IS 'Plan.';
COMMENT ON COLUMN spm_bi.quota_fairness.plan_name IS 'Name of the plan.';
COMMENT ON COLUMN spm_bi.quota_fairness.version IS 'Version, from 1.';
COMMENT ON COLUMN spm_bi.quota_fairness.state IS 'draft, proposed, approved or published.';
COMMENT ON COLUMN spm_bi.quota_fairness.input_name IS 'Input that quotas are judged by: potential, capacity, history ...';
COMMENT ON COLUMN spm_bi.quota_fairness.seat_count IS 'Seats at the bottom that have some of it.';
COMMENT ON COLUMN spm_bi.quota_fairness.quota_amount IS 'Their quotas.';
COMMENT ON COLUMN spm_bi.quota_fairness.input_amount IS 'Their input.';
COMMENT ON COLUMN spm_bi.quota_fairness.ratio IS 'Quota by input, all together. Not additive.';
COMMENT ON COLUMN spm_bi.quota_fairness.least_ratio IS 'The smallest of a seat.';
COMMENT ON COLUMN spm_bi.quota_fairness.most_ratio IS 'The largest of a seat.';
COMMENT ON COLUMN spm_bi.quota_fairness.correlation IS 'Correlation of quota and input: 1 at best.';
COMMENT ON COLUMN spm_bi.quota_fairness.ratio_correlation IS 'Correlation of the ratio with the input: 0 at best.';
COMMENT ON COLUMN spm_bi.quota_fairness.ratio_slope IS 'By which share of the mean ratio that of a seat is higher when its input is higher by one average: 0 at best.';
COMMENT ON COLUMN spm_bi.quota_fairness.gini IS 'Gini coefficient of the ratios: 0 where all are equal.';
COMMENT ON COLUMN spm_bi.quota_fairness.below_80_share IS 'Share of outcomes below 80 % of quota, if sales followed the input.';
COMMENT ON COLUMN spm_bi.quota_fairness.from_80_to_120_share IS 'Share from 80 to 120 %.';
COMMENT ON COLUMN spm_bi.quota_fairness.above_120_share IS 'Share above 120 %.';
COMMENT ON COLUMN spm_bi.quota_fairness.reaching_share IS 'Share that reaches 100 %.';
