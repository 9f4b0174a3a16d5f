/*
 * What holds for every object of the extension, whoever wrote it.  A failing
 * test lists the objects that break the rule.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, (pg_catalog.pg_identify_object(d.classid, d.objid, 0)).identity AS name
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'spm' AND d.deptype = 'e';

CREATE TEMP VIEW relation AS
SELECT c.*, m.name
FROM member m
JOIN pg_catalog.pg_class c ON m.classid = 'pg_catalog.pg_class'::regclass AND m.objid = c.oid;

CREATE TEMP VIEW routine AS
SELECT p.*, m.name, l.lanname,
    p.proname LIKE '\_%' AS is_helper,
    -- called by the server on its own account: input, output, support of aggregates, triggers
    'internal'::regtype = ANY (p.proargtypes::oid[]) OR 'cstring'::regtype = ANY (p.proargtypes::oid[])
        OR p.prorettype IN ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype, 'event_trigger'::regtype) AS is_plumbing
FROM member m
JOIN pg_catalog.pg_proc p ON m.classid = 'pg_catalog.pg_proc'::regclass AND m.objid = p.oid
JOIN pg_catalog.pg_language l ON p.prolang = l.oid;

CREATE TEMP VIEW attribute AS
SELECT r.name || '.' || a.attname AS name, r.relkind, r.relnamespace::regnamespace::text AS schema,
    a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c');

SELECT cmp_ok((SELECT count(*) FROM member), '>', 10::bigint, 'the checks below have objects to look at');

-- --------------------------------------------------------------- where it is
SELECT is_empty($$
    SELECT name FROM relation WHERE relnamespace NOT IN ('spm'::regnamespace, 'spm_bi'::regnamespace)
    UNION SELECT name FROM routine WHERE pronamespace <> 'spm'::regnamespace
    $$, 'nothing is created outside of schema spm, but the views in spm_bi');
SELECT is_empty($$
    SELECT name FROM relation WHERE relnamespace = 'spm_bi'::regnamespace AND relkind <> 'v'
    $$, 'schema spm_bi has views and nothing else');

-- ------------------------------------------------------------ what it is for
SELECT is_empty($$
    SELECT pg_catalog.pg_describe_object(m.classid, m.objid, 0)
    FROM member m
    LEFT JOIN pg_catalog.pg_class c ON m.classid = 'pg_catalog.pg_class'::regclass AND m.objid = c.oid
    WHERE pg_catalog.obj_description(m.objid, m.classid::regclass::text::name) IS NULL
        AND m.classid NOT IN ('pg_catalog.pg_cast'::regclass, 'pg_catalog.pg_opfamily'::regclass, 'pg_catalog.pg_amop'::regclass)
        AND c.relkind IS DISTINCT FROM 'S' AND c.relkind IS DISTINCT FROM 'i'
        AND NOT (m.classid = 'pg_catalog.pg_type'::regclass AND EXISTS
            (SELECT FROM pg_catalog.pg_type t WHERE t.oid = m.objid AND (t.typelem <> 0 AND t.typlen = -1 OR t.typtype = 'c' AND EXISTS
                (SELECT FROM pg_catalog.pg_class r WHERE r.oid = t.typrelid AND r.relkind <> 'c') OR t.typtype = 'm')))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class r WHERE m.classid = 'pg_catalog.pg_class'::regclass AND r.oid = m.objid AND r.relkind = 'c')
    ORDER BY 1
    $$, 'every schema, table, view, function, aggregate, operator and type has a comment');
SELECT is_empty($$
    SELECT name FROM attribute WHERE relkind <> 'c' AND pg_catalog.col_description(attrelid, attnum) IS NULL ORDER BY 1
    $$, 'every column of every table and view has a comment');
SELECT is_empty($$
    SELECT name || ': ' || a FROM routine, pg_catalog.unnest(proargnames) a
    WHERE NOT is_plumbing AND NOT is_helper AND (a = '' OR a LIKE 'p\_%' OR a LIKE '\_%')
    UNION ALL
    SELECT name FROM routine WHERE NOT is_plumbing AND NOT is_helper AND pronargs > 0 AND proargnames IS NULL AND prokind <> 'a'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oprcode = routine.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast c WHERE c.castfunc = routine.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE routine.oid IN (t.typsend, t.typreceive, t.typanalyze))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_amproc p WHERE p.amproc = routine.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_aggregate g WHERE routine.oid IN (g.aggtransfn, g.aggcombinefn))
    ORDER BY 1
    $$, 'arguments of public functions have plain names, so that people can write name => value');

-- ------------------------------------------------------- what is kept, and how
SELECT is_empty($$
    SELECT r.name FROM relation r JOIN pg_catalog.pg_extension e ON e.extname = 'spm'
    WHERE r.relkind IN ('r', 'p', 'S') AND NOT r.oid = ANY (coalesce(e.extconfig, '{}'))
        -- derived by triggers, which a restore fires
        AND r.name NOT IN ('spm.position_path', 'spm.position_path_version', 'spm.change', 'spm.change_change_id_seq', 'spm.change_version')
    ORDER BY 1
    $$, 'pg_dump saves the rows of every table and the position of every sequence');
SELECT is_empty($$
    SELECT c.oid::regclass || ': ' || w
    FROM pg_catalog.pg_extension e, ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) u(oid, w), pg_catalog.pg_class c
    WHERE e.extname = 'spm' AND c.oid = u.oid AND w <> '' ORDER BY 1
    $$, 'pg_dump leaves out no row: an edited row that was there from the start would be lost');
SELECT is_empty($$
    SELECT name FROM relation r WHERE relkind = 'r'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'p') ORDER BY 1
    $$, 'every table has a primary key');
SELECT is_empty($$
    SELECT i.indexrelid::regclass::text FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid WHERE r.relkind = 'p'
    UNION SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, r.oid, 0) FROM relation r WHERE r.relispartition
    ORDER BY 1
    $$, 'what is kept in parts has indexes there only, and its parts are no members: pg_dump could save neither');
SELECT is_empty($$
    SELECT k.conrelid::regclass || ': ' || k.conname
    FROM relation r
    JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f'
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = k.conrelid AND i.indpred IS NULL
            AND k.conkey <@ (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1])
        -- a partial index over exactly the rows that refer to something will do
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = k.conrelid AND pg_catalog.cardinality(k.conkey) = 1 AND i.indkey[0] = k.conkey[1]
            AND pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\(\w+ IS NOT NULL\)$')
    ORDER BY 1
    $$, 'every foreign key has an index that starts with its columns');
SELECT is_empty($$
    SELECT a.name || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
    FROM attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.relkind IN ('r', 'p') AND t.typtype = 'c' ORDER BY 1
    $$, 'no table has a column of composite type: its stored rows would not survive a change of the type');
SELECT is_empty($$
    SELECT a.name || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) FROM attribute a
    WHERE a.relkind IN ('r', 'p') AND a.atttypid IN ('timestamp'::regtype, 'timetz'::regtype, 'money'::regtype, 'char'::regtype, 'bpchar'::regtype, 'json'::regtype)
    ORDER BY 1
    $$, 'instants are kept with time zone, amounts as numeric, words as text, documents as jsonb');

-- --------------------------------------------------------------- money is exact
SELECT is_empty($$
    SELECT name || ' ' || pg_catalog.format_type(atttypid, atttypmod) FROM attribute
    WHERE atttypid IN ('float4'::regtype, 'float8'::regtype, 'float4[]'::regtype, 'float8[]'::regtype, 'money'::regtype) AND relkind <> 'c' ORDER BY 1
    $$, 'no column of a table or view is floating point');
SELECT is_empty($$
    SELECT name FROM routine
    WHERE (proargtypes::oid[] || coalesce(proallargtypes, '{}') || prorettype)
            && ARRAY['float4', 'float8', 'float4[]', 'float8[]', 'money']::regtype[]::oid[]
        AND (proargtypes::oid[] || coalesce(proallargtypes, '{}') || prorettype) && ARRAY['numeric', 'numeric[]', 'money']::regtype[]::oid[]
    ORDER BY 1
    $$, 'no function takes or returns floating point, which is for distances and scores, together with numeric, which is for money');

-- ------------------------------------------------------------------ what BI reads
SELECT is_empty($$
    SELECT name || ' ' || pg_catalog.format_type(atttypid, atttypmod) FROM attribute
    WHERE schema = 'spm_bi' AND (atttypid NOT IN ('boolean'::regtype, 'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype,
            'numeric'::regtype, 'text'::regtype, 'date'::regtype, 'timestamptz'::regtype)
        OR atttypid = 'numeric'::regtype AND atttypmod = -1)
    ORDER BY 1
    $$, 'views for BI have types that every driver reads, and numeric with its digits');
SELECT is_empty($$
    SELECT name FROM attribute WHERE schema = 'spm_bi' AND (atttypid = 'boolean'::regtype) <> (attname LIKE 'is\_%') ORDER BY 1
    $$, 'in views for BI, is_ means true or false, and only that');

-- ------------------------------------------------------------------------ rights
SELECT is_empty($$
    SELECT name FROM relation WHERE relkind = 'v' AND NOT coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on,security_invoker=1}' ORDER BY 1
    $$, 'every view shows only what the person who asks may see');
SELECT is_empty($$SELECT name FROM relation WHERE relkind = 'm' ORDER BY 1$$,
    'there is no materialized view: it would show everybody what its owner saw');
SELECT is_empty($$
    SELECT name FROM routine
    WHERE (lanname = 'plpgsql' OR lanname = 'sql' AND prosqlbody IS NULL)
        AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']
        -- a procedure that commits cannot have settings
        AND NOT (prokind = 'p' AND prosrc ~ '\mCOMMIT\M')
    ORDER BY 1
    $$, 'every function that looks up names when it runs has a fixed search_path');
SELECT is((SELECT string_agg(proname, ', ' ORDER BY proname) FROM routine WHERE prosecdef), '_index_partition, _ledger_partition, _mark_config, _mark_transactions',
    'no function runs with the rights of its owner, but those that make the parts of the ledger and those that note what has changed');
SELECT is_empty($$
    SELECT name FROM routine WHERE is_helper AND pg_catalog.has_function_privilege('public', oid, 'EXECUTE') ORDER BY 1
    $$, 'helpers (names with a leading underscore) are not for everybody');
SELECT is_empty($$
    SELECT r.name || ': ' || p.privilege_type
    FROM relation r, pg_catalog.aclexplode(r.relacl) p
    -- USAGE of a sequence allows to draw numbers, as who inserts into an identity column does
    WHERE p.grantee = 0 AND NOT (r.relkind = 'S' AND p.privilege_type = 'USAGE') ORDER BY 1
    $$, 'nobody may read or write a table or view without a grant');

-- ------------------------------------------------------------------------- plans
SELECT is_empty($$
    SELECT name FROM routine WHERE provolatile IN ('i', 's') AND proparallel = 'u' AND NOT is_plumbing AND prokind <> 'p'
        -- what only procedures call may stay as it is
        AND (NOT is_helper OR EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = routine.oid AND d.classid = 'pg_catalog.pg_rewrite'::regclass))
    ORDER BY 1
    $$, 'no function that only computes or reads keeps a query from running in parallel');
SELECT is_empty($$
    SELECT r.name FROM routine r JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = r.oid
    WHERE a.aggcombinefn = 0 AND a.aggkind = 'n' AND r.proparallel <> 'r' ORDER BY 1
    $$, 'every aggregate can be computed in parallel, or says that it is not');
SELECT is_empty($$
    SELECT name FROM routine WHERE lanname = 'c' AND NOT proisstrict AND provolatile = 'i' AND NOT is_plumbing
        AND pronargs > 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_aggregate a WHERE routine.oid IN (a.aggtransfn, a.aggcombinefn, a.aggfinalfn, a.aggmtransfn))
        AND prokind = 'f'
        AND oid <> 'spm.with_limits'::regproc    -- for which a null limit is no limit
    ORDER BY 1
    $$, 'C functions that only compute return NULL for NULL');

SELECT * FROM finish();
ROLLBACK;
