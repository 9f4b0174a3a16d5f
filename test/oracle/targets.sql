/*
 * What a result changes: accelerators, thresholds, gates, caps, target pay,
 * objectives, several components at once, teams and pools, spiffs.
 */

-- ------------------------------------------- accelerators and decelerators

SELECT spm.set_variable('rate', num(i, 'effective_rate'), payee => rep(id)), quota(rep(id), num(i, 'quota')),
       deals(id, tiers(coalesce(i->'multiplier_tiers', '[[0, 1, 1], [1, null, 1]]'), 'of quota excess'), ARRAY[num(i, 'revenue')], '{"quota": "bookings", "variable": "rate"}')
FROM example WHERE id IN ('ACC-TH-2', 'ACC-TH-5', 'ACC-TH-6', 'ACC-TH-7', 'ACC-TH-8', 'ACC-TH-9');
SELECT quota(rep(id, n), 1000), deals(id, tiers(i->'multiplier_tiers', 'of quota excess'), ARRAY[1000 * v], '{"quota": "bookings"}', n)
FROM example, each(i->'attainments') WHERE id = 'ACC-TH-11';
SELECT deals(id, '0: ' || (i->>'effective_rate'), ARRAY[num(i, 'revenue')], n => n, plan_no => n), spm.add_modifier(plan(id, n), 'Pay', 'multiply', value => v)
FROM example, each(i->'base_rate_multiplier') WHERE id = 'ACC-TH-12';
SELECT quota(rep(id), num(i, 'quota')), deals(id, format('0%%: %s, 100%%: %s', i->>'base_rate', i->>'above_rate'), ARRAY[num(i, 'amount')], '{"quota": "bookings"}')
FROM example WHERE id = 'ACC-GH-2';
SELECT quota(rep(id), num(i, 'quota')), deals(id, '0: ' || (i->>'flat_rate'), ARRAY[num(i, 'amount')]),
       component(plan(id), 'Accelerator', '100%: ' || (i->>'rate'), '{"quota": "bookings"}'), spm.add_modifier(plan(id), 'Accelerator', 'multiply', value => num(i, 'multiplier'))
FROM example WHERE id = 'ACC-OI-3';
SELECT spm.set_variable('target', num(i, 'variable'), payee => rep(id)), quota(rep(id), 1000),
       deals(id, '0%: 1', ARRAY[1000 * num(i, 'attainment')], '{"quota": "bookings", "pay": "target", "variable": "target"}'),
       spm.add_modifier(plan(id), 'Pay', 'multiply', rates => format('0: %s, %s: 1 whole of quota', i->>'decelerator', i->>'decelerator_below'))
FROM example WHERE id = 'ACC-RM-2';
SELECT spm.set_variable('target', num(i, 'variable'), payee => rep(id)), quota(rep(id), num(i, 'quota')),
       deals(id, tiers(i->'attainment_tiers', 'of quota'), ARRAY[num(i, 'actual')], '{"quota": "bookings", "pay": "target", "variable": "target"}'),
       component(plan(id), 'Without', '0%: 1', '{"quota": "bookings", "pay": "target", "variable": "target"}')
FROM example WHERE id = 'ACC-RM-1';
SELECT quota(rep(id), num(i, 'target')), deals(id, '0: ' || (i->>'flat_rate'), ARRAY[num(i, 'won_amount')], '{"quota": "bookings"}') FROM example WHERE id = 'FLAT-GH-1';
SELECT deals(id, (SELECT string_agg(format('%s: %s', x->>0, x->>1), ', ' ORDER BY n) || ' whole' FROM each(i->'bands')), ARRAY[num(i, 'sales')]),
       component(plan(id), 'Fixed', (SELECT string_agg(format('%s: %s', x->>0, x->>2), ', ' ORDER BY n) || ' bonus' FROM each(i->'bands')))
FROM example WHERE id = 'STEP-IDY-1';

-- -------------------------------------------------- thresholds, gates, caps

