-- One seller with everything: twelve components, a draw, a cap, a split, a transfer in mid-quarter, the refund of a deal
-- that is posted, an adjustment and a late order.  Every figure was worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT spm.add_currency('USD') \g /dev/null
CREATE SCHEMA shop;
CREATE TABLE shop.deal (deal_id text, closed_on date, owner text, product text, amount numeric, cost numeric, kind text, refund_of text);
CREATE TABLE shop.share (deal_id text, owner text, percent numeric);
INSERT INTO shop.deal VALUES
    ('A-1', '2026-02-10', 'dana', 'hardware', 50000.00, 30000, 'new', NULL),
    ('E-1', '2026-02-20', 'eli', 'hardware', 80000.00, 60000, 'renewal', NULL);
SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount', type => 'kind',
    product => 'product', cost => 'cost', fixed_currency => 'USD', reference => 'refund_of'),
    spm.map_split('deals', 'shop.share', key => 'deal_id', owner => 'owner', share => 'percent', share_unit => 'percent') \g /dev/null
SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.add_payee('dana', 'Dana Whitfield'), spm.add_payee('eli', 'Eli Moran'), spm.add_position('west', 'West'), spm.add_position('east', 'East'),
    spm.add_position('north', 'North'), spm.assign_position('west', 'dana', '2025-01-01'), spm.assign_position('north', 'eli', '2025-01-01') \g /dev/null
