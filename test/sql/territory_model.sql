-- Models of territories: their trees, attributes, rules as they are entered, and who holds them.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT no_plan();

CREATE SCHEMA crm;
CREATE TABLE crm.account (account_id text PRIMARY KEY, parent_id text, state text, employees int, region text, lat numeric, lon numeric, opened date, is_public boolean, potential numeric, worth double precision);
CREATE TABLE crm.region (code text, part_of text);
INSERT INTO crm.region VALUES ('US-W', 'US'), ('US-E', 'US'), ('CA', 'US-W'), ('NV', 'US-W'), ('NY', 'US-E');
CREATE FUNCTION pg_temp.conditions(rule int) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', a.name, CASE WHEN c.is_negated THEN 'not' END, c.operator, c.operands), '; ' ORDER BY a.name, c.operator)
    FROM spm.territory_condition c JOIN spm.territory_attribute a USING (territory_attribute_id) WHERE c.territory_rule_id = rule
$$;

-- ---- models
SELECT throws_ok('SELECT spm._territory_model()', '42704', 'there is no territory model', 'before there is a model none can be meant');
SELECT spm.add_territory_model('2026', 'crm.account', key => 'account_id', family => 'parent_id', potential => 'potential', latitude => 'lat', longitude => 'lon') \g /dev/null
SELECT is((spm._territory_model()).name, '2026', 'the only planned model is meant when none is named');
SELECT spm.add_territory_model('2027') \g /dev/null
SELECT throws_ok('SELECT spm._territory_model()', '42704', 'it is not clear which territory model is meant', 'one of two has to be named');
SELECT spm.activate_territory_model('2026') \g /dev/null
SELECT is((spm._territory_model()).name, '2026', 'or be active');
-- refused
SELECT throws_ok($$SELECT spm.add_territory_model('2026')$$, '42710', 'territory model "2026" already exists', 'a name is there once');
SELECT throws_ok($$SELECT spm.add_territory('2028', 'X')$$, '42704', 'territory model "2028" does not exist', 'an unknown model is refused');
SELECT throws_ok($$SELECT spm.map_accounts('2027', 'crm.account', key => 'id')$$, '42703', NULL, 'a column that is not there is refused');
SELECT throws_ok($$SELECT spm.map_accounts('2027', 'crm.account', key => 'account_id', potential => 'worth')$$, '42804', NULL, 'so is floating point for what accounts are worth');
SELECT throws_ok($$SELECT spm.map_accounts('2027', 'crm.account', key => 'account_id', latitude => 'lat')$$, '22023', 'a point has a latitude and a longitude', 'and half a point');
SELECT throws_ok($$SELECT spm.map_accounts('2027', 'pg_class_oid_index', key => 'oid')$$, '42809', NULL, 'and what is no relation of rows');

-- ---- the tree
SELECT spm.add_territory('2026', 'US', 'United States') \g /dev/null
SELECT spm.add_territory('2026', 'W', 'West', parent => 'US'), spm.add_territory('2026', 'E', 'East', parent => 'US', since => '2026-01-01'), spm.add_territory('2026', 'CLOUD', type => 'overlay') \g /dev/null
SELECT spm.add_territory('2026', 'CA', parent => 'W'), spm.add_territory('2026', 'CLOUD-W', parent => 'CLOUD') \g /dev/null
SELECT results_eq($$SELECT path, level, type FROM spm_bi.territory ORDER BY path$$,
    $$VALUES ('CLOUD', 1, 'overlay'), ('CLOUD / CLOUD-W', 2, 'overlay'), ('US', 1, 'primary'), ('US / E', 2, 'primary'), ('US / W', 2, 'primary'), ('US / W / CA', 3, 'primary')$$,
    'territories form a tree, and are of the type of the one above unless said otherwise');
SELECT spm.move_territory('CA', 'E') \g /dev/null
SELECT is((SELECT path FROM spm_bi.territory WHERE territory_key = 'CA'), 'US / E / CA', 'a territory can be moved');
SELECT spm.move_territory('CA', 'W') \g /dev/null
-- refused
SELECT throws_ok($$SELECT spm.move_territory('US', 'CA')$$, '23514', NULL, 'none lies below itself');
SELECT throws_ok($$SELECT spm.add_territory('2027', 'X', parent => 'US')$$, '42704', 'territory "US" does not exist in model "2027"', 'nor below one of another model');
SELECT throws_ok($$UPDATE spm.territory SET territory_model_id = (SELECT territory_model_id FROM spm.territory_model WHERE name = '2027') WHERE territory_key = 'CA'$$, '23503',
    'territory "CA" must lie below one of its own model', 'whoever writes the table');
