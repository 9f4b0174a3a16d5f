-- title: one order, until its statement is current
-- needs: calculated
-- floor: none
\i :here/late.sql

-- is: spm, committed, refreshed, read
-- repeat: 50
-- timed
INSERT INTO txn VALUES (2000000000 + :i, '2025-12-31', 1 + (:i * 7919) % 20000, 1, 1, 1234.56, 'USD');
CALL spm.refresh();
SELECT count(*) FROM spm.statement((1 + (:i * 7919) % 20000)::text, '2025-Q4');
-- untimed
-- end
SELECT count(*), sum(base_amount) FROM spm.standing_earning e JOIN spm.standing_credit c USING (credit_id, period_id) WHERE c.transaction_key::bigint > 2000000000;
DELETE FROM txn WHERE txn_id > 2000000000;
CALL spm.refresh();
