-- A book of 1,000 rules of every kind, against a twin that asks every rule of every record.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL datestyle = 'ISO, YMD';
\i test/twin/territory.sql
SELECT no_plan();

CREATE TABLE public.account (
    id int, name varchar(20), state char(4), zip text, employees int, revenue numeric, score float8, founded date,
    is_partner boolean, region text, lat float8, lon numeric, attributes jsonb);
INSERT INTO public.account
SELECT i, 'N' || i,
    CASE WHEN twin.draw(i, 1, 12) > 0 THEN substr('CAOR NYTXWANVUTCO', 2 * twin.draw(i, 2, 8) + 1, 2) END,
    CASE WHEN twin.draw(i, 3, 12) > 0 THEN lpad(twin.draw(i, 4, 400)::text, 3 + twin.draw(i, 5, 3), '0') END,
    CASE WHEN twin.draw(i, 6, 12) > 0 THEN twin.draw(i, 7, 60) - 5 END,
    CASE twin.draw(i, 8, 12) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 1e30 WHEN 3 THEN -0.005 ELSE twin.draw(i, 9, 3000) * 0.005 END,
    CASE WHEN twin.draw(i, 10, 12) > 0 THEN twin.draw(i, 11, 300) / 10.0 END,
    CASE WHEN twin.draw(i, 12, 12) > 0 THEN date '2000-01-01' + twin.draw(i, 13, 200) END,
    CASE twin.draw(i, 14, 3) WHEN 0 THEN NULL WHEN 1 THEN true ELSE false END,
    CASE WHEN twin.draw(i, 15, 12) > 0 THEN 'R' || twin.draw(i, 16, 70) END,
    CASE WHEN twin.draw(i, 17, 12) > 0 THEN twin.draw(i, 18, 1801) / 10.0 - 90 END,
    CASE WHEN twin.draw(i, 19, 12) > 0 THEN twin.draw(i, 20, 3600) / 10.0 - 180 END,
    CASE twin.draw(i, 21, 6) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '{"tier": null, "size": null}'
         WHEN 3 THEN jsonb_build_object('tier', twin.draw(i, 22, 5), 'size', twin.draw(i, 23, 50) * 0.5)
         ELSE jsonb_build_object('tier', 'T' || twin.draw(i, 22, 5), 'size', (twin.draw(i, 23, 50) * 0.5)::text, 'x', '[1]'::jsonb) END
FROM generate_series(1, 240) i;

SELECT spm.add_territory_model('twin', 'public.account', 'id') AS model_id \gset
SELECT spm.add_territory_attribute('twin', n, k, c, l)
FROM (VALUES ('name', 'text', NULL, NULL), ('state', 'text', NULL, NULL), ('zip', 'text', NULL, NULL), ('employees', 'number', NULL, NULL), ('revenue', 'number', NULL, NULL),
    ('score', 'number', NULL, NULL), ('founded', 'date', NULL, NULL), ('partner', 'boolean', 'is_partner', NULL), ('region', 'tree', NULL, NULL),
    ('hq', 'point', 'lat', 'lon'), ('tier', 'text', NULL, NULL), ('size', 'number', NULL, NULL)) v(n, k, c, l) \g /dev/null
-- R1 to R59: each below one of a lower number; R60 to R69 are not in the tree
INSERT INTO spm.territory_attribute_value
SELECT a.territory_attribute_id, 'R' || i, CASE WHEN i > 3 THEN 'R' || 1 + twin.draw(i, 30, i - 1) END
FROM spm.territory_attribute a, generate_series(1, 59) i WHERE a.name = 'region';

INSERT INTO spm.territory (territory_model_id, territory_key, name, type, parent_territory_id, span)
SELECT :model_id, 'T' || i, 'T' || i, (ARRAY['primary', 'overlay', 'specialist'])[1 + greatest(twin.draw(i, 31, 4) - 1, 0)], NULL,
    daterange(CASE WHEN twin.draw(i, 32, 5) = 0 THEN date '2026-03-01' END, CASE WHEN twin.draw(i, 33, 5) = 0 THEN date '2026-09-01' END)
