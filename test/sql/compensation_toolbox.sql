-- The toolbox: rate schedules, what totals and deals earn, rounding, splits.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

-- What a call gives as text, or its SQLSTATE and message.
CREATE FUNCTION pg_temp.tried(call text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    result text;
BEGIN
    EXECUTE 'SELECT (' || call || ')::text' INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

/* ------------------------------------------------------------ the text form */

SELECT is(written::spm.rate_schedule::text, read, 'a schedule is written in one way: ' || written)
FROM (VALUES
    ('0: 5%, 100000: 8%, 150000: 12%', '0: 5%, 100000: 8%, 150000: 12%'),
    ('  0:0.05,100000.00:.080  ', '0: 5%, 100000: 8%'),
    ('0..100000: 5%, 100000..: 8%', '0: 5%, 100000: 8%'),
    ('0%: 8%, 80%: 10%, 100%: 14%', '0%: 8%, 80%: 10%, 100%: 14%'),
    ('0: 8%, 0.8: 10% of quota', '0%: 8%, 80%: 10%'),
    ('0: 5% FLOOR 0 cap 5000 base 2% edge lower whole', '0: 5% whole edge lower base 2% cap 5000 floor 0'),
    ('0: 5% marginal edge upper base 5% outside refuse', '0: 5%'),
    ('10: 5% base 0', '10: 5%'),
    ('10: 5% base 1%', '10: 5% base 1%'),
    ('0..10: 5%, 20..30: 8% outside zero', '0..10: 5%, 20..30: 8% outside zero'),
    ('0: 100, 50.5: 200 bonus', '0: 100, 50.5: 200 bonus'),
    ('0: 2', '0: 200%'),
    ('0: 5%, 100: 8% floor 1 cap 9 per 300000.50 base 1% excess', '0: 5%, 100: 8% excess base 1% per 300000.5 cap 9 floor 1'),
    ('50%: 0, 100%: 10000, 150%: 20000 curve', '50%: 0, 100%: 10000, 150%: 20000 curve'),
    ('0: 5% per 1.00', '0: 5%'),
    ('0: -1.5%', '0: -1.5%'),
    ('0%: 1%, 100%..150%: 2% weighted zero quota nothing', '0%: 1%, 100%..150%: 2% weighted zero quota nothing'),
    ('0: 5%, 123456789012345678901234567890.12: 8%', '0: 5%, 123456789012345678901234567890.12: 8%'),
    ('0: 0.000000000000000000001', '0: 0.0000000000000000001%')) AS t (written, read);
SELECT is(count(DISTINCT written::spm.rate_schedule), 1::bigint, 'schedules that mean the same are equal, group and join')
FROM (VALUES ('0: 5%, 100: 8%'), ('0.00: 0.05, 100.0: 0.080'), ('0..100: 5%, 100..: 8% marginal base 5%')) AS t (written);
SELECT is('0: 5%'::spm.rate_schedule OPERATOR(spm.=) '0: 6%', false, 'others are not');

SELECT is(pg_temp.tried(format('%L::spm.rate_schedule', written)), said, 'refused: ' || coalesce(nullif(written, ''), 'nothing'))
FROM (VALUES
    ('', '22P02 rate schedule cannot be read at its end'),
    ('5%', '22P02 rate schedule cannot be read at its end'),
    ('0: 5%, 100: ', '22P02 rate schedule cannot be read at its end'),
    ('0 - 100: 5%', '22P02 rate schedule cannot be read at "-"'),
    ('0: five', '22P02 rate schedule cannot be read at "five"'),
    ('0: NaN', '22P02 rate schedule cannot be read at "NaN"'),
    ('0: 5%, Infinity: 6%', '22P02 rate schedule cannot be read at "Infinity:"'),
    ('0: 1e3', '22P02 rate schedule cannot be read at "1e3"'),
    ('0: 5%, 100%: 8%', '22P02 rate schedule cannot be read at "100%:"'),
    ('0: 5% sliding', '22P02 rate schedule cannot be read at "sliding"'),
    ('0: 5% edge middle', '22P02 rate schedule cannot be read at "middle"'),
    ('0: 5% whole whole', '22P02 rate schedule cannot be read at "whole"'),
    ('0: 5% cap 10%', '22P02 rate schedule cannot be read at "10%"'),
    ('0: 5% bonus', '22P02 rate schedule cannot be read at "5%"'),
    ('0: 100 bonus base 1', '22023 a schedule of bonuses has no base'),
    ('0: 100 curve base 1', '22023 a pay curve has no base'),
    ('0: 5% curve', '22P02 rate schedule cannot be read at "5%"'),
    ('0: 5% per 0', '22023 divisor of a rate schedule must be greater than 0'),
    ('0: 5% per -2', '22023 divisor of a rate schedule must be greater than 0'),
    ('0: 5% per 50%', '22P02 rate schedule cannot be read at "50%"'),
    ('0: 5% per', '22P02 rate schedule cannot be read at its end'),
    ('-1: 5%', '22023 rate schedule starts below 0'),
    ('100: 5%, 100: 8%', '22023 rate schedule must be in ascending order'),
    ('100: 5%, 0: 8%', '22023 rate schedule must be in ascending order'),
    ('0..100: 5%, 120: 8%', '22023 rate schedule has no rate between 100 and 120'),
    ('0%..100%: 5%, 120%: 8%', '22023 rate schedule has no rate between 100% and 120%'),
    ('0..100: 5%, 90: 8%', '22023 tiers 1 and 2 of the rate schedule overlap'),
    ('0..100: 5%, 90: 8% outside zero', '22023 tiers 1 and 2 of the rate schedule overlap'),
    ('0..: 5%, 90: 8%', '22023 tiers 1 and 2 of the rate schedule overlap'),
    ('0..0: 5%', '22023 tier 1 of the rate schedule is empty'),
    ('0: 5%, 100: 8% weighted', '22023 weighted rate schedule must end'),
    ('0: 5% cap -1', '22023 cap of a rate schedule must not be negative'),
    ('0: 5% cap 1 floor 2', '22023 cap of a rate schedule is below its floor'),
    ('0: 5% zero quota nothing', '22023 option "zero quota" needs bounds in percent of quota'),
    ('0: 0.' || repeat('1', 101), '22003 rate schedule cannot be read at "0.' || repeat('1', 38) || '"'),
    (repeat('9', 99) || ': 1', '22003 number in a rate schedule has too many digits')) AS t (written, said);

CREATE FUNCTION pg_temp.detail_of(call text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE 'SELECT ' || call;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
SELECT results_eq($$SELECT * FROM pg_temp.detail_of($q$'0..100000: 5%, 120000: 8%'::spm.rate_schedule$q$)$$,
    $$VALUES ('Tier 1 ends at 100000, tier 2 starts at 120000.', 'Write ''0: 5%, 100000: 8%'' to let tier 2 start where tier 1 ends.')$$,
    'a gap names its tiers and how to close it');
SELECT results_eq($$SELECT detail FROM pg_temp.detail_of($q$'0: 5%, 1x0: 8%'::spm.rate_schedule$q$)$$,
    $$VALUES ('Character 9: A colon and a rate are expected there.')$$, 'what cannot be read is shown where it stands');

-- Bytes from elsewhere, and the limits.
CREATE TEMP TABLE sample AS SELECT spm.rate_schedule_send(s::spm.rate_schedule) AS bytes, s
FROM (VALUES ('0%: 8%, 80%..100%: 10%, 120%: 14% interpolated edge closed base 1% per 7.5 cap 900 floor -5 outside zero zero quota nothing'),
             ('0: 5%, 123456789012345678901234567890.12: 8%')) AS t (s);
CREATE TEMP TABLE received (schedule spm.rate_schedule);
-- A file of COPY is the way from SQL to the binary input.
CREATE FUNCTION pg_temp.received(bytes bytea) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    file text := current_setting('data_directory') || '/spm_received';
    object oid := lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea
                                   || int4send(length(bytes)) || bytes || '\xffff'::bytea);
    result text;
BEGIN
    PERFORM lo_export(object, file), lo_unlink(object);
    DELETE FROM received;
    EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
    SELECT schedule::text INTO result FROM received;
    -- what was accepted is a schedule: it comes back the same from its text
    RETURN CASE WHEN result::spm.rate_schedule::text = result THEN 'fine' ELSE 'not canonical: ' || result END;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN SQLSTATE IN ('22P02', '22P03', '22003', '22023', '22021', '08P01', '54000') THEN 'refused' ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
SELECT results_eq($$SELECT DISTINCT pg_temp.received(bytes) FROM sample$$, $$VALUES ('fine')$$, 'a sent schedule is received');
SELECT is(string_agg(DISTINCT got, '; ') FILTER (WHERE got NOT IN ('fine', 'refused')), NULL, 'cut anywhere it is read or refused')
FROM (SELECT pg_temp.received(substr(bytes, 1, n)) AS got FROM sample, generate_series(0, length(bytes) - 1) AS n) x;
CREATE TEMP TABLE turned AS SELECT pg_temp.received(set_bit(bytes, n, 1 - get_bit(bytes, n))) AS got FROM sample, generate_series(0, length(bytes) * 8 - 1) AS n;
SELECT is(string_agg(DISTINCT got, '; ') FILTER (WHERE got NOT IN ('fine', 'refused')), NULL, 'with any bit turned it is read or refused') FROM turned;
SELECT ok(count(*) FILTER (WHERE got = 'fine') > 100 AND count(*) FILTER (WHERE got = 'refused') > 500, 'some are read, most refused') FROM turned;
COPY received FROM PROGRAM 'rm -f spm_received';
SELECT is(pg_temp.tried('(repeat(''1: 2, '', 150000))::spm.rate_schedule'), '54000 rate schedule cannot be read at "1:"',
    'a megabyte of tiers is refused');
SELECT is(pg_temp.tried('(''0: 5%'' || repeat('' '', 1000000))::spm.rate_schedule'), '0: 5%', 'a megabyte of spaces is not');
SELECT is((SELECT count(*) FROM spm.tier((SELECT string_agg(i || ': ' || i, ', ' ORDER BY i)
                                          FROM generate_series(0, 999) AS i)::spm.rate_schedule)), 1000::bigint, '1,000 tiers are accepted');

/* --------------------------------------------------------- as arrays, by quota */

SELECT is(spm.rate_schedule('{0,100000}', '{0.05,0.08}')::text, '0: 5%, 100000: 8%', 'a schedule from arrays');
SELECT is(spm.rate_schedule('{0,0.8}', '{0.08,0.1}', 'of quota whole')::text, '0%: 8%, 80%: 10% whole', 'with options');
SELECT is(pg_temp.tried($$spm.rate_schedule('{100000,0}', '{0.05,0.08}')$$), '22023 rate schedule must be in ascending order', 'floors out of order are refused');
SELECT is(pg_temp.tried($$spm.rate_schedule('{0,1}', '{0.05}')$$), '22023 rate schedule must have one rate for each floor', 'so is a missing rate');
SELECT is(pg_temp.tried($$spm.rate_schedule('{}', '{}')$$), '22023 rate schedule must have one rate for each floor', 'and nothing at all');
SELECT is(pg_temp.tried($$spm.rate_schedule('{0,NULL}', '{0.05,0.06}')$$), '22004 floor 2 is null', 'and a null');
SELECT is(pg_temp.tried($$spm.rate_schedule('{0,NaN}', '{0.05,0.06}')$$), '22023 floor must be a finite number', 'and NaN');
SELECT is(pg_temp.tried($$spm.rate_schedule('{{0},{1}}', '{{1},{2}}')$$), '2202E floors must be an array of one dimension', 'and two dimensions');
SELECT throws_ok($$SELECT spm.rate_schedule(array_agg(i), array_agg(i)) FROM generate_series(1, 1001) AS i$$, '54000', 'rate schedule has too many tiers', 'and more than 1,000 tiers');

SELECT is(spm.for_quota('0%: 8%, 80%: 10%, 100%: 14%', 123456.78)::text, '0: 8%, 98765.424: 10%, 123456.78: 14%', 'bounds times quota are exact');
SELECT is(spm.for_quota('0%: 8%, 33.3333333333%: 10%', 1e30)::text, '0: 8%, 333333333333000000000000000000: 10%', 'however long');
SELECT is(spm.for_quota('0%: 5%, 100%: 10%', 0)::text, '0: 10%', 'on a quota of 0 the top rate holds from the first cent');
SELECT is(spm.for_quota('0%: 5%, 100%: 10% zero quota nothing', 0)::text, '0: 0%', 'or nothing is earned, if so asked for');
SELECT is(pg_temp.tried($$spm.for_quota('0%: 5% zero quota refuse', 0)$$), '22023 quota is 0', 'or it is refused');
SELECT is(pg_temp.tried($$spm.for_quota('0%: 5%', -1)$$), '22023 quota must not be negative', 'a negative quota is refused');
SELECT is(pg_temp.tried($$spm.for_quota('0%: 5%', 'NaN')$$), '22023 quota must be a finite number', 'and NaN');
SELECT is(pg_temp.tried($$spm.for_quota('0: 5%', 1)$$), '22023 rate schedule is not in percent of quota', 'amounts are not scaled once more');
SELECT is(pg_temp.tried($$spm.commission('0%: 5%', 1)$$), '22023 rate schedule is in percent of quota', 'percent earns nothing before a quota is known');
SELECT is(spm.with_factor('0: 5%, 100: 8% base 1% cap 10 floor 1', 1.5)::text, '0: 7.5%, 100: 12% base 1.5% cap 10 floor 1', 'a factor changes rates, not limits');
SELECT is(pg_temp.tried($$spm.with_factor('0: 5%', '1e-101')$$), '22003 number in a rate schedule has too many digits', 'a rate without end is refused');
SELECT is(spm.with_factor('50%: 100, 100%: 300 curve cap 500', 0.5)::text, '50%: 50, 100%: 150 curve cap 500', 'of a pay curve it changes the money');
SELECT is(spm.per('0: 5%, 100: 8% base 1% cap 10 floor 1', 300000)::text, '0: 5%, 100: 8% base 1% per 300000 cap 10 floor 1', 'a divisor changes what is earned, not limits');
SELECT is(spm.per(spm.per('0: 5%', 4), 2.5)::text, '0: 5% per 10', 'two divisors are one');
SELECT is(pg_temp.tried($$spm.per('0: 5%', 0)$$), '22023 divisor of a rate schedule must be greater than 0', 'nothing is divided by 0');
SELECT is(pg_temp.tried($$spm.per('0: 5%', 'NaN')$$), '22023 divisor must be a finite number', 'nor by NaN');
SELECT is(spm.with_limits('0: 5% cap 900 floor 50', cap, least)::text, now, format('cap 900 and floor 50 with %s and %s', coalesce(cap::text, 'none'), coalesce(least::text, 'none')))
FROM (VALUES (1000, 10, '0: 5% cap 900 floor 50'), (800, 60, '0: 5% cap 800 floor 60'), (NULL, NULL, '0: 5% cap 900 floor 50'), (70, NULL, '0: 5% cap 70 floor 50')) AS t (cap, least, now);
SELECT is(spm.with_limits('0%: 5%', 1000, -5)::text, '0%: 5% cap 1000 floor -5', 'limits where there were none, in shares of quota too');
SELECT is(spm.with_limits('0: 5%', NULL, NULL)::text, '0: 5%', 'nulls leave a schedule without limits');
SELECT is(spm.with_limits(NULL, 1, 2)::text, NULL, 'no schedule, nothing to limit');
SELECT is(pg_temp.tried($$spm.with_limits('0: 5% floor 50', 40, NULL)$$), '22023 cap of a rate schedule is below its floor', 'a cap below the floor is refused');
SELECT is(pg_temp.tried($$spm.with_limits('0: 5%', -1, NULL)$$), '22023 cap of a rate schedule must not be negative', 'and a negative one');
SELECT is(spm.scaled('0: 5%, 100000: 8%, 150000..200000: 9% cap 700', 31, 92)::text, '0: 5%, 33695.65: 8%, 50543.48..67391.3: 9% cap 700', 'bounds are scaled and rounded; rates and limits stay');
SELECT is(spm.scaled('0: 100, 100: 500 curve per 3', 1, 2, 0)::text, '0: 100, 50: 500 curve per 3', 'the money of a pay curve and a divisor too');
SELECT is(spm.scaled('1: 5%', 1, 1000)::text, '0: 5% base 0%', 'a floor that becomes 0 brings no base');
SELECT is(pg_temp.tried($$spm.scaled('0: 5%, 0.10: 8%', 1, 1000)$$), '22023 bounds of the rate schedule fall together', 'a tier that is lost by it is refused');
SELECT is(pg_temp.tried($$spm.scaled('0..1: 5%, 200: 8% outside zero', 1, 1000)$$), '22023 bounds of the rate schedule fall together', 'with ends too');
SELECT results_eq($q$SELECT * FROM pg_temp.detail_of($$spm.scaled('0: 5%, 0.10: 8%', 1, 1000)$$)$q$,
    $$VALUES ('After scaling, tier 1 starts at 0 and ends there too.', 'Round to more places, or give the tiers in percent of quota and prorate the quota.')$$, 'it says which');
SELECT is(pg_temp.tried($$spm.scaled('0: 5%', 1, 0)$$), '22012 denominator is 0', 'a share of nothing is refused');
SELECT is(pg_temp.tried($$spm.scaled('0: 5%', 1, -2)$$), '22023 tiers cannot be scaled by a negative number', 'and a negative one');
SELECT is(pg_temp.tried($$spm.scaled('0%: 5%', 1, 2)$$), '22023 rate schedule is in percent of quota', 'shares of quota are not scaled');
SELECT results_eq($$SELECT * FROM spm.tier('0..10: 5%, 20: 8% outside zero')$$, $$VALUES (1, 0::numeric, 10::numeric, 0.05), (2, 20, NULL, 0.08)$$, 'tiers as rows');

/* ---------------------------------------------------------------- what is earned */

SELECT is(spm.commission('0: 5%, 100000: 8%, 150000: 12%', 160000), 10200.00, 'each slice earns the rate of its own tier');
SELECT is(spm.commission('0: 5%, 100000: 8%', 0, 160000), 9800.00, 'two literals are from and to');
SELECT is(spm.commission('0: 5%, 100000: 8%', 90000, 110000), 1300.00, 'a deal earns what the total earns more');
SELECT is(spm.commission('0: 5%, 100000: 8%', 110000, 90000), -1300.00, 'and a refund takes it back');
SELECT is(spm.commission('0: 5%, 100000: 8%', -1000), -50.00, 'below zero too');
SELECT is(spm.commission('100: 5%', 100) + spm.commission('100: 5%', -100), 0.00, 'but not what was not earned');
SELECT is(spm.commission('100: 5% base 1%', 50), 0.50, 'a base is the rate below the first tier');
SELECT is(spm.commission('0: 5%, 100000: 8% whole', 160000), 12800.00, 'whole: everything at the rate reached');
SELECT is(spm.commission('0: 5%, 100: 8% whole', 100), 8.00, 'edge upper: an edge belongs to the higher tier');
SELECT is(spm.commission('0: 5%, 100: 8% whole edge lower', 100), 5.00, 'edge lower: to the lower');
SELECT is(spm.commission('1..100: 10, 200..300: 20 whole edge closed outside zero', x), y, 'edge closed: both ends belong, ' || x)
FROM (VALUES (1, 10.00), (100, 1000.00), (150, 0.00), (200, 4000.00), (300, 6000.00), (301, 0.00)) AS t (x, y);
SELECT is(spm.commission('0: 0%, 100: 10% interpolated', 50), 2.50, 'interpolated: half way, half the rate');
SELECT is(spm.rate_at('0..1000: 1%, 1000..5000: 2% weighted', 2000), 0.015000, 'weighted: a share of the tier reached');
SELECT is(spm.commission('0..1000: 1%, 1000..5000: 2% weighted', 2000), 30.00, 'times the amount');
SELECT is(spm.commission('50: 100, 100: 300 bonus', x), y, 'bonus: the highest reached, at ' || x)
FROM (VALUES (49, 0.00), (50, 100.00), (99, 100.00), (100, 300.00)) AS t (x, y);
SELECT is(spm.commission('0: 5%, 100: 8%, 150: 12% excess', x), y, 'excess: the first tier at its rate, all above it at the rate reached, at ' || x)
FROM (VALUES (90, 4.50), (100, 5.00), (120, 6.60), (150, 11.00), (160, 12.20)) AS t (x, y);
SELECT is(spm.commission('0: 5%, 100: 8%, 150: 12% excess edge lower', 150), 9.00, 'excess, edge lower: an edge at the rate of the lower tier');
SELECT is(spm.commission('20: 5%, 100: 8% excess base 1%', x), y, 'excess with a base, at ' || x) FROM (VALUES (10, 0.10), (20, 0.20), (100, 4.20), (110, 5.00)) AS t (x, y);
SELECT is(spm.commission('0..100: 5%, 150..200: 8% excess outside zero', x), y, 'excess in a gap and above the end: the first tier is kept, ' || x)
FROM (VALUES (120, 5.00), (160, 9.80), (300, 5.00)) AS t (x, y);
SELECT is(spm.commission('50: 0, 100: 1000, 150: 3000 curve', x), y, 'curve: money on the line between two points, at ' || x)
FROM (VALUES (49, 0.00), (50, 0.00), (75, 500.00), (100, 1000.00), (110, 1400.00), (150, 3000.00), (999, 3000.00)) AS t (x, y);
SELECT is(spm.commission(('50: 200, 100: 1000 curve' || edge)::spm.rate_schedule, 50), y, 'the first point pays once reached' || edge) FROM (VALUES ('', 200.00), (' edge lower', 0.00)) AS t (edge, y);
SELECT is(spm.commission('0: 200, 100: 1000 curve', 0), 0.00, 'but nothing sold earns nothing');
SELECT is(spm.commission('0: 200, 30: 1000 curve', 10), 466.67, 'a line without end is rounded once');
SELECT is(spm.commission('50: 200, 100..120: 1000 curve outside zero', 121), 0.00, 'outside zero: above the last end nothing');
SELECT is(spm.commission(spm.per(spm.with_factor('0: 1', 24000), 70000), 12345), 4232.57, 'per: target incentive times attainment, rounded once');
SELECT is(spm.commission('0: 1 per 3', 100), 33.33, 'a third');
SELECT is(spm.commission('0: 1 per 3', 0, 100, 6), 33.333333, 'to any places');
SELECT is(spm.commission('0: 100, 50: 1000 bonus per 3', 60), 333.33, 'a bonus is divided too');
SELECT is(spm.commission('0: 1 per 3 cap 30 floor 20', x), y, 'but limits are not: ' || x) FROM (VALUES (30, 20.00), (75, 25.00), (100, 30.00)) AS t (x, y);
SELECT is(spm.rate_at('0: 1, 50: 2 per 3', 60), 0.666667, 'a rate is divided');
SELECT is(sum(spm.commission('0: 1 per 7', x - 0.37, x)), spm.commission('0: 1 per 7', 370), 'a thousand deals add up to their period, divided or not')
FROM (SELECT i * 0.37 AS x FROM generate_series(1, 1000) AS i) d;

-- Totals below zero: refunds of what was earned before the period.
SELECT is(spm.commission(schedule::spm.rate_schedule, -100), y, 'a total of -100: ' || schedule)
FROM (VALUES ('0: 5%, 100: 8%', -5.00), ('10: 5%', 0.00), ('10: 5% base 2%', -2.00),
             ('0: 5%, 100: 8% whole', -5.00), ('10: 5% whole', 0.00),
             ('0: 5%, 100: 8% excess', -5.00), ('10: 5%, 100: 8% excess', 0.00),
             ('0: 5%, 100: 8% interpolated', -5.00), ('10: 5%, 100: 8% interpolated', -5.00), ('10: 5%, 100: 8% interpolated base 0', 0.00),
             ('0..100: 5% weighted', -5.00), ('10..100: 5% weighted', 0.00),
             ('0: 50, 100: 80 bonus', 0.00), ('0: 50, 100: 80 curve', 0.00),
             ('0: 5% cap 1', -5.00), ('0: 5% floor 0', 0.00), ('0: 5% floor -2', -2.00), ('0: 50 bonus floor 3', 3.00), ('0: 5% per 2', -2.50)) AS t (schedule, y);

SELECT is(spm.commission('0: 10% cap 5', 100), 5.00, 'a cap is the most');
SELECT is(spm.commission('0: 10% floor 5', x), y, 'a floor the least, but nothing sold earns nothing: ' || x)
FROM (VALUES (1, 5.00), (0, 0.00), (-1, 5.00), (100, 10.00)) AS t (x, y);
SELECT is(pg_temp.tried($$spm.commission('0..100: 5%', 100)$$), '5.00', 'the end itself is still paid');
SELECT is(pg_temp.tried($$spm.commission('0..100: 5%', 100.01)$$), '22003 amount 100.01 is above the end of the rate schedule', 'above it is refused');
SELECT is(pg_temp.tried($$spm.commission('0..100: 5% outside zero', 100.01)$$), '5.00', 'or earns nothing more');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', 'NaN')$$), '22023 amount must be a finite number', 'NaN is no amount');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', '-Infinity')$$), '22023 amount must be a finite number', 'nor is infinity');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', ('1e1001')::numeric)$$), '22003 amount has too many digits', 'nor a number of 1,002 digits');
SELECT is(pg_temp.tried($$length(spm.commission('0: 5%', ('1e999')::numeric)::text)$$), '1001', 'one of 1,000 is');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', ('1e-16000')::numeric)$$), '22003 amount has too many digits', 'nor one of 16,000 decimals');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', ('1.' || repeat('0', 5000))::numeric)$$), '0.05', 'zeros do not count');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', 0, 10, 2, 'nearest')$$), '22023 "nearest" is not a rounding', 'no such rounding');
SELECT is(pg_temp.tried($$spm.commission('0: 5%', 0, 10, 101)$$), '22023 places must be between -100 and 100', 'places have limits');
SELECT is(spm.commission('0: 1%', 0, 0.5, 2, mode), y, 'half a cent, ' || mode)
FROM (VALUES ('half_up', 0.01), ('half_even', 0.00), ('half_down', 0.00), ('up', 0.01), ('down', 0.00), ('floor', 0.00), ('ceil', 0.01)) AS t (mode, y);
SELECT is(spm.commission(NULL::spm.rate_schedule, 1), NULL, 'no schedule, no result');
SELECT is(sum(spm.commission('0: 3.3333%, 100: 7.7777%', x - 0.37, x)), spm.commission('0: 3.3333%, 100: 7.7777%', 370), 'a thousand deals add up to their period')
FROM (SELECT i * 0.37 AS x FROM generate_series(1, 1000) AS i) d;

