-- The quota of a seat: days on the plan, absences, ramps, reliefs, and the words for it.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01'), spm.add_title('AE') \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position('seat ' || k, k, 'AE') FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null
SELECT spm.assign_position('seat ' || k, k, '2026-01-15') FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null
SELECT spm.add_measure('bookings'), spm.add_measure('bookings/hardware', falls_back_to => 'bookings') \g /dev/null
SELECT spm.set_quota('*', p.name, 100000, 'bookings') FROM spm.period p WHERE p.grain = 'month' \g /dev/null

-- quota and the words for it, as a calculation asks for it
CREATE FUNCTION pg_temp.quota(payee text, period text, prorate text DEFAULT 'calendar', spans datemultirange DEFAULT NULL,
    measure text DEFAULT 'bookings', places int DEFAULT 2) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(trim_scale(q.quota_amount)::text, 'none') || coalesce(' = ' || q.because, '')
    FROM spm.payee y, spm.position s, spm.measure m, spm.period w, spm.seat_quota(s.position_id, y.payee_id, spans, m.measure_id, w.period_id,
        ARRAY(SELECT p.period_id FROM spm.period p WHERE p.span <@ w.span AND p.grain = 'month'), prorate, places) q
    WHERE y.payee_key = payee AND s.position_key = 'seat ' || payee AND m.name = measure AND w.name = period
$$;
CREATE FUNCTION pg_temp.share(payee text, period text, prorate text DEFAULT 'calendar', spans datemultirange DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT c.active_days::float || ' of ' || c.period_days::float
    FROM spm.payee y, spm.position s, spm.period w, spm.seat_share(s.position_id, y.payee_id, spans, w.period_id, prorate) c
    WHERE y.payee_key = payee AND s.position_key = 'seat ' || payee AND w.name = period
$$;

-- days on the plan
SELECT is(pg_temp.quota('ann', '2026-01'), '54838.71 = 100,000 x 17 of 31 days (quota of everybody)', 'who starts on the 15th has 17 of 31 days of the quota');
SELECT is(pg_temp.quota('ann', '2026-02'), '100000 = 100,000 (quota of everybody)', 'and all of it in the month after');
SELECT is(pg_temp.quota('ann', '2026-01', 'none'), '100000 = 100,000 (quota of everybody)', 'not prorated all of it at once');
SELECT is(pg_temp.quota('ann', '2026-01', places => 0), '54839 = 100,000 x 17 of 31 days (quota of everybody)', 'rounded once, at the end');
SELECT is(pg_temp.quota('ann', '2026-01', spans => '{[2026-01-01,2026-01-11),[2026-01-30,)}'), '38709.68 = 100,000 x 12 of 31 days (quota of everybody)', 'the days on the plan are what counts, not those in the seat');
SELECT spm.set_quota('seat ann', '2026-12', 1234.5678, 'bookings') \g /dev/null
SELECT is(pg_temp.quota('ann', '2026-12'), '1234.5678 = 1,234.5678', 'a quota that nothing reduces stays as it was set');
SELECT is(pg_temp.quota('ann', '2026-01', 'months'), '100000 = 100,000 (quota of everybody)', 'by months the first one is whole');
SELECT is(pg_temp.quota('ann', '2026-01', 'full months'), '0 = nothing of 100,000 (quota of everybody)', 'by full months it is nothing');
SELECT is(pg_temp.quota('ann', '2026-01', 'calendar rounded 1'), '50000 = 100,000 x 15.5 of 31 days (quota of everybody)', 'a factor that is rounded is said as days');
SELECT is(pg_temp.quota('ann', '2026-01', 'working'), '54545.45 = 100,000 x 12 of 22 working days (quota of everybody)', 'working days are called so');
SELECT is(pg_temp.quota('ann', '2026-Q1'), '254838.71 = 200,000 + 100,000 x 17 of 31 days (quota of everybody)', 'a quarter without a quota is its months, each by its own days');
SELECT spm.set_quota('*', '2026-Q2', 310000, 'bookings') \g /dev/null
SELECT is(pg_temp.quota('ann', '2026-Q2', spans => '{[2026-06-01,)}', prorate => 'months'), '103333.33 = 310,000 x 1 of 3 months (quota of everybody)', 'one that has a quota goes by that');
SELECT spm.set_quota(NULL, '2026-04', 50000, 'bookings', title => 'AE') \g /dev/null
SELECT is(pg_temp.quota('ann', '2026-Q2', 'none'), '250000 = 250,000 (quota of title AE)', 'unless a month has one that is closer to the seat');
SELECT is(pg_temp.quota('ann', '2026-04', 'none', measure => 'bookings/hardware'), '50000 = 50,000 (quota of title AE for bookings)', 'the measure is named that was fallen back to');
SELECT is(pg_temp.quota('ann', '2026-Q1', spans => '{[2026-03-30,2026-03-31)}'), '3225.81 = 100,000 x 1 of 31 days + nothing of 200,000 (quota of everybody)', 'months of which nothing is left are told apart');
SELECT is(pg_temp.share('ann', '2026-01') || ', ' || pg_temp.share('ann', '2026-Q1') || ', ' || pg_temp.share('ann', '2026-01', 'none') || ', ' || pg_temp.share('ann', '2026-01', 'working'),
    '17 of 31, 76 of 90, 31 of 31, 12 of 22', 'the time share for other amounts');
SELECT is((SELECT string_agg(q::text, ' ') FROM spm.seat_quota(1, 1, '{}', 1, -1, NULL, 'none', 2) q) || (SELECT c::text FROM spm.seat_share(1, 1, '{}', -1, 'none') c), '(,,,,)(,)', 'a period that is not there has none');
SELECT spm.add_measure('units', 'count') \g /dev/null
SELECT is(pg_temp.quota('ann', '2026-01', measure => 'units'), 'none', 'nor a measure without quotas');
SELECT spm.set_quota('*', '2026-01', 0, 'units') \g /dev/null
SELECT is(pg_temp.quota('ann', '2026-01', measure => 'units'), '0 = 0 x 17 of 31 days (quota of everybody)', 'which is not the same as a quota of zero');

-- absences
SELECT spm.add_absence_kind('leave', min_days => 30), spm.add_absence_kind('sabbatical', reduces_target => false),
    spm.add_absence_kind('vacation', relieves_quota => false, reduces_target => false) \g /dev/null
SELECT spm.add_absence('bob', 'leave', '2026-03-02', '2026-03-31') AS leave \gset
SELECT is(pg_temp.quota('bob', '2026-03'), '100000 = 100,000 (quota of everybody)', 'an absence of 29 days is none where 30 are needed');
SELECT spm.add_absence('bob', 'leave', '2026-03-31', '2026-04-02') \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-03') || ', ' || pg_temp.quota('bob', '2026-04'),
    '3225.81 = 100,000 x 1 of 31 days (quota of everybody), 48333.33 = 50,000 x 29 of 30 days (quota of title AE)', 'one that goes on without a gap makes it long enough, in each period with its own days');
