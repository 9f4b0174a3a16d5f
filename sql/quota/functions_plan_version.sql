/*
 * quota/functions_plan_version.sql: proposing, approving and publishing the
 * versions of a quota plan, and what is kept of every step.
 */

-- ----------------------------------------------------------- guards and the log

CREATE OR REPLACE FUNCTION spm._guard_quota_plan()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    closed text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- a restore loads what was published; the owner of the tables runs it
        IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
            RETURN NULL;
        END IF;
        SELECT v.state INTO closed FROM added a JOIN spm.quota_plan_version v USING (quota_plan_version_id) WHERE v.state <> 'draft' LIMIT 1;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT v.state INTO closed
        FROM (SELECT a.quota_plan_version_id FROM added a UNION SELECT r.quota_plan_version_id FROM removed r) c JOIN spm.quota_plan_version v USING (quota_plan_version_id)
        WHERE v.state <> 'draft' LIMIT 1;
    ELSE
        SELECT v.state INTO closed FROM removed r JOIN spm.quota_plan_version v USING (quota_plan_version_id) WHERE v.state <> 'draft' LIMIT 1;
    END IF;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'a version of a quota plan that is % is not changed', closed
            USING ERRCODE = 'restrict_violation',
                  HINT = CASE WHEN closed IN ('proposed', 'approved') THEN 'SELECT spm.return_quota_plan(plan, reason);' ELSE 'SELECT spm.new_quota_plan_version(plan, reason);' END;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._guard_quota_plan() IS 'Trigger: what belongs to a version is changed in a draft only. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_quota_plan() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard_insert AFTER INSERT ON spm.quota_plan_node REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_update AFTER UPDATE ON spm.quota_plan_node REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_delete AFTER DELETE ON spm.quota_plan_node REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_insert AFTER INSERT ON spm.quota_plan_input REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_update AFTER UPDATE ON spm.quota_plan_input REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_delete AFTER DELETE ON spm.quota_plan_input REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_insert AFTER INSERT ON spm.quota_plan_factor REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_update AFTER UPDATE ON spm.quota_plan_factor REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_delete AFTER DELETE ON spm.quota_plan_factor REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_insert AFTER INSERT ON spm.quota_plan_level REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_update AFTER UPDATE ON spm.quota_plan_level REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_delete AFTER DELETE ON spm.quota_plan_level REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_insert AFTER INSERT ON spm.quota_plan_season REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_update AFTER UPDATE ON spm.quota_plan_season REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();
CREATE OR REPLACE TRIGGER guard_delete AFTER DELETE ON spm.quota_plan_season REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_quota_plan();

CREATE OR REPLACE FUNCTION spm._guard_quota_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    steps CONSTANT text[] := '{draft proposed,draft withdrawn,proposed draft,proposed approved,approved draft,approved published,published replaced}';
    stamped spm.quota_plan_version := NEW;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'versions of a quota plan are kept'
            USING ERRCODE = 'restrict_violation', HINT = 'SELECT spm.withdraw_quota_plan(plan, reason);';
    END IF;
    IF NEW.state = OLD.state THEN
        IF OLD.state <> 'draft' AND NEW IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'a version of a quota plan that is % is not changed', OLD.state
                USING ERRCODE = 'restrict_violation', HINT = 'SELECT spm.new_quota_plan_version(plan, reason);';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state || ' ' || NEW.state <> ALL (steps) THEN
        RAISE EXCEPTION 'a version of a quota plan that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', HINT = 'It goes from draft to proposed, approved, published and replaced; back to draft until it is published.';
    END IF;
    -- nothing but the state, and why; who did it is not for them to say
    stamped := OLD;
    stamped.state := NEW.state;
    stamped.reason := NEW.reason;
    CASE NEW.state
        WHEN 'proposed' THEN
            stamped.proposed_at := clock_timestamp();
            stamped.proposed_by := session_user;
        WHEN 'approved' THEN
            IF session_user = OLD.proposed_by OR EXISTS (SELECT FROM spm.quota_plan_change c
                    WHERE c.quota_plan_version_id = OLD.quota_plan_version_id AND c.recorded_by = session_user AND c.what <> 'state') THEN
                RAISE EXCEPTION 'who proposed or changed a version of a quota plan does not approve it'
                    USING ERRCODE = 'insufficient_privilege', DETAIL = format('You are "%s".', session_user), HINT = 'Let another login call spm.approve_quota_plan(plan, reason).';
            END IF;
            stamped.approved_at := clock_timestamp();
            stamped.approved_by := session_user;
        WHEN 'published' THEN
            stamped.published_at := clock_timestamp();
            stamped.published_by := session_user;
        WHEN 'draft' THEN
            stamped.proposed_at := NULL;
            stamped.proposed_by := NULL;
            stamped.approved_at := NULL;
            stamped.approved_by := NULL;
        ELSE
            NULL;
    END CASE;
    RETURN stamped;
