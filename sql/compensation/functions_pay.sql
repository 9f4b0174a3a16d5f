/*
 * compensation/functions_pay.sql: pay rules, holds and adjustments.  Writing them.
 */

-- -------------------------------------------------------------------- pay rules

CREATE OR REPLACE FUNCTION spm.add_pay_rule(plan text, kind text, amount numeric DEFAULT NULL, name text DEFAULT NULL, method text DEFAULT NULL,
                                            components text[] DEFAULT NULL, grain text DEFAULT 'period',
                                            variable text DEFAULT NULL, share numeric DEFAULT NULL, prorate text DEFAULT 'none',
                                            recover_share numeric DEFAULT 1, recover_maximum numeric DEFAULT NULL,
                                            recover_after int DEFAULT 0, recover_from date DEFAULT NULL, recover_until date DEFAULT NULL,
                                            minimum numeric DEFAULT NULL, first_periods int DEFAULT NULL, until date DEFAULT NULL,
                                            is_forgiven boolean DEFAULT false, release_after int DEFAULT NULL, release_on date DEFAULT NULL,
                                            rule_no int DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(add_pay_rule.plan);
    of_variable int := CASE WHEN add_pay_rule.variable IS NOT NULL THEN spm._variable_id(add_pay_rule.variable) END;
    way text := spm._check_prorate(add_pay_rule.prorate);
    place int := spm._rule_place(add_pay_rule.kind);
    missing text;
    violated text;
    id int;
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'there is no pay rule of kind "%"', add_pay_rule.kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Kinds are: budget, cap, holdback, guarantee, draw, adjustment, negative.';
    END IF;
    SELECT n INTO missing FROM unnest(add_pay_rule.components) n
    WHERE NOT EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = version AND c.name = n) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', add_pay_rule.plan, missing
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_component(%L, %L, rates);', add_pay_rule.plan, missing);
    END IF;
    IF add_pay_rule.grain <> 'period' AND NOT EXISTS (
        SELECT FROM spm.plan n JOIN spm.period p USING (calendar_id) WHERE n.name = add_pay_rule.plan AND p.grain = add_pay_rule.grain) THEN
        RAISE EXCEPTION 'the calendar of plan "%" has no period of grain "%"', add_pay_rule.plan, add_pay_rule.grain
            USING ERRCODE = 'invalid_parameter_value', HINT = 'grain => ''period'', or a grain of the calendar, such as ''year''.';
    END IF;
    INSERT INTO spm.pay_rule (plan_version_id, rule_no, name, kind, components, amount, variable_id, share, grain, method, prorate,
        recover_share, recover_maximum, recover_after, recover_from, recover_until, minimum, first_periods, until, is_forgiven, release_after, release_on)
    VALUES (version, coalesce(add_pay_rule.rule_no, place + (SELECT count(*) FROM spm.pay_rule r WHERE r.plan_version_id = version AND r.kind = add_pay_rule.kind)),
        coalesce(add_pay_rule.name, add_pay_rule.kind), add_pay_rule.kind, add_pay_rule.components, add_pay_rule.amount, of_variable, add_pay_rule.share,
        add_pay_rule.grain,
        coalesce(add_pay_rule.method, CASE add_pay_rule.kind WHEN 'budget' THEN 'deal order' WHEN 'cap' THEN 'forfeited' WHEN 'draw' THEN 'floor' WHEN 'negative' THEN 'carried' END),
        way, add_pay_rule.recover_share, add_pay_rule.recover_maximum, add_pay_rule.recover_after, add_pay_rule.recover_from,
        add_pay_rule.recover_until, add_pay_rule.minimum, add_pay_rule.first_periods, add_pay_rule.until, add_pay_rule.is_forgiven,
        add_pay_rule.release_after, add_pay_rule.release_on)
    RETURNING pay_rule_id INTO id;
    RETURN id;
