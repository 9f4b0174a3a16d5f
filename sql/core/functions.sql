/*
 * core/functions.sql: currencies, calendars and periods.
 *
 * Inside PL/pgSQL a bare name in a query is a column, and an argument is
 * written function.argument.
 */

-- -------------------------------------------------------------- small helpers

CREATE OR REPLACE FUNCTION spm._span(since date, until date)
    RETURNS daterange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT daterange(nullif(since, '-infinity'), nullif(until, 'infinity'), '[)');
    END;
COMMENT ON FUNCTION spm._span(date, date) IS
    'The days from since until the day before until; NULL and infinity both mean without end.';
REVOKE ALL ON FUNCTION spm._span(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._checked_span(since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(since, '-infinity') >= coalesce(until, 'infinity') THEN
        RAISE EXCEPTION 'until must be after since'
            USING ERRCODE = '22023',
                DETAIL = format('since is %s, until is %s.', coalesce(since::text, '-infinity'), coalesce(until::text, 'infinity')),
                HINT = 'until is the first day on which it no longer holds; leave it out to leave the end open.';
    END IF;
    RETURN spm._span(since, until);
END
$$;
COMMENT ON FUNCTION spm._checked_span(date, date) IS
    'As spm._span(), but error 22023 when no day would be left.';
REVOKE ALL ON FUNCTION spm._checked_span(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._near(wanted text, names text[])
    RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT string_agg(n.name, ', ' ORDER BY n.name COLLATE "C")
        FROM (
            SELECT u.name
            FROM unnest(names) AS u (name), (SELECT lower(left(wanted, 63)), lower(right(wanted, 63))) AS w (head, tail)
            ORDER BY (
                SELECT count(*) FILTER (WHERE left(lower(u.name), i) = left(w.head, i))
                    + count(*) FILTER (WHERE right(lower(u.name), i) = right(w.tail, i))
                FROM generate_series(1, least(length(wanted), 63)) AS i
            ) DESC, u.name COLLATE "C"
            LIMIT 6
        ) AS n;
    END;
COMMENT ON FUNCTION spm._near(text, text[]) IS
    'Up to six of the names, those that begin and end most like the wanted one, for the hint of an error.';
REVOKE ALL ON FUNCTION spm._near(text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._condition(matching jsonb)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT string_agg(format('r.%I = %L', m.key, m.value), ' AND ') FROM jsonb_each_text(matching) AS m;
    END;
COMMENT ON FUNCTION spm._condition(jsonb) IS 'Condition that the columns of r have these values.';
REVOKE ALL ON FUNCTION spm._condition(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._key_columns(relation regclass)
    RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = _key_columns.relation AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attidentity = '' AND a.attname <> 'span';
    END;
COMMENT ON FUNCTION spm._key_columns(regclass) IS 'Columns of a dated table but its identity and its span, quoted.';
REVOKE ALL ON FUNCTION spm._key_columns(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._make_room(relation regclass, matching text, what text, since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    same CONSTANT jsonb := matching;
    room daterange := spm._checked_span(since, until);
    next_start date;
    clash daterange;
BEGIN
    EXECUTE format('SELECT r.span FROM %s AS r WHERE %s AND CASE WHEN lower_inf($1) THEN lower_inf(r.span) ELSE lower(r.span) = lower($1) END',
        relation, spm._condition(same)) INTO clash USING room;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '% is already set from %', what, coalesce(lower(clash)::text, 'the beginning')
            USING ERRCODE = '23P01',
                DETAIL = format('What is there holds for %s.', clash),
                HINT = CASE WHEN lower_inf(clash) THEN 'Give the day of the change: since => ''2026-01-01''.'
                    ELSE format('Give another day, or correct the row of that span in %s.', relation) END;
    END IF;

    EXECUTE format('SELECT min(lower(r.span)) FROM %s AS r WHERE %s AND r.span && $1 AND NOT coalesce(r.span @> lower($1), false)',
        relation, spm._condition(same)) INTO next_start USING room;
    IF next_start IS NOT NULL THEN
        IF NOT upper_inf(room) THEN
            RAISE EXCEPTION '% is already set from %', what, next_start
                USING ERRCODE = '23P01',
                    DETAIL = format('The new span would be %s.', room),
                    HINT = format('Leave until out to let it end on %s, or give an earlier one.', next_start);
        END IF;
        room := daterange(lower(room), next_start);
    END IF;

    -- The one that held until now ends; what it still had beyond a given end stays.
    IF NOT lower_inf(room) THEN
        EXECUTE format($sql$
            WITH held AS MATERIALIZED (
                SELECT r.span FROM %s AS r WHERE %s AND r.span @> lower($1)
            ), cut AS (
                UPDATE %s AS r SET span = daterange(lower(r.span), lower($1))
                WHERE %s AND r.span @> lower($1)
            )
            SELECT daterange(upper($1), upper(held.span)) FROM held
            WHERE NOT upper_inf($1) AND coalesce(upper(held.span) > upper($1), true)$sql$,
            relation, spm._condition(same), relation, spm._condition(same)) INTO clash USING room;
        IF clash IS NOT NULL THEN
            EXECUTE format('INSERT INTO %s (%s, span) SELECT %s, $2 FROM %s AS r WHERE %s AND upper(r.span) = lower($1)',
                relation, spm._key_columns(relation), spm._key_columns(relation), relation, spm._condition(same)) USING room, clash;
        END IF;
    END IF;
    RETURN room;
END
$$;
COMMENT ON FUNCTION spm._make_room(regclass, text, text, date, date) IS
'Frees the days from since for a new row of a dated table and returns the span it may take: until the next one starts, where until is NULL.
The row that holds on since is cut there; when until is given, it holds again from then on. No other row changes.
relation: table with a column span; matching: columns and values of the rows about the same thing, as JSON; what: its name in errors.
Errors: 23P01 when one starts on the same day, or when one starts before until; 22023 when until is not after since.';
REVOKE ALL ON FUNCTION spm._make_room(regclass, text, text, date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._column_type(relation regclass, column_name text, argument text, accepted text[], advice text)
    RETURNS regtype
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    type oid;
BEGIN
    SELECT coalesce(nullif(t.typbasetype, 0), t.oid) INTO type
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = _column_type.relation AND a.attname = _column_type.column_name
        AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
        RAISE EXCEPTION 'column "%" of % does not exist', column_name, relation
            USING ERRCODE = '42703', DETAIL = format('It is named by %s => %L.', argument, column_name),
                HINT = format('Columns that look like it: %s.', spm._near(column_name, ARRAY(
                    SELECT attname::text FROM pg_catalog.pg_attribute
                    WHERE attrelid = _column_type.relation AND attnum > 0 AND NOT attisdropped)));
    END IF;
    IF NOT has_column_privilege(relation, column_name, 'SELECT') THEN
        RAISE EXCEPTION 'you may not read column "%" of %', column_name, relation
            USING ERRCODE = '42501', DETAIL = format('It is named by %s => %L.', argument, column_name),
                HINT = format('Let its owner run: GRANT SELECT ON %s TO %I;', relation, current_user);
    END IF;
    IF NOT (format_type(type, NULL) = ANY (accepted) OR 'enum' = ANY (accepted) AND EXISTS (
        SELECT FROM pg_catalog.pg_type AS t WHERE t.oid = type AND t.typtype = 'e')) THEN
        RAISE EXCEPTION 'column "%" of % has type %, which cannot be %', column_name, relation, format_type(type, NULL), argument
            USING ERRCODE = '42804', DETAIL = format('Possible are %s.', array_to_string(accepted, ', ')),
                HINT = CASE WHEN type IN ('real'::regtype, 'double precision'::regtype)
                    THEN format('Floating point loses cents. Name a view with %I::numeric instead of the table.', column_name)
                    ELSE coalesce(advice, format('Name a view that converts %I instead of the table.', column_name)) END;
    END IF;
    RETURN type;
END
$$;
COMMENT ON FUNCTION spm._column_type(regclass, text, text, text[], text) IS
'Type of a column that a caller named, below domains, after checking it.
argument: what the caller calls it; accepted: names of types that will do; advice: hint for another type.
Errors: 42703 no such column, 42501 not readable, 42804 another type.';
REVOKE ALL ON FUNCTION spm._column_type(regclass, text, text, text[], text) FROM PUBLIC;

-- ----------------------------------------------------------------- currencies

CREATE OR REPLACE FUNCTION spm._check_currency(currency_code text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM spm.currency AS c WHERE c.currency_code = _check_currency.currency_code) THEN
        RAISE EXCEPTION 'currency "%" does not exist', currency_code
            USING ERRCODE = '42704', HINT = format('Add it: SELECT spm.add_currency(%L);', currency_code);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_currency(text) IS 'Error 42704 when the currency is not in spm.currency.';
REVOKE ALL ON FUNCTION spm._check_currency(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_currency(currency_code text, minor_digits int DEFAULT NULL, name text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    digits int := coalesce(minor_digits, CASE
        WHEN currency_code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
            'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency_code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN currency_code IN ('CLF', 'UYW') THEN 4
        ELSE 2 END);
BEGIN
    IF currency_code IS NULL OR currency_code !~ '^[A-Z]{3}$' THEN
        RAISE EXCEPTION 'currency code must be three capital letters, not %', coalesce(quote_literal(currency_code), 'NULL')
            USING ERRCODE = '22023', HINT = 'Use the ISO 4217 code, such as USD.';
    END IF;
    IF digits NOT BETWEEN 0 AND 4 THEN
        RAISE EXCEPTION 'minor digits must be between 0 and 4, not %', digits
            USING ERRCODE = '22023', HINT = 'Leave minor_digits out to take those of ISO 4217.';
    END IF;
    INSERT INTO spm.currency (currency_code, minor_digits, name)
    VALUES (add_currency.currency_code, digits, add_currency.name)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'currency "%" already exists', currency_code
            USING ERRCODE = '42710', HINT = 'Change its row in spm.currency if the name or the digits are wrong.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.add_currency(text, int, text) IS
'Adds a currency.
currency_code: ISO 4217; minor_digits: decimal places of a payment, NULL for those of ISO 4217; name: shown to people.
Errors: 22023 for a code that is not three capital letters or digits outside 0 to 4; 42710 when it is there already.
Example: SELECT spm.add_currency(''JPY'') adds it with 0 digits.';

CREATE OR REPLACE FUNCTION spm.set_exchange_rate(from_currency text, to_currency text, since date, rate numeric,
    rate_type text DEFAULT 'spot', until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    room daterange;
BEGIN
    PERFORM spm._check_currency(from_currency);
    PERFORM spm._check_currency(to_currency);
    IF from_currency = to_currency THEN
        RAISE EXCEPTION 'a currency needs no rate to itself' USING ERRCODE = '22023',
            DETAIL = format('Both currencies are %s.', from_currency), HINT = 'It is always 1.';
    END IF;
    IF rate IS NULL OR rate <= 0 OR rate IN ('Infinity', 'NaN') THEN
        RAISE EXCEPTION 'exchange rate must be a number above zero, not %', coalesce(rate::text, 'NULL')
            USING ERRCODE = '22023', HINT = format('Give how many %s one %s is worth.', to_currency, from_currency);
    END IF;
    room := spm._make_room('spm.exchange_rate',
        jsonb_build_object('rate_type', rate_type, 'from_currency_code', from_currency, 'to_currency_code', to_currency)::text,
        format('the %s rate from %s to %s', rate_type, from_currency, to_currency), since, until);
    INSERT INTO spm.exchange_rate (rate_type, from_currency_code, to_currency_code, span, rate)
    VALUES (set_exchange_rate.rate_type, from_currency, to_currency, room, set_exchange_rate.rate);
END
$$;
COMMENT ON FUNCTION spm.set_exchange_rate(text, text, date, numeric, text, date) IS
'Adds a rate from a day on. The rate it follows ends the day before; no other changes.
rate: units of to_currency for one of from_currency; rate_type: spot, average, budget ...; until: first day on which it no longer holds, NULL for until the next rate. With until, the rate before holds again afterwards.
Errors: 42704 unknown currency; 22023 for a rate that is not above zero, equal currencies, until not after since; 23P01 when a rate is already set from that day, or starts before until.
Example: SELECT spm.set_exchange_rate(''EUR'', ''USD'', ''2026-01-01'', 1.0842);';

CREATE OR REPLACE FUNCTION spm.exchange_rate_on(from_currency text, to_currency text, date date, rate_type text DEFAULT 'spot')
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE WHEN from_currency = to_currency THEN 1 ELSE (
            SELECT r.rate
            FROM spm.exchange_rate AS r
            WHERE r.from_currency_code = from_currency AND r.to_currency_code = to_currency
                AND r.rate_type = exchange_rate_on.rate_type AND r.span @> exchange_rate_on.date
        ) END;
    END;
COMMENT ON FUNCTION spm.exchange_rate_on(text, text, date, text) IS
'Rate that holds on a day: 1 for the same currency, NULL when none was set. Only the rate of this direction counts; nothing is inverted or crossed.
Example: SELECT 100 * spm.exchange_rate_on(''EUR'', ''USD'', ''2026-01-15'');';

-- ------------------------------------------------------- calendars and periods

CREATE OR REPLACE FUNCTION spm._calendar_id(calendar text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT calendar_id INTO found_id FROM spm.calendar AS c WHERE c.name = _calendar_id.calendar;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'calendar "%" does not exist', calendar
            USING ERRCODE = '42704', HINT = coalesce(
                'Calendars are: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM spm.calendar) || '.',
                'There is none yet: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2026-01-01'', until => ''2028-01-01'');');
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._calendar_id(text) IS 'Key of the calendar of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._calendar_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._period_id(period text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_calendar int := CASE WHEN calendar IS NOT NULL THEN spm._calendar_id(calendar) END;
    ids int[];
    calendars text;
BEGIN
    SELECT array_agg(p.period_id), string_agg(c.name, ', ' ORDER BY c.name) INTO ids, calendars
    FROM spm.period AS p
    JOIN spm.calendar AS c USING (calendar_id)
    WHERE p.name = _period_id.period AND (wanted_calendar IS NULL OR p.calendar_id = wanted_calendar);
    IF cardinality(ids) > 1 THEN
        RAISE EXCEPTION 'period "%" is in more than one calendar', period
            USING ERRCODE = '22023', DETAIL = format('Calendars with it are: %s.', calendars),
                HINT = format('Say which: calendar => %L.', split_part(calendars, ', ', 1));
    ELSIF ids IS NULL THEN
        RAISE EXCEPTION 'period "%" does not exist', period
            USING ERRCODE = '42704', HINT = coalesce(
                'Periods that look like it: ' || spm._near(period, ARRAY(
                    SELECT DISTINCT name FROM spm.period WHERE wanted_calendar IS NULL OR calendar_id = wanted_calendar)) || '.',
                'There is none yet: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2026-01-01'', until => ''2028-01-01'');');
    END IF;
    RETURN ids[1];
END
$$;
COMMENT ON FUNCTION spm._period_id(text, text) IS
'Key of the period of that name, in the named calendar or, with NULL, in whichever has it.
Errors: 42704 unknown period or calendar; 22023 when several calendars have a period of that name.';
REVOKE ALL ON FUNCTION spm._period_id(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.period_on(calendar text, grain text, date date)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT p.name
        FROM spm.period AS p
        JOIN spm.calendar AS c USING (calendar_id)
        WHERE c.name = period_on.calendar AND p.grain = period_on.grain AND p.span @> period_on.date;
    END;
COMMENT ON FUNCTION spm.period_on(text, text, date) IS
'Name of the period of a calendar and grain that holds a day; NULL when none does.
Example: SELECT spm.period_on(''fiscal'', ''quarter'', current_date);';

CREATE OR REPLACE FUNCTION spm._retail_year_end(year_end text, year int)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days constant text[] := '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}';
    months constant text[] := '{january,february,march,april,may,june,july,august,september,october,november,december}';
    words text[] := regexp_match(lower(year_end),
        '^\s*(last|nearest)\s+(\w+day)\s+(?:of|to)\s+(?:the\s+end\s+of\s+)?(\w+)\s*$');
    day int := array_position(days, words[2]);
    month int := array_position(months, words[3]);
    month_end date;
    back int;
BEGIN
    IF day IS NULL OR month IS NULL THEN
        RAISE EXCEPTION 'year end "%" is not understood', year_end
            USING ERRCODE = '22023', HINT = 'Write ''last saturday of january'' or ''nearest saturday to january'' (to its last day).';
    END IF;
    month_end := (make_date(year, month, 1) + interval '1 month')::date - 1;
    back := (extract(isodow FROM month_end)::int - day + 7) % 7;
    RETURN month_end - back + CASE WHEN words[1] = 'nearest' AND back > 3 THEN 7 ELSE 0 END;
END
$$;
COMMENT ON FUNCTION spm._retail_year_end(text, int) IS
    'Last day of the retail year whose last month is that of the given calendar year; error 22023 for a rule that is not understood.';
REVOKE ALL ON FUNCTION spm._retail_year_end(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._year_start(scheme text, first date, year_end text, year int)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN scheme ~ '-' THEN spm._retail_year_end(year_end, year - 1) + 1
        ELSE make_date(year, extract(month FROM first)::int, extract(day FROM first)::int) END;
END
$$;
COMMENT ON FUNCTION spm._year_start(text, date, text, int) IS
    'First day of the fiscal year: retail years count by the year of their last month, others by the year they start in.';
REVOKE ALL ON FUNCTION spm._year_start(text, date, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_year_start(scheme text, first date, year_end text, day date, argument text)
    RETURNS int
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    near_year int := extract(year FROM day);
    year int;
BEGIN
    SELECT y INTO year
    FROM generate_series(near_year - 1, near_year + 2) AS y
    ORDER BY abs(spm._year_start(scheme, first, year_end, y) - day)
    LIMIT 1;
    IF spm._year_start(scheme, first, year_end, year) <> day THEN
        RAISE EXCEPTION 'a year of the calendar does not start on %', day
            USING ERRCODE = '22023', DETAIL = format('It is given as %s => %L, and a calendar has whole years.', argument, day),
                HINT = format('The year nearest to it starts on %s.', spm._year_start(scheme, first, year_end, year));
    END IF;
    RETURN year;
END
$$;
COMMENT ON FUNCTION spm._check_year_start(text, date, text, date, text) IS
    'Year that starts on the day, as spm._year_start() counts; error 22023 when none does.';
REVOKE ALL ON FUNCTION spm._check_year_start(text, date, text, date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._calendar_period(scheme text, first date, until date, year_end text, year_named_by text)
    RETURNS TABLE (grain text, name text, span daterange, parent_name text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    is_retail boolean := scheme ~ '-';
    week_ends int[];        -- 4-4-5: the week of the quarter with which each of its months ends
    first_year int;
    last_year int;
BEGIN
    IF scheme = 'week' THEN
        -- Called after the ISO week that its fourth day is in: one each, whatever day a week starts on.
        RETURN QUERY
        SELECT 'week', to_char(d.day + 3, 'IYYY-"W"IW'), daterange(d.day, d.day + 7), NULL
        FROM (SELECT first + 7 * i AS day FROM generate_series(0, (until - first) / 7 - 1) AS i) AS d;
        RETURN;
    END IF;

    first_year := spm._check_year_start(scheme, first, year_end, first, 'first');
    last_year := spm._check_year_start(scheme, first, year_end, until, 'until') - 1;
    IF is_retail THEN
        week_ends := string_to_array(scheme, '-');
        week_ends := ARRAY[week_ends[1], week_ends[1] + week_ends[2], 13];
    END IF;

    RETURN QUERY
    WITH year AS (
        SELECT y AS year,
            spm._year_start(scheme, first, year_end, y) AS start,
            spm._year_start(scheme, first, year_end, y + 1) AS stop
        FROM generate_series(first_year, last_year) AS y
    ), named AS (
        -- A retail year belongs to the year of its last month, even when it ends some days into the next.
        SELECT start, stop, CASE
            WHEN NOT is_retail THEN extract(year FROM CASE year_named_by WHEN 'start' THEN start ELSE stop - 1 END)::int
            WHEN year_named_by = 'end' OR year_end ~* 'december' THEN year
            ELSE year - 1 END::text AS year
        FROM year
    ), quarter AS (
        SELECT year, q,
            CASE WHEN is_retail THEN start + 91 * (q - 1) ELSE (start + make_interval(months => 3 * (q - 1)))::date END AS start,
            CASE WHEN q = 4 THEN stop WHEN is_retail THEN start + 91 * q ELSE (start + make_interval(months => 3 * q))::date END AS stop
        FROM named, generate_series(1, 4) AS q
    ), month AS (
        SELECT year, q, m,
            CASE WHEN is_retail THEN start + 7 * coalesce(week_ends[m - 1], 0)
                ELSE (start + make_interval(months => m - 1))::date END AS start,
            CASE WHEN m = 3 THEN stop WHEN is_retail THEN start + 7 * week_ends[m]
                ELSE (start + make_interval(months => m))::date END AS stop
        FROM quarter, generate_series(1, 3) AS m
    )
    SELECT 'year', year, daterange(start, stop), NULL FROM named
    UNION ALL
    SELECT 'quarter', year || '-Q' || q, daterange(start, stop), year FROM quarter
    WHERE scheme <> 'year'
    UNION ALL
    SELECT 'month',
        CASE WHEN is_retail OR extract(day FROM start) <> 1 THEN format('%s-M%s', year, lpad((3 * (q - 1) + m)::text, 2, '0'))
            ELSE to_char(start, 'YYYY-MM') END,
        daterange(start, stop), year || '-Q' || q
    FROM month
    WHERE scheme NOT IN ('year', 'quarter');
END
$$;
COMMENT ON FUNCTION spm._calendar_period(text, date, date, text, text) IS
    'Periods that spm.create_calendar() and spm.extend_calendar() make, with the names of their parents.';
REVOKE ALL ON FUNCTION spm._calendar_period(text, date, date, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._add_calendar_periods(calendar_id int, first date, until date)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    calendar spm.calendar;
    level text;
    added bigint := 0;
    n bigint;
BEGIN
    SELECT * INTO calendar FROM spm.calendar AS c WHERE c.calendar_id = _add_calendar_periods.calendar_id;
    IF NOT isfinite(first) OR NOT isfinite(until) OR first IS NULL OR until IS NULL OR first >= until THEN
        RAISE EXCEPTION 'a calendar must end after it begins'
            USING ERRCODE = '22023', DETAIL = format('It would begin on %s and end before %s.', coalesce(first::text, 'NULL'), coalesce(until::text, 'NULL')),
                HINT = 'until is the first day after the last year.';
    END IF;
    IF calendar.scheme = 'week' AND (until - first) % 7 <> 0 THEN
        RAISE EXCEPTION 'a calendar of weeks has whole weeks'
            USING ERRCODE = '22023', DETAIL = format('From %s until %s are %s days.', first, until, until - first),
                HINT = format('Give until => %L.', until + 7 - (until - first) % 7);
    END IF;
    FOREACH level IN ARRAY ARRAY['year', 'quarter', 'month', 'week'] LOOP
        INSERT INTO spm.period (calendar_id, grain, name, span, parent_period_id)
        SELECT calendar.calendar_id, p.grain, p.name, p.span, parent.period_id
        FROM spm._calendar_period(calendar.scheme, _add_calendar_periods.first, _add_calendar_periods.until,
            calendar.year_end, calendar.year_named_by) AS p
        LEFT JOIN spm.period AS parent ON parent.calendar_id = calendar.calendar_id AND parent.name = p.parent_name
        WHERE p.grain = level
        ORDER BY p.span;
        GET DIAGNOSTICS n = ROW_COUNT;
        added := added + n;
    END LOOP;
    RETURN added;
END
$$;
COMMENT ON FUNCTION spm._add_calendar_periods(int, date, date) IS
    'Makes the periods of a calendar that has a scheme, between two days, and returns their number; error 22023 for days that do not fit.';
REVOKE ALL ON FUNCTION spm._add_calendar_periods(int, date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.create_calendar(name text, grain text, first date, until date,
    year_end text DEFAULT NULL, year_named_by text DEFAULT 'end')
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    IF grain IS NULL OR grain NOT IN ('month', 'quarter', 'year', 'week', '4-4-5', '4-5-4', '5-4-4') THEN
        RAISE EXCEPTION 'calendar grain "%" is not known', grain
            USING ERRCODE = '22023', HINT = 'Use month, quarter, year, week, 4-4-5, 4-5-4 or 5-4-4. For other periods: spm.load_periods().';
    END IF;
    IF year_named_by IS NULL OR year_named_by NOT IN ('end', 'start') THEN
        RAISE EXCEPTION 'year_named_by must be end or start, not "%"', year_named_by
            USING ERRCODE = '22023', HINT = 'end: the year from February 2025 to January 2026 is 2026; start: it is 2025.';
    END IF;
    IF year_end IS NOT NULL AND grain !~ '-' THEN
        RAISE EXCEPTION 'year_end is for the retail schemes only'
            USING ERRCODE = '22023', HINT = 'Leave it out: a year of months ends where the next one starts.';
    END IF;
    IF grain !~ '-' AND grain <> 'week' AND extract(day FROM first) > 28 THEN
        RAISE EXCEPTION 'a year of months cannot start on day % of a month', extract(day FROM first)
            USING ERRCODE = '22023', HINT = 'Start on the 28th or before: every month has that day.';
    END IF;
    IF EXISTS (SELECT FROM spm.calendar AS c WHERE c.name = create_calendar.name) THEN
        RAISE EXCEPTION 'calendar "%" already exists', name
            USING ERRCODE = '42710', HINT = format('To go on with it: SELECT spm.extend_calendar(%L, until => %L);', name, until);
    END IF;
    INSERT INTO spm.calendar (name, scheme, year_end, year_named_by)
    VALUES (create_calendar.name, create_calendar.grain,
        CASE WHEN create_calendar.grain ~ '-' THEN coalesce(create_calendar.year_end, 'nearest saturday to january') END,
        create_calendar.year_named_by)
    RETURNING calendar_id INTO new_id;
    RETURN spm._add_calendar_periods(new_id, first, until);
END
$$;
COMMENT ON FUNCTION spm.create_calendar(text, text, date, date, text, text) IS
'Makes a calendar with all its periods, one inside the other, and returns their number.
grain: the finest wanted. month (in quarters, in years), quarter (in years), year; week (weeks alone); 4-4-5, 4-5-4 or 5-4-4: months of whole weeks, in quarters of 13 and years of 52; the 53rd week of a long year goes into its last month.
first: first day of a year (of a week for week); until: first day after the last year.
year_end: for the retail schemes, last or nearest, weekday and month: ''last saturday of september'', ''nearest saturday to january'' (to its last day; the default).
year_named_by: end, a year is called after the calendar year it ends in; start, after the one it starts in.
Names: 2026, 2026-Q1; months 2026-01 where they are calendar months, else 2026-M01; weeks 2026-W01, by the ISO week of their fourth day.
Errors: 42710 when there is one of that name; 22023 for what does not fit, with the nearest day that would.
Example: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2025-02-01'', until => ''2028-02-01'');';

CREATE OR REPLACE FUNCTION spm.extend_calendar(name text, until date)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int := spm._calendar_id(name);
BEGIN
    IF (SELECT scheme FROM spm.calendar WHERE calendar_id = found_id) IS NULL THEN
        RAISE EXCEPTION 'calendar "%" was loaded from a table', name
            USING ERRCODE = '55000', HINT = 'Load the further periods in the same way, with spm.load_periods().';
    END IF;
    RETURN spm._add_calendar_periods(found_id, (SELECT max(upper(span)) FROM spm.period WHERE calendar_id = found_id), until);
END
$$;
COMMENT ON FUNCTION spm.extend_calendar(text, date) IS
'Goes on with a calendar made by spm.create_calendar(), in the same way, and returns the number of new periods.
until: first day after the last year.
Errors: 42704 unknown calendar; 55000 when its periods were loaded; 22023 for a day on which no year starts, with the nearest.
Example: SELECT spm.extend_calendar(''fiscal'', until => ''2030-02-01'');';

CREATE OR REPLACE FUNCTION spm.load_periods(calendar text, relation regclass, start_column text, end_column text DEFAULT NULL,
    name_column text DEFAULT NULL, grain text DEFAULT 'window', last_day date DEFAULT NULL, parent_grain text DEFAULT NULL,
    is_gapless boolean DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    date_types constant text[] := '{date,timestamp without time zone}';
    label_types constant text[] := '{text,character varying,character,name,integer,bigint,smallint}';
    this_calendar spm.calendar;
    loaded spm.period[];
    wrong record;
    n bigint;
BEGIN
    PERFORM spm._column_type(relation, start_column, 'start_column', date_types, NULL);
    IF end_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, end_column, 'end_column', date_types, NULL);
    END IF;
    IF name_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, name_column, 'name_column', label_types, NULL);
    END IF;
    IF grain IS NULL OR grain !~ '^[a-z][a-z0-9_]*$' THEN
        RAISE EXCEPTION 'period grain must be a word in small letters, not "%"', grain
            USING ERRCODE = '22023', HINT = 'Write, for example, grain => ''window''.';
    END IF;

    INSERT INTO spm.calendar (name, is_gapless)
    VALUES (load_periods.calendar, coalesce(load_periods.is_gapless, true))
    ON CONFLICT DO NOTHING;
    SELECT * INTO this_calendar FROM spm.calendar AS c WHERE c.name = load_periods.calendar;
    IF this_calendar.is_gapless <> load_periods.is_gapless THEN
        RAISE EXCEPTION 'calendar "%" is there already, with is_gapless %', calendar, this_calendar.is_gapless
            USING ERRCODE = '22023', HINT = 'Leave is_gapless out, or load into another calendar.';
    END IF;

    EXECUTE format($sql$
        SELECT array_agg(ROW(NULL, $1, $2, coalesce(r.name, to_char(r.start, 'YYYY-MM-DD')),
            CASE WHEN r.start < r.stop THEN daterange(r.start, r.stop) END, NULL, 'open')::spm.period ORDER BY r.start)
        FROM (
            SELECT p.%I::date AS start, %s::text AS name, coalesce(%s::date + 1, lead(p.%I::date) OVER (ORDER BY p.%I), $3 + 1) AS stop
            FROM %s AS p
        ) AS r$sql$,
        start_column, coalesce(quote_ident(name_column), 'NULL'), coalesce(quote_ident(end_column), 'NULL'), start_column, start_column, relation)
        INTO loaded USING this_calendar.calendar_id, grain, last_day;

    SELECT p.name, p.span INTO wrong FROM unnest(loaded) AS p WHERE p.span IS NULL OR p.name IS NULL OR p.name = '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period "%" of % has no % ', wrong.name, relation, CASE WHEN wrong.span IS NULL THEN 'last day after its first' ELSE 'name' END
            USING ERRCODE = '22023', HINT = CASE WHEN wrong.span IS NULL AND end_column IS NULL
                THEN 'Each lasts until the next starts; say when the last one ends: last_day => ''2026-12-31''.'
                ELSE 'Correct the row, or name a view without it.' END;
    END IF;
    SELECT p.name, p.next_name, p.span, p.next_span INTO wrong
    FROM (SELECT l.name, l.span, lead(l.name) OVER w AS next_name, lead(l.span) OVER w AS next_span
          FROM (SELECT name, span FROM unnest(loaded) UNION ALL
                SELECT q.name, q.span FROM spm.period AS q WHERE q.calendar_id = this_calendar.calendar_id AND q.grain = load_periods.grain) AS l
          WINDOW w AS (ORDER BY l.span)) AS p
    WHERE p.span && p.next_span
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'periods "%" and "%" overlap', wrong.name, wrong.next_name
            USING ERRCODE = '23P01', DETAIL = format('Their days are %s and %s.', wrong.span, wrong.next_span),
                HINT = 'end_column holds the last day of a period, not the day after it.';
    END IF;

    INSERT INTO spm.period (calendar_id, grain, name, span, parent_period_id)
    SELECT p.calendar_id, p.grain, p.name, p.span, parent.period_id
    FROM unnest(loaded) AS p
    LEFT JOIN spm.period AS parent ON parent.calendar_id = p.calendar_id AND parent.grain = load_periods.parent_grain
        AND parent.span @> lower(p.span)
    ORDER BY p.span;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_periods(text, regclass, text, text, text, text, date, text, boolean) IS
'Loads periods of any length from a table or view, and returns their number. The calendar is made if it does not exist.
start_column: first day; end_column: last day, NULL for the day before the next start (last_day then ends the last one); name_column: name, NULL for the first day; grain: what to call this kind of period; parent_grain: grain of the periods in the same calendar that these are part of; is_gapless: for a new calendar, whether gaps are refused (they are by default).
Errors: 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 22023 for a period without days or name; 23P01 for two that overlap; 23505 for a name used twice; 23514 at the end of the transaction for a gap or a period that reaches beyond its parent.
Example: SELECT spm.load_periods(''campaign'', ''crm.campaign'', ''starts_on'', ''ends_on'', ''title'', is_gapless => false);';

CREATE OR REPLACE FUNCTION spm._guard_period()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    last_event spm.period_event;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'open' THEN
            RAISE EXCEPTION 'period "%" is %', OLD.name, OLD.state
                USING ERRCODE = '55000', DETAIL = 'Only an open period can be deleted.', HINT = 'Results refer to it: keep it.';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'open' AND (OLD.span, OLD.calendar_id, OLD.grain) IS DISTINCT FROM (NEW.span, NEW.calendar_id, NEW.grain) THEN
        RAISE EXCEPTION 'period "%" is %, and its days cannot change', OLD.name, OLD.state
            USING ERRCODE = '55000', DETAIL = format('It holds for %s.', OLD.span),
                HINT = 'Results were calculated for these days.';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'posted' THEN
        SELECT * INTO last_event
        FROM spm.period_event AS e
        WHERE e.period_id = OLD.period_id
        ORDER BY e.period_event_id DESC
        LIMIT 1;
        -- reopen_period() records first and changes then, both in one transaction.
        IF NEW.state <> 'open' OR last_event.to_state IS DISTINCT FROM 'open' OR last_event.from_state <> 'posted'
            OR last_event.recorded_at < transaction_timestamp() THEN
            RAISE EXCEPTION 'period "%" is posted', OLD.name
                USING ERRCODE = '55000', DETAIL = format('It cannot become %s.', NEW.state),
                    HINT = format('What arrives late is posted as a difference in the open period. To open this one all the same: SELECT spm.reopen_period(%L, reason => ''why'');', OLD.name);
        END IF;
    ELSIF (OLD.state, NEW.state) NOT IN (('open', 'calculated'), ('calculated', 'posted')) THEN
        RAISE EXCEPTION 'period "%" cannot go from % to %', OLD.name, OLD.state, NEW.state
            USING ERRCODE = '55000', DETAIL = 'A period is open, then calculated, then posted.',
                HINT = CASE NEW.state WHEN 'posted' THEN format('Calculate it first: CALL spm.calculate(%L);', OLD.name)
                    ELSE 'Calculate it again: it stays calculated.' END;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_period() IS
    'Trigger: a period goes from open to calculated to posted, and keeps its days from calculated on. Error 55000.';
REVOKE ALL ON FUNCTION spm._guard_period() FROM PUBLIC;
CREATE OR REPLACE TRIGGER period_guard BEFORE UPDATE OR DELETE ON spm.period
    FOR EACH ROW EXECUTE FUNCTION spm._guard_period();

CREATE OR REPLACE FUNCTION spm._record_period_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- The guard has made sure that reopening was recorded beforehand.
    INSERT INTO spm.period_event (period_id, from_state, to_state)
    SELECT o.period_id, o.state, n.state
    FROM old_period AS o
    JOIN new_period AS n USING (period_id)
    WHERE o.state <> n.state AND o.state <> 'posted'
    ORDER BY lower(n.span), o.period_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._record_period_event() IS 'Trigger: records every change of a period''s state in spm.period_event.';
REVOKE ALL ON FUNCTION spm._record_period_event() FROM PUBLIC;
CREATE OR REPLACE TRIGGER period_recorded AFTER UPDATE ON spm.period
    REFERENCING OLD TABLE AS old_period NEW TABLE AS new_period
    FOR EACH STATEMENT EXECUTE FUNCTION spm._record_period_event();

CREATE OR REPLACE FUNCTION spm._refuse_change()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '55000', DETAIL = format('%s was tried.', TG_OP), HINT = 'What happened is kept as it was recorded.';
END
$$;
COMMENT ON FUNCTION spm._refuse_change() IS 'Trigger for tables that only grow. Error 55000.';
REVOKE ALL ON FUNCTION spm._refuse_change() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_author()
    RETURNS trigger
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entered jsonb := to_jsonb(NEW);
    fields text;
BEGIN
    -- a restore brings what others have recorded; the owner of the tables runs it
    IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    SELECT string_agg(f, ', ' ORDER BY n) INTO fields FROM unnest(TG_ARGV) WITH ORDINALITY a (f, n)
    WHERE entered ->> f IS DISTINCT FROM CASE n WHEN 1 THEN session_user END;
    IF fields IS NOT NULL THEN
        RAISE EXCEPTION 'a row of spm.% is recorded in the name of the login that enters it', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('This is %s. Not so: %s', session_user, fields),
                  HINT = 'Leave these columns out; what is decided later is another call.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_author() IS 'Trigger: the column named first is the login, those named after it are empty, but for the owner of the table. Error 42501.';
REVOKE ALL ON FUNCTION spm._guard_author() FROM PUBLIC;
CREATE OR REPLACE TRIGGER period_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.period_event
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER run_kept BEFORE DELETE OR TRUNCATE ON spm.run
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

CREATE OR REPLACE FUNCTION spm._check_period()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    now_there spm.period;
    other spm.period;
    days daterange;
    calendar spm.calendar;
    edge date;
    before date;
    after date;
BEGIN
    -- At the end of the transaction: look at what is there now, not at what was.
    IF TG_OP <> 'DELETE' THEN
        SELECT * INTO now_there FROM spm.period AS p WHERE p.period_id = NEW.period_id;
    END IF;
    SELECT * INTO other
    FROM spm.period AS child
    WHERE child.parent_period_id = coalesce(now_there.period_id, OLD.period_id)
        AND (now_there.period_id IS NULL OR child.calendar_id <> now_there.calendar_id OR NOT child.span <@ now_there.span)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period "%" must lie within the period it is part of', other.name
            USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                DETAIL = CASE WHEN now_there.period_id IS NULL THEN format('Its parent "%s" is gone.', OLD.name)
                    ELSE format('It holds for %s, its parent "%s" for %s.', other.span, now_there.name, now_there.span) END,
                HINT = 'Change both in one transaction, or set parent_period_id to NULL.';
    END IF;
    IF now_there.parent_period_id IS NOT NULL THEN
        SELECT * INTO other FROM spm.period AS p WHERE p.period_id = now_there.parent_period_id FOR KEY SHARE;
        IF other.period_id IS NULL OR other.calendar_id <> now_there.calendar_id OR NOT now_there.span <@ other.span
            OR other.period_id = now_there.period_id THEN
            RAISE EXCEPTION 'period "%" must lie within the period it is part of', now_there.name
                USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                    DETAIL = CASE WHEN other.period_id IS NULL THEN 'Its parent does not exist.'
                        ELSE format('It holds for %s, its parent "%s" for %s.', now_there.span, other.name, other.span) END,
                    HINT = 'Correct span or parent_period_id.';
        END IF;
    END IF;

    -- A gap can only be where this period begins or ends, or where it was.
    FOREACH days IN ARRAY ARRAY[now_there.span, CASE WHEN TG_OP <> 'INSERT' THEN OLD.span END] LOOP
        CONTINUE WHEN days IS NULL;
        SELECT * INTO calendar FROM spm.calendar AS c
        WHERE c.calendar_id = CASE WHEN days = now_there.span THEN now_there.calendar_id ELSE OLD.calendar_id END;
        CONTINUE WHEN calendar.is_gapless IS NOT TRUE;
        FOREACH edge IN ARRAY ARRAY[lower(days) - 1, lower(days), upper(days)] LOOP
            CONTINUE WHEN EXISTS (
                SELECT FROM spm.period AS p
                WHERE p.calendar_id = calendar.calendar_id AND p.grain = CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END
                    AND p.span @> edge);
            SELECT max(upper(p.span)) FILTER (WHERE upper(p.span) <= edge), min(lower(p.span)) FILTER (WHERE lower(p.span) > edge)
            INTO before, after
            FROM spm.period AS p
            WHERE p.calendar_id = calendar.calendar_id AND p.grain = CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END;
            IF before IS NOT NULL AND after IS NOT NULL THEN
                RAISE EXCEPTION 'calendar "%" has a gap from % to %', calendar.name, before, after - 1
                    USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                        DETAIL = format('No period of grain %s holds these days.',
                            CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END),
                        HINT = 'Add the period, or load into a calendar with is_gapless => false.';
            END IF;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_period() IS
    'Trigger at the end of the transaction: periods of a gapless calendar follow each other, and a period lies within its parent. Error 23514.';
REVOKE ALL ON FUNCTION spm._check_period() FROM PUBLIC;
-- There is no CREATE OR REPLACE for a constraint trigger.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid OPERATOR(pg_catalog.=) 'spm.period'::pg_catalog.regclass AND tgname OPERATOR(pg_catalog.=) 'period_check') THEN
        CREATE CONSTRAINT TRIGGER period_check AFTER INSERT OR UPDATE OR DELETE ON spm.period
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spm._check_period();
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION spm.reopen_period(period text, reason text, calendar text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_period spm.period;
BEGIN
    SELECT * INTO this_period FROM spm.period AS p
    WHERE p.period_id = spm._period_id(reopen_period.period, reopen_period.calendar) FOR UPDATE;
    IF reason IS NULL OR btrim(reason) = '' THEN
        RAISE EXCEPTION 'reopening period "%" needs a reason', period
            USING ERRCODE = '22023', HINT = 'It is kept in spm.period_event: reason => ''bank returned the payment''.';
    END IF;
    IF this_period.state <> 'posted' THEN
        RAISE EXCEPTION 'period "%" is % and not posted', period, this_period.state
            USING ERRCODE = '55000', HINT = 'It can be calculated as it is.';
    END IF;
    INSERT INTO spm.period_event (period_id, from_state, to_state, reason)
    VALUES (this_period.period_id, 'posted', 'open', reopen_period.reason);
    UPDATE spm.period SET state = 'open' WHERE period_id = this_period.period_id;
END
$$;
COMMENT ON FUNCTION spm.reopen_period(text, text, text) IS
'Opens a posted period again; the only way to. Who, when and why are kept in spm.period_event. What was posted stays.
Errors: 42704 unknown period or calendar; 22023 without a reason, or when several calendars have the period; 55000 when it is not posted.
Example: SELECT spm.reopen_period(''2026-01'', reason => ''bank returned the payment file'');';
