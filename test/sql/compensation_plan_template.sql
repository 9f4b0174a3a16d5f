-- Twelve plans that most companies have: one call each, and each pays what a person works out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

SELECT spm.create_calendar('fiscal', 'quarter', '2026-01-01', '2027-01-01'), spm.add_currency('USD'), spm.add_measure('bookings'), spm.add_measure('renewals') \g /dev/null
SELECT spm.set_variable('target_bonus', 10000) \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position(k, k), spm.assign_position(k, k, CASE k WHEN 'newbie' THEN date '2026-02-15' ELSE '2025-01-01' END)
FROM unnest('{flat,tiered,accelerator,margin,mbo,draw,pool1,pool2,lead,spif,renewal,boss,seller,newbie,channel}'::text[]) k \g /dev/null
SELECT spm.set_manager(k, m, '2025-01-01') FROM (VALUES ('pool1', 'lead'), ('pool2', 'lead'), ('seller', 'boss')) v(k, m) \g /dev/null
CREATE TABLE public.sale (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, day date NOT NULL, seller text NOT NULL, amount numeric NOT NULL, cost numeric, quantity numeric,
    kind text NOT NULL DEFAULT 'new', product text, partner text);
SELECT spm.map_source('sales', 'public.sale', key => 'id', date => 'day', owner => 'seller', amount => 'amount', cost => 'cost', quantity => 'quantity', type => 'kind',
    product => 'product', attributes => '{partner}', fixed_currency => 'USD') \g /dev/null

-- --------------------------------------------------------------- one call each
SELECT results_eq($$SELECT DISTINCT template FROM spm.plan_template() ORDER BY 1$$,
    '{accelerator,channel,draw,flat,"manager override",margin,mbo,"new hire ramp",renewal,spif,"team pool",tiered}'::text[], 'there are twelve templates');
SELECT is_empty($$SELECT template, parameter FROM spm.plan_template() WHERE coalesce(default_value, '') = '' OR length(meaning) < 8 OR length(purpose) < 20$$,
    'each says what it is for, and what its parameters mean');
SELECT is_empty($$SELECT template FROM spm._plan_template() t WHERE spm.plan_template_document(template)::text ~ '[{][{]|[}][}]'
    OR EXISTS (SELECT FROM jsonb_array_elements(t.parameters) p WHERE t.document::text !~ format('[{][{]%s!?[}][}]', p ->> 0))$$, 'no parameter is left over, or good for nothing');
SELECT ok(spm.create_plan_from_template(template, 'New ' || template, 'fiscal', 'USD', '2026-01-01') > 0, template || ': one call makes it a plan')
FROM (SELECT DISTINCT template FROM spm.plan_template() ORDER BY 1) t;
SELECT spm.assign_plan('New ' || template, '2026-01-01', payee => payee)
FROM (VALUES ('flat', 'flat'), ('tiered', 'tiered'), ('margin', 'margin'), ('mbo', 'mbo'), ('draw', 'draw'), ('team pool', 'pool1'), ('team pool', 'pool2'),
    ('spif', 'spif'), ('renewal', 'renewal'), ('manager override', 'boss'), ('new hire ramp', 'newbie'), ('channel', 'channel')) v(template, payee) \g /dev/null
-- one with parameters of its own
SELECT spm.create_plan_from_template('accelerator', 'With a bonus', 'fiscal', 'USD', '2026-01-01', '{"bonus": 2500, "base": "6%", "top_from": "160%"}'),
    spm.assign_plan('With a bonus', '2026-01-01', payee => 'accelerator') \g /dev/null

SELECT results_eq($$SELECT component, defect FROM spm.plan_defect('New mbo')$$, $$VALUES ('Objectives', 'objectives of payee mbo for 2026-Q1 are missing')$$,
    'what a template cannot know is asked for');
