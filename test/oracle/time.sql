/*
 * Time: running totals, quotas by season, days of a part of a period, ramps,
 * absences and reliefs, and which quota counts.
 */
SELECT spm.create_calendar('quarters', 'quarter', '2025-01-01', '2026-01-01'), spm.create_calendar('years', 'year', '2023-01-01', '2026-01-01'),
       spm.create_calendar('plan years', 'year', '2025-10-01', '2026-10-01');
CREATE TABLE half_year (first_day date, last_day date, name text);
INSERT INTO half_year VALUES ('2025-01-01', '2025-06-29', 'term');
SELECT spm.load_periods('terms', 'half_year', 'first_day', 'last_day', 'name');
-- days of a period as a quota of them: what is left of it is the days that count
SELECT spm.add_measure('days'), spm.add_measure('factor');

-- ------------------------------------------------------------ running totals

SELECT deals(id, tiers(i->'tiers_of_attainment', 'of quota'), '{}', '{"quota": "bookings"}', until => '2025-03-01') FROM example WHERE id = 'CUM-OI-1';
SELECT quota(rep(id), num(i, 'quota_per_month'), '2025-0' || n), sell(rep(id), v, ('2025-0' || n || '-10')::date) FROM example, each(i->'months') WHERE id = 'CUM-OI-1';
SELECT quota(rep(id), num(i, 'quota'), '2025-Q1'), deals(id, tiers(i->'tiers_of_attainment', 'of quota'), '{}', '{"quota": "bookings", "accumulate": "quarter"}', until => '2025-04-01') FROM example WHERE id = 'MARG-OI-8';
SELECT sell(rep(id), v, ('2025-0' || n || '-10')::date) FROM example, each(i->'months') WHERE id = 'MARG-OI-8';
SELECT quota(rep(id), num(i, 'quota'), '2025', calendar => 'quarters'), deals(id, tiers(i->'tiers_of_attainment', 'of quota'), '{}', '{"quota": "bookings", "accumulate": "year"}', calendar => 'quarters') FROM example WHERE id = 'MARG-OI-10';
SELECT sell(rep(id), v, CASE n WHEN 1 THEN date '2025-03-10' ELSE '2025-09-10' END) FROM example, each(i->'halves') WHERE id = 'MARG-OI-10';
SELECT spm.add_lookup(id, '{category}') FROM example WHERE id = 'MARG-MS-1';
SELECT spm.set_lookup(id, ARRAY[r.key], r.value::numeric) FROM example, jsonb_each_text(i->'rate_by_category') r WHERE id = 'MARG-MS-1';
SELECT deals(id, '0: 1', '{}', jsonb_build_object('lookup', id, 'lookup_by', '{product_key}')) FROM example WHERE id = 'MARG-MS-1';
SELECT sell(rep(id), num(x, 0), product => x->>1) FROM example, each(i->'rows') WHERE id = 'MARG-MS-1';
-- the year in a calendar of quarters: its quota is the sum of theirs
SELECT deals(id, '0: 0', '{}', jsonb_build_object('quota', 'bookings', 'credit_cap', i->'deal_credit_cap', 'accumulate', grain), n, n, calendar => calendar)
FROM example, each(i->'periods') JOIN (VALUES (1, 'period', 'months'), (3, 'quarter', 'months'), (12, 'year', 'quarters')) g (months, grain, calendar) ON months = num(x, 1) WHERE id = 'CAP-CENT-1';
SELECT quota(rep(id, x.n), num(i, 'target_per_month') * months, p.name, calendar => c.name)
FROM example, each(i->'periods') x, spm.period p JOIN spm.calendar c USING (calendar_id), LATERAL (SELECT CASE c.name WHEN 'months' THEN 1 ELSE 3 END AS months) m
WHERE id = 'CAP-CENT-1' AND c.name = CASE x.n WHEN 3 THEN 'quarters' ELSE 'months' END AND p.grain = rtrim(c.name, 's')
  AND p.span <@ daterange('2025-01-01', ('2025-01-01'::date + (num(x, 1)) * interval '1 month')::date);
SELECT sell(rep(id, n), num(i, 'deal'), m::date)
FROM example, each(i->'periods'), generate_series(timestamp '2025-01-10', timestamp '2025-01-10' + (num(x, 1) - 1) * interval '1 month', interval '1 month') m WHERE id = 'CAP-CENT-1';

