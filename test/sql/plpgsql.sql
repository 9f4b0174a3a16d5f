/*
 * Every PL/pgSQL function of the extension, read by plpgsql_check: names that
 * do not exist, types that do not fit, text that could be injected.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION plpgsql_check;
RESET client_min_messages;
SELECT plan(3);

-- The views over mapped sources are made with the first of them.
INSERT INTO spm.currency (currency_code) VALUES ('USD');
CREATE TABLE public.deal (deal_id int, closed_on date, owner_id text, amount numeric);
SELECT spm.map_source('deals', 'public.deal', key => 'deal_id', date => 'closed_on', owner => 'owner_id', amount => 'amount', fixed_currency => 'USD');
SELECT spm.track_source('deals');
SELECT spm.map_opportunities('deals', 'public.deal', key => 'deal_id', owner => 'owner_id', stage => 'owner_id', amount => 'amount', created => 'closed_on', close_date => 'closed_on');
CREATE TEMP VIEW routine AS
SELECT p.oid, p.prorettype, p.proretset
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
JOIN pg_catalog.pg_language l ON p.prolang = l.oid
WHERE e.extname = 'spm' AND d.deptype = 'e' AND l.lanname = 'plpgsql';

-- Read by a person: the text that these put into a statement is ...
CREATE TEMP TABLE reviewed AS
SELECT * FROM (VALUES
    ('spm.load_quota_input', 'names of columns, quoted, of a relation that regclass vouches for'),
    ('spm.load_quota_tree', 'names of columns, quoted, of a relation that regclass vouches for'),
    ('spm.load_periods', 'names of columns, quoted, of a relation that regclass vouches for'),
    ('spm._make_room', 'a condition that its callers make of literals'),
    ('spm._sync', 'names of relations and columns that stages.sql spells out'),
    ('spm._digest', 'names of relations and columns that stages.sql spells out'),
    ('spm._mark_transactions', 'names of columns, quoted, and of transition tables'),
    ('spm._set_marking', 'names of triggers, quoted, of relations that regclass vouches for'),
    ('spm._mark_watermarks', 'names of columns, quoted, and of types, of a relation that regclass vouches for'),
    ('spm._result', 'the query of a stage, made of checked expressions and literals'),
    ('spm.expected_commission_deal', 'the query of a stage over open deals, made of checked expressions and literals'),
    ('spm._check_scores', 'names of columns, quoted, of a relation that was checked'),
    ('spm.peer_potential', 'names of columns, quoted, of a relation that regclass vouches for, and numbers'),
    ('spm.load_design_units', 'names of columns, quoted, of a relation that regclass vouches for'),
    ('spm.load_design_borders', 'names of columns, quoted, of a relation that regclass vouches for'),
    ('spm.publish_design', 'names of columns, quoted, of relations that the catalog has'),
    ('spm._column_default', 'names of columns, quoted, and their defaults as the catalog has them'),
    ('spm._write_row', 'names of columns, quoted, of a table that functions_plan.sql spells out')
) v(name, why);

SELECT is_empty($$
    SELECT r.oid::regprocedure || ' line ' || coalesce(c.lineno, 0) || ': ' || c.level || ': ' || c.message
    FROM routine r
    LEFT JOIN pg_catalog.pg_trigger t ON t.tgfoid = r.oid
    CROSS JOIN LATERAL plpgsql_check_function_tb(r.oid, coalesce(t.tgrelid, 0),
        performance_warnings => false, extra_warnings => true, security_warnings => true,
        -- one function may serve triggers that have only one of the two
        oldtable => (SELECT max(o.tgoldtable::text) FROM pg_catalog.pg_trigger o WHERE o.tgfoid = r.oid)::name,
        newtable => (SELECT max(n.tgnewtable::text) FROM pg_catalog.pg_trigger n WHERE n.tgfoid = r.oid)::name) c
    WHERE (r.prorettype <> 'trigger'::regtype OR t.oid IS NOT NULL)
        -- a cast that an assignment makes is not a mistake
        AND c.message <> 'target type is different type than source type'
        AND NOT (c.level = 'security' AND r.oid::regproc::text IN (SELECT name FROM reviewed))
        -- rows of a query that is put together leave the variables alone that they are returned by
        AND NOT (r.proretset AND c.message ~ '^OUT variable .* is maybe unmodified$')
        -- made by the stage that runs before; the check of that function ends there
        AND c.message !~ '^relation "+pg_temp\.spm_\w+"+ does not exist'
    ORDER BY 1
    $$, 'every PL/pgSQL function is sound: names, types, unused variables, injection');
SELECT is_empty($$
    SELECT r.oid::regprocedure FROM routine r
    WHERE r.prorettype = 'trigger'::regtype AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid = r.oid)
        -- parts are made when a period is first calculated
        AND r.oid <> 'spm._guard_part'::regproc
    ORDER BY 1::text
    $$, 'every trigger function is used by a trigger');

SELECT is_empty($$SELECT name FROM reviewed WHERE to_regproc(name) IS NULL$$,
    'what was reviewed is still there');

SELECT * FROM finish();
ROLLBACK;