SELECT throws_ok($$DELETE FROM spm.territory WHERE territory_key = 'W'$$, '23503', 'territory "W" has territories below it', 'none is taken away from under others');
SELECT throws_ok($$SELECT spm.add_territory('2026', 'W')$$, '42710', 'territory "W" already exists', 'a key is there once');
SELECT throws_ok($$SELECT spm.add_territory('2026', 'X', type => 'other')$$, '22023', 'type of a territory cannot be "other"', 'another type is refused');
SELECT throws_ok($$SELECT spm.end_territory('W', '2026-07-01')$$, '55000', 'territory "W" has territories below it', 'what others lie below does not end before them');
SELECT throws_ok($$SELECT spm.end_territory('E', '2026-01-01')$$, '22023', 'territory "E" has no day before 2026-01-01', 'none ends before it begins');

-- ---- who holds them
SELECT spm.add_position(k, k), spm.add_payee(k, initcap(k)), spm.assign_position(k, k, '2026-01-01') FROM unnest('{ann,bob}'::text[]) k \g /dev/null
SELECT spm.hold_territory('CA', 'ann', '2026-01-01'), spm.hold_territory('CA', 'bob', '2026-02-01', share => 0.5, role => 'support') \g /dev/null
SELECT spm.hold_territory('CA', 'ann', '2026-03-01', until => '2026-04-01', share => 0.25) \g /dev/null
SELECT results_eq($$SELECT share, since, until FROM spm_bi.territory_holder WHERE territory_key = 'CA' AND payee_key = 'ann' ORDER BY since$$,
    $$VALUES (1::numeric, date '2026-01-01', date '2026-03-01'), (0.25, '2026-03-01', '2026-04-01'), (1, '2026-04-01', NULL)$$, 'a share of some days cuts the one that holds, which goes on afterwards');
SELECT spm.leave_territory('CA', 'ann', '2026-06-01') \g /dev/null
SELECT spm.vacate_position('ann', '2026-05-01') \g /dev/null
SELECT results_eq($$SELECT h.payee_key, h.share, h.span FROM spm.territory_held h JOIN spm.territory t USING (territory_id) WHERE t.territory_key = 'CA' ORDER BY h.span$$,
    $$VALUES (NULL, NULL::numeric, '(,2026-01-01)'::daterange), ('ann', 1, '[2026-01-01,2026-03-01)'), ('ann', 0.25, '[2026-03-01,2026-04-01)'), ('ann', 1, '[2026-04-01,2026-05-01)'), (NULL, NULL, '[2026-05-01,)')$$,
    'before, after and while the seat is empty nobody holds it; who supports it does not');
SELECT results_eq($$SELECT payee_key, since, is_vacant FROM spm_bi.territory_holder WHERE role = 'owner' AND until = '2026-06-01' ORDER BY since$$,
    $$VALUES (NULL::text, date '2026-05-01', true)$$, 'BI sees the days of the empty seat');
SELECT spm.end_territory('CA', '2026-05-15') \g /dev/null
SELECT results_eq($$SELECT max(upper(h.span)) FROM spm.territory_holder h$$, $$VALUES (date '2026-05-15')$$, 'holders end with the territory');
-- refused
SELECT throws_ok($$SELECT spm.hold_territory('W', 'ann', '2026-01-01', share => 1.5)$$, '22023', 'share of a holder cannot be 1.5', 'more than all of it is refused');
SELECT throws_ok($$SELECT spm.hold_territory('W', 'cy', '2026-01-01')$$, '42704', NULL, 'so is an unknown seat');
SELECT throws_ok($$SELECT spm.leave_territory('W', 'ann', '2026-01-01')$$, '22023', NULL, 'and leaving what is not held');
CREATE TABLE crm.coverage (patch text, rep text, starts date, ends date, part numeric);
INSERT INTO crm.coverage VALUES ('W', 'bob', '2026-01-01', '2026-06-30', 0.5), ('E', 'bob', '2026-07-01', NULL, 1);
SELECT is(spm.load_territory_holders('crm.coverage', territory => 'patch', payee => 'rep', since => 'starts', last_day => 'ends', share => 'part'), 2::bigint, 'holders can be loaded from a relation');
SELECT results_eq($$SELECT territory_key, share, since, until FROM spm_bi.territory_holder WHERE payee_key = 'bob' AND role = 'owner' ORDER BY since$$,
    $$VALUES ('W', 0.5, date '2026-01-01', date '2026-07-01'), ('E', 1, '2026-07-01', NULL)$$, 'with last days, or none');
