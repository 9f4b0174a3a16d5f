-- Whether territories reach their quotas, and which deals are theirs.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- deals of zed, who has no seat: won or lost after 10 to 150 days; those of the others are open and worth what they are known at
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, owner text, account text, amount numeric, created date, closed date, stage text);
INSERT INTO crm.deal
SELECT 'past ' || n, 'zed', NULL, 100, date '2020-01-01' + n % 60, date '2020-01-01' + n % 60 + 10 + n * 37 % 141, CASE WHEN n % 2 = 0 THEN 'won' ELSE 'lost' END
FROM generate_series(1, 400) n;
INSERT INTO crm.deal VALUES ('w1', 'ann', 'A1', 100, '2020-02-01', NULL, 'open'), ('w2', 'bob', 'A2', 60, '2020-02-10', NULL, 'open'),
    ('e1', 'bob', 'B1', 160, '2020-02-15', NULL, 'open'), ('e2', 'mia', NULL, 210, '2020-02-20', NULL, 'open'),
    ('x1', 'ann', 'Z9', 500, '2020-02-20', NULL, 'open'), ('w0', 'ann', 'A1', 40, '2020-02-20', '2020-06-05', 'won');
SELECT spm.create_calendar('fiscal', 'quarter', '2020-01-01', '2021-01-01'), spm.add_measure('bookings'),
    spm.add_payee('ann', 'Ann'), spm.add_payee('bob', 'Bob'), spm.add_payee('mia', 'Mia') \g /dev/null
SELECT spm.add_position(k, k) FROM unnest('{s1,s2,m}'::text[]) k \g /dev/null
SELECT spm.assign_position('s1', 'ann', '2020-01-01'), spm.assign_position('s2', 'bob', '2020-01-01'), spm.assign_position('m', 'mia', '2020-01-01') \g /dev/null
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'created', close_date => 'closed',
    list_amount => 'amount', account => 'account') \g /dev/null
SELECT spm.set_quota('s1', '2020-Q2', 190, 'bookings'), spm.set_quota('s2', '2020-Q2', 100, 'bookings'), spm.set_quota('m', '2020-Q2', 50, 'bookings') \g /dev/null
SELECT spm.add_territory_model('2020') \g /dev/null
SELECT spm.add_territory('2020', 'US', 'United States'), spm.add_territory('2020', 'WEST', 'West', parent => 'US'), spm.add_territory('2020', 'EAST', 'East', parent => 'US'), spm.add_territory('2020', 'VOID', 'Nobody', parent => 'US') \g /dev/null
SELECT spm.hold_territory('WEST', 's1', '2020-01-01'), spm.hold_territory('EAST', 's2', '2020-01-01', share => 0.5), spm.hold_territory('EAST', 'm', '2020-01-01', share => 0.5) \g /dev/null
SELECT spm.assign_account('A1', 'WEST', '2020-01-01', 'named'), spm.assign_account('A2', 'WEST', '2020-01-01', 'named'), spm.assign_account('B1', 'EAST', '2020-01-01', 'named') \g /dev/null

SELECT spm.forecast_attainment('2020-Q2', 'bookings', '2020-06-10', shock => 0) AS run \gset
SELECT is_empty(format($$SELECT FROM spm.odds_seat WHERE odds_run_id = %s AND kind = 'territory'$$, :run), 'a model that is being planned has no forecast');
SELECT spm.activate_territory_model('2020') \g /dev/null
SELECT spm.forecast_attainment('2020-Q2', 'bookings', '2020-06-10', shock => 0, paths => 20000) AS run \gset
SELECT results_eq(format($$SELECT opportunity_key, territory_name FROM spm_bi.deal_odds WHERE odds_run_id = %s AND opportunity_key !~ 'past' ORDER BY 1$$, :run),
    $$VALUES ('e1', 'East'), ('e2', 'East'), ('w1', 'West'), ('w2', 'West'), ('x1', NULL)$$,
    'a deal is of the territory of its account; without account, of the one that the seat of its owner holds; of an account in no territory, of none');
SELECT results_eq(format($$SELECT key, territory_name, won_amount, quota_amount FROM spm_bi.pipeline_outlook WHERE odds_run_id = %s AND kind = 'territory' ORDER BY 1$$, :run),
    $$VALUES ('EAST', 'East', 0::numeric, 150::numeric), ('US', 'United States', 40, 340), ('WEST', 'West', 40, 190)$$,
    'what is won counts in the territory and above; two with half of the credit each need their quotas together; where nobody holds a territory, those below add up');
