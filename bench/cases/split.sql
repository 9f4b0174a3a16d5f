-- title: totals with splits, by payee and quarter

-- is: spm
SELECT count(*), sum(total)
FROM spm.book_period((
    SELECT spm.book(payee_id, close_date, txn_id, amount, 'quarter', (SELECT spm.splits(txn_id, payee_id, share) FROM split)) FROM txn));

-- is: sql
\i :pg/q_split.sql

-- is: duckdb
SELECT count(*), sum(total)
FROM (SELECT coalesce(s.payee_id, t.payee_id) AS payee_id, year(close_date) * 4 + quarter(close_date) - 1 AS qtr, sum(amount * coalesce(s.share, 1)) AS total
      FROM txn t LEFT JOIN split s USING (txn_id) GROUP BY 1, 2)
