-- Components that stand on results: objectives, ranks, pools, gates, multipliers, limits, lookups, true-ups, growth; figures worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA lab;
CREATE TABLE lab.deal (id text, day date, who text, amount numeric, cost numeric, product text, region text, units int, orders text, kind text);
INSERT INTO lab.deal VALUES
    ('A1', '2026-01-10', 'ann', 60000, 30000, 'BIKE', 'EU', 6, 'O1', 'booking'),
    ('A2', '2026-02-10', 'ann', 30000, 24000, 'HAT', 'EU', 3, 'O1', 'booking'),
    ('A3', '2026-03-10', 'ann', 30000, 3000, 'BIKE', 'US', 3, 'O2', 'booking'),
    ('B1', '2026-01-20', 'bob', 80000, 40000, 'BIKE', 'US', 8, 'O3', 'booking'),
    ('C1', '2026-03-30', 'cat', 80000, 70000, 'HAT', 'EU', 8, 'O4', 'booking'),
    ('D1', '2026-02-01', 'dan', 10000, 1000, 'HAT', 'US', 1, 'O5', 'booking'),
    ('A4', '2026-04-10', 'ann', 180000, 90000, 'BIKE', 'EU', 9, 'O6', 'booking'),
    ('B4', '2026-05-10', 'bob', 40000, 20000, 'BIKE', 'EU', 9, 'O7', 'booking'),
    ('A7', '2026-07-10', 'ann', 50000, 20000, 'BIKE', 'EU', 9, 'O8', 'booking');
SELECT spm.add_currency('USD'), spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.map_source('deals', 'lab.deal', key => 'id', date => 'day', owner => 'who', amount => 'amount', type => 'kind', cost => 'cost',
    product => 'product', quantity => 'units', fixed_currency => 'USD', attributes => '{region,orders}') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01')
FROM unnest('{ann,bob,cat,dan,max,zoe}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, 'max', '2025-01-01') FROM unnest('{ann,bob}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, 'zoe', '2025-01-01') FROM unnest('{cat,dan}'::text[]) k \g /dev/null
SELECT spm.add_measure('bookings'), spm.add_measure('margin') \g /dev/null
SELECT spm.set_quota(k, p, 100000, 'bookings'), spm.set_quota(k, p, 50000, 'margin')
FROM unnest('{ann,bob,cat,dan}'::text[]) k, unnest('{2026-Q1,2026-Q2,2026-Q3}'::text[]) p \g /dev/null
SELECT spm.set_variable('wage', 9200), spm.prorate_variable('wage') \g /dev/null
SELECT spm.set_variable('salary', 20000), spm.set_variable('target', 10000), spm.set_variable('shares', 1), spm.set_variable('shares', 2, payee => 'ann') \g /dev/null
SELECT spm.create_plan('Lab', 'fiscal', 'USD', '2026-01-01') \g /dev/null
SELECT spm.assign_plan('Lab', '2026-01-01', payee => k) FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null

CREATE FUNCTION pg_temp.earned(component text, period text DEFAULT '2026-Q1') RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(trim_scale(coalesce(m.earned_amount, 0))::text, ' ' ORDER BY y.payee_key)
    FROM spm.payee y LEFT JOIN (spm.standing_measurement m JOIN spm.component c USING (component_id) JOIN spm.period p USING (period_id))
        ON m.payee_id = y.payee_id AND c.name = component AND p.name = period
    WHERE y.payee_key IN ('ann', 'bob', 'cat', 'dan') $$;
CREATE FUNCTION pg_temp.because(component text, who text, period text DEFAULT '2026-Q1') RETURNS text LANGUAGE sql AS $$
    SELECT array_to_string(m.because, '; ') FROM spm.standing_measurement m JOIN spm.component c USING (component_id) JOIN spm.period p USING (period_id)
    JOIN spm.payee y USING (payee_id) WHERE c.name = component AND y.payee_key = who AND p.name = period $$;

