-- Books: whole tables read once, and equal to the digit with what groups give.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL datestyle = 'ISO';

-- What a call gives as text, or its SQLSTATE and message.
CREATE FUNCTION pg_temp.tried(query text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    result text;
BEGIN
    EXECUTE query INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

/* ------------------------------------------------------------------ the data */

CREATE FUNCTION pg_temp.u(i bigint, k bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$SELECT (hashint8extended(i, k) >> 11) & 1048575$$;

-- Two years in order of arrival; days with several deals, refunds, amounts of 0, nulls.
CREATE TEMP TABLE sale AS
SELECT i AS deal, date '2024-12-20' + (i / 14)::int AS day, (pg_temp.u(i, 1) % 60 + 1)::int AS rep,
       CASE WHEN pg_temp.u(i, 2) % 50 = 0 THEN NULL WHEN pg_temp.u(i, 2) % 40 = 1 THEN 0
            ELSE (CASE WHEN pg_temp.u(i, 3) % 12 = 0 THEN -1 ELSE 1 END * (pg_temp.u(i, 4) % 900000) / 100.0)::numeric(14,2) END AS amount
FROM generate_series(1::bigint, 10000) AS i;
CREATE TEMP TABLE quota AS
SELECT r AS rep, q::date AS quarter, (1000 + pg_temp.u(r * 100 + extract(epoch FROM q)::bigint / 86400, 5) % 90000)::numeric(14,2) AS quota,
       CASE r % 4 WHEN 0 THEN '0%: 8%, 50%: 9.5%, 100%: 14%' WHEN 1 THEN '0%: 2%, 80%: 3.75%, 100%: 5%, 120%: 10%'
                  WHEN 2 THEN '0%: 8%, 100%: 12% whole' ELSE '10%: 5%, 60%: 7% cap 900 floor 1' END::spm.rate_schedule AS schedule
FROM generate_series(1, 57) AS r, generate_series(date '2024-10-01', date '2026-10-01', interval '3 months') AS q;

-- The same by groups, from the aggregates that are there for them.
CREATE TEMP VIEW expected AS
SELECT rep, quarter, (d).deal_key::bigint AS deal, (d).deal_date AS day, (d).amount, (d).running_total, (d).commission
FROM (SELECT rep, quarter, unnest(spm.deal_commissions(deals, spm.for_quota(schedule, quota))) AS d
      FROM (SELECT rep, date_trunc('quarter', day)::date AS quarter, spm.deals(day, deal, amount) AS deals FROM sale GROUP BY 1, 2) AS s
      JOIN quota USING (rep, quarter)) AS x;
CREATE TEMP TABLE expected_deal AS SELECT * FROM expected;

-- What is in the one but not in the other, digit by digit.
CREATE FUNCTION pg_temp.differences(a text, b text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM ((SELECT x::text FROM (%1$s) x EXCEPT ALL SELECT x::text FROM (%2$s) x)
                    UNION ALL (SELECT x::text FROM (%2$s) x EXCEPT ALL SELECT x::text FROM (%1$s) x)) d', a, b) INTO n;
    RETURN n;
END
$$;
CREATE TEMP TABLE asked (name text, query text);
INSERT INTO asked VALUES
('deals', $$SELECT payee_id::int AS rep, period_start AS quarter, deal_id AS deal, deal_date AS day, amount, running_total, commission
    FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM %s), (SELECT spm.rate_card(rep, quarter, schedule, quota) FROM quota))
    WHERE commission IS NOT NULL$$),
('text', $$SELECT payee::int AS rep, period_start AS quarter, deal_key::bigint AS deal, deal_date AS day, amount, running_total, commission
    FROM spm.book_deal((SELECT spm.book(rep::text, day, to_char(deal, 'FM000000'), amount, 'quarter') FROM %s),
                       (SELECT spm.rate_card(rep::text, quarter + 45, spm.for_quota(schedule, quota)) FROM quota))
    WHERE commission IS NOT NULL$$),
('bounds', $$SELECT payee_id::int AS rep, period_start AS quarter, deal_id AS deal, deal_date AS day, amount, running_total, commission
    FROM spm.book_deal((SELECT spm.book(rep::smallint, day, deal, amount, (SELECT array_agg(q::date) FROM generate_series(date '2024-10-01', date '2027-01-01', interval '3 months') q)) FROM %s),
                       (SELECT spm.rate_card(rep::bigint, quarter + 3, schedule, quota) FROM quota))
    WHERE commission IS NOT NULL$$);
CREATE FUNCTION pg_temp.asked(which text, source text) RETURNS text LANGUAGE sql AS
$$SELECT format(query, source) FROM asked WHERE name = which$$;

/* --------------------------------------------------------- what each deal earns */

SELECT cmp_ok((SELECT count(*) FROM expected_deal), '>', 9000::bigint, 'there are deals to compare');
SELECT is(pg_temp.differences(pg_temp.asked(name, source), 'SELECT * FROM expected_deal'), 0::bigint, name || ' of ' || words || ' earn what their groups give')
FROM asked, (VALUES
    ('sale', 'a table in order'),
    ('(SELECT * FROM sale ORDER BY hashint8(deal)) s', 'a shuffled one'),
    ('(SELECT * FROM sale ORDER BY deal DESC) s', 'one turned around'),
    ('(SELECT * FROM sale WHERE deal % 10 <> 3 UNION ALL SELECT * FROM sale WHERE deal % 10 = 3) s', 'one with late deals'),
    ('(SELECT * FROM sale WHERE rep <> 7 UNION ALL SELECT * FROM sale WHERE rep = 7 ORDER BY deal DESC) s', 'one with a payee out of order')) AS t(source, words)
ORDER BY words, name;
SELECT is(pg_temp.differences($$SELECT payee_id::int, period_start, sum(commission) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale),
        (SELECT spm.rate_card(rep, quarter, schedule, quota) FROM quota)) GROUP BY 1, 2$$,
    $$SELECT payee_id::int, period_start, commission FROM spm.book_period((SELECT spm.book(rep, day, amount, 'quarter') FROM sale),
        (SELECT spm.rate_card(rep, quarter, schedule, quota) FROM quota))$$), 0::bigint, 'deals add up to their periods');
