/*
 * What a deal or a total earns: flat rates, tiers, the whole at the rate reached,
 * rates between tiers, units, rounding.
 */

-- ---------------------------------------------------------------- flat rates

SELECT deals(id, format('0: %s%%', i->>'rate_percent'), '{}', '{"eligible": "attributes #>> ''{tags,commissionable}'' = ''yes''"}'),
       sell(rep(id), num(i, 'eligible_amount'), tags => '{"commissionable": "yes"}'), sell(rep(id), num(i, 'eligible_amount'), tags => '{"commissionable": "no"}')
FROM example WHERE id LIKE 'FLAT-ERP-_';
SELECT deals(id, '0: ' || (i->>'rate'), ARRAY[num(i, 'amount')]) FROM example WHERE id IN ('FLAT-CF-4', 'FLAT-CF-5', 'FLAT-MS-2', 'FLAT-TUNE-2', 'TRUE-OI-2');
SELECT deals(id, format('0: %s%%', i->>'rate_percent'), ARRAY[num(i, 'amount')]),
       component(plan(id), 'Extra', format('0: %s%%', i->>'extra_percent'), '{"basis": "result"}'), spm.add_input(plan(id), 'Extra', of => 'Pay', figure => 'earned')
FROM example WHERE id = 'OCA-F-1';
-- for contrast, that of person 2 is not free
SELECT deals(id, format('0: %s%%', i->>'rate_percent'), '{}', '{"eligible": "attributes #>> ''{tags,commission_free}'' = ''false''"}', n),
       sell(rep(id, n), num(i, 'amount'), tags => CASE n WHEN 1 THEN i ELSE i || '{"commission_free": false}' END)
FROM example, generate_series(1, 2) n WHERE id = 'FLAT-OCA-2';
SELECT deals(id, '0: 5%', '{}', '{"eligible": "attributes #>> ''{tags,status}'' = ''won''", "quota": "bookings"}'), quota(rep(id), num(i, 'target')),
       sell(rep(id), num(i, 'target'), tags => '{"status": "open"}')
FROM example WHERE id = 'FLAT-GH-2';
SELECT sell(rep(id), num(x, 0), tags => jsonb_build_object('status', x->1)) FROM example, each(i->'deals') WHERE id = 'FLAT-GH-2';

-- ------------------------------------------------------------ marginal tiers

SELECT deals(id, tiers(i->'tiers'), ARRAY[v], n => n) FROM example, each(i->'amounts')
WHERE id IN ('MARG-GIST-1', 'MARG-MT-1', 'MARG-QAM-1', 'MARG-HF-1', 'MARG-SPG-1', 'TAX-BG-1');
SELECT deals(id, tiers(i->'tiers'), numbers(i->'transactions'), '{"accumulate": "deal"}') FROM example WHERE id = 'MARG-OF-1';
SELECT deals(id, tiers(i->'tiers'), ARRAY[num(i, 'amount')]) FROM example WHERE id = 'MARG-OF-2';
SELECT deals(id, tiers(i->'tiers_of_attainment', CASE i->>'boundary' WHEN 'lower' THEN 'of quota edge lower' ELSE 'of quota' END), numbers(i->'transactions'), '{"quota": "bookings"}'),
       quota(rep(id), num(i, 'quota'))
FROM example WHERE id IN ('MARG-OI-1', 'MARG-OI-4', 'MARG-OI-5');
SELECT deals(id, tiers(i->'attainment_tiers', 'of quota'), ARRAY[num(i, 'amount')], '{"quota": "bookings"}'), quota(rep(id), num(i, 'quota'))
FROM example WHERE id = 'MARG-PRW-1';
SELECT spm.set_variable('salary', num(i, 'base'), payee => rep(id)),
       deals(id, tiers(i->'tiers_years'), '{}', '{"measure": "quantity", "unit": "count", "variable": "salary"}'), sell(rep(id), 0, quantity => num(i, 'years'))
FROM example WHERE id = 'TAX-HR-1';

