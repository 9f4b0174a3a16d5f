-- Quotas, ramps, absences and day counts as others publish them, computed from their inputs.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
\set examples `cat "${SPM_DATA:-../shared/data}/oracle/examples.jsonl" 2>/dev/null`
SELECT :'examples' = '' AS absent \gset
\if :absent
\echo 1..0 # SKIP the published examples are not there: set SPM_DATA to the directory that holds oracle/examples.jsonl
\quit
\endif
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TEMP TABLE example AS
SELECT line->>'id' AS id, line->'inputs' AS i, line->'expected' AS e
FROM (SELECT line::jsonb AS line FROM string_to_table(:'examples', E'\n') AS line WHERE line <> '') x
WHERE line->>'category' IN ('day_count', 'proration_ramp', 'quota_relief', 'quota_resolution', 'ramp')
    -- a head count, and deals that retire no quota
    AND line->>'id' NOT IN ('RAMP-HM-1', 'SPLIT-OI-5')
   OR line->>'id' = 'DRAW-OI-4';
CREATE TEMP TABLE answer (id text, options text, expected numeric[], got numeric[]);
CREATE FUNCTION pg_temp.numbers(v jsonb) RETURNS numeric[] LANGUAGE sql AS
$$ SELECT array_agg(x::numeric ORDER BY n)
   FROM jsonb_array_elements_text(CASE jsonb_typeof(v) WHEN 'array' THEN v ELSE jsonb_build_array(v) END) WITH ORDINALITY AS t (x, n) $$;
CREATE FUNCTION pg_temp.schedule(tiers jsonb) RETURNS spm.rate_schedule LANGUAGE sql AS
$$ SELECT string_agg(format('%s%%..%s: %s', 100 * (t->>0)::numeric, 100 * (t->>1)::numeric || '%', t->>2), ', ' ORDER BY n)::spm.rate_schedule
   FROM jsonb_array_elements(tiers) WITH ORDINALITY AS x (t, n) $$;
-- n days from a day on
CREATE FUNCTION pg_temp.days(since date, n int) RETURNS daterange LANGUAGE sql AS $$ SELECT daterange(since, since + n) $$;

-- A company of one seat: its years, its quota, its payee.
SELECT spm.create_calendar('fiscal', 'month', '2025-01-01', '2028-01-01'), spm.add_position('s', 's'), spm.add_measure('sales'),
    spm.add_measure('sales/hardware', falls_back_to => 'sales'), spm.add_absence_kind('leave', min_days => 30) \g /dev/null
INSERT INTO spm.calendar (name) VALUES ('plan');
INSERT INTO spm.period (calendar_id, grain, name, span)
SELECT calendar_id, 'plan_year', 'PY26', '[2025-10-01,2026-10-01)' FROM spm.calendar WHERE name = 'plan';
-- what a payee of his own owes, on the plan for some days
CREATE FUNCTION pg_temp.quota(payee text, period text, spans datemultirange DEFAULT '{(,)}', prorate text DEFAULT 'none', measure text DEFAULT 'sales', places int DEFAULT 2)
RETURNS numeric LANGUAGE sql AS $$
    SELECT q.quota_amount
    FROM spm.position s, spm.payee y, spm.measure m, spm.period w,
         spm.seat_quota(s.position_id, y.payee_id, spans, m.measure_id, w.period_id,
            ARRAY(SELECT p.period_id FROM spm.period p WHERE p.calendar_id = w.calendar_id AND p.span <@ w.span AND p.grain = 'quarter' AND w.grain = 'year'), prorate, places) q
    WHERE s.position_key = 's' AND y.payee_key = payee AND m.name = measure AND w.name = period
$$;
SELECT spm.add_payee(k, k) FROM unnest('{none,ramp,relief}'::text[]) k \g /dev/null

-- day counts
INSERT INTO answer
SELECT id, 'working', pg_temp.numbers(e), array_agg(c.active_days ORDER BY n)
FROM example, jsonb_array_elements(i->'ranges') WITH ORDINALITY r(days, n),
    spm.day_count(datemultirange(daterange((days->>0)::date, (days->>1)::date, '[]')), '[2023-07-01,2023-08-01)', 'working') c
