/*
 * system.sql: spm on the company in schema bench: where the orders are, who the people are, what is
 * expected of them, and what their plans pay.  Two years, nothing calculated yet.
 *
 *   psql -v managers=true -v splits=true -v currencies=true -v grain=month -f system.sql
 *
 * managers: plans for those who lead others, of what comes up the tree.  splits: shares count.
 * currencies: orders are in what they say.  grain: of the periods; a quarter's quota is spread evenly.
 */
\if :{?managers}
\else
    \set managers false
\endif
\if :{?currencies}
\else
    \set currencies false
\endif
\if :{?grain}
\else
    \set grain quarter
\endif
\if :{?splits}
\else
    \set splits false
\endif
SET search_path = bench, public;
SET jit = off;

SELECT spm.add_currency('USD');
\if :currencies
SELECT spm.add_currency('EUR');
SELECT spm.map_source('txn', 'bench.txn', key => 'txn_id', date => 'close_date', owner => 'payee_id', amount => 'amount',
    account => 'account_id', product => 'product_id', currency => 'currency');
\else
-- The known answers take every amount for what it says, whatever its currency.
SELECT spm.map_source('txn', 'bench.txn', key => 'txn_id', date => 'close_date', owner => 'payee_id', amount => 'amount',
    account => 'account_id', product => 'product_id', fixed_currency => 'USD');
\endif
SELECT spm.source_index('txn') \gexec
\if :splits
SELECT spm.map_split('txn', 'bench.split', key => 'txn_id', owner => 'payee_id', share => 'share');
\endif
SELECT spm.create_calendar('bench', grain => :'grain', first => '2024-01-01', until => '2026-01-01');
\if :currencies
SELECT count(spm.set_exchange_rate('EUR', 'USD', month, rate)) FROM (SELECT * FROM bench.exchange_rate ORDER BY month) r;
\endif

CREATE OR REPLACE VIEW bench.seller AS
SELECT p.payee_id, 'Seller ' || p.payee_id AS name, p.manager_id, n.name AS title
FROM bench.payee p JOIN bench.plan n USING (plan_id);
SELECT spm.load_payees('bench.seller', key => 'payee_id', name => 'name', manager => 'manager_id', title => 'title');

SELECT spm.add_measure('bookings');
-- What spm.set_quota() would write, in one statement.
INSERT INTO spm.quota (measure_id, position_id, period_id, amount)
SELECT m.measure_id, s.position_id, t.period_id, round(q.quota / count(*) OVER (PARTITION BY q.payee_id, q.qtr), 2)
FROM bench.quota q
JOIN spm.position s ON s.position_key = q.payee_id::text
JOIN spm.period w ON w.name = format('%s-Q%s', q.qtr / 4, q.qtr % 4 + 1)
JOIN spm.period t ON t.grain = :'grain' AND t.span <@ w.span
JOIN spm.measure m ON m.name = 'bookings';

SELECT spm.create_plan(p.name, 'bench', 'USD', '2024-01-01') FROM bench.plan p ORDER BY plan_id;
SELECT spm.add_component(p.name, 'Commission',
    string_agg(format('%s%%: %s%%', trim_scale(t.lo_pct * 100), trim_scale(t.rate * 100)), ', ' ORDER BY t.tier_no), quota => 'bookings')
FROM bench.plan p JOIN bench.tier t USING (plan_id) GROUP BY p.plan_id, p.name ORDER BY p.plan_id;
SELECT spm.publish_plan(p.name) FROM bench.plan p ORDER BY plan_id;
SELECT spm.assign_plan(p.name, title => p.name, since => '2024-01-01') FROM bench.plan p ORDER BY plan_id;
\if :managers
SELECT spm.create_plan('lead', 'bench', 'USD', '2024-01-01');
SELECT spm.add_component('lead', 'Override', '0: 0.1%', credits => 'rollup');
SELECT spm.publish_plan('lead');
SELECT count(spm.assign_plan('lead', payee => payee_id::text, since => '2024-01-01')) FROM bench.payee WHERE lvl < 5;
\endif
-- Statistics of what has just come by the thousand.
ANALYZE;
