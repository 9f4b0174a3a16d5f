-- Which account belongs to which territory: by rules, families, by hand and by scenario; only what changes is written.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA crm;
CREATE TABLE crm.account (account_id text PRIMARY KEY, parent_id text, state text, employees int, potential numeric);
INSERT INTO crm.account VALUES ('A', 'A', 'CA', 10, 100), ('A1', 'A', 'NY', 5, 10), ('A2', 'A', 'TX', 5, 20), ('B', NULL, 'CA', 500, 300),
    ('C', NULL, 'NY', 50, 40), ('D', '', 'TX', 1, 5), ('E', 'gone', NULL, NULL, NULL);
SELECT spm.add_territory_model('2026', 'crm.account', 'account_id', family => 'parent_id', potential => 'potential') \g /dev/null
SELECT spm.add_territory_attribute('2026', 'state'), spm.add_territory_attribute('2026', 'employees', 'number') \g /dev/null
SELECT spm.add_territory('2026', 'US') \g /dev/null
SELECT spm.add_territory('2026', k, parent => 'US') FROM unnest('{W,E}'::text[]) k \g /dev/null
SELECT spm.add_territory('2026', 'BIG', type => 'overlay') \g /dev/null
SELECT spm.add_territory_rule('W', '{"state": "CA"}') AS west, spm.add_territory_rule('E', '{"state": "NY"}') AS east, spm.add_territory_rule('BIG', '{"employees": {"from": 100}}') AS big \gset

