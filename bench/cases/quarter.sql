-- title: commission per payee and quarter
-- known: commission

-- is: spm
SELECT count(*), sum(commission)
FROM spm.book_period(
    (SELECT spm.book(payee_id, close_date, amount, 'quarter') FROM txn),
    (SELECT spm.rate_card(payee_id, make_date(qtr / 4, 1 + 3 * (qtr % 4), 1), schedule, quota)
     FROM quota JOIN payee USING (payee_id) JOIN plan_schedule USING (plan_id)));

-- is: spm, over a query
SELECT count(*), sum(commission)
FROM spm.book_period(
    (SELECT spm.book(payee_id, close_date, amount, 'quarter') FROM txn WHERE amount IS NOT NULL),
    (SELECT spm.rate_card(payee_id, make_date(qtr / 4, 1 + 3 * (qtr % 4), 1), schedule, quota)
     FROM quota JOIN payee USING (payee_id) JOIN plan_schedule USING (plan_id)));

-- is: spm, by GROUP BY
SELECT count(*), sum(commission)
FROM (SELECT spm.commission(spm.for_quota(s.schedule, q.quota), t.total) AS commission
      FROM (SELECT payee_id, qtr, sum(amount) AS total FROM txn JOIN cal USING (close_date) GROUP BY 1, 2) t
      JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN plan_schedule s USING (plan_id)) x;

-- is: sql, tiers joined
\i :pg/q_agg_commission.sql

-- is: sql, tiers by LATERAL
\i :pg/q_agg_commission_lateral.sql

-- is: sql, tiers as columns
WITH pt AS MATERIALIZED (
    SELECT plan_id,
           max(lo_pct) FILTER (WHERE tier_no = 2) AS b2, max(lo_pct) FILTER (WHERE tier_no = 3) AS b3,
           max(lo_pct) FILTER (WHERE tier_no = 4) AS b4, max(lo_pct) FILTER (WHERE tier_no = 5) AS b5,
           max(rate) FILTER (WHERE tier_no = 1) AS r1,
           max(rate) FILTER (WHERE tier_no = 2) - max(rate) FILTER (WHERE tier_no = 1) AS d2,
           max(rate) FILTER (WHERE tier_no = 3) - max(rate) FILTER (WHERE tier_no = 2) AS d3,
           max(rate) FILTER (WHERE tier_no = 4) - max(rate) FILTER (WHERE tier_no = 3) AS d4,
           max(rate) FILTER (WHERE tier_no = 5) - max(rate) FILTER (WHERE tier_no = 4) AS d5
    FROM tier GROUP BY plan_id)
SELECT count(*), sum(commission)
FROM (SELECT round(total * r1 + greatest(total - b2 * quota, 0) * d2 + greatest(total - b3 * quota, 0) * d3
                   + greatest(total - b4 * quota, 0) * d4 + greatest(total - b5 * quota, 0) * d5, 2) AS commission
      FROM (SELECT payee_id, qtr, sum(amount) AS total FROM txn JOIN cal USING (close_date) GROUP BY 1, 2) t
      JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN pt USING (plan_id)) x;

-- is: duckdb
WITH pt AS MATERIALIZED (
    SELECT plan_id,
           max(lo_pct) FILTER (tier_no = 2) AS b2, max(lo_pct) FILTER (tier_no = 3) AS b3,
           max(lo_pct) FILTER (tier_no = 4) AS b4, max(lo_pct) FILTER (tier_no = 5) AS b5,
           max(rate) FILTER (tier_no = 1) AS r1,
           max(rate) FILTER (tier_no = 2) - max(rate) FILTER (tier_no = 1) AS d2, max(rate) FILTER (tier_no = 3) - max(rate) FILTER (tier_no = 2) AS d3,
           max(rate) FILTER (tier_no = 4) - max(rate) FILTER (tier_no = 3) AS d4, max(rate) FILTER (tier_no = 5) - max(rate) FILTER (tier_no = 4) AS d5
    FROM tier GROUP BY plan_id)
SELECT count(*), sum(commission)
FROM (SELECT round((total * r1 + greatest(total - b2 * quota, 0) * d2 + greatest(total - b3 * quota, 0) * d3
                    + greatest(total - b4 * quota, 0) * d4 + greatest(total - b5 * quota, 0) * d5)::DECIMAL(38,10), 2) AS commission
      FROM (SELECT payee_id, year(close_date) * 4 + quarter(close_date) - 1 AS qtr, sum(amount)::DECIMAL(18,2) AS total FROM txn GROUP BY 1, 2)
      JOIN quota USING (payee_id, qtr) JOIN payee USING (payee_id) JOIN pt USING (plan_id))