-- --------------------------------------------- the whole at the rate reached

SELECT deals(id, tiers(i->'bands', 'whole'), numbers(i->'amounts'), '{"accumulate": "deal"}') FROM example WHERE id IN ('SLAB-CF-1', 'SLAB-PASTE-1', 'SLAB-OF-1');
SELECT deals(id, tiers(i->'bands', 'whole'), numbers(i->'amounts')) FROM example WHERE id = 'SLAB-MYT-1';
SELECT deals(id, tiers(i->'sections', 'whole edge closed outside zero', 0.01), ARRAY[v], n => n) FROM example, each(i->'bases') WHERE id = 'OCA-SEC-1';
SELECT spm.set_variable('base_rate', num(i, 'base_rate'), payee => rep(id, n)), quota(rep(id, n), num(i, 'quota')),
       deals(id, CASE n WHEN 1 THEN tiers(i->'bands', 'of quota whole')
                 -- the contrast takes the band of rate 0 as a threshold: once passed, all below it earns the first rate
                 ELSE (SELECT tiers(jsonb_agg(x ORDER BY b.n), 'of quota base ' || (array_agg(x->>2 ORDER BY b.n))[1]) FROM each(i->'bands') b WHERE num(x, 2) > 0) END,
             ARRAY[num(i, 'net_revenue')], '{"quota": "bookings", "variable": "base_rate"}', n, n)
FROM example, generate_series(1, 2) n WHERE id = 'SLAB-CAT-4';
-- the team total is that of all seats with the same manager; what the three do not sell somebody else does
SELECT deals(id, tiers(i->'individual_bands', 'whole'), ARRAY[x::numeric], n => n)
FROM example, LATERAL (SELECT numbers(i->'sales') AS sales) s, LATERAL unnest(sales || (num(i, 'team_total') - (SELECT sum(v) FROM unnest(sales) v))) WITH ORDINALITY u (x, n)
WHERE id LIKE 'SLAB-ZAF-_';
SELECT spm.set_manager(rep(id, n), rep(id, 0), '2025-01-01') FROM example, generate_series(1, 4) n WHERE id LIKE 'SLAB-ZAF-_';
SELECT component(plan(id), 'Team', '0: 1'),
       spm.add_modifier(plan(id), 'Team', 'multiply', of => '{Pay}', figure => '{amount}', scope => 'team', rates => tiers(i->'team_bands', 'whole'))
FROM example WHERE id LIKE 'SLAB-ZAF-_';

-- ------------------------------------------------------- between two tiers

SELECT deals(id, tiers(i->'tiers_with_rate', 'weighted'), ARRAY[num(i, 'amount')]) FROM example WHERE id = 'INTERP-OF-2';
SELECT deals(id, (SELECT string_agg(format('%s: %s', x->>0, x->>1), ', ' ORDER BY n) || ' interpolated' FROM each(i->'points')), ARRAY[num(i, 'x')])
FROM example WHERE id = 'INTERP-SAP-1';
SELECT spm.set_variable('target', num(i, 'target_bonus'), payee => rep(id)), quota(rep(id), 1000),
       deals(id, format('0%%: 1, 100%%: %s', i->>'slope_above'), ARRAY[1000 * num(i, 'attainment')], '{"quota": "bookings", "pay": "target", "variable": "target"}'),
       spm.add_modifier(plan(id), 'Pay', 'cap', value => num(i, 'cap_percent') / 100, variable => 'target')
FROM example WHERE id = 'INTERP-BP-2';

-- -------------------------------------------------------------------- units

SELECT deals(id, '0: ' || (i->>'per_unit'), '{}', '{"measure": "quantity", "unit": "count"}'), sell(rep(id), 0, quantity => num(i, 'units'))
FROM example WHERE id IN ('UNIT-ITA-1', 'SPIF-BEN-1');
SELECT deals(id, '0: ' || (i->>'unit_commission'), '{}', '{"measure": "quantity", "unit": "count", "eligible": "event_date BETWEEN ''2025-01-10'' AND ''2025-01-20''"}', n),
       sell(rep(id, n), 0, quantity => num(i, 'quantity'), day => CASE WHEN x::boolean THEN date '2025-01-20' ELSE '2025-01-21' END)
