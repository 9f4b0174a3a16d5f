-- Refunds, credit notes and cancellations: by the running total, by what the original earned, by what is not yet earned. Every figure was worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.deal (deal_id text, closed_on date, owner text, amount numeric, takes_back text, kind text NOT NULL DEFAULT 'booking');
CREATE TABLE shop.share (deal_id text, owner text, share numeric);
SELECT spm.map_source('deals', 'shop.deal', key => 'deal_id', date => 'closed_on', owner => 'owner', amount => 'amount',
    type => 'kind', reference => 'takes_back', fixed_currency => 'USD'),
    spm.map_split('deals', 'shop.share', key => 'deal_id', owner => 'owner', share => 'share')
FROM spm.add_currency('USD') \g /dev/null
SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2028-01-01') \g /dev/null
SELECT spm.add_payee(k, initcap(k)), spm.add_position(k, initcap(k)), spm.assign_position(k, k, '2025-01-01')
FROM unnest('{dana,eli,max}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, 'max', '2025-01-01') FROM unnest('{dana,eli}'::text[]) k \g /dev/null
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('AE', 'Running', '0: 10%, 20000: 15%'),
    spm.add_component('AE', 'Original', '0: 10%, 20000: 15%', refund => 'original'),
    spm.add_component('AE', 'Window', '0: 10%', refund => 'original', refund_window => '60 days'),
    spm.add_component('AE', 'Half', '0: 10%', refund => 'original', refund_share => 0.5),
    spm.add_component('AE', 'Unearned', '0: 10%', refund => 'unearned', earned_over => 9, eligible => 'type = ''booking'''),
    spm.add_component('AE', 'Override', '0: 1%', credits => 'rollup', refund => 'original') \g /dev/null
SELECT spm.assign_plan('AE', '2026-01-01', payee => k) FROM unnest('{dana,eli,max}'::text[]) k \g /dev/null
SELECT spm.publish_plan('AE') \g /dev/null

CREATE FUNCTION pg_temp.earned(component text, period text, payee text DEFAULT 'dana', OUT numeric) LANGUAGE sql
    AS $$SELECT trim_scale(coalesce(sum(earned_amount), 0)) FROM spm_bi.earning WHERE component_name = component AND period_name = period AND payee_key = payee$$;
CREATE PROCEDURE pg_temp.run(VARIADIC months int[]) LANGUAGE plpgsql
    AS $$DECLARE m int; BEGIN
        FOREACH m IN ARRAY months LOOP
            CALL spm.calculate('2026-' || to_char(m, 'FM00'));
        END LOOP; END$$;
SAVEPOINT before;

-- ---- in the month of the order
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 18000, NULL, 'booking'), ('D-2', '2026-01-10', 'dana', 7200, NULL, 'booking'), ('R-1', '2026-01-20', 'dana', -3600, 'D-2', 'refund');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Running', '2026-01'), 2240.0, 'running: the refund is priced top-down, 3,600 at 15 %: 1,800 + 980 - 540');
SELECT is(pg_temp.earned('Original', '2026-01'), 2290.0, 'original: half of the deal, half of what it earned: 1,800 + 980 - 490');
SELECT is(pg_temp.earned('Half', '2026-01'), 2340.0, 'of which a share may be taken back: 2,520 - 180');
SELECT is(pg_temp.earned('Unearned', '2026-01'), 2160.0, 'not yet earned in its first month is all of it: 2,520 - 360; conditions are about the original');
SELECT is(pg_temp.earned('Override', '2026-01', 'max'), 216.0, 'what went up the tree is taken back there: 252 - 36');
SELECT is((SELECT amount FROM spm.standing_measurement m JOIN spm.component c USING (component_id) JOIN spm.payee y USING (payee_id)
    WHERE c.name = 'Original' AND y.payee_key = 'dana'), 25200.0, 'a refund that goes by the original is no part of the running total');
SELECT results_eq($$SELECT e.kind, e.base_amount, e.amount FROM spm.standing_earning e JOIN spm.component c USING (component_id) JOIN spm.credit t USING (credit_id)
    WHERE c.name = 'Original' AND t.transaction_key = 'R-1' AND t.kind = 'direct'$$, $$VALUES ('refund', 0.0, -490.0)$$, 'it has an earning of its own');
