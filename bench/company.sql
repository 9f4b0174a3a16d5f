/*
 * company.sql: a company of any size for bench/load, in schema bench, shaped like that of gen.sql:
 * two years of orders in two currencies, refunds, shares, five levels, three plans.  The same every time.
 *
 *   psql -v payees=2000 -v orders=200000 -f company.sql
 */
SET client_min_messages = warning;
SET jit = off;
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
SET search_path = bench;

CREATE FUNCTION draw(i bigint, k bigint, below int) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((hashint8extended(i, k) >> 8) & 1152921504606846975) % below;

CREATE TABLE plan (plan_id int PRIMARY KEY, name text NOT NULL);
INSERT INTO plan VALUES (1, 'farmer'), (2, 'hunter'), (3, 'overlay');
CREATE TABLE tier (plan_id int, tier_no int, lo_pct numeric(6,4), rate numeric(6,4), PRIMARY KEY (plan_id, tier_no));
INSERT INTO tier VALUES (1, 1, 0, 0.03), (1, 2, 0.7, 0.05), (1, 3, 1, 0.08), (1, 4, 1.3, 0.1),
                        (2, 1, 0, 0.04), (2, 2, 0.5, 0.06), (2, 3, 1, 0.11), (3, 1, 0, 0.01), (3, 2, 1, 0.015);

-- A chief, 4 below, 5 below each of those, then leaders of 10.
CREATE TABLE payee (payee_id text PRIMARY KEY, manager_id text, lvl int NOT NULL, plan_id int NOT NULL);
INSERT INTO payee
SELECT 'S' || lpad(i::text, 5, '0'), 'S' || lpad(m::text, 5, '0'), lvl, 1 + draw(i, 1, 10) / 6 + (draw(i, 1, 10) = 9)::int
FROM (SELECT i, CASE WHEN i = 1 THEN NULL WHEN i <= 5 THEN 1 WHEN i <= 25 THEN 2 + (i - 6) % 4 WHEN i <= 25 + :payees / 11 THEN 6 + (i - 26) % 20
                     ELSE 26 + i % greatest(:payees / 11, 1) END AS m,
             CASE WHEN i = 1 THEN 1 WHEN i <= 5 THEN 2 WHEN i <= 25 THEN 3 WHEN i <= 25 + :payees / 11 THEN 4 ELSE 5 END AS lvl
      FROM generate_series(1, :payees) i) t;

CREATE TABLE txn (
    txn_id text PRIMARY KEY, close_date date NOT NULL, payee_id text, account_id int NOT NULL, product_id int NOT NULL,
    amount numeric(14,2) NOT NULL, currency text NOT NULL);
INSERT INTO txn
SELECT 'O' || lpad(i::text, 9, '0'), date '2024-01-01' + ((i - 1) * 700 / :orders)::int,
       -- a few of partners, who are no payees
       CASE WHEN draw(i, 2, 200) = 0 THEN 'partner' ELSE 'S' || lpad((1 + :payees - 1 - (:payees - 1) * (draw(i, 2, 1000)::bigint * draw(i, 3, 1000)) / 1000000)::text, 5, '0') END,
       draw(i, 4, 5000), draw(i, 5, 200), (50 + draw(i, 6, 2000000) / 100.0) * CASE WHEN draw(i, 7, 50) = 0 THEN -1 ELSE 1 END,
       CASE WHEN draw(i, 8, 5) = 0 THEN 'EUR' ELSE 'USD' END
FROM generate_series(1::bigint, :orders) i;
CREATE INDEX txn_owner ON txn (payee_id, close_date);
CREATE INDEX txn_date ON txn (close_date);

CREATE TABLE split (txn_id text NOT NULL, payee_id text NOT NULL, share numeric(5,4) NOT NULL, PRIMARY KEY (txn_id, payee_id));
INSERT INTO split
SELECT txn_id, payee_id, 0.7 FROM txn WHERE hashtext(txn_id) % 10 = 0 AND payee_id <> 'partner'
UNION ALL
SELECT txn_id, 'S' || lpad((1 + substr(payee_id, 2)::int % :payees)::text, 5, '0'), 0.3 FROM txn WHERE hashtext(txn_id) % 10 = 0 AND payee_id <> 'partner';

CREATE TABLE exchange_rate (month date PRIMARY KEY, rate numeric NOT NULL);
INSERT INTO exchange_rate
SELECT m::date, 1.05 + draw(extract(year FROM m)::int * 12 + extract(month FROM m)::int, 9, 1000) / 10000.0
FROM generate_series(date '2024-01-01', date '2025-12-01', interval '1 month') m;

CREATE TABLE quota (payee_id text NOT NULL, qtr int NOT NULL, quota numeric(14,2) NOT NULL, PRIMARY KEY (payee_id, qtr));
INSERT INTO quota
SELECT p.payee_id, q, greatest(1000, round(coalesce(t.amount, 0) * (70 + draw(hashtext(p.payee_id || q), 10, 60)) / 100, -2))
FROM payee p CROSS JOIN generate_series(2024 * 4, 2025 * 4 + 3) q
LEFT JOIN (SELECT payee_id, sum(amount) / 8 AS amount FROM txn GROUP BY 1) t USING (payee_id);
VACUUM ANALYZE payee, txn, split, quota;