SELECT is(pg_temp.differences($$SELECT payee_id, period_start, deals, total, commission FROM spm.book_period((SELECT spm.book(rep, day, amount, 'quarter') FROM sale),
        (SELECT spm.rate_card(rep, quarter, schedule, quota) FROM quota))$$,
    $$SELECT rep::bigint, quarter, n, total, spm.commission(spm.for_quota(schedule, quota), total)
      FROM (SELECT rep, date_trunc('quarter', day)::date AS quarter, count(amount) AS n, sum(amount) AS total FROM sale GROUP BY 1, 2 HAVING count(amount) > 0) s
      LEFT JOIN quota USING (rep, quarter)$$), 0::bigint, 'periods are what SQL and spm.commission give, also for whom there is no quota');
SELECT is(pg_temp.differences(format($$SELECT payee, period_start, period_end, deals, total FROM spm.book_period((SELECT spm.book(rep, day, amount, %L) FROM sale))$$, grain),
    format($$SELECT rep::text, p, (p + %L::interval)::date, count(amount), sum(amount)::numeric(20,2)
             FROM (SELECT rep, amount, CASE WHEN %1$L = '6 months' THEN date_trunc('year', day)::date + CASE WHEN extract(month FROM day) > 6 THEN interval '6 months' ELSE '0' END
                                            ELSE date_trunc(substr(%1$L, 3), day) END::date AS p FROM sale WHERE amount IS NOT NULL) s GROUP BY 1, 2$$, length)), 0::bigint, 'by ' || grain)
FROM (VALUES ('day', '1 day'), ('week', '1 week'), ('month', '1 month'), ('half', '6 months'), ('year', '1 year')) AS t(grain, length);
SELECT results_eq($$SELECT period_start, period_end, sum(total) FROM spm.book_period((SELECT spm.book(rep, day, amount, 'all') FROM sale)) GROUP BY 1, 2$$,
    $$SELECT NULL::date, NULL::date, sum(amount) FROM sale$$, 'and in one period');

-- Terms: roundings, one schedule for all, cards with several rows.
SELECT is(pg_temp.differences(format($$SELECT payee_id::int, deal_id, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale),
        (SELECT spm.rate_card(rep, quarter, schedule, quota) FROM quota), places => %s, rounding => %L) WHERE commission IS NOT NULL$$, places, rounding),
    format($$SELECT rep, (d).deal_key::bigint, (d).commission FROM (SELECT rep, unnest(spm.deal_commissions(deals, spm.for_quota(schedule, quota), %s, %L)) AS d
      FROM (SELECT rep, date_trunc('quarter', day)::date AS quarter, spm.deals(day, deal, amount) AS deals FROM sale GROUP BY 1, 2) AS s
      JOIN quota USING (rep, quarter)) AS x$$, places, rounding)), 0::bigint, format('rounded %s to %s places', rounding, places))
FROM (VALUES (0, 'half_even'), (3, 'half_up'), (-2, 'floor'), (20, 'ceil')) AS t(places, rounding);
SELECT is(pg_temp.differences(format($$SELECT deal_id, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale), schedule => %L)$$, schedule),
    format($$SELECT (d).deal_key::bigint, (d).commission FROM (SELECT unnest(spm.deal_commissions(day, deal, amount, %L)) AS d FROM sale GROUP BY rep, date_trunc('quarter', day)) AS x$$, schedule)),
    0::bigint, 'all by ' || schedule)