SELECT spm.set_quota(k, q, 100000, 'bookings') FROM unnest('{accelerator,boss}'::text[]) k, unnest('{2026-Q1,2026-Q2,2026-Q3}'::text[]) q \g /dev/null
SELECT spm.set_quota('renewal', q, 100000, 'renewals'), spm.set_objective('mbo', q, 'Launch', 0.6, 1.2), spm.set_objective('mbo', q, 'Hire', 0.4, 0.5) FROM unnest('{2026-Q1,2026-Q2,2026-Q3}'::text[]) q \g /dev/null
SELECT spm.set_quota('newbie', q, 90000, 'bookings') FROM unnest('{2026-Q1,2026-Q2,2026-Q3}'::text[]) q \g /dev/null
SELECT is_empty($$SELECT p.name, d.component, d.defect FROM spm.plan p, spm.plan_defect(p.name) d$$, 'and then each is sound');
SELECT is((SELECT string_agg(spm.publish_plan(name)::text, '') FROM spm.plan), '1111111111111', 'and is published');

-- every one goes out and in again
SELECT ok(bool_and(spm.import_plan(spm.export_plan(p.name), p.name || ' again') > 0), 'each can be exported and imported') FROM spm.plan p;
SELECT is_empty($$SELECT p.name FROM spm.plan p WHERE p.name !~ 'again$' AND (spm.export_plan(p.name || ' again') || jsonb_build_object('name', p.name))::text <> spm.export_plan(p.name)::text$$,
    'and is the same to the last byte');
SELECT spm.new_plan_version(name, '2030-01-01') FROM spm.plan WHERE name !~ 'again$' \g /dev/null
SELECT is_empty($$SELECT p.name, d.* FROM spm.plan p, spm.plan_diff(p.name) d WHERE p.name !~ 'again$'$$, 'a new version says the same as the one before');

-- ------------------------------------------------------------------ and pays
INSERT INTO public.sale (day, seller, amount, cost, quantity, kind, product, partner) VALUES
    ('2026-01-05', 'flat', 100000.00, NULL, NULL, 'new', NULL, NULL), ('2026-03-31', 'flat', 250.50, NULL, NULL, 'new', NULL, NULL),
    ('2026-01-05', 'tiered', 200000, NULL, NULL, 'new', NULL, NULL), ('2026-02-05', 'tiered', 100000, NULL, NULL, 'new', NULL, NULL), ('2026-04-05', 'tiered', 300000, NULL, NULL, 'new', NULL, NULL),
    ('2026-01-05', 'accelerator', 90000, NULL, NULL, 'new', NULL, NULL), ('2026-02-05', 'accelerator', 80000, NULL, NULL, 'new', NULL, NULL),
    ('2026-01-05', 'margin', 1000, 700, NULL, 'new', NULL, NULL), ('2026-01-06', 'margin', 1000, 950, NULL, 'new', NULL, NULL), ('2026-01-07', 'margin', -500, -300, NULL, 'refund', NULL, NULL),
    ('2026-01-05', 'draw', 20000, NULL, NULL, 'new', NULL, NULL), ('2026-04-05', 'draw', 120000, NULL, NULL, 'new', NULL, NULL),
    ('2026-01-05', 'pool1', 30000, NULL, NULL, 'new', NULL, NULL), ('2026-01-05', 'pool2', 10000, NULL, NULL, 'new', NULL, NULL),
    ('2026-01-10', 'spif', 900, NULL, 3, 'new', 'NEW', NULL), ('2026-04-02', 'spif', 600, NULL, 2, 'new', 'NEW', NULL), ('2026-01-10', 'spif', 900, NULL, 5, 'new', 'OLD', NULL),
    ('2026-01-05', 'renewal', 50000, NULL, NULL, 'new', NULL, NULL), ('2026-01-06', 'renewal', 20000, NULL, NULL, 'growth', NULL, NULL), ('2026-01-07', 'renewal', 80000, NULL, NULL, 'renewal', NULL, NULL),
    ('2026-01-05', 'seller', 130000, NULL, NULL, 'new', NULL, NULL),
    ('2026-02-20', 'newbie', 60000, NULL, NULL, 'new', NULL, NULL), ('2026-04-20', 'newbie', 10000, NULL, NULL, 'new', NULL, NULL), ('2026-07-20', 'newbie', 10000, NULL, NULL, 'new', NULL, NULL),
    ('2026-01-05', 'channel', 10000, NULL, NULL, 'new', NULL, 'gold'), ('2026-01-05', 'channel', 10000, NULL, NULL, 'new', NULL, 'silver'), ('2026-01-05', 'channel', 10000, NULL, NULL, 'new', NULL, NULL);
