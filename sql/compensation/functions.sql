/*
 * compensation/functions.sql: plans as data.  Writing them, checking them,
 * publishing them.
 */

-- ------------------------------------------------------------------ look-ups

CREATE OR REPLACE FUNCTION spm._plan_id(plan text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT p.plan_id INTO id FROM spm.plan p WHERE p.name = _plan_id.plan;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" does not exist', _plan_id.plan
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.plan; or spm.create_plan() to make it.';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._plan_id(text) IS 'plan_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._plan_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._draft_id(plan text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- a look-up that raises stands alone: within a query the planner calls it too, and with an older snapshot
    of_plan int := spm._plan_id(_draft_id.plan);
    id int;
BEGIN
    SELECT v.plan_version_id INTO id FROM spm.plan_version v
    WHERE v.plan_id = of_plan AND v.state = 'draft'
    ORDER BY v.version_no DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no draft version', _draft_id.plan
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'A published version never changes.',
                  HINT = format('SELECT spm.new_plan_version(%L, since => ...);', _draft_id.plan);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._draft_id(text) IS 'plan_version_id of the draft of a plan, or error 55000.';
REVOKE ALL ON FUNCTION spm._draft_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._target(OUT payee_id int, OUT position_id int, OUT title_id int,
                                       payee text, "position" text, title text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    _target.payee_id := CASE WHEN _target.payee IS NOT NULL THEN spm._payee_id(_target.payee) END;
    _target.position_id := CASE WHEN _target."position" IS NOT NULL THEN spm._position_id(_target."position") END;
    _target.title_id := CASE WHEN _target.title IS NOT NULL THEN spm._title_id(_target.title) END;
END
$$;
COMMENT ON FUNCTION spm._target(text, text, text) IS 'Keys of a payee, a position and a title given by name, or error 42704.';
REVOKE ALL ON FUNCTION spm._target(text, text, text) FROM PUBLIC;

-- ------------------------------------------------------------------ variables

CREATE OR REPLACE FUNCTION spm.set_variable(variable text, value numeric, payee text DEFAULT NULL,
                                            "position" text DEFAULT NULL, title text DEFAULT NULL,
                                            since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_variable int;
    target record;
    days daterange := daterange(nullif(set_variable.since, '-infinity'), nullif(set_variable.until, 'infinity'));
    id int;
BEGIN
    IF num_nonnulls(set_variable.payee, set_variable."position", set_variable.title) > 1 THEN
        RAISE EXCEPTION 'a value is for a payee, a position or a title, not for more than one of them'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    target := spm._target(set_variable.payee, set_variable."position", set_variable.title);
    INSERT INTO spm.variable (name) VALUES (set_variable.variable) ON CONFLICT (name) DO NOTHING;
    SELECT v.variable_id INTO of_variable FROM spm.variable v WHERE v.name = set_variable.variable;
    -- the value before it ends where this one begins
    UPDATE spm.variable_value v SET span = daterange(lower(v.span), lower(days))
    WHERE v.variable_id = of_variable AND v.span && days AND lower(days) IS NOT NULL
      AND (lower_inf(v.span) OR lower(v.span) < lower(days)) AND upper_inf(v.span)
      AND v.payee_id IS NOT DISTINCT FROM target.payee_id
      AND v.position_id IS NOT DISTINCT FROM target.position_id
      AND v.title_id IS NOT DISTINCT FROM target.title_id;
    INSERT INTO spm.variable_value (variable_id, payee_id, position_id, title_id, span, value)
    VALUES (of_variable, target.payee_id, target.position_id, target.title_id, days, set_variable.value)
    RETURNING variable_value_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'variable "%" has a value in that time already', set_variable.variable
        USING ERRCODE = 'exclusion_violation',
              DETAIL = format('The new value would hold for %s.', days),
              HINT = 'Give since a later day than the value that is there, or end that one first in spm.variable_value.';
END
$$;
COMMENT ON FUNCTION spm.set_variable(text, numeric, text, text, text, date, date) IS
'Sets the value of a variable from a day on, making the variable if need be; returns the variable_value_id. An open-ended value before it is ended.
variable: name. value: what rates are multiplied by. payee, position, title: whom it is for, by key or name; none: everybody. since: first day. until: day after the last; NULL: for good.
Errors: 42704 for an unknown payee, position or title; 23P01 where a value exists already; 22023 for two targets; 23514 for a value outside of what spm.limit_variable() allows.
Example: SELECT spm.set_variable(''commission_pct'', 0.012, payee => ''275'', since => ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.prorate_variable(variable text, is_prorated boolean DEFAULT true)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF prorate_variable.is_prorated IS NULL THEN
        RAISE EXCEPTION 'a variable is an amount for a period, or it is not' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO spm.variable AS v (name, is_prorated) VALUES (prorate_variable.variable, prorate_variable.is_prorated)
    ON CONFLICT (name) DO UPDATE SET is_prorated = EXCLUDED.is_prorated WHERE v.is_prorated <> EXCLUDED.is_prorated;
END
$$;
COMMENT ON FUNCTION spm.prorate_variable(text, boolean) IS
'Says whether a variable is an amount for a whole period, such as a target incentive or a salary, which components that prorate reduce for a part of one; makes the variable if need be. A percentage is not.
variable: name. is_prorated: whether it is one. What is posted follows, as a difference in the next period.
Errors: 22023 for NULL.
Example: SELECT spm.prorate_variable(''target_incentive'');';

CREATE OR REPLACE FUNCTION spm.limit_variable(variable text, allowed numrange)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other spm.variable_value;
BEGIN
    IF isempty(limit_variable.allowed) THEN
        RAISE EXCEPTION 'a variable cannot keep to an empty range' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a range such as ''[0,1]''.';
    END IF;
    INSERT INTO spm.variable (name) VALUES (limit_variable.variable) ON CONFLICT (name) DO NOTHING;
    UPDATE spm.variable v SET allowed = limit_variable.allowed WHERE v.name = limit_variable.variable AND v.allowed IS DISTINCT FROM limit_variable.allowed;
    SELECT x.* INTO other FROM spm.variable_value x JOIN spm.variable v USING (variable_id)
    WHERE v.name = limit_variable.variable AND NOT x.value <@ v.allowed ORDER BY x.variable_value_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'variable "%" has the value % already, and may be %', limit_variable.variable, trim_scale(other.value), limit_variable.allowed
            USING ERRCODE = 'check_violation', DETAIL = format('It is row %s of spm.variable_value, for %s.', other.variable_value_id, other.span),
                  HINT = 'Correct that value first, or allow more.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.limit_variable(text, numrange) IS
'Says between what the values of a variable must lie, so that 101 % or a slip of the decimal point is refused where it is typed; makes the variable if need be.
variable: name. allowed: range, [0,1] for a percentage; NULL: any value.
Errors: 22023 for an empty range, 23514 when there is a value outside.
Example: SELECT spm.limit_variable(''commission_pct'', ''[0,1]'');';

CREATE OR REPLACE FUNCTION spm._check_variable_value()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_variable spm.variable;
BEGIN
    SELECT v.* INTO of_variable FROM spm.variable v WHERE v.variable_id = NEW.variable_id;
    IF NOT NEW.value <@ of_variable.allowed THEN
        RAISE EXCEPTION 'variable "%" cannot be %', of_variable.name, trim_scale(NEW.value)
            USING ERRCODE = 'check_violation', DETAIL = format('Its values lie in %s.', of_variable.allowed),
                  HINT = format('SELECT spm.limit_variable(%L, range); allows others.', of_variable.name);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._check_variable_value() IS 'Keeps values of a variable in the range that it allows; error 23514.';
REVOKE ALL ON FUNCTION spm._check_variable_value() FROM PUBLIC;

CREATE OR REPLACE TRIGGER check_value BEFORE INSERT OR UPDATE OF value, variable_id ON spm.variable_value
    FOR EACH ROW EXECUTE FUNCTION spm._check_variable_value();

CREATE OR REPLACE FUNCTION spm.variable_value(variable_id int, payee_id int, position_id int, span daterange)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.value
    FROM spm.variable_value v
    WHERE v.variable_id = variable_value.variable_id AND v.span && variable_value.span
      AND (v.payee_id = variable_value.payee_id OR v.position_id = variable_value.position_id
           OR v.title_id = (SELECT p.title_id FROM spm.position p WHERE p.position_id = variable_value.position_id)
           OR num_nonnulls(v.payee_id, v.position_id, v.title_id) = 0)
    ORDER BY CASE WHEN v.payee_id IS NOT NULL THEN 1 WHEN v.position_id IS NOT NULL THEN 2
                  WHEN v.title_id IS NOT NULL THEN 3 ELSE 4 END, v.span
    LIMIT 1;
END;
COMMENT ON FUNCTION spm.variable_value(int, int, int, daterange) IS
'Value of a variable that counts for a payee in a position during a span: the payee''s own goes before the position''s, the title''s and everybody''s; of several within the span the first. NULL: none.
Example: SELECT spm.variable_value(1, 1, 1, ''[2026-01-01,2026-04-01)'');';

-- -------------------------------------------------------------- writing plans

CREATE OR REPLACE FUNCTION spm.create_plan(name text, calendar text, currency text, since date,
                                           rate_type text DEFAULT 'spot')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_calendar int;
    id int;
BEGIN
    PERFORM spm._check_name('plan', create_plan.name);
    SELECT c.calendar_id INTO of_calendar FROM spm.calendar c WHERE c.name = create_plan.calendar;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'calendar "%" does not exist', create_plan.calendar
            USING ERRCODE = 'undefined_object', HINT = 'spm.create_calendar() or spm.load_periods() makes one.';
    END IF;
    IF NOT EXISTS (SELECT FROM spm.currency c WHERE c.currency_code = create_plan.currency) THEN
        RAISE EXCEPTION 'currency "%" does not exist', create_plan.currency
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', create_plan.currency);
    END IF;
    INSERT INTO spm.plan (name, calendar_id, currency_code, rate_type)
    VALUES (create_plan.name, of_calendar, create_plan.currency, create_plan.rate_type)
    RETURNING plan_id INTO id;
    INSERT INTO spm.plan_version (plan_id, version_no, span) VALUES (id, 1, daterange(create_plan.since, NULL));
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.create_plan(text, text, text, date, text) IS
'Creates a plan with an empty draft version 1, and returns its plan_id.
name: unique. calendar: whose periods it is calculated for. currency: ISO code it measures and pays in. since: first day. rate_type: exchange rates it converts by.
Errors: 42704 for an unknown calendar or currency, 23505 when the name is taken, 22023 for one that is empty, has a line feed, or more than 200 characters.
Example: SELECT spm.create_plan(''Account Executive'', ''fiscal'', ''USD'', ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.new_plan_version(plan text, since date)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(new_plan_version.plan);
    before spm.plan_version;
    id int;
BEGIN
    SELECT v.* INTO before FROM spm.plan_version v WHERE v.plan_id = of_plan ORDER BY v.version_no DESC LIMIT 1;
    IF before.state = 'draft' THEN
        RAISE EXCEPTION 'plan "%" has a draft already: version %', new_plan_version.plan, before.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT spm.publish_plan(%L);', new_plan_version.plan);
    END IF;
    INSERT INTO spm.plan_version (plan_id, version_no, span)
    VALUES (of_plan, before.version_no + 1, daterange(new_plan_version.since, NULL))
    RETURNING plan_version_id INTO id;
    PERFORM spm._write_content(id, spm._plan_content(before.plan_version_id));
    RETURN before.version_no + 1;
END
$$;
COMMENT ON FUNCTION spm.new_plan_version(text, date) IS
'Starts the next version of a plan as a draft, a copy of the last one, and returns its number.
plan: name. since: first day of the new version; publishing it ends the version before on that day.
Errors: 42704 for an unknown plan, 55000 while there is a draft.
Example: SELECT spm.new_plan_version(''Account Executive'', ''2026-07-01'');';

CREATE OR REPLACE FUNCTION spm.assign_plan(plan text, since date, until date DEFAULT NULL, payee text DEFAULT NULL,
                                           "position" text DEFAULT NULL, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record;
    id int;
BEGIN
    IF num_nonnulls(assign_plan.payee, assign_plan."position", assign_plan.title) <> 1 THEN
        RAISE EXCEPTION 'a plan is assigned to a payee, a position or a title'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('SELECT spm.assign_plan(%L, since => %L, title => ...);', assign_plan.plan, assign_plan.since);
    END IF;
    target := spm._target(assign_plan.payee, assign_plan."position", assign_plan.title);
    INSERT INTO spm.plan_assignment (plan_id, payee_id, position_id, title_id, span)
    VALUES (spm._plan_id(assign_plan.plan), target.payee_id, target.position_id, target.title_id,
            daterange(assign_plan.since, assign_plan.until))
    RETURNING plan_assignment_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.assign_plan(text, date, date, text, text, text) IS
'Puts a payee, a position or everybody in a title on a plan, and returns the plan_assignment_id.
plan: name. since: first day. until: day after the last; NULL: for good. payee, position, title: exactly one, by key or name.
Errors: 22023 unless exactly one is given, 42704 for an unknown name, 23P01 when it is assigned already in that time.
Example: SELECT spm.assign_plan(''Account Executive'', ''2026-01-01'', title => ''AE'');';

-- ---------------------------------------------------------------- publishing

CREATE OR REPLACE FUNCTION spm.publish_plan(plan text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    draft int := spm._draft_id(publish_plan.plan);
    version spm.plan_version;
    defects text;
    number bigint;
BEGIN
    SELECT v.* INTO version FROM spm.plan_version v WHERE v.plan_version_id = draft FOR UPDATE;
    SELECT count(*), string_agg(format('%s: %s', coalesce(d.component, 'plan'), d.defect), E'\n') INTO number, defects
    FROM spm.plan_defect(publish_plan.plan, version.version_no) d;
    IF number > 0 THEN
        RAISE EXCEPTION 'plan "%" version % has % defect(s)', publish_plan.plan, version.version_no, number
            USING ERRCODE = 'check_violation', DETAIL = defects,
                  HINT = format('SELECT * FROM spm.plan_defect(%L); names the repair of each.', publish_plan.plan);
    END IF;
    -- the version before ends where this one begins
    UPDATE spm.plan_version v SET span = v.span * daterange(NULL, lower(version.span)), state = 'retired'
    WHERE v.plan_id = version.plan_id AND v.state = 'published' AND lower(v.span) < lower(version.span);
    UPDATE spm.plan_version v
    SET state = 'published', published_at = clock_timestamp(), published_by = session_user,
        content_hash = spm._plan_hash(v.plan_version_id)
    WHERE v.plan_version_id = version.plan_version_id;
    RETURN version.version_no;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'plan "%" version % overlaps a version that is published', publish_plan.plan, version.version_no
        USING ERRCODE = 'exclusion_violation',
              HINT = 'Let it begin after the first day of the version before.';
END
$$;
COMMENT ON FUNCTION spm.publish_plan(text) IS
'Publishes the draft of a plan, and returns its version number. From then on the version never changes; the one before it ends where it begins.
plan: name.
Errors: 23514 with every defect in the detail, 55000 without a draft, 23P01 when it would begin before the published version.
Example: SELECT spm.publish_plan(''Account Executive'');';

CREATE OR REPLACE FUNCTION spm.retire_plan(plan text, until date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(retire_plan.plan);
BEGIN
    UPDATE spm.plan_version v SET span = v.span * daterange(NULL, retire_plan.until), state = 'retired'
    WHERE v.plan_id = of_plan AND v.state = 'published' AND v.span @> retire_plan.until;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no published version on %', retire_plan.plan, retire_plan.until
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.retire_plan(text, date) IS
'Ends a plan: its published version applies no longer from a day on.
plan: name. until: day after the last one.
Errors: 55000 when no published version holds on that day.
Example: SELECT spm.retire_plan(''Account Executive'', ''2027-01-01'');';

CREATE OR REPLACE FUNCTION spm._guard_plan_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.span @> NEW.span AND lower(OLD.span) IS NOT DISTINCT FROM lower(NEW.span)
       AND NEW.state IN (OLD.state, 'retired')
       AND (OLD.plan_id, OLD.version_no, OLD.published_at, OLD.published_by, OLD.content_hash)
           IS NOT DISTINCT FROM (NEW.plan_id, NEW.version_no, NEW.published_at, NEW.published_by, NEW.content_hash) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a published plan version never changes'
        USING ERRCODE = 'restrict_violation', DETAIL = format('Version %s of plan %s is %s.', OLD.version_no, OLD.plan_id, OLD.state),
              HINT = 'SELECT spm.new_plan_version(plan, since);';
END
$$;
COMMENT ON FUNCTION spm._guard_plan_version() IS 'Trigger: a published version may only end.';
REVOKE ALL ON FUNCTION spm._guard_plan_version() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_plan()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (OLD.calendar_id, OLD.currency_code, OLD.rate_type) IS DISTINCT FROM (NEW.calendar_id, NEW.currency_code, NEW.rate_type)
       AND EXISTS (SELECT FROM spm.plan_version v WHERE v.plan_id = OLD.plan_id AND v.state <> 'draft') THEN
        RAISE EXCEPTION 'calendar, currency and rate type of a published plan never change'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Plan "%s" has a published version.', OLD.name),
                  HINT = 'Retire it and import it as another plan: spm.retire_plan(), spm.export_plan(), spm.import_plan().';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_plan() IS 'Trigger: what all versions of a plan share stays as it is once one is published.';
REVOKE ALL ON FUNCTION spm._guard_plan() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_component()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part jsonb := to_jsonb(OLD);
BEGIN
    -- additions are found by the hash of the version: a restore must be able to load them
    IF EXISTS (SELECT FROM spm.plan_version v
               WHERE v.plan_version_id = coalesce((part ->> 'plan_version_id')::int, (
                         SELECT c.plan_version_id FROM spm.component c WHERE c.component_id = (part ->> 'component_id')::int))
                 AND v.state <> 'draft') THEN
        RAISE EXCEPTION 'a published plan version never changes'
            USING ERRCODE = 'restrict_violation', DETAIL = format('This row of spm.%s belongs to one: %s', TG_TABLE_NAME, part),
                  HINT = 'SELECT spm.new_plan_version(plan, since);';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_component() IS 'Trigger: the rows that a published version consists of stay as they are. For tables with component_id or plan_version_id.';
REVOKE ALL ON FUNCTION spm._guard_component() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_name()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    used record;
BEGIN
    SELECT p.name, v.version_no INTO used
    FROM spm.plan p JOIN spm.plan_version v USING (plan_id)
    WHERE v.state <> 'draft' AND NEW.name <> OLD.name
      AND jsonb_path_exists(spm._plan_content(v.plan_version_id), format('strict $.**.%I ? (@ == $name)', TG_TABLE_NAME)::jsonpath,
                            jsonb_build_object('name', OLD.name), true)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a published plan names % "%"', TG_TABLE_NAME, OLD.name
            USING ERRCODE = 'restrict_violation', DETAIL = format('Version %s of plan "%s" does.', used.version_no, used.name),
                  HINT = 'Make another one of the new name, and a new version of the plan that uses it.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_name() IS 'Trigger: what a published version means by its name keeps it.';
REVOKE ALL ON FUNCTION spm._guard_name() FROM PUBLIC;

-- --------------------------------------------------------- guarding the ledger

CREATE OR REPLACE FUNCTION spm._guard_ledger()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM spm.posting p WHERE p.posting_id IN (OLD.posting_id, NEW.posting_id) AND p.state = 'posted') THEN
        -- a part of the ledger is named after it
        RAISE EXCEPTION 'a posted row of spm.% never changes', regexp_replace(TG_TABLE_NAME, '_\d+$', '')
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Correct its cause: the next calculation pays the difference.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_ledger() IS 'Trigger: rows of a posted posting stay as they are, and no row is moved into one.';
REVOKE ALL ON FUNCTION spm._guard_ledger() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_currency()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- a credit is in the currency of its transaction, a payout in that of its plan
    IF NEW.minor_digits <> OLD.minor_digits AND EXISTS (
        SELECT FROM spm.credit c JOIN spm.posting o USING (posting_id) WHERE o.state = 'posted' AND c.currency_code = OLD.currency_code
        UNION ALL
        SELECT FROM spm.payout y JOIN spm.posting o USING (posting_id) WHERE o.state = 'posted' AND y.currency_code = OLD.currency_code
        UNION ALL
        SELECT FROM spm.adjustment a JOIN spm.period p USING (period_id) WHERE p.state = 'posted' AND a.currency_code = OLD.currency_code
        UNION ALL
        SELECT FROM spm.payment y WHERE y.currency_code = OLD.currency_code) THEN
        RAISE EXCEPTION 'currency % is posted with % digits, and keeps them', OLD.currency_code, OLD.minor_digits
            USING ERRCODE = 'restrict_violation', DETAIL = 'Amounts that are posted were rounded to them, and would be calculated anew.',
                  HINT = 'Round what is paid from now on by its component: places => ... of spm.add_component(), in a new version of the plan.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_currency() IS 'Trigger: a currency in which something is posted keeps its digits. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_currency() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refuse_truncate()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'spm.% cannot be emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION spm._refuse_truncate() IS 'Trigger: a ledger is not truncated.';
REVOKE ALL ON FUNCTION spm._refuse_truncate() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_posted()
    RETURNS trigger
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    paying text;
BEGIN
    -- a restore loads what was posted; the owner of the tables runs it
    IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
        RETURN NULL;
    END IF;
    SELECT p.name INTO paying FROM added n JOIN spm.posting o USING (posting_id) JOIN spm.period p ON p.period_id = o.period_id
    WHERE o.state = 'posted' ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is posted, and nothing is added to it', paying
            USING ERRCODE = 'restrict_violation', HINT = 'The next calculation pays what is new; by hand: SELECT spm.add_adjustment(payee, period, amount, currency, reason);';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._guard_posted() IS 'Trigger: nobody but the owner of the table adds rows to a posted posting. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_posted() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_credited()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_used boolean;
BEGIN
    -- a position that credits come from, up or down the tree, has a credit itself
    EXECUTE format('SELECT EXISTS (SELECT FROM spm.credit c WHERE c.%1$I = ($1).%1$I)', TG_ARGV[0]) INTO is_used USING OLD;
    IF is_used THEN
        RAISE EXCEPTION 'credits refer to this row of spm.%', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', DETAIL = format('%s', OLD), HINT = 'End it by its span instead.';
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION spm._guard_credited() IS 'Trigger: what a credit refers to is not deleted. Its argument is the key.';
REVOKE ALL ON FUNCTION spm._guard_credited() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard_credited BEFORE DELETE ON spm.payee
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('payee_id');
CREATE OR REPLACE TRIGGER guard_credited BEFORE DELETE ON spm.position
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('position_id');
CREATE OR REPLACE TRIGGER guard_credited BEFORE DELETE ON spm.period
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('period_id');
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.schedule
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON spm.currency
    FOR EACH ROW EXECUTE FUNCTION spm._guard_currency();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON spm.plan
    FOR EACH ROW EXECUTE FUNCTION spm._guard_plan();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._guard_plan_version();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.component
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.tier
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.component_input
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.modifier
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard_name BEFORE UPDATE OF name ON spm.measure
    FOR EACH ROW EXECUTE FUNCTION spm._guard_name();
CREATE OR REPLACE TRIGGER guard_name BEFORE UPDATE OF name ON spm.variable
    FOR EACH ROW EXECUTE FUNCTION spm._guard_name();
CREATE OR REPLACE TRIGGER guard_name BEFORE UPDATE OF name ON spm.lookup
    FOR EACH ROW EXECUTE FUNCTION spm._guard_name();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.posting
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.credit
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.measurement
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.earning
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payout
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.credit
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.measurement
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.earning
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard_posted AFTER INSERT ON spm.payout
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_posted();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payout
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
