-- Transport, linear and generalized assignment: exact where promised, with proofs; what cannot be done is refused by name.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET client_min_messages = warning;
SET extra_float_digits = 0;
SET LOCAL jit = off;
SELECT no_plan();

-- Numbers that look random and are the same everywhere, 0 to n - 1.
CREATE FUNCTION pg_temp.dice(i bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT ((k * 7919 + k * k * 104729 + k * k % 31 * 613) % 1000003 % n)::int FROM (SELECT i % 1000003 AS k) x $$;
CREATE FUNCTION pg_temp.table_of(units int, seats int, most int, salt int) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(r ORDER BY i) FROM (
        SELECT i, array_agg(pg_temp.dice(i * 1000 + j + salt * 77777, most)::float8 ORDER BY j) AS r
        FROM generate_series(1, units) i, generate_series(1, seats) j GROUP BY i) x $$;
CREATE FUNCTION pg_temp.list_of(n int, low int, high int, salt int) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg((low + pg_temp.dice(i * 31 + salt * 999, high - low + 1))::float8 ORDER BY i) FROM generate_series(1, n) i $$;

-- Transport
SELECT results_eq($$SELECT unit, seat, amount, cost, unit_price, seat_price FROM spm.transport('{{1,10},{5,1}}', '{5,4}', '{3,7}')$$,
    $$VALUES (1, 1, 3::float8, 3::float8, 10::float8, 9::float8), (1, 2, 2, 20, 10, 0), (2, 2, 4, 4, 1, 0)$$,
    'what does not fit the near seat goes to the far one, and the price says what room would save');
SELECT results_eq($$SELECT unit, seat, amount FROM spm.transport('{{1,10},{5,1}}', '{5,4}', '{9,9}', '{8,0}')$$,
    $$VALUES (1, 1, 5::float8), (2, 1, 3), (2, 2, 1)$$, 'a minimum draws units from where they would rather be');
SELECT results_eq($$SELECT unit, seat, amount FROM spm.transport('{{NULL,10},{5,Infinity}}', '{5,4}', '{Infinity,NULL}')$$,
    $$VALUES (1, 2, 5::float8), (2, 1, 4)$$, 'NULL and infinity forbid a pair, and are no limit of a capacity');
SELECT results_eq($$SELECT unit, seat, amount FROM spm.transport('{{3,2}}', '{0}', '{0,0}')$$, $$VALUES (1, 2, 0::float8)$$,
    'a unit without supply is where it would be cheapest');

-- Trying all: every whole unit of supply to every seat.
CREATE FUNCTION pg_temp.cheapest(costs float8[], supplies float8[], capacities float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    WITH RECURSIVE item AS (
        SELECT row_number() OVER (ORDER BY i, k) AS n, i FROM generate_subscripts(supplies, 1) i, generate_series(1, supplies[i]::int) k
    ), plan AS (
        SELECT 0::bigint AS n, capacities AS room, 0::float8 AS cost
        UNION ALL
        SELECT item.n, (SELECT array_agg(plan.room[k] - (k = j)::int ORDER BY k) FROM generate_subscripts(capacities, 1) k), plan.cost + costs[item.i][j]
        FROM plan JOIN item ON item.n = plan.n + 1, generate_subscripts(capacities, 1) j
        WHERE plan.room[j] >= 1
    )
    SELECT min(plan.cost) FROM plan WHERE plan.n = (SELECT count(*) FROM item) $$;
SELECT is((SELECT count(*) FILTER (WHERE (SELECT sum(t.cost) FROM spm.transport(c, s, u) t) IS DISTINCT FROM pg_temp.cheapest(c, s, u)) FROM generate_series(1, 20) salt,
    LATERAL (SELECT pg_temp.table_of(3, 3, 20, salt) AS c, pg_temp.list_of(3, 0, 2, salt) AS s, pg_temp.list_of(3, 2, 3, salt + 50) AS u) x), 0::bigint,
    '20 small plans cost what the best of all plans costs');

CREATE TEMP TABLE big AS SELECT pg_temp.table_of(400, 12, 1000, 3) AS c, pg_temp.list_of(400, 1, 20, 4) AS s, array_fill(400::float8, ARRAY[12]) AS u, array_fill(330::float8, ARRAY[12]) AS l;
CREATE TEMP TABLE plan AS SELECT t.* FROM big, spm.transport(c, s, u, l) t;
SELECT ok(bool_and(total = s[unit]), 'all of every unit is placed') FROM big, (SELECT unit, sum(amount) AS total FROM plan GROUP BY unit) x;
SELECT ok(bool_and(total BETWEEN 330 AND 400) AND count(*) = 12, 'every seat is between minimum and capacity') FROM (SELECT seat, sum(amount) AS total FROM plan GROUP BY seat) x;
SELECT ok(count(*) <= 400 + 12 - 1, 'fewer units are split than there are seats') FROM plan;
SELECT is((SELECT sum(amount * unit_price) FROM plan) - (SELECT sum(price * CASE WHEN price > 0 THEN 400 ELSE 330 END) FROM (SELECT DISTINCT seat, seat_price AS price FROM plan) x),
    (SELECT sum(cost) FROM plan), 'the prices add up to the cost, so nothing is cheaper');
SELECT is((SELECT count(*) FROM plan p, big, (SELECT DISTINCT seat, seat_price FROM plan) x WHERE c[p.unit][x.seat] + x.seat_price < p.unit_price), 0::bigint,
    'and no unit would rather be elsewhere at these prices');

-- refused
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,2}}', '{5}', '{2,2}')$$, '22023', 'supplies of 5 do not fit capacities of 4', 'too little room: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1e300,2}}', '{5}', '{9,9}')$$, '22023', 'costs[1][1] is neither 0 nor from 1e-30 to 1e+30: 1e+300', 'numbers that cannot be added: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,2}}', '{5}', '{9,9}', '{3,3}')$$, '22023', 'supplies of 5 do not reach minimums of 6', 'too high minimums: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,2},{NULL,NULL}}', '{5,1}', '{9,9}')$$, '22023', 'unit 2 may go to no seat', 'a unit that may go nowhere: refused by number');
SELECT throws_ok($$SELECT * FROM spm.transport('{{NULL,2},{NULL,3}}', '{5,4}', '{9,8}')$$, '22023', 'units that may go nowhere else do not fit seat 2', 'pairs that leave no way: refused with the seat');
SELECT throws_ok($$SELECT * FROM spm.transport('{{NULL,2},{NULL,3}}', '{5,4}', '{9,9}', '{1,0}')$$, '22023', 'seat 1 cannot be given its minimum', 'a seat that nothing may go to, with a minimum: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,NaN}}', '{5}', '{9,9}')$$, '22023', 'costs[1][2] is NaN', 'NaN: refused with its place');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,-Infinity}}', '{5}', '{9,9}')$$, '22023', 'costs[1][2] is infinite', 'a reward without limit: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,2},{3,4}}', '{5,-1}', '{9,9}')$$, '22023', 'supplies[2] is negative: -1', 'a negative supply: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,2},{3,4}}', '{5,NULL}', '{9,9}')$$, '22004', 'supplies[2] is null', 'a supply that is not known: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1,2},{3,4}}', '{5}', '{9,9}')$$, '2202E', 'supplies must be a list with one element for each unit', 'lists of another length: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{1,2}', '{5}', '{9,9}')$$, '2202E', 'costs must have two dimensions, not 1', 'a list in place of a table: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{}', '{}', '{}')$$, '2202E', 'costs are empty', 'nothing at all: refused');
SELECT throws_ok($$SELECT * FROM spm.transport('{{1}}', '{1}', '{1}', '{2}')$$, '22023', 'minimum of seat 1 is above its capacity', 'a minimum above the capacity: refused');

