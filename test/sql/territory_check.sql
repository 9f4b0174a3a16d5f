-- What is wrong with a book of rules: conflicts, rules that never win, gaps.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA crm;
CREATE TABLE crm.account (account_id text PRIMARY KEY, state text NOT NULL, industry text, employees int NOT NULL, region text,
    lat float8, lon float8, potential numeric(12,2));
INSERT INTO crm.account VALUES
    ('A1', 'CA', '5211', 50, 'SF', 34, -118, 1000), ('A2', 'NV', '5311', 500, 'LA', 36, -115, 500), ('A3', 'TX', '1111', 5000, NULL, 30, -97, 9000.5),
    ('A4', 'TX', '1111', 5, NULL, 30, -97, 900), ('A5', 'CA', '11', 100, NULL, 37, -122, 10), ('A6', 'TX', '5233', 5001, NULL, NULL, NULL, 0.5);
SELECT spm.add_territory_model('west', 'crm.account', key => 'account_id', potential => 'potential') \g /dev/null
SELECT spm.add_territory_attributes('west', '{state,industry}'), spm.add_territory_attribute('west', 'employees', 'number'),
    spm.add_territory_attribute('west', 'region', 'tree'), spm.add_territory_attribute('west', 'hq', 'point', 'lat', 'lon') \g /dev/null
CREATE TABLE crm.region (name text, above text);
INSERT INTO crm.region VALUES ('US', NULL), ('E', 'US'), ('W', 'US'), ('SF', 'W'), ('LA', 'W'), ('NY', 'E');
SELECT spm.load_attribute_tree('region', 'crm.region', 'name', 'above') \g /dev/null
SELECT spm.add_territory('west', k) FROM unnest('{N,E,S,W}'::text[]) k \g /dev/null

-- rules are numbered as they come, whatever the sequence says
CREATE FUNCTION pg_temp.rule(territory text, conditions jsonb, precedence int DEFAULT 1000, kind text DEFAULT 'rule', since date DEFAULT NULL,
                             until date DEFAULT NULL, inherited boolean DEFAULT false) RETURNS void LANGUAGE sql AS $$
    SELECT spm.add_territory_rule(territory, conditions, kind, precedence, inherited, since, until, model => 'west')
$$;
CREATE FUNCTION pg_temp.number_of(rule int) RETURNS text LANGUAGE sql AS $$
    SELECT n::text FROM (SELECT territory_rule_id, row_number() OVER (ORDER BY territory_rule_id) n FROM spm.territory_rule) q WHERE territory_rule_id = rule
$$;
CREATE FUNCTION pg_temp.conflicts() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s-%s %s: %s', pg_temp.number_of(territory_rule_id), pg_temp.number_of(other_rule_id), decided_by, overlap) FROM spm.territory_conflict('west')
$$;
CREATE FUNCTION pg_temp.shadowed() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', pg_temp.number_of(territory_rule_id), verdict, (SELECT string_agg(pg_temp.number_of(h), ',') FROM unnest(hidden_by) h),
        CASE WHEN is_same_territory THEN '(needless)' END)
    FROM spm.territory_shadowed('west')
$$;
CREATE FUNCTION pg_temp.gaps(top int DEFAULT 20) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', gap, conditions, accounts, potential, account_key) FROM spm.territory_gap('west', top, as_of => '2026-06-01')
$$;

-- an empty book
SELECT is_empty('SELECT pg_temp.conflicts()', 'without rules nothing conflicts');
SELECT is_empty('SELECT pg_temp.shadowed()', 'and nothing is hidden');
SELECT results_eq('SELECT pg_temp.gaps()', $$VALUES ('everything | {} | 6 | 11411.00 | A3')$$, 'but everything is a gap, with all its potential');