SELECT throws_ok($$SELECT spm.load_territory_holders('crm.coverage', territory => 'patch', payee => 'rep')$$, '23P01', NULL, 'twice is refused');
INSERT INTO crm.coverage VALUES ('N', 'bob', '2026-01-01', '2026-06-30', 1);
SELECT throws_ok($$SELECT spm.load_territory_holders('crm.coverage', territory => 'patch', payee => 'rep')$$, '22023', 'a row of crm.coverage cannot be a holder', 'and so is a territory that does not exist');

-- ---- attributes
SELECT is(spm.add_territory_attributes('2026', '{state,parent_id}'), 2, 'attributes of one kind can be added together');
SELECT spm.add_territory_attribute('2026', 'employees', 'number'), spm.add_territory_attribute('2026', 'region', 'tree'), spm.add_territory_attribute('2026', 'hq', 'point', 'lat', 'lon'),
    spm.add_territory_attribute('2026', 'opened', 'date'), spm.add_territory_attribute('2026', 'public', 'boolean', 'is_public') \g /dev/null
SELECT is(spm.load_attribute_tree('region', 'crm.region', value => 'code', parent => 'part_of'), 6::bigint, 'a hierarchy is loaded, with the value that is named only as a parent');
SELECT throws_ok($$SELECT spm.load_attribute_tree('state', 'crm.region', value => 'code', parent => 'part_of')$$, '22023', NULL, 'but only for a tree: others are refused');
INSERT INTO crm.region VALUES ('US', 'CA');
SELECT throws_ok($$SELECT spm.load_attribute_tree('region', 'crm.region', value => 'code', parent => 'part_of')$$, '23514', 'values of attribute "region" do not form a tree', 'a circle is refused');
SELECT throws_ok($$SELECT spm.add_territory_attribute('2026', 'size', 'number')$$, '42703', NULL, 'an attribute that the accounts do not have is refused');
SELECT throws_ok($$SELECT spm.add_territory_attribute('2026', 'x', 'number', 'state')$$, '42804', NULL, 'so is one of another type');
SELECT throws_ok($$SELECT spm.add_territory_attribute('2026', 'x', 'point', 'lat')$$, '22023', NULL, 'and a point without a longitude');
SELECT throws_ok($$SELECT spm.add_territory_attribute('2026', 'state')$$, '42710', 'attribute "state" already exists', 'a name is there once in a model');

-- ---- rules
SELECT is(pg_temp.conditions(spm.add_territory_rule('W', '{"state": ["NV", "CA", "CA"], "employees": {"from": 100, "to": 999.50}, "region": {"under": "US-W"}, "opened": {"from": "2020-1-5"}}')),
    'employees range {100,999.5}; opened range {2020-01-05,NULL}; region under {US-W}; state in {CA,NV}', 'values, lists, limits and branches of a tree');
SELECT is(pg_temp.conditions(spm.add_territory_rule('W', '{"state": {"prefix": ["C", "N"], "not": "NY"}, "public": true, "parent_id": null, "hq": {"within": [40.7, -74.0, 50]}}')),
    'hq within {40.7,-74.0,50}; parent_id null {}; public in {true}; state not in {NY}; state prefix {C,N}', 'beginnings, nothing at all, circles, and several conditions on one attribute');
SELECT is(pg_temp.conditions(spm.add_territory_rule('W', '{"employees": {"not": {"to": 9}}, "parent_id": {"null": false}, "state": {"not": null}, "public": {"not": {"not": false}}}')),
    'employees not range {NULL,9}; parent_id not null {}; public in {false}; state not null {}', 'and not, also of not');
