/*
 * Who is credited, what comes up the tree, which rule counts, what a refund
 * takes back, and what is refused.
 */
SELECT spm.create_calendar('quarters', 'quarter', '2024-01-01', '2027-01-01');

-- ------------------------------------------------------------------- splits

SELECT deals(id, '0: ' || (i->>'rate'), '{}', n => n) FROM example, each(i->'shares') WHERE id IN ('SPLIT-CARV-1', 'SPLIT-PRW-3', 'SPLIT-OI-1');
SELECT quota(rep(id, n), num(i, 'quota_each')), deals(id, tiers(i->'tiers_of_attainment', 'of quota'), '{}', '{"quota": "bookings"}', n) FROM example, each(i->'shares') WHERE id = 'SPLIT-OI-3';
SELECT quota(rep(id, n), 100000), deals(id, '0: 0', '{}', '{"quota": "bookings"}', n) FROM example, each(i->'shares') WHERE id = 'SPLIT-OI-7';
INSERT INTO share
SELECT deal_id, rep(id, n), v FROM example CROSS JOIN LATERAL sell(rep(id), coalesce(num(i, 'amount'), num(i, 'quota_credit'))) AS deal_id, each(i->'shares')
WHERE id IN ('SPLIT-CARV-1', 'SPLIT-PRW-3', 'SPLIT-OI-1', 'SPLIT-OI-3', 'SPLIT-OI-7');
SELECT deals(id, '0: 100%', '{}', n => n) FROM example, generate_series(1, 2) n WHERE id = 'SPLIT-RPM-1';
INSERT INTO share
SELECT deal_id, rep(id, s.n), CASE s.n WHEN 1 THEN num(i, 'share') ELSE 1 - num(i, 'share') END
FROM example, each(i->'amounts') CROSS JOIN LATERAL sell(rep(id), v) AS deal_id, generate_series(1, 2) s (n) WHERE id = 'SPLIT-RPM-1';
-- owner 10, 20 ... and partner 11, 21 ...
SELECT quota(rep(id, 10 * n + p), num(i, 'target')), deals(id, '0: 0', '{}', jsonb_build_object('quota', 'bookings', 'credit_cap', i->'cap'), 10 * n + p)
FROM example, each(i->'partner_percent'), generate_series(0, 1) p WHERE id = 'CAP-CENT-2';
INSERT INTO share
SELECT deal_id, rep(id, 10 * n + p), CASE p WHEN 0 THEN 100 - v ELSE v END / 100
FROM example, each(i->'partner_percent') CROSS JOIN LATERAL sell(rep(id, 10 * n), num(i, 'deal')) AS deal_id, generate_series(0, 1) p WHERE id = 'CAP-CENT-2';
-- agents 1, 2 ... by a rule for the team; agent 10 by ownership; agent 11 by what is paid of an order
SELECT deals(id, format('0: %s%%', i->>'rate_percent'), '{}', '{"credits": "team"}', n) FROM example, generate_series(1, num(i, 'agents_per_line')::int) n WHERE id = 'OCA-A-1';
SELECT spm.add_team_rule(id, 'account_key = ''OCA-A-1''', '2025-01-01', payees => array(SELECT rep(id, n) FROM generate_series(1, num(i, 'agents_per_line')::int) n)),
       deals(id, format('0: %s%%', i->>'rate_percent'), '{}', n => 10, plan_no => 10), deals(id, format('0: %s%%', i->>'rate_percent'), '{}', '{"event": "payment"}', 11, 11)
FROM example WHERE id = 'OCA-A-1';
SELECT sell(rep(id, 12), v, account => id), sell(rep(id, 10), v) FROM example, each(i->'lines') WHERE id = 'OCA-A-1';
INSERT INTO payment
SELECT deal_id, day, total * percent / 100
FROM example, LATERAL (SELECT sum(v) AS total FROM each(i->'lines')) t CROSS JOIN LATERAL sell(rep(id, 11), total) AS deal_id,
    LATERAL (VALUES (date '2025-01-20', num(i, 'down_payment_percent')), ('2025-01-30', 100 - num(i, 'down_payment_percent'))) p (day, percent)
