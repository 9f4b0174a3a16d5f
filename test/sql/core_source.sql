\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET client_min_messages = warning;
BEGIN;
SELECT no_plan();
CREATE SCHEMA crm;
CREATE TABLE crm.deal (deal_id int PRIMARY KEY, closed_at timestamptz, owner_id uuid, amount numeric(12,2), currency char(3), stage text,
    region text, score float8, line_no smallint, kind varchar(10));
INSERT INTO crm.deal VALUES
    (1, '2026-01-31 23:30+00', '00000000-0000-0000-0000-000000000001', 100.50, 'USD', 'won', 'west', 1.5, 1, 'new'),
    (2, '2026-02-01 10:00+00', NULL, 50, 'EUR', 'won', 'east', 1.5, NULL, 'renewal'),
    (3, '2026-02-01 10:00+00', NULL, 50, 'EUR', 'lost', 'east', 1.5, 1, 'new');
CREATE TABLE crm.invoice (invoice_no text, invoiced_on date, seller text, total numeric(14,4), account text, product bigint, pieces int);
INSERT INTO crm.invoice VALUES ('I-1', '2026-03-01', 'U1', 12.3456, 'A1', 77, 3);

-- Two sources, one view
SELECT is(to_regclass('spm.transaction'), NULL, 'without a source there is no view of transactions');
SELECT lives_ok($$SELECT spm.map_source('deals', 'crm.deal', key => 'deal_id', date => 'closed_at', owner => 'owner_id', amount => 'amount',
    currency => 'currency', filter => $f$stage = 'won'$f$)$$, 'a relation is mapped by the names of its columns');
SELECT results_eq($$SELECT source, transaction_key, line, event_date, type, owner_key, account_key, product_key, quantity, amount, cost, list_amount, currency_code, attributes
        FROM spm.transaction ORDER BY transaction_key$$,
    $$VALUES ('deals', '1', '', '2026-01-31'::date, 'booking', '00000000-0000-0000-0000-000000000001', NULL::text, NULL::text, NULL::numeric, 100.50, NULL::numeric, NULL::numeric, 'USD', '{}'::jsonb),
             ('deals', '2', '', '2026-02-01', 'booking', NULL, NULL, NULL, NULL, 50.00, NULL, NULL, 'EUR', '{}')$$,
    'rows that pass the filter are transactions, with what is not mapped empty');
SELECT spm.add_currency('USD');
SELECT lives_ok($$SELECT spm.map_source('invoices', 'crm.invoice', key => 'invoice_no', date => 'invoiced_on', owner => 'seller', amount => 'total',
    account => 'account', product => 'product', quantity => 'pieces', fixed_type => 'invoice', fixed_currency => 'USD', attributes => '{account,pieces}')$$,
    'a second source with other types is mapped beside it');
SELECT results_eq($$SELECT transaction_key, event_date, type, owner_key, account_key, product_key, quantity, amount, currency_code, attributes
        FROM spm.transaction WHERE source = 'invoices'$$,
    $$VALUES ('I-1', '2026-03-01'::date, 'invoice', 'U1', 'A1', '77', 3::numeric, 12.3456, 'USD', '{"account": "A1", "pieces": 3}'::jsonb)$$,
    'and its rows are in the same view, with attributes by name');
SELECT is((SELECT count(*) FROM spm.transaction), 3::bigint, 'which has the rows of both');
SELECT results_eq($$SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'spm.transaction'::regclass AND attnum > 0 ORDER BY attnum$$,
    $$SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'spm.transaction_row'::regclass AND attnum > 0 ORDER BY attnum$$,
    'the view has the columns and types of spm.transaction_row');
SELECT lives_ok($$SELECT spm.map_source('deals', 'crm.deal', key => 'deal_id', line => 'line_no', type => 'kind', date => 'closed_at', owner => NULL, amount => 'amount',
    currency => 'currency', attributes => '{region}', time_zone => 'Europe/Berlin')$$, 'a source can be mapped anew under its name');