SELECT ok(bool_and(is_reconciled), 'everything adds up') FROM spm_bi.reconciliation;
CALL spm.calculate('2026-01');
SELECT is((SELECT changed_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 0::bigint, 'calculating again changes nothing');
SELECT ok(bool_or(line LIKE '%taken back of deals that were cancelled%-490.00'), 'the statement says so') FROM spm.statement('dana', '2026-01') line;
SELECT ok(bool_or(because = 'takes back what D-2 earned' AND amount = -490), 'and so does the explanation') FROM spm.explain('dana', '2026-01', 'R-1');
ROLLBACK TO before;

-- ---- another calendar credits the same transactions
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, NULL, 'booking'), ('R-1', '2026-01-20', 'dana', -500, 'D-1', 'refund');
SELECT spm.create_calendar('other', 'year', '2026-01-01', '2027-01-01') \g /dev/null
CALL spm.calculate('2026', 'other');
CALL spm.calculate('2026-01', 'fiscal');
SELECT is(pg_temp.earned('Original', '2026-01'), 50.0, 'half is taken back, once, whatever else the transactions are calculated for');
ROLLBACK TO before;

-- ---- a reference that is empty is none
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, '', 'booking');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Original', '2026-01'), 100.0, 'an order with an empty reference takes nothing back, and is paid');
ROLLBACK TO before;

-- ---- later, in parts, never more than was earned
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000.01, NULL, 'booking'),
    ('R-1', '2026-02-05', 'dana', -333.33, 'D-1', 'refund'), ('R-2', '2026-03-05', 'dana', -333.33, 'D-1', 'refund'),
    ('R-3', '2026-03-06', 'dana', -333.35, 'D-1', 'refund'), ('R-4', '2026-03-07', 'dana', -500, 'D-1', 'refund'), ('R-5', '2026-03-08', 'dana', -7, 'D-0', 'refund');
CALL spm.calculate('2026-01');
CALL spm.post('2026-01');
CALL spm.calculate('2026-02');
SELECT is(pg_temp.earned('Original', '2026-02'), -33.33, 'a third of it, a month after it was posted');
CALL spm.calculate('2026-03');
SELECT is(pg_temp.earned('Original', '2026-03'), -66.67, 'the parts add up to what was earned, 100.00, to the cent; what exceeds it takes nothing');
SELECT is(pg_temp.earned('Window', '2026-03'), -66.67, 'day 60 is within a window of 60 days');
SELECT is(pg_temp.earned('Running', '2026-03'), -117.37, 'running, everything counts as it comes: 1,173.68 at 10 %, deal by deal');
SELECT is(pg_temp.earned('Unearned', '2026-02') + pg_temp.earned('Unearned', '2026-03'), -81.48,
    'unearned after one month: 8/9 of a third, after two 7/9 of the others: 29.63 + 25.92 + 25.93');
SELECT ok(bool_and(is_reconciled), 'everything adds up') FROM spm_bi.reconciliation;
UPDATE shop.deal SET closed_on = '2026-01-04' WHERE deal_id = 'D-1';
CALL spm.calculate('2026-02');
CALL spm.calculate('2026-03');
SELECT is(pg_temp.earned('Window', '2026-03'), -33.34, 'day 61 is not: what came on the 6th is outside');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE component_name = 'Original' AND payee_key = 'dana'), 0.0000, 'all was taken back');
CALL spm.post('2026-02');
UPDATE shop.deal SET amount = 2000.02 WHERE deal_id = 'D-1';
CALL spm.calculate('2026-03');
SELECT is((SELECT sum(paid_amount) FROM spm_bi.payout WHERE component_name = 'Original' AND payee_key = 'dana'), 50.0000,
    'an original that turns out larger after posting: 200.00 earned, three quarters taken back, the posted part anew');
SELECT ok(bool_and(is_reconciled), 'the differences add up') FROM spm_bi.reconciliation;
ROLLBACK TO before;

-- ---- another version of the plan
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, NULL, 'booking'), ('R-1', '2026-02-05', 'dana', -500, 'D-1', 'refund');
SELECT spm.new_plan_version('AE', '2026-02-01') \g /dev/null
SELECT results_eq($$SELECT c.name, c.refund, c.refund_window, c.refund_share, c.earned_over FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
    WHERE v.version_no = 2 AND c.name IN ('Window', 'Half', 'Unearned') ORDER BY 1$$, $$VALUES ('Half', 'original', NULL::interval, 0.5, NULL::int),
    ('Unearned', 'unearned', NULL, 1, 9), ('Window', 'original', '60 days', 1, NULL)$$, 'a new version takes the options over');
