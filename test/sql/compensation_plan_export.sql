-- A plan goes out as one document and comes in again, checked; two versions are compared field by field.
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

SELECT spm.set_variable('salary', 60000), spm.create_plan('AE', 'company', 'USD', '2026-01-01') \g /dev/null
SELECT spm.add_component('AE', 'Commission', '0%: 8%, 80%: 10%, 100%: 12%', quota => 'bookings') \g /dev/null
SELECT spm.add_component('AE', 'Kicker', '100%: 500 bonus', quota => 'bookings', accumulate => 'year') \g /dev/null
UPDATE spm.plan_version v SET state = 'published', content_hash = spm._plan_hash(v.plan_version_id) FROM spm.plan p WHERE p.plan_id = v.plan_id AND p.name = 'AE';
SELECT spm.new_plan_version('AE', '2026-07-01'), spm.drop_component('AE', 'Commission'), spm.drop_component('AE', 'Kicker') \g /dev/null
SELECT spm.add_component('AE', 'Commission', '0%: 8%, 80%: 10%, 100%: 14%, 150%: 16% cap 50000', quota => 'bookings', eligible => 'type = ''booking''', accumulate => 'year') \g /dev/null
SELECT spm.add_component('AE', 'Margin', '0: 0, 100: 2%', measure => 'amount - cost', variable => 'salary') \g /dev/null
INSERT INTO spm.lookup (name, dimensions, otherwise) VALUES ('by region', '{region,size}', 1.50);
INSERT INTO spm.lookup_row (lookup_id, span, keys, ranges, value)
SELECT lookup_id, '[2026-01-01,)', keys, ranges, value FROM spm.lookup, (VALUES ('{NULL,NULL}'::text[], ARRAY[NULL, numrange(100, NULL)], 3.0), ('{EMEA,NULL}', ARRAY[NULL, numrange(0, 100)], 2)) r(keys, ranges, value);
UPDATE spm.component SET lookup_id = (SELECT lookup_id FROM spm.lookup), lookup_expressions = ARRAY[spm.checked_expression('account_key', 'text'), spm.checked_expression('amount', 'text')], credit_cap = 12.50 WHERE name = 'Margin' AND plan_version_id = spm._draft_id('AE');
INSERT INTO spm.modifier (component_id, modifier_no, kind, of_components, figures, value)
SELECT component_id, 1, 'gate', '{Commission}', '{attainment}', 0.8 FROM spm.component WHERE name = 'Margin' AND plan_version_id = spm._draft_id('AE');
INSERT INTO spm.modifier (component_id, modifier_no, kind, of_components, figures, rates)
SELECT component_id, 2, 'multiply', '{""}', '{attainment}', '0: 1, 1: 1.5 whole' FROM spm.component WHERE name = 'Margin' AND plan_version_id = spm._draft_id('AE');

-- ------------------------------------------------------------------ comparing
SELECT results_eq($$SELECT item, field, before, after FROM spm.plan_diff('AE') WHERE item ~ 'Commission'$$, $$VALUES
    ('component Commission', 'accumulate', 'period', 'year'),
    ('component Commission', 'eligible', NULL, '(t.type = ''booking''::text)'),
    ('component Commission', 'rate options', '', 'cap 50000'),
    ('component Commission, tier 100 %', 'rate', '12 %', '14 %'),
    ('component Commission, tier 100 %', 'to', NULL, '150 %'),
    ('component Commission, tier 150 %', 'rate', NULL, '16 %')$$, 'a change says what it is about, and both values; what was not said had its default');
SELECT results_eq($$SELECT item, field, before, after FROM spm.plan_diff('AE') WHERE item ~ 'Kicker'$$, $$VALUES
    ('component Kicker', 'accumulate', 'year', NULL), ('component Kicker', 'measure', 't.amount', NULL), ('component Kicker', 'order', '2', NULL),
    ('component Kicker', 'places', '2', NULL), ('component Kicker', 'quota', 'bookings', NULL), ('component Kicker', 'rate options', 'bonus', NULL),
    ('component Kicker', 'tier basis', 'quota', NULL), ('component Kicker, tier 100 %', 'rate', '500', NULL)$$,
    'of what is gone all stands on the left, a bonus as an amount of money');
