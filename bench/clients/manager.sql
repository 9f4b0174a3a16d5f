-- A manager looks at the team: how far everybody is, and what comes of it.
\set who random(6, :leaders)
SELECT a.payee_name, a.component_name, a.credit_count, a.credited_amount, a.quota_amount, a.attainment_ratio, a.earned_amount
FROM spm_bi.attainment a JOIN spm_bi.hierarchy h USING (position_id)
WHERE h.ancestor_position_key = 'S' || lpad(:who::text, 5, '0') AND h.is_current AND a.period_name = '2025-Q4'
ORDER BY a.attainment_ratio DESC NULLS LAST, a.payee_name;
SELECT p.payee_name, sum(p.paid_amount) AS paid
FROM spm_bi.payout p JOIN spm_bi.payee y USING (payee_id)
WHERE y.manager_payee_key = 'S' || lpad(:who::text, 5, '0') AND p.paid_period_name = '2025-Q4'
GROUP BY p.payee_name ORDER BY paid DESC;
