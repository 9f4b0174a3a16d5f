-- Everything that is wrong with a plan is found before it is published, each with its repair.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/company.sql
\set ECHO all
SELECT no_plan();

SELECT spm.create_plan('P', 'company', 'USD', '2026-01-01'), spm.assign_plan('P', '2026-01-01', payee => 's01') \g /dev/null
-- what is wrong with a plan of these components; a document says what add_component() would refuse
CREATE FUNCTION pg_temp.defects(content jsonb) RETURNS TABLE (component text, defect text, repair text) LANGUAGE plpgsql AS $$
DECLARE
    draft int := spm._draft_id('P');
BEGIN
    DELETE FROM spm.component c WHERE c.plan_version_id = draft;
    DELETE FROM spm.pay_rule r WHERE r.plan_version_id = draft;
    PERFORM spm._import_content(draft, content);
    RETURN QUERY SELECT d.* FROM spm.plan_defect('P') d;
END
$$;
SELECT is_empty($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%"}]}')$$, 'a sound plan has no defect');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{}')$$, $$VALUES (NULL::text, 'the version has no component')$$, 'an empty one has');

-- ------------------------------------------------------------------- components
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "accumulate": "moon"}, {"name": "B", "rates": "0: 5%", "accumulate": "rolling 3"}, {"name": "C", "rates": "0: 5%", "accumulate": "rolling x"}]}')$$,
    $$VALUES ('A', 'it accumulates over a moon, but the calendar has none', 'Use deal, period, group, rolling 3, or a grain of the calendar.'),
             ('C', 'it accumulates over a rolling x, but the calendar has none', 'Use deal, period, group, rolling 3, or a grain of the calendar.')$$, 'a total needs a span that there is');
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "basis": "fixed", "accumulate": "year"}, {"name": "B", "rates": "0: 5%", "is_true_up": true}]}')$$,
    $$VALUES ('A', 'it accumulates over a year with basis fixed', 'Only credits accumulate: add it with accumulate => ''period''.'),
             ('B', 'it trues up, but does not accumulate over several periods', 'Add it with accumulate => ''year'', or without true_up.')$$, 'options must fit together');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 100%", "pay": "target"}]}')$$,
    $$VALUES ('A', 'it pays a target by attainment, but has no target'), ('A', 'it pays a target by attainment, but has no quota')$$, 'a target needs an amount and a quota');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "prorate": "moons"}]}')$$,
    $$VALUES ('A', 'there is no way of prorating named "moons"')$$, 'days are counted in a way that there is');
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%, 100000: 8%, 150000: 10% cap 7000"}]}')$$,
    $$VALUES ('A', 'its tier from 150000 is never reached: 150000 earns the cap of 7000 already', 'Raise the cap, or leave the tier out.')$$, 'a tier behind the cap is never reached');
