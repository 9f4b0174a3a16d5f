-- What published systems get wrong in silence is refused here: by SQLSTATE, by name, and with the call that repairs it.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();
CREATE FUNCTION pg_temp.refusal(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE command;
    RETURN 'not refused';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE SCHEMA shop;
CREATE TABLE shop.deal (id text, day date, who text, amount numeric, currency text);
CREATE TABLE shop.share (id text, who text, share numeric);
INSERT INTO shop.deal VALUES ('D1', '2026-01-10', 'ann', 1000, 'USD');
SELECT spm.add_currency('USD'), spm.add_currency('EUR'), spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.map_source('deals', 'shop.deal', key => 'id', date => 'day', owner => 'who', amount => 'amount', currency => 'currency'),
    spm.map_split('deals', 'shop.share', key => 'id', owner => 'who', share => 'share') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01') FROM unnest('{ann,bob}'::text[]) k \g /dev/null
SELECT spm.add_measure('bookings') \g /dev/null
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01'), spm.assign_plan('AE', '2026-01-01', payee => 'ann') \g /dev/null

-- ---- tables of rates
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0..100: 5%, 200..: 8%')$$),
    '22023 | rate schedule has no rate between 100 and 200 | Tier 1 ends at 100, tier 2 starts at 200. | Write ''0: 5%, 100: 8%'' to let tier 2 start where tier 1 ends.', 'a gap between tiers');
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0..200: 5%, 100..: 8%')$$),
    '22023 | tiers 1 and 2 of the rate schedule overlap | Tier 1 ends at 200, tier 2 starts at 100. | Write ''0: 5%, 100: 8%'' to let tier 1 end where tier 2 starts.', 'tiers that overlap');
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '100: 5%, 0: 8%')$$),
    '22023 | rate schedule must be in ascending order | Tier 1 starts at 100, tier 2 starts at 0. | Write the tiers in the order in which they start.', 'tiers out of order');
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0%: 5%, 100%: 8%')$$),
    '22023 | component "x" has tiers in percent of quota, but no quota | Name the measure of the quota: quota => ''bookings''.', 'percent of a quota that is not named');
SELECT spm.add_component('AE', 'Commission', '0%: 5%, 100%: 8%', quota => 'bookings') \g /dev/null
SELECT is(pg_temp.refusal($$INSERT INTO spm.tier (component_id, bounds, rate) SELECT component_id, '[0.5,1.5)', 0.09 FROM spm.component$$),
    '23P01 | conflicting key value violates exclusion constraint "tier_overlap" | Key (component_id, bounds)=(1, [0.5,1.5)) conflicts with existing key (component_id, bounds)=(1, [0,1)).', 'a tier written over another');

-- ---- words that are not known
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0: 5%', credits => 'manager')$$),
    '22023 | credits cannot be "manager" | It is one of: direct, rollup, all, overlay, team, rolldown, territory.', 'a kind of credit that there is not');
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0: 5%', basis => 'sales')$$),
    '22023 | basis cannot be "sales" | It is one of: credit, fixed, objective, result, rank, pool.', 'another basis');
SELECT is(pg_temp.refusal($$SELECT spm.add_modifier('AE', 'Commission', 'times', value => 2)$$),
    '22023 | kind cannot be "times" | It is one of: gate, multiply, add, at most, at least, cap, floor.', 'another kind of modifier');

-- ---- what a plan stands on
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0: 5%', quota => 'margin')$$),
    '42704 | measure "margin" does not exist | SELECT spm.add_measure(''margin'');', 'a measure that is not there');
SELECT is(pg_temp.refusal($$SELECT spm.add_component('AE', 'x', '0: 5%', variable => 'rate')$$),
    '42704 | variable "rate" does not exist | SELECT spm.set_variable(''rate'', value, payee => ...);', 'a variable that is not there');
