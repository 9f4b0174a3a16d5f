/*
 * forecast/toolbox_seasons.sql: which seasons a series shows.
 */

CREATE OR REPLACE FUNCTION spm.seasons("values" double precision[])
    RETURNS int[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_seasons';
COMMENT ON FUNCTION spm.seasons(double precision[]) IS
$$After how many periods patterns of a series come again, as far as the series itself shows it: {7,365} for days that have a week and a year, empty for none. A season must be seen three times at least; what merely wanders has none. Who knows the calendar of a series need not ask: spm.forecast(at, value, horizon) takes the usual seasons of its step.
How strong they are: spm.series_strength().
Argument: values (oldest first).
Errors: 22004 a value is null; 22023 no values, or one that is not finite or neither 0 nor from 1e-30 to 1e+30; 2202E an array of more dimensions; 54000 more than 1,000,000 values.
Example: SELECT spm.seasons(array_agg((d % 7 < 5)::int::float8 ORDER BY d)) FROM generate_series(1, 70) d gives {7}.$$;

CREATE OR REPLACE FUNCTION spm.seasons(series spm.series)
    RETURNS int[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT spm.seasons((series).value);
END;
COMMENT ON FUNCTION spm.seasons(spm.series) IS
$$The same for dated rows: what their values show, whatever the seasons of the calendar ((series).season has those).
Argument: series (what spm.series() makes of dated rows).
Errors: as there.
Example: SELECT spm.seasons(spm.series(ordered_on, amount, '{"step": "month"}')) FROM orders.$$;
