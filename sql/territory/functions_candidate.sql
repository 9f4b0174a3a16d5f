/*
 * territory/functions_candidate.sql: who could take a new account.
 */

CREATE OR REPLACE FUNCTION spm._alike_expression(model spm.territory_model, relation regclass, account jsonb)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH attribute AS (
        SELECT a.territory_attribute_id, a.kind,
            coalesce(_alike_expression.account ->> a.column_name, _alike_expression.account -> 'attributes' ->> a.column_name) AS value,
            CASE WHEN spm._type_name(_alike_expression.relation, a.column_name) IS NOT NULL THEN format('r.%I::text', a.column_name)
                 ELSE format('r.attributes ->> %L', a.column_name) END AS expression
        FROM spm.territory_attribute a
        WHERE a.territory_model_id = (_alike_expression.model).territory_model_id AND a.kind <> 'point'
          AND a.column_name <> (_alike_expression.model).key_column
          AND (spm._type_name(_alike_expression.relation, a.column_name) IS NOT NULL OR spm._type_name(_alike_expression.relation, 'attributes') = 'jsonb')
    )
    SELECT coalesce(string_agg(CASE WHEN a.kind = 'number'
            THEN format('coalesce((abs((%s)::numeric - %L::numeric) * 4 <= greatest(abs((%s)::numeric), abs(%L::numeric)))::int, 0)', a.expression, a.value, a.expression, a.value)
            ELSE format('((%s) IS NOT DISTINCT FROM %L)::int', a.expression, a.value) END, ' + ' ORDER BY a.territory_attribute_id), '0')
    FROM attribute a
    WHERE a.value IS NOT NULL
