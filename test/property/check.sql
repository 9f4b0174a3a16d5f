/*
 * property/check.sql: what has to hold of results, and results as text that
 * outlives a rollback.
 */

-- What stands, in the words of company.sql and twin.sql.
CREATE VIEW property.standing AS
SELECT n.plan_no, v.version_no, c.component_no, d.period_no, s.position_no, y.payee_no, e.kind, t.transaction_key AS order_id,
       CASE WHEN t.credit_id IS NOT NULL THEN t.owner_key END AS owner, g.position_no AS origin_no, t.level::int, CASE WHEN t.credit_id IS NOT NULL THEN concat_ws(' ', t.kind, CASE t.kind WHEN 'overlay' THEN t.rule END) END AS way, e.base_amount AS base, e.from_total, e.amount, e.component_id, e.period_id
FROM spm.standing_earning e
JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) JOIN property.plan n ON n.name = p.name
JOIN spm.period q USING (period_id) JOIN property.period d ON d.name = q.name
JOIN spm.position o ON o.position_id = e.position_id JOIN property.position s ON s.key = o.position_key
JOIN spm.payee z ON z.payee_id = e.payee_id JOIN property.payee y ON y.key = z.payee_key
LEFT JOIN spm.standing_credit t USING (credit_id)
LEFT JOIN spm.position f ON f.position_id = t.origin_position_id LEFT JOIN property.position g ON g.key = f.position_key;

-- One line for each component, period, seat and payee: the sum, and a digest of every deal.
CREATE FUNCTION property.snapshot() RETURNS text
    LANGUAGE sql STABLE AS
$$
    SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C")
    FROM (SELECT format('plan %s v%s component %s, period %s, position %s, payee %s: %s earnings, %s, %s', plan_no, version_no, component_no, period_no, position_no, payee_no,
                        count(*), trim_scale(sum(amount)), md5(string_agg(concat_ws('|', kind, order_id, owner, origin_no, level, way, trim_scale(base), trim_scale(from_total), trim_scale(amount)), ','
                                                    ORDER BY kind, order_id COLLATE "C", owner COLLATE "C", origin_no, way COLLATE "C"))) AS line
          FROM property.standing GROUP BY plan_no, version_no, component_no, period_no, position_no, payee_no) x
$$;

-- A digest of what is posted.
CREATE TABLE property.kept (digest text);
CREATE FUNCTION property.ledger() RETURNS text
    LANGUAGE sql STABLE AS
$$
    SELECT md5(concat((SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.credit r JOIN spm.posting p USING (posting_id) WHERE p.period_id = first_id),
                      (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.earning r JOIN spm.posting p USING (posting_id) WHERE p.period_id = first_id),
                      (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.payout r JOIN spm.posting p USING (posting_id) WHERE p.period_id = first_id)))
    FROM (SELECT period_id AS first_id FROM spm.period WHERE name = '2026-01') x
$$;

-- What is wrong with results by themselves.
CREATE FUNCTION property.fault() RETURNS SETOF text
    LANGUAGE sql STABLE AS
$$
    SELECT 'does not add up: ' || r::text FROM spm.reconciliation r WHERE NOT is_reconciled
    UNION ALL
    SELECT format('component %s, period %s, position %s, payee %s: %s stands, %s was paid', component_id, period_id, position_id, payee_id, sum(stands), sum(paid))
    FROM (SELECT component_id, period_id, position_id, payee_id, amount AS stands, 0 AS paid FROM spm.standing_earning
          UNION ALL
          SELECT component_id, period_id, position_id, payee_id, 0, amount FROM spm.payout WHERE kind = 'earning') x
    GROUP BY component_id, period_id, position_id, payee_id HAVING sum(stands) <> sum(paid)
    UNION ALL
    SELECT 'a posted row has been changed' WHERE EXISTS (SELECT FROM property.kept) AND property.ledger() <> (SELECT digest FROM property.kept)
$$;

-- Rows that the last run has written or removed.
CREATE FUNCTION property.changed(what text) RETURNS text
    LANGUAGE sql STABLE AS
$$ SELECT format('%s: calculated again, %s rows changed', what, changed_count) FROM spm.run WHERE run_id = (SELECT max(run_id) FROM spm.run) AND changed_count <> 0 $$;

-- What differs from the twin: credits, totals, and every earning.
CREATE FUNCTION property.twin_fault() RETURNS SETOF text
    LANGUAGE sql STABLE AS