-- --------------------------------------------------------------- day counts

SELECT quota(rep(id, n), 21, '2023-07'), deals(id, '0: 0', '{}', '{"quota": "bookings", "prorate": "working"}', n, since => (x->>0)::date, until => (x->>1)::date + 1)
FROM example, each(i->'ranges') WHERE id = 'CENT-9';
SELECT deals(id, '0: 0', '{}', '{"quota": "bookings"}', since => '2024-01-01') FROM example WHERE id = 'ANA-1';
SELECT spm.spread_quota(rep(id), '2024-' || q, num(i, 'quarter_amount'), 'bookings', calendar => 'months') FROM example, jsonb_object_keys(i->'quarter_days') q WHERE id = 'ANA-1';
SELECT quota(rep(id), num(i, 'quota')), quota(rep(id), 1, measure => 'factor'),
       deals(id, '0: 0', ARRAY[num(i, 'amount')], '{"quota": "bookings", "prorate": "calendar"}', since => '2025-02-01'::date - num(i, 'active_days')::int),
       component(plan(id), 'Rounded', '0: 0', '{"quota": "bookings", "prorate": "calendar rounded 5"}')
FROM example WHERE id = 'PRO-TH-1';
SELECT quota(rep(id, n), num(x, 0), period, calendar => calendar),
       deals(id, '0: 0', '{}', '{"quota": "bookings", "prorate": "calendar"}', n, n, until => date '2025-01-01' + num(x, 1)::int, calendar => calendar)
FROM example, each(i->'cases') JOIN (VALUES (365, 'years', '2025'), (180, 'terms', 'term')) p (days, calendar, period) ON days = num(x, 2) WHERE id = 'PRO-BIT-1';
SELECT quota(rep(id, n), last - first + 1, period, 'days', calendar),
       deals(id, '0: 0', '{}', jsonb_build_object('quota', 'days', 'prorate', 'calendar', 'accumulate', accumulate), n, n, (x->>0)::date, (x->>1)::date + 1, calendar)
FROM example, each(i->'cases'), LATERAL (SELECT (x->>2)::date AS first, (x->>3)::date AS last) d
    JOIN LATERAL (SELECT p.name AS period, CASE p.grain WHEN 'month' THEN 'period' ELSE p.grain END AS accumulate, c.name AS calendar FROM spm.period p JOIN spm.calendar c USING (calendar_id)
                  WHERE c.name = CASE WHEN last - first > 100 THEN 'quarters' ELSE 'months' END AND p.span = daterange(first, last, '[]')) p ON true
WHERE id = 'PRO-OI-1';
SELECT count(part) FROM example, spm.spread_quota(rep(id), '2025', num(i, 'annual_quota'), 'bookings', numbers(i->'quarter_share'), grain => 'quarter', calendar => 'months') WHERE id = 'PRO-QB-1';
SELECT deals(id, '0: 0', '{}', '{"quota": "bookings", "prorate": "months", "accumulate": "quarter"}', since => ('2025-' || (i->>'start'))::date),
       component(plan(id), 'Year', '0: 0', '{"quota": "bookings", "prorate": "months", "accumulate": "year"}')
FROM example WHERE id = 'PRO-QB-1';
SELECT spm.set_variable('bonus', num(i, 'bonus'), payee => rep(id)), quota(rep(id), num(i, 'days_year'), '2023', 'days', 'years'),
       deals(id, '0: 1', '{}', '{"basis": "fixed", "variable": "bonus", "prorate": "exclusive rounded 3"}', since => (i->>'start')::date, until => (i->>'end')::date + 1, calendar => 'years'),
       component(plan(id), 'Days', '0: 0', '{"quota": "days", "prorate": "exclusive"}')
FROM example WHERE id = 'PRO-SAL-1';
SELECT spm.prorate_variable('bonus');

-- -------------------------------------------------------------------- ramps

SELECT spm.add_ramp(id, numbers(i->'ramp')), spm.assign_ramp(id, rep(id), CASE id WHEN 'PRO-OI-3' THEN date '2025-02-20' ELSE '2025-01-20' END),
       deals(id, '0: 0', '{}', '{"quota": "bookings"}'), component(plan(id), 'Quarter', '0: 0', '{"quota": "bookings", "accumulate": "quarter"}')
