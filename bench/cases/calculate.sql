-- title: calculate one quarter of eight
-- needs: system
-- The known answer is that of all quarters; here the rows written must be those that are copied.

-- is: spm
-- untimed
BEGIN;
-- timed
CALL spm.calculate('2024-Q1');
-- untimed
SELECT (SELECT count(*) FROM spm.credit) + (SELECT count(*) FROM spm.measurement) + (SELECT count(*) FROM spm.earning) + (SELECT count(*) FROM spm.payout),
       (SELECT sum(amount) FROM spm.earning);
ROLLBACK;

-- is: sql, INSERT of the same rows
-- Into tables like those the rows were found in, with all their indexes.
-- untimed
BEGIN;
CALL spm.calculate('2024-Q1');
SELECT (SELECT tableoid::regclass FROM spm.credit LIMIT 1) AS credit, (SELECT tableoid::regclass FROM spm.earning LIMIT 1) AS earning \gset
CREATE TABLE credit (LIKE :credit INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);
CREATE TABLE measurement (LIKE spm.measurement INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);
CREATE TABLE earning (LIKE :earning INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);
CREATE TABLE payout (LIKE spm.payout INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);
-- timed
INSERT INTO credit SELECT * FROM :credit;
INSERT INTO measurement SELECT * FROM spm.measurement;
INSERT INTO earning SELECT * FROM :earning;
INSERT INTO payout SELECT * FROM spm.payout;
-- untimed
SELECT (SELECT count(*) FROM credit) + (SELECT count(*) FROM measurement) + (SELECT count(*) FROM earning) + (SELECT count(*) FROM payout),
       (SELECT sum(amount) FROM earning);
ROLLBACK;