SELECT results_eq($$SELECT item, field, before, after FROM spm.plan_diff('AE', 1, 2) WHERE item ~ 'Margin'$$, $$VALUES
    ('component Margin', 'credit cap', NULL, '12.5'), ('component Margin', 'lookup', NULL, 'by region'),
    ('component Margin', 'lookup expressions', NULL, 't.account_key, (t.amount)::text'), ('component Margin', 'measure', NULL, '(t.amount - t.cost)'),
    ('component Margin', 'order', NULL, '2'), ('component Margin', 'places', NULL, '2'), ('component Margin', 'variable', NULL, 'salary'),
    ('component Margin, tier 0', 'rate', NULL, '0 %'), ('component Margin, tier 0', 'to', NULL, '100'), ('component Margin, tier 100', 'rate', NULL, '2 %'),
    ('component Margin, modifier 1', 'figures', NULL, 'attainment'), ('component Margin, modifier 1', 'kind', NULL, 'gate'),
    ('component Margin, modifier 1', 'of components', NULL, 'Commission'), ('component Margin, modifier 1', 'value', NULL, '0.8'),
    ('component Margin, modifier 2', 'figures', NULL, 'attainment'), ('component Margin, modifier 2', 'kind', NULL, 'multiply'),
    ('component Margin, modifier 2', 'of components', NULL, ''), ('component Margin, modifier 2', 'rates', NULL, '0: 1, 1: 1.5 whole')$$,
    'of what is new all stands on the right, component by component');
SELECT is_empty($$SELECT * FROM spm.plan_diff('AE', 2, 2)$$, 'a version does not differ from itself');
SELECT results_eq($$SELECT item, field, after, before FROM spm.plan_diff('AE', 2, 1) ORDER BY 1, 2$$, $$SELECT item, field, before, after FROM spm.plan_diff('AE', 1, 2) ORDER BY 1, 2$$,
    'the way back is the way there, turned round');
SELECT throws_ok($$SELECT * FROM spm.plan_diff('AE', 7, 2)$$, '42704', 'plan "AE" has no version 7', 'a version that is not there cannot be compared');
SELECT throws_ok($$SELECT * FROM spm.plan_diff('AF')$$, '42704', 'plan "AF" does not exist', 'nor a plan');
SELECT throws_ok($$SELECT * FROM spm.plan_diff('Seller')$$, '42704', 'plan "Seller" has no version 0', 'nor a first version with the one before');

-- ------------------------------------------------------------- out and in again
-- every plan there is, in every version
SELECT p.name, v.version_no, spm.export_plan(p.name, v.version_no) AS document INTO TEMPORARY exported FROM spm.plan p JOIN spm.plan_version v USING (plan_id);
SELECT ok(count(*) >= 4, 'there are plans to be exported') FROM exported;
SELECT ok(bool_and(spm.import_plan(document, name || ' again ' || version_no) > 0), 'each comes in again') FROM exported;
SELECT is_empty($$SELECT * FROM exported WHERE (spm.export_plan(name || ' again ' || version_no) || jsonb_build_object('name', name))::text <> document::text$$,
    'and out again as the same, to the last byte');
SELECT is_empty($$SELECT e.name FROM exported e JOIN spm.plan p ON p.name = e.name || ' again ' || e.version_no JOIN spm.plan_version c USING (plan_id)
    JOIN spm.plan o ON o.name = e.name JOIN spm.plan_version v ON v.plan_id = o.plan_id AND v.version_no = e.version_no
    WHERE spm._plan_hash(c.plan_version_id) <> spm._plan_hash(v.plan_version_id)$$, 'with the same hash');
SELECT is(document ->> 'calendar', 'company', 'a document names the calendar'), is(document -> 'lookups' -> 0 -> 'rows' -> 1 ->> 'value', '3.0', 'and brings its lookup tables along')
FROM exported WHERE name = 'AE' AND version_no = 2;
SELECT is(version_no, 2, 'the latest version is meant unless another is named') FROM exported WHERE name = 'AE' AND document = spm.export_plan('AE');
SELECT throws_ok($$SELECT spm.export_plan('AE', 3)$$, '42704', 'plan "AE" has no version 3', 'a version must be there');