FROM example, each(i->'inside') WHERE id = 'UNIT-OCA-4';
SELECT deals(id, (SELECT string_agg(format('%s: %s', p.x->>0, p.x->>1), ', ' ORDER BY p.n) || ' whole' FROM each(i->'price_list') p), '{}',
             '{"measure": "quantity", "unit": "count", "accumulate": "deal"}', n), sell(rep(id, n), 0, quantity => v)
FROM example, each(i->'quantities') WHERE id = 'UNIT-OCA-3';

-- ----------------------------------------------------------------- rounding

SELECT deals(id, '0: 100%', ARRAY[num(i, 'value')], jsonb_build_object('places', i->'places', 'rounding', replace(coalesce(i->>'mode', 'half_up'), 'ceil', 'ceiling')))
FROM example WHERE id LIKE 'ROUND-OI-%' OR id = 'ROUND-ESPO-1';
SELECT deals(id, '0: ' || (i->>'base_rate'), ARRAY[num(i, 'net_revenue')]), spm.add_modifier(plan(id), 'Pay', 'multiply', value => num(i, 'multiplier')),
       component(plan(id), 'Base', '0: ' || (i->>'base_rate')), component(plan(id), 'In two steps', '0: ' || (i->>'multiplier'), '{"basis": "result"}'),
       spm.add_input(plan(id), 'In two steps', of => 'Base', figure => 'earned')
FROM example WHERE id = 'ROUND-CAT-1';
SELECT spm.set_variable('multiplier', v, payee => rep(id, n)), deals(id, '0: ' || (i->>'base_rate'), ARRAY[num(i, 'net_revenue')], '{"variable": "multiplier"}', n)
FROM example, each(i->'multipliers') WHERE id = 'ROUND-CAT-2';

-- ------------------------------------------------------------- zero, margin

SELECT deals(id, '0: 5%', ARRAY[num(i, 'amount')], '{"quota": "bookings"}'), quota(rep(id), num(i, 'quota')) FROM example WHERE id = 'ZERO-OI-2';
-- the principal's commission is the company's, which sits above the agent
SELECT spm.set_manager(rep(id), rep(id, 2), '2025-01-01'), spm.set_variable('base_rate', rate, payee => rep(id)), deals(id, '0: 1', '{}', '{"variable": "base_rate"}'),
       component(plan(id, 2), 'Pay', '0: ' || principal_rate, '{"credits": "rollup"}'), spm.assign_plan(plan(id, 2), '2025-01-01', payee => rep(id, 2)),
       sell(rep(id), price, quantity => quantity)
FROM example, LATERAL (SELECT num(i, 'quantity') AS quantity, num(i, 'quantity') * num(line->'inputs', 'unit_price') AS price, num(line->'inputs', 'agent_rate') AS rate
                       FROM line WHERE line->>'id' = 'MARGIN-TRY-1') o,
    LATERAL (SELECT coalesce(num(i, 'principal_rate'), num(i, 'principal_commission') / price) AS principal_rate) p
WHERE id IN ('MARGIN-TRY-1', 'MARGIN-TRY-2');
SELECT spm.add_lookup(id, '{"profit by cost"}'), spm.set_lookup(id, ARRAY[format('[%s,)', (num(i, 'price') - num(i, 'cost')) / num(i, 'cost'))], num(i, 'rate_of_band_percent') / 100),
       deals(id, '0: 1', '{}', jsonb_build_object('measure', 'amount - cost', 'lookup', id, 'lookup_by', '{(amount - cost) / cost}')),
       component(plan(id), 'Profit', '0: 0%', '{"measure": "amount - cost"}'), sell(rep(id), num(i, 'price'), cost => num(i, 'cost'))
FROM example WHERE id = 'MARGIN-EH-1';