$$;
COMMENT ON FUNCTION spm._alike_expression(spm.territory_model, regclass, jsonb) IS 'SQL for the number of attributes in which a row r of a relation is as an account: the same value, or a number that differs by at most a quarter of the larger.';
REVOKE ALL ON FUNCTION spm._alike_expression(spm.territory_model, regclass, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.territory_candidate(account anyelement, as_of date DEFAULT current_date, top int DEFAULT 10,
                                                   type text DEFAULT 'primary', model text DEFAULT NULL)
    RETURNS TABLE (territory_key text, position_key text, payee_key text, is_by_rule boolean, distance_km numeric,
                   alike numeric, accounts bigint, potential numeric, load numeric, fit numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.territory_model := spm._territory_model(territory_candidate.model);
    source regclass := spm._territory_accounts(it);
    given jsonb := to_jsonb(territory_candidate.account);
    by_rule int;
    distance text := 'NULL::double precision';
BEGIN
    PERFORM spm._check_in_limits(territory_candidate.top, 1, 10000, 'top');
    IF territory_candidate.type IS NULL OR territory_candidate.type NOT IN ('primary', 'overlay', 'specialist') THEN
        RAISE EXCEPTION 'type of a territory cannot be "%"', territory_candidate.type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is primary, overlay or specialist.';
    ELSIF territory_candidate.as_of IS NULL THEN
        RAISE EXCEPTION 'as_of cannot be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'It is the day on which the account is to be given.';
    ELSIF jsonb_typeof(given) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'account must be a row' USING ERRCODE = 'datatype_mismatch', HINT = 'Give a row of the accounts: SELECT spm.territory_candidate(a) FROM crm.account a WHERE ...;';
    ELSIF source IS NULL THEN
        RAISE EXCEPTION 'model "%" has no accounts', it.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Say where they are: SELECT spm.map_accounts(%L, ''crm.account'', key => ''account_id'');', it.name);
    END IF;
    by_rule := spm.territory_of(territory_candidate.account, territory_candidate.as_of, territory_candidate.type, it.name);
    -- great circle by the haversine formula, on a sphere of the earth's mean radius
    IF given ->> it.latitude_column IS NOT NULL AND given ->> it.longitude_column IS NOT NULL THEN
        distance := format('2 * 6371.0088 * asin(least(1, sqrt(sin(radians(r.%1$I - $5) / 2) ^ 2 + cos(radians(r.%1$I)) * cos(radians($5)) * sin(radians(r.%2$I - $6) / 2) ^ 2)))',
            it.latitude_column, it.longitude_column);
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH assigned AS (
            SELECT s.territory_id, s.account_key, %1$s AS potential, %2$s AS distance, %3$s AS alike
            FROM spm.territory_assignment s JOIN %4$s r ON r.%5$I::text = s.account_key
            WHERE s.territory_model_id = $1 AND s.type = $2 AND s.span @> $3 AND s.account_key IS DISTINCT FROM $4
        ), most_alike AS (
            SELECT a.territory_id, 1.0 / count(*) OVER () AS part
            FROM (SELECT a.territory_id FROM assigned a WHERE a.alike > 0 ORDER BY a.alike DESC, a.distance NULLS LAST, a.account_key COLLATE "C" LIMIT 20) a
        ), per_territory AS (
            SELECT a.territory_id, min(a.distance) AS distance, count(*) AS accounts, sum(coalesce(a.potential, 0)) AS potential FROM assigned a GROUP BY a.territory_id
        ), seat AS (
            SELECT h.territory_id, h.position_id, min(h.payee_key) AS payee_key, max(h.share) AS share
            FROM spm.territory_held h JOIN spm.territory t USING (territory_id)
            WHERE t.territory_model_id = $1 AND t.type = $2 AND h.span @> $3 AND (h.position_id IS NOT NULL OR h.territory_id = $7)
            GROUP BY h.territory_id, h.position_id
        ), carried AS (
            SELECT s.position_id, sum(coalesce(p.potential, 0) * s.share) AS potential FROM seat s LEFT JOIN per_territory p USING (territory_id)
            WHERE s.position_id IS NOT NULL GROUP BY s.position_id
        ), loaded AS (
            SELECT c.position_id, coalesce(c.potential / nullif(avg(c.potential) OVER (), 0), 0) AS load FROM carried c
        ), candidate AS (
            SELECT t.territory_key, w.position_key, s.payee_key, coalesce(s.territory_id = $7, false) AS is_by_rule, p.distance,
                coalesce((SELECT sum(m.part) FROM most_alike m WHERE m.territory_id = s.territory_id), 0) AS alike,
                coalesce(p.accounts, 0) AS accounts, coalesce(p.potential, 0) AS potential, l.load
            FROM seat s JOIN spm.territory t USING (territory_id) LEFT JOIN spm.position w USING (position_id)
            LEFT JOIN per_territory p USING (territory_id) LEFT JOIN loaded l USING (position_id)
        )
        SELECT c.territory_key, c.position_key, c.payee_key, c.is_by_rule, round(c.distance::numeric, 1), round(c.alike, 2), c.accounts, c.potential,
            round(c.load, 2), round(c.alike + coalesce(1 / (1 + c.distance::numeric / 100), 0) + coalesce(1 / (1 + c.load), 0), 3) AS fit
        FROM candidate c
        ORDER BY c.is_by_rule DESC, fit DESC, c.territory_key COLLATE "C", c.position_key COLLATE "C"
        LIMIT $8 $q$,
        CASE WHEN it.potential_column IS NULL THEN '1::numeric' ELSE format('r.%I::numeric', it.potential_column) END,
        distance, spm._alike_expression(it, source, given), source, it.key_column)
    USING it.territory_model_id, territory_candidate.type, territory_candidate.as_of, given ->> it.key_column,
        (given ->> it.latitude_column)::double precision, (given ->> it.longitude_column)::double precision, by_rule, territory_candidate.top;
END
$$;
COMMENT ON FUNCTION spm.territory_candidate(anyelement, date, int, text, text) IS
'Who could take an account: the owners of territories, first of the one that the rules give it to, then by fit.
account: a row of the accounts, or a record like one; it need not be among them. as_of: the day. top: rows at most. type: of the territories. model: name; NULL: the one active model.
is_by_rule: the rules say so; without an owner position_key is NULL then. distance_km: to the nearest account of the territory (great circle by the haversine formula; NULL without points). alike: share of the 20 accounts most like it that belong to the territory; alike are those that agree in most attributes of the model, numbers when they differ by at most a quarter. accounts, potential: what the territory has. load: potential that the position carries in all its territories, by its shares, over the mean of all who carry any. fit: alike + 1 / (1 + distance_km / 100) + 1 / (1 + load), from 0 to 3.
Errors: 42704 for an unknown model; 22023 for another type or top; 22004 without a day; 42804 for what is no row; 55000 when the model has no accounts; those of spm.territory_of().
Example: SELECT c.* FROM crm.account a, spm.territory_candidate(a) c WHERE a.account_id = ''A-17'';';
