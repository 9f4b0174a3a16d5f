-- Who could take a new account: rules, neighbours, accounts like it, and room.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA crm;
CREATE TABLE crm.account (account_id text PRIMARY KEY, state text, industry text, employees int, lat float8, lon float8, potential numeric);
-- on the equator a degree is 111.195 km
INSERT INTO crm.account VALUES
    ('A1', 'CA', 'bank', 100, 0, 0, 600), ('A2', 'CA', 'bank', 120, 0, 1, 300),
    ('B1', 'NV', 'shop', 1000, 0, 3, 200), ('B2', 'NV', 'bank', 110, 0, 4, 100),
    ('C1', 'OR', 'shop', 10, 0, 10, 0), ('X1', 'TX', 'bank', 100, 0, 2.5, 50);
SELECT spm.add_territory_model('m', 'crm.account', key => 'account_id', potential => 'potential', latitude => 'lat', longitude => 'lon') \g /dev/null
SELECT spm.add_territory_attributes('m', '{state,industry}'), spm.add_territory_attribute('m', 'employees', 'number') \g /dev/null
SELECT spm.add_territory('m', k) FROM unnest('{A,B,C,V}'::text[]) k \g /dev/null
SELECT spm.add_territory_rule(t, c::jsonb) FROM (VALUES ('A', '{"state": "CA"}'), ('B', '{"state": "NV"}'), ('C', '{"state": "OR"}'), ('V', '{"state": "WA"}')) v(t, c) \g /dev/null
SELECT spm.add_position(k, k), spm.add_payee('p-' || k, k), spm.assign_position(k, 'p-' || k, '2026-01-01') FROM unnest('{a,b,c}'::text[]) k \g /dev/null
SELECT spm.hold_territory(upper(k), k, '2026-01-01') FROM unnest('{a,b,c}'::text[]) k \g /dev/null
SELECT count(*) FROM spm.assign_territories('m', as_of => '2026-01-01') \g /dev/null

CREATE FUNCTION pg_temp.candidates(account crm.account, top int DEFAULT 10) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', territory_key, coalesce(position_key, '-'), coalesce(payee_key, '-'), CASE WHEN is_by_rule THEN 'rule' END, distance_km || 'km', alike, accounts, potential, load, fit)
    FROM spm.territory_candidate(account, '2026-06-01', top)
$$;
-- loads: 900, 300 and 0 around a mean of 400; X1 is like A1, A2 and B2 in industry and size, like B1 and C1 in nothing
SELECT results_eq($$SELECT pg_temp.candidates(a) FROM crm.account a WHERE account_id = 'X1'$$, $$VALUES
    ('B b p-b 55.6km 0.33 2 300 0.75 1.547'), ('A a p-a 166.8km 0.67 2 900 2.25 1.349'), ('C c p-c 834.0km 0.00 1 0 0.00 1.107')$$,
    'an account that no rule gives to anybody has candidates by who is near, has accounts like it and has room');
SELECT results_eq($$SELECT pg_temp.candidates(ROW('N1', 'OR', 'bank', 100, 0, 0.5, NULL)::crm.account, 1)$$,
    $$VALUES ('C c p-c rule 1056.4km 0.25 1 0 0.00 1.336')$$, 'who has it by the rules goes first, and the account need not be among the accounts yet');
SELECT results_eq($$SELECT pg_temp.candidates(ROW('N2', 'WA', NULL, NULL, NULL, NULL, NULL)::crm.account, 2)$$,
    $$VALUES ('V - - rule 0.00 0 0 0.000'), ('C c p-c 0.00 1 0 0.00 1.000')$$, 'a vacant territory is told when the rules give it the account; what is not known is not compared');
SELECT is((SELECT count(*) FROM spm.territory_candidate(ROW('N3', 'CA', NULL, NULL, NULL, NULL, NULL)::crm.account, '2025-06-01')), 1::bigint, 'before anybody holds a territory there is only what the rules say');

-- refused
SELECT throws_ok($$SELECT spm.territory_candidate(17)$$, '42804', 'account must be a row', 'what is no account is refused');
SELECT throws_ok($$SELECT spm.territory_candidate(a, top => 0) FROM crm.account a$$, '22023', 'top cannot be 0', 'no rows are refused');
SELECT throws_ok($$SELECT spm.territory_candidate(a, as_of => NULL) FROM crm.account a$$, '22004', 'as_of cannot be NULL', 'no day is refused');
SELECT throws_ok($$SELECT spm.territory_candidate(a, type => 'x') FROM crm.account a$$, '22023', 'type of a territory cannot be "x"', 'another type is refused');

SELECT finish();
ROLLBACK;