FROM example WHERE id IN ('PRO-OI-3', 'PRO-OI-5', 'RAMP-HM-2');
SELECT quota(rep(id), coalesce(num(i, 'quota'), num(i, 'explicit_quota'), num(i, 'monthly_quota')), '2025-0' || m) FROM example, generate_series(1, 3) m WHERE id IN ('PRO-OI-3', 'PRO-OI-5', 'RAMP-HM-2');
SELECT spm.add_ramp('half', '{0.5,0.5,0.5}');
SELECT spm.assign_ramp('half', rep(id), '2025-01-01'), quota(rep(id), 2 * num(i, 'ramped_quota')), deals(id, '0: 0', ARRAY[num(i, 'amount')], '{"quota": "bookings"}') FROM example WHERE id = 'PRO-OI-7';
SELECT spm.add_measure(id), quota(rep(id), num(i, 'category_quota'), measure => id), spm.add_ramp(id, ARRAY[num(i, 'ramp')]), spm.assign_ramp(id, rep(id), '2025-01-01'),
       deals(id, tiers(i->'tiers_of_attainment', 'of quota'), ARRAY[num(i, 'amount')], jsonb_build_object('quota', id), until => '2025-02-01')
FROM example WHERE id = 'MARG-OI-15';
SELECT deals(id, '0: 0', '{}', '{"quota": "bookings", "accumulate": "quarter"}', n), quota(rep(id, n), num(i, 'full_quota_per_rep') / 4, '2025-Q1'),
       CASE WHEN n > num(i, 'full_reps') THEN spm.assign_ramp('half', rep(id, n), '2025-01-01') END
FROM example, generate_series(1, num(i, 'reps')::int) n WHERE id = 'RAMP-HM-1';

-- ------------------------------------------------------ absences and reliefs

SELECT spm.add_absence_kind('leave', min_days => 30);
SELECT quota(rep(id), num(i, 'quota'), '2026', calendar => 'plan years'), quota(rep(id), (i->'plan_year'->>1)::date - (i->'plan_year'->>0)::date + 1, '2026', 'days', 'plan years'),
       deals(id, '0: 0', '{}', '{"quota": "bookings", "prorate": "calendar"}', calendar => 'plan years'), component(plan(id), 'Days', '0: 0', '{"quota": "days", "prorate": "calendar"}')
FROM example WHERE i ? 'leaves';
SELECT spm.add_absence(rep(id), 'leave', (x->>0)::date, (x->>1)::date + 1) FROM example, each(i->'leaves'->0) WHERE i ? 'leaves';
SELECT quota(rep(id, n), num(i, 'quota')), deals(id, '0: 0', ARRAY[num(i, 'net_revenue')], '{"quota": "bookings"}', n) FROM example, generate_series(1, 2) n WHERE id = 'REL-CAT-9';
SELECT spm.relieve_quota(rep(id), '2025-01', num(i, 'relief'), 'bookings', 'as published', 'months') FROM example WHERE id = 'REL-CAT-9';

-- ------------------------------------------------------- which quota counts

SELECT spm.add_measure(id), spm.set_quota('*', '2025-01', num(i, 'default_quota'), id, 'months'),
       deals(id, tiers(i->'tiers_of_attainment', 'of quota'), ARRAY[num(i, 'amount')], jsonb_build_object('quota', id), until => '2025-02-01')
FROM example WHERE id = 'MARG-OI-12';
SELECT spm.add_measure(id), spm.add_measure(id || '/category', falls_back_to => id), spm.set_quota('*', '2025-01', num(i, 'default_quota'), id, 'months'),
       quota(rep(id, 1), num(i, 'category_quota'), measure => id || '/category')
FROM example WHERE id = 'MARG-OI-13';
SELECT deals(id, tiers(i->'tiers_of_attainment', 'of quota'), ARRAY[num(i, 'amount')], jsonb_build_object('quota', id || '/category'), n, until => '2025-02-01') FROM example, generate_series(1, 2) n WHERE id = 'MARG-OI-13';
SELECT deals(id, '0%: ' || (i->>'rate'), '{}', '{"quota": "bookings"}', until => '2025-07-01', calendar => 'quarters') FROM example WHERE id = 'MARG-OI-11';
SELECT quota(rep(id), q.value::numeric, '2025-' || q.key, calendar => 'quarters'),
       sell(rep(id), num(i->'amounts', q.key), (SELECT lower(p.span) FROM spm.period p JOIN spm.calendar c USING (calendar_id) WHERE c.name = 'quarters' AND p.name = '2025-' || q.key))