-- ---- what a plan may say
SELECT spm.add_component('Lab', 'Revenue', '0: 10%', quota => 'bookings'),
    spm.add_component('Lab', 'Margin', '0: 0%', measure => 'amount - cost', quota => 'margin'),
    spm.add_component('Lab', 'Gated', '0: 10%', quota => 'bookings'), spm.add_modifier('Lab', 'Gated', 'gate', value => 0.8),
    spm.add_component('Lab', 'Strictly', '0: 10%', quota => 'bookings'), spm.add_modifier('Lab', 'Strictly', 'gate', value => 0.8, strict => true),
    spm.add_component('Lab', 'Other gate', '0: 10%'), spm.add_modifier('Lab', 'Other gate', 'gate', of => '{Margin}', value => 1),
    spm.add_component('Lab', 'Multiplied', '0: 10%'),
    spm.add_modifier('Lab', 'Multiplied', 'multiply', of => '{Revenue}', rates => '0%: 80%, 75%: 90%, 85%: 100%'),
    spm.add_component('Lab', 'Product', '0: 5%'), spm.add_modifier('Lab', 'Product', 'multiply', value => 1.1), spm.add_modifier('Lab', 'Product', 'multiply', value => 1.2),
    spm.add_component('Lab', 'Sum', '0: 5%'), spm.add_modifier('Lab', 'Sum', 'add', value => 0.1), spm.add_modifier('Lab', 'Sum', 'add', value => 0.2),
    spm.add_component('Lab', 'At most', '0: 5%'), spm.add_modifier('Lab', 'At most', 'add', value => 1.5), spm.add_modifier('Lab', 'At most', 'at most', value => 1.4),
    spm.add_component('Lab', 'At least', '0: 5%'), spm.add_modifier('Lab', 'At least', 'multiply', value => 0.1), spm.add_modifier('Lab', 'At least', 'at least', value => 0.5),
    spm.add_component('Lab', 'Capped', '0: 10%'), spm.add_modifier('Lab', 'Capped', 'cap', value => 0.35, variable => 'salary'), spm.add_modifier('Lab', 'Capped', 'floor', value => 2000),
    spm.add_component('Lab', 'Cap before', '0: 10%'), spm.add_modifier('Lab', 'Cap before', 'cap', value => 7000), spm.add_modifier('Lab', 'Cap before', 'multiply', value => 2),
    spm.add_component('Lab', 'Cap after', '0: 10%'), spm.add_modifier('Lab', 'Cap after', 'multiply', value => 2), spm.add_modifier('Lab', 'Cap after', 'cap', value => 7000),
    spm.add_component('Lab', 'Team gate', '0: 1%'), spm.add_modifier('Lab', 'Team gate', 'gate', of => '{Revenue}', scope => 'team', value => 1),
    spm.add_component('Lab', 'Plan gate', '0: 1%'), spm.add_modifier('Lab', 'Plan gate', 'gate', of => '{Revenue}', scope => 'plan', figure => '{amount}', value => 300000) \g /dev/null