-- a plan written by hand
SELECT lives_ok($$SELECT spm.import_plan('{"spm_plan": 1, "name": "By hand", "calendar": "company", "currency_code": "USD", "since": "2026-01-01",
    "components": [{"name": "Commission", "rates": "0%: 5%, 100%: 7.5% edge lower", "measure": "bookings", "eligibility_expression": "type = ''booking'' and quantity > 1"},
                   {"name": "Units", "rates": "0: 2", "unit": "count", "measure_expression": "quantity"}]}')$$, 'a plan may be written by hand');
SELECT results_eq($$SELECT c.component_no, c.name, spm.component_rates(c.component_id)::text, c.measure_expression, c.eligibility_expression
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) WHERE p.name = 'By hand' ORDER BY 1$$,
    $$VALUES (1, 'Commission', '0%: 5%, 100%: 7.5% edge lower', 't.amount', '((t.type = ''booking''::text) AND (t.quantity > (1)::numeric))'),
             (2, 'Units', '0: 200%', 't.quantity', NULL)$$, 'with rates in one line, expressions as they are typed, and in order');

-- --------------------------------------------------------------------- refused
CREATE FUNCTION pg_temp.import(change jsonb) RETURNS int LANGUAGE sql AS $$
    SELECT spm.import_plan(document || '{"name": "x"}' || change) FROM exported WHERE name = 'AE' AND version_no = 2
$$;
SELECT throws_ok($$SELECT spm.import_plan('[]')$$, '22023', 'this is no document of a plan', 'something else is refused');
SELECT throws_ok($$SELECT spm.import_plan('{}', 'x')$$, '22023', 'this is no document of a plan', 'also when it is an object');
SELECT throws_ok($$SELECT spm.import_plan(NULL)$$, '22023', 'this is no document of a plan', 'or nothing');
SELECT throws_ok($$SELECT pg_temp.import('{"spm_plan": 2}')$$, '0A000', 'a document of a plan in format 2 cannot be read', 'another format is refused');
SELECT throws_ok($$SELECT pg_temp.import('{"colour": 2}')$$, '22023', '"colour" is not known in a plan', 'a key that nobody knows is refused');
SELECT throws_ok($$SELECT pg_temp.import('{"plan_id": 2}')$$, '22023', '"plan_id" is not known in a plan', 'keys of rows too');
SELECT throws_ok($$SELECT pg_temp.import('{"calendar_id": 2}')$$, '22023', '"calendar_id" is not known in a plan', 'those of other tables too');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "component_id": 1}]}')$$, '22023', '"component_id" is not known in components of a plan', 'and those of parts');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "rates": "0: 1", "modifiers": [{"kind": "cap", "valeu": 1}]}]}')$$, '22023',
    '"valeu" is not known in modifiers of a plan', 'however deep');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "plan_version_id": 1, "rates": "0: 1"}]}')$$, '22023', '"plan_version_id" is not known in components of a plan',
    'a component cannot choose its version');
SELECT throws_ok($$SELECT pg_temp.import('{"since": null}')$$, '22023', NULL, 'a first day must be given');
SELECT throws_ok($$SELECT spm.import_plan((SELECT document - 'calendar' FROM exported WHERE name = 'AE' AND version_no = 2), 'x')$$, '22023', 'the document of the plan has no "calendar"', 'and a calendar');
SELECT throws_ok($$SELECT pg_temp.import('{"name": "AE"}')$$, '23505', 'plan "AE" exists already', 'a name is taken once');
SELECT throws_ok($$SELECT pg_temp.import('{"calendar": "lunar"}')$$, '42704', 'calendar "lunar" does not exist', 'the calendar must be there');
SELECT throws_ok($$SELECT pg_temp.import('{"currency_code": "XXX"}')$$, '42704', 'currency "XXX" does not exist', 'and the currency');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "rates": "0: 1", "measure": "units"}]}')$$, '42704', 'measure "units" does not exist', 'the measures');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "rates": "0: 1", "variable": "units"}]}')$$, '42704', 'variable "units" does not exist', 'the variables');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "rates": "0: 1", "lookup": "units"}]}')$$, '42704', 'lookup table "units" does not exist', 'lookup tables, unless they come along');
SELECT throws_ok($$SELECT pg_temp.import('{"lookups": [{"name": "by region", "dimensions": ["region"]}]}')$$, '42710', 'lookup table "by region" exists, with other rows', 'which may not change one that is there');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "rates": "0: 1, 0: 2"}]}')$$, '22023', NULL, 'rates are read as ever');
SELECT throws_ok($$SELECT pg_temp.import('{"components": [{"name": "a", "rates": "0: 1", "modifiers": [{"kind": "multiply", "figures": ["amount"], "of_components": [""], "rates": "nonsense"}]}]}')$$, '22P02', NULL, 'those of modifiers too');
-- what is imported is never executed unchecked
SELECT throws_ok(format('SELECT pg_temp.import(%L)', jsonb_build_object('components', jsonb_build_array(jsonb_build_object('name', 'a', 'rates', '0: 1') || x))), '42P17', NULL, x::text || ' is refused')
FROM (VALUES ('{"measure_expression": "pg_sleep(9)::text::numeric"}'::jsonb), ('{"measure_expression": "(SELECT 1.0)"}'), ('{"eligibility_expression": "pg_terminate_backend(1)"}'),
    ('{"accumulate": "group", "group_expression": "current_user"}'), ('{"lookup": "by region", "lookup_expressions": ["account_key", "pg_read_file(''x'')"]}')) v(x);
