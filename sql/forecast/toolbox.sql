/*
 * forecast/toolbox.sql: forecasts of series, for anybody's tables.
 */

-- ------------------------------------------------------------------- arrays

CREATE OR REPLACE FUNCTION spm.forecast("values" double precision[], horizon int, season int DEFAULT 1,
                                        method text DEFAULT 'auto', level double precision DEFAULT 0.95)
    RETURNS spm.forecast_path
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_forecast_values';
COMMENT ON FUNCTION spm.forecast(double precision[], int, int, text, double precision) IS
$$What comes after a series of values, oldest first: mean and limits of each period to come. Rows of it: spm.forecast_rows(). A series that is too short for the method, or not for it, is done by a simpler one; the forecast says by which.
Arguments: values, horizon (how many periods to come), season (after how many periods a pattern repeats: 12 for months, 1 for none), method (SELECT * FROM spm.forecast_method()), level (share of outcomes that the limits are to hold).
Errors: 22004 a value is null; 22023 no values, one that is not finite or neither 0 nor from 1e-30 to 1e+30, an unknown method, a level that is not between 0 and 1, a season or horizon below 1 or above 10,000; 2202E an array of more dimensions; 54000 more than 1,000,000 values.
Example: SELECT * FROM spm.forecast_rows(spm.forecast('{5,7,6,8,9,8,10,11}', 3, method => 'naive')) gives 11 three times.$$;

CREATE OR REPLACE FUNCTION spm.forecast("values" double precision[], horizon int, seasons int[],
                                        method text DEFAULT 'auto', level double precision DEFAULT 0.95)
    RETURNS spm.forecast_path
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_forecast_values';
COMMENT ON FUNCTION spm.forecast(double precision[], int, int[], text, double precision) IS
$$The same with several seasons, as hours have a day and a week, and days a week and a year.
Arguments: seasons (periods after which a pattern repeats, at most 8), the others as there.
Errors: as there; 22023 a season that is given twice, a null, more than 8.
Example: SELECT spm.forecast(array_agg(calls ORDER BY day), 28, seasons => '{7,365}') FROM daily.$$;

CREATE OR REPLACE FUNCTION spm.forecast_rows(path spm.forecast_path, OUT step int, OUT period timestamp,
                                             OUT mean double precision, OUT lower double precision, OUT upper double precision, OUT method text)
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 12
BEGIN ATOMIC
    SELECT r.step::int, r.period, r.mean, r.lower, r.upper, (path).method
    FROM ROWS FROM (unnest((path).period), unnest((path).mean), unnest((path).lower), unnest((path).upper)) WITH ORDINALITY AS r (period, mean, lower, upper, step)
    ORDER BY r.step;
END;
COMMENT ON FUNCTION spm.forecast_rows(spm.forecast_path) IS
$$A forecast as rows: step (1 for the next period), period (its first moment; NULL for a series without dates), mean, lower and upper limit (NULL: not known), method. No rows for NULL.
Argument: path (what spm.forecast() gives).
Example: SELECT r.* FROM (SELECT spm.forecast(order_date, amount, 12, '{"step": "month"}') AS f FROM orders) o, spm.forecast_rows(o.f) r.$$;

CREATE OR REPLACE FUNCTION spm.forecast_method(OUT method text, OUT about text)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20
    AS 'MODULE_PATHNAME', 'spm_forecast_method';
COMMENT ON FUNCTION spm.forecast_method() IS
$$Methods of forecasting that spm.forecast() knows by name, and what each is.
Example: SELECT * FROM spm.forecast_method() WHERE method = 'auto'.$$;

