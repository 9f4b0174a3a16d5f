-- Whether a quota plan is fair, what would move it, and what of it is carried.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/quota_plan.sql
\set ECHO all
SELECT no_plan();

-- fairness: potentials of 100, 100, 200 and 400, quotas of 10, 30, 20 and 40
CREATE TABLE public.market (seat text, potential int);
INSERT INTO public.market VALUES ('ann', 100), ('bob', 100), ('cy', 200), ('dee', 400);
SELECT spm.load_quota_input('FY26', 'potential', 'public.market', 'seat', 'potential'), spm.set_quota_total('FY26', 100) \g /dev/null
SELECT spm.allocate_quota_plan('FY26'), spm.override_quota('FY26', 'ann', 10, 'x'), spm.override_quota('FY26', 'bob', 30, 'x'), spm.override_quota('FY26', 'dee', 40, 'x') \g /dev/null
SELECT is(pg_temp.plan(), 'vp 100, east 40, west 60, ann 10, bob 30, cy 20, dee 40', 'a plan in which bob carries three times as much for his potential as the others');
SELECT results_eq($$SELECT seat_count, quota_amount, input_amount, ratio, least_ratio, most_ratio, gini FROM spm.quota_fairness('FY26')$$,
    $$VALUES (4::bigint, 100.00, 800::numeric, 0.125000, 0.100000, 0.300000, 0.250000)$$, 'quota by potential, and its Gini coefficient: (-3 x 0.1 - 0.1 + 0.1 + 3 x 0.3) / (4 x 0.6)');
SELECT results_eq($$SELECT correlation, ratio_correlation, ratio_slope FROM spm.quota_fairness('FY26')$$,
    $$SELECT round(corr(q, x)::numeric, 6), round(corr(q / x, x)::numeric, 6), round(regr_slope(q / x / 0.125, x / 200)::numeric, 6)
      FROM (VALUES (10::float, 100::float), (30, 100), (20, 200), (40, 400)) v(q, x)$$, 'correlations and slope are those that PostgreSQL finds');
-- seats sell 12.5, 12.5, 25 and 50 times 1 + z / 4: bob never reaches 80 %; the others at one of 20 quantiles do not, reach 100 % at 16 and 120 % at 11
SELECT results_eq($$SELECT below_80_share, from_80_to_120_share, above_120_share, reaching_share FROM spm.quota_fairness('FY26')$$,
    $$VALUES (0.287500, 0.300000, 0.412500, 0.600000)$$, 'what may come of it');
SELECT results_eq($$SELECT from_80_to_120_share, above_120_share, reaching_share FROM spm.quota_fairness('FY26', spread => 0)$$,
    $$VALUES (0.000000, 0.750000, 0.750000)$$, 'and if everybody sold what their potential says: 125 % but for bob');
SELECT spm.override_quota('FY26', 'ann', NULL, 'y'), spm.override_quota('FY26', 'bob', NULL, 'y'), spm.override_quota('FY26', 'dee', NULL, 'y'), spm.set_quota_factors('FY26', '{"potential": 1}') \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 100, east 25, west 75, ann 12.5, bob 12.5, cy 25, dee 50', 'by potential alone');
SELECT results_eq($$SELECT ratio, least_ratio, most_ratio, correlation, ratio_correlation, ratio_slope, gini, from_80_to_120_share FROM spm.quota_fairness('FY26')$$,
    $$VALUES (0.125000, 0.125000, 0.125000, 1.000000, NULL::numeric, 0.000000, 0.000000, 0.600000)$$, 'everybody carries the same');
SELECT results_eq($$SELECT plan_name, version, input_name, ratio, gini FROM spm_bi.quota_fairness ORDER BY input_name$$,
    $$VALUES ('FY26', 1, 'history', 0.100000, 0.144737), ('FY26', 1, 'potential', 0.125000, 0.000000)$$, 'BI sees it by each input');

-- what the factors matter: shares of history are 0.1 to 0.4, mixed with even ones 0.175 to 0.325; half the distance is 0.1, of which 1 / 11 would move
SELECT spm.set_quota_factors('FY26', '{"history": 2, "even": 2}'), spm.set_quota_total('FY26', 1000) \g /dev/null
SELECT results_eq($$SELECT * FROM spm.quota_sensitivity('FY26')$$, $$VALUES ('even', 0.500000, 0.009091, 9.09), ('history', 0.500000, 0.009091, 9.09)$$, 'what a tenth more weight would move');

-- what is carried of 250 each
SELECT spm.set_quota_factors('FY26', '{"even": 1}'), spm.allocate_quota_plan('FY26') \g /dev/null
SELECT spm.add_payee(k, k) FROM unnest('{ann,ben,cy}'::text[]) k \g /dev/null
SELECT spm.assign_position('ann', 'ann', '2025-01-01'), spm.assign_position('bob', 'ben', '2026-07-01'), spm.assign_position('cy', 'cy', '2025-01-01') \g /dev/null
SELECT spm.add_ramp('new', '{0,0.5}'), spm.assign_ramp('new', 'ben', '2026-07-01'), spm.add_absence_kind('leave', min_days => 30), spm.add_absence('cy', 'leave', '2026-03-02', '2026-04-13'),
    spm.relieve_quota('ann', '2026-Q2', 20, 'bookings', 'Acme is house') \g /dev/null
SELECT results_eq($$SELECT * FROM spm.quota_carried('FY26')$$,
    $$VALUES ('ann', 'ann', 250.00, 230.00, '20 relief'), ('bob', 'ben', 126.03, 94.18, '184 of 365 days, 74.7283 % ramp'), ('bob', NULL, 123.97, 0::numeric, '181 of 365 days vacant'),
        ('cy', 'cy', 250.00, 221.23, '323 of 365 days'), ('dee', NULL, 250.00, 0, '365 of 365 days vacant')$$, 'days in the seat, absence, ramp and relief: 250 x 137.5 of 365 for who is new in July');

-- what is refused
SELECT throws_ok($$SELECT spm.quota_fairness('FY26', 'luck')$$, '42704', 'quota plan "FY26" has no input "luck"', 'an input that is not there');
SELECT throws_ok($$SELECT spm.quota_fairness('FY26', spread => 0.5)$$, '22023', 'spread of sales cannot be 0.5', 'a spread by which sales could be negative');
SELECT throws_ok($$SELECT spm.quota_sensitivity('FY26', step => 0)$$, '22023', 'step of a weight cannot be 0', 'and a step of nothing');

SELECT * FROM finish();
ROLLBACK;