SELECT is_empty($$
    SELECT p.relation, a.attname FROM spm._plan_part() p
    JOIN pg_attribute a ON a.attrelid = format('spm.%I', p.relation)::regclass AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attname ~ 'expression|condition|sql|query' AND a.attname NOT IN (SELECT field FROM spm._plan_expression())
    $$, 'no column that may hold an expression is left out of the checks');
SELECT is((SELECT count(*) FROM spm.plan WHERE name = 'x'), 0::bigint, 'of what is refused nothing stays');
-- what adding would have refused is found before it is published
SAVEPOINT imported;
SELECT spm.import_plan(jsonb_build_object('spm_plan', 1, 'name', 'Odd', 'calendar', document -> 'calendar', 'currency_code', 'USD', 'since', '2026-01-01', 'components', $$[
    {"name": "a", "rates": "0: 1", "modifiers": [{"kind": "multiply", "figures": ["earned"], "of_components": [""]}]},
    {"name": "b", "rates": "0: 1", "modifiers": [{"kind": "gate", "figures": ["amount"], "of_components": [""], "scope": "team", "value": 1}]},
    {"name": "c", "rates": "0: 1", "modifiers": [{"kind": "cap", "value": 5}, {"kind": "add", "value": 1}]},
    {"name": "d", "rates": "1: 1000, 2: 600", "basis": "rank", "inputs": [{"of_component": "a", "figure": "amount", "scope": "plan"}]}]$$::jsonb)) FROM exported WHERE name = 'AE' AND version_no = 1 \g /dev/null
SELECT results_eq($$SELECT component, defect FROM spm.plan_defect('Odd')$$, $$VALUES ('d', 'it pays places, but by rates that add up from one to the next: the first would earn nothing'), ('a', 'modifier 1 goes by earnings of the component itself'),
    ('b', 'modifier 1 goes by results of others of the component itself'), ('c', 'modifier 2, "add", comes after a limit')$$, 'modifiers that would pay nothing, silently, and prizes that the first would not get');
ROLLBACK TO imported;

-- ------------------------------------------------------------------ as a version
SELECT is(spm.import_plan_version('Manager', document || '{"name": "whatever"}', '2026-10-01'), 2, 'a document may become the next version of a plan') FROM exported WHERE name = 'AE' AND version_no = 1;
SELECT is(spm.export_plan('Manager') - 'since', document - 'since' || '{"name": "Manager"}', 'which then says the same') FROM exported WHERE name = 'AE' AND version_no = 1;
SELECT throws_ok($$SELECT spm.import_plan_version('Manager', spm.export_plan('AE'), '2026-11-01')$$, '55000', NULL, 'but not while there is a draft');
SELECT throws_ok($$SELECT spm.import_plan_version('Manager', spm.export_plan('AE') || '{"currency_code": "EUR"}', '2026-11-01')$$, '22023',
    'currency_code of plan "Manager" is USD, that of the document is EUR', 'nor in another currency');

SELECT * FROM finish();
ROLLBACK;