END
$$;
COMMENT ON FUNCTION spm._guard_quota_version() IS 'Trigger: versions go their way step by step, another login approves than proposed or changed, and what is no draft stays as it is. Errors 23001, 42501.';
REVOKE ALL ON FUNCTION spm._guard_quota_version() FROM PUBLIC;
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.quota_plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._guard_quota_version();
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.quota_plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by', 'proposed_by', 'proposed_at', 'approved_by', 'approved_at', 'published_by', 'published_at');
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.quota_plan_version
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

CREATE OR REPLACE FUNCTION spm._note_quota_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO spm.quota_plan_change (quota_plan_version_id, what, old_value, new_value, reason)
    SELECT NEW.quota_plan_version_id, c.what, c.old_value, c.new_value, NEW.reason
    FROM (VALUES ('state', OLD.state, NEW.state), ('total', OLD.total::text, NEW.total::text), ('unit', OLD.unit::text, NEW.unit::text), ('method', OLD.method, NEW.method),
            ('carry', OLD.carry_ratio || ' of ' || OLD.carry_input, NEW.carry_ratio || ' of ' || NEW.carry_input)) c(what, old_value, new_value)
    WHERE c.old_value IS DISTINCT FROM c.new_value;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._note_quota_version() IS 'Trigger: keeps the steps of a version, and changes of its total, unit, method and what is carried, in spm.quota_plan_change.';
REVOKE ALL ON FUNCTION spm._note_quota_version() FROM PUBLIC;
CREATE OR REPLACE TRIGGER note AFTER UPDATE ON spm.quota_plan_version FOR EACH ROW EXECUTE FUNCTION spm._note_quota_version();

CREATE OR REPLACE FUNCTION spm._note_quota_node()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO spm.quota_plan_change (quota_plan_version_id, position_id, what, old_value, new_value, reason)
    SELECT a.quota_plan_version_id, a.position_id, c.what, c.old_value, c.new_value, a.reason
    FROM added a
    JOIN removed r USING (quota_plan_version_id, position_id)
    CROSS JOIN LATERAL (VALUES ('locked amount', r.locked_amount::text, a.locked_amount::text), ('at least', r.at_least::text, a.at_least::text), ('at most', r.at_most::text, a.at_most::text),
            ('bottom up', r.bottom_up::text, a.bottom_up::text), ('variance', r.variance::text, a.variance::text),
            ('parent', r.parent_position_id::text, a.parent_position_id::text)) c(what, old_value, new_value)
    WHERE c.old_value IS DISTINCT FROM c.new_value
    ORDER BY a.quota_plan_version_id, a.position_id, c.what;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._note_quota_node() IS 'Trigger: keeps overrides, bounds and requests in spm.quota_plan_change.';
REVOKE ALL ON FUNCTION spm._note_quota_node() FROM PUBLIC;
CREATE OR REPLACE TRIGGER note AFTER UPDATE ON spm.quota_plan_node REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION spm._note_quota_node();
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.quota_plan_change
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by');
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.quota_plan_change
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

-- ------------------------------------------------------------------- the steps

