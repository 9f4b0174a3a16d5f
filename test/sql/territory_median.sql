-- Where seats should be: capacitated p-median, and what no plan can be below.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- by hand
SELECT results_eq($$SELECT unit, seat, distance FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 2)$$,
    $$VALUES (1, 1, 0::float8), (2, 1, 1), (3, 3, 0), (4, 3, 1)$$, 'two pairs get a seat each');
SELECT results_eq($$SELECT unit, seat, distance FROM spm.p_median('{{0,1,9},{1,0,8},{9,8,0}}', '{1,1,1}', '{2}', 2)$$,
    $$VALUES (1, 1, 0::float8), (2, 1, 1), (3, 3, 0)$$, 'distances may be a matrix');
SELECT results_eq($$SELECT value, is_optimal FROM spm.p_median_report('{{0,1,9},{1,0,8},{9,8,0}}', '{1,1,1}', '{2}', 2)$$,
    $$VALUES (1::float8, true)$$, 'a report says that no plan is shorter');

-- what is refused
SELECT throws_ok($$SELECT * FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 1)$$,
    '22023', 'the seats cannot serve all units', 'seats that cannot serve all units are refused');
SELECT * FROM finish();
ROLLBACK;
