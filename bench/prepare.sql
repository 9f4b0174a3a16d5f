-- What cases share, made once spm is installed beside the data of gen.sql.
SET search_path = bench, public;
CREATE TABLE IF NOT EXISTS cal AS
SELECT d::date AS close_date, (extract(year FROM d) * 4 + extract(quarter FROM d) - 1)::int AS qtr,
       (extract(year FROM d) * 12 + extract(month FROM d) - 1)::int AS mon
FROM generate_series(date '2024-01-01', date '2025-12-31', interval '1 day') AS d;
DROP TABLE IF EXISTS plan_schedule;
CREATE TABLE plan_schedule AS
SELECT plan_id, spm.rate_schedule(array_agg(lo_pct ORDER BY tier_no), array_agg(rate ORDER BY tier_no), 'of quota') AS schedule
FROM tier GROUP BY plan_id;
VACUUM ANALYZE cal, plan_schedule;