FROM generate_series(1, 60) i;
UPDATE spm.territory t SET parent_territory_id = p.territory_id
FROM spm.territory p
WHERE t.territory_model_id = :model_id AND substr(t.territory_key, 2)::int > 5
    AND p.territory_key = 'T' || 1 + twin.draw(substr(t.territory_key, 2)::int, 34, least(substr(t.territory_key, 2)::int - 1, 20));

INSERT INTO spm.territory_rule (territory_id, kind, precedence, is_inherited, span)
SELECT t.territory_id, (ARRAY['rule', 'rule', 'rule', 'rule', 'named', 'exception'])[1 + twin.draw(i, 41, 6)], 1000 + twin.draw(i, 42, 3),
    i % 40 = 0,
    daterange(CASE WHEN twin.draw(i, 44, 6) = 0 THEN date '2026-02-01' + twin.draw(i, 45, 100) END,
              CASE WHEN twin.draw(i, 46, 6) = 0 THEN date '2026-06-01' + twin.draw(i, 47, 100) END)
FROM generate_series(1, 1000) i JOIN spm.territory t ON t.territory_key = 'T' || CASE WHEN i % 40 = 0 THEN 1 + twin.draw(i, 43, 15) ELSE 1 + twin.draw(i, 40, 60) END
ORDER BY i;

-- Up to four conditions a rule, of every operator that goes with the attribute.
INSERT INTO spm.territory_condition (territory_rule_id, territory_attribute_id, operator, is_negated, operands)
SELECT r.territory_rule_id, a.territory_attribute_id, o.operator, twin.draw(s.s, 53, 5) = 0, CASE o.operator
    WHEN 'null' THEN '{}'
    WHEN 'within' THEN ARRAY[twin.draw(s.s, 60, 180) - 90, twin.draw(s.s, 61, 360) - 180, (ARRAY[500, 2000, 8000, 19000])[1 + twin.draw(s.s, 62, 4)]]::text[]
    WHEN 'range' THEN (SELECT CASE twin.draw(s.s, 63, 4) WHEN 0 THEN ARRAY[least(x, y), NULL] WHEN 1 THEN ARRAY[NULL, x] ELSE ARRAY[x, y] END
                       FROM (SELECT min(w COLLATE "C") AS x, max(w COLLATE "C") AS y FROM (SELECT twin_value AS w FROM
                           unnest(ARRAY[v.v1, v.v2]) twin_value) z WHERE a.kind = 'text'
                       UNION ALL SELECT min(w::numeric)::text, max(w::numeric)::text FROM unnest(ARRAY[v.v1, v.v2]) w WHERE a.kind = 'number'
                       UNION ALL SELECT min(w::date)::text, max(w::date)::text FROM unnest(ARRAY[v.v1, v.v2]) w WHERE a.kind = 'date') q
                       WHERE x IS NOT NULL)
    WHEN 'prefix' THEN ARRAY[left(v.v1, 1 + twin.draw(s.s, 64, 3)), left(v.v2, 2)]
    WHEN 'under' THEN ARRAY['R' || 1 + twin.draw(s.s, 65, 59), 'R' || 1 + twin.draw(s.s, 66, 59)]
    ELSE (ARRAY[v.v1, v.v2, v.v3])[1:1 + twin.draw(s.s, 67, 3)] END
FROM (SELECT r.*, row_number() OVER (ORDER BY territory_rule_id)::int AS i FROM spm.territory_rule r) r
CROSS JOIN generate_series(1, 4) k
CROSS JOIN LATERAL (SELECT r.i * 10 + k AS s) s
JOIN LATERAL (SELECT (ARRAY['name', 'state', 'zip', 'employees', 'revenue', 'score', 'founded', 'partner', 'region', 'hq', 'tier', 'size'])
    [CASE WHEN r.kind = 'named' AND k = 1 THEN 1 ELSE 2 + twin.draw(s.s, 51, 11) END] AS name) n ON k = 1 OR twin.draw(s.s, 50, 3) = 0