EXCEPTION
    WHEN check_violation THEN
        GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
        RAISE EXCEPTION 'pay rule "%" of kind % cannot have %', coalesce(add_pay_rule.name, add_pay_rule.kind), add_pay_rule.kind,
            CASE violated WHEN 'pay_rule_method' THEN format('the method "%s"', add_pay_rule.method)
                          WHEN 'pay_rule_amount' THEN 'this amount, variable and share'
                          WHEN 'pay_rule_components' THEN 'components of its own'
                          WHEN 'pay_rule_span' THEN format('the grain "%s"', add_pay_rule.grain)
                          WHEN 'pay_rule_prorate' THEN 'a prorated amount'
                          WHEN 'pay_rule_end' THEN 'an end'
                          WHEN 'pay_rule_recovery' THEN 'terms of recovery'
                          WHEN 'pay_rule_forgiven' THEN 'its balance forgiven'
                          WHEN 'pay_rule_release' THEN 'a release'
                          ELSE format('this %s', substring(violated FROM '^pay_rule_(.*)_check$')) END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE violated
                      WHEN 'pay_rule_method' THEN 'budget: deal order, pro rata; cap: forfeited, carried; draw: floor, advance; negative: carried, zeroed; others have none.'
                      WHEN 'pay_rule_amount' THEN 'budget: amount; cap, guarantee, draw: amount, or variable and share of it; holdback: share from 0 to 1; others have none.'
                      WHEN 'pay_rule_span' THEN 'Only a cap holds for more than a period.'
                      WHEN 'pay_rule_prorate' THEN 'Only a cap, a guarantee and a draw are for a time.'
                      WHEN 'pay_rule_end' THEN 'Only a guarantee and a draw end: first_periods or until.'
                      WHEN 'pay_rule_recovery' THEN 'Only a draw and a rule for negative pay have something to recover.'
                      WHEN 'pay_rule_forgiven' THEN 'Only a draw can be forgiven, when it ends: first_periods or until.'
                      WHEN 'pay_rule_components' THEN 'A rule for negative pay, and the place of adjustments, are of all pay.'
                      WHEN 'pay_rule_release' THEN 'Only a holdback is released.'
                      ELSE 'Amounts and numbers are not negative; a share that is recovered is from 0 to 1.' END;
    WHEN unique_violation THEN
        RAISE EXCEPTION 'the draft of plan "%" has a pay rule of that name or number already', add_pay_rule.plan
            USING ERRCODE = 'unique_violation', DETAIL = format('name "%s", number %s.', coalesce(add_pay_rule.name, add_pay_rule.kind), add_pay_rule.rule_no),
                  HINT = 'name => another, or leave rule_no out.';
END
$$;
COMMENT ON FUNCTION spm.add_pay_rule(text, text, numeric, text, text, text[], text, text, numeric, text, numeric, numeric, int, date, date, numeric, int, date, boolean, int, date, int) IS
'Adds a rule between earning and pay to the draft of a plan, and returns its pay_rule_id.
plan: name. kind: budget, cap, holdback, guarantee, draw, adjustment or negative. amount: money in the currency of the plan; or variable, and share of it (2.5 is 250 %). name: shown on the statement; the kind when NULL. components: whose pay counts; NULL: all.
method: budget: deal order (default) or pro rata; cap: forfeited (default) or carried; draw: floor (default) or advance; negative: carried (default) or zeroed. grain: of the span that a cap holds for. prorate: a method of spm.day_count(), for who is on the plan for a part of it.
recover_share, recover_maximum: share of the pay above the minimum, and most of it in a period. recover_after: periods until an amount owed is recovered. recover_from, recover_until: days. minimum: what recovery leaves; NULL: the draw itself, for an advance 0.
first_periods, until: how long a guarantee or draw holds. is_forgiven: write off what is owed then. share: of a holdback, what is kept. release_after: periods; release_on: day; neither: by spm.release_holdback().
rule_no: order; by default budget, cap, holdback, guarantee, draw, adjustment, negative.
Errors: 22023 for options that do not go together, 42704 for an unknown plan, component or variable, 23505 for a name or number that is taken, 55000 without a draft.
Example: SELECT spm.add_pay_rule(''Account Executive'', ''draw'', 2000, recover_share => 0.5, first_periods => 6, is_forgiven => true);';

