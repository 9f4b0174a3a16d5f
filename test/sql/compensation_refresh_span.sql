-- What changes on a day touches others: what is measured by the days of a quarter, and what goes back to an order of another day.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
\set ECHO none
\o /dev/null
CREATE SCHEMA shop;
CREATE TABLE shop.deal (id int PRIMARY KEY, day date, rep text, amount numeric, ref int);
INSERT INTO shop.deal SELECT i, date '2026-01-05' + 8 * i, CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END, 1000 + 100 * i FROM generate_series(0, 9) i;
INSERT INTO shop.deal VALUES (20, '2026-02-20', 'ann', -500, 0);
CREATE TABLE shop.quarter AS SELECT '2026-Q1' AS name, date '2026-01-01' AS first, date '2026-03-31' AS last;
CREATE TABLE shop.month AS SELECT to_char(d, 'YYYY-MM') AS name, d::date AS first, (d + interval '1 month')::date - 1 AS last FROM generate_series(date '2026-01-01', '2026-03-01', interval '1 month') d;
SELECT spm.load_periods('shop', 'shop.quarter', 'first', 'last', 'name', grain => 'quarter'),
    spm.load_periods('shop', 'shop.month', 'first', 'last', 'name', grain => 'month', parent_grain => 'quarter');
SELECT spm.add_currency('USD'), spm.add_title('Rep'), spm.add_measure('bookings');
SELECT spm.add_payee(k, k), spm.add_position(k, k, 'Rep'), spm.assign_position(k, k, '2025-01-01') FROM unnest('{ann,bob}'::text[]) k;
SELECT spm.set_quota('*', name, 2000, 'bookings') FROM shop.month;
SELECT spm.map_source('deals', 'shop.deal', key => 'id', date => 'day', owner => 'rep', amount => 'amount', fixed_type => 'booking', fixed_currency => 'USD', reference => 'ref');
SELECT spm.create_plan('Rep', 'shop', 'USD', '2025-01-01'),
    spm.add_component('Rep', 'Commission', '0%: 5%, 50%: 10%', quota => 'bookings', accumulate => 'quarter', prorate => 'calendar'),
    spm.assign_plan('Rep', '2025-01-01', "position" => 'ann'), spm.assign_plan('Rep', '2025-01-01', until => '2026-03-20', "position" => 'bob'), spm.publish_plan('Rep');
\o
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
\set ECHO all
SELECT plan(7);
CREATE FUNCTION pg_temp.quota() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', s.position_key, round(m.quota_amount)), ', ' ORDER BY s.position_key, c.component_id)
    FROM spm.standing_measurement m JOIN spm.position s USING (position_id) JOIN spm.component c USING (component_id) JOIN spm.period p USING (period_id) WHERE p.name = '2026-01'
$$;
-- What a change makes of January, and what calculating it would still change.
CREATE FUNCTION pg_temp.change(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE statement;
    CALL spm.refresh();
    UPDATE spm.period_watermark SET watermark = 'unsure';
    CALL spm.calculate('2026-01');
    SELECT changed_count INTO n FROM spm.run ORDER BY run_id DESC LIMIT 1;
    RETURN format('%s; %s left', pg_temp.quota(), n);
END
$$;
SELECT is(pg_temp.quota(), 'ann 6000, bob 5226', 'January is measured by the quota of the quarter');
SELECT is(pg_temp.change($$SELECT spm.vacate_position('ann', '2026-02-15')$$), 'ann 3000, bob 5226; 0 left', 'whose seat is left in February');
SELECT is(pg_temp.change($$SELECT spm.assign_position('ann', 'ann', '2026-03-01')$$), 'ann 5000, bob 5226; 0 left', 'and taken again in March');
SELECT is(pg_temp.change($$UPDATE spm.plan_assignment SET span = daterange(lower(span), '2026-03-10') WHERE NOT upper_inf(span)$$), 'ann 5000, bob 4581; 0 left', 'whose plan ends sooner');
SELECT is(pg_temp.change($$SELECT spm.new_plan_version('Rep', '2026-02-15'), spm.publish_plan('Rep')$$), 'ann 3000, bob 3000; 0 left', 'whose plan has another version from February on');
-- A refund of February is shared by the rules of January, when its order was.
SELECT spm.add_team_rule('January', 'true', '2026-01-01', until => '2026-02-01', title => 'Rep') \g /dev/null
CALL spm.refresh();
SELECT results_eq($$SELECT DISTINCT p.name FROM spm.standing_credit c JOIN spm.period p USING (period_id) WHERE c.kind = 'team'$$, $$VALUES ('2026-01'), ('2026-02')$$,
    'a rule of January shares a refund of February, too');
SELECT is(count(*), 0::bigint, 'and nothing waits') FROM spm.change;
SELECT * FROM finish();
ROLLBACK;
