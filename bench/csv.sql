-- What csv.sh needs.
CREATE OR REPLACE FUNCTION csv_table(name text, file text, header text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    columns text[] := ARRAY(SELECT lower(btrim(c, E' \t"')) FROM string_to_table(header, ',') AS c);
BEGIN
    IF columns = '{}' THEN
        RAISE EXCEPTION '% is empty', file;
    END IF;
    EXECUTE format('CREATE TABLE %I (csv_row int GENERATED ALWAYS AS IDENTITY (START 2), %s)', name,
        (SELECT string_agg(format('%I text', CASE c WHEN '' THEN 'column ' || n ELSE c END), ', ' ORDER BY n) FROM unnest(columns) WITH ORDINALITY AS u (c, n)));
    RETURN (SELECT format('COPY %I (%s) FROM STDIN (FORMAT csv, HEADER, FORCE_NULL (%2$s))', name,
        string_agg(format('%I', CASE c WHEN '' THEN 'column ' || n ELSE c END), ', ' ORDER BY n)) FROM unnest(columns) WITH ORDINALITY AS u (c, n));
END
$$;

CREATE OR REPLACE FUNCTION csv_column(name text, file text, names text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    known text[] := string_to_array(rtrim(names, '?'), '|');
    found text := (SELECT attname FROM pg_attribute WHERE attrelid = quote_ident(name)::regclass AND attnum > 1 AND attname = ANY (known)
        ORDER BY array_position(known, attname::text) LIMIT 1);
BEGIN
    IF found IS NULL AND names NOT LIKE '%?' THEN
        RAISE EXCEPTION '% has no column %', file, array_to_string(known, ' or ')
            USING DETAIL = (SELECT 'Its columns are ' || string_agg(attname, ', ' ORDER BY attnum) || '.' FROM pg_attribute
                            WHERE attrelid = quote_ident(name)::regclass AND attnum > 1);
    ELSIF found IS NULL THEN
        EXECUTE format('ALTER TABLE %I ADD COLUMN %I text', name, known[1]);
    ELSIF found <> known[1] THEN
        EXECUTE format('ALTER TABLE %I RENAME COLUMN %I TO %I', name, found, known[1]);
    END IF;
END
$$;

-- The first row whose text is not of the kind that is needed.
CREATE OR REPLACE FUNCTION csv_check(name text, file text, col text, kind text, may_lack boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    EXECUTE format('SELECT csv_row, %I AS value FROM %I WHERE CASE WHEN %1$I IS NULL THEN NOT $1 ELSE NOT csv_is(%1$I, $2) END ORDER BY csv_row LIMIT 1', col, name)
        INTO bad USING may_lack, kind;
    IF bad.csv_row IS NOT NULL THEN
        RAISE EXCEPTION '%: % of row % is %, not %', file, col, bad.csv_row, coalesce('"' || bad.value || '"', 'empty'), kind
            USING DETAIL = 'Rows are counted without empty lines; the names of columns are row 1.';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION csv_is(value text, kind text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE kind WHEN 'a whole number above 0' THEN value::int > 0 WHEN '0 or 1' THEN value::int IN (0, 1) WHEN 'a date (2026-06-30)' THEN value ~ '^\d{4}-\d\d?-\d' AND isfinite(value::date)
        WHEN 'a text' THEN value <> '' WHEN 'an amount' THEN abs(value::numeric) < 1e30
        ELSE value::float8 = 0 OR abs(value::float8) BETWEEN 1e-30 AND 1e30 END;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END
$$;
