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

-- ----------------------------------------------------------------- backtest

CREATE OR REPLACE FUNCTION spm.backtest("values" double precision[], horizon int, origins int DEFAULT 12, season int DEFAULT 1,
                                        method text DEFAULT 'auto', level double precision DEFAULT 0.95,
                                        OUT origin int, OUT step int, OUT actual double precision, OUT mean double precision,
                                        OUT lower double precision, OUT upper double precision, OUT method_used text)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100 COST 1000000
    AS 'MODULE_PATHNAME', 'spm_backtest';
COMMENT ON FUNCTION spm.backtest(double precision[], int, int, int, text, double precision) IS
$$What forecasts would have been worth (rolling origin; Tashman 2000): forecasts made when only the first values were known, each by a method that saw nothing later, beside what came. A row for each origin and step: origin (how many values were known), step (periods ahead of it), actual (value origin + step), mean, lower, upper, method_used. Measures of them: spm.wape(actual, mean), spm.bias(), spm.coverage(actual, lower, upper), by step or in all.
Arguments: values, horizon, season, method and level as for spm.forecast(); origins (how many forecasts, each a period later than the one before, the last a horizon before the end; fewer where the series is short).
No rows where there are no more values than the horizon, so that one new group does not refuse a query of many; nor for NULL.
Errors: those of spm.forecast(); 22023 no origins.
Example: SELECT step, spm.wape(actual, mean) FROM spm.backtest(ARRAY[5,7,6,8,9,8,10,11], 2, 3, method => 'naive') GROUP BY step ORDER BY step.$$;

CREATE OR REPLACE FUNCTION spm.backtest("values" double precision[], horizon int, origins int, season int[],
                                        method text DEFAULT 'auto', level double precision DEFAULT 0.95,
                                        OUT origin int, OUT step int, OUT actual double precision, OUT mean double precision,
                                        OUT lower double precision, OUT upper double precision, OUT method_used text)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100 COST 1000000
    AS 'MODULE_PATHNAME', 'spm_backtest';
COMMENT ON FUNCTION spm.backtest(double precision[], int, int, int[], text, double precision) IS
$$The same for several seasons.
Arguments: season (as {7,365}), the others as there.
Errors: as there.
Example: SELECT spm.wape(actual, mean) FROM spm.backtest(ARRAY(SELECT 100 + t % 7 FROM generate_series(1, 140) t), 7, 4, '{7,28}'::int[]).$$;

CREATE OR REPLACE FUNCTION spm.backtest(series spm.series, horizon int, origins int DEFAULT 12,
                                        method text DEFAULT 'auto', level double precision DEFAULT 0.95,
                                        OUT origin timestamp, OUT step int, OUT period timestamp, OUT actual double precision, OUT mean double precision,
                                        OUT lower double precision, OUT upper double precision, OUT method_used text)
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT (series).period[b.origin], b.step, (series).period[b.origin + b.step], b.actual, b.mean, b.lower, b.upper, b.method_used
    FROM spm.backtest((series).value, horizon, origins, (series).season, method, level) b
    ORDER BY b.origin, b.step;
END;
COMMENT ON FUNCTION spm.backtest(spm.series, int, int, text, double precision) IS
$$The same for dated rows, with their seasons: origin is the last period that was known, period the one that was forecast.
Arguments: series (what spm.series() makes of dated rows), the others as there.
Errors: as there.
Example: SELECT b.step, spm.wape(b.actual, b.mean), spm.bias(b.actual, b.mean), spm.coverage(b.actual, b.lower, b.upper) FROM (SELECT spm.series(ordered_on, amount, '{"step": "month"}') AS s FROM orders) o, spm.backtest(o.s, 3) b GROUP BY b.step ORDER BY b.step.$$;

CREATE OR REPLACE FUNCTION spm.forecast_errors("values" double precision[], season int DEFAULT 1, method text DEFAULT 'auto')
    RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_forecast_errors';