SELECT spm.add_component('Lab', 'Base pay', '0: 100%', basis => 'fixed', variable => 'salary'),
    spm.add_component('Lab', 'Salary by days', '0: 100%', basis => 'fixed', variable => 'wage', prorate => 'calendar'),
    spm.add_component('Lab', 'MBO', '0%: 100%', basis => 'objective', variable => 'target'),
    spm.add_component('Lab', 'Kicker', '0: 20%', basis => 'result'), spm.add_input('Lab', 'Kicker', 'Revenue', 'earned'),
    spm.add_component('Lab', 'Mean', '0: 1000', basis => 'result'), spm.add_input('Lab', 'Mean', 'Revenue', weight => 0.7), spm.add_input('Lab', 'Mean', 'Margin', weight => 0.3),
    spm.add_component('Lab', 'Prize', '1: 1000, 2: 600, 3: 300, 4: 0 bonus', basis => 'rank'), spm.add_input('Lab', 'Prize', 'Revenue', 'amount', scope => 'plan'),
    spm.add_component('Lab', 'Dense', '1: 1000, 2: 600, 3: 300, 4: 0 bonus', basis => 'rank', ties => 'dense'), spm.add_input('Lab', 'Dense', 'Revenue', 'amount', scope => 'plan'),
    spm.add_component('Lab', 'Average', '1: 1000, 2: 600, 3: 300, 4: 0 interpolated', basis => 'rank', ties => 'average'), spm.add_input('Lab', 'Average', 'Revenue', 'amount', scope => 'plan'),
    spm.add_component('Lab', 'Shared', '1: 1000, 2: 600, 3: 301, 4: 0 bonus', basis => 'rank', ties => 'share'), spm.add_input('Lab', 'Shared', 'Revenue', 'amount', scope => 'plan'),
    spm.add_component('Lab', 'Team prize', '1: 1000, 2: 600 bonus', basis => 'rank'), spm.add_input('Lab', 'Team prize', 'Revenue', 'amount', scope => 'team'),
    spm.add_component('Lab', 'Pot', '0: 1%', basis => 'pool'), spm.add_input('Lab', 'Pot', 'Revenue', 'amount', scope => 'team'),
    spm.add_component('Lab', 'Shares', '0: 1%', basis => 'pool', variable => 'shares'), spm.add_input('Lab', 'Shares', 'Revenue', 'amount', scope => 'plan'),
    spm.add_component('Lab', 'By sales', '0: 1%', basis => 'pool'), spm.add_input('Lab', 'By sales', 'Margin', 'amount', scope => 'plan'), spm.add_input('Lab', 'By sales', 'Revenue', 'amount'),
    spm.add_component('Lab', 'Fixed pot', '0..: 10000 bonus', basis => 'pool'),
    spm.add_component('Lab', 'Target', '0%: 100%, 100%: 150%', pay => 'target', variable => 'target', quota => 'bookings'),
    spm.add_component('Lab', 'By order', '0: 1%, 50000: 2%', group_by => $$attributes ->> 'orders'$$),
    spm.add_component('Lab', 'Credit cap', '0: 1%', credit_cap => 50000),
    spm.add_component('Lab', 'Year', '0: 1%, 100000: 2%', accumulate => 'year'),
    spm.add_component('Lab', 'True-up', '0%: 1%, 100%: 2% whole', accumulate => 'year', true_up => true, quota => 'bookings'),
    spm.add_component('Lab', 'Opened', '0: 1%', accumulate => 'year', true_up => true, quota => 'bookings'), spm.add_modifier('Lab', 'Opened', 'gate', value => 0.35),
    spm.add_component('Lab', 'Forward', '0: 1%', accumulate => 'year', quota => 'bookings'), spm.add_modifier('Lab', 'Forward', 'gate', value => 0.35),
    spm.add_component('Lab', 'Rolling', '0: 1%, 150000: 2%', accumulate => 'rolling 2'),
    spm.add_component('Lab', 'Growth', '0%: 0%, 100%: 10%', against => 'prior period') \g /dev/null
SELECT spm.add_lookup('Rates', '{product,region}') \g /dev/null
SELECT spm.set_lookup('Rates', '{BIKE,*}', 0.05), spm.set_lookup('Rates', '{BIKE,US}', 0.06), spm.set_lookup('Rates', '{*,*}', 0.01) \g /dev/null
SELECT spm.add_lookup('Bands', '{margin %,profit}', 0) \g /dev/null
SELECT spm.set_lookup('Bands', '{"(0,50]","(0,30000]"}', 0.1), spm.set_lookup('Bands', '{"(50,100]","(0,50000]"}', 0.2) \g /dev/null
SELECT spm.add_lookup('Matrix', '{revenue,margin}') \g /dev/null
SELECT spm.set_lookup('Matrix', '{"[0,1)","[0,1)"}', 0.5), spm.set_lookup('Matrix', '{"[1,)","[0,1)"}', 1), spm.set_lookup('Matrix', '{"[0,1)","[1,)"}', 0.75), spm.set_lookup('Matrix', '{"[1,)","[1,)"}', 2) \g /dev/null
SELECT spm.add_component('Lab', 'Looked up', '0: 100%', accumulate => 'deal', lookup => 'Rates', lookup_by => $${product_key,"attributes ->> 'region'"}$$),
    spm.add_component('Lab', 'Banded', '0: 100%', measure => 'amount - cost', accumulate => 'deal', lookup => 'Bands', lookup_by => '{100 * (amount - cost) / amount,amount - cost}'),
    spm.add_component('Lab', 'Matrix', '0: 1%'), spm.add_modifier('Lab', 'Matrix', 'multiply', of => '{Revenue,Margin}', lookup => 'Matrix') \g /dev/null
