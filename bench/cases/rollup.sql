-- title: totals of five levels, by manager and quarter

-- is: spm
SELECT count(*), sum(total)
FROM spm.book_period(spm.rolled_up(
    (SELECT spm.book(payee_id, close_date, amount, 'quarter') FROM txn),
    (SELECT spm.payee_tree(payee_id, manager_id) FROM payee)));

-- is: sql, closure over totals
\i :pg/q_rollup.sql

-- is: sql, closure over deals
\i :pg/q_rollup_naive.sql

-- is: duckdb
WITH RECURSIVE closure(above, payee_id) AS (
    SELECT payee_id, payee_id FROM payee
    UNION ALL SELECT p.manager_id, c.payee_id FROM closure c JOIN payee p ON p.payee_id = c.above WHERE p.manager_id IS NOT NULL),
total AS MATERIALIZED (SELECT payee_id, year(close_date) * 4 + quarter(close_date) - 1 AS qtr, sum(amount)::DECIMAL(18,2) AS total FROM txn GROUP BY 1, 2)
SELECT count(*), sum(total) FROM (SELECT above, qtr, sum(total) AS total FROM closure JOIN total USING (payee_id) GROUP BY 1, 2)