SELECT is(pg_temp.conditions(spm.add_territory_rule('US', '{}')), NULL, 'no condition is everything');
SELECT is(pg_temp.conditions(spm.name_accounts('E', '{A2,A1}')), 'account in {A1,A2}', 'named accounts are known by their key, as an attribute that is made for them');
SELECT spm.add_exception('E', '{"account": "A3"}', 'moves in May') \g /dev/null
SELECT results_eq($$SELECT kind, reason, count(*) FROM spm.territory_rule WHERE kind <> 'rule' GROUP BY 1, 2 ORDER BY 1$$, $$VALUES ('exception', 'moves in May', 1::bigint), ('named', NULL, 1)$$, 'an exception says why');
-- refused
SELECT throws_ok(format($$SELECT spm.add_territory_rule('W', %L)$$, c), '22023', m, 'refused: ' || d) FROM (VALUES
    ('[]', 'conditions of a rule must be a JSON object', 'conditions without names'),
    ('{"state": {"under": "US"}}', 'a text cannot be asked for "under"', 'an operator that the kind does not have'),
    ('{"hq": "NY"}', 'a point cannot be asked for "in"', 'a point by name'),
    ('{"region": {"under": "MARS"}}', 'condition on attribute "region" cannot be met', 'a branch that is not in the tree'),
    ('{"employees": "many"}', 'attribute "employees" cannot be compared with "many"', 'a number that is none'),
    ('{"employees": "NaN"}', 'attribute "employees" cannot be compared with "NaN"', 'a number that is not a number'),
    ('{"opened": "2026-02-30"}', 'attribute "opened" cannot be compared with "2026-02-30"', 'a day that is not in the calendar'),
    ('{"employees": {"from": 9, "to": 5}}', 'condition on attribute "employees" cannot be met', 'limits the wrong way round'),
    ('{"employees": {"from": null}}', 'condition on attribute "employees" cannot be met', 'no limit at all'),
    ('{"state": []}', 'condition on attribute "state" cannot be met', 'none of nothing'),
    ('{"state": ["CA", null]}', 'attribute "state" cannot be compared with null', 'nothing among values'),
    ('{"state": {}}', 'condition on attribute "state" says nothing', 'an empty condition'),
    ('{"state": {"prefix": ""}}', 'condition on attribute "state" cannot be met', 'a beginning of nothing'),
    ('{"hq": {"within": [91, 0, 5]}}', 'condition on attribute "hq" cannot be met', 'a point beyond the pole'),
    ('{"hq": {"within": [40, 0, -5]}}', 'condition on attribute "hq" cannot be met', 'a circle of less than nothing'),
    ('{"hq": {"within": [40, 0]}}', 'condition on attribute "hq" cannot be met', 'a circle without a size'),
    ('{"state": {"like": "C%"}}', 'a text cannot be asked for "like"', 'an operator that is not there')) v(c, m, d);
SELECT throws_ok($$SELECT spm.add_territory_rule('W', '{"city": "LA"}')$$, '42704', 'attribute "city" does not exist in model "2026"', 'an unknown attribute is refused');
SELECT throws_ok($$SELECT spm.add_territory_rule('N', '{}')$$, '42704', 'territory "N" does not exist in model "2026"', 'so is an unknown territory');
SELECT throws_ok($$SELECT spm.add_territory_rule('W', '{}', kind => 'other')$$, '22023', 'kind of a rule cannot be "other"', 'and another kind');
SELECT throws_ok($$SELECT spm.add_exception('W', '{}', '')$$, '22023', 'reason must not be empty', 'and an exception without a reason');
SELECT throws_ok($$SELECT spm.end_territory_rule(-1)$$, '42704', 'territory rule -1 does not exist', 'and ending a rule that is not there');
SELECT throws_ok($$SELECT spm.name_accounts('X', '{A}', model => '2027')$$, '55000', 'model "2027" has no accounts', 'accounts cannot be named where none are mapped');

-- ---- precedence, and accounts that are not there
SELECT spm.set_rule_precedence(territory_rule_id, 100) FROM spm.territory_rule WHERE kind = 'exception' \g /dev/null
SELECT results_eq($$SELECT kind, precedence FROM spm.territory_rule WHERE precedence <> 1000$$, $$VALUES ('exception', 100)$$, 'a rule can go before others of its kind');
SELECT spm.set_rule_precedence(territory_rule_id, 1000) FROM spm.territory_rule WHERE kind = 'exception' \g /dev/null
SELECT throws_ok($$SELECT spm.set_rule_precedence(-1, 100)$$, '42704', 'territory rule -1 does not exist', 'a rule that is not there is refused');
SELECT throws_ok($$SELECT spm.set_rule_precedence(territory_rule_id, NULL) FROM spm.territory_rule$$, '22004', 'precedence must not be NULL', 'and so is no precedence');
CREATE TABLE crm.numbered (id int PRIMARY KEY, state text);
INSERT INTO crm.numbered VALUES (7, 'CA'), (8, 'NY');
SELECT spm.add_territory_model('numbers', 'crm.numbered', key => 'id'), spm.add_territory('numbers', 'ONE') \g /dev/null
INSERT INTO crm.account (account_id) VALUES ('there');
-- the warnings name what is missing, and nothing else
SELECT spm.name_accounts('E', '{gone,there}', model => '2026'), spm.add_exception('E', '{"account": {"not": "gone"}}', 'none', model => '2026'),
    spm.add_exception('E', '{"account": ["there", "lost"]}', 'named', model => '2026'), spm.name_accounts('ONE', '{7,007,seven,8}', model => 'numbers') \g /dev/null
