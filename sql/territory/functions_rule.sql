/*
 * territory/functions_rule.sql: records meet rules: whose territory is it, by
 * which rule, and why not by another.
 */

CREATE OR REPLACE FUNCTION spm._territory_support(internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_territory_support';
REVOKE ALL ON FUNCTION spm._territory_support(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._territory_support(internal) IS 'Lets spm.territory_of() read the columns of a table one by one.';

CREATE OR REPLACE FUNCTION spm.territory_of(account anyelement, as_of date DEFAULT current_date, type text DEFAULT 'primary', model text DEFAULT NULL)
    RETURNS int
    LANGUAGE C STABLE PARALLEL SAFE COST 5 SUPPORT spm._territory_support
    AS 'MODULE_PATHNAME', 'spm_territory_of';
COMMENT ON FUNCTION spm.territory_of(anyelement, date, text, text) IS
'The territory_id to which a record belongs on a day by the rules of a model; NULL: no rule is met. What is assigned by hand, locked or kept with a family is not asked: see spm.territory_assignment.
account: a row of the accounts, or any record with the columns that the rules ask, or with a jsonb column attributes that has such keys (a row of spm.transaction does). as_of: day; rules and territories hold on the days of their span. type: primary, overlay or specialist. model: name; NULL: the one active model.
Rules go in this order, the first that is met wins: exceptions, named accounts, rules; then the lower precedence; then more attributes asked, with those that it inherits; then more territories above that it inherits from; then the deeper level in trees; then the lower key. Text compares by its bytes, numbers exactly; NULL meets nothing but null.
Classification by aggregated bit vectors (Baboescu and Varghese 2001); the compiled rules stay in the session until the model changes.
Errors: 42704 for an unknown model, 22023 for an unknown type, 42703 when the record has not the column of an attribute, 42804 when its type does not fit, 22P02 for a value that cannot be read, 54000 when the compiled rules need more than spm.rule_memory.
Example: SELECT a.account_id, spm.territory_of(a) FROM crm.account AS a;';

CREATE OR REPLACE FUNCTION spm.territory_rule_of(account anyelement, as_of date DEFAULT current_date, type text DEFAULT 'primary', model text DEFAULT NULL)
    RETURNS int
    LANGUAGE C STABLE PARALLEL SAFE COST 5 SUPPORT spm._territory_support
    AS 'MODULE_PATHNAME', 'spm_territory_rule_of';
COMMENT ON FUNCTION spm.territory_rule_of(anyelement, date, text, text) IS
'The territory_rule_id by which a record belongs to its territory on a day; NULL: no rule is met. Arguments and errors as of spm.territory_of().
Example: SELECT spm.territory_rule_of(a, as_of => ''2026-07-01'') AS rule, count(*) FROM crm.account AS a GROUP BY rule;';

CREATE OR REPLACE FUNCTION spm.territory_of_columns(account anyelement, as_of date, type text, model text, is_rule boolean, VARIADIC columns "any")
    RETURNS int
    LANGUAGE C STABLE PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'spm_territory_of_columns';
COMMENT ON FUNCTION spm.territory_of_columns(anyelement, date, text, text, boolean, "any") IS
'What plans show in place of spm.territory_of() and spm.territory_rule_of() of a table''s row: its columns are read where they are, and the row need not be put together. Write spm.territory_of(a).
account: NULL of the row''s type; is_rule: whether the rule is returned, and not the territory; columns: all of the row''s. Other arguments and errors as of spm.territory_of(); 22023 for columns that do not make an account.
Example: EXPLAIN (VERBOSE) SELECT spm.territory_of(a) FROM crm.account AS a;';

CREATE OR REPLACE FUNCTION spm.territories_of(account anyelement, as_of date DEFAULT current_date, type text DEFAULT NULL, model text DEFAULT NULL)
    RETURNS TABLE (type text, territory_id int, territory_rule_id int, rank int, is_winner boolean)
    LANGUAGE C STABLE PARALLEL SAFE COST 20 ROWS 5
    AS 'MODULE_PATHNAME', 'spm_territories_of';
COMMENT ON FUNCTION spm.territories_of(anyelement, date, text, text) IS
'All rules that a record meets on a day, in the order in which they go.
type: primary, overlay or specialist; NULL: all. Other arguments and errors as of spm.territory_of(). rank counts the rules of a type, from 1; is_winner: the first that is met.
Example: SELECT t.* FROM crm.account AS a, spm.territories_of(a) AS t WHERE a.account_id = ''A-17'';';

CREATE OR REPLACE FUNCTION spm._territory_trial(account anyelement, as_of date, type text, model text)
    RETURNS TABLE (rank int, territory_rule_id int, territory_id int, is_met boolean, territory_attribute_id int, value text)
    LANGUAGE C STABLE PARALLEL SAFE COST 100 ROWS 200
    AS 'MODULE_PATHNAME', 'spm_territory_trial';
COMMENT ON FUNCTION spm._territory_trial(anyelement, date, text, text) IS
'Every rule of a type, whether a record meets it, and if not the first attribute (NULL: the day) and the value because of which it does not.';
REVOKE ALL ON FUNCTION spm._territory_trial(anyelement, date, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._touches_rules(account anyelement, rules int[], model text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE COST 2 SUPPORT spm._territory_support
    AS 'MODULE_PATHNAME', 'spm_touches_rules';
COMMENT ON FUNCTION spm._touches_rules(anyelement, int[], text) IS
'Whether a record meets one of some rules on whatever day: what a change of these rules may gain them.';
REVOKE ALL ON FUNCTION spm._touches_rules(anyelement, int[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._touches_rules_columns(account anyelement, rules int[], model text, VARIADIC columns "any")
    RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'spm_touches_rules_columns';
COMMENT ON FUNCTION spm._touches_rules_columns(anyelement, int[], text, "any") IS
'What plans show in place of spm._touches_rules() of a table''s row: see spm.territory_of_columns().';
REVOKE ALL ON FUNCTION spm._touches_rules_columns(anyelement, int[], text, "any") FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_book(INOUT model text DEFAULT NULL, OUT rules int, OUT boxes bigint, OUT classes bigint,
                                              OUT bytes bigint, OUT milliseconds double precision, OUT built timestamptz)
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_territory_book_of';
COMMENT ON FUNCTION spm.territory_book(text) IS
'The compiled rules of a model, as this session has them, compiling them if it has not.
rules; boxes (a rule is several where it inherits); classes of values that rules tell apart; bytes of memory; milliseconds it took; built: when. model: name; NULL: the one active model.
Errors: 42704 for an unknown model, 22023 for a condition that makes no sense, 54000 for more than spm.rule_memory.
Example: SELECT rules, classes, pg_size_pretty(bytes), milliseconds FROM spm.territory_book();';

-- --------------------------------------------------------------- in words

CREATE OR REPLACE FUNCTION spm._condition_words(attribute text, operator text, is_negated boolean, operands text[])
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT _condition_words.attribute || CASE _condition_words.operator
        WHEN 'null' THEN CASE WHEN _condition_words.is_negated THEN ' is known' ELSE ' is unknown' END
        WHEN 'in' THEN CASE WHEN _condition_words.is_negated THEN ' is not ' ELSE ' is ' END || l.list
        WHEN 'prefix' THEN CASE WHEN _condition_words.is_negated THEN ' does not begin with ' ELSE ' begins with ' END || l.list
        WHEN 'under' THEN CASE WHEN _condition_words.is_negated THEN ' is not below ' ELSE ' is below ' END || l.list
        WHEN 'within' THEN format(CASE WHEN _condition_words.is_negated THEN ' is not within %s km of %s, %s' ELSE ' is within %s km of %s, %s' END,
            _condition_words.operands[3], _condition_words.operands[1], _condition_words.operands[2])
        ELSE CASE WHEN _condition_words.is_negated THEN ' is not' ELSE ' is' END
            || CASE WHEN _condition_words.operands[1] IS NULL THEN ' at most ' || _condition_words.operands[2]
                    WHEN _condition_words.operands[2] IS NULL THEN ' at least ' || _condition_words.operands[1]
                    ELSE format(' from %s to %s', _condition_words.operands[1], _condition_words.operands[2]) END END
    FROM (SELECT coalesce(string_agg(o.value, ', ' ORDER BY o.n) FILTER (WHERE o.n <= 8), 'nothing')
              || CASE WHEN count(*) > 8 THEN format(' or one of %s more', count(*) - 8) ELSE '' END AS list
          FROM unnest(_condition_words.operands) WITH ORDINALITY AS o(value, n)) AS l
$$;
COMMENT ON FUNCTION spm._condition_words(text, text, boolean, text[]) IS 'A condition in plain words.';
REVOKE ALL ON FUNCTION spm._condition_words(text, text, boolean, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_explain(account anyelement, as_of date DEFAULT current_date, type text DEFAULT 'primary', model text DEFAULT NULL)
    RETURNS TABLE (rank int, territory_rule_id int, territory_key text, kind text, precedence int, outcome text,
                   failed_attribute text, value text, condition text)
    LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 200
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
    WITH RECURSIVE trial AS MATERIALIZED (
        SELECT x.*, row_number() OVER (PARTITION BY x.is_met ORDER BY x.rank) AS n
        FROM spm._territory_trial(territory_explain.account, territory_explain.as_of, territory_explain.type, territory_explain.model) AS x
    ), winner AS (
        SELECT format('lost to rule %s of %s', x.territory_rule_id, t.territory_key) AS outcome
        FROM trial AS x JOIN spm.territory AS t USING (territory_id)
        WHERE x.is_met AND x.n = 1
    ), above AS (
        -- rules that bind those below them, by the territory that they bind
        SELECT t.territory_id, t.parent_territory_id FROM spm.territory AS t
        WHERE EXISTS (SELECT FROM spm.territory_rule AS r WHERE r.is_inherited)
        UNION
        SELECT a.territory_id, p.parent_territory_id FROM above AS a JOIN spm.territory AS p ON p.territory_id = a.parent_territory_id
    ), binding AS (
        SELECT x.territory_rule_id, x.territory_rule_id AS source_rule_id FROM trial AS x
        UNION ALL
        SELECT x.territory_rule_id, i.territory_rule_id
        FROM trial AS x
        JOIN spm.territory_rule AS own USING (territory_rule_id)
        JOIN above AS a ON a.territory_id = x.territory_id
        JOIN spm.territory_rule AS i ON i.territory_id = a.parent_territory_id AND i.is_inherited
        WHERE NOT x.is_met AND own.kind <> 'exception'
    ), words AS (
        SELECT x.territory_rule_id,
            string_agg(spm._condition_words(a.name, c.operator, c.is_negated, c.operands), ' and ' ORDER BY c.territory_condition_id)
                FILTER (WHERE c.territory_rule_id = x.territory_rule_id) AS own,
            string_agg(format('rule %s above: %s', c.territory_rule_id, spm._condition_words(a.name, c.operator, c.is_negated, c.operands)),
                '; ' ORDER BY c.territory_condition_id) FILTER (WHERE c.territory_rule_id <> x.territory_rule_id) AS inherited
        FROM trial AS x
        JOIN binding AS b USING (territory_rule_id)
        JOIN spm.territory_condition AS c ON c.territory_rule_id = b.source_rule_id
            AND (x.is_met OR c.territory_attribute_id = x.territory_attribute_id)
        JOIN spm.territory_attribute AS a ON a.territory_attribute_id = c.territory_attribute_id
        GROUP BY x.territory_rule_id
    )
    SELECT x.rank, x.territory_rule_id, t.territory_key, r.kind, r.precedence,
        CASE WHEN NOT x.is_met THEN 'failed' WHEN x.n = 1 THEN 'won' ELSE w.outcome END,
        CASE WHEN NOT x.is_met THEN coalesce(a.name, 'day') END,
        CASE WHEN NOT x.is_met THEN coalesce(x.value, 'NULL') END,
        CASE WHEN NOT x.is_met AND a.name IS NULL THEN format('rule holds %s, territory exists %s', r.span, t.span)
             ELSE coalesce(concat_ws('; ', words.own, words.inherited), 'anything') END
    FROM trial AS x
    JOIN spm.territory_rule AS r USING (territory_rule_id)
    JOIN spm.territory AS t ON t.territory_id = x.territory_id
    LEFT JOIN spm.territory_attribute AS a ON a.territory_attribute_id = x.territory_attribute_id
    LEFT JOIN words ON words.territory_rule_id = x.territory_rule_id
    LEFT JOIN winner AS w ON true
    ORDER BY x.is_met DESC, x.rank
$$;
COMMENT ON FUNCTION spm.territory_explain(anyelement, date, text, text) IS
'Why a record belongs to its territory: a row for each rule of a type, those that are met first, in the order in which they go.
outcome: won, lost to the rule that won, or failed. Of a rule that failed: the first attribute that the record does not meet (day: the rule or its territory does not hold then), what the record has, and what was asked; where rules above are inherited, of the way in which it comes nearest. Of others, condition is all that is asked.
This is what the rules say. An account may be assigned otherwise: by its family, by hand or by a design, which spm_bi.territory_assignment.origin tells.
Arguments and errors as of spm.territory_of().
Example: SELECT e.* FROM crm.account AS a, spm.territory_explain(a) AS e WHERE a.account_id = ''A-17'' LIMIT 10;';
