/*
 * quota/functions_time.sql: recording what makes a quota smaller for a time.
 */

CREATE OR REPLACE FUNCTION spm.add_holiday(calendar text, day date, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO spm.holiday (calendar_id, day, name) VALUES (spm._calendar_id(add_holiday.calendar), add_holiday.day, add_holiday.name);
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION '% is a holiday of calendar "%" already', to_char(add_holiday.day, 'YYYY-MM-DD'), add_holiday.calendar
        USING ERRCODE = 'unique_violation', HINT = 'Change its name in spm.holiday, or delete it there.';
END
$$;
COMMENT ON FUNCTION spm.add_holiday(text, date, text) IS
'Adds a day on which nobody works to a calendar; proration by working days leaves it out.
calendar: name. day: the day. name: shown to people.
Errors: 42704 for an unknown calendar, 23505 for a day that is one already.
Example: SELECT spm.add_holiday(''fiscal'', ''2026-01-01'', ''New Year'');';

CREATE OR REPLACE FUNCTION spm.add_ramp(name text, shares numeric[], month_used text DEFAULT 'each')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    INSERT INTO spm.ramp (name, shares, month_used)
    VALUES (add_ramp.name, coalesce(add_ramp.shares, '{}'), add_ramp.month_used)
    RETURNING ramp_id INTO id;
    RETURN id;
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'ramp "%" exists already', add_ramp.name
            USING ERRCODE = 'unique_violation', HINT = 'Add the new one by another name, and assign that: who has the old one keeps it.';
    WHEN check_violation THEN
        RAISE EXCEPTION 'ramp "%" cannot be %, %', add_ramp.name, coalesce(add_ramp.shares::text, 'NULL'), coalesce(add_ramp.month_used, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'It needs a name, 1 to 120 shares of zero or more, and each, first or last.';
END
$$;
COMMENT ON FUNCTION spm.add_ramp(text, numeric[], text) IS
'Adds a ramp, by which the quota of somebody new grows month by month, and returns its ramp_id.
name: unique name. shares: share of quota in the month of the start (however late in it the start is), in the next month, and so on: 0.5 is 50 %; afterwards the quota is whole.
month_used: what counts in a period of several months: each (each month its own share), first or last (that month''s share for all of the period).
Errors: 23505 when the name is taken, 22023 for shares or a month that make no sense.
Example: SELECT spm.add_ramp(''New AE'', ''{0,0.25,0.5,0.75}'');';

CREATE OR REPLACE FUNCTION spm.assign_ramp(ramp text, payee text, since date, until date DEFAULT NULL, share_before numeric DEFAULT 0)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(assign_ramp.payee);
    of_ramp int := (SELECT r.ramp_id FROM spm.ramp r WHERE r.name = assign_ramp.ramp);
    days daterange := spm._checked_span(assign_ramp.since, assign_ramp.until);
    id int;
BEGIN
    IF of_ramp IS NULL THEN
        RAISE EXCEPTION 'ramp "%" does not exist', assign_ramp.ramp
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_ramp(%L, shares);', assign_ramp.ramp);
    END IF;
    IF lower_inf(days) THEN
        RAISE EXCEPTION 'a ramp begins on a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give since.';
    END IF;
    IF assign_ramp.share_before IS NULL OR assign_ramp.share_before < 0 OR assign_ramp.share_before IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'share of quota before the start cannot be %', coalesce(assign_ramp.share_before::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '0 for somebody new, 1 for somebody who was there.';
    END IF;
    -- one that goes on ends where this one begins
    UPDATE spm.ramp_assignment a SET span = daterange(lower(a.span), lower(days))
    WHERE a.payee_id = of_payee AND upper_inf(a.span) AND lower(a.span) < lower(days);
    INSERT INTO spm.ramp_assignment (ramp_id, payee_id, span, share_before) VALUES (of_ramp, of_payee, days, assign_ramp.share_before)
    RETURNING ramp_assignment_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'payee "%" has a ramp in that time already', assign_ramp.payee
        USING ERRCODE = 'exclusion_violation', DETAIL = format('The new one would hold for %s.', days),
              HINT = 'End or delete the one that is there in spm.ramp_assignment.';
END
$$;
COMMENT ON FUNCTION spm.assign_ramp(text, text, date, date, numeric) IS
'Lets the quota of a payee grow by a ramp from a day on; returns the ramp_assignment_id. A ramp that goes on ends there.
ramp: name. payee: payee_key. since: the start; its month is the first of the ramp. until: month from whose beginning on the quota is whole in any case; NULL: as the ramp says.
share_before: share of quota in months before the start: 0 for somebody new, 1 for somebody who was there before.
Errors: 42704 for an unknown ramp or payee, 22023 for days or a share that make no sense, 23P01 when a ramp begins later or on that day.
Example: SELECT spm.assign_ramp(''New AE'', ''dana'', ''2026-02-16'');';

CREATE OR REPLACE FUNCTION spm.add_absence_kind(name text, relieves_quota boolean DEFAULT true, reduces_target boolean DEFAULT true, min_days int DEFAULT 1)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    IF add_absence_kind.min_days IS NULL OR add_absence_kind.min_days < 1 THEN
        RAISE EXCEPTION 'an absence cannot count from % days on', coalesce(add_absence_kind.min_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'min_days is 1 or more.';
    END IF;
    INSERT INTO spm.absence_kind (name, is_quota_relieved, is_target_reduced, min_days)
    VALUES (add_absence_kind.name, add_absence_kind.relieves_quota, add_absence_kind.reduces_target, add_absence_kind.min_days)
    RETURNING absence_kind_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_absence_kind(text, boolean, boolean, int) IS
'Adds a kind of absence, and returns its absence_kind_id.
name: unique name. relieves_quota: whether its days are taken off the days that a quota is for. reduces_target: the same for target incentive, salary and tiers.
min_days: calendar days in a row from which an absence counts, then from its first day; absences of the kind that touch or overlap are one, separate ones do not add up. Its whole length counts, also where a period shows only a part of it.
Errors: 23505 when the name is taken, 22023 for less than 1 day.
Example: SELECT spm.add_absence_kind(''leave'', min_days => 30);';

CREATE OR REPLACE FUNCTION spm.add_absence(payee text, kind text, since date, until date DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(add_absence.payee);
    of_kind int := (SELECT k.absence_kind_id FROM spm.absence_kind k WHERE k.name = add_absence.kind);
    id int;
BEGIN
    IF of_kind IS NULL THEN
        RAISE EXCEPTION 'absence kind "%" does not exist', add_absence.kind
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_absence_kind(%L);', add_absence.kind);
    END IF;
    IF add_absence.since IS NULL THEN
        RAISE EXCEPTION 'an absence begins on a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give since.';
    END IF;
    INSERT INTO spm.absence (payee_id, absence_kind_id, span, reason)
    VALUES (of_payee, of_kind, spm._checked_span(add_absence.since, add_absence.until), add_absence.reason)
    RETURNING absence_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_absence(text, text, date, date, text) IS
'Records when a payee was away, and returns the absence_id. Absences may overlap: a day counts once. Components that prorate take it into account, in posted periods as a difference.
payee: payee_key. kind: name of an absence kind, which says what it does. since: first day away. until: first day back; NULL: not back yet. reason: kept with the row.
Errors: 42704 for an unknown payee or kind, 22023 without a first day or with no day in between.
Example: SELECT spm.add_absence(''dana'', ''leave'', ''2026-03-02'', ''2026-04-13'');';

CREATE OR REPLACE FUNCTION spm.withdraw_absence(absence_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE spm.absence a SET superseded_at = clock_timestamp()
    WHERE a.absence_id = withdraw_absence.absence_id AND a.superseded_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no absence % that counts', coalesce(withdraw_absence.absence_id::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.absence;';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.withdraw_absence(int) IS
'Lets an absence no longer count; its row is kept. One that was recorded wrongly is withdrawn and added anew.
absence_id: key. Errors: 42704 when there is none, or it was withdrawn.
Example: SELECT spm.withdraw_absence(1);';

CREATE OR REPLACE FUNCTION spm.relieve_quota(payee text, period text, amount numeric, measure text, reason text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(relieve_quota.payee);
    of_measure int := spm._measure_id(relieve_quota.measure);
    of_period int := spm._period_id(relieve_quota.period, relieve_quota.calendar);
    standing spm.quota_relief;
    id int;
BEGIN
    IF relieve_quota.amount IS NULL OR relieve_quota.amount < 0 OR relieve_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'relief of payee "%" for % cannot be %', relieve_quota.payee, relieve_quota.period, coalesce(relieve_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A relief is zero or more; zero takes it back.';
    END IF;
    IF coalesce(relieve_quota.reason, '') = '' THEN
        RAISE EXCEPTION 'a relief needs a reason' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Reliefs for different reasons add up; one for the same reason takes the place of the one before.';
    END IF;
    SELECT r.* INTO standing FROM spm.quota_relief r
    WHERE r.payee_id = of_payee AND r.measure_id = of_measure AND r.period_id = of_period
      AND r.reason = relieve_quota.reason AND r.superseded_at IS NULL
    FOR UPDATE;
    IF standing.amount = relieve_quota.amount THEN
        RETURN standing.quota_relief_id;
    END IF;
    UPDATE spm.quota_relief r SET superseded_at = clock_timestamp() WHERE r.quota_relief_id = standing.quota_relief_id;
    INSERT INTO spm.quota_relief (payee_id, measure_id, period_id, amount, reason)
    VALUES (of_payee, of_measure, of_period, relieve_quota.amount, relieve_quota.reason)
    RETURNING quota_relief_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.relieve_quota(text, text, numeric, text, text, text) IS
'Takes an amount off the quota of a payee, whatever seat it comes from, and returns the quota_relief_id. Reliefs for different reasons add up; one for the same reason takes the place of the one before, whose row is kept.
payee: payee_key. period: name; the relief counts in components that accumulate over it or over a longer period that holds it. amount: in the unit of the measure; 0 takes it back.
measure: name; counts too where another measure falls back to its quota. reason: what it is for. calendar: needed when two calendars have a period of that name.
Errors: 22023 for a negative or missing amount or no reason, 42704 for an unknown payee, period or measure.
Example: SELECT spm.relieve_quota(''dana'', ''2026-Q2'', 20000, ''bookings'', ''account Acme moved to house'');';

CREATE OR REPLACE FUNCTION spm.spread_quota("position" text, period text, amount numeric, measure text, shares numeric[] DEFAULT NULL,
                                            grain text DEFAULT NULL, calendar text DEFAULT NULL, reason text DEFAULT NULL,
                                            title text DEFAULT NULL, places int DEFAULT 2)
    RETURNS TABLE (part text, part_amount numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    whole spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(spread_quota.period, spread_quota.calendar));
    of_calendar text := (SELECT c.name FROM spm.calendar c WHERE c.calendar_id = whole.calendar_id);
    seat int := CASE WHEN spread_quota."position" <> '*' THEN spm._position_id(spread_quota."position") END;
    of_title int := CASE WHEN spread_quota.title IS NOT NULL THEN spm._title_id(spread_quota.title) END;
    of_measure int := spm._measure_id(spread_quota.measure);
    parts int[];
    weights numeric[];
    cents numeric;
    digits int := greatest(spread_quota.places, scale(trim_scale(spread_quota.amount)));
BEGIN
    SELECT array_agg(p.period_id ORDER BY p.span), array_agg((upper(p.span) - lower(p.span))::numeric ORDER BY p.span) INTO parts, weights
    FROM spm.period p
    WHERE p.calendar_id = whole.calendar_id AND p.span <@ whole.span AND p.period_id <> whole.period_id
      AND CASE WHEN spread_quota.grain IS NOT NULL THEN p.grain = spread_quota.grain
               ELSE NOT EXISTS (SELECT FROM spm.period n WHERE n.parent_period_id = p.period_id) END;
    IF parts IS NULL THEN
        RAISE EXCEPTION 'period % has no part%', whole.name, coalesce(' of the kind "' || spread_quota.grain || '"', '')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a longer period, or a grain that lies within it.';
    END IF;
    IF spread_quota.amount IS NULL OR spread_quota.amount < 0 OR spread_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'quota for % cannot be %', whole.name, coalesce(spread_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A quota is zero or more.';
    END IF;
    IF spread_quota.places IS NULL OR spread_quota.places NOT BETWEEN 0 AND 10 THEN
        RAISE EXCEPTION 'a quota cannot be spread to % places', coalesce(spread_quota.places::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Places are 0 to 10.';
    END IF;
    IF spread_quota.shares IS NOT NULL THEN
        IF cardinality(spread_quota.shares) <> cardinality(parts) OR array_ndims(spread_quota.shares) <> 1 THEN
            RAISE EXCEPTION '% has % parts, not %', whole.name, cardinality(parts), cardinality(spread_quota.shares)
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('They are %s.', (SELECT string_agg(p.name, ', ' ORDER BY p.span) FROM spm.period p WHERE p.period_id = ANY (parts))),
                      HINT = 'Give a share for each, or choose other parts: grain => ''quarter''.';
        END IF;
        IF array_position(spread_quota.shares, NULL) IS NOT NULL OR NOT 0 <= ALL (spread_quota.shares) OR NOT 'Infinity' > ALL (spread_quota.shares)
           OR NOT 0 < ANY (spread_quota.shares) THEN
            RAISE EXCEPTION 'a quota cannot be spread by %', spread_quota.shares
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Shares are zero or more, and one of them is more; they need not total 1.';
        END IF;
        weights := spread_quota.shares;
    END IF;

    -- what was set for the period, or within it, gives way to the parts
    UPDATE spm.quota q SET superseded_at = clock_timestamp()
    WHERE q.position_id IS NOT DISTINCT FROM seat AND q.title_id IS NOT DISTINCT FROM of_title
      AND q.measure_id = of_measure AND q.superseded_at IS NULL AND q.period_id <> ALL (parts)
      AND q.period_id IN (SELECT p.period_id FROM spm.period p WHERE p.calendar_id = whole.calendar_id AND p.span <@ whole.span);
    cents := spread_quota.amount * 10::numeric ^ digits;
    RETURN QUERY
    SELECT p.name, x.part_amount
    FROM (SELECT s.period_id,
                 -- rounded down, and what is left to those that lost most by it, among equals to the earlier
                 round((s.low + (row_number() OVER (ORDER BY s.lost DESC, s.nth) <= cents - sum(s.low) OVER ())::int) / 10::numeric ^ digits, digits) AS part_amount
          FROM (SELECT u.period_id, u.nth, div(cents * u.weight, t.total) AS low, mod(cents * u.weight, t.total) AS lost
                FROM unnest(parts, weights) WITH ORDINALITY u(period_id, weight, nth),
                     (SELECT sum(w) AS total FROM unnest(weights) w) t) s) x
    JOIN spm.period p ON p.period_id = x.period_id
    CROSS JOIN LATERAL (SELECT spm.set_quota(spread_quota."position", p.name, x.part_amount, spread_quota.measure, of_calendar,
                                             spread_quota.reason, spread_quota.title) AS quota_id) q
    WHERE q.quota_id IS NOT NULL
    ORDER BY p.span;
END
$$;
COMMENT ON FUNCTION spm.spread_quota(text, text, numeric, text, numeric[], text, text, text, text, int) IS
'Sets the quota of a period as quotas of its parts that add up to it exactly, and returns them. What the same position, title or everybody had for the period or other parts of it is ended and kept.
position: position_key; * for everybody; NULL with a title: all positions of it. period: name of the whole. amount: for the whole, in the unit of the measure. measure: its name.
shares: one for each part, in order: 0.2,0.2,0.2,0.4 for a season, 1,1,1 for equal parts (they need not total 1); NULL: by calendar days. grain: which parts; NULL: the finest.
calendar: needed when two calendars have a period of that name. reason: kept with the rows. title: name of a title. places: decimals of the parts, more where the amount has more; what rounding leaves goes to those that lost most by it.
Errors: 22023 for amounts, shares or parts that make no sense, 42704 for unknown names.
Example: SELECT * FROM spm.spread_quota(''U-17'', ''2026'', 100000, ''bookings'', ''{0.2,0.2,0.2,0.4}'', grain => ''quarter'');';