SELECT results_eq($$SELECT * FROM spm.commission_slice('0: 5%, 100000: 8%', 90000, 110000)$$,
    $$VALUES (1, 'tier', 90000::numeric, 100000::numeric, 10000::numeric, 0.05, 500.00), (2, 'tier', 100000, 110000, 10000, 0.08, 800.00)$$,
    'a commission is explained slice by slice');
SELECT results_eq($$SELECT kind, base, rate, amount FROM spm.commission_slice('0: 5%, 100000: 8% whole cap 7000', 90000, 110000)$$,
    $$VALUES ('tier', 20000::numeric, 0.08, 1600.00), ('rerate', 90000, 0.03, 2700.00), ('cap', 0, NULL, -1800.00)$$,
    'with what is re-rated, and what the cap takes');
SELECT results_eq($$SELECT tier_no, kind, base, amount FROM spm.commission_slice('50: 5%', 60, -10)$$,
    $$VALUES (1, 'tier', -10::numeric, -0.50), (NULL, 'base', -60, 0.00)$$, 'a refund runs backwards');
SELECT results_eq(format($$SELECT kind, slice_from, slice_to, base, rate, amount FROM spm.commission_slice('0: 5%%, 100: 8%%, 150: 12%% excess', %s, %s)$$, a, b), rows, format('excess, from %s to %s', a, b))
FROM (VALUES (90, 120, $$VALUES ('tier', 90::numeric, 100::numeric, 10::numeric, 0.05, 0.50), ('tier', 100, 120, 20, 0.08, 1.60)$$),
             (120, 160, $$VALUES ('tier', 120::numeric, 160::numeric, 40::numeric, 0.12, 4.80), ('rerate', 100, 120, 20, 0.04, 0.80)$$),
             (160, 90, $$VALUES ('tier', 160::numeric, 100::numeric, -60::numeric, 0.12, -7.20), ('tier', 100, 90, -10, 0.05, -0.50)$$)) AS t (a, b, rows);
