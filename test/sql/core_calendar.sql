\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(49);

-- Periods of a calendar as text: name, first day, day after the last, parent.
CREATE FUNCTION pg_temp.periods(calendar text, grain text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', p.name, lower(p.span), upper(p.span), parent.name)
    FROM spm.period p JOIN spm.calendar c USING (calendar_id)
    LEFT JOIN spm.period parent ON parent.period_id = p.parent_period_id
    WHERE c.name = $1 AND p.grain = $2 ORDER BY p.span
$$;

-- Standard calendars
SELECT is(spm.create_calendar('plain', grain => 'month', first => '2026-01-01', until => '2027-01-01'), 17::bigint,
    'a year of months has 1 year, 4 quarters and 12 months');
SELECT results_eq($$SELECT * FROM pg_temp.periods('plain', 'quarter')$$,
    ARRAY['2026-Q1 2026-01-01 2026-04-01 2026', '2026-Q2 2026-04-01 2026-07-01 2026',
          '2026-Q3 2026-07-01 2026-10-01 2026', '2026-Q4 2026-10-01 2027-01-01 2026'], 'quarters lie in their year');
SELECT results_eq($$SELECT * FROM pg_temp.periods('plain', 'month') LIMIT 4$$,
    ARRAY['2026-01 2026-01-01 2026-02-01 2026-Q1', '2026-02 2026-02-01 2026-03-01 2026-Q1',
          '2026-03 2026-03-01 2026-04-01 2026-Q1', '2026-04 2026-04-01 2026-05-01 2026-Q2'], 'months lie in their quarter');
SELECT is(spm.create_calendar('fiscal', grain => 'quarter', first => '2025-02-01', until => '2027-02-01'), 10::bigint,
    'a calendar of quarters has no months');
SELECT results_eq($$SELECT * FROM pg_temp.periods('fiscal', 'quarter') LIMIT 1$$,
    ARRAY['2026-Q1 2025-02-01 2025-05-01 2026'], 'a year is called after the one it ends in');
SELECT spm.create_calendar('by start', grain => 'month', first => '2025-02-01', until => '2026-02-01', year_named_by => 'start');
SELECT results_eq($$SELECT * FROM pg_temp.periods('by start', 'quarter') LIMIT 1$$,
    ARRAY['2025-Q1 2025-02-01 2025-05-01 2025'], 'or after the one it starts in');
SELECT results_eq($$SELECT * FROM pg_temp.periods('by start', 'month') OFFSET 10$$,
    ARRAY['2025-12 2025-12-01 2026-01-01 2025-Q4', '2026-01 2026-01-01 2026-02-01 2025-Q4'],
    'a calendar month keeps its own name in any fiscal year');
SELECT spm.create_calendar('tax', grain => 'month', first => '2025-04-06', until => '2026-04-06');
SELECT results_eq($$SELECT * FROM pg_temp.periods('tax', 'month') LIMIT 1$$,
    ARRAY['2026-M01 2025-04-06 2025-05-06 2026-Q1'], 'months that start within a month are numbered');
SELECT is(spm.create_calendar('years', grain => 'year', first => '2024-01-01', until => '2027-01-01'), 3::bigint, 'years can stand alone');
SELECT is(spm.create_calendar('weeks', grain => 'week', first => '2025-12-29', until => '2026-12-28'), 52::bigint, 'so can weeks');
SELECT results_eq($$SELECT * FROM pg_temp.periods('weeks', 'week') LIMIT 1$$,
    ARRAY['2026-W01 2025-12-29 2026-01-05'], 'a week is called after its ISO week');
SELECT spm.create_calendar('sundays', grain => 'week', first => '2026-01-04', until => '2026-01-11');
SELECT results_eq($$SELECT * FROM pg_temp.periods('sundays', 'week')$$,
    ARRAY['2026-W02 2026-01-04 2026-01-11'], 'a week from Sunday is called after the ISO week that its fourth day is in');

-- Retail calendars.  The National Retail Federation's published 4-5-4 years had 53 weeks in 2006, 2012, 2017 and 2023.
SELECT spm.create_calendar('retail', grain => '4-5-4', first => '2006-01-29', until => '2025-02-02', year_named_by => 'start');
SELECT results_eq($$SELECT p.name FROM spm.period p JOIN spm.calendar c USING (calendar_id)
    WHERE c.name = 'retail' AND p.grain = 'year' AND upper(p.span) - lower(p.span) = 371 ORDER BY 1$$,
    ARRAY['2006', '2012', '2017', '2023'], 'the long years of retail are those of the published calendar');
SELECT results_eq($$SELECT * FROM pg_temp.periods('retail', 'year') WHERE periods ~ '^(2017|2023)'$$,
    ARRAY['2017 2017-01-29 2018-02-04', '2023 2023-01-29 2024-02-04'], 'and so are their days');
SELECT results_eq($$SELECT (upper(p.span) - lower(p.span)) / 7 FROM spm.period p JOIN spm.calendar c USING (calendar_id)
    WHERE c.name = 'retail' AND p.grain = 'month' AND p.name LIKE '2023-%' ORDER BY p.span$$,
    ARRAY[4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 5], 'the 53rd week goes into the last month');
SELECT spm.create_calendar('445', grain => '4-4-5', first => '2022-09-25', until => '2024-09-29', year_end => 'last saturday of september');
SELECT results_eq($$SELECT * FROM pg_temp.periods('445', 'year')$$,
    ARRAY['2023 2022-09-25 2023-10-01', '2024 2023-10-01 2024-09-29'], 'a year may end on the last Saturday of a month');
SELECT results_eq($$SELECT (upper(p.span) - lower(p.span)) / 7 FROM spm.period p JOIN spm.calendar c USING (calendar_id)
    WHERE c.name = '445' AND p.grain = 'month' AND p.name LIKE '2024-%' ORDER BY p.span$$,
    ARRAY[4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5], '4-4-5 means four, four and five weeks');
SELECT spm.create_calendar('december', grain => '5-4-4', first => '2024-12-29', until => '2028-12-31', year_end => 'nearest saturday to the end of december');
SELECT results_eq($$SELECT * FROM pg_temp.periods('december', 'year')$$,
    ARRAY['2025 2024-12-29 2026-01-04', '2026 2026-01-04 2027-01-03', '2027 2027-01-03 2028-01-02', '2028 2028-01-02 2028-12-31'],
    'a year that ends some days into January keeps the year of its December');
SELECT is((SELECT count(*) FROM spm.period p JOIN spm.period parent ON parent.period_id = p.parent_period_id
    WHERE NOT p.span <@ parent.span OR p.calendar_id <> parent.calendar_id), 0::bigint, 'every period lies within its parent');

-- Longer, later
SELECT is(spm.extend_calendar('fiscal', until => '2028-02-01'), 5::bigint, 'a calendar can be extended');
SELECT is(spm.period_on('fiscal', 'quarter', '2028-01-31'), '2028-Q4', 'in the same scheme');
SELECT is(spm.period_on('fiscal', 'quarter', '2030-01-31'), NULL, 'a day beyond the calendar has no period');

-- What is refused
SELECT throws_ok($$SELECT spm.create_calendar('bad', 'month', '2026-01-01', '2026-07-01')$$, '22023',
    'a year of the calendar does not start on 2026-07-01', 'part of a year is refused');
SELECT throws_ok($$SELECT spm.create_calendar('bad', '4-4-5', '2026-01-01', '2027-01-31')$$, '22023',
    'a year of the calendar does not start on 2026-01-01', 'a retail year cannot start on any day');
SELECT throws_ok($$SELECT spm.create_calendar('bad', 'week', '2026-01-01', '2026-01-09')$$, '22023',
    'a calendar of weeks has whole weeks', 'part of a week is refused');
SELECT throws_ok($$SELECT spm.create_calendar('bad', 'day', '2026-01-01', '2027-01-01')$$, '22023',
    'calendar grain "day" is not known', 'an unknown grain is refused');
SELECT throws_ok($$SELECT spm.create_calendar('bad', '4-4-5', '2026-01-01', '2027-01-01', 'whenever')$$, '22023',
    'year end "whenever" is not understood', 'a rule for the year''s end must be understood');
SELECT throws_ok($$SELECT spm.create_calendar('bad', 'month', '2027-01-01', '2026-01-01')$$, '22023',
    'a calendar must end after it begins', 'an empty calendar is refused');
SELECT throws_ok($$SELECT spm.create_calendar('bad', 'month', '2026-01-31', '2027-01-31')$$, '22023',
    'a year of months cannot start on day 31 of a month', 'a month cannot start on a day that not all months have');
SELECT throws_ok($$SELECT spm.create_calendar('plain', 'month', '2026-01-01', '2027-01-01')$$, '42710',
    'calendar "plain" already exists', 'a calendar is created once');
SELECT throws_ok($$SELECT spm.extend_calendar('none', '2027-01-01')$$, '42704',
    'calendar "none" does not exist', 'only a known calendar can be extended');

-- Names
SELECT is((SELECT name FROM spm.period WHERE period_id = spm._period_id('2026-W07')), '2026-W07', 'a period is found by its name');
SELECT throws_ok($$SELECT spm._period_id('2026-Q1')$$, '22023', 'period "2026-Q1" is in more than one calendar',
    'a name that two calendars have needs the calendar');
SELECT is((SELECT span FROM spm.period WHERE period_id = spm._period_id('2026-Q1', 'fiscal')), '[2025-02-01,2025-05-01)',
    'and is found with it');
SELECT throws_ok($$SELECT spm._period_id('2026-Q7')$$, '42704', 'period "2026-Q7" does not exist', 'an unknown period is refused');
SELECT throws_ok($$SELECT spm._period_id('2026-Q1', 'none')$$, '42704', 'calendar "none" does not exist', 'and an unknown calendar');

-- Windows of any length
CREATE TEMP TABLE window_row (title text, starts date, ends date);
INSERT INTO window_row VALUES ('launch', '2026-01-10', '2026-01-31'), ('spring', '2026-02-01', '2026-04-15'), ('summer', '2026-04-16', '2026-08-31');
SELECT is(spm.load_periods('windows', 'window_row', 'starts', 'ends', 'title'), 3::bigint, 'periods are loaded from a table');
SELECT results_eq($$SELECT * FROM pg_temp.periods('windows', 'window')$$,
    ARRAY['launch 2026-01-10 2026-02-01', 'spring 2026-02-01 2026-04-16', 'summer 2026-04-16 2026-09-01'],
    'the end in the table is the last day');
SELECT spm.load_periods('windows 2', 'window_row', 'starts', last_day => '2026-08-31');
SELECT results_eq($$SELECT * FROM pg_temp.periods('windows 2', 'window')$$,
    ARRAY['2026-01-10 2026-01-10 2026-02-01', '2026-02-01 2026-02-01 2026-04-16', '2026-04-16 2026-04-16 2026-09-01'],
    'without ends each lasts until the next starts');
SELECT throws_ok($$SELECT spm.load_periods('windows 3', 'window_row', 'starts')$$, '22023', NULL, 'the last one then needs a last day');
SELECT throws_ok($$SELECT spm.load_periods('windows', 'window_row', 'begins')$$, '42703', NULL, 'a column that is not there is refused');
SELECT throws_ok($$SELECT spm.load_periods('windows', 'window_row', 'title')$$, '42804', NULL, 'a column that holds no dates is refused');
INSERT INTO window_row VALUES ('clash', '2026-08-31', '2026-09-30');
SELECT throws_ok($$SELECT spm.load_periods('windows 3', 'window_row', 'starts', 'ends', 'title')$$, '23P01',
    'periods "summer" and "clash" overlap', 'periods that overlap are refused');
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE window_row SET starts = '2026-09-02' WHERE title = 'clash';
SELECT throws_ok($$SELECT spm.load_periods('windows 3', 'window_row', 'starts', 'ends', 'title')$$, '23514',
    'calendar "windows 3" has a gap from 2026-09-01 to 2026-09-01', 'a gap is refused by its days');
SELECT lives_ok($$SELECT spm.load_periods('windows 3', 'window_row', 'starts', 'ends', 'title', is_gapless => false)$$,
    'unless the calendar may have gaps');
SELECT throws_ok($$DELETE FROM spm.period WHERE name = 'spring' AND calendar_id = (SELECT calendar_id FROM spm.calendar WHERE name = 'windows')$$,
    '23514', 'calendar "windows" has a gap from 2026-02-01 to 2026-04-15', 'a period in the middle cannot be deleted');
SELECT throws_ok($$UPDATE spm.period SET span = '[2026-04-20,2026-09-01)' WHERE name = 'summer' AND calendar_id = (SELECT calendar_id FROM spm.calendar WHERE name = 'windows')$$,
    '23514', 'calendar "windows" has a gap from 2026-04-16 to 2026-04-19', 'nor can one be shortened in the middle');
SELECT throws_ok($$DELETE FROM spm.period WHERE period_id = spm._period_id('2026-Q4', 'plain')$$,
    '23514', 'period "2026-10" must lie within the period it is part of', 'a parent cannot be deleted before its children');
SELECT throws_ok($$UPDATE spm.period SET parent_period_id = spm._period_id('2026-Q1', 'plain') WHERE period_id = spm._period_id('2026-12', 'plain')$$,
    '23514', 'period "2026-12" must lie within the period it is part of', 'a child must lie within its parent');
SELECT * FROM finish();
ROLLBACK;