SELECT spm.set_variable('pct', 1, payee => 'ann'), spm.limit_variable('pct', '[0,1]') \g /dev/null
SELECT is(pg_temp.refusal(format($$SELECT spm.set_variable('pct', %s)$$, v)),
    format('23514 | variable "pct" cannot be %s | Its values lie in [0,1]. | SELECT spm.limit_variable(''pct'', range); allows others.', v), d)
FROM (VALUES ('1.01', 'a percentage above 100'), ('-0.01', 'or below 0')) x(v, d);
SELECT is(pg_temp.refusal($$UPDATE spm.variable_value SET value = 101 FROM spm.variable v WHERE v.variable_id = variable_value.variable_id AND v.name = 'pct'$$),
    '23514 | variable "pct" cannot be 101 | Its values lie in [0,1]. | SELECT spm.limit_variable(''pct'', range); allows others.', 'also where it is written past the function');
SELECT is(pg_temp.refusal($$SELECT spm.limit_variable('pct', '[0,1)')$$),
    '23514 | variable "pct" has the value 1 already, and may be [0,1) | It is row 1 of spm.variable_value, for (,). | Correct that value first, or allow more.', 'a range that a value does not keep to');
SELECT is(pg_temp.refusal($$SELECT spm.limit_variable('pct', 'empty')$$), '22023 | a variable cannot keep to an empty range | Give a range such as ''[0,1]''.', 'a range of nothing');
SELECT is(pg_temp.refusal($$SELECT spm.limit_variable('pct', NULL), spm.set_variable('pct', 2, since => '2027-01-01')$$), 'not refused', 'without a range any value goes');
SELECT is(pg_temp.refusal($$SELECT spm.publish_plan('AE')$$),
    '23514 | plan "AE" version 1 has 1 defect(s) | Commission: position ann has no quota for bookings in 2026-Q1 | SELECT * FROM spm.plan_defect(''AE''); names the repair of each.', 'a quota that is missing, at publishing');
SELECT is((SELECT string_agg(concat_ws(' | ', component, defect, repair), E'\n') FROM spm.plan_defect('AE')),
    'Commission | position ann has no quota for bookings in 2026-Q1 | SELECT spm.set_quota(''ann'', ''2026-Q1'', amount, ''bookings'');', 'each defect with its repair');
SELECT spm.add_component('AE', 'Kicker', '0: 5%', basis => 'result'), spm.add_input('AE', 'Kicker', 'Commission', 'earned') \g /dev/null
SELECT is(pg_temp.refusal($$SELECT spm.add_modifier('AE', 'Commission', 'gate', of => '{Kicker}', value => 1)$$),
    '42P19 | components "Commission", "Kicker" stand on each other | Take the input or modifier out that closes the circle: spm.drop_modifier() or spm.drop_component().', 'components in a circle');
SELECT spm.set_quota('ann', '2026-Q1', 10000, 'bookings') \g /dev/null
SELECT spm.publish_plan('AE') \g /dev/null
SELECT is(pg_temp.refusal($$UPDATE spm.tier SET rate = 1$$),
    '23001 | a published plan version never changes | This row of spm.tier belongs to one: {"rate": 0.05, "bounds": "[0,1)", "tier_id": 1, "component_id": 1} | SELECT spm.new_plan_version(plan, since);', 'a published plan is not changed');

-- ---- people
SELECT spm.set_manager('ann', 'bob', '2026-01-01') \g /dev/null
SELECT is(pg_temp.refusal($$SELECT spm.set_manager('bob', 'ann', '2026-01-01')$$),
    '23514 | positions would report to each other in a circle | bob reports to ann reports to bob on 2026-01-01. | End one of these lines first: SELECT spm.set_manager(position, NULL, since => day);', 'a circle in the reporting tree');

