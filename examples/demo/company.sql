/*
 * company.sql: a company to try spm on, as a warehouse would hold it, in schema demo.
 *
 * Everything follows from the hash of a row's number and whole-number arithmetic:
 * the same rows on every machine, every time.  300 sellers in five levels, with
 * joiners, leavers, movers and vacant seats; two years of orders with refunds,
 * splits and two currencies.  Nobody in it exists.
 *
 *   psql -v orders=100000 -f company.sql
 */
\if :{?orders}
\else
    \set orders 100000
\endif

SET jit = off;    -- compiling would take longer than drawing
CREATE SCHEMA demo;
COMMENT ON SCHEMA demo IS 'The warehouse of a company that does not exist.';

-- ---------------------------------------------------------------------- draws

CREATE FUNCTION demo.hash(what text, n bigint)
    RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.sha256((what || n)::bytea);
END;
COMMENT ON FUNCTION demo.hash(text, bigint) IS 'The dice of row n: 32 bytes that look like chance and never change.';

CREATE FUNCTION demo.draw(hash bytea, nth int, below int)
    RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT (65536 * get_byte(hash, 3 * nth) + 256 * get_byte(hash, 3 * nth + 1) + get_byte(hash, 3 * nth + 2)) % below;
END;
COMMENT ON FUNCTION demo.draw(bytea, int, int) IS 'A number from 0 to below - 1: the nth of ten draws from a hash.';

-- --------------------------------------------------------------------- tables

CREATE TABLE demo.seller (
    seller_id text PRIMARY KEY,
    name text NOT NULL,
    title text NOT NULL,
    region text NOT NULL,
    manager_id text REFERENCES demo.seller,
    hired_on date NOT NULL,
    left_on date,
    replaces_id text REFERENCES demo.seller
);
COMMENT ON TABLE demo.seller IS 'Everybody in sales: when they came, when they left, and whom they came for.';
COMMENT ON COLUMN demo.seller.left_on IS 'Last day.';
COMMENT ON COLUMN demo.seller.manager_id IS 'Manager on the day of hire; later ones are in demo.seller_move.';
COMMENT ON COLUMN demo.seller.replaces_id IS 'Whose seat the seller took over.';

CREATE TABLE demo.seller_move (
    seller_id text REFERENCES demo.seller,
    moved_on date,
    manager_id text NOT NULL REFERENCES demo.seller,
    PRIMARY KEY (seller_id, moved_on)
);
COMMENT ON TABLE demo.seller_move IS 'Who got another manager, and when.';

CREATE TABLE demo.account (
    account_id text PRIMARY KEY,
    name text NOT NULL,
    segment text NOT NULL
);
COMMENT ON TABLE demo.account IS 'Customers.';

CREATE TABLE demo.product (
    product_id text PRIMARY KEY,
    name text NOT NULL,
    family text NOT NULL,
    list_price numeric(12,2) NOT NULL,
    unit_cost numeric(12,2) NOT NULL,
    usual_quantity int NOT NULL
);
COMMENT ON TABLE demo.product IS 'What is sold, with prices in US dollars; in euros they are nine tenths of that.';

CREATE TABLE demo.sales_order (
    order_id text PRIMARY KEY,
    type text NOT NULL CHECK (type IN ('order', 'refund')),
    ordered_on date NOT NULL,
    seller_id text,
    account_id text NOT NULL REFERENCES demo.account,
    product_id text NOT NULL REFERENCES demo.product,
    quantity int NOT NULL,
    list_amount numeric(14,2) NOT NULL,
    amount numeric(14,2) NOT NULL,
    cost numeric(14,2) NOT NULL,
    currency text NOT NULL,
    refund_of text
);
COMMENT ON TABLE demo.sales_order IS 'Orders, and refunds with negative amounts. R100017 refunds O100017.';
COMMENT ON COLUMN demo.sales_order.seller_id IS 'Who sold it. NULL: the web shop. Not always somebody in demo.seller: partners sell too.';

CREATE TABLE demo.order_split (
    order_id text,
    seller_id text,
    percent numeric(5,2) NOT NULL,
    PRIMARY KEY (order_id, seller_id)
);
COMMENT ON TABLE demo.order_split IS 'Who shares in an order; orders that nobody shares in are not here.';

CREATE TABLE demo.quota (
    seat_id text REFERENCES demo.seller (seller_id),
    quarter text,
    amount numeric(14,2) NOT NULL,
    PRIMARY KEY (seat_id, quarter)
);
COMMENT ON TABLE demo.quota IS 'What is expected of a seat in a quarter, in US dollars; whoever sits there.';

