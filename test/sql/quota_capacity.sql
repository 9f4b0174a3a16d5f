-- How many people it takes: workload, capacity month by month, hires, economic size.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- the toolbox
SELECT is(round(spm.workload_fte(300, 2, 1.5, 160, 0.25), 6), 7.5, '300 accounts, two visits a month of an hour and a half: 900 hours, of 120 that one has');
SELECT is(spm.workload_fte(300, 2, 1.5, 0), NULL, 'nobody has no hours');
SELECT is(round(spm.capacity_chance('{10}', '{0.9}', '{1}', 9)::numeric, 12), round(0.9 ^ 10 + 10 * 0.9 ^ 9 * 0.1, 12), 'all ten, or nine of them');
SELECT is(round(spm.capacity_chance('{2,1}', '{0.5,1}', '{3,1}', 4)::numeric, 12), 0.75, 'of two halves one, and one for certain');
SELECT is(spm.capacity_chance('{}', '{}', '{}', 1), 0::float8, 'nobody brings nothing');
SELECT ok(abs(spm.capacity_chance('{300000}', '{0.9}', '{1}', 270000) - 0.5) < 0.001, 'of very many it is the normal distribution''s, which is as good');
SELECT is(round(spm.capacity_chance('{100}', '{1}', '{1}', 100, 0.2)::numeric, 12), 0.5, 'where people differ, the mean is reached as often as not');
SELECT results_eq($$SELECT * FROM spm.economic_size(50000000, 100, 0.5, 0.4, 80000)$$,
    $$VALUES (156::bigint, round(50000000 * sqrt(1.56), 2), round(0.4 * 50000000 * sqrt(1.56) - 80000 * 156, 2), 12000000.00, 127::bigint, 189::bigint)$$,
    '100 x (0.4 x 0.5 x 50 million / 8 million) squared is 156.25');
SELECT is((SELECT n FROM generate_series(1, 400) n ORDER BY 20000000 * sqrt(n / 100.0) - 80000 * n DESC LIMIT 1), 156, 'and no other whole number earns more');
SELECT is((SELECT min(n) || '-' || max(n) FROM generate_series(1, 400) n WHERE 20000000 * sqrt(n / 100.0) - 80000 * n >= 0.99 * (20000000 * sqrt(1.56) - 80000 * 156)), '127-189', 'from 127 to 189 people profit is within one percent: the optimum is flat');
SELECT is(spm.allocate_heads(10, '{100,400}', '{5,5}', '{0.5,0.5}', '{1,1}'), '{1,9}', 'four times the sales take more people');
CREATE FUNCTION pg_temp.profit(x int, y int, z int) RETURNS numeric LANGUAGE sql AS $$
    SELECT 1.0 * 90 * power(x / 3.0, 0.3) + 0.5 * 400 * power(y / 8.0, 0.6) + 0.8 * 150 * power(z / 4.0, 0.5)
$$;
SELECT is(spm.allocate_heads(20, '{90,400,150}', '{3,8,4}', '{0.3,0.6,0.5}', '{1,0.5,0.8}'),
    (SELECT ARRAY[x, y, 20 - x - y] FROM generate_series(0, 20) x, generate_series(0, 20 - x) y ORDER BY pg_temp.profit(x, y, 20 - x - y) DESC LIMIT 1), 'no other way to divide twenty people earns more');
SELECT is(spm.allocate_heads(0, '{90}', '{3}', '{0.3}', '{1}'), '{0}', 'nobody goes nowhere');

-- a plan: ten who have learned, two who began in December
SELECT spm.add_ramp('New AE', '{0,0.25,0.5}'), spm.add_title('AE'), spm.create_calendar('fiscal', 'month', '2027-01-01', '2028-01-01'), spm.add_measure('bookings') \g /dev/null
SELECT spm.add_capacity_plan('2027', '2027-01-01', 12, 0.8) \g /dev/null
SELECT spm.add_capacity_role('2027', 'AE', 80000, attrition => 0.02, ramp => 'New AE', lead_months => 2, monthly_cost => 12000, title => 'AE', shrinkage => 0.25) \g /dev/null
SELECT is(spm.add_capacity_heads('2027', 'AE', '2025-01-01', 11), 11, 'who is there is told by the month of the start');
SELECT is(spm.add_capacity_heads('2027', 'AE', '2025-01-01', -1), 10, 'and corrected');
SELECT spm.add_capacity_heads('2027', 'AE', '2026-12-01', 2) \g /dev/null
SELECT results_eq($$SELECT month, heads, productive_heads, capacity, deviation, target, chance, cost FROM spm.capacity_by_month('2027') LIMIT 3$$,
    $$VALUES ('2027-01-01'::date, 12.0000, 10.5000, 840000.00, 0.00, NULL::numeric, NULL::numeric, 144000.00),
        ('2027-02-01', 11.7600, 10.7800, 862400.00, round(80000 * sqrt((10 + 2 * 0.25) * 0.98 * 0.02), 2), NULL, NULL, 141120.00),
        ('2027-03-01', 11.5248, 11.5248, 921984.00, round(80000 * sqrt(12 * 0.9604 * 0.0396), 2), NULL, NULL, 138297.60)$$,
    'two at a quarter, then at half, then whole; each there with 0.98 to the month ends that have passed');