SELECT spm.publish_plan('AE') \g /dev/null
CALL pg_temp.run(1, 2);
SELECT is(pg_temp.earned('Original', '2026-02'), -50.0, 'a refund takes back what the component of that name has earned in the version before');
SELECT ok(bool_and(is_reconciled), 'everything adds up') FROM spm_bi.reconciliation;
ROLLBACK TO before;

INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, NULL, 'booking'), ('R-1', '2026-01-20', 'dana', -500, 'D-1', 'refund');
SELECT spm.new_plan_version('AE', '2026-01-15'), spm.publish_plan('AE') \g /dev/null
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Original', '2026-01'), 50.0, 'and so it does where the new version begins between the order and its refund, in the same month');
SELECT is(pg_temp.earned('Unearned', '2026-01'), 50.0, 'whatever the refund goes by');
ROLLBACK TO before;

-- ---- shared as the order was, and a refund that is undone
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, NULL, 'booking'), ('R-1', '2026-01-06', 'dana', -500, 'D-1', 'refund'), ('R-2', '2026-01-07', 'dana', 250, 'D-1', 'refund undone');
INSERT INTO shop.share VALUES ('D-1', 'dana', 0.6), ('D-1', 'eli', 0.4);
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Original', '2026-01', p), e, d) FROM (VALUES ('dana', 45.0, 'who shared the order shares the refund: 60 - 30 + 15'), ('eli', 30.0, 'each their part: 40 - 20 + 10')) v(p, e, d);
INSERT INTO shop.share VALUES ('R-1', 'eli', 1), ('R-2', 'eli', 1);
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Original', '2026-01', p), e, d) FROM (VALUES ('dana', 60.0, 'unless it has shares of its own'), ('eli', 15.0, 'then these count: 500 of Eli''s 400, less 250, takes back 150 of 400')) v(p, e, d);
ROLLBACK TO before;

-- ---- shared as a rule shared the order
SELECT spm.add_credit_rule('halves', 'type = ''booking''', '{dana,eli}', '{0.5,0.5}', '2026-01-01'), spm.add_overlay_rule('on top', 'type = ''booking''', '{max}', '{0.2}', '2026-01-01') \g /dev/null
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, NULL, 'booking'), ('R-1', '2026-01-06', 'dana', -1000, 'D-1', 'refund'), ('R-9', '2026-01-07', 'eli', -100, 'D-9', 'refund');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Original', '2026-01', p), 0.0, format('a rule gave %s half, and half is taken back', p)) FROM unnest('{dana,eli}'::text[]) p;
SELECT results_eq($$SELECT payee_key, pg_temp.earned('Running', '2026-01', payee_key) FROM unnest('{dana,eli}'::text[]) payee_key$$, $$VALUES ('dana', 0.0), ('eli', -10.0)$$,
    'also by the running total; what refers to an order that is not known is its owner''s');
SELECT results_eq($$SELECT transaction_key, sum(credited_amount) FROM spm.standing_credit WHERE kind = 'overlay' GROUP BY 1 ORDER BY 1$$, $$VALUES ('D-1', 200.0), ('R-1', -200.0)$$,
    'credit on top of the order is on top of what takes it back');
SELECT results_eq($$SELECT way, name, payee_key, because FROM spm.credit_candidates('deals', 'R-1') WHERE way IN ('rule', 'owner', 'overlay') ORDER BY 1, 2, 3$$,
    $$VALUES ('overlay', 'on top', 'max', '20 % of it'), ('owner', NULL, 'dana', 'rule "halves" goes before the owner'), ('rule', 'halves', 'dana', '50 % of it'), ('rule', 'halves', 'eli', '50 % of it')$$,
    'and who asks is told so');
UPDATE spm.credit_rule SET span = '[2026-01-01,2026-01-06)';
UPDATE shop.deal SET closed_on = '2026-02-06' WHERE deal_id = 'R-1';
CALL pg_temp.run(1, 2);
SELECT results_eq($$SELECT pg_temp.earned('Original', '2026-02', p), pg_temp.earned('Running', '2026-02', p) FROM unnest('{dana,eli}'::text[]) p$$, $$VALUES (-50.0, -50.0), (-50.0, -50.0)$$,
    'also when the rule has ended since');