SELECT is_empty($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%, 100000: 8%, 150000: 10% cap 9000.01"}]}')$$, 'one before it is');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A"}]}')$$, $$VALUES ('A', 'it has no tier')$$, 'rates are needed');
SELECT lives_ok($$SELECT pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%"}]}'); UPDATE spm.component SET measure_expression = 'amount' WHERE name = 'A'$$, 'somebody writes around the checks');
SELECT results_eq($$SELECT * FROM spm.plan_defect('P')$$, $$VALUES ('A', 'its measure expression is not written as checking would have written it', 'Write it as t.amount; spm.add_component() does.')$$,
    'an expression that was never checked is found');
UPDATE spm.component SET measure_expression = 'pg_sleep(1)' WHERE name = 'A';
SELECT matches((SELECT defect FROM spm.plan_defect('P')), 'function|expression', 'and one that would be refused');

-- -------------------------------------------------------------- what hangs together
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "basis": "result"}, {"name": "B", "rates": "0: 5%", "inputs": [{"of_component": "A", "figure": "earned"}]}]}')$$,
    $$VALUES ('A', 'it has basis result, but no input', 'SELECT spm.add_input(''P'', ''A'', of => component);'), ('B', 'it has inputs, but basis credit', 'Add it with basis => ''result'', ''rank'' or ''pool''.')$$,
    'what is reckoned from others needs inputs, and nothing else has them');
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "basis": "result", "inputs": [{"of_component": "Z", "figure": "earned"}], "modifiers": [{"kind": "multiply", "of_components": ["", "Y"], "figures": ["amount", "amount"], "lookup": "f"}]}],
      "pay_rules": [{"name": "Cap", "kind": "cap", "method": "forfeited", "amount": 1000, "components": ["A", "X"]}],
      "lookups": [{"name": "f", "dimensions": ["a", "b"], "otherwise": 1}]}')$$,
    $$VALUES ('A', 'input 1 names the component "Z", which the version does not have', 'SELECT spm.add_component(''P'', ''Z'', rates);'),
             ('A', 'modifier 1 names the component "Y", which the version does not have', 'SELECT spm.add_component(''P'', ''Y'', rates);'),
             ('Cap', 'pay rule names the component "X", which the version does not have', 'SELECT spm.add_component(''P'', ''X'', rates);')$$,
    'inputs, modifiers and pay rules name components that there are');
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "basis": "result", "inputs": [{"of_component": "B", "figure": "earned"}]},
      {"name": "B", "rates": "0: 5%", "modifiers": [{"kind": "gate", "value": 1, "of_components": ["A"], "figures": ["amount"]}]}, {"name": "C", "rates": "0: 1%"}]}')$$,
    $$VALUES ('A, B', 'components stand on each other', 'Take out the input or modifier that closes the circle: spm.drop_modifier() or spm.drop_component().')$$, 'a circle is found, by name');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "modifiers": [{"kind": "gate", "value": 0.8, "of_components": ["B"], "figures": ["attainment"]}, {"kind": "gate", "value": 0.8, "of_components": [""], "figures": ["attainment"]}]},
      {"name": "B", "rates": "0: 5%"}]}')$$,
    $$VALUES ('A', 'modifier 1 goes by the attainment of "B", which has no quota'), ('A', 'modifier 2 goes by the attainment of "A", which has no quota')$$, 'an attainment needs a quota');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%"}], "pay_rules": [{"name": "Cap", "kind": "cap", "method": "forfeited", "amount": 1000, "grain": "decade"}]}')$$,
    $$VALUES ('Cap', 'pay rule holds for a decade, but the calendar has none')$$, 'a pay rule holds for a span that there is');

SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%"}], "pay_rules": [{"name": "Cap", "kind": "cap", "method": "forfeited", "amount": 1000, "prorate": "moons"}]}')$$,
    $$VALUES ('Cap', 'there is no way of prorating named "moons"')$$, 'and counts days in a way that there is');

-- ---------------------------------------------------------------- lookup tables
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "lookup": "empty", "lookup_expressions": ["type"]}], "lookups": [{"name": "empty", "dimensions": ["a", "b"]}]}')$$,
    $$VALUES ('A', 'its measure looks into "empty" by 1 dimension, which has 2: a, b', 'Give as many expressions or figures as the lookup table has dimensions.'),
             ('A', 'lookup table "empty" has no rows', 'SELECT spm.set_lookup(''empty'', ''{a,b}'', value);')$$, 'a lookup table has rows, and is asked for all its dimensions');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "lookup": "g", "lookup_expressions": ["type", "quantity", "amount"]}],
     "lookups": [{"name": "g", "dimensions": ["type", "from", "size"], "rows": [
        {"span": "[,)", "keys": ["x", null, null], "ranges": [null, "[0,10)", "[0,5)"], "value": 1}, {"span": "[,)", "keys": ["x", null, null], "ranges": [null, "[10,20)", "[0,5)"], "value": 2},
        {"span": "[,)", "keys": ["x", null, null], "ranges": [null, "[25,30)", "[0,5)"], "value": 3}, {"span": "[,)", "keys": ["x", null, null], "ranges": [null, "[18,20)", "[4,5)"], "value": 3},
        {"span": "[,)", "keys": ["y", null, null], "ranges": [null, "[35,40)", "[0,5)"], "value": 4}, {"span": "[,)", "keys": ["z", null], "ranges": [null, null], "value": 4}]}]}')$$,
    $$VALUES ('A', 'lookup table "g" has a row with 2 cells for 3 dimensions'), ('A', 'lookup table "g" has nothing between 20 and 25 of from'),
             ('A', 'lookup table "g" has two rows that cover the same: x [10,20) [0,5) and x [18,20) [4,5)')$$, 'gaps and overlaps are found within what is the same');
SELECT is_empty($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "lookup": "h", "lookup_expressions": ["quantity"]}],
     "lookups": [{"name": "h", "dimensions": ["size"], "otherwise": 0, "rows": [{"span": "[,)", "keys": [null], "ranges": ["[0,10)"], "value": 1}, {"span": "[,)", "keys": [null], "ranges": ["[20,30)"], "value": 1},
        {"span": "[2026-01-01,2026-07-01)", "keys": ["13"], "ranges": [null], "value": 2}, {"span": "[2026-07-01,)", "keys": ["13"], "ranges": [null], "value": 1}]}]}')$$,
    'a gap is meant where the table has a value for what no row matches; and a row may follow another');

