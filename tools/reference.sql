/*
 * docs/reference.md out of the comments in the database.  Which domain an
 * object belongs to comes from the folder of the file that creates it:
 * tools/reference fills pg_temp.home.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset footer off

-- A comment: what it is; an example at its end becomes a block of code.
CREATE FUNCTION pg_temp.prose(comment text) RETURNS text LANGUAGE sql AS $$
SELECT replace(replace(regexp_replace(comment, '\n*(Example: .*)?$', ''), '<', '&lt;'), '*', '\*')
    || coalesce(E'\n\n```sql\n' || substring(comment FROM '\nExample: (.*)$') || E'\n```', '')
$$;
CREATE FUNCTION pg_temp.cell(comment text) RETURNS text LANGUAGE sql AS $$
SELECT replace(replace(replace(replace(coalesce(comment, ''), E'\n', ' '), '|', '\|'), '<', '&lt;'), '*', '\*')
$$;

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'spm' AND d.deptype = 'e';

CREATE TEMP VIEW entry AS
SELECT h.place, h.domain, k.*
FROM (
    SELECT 4 AS rank, 'Functions' AS chapter, n.nspname || '.' || p.proname AS name,
        n.nspname || '.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
            || CASE p.prokind WHEN 'p' THEN '' ELSE ' → ' || pg_get_function_result(p.oid) END
            || CASE p.prokind WHEN 'a' THEN ' (aggregate)' WHEN 'w' THEN ' (window function)' WHEN 'p' THEN ' (procedure)' ELSE '' END AS title,
        pg_temp.prose(obj_description(p.oid, 'pg_proc')) AS body
    FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname NOT LIKE '\_%'
        AND NOT ARRAY[p.prorettype] || p.proargtypes::oid[] && ARRAY['internal', 'cstring', 'trigger', 'event_trigger']::regtype[]::oid[]
        AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typsend, t.typreceive))
    UNION ALL
    SELECT 1, 'Types', n.nspname || '.' || t.typname, n.nspname || '.' || t.typname, pg_temp.prose(obj_description(t.oid, 'pg_type'))
    FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE NOT (t.typelem <> 0 AND t.typlen = -1)
        AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
    UNION ALL
    SELECT CASE WHEN c.relkind = 'v' AND n.nspname = 'spm_bi' THEN 5 WHEN c.relkind = 'v' THEN 3 ELSE 2 END,
        CASE WHEN c.relkind = 'v' AND n.nspname = 'spm_bi' THEN 'Views for BI' WHEN c.relkind = 'v' THEN 'Views' ELSE 'Tables' END,
        n.nspname || '.' || c.relname, n.nspname || '.' || c.relname,
        pg_temp.prose(obj_description(c.oid, 'pg_class')) || E'\n\n| column | type | meaning |\n|---|---|---|\n'
            || (SELECT string_agg(format('| %s | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
                    pg_temp.cell(col_description(c.oid, a.attnum))), E'\n' ORDER BY a.attnum)
                FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v')
) k
LEFT JOIN pg_temp.home h USING (name);

\qecho '# Reference'
\qecho
\qecho 'Written by `make reference` from the comments in the database: `\\df+`, `\\d+` and BI tools show the same.'
\qecho 'Helpers, whose names begin with an underscore, are left out.'

SELECT CASE WHEN place IS DISTINCT FROM lag(place) OVER w THEN E'\n## ' || coalesce(domain, 'other') || E'\n' ELSE '' END
    || CASE WHEN (place, rank) IS DISTINCT FROM lag((place, rank)) OVER w THEN E'\n### ' || chapter || E'\n' ELSE '' END
    || E'\n#### ' || title || E'\n\n' || coalesce(body, '')
FROM entry
WINDOW w AS (ORDER BY place, rank, name COLLATE "C", title COLLATE "C")
ORDER BY place, rank, name COLLATE "C", title COLLATE "C";
