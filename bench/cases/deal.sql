-- title: commission per deal
-- known: commission

-- is: spm
SELECT count(*), sum(commission)
FROM spm.book_deal(
    (SELECT spm.book(payee_id, close_date, txn_id, amount, 'quarter') FROM txn),
    (SELECT spm.rate_card(payee_id, make_date(qtr / 4, 1 + 3 * (qtr % 4), 1), schedule, quota)
     FROM quota JOIN payee USING (payee_id) JOIN plan_schedule USING (plan_id)));

-- is: spm, over a query
SELECT count(*), sum(commission)
FROM spm.book_deal(
    (SELECT spm.book(payee_id, close_date, txn_id, amount, 'quarter') FROM txn WHERE amount IS NOT NULL),
    (SELECT spm.rate_card(payee_id, make_date(qtr / 4, 1 + 3 * (qtr % 4), 1), schedule, quota)
     FROM quota JOIN payee USING (payee_id) JOIN plan_schedule USING (plan_id)));

-- is: spm, each deal handed on
SELECT count(*), sum(commission)
FROM (SELECT commission
      FROM spm.book_deal(
          (SELECT spm.book(payee_id, close_date, txn_id, amount, 'quarter') FROM txn),
          (SELECT spm.rate_card(payee_id, make_date(qtr / 4, 1 + 3 * (qtr % 4), 1), schedule, quota)
           FROM quota JOIN payee USING (payee_id) JOIN plan_schedule USING (plan_id))) OFFSET 0) d;

-- is: spm, by GROUP BY
SELECT count(*), sum((d).commission)
FROM (SELECT unnest(spm.deal_commissions(t.deals, spm.for_quota(s.schedule, q.quota))) AS d
      FROM (SELECT payee_id, qtr, spm.deals(close_date, txn_id, amount) AS deals FROM txn JOIN cal USING (close_date) GROUP BY 1, 2) t
      JOIN quota q USING (payee_id, qtr) JOIN payee p USING (payee_id) JOIN plan_schedule s USING (plan_id)) x;

-- is: sql, cents in float8
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

-- is: sql, numeric
\i :pg/q_txn_commission.sql

-- is: duckdb, cents in integers
WITH pq AS MATERIALIZED (
    SELECT q.payee_id, q.qtr,
           max((lo_pct * quota * 100)::BIGINT) FILTER (tier_no = 2) AS t2, max((lo_pct * quota * 100)::BIGINT) FILTER (tier_no = 3) AS t3,
           max((lo_pct * quota * 100)::BIGINT) FILTER (tier_no = 4) AS t4, max((lo_pct * quota * 100)::BIGINT) FILTER (tier_no = 5) AS t5,
           max((rate * 10000)::BIGINT) FILTER (tier_no = 1) AS r1,
           max((rate * 10000)::BIGINT) FILTER (tier_no = 2) - max((rate * 10000)::BIGINT) FILTER (tier_no = 1) AS d2,
           max((rate * 10000)::BIGINT) FILTER (tier_no = 3) - max((rate * 10000)::BIGINT) FILTER (tier_no = 2) AS d3,
           max((rate * 10000)::BIGINT) FILTER (tier_no = 4) - max((rate * 10000)::BIGINT) FILTER (tier_no = 3) AS d4,
           max((rate * 10000)::BIGINT) FILTER (tier_no = 5) - max((rate * 10000)::BIGINT) FILTER (tier_no = 4) AS d5
    FROM quota q JOIN payee p USING (payee_id) JOIN tier t USING (plan_id) GROUP BY 1, 2),
deal AS (
    SELECT payee_id, qtr, cents,
           (sum(cents) OVER (PARTITION BY payee_id, qtr ORDER BY close_date, txn_id ROWS UNBOUNDED PRECEDING))::BIGINT AS run
    FROM (SELECT txn_id, payee_id, close_date, year(close_date) * 4 + quarter(close_date) - 1 AS qtr, (amount * 100)::BIGINT AS cents FROM txn)),
earned AS (
    SELECT run * r1 + greatest(run - t2, 0) * d2 + greatest(run - t3, 0) * d3 + greatest(run - t4, 0) * d4 + greatest(run - t5, 0) * d5 AS c1,
           (run - cents) * r1 + greatest(run - cents - t2, 0) * d2 + greatest(run - cents - t3, 0) * d3
           + greatest(run - cents - t4, 0) * d4 + greatest(run - cents - t5, 0) * d5 AS c0
    FROM deal JOIN pq USING (payee_id, qtr))
SELECT count(*), (sum(sign(c1) * ((abs(c1) + 5000) // 10000) - sign(c0) * ((abs(c0) + 5000) // 10000)) / 100.0)::DECIMAL(20,2)
FROM earned
