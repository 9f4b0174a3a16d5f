-- How far everybody is from quota, what the run rate comes to, and how many deals are missing; figures worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = error;
\set ECHO none
\i test/fixture/attain.sql
CREATE FUNCTION pg_temp.pace(as_of date, days text DEFAULT 'calendar')
    RETURNS TABLE (payee text, achieved numeric, elapsed numeric, expected numeric, pace numeric, daily numeric, projected numeric, to_go numeric, days_left numeric, needed numeric) LANGUAGE sql AS $$
    SELECT y.payee_key, trim_scale(achieved_amount), round(elapsed_ratio, 4), trim_scale(round(expected_amount, 2)), round(pace_ratio, 4), round(daily_amount, 2), round(projected_amount, 2),
        trim_scale(to_go_amount), days_left, round(needed_daily_amount, 2)
    FROM spm.quota_pace(as_of, days) JOIN spm.payee y USING (payee_id) ORDER BY 1 $$;
\set ECHO all
SELECT no_plan();

-- pace
SELECT results_eq($$SELECT * FROM pg_temp.pace('2026-02-14')$$, $$VALUES
    ('dana', 50000::numeric, 0.5::numeric, 90000::numeric, 0.5556::numeric, 1111.11::numeric, 100000::numeric, 130000::numeric, 45::numeric, 2888.89::numeric),
    ('jon', 10000, 0.5, 45000, 0.2222, 222.22, 20000, 80000, 45, 1777.78), ('mara', 60000, 0.5, 135000, 0.4444, 1333.33, 120000, 210000, 45, 4666.67)$$,
    'on day 45 of 90 half the quota is due; what is booked later does not count yet, and a month counts within its quarter');
SELECT results_eq($$SELECT payee, achieved, to_go FROM pg_temp.pace('2026-02-28')$$, $$VALUES ('dana', 90000::numeric, 90000::numeric), ('jon', 10000, 80000), ('mara', 100000, 170000)$$,
    'at the end of the month it does');
SELECT results_eq($$SELECT payee, achieved, elapsed, days_left FROM pg_temp.pace('2026-01-31') WHERE payee = 'dana'$$, $$VALUES ('dana', 30000::numeric, 0.3444, 59::numeric)$$, 'an earlier day sees what was credited by then');
SELECT results_eq($$SELECT elapsed, days_left FROM pg_temp.pace('2026-02-14', 'working') WHERE payee = 'dana'$$, $$VALUES (0.5, 32::numeric)$$, '32 of 64 working days have gone by');
SELECT spm.add_holiday('fiscal', '2026-03-03', 'Mardi Gras') \g /dev/null
SELECT results_eq($$SELECT elapsed, days_left FROM pg_temp.pace('2026-02-14', 'working') WHERE payee = 'dana'$$, $$VALUES (0.5079, 31::numeric)$$, 'but holidays');
SELECT is_empty($$SELECT * FROM spm.quota_pace('2026-04-01')$$, 'a period that is not calculated has no pace');
SELECT is_empty($$SELECT * FROM spm.quota_pace(NULL)$$, 'no day has none');
SELECT is((SELECT sum(quota_amount - achieved_amount - to_go_amount) FROM spm.quota_pace('2026-02-28')), 0::numeric, 'what is achieved and what is to go make the quota');

-- needed deals: of those created from 120 to 240 days before 28 February, own ones and two of everybody's
SELECT results_eq($$SELECT y.payee_key, segment, deal_amount, round(win_ratio, 4), needed_win_count, needed_deal_count, open_deal_count, trim_scale(open_amount), round(coverage_ratio, 4), known_deal_count, known_win_count
    FROM spm.needed_deals('2026-02-28', 120, 2) JOIN spm.payee y USING (payee_id) WHERE to_go_amount = 90000 OR y.payee_key = 'mara' ORDER BY 1, 2 NULLS LAST$$, $$VALUES
    ('dana', 'box', 30000::numeric, 0.0::numeric, 3::bigint, NULL::bigint, 1::bigint, 60000::numeric, 0.6667, 0::bigint, 0::bigint),
    ('dana', 'cloud', 75000, 0.2222, 2, 6, 1, 50000, 0.5556, 1, 0),
    ('dana', NULL, 50000, 0.1667, 2, 11, 2, 110000, 1.2222, 1, 0),
    ('mara', 'box', 30000, 0, 6, NULL, 1, 60000, 0.3529, 1, 0), ('mara', 'cloud', 75000, 0.3333, 3, 7, 2, 50000, 0.2941, 3, 1), ('mara', NULL, 60000, 0.25, 3, 12, 3, 110000, 0.6471, 4, 1)$$,
    'deals that are missing, by what own and all deals have brought; the manager''s are those of the team; euros are worth 1.5 dollars');
SELECT results_eq($$SELECT DISTINCT deal_amount, win_ratio, known_deal_count FROM spm.needed_deals('2026-02-28', 120, 0) JOIN spm.payee USING (payee_id) WHERE payee_key = 'dana' AND segment IS NULL$$,
    'VALUES (30000::numeric, 0::numeric, 1::bigint)', 'without weight own deals alone tell');
SELECT results_eq($$SELECT round(win_ratio, 4) FROM spm.needed_deals('2026-02-28', 120, 1e9) JOIN spm.payee USING (payee_id) WHERE segment IS NULL ORDER BY payee_key$$, 'VALUES (0.25), (0.25), (0.25)', 'with much of it all others');
SELECT is((SELECT count(*) FROM spm_bi.quota_pace), (SELECT count(*) FROM spm.quota_pace()), 'the view of paces has those of today');
SELECT is((SELECT count(*) FROM spm_bi.needed_deals), (SELECT count(*) FROM spm.needed_deals()), 'and that of needs');

-- refused
SELECT throws_ok($$SELECT * FROM spm.quota_pace('2026-02-14', 'lunar')$$, '22023', 'there is no way of prorating named "lunar"', 'a way of counting days that there is not');
SELECT throws_ok($$SELECT * FROM spm.needed_deals('2026-02-14', 0)$$, '22023', 'days cannot be 0', 'no days to be won in');
SELECT throws_ok($$SELECT * FROM spm.needed_deals('2026-02-14', weight => -1)$$, '22023', 'weight cannot be -1', 'a weight below 0');
SELECT throws_ok($$SELECT * FROM spm.needed_deals('2026-02-14', weight => 'NaN')$$, '22023', 'weight cannot be NaN', 'or none');
DELETE FROM spm.exchange_rate;
SELECT throws_ok($$SELECT * FROM spm.needed_deals('2026-02-14')$$, '22000', 'no spot rate from EUR to USD on 2026-02-14', 'deals in a currency without a rate');
SELECT * FROM finish();
ROLLBACK;
