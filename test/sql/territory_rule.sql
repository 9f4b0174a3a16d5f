-- Rules: what each operator asks, which rule goes first, days, types, inheritance, explanations; the compiled book follows every change.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TABLE public.account (
    id text, state char(5), zip varchar, employees int, revenue numeric, score float8, founded date, is_partner boolean, region text,
    lat float8, lon float8, attributes jsonb);
SELECT spm.add_territory_model('m', 'public.account', 'id') AS model_id \gset
SELECT spm.add_territory_attribute('m', n, k, c, l)
FROM (VALUES ('id', 'text', NULL, NULL), ('state', 'text', NULL, NULL), ('zip', 'text', NULL, NULL), ('employees', 'number', NULL, NULL), ('revenue', 'number', NULL, NULL),
    ('score', 'number', NULL, NULL), ('founded', 'date', NULL, NULL), ('partner', 'boolean', 'is_partner', NULL), ('region', 'tree', NULL, NULL),
    ('hq', 'point', 'lat', 'lon'), ('tier', 'text', NULL, NULL), ('size', 'number', NULL, NULL), ('since', 'date', NULL, NULL)) v(n, k, c, l) \g /dev/null
INSERT INTO spm.territory_attribute_value SELECT a.territory_attribute_id, v.value, v.above
FROM spm.territory_attribute a, (VALUES ('US', NULL), ('US-W', 'US'), ('US-CA', 'US-W'), ('US-OR', 'US-W'), ('US-E', 'US'), ('DE', NULL)) v(value, above) WHERE a.name = 'region';
SELECT spm.add_territory('m', 'T') \g /dev/null