WHERE id = 'CENT-9' GROUP BY id, e;
INSERT INTO answer
SELECT id, 'calendar', (SELECT array_agg(x::numeric ORDER BY n, k) FROM jsonb_array_elements(e->'days') WITH ORDINALITY p(pair, n), jsonb_array_elements_text(pair) WITH ORDINALITY q(x, k)),
       (SELECT array_agg(x ORDER BY n, k)
        FROM jsonb_array_elements(i->'cases') WITH ORDINALITY r(d, n),
             spm.day_count(datemultirange(daterange((d->>0)::date, (d->>1)::date, '[]')), daterange((d->>2)::date, (d->>3)::date, '[]')) c,
             unnest(ARRAY[active_days, period_days]) WITH ORDINALITY u(x, k))
FROM example WHERE id = 'PRO-OI-1';
INSERT INTO answer
SELECT id, 'calendar rounded 5 for the factor; calendar for the quota', pg_temp.numbers(e->'factor') || pg_temp.numbers(e->'quota') || pg_temp.numbers(e->'attainment_percent'),
       ARRAY[f.active_days / f.period_days, round((i->>'quota')::numeric * c.active_days / c.period_days, 2),
             100 * spm.attainment((i->>'amount')::numeric, (i->>'quota')::numeric * c.active_days / c.period_days, 4)]
FROM example, spm.day_count(datemultirange(pg_temp.days('2025-01-15', (i->>'active_days')::int)), pg_temp.days('2025-01-01', (i->>'days_in_month')::int), 'calendar rounded 5') f,
    spm.day_count(datemultirange(pg_temp.days('2025-01-15', (i->>'active_days')::int)), pg_temp.days('2025-01-01', (i->>'days_in_month')::int)) c
WHERE id = 'PRO-TH-1';
INSERT INTO answer
SELECT id, 'calendar', pg_temp.numbers(e),
       array_agg(round((d->>0)::numeric * c.active_days / c.period_days, 2) ORDER BY n)
FROM example, jsonb_array_elements(i->'cases') WITH ORDINALITY r(d, n),
    spm.day_count(datemultirange(pg_temp.days('2025-01-01', (d->>1)::int)), pg_temp.days('2025-01-01', (d->>2)::int)) c
WHERE id = 'PRO-BIT-1' GROUP BY id, e;
INSERT INTO answer
SELECT id, 'calendar, for a draw', pg_temp.numbers(e->'draw'), ARRAY[round((i->>'draw')::numeric * c.active_days / c.period_days, 2)]
FROM example, spm.day_count(datemultirange(pg_temp.days('2025-01-15', (i->>'active_days')::int)), pg_temp.days('2025-01-01', (i->>'days_in_month')::int)) c
WHERE id = 'DRAW-OI-4';
INSERT INTO answer
SELECT id, 'exclusive; exclusive rounded 3', pg_temp.numbers(e->'days') || pg_temp.numbers(e->'factor') || pg_temp.numbers(e->'bonus'),
       ARRAY[d.active_days, f.active_days / f.period_days, (i->>'bonus')::numeric * f.active_days / f.period_days]
FROM example, spm.day_count(datemultirange(daterange((i->>'start')::date, (i->>'end')::date, '[]')), pg_temp.days('2023-01-01', (i->>'days_year')::int), 'exclusive') d,
    spm.day_count(datemultirange(daterange((i->>'start')::date, (i->>'end')::date, '[]')), pg_temp.days('2023-01-01', (i->>'days_year')::int), 'exclusive rounded 3') f
WHERE id = 'PRO-SAL-1';

-- seasons
SELECT spm.create_calendar('leap', 'month', '2024-01-01', '2025-01-01') \g /dev/null
INSERT INTO answer
SELECT id, 'spread_quota by days', (SELECT array_agg(value::numeric ORDER BY key) FROM jsonb_each_text(e)),
       (SELECT array_agg(part_amount ORDER BY to_char((part || '-01')::date, 'Mon'))
        FROM unnest('{2024-Q1,2024-Q2,2024-Q3}'::text[]) q, spm.spread_quota('s', q, (i->>'quarter_amount')::numeric, 'sales', calendar => 'leap')
        WHERE part NOT IN ('2024-05', '2024-06', '2024-08'))