-- The bands are those of the source's other examples; its uplift is 0.25 above a share of one half.
SELECT quota(rep(id, n), 1000), deals(id, '0: 1', ARRAY[1000 * num(x, 1)], '{"quota": "bookings"}', n), spm.set_objective(rep(id, n), '2025-01', 'share', 1, num(x, 2)),
       spm.set_variable('most', CASE WHEN x->>0 > i->>'plan_year_start' THEN num(i, 'cap') ELSE 9 END, payee => rep(id, n))
FROM example, each(i->'cases') WHERE id = 'SLAB-CAT-3';
SELECT component(plan(id), 'Share', '0: 0', '{"basis": "objective"}'),
       spm.add_modifier(plan(id), 'Pay', 'multiply', rates => (SELECT tiers(b.i->'bands', 'whole of quota') FROM example b WHERE b.id = 'CAP-CAT-1')),
       spm.add_modifier(plan(id), 'Pay', 'add', of => '{Share}', figure => '{amount}', rates => '0: 0, 0.5: 0.25 whole edge lower'),
       spm.add_modifier(plan(id), 'Pay', 'at most', variable => 'most')
FROM example WHERE id = 'SLAB-CAT-3';
SELECT deals(id, format('0..%s: %s whole outside zero', i->>'max_amount', i->>'rate'), ARRAY[CASE n WHEN 1 THEN num(i, 'amount') ELSE num(i, 'max_amount') END], '{"accumulate": "deal"}', n)
FROM example, generate_series(1, 2) n WHERE id = 'FLAT-CF-9';    -- for contrast, that of person 2 is the maximum
SELECT quota(rep(id, n), num(x, 1)), spm.set_variable('salary', num(x, 2), payee => rep(id, n)), spm.set_variable('rate', num(i, 'base_rate'), payee => rep(id, n)),
       deals(id, tiers(i->'bands', 'whole of quota'), ARRAY[num(x, 0)], '{"quota": "bookings", "variable": "rate"}', n)
FROM example, each(i->'cases') WHERE id = 'CAP-CAT-1';
SELECT spm.add_modifier(plan(id), 'Pay', 'cap', variable => 'salary', rates => format('0: %s, 2: %s whole edge lower of quota', i->>'cap_of_salary', i->>'cap_of_salary_above_200pct'))
FROM example WHERE id = 'CAP-CAT-1';
SELECT deals(id, format('0: %s cap %s', i->>'rate', i->>'cap'), ARRAY[num(i, 'amount')]) FROM example WHERE id IN ('CAP-SPG-1', 'CAP-AUTO-1');
SELECT quota(rep(id, n), num(i, 'quota')), deals(id, '0: ' || (i->>'rate'), ARRAY[v], '{"quota": "bookings"}', n) FROM example, each(i->'amounts') WHERE id = 'GATE-OI-1';
SELECT spm.add_modifier(plan(id), 'Pay', 'gate', value => num(i, 'gate')) FROM example WHERE id = 'GATE-OI-1';
-- person 1 has a deal that retires no quota; for contrast, that of person 2 does
SELECT quota(rep(id, n), num(i, 'quota')), deals(id, '0: ' || (i->>'rate'), '{}', n => n), sell(rep(id, n), num(i->'deals'->0, 'amount'), tags => CASE n WHEN 1 THEN i->'deals'->0 ELSE '{"retires_quota": true}' END)
FROM example, generate_series(1, 2) n WHERE id = 'SPLIT-OI-8';
SELECT component(plan(id), 'Quota', '0: 0', '{"quota": "bookings", "eligible": "attributes #>> ''{tags,retires_quota}'' = ''true''"}'),
       spm.add_modifier(plan(id), 'Pay', 'gate', of => '{Quota}', value => num(i, 'gate'))
FROM example WHERE id = 'SPLIT-OI-8';
SELECT sell(rep(id, n), num(i, 'team') / 2), spm.set_manager(rep(id, n), rep(id), '2025-01-01') FROM example, generate_series(2, 3) n WHERE id = 'GATE-PRW-1';
SELECT deals(id, format('%s: %s', i->>'threshold', i->>'rate'), '{}', '{"credits": "rollup"}'),
       component(plan(id), 'First dollar', format('%s: %s whole', i->>'threshold', i->>'rate'), '{"credits": "rollup"}')
