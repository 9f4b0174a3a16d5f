-- What a plan version says is one document: it is copied, compared and hashed by it.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01'), spm.add_currency('USD'), spm.add_currency('EUR'), spm.add_measure('bookings') \g /dev/null
SELECT spm.set_variable('bonus', 100), spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01') \g /dev/null
SELECT spm.add_component('AE', 'Flat', '0: 5%') \g /dev/null
SELECT is(spm._plan_content(1)::text,
    '{"components": [{"name": "Flat", "tiers": [{"rate": 0.05, "bounds": "[0,)"}], "places": 2, "component_no": 1, "measure_expression": "t.amount"}]}',
    'a plan says what was said of it, and is silent about defaults');
SELECT spm.add_component('AE', 'Bonus', '0%: 8%, 100%: 12% cap 500', quota => 'bookings', variable => 'bonus', eligible => 'type = ''booking''') \g /dev/null
INSERT INTO spm.lookup (name, dimensions) VALUES ('by region', '{region,size}');
INSERT INTO spm.lookup_row (lookup_id, span, keys, ranges, value) SELECT lookup_id, '[2026-01-01,)', '{EMEA,NULL}', ARRAY[NULL, numrange(0, 100)], 2 FROM spm.lookup;
UPDATE spm.component SET lookup_id = (SELECT lookup_id FROM spm.lookup), lookup_expressions = '{t.account_key,(t.amount)::text}', credit_cap = 12.50, is_true_up = true WHERE name = 'Bonus';
INSERT INTO spm.component_input (component_id, input_no, of_component, figure, weight) SELECT component_id, 1, 'Flat', 'earned', 0.50 FROM spm.component WHERE name = 'Bonus';
INSERT INTO spm.modifier (component_id, modifier_no, kind, of_components, figures, value) SELECT component_id, 2, 'gate', '{Flat}', '{attainment}', 0.8 FROM spm.component WHERE name = 'Bonus';
INSERT INTO spm.modifier (component_id, modifier_no, kind, of_components, figures, lookup_id, variable_id)
SELECT component_id, 5, 'multiply', '{"",Flat}', '{amount,amount}', l.lookup_id, v.variable_id FROM spm.component, spm.lookup l, spm.variable v WHERE component.name = 'Bonus';
SELECT is(jsonb_pretty(spm._plan_content(1) #> '{components,1}'), $${
    "name": "Bonus",
    "tiers": [
        {
            "rate": 0.08,
            "bounds": "[0,1)"
        },
        {
            "rate": 0.12,
            "bounds": "[1,)"
        }
    ],
    "inputs": [
        {
            "figure": "earned",
            "weight": 0.50,
            "input_no": 1,
            "of_component": "Flat"
        }
    ],
    "lookup": "by region",
    "places": 2,
    "measure": "bookings",
    "variable": "bonus",
    "modifiers": [
        {
            "kind": "gate",
            "value": 0.8,
            "figures": [
                "attainment"
            ],
            "modifier_no": 2,
            "of_components": [
                "Flat"
            ]
        },
        {
            "kind": "multiply",
            "lookup": "by region",
            "figures": [
                "amount",
                "amount"
            ],
            "variable": "bonus",
            "modifier_no": 5,
            "of_components": [
                "",
                "Flat"
            ]
        }
    ],
    "credit_cap": 12.50,
    "is_true_up": true,
    "tier_basis": "quota",
    "component_no": 2,
    "rate_options": "cap 500",
    "lookup_expressions": [
        "t.account_key",
        "(t.amount)::text"
    ],
    "measure_expression": "t.amount",
    "eligibility_expression": "(t.type = 'booking'::text)"
}$$, 'names stand where tables have keys, and all that hangs on a component stands with it');

SELECT is_empty($$
    SELECT p.relation, a.attname FROM spm._plan_part() p
    JOIN pg_attribute a ON a.attrelid = format('spm.%I', p.relation)::regclass AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attname LIKE '%\_id' AND a.attname NOT IN (p.relation || '_id', p.parent || '_id', 'measure_id', 'variable_id', 'lookup_id')
    $$, 'no key of a plan version goes without a name');
SELECT is_empty($$
    SELECT c.conrelid::regclass FROM pg_constraint c
    WHERE c.contype = 'f' AND c.confrelid IN ('spm.plan_version'::regclass, 'spm.component'::regclass)
      -- but for results
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attname IN ('run_id', 'posting_id', 'payee_id'))
      AND NOT EXISTS (SELECT FROM spm._plan_part() p WHERE format('spm.%I', p.relation)::regclass = c.conrelid)
    $$, 'no table that goes with a version is left out of what it says');
SELECT is_empty($$
    SELECT p.relation FROM spm._plan_part() p
    WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = format('spm.%I', p.relation)::regclass AND t.tgfoid = 'spm._guard_component'::regproc)
    $$, 'each of them is guarded');