FROM example WHERE id = 'ANA-1';
SELECT is((SELECT sum(amount) FROM spm.quota), 90.00, 'ANA-1: the months add up to their quarters');
INSERT INTO answer
SELECT id, 'spread_quota by shares; months', pg_temp.numbers(e->'q1') || pg_temp.numbers(e->'year'),
       ARRAY[pg_temp.quota('none', '2026-Q1', d, 'months', places => 0), pg_temp.quota('none', '2026', d, 'months', places => 0)]
FROM example, (SELECT datemultirange(daterange('2026-03-01', NULL))) x(d),
    LATERAL (SELECT count(p.part) FROM spm.spread_quota('s', '2026', (i->>'annual_quota')::numeric, 'sales', pg_temp.numbers(i->'quarter_share'), grain => 'quarter') p) n
WHERE id = 'PRO-QB-1' AND n.count = 4;

-- ramps
SELECT spm.set_quota('s', '2027-0' || m, 100000, 'sales') FROM generate_series(1, 3) m \g /dev/null
SELECT spm.add_ramp(id, pg_temp.numbers(coalesce(i->'ramp'))) FROM example WHERE i ? 'ramp' ORDER BY id \g /dev/null
SELECT spm.add_payee(id, id), spm.assign_ramp(id, id, CASE id WHEN 'PRO-OI-3' THEN date '2027-02-20' ELSE '2027-01-20' END) FROM example WHERE i ? 'ramp' ORDER BY id \g /dev/null
INSERT INTO answer
SELECT id, 'ramp from February', pg_temp.numbers(e->'quota'), array_agg(pg_temp.quota(id, '2027-0' || m) ORDER BY m)
FROM example, generate_series(1, 3) m WHERE id = 'PRO-OI-3' GROUP BY id, e;
INSERT INTO answer
SELECT id, 'ramp; the quarter is its months', pg_temp.numbers(e->'quota') || pg_temp.numbers(e->'total') || pg_temp.numbers(e->'percent_of_full'),
       ARRAY[pg_temp.quota(id, '2027-01'), pg_temp.quota(id, '2027-02'), pg_temp.quota(id, '2027-03'), q, 100 * q / 300000]
FROM example, LATERAL (SELECT spm.set_quota('s', '2027-Q1', 300000, 'sales') AS quota_id) s, LATERAL (SELECT pg_temp.quota(id, '2027-Q1') + 0 * quota_id AS q) x WHERE id = 'RAMP-HM-2';
SELECT spm.set_quota('s', '2027-01', 80000, 'sales') \g /dev/null
INSERT INTO answer SELECT id, 'ramp on a quota of the position', pg_temp.numbers(e), ARRAY[pg_temp.quota(id, '2027-01')] FROM example WHERE id = 'PRO-OI-5';
SELECT spm.set_quota('s', '2027-01', 50000, 'sales/hardware') \g /dev/null
INSERT INTO answer
SELECT id, 'ramp on the quota of a category; for_quota', pg_temp.numbers(e->'quota') || pg_temp.numbers(e->'payout'),
       ARRAY[q, spm.commission(spm.for_quota(pg_temp.schedule(i->'tiers_of_attainment'), q), (i->>'amount')::numeric)]
FROM example, LATERAL (SELECT pg_temp.quota(id, '2027-01', measure => 'sales/hardware') AS q) x WHERE id = 'MARG-OI-15';
INSERT INTO answer SELECT id, 'attainment', pg_temp.numbers(e->'attainment'), ARRAY[spm.attainment((i->>'amount')::numeric, (i->>'ramped_quota')::numeric)] FROM example WHERE id = 'PRO-OI-7';

