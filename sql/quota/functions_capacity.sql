/*
 * quota/functions_capacity.sql: capacity plans, month by month.
 *
 * A month's capacity is what those bring who are there: each with the chance
 * not to have left, times the share of the ramp, times productivity.  People
 * leave at the end of a month; those who are there at the start of the plan are
 * all there in its first month.
 */

CREATE OR REPLACE FUNCTION spm._capacity_plan(plan text)
    RETURNS spm.capacity_plan
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.capacity_plan;
BEGIN
    SELECT p.* INTO it FROM spm.capacity_plan p WHERE p.name = _capacity_plan.plan;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'capacity plan "%" does not exist', _capacity_plan.plan
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('There are: ' || spm._near(_capacity_plan.plan, ARRAY(SELECT p.name FROM spm.capacity_plan p)) || '.',
                                  format('SELECT spm.add_capacity_plan(%L, ''2027-01-01'', 12);', _capacity_plan.plan));
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._capacity_plan(text) IS 'The capacity plan of that name; error 42704.';
REVOKE ALL ON FUNCTION spm._capacity_plan(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._capacity_role(plan text, role text)
    RETURNS spm.capacity_role
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(_capacity_role.plan);
    it spm.capacity_role;
BEGIN
    SELECT r.* INTO it FROM spm.capacity_role r WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND r.name = _capacity_role.role;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" does not exist in capacity plan "%"', _capacity_role.role, of_plan.name
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('There are: ' || (SELECT string_agg(r.name, ', ' ORDER BY r.name COLLATE "C") FROM spm.capacity_role r
                                                    WHERE r.capacity_plan_id = of_plan.capacity_plan_id) || '.',
                                  format('SELECT spm.add_capacity_role(%L, %L, productivity);', of_plan.name, _capacity_role.role));
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._capacity_role(text, text) IS 'The role of a capacity plan; error 42704.';
REVOKE ALL ON FUNCTION spm._capacity_role(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._capacity_month_no(month date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 12 * extract(year FROM _capacity_month_no.month)::int + extract(month FROM _capacity_month_no.month)::int;
END;
COMMENT ON FUNCTION spm._capacity_month_no(date) IS 'A number that grows by 1 each month.';
REVOKE ALL ON FUNCTION spm._capacity_month_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._checked_month(month date, what text)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _checked_month.month IS NULL OR NOT isfinite(_checked_month.month) OR extract(day FROM _checked_month.month) <> 1 THEN
        RAISE EXCEPTION '% must be the first day of a month, not %', _checked_month.what, coalesce(to_char(_checked_month.month, 'YYYY-MM-DD'), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as 2027-01-01.';
    END IF;
    RETURN _checked_month.month;
END
$$;
COMMENT ON FUNCTION spm._checked_month(date, text) IS 'The first day of a month, or error 22023.';
REVOKE ALL ON FUNCTION spm._checked_month(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_capacity_plan(name text, first_month date, months int DEFAULT 12, service_level numeric DEFAULT 0.8)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    PERFORM spm._check_text(add_capacity_plan.name, 'name'), spm._checked_month(add_capacity_plan.first_month, 'first_month');
    IF (add_capacity_plan.months BETWEEN 1 AND 120 AND add_capacity_plan.service_level > 0 AND add_capacity_plan.service_level < 1) IS NOT TRUE THEN
        RAISE EXCEPTION 'a capacity plan cannot have % months and a service level of %', coalesce(add_capacity_plan.months::text, 'NULL'), coalesce(add_capacity_plan.service_level::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Months are 1 to 120, the service level lies between 0 and 1: 0.8.';
    END IF;
    INSERT INTO spm.capacity_plan (name, first_month, months, service_level)
    VALUES (add_capacity_plan.name, add_capacity_plan.first_month, add_capacity_plan.months, add_capacity_plan.service_level)
    ON CONFLICT DO NOTHING RETURNING capacity_plan_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'capacity plan "%" already exists', add_capacity_plan.name
            USING ERRCODE = 'duplicate_object', HINT = 'Choose another name.';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_capacity_plan(text, date, int, numeric) IS
'Adds a plan of how many people it takes, and returns its capacity_plan_id.
name: unique. first_month: first day of its first month. months: 1 to 120. service_level: how likely the target of each month is to be reached, between 0 and 1.
Errors: 42710 for a name that is taken, 22023 for a month, number or level that makes no sense.
Example: SELECT spm.add_capacity_plan(''2027'', ''2027-01-01'', 12, 0.8);';

CREATE OR REPLACE FUNCTION spm.add_capacity_role(plan text, role text, productivity numeric, attrition numeric DEFAULT 0, ramp text DEFAULT NULL,
                                                 lead_months int DEFAULT 0, deviation numeric DEFAULT 0, monthly_cost numeric DEFAULT 0,
                                                 title text DEFAULT NULL, hours numeric DEFAULT 160, shrinkage numeric DEFAULT 0)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(add_capacity_role.plan);
    of_ramp int := (SELECT r.ramp_id FROM spm.ramp r WHERE r.name = add_capacity_role.ramp);
    of_title int := CASE WHEN add_capacity_role.title IS NOT NULL THEN spm._title_id(add_capacity_role.title) END;
    wrong text;
    id int;
BEGIN
    PERFORM spm._check_text(add_capacity_role.role, 'role');
    IF add_capacity_role.ramp IS NOT NULL AND of_ramp IS NULL THEN
        RAISE EXCEPTION 'ramp "%" does not exist', add_capacity_role.ramp
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_ramp(%L, shares);', add_capacity_role.ramp);
    END IF;
    SELECT w.what INTO wrong
    FROM (VALUES (1, 'productivity', add_capacity_role.productivity > 0 AND add_capacity_role.productivity < 'Infinity'),
                 (2, 'attrition', add_capacity_role.attrition >= 0 AND add_capacity_role.attrition <= 1),
                 (3, 'lead_months', add_capacity_role.lead_months BETWEEN 0 AND 120),
                 (4, 'deviation', add_capacity_role.deviation >= 0 AND add_capacity_role.deviation < 'Infinity'),
                 (5, 'monthly_cost', add_capacity_role.monthly_cost >= 0 AND add_capacity_role.monthly_cost < 'Infinity'),
                 (6, 'hours', add_capacity_role.hours > 0 AND add_capacity_role.hours < 'Infinity'),
                 (7, 'shrinkage', add_capacity_role.shrinkage >= 0 AND add_capacity_role.shrinkage < 1)) w(nth, what, is_fine)
    WHERE w.is_fine IS NOT TRUE ORDER BY w.nth LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '% of role "%" makes no sense', wrong, add_capacity_role.role
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'productivity and hours are more than 0; attrition is a share of people a month, 0 to 1; shrinkage is less than 1; the others are zero or more.';
    END IF;
    INSERT INTO spm.capacity_role (capacity_plan_id, name, title_id, productivity, deviation, attrition, ramp_id, lead_months, monthly_cost, hours, shrinkage)
    VALUES (of_plan.capacity_plan_id, add_capacity_role.role, of_title, add_capacity_role.productivity, add_capacity_role.deviation, add_capacity_role.attrition,
            of_ramp, add_capacity_role.lead_months, add_capacity_role.monthly_cost, add_capacity_role.hours, add_capacity_role.shrinkage)
    ON CONFLICT DO NOTHING RETURNING capacity_role_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'role "%" already exists in capacity plan "%"', add_capacity_role.role, of_plan.name
            USING ERRCODE = 'duplicate_object', HINT = 'Change its row in spm.capacity_role.';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_capacity_role(text, text, numeric, numeric, text, int, numeric, numeric, text, numeric, numeric) IS
'Adds people who are alike to a capacity plan, and returns the capacity_role_id.
plan: name. role: name, unique in the plan. productivity: what one brings in a month once they have learned. attrition: share who leave at the end of a month: 0.02; for a yearly rate a it is 1 - power(1 - a, 1 / 12.0). ramp: name of a ramp (spm.add_ramp), whose shares are those of productivity in the month of the start and the next ones, to 4 decimals. lead_months: from the decision to hire until the first day.
deviation: standard deviation of productivity from one to another, as a ratio of it; with 0 chances are exact. monthly_cost: of one. title: of the seats that are meant. hours: paid hours of one in a month; shrinkage: share of these that is lost: both for workload.
Errors: 42704 for an unknown plan, ramp or title; 42710 for a role that is there; 22023 for numbers that make no sense.
Example: SELECT spm.add_capacity_role(''2027'', ''AE'', 80000, attrition => 0.02, ramp => ''New AE'', lead_months => 2, monthly_cost => 12000);';

CREATE OR REPLACE FUNCTION spm.add_capacity_heads(plan text, role text, start_month date, heads int)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_role spm.capacity_role := spm._capacity_role(add_capacity_heads.plan, add_capacity_heads.role);
    standing int;
BEGIN
    PERFORM spm._checked_month(add_capacity_heads.start_month, 'start_month');
    SELECT c.heads INTO standing FROM spm.capacity_cohort c
    WHERE c.capacity_role_id = of_role.capacity_role_id AND c.start_month = add_capacity_heads.start_month FOR UPDATE;
    IF (coalesce(standing, 0) + add_capacity_heads.heads >= 0) IS NOT TRUE THEN
        RAISE EXCEPTION 'there cannot be % people of % who start in %', coalesce((coalesce(standing, 0) + add_capacity_heads.heads)::text, 'NULL'),
            of_role.name, to_char(add_capacity_heads.start_month, 'YYYY-MM')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('There are %s.', coalesce(standing, 0));
    END IF;
    INSERT INTO spm.capacity_cohort AS c (capacity_role_id, start_month, heads)
    SELECT of_role.capacity_role_id, add_capacity_heads.start_month, coalesce(standing, 0) + add_capacity_heads.heads
    WHERE coalesce(standing, 0) + add_capacity_heads.heads > 0
    ON CONFLICT (capacity_role_id, start_month) DO UPDATE SET heads = excluded.heads WHERE c.heads <> excluded.heads;
    IF coalesce(standing, 0) + add_capacity_heads.heads = 0 THEN
        DELETE FROM spm.capacity_cohort c WHERE c.capacity_role_id = of_role.capacity_role_id AND c.start_month = add_capacity_heads.start_month;
    END IF;
    RETURN coalesce(standing, 0) + add_capacity_heads.heads;
END
$$;
COMMENT ON FUNCTION spm.add_capacity_heads(text, text, date, int) IS
'Adds people who started in a month, or are to start in it, to those of a role; returns how many there are then.
plan, role: names. start_month: first day of the month. heads: how many more; less than 0 takes some away.
Errors: 42704 for an unknown plan or role; 22023 for a day that begins no month, or fewer than none.
Example: SELECT spm.add_capacity_heads(''2027'', ''AE'', ''2027-03-01'', 4);';

CREATE OR REPLACE FUNCTION spm.load_capacity_heads(plan text, role text DEFAULT NULL, as_of date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(load_capacity_heads.plan);
    of_role int := CASE WHEN load_capacity_heads.role IS NOT NULL THEN (spm._capacity_role(load_capacity_heads.plan, load_capacity_heads.role)).capacity_role_id END;
    day date := coalesce(load_capacity_heads.as_of, of_plan.first_month);
    n int;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.capacity_role r WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND r.title_id IS NOT NULL
                   AND (of_role IS NULL OR r.capacity_role_id = of_role)) THEN
        RAISE EXCEPTION 'no role of capacity plan "%" has a title', of_plan.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Who is there is found by title: add the role with title => ''AE''.';
    END IF;
    DELETE FROM spm.capacity_cohort c USING spm.capacity_role r
    WHERE r.capacity_role_id = c.capacity_role_id AND r.capacity_plan_id = of_plan.capacity_plan_id AND r.title_id IS NOT NULL
      AND (of_role IS NULL OR r.capacity_role_id = of_role) AND c.start_month < of_plan.first_month;
    -- somebody who ramps began when the ramp did, others when they took the seat
    INSERT INTO spm.capacity_cohort AS c (capacity_role_id, start_month, heads)
    SELECT t.capacity_role_id, t.month, count(*)
    FROM (
        SELECT r.capacity_role_id, a.payee_id,
            greatest(least(date_trunc('month', min(coalesce(x.day, lower(a.span), '-infinity'))::timestamp)::date, (of_plan.first_month - interval '1 month')::date),
                     (of_plan.first_month - interval '600 months')::date) AS month
        FROM spm.capacity_role r
        JOIN spm.position s ON s.title_id = r.title_id
        JOIN spm.position_assignment a ON a.position_id = s.position_id AND a.span @> day AND a.is_primary
        LEFT JOIN LATERAL (SELECT lower(m.span) AS day FROM spm.ramp_assignment m WHERE m.payee_id = a.payee_id AND m.span @> day) x ON true
        WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND (of_role IS NULL OR r.capacity_role_id = of_role)
        GROUP BY r.capacity_role_id, a.payee_id
    ) t
    GROUP BY t.capacity_role_id, t.month;
    SELECT coalesce(sum(c.heads), 0) INTO n
    FROM spm.capacity_cohort c JOIN spm.capacity_role r USING (capacity_role_id)
    WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND r.title_id IS NOT NULL AND (of_role IS NULL OR r.capacity_role_id = of_role)
      AND c.start_month < of_plan.first_month;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_capacity_heads(text, text, date) IS
'Counts who sits in the seats of each role''s title as those who are there at the start of the plan, by the month in which they started: that of their ramp, or else of their seat. Replaces what was there for months before the plan; returns how many they are.
plan: name. role: name; NULL: all that have a title. as_of: day; NULL: the first of the plan.
Errors: 42704 for an unknown plan or role; 22023 when none has a title.
Example: SELECT spm.load_capacity_heads(''2027'', as_of => current_date);';

CREATE OR REPLACE FUNCTION spm.set_capacity_target(plan text, role text, amount numeric, month date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(set_capacity_target.plan);
    of_role spm.capacity_role := spm._capacity_role(set_capacity_target.plan, set_capacity_target.role);
BEGIN
    IF (set_capacity_target.amount >= 0 AND set_capacity_target.amount < 'Infinity') IS NOT TRUE THEN
        RAISE EXCEPTION 'target of role "%" cannot be %', of_role.name, coalesce(set_capacity_target.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A target is zero or more.';
    END IF;
    IF set_capacity_target.month IS NOT NULL AND (spm._capacity_month_no(spm._checked_month(set_capacity_target.month, 'month')) - spm._capacity_month_no(of_plan.first_month))
       NOT BETWEEN 0 AND of_plan.months - 1 THEN
        RAISE EXCEPTION '% is no month of capacity plan "%"', to_char(set_capacity_target.month, 'YYYY-MM'), of_plan.name
            USING ERRCODE = 'invalid_parameter_value', HINT = format('It has %s months from %s on.', of_plan.months, to_char(of_plan.first_month, 'YYYY-MM'));
    END IF;
    INSERT INTO spm.capacity_target AS t (capacity_role_id, month, amount)
    SELECT of_role.capacity_role_id, m.month, m.amount
    FROM (
        SELECT set_capacity_target.month AS month, set_capacity_target.amount AS amount WHERE set_capacity_target.month IS NOT NULL
        UNION ALL
        -- what has been rounded away so far goes to the next month: they add up
        SELECT (of_plan.first_month + make_interval(months => k - 1))::date,
            round(set_capacity_target.amount * k / of_plan.months, 2) - round(set_capacity_target.amount * (k - 1) / of_plan.months, 2)
        FROM generate_series(1, of_plan.months) k
        WHERE set_capacity_target.month IS NULL
    ) m
    ON CONFLICT (capacity_role_id, month) DO UPDATE SET amount = excluded.amount WHERE t.amount <> excluded.amount;
END
$$;
COMMENT ON FUNCTION spm.set_capacity_target(text, text, numeric, date) IS
'Sets what a role is to bring in a month or, without one, in all of the plan: then every month gets the same, to the cent.
plan, role: names. amount: in the unit of productivity, zero or more. month: its first day.
Errors: 42704 for an unknown plan or role; 22023 for a negative or missing amount, or a month outside of the plan.
Example: SELECT spm.set_capacity_target(''2027'', ''AE'', 12000000); SELECT spm.set_capacity_target(''2027'', ''AE'', 1500000, ''2027-12-01'');';

CREATE OR REPLACE FUNCTION spm.load_capacity_targets(plan text, measure text, calendar text, role text DEFAULT NULL, over_assignment numeric DEFAULT 0)
    RETURNS numeric
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(load_capacity_targets.plan);
    of_role int := CASE WHEN load_capacity_targets.role IS NOT NULL THEN (spm._capacity_role(load_capacity_targets.plan, load_capacity_targets.role)).capacity_role_id END;
    of_measure int := spm._measure_id(load_capacity_targets.measure);
    of_calendar int := spm._calendar_id(load_capacity_targets.calendar);
    total numeric;
BEGIN
    IF (load_capacity_targets.over_assignment >= 0 AND load_capacity_targets.over_assignment < 'Infinity') IS NOT TRUE THEN
        RAISE EXCEPTION 'over-assignment cannot be %', coalesce(load_capacity_targets.over_assignment::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a ratio, zero or more: 0.05 when quotas add up to 5 % more than is expected.';
    END IF;
    WITH quota AS (
        SELECT r.capacity_role_id, lower(p.span) AS month, round(sum(spm.quota_of(s.position_id, of_measure, p.period_id)) / (1 + load_capacity_targets.over_assignment), 2) AS amount
        FROM spm.capacity_role r
        JOIN spm.position s USING (title_id)
        JOIN spm.period p ON p.calendar_id = of_calendar AND p.span = daterange(lower(p.span), (lower(p.span) + interval '1 month')::date)
            AND extract(day FROM lower(p.span)) = 1 AND spm._capacity_month_no(lower(p.span)) - spm._capacity_month_no(of_plan.first_month) BETWEEN 0 AND of_plan.months - 1
        WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND (of_role IS NULL OR r.capacity_role_id = of_role)
        GROUP BY r.capacity_role_id, p.span
    ), written AS (
        INSERT INTO spm.capacity_target (capacity_role_id, month, amount)
        SELECT q.capacity_role_id, q.month, q.amount FROM quota q WHERE q.amount IS NOT NULL
        ON CONFLICT (capacity_role_id, month) DO UPDATE SET amount = excluded.amount
        RETURNING amount
    )
    SELECT sum(w.amount) INTO total FROM written w;
    IF total IS NULL THEN
        RAISE EXCEPTION 'no seat of a role of capacity plan "%" has a monthly quota of "%"', of_plan.name, load_capacity_targets.measure
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Months are those of calendar "%s".', load_capacity_targets.calendar),
                  HINT = 'Spread longer quotas: SELECT * FROM spm.spread_quota(...); or set targets: SELECT spm.set_capacity_target(...);';
    END IF;
    RETURN total;
END
$$;
COMMENT ON FUNCTION spm.load_capacity_targets(text, text, text, text, numeric) IS
'Takes the quotas of the seats of each role''s title, month by month, as what the role is to bring, and returns their sum. Months in which no seat has a quota stay as they are.
plan: name. measure: what quotas are set in. calendar: whose months are meant. role: name; NULL: all that have a title. over_assignment: by what ratio quotas add up to more than is expected; targets are quotas divided by 1 more.
Errors: 42704 for an unknown plan, measure, calendar or role; 22023 for a negative ratio, or when no seat has a quota of a month.
Example: SELECT spm.load_capacity_targets(''2027'', ''bookings'', ''fiscal'', over_assignment => 0.1);';

CREATE OR REPLACE FUNCTION spm.set_workload(plan text, role text, name text, visits numeric, hours numeric, accounts numeric DEFAULT NULL,
                                            segmentation text DEFAULT NULL, segment text DEFAULT NULL, other_hours numeric DEFAULT 0)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_role spm.capacity_role := spm._capacity_role(set_workload.plan, set_workload.role);
    of_segment int := CASE WHEN set_workload.segmentation IS NOT NULL
                           THEN spm._segment_id((spm._segmentation(set_workload.segmentation)).segmentation_id, set_workload.segment) END;
    id int;
BEGIN
    PERFORM spm._check_text(set_workload.name, 'name');
    IF num_nonnulls(set_workload.accounts, of_segment) <> 1 THEN
        RAISE EXCEPTION 'workload "%" needs a number of accounts or a segment that has them', set_workload.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'accounts => 300, or segmentation => ''tier'', segment => ''A''.';
    END IF;
    IF (coalesce(set_workload.accounts, 0) >= 0 AND set_workload.visits >= 0 AND set_workload.hours >= 0 AND set_workload.other_hours >= 0
        AND greatest(set_workload.accounts, set_workload.visits, set_workload.hours, set_workload.other_hours) < 'Infinity') IS NOT TRUE THEN
        RAISE EXCEPTION 'workload "%" makes no sense', set_workload.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Accounts, visits and hours are zero or more.';
    END IF;
    INSERT INTO spm.capacity_workload AS w (capacity_role_id, name, accounts, segment_id, visits, hours, other_hours)
    VALUES (of_role.capacity_role_id, set_workload.name, set_workload.accounts, of_segment, set_workload.visits, set_workload.hours, set_workload.other_hours)
    ON CONFLICT (capacity_role_id, name) DO UPDATE
        SET accounts = excluded.accounts, segment_id = excluded.segment_id, visits = excluded.visits, hours = excluded.hours, other_hours = excluded.other_hours
    RETURNING w.capacity_workload_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_workload(text, text, text, numeric, numeric, numeric, text, text, numeric) IS
'Says how much work some accounts make; returns the capacity_workload_id. Under a name that is there it takes its place. spm_bi.capacity_workload says how many people that takes.
plan, role, name: names. visits: of one account in a month. hours: of a visit. accounts: how many, or else segmentation and segment, whose accounts are counted as of the first day of the plan. other_hours: besides each visit: preparation, travel.
Errors: 42704 for an unknown plan, role, segmentation or segment; 22023 for negative or missing numbers.
Example: SELECT spm.set_workload(''2027'', ''AE'', ''tier A'', 2, 1.5, segmentation => ''tier'', segment => ''A'', other_hours => 0.5);';

CREATE OR REPLACE FUNCTION spm._ramp_units(ramp_id int)
    RETURNS bigint[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((SELECT array_agg(round(u.share * 10000)::bigint ORDER BY u.nth)
                     FROM spm.ramp r, unnest(r.shares) WITH ORDINALITY u(share, nth) WHERE r.ramp_id = _ramp_units.ramp_id), '{}');
END;
COMMENT ON FUNCTION spm._ramp_units(int) IS 'Shares of a ramp in ten-thousandths.';
REVOKE ALL ON FUNCTION spm._ramp_units(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.capacity_by_month(plan text, role text DEFAULT NULL)
    RETURNS TABLE (role_name text, month date, heads numeric, productive_heads numeric, capacity numeric, deviation numeric, target numeric,
                   needed_heads numeric, coverage numeric, chance numeric, cost numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(capacity_by_month.plan);
    of_role int := CASE WHEN capacity_by_month.role IS NOT NULL THEN (spm._capacity_role(capacity_by_month.plan, capacity_by_month.role)).capacity_role_id END;
BEGIN
    RETURN QUERY
    WITH role AS MATERIALIZED (
        SELECT r.*, spm._ramp_units(r.ramp_id) AS units FROM spm.capacity_role r
        WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND (of_role IS NULL OR r.capacity_role_id = of_role)
    ), cohort AS (
        SELECT r.capacity_role_id, m.nth, c.heads, power(1 - r.attrition, m.nth - greatest(c.start, 0)) AS present,
            coalesce(r.units[m.nth - c.start + 1], 10000)::numeric AS units, r.deviation
        FROM role r
        JOIN (SELECT c.capacity_role_id, c.heads, spm._capacity_month_no(c.start_month) - spm._capacity_month_no(of_plan.first_month) AS start FROM spm.capacity_cohort c) c USING (capacity_role_id)
        JOIN generate_series(0, of_plan.months - 1) m(nth) ON m.nth >= c.start
    ), team AS (
        SELECT c.capacity_role_id, c.nth, sum(c.heads * c.present) AS heads, sum(c.heads * c.present * c.units) / 10000 AS productive,
            sum(c.heads * (c.present * c.units * c.units * (1 + c.deviation * c.deviation) - c.present * c.units * c.present * c.units)) / 100000000 AS variance,
            array_agg(c.heads) AS group_heads, array_agg(c.present::double precision) AS group_present, array_agg(c.units::bigint) AS group_units
        FROM (SELECT c.* FROM cohort c ORDER BY c.capacity_role_id, c.nth, c.units, c.present) c
        GROUP BY c.capacity_role_id, c.nth
    )
    SELECT r.name, n.month, round(coalesce(t.heads, 0), 4), round(coalesce(t.productive, 0), 4), round(coalesce(t.productive, 0) * r.productivity, 2),
        round(sqrt(greatest(coalesce(t.variance, 0), 0)) * r.productivity, 2), g.amount, round(g.amount / r.productivity, 4),
        round(coalesce(t.productive, 0) * r.productivity / nullif(g.amount, 0), 6),
        round(spm.capacity_chance(coalesce(t.group_heads, '{}'), coalesce(t.group_present, '{}'), coalesce(t.group_units, '{}'),
                                  ceil(g.amount * 10000 / r.productivity)::bigint, r.deviation::double precision)::numeric, 6),
        round(coalesce(t.heads, 0) * r.monthly_cost, 2)
    FROM role r
    CROSS JOIN LATERAL (SELECT m AS nth, (of_plan.first_month + make_interval(months => m))::date AS month FROM generate_series(0, of_plan.months - 1) m) n
    LEFT JOIN team t USING (capacity_role_id, nth)
    LEFT JOIN spm.capacity_target g ON g.capacity_role_id = r.capacity_role_id AND g.month = n.month
    ORDER BY r.name COLLATE "C", n.nth;
END
$$;
COMMENT ON FUNCTION spm.capacity_by_month(text, text) IS
'What the people of a plan bring, month by month: heads (expected, after those who have left), productive_heads (in heads that have learned), capacity (mean) and its standard deviation, the target, needed_heads (target / productivity), coverage (capacity / target), chance that the target is reached, and cost.
n people of a cohort who are there with chance p, at share u of the ramp, bring n p u x productivity, with variance n (p u^2 (1 + d^2) - (p u)^2) x productivity^2, where d is the deviation; p is (1 - attrition) to the number of month ends since they started, or since the plan did. The chance is exact (by convolution) when d is 0 and the team is not too large for that, else by the normal distribution.
plan: name. role: name; NULL: all.
Errors: 42704 for an unknown plan or role.
Example: SELECT * FROM spm.capacity_by_month(''2027'');';

CREATE OR REPLACE FUNCTION spm.hiring_plan(plan text, role text DEFAULT NULL, service_level numeric DEFAULT NULL, least_share numeric DEFAULT 1)
    RETURNS TABLE (role_name text, start_month date, decide_month date, hires int, chance numeric, is_reached boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.capacity_plan := spm._capacity_plan(hiring_plan.plan);
    of_role int := CASE WHEN hiring_plan.role IS NOT NULL THEN (spm._capacity_role(hiring_plan.plan, hiring_plan.role)).capacity_role_id END;
    level numeric := coalesce(hiring_plan.service_level, of_plan.service_level);
BEGIN
    IF (level > 0 AND level < 1) IS NOT TRUE THEN
        RAISE EXCEPTION 'service level cannot be %', level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It lies between 0 and 1: 0.8.';
    END IF;
    IF (hiring_plan.least_share BETWEEN 0 AND 1) IS NOT TRUE THEN
        RAISE EXCEPTION 'least share of the ramp cannot be %', coalesce(hiring_plan.least_share::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is 0 to 1.';
    END IF;
    RETURN QUERY
    SELECT r.name, n.month, (n.month - make_interval(months => r.lead_months))::date, h.hires[n.nth + 1], round(h.chances[n.nth + 1]::numeric, 6),
        h.chances[n.nth + 1] >= level::double precision
    FROM spm.capacity_role r
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(spm._capacity_month_no(c.start_month) - spm._capacity_month_no(of_plan.first_month) ORDER BY c.start_month), '{}') AS starts,
            coalesce(array_agg(c.heads ORDER BY c.start_month), '{}') AS heads
        FROM spm.capacity_cohort c WHERE c.capacity_role_id = r.capacity_role_id
    ) c
    CROSS JOIN LATERAL (
        SELECT array_agg(coalesce(ceil(t.amount * 10000 / r.productivity), 0)::bigint ORDER BY m) AS needs
        FROM generate_series(0, of_plan.months - 1) m
        LEFT JOIN spm.capacity_target t ON t.capacity_role_id = r.capacity_role_id AND t.month = (of_plan.first_month + make_interval(months => m))::date
    ) g
    CROSS JOIN LATERAL spm._hires(c.starts, c.heads, spm._ramp_units(r.ramp_id), 10000, r.attrition::double precision, r.deviation::double precision,
                                  g.needs, level::double precision, r.lead_months, ceil(hiring_plan.least_share * 10000)::bigint) h
    CROSS JOIN LATERAL (SELECT m AS nth, (of_plan.first_month + make_interval(months => m))::date AS month FROM generate_series(0, of_plan.months - 1) m) n
    WHERE r.capacity_plan_id = of_plan.capacity_plan_id AND (of_role IS NULL OR r.capacity_role_id = of_role)
    ORDER BY r.name COLLATE "C", n.nth;
END
$$;
COMMENT ON FUNCTION spm.hiring_plan(text, text, numeric, numeric) IS
'How many must start in each month, besides those who are there or planned, so that each month''s target is reached as likely as the plan says, and until when that must be decided. Month by month in turn: where the chance is too small, the fewest that are enough start, as late as they can and still have gone through their ramp. Where the lead time leaves no month for that, nobody is hired for that month alone; with a smaller least_share those are who start in the first month there is, if they are that far by then: which takes many.
chance: that the target of that month is reached with all these; is_reached: whether it is as likely as it shall be. It may not be before the first of them have learned.
plan: name. role: name; NULL: all. service_level: instead of the plan''s, between 0 and 1. least_share: of the ramp, 0 to 1.
Errors: 42704 for an unknown plan or role; 22023 for a service level or share that is none.
Example: SELECT * FROM spm.hiring_plan(''2027'') WHERE hires > 0 OR NOT is_reached; to take it over: SELECT spm.add_capacity_heads(''2027'', role_name, start_month, hires) FROM spm.hiring_plan(''2027'') WHERE hires > 0;';