-- publishing would go through the checks: here only the state counts
UPDATE spm.plan_version SET state = 'published', content_hash = spm._plan_hash(1);
SELECT is(spm.new_plan_version('AE', '2026-07-01'), 2, 'a new version is written from what the last one says');
SELECT is(spm._plan_content(2), spm._plan_content(1), 'and says the same');
SELECT is(spm._plan_content(2)::text, spm._plan_content(1)::text, 'to the last digit');
SELECT is(spm._plan_hash(2), spm._plan_hash(1), 'so it has the same hash');
SELECT throws_ok($$UPDATE spm.component_input SET weight = 1$$, '23001', 'a published plan version never changes', 'inputs stay as they are');
SELECT throws_ok($$DELETE FROM spm.modifier$$, '23001', 'a published plan version never changes', 'and modifiers');
SELECT lives_ok($$UPDATE spm.modifier SET value = 0.9 WHERE component_id > 2 AND kind = 'gate'$$, 'those of a draft may change');
SELECT isnt(spm._plan_hash(2), spm._plan_hash(1), 'which shows in its hash');
SELECT throws_ok($$UPDATE spm.measure SET name = 'sales'$$, '23001', 'a published plan names measure "bookings"', 'what it names keeps its name');
SELECT throws_ok($$UPDATE spm.lookup SET name = 'rates'$$, '23001', 'a published plan names lookup "by region"', 'a lookup table too');
SELECT throws_ok($$UPDATE spm.variable SET name = 'pay'$$, '23001', 'a published plan names variable "bonus"', 'and a variable');
SELECT spm.add_measure('profit'), spm.set_variable('salary', 1) \g /dev/null
SELECT lives_ok($$UPDATE spm.measure SET name = 'margin' WHERE name = 'profit'; UPDATE spm.variable SET name = 'base' WHERE name = 'salary'; UPDATE spm.measure SET name = name$$,
    'others may be renamed');

SELECT throws_ok($$UPDATE spm.plan SET currency_code = 'EUR'$$, '23001', 'calendar, currency and rate type of a published plan never change', 'nor does the currency it pays in change');
SELECT lives_ok($$UPDATE spm.plan SET name = 'Account Executive'; UPDATE spm.plan SET name = 'AE'$$, 'its own name may');

-- an unknown day of a version keeps its place whatever the settings say
SET LOCAL datestyle = 'German';
SET LOCAL extra_float_digits = 0;
SET LOCAL search_path = pg_catalog, public;
SELECT ok(spm._is_as_published(1), 'no setting changes what a version says');
RESET datestyle;
RESET search_path;

-- versions published by spm 0.2.0
SELECT spm.create_plan('Old', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Old', 'Commission', '0%: 8%, 100%: 12% cap 500', quota => 'bookings', variable => 'bonus', eligible => 'type = ''booking''') \g /dev/null
CREATE TEMPORARY TABLE old AS SELECT v.plan_version_id, encode(sha256(convert_to(jsonb_build_array(jsonb_build_array(c.component_id, 1, 'Commission', 'direct', 't.amount',
    '(t.type = ''booking''::text)', 'money', c.measure_id, 'period', 'quota', 'cap 500', c.variable_id, 2, 'half_up', '[["[0,1)", "0.08"], ["[1,)", "0.12"]]'::jsonb))::text, 'UTF8')), 'hex') AS hash
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id) JOIN spm.component c USING (plan_version_id) WHERE p.name = 'Old';
UPDATE spm.plan_version SET content_hash = old.hash FROM old WHERE old.plan_version_id = plan_version.plan_version_id;
SELECT ok(spm._is_as_published(plan_version_id), 'a version that 0.2.0 has published is still what it was') FROM old;
SAVEPOINT more;
UPDATE spm.component SET credit_cap = 5 FROM old WHERE component.plan_version_id = old.plan_version_id;
SELECT ok(NOT spm._is_as_published(plan_version_id), 'unless something is changed that 0.2.0 did not know') FROM old;
ROLLBACK TO more;
INSERT INTO spm.component_input (component_id, input_no, of_component, figure) SELECT component_id, 1, 'Flat', 'earned' FROM spm.component JOIN old USING (plan_version_id);
SELECT ok(NOT spm._is_as_published(plan_version_id), 'or added') FROM old;
ROLLBACK TO more;
UPDATE spm.tier SET rate = 0.081 FROM spm.component c, old WHERE c.component_id = tier.component_id AND c.plan_version_id = old.plan_version_id AND lower(bounds) = 0;
SELECT ok(NOT spm._is_as_published(plan_version_id), 'or a rate is another') FROM old;
ROLLBACK TO more;

-- writing
SELECT throws_ok($$SELECT spm._write_content(plan_version_id, '{"components": [{"name": "x", "colour": "red"}]}') FROM old$$, '22023',
    '"colour" is not known in components of a plan', 'what no column knows is refused');
SELECT throws_ok($$SELECT spm._write_content(plan_version_id, '{"components": [{"name": "x", "measure": "units", "measure_expression": "t.amount"}]}') FROM old$$, '42704',
    'measure "units" does not exist', 'a measure that is not there too');
SELECT throws_ok($$SELECT spm._write_content(plan_version_id, '{"components": [{"name": "x", "variable": "units", "measure_expression": "t.amount"}]}') FROM old$$, '42704',
    'variable "units" does not exist', 'a variable');
SELECT throws_ok($$SELECT spm._write_content(plan_version_id, '{"components": [{"name": "x", "lookup": "units", "measure_expression": "t.amount"}]}') FROM old$$, '42704',
    'lookup table "units" does not exist', 'and a lookup table');

SELECT * FROM finish();
ROLLBACK;
