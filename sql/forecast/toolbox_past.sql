/*
 * forecast/toolbox_past.sql: what the past of a series tells: what it is made of, what in it
 * is unusual, and how well it would have been forecast.
 */

-- ----------------------------------------------------------------- a series

CREATE OR REPLACE FUNCTION spm._series_add(internal, date, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_add_date';
REVOKE ALL ON FUNCTION spm._series_add(internal, date, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_add(internal, date, double precision) IS 'State function of spm.series.';

CREATE OR REPLACE FUNCTION spm._series_add(internal, date, double precision, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_add_date';
REVOKE ALL ON FUNCTION spm._series_add(internal, date, double precision, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_add(internal, date, double precision, jsonb) IS 'State function of spm.series.';

CREATE OR REPLACE FUNCTION spm._series_add(internal, timestamp, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_add_timestamp';
REVOKE ALL ON FUNCTION spm._series_add(internal, timestamp, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_add(internal, timestamp, double precision) IS 'State function of spm.series.';

CREATE OR REPLACE FUNCTION spm._series_add(internal, timestamp, double precision, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_add_timestamp';
REVOKE ALL ON FUNCTION spm._series_add(internal, timestamp, double precision, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_add(internal, timestamp, double precision, jsonb) IS 'State function of spm.series.';

CREATE OR REPLACE FUNCTION spm._series_add(internal, timestamptz, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_add_timestamptz';
REVOKE ALL ON FUNCTION spm._series_add(internal, timestamptz, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_add(internal, timestamptz, double precision) IS 'State function of spm.series.';

CREATE OR REPLACE FUNCTION spm._series_add(internal, timestamptz, double precision, jsonb)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_add_timestamptz';
REVOKE ALL ON FUNCTION spm._series_add(internal, timestamptz, double precision, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_add(internal, timestamptz, double precision, jsonb) IS 'State function of spm.series.';

CREATE OR REPLACE FUNCTION spm._series_final(internal)
    RETURNS spm.series
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_series_final';
REVOKE ALL ON FUNCTION spm._series_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._series_final(internal) IS 'Final function of spm.series.';

CREATE OR REPLACE AGGREGATE spm.series(at date, value double precision) (
    SFUNC = spm._series_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._series_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.series(date, double precision) IS
$$Dated rows as a series with one value for each period, for functions that ask for one: spm.backtest(), spm.decompose(), spm.anomaly(), spm.forecast_errors(). Rows of a period are added up, periods without a row are 0, and how long a period is is found from the dates, all as spm.forecast(at, value, horizon) does it. NULL without rows; the same for every order of rows and any number of workers.
Arguments: at (day), value (amount or count; NULL: none, though the period is part of the series).
Errors: those of spm.forecast(at, value, horizon).
Example: SELECT (s).step, (s).value FROM (SELECT spm.series(d, v) AS s FROM (VALUES (date '2026-01-01', 5), ('2026-03-01', 7)) t(d, v)) r gives month and {5,0,7}.$$;

CREATE OR REPLACE AGGREGATE spm.series(at date, value double precision, options jsonb) (
    SFUNC = spm._series_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._series_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.series(date, double precision, jsonb) IS
$$The same with options, as spm.forecast(at, value, horizon, options) has them: step, season, combine, gaps, until, zone; method and level are read and have no effect.
Example: SELECT region, spm.series(ordered_on, amount, '{"step": "month"}') FROM orders GROUP BY region.$$;

CREATE OR REPLACE AGGREGATE spm.series(at timestamp, value double precision) (
    SFUNC = spm._series_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._series_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.series(timestamp, double precision) IS
'The same for moments without a time zone.';

CREATE OR REPLACE AGGREGATE spm.series(at timestamp, value double precision, options jsonb) (
    SFUNC = spm._series_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._series_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.series(timestamp, double precision, jsonb) IS
'The same for moments without a time zone.';

CREATE OR REPLACE AGGREGATE spm.series(at timestamptz, value double precision) (
    SFUNC = spm._series_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._series_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.series(timestamptz, double precision) IS
'The same for moments with a time zone: periods are those of the clocks in option zone, UTC unless it says otherwise.';

CREATE OR REPLACE AGGREGATE spm.series(at timestamptz, value double precision, options jsonb) (
    SFUNC = spm._series_add, STYPE = internal, SSPACE = 1024, FINALFUNC = spm._series_final,
    COMBINEFUNC = spm._forecast_combine, SERIALFUNC = spm._forecast_serialize, DESERIALFUNC = spm._forecast_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.series(timestamptz, double precision, jsonb) IS
'The same for moments with a time zone: periods are those of the clocks in option zone, UTC unless it says otherwise.';