DELETE FROM spm.territory_rule WHERE territory_rule_id > (SELECT min(territory_rule_id) FROM spm.territory_rule WHERE kind = 'exception');
SELECT spm.archive_territory_model('numbers') \g /dev/null

-- ---- versions
CREATE FUNCTION pg_temp.raised(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT version FROM spm.territory_model WHERE name = '2026');
BEGIN
    EXECUTE statement;
    RETURN (SELECT version FROM spm.territory_model WHERE name = '2026') > before;
END
$$;
SELECT is(pg_temp.raised(s), r, d) FROM (VALUES
    ($$SELECT spm.add_territory('2026', 'Z')$$, true, 'a territory makes another version of the model'),
    ($$UPDATE spm.territory_rule SET precedence = precedence + 1$$, true, 'so do rules'),
    ($$UPDATE spm.territory_condition SET is_negated = is_negated$$, true, 'conditions'),
    ($$UPDATE spm.territory_attribute_value SET value = value$$, true, 'values of a tree'),
    ($$SELECT spm.map_accounts('2026', 'crm.account', key => 'account_id')$$, true, 'and other accounts'),
    ($$SELECT spm.hold_territory('E', 'ann', '2026-01-01')$$, false, 'holders do not'),
    ($$SELECT spm.add_territory('2027', 'Z')$$, false, 'nor does what is of another model')) v(s, r, d);

-- ---- copies, and the end
SELECT spm.copy_territory_model('2026', 'scenario') \g /dev/null
CREATE FUNCTION pg_temp.content(model text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(E'\n',
        (SELECT string_agg(concat_ws('|', path, territory_name, type, since, until), ',' ORDER BY path) FROM spm_bi.territory WHERE model_name = model),
        (SELECT string_agg(concat_ws('|', territory_key, position_key, role, share, since, until), ',' ORDER BY territory_key, position_key, role, since) FROM spm_bi.territory_holder WHERE model_name = model),
        (SELECT string_agg(concat_ws('|', a.name, a.kind, a.column_name, a.longitude_column, (SELECT string_agg(v.value || coalesce(v.parent_value, ''), ' ' ORDER BY v.value) FROM spm.territory_attribute_value v WHERE v.territory_attribute_id = a.territory_attribute_id)), ',' ORDER BY a.name)
         FROM spm.territory_attribute a JOIN spm.territory_model m USING (territory_model_id) WHERE m.name = model),
        (SELECT string_agg(concat_ws('|', t.territory_key, r.kind, r.precedence, r.is_inherited, r.span, r.reason, pg_temp.conditions(r.territory_rule_id)), ',' ORDER BY r.territory_rule_id)
         FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) JOIN spm.territory_model m USING (territory_model_id) WHERE m.name = model))
$$;
SELECT is(pg_temp.content('scenario'), pg_temp.content('2026'), 'a copy says the same as the model');
SELECT isnt(pg_temp.content('2026'), pg_temp.content('2027'), 'which is not what another says');
SELECT spm.activate_territory_model('scenario', archived => '2026', since => '2026-04-01') \g /dev/null
SELECT results_eq($$SELECT model_name, model_state, min(since), max(until) FROM spm_bi.territory WHERE territory_key IN ('US', 'CA') GROUP BY 1, 2 ORDER BY 1$$,
    $$VALUES ('2026', 'archived', NULL::date, date '2026-04-01'), ('scenario', 'active', '2026-04-01', '2026-05-15')$$, 'a model takes the place of another on a day');