FROM unnest('{"0: 5%, 100000: 8%","5000: 5%, 20000: 8% base 1%","0: 3% per 7","0..100000: 1%, 100000..200000000: 2%","0..5000: 5%, 8000: 6.125% outside zero","0: 100, 50000: 500 bonus",
    "0: 1%, 50000: 4% interpolated","0: 0, 50000: 900 curve","0: 5%, 20000: 8%, 90000: 9% excess","0: 5%, 20000: 8% whole edge lower","0: 123456789012345678901%"}'::text[]) AS schedule;
SELECT results_eq($$SELECT payee_id, period_start, commission FROM spm.book_period(
        (SELECT spm.book(r, d::date, 100.00, 'month') FROM (VALUES (1, '2026-01-31'), (1, '2026-02-01'), (2, '2026-01-01'), (3, '2026-01-01'), (NULL, '2026-01-05')) AS t(r, d)),
        (SELECT spm.rate_card(r, d::date, s::spm.rate_schedule) FROM (VALUES (1, NULL, '0: 1%'), (1, '2026-01-10', '0: 2%'), (1, '2026-01-20', '0: 2.0%'), (2, '2026-01-01', NULL), (9, '2026-01-01', '0: 9%'),
            (NULL, NULL, '0: 7%'), (1, '2031-01-01', '0: 5%')) AS t(r, d, s)), '0: 3%') ORDER BY 1, 2$$,
    $$VALUES (1::bigint, date '2026-01-01', 2.00), (1, date '2026-02-01', 1.00), (2, date '2026-01-01', NULL), (3, date '2026-01-01', 3.00), (NULL, date '2026-01-01', 3.00)$$,
    'a row for a period goes before one for all, and the schedule is for who is not on the card');

/* ------------------------------------------------- ties, nulls, nothing, wide amounts */

SELECT results_eq($$SELECT deal_key, amount, running_total FROM spm.book_deal((SELECT spm.book(1, day::date, deal, amount, 'year')
        FROM (VALUES ('2026-01-02', 'b', 2.5), ('2026-01-02', 'a', 1.25), ('2026-01-02', 'ab', 1), ('2026-01-02', 'b', -2.5), ('2026-01-01', 'z', 10), ('2026-01-02', 'é', 3), ('2026-01-02', '', 4)) AS t(day, deal, amount))) ORDER BY running_total, deal_key COLLATE "C"$$,
    $$VALUES ('z'::text, 10.00, 10.00), ('b', -2.50, 13.75), ('', 4.00, 14.00), ('a', 1.25, 15.25), ('ab', 1.00, 16.25), ('b', 2.50, 16.25), ('é', 3.00, 19.25)$$,
    'ties go by key in bytes, then by amount; amounts have the decimals of the finest');
SELECT is((SELECT count(*) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale WHERE false))), 0::bigint, 'no rows, no book, no deals');
SELECT is((SELECT count(*) FROM spm.book_period((SELECT spm.book(rep, day, deal, NULL::numeric, 'quarter') FROM sale))), 0::bigint, 'nor from null amounts only');
SELECT is((SELECT count(*) FROM spm.book_period(NULL)), 0::bigint, 'nor from a null');
CREATE TEMP TABLE wide AS
SELECT deal, day, rep % 5 AS rep, CASE deal % 7 WHEN 0 THEN amount * 1e16 WHEN 1 THEN amount + deal * 1e-20 WHEN 2 THEN amount * 1e14 ELSE amount END AS amount
FROM sale WHERE deal <= 1500;
SELECT is(pg_temp.differences(format($$SELECT payee_id::int, deal_id, deal_date, amount::numeric(60,30), running_total::numeric(60,30), commission FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'month')
        FROM (SELECT * FROM wide WHERE %s) w), schedule => %L)$$, condition, schedule),
    format($$SELECT rep, (d).deal_key::bigint, (d).deal_date, (d).amount::numeric(60,30), (d).running_total::numeric(60,30), (d).commission FROM (SELECT rep, unnest(spm.deal_commissions(day, deal, amount, %2$L)) AS d
        FROM wide WHERE %1$s GROUP BY rep, date_trunc('month', day)) AS x$$, replace(condition, 'ORDER BY hashint8(deal)', ''), schedule)), 0::bigint, format('wide amounts: %s, by %s', words, schedule))