CREATE OR REPLACE FUNCTION spm.drop_pay_rule(plan text, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(drop_pay_rule.plan);
BEGIN
    DELETE FROM spm.pay_rule r WHERE r.plan_version_id = version AND r.name = drop_pay_rule.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no pay rule "%"', drop_pay_rule.plan, drop_pay_rule.name
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.pay_rule;';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_pay_rule(text, text) IS
'Removes a pay rule from the draft of a plan. Balances that it has kept under earlier versions are settled all the same: what is owed is recovered, what is kept is paid.
plan, name: names. Errors: 42704 when there is none of that name, 55000 without a draft.
Example: SELECT spm.drop_pay_rule(''Account Executive'', ''draw'');';

-- -------------------------------------------------------------- holds, releases

CREATE OR REPLACE FUNCTION spm._unsettle(calendar_id int)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM spm.period_watermark w USING spm.period p
    WHERE p.period_id = w.period_id AND p.state <> 'posted' AND coalesce(_unsettle.calendar_id, p.calendar_id) = p.calendar_id;
END;
COMMENT ON FUNCTION spm._unsettle(int) IS 'Periods that are calculated and not posted must be calculated again before they are posted. calendar_id: NULL: of all calendars.';
REVOKE ALL ON FUNCTION spm._unsettle(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._unsettle_plan()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM spm.pay_rule r JOIN spm.plan_version v USING (plan_version_id) WHERE v.plan_id = NEW.plan_id) THEN
        PERFORM spm._unsettle(n.calendar_id) FROM spm.plan n WHERE n.plan_id = NEW.plan_id;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._unsettle_plan() IS 'Trigger: when other pay rules apply, a draft is calculated again before it is posted. What a posted period paid by its rules is not looked at again.';
REVOKE ALL ON FUNCTION spm._unsettle_plan() FROM PUBLIC;
CREATE OR REPLACE TRIGGER unsettle AFTER UPDATE OF state, span ON spm.plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._unsettle_plan();

CREATE OR REPLACE FUNCTION spm.release_holdback(plan text, rule text, through text, reason text, payee text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.plan;
    key int := spm._plan_id(release_holdback.plan);
    of_period int;
    of_payee int := CASE WHEN release_holdback.payee IS NOT NULL THEN spm._payee_id(release_holdback.payee) END;
    id int;
BEGIN
    PERFORM spm._check_text(release_holdback.reason, 'reason');
    SELECT n.* INTO of_plan FROM spm.plan n WHERE n.plan_id = key;
    of_period := spm._period_id(release_holdback.through, (SELECT c.name FROM spm.calendar c WHERE c.calendar_id = of_plan.calendar_id));
    IF NOT EXISTS (SELECT FROM spm.pay_rule r JOIN spm.plan_version v USING (plan_version_id)
                   WHERE v.plan_id = key AND r.name = release_holdback.rule AND r.kind = 'holdback') THEN
        RAISE EXCEPTION 'plan "%" has no holdback "%"', release_holdback.plan, release_holdback.rule
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_pay_rule(%L, ''holdback'', share => 0.1);', release_holdback.plan);
    END IF;
    INSERT INTO spm.holdback_release (plan_id, rule_name, through_period_id, payee_id, reason)
    VALUES (key, release_holdback.rule, of_period, of_payee, release_holdback.reason)
    RETURNING holdback_release_id INTO id;
    PERFORM spm._unsettle(of_plan.calendar_id);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.release_holdback(text, text, text, text, text) IS
'Lets the next posting pay what a holdback has kept in the periods up to one, and returns the holdback_release_id. Calculated periods must be calculated again.
plan, rule: names of the plan and the pay rule. through: name of the last period whose holdback is paid. reason: kept with the release. payee: payee_key; NULL: everybody.
Errors: 42704 for an unknown plan, holdback, period or payee, 22023 without a reason.
Example: SELECT spm.release_holdback(''Account Executive'', ''Warranty'', ''2026-Q1'', ''all projects accepted'');';

CREATE OR REPLACE FUNCTION spm.hold(reason text, payee text DEFAULT NULL, plan text DEFAULT NULL, component text DEFAULT NULL,
                                    transaction_key text DEFAULT NULL, source text DEFAULT NULL, since date DEFAULT '-infinity')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := CASE WHEN hold.payee IS NOT NULL THEN spm._payee_id(hold.payee) END;
    of_plan int := CASE WHEN hold.plan IS NOT NULL THEN spm._plan_id(hold.plan) END;
    id int;
BEGIN
    PERFORM spm._check_text(hold.reason, 'reason');
    IF num_nonnulls(hold.payee, hold.component, hold.transaction_key) = 0 OR hold.component IS NOT NULL AND hold.plan IS NULL
       OR hold.source IS NOT NULL AND hold.transaction_key IS NULL THEN
        RAISE EXCEPTION 'a hold is of a payee, a component of a plan, or a transaction'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'payee => ''U-17''; plan => ''AE'', component => ''Commission''; or transaction_key => ''D-1007''.';
    END IF;
    IF hold.component IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) WHERE v.plan_id = of_plan AND c.name = hold.component) THEN
        RAISE EXCEPTION 'plan "%" has no component "%"', hold.plan, hold.component
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.component;';
    END IF;
    IF hold.transaction_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.credit t WHERE t.transaction_key = hold.transaction_key AND coalesce(hold.source, t.source) = t.source) THEN
        RAISE NOTICE 'nobody is credited for transaction "%" so far', hold.transaction_key;
    END IF;
    INSERT INTO spm.hold (payee_id, plan_id, component_name, source, transaction_key, since, reason)
    VALUES (of_payee, of_plan, hold.component, hold.source, hold.transaction_key, hold.since, hold.reason)
    RETURNING hold_id INTO id;
    PERFORM spm._unsettle(NULL);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.hold(text, text, text, text, text, text, date) IS
