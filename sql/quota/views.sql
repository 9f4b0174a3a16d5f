/*
 * quota/views.sql: what BI tools read of quotas, and of what makes them smaller.
 */

CREATE OR REPLACE VIEW spm_bi.quota WITH (security_invoker = true) AS
SELECT q.quota_id, q.period_id, p.name AS period_name, p.grain, lower(p.span) AS period_start, c.name AS calendar_name,
    m.name AS measure_name, m.unit, q.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    CASE WHEN q.position_id IS NOT NULL THEN 'position' WHEN q.title_id IS NOT NULL THEN 'title' ELSE 'everybody' END AS target_kind,
    q.amount::numeric(24,6) AS quota_amount, q.reason, q.recorded_at, q.recorded_by
FROM spm.quota AS q
JOIN spm.period AS p USING (period_id)
JOIN spm.calendar AS c USING (calendar_id)
JOIN spm.measure AS m USING (measure_id)
LEFT JOIN spm.position AS s USING (position_id)
LEFT JOIN spm.title AS t ON t.title_id = q.title_id
WHERE q.superseded_at IS NULL;
COMMENT ON VIEW spm_bi.quota IS 'One row per quota that counts, as it was set. What a payee''s comes to, with ramp, days and relief, is in spm_bi.attainment.';
COMMENT ON COLUMN spm_bi.quota.quota_id IS 'Quota.';
COMMENT ON COLUMN spm_bi.quota.period_id IS 'Period in which it is to be reached.';
COMMENT ON COLUMN spm_bi.quota.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.quota.grain IS 'Kind of period. Add up amounts of one kind only.';
COMMENT ON COLUMN spm_bi.quota.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.quota.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.quota.measure_name IS 'What is measured.';
COMMENT ON COLUMN spm_bi.quota.unit IS 'money or count.';
COMMENT ON COLUMN spm_bi.quota.position_id IS 'Seat that carries it. NULL: it is for a title or everybody.';
COMMENT ON COLUMN spm_bi.quota.position_key IS 'Key in the warehouse of the seat.';
COMMENT ON COLUMN spm_bi.quota.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.quota.title_name IS 'Title whose seats carry it. NULL: it is for a seat or everybody.';
COMMENT ON COLUMN spm_bi.quota.target_kind IS 'position, title or everybody: the first that a seat has counts.';
COMMENT ON COLUMN spm_bi.quota.quota_amount IS 'Quota, in the unit of the measure. Additive over positions, within a measure and grain.';
COMMENT ON COLUMN spm_bi.quota.reason IS 'Why it was set or changed.';
COMMENT ON COLUMN spm_bi.quota.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.quota.recorded_by IS 'Login that recorded it.';

CREATE OR REPLACE VIEW spm_bi.holiday WITH (security_invoker = true) AS
SELECT c.name AS calendar_name, h.day, h.name AS holiday_name
FROM spm.holiday AS h
JOIN spm.calendar AS c USING (calendar_id);
COMMENT ON VIEW spm_bi.holiday IS 'One row per day of a calendar on which nobody works, besides Saturdays and Sundays.';
COMMENT ON COLUMN spm_bi.holiday.calendar_name IS 'Calendar.';
COMMENT ON COLUMN spm_bi.holiday.day IS 'Day.';
COMMENT ON COLUMN spm_bi.holiday.holiday_name IS 'Name of the holiday.';

CREATE OR REPLACE VIEW spm_bi.ramp WITH (security_invoker = true) AS
SELECT a.ramp_assignment_id, a.payee_id, y.payee_key, y.name AS payee_name, r.name AS ramp_name,
    lower(a.span) AS start_day, upper(a.span) AS end_day, a.share_before::numeric(18,6) AS share_before, r.month_used,
    (u.nth - 1)::int AS month_index, (date_trunc('month', lower(a.span)::timestamp) + (u.nth - 1) * interval '1 month')::date AS month_start,
    u.share::numeric(18,6) AS share
