-- Odds of deals, what they may bring, and whether quotas are reached.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- deals with known odds
SELECT is(spm.poisson_binomial('{0.5,0.5}'), '{0.25,0.5,0.25}', 'of two deals at even odds both are won in a quarter of cases');
SELECT is(spm.poisson_binomial('{}'), '{1}', 'of no deals none is won');
SELECT is((SELECT round(sum(p)::numeric, 9) FROM unnest(spm.poisson_binomial(ARRAY(SELECT n / 100.0::float8 FROM generate_series(1, 99) n))) p), 1.0, 'probabilities add up to 1');
SELECT results_eq($$SELECT round(mean::numeric, -2), median, q95, round(reached::numeric, 1), round(shortfall::numeric, -2) FROM spm.simulate_deals('{1,0,1}', '{1000,500,200}', goal => 1500)$$,
    $$VALUES (1200::numeric, 1200::float8, 1200::float8, 0.0, 300::numeric)$$, 'sure deals bring what they are worth, and miss a goal by what is missing');
SELECT ok(abs(reached - 0.61) < 0.02 AND abs(mean - 1500) < 60, 'a goal of 1,000 is reached by 1,000 at 0.5 or 5,000 at 0.2 in six of ten futures: ' || round(reached::numeric, 1))
    FROM spm.simulate_deals('{0.5,0.2}', '{1000,5000}', goal => 1000);
-- Monte Carlo against the exact distribution
WITH deal AS (SELECT array_agg(((n * 7919) % 1000 / 1000.0)::float8 ORDER BY n) AS odds FROM generate_series(1, 200) n),
exact AS (SELECT sum(p) FILTER (WHERE k > 105) AS above FROM deal, unnest(spm.poisson_binomial(odds)) WITH ORDINALITY u (p, k))
SELECT ok(abs(s.reached - e.above) < 3 * sqrt(e.above * (1 - e.above) / 100000), 'futures without a shock are those of the exact distribution, within three standard errors')
FROM deal d, exact e, LATERAL spm.simulate_deals(d.odds, array_fill(1::float8, ARRAY[200]), paths => 100000, goal => 105) s;
SELECT ok(abs(s.sd / s.mean - 0.2) < 0.01 AND abs(s.mean - 300) < 2, 'a shock of 20 % moves the total by 20 % and leaves its mean')
    FROM spm.simulate_deals(array_fill(0.03::float8, ARRAY[10000]), array_fill(1::float8, ARRAY[10000]), paths => 20000, shock => 0.19145) s;
SELECT is(a, b, 'the same seed gives the same digits') FROM spm.simulate_deals('{0.3,0.4}', '{1,2}', shock => 0.3) a, spm.simulate_deals('{0.3,0.4}', '{1,2}', shock => 0.3) b;
SELECT results_eq($$SELECT mean, q05, q95, reached FROM spm.simulate_deals('{}', '{}')$$, $$VALUES (0::float8, 0::float8, 0::float8, 1::float8)$$, 'no deals bring nothing');
-- what is no odds is refused
SELECT throws_ok($$SELECT spm.poisson_binomial('{0.5,1.5}')$$, '22023', 'odds 2 is 1.5', 'refused: odds above 1');
SELECT throws_ok($$SELECT spm.poisson_binomial('{NaN}')$$, '22023', 'odds 1 is NaN', 'refused: odds that are no number');
SELECT throws_ok($$SELECT spm.poisson_binomial('{0.5,NULL}')$$, '22004', 'odds 2 is null', 'refused: no odds');
SELECT throws_ok($$SELECT spm.simulate_deals('{0.5}', '{1,2}')$$, '2202E', 'there must be one amount for each deal', 'refused: amounts of other deals');
SELECT throws_ok($$SELECT spm.simulate_deals('{0.5}', '{-1}')$$, '22023', 'amount 1 is -1', 'refused: amounts below 0');
SELECT throws_ok($$SELECT spm.simulate_deals('{0.5}', '{1}', paths => 1)$$, '22023', 'paths must be from 100 to 1000000', 'refused: a single future');
SELECT throws_ok($$SELECT spm.simulate_deals('{0.5}', '{1}', shock => 9)$$, '22023', 'shock must be from 0 to 2', 'refused: a shock of 900 %');