-- ---- orders
INSERT INTO shop.share VALUES ('D1', 'ann', 0.6), ('D1', 'bob', 0.3);
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22000 | shares of transaction deals/D1 total 0.9, not 1 | Line "": {ann,bob} have {0.6,0.3}. | Repair the rows of the relation given to spm.map_split().', 'shares that total 0.9');
UPDATE shop.share SET share = 0.5 WHERE who = 'bob';
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22000 | shares of transaction deals/D1 total 1.1, not 1 | Line "": {ann,bob} have {0.6,0.5}. | Repair the rows of the relation given to spm.map_split().', 'shares that total 1.1');
SELECT is(pg_temp.refusal($$SELECT spm.add_credit_rule('r', 'true', '{ann,bob}', '{0.6,0.3}', '2026-01-01')$$),
    '23514 | shares of credit rule "r" must total 1, one for each payee | 2 payees, 2 shares, total 0.9. | Write 60 % as 0.6; for credit on top of the 100 % take spm.add_overlay_rule().', 'a rule whose shares total 0.9');
DELETE FROM shop.share;
UPDATE shop.deal SET currency = 'EUR';
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22000 | no spot rate from EUR to USD on 2026-01-10 | Transaction deals/D1 needs it. | SELECT spm.set_exchange_rate(''EUR'', ''USD'', ''2026-01-10'', rate, ''spot'');', 'an exchange rate that is missing');
UPDATE shop.deal SET currency = 'USD';
UPDATE spm.quota SET superseded_at = now();
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22000 | position "ann" has no quota of bookings for 2026-Q1 | Component "Commission" of plan "AE" needs it. | SELECT spm.set_quota(''ann'', ''2026-Q1'', amount, ''bookings'');', 'a quota that is missing, at calculating');
UPDATE spm.quota SET superseded_at = NULL;

-- ---- orders that a component cannot reckon with: it is named, whatever other plans there are
CREATE TABLE shop.odd (id text, day date, who text, amount numeric, units int, region text);
SELECT spm.map_source('odd', 'shop.odd', key => 'id', date => 'day', owner => 'who', amount => 'amount', quantity => 'units', fixed_currency => 'USD', attributes => '{region}'),
    spm.create_plan('Odd', 'fiscal', 'USD', '2026-01-01'), spm.assign_plan('Odd', '2026-01-01', payee => 'bob') \g /dev/null
SELECT spm.add_component('Odd', 'Price', '0: 1%', measure => 'amount / quantity'),
    spm.add_component('Odd', 'Region', '0: 1%', eligible => $$(attributes ->> 'region')::int > 3$$),
    spm.add_component('Odd', 'Small', '0..100: 1%') \g /dev/null
SELECT spm.publish_plan('Odd') \g /dev/null
INSERT INTO shop.odd VALUES ('O1', '2026-01-10', 'bob', 1000, 0, 'North');
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22012 | division by zero | Component "Price" of plan "Odd" measures (t.amount / t.quantity). | Guard the measure with nullif(), or leave such transactions out with a condition.', 'a measure that divides by 0 names its component');
UPDATE shop.odd SET units = 10;
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22P02 | invalid input syntax for type integer: "North" | Component "Region" of plan "Odd" measures t.amount where (((t.attributes ->> ''region''::text))::integer > 3). | Guard the measure with nullif(), or leave such transactions out with a condition.', 'so does a condition that reads a number where there is none');
UPDATE shop.odd SET region = '7';
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$),
    '22003 | amount 1000 is above the end of the rate schedule | Component "Small" of plan "Odd" measures t.amount. The last tier ends at 100. | Let the last tier have no end, or add ''outside zero'' to pay nothing above it.', 'and rates that do not go as far as what was sold');
UPDATE shop.odd SET amount = 50;
SELECT is(pg_temp.refusal($$CALL spm.calculate('2026-Q1')$$), 'not refused', 'what was repaired is calculated');

