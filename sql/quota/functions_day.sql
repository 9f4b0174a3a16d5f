/*
 * quota/functions_day.sql: how much of a period somebody was there.
 */

CREATE OR REPLACE FUNCTION spm._weekday_no(day date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- 2000-01-03 was a Monday
    SELECT (5 * floor((_weekday_no.day - date '2000-01-03') / 7.0))::int
         + least(mod(mod(_weekday_no.day - date '2000-01-03', 7) + 7, 7), 5);
END;
COMMENT ON FUNCTION spm._weekday_no(date) IS 'A number that grows by 1 after each Monday to Friday: the difference of two is the weekdays from the one to the day before the other.';
REVOKE ALL ON FUNCTION spm._weekday_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._day_360_no(day date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 360 * extract(year FROM _day_360_no.day)::int + 30 * extract(month FROM _day_360_no.day)::int
         + extract(day FROM _day_360_no.day)::int - 1
         -- the 31st is no day, and the end of February makes up for what it lacks
         - (extract(day FROM _day_360_no.day) = 31)::int;
END;
COMMENT ON FUNCTION spm._day_360_no(date) IS 'A number that grows by 30 a month: the difference of two is the days between them where every month has 30.';
REVOKE ALL ON FUNCTION spm._day_360_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._day_365_no(day date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT _day_365_no.day - date '2000-01-01' - (floor(y.n / 4.0) - floor(y.n / 100.0) + floor(y.n / 400.0))::int
    -- last year whose end of February lies before the day
    FROM (SELECT extract(year FROM _day_365_no.day)::int - (extract(month FROM _day_365_no.day) < 3)::int AS n) y;
END;
COMMENT ON FUNCTION spm._day_365_no(date) IS 'A number that grows by 365 a year, since 29 February is no day: the difference of two is the other days between them.';
REVOKE ALL ON FUNCTION spm._day_365_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_prorate(prorate text)
    RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _check_prorate.prorate ~ '^(none|(calendar|exclusive|working|30/360|365|months|full months|mid month|zero)( rounded [0-9])?)$' THEN
        RETURN _check_prorate.prorate;
    END IF;
    RAISE EXCEPTION 'there is no way of prorating named "%"', coalesce(left(_check_prorate.prorate, 60), 'NULL')
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'Ways are: none, calendar, exclusive, working, 30/360, 365, months, full months, mid month, zero; and with a rounded factor: calendar rounded 3.';
END
$$;
COMMENT ON FUNCTION spm._check_prorate(text) IS 'The name of a way of prorating, or error 22023 for another.';
REVOKE ALL ON FUNCTION spm._check_prorate(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._day_count(OUT active_days numeric, OUT period_days numeric,
                                          active datemultirange, period daterange, method text, calendar_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days datemultirange := _day_count.active * datemultirange(_day_count.period);
    way text := regexp_replace(spm._check_prorate(_day_count.method), ' rounded .$', '');
    first date := lower(_day_count.period);
    until date := upper(_day_count.period);
    months int;
BEGIN
    IF isempty(_day_count.period) OR lower_inf(_day_count.period) OR upper_inf(_day_count.period)
       OR NOT isfinite(first) OR NOT isfinite(until) OR until - first > 36600 THEN
        RAISE EXCEPTION 'period % has no days that can be counted', _day_count.period
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It needs a first and a last day, at most 100 years apart.';
    END IF;
    CASE way
    WHEN 'none' THEN
        period_days := until - first;
        active_days := period_days;
    WHEN 'calendar', 'exclusive', 'zero' THEN
        period_days := until - first;
        active_days := (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(days) r);
        IF way = 'exclusive' AND lower(days) > first THEN
            active_days := active_days - 1;
        ELSIF way = 'zero' AND active_days < period_days THEN
            active_days := 0;
        END IF;
    WHEN 'working' THEN
        SELECT spm._weekday_no(until) - spm._weekday_no(first) - count(h.day),
               (SELECT coalesce(sum(spm._weekday_no(upper(r)) - spm._weekday_no(lower(r))), 0) FROM unnest(days) r)
               - count(h.day) FILTER (WHERE h.day <@ days)
        INTO period_days, active_days
        FROM spm.holiday h
        WHERE h.calendar_id = _day_count.calendar_id AND h.day >= first AND h.day < until AND extract(isodow FROM h.day) < 6;
    WHEN '30/360' THEN
        period_days := spm._day_360_no(until) - spm._day_360_no(first);
        active_days := (SELECT coalesce(sum(spm._day_360_no(upper(r)) - spm._day_360_no(lower(r))), 0) FROM unnest(days) r);
    WHEN '365' THEN
        period_days := spm._day_365_no(until) - spm._day_365_no(first);
        active_days := (SELECT coalesce(sum(spm._day_365_no(upper(r)) - spm._day_365_no(lower(r))), 0) FROM unnest(days) r);
    ELSE
        -- as many months as the period is long; in a calendar of weeks they do not begin with those of the year
        months := greatest(round((until - first) / 30.436875), 1);
        period_days := months;
        SELECT count(*) FILTER (WHERE CASE way
                   WHEN 'months' THEN m.span && days
                   WHEN 'full months' THEN m.span <@ days
                   ELSE lower(m.span) + 14 <@ days END)
        INTO active_days
        FROM (SELECT daterange((first + make_interval(months => k))::date,
                               CASE k + 1 WHEN months THEN until ELSE (first + make_interval(months => k + 1))::date END) AS span
              FROM generate_series(0, months - 1) k) m;
    END CASE;
    IF way <> _day_count.method THEN
        active_days := round(active_days / nullif(period_days, 0), right(_day_count.method, 1)::int) * period_days;
    END IF;
    active_days := coalesce(active_days, 0);
END
$$;
COMMENT ON FUNCTION spm._day_count(datemultirange, daterange, text, int) IS 'As spm.day_count(), with the key of the calendar whose holidays count.';
REVOKE ALL ON FUNCTION spm._day_count(datemultirange, daterange, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.day_count(OUT active_days numeric, OUT period_days numeric,
                                         active datemultirange, period daterange, method text DEFAULT 'calendar', calendar text DEFAULT NULL)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    holidays_of int := CASE WHEN day_count.calendar IS NOT NULL THEN spm._calendar_id(day_count.calendar) END;
BEGIN
    IF day_count.active IS NOT NULL AND day_count.period IS NOT NULL AND day_count.method IS NOT NULL THEN
        SELECT c.active_days, c.period_days INTO day_count.active_days, day_count.period_days
        FROM spm._day_count(day_count.active, day_count.period, day_count.method, holidays_of) c;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.day_count(datemultirange, daterange, text, text) IS
'How much of a period somebody was there: active_days of period_days. An amount for the period times active_days, divided by period_days, is what is left of it.
active: days on which they were there. period: days of the period, end exclusive. calendar: whose holidays are no working days; NULL: none.
method: calendar (days, the first one counted), exclusive (days, the first not counted when it lies within the period), working (Monday to Friday but holidays),
30/360 (every month has 30 days), 365 (29 February is no day), months (a month counts when any day of it is active), full months (when all are), mid month (when its 15th is), zero (all of the period or nothing),
none (always all of it). Each but none may have the factor rounded: "calendar rounded 3"; active_days are then that factor times period_days.
Errors: 22023 for another method, or a period without end or of more than 100 years; 42704 for an unknown calendar.
Example: SELECT * FROM spm.day_count(''{[2026-01-15,2026-02-01)}'', ''[2026-01-01,2026-02-01)'') gives 17 of 31.';