FROM (VALUES ('true', 'in order'), ('true ORDER BY hashint8(deal)', 'shuffled'), ('deal % 7 <> 1', 'only large ones'), ('deal % 7 NOT IN (0, 2)', 'only fine ones')) AS t(condition, words),
    unnest('{"0: 5%, 100000: 8%","0: 5%, 100000: 8% whole cap 5000"}'::text[]) AS schedule;
SELECT is(pg_temp.differences($$SELECT payee_id::int, total::numeric(60,30) FROM spm.book_period((SELECT spm.book(rep, day, amount, 'all') FROM wide))$$,
    $$SELECT rep, sum(amount)::numeric(60,30) FROM wide WHERE amount IS NOT NULL GROUP BY 1$$), 0::bigint, 'and their totals');
SELECT is(pg_temp.differences($$SELECT deal_id, running_total FROM spm.book_deal((SELECT spm.book(1, date '2026-01-01' + d, d, CASE d WHEN 900 THEN 0.0000000001 ELSE 90000000000000.00 + d END, 'all') FROM generate_series(1, 1000) d))$$,
    $$SELECT d::bigint, sum(CASE d WHEN 900 THEN 0.0000000001 ELSE (90000000000000 + d)::numeric(30, 10) END) OVER (ORDER BY d) FROM generate_series(1, 1000) d$$), 0::bigint,
    'amounts that outgrow their integers when a finer one comes');

-- Keys far apart, many periods, and more deals than memory is given.
CREATE TEMP TABLE far AS SELECT hashint8extended(i, 1) AS k, date '0001-01-01' + (i * 1399) AS d, i::numeric AS a FROM generate_series(1, 40000) i;
SELECT is(pg_temp.differences($$SELECT payee_id, deal_id, period_start, running_total FROM spm.book_deal((SELECT spm.book(k, d, k, a, 'day') FROM far))$$,
    $$SELECT k, k, d, a FROM far$$), 0::bigint, 'keys and days far apart');
CREATE TEMP TABLE many AS SELECT i, date '2026-01-01' + i / 10000 AS day, i % 1000 AS rep, (i % 977)::numeric(8,2) AS amount FROM generate_series(0, 749999) i;
CREATE TEMP TABLE many_earned AS
SELECT count(*) AS deals, sum(run) AS run, sum(round(run * 0.01 + greatest(run - 100000, 0) * 0.01, 2) - round((run - amount) * 0.01 + greatest(run - amount - 100000, 0) * 0.01, 2)) AS commission,
       sum(hashint4(i)) AS keys
FROM (SELECT i, amount, sum(amount) OVER (PARTITION BY rep, date_trunc('month', day) ORDER BY day, i) AS run FROM many) x;
SELECT results_eq(format($$SELECT count(*), sum(running_total), sum(commission), sum(hashint4(right(deal_key, 7)::int))
        FROM spm.book_deal((SELECT spm.book(rep, day, %s, amount, 'month') FROM %s), schedule => '0: 1%%, 100000: 2%%')$$, key, source), 'SELECT * FROM many_earned', 'deals that are spilled: ' || words)
