\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SELECT plan(25);

SELECT lives_ok($$SELECT spm.add_currency(c) FROM unnest('{USD,EUR,JPY,KWD,CLF}'::text[]) AS c$$,
    'a currency needs only its code');
SELECT results_eq($$SELECT currency_code, minor_digits::int FROM spm.currency ORDER BY 1$$,
    $$VALUES ('CLF', 4), ('EUR', 2), ('JPY', 0), ('KWD', 3), ('USD', 2)$$,
    'the digits are those of ISO 4217');
SELECT spm.add_currency('CHF', minor_digits => 1, name => 'Swiss franc');
SELECT results_eq($$SELECT minor_digits::int, name FROM spm.currency WHERE currency_code = 'CHF'$$,
    $$VALUES (1, 'Swiss franc')$$, 'other digits and a name can be given');
SELECT throws_ok($$SELECT spm.add_currency('usd')$$, '22023', 'currency code must be three capital letters, not ''usd''',
    'a code in small letters is refused');
SELECT throws_ok($$SELECT spm.add_currency(NULL)$$, '22023', 'currency code must be three capital letters, not NULL',
    'a currency without a code is refused');
SELECT throws_ok($$SELECT spm.add_currency('SEK', minor_digits => 5)$$, '22023', 'minor digits must be between 0 and 4, not 5',
    'more than four digits are refused');
SELECT throws_ok($$SELECT spm.add_currency('USD')$$, '42710', 'currency "USD" already exists',
    'a currency is added once');

SELECT spm.set_exchange_rate('EUR', 'USD', '2026-01-01', 1.10);
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-03-01', 1.20);
SELECT results_eq($$SELECT span, rate FROM spm.exchange_rate ORDER BY span$$,
    $$VALUES ('[2026-01-01,2026-03-01)'::daterange, 1.10), ('[2026-03-01,)', 1.20)$$,
    'a new rate ends the one it follows');
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-02-01', 1.15);
SELECT results_eq($$SELECT span, rate FROM spm.exchange_rate ORDER BY span$$,
    $$VALUES ('[2026-01-01,2026-02-01)'::daterange, 1.10), ('[2026-02-01,2026-03-01)', 1.15), ('[2026-03-01,)', 1.20)$$,
    'a rate between two others ends where the next begins');
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-04-01', 1.30, until => '2026-04-11');
SELECT results_eq($$SELECT span, rate FROM spm.exchange_rate WHERE span &> '[2026-03-01,)' ORDER BY span$$,
    $$VALUES ('[2026-03-01,2026-04-01)'::daterange, 1.20), ('[2026-04-01,2026-04-11)', 1.30), ('[2026-04-11,)', 1.20)$$,
    'after a rate with an end the one before it holds again');
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-01-01', 1.07, 'budget');
SELECT spm.set_exchange_rate('EUR', 'USD', '2025-12-01', 1.05);
SELECT is((SELECT span FROM spm.exchange_rate WHERE rate = 1.05), '[2025-12-01,2026-01-01)',
    'an earlier rate ends where the first began');

SELECT is(spm.exchange_rate_on('EUR', 'USD', '2026-02-28'), 1.15, 'the rate of a day is the one whose span holds it');
SELECT is(spm.exchange_rate_on('EUR', 'USD', '2026-03-01'), 1.20, 'the day on which a rate starts has the new rate');
SELECT is(spm.exchange_rate_on('EUR', 'USD', '2026-02-28', 'budget'), 1.07, 'each type of rate stands alone');
SELECT is(spm.exchange_rate_on('EUR', 'EUR', '2026-02-28'), 1::numeric, 'a currency is worth itself');
SELECT is(spm.exchange_rate_on('EUR', 'USD', '2020-01-01'), NULL, 'before the first rate there is none');
SELECT is(spm.exchange_rate_on('USD', 'EUR', '2026-02-28'), NULL, 'a rate is never inverted');

SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'USD', '2026-03-01', 1.21)$$, '23P01',
    'the spot rate from EUR to USD is already set from 2026-03-01', 'a rate is not overwritten');
SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'USD', '2026-01-15', 1.21, until => '2026-02-10')$$, '23P01',
    'the spot rate from EUR to USD is already set from 2026-02-01', 'a rate does not reach into the next');
SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'USD', '2026-05-01', 1.21, until => '2026-05-01')$$, '22023',
    'until must be after since', 'a rate holds for a day at least');
SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'XXX', '2026-05-01', 1.21)$$, '42704',
    'currency "XXX" does not exist', 'a rate needs known currencies');
SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'EUR', '2026-05-01', 1)$$, '22023',
    'a currency needs no rate to itself', 'a rate to the same currency is refused');
SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'USD', '2026-05-01', 0)$$, '22023',
    'exchange rate must be a number above zero, not 0', 'a rate of zero is refused');
SELECT throws_ok($$SELECT spm.set_exchange_rate('EUR', 'USD', '2026-05-01', 'NaN')$$, '22023',
    'exchange rate must be a number above zero, not NaN', 'a rate that is no number is refused');
SELECT throws_ok($$INSERT INTO spm.exchange_rate (from_currency_code, to_currency_code, span, rate) VALUES ('EUR', 'USD', '[2026-01-15,2026-01-16)', 2)$$,
    '23P01', NULL, 'two rates for one day cannot be inserted behind the function''s back');
SELECT * FROM finish();
ROLLBACK;