-- quota of everybody, quota of a category
SELECT spm.set_quota('*', '2025-01', 100000, 'sales'), spm.set_quota('*', '2025-02', 100000, 'sales'), spm.set_quota('*', '2025-02', 50000, 'sales/hardware') \g /dev/null
INSERT INTO answer
SELECT id, 'quota of everybody; for_quota', pg_temp.numbers(e), ARRAY[spm.commission(spm.for_quota(pg_temp.schedule(i->'tiers_of_attainment'), pg_temp.quota('none', '2025-01')), (i->>'amount')::numeric)]
FROM example WHERE id = 'MARG-OI-12';
SELECT spm.set_quota('s', '2025-' || q.key, q.value::numeric, 'sales') FROM example, jsonb_each_text(i->'quotas') q WHERE id = 'MARG-OI-11' \g /dev/null
INSERT INTO answer
SELECT id, 'each quarter its quota; for_quota', pg_temp.numbers(e->'total'),
       ARRAY[sum(spm.commission(spm.for_quota(('0%: ' || (i->>'rate'))::spm.rate_schedule, pg_temp.quota('none', '2025-' || a.key)), a.value::numeric))]
FROM example, jsonb_each_text(i->'amounts') a WHERE id = 'MARG-OI-11' GROUP BY id, i, e;
INSERT INTO answer
SELECT id, 'a measure that falls back; for_quota', pg_temp.numbers(e->'with_category_quota') || pg_temp.numbers(e->'with_default_quota'),
       ARRAY[spm.commission(spm.for_quota(pg_temp.schedule(i->'tiers_of_attainment'), pg_temp.quota('none', '2025-02', measure => 'sales/hardware')), (i->>'amount')::numeric),
             spm.commission(spm.for_quota(pg_temp.schedule(i->'tiers_of_attainment'), pg_temp.quota('none', '2025-01', measure => 'sales/hardware')), (i->>'amount')::numeric)]
FROM example WHERE id = 'MARG-OI-13';

-- absences and reliefs
SELECT spm.set_quota('s', 'PY26', 1000000, 'sales') \g /dev/null
SELECT spm.add_payee(id, id), spm.add_absence(id, 'leave', (a->>0)::date, (a->>1)::date + 1)
FROM example, jsonb_array_elements(i->'leaves'->0) a WHERE i ? 'leaves' AND a = i->'leaves'->0->0 \g /dev/null
SELECT spm.add_absence(id, 'leave', (a->>0)::date, (a->>1)::date + 1)
FROM example, jsonb_array_elements(i->'leaves'->0) a WHERE i ? 'leaves' AND a <> i->'leaves'->0->0 \g /dev/null
INSERT INTO answer
SELECT id, 'calendar; absences of 30 days', pg_temp.numbers(e->0), ARRAY[q.period_days - q.active_days, 1000000 - q.quota_amount, q.quota_amount]
FROM example, spm.payee y, spm.position s, spm.measure m, spm.period w, spm.seat_quota(s.position_id, y.payee_id, '{(,)}', m.measure_id, w.period_id, NULL, 'calendar', 2) q
WHERE i ? 'leaves' AND y.payee_key = id AND m.name = 'sales' AND w.name = 'PY26';
SELECT spm.relieve_quota('relief', 'PY26', (i->>'relief')::numeric, 'sales', 'published') FROM example WHERE id = 'REL-CAT-9' \g /dev/null
INSERT INTO answer
SELECT id, 'relief; attainment', pg_temp.numbers(e->'with_relief') || pg_temp.numbers(e->'without'),
       ARRAY[spm.attainment((i->>'net_revenue')::numeric, pg_temp.quota('relief', 'PY26')), spm.attainment((i->>'net_revenue')::numeric, pg_temp.quota('none', 'PY26'))]
FROM example WHERE id = 'REL-CAT-9';

SELECT is(got, expected, format('%s: %s', id, options)) FROM answer ORDER BY id COLLATE "C";
SELECT results_eq('SELECT id FROM answer ORDER BY id', 'SELECT id FROM example ORDER BY id', 'every example has been computed, once');
SELECT cmp_ok(count(*), '>=', 20::bigint, 'there are at least 20') FROM example;

SELECT * FROM finish();
ROLLBACK;
