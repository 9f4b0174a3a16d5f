-- What it came to.
\echo
\echo '=> SELECT spm.statement(\'S071\', \'2026-Q1\');'
\echo
\pset tuples_only on
\pset format unaligned
SELECT spm.statement('S071', '2026-Q1');
\pset tuples_only off
\pset format aligned
\echo
\echo '=> SELECT * FROM spm.explain(\'S071\', \'2026-Q1\', \'O999999\');      -- every cent back to its order'
SELECT step, item, base_amount, rate, amount, because FROM spm.explain('S071', '2026-Q1', 'O999999');

\echo 'Whom the late order pays: the seller, and everybody above (spm_bi.payout)'
SELECT payee_key, payee_name, plan_name, component_name, paid_amount, currency_code
FROM spm_bi.payout
WHERE paid_period_name = '2026-Q1' AND is_difference
ORDER BY plan_name, paid_amount DESC, payee_key, component_name;

\echo 'Leaderboard of 2026-Q1 (spm_bi.attainment)'
SELECT rank() OVER (ORDER BY attainment_ratio DESC) AS "rank", payee_key, payee_name,
       credited_amount::numeric(14,2) AS credited, quota_amount::numeric(14,2) AS quota,
       round(100 * attainment_ratio, 2) AS percent, earned_amount::numeric(14,2) AS earned
FROM spm_bi.attainment
WHERE period_name = '2026-Q1' AND plan_name = 'Account Executive' AND component_name = 'Commission'
ORDER BY attainment_ratio DESC, payee_key
LIMIT 10;

\echo 'Orders that pay nobody, and why (spm_bi.uncredited)'
SELECT reason, count(*) AS orders, min(transaction_key) AS for_example
FROM spm_bi.uncredited
GROUP BY reason
ORDER BY orders DESC;

\echo 'Totals, deals, tier slices and payouts agree, line by line (spm_bi.reconciliation)'
SELECT paid_period_name AS paid_in, count(*) AS lines, count(*) FILTER (WHERE is_reconciled) AS reconciled,
       sum(measured_amount)::numeric(14,2) AS totals, sum(earned_amount)::numeric(14,2) AS deals,
       sum(sliced_amount)::numeric(14,2) AS slices, sum(paid_amount)::numeric(14,2) AS paid
FROM spm_bi.reconciliation
GROUP BY paid_period_name
ORDER BY paid_period_name;

\echo 'Runs (spm.run)'
SELECT r.run_id AS run, p.name AS period, r.kind, r.transaction_count AS transactions, r.credit_count AS credits,
       r.earning_count AS earnings, r.changed_count AS changed, r.late_period_count AS late,
       round(extract(epoch FROM r.finished_at - r.started_at), 1) AS seconds
FROM spm.run r JOIN spm.period p USING (period_id)
ORDER BY r.run_id;

\echo 'Where to look next'
\echo '  SELECT spm.statement(\'S020\', \'2025-Q3\');                a manager; the seat was vacant in Q4'
\echo '  SELECT * FROM spm.explain(\'S071\', \'2025-Q4\');           every step of a quarter''s pay'
\echo '  SELECT spm.plan_query(\'Account Executive\', \'2026-Q1\');  the very SQL that pays it'
\echo '  SELECT * FROM spm_bi.lineage WHERE transaction_key = \'O999999\';'
\echo '  SELECT * FROM spm_bi.payout WHERE is_difference;'
\echo '  CALL spm.post(\'2026-Q1\'); CALL spm.calculate(\'2026-Q2\');'
\echo '  \\dv spm_bi.*'
\echo
:clock \gset
\echo 'All of it:' :elapsed