-- conflicts
SELECT pg_temp.rule('W', '{"state": ["CA", "NV"], "employees": {"to": 99}}'), pg_temp.rule('E', '{"state": "CA", "employees": {"from": 100}}'),
    pg_temp.rule('S', '{"state": "CA"}'), pg_temp.rule('N', '{"state": "NV", "industry": {"prefix": ["52", "53"]}}'),
    pg_temp.rule('N', '{"employees": {"from": 50, "to": 60}}', since => '2026-01-01', until => '2027-01-01'),
    pg_temp.rule('W', '{"state": "CA", "employees": {"from": 90, "to": 95}}', precedence => 999) \g /dev/null
SELECT results_eq('SELECT pg_temp.conflicts()', $$VALUES
    ('1-4 key: state: NV; industry: beginning with 52, 53; employees: to 99'),
    ('3-5 key: day: 2026-01-01 to 2026-12-31; state: CA; employees: 50 to 60'),
    ('1-3 narrowness: state: CA; employees: to 99'),
    ('1-5 narrowness: day: 2026-01-01 to 2026-12-31; state: CA, NV; employees: 50 to 60'),
    ('2-3 narrowness: state: CA; employees: from 100')$$,
    'rules of equal precedence and different territories that meet are told, with what meets both, those first that only chance decides');
SELECT results_eq($$SELECT territory_key, other_territory_key, type, conditions FROM spm.territory_conflict('west') WHERE decided_by = 'key'$$, $$VALUES
    ('W', 'N', 'primary', '{"state": "NV", "industry": {"prefix": ["52", "53"]}, "employees": {"to": 99}}'::jsonb),
    ('S', 'N', 'primary', '{"state": "CA", "employees": {"from": 50, "to": 60}}')$$, 'with their territories, and as conditions of a rule');
SELECT is((SELECT count(*) FROM spm.territory_conflict('west', 4)), 4::bigint, 'as many as are asked for');
UPDATE spm.territory SET type = 'overlay' WHERE territory_key = 'N';
SELECT is((SELECT count(*) FROM spm.territory_conflict('west') WHERE 'N' IN (territory_key, other_territory_key)), 0::bigint, 'an overlay does not compete with primary territories');
UPDATE spm.territory SET type = 'primary' WHERE territory_key = 'N';
UPDATE spm.territory SET span = '[2027-01-01,)' WHERE territory_key = 'S';
SELECT is((SELECT string_agg(overlap, ' / ') FROM spm.territory_conflict('west') WHERE 'S' IN (territory_key, other_territory_key)),
    'day: from 2027-01-01; state: CA; employees: to 99 / day: from 2027-01-01; state: CA; employees: from 100', 'territories compete on the days that both exist');
UPDATE spm.territory SET span = '(,)' WHERE territory_key = 'S';

-- shadows
SELECT results_eq('SELECT pg_temp.shadowed()', $$VALUES ('3 hidden by several 1,2')$$, 'a rule whose every case others before it have is hidden: there are no whole numbers between 99 and 100');
ALTER TABLE crm.account ALTER COLUMN employees TYPE numeric;
SELECT is_empty('SELECT pg_temp.shadowed()', 'but fractions there are');
ALTER TABLE crm.account ALTER COLUMN employees TYPE int;
ALTER TABLE crm.account ALTER COLUMN employees DROP NOT NULL;
SELECT is_empty('SELECT pg_temp.shadowed()', 'and where employees may be unknown, these accounts are left to it');
ALTER TABLE crm.account ALTER COLUMN employees SET NOT NULL;
SELECT pg_temp.rule('S', '{"state": "NV", "industry": "5311", "employees": {"from": 10}}', precedence => 2000),
    pg_temp.rule('N', '{"state": "NV", "industry": {"prefix": ["531"]}, "employees": {"from": 1, "to": 2}}', precedence => 2000),
    pg_temp.rule('S', '{"state": {"in": ["CA", "NV"], "not": ["CA"]}, "industry": {"not": {"prefix": ["5"]}}, "employees": {"to": 99}}', precedence => 2000),
    pg_temp.rule('E', '{"state": ["CA"], "industry": {"in": ["11"], "not": {"prefix": ["1"]}}}') \g /dev/null