WHERE id = 'OCA-A-1';

-- ------------------------------------------------------------- up the tree

SELECT sell(rep(id, n), coalesce(num(i, 'team_sales'), num(i, 'amount')) / 2), spm.set_manager(rep(id, n), rep(id), '2025-01-01')
FROM example, generate_series(2, 3) n WHERE id IN ('OVR-PRW-1', 'FLAT-PREZI-1');
SELECT deals(id, '0: ' || (i->>'rate'), '{}', '{"credits": "rollup"}') FROM example WHERE id IN ('OVR-PRW-1', 'FLAT-PREZI-1');

-- ----------------------------------------------------------- which rule counts

-- the first that matches: the order of a CASE
SELECT deals(id, '0: 1', '{}', jsonb_build_object('measure', (
    SELECT 'amount * CASE ' || string_agg(format('WHEN attributes->''tags'' ? %L THEN %s', x->>0, num(x, 1) / 100), ' ' ORDER BY n) || ' ELSE 0 END' FROM each(i->'order'))))
FROM example WHERE id IN ('OCA-PB-1', 'OCA-PB-2');
SELECT sell(rep(id), num(i, 'price'), tags => x) FROM example, each(i->'lines') WHERE id IN ('OCA-PB-1', 'OCA-PB-2');
SELECT deals(id, '0: ' || (i->>'rate'), ARRAY[num(i, 'amount')]), component(plan(id), 'Flat', '0: ' || (i->>'flat'), '{"measure": "1", "unit": "count"}') FROM example WHERE id = 'PREC-CF-3';
-- the one with more dimensions given
SELECT spm.add_lookup(id, '{tier, amount}') FROM example WHERE id = 'PREC-CF-2';
SELECT spm.set_lookup(id, ARRAY['VIP', format('[%s,)', i->>'vip_min')], num(i, 'vip_rate')), spm.set_lookup(id, '{*,*}', num(i, 'global_rate')),
       deals(id, '0: 1', '{}', jsonb_build_object('lookup', id, 'lookup_by', '{account_key,amount}'))
FROM example WHERE id = 'PREC-CF-2';
SELECT sell(rep(id), num(x, 0), account => x->>1) FROM example, each(i->'sales') WHERE id = 'PREC-CF-2';

-- ------------------------------------------------------------------ refunds

-- one policy for every month of lapse, and one that lapses in the month asked for
SELECT deals(id, format('0: %s', i->>'rate'), '{}', jsonb_build_object('measure', 'amount * ' || (i->>'advance_months'), 'refund', 'unearned', 'earned_over', i->'advance_months'), n, calendar => 'quarters'),
       sell(rep(id, n), -num(i, 'monthly_premium'), ('2025-01-15'::date + v * interval '1 month')::date, takes_back => sell(rep(id, n), num(i, 'monthly_premium')))
