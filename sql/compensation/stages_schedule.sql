/*
 * compensation/stages_schedule.sql: keeping results current without anybody
 * calling, by pg_cron where it is there.
 */

-- ------------------------------------------------------------ when it is due

CREATE OR REPLACE FUNCTION spm._cron_values(field text, low int, high int)
    RETURNS int[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part text;
    piece text[];
    first int;
    last int;
    result int[] := '{}';
BEGIN
    FOREACH part IN ARRAY string_to_array(field, ',') LOOP
        piece := regexp_match(part, '^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?$');
        IF piece IS NULL OR piece[4]::int = 0 OR piece[4] IS NOT NULL AND piece[1] IS NULL AND piece[3] IS NULL THEN
            RETURN NULL;
        END IF;
        first := coalesce(piece[2]::int, low);
        last := coalesce(piece[3]::int, CASE WHEN piece[1] IS NULL THEN first ELSE high END);
        IF first < low OR last > high OR last < first THEN
            RETURN NULL;
        END IF;
        result := result || array(SELECT g FROM generate_series(first, last, coalesce(piece[4]::int, 1)) g);
    END LOOP;
    RETURN CASE WHEN cardinality(result) > 0 THEN result END;
END
$$;
COMMENT ON FUNCTION spm._cron_values(text, int, int) IS 'Numbers that a field of a cron schedule stands for. NULL: it is not one.';
REVOKE ALL ON FUNCTION spm._cron_values(text, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.next_tick(schedule text, after timestamptz, time_zone text)
    RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field text[] := regexp_split_to_array(trim(both E' \t' FROM left(schedule, 1001)), '[ \t]+');
    minutes int[] := spm._cron_values(field[1], 0, 59);
    hours int[] := spm._cron_values(field[2], 0, 23);
    days int[] := spm._cron_values(field[3], 1, 31);
    months int[] := spm._cron_values(field[4], 1, 12);
    weekdays int[] := spm._cron_values(field[5], 0, 7);
    instant timestamp := after AT TIME ZONE time_zone;
    tick timestamp;
BEGIN
    -- more than 1,000 characters say nothing that fewer do not
    IF length(schedule) > 1000 OR cardinality(field) <> 5 OR num_nulls(minutes, hours, days, months, weekdays) > 0 THEN
        RETURN NULL;
    END IF;
    IF NOT isfinite(instant) THEN
        RETURN NULL;
    END IF;
    -- both kinds of days given: either will do, as in cron
    SELECT d.day + make_interval(hours => h, mins => m) INTO tick
    FROM (SELECT g AS day FROM generate_series(date_trunc('day', instant), instant + interval '8 years', interval '1 day') g
          WHERE extract(month FROM g)::int = ANY (months)
            AND CASE WHEN field[3] LIKE '*%' OR field[5] LIKE '*%'
                     THEN extract(day FROM g)::int = ANY (days) AND (extract(dow FROM g)::int = ANY (weekdays) OR extract(isodow FROM g)::int = ANY (weekdays))
                     ELSE extract(day FROM g)::int = ANY (days) OR extract(dow FROM g)::int = ANY (weekdays) OR extract(isodow FROM g)::int = ANY (weekdays) END
          ORDER BY g LIMIT 2) d, unnest(hours) h, unnest(minutes) m
    WHERE d.day + make_interval(hours => h, mins => m) > instant
    ORDER BY 1 LIMIT 1;
    RETURN tick AT TIME ZONE time_zone;
END
$$;
COMMENT ON FUNCTION spm.next_tick(text, timestamptz, text) IS
'First instant of a cron schedule after another one. NULL: it is no schedule, or does not come within eight years.
schedule: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday), each a number, *, a range or a list, with /n for every n-th; when both days are restricted, either will do. after: instant. time_zone: in which the schedule is read.
Errors: 22023 for an unknown time zone.
Example: spm.next_tick(''30 6 * * 1-5'', ''2026-01-02 12:00+00'', ''UTC'') is 2026-01-05 06:30:00+00.';

CREATE OR REPLACE FUNCTION spm._job_name(calendar text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT concat_ws(' ', 'spm', _job_name.calendar);
END;
COMMENT ON FUNCTION spm._job_name(text) IS 'What the job for a calendar is called; NULL stands for all calendars.';
REVOKE ALL ON FUNCTION spm._job_name(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._has_pg_cron()
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION spm._has_pg_cron() IS 'Whether pg_cron keeps its jobs in this database.';
REVOKE ALL ON FUNCTION spm._has_pg_cron() FROM PUBLIC;

-- ------------------------------------------------------------------ schedule

CREATE OR REPLACE FUNCTION spm._drop_cron_job(name text)
    RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped int;
BEGIN
    IF NOT spm._has_pg_cron() THEN
        RETURN false;
    END IF;
    -- pg_cron shows a role its own jobs only, and a superuser all
    EXECUTE format('SELECT count(%1$I.unschedule(j.jobid)) FROM %1$I.job j WHERE j.jobname = $1 AND j.database = current_database()', 'cron')
        INTO dropped USING _drop_cron_job.name;
    RETURN dropped > 0;
END
$$;
COMMENT ON FUNCTION spm._drop_cron_job(text) IS 'Takes a job of that name out of pg_cron; false when there is none that the caller may see.';
REVOKE ALL ON FUNCTION spm._drop_cron_job(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.schedule(cron text DEFAULT '*/5 * * * *', calendar text DEFAULT NULL, calculate boolean DEFAULT false, runner text DEFAULT 'pg_cron')
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job_name text := spm._job_name(schedule.calendar);
    command text := CASE WHEN schedule.calendar IS NULL THEN 'CALL spm.run_job()' ELSE format('CALL spm.run_job(%L)', schedule.calendar) END;
    this_zone text := current_setting('TimeZone');
    known spm.job;
BEGIN
    IF schedule.runner IS NULL OR schedule.runner NOT IN ('pg_cron', 'other') THEN
        RAISE EXCEPTION 'runner must be pg_cron or other, not "%"', schedule.runner
            USING ERRCODE = 'invalid_parameter_value', HINT = 'other: something outside of the database, such as cron, runs CALL spm.run_job().';
    END IF;
    IF schedule.cron IS NULL OR spm.next_tick(schedule.cron, now(), 'UTC') IS NULL THEN
        RAISE EXCEPTION 'cron schedule "%" cannot be read, or never comes', schedule.cron
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Write five fields of numbers, minute hour day month weekday: ''*/5 * * * *'' is every five minutes, ''30 6 * * 1-5'' half past six on working days.';
    END IF;
    IF schedule.calendar IS NOT NULL AND NOT EXISTS (SELECT FROM spm.calendar c WHERE c.name = schedule.calendar) THEN
        RAISE EXCEPTION 'calendar "%" does not exist', schedule.calendar
            USING ERRCODE = 'undefined_object', HINT = 'Calendars are: ' || coalesce((SELECT string_agg(c.name, ', ' ORDER BY c.name) FROM spm.calendar c), 'none yet') || '.';
    END IF;
    SELECT j.* INTO known FROM spm.job j WHERE j.name = job_name;
    IF known.runner = 'pg_cron' AND NOT spm._drop_cron_job(job_name) AND known.scheduled_by <> current_user THEN
        RAISE EXCEPTION 'job "%" was scheduled by %', job_name, known.scheduled_by
            USING ERRCODE = 'insufficient_privilege', HINT = 'Ask them, or a superuser, for SELECT spm.unschedule(...);';
    END IF;
    IF schedule.runner = 'pg_cron' THEN
        IF NOT spm._has_pg_cron() THEN
            RAISE EXCEPTION 'pg_cron is not installed in this database'
                USING ERRCODE = 'feature_not_supported',
                      DETAIL = 'Nothing else in PostgreSQL starts a job by the clock.',
                      HINT = format('Install the package (Debian: postgresql-%s-cron), set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart the server, CREATE EXTENSION pg_cron. '
                                    'Or let cron do it: "%s  psql -d %s -c %s" in a crontab, and here SELECT spm.schedule(%L, runner => ''other''); see docs/operations.md.',
                                    current_setting('server_version_num')::int / 10000, current_database(), schedule.cron, current_database(),
                                    quote_ident(command || ';'), schedule.cron);
        END IF;
        -- before 1.5 there is no setting, and pg_cron keeps to GMT
        this_zone := coalesce(current_setting('cron.timezone', true), 'GMT');
        EXECUTE format('SELECT %I.schedule($1, $2, $3)', 'cron') USING job_name, schedule.cron, command;
    END IF;
    INSERT INTO spm.job (name, calendar_id, schedule, time_zone, runner, is_calculating)
    SELECT job_name, (SELECT c.calendar_id FROM spm.calendar c WHERE c.name = schedule.calendar), schedule.cron, this_zone, schedule.runner, coalesce(schedule.calculate, false)
    ON CONFLICT (name) DO UPDATE
    SET schedule = EXCLUDED.schedule, time_zone = EXCLUDED.time_zone, runner = EXCLUDED.runner, is_calculating = EXCLUDED.is_calculating,
        scheduled_at = EXCLUDED.scheduled_at, scheduled_by = EXCLUDED.scheduled_by;
    RETURN job_name;
END
$$;
COMMENT ON FUNCTION spm.schedule(text, text, boolean, text) IS
'Keeps results current by the clock: CALL spm.run_job() is run as often as said, by pg_cron and as the role that calls this. Returns the name of the job. A second call for the calendar replaces the first.
cron: minute, hour, day of the month, month and day of the week, in numbers, in the time zone of pg_cron (GMT unless cron.timezone says otherwise). calendar: name; NULL: all. calculate: also calculate each period once it has begun, when the one before it has been; otherwise somebody calls spm.calculate() once in every period. runner: pg_cron; other: something outside of the database runs CALL spm.run_job(), and spm_bi.job_lateness tells whether it does.
Errors: 22023 for a schedule that cannot be read or an unknown runner; 42704 unknown calendar; 0A000 when pg_cron is not installed in this database; 42501 when another role has scheduled it; those of cron.schedule().
Example: SELECT spm.schedule(''*/5 * * * *'');';

CREATE OR REPLACE FUNCTION spm.unschedule(calendar text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known spm.job;
BEGIN
    DELETE FROM spm.job j WHERE j.name = spm._job_name(unschedule.calendar) RETURNING j.* INTO known;
    IF known.job_id IS NULL THEN
        RAISE EXCEPTION 'nothing is scheduled for %', coalesce('calendar "' || unschedule.calendar || '"', 'all calendars')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name, schedule FROM spm.job;';
    END IF;
    IF known.runner = 'pg_cron' AND NOT spm._drop_cron_job(known.name) AND known.scheduled_by <> current_user THEN
        RAISE EXCEPTION 'job "%" was scheduled by %', known.name, known.scheduled_by
            USING ERRCODE = 'insufficient_privilege', HINT = 'Ask them, or a superuser.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.unschedule(text) IS
'Takes back spm.schedule(). A run that is under way goes on; what it has recorded stays.
calendar: name; NULL: the job for all calendars.
Errors: 42704 when nothing is scheduled for it; 42501 when another role has scheduled it.
Example: SELECT spm.unschedule();';

-- ---------------------------------------------------------------------- runs

CREATE OR REPLACE FUNCTION spm._guard_job_run()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.outcome <> 'running' OR NEW.outcome = 'running'
        OR (OLD.job_run_id, OLD.job, OLD.calendar_id, OLD.started_at, OLD.pid, OLD.run_by, OLD.version)
            IS DISTINCT FROM (NEW.job_run_id, NEW.job, NEW.calendar_id, NEW.started_at, NEW.pid, NEW.run_by, NEW.version) THEN
        RAISE EXCEPTION 'what is recorded of run % stays', OLD.job_run_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'A run is finished once, and nothing else of it changes.', HINT = 'What happened is kept as it was recorded.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_job_run() IS 'Trigger: a run of a job is finished once. Error 55000.';
REVOKE ALL ON FUNCTION spm._guard_job_run() FROM PUBLIC;
CREATE OR REPLACE TRIGGER job_run_finished BEFORE UPDATE ON spm.job_run
    FOR EACH ROW EXECUTE FUNCTION spm._guard_job_run();
CREATE OR REPLACE TRIGGER job_run_kept BEFORE DELETE OR TRUNCATE ON spm.job_run
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

CREATE OR REPLACE FUNCTION spm.job_lock(job text)
    RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ('x' || left(md5('spm job ' || job_lock.job), 16))::bit(64)::bigint;
END;
COMMENT ON FUNCTION spm.job_lock(text) IS
'Key of the advisory lock that a session holds while it runs a job: who has it can be seen in pg_locks.
job: name of the job, as in spm.job_run.
Example: SELECT pid FROM pg_locks WHERE locktype = ''advisory'' AND (classid::bigint << 32 | objid::bigint) = spm.job_lock(''spm'');';

CREATE OR REPLACE FUNCTION spm._release_job(job text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- twice, where a run of this session was cancelled between two steps and left its lock
    WHILE EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.objsubid = 1
                  AND (l.classid::bigint << 32 | l.objid::bigint) = spm.job_lock(_release_job.job)) LOOP
        PERFORM pg_advisory_unlock(spm.job_lock(_release_job.job));
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._release_job(text) IS 'Lets the next run of a job in.';
REVOKE ALL ON FUNCTION spm._release_job(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._begin_job_run(calendar text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job_name text := spm._job_name(_begin_job_run.calendar);
    this_calendar int := (SELECT c.calendar_id FROM spm.calendar c WHERE c.name = _begin_job_run.calendar);
    this_version text := (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'spm');
    this_run bigint;
    under_way record;
BEGIN
    IF _begin_job_run.calendar IS NOT NULL AND this_calendar IS NULL THEN
        RAISE EXCEPTION 'calendar "%" does not exist', _begin_job_run.calendar
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.calendar;';
    END IF;
    -- a lock of the session outlives the commits between the steps, and no session that holds it
    IF NOT pg_try_advisory_lock(spm.job_lock(job_name)) THEN
        SELECT r.started_at, r.pid INTO under_way FROM spm.job_run r WHERE r.job = job_name AND r.outcome = 'running' ORDER BY r.job_run_id DESC LIMIT 1;
        INSERT INTO spm.job_run (job, calendar_id, finished_at, outcome, message, version)
        VALUES (job_name, this_calendar, clock_timestamp(), 'skipped',
                coalesce(format('The run since %s (process %s) is still under way.', under_way.started_at, under_way.pid), 'Another run is under way.'), this_version);
        RETURN NULL;
    END IF;
    BEGIN
        -- whoever held the lock before is gone
        UPDATE spm.job_run r
        SET outcome = 'interrupted', finished_at = clock_timestamp(), message = 'Its session ended, or the server; found by the next run.'
        WHERE r.job = job_name AND r.outcome = 'running';
        INSERT INTO spm.job_run (job, calendar_id, version) VALUES (job_name, this_calendar, this_version) RETURNING job_run_id INTO this_run;
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        PERFORM spm._release_job(job_name);
        RAISE;
    END;
    RETURN this_run;
END
$$;
COMMENT ON FUNCTION spm._begin_job_run(text) IS 'Records that a run begins, and keeps others out by a lock of the session. NULL: one is under way, which is recorded instead.';
REVOKE ALL ON FUNCTION spm._begin_job_run(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._job_step(job_run_id bigint)
    RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH period AS (
        SELECT c.name AS calendar, p.*
        FROM spm.job_run r
        JOIN spm.calendar c ON c.calendar_id = r.calendar_id OR r.calendar_id IS NULL
        LEFT JOIN spm.period p ON p.calendar_id = c.calendar_id AND spm._is_leaf(p.period_id)
        WHERE r.job_run_id = _job_step.job_run_id)
    SELECT coalesce(array_agg(s.call ORDER BY s.calendar, s.since NULLS FIRST), '{}')
    FROM (SELECT DISTINCT p.calendar, NULL::date AS since, format('CALL spm.refresh(%L)', p.calendar) AS call FROM period p
          UNION ALL
          -- a period has begun, and the work has come up to it; one that was opened again has later ones
          SELECT p.calendar, lower(p.span), format('CALL spm.calculate(%L, %L)', p.name, p.calendar)
          FROM period p
          WHERE p.state = 'open' AND lower(p.span) <= current_date
            AND EXISTS (SELECT FROM spm.job j JOIN spm.job_run r ON r.job = j.name WHERE r.job_run_id = _job_step.job_run_id AND j.is_calculating)
            AND EXISTS (SELECT FROM period o WHERE o.calendar_id = p.calendar_id AND o.span << p.span AND o.state <> 'open')
            AND NOT EXISTS (SELECT FROM period o WHERE o.calendar_id = p.calendar_id AND o.span >> p.span AND o.state <> 'open')) s
$$;
COMMENT ON FUNCTION spm._job_step(bigint) IS 'What a run has to do, as calls: each is a transaction of its own.';
REVOKE ALL ON FUNCTION spm._job_step(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._end_job_run(job_run_id bigint, last_run_id bigint, error_code text, message text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.job_run;
BEGIN
    SELECT r.* INTO this FROM spm.job_run r WHERE r.job_run_id = _end_job_run.job_run_id;
    BEGIN
        UPDATE spm.job_run r
        SET outcome = CASE WHEN _end_job_run.error_code IS NULL THEN 'done' ELSE 'failed' END, finished_at = clock_timestamp(),
            error_code = _end_job_run.error_code, message = _end_job_run.message,
            changed_count = (SELECT coalesce(sum(x.changed_count), 0)
                             FROM spm.run x JOIN spm.period p USING (period_id)
                             WHERE x.run_id > coalesce(_end_job_run.last_run_id, 0) AND x.started_by = session_user AND (p.calendar_id = this.calendar_id OR this.calendar_id IS NULL))
        WHERE r.job_run_id = this.job_run_id;
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        PERFORM spm._release_job(this.job);
        RAISE;
    END;
    PERFORM spm._release_job(this.job);
END
$$;
COMMENT ON FUNCTION spm._end_job_run(bigint, bigint, text, text) IS 'Records how a run has ended, and what was changed since another spm.run; lets the next one in.';
REVOKE ALL ON FUNCTION spm._end_job_run(bigint, bigint, text, text) FROM PUBLIC;

-- What commits cannot have settings: so it names everything in full, and leaves the work to functions that have.
CREATE OR REPLACE PROCEDURE spm.run_job(calendar text DEFAULT NULL)
    LANGUAGE plpgsql
AS $$
DECLARE
    this_run bigint;
    last_run bigint;
    steps text[];
    step text;
    code text;
    said text;
    more text;
    help text;
    first_code text;
    first_said text;
    first_more text;
    first_help text;
    is_stopped boolean := false;
BEGIN
    -- within a transaction this is refused, before anything is done
    COMMIT;
    this_run := spm._begin_job_run(run_job.calendar);
    COMMIT;
    IF this_run IS NULL THEN
        RAISE NOTICE 'another run is under way';
        RETURN;
    END IF;
    SELECT pg_catalog.max(r.run_id) INTO last_run FROM spm.run r;
    steps := spm._job_step(this_run);
    -- where snapshots are kept, the first step gets one of its own, like the others
    COMMIT;
    FOREACH step IN ARRAY steps LOOP
        code := NULL;
        BEGIN
            EXECUTE step;
        EXCEPTION
            WHEN query_canceled THEN
                GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL, help = PG_EXCEPTION_HINT;
                is_stopped := true;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL, help = PG_EXCEPTION_HINT;
        END;
        COMMIT;
        -- a calendar that fails does not keep the others waiting
        IF code IS NOT NULL AND first_code IS NULL THEN
            first_code := code;
            first_said := said;
            first_more := more;
            first_help := help;
        END IF;
        EXIT WHEN is_stopped;
    END LOOP;
    PERFORM spm._end_job_run(this_run, last_run, first_code, first_said);
    COMMIT;
    IF first_code IS NOT NULL THEN
        RAISE EXCEPTION '%', first_said USING ERRCODE = first_code, DETAIL = first_more, HINT = first_help;
    END IF;
END
$$;
COMMENT ON PROCEDURE spm.run_job(text) IS
'What spm.schedule() has run: brings everything up to date that has changed since the last run that succeeded, however long ago that was, each calendar in a transaction of its own, and records the run in spm.job_run. One run of a job at a time: a second one records that it was skipped. An error is recorded, and then raised.
calendar: name; NULL: all.
Errors: 2D000 within a transaction: it commits by itself; 42704 unknown calendar; those of spm.refresh() and spm.calculate().
Example: CALL spm.run_job();';