CREATE TABLE demo.exchange_rate (
    month date PRIMARY KEY,
    usd_per_eur numeric(10,4) NOT NULL
);
COMMENT ON TABLE demo.exchange_rate IS 'Monthly rates: US dollars for one euro.';

CREATE VIEW demo.booking AS
SELECT o.*, p.family
FROM demo.sales_order o
JOIN demo.product p USING (product_id);
COMMENT ON VIEW demo.booking IS 'Orders with the family of their product: what spm is pointed at.';

-- --------------------------------------------------------------------- people

-- Seats: 1 chief, 4 vice presidents, 12 directors, 36 managers, 252 reps in teams of seven.
CREATE TEMPORARY TABLE demo_seat AS
SELECT s.n, 'S' || lpad(s.n::text, 3, '0') AS seat_id, h.h,
       s.level, s.team, s.place,
       CASE s.level WHEN 1 THEN NULL ELSE 'S' || lpad(s.above::text, 3, '0') END AS manager_id,
       CASE s.level WHEN 1 THEN 'Chief Revenue Officer' WHEN 2 THEN 'Vice President' WHEN 3 THEN 'Director'
            WHEN 4 THEN 'Sales Manager' ELSE CASE s.place WHEN 7 THEN 'Specialist' ELSE 'Account Executive' END END AS title,
       CASE WHEN s.level = 1 THEN 'World' ELSE (ARRAY['East', 'West', 'North Europe', 'South Europe'])[s.region] END AS region
FROM (
    SELECT 1 AS n, 1 AS level, 0 AS region, 0 AS team, 0 AS place, NULL::int AS above
    UNION ALL SELECT 1 + r, 2, r, 0, 0, 1 FROM generate_series(1, 4) r
    UNION ALL SELECT 5 + d, 3, (d + 2) / 3, 0, 0, 1 + (d + 2) / 3 FROM generate_series(1, 12) d
    UNION ALL SELECT 17 + t, 4, (t + 8) / 9, t, 0, 5 + (t + 2) / 3 FROM generate_series(1, 36) t
    UNION ALL SELECT 54 + i, 5, (i / 7 + 9) / 9, i / 7 + 1, i % 7 + 1, 18 + i / 7 FROM generate_series(0, 251) i
) s
CROSS JOIN LATERAL (SELECT demo.hash('seat', s.n) AS h) h;

-- Who sits there first: of the reps 8 % join later and 12 % leave, and so do a manager and a director.
CREATE TEMPORARY TABLE demo_first AS
SELECT s.*,
       CASE WHEN j.joins THEN date '2025-02-03' + 7 * demo.draw(s.h, 1, 70)
            ELSE date '2015-01-05' + 7 * demo.draw(s.h, 1, 480) END AS hired_on,
       CASE WHEN s.seat_id = 'S020' THEN date '2025-09-30' WHEN s.seat_id = 'S011' THEN date '2026-02-14'
            WHEN l.leaves THEN date '2025-01-31' + demo.draw(s.h, 2, 600) END AS left_on,
       CASE WHEN s.seat_id = 'S020' THEN 62 WHEN s.seat_id = 'S011' THEN NULL
            WHEN l.leaves AND demo.draw(s.h, 3, 3) > 0 THEN 15 + demo.draw(s.h, 4, 60) END AS vacant_days,
       CASE WHEN s.level = 5 THEN 6 + demo.draw(s.h, 5, 9) ELSE 0 END AS strength
FROM demo_seat s
CROSS JOIN LATERAL (SELECT s.level = 5 AND demo.draw(s.h, 0, 100) < 8 AS joins) j
CROSS JOIN LATERAL (SELECT s.level = 5 AND demo.draw(s.h, 0, 100) >= 88 AS leaves) l;

