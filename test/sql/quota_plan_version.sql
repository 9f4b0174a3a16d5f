-- Versions of a quota plan: proposed, approved by another login, published as quotas, replaced; and what nobody may do.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
\set ECHO none
\i test/fixture/quota_plan.sql
\set ECHO all
SELECT no_plan();
CREATE ROLE planner;
CREATE ROLE chief;
GRANT USAGE ON SCHEMA spm, spm_bi TO planner, chief;
GRANT SELECT ON ALL TABLES IN SCHEMA spm_bi TO planner, chief;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA spm TO planner, chief;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO planner, chief;
CREATE FUNCTION pg_temp.quotas() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT s.position_key || ' ' || string_agg(p.name || ' ' || trim_scale(q.amount), ', ' ORDER BY p.span)
    FROM spm.quota q JOIN spm.position s USING (position_id) JOIN spm.period p USING (period_id)
    WHERE q.superseded_at IS NULL GROUP BY s.position_key ORDER BY s.position_key
$$;
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(version || ' ' || state || coalesce(', proposed by ' || proposed_by, '') || coalesce(', approved by ' || approved_by, ''), '; ' ORDER BY version) FROM spm_bi.quota_plan WHERE plan_name = 'FY26'
$$;
SELECT spm.set_quota('ann', '2026-03', 7, 'bookings'), spm.set_quota('ann', '2026', 99, 'bookings'), spm.set_quota('lone', '2026', 5, 'bookings') \g /dev/null

-- propose
SET LOCAL SESSION AUTHORIZATION planner;
SELECT throws_ok($$SELECT spm.propose_quota_plan('FY26')$$, '55000', 'quota plan "FY26" has changed since it was allocated', 'what was not allocated is not proposed');
SELECT spm.set_quota_factors('FY26', '{"history": 1}'), spm.allocate_quota_plan('FY26') \g /dev/null
SELECT spm.override_quota('FY26', 'ann', 120, 'Acme') \g /dev/null
SELECT throws_ok($$SELECT spm.publish_quota_plan('FY26')$$, '55000', 'version 1 of quota plan "FY26" is draft, not approved', 'nor is a draft published');
SELECT is(spm.propose_quota_plan('FY26', 'for the board'), 1, 'a draft is proposed');
SELECT throws_ok($$SELECT spm.override_quota('FY26', 'bob', 1, 'x')$$, '55000', 'version 1 of quota plan "FY26" is proposed, and only a draft is changed', 'and not changed any more');
SELECT throws_ok($$UPDATE spm.quota_plan_node SET amount = 1$$, '23001', 'a version of a quota plan that is proposed is not changed', 'not by hand either');
SELECT throws_ok($$INSERT INTO spm.quota_plan_factor (quota_plan_version_id, level, name, weight) SELECT quota_plan_version_id, 2, 'even', 1 FROM spm.quota_plan_version$$, '23001', NULL, 'nothing is added to it');
SELECT throws_ok($$DELETE FROM spm.quota_plan_input$$, '23001', NULL, 'or taken away');
SELECT throws_ok($$UPDATE spm.quota_plan_version SET total = 1$$, '23001', NULL, 'its total stays');
SELECT throws_ok($$SELECT spm.approve_quota_plan('FY26')$$, '42501', 'who proposed or changed a version of a quota plan does not approve it', 'who proposed it does not approve it');
SELECT throws_ok($$UPDATE spm.quota_plan_version SET state = 'approved', approved_by = 'chief'$$, '42501', NULL, 'also not under another name');
SELECT throws_ok($$UPDATE spm.quota_plan_version SET state = 'published'$$, '23001', 'a version of a quota plan that is proposed cannot become published', 'and no step is left out');
SELECT throws_ok($$INSERT INTO spm.quota_plan_version (quota_plan_id, version, state, total, as_of, proposed_by, approved_by) SELECT quota_plan_id, 9, 'approved', 1, as_of, 'planner', 'chief' FROM spm.quota_plan_version$$,
    '42501', 'a row of spm.quota_plan_version is recorded in the name of the login that enters it', 'a version is not entered as approved');
SELECT throws_ok($$INSERT INTO spm.quota_plan_version (quota_plan_id, version, state, total, as_of) SELECT quota_plan_id, 9, 'proposed', 1, as_of FROM spm.quota_plan_version$$,
    '23514', NULL, 'nor as proposed by nobody');