SELECT results_eq($$SELECT transaction_key, line, event_date, type, owner_key, attributes ->> 'region' FROM spm.transaction WHERE source = 'deals' ORDER BY 1$$,
    $$VALUES ('1', '1', '2026-02-01'::date, 'new', NULL::text, 'west'), ('2', '', '2026-02-01', 'renewal', NULL, 'east'), ('3', '1', '2026-02-01', 'new', NULL, 'east')$$,
    'an instant becomes a day in the time zone of the source, an empty line the empty text');
SELECT is((SELECT reloptions FROM pg_class WHERE oid = 'spm.transaction'::regclass), '{security_invoker=true}', 'the view shows only what the reader may see');
SELECT is_empty($$SELECT FROM pg_depend WHERE objid = 'spm.transaction'::regclass AND deptype = 'e'$$, 'the view is not the extension''s, so that pg_dump keeps it');
SELECT throws_ok('DROP EXTENSION spm', '2BP01', NULL, 'but dropping the extension says that it would go');
SELECT is_empty($$SELECT attname FROM pg_attribute WHERE attrelid IN ('spm.transaction'::regclass, 'spm.transaction_split'::regclass) AND attnum > 0 AND col_description(attrelid, attnum) IS NULL$$,
    'every column of the two views has a comment');

-- Who shares
SELECT is_empty($$SELECT * FROM spm.transaction_split$$, 'without a split nobody shares');
CREATE TABLE crm.split (deal int, line text, seller text, percentage numeric(5,2));
INSERT INTO crm.split VALUES (1, NULL, 'U1', 66.67), (1, NULL, 'U2', 33.33);
SELECT spm.map_split('deals', 'crm.split', key => 'deal', owner => 'seller', share => 'percentage', share_unit => 'percent');
SELECT results_eq($$SELECT source, transaction_key, line, owner_key, share FROM spm.transaction_split ORDER BY owner_key$$,
    $$VALUES ('deals', '1', NULL::text, 'U1', 0.6667), ('deals', '1', NULL, 'U2', 0.3333)$$, 'shares in percent become ratios, exactly');
SELECT spm.map_split('deals', 'crm.split', key => 'deal', owner => 'seller', share => 'percentage', line => 'line');
SELECT is((SELECT sum(share) FROM spm.transaction_split), 100.00, 'a split can be mapped anew');
SELECT throws_ok($$SELECT spm.map_split('deal', 'crm.split', 'deal', 'seller', 'percentage')$$, '42704', 'source "deal" does not exist', 'a split needs a known source');
SELECT throws_ok($$SELECT spm.map_split('deals', 'crm.split', 'deal', 'seller', 'percentage', share_unit => 'permille')$$, '22023', 'share_unit must be ratio or percent, not "permille"', 'and a known unit');
SELECT throws_ok($$SELECT spm.map_split('deals', 'crm.split', 'deal', 'seller', 'seller')$$, '42804', NULL, 'a share is a number');
SELECT spm.unmap_split('deals');
SELECT is_empty($$SELECT * FROM spm.transaction_split$$, 'a split can be taken away');
SELECT throws_ok($$SELECT spm.unmap_split('deals')$$, '42704', 'source "deals" has no split', 'once');