INSERT INTO demo.seller (seller_id, name, title, region, manager_id, hired_on, left_on, replaces_id)
SELECT p.seller_id,
       (ARRAY['Ada', 'Bela', 'Cleo', 'Dana', 'Edda', 'Finn', 'Gwen', 'Hugo', 'Inga', 'Jona', 'Kaja', 'Liam', 'Mira', 'Nils', 'Orla',
              'Piet', 'Quim', 'Rhea', 'Sven', 'Tara', 'Ugo', 'Vera', 'Wren', 'Xenia', 'Yann', 'Zora'])[1 + demo.draw(p.h, 0, 26)]
       || ' ' ||
       (ARRAY['Alder', 'Brook', 'Cliff', 'Dale', 'Elm', 'Field', 'Glen', 'Heath', 'Isle', 'Juniper', 'Knoll', 'Lake', 'Moor', 'North',
              'Oakley', 'Pond', 'Quarry', 'Ridge', 'Stone', 'Thorn', 'Umber', 'Vale', 'Wood', 'Yarrow'])[1 + demo.draw(p.h, 1, 24)]
       || (ARRAY['ton', 'by', 'field', 'man', 'well', 'wick', 'ford', 'er'])[1 + demo.draw(p.h, 2, 8)],
       p.title, p.region, p.manager_id, p.hired_on, p.left_on, p.replaces_id
FROM (
    SELECT f.seat_id AS seller_id, demo.hash('name', f.n) AS h, f.title, f.region, f.manager_id, f.hired_on, f.left_on, NULL AS replaces_id
    FROM demo_first f
    UNION ALL
    SELECT 'S' || 400 + row_number() OVER (ORDER BY f.n), demo.hash('name', 400 + f.n), f.title, f.region, f.manager_id,
           f.left_on + f.vacant_days, NULL, f.seat_id
    FROM demo_first f WHERE f.vacant_days IS NOT NULL
) p
ORDER BY p.seller_id;

-- 3 % of the reps change teams, some in the middle of a quarter; a whole team changes districts.
INSERT INTO demo.seller_move (seller_id, moved_on, manager_id)
SELECT f.seat_id, (date '2025-03-01' + make_interval(months => demo.draw(f.h, 6, 18)))::date + 14 * demo.draw(f.h, 7, 2),
       'S' || lpad((18 + (f.team + 3) % 36)::text, 3, '0')
FROM demo_first f
WHERE f.level = 5 AND f.hired_on < '2025-01-01' AND f.left_on IS NULL AND demo.draw(f.h, 0, 100) < 14
UNION ALL
SELECT 'S031', '2026-01-01', 'S012';

CREATE TEMPORARY TABLE demo_holder AS    -- seats by day
SELECT coalesce(p.replaces_id, p.seller_id) AS seat_id, p.seller_id, p.hired_on AS since, coalesce(p.left_on, 'infinity') AS until
FROM demo.seller p;
CREATE INDEX ON demo_holder (seat_id, since);

-- ------------------------------------------------------- customers, products

INSERT INTO demo.account (account_id, name, segment)
SELECT 'A' || lpad(n::text, 4, '0'),
       (ARRAY['Amber', 'Birch', 'Cedar', 'Delta', 'Ember', 'Fern', 'Granite', 'Harbour', 'Indigo', 'Jade', 'Kestrel', 'Lark', 'Maple', 'Nimbus',
              'Onyx', 'Pebble', 'Quartz', 'Raven', 'Slate', 'Tundra', 'Upland', 'Violet', 'Willow', 'Yonder', 'Zephyr'])[1 + (n - 1) % 25]
       || ' ' ||
       (ARRAY['Bakery', 'Brewing', 'Clinics', 'Couriers', 'Dairy', 'Design', 'Energy', 'Farms', 'Foundry', 'Freight', 'Gardens', 'Glass', 'Hotels',
              'Insurance', 'Labs', 'Lighting', 'Marine', 'Media', 'Mills', 'Motors', 'Museum', 'Optics', 'Paper', 'Pharma', 'Press', 'Rail',
              'Robotics', 'Schools', 'Shipping', 'Stores', 'Studios', 'Textiles', 'Tools', 'Toys', 'Trading', 'Travel', 'Vision', 'Water',
              'Works', 'Yachts'])[1 + (n - 1) / 25 % 40]
       || (ARRAY['', ' Group'])[1 + (n - 1) / 1000],
       (ARRAY['small', 'small', 'medium', 'large'])[1 + demo.draw(demo.hash('account', n), 0, 4)]
FROM generate_series(1, 2000) n;

INSERT INTO demo.product (product_id, name, family, list_price, unit_cost, usual_quantity)
SELECT 'P' || lpad(n::text, 2, '0'), f.family || ' ' || (ARRAY['Start', 'Base', 'Team', 'Plus', 'Pro', 'Max'])[1 + (n - 1) % 6], f.family,
       f.price * (ARRAY[1, 2, 3, 5, 8, 13])[1 + (n - 1) % 6],
       round(f.price * (ARRAY[1, 2, 3, 5, 8, 13])[1 + (n - 1) % 6] * (f.cost_percent + demo.draw(demo.hash('product', n), 0, 12)) / 100, 2),
       (ARRAY[12, 6, 4, 3, 2, 1])[1 + (n - 1) % 6]