CALL calculate();
-- re-priced: the agent's rate has changed since
UPDATE spm.variable_value v SET value = num(i, 'agent_commission') / d.amount
FROM example JOIN deal d ON d.rep = id || ' 1' JOIN spm.payee p ON p.payee_key = d.rep WHERE id = 'MARGIN-TRY-2' AND v.payee_id = p.payee_id;
CALL calculate();

-- ------------------------------------------------------------------- answers

SELECT answer(id, 'eligible', paid(rep(id))) FROM example WHERE id LIKE 'FLAT-ERP-_';
SELECT answer(id, 'eligible', CASE WHEN paid(rep(id, 2)) > 0 THEN paid(rep(id)) END) FROM example WHERE id = 'FLAT-OCA-2';
SELECT answer(id, 'a plain rate', paid(rep(id))) FROM example WHERE id IN ('FLAT-CF-4', 'FLAT-CF-5', 'FLAT-MS-2', 'FLAT-TUNE-2', 'TRUE-OI-2');
SELECT answer(id, 'a component on what another one has earned: basis result', jsonb_build_object('base', paid(rep(id), 'Pay'), 'commission', paid(rep(id)))) FROM example WHERE id = 'OCA-F-1';
SELECT answer(id, 'eligible', jsonb_build_object('base', (attained(rep(id))).credited_amount)) FROM example WHERE id = 'FLAT-GH-2';
SELECT answer(id, 'tiers', paid_each(id, jsonb_array_length(e))) FROM example
WHERE id IN ('MARG-GIST-1', 'MARG-MT-1', 'MARG-QAM-1', 'MARG-HF-1', 'MARG-SPG-1', 'TAX-BG-1');
SELECT answer(id, 'tiers, accumulate deal', jsonb_build_object('payout', earned(rep(id)), 'total', paid(rep(id)), 'blended_rate_percent',
    (SELECT jsonb_agg(round(100 * earned_amount / base_amount, 3) ORDER BY transaction_key) FROM spm_bi.earning WHERE payee_key = rep(id))))
FROM example WHERE id = 'MARG-OF-1';
SELECT answer(id, 'tiers; lineage', jsonb_build_object('blended_rate', sum(slice_amount) / min(transaction_amount), 'parts', jsonb_agg(slice_amount / transaction_amount ORDER BY tier_no)))
FROM example JOIN spm_bi.lineage ON payee_key = rep(id) WHERE id = 'MARG-OF-2' GROUP BY id;
SELECT answer(id, concat_ws(', ', 'tiers in percent of quota', CASE i->>'boundary' WHEN 'lower' THEN 'edge lower' END, CASE i->>'quota' WHEN '0' THEN 'zero quota top' END), earned(rep(id)))
FROM example WHERE id IN ('MARG-OI-1', 'MARG-OI-4', 'MARG-OI-5');
SELECT answer(id, 'tiers in percent of quota', paid(rep(id))) FROM example WHERE id = 'MARG-PRW-1';
SELECT answer(id, 'tiers over units, unit count, variable', paid(rep(id))) FROM example WHERE id = 'TAX-HR-1';

SELECT answer(id, 'whole, accumulate deal', earned(rep(id))) FROM example WHERE id IN ('SLAB-CF-1', 'SLAB-PASTE-1');
SELECT answer(id, 'whole, accumulate deal; statement', jsonb_build_object('rates', (SELECT jsonb_agg(rate ORDER BY tier_no) FROM spm_bi.statement WHERE payee_key = rep(id))))
FROM example WHERE id = 'SLAB-OF-1';
SELECT answer(id, 'whole', earned(rep(id))) FROM example WHERE id = 'SLAB-MYT-1';
SELECT answer(id, 'whole, edge closed, outside zero', paid_each(id, 4)) FROM example WHERE id = 'OCA-SEC-1';
SELECT answer(id, 'whole, tiers in percent of quota, variable; for contrast marginal, base', jsonb_build_object('retroactive', paid(rep(id, 1)), 'marginal_reading_for_contrast', paid(rep(id, 2))))
FROM example WHERE id = 'SLAB-CAT-4';
SELECT answer(id, 'whole; modifier multiply by the amount of the team', paid_each(id, 3)) FROM example WHERE id LIKE 'SLAB-ZAF-_';