-- What is refused, and how it is said
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s / %s / %s', SQLSTATE, message, detail, hint);
END $$;
CREATE FUNCTION pg_temp.map(arguments text, relation text DEFAULT 'crm.deal') RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.refusal(format('SELECT spm.map_source(''bad'', %L, %s)', $2, $1))
$$;
SELECT is(pg_temp.map($$key => 'id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency'$$),
    '42703: column "id" of crm.deal does not exist / It is named by key => ''id''. / Columns that look like it: amount, closed_at, currency, deal_id, kind, owner_id.',
    'an unknown column, with what may have been meant');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'score', currency => 'currency'$$),
    '42804: column "score" of crm.deal has type double precision, which cannot be amount / Possible are numeric, integer, bigint, smallint. / Floating point loses cents. Name a view with score::numeric instead of the table.',
    'an amount in floating point, with what to do');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'stage', owner => NULL, amount => 'amount', currency => 'currency'$$),
    '42804: column "stage" of crm.deal has type text, which cannot be date / Possible are date, timestamp without time zone, timestamp with time zone. / Name a view with stage::date instead of the table.',
    'a date that is a text, with what to do');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount'$$),
    '22023: give either currency or fixed_currency / Neither was given. / currency names a column with ISO codes; fixed_currency is the currency of all rows, such as USD.',
    'no currency');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', fixed_currency => 'GBP'$$),
    '42704: currency "GBP" does not exist /  / Add it: SELECT spm.add_currency(''GBP'');', 'an unknown currency');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency', time_zone => 'Mars'$$),
    '22023: time zone "Mars" does not exist /  / Use a name from pg_timezone_names, such as Europe/Berlin.', 'an unknown time zone');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency', type => 'kind', fixed_type => 'x'$$),
    '22023: give type or fixed_type, not both /  / type names a column; fixed_type is the type of all rows.', 'two types');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency', attributes => '{closed_at}'$$) ~ '^42804', true,
    'an attribute that would read differently in another time zone');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency', filter => 'won'$$),
    '42703: column "won" of deal does not exist /  / The columns are deal_id, closed_at, owner_id, amount, currency, stage, region, score, line_no, kind.',
    'a filter over what is no column');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency', filter => 'random() < 0.5'$$) ~ '^42P17', true,
    'a filter that changes its mind');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency'$$, 'crm.deal_pkey'),
    '42809: crm.deal_pkey cannot be a source /  / Name a table, partitioned table, foreign table, view or materialized view.', 'an index');
CREATE TEMP TABLE passing (k text, d date, a numeric, c text);
SELECT is(pg_temp.map($$key => 'k', date => 'd', owner => NULL, amount => 'a', currency => 'c'$$, 'passing'),
    '42809: temporary relation passing cannot be a source /  / It would be gone with the session; name one that stays.', 'a temporary table');
