-- Whose quota counts, and quotas spread over a season.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01'), spm.add_title('AE'), spm.add_title('SE') \g /dev/null
SELECT spm.add_position(k, k, t) FROM (VALUES ('a1', 'AE'), ('a2', 'AE'), ('x1', NULL)) v(k, t) \g /dev/null
SELECT spm.add_measure('bookings'), spm.add_measure('bookings/hardware', falls_back_to => 'bookings'),
    spm.add_measure('bookings/hardware/racks', falls_back_to => 'bookings/hardware'), spm.add_measure('units', 'count') \g /dev/null

CREATE FUNCTION pg_temp.quota_of(seat text, measure text, period text) RETURNS numeric LANGUAGE sql AS $$
    SELECT spm.quota_of(s.position_id, m.measure_id, p.period_id) FROM spm.position s, spm.measure m, spm.period p
    WHERE s.position_key = seat AND m.name = measure AND p.name = period
$$;
CREATE FUNCTION pg_temp.quotas(measure text, period text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(coalesce(trim_scale(pg_temp.quota_of(k, measure, period))::text, '-'), ' ' ORDER BY k) FROM unnest('{a1,a2,x1}'::text[]) k
$$;

SELECT is(pg_temp.quotas('bookings', '2026-Q1'), '- - -', 'nobody has a quota before one is set');
SELECT spm.set_quota('*', '2026-Q1', 100, 'bookings') AS everybody \gset
SELECT is(pg_temp.quotas('bookings', '2026-Q1'), '100 100 100', 'a quota for neither position nor title is that of everybody');
SELECT spm.set_quota(NULL, '2026-Q1', 200, 'bookings', title => 'AE') AS of_title \gset
SELECT is(pg_temp.quotas('bookings', '2026-Q1'), '200 200 100', 'that of the title goes before it');
SELECT spm.set_quota('a1', '2026-Q1', 300, 'bookings') AS of_seat \gset
SELECT is(pg_temp.quotas('bookings', '2026-Q1'), '300 200 100', 'and that of the position before both');
SELECT is(pg_temp.quotas('bookings', '2026-Q2') || ', ' || pg_temp.quotas('bookings', '2026'), '- - -, - - -', 'each in its own period');
SELECT is(spm.set_quota(NULL, '2026-Q1', 200.00, 'bookings', title => 'AE'), :of_title, 'the same amount again changes nothing');
SELECT isnt(spm.set_quota(NULL, '2026-Q1', 250, 'bookings', title => 'AE', reason => 'new year'), :of_title, 'another amount is a new row');
SELECT results_eq($$SELECT amount, superseded_at IS NULL, reason FROM spm.quota WHERE title_id IS NOT NULL ORDER BY quota_id$$,
    $$VALUES (200::numeric, false, NULL), (250, true, 'new year')$$, 'and the one before is ended and kept');
SELECT is(pg_temp.quotas('bookings', '2026-Q1'), '300 250 100', 'and no other than that of the title has changed');

-- a measure that falls back to another
SELECT is(pg_temp.quotas('bookings/hardware', '2026-Q1'), '300 250 100', 'where a measure has no quota, that of the measure it falls back to counts');
SELECT spm.set_quota('a2', '2026-Q1', 70, 'bookings/hardware'), spm.set_quota('*', '2026-Q1', 50, 'bookings/hardware') \g /dev/null
SELECT is(pg_temp.quotas('bookings/hardware', '2026-Q1'), '50 70 50', 'a quota of the measure itself goes before, even that of everybody before that of a position');
SELECT is(pg_temp.quotas('bookings/hardware/racks', '2026-Q1'), '50 70 50', 'over any number of steps');
SELECT is(pg_temp.quotas('units', '2026-Q1'), '- - -', 'a measure that falls back to none has none');
SELECT results_eq($$SELECT target_kind, position_key, title_name, quota_amount FROM spm_bi.quota WHERE measure_name = 'bookings' ORDER BY quota_amount$$,
    $$VALUES ('everybody', NULL, NULL, 100.000000), ('title', NULL, 'AE', 250), ('position', 'a1', NULL, 300)$$, 'BI sees the quotas that count, and whom they are for');

-- spreading
SELECT results_eq($$SELECT * FROM spm.spread_quota('x1', '2026', 100000, 'units', '{0.2,0.2,0.2,0.4}', grain => 'quarter')$$,
    $$VALUES ('2026-Q1', 20000.00), ('2026-Q2', 20000), ('2026-Q3', 20000), ('2026-Q4', 40000)$$, 'a quota is spread by shares');
SELECT results_eq($$SELECT * FROM spm.spread_quota(NULL, '2026-Q1', 100, 'units', '{1,1,1}', title => 'AE')$$,
    $$VALUES ('2026-01', 33.34), ('2026-02', 33.33), ('2026-03', 33.33)$$, 'of what rounding leaves the earlier part gets more, so that the parts add up');
SELECT results_eq($$SELECT * FROM spm.spread_quota('a1', '2026-Q1', 30, 'units')$$,
    $$VALUES ('2026-01', 10.34), ('2026-02', 9.33), ('2026-03', 10.33)$$, 'without shares by calendar days');
SELECT results_eq($$SELECT * FROM spm.spread_quota('a1', '2026-Q2', 100, 'units', '{0,0.5,0.5}', places => 0)$$,
    $$VALUES ('2026-04', 0::numeric), ('2026-05', 50), ('2026-06', 50)$$, 'a share may be zero');
SELECT results_eq($$SELECT sum(part_amount), count(*), min(scale(part_amount)) FROM spm.spread_quota('*', '2026', 1000000.001, 'units', places => 0)$$,
    $$VALUES (1000000.001, 12::bigint, 3)$$, 'parts have more places where the amount has, and add up to it');
SELECT is_empty($$SELECT a, w FROM generate_series(1, 40) a, (VALUES ('{1,2,4}'::numeric[]), ('{0.1,0.7,0.2}'), ('{3,3,1}')) v(w)
    WHERE (SELECT sum(part_amount) FROM spm.spread_quota('a2', '2026-Q3', a / 7.0, 'units', w, places => 2)) <> a / 7.0$$, 'always');
SELECT spm.set_quota('x1', '2026', 5, 'units') \g /dev/null
SELECT spm.spread_quota('x1', '2026-Q1', 90, 'units', '{1,1,1}') \g /dev/null
SELECT is((SELECT string_agg(period_name || ' ' || quota_amount::float, ', ' ORDER BY period_start, grain) FROM spm_bi.quota WHERE measure_name = 'units' AND position_key = 'x1'),
    '2026-01 30, 2026 5, 2026-02 30, 2026-03 30, 2026-Q2 20000, 2026-Q3 20000, 2026-Q4 40000', 'what was set for the period itself gives way, what lies outside of it stays');
SELECT is((SELECT quota_amount FROM spm_bi.quota WHERE measure_name = 'units' AND target_kind = 'title' AND period_name = '2026-01'), 33.34, 'and what is for others');

-- what is refused
SELECT throws_ok($$SELECT spm.set_quota('a1', '2026-Q1', 1, 'bookings', title => 'AE')$$, '22023', 'a quota is for a position or a title, not for both', 'a quota has one target');
SELECT throws_ok($$SELECT spm.set_quota(NULL, '2026-Q1', -1, 'bookings', title => 'AE')$$, '22023', 'quota of title "AE" for 2026-Q1 cannot be -1', 'and is not negative');
SELECT throws_ok($$SELECT spm.set_quota('*', '2026-Q1', NULL, 'bookings')$$, '22023', 'quota of everybody for 2026-Q1 cannot be NULL', 'or missing');
SELECT throws_ok($$SELECT spm.set_quota(NULL, '2026-Q1', 1, 'bookings')$$, '22023', 'a quota is for a position or a title, and neither is given', 'a key that is missing is not everybody');
SELECT throws_ok($$SELECT spm.set_quota(NULL, '2026-Q1', 1, 'bookings', title => 'AEE')$$, '42704', 'title "AEE" does not exist', 'a title that is not there is refused');
SELECT throws_ok($$SELECT spm.set_quota('a9', '2026-Q1', 1, 'bookings')$$, '42704', 'position "a9" does not exist', 'and a position');
SELECT throws_ok($$INSERT INTO spm.quota (measure_id, period_id, amount) SELECT measure_id, period_id, 1 FROM spm.quota WHERE position_id IS NULL AND title_id IS NULL AND superseded_at IS NULL$$,
    '23505', NULL, 'everybody has one quota at a time');
SELECT throws_ok($$SELECT spm.add_measure('boxes', 'money', falls_back_to => 'units')$$, '22023', 'measure "boxes" cannot fall back to "units", which has another unit', 'money does not fall back to a count');
SELECT throws_ok($$SELECT spm.add_measure('boxes', falls_back_to => 'parcels')$$, '42704', 'measure "parcels" does not exist', 'a measure falls back to one that is there');
SELECT throws_ok($$UPDATE spm.measure SET fallback_measure_id = measure_id + 1 WHERE name = 'bookings'$$, '23514', NULL, 'and never in a circle');
SELECT throws_ok($$UPDATE spm.measure SET fallback_measure_id = -1 WHERE name = 'units'$$, '23503', 'measure "units" falls back to one that does not exist', 'or into nothing');
SELECT throws_ok($$DELETE FROM spm.measure WHERE name = 'bookings'$$, '23503', 'measure "bookings" is fallen back to', 'what others fall back to stays');
SELECT throws_ok($$SELECT spm.spread_quota('a1', '2026', 1, 'units', '{1,1}', grain => 'quarter')$$, '22023', '2026 has 4 parts, not 2', 'a share is needed for each part');
SELECT throws_ok(format($$SELECT spm.spread_quota('a1', '2026-Q1', 1, 'units', %L)$$, s), '22023', NULL, 'shares are refused: ' || s)
FROM unnest(ARRAY['{0,0,0}', '{1,-1,1}', '{1,NULL,1}', '{1,NaN,1}']) s;
SELECT throws_ok($$SELECT spm.spread_quota('a1', '2026-01', 1, 'units')$$, '22023', 'period 2026-01 has no part', 'a month has no parts');
SELECT throws_ok($$SELECT spm.spread_quota('a1', '2026-Q1', 1, 'units', grain => 'week')$$, '22023', 'period 2026-Q1 has no part of the kind "week"', 'and a quarter no weeks');
SELECT throws_ok($$SELECT spm.spread_quota('a1', '2026-Q1', -5, 'units')$$, '22023', 'quota for 2026-Q1 cannot be -5', 'what is spread is not negative');
SELECT throws_ok($$SELECT spm.spread_quota('a1', '2026-Q1', 5, 'units', places => 99)$$, '22023', NULL, 'nor finer than 10 places');

SELECT * FROM finish();
ROLLBACK;
