\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(42);
CREATE TEMP TABLE staff (id int, name text, boss int, role text, joined date);
INSERT INTO staff VALUES (1, 'Vera', NULL, 'VP', '2020-01-01'), (2, 'Max', 1, 'Manager', '2021-01-01'),
    (3, 'Ann', 2, 'AE', '2022-01-01'), (4, 'Bob', 2, 'AE', '2026-04-01');
CREATE FUNCTION pg_temp.line() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT p.position_key || ' to ' || m.position_key || ' ' || l.span
    FROM spm.reporting_line l JOIN spm.position p USING (position_id) JOIN spm.position m ON m.position_id = l.manager_position_id
    ORDER BY p.position_key, l.span
$$;
CREATE FUNCTION pg_temp.seat() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT s.position_key || ' has ' || p.payee_key || ' ' || a.span || CASE WHEN NOT is_primary THEN ' beside' ELSE '' END
    FROM spm.position_assignment a JOIN spm.position s USING (position_id) JOIN spm.payee p USING (payee_id)
    ORDER BY s.position_key, a.span
$$;

-- A whole table at once
SELECT is(spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss', title => 'role'), 4::bigint,
    'a staff table makes everybody a payee');
SELECT results_eq($$SELECT payee_key, name FROM spm.payee ORDER BY 1$$,
    $$VALUES ('1', 'Vera'), ('2', 'Max'), ('3', 'Ann'), ('4', 'Bob')$$, 'with key and name');
SELECT results_eq($$SELECT s.position_key, t.name FROM spm.position s JOIN spm.title t USING (title_id) ORDER BY 1$$,
    $$VALUES ('1', 'VP'), ('2', 'Manager'), ('3', 'AE'), ('4', 'AE')$$, 'a seat of their own, with a title');
SELECT results_eq($$SELECT * FROM pg_temp.seat()$$, ARRAY['1 has 1 (,)', '2 has 2 (,)', '3 has 3 (,)', '4 has 4 (,)'], 'for always');
SELECT results_eq($$SELECT * FROM pg_temp.line()$$, ARRAY['2 to 1 (,)', '3 to 2 (,)', '4 to 2 (,)'], 'and a manager');
SELECT is(spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss', title => 'role'), 4::bigint, 'it can be loaded again');
SELECT is((SELECT count(*) FROM spm.payee) + (SELECT count(*) FROM spm.position_assignment) + (SELECT count(*) FROM spm.reporting_line),
    11::bigint, 'which doubles nothing');
UPDATE staff SET boss = 1, name = 'Anna', role = 'Senior AE' WHERE id = 3;
INSERT INTO staff VALUES (5, 'Eve', 2, 'AE', '2026-04-01');
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss')$$, '23P01',
    'position "3" already reports to "2"', 'a manager who has changed needs the day');
SELECT lives_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss', title => 'role', since => '2026-03-01')$$,
    'with the day the change is loaded');
SELECT results_eq($$SELECT * FROM pg_temp.line()$$,
    ARRAY['2 to 1 (,)', '3 to 2 (,2026-03-01)', '3 to 1 [2026-03-01,)', '4 to 2 (,)', '5 to 2 [2026-03-01,)'],
    'the old line ends, the new one begins, nothing else changes');
SELECT results_eq($$SELECT p.name, t.name FROM spm.payee p JOIN spm.position s ON s.position_key = p.payee_key JOIN spm.title t USING (title_id) WHERE p.payee_key = '3'$$,
    $$VALUES ('Anna', 'Senior AE')$$, 'name and title follow the table');
INSERT INTO staff VALUES (6, 'Kim', 2, 'AE', '2026-04-01');
SELECT spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss', since => '2026-03-01', since_column => 'joined');
SELECT results_eq($$SELECT lower(a.span) FROM spm.position_assignment a JOIN spm.payee p USING (payee_id) WHERE p.payee_key = '6'$$,
    ARRAY['2026-04-01'::date], 'everybody can start on a day of their own');

SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'nr', name => 'name')$$, '42703', NULL, 'a column that is not there is refused');
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'joined', name => 'name')$$, '42804', NULL, 'a date is no key');
INSERT INTO staff VALUES (6, 'Kim again', 2, 'AE', '2026-04-01');
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name')$$, '23505', 'payee "6" is in staff more than once', 'a key that is there twice is refused');
DELETE FROM staff WHERE name LIKE 'Kim%';
INSERT INTO staff VALUES (7, 'Lou', 99, 'AE', '2026-04-01');
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss')$$, '23503', 'manager "99" of payee "7" does not exist', 'an unknown manager is refused');
UPDATE staff SET boss = 7 WHERE id = 7;
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name', manager => 'boss')$$, '23514', 'position "7" cannot report to itself', 'nobody is their own manager');
UPDATE staff SET boss = 2, name = '' WHERE id = 7;
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name')$$, '23502', 'a payee in staff has no name', 'a payee needs a name');
UPDATE staff SET name = 'Lou', id = NULL WHERE id = 7;
SELECT throws_ok($$SELECT spm.load_payees('staff', key => 'id', name => 'name')$$, '23502', 'a payee in staff has no key', 'and a key');