SELECT results_eq('SELECT pg_temp.shadowed() ORDER BY 1', $$VALUES ('10 never met'), ('3 hidden by several 1,2'), ('7 hidden by one 4'), ('8 hidden by one 1'), ('9 hidden by one 1')$$,
    'by one rule, and by its own conditions');
UPDATE spm.territory SET parent_territory_id = (SELECT territory_id FROM spm.territory WHERE territory_key = 'W') WHERE territory_key = 'S';
SELECT pg_temp.rule('W', '{"state": ["NV", "OR"]}', precedence => 3000, inherited => true), pg_temp.rule('W', '{"state": "OR"}', precedence => 4000) \g /dev/null
SELECT results_eq('SELECT pg_temp.shadowed() ORDER BY 1', $$VALUES ('10 never met'), ('12 hidden by one 11 (needless)'), ('3 never met'), ('7 hidden by one 4'), ('8 hidden by one 1'), ('9 hidden by one 1')$$,
    'what a rule inherits counts, and what is hidden by a rule of its own territory is needless rather than wrong');
DELETE FROM spm.territory_rule WHERE precedence >= 2000;
DELETE FROM spm.territory_rule r USING spm.territory_condition c WHERE c.territory_rule_id = r.territory_rule_id AND operator = 'in' AND operands = '{11}';
SELECT pg_temp.rule('W', '{"industry": "77"}', precedence => 1, inherited => true), pg_temp.rule('S', '{"employees": {"from": 7}}', precedence => 1),
    pg_temp.rule('S', '{}', precedence => 1) \g /dev/null
SELECT is_empty($$SELECT s FROM spm.territory_shadowed('west') s JOIN spm.territory_rule USING (territory_rule_id) WHERE precedence = 1 AND territory_key = 'S'$$, 'rules go before those that they inherit from, which would hide them');
DELETE FROM spm.territory_rule WHERE precedence = 1;
UPDATE spm.territory SET parent_territory_id = NULL;
UPDATE spm.territory_rule SET span = '[2026-01-01,2026-07-01)' WHERE precedence = 1000 AND pg_temp.number_of(territory_rule_id) = '1';
SELECT is_empty('SELECT pg_temp.shadowed()', 'a rule is not hidden on the days when what hides it does not hold');
SELECT results_eq($$SELECT verdict FROM spm.territory_shadowed('west', budget => 1)$$, $$VALUES ('not proven'), ('not proven')$$, 'a proof that takes longer than is allowed is not made, and that is said');
UPDATE spm.territory_rule SET span = '(,)' WHERE NOT lower_inf(span);

-- gaps
SELECT results_eq($$SELECT gap, conditions, accounts, potential, account_key FROM spm.territory_gap('west', as_of => '2026-06-01')$$, $$VALUES
    ('state: other than CA, NV; employees: other than 50 to 60', '{"state": {"not": {"in": ["CA", "NV"]}}, "employees": {"not": {"from": 50, "to": 60}}}'::jsonb, 3::bigint, 9901.00, 'A3'),
    ('state: other than CA; industry: other than beginning with 52, 53 or empty; employees: from 100',
     '{"state": {"not": {"in": ["CA"]}}, "industry": {"not": {"prefix": ["52", "53"]}}, "employees": {"from": 100}}', 0, 0, NULL)$$,
    'gaps are as wide as they can be: first those with accounts and their potential, then those that nobody is in yet');
SELECT spm.add_territory_rule('S', conditions, reason => 'gap', model => 'west') FROM spm.territory_gap('west', 1, as_of => '2026-06-01') \g /dev/null
SELECT is((SELECT count(*) FROM crm.account a WHERE spm.territory_of(a, '2026-06-01', model => 'west') IS NULL), 0::bigint, 'its conditions make the rule that fills a gap');
SELECT is((SELECT string_agg(gap, ' / ') FROM spm.territory_gap('west', as_of => '2026-06-01')),
    'state: NV; industry: other than beginning with 52, 53 or empty; employees: from 100', 'and then it is filled, and the next is smaller by what it has');
