-- Forty random plans: paid step by step, afresh out of two sources, and by a twin in plain SQL. make property N=10000 tries more.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
\set seed 20260104
\set plans 40
\i test/property/run.sql
BEGIN;
SELECT plan(3);
SELECT is(:'faults'::text, '', 'step by step, afresh out of two sources, and by the twin everybody earns the same, all adds up, and what is posted stays');
SELECT cmp_ok(:earnings, '>', 1500, 'that is more than 1,500 earnings');
SELECT is(:'missing'::text, '', 'every method, way to accumulate, basis and modifier has earned something');
SELECT * FROM finish();
ROLLBACK;
