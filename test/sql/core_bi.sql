\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(24);
SELECT spm.create_calendar('fiscal', grain => 'month', first => '2025-02-01', until => '2026-02-01');
SELECT spm.create_calendar('retail', grain => '4-4-5', first => '2025-02-02', until => '2026-02-01');
SELECT spm.create_calendar('weeks', grain => 'week', first => '2026-01-05', until => '2026-01-19');

-- Periods and days
SELECT results_eq($$SELECT period_name, period_start, period_end, last_day, parent_period_name, state, is_posted, period_index FROM spm_bi.period
        WHERE calendar_name = 'fiscal' AND grain = 'quarter' ORDER BY period_index$$,
    $$VALUES ('2026-Q1', '2025-02-01'::date, '2025-05-01'::date, '2025-04-30'::date, '2026', 'open', false, 1),
             ('2026-Q2', '2025-05-01', '2025-08-01', '2025-07-31', '2026', 'open', false, 2),
             ('2026-Q3', '2025-08-01', '2025-11-01', '2025-10-31', '2026', 'open', false, 3),
             ('2026-Q4', '2025-11-01', '2026-02-01', '2026-01-31', '2026', 'open', false, 4)$$,
    'periods have a first day, a last day, a parent and a place in their row');
SELECT results_eq($$SELECT calendar_name, count(*), count(DISTINCT day) FROM spm_bi.day GROUP BY 1 ORDER BY 1$$,
    $$VALUES ('fiscal', 365::bigint, 365::bigint), ('retail', 364, 364), ('weeks', 14, 14)$$, 'every day of a calendar is there once');
SELECT results_eq($$SELECT grain, period_name, month_name, quarter_name, year_name, weekday_index, is_weekend, day_index, day_count
        FROM spm_bi.day WHERE day = '2026-01-10' ORDER BY calendar_name$$,
    $$VALUES ('month', '2026-01', '2026-01', '2026-Q4', '2026', 6, true, 10, 31),
             ('month', '2026-M12', '2026-M12', '2026-Q4', '2026', 6, true, 14, 35),
             ('week', '2026-W02', NULL, NULL, NULL, 6, true, 6, 7)$$, 'a day knows its month, quarter and year in each calendar');

-- People
CREATE TEMP TABLE staff (id text, name text, boss text, role text);
INSERT INTO staff VALUES ('V', 'Vera', NULL, 'VP'), ('A', 'Ann', 'V', 'AE'), ('B', 'Bob', 'A', 'AE');
SELECT spm.load_payees('staff', 'id', 'name', 'boss', 'role');
SELECT spm.add_payee('N', 'Nobody''s'), spm.add_position('E', 'Empty');
SELECT spm.set_manager('E', 'V', since => '-infinity');
SELECT results_eq($$SELECT payee_key, payee_name, position_key, title_name, manager_payee_key, manager_payee_name FROM spm_bi.payee ORDER BY payee_key$$,
    $$VALUES ('A', 'Ann', 'A', 'AE', 'V', 'Vera'), ('B', 'Bob', 'B', 'AE', 'A', 'Ann'), ('N', 'Nobody''s', NULL, NULL, NULL, NULL), ('V', 'Vera', 'V', 'VP', NULL, NULL)$$,
    'everybody is there once, with seat, title and manager of today');
SELECT spm.vacate_position('A', since => current_date);
SELECT results_eq($$SELECT manager_position_name, manager_payee_key FROM spm_bi.payee WHERE payee_key = 'B'$$, $$VALUES ('Ann', NULL)$$, 'a vacant seat above is a seat without a payee');
SELECT spm.assign_position('A', 'N', since => current_date);
SELECT results_eq($$SELECT payee_key, since, until = current_date, last_day = current_date - 1, is_current FROM spm_bi.position_history WHERE position_key = 'A' ORDER BY until NULLS LAST$$,
    $$VALUES ('A', NULL, true, true, false), ('N', current_date, NULL, NULL, true)$$, 'who sat where when is there, an open end is empty');
SELECT results_eq($$SELECT ancestor_position_key, depth, since, until, is_current FROM spm_bi.hierarchy WHERE position_key = 'B' ORDER BY depth$$,
    $$VALUES ('A', 1, NULL::date, NULL::date, true), ('V', 2, NULL, NULL, true)$$, 'the tree has every seat above, with its distance');

-- Runs
INSERT INTO spm.run (kind, period_id, version, started_at, finished_at, transaction_count)
VALUES ('calculate', spm._period_id('2026-01', 'fiscal'), '1.0', '2026-02-01 10:00+00', '2026-02-01 10:00:01.234+00', 7);
SELECT results_eq($$SELECT run_kind, calendar_name, period_name, duration_ms, spm_version, transaction_count FROM spm_bi.run$$,
    $$VALUES ('calculate', 'fiscal', '2026-01', 1234::bigint, '1.0', 7::bigint)$$, 'a run says what it did and how long it took');

-- Dictionary
SELECT is_empty($$SELECT view_name, column_name FROM spm_bi.dictionary WHERE view_comment IS NULL OR column_comment IS NULL$$, 'the dictionary explains every column');
SELECT is((SELECT count(DISTINCT view_name) FROM spm_bi.dictionary), (SELECT count(*) FROM pg_views WHERE schemaname = 'spm_bi'), 'of every view');
SELECT is_empty($$SELECT view_name, view_comment FROM spm_bi.dictionary WHERE view_comment !~ '^One row per '$$, 'and says first what a row is');

