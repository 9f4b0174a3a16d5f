-- A batch of orders comes in: most of these days, a tenth of before, some of them refunds; and one order that came is put right.
\set n random(1, 8)
\set days random(0, 60)
\set late random(1, 10)
\set who random(1, :payees)
BEGIN;
INSERT INTO bench.txn (txn_id, close_date, payee_id, account_id, product_id, amount, currency)
SELECT 'I' || lpad(nextval('bench.import_no')::text, 9, '0'), date '2025-12-31' - :days - CASE :late WHEN 1 THEN 150 ELSE 0 END,
       'S' || lpad((1 + (:who + i * 37) % :payees)::text, 5, '0'), :who, :n, (100 + :who * i % 9999) * CASE WHEN i = 7 THEN -1 ELSE 1 END,
       CASE WHEN i = 3 THEN 'EUR' ELSE 'USD' END
FROM generate_series(1, :n) i;
UPDATE bench.txn SET amount = amount + 0.01 * :n WHERE txn_id = 'I' || lpad((:who * 7)::text, 9, '0');
COMMIT;
