/*
 * territory/views.sql: territories, who holds them, and what belongs to them.
 */

-- Each territory for itself, by index: who asks for one order does not look at them all.
CREATE OR REPLACE VIEW spm.territory_held WITH (security_invoker = true) AS
SELECT t.territory_model_id, t.type, t.territory_id, h.position_id, a.payee_id, y.payee_key, h.share, h.span * t.span * a.span AS span
FROM spm.territory t
JOIN spm.territory_holder h ON h.territory_id = t.territory_id AND h.role = 'owner' AND h.span && t.span
JOIN spm.position_assignment a ON a.position_id = h.position_id AND a.span && h.span * t.span
JOIN spm.payee y USING (payee_id)
UNION ALL
SELECT t.territory_model_id, t.type, t.territory_id, NULL, NULL, NULL, NULL, u.span
FROM spm.territory t
CROSS JOIN LATERAL (
    SELECT range_agg(h.span * t.span) AS owned,
           range_agg(datemultirange(h.span * t.span)
               - coalesce((SELECT range_agg(a.span) FROM spm.position_assignment a WHERE a.position_id = h.position_id), '{}')) AS empty
    FROM spm.territory_holder h
    WHERE h.territory_id = t.territory_id AND h.role = 'owner' AND h.span && t.span) o
CROSS JOIN LATERAL unnest(datemultirange(t.span) - coalesce(o.owned, '{}') + coalesce(o.empty, '{}')) u(span);
COMMENT ON VIEW spm.territory_held IS 'Who is credited for a territory, and when: one row per owner and payee in the seat, and one without for the days on which a territory has no owner, or one whose seat is empty.';
COMMENT ON COLUMN spm.territory_held.territory_model_id IS 'Model.';
COMMENT ON COLUMN spm.territory_held.type IS 'primary, overlay or specialist.';
COMMENT ON COLUMN spm.territory_held.territory_id IS 'Territory.';
COMMENT ON COLUMN spm.territory_held.position_id IS 'Seat that owns it. NULL: vacant.';
COMMENT ON COLUMN spm.territory_held.payee_id IS 'Payee in the seat. NULL: vacant.';
COMMENT ON COLUMN spm.territory_held.payee_key IS 'Key of the payee in the warehouse. NULL: vacant.';
COMMENT ON COLUMN spm.territory_held.share IS 'Share of the credit, as a ratio. NULL: vacant.';
COMMENT ON COLUMN spm.territory_held.span IS 'Days; end exclusive.';

CREATE OR REPLACE VIEW spm_bi.territory WITH (security_invoker = true) AS
WITH RECURSIVE tree AS (
    SELECT t.territory_id, 1 AS level, t.territory_key AS path FROM spm.territory t WHERE t.parent_territory_id IS NULL
    UNION ALL
    SELECT t.territory_id, u.level + 1, u.path || ' / ' || t.territory_key FROM tree u JOIN spm.territory t ON t.parent_territory_id = u.territory_id
)
SELECT m.name AS model_name, m.state AS model_state, t.territory_id, t.territory_key, t.name AS territory_name, t.type,
       p.territory_key AS parent_territory_key, u.level, u.path, lower(t.span) AS since, upper(t.span) AS until, t.span @> current_date AS is_current,
       (SELECT count(*) FROM spm.territory_rule r WHERE r.territory_id = t.territory_id AND r.span @> current_date) AS rule_count
FROM tree u
JOIN spm.territory t USING (territory_id)
JOIN spm.territory_model m USING (territory_model_id)
LEFT JOIN spm.territory p ON p.territory_id = t.parent_territory_id;
COMMENT ON VIEW spm_bi.territory IS 'One row per territory of any model, with its place in the tree.';
COMMENT ON COLUMN spm_bi.territory.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.territory.model_state IS 'plan, active or archived.';
COMMENT ON COLUMN spm_bi.territory.territory_id IS 'Key.';
COMMENT ON COLUMN spm_bi.territory.territory_key IS 'Short name, unique in the model.';
COMMENT ON COLUMN spm_bi.territory.territory_name IS 'Name.';
COMMENT ON COLUMN spm_bi.territory.type IS 'primary, overlay or specialist.';
COMMENT ON COLUMN spm_bi.territory.parent_territory_key IS 'Territory above it. NULL at the top.';
COMMENT ON COLUMN spm_bi.territory.level IS 'Level in the tree; 1 at the top.';
COMMENT ON COLUMN spm_bi.territory.path IS 'Keys from the top down to it.';
COMMENT ON COLUMN spm_bi.territory.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.territory.until IS 'First day on which it no longer exists. NULL: no end.';
COMMENT ON COLUMN spm_bi.territory.is_current IS 'Whether it exists today.';
COMMENT ON COLUMN spm_bi.territory.rule_count IS 'Rules that assign to it today. Additive.';