SELECT spm.set_capacity_target('2027', 'AE', 1000000.05) \g /dev/null
SELECT is((SELECT sum(target) FROM spm.capacity_by_month('2027')), 1000000.05, 'a target of all of the plan is divided to the cent');
SELECT spm.set_capacity_target('2027', 'AE', 12 * 960000) \g /dev/null
SELECT results_eq($$SELECT needed_heads, coverage, chance FROM spm.capacity_by_month('2027', 'AE') OFFSET 2 LIMIT 2$$,
    $$VALUES (12.0000, 0.960400, round(power(0.9604, 12), 6)), (12, round(12 * 0.941192 / 12, 6), round(power(0.941192, 12), 6))$$, 'a target of twelve heads is reached if none of the twelve has left');
-- a twin of its own: n1 people there with p1, n2 with p2, at least k of them
CREATE FUNCTION pg_temp.at_least(k int, n1 int, p1 numeric, n2 int, p2 numeric) RETURNS numeric LANGUAGE sql AS $$
    SELECT round(sum(factorial(n1) / factorial(i) / factorial(n1 - i) * power(p1, i) * power(1 - p1, n1 - i)
                   * factorial(n2) / factorial(j) / factorial(n2 - j) * power(p2, j) * power(1 - p2, n2 - j)), 6)
    FROM generate_series(0, n1) i, generate_series(0, n2) j WHERE i + j >= k
$$;
CREATE TABLE public.hire AS SELECT * FROM spm.hiring_plan('2027');
SELECT is((SELECT string_agg(to_char(start_month, 'MM') || ' ' || hires || ' by ' || to_char(decide_month, 'MM'), ', ' ORDER BY start_month) FROM public.hire WHERE hires > 0),
    '03 2 by 01, 05 1 by 03, 08 1 by 06', 'decided in January, two start in March, who have learned by June; one more in May and in August');
SELECT is((SELECT chance FROM public.hire WHERE start_month = '2027-06-01'), pg_temp.at_least(12, 12, 0.98 ^ 5, 2, 0.98 ^ 3), 'with two the target of June is likely enough');
SELECT ok(pg_temp.at_least(12, 12, 0.98 ^ 5, 1, 0.98 ^ 3) < 0.8, 'with one it would not be');
SELECT is((SELECT string_agg(is_reached::text, ' ' ORDER BY start_month) FROM public.hire), 'false false false false false true true true true true true true',
    'before June nobody can help who has learned');
SELECT results_eq($$SELECT h.hires, m.is_reached FROM spm.hiring_plan('2027', least_share => 0.5) h, spm.hiring_plan('2027', least_share => 0.5) m
    WHERE h.hires > 0 AND m.start_month = '2027-05-01'$$, $$VALUES (4, true)$$, 'in a hurry four start in March, of whom each has learned half by May: then that is reached, too');
SELECT ok((SELECT sum(hires) FROM spm.hiring_plan('2027', service_level => 0.99)) > 4, 'to be surer takes more');
SELECT spm.add_capacity_heads('2027', role_name, start_month, hires) FROM public.hire WHERE hires > 0 \g /dev/null
SELECT results_eq('SELECT chance FROM public.hire ORDER BY start_month', $$SELECT chance FROM spm.capacity_by_month('2027')$$, 'once they are planned, months are as likely to be reached as was foretold');
SELECT is((SELECT sum(hires) FROM spm.hiring_plan('2027')), 0::bigint, 'and nobody else is needed');
SELECT results_eq($$SELECT month, missing_heads, is_reached FROM spm_bi.capacity WHERE month IN ('2027-03-01', '2027-12-01') ORDER BY month$$,
    $$SELECT month, round(needed_heads - productive_heads, 4), month > '2027-05-31' FROM spm.capacity_by_month('2027') WHERE month IN ('2027-03-01', '2027-12-01')$$, 'BI sees what is missing');

