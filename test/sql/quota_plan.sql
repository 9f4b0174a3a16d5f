-- A quota plan: its tree, factors, bounds, overrides, requests and seasons, with amounts worked out by hand.
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

-- the tree
SELECT results_eq($$SELECT position_key, parent_position_key, level FROM spm_bi.quota_plan_tree ORDER BY level, position_key$$,
    $$VALUES ('vp', NULL, 1), ('east', 'vp', 2), ('west', 'vp', 2), ('ann', 'east', 3), ('bob', 'east', 3), ('cy', 'west', 3), ('dee', 'west', 3)$$,
    'seats of a title without quota are left out, and who reports to them comes below the next; who reports to nobody and has no reports is not in it');
SELECT is((SELECT amount FROM spm.quota_plan_input i JOIN spm.position s USING (position_id) WHERE s.position_key = 'ann' AND i.name = 'history'), 100::numeric, 'several rows of a seat are added up');

-- shares
SELECT results_eq($$SELECT * FROM spm.allocate_quota_plan('FY26')$$, $$VALUES (1, 1::bigint, 1000.00, 1::bigint), (2, 2, 1000, 2), (3, 4, 1000, 4)$$, 'allocating says what each level has and how many have changed');
SELECT is(pg_temp.plan(), 'vp 1000, east 500, west 500, ann 250, bob 250, cy 250, dee 250', 'without factors seats at the bottom share alike');
SELECT results_eq($$SELECT sum(changed_count)::int FROM spm.allocate_quota_plan('FY26')$$, 'VALUES (0)', 'again changes nothing');
SELECT spm.set_quota_factors('FY26', '{"history": 1}') \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 300, west 700, ann 100, bob 200, cy 300, dee 400', 'by history');
SELECT spm.set_quota_factors('FY26', '{"history": 3, "potential": 3}') \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 337.5, west 662.5, ann 143.75, bob 193.75, cy 306.25, dee 356.25', 'by the mean of the shares in history and potential');
SELECT spm.set_quota_factors('FY26', '{"history": 0.6, "potential": 0.3, "even": 0.1}') \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 342.5, west 657.5, ann 141.25, bob 201.25, cy 298.75, dee 358.75', 'and of an even share: 60 + 56.25 + 25 for ann');
SELECT spm.set_quota_factors('FY26', '{"history": 1}'), spm.set_quota_factors('FY26', '{"potential": 1}', level => 2) \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 375, west 625, ann 125, bob 250, cy 267.86, dee 357.14', 'a level may go by other factors: regions by potential, within them by history');
SELECT spm.set_over_assignment('FY26', 2, 0.05) \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 375, west 625, ann 131.25, bob 262.5, cy 281.25, dee 375', 'regions assign 5 % more than they have');
SELECT spm.set_over_assignment('FY26', 1, 0.1) \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 412.5, west 687.5, ann 144.38, bob 288.75, cy 309.38, dee 412.5', 'on what the top over-assigned by 10 %: 433.125 is 433.13');
SELECT is_empty($$SELECT * FROM spm_bi.quota_plan_tree WHERE difference_amount <> 0$$, 'each seat is what those below it make it, to the cent');
SELECT spm.set_over_assignment('FY26', 1, 0), spm.set_over_assignment('FY26', 2, 0), spm.set_quota_factors('FY26', '{}', level => 2) \g /dev/null
SELECT spm.carry_quota('FY26', 'history', 0.9), spm.set_quota_factors('FY26', '{"potential": 1}') \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1000, east 307.5, west 692.5, ann 108.75, bob 198.75, cy 301.25, dee 391.25', '90 % of history is carried, and growth goes by potential: 90 + 100 x 300 / 1600 for ann');
SELECT spm.carry_quota('FY26', NULL, NULL), spm.set_quota_factors('FY26', '{"even": 1}') \g /dev/null

