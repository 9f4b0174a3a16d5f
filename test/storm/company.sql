/*
 * storm/company.sql: a small company with two calendars, three kinds of
 * sources and, of each way to pay, some that the seed draws.
 *
 *   psql -v seed=1 -f test/storm/company.sql      in a database with spm
 *
 * Then CALL storm.run(first, last) of storm/edit.sql.
 */
\set QUIET 1
\o /dev/null
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
-- hundreds of queries over little data: less time to look for the best plan of each
SELECT format('ALTER DATABASE %I SET storm.seed = %L', current_database(), :'seed'), format('ALTER DATABASE %I SET join_collapse_limit = 1', current_database()),
    format('ALTER DATABASE %I SET from_collapse_limit = 1', current_database()), format('ALTER DATABASE %I SET jit = off', current_database()) \gexec
SET storm.seed = :'seed';
CREATE SCHEMA storm;

-- From 0 to below n; the same for a seed, a purpose and a number.
CREATE FUNCTION storm.draw(purpose text, id bigint, n bigint) RETURNS int
    LANGUAGE sql STABLE AS
$$ SELECT ((hashint8extended(id, hashtextextended(purpose, current_setting('storm.seed')::bigint)) & 9223372036854775807) % n)::int $$;

CREATE FUNCTION storm.pick(purpose text, id bigint, VARIADIC words text[]) RETURNS text
    LANGUAGE sql STABLE AS
$$ SELECT words[1 + storm.draw(purpose, id, cardinality(words))] $$;

-- ------------------------------------------------------------- time and money

CREATE TABLE storm.month AS
SELECT to_char(d, 'YYYY-MM') AS name, d::date AS first, (d + interval '1 month')::date - 1 AS last, '2026-Q' || extract(quarter FROM d) AS quarter
FROM generate_series(date '2026-01-01', '2026-06-01', interval '1 month') AS d;
CREATE VIEW storm.quarter AS SELECT quarter AS name, min(first) AS first, max(last) AS last FROM storm.month GROUP BY quarter;
CREATE VIEW storm.year AS SELECT '2026' AS name, min(first) AS first, max(last) AS last FROM storm.month;
CREATE TABLE storm.season (name text, first date, last date);
INSERT INTO storm.season VALUES ('Winter', '2025-12-20', '2026-02-15'), ('Spring', '2026-02-16', '2026-05-01'), ('Summer', '2026-05-02', '2026-07-08');
SELECT spm.load_periods('company', 'storm.year', 'first', 'last', 'name', grain => 'year'),
    spm.load_periods('company', 'storm.quarter', 'first', 'last', 'name', grain => 'quarter', parent_grain => 'year'),
    spm.load_periods('company', 'storm.month', 'first', 'last', 'name', grain => 'month', parent_grain => 'quarter'),
    spm.load_periods('retail', 'storm.season', 'first', 'last', 'name', grain => 'season');
SELECT spm.add_currency(code, digits) FROM (VALUES ('EUR', 2), ('JPY', 0), ('USD', 2)) AS c (code, digits);
SELECT spm.set_exchange_rate(a.code, b.code, since, round(a.worth / b.worth * (0.9 + 0.001 * storm.draw(a.code || b.code, i, 200)), 6))
FROM (VALUES ('EUR', 1.1), ('JPY', 0.0066), ('USD', 1.0)) AS a (code, worth), (VALUES ('EUR', 1.1), ('JPY', 0.0066), ('USD', 1.0)) AS b (code, worth),
    (VALUES (1, date '2025-01-01'), (2, '2026-02-10'), (3, '2026-05-05')) AS t (i, since)
WHERE a.code <> b.code ORDER BY a.code, b.code, since;

-- --------------------------------------------------------------------- people