INSERT INTO shop.share VALUES ('R-1', 'eli', 1);
CALL pg_temp.run(2);
SELECT results_eq($$SELECT pg_temp.earned('Running', '2026-02', p) FROM unnest('{dana,eli}'::text[]) p$$, $$VALUES (0.0), (-100.0)$$, 'unless it has shares of its own');
ROLLBACK TO before;

-- ---- dated before the order that it takes back
INSERT INTO shop.deal VALUES ('D-1', '2026-01-10', 'dana', 1000, NULL, 'booking'), ('R-1', '2026-01-05', 'dana', -500, 'D-1', 'refund');
CALL pg_temp.run(1);
SELECT results_eq($$SELECT pg_temp.earned('Original', '2026-01'), pg_temp.earned('Unearned', '2026-01'), pg_temp.earned('Window', '2026-01'), pg_temp.earned('Override', '2026-01', 'max')$$,
    $$VALUES (50.0, 50.0, 50.0, 5.0)$$, 'a refund dated before its order takes back half as well');
UPDATE shop.deal SET closed_on = '2026-02-10' WHERE deal_id = 'D-1';
INSERT INTO shop.deal VALUES ('R-2', '2026-03-09', 'dana', -300, 'D-1', 'refund'), ('R-3', '2026-03-11', 'dana', -300, 'D-1', 'refund');
CALL spm.calculate('2026-01');
SELECT is(pg_temp.earned('Original', '2026-01'), 0.0, 'before the order it takes back nothing');
CALL spm.post('2026-01');
CALL spm.calculate('2026-02');
SELECT results_eq($$SELECT transaction_key, earned_amount FROM spm_bi.earning WHERE component_name = 'Original' AND period_name = '2026-02' ORDER BY 1$$,
    $$VALUES ('D-1', 100.0000), ('R-1', -50.0000)$$, 'and in the month of the order half of it, where the month of the refund is posted');
SELECT results_eq($$SELECT DISTINCT e.kind, p.name, e.credit_id = c.credit_id FROM spm.earning e JOIN spm.period p ON p.period_id = e.credit_period_id
    JOIN spm.credit c ON c.period_id = p.period_id AND c.transaction_key = 'R-1' AND c.payee_id = e.payee_id$$, $$VALUES ('refund', '2026-01', true)$$, 'its credit stays in the month of the refund');
SELECT is((SELECT sum(slice_amount) FROM spm_bi.lineage WHERE component_name = 'Original' AND period_name = '2026-02' AND transaction_key = 'R-1'), -50.0000, 'from which the pay is traced to it');
CALL spm.calculate('2026-02');
SELECT is((SELECT changed_count FROM spm.run ORDER BY run_id DESC LIMIT 1), 0::bigint, 'calculating again changes nothing');
CALL spm.calculate('2026-03');
SELECT results_eq($$SELECT pg_temp.earned('Original', '2026-03'), pg_temp.earned('Unearned', '2026-03')$$, $$VALUES (-50.0, -47.78)$$,
    'later ones take back what is left: 30 and 20; unearned all of 30, within its first month, and 8/9 of 20, 17.78');
SELECT ok(bool_and(is_reconciled), 'everything adds up') FROM spm_bi.reconciliation;
SELECT ok(bool_or(because = 'takes back what D-1 earned' AND amount = -50), 'and is explained') FROM spm.explain('dana', '2026-02', 'R-1');
SELECT ok(bool_or(line LIKE '%taken back of deals that were cancelled%-50.00'), 'and stated') FROM spm.statement('dana', '2026-02') line;
ROLLBACK TO before;

-- ---- published examples
SELECT is((date '2024-02-29' + interval '24 months')::date, '2026-02-28', 'CLAW-CAT-4: the window ends on the last day of a month that is shorter');
SELECT results_eq($$SELECT spm._whole_months('2026-01-31', d::date) FROM unnest('{2026-02-27,2026-02-28,2026-03-30,2026-03-31,2027-01-31}'::text[]) d$$, $$VALUES (0), (1), (1), (2), (12)$$,
    'and so do months that are earned');