FROM generate_series(1, 24) n
JOIN (VALUES (0, 'Hardware', 690, 62), (1, 'Software', 1190, 22), (2, 'Services', 480, 55), (3, 'Training', 240, 40))
    f(no, family, price, cost_percent) ON f.no = (n - 1) / 6;

INSERT INTO demo.exchange_rate (month, usd_per_eur)
SELECT (date '2025-01-01' + make_interval(months => n))::date, 1.0800 + (demo.draw(demo.hash('rate', n), 0, 701) - 350) * 0.0001
FROM generate_series(0, 23) n;

-- --------------------------------------------------------------------- orders

-- The stronger a seat, the more often it is drawn.
CREATE TEMPORARY TABLE demo_slot AS
SELECT row_number() OVER (ORDER BY f.n, k) - 1 AS slot, f.seat_id, f.manager_id, f.team, f.place, f.region
FROM demo_first f CROSS JOIN LATERAL generate_series(1, CASE f.place WHEN 7 THEN f.strength / 2 ELSE f.strength END) k
WHERE f.level = 5;
ANALYZE demo_slot;
ANALYZE demo_holder;

-- 24 of 25 rows are orders; one of 24 orders comes back later, whole or half.
CREATE TEMPORARY TABLE demo_order AS
WITH drawn AS MATERIALIZED (      -- or every draw would throw the dice again
    SELECT n, demo.hash('order', n) AS h FROM generate_series(1, :orders::int / 25 * 24) n
), dated AS MATERIALIZED (      -- a quarter of the orders is signed in the last three weeks of a quarter, none on a weekend
    SELECT d.n, d.h, r.day - greatest(extract(isodow FROM r.day)::int - 5, 0) AS ordered_on
    FROM drawn d
    CROSS JOIN LATERAL (SELECT date '2025-01-02' + demo.draw(d.h, 0, 729) AS day) a
    CROSS JOIN LATERAL (SELECT CASE WHEN demo.draw(d.h, 1, 4) > 0 THEN a.day
        ELSE (date_trunc('quarter', a.day::timestamp) + interval '3 months')::date - 1 - demo.draw(d.h, 2, 21) END AS day) r
)
SELECT d.n, d.h, d.ordered_on, s.team, s.place,
       CASE WHEN demo.draw(d.h, 8, 1000) < 3 THEN NULL WHEN demo.draw(d.h, 8, 1000) < 5 THEN 'PARTNER'
            WHEN own.seller_id IS NOT NULL THEN own.seller_id    -- for two weeks the orders of somebody who left stay theirs
            ELSE boss.seller_id END AS seller_id,
       'A' || lpad((1 + (55 * (s.team - 1) + demo.draw(d.h, 7, 60)) % 2000)::text, 4, '0') AS account_id,
       p.product_id, q.quantity, round(p.list_price * q.quantity * c.price, 2) AS list_amount,
       round(p.list_price * q.quantity * c.price * (100 - q.discount) / 100, 2) AS amount,
       round(p.unit_cost * q.quantity * c.price, 2) AS cost, c.currency
FROM dated d
JOIN demo_slot s ON s.slot = demo.draw(d.h, 3, (SELECT count(*)::int FROM demo_slot))
JOIN demo.product p ON p.product_id = 'P' || lpad((1 + demo.draw(d.h, 4, 24))::text, 2, '0')
CROSS JOIN LATERAL (SELECT 1 + demo.draw(d.h, 5, 2 * p.usual_quantity - 1) AS quantity,
    (ARRAY[0, 0, 0, 5, 5, 10, 15, 25])[1 + demo.draw(d.h, 6, 8)] AS discount) q
CROSS JOIN LATERAL (SELECT CASE WHEN s.region ~ 'Europe' THEN 'EUR' ELSE 'USD' END AS currency,
    CASE WHEN s.region ~ 'Europe' THEN 0.9 ELSE 1 END AS price) c
LEFT JOIN LATERAL (SELECT h.seller_id FROM demo_holder h
    WHERE h.seat_id = s.seat_id AND d.ordered_on >= h.since AND (h.until = 'infinity' OR d.ordered_on <= h.until + 14)
    ORDER BY h.since DESC LIMIT 1) own ON true
LEFT JOIN LATERAL (SELECT h.seller_id FROM demo_holder h
    WHERE h.seat_id = s.manager_id AND d.ordered_on BETWEEN h.since AND h.until) boss ON true;

