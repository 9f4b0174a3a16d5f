-- What was known when: every statement that was ever posted comes out again to the letter, every draft to the digit.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.deal (deal_id text, closed_on date, owner text, amount numeric, currency text);
INSERT INTO shop.deal VALUES
    ('A-1', '2026-01-10', 'dana', 60000.00, 'USD'), ('A-2', '2026-02-10', 'dana', 60000.00, 'USD'), ('B-1', '2026-02-01', 'eli', 50000.00, 'USD');
SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount', currency => 'currency') \g /dev/null
SELECT spm.add_currency('USD'), spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01') FROM unnest('{dana,eli}'::text[]) k \g /dev/null
SELECT spm.add_measure('bookings') \g /dev/null
SELECT spm.set_quota(k, p.name, 100000, 'bookings') FROM unnest('{dana,eli}'::text[]) k, spm.period p WHERE p.grain = 'quarter' \g /dev/null
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01'), spm.add_component('AE', 'Commission', '0%: 8%, 100%: 10%', quota => 'bookings'),
    spm.assign_plan('AE', '2026-01-01', payee => 'dana'), spm.assign_plan('AE', '2026-01-01', payee => 'eli'), spm.publish_plan('AE') \g /dev/null

-- What everybody's statement of the quarter says, and when that was noted.
CREATE TABLE pg_temp.noted (version text, noted_at timestamptz, payee text, content text);
CREATE FUNCTION pg_temp.statements(at timestamptz, OUT payee text, OUT content text) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT p, (SELECT string_agg(line, E'\n' ORDER BY o) FROM spm.statement(p, '2026-Q1', as_of => at) WITH ORDINALITY s(line, o))
    FROM unnest('{dana,eli}'::text[]) p