-- all that can be won: each of four deals or not, worked out deal by deal
WITH deal AS (
    SELECT opportunity_key AS key, win_probability AS p, amount FROM spm.odds_deal WHERE odds_run_id = :run AND opportunity_key IN ('e1', 'e2', 'w1', 'w2')
), future AS (
    SELECT exp(sum(ln(CASE WHEN wins >> nth & 1 = 1 THEN p ELSE 1 - p END))) AS chance, sum(amount) FILTER (WHERE wins >> nth & 1 = 1 AND key ~ 'e') AS east, sum(amount) FILTER (WHERE wins >> nth & 1 = 1 AND key ~ 'w') AS west
    FROM generate_series(0, 15) wins, (SELECT d.*, (row_number() OVER (ORDER BY key) - 1)::int AS nth FROM deal d) d
    GROUP BY wins
), exact AS (
    SELECT sum(chance) FILTER (WHERE east >= 150) AS east, sum(chance) FILTER (WHERE west >= 150) AS west, sum(chance) FILTER (WHERE coalesce(east, 0) + coalesce(west, 0) >= 300) AS us
    FROM future
)
SELECT ok(abs(s.reach_probability - e.p) < 3 * sqrt(e.p * (1 - e.p) / 20000) AND e.p BETWEEN 0.02 AND 0.98, s.key || ' reaches its quota as often as its deals, worked out exactly, say: within three standard errors')
FROM exact x CROSS JOIN LATERAL (VALUES ('EAST', x.east), ('WEST', x.west), ('US', x.us)) e (key, p)
JOIN spm.odds_seat s ON s.odds_run_id = :run AND s.kind = 'territory' AND s.key = e.key ORDER BY s.key;
SELECT ok(abs((SELECT sum(open_amount) FROM spm.odds_seat WHERE odds_run_id = :run AND key IN ('EAST', 'WEST'))
    - (SELECT sum(expected_amount) FROM spm.odds_deal WHERE odds_run_id = :run AND opportunity_key IN ('e1', 'e2', 'w1', 'w2'))) <= 0.05, 'what territories are expected to bring is what their deals are');
SELECT ok(abs(max(open_amount) FILTER (WHERE key = 'US') - sum(open_amount) FILTER (WHERE key IN ('EAST', 'WEST'))) <= 0.02, 'and adds up the tree of territories')
FROM spm.odds_seat WHERE odds_run_id = :run;

-- who holds what
SELECT spm.hold_territory('US', 'm', '2020-01-01') \g /dev/null
SELECT spm.forecast_attainment('2020-Q2', 'bookings', '2020-06-10', shock => 0) AS run \gset
SELECT results_eq(format($$SELECT key, quota_amount FROM spm.odds_seat WHERE odds_run_id = %s AND kind = 'territory' ORDER BY 1$$, :run),
    $$VALUES ('EAST', 200::numeric), ('US', 50), ('WEST', 190)$$, 'the quota of who holds a territory is for all below it, and no other of that seat below counts');
SELECT is((SELECT territory_id FROM spm.odds_deal WHERE odds_run_id = :run AND opportunity_key = 'e2'), NULL, 'a seat that holds two territories does not tell of which a deal without account is');
SELECT spm.leave_territory('US', 'm', '2020-01-01'), spm.hold_territory('VOID', 's1', '2020-01-01'), spm.hold_territory('WEST', 's2', '2020-01-01', role => 'support') \g /dev/null
SELECT spm.forecast_attainment('2020-Q2', 'bookings', '2020-06-10', shock => 0) AS run \gset
SELECT results_eq(format($$SELECT key, quota_amount FROM spm.odds_seat WHERE odds_run_id = %s AND kind = 'territory' ORDER BY 1$$, :run),
    $$VALUES ('EAST', 150::numeric), ('US', 340), ('VOID', 95), ('WEST', 95)$$, 'a seat that holds two territories has half of its quota in each; who supports brings none');
SELECT is((SELECT reach_probability FROM spm.odds_seat WHERE odds_run_id = :run AND key = 'VOID'), 0::numeric, 'a territory without deals reaches nothing');
-- one owner's luck is one, wherever his deals are
SELECT spm.forecast_pipeline('2020-07-10', '2020-06-10') AS run \gset
UPDATE spm.territory_model SET state = 'archived';
SELECT spm.forecast_pipeline('2020-07-10', '2020-06-10') AS again \gset
SELECT ok(bool_and(abs(a.sd - b.sd) < 0.05 * b.sd AND a.open_amount = b.open_amount), 'territories change nothing for owners, seats and the total')
FROM spm.odds_seat a JOIN spm.odds_seat b USING (kind, key) WHERE a.odds_run_id = :run AND b.odds_run_id = :again AND b.kind <> 'territory';
SELECT * FROM finish();
ROLLBACK;
