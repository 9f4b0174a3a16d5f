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
    spm.add_component('Rep', 'Commission', '0%: 10%, 233.33335%: 11%, 466.6667%: 12%', quota => 'bookings', prorate => 'calendar', refund => 'original'),
    spm.add_component('Rep', 'Units', '0: 200, 10: 250.5, 20: 50%', measure => '1', unit => 'count', refund => 'original'),
    spm.add_component('Rep', 'Objectives', '0%: 100%', basis => 'objective', variable => 'mbo_target'),
    spm.assign_plan('Rep', '2026-01-01', payee => 'ana'), spm.assign_plan('Rep', '2026-01-01', payee => 'bob'), spm.publish_plan('Rep') \g /dev/null
CALL spm.calculate('2026-01');

-- ---- 80,000 split at half a cent, twice: 23,333.335 each and 33,333.33
SELECT results_eq($$SELECT btrim(substring(line FROM 37 FOR 17)) FROM spm.statement('ana', '2026-01') line WHERE line ~ ' 1[012] %'$$,
    $$VALUES ('23,333.34'), ('23,333.33'), ('33,333.33')$$, 'what the steps show adds up to the deal: 80,000.00, not a cent more');
SELECT is((SELECT sum(base_amount) FROM spm.explain('ana', '2026-01', 'A') WHERE btrim(step) = 'slice' AND rate < 1), 80000.000, 'as it does unrounded');

-- ---- who sold nothing
SELECT results_eq($$SELECT line FROM spm.statement('bob', '2026-01') line OFFSET 4 LIMIT 5$$, ARRAY[
    'Commission: 0 deals, quota 6,774.19',
    '  10,000 x 21 of 31 days',
    'Units: 0 deals',
    'Objectives',
    '  objectives not yet rated, mbo_target 1000                                 0.00'], 'says why the quota is what it is, and names no seat; what is not rated is not missed');
SELECT spm.set_objective('bob', '2026-01', 'Launch', 1, 0), spm.set_objective('ana', '2026-01', 'Launch', 1, 0.5) \g /dev/null
SELECT is(line, '  objectives not yet rated, mbo_target 1000                                 0.00', 'a rating counts once it is calculated')
FROM spm.statement('bob', '2026-01') line WHERE line ~ 'objectives';
CALL spm.calculate('2026-01');
SELECT results_eq($$SELECT substring(line FROM 'objectives met to [^,]*') FROM unnest('{ana,bob}'::text[]) k, spm.statement(k, '2026-01') line WHERE line ~ 'objectives'$$,
    $$VALUES ('objectives met to 50 %'), ('objectives met to 0 %')$$, 'one of 0 is a rating, too');

-- ---- where it comes from
SELECT results_eq($$SELECT btrim(step), item, amount, because FROM spm.explain('ana', '2026-01', 'AR') WHERE btrim(step) = 'slice'$$,
    $$VALUES ('slice', 'refund', -2225.00, 'by what A earned, not by the rates'), ('slice', 'refund', -50.00, 'by what A earned, not by the rates')$$, 'a refund is no stretch of the running total');
SELECT results_eq($$SELECT because FROM spm.explain('ana', '2026-01') WHERE step = 'payout'$$,
    $$VALUES ('plan Rep v1, rates 0: 10%, 23333.335: 11%, 46666.67: 12%, total of the period'), ('plan Rep v1, rates 0: 200, 10: 250.5, 20: 50%, total of the period'),
        ('plan Rep v1, rates 0: 1000, total of the period')$$, 'what a unit pays is an amount');
SELECT is(spm._rates_as_amounts(r), e, r || ' reads ' || e)
FROM (VALUES ('0: 100%', '0: 1'), ('0: 12345.67%, 100: 7.55%', '0: 123.4567, 100: 7.55%'), ('0: 12.345%', '0: 12.345%'), ('0: 1000010%, 5: -20000%', '0: 10000.1, 5: -200')) v(r, e);

-- ---- a quarter is paid by month
SELECT throws_ok($$SELECT spm.statement('ana', '2026-Q1')$$, '55000', 'period 2026-Q1 has parts', 'a period of parts has no statement of its own');
CREATE FUNCTION pg_temp.hint() RETURNS text LANGUAGE plpgsql AS $$DECLARE said text; BEGIN
    PERFORM spm.statement('ana', '2026-Q1'); RETURN NULL;
EXCEPTION WHEN object_not_in_prerequisite_state THEN GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT; RETURN said; END$$;
SELECT is(pg_temp.hint(), 'SELECT spm.statement(''ana'', ''2026-01'');', 'and the first of them is proposed');

SELECT * FROM finish();
ROLLBACK;