CREATE FUNCTION pg_temp.run(as_of date, dry_run boolean DEFAULT false, accounts text[] DEFAULT NULL, rules int[] DEFAULT NULL, until date DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s %s %s', type, outcome, account_count, trim_scale(potential)), ', ')
    FROM spm.assign_territories(as_of => run.as_of, dry_run => run.dry_run, accounts => run.accounts, rules => run.rules, until => run.until)
$$;
CREATE FUNCTION pg_temp.history(account text, type text DEFAULT 'primary') RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s %s', territory_key, origin, daterange(since, until)), ', ' ORDER BY since) FROM spm_bi.territory_assignment
    WHERE account_key = history.account AND type = history.type AND model_name = '2026'
$$;
CREATE FUNCTION pg_temp.digest() RETURNS text LANGUAGE sql AS $$SELECT md5(string_agg(concat(ctid, xmin, a), ',' ORDER BY territory_assignment_id)) FROM spm.territory_assignment a$$;

-- ---- all of them
SELECT is(pg_temp.run('2026-01-01', dry_run => true), 'primary gained 5 470, primary unassigned 2 5, overlay gained 1 300, overlay unassigned 6 175', 'a dry run counts accounts and potential by what becomes of them');
SELECT is((SELECT count(*) FROM spm.territory_assignment), 0::bigint, 'and writes nothing');
SELECT results_eq($$SELECT account_key, outcome, from_territory, to_territory FROM spm.territory_move(as_of => '2026-01-01') WHERE type = 'primary'$$,
    $$VALUES ('A', 'gained', NULL::text, 'W'), ('A1', 'gained', NULL, 'W'), ('A2', 'gained', NULL, 'W'), ('B', 'gained', NULL, 'W'), ('C', 'gained', NULL, 'E'), ('D', 'unassigned', NULL, NULL), ('E', 'unassigned', NULL, NULL)$$,
    'the accounts of a dry run can be looked at, one by one');
SELECT is(pg_temp.run('2026-01-01'), 'primary gained 5 470, primary unassigned 2 5, overlay gained 1 300, overlay unassigned 6 175', 'the run does what the dry run said');
SELECT is(pg_temp.history('A') || '; ' || pg_temp.history('A1') || '; ' || pg_temp.history('C'), 'W rule [2026-01-01,); W family [2026-01-01,); E rule [2026-01-01,)', 'rules decide about heads, and families follow');
SELECT is(pg_temp.history('B') || '; ' || pg_temp.history('B', 'overlay'), 'W rule [2026-01-01,); BIG rule [2026-01-01,)', 'an account has a territory of each type');
SELECT pg_temp.digest() AS before \gset
SELECT is(pg_temp.run('2026-02-01'), 'primary kept 5 470, primary unassigned 2 5, overlay kept 1 300, overlay unassigned 6 175', 'where nothing has changed all is kept');
SELECT is(pg_temp.digest(), :'before', 'and not a row is written');

-- ---- accounts that change
UPDATE crm.account SET state = 'NY' WHERE account_id = 'B';
INSERT INTO crm.account VALUES ('F', NULL, 'CA', 1, 7);
DELETE FROM crm.account WHERE account_id = 'C';
SELECT is(pg_temp.run('2026-03-01', accounts => '{B,F}'), 'primary gained 1 7, primary moved 1 300, overlay kept 1 300, overlay unassigned 1 7', 'only accounts that are named are looked at');
SELECT is(pg_temp.history('B') || '; ' || pg_temp.history('F'), 'W rule [2026-01-01,2026-03-01), E rule [2026-03-01,); W rule [2026-03-01,)', 'what was ends on the day, what is begins');
SELECT is(pg_temp.run('2026-03-01'), 'primary kept 5 437, primary lost 1 0, primary unassigned 2 5, overlay kept 1 300, overlay unassigned 6 142', 'an account that is gone loses its territory');
SELECT is(pg_temp.history('C'), 'E rule [2026-01-01,2026-03-01)', 'from that day on');
UPDATE crm.account SET state = 'CA' WHERE account_id = 'B';
SELECT is(pg_temp.run('2026-03-01') || '; ' || pg_temp.history('B'), 'primary kept 4 137, primary moved 1 300, primary unassigned 2 5, overlay kept 1 300, overlay unassigned 6 142; W rule [2026-01-01,2026-03-01), W rule [2026-03-01,)',
    'a run of the same day takes back what that day began');
UPDATE crm.account SET state = 'NY' WHERE account_id = 'A';
SELECT is(pg_temp.run('2026-03-15', accounts => '{A2}'), 'primary moved 3 130, overlay unassigned 3 130', 'a member brings its head and the rest of its family along');
SELECT is(pg_temp.history('A1'), 'W family [2026-01-01,2026-03-15), E family [2026-03-15,)', 'so that they stay together');

-- ---- rules that change
SELECT spm.add_territory_rule('W', '{"state": ["NY", "TX"]}', precedence => 1) AS new \gset
SELECT is(pg_temp.run('2026-04-01', rules => ARRAY[:new]), 'primary gained 1 5, primary moved 3 130, overlay unassigned 4 135', 'only accounts that a new rule can touch are looked at, with their families');
SELECT is(pg_temp.run('2026-04-01', dry_run => true), 'primary kept 6 442, primary unassigned 1 0, overlay kept 1 300, overlay unassigned 6 142', 'which were all that had to be');
SELECT spm.end_territory_rule(:new) \g /dev/null
SELECT is(pg_temp.run('2026-05-01', rules => ARRAY[:new]), 'primary moved 3 130, primary lost 1 5, overlay unassigned 4 135', 'of a rule that is taken away it is those that it had won');
SELECT is(pg_temp.run('2026-05-01', dry_run => true), 'primary kept 5 437, primary unassigned 2 5, overlay kept 1 300, overlay unassigned 6 142', 'all of them');
SELECT spm.add_territory_rule('W', '{"state": "CA"}', precedence => 5) AS same \gset
SELECT is(pg_temp.run('2026-05-01', rules => ARRAY[:same]), 'primary kept 2 307, overlay kept 1 300, overlay unassigned 1 7', 'another rule for the same territory moves nobody');
SELECT spm.end_territory_rule(:west) \g /dev/null
SELECT pg_temp.run('2026-05-01', rules => ARRAY[:west]) \g /dev/null
SELECT spm.end_territory_rule(:same) \g /dev/null
SELECT is(pg_temp.run('2026-05-01', rules => ARRAY[:same]), 'primary lost 2 307, overlay kept 1 300, overlay unassigned 1 7', 'but it is known which one it was, when that goes in its turn');
SELECT spm.add_territory_rule('W', '{"state": "CA"}') \g /dev/null
SELECT is(pg_temp.run('2026-06-01', until => '2026-07-01'), 'primary kept 3 130, primary gained 2 307, primary unassigned 2 5, overlay kept 1 300, overlay unassigned 6 142', 'a run may be for some days only');
SELECT is(pg_temp.history('B'), 'W rule [2026-01-01,2026-03-01), W rule [2026-03-01,2026-05-01), W rule [2026-06-01,2026-07-01)', 'after which what held before holds again, here nothing');

-- ---- by hand
SELECT spm.assign_account('A', 'W', '2026-08-01', 'asked for', until => '2026-10-01') \g /dev/null
SELECT is(pg_temp.history('A'), 'W rule [2026-01-01,2026-03-15), E rule [2026-03-15,2026-04-01), W rule [2026-04-01,2026-05-01), E rule [2026-05-01,2026-08-01), W manual [2026-08-01,2026-10-01), E rule [2026-10-01,)',
    'what is assigned by hand for some days is cut out of what held');
SELECT is(pg_temp.run('2026-08-15') , 'primary gained 2 307, primary moved 2 30, primary unassigned 2 5, primary locked 1 100, overlay kept 1 300, overlay unassigned 6 142', 'rules leave it alone, and its family follows it');
SELECT spm.unlock_account('A', as_of => '2026-08-15') \g /dev/null
SELECT is(pg_temp.run('2026-09-01', accounts => '{A}'), 'primary moved 3 130, overlay unassigned 3 130', 'unlocked, it goes by the rules');
SELECT is(pg_temp.history('A1'), 'W family [2026-01-01,2026-03-15), E family [2026-03-15,2026-04-01), W family [2026-04-01,2026-05-01), E family [2026-05-01,2026-08-15), W family [2026-08-15,2026-09-01), E family [2026-09-01,)', 'with the family');
SELECT spm.assign_account('D', 'E', '2026-09-01', 'somebody has to', locked => false), spm.lock_account('B', 'renewal', as_of => '2026-09-01') \g /dev/null
UPDATE crm.account SET state = 'NY' WHERE account_id = 'B';
SELECT is(pg_temp.run('2026-09-15'), 'primary kept 5 142, primary unassigned 1 0, primary locked 1 300, overlay unassigned 6 142, overlay locked 1 300', 'what no rule wins stays where somebody has put it, and a lock holds');
SELECT spm.add_territory_rule('W', '{"state": "TX"}') \g /dev/null
SELECT is(pg_temp.run('2026-09-20', accounts => '{D}'), 'primary moved 1 5, overlay unassigned 1 5', 'until a rule does');
-- a lock holds no longer than the territory: tried, and taken back
SAVEPOINT before_end;
SELECT spm.end_territory('W', '2026-11-01') \g /dev/null
SELECT is(pg_temp.run('2026-11-01', accounts => '{B}'), 'primary moved 1 300, overlay locked 1 300', 'what is locked in a territory that has ended goes by the rules');
SELECT is(pg_temp.run('2026-11-01', accounts => '{D}'), 'primary lost 1 5, overlay unassigned 1 5', 'or nowhere');
ROLLBACK TO before_end;
-- B held W from June to July only
SELECT is(pg_temp.run('2026-06-15', accounts => '{B}') || '; ' || pg_temp.history('B'), 'primary moved 1 300, overlay locked 1 300; W rule [2026-01-01,2026-03-01), W rule [2026-03-01,2026-05-01), W rule [2026-06-01,2026-06-15), E rule [2026-06-15,2026-07-01), W rule [2026-08-15,)',
    'what is decided anew for a time that has ended ends with it');
SELECT results_eq($$SELECT account_key, potential, type FROM spm.territory_account(as_of => '2026-09-20') WHERE territory_id IS NULL AND type = 'primary'$$, $$VALUES ('E', 0::numeric, 'primary')$$, 'who has none on a day can be asked');
SELECT results_eq($$SELECT t.territory_key, c.account_count, c.potential, c.total_account_count, c.total_potential, round(c.load_ratio, 3), is_vacant
        FROM spm.territory_coverage(as_of => '2026-09-20') c JOIN spm.territory t USING (territory_id) ORDER BY 1$$,
    $$VALUES ('BIG', 1::bigint, 300::numeric, 1::bigint, 300::numeric, 1.000, true), ('E', 3, 130, 3, 130, 0.588, true), ('US', 0, 0, 6, 442, NULL, true), ('W', 3, 312, 3, 312, 1.412, true)$$,
    'coverage adds up what belongs to each territory, and to all below it');

-- ---- scenarios
SELECT spm.copy_territory_model('2026', 'what if') \g /dev/null
SELECT spm.add_territory_rule('E', '{"state": ["CA", "TX"]}', precedence => 1, model => 'what if') \g /dev/null
SELECT results_eq($$SELECT territory, other_territory, is_same, account_count, potential FROM spm.compare_territory_models('2026', 'what if', '2026-10-01')$$,
    $$VALUES ('W', 'E', false, 2::bigint, 12::numeric), ('W', 'W', true, 1, 300), ('E', 'E', true, 3, 130), (NULL, NULL, true, 1, 0)$$, 'two models are compared by where each would put every account; what is locked stays');

-- ---- refused
SELECT spm.activate_territory_model('2026') \g /dev/null
SELECT throws_ok($$INSERT INTO spm.territory_assignment (territory_model_id, account_key, territory_id, origin, span)
    SELECT territory_model_id, 'B', territory_id, 'manual', '[2026-02-01,2026-02-02)' FROM spm.territory WHERE territory_key = 'E' ORDER BY territory_id LIMIT 1$$,
    '23P01', NULL, 'two territories of a type at a time are refused, whoever writes the table');
SELECT throws_ok($$UPDATE spm.territory_assignment SET span = daterange(lower(span), NULL) WHERE account_key = 'B'$$, '23P01', NULL, 'or changes it');
SELECT throws_ok($$SELECT spm.assign_account('Z', 'E', '2026-01-01', 'x')$$, '42704', 'account "Z" does not exist', 'an unknown account is refused');
SELECT throws_ok($$SELECT spm.assign_account('A', 'E', '2026-01-01', '')$$, '22023', 'reason must not be empty', 'so is no reason');
SELECT throws_ok($$SELECT spm.assign_account('A', 'E', '2026-01-01', 'x', until => '2026-01-01')$$, '22023', NULL, 'and no day');
SELECT throws_ok($$SELECT spm.lock_account('E', as_of => '2026-01-01')$$, '42704', 'account "E" has no territory on 2026-01-01', 'what has no territory cannot be locked');
SELECT throws_ok($$SELECT spm.assign_territories(as_of => NULL)$$, '22023', NULL, 'a run without a day is refused');
SELECT throws_ok($$SELECT spm.assign_territories(as_of => '2026-02-01', until => '2026-01-01')$$, '22023', NULL, 'and one that ends before it begins');
SELECT throws_ok($$SELECT spm.assign_territories('none')$$, '42704', NULL, 'and an unknown model');
INSERT INTO crm.account VALUES ('G', 'A1', 'CA', 1, 1);
SELECT throws_ok($$SELECT spm.assign_territories()$$, '22023', 'account "A1" heads a family and belongs to another', 'families within families are refused');
DELETE FROM crm.account WHERE account_id = 'G';
SAVEPOINT before_nan;
UPDATE crm.account SET potential = 'NaN' WHERE account_id = 'B';
SELECT throws_ok($$SELECT spm.assign_territories()$$, '22023', 'account "B" has no usable potential', 'so is a potential that is no number');
ROLLBACK TO before_nan;
CREATE VIEW crm.twice AS SELECT * FROM crm.account WHERE account_id <> 'G' UNION ALL SELECT * FROM crm.account WHERE account_id = 'F';
SELECT spm.map_accounts('2026', 'crm.twice', 'account_id') \g /dev/null
SELECT throws_ok($$SELECT spm.assign_territories('2026')$$, '23505', 'account "F" occurs 2 times', 'and an account that is there twice');
SELECT spm.add_territory_model('empty') \g /dev/null
SELECT throws_ok($$SELECT spm.assign_territories('empty')$$, '55000', 'model "empty" has no accounts', 'and a model without accounts');
SELECT spm.map_accounts('empty', 'crm.account', 'account_id') \g /dev/null
SELECT is_empty($$SELECT * FROM spm.assign_territories('empty')$$, 'a model without territories assigns nothing');
DROP TABLE crm.account CASCADE;
SELECT throws_ok($$SELECT spm.assign_territories('empty')$$, '42P01', 'the accounts of model "empty" are gone: crm.account does not exist', 'accounts whose relation is gone are named');
-- ---- columns of any name
CREATE TABLE crm."odd %s" (r text, a text, account text, "k'e""y" text PRIMARY KEY, state text);
INSERT INTO crm."odd %s" VALUES (NULL, NULL, NULL, 'X', 'CA'), ('r', 'a', 'account', 'Y', 'CA'), (NULL, NULL, NULL, 'Z', 'NY');
SELECT spm.add_territory_model('odd', 'crm."odd %s"', 'k''e"y'), spm.add_territory_attribute('odd', 'state'), spm.add_territory('odd', 'W') \g /dev/null
SELECT spm.add_territory_rule('W', '{"state": "CA"}', model => 'odd') \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', outcome, account_count), ', ') FROM spm.assign_territories('odd', '2026-01-01')), 'gained 2, unassigned 1',
    'columns may be named as in our own queries');
SELECT results_eq($$SELECT accounts, account_key FROM spm.territory_gap('odd', as_of => '2026-01-01') WHERE accounts > 0$$, $$VALUES (1::bigint, 'Z')$$, 'also where gaps are looked for');
SELECT * FROM finish();
ROLLBACK;
