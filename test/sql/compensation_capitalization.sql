-- Commissions as costs of obtaining a contract: spread over months, differences, write-offs. Figures worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA lab;
CREATE TABLE lab.deal (id text, day date, seller text, amount numeric, type text, term text, takes_back text);
INSERT INTO lab.deal VALUES
    ('BC', '2026-01-01', 'ann', 24000, 'new', '24'), ('JE', '2026-01-20', 'ann', 60000, 'new', '24'),
    ('SHORT', '2026-01-05', 'ann', 1000, 'new', '12'), ('ODD', '2026-01-11', 'bob', 10000, 'new', 'two years'),
    ('RENEW', '2026-02-10', 'bob', 10000, 'renewal', NULL), ('GONE', '2026-01-31', 'bob', 12000, 'new', '24');
SELECT spm.add_currency('USD'), spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.map_source('deals', 'lab.deal', key => 'id', date => 'day', owner => 'seller', amount => 'amount', type => 'type',
    fixed_currency => 'USD', attributes => '{term}', reference => 'takes_back') \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position(k, k), spm.assign_position(k, k, '2025-01-01') FROM unnest('{ann,bob}'::text[]) k \g /dev/null
SELECT spm.create_plan('Rep', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Rep', 'Commission', '0: 10%', accumulate => 'deal'),
    spm.add_component('Rep', 'Spiff', '0: 1%', accumulate => 'deal') \g /dev/null
SELECT spm.assign_plan('Rep', '2026-01-01', payee => k) FROM unnest('{ann,bob}'::text[]) k \g /dev/null
SELECT spm.publish_plan('Rep') \g /dev/null

-- ------------------------------------------------------------- the arithmetic
SELECT results_eq($$SELECT DISTINCT amortized_amount FROM spm.amortization(2400, 24, '2026-01-01')$$, $$VALUES (100.00)$$, 'ASC-BC-1: 2400 over 24 months is 100 a month');
SELECT results_eq($$SELECT DISTINCT amortized_amount FROM spm.amortization(6000, 24, '2026-01-20')$$, $$VALUES (250.00)$$, 'ASC-JE-1: 6000 over 24 months is 250 a month');
SELECT results_eq($$SELECT * FROM spm.amortization(1000, 3, '2026-11-15')$$,
    $$VALUES ('2026-11-01'::date, 333.33, 666.67), ('2026-12-01', 333.34, 333.33), ('2027-01-01', 333.33, 0.00)$$,
    'what does not divide adds up to the cent: a month here and there has one more');
SELECT results_eq($$SELECT amortized_amount FROM spm.amortization(3100, 2, '2026-01-22', 'partial')$$, $$VALUES (500.00), (1550.00), (1050.00)$$,
    'partial: 10 of 31 days of a month of 1550 are 500; the rest falls into a third month');
SELECT results_eq($$SELECT amortized_amount FROM spm.amortization(3100, 2, '2026-01-01', 'partial')$$, $$VALUES (1550.00), (1550.00)$$,
    'partial from the first of a month needs no month more');
SELECT results_eq($$SELECT amortized_amount FROM spm.amortization(3100, 2, '2026-01-22', 'half')$$, $$VALUES (775.00), (1550.00), (775.00)$$, 'half: half a month first and last');
SELECT results_eq($$SELECT amortized_amount FROM spm.amortization(3100, 2, '2026-01-22', 'next')$$, $$VALUES (0.00), (1550.00), (1550.00)$$, 'next: the following month is the first');
SELECT results_eq($$SELECT amortized_amount FROM spm.amortization(-1000, 3, '2026-11-15')$$, $$VALUES (-333.33), (-333.34), (-333.33)$$, 'what is taken back mirrors it');
SELECT results_eq($$SELECT amortized_amount FROM spm.amortization(100, 3, '2026-11-15', places => 0)$$, $$VALUES (33::numeric), (34), (33)$$, 'in whole yen, too');
SELECT is((SELECT sum(amortized_amount) FROM spm.amortization(x, n, d, f)), round(x, 2), format('%s over %s months from %s, %s, adds up', x, n, d, f))
FROM (VALUES (0.01, 36, '2024-02-29'::date, 'partial'), (99999999.99, 1200, '2026-01-31', 'half'), (1234.57, 7, '2026-02-28', 'full'), (17.03, 1, '2026-12-31', 'next')) v(x, n, d, f);
SELECT throws_ok(call, '22023', message, format('%s is refused', message))
FROM (VALUES ($$SELECT spm.amortization(1, 0, '2026-01-01')$$, 'months must be from 1 to 1200, not 0'),
    ($$SELECT spm.amortization(1, 1201, '2026-01-01')$$, 'months must be from 1 to 1200, not 1201'),
    ($$SELECT spm.amortization(1, 12, '2026-01-01', 'some')$$, 'there is no first_month "some"'),
    ($$SELECT spm.amortization(1, 12, 'infinity')$$, 'since must be a day of our era, not infinity'),
    ($$SELECT spm.amortization('NaN', 12, '2026-01-01')$$, 'amount must be a number, not NaN')) v(call, message);

-- ----------------------------------------------------- which earnings are an asset
SELECT throws_ok($$SELECT spm.set_capitalization('Rip', 'Commission', 24)$$, '42704', 'plan "Rip" does not exist', 'an unknown plan is refused');
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', 'Commision', 24)$$, '42704', 'plan "Rep" has no component "Commision"', 'an unknown component is refused');
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', 'Commission', NULL)$$, '22023', 'months must be from 1 to 1200, not NULL', 'months are needed');
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', 'Commission', 24, first_month => 'whole')$$, '22023', 'there is no first_month "whole"', 'an unknown first_month is refused');
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', 'Commission', 24, late => 'never')$$, '22023', 'there is no treatment "never" of late differences', 'an unknown treatment is refused');
SELECT spm.set_capitalization('Rep', 'Commission', 60, term => 'term') \g /dev/null
SELECT spm.set_capitalization('Rep', 'Commission', 36, type => 'renewal', since => '2026-01-01') \g /dev/null
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', 'Commission', 36)$$, '23P01', 'the capitalization is already set from the beginning', 'nothing is overwritten');
CALL spm.calculate('2026-01');
SELECT results_eq($$SELECT transaction_key, is_capitalized, months, is_contract_term, is_posted, last_month, earned_amount, asset_amount FROM spm_bi.contract_cost ORDER BY 1$$,
    $$VALUES ('BC', true, 24, true, false, '2027-12-01'::date, 2400.0000, 2400.0000), ('GONE', true, 24, true, false, '2027-12-01', 1200.0000, 1200.0000),
        ('JE', true, 24, true, false, '2027-12-01', 6000.0000, 6000.0000), ('ODD', true, 60, false, false, '2030-12-01', 1000.0000, 1000.0000),
        ('SHORT', false, 12, true, false, '2026-12-01', 100.0000, 0.0000)$$,
    'the term of the contract counts, the benefit period where there is none; a year or less is expensed at once; other components are no such costs');
CALL spm.post('2026-01');
SELECT is((SELECT string_agg(DISTINCT is_posted::text, ' ') FROM spm_bi.amortization), 'true', 'once posted, it is in the books');
SELECT results_eq($$SELECT month, added_amount, amortized_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'JE' ORDER BY 1 LIMIT 2$$,
    $$VALUES ('2026-01-01'::date, 6000.0000, 250.0000, 5750.0000), ('2026-02-01', 0.0000, 250.0000, 5500.0000)$$, 'month by month, the first one whole');
CALL spm.calculate('2026-02');
CALL spm.post('2026-02');
SELECT is((SELECT months FROM spm_bi.contract_cost WHERE transaction_key = 'RENEW'), 36, 'a renewal has months of its own');

-- ------------------------------------------------------------------ cancellations
SELECT throws_ok($$SELECT spm.impair('GONE', '2026-02-15', 'cancelled')$$, '55000', 'period 2026-02 is posted', 'a write-off in a posted period is refused');
SELECT throws_ok($$SELECT spm.impair('NIX', '2026-03-15', 'cancelled')$$, '42704', 'transaction NIX has earned nothing', 'a deal that nobody knows is refused');
SELECT throws_ok($$SELECT spm.impair('GONE', '2026-01-15', 'cancelled')$$, '22023', 'transaction GONE is of 2026-01-31, after 2026-01-15', 'a write-off before the deal is refused');
SELECT throws_ok($$SELECT spm.impair('GONE', '2026-03-15', 'cancelled', 1.5)$$, '22023', 'share must be above 0 and at most 1, not 1.5', 'more than all is refused');
SELECT throws_ok($$SELECT spm.impair('GONE', '2026-03-15', '')$$, '22023', 'an impairment needs a reason', 'no reason is refused');
SELECT throws_ok($$SELECT spm.impair('GONE', NULL, 'x')$$, '22023', 'an impairment needs a day', 'no day is refused');
SELECT is(spm.impair('GONE', '2026-03-15', 'half of the seats are gone', 0.5), 1, 'a share can be written off');
SELECT throws_ok($$SELECT spm.impair('GONE', '2026-03-14', 'x')$$, '55000', 'transaction GONE has an impairment of 2026-03-15 already', 'out of order is refused');
SELECT is(spm.impair('GONE', '2026-05-02', 'cancelled'), 1, 'and all of the rest');
SELECT throws_ok($$SELECT spm.impair('GONE', '2026-06-02', 'cancelled')$$, '55000', 'transaction GONE is written off already', 'what is gone cannot go again');
SELECT results_eq($$SELECT month, amortized_amount, impaired_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'GONE' AND month < '2026-07-01' ORDER BY 1$$,
    $$VALUES ('2026-01-01'::date, 50.0000, 0.0000, 1150.0000), ('2026-02-01', 50.0000, 0.0000, 1100.0000), ('2026-03-01', 50.0000, 525.0000, 525.0000),
        ('2026-04-01', 25.0000, 0.0000, 500.0000), ('2026-05-01', 25.0000, 475.0000, 0.0000), ('2026-06-01', 0.0000, 0.0000, 0.0000)$$,
    'half of 1050 is written off after the third month; what is left goes on at half');
SELECT throws_ok($$UPDATE spm.impairment SET share = 0.1$$, '23001', 'an impairment does not change', 'no write-off is changed');
SELECT throws_ok($$DELETE FROM spm.impairment WHERE share = 0.5$$, '23001', 'an impairment does not change', 'or taken out from under a later one');
SELECT lives_ok($$DELETE FROM spm.impairment WHERE share = 1$$, 'the last one can be taken back');
SELECT spm.impair('GONE', '2026-03-31', 'cancelled in the same month') \g /dev/null
SELECT is((SELECT impaired_amount FROM spm_bi.amortization WHERE transaction_key = 'GONE' AND month = '2026-03-01'), 1050.0000, 'two in a month are both in it');

-- ------------------------------------------------------------------- differences
UPDATE lab.deal SET amount = 48000 WHERE id = 'BC';
UPDATE lab.deal SET amount = 0 WHERE id = 'JE';
CALL spm.calculate('2026-03');
SELECT results_eq($$SELECT is_posted, month, added_amount, amortized_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'BC' AND month BETWEEN '2026-02-01' AND '2026-04-01' ORDER BY 2, 1$$,
    $$VALUES (true, '2026-02-01'::date, 0.0000, 100.0000, 2200.0000), (false, '2026-03-01', 2400.0000, 300.0000, 2100.0000),
        (true, '2026-03-01', 0.0000, 100.0000, 2100.0000), (false, '2026-04-01', 0.0000, 100.0000, 2000.0000), (true, '2026-04-01', 0.0000, 100.0000, 2000.0000)$$,
    'catch-up: 2400 more in March are amortised as though they had been there since January: three months at once');
SELECT results_eq($$SELECT month, sum(added_amount), sum(amortized_amount), sum(carrying_amount) FROM spm_bi.amortization WHERE transaction_key = 'JE' AND month BETWEEN '2026-02-01' AND '2026-04-01' GROUP BY 1 ORDER BY 1$$,
    $$VALUES ('2026-02-01'::date, 0.0000, 250.0000, 5500.0000), ('2026-03-01', -6000.0000, -500.0000, 0.0000), ('2026-04-01', 0.0000, 0.0000, 0.0000)$$,
    'a commission that is taken back takes the asset with it, and what was amortised');
CALL spm.post('2026-03');
SELECT throws_ok($$DELETE FROM spm.impairment$$, '23001', 'an impairment does not change', 'once its period is posted, a write-off stays');
SELECT ok(bool_and(is_reconciled), 'opening, additions, amortisation and write-offs make the closing of every month') FROM spm_bi.contract_cost_rollforward;
SELECT results_eq($$SELECT month, opening_amount, added_amount, amortized_amount, impaired_amount, closing_amount FROM spm_bi.contract_cost_rollforward WHERE is_posted ORDER BY 1 LIMIT 4$$,
    $$VALUES ('2026-01-01'::date, 0.0000, 10600.0000, 416.6700, 0.0000, 10183.3300), ('2026-02-01', 10183.3300, 1000.0000, 444.4400, 0.0000, 10738.8900),
        ('2026-03-01', 10738.8900, -3600.0000, -5.5500, 1050.0000, 6094.4400), ('2026-04-01', 6094.4400, 0.0000, 244.4400, 0.0000, 5850.0000)$$, 'the books of four months');
SELECT is((SELECT sum(amortized_amount + impaired_amount) FROM spm_bi.contract_cost_rollforward), (SELECT sum(asset_amount) FROM spm_bi.contract_cost), 'in the end all of the asset is spent');
SELECT is((SELECT sum(earned_amount) FROM spm_bi.contract_cost), (SELECT sum(paid_amount) FROM spm_bi.payout WHERE component_name = 'Commission'), 'and it is what was posted');

-- ------------------------------------------------- what is posted keeps its treatment
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', 'Commission', 48, since => '2026-03-01')$$, '23001', 'contract costs of posted periods keep their treatment', 'a change in posted periods is refused');
SELECT throws_ok($$SELECT spm.set_capitalization('Rep', NULL, 48, type => 'new', since => '2026-02-01')$$, '23001', NULL, 'as is a more particular one');
SELECT throws_ok($$UPDATE spm.capitalization SET months = 48$$, '23001', 'contract costs of posted periods keep their treatment', 'or by hand');
SELECT throws_ok($$DELETE FROM spm.capitalization$$, '23001', 'contract costs of posted periods keep their treatment', 'or away');
SELECT throws_ok($$TRUNCATE spm.capitalization$$, '23001', NULL, 'or all at once');
SELECT throws_ok($$TRUNCATE spm.impairment$$, '23001', NULL, 'and no write-off either');
SELECT lives_ok($$SELECT spm.set_capitalization('Rep', 'Commission', 12, since => '2026-04-01', expedient => false, late => 'prospective', first_month => 'next')$$, 'a change from the first open day is not');
SELECT lives_ok($$SELECT spm.set_capitalization('Rep', 'Spiff', 24)$$, 'nor what was not an asset at all until now');

-- ------------------------------------------------------- prospective, no expedient
INSERT INTO lab.deal VALUES ('P', '2026-04-10', 'ann', 12000, 'new', NULL, NULL);
CALL spm.calculate('2026-04');
CALL spm.post('2026-04');
SELECT ok(is_capitalized AND months = 12, 'without the expedient, a year is an asset too') FROM spm_bi.contract_cost WHERE transaction_key = 'P' AND component_name = 'Commission';
CALL spm.calculate('2026-05');
CALL spm.post('2026-05');
UPDATE lab.deal SET amount = 23000 WHERE id = 'P';
CALL spm.calculate('2026-06');
SELECT results_eq($$SELECT month, added_amount, amortized_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'P' AND component_name = 'Commission' AND NOT is_posted ORDER BY 1 LIMIT 2$$,
    $$VALUES ('2026-06-01'::date, 1100.0000, 100.0000, 1000.0000), ('2026-07-01', 0.0000, 100.0000, 900.0000)$$,
    'prospective: 1100 more in June are spread over the eleven months that are left');
CALL spm.post('2026-06');
SELECT spm.extend_calendar('fiscal', '2028-01-01') \g /dev/null
DO $$DECLARE p text; BEGIN
    FOREACH p IN ARRAY ARRAY['2026-07', '2026-08', '2026-09', '2026-10', '2026-11', '2026-12', '2027-01', '2027-02', '2027-03', '2027-04'] LOOP
        EXECUTE format('CALL spm.calculate(%L)', p);
        EXECUTE format('CALL spm.post(%L)', p);
    END LOOP;
END$$;
UPDATE lab.deal SET amount = 24000 WHERE id = 'P';
CALL spm.calculate('2027-05');
SELECT results_eq($$SELECT month, added_amount, amortized_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'P' AND component_name = 'Commission' AND NOT is_posted$$,
    $$VALUES ('2027-05-01'::date, 100.0000, 100.0000, 0.0000)$$, 'what comes after the last month is expensed in its own');

-- ------------------------------------------------------------------------- refunds
INSERT INTO lab.deal VALUES ('P-R', '2027-05-15', 'ann', -2400, 'refund', NULL, 'BC'), ('LOST-R', '2027-05-16', 'ann', -10, 'refund', NULL, 'NIX');
CALL spm.calculate('2027-05');
SELECT results_eq($$SELECT event_date, months, added_amount, amortized_amount, carrying_amount FROM spm_bi.amortization
    JOIN (SELECT DISTINCT transaction_key, months FROM spm_bi.contract_cost WHERE NOT is_posted) c USING (transaction_key)
    WHERE transaction_key = 'BC' AND component_name = 'Commission' AND NOT is_posted ORDER BY month LIMIT 2$$,
    $$VALUES ('2026-01-01'::date, 24, -240.0000, -170.0000, -70.0000), ('2026-01-01'::date, 24, 0.0000, -10.0000, -60.0000)$$,
    'a refund belongs to the asset of the deal that it takes back: of 240 over 24 months 17 have passed');
SELECT is((SELECT count(*) FROM spm_bi.contract_cost WHERE transaction_key = 'LOST-R' AND component_name = 'Commission'), 1::bigint, 'one of a deal that nobody knows stands for itself');

-- ------------------------------------------------------ lines, and a second source
CREATE TABLE lab.more (id text, line int, day date, seller text, amount numeric);
INSERT INTO lab.more VALUES ('P', 1, '2027-05-03', 'bob', 24000), ('P', 2, '2027-05-03', 'bob', 12000);
SELECT spm.map_source('more', 'lab.more', key => 'id', line => 'line', date => 'day', owner => 'seller', amount => 'amount', fixed_currency => 'USD') \g /dev/null
CALL spm.calculate('2027-05');
SELECT throws_ok($$SELECT spm.impair('P', '2027-06-15', 'cancelled')$$, '42P09', 'transaction P is in more than one source', 'a key of two sources is refused');
SELECT is(spm.impair('P', '2027-06-15', 'cancelled', source => 'more', line => '2'), 1, 'one line can be written off');
SELECT is(spm.impair('P', '2027-06-20', 'cancelled', source => 'more'), 1, 'and what is left of the others');
SELECT results_eq($$SELECT line, amortized_amount, impaired_amount, carrying_amount FROM spm_bi.amortization WHERE source = 'more' AND component_name = 'Commission' AND month = '2027-06-01' ORDER BY 1$$,
    $$VALUES ('1', 200.0000, 2200.0000, 0.0000), ('2', 100.0000, 1100.0000, 0.0000)$$, 'each its own');
SELECT ok(bool_and(is_reconciled), 'and the books still add up') FROM spm_bi.contract_cost_rollforward;

-- ------------------------------------ cancelled, and the commission is not taken back
SELECT spm.add_payee('cat', 'cat'), spm.add_position('cat', 'cat'), spm.assign_position('cat', 'cat', '2025-01-01'), spm.create_plan('Keep', 'fiscal', 'USD', '2026-01-01'),
    spm.add_component('Keep', 'Commission', '0: 10%', eligible => 'amount > 0'), spm.assign_plan('Keep', '2026-01-01', payee => 'cat'), spm.publish_plan('Keep'),
    spm.set_capitalization('Keep', 'Commission', 24) \g /dev/null
SELECT spm.create_plan('Unearned', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Unearned', 'Commission', '0: 10%', refund => 'unearned', earned_over => 24),
    spm.add_payee('una', 'una'), spm.add_position('una', 'una'), spm.assign_position('una', 'una', '2025-01-01'), spm.assign_plan('Unearned', '2026-01-01', payee => 'una'), spm.publish_plan('Unearned'), spm.set_capitalization('Unearned', 'Commission', 24) \g /dev/null
INSERT INTO lab.deal VALUES ('U', '2027-05-03', 'una', 24000, 'new', NULL, NULL);
INSERT INTO lab.deal VALUES ('K', '2027-05-02', 'cat', 24000, 'new', NULL, NULL), ('KR1', '2027-05-20', 'cat', -4000, 'refund', NULL, 'K'), ('KR2', '2027-05-21', 'cat', -2000, 'refund', NULL, 'K');
SELECT throws_ok($$SELECT spm.impair_cancelled('2027-06')$$, '55000', 'period 2027-06 is open, not calculated', 'a period that is not calculated has no cancellations yet');
SELECT throws_ok($$SELECT spm.impair_cancelled('2027-04')$$, '55000', 'period 2027-04 is posted, not calculated', 'and one that is posted no more');
CALL spm.calculate('2027-05');
SELECT is(spm.impair_cancelled('2027-05'), 1, 'what a later transaction takes back is written off, unless it takes the commission back too');
SELECT is(spm.impair_cancelled('2027-05'), 0, 'once');
SELECT results_eq($$SELECT amortized_amount, impaired_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'K' AND month = '2027-05-01'$$,
    $$VALUES (100.0000, 575.0000, 1725.0000)$$, '6000 of 24000 taken back: a quarter of the 2300 that are left');
CALL spm.post('2027-05');
INSERT INTO lab.deal VALUES ('KR3', '2027-06-10', 'cat', -18000, 'refund', NULL, 'K'), ('UR', '2027-06-03', 'una', -24000, 'refund', NULL, 'U');
CALL spm.calculate('2027-06');
SELECT is(spm.impair_cancelled('2027-06'), 1, 'and the rest later');
SELECT results_eq($$SELECT amortized_amount, impaired_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'K' AND month = '2027-06-01'$$,
    $$VALUES (75.0000, 1650.0000, 0.0000)$$, 'all of what was left');
SELECT results_eq($$SELECT impaired_on, share, kept, reason FROM spm.impairment WHERE transaction_key = 'K' ORDER BY impairment_id$$,
    $$VALUES ('2027-05-21'::date, 0.25::numeric, 0.75::numeric, 'taken back by KR1, KR2'), ('2027-06-10', 1, 0, 'taken back by KR3')$$, 'and it says by what');
SELECT ok(bool_and(is_reconciled), 'and the books still add up') FROM spm_bi.contract_cost_rollforward;

SELECT results_eq($$SELECT is_posted, added_amount, amortized_amount, carrying_amount FROM spm_bi.amortization WHERE transaction_key = 'U' AND month = '2027-06-01' ORDER BY 1 DESC$$,
    $$VALUES (true, 0.0000, 100.0000, 2200.0000), (false, -2300.0000, -100.0000, -2200.0000)$$,
    'a refund of what is not yet earned takes what is left of the asset: nothing is carried any more, and what was amortised stays');

-- --------------------------------------- an order that is booked and paid, and its refund
CREATE TABLE lab.payment (id text, day date, amount numeric);
SELECT spm.map_event('deals', 'payment', 'lab.payment', key => 'id', date => 'day', amount => 'amount') \g /dev/null
SELECT spm.add_payee('pia', 'pia'), spm.add_position('pia', 'pia'), spm.assign_position('pia', 'pia', '2025-01-01') \g /dev/null
SELECT spm.create_plan('Both', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Both', 'Booked', '0: 10%', accumulate => 'deal', refund => 'original'),
    spm.add_component('Both', 'Paid', '0: 1%', accumulate => 'deal', event => 'payment', refund => 'original'), spm.assign_plan('Both', '2026-01-01', payee => 'pia'),
    spm.publish_plan('Both'), spm.set_capitalization('Both', NULL, 24) \g /dev/null
CALL spm.post('2027-06');
INSERT INTO lab.deal VALUES ('B', '2027-07-08', 'pia', 24000, 'new', NULL, NULL);
INSERT INTO lab.payment VALUES ('B', '2027-07-25', 12000), ('B', '2027-08-25', 12000);
CALL spm.calculate('2027-07');
CALL spm.post('2027-07');
INSERT INTO lab.deal VALUES ('BR', '2027-08-20', 'pia', -6000, 'refund', NULL, 'B');
CALL spm.calculate('2027-08');
SELECT results_eq($$SELECT component_name, event_date, booked_month, trim_scale(amount) FROM spm.contract_cost_lot WHERE transaction_key = 'B' ORDER BY 1, posting_id, 2$$,
    $$VALUES ('Booked'::text, '2027-07-08'::date, '2027-07-01'::date, 2400::numeric), ('Booked', '2027-07-08', '2027-08-01', -600),
        ('Paid', '2027-07-25', '2027-07-01', 120), ('Paid', '2027-08-25', '2027-08-01', 120)$$,
    'a refund starts on the day that its component went by: that of the booking, whatever was paid since');
SELECT ok(bool_and(is_reconciled), 'and the books still add up') FROM spm_bi.contract_cost_rollforward;

SELECT * FROM finish();
ROLLBACK;