SELECT is(pg_temp.map($$key => NULL, date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency'$$), '22023: key must not be empty /  / Give a text.', 'no key');
CREATE VIEW crm.loop AS SELECT transaction_key AS k, event_date AS d, amount AS a, currency_code AS c FROM spm.transaction;
SELECT is(pg_temp.map($$key => 'k', date => 'd', owner => NULL, amount => 'a', currency => 'c'$$, 'crm.loop') ~ '^42P17', true, 'a view that reads spm.transaction itself');
DROP VIEW crm.loop;
SELECT is((SELECT count(*) FROM spm.source), 2::bigint, 'what is refused leaves nothing behind');

-- Other kinds of relations, other kinds of columns
CREATE VIEW crm.deal_view AS SELECT * FROM crm.deal;
CREATE MATERIALIZED VIEW crm.deal_kept AS SELECT * FROM crm.deal;
CREATE TABLE crm.part (k text COLLATE "C", d timestamp, a bigint, c text) PARTITION BY RANGE (d);
CREATE TABLE crm.part_2026 PARTITION OF crm.part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO crm.part VALUES ('p1', '2026-12-31 23:59:59', 7, 'USD');
SELECT spm.map_source('view', 'crm.deal_view', 'deal_id', 'closed_at', 'owner_id', 'amount', currency => 'currency');
SELECT spm.map_source('kept', 'crm.deal_kept', 'deal_id', 'closed_at', 'owner_id', 'amount', currency => 'currency');
SELECT spm.map_source('it''s "part"', 'crm.part', 'k', 'd', 'k', 'a', currency => 'c');
SELECT results_eq($$SELECT source, count(*) FROM spm.transaction GROUP BY source ORDER BY source COLLATE "C"$$,
    $$VALUES ('deals', 3::bigint), ('invoices', 1), ('it''s "part"', 1), ('kept', 3), ('view', 3)$$, 'views, materialized views and partitioned tables are sources too');
SELECT is((SELECT (event_date, amount)::text FROM spm.transaction WHERE transaction_key = 'p1'), '(2026-12-31,7)', 'a timestamp becomes its day, a whole number an amount');
SELECT results_eq($$SELECT * FROM spm.source_index('view')$$, ARRAY[]::text[], 'a view has no index to make');
SELECT spm.unmap_source(name) FROM spm.source WHERE name IN ('view', 'kept', 'it''s "part"');

-- Checked again at use
CREATE FUNCTION pg_temp.check_says() RETURNS text LANGUAGE sql AS $$SELECT pg_temp.refusal('SELECT spm._check_sources()')$$;
SELECT is(pg_temp.check_says(), 'no error', 'sources that are as they were mapped are fine');
ALTER TABLE crm.deal RENAME COLUMN deal_id TO nr;
SELECT is((SELECT count(*) FROM spm.transaction WHERE source = 'deals' AND transaction_key IS NOT NULL), 3::bigint, 'when a column is renamed the view follows');
SELECT is(pg_temp.check_says(), $$42703: column "deal_id" of crm.deal does not exist / Source "deals" takes it for key. It was dropped or renamed after it was mapped. / Map it as it is now: SELECT spm.map_source('deals', 'crm.deal', key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', line => 'line_no', type => 'kind', currency => 'currency', attributes => '{region}', time_zone => 'Europe/Berlin');$$,
    'but nothing is calculated until it is mapped again, with the call to repeat');
ALTER TABLE crm.deal RENAME COLUMN nr TO deal_id;
ALTER TABLE crm.deal RENAME TO old_deal;
SELECT is(pg_temp.check_says() ~ '^42P01: relation crm.deal of source "deals" does not exist', true, 'a relation that was renamed is named');
CREATE TABLE crm.deal AS SELECT * FROM crm.old_deal;
SELECT is(pg_temp.check_says() ~ '^55000: source "deals" is missing from spm.transaction', true, 'another relation of its name is not taken for it');
DROP TABLE crm.deal;
ALTER TABLE crm.old_deal RENAME TO deal;
DROP VIEW crm.deal_view; DROP MATERIALIZED VIEW crm.deal_kept; DROP TABLE crm.part;
DROP VIEW spm.transaction;
ALTER TABLE crm.deal ALTER COLUMN amount TYPE bigint;
SELECT is(pg_temp.check_says() ~ '^42804: column "amount" of crm.deal has become bigint / Source "deals" took it for amount when it was numeric.', true, 'a type that has changed is named');
SELECT spm.map_source('deals', 'crm.deal', key => 'deal_id', date => 'closed_at', owner => 'owner_id', amount => 'amount', currency => 'currency', attributes => '{region}', filter => $$stage = 'won'$$);
SELECT is(pg_temp.check_says(), 'no error', 'mapping it again mends it');
DROP TABLE crm.invoice CASCADE;
SELECT is(pg_temp.check_says() ~ '^55000: source "deals" is missing', true, 'when a relation is dropped with all that depends on it, the view is gone');
SELECT lives_ok($$SELECT spm.map_source('deals', 'crm.deal', key => 'deal_id', date => 'closed_at', owner => 'owner_id', amount => 'amount', currency => 'currency')$$,
    'one source can be mapped while another is broken');
SELECT is(pg_temp.check_says() ~ '^42P01: relation crm.invoice of source "invoices" does not exist', true, 'which is not forgotten');
SELECT lives_ok($$SELECT spm.unmap_source('invoices')$$, 'and can be taken away');
SELECT throws_ok($$SELECT spm.unmap_source('invoices')$$, '42704', 'source "invoices" does not exist', 'once');

-- Rights
CREATE ROLE spm_test_reader;
GRANT USAGE ON SCHEMA spm, crm TO spm_test_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA spm TO spm_test_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA spm TO spm_test_reader;
GRANT SELECT (deal_id, closed_at, owner_id, amount) ON crm.deal TO spm_test_reader;
SET ROLE spm_test_reader;
SELECT is(pg_temp.check_says(), '42501: you may not read column "currency" of crm.deal / Source "deals" takes it for currency. / Let its owner run: GRANT SELECT ON crm.deal TO spm_test_reader;',
    'who may not read a column is told whom to ask');
SELECT throws_ok($$SELECT * FROM spm.transaction$$, '42501', NULL, 'and cannot read it through the view');
SELECT is(pg_temp.map($$key => 'deal_id', date => 'closed_at', owner => NULL, amount => 'amount', currency => 'currency'$$) ~ '^42501: you may not read column "currency"', true,
    'nor map what may not be read');
RESET ROLE;

-- Speed: filters reach the indexes of the base table
SELECT spm.unmap_source('deals');
SELECT is(to_regclass('spm.transaction'), NULL, 'with the last source the view goes');
CREATE TABLE crm.plain (k text PRIMARY KEY, d date, o text, a numeric, c text);
INSERT INTO crm.plain SELECT 'K' || i, '2020-01-01'::date + i % 2000, 'U' || i % 1000, i, 'USD' FROM generate_series(1, 100000) i;
CREATE INDEX ON crm.plain (d);
CREATE INDEX ON crm.plain (o);
CREATE TABLE crm.converted (k int PRIMARY KEY, d timestamptz, o bigint, a numeric, c text);
INSERT INTO crm.converted SELECT i, '2020-01-01'::timestamptz + i % 2000 * interval '1 day', i % 1000, i, 'USD' FROM generate_series(1, 100000) i;
ANALYZE crm.plain, crm.converted;
SELECT spm.map_source('plain', 'crm.plain', 'k', 'd', 'o', 'a', currency => 'c');
SELECT spm.map_source('cast', 'crm.converted', 'k', 'd', 'o', 'a', currency => 'c', time_zone => 'Europe/Berlin');
-- Relations that a query reads from end to end.
CREATE FUNCTION pg_temp.read_whole(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; whole text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        whole := whole || coalesce(substring(line FROM 'Seq Scan on (\w+)'), '');
    END LOOP;
    RETURN whole;
END $$;
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE source = 'plain' AND event_date BETWEEN '2021-03-01' AND '2021-03-07'$$), '', 'a range of days uses the index of a date column');
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE source = 'plain' AND transaction_key = 'K77'$$), '', 'a key that of a text column');
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE source = 'plain' AND owner_key = 'U77'$$), '', 'an owner too');
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE transaction_key = '77'$$), 'converted', 'a key that must be converted reads the table');
SELECT results_eq($$SELECT * FROM spm.source_index('plain')$$, ARRAY[]::text[], 'columns that have an index need none');
SELECT results_eq($$SELECT * FROM spm.source_index('cast')$$, ARRAY[
    'CREATE INDEX IF NOT EXISTS spm_cast_event_date ON crm.converted (((d AT TIME ZONE ''Europe/Berlin'')::date));',
    'CREATE INDEX IF NOT EXISTS spm_cast_transaction_key ON crm.converted ((k::text));',
    'CREATE INDEX IF NOT EXISTS spm_cast_owner_key ON crm.converted ((o::text));'], 'for the others there are statements that make them');
SELECT * FROM spm.source_index('cast') \gexec
ANALYZE crm.converted;
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE event_date BETWEEN '2021-03-01' AND '2021-03-07'$$), '', 'with them a range of days uses the indexes of both sources');
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE transaction_key = '77'$$), '', 'so does a key');
SELECT is(pg_temp.read_whole($$SELECT * FROM spm.transaction WHERE owner_key = '77'$$), '', 'and an owner');
SELECT is((SELECT count(*) FROM spm.transaction WHERE owner_key = '77'), 100::bigint, 'with the same rows');
SELECT throws_ok($$SELECT * FROM spm.source_index('none')$$, '42704', 'source "none" does not exist', 'an unknown source has none');
SELECT * FROM finish();
ROLLBACK;
