/*
 * compensation/functions_credit.sql: who is credited, by rules, up and down
 * the tree, by territory, and by hand.
 */

-- ---------------------------------------------------------------------- rules

CREATE OR REPLACE FUNCTION spm._specificity(condition text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- attributes by their names; then columns, where no literal may pass for one
    SELECT count(DISTINCT m)::int
    FROM (SELECT a[1] AS m FROM regexp_matches(_specificity.condition, 't\.attributes ->>? (''(?:[^'']|'''')*'')', 'g') a
          UNION ALL
          SELECT c[1] FROM regexp_matches(regexp_replace(_specificity.condition, '''(?:[^'']|'''')*''', '', 'g'), '\mt\.([a-z_]+)', 'g') c
          WHERE c[1] <> 'attributes') n
$$;
COMMENT ON FUNCTION spm._specificity(text) IS 'How many columns and attributes of a transaction a checked condition tests.';
REVOKE ALL ON FUNCTION spm._specificity(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._share_rule()
    RETURNS TABLE (credit_rule_id int, name text, condition text, span daterange, place bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.credit_rule_id, r.name, r.condition, r.span,
           row_number() OVER (ORDER BY r.priority NULLS LAST, CASE WHEN r.priority IS NULL THEN -spm._specificity(r.condition) END, r.credit_rule_id)
    FROM spm.credit_rule r WHERE r.kind = 'share';
END;
COMMENT ON FUNCTION spm._share_rule() IS 'Credit rules that divide transactions, with the place in which they are tried: by priority; those without one after all others, the most specific first.';
REVOKE ALL ON FUNCTION spm._share_rule() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_credit_rule(name text, condition text, payees text[], shares numeric[],
                                               since date, until date DEFAULT NULL, priority int DEFAULT 100)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
    total numeric := (SELECT sum(s) FROM unnest(add_credit_rule.shares) s);
BEGIN
    IF cardinality(add_credit_rule.payees) IS DISTINCT FROM cardinality(add_credit_rule.shares) OR total IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION 'shares of credit rule "%" must total 1, one for each payee', add_credit_rule.name
            USING ERRCODE = 'check_violation',
                  DETAIL = format('%s payees, %s shares, total %s.', cardinality(add_credit_rule.payees),
                                  cardinality(add_credit_rule.shares), total),
                  HINT = 'Write 60 % as 0.6; for credit on top of the 100 % take spm.add_overlay_rule().';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, priority)
    VALUES (add_credit_rule.name, spm.checked_expression(add_credit_rule.condition, 'boolean'),
            daterange(add_credit_rule.since, add_credit_rule.until), add_credit_rule.priority)
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(s.payee, NULL, NULL)).payee_id, s.share
    FROM unnest(add_credit_rule.payees, add_credit_rule.shares) s(payee, share);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_credit_rule(text, text, text[], numeric[], date, date, int) IS
'Adds a rule that shares transactions among payees, and returns its credit_rule_id.
name: unique. condition: which transactions. payees, shares: who, and how much each; the shares total 1. since, until: days of the transactions, until exclusive. priority: the smallest wins, among equals the older rule; NULL: after all that have one, the rule whose condition tests the most columns wins.
Errors: 23514 when the shares do not total 1, 42704 for an unknown payee, 42P17 and others for a refused condition.
Example: SELECT spm.add_credit_rule(''Acme'', ''account_key = ''''ACME'''''', ''{U-1,U-2}'', ''{0.6,0.4}'', ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.add_overlay_rule(name text, condition text, payees text[], shares numeric[], since date, until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    IF coalesce(cardinality(add_overlay_rule.payees), 0) = 0 OR cardinality(add_overlay_rule.payees) IS DISTINCT FROM cardinality(add_overlay_rule.shares)
       OR EXISTS (SELECT FROM unnest(add_overlay_rule.shares) s WHERE NOT coalesce(s > 0 AND s < 'Infinity', false)) THEN
        RAISE EXCEPTION 'overlay rule "%" must have a share above 0 for each payee', add_overlay_rule.name
            USING ERRCODE = 'check_violation',
                  DETAIL = format('%s payees, shares %s.', cardinality(add_overlay_rule.payees), add_overlay_rule.shares),
                  HINT = 'Write 50 % as 0.5; overlays need not total 1.';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, kind)
    VALUES (add_overlay_rule.name, spm.checked_expression(add_overlay_rule.condition, 'boolean'),
            spm._checked_span(add_overlay_rule.since, add_overlay_rule.until), 'overlay')
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(s.payee, NULL, NULL)).payee_id, s.share
    FROM unnest(add_overlay_rule.payees, add_overlay_rule.shares) s(payee, share);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_overlay_rule(text, text, text[], numeric[], date, date) IS
'Adds a rule that credits specialists on top of those who share the transaction, and returns its credit_rule_id. Every overlay rule that matches applies; components take them with credits => overlay.
name: unique. condition: which transactions. payees, shares: who, and how much each; any share above 0, 1.5 is 150 %. since, until: days of the transactions, until exclusive.
Errors: 23514 for shares that are missing or not above 0, 42704 for an unknown payee, 22023 for days the wrong way round, 42P17 and others for a refused condition.
Example: SELECT spm.add_overlay_rule(''Cloud specialist'', ''product_key = ''''CLOUD'''''', ''{U-9}'', ''{0.5}'', ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.add_team_rule(name text, condition text, since date, until date DEFAULT NULL, payees text[] DEFAULT NULL,
                                             title text DEFAULT NULL, manager text DEFAULT NULL, parts text DEFAULT 'full')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    IF num_nonnulls(nullif(add_team_rule.payees, '{}'), add_team_rule.title, add_team_rule.manager) <> 1 THEN
        RAISE EXCEPTION 'team rule "%" must name payees, a title or a manager', add_team_rule.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one of payees, title and manager; manager is the key of a position.';
    ELSIF add_team_rule.parts IS NULL OR add_team_rule.parts NOT IN ('full', 'equal') THEN
        RAISE EXCEPTION 'parts cannot be "%"', add_team_rule.parts
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full: everybody is credited all of it; equal: it is divided among them.';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, kind, parts, title_id, manager_position_id)
    SELECT add_team_rule.name, spm.checked_expression(add_team_rule.condition, 'boolean'),
           spm._checked_span(add_team_rule.since, add_team_rule.until), 'team', add_team_rule.parts, t.title_id, t.position_id
    FROM spm._target(NULL, add_team_rule.manager, add_team_rule.title) t
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(y, NULL, NULL)).payee_id, 1 FROM unnest(add_team_rule.payees) y;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_team_rule(text, text, date, date, text[], text, text, text) IS
'Adds a rule that credits everybody in a team on top of those who share the transaction, and returns its credit_rule_id. Every team rule that matches applies; components take them with credits => team.
name: unique. condition: which transactions. since, until: days of the transactions, until exclusive. Who, one of: payees; title, whoever holds a primary seat of that title on the day; manager, a position: whoever holds a primary seat below it. parts: full, everybody is credited all of it, or equal, it is divided among them.
Errors: 22023 unless one of payees, title and manager is given, or for other parts; 42704 for an unknown one; 42P17 and others for a refused condition.
Example: SELECT spm.add_team_rule(''West'', ''account_key LIKE ''''W%'''''', ''2026-01-01'', manager => ''west'', parts => ''equal'');';

CREATE OR REPLACE FUNCTION spm._check_rule_shares()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT r.name, sum(s.share) AS total INTO wrong
    FROM spm.credit_rule r LEFT JOIN spm.credit_rule_share s USING (credit_rule_id)
    WHERE r.credit_rule_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.credit_rule_id ELSE NEW.credit_rule_id END AND r.kind = 'share'
    GROUP BY r.credit_rule_id HAVING sum(s.share) IS DISTINCT FROM 1;
    IF FOUND THEN
        RAISE EXCEPTION 'shares of credit rule "%" must total 1', wrong.name
            USING ERRCODE = 'check_violation', DETAIL = format('They total %s.', coalesce(wrong.total, 0));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_rule_shares() IS 'Trigger at commit: the shares of a rule that divides transactions total 1.';
REVOKE ALL ON FUNCTION spm._check_rule_shares() FROM PUBLIC;

-- a constraint trigger has no OR REPLACE
DROP TRIGGER IF EXISTS shares ON spm.credit_rule_share;
CREATE CONSTRAINT TRIGGER shares AFTER INSERT OR UPDATE OR DELETE ON spm.credit_rule_share
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spm._check_rule_shares();

-- ------------------------------------------------------ up and down the tree

CREATE OR REPLACE FUNCTION spm._end_before(relation regclass, what text, position_id int, title_id int, level int, days daterange)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clash daterange;
BEGIN
    EXECUTE format('UPDATE %s r SET span = daterange(lower(r.span), lower($1))
        WHERE r.span && $1 AND lower($1) IS NOT NULL AND (lower_inf(r.span) OR lower(r.span) < lower($1)) AND upper_inf(r.span)
          AND r.position_id IS NOT DISTINCT FROM $2 AND r.title_id IS NOT DISTINCT FROM $3
          AND ($4 IS NULL OR to_jsonb(r) ->> ''level'' = $4::text)', _end_before.relation)
        USING days, _end_before.position_id, _end_before.title_id, _end_before.level;
    EXECUTE format('SELECT r.span FROM %s r WHERE r.span && $1
          AND r.position_id IS NOT DISTINCT FROM $2 AND r.title_id IS NOT DISTINCT FROM $3
          AND ($4 IS NULL OR to_jsonb(r) ->> ''level'' = $4::text) LIMIT 1', _end_before.relation)
        INTO clash USING days, _end_before.position_id, _end_before.title_id, _end_before.level;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '% is set in that time already', _end_before.what
            USING ERRCODE = 'exclusion_violation',
                  DETAIL = format('What is there holds for %s, the new one would for %s.', clash, days),
                  HINT = format('Give since a later day, or end the row that is there in %s.', _end_before.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._end_before(regclass, text, int, int, int, daterange) IS 'Ends the open row of a position, title or everybody where a new one begins, or error 23P01.';
REVOKE ALL ON FUNCTION spm._end_before(regclass, text, int, int, int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.set_rollup(factor numeric, level int DEFAULT NULL, "position" text DEFAULT NULL, title text DEFAULT NULL,
                                          since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record := spm._target(NULL, set_rollup."position", set_rollup.title);
    days daterange := spm._checked_span(set_rollup.since, set_rollup.until);
    id int;
BEGIN
    IF num_nonnulls(target.position_id, target.title_id) > 1 THEN
        RAISE EXCEPTION 'a roll-up factor is for a position or a title, not for both' USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT coalesce(set_rollup.factor >= 0 AND set_rollup.factor < 'Infinity', false) THEN
        RAISE EXCEPTION 'a roll-up factor cannot be %', coalesce(set_rollup.factor::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write half as 0.5; 0 credits nothing.';
    ELSIF set_rollup.level < 1 THEN
        RAISE EXCEPTION 'level % is not above the credit', set_rollup.level
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 is the manager, 2 the next above; leave it out for every level.';
    END IF;
    PERFORM spm._end_before('spm.rollup_factor', 'the roll-up factor', target.position_id, target.title_id,
                            coalesce(set_rollup.level, 0), days);
    INSERT INTO spm.rollup_factor (position_id, title_id, level, span, factor)
    VALUES (target.position_id, target.title_id, coalesce(set_rollup.level, 0), days, set_rollup.factor)
    RETURNING rollup_factor_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_rollup(numeric, int, text, text, date, date) IS
'Sets what credits from below count for in seats above, and returns the rollup_factor_id. Without any, all of it at every level.
factor: 0.5 is half, 0 nothing. level: how far the credit has come up, 1 is the manager; NULL: every level without a factor of its own. position or title: of the seat above; none: everybody. What is set for the position goes before its title, that before everybody. since, until: days of the credits, until exclusive.
Errors: 22023 for a factor or level that makes no sense, 42704 for an unknown position or title, 23P01 where one is set already.
Example: SELECT spm.set_rollup(0.5, level => 2, title => ''Director'');';

CREATE OR REPLACE FUNCTION spm.set_rolldown(parts text, "position" text DEFAULT NULL, title text DEFAULT NULL, depth int DEFAULT NULL,
                                            since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record := spm._target(NULL, set_rolldown."position", set_rolldown.title);
    days daterange := spm._checked_span(set_rolldown.since, set_rolldown.until);
    id int;
BEGIN
    IF num_nonnulls(target.position_id, target.title_id) <> 1 THEN
        RAISE EXCEPTION 'a roll-down is from a position or a title' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one of position and title.';
    ELSIF set_rolldown.parts IS NULL OR set_rolldown.parts NOT IN ('full', 'equal') THEN
        RAISE EXCEPTION 'parts cannot be "%"', set_rolldown.parts
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full: every seat below is credited all of it; equal: it is divided among them.';
    ELSIF set_rolldown.depth < 1 THEN
        RAISE EXCEPTION 'depth % goes nowhere', set_rolldown.depth
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 reaches those who report directly; leave it out for all below.';
    END IF;
    PERFORM spm._end_before('spm.rolldown', 'the roll-down', target.position_id, target.title_id, NULL, days);
    INSERT INTO spm.rolldown (position_id, title_id, span, parts, depth)
    VALUES (target.position_id, target.title_id, days, set_rolldown.parts, set_rolldown.depth)
    RETURNING rolldown_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_rolldown(text, text, text, int, date, date) IS
'Lets the own credits of a position, or of all of a title, also go to the seats below; returns the rolldown_id. Components take them with credits => rolldown.
parts: full, every seat below is credited all of it, or equal, it is divided among the seats that are taken on the day. position or title: the seat above. depth: levels down; NULL: all. since, until: days of the credits, until exclusive.
Errors: 22023 for other values, or unless one of position and title is given; 42704 for an unknown one; 23P01 where one is set already.
Example: SELECT spm.set_rolldown(''equal'', "position" => ''west'', depth => 1);';

-- ---------------------------------------------------------------- territories

CREATE OR REPLACE FUNCTION spm._territory_query()
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(CASE
        WHEN s.territory_model_id IS NULL THEN format('SELECT %L::text AS territory, t.%I::text AS match_key, t.%I::text AS owner_key, %s AS share, daterange(%s, %s) AS span, NULL::int AS position_id FROM %I.%I t',
            s.name, s.key_column, s.owner_column, coalesce('t.' || quote_ident(s.share_column) || '::numeric', '1::numeric'),
            coalesce('t.' || quote_ident(s.since_column) || '::date', 'NULL::date'), coalesce('t.' || quote_ident(s.until_column) || '::date', 'NULL::date'),
            s.relation_schema, s.relation_name)
        -- the seat is the one that holds the territory; without an owner nobody does
        WHEN s.relation_name = 'territory_assignment' THEN format('SELECT %L::text, a.account_key, coalesce(h.payee_key, ''''), coalesce(h.share, 1), a.span * h.span, h.position_id
            FROM spm.territory_assignment a JOIN spm.territory_held h ON h.territory_id = a.territory_id AND h.span && a.span
            WHERE a.territory_model_id = %s AND a.type = %L', s.name, s.territory_model_id, s.territory_type)
        ELSE format('SELECT %L::text, h.territory_id::text, coalesce(h.payee_key, ''''), coalesce(h.share, 1), h.span, h.position_id
            FROM spm.territory_held h WHERE h.territory_model_id = %s AND h.type = %L', s.name, s.territory_model_id, s.territory_type) END,
        E'\nUNION ALL\n' ORDER BY s.territory_model_id IS NOT NULL, s.territory_source_id)
    FROM spm.territory_source s
$$;
COMMENT ON FUNCTION spm._territory_query() IS 'The query of the view spm.territory_claim; NULL when nothing is mapped.';
REVOKE ALL ON FUNCTION spm._territory_query() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.rebuild_territory_view()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM spm.territory_source) THEN
        EXECUTE 'DROP VIEW IF EXISTS spm.territory_claim';
        RETURN;
    END IF;
    EXECUTE format('CREATE OR REPLACE VIEW spm.territory_claim (territory, match_key, owner_key, share, span, position_id) WITH (security_invoker = true) AS %s', spm._territory_query());
    COMMENT ON VIEW spm.territory_claim IS 'Who holds what, and when. Made by spm.map_territory() and spm.credit_territories().';
    COMMENT ON COLUMN spm.territory_claim.territory IS 'Name of the mapping.';
    COMMENT ON COLUMN spm.territory_claim.match_key IS 'What is held: it is compared with the match expression of the mapping.';
    COMMENT ON COLUMN spm.territory_claim.owner_key IS 'payee_key of the holder; empty: nobody holds it.';
    COMMENT ON COLUMN spm.territory_claim.share IS 'Share of the holder, as a ratio.';
    COMMENT ON COLUMN spm.territory_claim.span IS 'Days; end exclusive.';
    COMMENT ON COLUMN spm.territory_claim.position_id IS 'Seat that is credited. NULL: the primary seat of the holder.';
END
$$;
COMMENT ON FUNCTION spm.rebuild_territory_view() IS
'Makes the view spm.territory_claim anew from what is mapped; without any, drops it. spm.map_territory() and spm.credit_territories() do it by themselves.
Errors: 2BP01 when something depends on the view that is to be dropped; 42501 for other than the owner of the view.
Example: SELECT spm.rebuild_territory_view();';

CREATE OR REPLACE FUNCTION spm.map_territory(name text, relation regclass, key text, owner text, match text DEFAULT 'account_key',
    since text DEFAULT NULL, until text DEFAULT NULL, share text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    day_types constant text[] := '{date,timestamp without time zone}';
BEGIN
    PERFORM spm._check_text(map_territory.name, 'name'), spm._check_relation(map_territory.relation),
        spm._column_type(map_territory.relation, map_territory.key, 'key', label_types, NULL),
        spm._column_type(map_territory.relation, map_territory.owner, 'owner', label_types, NULL);
    IF map_territory.since IS NOT NULL THEN
        PERFORM spm._column_type(map_territory.relation, map_territory.since, 'since', day_types, NULL);
    END IF;
    IF map_territory.until IS NOT NULL THEN
        PERFORM spm._column_type(map_territory.relation, map_territory.until, 'until', day_types, NULL);
    END IF;
    IF map_territory.share IS NOT NULL THEN
        PERFORM spm._column_type(map_territory.relation, map_territory.share, 'share', '{numeric,integer,bigint,smallint}', NULL);
    END IF;
    LOCK TABLE spm.territory_source IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.territory_source (name, match_expression, relation_schema, relation_name, key_column, owner_column, since_column, until_column, share_column)
    SELECT map_territory.name, spm.checked_expression(map_territory.match, 'text'), n.nspname, c.relname, map_territory.key, map_territory.owner,
           map_territory.since, map_territory.until, map_territory.share
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = map_territory.relation
    ON CONFLICT ON CONSTRAINT territory_source_name_key DO UPDATE SET match_expression = EXCLUDED.match_expression,
        relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name, key_column = EXCLUDED.key_column,
        owner_column = EXCLUDED.owner_column, since_column = EXCLUDED.since_column, until_column = EXCLUDED.until_column, share_column = EXCLUDED.share_column,
        territory_model_id = NULL, territory_type = NULL;
    PERFORM spm.rebuild_territory_view();
END
$$;
COMMENT ON FUNCTION spm.map_territory(text, regclass, text, text, text, text, text, text) IS
'Maps a relation that says who holds accounts, postcodes, products or the like: whoever holds what a transaction matches on its day is credited on top of those who share it. Components take such credits with credits => territory. A name that exists is replaced.
name: of the mapping. Names of columns: key (what is held), owner (payee_key of the holder), since and until (days, until exclusive; NULL: without end), share (ratio; NULL: all of it). match: expression over a transaction that must equal the key.
Errors: 42809, 42703, 42804, 42501 as for spm.map_source(); 42P17 and others for a refused expression.
Example: SELECT spm.map_territory(''postcodes'', ''crm.patch'', key => ''postcode'', owner => ''rep_id'', match => $$attributes->>''postcode''$$);';

CREATE OR REPLACE FUNCTION spm.credit_territories(name text, by text DEFAULT 'assignment', type text DEFAULT 'primary', model text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(credit_territories.model);
    missing text;
    other text;
BEGIN
    PERFORM spm._check_text(credit_territories.name, 'name');
    IF credit_territories.by IS NULL OR credit_territories.by NOT IN ('assignment', 'rule') THEN
        RAISE EXCEPTION 'territories are not credited by "%"', credit_territories.by
            USING ERRCODE = 'invalid_parameter_value', HINT = 'assignment: by what the account was assigned to on the day; rule: by the rules of that day, asked of the transaction itself.';
    ELSIF credit_territories.type IS NULL OR credit_territories.type NOT IN ('primary', 'overlay', 'specialist') THEN
        RAISE EXCEPTION 'type of a territory cannot be "%"', credit_territories.type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is primary, overlay or specialist.';
    END IF;
    -- what no transaction has would be NULL in all of them
    missing := CASE WHEN credit_territories.by = 'rule' THEN spm._asked_in_vain(it.territory_model_id) END;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'transactions have no "%", which rules of model "%" ask', missing, it.name
            USING ERRCODE = 'undefined_column',
                  HINT = 'Map the column as an attribute of the source: spm.map_source(..., attributes => ...); or credit by => ''assignment''.';
    END IF;
    LOCK TABLE spm.territory_source IN SHARE ROW EXCLUSIVE MODE;
    SELECT m.name INTO other FROM spm.territory_source s JOIN spm.territory_model m USING (territory_model_id)
    WHERE s.name = credit_territories.name AND s.territory_model_id <> it.territory_model_id;
    IF FOUND THEN
        RAISE EXCEPTION 'territory mapping "%" credits model "%"', credit_territories.name, other
            USING ERRCODE = 'duplicate_object', DETAIL = format('Orders of its days would no longer be credited if it went over to model "%s".', it.name),
                  HINT = format('Take another name: SELECT spm.credit_territories(%L, model => %L); or take it away: SELECT spm.unmap_territory(%L);',
                                credit_territories.name || ' ' || it.name, it.name, credit_territories.name);
    END IF;
    INSERT INTO spm.territory_source (name, match_expression, relation_schema, relation_name, key_column, owner_column, territory_model_id, territory_type)
    SELECT credit_territories.name, m.match_expression, 'spm', m.relation_name, m.key_column, 'territory_id', it.territory_model_id, credit_territories.type
    FROM (VALUES ('assignment', 't.account_key', 'territory_assignment', 'account_key'),
                 ('rule', format('spm.territory_of(t, t.event_date, %L, %L)', credit_territories.type, it.name), 'territory_rule', 'territory_rule_id'))
        m(by, match_expression, relation_name, key_column)
    WHERE m.by = credit_territories.by
    ON CONFLICT ON CONSTRAINT territory_source_name_key DO UPDATE SET match_expression = EXCLUDED.match_expression,
        relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name, key_column = EXCLUDED.key_column,
        owner_column = EXCLUDED.owner_column, since_column = NULL, until_column = NULL, share_column = NULL,
        territory_model_id = EXCLUDED.territory_model_id, territory_type = EXCLUDED.territory_type;
    PERFORM spm.rebuild_territory_view();
END
$$;
COMMENT ON FUNCTION spm.credit_territories(text, text, text, text) IS
'Credits the owners of the territory that a transaction belongs to on its day, each with the share that they hold, on top of those who share the transaction; where nobody holds it, the transaction is in spm_bi.uncredited. Components take such credits with credits => territory. A name that exists is replaced, unless it credits another model; spm.unmap_territory() takes it away. A model that takes the place of another is credited as that was: see spm.activate_territory_model().
name: of the mapping, as explanations show it. by: assignment, the territory that the account was assigned to on the day; rule, the one that wins by the rules of the day, asked of the transaction, whose columns and attributes go by the names of the attributes'' columns. type: primary, overlay or specialist. model: name; NULL: the one active model.
Errors: 42704 for an unknown model; 22023 for another by or type; 42703 when transactions lack what rules ask; 42710 for a name that credits another model.
Example: SELECT spm.credit_territories(''territory'', by => ''assignment'');';

CREATE OR REPLACE FUNCTION spm.unmap_territory(name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE spm.territory_source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.territory_source s WHERE s.name = unmap_territory.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'territory mapping "%" does not exist', unmap_territory.name
            USING ERRCODE = 'undefined_object', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_territory_view();
END
$$;
COMMENT ON FUNCTION spm.unmap_territory(text) IS
'Takes a mapping of territories away; with the last one the view spm.territory_claim goes.
name: of the mapping.
Errors: 42704 for an unknown one; 2BP01 when something depends on the view.
Example: SELECT spm.unmap_territory(''postcodes'');';

-- -------------------------------------------------------------------- by hand

CREATE OR REPLACE FUNCTION spm.add_manual_credit(payee text, date date, amount numeric, currency text, reason text, type text DEFAULT 'adjustment',
                                                 account text DEFAULT NULL, product text DEFAULT NULL, quantity numeric DEFAULT 0,
                                                 cost numeric DEFAULT 0, list_amount numeric DEFAULT NULL, event text DEFAULT 'booking')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    PERFORM spm._check_text(add_manual_credit.reason, 'reason'), spm._check_text(add_manual_credit.type, 'type'),
        spm._check_text(add_manual_credit.event, 'event'), spm._check_currency(add_manual_credit.currency);
    IF add_manual_credit.date IS NULL OR NOT coalesce(abs(add_manual_credit.amount) < 1e15, false) THEN
        RAISE EXCEPTION 'a manual credit must have a date and an amount' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A negative amount takes credit back.';
    END IF;
    INSERT INTO spm.manual_credit (payee_id, event_date, amount, currency_code, type, account_key, product_key, quantity, cost, list_amount, event, reason)
    VALUES ((spm._target(add_manual_credit.payee, NULL, NULL)).payee_id, add_manual_credit.date, add_manual_credit.amount, add_manual_credit.currency,
            add_manual_credit.type, add_manual_credit.account, add_manual_credit.product, add_manual_credit.quantity, add_manual_credit.cost,
            coalesce(add_manual_credit.list_amount, add_manual_credit.amount), add_manual_credit.event, add_manual_credit.reason)
    RETURNING manual_credit_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_manual_credit(text, date, numeric, text, text, text, text, text, numeric, numeric, numeric, text) IS
'Enters a credit by hand, and returns its manual_credit_id. It counts once another login has approved it (spm.approve_manual_credit), as transaction M-<id> of source manual, credited to the payee alone.
payee: payee_key. date: decides period and seat. amount: in currency, negative to take back. reason: why. type, account, product, quantity, cost, list_amount (NULL: the amount): for the conditions and measures of components. event: booking, or the milestone that it stands for.
Errors: 42704 for an unknown payee or currency; 22023 for what is missing.
Example: SELECT spm.add_manual_credit(''U-17'', ''2026-02-10'', 5000, ''USD'', ''helped to save ACME'');';

CREATE OR REPLACE FUNCTION spm._manual_credit_named(manual_credit_id int)
    RETURNS spm.manual_credit
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.manual_credit;
BEGIN
    SELECT m.* INTO it FROM spm.manual_credit m WHERE m.manual_credit_id = _manual_credit_named.manual_credit_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'manual credit % does not exist', _manual_credit_named.manual_credit_id
            USING ERRCODE = 'undefined_object', HINT = 'They are listed in spm_bi.manual_credit.';
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._manual_credit_named(int) IS 'The manual credit of that key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._manual_credit_named(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.approve_manual_credit(manual_credit_id int, reason text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.manual_credit := spm._manual_credit_named(approve_manual_credit.manual_credit_id);
    known spm.manual_credit_decision;
BEGIN
    SELECT d.* INTO known FROM spm.manual_credit_decision d
    WHERE d.manual_credit_id = it.manual_credit_id ORDER BY d.decided_at DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'manual credit % is %', it.manual_credit_id, known.decision
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s at %s.', known.decided_by, known.decided_at),
                  HINT = CASE known.decision WHEN 'approved' THEN 'Nothing is left to do.' ELSE 'Enter it anew: SELECT spm.add_manual_credit(...);' END;
    END IF;
    INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, reason) VALUES (it.manual_credit_id, 'approved', approve_manual_credit.reason);
END
$$;
COMMENT ON FUNCTION spm.approve_manual_credit(int, text) IS
'Approves a manual credit: from the next calculation on it counts. Who approves is another login than the author.
manual_credit_id: key. reason: remark, if any.
Errors: 42704 for an unknown one; 42501 for the author; 55000 when it is approved or withdrawn already.
Example: SELECT spm.approve_manual_credit(7);';

CREATE OR REPLACE FUNCTION spm.withdraw_manual_credit(manual_credit_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.manual_credit := spm._manual_credit_named(withdraw_manual_credit.manual_credit_id);
BEGIN
    PERFORM spm._check_text(withdraw_manual_credit.reason, 'reason');
    INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, reason)
    VALUES (it.manual_credit_id, 'withdrawn', withdraw_manual_credit.reason);
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'manual credit % is withdrawn', it.manual_credit_id
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing is left to do.';
END
$$;
COMMENT ON FUNCTION spm.withdraw_manual_credit(int, text) IS
'Withdraws a manual credit, approved or not: it counts no more; where it was posted, the next calculation pays the difference. The row stays.
manual_credit_id: key. reason: why.
Errors: 42704 for an unknown one; 22023 without a reason; 55000 when it is withdrawn already.
Example: SELECT spm.withdraw_manual_credit(7, ''entered twice'');';

CREATE OR REPLACE FUNCTION spm._check_decision()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.decision = 'approved' AND EXISTS (SELECT FROM spm.manual_credit m WHERE m.manual_credit_id = NEW.manual_credit_id AND m.author = NEW.decided_by) THEN
        RAISE EXCEPTION 'manual credit % cannot be approved by its author', NEW.manual_credit_id
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('%s entered it.', NEW.decided_by),
                  HINT = 'Let another login run: ' || format('SELECT spm.approve_manual_credit(%s);', NEW.manual_credit_id);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._check_decision() IS 'Trigger: who approves a manual credit is not its author.';
REVOKE ALL ON FUNCTION spm._check_decision() FROM PUBLIC;

CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.manual_credit
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('author');
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.manual_credit_decision
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('decided_by');
CREATE OR REPLACE TRIGGER four_eyes BEFORE INSERT ON spm.manual_credit_decision
    FOR EACH ROW EXECUTE FUNCTION spm._check_decision();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.manual_credit
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.manual_credit_decision
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

-- -------------------------------------------------------- options of components

CREATE OR REPLACE FUNCTION spm._check_refund(component text, refund text, refund_window interval, refund_share numeric, earned_over int)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text := CASE
        WHEN _check_refund.refund IS NULL OR _check_refund.refund NOT IN ('running', 'original', 'unearned') THEN 'refund is running, original or unearned'
        WHEN (_check_refund.refund = 'unearned') <> (_check_refund.earned_over IS NOT NULL) THEN 'refund => unearned goes with earned_over, in months'
        WHEN _check_refund.earned_over < 1 THEN 'earned_over is at least 1 month'
        WHEN _check_refund.refund = 'running' AND (_check_refund.refund_window IS NOT NULL OR _check_refund.refund_share <> 1)
            THEN 'refund_window and refund_share go with refund => original or unearned'
        WHEN NOT coalesce(_check_refund.refund_share > 0 AND _check_refund.refund_share <= 1, false) THEN 'refund_share is above 0, at most 1'
        WHEN _check_refund.refund_window <= '0' THEN 'refund_window is longer than nothing' END;
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'component "%" cannot take refunds like that', _check_refund.component
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'What holds: ' || problem || '.',
                  HINT = 'For example: refund => ''unearned'', earned_over => 12, refund_window => ''12 months''.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_refund(text, text, interval, numeric, int) IS 'Error 22023 for options of refunds that do not go together.';
REVOKE ALL ON FUNCTION spm._check_refund(text, text, interval, numeric, int) FROM PUBLIC;