SELECT throws_ok($$INSERT INTO spm.quota_plan_change (quota_plan_version_id, what, recorded_by) SELECT quota_plan_version_id, 'total', 'chief' FROM spm.quota_plan_version$$,
    '42501', NULL, 'nobody writes history in another''s name');

-- return, and approve
SET LOCAL SESSION AUTHORIZATION chief;
SELECT is(spm.return_quota_plan('FY26', 'ann is too high'), 1, 'another login returns it');
SELECT is(pg_temp.state(), '1 draft', 'which makes it a draft');
SELECT spm.override_quota('FY26', 'ann', 110, 'Acme, half') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT spm.propose_quota_plan('FY26', 'second round') \g /dev/null
SET LOCAL SESSION AUTHORIZATION chief;
SELECT throws_ok($$SELECT spm.approve_quota_plan('FY26')$$, '42501', NULL, 'who has overridden a quota in it does not approve it either, whoever proposes');
SELECT spm.return_quota_plan('FY26', 'let me not do that') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT spm.withdraw_quota_plan('FY26', 'begun anew') \g /dev/null
SET LOCAL SESSION AUTHORIZATION planner;
SELECT is(spm.new_quota_plan_version('FY26', 'second round'), 2, 'a new version begins as a copy');
SELECT is(pg_temp.plan(2), pg_temp.plan(1), 'with the same amounts');
SELECT spm.set_quota_season('FY26', '{1,1,1,1}'), spm.propose_quota_plan('FY26') \g /dev/null
SET LOCAL SESSION AUTHORIZATION chief;
SELECT is(spm.approve_quota_plan('FY26', 'agreed'), 2, 'another login approves it');
SELECT is(pg_temp.state(), '1 withdrawn; 2 approved, proposed by planner, approved by chief', 'and both are known');

-- publish
DELETE FROM spm.change;
SELECT is(spm.publish_quota_plan('FY26'), 28::bigint, 'publishing sets a quota for each seat and quarter');
SELECT results_eq($$SELECT * FROM pg_temp.quotas()$$, $$VALUES ('ann 2026-Q1 27.5, 2026-Q2 27.5, 2026-Q3 27.5, 2026-Q4 27.5'), ('bob 2026-Q1 47.5, 2026-Q2 47.5, 2026-Q3 47.5, 2026-Q4 47.5'),
    ('cy 2026-Q1 75, 2026-Q2 75, 2026-Q3 75, 2026-Q4 75'), ('dee 2026-Q1 100, 2026-Q2 100, 2026-Q3 100, 2026-Q4 100'), ('east 2026-Q1 75, 2026-Q2 75, 2026-Q3 75, 2026-Q4 75'), ('lone 2026 5'),
    ('vp 2026-Q1 250, 2026-Q2 250, 2026-Q3 250, 2026-Q4 250'), ('west 2026-Q1 175, 2026-Q2 175, 2026-Q3 175, 2026-Q4 175')$$, 'in place of what its seats had in the period or parts of it; others keep theirs');
SELECT is(count(DISTINCT position_id), 7::bigint, 'what was calculated with their old quotas is marked for spm.refresh()') FROM spm.change;
SELECT is((SELECT string_agg(DISTINCT q.reason || ' by ' || q.recorded_by, '; ' ORDER BY q.reason || ' by ' || q.recorded_by) FROM spm.quota q JOIN spm.position s USING (position_id) WHERE s.position_key IN ('ann', 'cy') AND q.superseded_at IS NULL),
    'FY26, version 2: Acme, half by chief; FY26, version 2: agreed by chief', 'each says where it comes from, and why');
SELECT is((SELECT string_agg(amount::text, ' ' ORDER BY amount) FROM spm.quota WHERE superseded_at IS NOT NULL), '7 99', 'what was there before is kept');
SELECT throws_ok($$SELECT spm.publish_quota_plan('FY26')$$, '55000', 'version 2 of quota plan "FY26" is published, not approved', 'it is published once');
SELECT throws_ok($$SELECT spm.return_quota_plan('FY26', 'x')$$, '55000', 'version 2 of quota plan "FY26" is published, not proposed or approved', 'and not taken back');
SELECT throws_ok($$DELETE FROM spm.quota_plan_version$$, '23001', 'versions of a quota plan are kept', 'nor is a version thrown away');
SELECT throws_ok($$DELETE FROM spm.quota_plan_change$$, '55000', 'rows of spm.quota_plan_change are never changed', 'or what was said');
SELECT throws_ok($$UPDATE spm.quota_plan_node SET amount = 1 WHERE quota_plan_version_id = (spm._quota_version('FY26', 2)).quota_plan_version_id$$, '23001', 'a version of a quota plan that is published is not changed', 'or what was published');