SELECT spm.set_objective(k, '2026-Q1', 'Launch', 0.4, 1.25), spm.set_objective(k, '2026-Q1', 'Train', 0.6, 1) FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null

-- ---- what is refused, with its repair
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', basis => 'fixed', accumulate => 'year')$$, '22023', 'component "x" cannot accumulate over "year" with basis fixed', 'only credits accumulate');
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', true_up => true)$$, '22023', 'component "x" cannot accumulate over "period" and true up', 'a true-up needs a longer span');
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', pay => 'target', quota => 'bookings')$$, '22023', 'component "x" pays a target by attainment, but has no target', 'a target needs its variable');
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', lookup => 'Rates', lookup_by => '{product_key}')$$, '22023', 'component "x" needs one expression for each dimension of its lookup table', 'a lookup needs all its dimensions');
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', lookup => 'None', lookup_by => '{product_key}')$$, '42704', 'lookup table "None" does not exist', 'and a table that exists');
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', group_by => 'now()::text')$$, '42P17', NULL, 'a group is a checked expression');
SELECT throws_ok($$SELECT spm.add_component('Lab', 'x', '0: 1%', accumulate => 'rolling 0')$$, '22023', NULL, 'a rolling total has at least one period');
SELECT throws_ok($$SELECT spm.add_input('Lab', 'Revenue', 'Margin')$$, '22023', 'component "Revenue" is not reckoned from other components', 'a component on credits takes no input');
SELECT throws_ok($$SELECT spm.add_input('Lab', 'Kicker', 'None')$$, '42704', NULL, 'an input must exist');
SELECT throws_ok($$SELECT spm.add_modifier('Lab', 'Revenue', 'multiply')$$, '22023', 'modifier "multiply" of component "Revenue" does not say by what', 'a multiplier needs a value');
SELECT throws_ok($$SELECT spm.add_modifier('Lab', 'Revenue', 'gate')$$, '22023', NULL, 'a gate needs one too');
SELECT throws_ok($$SELECT spm.add_modifier('Lab', 'Revenue', 'multiply', of => '{Revenue}', figure => '{earned}')$$, '22023', 'component "Revenue" cannot be modified by its own earnings', 'nothing depends on what it earns itself');
SELECT throws_ok($$SELECT spm.add_modifier('Lab', 'Cap after', 'add', value => 1)$$, '22023', 'modifier "add" of component "Cap after" must come before its limits', 'after a limit nothing is added');
SELECT throws_ok($$SELECT spm.add_modifier('Lab', 'Revenue', 'multiply', of => '{Kicker}', figure => '{earned}', value => 1)$$, '42P19', 'components "Revenue", "Kicker" stand on each other', 'a circle is refused');
SELECT throws_ok($$SELECT spm.drop_modifier('Lab', 'Revenue', 1)$$, '42704', NULL, 'a modifier that is not there is not dropped');
SELECT throws_ok($$SELECT spm.set_lookup('Rates', '{BIKE}', 1)$$, '22023', 'lookup table "Rates" has 2 dimensions', 'a row of a lookup table says something of each dimension');
SELECT throws_ok($$SELECT spm.set_lookup('Bands', '{"(20,60]","(0,10]"}', 1)$$, '23P01', 'lookup table "Bands" has a row that covers the same', 'and overlaps no other');
SELECT throws_ok($$SELECT spm.set_objective('ann', '2026-Q1', 'x', 1.5)$$, '23514', NULL, 'no objective weighs more than all');
SELECT spm.publish_plan('Lab') \g /dev/null
UPDATE spm.objective SET superseded_at = now() WHERE payee_id = (SELECT payee_id FROM spm.payee WHERE payee_key = 'dan');
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'objectives of payee "dan" for 2026-Q1 are missing', 'whoever is paid by objectives has some');
SELECT spm.set_objective('dan', '2026-Q1', 'Launch', 0.4, 0.5) \g /dev/null
SELECT throws_ok($$CALL spm.calculate('2026-Q1')$$, '22000', 'objectives of payee "dan" for 2026-Q1 have weights that total 0.4, not 1', 'that weigh 1 in all');
SELECT spm.set_objective('dan', '2026-Q1', 'Train', 0.6) \g /dev/null
CALL spm.calculate('2026-Q1');

