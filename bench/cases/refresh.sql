-- title: 1,000 late orders, in order
-- needs: calculated
-- floor: none
\i :here/late.sql

-- is: spm
-- untimed
BEGIN;
-- timed
INSERT INTO txn SELECT txn_id, close_date, payee_id, account_id, product_id, amount, currency FROM late_order WHERE kind = 'in order';
CALL spm.refresh();
-- untimed
SELECT count(*), sum(e.amount) FROM spm.standing_earning e JOIN spm.period p USING (period_id) WHERE p.name IN ('2025-Q3', '2025-Q4');
ROLLBACK;

-- is: spm, everything from nothing
-- untimed
BEGIN;
INSERT INTO txn SELECT txn_id, close_date, payee_id, account_id, product_id, amount, currency FROM late_order WHERE kind = 'in order';
SET LOCAL session_replication_role = replica;
TRUNCATE spm.credit, spm.earning;
DELETE FROM spm.payout;
DELETE FROM spm.measurement;
DELETE FROM spm.period_watermark;
SET LOCAL session_replication_role = origin;
-- steps: 8
-- untimed
SELECT p.name AS quarter FROM spm.period p WHERE p.grain = 'quarter' ORDER BY p.span LIMIT 1 OFFSET :i - 1 \gset
-- timed
CALL spm.calculate(:'quarter');
-- end
-- untimed
SELECT count(*), sum(e.amount) FROM spm.standing_earning e JOIN spm.period p USING (period_id) WHERE p.name IN ('2025-Q3', '2025-Q4');
ROLLBACK;

-- is: sql, what they touch
-- untimed
BEGIN;
-- timed
INSERT INTO txn SELECT txn_id, close_date, payee_id, account_id, product_id, amount, currency FROM late_order WHERE kind = 'in order';
WITH touched AS MATERIALIZED (
    SELECT DISTINCT payee_id, qtr, make_date(qtr / 4, 1 + 3 * (qtr % 4), 1) AS since, (make_date(qtr / 4, 1 + 3 * (qtr % 4), 1) + interval '3 months')::date AS until
    FROM late_order JOIN cal USING (close_date) WHERE kind = 'in order')
INSERT INTO result
SELECT t.txn_id, t.payee_id, t.qtr, earned(t.run, q.quota, s) - earned(t.run - t.amount, q.quota, s)
FROM (SELECT x.txn_id, a.payee_id, a.qtr, x.amount, sum(x.amount) OVER (PARTITION BY a.payee_id, a.qtr ORDER BY x.close_date, x.txn_id ROWS UNBOUNDED PRECEDING) AS run
      FROM touched a CROSS JOIN LATERAL (
          SELECT txn_id, close_date, amount FROM txn t WHERE t.payee_id = a.payee_id AND t.close_date >= a.since AND t.close_date < a.until) x) t
JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN plan_steps s USING (plan_id)
ON CONFLICT (txn_id) DO UPDATE SET commission = excluded.commission WHERE result.commission IS DISTINCT FROM excluded.commission;
-- untimed
SELECT count(*), sum(commission) FROM result WHERE qtr IN (8102, 8103);
ROLLBACK;