-- ------------------------------------------------------------------ what is missing
SELECT spm.add_measure('units'), spm.assign_plan('P', '2026-02-01', payee => 's02') \g /dev/null
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0%: 5%", "measure": "units"}]}')$$,
    $$VALUES ('A', 'position s01 has no quota for units in 2026-Q1', 'SELECT spm.set_quota(''s01'', ''2026-Q1'', amount, ''units'');'),
             ('A', 'position s02 has no quota for units in 2026-Q1', 'SELECT spm.set_quota(''s02'', ''2026-Q1'', amount, ''units'');')$$, 'quotas of everybody on the plan');
SAVEPOINT quotas;
SELECT spm.set_quota(NULL, '2026-Q1', 100, 'units', title => 'Seller') \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('P')$$, 'one for all who have the title will do');
SELECT spm.set_quota('s01', '2026-Q3', 100, 'units') \g /dev/null
SELECT results_eq($$SELECT defect FROM spm.plan_defect('P')$$, $$VALUES ('position s02 has no quota for units in 2026-Q3')$$, 'once somebody has one for a period, all must');
ROLLBACK TO quotas;
SELECT spm.set_quota('s01', '2026-Q1', 0, 'units'), spm.set_quota('s02', '2026-Q1', 0, 'units'), spm.set_variable('ote', 1000) \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('P')$$, 'a quota of 0 is one');
SELECT results_eq($$SELECT component, defect FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0%: 100%", "measure": "units", "pay": "target", "variable": "ote"}]}') LIMIT 1$$,
    $$VALUES ('A', 'position s01 has a quota of 0 for units in 2026-Q1, and a target that is paid by attainment')$$, 'but nothing to divide a target by');
SELECT spm.set_variable('salary', 1000, payee => 's02'), spm.set_variable('bonus', 100, payee => 's01') \g /dev/null
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "variable": "bonus", "modifiers": [{"kind": "cap", "variable": "salary", "value": 2.5}]}],
      "pay_rules": [{"name": "Draw", "kind": "draw", "method": "floor", "variable": "salary"}, {"name": "New hires", "kind": "draw", "method": "floor", "variable": "salary", "first_periods": 2}]}')$$,
    $$VALUES ('A', 'payee s01 has no value of salary in 2026-Q1', 'SELECT spm.set_variable(''salary'', value, payee => ''s01'');'),
             ('A', 'payee s02 has no value of bonus in 2026-Q1', 'SELECT spm.set_variable(''bonus'', value, payee => ''s02'');'),
             ('Draw', 'payee s01 has no value of salary in 2026-Q1', 'SELECT spm.set_variable(''salary'', value, payee => ''s01'');')$$,
    'variables of components, modifiers and pay rules; not of a rule that ends');
SELECT spm.set_objective('s01', '2026-Q1', 'Launch', 0.6), spm.set_objective('s01', '2026-Q1', 'Hire', 0.5) \g /dev/null
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "MBO", "rates": "0: 100%", "basis": "objective"}]}')$$,
    $$VALUES ('MBO', 'objectives of payee s01 for 2026-Q1 have weights that total 1.1, not 1', 'SELECT spm.set_objective(''s01'', ''2026-Q1'', objective, weight);'),
             ('MBO', 'objectives of payee s02 for 2026-Q1 are missing', 'SELECT spm.set_objective(''s02'', ''2026-Q1'', objective, weight);')$$, 'objectives and their weights');
UPDATE spm.plan SET rate_type = 'budget' WHERE name = 'P';
SELECT results_eq($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%"}]}')$$,
    format($$VALUES (NULL::text, 'no budget rate from EUR to USD on %1$s, the day of an order', 'SELECT spm.set_exchange_rate(''EUR'', ''USD'', ''%1$s'', rate, ''budget'');')$$,
        (SELECT min(t.event_date) FROM spm.transaction t WHERE t.currency_code = 'EUR' AND t.owner_key IN ('s01', 's02'))), 'exchange rates for the orders that are there');
SELECT is_empty($$SELECT * FROM pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%", "unit": "count"}]}')$$, 'but not for counting them');
SELECT throws_ok($$SELECT pg_temp.defects('{"components": [{"name": "A", "rates": "0: 5%"}]}'); SELECT spm.publish_plan('P')$$, '23514', 'plan "P" version 1 has 1 defect(s)', 'and with a defect nothing is published');

SELECT * FROM finish();
ROLLBACK;