SELECT throws_ok($$SELECT spm.activate_territory_model('2027', archived => 'scenario', since => '2026-01-01')$$, '22023', 'territory "US" of model "scenario" would have no day left', 'but not before it begins: that is refused');
SELECT throws_ok($$SELECT spm.activate_territory_model('2027', since => '2026-01-01')$$, '22023', 'since goes with the model that is archived', 'so is a day without the other model');
SELECT throws_ok(s, '55000', 'territory model "2026" is archived', 'an archived model refuses ' || d) FROM (VALUES
    ($$SELECT spm.add_territory('2026', 'Y')$$, 'territories'), ($$SELECT spm.add_territory_rule('W', '{}', model => '2026')$$, 'rules'),
    ($$SELECT spm.hold_territory('W', 'ann', '2027-01-01', model => '2026')$$, 'holders'), ($$SELECT spm.activate_territory_model('2026')$$, 'to be active again'),
    ($$SELECT spm.assign_territories('2026')$$, 'runs')) v(s, d);

-- ---- a switch that is still to come
SELECT spm.archive_territory_model('scenario'), spm.copy_territory_model('2026', 'now') \g /dev/null
UPDATE spm.territory SET span = '(,)' WHERE territory_model_id = (SELECT territory_model_id FROM spm.territory_model WHERE name = 'now');
SELECT spm.hold_territory('US', 'bob', '2001-01-01', role => 'support', model => 'now'), spm.copy_territory_model('now', 'next'), spm.activate_territory_model('now') \g /dev/null
INSERT INTO crm.account (account_id) VALUES ('A1'), ('A2'), ('A3');
SELECT spm.assign_account(a, 'E', '2001-01-02', 'by hand', model => m) FROM unnest('{A1,A2}'::text[]) a, unnest('{now,next}'::text[]) m \g /dev/null
SELECT spm.assign_account('A1', 'W', current_date + 40, 'later') \g /dev/null
SELECT spm.activate_territory_model('next', archived => 'now', since => current_date + 30) \g /dev/null
SELECT results_eq($$SELECT name, state FROM spm.territory_model WHERE name IN ('now', 'next') ORDER BY 1$$, $$VALUES ('next', 'active'), ('now', 'active')$$,
    'before the day of the switch both models are active');
SELECT is((spm._territory_model()).name, 'now', 'and the old one is meant when none is named');
SELECT is(spm.territory_of(a, current_date), spm.territory_of(a, current_date, 'primary', 'now'), 'also by the rules') FROM crm.account a WHERE account_id = 'A1';
SELECT isnt(spm.territory_of(a, current_date), NULL, 'which find a territory') FROM crm.account a WHERE account_id = 'A1';
SELECT lives_ok($$SELECT spm.assign_account('A3', 'W', current_date, 'new')$$, 'in which accounts can still be assigned');
SELECT results_eq($$SELECT account_key, territory_key, since, until = current_date + 30 FROM spm_bi.territory_assignment WHERE model_name = 'now' AND account_key <> 'A3' ORDER BY 1, 3$$,
    $$VALUES ('A1', 'E', date '2001-01-02', true), ('A2', 'E', '2001-01-02', true)$$, 'what it has assigned ends on the day, though locked, and what would begin later is gone');
SELECT results_eq($$SELECT account_key, model_name FROM spm_bi.territory_assignment WHERE is_current ORDER BY 1$$, $$VALUES ('A1', 'now'), ('A2', 'now'), ('A3', 'now')$$,
    'an account has one current territory: not the one that begins later, nor that of a plan or of an archived model');
SELECT is((SELECT string_agg(DISTINCT model_name, ',') FROM spm_bi.territory_holder WHERE is_current), 'now', 'and so have holders');
SELECT is((SELECT string_agg(DISTINCT model_name, ',') FROM spm_bi.territory_map), 'now', 'a map shows the model of today');
SELECT spm.map_accounts('now', 'crm.account', key => 'account_id', latitude => 'lat', longitude => 'lon') \g /dev/null
UPDATE crm.account SET lat = 4000, lon = 12.5 WHERE account_id = 'A1';
SELECT results_eq($$SELECT latitude, longitude FROM spm_bi.territory_map WHERE account_key = 'A1' AND type = 'primary'$$, 'VALUES (NULL::numeric, 12.5)', 'and leaves out a latitude that is none');
SELECT spm.archive_territory_model('now') \g /dev/null
SELECT is((spm._territory_model()).name, 'next', 'once the old one is archived the new one is meant');
SELECT throws_ok($$SELECT spm.activate_territory_model('next', archived => 'next')$$, '22023', 'a model cannot take the place of itself', 'a model in place of itself is refused');
SELECT * FROM finish();
ROLLBACK;