-- --------------------------------------------------------------- dated rows

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, date, double precision, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_date';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, date, double precision, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, date, double precision, int) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, date, numeric, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_date_numeric';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, date, numeric, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, date, numeric, int) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, date, double precision, int, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_date';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, date, double precision, int, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, date, double precision, int, jsonb) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, date, numeric, int, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_date_numeric';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, date, numeric, int, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, date, numeric, int, jsonb) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamp, double precision, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamp';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamp, double precision, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamp, double precision, int) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamp, numeric, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamp_numeric';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamp, numeric, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamp, numeric, int) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamp, double precision, int, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamp';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamp, double precision, int, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamp, double precision, int, jsonb) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamp, numeric, int, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamp_numeric';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamp, numeric, int, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamp, numeric, int, jsonb) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamptz, double precision, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamptz';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamptz, double precision, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamptz, double precision, int) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamptz, numeric, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamptz_numeric';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamptz, numeric, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamptz, numeric, int) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamptz, double precision, int, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamptz';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamptz, double precision, int, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamptz, double precision, int, jsonb) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_add(internal, timestamptz, numeric, int, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_add_timestamptz_numeric';
REVOKE ALL ON FUNCTION spm._forecast_add(internal, timestamptz, numeric, int, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_add(internal, timestamptz, numeric, int, jsonb) IS 'State function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_combine';
REVOKE ALL ON FUNCTION spm._forecast_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_combine(internal, internal) IS 'Combine function of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_serialize';
REVOKE ALL ON FUNCTION spm._forecast_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_serialize(internal) IS 'Serialization of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_forecast_deserialize';
REVOKE ALL ON FUNCTION spm._forecast_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_deserialize(bytea, internal) IS 'Deserialization of spm.forecast.';

CREATE OR REPLACE FUNCTION spm._forecast_final(internal)
    RETURNS spm.forecast_path
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'spm_forecast_final';
REVOKE ALL ON FUNCTION spm._forecast_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._forecast_final(internal) IS 'Final function of spm.forecast.';

CREATE OR REPLACE AGGREGATE spm.forecast(at date, value double precision, horizon int) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(date, double precision, int) IS
$$What comes after a series of dated rows: mean and limits of each period to come, from the one after the last. Rows of one period are added up, so orders can be given as they are. How long a period is is found from the dates, when each has one place in a period of its own (the first of each month, the last of each month, Mondays, days); give option step where it is not: spm.forecast(at, value, horizon, options). Periods without a row count as 0. NULL without rows; the same for every order of rows and any number of workers.
Arguments: at (day), value (amount or count; NULL: none, though the period is part of the series), horizon (how many periods to come). Rows with neither date nor value are left out.
Errors: 22004 a value without a date; 22008 an infinite date; 22023 a step that cannot be told, a horizon that is not the same for all rows or not from 1 to 10,000, a value that is not finite or neither 0 nor from 1e-30 to 1e+30; 54000 more than 1,000,000 periods.
Example: SELECT r.* FROM (SELECT spm.forecast(month, sold, 12) AS f FROM monthly) s, spm.forecast_rows(s.f) r.$$;

CREATE OR REPLACE AGGREGATE spm.forecast(at date, value numeric, horizon int) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(date, numeric, int) IS
'The same for amounts that are numeric, which need no cast.';

CREATE OR REPLACE AGGREGATE spm.forecast(at date, value double precision, horizon int, options jsonb) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(date, double precision, int, jsonb) IS
$$The same with options, all of which may be left out or null: method (auto; SELECT * FROM spm.forecast_method()), level (0.95: share of outcomes that the limits are to hold), step (hour, day, week, month, quarter, half, year: how long a period is; weeks begin on Monday; found from the dates when not given), season (periods after which a pattern repeats: 12, or several as [7, 365]; 1: none; usual for the step when not given: 24 and 168, 7 and 365, 52, 12, 4, 2, 1, the longer of two once there are three of it), combine (sum, mean or last: what rows of one period make; sum), gaps (zero, interpolate, last or refuse: what a period without a row has; zero for sums, else interpolate), until (a day of the last period to be read, "2026-06-30", or of hours "2026-06-30 17:00": later rows are left out, and periods up to it are part of the series even where nothing was sold), zone (UTC: whose clocks timestamps with time zone are read by).
Arguments: at, value, horizon as without options; options.
Errors: as without options; 22023 an unknown option, or one that cannot be read; 22004 a period without a value where gaps are refused.
Example: SELECT region, spm.forecast(ordered_on, amount, 6, '{"step": "month", "until": "2026-06-30"}') FROM orders GROUP BY region.$$;

CREATE OR REPLACE AGGREGATE spm.forecast(at date, value numeric, horizon int, options jsonb) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(date, numeric, int, jsonb) IS
'The same for amounts that are numeric, which need no cast.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamp, value double precision, horizon int) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamp, double precision, int) IS
'The same for moments without a time zone.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamp, value numeric, horizon int) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamp, numeric, int) IS
'The same for amounts that are numeric, which need no cast.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamp, value double precision, horizon int, options jsonb) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamp, double precision, int, jsonb) IS
'The same for moments without a time zone.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamp, value numeric, horizon int, options jsonb) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamp, numeric, int, jsonb) IS
'The same for amounts that are numeric, which need no cast.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamptz, value double precision, horizon int) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamptz, double precision, int) IS
'The same for moments with a time zone: periods are those of the clocks in option zone, which is UTC without options; no setting has a say in it.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamptz, value numeric, horizon int) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamptz, numeric, int) IS
'The same for amounts that are numeric, which need no cast.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamptz, value double precision, horizon int, options jsonb) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamptz, double precision, int, jsonb) IS
'The same for moments with a time zone: periods are those of the clocks in option zone, UTC unless it says otherwise; no setting has a say in it.';

CREATE OR REPLACE AGGREGATE spm.forecast(at timestamptz, value numeric, horizon int, options jsonb) (
    SFUNC = spm._forecast_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._forecast_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.forecast(timestamptz, numeric, int, jsonb) IS
'The same for amounts that are numeric, which need no cast.';
