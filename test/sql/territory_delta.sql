-- After any change, looking only at the accounts that it can touch leaves nothing to do for a run over all of them.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET datestyle = 'ISO, YMD';
BEGIN;
SET client_min_messages = warning;
SELECT plan(6);

CREATE SCHEMA crm;
CREATE TABLE crm.account (account_id text PRIMARY KEY, head text, state text, size int, potential numeric);
-- a number below n, the same in every run
CREATE SEQUENCE crm.draw;
CREATE FUNCTION crm.pick(n int) RETURNS int LANGUAGE sql AS $$SELECT (('x' || substr(md5('territory ' || nextval('crm.draw')), 1, 7))::bit(28)::int % n)$$;
INSERT INTO crm.account SELECT 'A' || i, CASE WHEN i > 40 AND i % 3 = 0 THEN 'A' || 1 + i % 40 END, 'S' || crm.pick(6), crm.pick(100), i FROM generate_series(1, 200) i;
SELECT spm.add_territory_model('m', 'crm.account', 'account_id', family => 'head', potential => 'potential'), spm.add_territory_attribute('m', 'state'),
    spm.add_territory_attribute('m', 'size', 'number') \g /dev/null
SELECT spm.add_territory('m', 'T' || t) FROM generate_series(0, 7) t \g /dev/null
SELECT spm.add_territory('m', 'O' || t, type => 'overlay') FROM generate_series(0, 1) t \g /dev/null
SELECT spm.move_territory('T' || t, 'T' || t / 3) FROM generate_series(3, 7) t \g /dev/null

-- One random change, and the run over what it can touch; then what a run over everything would still move.
CREATE FUNCTION crm.step(day date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    touched text[];
    changed int[];
    rule int := (SELECT territory_rule_id FROM spm.territory_rule ORDER BY md5(territory_rule_id::text || day) LIMIT 1);
    one text := 'A' || 1 + crm.pick(200);
BEGIN
    CASE crm.pick(8)
        WHEN 0, 1, 2 THEN
            changed := ARRAY[spm.add_territory_rule(CASE crm.pick(4) WHEN 0 THEN 'O' || crm.pick(2) ELSE 'T' || crm.pick(8) END,
                jsonb_strip_nulls(jsonb_build_object('state', CASE WHEN crm.pick(3) > 0 THEN 'S' || crm.pick(6) END, 'size', CASE WHEN crm.pick(2) > 0 THEN jsonb_build_object('from', crm.pick(100)) END)),
                kind => (ARRAY['rule', 'rule', 'exception'])[1 + crm.pick(3)], precedence => crm.pick(3))];
        WHEN 3 THEN
            -- those below an inherited rule that is gone cannot be told: it stays
            changed := ARRAY[rule];
            PERFORM spm.end_territory_rule(rule) WHERE NOT (SELECT is_inherited FROM spm.territory_rule WHERE territory_rule_id = rule);
        WHEN 4 THEN
            changed := ARRAY[rule];
            UPDATE spm.territory_rule SET precedence = crm.pick(3) WHERE territory_rule_id = rule;
        WHEN 5 THEN
            touched := ARRAY[one];
            UPDATE crm.account SET state = 'S' || crm.pick(6), size = crm.pick(100) WHERE account_id = one;
        WHEN 6 THEN
            touched := ARRAY[one];
            PERFORM spm.assign_account(one, 'T' || crm.pick(8), day, 'by hand', locked => crm.pick(2) > 0);
        ELSE
            touched := ARRAY[one];
            UPDATE crm.account SET head = CASE WHEN head IS NULL THEN 'A' || 1 + crm.pick(40) END WHERE account_id = one AND substr(one, 2)::int > 40;
    END CASE;
    PERFORM spm.assign_territories(as_of => day, accounts => touched, rules => changed);
    RETURN (SELECT count(*) FROM spm.territory_move(as_of => day) WHERE outcome <> 'unassigned');
END
$$;
SELECT spm.assign_territories(as_of => '2026-01-01') \g /dev/null
CREATE TABLE crm.done AS SELECT day, NULL::bigint AS n FROM generate_series(1, 0) day;
DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        INSERT INTO crm.done VALUES (i, crm.step(date '2026-01-01' + i));
    END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM crm.done WHERE n <> 0), 0::bigint, 'after none of 100 changes an account is left where a full run would not have it');
SELECT is((SELECT count(*) FROM crm.done), 100::bigint, 'of 100 changes');
SELECT cmp_ok((SELECT count(*) FROM spm.territory_assignment), '>', 300::bigint, 'which have moved accounts');
SELECT is((SELECT count(*) FROM spm.territory_assignment a JOIN spm.territory_assignment b USING (account_key, type, territory_model_id)
           WHERE a.territory_assignment_id < b.territory_assignment_id AND a.span && b.span), 0::bigint, 'never into two territories of a type at a time');
SELECT is((SELECT count(*) FROM crm.account m JOIN spm.territory_account(as_of => '2026-05-31') s ON s.account_key = m.account_id
           JOIN spm.territory_account(as_of => '2026-05-31') h ON h.account_key = m.head AND h.type = s.type
           WHERE s.territory_id IS DISTINCT FROM h.territory_id AND NOT s.is_locked
             AND NOT EXISTS (SELECT FROM spm.territory_assignment a WHERE a.account_key = s.account_key AND a.type = s.type AND a.span @> '2026-05-31'::date AND a.origin = 'manual')),
    0::bigint, 'nor a family apart, but for who is kept by hand');
SELECT is((SELECT count(*) FROM spm.territory_account(as_of => '2026-05-31') s JOIN crm.account a ON a.account_id = s.account_key
           JOIN spm.territory_assignment w ON w.account_key = s.account_key AND w.type = s.type AND w.span @> '2026-05-31'::date
           WHERE w.origin = 'rule' AND spm.territory_of(a, '2026-05-31', s.type) IS DISTINCT FROM s.territory_id), 0::bigint, 'who is where by a rule is where that rule says');
SELECT * FROM finish();
ROLLBACK;