FROM (VALUES ('i', 'many', 'in order'), ('i', '(SELECT * FROM many ORDER BY hashint4(i)) m', 'shuffled'), ('''order-'' || to_char(i, ''FM0000000'')', 'many', 'keys are texts'),
    ('''order-'' || to_char(i, ''FM0000000'')', '(SELECT * FROM many ORDER BY hashint4(i)) m', 'texts, shuffled')) AS t(key, source, words);

SELECT is(pg_temp.differences($$SELECT payee, deals, total FROM spm.book_period((SELECT spm.book(repeat(rep::text, (rep * 7)::int), day, amount, 'all') FROM sale))$$,
    $$SELECT repeat(rep::text, (rep * 7)::int), count(*), sum(amount) FROM sale WHERE amount IS NOT NULL GROUP BY 1$$), 0::bigint, 'payees with short and long texts');

/* -------------------------------------------------------------------- splits */

CREATE TEMP TABLE share AS
SELECT deal, (rep * k * 7) % 60 + 1 AS rep, (k + pg_temp.u(deal, 9) % 5)::numeric AS share
FROM sale, generate_series(1, 2 + (deal % 3)::int) k WHERE deal % 6 = 0;
CREATE TEMP TABLE credited AS
SELECT coalesce(x.rep, s.rep) AS rep, s.deal, s.day, CASE WHEN x.parts IS NULL THEN s.amount ELSE x.part END AS amount
FROM sale s LEFT JOIN (SELECT s.deal, p.rep, p.part, true AS parts FROM sale s
    JOIN (SELECT deal, array_agg(share ORDER BY rep, share DESC) AS shares, array_agg(rep ORDER BY rep, share DESC) AS reps FROM share GROUP BY 1) h USING (deal)
    CROSS JOIN LATERAL unnest(reps, spm.split(s.amount, shares)) AS p(rep, part)) x USING (deal);
SELECT is(pg_temp.differences(format($$SELECT payee::int, period_start, deals, total FROM spm.book_period((SELECT spm.book(rep%1$s, day, deal%1$s, amount, 'quarter',
        (SELECT spm.splits(deal%1$s, rep%1$s, share) FROM %2$s)) FROM sale))$$, cast_to, source),
    $$SELECT rep, date_trunc('quarter', day)::date, count(*), sum(amount)::numeric(20,2) FROM credited WHERE amount IS NOT NULL GROUP BY 1, 2$$), 0::bigint, 'splits by largest remainder: ' || words)
FROM (VALUES ('', 'share', 'in order'), ('', '(SELECT * FROM share ORDER BY hashint8(deal), rep DESC) s', 'shuffled'), ('::text', 'share', 'texts')) AS t(cast_to, source, words);
SELECT is((SELECT sum(total) FROM spm.book_period((SELECT spm.book(rep, day, deal, amount, 'quarter', (SELECT spm.splits(deal, rep, share) FROM share)) FROM sale))), (SELECT sum(amount) FROM sale), 'parts add up to the whole');
SELECT results_eq($$SELECT payee_id, sum(amount) FROM spm.book_deal((SELECT spm.book(9, date '2026-01-01', d, a, 'all', (SELECT spm.splits(1, p, s) FROM (VALUES (3, 1), (2, 1), (1, 1.0)) AS t(p, s)))
        FROM (VALUES (1, 100.00), (2, 5), (1, -0.01), (1, 1e20)) AS t(d, a))) GROUP BY 1 ORDER BY 1$$,
    $$VALUES (1::bigint, 33333333333333333366.67), (2, 33333333333333333366.66), (3, 33333333333333333366.66), (9, 5.00)$$, 'the odd cent goes to the lower payee, wide amounts too');

/* ------------------------------------------------------------------- roll-ups */

CREATE TEMP TABLE member AS SELECT r AS rep, CASE WHEN r > 1 THEN r / 3 + 1 END AS manager FROM generate_series(1, 60) r WHERE r NOT IN (2);
INSERT INTO member VALUES (2, 1), (61, 2);
SELECT is(pg_temp.differences(format($$SELECT payee::int, period_start, deals, total FROM spm.book_period(spm.rolled_up((SELECT spm.book(rep%1$s, day, amount, 'month') FROM sale),
        (SELECT spm.payee_tree(rep%1$s, manager%1$s) FROM member)))$$, cast_to),
    $$WITH RECURSIVE above(rep, manager) AS (SELECT rep, rep FROM (SELECT rep FROM member UNION SELECT rep FROM sale) m
          UNION ALL SELECT a.rep, m.manager FROM above a JOIN member m ON m.rep = a.manager WHERE m.manager IS NOT NULL)
      SELECT manager, date_trunc('month', day)::date, count(*), sum(amount) FROM sale JOIN above USING (rep) WHERE amount IS NOT NULL GROUP BY 1, 2$$), 0::bigint, 'totals of everybody with all below ' || cast_to)
FROM (VALUES (''), ('::text')) AS t(cast_to);
SELECT is((SELECT sum(commission) FROM spm.book_period(spm.rolled_up((SELECT spm.book(rep, day, 1e25, 'all') FROM sale), (SELECT spm.payee_tree(rep, manager) FROM member)), schedule => '0: 1%') WHERE payee_id = 1),
    (SELECT count(*) * 1e23 FROM sale), 'wide totals, too, and what they earn');

/* ------------------------------------------------------------ plans and workers */

CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT matches(string_agg(p, E'
'), 'Custom Scan \(spm book\)', 'deals are handed on row by row') FROM pg_temp.plan(pg_temp.asked('deals', 'sale')) AS p;
SELECT matches(string_agg(p, E'\n'), 'Custom Scan \(spm book totals\)', 'totals of all deals are added up where they are made')
FROM pg_temp.plan($$SELECT count(*), sum(commission) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale))$$) AS p;
SELECT matches(string_agg(p, E'\n'), 'Custom Scan \(spm book of a table\)', 'a table is read without the executor') FROM pg_temp.plan(pg_temp.asked('deals', 'sale')) AS p;
SELECT matches(string_agg(p, E'\n'), 'Custom Scan \(spm book of rows\)', 'rows of a query are taken without an expression for each')
FROM pg_temp.plan(pg_temp.asked('deals', '(SELECT s.* FROM sale s JOIN member m USING (rep)) s')) AS p;
SELECT matches(string_agg(p, E'\n'), '  Aggregate', 'an aggregate takes what is more than columns') FROM pg_temp.plan(pg_temp.asked('deals', '(SELECT rep, day, deal, amount * 1 AS amount FROM sale) s')) AS p;
SELECT is(pg_temp.differences(pg_temp.asked('deals', source), 'SELECT * FROM expected_deal'), 0::bigint, 'the same from ' || source)
FROM unnest(ARRAY['(SELECT s.* FROM sale s JOIN member m USING (rep)) s', '(SELECT rep, day, deal, amount * 1 AS amount FROM sale) s',
    '(SELECT * FROM sale WHERE amount < 5000 UNION ALL SELECT * FROM sale WHERE amount >= 5000) s', 'sale LEFT JOIN (SELECT 1 AS one) o ON one = rep']) AS source;
SELECT is(pg_temp.differences($$SELECT rep, n FROM member, LATERAL (SELECT count(*) AS n FROM spm.book_deal((SELECT spm.book(s.rep, s.day, s.deal, s.amount, 'quarter') FROM sale s WHERE s.rep = member.rep))) d$$,
    $$SELECT rep, (SELECT count(amount) FROM sale s WHERE s.rep = member.rep) FROM member$$), 0::bigint, 'a book for each row of another table');
SELECT is(pg_temp.differences(format($$SELECT count(*), count(commission), sum(commission), sum(amount), sum(running_total), count(amount) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'month') FROM %1$s), %2$s)$$, source, terms),
    format($$SELECT count(*), count(commission), sum(commission), sum(amount), sum(running_total), count(amount) FROM (SELECT * FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'month') FROM %1$s), %2$s) OFFSET 0) x$$, source, terms)),
    0::bigint, format('totals of %s with %s are those of the rows', source, terms))
