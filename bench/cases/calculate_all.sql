-- title: calculate all eight quarters
-- needs: system
-- known: commission

-- is: spm
-- untimed
BEGIN;
-- steps: 8
-- untimed
SELECT p.name AS quarter FROM spm.period p WHERE p.grain = 'quarter' ORDER BY p.span LIMIT 1 OFFSET :i - 1 \gset
-- timed
CALL spm.calculate(:'quarter');
-- end
-- untimed
SELECT count(*), sum(amount) FROM spm.earning;
ROLLBACK;