-- The accounts that one rule takes, with nothing else in the book.
CREATE FUNCTION pg_temp.taken(conditions jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rule int := spm.add_territory_rule('T', conditions);
    found text;
BEGIN
    SELECT string_agg(a.id, ' ' ORDER BY a.id COLLATE "C") INTO found FROM public.account a WHERE spm.territory_rule_of(a) = rule;
    DELETE FROM spm.territory_rule WHERE territory_rule_id = rule;
    RETURN coalesce(found, '-');
END
$$;

CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query; END $$;

INSERT INTO public.account (id, state, zip, employees, revenue, score, founded, is_partner, region) VALUES
    ('a', 'CA', '94105', 10, 100.00, 0.1, '2000-02-29', true, 'US-CA'),
    ('b', 'OR', '94', 99, 99.995, 0.3, '2000-03-01', false, 'US-W'),
    ('c', 'ca', '9410', 100, 100, 1e300, 'infinity', NULL, 'US'),
    ('d', 'CA', '', 101, 1e40, 'NaN', '-infinity', true, 'DE'),
    ('e', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('f', 'Z', U&'94\00FC', 2147483647, 'NaN', -0.0, '1999-12-31', false, 'FR');

SELECT is(pg_temp.taken('{"state": "CA"}'), 'a d', 'a value is compared by its bytes, blanks that fill up a char(5) aside');
SELECT is(pg_temp.taken('{"state": ["CA", "OR", "OR"]}'), 'a b d', 'in: one of several');
SELECT is(pg_temp.taken('{"state": {"not": ["CA"]}}'), 'b c f', 'not in: another value, and not NULL');
SELECT is(pg_temp.taken('{"state": null}'), 'e', 'null');
SELECT is(pg_temp.taken('{"state": {"null": false}}'), 'a b c d f', 'not null');
SELECT is(pg_temp.taken('{"state": {"from": "CA", "to": "Z"}}'), 'a b d f', 'a range of text goes by bytes: capitals before small letters');
SELECT is(pg_temp.taken('{"zip": {"prefix": "94"}}'), 'a b c f', 'prefix: begins with it, or is it');
SELECT is(pg_temp.taken('{"zip": {"prefix": ["9410", "940"]}}'), 'a c', 'one of several prefixes');
SELECT is(pg_temp.taken(U&'{"zip": {"prefix": "94\00FC"}}'), 'f', 'letters of several bytes begin a text, too');
SELECT is(pg_temp.taken('{"zip": {"not": {"prefix": "94"}}}'), 'd', 'an empty text is a value');
SELECT is(pg_temp.taken('{"employees": {"from": 99, "to": 100}}'), 'b c', 'both ends of a range are in it');
SELECT is(pg_temp.taken('{"employees": {"from": 99.5}}'), 'c d f', 'a whole number is compared with a fraction');
SELECT is(pg_temp.taken('{"employees": {"to": 10}}'), 'a', 'a range with one end');
SELECT is(pg_temp.taken('{"employees": {"from": 10, "to": 2147483647, "not": [99, 101]}}'), 'a c f', 'several conditions on one attribute are all met');
SELECT is(pg_temp.taken('{"revenue": 100}'), 'a c', '100.00 is 100');
SELECT is(pg_temp.taken('{"revenue": {"to": 99.99}}'), '-', '99.995 is above 99.99');
SELECT is(pg_temp.taken('{"revenue": {"from": 99.99, "to": 99.995}}'), 'b', 'to the last digit');
SELECT is(pg_temp.taken('{"revenue": {"from": 1e39}}'), 'd f', 'numbers may be of any size; NaN is above all of them, as in PostgreSQL');
SELECT is(pg_temp.taken('{"revenue": {"from": 9999999999999999999999.0000000001}}') || ', ' || pg_temp.taken('{"revenue": {"from": 99.99499999999999999999999999, "to": 100}}'), 'd f, a b c', 'and of any number of digits');
SELECT is(pg_temp.taken('{"score": 0.1}') || ', ' || pg_temp.taken('{"score": {"from": 0.3, "to": 1e6}}'), 'a, b', 'floating point is the number that is shown');
SELECT is(pg_temp.taken('{"score": 0}') || ', ' || pg_temp.taken('{"score": {"from": 1000000}}'), 'f, c d', 'minus 0 is 0');
SELECT is(pg_temp.taken('{"founded": "2000-02-29"}') || ', ' || pg_temp.taken('{"founded": {"from": "2000-01-01"}}'), 'a, a b c', 'dates, infinity among them');
SELECT is(pg_temp.taken('{"founded": {"to": "1999-12-31"}}'), 'd f', 'and before all of them');
SELECT is(pg_temp.taken('{"partner": true}') || ', ' || pg_temp.taken('{"partner": {"not": true}}') || ', ' || pg_temp.taken('{"partner": null}'), 'a d, b f, c e', 'booleans');
SELECT is(pg_temp.taken('{"region": {"under": "US-W"}}') || ', ' || pg_temp.taken('{"region": {"under": ["US", "DE"]}}'), 'a b, a b c d', 'under: the value and all below it');
SELECT is(pg_temp.taken('{"region": ["US-W", "FR"]}') || ', ' || pg_temp.taken('{"region": {"not": {"under": "US"}}}'), 'b f, d f', 'a value that is in no tree is a value');
SELECT is(pg_temp.taken('{}'), 'a b c d e f', 'a rule without conditions takes everybody');

-- Points
UPDATE public.account SET (lat, lon) = (SELECT v.lat, v.lon FROM (VALUES ('a', 0, 179.5), ('b', 0, -179.5), ('c', 90, 17), ('d', 52.52, 13.405), ('f', 200, 10)) v(id, lat, lon) WHERE v.id = account.id);
SELECT is(pg_temp.taken('{"hq": {"within": [0, 180, 56]}}') || ', ' || pg_temp.taken('{"hq": {"within": [0, -179.9, 60]}}'), 'a b, b', 'within so many kilometres, over the date line');
SELECT is(pg_temp.taken('{"hq": {"within": [0, 180, 55]}}'), '-', 'half a degree of the equator is 55.6 km');
SELECT is(pg_temp.taken('{"hq": {"within": [89, -100, 112]}}'), 'c', 'over the pole');
SELECT is(pg_temp.taken('{"hq": {"not": {"within": [52.5, 13.4, 10]}}}'), 'a b c', 'not within; a latitude of 200 is not known, as NULL is not');
SELECT is(pg_temp.taken('{"hq": {"within": [52.5, 13.4, 20038]}}'), 'a b c d', 'the whole earth');
SELECT is(pg_temp.taken('{"hq": null}'), 'e f', 'a point of which anything is unknown is null');

-- Keys of a jsonb column, and other records
UPDATE public.account SET attributes = CASE id WHEN 'a' THEN '{"tier": "gold", "size": 1.50, "since": "2026-01-31"}' WHEN 'b' THEN '{"tier": 7, "size": "2"}' WHEN 'c' THEN '{"tier": true, "since": null}' WHEN 'd' THEN '{}' END::jsonb;
SELECT is(pg_temp.taken('{"tier": ["gold", "true"]}') || ', ' || pg_temp.taken('{"tier": "7"}') || ', ' || pg_temp.taken('{"tier": null}'), 'a c, b, d e f', 'what is no column is a key of the column attributes');
SELECT is(pg_temp.taken('{"size": {"from": 1.5, "to": 1.5}}') || ', ' || pg_temp.taken('{"size": 2}') || ', ' || pg_temp.taken('{"since": "2026-01-31"}'), 'a, b, a', 'with numbers and dates, also as text');
SELECT spm.add_territory_rule('T', '{"tier": "gold", "size": {"from": 1}}') AS gold \gset
SELECT is(spm.territory_rule_of(r), :gold, 'any record with the columns will do') FROM (SELECT 'gold' AS tier, 5::smallint AS size) r;
SELECT is(spm.territory_rule_of(r), NULL, 'text that is a number is compared as one') FROM (SELECT 'gold'::name AS tier, ' 0.5'::text AS size WHERE false UNION ALL SELECT 'gold', '0.5') r;
SELECT is(spm.territory_rule_of(NULL::public.account), NULL, 'nothing belongs to no territory');
SELECT is(spm.territory_rule_of(a, NULL), NULL, 'nor does anything on no day') FROM public.account a WHERE id = 'a';
-- Of a table's row the columns are read where they are; what the row is does not change by it.
SELECT is((SELECT array_agg(l LIKE '%territory_of_columns(%') FROM pg_temp.plan('SELECT spm.territory_of(a) FROM public.account a') l WHERE l LIKE '%Output:%'), '{t}', 'the plan reads columns, not rows');
SELECT is(string_agg(v.id || ':' || coalesce((spm.territory_rule_of(a) = :gold)::text, '-'), ' ' ORDER BY v.id), 'a:true b:- z:-', 'where an outer join finds no account, there is no territory')
FROM (VALUES ('a'), ('b'), ('z')) v(id) LEFT JOIN public.account a USING (id);
SELECT spm.add_territory_rule('T', '{}', precedence => 9999) AS everybody \gset
SELECT is(string_agg(v.id || ':' || coalesce((spm.territory_rule_of(a) = :everybody)::text, '-'), ' ' ORDER BY v.id), 'a:false b:true z:-', 'not even by a rule that takes everybody')
FROM (VALUES ('a'), ('b'), ('z')) v(id) LEFT JOIN public.account a USING (id);
SELECT is(string_agg(v.id || ':' || coalesce((spm.territory_rule_of(a) = :everybody)::text, '-'), ' ' ORDER BY v.id), 'a:false b:true z:-', 'on whichever side it is')
FROM public.account a RIGHT JOIN (VALUES ('a'), ('b'), ('z')) v(id) USING (id);
CREATE VIEW public.account_view AS SELECT a.id, a.attributes, a.employees / 2 AS more FROM public.account a;
SELECT is(string_agg(a.id, ' '), 'a', 'rows of a view will do') FROM public.account_view a WHERE spm.territory_rule_of(a) = :gold;
ALTER TABLE public.account ADD extra text, DROP COLUMN is_partner;
SELECT is(string_agg(a.id, ' '), 'a', 'and tables with columns that are gone') FROM public.account a WHERE spm.territory_rule_of(a) = :gold;
SELECT is((SELECT spm.territory_rule_of(a) FROM public.account a WHERE a.id = v.id) = :gold, true, 'also from within') FROM (VALUES ('a')) v(id);
ALTER TABLE public.account ADD is_partner boolean;
DELETE FROM spm.territory_rule WHERE territory_rule_id = :everybody;
-- Refused: records that cannot be read.
CREATE TYPE public.pair AS (tier text, size numeric);
SELECT is(spm.territory_of_columns(NULL::public.pair, current_date, 'primary', NULL, true, 'gold'::text, 2.5), :gold, 'columns of the right types would do');
SELECT throws_ok($$SELECT spm.territory_of_columns(NULL::public.pair, current_date, 'primary', NULL, true, 7, 2.5)$$, '22023', 'columns do not make an account', 'of others not');
SELECT throws_ok($$SELECT spm.territory_of_columns(NULL::public.pair, current_date, 'primary', NULL, true, VARIADIC '{a,b}'::text[])$$, '22023', 'columns do not make an account', 'nor does an array');
SELECT throws_ok($$SELECT spm.territory_of_columns(NULL::public.account, current_date, 'primary', NULL, false, 1, 2)$$, '22023', 'columns do not make an account', 'columns that do not make an account are refused');
SELECT throws_ok($$SELECT spm.territory_of(r) FROM (SELECT 'gold' AS tier) r$$, '42703', 'record has no column "size"', 'a record without a column is refused');
SELECT throws_ok($$SELECT spm.territory_of(r) FROM (SELECT 'gold' AS tier, now() AS size) r$$, '42804', 'column "size" has type timestamp with time zone, which cannot be read as a number', 'so is one of another type');
SELECT throws_ok($$SELECT spm.territory_of(r) FROM (SELECT 'gold' AS tier, 'big' AS size) r$$, '22P02', '"big" is not a number', 'and a value that is no number');
SELECT throws_ok($$SELECT spm.territory_of(r) FROM (SELECT '{"tier": [1], "size": 1}'::jsonb AS attributes) r$$, '42804', 'key "tier" of column "attributes" is not a single value', 'and a list where one value is asked');
SELECT throws_ok($$SELECT spm.territory_of(7)$$, '42804', 'a territory is found for a record, not for type integer', 'and what is no record');
SELECT throws_ok($$SELECT spm.territory_of(a, type => 'x') FROM public.account a$$, '22023', 'type of a territory cannot be "x"', 'an unknown type is refused');
SELECT throws_ok($$SELECT spm.territory_of(a, type => NULL) FROM public.account a$$, '22023', 'type of a territory cannot be NULL', 'and none');
SELECT throws_ok($$SELECT spm.territory_of(a, model => 'x') FROM public.account a$$, '42704', 'territory model "x" does not exist', 'and an unknown model');
SELECT spm.add_territory_model('second') \g /dev/null
SELECT throws_ok($$SELECT spm.territory_of(a) FROM public.account a$$, '42704', 'it is not clear which territory model is meant', 'with two plans, one must be named');
SELECT is(spm.territory_rule_of(a, model => 'm'), :gold, 'as it is here') FROM public.account a WHERE id = 'a';
SELECT is(spm.territory_rule_of(a, model => v.m), v.rule, 'models may differ from row to row') FROM public.account a, (VALUES ('m', :gold), ('second', NULL), ('m', :gold)) v(m, rule) WHERE id = 'a';
SELECT spm.activate_territory_model('m') \g /dev/null
SELECT is(spm.territory_rule_of(a), :gold, 'the active one need not be') FROM public.account a WHERE id = 'a';
DELETE FROM spm.territory_rule;

-- The order of rules
SELECT spm.add_territory('m', k) FROM unnest('{A,B,C,D,E,F,G}'::text[]) k \g /dev/null
CREATE FUNCTION pg_temp.order_of(account text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(t.territory_key, ' ' ORDER BY s.rank) FROM public.account a, spm.territories_of(a) s JOIN spm.territory t USING (territory_id) WHERE a.id = account
$$;
SELECT spm.add_territory_rule('A', '{"state": "CA"}'), spm.add_territory_rule('B', '{"state": "CA"}'),
    spm.add_territory_rule('C', '{"state": "CA", "zip": {"prefix": "9"}}'), spm.add_territory_rule('D', '{"employees": 10}', precedence => 999),
    spm.add_territory_rule('E', '{"id": "a"}', kind => 'named', precedence => 2000), spm.add_territory_rule('F', '{"id": "a"}', kind => 'exception', precedence => 3000),
    spm.add_territory_rule('G', '{"employees": {"from": 1, "to": 20, "not": 11}}') \g /dev/null
SELECT is(pg_temp.order_of('a'), 'F E D C A B G', 'exceptions, named accounts, lower precedence, more attributes (not conditions), the earlier key');
DELETE FROM spm.territory_rule;
SELECT spm.add_territory_rule('A', '{"region": {"under": "US"}}'), spm.add_territory_rule('B', '{"region": {"under": "US-W"}}'), spm.add_territory_rule('C', '{"region": "US-CA"}'),
    spm.add_territory_rule('D', '{"region": {"under": ["US-W", "DE"]}}'), spm.add_territory_rule('E', '{"region": {"not": {"under": "DE"}}}') \g /dev/null
SELECT is(pg_temp.order_of('a'), 'C B A D E', 'of a tree, the deeper level goes first; of a list its highest counts, of a negation none');
DELETE FROM spm.territory_rule;

-- Days: a rule holds while it and its territory do.
SELECT spm.add_territory('m', 'H1', since => '2026-01-01', until => '2026-07-01') \g /dev/null
SELECT spm.add_territory_rule('H1', '{"state": "CA"}', since => '2026-03-01', until => '2027-01-01'), spm.add_territory_rule('A', '{}', since => '2026-06-01') \g /dev/null
SELECT is(string_agg(coalesce(t.territory_key, '-'), ' ' ORDER BY d), '- - H1 H1 A A', 'a rule holds from its first day until the last of its territory')
FROM unnest('{2026-01-01,2026-02-28,2026-03-01,2026-06-30,2026-07-01,9999-01-01}'::date[]) d, public.account a, LATERAL spm.territory_of(a, d) o LEFT JOIN spm.territory t ON t.territory_id = o WHERE a.id = 'a';
SELECT is((SELECT territory_key FROM spm.territory WHERE territory_id = spm.territory_of(a, 'infinity')), 'A', 'at the end of all days, too') FROM public.account a WHERE a.id = 'a';
DELETE FROM spm.territory_rule;

-- Types
SELECT spm.add_territory('m', 'O', type => 'overlay'), spm.add_territory('m', 'S', type => 'specialist') \g /dev/null
SELECT spm.add_territory_rule('O', '{"state": "CA"}'), spm.add_territory_rule('A', '{"state": "CA"}'), spm.add_territory_rule('O', '{}'), spm.add_territory_rule('S', '{"state": "OR"}') \g /dev/null
SELECT is(string_agg(format('%s %s %s %s', s.type, t.territory_key, s.rank, s.is_winner), ', ' ORDER BY s.type, s.rank), 'overlay O 1 t, overlay O 2 f, primary A 1 t', 'each type has an order and a winner of its own')
FROM public.account a, spm.territories_of(a) s JOIN spm.territory t USING (territory_id) WHERE a.id = 'a';
SELECT is((SELECT count(*) FROM spm.territories_of(a, type => 'overlay')), 2::bigint, 'one type may be asked alone') FROM public.account a WHERE a.id = 'a';
DELETE FROM spm.territory_rule;

-- What is inherited binds the rules below.
SELECT spm.add_territory('m', 'W'), spm.add_territory('m', 'W1', parent => 'W'), spm.add_territory('m', 'W11', parent => 'W1') \g /dev/null
SELECT spm.add_territory_rule('W', '{"state": ["CA", "OR"]}', inherited => true) AS west, spm.add_territory_rule('W11', '{"employees": {"from": 1}}') AS below \gset
UPDATE spm.territory_rule SET precedence = 1 WHERE territory_rule_id = :below;
SELECT is((SELECT string_agg(a.id, ' ' ORDER BY a.id) FROM public.account a WHERE spm.territory_rule_of(a) = :below), 'a b d', 'a rule two levels below takes only who meets what is inherited');
SELECT spm.add_territory_rule('W', '{"region": "FR"}', inherited => true, since => '2026-01-01', until => '2027-01-01') AS second \gset
SELECT is((SELECT string_agg(a.id, ' ' ORDER BY a.id) FROM public.account a WHERE spm.territory_rule_of(a, '2026-05-01') = :below), 'a b d f', 'of several inherited rules of one territory, one must be met');
SELECT is((SELECT string_agg(a.id, ' ' ORDER BY a.id) FROM public.account a WHERE spm.territory_rule_of(a, '2027-05-01') = :below), 'a b d', 'while it holds');
UPDATE spm.territory_rule SET span = '[2026-01-01,2027-01-01)' WHERE territory_rule_id = :west;
SELECT is((SELECT string_agg(a.id, ' ' ORDER BY a.id) FROM public.account a WHERE spm.territory_rule_of(a, '2027-05-01') = :below), 'a b c d f', 'on days on which nothing is inherited, nothing binds');
SELECT spm.add_territory_rule('W11', '{"id": "c"}', kind => 'exception') AS exception \gset
SELECT spm.add_territory_rule('W11', '{"id": "c"}', kind => 'named') AS named \gset
SELECT is(spm.territory_rule_of(a, '2026-05-01'), :exception, 'an exception is not bound by what is inherited') FROM public.account a WHERE a.id = 'c';
DELETE FROM spm.territory_rule WHERE territory_rule_id = :exception;
SELECT is(spm.territory_rule_of(a, '2026-05-01'), NULL, 'a named account is') FROM public.account a WHERE a.id = 'c';
SELECT is((SELECT format('%s %s %s: %s', e.outcome, e.failed_attribute, btrim(e.value), e.condition) FROM spm.territory_explain(a, '2026-05-01') e WHERE e.territory_rule_id = :named),
    format('failed state ca: rule %s above: state is CA, OR', :west), 'the explanation says what was inherited') FROM public.account a WHERE a.id = 'c';
-- Refused: more ways to meet a rule than a book takes.
SAVEPOINT many;
INSERT INTO spm.territory_rule (territory_id, is_inherited) SELECT territory_id, true FROM spm.territory, generate_series(1, 2100) WHERE territory_key = 'W1';
SELECT throws_like($$SELECT spm.territory_of(a) FROM public.account a$$, 'rule % can be met in more than 4096 ways', 'too many inherited rules are refused, and which rule has them');
ROLLBACK TO many;
DELETE FROM spm.territory_rule;

-- Explanations
SET LOCAL datestyle = 'ISO';
SELECT spm.add_territory_rule('A', '{"state": ["CA", "WA"], "employees": {"from": 1}}') AS won, spm.add_territory_rule('B', '{"region": {"under": "US"}}') AS lost,
    spm.add_territory_rule('C', '{"employees": {"from": 100, "to": 999}, "zip": {"prefix": "9"}, "tier": null}') AS failed, spm.add_territory_rule('D', '{}', until => '2020-01-01') AS ended \gset
SELECT is(string_agg(format('%s|%s|%s|%s|%s', e.territory_key, replace(e.outcome, :'won', 'n'), e.failed_attribute, e.value, e.condition), E'\n' ORDER BY e.n), concat_ws(E'\n',
    'A|won|||state is CA, WA and employees is at least 1',
    'B|lost to rule n of A|||region is below US',
    'C|failed|employees|10|employees is from 100 to 999',
    'D|failed|day|2026-05-01|rule holds (,2020-01-01), territory exists (,)'), 'who won, who lost to whom, and who failed by what')
FROM public.account a, spm.territory_explain(a, '2026-05-01') WITH ORDINALITY e(rank, territory_rule_id, territory_key, kind, precedence, outcome, failed_attribute, value, condition, n) WHERE a.id = 'a';
SELECT is(string_agg(w, '; ' ORDER BY n), 'x is not a, b; x is unknown; x is known; x is not at most 5; x begins with 1; x is not within 50 km of 1, 2; x is 1, 2, 3, 4, 5, 6, 7, 8 or one of 2 more', 'conditions in words')
FROM (VALUES (1, spm._condition_words('x', 'in', true, '{a,b}')), (2, spm._condition_words('x', 'null', false, '{}')), (3, spm._condition_words('x', 'null', true, '{}')),
    (4, spm._condition_words('x', 'range', true, '{NULL,5}')), (5, spm._condition_words('x', 'prefix', false, '{1}')), (6, spm._condition_words('x', 'within', true, '{1,2,50}')),
    (7, spm._condition_words('x', 'in', false, '{1,2,3,4,5,6,7,8,9,10}'))) v(n, w);

-- The book follows every change, also within a transaction, a function and a part that is taken back.
SELECT is((SELECT count(*) FROM public.account a WHERE spm.territory_rule_of(a) = :won), 2::bigint, 'a book is compiled');
SAVEPOINT change;
UPDATE spm.territory_condition SET operands = '{OR}' WHERE territory_rule_id = :won AND operator = 'in';
SELECT is((SELECT string_agg(a.id, ' ') FROM public.account a WHERE spm.territory_rule_of(a) = :won), 'b', 'a changed condition counts at once');
ROLLBACK TO change;
SELECT is((SELECT string_agg(a.id, ' ' ORDER BY a.id) FROM public.account a WHERE spm.territory_rule_of(a) = :won), 'a d', 'what is taken back does not');
UPDATE spm.territory_condition SET operands = '{ca}' WHERE territory_rule_id = :won AND operator = 'in';
SELECT is((SELECT string_agg(a.id, ' ') FROM public.account a WHERE spm.territory_rule_of(a) = :won), 'c', 'and what comes in its place does');
CREATE FUNCTION pg_temp.follow() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    it public.account;
    found text := '';
BEGIN
    SELECT a.* INTO it FROM public.account a WHERE a.id = 'a';
    FOR i IN 1..3 LOOP
        found := found || ' ' || (SELECT t.territory_key FROM spm.territory t WHERE t.territory_id = spm.territory_of(it));
        UPDATE spm.territory_rule SET territory_id = territory_id + 1;
    END LOOP;
    RETURN found;
END
$$;
SELECT is(pg_temp.follow(), ' B C D', 'a loop sees what it changes');
DELETE FROM spm.territory_rule;
SELECT is((SELECT count(spm.territory_of(a)) FROM public.account a), 0::bigint, 'without rules, nobody belongs anywhere');

-- Books of many names; the same in parallel.
SELECT spm.add_territory_rule('A', jsonb_build_object('id', (SELECT jsonb_agg('n' || g) FROM generate_series(1, 1000) g)), kind => 'named') AS names \gset
SELECT spm.add_territory_rule('B', '{"employees": {"from": 500}}') \g /dev/null
CREATE TABLE public.many AS SELECT 'n' || g AS id, g AS employees FROM generate_series(1, 20000) g;
ANALYZE public.many;
SELECT is(count(*) FILTER (WHERE t.territory_key = 'A') || ' ' || count(*) FILTER (WHERE t.territory_key = 'B') || ' ' || count(*), '1000 19000 20000', 'a thousand names are found among 20,000 accounts')
FROM public.many m LEFT JOIN spm.territory t ON t.territory_id = spm.territory_of(m);
SELECT is((b.rules, b.boxes, b.bytes < 1000000)::text, '(2,2,t)', 'and take less than a megabyte') FROM spm.territory_book() b;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SELECT is((SELECT count(spm.territory_of(m)) FROM public.many m), 20000::bigint, 'workers compile the book for themselves');
-- Operators of the caller's schemas are not asked: the book is made anew under his path.
CREATE SCHEMA crafty;
CREATE FUNCTION crafty.same(int, int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'captured'; END$$;
CREATE OPERATOR crafty.= (LEFTARG = int, RIGHTARG = int, FUNCTION = crafty.same);
UPDATE spm.territory_rule SET reason = 'the same' WHERE territory_rule_id = :names;
SET LOCAL search_path = crafty, pg_catalog, public;
SELECT count(spm.territory_of(m)) AS found, current_setting('search_path') AS path FROM public.many m \gset
RESET search_path;
SELECT is(:'found' || ', ' || :'path', '20000, crafty, pg_catalog, public', 'a book is made of the tables whatever the search_path, which stays as it was');
-- Refused: what makes no sense, however it got into the table, and books that take too much.
SAVEPOINT wrong;
UPDATE spm.territory_condition SET operands = '{many}' WHERE operator = 'range' OR operator = 'in' AND false;
SELECT throws_like($$SELECT * FROM spm.territory_book()$$, 'rule % asks of attribute "employees" what makes no sense: a range has two ends, of which one may be NULL', 'a damaged condition is refused, and which it is');
UPDATE spm.territory_condition SET operands = '{many,NULL}' WHERE operator = 'range';
SELECT throws_like($$SELECT * FROM spm.territory_book()$$, 'rule % asks of attribute "employees" what makes no sense: "many" is not a number', 'so is an operand that is no number');
UPDATE spm.territory_condition SET operator = 'prefix', operands = '{1}' WHERE operator = 'range';
SELECT throws_like($$SELECT * FROM spm.territory_book()$$, 'rule % asks of attribute "employees" what makes no sense: a number cannot be asked for "prefix"', 'and an operator of another kind');
ROLLBACK TO wrong;
SELECT spm.add_territory_rule('A', jsonb_build_object('id', (SELECT jsonb_agg('a long name ' || g) FROM generate_series(1, 20000) g)), kind => 'named') \g /dev/null
SET LOCAL spm.rule_memory = '1MB';
SELECT throws_like($$SELECT * FROM spm.territory_book()$$, 'rules of territory model "m" take % MB when compiled, more than spm.rule_memory', 'a book that takes more than is allowed is refused');
RESET spm.rule_memory;
SELECT is(count(*), 1000::bigint, 'and made when it is allowed') FROM public.many m WHERE spm.territory_rule_of(m) = :names;
SELECT * FROM finish();
ROLLBACK;