SELECT is(pg_temp.quota('bob', '2026-03', 'none'), '100000 = 100,000 (quota of everybody)', 'what is not prorated is not relieved');
SELECT spm.add_absence('bob', 'sabbatical', '2026-03-20', '2026-03-25'), spm.add_absence('bob', 'vacation', '2026-05-01', '2026-05-20') \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-03') || ', ' || pg_temp.quota('bob', '2026-05'),
    '3225.81 = 100,000 x 1 of 31 days (quota of everybody), 100000 = 100,000 (quota of everybody)', 'days that overlap count once, and a kind that does not relieve not at all');
SELECT spm.withdraw_absence(:leave) \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-03') || ', ' || pg_temp.share('bob', '2026-03'), '83870.97 = 100,000 x 26 of 31 days (quota of everybody), 31 of 31',
    'one that is withdrawn no longer counts; a kind may relieve quota and leave the target');
SELECT spm.add_absence('cat', 'leave', '2026-02-01') \g /dev/null
SELECT is(pg_temp.quota('cat', '2026-02') || ', ' || pg_temp.share('cat', '2026-12') || ', ' || pg_temp.share('cat', '2026-12', 'none'),
    '0 = nothing of 100,000 (quota of everybody), 0 of 31, 31 of 31', 'who is not back yet is away until further notice');
SELECT results_eq($$SELECT payee_key, kind_name, start_day, end_day, day_count, is_quota_relieved, is_target_reduced FROM spm_bi.absence ORDER BY absence_id$$,
    $$VALUES ('bob', 'leave', date '2026-03-31', date '2026-04-02', 2, true, true), ('bob', 'sabbatical', '2026-03-20', '2026-03-25', 5, true, false),
        ('bob', 'vacation', '2026-05-01', '2026-05-20', 19, false, false), ('cat', 'leave', '2026-02-01', NULL, NULL, true, true)$$, 'BI sees absences that count');
