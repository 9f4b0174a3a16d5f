-- How likely the close date of a deal moves out of the period.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, owner text, stage text, amount numeric, created date, close_date date, closed date);
CREATE TABLE crm.change (id text, changed date, stage text, close_date date);
-- a slips twice, b is won, c is forgotten, d slips and is lost, e is for later, f is moved to earlier
INSERT INTO crm.deal VALUES ('a', 'ann', 'open', 10, '2020-01-10', '2020-09-01', NULL), ('b', 'ann', 'won', 10, '2020-01-10', '2020-02-10', '2020-02-12'),
    ('c', 'ann', 'open', 10, '2020-02-01', '2020-02-25', NULL), ('d', 'ann', 'lost', 10, '2020-02-01', '2020-06-01', '2020-03-25'),
    ('e', 'ann', 'open', 10, '2020-02-01', '2020-06-30', NULL), ('f', 'ann', 'won', 10, '2020-02-10', '2020-04-05', '2020-04-08'), ('g', 'ann', 'open', 10, '2020-02-10', NULL, NULL);
INSERT INTO crm.change VALUES ('a', '2020-01-10', 'open', '2020-02-20'), ('a', '2020-02-25', NULL, '2020-03-15'), ('a', '2020-03-10', NULL, '2020-04-20'), ('a', '2020-04-19', NULL, '2020-09-01'),
    ('b', '2020-01-10', 'open', '2020-02-10'), ('b', '2020-02-12', 'won', NULL), ('c', '2020-02-01', 'open', '2020-02-25'),
    ('d', '2020-02-01', 'open', '2020-03-20'), ('d', '2020-03-05', NULL, '2020-06-01'), ('d', '2020-03-25', 'lost', NULL),
    ('e', '2020-02-01', 'open', '2020-06-30'), ('f', '2020-02-10', 'open', '2020-04-15'), ('f', '2020-03-20', NULL, '2020-04-05'), ('f', '2020-04-08', 'won', NULL), ('g', '2020-02-10', 'open', NULL);
SELECT spm.map_opportunities('crm', 'crm.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'created', close_date => 'close_date', closed_on => 'closed') \g /dev/null
SELECT is((SELECT count(slip_probability) FROM spm.deal_odds('2020-04-30', '2020-03-31')), 0::bigint, 'without a history of close dates nobody knows how likely they slip');
SELECT spm.map_stage_history('crm', 'crm.change', opportunity => 'id', entered => 'changed', stage => 'stage', close_date => 'close_date') \g /dev/null
-- periods of 30 days: from 31 January, 1 March, and 31 March, which is forecast
SELECT results_eq($$SELECT key, day, part, slip_count, age_class, is_slipped FROM spm._slip_case('2020-03-31', '2020-04-30') ORDER BY key, day$$, $$VALUES
    ('a', date '2020-01-31', 3, 0, 0, true), ('a', '2020-03-01', 2, 1, 1, true), ('a', '2020-03-31', 3, 2, 1, NULL), ('b', '2020-01-31', 2, 0, 0, false),
    ('c', '2020-03-01', 0, 0, 0, false), ('c', '2020-03-31', 0, 0, 1, NULL), ('d', '2020-03-01', 2, 0, 0, false), ('f', '2020-03-31', 1, 0, 1, NULL)$$,
    'a deal slips out of a period when it is open at its end with a later date: one that is won, lost or forgotten has not, and a date that is moved to earlier is no slip');
SELECT results_eq($$SELECT key, round(slip_probability, 6) FROM spm._odds_slip('2020-03-31', '2020-04-30') ORDER BY 1$$, $$VALUES ('a', 0.416667), ('c', 0.416667), ('f', 0.416667)$$,
    'two of five slipped, which is 2.5 of 6; so few cases tell nothing of who is like whom');
SELECT results_eq($$SELECT key, slip_probability IS NOT NULL, win_probability + lose_probability + coalesce(slip_probability, 0) <= 1 FROM spm.deal_odds('2020-04-30', '2020-03-31')$$,
    $$VALUES ('a', true, true), ('c', true, true), ('e', false, true), ('f', true, true), ('g', false, true)$$, 'slipped, won and lost are never more than certain; a deal for later, or for no day, does not slip out');
SELECT is_empty($$SELECT FROM spm._odds_slip('2020-03-31', '2020-07-31')$$, 'a history that is shorter than the period tells nothing');
CREATE TEMP TABLE before AS SELECT * FROM spm.deal_odds('2020-04-30', '2020-03-31');
DELETE FROM crm.change WHERE changed > '2020-03-31';
UPDATE crm.deal SET stage = 'open', closed = NULL, close_date = '2020-12-01' WHERE id = 'f';
SELECT bag_eq($$SELECT * FROM spm.deal_odds('2020-04-30', '2020-03-31')$$, 'SELECT * FROM before', 'what happens after a day changes nothing that was said on it');

-- of 40 deals those for the end of the period slip, those for its beginning are lost
DELETE FROM crm.change;
DELETE FROM crm.deal WHERE id <> 'b';
INSERT INTO crm.change VALUES ('b', '2020-01-10', 'open', NULL), ('b', '2020-02-12', 'won', NULL);
INSERT INTO crm.deal SELECT n::text, 'ann', CASE WHEN n <= 20 THEN 'lost' ELSE 'open' END, 10, '2020-02-20', '2020-06-01', CASE WHEN n <= 20 THEN date '2020-03-10' END FROM generate_series(1, 40) n;
INSERT INTO crm.change SELECT n::text, '2020-02-20', 'open', CASE WHEN n <= 20 THEN date '2020-03-05' ELSE '2020-03-28' END FROM generate_series(1, 40) n;
INSERT INTO crm.change SELECT n::text, '2020-03-10', CASE WHEN n <= 20 THEN 'lost' END, CASE WHEN n > 20 THEN date '2020-06-01' END FROM generate_series(1, 40) n;
INSERT INTO crm.deal SELECT x, 'ann', 'open', 10, '2020-03-20', '2020-04-01', NULL FROM unnest('{soon,late}'::text[]) x;
INSERT INTO crm.change VALUES ('soon', '2020-03-20', 'open', '2020-04-02'), ('late', '2020-03-20', 'open', '2020-04-28');
SELECT results_eq($$SELECT key, round(slip_probability, 6) FROM spm._odds_slip('2020-03-31', '2020-04-30') ORDER BY 1$$, $$VALUES ('late', 0.997238), ('soon', 0.002762)$$,
    'where groups differ by more than chance each has its own share, drawn to the whole a little: 18.05 of 18.1');
SELECT spm.forecast_pipeline('2020-04-30', '2020-03-31') AS run \gset
SELECT results_eq(format($$SELECT opportunity_key, slip_probability FROM spm_bi.deal_odds WHERE odds_run_id = %s AND slip_probability IS NOT NULL ORDER BY 1$$, :run),
    $$SELECT key, slip_probability FROM spm.deal_odds('2020-04-30', '2020-03-31') WHERE slip_probability IS NOT NULL$$, 'a forecast that is kept says the same');
SELECT * FROM finish();
ROLLBACK;
