-- What a statement and an explanation say in small: cents that add up, rates as amounts, seats, quotas and objectives of whoever sold nothing.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA lab;
CREATE TABLE lab.deal (id text, day date, seller text, amount numeric, type text, takes_back text);
INSERT INTO lab.deal VALUES ('A', '2026-01-08', 'ana', 80000, 'new', NULL), ('AR', '2026-01-20', 'ana', -20000, 'refund', 'A'),
    ('N', '2026-01-08', 'nobody', 100, 'new', NULL);
SELECT spm.add_currency('USD'), spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.map_source('deals', 'lab.deal', key => 'id', date => 'day', owner => 'seller', amount => 'amount', type => 'type', fixed_currency => 'USD',
    reference => 'takes_back') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, since)
FROM (VALUES ('ana', '2025-01-01'::date), ('bob', '2026-01-11')) v(k, since) \g /dev/null
SELECT spm.add_measure('bookings'), spm.set_variable('mbo_target', 1000) \g /dev/null
SELECT spm.set_quota(k, p.name, 10000, 'bookings') FROM unnest('{ana,bob}'::text[]) k, spm.period p WHERE p.grain = 'month' \g /dev/null
SELECT spm.set_objective(k, '2026-01', 'Launch', 1) FROM unnest('{ana,bob}'::text[]) k \g /dev/null
SELECT spm.create_plan('Rep', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Rep', 'Commission', '0: 10%, 23333.335: 11%, 46666.67: 12%', quota => 'bookings', prorate => 'calendar', refund => 'original'),
    spm.add_component('Rep', 'Units', '0: 200, 10: 250.5, 20: 50%', measure => '1', unit => 'count', refund => 'original'),
    spm.add_component('Rep', 'Objectives', '0%: 100%', basis => 'objective', variable => 'mbo_target'),
    spm.assign_plan('Rep', '2026-01-01', payee => 'ana'), spm.assign_plan('Rep', '2026-01-01', payee => 'bob'), spm.publish_plan('Rep') \g /dev/null
CALL spm.calculate('2026-01');

-- ---- 80,000 split at half a cent, twice: 23,333.335 each and 33,333.33
SELECT results_eq($$SELECT btrim(substring(line FROM 37 FOR 17)) FROM spm.statement('ana', '2026-01') line WHERE line ~ '1[012] %'$$,
    $$VALUES ('23,333.34'), ('23,333.33'), ('33,333.33')$$, 'what the steps show adds up to the deal: 80,000.00, not a cent more');
SELECT is((SELECT sum(base_amount) FROM spm.explain('ana', '2026-01', 'A') WHERE btrim(step) = 'slice' AND rate < 1), 80000.000, 'as it does unrounded');

SELECT * FROM finish();
ROLLBACK;