-- bounds and overrides
SELECT spm.set_quota_total('FY26', 1200, 'board') \g /dev/null
SELECT is(spm.bound_quotas('FY26', 'history', 0.95, 1.3), 4::bigint, 'quotas are bound to an input');
SELECT is(pg_temp.allocated(), 'vp 1200, east 390, west 810, ann 130, bob 260, cy 390, dee 420', 'who meets 130 % of history leaves the rest to others, within the team and beyond');
SELECT is(spm.override_quota('FY26', 'dee', 500, 'inherits Acme'), 2::bigint, 'an override says how many amounts have changed');
SELECT is(pg_temp.plan(), 'vp 1200, east 390, west 810, ann 130, bob 260, cy 310, dee 500', 'the rest of the team makes up for it');
SELECT spm.override_quota('FY26', 'east', 350, 'vacancy') \g /dev/null
SELECT is(pg_temp.plan(), 'vp 1200, east 350, west 850, ann 130, bob 220, cy 350, dee 500', 'an override of a manager is one of the team');
SELECT spm.override_quota('FY26', 'dee', NULL, 'Acme stays') \g /dev/null
SELECT is(pg_temp.plan(), 'vp 1200, east 350, west 850, ann 130, bob 220, cy 390, dee 460', 'and taken back, it has its share again');
SELECT spm.bound_quota('FY26', 'cy', NULL, 380, 'part time') \g /dev/null
SELECT is(pg_temp.allocated(), 'vp 1200, east 350, west 850, ann 130, bob 220, cy 380, dee 470', 'a bound for one seat');
SELECT results_eq($$SELECT position_key, what, old_value::numeric, new_value::numeric, reason FROM spm_bi.quota_plan_change WHERE position_key IN ('dee', 'cy', 'east') OR what = 'total' ORDER BY quota_plan_change_id$$,
    $$VALUES (NULL, 'total', 1000::numeric, 1200::numeric, 'board'), ('cy', 'at least', NULL, 285, 'at least 0.95 and at most 1.3 of history'), ('cy', 'at most', NULL, 390, 'at least 0.95 and at most 1.3 of history'),
        ('dee', 'at least', NULL, 380, 'at least 0.95 and at most 1.3 of history'), ('dee', 'at most', NULL, 520, 'at least 0.95 and at most 1.3 of history'), ('dee', 'locked amount', NULL, 500, 'inherits Acme'),
        ('east', 'locked amount', NULL, 350, 'vacancy'), ('dee', 'locked amount', 500, NULL, 'Acme stays'), ('cy', 'at least', 285, NULL, 'part time'), ('cy', 'at most', 390, 380, 'part time')$$,
    'all of it is kept, with its reason');
SELECT results_eq($$SELECT what, new_value FROM spm_bi.quota_plan_change WHERE what ~ '^(input|over|factors)' ORDER BY quota_plan_change_id LIMIT 4$$,
    $$VALUES ('input history', '1000 of 4 seats from public.known'), ('input potential', '1600 of 4 seats from public.known'), ('factors', '{"history": 1}'), ('factors', '{"history": 3, "potential": 3}')$$,
    'as is what the shares go by');

-- what is asked for, and the total
SELECT spm.add_quota_plan('asked', '2026', 'bookings', 1000, except_titles => '{Ops}', unit => 0.01) \g /dev/null
CREATE FUNCTION pg_temp.asked() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM spm.allocate_quota_plan('asked');
    RETURN (SELECT string_agg(position_key || ' ' || trim_scale(quota_amount), ', ' ORDER BY level, position_key) FROM spm_bi.quota_plan_tree WHERE plan_name = 'asked');