SELECT results_eq($$SELECT tier_no, kind, base, rate, amount FROM spm.commission_slice('50: 0, 100: 1000, 150: 3000 curve cap 1200', 75, 110)$$,
    $$VALUES (2, 'curve', 35::numeric, NULL::numeric, 900.00), (NULL, 'cap', 0, NULL, -200.00)$$, 'a pay curve is explained by one row, and its cap');
SELECT results_eq($$SELECT rate, amount FROM spm.commission_slice('0: 1, 50: 2 per 3', 0, 60)$$, $$VALUES (0.3333333333, 16.67), (0.6666666667, 6.66)$$, 'divided rates are shown to 10 places');
SELECT is_empty($$SELECT * FROM spm.commission_slice('0: 5%', 10, 10)$$, 'nothing sold, nothing to explain');

SELECT is(spm.split(100, '{1,1,1}'), '{33.34,33.33,33.33}', 'a split adds up; a tie goes to the earlier');
SELECT is(spm.split(-100, '{1,1,1}', 0), '{-34,-33,-33}', 'to whole units, mirrored');
SELECT is(spm.split(0.001, '{0.5,0.5}'), '{0.001,0.000}', 'never coarser than the total');
SELECT is(spm.split(80000, '{0.7,0.3}'), '{56000.00,24000.00}', 'shares of 1');
SELECT is(pg_temp.tried($$spm.split(1, '{0.5,-0.5}')$$), '22023 share must not be negative', 'negative shares are refused');
SELECT is(pg_temp.tried($$spm.split(1, '{0,0}')$$), '22023 no share is greater than 0', 'so are none');
SELECT is(pg_temp.tried($$spm.split(1, '{}')$$), '22023 no share is greater than 0', 'at all');
SELECT is(pg_temp.tried($$spm.split(1, '{1,NULL}')$$), '22004 share 2 is null', 'so are nulls');
SELECT is((SELECT sum(p) FROM unnest(spm.split(1, array_fill(1::numeric, '{10000}'))) AS p), 1.00, 'ten thousand shares add up');
SELECT is(pg_temp.tried($$cardinality(spm.split(1, array_fill(1::numeric, '{100001}')))$$), '54000 too many shares', 'more than a hundred thousand are refused');
SELECT is(spm.rounded(1250, -2, 'half_even'), 1200::numeric, 'to hundreds');
SELECT is(spm.attainment(90000, 120000), 0.750000, 'attainment');
SELECT is(spm.attainment(1, 0), NULL, 'has no value on a quota of 0');

