/*
 * setup.sql: spm on the warehouse in schema demo: where the orders are, who the
 * people are, what is expected of them, and what they are paid for it.
 */

-- Where the orders are.  Nothing is copied.
SELECT spm.add_currency('USD'), spm.add_currency('EUR');
SELECT spm.map_source('orders', 'demo.booking', key => 'order_id', date => 'ordered_on', owner => 'seller_id', amount => 'amount',
    type => 'type', account => 'account_id', product => 'product_id', quantity => 'quantity', cost => 'cost',
    list_amount => 'list_amount', currency => 'currency', attributes => '{family}');
SELECT spm.map_split('orders', 'demo.order_split', key => 'order_id', owner => 'seller_id', share => 'percent', share_unit => 'percent');

-- Two years of quarters, and what a euro was worth.
SELECT spm.create_calendar('fiscal', grain => 'quarter', first => '2025-01-01', until => '2027-01-01');
SELECT count(spm.set_exchange_rate('EUR', 'USD', month, usd_per_eur)) FROM (SELECT * FROM demo.exchange_rate ORDER BY month) r;

-- Who the people are: a seat for everybody who did not take over somebody's ...
CREATE VIEW demo.first_seller AS SELECT * FROM demo.seller WHERE replaces_id IS NULL;
COMMENT ON VIEW demo.first_seller IS 'The first holder of every seat.';
SELECT spm.load_payees('demo.first_seller', key => 'seller_id', name => 'name', manager => 'manager_id', title => 'title', since_column => 'hired_on');

-- ... who left it, who came after them, and who got another manager.
SELECT count(spm.vacate_position(seller_id, since => left_on + 1)) FROM demo.seller WHERE left_on IS NOT NULL;
SELECT count(spm.add_payee(seller_id, name)), count(spm.assign_position(replaces_id, seller_id, since => hired_on))
FROM (SELECT * FROM demo.seller WHERE replaces_id IS NOT NULL ORDER BY seller_id) s;
SELECT count(spm.set_manager(seller_id, manager_id, since => moved_on)) FROM (SELECT * FROM demo.seller_move ORDER BY moved_on, seller_id) m;

-- What is expected of them.
SELECT spm.add_measure('bookings');
SELECT count(spm.set_quota(seat_id, quarter, amount, 'bookings')) FROM (SELECT * FROM demo.quota ORDER BY quarter, seat_id) q;

-- Account executives: commission on bookings that accelerates with attainment, and a share of the margin, up to a point.
SELECT spm.create_plan('Account Executive', 'fiscal', 'USD', '2025-01-01');
SELECT spm.add_component('Account Executive', 'Commission', '0%: 4%, 80%: 6%, 100%: 9%', quota => 'bookings');
SELECT spm.add_component('Account Executive', 'Margin share', '0: 1% cap 1500', measure => 'amount - cost');
SELECT spm.assign_plan('Account Executive', title => 'Account Executive', since => '2025-01-01');
SELECT spm.publish_plan('Account Executive');

-- In 2026 the top is worth more, and margin pays only where the discount was small.
SELECT spm.new_plan_version('Account Executive', since => '2026-01-01');
SELECT spm.drop_component('Account Executive', 'Commission');
SELECT spm.drop_component('Account Executive', 'Margin share');
SELECT spm.add_component('Account Executive', 'Commission', '0%: 4%, 80%: 6%, 100%: 9%, 130%: 11%', quota => 'bookings');
SELECT spm.add_component('Account Executive', 'Margin share', '0: 1.5% cap 1500', measure => 'amount - cost',
    eligible => 'abs(amount) >= 0.9 * abs(list_amount)');
SELECT spm.publish_plan('Account Executive');

-- Specialists: a flat rate, on services and training alone.
SELECT spm.create_plan('Specialist', 'fiscal', 'USD', '2025-01-01');
SELECT spm.add_component('Specialist', 'Services and training', '0: 5%', quota => 'bookings',
    eligible => $$attributes ->> 'family' IN ('Services', 'Training')$$);
SELECT spm.assign_plan('Specialist', title => 'Specialist', since => '2025-01-01');
SELECT spm.publish_plan('Specialist');

-- Managers: what their team sells and what they sell themselves; above them, all that comes up the tree.
SELECT spm.create_plan('Manager Override', 'fiscal', 'USD', '2025-01-01');
SELECT spm.add_component('Manager Override', 'Override', '0%: 0.6%, 100%: 1%', credits => 'all', quota => 'bookings');
SELECT spm.assign_plan('Manager Override', title => 'Sales Manager', since => '2025-01-01');
SELECT spm.publish_plan('Manager Override');

SELECT spm.create_plan('Leadership', 'fiscal', 'USD', '2025-01-01');
SELECT spm.add_component('Leadership', 'Override', '0: 0.1%', credits => 'rollup', quota => 'bookings');
SELECT count(spm.assign_plan('Leadership', title => t, since => '2025-01-01'))
FROM unnest('{Director,Vice President,Chief Revenue Officer}'::text[]) t;
SELECT spm.publish_plan('Leadership');