FROM example WHERE id = 'GATE-PRW-1';
SELECT quota(rep(id), num(i, 'quota')), deals(id, tiers(i->'attainment_tiers', 'of quota'), ARRAY[num(i, 'sales')], '{"quota": "bookings"}') FROM example WHERE id = 'ACC-PRW-1';

-- -------------------------------------------------- target pay, objectives

SELECT spm.set_quota(rep(id, n), period, 1000, 'bookings'), spm.set_variable('target', (num(i, 'on_target_earning') - num(i, 'base_salary')) * num(i, 'share_of_variable_pay') / 100 / 12 * v, payee => rep(id, n)),
       deals(id, '0%: 1', ARRAY[1000 * num(i, 'attainment')], format('{"quota": "bookings", "pay": "target", "variable": "target", "accumulate": "%s"}', grain)::jsonb, n, n)
FROM example, each(i->'months') JOIN (VALUES (1, 'period', '2025-01'), (3, 'quarter', '2025-Q1'), (12, 'year', '2025')) g (months, grain, period) ON months = v WHERE id = 'CENT-5';
SELECT quota(rep(id), num(i, 'quota')), spm.set_variable('target', num(i, 'target_variable'), payee => rep(id)),
       deals(id, '0%: 1, 100%: 0', array_fill(num(i, 'quota'), ARRAY[2]), '{"quota": "bookings", "pay": "target", "variable": "target"}'),
       component(plan(id), 'Above', '100%: ' || (i->>'above_rate'), '{"quota": "bookings"}')
FROM example WHERE id = 'ACC-GH-7';
SELECT quota(rep(id), num(i, 'quota')), spm.set_variable('target', num(i, 'variable'), payee => rep(id)), spm.set_variable('salary', num(i, 'base'), payee => rep(id)),
       deals(id, '0%: 1', ARRAY[num(i, 'quota')], '{"quota": "bookings", "pay": "target", "variable": "target"}'), component(plan(id), 'Base', '0: 1', '{"basis": "fixed", "variable": "salary"}')
FROM example WHERE id IN ('OTE-BEN-1', 'OTE-MK-1');
SELECT spm.set_variable('target', num(i, 'mbo'), payee => rep(id)), deals(id, '0: 1', ARRAY[num(i, 'commission')]), spm.set_objective(rep(id), '2025-01', 'launch', 1, 1),
       component(plan(id), 'MBO', '0: 1', '{"basis": "objective", "variable": "target"}')
FROM example WHERE id = 'MBO-OI-1';
SELECT spm.set_variable('salary', num(i, 'salary'), payee => rep(id)), deals(id, '0: ' || (i->>'target_percent'), '{}', '{"basis": "objective", "variable": "salary"}'),
       spm.set_objective(rep(id), '2025-01', 'all', 1, num(i, 'score'))
FROM example WHERE id = 'MBO-CARV-1';

-- ---------------------------------------------- several things at a time

SELECT spm.add_lookup(id, '{"profit", "gross profit percent"}') FROM example WHERE id = 'MTX-NECS-1';
SELECT spm.set_lookup('MTX-NECS-1', ARRAY[format('(%s,%s]', c.below, c.v), format('(%s,%s]', r.below, r.x->>0)], num(r.x->1, c.n::int - 1))
FROM (SELECT r.n, r.x, lag(r.x->>0) OVER (ORDER BY r.n) AS below FROM example, each(i->'rows_upper') r WHERE id = 'MTX-NECS-1') r,
     (SELECT c.n, c.v, lag(c.v) OVER (ORDER BY c.n) AS below FROM example, each(i->'columns_upper') c WHERE id = 'MTX-NECS-1') c;