-- ---- ann 120,000 of 100,000 (margin 63,000 of 50,000), bob and cat 80,000 (40,000; 10,000), dan 10,000 (9,000)
SELECT is(pg_temp.earned('Revenue'), '12000 8000 8000 1000', '10 % of what was sold');
SELECT is(pg_temp.earned('Gated'), '12000 8000 8000 0', 'a gate opens when it is reached, from the first dollar');
SELECT is(pg_temp.earned('Strictly'), '12000 0 0 0', 'a strict one when it is passed');
SELECT is(pg_temp.earned('Other gate'), '12000 0 0 0', 'a gate may look at another component');
SELECT is(pg_temp.earned('Multiplied'), '12000 7200 7200 800', 'a multiplier is looked up by attainment: 100 %, 90 %, 80 %');
SELECT is(pg_temp.because('Multiplied', 'bob'), 'times 0.9 for attainment of Revenue 80 %', 'and says so');
SELECT is(pg_temp.because('Strictly', 'bob'), 'attainment is 80 %, needs 80 %: pays nothing', 'so does a gate');
SELECT is(pg_temp.earned('Product'), '7920 5280 5280 660', 'multipliers multiply: 5 % x 1.1 x 1.2');
SELECT is(pg_temp.earned('Sum'), '7800 5200 5200 650', 'uplifts add up: 5 % x (1 + 0.1 + 0.2)');
SELECT is(pg_temp.earned('At most'), '8400 5600 5600 700', 'a factor has a limit: 5 % x 1.4, not 2.5');
SELECT is(pg_temp.earned('At least'), '3000 2000 2000 250', 'above and below: 5 % x 0.5, not 0.1');
SELECT is(pg_temp.earned('Capped'), '7000 7000 7000 2000', 'a cap of 35 % of a salary of 20,000, a floor of 2,000');
SELECT is(pg_temp.earned('Cap before'), '14000 14000 14000 2000', 'a cap before the multiplier: 2 x min(10 %, 7,000)');
SELECT is(pg_temp.earned('Cap after'), '7000 7000 7000 2000', 'and after it: min(2 x 10 %, 7,000)');
SELECT is(pg_temp.earned('Team gate'), '1200 800 0 0', 'Max''s team has 200,000 of 200,000, Zoe''s 90,000');
SELECT is(pg_temp.earned('Plan gate'), '0 0 0 0', 'everybody has 290,000 of 300,000');
SELECT is(pg_temp.earned('Base pay'), '20000 20000 20000 20000', 'base pay needs no sale');
SELECT is(pg_temp.earned('MBO'), '11000 11000 11000 2000', 'objectives: 10,000 x (0.4 x 1.25 + 0.6), one unrated: 0.4 x 0.5');
SELECT is(pg_temp.earned('Kicker'), '2400 1600 1600 200', '20 % of what another component earns');
SELECT is(pg_temp.earned('Mean'), '1218 800 620 124', 'a weighted mean of attainments: 0.7 x 1.2 + 0.3 x 1.26 ...');
SELECT is(pg_temp.earned('Prize'), '1000 600 600 0', 'equals take the better place: 1, 2, 2, 4');
SELECT is(pg_temp.earned('Dense'), '1000 600 600 300', 'dense: 1, 2, 2, 3');
SELECT is(pg_temp.earned('Average'), '1000 1125 1125 0', 'average: 1, 2.5, 2.5, 4; 450 a place there, times 2.5');
SELECT is(pg_temp.earned('Shared'), '1000 450.5 450.5 0', 'equals share the prizes of the places they fill: 600 + 301');
SELECT is(pg_temp.earned('Team prize'), '1000 600 1000 600', 'places within each team');
SELECT is(pg_temp.earned('Pot'), '1000 1000 450 450', 'a pot of 1 % of what the team sells, in equal parts');
SELECT is(pg_temp.earned('Shares'), '1160 580 580 580', 'or by shares: 2, 1, 1, 1 of 2,900');
SELECT is(pg_temp.earned('By sales'), '504.83 336.55 336.55 42.07', 'or by another figure: 1,220 by 120, 80, 80 and 10 of 290');
SELECT is(pg_temp.earned('Fixed pot'), '2500 2500 2500 2500', 'a pot may be a fixed sum');
SELECT is(pg_temp.earned('Target'), '13000 8000 8000 1000', 'the target incentive by attainment: 10,000 x (100 % + 20 % x 1.5)');
SELECT is(pg_temp.earned('By order'), '1600 1100 1100 100', 'each order has a total of its own: 90,000 -> 500 + 800, 30,000 -> 300');
SELECT is(pg_temp.earned('Credit cap'), '1100 500 500 100', 'no credit counts for more than 50,000: 50 + 30 + 30');
SELECT is(pg_temp.earned('Looked up'), '5100 4800 800 100', 'a rate by product and region: the row that says more wins');
SELECT is(pg_temp.earned('Banded'), '9000 0 1000 1800', 'bands with closed ends: 30,000 x 10 %, 6,000 x 10 %, 27,000 x 20 %; 40,000 at 50 % lies in none');
SELECT is(pg_temp.earned('Matrix'), '2400 400 400 50', 'a matrix of two attainments: x 2, x 0.5');
SELECT is(pg_temp.earned('Growth'), '12000 8000 8000 1000', 'on nothing before, all is growth');
SELECT is((SELECT count(*) FROM spm.reconciliation WHERE NOT is_reconciled), 0::bigint, 'all of it adds up, deal by deal and slice by slice');
SELECT is((SELECT count(*) FROM spm.earning WHERE credit_id IS NULL AND kind = 'deal'), 0::bigint, 'a deal''s earning has its credit');
CALL spm.calculate('2026-Q1');
SELECT is(r.changed_count, 0::bigint, 'again changes nothing') FROM spm.run r ORDER BY run_id DESC LIMIT 1;
CALL spm.post('2026-Q1');