SELECT spm.add_measure('bookings') \g /dev/null
SELECT spm.set_quota(k, p.name, CASE k WHEN 'east' THEN 60000 ELSE 100000 END, 'bookings')
FROM unnest('{west,east,north}'::text[]) k, spm.period p WHERE p.grain = 'quarter' \g /dev/null
SELECT spm.set_variable('target_bonus', 3000), spm.set_variable('mbo_target', 1000), spm.set_variable('car', 300), spm.prorate_variable('target_bonus') \g /dev/null
SELECT spm.set_objective(y, p, 'Launch', 1, 0.8) FROM unnest('{dana,eli}'::text[]) y, unnest('{2026-Q1,2026-Q2}'::text[]) p \g /dev/null
SELECT spm.create_plan('Account Executive', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Account Executive', 'Commission', '0%: 8%, 100%: 10%', quota => 'bookings', prorate => 'calendar', refund => 'original'),
    spm.add_component('Account Executive', 'Margin', '0: 2%', measure => 'amount - cost'),
    spm.add_component('Account Executive', 'New customers', '0: 500', measure => '1', unit => 'count', eligible => 'type = ''new'''),
    spm.add_component('Account Executive', 'Services', '0: 3%, 20000: 5%', eligible => 'product_key = ''service'' AND amount > 0', accumulate => 'deal'),
    spm.add_component('Account Executive', 'Accelerator', '0: 1%', eligible => 'type <> ''refund''', quota => 'bookings', prorate => 'calendar'),
    spm.add_modifier('Account Executive', 'Accelerator', 'gate', value => 1),
    spm.add_component('Account Executive', 'Year to date', '0: 1%, 100000: 2%', accumulate => 'year'),
    spm.add_component('Account Executive', 'Quarter bonus', '100%: 1 bonus', quota => 'bookings', prorate => 'calendar', variable => 'target_bonus', eligible => 'type <> ''refund'''),
    spm.add_component('Account Executive', 'Big deal', '0: 2%', eligible => 'amount >= 50000', credit_cap => 25000),
    spm.add_component('Account Executive', 'Objectives', '0%: 100%', basis => 'objective', variable => 'mbo_target'),
    spm.add_component('Account Executive', 'Kicker', '0: 20%', basis => 'result'), spm.add_input('Account Executive', 'Kicker', 'Margin', 'earned'),
    spm.add_component('Account Executive', 'Prize', '1: 500, 2: 200 bonus', basis => 'rank'), spm.add_input('Account Executive', 'Prize', 'Commission', 'amount', scope => 'plan'),
    spm.add_component('Account Executive', 'Car allowance', '0: 100%', basis => 'fixed', variable => 'car'),
    spm.add_pay_rule('Account Executive', 'cap', 15000, name => 'Quarterly cap'),
    spm.add_pay_rule('Account Executive', 'draw', 9000, name => 'Draw', recover_share => 0.5, minimum => 9000),
    spm.assign_plan('Account Executive', '2026-01-01', payee => 'dana'), spm.assign_plan('Account Executive', '2026-01-01', payee => 'eli'),
    spm.publish_plan('Account Executive') \g /dev/null

CALL spm.calculate('2026-Q1');
SELECT line FROM spm.statement('dana', '2026-Q1') line;
CALL spm.post('2026-Q1');

-- Dana moves from West to East on 16 May: 45 and 46 of 91 days
SELECT spm.vacate_position('west', '2026-05-16'), spm.assign_position('east', 'dana', '2026-05-16') \g /dev/null
INSERT INTO shop.deal VALUES
    ('A-0', '2026-01-20', 'dana', 'hardware', 10000.00, 4000, 'renewal', NULL),
    ('B-1', '2026-04-15', 'dana', 'hardware', 60000.00, 40000, 'renewal', NULL),
    ('B-2', '2026-05-20', 'dana', 'service', 50000.00, 20000, 'renewal', NULL),
    ('B-3', '2026-06-10', 'dana', 'service', 10000.00, 5000, 'new', NULL),
    ('R-1', '2026-06-20', 'dana', 'hardware', -20000.00, -12000, 'refund', 'A-1');
INSERT INTO shop.share VALUES ('B-2', 'dana', 60), ('B-2', 'eli', 40);
SELECT spm.add_adjustment('dana', '2026-Q2', 250, 'USD', 'thanks for the trade fair', plan => 'Account Executive') AS adjustment \gset
CREATE ROLE second_pair_of_eyes SUPERUSER;
SET SESSION AUTHORIZATION second_pair_of_eyes;
SELECT spm.approve_adjustment(:adjustment) \g /dev/null
RESET SESSION AUTHORIZATION;
CALL spm.calculate('2026-Q2');
-- West: 100,000 x 45 / 91 = 49,450.55; the 60,000 of B-1 earn 3,956.04 + 1,054.95.  East: 60,000 x 46 / 91 = 30,329.67;
-- B-2 is shared, 30,000 are Dana's; with B-3 40,000 earn 2,426.37 + 967.04.  R-1 returns 20,000 of 50,000: 40 % of the
-- 4,000.00 that A-1 was paid, and counts like any other deal elsewhere.  The cap of 15,000 takes 17,144.40 - 15,000; what
-- A-0 earns belongs to the first quarter, which is below its cap.  Of what is left, half of all above 9,000 may repay the draw.
SELECT results_eq($$SELECT line FROM spm.statement('dana', '2026-Q2') line$$, ARRAY[
    'Dana Whitfield - Account Executive v1 - 2026-Q2 - USD',
    '2026-04-01 to 2026-06-30, calculated, not yet posted',
    '--------------------------------------------------------------------------------',
    '                                                 base      rate           earned',
    'Commission in West',
    '  1 deal, quota 49,450.55, attainment 121.3333 %',
    '  100,000 x 45 of 91 days',
    '  0 - 100 % of quota                        49,450.55       8 %         3,956.04',
    '  from 100 % of quota                       10,549.45      10 %         1,054.95',
    '  each part at its own rate, on the quarter''s total; deals rounded to the cent',
    'Commission in East',
    '  2 deals, quota 30,329.67, attainment 131.8841 %',
    '  60,000 x 46 of 91 days',
    '  0 - 100 % of quota                        30,329.67       8 %         2,426.37',
    '  from 100 % of quota                        9,670.33      10 %           967.04',
    '  taken back of deals that were cancelled                              -1,600.00',
    'Margin in West',
    '  1 deal',
    '  counts amount - cost',
    '  all                                       20,000.00       2 %           400.00',
    'Margin in East',
    '  3 deals',
    '  all                                       15,000.00       2 %           300.00',
    'New customers in West: 0 deals',
    'New customers in East',
    '  1 deal',
    '  counts deals where type = ''new''',
    '  all                                               1       500           500.00',
    'Services in West: 0 deals',
    'Services in East',
    '  2 deals',
    '  only deals where product = ''service'' and amount > 0',
    '  0 - 20,000                                30,000.00       3 %           900.00',
    '  from 20,000                               10,000.00       5 %           500.00',
    '  each part at its own rate, every deal by itself; deals rounded to the cent',
    'Accelerator in West',
    '  1 deal, quota 49,450.55, attainment 121.3333 %',
    '  only deals where type <> ''refund''',
    '  100,000 x 45 of 91 days',
    '  attainment is 121.33 %, needs 100 %: reached',
    '  all                                       60,000.00       1 %           600.00',
    'Accelerator in East',
    '  2 deals, quota 30,329.67, attainment 131.8841 %',
    '  60,000 x 46 of 91 days',
    '  attainment is 131.88 %, needs 100 %: reached',
    '  all                                       40,000.00       1 %           400.00',
    'Year to date in West',
    '  1 deal, brought forward 60,000.00',
    '  0 - 100,000                               40,000.00       1 %           400.00',
    '  from 100,000                              20,000.00       2 %           400.00',
    '  each part at its own rate, on the year''s total; deals rounded to the cent',
    'Year to date in East',
    '  3 deals',
    '  0 - 100,000                               20,000.00       1 %           200.00',
    'Quarter bonus in West',
    '  1 deal, quota 49,450.55, attainment 121.3333 %',
    '  only deals where type <> ''refund''',
    '  100,000 x 45 of 91 days',
    '  from 100 % of quota                                                   1,483.52',
    '  a fixed amount for the step reached, on the quarter''s total',
    'Quarter bonus in East',
    '  2 deals, quota 30,329.67, attainment 131.8841 %',
    '  60,000 x 46 of 91 days',
    '  from 100 % of quota                                                   1,516.48',
    'Big deal in West',
    '  1 deal',
    '  only deals where amount >= 50000',
    '  all                                       25,000.00       2 %           500.00',
    '  a deal counts for 25,000.00 at most; deals rounded to the cent',
    'Big deal in East',
    '  1 deal',
    '  all                                       25,000.00       2 %           500.00',
    'Objectives',
    '  objectives met to 80 %, mbo_target 1000                                 800.00',
    'Kicker in West',
    '  what Margin earned                              400       0.2            80.00',
    'Kicker in East',
    '  what Margin earned                              300       0.2            60.00',
    'Prize',
    '  place 1                                                                 500.00',
    'Car allowance',
    '  fixed amount, car 300                                                   300.00',
    'Earned in 2026-Q2                                                      17,144.40',
    'Difference 2026-Q1: Commission, A-0: late order of 2026-01-20             800.00',
    'Difference 2026-Q1: Margin, A-0: late order of 2026-01-20                 120.00',
    'Difference 2026-Q1: Year to date                                          100.00',
    '  A-0: late order of 2026-01-20',
    'Difference 2026-Q1: Kicker, result changed from 400 to 520                 24.00',
    'Quarterly cap: above the cap                                           -2,144.40',
    'Draw: paid back                                                        -1,720.00',
    'Adjustment: thanks for the trade fair                                     250.00',
    'Owed by Draw: 1,720.00 before, 0.00 now',
    '--------------------------------------------------------------------------------',
    'Payable                                                     USD        14,574.00'], 'a seller with everything can read where it comes from');
-- lines that README.md does not show:
SELECT line FROM spm.statement('dana', '2026-Q2') line \g | grep -vxF -f README.md
SELECT cmp_ok(count(*), '<=', 96::bigint, 'in two screens') FROM spm.statement('dana', '2026-Q2');
SELECT cmp_ok(max(length(line)), '<=', 80, 'of 80 columns') FROM spm.statement('dana', '2026-Q2') line;
SELECT ok(bool_and(is_reconciled), 'it adds up in the books') FROM spm_bi.reconciliation;

-- ---- and on paper: the amounts at the right of a statement add up to what is payable
CREATE FUNCTION pg_temp.off(who text, paying text) RETURNS numeric LANGUAGE sql AS $$
    SELECT sum(amount) FILTER (WHERE line !~ '^(Payable|Earned in) ') - sum(amount) FILTER (WHERE line ~ '^Payable ')
    FROM (SELECT line, replace(substring(line FROM '^(?=.{80}$).*  (-?[0-9][0-9,]*(?:\.[0-9]+)?)$'), ',', '')::numeric AS amount FROM spm.statement(who, paying) line) l
$$;
SELECT is(pg_temp.off(y.payee_key, q), 0.00, format('%s, %s: every line counts once', y.payee_key, q)) FROM spm.payee y, unnest('{2026-Q1,2026-Q2}'::text[]) q ORDER BY 1;

-- ---- the same as rows
SELECT results_eq($$SELECT payee_key, paid_period_name, sum(paid_amount) FROM spm_bi.payout GROUP BY 1, 2 ORDER BY 1, 2$$,
    $$SELECT payee_key, paid_period_name, sum(paid_amount) FROM spm_bi.statement GROUP BY 1, 2 ORDER BY 1, 2$$, 'the lines of spm_bi.statement add up to what is paid');
SELECT results_eq($$SELECT payee_key, paid_period_name, sum(paid_amount) FROM spm_bi.payout GROUP BY 1, 2 ORDER BY 1, 2$$,
    $$SELECT payee_key, paid_period_name, sum(paid_amount) FROM spm_bi.lineage GROUP BY 1, 2 ORDER BY 1, 2$$, 'and so does spm_bi.lineage, to the cent');
SELECT results_eq($$SELECT payee_key, paid_period_name, sum(paid_amount) FROM spm_bi.payout WHERE kind = 'earning' GROUP BY 1, 2 ORDER BY 1, 2$$,
    $$SELECT payee_key, paid_period_name, sum(earned_amount) FROM spm_bi.earning GROUP BY 1, 2 ORDER BY 1, 2$$, 'earnings that are not of one deal are not left out');
SELECT results_eq($$SELECT sum(earned_amount) FROM spm_bi.statement WHERE payee_key = 'dana' AND paid_period_name = '2026-Q2'$$, 'SELECT 18188.4000',
    'what is earned is kept apart: 17,144.40 and 1,044.00 of differences');
SELECT results_eq($$SELECT sum(amount) FROM spm.explain('dana', '2026-Q2') WHERE step = 'payout'$$, 'SELECT 14574.00', 'the payouts of explain() add up to it, too');
SELECT results_eq($$SELECT ltrim(step), item, base_amount, amount, because FROM spm.explain('dana', '2026-Q2', 'R-1') WHERE ltrim(step) IN ('earning', 'transaction') AND because ~ 'A-1|warehouse' LIMIT 2$$, $$VALUES
    ('earning', 'deals/R-1', 0::numeric, -1600.00, 'takes back what A-1 earned'),
    ('transaction', 'refund of 2026-06-20', -20000.00, NULL, 'as it is in the warehouse')$$, 'a refund says what it takes back');
SELECT results_eq($$SELECT payee_key, item, amount FROM spm.explain_transaction('B-2') WHERE step = 'credit'$$, $$VALUES
    ('dana', 'direct to East', 30000.00), ('eli', 'direct to North', 20000.00)$$, 'an order says who shares in it');
SELECT results_eq($$SELECT payee_key, sum(amount) FROM spm.explain_transaction('B-2') WHERE step = 'earning' GROUP BY 1 ORDER BY 1$$,
    $$SELECT payee_key, sum(earned_amount)::numeric FROM spm_bi.earning WHERE transaction_key = 'B-2' GROUP BY 1 ORDER BY 1$$, 'and who earned what');
-- a posted row that is taken back is negative throughout
UPDATE shop.deal SET amount = 40000 WHERE deal_id = 'E-1';
CALL spm.calculate('2026-Q2');
SELECT results_eq($$SELECT ltrim(step), base_amount, amount FROM spm.explain('eli', '2026-Q2', 'E-1') WHERE ltrim(step) <> 'payout' LIMIT 4$$, $$VALUES
    ('earning', -80000.00, -6400.00), ('slice', -80000.00, -6400.00), ('credit', -80000.00, NULL), ('transaction', -80000.00, NULL)$$, 'what takes back a posted deal is negative throughout');
SELECT is(pg_temp.off('eli', '2026-Q2'), 0.00, 'and its statement adds up');

SELECT * FROM finish();
ROLLBACK;