-- ---- a quota of 0 has no attainment; bob has sold 50
SELECT spm.set_quota('bob', '2026-Q1', 0, 'bookings') \g /dev/null
CREATE FUNCTION pg_temp.modified(VARIADIC modifiers text[]) RETURNS text LANGUAGE sql AS $f$
    SELECT pg_temp.refusal($$DO $do$ BEGIN
        PERFORM spm.create_plan('New', 'fiscal', 'USD', '2026-01-01'), spm.assign_plan('New', '2026-01-01', payee => 'bob');
        PERFORM spm.add_component('New', 'Sales', '0: 10%', quota => 'bookings'), spm.add_component('New', 'Team', '0: 0%', quota => 'bookings'); $$
        || string_agg(format($$PERFORM spm.add_modifier('New', 'Sales', %s); $$, m), '' ORDER BY n)
        || $$PERFORM spm.publish_plan('New');
        CALL spm.calculate('2026-Q1');
        RAISE EXCEPTION 'earned %', (SELECT trim_scale(m.earned_amount) FROM spm.standing_measurement m JOIN spm.component c USING (component_id) WHERE c.name = 'Sales');
    END $do$ $$) FROM unnest(modifiers) WITH ORDINALITY u(m, n)
$f$;
SELECT is(pg_temp.modified($$'multiply', figure => '{attainment}'$$),
    '22000 | position "bob" has a quota of 0, and its attainment is not defined | Modifier 1 of component "Sales" goes by the attainment of "Sales". | SELECT spm.set_quota(position, period, amount, measure); or use rates in percent.', 'a multiplier that is the attainment');
SELECT is(pg_temp.modified($$'multiply', rates => '0: 80%, 1: 100% whole'$$),
    '22000 | position "bob" has a quota of 0, and its attainment is not defined | Modifier 1 of component "Sales" goes by the attainment of "Sales". | SELECT spm.set_quota(position, period, amount, measure); or use rates in percent.', 'or goes by it, in numbers');
SELECT is(pg_temp.modified($$'cap', figure => '{attainment}', value => 1000$$),
    '22000 | position "bob" has a quota of 0, and its attainment is not defined | Modifier 1 of component "Sales" goes by the attainment of "Sales". | SELECT spm.set_quota(position, period, amount, measure); or use rates in percent.', 'a cap by it');
SELECT is(pg_temp.modified($$'multiply', figure => '{attainment}', scope => 'team', of => '{Team}'$$),
    '22000 | the team of position "bob" has a quota of 0, and its attainment is not defined | Modifier 1 of component "Sales" goes by the attainment of "Team". | SELECT spm.set_quota(position, period, amount, measure); or use rates in percent.', 'a team has none either');
SELECT is(pg_temp.modified($$'multiply', rates => '0%: 80%, 100%: 90% whole'$$), 'P0001 | earned 4.5', 'rates in percent of quota are all reached');
SELECT is(pg_temp.modified($$'gate', value => 0.5$$), 'P0001 | earned 5', 'and so is a gate');

-- ---- limits that are no limits
SELECT is(pg_temp.modified($$'cap', value => -5$$),
    '22023 | cap of component "Sales" cannot be -5 | A cap is the most that is earned, in money: 0 or more.', 'a cap below 0');