FROM unnest('{sale,wide,(SELECT * FROM sale WHERE false) s}'::text[]) AS source,
     unnest(ARRAY['NULL', 'schedule => ''0: 5%, 10000: 8%'', places => 3', 'schedule => ''0: 123456789012345678901%''', '(SELECT spm.rate_card(rep, NULL, s::spm.rate_schedule) FROM (VALUES (1, ''0: 5%''), (2, NULL)) AS t(rep, s))']) AS terms;
SELECT is(pg_temp.differences(format($$SELECT count(*), sum(commission), sum(total) FROM spm.book_period((SELECT spm.book(rep, day, amount, 'month') FROM %1$s), schedule => '0: 5%%')$$, source),
    format($$SELECT count(*), sum(commission), sum(total) FROM (SELECT * FROM spm.book_period((SELECT spm.book(rep, day, amount, 'month') FROM %1$s), schedule => '0: 5%%') OFFSET 0) x$$, source)), 0::bigint, 'and those of the periods of ' || source)
FROM unnest('{sale,wide}'::text[]) AS source;
CREATE TEMP TABLE odd (word text, rep smallint, amount numeric, note text, day date, deal varchar(20));
INSERT INTO odd SELECT repeat('x', deal::int % 9), CASE WHEN deal % 17 > 0 THEN rep END, amount, CASE WHEN deal % 3 = 0 THEN 'y' END, day, 'd' || deal FROM sale;
ALTER TABLE odd ADD COLUMN late_amount numeric DEFAULT 7.5, ADD COLUMN late_rep int;
INSERT INTO odd SELECT 'w', 3, 1, 'n', '2026-05-05', 'e' || i, i, i FROM generate_series(1, 100) i;
SELECT is(pg_temp.differences(format($$SELECT payee_id, deal_key, deal_date, amount, running_total FROM spm.book_deal((SELECT spm.book(%1$s, day, deal, %2$s, 'year') FROM odd))$$, rep, amount),
    format($$SELECT payee_id, deal_key, deal_date, amount, running_total FROM spm.book_deal((SELECT spm.book(%1$s, day, deal, %2$s, 'year') FROM (SELECT * FROM odd OFFSET 0) o))$$, rep, amount)), 0::bigint,
    format('a table with nulls, texts and columns that were added is read as the executor reads it: %s, %s', rep, amount))
FROM (VALUES ('rep', 'amount'), ('rep', 'late_amount'), ('late_rep', 'late_amount')) AS t(rep, amount);
SELECT is((SELECT count(*) FROM (SELECT (spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale))).*) x), (SELECT count(amount) FROM sale), 'the same from a list of columns');
SELECT is((SELECT count(*) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale)) WITH ORDINALITY), (SELECT count(amount) FROM sale), 'with numbered rows');
SELECT is((SELECT max(to_jsonb(d)::text) FROM spm.book_period((SELECT spm.book(1, date '2026-05-05', 2.5, 'month'))) AS d)::jsonb,
    '{"payee_id": 1, "payee": "1", "period_start": "2026-05-01", "period_end": "2026-06-01", "deals": 1, "total": 2.5, "commission": null}', 'as rows');
