/*
 * territory/functions_segment.sql: scoring accounts, dividing them into
 * segments, and keeping which was in which when.
 *
 * Scores are exact: they are made of ranks, counts and sums in numeric, so the
 * same rows give the same score on every machine and in any order.
 */

CREATE OR REPLACE FUNCTION spm._segmentation(segmentation text)
    RETURNS spm.segmentation
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.segmentation;
BEGIN
    SELECT s.* INTO it FROM spm.segmentation s WHERE s.name = _segmentation.segmentation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'segmentation "%" does not exist', _segmentation.segmentation
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('There are: ' || spm._near(_segmentation.segmentation, ARRAY(SELECT s.name FROM spm.segmentation s)) || '.',
                                  'Add it: SELECT spm.add_segmentation(name, relation, key, columns, segments, bands, limits);');
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._segmentation(text) IS 'The segmentation of that name; error 42704.';
REVOKE ALL ON FUNCTION spm._segmentation(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._segment_id(segmentation_id int, segment text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT g.segment_id INTO id FROM spm.segment g WHERE g.segmentation_id = _segment_id.segmentation_id AND g.name = _segment_id.segment;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'segment "%" does not exist', _segment_id.segment
            USING ERRCODE = 'undefined_object',
                  HINT = format('Segments are: %s.', (SELECT string_agg(g.name, ', ' ORDER BY g.nth) FROM spm.segment g
                                                       WHERE g.segmentation_id = _segment_id.segmentation_id));
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._segment_id(int, text) IS 'Key of a segment by its name; error 42704.';
REVOKE ALL ON FUNCTION spm._segment_id(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._factor_sql(relation regclass, column_name text, alias text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE spm._column_type(_factor_sql.relation, _factor_sql.column_name, 'columns',
                                 '{numeric,bigint,integer,smallint,"double precision",real,boolean,date}', NULL)
        WHEN 'boolean'::regtype THEN format('%I.%I::int::numeric', _factor_sql.alias, _factor_sql.column_name)
        WHEN 'date'::regtype THEN format('(%I.%I - date ''2000-01-01'')::numeric', _factor_sql.alias, _factor_sql.column_name)
        ELSE format('%I.%I::numeric', _factor_sql.alias, _factor_sql.column_name) END;
END
$$;
COMMENT ON FUNCTION spm._factor_sql(regclass, text, text) IS 'A column as a number: dates as days, booleans as 0 and 1. Errors as spm._column_type().';
REVOKE ALL ON FUNCTION spm._factor_sql(regclass, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_segmentation(name text, relation regclass, key text, columns text[], segments text[],
                                                bands text DEFAULT 'natural', limits numeric[] DEFAULT NULL,
                                                weights numeric[] DEFAULT NULL, scales text[] DEFAULT NULL,
                                                lower_is_better text[] DEFAULT '{}', margin numeric DEFAULT 0)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n int := coalesce(cardinality(add_segmentation.columns), 0);
    k int := coalesce(cardinality(add_segmentation.segments), 0);
    previous numeric;
    one numeric;
    id int;
BEGIN
    PERFORM spm._check_text(add_segmentation.name, 'name'), spm._check_relation(add_segmentation.relation),
        spm._column_type(add_segmentation.relation, add_segmentation.key, 'key', '{text,"character varying",character,name,bigint,integer,smallint,numeric,uuid}', NULL);
    IF EXISTS (SELECT FROM spm.segmentation s WHERE s.name = add_segmentation.name) THEN
        RAISE EXCEPTION 'segmentation "%" already exists', add_segmentation.name
            USING ERRCODE = 'duplicate_object', HINT = 'Choose another name, or change what it is made of in spm.segmentation and spm.segmentation_factor.';
    END IF;
    IF n = 0 OR array_position(add_segmentation.columns, NULL) IS NOT NULL
       OR n <> (SELECT count(DISTINCT c) FROM unnest(add_segmentation.columns) c) THEN
        RAISE EXCEPTION 'a score needs columns, each named once'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'columns => ARRAY[''revenue'', ''employees'']';
    END IF;
    PERFORM spm._factor_sql(add_segmentation.relation, c, 't') FROM unnest(add_segmentation.columns) c;
    IF k < 2 OR array_position(add_segmentation.segments, NULL) IS NOT NULL
       OR k <> (SELECT count(DISTINCT g) FROM unnest(add_segmentation.segments) g WHERE g <> '') OR k > 100 THEN
        RAISE EXCEPTION 'a segmentation needs 2 to 100 segments of different names'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Best first: segments => ARRAY[''A'', ''B'', ''C'']';
    END IF;
    IF add_segmentation.bands IS NULL OR add_segmentation.bands NOT IN ('floors', 'count', 'sum', 'natural') THEN
        RAISE EXCEPTION 'there are no bands by "%"', coalesce(add_segmentation.bands, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Bands are by floors, count, sum or natural.';
    END IF;
    IF add_segmentation.bands = 'natural' AND add_segmentation.limits IS NOT NULL THEN
        RAISE EXCEPTION 'natural bands have no limits' USING ERRCODE = 'invalid_parameter_value', HINT = 'They are found in the scores: leave limits out.';
    ELSIF add_segmentation.bands <> 'natural' THEN
        IF coalesce(cardinality(add_segmentation.limits), 0) <> k - 1 THEN
            RAISE EXCEPTION '% segments need % limits, not %', k, k - 1, coalesce(cardinality(add_segmentation.limits), 0)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'One for each segment but the last.';
        END IF;
        FOREACH one IN ARRAY add_segmentation.limits LOOP
            IF one IS NULL OR one IN ('NaN', 'Infinity', '-Infinity')
               OR add_segmentation.bands = 'floors' AND one >= previous
               OR add_segmentation.bands <> 'floors' AND (one <= previous OR one <= 0 OR one >= 1) THEN
                RAISE EXCEPTION 'limits % are not in order', add_segmentation.limits
                    USING ERRCODE = 'invalid_parameter_value',
                          HINT = CASE add_segmentation.bands WHEN 'floors' THEN 'Lowest scores, best segment first: {80,50}.'
                                 ELSE 'Shares of all that are above, best segment first: {0.2,0.5}.' END;
            END IF;
            previous := one;
        END LOOP;
    END IF;
    IF cardinality(add_segmentation.weights) <> n OR cardinality(add_segmentation.scales) <> n THEN
        RAISE EXCEPTION '% columns need as many weights and scales', n
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('There are %s weights and %s scales.', coalesce(cardinality(add_segmentation.weights)::text, 'no'),
                                  coalesce(cardinality(add_segmentation.scales)::text, 'no')),
                  HINT = 'Leave them out to give all columns the same weight and percentiles.';
    END IF;
    IF EXISTS (SELECT FROM unnest(add_segmentation.weights) w WHERE (w > 0 AND w < 'Infinity') IS NOT TRUE) THEN
        RAISE EXCEPTION 'weights % are not all greater than 0', add_segmentation.weights
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave out columns that do not count.';
    END IF;
    IF EXISTS (SELECT FROM unnest(add_segmentation.scales) x WHERE coalesce(x, '') NOT IN ('percentile', 'standard', 'value')) THEN
        RAISE EXCEPTION 'scales % are not all known', add_segmentation.scales
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Scales are percentile, standard and value.';
    END IF;
    IF NOT coalesce(add_segmentation.lower_is_better, '{}') <@ add_segmentation.columns THEN
        RAISE EXCEPTION 'lower_is_better names a column that is not scored'
            USING ERRCODE = 'invalid_parameter_value', HINT = format('Columns are %s.', array_to_string(add_segmentation.columns, ', '));
    END IF;
    IF (add_segmentation.margin >= 0 AND add_segmentation.margin < 'Infinity') IS NOT TRUE THEN
        RAISE EXCEPTION 'margin cannot be %', coalesce(add_segmentation.margin::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is 0 or more, in points of the score.';
    END IF;
    INSERT INTO spm.segmentation (name, relation_schema, relation_name, key_column, bands, limits, margin)
    SELECT add_segmentation.name, (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = c.relnamespace), c.relname, add_segmentation.key, add_segmentation.bands,
        add_segmentation.limits, add_segmentation.margin
    FROM pg_catalog.pg_class c WHERE c.oid = add_segmentation.relation
    RETURNING segmentation_id INTO id;
    INSERT INTO spm.segmentation_factor (segmentation_id, column_name, nth, weight, scale, is_lower_better)
    SELECT id, c.column_name, c.nth, coalesce(add_segmentation.weights[c.nth], 1), coalesce(add_segmentation.scales[c.nth], 'percentile'),
        c.column_name = ANY (coalesce(add_segmentation.lower_is_better, '{}'))
    FROM unnest(add_segmentation.columns) WITH ORDINALITY c(column_name, nth);
    INSERT INTO spm.segment (segmentation_id, nth, name)
    SELECT id, g.nth, g.name FROM unnest(add_segmentation.segments) WITH ORDINALITY g(name, nth);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_segmentation(text, regclass, text, text[], text[], text, numeric[], numeric[], text[], text[], numeric) IS
'Says how the rows of a relation are scored and divided into segments; returns the segmentation_id. Nothing is scored yet: spm.segment_accounts() does that.
name: unique. relation: table or view with one row per account; key: its column with the account''s key. columns: what the score is made of: numbers, booleans or dates (later is more). segments: names, best first, 2 to 100.
bands: floors: limits are the lowest scores of the segments, {80,50}; count: shares of the accounts, {0.2,0.5}: the best 20 %, the next 30 %, the rest; sum: shares of the sum of scores, {0.8,0.95}: ABC, those who bring the first 80 %, the next 15 %, the rest; natural: no limits, scores that are close stay together (spm.natural_breaks). A limit belongs to the better segment; equal scores stay together.
weights: of the columns, default all the same. scales: percentile (default): 0 to 100, the share of accounts that have less and half of those that have the same; standard: 50, and 10 for each standard deviation from the mean (McCall 1922); value: as it is. A missing value counts 0 points; an account that misses all has no score. lower_is_better: columns of which less is better.
margin: points by which a score must pass a limit before an account changes its segment, so that it does not go back and forth; default 0.
Errors: 42710 for a name that is taken; 22023 for limits, weights or scales that do not fit; 42703, 42804, 42501 for a column that is not there, of another type or not readable; 42809 not a table or view.
Example: SELECT spm.add_segmentation(''tier'', ''crm.account'', ''account_id'', ''{revenue,employees}'', ''{A,B,C}'', ''count'', ''{0.2,0.5}'', weights => ''{2,1}'');';

CREATE OR REPLACE FUNCTION spm._score_query(it spm.segmentation, is_detailed boolean)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
DECLARE
    relation regclass := to_regclass(format('%I.%I', (_score_query.it).relation_schema, (_score_query.it).relation_name));
    factor spm.segmentation_factor;
    inner_columns text := '';
    points text := '';
    windows text := '';     -- NULLs come last, and change no rank of others
    counts text := '';
    total text := '';
    weight numeric := 0;
    names text := '';
    x text;
BEGIN
    IF relation IS NULL THEN
        RAISE EXCEPTION 'relation %.% of segmentation "%" is gone', (_score_query.it).relation_schema, (_score_query.it).relation_name, (_score_query.it).name
            USING ERRCODE = 'undefined_table', HINT = 'Make it again, or name another one in spm.segmentation.';
    END IF;
    PERFORM spm._column_type(relation, (_score_query.it).key_column, 'key', '{text,"character varying",character,name,bigint,integer,smallint,numeric,uuid}', NULL);
    FOR factor IN SELECT f.* FROM spm.segmentation_factor f WHERE f.segmentation_id = (_score_query.it).segmentation_id ORDER BY f.nth LOOP
        x := 'x' || factor.nth;
        inner_columns := inner_columns || format(', %s AS %I', spm._factor_sql(relation, factor.column_name, 't'), x);
        names := names || format(', r.%I', x);
        IF factor.scale = 'percentile' THEN
            points := points || format(E',\n           CASE WHEN r.%1$I IS NULL THEN 0 ELSE 50.0 * (rank() OVER w%2$s - 1 + count(*) OVER w%2$s) / n.n%2$s END AS f%2$s', x, factor.nth);
            windows := windows || format(', w%s AS (ORDER BY r.%I%s)', factor.nth, x, CASE WHEN factor.is_lower_better THEN ' DESC NULLS LAST' ELSE '' END);
            counts := counts || format(', count(t.%I) AS n%s', factor.column_name, factor.nth);
        ELSIF factor.scale = 'standard' THEN
            points := points || format(E',\n           CASE WHEN r.%1$I IS NULL THEN 0 ELSE 50 %3$s coalesce(10 * (r.%1$I - avg(r.%1$I) OVER ()) / nullif(stddev_pop(r.%1$I) OVER (), 0), 0) END AS f%2$s',
                                       x, factor.nth, CASE WHEN factor.is_lower_better THEN '-' ELSE '+' END);
        ELSE
            points := points || format(E',\n           coalesce(%sr.%I, 0) AS f%s', CASE WHEN factor.is_lower_better THEN '-' ELSE '' END, x, factor.nth);
        END IF;
        total := total || format('%s%s * q.f%s', CASE WHEN total <> '' THEN ' + ' END, factor.weight, factor.nth);
        weight := weight + factor.weight;
    END LOOP;
    RETURN format($sql$SELECT q.account_key, round((%1$s) / %2$s, 6) AS score%3$s
FROM (
    SELECT r.account_key%4$s%5$s
    FROM (SELECT t.%6$I::text AS account_key%7$s FROM %8$s AS t) AS r%11$s%9$s
) AS q
WHERE num_nonnulls(%10$s) > 0$sql$,
        coalesce(nullif(total, ''), '0'), coalesce(nullif(weight, 0), 1),
        CASE WHEN _score_query.is_detailed THEN format(', ARRAY[%s] AS numbers, ARRAY[%s] AS points', replace(substr(names, 3), 'r.', 'q.'), regexp_replace(substr(names, 3), 'r\.x', 'q.f', 'g')) ELSE '' END,
        names, points, (_score_query.it).key_column, inner_columns, relation,
        CASE WHEN windows <> '' THEN E'\n    WINDOW' || substr(windows, 2) ELSE '' END,
        replace(substr(names, 3), 'r.', 'q.'),
        CASE WHEN counts <> '' THEN format(E'\n    CROSS JOIN (SELECT %s FROM %s AS t) AS n', substr(counts, 3), relation) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._score_query(spm.segmentation, boolean) IS 'Query for the scores of a segmentation: account_key, score and, when detailed, numbers and points of its factors. Errors 42P01, 42703, 42804, 42501.';
REVOKE ALL ON FUNCTION spm._score_query(spm.segmentation, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.segmentation_query(segmentation text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN spm._score_query(spm._segmentation(segmentation_query.segmentation), false);
END
$$;
COMMENT ON FUNCTION spm.segmentation_query(text) IS
'The query by which a segmentation scores accounts: account_key and score. It is what spm.segment_accounts() runs.
Errors: 42704 for an unknown segmentation; 42P01, 42703, 42804, 42501 when its relation or a column has gone, changed its type or may not be read.
Example: SELECT spm.segmentation_query(''tier'');';

CREATE OR REPLACE FUNCTION spm._check_scores(it spm.segmentation)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation text := format('%I.%I', (_check_scores.it).relation_schema, (_check_scores.it).relation_name);
    tests text;
    key text;
    factor text;
    times bigint;
BEGIN
    EXECUTE format('SELECT t.%1$I::text AS account_key, count(*) AS n FROM %2$s AS t GROUP BY 1 HAVING count(*) > 1 OR coalesce(t.%1$I::text, '''') = '''' ORDER BY 1 LIMIT 1',
                   (_check_scores.it).key_column, relation) INTO key, times;
    IF times IS NOT NULL THEN
        RAISE EXCEPTION '%', CASE WHEN coalesce(key, '') = '' THEN format('an account of %s has no key', relation)
                                  ELSE format('account "%s" is in %s %s times', key, relation, times) END
            USING ERRCODE = 'invalid_parameter_value', HINT = 'An account has one row: let the segmentation read a view that has.';
    END IF;
    SELECT string_agg(format('SELECT t.%I::text AS account_key, %L AS factor FROM %s AS t WHERE t.%I::numeric IN (''NaN'', ''Infinity'', ''-Infinity'')',
                             (_check_scores.it).key_column, f.column_name, relation, f.column_name), ' UNION ALL ')
    INTO tests
    FROM spm.segmentation_factor f
    WHERE f.segmentation_id = (_check_scores.it).segmentation_id
      AND spm._column_type(relation::regclass, f.column_name, 'columns', '{numeric,bigint,integer,smallint,"double precision",real,boolean,date}', NULL)
          IN ('numeric'::regtype, 'double precision'::regtype, 'real'::regtype);
    IF tests IS NOT NULL THEN
        EXECUTE tests || ' LIMIT 1' INTO key, factor;
        IF key IS NOT NULL THEN
            RAISE EXCEPTION 'account "%" has no finite number in "%"', key, factor
                USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL stands for a number that is not known.';
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_scores(spm.segmentation) IS 'Error 22023 for an account without a key, one that is there twice, and a number that is not finite.';
REVOKE ALL ON FUNCTION spm._check_scores(spm.segmentation) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._band_query(it spm.segmentation, segments int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    upward numeric[] := ARRAY(SELECT l FROM unnest((_band_query.it).limits) l ORDER BY l);
BEGIN
    IF (_band_query.it).bands = 'floors' THEN
        RETURN format('SELECT DISTINCT s.score, %s - width_bucket(s.score, %L::numeric[]) AS nth FROM pg_temp.spm_score AS s', _band_query.segments, upward);
    ELSIF (_band_query.it).bands = 'natural' THEN
        RETURN format('SELECT DISTINCT s.score, cardinality(b.cuts) + 1 - width_bucket(s.score::float8, b.cuts) AS nth
                       FROM pg_temp.spm_score AS s, (SELECT spm.natural_breaks(score::float8, %s) AS cuts FROM pg_temp.spm_score) AS b', _band_query.segments);
    END IF;
    -- by what the better ones have
    RETURN format('SELECT l.score, 1 + width_bucket(coalesce((sum(l.amount) OVER (ORDER BY l.score DESC ROWS UNBOUNDED PRECEDING) - l.amount) / nullif(sum(l.amount) OVER (), 0), 1),
                              %L::numeric[]) AS nth
                   FROM (SELECT s.score, %s AS amount FROM pg_temp.spm_score AS s GROUP BY s.score) AS l',
                  upward, CASE (_band_query.it).bands WHEN 'count' THEN 'count(*)::numeric' ELSE 'sum(s.score)' END);
END
$$;
COMMENT ON FUNCTION spm._band_query(spm.segmentation, int) IS 'Query for the place of the segment of each score in the temporary table spm_score.';
REVOKE ALL ON FUNCTION spm._band_query(spm.segmentation, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.segment_accounts(segmentation text, as_of date DEFAULT current_date, dry_run boolean DEFAULT false)
    RETURNS TABLE (segment text, accounts bigint, accounts_before bigint, gained bigint, lost bigint, lowest_score numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.segmentation := spm._segmentation(segment_accounts.segmentation);
    segment_ids int[] := ARRAY(SELECT g.segment_id FROM spm.segment g WHERE g.segmentation_id = it.segmentation_id ORDER BY g.nth);
    day date := segment_accounts.as_of;
    query text := spm._score_query(it, false);
    latest date;
    lowest numeric[];
    worst text;
    worst_score numeric;
    scored bigint;
    changed bigint;
BEGIN
    -- one at a time
    PERFORM FROM spm.segmentation s WHERE s.segmentation_id = it.segmentation_id FOR UPDATE;
    IF day IS NULL OR NOT isfinite(day) THEN
        RAISE EXCEPTION 'accounts cannot be divided as of %', coalesce(day::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a day: as_of => current_date.';
    END IF;
    SELECT max(r.as_of) INTO latest FROM spm.segmentation_run r WHERE r.segmentation_id = it.segmentation_id;
    IF day < latest THEN
        RAISE EXCEPTION 'segmentation "%" was made as of % already', it.name, to_char(latest, 'YYYY-MM-DD')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It cannot be made as of %s after that.', to_char(day, 'YYYY-MM-DD')),
                  HINT = format('SELECT * FROM spm.segment_accounts(%L, as_of => %L);', it.name, to_char(latest, 'YYYY-MM-DD'));
    END IF;
    PERFORM spm._check_scores(it);
    EXECUTE 'CREATE TEMPORARY TABLE spm_score ON COMMIT DROP AS ' || query;
    EXECUTE 'SELECT s.account_key, s.score FROM pg_temp.spm_score AS s ORDER BY s.score, s.account_key LIMIT 1' INTO worst, worst_score;
    IF worst_score IS NULL THEN
        RAISE EXCEPTION 'no account of %.% has a score', it.relation_schema, it.relation_name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It has no rows, or no numbers in the columns that are scored.';
    ELSIF it.bands = 'sum' AND worst_score < 0 THEN
        RAISE EXCEPTION 'account "%" has the score %, and a share of a sum cannot be negative', worst, worst_score
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Score by percentile, or let the segmentation read a view with greatest(column, 0).';
    END IF;

    EXECUTE format($sql$
        CREATE TEMPORARY TABLE spm_target ON COMMIT DROP AS
        WITH band AS MATERIALIZED (
            %1$s
        ), floor AS MATERIALIZED (
            SELECT f.of, coalesce(%7$L::numeric[], f.of) AS limits
            FROM (SELECT array_agg((SELECT min(b.score) FROM band AS b WHERE b.nth = n) ORDER BY n) AS of FROM generate_series(1, %2$s) n) AS f
        )
        SELECT coalesce(s.account_key, m.account_key) AS account_key, s.score, m.segment_member_id, m.segment_id AS segment_id_before, f.of AS floors,
            CASE WHEN m.origin = 'manual' THEN m.segment_id
                 WHEN g.nth < b.nth AND s.score >= f.limits[g.nth] - %3$L::numeric THEN m.segment_id
                 WHEN g.nth > b.nth AND s.score < f.limits[g.nth - 1] + %3$L::numeric THEN m.segment_id
                 ELSE (%4$L::int[])[b.nth] END AS segment_id
        FROM pg_temp.spm_score AS s
        JOIN band AS b USING (score)
        CROSS JOIN floor AS f
        FULL JOIN (SELECT * FROM spm.segment_member WHERE segmentation_id = %5$s AND span @> %6$L::date) AS m ON m.account_key = s.account_key
        LEFT JOIN spm.segment AS g ON g.segment_id = m.segment_id$sql$,
        spm._band_query(it, cardinality(segment_ids)), cardinality(segment_ids), it.margin, segment_ids, it.segmentation_id, day,
        CASE it.bands WHEN 'floors' THEN it.limits END);
    EXECUTE 'SELECT max(t.floors), count(t.score), count(*) FILTER (WHERE t.segment_id IS DISTINCT FROM t.segment_id_before) FROM pg_temp.spm_target AS t'
    INTO lowest, scored, changed;

    IF NOT coalesce(segment_accounts.dry_run, false) THEN
        IF changed > 0 THEN
            EXECUTE format('DELETE FROM spm.segment_member AS m USING pg_temp.spm_target AS t
                            WHERE m.segment_member_id = t.segment_member_id AND t.segment_id IS DISTINCT FROM t.segment_id_before AND lower(m.span) = %L', day);
            EXECUTE format('UPDATE spm.segment_member AS m SET span = daterange(lower(m.span), %L) FROM pg_temp.spm_target AS t
                            WHERE m.segment_member_id = t.segment_member_id AND t.segment_id IS DISTINCT FROM t.segment_id_before', day);
            EXECUTE format('INSERT INTO spm.segment_member (segmentation_id, account_key, segment_id, origin, score, span)
                            SELECT %1$s, t.account_key, t.segment_id, ''score'', t.score, daterange(%2$L, later.day)
                            FROM pg_temp.spm_target AS t
                            LEFT JOIN (SELECT m.account_key, min(lower(m.span)) AS day FROM spm.segment_member AS m
                                       WHERE m.segmentation_id = %1$s AND lower(m.span) > %2$L GROUP BY 1) AS later USING (account_key)
                            WHERE t.segment_id IS DISTINCT FROM t.segment_id_before AND t.segment_id IS NOT NULL
                            ORDER BY t.account_key COLLATE "C"', it.segmentation_id, day);
        END IF;
        INSERT INTO spm.segmentation_run (segmentation_id, as_of, floors, account_count, change_count)
        SELECT it.segmentation_id, day, lowest, scored, changed
        WHERE changed > 0 OR NOT EXISTS (
            SELECT FROM spm.segmentation_run r
            WHERE r.segmentation_id = it.segmentation_id AND r.as_of = day AND r.floors = lowest AND r.account_count = scored);
    END IF;

    RETURN QUERY EXECUTE format($sql$
        SELECT g.name, coalesce(a.accounts, 0), coalesce(b.accounts, 0), coalesce(a.gained, 0), coalesce(b.lost, 0), (%L::numeric[])[g.nth]
        FROM spm.segment AS g
        LEFT JOIN (SELECT t.segment_id, count(*) AS accounts, count(*) FILTER (WHERE t.segment_id IS DISTINCT FROM t.segment_id_before) AS gained
                   FROM pg_temp.spm_target AS t GROUP BY 1) AS a USING (segment_id)
        LEFT JOIN (SELECT t.segment_id_before AS segment_id, count(*) AS accounts, count(*) FILTER (WHERE t.segment_id IS DISTINCT FROM t.segment_id_before) AS lost
                   FROM pg_temp.spm_target AS t GROUP BY 1) AS b USING (segment_id)
        WHERE g.segmentation_id = %s
        ORDER BY g.nth$sql$, lowest, it.segmentation_id);
    EXECUTE 'DROP TABLE pg_temp.spm_score, pg_temp.spm_target';
END
$$;
COMMENT ON FUNCTION spm.segment_accounts(text, date, boolean) IS
'Scores the accounts of a segmentation and writes which segment each is in from a day on, where that changes: what held until then ends, and stays on record. Accounts that are gone, or have no score, lose their segment; what was set by spm.set_segment() stays. The same call again changes nothing.
Returns for each segment, best first: accounts now and before, gained and lost ones, and its lowest score (NULL: no account scored for it).
segmentation: name. as_of: day from which on the result holds; days before it keep what they had, a later call for the same day takes its place. dry_run: only tell.
Errors: 42704 for an unknown segmentation; 22023 for a day before the last one, an account without a key or with two rows, a number that is not finite, no scores at all, or a negative one where bands are shares of the sum; 42P01, 42703, 42804, 42501 when its relation or a column has changed.
Example: SELECT * FROM spm.segment_accounts(''tier'', as_of => ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.explain_segment(segmentation text, account text)
    RETURNS TABLE (factor text, value numeric, points numeric, weight numeric, contribution numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.segmentation := spm._segmentation(explain_segment.segmentation);
    its_score numeric;
    its_numbers numeric[];
    its_points numeric[];
BEGIN
    EXECUTE format('SELECT s.score, s.numbers, s.points FROM (%s) AS s WHERE s.account_key = %L', spm._score_query(it, true), explain_segment.account)
    INTO its_score, its_numbers, its_points;
    IF its_score IS NULL THEN
        RAISE EXCEPTION 'account "%" has no score in segmentation "%"', explain_segment.account, it.name
            USING ERRCODE = 'undefined_object', HINT = format('It is not in %I.%I, or all that is scored is NULL there.', it.relation_schema, it.relation_name);
    END IF;
    RETURN QUERY
    SELECT f.column_name, trim_scale(its_numbers[f.nth]), round(its_points[f.nth], 6), f.weight,
        round(f.weight * its_points[f.nth] / sum(f.weight) OVER (), 6)
    FROM spm.segmentation_factor f
    WHERE f.segmentation_id = it.segmentation_id
    ORDER BY f.nth;
    RETURN QUERY SELECT 'score'::text, its_score, NULL::numeric, NULL::numeric, its_score;
END
$$;
COMMENT ON FUNCTION spm.explain_segment(text, text) IS
'How the score of an account comes about: for each factor its value (dates as days since 2000-01-01), its points, its weight and what it contributes, then the score. From the rows as they are now.
segmentation: name. account: key.
Errors: 42704 for an unknown segmentation or an account without a score.
Example: SELECT * FROM spm.explain_segment(''tier'', ''A-17'');';

CREATE OR REPLACE FUNCTION spm.segment_of(account text, segmentation text, as_of date DEFAULT current_date)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT g.name
    FROM spm.segmentation s
    JOIN spm.segment_member m USING (segmentation_id)
    JOIN spm.segment g USING (segment_id)
    WHERE s.name = segment_of.segmentation AND m.account_key = segment_of.account AND m.span @> segment_of.as_of;
END;
COMMENT ON FUNCTION spm.segment_of(text, text, date) IS
'Segment that an account was in on a day. NULL: none. A view over accounts with this as a column lets territory rules ask for segments.
account: key. segmentation: name. as_of: day.
Example: SELECT spm.segment_of(''A-17'', ''tier'', ''2026-03-31'');';

CREATE OR REPLACE FUNCTION spm.set_segment(segmentation text, account text, segment text, since date DEFAULT current_date, reason text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.segmentation := spm._segmentation(set_segment.segmentation);
    of_segment int := spm._segment_id(it.segmentation_id, set_segment.segment);
    room daterange;
    id bigint;
BEGIN
    PERFORM spm._check_text(set_segment.account, 'account');
    PERFORM FROM spm.segmentation s WHERE s.segmentation_id = it.segmentation_id FOR UPDATE;
    IF set_segment.since IS NULL OR NOT isfinite(set_segment.since) THEN
        RAISE EXCEPTION 'a segment is set from a day on' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give since.';
    END IF;
    DELETE FROM spm.segment_member m
    WHERE m.segmentation_id = it.segmentation_id AND m.account_key = set_segment.account AND lower(m.span) = set_segment.since;
    room := spm._make_room('spm.segment_member', jsonb_build_object('segmentation_id', it.segmentation_id, 'account_key', set_segment.account)::text,
                           format('the segment of account "%s"', set_segment.account), set_segment.since, NULL);
    INSERT INTO spm.segment_member (segmentation_id, account_key, segment_id, origin, span, reason)
    VALUES (it.segmentation_id, set_segment.account, of_segment, 'manual', room, set_segment.reason)
    RETURNING segment_member_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_segment(text, text, text, date, text) IS
'Puts an account into a segment by hand, whatever its score; returns the segment_member_id. spm.segment_accounts() leaves it there until spm.release_segment().
segmentation, segment: names. account: key. since: first day. reason: kept with the row.
Errors: 42704 for an unknown segmentation or segment; 22023 for an empty account or no day.
Example: SELECT spm.set_segment(''tier'', ''A-17'', ''A'', ''2026-01-01'', ''strategic'');';

CREATE OR REPLACE FUNCTION spm.release_segment(segmentation text, account text, since date DEFAULT current_date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.segmentation := spm._segmentation(release_segment.segmentation);
    held spm.segment_member;
BEGIN
    PERFORM FROM spm.segmentation s WHERE s.segmentation_id = it.segmentation_id FOR UPDATE;
    SELECT m.* INTO held FROM spm.segment_member m
    WHERE m.segmentation_id = it.segmentation_id AND m.account_key = release_segment.account AND m.span @> release_segment.since AND m.origin = 'manual'
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account "%" is in no segment by hand on %', release_segment.account, coalesce(to_char(release_segment.since, 'YYYY-MM-DD'), 'NULL')
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT * FROM spm_bi.segment_member WHERE account_key = %L;', release_segment.account);
    END IF;
    IF lower(held.span) = release_segment.since THEN
        DELETE FROM spm.segment_member m WHERE m.segment_member_id = held.segment_member_id;
    ELSE
        UPDATE spm.segment_member m SET span = daterange(lower(held.span), release_segment.since) WHERE m.segment_member_id = held.segment_member_id;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.release_segment(text, text, date) IS
'Lets an account that was put into a segment by hand go by its score again: it has no segment from the day on until spm.segment_accounts() gives it one.
segmentation: name. account: key. since: first day without.
Errors: 42704 when it is in none by hand on that day.
Example: SELECT spm.release_segment(''tier'', ''A-17'', ''2026-07-01'');';
