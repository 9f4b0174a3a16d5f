/*
 * territory/views_segment.sql: segments for BI tools.
 */

CREATE OR REPLACE VIEW spm_bi.segment_member WITH (security_invoker = true) AS
SELECT m.segment_member_id, s.name AS segmentation_name, m.account_key, g.name AS segment_name, g.nth::int AS segment_rank,
    m.score::numeric(24,6) AS score, m.origin = 'manual' AS is_manual, lower(m.span) AS start_day, upper(m.span) AS end_day,
    m.span @> current_date AS is_current, m.reason, m.recorded_at, m.recorded_by
FROM spm.segment_member AS m
JOIN spm.segment AS g USING (segment_id)
JOIN spm.segmentation AS s ON s.segmentation_id = m.segmentation_id;
COMMENT ON VIEW spm_bi.segment_member IS 'One row per account and stretch of days in a segment. Filter is_current, or start_day and end_day for another day.';
COMMENT ON COLUMN spm_bi.segment_member.segment_member_id IS 'Key.';
COMMENT ON COLUMN spm_bi.segment_member.segmentation_name IS 'Segmentation.';
COMMENT ON COLUMN spm_bi.segment_member.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.segment_member.segment_name IS 'Segment.';
COMMENT ON COLUMN spm_bi.segment_member.segment_rank IS 'Its place: 1 is the best.';
COMMENT ON COLUMN spm_bi.segment_member.score IS 'Score that the account came in with. NULL where it was put there by hand. Not additive.';
COMMENT ON COLUMN spm_bi.segment_member.is_manual IS 'Whether it was put there by hand.';
COMMENT ON COLUMN spm_bi.segment_member.start_day IS 'First day.';
COMMENT ON COLUMN spm_bi.segment_member.end_day IS 'First day on which it no longer is. NULL: it goes on.';
COMMENT ON COLUMN spm_bi.segment_member.is_current IS 'Whether it is there today.';
COMMENT ON COLUMN spm_bi.segment_member.reason IS 'Why, where somebody said so.';
COMMENT ON COLUMN spm_bi.segment_member.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.segment_member.recorded_by IS 'Login that recorded it.';

CREATE OR REPLACE VIEW spm_bi.segment WITH (security_invoker = true) AS
SELECT g.segment_id, s.name AS segmentation_name, g.name AS segment_name, g.nth::int AS segment_rank, r.as_of AS as_of_day,
    r.floors[g.nth]::numeric(24,6) AS lowest_score, coalesce(m.accounts, 0) AS accounts, coalesce(m.manual_accounts, 0) AS manual_accounts,
    (coalesce(m.accounts, 0)::numeric / nullif(sum(m.accounts) OVER (PARTITION BY g.segmentation_id), 0))::numeric(9,6) AS share_of_accounts
FROM spm.segment AS g
JOIN spm.segmentation AS s USING (segmentation_id)
LEFT JOIN LATERAL (
    SELECT r.as_of, r.floors FROM spm.segmentation_run AS r
    WHERE r.segmentation_id = g.segmentation_id ORDER BY r.segmentation_run_id DESC LIMIT 1
) AS r ON true
LEFT JOIN (
    SELECT m.segment_id, count(*) AS accounts, count(*) FILTER (WHERE m.origin = 'manual') AS manual_accounts
    FROM spm.segment_member AS m WHERE m.span @> current_date GROUP BY m.segment_id
) AS m ON m.segment_id = g.segment_id;
COMMENT ON VIEW spm_bi.segment IS 'One row per segment: how many accounts are in it today.';
COMMENT ON COLUMN spm_bi.segment.segment_id IS 'Key.';
COMMENT ON COLUMN spm_bi.segment.segmentation_name IS 'Segmentation.';
COMMENT ON COLUMN spm_bi.segment.segment_name IS 'Segment.';
COMMENT ON COLUMN spm_bi.segment.segment_rank IS 'Its place: 1 is the best.';
COMMENT ON COLUMN spm_bi.segment.as_of_day IS 'Day as of which accounts were divided last. NULL: never.';
COMMENT ON COLUMN spm_bi.segment.lowest_score IS 'Lowest score of the segment then. NULL: none scored for it.';
COMMENT ON COLUMN spm_bi.segment.accounts IS 'Accounts today. Additive.';
COMMENT ON COLUMN spm_bi.segment.manual_accounts IS 'Of these, put there by hand. Additive.';
COMMENT ON COLUMN spm_bi.segment.share_of_accounts IS 'Share of the accounts of the segmentation, as a ratio.';
