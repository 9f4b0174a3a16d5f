-- Odds where amounts are known of some deals only because of how they ended.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- Two of five deals are won, after 10 to 66 days; 600 days of them, and those of the end are open.
CREATE SCHEMA shop;
CREATE TABLE shop.deal AS
SELECT 'D' || i AS id, d.created, CASE WHEN created + days <= '2024-09-01' THEN created + days END AS closed,
    CASE WHEN created + days > '2024-09-01' THEN 'Open' WHEN i % 5 < 2 THEN 'Won' ELSE 'Lost' END AS stage,
    (100 + i % 7 * 50)::numeric AS amount
FROM (SELECT i, date '2023-01-01' + i AS created, 10 + i * 17 % 57 AS days FROM generate_series(1, 600) AS i) AS d;
CREATE VIEW shop.unknown AS SELECT id, created, closed, stage, NULL::numeric AS amount FROM shop.deal;
CREATE VIEW shop.when_won AS SELECT id, created, closed, stage, CASE stage WHEN 'Won' THEN amount END AS amount FROM shop.deal;
CREATE VIEW shop.none_when_lost AS SELECT id, created, closed, stage, CASE stage WHEN 'Lost' THEN 0 ELSE amount END AS amount FROM shop.deal;

CREATE TEMP TABLE said (relation text, key text, odds numeric, expected numeric);
CREATE FUNCTION pg_temp.say(relation regclass) RETURNS void LANGUAGE sql AS $$
    SELECT spm.map_opportunities('shop', relation, key => 'id', owner => NULL, stage => 'stage', amount => 'amount', created => 'created', close_date => 'closed');
    INSERT INTO said SELECT relation::text, key, win_probability, expected_amount FROM spm.deal_odds('2024-10-01', '2024-09-01');
$$;
SELECT pg_temp.say('shop.unknown'), pg_temp.say('shop.when_won'), pg_temp.say('shop.none_when_lost'), pg_temp.say('shop.deal') \g /dev/null

CREATE FUNCTION pg_temp.most_apart(one text, other text) RETURNS numeric LANGUAGE sql AS $$
    SELECT max(abs(a.odds - b.odds)) FROM said AS a JOIN said AS b USING (key) WHERE a.relation = one AND b.relation = other;
$$;
SELECT cmp_ok(pg_temp.most_apart('shop.when_won', 'shop.unknown'), '<', 0.01, 'amounts that are written when a deal is won tell nothing of the odds of open ones');
SELECT cmp_ok(pg_temp.most_apart('shop.none_when_lost', 'shop.unknown'), '<', 0.01, 'nor do amounts that are emptied when a deal is lost');
SELECT ok((SELECT bool_and(odds BETWEEN 0.15 AND 0.45) AND count(*) > 20 FROM said WHERE relation = 'shop.when_won'),
    'open deals are as likely to be won as two of five are');
SELECT ok((SELECT bool_and(abs(expected / odds - 249) < 10) FROM said WHERE relation = 'shop.when_won'), 'and count what is won on average');

SELECT * FROM finish();
ROLLBACK;