SELECT deals(id, '0: 1', '{}', jsonb_build_object('lookup', id, 'lookup_by', '{amount,"(attributes #>> ''{tags,1}'')::numeric"}')) FROM example WHERE id = 'MTX-NECS-1';
SELECT sell(rep(id), num(x, 0), tags => x) FROM example, each(i->'cases') WHERE id = 'MTX-NECS-1';
SELECT quota(rep(id), num(i, 'amount') / num(i, 'attainment')), deals(id, '0: ' || (i->>'rate'), ARRAY[num(i, 'amount')], '{"quota": "bookings"}'),
       spm.add_modifier(plan(id), 'Pay', 'multiply', rates => tiers(i->'quota_multiplier_bands', 'whole of quota'))
FROM example WHERE id = 'MULT-SB-1';
SELECT deals(id, '0: ' || (i->>'rate'), ARRAY[num(i, 'amount')]) FROM example WHERE id = 'MULT-SPG-1';
SELECT spm.add_modifier(plan(id), 'Pay', 'multiply', value => v) FROM example, each(i->'multipliers') WHERE id = 'MULT-SPG-1';

-- a quarter: two plans of one person, each with quota, target and deals of its own; a kicker on the mean; leave by the day
SELECT spm.add_measure(m) FROM unnest('{sdr,ae}'::text[]) m;
SELECT spm.set_quota(rep(id), '2025-Q1', num(i->m, 'target'), m), spm.set_variable(m, num(i->m, 'share') / 100 * (num(i, 'on_target_earning') - num(i, 'base_salary')) / 4, payee => rep(id)),
       component(plan(id), upper(m), '0%: 1', jsonb_build_object('quota', m, 'pay', 'target', 'variable', m, 'accumulate', 'quarter', 'credit_cap', i->m->'deal_cap', 'eligible', format('type = %L', m)))
FROM example, unnest('{sdr,ae}'::text[]) m WHERE id = 'CENT-8';
SELECT sell(rep(id), v, kind => m) FROM example, unnest('{sdr,ae}'::text[]) m, each(i->m->'deals') WHERE id = 'CENT-8';
SELECT spm.set_variable('salary', num(i, 'base_salary') / 4, payee => rep(id)), sell(rep(id), 0, quantity => num(i, 'leave_days'), kind => 'leave'),
       component(plan(id), 'Kicker', format('%s: %s bonus', i->'kicker'->>'threshold', num(i->'kicker', 'percent') / 100), '{"basis": "result", "variable": "salary"}'),
       spm.add_input(plan(id), 'Kicker', of => 'SDR', weight => 0.5), spm.add_input(plan(id), 'Kicker', of => 'AE', weight => 0.5),
       component(plan(id), 'Leave', format('0: %s per %s', i->>'leave_pool', i->>'leave_pool_days'), '{"measure": "quantity", "unit": "count", "eligible": "type = ''leave''"}'),
       spm.assign_plan(plan(id), '2025-01-01', payee => rep(id))
FROM example WHERE id = 'CENT-8';

-- ---------------------------------------------------- teams, pools, spiffs

SELECT quota(rep(id, n), num(i, 'quota')), deals(id, format('0%%: %s, 100%%: %s', i->>'base_rate', i->>'above_rate'), ARRAY[bookings], '{"quota": "bookings"}', n)
FROM example, LATERAL (SELECT num(x, 1) AS bookings, row_number() OVER () AS n FROM each(i->'reps'), generate_series(1, num(x, 0)::int)) r WHERE id = 'ACC-GH-6';
SELECT quota(rep(id, a.n), num(i->'member_quotas', a.n::int - 1)), spm.set_manager(rep(id, a.n), rep(id, 0), '2025-01-01'), deals(id, '0: 0', ARRAY[a.v], '{"quota": "bookings"}', a.n)
FROM example, each(i->'member_amounts') a WHERE id = 'POOL-OI-1';
SELECT component(plan(id), 'Rated', '0: 0', '{"basis": "result"}'), spm.add_input(plan(id), 'Rated', of => 'Pay', scope => 'team') FROM example WHERE id = 'POOL-OI-1';
SELECT sell(rep(id, n), num(i, 'amount') / 2), spm.set_manager(rep(id, n), rep(id), '2025-01-01') FROM example, generate_series(2, 3) n WHERE id = 'POOL-OI-2';
SELECT quota(rep(id), num(i, 'team_quota')), deals(id, tiers(i->'tiers_of_attainment', 'of quota'), '{}', '{"credits": "rollup", "quota": "bookings"}') FROM example WHERE id = 'POOL-OI-2';
SELECT spm.set_variable('shares', CASE n WHEN 1 THEN num(i, 'own_shares') ELSE num(i, 'total_shares') - num(i, 'own_shares') END, payee => rep(id, n)),
       deals(id, '0: 0', CASE n WHEN 2 THEN ARRAY[num(i, 'pool')] ELSE '{}' END, n => n)