-- where people differ
SELECT spm.add_capacity_role('2027', 'SE', 100, deviation => 0.5) \g /dev/null
SELECT spm.add_capacity_heads('2027', 'SE', '2026-01-01', 16), spm.set_capacity_target('2027', 'SE', 1600, '2027-04-01') \g /dev/null
SELECT results_eq($$SELECT capacity, deviation, chance FROM spm.capacity_by_month('2027', 'SE') WHERE target IS NOT NULL$$, $$VALUES (1600.00, 200.00, 0.500000)$$, 'sixteen who bring 100 give or take 50 bring 1,600 give or take 200');
SELECT spm.set_capacity_target('2027', 'SE', 1400, '2027-04-01') \g /dev/null
SELECT is((SELECT chance FROM spm.capacity_by_month('2027', 'SE') WHERE target IS NOT NULL), 0.841345, 'one standard deviation less is reached five times in six');
SELECT spm.set_capacity_target('2027', 'SE', 1600, '2027-04-01') \g /dev/null
SELECT results_eq($$SELECT start_month, hires FROM spm.hiring_plan('2027', 'SE') WHERE hires > 0$$, $$VALUES ('2027-04-01'::date, 2)$$,
    'two more: 1,800 give or take 212 is 1,600 or more with 83 %; one more only with 69 %');

-- who is there, and what they are to bring, from seats and quotas
SELECT spm.add_position(k, k, 'AE'), spm.add_payee(k, k) FROM unnest('{a1,a2,a3}'::text[]) k \g /dev/null
SELECT spm.assign_position('a1', 'a1', '2020-05-17'), spm.assign_position('a2', 'a2', '2024-01-01'), spm.assign_ramp('New AE', 'a2', '2026-11-16') \g /dev/null
SELECT is(spm.load_capacity_heads('2027', 'AE'), 2, 'who sits in a seat of the title is there');
SELECT results_eq($$SELECT start_month, heads FROM spm.capacity_cohort JOIN spm.capacity_role USING (capacity_role_id) WHERE name = 'AE' AND start_month < '2027-01-01' ORDER BY 1$$,
    $$VALUES ('2020-05-01'::date, 1), ('2026-11-01', 1)$$, 'since the start in the seat, or that of the ramp');
SELECT spm.set_quota('a1', '2027-02', 50000, 'bookings'), spm.set_quota(NULL, '2027-02', 30000, 'bookings', title => 'AE') \g /dev/null
SELECT is(spm.load_capacity_targets('2027', 'bookings', 'fiscal', over_assignment => 0.1), 100000.00, 'quotas of 110,000 with 10 % over-assignment are to bring 100,000');
SELECT is((SELECT target FROM spm.capacity_by_month('2027', 'AE') WHERE month = '2027-02-01'), 100000.00, 'in their month');
SELECT is((SELECT target FROM spm.capacity_by_month('2027', 'AE') WHERE month = '2027-03-01'), 960000.00, 'other months stay');

-- workload, by number and by segment
CREATE SCHEMA crm;
CREATE TABLE crm.account (id int, revenue int);
INSERT INTO crm.account SELECT i, i FROM generate_series(1, 20) i;
SELECT spm.add_segmentation('tier', 'crm.account', 'id', '{revenue}', '{A,B}', 'count', '{0.2}') \g /dev/null
SELECT spm.segment_accounts('tier', '2026-12-31') \g /dev/null
SELECT spm.set_workload('2027', 'AE', 'north', 2, 1, accounts => 300, other_hours => 0.5), spm.set_workload('2027', 'AE', 'tier A', 10, 3, segmentation => 'tier', segment => 'A') \g /dev/null
SELECT results_eq($$SELECT workload_name, segment_name, accounts, visits, hours, needed_heads FROM spm_bi.capacity_workload ORDER BY 1$$,
    $$VALUES ('north', NULL, 300.0000, 600.0000, 900.0000, 7.5), ('tier A', 'A', 4, 40, 120, 1)$$, 'hours over 120 that one has; a segment has the accounts that it has when the plan begins');
SELECT spm.set_workload('2027', 'AE', 'north', 1, 1, accounts => 120) \g /dev/null
SELECT is((SELECT sum(needed_heads) FROM spm_bi.capacity_workload), 2.0000, 'a workload of the same name takes the place of the other');