CALL spm.calculate('2026-Q1');
CREATE FUNCTION pg_temp.earned(of_payee text, of_period text) RETURNS numeric LANGUAGE sql AS $$
    SELECT sum(e.amount) FROM spm.earning e JOIN spm.payee y USING (payee_id) JOIN spm.period p USING (period_id) WHERE y.payee_key = of_payee AND p.name = of_period
$$;
CREATE FUNCTION pg_temp.paid(of_payee text, of_period text) RETURNS numeric LANGUAGE sql AS $$
    SELECT sum(o.amount) FROM spm.payout o JOIN spm.payee y USING (payee_id) JOIN spm.posting g USING (posting_id) JOIN spm.period p ON p.period_id = g.period_id
    WHERE y.payee_key = of_payee AND p.name = of_period
$$;
SELECT is(pg_temp.earned('flat', '2026-Q1'), 5012.53, 'flat: 5 % of 100,250.50');
SELECT is(pg_temp.earned('tiered', '2026-Q1'), 16000.00, 'tiered: 5 % of 250,000 and 7 % of 50,000');
SELECT is(pg_temp.earned('accelerator', '2026-Q1'), 17200.00, 'accelerator: 6 % of 100,000, 12 % of 60,000, 15 % of 10,000, and 2,500');
SELECT is(pg_temp.earned('margin', '2026-Q1'), 20.00, 'margin: 20 % of 300, nothing of a margin of 5 %, 20 % of -200');
SELECT is(pg_temp.earned('mbo', '2026-Q1'), 9200.00, 'mbo: 0.6 x 1.2 + 0.4 x 0.5 = 92 % of 10,000');
SELECT is(pg_temp.earned('draw', '2026-Q1'), 1000.00, 'draw: earns 5 % of 20,000');
SELECT is(pg_temp.earned('pool1', '2026-Q1'), 600.00, 'team pool: 2 % of 40,000 is 800, of which three quarters');
SELECT is(pg_temp.earned('pool2', '2026-Q1'), 200.00, 'team pool: and one quarter');
SELECT is(pg_temp.earned('spif', '2026-Q1'), 300.00, 'spif: 3 units at 100');
SELECT is(pg_temp.earned('renewal', '2026-Q1'), 5500.00, 'renewal: at 80 % half of 5,000 and of 1,200, and 3 % of 80,000');
SELECT is(pg_temp.earned('boss', '2026-Q1'), 1450.00, 'manager override: 1 % of 100,000 and 1.5 % of 30,000');
SELECT is(pg_temp.earned('newbie', '2026-Q1'), 5400.00, 'new hire ramp: quota 90,000 x 45 of 90 days; 8 % of 45,000 and 12 % of 15,000');
SELECT is(pg_temp.earned('channel', '2026-Q1'), 1600.00, 'channel: 8 %, 5 % and 3 % of 10,000 each');