CREATE OR REPLACE VIEW spm_bi.territory_holder WITH (security_invoker = true) AS
SELECT m.name AS model_name, t.territory_key, t.name AS territory_name, t.type, s.position_key, s.name AS position_name, h.role, h.share::numeric(9,6) AS share,
       y.payee_key, y.name AS payee_name, lower(d.span) AS since, upper(d.span) AS until,
       m.state = 'active' AND d.span * t.span @> current_date AS is_current, y.payee_id IS NULL AS is_vacant
FROM spm.territory_holder h
JOIN spm.territory t USING (territory_id)
JOIN spm.territory_model m USING (territory_model_id)
JOIN spm.position s USING (position_id)
CROSS JOIN LATERAL (
    SELECT a.payee_id, a.span * h.span AS span FROM spm.position_assignment a WHERE a.position_id = h.position_id AND a.span && h.span
    UNION ALL
    SELECT NULL, u.span FROM unnest(datemultirange(h.span) - coalesce(
        (SELECT range_agg(a.span) FROM spm.position_assignment a WHERE a.position_id = h.position_id), '{}')) u(span)) d
LEFT JOIN spm.payee y ON y.payee_id = d.payee_id;
COMMENT ON VIEW spm_bi.territory_holder IS 'One row per holder of a territory and payee in the seat, and one for every time in which the seat is empty.';
COMMENT ON COLUMN spm_bi.territory_holder.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.territory_holder.territory_key IS 'Territory.';
COMMENT ON COLUMN spm_bi.territory_holder.territory_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.territory_holder.type IS 'primary, overlay or specialist.';
COMMENT ON COLUMN spm_bi.territory_holder.position_key IS 'Seat.';
COMMENT ON COLUMN spm_bi.territory_holder.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.territory_holder.role IS 'owner, support ... Only owners are credited.';
COMMENT ON COLUMN spm_bi.territory_holder.share IS 'Share of the credit, as a ratio.';
COMMENT ON COLUMN spm_bi.territory_holder.payee_key IS 'Payee in the seat. NULL: it is empty.';
COMMENT ON COLUMN spm_bi.territory_holder.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.territory_holder.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.territory_holder.until IS 'First day on which it no longer holds. NULL: no end.';
COMMENT ON COLUMN spm_bi.territory_holder.is_current IS 'Whether it holds today, in an active model.';
COMMENT ON COLUMN spm_bi.territory_holder.is_vacant IS 'Whether the seat is empty then.';

CREATE OR REPLACE VIEW spm_bi.territory_assignment WITH (security_invoker = true) AS
SELECT m.name AS model_name, a.account_key, a.type, t.territory_key, t.name AS territory_name, lower(a.span) AS since, upper(a.span) AS until,
       m.state = 'active' AND a.span * t.span @> current_date AS is_current, a.origin, a.territory_rule_id, a.is_locked, a.reason, a.recorded_at, a.recorded_by
FROM spm.territory_assignment a
JOIN spm.territory t USING (territory_id)
JOIN spm.territory_model m ON m.territory_model_id = a.territory_model_id;
COMMENT ON VIEW spm_bi.territory_assignment IS 'One row per account, type and time: which territory it belonged to.';
COMMENT ON COLUMN spm_bi.territory_assignment.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.territory_assignment.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.territory_assignment.type IS 'primary, overlay or specialist.';
COMMENT ON COLUMN spm_bi.territory_assignment.territory_key IS 'Territory.';
COMMENT ON COLUMN spm_bi.territory_assignment.territory_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.territory_assignment.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.territory_assignment.until IS 'First day on which it no longer holds. NULL: no end.';
COMMENT ON COLUMN spm_bi.territory_assignment.is_current IS 'Whether it holds today, in an active model.';
COMMENT ON COLUMN spm_bi.territory_assignment.origin IS 'rule, family (it follows the head of its family), manual or design.';
COMMENT ON COLUMN spm_bi.territory_assignment.territory_rule_id IS 'Rule that won. NULL: none did.';
COMMENT ON COLUMN spm_bi.territory_assignment.is_locked IS 'Whether rules and designs leave it alone.';
COMMENT ON COLUMN spm_bi.territory_assignment.reason IS 'Why, where somebody said so.';
COMMENT ON COLUMN spm_bi.territory_assignment.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.territory_assignment.recorded_by IS 'Login that recorded it.';

