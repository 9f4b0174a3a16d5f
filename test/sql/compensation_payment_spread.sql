-- Pay that is advanced and spread over later periods, and what the general ledger makes of all kinds of pay. Figures worked out by hand.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA lab;
CREATE TABLE lab.deal (id text, day date, seller text, amount numeric);
INSERT INTO lab.deal VALUES ('FFL', '2026-01-10', 'ffl', 1200), ('FES', '2026-01-10', 'fes', 600), ('ODD', '2026-01-10', 'odd', 100.01),
    ('L', '2026-02-10', 'ffl', 120), ('dra1', '2026-01-10', 'dra', 1000), ('dra2', '2026-02-10', 'dra', 3600), ('cap1', '2026-01-10', 'cap', 9000), ('cap2', '2026-02-10', 'cap', 3000),
    ('hel1', '2026-01-10', 'hel', 500), ('try1', '2026-01-10', 'try', 100), ('neg1', '2026-01-10', 'neg', -500), ('neg2', '2026-02-10', 'neg', 800);
SELECT spm.add_currency('USD'), spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01') \g /dev/null
SELECT spm.map_source('deals', 'lab.deal', key => 'id', date => 'day', owner => 'seller', amount => 'amount', fixed_currency => 'USD') \g /dev/null
SELECT spm.add_payee(k, k), spm.add_position(k, k), spm.assign_position(k, k, '2025-01-01') FROM (SELECT DISTINCT seller FROM lab.deal) d(k) \g /dev/null
SELECT spm.create_plan(p, 'fiscal', 'USD', '2026-01-01'), spm.add_component(p, 'Commission', r)
FROM (VALUES ('FFL', '0: 110%'), ('FES', '0: 95%'), ('Odd', '0: 100%'), ('Draw', '0: 10%'), ('Cap', '0: 10%'), ('Plain', '0: 10%'), ('Net', '0: 10%')) v(p, r) \g /dev/null

-- ---------------------------------------------------- an advance, and the rest later
SELECT throws_ok(call, code, message, format('refused: %s', message))
FROM (VALUES ($$SELECT spm.spread_pay('FFL', 1, 3)$$, '22023', 'advance_share must be from 0 to less than 1, not 1'),
    ($$SELECT spm.spread_pay('FFL', -0.1, 3)$$, '22023', 'advance_share must be from 0 to less than 1, not -0.1'),
    ($$SELECT spm.spread_pay('FFL', NULL, 3)$$, '22023', 'advance_share must be from 0 to less than 1, not NULL'),
    ($$SELECT spm.spread_pay('FFL', 0.75, 0)$$, '22023', 'parts must be from 1 to 36, not 0'),
    ($$SELECT spm.spread_pay('FFL', 0.75, 3, release_after => 0)$$, '22023', 'release_after must be from 1 to 1000 periods, not 0'),
    ($$SELECT spm.spread_pay('FFL', 0.75, 3, '{Nix}')$$, '42704', 'the draft of plan "FFL" has no component "Nix"'),
    ($$SELECT spm.spread_pay('FFL', 0.75, 3, '{}')$$, '55000', 'the draft of plan "FFL" has no component to spread'),
    ($$SELECT spm.spread_pay('Nix', 0.75, 3)$$, '42704', 'plan "Nix" does not exist')) v(call, code, message);
SELECT is(spm.spread_pay('FFL', 0.75, 3), 3, 'each part is a holdback of its own');
SELECT throws_ok($$SELECT spm.spread_pay('FFL', 0.75, 3)$$, '23505', NULL, 'twice under one name is refused');
SELECT spm.spread_pay('FES', 0.75, 3, '{Commission}', 2, 'Later'), spm.spread_pay('Odd', 0.75, 3) \g /dev/null
SELECT spm.add_pay_rule('Draw', 'draw', 300, recover_share => 0.5, first_periods => 2, is_forgiven => true),
    spm.add_pay_rule('Cap', 'cap', 500, method => 'carried'), spm.add_pay_rule('Net', 'negative') \g /dev/null
SELECT spm.assign_plan(p, '2026-01-01', payee => k)
FROM (VALUES ('FFL', 'ffl'), ('FES', 'fes'), ('Odd', 'odd'), ('Draw', 'dra'), ('Cap', 'cap'), ('Plain', 'hel'), ('Plain', 'try'), ('Net', 'neg')) v(p, k) \g /dev/null
SELECT spm.publish_plan(p) FROM unnest('{FFL,FES,Odd,Draw,Cap,Plain,Net}'::text[]) p \g /dev/null
SELECT throws_ok($$SELECT spm.spread_pay('FFL', 0.5, 3)$$, '55000', 'plan "FFL" has no draft version', 'what is published does not change');
SELECT spm.hold('disputed', payee => 'hel', since => '2026-01-01') AS hold \gset
DO $$DECLARE p text; BEGIN
    FOREACH p IN ARRAY ARRAY['2026-01', '2026-02', '2026-03', '2026-04', '2026-05'] LOOP
        EXECUTE format('CALL spm.calculate(%L)', p);
        EXECUTE format('CALL spm.post(%L)', p);
    END LOOP;