SELECT answer(id, 'weighted; the schedule of the measurement', jsonb_build_object('rate', paid(rep(id)) / m.amount,
    'parts', (SELECT jsonb_agg(spm.rate_at(k.schedule, least(m.amount, t.tier_to)) - spm.rate_at(k.schedule, t.tier_from) ORDER BY tier_no) FROM spm.tier(k.schedule) t)))
FROM example JOIN spm.payee p ON p.payee_key = rep(id) JOIN spm.standing_measurement m USING (payee_id) JOIN spm.schedule k USING (schedule_id) WHERE id = 'INTERP-OF-2';
SELECT answer(id, 'interpolated', (SELECT jsonb_build_object('value', round(earned_amount / base_amount, 4)) FROM spm_bi.earning WHERE payee_key = rep(id))) FROM example WHERE id = 'INTERP-SAP-1';
SELECT answer(id, 'pay target, variable, tiers in percent of quota; modifier cap by variable', paid(rep(id))) FROM example WHERE id = 'INTERP-BP-2';

SELECT answer(id, 'measure quantity, unit count', paid(rep(id))) FROM example WHERE id IN ('UNIT-ITA-1', 'SPIF-BEN-1');
SELECT answer(id, 'measure quantity, unit count, eligible by date', paid_each(id, 2)) FROM example WHERE id = 'UNIT-OCA-4';
SELECT answer(id, 'measure quantity, unit count, whole, accumulate deal', paid_each(id, 2)) FROM example WHERE id = 'UNIT-OCA-3';

SELECT answer(id, format('places %s, rounding %s', i->>'places', replace(coalesce(i->>'mode', 'half_up'), 'ceil', 'ceiling')), paid(rep(id)))
FROM example WHERE id LIKE 'ROUND-OI-%' OR id = 'ROUND-ESPO-1';
SELECT answer(id, 'modifier multiply; in two steps basis result', jsonb_build_object('single_rounding', paid(rep(id), 'Pay'), 'if_rounded_after_base', paid(rep(id), 'In two steps')))
FROM example WHERE id = 'ROUND-CAT-1';
SELECT answer(id, 'variable', paid_each(id, 2)) FROM example WHERE id = 'ROUND-CAT-2';

SELECT answer(id, 'quota 0', CASE WHEN (attained(rep(id))).credited_amount = num(i, 'amount') THEN to_jsonb((attained(rep(id))).attainment_ratio) ELSE '"not measured"' END)
FROM example WHERE id = 'ZERO-OI-2';
SELECT answer(id, 'a plain rate, and one with credits rollup for the company',
    jsonb_build_object('agent', agent, 'principal', principal, 'commission_price_per_unit', per_unit, 'cost_including_commission', num(i, 'quantity') * (num(i, 'unit_cost') - per_unit)))
FROM example, LATERAL (SELECT paid(rep(id)) AS agent, paid(rep(id, 2)) AS principal) p, LATERAL (SELECT round((principal - agent) / num(i, 'quantity'), 4) AS per_unit) u
WHERE id = 'MARGIN-TRY-1';
SELECT answer(id, 'variable, changed after the calculation; credits rollup', jsonb_build_object('commission_price_per_unit', round((paid(rep(id, 2)) - paid(rep(id))) / num(i, 'quantity'), 4)))
FROM example WHERE id = 'MARGIN-TRY-2';
SELECT answer(id, 'measure amount - cost, lookup by profit on cost', jsonb_build_object('profit', profit, 'markup_percent', 100 * profit / num(i, 'cost'), 'commission', paid(rep(id))))
FROM example, LATERAL (SELECT (attained(rep(id), 'Profit')).credited_amount AS profit) p WHERE id = 'MARGIN-EH-1';