SELECT spm.create_plan('NN', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('NN', 'Advance', '0: 102.5%', measure => 'amount * 9', refund => 'unearned', earned_over => 9),
    spm.add_component('NN', 'Churn', '0: 10%', refund => 'original', refund_window => '180 days'),
    spm.add_component('NN', 'C8', '0: 100%', refund => 'original', refund_share => 0.5),
    spm.add_component('NN', 'Excess', '0: 0%, 10000: 20%'),
    spm.add_component('NN', 'Flat', '0: 10%', places => 4),
    spm.add_component('NN', 'Quota', '0: 10%, 20000: 15%'),
    spm.add_component('NN', 'Units', '0: 500', measure => 'amount', unit => 'count') \g /dev/null
SELECT spm.assign_plan('NN', '2026-01-01', payee => 'eli'), spm.publish_plan('NN') \g /dev/null
SAVEPOINT published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-15', 'eli', 500, NULL, 'booking'), ('P-2', '2026-01-15', 'eli', 500, NULL, 'booking'), ('P-3', '2026-01-15', 'eli', 500, NULL, 'booking'), ('P-4', '2026-01-15', 'eli', 500, NULL, 'booking'),
    ('L-4', '2026-03-15', 'eli', -500, 'P-4', 'lapse'), ('L-1', '2026-04-15', 'eli', -500, 'P-1', 'lapse'), ('L-2', '2026-07-15', 'eli', -500, 'P-2', 'lapse'), ('L-3', '2026-10-15', 'eli', -500, 'P-3', 'lapse');
CALL pg_temp.run(1, 3, 4, 7, 10);
SELECT is(pg_temp.earned('Advance', '2026-01', 'eli'), 18450.0, 'CLAW-NN-1: four advances of 4,612.50');
SELECT is(pg_temp.earned('Advance', p, 'eli'), e, format('CLAW-NN-1: a lapse after %s months takes back %s', m, -e))
FROM (VALUES ('2026-03', -3587.5, 2), ('2026-04', -3075.0, 3), ('2026-07', -1537.5, 6), ('2026-10', 0.0, 9)) v(p, e, m);
SELECT ok(bool_and(is_reconciled), 'and adds up') FROM spm_bi.reconciliation;
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 100, NULL, 'booking'), ('P-2', '2026-01-01', 'eli', 100, NULL, 'booking'), ('C-1', '2026-06-30', 'eli', -100, 'P-1', 'churn'), ('C-2', '2026-07-01', 'eli', -100, 'P-2', 'churn');
CALL pg_temp.run(1, 6, 7);
SELECT results_eq($$SELECT pg_temp.earned('Churn', '2026-06', 'eli'), pg_temp.earned('Churn', '2026-07', 'eli')$$, $$VALUES (-10.0, 0.0)$$,
    'KPI-CAT-2: a churn on day 180 counts, on day 181 not');
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 10000, NULL, 'booking'), ('C-1', '2026-01-30', 'eli', -10000, 'P-1', 'chargeback');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('C8', '2026-01', 'eli'), 5000.0, 'CLAW-C8-1: half of the commission is charged back');
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 100, NULL, 'booking'), ('C-1', '2026-02-01', 'eli', -100, 'P-1', 'credit note');
CALL pg_temp.run(1, 2);
SELECT results_eq($$SELECT pg_temp.earned('Flat', '2026-01', 'eli'), pg_temp.earned('Flat', '2026-02', 'eli')$$, $$VALUES (10.0, -10.0)$$, 'FLAT-TRY-2: a credit note mirrors the line');
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', -3, NULL, 'refund');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Units', '2026-01', 'eli'), -1500.0, 'UNIT-OCA-5: three units refunded at 500');
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 18000, NULL, 'booking'), ('P-2', '2026-01-02', 'eli', 7200, NULL, 'booking'), ('C-1', '2026-01-30', 'eli', -3600, 'P-2', 'refund');
CALL pg_temp.run(1);
SELECT results_eq($$SELECT earned_amount FROM spm_bi.earning WHERE component_name = 'Quota' AND payee_key = 'eli' ORDER BY event_date$$, $$VALUES (1800.0000), (980.0000), (-540.0000)$$,
    'CLAW-OI-3: a partial reversal stays in the band: -540, 2,240 in all');
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 25000, NULL, 'booking'), ('C-1', '2026-01-30', 'eli', -5000, 'P-1', 'refund');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Quota', '2026-01', 'eli'), 2000.0, 'CLAW-OI-4: 25,000 less 5,000 is rated as 20,000');
ROLLBACK TO published;
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 15000, NULL, 'booking'), ('C-1', '2026-01-30', 'eli', -8000, 'P-1', 'refund');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Excess', '2026-01', 'eli'), 0.0, 'CLAW-OI-5: a reversal below quota removes the accelerated part: 1,000 less 1,000');
UPDATE shop.deal SET amount = -3000 WHERE deal_id = 'C-1';
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Excess', '2026-01', 'eli'), 400.0, 'CLAW-OI-5: one above it the part that goes: 1,000 less 600');
ROLLBACK TO published;
SELECT spm.create_plan('Leave', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Leave', 'Closing', '0: 12%'),
    spm.assign_plan('Leave', '2026-01-01', until => '2026-01-02', payee => 'eli'), spm.publish_plan('Leave') \g /dev/null
INSERT INTO shop.deal VALUES ('P-1', '2026-01-01', 'eli', 1000000, NULL, 'booking'), ('P-2', '2026-01-02', 'eli', 1000000, NULL, 'booking');
CALL pg_temp.run(1);
SELECT is(pg_temp.earned('Closing', '2026-01', 'eli'), 120000.0, 'LEAVE-CAT-1: what is signed on the last day counts, 120,000; the day after not');
ROLLBACK TO before;

-- ---- refused
SELECT throws_ok(format($$SELECT spm.create_plan('X', 'fiscal', 'USD', '2026-01-01'), spm.add_component('X', 'C', '0: 1%%', %s)$$, o), '22023',
    'component "C" cannot take refunds like that', d)
FROM (VALUES ('refund => ''never''', 'other ways to refund are refused'), ('refund => ''unearned''', 'and unearned without the months'), ('earned_over => 3', 'and months without unearned'),
    ('refund => ''original'', refund_share => 0', 'and a share of nothing'), ('refund => ''original'', refund_share => 1.1', 'or more than all'),
    ('refund_window => ''1 month''', 'and a window where everything runs'), ('refund => ''original'', refund_window => ''-1 day''', 'and one that ends before it begins')) v(o, d);
SELECT throws_ok(format($$SELECT spm.create_plan('X', 'fiscal', 'USD', '2026-01-01'), spm.add_component('X', 'C', '0: 1%%', accumulate => 'month', true_up => true, %s)$$, o), '22023',
    'component "C" cannot true up and take back what the original earned', d)
FROM (VALUES ('refund => ''original''', 'a true-up is of no single order: none that goes by the original'), ('refund => ''unearned'', earned_over => 3', 'or by what is not yet earned')) v(o, d);
SELECT spm.create_plan('X', 'fiscal', 'USD', '2026-01-01'), spm.add_component('X', 'C', '0: 1%', accumulate => 'month', true_up => true) \g /dev/null
SELECT is_empty($$SELECT * FROM spm.plan_defect('X')$$, 'by the running total it may true up');
UPDATE spm.component SET refund = 'original' WHERE plan_version_id = spm._draft_id('X');
SELECT results_eq($$SELECT component, defect, repair FROM spm.plan_defect('X')$$,
    $$VALUES ('C', 'it trues up, and refunds go by original: what came as a true-up would never be taken back', 'Add it with refund => ''running'', or without true_up.')$$,
    'and a draft that came in another way is not published');

-- ---- the digits of a currency that is posted
INSERT INTO shop.deal VALUES ('D-1', '2026-01-05', 'dana', 1000, NULL, 'booking');
CALL pg_temp.run(1);
SELECT spm.add_currency('JPY') \g /dev/null
SELECT lives_ok($$UPDATE spm.currency SET minor_digits = 3 WHERE currency_code = 'USD'; UPDATE spm.currency SET minor_digits = 2 WHERE currency_code = 'USD'$$,
    'before anything is posted the digits of a currency may be mended');
CALL spm.post('2026-01');
SELECT throws_ok($$UPDATE spm.currency SET minor_digits = 0 WHERE currency_code = 'USD'$$, '23001', 'currency USD is posted with 2 digits, and keeps them', 'afterwards they stay');
SELECT lives_ok($$UPDATE spm.currency SET minor_digits = 2, name = 'US dollar' WHERE currency_code = 'USD'; UPDATE spm.currency SET minor_digits = 1 WHERE currency_code = 'JPY'$$,
    'its name does not, nor do other currencies');

SELECT * FROM finish();
ROLLBACK;