CREATE TABLE storm.person (key text PRIMARY KEY, manager text, title text);
INSERT INTO storm.person
SELECT 'd1', NULL, 'Director' UNION ALL SELECT 'l' || i, 'd1', 'Lead' FROM generate_series(1, 2) i
UNION ALL SELECT 's' || i, 'l' || 1 + i % 2, CASE WHEN i <= 5 THEN 'Seller' ELSE 'Partner' END FROM generate_series(1, 7) i;
SELECT spm.load_payees('storm.person', key => 'key', name => 'key', manager => 'manager', title => 'title', since => '2025-01-01');
SELECT spm.add_payee('new' || i, 'New ' || i) FROM generate_series(1, 3) i;
SELECT spm.add_measure('bookings'), spm.add_measure('units', 'count'), spm.add_measure('bookings/desk', falls_back_to => 'bookings');
SELECT spm.set_quota('*', name, 2500, 'bookings'), spm.set_quota('*', name, 12, 'units') FROM storm.month ORDER BY name;
SELECT spm.set_quota('*', name, 5000, 'bookings'), spm.set_quota('*', name, 30, 'units') FROM storm.season ORDER BY first;
SELECT spm.set_quota(key, name, 1000 + 500 * storm.draw('quota' || name, ascii(right(key, 1)), 8), 'bookings')
FROM storm.person, storm.month WHERE title = 'Seller' ORDER BY key, name;
SELECT spm.set_quota(NULL, '2026-Q2', 9000, 'bookings', title => 'Partner');
SELECT spm.set_variable('bonus', 1500), spm.set_variable('salary', 2000), spm.set_variable('multiplier', 1), spm.set_variable('bonus', 777.77, payee => 's2', since => '2026-03-10'),
    spm.set_variable('multiplier', 1.1, title => 'Partner'), spm.prorate_variable('salary');
SELECT spm.set_objective(p.key, m.name, 'Launch', 0.4, 1.25), spm.set_objective(p.key, m.name, 'Train', 0.6, 0.5) FROM (SELECT key FROM storm.person UNION ALL SELECT 'new' || i FROM generate_series(1, 3) i) p, storm.month m ORDER BY 1;
SELECT spm.add_ramp('slow', '{0,0.25,0.5}'), spm.add_absence_kind('leave', min_days => 5), spm.add_absence_kind('trip', reduces_target => false);
SELECT spm.add_lookup('product rates', '{product}', otherwise => 1), spm.set_lookup('product rates', '{desk}', 0.5), spm.set_lookup('product rates', '{lamp}', 1.25);

-- --------------------------------------------------------------------- orders

-- Three kinds of sources: of orders every change is seen, of partners' what grows, of files nothing.
CREATE TABLE storm.orders (order_id text NOT NULL, ordered_on date NOT NULL, owner text, product text NOT NULL, account text NOT NULL, quantity numeric NOT NULL,
    amount numeric NOT NULL, cost numeric NOT NULL, currency text NOT NULL, kind text NOT NULL, reference text, PRIMARY KEY (order_id)) PARTITION BY HASH (order_id);
