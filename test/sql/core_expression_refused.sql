/*
 * What must never get through spm.checked_expression.  Anything that a user has
 * made and that is run, in whatever disguise, leaves a trace in a sequence,
 * which no rollback takes away.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

-- ------------------------------------------------------------------ the traps
CREATE SEQUENCE public.trap;
CREATE FUNCTION public.sprung() RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$SELECT pg_catalog.nextval('public.trap') OPERATOR(pg_catalog.>) 0$$;
CREATE FUNCTION public.evil() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()';
CREATE FUNCTION public.evil(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()::integer::numeric';
CREATE FUNCTION public.evil(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()::text';
CREATE FUNCTION public.evil(numeric, numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()';
CREATE FUNCTION public.evil(numeric, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()';
CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()::text';
CREATE FUNCTION public.round(numeric, integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()::integer::numeric';
CREATE OPERATOR public.= (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = public.evil);
CREATE OPERATOR public.> (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = public.evil);
CREATE OPERATOR public.### (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = public.evil);
CREATE OPERATOR spm.### (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = public.evil);
CREATE DOMAIN public.evil_domain AS text CHECK (public.evil());
CREATE DOMAIN public.numeric AS text CHECK (public.evil());
CREATE DOMAIN spm.evil_domain AS text CHECK (public.evil());
CREATE DOMAIN pg_temp.evil_domain AS text CHECK (public.evil());
CREATE TYPE public.evil_row AS (x public.evil_domain);
CREATE TYPE public.evil_range AS RANGE (SUBTYPE = public.evil_domain);
CREATE TYPE public.evil_enum AS ENUM ('x');
CREATE COLLATION public.evil FROM "C";
CREATE FUNCTION pg_temp.evil() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()';
CREATE FUNCTION spm.evil() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()';
CREATE FUNCTION spm.evil(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()::integer::numeric';
CREATE AGGREGATE spm.evil_sum(numeric) (SFUNC = pg_catalog.numeric_add, STYPE = numeric);
CREATE FUNCTION public.evil_cast(date) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT public.sprung()::integer';
CREATE CAST (date AS integer) WITH FUNCTION public.evil_cast(date) AS ASSIGNMENT;

-- What becomes of an expression, seen from a session that looks for everything in the wrong place first.
CREATE FUNCTION pg_temp.verdict(expression text, result_type regtype) RETURNS text
    LANGUAGE plpgsql
    SET search_path = public, spm, pg_temp, pg_catalog
    SET client_min_messages = warning
AS $$
DECLARE
    state text;
    message text;
BEGIN
    RETURN 'accepted: ' || spm.checked_expression(expression, result_type);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN state || ' ' || message;
END
$$;

-- One expression a line; a line '=> ...' says how those after it are refused.
CREATE FUNCTION pg_temp.refused(promise text, expressions text) RETURNS text LANGUAGE sql AS $$
    WITH line AS (
        SELECT l.line, l.no, sum((l.line LIKE '=> %')::integer) OVER (ORDER BY l.no) AS section
        FROM pg_catalog.string_to_table(btrim(expressions, E'\n'), E'\n') WITH ORDINALITY l(line, no)
    ), verdict AS (
        SELECT l.line, substr(first_value(l.line) OVER (PARTITION BY l.section ORDER BY l.no), 4) AS expected,
            pg_temp.verdict(l.line, 'boolean') AS got, l.no
        FROM line l
    )
    SELECT is(string_agg(v.line || ' => ' || v.got, E'\n' ORDER BY v.no) FILTER (WHERE v.got NOT LIKE v.expected),
        NULL, promise || ' (' || count(*) || ')')
    FROM verdict v
    WHERE v.line NOT LIKE '=> %'
$$;

SELECT is(pg_temp.verdict('amount > 0', 'boolean'), 'accepted: (t.amount > (0)::numeric)',
    'an innocent expression passes, and means the operator that is built in');
SELECT ok('x'::public.evil_domain = 'x' AND (SELECT is_called FROM public.trap),
    'the traps work: a value of a user''s type runs a user''s code when it is read');
SELECT is(setval('public.trap', 1, false), 1::bigint, 'the traps are set again');

-- ----------------------------------------------------------------- the corpus
SELECT pg_temp.refused('sub-queries are refused wherever they stand', $e$
=> 42P17 expression uses a sub-query
(SELECT 1)
amount > (SELECT max(amount) FROM spm.source)
EXISTS (SELECT 1)
NOT EXISTS (SELECT FROM pg_catalog.pg_authid)
amount IN (SELECT 1)
amount = ANY (SELECT 1)
amount <> ALL (SELECT 1)
ARRAY(SELECT 1) IS NULL
CASE WHEN EXISTS (SELECT 1) THEN true END
coalesce((SELECT true), false)
greatest(amount, (SELECT 1)) > 0
round((SELECT 1), 2) > 0
(ARRAY[1, 2])[(SELECT 1)] = 1
(SELECT amount)::numeric > 0
attributes -> (SELECT 'a') IS NULL
(VALUES (true))
(WITH w AS (DELETE FROM spm.source RETURNING 1) SELECT true FROM w)
(TABLE pg_catalog.pg_authid) IS NULL
amount BETWEEN (SELECT 1) AND 2
type LIKE (SELECT 'a')
type COLLATE "C" = (SELECT 'a' COLLATE "C")
(SELECT t) IS NULL
((((SELECT true))))
=> 42P17 expression uses a row
(amount, cost) = (SELECT 1, 2)
$e$);
SELECT pg_temp.refused('more than one value, or anything after it, is refused', $e$
=> 42P17 expression must be one value, without FROM, WHERE or any other clause
true FROM pg_catalog.pg_authid
true WHERE true
true GROUP BY 1
true HAVING true
true ORDER BY 1
true LIMIT 1
true OFFSET 1
true FETCH FIRST 1 ROW ONLY
true FOR UPDATE
true WINDOW w AS (PARTITION BY 1)
DISTINCT true
DISTINCT ON (amount) true
true, false
true, *
DELETE FROM spm.source
=> 42601 %
true UNION SELECT false
true UNION ALL SELECT pg_catalog.pg_sleep(100) IS NULL
true INTERSECT SELECT true
true EXCEPT SELECT true
true INTO evil
true;
true; DROP TABLE spm.source
true;;
;
SELECT true
DROP TABLE spm.source
COPY spm.source TO PROGRAM 'touch /tmp/evil'
DO $$BEGIN PERFORM 1; END$$
SET ROLE postgres
x := true
amount := 1
true) OR (true
true) UNION SELECT (true
)
(
((((true)))
'true
"true
$$true
$evil$true$evi$
/* true
true /* /* */
true */
=> 42P17 expression must be one value, without a name for it
true AS evil
true evil
amount cost
EXECUTE evil
=> 42P17 expression has no value
FROM pg_catalog.pg_authid
WHERE true
-- true
/* nothing */
/* /* */ */ -- */
=> 42P17 expression cannot use *
*
t.*
=> 42703 column "%" of a transaction does not exist
BEGIN
$e$);
SELECT pg_temp.refused('the clock, the user and the session are out of reach', $e$
=> 42P17 expression uses %
CURRENT_DATE > event_date
event_date < CURRENT_DATE - 30
CURRENT_TIMESTAMP IS NULL
CURRENT_TIMESTAMP(0) IS NULL
CURRENT_TIME IS NULL
LOCALTIME IS NULL
LOCALTIMESTAMP > event_date
CURRENT_USER = owner_key
SESSION_USER = owner_key
USER = owner_key
CURRENT_ROLE = owner_key
CURRENT_CATALOG = 'a'
CURRENT_SCHEMA = 'a'
=> 42P17 expression uses function %, which is not immutable
now() > event_date
transaction_timestamp() IS NULL
clock_timestamp() IS NULL
timeofday() = 'a'
age(event_date) IS NULL
current_setting('is_superuser') = 'on'
set_config('search_path', 'public', false) = 'public'
current_query() = 'a'
pg_backend_pid() = 1
version() = 'a'
inet_client_addr() IS NULL
txid_current() = 1
pg_is_in_recovery()
has_table_privilege('pg_authid', 'select')
$e$);
SELECT pg_temp.refused('a date that depends on the day of definition is refused', $e$
=> 42P17 expression would keep the % of the day it was defined
event_date > 'today'
event_date > date 'today'
event_date > 'today'::date
event_date > CAST('today' AS date)
event_date > 'TODAY'
event_date > ' today '
event_date > E'to\x64ay'
event_date > U&'tod\0061y'
event_date > $$today$$
event_date > $a$tomorrow$a$
event_date::timestamp > 'now'
event_date::timestamp > timestamp 'now'
event_date::timestamp > timestamp(0) 'now'
event_date::timestamp > 'tomorrow 08:00'
event_date = ANY ('{today}')
event_date = ANY (ARRAY['2026-01-01', 'today']::date[])
event_date IN ('2026-01-01', 'yesterday')
event_date NOT IN ('tomorrow', '2026-01-01')
event_date BETWEEN '2026-01-01' AND 'today'
event_date BETWEEN SYMMETRIC 'today' AND '2026-01-01'
event_date <@ '[2026-01-01,today)'::daterange
event_date <@ daterange '["now",)'
event_date <@ '[\now,)'::daterange
daterange('today', '2027-01-01') @> event_date
event_date <@ ANY ('{"[today,)"}'::daterange[])
coalesce(event_date, 'today') = event_date
greatest(event_date, 'now') = event_date
nullif(event_date, 'today') IS NULL
CASE WHEN amount > 0 THEN event_date ELSE 'today' END = event_date
CASE event_date WHEN 'today' THEN true END
event_date IS DISTINCT FROM 'today'
date('today') = event_date
event_date - 'yesterday'::date > 5
extract(year FROM date 'now') = 2026
daterange('[today,)') @> event_date
event_date = ANY ('{"to\day",2026-01-01}')
=> 42601 %
event_date > 'yester' 'day'
=> 22007 %
event_date::timestamp > 'now 12:00'
event_date = ANY ('{"to\\day",2026-01-01}')
=> 42P17 expression converts %, which depends on settings of the session
'today'::text::date = event_date
('to' || 'day')::date = event_date
cast(type AS date) = event_date
(attributes->>'d')::timestamp IS NULL
$e$);
SELECT pg_temp.refused('types other than those of plain values are refused before anything is read by them', $e$
=> 42P17 expression uses type %, which is not allowed here
'pg_authid'::regclass IS NULL
'pg_authid'::regclass::oid > 0
regclass('pg_authid') IS NULL
'now'::regproc IS NULL
'postgres'::regrole IS NULL
'1'::money > '0'::money
money(amount) > '0'::money
time '10:00' IS NULL
'<a/>'::xml IS NULL
xml('<a/>') IS NULL
'\x00'::bytea IS NULL
type::bytea IS NULL
'a'::name = 'a'
'a'::"char" = 'a'
'1'::oid = 1
'(0,0)'::point IS NULL
'127.0.0.1'::inet IS NULL
'(1)'::pg_catalog.pg_class IS NULL
pg_class('(1)') IS NULL
'1'::bit(1) IS NULL
B'1' = B'1'
X'1F' IS NULL
'a'::tsvector @@ 'a'::tsquery
'$'::jsonpath IS NULL
'{}'::record[] IS NULL
'(1)'::record IS NULL
'x'::cstring IS NULL
'x'::internal IS NULL
'x'::anyelement IS NULL
'x'::unknown IS NULL
NULL::void IS NULL
'x'::trigger IS NULL
amount::spm.transaction_row%TYPE IS NULL
t::spm.transaction_row IS NULL
'()'::spm.transaction_row IS NULL
spm.transaction_row('()') IS NULL
cast(NULL AS spm.transaction_row) IS NULL
=> 42P17 expression uses type %, and money never goes through floating point
amount::float8 > 0
amount::double precision > 0
amount::real > 0
amount::float(3) > 0
1.5::float4 > 0
float8(amount) > 0
double precision '1' > 0
'{}'::float8[] IS NULL
=> 42P17 expression uses type %, which depends on the session's time zone
event_date::timestamptz IS NULL
timestamptz(event_date) IS NULL
timestamp with time zone '2026-01-01' IS NULL
timetz '10:00' IS NULL
'[2026-01-01,)'::tstzrange IS NULL
=> 0A000 %
amount::pg_catalog.pg_class.relname%TYPE IS NULL
'x'::a.b.c IS NULL
=> 42P17 expression must name its types plainly, without %TYPE or SETOF
amount::SETOF numeric IS NULL
=> 42704 %
'x'::nonesuch IS NULL
'x'::nowhere.nonesuch IS NULL
=> 22P02 %
amount::numeric(evil) IS NULL
=> 22023 %
amount::numeric(2000) IS NULL
=> 42601 %
amount::numeric((SELECT 1)) IS NULL
amount::numeric(evil()) IS NULL
=> 42P17 expression cannot take a field of a value
(NULL::spm.transaction_row).amount > 0
$e$);
SELECT pg_temp.refused('floating point never comes near money', $e$
=> 42P17 expression uses type %, and money never goes through floating point
sqrt(4) > 0
power(2, 3) > 0
pi() > amount
date_part('year', event_date) > 2025
ceil(5 / 2) > 0
sin(1) > 0
1::int4 ^ 2 > 0
|/ 4 > 0
|/ amount > 0
=> 42P17 expression uses function %, which is not immutable
random() > 0.5
to_number('1', '9') > 0
setseed(0.5) IS NULL
=> 42P17 expression uses type %, which depends on the session's time zone
extract(epoch FROM event_date::timestamptz) > 0
$e$);
SELECT pg_temp.refused('what depends on settings of the session is refused', $e$
=> 42P17 expression uses function %, which is not immutable
to_char(event_date, 'YYYY') = '2026'
to_char(amount, '9') = '1'
to_date('2026', 'YYYY') = event_date
concat(type, 1) = 'a'
concat_ws(',', type, 1) = 'a'
format('%s', type) = 'a'
date_trunc('month', event_date) = event_date
to_json(type) IS NULL
to_jsonb(amount) IS NULL
jsonb_build_object('a', 1) IS NULL
array_to_string(ARRAY[1], ',') = '1'
quote_literal(amount) = '1'
pg_typeof(amount) IS NULL
to_tsvector('a') IS NULL
collation for (type) = 'C'
pg_collation_for(type) = 'C'
=> 42P17 expression uses type %, which depends on the session's time zone
to_timestamp(0) IS NULL
event_date::timestamp AT TIME ZONE 'UTC' IS NULL
timezone('UTC', event_date::timestamp) IS NULL
=> 42P17 expression converts %, which depends on settings of the session
event_date::text = 'a'
event_date::timestamp::text = 'a'
age(event_date, event_date) IS NULL
(event_date, event_date) OVERLAPS (event_date, event_date)
event_date AT TIME ZONE 'UTC' IS NULL
type::daterange IS NULL
type::text[] IS NULL
ARRAY[type]::text = '{}'
event_date::varchar(4) = '2026'
=> 42P17 expression uses operator %, which is not immutable
event_date || 'a' = 'a'
'a' || amount = 'a'
=> 42P17 expression cannot use the whole row "t"
row_to_json(t) IS NULL
$e$);
SELECT pg_temp.refused('functions that do something, or return many rows, are refused', $e$
=> 42P17 expression uses function %, which is not immutable
pg_sleep(100) IS NULL
pg_catalog.pg_sleep(100) IS NULL
pg_sleep_for('1 day') IS NULL
nextval('public.trap') > 0
setval('public.trap', 1) > 0
currval('public.trap') > 0
lastval() > 0
pg_read_file('/etc/passwd') = 'a'
pg_read_binary_file('/etc/passwd') IS NULL
pg_stat_file('/etc/passwd') IS NULL
lo_import('/etc/passwd') IS NULL
lo_export(1, '/tmp/evil') = 1
lo_create(0) IS NULL
lo_unlink(1) = 1
lo_from_bytea(0, '\x00') IS NULL
query_to_xml('select 1', true, true, '') IS NULL
table_to_xml('pg_authid', true, true, '') IS NULL
database_to_xml(true, true, '') IS NULL
pg_terminate_backend(1)
pg_cancel_backend(1)
pg_reload_conf()
pg_rotate_logfile()
pg_advisory_lock(1) IS NULL
pg_try_advisory_lock(1)
pg_notify('a', 'b') IS NULL
pg_create_restore_point('a') IS NULL
pg_switch_wal() IS NULL
pg_promote()
pg_logical_emit_message(true, 'a', 'b') IS NULL
pg_relation_size('pg_authid') > 0
pg_get_viewdef('pg_roles') = 'a'
pg_describe_object(1, 1, 1) = 'a'
gen_random_uuid() IS NULL
jsonb_to_record(attributes) IS NULL
record_in('(1)', 0, -1) IS NULL
fmgr_sql_validator(1) IS NULL
plpgsql_validator(1) IS NULL
currtid2('a', '(0,0)') IS NULL
=> 42P01 %
nextval('trap') > 0
=> 42P17 expression uses function %, which returns a set
pg_ls_dir('/') IS NULL
generate_series(1, 2) = 1
unnest(ARRAY[true])
regexp_split_to_table(type, ',') = 'a'
regexp_matches(type, 'a') IS NULL
jsonb_array_elements(attributes) IS NULL
jsonb_each_text(attributes) IS NULL
=> 42P17 expression uses type %, which is not allowed here
xpath('/a', '<a/>') IS NULL
json_populate_record(NULL::spm.transaction_row, '{}') IS NULL
textin('a') = 'a'
numeric_in('1', 0, -1) = 1
domain_in('x', 'public.evil_domain'::regtype, -1) IS NULL
array_in('{x}', 'public.evil_domain'::regtype, -1) IS NULL
=> 42883 %
dblink('a', 'b') IS NULL
=> 42P17 expression cannot use the whole row "t"
jsonb_populate_record(t, attributes) IS NULL
$e$);
SELECT pg_temp.refused('aggregates, windows and grouping are refused', $e$
=> 42P17 expression uses % as an aggregate or window function
count(*) > 0
string_agg(DISTINCT type, ',' ORDER BY type) = 'a'
sum(DISTINCT amount) > 0
sum(amount ORDER BY amount) > 0
sum(amount) FILTER (WHERE true) > 0
sum(amount) OVER () > 0
sum(amount) OVER w > 0
lower(DISTINCT type) = 'a'
lower(type ORDER BY type) = 'a'
lower(type) FILTER (WHERE true) = 'a'
lower(type) OVER () = 'a'
row_number() OVER () = 1
lag(amount) OVER (ORDER BY event_date) > 0
percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) > 0
mode() WITHIN GROUP (ORDER BY type) = 'a'
=> 42P17 expression uses aggregate function %
sum(amount) > 0
max(event_date) = event_date
avg(amount) > 0
string_agg(type, ',') = 'a'
bool_and(true)
every(true)
array_agg(amount) IS NULL
round(sum(amount), 2) > 0
spm.evil_sum(amount) > 0
=> 42809 %
row_number() = 1
rank() > 0
=> 42883 %
percentile_cont(0.5) > 0
=> 42P17 expression uses GROUPING
GROUPING(amount) = 0
$e$);
SELECT pg_temp.refused('parameters and words of statements are refused', $e$
=> 42P17 expression uses a parameter
$1
amount > $1
$1::boolean
$0 IS NULL
$99999999999
=> 42P17 expression uses DEFAULT
DEFAULT
amount > DEFAULT
NULL::boolean = DEFAULT
=> 42601 %
CURRENT OF evil
NOT CURRENT OF evil
:amount > 0
?
=> 42703 column "%" of a transaction does not exist
MERGE
$e$);
SELECT pg_temp.refused('the row as a whole, its fields and system columns are refused', $e$
=> 42P17 expression cannot use the whole row "t"
t IS NULL
t IS NOT NULL
t = t
amount(t) > 0
=> 42P17 expression cannot take a field of a value
(t).amount > 0
(attributes).weight = '1'
(attributes->'a').b = '1'
(event_date).lower = 'a'
(type).upper = 'A'
=> 42P17 expression cannot use *
(t.*) IS NULL
t.* = t.*
=> 42P17 expression uses a row
ROW(t) IS NULL
ROW(1, 2) IS NULL
(1, 2) = (1, 2)
(amount, cost) > (1, 2)
(amount, cost) IN ((1, 2), (3, 4))
(amount, cost) IS DISTINCT FROM (1, 2)
=> 42703 column "%" of a transaction does not exist
t.lower = 'a'
t.evil > 0
ctid IS NULL
t.ctid IS NULL
xmin IS NULL
tableoid > 0
cmin IS NULL
oid > 0
transaction_row IS NULL
transaction_row.amount > 0
spm.transaction_row.amount > 0
evil.public.t.amount > 0
public.t.amount > 0
T2.amount > 0
"T".amount > 0
"Amount" > 0
"t.amount" > 0
amount.cost > 0
attributes.weight = '1'
t.attributes.weight = '1'
new.amount > 0
excluded.amount > 0
nonesuch > 0
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa > 0
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa > 0
U&"\0061mounts" > 0
ämount > 0
amount＝1
amount > 0
=> 42P17 expression uses type %, which is not allowed here
t.tableoid::regclass IS NULL
=> 42601 %
ROW(amount).f1 > 0
"" > 0
t."" > 0
$e$);
SELECT pg_temp.refused('functions, operators, types, casts and collations of users are refused', $e$
=> 42P17 expression uses function %, which is not built in
public.evil()
public.evil(amount) > 0
pg_temp.evil()
lower(public.evil(type)) = 'a'
public.lower(type) = 'a'
nowhere.evil()
postgres.public.evil()
public.round(amount, 2) > 0
public.evil_domain('x') = 'x'
public.evil_row('(x)') IS NULL
public.evil_range('x', 'y') IS NULL
spm.evil()
spm.evil(amount) > 0
amount OPERATOR(spm.###) cost
event_date::integer > 0
=> 42883 %
evil()
amount ### cost
amount ==> cost
=> 42P17 expression uses operator %, which is not built in
amount OPERATOR(public.+) cost > 0
amount OPERATOR(public.=) cost
amount OPERATOR(nowhere.=) cost
amount OPERATOR(pg_temp.=) cost
OPERATOR(public.-) amount > 0
amount OPERATOR(public.=) ANY (ARRAY[1, 2])
=> 42P17 expression uses type %, which is not allowed here
'x'::evil_domain = 'x'
'x'::public.evil_domain = 'x'
'x'::pg_temp.evil_domain = 'x'
type::public.evil_domain = 'x'
public.evil_domain 'x' = 'x'
CAST('x' AS public.evil_domain) = 'x'
evil_domain('x') = 'x'
'{x}'::public.evil_domain[] IS NULL
ARRAY['x']::public.evil_domain[] IS NULL
'(x)'::public.evil_row IS NULL
'[x,y]'::public.evil_range IS NULL
'x'::public.numeric IS NULL
'x'::public.evil_enum IS NULL
'x'::spm.evil_domain = 'x'
spm.evil_domain('x') = 'x'
=> 42P17 expression uses collation %, which is not built in
type COLLATE public.evil = 'a'
=> 42704 %
type COLLATE nonesuch = 'a'
=> 42P17 expression uses collation %, which is not the same on every machine
type COLLATE "ucs_basic" = 'a'
type COLLATE "POSIX" = 'a'
=> 42804 %
event_date COLLATE "C" = event_date
=> 42P21 %
(type COLLATE "C") = (type COLLATE "default")
$e$);
SELECT pg_temp.refused('XML, JSON constructors and the like are refused', $e$
=> 42P17 expression uses XML
xmlelement(name a) IS NULL
xmlparse(document '<a/>') IS NULL
xmlserialize(content '<a/>' AS text) = 'a'
xmlconcat('<a/>', '<b/>') IS NULL
xmlforest(amount) IS NULL
xmlpi(name a) IS NULL
xmlroot('<a/>', version '1') IS NULL
'<a/>' IS DOCUMENT
=> 42P17 expression uses type %, which is not allowed here
xmlexists('/a' PASSING '<a/>')
attributes @? '$.a'
attributes @@ '$.a == 1'
jsonb_path_exists(attributes, '$.a')
=> 42P17 expression uses function %, which is not immutable
jsonb_path_exists_tz(attributes, '$.a')
=> 42P17 expression uses operator %, which is not immutable
type @@ 'a'
$e$);
SELECT pg_temp.refused('values of another type are refused', $e$
=> 42804 expression must be of type boolean, not %
amount
1
type
event_date
NULL::text
amount + cost
attributes
attributes->'vip'
attributes->>'vip'
ARRAY[true]
=> 22P02 %
'maybe'
=> 42P17 expression uses type %, which is not allowed here
'x' IS NULL
NULL IS NULL
num_nulls('x') = 0
$e$);
SELECT pg_temp.refused('mistakes keep the server''s own codes', $e$
=> 42601 %
amount >
amount > > 0
amount = = 0
AND amount > 0
amount > 0 0
amount IN ()
amount BETWEEN 1
type LIKE 'a' ESCAPE 'bc' LIKE
coalesce() IS NULL
greatest() IS NULL
nullif(amount) IS NULL
U&'\zzzz' = 'a'
U&'\D800' = 'a'
'a' 'b' = 'ab'
=> 42P17 expression must be one value, without a name for it
amount > 0 AND
=> 22P02 %
amount > 'abc'
amount > '1,000'
CASE WHEN true THEN 1 ELSE 'a' END = 1
(ARRAY[1])['a'] = 1
ARRAY[1, 'a'] IS NULL
'{1,a}'::integer[] IS NULL
'{"a":'::jsonb IS NULL
=> 42883 %
type > 5
nonesuch(amount) > 0
lower() = 'a'
lower(1, 2) = 'a'
lower(nonesuch => 1) = 'a'
round(amount, amount, amount) > 0
amount && cost
=> 22008 %
event_date > '2026-02-30'
event_date > '13/13/2026'
=> 22007 %
event_date > 'soon'
=> 42725 %
event_date + 'x' > event_date
=> 42804 %
NOT amount
amount AND cost
CASE WHEN amount THEN true END
attributes['a':'b'] IS NULL
amount[1] = 1
coalesce(amount, type) IS NULL
amount IS UNKNOWN
amount IS TRUE
=> 42P18 %
ARRAY[] IS NULL
=> 22003 %
1e1000000 > 0
=> 42846 %
1::integer[] IS NULL
=> 22021 %
E'\xff' = type
E'\000' = type
$e$);
SELECT is(pg_temp.verdict(e, 'boolean'), '42P17 expression has no value', 'blank space is no expression')
FROM unnest(ARRAY['', ' ', E' \t\r\n\f ', E'--\n']) e;
SELECT is(pg_temp.verdict(E'event_date > ''yester''\n''day''', 'boolean'),
    '42P17 expression would keep the date "yesterday" of the day it was defined', 'a literal in two pieces is looked at as one');
SELECT is(pg_temp.verdict(E'true\n;SELECT 1', 'boolean'),
    '42601 syntax error at or near ";"', 'a second statement on the next line is refused');

-- ------------------------------------------------------------- size and depth
SELECT is(left(pg_temp.verdict(e, t::regtype), length(v)), v, p)
FROM (VALUES
    ('boolean', repeat('(', 4990) || 'true' || repeat(')', 4990), 'accepted: true', 'thousands of parentheses are only parentheses'),
    ('boolean', repeat('(', 9990), '42601 syntax error', 'thousands of open parentheses are a syntax error'),
    ('boolean', repeat(' ', 9996) || 'true', 'accepted: true', '10,000 bytes are accepted'),
    ('boolean', repeat(' ', 9997) || 'true', '54000 expression is longer than 10000 bytes', '10,001 bytes are refused'),
    ('boolean', repeat('x', 1000000), '54000 expression is longer than 10000 bytes', 'a megabyte is refused unread'),
    ('boolean', repeat('é', 5001), '54000 expression is longer than 10000 bytes', 'bytes count, not characters'),
    ('boolean', repeat('/*', 4999), '42601 unterminated /* comment', 'comments within comments are counted'),
    ('numeric', 'amount' || repeat('+1', 4990), '54000 expression is longer than 10000 bytes', 'what is longer once written out is refused'),
    ('numeric', repeat('- ', 4990) || 'amount', '54000 expression is longer than 10000 bytes', 'thousands of signs are refused'),
    ('numeric', repeat('abs(', 1000) || 'amount' || repeat(')', 1000), 'accepted: abs(abs(', 'a thousand calls within each other are just deep'),
    ('boolean', repeat('(', 40) || 'amount > 0' || repeat(' BETWEEN SYMMETRIC true AND false)', 40),
        '54001 expression has too many BETWEEN and IN within each other', 'BETWEEN within BETWEEN cannot fill the memory'),
    ('boolean', repeat('(', 40) || 'amount > 0' || repeat(' IN (cost > 0, cost < 1))', 40),
        '54001 expression has too many BETWEEN and IN within each other', 'IN within IN cannot fill the memory'),
    ('boolean', 'amount IN (cost' || repeat(', cost', 63) || ')', 'accepted: ((t.amount = t.cost) OR', 'a list of 64 columns is accepted'),
    ('boolean', '''' || repeat('[', 9900) || '''::jsonb IS NULL', '22P02 invalid input', 'deep JSON is an error, not a crash'),
    ('boolean', 'array' || repeat('[1', 4000), '42601 syntax error', 'open brackets are a syntax error'),
    ('boolean', 'a' || repeat('.a', 4900), '42703 column "a.a.a', 'a name of thousands of parts is no column')
) c(t, e, v, p);
SET LOCAL max_stack_depth = '100kB';
SELECT is(pg_temp.verdict(repeat('- ', 4990) || 'amount', 'numeric'),
    '54001 stack depth limit exceeded', 'nesting that is too deep ends in an error');
SELECT is(pg_temp.verdict('amount' || repeat('+1', 1400), 'numeric'),
    '54001 stack depth limit exceeded', 'so does a chain that is too long');
RESET max_stack_depth;

-- ------------------------------------------------------ a source's own columns
CREATE TABLE public.orders (gone integer, total pg_catalog.numeric, "it's ""Odd""" text, placed timestamptz,
    kind public.evil_domain, mood public.evil_enum, ratio double precision);
ALTER TABLE public.orders DROP COLUMN gone;
CREATE INDEX orders_total ON public.orders (total);
SELECT is(spm.checked_expression('total > 0 AND "it''s ""Odd""" = ''a''', 'boolean', 'public.orders'),
    '((t.total > (0)::numeric) AND (t."it''s ""Odd""" = ''a''::text))',
    'the filter of a source is checked over its own columns');
SELECT is(spm.checked_expression('placed IS NULL AND kind IS NOT NULL', 'boolean', 'public.orders'),
    '((t.placed IS NULL) AND (t.kind IS NOT NULL))', 'columns of any type can be tested for null');
SELECT throws_ok(format('SELECT spm.checked_expression(%L, ''boolean'', %L)', e, r), s, m, p)
FROM (VALUES
    ('coalesce(kind, ''x'') = ''x''', 'public.orders', '42P17', 'expression uses type public.evil_domain, which is not allowed here', 'a literal is never read by the type of a user''s column'),
    ('mood = ''x''', 'public.orders', '42P17', 'expression uses type public.evil_enum, which is not allowed here', 'columns of a user''s type cannot be used'),
    ('ratio > 0', 'public.orders', '42P17', 'expression uses type double precision, and money never goes through floating point', 'columns in floating point cannot be used'),
    ('placed > ''2026-01-01''', 'public.orders', '42P17', 'expression uses type timestamp with time zone, which depends on the session''s time zone', 'columns that depend on the time zone cannot be used'),
    ('"........pg.dropped.1........" IS NULL', 'public.orders', '42703', 'column "........pg.dropped.1........" of orders does not exist', 'dropped columns do not exist'),
    ('ctid IS NULL', 'public.orders', '42703', 'column "ctid" of orders does not exist', 'system columns do not exist'),
    ('amount > 0', 'public.orders', '42703', 'column "amount" of orders does not exist', 'columns of a transaction are not those of a source'),
    ('total > 0', 'public.orders_total', '42809', '"orders_total" has no columns for an expression', 'an index is no source'),
    ('last_value > 0', 'public.trap', '42809', '"trap" has no columns for an expression', 'a sequence is no source'),
    ('true', '0', '42P01', 'relation with OID 0 does not exist', 'nothing is no source')
) c(e, r, s, m, p);

-- -------------------------------------------------------------------- the end
SELECT ok(NOT is_called, 'nothing of a user''s has run in all of this') FROM public.trap;
SELECT * FROM finish();
ROLLBACK;