FROM example, jsonb_each_text(i->'quotas') q WHERE id = 'MARG-OI-11';
SELECT quota(rep(id), num(i, 'quota')), deals(id, '0: ' || (i->>'rate'), '{}'),
       component(plan(id), 'Quota', '0: 0', '{"quota": "bookings", "eligible": "attributes #>> ''{tags,1}'' = ''quota''"}')
FROM example WHERE id = 'SPLIT-OI-5';
SELECT sell(rep(id), num(x, 0), tags => x) FROM example, each(i->'deals') WHERE id = 'SPLIT-OI-5';

CALL calculate('2023-07');
CALL calculate('2024-01', '2024-04');
CALL calculate('2024-07');
CALL calculate('2024-09');
CALL calculate('2025-01', '2025-03');
CALL calculate('2025-Q1', '2025-Q4', 'quarters');
CALL calculate('2023', calendar => 'years');
CALL calculate('2025', calendar => 'years');
CALL calculate('2026', calendar => 'plan years');
CALL calculate('term', calendar => 'terms');

-- ------------------------------------------------------------------- answers

SELECT answer(id, 'tiers in percent of quota, accumulate period', jsonb_build_object('feb', paid(rep(id), period => '2025-02'))) FROM example WHERE id = 'CUM-OI-1';
SELECT answer(id, 'tiers in percent of quota, accumulate quarter', jsonb_build_object('total', paid(rep(id)))) FROM example WHERE id = 'MARG-OI-8';
SELECT answer(id, 'tiers in percent of quota, accumulate year', jsonb_build_object('total', paid(rep(id)))) FROM example WHERE id = 'MARG-OI-10';
SELECT answer(id, 'lookup by category', (SELECT jsonb_build_object('commission', jsonb_agg(earned_amount ORDER BY transaction_key), 'cumulative', jsonb_agg(from_total + base_amount ORDER BY transaction_key))
    FROM spm_bi.earning WHERE payee_key = rep(id)))
FROM example WHERE id = 'MARG-MS-1';
SELECT answer(id, 'credit_cap; accumulate period, quarter, year', jsonb_build_array((attained(rep(id))).attainment_ratio, (attained(rep(id, 2), period => '2025-03')).attainment_ratio,
    (attained(rep(id, 3), period => '2025-Q4')).attainment_ratio))
FROM example WHERE id = 'CAP-CENT-1';

-- somebody on the plan for no working day at all
SELECT answer(id, 'quota, prorate working', (SELECT jsonb_agg((attained(rep(id, n), period => '2023-07')).quota_amount ORDER BY n) FROM each(i->'ranges'))) FROM example WHERE id = 'CENT-9';
SELECT answer(id, 'spread_quota by days', (SELECT jsonb_object_agg(m, (attained(rep(id), period => to_char(to_date('2024 ' || m, 'YYYY Mon'), 'YYYY-MM'))).quota_amount) FROM jsonb_object_keys(i->'days') m))
FROM example WHERE id = 'ANA-1';
SELECT answer(id, 'prorate calendar; for the factor calendar rounded 5', jsonb_build_object('quota', (attained(rep(id))).quota_amount,
    'attainment_percent', round(100 * (attained(rep(id))).attainment_ratio, 2), 'factor', (attained(rep(id), 'Rounded')).quota_amount / num(i, 'quota')))
FROM example WHERE id = 'PRO-TH-1';
SELECT answer(id, 'prorate calendar', jsonb_build_array((attained(rep(id, 1), period => '2025')).quota_amount, (attained(rep(id, 2), period => 'term')).quota_amount)) FROM example WHERE id = 'PRO-BIT-1';
SELECT answer(id, 'prorate calendar; accumulate period, quarter, year', jsonb_build_object('days', (
    SELECT jsonb_agg(jsonb_build_array(a.quota_amount, substring(m.because[1] FROM 'of (\d+) days')::int) ORDER BY n)
    FROM each(i->'cases') CROSS JOIN LATERAL attained(rep(id, n), period => CASE n WHEN 4 THEN '2025-Q3' ELSE left(x->>0, 7) END) a JOIN spm.measurement m ON m.measurement_id = a.measurement_id)))
