/*
 * What spm.checked_expression makes of the expressions that people need: the
 * text that is kept, and what it gives on three transactions.
 */
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

CREATE TEMP TABLE sample (LIKE spm.transaction_row);
INSERT INTO sample VALUES
    ('crm', 'T-1', '', '2026-03-31', 'booking', 'ann', 'Acme', 'HW-100', 3, 1200.50, 700, 1500, 'EUR',
        '{"weight": 2.5, "vip": true, "tags": ["new", "big"], "size": {"height": "4.25"}, "shipped": "2026-04-02", "region": "north"}'),
    ('crm', 'T-2', '1', '2026-04-01', 'refund', 'bob', ' Acme', 'SW-7', 1, -250.5, NULL, NULL, 'EUR', '{}'),
    ('erp', 'T-3', '', '2025-12-31', 'invoice', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'USD', NULL);

-- The values on the three transactions, with a dash for null.
CREATE FUNCTION pg_temp.on_sample(expression text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO'
    SET intervalstyle = 'postgres'
AS $$
DECLARE
    result text;
BEGIN
    EXECUTE 'SELECT string_agg(coalesce((' || expression || E'\n)::text, ''-''), '' | '' ORDER BY transaction_key) FROM pg_temp.sample t'
        INTO result;
    RETURN result;
END
$$;

CREATE FUNCTION pg_temp.type_of(expression text) RETURNS regtype
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result regtype;
BEGIN
    EXECUTE 'SELECT pg_typeof(' || expression || ') FROM pg_temp.sample t LIMIT 1' INTO result;
    RETURN result;
END
$$;

-- result type, expression, what is kept, what it gives
CREATE TEMP TABLE useful (no integer GENERATED ALWAYS AS IDENTITY, result_type regtype, expression text, kept text, result text);
INSERT INTO useful (result_type, expression, kept, result) VALUES
    ('numeric', 'amount',
        't.amount', '1200.50 | -250.5 | -'),
    ('numeric', 't.amount',
        't.amount', '1200.50 | -250.5 | -'),
    ('numeric', 'amount - cost',
        '(t.amount - t.cost)', '500.50 | - | -'),
    ('numeric', 'quantity * 2',
        '(t.quantity * (2)::numeric)', '6 | 2 | -'),
    ('numeric', 'quantity',
        't.quantity', '3 | 1 | -'),
    ('numeric', '1',
        '(1)::numeric', '1 | 1 | 1'),
    ('numeric', '-5',
        $e$('-5'::integer)::numeric$e$, '-5 | -5 | -5'),
    ('numeric', '- 5.50',
        $e$'-5.50'::numeric$e$, '-5.50 | -5.50 | -5.50'),
    ('numeric', '0.05 * amount',
        '(0.05 * t.amount)', '60.0250 | -12.525 | -'),
    ('numeric', 'amount * -1',
        $e$(t.amount * ('-1'::integer)::numeric)$e$, '-1200.50 | 250.5 | -'),
    ('numeric', 'round(amount * 0.175, 2)',
        'round((t.amount * 0.175), 2)', '210.09 | -43.84 | -'),
    ('numeric', 'round((amount - cost) / nullif(amount, 0), 4)',
        'round(((t.amount - t.cost) / NULLIF(t.amount, (0)::numeric)), 4)', '0.4169 | - | -'),
    ('numeric', 'coalesce(list_amount, amount) - amount',
        '(COALESCE(t.list_amount, t.amount) - t.amount)', '299.50 | 0.0 | -'),
    ('numeric', 'greatest(amount - cost, 0)',
        'GREATEST((t.amount - t.cost), (0)::numeric)', '500.50 | 0 | 0'),
    ('numeric', 'least(amount, 10000, list_amount)',
        'LEAST(t.amount, (10000)::numeric, t.list_amount)', '1200.50 | -250.5 | 10000'),
    ('numeric', $e$CASE type WHEN 'refund' THEN -amount WHEN 'cash' THEN 0 ELSE amount END$e$,
        $e$CASE t.type WHEN 'refund'::text THEN (- t.amount) WHEN 'cash'::text THEN (0)::numeric ELSE t.amount END$e$, '1200.50 | 250.5 | -'),
    ('numeric', 'CASE WHEN amount > 10000 THEN amount * 1.1 WHEN amount > 1000 THEN amount END',
        'CASE WHEN (t.amount > (10000)::numeric) THEN (t.amount * 1.1) WHEN (t.amount > (1000)::numeric) THEN t.amount ELSE NULL::numeric END', '1200.50 | - | -'),
    ('numeric', 'abs(amount)',
        'abs(t.amount)', '1200.50 | 250.5 | -'),
    ('numeric', '@ amount',
        '(@ t.amount)', '1200.50 | 250.5 | -'),
    ('numeric', 'quantity ^ 2',
        '(t.quantity ^ (2)::numeric)', '9.0000000000000000 | 1.0000000000000000 | -'),
    ('numeric', 'power(quantity, 2.0)',
        'power(t.quantity, 2.0)', '9.0000000000000000 | 1.0000000000000000 | -'),
    ('numeric', 'trunc(amount / 100) * 100',
        '(trunc((t.amount / (100)::numeric)) * (100)::numeric)', '1200 | -200 | -'),
    ('numeric', 'ceil(quantity / 12)',
        'ceil((t.quantity / (12)::numeric))', '1 | 1 | -'),
    ('numeric', 'div(amount, 1000)',
        'div(t.amount, (1000)::numeric)', '1 | 0 | -'),
    ('numeric', 'mod(amount, 7)',
        'mod(t.amount, (7)::numeric)', '3.50 | -5.5 | -'),
    ('numeric', 'amount % 7',
        '(t.amount % (7)::numeric)', '3.50 | -5.5 | -'),
    ('numeric', 'sign(amount)',
        'sign(t.amount)', '1 | -1 | -'),
    ('numeric', 'extract(quarter FROM event_date)',
        'EXTRACT(quarter FROM t.event_date)', '1 | 2 | 4'),
    ('numeric', 'extract(isodow FROM event_date)::integer',
        '((EXTRACT(isodow FROM t.event_date))::integer)::numeric', '2 | 3 | 3'),
    ('numeric', $e$event_date - date '2026-01-01'$e$,
        $e$((t.event_date - '2026-01-01'::date))::numeric$e$, '89 | 90 | -1'),
    ('numeric', $e$(attributes->>'weight')::numeric * quantity$e$,
        $e$(((t.attributes ->> 'weight'::text))::numeric * t.quantity)$e$, '7.5 | - | -'),
    ('numeric', $e$(attributes->'weight')::numeric$e$,
        $e$((t.attributes -> 'weight'::text))::numeric$e$, '2.5 | - | -'),
    ('numeric', $e$attributes['weight']::numeric$e$,
        $e$(t.attributes['weight'::text])::numeric$e$, '2.5 | - | -'),
    ('numeric', $e$(attributes #>> '{size,height}')::numeric(10,1)$e$,
        $e$(((t.attributes #>> '{size,height}'::text[]))::numeric(10,1))::numeric$e$, '4.3 | - | -'),
    ('numeric', $e$jsonb_array_length(attributes->'tags')$e$,
        $e$(jsonb_array_length((t.attributes -> 'tags'::text)))::numeric$e$, '2 | - | -'),
    ('numeric', $e$jsonb_extract_path_text(attributes, 'size', 'height')::numeric$e$,
        $e$(jsonb_extract_path_text(t.attributes, VARIADIC ARRAY['size'::text, 'height'::text]))::numeric$e$, '4.25 | - | -'),
    ('numeric', $e$jsonb_extract_path_text(attributes, VARIADIC ARRAY['size', 'height'])::numeric$e$,
        $e$(jsonb_extract_path_text(t.attributes, VARIADIC ARRAY['size'::text, 'height'::text]))::numeric$e$, '4.25 | - | -'),
    ('numeric', 'length(product_key)',
        '(length(t.product_key))::numeric', '6 | 4 | -'),
    ('numeric', 'amount::bigint',
        '((t.amount)::bigint)::numeric', '1201 | -251 | -'),
    ('numeric', 'amount::int8 / 2',
        '(((t.amount)::bigint / 2))::numeric', '600 | -125 | -'),
    ('numeric', $e$(type = 'booking')::integer$e$,
        $e$(((t.type = 'booking'::text))::integer)::numeric$e$, '1 | 0 | 0'),
    ('numeric', 'num_nulls(cost, list_amount)',
        '(num_nulls(t.cost, t.list_amount))::numeric', '0 | 2 | 2'),
    ('numeric', $e$numeric '1e3'$e$,
        $e$'1000'::numeric$e$, '1000 | 1000 | 1000'),
    ('numeric', '(ARRAY[0.05, 0.08, 0.10])[extract(quarter FROM event_date)::integer]',
        '(ARRAY[0.05, 0.08, 0.10])[(EXTRACT(quarter FROM t.event_date))::integer]', '0.05 | 0.08 | -'),
    ('numeric', 'width_bucket(amount, ARRAY[0, 1000, 10000]::numeric[])',
        '(width_bucket(t.amount, ARRAY[(0)::numeric, (1000)::numeric, (10000)::numeric]))::numeric', '2 | 0 | -'),
    ('numeric', 'NULL',
        'NULL::numeric', '- | - | -'),
    ('numeric', $e$split_part(transaction_key, '-', 2)::integer$e$,
        $e$((split_part(t.transaction_key, '-'::text, 2))::integer)::numeric$e$, '1 | 2 | 3'),
    ('numeric', $e$cardinality(string_to_array(product_key, '-'))$e$,
        $e$(cardinality(string_to_array(t.product_key, '-'::text)))::numeric$e$, '2 | 2 | -'),
    ('boolean', 'true',
        'true', 'true | true | true'),
    ('boolean', 'NULL',
        'NULL::boolean', '- | - | -'),
    ('boolean', 'amount > 0',
        '(t.amount > (0)::numeric)', 'true | false | -'),
    ('boolean', 'amount BETWEEN 100 AND 1000',
        '((t.amount >= (100)::numeric) AND (t.amount <= (1000)::numeric))', 'false | false | -'),
    ('boolean', 'amount NOT BETWEEN SYMMETRIC 1000 AND 100',
        '(((t.amount < (1000)::numeric) OR (t.amount > (100)::numeric)) AND ((t.amount < (100)::numeric) OR (t.amount > (1000)::numeric)))', 'true | true | -'),
    ('boolean', $e$type IN ('booking', 'invoice')$e$,
        $e$(t.type = ANY (ARRAY['booking'::text, 'invoice'::text]))$e$, 'true | false | true'),
    ('boolean', $e$type NOT IN ('refund')$e$,
        $e$(t.type <> 'refund'::text)$e$, 'true | false | true'),
    ('boolean', 'amount IN (100, 250.5, cost)',
        '((t.amount = ANY (ARRAY[(100)::numeric, 250.5])) OR (t.amount = t.cost))', 'false | - | -'),
    ('boolean', $e$type = ANY ('{booking,invoice}')$e$,
        $e$(t.type = ANY ('{booking,invoice}'::text[]))$e$, 'true | false | true'),
    ('boolean', $e$type <> ALL (ARRAY['refund', 'cash'])$e$,
        $e$(t.type <> ALL (ARRAY['refund'::text, 'cash'::text]))$e$, 'true | false | true'),
    ('boolean', $e$event_date <@ '[2026-01-01,2026-04-01)'::daterange$e$,
        $e$(t.event_date <@ '[2026-01-01,2026-04-01)'::daterange)$e$, 'true | false | false'),
    ('boolean', $e$daterange('2026-01-01', '2026-04-01') @> event_date$e$,
        $e$(daterange('2026-01-01'::date, '2026-04-01'::date) @> t.event_date)$e$, 'true | false | false'),
    ('boolean', $e$daterange('2026-01-01', NULL) @> event_date$e$,
        $e$(daterange('2026-01-01'::date, NULL::date) @> t.event_date)$e$, 'true | true | false'),
    ('boolean', $e$event_date >= '2026-03-01' AND event_date < date '2026-04-01'$e$,
        $e$((t.event_date >= '2026-03-01'::date) AND (t.event_date < '2026-04-01'::date))$e$, 'true | false | false'),
    ('boolean', $e$event_date >= '2026-03-01'::date + 30$e$,
        $e$(t.event_date >= ('2026-03-01'::date + 30))$e$, 'true | true | false'),
    ('boolean', $e$event_date >= date '2026-01-31' + interval '1 month'$e$,
        $e$(t.event_date >= ('2026-01-31'::date + 'P1M'::interval))$e$, 'true | true | false'),
    ('boolean', $e$event_date >= date '2026-03-31' - interval '-1 day 2 hours'$e$,
        $e$(t.event_date >= ('2026-03-31'::date - 'P-1DT2H'::interval))$e$, 'false | true | false'),
    ('boolean', $e$event_date >= '2026-01-31'::timestamp + interval '1' month$e$,
        $e$(t.event_date >= ('2026-01-31 00:00:00'::timestamp without time zone + 'P1M'::interval month))$e$, 'true | true | false'),
    ('boolean', $e$event_date < 'infinity'$e$,
        $e$(t.event_date < 'infinity'::date)$e$, 'true | true | true'),
    ('boolean', $e$date_trunc('month', event_date::timestamp)::date = date '2026-03-01'$e$,
        $e$((date_trunc('month'::text, (t.event_date)::timestamp without time zone))::date = '2026-03-01'::date)$e$, 'true | false | false'),
    ('boolean', $e$age(event_date::timestamp, '2026-01-01'::timestamp) > interval '2 mons'$e$,
        $e$(age((t.event_date)::timestamp without time zone, '2026-01-01 00:00:00'::timestamp without time zone) > 'P2M'::interval)$e$, 'true | true | false'),
    ('boolean', $e$make_date(left(attributes->>'shipped', 4)::integer, substr(attributes->>'shipped', 6, 2)::integer, right(attributes->>'shipped', 2)::integer) > event_date$e$,
        $e$(make_date(("left"((t.attributes ->> 'shipped'::text), 4))::integer, (substr((t.attributes ->> 'shipped'::text), 6, 2))::integer, ("right"((t.attributes ->> 'shipped'::text), 2))::integer) > t.event_date)$e$, 'true | - | -'),
    ('boolean', 'isfinite(event_date)',
        'isfinite(t.event_date)', 'true | true | true'),
    ('boolean', $e$product_key LIKE 'HW-%'$e$,
        $e$(t.product_key ~~ 'HW-%'::text)$e$, 'true | false | -'),
    ('boolean', $e$product_key NOT ILIKE 'sw\_%'$e$,
        $e$(t.product_key !~~* E'sw\\_%'::text)$e$, 'true | true | -'),
    ('boolean', $e$product_key LIKE 'a!%%' ESCAPE '!'$e$,
        $e$(t.product_key ~~ like_escape('a!%%'::text, '!'::text))$e$, 'false | false | -'),
    ('boolean', $e$product_key ~ '^(HW|SW)-\d+$'$e$,
        $e$(t.product_key ~ E'^(HW|SW)-\\d+$'::text)$e$, 'true | true | -'),
    ('boolean', $e$product_key !~* E'^hw-\\d'$e$,
        $e$(t.product_key !~* E'^hw-\\d'::text)$e$, 'false | true | -'),
    ('boolean', $e$product_key SIMILAR TO '(HW|SW)-[0-9]+'$e$,
        $e$(t.product_key ~ similar_to_escape('(HW|SW)-[0-9]+'::text))$e$, 'true | true | -'),
    ('boolean', $e$lower(account_key) = 'acme'$e$,
        $e$(lower(t.account_key) = 'acme'::text)$e$, 'true | false | -'),
    ('boolean', $e$left(product_key, 2) = 'HW'$e$,
        $e$("left"(t.product_key, 2) = 'HW'::text)$e$, 'true | false | -'),
    ('boolean', $e$split_part(product_key, '-', 1) = 'SW'$e$,
        $e$(split_part(t.product_key, '-'::text, 1) = 'SW'::text)$e$, 'false | true | -'),
    ('boolean', $e$starts_with(product_key, 'HW')$e$,
        $e$starts_with(t.product_key, 'HW'::text)$e$, 'true | false | -'),
    ('boolean', $e$product_key ^@ 'HW'$e$,
        $e$(t.product_key ^@ 'HW'::text)$e$, 'true | false | -'),
    ('boolean', $e$substring(product_key FROM 1 FOR 2) = 'HW'$e$,
        $e$(SUBSTRING(t.product_key FROM 1 FOR 2) = 'HW'::text)$e$, 'true | false | -'),
    ('boolean', $e$substring(product_key FROM '^[A-Z]+') = 'HW'$e$,
        $e$("substring"(t.product_key, '^[A-Z]+'::text) = 'HW'::text)$e$, 'true | false | -'),
    ('boolean', $e$position('-' IN product_key) = 3$e$,
        $e$(POSITION(('-'::text) IN (t.product_key)) = 3)$e$, 'true | true | -'),
    ('boolean', $e$trim(both ' ' from account_key) = 'Acme'$e$,
        $e$(TRIM(BOTH ' '::text FROM t.account_key) = 'Acme'::text)$e$, 'true | true | -'),
    ('boolean', $e$overlay(product_key PLACING 'XX' FROM 1) LIKE 'XX-%'$e$,
        $e$(OVERLAY(t.product_key PLACING 'XX'::text FROM 1) ~~ 'XX-%'::text)$e$, 'true | true | -'),
    ('boolean', $e$upper(account_key) || '/' || type = 'ACME/booking'$e$,
        $e$(((upper(t.account_key) || '/'::text) || t.type) = 'ACME/booking'::text)$e$, 'true | false | -'),
    ('boolean', $e$product_key || quantity::text = 'HW-13'$e$,
        $e$((t.product_key || (t.quantity)::text) = 'HW-13'::text)$e$, 'false | false | -'),
    ('boolean', $e$type COLLATE "C" < 'c'$e$,
        $e$((t.type COLLATE "C") < 'c'::text)$e$, 'true | false | false'),
    ('boolean', $e$md5(account_key) LIKE 'a%'$e$,
        $e$(md5(t.account_key) ~~ 'a%'::text)$e$, 'false | false | -'),
    ('boolean', $e$attributes ? 'vip'$e$,
        $e$(t.attributes ? 'vip'::text)$e$, 'true | false | -'),
    ('boolean', $e$attributes ?| ARRAY['vip', 'tags']$e$,
        $e$(t.attributes ?| ARRAY['vip'::text, 'tags'::text])$e$, 'true | false | -'),
    ('boolean', $e$attributes->'tags' ? 'new'$e$,
        $e$((t.attributes -> 'tags'::text) ? 'new'::text)$e$, 'true | - | -'),
    ('boolean', $e$attributes @> '{"vip": true}'$e$,
        $e$(t.attributes @> '{"vip": true}'::jsonb)$e$, 'true | false | -'),
    ('boolean', $e$attributes @> '{"vip": true}'::jsonb IS TRUE$e$,
        $e$((t.attributes @> '{"vip": true}'::jsonb) IS TRUE)$e$, 'true | false | false'),
    ('boolean', $e$(attributes->>'vip')::boolean$e$,
        $e$((t.attributes ->> 'vip'::text))::boolean$e$, 'true | - | -'),
    ('boolean', $e$attributes->>'region' IS NOT DISTINCT FROM 'north'$e$,
        $e$(NOT ((t.attributes ->> 'region'::text) IS DISTINCT FROM 'north'::text))$e$, 'true | false | false'),
    ('boolean', $e$attributes #> '{size,height}' > '3'$e$,
        $e$((t.attributes #> '{size,height}'::text[]) > '3'::jsonb)$e$, 'false | - | -'),
    ('boolean', $e$jsonb_typeof(attributes->'tags') = 'array'$e$,
        $e$(jsonb_typeof((t.attributes -> 'tags'::text)) = 'array'::text)$e$, 'true | - | -'),
    ('boolean', 'cost IS NULL',
        '(t.cost IS NULL)', 'false | true | true'),
    ('boolean', 'cost NOTNULL AND amount > cost',
        '((t.cost IS NOT NULL) AND (t.amount > t.cost))', 'true | false | false'),
    ('boolean', '(amount > cost) IS NOT FALSE',
        '((t.amount > t.cost) IS NOT FALSE)', 'true | true | true'),
    ('boolean', '(amount > cost) IS UNKNOWN',
        '((t.amount > t.cost) IS UNKNOWN)', 'false | true | true'),
    ('boolean', $e$NOT (type = 'refund' OR amount < 0)$e$,
        $e$(NOT ((t.type = 'refund'::text) OR (t.amount < (0)::numeric)))$e$, 'true | false | -'),
    ('boolean', $e$amount > 0 OR (cost > 0 AND (quantity > 1 OR type = 'x')) AND NOT type = 'y'$e$,
        $e$((t.amount > (0)::numeric) OR ((t.cost > (0)::numeric) AND ((t.quantity > (1)::numeric) OR (t.type = 'x'::text)) AND (NOT (t.type = 'y'::text))))$e$, 'true | false | -'),
    ('boolean', 'amount <> 0 AND amount / amount = 1',
        '((t.amount <> (0)::numeric) AND ((t.amount / t.amount) = (1)::numeric))', 'true | true | -'),
    ('boolean', $e$numrange(0, 1000, '[)') @> amount$e$,
        $e$(numrange((0)::numeric, (1000)::numeric, '[)'::text) @> t.amount)$e$, 'false | false | -'),
    ('boolean', $e$'[1,5)'::int4range @> quantity::integer$e$,
        $e$('[1,5)'::int4range @> (t.quantity)::integer)$e$, 'true | true | -'),
    ('boolean', 'amount = NULL',
        '(t.amount = NULL::numeric)', '- | - | -'),
    ('boolean', 'amount IS DISTINCT FROM cost',
        '(t.amount IS DISTINCT FROM t.cost)', 'true | true | false'),
    ('boolean', $e$nullif(type, '') IS NULL$e$,
        $e$(NULLIF(t.type, ''::text) IS NULL)$e$, 'false | false | false'),
    ('boolean', $e$'it''s' = type$e$,
        $e$('it''s'::text = t.type)$e$, 'false | false | false'),
    ('boolean', $e$type = 'back\slash''s'$e$,
        $e$(t.type = E'back\\slash''s'::text)$e$, 'false | false | false'),
    ('boolean', $e$type = U&'b\00f6se \\'$e$,
        $e$(t.type = E'böse \\'::text)$e$, 'false | false | false'),
    ('boolean', $e$type = $$a 'b' \c$$$e$,
        $e$(t.type = E'a ''b'' \\c'::text)$e$, 'false | false | false'),
    ('boolean', $e$type = 'today'$e$,
        $e$(t.type = 'today'::text)$e$, 'false | false | false'),
    ('boolean', $e$coalesce(type, 'none') <> 'none' /* not typed */$e$,
        $e$(COALESCE(t.type, 'none'::text) <> 'none'::text)$e$, 'true | true | true'),
    ('boolean', 'amount > 0 -- refunds come later',
        '(t.amount > (0)::numeric)', 'true | false | -'),
    ('boolean', '"t"."amount" > 0',
        '(t.amount > (0)::numeric)', 'true | false | -'),
    ('boolean', $e$U&"\0061mount" > 0$e$,
        '(t.amount > (0)::numeric)', 'true | false | -'),
    ('boolean', 'AMOUNT > 0',
        '(t.amount > (0)::numeric)', 'true | false | -'),
    ('boolean', 'pg_catalog.round(amount, 1) OPERATOR(pg_catalog.>) 0',
        '(round(t.amount, 1) > (0)::numeric)', 'true | false | -'),
    ('boolean', $e$type::varchar(3) = 'boo'$e$,
        $e$(((t.type)::character varying(3))::text = 'boo'::text)$e$, 'true | false | false'),
    ('boolean', $e$type::char(3) = 'boo'$e$,
        $e$((t.type)::character(3) = 'boo'::bpchar)$e$, 'true | false | false'),
    ('boolean', 'amount::numeric(12,2) = amount',
        '((t.amount)::numeric(12,2) = t.amount)', 'true | true | -'),
    ('boolean', 'quantity::smallint = 1',
        '((t.quantity)::smallint = 1)', 'false | true | -'),
    ('boolean', $e$currency_code = 'EUR' IS NOT FALSE$e$,
        $e$((t.currency_code = 'EUR'::text) IS NOT FALSE)$e$, 'true | true | false'),
    ('boolean', $e$'t'$e$,
        'true', 'true | true | true'),
    ('boolean', $e$regexp_replace(product_key, '[^0-9]', '', 'g')::integer > 100$e$,
        $e$((regexp_replace(t.product_key, '[^0-9]'::text, ''::text, 'g'::text))::integer > 100)$e$, 'false | false | -'),
    ('boolean', $e$regexp_match(product_key, '(\d+)') IS NOT NULL$e$,
        $e$(regexp_match(t.product_key, E'(\\d+)'::text) IS NOT NULL)$e$, 'true | true | false'),
    ('boolean', $e$(regexp_match(product_key, '\d+'))[1]::numeric > 100$e$,
        $e$(((regexp_match(t.product_key, E'\\d+'::text))[1])::numeric > (100)::numeric)$e$, 'false | false | -'),
    ('boolean', $e$array_length(string_to_array(product_key, '-'), 1) = 2$e$,
        $e$(array_length(string_to_array(t.product_key, '-'::text), 1) = 2)$e$, 'true | true | -'),
    ('boolean', $e$(string_to_array(product_key, '-'))[1:1] = '{HW}'$e$,
        $e$((string_to_array(t.product_key, '-'::text))[1:1] = '{HW}'::text[])$e$, 'true | false | -'),
    ('boolean', $e$make_interval(days => 10) > interval '1 week'$e$,
        $e$(make_interval(days => 10) > 'P7D'::interval)$e$, 'true | true | true'),
    ('text', 'owner_key',
        't.owner_key', 'ann | bob | -'),
    ('text', 'upper(type)',
        'upper(t.type)', 'BOOKING | REFUND | INVOICE'),
    ('text', 'amount::text',
        '(t.amount)::text', '1200.50 | -250.5 | -'),
    ('text', $e$lpad(quantity::text, 5, '0')$e$,
        $e$lpad((t.quantity)::text, 5, '0'::text)$e$, '00003 | 00001 | -'),
    ('text', $e$coalesce(owner_key, 'nobody')$e$,
        $e$COALESCE(t.owner_key, 'nobody'::text)$e$, 'ann | bob | nobody'),
    ('text', 'amount',
        '(t.amount)::text', '1200.50 | -250.5 | -'),
    ('date', 'event_date',
        't.event_date', '2026-03-31 | 2026-04-01 | 2025-12-31'),
    ('date', 'make_date(2026, extract(month FROM event_date)::integer, 1)',
        'make_date(2026, (EXTRACT(month FROM t.event_date))::integer, 1)', '2026-03-01 | 2026-04-01 | 2026-12-01'),
    ('date', $e$(date_trunc('month', event_date::timestamp) + interval '1 month - 1 day')::date$e$,
        $e$((date_trunc('month'::text, (t.event_date)::timestamp without time zone) + 'P1M-1D'::interval))::date$e$, '2026-03-31 | 2026-04-30 | 2025-12-31'),
    ('date', 'event_date + 30',
        '(t.event_date + 30)', '2026-04-30 | 2026-05-01 | 2026-01-30'),
    ('date', $e$event_date + interval '1 year 2 months 3 days -04:05:06.789'$e$,
        $e$((t.event_date + 'P1Y2M3DT-4H-5M-6.789S'::interval))::date$e$, '2027-06-02 | 2027-06-03 | 2027-03-02'),
    ('daterange', 'daterange(event_date, event_date + 30)',
        'daterange(t.event_date, (t.event_date + 30))', '[2026-03-31,2026-04-30) | [2026-04-01,2026-05-01) | [2025-12-31,2026-01-30)'),
    ('jsonb', $e$attributes - 'vip'$e$,
        $e$(t.attributes - 'vip'::text)$e$, '{"size": {"height": "4.25"}, "tags": ["new", "big"], "region": "north", "weight": 2.5, "shipped": "2026-04-02"} | {} | -'),
    ('text[]', $e$string_to_array(type, ',')$e$,
        $e$string_to_array(t.type, ','::text)$e$, '{booking} | {refund} | {invoice}'),
    ('interval', 'make_interval(months => 3)',
        'make_interval(months => 3)', '3 mons | 3 mons | 3 mons');

SELECT is(c.kept || E'\n' || pg_temp.on_sample(c.kept), u.kept || E'\n' || u.result, u.expression)
FROM useful u, spm.checked_expression(u.expression, u.result_type) AS c(kept)
ORDER BY u.no;

-- ------------------------------------------------------------ what is promised
SELECT is_empty($$
    SELECT kept, spm.checked_expression(kept, result_type) FROM useful
    WHERE kept IS DISTINCT FROM spm.checked_expression(kept, result_type)
    $$, 'what is kept gives itself when checked again');
SELECT is_empty($$
    SELECT u.expression, typed.result, u.result
    FROM useful u, pg_temp.on_sample('(' || u.expression || E'\n)::' || u.result_type) AS typed(result)
    WHERE u.result IS DISTINCT FROM typed.result
    $$, 'what is kept gives what was typed');
SELECT is_empty($$
    SELECT kept, pg_temp.type_of(kept) FROM useful WHERE result_type IS DISTINCT FROM pg_temp.type_of(kept)
    $$, 'what is kept has the type that was asked for');

-- A session with everything set the other way: for checking, and for reading what was kept.
CREATE FUNCTION pg_temp.checked_abroad(expression text, result_type regtype) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_temp, public, spm
    SET array_nulls = off
    SET datestyle = 'German, DMY'
    SET extra_float_digits = -15
    SET intervalstyle = 'sql_standard'
    SET lc_messages = 'C'
    SET quote_all_identifiers = on
    SET standard_conforming_strings = off
    SET timezone = 'Pacific/Auckland'
    SET transform_null_equals = on
AS 'BEGIN RETURN spm.checked_expression(expression, result_type); END';
SELECT is_empty($$
    SELECT expression, pg_temp.checked_abroad(expression, result_type) FROM useful
    WHERE kept IS DISTINCT FROM pg_temp.checked_abroad(expression, result_type)
    $$, 'no setting of the session changes what is kept');

SET LOCAL escape_string_warning = off;
SET LOCAL array_nulls = off;
SET LOCAL datestyle = 'German, DMY';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL standard_conforming_strings = off;
SET LOCAL timezone = 'Pacific/Auckland';
SET LOCAL transform_null_equals = on;
CREATE TEMP TABLE abroad (no integer, expression text);
INSERT INTO abroad SELECT no, kept FROM useful;
DO $do$
DECLARE
    one record;
BEGIN
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR one IN SELECT no, expression FROM pg_temp.abroad LOOP
        EXECUTE 'CREATE TEMP VIEW value_' || one.no || ' AS SELECT transaction_key, ' || one.expression || ' AS value FROM pg_temp.sample t';
    END LOOP;
END
$do$;
RESET array_nulls;
RESET datestyle;
RESET intervalstyle;
RESET standard_conforming_strings;
RESET timezone;
RESET transform_null_equals;
RESET search_path;
CREATE FUNCTION pg_temp.of_view(no integer) RETURNS text
    LANGUAGE plpgsql
    SET datestyle = 'ISO'
    SET intervalstyle = 'postgres'
AS $$
DECLARE
    result text;
BEGIN
    EXECUTE 'SELECT string_agg(coalesce(value::text, ''-''), '' | '' ORDER BY transaction_key) FROM pg_temp.value_' || no INTO result;
    RETURN result;
END
$$;
SELECT is_empty($$
    SELECT kept, pg_temp.of_view(no) FROM useful WHERE result IS DISTINCT FROM pg_temp.of_view(no)
    $$, 'no setting of the session that reads it changes what it means');

SELECT is(spm.checked_expression($e$type = 'it''s \d' AND "t"."type" <> 'it''s'$e$, 'boolean'),
    $e$((t.type = E'it''s \\d'::text) AND (t.type <> 'it''s'::text))$e$,
    'a backslash only stands where it always means the same');

-- ------------------------------------------------------------------- the rest
SELECT is(spm.expression_columns('CASE WHEN type = ''refund'' THEN -amount ELSE amount - t.cost END'), '{type,amount,cost}',
    'the columns of an expression come once each, in the order of the type');
SELECT is(spm.expression_columns('1'), '{}', 'an expression may use no column');
SELECT throws_ok($$SELECT spm.expression_columns('now()')$$, '42P17', NULL, 'columns are told of good expressions only');
SELECT is(spm.checked_expression(NULL, 'numeric'), NULL, 'no expression gives none');
SELECT is(spm.checked_expression('spm.rounded(amount * 0.1, 1)', 'numeric'), 'spm.rounded((t.amount * 0.1), 1)',
    'functions of spm may be used, by their full name');
SELECT is(spm.checked_expression('spm.commission(''0: 5%, 1000: 8%'', amount)', 'numeric'),
    'spm.commission(''0: 5%, 1000: 8%''::spm.rate_schedule, t.amount)', 'types of spm as well');
SELECT throws_ok($$SELECT spm.checked_expression('1', 'double precision')$$, '22023', 'expression cannot have type double precision',
    'no expression is in floating point');
SELECT is_empty($$
    SELECT attrelid::regclass, attname FROM pg_catalog.pg_attribute WHERE atttypid = 'spm.transaction_row'::regtype
    $$, 'no table has a column of the type transaction_row, which therefore can grow');

-- What people see when an expression is refused: the error, with the place in their own text.
SAVEPOINT a;
SELECT spm.checked_expression('amount > 0 AND event_date > now()', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('amount > 0 AND amout < 5', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('amount > 0 AND AND', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('amount > ''5 EUR''', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('attributes->>''weight''', 'numeric');
ROLLBACK TO a;
SELECT spm.checked_expression('amount', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('date_trunc(''month'', event_date) = event_date', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('(attributes->>''shipped'')::date > event_date', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('concat(type, owner_key) = ''a''', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('power(2, 3)', 'numeric');
ROLLBACK TO a;
SELECT spm.checked_expression('event_date >= ''today''', 'boolean');
ROLLBACK TO a;
SELECT spm.checked_expression('sum(amount)', 'numeric');
ROLLBACK TO a;

SELECT * FROM finish();
ROLLBACK;