JOIN spm.territory_attribute a ON a.name = n.name
CROSS JOIN LATERAL (SELECT v[1] AS v1, v[2] AS v2, v[3] AS v3 FROM (SELECT array_agg(CASE n.name
        WHEN 'name' THEN 'N' || 1 + twin.draw(d, 1, 500) WHEN 'state' THEN substr('CAOR NYTXWANVUTCO', 2 * twin.draw(d, 2, 8) + 1, 2)
        WHEN 'zip' THEN lpad(twin.draw(d, 4, 400)::text, 4, '0') WHEN 'employees' THEN (twin.draw(d, 7, 60) - 5)::text
        WHEN 'revenue' THEN (twin.draw(d, 9, 3000) * 0.005)::text WHEN 'score' THEN (twin.draw(d, 11, 300) / 10.0)::numeric(5, 1)::text
        WHEN 'founded' THEN (date '2000-01-01' + twin.draw(d, 13, 200))::text WHEN 'partner' THEN (d % 2 = 0)::text
        WHEN 'region' THEN 'R' || twin.draw(d, 16, 70) WHEN 'tier' THEN 'T' || twin.draw(d, 22, 5) ELSE (twin.draw(d, 23, 50) * 0.5)::text END) AS v
    FROM unnest(ARRAY[s.s * 3 + 100000, s.s * 3 + 100001, s.s * 3 + 100002]) d) y) v
CROSS JOIN LATERAL (SELECT (CASE a.kind WHEN 'text' THEN '{in,in,range,prefix,"null"}'::text[] WHEN 'tree' THEN '{in,under,under,"null"}' WHEN 'point' THEN '{within,within,within,"null"}'
    WHEN 'boolean' THEN '{in,in,"null"}' ELSE '{in,range,range,range,"null"}' END) AS possible) p
CROSS JOIN LATERAL (SELECT CASE WHEN r.kind = 'named' AND k = 1 THEN 'in' ELSE p.possible[1 + twin.draw(s.s, 52, cardinality(p.possible))] END AS operator) o;

INSERT INTO twin.cell
SELECT t.id, a.territory_attribute_id, CASE WHEN a.kind <> 'point' OR j.v2 IS NOT NULL THEN j.v END, CASE WHEN j.v IS NOT NULL THEN j.v2 END
FROM public.account t
CROSS JOIN spm.territory_attribute a
CROSS JOIN LATERAL (SELECT to_jsonb(t) AS j) x
CROSS JOIN LATERAL (SELECT CASE WHEN a.column_name IN ('tier', 'size') THEN t.attributes ->> a.column_name
                                WHEN a.column_name = 'state' THEN rtrim(x.j ->> 'state') ELSE x.j ->> a.column_name END AS v,
                           CASE WHEN a.kind = 'point' THEN x.j ->> a.longitude_column END AS v2) j;

SELECT twin.learn() \g /dev/null
CREATE TEMP TABLE expected AS
SELECT d.day, s.* FROM (VALUES (date '2026-01-15'), ('2026-05-01'), ('2026-12-31')) d(day), twin.standing(d.day) s;

SELECT is(ARRAY[count(*), count(DISTINCT territory_rule_id), count(DISTINCT (day, record_id, type))], '{24340,382,2155}', '24,340 times a rule is met, 382 rules are, by 2,155 of 2,160 records on a day and of a type') FROM expected;
SELECT is(count(*), 0::bigint, 'the winner is that of the twin: 240 records, three days, three types')
FROM (VALUES (date '2026-01-15'), ('2026-05-01'), ('2026-12-31')) d(day)
CROSS JOIN (VALUES ('primary'), ('overlay'), ('specialist')) y(type)
CROSS JOIN public.account a
LEFT JOIN expected e ON e.day = d.day AND e.type = y.type AND e.record_id = a.id AND e.n = 1
WHERE spm.territory_rule_of(a, d.day, y.type) IS DISTINCT FROM e.territory_rule_id
    OR spm.territory_of(a, d.day, y.type, 'twin') IS DISTINCT FROM e.territory_id;