SELECT is(pg_temp.modified($$'cap', of => '{Team}', figure => '{amount}', value => -1$$), 'P0001 | earned 0', 'one that comes to -50 is 0');
SELECT is(pg_temp.modified($$'cap', value => 3$$, $$'multiply', value => -1$$), 'P0001 | earned -5', 'also where it is multiplied below 0');
SELECT is(pg_temp.modified($$'floor', value => 4$$, $$'cap', value => 3$$), 'P0001 | earned 3', 'a floor above a cap is the cap');
SELECT is(pg_temp.modified($$'floor', value => 8$$, $$'cap', of => '{Team}', figure => '{amount}', value => 0.12$$), 'P0001 | earned 6', 'a computed one, too: 12 % of 50');
SELECT spm.create_plan('Draft', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Draft', 'Sales', '0: 10%'), spm.add_modifier('Draft', 'Sales', 'cap', value => 5) \g /dev/null
UPDATE spm.modifier SET value = -5 WHERE kind = 'cap';
SELECT is((SELECT string_agg(concat_ws(' | ', component, defect, repair), E'\n') FROM spm.plan_defect('Draft')),
    'Sales | modifier 1 is a cap of -5 | SELECT spm.drop_modifier(''Draft'', ''Sales'', 1); and add one of 0 or more.', 'a cap below 0 that was written past the function');

-- ---- a pot of 100: bob's share of it is below 0, and stops nobody
SELECT spm.create_plan('Pots', 'fiscal', 'USD', '2026-01-01'), spm.assign_plan('Pots', '2026-01-01', payee => 'bob') \g /dev/null
SELECT spm.assign_plan('Pots', '2026-01-01', payee => 'ann'), spm.set_variable('part', 1), spm.set_variable('part', -2, payee => 'bob') \g /dev/null
SELECT spm.add_component('Pots', 'Total', '0: 0%'), spm.add_component('Pots', 'Profit', '0: 0%', measure => 'amount - 60'),
    spm.add_component('Pots', 'By profit', '0: 100 bonus', basis => 'pool'), spm.add_input('Pots', 'By profit', 'Total', 'amount', scope => 'plan'), spm.add_input('Pots', 'By profit', 'Profit', 'amount'),
    spm.add_component('Pots', 'By part', '0: 100 bonus', basis => 'pool', variable => 'part'), spm.add_input('Pots', 'By part', 'Total', 'amount', scope => 'plan') \g /dev/null
SELECT spm.publish_plan('Pots') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT is((SELECT string_agg(concat_ws(' ', y.payee_key, trim_scale(m.earned_amount), array_to_string(m.because, ', ')), E'; ' ORDER BY c.component_no, y.payee_key)
    FROM spm.standing_measurement m JOIN spm.component c USING (component_id) JOIN spm.payee y USING (payee_id) WHERE c.name LIKE 'By %'),
    'ann 100 ; bob 0 a share of -10 counts as 0; ann 100 ; bob 0 a share of -2 counts as 0', 'it counts as 0, and says so');

-- ---- names and figures
SELECT is(pg_temp.refusal($$SELECT spm.add_component('Draft', '', '0: 1%')$$),
    '22023 | name of a component cannot be empty', 'a component without a name');
SELECT is(pg_temp.refusal($$SELECT spm.add_component('Draft', E'a\nb', '0: 1%')$$),
    '22023 | name of a component must be one line of at most 200 characters | It begins with "a b", and has 3 characters.', 'or with one of two lines');
SELECT is(pg_temp.refusal($$SELECT spm.create_plan(repeat('x', 201), 'fiscal', 'USD', '2026-01-01')$$),
    '22023 | name of a plan must be one line of at most 200 characters | It begins with "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", and has 201 characters.', 'a plan with a very long one');
SELECT is(pg_temp.refusal($$SELECT spm.import_plan(spm.export_plan('Draft'), name => E'a\nb')$$),
    '22023 | name of a plan must be one line of at most 200 characters | It begins with "a b", and has 3 characters.', 'also where it is imported');
SELECT is(pg_temp.refusal($$SELECT spm.import_plan(replace(spm.export_plan('Draft')::text, '"Sales"', '"Sa\nles"')::jsonb, name => 'New')$$),
    '22023 | name of a component must be one line of at most 200 characters | It begins with "Sa les", and has 6 characters.', 'or its components are');
SELECT spm.add_component('Draft', 'Sum', '0: 1%', basis => 'result') \g /dev/null
SELECT is(pg_temp.refusal($$SELECT spm.add_input('Draft', 'Sum', 'Sales', 'credits')$$),
    '22023 | figure cannot be "credits" | It is one of: amount, attainment, earned, quota.', 'a figure that no input has');
SELECT * FROM finish();
ROLLBACK;
