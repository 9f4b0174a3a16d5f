-- What came out.
\pset footer off

\echo '\nTwelve windows, in USD:'
SELECT a.period_name AS window, a.credited, p.commission, p.accelerator, p.bonus, p.override, p.paid, r.reconciled
FROM (SELECT period_name, sum(credited_amount)::numeric(20,2) AS credited
      FROM spm_bi.attainment WHERE plan_name = 'AdventureWorks sales' AND component_name = 'Commission' GROUP BY period_name) a
JOIN (SELECT paid_period_name AS period_name,
             sum(paid_amount) FILTER (WHERE component_name = 'Commission')::numeric(20,2) AS commission,
             sum(paid_amount) FILTER (WHERE component_name = 'Accelerator')::numeric(20,2) AS accelerator,
             sum(paid_amount) FILTER (WHERE component_name = 'Bonus')::numeric(20,2) AS bonus,
             sum(paid_amount) FILTER (WHERE component_name = 'Override')::numeric(20,2) AS override,
             sum(paid_amount)::numeric(20,2) AS paid
      FROM spm_bi.payout WHERE plan_name LIKE 'AdventureWorks %' GROUP BY paid_period_name) p USING (period_name)
JOIN (SELECT paid_period_name AS period_name, count(*) FILTER (WHERE is_reconciled) || ' of ' || count(*) AS reconciled
      FROM spm_bi.reconciliation GROUP BY paid_period_name) r USING (period_name)
ORDER BY a.period_name;

\pset tuples_only on
\pset format unaligned
\echo 'A rep who went past quota:\n'
SELECT spm.statement('283', '2013-11-30', 'adventureworks');
\echo '\nA manager who also sells:\n'
SELECT spm.statement('287', '2013-11-30', 'adventureworks');
\pset tuples_only off
\pset format aligned

\echo '\nHow the last deal of that rep came to be paid (spm.explain):'
SELECT x.step, x.item, round(x.base_amount, 2) AS base, x.rate, x.amount, x.because
FROM spm.explain('283', '2013-11-30', (
    SELECT transaction_key FROM spm_bi.earning
    WHERE payee_key = '283' AND period_name = '2013-11-30' ORDER BY event_date DESC, transaction_key DESC LIMIT 1), 'adventureworks') x;

\echo 'Closest to quota, or beyond it, over all windows:'
SELECT payee_name AS name, sum(credited_amount)::numeric(20,2) AS credited, sum(quota_amount)::numeric(20,2) AS quota,
       100 * spm.attainment(sum(credited_amount), sum(quota_amount), 4) AS "attained %",
       count(*) FILTER (WHERE attainment_ratio >= 1) || ' of ' || count(*) AS "windows reached"
FROM spm_bi.attainment
WHERE plan_name = 'AdventureWorks sales' AND component_name = 'Accelerator'
GROUP BY payee_name ORDER BY 4 DESC LIMIT 5;

\echo 'The last window as reps abroad see it:'
SELECT o.payee_name AS name, sum(o.paid_amount)::numeric(20,2) AS usd, c.currency_code AS currency,
       spm.rounded(sum(o.paid_amount) * spm.exchange_rate_on('USD', c.currency_code, '2014-05-31', 'window_end'), 2) AS in_it
FROM spm_bi.payout o
JOIN (VALUES ('278', 'CAD'), ('282', 'CAD'), ('286', 'AUD'), ('288', 'EUR'), ('289', 'GBP'), ('290', 'EUR')) c(payee_key, currency_code)
    USING (payee_key)
WHERE o.paid_period_name = '2014-03-01' AND o.plan_name = 'AdventureWorks sales'
GROUP BY o.payee_name, c.currency_code ORDER BY 1;

\echo 'All of it: credited to owners, paid, and whether every level adds up:'
SELECT (SELECT sum(credited_amount)::numeric(20,4) FROM spm_bi.credit WHERE source = 'adventureworks' AND credit_kind = 'direct') AS credited,
       (SELECT sum(paid_amount)::numeric(20,2) FROM spm_bi.payout WHERE plan_name LIKE 'AdventureWorks%') AS paid,
       (SELECT bool_and(is_reconciled) FROM spm_bi.reconciliation) AS "adds up";
\pset footer on