FROM example, generate_series(1, 2) n WHERE id = 'POOL-MLM-2';
SELECT deals(id, '0: 0', CASE n WHEN 1 THEN ARRAY[num(i, 'pool')] ELSE '{}' END, n => n) FROM example, generate_series(1, num(i, 'members')::int) n WHERE id = 'POOL-CORE-1';
SELECT component(plan(id), 'Pool', '0: 100%', '{"basis": "pool"}' || CASE id WHEN 'POOL-MLM-2' THEN jsonb '{"variable": "shares"}' ELSE '{}' END),
       spm.add_input(plan(id), 'Pool', of => 'Pay', figure => 'amount', scope => 'plan')
FROM example WHERE id IN ('POOL-MLM-2', 'POOL-CORE-1');
-- a quarterly threshold in a monthly view: three times of it
SELECT quota(rep(id, n), 100), spm.set_variable('salary', num(i, 'base_salary') / 4, payee => rep(id, n)),
       deals(id, format('%s%%: %s bonus', 3 * num(i, 'threshold_percent'), num(i, 'payout_percent') / 100), ARRAY[v], '{"quota": "bookings", "variable": "salary"}', n)
FROM example, each(i->'attainment_percent') WHERE id = 'CENT-6';
SELECT deals(id, '0: ' || (i->>'payout'), '{}', '{"measure": "1", "unit": "count"}', n), sell(rep(id, n), num(i, 'revenue_per_deal'), cost => num(i, 'revenue_per_deal') * (1 - num(i, 'margin_share')))
FROM example, generate_series(1, num(i, 'winners')::int) n WHERE id = 'SPIF-RY-1';
SELECT component(plan(id), 'Revenue', '0: 0'), component(plan(id), 'Margin', '0: 0', '{"measure": "amount - cost"}') FROM example WHERE id = 'SPIF-RY-1';

CALL calculate();

-- ------------------------------------------------------------------- answers

-- what lies above quota is what begins there or later
SELECT answer(id, CASE WHEN i ? 'multiplier_tiers' THEN 'tiers in percent of quota, excess, variable' ELSE 'tiers in percent of quota, excess with one rate, variable' END, (
    SELECT jsonb_object_agg(k, CASE k WHEN 'base' THEN (SELECT coalesce(sum(slice_amount), 0) FROM spm_bi.lineage WHERE payee_key = rep(id) AND slice_from < num(i, 'quota'))
        WHEN 'overage' THEN (SELECT coalesce(sum(slice_amount), 0) FROM spm_bi.lineage WHERE payee_key = rep(id) AND slice_from >= num(i, 'quota')) ELSE paid(rep(id)) END)
    FROM jsonb_object_keys(e) k))
FROM example WHERE id IN ('ACC-TH-2', 'ACC-TH-5', 'ACC-TH-6', 'ACC-TH-7', 'ACC-TH-8', 'ACC-TH-9');
SELECT answer(id, 'tiers in percent of quota, excess; lineage', jsonb_build_object('multiplier', (
    SELECT jsonb_agg(rate ORDER BY payee_key) FROM spm_bi.lineage WHERE payee_key LIKE id || ' %' AND slice_from >= 1000)))
