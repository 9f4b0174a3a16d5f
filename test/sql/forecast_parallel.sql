-- The same digits from any number of workers, and a worker that forecasts by itself.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- Amounts of very different size: added up in another order, they would make another sum.
CREATE TABLE public.ord AS
SELECT i % 40 AS sku, date '2022-01-01' + ('x' || substr(md5(i::text), 1, 7))::bit(28)::int % 1400 AS day,
    (1 + ('x' || substr(md5('v' || i), 1, 7))::bit(28)::int) / 10.0 ^ (i % 13) AS amount, timestamptz '2022-01-01Z' + i * interval '11 minutes' AS at
FROM generate_series(1, 20000) i;
CREATE INDEX ON public.ord (sku, day);
CREATE TABLE public.sku AS SELECT DISTINCT sku FROM public.ord;
ALTER TABLE public.sku SET (parallel_workers = 2);
ANALYZE public.ord, public.sku;
CREATE FUNCTION public.forecast_of(wanted int) RETURNS spm.forecast_path LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT spm.forecast(day, amount, 4, '{"step": "month", "method": "light"}') FROM public.ord WHERE sku = wanted
$$;
CREATE TABLE public.asked AS
SELECT * FROM (VALUES
    ('hash', $$SELECT sku, spm.forecast(day, amount, 4, '{"step": "month", "method": "light"}') AS f FROM public.ord GROUP BY sku$$),
    ('plain', $$SELECT 1, spm.forecast(day, amount, 4, '{"step": "week", "method": "light"}') FROM public.ord$$),
    ('without options', $$SELECT 1, spm.forecast(at::date, amount, 4) FROM public.ord$$),
    ('timestamps of a zone', $$SELECT sku, spm.forecast(at, amount::float8, 4, '{"step": "day", "zone": "America/New_York", "method": "light"}') FROM public.ord GROUP BY sku$$),
    ('options of each', $$SELECT sku, spm.forecast(day, amount, 4, jsonb_build_object('step', 'month', 'method', 'light', 'level', 0.5 + sku / 100.0)) FROM public.ord GROUP BY sku$$),
    ('very many options', $$SELECT sku, spm.forecast(day, amount, 1, jsonb_build_object('step', 'month', 'method', 'naive', 'level', 0.5 + sku / 10000.0 + n / 1000.0)) FROM public.ord, (VALUES (1), (2), (3)) v(n) GROUP BY sku, n$$),
    ('one after the other', $$SELECT sku, public.forecast_of(sku) FROM public.sku$$)) v(what, query);
CREATE FUNCTION pg_temp.plan(query text, workers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text; found text := '';
BEGIN
    PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        found := found || coalesce(substring(line FROM 'Partial \w*Aggregate|Gather|Parallel Seq Scan on sku') || ', ', '');
    END LOOP;
    RETURN rtrim(found, ', ');
END $$;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL parallel_leader_participation = off;
SELECT is(pg_temp.plan(query, 4), plan, what || ': workers gather rows') FROM public.asked JOIN (VALUES
    ('hash', 'Gather, Partial HashAggregate'), ('plain', 'Gather, Partial Aggregate'), ('timestamps of a zone', 'Gather, Partial HashAggregate')) v(what, plan) USING (what);
SELECT is(pg_temp.plan(query, 4), 'Gather, Parallel Seq Scan on sku', 'with a function that asks for one series, workers forecast, too') FROM public.asked WHERE what = 'one after the other';

CREATE TABLE public.answer (workers int, what text, sku int, f spm.forecast_path);
\set ECHO none
SELECT format('SET LOCAL max_parallel_workers_per_gather = %s; CREATE TABLE public.a AS %s; INSERT INTO public.answer SELECT %1$s, %L, * FROM public.a; DROP TABLE public.a', w, query, what)
FROM public.asked, unnest('{0,1,4}'::int[]) w \gexec
\set ECHO all
SELECT results_eq($$SELECT workers, count(*) FROM public.answer WHERE f IS NOT NULL GROUP BY workers ORDER BY workers$$, $$VALUES (0, 282::bigint), (1, 282), (4, 282)$$, 'every question is answered with none, one and four workers');
SELECT is_empty($$SELECT what, sku, count(*) FROM public.answer GROUP BY what, sku, f HAVING count(*) % 3 <> 0$$, 'the number of workers changes no digit');
SELECT is_empty($$SELECT sku FROM (SELECT DISTINCT sku, f FROM public.answer WHERE what IN ('hash', 'one after the other')) d GROUP BY sku HAVING count(*) <> 1$$, 'nor does it matter where a series is gathered');

SELECT * FROM finish();
ROLLBACK;