SELECT is((SELECT count(*) FROM spm.absence), 5::bigint, 'and the others are kept');

-- ramps
SELECT spm.add_ramp('new', '{0,0.25,0.5}'), spm.add_ramp('by last', '{0,0.25,0.5}', 'last'), spm.add_ramp('by first', '{0.1,0.25,0.5}', 'first') \g /dev/null
SELECT spm.assign_ramp('new', 'dan', '2026-07-20') \g /dev/null
SELECT is((SELECT string_agg(split_part(pg_temp.quota('dan', '2026-' || to_char(m, 'FM00'), 'none'), ' ', 1)::numeric::int::text, ' ' ORDER BY m) FROM generate_series(6, 11) m),
    '0 0 25000 50000 100000 100000', 'the month of the start is the first of the ramp, however late in it; before it nothing; after the last all');
SELECT is(pg_temp.quota('dan', '2026-08'), '25000 = 100,000 x 25 % ramp (quota of everybody)', 'the ramp is said in percent');
SELECT spm.set_quota('*', '2026-Q3', 300000, 'bookings') \g /dev/null
SELECT is(pg_temp.quota('dan', '2026-Q3', 'none'), '75000 = 300,000 x 25 % ramp (quota of everybody)', 'a quarter has the mean of its months');
SELECT is(pg_temp.quota('dan', '2026-Q3', spans => '{[2026-07-20,)}'), '74184.78 = 300,000 x 73 of 92 days x 31.1644 % ramp (quota of everybody)',
    'prorated by days: 12 days of nothing, 31 of 25 %, 30 of 50 %');
SELECT is(pg_temp.quota('dan', '2026-Q3', 'months', '{[2026-07-20,)}'), '75000 = 300,000 x 25 % ramp (quota of everybody)', 'by months as many as there are');
SELECT spm.assign_ramp('by last', 'cat', '2026-07-20', share_before => 1), spm.assign_ramp('by first', 'ann', '2026-07-20', share_before => 1) \g /dev/null
SELECT is(pg_temp.quota('cat', '2026-Q3', 'none') || '; ' || pg_temp.quota('ann', '2026-Q3', 'none'),
    '150000 = 300,000 x 50 % ramp (quota of everybody); 30000 = 300,000 x 10 % ramp (quota of everybody)', 'or one of them stands for all');
SELECT is(pg_temp.quota('ann', '2026-06', 'none') || '; ' || pg_temp.quota('ann', '2026-07', 'none'),
    '100000 = 100,000 (quota of everybody); 10000 = 100,000 x 10 % ramp (quota of everybody)', 'who was there before has had all of it before');
SELECT spm.assign_ramp('new', 'dan', '2026-08-05', until => '2026-09-01', share_before => 1) \g /dev/null
SELECT is((SELECT string_agg(split_part(pg_temp.quota('dan', '2026-' || to_char(m, 'FM00'), 'none'), ' ', 1)::numeric::int::text, ' ' ORDER BY m) FROM generate_series(6, 11) m),
    '0 0 0 100000 100000 100000', 'a ramp that begins later ends the one before; and one may end early');
SELECT is((SELECT string_agg(month_index || ':' || month_start || ':' || share::float, ' ' ORDER BY month_index) FROM spm_bi.ramp WHERE payee_key = 'cat'),
    '0:2026-07-01:0 1:2026-08-01:0.25 2:2026-09-01:0.5', 'BI sees ramps month by month') FROM (SELECT set_config('datestyle', 'ISO, YMD', true)) x;