/* -------------------------------------------------------------------- aggregates */

CREATE TEMP TABLE sale AS SELECT i AS deal_id, i % 3 AS rep, date '2026-01-01' + i % 90 AS day, i * 1.37 AS amount FROM generate_series(1, 1000) AS i;
SELECT is(spm.period_commission(amount, '0: 5%, 1000: 8%'), spm.commission('0: 5%, 1000: 8%', sum(amount)), 'a period earns what its total earns') FROM sale;
SELECT is(spm.period_commission(amount, '0: 5%', 0, 'floor'), spm.commission('0: 5%', 0, sum(amount), 0, 'floor'), 'rounded as asked for') FROM sale;
SELECT is(spm.period_commission(amount, '0: 5%'), NULL, 'no rows, no commission') FROM sale WHERE false;
SELECT is(spm.period_commission(NULL, '0: 5%'), NULL, 'no amounts, no commission') FROM sale;
SELECT is(spm.period_commission(1, NULL), NULL, 'no schedule, no commission') FROM sale;
SELECT throws_ok($$SELECT spm.period_commission(amount, CASE rep WHEN 0 THEN '0: 5%' ELSE '0: 6%' END::spm.rate_schedule) FROM sale$$,
    '22023', 'rows of one group have different rate schedules', 'two schedules in one group are refused');