COMMENT ON FUNCTION spm.forecast_errors(double precision[], int, text) IS
$$By how much each value differed from what the method, once fitted to the whole series, would have expected one period before: what spm.reconcile() asks for. NULL where it expected nothing yet (dotm, light and auto: of the first three values, which their first level is free to meet). A series that is too short for the method, or not for it, is done by a simpler one.
Arguments: values, season and method as for spm.forecast().
Errors: those of spm.forecast().
Example: SELECT spm.forecast_errors(ARRAY[5,7,6,8], method => 'naive') gives {NULL,2,-1,2}.$$;

CREATE OR REPLACE FUNCTION spm.forecast_errors(series spm.series, method text DEFAULT 'auto')
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT spm.forecast_errors((series).value, coalesce((series).season[1], 1), method);
END;
COMMENT ON FUNCTION spm.forecast_errors(spm.series, text) IS
$$The same for dated rows, with the shortest of their seasons.
Arguments: series (what spm.series() makes of dated rows), method.
Errors: as there.
Example: SELECT spm.forecast_errors(spm.series(ordered_on, amount, '{"step": "month"}')) FROM orders.$$;

-- ------------------------------------------------------ what it is made of

CREATE OR REPLACE FUNCTION spm.decompose("values" double precision[], season int[] DEFAULT '{}', robust boolean DEFAULT true,
                                         OUT t int, OUT value double precision, OUT trend double precision, OUT seasonal double precision,
                                         OUT remainder double precision, OUT seasons double precision[])
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100 COST 100000
    AS 'MODULE_PATHNAME', 'spm_decompose';
COMMENT ON FUNCTION spm.decompose(double precision[], int[], boolean) IS
$$What a series is made of: value = trend + seasonal + remainder, a row for each value, by loess (STL: Cleveland, Cleveland, McRae and Terpenning 1990), season after season where there are several (MSTL: Bandara, Hyndman and Bergmeir 2021). For seasons that grow with the trend take logarithms: spm.decompose(ARRAY(SELECT ln(v) ...)).
Arguments: values (oldest first), season (periods after which a pattern repeats: {12}, or several as {7,365}; {1}: none; {}: those the series shows by itself; one that is not seen twice is left out), robust (true: outliers go to the remainder and bend nothing; false: everything counts alike).
Results: t (1 for the oldest), value, trend, seasonal (all seasons together), remainder, seasons (each, from the shortest on).
Errors: those of spm.forecast() for values and seasons. No rows for NULL.
Example: SELECT t, round(trend), round(seasonal) FROM spm.decompose(ARRAY[10,20,12,22,14,24,16,26,18,28], '{2}') gives seasonals of -5 and 5 (4.5 before rounding) around a trend that rises by 1.$$;

CREATE OR REPLACE FUNCTION spm.decompose(series spm.series, season int[] DEFAULT NULL, robust boolean DEFAULT true,
                                         OUT period timestamp, OUT value double precision, OUT trend double precision, OUT seasonal double precision,
                                         OUT remainder double precision, OUT seasons double precision[])
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT (series).period[d.t], d.value, d.trend, d.seasonal, d.remainder, d.seasons
    FROM spm.decompose((series).value, coalesce(season, nullif((series).season, '{}'), '{1}'), robust) d
    ORDER BY d.t;
END;
COMMENT ON FUNCTION spm.decompose(spm.series, int[], boolean) IS
$$The same for dated rows.
Arguments: series (what spm.series() makes of dated rows), season (NULL: those of the series; the others as there), robust as there.
Errors: as there.
Example: SELECT d.* FROM (SELECT spm.series(ordered_on, amount, '{"step": "month"}') AS s FROM orders) o, spm.decompose(o.s) d.$$;

