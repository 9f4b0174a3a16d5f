/*
 * Every public function that computes or reads, called with usual and odd values in
 * all combinations: it may answer or refuse, but never fail inside, never run
 * on without end, and never bring the server down.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT plan(4);

CREATE TEMP TABLE odd (type regtype, value text, expression text);
INSERT INTO odd (type, value)
SELECT t::regtype, v FROM (VALUES
    ('boolean', ARRAY[NULL, 'true', 'false']),
    ('smallint', ARRAY[NULL, '0', '-32768', '32767']),
    ('integer', ARRAY[NULL, '0', '1', '2', '-1', '-2147483648', '2147483647']),
    ('bigint', ARRAY[NULL, '0', '7', '-9223372036854775808', '9223372036854775807']),
    ('numeric', ARRAY[NULL, '0', '-0.00', '0.05', '160000.005', '-1e-20', 'NaN', 'Infinity', '-Infinity', '1e1000',
        '99999999999999999999999999999999999999.99']),
    ('numeric[]', ARRAY[NULL, '{}', '{0}', '{0,100}', '{100,0}', '{0,NULL}', '{0.5,0.25}', '{NaN,Infinity}', '{{0,1},{2,3}}', '[-2:-1]={0,100}']),
    ('double precision', ARRAY[NULL, '0', '1', '0.5', '-1', '1e308', '5e-324', 'NaN', 'Infinity', '-Infinity']),
    ('double precision[]', ARRAY[NULL, '{}', '{0,1}', '{1,2}', '{3,1}', '{5,5}', '{0.5,9}', '{7,8}', '{{1,2},{3,4}}', '{{2,0},{0,2}}', '{1,NULL}', '{1,NaN}', '{1e308,1e308}', '{-1,1}']),
    ('text', ARRAY[NULL, '', 'a', 'flat', 'quarter', 'half_up', '0: 5%, 100000: 8%', 'amount > 0', '%s %I $1 '' " \ /*', 'ÄÖ' || repeat('é', 30), repeat('x', 100000)]),
    ('text[]', ARRAY[NULL, '{}', '{a}', '{NULL}', '{{a},{b}}']),
    ('date', ARRAY[NULL, '2024-02-29', '-infinity', 'infinity', '4713-01-01 BC', '5874897-12-31']),
    ('date[]', ARRAY[NULL, '{}', '{2024-01-01}', '{2024-01-01,2025-01-01}', '{2025-01-01,2024-01-01}', '{2024-01-01,NULL}', '{-infinity,infinity}']),
    ('timestamptz', ARRAY[NULL, '2026-03-29 01:30Z', 'infinity', '-infinity']),
    ('timestamp', ARRAY[NULL, '2026-01-31', 'infinity', '-infinity', '294276-12-31 23:59', '4713-01-01 BC']),
    ('daterange', ARRAY[NULL, 'empty', '(,)', '[2026-01-01,2026-04-01)', '[2026-01-01,)']),
    ('datemultirange', ARRAY[NULL, '{}', '{(,)}', '{[2026-01-15,2026-02-01),[2026-03-01,)}', '{[4713-01-01 BC,5874897-12-31]}']),
    ('integer[]', ARRAY[NULL, '{}', '{1}', '{NULL,2}', '{1,2}', '{3,0}']),
    ('bigint[]', ARRAY[NULL, '{}', '{1,2}', '{5,0}', '{NULL,2}', '{-1,9223372036854775807}']),
    ('interval', ARRAY[NULL, '0', '-1 month', '100000 years']),
    ('jsonb', ARRAY[NULL, '{}', '[]', 'null', '{"step": "month", "season": [3, 2], "gaps": "last", "until": "2026-12-31"}', '{"a": [1, null, "x"]}']),
    ('regtype', ARRAY[NULL, 'boolean', 'numeric', 'spm.calendar', '0']),
    ('regclass', ARRAY[NULL, 'pg_class', '0']),
    ('oid', ARRAY[NULL, '0', '4294967295']),
    ('bytea', ARRAY[NULL, '', '\x00ff'])
) c(t, vs), unnest(vs) v;
INSERT INTO odd (type, value)
SELECT 'spm.rate_schedule', v FROM unnest(ARRAY[NULL, '0: 5%', '0: 5%, 100000: 8%, 150000: 12%', '0%: 8%, 100%: 10%', '0: 5%, 100: 8% whole edge lower',
    '0: 1%, 100: 5% interpolated', '0..100: 1%, 100..200: 5% weighted', '0: 100, 50: 500 bonus', '0..10: 99999999999999999999999999% outside zero',
    '10: 5% base 2% cap 5000 floor 1']) v;
UPDATE odd SET expression = quote_nullable(value) || '::' || type;
INSERT INTO odd (type, expression)
SELECT t::regtype, e FROM (VALUES
    ('anynonarray', ARRAY['NULL::text', '''a''::text', '7::bigint', '(-1)::smallint', '0.5::numeric']),
    ('anyelement', ARRAY['NULL::spm.calendar', '7', 'ROW(1, NULL)', '(SELECT a FROM pg_temp.account a WHERE state = ''CA'')', '(SELECT a FROM pg_temp.account a WHERE state IS NULL)',
        '(SELECT r FROM (SELECT ''CA''::text AS state, ''{"size": "x"}''::jsonb AS attributes) r)', '(SELECT r FROM (SELECT 1 AS state, 9e99 AS size, 91 AS lat, ''NaN''::float4 AS lon) r)']),
    ('"any"', ARRAY['NULL::text', '''CA''::text', '5', '0.5::numeric', 'ROW(1)']),
    ('anycompatiblenonarray', ARRAY['NULL::bigint', '''b''::text', '8', 'true']),
    ('spm.book', ARRAY['NULL::spm.book', '(SELECT spm.book(7, date ''2024-02-29'', 1, 12.5, ''month''))', '(SELECT spm.book(''a''::text, date ''2024-02-29'', 1e30, ''all''))']),
    ('spm.rate_card', ARRAY['NULL::spm.rate_card', '(SELECT spm.rate_card(7, NULL, ''0: 5%''))', '(SELECT spm.rate_card(''a''::text, date ''2024-02-01'', ''0%: 8%, 100%: 10%'', 0))']),
    ('spm.splits', ARRAY['NULL::spm.splits', '(SELECT spm.splits(8, 7, 0.5))', '(SELECT spm.splits(''b''::text, ''a''::text, 0))']),
    ('spm.forecast_path', ARRAY['NULL::spm.forecast_path', 'spm.forecast(''{1,2,3}'', 2)', '(''a'', 2, ''{}'', ''{1,NULL}'', NULL, ''{NaN}'')::spm.forecast_path']),
    ('spm.series', ARRAY['NULL::spm.series', '(SELECT spm.series(d, v) FROM (VALUES (date ''2026-01-01'', 5), (''2026-03-01'', 7), (''2026-06-01'', 6)) t(d, v))', '(NULL, ''{}'', ''{1,2,3,4,9,1}'', ''{2}'')::spm.series', '(NULL, NULL, NULL, NULL)::spm.series']),
    ('spm.payee_tree', ARRAY['NULL::spm.payee_tree', '(SELECT spm.payee_tree(7, 8))', '(SELECT spm.payee_tree(x, 3 - x) FROM generate_series(1, 2) x)'])
) c(t, es), unnest(es) e;

-- a model of territories, so that there is something to ask
CREATE TEMP TABLE account (id int, state text, size numeric, lat float8, lon float8);
INSERT INTO account VALUES (1, 'CA', 5, 30, -97), (2, NULL, 'NaN', NULL, 180);
SELECT count(*) FROM (SELECT spm.add_territory_model('a'), spm.add_territory_attribute('a', 'state'), spm.add_territory_attribute('a', 'size', 'number'),
    spm.add_territory_attribute('a', 'hq', 'point', 'lat', 'lon'), spm.add_territory('a', 'west'),
    spm.add_territory_rule('west', '{"state": "CA", "size": {"from": 1, "to": 1000000000000000000000}, "hq": {"within": [30, -97, 10]}}', model => 'a')) m \g /dev/null

CREATE TEMP TABLE flower AS
SELECT p.oid, p.oid::regprocedure::text AS name, p.provolatile,
    format('%I.%I', n.nspname, p.proname) AS call,
    ARRAY(SELECT t::regtype FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(t, o) ORDER BY o) AS types
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE e.extname = 'spm' AND d.deptype = 'e' AND (p.provolatile <> 'v' OR p.prokind = 'a') AND p.prokind IN ('f', 'a') AND p.pronargs > 0
    AND p.proname NOT LIKE '\_%'
    AND NOT ARRAY[p.prorettype] || p.proargtypes::oid[] && ARRAY['internal', 'cstring', 'trigger', 'event_trigger']::regtype[]::oid[];

SELECT is_empty($$
    SELECT name FROM flower WHERE EXISTS (SELECT FROM unnest(types) t WHERE t NOT IN (SELECT type FROM odd)) ORDER BY 1
    $$, 'there are odd values for the arguments of every function');

-- All combinations where they are few, else a few hundred that are spread over all; and those of one value for all of a type.
CREATE FUNCTION pg_temp.call_all(flower, tries int, OUT calls bigint, OUT answers bigint, OUT failures text[])
LANGUAGE plpgsql AS $$
DECLARE
    arguments text;
    combination bigint;
    combinations bigint := 1;
    rest bigint;
    this regtype;
    choices text[];
BEGIN
    calls := 0;
    answers := 0;
    FOREACH this IN ARRAY $1.types LOOP
        combinations := combinations * (SELECT count(*) FROM odd o WHERE o.type = this);
    END LOOP;
    FOR i IN -16 .. least(tries, combinations) - 1 LOOP
        combination := CASE WHEN i < 0 OR combinations <= tries THEN i ELSE (hashint8extended(i, 7) & 9223372036854775807) % combinations END;
        rest := combination;
        arguments := '';
        FOREACH this IN ARRAY $1.types LOOP
            choices := ARRAY(SELECT o.expression FROM odd o WHERE o.type = this ORDER BY o.value COLLATE "C" NULLS FIRST, o.expression COLLATE "C");
            arguments := arguments || ', ' || choices[(CASE WHEN i < 0 THEN -i ELSE rest END) % cardinality(choices) + 1];
            rest := rest / cardinality(choices);
        END LOOP;
        calls := calls + 1;
        BEGIN
            EXECUTE format('SELECT count(x) FROM (SELECT %s(%s)) v(x)', $1.call, substr(arguments, 3));
            answers := answers + 1;
        EXCEPTION
            WHEN internal_error OR data_corrupted OR index_corrupted THEN
                failures := failures || format('%s: %s', left(format('%s(%s)', $1.call, substr(arguments, 3)), 300), SQLERRM);
            WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END
$$;

-- One statement for each function, so that each has a clock of its own.
CREATE TEMP TABLE walk (name text, calls bigint, answers bigint, failures text[]);
SET LOCAL statement_timeout = '60s';
\set ECHO none
SELECT format('INSERT INTO walk SELECT f.name, c.* FROM flower f, pg_temp.call_all(f, 200) c WHERE f.oid = %s', oid) FROM flower ORDER BY name \gexec
\set ECHO all

SELECT is_empty($$SELECT name, unnest(failures) FROM walk ORDER BY 1, 2$$,
    'no function fails inside, whatever it is given');
SELECT cmp_ok(sum(calls), '>', 1000::numeric, 'thousands of combinations were tried') FROM walk;
SELECT is_empty($$SELECT name FROM walk JOIN flower USING (name) WHERE answers = 0 AND provolatile = 'i' ORDER BY 1$$,
    'every function that only computes answers at least one of them');

SELECT * FROM finish();
ROLLBACK;