SELECT throws_ok($$SELECT spm.period_commission(amount, CASE rep WHEN 0 THEN '0: 5%' END::spm.rate_schedule) FROM sale$$,
    '22023', 'rows of one group have different rate schedules', 'a null among them too');
SELECT throws_ok($$SELECT spm.period_commission('NaN', '0: 5%')$$, '22023', 'amount must be a finite number', 'NaN is not added up');
SELECT throws_ok($$SELECT spm.period_commission(amount, '0..10: 5%') FROM sale$$, '22003', NULL, 'a total above the end is refused');
SELECT throws_ok($$SELECT spm.period_commission(amount, '0%: 5%') FROM sale$$, '22023', 'rate schedule is in percent of quota', 'percent needs a quota');
SELECT is(spm.period_commission(x, '0: 1%'), 20000000000000000.02, 'sums beyond integers') FROM (VALUES (1e18), (1e18 + 2)) AS t (x);

SELECT is(d.n, sum_of.n, 'every deal comes back, and adds up: rep ' || rep)
FROM (SELECT rep, (SELECT (count(*), sum(x.commission))::text FROM unnest(deals) AS x) AS n
      FROM (SELECT rep, spm.deal_commissions(day, deal_id, amount, '0: 5%, 1000: 8%') AS deals FROM sale GROUP BY rep) y) d