-- what is refused
SELECT throws_ok(q, e, m, m) FROM (VALUES
    ($$SELECT spm.capacity_chance('{1}', '{0.5,0.5}', '{1}', 1)$$, '22023', 'heads, present and units must be of the same length'),
    ($$SELECT spm.capacity_chance('{1}', '{1.5}', '{1}', 1)$$, '22023', 'group 1 makes no sense'),
    ($$SELECT spm.capacity_chance('{1,-1}', '{1,1}', '{1,1}', 1)$$, '22023', 'group 2 makes no sense'),
    ($$SELECT spm.capacity_chance('{1}', '{NaN}', '{1}', 1)$$, '22023', 'group 1 makes no sense'),
    ($$SELECT spm.capacity_chance('{NULL}', '{1}', '{1}', 1)$$, '22004', 'heads must not contain NULL'),
    ($$SELECT spm.capacity_chance('{1}', '{1}', '{1}', 1, -1)$$, '22023', 'deviation makes no sense'),
    ($$SELECT spm.economic_size(1, 1, 1, 1, 1)$$, '22023', 'the response of sales makes no sense'),
    ($$SELECT spm.economic_size(1, 1, 0.5, 1, 0)$$, '22023', 'cost of one cannot be 0, tolerance 0.01'),
    ($$SELECT spm.economic_size(1000000, 1, 0.9999, 1, 1)$$, '22003', NULL),
    ($$SELECT spm.allocate_heads(1, '{1,1}', '{1}', '{0.5,0.5}', '{1,1}')$$, '22023', 'sales, heads, elasticities and margins must be of the same length'),
    ($$SELECT spm.allocate_heads(1, '{1,1}', '{1,0}', '{0.5,0.5}', '{1,1}')$$, '22023', 'segment 2 makes no sense'),
    ($$SELECT spm.allocate_heads(-1, '{1}', '{1}', '{0.5}', '{1}')$$, '22023', '-1 people cannot be allocated to 1 segments'),
    ($$SELECT spm.add_capacity_plan('x', '2027-01-02')$$, '22023', 'first_month must be the first day of a month, not 2027-01-02'),
    ($$SELECT spm.add_capacity_plan('x', '2027-01-01', 12, 1)$$, '22023', 'a capacity plan cannot have 12 months and a service level of 1'),
    ($$SELECT spm.add_capacity_plan('2027', '2027-01-01')$$, '42710', 'capacity plan "2027" already exists'),
    ($$SELECT spm.add_capacity_role('2028', 'AE', 1)$$, '42704', 'capacity plan "2028" does not exist'),
    ($$SELECT spm.add_capacity_role('2027', 'AE', 1)$$, '42710', 'role "AE" already exists in capacity plan "2027"'),
    ($$SELECT spm.add_capacity_role('2027', 'AM', 0)$$, '22023', 'productivity of role "AM" makes no sense'),
    ($$SELECT spm.add_capacity_role('2027', 'AM', 1, attrition => 2)$$, '22023', 'attrition of role "AM" makes no sense'),
    ($$SELECT spm.add_capacity_role('2027', 'AM', 1, ramp => 'x')$$, '42704', 'ramp "x" does not exist'),
    ($$SELECT spm.add_capacity_heads('2027', 'AM', '2027-01-01', 1)$$, '42704', 'role "AM" does not exist in capacity plan "2027"'),
    ($$SELECT spm.add_capacity_heads('2027', 'AE', '2027-01-01', -1)$$, '22023', 'there cannot be -1 people of AE who start in 2027-01'),
    ($$SELECT spm.set_capacity_target('2027', 'AE', -1)$$, '22023', 'target of role "AE" cannot be -1'),
    ($$SELECT spm.set_capacity_target('2027', 'AE', 1, '2028-01-01')$$, '22023', '2028-01 is no month of capacity plan "2027"'),
    ($$SELECT spm.load_capacity_heads('2027', 'SE')$$, '22023', 'no role of capacity plan "2027" has a title'),
    ($$SELECT spm.load_capacity_targets('2027', 'bookings', 'fiscal', 'SE')$$, '22023', 'no seat of a role of capacity plan "2027" has a monthly quota of "bookings"'),
    ($$SELECT spm.set_workload('2027', 'AE', 'x', 1, 1)$$, '22023', 'workload "x" needs a number of accounts or a segment that has them'),
    ($$SELECT spm.set_workload('2027', 'AE', 'x', -1, 1, 1)$$, '22023', 'workload "x" makes no sense'),
    ($$SELECT * FROM spm.hiring_plan('2027', service_level => 1)$$, '22023', 'service level cannot be 1'),
    ($$SELECT * FROM spm.hiring_plan('2027', least_share => 2)$$, '22023', 'least share of the ramp cannot be 2')) v(q, e, m);
SELECT * FROM finish();
ROLLBACK;
