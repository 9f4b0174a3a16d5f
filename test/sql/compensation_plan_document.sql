-- A plan is told to those who are paid by it, in words and figures that the engine reckons; and they accept it.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/company.sql
\set ECHO all
SELECT no_plan();

SELECT spm.add_lookup('Regions', '{region,size}', 0.5), spm.set_lookup('Regions', '{EMEA,"[0,100)"}', 1.25, '2026-01-01'), spm.set_lookup('Regions', '{APAC,*}', 1.10) \g /dev/null
SELECT spm.set_variable('salary', 60000), spm.create_plan('AE <b>"1"</b> & co''s', 'company', 'USD', '2026-01-01') \g /dev/null
SELECT spm.import_plan('{"spm_plan": 1, "name": "AE", "calendar": "company", "currency_code": "USD", "since": "2026-01-01",
  "components": [
    {"name": "Commission", "rates": "0%: 8%, 80%: 10%, 100%: 14% cap 50000", "measure": "bookings", "accumulate": "year", "eligibility_expression": "type = ''booking'' and quantity > 1",
     "prorate": "calendar", "credit_cap": 250000, "modifiers": [
        {"kind": "gate", "of_components": ["Margin"], "figures": ["amount"], "value": 1000},
        {"kind": "multiply", "of_components": ["", "Margin"], "figures": ["attainment", "amount"], "lookup": "Regions"},
        {"kind": "multiply", "of_components": [""], "figures": ["attainment"], "scope": "team", "rates": "0%: 80%, 100%: 120% whole"},
        {"kind": "cap", "variable": "salary", "value": 2.5}]},
    {"name": "Margin", "rates": "0: 1%, 8000: 2.5%", "measure_expression": "amount - cost", "lookup": "Regions", "lookup_expressions": ["account_key", "quantity"]},
    {"name": "Target", "rates": "0%: 100%, 100%: 150%", "measure": "bookings", "pay": "target", "variable": "target_bonus"},
    {"name": "Kicker", "rates": "100%: 5000 bonus", "measure": "bookings", "ties": "dense", "places": 0},
    {"name": "Best", "rates": "1: 3000, 2: 1000, 3: 0 bonus", "basis": "rank", "inputs": [{"of_component": "Commission", "figure": "amount", "scope": "plan"}]}],
  "pay_rules": [
    {"name": "Draw", "kind": "draw", "method": "floor", "amount": 3000, "recover_share": 0.5, "first_periods": 4, "is_forgiven": true},
    {"name": "Ceiling", "kind": "cap", "method": "carried", "variable": "salary", "share": 2, "grain": "year"},
    {"name": "Kept", "kind": "holdback", "share": 0.1, "release_after": 2, "components": ["Commission"]},
    {"name": "Refunds", "kind": "negative", "method": "carried"}]}') \g /dev/null
-- read it: it is what a seller signs
SELECT spm.plan_document('AE');

-- ------------------------------------------------------------ the engine's figures
SELECT is(substring(spm.plan_document('AE') FROM 'a total of 120,000 USD against a quota of 100,000 is worth ([0-9,]+) USD'),
    spm._figure(spm.commission(spm.for_quota('0%: 8%, 80%: 10%, 100%: 14% cap 50000', 100000), 120000)), 'the example is what the engine would pay');
SELECT is(substring(spm.plan_document('AE') FROM 'is worth ([0-9,]+) USD, with a target_bonus of 10,000'), '13,000', 'a target of 10,000 at 120 %: 10,000 + 20 % x 150 % of it');
SELECT is_empty($$SELECT m FROM regexp_matches(spm.plan_document('AE'), '(your \.|NULL|%s|\{\})', 'g') m$$, 'no word is missing');