$$
    SELECT 'credit: ' || coalesce(got::text, 'missing') || ', twin ' || coalesce(want::text, 'has none')
    FROM (SELECT t.transaction_key AS order_id, t.owner_key AS owner, p.position_key AS position, y.payee_key AS payee, t.kind, CASE t.kind WHEN 'overlay' THEN t.rule END AS rule FROM spm.standing_credit t
          JOIN spm.position p USING (position_id) JOIN spm.payee y USING (payee_id) WHERE t.kind <> 'rollup') got
    FULL JOIN (SELECT order_id, owner, p.key AS position, y.key AS payee, c.kind, c.rule FROM property.credited c JOIN property.position p USING (position_no) JOIN property.payee y USING (payee_no) WHERE c.kind <> 'rollup') want
        ON got = want
    WHERE got IS NULL OR want IS NULL
    UNION ALL
    SELECT format('order %s of %s: %s credited, %s could not be', o.order_id, o.amount, credited, rest)
    FROM property.sales_order o
    LEFT JOIN (SELECT transaction_key AS order_id, sum(credited_amount) AS credited, sum(share) AS shares FROM spm.standing_credit WHERE kind = 'direct' GROUP BY 1) c USING (order_id)
    LEFT JOIN (SELECT transaction_key AS order_id, count(*) AS rest FROM spm.uncredited GROUP BY 1) u USING (order_id)
    WHERE rest IS NULL AND credited IS DISTINCT FROM o.amount
      -- nobody owns it, and nobody need to, where it is credited on top
      AND NOT (o.owner IS NULL AND credited IS NULL AND EXISTS (SELECT FROM spm.standing_credit t WHERE t.transaction_key = o.order_id))
    UNION ALL
    SELECT 'total: ' || coalesce(got::text, 'missing') || ', twin ' || coalesce(want::text, 'has none')
    FROM (SELECT n.plan_no, v.version_no, c.component_no, d.period_no, s.position_no, y.payee_no, m.credit_count, trim_scale(m.opening_amount) AS opening, trim_scale(m.amount) AS amount,
                 CASE WHEN k.is_of_quota THEN trim_scale(m.quota_amount) END AS quota, round(m.factor, 18) AS factor, trim_scale(m.earned_amount) AS earned
          FROM spm.standing_measurement m
          JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) JOIN property.plan n ON n.name = p.name
          JOIN property.component k ON (k.plan_no, k.version_no, k.component_no) = (n.plan_no, v.version_no, c.component_no)
          JOIN spm.period q USING (period_id) JOIN property.period d ON d.name = q.name
          JOIN spm.position o ON o.position_id = m.position_id JOIN property.position s ON s.key = o.position_key
          JOIN spm.payee z ON z.payee_id = m.payee_id JOIN property.payee y ON y.key = z.payee_key) got
    FULL JOIN (SELECT m.plan_no, m.version_no, m.component_no, m.period_no, m.position_no, m.payee_no, m.credit_count, trim_scale(m.opening) AS opening, trim_scale(m.amount) AS amount,
                      trim_scale(m.quota) AS quota, round(m.factor, 18) AS factor, trim_scale(m.earned) AS earned
               FROM property.measured m) want
        ON (got.plan_no, got.version_no, got.component_no, got.period_no, got.position_no, got.payee_no)
         = (want.plan_no, want.version_no, want.component_no, want.period_no, want.position_no, want.payee_no)
    WHERE got IS DISTINCT FROM want
    UNION ALL
    SELECT 'earning: ' || coalesce(got::text, 'missing') || ', twin ' || coalesce(want::text, 'has none')
    FROM (SELECT plan_no, version_no, component_no, period_no, position_no, payee_no, kind, order_id, owner, origin_no, level, way, trim_scale(base) AS base, trim_scale(from_total) AS from_total, trim_scale(amount) AS amount
          FROM property.standing) got
    FULL JOIN (SELECT plan_no, version_no, component_no, period_no, position_no, payee_no, kind, order_id, owner, origin_no, level, way, trim_scale(base) AS base, trim_scale(from_total) AS from_total, trim_scale(amount) AS amount
               FROM property.earned) want
        ON md5(concat_ws('|', got.plan_no, got.version_no, got.component_no, got.period_no, got.position_no, got.payee_no, got.kind, got.order_id, got.owner, got.level, got.way))
         = md5(concat_ws('|', want.plan_no, want.version_no, want.component_no, want.period_no, want.position_no, want.payee_no, want.kind, want.order_id, want.owner, want.level, want.way))
    WHERE got IS DISTINCT FROM want
$$;

-- Lines of one text that are not in another.
CREATE FUNCTION property.difference(label_a text, a text, label_b text, b text) RETURNS SETOF text
    LANGUAGE sql STABLE AS
$$
    SELECT coalesce(label_a || ' only: ' || x, label_b || ' only: ' || y)
    FROM string_to_table(a, E'\n') AS x FULL JOIN string_to_table(b, E'\n') AS y ON x = y
    WHERE x IS NULL OR y IS NULL
$$;

-- Options by which nothing was earned, so that nothing is known of them.
CREATE FUNCTION property.missing() RETURNS SETOF text
    LANGUAGE sql STABLE AS
$$
    WITH used AS (SELECT DISTINCT c.* FROM property.earned e JOIN property.component c USING (plan_no, version_no, component_no) WHERE e.amount <> 0)
    SELECT option FROM unnest('{marginal,whole,interpolated,weighted,bonus,excess,curve}'::text[]) AS option WHERE NOT EXISTS (SELECT FROM used WHERE (schedule).method = option)
    UNION ALL
    SELECT option FROM unnest('{period,half,year,deal,group,rolling 2}'::text[]) AS option WHERE NOT EXISTS (SELECT FROM used WHERE accumulate = option)
    UNION ALL
    SELECT option FROM unnest('{credit,fixed,result,rank,pool}'::text[]) AS option WHERE NOT EXISTS (SELECT FROM used WHERE basis = option)
    UNION ALL
    SELECT option FROM unnest('{gate,multiply,add,at most,at least,cap,floor}'::text[]) AS option
    WHERE NOT EXISTS (SELECT FROM used JOIN property.modifier USING (plan_no, version_no, component_no) WHERE kind = option)
    UNION ALL
    SELECT option FROM used RIGHT JOIN (VALUES ('target'), ('prorate'), ('true-up'), ('lookup'), ('credit cap'), ('rollup'), ('overlay'), ('count'), ('second version')) AS t (option) ON CASE option
        WHEN 'target' THEN pay = 'target' WHEN 'prorate' THEN prorate <> 'none' WHEN 'true-up' THEN is_true_up WHEN 'lookup' THEN is_looked_up
        WHEN 'credit cap' THEN credit_cap IS NOT NULL WHEN 'rollup' THEN credits = 'rollup' WHEN 'overlay' THEN credits = 'overlay' WHEN 'count' THEN unit = 'count' ELSE version_no = 2 END
    WHERE used.plan_no IS NULL
$$;