SELECT is((SELECT sum(x.n)::bigint FROM generate_series(1, 3) g, LATERAL (SELECT count(*) AS n FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale WHERE rep = g))) x),
    (SELECT count(amount) FROM sale WHERE rep <= 3), 'again and again in one query');
SELECT is(pg_temp.differences($$SELECT rep, n FROM (SELECT rep, spm.book(rep, day, deal, amount, 'quarter') AS book FROM sale GROUP BY rep ORDER BY 1 DESC) b, LATERAL (SELECT count(*) AS n FROM spm.book_deal(b.book)) d$$,
    $$SELECT rep, count(amount) FROM sale GROUP BY 1$$), 0::bigint, 'books of groups live to the end of the query');
SELECT is(pg_temp.differences($$WITH b AS MATERIALIZED (SELECT spm.book(rep, day, deal, amount, 'quarter') AS book FROM sale)
        SELECT sum(x.commission) + sum(y.commission) FROM b, LATERAL (SELECT sum(commission) AS commission FROM spm.book_deal(book, schedule => '0: 1%')) x, LATERAL (SELECT sum(commission) AS commission FROM spm.book_deal(book, schedule => '0: 2%')) y$$,
    $$WITH b AS MATERIALIZED (SELECT spm.book(rep, day, deal, amount, 'quarter') AS book FROM sale), c AS (SELECT sum(commission) AS x FROM b, LATERAL spm.book_deal(book, schedule => '0: 2%') d),
        e AS (SELECT sum(commission) AS x FROM b, LATERAL spm.book_deal(book, schedule => '0: 1%') d) SELECT e.x + c.x FROM c, e$$), 0::bigint, 'one book read twice');
CREATE TABLE spm_test_sale AS SELECT * FROM sale;
ANALYZE spm_test_sale;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.with_workers(n int, source text) RETURNS bigint LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM set_config('max_parallel_workers_per_gather', n::text, true);
    RETURN pg_temp.differences(pg_temp.asked('deals', source), 'SELECT * FROM expected_deal');