-- One by one
SELECT spm.add_title('Specialist');
SELECT spm.add_payee(k, k) FROM unnest('{P1,P2}'::text[]) AS k;
SELECT spm.add_position('S1', 'Seat one', title => 'Specialist'), spm.add_position('S2', 'Seat two');
SELECT is((SELECT t.name FROM spm.position p JOIN spm.title t USING (title_id) WHERE position_key = 'S1'), 'Specialist', 'a seat can have a title');
SELECT throws_ok($$SELECT spm.add_title('Specialist')$$, '42710', 'title "Specialist" already exists', 'a title is added once');
SELECT throws_ok($$SELECT spm.add_payee('P1', 'x')$$, '42710', 'payee "P1" already exists', 'a payee is added once');
SELECT throws_ok($$SELECT spm.add_position('S1', 'x')$$, '42710', 'position "S1" already exists', 'a seat is added once');
SELECT throws_ok($$SELECT spm.add_position('S3', 'x', title => 'Specialst')$$, '42704', 'title "Specialst" does not exist', 'a seat needs a known title');
SELECT throws_ok($$SELECT spm.add_payee('', 'x')$$, '22023', 'payee_key must not be empty', 'an empty key is refused');

DELETE FROM spm.position_assignment;
SELECT spm.assign_position('S1', 'P1', since => '2026-01-01');
SELECT spm.assign_position('S1', 'P2', since => '2026-03-01');
SELECT results_eq($$SELECT * FROM pg_temp.seat()$$, ARRAY['S1 has P1 [2026-01-01,2026-03-01)', 'S1 has P2 [2026-03-01,)'],
    'who takes a seat ends the time of whoever sat there');
SELECT throws_ok($$SELECT spm.assign_position('S2', 'P2', since => '2026-05-01')$$, '23P01', 'payee "P2" already has the primary seat "S1"',
    'a payee has one primary seat at a time');
SELECT spm.assign_position('S2', 'P2', since => '2026-05-01', until => '2026-06-01', is_primary => false);
SELECT spm.vacate_position('S1', since => '2026-07-01');
SELECT results_eq($$SELECT * FROM pg_temp.seat()$$,
    ARRAY['S1 has P1 [2026-01-01,2026-03-01)', 'S1 has P2 [2026-03-01,2026-07-01)', 'S2 has P2 [2026-05-01,2026-06-01) beside'],
    'another seat can be held beside it, and a seat can be left');
SELECT throws_ok($$SELECT spm.vacate_position('S1', since => '2026-08-01')$$, '22023', 'nobody is in position "S1" on 2026-08-01', 'an empty seat cannot be left');
SELECT spm.assign_position('S1', 'P1', since => '2026-04-01', until => '2026-04-11');
SELECT results_eq($$SELECT * FROM pg_temp.seat() LIMIT 4$$,
    ARRAY['S1 has P1 [2026-01-01,2026-03-01)', 'S1 has P2 [2026-03-01,2026-04-01)', 'S1 has P1 [2026-04-01,2026-04-11)', 'S1 has P2 [2026-04-11,2026-07-01)'],
    'who stands in for somebody gives the seat back');
SELECT spm.vacate_position('S1', since => '2026-04-11');
SELECT results_eq($$SELECT * FROM pg_temp.seat() LIMIT 4$$,
    ARRAY['S1 has P1 [2026-01-01,2026-03-01)', 'S1 has P2 [2026-03-01,2026-04-01)', 'S1 has P1 [2026-04-01,2026-04-11)', 'S2 has P2 [2026-05-01,2026-06-01) beside'],
    'an assignment can be taken back on the day it starts');
SELECT throws_ok($$SELECT spm.assign_position('S1', 'P1', since => '2026-04-01')$$, '23P01', 'the payee of position "S1" is already set from 2026-04-01', 'a seat is not given twice from one day');
SELECT throws_ok($$SELECT spm.assign_position('S9', 'P1', since => '2026-04-01')$$, '42704', 'position "S9" does not exist', 'an unknown seat is refused');
SELECT throws_ok($$SELECT spm.assign_position('S1', 'P9', since => '2026-04-01')$$, '42704', 'payee "P9" does not exist', 'an unknown payee is refused');

DELETE FROM spm.reporting_line;
SELECT spm.set_manager('S2', 'S1', since => '-infinity');
SELECT spm.set_manager('S2', '1', since => '2026-02-01', until => '2026-03-01');
SELECT results_eq($$SELECT * FROM pg_temp.line()$$, ARRAY['S2 to S1 (,2026-02-01)', 'S2 to 1 [2026-02-01,2026-03-01)', 'S2 to S1 [2026-03-01,)'],
    'a line with an end gives back to the one before');
SELECT spm.set_manager('S2', NULL, since => '2026-06-01');
SELECT results_eq($$SELECT * FROM pg_temp.line() OFFSET 2$$, ARRAY['S2 to S1 [2026-03-01,2026-06-01)'], 'a seat can stop reporting');
SELECT throws_ok($$SELECT spm.set_manager('S2', 'S2', since => '2026-09-01')$$, '23514', 'position "S2" cannot report to itself', 'no seat reports to itself');
SELECT throws_ok($$SELECT spm.set_manager('S2', '2', since => '2026-02-01')$$, '23P01', 'the manager of position "S2" is already set from 2026-02-01', 'a line is not overwritten');
SELECT throws_ok($$SELECT spm.set_manager('S2', '2', since => '-infinity')$$, '23P01', 'the manager of position "S2" is already set from the beginning', 'nor one without a beginning');
SELECT throws_ok($$SELECT spm.set_manager('S2', 'nobody', since => '2026-09-01')$$, '42704', 'position "nobody" does not exist', 'an unknown manager is refused');

-- Who may not
CREATE ROLE spm_test_clerk;
GRANT USAGE ON SCHEMA spm TO spm_test_clerk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA spm TO spm_test_clerk;
GRANT SELECT (id) ON staff TO spm_test_clerk;
SET ROLE spm_test_clerk;
SELECT throws_ok($$SELECT spm.load_payees('pg_temp.staff', key => 'id', name => 'name')$$, '42501', 'you may not read column "name" of staff',
    'a column that the caller may not read is refused');
SELECT throws_ok($$SELECT spm.add_payee('P8', 'x')$$, '42501', NULL, 'calling a function gives no right to a table');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