JOIN (SELECT rep, (count(*), spm.period_commission(amount, '0: 5%, 1000: 8%'))::text AS n FROM sale GROUP BY rep) sum_of USING (rep);
SELECT results_eq($$SELECT d.* FROM (SELECT spm.deal_commissions(day, id, amount, '0: 5%, 100: 8%') AS deals
                    FROM (VALUES (date '2026-01-02', 1, 50.5), ('2026-01-01', 10, 60), ('2026-01-01', 9, 30), ('2026-01-03', 1, NULL)) AS t (day, id, amount)) x, unnest(deals) AS d$$,
    $$VALUES ('9', date '2026-01-01', 30.0, 30.0, 1.50), ('10', '2026-01-01', 60.0, 90.0, 3.00), ('1', '2026-01-02', 50.5, 140.5, 3.74)$$,
    'by date, then key as a number, whatever the order of the rows');
SELECT is((SELECT string_agg(d.deal_key, ',') FROM unnest(deals) AS d), '10,9,b,é', 'text keys by bytes')
FROM (SELECT spm.deal_commissions('2026-01-01', k, 1, '0: 5%') AS deals FROM (VALUES ('é'), ('9'), ('b'), ('10')) AS t (k)) x;
SELECT throws_ok($$SELECT spm.deal_commissions(NULL, deal_id, amount, '0: 5%') FROM sale$$, '22004', 'a deal has no date', 'a deal without a date is refused');
SELECT throws_ok($$SELECT spm.deal_commissions(day, NULL::text, amount, '0: 5%') FROM sale$$, '22004', 'a deal has no key', 'or without a key');
SELECT throws_ok($$SELECT spm.deal_commissions(day, deal_id, amount, '0..10: 5%') FROM sale$$, '22003', NULL, 'or beyond the end');
SELECT is(spm.deal_commissions(day, deal_id, amount, '0: 5%'), NULL, 'no rows, no deals') FROM sale WHERE false;
SELECT is((SELECT max(d.running_total) FROM unnest(deals) AS d), sum::numeric, 'a running window works too, and changes nothing it has seen')
FROM (SELECT spm.deal_commissions(day, deal_id, amount, '0: 5%') OVER (ORDER BY deal_id DESC) AS deals, sum(amount) OVER (ORDER BY deal_id DESC), deal_id FROM sale) x
WHERE deal_id = 500;

