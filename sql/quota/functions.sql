/*
 * quota/functions.sql: measures and quotas.
 */

CREATE OR REPLACE FUNCTION spm.add_measure(name text, unit text DEFAULT 'money')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    INSERT INTO spm.measure (name, unit) VALUES (add_measure.name, add_measure.unit)
    RETURNING measure_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_measure(text, text) IS
'Adds a measure that quotas can be set in, and returns its measure_id.
name: unique name. unit: money or count.
Errors: 23505 when the name is taken, 23514 for another unit.
Example: SELECT spm.add_measure(''bookings'');';

CREATE OR REPLACE FUNCTION spm._measure_id(measure text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT m.measure_id INTO id FROM spm.measure m WHERE m.name = _measure_id.measure;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'measure "%" does not exist', _measure_id.measure
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT spm.add_measure(%L);', _measure_id.measure);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._measure_id(text) IS 'measure_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._measure_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.set_quota("position" text, period text, amount numeric, measure text,
                                         calendar text DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seat int := spm._position_id(set_quota."position");
    of_measure int := spm._measure_id(set_quota.measure);
    of_period int := spm._period_id(set_quota.period, set_quota.calendar);
    id int;
BEGIN
    IF set_quota.amount IS NULL OR set_quota.amount < 0 OR set_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'quota of position "%" for % cannot be %', set_quota."position", set_quota.period,
            coalesce(set_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A quota is zero or more.';
    END IF;
    SELECT q.quota_id INTO id FROM spm.quota q
    WHERE q.position_id = seat AND q.measure_id = of_measure AND q.period_id = of_period
      AND q.superseded_at IS NULL AND q.amount = set_quota.amount
    FOR UPDATE;
    IF FOUND THEN
        RETURN id;
    END IF;
    UPDATE spm.quota q SET superseded_at = clock_timestamp()
    WHERE q.position_id = seat AND q.measure_id = of_measure AND q.period_id = of_period
      AND q.superseded_at IS NULL;
    INSERT INTO spm.quota (position_id, measure_id, period_id, amount, reason)
    VALUES (seat, of_measure, of_period, set_quota.amount, set_quota.reason)
    RETURNING quota_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_quota(text, text, numeric, text, text, text) IS
'Sets the quota of a position for a period and measure, and returns its quota_id. A quota that is there already is
ended and kept; the same amount again changes nothing. A change to a posted period becomes a difference in the next one.
position: position_key. period: period name. amount: in the unit of the measure, zero or more. measure: its name.
calendar: needed when two calendars have a period of that name. reason: kept with the row.
Errors: 22023 for a negative or missing amount, 42704 for an unknown position, measure or period.
Example: SELECT spm.set_quota(''U-17'', ''2026-Q1'', 250000, ''bookings'');';

CREATE OR REPLACE FUNCTION spm.quota_of(position_id int, measure_id int, period_id int)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT q.amount FROM spm.quota q
    WHERE q.position_id = quota_of.position_id AND q.measure_id = quota_of.measure_id
      AND q.period_id = quota_of.period_id AND q.superseded_at IS NULL;
END;
COMMENT ON FUNCTION spm.quota_of(int, int, int) IS
'Quota that counts for a position, measure and period (their keys), in the unit of the measure. NULL: none is set.
Example: SELECT spm.quota_of(1, 1, 1);';
