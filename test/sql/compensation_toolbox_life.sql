-- What books, rate cards and splits are found to be when they are read late, by parts or row by row.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE TEMP TABLE sale AS
SELECT i AS deal, i % 7 AS rep, date '2026-01-01' + i % 400 AS day, (i * 37 % 1000)::numeric / 10 AS amount
FROM generate_series(1, 3000) AS i;
CREATE TEMP TABLE share AS
SELECT deal, deal % 5 + 10 AS rep, 0.5 AS share FROM sale;

/* --------------------------------------------------------- how long they live */

SELECT throws_ok($$SELECT spm.book(rep, day, deal, amount, 'quarter',
                          (SELECT spm.splits(deal, rep, share) FROM share AS x WHERE x.deal = sale.deal)) FROM sale$$,
    '22023', 'rows of one book have different splits', 'splits made anew for each row are refused');
SELECT throws_ok($$SELECT spm.book(rep, day, deal, amount, 'quarter', s.splits)
                   FROM (VALUES (1), (2)) AS v(i),
                        LATERAL (SELECT spm.splits(deal, rep, share) AS splits FROM share HAVING v.i = 1 OFFSET 0) AS s, sale$$,
    '55000', NULL, 'splits that end before the rows of their book do are refused');
SELECT is((SELECT count(*) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter',
                                                               (SELECT spm.splits(deal, rep, share) FROM share)) FROM sale))),
    3000::bigint, 'splits made once serve all rows');

-- Opens a cursor over what a query gives, and reads on in it when the query is over.
CREATE FUNCTION pg_temp.read_book() RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    late refcursor;
    made record;
    line record;
BEGIN
    FOR made IN SELECT spm.book(rep, day, deal, amount, 'quarter') AS book FROM sale LOOP
        OPEN late FOR SELECT * FROM spm.book_deal(made.book, schedule => '0: 5%');
        FETCH late INTO line;
    END LOOP;
    FOR i IN 1..3000 LOOP
        FETCH late INTO line;
    END LOOP;
    RETURN 'read';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.read_book(), 'this book is not there any more', 'a cursor is not read on when its book has gone');
CREATE FUNCTION pg_temp.read_card() RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    late refcursor;
    made record;
    line record;
BEGIN
    FOR made IN SELECT spm.rate_card(rep, NULL::date, '0: 5%'::spm.rate_schedule) AS card FROM sale LOOP
        OPEN late FOR SELECT * FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale), made.card);
        FETCH late INTO line;
    END LOOP;
    FOR i IN 1..3000 LOOP
        FETCH late INTO line;
    END LOOP;
    RETURN 'read';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.read_card(), 'this rate card is not there any more', 'nor when its rate card has gone');

/* --------------------------------------------- totals past what an integer holds */

SELECT results_eq($$SELECT deal_id, running_total, commission
                    FROM spm.book_deal((SELECT spm.book(1, date '2026-01-01', deal, amount, 'all')
                                        FROM (VALUES (1, 1.00), (2, 6e15), (3, 6e15), (4, 1.00), (5, -6e15)) AS v(deal, amount)),
                                       schedule => '0: 5%, 100: 8%') ORDER BY deal_id$$,
    $$SELECT deal::bigint, total, spm.commission('0: 5%, 100: 8%', total - amount, total)
      FROM (SELECT deal, amount, sum(amount) OVER (ORDER BY deal) AS total
            FROM (VALUES (1, 1.00), (2, 6e15), (3, 6e15), (4, 1.00), (5, -6e15)) AS v(deal, amount)) AS running ORDER BY deal$$,
    'deals after a total that no integer holds go on from it');
CREATE TEMP TABLE wide AS
SELECT i AS deal, CASE i WHEN 300 THEN 6e14 WHEN 1000 THEN 1.00001 ELSE 1 END AS amount FROM generate_series(1, 1000) AS i;
SELECT is((SELECT count(*)
           FROM spm.book_deal((SELECT spm.book(1, date '2026-01-01', deal, amount, 'all') FROM wide), schedule => '0: 5%, 100: 8%') AS b
           FULL JOIN (SELECT deal, sum(amount) OVER (ORDER BY deal) AS total, amount FROM wide) AS o ON o.deal = b.deal_id
           WHERE b.running_total IS DISTINCT FROM o.total
              OR b.commission IS DISTINCT FROM spm.commission('0: 5%, 100: 8%', o.total - o.amount, o.total)),
    0::bigint, 'and deals after one whose decimals no integer holds beside the others');

/* ------------------------------------------------------------ periods by row */

SELECT throws_ok($$SELECT spm.book(rep, day, amount, lower(CASE WHEN deal < 1500 THEN 'MONTH' ELSE 'WEEKS' END)) FROM sale$$,
    '22023', 'rows of one book have different periods', 'periods that differ between rows are refused wherever they lie in memory');

/* ------------------------------------------------------------- rows as a whole */

SELECT is((SELECT count(*) FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale)) AS d WHERE d::text <> ''),
    3000::bigint, 'a condition on the whole row');
SELECT is((SELECT count(x.d) FROM (SELECT d FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'quarter') FROM sale)) AS d
                                   UNION ALL
                                   SELECT d FROM spm.book_deal((SELECT spm.book(rep, day, deal, amount, 'month') FROM sale)) AS d) AS x),
    6000::bigint, 'whole rows of two books, one after the other');

SELECT * FROM finish();
ROLLBACK;