SELECT results_eq($$SELECT rate, (SELECT sum(d.commission) FROM unnest(spm.deal_commissions(deals, rate::spm.rate_schedule)) AS d)
                    FROM (SELECT spm.deals(day, deal_id, amount) AS deals FROM sale) x, (VALUES ('0: 5%'), ('0: 6%')) AS t (rate)$$,
    $$VALUES ('0: 5%', 34284.25), ('0: 6%', 41141.10)$$, 'deals collected once are rated by any schedule');
SELECT is(spm.deals(day, deal_id, amount), NULL, 'no rows, nothing collected') FROM sale WHERE false;
SELECT is(pg_temp.tried($$spm.deal_commissions('\x0102', '0: 5%')$$), '22P03 these bytes are no packed deals', 'other bytes are refused');
-- Packed deals with any byte cut or any bit turned are read or refused, and never more.
CREATE TEMP TABLE packed AS
SELECT spm.deals(d, k, a) AS bytes FROM (VALUES (date '2026-01-01', 1, 10.50), ('2026-01-02', -2, -3.25)) AS t (d, k, a)
UNION ALL SELECT spm.deals(d, k, a) FROM (VALUES (date '2026-01-01', 'one', 10.50), ('infinity', 'zwölf', 123456789012345678901234567890.5)) AS t (d, k, a);
CREATE FUNCTION pg_temp.rated(bytes bytea) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
    RETURN CASE WHEN cardinality(spm.deal_commissions(bytes, '0: 5%, 10: 8%')) = 2 THEN 'fine' ELSE 'other' END;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN SQLSTATE IN ('22P03', '08P01', '22023', '22021', '22003') THEN 'refused' ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