-- a company: 2 sellers and their manager, deals of 100 from 2020-01-01, won on day 10, lost on day 20 or never decided, in turn
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-12-31'', ''2020-10-01'')', '55000', 'no opportunities are mapped', 'refused: odds of nothing');
CREATE FUNCTION pg_temp.below_hint(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE context text;
BEGIN
    EXECUTE query;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN cardinality(string_to_array(context, E'\n')) - 2;       -- less those of this function
END
$$;
SELECT ok(pg_temp.below_hint(q) < 8, 'refused: what an error says is not buried by queries: ' || q)
FROM unnest(ARRAY['SELECT * FROM spm.deal_odds(''2020-12-31'', ''2020-12-01'')', 'SELECT spm.forecast_pipeline(''2020-12-31'', ''2020-12-01'')', 'SELECT spm.forecast_pipeline(''2090-12-31'', ''2020-12-01'')',
    'SELECT spm.forecast_pipeline(''2020-12-31'', ''2020-12-01'', paths => 5)', 'SELECT spm.forecast_attainment(''never'', ''revenue'')', 'SELECT * FROM spm.expected_commission(-1)', 'SELECT * FROM spm.pipeline_rollup(''never'')']) q;
SELECT throws_ok('SELECT * FROM spm.odds_backtest(''2020-01-01'', ''2020-10-01'')', '55000', 'no opportunities are mapped', 'refused: a backtest of nothing');
CREATE SCHEMA crm;
CREATE TABLE crm.deal AS
SELECT n AS id, CASE WHEN n % 2 = 0 THEN 'ann' ELSE 'bob' END AS owner, 100.00 AS amount, day AS created,
    CASE n / 2 % 4 WHEN 0 THEN day + 10 WHEN 1 THEN day + 20 END AS closed,
    CASE n / 2 % 4 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' ELSE 'open' END AS stage
FROM (SELECT n, '2020-01-01'::date + n / 2 AS day FROM generate_series(0, 799) n) x;
SELECT spm.create_calendar('fiscal', 'month', '2020-01-01', '2022-01-01'), spm.add_measure('bookings'),
    spm.add_payee('ann', 'Ann'), spm.add_payee('bob', 'Bob'), spm.add_payee('mia', 'Mia') \g /dev/null
SELECT spm.add_position(k, k) FROM unnest('{s1,s2,m}'::text[]) k \g /dev/null
SELECT spm.assign_position('s1', 'ann', '2020-01-01'), spm.assign_position('s2', 'bob', '2020-01-01'), spm.assign_position('m', 'mia', '2020-01-01'),
    spm.set_manager('s1', 'm', '2020-01-01'), spm.set_manager('s2', 'm', '2020-01-01') \g /dev/null
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'created', close_date => 'closed', list_amount => 'amount') \g /dev/null
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-02-01'', ''2020-01-05'')', '55000', 'no deal has been won yet', 'refused: odds before anything was won');
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-02-01'', ''2020-02-01'')', '22023', 'a forecast must end after the day as of which it is made', 'refused: a forecast of the past');
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2090-02-01'', ''2020-12-01'')', '22023', 'a forecast of deals must be for 1 to 1100 days', 'refused: a forecast of decades');
-- a deal of less than 10 days is won with 1/4; one older than 10 days never, but lost with 1/3; older than 20 neither
SELECT is_empty($$SELECT age_days, win_probability, lose_probability FROM spm.deal_odds('2020-12-31', '2020-12-01')
    WHERE NOT CASE WHEN age_days < 10 THEN win_probability BETWEEN 0.2 AND 0.3 AND lose_probability BETWEEN 0.2 AND 0.3
        WHEN age_days < 20 THEN win_probability < 0.02 AND lose_probability BETWEEN 0.25 AND 0.4 ELSE win_probability < 0.02 AND lose_probability < 0.02 END$$,
    'odds follow the age of deals, and deals that nobody decides on count');
SELECT ok(max(win_probability + lose_probability) <= 1 AND min(least(win_probability, lose_probability)) >= 0, 'odds are probabilities') FROM spm.deal_odds('2021-03-01', '2020-12-01');
SELECT bag_eq($$SELECT key, win_probability FROM spm.deal_odds('2020-08-31', '2020-08-01')$$,
    $$SELECT d.key, d.win_probability FROM spm.odds_backtest('2020-08-01', '2020-08-01', horizon => 30) d$$, 'a backtest gives the odds of its day');
CREATE TEMP TABLE before AS SELECT key, win_probability FROM spm.deal_odds('2020-08-31', '2020-08-01');
UPDATE crm.deal SET closed = created + 30, stage = 'won' WHERE created + 30 > '2020-08-01' AND stage <> 'won' AND (closed IS NULL OR closed > '2020-08-01');
SELECT bag_eq($$SELECT key, win_probability FROM spm.deal_odds('2020-08-31', '2020-08-01')$$, 'SELECT * FROM before', 'what happens after a day changes nothing that was said on it');