SELECT is(pg_temp.paid('draw', '2026-Q1'), 3000.00, 'draw: is topped up to 3,000');
SELECT is(pg_temp.paid('newbie', '2026-Q1'), 5400.00, 'new hire ramp: earns more than the guarantee');
CALL spm.post('2026-Q1');
CALL spm.calculate('2026-Q2');
SELECT is(pg_temp.earned('tiered', '2026-Q2'), 23000.00, 'tiered: 7 % of the 200,000 up to 500,000 and 9 % of the 100,000 above it');
SELECT is(pg_temp.earned('spif', '2026-Q2'), NULL, 'spif: nothing after the last day');
SELECT is(pg_temp.paid('draw', '2026-Q2'), 4000.00, 'draw: 5 % of 120,000, less the 2,000 that were advanced');
SELECT is(pg_temp.paid('newbie', '2026-Q2'), 4000.00, 'new hire ramp: 8 % of 10,000 is topped up to the guarantee');
CALL spm.post('2026-Q2');
CALL spm.calculate('2026-Q3');
SELECT is(pg_temp.paid('newbie', '2026-Q3'), 800.00, 'new hire ramp: the guarantee was for two periods');
SELECT is((SELECT string_agg(DISTINCT is_reconciled::text, ' ') FROM spm.reconciliation), 'true', 'and all of it adds up');

-- --------------------------------------------------------------------- refused
SELECT throws_ok($$SELECT spm.create_plan_from_template('lottery', 'L', 'fiscal', 'USD', '2026-01-01')$$, '42704', 'there is no plan template "lottery"', 'a template must be there');
SELECT throws_ok($$SELECT spm.create_plan_from_template('flat', 'L', 'fiscal', 'USD', '2026-01-01', '{"rat": "7%"}')$$, '22023', 'plan template "flat" has no parameter "rat"', 'and its parameters');
SELECT throws_ok($$SELECT spm.create_plan_from_template('flat', 'L', 'fiscal', 'USD', '2026-01-01', '{"rate": "lots"}')$$, '22P02', 'rate schedule cannot be read at "lots"', 'values are checked like those of any plan');
SELECT throws_ok($$SELECT spm.create_plan_from_template('margin', 'L', 'fiscal', 'USD', '2026-01-01', '{"least_margin": "random()::numeric"}')$$, '42P17', NULL, 'within expressions, too');
SELECT throws_ok($$SELECT spm.create_plan_from_template('mbo', 'L', 'fiscal', 'USD', '2026-01-01', '{"target": "none such"}')$$, '42704', 'variable "none such" does not exist', 'what it names must be there');
SELECT throws_ok($$SELECT spm.create_plan_from_template('flat', 'L', 'lunar', 'USD', '2026-01-01')$$, '42704', NULL, 'the calendar too');
SELECT is(spm.plan_template_document('spif', '{"product": "it''s \"x\\"}') #>> '{components,0,eligibility_expression}',
    'product_key = E''it''''s "x\\'' AND event_date >= date ''2026-01-01'' AND event_date < date ''2026-04-01''', 'a value stays within its quotes');
SELECT lives_ok($$SELECT spm.create_plan_from_template('spif', 'Odd', 'fiscal', 'USD', '2026-01-01', '{"product": "it''s \"x\\"}')$$, 'whatever it is');
CREATE FUNCTION pg_temp.days(parameters text) RETURNS text LANGUAGE plpgsql AS $$DECLARE
    plan int := spm.create_plan_from_template('spif', 'Spif ' || parameters, 'fiscal', 'USD', '2026-07-01', parameters::jsonb);
BEGIN
    RETURN (SELECT string_agg(m[1], ' until ') FROM spm.component k JOIN spm.plan_version v USING (plan_version_id),
            regexp_matches(k.eligibility_expression, '\d{4}-\d\d-\d\d', 'g') m WHERE v.plan_id = plan);
END$$;
SELECT is(pg_temp.days(p), d, w) FROM (VALUES ('{}', '2026-07-01 until 2026-10-01', 'a spif is for the first three months of its plan'),
    ('{"first": "2026-08-01", "until": "2026-09-01"}', '2026-08-01 until 2026-09-01', 'or for the days that it is given')) v(p, d, w);
SELECT is(spm.plan_template_document('draw', '{"draw": 1234.50, "recover": 0.5}') -> 'pay_rules' -> 0, '{"kind": "draw", "name": "Draw", "amount": 1234.50, "method": "floor", "recover_share": 0.5}',
    'numbers are numbers');

SELECT * FROM finish();
ROLLBACK;