FROM spm.ramp_assignment AS a
JOIN spm.ramp AS r USING (ramp_id)
JOIN spm.payee AS y USING (payee_id)
CROSS JOIN LATERAL unnest(r.shares) WITH ORDINALITY AS u (share, nth);
COMMENT ON VIEW spm_bi.ramp IS 'One row per payee with a ramp and month of it: the share of quota in that month.';
COMMENT ON COLUMN spm_bi.ramp.ramp_assignment_id IS 'Assignment of the ramp to the payee.';
COMMENT ON COLUMN spm_bi.ramp.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.ramp.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.ramp.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.ramp.ramp_name IS 'Ramp.';
COMMENT ON COLUMN spm_bi.ramp.start_day IS 'Day of the start.';
COMMENT ON COLUMN spm_bi.ramp.end_day IS 'Months that begin on this day or later are whole. NULL: as the ramp says.';
COMMENT ON COLUMN spm_bi.ramp.share_before IS 'Share of quota in the months before. Not additive.';
COMMENT ON COLUMN spm_bi.ramp.month_used IS 'For a period of several months: each, first or last.';
COMMENT ON COLUMN spm_bi.ramp.month_index IS 'Months since that of the start, which is 0.';
COMMENT ON COLUMN spm_bi.ramp.month_start IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.ramp.share IS 'Share of quota in the month: 0.5 is 50 %. Not additive.';

CREATE OR REPLACE VIEW spm_bi.absence WITH (security_invoker = true) AS
SELECT a.absence_id, a.payee_id, y.payee_key, y.name AS payee_name, k.name AS kind_name,
    lower(a.span) AS start_day, upper(a.span) AS end_day, upper(a.span) - lower(a.span) AS day_count,
    k.is_quota_relieved, k.is_target_reduced, k.min_days, a.reason, a.recorded_at, a.recorded_by
FROM spm.absence AS a
JOIN spm.absence_kind AS k USING (absence_kind_id)
JOIN spm.payee AS y USING (payee_id)
WHERE a.superseded_at IS NULL;
COMMENT ON VIEW spm_bi.absence IS 'One row per absence that was recorded and not withdrawn.';
COMMENT ON COLUMN spm_bi.absence.absence_id IS 'Absence.';
COMMENT ON COLUMN spm_bi.absence.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.absence.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.absence.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.absence.kind_name IS 'Kind of absence.';
COMMENT ON COLUMN spm_bi.absence.start_day IS 'First day away.';
COMMENT ON COLUMN spm_bi.absence.end_day IS 'First day back. NULL: not back yet.';
COMMENT ON COLUMN spm_bi.absence.day_count IS 'Calendar days. NULL: not back yet. Additive, but days on which two absences overlap count twice.';
COMMENT ON COLUMN spm_bi.absence.is_quota_relieved IS 'Whether the kind relieves quota.';
COMMENT ON COLUMN spm_bi.absence.is_target_reduced IS 'Whether the kind reduces target incentive, salary and tiers.';
COMMENT ON COLUMN spm_bi.absence.min_days IS 'Days in a row from which the kind counts.';
COMMENT ON COLUMN spm_bi.absence.reason IS 'Why it was recorded.';
COMMENT ON COLUMN spm_bi.absence.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.absence.recorded_by IS 'Login that recorded it.';

CREATE OR REPLACE VIEW spm_bi.quota_relief WITH (security_invoker = true) AS
SELECT r.quota_relief_id, r.payee_id, y.payee_key, y.name AS payee_name, m.name AS measure_name,
    r.period_id, p.name AS period_name, lower(p.span) AS period_start, r.amount::numeric(24,6) AS relief_amount,
    r.reason, r.recorded_at, r.recorded_by
FROM spm.quota_relief AS r
JOIN spm.payee AS y USING (payee_id)
JOIN spm.measure AS m USING (measure_id)
JOIN spm.period AS p USING (period_id)
WHERE r.superseded_at IS NULL;
COMMENT ON VIEW spm_bi.quota_relief IS 'One row per payee, measure, period and reason: what is taken off the quota.';
COMMENT ON COLUMN spm_bi.quota_relief.quota_relief_id IS 'Relief.';
COMMENT ON COLUMN spm_bi.quota_relief.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.quota_relief.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.quota_relief.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.quota_relief.measure_name IS 'What is measured.';
COMMENT ON COLUMN spm_bi.quota_relief.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.quota_relief.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.quota_relief.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.quota_relief.relief_amount IS 'Amount taken off, in the unit of the measure. Additive within a measure.';
COMMENT ON COLUMN spm_bi.quota_relief.reason IS 'What it is for.';
COMMENT ON COLUMN spm_bi.quota_relief.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.quota_relief.recorded_by IS 'Login that recorded it.';
