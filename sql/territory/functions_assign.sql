/*
 * territory/functions_assign.sql: which account belongs to which territory.
 *
 * What is to become of each account is put into pg_temp.spm_assign, one row
 * per account and type; then only what differs is written.
 */

-- ------------------------------------------------------------------ the plan

CREATE OR REPLACE FUNCTION spm._accounts_of(model_id int)
    RETURNS spm.territory_model
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model;
BEGIN
    SELECT m.* INTO it FROM spm.territory_model m WHERE m.territory_model_id = _accounts_of.model_id;
    IF it.relation_name IS NULL THEN
        RAISE EXCEPTION 'model "%" has no accounts', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Say where they are: SELECT spm.map_accounts(%L, ''crm.account'', key => ''account_id'');', it.name);
    ELSIF to_regclass(format('%I.%I', it.relation_schema, it.relation_name)) IS NULL THEN
        RAISE EXCEPTION 'the accounts of model "%" are gone: %.% does not exist', it.name, it.relation_schema, it.relation_name
            USING ERRCODE = 'undefined_table', HINT = format('Say where they are now: SELECT spm.map_accounts(%L, ...);', it.name);
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._accounts_of(int) IS 'A model with accounts; error 55000 when none are mapped, 42P01 when their relation is gone.';
REVOKE ALL ON FUNCTION spm._accounts_of(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._account_sql(model_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._accounts_of(_account_sql.model_id);
BEGIN
    -- the row said so that it is no column, should one have that name
    RETURN format('SELECT (r.*)::%I.%I AS account, r.%I::text AS account_key, %s AS head_key, %s AS potential, %s AS latitude, %s AS longitude FROM %I.%I r',
        it.relation_schema, it.relation_name, it.key_column,
        CASE WHEN it.family_column IS NULL THEN 'NULL::text' ELSE format('nullif(nullif(r.%I::text, ''''), r.%I::text)', it.family_column, it.key_column) END,
        CASE WHEN it.potential_column IS NULL THEN '1::numeric' ELSE format('coalesce(r.%I::numeric, 0)', it.potential_column) END,
        CASE WHEN it.latitude_column IS NULL THEN 'NULL::numeric' ELSE format('r.%I::numeric', it.latitude_column) END,
        CASE WHEN it.longitude_column IS NULL THEN 'NULL::numeric' ELSE format('r.%I::numeric', it.longitude_column) END,
        it.relation_schema, it.relation_name);
END
$$;
COMMENT ON FUNCTION spm._account_sql(int) IS 'SQL of the accounts of a model: the row itself, key, head of the family (NULL: it is the head), potential, latitude, longitude.';
REVOKE ALL ON FUNCTION spm._account_sql(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._accounts_of_rules(model_id int, as_of date, rules int[])
    RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- what an inherited rule asks binds all rules below it
    bound int[] := ARRAY(
        WITH RECURSIVE below AS (
            SELECT r.territory_id FROM spm.territory_rule r WHERE r.territory_rule_id = ANY (_accounts_of_rules.rules) AND r.is_inherited
            UNION
            SELECT t.territory_id FROM below b JOIN spm.territory t ON t.parent_territory_id = b.territory_id)
        SELECT r.territory_rule_id FROM below b JOIN spm.territory_rule r USING (territory_id)
        UNION
        SELECT unnest(_accounts_of_rules.rules));
    accounts text[];
BEGIN
    EXECUTE format('SELECT array_agg(a.account_key) FROM (%s) a WHERE spm._touches_rules(a.account, $1, $2)', spm._account_sql(_accounts_of_rules.model_id))
        INTO accounts USING bound, (SELECT m.name FROM spm.territory_model m WHERE m.territory_model_id = _accounts_of_rules.model_id);
    RETURN coalesce(accounts, '{}') || ARRAY(
        SELECT a.account_key FROM spm.territory_assignment a
        WHERE a.territory_model_id = _accounts_of_rules.model_id AND a.territory_rule_id = ANY (bound) AND a.span @> _accounts_of_rules.as_of);
END
$$;
COMMENT ON FUNCTION spm._accounts_of_rules(int, date, int[]) IS 'Keys of the accounts that some rules, which may be gone by now, can win or have won: a change of these rules touches no other.';
REVOKE ALL ON FUNCTION spm._accounts_of_rules(int, date, int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._want_territories(model_id int, as_of date, accounts text[] DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
DECLARE
    it spm.territory_model := spm._accounts_of(_want_territories.model_id);
    types constant text[] := ARRAY(SELECT DISTINCT t.type FROM spm.territory t WHERE t.territory_model_id = it.territory_model_id ORDER BY 1);
    source constant text := spm._account_sql(it.territory_model_id);
    heads text[];
    wrong record;
BEGIN
    IF _want_territories.accounts IS NOT NULL AND it.family_column IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(DISTINCT a.head_key) FROM (%s) a WHERE a.account_key = ANY ($1) AND a.head_key IS NOT NULL', source)
            INTO heads USING _want_territories.accounts;
        heads := _want_territories.accounts || coalesce(heads, '{}');
    ELSE
        heads := _want_territories.accounts;
    END IF;
    DROP TABLE IF EXISTS pg_temp.spm_wanted;
    EXECUTE format('CREATE TEMP TABLE spm_wanted ON COMMIT DROP AS
        SELECT w.*, r.territory_id, false AS is_family
        FROM (SELECT a.account_key, k.type, spm.territory_rule_of(a.account, %L::date, k.type, %L) AS territory_rule_id, a.head_key, a.potential
              FROM (%s) a CROSS JOIN unnest(%L::text[]) k(type) WHERE %s OFFSET 0) w
        LEFT JOIN spm.territory_rule r USING (territory_rule_id)', _want_territories.as_of, it.name, source, types,
        CASE WHEN heads IS NULL THEN 'true' WHEN it.family_column IS NULL THEN format('a.account_key = ANY (%L)', heads)
             ELSE format('a.account_key = ANY (%L) OR a.head_key = ANY (%L)', heads, heads) END);
    ANALYZE pg_temp.spm_wanted;
    -- hashes are quicker to count; where they differ a closer look follows
    SELECT w.account_key, count(*) AS n INTO wrong
    FROM pg_temp.spm_wanted w
    WHERE (SELECT count(*) <> count(DISTINCT hashtextextended(h.account_key, hashtext(h.type))) FROM pg_temp.spm_wanted h)
    GROUP BY w.type, w.account_key HAVING count(*) > 1 OR w.account_key IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', CASE WHEN wrong.account_key IS NULL THEN 'an account has no key' ELSE format('account "%s" occurs %s times', wrong.account_key, wrong.n) END
            USING ERRCODE = 'unique_violation', DETAIL = format('Column %I of %I.%I.', it.key_column, it.relation_schema, it.relation_name),
                  HINT = 'Map a relation with one row per account.';
    END IF;
    SELECT w.account_key, w.potential INTO wrong FROM pg_temp.spm_wanted w WHERE w.potential IN ('NaN', 'Infinity', '-Infinity') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account "%" has no usable potential', wrong.account_key
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', wrong.potential),
                  HINT = format('Repair %I of %I.%I; NULL counts as 0.', it.potential_column, it.relation_schema, it.relation_name);
    END IF;
    IF it.family_column IS NOT NULL THEN
        SELECT w.account_key, h.account_key AS head_key, h.head_key AS next_key INTO wrong
        FROM pg_temp.spm_wanted w JOIN pg_temp.spm_wanted h ON h.account_key = w.head_key AND h.type = w.type AND h.head_key IS NOT NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'account "%" heads a family and belongs to another', wrong.head_key
                USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It heads that of "%s", and "%s" heads its own.', wrong.account_key, wrong.next_key),
                      HINT = format('Map a view in which %I is the account at the top.', it.family_column);
        END IF;
        -- a family follows its head, also to where that stays
        UPDATE pg_temp.spm_wanted w SET is_family = true, territory_id = coalesce(l.territory_id, h.territory_id),
            territory_rule_id = CASE WHEN l.territory_id IS NULL THEN h.territory_rule_id END
        FROM pg_temp.spm_wanted h
        LEFT JOIN (SELECT a.* FROM spm.territory_assignment a JOIN spm.territory t ON t.territory_id = a.territory_id AND t.span @> _want_territories.as_of
                   WHERE a.territory_model_id = it.territory_model_id AND a.span @> _want_territories.as_of AND (a.is_locked OR a.origin IN ('manual', 'design'))) l
            ON l.account_key = h.account_key AND l.type = h.type AND (l.is_locked OR h.territory_id IS NULL)
        WHERE h.account_key = w.head_key AND h.type = w.type;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._want_territories(int, date, text[]) IS 'Puts the territory that each account should have on a day, one of each type, and the rule that gives it into pg_temp.spm_wanted. accounts: only these and their families; NULL: all. Errors 23505, 22023 for accounts that are there twice or in two families.';
REVOKE ALL ON FUNCTION spm._want_territories(int, date, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_assignment(model_id int, as_of date, accounts text[] DEFAULT NULL, rules int[] DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    SET jit = off
AS $$
DECLARE
    chosen text[] := CASE WHEN num_nonnulls(_plan_assignment.accounts, _plan_assignment.rules) > 0 THEN coalesce(_plan_assignment.accounts, '{}') END;
BEGIN
    IF _plan_assignment.as_of IS NULL OR _plan_assignment.as_of IN ('-infinity', 'infinity') THEN
        RAISE EXCEPTION 'accounts are assigned from a day on' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it: as_of => ''2026-01-01''.';
    END IF;
    IF _plan_assignment.rules IS NOT NULL THEN
        chosen := chosen || spm._accounts_of_rules(_plan_assignment.model_id, _plan_assignment.as_of, _plan_assignment.rules);
    END IF;
    PERFORM spm._want_territories(_plan_assignment.model_id, _plan_assignment.as_of, chosen);
    DROP TABLE IF EXISTS pg_temp.spm_assign;
    CREATE TEMP TABLE spm_assign ON COMMIT DROP AS
    SELECT account_key, type, coalesce(w.potential, 0) AS potential, w.territory_id AS to_territory_id, w.territory_rule_id,
           CASE WHEN w.is_family THEN 'family' ELSE 'rule' END AS origin, NULL::text AS reason, false AS is_locked,
           c.territory_assignment_id, c.territory_id AS from_territory_id, c.territory_rule_id AS from_territory_rule_id, c.origin AS from_origin,
           c.is_locked AS was_locked, c.reason AS from_reason, c.span AS from_span,
           CASE WHEN c.is_locked AND c.is_there THEN 'locked'
                WHEN c.territory_id = w.territory_id THEN 'kept'
                -- what people or designs have said gives way to a rule, not to the lack of one
                WHEN c.origin IN ('manual', 'design') AND c.is_there AND w.account_key IS NOT NULL AND w.territory_id IS NULL THEN 'kept'
                WHEN c.territory_id IS NULL AND w.territory_id IS NULL THEN 'unassigned'
                WHEN c.territory_id IS NULL THEN 'gained'
                WHEN w.territory_id IS NULL THEN 'lost'
                ELSE 'moved' END AS outcome
    FROM pg_temp.spm_wanted w
    FULL JOIN (SELECT a.*, t.span @> _plan_assignment.as_of AS is_there
               FROM spm.territory_assignment a JOIN spm.territory t USING (territory_id)
               WHERE a.territory_model_id = _plan_assignment.model_id AND a.span @> _plan_assignment.as_of
                 AND (chosen IS NULL OR a.account_key = ANY (chosen || ARRAY(SELECT w.account_key FROM pg_temp.spm_wanted w WHERE chosen IS NOT NULL)))) c
        USING (account_key, type);
    ANALYZE pg_temp.spm_assign;
END
$$;
COMMENT ON FUNCTION spm._plan_assignment(int, date, text[], int[]) IS 'Puts what becomes of each account on a day into pg_temp.spm_assign. accounts, rules: only accounts, with their families, that are named or that a change of the rules touches; both NULL: all.';
REVOKE ALL ON FUNCTION spm._plan_assignment(int, date, text[], int[]) FROM PUBLIC;

-- --------------------------------------------------------------- what is done

CREATE OR REPLACE FUNCTION spm._write_assignment(model_id int, as_of date, until date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
DECLARE
    most constant int := 1000;
    keys text[];
BEGIN
    DELETE FROM spm.territory_assignment a USING pg_temp.spm_assign p
    WHERE a.territory_assignment_id = p.territory_assignment_id AND p.outcome IN ('moved', 'lost') AND lower(p.from_span) = _write_assignment.as_of;
    UPDATE spm.territory_assignment a SET span = daterange(lower(p.from_span), _write_assignment.as_of)
    FROM pg_temp.spm_assign p
    WHERE a.territory_assignment_id = p.territory_assignment_id AND p.outcome IN ('moved', 'lost') AND lower(p.from_span) IS DISTINCT FROM _write_assignment.as_of;
    -- another rule, the same territory: nothing has moved
    UPDATE spm.territory_assignment a SET territory_rule_id = p.territory_rule_id, origin = p.origin
    FROM pg_temp.spm_assign p
    WHERE a.territory_assignment_id = p.territory_assignment_id AND p.outcome = 'kept' AND p.from_origin IN ('rule', 'family')
      AND (p.from_territory_rule_id, p.from_origin) IS DISTINCT FROM (p.territory_rule_id, p.origin);
    SELECT CASE WHEN count(*) <= most THEN array_agg(p.account_key) END INTO keys FROM pg_temp.spm_assign p WHERE p.outcome IN ('moved', 'gained');
    -- planned anew each time: one account or a million
    EXECUTE 'INSERT INTO spm.territory_assignment (territory_model_id, account_key, type, territory_id, territory_rule_id, origin, is_locked, span, reason)
        SELECT $1, p.account_key, p.type, p.to_territory_id, p.territory_rule_id, p.origin, p.is_locked,
               -- rules go no further than what they take the place of
               daterange($2, least($3, n.start, CASE WHEN p.origin IN (''rule'', ''family'') THEN upper(p.from_span) END)), p.reason
        FROM pg_temp.spm_assign p
        LEFT JOIN (SELECT a.account_key, a.type, min(lower(a.span)) AS start FROM spm.territory_assignment a
                   WHERE a.territory_model_id = $1 AND lower(a.span) > $2 AND ($4 IS NULL OR a.account_key = ANY ($4)) GROUP BY 1, 2) n USING (account_key, type)
        WHERE p.outcome IN (''moved'', ''gained'')
        UNION ALL           -- what holds again afterwards
        SELECT $1, p.account_key, p.type, p.from_territory_id, p.from_territory_rule_id, p.from_origin, p.was_locked, daterange($3, upper(p.from_span)), p.from_reason
        FROM pg_temp.spm_assign p
        WHERE p.outcome IN (''moved'', ''lost'') AND p.from_span @> $3'
        USING _write_assignment.model_id, _write_assignment.as_of, _write_assignment.until, keys;
END
$$;
COMMENT ON FUNCTION spm._write_assignment(int, date, date) IS 'Writes what pg_temp.spm_assign says: from a day on, until another day or until something else is known to begin; what rules say, no longer than what it takes the place of.';
REVOKE ALL ON FUNCTION spm._write_assignment(int, date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.assign_territories(model text DEFAULT NULL, as_of date DEFAULT current_date, until date DEFAULT NULL, dry_run boolean DEFAULT false,
                                                  accounts text[] DEFAULT NULL, rules int[] DEFAULT NULL)
    RETURNS TABLE (type text, outcome text, account_count bigint, potential numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(assign_territories.model);
BEGIN
    PERFORM spm._checked_span(assign_territories.as_of, assign_territories.until);
    -- one run at a time
    PERFORM FROM spm.territory_model m WHERE m.territory_model_id = model_id FOR NO KEY UPDATE;
    PERFORM spm._plan_assignment(model_id, assign_territories.as_of, assign_territories.accounts, assign_territories.rules);
    IF NOT coalesce(assign_territories.dry_run, false) THEN
        PERFORM spm._write_assignment(model_id, assign_territories.as_of, assign_territories.until);
    END IF;
    RETURN QUERY
    SELECT p.type, p.outcome, count(*), sum(p.potential) FROM pg_temp.spm_assign p
    GROUP BY p.type, p.outcome
    ORDER BY array_position('{primary,overlay,specialist}', p.type), array_position('{kept,gained,moved,lost,unassigned,locked}', p.outcome);
    DROP TABLE pg_temp.spm_assign, pg_temp.spm_wanted;
END
$$;
COMMENT ON FUNCTION spm.assign_territories(text, date, date, boolean, text[], int[]) IS
'Assigns the accounts of a model by its rules of a day, and returns what became of them: number of accounts and their potential by type and outcome, which is kept, gained (had none), moved, lost (has none any more), unassigned (has none) or locked (left alone). Only what changes is written: spans end and begin on the day. Families follow their heads.
model: name; NULL: the one active model. as_of: day. until: day from which what held before holds again; NULL: until something else is known to begin. dry_run: only count; spm.territory_move() has the accounts. accounts: only these and their families; rules: only accounts that a change of these rules can touch, which may be gone by now, so a key that never was is no error (after an inherited rule is taken away, assign all); both NULL: all.
Errors: 42704 for an unknown model, 55000 for an archived one or one without accounts; 23505 for an account that is there twice; 22023 for a family within a family, a potential that is no number, or days the wrong way round.
Example: SELECT * FROM spm.assign_territories(''2026'', as_of => ''2026-01-01'', dry_run => true);';

CREATE OR REPLACE FUNCTION spm.territory_move(model text DEFAULT NULL, as_of date DEFAULT current_date, accounts text[] DEFAULT NULL, rules int[] DEFAULT NULL)
    RETURNS TABLE (account_key text, type text, outcome text, from_territory text, to_territory text, territory_rule_id int, potential numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := (spm._territory_model(territory_move.model)).territory_model_id;
BEGIN
    PERFORM spm._plan_assignment(model_id, territory_move.as_of, territory_move.accounts, territory_move.rules);
    RETURN QUERY
    SELECT p.account_key, p.type, p.outcome, f.territory_key, t.territory_key, p.territory_rule_id, p.potential
    FROM pg_temp.spm_assign p
    LEFT JOIN spm.territory f ON f.territory_id = p.from_territory_id
    LEFT JOIN spm.territory t ON t.territory_id = p.to_territory_id
    WHERE p.outcome IN ('gained', 'moved', 'lost', 'unassigned')
    ORDER BY p.type COLLATE "C", p.account_key COLLATE "C";
    DROP TABLE pg_temp.spm_assign, pg_temp.spm_wanted;
END
$$;
COMMENT ON FUNCTION spm.territory_move(text, date, text[], int[]) IS
'Accounts that spm.assign_territories() with the same arguments would move, gain, lose or leave without a territory; nothing is written.
Example: SELECT * FROM spm.territory_move(''2026'', as_of => ''2026-01-01'') WHERE outcome = ''moved'';';

-- -------------------------------------------------------------------- by hand

CREATE OR REPLACE FUNCTION spm.assign_account(account text, territory text, since date, reason text, until date DEFAULT NULL,
                                              locked boolean DEFAULT true, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
AS $$
DECLARE
    model_id int := spm._open_territory_model(assign_account.model);
    id int := spm._territory_id(assign_account.territory, model_id);
    room daterange := spm._checked_span(assign_account.since, assign_account.until);
    is_known boolean := true;
BEGIN
    PERFORM spm._check_text(assign_account.account, 'account'), spm._check_text(assign_account.reason, 'reason');
    IF lower_inf(room) THEN
        RAISE EXCEPTION 'accounts are assigned from a day on' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it: since => ''2026-01-01''.';
    END IF;
    IF EXISTS (SELECT FROM spm.territory_model m WHERE m.territory_model_id = model_id AND m.relation_name IS NOT NULL) THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM (%s) a WHERE a.account_key = $1)', spm._account_sql(model_id)) INTO is_known USING assign_account.account;
    END IF;
    IF NOT is_known THEN
        RAISE EXCEPTION 'account "%" does not exist', assign_account.account
            USING ERRCODE = 'undefined_object', HINT = 'Accounts are those of spm.map_accounts().';
    END IF;
    PERFORM FROM spm.territory_model m WHERE m.territory_model_id = model_id FOR NO KEY UPDATE;
    DROP TABLE IF EXISTS pg_temp.spm_assign;
    CREATE TEMP TABLE spm_assign ON COMMIT DROP AS
    SELECT assign_account.account AS account_key, t.type, NULL::numeric AS potential, t.territory_id AS to_territory_id, NULL::int AS territory_rule_id,
           'manual'::text AS origin, assign_account.reason AS reason, coalesce(assign_account.locked, true) AS is_locked,
           c.territory_assignment_id, c.territory_id AS from_territory_id, c.territory_rule_id AS from_territory_rule_id, c.origin AS from_origin,
           c.is_locked AS was_locked, c.reason AS from_reason, c.span AS from_span,
           CASE WHEN c.territory_id IS NULL THEN 'gained' ELSE 'moved' END AS outcome
    FROM spm.territory t
    LEFT JOIN spm.territory_assignment c ON c.territory_model_id = model_id AND c.account_key = assign_account.account AND c.type = t.type
        AND c.span @> assign_account.since
    WHERE t.territory_id = id;
    PERFORM spm._write_assignment(model_id, assign_account.since, assign_account.until);
    DROP TABLE pg_temp.spm_assign;
END
$$;
COMMENT ON FUNCTION spm.assign_account(text, text, date, text, date, boolean, text) IS
'Assigns an account to a territory by hand. It then has no other of that type; with until, what held before holds again then.
account: key; territory: key; since, until: days, until exclusive, NULL for until something else is known to begin; reason: why; locked: whether rules and designs leave it alone; model: name; NULL: the one active model.
Errors: 42704 for an unknown one; 22023 without a reason or a day, or for days the wrong way round; 55000 for an archived model.
Example: SELECT spm.assign_account(''A-1001'', ''US-E'', since => ''2026-03-01'', reason => ''asked for by the customer'');';

CREATE OR REPLACE FUNCTION spm._set_lock(account text, locked boolean, as_of date, type text, reason text, model text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := spm._open_territory_model(_set_lock.model);
BEGIN
    UPDATE spm.territory_assignment a SET is_locked = _set_lock.locked, reason = coalesce(_set_lock.reason, a.reason)
    WHERE a.territory_model_id = model_id AND a.account_key = _set_lock.account AND a.span @> _set_lock.as_of
      AND (_set_lock.type IS NULL OR a.type = _set_lock.type);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account "%" has no territory on %', _set_lock.account, coalesce(_set_lock.as_of::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'What was assigned when is in spm_bi.territory_assignment.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._set_lock(text, boolean, date, text, text, text) IS 'Locks or unlocks what an account is assigned to on a day; error 42704 when that is nothing.';
REVOKE ALL ON FUNCTION spm._set_lock(text, boolean, date, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.lock_account(account text, reason text DEFAULT NULL, as_of date DEFAULT current_date, type text DEFAULT NULL, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT spm._set_lock(lock_account.account, true, lock_account.as_of, lock_account.type, lock_account.reason, lock_account.model)
$$;
COMMENT ON FUNCTION spm.lock_account(text, text, date, text, text) IS
'Keeps an account where it is on a day: rules and designs leave it alone.
account: key; reason: why; as_of: day; type: of the territory, NULL for all; model: name; NULL: the one active model.
Errors: 42704 when it has no territory on that day, or for an unknown model; 55000 for an archived one.
Example: SELECT spm.lock_account(''A-1001'', reason => ''renewal in June'');';

CREATE OR REPLACE FUNCTION spm.unlock_account(account text, as_of date DEFAULT current_date, type text DEFAULT NULL, model text DEFAULT NULL)
    RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT spm._set_lock(unlock_account.account, false, unlock_account.as_of, unlock_account.type, NULL, unlock_account.model)
$$;
COMMENT ON FUNCTION spm.unlock_account(text, date, text, text) IS
'Takes the lock of spm.lock_account() or spm.assign_account() away: the next run of spm.assign_territories() decides.
account: key; as_of: day; type: of the territory, NULL for all; model: name; NULL: the one active model.
Errors: 42704 when it has no territory on that day, or for an unknown model; 55000 for an archived one.
Example: SELECT spm.unlock_account(''A-1001'');';

-- ------------------------------------------------------------------ scenarios

CREATE OR REPLACE FUNCTION spm.copy_territory_model(model text, name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_id int := (spm._territory_model(copy_territory_model.model)).territory_model_id;
    new_id int := spm.add_territory_model(copy_territory_model.name);
BEGIN
    UPDATE spm.territory_model n SET relation_schema = o.relation_schema, relation_name = o.relation_name, key_column = o.key_column,
        family_column = o.family_column, potential_column = o.potential_column, latitude_column = o.latitude_column, longitude_column = o.longitude_column
    FROM spm.territory_model o WHERE n.territory_model_id = new_id AND o.territory_model_id = old_id;
    INSERT INTO spm.territory (territory_model_id, territory_key, name, type, span)
    SELECT new_id, t.territory_key, t.name, t.type, t.span FROM spm.territory t WHERE t.territory_model_id = old_id ORDER BY t.territory_id;
    UPDATE spm.territory n SET parent_territory_id = p.territory_id
    FROM spm.territory o
    JOIN spm.territory a ON a.territory_id = o.parent_territory_id
    JOIN spm.territory p ON p.territory_model_id = new_id AND p.territory_key = a.territory_key
    WHERE o.territory_model_id = old_id AND n.territory_model_id = new_id AND n.territory_key = o.territory_key;
    INSERT INTO spm.territory_holder (territory_id, position_id, role, share, span)
    SELECT n.territory_id, h.position_id, h.role, h.share, h.span
    FROM spm.territory_holder h JOIN spm.territory o USING (territory_id)
    JOIN spm.territory n ON n.territory_model_id = new_id AND n.territory_key = o.territory_key
    WHERE o.territory_model_id = old_id ORDER BY h.territory_holder_id;
    INSERT INTO spm.territory_attribute (territory_model_id, name, kind, column_name, longitude_column)
    SELECT new_id, a.name, a.kind, a.column_name, a.longitude_column FROM spm.territory_attribute a WHERE a.territory_model_id = old_id ORDER BY a.territory_attribute_id;
    INSERT INTO spm.territory_attribute_value (territory_attribute_id, value, parent_value)
    SELECT n.territory_attribute_id, v.value, v.parent_value
    FROM spm.territory_attribute_value v JOIN spm.territory_attribute o USING (territory_attribute_id)
    JOIN spm.territory_attribute n ON n.territory_model_id = new_id AND n.name = o.name
    WHERE o.territory_model_id = old_id;
    INSERT INTO spm.territory_rule (territory_id, kind, precedence, is_inherited, span, reason)
    SELECT n.territory_id, r.kind, r.precedence, r.is_inherited, r.span, r.reason
    FROM spm.territory_rule r JOIN spm.territory o USING (territory_id)
    JOIN spm.territory n ON n.territory_model_id = new_id AND n.territory_key = o.territory_key
    WHERE o.territory_model_id = old_id ORDER BY r.territory_rule_id;
    -- keys were given in the order of the old ones
    INSERT INTO spm.territory_condition (territory_rule_id, territory_attribute_id, operator, is_negated, operands)
    SELECT n.territory_rule_id, b.territory_attribute_id, c.operator, c.is_negated, c.operands
    FROM (SELECT r.territory_rule_id, row_number() OVER (ORDER BY r.territory_rule_id) AS i
          FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) WHERE t.territory_model_id = old_id) o
    JOIN (SELECT r.territory_rule_id, row_number() OVER (ORDER BY r.territory_rule_id) AS i
          FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) WHERE t.territory_model_id = new_id) n USING (i)
    JOIN spm.territory_condition c ON c.territory_rule_id = o.territory_rule_id
    JOIN spm.territory_attribute a ON a.territory_attribute_id = c.territory_attribute_id
    JOIN spm.territory_attribute b ON b.territory_model_id = new_id AND b.name = a.name
    ORDER BY c.territory_condition_id;
    -- rules give the rest again
    INSERT INTO spm.territory_assignment (territory_model_id, account_key, type, territory_id, origin, is_locked, span, reason)
    SELECT new_id, s.account_key, s.type, n.territory_id, s.origin, s.is_locked, s.span, s.reason
    FROM spm.territory_assignment s JOIN spm.territory o USING (territory_id)
    JOIN spm.territory n ON n.territory_model_id = new_id AND n.territory_key = o.territory_key
    WHERE s.territory_model_id = old_id AND (s.is_locked OR s.origin IN ('manual', 'design')) ORDER BY s.territory_assignment_id;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.copy_territory_model(text, text) IS
'Copies a model, with its territories, holders, attributes, rules and what is assigned by hand, by a design or locked, to a new one in state plan, and returns its territory_model_id: a scenario to change and compare.
model: name of the model to copy, NULL for the one active model; name: of the new one, unique.
Errors: 42704 for an unknown model; 42710 when the name is taken.
Example: SELECT spm.copy_territory_model(''2026'', ''2026 without Nevada'');';

CREATE OR REPLACE FUNCTION spm.compare_territory_models(model text, other text, as_of date DEFAULT current_date, type text DEFAULT 'primary')
    RETURNS TABLE (territory text, other_territory text, is_same boolean, account_count bigint, potential numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
AS $$
BEGIN
    PERFORM spm._check_text(compare_territory_models.other, 'other');
    PERFORM spm._plan_assignment((spm._territory_model(compare_territory_models.model)).territory_model_id, compare_territory_models.as_of);
    DROP TABLE IF EXISTS pg_temp.spm_assign_one;
    ALTER TABLE pg_temp.spm_assign RENAME TO spm_assign_one;
    PERFORM spm._plan_assignment((spm._territory_model(compare_territory_models.other)).territory_model_id, compare_territory_models.as_of);
    -- where an account would be once each is assigned
    RETURN QUERY
    WITH one AS (
        SELECT p.account_key, p.potential, t.territory_key FROM pg_temp.spm_assign_one p
        LEFT JOIN spm.territory t ON t.territory_id = CASE WHEN p.outcome IN ('locked', 'kept') THEN p.from_territory_id ELSE p.to_territory_id END
        WHERE p.type = compare_territory_models.type
    ), two AS (
        SELECT p.account_key, p.potential, t.territory_key FROM pg_temp.spm_assign p
        LEFT JOIN spm.territory t ON t.territory_id = CASE WHEN p.outcome IN ('locked', 'kept') THEN p.from_territory_id ELSE p.to_territory_id END
        WHERE p.type = compare_territory_models.type
    )
    SELECT one.territory_key, two.territory_key, one.territory_key IS NOT DISTINCT FROM two.territory_key, count(*),
           sum(greatest(one.potential, two.potential))
    FROM one FULL JOIN two USING (account_key)
    GROUP BY one.territory_key, two.territory_key
    ORDER BY 3, 5 DESC, one.territory_key COLLATE "C", two.territory_key COLLATE "C";
    DROP TABLE pg_temp.spm_assign, pg_temp.spm_assign_one, pg_temp.spm_wanted;
END
$$;
COMMENT ON FUNCTION spm.compare_territory_models(text, text, date, text) IS
'Where the accounts of two models would be once both are assigned on a day: number of accounts and potential for every pair of territories, which are the same where their keys are. Nothing is written.
model, other: names, the first NULL for the one active model; as_of: day; type: of the territories.
Errors: 42704 for an unknown model; those of spm.assign_territories().
Example: SELECT * FROM spm.compare_territory_models(''2026'', ''2026 without Nevada'', ''2026-07-01'') WHERE NOT is_same;';

-- ------------------------------------------------------------------ look-ups

CREATE OR REPLACE FUNCTION spm.territory_account(model text DEFAULT NULL, as_of date DEFAULT current_date)
    RETURNS SETOF spm.territory_account
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_id int := (spm._territory_model(territory_account.model)).territory_model_id;
    accounts text := spm._account_sql(model_id);
BEGIN
    RETURN QUERY EXECUTE format('SELECT a.account_key, k.type, a.head_key, a.potential, a.latitude, a.longitude, s.territory_id, coalesce(s.is_locked, false)
        FROM (%s) a
        CROSS JOIN (SELECT DISTINCT t.type FROM spm.territory t WHERE t.territory_model_id = $1) k
        LEFT JOIN spm.territory_assignment s ON s.territory_model_id = $1 AND s.account_key = a.account_key AND s.type = k.type AND s.span @> $2',
        accounts) USING model_id, territory_account.as_of;
END
$$;
COMMENT ON FUNCTION spm.territory_account(text, date) IS
'Every account of a model with the territory of each type that it is assigned to on a day; territory_id is NULL where it has none.
model: name; NULL: the one active model. as_of: day.
Errors: 42704 for an unknown model; 55000 for one without accounts; 42P01 when their relation is gone.
Example: SELECT * FROM spm.territory_account(''2026'', ''2026-06-30'') WHERE territory_id IS NULL;';

CREATE OR REPLACE FUNCTION spm.territory_coverage(model text DEFAULT NULL, as_of date DEFAULT current_date)
    RETURNS TABLE (territory_id int, account_count bigint, potential numeric, total_account_count bigint, total_potential numeric,
                   owner_count bigint, payee_count bigint, is_vacant boolean, load_ratio numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(territory_coverage.model);
BEGIN
    RETURN QUERY
    WITH RECURSIVE there AS (
        SELECT t.territory_id, t.parent_territory_id, t.type FROM spm.territory t
        WHERE t.territory_model_id = it.territory_model_id AND t.span @> territory_coverage.as_of
    ), own AS (
        SELECT a.territory_id, count(*) AS n, sum(a.potential) AS potential
        FROM spm.territory_account(it.name, territory_coverage.as_of) a WHERE a.territory_id IS NOT NULL GROUP BY 1
    ), up AS (
        SELECT t.territory_id AS below_id, t.territory_id, t.parent_territory_id FROM there t
        UNION ALL
        SELECT u.below_id, p.territory_id, p.parent_territory_id FROM up u JOIN there p ON p.territory_id = u.parent_territory_id
    ), total AS (
        SELECT u.territory_id, sum(o.n) AS n, sum(o.potential) AS potential FROM up u JOIN own o ON o.territory_id = u.below_id GROUP BY 1
    ), held AS (
        SELECT h.territory_id, count(DISTINCT h.position_id) AS owners, count(DISTINCT h.payee_id) AS payees
        FROM (SELECT h.territory_id, h.position_id, a.payee_id
              FROM spm.territory_holder h
              LEFT JOIN spm.position_assignment a ON a.position_id = h.position_id AND a.span @> territory_coverage.as_of
              WHERE h.role = 'owner' AND h.span @> territory_coverage.as_of) h GROUP BY 1
    )
    SELECT t.territory_id, coalesce(o.n, 0), coalesce(o.potential, 0), coalesce(s.n, 0)::bigint, coalesce(s.potential, 0),
           coalesce(h.owners, 0), coalesce(h.payees, 0), coalesce(h.payees, 0) = 0,
           -- among territories that accounts belong to
           round(o.potential / nullif(avg(o.potential) OVER (PARTITION BY t.type), 0), 6)
    FROM there t
    LEFT JOIN own o USING (territory_id)
    LEFT JOIN total s USING (territory_id)
    LEFT JOIN held h USING (territory_id)
    ORDER BY t.territory_id;
END
$$;
COMMENT ON FUNCTION spm.territory_coverage(text, date) IS
'What belongs to each territory of a model on a day, and who holds it: number of accounts and their potential, the same with all territories below it, seats that own it, payees in them, whether there is none, and its potential by the average of the territories of its type that have accounts (1 is average).
model: name; NULL: the one active model. as_of: day.
Errors: those of spm.territory_account().
Example: SELECT * FROM spm.territory_coverage(''2026'', ''2026-06-30'') WHERE is_vacant;';