CREATE TABLE storm.orders_0 PARTITION OF storm.orders FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE storm.orders_1 PARTITION OF storm.orders FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE storm.share (order_id text NOT NULL, owner text NOT NULL, percent numeric NOT NULL, PRIMARY KEY (order_id, owner));
CREATE TABLE storm.invoice (order_id text NOT NULL, invoiced_on date NOT NULL, amount numeric NOT NULL);
CREATE SEQUENCE storm.version;
CREATE TABLE storm.partner_order (order_no int PRIMARY KEY, sold_at timestamptz NOT NULL, owner text, product text NOT NULL, amount numeric NOT NULL, currency text NOT NULL,
    version bigint NOT NULL, updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE storm.file_row (file_key uuid PRIMARY KEY, dated date NOT NULL, owner text, account text, amount numeric NOT NULL);
CREATE VIEW storm.file AS SELECT file_key, dated, owner, account, amount * 2 AS amount FROM storm.file_row;
CREATE TABLE storm.patch (account text, holder text, since date, until date, share numeric);

CREATE FUNCTION storm.make_order(id bigint) RETURNS storm.orders
    LANGUAGE sql STABLE AS
$$
    SELECT ROW(storm.pick('key', id, 'A', 'b', 'Z', 'é', '_') || id, date '2026-01-01' + storm.draw('date', id, 181),
        CASE storm.draw('owned', id, 30) WHEN 0 THEN NULL WHEN 1 THEN 'nobody' ELSE storm.pick('owner', id, 's1', 's2', 's3', 's4', 's5', 's6', 's7', 'l1', 'new1', 'new2') END,
        storm.pick('product', id, 'desk', 'lamp', 'sofa'), 'a' || storm.draw('account', id, 6), 1 + storm.draw('quantity', id, 9),
        CASE WHEN storm.draw('round', id, 4) = 0 THEN 500 * (1 + storm.draw('amount', id, 6)) ELSE 1 + 0.01 * storm.draw('amount', id, 250000) END,
        0.01 * storm.draw('cost', id, 90000), storm.pick('currency', id, 'USD', 'USD', 'EUR', 'JPY'), 'booking', NULL)::storm.orders
$$;
CREATE FUNCTION storm.make_refund(id bigint, of storm.orders) RETURNS storm.orders
    LANGUAGE sql STABLE AS
$$
    SELECT ROW('r' || id, least(greatest((of).ordered_on + storm.draw('later', id, 80) - 10, '2026-01-01'), '2026-06-30'), (of).owner, (of).product, (of).account, -(of).quantity,
        CASE storm.draw('refunded', id, 3) WHEN 0 THEN -round((of).amount / 3, 2) ELSE -(of).amount END, -(of).cost, (of).currency, 'refund',
        CASE storm.draw('referred', id, 8) WHEN 0 THEN NULL WHEN 1 THEN 'gone' ELSE (of).order_id END)::storm.orders
$$;
CREATE FUNCTION storm.make_shares(id bigint) RETURNS TABLE (owner text, percent numeric)
    LANGUAGE sql STABLE AS
$$
    SELECT 's' || 1 + (storm.draw('first', id, 7) + n::int * (1 + storm.draw('step', id, 2))) % 7, percent
    FROM unnest(CASE storm.draw('shares', id, 4) WHEN 0 THEN '{100,0}'::numeric[] WHEN 1 THEN '{33.33,33.33,33.34}' WHEN 2 THEN '{50,50}' ELSE '{12.5,87.5}' END) WITH ORDINALITY AS t (percent, n)
$$;
INSERT INTO storm.orders SELECT (storm.make_order(i)).* FROM generate_series(1, 60) i;
INSERT INTO storm.orders SELECT (storm.make_refund(i, o)).* FROM generate_series(61, 68) i, LATERAL (SELECT o FROM storm.orders o WHERE o.kind = 'booking' ORDER BY order_id COLLATE "C" OFFSET i - 61 LIMIT 1) x;
INSERT INTO storm.share SELECT o.order_id, s.* FROM (SELECT order_id, row_number() OVER (ORDER BY order_id COLLATE "C") AS n FROM storm.orders WHERE kind = 'booking') o, storm.make_shares(n) s WHERE n % 7 = 0;
INSERT INTO storm.invoice SELECT order_id, ordered_on + storm.draw('paid', n, 50), round(amount / 2, 2) FROM (SELECT o.*, row_number() OVER (ORDER BY order_id COLLATE "C") AS n FROM storm.orders o WHERE kind = 'booking') o WHERE n % 3 = 0;
INSERT INTO storm.partner_order
SELECT i, timestamptz '2026-01-01 03:00+00' + storm.draw('sold', i, 181 * 24) * interval '1 hour', storm.pick('partner', i, 's5', 's6', 's7', 's1'), storm.pick('sells', i, 'desk', 'sofa'), 100 + storm.draw('price', i, 2000),
    storm.pick('pays', i, 'USD', 'EUR'), nextval('storm.version') FROM generate_series(1, 20) i;
INSERT INTO storm.file_row SELECT md5(i::text)::uuid, date '2026-01-01' + storm.draw('filed', i, 181), storm.pick('filer', i, 's1', 's2', 's3', 's4'), 'a' || i % 6, 50 + storm.draw('worth', i, 900) FROM generate_series(1, 12) i;
INSERT INTO storm.patch VALUES ('a0', 's1', NULL, '2026-03-01', 1), ('a0', 's2', '2026-03-01', NULL, 0.5), ('a1', 's6', NULL, NULL, 0.25);
SELECT spm.map_source('orders', 'storm.orders', key => 'order_id', date => 'ordered_on', owner => 'owner', amount => 'amount', type => 'kind', account => 'account', product => 'product',
        quantity => 'quantity', cost => 'cost', currency => 'currency', reference => 'reference'),
    spm.map_split('orders', 'storm.share', key => 'order_id', owner => 'owner', share => 'percent', share_unit => 'percent'),
    spm.map_event('orders', 'invoice', 'storm.invoice', 'order_id', 'invoiced_on', 'amount', over => storm.pick('over', 1, 'capped', 'credited'), credited => storm.pick('credited', 1, 'pro rata', 'first', 'full')),
    spm.map_source('partners', 'storm.partner_order', key => 'order_no', date => 'sold_at', owner => 'owner', amount => 'amount', product => 'product', currency => 'currency', fixed_type => 'booking', time_zone => 'America/New_York'),
    spm.map_source('files', 'storm.file', key => 'file_key', date => 'dated', owner => 'owner', amount => 'amount', account => 'account', fixed_type => 'filed', fixed_currency => 'USD'),
    spm.map_territory('patches', 'storm.patch', key => 'account', owner => 'holder', match => 'account_key', since => 'since', until => 'until', share => 'share');
SELECT spm.track_source('orders'),
    CASE storm.draw('watermark', 1, 3) WHEN 0 THEN spm.track_source('partners', watermark => 'updated_at') ELSE spm.track_source('partners', watermark => 'version', overlap => '0') END;

-- Rules share what the warehouse does not, and credit on top.
SELECT spm.add_credit_rule('first', 'account_key = ''a1''', '{s1,s4}', '{0.5,0.5}', '2025-06-01', until => '2026-04-01', priority => 1),
    spm.add_credit_rule('second', 'account_key = ''a2'' AND product_key = ''desk''', '{s3,l1,s5}', '{0.5,0.2,0.3}', '2026-02-10', priority => 2),
    spm.add_overlay_rule('on top', 'account_key = ''a3''', '{s2,s6}', '{0.5,1.5}', '2025-06-01'),
    spm.add_team_rule('sofas', 'product_key = ''sofa''', '2026-01-15', title => 'Partner', parts => storm.pick('parts', 1, 'full', 'equal')),
    spm.set_rollup(0.5, level => 2), spm.set_rolldown('equal', "position" => 'l1', depth => 1);

-- ---------------------------------------------------------------------- plans

-- What a draft of a plan gets: components of a kind, with options that id draws.
CREATE FUNCTION storm.add_components(plan text, kind text, id bigint) RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    in_company boolean := plan <> 'Retail';
    span text := CASE WHEN in_company THEN storm.pick('span', id, 'period', 'quarter', 'quarter', 'year') ELSE 'period' END;
    longer text := CASE WHEN in_company THEN storm.pick('longer', id, 'quarter', 'year') ELSE 'period' END;
    refund text := storm.pick('refund', id, 'running', 'original', 'unearned');
    months int := CASE WHEN refund = 'unearned' THEN 9 END;
    credits text := storm.pick('credits', id, 'direct', 'direct', 'all', 'overlay', 'team', 'territory', 'rolldown');
    rounding text := storm.pick('rounding', id, 'half_up', 'half_even', 'down', 'ceiling');
BEGIN
    CASE kind
        WHEN 'quota' THEN
            PERFORM spm.add_component(plan, kind, '0%: 4%, 50%: 5%, 100%: 8%', quota => 'bookings', accumulate => span, refund => refund, earned_over => months,
                prorate => storm.pick('prorated', id, 'none', 'calendar', 'working'), refund_window => CASE WHEN refund <> 'running' AND storm.draw('window', id, 2) = 0 THEN interval '40 days' END);
        WHEN 'tiers' THEN
            PERFORM spm.add_component(plan, kind, storm.pick('tiers', id, '0: 1%, 1500: 2.5%, 4000: 4%', '0: 3%, 2000: 1% whole', '500: 2% cap 333.33', '0: 25, 3000: 100 bonus'), measure => storm.pick('measure', id, 'amount', 'amount - coalesce(cost, 0)', 'amount * 0.375'),
                accumulate => CASE WHEN in_company THEN storm.pick('tiered', id, 'period', 'quarter', 'year', 'rolling 2', 'deal') ELSE storm.pick('tiered', id, 'period', 'deal', 'rolling 2') END,
                credits => credits, variable => storm.pick('varied', id, NULL, 'multiplier'), refund_share => 1, places => storm.pick('places', id, '2', '0', '4')::int, rounding => rounding);
        WHEN 'taken back' THEN
            PERFORM spm.add_component(plan, kind, '0: 2%, 3000: 3%', eligible => storm.pick('eligible', id, NULL, 'type = ''booking''', 'amount > 100'), accumulate => span,
                refund => CASE refund WHEN 'running' THEN 'original' ELSE refund END, earned_over => months, refund_share => storm.pick('taken', id, '1', '0.5')::numeric);
        WHEN 'bonus' THEN
            PERFORM spm.add_component(plan, kind, '100%: 1 bonus', quota => 'bookings', variable => 'bonus', accumulate => span);
        WHEN 'target' THEN
            PERFORM spm.add_component(plan, kind, '0%: 100%, 100%: 150%', quota => 'bookings', pay => 'target', variable => 'bonus', prorate => 'calendar');
        WHEN 'true-up' THEN
            PERFORM spm.add_component(plan, kind, '0%: 1%, 100%: 2%', quota => 'bookings', accumulate => longer, true_up => longer <> 'period');
            PERFORM spm.add_modifier(plan, kind, 'gate', value => 0.5);
        WHEN 'groups' THEN
            PERFORM spm.add_component(plan, kind, '0: 1%, 1000: 3%', accumulate => 'group', group_by => storm.pick('group', id, 'account_key', 'product_key'), credit_cap => CASE storm.draw('capped', id, 2) WHEN 0 THEN 900 END);
        WHEN 'units' THEN
            PERFORM spm.add_component(plan, kind, '0%: 2, 100%: 3', measure => 'coalesce(quantity, 1)', unit => 'count', quota => 'units', accumulate => span);
        WHEN 'looked up' THEN
            PERFORM spm.add_component(plan, kind, '0: 1%, 2000: 2%', lookup => 'product rates', lookup_by => '{product_key}', accumulate => span);
        WHEN 'invoiced' THEN
            PERFORM spm.add_component(plan, kind, '0: 1.5%, 1000: 2%', event => 'invoice', accumulate => span, credits => storm.pick('invoiced', id, 'direct', 'all'));
        WHEN 'growth' THEN
            PERFORM spm.add_component(plan, kind, '0%: 0, 100%: 10%', against => 'prior period', measure => 'amount');
        WHEN 'base' THEN
            PERFORM spm.add_component(plan, kind, '0: 100%', basis => 'fixed', variable => 'salary', prorate => storm.pick('base', id, 'none', 'calendar', '30/360'));
        WHEN 'objectives' THEN
            PERFORM spm.add_component(plan, kind, '0%: 100%', basis => 'objective', variable => 'bonus');
        WHEN 'rank' THEN
            PERFORM spm.add_component(plan, kind, '1: 900.10, 2: 400.05, 4: 0 bonus', basis => 'rank', ties => storm.pick('ties', id, 'competition', 'share'));
            PERFORM spm.add_input(plan, kind, 'quota', storm.pick('ranked', id, 'amount', 'earned', 'attainment'), storm.pick('rank scope', id, 'plan', 'team'));
        WHEN 'pool' THEN
            PERFORM spm.add_component(plan, kind, '0: 1%', basis => 'pool');
            PERFORM spm.add_input(plan, kind, 'quota', storm.pick('pooled', id, 'amount', 'earned'), storm.pick('pool scope', id, 'plan', 'team'));
            IF storm.draw('pooled by', id, 2) = 0 THEN
                PERFORM spm.add_input(plan, kind, 'quota', 'amount');
            END IF;
        WHEN 'result' THEN
            PERFORM spm.add_component(plan, kind, '0%: 0, 50%: 100, 100%: 500 bonus', basis => 'result');
            PERFORM spm.add_input(plan, kind, 'quota', 'attainment', storm.pick('result scope', id, 'own', 'team', 'plan'));
        WHEN 'gated' THEN
            PERFORM spm.add_component(plan, kind, '0: 2%', accumulate => span);
            PERFORM spm.add_modifier(plan, kind, 'gate', of => '{quota}', figure => '{attainment}', value => 0.6, scope => storm.pick('gate scope', id, 'own', 'team', 'plan'));
            PERFORM spm.add_modifier(plan, kind, 'multiply', rates => '0: 75%, 1000: 100%, 3000: 150% whole', figure => '{amount}');
            PERFORM spm.add_modifier(plan, kind, 'cap', value => 250.05);
        WHEN 'rolled up' THEN
            PERFORM spm.add_component(plan, kind, '0: 0.6%, 6000: 0.9%', credits => 'rollup', accumulate => longer, refund => refund, earned_over => months);
        WHEN 'by owner' THEN
            PERFORM spm.add_component(plan, kind, '0: 0.5%, 1000: 1%', credits => 'rollup', accumulate => 'group', group_by => 'owner_key');
    END CASE;
END
$$;

-- What a draft does between earning and pay.
CREATE FUNCTION storm.add_rules(plan text, id bigint) RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    IF storm.draw('has cap', id, 3) = 0 THEN
        PERFORM spm.add_pay_rule(plan, 'cap', 150 + 50 * storm.draw('most', id, 8), grain => CASE WHEN plan = 'Retail' THEN 'period' ELSE storm.pick('cap grain', id, 'period', 'quarter', 'year') END,
            method => storm.pick('cap method', id, 'forfeited', 'carried'));
    END IF;
    IF storm.draw('has budget', id, 4) = 0 THEN
        PERFORM spm.add_pay_rule(plan, 'budget', 600 + 100 * storm.draw('budget', id, 9), method => storm.pick('budget method', id, 'deal order', 'pro rata'));
    END IF;
    IF storm.draw('has holdback', id, 4) = 0 THEN
        PERFORM spm.add_pay_rule(plan, 'holdback', share => 0.1, release_after => CASE storm.draw('release', id, 2) WHEN 0 THEN 1 END);
    END IF;
    IF storm.draw('has draw', id, 3) = 0 THEN
        PERFORM spm.add_pay_rule(plan, 'draw', 120, method => storm.pick('draw method', id, 'floor', 'advance'), recover_share => storm.pick('recovered', id, '1', '0.5')::numeric,
            first_periods => CASE storm.draw('first periods', id, 2) WHEN 0 THEN 3 END, is_forgiven => storm.draw('first periods', id, 2) = 0);
    END IF;
    IF storm.draw('has guarantee', id, 5) = 0 THEN
        PERFORM spm.add_pay_rule(plan, 'guarantee', 80, until => '2026-04-01');
    END IF;
    IF storm.draw('has negative', id, 2) = 0 THEN
        PERFORM spm.add_pay_rule(plan, 'negative', method => storm.pick('below zero', id, 'carried', 'zeroed'));
    END IF;
END
$$;

-- Sellers, one more plan, and partners in the other calendar: which components, the seed draws.
SELECT spm.create_plan('Seller', 'company', 'USD', '2025-06-01'), storm.add_components('Seller', 'quota', 1),
    storm.add_components('Seller', storm.pick('seller', 1, 'tiers', 'taken back', 'true-up', 'invoiced', 'groups', 'looked up', 'gated', 'units', 'bonus', 'target', 'growth', 'base', 'objectives'), 2);
SELECT spm.assign_plan('Seller', '2025-06-01', title => 'Seller'), spm.assign_plan('Seller', '2026-02-09', until => '2026-06-10', "position" => 's6');
SELECT storm.draw('other plan', 1, 3) AS other \gset
SELECT CASE :other WHEN 0 THEN spm.create_plan('Team', 'company', storm.pick('team currency', 1, 'EUR', 'JPY'), '2025-06-01') END,
    CASE :other WHEN 0 THEN storm.add_components('Team', 'quota', 4) END, CASE :other WHEN 0 THEN storm.add_components('Team', storm.pick('team', 1, 'rank', 'pool', 'result', 'gated'), 5) END;
SELECT spm.assign_plan('Team', '2025-06-01', payee => 's' || storm.draw('on team', 1, 3) + n) FROM generate_series(1, 4) n WHERE :other = 0;
SELECT CASE WHEN :other > 0 THEN spm.create_plan('Lead', 'company', 'USD', '2025-06-01') END, CASE WHEN :other > 0 THEN storm.add_components('Lead', 'rolled up', 6) END,
    CASE :other WHEN 1 THEN storm.add_components('Lead', storm.pick('lead', 1, 'by owner', 'quota', 'tiers', 'invoiced'), 7) END;
SELECT spm.assign_plan('Lead', '2025-06-01', title => t) FROM unnest('{Lead,Director}'::text[]) AS t WHERE :other > 0;
SELECT spm.create_plan('Retail', 'retail', 'USD', '2026-01-20'), storm.add_components('Retail', storm.pick('retail', 1, 'tiers', 'taken back', 'quota', 'groups', 'invoiced', 'base', 'units'), 8);
SELECT spm.assign_plan('Retail', '2026-01-20', title => 'Partner'), spm.assign_plan('Retail', '2026-01-20', payee => 's1');
SELECT storm.add_rules(name, plan_id) FROM spm.plan ORDER BY plan_id;
SELECT spm.publish_plan(name) FROM spm.plan ORDER BY plan_id;
ANALYZE;
CALL spm.calculate('2026-01');
CALL spm.calculate('2026-02');
CALL spm.calculate('Winter');
\o