FROM example WHERE id = 'PRO-OI-1';
SELECT answer(id, 'spread_quota by shares; prorate months, accumulate quarter, year', jsonb_build_object('q1', round((attained(rep(id), period => '2025-03')).quota_amount), 'year', round((attained(rep(id), 'Year', '2025-03')).quota_amount)))
FROM example WHERE id = 'PRO-QB-1';
SELECT answer(id, 'basis fixed, variable by time, prorate exclusive rounded 3', jsonb_build_object('bonus', paid(rep(id)), 'factor', paid(rep(id)) / num(i, 'bonus'), 'days', (attained(rep(id), 'Days', '2023')).quota_amount))
FROM example WHERE id = 'PRO-SAL-1';

SELECT answer(id, 'ramp from February', jsonb_build_object('quota', (SELECT jsonb_agg((attained(rep(id), period => '2025-0' || m)).quota_amount ORDER BY m) FROM generate_series(1, 3) m))) FROM example WHERE id = 'PRO-OI-3';
SELECT answer(id, 'ramp', (attained(rep(id))).quota_amount) FROM example WHERE id = 'PRO-OI-5';
SELECT answer(id, 'ramp', jsonb_build_object('attainment', (attained(rep(id))).attainment_ratio)) FROM example WHERE id = 'PRO-OI-7';
SELECT answer(id, 'ramp on the quota of a category', jsonb_build_object('quota', (attained(rep(id))).quota_amount, 'payout', paid(rep(id)))) FROM example WHERE id = 'MARG-OI-15';
SELECT answer(id, 'ramp; accumulate quarter', jsonb_build_object('total', total, 'percent_of_full', 100 * total / (3 * num(i, 'monthly_quota')),
    'quota', (SELECT jsonb_agg((attained(rep(id), period => '2025-0' || m)).quota_amount ORDER BY m) FROM generate_series(1, 3) m)))
FROM example, LATERAL (SELECT (attained(rep(id), 'Quarter', '2025-03')).quota_amount AS total) t WHERE id = 'RAMP-HM-2';
SELECT answer(id, 'ramp; accumulate quarter', (SELECT jsonb_build_object('quarter_each', max(quota_amount), 'ramped_each', min(quota_amount), 'capacity', sum(quota_amount), 'expected', sum(quota_amount) * num(i, 'efficiency'))
    FROM spm_bi.attainment WHERE plan_name = plan(id) AND period_name = '2025-01'))
FROM example WHERE id = 'RAMP-HM-1';

SELECT answer(id, 'prorate calendar; absence, min_days 30', jsonb_build_array(jsonb_build_array(
    (i->'plan_year'->>1)::date - (i->'plan_year'->>0)::date + 1 - (attained(rep(id), 'Days', '2026')).quota_amount, num(i, 'quota') - q.quota_amount, q.quota_amount)))
FROM example CROSS JOIN LATERAL attained(rep(id), period => '2026') q WHERE i ? 'leaves';
SELECT answer(id, 'relieve_quota', jsonb_build_object('with_relief', (attained(rep(id, 1))).attainment_ratio, 'without', (attained(rep(id, 2))).attainment_ratio)) FROM example WHERE id = 'REL-CAT-9';

SELECT answer(id, 'tiers in percent of quota; quota of everybody', paid(rep(id))) FROM example WHERE id = 'MARG-OI-12';
SELECT answer(id, 'tiers in percent of quota; a measure that falls back to another', jsonb_build_object('with_category_quota', paid(rep(id, 1)), 'with_default_quota', paid(rep(id, 2)))) FROM example WHERE id = 'MARG-OI-13';
SELECT answer(id, 'tiers in percent of quota, each quarter its own', jsonb_build_object('total', paid(rep(id)))) FROM example WHERE id = 'MARG-OI-11';
SELECT answer(id, 'a component for the attainment, eligible', jsonb_build_object('attainment_amount', (attained(rep(id), 'Quota')).credited_amount, 'commission', paid(rep(id)))) FROM example WHERE id = 'SPLIT-OI-5';
