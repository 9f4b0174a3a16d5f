/*
 * territory/functions_segment_value.sql: what accounts have bought, and what
 * they might, from anybody's tables.
 */

CREATE OR REPLACE FUNCTION spm.rfm(relation regclass, account text, day text, amount text, as_of date DEFAULT current_date,
                                   since date DEFAULT NULL, bands int DEFAULT 5)
    RETURNS TABLE (account_key text, last_day date, recency_days int, frequency bigint, monetary numeric,
                   recency_band int, frequency_band int, monetary_band int, bands_text text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM spm._column_type(rfm.relation, rfm.account, 'account', '{text,"character varying",character,name,bigint,integer,smallint,numeric,uuid}', NULL),
        spm._column_type(rfm.relation, rfm.day, 'day', '{date,"timestamp without time zone"}', NULL),
        spm._column_type(rfm.relation, rfm.amount, 'amount', '{numeric,bigint,integer,smallint}', NULL);
    IF rfm.as_of IS NULL OR NOT isfinite(rfm.as_of) OR rfm.since > rfm.as_of THEN
        RAISE EXCEPTION 'there are no days from % to %', coalesce(to_char(rfm.since, 'YYYY-MM-DD'), 'the beginning'), coalesce(to_char(rfm.as_of, 'YYYY-MM-DD'), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'since is the first day, as_of the last.';
    END IF;
    IF (rfm.bands BETWEEN 2 AND 9) IS NOT TRUE THEN
        RAISE EXCEPTION 'there cannot be % bands', coalesce(rfm.bands::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Bands are 2 to 9, so that each is a digit.';
    END IF;
    -- a band is the share of accounts that are worse: those that are the same stay together
    RETURN QUERY EXECUTE format($sql$
        SELECT b.account_key, b.last_day, b.recency_days, b.frequency, b.monetary, b.r, b.f, b.m, concat(b.r, b.f, b.m)
        FROM (
            SELECT a.*,
                1 + ($3 * (rank() OVER (ORDER BY a.last_day) - 1) / count(*) OVER ())::int AS r,
                1 + ($3 * (rank() OVER (ORDER BY a.frequency) - 1) / count(*) OVER ())::int AS f,
                1 + ($3 * (rank() OVER (ORDER BY a.monetary) - 1) / count(*) OVER ())::int AS m
            FROM (
                SELECT t.account_key, max(t.day) AS last_day, $2 - max(t.day) AS recency_days, count(*) AS frequency, sum(t.amount)::numeric AS monetary
                FROM (SELECT r.%I::text AS account_key, r.%I::date AS day, r.%I AS amount FROM %s AS r) AS t
                WHERE t.account_key IS NOT NULL AND t.day <= $2 AND ($1 IS NULL OR t.day >= $1)
                GROUP BY 1
            ) AS a
        ) AS b
        ORDER BY b.account_key COLLATE "C"$sql$, rfm.account, rfm.day, rfm.amount, rfm.relation) USING rfm.since, rfm.as_of, rfm.bands;
END
$$;
COMMENT ON FUNCTION spm.rfm(regclass, text, text, text, date, date, int) IS
'Recency, frequency and monetary value of accounts (Hughes 1994), from rows of orders: last day, days since, number of orders and their sum, and for each a band from 1, worst, to bands, best; bands_text puts the three digits together: 555 bought lately, often and much. A band says what share of the accounts are worse, so those that are the same are in the same band.
relation: any table or view with one row per order, spm.transaction for instance; account, day, amount: its columns. as_of: last day that counts; since: first one, NULL for all before. bands: 2 to 9.
Errors: 42703, 42804, 42501 for a column that is not there, of another type or not readable; 22023 for days or bands that make no sense.
Example: SELECT * FROM spm.rfm(''crm.deal'', ''account_id'', ''closed_on'', ''amount'', as_of => ''2026-03-31'');';

CREATE OR REPLACE FUNCTION spm.peer_potential(relation regclass, account text, spend text, size text DEFAULT NULL, cells text[] DEFAULT '{}',
                                              quantile numeric DEFAULT 0.8, shrinkage numeric DEFAULT 10, places int DEFAULT 2)
    RETURNS TABLE (account_key text, spend_amount numeric, size_amount numeric, cell text, peers bigint, rate numeric, potential numeric, untapped numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
DECLARE
    numbers text[] := '{numeric,bigint,integer,smallint}';
    depth int := coalesce(cardinality(peer_potential.cells), 0);
    levels text := '';
    joins text := '';
    rate_text text := 'l0.q';
    keys text;
    column_name text;
BEGIN
    PERFORM spm._column_type(peer_potential.relation, peer_potential.account, 'account', '{text,"character varying",character,name,bigint,integer,smallint,numeric,uuid}', NULL),
        spm._column_type(peer_potential.relation, peer_potential.spend, 'spend', numbers, NULL),
        CASE WHEN peer_potential.size IS NOT NULL THEN spm._column_type(peer_potential.relation, peer_potential.size, 'size', numbers, NULL) END;
    FOREACH column_name IN ARRAY coalesce(peer_potential.cells, '{}') LOOP
        PERFORM spm._column_type(peer_potential.relation, column_name, 'cells', '{text,"character varying",character,name,bigint,integer,smallint,boolean,enum}', NULL);
    END LOOP;
    IF (peer_potential.quantile BETWEEN 0 AND 1) IS NOT TRUE THEN
        RAISE EXCEPTION 'quantile cannot be %', coalesce(peer_potential.quantile::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is 0 to 1: 0.8 is what one in five exceeds.';
    END IF;
    IF (peer_potential.shrinkage >= 0 AND peer_potential.shrinkage < 'Infinity') IS NOT TRUE THEN
        RAISE EXCEPTION 'shrinkage cannot be %', coalesce(peer_potential.shrinkage::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a number of accounts: with as many peers a cell counts half; 0 believes every cell.';
    END IF;
    IF (peer_potential.places BETWEEN 0 AND 10) IS NOT TRUE THEN
        RAISE EXCEPTION 'potential cannot have % places', coalesce(peer_potential.places::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Places are 0 to 10.';
    END IF;
    -- level k has the cells of the first k columns; of what is between two numbers the quantile takes its share
    FOR k IN 0..depth LOOP
        keys := (SELECT string_agg('b.c' || i, ', ') FROM generate_series(1, k) i);
        levels := levels || format($sql$, l%1$s AS MATERIALIZED (
            SELECT %2$s max(b.n) AS n,
                sum(b.v * CASE b.nth WHEN floor((b.n - 1) * %4$L::numeric) + 1 THEN 1 - mod((b.n - 1) * %4$L::numeric, 1)
                                     WHEN floor((b.n - 1) * %4$L::numeric) + 2 THEN mod((b.n - 1) * %4$L::numeric, 1) ELSE 0 END) AS q
            FROM (SELECT b.*, row_number() OVER (PARTITION BY %5$s ORDER BY b.v) AS nth, count(*) OVER (PARTITION BY %5$s) AS n
                  FROM base AS b WHERE b.v IS NOT NULL) AS b
            %3$s
        )$sql$, k, coalesce(keys || ',', ''), coalesce('GROUP BY ' || keys, ''), peer_potential.quantile, coalesce(keys, '1'));
        IF k > 0 THEN
            joins := joins || format(' LEFT JOIN l%s USING (%s)', k, (SELECT string_agg('c' || i, ', ') FROM generate_series(1, k) i));
            rate_text := format('coalesce((l%1$s.n * l%1$s.q + %3$s * %2$s) / (l%1$s.n + %3$s), %2$s)', k, rate_text, peer_potential.shrinkage);
        END IF;
    END LOOP;
    RETURN QUERY EXECUTE format($sql$
        WITH base AS MATERIALIZED (
            SELECT t.%2$I::text AS account_key, t.%3$I::numeric AS spend, %4$s AS size,
                CASE WHEN %4$s > 0 THEN t.%3$I / %4$s END AS v%5$s
            FROM %1$s AS t
        )%6$s
        SELECT r.account_key, r.spend, r.size, r.cell, r.peers, round(r.rate, 10), r.potential, r.potential - coalesce(r.spend, 0)
        FROM (
            SELECT b.*, %7$s AS cell, coalesce(l%8$s.n, 0) AS peers, x.rate,
                CASE WHEN b.size > 0 THEN greatest(round(b.size * x.rate, %11$s), b.spend) END AS potential
            FROM base AS b
            CROSS JOIN l0%9$s
            CROSS JOIN LATERAL (SELECT %10$s AS rate) AS x
        ) AS r
        ORDER BY r.account_key COLLATE "C"$sql$,
        peer_potential.relation, peer_potential.account, peer_potential.spend,
        CASE WHEN peer_potential.size IS NULL THEN '1::numeric' ELSE format('t.%I::numeric', peer_potential.size) END,
        (SELECT string_agg(format(', coalesce(t.%I::text, ''-'') AS c%s', c, i), '' ORDER BY i) FROM unnest(peer_potential.cells) WITH ORDINALITY u(c, i)),
        levels,
        CASE depth WHEN 0 THEN '''all''' ELSE (SELECT format('concat_ws('' / '', %s)', string_agg('b.c' || i, ', ' ORDER BY i)) FROM generate_series(1, depth) i) END,
        depth, joins, rate_text, peer_potential.places);
END
$$;
COMMENT ON FUNCTION spm.peer_potential(regclass, text, text, text, text[], numeric, numeric, int) IS
'What accounts might spend, judging by their peers: the rate is a high quantile of spend per unit of size among the accounts of the same cell, drawn towards that of the cell above it by shrinkage / (peers + shrinkage), and that towards the next, up to all accounts; potential is size times rate, or spend if that is more. Accounts with NULL spend have a potential but are no peers; without size (NULL or not above 0) there is neither. Exact in numeric; quantiles lie between two accounts as in percentile_cont.
relation: table or view with one row per account. account, spend, size: its columns (size: employees, beds ...; NULL: every account counts 1). cells: columns from coarse to fine, {industry,band}. quantile: 0 to 1. shrinkage: number of peers with which a cell counts half. places: decimals of the potential.
Returns spend_amount, size_amount, cell, peers (in the finest cell), rate, potential, and untapped (potential less spend).
Errors: 42703, 42804, 42501 for a column that is not there, of another type or not readable; 22023 for a quantile, shrinkage or places that make no sense.
Example: SELECT * FROM spm.peer_potential(''crm.account'', ''account_id'', ''revenue'', size => ''employees'', cells => ''{sector}'');';