FROM example, each((i->'lapse_months') || (i->'earned_month')) WHERE id = 'CLAW-NN-1';
-- what is returned on the last day, and on the day after
SELECT deals(id, '0: 10%', '{}', jsonb_build_object('refund', 'original', 'refund_window', format('%s months', i->>'window_months')), since => (i->>'payment')::date, calendar => 'quarters')
FROM example WHERE id = 'CLAW-CAT-4';
SELECT sell(rep(id), -100, day, takes_back => sell(rep(id), 100, (i->>'payment')::date)) FROM example, unnest('{2026-02-27,2026-02-28,2026-03-01}'::date[]) day WHERE id = 'CLAW-CAT-4';
SELECT deals(id, '0: 10%', '{}', jsonb_build_object('refund', 'original', 'refund_window', format('%s days', i->>'window_days')), calendar => 'quarters') FROM example WHERE id = 'KPI-CAT-2';
SELECT sell(rep(id), -100, (x#>>'{}')::date, takes_back => sell(rep(id), 100, (i->>'signed')::date)) FROM example, each(i->'churned_on') WHERE id = 'KPI-CAT-2';
SELECT quota(rep(id), num(i, 'quota')), deals(id, tiers(i->'tiers_of_attainment', 'of quota'), numbers(i->'transactions') || num(i, 'reversal'), '{"quota": "bookings"}')
FROM example WHERE id IN ('CLAW-OI-3', 'CLAW-OI-4');
SELECT deals(id, '0: ' || (i->>'rate'), '{}', '{"refund": "original", "places": 4}'), sell(rep(id), num(i, 'credit_amount'), '2025-01-20', takes_back => sell(rep(id), num(i, 'amount')))
FROM example WHERE id = 'FLAT-TRY-2';
SELECT quota(rep(id, n), num(i, 'quota')), deals(id, '100%: ' || (i->>'rate'), numbers(x), '{"quota": "bookings"}', n) FROM example, each(i->'cases') WHERE id = 'CLAW-OI-5';
SELECT spm.add_modifier(plan(id), 'Pay', 'multiply', value => num(i, 'multiplier')) FROM example WHERE id = 'CLAW-OI-5';
SELECT deals(id, '0: 100%', '{}', jsonb_build_object('refund', 'original', 'refund_share', i->'share')), sell(rep(id), -num(i, 'commission'), '2025-01-20', takes_back => sell(rep(id), num(i, 'commission')))
FROM example WHERE id = 'CLAW-C8-1';
SELECT deals(id, '0: ' || (i->>'unit_commission'), '{}', '{"measure": "quantity", "unit": "count"}'), sell(rep(id), 0, quantity => num(i, 'quantity')) FROM example WHERE id = 'UNIT-OCA-5';

CALL calculate();
CALL calculate('2024-Q1', calendar => 'quarters');
CALL calculate('2025-Q1', '2026-Q1', 'quarters');

-- ------------------------------------------------------------------- answers

SELECT answer(id, 'map_split', paid_each(id, jsonb_array_length(i->'shares'))) FROM example WHERE id IN ('SPLIT-CARV-1', 'SPLIT-PRW-3', 'SPLIT-OI-1');
SELECT answer(id, 'map_split; tiers in percent of quota', paid_each(id, 2)) FROM example WHERE id = 'SPLIT-OI-3';
SELECT answer(id, 'map_split; quota', jsonb_build_array((attained(rep(id, 1))).credited_amount, (attained(rep(id, 2))).credited_amount)) FROM example WHERE id = 'SPLIT-OI-7';
SELECT answer(id, 'map_split', earned(rep(id))) FROM example WHERE id = 'SPLIT-RPM-1';
SELECT answer(id, 'map_split; credit_cap, quota', (SELECT jsonb_build_object('owner', jsonb_agg((attained(rep(id, 10 * n))).attainment_ratio ORDER BY n), 'partner', jsonb_agg((attained(rep(id, 10 * n + 1))).attainment_ratio ORDER BY n))
    FROM each(i->'partner_percent')))
FROM example WHERE id = 'CAP-CENT-2';
SELECT answer(id, 'add_team_rule, credits team; map_event, event', jsonb_build_object('all_agents', (SELECT sum(paid(rep(id, n))) FROM generate_series(1, num(i, 'agents_per_line')::int) n),
    'one_agent', paid(rep(id, 10)), 'down_payment', earned(rep(id, 11))->0, 'final_invoice', earned(rep(id, 11))->1))
FROM example WHERE id = 'OCA-A-1';

SELECT answer(id, 'credits rollup', paid(rep(id))) FROM example WHERE id IN ('OVR-PRW-1', 'FLAT-PREZI-1');

SELECT answer(id, 'measure with CASE', jsonb_build_object('total', paid(rep(id)))) FROM example WHERE id IN ('OCA-PB-1', 'OCA-PB-2');
SELECT answer(id, 'two components: a plain rate, and one of measure 1, unit count', paid(rep(id))) FROM example WHERE id = 'PREC-CF-3';
SELECT answer(id, 'lookup, by tier and range of amounts before all', earned(rep(id))) FROM example WHERE id = 'PREC-CF-2';

-- what is earned after a month more is what it takes back less; at five months what is not taken back
SELECT answer(id, 'refund unearned, earned_over', jsonb_build_object('advance', advance, 'chargeback', (SELECT jsonb_agg(back ORDER BY n) FROM unnest(lapse[1:4]) WITH ORDINALITY u (back, n)),
    'per_month', lapse[4] - lapse[1], 'earned_at_5', advance - lapse[5], 'earned_at_5_percent', round(100 * (advance - lapse[5]) / advance, 1)))
FROM example, LATERAL (SELECT max(earned_amount) AS advance, array_agg(taken_back ORDER BY n) AS lapse
    FROM (SELECT n, max(earned_amount) AS earned_amount, -min(least(earned_amount, 0)) AS taken_back FROM generate_series(1, 5) n JOIN spm_bi.earning ON payee_key = rep(id, n) GROUP BY n) p) a
WHERE id = 'CLAW-NN-1';
SELECT answer(id, 'refund original, refund_window in months', (SELECT jsonb_build_object('last_day', max(event_date)) FROM spm_bi.earning WHERE payee_key = rep(id) AND earned_amount < 0)) FROM example WHERE id = 'CLAW-CAT-4';
SELECT answer(id, 'refund original, refund_window in days', (
    SELECT jsonb_build_object('counts', jsonb_agg(EXISTS (SELECT FROM spm_bi.earning WHERE payee_key = rep(id) AND event_date = (x#>>'{}')::date AND earned_amount < 0) ORDER BY n)) FROM each(i->'churned_on')))
FROM example WHERE id = 'KPI-CAT-2';
SELECT answer(id, 'tiers in percent of quota, refund running', jsonb_build_object('before', num(earned(rep(id)), 0) + num(earned(rep(id)), 1), 'reversal', earned(rep(id))->2, 'after', paid(rep(id))))
FROM example WHERE id = 'CLAW-OI-3';
SELECT answer(id, 'tiers in percent of quota, refund running', paid(rep(id))) FROM example WHERE id = 'CLAW-OI-4';
SELECT answer(id, 'refund original, places 4', jsonb_build_object('original', earned(rep(id))->0, 'credit', earned(rep(id))->1, 'net', paid(rep(id)))) FROM example WHERE id = 'FLAT-TRY-2';
SELECT answer(id, 'a tier that begins at the quota, modifier multiply, refund running', jsonb_build_object('after', paid_each(id, 2), 'delta', jsonb_build_array(earned(rep(id, 1))->1, earned(rep(id, 2))->1)))
FROM example WHERE id = 'CLAW-OI-5';
SELECT answer(id, 'refund original, refund_share', earned(rep(id))->1) FROM example WHERE id = 'CLAW-C8-1';
SELECT answer(id, 'measure quantity, unit count', paid(rep(id))) FROM example WHERE id = 'UNIT-OCA-5';

-- ------------------------------------------------------------------ refusals

-- the rate of a seller is a variable, which keeps to a range
SELECT spm.limit_variable(id, format('[%s,%s]', num(i->'allowed', 0) / 100, num(i->'allowed', 1) / 100)::numrange) FROM example WHERE id = 'VALID-ERP-1';
CREATE FUNCTION is_refused(variable text, value numeric) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM spm.set_variable(variable, value);
    RETURN false;
EXCEPTION WHEN check_violation THEN
    RETURN true;
END
$$;
SELECT answer(id, 'variable, limit_variable', jsonb_build_object('rejected', (SELECT jsonb_agg(is_refused(id, v / 100) ORDER BY n) FROM each(i->'rates_percent'))))
FROM example WHERE id = 'VALID-ERP-1' AND NOT is_refused(id, num(i->'allowed', 1) / 100);
CREATE FUNCTION refused(id text, i jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oracle.share SELECT deal_id, oracle.rep(id, n), v FROM oracle.sell(oracle.rep(id), 100) AS deal_id, oracle.each(i->'shares');
    CALL spm.calculate('2025-01', 'months');
    RETURN 'calculated';
EXCEPTION WHEN data_exception THEN
    RETURN 'refused: ' || SQLERRM;
END
$$;
SELECT answer(id, 'map_split: the calculation is refused', jsonb_build_object('error', why ~ '^refused: shares of transaction .* total 0.9, not 1$')) FROM example, refused(id, i) AS why WHERE id = 'VALID-OI-1';