FROM example WHERE id = 'ACC-TH-11';
SELECT answer(id, 'modifier multiply', paid_each(id, 2)) FROM example WHERE id = 'ACC-TH-12';
SELECT answer(id, 'tiers in percent of quota', paid(rep(id))) FROM example WHERE id = 'ACC-GH-2';
SELECT answer(id, 'a plain rate, and a component whose first tier begins at the quota, modifier multiply', paid(rep(id))) FROM example WHERE id = 'ACC-OI-3';
SELECT answer(id, 'pay target, variable; modifier multiply by attainment', paid(rep(id))) FROM example WHERE id = 'ACC-RM-2';
SELECT answer(id, 'pay target, variable, tiers in percent of quota', jsonb_build_object('with_accelerator', paid(rep(id), 'Pay'), 'without', paid(rep(id), 'Without'))) FROM example WHERE id = 'ACC-RM-1';
SELECT answer(id, 'a plain rate; quota', jsonb_build_object('attainment', (attained(rep(id))).attainment_ratio, 'commission', paid(rep(id)))) FROM example WHERE id = 'FLAT-GH-1';
SELECT answer(id, 'two components: whole, bonus', jsonb_build_object('fixed', paid(rep(id), 'Fixed'), 'percentage', paid(rep(id), 'Pay'), 'total', paid(rep(id)))) FROM example WHERE id = 'STEP-IDY-1';

SELECT answer(id, 'modifiers multiply by attainment, add by objective, at most by variable',
    (SELECT jsonb_agg(paid(rep(id, n), 'Pay') / (attained(rep(id, n))).credited_amount ORDER BY n) FROM each(i->'cases')))
FROM example WHERE id = 'SLAB-CAT-3';
SELECT answer(id, 'whole, outside zero, accumulate deal', CASE WHEN paid(rep(id, 2)) > 0 THEN paid(rep(id)) END) FROM example WHERE id = 'FLAT-CF-9';
SELECT answer(id, 'whole, tiers in percent of quota, variable; modifier cap by variable and attainment, edge lower', (
    SELECT jsonb_agg(jsonb_build_array((SELECT sum(slice_amount) FROM spm_bi.lineage WHERE payee_key = rep(id, n) AND slice_kind <> 'cap'),
        (SELECT substring(k.definition FROM 'cap ([0-9.]+)')::numeric FROM spm.standing_measurement m JOIN spm.schedule k USING (schedule_id) JOIN spm.payee USING (payee_id) WHERE payee_key = rep(id, n)),
        paid(rep(id, n))) ORDER BY n)
    FROM each(i->'cases')))
FROM example WHERE id = 'CAP-CAT-1';
SELECT answer(id, 'cap', (SELECT jsonb_build_object('uncapped', sum(slice_amount) FILTER (WHERE slice_kind <> 'cap'), 'paid', paid(rep(id))) FROM spm_bi.lineage WHERE payee_key = rep(id)))
FROM example WHERE id IN ('CAP-SPG-1', 'CAP-AUTO-1');
SELECT answer(id, 'modifier gate', paid_each(id, 2)) FROM example WHERE id = 'GATE-OI-1';
SELECT answer(id, 'modifier gate on another component, eligible', CASE WHEN paid(rep(id, 2)) > 0 THEN paid(rep(id)) END) FROM example WHERE id = 'SPLIT-OI-8';
SELECT answer(id, 'credits rollup, first tier at the threshold: marginal; whole', jsonb_build_object('above_threshold_only', paid(rep(id), 'Pay'), 'first_dollar', paid(rep(id), 'First dollar')))
FROM example WHERE id = 'GATE-PRW-1';
SELECT answer(id, 'tiers in percent of quota, the first at 0; lineage', (SELECT jsonb_build_object('slices', jsonb_agg(slice_amount ORDER BY tier_no), 'total', paid(rep(id))) FROM spm_bi.lineage WHERE payee_key = rep(id)))
FROM example WHERE id = 'ACC-PRW-1';

