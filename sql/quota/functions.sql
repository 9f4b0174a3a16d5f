/*
 * quota/functions.sql: measures and quotas.
 */

CREATE OR REPLACE FUNCTION spm.add_measure(name text, unit text DEFAULT 'money', falls_back_to text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fallback int := CASE WHEN add_measure.falls_back_to IS NOT NULL THEN spm._measure_id(add_measure.falls_back_to) END;
    id int;
BEGIN
    IF fallback IS NOT NULL AND add_measure.unit <> (SELECT m.unit FROM spm.measure m WHERE m.measure_id = fallback) THEN
        RAISE EXCEPTION 'measure "%" cannot fall back to "%", which has another unit', add_measure.name, add_measure.falls_back_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Both must be money, or both count.';
    END IF;
    INSERT INTO spm.measure (name, unit, fallback_measure_id) VALUES (add_measure.name, add_measure.unit, fallback)
    RETURNING measure_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_measure(text, text, text) IS
'Adds a measure that quotas can be set in, and returns its measure_id.
name: unique name. unit: money or count. falls_back_to: measure whose quota counts where none is set in this one: that of bookings for bookings/hardware.
Errors: 23505 when the name is taken, 23514 for another unit, 42704 for an unknown measure to fall back to, 22023 when that has another unit.
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

CREATE OR REPLACE FUNCTION spm._guard_fallback()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM spm.measure m WHERE m.fallback_measure_id = OLD.measure_id) THEN
            RAISE EXCEPTION 'measure "%" is fallen back to', OLD.name
                USING ERRCODE = 'foreign_key_violation',
                      DETAIL = format('By "%s".', (SELECT min(m.name) FROM spm.measure m WHERE m.fallback_measure_id = OLD.measure_id)),
                      HINT = 'Set fallback_measure_id of that measure to NULL first.';
        END IF;
        RETURN OLD;
    END IF;
    IF NEW.fallback_measure_id IS NOT NULL AND NOT EXISTS (SELECT FROM spm.measure m WHERE m.measure_id = NEW.fallback_measure_id) THEN
        RAISE EXCEPTION 'measure "%" falls back to one that does not exist', NEW.name USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_fallback() IS 'Keeps measures that others fall back to; error 23503.';
REVOKE ALL ON FUNCTION spm._guard_fallback() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard_fallback BEFORE DELETE OR UPDATE OF fallback_measure_id ON spm.measure
    FOR EACH ROW EXECUTE FUNCTION spm._guard_fallback();

CREATE OR REPLACE FUNCTION spm.set_quota("position" text, period text, amount numeric, measure text,
                                         calendar text DEFAULT NULL, reason text DEFAULT NULL, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seat int := CASE WHEN set_quota."position" <> '*' THEN spm._position_id(set_quota."position") END;
    of_title int := CASE WHEN set_quota.title IS NOT NULL THEN spm._title_id(set_quota.title) END;
    of_measure int := spm._measure_id(set_quota.measure);
    of_period int := spm._period_id(set_quota.period, set_quota.calendar);
    current_quota spm.quota;
    id int;
BEGIN
    IF num_nonnulls(set_quota."position", of_title) <> 1 THEN
        RAISE EXCEPTION 'a quota is for a position or a title, %', CASE WHEN of_title IS NULL THEN 'and neither is given' ELSE 'not for both' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('SELECT spm.set_quota(NULL, %L, amount, %L, title => %L); for everybody give the position ''*''.',
                                set_quota.period, set_quota.measure, coalesce(set_quota.title, 'title'));
    END IF;
    IF set_quota.amount IS NULL OR set_quota.amount < 0 OR set_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'quota of % for % cannot be %',
            coalesce('position "' || nullif(set_quota."position", '*') || '"', 'title "' || set_quota.title || '"', 'everybody'), set_quota.period,
            coalesce(set_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A quota is zero or more.';
    END IF;
    SELECT q.* INTO current_quota FROM spm.quota q
    WHERE q.position_id IS NOT DISTINCT FROM seat AND q.title_id IS NOT DISTINCT FROM of_title
      AND q.measure_id = of_measure AND q.period_id = of_period AND q.superseded_at IS NULL
    FOR UPDATE;
    IF current_quota.amount = set_quota.amount THEN
        RETURN current_quota.quota_id;
    END IF;
    UPDATE spm.quota q SET superseded_at = clock_timestamp() WHERE q.quota_id = current_quota.quota_id;
    INSERT INTO spm.quota (position_id, title_id, measure_id, period_id, amount, reason)
    VALUES (seat, of_title, of_measure, of_period, set_quota.amount, set_quota.reason)
    RETURNING quota_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_quota(text, text, numeric, text, text, text, text) IS
'Sets the quota of a position, a title or everybody for a period and measure, and returns its quota_id. A quota that is there already is
ended and kept; the same amount again changes nothing. A change to a posted period becomes a difference in the next one.
That of the position goes before that of its title, and that before everybody''s.
position: position_key; * for everybody; NULL with a title: all positions of it. period: period name. amount: in the unit of the measure, zero or more.
measure: its name. calendar: needed when two calendars have a period of that name. reason: kept with the row. title: name of a title.
Errors: 22023 for a negative or missing amount, for position and title or neither of them; 42704 for an unknown position, title, measure or period.
Example: SELECT spm.set_quota(''U-17'', ''2026-Q1'', 250000, ''bookings''); SELECT spm.set_quota(NULL, ''2026-Q1'', 200000, ''bookings'', title => ''AE'');';