END$$;
CREATE FUNCTION pg_temp.paid(who text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(coalesce(x.amount, 0)::numeric(20,2)::text, ', ' ORDER BY p.name)
    FROM spm.period p LEFT JOIN (SELECT paid_period_name, sum(paid_amount) AS amount FROM spm_bi.payout WHERE payee_key = who GROUP BY 1) x ON x.paid_period_name = p.name
    WHERE p.name BETWEEN '2026-01' AND '2026-05' $$;
SELECT is(pg_temp.paid('fes'), '427.50, 0.00, 47.50, 47.50, 47.50', 'RES-FES-1: 570, of it 427.50 at once, and 47.50 in each of three later months, from the second on');
SELECT is(pg_temp.paid('ffl'), '990.00, 209.00, 121.00, 121.00, 11.00', 'RES-FFL-1: 1320, of it 990 at once and 110 in each of the next three months; 132 of February is spread on top: 99, then 11 each');
SELECT is(pg_temp.paid('odd'), '75.02, 8.33, 8.33, 8.33, 0.00', 'what is left of a cent is paid at once, and nothing is lost');

-- ------------------------------------------------- what the general ledger makes of it
SELECT is_empty($$SELECT document, entry FROM spm_bi.gl_export GROUP BY 1, 2, currency_code HAVING sum(debit_amount) <> sum(credit_amount)$$, 'debits equal credits in every entry');
CREATE FUNCTION pg_temp.account(who text, what text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(coalesce(g.amount, 0)::numeric(20,2)::text, ', ' ORDER BY p.name)
    FROM spm.period p LEFT JOIN LATERAL (SELECT sum(debit_amount - credit_amount) AS amount FROM spm_bi.gl_export WHERE payee_key = who AND purpose = what AND entry_date < upper(p.span)) g ON true
    WHERE p.name BETWEEN '2026-01' AND '2026-05' $$;
SELECT is(pg_temp.account('ffl', 'expense'), '1320.00, 1452.00, 1452.00, 1452.00, 1452.00', 'what is earned is an expense at once');
SELECT is(pg_temp.account('ffl', 'held'), '-330.00, -253.00, -132.00, -11.00, 0.00', 'what is spread is owed until it is released');
SELECT is(pg_temp.account('cap', 'held'), '-400.00, -200.00, 0.00, 0.00, 0.00', 'what a cap carries is owed as well');
SELECT is(pg_temp.account('hel', 'held'), '-50.00, -50.00, -50.00, -50.00, -50.00', 'and what is on hold');
SELECT is(pg_temp.account('dra', 'advance'), '200.00, 0.00, 0.00, 0.00, 0.00', 'a draw tops 100 up to 300 and is owed by the payee; recovered or forgiven when it ends');
SELECT is(pg_temp.account('neg', 'advance'), '50.00, 0.00, 0.00, 0.00, 0.00', 'as is pay below zero until it is made up for');
SELECT is((SELECT sum(debit_amount - credit_amount) FROM spm_bi.gl_export WHERE purpose = 'waiting'), -(SELECT sum(unpaid_amount) FROM spm_bi.unpaid), 'what waits is what is posted and not in a batch');
SELECT is(pg_temp.account('try', a), e || repeat(', ' || e, 4), format('FLAT-TRY-3: after the sale, %s is %s', a, e))
FROM (VALUES ('expense', '10.00'), ('waiting', '-10.00'), ('payable', '0.00')) v(a, e);
SELECT spm.propose_payment('2026-05') AS batch \gset
SELECT results_eq($$SELECT payee_key, payment_amount FROM spm_bi.payment ORDER BY 1$$,
    $$SELECT payee_key, sum(paid_amount)::numeric(20,4) FROM spm_bi.payout GROUP BY 1 HAVING sum(paid_amount) > 0 ORDER BY 1$$, 'a payment nets all kinds of pay');
SELECT ok(bool_and(is_reconciled), 'and adds up') FROM spm_bi.payment_batch;
CREATE ROLE controller;
GRANT USAGE ON SCHEMA spm TO controller;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA spm TO controller;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO controller;
SET SESSION AUTHORIZATION controller;
SELECT spm.approve_payment(:batch) \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT is(sum(debit_amount - credit_amount), e, format('FLAT-TRY-3: after it is approved, %s is %s', a, e))
FROM (VALUES ('expense', 10.0000), ('waiting', 0.0000), ('payable', -10.0000)) v(a, e) LEFT JOIN spm_bi.gl_export ON purpose = a AND payee_key = 'try' GROUP BY a, e ORDER BY a;
SELECT spm.release(:hold, 'settled') \g /dev/null
CALL spm.calculate('2026-06');
CALL spm.post('2026-06');
SELECT is(sum(debit_amount - credit_amount), 0.0000, 'what is released is owed no more') FROM spm_bi.gl_export WHERE payee_key = 'hel' AND purpose = 'held';

SELECT * FROM finish();
ROLLBACK;