-- ---- the second quarter: ann 180,000 (300,000 in all), bob 40,000 (120,000)
SELECT spm.set_objective(k, '2026-Q2', 'All', 1, 1) FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.earned('Year', '2026-Q2'), '3600 600 0 0', 'the total of the year goes on: 180,000 at 2 %; 20,000 at 1 % and 20,000 at 2 %');
SELECT is(pg_temp.earned('True-up', '2026-Q1'), '1200 800 800 100', 'before: 1 %, of a quota of 300,000 for the year');
SELECT is(pg_temp.earned('True-up', '2026-Q2'), '4800 400 0 0', '300,000 of 300,000 earns 2 % of all: 6,000 less 1,200');
SELECT is((SELECT string_agg(format('%s %s', e.kind, trim_scale(e.amount)), ', ' ORDER BY e.kind) FROM spm.standing_earning e JOIN spm.component c USING (component_id)
    JOIN spm.period p USING (period_id) JOIN spm.payee y USING (payee_id) WHERE c.name = 'True-up' AND p.name = '2026-Q2' AND y.payee_key = 'ann'),
    'deal 4800', 'the deal that reaches the quota brings what the whole year earns more');
SELECT is(pg_temp.earned('Opened', '2026-Q1'), '1200 0 0 0', 'a gate on the year: ann has 40 % of 300,000, bob 26.7 %');
SELECT is(pg_temp.earned('Opened', '2026-Q2'), '1800 1200 0 0', 'when bob reaches 35 %, the quarter before is paid, too');
SELECT is((SELECT string_agg(format('%s %s', e.kind, trim_scale(e.amount)), ', ' ORDER BY e.kind) FROM spm.standing_earning e JOIN spm.component c USING (component_id)
    JOIN spm.period p USING (period_id) JOIN spm.payee y USING (payee_id) WHERE c.name = 'Opened' AND p.name = '2026-Q2' AND y.payee_key = 'bob'),
    'deal 400, true_up 800', 'as a true-up beside what the deals of this quarter earn');