SELECT pg_temp.rule('N', '{"industry": {"not": {"prefix": ["52"]}}}'), pg_temp.rule('N', '{"industry": null, "employees": {"from": 200}}') \g /dev/null
SELECT results_eq($$SELECT gap, conditions FROM spm.territory_gap('west', as_of => '2026-06-01')$$,
    $$VALUES ('state: NV; industry: empty; employees: 100 to 199', '{"state": "NV", "industry": null, "employees": {"from": 100, "to": 199}}'::jsonb)$$, 'an unknown value can be a gap of its own');
SELECT is((SELECT count(*) FROM spm.territory_gap('west', type => 'overlay', as_of => '2026-06-01')), 1::bigint, 'each type of territories has gaps of its own');
DELETE FROM spm.territory_rule;
SELECT pg_temp.rule('N', '{}', since => '2026-01-01', until => '2027-01-01') \g /dev/null
SELECT is_empty('SELECT pg_temp.gaps()', 'a rule for everything leaves no gap');
SELECT is((SELECT gap || ' ' || accounts FROM spm.territory_gap('west', as_of => '2027-01-01')), 'everything 6', 'on its days');
DELETE FROM spm.territory_rule;

-- trees
SELECT pg_temp.rule('W', '{"region": {"under": ["W"]}}'), pg_temp.rule('E', '{"region": ["SF", "E"]}', 999), pg_temp.rule('E', '{"region": ["LA", "NY"]}') \g /dev/null
SELECT results_eq('SELECT pg_temp.conflicts()', $$VALUES ('3-1 narrowness: region: LA')$$, 'in a tree the lower level is narrower');
SELECT results_eq($$SELECT gap, conditions, accounts FROM spm.territory_gap('west', as_of => '2026-06-01')$$,
    $$VALUES ('region: other than under W, E or empty', '{"region": {"not": {"under": ["W", "E"]}}}'::jsonb, 4::bigint)$$, 'branches of a tree are told as such');
DELETE FROM spm.territory_rule;

-- circles
SELECT pg_temp.rule('W', '{"hq": {"within": [34, -118, 100]}}'), pg_temp.rule('E', '{"hq": {"within": [34, -116.2, 50]}}'), pg_temp.rule('N', '{"hq": {"within": [34, -118, 50]}}'),
    pg_temp.rule('S', '{"hq": {"within": [34.8, -117.1, 10]}}') \g /dev/null
SELECT results_eq($$SELECT left(c, 3) FROM pg_temp.conflicts() c$$, $$VALUES ('1-3')$$, 'circles that do not touch do not conflict, though their squares do');
SELECT results_eq('SELECT pg_temp.shadowed()', $$VALUES ('3 hidden by one 1'), ('4 not proven')$$, 'a circle inside of another is hidden, one in the corner of its square is not');
INSERT INTO crm.account VALUES ('A7', 'CA', NULL, 1, NULL, 34.8, -118.9, 1);
SELECT is((SELECT count(*) FROM spm.territory_gap('west', as_of => '2026-06-01') WHERE gap LIKE '%outside of every radius' AND account_key = 'A7' AND conditions IS NULL), 1::bigint,
    'an account in the corner of a square is in the gap that circles leave');
SELECT is((SELECT sum(accounts) FROM spm.territory_gap('west', as_of => '2026-06-01')), (SELECT count(*) FROM crm.account a WHERE spm.territory_of(a, '2026-06-01', model => 'west') IS NULL)::numeric,
    'every account without a rule is counted once');
DELETE FROM spm.territory_rule;