END
$$;
SELECT spm.set_quota_total('asked', NULL, method => 'reconcile'), spm.request_quota('asked', k, a) FROM (VALUES ('ann', 90), ('bob', 210), ('cy', 330), ('dee', 420)) v(k, a) \g /dev/null
SELECT is(pg_temp.asked(), 'vp 1000, east 285.71, west 714.29, ann 85.71, bob 200, cy 314.29, dee 400', 'of 1,050 that were asked for, each moves by the same percentage');
SELECT spm.request_quota('asked', 'dee', 420, 'signed', variance => 0) \g /dev/null
-- 50 less of 630: ann 90 - 50 x 90 / 630
SELECT is(pg_temp.asked(), 'vp 1000, east 276.19, west 723.81, ann 82.86, bob 193.33, cy 303.81, dee 420', 'who is certain is not moved');
SELECT spm.request_quota('asked', 'dee', 420), spm.request_quota('asked', 'east', 330, variance => 300) \g /dev/null
-- east and its team are equally sure of 330 and 300: 315 with half the variance, 150; west 750. 65 too much: 150 / 900 and 750 / 900 of it
SELECT is(pg_temp.asked(), 'vp 1000, east 304.17, west 695.83, ann 91.25, bob 212.92, cy 306.17, dee 389.66', 'what a manager asks for counts beside the sum of the team, each by how sure it is');
SELECT is_empty($$SELECT * FROM spm_bi.quota_plan_tree WHERE plan_name = 'asked' AND difference_amount <> 0$$, 'and all adds up');
SELECT spm.request_quota('asked', 'cy', NULL) \g /dev/null
SELECT throws_ok($$SELECT spm.allocate_quota_plan('asked')$$, '22023', '1 of the seats at the bottom have asked for nothing', 'a request that is missing is refused');

-- over the periods
SELECT results_eq($$SELECT * FROM spm.quota_plan_part('FY26') WHERE position_key IN ('ann', 'bob', 'east')$$,
    $$VALUES ('ann', '2026-Q1', 32.05), ('ann', '2026-Q2', 32.42), ('ann', '2026-Q3', 32.76), ('ann', '2026-Q4', 32.77), ('bob', '2026-Q1', 54.25), ('bob', '2026-Q2', 54.85), ('bob', '2026-Q3', 55.45), ('bob', '2026-Q4', 55.45),
        ('east', '2026-Q1', 86.30), ('east', '2026-Q2', 87.27), ('east', '2026-Q3', 88.21), ('east', '2026-Q4', 88.22)$$, 'without a season by calendar days: 130 x 90 / 365 by the end of March');
SELECT spm.set_quota_season('FY26', '{1,1,1,2}'), spm.set_quota_season('FY26', '{1,0,0,0}', 'bob') \g /dev/null
SELECT results_eq($$SELECT string_agg(amount::text, ' ' ORDER BY period_name) FROM spm.quota_plan_part('FY26') GROUP BY position_key ORDER BY position_key$$,
    $$VALUES ('26.00 26.00 26.00 52.00'), ('220.00 0.00 0.00 0.00'), ('76.00 76.00 76.00 152.00'), ('94.00 94.00 94.00 188.00'), ('246.00 26.00 26.00 52.00'), ('416.00 196.00 196.00 392.00'), ('170.00 170.00 170.00 340.00')$$,
    'seats at the bottom have the nearest season, and who is above what comes of it');

-- round quotas
SELECT spm.add_quota_plan('round', '2026', 'bookings', 1000000, top => 'vp', except_titles => '{Ops}', unit => 1000) \g /dev/null
SELECT spm.load_quota_input('round', 'history', 'public.known', 'seat', 'potential'), spm.set_quota_factors('round', '{"history": 0.7, "even": 0.3}') \g /dev/null
SELECT spm.allocate_quota_plan('round') \g /dev/null
SELECT is((SELECT string_agg(position_key || ' ' || trim_scale(quota_amount), ', ' ORDER BY level, position_key) FROM spm_bi.quota_plan_tree WHERE plan_name = 'round'),
    'vp 1000000, east 413000, west 587000, ann 207000, bob 206000, cy 294000, dee 293000', 'quotas may be multiples of a thousand: 412,500 and 587,500 are a tie, which goes to the earlier');

-- west has to have twice 295,000
SELECT spm.bound_quotas('round', 'history', 590) \g /dev/null
SELECT spm.allocate_quota_plan('round') \g /dev/null
SELECT is((SELECT string_agg(position_key || ' ' || trim_scale(quota_amount) || coalesce(', ' || reason, ''), '; ' ORDER BY position_key) FROM spm_bi.quota_plan_tree WHERE plan_name = 'round' AND most_amount IS NULL AND position_key > 'c'),
    'cy 295000, at least 590 of history; dee 295000, at least 590 of history; east 410000; vp 1000000; west 590000', 'a lower bound alone, and no upper one');