END
$$;
SELECT is(pg_temp.with_workers(n, '(SELECT * FROM spm_test_sale WHERE deal > 0) s'), 0::bigint, 'equal with ' || n || ' workers') FROM unnest('{0,1,2,4}'::int[]) n;
SELECT matches(string_agg(p, E'
'), 'Gather', 'workers read the table') FROM pg_temp.plan(pg_temp.asked('deals', '(SELECT * FROM spm_test_sale WHERE deal > 0) s')) AS p;

-- Who may read what is as for any table.
CREATE TEMP TABLE guarded AS SELECT * FROM sale;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (rep = 7);
CREATE ROLE spm_test_reader;
GRANT USAGE ON SCHEMA spm TO spm_test_reader;
GRANT SELECT ON guarded TO spm_test_reader;
GRANT SELECT (rep, day, deal) ON sale TO spm_test_reader;
GRANT EXECUTE ON FUNCTION pg_temp.tried(text) TO spm_test_reader;
SET LOCAL ROLE spm_test_reader;
SELECT is(pg_temp.tried('SELECT count(*) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, ''month'') FROM guarded))'), (SELECT count(amount)::text FROM guarded), 'row security holds');
SELECT is(pg_temp.tried('SELECT spm.book(rep, day, deal, amount, ''month'') FROM sale'), '42501 permission denied for table sale', 'refused: a column that one may not read');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION spm.book_deal(spm.book, spm.rate_card, spm.rate_schedule, int, text) FROM PUBLIC;
SET LOCAL ROLE spm_test_reader;
SELECT is(pg_temp.tried('SELECT ' || what || ' FROM spm.book_deal((SELECT spm.book(1, day, deal, 1, ''month'') FROM sale))'), '42501 permission denied for function book_deal', 'refused: a function that one may not call') FROM unnest('{count(*),min(deal_id)}'::text[]) what;
RESET ROLE;

/* -------------------------------------------------------------------- refused */

SELECT is(pg_temp.tried(query), said, 'refused: ' || said)
FROM (VALUES
    ('SELECT spm.book(1, date ''2026-01-01'', 1, ''fortnight'')', '22023 "fortnight" is not a kind of period'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, NULL::text)', '22004 periods of a book must not be null'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, p) FROM unnest(''{month,year}''::text[]) p', '22023 rows of one book have different periods'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, ''{2026-01-01}''::date[])', '22023 bounds of periods must be two dates or more, none of them null'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, ''{2026-01-01,NULL}''::date[])', '22023 bounds of periods must be two dates or more, none of them null'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, ''{2026-01-02,2026-01-01}''::date[])', '22023 bounds of periods must be in ascending order'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, ''{2025-01-01,2026-01-01}''::date[])', '22023 a deal of 2026-01-01 lies in no period'),
    ('SELECT spm.book(1, NULL, 1, ''month'')', '22004 a deal has no date'),
    ('SELECT spm.book(1, date ''infinity'', 1, ''month'')', '22008 the date of a deal must be finite'),
    ('SELECT spm.book(1, date ''2026-01-01'', NULL::int, 1, ''month'')', '22004 a deal has no key'),
    ('SELECT spm.book(1, date ''2026-01-01'', ''NaN'', ''month'')', '22023 amount must be a finite number'),
    ('SELECT spm.book(1.5, date ''2026-01-01'', 1, ''month'')', '42804 payee has type numeric'),
    ('SELECT spm.book(1, date ''2026-01-01'', true, 1, ''month'')', '42804 deal has type boolean'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, ''month'') OVER ()', '0A000 a book cannot be made by a window function'),
    ('SELECT spm.rate_card(1, NULL, ''0%: 5%'')', '22023 rate schedule is in percent of quota'),
    ('SELECT spm.rate_card(1, NULL, ''0: 5%'', 5)', '22023 rate schedule is not in percent of quota'),
    ('SELECT spm.rate_card(1, NULL, ''0%: 5%'', -5)', '22023 quota must not be negative'),
    ('SELECT spm.rate_card(1, date ''infinity'', ''0: 5%'')', '22008 the day of a rate card must be finite'),
    ('SELECT spm.splits(1, NULL::int, 5)', '22004 a split has no payee'),
    ('SELECT spm.splits(1, 1, NULL)', '22004 a split has no share'),
    ('SELECT spm.splits(1, 1, -0.5)', '22023 share must not be negative'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, 1, ''month'', (SELECT spm.splits(1, 1, 0)))', '22023 no share of deal 1 is greater than 0'),
    ('SELECT spm.book(1, date ''2026-01-01'', 1, 1, ''month'', (SELECT spm.splits(1, ''a''::text, 1)))', '42804 keys of the book and of its splits differ in type'),
    ('SELECT spm.payee_tree(1, x) FROM generate_series(2, 3) x', '22023 payee 1 has two parents'),
    ('SELECT spm.payee_tree(1, ''a''::text)', '42804 payee and parent differ in type'),
    ('SELECT spm.rolled_up((SELECT spm.book(1, date ''2026-01-01'', 1, ''month'')), (SELECT spm.payee_tree(x, 3 - x) FROM generate_series(1, 2) x))', '22023 the tree of payees has a circle'),
    ('SELECT count(*) FROM spm.book_deal((SELECT spm.book(1, date ''2026-01-01'', 1, ''month'')))', '22023 this book holds totals only, no deals'),
    ('SELECT count(*) FROM spm.book_period((SELECT spm.book(1, date ''2026-01-01'', 1, ''month'')), (SELECT spm.rate_card(''1''::text, NULL, ''0: 5%'')))', '42804 payees of the book and of the rate card differ in type'),
    ('SELECT count(*) FROM spm.book_period((SELECT spm.book(1, date ''2026-01-01'', 1, ''month'')), (SELECT spm.rate_card(1, date ''2026-01-01'', s::spm.rate_schedule) FROM unnest(''{0: 5%,0: 6%}''::text[]) s))',
        '22023 payee 1 has two schedules in the period that begins on 2026-01-01'),
    ('SELECT count(*) FROM spm.book_period((SELECT spm.book(1, date ''2026-01-01'', 1, ''month'')), schedule => ''0%: 5%'')', '22023 rate schedule is in percent of quota'),
    ('SELECT count(*) FROM spm.book_period((SELECT spm.book(1, date ''2026-01-01'', 101, ''month'')), schedule => ''0..100: 5%'')', '22003 amount 101 is above the end of the rate schedule'),
    ('SELECT count(*) FROM spm.book_period((SELECT spm.book(1, date ''2026-01-01'', 101, ''month'')), places => NULL)', '22004 places and rounding must not be null'),
    ('SELECT ''7''::spm.book', '0A000 a value of this type cannot be typed in')) AS t(query, said);
CREATE TEMP TABLE kept AS SELECT spm.book(1, date '2026-01-01', 1, 'month') AS book;
SELECT is(pg_temp.tried('SELECT count(*) FROM kept, spm.book_period(book)'), '55000 this book is not there any more', 'refused: a book that was stored');
SELECT is(book::text, 'not there any more', 'which says so') FROM kept;
SELECT is(spm.book(r, date '2026-01-01', 1, 'month')::text, 'book of 2 payees, 3 deals', 'one that is there says what it is') FROM unnest('{1,2,1}'::int[]) r;
SELECT * FROM finish();
ROLLBACK;