CREATE OR REPLACE VIEW spm_bi.territory_coverage WITH (security_invoker = true) AS
SELECT m.name AS model_name, t.territory_key, t.name AS territory_name, t.type, p.territory_key AS parent_territory_key,
       c.account_count, c.potential::numeric(24,6) AS potential, c.total_account_count, c.total_potential::numeric(24,6) AS total_potential,
       c.owner_count, c.payee_count, c.is_vacant, c.load_ratio::numeric(24,6) AS load_ratio
FROM spm.territory_model m
CROSS JOIN LATERAL spm.territory_coverage(m.name, current_date) c
JOIN spm.territory t USING (territory_id)
LEFT JOIN spm.territory p ON p.territory_id = t.parent_territory_id
WHERE m.state = 'active' AND m.relation_name IS NOT NULL;
COMMENT ON VIEW spm_bi.territory_coverage IS 'One row per territory of active models: its accounts, potential and holders today; of another day or model: spm.territory_coverage().';
COMMENT ON COLUMN spm_bi.territory_coverage.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.territory_coverage.territory_key IS 'Territory.';
COMMENT ON COLUMN spm_bi.territory_coverage.territory_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.territory_coverage.type IS 'primary, overlay or specialist.';
COMMENT ON COLUMN spm_bi.territory_coverage.parent_territory_key IS 'Territory above it.';
COMMENT ON COLUMN spm_bi.territory_coverage.account_count IS 'Accounts. Additive within a type.';
COMMENT ON COLUMN spm_bi.territory_coverage.potential IS 'Potential of the accounts. Additive within a type.';
COMMENT ON COLUMN spm_bi.territory_coverage.total_account_count IS 'Accounts, with those of all territories below. Not additive.';
COMMENT ON COLUMN spm_bi.territory_coverage.total_potential IS 'Potential, with that of all territories below. Not additive.';
COMMENT ON COLUMN spm_bi.territory_coverage.owner_count IS 'Seats that own it. Additive.';
COMMENT ON COLUMN spm_bi.territory_coverage.payee_count IS 'Payees who sit there.';
COMMENT ON COLUMN spm_bi.territory_coverage.is_vacant IS 'Whether nobody does.';
COMMENT ON COLUMN spm_bi.territory_coverage.load_ratio IS 'Potential by the average of the territories of the type that have accounts; 1 is average. Not additive.';

CREATE OR REPLACE VIEW spm_bi.territory_map WITH (security_invoker = true) AS
SELECT m.name AS model_name, a.account_key, a.type, CASE WHEN a.latitude BETWEEN -90 AND 90 THEN a.latitude END::numeric(9,6) AS latitude,
       CASE WHEN a.longitude BETWEEN -180 AND 180 THEN a.longitude END::numeric(9,6) AS longitude,
       a.potential::numeric(24,6) AS potential, t.territory_key, t.name AS territory_name, h.holder_names, t.territory_id IS NOT NULL AS is_assigned, a.is_locked
FROM spm.territory_model m
CROSS JOIN LATERAL spm.territory_account(m.name, current_date) a
LEFT JOIN spm.territory t USING (territory_id)
LEFT JOIN (SELECT d.territory_id, string_agg(DISTINCT y.name, ', ' ORDER BY y.name) AS holder_names
           FROM spm.territory_held d JOIN spm.payee y USING (payee_id) WHERE d.span @> current_date GROUP BY 1) h USING (territory_id)
WHERE m.state = 'active' AND m.relation_name IS NOT NULL
  AND EXISTS (SELECT FROM spm.territory w WHERE w.territory_model_id = m.territory_model_id AND w.span @> current_date);
