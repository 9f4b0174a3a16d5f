/*
 * compensation/views_acceptance.sql: the versions of plans, what
 * they say, and who has accepted them.
 */

CREATE OR REPLACE VIEW spm_bi.plan_acceptance WITH (security_invoker = true) AS
SELECT p.name AS plan_name, v.version_no, lower(v.span) AS since, upper(v.span) AS until, y.payee_id, y.payee_key, y.name AS payee_name,
       a.plan_acceptance_id IS NOT NULL AS is_accepted, a.accepted_at, a.accepted_by, a.document_hash
FROM spm.plan p
JOIN spm.plan_version v USING (plan_id)
CROSS JOIN LATERAL (SELECT DISTINCT s.payee_id FROM spm.plan_seat(v.plan_id, v.span) s) s
JOIN spm.payee y USING (payee_id)
LEFT JOIN spm.plan_acceptance a USING (plan_version_id, payee_id)
WHERE v.state <> 'draft';
COMMENT ON VIEW spm_bi.plan_acceptance IS 'One row per published version of a plan, payee on it, and acceptance; one row without acceptance for who has not accepted it.';
COMMENT ON COLUMN spm_bi.plan_acceptance.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.plan_acceptance.version_no IS 'Version.';
COMMENT ON COLUMN spm_bi.plan_acceptance.since IS 'First day of the version.';
COMMENT ON COLUMN spm_bi.plan_acceptance.until IS 'Day after its last. NULL: for good.';
COMMENT ON COLUMN spm_bi.plan_acceptance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.plan_acceptance.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.plan_acceptance.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.plan_acceptance.is_accepted IS 'Whether the payee has accepted the version.';
COMMENT ON COLUMN spm_bi.plan_acceptance.accepted_at IS 'When.';
COMMENT ON COLUMN spm_bi.plan_acceptance.accepted_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm_bi.plan_acceptance.document_hash IS 'SHA-256 of the document that was accepted.';

CREATE OR REPLACE VIEW spm_bi.plan_version WITH (security_invoker = true) AS
SELECT p.name AS plan_name, v.version_no, v.state, lower(v.span) AS since, upper(v.span) AS until, k.name AS calendar_name, p.currency_code,
       (SELECT count(*) FROM spm.component c WHERE c.plan_version_id = v.plan_version_id) AS component_count,
       (SELECT count(*) FROM spm.pay_rule r WHERE r.plan_version_id = v.plan_version_id) AS pay_rule_count,
       v.published_at, v.published_by, v.content_hash
FROM spm.plan p
JOIN spm.plan_version v USING (plan_id)
JOIN spm.calendar k USING (calendar_id);
COMMENT ON VIEW spm_bi.plan_version IS 'One row per version of a plan. spm.plan_document() tells what it says, spm.plan_diff() what it changes.';
COMMENT ON COLUMN spm_bi.plan_version.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.plan_version.version_no IS 'Version.';
COMMENT ON COLUMN spm_bi.plan_version.state IS 'draft, published or retired. A retired version still prices the days of its span.';
COMMENT ON COLUMN spm_bi.plan_version.since IS 'First day.';
COMMENT ON COLUMN spm_bi.plan_version.until IS 'Day after the last. NULL: for good.';
COMMENT ON COLUMN spm_bi.plan_version.calendar_name IS 'Calendar whose periods it is calculated for.';
COMMENT ON COLUMN spm_bi.plan_version.currency_code IS 'Currency it measures and pays in.';
COMMENT ON COLUMN spm_bi.plan_version.component_count IS 'Number of components.';
COMMENT ON COLUMN spm_bi.plan_version.pay_rule_count IS 'Number of pay rules.';
COMMENT ON COLUMN spm_bi.plan_version.published_at IS 'When it was published.';
COMMENT ON COLUMN spm_bi.plan_version.published_by IS 'Login that published it.';
COMMENT ON COLUMN spm_bi.plan_version.content_hash IS 'SHA-256 of all that it says, taken at publishing; equal wherever the same is said.';