'Holds pay back: what is earned stays earned, and is not paid until spm.release(). Returns the hold_id. What was posted before stays paid; calculated periods must be calculated again.
reason: kept, and shown with the payout. payee: payee_key; all that the payee is paid, or what is of the component or transaction named as well. plan, component: names. transaction_key, source: an order; source is needed when two have the key.
since: first day; periods that end before it are paid.
Errors: 22023 when nothing is named or there is no reason, 42704 for an unknown payee, plan or component.
Example: SELECT spm.hold(''customer disputes the invoice'', transaction_key => ''D-1007'');';

CREATE OR REPLACE FUNCTION spm.release(hold_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.hold;
BEGIN
    PERFORM spm._check_text(release.reason, 'reason');
    SELECT h.* INTO this FROM spm.hold h WHERE h.hold_id = release.hold_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'hold % does not exist', release.hold_id USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.hold;';
    END IF;
    IF this.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'hold % is released already', release.hold_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s: %s.', this.released_by, this.release_reason),
                  HINT = 'SELECT spm.hold(reason, ...); makes a new one.';
    END IF;
    UPDATE spm.hold h SET released_at = clock_timestamp(), released_by = session_user, release_reason = release.reason WHERE h.hold_id = release.hold_id;
    PERFORM spm._unsettle(NULL);
END
$$;
COMMENT ON FUNCTION spm.release(int, text) IS
'Releases a hold: the next posting pays what it has kept. Calculated periods must be calculated again.
hold_id: from spm.hold(). reason: kept beside the hold, and shown with the payout.
Errors: 42704 for an unknown hold, 55000 for one that is released, 22023 without a reason.
Example: SELECT spm.release(1, ''invoice paid'');';

-- ------------------------------------------------------------------ adjustments

CREATE OR REPLACE FUNCTION spm.add_adjustment(payee text, period text, amount numeric, currency text, reason text,
                                              plan text DEFAULT NULL, component text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(add_adjustment.payee);
    key int := CASE WHEN add_adjustment.plan IS NOT NULL THEN spm._plan_id(add_adjustment.plan) END;
    of_plan record;
    key_period int := spm._period_id(add_adjustment.period, coalesce(add_adjustment.calendar,
        (SELECT k.name FROM spm.plan n JOIN spm.calendar k USING (calendar_id) WHERE n.plan_id = key)));
    this spm.period;
    digits int;
    of_component int;
    id int;
BEGIN
    PERFORM spm._check_text(add_adjustment.reason, 'reason');
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = key_period;
    SELECT n.* INTO of_plan FROM spm.plan n WHERE n.plan_id = key;
    SELECT u.minor_digits INTO digits FROM spm.currency u WHERE u.currency_code = add_adjustment.currency;
    IF digits IS NULL THEN
        RAISE EXCEPTION 'currency "%" does not exist', add_adjustment.currency
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', add_adjustment.currency);
    END IF;
    IF of_plan.plan_id IS NOT NULL AND (of_plan.currency_code <> add_adjustment.currency OR of_plan.calendar_id <> this.calendar_id) THEN
        RAISE EXCEPTION 'an adjustment of plan "%" is in its currency and calendar', add_adjustment.plan
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The plan pays in %s.', of_plan.currency_code),
                  HINT = 'Leave the plan out for an adjustment beside it.';
    END IF;
    IF add_adjustment.amount IS NULL OR add_adjustment.amount IN (0, 'NaN', 'Infinity', '-Infinity')
       OR add_adjustment.amount <> round(add_adjustment.amount, digits) THEN
        RAISE EXCEPTION 'an adjustment cannot be of % %', coalesce(add_adjustment.amount::text, 'NULL'), add_adjustment.currency
            USING ERRCODE = 'invalid_parameter_value', HINT = format('Give an amount other than zero with at most %s decimal places.', digits);
    END IF;
    IF NOT spm._is_leaf(this.period_id) OR this.state = 'posted' THEN
        RAISE EXCEPTION 'period % %', this.name, CASE this.state WHEN 'posted' THEN 'is posted' ELSE 'has parts' END
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Name the period that is to pay it.';
    END IF;
    IF add_adjustment.component IS NOT NULL THEN
        SELECT c.component_id INTO of_component FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
        WHERE v.plan_id = key AND v.state <> 'draft' AND v.span && this.span AND c.name = add_adjustment.component
        ORDER BY v.span DESC LIMIT 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'plan "%" has no component "%" in %', coalesce(add_adjustment.plan, 'NULL'), add_adjustment.component, this.name
                USING ERRCODE = 'undefined_object', HINT = 'Name the plan and one of its components; or leave the component out.';
        END IF;
    END IF;
    INSERT INTO spm.adjustment (payee_id, period_id, plan_id, component_id, amount, currency_code, reason)
    VALUES (of_payee, this.period_id, key, of_component, add_adjustment.amount, add_adjustment.currency, add_adjustment.reason)
    RETURNING adjustment_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_adjustment(text, text, numeric, text, text, text, text, text) IS
'Enters pay by hand, and returns its adjustment_id. It is paid once somebody else has approved it: spm.approve_adjustment().
payee: payee_key. period: name of the period that pays it. amount: money, negative to take back. currency: code. reason: shown on the statement. plan: whose pay rules it takes part in; NULL: none. component: shown with it. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee, period, currency, plan or component; 22023 without a reason, for an amount that cannot be paid, or another currency than the plan''s; 55000 for a period that is posted or has parts.
Example: SELECT spm.add_adjustment(''U-17'', ''2026-Q1'', 500, ''USD'', ''speaker at the kick-off'');';

CREATE OR REPLACE FUNCTION spm._adjustment(adjustment_id int)
    RETURNS spm.adjustment
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.adjustment;
BEGIN
    SELECT a.* INTO this FROM spm.adjustment a WHERE a.adjustment_id = _adjustment.adjustment_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'adjustment % does not exist', _adjustment.adjustment_id
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.adjustment;';
    END IF;
    IF this.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'adjustment % is withdrawn', _adjustment.adjustment_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s: %s.', this.withdrawn_by, this.withdrawal_reason),
                  HINT = 'SELECT spm.add_adjustment(...); enters a new one.';
    END IF;
    RETURN this;
END
$$;
COMMENT ON FUNCTION spm._adjustment(int) IS 'An adjustment that stands, locked; or error 42704, or 55000 for one that is withdrawn.';
REVOKE ALL ON FUNCTION spm._adjustment(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.approve_adjustment(adjustment_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.adjustment := spm._adjustment(approve_adjustment.adjustment_id);
BEGIN
    IF this.approved_at IS NOT NULL THEN
        RAISE EXCEPTION 'adjustment % is approved already', this.adjustment_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s.', this.approved_by), HINT = 'Nothing is left to do.';
    END IF;
    IF this.recorded_by = session_user THEN
        RAISE EXCEPTION 'adjustment % cannot be approved by who entered it', this.adjustment_id
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('%s entered it.', this.recorded_by), HINT = 'Let another login approve it.';
    END IF;
    UPDATE spm.adjustment a SET approved_at = clock_timestamp(), approved_by = session_user WHERE a.adjustment_id = this.adjustment_id;
    PERFORM spm._unsettle((SELECT p.calendar_id FROM spm.period p WHERE p.period_id = this.period_id));
END
$$;
COMMENT ON FUNCTION spm.approve_adjustment(int) IS
'Approves an adjustment that another login has entered: its period pays it, or the first open one after it. Calculated periods must be calculated again.
Errors: 42501 for the login that entered it, 42704 for an unknown one, 55000 for one that is approved or withdrawn.
Example: SELECT spm.approve_adjustment(1);';

CREATE OR REPLACE FUNCTION spm.withdraw_adjustment(adjustment_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.adjustment := spm._adjustment(withdraw_adjustment.adjustment_id);
BEGIN
    PERFORM spm._check_text(withdraw_adjustment.reason, 'reason');
    IF EXISTS (SELECT FROM spm.payout x JOIN spm.posting o USING (posting_id) WHERE x.adjustment_id = this.adjustment_id AND o.state = 'posted') THEN
        RAISE EXCEPTION 'adjustment % is paid', this.adjustment_id
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Enter another that takes it back: spm.add_adjustment() with the opposite amount.';
    END IF;
    UPDATE spm.adjustment a SET withdrawn_at = clock_timestamp(), withdrawn_by = session_user, withdrawal_reason = withdraw_adjustment.reason
    WHERE a.adjustment_id = this.adjustment_id;
    PERFORM spm._unsettle((SELECT p.calendar_id FROM spm.period p WHERE p.period_id = this.period_id));
END
$$;
COMMENT ON FUNCTION spm.withdraw_adjustment(int, text) IS
'Withdraws an adjustment that is not paid yet; the row is kept. Calculated periods must be calculated again.
adjustment_id: key. reason: kept with it.
Errors: 55000 when it is paid or withdrawn, 42704 for an unknown one, 22023 without a reason.
Example: SELECT spm.withdraw_adjustment(1, ''entered twice'');';

-- ----------------------------------------------------------------------- guards

CREATE OR REPLACE FUNCTION spm._guard_decision()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    decided text[] := TG_ARGV;
    before jsonb := to_jsonb(OLD);
    after jsonb;
    fields text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        after := to_jsonb(NEW);
        -- each decision is made once, by whoever makes it
        SELECT string_agg(f, ', ' ORDER BY f) INTO fields FROM jsonb_object_keys(after) f
        WHERE before -> f <> after -> f
          AND NOT (before -> f = 'null' AND f = ANY (decided) AND (f NOT LIKE '%\_by' OR after ->> f = session_user));
        IF fields IS NULL THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a row of spm.% is kept as it was recorded', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', DETAIL = concat('Changed: ' || fields, CASE TG_OP WHEN 'DELETE' THEN 'It was to be deleted.' END),
              HINT = 'SELECT spm.release(hold_id, reason); or spm.withdraw_adjustment(adjustment_id, reason);';
END
$$;
COMMENT ON FUNCTION spm._guard_decision() IS 'Trigger: a row stays as it was recorded; only the columns named in the arguments may be set, once, in the name of the login that does it.';
REVOKE ALL ON FUNCTION spm._guard_decision() FROM PUBLIC;

CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.hold
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('held_by', 'released_by');
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.adjustment
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by', 'approved_by', 'withdrawn_by');
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.hold
    FOR EACH ROW EXECUTE FUNCTION spm._guard_decision('released_at', 'released_by', 'release_reason');
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.hold
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.adjustment
    FOR EACH ROW EXECUTE FUNCTION spm._guard_decision('approved_at', 'approved_by', 'withdrawn_at', 'withdrawn_by', 'withdrawal_reason');
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.pay_rule
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.balance
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.balance
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.holdback_release
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
