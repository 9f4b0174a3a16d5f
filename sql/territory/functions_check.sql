/*
 * territory/functions_check.sql: what is wrong with a book of rules, proven from
 * the rules alone, and who could take what none of them covers.
 *
 * What a column of the accounts cannot have is no case to think of: NULL where
 * it is NOT NULL, fractions where it is an integer.
 */

CREATE OR REPLACE FUNCTION spm._territory_accounts(model spm.territory_model)
    RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT to_regclass(quote_ident((_territory_accounts.model).relation_schema) || '.' || quote_ident((_territory_accounts.model).relation_name))
$$;
COMMENT ON FUNCTION spm._territory_accounts(spm.territory_model) IS 'The relation of accounts of a model; NULL when none is mapped, or it is gone.';
REVOKE ALL ON FUNCTION spm._territory_accounts(spm.territory_model) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_in_limits(value bigint, lowest bigint, highest bigint, name text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT coalesce(_check_in_limits.value BETWEEN _check_in_limits.lowest AND _check_in_limits.highest, false) THEN
        RAISE EXCEPTION '% cannot be %', _check_in_limits.name, coalesce(_check_in_limits.value::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = format('It is from %s to %s.', _check_in_limits.lowest, _check_in_limits.highest);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_in_limits(bigint, bigint, bigint, text) IS 'Error 22023 for a number that is NULL or out of range.';
REVOKE ALL ON FUNCTION spm._check_in_limits(bigint, bigint, bigint, text) FROM PUBLIC;

-- ------------------------------------------------------------------- conflicts

CREATE OR REPLACE FUNCTION spm._territory_conflicts(model text, accounts regclass, top int,
        OUT territory_rule_id int, OUT other_rule_id int, OUT is_even boolean, OUT overlap text, OUT conditions jsonb)
    RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_territory_conflicts';
COMMENT ON FUNCTION spm._territory_conflicts(text, regclass, int) IS 'Pairs of rules of equal kind and precedence and different territories of one type that overlap; those that are equally narrow first.';
REVOKE ALL ON FUNCTION spm._territory_conflicts(text, regclass, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_conflict(model text DEFAULT NULL, top int DEFAULT 1000)
    RETURNS TABLE (territory_rule_id int, territory_key text, other_rule_id int, other_territory_key text, type text,
                   decided_by text, overlap text, conditions jsonb)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(territory_conflict.model);
BEGIN
    PERFORM spm._check_in_limits(territory_conflict.top, 1, 1000000, 'top');
    RETURN QUERY
    SELECT c.territory_rule_id, t.territory_key, c.other_rule_id, o.territory_key, t.type,
        CASE WHEN c.is_even THEN 'key' ELSE 'narrowness' END, c.overlap, c.conditions
    FROM spm._territory_conflicts(it.name, spm._territory_accounts(it), territory_conflict.top) WITH ORDINALITY c
    JOIN spm.territory_rule r USING (territory_rule_id) JOIN spm.territory t USING (territory_id)
    JOIN spm.territory_rule q ON q.territory_rule_id = c.other_rule_id JOIN spm.territory o ON o.territory_id = q.territory_id
    ORDER BY c.ordinality;
END
$$;
COMMENT ON FUNCTION spm.territory_conflict(text, int) IS
'Pairs of rules of equal kind and precedence that lead to different territories of one type and that some account could meet both of on some day: proven from the rules, whether there is such an account or not. The first of a pair wins: decided_by key only because it was entered earlier, by narrowness because it asks more attributes or a lower level of a tree. Those decided by the key come first. overlap says in words what meets both, conditions the same as a rule would (NULL where no rule could say it; without the day).
model: name; NULL: the one active model. top: rows at most, 1 to 1000000.
Rules within a radius are not told to overlap when their circles are apart. To settle a conflict, give one of them a lower precedence, or end it: spm.end_territory_rule().
Errors: 42704 for an unknown model; 22023 for another top.
Example: SELECT * FROM spm.territory_conflict() WHERE decided_by = ''key'';';

-- --------------------------------------------------------------------- shadows

CREATE OR REPLACE FUNCTION spm._territory_shadows(model text, accounts regclass, budget bigint,
        OUT territory_rule_id int, OUT verdict text, OUT hidden_by int[])
    RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_territory_shadows';
COMMENT ON FUNCTION spm._territory_shadows(text, regclass, bigint) IS 'Rules that never win, or of which that is not known after "budget" looks at a rule, in the order in which they go.';
REVOKE ALL ON FUNCTION spm._territory_shadows(text, regclass, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_shadowed(model text DEFAULT NULL, budget bigint DEFAULT 200000)
    RETURNS TABLE (territory_rule_id int, territory_key text, type text, verdict text, hidden_by int[], is_same_territory boolean, reason text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(territory_shadowed.model);
BEGIN
    PERFORM spm._check_in_limits(territory_shadowed.budget, 1, 1000000000000, 'budget');
    RETURN QUERY
    SELECT s.territory_rule_id, t.territory_key, t.type, s.verdict, s.hidden_by,
        (SELECT bool_and(h.territory_id = r.territory_id) FROM spm.territory_rule h WHERE h.territory_rule_id = ANY (s.hidden_by)), r.reason
    FROM spm._territory_shadows(it.name, spm._territory_accounts(it), territory_shadowed.budget) WITH ORDINALITY s
    JOIN spm.territory_rule r USING (territory_rule_id) JOIN spm.territory t USING (territory_id)
    ORDER BY s.ordinality;
END
$$;
COMMENT ON FUNCTION spm.territory_shadowed(text, bigint) IS
'Rules that can never win, whatever the accounts, proven from the rules: verdict "never met" (its conditions, or those it inherits, contradict each other, or no day is left), "hidden by one" or "hidden by several" (whatever meets it meets one of hidden_by, which go before it), or "not proven" (the budget is spent, or it depends on the shape of a circle). is_same_territory: what hides it leads where it does, so that it is needless rather than wrong.
model: name; NULL: the one active model. budget: looks at a rule that each proof may take, 1 to 1000000000000; the question is hard in general (NP-complete), and hardly ever in practice.
Errors: 42704 for an unknown model; 22023 for another budget.
Example: SELECT format(''SELECT spm.end_territory_rule(%s);'', territory_rule_id) FROM spm.territory_shadowed() WHERE verdict <> ''not proven'';';

-- ------------------------------------------------------------------------ gaps

CREATE OR REPLACE FUNCTION spm._territory_gaps(model text, accounts regclass, type text, day date, query text, top int, budget bigint,
        OUT gap text, OUT conditions jsonb, OUT accounts_number bigint, OUT potential numeric, OUT account_key text)
    RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_territory_gaps';
COMMENT ON FUNCTION spm._territory_gaps(text, regclass, text, date, text, int, bigint) IS 'What no rule covers on a day: around the accounts that a query (record, key, potential) returns, then at most "top" others.';
REVOKE ALL ON FUNCTION spm._territory_gaps(text, regclass, text, date, text, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_gap(model text DEFAULT NULL, top int DEFAULT 20, type text DEFAULT 'primary',
                                             as_of date DEFAULT current_date, budget bigint DEFAULT 5000000)
    RETURNS TABLE (gap text, conditions jsonb, accounts bigint, potential numeric, account_key text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(territory_gap.model);
    source regclass := spm._territory_accounts(it);
    query text;
BEGIN
    PERFORM spm._check_in_limits(territory_gap.top, 1, 10000, 'top'), spm._check_in_limits(territory_gap.budget, 1, 1000000000000, 'budget');
    IF territory_gap.type IS NULL OR territory_gap.type NOT IN ('primary', 'overlay', 'specialist') THEN
        RAISE EXCEPTION 'type of a territory cannot be "%"', territory_gap.type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is primary, overlay or specialist.';
    ELSIF territory_gap.as_of IS NULL THEN
        RAISE EXCEPTION 'as_of cannot be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'It is the day for which gaps are looked for.';
    END IF;
    IF source IS NOT NULL THEN
        -- the row said so that it is no column, should one have that name
        query := format('SELECT (a.*)::%3$s, a.%1$I::text, %2$s FROM %3$s a WHERE spm.territory_rule_of((a.*)::%3$s, %4$L::date, %5$L, %6$L) IS NULL ORDER BY 3 DESC NULLS LAST, a.%1$I::text COLLATE "C"',
            it.key_column, CASE WHEN it.potential_column IS NULL THEN '1::numeric' ELSE format('a.%I::numeric', it.potential_column) END, source,
            territory_gap.as_of, territory_gap.type, it.name);
    END IF;
    RETURN QUERY
    SELECT g.gap, g.conditions, g.accounts_number, g.potential, g.account_key
    FROM spm._territory_gaps(it.name, source, territory_gap.type, territory_gap.as_of, query, territory_gap.top, territory_gap.budget) WITH ORDINALITY g
    ORDER BY g.potential DESC, g.accounts_number DESC, g.ordinality
    LIMIT territory_gap.top;
END
$$;
COMMENT ON FUNCTION spm.territory_gap(text, int, text, date, bigint) IS
'What no rule covers on a day; what is assigned by hand is not asked. First the accounts that no rule meets, grouped by the gap in which they lie, with their number, their potential (of their number, where no column of potential is mapped) and the key of the most valuable; then gaps without any account. A gap is as wide as a rule could be without meeting what any rule meets: gap says it in words, conditions as spm.add_territory_rule() takes them (NULL where no rule could say it; accounts without a value that the words mention as empty are not in them).
model: name; NULL: the one active model. top: rows at most, 1 to 10000. type: of the territories: primary, overlay or specialist. as_of: the day. budget: looks at a rule that the search for gaps without accounts may take; a NOTICE says when it ends before all are found.
Errors: 42704 for an unknown model; 22023 for another type, top or budget; 22004 without a day.
Example: SELECT format(''SELECT spm.add_territory_rule(%L, %L);'', ''US-W'', conditions), accounts, potential FROM spm.territory_gap(top => 5);';