SELECT is(pg_temp.earned('Forward', '2026-Q2'), '1800 400 0 0', 'without it, only what comes after counts');
SELECT is(pg_temp.earned('Rolling', '2026-Q2'), '3300 400 0 0', 'two quarters roll: 120,000 to 300,000');
SELECT is(pg_temp.earned('Growth', '2026-Q2'), '6000 0 0 0', 'growth: 60,000 more than the quarter before, at 10 %');
SELECT is(pg_temp.because('Growth', 'ann', '2026-Q2'), 'against what the seat brought in [2026-01-01,2026-04-01)', 'and says against what');
CALL spm.post('2026-Q2');

-- ---- a late order of the first quarter reaches all that stands on it
INSERT INTO lab.deal VALUES ('D2', '2026-03-31', 'dan', 75000, 1000, 'HAT', 'US', 1, 'O9', 'booking');
SELECT spm.set_objective(k, '2026-Q3', 'All', 1, 1) FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null
CALL spm.calculate('2026-Q3');
SELECT is(pg_temp.earned('Prize', '2026-Q1'), '1000 300 300 600', 'dan is second now');
SELECT is(pg_temp.earned('Rolling', '2026-Q3'), '1000 0 0 0', 'the first quarter has rolled out: 180,000 to 230,000 lies above 150,000');
SELECT is((SELECT count(*) FROM spm.reconciliation WHERE NOT is_reconciled), 0::bigint, 'and still all adds up');
CALL spm.calculate('2026-Q3');
SELECT is(r.changed_count, 0::bigint, 'again changes nothing') FROM spm.run r ORDER BY run_id DESC LIMIT 1;

-- ---- somebody who changes seats is paid once
SELECT spm.add_position('new', 'New seat'), spm.assign_position('dan', 'cat', '2026-11-01', is_primary => false) \g /dev/null
SELECT spm.vacate_position('bob', since => '2026-11-16') \g /dev/null
SELECT spm.assign_position('new', 'bob', '2026-11-16'), spm.set_manager('new', 'max', '2025-01-01') \g /dev/null
SELECT spm.set_quota(k, '2026-Q4', 100000, 'bookings'), spm.set_quota(k, '2026-Q4', 50000, 'margin') FROM unnest('{ann,bob,cat,dan,new}'::text[]) k \g /dev/null
SELECT spm.set_objective(k, '2026-Q4', 'All', 1, 1) FROM unnest('{ann,bob,cat,dan}'::text[]) k \g /dev/null
INSERT INTO lab.deal VALUES ('B7', '2026-10-10', 'bob', 50000, 0, 'BIKE', 'EU', 9, 'P1', 'booking'), ('B8', '2026-12-10', 'bob', 50000, 0, 'BIKE', 'EU', 9, 'P2', 'booking'),
    ('A8', '2026-12-10', 'ann', 60000, 0, 'BIKE', 'EU', 9, 'P3', 'booking');
CALL spm.post('2026-Q3');
CALL spm.calculate('2026-Q4');
SELECT results_eq($$SELECT y.payee_key, c.name, sum(e.amount) FROM spm.standing_earning e JOIN spm.payee y USING (payee_id) JOIN spm.component c USING (component_id)
    JOIN spm.period p USING (period_id) WHERE p.name = '2026-Q4' AND c.name IN ('Base pay', 'Salary by days', 'MBO', 'Prize', 'Fixed pot') AND y.payee_key IN ('bob', 'cat') GROUP BY 1, 2 ORDER BY 1, 2$$,
    $$VALUES ('bob', 'Base pay', 20000.00), ('bob', 'Fixed pot', 2500.00), ('bob', 'MBO', 10000.00), ('bob', 'Prize', 1000.00), ('bob', 'Salary by days', 9200.00),
             ('cat', 'Base pay', 20000.00), ('cat', 'Fixed pot', 2500.00), ('cat', 'MBO', 10000.00), ('cat', 'Prize', 300.00), ('cat', 'Salary by days', 9200.00)$$,
    'bob in two seats, one after the other, is first with both; cat sits in two at once');
SELECT is((SELECT count(*) FROM spm.reconciliation WHERE NOT is_reconciled), 0::bigint, 'and still all adds up');
SELECT * FROM finish();
ROLLBACK;