-- currencies
CREATE VIEW crm.foreign AS SELECT d.*, CASE WHEN id % 2 = 0 THEN 'USD' ELSE 'EUR' END AS currency FROM crm.deal d;
SELECT spm.add_currency('USD'), spm.add_currency('EUR') \g /dev/null
SAVEPOINT abroad;
SELECT spm.map_opportunities('crm', 'crm.foreign', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'created', close_date => 'closed', list_amount => 'amount', currency => 'currency') \g /dev/null
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-12-31'', ''2020-12-01'')', '22023', 'deals are in several currencies', 'refused: sums of several currencies');
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-12-31'', ''2020-12-01'', ''USD'')', '22023', 'there is no rate from EUR to USD on 2020-12-01', 'refused: a currency without a rate');
SELECT spm.set_exchange_rate('EUR', 'USD', '2020-01-01', 1.5) \g /dev/null
SELECT results_eq('SELECT DISTINCT owner_key, amount FROM spm.deal_odds(''2020-12-31'', ''2020-12-01'', ''USD'') ORDER BY 1', $$VALUES ('ann', 100.00), ('bob', 150.000)$$, 'amounts are converted at the rate of the day');
ROLLBACK TO abroad;

-- quotas
SELECT spm.set_quota('s1', '2020-12', 400, 'bookings'), spm.set_quota('s2', '2020-12', 1000000, 'bookings'), spm.set_quota('m', '2020-12', 1, 'bookings') \g /dev/null
SELECT spm.forecast_attainment('2020-12', 'bookings', '2020-12-10') AS run \gset
SELECT results_eq(format($$SELECT kind, key, quota_amount FROM spm_bi.pipeline_outlook WHERE odds_run_id = %s ORDER BY kind, key$$, :run),
    $$VALUES ('owner', 'ann', NULL::numeric), ('owner', 'bob', NULL), ('seat', 'm', 1), ('seat', 's1', 400), ('seat', 's2', 1000000), ('total', '', NULL)$$,
    'each owner, each seat with all below it, and the total has a row');
SELECT results_eq(format($$SELECT kind, sum(won_amount), round(sum(forecast_amount) - sum(won_amount) - sum(open_amount) - sum(new_amount)) FROM spm.odds_seat WHERE odds_run_id = %s AND key IN ('ann', 'bob', 'm', '') GROUP BY 1 ORDER BY 1$$, :run),
    format($$SELECT k, (SELECT sum(amount) FROM crm.deal WHERE stage = 'won' AND closed BETWEEN '2020-12-01' AND '2020-12-10'), 0::numeric FROM unnest('{owner,seat,total}'::text[]) k$$),
    'what has been won in the period is exact at every level');
SELECT ok(abs(sum(CASE kind WHEN 'owner' THEN forecast_amount ELSE -forecast_amount END)) < 0.1, 'expectations add up the tree')
    FROM spm.odds_seat WHERE odds_run_id = :run AND kind IN ('owner', 'total');
SELECT results_eq(format($$SELECT key, reach_probability, shortfall_amount > 990000 FROM spm.odds_seat WHERE odds_run_id = %s AND key IN ('s2', 'm') ORDER BY key$$, :run),
    $$VALUES ('m', 1::numeric, false), ('s2', 0, true)$$, 'a quota that is passed is reached in all futures, one out of reach in none');
SELECT ok(reach_probability > 0.5 AND q10 <= median AND median <= q90 AND q05 >= won_amount, 'limits lie in order, above what is won') FROM spm.odds_seat WHERE odds_run_id = :run AND key = 's1';
SELECT is((SELECT count(*) FROM spm_bi.deal_odds WHERE odds_run_id = :run), (SELECT count(*) FROM spm.pipeline_on('2020-12-10') WHERE state = 'open'), 'every open deal has its odds');
SELECT spm.forecast_attainment('2020-12', 'bookings', '2020-12-10') AS again \gset
SELECT bag_eq(format($$SELECT kind, key, q05, q10, median, q90, q95, reach_probability FROM spm.odds_seat WHERE odds_run_id = %s$$, :run),
    format($$SELECT kind, key, q05, q10, median, q90, q95, reach_probability FROM spm.odds_seat WHERE odds_run_id = %s$$, :again), 'the same forecast again gives the same digits');
