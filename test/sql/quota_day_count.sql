-- How much of a period somebody was there, by every way of counting.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01') \g /dev/null

CREATE FUNCTION pg_temp.counted(method text, since date, last_day date, first date, last date, calendar text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT active_days::float || ' of ' || period_days::float
    FROM spm.day_count(datemultirange(daterange(since, last_day, '[]')), daterange(first, last, '[]'), method, calendar)
$$;

-- calendar
SELECT is(pg_temp.counted('calendar', '2026-01-15', '2026-01-31', '2026-01-01', '2026-01-31'), '17 of 31', 'calendar: first and last day count');
SELECT is(pg_temp.counted('calendar', '2025-06-01', '2026-12-31', '2026-01-01', '2026-01-31'), '31 of 31', 'calendar: days outside of the period do not');
SELECT is(pg_temp.counted('calendar', '2026-02-01', '2026-02-28', '2026-01-01', '2026-01-31'), '0 of 31', 'calendar: who was not there has no day');
SELECT is((SELECT active_days FROM spm.day_count('{[2026-01-01,2026-01-05),[2026-01-20,2026-01-22)}', '[2026-01-01,2026-02-01)')), 6::numeric,
    'calendar: days apart from each other add up, and it is the usual way');
SELECT is((SELECT active_days || ' of ' || period_days FROM spm.day_count('{(,)}', '[2024-01-01,2025-01-01)')), '366 of 366', 'calendar: a leap year has 366 days');
-- exclusive
SELECT is(pg_temp.counted('exclusive', '2023-09-30', '2023-12-31', '2023-01-01', '2023-12-31'), '92 of 365', 'exclusive: the day of the start is not counted');
SELECT is(pg_temp.counted('exclusive', '2022-09-30', '2023-12-31', '2023-01-01', '2023-12-31'), '365 of 365', 'exclusive: who was there before loses no day');
SELECT is(pg_temp.counted('exclusive', '2023-01-01', '2023-12-31', '2023-01-01', '2023-12-31'), '365 of 365', 'exclusive: nor who starts with the period');
SELECT is((SELECT active_days FROM spm.day_count('{[2026-01-11,2026-01-15),[2026-01-20,2026-01-22)}', '[2026-01-01,2026-02-01)', 'exclusive')), 5::numeric,
    'exclusive: coming back is not a start');
-- working
SELECT is(pg_temp.counted('working', '2026-01-15', '2026-01-31', '2026-01-01', '2026-01-31'), '12 of 22', 'working: Saturdays and Sundays are not counted');
SELECT spm.add_holiday('fiscal', d::date, n) FROM (VALUES ('2026-01-01', 'New Year'), ('2026-01-19', 'a Monday'), ('2026-01-24', 'a Saturday')) v(d, n) \g /dev/null
SELECT is(pg_temp.counted('working', '2026-01-15', '2026-01-31', '2026-01-01', '2026-01-31', 'fiscal'), '11 of 20', 'working: nor holidays of the calendar, which on a Saturday change nothing');
SELECT is(pg_temp.counted('working', '2026-01-17', '2026-01-19', '2026-01-01', '2026-01-31', 'fiscal'), '0 of 20', 'working: a weekend and a holiday are nothing');
SELECT is_empty($$
    SELECT d FROM generate_series(date '1999-12-20', date '2000-03-10', interval '1 day') d, generate_series(0, 20) n
    WHERE (SELECT active_days FROM spm.day_count(datemultirange(daterange(d::date, d::date + n)), '[1999-12-01,2000-05-01)', 'working'))
        <> (SELECT count(*) FROM generate_series(d, d + (n - 1) * interval '1 day', '1 day') x WHERE extract(isodow FROM x) < 6)
    $$, 'working: as many as there are one by one, before and after 2000');
-- 30/360
SELECT is(pg_temp.counted('30/360', '2026-01-15', '2026-03-31', '2026-01-01', '2026-03-31'), '76 of 90', '30/360: every month has 30 days');
SELECT is(pg_temp.counted('30/360', '2026-02-01', '2026-02-28', '2026-01-01', '2026-12-31'), '30 of 360', '30/360: February too');
SELECT is(pg_temp.counted('30/360', '2026-01-31', '2026-01-31', '2026-01-01', '2026-01-31')
    || ', ' || pg_temp.counted('30/360', '2026-01-01', '2026-01-30', '2026-01-01', '2026-01-31'), '1 of 30, 29 of 30', '30/360: and the 30th and 31st are one day');
-- 365
SELECT is(pg_temp.counted('365', '2024-01-01', '2024-06-30', '2024-01-01', '2024-12-31'), '181 of 365', '365: 29 February is no day');
SELECT is(pg_temp.counted('365', '2024-02-29', '2024-02-29', '2024-02-01', '2024-02-29'), '0 of 28', '365: not even alone');
SELECT is_empty($$
    SELECT d FROM generate_series(date '1896-01-01', date '2104-12-01', interval '5 months') d
    WHERE (SELECT period_days FROM spm.day_count('{}', daterange(d::date, (d + interval '3 years')::date), '365')) <> 1095
    $$, '365: three years have 1,095 days, wherever they begin');
-- months
SELECT is(pg_temp.counted('months', '2026-03-31', '2026-12-31', '2026-01-01', '2026-03-31'), '1 of 3', 'months: the month of the start counts, however late in it');
SELECT is(pg_temp.counted('months', '2026-01-10', '2026-02-01', '2026-01-01', '2026-12-31'), '2 of 12', 'months: and that of the end');
SELECT is(pg_temp.counted('full months', '2026-01-02', '2026-03-30', '2026-01-01', '2026-03-31'), '1 of 3', 'full months: only what is whole counts');
SELECT is(pg_temp.counted('mid month', '2026-01-15', '2026-03-14', '2026-01-01', '2026-03-31') || ', ' || pg_temp.counted('mid month', '2026-01-16', '2026-03-15', '2026-01-01', '2026-03-31'),
    '2 of 3, 2 of 3', 'mid month: a month counts in which the 15th is active');
SELECT is(pg_temp.counted('months', '2026-02-20', '2026-02-25', '2026-01-29', '2026-02-25') || ', ' || pg_temp.counted('months', '2026-02-20', '2026-04-29', '2026-01-29', '2026-04-29'),
    '1 of 1, 3 of 3', 'months: in a calendar of weeks a period of 4 weeks is one, of 13 three');
SELECT is(pg_temp.counted('months', '2026-01-31', '2026-03-31', '2026-01-31', '2026-04-29'), '3 of 3', 'months: also where a period begins on a 31st');
-- zero, none
SELECT is(pg_temp.counted('zero', '2026-01-02', '2026-01-31', '2026-01-01', '2026-01-31') || ', ' || pg_temp.counted('zero', '2025-01-02', '2026-01-31', '2026-01-01', '2026-01-31'),
    '0 of 31, 31 of 31', 'zero: all or nothing');
SELECT is(pg_temp.counted('none', '2026-01-02', '2026-01-03', '2026-01-01', '2026-01-31'), '31 of 31', 'none: always all');
-- rounded
SELECT is((SELECT 20000 * active_days / period_days FROM spm.day_count('{[2023-09-30,2024-01-01)}', '[2023-01-01,2024-01-01)', 'exclusive rounded 3'))::numeric(10,4), 5040.0000,
    'rounded 3: 92 of 365 is 0.252, so that 20,000 become 5,040');
SELECT is((SELECT active_days / period_days FROM spm.day_count('{[2026-01-15,2026-02-01)}', '[2026-01-01,2026-02-01)', 'calendar rounded 5'))::numeric(10,7), 0.5483900,
    'rounded 5: 17 of 31 is 0.54839');
SELECT is((SELECT active_days FROM spm.day_count('{}', '[2026-01-03,2026-01-05)', 'working rounded 2')), 0::numeric, 'rounded: no working day at all is nothing');
SELECT is((SELECT active_days IS NULL AND period_days IS NULL FROM spm.day_count(NULL, '[2026-01-03,2026-01-05)')), true, 'of what is not known nothing is counted');

-- what is refused
SELECT throws_ok($$SELECT spm.day_count('{}', '[2026-01-01,2026-02-01)', 'fortnights')$$, '22023', 'there is no way of prorating named "fortnights"', 'another way is refused');
SELECT throws_ok($$SELECT spm.day_count('{}', '[2026-01-01,2026-02-01)', 'none rounded 2')$$, '22023', NULL, 'none has nothing to round');
SELECT throws_ok(format($$SELECT spm.day_count('{}', %L)$$, p), '22023', NULL, 'so is a period whose days cannot be counted: ' || p)
FROM unnest('{empty,"(,)","[2026-01-01,)","[2026-01-01,infinity)","[1800-01-01,2026-01-01)"}'::text[]) p;
SELECT throws_ok($$SELECT spm.day_count('{}', '[2026-01-01,2026-02-01)', 'working', 'lunar')$$, '42704', NULL, 'and a calendar that is not there');
SELECT throws_ok($$SELECT spm.add_holiday('fiscal', '2026-01-01', 'again')$$, '23505', '2026-01-01 is a holiday of calendar "fiscal" already', 'a holiday is one once');
SELECT throws_ok($$SELECT spm.add_holiday('lunar', '2026-01-01', 'New Year')$$, '42704', NULL, 'of a calendar that is there');
SELECT results_eq($$SELECT calendar_name, day, holiday_name FROM spm_bi.holiday ORDER BY day LIMIT 1$$, $$VALUES ('fiscal', date '2026-01-01', 'New Year')$$, 'BI sees holidays');

SELECT * FROM finish();
ROLLBACK;
