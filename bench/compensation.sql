/*
 * compensation.sql: the queries that bench/compensation measures.
 *
 * What comes before the first case is set-up.  Each case returns a count and a
 * sum, so that answers can be compared; 'sql' is the fastest plain SQL found
 * that gives the same cents.
 */
CREATE TABLE IF NOT EXISTS cal AS
SELECT d::date AS close_date, (extract(year FROM d) * 4 + extract(quarter FROM d) - 1)::int AS qtr
FROM generate_series(date '2024-01-01', date '2025-12-31', interval '1 day') AS d;
CREATE TABLE IF NOT EXISTS plan_schedule AS
SELECT plan_id, spm.rate_schedule(array_agg(lo_pct ORDER BY tier_no), array_agg(rate ORDER BY tier_no), 'of quota') AS schedule
FROM tier GROUP BY plan_id;
VACUUM ANALYZE cal;
VACUUM ANALYZE plan_schedule;

-- case: count
SELECT count(*), 0 FROM txn;

-- case: quarter spm
SELECT count(*), sum(commission)
FROM (SELECT spm.commission(spm.for_quota(s.schedule, q.quota), t.total) AS commission
      FROM (SELECT payee_id, qtr, sum(amount) AS total FROM txn JOIN cal USING (close_date) GROUP BY 1, 2) t
      JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN plan_schedule s USING (plan_id)) x;

-- case: quarter sql
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

-- case: deal spm
SELECT count(*), sum((d).commission)
FROM (SELECT unnest(spm.deal_commissions(t.deals, spm.for_quota(s.schedule, q.quota))) AS d
      FROM (SELECT payee_id, qtr, spm.deals(close_date, txn_id, amount) AS deals FROM txn JOIN cal USING (close_date) GROUP BY 1, 2) t
      JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN plan_schedule s USING (plan_id)) x;

-- case: deal sql
-- Cents in float8 are exact below 2^53, and native; thresholds are joined once per payee and quarter.
WITH pq AS MATERIALIZED (
    SELECT q.payee_id, q.qtr,
           max((lo_pct * quota * 100)::float8) FILTER (WHERE tier_no = 2) AS t2, max((lo_pct * quota * 100)::float8) FILTER (WHERE tier_no = 3) AS t3,
           max((lo_pct * quota * 100)::float8) FILTER (WHERE tier_no = 4) AS t4, max((lo_pct * quota * 100)::float8) FILTER (WHERE tier_no = 5) AS t5,
           max((rate * 10000)::float8) FILTER (WHERE tier_no = 1) AS r1,
           max((rate * 10000)::float8) FILTER (WHERE tier_no = 2) - max((rate * 10000)::float8) FILTER (WHERE tier_no = 1) AS d2,
           max((rate * 10000)::float8) FILTER (WHERE tier_no = 3) - max((rate * 10000)::float8) FILTER (WHERE tier_no = 2) AS d3,
           max((rate * 10000)::float8) FILTER (WHERE tier_no = 4) - max((rate * 10000)::float8) FILTER (WHERE tier_no = 3) AS d4,
           max((rate * 10000)::float8) FILTER (WHERE tier_no = 5) - max((rate * 10000)::float8) FILTER (WHERE tier_no = 4) AS d5
    FROM quota q JOIN payee p USING (payee_id) JOIN tier t USING (plan_id) GROUP BY 1, 2)
SELECT count(*), (sum(commission) / 100)::numeric(20, 2)
FROM (SELECT sign(c1) * floor(abs(c1) / 10000 + 0.5) - sign(c0) * floor(abs(c0) / 10000 + 0.5) AS commission
      FROM (SELECT run * r1 + greatest(run - t2, 0) * d2 + greatest(run - t3, 0) * d3 + greatest(run - t4, 0) * d4 + greatest(run - t5, 0) * d5 AS c1,
                   (run - cents) * r1 + greatest(run - cents - t2, 0) * d2 + greatest(run - cents - t3, 0) * d3
                   + greatest(run - cents - t4, 0) * d4 + greatest(run - cents - t5, 0) * d5 AS c0
            FROM (SELECT payee_id, qtr, cents, sum(cents) OVER (PARTITION BY payee_id, qtr ORDER BY close_date, txn_id ROWS UNBOUNDED PRECEDING) AS run
                  FROM (SELECT txn_id, payee_id, qtr, close_date, (amount * 100)::bigint::float8 AS cents FROM txn JOIN cal USING (close_date) OFFSET 0) z) t
            JOIN pq USING (payee_id, qtr) OFFSET 0) y) x;