-- Filters reach the tables
SELECT spm.add_payee('x' || i, 'x') FROM generate_series(1, 3000) i \g /dev/null
ANALYZE spm.payee, spm.position_assignment;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; whole text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP whole := whole || line || E'\n'; END LOOP;
    RETURN whole;
END $$;
SELECT matches(pg_temp.plan($$SELECT * FROM spm_bi.payee WHERE payee_key = 'x77'$$), 'Index Scan using payee_payee_key_key', 'one payee is found by the index');

-- The doctor
DELETE FROM spm.payee WHERE payee_key LIKE 'x%';
SELECT results_eq($$SELECT what, severity, detail, repair FROM spm.doctor() WHERE what <> 'calendar'$$,
    $$VALUES ('source', 'info', 'No source of transactions is mapped.', 'SELECT spm.map_source(...);'),
             ('position', 'info', '1 seat(s) are vacant today: E.', format('SELECT spm.assign_position(''E'', payee, since => ''%s'');', current_date))$$,
    'the doctor names what is missing, and who has left is no finding');
CREATE TABLE public.spm_test_deal (k text, d date, a numeric, c text);
INSERT INTO public.spm_test_deal VALUES ('1', '2026-01-01', 1, 'USD'), ('2', '2026-01-01', 1, 'Euro'), ('3', '2026-01-01', 1, NULL);
SELECT spm.map_source('deals', 'public.spm_test_deal', 'k', 'd', NULL, 'a', currency => 'c');
SELECT results_eq($$SELECT severity, detail, repair FROM spm.doctor() WHERE what = 'currency'$$,
    $$VALUES ('error', 'Source "deals" has 1 transaction(s) in Euro, which is not a known currency.', 'Correct the rows, or leave them out with the filter of spm.map_source().'),
             ('error', 'Source "deals" has 1 transaction(s) in USD, which is not a known currency.', 'SELECT spm.add_currency(''USD'');'),
             ('error', 'Source "deals" has 1 transaction(s) without a currency.', 'Correct the rows, or leave them out with the filter of spm.map_source().')$$,
    'unknown currencies, with the call that adds them');
ALTER TABLE public.spm_test_deal RENAME COLUMN k TO key;
SELECT results_eq($$SELECT what, severity FROM spm.doctor() WHERE severity = 'error'$$, $$VALUES ('source', 'error')$$, 'a source that has changed');
SELECT spm.unmap_source('deals');
DELETE FROM spm.position_path;
SELECT results_eq($$SELECT what, severity, repair FROM spm.doctor() WHERE severity = 'error'$$, $$VALUES ('hierarchy', 'error', 'SELECT spm.rebuild_position_path();')$$,
    'paths that do not follow the lines');
SELECT spm.rebuild_position_path();
SELECT spm.add_payee('new', 'New');
SELECT results_eq($$SELECT severity, detail FROM spm.doctor() WHERE what = 'payee'$$, $$VALUES ('warning', '1 payee(s) hold no seat today: new.')$$, 'payees without a seat');
CREATE TEMP TABLE free_window (d date, e date);
INSERT INTO free_window VALUES (current_date - 100, current_date - 50), (current_date - 9, current_date + 400);
SELECT spm.load_periods('windows', 'free_window', 'd', 'e', is_gapless => false);
SELECT results_eq($$SELECT severity, detail FROM spm.doctor() WHERE what = 'calendar' AND detail LIKE '%windows%'$$,
    $$SELECT 'info', format('Calendar "windows" has no period of grain window from %s to %s.', current_date - 49, current_date - 10)$$, 'gaps in a calendar that may have them');

-- Its repairs work: calendars that have just ended are extended by the call that it names
CREATE FUNCTION pg_temp.repaired(name text, grain text, first date, until date, year_end text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    fix text;
BEGIN
    PERFORM spm.create_calendar(name, grain, first, until, year_end);
    SELECT repair INTO fix FROM spm.doctor() WHERE what = 'calendar' AND detail LIKE format('Calendar "%s" ends%%', name);
    EXECUTE fix;
    RETURN (SELECT max(period_end) > until FROM spm_bi.period WHERE calendar_name = name);
END $$;
SELECT ok(pg_temp.repaired('w', 'week', current_date - 14, current_date), 'a calendar of weeks that has ended is extended by the call that is named');
SELECT ok(pg_temp.repaired('m', 'month', (date_trunc('month', current_date) - interval '1 year')::date, date_trunc('month', current_date)::date), 'so is one of months');
SELECT ok(pg_temp.repaired('r', '4-4-5', spm._retail_year_end(rule, year - 1) + 1, spm._retail_year_end(rule, year) + 1, rule), 'and one of retail')
FROM (SELECT 'last saturday of ' || trim(to_char(current_date - 40, 'month')) AS rule, extract(year FROM current_date - 40)::int AS year) AS r;
SELECT is_empty($$SELECT * FROM spm.doctor() WHERE what = 'calendar' AND detail LIKE '%"m"%'$$, 'which then is well');
SELECT is_empty($$SELECT * FROM spm_bi.period WHERE period_start >= period_end OR last_day < period_start$$, 'no period ends before it begins');
SELECT is_empty($$SELECT day FROM spm_bi.day GROUP BY calendar_name, grain, day HAVING count(*) > 1$$, 'no day is in two finest periods of one grain');
SELECT * FROM finish();
ROLLBACK;