SELECT results_eq($$SELECT DISTINCT pg_temp.rated(bytes) FROM packed$$, $$VALUES ('fine')$$, 'packed deals are read');
SELECT results_eq($$SELECT DISTINCT pg_temp.rated(substr(bytes, 1, n)) FROM packed, generate_series(0, length(bytes) - 1) AS n$$, $$VALUES ('refused')$$, 'cut anywhere they are refused');
SELECT results_eq($$SELECT DISTINCT pg_temp.rated(set_bit(bytes, n, 1 - get_bit(bytes, n))) FROM packed, generate_series(0, length(bytes) * 8 - 1) AS n ORDER BY 1$$,
    $$VALUES ('fine'), ('refused')$$, 'with any bit turned they are read or refused');

-- The same in parallel.
CREATE TABLE sale_parallel AS SELECT i AS deal_id, i % 7 AS rep, date '2026-01-01' + i % 90 AS day,
    CASE i % 7 WHEN 0 THEN i * 1e17 ELSE (i % 1000) * 0.37 END AS amount FROM generate_series(1, 30000) AS i;
ANALYZE sale_parallel;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
PREPARE alone AS
    SELECT rep, spm.period_commission(amount, '0: 5%, 1000: 8%') AS period, spm.deal_commissions(day, deal_id, amount, '0: 5%, 1000: 8%')::text AS by_number,
           spm.deal_commissions(day, deal_id::text, amount, '0: 5%, 1000: 8%', 1, 'half_even')::text AS by_text
    FROM sale_parallel GROUP BY rep ORDER BY rep;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE alone AS EXECUTE alone;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT ok(string_agg(p, '') LIKE '%Partial%Aggregate%', 'both aggregates run in parallel')
FROM pg_temp.plan_of($$SELECT rep, spm.period_commission(amount, '0: 5%, 1000: 8%'), spm.deal_commissions(day, deal_id, amount, '0: 5%') FROM sale_parallel GROUP BY rep$$) AS p;
SELECT bag_eq('EXECUTE alone', 'SELECT * FROM alone', 'and give the same digits');

SELECT * FROM finish();
ROLLBACK;