-- a change in the middle of the year: dee leaves the tree, lone comes to west
RESET SESSION AUTHORIZATION;
DELETE FROM spm.reporting_line l USING spm.position s WHERE s.position_id = l.position_id AND s.position_key = 'dee';
SELECT spm.set_manager('dee', 'west', '2026-01-01', '2026-07-01'), spm.set_manager('lone', 'west', '2026-07-01') \g /dev/null
SET LOCAL SESSION AUTHORIZATION planner;
SELECT is(spm.new_quota_plan_version('FY26', 'dee has left', as_of => '2026-07-01', except_titles => '{Ops}'), 3, 'a new version reads the tree of another day');
SELECT spm.set_quota_factors('FY26', '{"history": 1, "even": 1}') \g /dev/null
SELECT spm.override_quota('FY26', 'bob', 190, 'stays'), spm.override_quota('FY26', 'lone', 390, 'dee''s patch') \g /dev/null
SELECT is(pg_temp.plan(3), 'vp 1000, east 300, west 700, ann 110, bob 190, cy 310, lone 390', 'locks of seats that are still there are kept');
SELECT results_eq($$SELECT position_key, amount, other_amount, difference FROM spm.quota_plan_difference('FY26', 2, 3)$$,
    $$VALUES ('dee', 400.00, NULL, -400.00), ('lone', NULL, 390.00, 390.00), ('cy', 300.00, 310.00, 10.00)$$, 'what differs between versions');
SELECT spm.propose_quota_plan('FY26') \g /dev/null
SELECT is(pg_temp.state(), '1 withdrawn; 2 published, proposed by planner, approved by chief; 3 proposed, proposed by planner', 'one is published while the next is worked on');
SET LOCAL SESSION AUTHORIZATION chief;
SELECT spm.approve_quota_plan('FY26') \g /dev/null
SELECT is(spm.publish_quota_plan('FY26'), 8::bigint, 'publishing it changes what differs, and nothing else');
SELECT is((SELECT string_agg(q, '; ') FROM pg_temp.quotas() q WHERE q ~ '^(cy|dee|lone|ann)'),
    'ann 2026-Q1 27.5, 2026-Q2 27.5, 2026-Q3 27.5, 2026-Q4 27.5; cy 2026-Q1 77.5, 2026-Q2 77.5, 2026-Q3 77.5, 2026-Q4 77.5; lone 2026-Q1 97.5, 2026-Q2 97.5, 2026-Q3 97.5, 2026-Q4 97.5',
    'and who has left the plan has no quota from it any more');
SELECT is(pg_temp.state(), '1 withdrawn; 2 replaced, proposed by planner, approved by chief; 3 published, proposed by planner, approved by chief', 'the version before is replaced');
SELECT is((SELECT string_agg(version || ' ' || new_value || coalesce(': ' || reason, '') || ' (' || recorded_by || ')', ', ' ORDER BY quota_plan_change_id) FROM spm_bi.quota_plan_change WHERE what = 'state' AND version = 2),
    '2 proposed: second round (planner), 2 approved: agreed (chief), 2 published: agreed (chief), 2 replaced: agreed (chief)', 'every step of every version is kept');

-- what is refused
RESET SESSION AUTHORIZATION;
SELECT throws_ok($$SELECT spm.new_quota_plan_version('FY26', NULL)$$, '22023', 'reason must not be empty', 'a version without a reason');
SELECT spm.new_quota_plan_version('FY26', 'next') \g /dev/null
SELECT throws_ok($$SELECT spm.new_quota_plan_version('FY26', 'another')$$, '55000', 'version 4 of quota plan "FY26" is draft already', 'two versions at a time');
SELECT throws_ok($$SELECT spm.quota_plan_difference('FY26', 1, 9)$$, '42704', 'quota plan "FY26" has no version 9', 'a version that is not there');
SELECT throws_ok($$SELECT spm.approve_quota_plan('FY26')$$, '55000', 'version 4 of quota plan "FY26" is draft, not proposed', 'a draft is not approved');

SELECT * FROM finish();
ROLLBACK;