-- values of every kind, as people write them
ALTER TABLE crm.account ADD worth numeric, ADD founded date, ADD is_partner boolean, ADD grade int NOT NULL DEFAULT 1;
SELECT spm.add_territory_attributes('west', '{worth,grade}', 'number'), spm.add_territory_attribute('west', 'founded', 'date'), spm.add_territory_attribute('west', 'is_partner', 'boolean') \g /dev/null
CREATE FUNCTION pg_temp.told(VARIADIC conditions jsonb[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.rule('N', c) FROM unnest(conditions) c;
    RETURN QUERY SELECT concat_ws(' | ', g.gap, g.conditions) FROM spm.territory_gap('west', as_of => '2026-06-01') g;
    DELETE FROM spm.territory_rule;
END
$$;
SELECT results_eq($$SELECT pg_temp.told('{"worth": {"from": -0.0000000000000000001, "to": 10000000000000000000000.5}}')$$,
    $$VALUES ('worth: other than -0.0000000000000000001 to 10000000000000000000000.5 or empty | {"worth": {"not": {"to": 10000000000000000000000.5, "from": -0.0000000000000000001}}}')$$, 'numbers of any size');
SELECT results_eq($$SELECT pg_temp.told('{"worth": {"to": 0}}', '{"worth": {"from": 0.05}}', '{"worth": null}')$$,
    $$VALUES ('worth: above 0 and below 0.05 | {"worth": {"to": 0.05, "not": {"in": [0, 0.05]}, "from": 0}}')$$, 'what is between two numbers, without them');
SELECT results_eq($$SELECT pg_temp.told('{"grade": {"to": 1.5}}', '{"grade": {"from": 3.2}}')$$, $$VALUES ('grade: 2 to 3 | {"grade": {"to": 3, "from": 2}}')$$, 'whole numbers between fractions');
SELECT results_eq($$SELECT pg_temp.told('{"founded": {"to": "1999-12-31"}}', '{"founded": ["2000-01-02", "2000-02-29"]}')$$,
    $$VALUES ('founded: from 2000-01-01 except 2000-01-02, 2000-02-29 or empty | {"founded": {"not": {"in": ["2000-01-02", "2000-02-29"], "to": "1999-12-31"}}}')$$, 'dates, without those that are taken');
SELECT results_eq($$SELECT pg_temp.told('{"is_partner": true}')$$, $$VALUES ('is_partner: false or empty | {"is_partner": false}')$$, 'true and false');
SELECT results_eq($$SELECT pg_temp.told('{"is_partner": [true, false]}')$$, $$VALUES ('is_partner: empty | {"is_partner": null}')$$, 'neither');
SELECT results_eq($$SELECT pg_temp.told('{"industry": {"prefix": ["a\"b"]}}', '{"industry": {"from": "x", "to": "y"}}', '{"industry": null}')$$,
    $$VALUES ('industry: other than beginning with a"b, x to y | {"industry": {"not": {"to": "y", "from": "x", "prefix": ["a\"b"]}}}')$$, 'texts with whatever is in them');
SELECT results_eq($$SELECT pg_temp.told('{"industry": {"not": ["", "a"]}}', '{"industry": {"null": true}}')$$, $$VALUES ('industry: "", a | {"industry": {"in": ["", "a"]}}')$$, 'and an empty text is not an unknown one');

-- named accounts, more than are classes
SET client_min_messages = error;  -- none of them is among the accounts
SELECT spm.name_accounts('N', ARRAY(SELECT 'K' || i FROM generate_series(1, 300) i), model => 'west'), spm.name_accounts('E', ARRAY(SELECT 'K' || i FROM generate_series(300, 600) i), model => 'west'),
    spm.name_accounts('S', '{K7,K8}', model => 'west'), pg_temp.rule('W', '{"account": {"prefix": ["K1"]}}') \g /dev/null
SET client_min_messages = warning;
SELECT results_eq('SELECT pg_temp.conflicts()', $$VALUES ('1-2 key: account: K300'), ('1-3 key: account: K7, K8')$$, 'named accounts conflict where both lists name them');
SELECT results_eq('SELECT pg_temp.shadowed()', $$VALUES ('3 hidden by one 1')$$, 'a list is hidden by a longer one, a prefix by no list');
DELETE FROM spm.territory_rule;

-- random books against all points of a small world, judged by reading every condition
CREATE TABLE crm.thing (thing_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text, size numeric, piece int NOT NULL);
INSERT INTO crm.thing (word, size, piece)
    SELECT w, s, p FROM unnest('{NULL,0,a,aa,ab,ab0,ac,az,b,b0,c,d}'::text[]) w, unnest('{NULL,0,1,1.5,2,2.5,3,4}'::numeric[]) s, generate_series(0, 4) p;
CREATE TABLE crm.day AS SELECT d::date FROM generate_series('2025-12-31'::date, '2026-01-04', '1 day') d;
SELECT spm.add_territory_model('random', 'crm.thing', key => 'thing_id') \g /dev/null
SELECT spm.add_territory_attribute('random', 'word'), spm.add_territory_attributes('random', '{size,piece}', 'number') \g /dev/null
SELECT spm.add_territory('random', k, type => CASE WHEN k = 'O' THEN 'overlay' END) FROM unnest('{A,B,C,O}'::text[]) k \g /dev/null

CREATE FUNCTION pg_temp.met(operator text, is_negated boolean, operands text[], value text, is_number boolean) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF operator = 'null' THEN
        RETURN (value IS NULL) <> is_negated;
    END IF;
    RETURN value IS NOT NULL AND is_negated <> CASE
        WHEN operator = 'in' AND is_number THEN value::numeric = ANY (operands::numeric[])
        WHEN operator = 'in' THEN value = ANY (operands)
        WHEN operator = 'prefix' THEN left(value, 1) = ANY (operands) OR left(value, 2) = ANY (operands)
        ELSE coalesce(value::numeric >= operands[1]::numeric, true) AND coalesce(value::numeric <= operands[2]::numeric, true) END;
END
$$;
CREATE FUNCTION pg_temp.some(VARIADIC anyarray) RETURNS anyelement LANGUAGE sql VOLATILE AS $$ SELECT $1[1 + floor(random() * cardinality($1))::int] $$;
CREATE FUNCTION pg_temp.some_number() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT CASE floor(random() * 5) WHEN 0 THEN jsonb_build_object('from', lo) WHEN 1 THEN jsonb_build_object('to', hi) WHEN 2 THEN jsonb_build_object('in', jsonb_build_array(lo, hi))
        WHEN 3 THEN jsonb_build_object('not', jsonb_build_object('from', least(lo, hi), 'to', greatest(lo, hi))) ELSE jsonb_build_object('from', least(lo, hi), 'to', greatest(lo, hi)) END
    FROM (SELECT pg_temp.some(1, 2, 3) lo, pg_temp.some(1, 2, 3) hi OFFSET 0) q
$$;
CREATE FUNCTION pg_temp.some_word() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT CASE floor(random() * 6) WHEN 0 THEN to_jsonb(w) WHEN 1 THEN jsonb_build_object('prefix', jsonb_build_array(w)) WHEN 2 THEN jsonb_build_object('not', jsonb_build_array(w))
        WHEN 3 THEN 'null' WHEN 4 THEN jsonb_build_object('prefix', jsonb_build_array(w), 'not', jsonb_build_array(v)) ELSE jsonb_build_object('not', jsonb_build_object('prefix', jsonb_build_array(w))) END
    FROM (SELECT pg_temp.some('a'::text, 'ab', 'b') w, pg_temp.some('a'::text, 'ab', 'b') v OFFSET 0) q
$$;
CREATE TABLE crm.outcome (book int, what text, n bigint);
CREATE FUNCTION pg_temp.try(book int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    nrules int := 3 + floor(random() * 9);
    since date;
BEGIN
    DELETE FROM spm.territory_rule;
    FOR i IN 1 .. nrules LOOP
        since := CASE WHEN random() < 0.3 THEN pg_temp.some('2026-01-01'::date, '2026-01-02') END;
        PERFORM spm.add_territory_rule(pg_temp.some('A'::text, 'B', 'C', 'O'), '{}'::jsonb
                || CASE WHEN random() < 0.6 THEN jsonb_build_object('word', pg_temp.some_word()) ELSE '{}' END
                || CASE WHEN random() < 0.4 THEN jsonb_build_object('size', pg_temp.some_number()) ELSE '{}' END
                || CASE WHEN random() < 0.4 THEN jsonb_build_object('piece', pg_temp.some_number()) ELSE '{}' END,
            pg_temp.some('rule'::text, 'rule', 'named'), pg_temp.some(1, 1, 2), since => since,
            until => CASE WHEN since IS NOT NULL THEN since + 1 + floor(random() * 2)::int END, model => 'random');
    END LOOP;
    CREATE TEMP TABLE met ON COMMIT DROP AS
    WITH asked AS MATERIALIZED (SELECT c.operator, c.is_negated, c.operands, a.name, a.kind = 'number' AS is_number, c.territory_rule_id FROM spm.territory_condition c JOIN spm.territory_attribute a USING (territory_attribute_id)),
    thing AS MATERIALIZED (
        SELECT r.territory_rule_id, x.thing_id FROM spm.territory_rule r CROSS JOIN crm.thing x WHERE NOT EXISTS (
            SELECT FROM asked a WHERE a.territory_rule_id = r.territory_rule_id
            AND NOT pg_temp.met(a.operator, a.is_negated, a.operands, CASE a.name WHEN 'word' THEN x.word WHEN 'size' THEN x.size::text ELSE x.piece::text END, a.is_number)))
    SELECT r.territory_rule_id, r.kind, r.precedence, r.territory_id, t.type, x.thing_id, d.d
    FROM thing x JOIN spm.territory_rule r USING (territory_rule_id) JOIN spm.territory t USING (territory_id) JOIN crm.day d ON r.span @> d.d;
    CREATE TEMP TABLE pair ON COMMIT DROP AS
    SELECT DISTINCT a.territory_rule_id x, b.territory_rule_id y FROM met a JOIN met b USING (thing_id, d, type, kind, precedence)
    WHERE a.territory_id <> b.territory_id AND a.territory_rule_id < b.territory_rule_id;
    INSERT INTO crm.outcome SELECT book, 'conflict', count(*) FROM pair;
    INSERT INTO crm.outcome SELECT book, 'conflict differs', count(*) FROM pair q
    FULL JOIN (SELECT least(territory_rule_id, other_rule_id) x, greatest(territory_rule_id, other_rule_id) y FROM spm.territory_conflict('random')) f USING (x, y)
    WHERE q IS NULL OR f IS NULL;
    -- rules that win nowhere, by the order that territories_of() gives
    CREATE TEMP TABLE won ON COMMIT DROP AS
    SELECT DISTINCT spm.territory_rule_of(x, d.d, t, 'random') AS territory_rule_id FROM crm.thing x, crm.day d, unnest('{primary,overlay}'::text[]) t;
    INSERT INTO crm.outcome SELECT book, 'hidden', count(*) FROM spm.territory_rule WHERE territory_rule_id NOT IN (SELECT territory_rule_id FROM won WHERE territory_rule_id IS NOT NULL);
    INSERT INTO crm.outcome SELECT book, 'hidden differs', count(*) FROM (
        SELECT territory_rule_id x FROM spm.territory_rule WHERE territory_rule_id NOT IN (SELECT territory_rule_id FROM won WHERE territory_rule_id IS NOT NULL)) q
    FULL JOIN (SELECT territory_rule_id x FROM spm.territory_shadowed('random') WHERE verdict <> 'not proven') f USING (x) WHERE q IS NULL OR f IS NULL;
    INSERT INTO crm.outcome SELECT book, 'hidden by others', count(*) FROM spm.territory_shadowed('random') s JOIN met m USING (territory_rule_id)
    WHERE s.verdict LIKE 'hidden%' AND NOT EXISTS (SELECT FROM met o WHERE o.territory_rule_id = ANY (s.hidden_by) AND (o.thing_id, o.d) = (m.thing_id, m.d));
    -- what gaps say: counted once, met by nothing, and all there is when they have become rules
    CREATE TEMP TABLE gap ON COMMIT DROP AS SELECT g.*, row_number() OVER () AS n FROM spm.territory_gap('random', 10000, as_of => '2026-01-02') g;
    INSERT INTO crm.outcome SELECT book, 'gap accounts differ', abs((SELECT count(*) FROM crm.thing) - (SELECT count(DISTINCT thing_id) FROM met WHERE d = '2026-01-02' AND type = 'primary')
        - coalesce((SELECT sum(accounts) FROM gap), 0));
    INSERT INTO crm.outcome SELECT book, 'gaps', count(*) FROM gap;
    INSERT INTO crm.outcome SELECT book, 'gaps in words alone', count(*) FROM gap WHERE conditions IS NULL;
    PERFORM spm.add_territory_rule('A', conditions, reason => 'gap', precedence => 9, model => 'random') FROM gap WHERE conditions IS NOT NULL;
    INSERT INTO crm.outcome SELECT book, 'gap is met', count(*) FROM met m JOIN crm.thing x USING (thing_id) CROSS JOIN LATERAL spm.territories_of(x, '2026-01-02', 'primary', 'random') o
    JOIN spm.territory_rule r ON r.territory_rule_id = o.territory_rule_id WHERE m.d = '2026-01-02' AND m.type = 'primary' AND r.reason = 'gap';
    INSERT INTO crm.outcome SELECT book, 'gap is left', count(*) FROM crm.thing x WHERE word IS NOT NULL AND size IS NOT NULL AND spm.territory_of(x, '2026-01-02', model => 'random') IS NULL
        AND NOT EXISTS (SELECT FROM gap WHERE conditions IS NULL);
    DROP TABLE met, pair, won, gap;
END
$$;
SELECT setseed(0.5) \g /dev/null
SELECT pg_temp.try(b) FROM generate_series(1, 25) b \g /dev/null
SELECT ok((SELECT bool_and(sum > 20) FROM (SELECT sum(n) FROM crm.outcome WHERE what IN ('conflict', 'hidden', 'gaps') GROUP BY what) q), 'in 25 random books there is enough of all that is wrong');
SELECT is((SELECT sum(n) FROM crm.outcome WHERE what = 'conflict differs'), 0::numeric, 'conflicts are those that reading every condition at every point of the world finds');
SELECT is((SELECT sum(n) FROM crm.outcome WHERE what = 'hidden differs'), 0::numeric, 'rules that never win are those that win at no point');
SELECT is((SELECT sum(n) FROM crm.outcome WHERE what = 'hidden by others'), 0::numeric, 'wherever one of them is met, one of those that hide it is');
SELECT is((SELECT sum(n) FROM crm.outcome WHERE what = 'gap accounts differ'), 0::numeric, 'every point that nobody covers is in one gap');
SELECT is((SELECT sum(n) FROM crm.outcome WHERE what = 'gap is met'), 0::numeric, 'no rule meets what a gap has');
SELECT is((SELECT sum(n) FROM crm.outcome WHERE what = 'gap is left'), 0::numeric, 'rules made from all gaps leave nothing uncovered');
SELECT ok((SELECT sum(n) FILTER (WHERE what = 'gaps in words alone') * 4 < sum(n) FILTER (WHERE what = 'gaps') FROM crm.outcome), 'most gaps can be said by a rule');

TRUNCATE spm.territory_rule CASCADE;
SELECT is((SELECT gap FROM spm.territory_gap('random')), 'everything', 'rules that were truncated are gone at once');

-- refused
SELECT throws_ok($$SELECT spm.territory_conflict('east')$$, '42704', NULL, 'an unknown model is refused');
SELECT throws_ok($$SELECT spm.territory_conflict('west', 0)$$, '22023', 'top cannot be 0', 'no rows are refused');
SELECT throws_ok($$SELECT spm.territory_shadowed('west', NULL)$$, '22023', 'budget cannot be NULL', 'an unlimited budget is refused');
SELECT throws_ok($$SELECT spm.territory_gap('west', type => 'other')$$, '22023', 'type of a territory cannot be "other"', 'another type is refused');
SELECT throws_ok($$SELECT spm.territory_gap('west', as_of => NULL)$$, '22004', 'as_of cannot be NULL', 'no day is refused');
DROP TABLE crm.account CASCADE;
SELECT lives_ok($$SELECT spm.territory_gap('west')$$, 'without its accounts a model is checked by its rules alone');

SELECT finish();
ROLLBACK;