SELECT answer(id, 'pay target, variable; accumulate period, quarter, year', paid_each(id, 3)) FROM example WHERE id = 'CENT-5';
SELECT answer(id, 'pay target, variable; another component from quota on', jsonb_build_object('base_rate', paid(rep(id), 'Pay') / num(i, 'quota'), 'multiple', paid(rep(id), 'Above') / paid(rep(id), 'Pay')))
FROM example WHERE id = 'ACC-GH-7';
SELECT answer(id, 'pay target, variable; basis fixed', jsonb_build_object('ote', paid(rep(id)), 'rate', paid(rep(id), 'Pay') / (attained(rep(id))).credited_amount)) FROM example WHERE id IN ('OTE-BEN-1', 'OTE-MK-1');
SELECT answer(id, 'basis objective, variable', paid(rep(id))) FROM example WHERE id IN ('MBO-OI-1', 'MBO-CARV-1');
SELECT answer(id, 'lookup of two dimensions', (SELECT jsonb_agg(earned_amount / num(tags, 0) ORDER BY deal_id) FROM spm_bi.earning JOIN deal ON deal_id = transaction_key WHERE payee_key = rep(id)))
FROM example WHERE id = 'MTX-NECS-1';
SELECT answer(id, 'modifier multiply by attainment', paid(rep(id))) FROM example WHERE id = 'MULT-SB-1';
SELECT answer(id, 'two modifiers multiply', (SELECT jsonb_build_object('base', m.earned_amount / m.factor, 'total', paid(rep(id))) FROM spm.standing_measurement m JOIN spm.payee USING (payee_id) WHERE payee_key = rep(id)))
FROM example WHERE id = 'MULT-SPG-1';
SELECT answer(id, 'pay target, variable, credit_cap, accumulate quarter; basis result with two inputs, bonus; unit count, per',
    jsonb_build_object('plans', paid(rep(id), 'SDR') + paid(rep(id), 'AE'), 'kicker', paid(rep(id), 'Kicker'), 'leave', paid(rep(id), 'Leave'), 'total', paid(rep(id))))
FROM example WHERE id = 'CENT-8';

SELECT answer(id, 'tiers in percent of quota', (SELECT jsonb_build_object('bookings', sum(credited_amount), 'compensation', sum(earned_amount), 'percent', round(100 * sum(earned_amount) / sum(credited_amount), 1))
    FROM spm_bi.attainment WHERE plan_name = plan(id)))
FROM example WHERE id = 'ACC-GH-6';
SELECT answer(id, 'basis result, scope team', jsonb_build_object('individual', (SELECT jsonb_agg((attained(rep(id, n))).attainment_ratio ORDER BY n) FROM each(i->'member_amounts')),
    'team', (SELECT min(credited_amount) FROM spm_bi.attainment WHERE plan_name = plan(id) AND component_name = 'Rated' HAVING min(credited_amount) = max(credited_amount))))
FROM example WHERE id = 'POOL-OI-1';
SELECT answer(id, 'credits rollup, tiers in percent of the manager''s quota', paid(rep(id))) FROM example WHERE id = 'POOL-OI-2';
SELECT answer(id, 'basis pool, variable for the shares', jsonb_build_object('own', paid(rep(id), 'Pool'), 'per_share', paid(rep(id), 'Pool') / num(i, 'own_shares'))) FROM example WHERE id = 'POOL-MLM-2';
SELECT answer(id, 'basis pool', (SELECT paid(rep(id), 'Pool') FROM generate_series(1, num(i, 'members')::int) n HAVING count(DISTINCT paid(rep(id, n), 'Pool')) = 1)) FROM example WHERE id = 'POOL-CORE-1';
SELECT answer(id, 'bonus, variable, tier in percent of quota', paid_each(id, 3)) FROM example WHERE id = 'CENT-6';
SELECT answer(id, 'measure 1, unit count; measure amount - cost', jsonb_build_object('cost', cost, 'revenue', revenue, 'margin', margin, 'roi_percent', round(100 * (margin - cost) / cost)))
FROM example, LATERAL (SELECT sum(earned_amount) AS cost, sum(credited_amount) FILTER (WHERE component_name = 'Revenue') AS revenue, sum(credited_amount) FILTER (WHERE component_name = 'Margin') AS margin
                       FROM spm_bi.attainment WHERE plan_name = plan(id)) a
WHERE id = 'SPIF-RY-1';