-- another tree than that of reporting lines
CREATE TABLE public.sales_tree (seat text, above text);
INSERT INTO public.sales_tree VALUES ('lone', NULL), ('ann', 'lone'), ('bob', 'lone'), ('cy', ''), ('dee', 'cy');
SELECT is(spm.load_quota_tree('round', 'public.sales_tree', 'seat', 'above'), 5::bigint, 'any table gives a plan its tree');
SELECT spm.allocate_quota_plan('round') \g /dev/null
SELECT is((SELECT string_agg(position_key || ' ' || trim_scale(quota_amount), ', ' ORDER BY level, position_key) FROM spm_bi.quota_plan_tree WHERE plan_name = 'round'),
    'cy 538000, lone 462000, ann 231000, bob 231000, dee 538000', 'with several tops; what cy has of its own counts: 70 % of 1,000 of 1,600, and 30 % of one of three');

-- what is refused
INSERT INTO public.sales_tree VALUES ('east', 'west'), ('west', 'east');
SELECT throws_ok($$SELECT spm.load_quota_tree('round', 'public.sales_tree', 'seat', 'above')$$, '23514', 'from position "east" there is no way to the top', 'a tree with a circle');
INSERT INTO public.sales_tree VALUES ('ann', NULL);
SELECT throws_ok($$SELECT spm.load_quota_tree('round', 'public.sales_tree', 'seat', 'above')$$, '23505', 'position "ann" is in public.sales_tree more than once', 'a seat that is there twice');
DELETE FROM public.sales_tree WHERE seat IN ('ann', 'east');
SELECT throws_ok($$SELECT spm.load_quota_tree('round', 'public.sales_tree', 'seat', 'above')$$, '23503', 'position "west" is below "east", which is not in public.sales_tree', 'a parent that is not there');
UPDATE public.sales_tree SET seat = 'nobody', above = NULL WHERE seat = 'west';
SELECT throws_ok($$SELECT spm.load_quota_tree('round', 'public.sales_tree', 'seat', 'above')$$, '42704', 'position "nobody" does not exist', 'and a position that is not there');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'west', 900, 'x')$$, '22023', 'lower bounds come to 1250.00, more than the total of 1200.00', 'overrides that come to more than the total');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'dee', 300, 'x'), spm.override_quota('FY26', 'west', 800, 'x')$$, '22023', NULL, 'an override that leaves the team too little');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'ann', 400, 'x')$$, '22023', 'lower bounds below "east" come to 590.00, more than its 350.00', 'one that the team cannot bear, by name and with both sums');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'dee', 400.005, 'x')$$, '22023', 'a quota of 400.005 is not in units of 0.01', 'one that is finer than the plan');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'dee', -1, 'x')$$, '22023', 'quota cannot be -1', 'a negative one');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'dee', 400, '')$$, '22023', 'reason must not be empty', 'and one without a reason');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'lone', 400, 'x')$$, '42704', 'position "lone" is not in the quota plan', 'a seat that is not in the plan');
SELECT throws_ok($$SELECT spm.bound_quota('FY26', 'dee', 5, 4, 'x')$$, '22023', 'the quota of position "dee" cannot be at least 5 and at most 4', 'bounds the wrong way round');
SELECT throws_ok($$SELECT spm.bound_quotas('FY26', 'hist', 0.9)$$, '42704', 'quota plan "FY26" has no input "hist"', 'bounds by an input that is not there');
SELECT throws_ok($$SELECT spm.set_quota_factors('FY26', '{"pipeline": 1}')$$, '42704', 'quota plan "FY26" has no input "pipeline" greater than 0', 'a factor without an input');
SELECT throws_ok($$SELECT spm.set_quota_factors('FY26', '{"history": 0}')$$, '22023', 'weight of factor "history" cannot be 0', 'a weight of nothing');
SELECT throws_ok($$SELECT spm.set_quota_factors('FY26', '{"history": "1"}')$$, '22023', 'weight of factor "history" cannot be 1', 'one that is no number');
SELECT throws_ok($$SELECT spm.set_quota_factors('FY26', '[]')$$, '22023', 'factors cannot be []', 'and factors that are none');
SELECT throws_ok($$SELECT spm.set_over_assignment('FY26', 2, 1.5)$$, '22023', 'over-assignment of level 2 cannot be 1.5', 'an over-assignment of more than all');
SELECT throws_ok($$SELECT spm.set_quota_season('FY26', '{1,1}')$$, '22023', 'the plan is published for 4 periods, and there are 2 shares', 'a season of another length');
SELECT throws_ok($$SELECT spm.set_quota_season('FY26', '{0,0,0,0}')$$, '22023', NULL, 'and one of nothing');
SELECT throws_ok($$SELECT spm.set_quota_total('FY26', 100.001)$$, '22023', 'a total of 100.001 is not divided in units of 0.01', 'a total finer than its unit');
SELECT throws_ok($$SELECT spm.load_quota_input('FY26', 'x', 'public.known', 'seat', 'nope')$$, '42703', NULL, 'a column that is not there');
INSERT INTO public.known VALUES ('lone', -1, 1);
SELECT throws_ok($$SELECT spm.load_quota_input('FY26', 'x', 'public.known', 'seat', 'potential')$$, '42704', 'position "lone" of public.known is not in the quota plan', 'rows of others');
UPDATE public.known SET seat = 'dee' WHERE seat = 'lone';
UPDATE public.known SET history = -401 WHERE seat = 'dee' AND potential = 1;
SELECT throws_ok($$SELECT spm.load_quota_input('FY26', 'x', 'public.known', 'seat', 'history')$$, '22023', 'x of position "dee" cannot be -1', 'negative amounts');
SELECT throws_ok($$SELECT spm.add_quota_plan('FY26', '2026', 'bookings', 1)$$, '23505', 'quota plan "FY26" exists already', 'a name that is taken');
SELECT throws_ok($$SELECT spm.add_quota_plan('x', '2026', 'bookings', 1, as_of => '2025-01-01')$$, '22023', 'no position reports to another on 2025-01-01', 'a day without a tree');
SELECT throws_ok($$SELECT spm.add_quota_plan('x', '2026-01', 'bookings', 1, grain => 'quarter')$$, '22023', 'period 2026-01 has no part of the kind "quarter"', 'a month by quarters');
SELECT throws_ok($$SELECT spm.add_quota_plan('x', '2026', 'bookings', 1.5, unit => 1)$$, '22023', 'a total of 1.5 is not divided in units of 1', 'and a total that cannot be divided');
SELECT throws_ok($$SELECT spm.add_quota_plan('x', '2026', 'bookings', NULL)$$, '22023', 'a total of NULL is not divided in units of 0.01', 'or is not there');
SELECT throws_ok($$SELECT spm.allocate_quota_plan('FY27')$$, '42704', 'quota plan "FY27" does not exist', 'a plan that is not there');

-- all in one statement
SELECT spm.add_quota_plan('at once', '2026', 'bookings', 1000, except_titles => '{Ops}', reason => 'x'), spm.bound_quota('at once', 'ann', 400, NULL, 'x'),
    spm.request_quota('at once', 'bob', 90, 'y') \g /dev/null
SELECT results_eq($$SELECT n.at_least, n.bottom_up FROM spm.quota_plan_node n JOIN spm.position s USING (position_id)
        WHERE s.position_key IN ('ann', 'bob') AND n.quota_plan_version_id = (spm._quota_version('at once')).quota_plan_version_id ORDER BY 1$$,
    'VALUES (400::numeric, NULL::numeric), (NULL, 90)', 'a plan can be made, bound and asked from in one statement');

SELECT * FROM finish();
ROLLBACK;