CREATE OR REPLACE FUNCTION spm._step_quota_plan(plan text, from_states text[], to_state text, reason text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version := spm._quota_version(_step_quota_plan.plan);
BEGIN
    SELECT v.* INTO this FROM spm.quota_plan_version v WHERE v.quota_plan_version_id = this.quota_plan_version_id FOR UPDATE;
    IF this.state <> ALL (_step_quota_plan.from_states) THEN
        RAISE EXCEPTION 'version % of quota plan "%" is %, not %', this.version, _step_quota_plan.plan, this.state, array_to_string(_step_quota_plan.from_states, ' or ')
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'draft' THEN format('SELECT spm.propose_quota_plan(%L, reason);', _step_quota_plan.plan)
                                         WHEN 'proposed' THEN format('SELECT spm.approve_quota_plan(%L, reason);', _step_quota_plan.plan)
                                         WHEN 'approved' THEN format('SELECT spm.publish_quota_plan(%L);', _step_quota_plan.plan)
                                         ELSE format('SELECT spm.new_quota_plan_version(%L, reason);', _step_quota_plan.plan) END;
    END IF;
    UPDATE spm.quota_plan_version v SET state = _step_quota_plan.to_state, reason = coalesce(_step_quota_plan.reason, v.reason)
    WHERE v.quota_plan_version_id = this.quota_plan_version_id;
    RETURN this.version;
END
$$;
COMMENT ON FUNCTION spm._step_quota_plan(text, text[], text, text) IS 'Takes the current version of a plan from one of these states to another and returns its number. Errors 42704, 55000.';
REVOKE ALL ON FUNCTION spm._step_quota_plan(text, text[], text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.propose_quota_plan(plan text, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id int := spm._quota_draft(propose_quota_plan.plan);
    stale text;
BEGIN
    SELECT s.position_key INTO stale
    FROM spm._quota_amounts(version_id) r
    JOIN spm.quota_plan_node n ON n.quota_plan_version_id = version_id AND n.position_id = r.position_id
    JOIN spm.position s ON s.position_id = r.position_id
    WHERE n.amount IS DISTINCT FROM r.amount ORDER BY s.position_key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'quota plan "%" has changed since it was allocated', propose_quota_plan.plan
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Position "%s" would have another amount.', stale),
                  HINT = format('SELECT * FROM spm.allocate_quota_plan(%L);', propose_quota_plan.plan);
    END IF;
    RETURN spm._step_quota_plan(propose_quota_plan.plan, '{draft}', 'proposed', propose_quota_plan.reason);
END
$$;
COMMENT ON FUNCTION spm.propose_quota_plan(text, text) IS
'Proposes the draft of a quota plan for approval, and returns its version. From then on it is not changed, unless it is returned. Its amounts must be what its factors, bounds and locks say now.
plan: name. reason: kept.
Errors: 42704 unknown plan, 55000 when there is no draft or it has changed since it was allocated, 22023 when it cannot be allocated.
Example: SELECT spm.propose_quota_plan(''FY26'', ''for the board'');';

CREATE OR REPLACE FUNCTION spm.approve_quota_plan(plan text, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN spm._step_quota_plan(approve_quota_plan.plan, '{proposed}', 'approved', approve_quota_plan.reason);
END
$$;
COMMENT ON FUNCTION spm.approve_quota_plan(text, text) IS
'Approves the proposed version of a quota plan, and returns it. Four eyes: that takes another login (session_user) than the one that proposed it or those that changed it.
plan: name. reason: kept.
Errors: 42704 unknown plan, 55000 when none is proposed, 42501 for who proposed or changed it.
Example: SELECT spm.approve_quota_plan(''FY26'', ''board, 5 March'');';

CREATE OR REPLACE FUNCTION spm.return_quota_plan(plan text, reason text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM spm._check_text(return_quota_plan.reason, 'reason');
    RETURN spm._step_quota_plan(return_quota_plan.plan, '{proposed,approved}', 'draft', return_quota_plan.reason);
END
$$;
COMMENT ON FUNCTION spm.return_quota_plan(text, text) IS
'Makes a proposed or approved version of a quota plan a draft again, and returns it; it has to be proposed and approved anew.
plan: name. reason: why, kept.
Errors: 42704 unknown plan, 55000 when none is proposed or approved, 22023 without a reason.
Example: SELECT spm.return_quota_plan(''FY26'', ''East is too high'');';

CREATE OR REPLACE FUNCTION spm.withdraw_quota_plan(plan text, reason text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM spm._check_text(withdraw_quota_plan.reason, 'reason');
    RETURN spm._step_quota_plan(withdraw_quota_plan.plan, '{draft}', 'withdrawn', withdraw_quota_plan.reason);
END
$$;
COMMENT ON FUNCTION spm.withdraw_quota_plan(text, text) IS
'Gives up the draft of a quota plan, which is kept, and returns its version.
plan: name. reason: why, kept.
Errors: 42704 unknown plan, 55000 when there is no draft, 22023 without a reason.
Example: SELECT spm.withdraw_quota_plan(''FY26'', ''reorganised'');';

CREATE OR REPLACE FUNCTION spm.publish_quota_plan(plan text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.quota_plan_version := spm._quota_version(publish_quota_plan.plan);
    whole spm.quota_plan := (SELECT p FROM spm.quota_plan p WHERE p.quota_plan_id = this.quota_plan_id);
    published_id int := (SELECT v.quota_plan_version_id FROM spm.quota_plan_version v WHERE v.quota_plan_id = this.quota_plan_id AND v.state = 'published');
    seats int[];
    periods int[];
    amounts numeric[];
    published bigint;
BEGIN
    IF this.state = 'approved' AND published_id IS NOT NULL THEN
        UPDATE spm.quota_plan_version v SET state = 'replaced' WHERE v.quota_plan_version_id = published_id;
    END IF;
    PERFORM spm._step_quota_plan(publish_quota_plan.plan, '{approved}', 'published', NULL);
    SELECT array_agg(r.position_id), array_agg(r.period_id), array_agg(r.amount) INTO seats, periods, amounts
    FROM spm._quota_parts(this.quota_plan_version_id) r;

    -- what these seats, and those that have left the plan, had in the period or parts of it, unless it stays the same
    UPDATE spm.quota q SET superseded_at = clock_timestamp()
    WHERE q.measure_id = whole.measure_id AND q.superseded_at IS NULL
      AND q.position_id IN (SELECT n.position_id FROM spm.quota_plan_node n WHERE n.quota_plan_version_id IN (this.quota_plan_version_id, published_id))
      AND q.period_id IN (SELECT p.period_id FROM spm.period p JOIN spm.period w ON w.period_id = whole.period_id AND p.calendar_id = w.calendar_id AND p.span <@ w.span)
      AND NOT EXISTS (SELECT FROM unnest(seats, periods, amounts) r(position_id, period_id, amount)
                      WHERE r.position_id = q.position_id AND r.period_id = q.period_id AND r.amount = q.amount);
    INSERT INTO spm.quota (position_id, measure_id, period_id, amount, reason)
    SELECT r.position_id, whole.measure_id, r.period_id, r.amount, concat_ws(': ', format('%s, version %s', whole.name, this.version), coalesce(n.reason, this.reason))
    FROM unnest(seats, periods, amounts) r(position_id, period_id, amount)
    JOIN spm.quota_plan_node n ON n.quota_plan_version_id = this.quota_plan_version_id AND n.position_id = r.position_id
    WHERE NOT EXISTS (SELECT FROM spm.quota q
                      WHERE q.position_id = r.position_id AND q.measure_id = whole.measure_id AND q.period_id = r.period_id AND q.superseded_at IS NULL)
    ORDER BY r.position_id, r.period_id;
    GET DIAGNOSTICS published = ROW_COUNT;
    RETURN published;
END
$$;
COMMENT ON FUNCTION spm.publish_quota_plan(text) IS
'Makes the amounts of the approved version quotas of its seats, for the periods of the plan, and returns how many quotas are new or other than before. As with spm.set_quota(), the same amount again changes nothing, and what was there is ended and kept; so is what seats that have left the plan had from the version before, which is replaced.
plan: name. The quota carries the plan, its version and the reason of the seat or version as its reason.
Errors: 42704 unknown plan, 55000 when no version is approved.
Example: SELECT spm.publish_quota_plan(''FY26'');';

CREATE OR REPLACE FUNCTION spm.new_quota_plan_version(plan text, reason text, as_of date DEFAULT NULL, except_titles text[] DEFAULT '{}')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old spm.quota_plan_version := spm._quota_version(new_quota_plan_version.plan);
    tops text[];
    id int;
    number int;
BEGIN
    PERFORM spm._check_text(new_quota_plan_version.reason, 'reason');
    IF old.state IN ('draft', 'proposed', 'approved') THEN
        RAISE EXCEPTION 'version % of quota plan "%" is % already', old.version, new_quota_plan_version.plan, old.state
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Go on with it, or SELECT spm.withdraw_quota_plan(%L, reason);', new_quota_plan_version.plan);
    END IF;
    INSERT INTO spm.quota_plan_version (quota_plan_id, version, total, unit, method, carry_input, carry_ratio, as_of, reason)
    SELECT old.quota_plan_id, max(v.version) + 1, old.total, old.unit, old.method, old.carry_input, old.carry_ratio,
        coalesce(new_quota_plan_version.as_of, old.as_of), new_quota_plan_version.reason
    FROM spm.quota_plan_version v WHERE v.quota_plan_id = old.quota_plan_id
    RETURNING quota_plan_version_id, version INTO id, number;
    IF new_quota_plan_version.as_of IS NULL THEN
        INSERT INTO spm.quota_plan_node (quota_plan_version_id, position_id, parent_position_id, level, at_least, at_most, locked_amount, bottom_up, variance, reason, weight, amount)
        SELECT id, n.position_id, n.parent_position_id, n.level, n.at_least, n.at_most, n.locked_amount, n.bottom_up, n.variance, n.reason, n.weight, n.amount
        FROM spm.quota_plan_node n WHERE n.quota_plan_version_id = old.quota_plan_version_id;
    ELSE
        SELECT array_agg(s.position_key) INTO tops FROM spm.quota_plan_node n JOIN spm.position s USING (position_id)
        WHERE n.quota_plan_version_id = old.quota_plan_version_id AND n.parent_position_id IS NULL;
        PERFORM spm._read_quota_tree(id, CASE WHEN cardinality(tops) = 1 THEN tops[1] END, new_quota_plan_version.except_titles);
        UPDATE spm.quota_plan_node n
        SET at_least = o.at_least, at_most = o.at_most, locked_amount = o.locked_amount, bottom_up = o.bottom_up, variance = o.variance, reason = o.reason
        FROM spm.quota_plan_node o
        WHERE n.quota_plan_version_id = id AND o.quota_plan_version_id = old.quota_plan_version_id AND o.position_id = n.position_id;
    END IF;
    INSERT INTO spm.quota_plan_input (quota_plan_version_id, name, position_id, amount)
    SELECT id, i.name, i.position_id, i.amount FROM spm.quota_plan_input i JOIN spm.quota_plan_node n ON n.quota_plan_version_id = id AND n.position_id = i.position_id
    WHERE i.quota_plan_version_id = old.quota_plan_version_id;
    INSERT INTO spm.quota_plan_factor (quota_plan_version_id, level, name, weight)
    SELECT id, f.level, f.name, f.weight FROM spm.quota_plan_factor f WHERE f.quota_plan_version_id = old.quota_plan_version_id;
    INSERT INTO spm.quota_plan_level (quota_plan_version_id, level, over_assignment)
    SELECT id, l.level, l.over_assignment FROM spm.quota_plan_level l WHERE l.quota_plan_version_id = old.quota_plan_version_id;
    INSERT INTO spm.quota_plan_season (quota_plan_version_id, position_id, shares)
    SELECT id, s.position_id, s.shares FROM spm.quota_plan_season s JOIN spm.quota_plan_node n ON n.quota_plan_version_id = id AND n.position_id = s.position_id
    WHERE s.quota_plan_version_id = old.quota_plan_version_id;
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.new_quota_plan_version(text, text, date, text[]) IS
'Begins a new draft of a quota plan as a copy of the published version (or else the last), and returns its number. Nothing changes for anybody until it is approved and published.
plan: name. reason: why, kept. as_of: reads the reporting tree of that day anew; bounds, locks, requests and inputs of the seats that are still there stay. NULL: the same tree. except_titles: with as_of, titles whose seats carry no quota.
Errors: 42704 unknown plan, position or title, 55000 when a version is being worked on, 22023 without a reason or tree.
Example: SELECT spm.new_quota_plan_version(''FY26'', ''reorganisation in July'', as_of => ''2026-07-01'');';