SELECT results_eq('SELECT odds_run_id, is_latest FROM spm_bi.pipeline_outlook WHERE kind = ''total'' ORDER BY 1', format('VALUES (%s, false), (%s, true)', :run, :again), 'and is the latest');
UPDATE crm.deal SET owner = NULL WHERE id % 10 = 0;
SELECT spm.forecast_pipeline('2020-12-31', '2020-12-10', shock => 0) AS run \gset
SELECT is((SELECT shock + shock_owner FROM spm.odds_run WHERE odds_run_id = :run), 0.0, 'a shock that is given is taken');
SELECT is((SELECT count(*) FROM spm.odds_seat WHERE odds_run_id = :run AND kind = 'owner' AND key = ''), 1::bigint, 'deals without an owner count, too');
SELECT is((SELECT won_amount FROM spm.odds_seat WHERE odds_run_id = :run AND kind = 'total'), 0::numeric, 'without a first day what was won before does not count');
-- somebody else, with the rights of a reader (docs/compensation.md)
CREATE ROLE odds_analyst;
GRANT USAGE ON SCHEMA spm, spm_bi TO odds_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA spm, spm_bi TO odds_analyst;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO odds_analyst;
CREATE TEMP TABLE owner_sees AS SELECT key, win_probability FROM spm.deal_odds('2020-12-31', '2020-12-10');
GRANT SELECT ON owner_sees TO odds_analyst;
SET LOCAL ROLE odds_analyst;
SELECT is(count(*), (SELECT count(*) FROM spm.odds_deal), 'a reader sees the odds that were kept') FROM spm_bi.deal_odds;
SELECT is(count(*), (SELECT count(*) FROM spm.odds_seat), 'and the outlook') FROM spm_bi.pipeline_outlook;
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-12-31'', ''2020-12-10'')', '42501', 'permission denied for table deal', 'refused: odds of deals that a reader may not see');
RESET ROLE;
GRANT USAGE ON SCHEMA crm TO odds_analyst;
GRANT SELECT ON crm.deal TO odds_analyst;
SET LOCAL ROLE odds_analyst;
SELECT bag_eq('SELECT key, win_probability FROM spm.deal_odds(''2020-12-31'', ''2020-12-10'')', 'SELECT * FROM owner_sees', 'who may read the mapped relations gets the same odds');
SELECT throws_ok('SELECT spm.forecast_pipeline(''2020-12-31'', ''2020-12-10'')', '42501', 'permission denied for table odds_run', 'refused: a reader keeps no forecast');
RESET ROLE;
GRANT INSERT ON spm.odds_run, spm.odds_deal, spm.odds_seat TO odds_analyst;
SET LOCAL ROLE odds_analyst;
SELECT spm.forecast_pipeline('2020-12-31', '2020-12-10', paths => 100) AS kept \gset
SELECT is((SELECT recorded_by FROM spm.odds_run WHERE odds_run_id = :kept), session_user::text, 'who may write these tables keeps one, without any right on a sequence');
RESET ROLE;
-- what cannot be forecast is refused
SELECT throws_ok('SELECT spm.forecast_attainment(''2020-12'', ''bookings'', ''2021-01-10'')', '22023', 'a forecast must end after the day as of which it is made', 'refused: a period that has ended');
SELECT throws_ok('SELECT spm.forecast_attainment(''2021-02'', ''bookings'', ''2020-12-10'')', '22023', 'the first day must not lie behind the day after the forecast', 'refused: a period that has not begun');
SELECT throws_ok('SELECT spm.forecast_attainment(''2020-12'', ''margin'', ''2020-12-10'')', '42704', NULL, 'refused: a measure that is not there');
SELECT throws_ok('SELECT spm.forecast_pipeline(''2020-12-31'', ''2020-12-10'', paths => 5)', '22023', 'paths must be from 100 to 1000000', 'refused: five futures');
SELECT throws_ok('SELECT * FROM spm.pipeline_backtest(''2020-06-01'', ''2020-08-01'', 0)', '22023', 'step and horizons must be days, 1 or more', 'refused: a backtest that stays where it is');
SELECT throws_ok('SELECT * FROM spm.pipeline_backtest(''-infinity'', ''2020-08-01'')', '22023', 'a backtest needs a first and a last day', 'refused: a backtest from ever');
SELECT throws_ok('SELECT * FROM spm.deal_odds(''2020-12-31'', ''2020-12-01'', ''XXX'')', '42704', NULL, 'refused: a currency that is not there');
SELECT * FROM finish();
ROLLBACK;
