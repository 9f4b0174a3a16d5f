-- storm/report.sql: one line of counts, then for each sequence with differences these and its statements.
SELECT :each, count(DISTINCT f.seq), (SELECT count(*) FROM storm.log l WHERE l.statement !~ '^(COMMIT|CALL)'), (SELECT count(*) FROM storm.log l WHERE l.statement !~ '^(COMMIT|CALL)' AND l.outcome IS NOT NULL),
    (SELECT count(*) FROM storm.log l WHERE l.statement ~ '^CALL spm.refresh')
FROM storm.fault f;
SELECT line
FROM (SELECT seq, 1 AS part, row_number() OVER () AS n, format('sequence %s: %s', seq, fault) AS line FROM storm.fault
      UNION ALL SELECT seq, 2, step, '    ' || statement || ';' || coalesce(' -- ' || outcome, '') FROM storm.log WHERE seq IN (SELECT seq FROM storm.fault)) x
ORDER BY seq, part, n;