-- ------------------------------------------------------------- nothing is left out
CREATE FUNCTION pg_temp.told(field text, said jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plain text;
    changed text;
BEGIN
    PERFORM spm.import_plan(jsonb_build_object('spm_plan', 1, 'name', field, 'calendar', 'company', 'currency_code', 'USD', 'since', '2026-01-01',
        'components', jsonb_build_array('{"name": "A", "rates": "0: 5%, 10: 6%"}'::jsonb)));
    PERFORM spm.import_plan(jsonb_build_object('spm_plan', 1, 'name', field || '!', 'calendar', 'company', 'currency_code', 'USD', 'since', '2026-01-01',
        'components', jsonb_build_array('{"name": "A", "rates": "0: 5%, 10: 6%"}'::jsonb || said)));
    plain := split_part(spm.plan_document(field), E'\n1. ', 2);
    changed := split_part(spm.plan_document(field || '!'), E'\n1. ', 2);
    RETURN plain <> changed;
END
$$;
CREATE TEMPORARY TABLE option (field text, said jsonb);
INSERT INTO option VALUES ('name', '{"name": "B"}'), ('credit_kind', '{"credit_kind": "rollup"}'), ('measure_expression', '{"measure_expression": "cost"}'), ('eligibility_expression', '{"eligibility_expression": "amount > 1"}'),
    ('unit', '{"unit": "count"}'), ('measure_id', '{"measure": "bookings"}'), ('accumulate', '{"accumulate": "deal"}'), ('tier_basis', '{"rates": "0%: 5%", "measure": "bookings"}'), ('rate_options', '{"rates": "0: 5%, 10: 6% whole"}'),
    ('variable_id', '{"variable": "salary"}'), ('places', '{"places": 0}'), ('rounding', '{"rounding": "floor"}'), ('basis', '{"basis": "fixed"}'), ('pay', '{"pay": "target"}'), ('against', '{"against": "prior year"}'),
    ('prorate', '{"prorate": "working"}'), ('is_true_up', '{"is_true_up": true}'), ('group_expression', '{"accumulate": "group", "group_expression": "account_key"}'), ('credit_cap', '{"credit_cap": 12}'),
    ('lookup_id', '{"lookup": "Regions", "lookup_expressions": ["account_key", "quantity"]}'), ('lookup_expressions', '{"lookup": "Regions", "lookup_expressions": ["account_key", "amount"]}'), ('ties', '{"ties": "share"}'),
    ('component_no', '{"component_no": 7}'), ('event', '{"event": "payment"}'), ('refund', '{"refund": "original"}'), ('refund_window', '{"refund": "original", "refund_window": "90 days"}'),
    ('refund_share', '{"refund": "original", "refund_share": 0.5}'), ('earned_over', '{"refund": "unearned", "earned_over": 12}');
SELECT is_empty($$SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'spm.component'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attname NOT IN ('component_id', 'plan_version_id') AND a.attname NOT IN (SELECT field FROM option)$$, 'every option of a component is tried here');
SELECT is_empty($$SELECT field FROM option WHERE NOT pg_temp.told(field, said)$$, 'and whatever a component says is told');

-- the same of pay rules
CREATE FUNCTION pg_temp.told_rule(said jsonb, change jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT spm._pay_rule_sentence(a, 'USD') <> spm._pay_rule_sentence(b, 'USD')
    FROM (SELECT spm._column_default('pay_rule') || '{"name": "R", "rule_no": 1}' || said AS rule) d,
        jsonb_populate_record(NULL::spm.pay_rule, d.rule) a, jsonb_populate_record(NULL::spm.pay_rule, d.rule || change) b
$$;
CREATE TEMPORARY TABLE rule_option (field text, said jsonb, change jsonb);
INSERT INTO rule_option VALUES ('name', '{"kind": "adjustment"}', '{"name": "S"}'), ('kind', '{"kind": "guarantee", "amount": 1}', '{"kind": "draw"}'), ('components', '{"kind": "guarantee", "amount": 1}', '{"components": ["A"]}'),
    ('amount', '{"kind": "guarantee", "amount": 1}', '{"amount": 2}'), ('variable_id', '{"kind": "guarantee"}', '{"variable_id": 1}'), ('share', '{"kind": "holdback", "share": 0.1}', '{"share": 0.2}'),
    ('grain', '{"kind": "cap", "amount": 1}', '{"grain": "year"}'), ('method', '{"kind": "draw", "method": "floor", "amount": 1}', '{"method": "advance"}'), ('method', '{"kind": "negative", "method": "carried"}', '{"method": "zeroed"}'),
    ('prorate', '{"kind": "guarantee", "amount": 1}', '{"prorate": "calendar"}'), ('release_after', '{"kind": "holdback", "share": 0.1}', '{"release_after": 2}'), ('release_on', '{"kind": "holdback", "share": 0.1}', '{"release_on": "2026-12-31"}'),
    ('first_periods', '{"kind": "guarantee", "amount": 1}', '{"first_periods": 3}'), ('until', '{"kind": "guarantee", "amount": 1}', '{"until": "2026-12-31"}'), ('is_forgiven', '{"kind": "draw", "method": "floor", "amount": 1}', '{"is_forgiven": true}');
INSERT INTO rule_option SELECT key, kind, jsonb_build_object(key, value) FROM jsonb_each('{"recover_share": 0.5, "recover_maximum": 7, "recover_after": 2, "recover_from": "2026-07-01", "recover_until": "2026-12-31", "minimum": 8}'),
    unnest(ARRAY['{"kind": "draw", "method": "floor", "amount": 1}', '{"kind": "negative", "method": "carried"}']::jsonb[]) kind;
SELECT is_empty($$SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'spm.pay_rule'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attname NOT IN ('pay_rule_id', 'plan_version_id', 'rule_no') AND a.attname NOT IN (SELECT field FROM rule_option)$$, 'every option of a pay rule is tried here');
SELECT is_empty($$SELECT field, said FROM rule_option WHERE pg_temp.told_rule(said, change) IS NOT TRUE$$, 'and whatever a pay rule says is told');

-- ------------------------------------------------------------------------ HTML
SELECT spm.add_component('AE <b>"1"</b> & co''s', '<script>alert(1)</script>', '0: 5%', eligible => 'type <> ''<i>'' AND amount < 5') \g /dev/null
SELECT doesnt_match(spm.plan_document('AE <b>"1"</b> & co''s', format => 'html'), '<script>', 'no name becomes HTML');
SELECT matches(spm.plan_document('AE <b>"1"</b> & co''s', format => 'html'), '<h1>AE &lt;b&gt;&quot;1&quot;&lt;/b&gt; &amp; co&#39;s</h1>', 'it is shown as it is');
SELECT matches(spm.plan_document('AE <b>"1"</b> & co''s', format => 'html'), 'type &lt;&gt; &#39;&lt;i&gt;&#39; and .*amount &lt; ', 'conditions too');
SELECT is(xpath_exists('/html/body/h1', x), true, 'the page of HTML is well formed') FROM (SELECT replace(replace(spm.plan_document('AE', format => 'html'), '<!DOCTYPE html>', ''), '<meta charset="utf-8">', '')::xml AS x) d;
SELECT is(array_length(xpath('//tr/td', x), 1), (SELECT sum(cardinality(cells))::int FROM spm._plan_line(spm._version_of('AE', NULL)) WHERE kind = 'row'), 'with every cell of every table')
FROM (SELECT replace(replace(spm.plan_document('AE', format => 'html'), '<!DOCTYPE html>', ''), '<meta charset="utf-8">', '')::xml AS x) d;
SELECT spm.create_plan('Two lines', 'company', 'USD', '2026-01-01') \g /dev/null
UPDATE spm.plan SET name = E'Two\nlines\r\n====' WHERE name = 'Two lines';
SELECT is(split_part(spm.plan_document(E'Two\nlines\r\n===='), E'\n', 1), 'Two lines  ====', 'a name stays on its line');
SELECT throws_ok($$SELECT spm.plan_document('AE', format => 'pdf')$$, '22023', 'a plan document cannot be written as "pdf"', 'other formats are refused');
SELECT throws_ok($$SELECT spm.plan_document('AE', 2)$$, '42704', 'plan "AE" has no version 2', 'a version must be there');
SELECT lives_ok($$SELECT spm.plan_document(p.name, v.version_no), spm.plan_document(p.name, v.version_no, 'html') FROM spm.plan p JOIN spm.plan_version v USING (plan_id)$$, 'every plan can be told');

-- ------------------------------------------------------------------- acceptance
SELECT throws_ok($$SELECT spm.accept_plan('AE', 1, 's01')$$, '55000', 'plan "AE" version 1 is a draft', 'a draft is not accepted');
SELECT throws_ok($$SELECT spm.accept_plan('Seller', 1, 'nobody')$$, '42704', NULL, 'by nobody neither');
SELECT throws_ok($$SELECT spm.accept_plan('Seller', 1, 'd1')$$, '55000', 'payee "d1" is not on version 1 of plan "Seller"', 'nor by who is not on the plan');
SELECT is((SELECT count(*) FROM spm_bi.plan_acceptance WHERE plan_name = 'Seller' AND NOT is_accepted), (SELECT count(DISTINCT payee_id) FROM spm.plan p, spm.plan_seat(p.plan_id, '(,)') WHERE p.name = 'Seller'),
    'who has not accepted is listed');
SELECT ok(spm.accept_plan('Seller', 1, 's01') > 0, 'a payee accepts');
SELECT is(spm.accept_plan('Seller', NULL, 's01'), (SELECT plan_acceptance_id FROM spm.plan_acceptance), 'the same again changes nothing');
SELECT is(document, spm.plan_document('Seller', 1), 'the text is kept as it was'), is(document_hash, encode(sha256(convert_to(document, 'UTF8')), 'hex'), 'with its hash'),
    is(accepted_by, session_user::text, 'who recorded it'), ok(accepted_at > now() - interval '1 day', 'and when') FROM spm.plan_acceptance;
SELECT results_eq($$SELECT plan_name, version_no, payee_key, accepted_by FROM spm_bi.plan_acceptance WHERE is_accepted$$, format('VALUES (%L, 1, %L, %L)', 'Seller', 's01', session_user), 'it is listed as accepted');
SELECT throws_ok($$SELECT spm.accept_plan('Seller', 1, 's02', 'abc')$$, '55000', 'plan "Seller" version 1 no longer reads as it did', 'what was shown must be what it says');
SELECT ok(spm.accept_plan('Seller', 1, 's02', encode(sha256(convert_to(spm.plan_document('Seller', 1), 'UTF8')), 'hex')) > 0, 'then it is accepted');
SELECT throws_ok($$UPDATE spm.plan_acceptance SET accepted_by = 'x'$$, '55000', NULL, 'nobody changes what was accepted');
SELECT throws_ok($$DELETE FROM spm.plan_acceptance$$, '55000', NULL, 'or takes it away');
SELECT results_eq($$SELECT plan_name, version_no, state, since, component_count, pay_rule_count, content_hash IS NULL FROM spm_bi.plan_version WHERE plan_name IN ('AE', 'Seller') ORDER BY 1$$,
    $$VALUES ('AE', 1, 'draft', date '2026-01-01', 5::bigint, 4::bigint, true), ('Seller', 1, 'published', '2026-01-01', 4, 0, false)$$, 'versions are listed');
-- ending a version does not change what it says
SELECT document_hash AS before FROM spm.plan_acceptance LIMIT 1 \gset
SELECT spm.retire_plan('Seller', '2026-10-01') \g /dev/null
SELECT ok(spm.accept_plan('Seller', 1, 's03', :'before') > 0, 'a version that ends reads as it did');

SELECT * FROM finish();
ROLLBACK;
