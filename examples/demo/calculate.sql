-- The quarters in their order: calculated, looked at, posted.  Then something comes late.
\pset tuples_only on
\pset format unaligned
\set last_run 'SELECT format(''   run %s, %s: %s transactions, %s not credited; %s credits; %s earnings of %s payees; %s rows changed; %s s'', r.run_id, p.name, r.transaction_count, r.uncredited_count, r.credit_count, r.earning_count, r.payee_count, r.changed_count, round(extract(epoch FROM r.finished_at - r.started_at), 1)) FROM spm.run r JOIN spm.period p USING (period_id) WHERE r.kind = ''calculate'' ORDER BY r.run_id DESC LIMIT 1'
\set last_post 'SELECT format(''   posted: %s %s for %s payees'', sum(o.amount), o.currency_code, count(DISTINCT o.payee_id)) FROM spm.payout o WHERE o.posting_id = (SELECT max(posting_id) FROM spm.posting) GROUP BY o.currency_code'

\echo '=> CALL spm.calculate(\'2025-Q1\');'
CALL spm.calculate('2025-Q1');
:last_run;
\echo '=> SELECT spm.statement(\'S071\', \'2025-Q1\');'
\echo
SELECT spm.statement('S071', '2025-Q1');
\echo
:clock \gset
\echo 'From CREATE EXTENSION to the first statement:' :elapsed
\echo

\echo '=> CALL spm.post(\'2025-Q1\');'
CALL spm.post('2025-Q1');
:last_post;
\echo '=> CALL spm.calculate(\'2025-Q2\'); CALL spm.post(\'2025-Q2\');        -- and so on'
CALL spm.calculate('2025-Q2');
:last_run;
CALL spm.post('2025-Q2');
:last_post;
CALL spm.calculate('2025-Q3');
:last_run;
CALL spm.post('2025-Q3');
:last_post;
CALL spm.calculate('2025-Q4');
:last_run;
CALL spm.post('2025-Q4');
:last_post;

\echo
\echo 'An order of December arrives in January: its quarter is posted, and what is posted never changes.'
\echo '=> INSERT INTO demo.sales_order ... \'O999999\', dated 2025-12-30 ...;'
INSERT INTO demo.sales_order (order_id, type, ordered_on, seller_id, account_id, product_id, quantity, list_amount, amount, cost, currency)
VALUES ('O999999', 'order', '2025-12-30', 'S071', 'A0071', 'P12', 3, 46410.00, 44089.50, 10674.00, 'USD');
\echo '=> CALL spm.calculate(\'2026-Q1\');       -- the open quarter pays the difference'
CALL spm.calculate('2026-Q1');
:last_run;
\echo '=> CALL spm.calculate(\'2026-Q1\');       -- again: nothing has changed'
CALL spm.calculate('2026-Q1');
:last_run;
\pset tuples_only off
\pset format aligned