COMMENT ON VIEW spm_bi.territory_map IS 'One row per account and type of active models that have territories today, ready to be put on a map; where territory_key is NULL nobody works it.';
COMMENT ON COLUMN spm_bi.territory_map.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.territory_map.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.territory_map.type IS 'primary, overlay or specialist.';
COMMENT ON COLUMN spm_bi.territory_map.latitude IS 'Degrees. NULL: not known, or not between -90 and 90.';
COMMENT ON COLUMN spm_bi.territory_map.longitude IS 'Degrees. NULL: not known, or not between -180 and 180.';
COMMENT ON COLUMN spm_bi.territory_map.potential IS 'Potential. Additive within a type.';
COMMENT ON COLUMN spm_bi.territory_map.territory_key IS 'Territory. NULL: none.';
COMMENT ON COLUMN spm_bi.territory_map.territory_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.territory_map.holder_names IS 'Payees who own the territory today. NULL: nobody.';
COMMENT ON COLUMN spm_bi.territory_map.is_assigned IS 'Whether it has a territory.';
COMMENT ON COLUMN spm_bi.territory_map.is_locked IS 'Whether rules and designs leave it alone.';

CREATE OR REPLACE VIEW spm_bi.unassigned_account WITH (security_invoker = true) AS
SELECT m.name AS model_name, a.account_key, a.type, a.potential::numeric(24,6) AS potential, a.latitude::numeric(9,6) AS latitude, a.longitude::numeric(9,6) AS longitude
FROM spm.territory_model m
CROSS JOIN LATERAL spm.territory_account(m.name, current_date) a
WHERE m.state = 'active' AND m.relation_name IS NOT NULL
  AND EXISTS (SELECT FROM spm.territory w WHERE w.territory_model_id = m.territory_model_id AND w.span @> current_date) AND a.territory_id IS NULL;
COMMENT ON VIEW spm_bi.unassigned_account IS 'One row per account of active models that have territories today and type of which it has no territory today.';
COMMENT ON COLUMN spm_bi.unassigned_account.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.unassigned_account.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.unassigned_account.type IS 'Type that it has no territory of.';
COMMENT ON COLUMN spm_bi.unassigned_account.potential IS 'Potential. Additive within a type.';
COMMENT ON COLUMN spm_bi.unassigned_account.latitude IS 'Degrees. NULL: not known.';
COMMENT ON COLUMN spm_bi.unassigned_account.longitude IS 'Degrees. NULL: not known.';

CREATE OR REPLACE VIEW spm_bi.territory_defect WITH (security_invoker = true) AS
SELECT m.name AS model_name, d.kind, d.key, d.payee_key, y.name AS payee_name, d.territory_key, d.event_date, d.amount::numeric(24,6) AS amount, d.detail, d.repair, d.accept
FROM spm.territory_model m
CROSS JOIN LATERAL spm.territory_defect(m.name) d
LEFT JOIN spm.payee y USING (payee_key)
WHERE m.state = 'active';
COMMENT ON VIEW spm_bi.territory_defect IS 'One row per contradiction between people, orders and territories of active models, with the SQL that ends it; of some days only: spm.territory_defect().';
COMMENT ON COLUMN spm_bi.territory_defect.model_name IS 'Model.';
COMMENT ON COLUMN spm_bi.territory_defect.kind IS 'holder: a payee holds other territories than another relation says; no territory: a payee with orders held none on their days; outside: an order lies in a territory that its owner did not hold; other owner: the account of an order belongs to another payee.';
COMMENT ON COLUMN spm_bi.territory_defect.key IS 'Key of the contradiction: source and key of the order, or the payee.';
COMMENT ON COLUMN spm_bi.territory_defect.payee_key IS 'Payee whom it is about.';
COMMENT ON COLUMN spm_bi.territory_defect.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.territory_defect.territory_key IS 'Territory that is named.';
COMMENT ON COLUMN spm_bi.territory_defect.event_date IS 'Day of the order, or of the first.';
COMMENT ON COLUMN spm_bi.territory_defect.amount IS 'Amount of the order, or of all of them, in the currency of the transaction. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.territory_defect.detail IS 'What contradicts what.';
COMMENT ON COLUMN spm_bi.territory_defect.repair IS 'SQL that repairs it.';
COMMENT ON COLUMN spm_bi.territory_defect.accept IS 'SQL that accepts it.';