INSERT INTO demo.sales_order (order_id, type, ordered_on, seller_id, account_id, product_id, quantity, list_amount, amount, cost, currency, refund_of)
SELECT 'O' || 100000 + n, 'order', ordered_on, seller_id, account_id, product_id, quantity, list_amount, amount, cost, currency, NULL
FROM demo_order
UNION ALL
SELECT 'R' || 100000 + o.n, 'refund', least(o.ordered_on + 10 + demo.draw(h.h, 0, 60), '2026-12-31'), o.seller_id, o.account_id, o.product_id,
       -o.quantity, -round(o.list_amount / h.part, 2), -round(o.amount / h.part, 2), -round(o.cost / h.part, 2), o.currency, 'O' || 100000 + o.n
FROM demo_order o
CROSS JOIN LATERAL (SELECT demo.hash('refund', o.n) AS h, 1 + o.n / 24 % 2 AS part) h
WHERE o.n % 24 = 7;

ANALYZE demo_order;

-- A tenth of the orders is shared with the next seat of the team, a third of these with its specialist too.
INSERT INTO demo.order_split (order_id, seller_id, percent)
SELECT t.prefix || 100000 + o.n, s.seller_id, s.percent
FROM demo_order o
CROSS JOIN LATERAL (SELECT demo.draw(o.h, 9, 3) AS kind) k
JOIN demo_holder a ON a.seat_id = 'S' || lpad((54 + 7 * (o.team - 1) + o.place % 6)::text, 3, '0') AND o.ordered_on BETWEEN a.since AND a.until
LEFT JOIN demo_holder b ON b.seat_id = 'S' || lpad((60 + 7 * (o.team - 1))::text, 3, '0') AND o.ordered_on BETWEEN b.since AND b.until
CROSS JOIN LATERAL (
    SELECT o.seller_id, CASE WHEN k.kind = 0 AND b.seller_id IS NOT NULL THEN 33.33 ELSE 60 END AS percent
    UNION ALL SELECT a.seller_id, CASE WHEN k.kind = 0 AND b.seller_id IS NOT NULL THEN 33.33 ELSE 40 END
    UNION ALL SELECT b.seller_id, 33.34 WHERE k.kind = 0 AND b.seller_id IS NOT NULL) s
CROSS JOIN LATERAL (SELECT 'O' AS prefix UNION ALL SELECT 'R' WHERE o.n % 24 = 7) t
WHERE demo.draw(o.h, 9, 30) < 3 AND o.place < 7 AND o.seller_id IN (SELECT seller_id FROM demo.seller) AND o.seller_id <> a.seller_id;

-- --------------------------------------------------------------------- quotas

-- Reps by their market and a little by their strength, 6 % more in the second year; above them a tenth less than the sum.
INSERT INTO demo.quota (seat_id, quarter, amount)
WITH RECURSIVE quarter AS (
    SELECT q, (2025 + q / 4) || '-Q' || 1 + q % 4 AS name, (date '2025-01-01' + make_interval(months => 3 * q + 3))::date AS stop
    FROM generate_series(0, 7) q
), rep AS (
    SELECT f.seat_id, f.manager_id, q.name, round(
        410000 * :orders::numeric / 100000 * (88 + demo.draw(f.h, 8, 20) + 3 * (f.strength - 10)) / 100
        * CASE WHEN f.place = 7 THEN 0.5 ELSE 1 END * CASE WHEN q.q >= 4 THEN 1.06 ELSE 1 END, -2) AS amount
    FROM demo_first f JOIN quarter q ON q.stop > f.hired_on
    WHERE f.level = 5
), above AS (
    SELECT r.manager_id AS seat_id, r.name, r.amount FROM rep r
    UNION ALL
    SELECT s.manager_id, a.name, a.amount FROM above a JOIN demo_seat s USING (seat_id) WHERE s.manager_id IS NOT NULL
)
SELECT r.seat_id, r.name, r.amount FROM rep r
UNION ALL
SELECT a.seat_id, a.name, round(0.9 * sum(a.amount), -3) FROM above a GROUP BY a.seat_id, a.name;

DROP TABLE demo_order, demo_slot, demo_holder, demo_first, demo_seat;
CREATE INDEX ON demo.sales_order (ordered_on);
ANALYZE demo.seller, demo.seller_move, demo.account, demo.product, demo.sales_order, demo.order_split, demo.quota, demo.exchange_rate;