$$;
CREATE FUNCTION pg_temp.note(version text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO noted SELECT version, clock_timestamp(), s.* FROM pg_temp.statements(NULL) s
$$;
CREATE FUNCTION pg_temp.payable(who text, at timestamptz) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(line, '^Payable +USD +', '') FROM spm.statement(who, '2026-Q1', as_of => at) line WHERE line LIKE 'Payable%'
$$;
SELECT clock_timestamp() AS before_all \gset

-- ---- drafts
CALL spm.calculate('2026-Q1');
SELECT pg_temp.note('draft 1');
UPDATE shop.deal SET amount = 70000 WHERE deal_id = 'A-2';
INSERT INTO shop.deal VALUES ('B-2', '2026-03-01', 'eli', 10000, 'USD');
CALL spm.calculate('2026-Q1');
SELECT pg_temp.note('draft 2');
DELETE FROM shop.deal WHERE deal_id = 'B-2';
SELECT spm.set_quota('dana', '2026-Q1', 120000, 'bookings') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT pg_temp.note('draft 3');
SELECT results_eq($$SELECT version, payee, pg_temp.payable(payee, noted_at) FROM noted ORDER BY 1, 2$$, $$VALUES
    ('draft 1', 'dana', '10,000.00'), ('draft 1', 'eli', '4,000.00'),
    ('draft 2', 'dana', '11,000.00'), ('draft 2', 'eli', '4,800.00'),
    ('draft 3', 'dana', '10,600.00'), ('draft 3', 'eli', '4,000.00')$$, 'a draft that was calculated again is still known: 120,000 at 8 %, 10,000 at 10 %');
SELECT is(s.content, n.content, format('%s, %s: all of it', n.version, n.payee)) FROM noted n, pg_temp.statements(n.noted_at) s WHERE s.payee = n.payee ORDER BY n.version, n.payee;
SELECT results_eq($$SELECT n.version, (SELECT sum(amount) FROM spm.credit_as_of(n.noted_at)), (SELECT sum(quota_amount) FROM spm.measurement_as_of(n.noted_at)),
        (SELECT sum(amount) FROM spm.earning_as_of(n.noted_at)), (SELECT sum(amount) FROM spm.payout_as_of(n.noted_at))
    FROM noted n WHERE payee = 'dana' ORDER BY 1$$, $$VALUES
    ('draft 1', 170000.00, 200000.0, 14000.00, 14000.00), ('draft 2', 190000.00, 200000.0, 15800.00, 15800.00), ('draft 3', 180000.00, 220000.0, 14600.00, 14600.00)$$,
    'and so are credits, measurements, earnings and payouts of any instant');
SELECT is(count(*), (SELECT count(*) FROM (SELECT credit_id FROM spm.credit UNION ALL SELECT measurement_id FROM spm.measurement UNION ALL SELECT earning_id FROM spm.earning UNION ALL SELECT payout_id FROM spm.payout) n),
    'now is an instant as well') FROM (SELECT credit_id FROM spm.credit_as_of('infinity') UNION ALL SELECT measurement_id FROM spm.measurement_as_of('infinity')
    UNION ALL SELECT earning_id FROM spm.earning_as_of('infinity') UNION ALL SELECT payout_id FROM spm.payout_as_of('infinity')) x;
SELECT count(*) AS kept FROM spm.superseded \gset
CALL spm.calculate('2026-Q1');
SELECT is((SELECT count(*) FROM spm.superseded), :kept::bigint, 'calculating again without a change keeps nothing');

-- ---- why a draft says something else than before
SELECT results_eq($$SELECT w.item, before_amount, after_amount, difference, reason FROM noted n, noted l, spm.why(n.payee, '2026-Q1', n.noted_at, l.noted_at) w
    WHERE n.version = 'draft 1' AND l.version = 'draft 2' AND n.payee = 'dana' AND l.payee = 'dana'$$,
    $$VALUES ('Commission, A-2', 5200.00, 6200.00, 1000.00, 'amount changed from 60,000.00 to 70,000.00')$$, 'why a draft says more than the one before');
SELECT results_eq($$SELECT w.item, before_amount, after_amount, difference, reason FROM noted n, noted l, spm.why(n.payee, '2026-Q1', n.noted_at, l.noted_at) w
    WHERE n.version = 'draft 1' AND l.version = 'draft 3' AND n.payee = 'dana' AND l.payee = 'dana'$$,
    $$VALUES ('Commission, A-2', 5200.00, 5800.00, 600.00, 'amount changed from 60,000.00 to 70,000.00; quota changed from 100,000.00 to 120,000.00')$$, 'over several');
SELECT results_eq($$SELECT item, difference, reason FROM spm.why('eli', '2026-Q1')$$, $$VALUES ('Commission, B-2', -800.00, 'order deleted')$$, 'without instants: since it last paid something else');
SELECT results_eq($$SELECT version_no, state, payable_amount FROM spm.statement_version('dana', '2026-Q1')$$,
    $$VALUES (1::bigint, 'calculated', 10000.00), (2, 'calculated', 11000.00), (3, 'calculated', 10600.00)$$, 'versions are listed');
SELECT results_eq($$SELECT sum(difference) FROM spm.why('dana', '2026-Q1', '-infinity', 'infinity') WHERE reason = 'first calculation'$$, 'SELECT 10600.00', 'since ever: all that is paid');
SELECT is_empty($$SELECT * FROM spm.why('dana', '2026-Q1', 'infinity', 'infinity')$$, 'and from now to now: nothing');

-- ---- posted, and then everything changes
CALL spm.post('2026-Q1');
SELECT pg_temp.note('posted 1');
UPDATE spm.payee SET name = 'Dana Whitfield-Ortiz' WHERE payee_key = 'dana';
UPDATE spm.position SET name = 'Seat of Dana' WHERE position_key = 'dana';
UPDATE shop.deal SET amount = amount + 1000;
INSERT INTO shop.deal VALUES ('A-0', '2026-01-02', 'dana', 5000, 'USD');
SELECT spm.set_quota('dana', '2026-Q1', 110000, 'bookings') \g /dev/null
SELECT spm.reopen_period('2026-Q1', 'auditors') \g /dev/null
CALL spm.calculate('2026-Q1');
SELECT pg_temp.note('draft 4');
CALL spm.post('2026-Q1');
SELECT pg_temp.note('posted 2');
DELETE FROM shop.deal WHERE deal_id IN ('A-1', 'B-1');
UPDATE spm.payee SET name = 'D. Ortiz' WHERE payee_key = 'dana';
SELECT spm.new_plan_version('AE', '2026-02-01'), spm.drop_component('AE', 'Commission'),
    spm.add_component('AE', 'Commission', '0%: 1%', quota => 'bookings'), spm.publish_plan('AE') \g /dev/null
SELECT spm.reopen_period('2026-Q1', 'auditors again') \g /dev/null
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
SELECT pg_temp.note('posted 3');
UPDATE spm.payee SET name = 'Somebody';
SELECT is((SELECT count(DISTINCT content) FROM noted WHERE payee = 'dana' AND version LIKE 'posted%'), 3::bigint, 'three postings, three statements');
SELECT is(s.content, n.content, format('%s, %s: to the letter', n.version, n.payee))
FROM noted n, pg_temp.statements(n.noted_at) s WHERE s.payee = n.payee AND n.version LIKE 'posted%' ORDER BY n.version, n.payee;
SELECT results_eq($$SELECT version, pg_temp.payable(payee, noted_at) FROM noted WHERE payee = 'dana' ORDER BY noted_at$$, $$VALUES
    ('draft 1', '10,000.00'), ('draft 2', '11,000.00'), ('draft 3', '10,600.00'), ('posted 1', '10,600.00'), ('draft 4', '11,500.00'),
    ('posted 2', '11,500.00'), ('posted 3', '1,110.00')$$, 'and drafts before, between and after: 110,000 at 8 %, 27,000 at 10 %; 5,000 at 8 %, 71,000 at 1 %');
SELECT line FROM spm.statement('dana', '2026-Q1') line;
SELECT results_eq($$SELECT version_no, state, payable_amount FROM spm.statement_version('dana', '2026-Q1')$$,
    $$VALUES (1::bigint, 'calculated', 10000.00), (2, 'calculated', 11000.00), (3, 'calculated', 10600.00), (4, 'posted', 10600.00),
        (5, 'calculated', 11500.00), (6, 'posted', 11500.00), (7, 'calculated', 1110.00), (8, 'posted', 1110.00)$$, 'every version is listed');
SELECT results_eq($$SELECT w.item, before_amount, after_amount, reason FROM noted n, noted l, spm.why('dana', '2026-Q1', n.noted_at, l.noted_at) w
    WHERE n.version = 'posted 1' AND l.version = 'posted 2' AND n.payee = 'dana' AND l.payee = 'dana'$$, $$VALUES
    ('Commission, A-0', 0, 400.00, 'late order of 2026-01-02'),
    ('Commission, A-1', 4800.00, 4880.00, 'amount changed from 60,000.00 to 61,000.00; quota changed from 120,000.00 to 110,000.00; other deals moved the total before it from 0.00 to 5,000.00'),
    ('Commission, A-2', 5800.00, 6220.00, 'amount changed from 70,000.00 to 71,000.00; quota changed from 120,000.00 to 110,000.00; other deals moved the total before it from 60,000.00 to 66,000.00')$$,
    'why a posting pays more than the one before');
-- between any two versions of anybody
SELECT is_empty($$SELECT * FROM (
        SELECT p.payee, a.version_no, b.version_no, b.payable_amount - a.payable_amount AS wanted,
               (SELECT coalesce(sum(w.difference), 0) FROM spm.why(p.payee, '2026-Q1', a.known_at, b.known_at) w) AS got,
               (SELECT count(*) FROM spm.why(p.payee, '2026-Q1', a.known_at, b.known_at) w WHERE w.reason = 'calculated anew' OR w.reason IS NULL) AS unexplained
        FROM unnest('{dana,eli}'::text[]) p(payee), spm.statement_version(p.payee, '2026-Q1') a, spm.statement_version(p.payee, '2026-Q1') b
        WHERE a.version_no < b.version_no) x WHERE wanted <> got OR unexplained > 0$$, 'between any two versions the reasons add up');
SELECT results_eq($$SELECT step, payee_key, item, amount, because FROM spm.explain_transaction('A-1')$$, $$VALUES
    ('credit', 'dana', 'direct to Seat of Dana', 60000.00, 'share 1 of owner dana; taken back in 2026-Q1'),
    ('credit', 'dana', 'direct to Seat of Dana', 61000.00, 'share 1 of owner dana; taken back in 2026-Q1'),
    ('earning', 'dana', 'Commission, 2026-Q1', 4800.00, 'paid in 2026-Q1; plan AE v1, takes the total from 0 to 60000'),
    ('earning', 'dana', 'Commission, 2026-Q1', 80.00, 'paid in 2026-Q1; amount changed from 60,000.00 to 61,000.00; quota changed from 120,000.00 to 110,000.00; other deals moved the total before it from 0.00 to 5,000.00'),
    ('earning', 'dana', 'Commission, 2026-Q1', -4880.00, 'paid in 2026-Q1; order deleted')$$, 'the story of an order that has gone');

-- ---- refused
SELECT throws_ok(format($$SELECT spm.statement('dana', '2026-Q1', as_of => %L)$$, :'before_all'), '55000', 'period 2026-Q1 was not calculated by then', 'what was not known is not told');
SELECT throws_ok($$SELECT * FROM spm.why('dana', '2026-Q1', 'infinity', '2026-01-01')$$, '22023', NULL, 'time goes one way');
SELECT throws_ok($$SELECT * FROM spm.explain_transaction('nothing')$$, '42704', 'transaction "nothing" does not exist', 'an order that nobody knows is not explained');
SELECT throws_ok('UPDATE spm.posted_statement SET content = ''''', '55000', NULL, 'a posted statement is not rewritten');
SELECT throws_ok('DELETE FROM spm.superseded', '55000', NULL, 'and no draft is forgotten');

SELECT * FROM finish();
ROLLBACK;