SELECT is((SELECT count(*) FROM (
        (SELECT d.day, a.id, t.type, t.territory_id, t.territory_rule_id, row_number() OVER (PARTITION BY d.day, a.id, t.type ORDER BY t.rank), t.is_winner
         FROM (VALUES (date '2026-01-15'), ('2026-05-01'), ('2026-12-31')) d(day), public.account a, spm.territories_of(a, d.day) t)
        EXCEPT SELECT day, record_id, type, territory_id, territory_rule_id, n, n = 1 FROM expected) x), 0::bigint,
    'nothing else is met than what the twin says, in that order');
SELECT is((SELECT count(*) FROM public.account a, spm.territories_of(a, '2026-05-01')), (SELECT count(*) FROM expected WHERE day = '2026-05-01'), 'and nothing is left out');
SELECT is((SELECT count(*) FROM (SELECT a.id, t.territory_rule_id FROM public.account a, spm._territory_trial(a, '2026-05-01', 'primary', NULL) t WHERE a.id <= 50 AND t.is_met
        EXCEPT SELECT record_id, territory_rule_id FROM expected WHERE day = '2026-05-01' AND type = 'primary') x), 0::bigint, 'what the explanation says is met is met');
SELECT is((SELECT count(*) FROM public.account a, spm._territory_trial(a, '2026-05-01', 'primary', NULL) t WHERE a.id <= 50 AND t.is_met),
    (SELECT count(*) FROM expected WHERE day = '2026-05-01' AND type = 'primary' AND record_id <= 50), 'and all of it');
-- An explanation names an attribute that is asked and not met.
SELECT is(count(*), 0::bigint, 'the attribute that failed is asked by the rule or by one above it') FROM public.account a, spm._territory_trial(a, '2026-05-01', 'primary', NULL) t
JOIN spm.territory_rule r USING (territory_rule_id)
WHERE a.id <= 8 AND NOT t.is_met AND t.territory_attribute_id IS NOT NULL AND NOT EXISTS (
    WITH RECURSIVE up AS (SELECT r.territory_id AS id UNION SELECT p.parent_territory_id FROM up JOIN spm.territory p ON p.territory_id = up.id)
    SELECT FROM spm.territory_condition c JOIN spm.territory_rule o USING (territory_rule_id)
    WHERE c.territory_attribute_id = t.territory_attribute_id AND (o.territory_rule_id = r.territory_rule_id OR o.is_inherited AND o.territory_id IN (SELECT id FROM up)));
-- Some rules alone, of any day; exceptions, since they inherit nothing.
CREATE TEMP TABLE touched AS
SELECT 0 AS g, a.id FROM public.account a WHERE spm._touches_rules(a, ARRAY(SELECT territory_rule_id FROM spm.territory_rule WHERE kind = 'exception' AND territory_rule_id % 50 = 0))
UNION ALL
SELECT 1, a.id FROM public.account a WHERE spm._touches_rules(a, ARRAY(SELECT territory_rule_id FROM spm.territory_rule WHERE kind = 'exception' AND territory_rule_id % 50 = 1), 'twin')
UNION ALL
SELECT 2, a.id FROM public.account a WHERE spm._touches_rules(a, ARRAY(SELECT territory_rule_id FROM spm.territory_rule WHERE kind = 'exception' AND territory_rule_id % 50 = 2));
CREATE TEMP TABLE touching AS
SELECT DISTINCT r.territory_rule_id % 50 AS g, m.record_id FROM twin.known m JOIN spm.territory_rule r USING (territory_rule_id)
WHERE r.kind = 'exception' AND r.territory_rule_id % 50 < 3;
SELECT is((SELECT count(*) FROM (SELECT * FROM touched EXCEPT SELECT * FROM touching) x), 0::bigint, 'records touched by some rules meet one of them');
SELECT is((SELECT count(*) FROM touched), (SELECT nullif(count(*), 0) FROM touching), 'and all that do are touched');
SELECT is(r.rules || ' rules are ' || CASE WHEN r.boxes > r.rules THEN 'more' ELSE 'as many' END || ' boxes', '1000 rules are more boxes', 'rules that inherit are several boxes')
FROM spm.territory_book() r;
SELECT * FROM finish();
ROLLBACK;