-- Linear assignment
SELECT results_eq($$SELECT unit, seat, cost FROM spm.linear_assignment('{{4,1},{2,3}}')$$, $$VALUES (1, 2, 1::float8), (2, 1, 2)$$, 'each unit has a seat of its own');
SELECT results_eq($$SELECT unit, seat FROM spm.linear_assignment('{{4,1,9},{2,1,9}}')$$, $$VALUES (1, 2), (2, 1)$$, 'seats may be left over');
SELECT results_eq($$SELECT unit, seat FROM spm.linear_assignment('{{4},{2},{3}}')$$, $$VALUES (2, 1)$$, 'and so may units, those that cost most');
CREATE FUNCTION pg_temp.best_match(costs float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    WITH RECURSIVE plan AS (
        SELECT 0 AS i, '{}'::int[] AS used, 0::float8 AS cost
        UNION ALL
        SELECT plan.i + 1, plan.used || j, plan.cost + costs[plan.i + 1][j] FROM plan, generate_series(1, array_length(costs, 2)) j
        WHERE plan.i < array_length(costs, 1) AND j <> ALL (plan.used)
    )
    SELECT min(plan.cost) FROM plan WHERE plan.i = array_length(costs, 1) $$;
SELECT is((SELECT count(*) FILTER (WHERE (SELECT sum(a.cost) FROM spm.linear_assignment(c) a) IS DISTINCT FROM pg_temp.best_match(c)) FROM generate_series(1, 25) salt,
    LATERAL (SELECT pg_temp.table_of(4 + salt % 2, 5 + salt % 2, 30, salt) AS c) x), 0::bigint, '25 small tables cost what the best of all matches costs');
SELECT is((SELECT sum(a.cost) FROM spm.linear_assignment(c) a), (SELECT sum(t.cost) FROM spm.transport(c, array_fill(1::float8, ARRAY[60]), array_fill(1::float8, ARRAY[60])) t),
    'transport of single units finds the same') FROM (SELECT pg_temp.table_of(60, 60, 500, 8) AS c) x;

-- refused
SELECT throws_ok($$SELECT * FROM spm.linear_assignment('{{NULL,1},{NULL,3}}')$$, '22023', 'unit 2 cannot be assigned together with the others', 'two units for one seat: refused');
SELECT throws_ok($$SELECT * FROM spm.linear_assignment('{{NaN}}')$$, '22023', 'costs[1][1] is NaN', 'NaN: refused');
SELECT throws_ok($$SELECT * FROM spm.linear_assignment('{}')$$, '2202E', 'costs are empty', 'nothing: refused');

-- Generalized assignment
SELECT results_eq($$SELECT job, agent, cost, load FROM spm.generalized_assignment('{{1,5},{1,4}}', '{{6,6},{5,5}}', '{10,10}', 1000)$$,
    $$VALUES (1, 1, 1::float8, 6::float8), (2, 2, 4, 5)$$, 'jobs are whole, so one of them goes to the dearer agent whole');
SELECT is((SELECT (r.value, r.bound, r.gap, r.is_optimal, r.agent_of)::text FROM spm.generalized_assignment_report('{{1,5},{1,4}}', '{{6,6},{5,5}}', '{10,10}', 1000) r), '(5,5,0,t,"{1,2}")',
    'where loads are whole the bound knows that jobs are');
SELECT ok(r.is_optimal AND r.gap IS NULL AND r.value = 0, 'a bound of 0 has no gap in percent') FROM spm.generalized_assignment_report('{{0,0}}', '{{1,1}}', '{1,1}', 10) r;
CREATE FUNCTION pg_temp.best_plan(costs float8[], loads float8[], capacities float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    WITH RECURSIVE plan AS (
        SELECT 0 AS i, capacities AS room, 0::float8 AS cost
        UNION ALL
        SELECT plan.i + 1, (SELECT array_agg(plan.room[k] - CASE WHEN k = j THEN loads[plan.i + 1][j] ELSE 0 END ORDER BY k) FROM generate_subscripts(capacities, 1) k),
            plan.cost + costs[plan.i + 1][j]
        FROM plan, generate_subscripts(capacities, 1) j
        WHERE plan.i < array_length(costs, 1) AND plan.room[j] >= loads[plan.i + 1][j]
    )
    SELECT min(plan.cost) FROM plan WHERE plan.i = array_length(costs, 1) $$;
CREATE TEMP TABLE small AS SELECT salt, c, l, u, pg_temp.best_plan(c, l, u) AS best FROM generate_series(1, 25) salt,
    LATERAL (SELECT pg_temp.table_of(7, 3, 40, salt) AS c, pg_temp.table_of(7, 3, 15, salt + 100) AS l, array_fill(17::float8, ARRAY[3]) AS u) x;
SELECT cmp_ok(count(*), '>', 20::bigint, 'nearly all of 25 small books of jobs fit') FROM small WHERE best IS NOT NULL;
SELECT is((SELECT count(*) FROM small, spm.generalized_assignment_report(c, l, u, 20000) r, LATERAL (SELECT sum(g.cost) AS cost FROM spm.generalized_assignment(c, l, u, 20000) g) x
    WHERE best IS NOT NULL AND ((r.value, x.cost) IS DISTINCT FROM (best, best) OR r.bound > best OR r.is_optimal AND r.bound < best)), 0::bigint, 'their plans cost what the best of all plans costs, and no bound is above it');
SELECT is((SELECT string_agg(agent::text, ' ' ORDER BY job) FROM small, spm.generalized_assignment(c, l, u, 5000, 7) WHERE salt = 2),
    (SELECT string_agg(agent::text, ' ' ORDER BY job) FROM small, spm.generalized_assignment(c, l, u, 5000, 7) WHERE salt = 2), 'the same seed and moves give the same plan');
SELECT is((SELECT count(*) FROM big, (SELECT agent, sum(load) AS load FROM big, spm.generalized_assignment(c, pg_temp.table_of(400, 12, 30, 9), u, 20000) GROUP BY agent) x
    WHERE load > u[agent]), 0::bigint, 'no agent is loaded above the capacity');

-- refused
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5},{1,5}}', '{{6,6},{5,50}}', '{4,10}')$$, '22023', 'job 2 fits no agent that it may go to', 'a job too large for all: refused by number');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5},{1,5},{1,5}}', '{{6,6},{6,6},{6,6}}', '{8,9}')$$, '22023', 'jobs do not fit the capacities, however they are divided', 'too much in all: refused as proven');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5},{1,5},{1,5}}', '{{6.5,6.5},{6.5,6.5},{6.5,6.5}}', '{9.9,9.9}', 1000)$$, '54000', 'no plan within all capacities was found', 'what only splits would fit: not found');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5},{1,5},{1,5}}', '{{6,6},{6,6},{6,6}}', '{9,9}', 1000)$$, '22023', 'jobs do not fit the capacities, however they are divided', 'and is even that where loads are whole: refused as proven');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5}}', '{{1}}', '{9,9}')$$, '2202E', 'loads must have the dimensions of costs: 1 jobs by 2 agents', 'loads of another size: refused');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5}}', '{{1,-2}}', '{9,9}')$$, '22023', 'loads[1][2] is negative: -2', 'a negative load: refused');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5}}', '{{1,2}}', '{9,NaN}')$$, '22023', 'capacities[2] is NaN', 'a capacity of NaN: refused');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5}}', '{{1,2}}', '{9,9}', -1)$$, '22023', 'moves must be from 0 to 1000000000000', 'negative moves: refused');
SELECT throws_ok($$SELECT * FROM spm.generalized_assignment('{{1,5}}', '{{1,2}}', '{9,9}', 9223372036854775807)$$, '22023', 'moves must be from 0 to 1000000000000', 'endless moves: refused');

-- A long search is cancelled: an error, and soon.
SAVEPOINT before;
SET LOCAL statement_timeout = '100ms';
SELECT count(*) FROM big, spm.generalized_assignment(c, pg_temp.table_of(400, 12, 30, 9), array_fill(80::float8, ARRAY[12]), 1000000000000);
ROLLBACK TO before;
SELECT pass('and the session goes on');

SELECT * FROM finish();
ROLLBACK;
