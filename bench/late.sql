-- What comes late: 1,000 orders of the quarter under way, and 1,000 of which a tenth belongs into the quarter before;
-- and what plain SQL needs to bring its answer up to date: the answer with its indexes, and one to find a payee's orders.
SET client_min_messages = warning;
SET search_path = bench;
SELECT to_regclass('late_order') IS NULL AS is_missing \gset
\if :is_missing
CREATE TABLE late_order AS
SELECT kind, 1000000000 + i AS txn_id,
       CASE WHEN kind = 'in order' THEN date '2025-12-31' WHEN u(i, 20) < 0.9 THEN date '2025-10-01' + (u(i, 21) * 91)::int
            ELSE date '2025-07-01' + (u(i, 21) * 91)::int END AS close_date,
       1 + least(19999, (20000 * (1 - u(i, 22) * u(i, 22)))::int) AS payee_id, 1 AS account_id, 1 AS product_id,
       round((10 * exp(7 * u(i, 23)))::numeric, 2)::numeric(14,2) AS amount, 'USD' AS currency
FROM unnest('{in order,back-dated}'::text[]) kind, generate_series(1, 1000) i;
CREATE INDEX txn_payee_date ON txn (payee_id, close_date, txn_id) INCLUDE (amount);
CREATE TABLE plan_steps AS
SELECT plan_id,
       max(lo_pct) FILTER (WHERE tier_no = 2) AS b2, max(lo_pct) FILTER (WHERE tier_no = 3) AS b3,
       max(lo_pct) FILTER (WHERE tier_no = 4) AS b4, max(lo_pct) FILTER (WHERE tier_no = 5) AS b5,
       max(rate) FILTER (WHERE tier_no = 1) AS r1,
       max(rate) FILTER (WHERE tier_no = 2) - max(rate) FILTER (WHERE tier_no = 1) AS d2,
       max(rate) FILTER (WHERE tier_no = 3) - max(rate) FILTER (WHERE tier_no = 2) AS d3,
       max(rate) FILTER (WHERE tier_no = 4) - max(rate) FILTER (WHERE tier_no = 3) AS d4,
       max(rate) FILTER (WHERE tier_no = 5) - max(rate) FILTER (WHERE tier_no = 4) AS d5
FROM tier GROUP BY plan_id;
CREATE FUNCTION earned(total numeric, quota numeric, s plan_steps) RETURNS numeric LANGUAGE sql IMMUTABLE
    RETURN round(total * s.r1 + greatest(total - s.b2 * quota, 0) * s.d2 + greatest(total - s.b3 * quota, 0) * s.d3
                 + greatest(total - s.b4 * quota, 0) * s.d4 + greatest(total - s.b5 * quota, 0) * s.d5, 2);
CREATE TABLE result AS
SELECT t.txn_id, t.payee_id, t.qtr, (earned(t.run, q.quota, s) - earned(t.run - t.amount, q.quota, s))::numeric(14,2) AS commission
FROM (SELECT txn_id, payee_id, qtr, amount, sum(amount) OVER (PARTITION BY payee_id, qtr ORDER BY close_date, txn_id ROWS UNBOUNDED PRECEDING) AS run
      FROM txn JOIN cal USING (close_date)) t
JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN plan_steps s USING (plan_id);
ALTER TABLE result ADD PRIMARY KEY (txn_id);
CREATE INDEX result_payee ON result (payee_id, qtr);
VACUUM ANALYZE txn, result, late_order, plan_steps;
\endif