-- reliefs
SELECT spm.relieve_quota('bob', '2026-10', 20000, 'bookings', 'Acme moved') AS relief \gset
SELECT is(pg_temp.quota('bob', '2026-10'), '80000 = 100,000 - 20,000 relief (quota of everybody)', 'a relief is taken off');
SELECT is(spm.relieve_quota('bob', '2026-10', 20000, 'bookings', 'Acme moved'), :relief, 'once');
SELECT spm.relieve_quota('bob', '2026-10', 5000.5, 'bookings', 'launch slipped'), spm.relieve_quota('bob', '2026-10', 15000, 'bookings', 'Acme moved') \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-10'), '79999.5 = 100,000 - 20,000.5 relief (quota of everybody)', 'reliefs for different reasons add up, one for the same reason takes the place of the one before');
SELECT is(pg_temp.quota('bob', '2026-Q4'), '279999.5 = 300,000 - 20,000.5 relief (quota of everybody)', 'that of a month counts in its quarter');
SELECT is(pg_temp.quota('bob', '2026-10', measure => 'bookings/hardware'), '79999.5 = 100,000 - 20,000.5 relief (quota of everybody for bookings)', 'and where another measure falls back to the quota');
SELECT spm.set_quota('seat bob', '2026-10', 30000, 'bookings/hardware') \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-10', measure => 'bookings/hardware'), '30000 = 30,000', 'but not where it has one of its own');
SELECT spm.relieve_quota('bob', '2026-10', 900000, 'bookings', 'fire') \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-10'), '0 = 100,000 - 920,000.5 relief (quota of everybody)', 'no quota falls below zero');
SELECT spm.relieve_quota('bob', '2026-10', 0, 'bookings', 'fire') \g /dev/null
SELECT is(pg_temp.quota('bob', '2026-10', spans => '{[2026-10-31,)}', places => 1), '0 = 100,000 x 1 of 31 days - 20,000.5 relief (quota of everybody)', 'relief comes after days and ramp; zero takes one back');
SELECT results_eq($$SELECT payee_key, measure_name, period_name, relief_amount, reason FROM spm_bi.quota_relief ORDER BY relief_amount$$,
    $$VALUES ('bob', 'bookings', '2026-10', 0.000000, 'fire'), ('bob', 'bookings', '2026-10', 5000.5, 'launch slipped'), ('bob', 'bookings', '2026-10', 15000, 'Acme moved')$$, 'BI sees reliefs');
SELECT is((SELECT count(*) FROM spm.quota_relief), 5::bigint, 'and all of them are kept');

-- what is refused
SELECT throws_ok($$SELECT spm.add_ramp('new', '{1}')$$, '23505', 'ramp "new" exists already', 'a ramp has a name of its own');
SELECT throws_ok(format($$SELECT spm.add_ramp('x', %L)$$, s), '22023', NULL, 'shares are refused: ' || coalesce(s, 'NULL')) FROM unnest(ARRAY['{}', '{-0.1}', '{NULL}', '{NaN}', '{{1,2}}', '[0:1]={1,2}', NULL]) s;
SELECT throws_ok($$SELECT spm.add_ramp('x', '{1}', 'middle')$$, '22023', NULL, 'each, first or last month');
SELECT throws_ok($$SELECT spm.assign_ramp('steep', 'dan', '2026-01-01')$$, '42704', 'ramp "steep" does not exist', 'a ramp that is not there');
SELECT throws_ok($$SELECT spm.assign_ramp('new', 'dan', '2026-08-05')$$, '23P01', 'payee "dan" has a ramp in that time already', 'two on one day');
SELECT throws_ok($$SELECT spm.assign_ramp('new', 'dan', NULL)$$, '22023', 'a ramp begins on a day', 'one without a start');
SELECT throws_ok($$SELECT spm.assign_ramp('new', 'dan', '2026-12-01', share_before => -1)$$, '22023', 'share of quota before the start cannot be -1', 'a negative share before');
SELECT throws_ok($$SELECT spm.add_absence('dan', 'strike', '2026-12-01')$$, '42704', 'absence kind "strike" does not exist', 'a kind of absence that is not there');
SELECT throws_ok($$SELECT spm.add_absence('dan', 'leave', '2026-12-01', '2026-12-01')$$, '22023', 'until must be after since', 'an absence of no day');
SELECT throws_ok($$SELECT spm.add_absence('dan', 'leave', NULL)$$, '22023', 'an absence begins on a day', 'or without a start');
SELECT throws_ok($$SELECT spm.add_absence_kind('x', min_days => 0)$$, '22023', 'an absence cannot count from 0 days on', 'days in a row that are none');
SELECT throws_ok($$SELECT spm.add_absence_kind('leave')$$, '23505', NULL, 'a kind that is there already');
SELECT throws_ok(format('SELECT spm.withdraw_absence(%s)', :leave), '42704', NULL, 'an absence that was withdrawn before');
SELECT throws_ok($$SELECT spm.relieve_quota('dan', '2026-12', -1, 'bookings', 'x')$$, '22023', 'relief of payee "dan" for 2026-12 cannot be -1', 'a negative relief');
SELECT throws_ok($$SELECT spm.relieve_quota('dan', '2026-12', 1, 'bookings', '')$$, '22023', 'a relief needs a reason', 'or one without a reason');
SELECT throws_ok($$SELECT pg_temp.quota('dan', '2026-12', 'weekly')$$, '22023', 'there is no way of prorating named "weekly"', 'and another way of prorating');

SELECT * FROM finish();
ROLLBACK;