CREATE OR REPLACE FUNCTION spm.series_strength("values" double precision[], season int[] DEFAULT '{}',
                                               OUT season_found int[], OUT season_strength double precision[], OUT trend_strength double precision)
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_series_strength';
COMMENT ON FUNCTION spm.series_strength(double precision[], int[]) IS
$$How strong seasons and trend of a series are: 0 for none, 1 where nothing else is left (Wang, Smith and Hyndman 2006).
Arguments: values (oldest first), season (as for spm.decompose(); {}: those the series shows by itself).
Results: season_found (ascending; empty: none), season_strength (of each), trend_strength.
Errors: those of spm.decompose().
Example: SELECT season_found FROM spm.series_strength(ARRAY(SELECT 100 + 10 * sin(t * pi() / 6) + t % 3 FROM generate_series(1, 72) t)).$$;

CREATE OR REPLACE FUNCTION spm.series_strength(series spm.series, season int[] DEFAULT NULL,
                                               OUT season_found int[], OUT season_strength double precision[], OUT trend_strength double precision)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.season_found, s.season_strength, s.trend_strength
    FROM spm.series_strength((series).value, coalesce(season, nullif((series).season, '{}'), '{1}')) s;
END;
COMMENT ON FUNCTION spm.series_strength(spm.series, int[]) IS
$$The same for dated rows.
Arguments: series (what spm.series() makes of dated rows), season (NULL: those of the series; the others as there).
Errors: as there.
Example: SELECT region, s.season_strength[1], s.trend_strength FROM (SELECT region, spm.series(ordered_on, amount, '{"step": "month"}') AS series FROM orders GROUP BY region) o, spm.series_strength(o.series) s.$$;

-- --------------------------------------------------------- what is unusual

CREATE OR REPLACE FUNCTION spm.anomaly("values" double precision[], season int[] DEFAULT '{}', level double precision DEFAULT 0.999,
                                       OUT t int, OUT value double precision, OUT expected double precision, OUT lower double precision,
                                       OUT upper double precision, OUT score double precision, OUT is_anomaly boolean)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100 COST 100000
    AS 'MODULE_PATHNAME', 'spm_anomaly';
COMMENT ON FUNCTION spm.anomaly(double precision[], int[], double precision) IS
$$What in a series is unusual: a row for each value, with what trend and seasons made of it, as if unusual values had not been, and the limits of what is usual. Spread is measured by the median deviation, with Student quantiles for short series, so that of usual values about 1 - level are called unusual, whatever the others do. Nothing is said of fewer than eight values: NULL. For demand that is nothing most of the time it is no measure.
Arguments: values (oldest first), season (as for spm.decompose(); {}: those the series shows by itself), level (share of usual values within the limits: 0.999 calls one in a thousand unusual, 0.99 one in a hundred).
Results: t, value, expected, lower, upper, score (standard deviations from what was expected), is_anomaly.
Errors: those of spm.decompose(); 22023 a level that is not between 0 and 1. No rows for NULL.
Example: SELECT t FROM spm.anomaly(ARRAY[5,6,5,7,6,5,6,60,6,5,7,6,5,6,5,6,7,6,5,6]) WHERE is_anomaly gives 8.$$;

CREATE OR REPLACE FUNCTION spm.anomaly(series spm.series, level double precision DEFAULT 0.999,
                                       OUT period timestamp, OUT value double precision, OUT expected double precision, OUT lower double precision,
                                       OUT upper double precision, OUT score double precision, OUT is_anomaly boolean)
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT (series).period[a.t], a.value, a.expected, a.lower, a.upper, a.score, a.is_anomaly
    FROM spm.anomaly((series).value, coalesce(nullif((series).season, '{}'), '{1}'), level) a
    ORDER BY a.t;
END;
COMMENT ON FUNCTION spm.anomaly(spm.series, double precision) IS
$$The same for dated rows, with their seasons.
Arguments: series (what spm.series() makes of dated rows), level.
Errors: as there.
Example: SELECT region, a.period, a.value, a.expected FROM (SELECT region, spm.series(ordered_on, amount, '{"step": "month"}') AS s FROM orders GROUP BY region) r, spm.anomaly(r.s) a WHERE a.is_anomaly.$$;
