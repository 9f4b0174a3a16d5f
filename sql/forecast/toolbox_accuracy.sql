/*
 * forecast/toolbox_accuracy.sql: how far forecasts were off, for anybody's tables.
 */

CREATE OR REPLACE FUNCTION spm._score_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_score_combine';
REVOKE ALL ON FUNCTION spm._score_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._score_combine(internal, internal) IS 'Puts together what two workers have summed.';

CREATE OR REPLACE FUNCTION spm._score_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_score_serialize';
REVOKE ALL ON FUNCTION spm._score_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._score_serialize(internal) IS 'Packs what a worker has summed.';

CREATE OR REPLACE FUNCTION spm._score_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_score_deserialize';
REVOKE ALL ON FUNCTION spm._score_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._score_deserialize(bytea, internal) IS 'Unpacks what a worker has summed.';

CREATE OR REPLACE FUNCTION spm._score_mean(internal)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_score_mean';
REVOKE ALL ON FUNCTION spm._score_mean(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._score_mean(internal) IS 'Final function of measures that are a mean.';

CREATE OR REPLACE FUNCTION spm._score_root(internal)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_score_root';
REVOKE ALL ON FUNCTION spm._score_root(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._score_root(internal) IS 'Final function of measures that are the root of a mean.';

CREATE OR REPLACE FUNCTION spm._score_ratio(internal)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_score_ratio';
REVOKE ALL ON FUNCTION spm._score_ratio(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._score_ratio(internal) IS 'Final function of measures that are a share of what was sold.';

CREATE OR REPLACE FUNCTION spm._owa_final(internal)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_owa_final';
REVOKE ALL ON FUNCTION spm._owa_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._owa_final(internal) IS 'Final function of spm.owa.';

-- --------------------------------------------------- in the unit of the values

CREATE OR REPLACE FUNCTION spm._mae_add(internal, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_mae_add';
REVOKE ALL ON FUNCTION spm._mae_add(internal, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._mae_add(internal, double precision, double precision) IS 'State function of spm.mae.';

CREATE OR REPLACE AGGREGATE spm.mae(actual double precision, forecast double precision) (
    SFUNC = spm._mae_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.mae(double precision, double precision) IS
'Mean absolute error: by how much forecasts were off, in the unit of the values. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed.
Example: SELECT spm.mae(actual, forecast) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 20.';

CREATE OR REPLACE FUNCTION spm._rmse_add(internal, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rmse_add';
REVOKE ALL ON FUNCTION spm._rmse_add(internal, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._rmse_add(internal, double precision, double precision) IS 'State function of spm.rmse.';

CREATE OR REPLACE AGGREGATE spm.rmse(actual double precision, forecast double precision) (
    SFUNC = spm._rmse_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_root, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.rmse(double precision, double precision) IS
'Root of the mean squared error, in the unit of the values: a few large errors weigh more than many small ones. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed.
Example: SELECT spm.rmse(actual, forecast) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 22.36..., the root of 500.';

CREATE OR REPLACE FUNCTION spm._pinball_add(internal, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_pinball_add';
REVOKE ALL ON FUNCTION spm._pinball_add(internal, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._pinball_add(internal, double precision, double precision, double precision) IS 'State function of spm.pinball.';

CREATE OR REPLACE AGGREGATE spm.pinball(actual double precision, forecast double precision, probability double precision) (
    SFUNC = spm._pinball_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.pinball(double precision, double precision, double precision) IS
'Pinball loss (Koenker and Bassett 1978) of forecasts of a quantile, in the unit of the values: what lies above the forecast counts by its probability, what lies below by the rest. The least on average has who tells the true quantile; at 0.5 it is half the mean absolute error. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was not to be exceeded with this probability. probability: between 0 and 1, such as 0.9.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed; 22023 for another probability.
Example: SELECT spm.pinball(actual, forecast, 0.9) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 6: (0.9 x 10 + 0.1 x 30) / 2.';

-- ------------------------------------------------------------------ as a share

CREATE OR REPLACE FUNCTION spm._wape_add(internal, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_wape_add';
REVOKE ALL ON FUNCTION spm._wape_add(internal, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._wape_add(internal, double precision, double precision) IS 'State function of spm.wape.';

CREATE OR REPLACE AGGREGATE spm.wape(actual double precision, forecast double precision) (
    SFUNC = spm._wape_add, STYPE = internal, SSPACE = 288,
    FINALFUNC = spm._score_ratio, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.wape(double precision, double precision) IS
'Weighted absolute percentage error: all errors over all that happened, as a share (0.1: off by 10 percent). Large deals weigh as much as they are worth, and a month without sales does no harm. Rows with a NULL are left out; NULL where nothing happened at all. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed.
Example: SELECT spm.wape(actual, forecast) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 0.1333...: 40 of 300.';

CREATE OR REPLACE FUNCTION spm._bias_add(internal, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_bias_add';
REVOKE ALL ON FUNCTION spm._bias_add(internal, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._bias_add(internal, double precision, double precision) IS 'State function of spm.bias.';

CREATE OR REPLACE AGGREGATE spm.bias(actual double precision, forecast double precision) (
    SFUNC = spm._bias_add, STYPE = internal, SSPACE = 288,
    FINALFUNC = spm._score_ratio, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.bias(double precision, double precision) IS
'By how much forecasts were too high on the whole, as a share of what happened (0.1: 10 percent too high; -0.1: too low): errors of opposite sign make up for each other. Rows with a NULL are left out; NULL where nothing happened at all. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed.
Example: SELECT spm.bias(actual, forecast) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 0.0666...: 20 of 300 too much.';

CREATE OR REPLACE FUNCTION spm._mape_add(internal, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_mape_add';
REVOKE ALL ON FUNCTION spm._mape_add(internal, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._mape_add(internal, double precision, double precision) IS 'State function of spm.mape.';

CREATE OR REPLACE AGGREGATE spm.mape(actual double precision, forecast double precision) (
    SFUNC = spm._mape_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.mape(double precision, double precision) IS
'Mean absolute percentage error, as a share (0.1: 10 percent): the mean of each error over what happened. Rows where nothing happened (actual is 0) have none and are left out like rows with a NULL, and small values weigh as much as large ones: prefer spm.wape. NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed.
Example: SELECT spm.mape(actual, forecast) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 0.125: the mean of 0.1 and 0.15.';

CREATE OR REPLACE FUNCTION spm._smape_add(internal, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_smape_add';
REVOKE ALL ON FUNCTION spm._smape_add(internal, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._smape_add(internal, double precision, double precision) IS 'State function of spm.smape.';

CREATE OR REPLACE AGGREGATE spm.smape(actual double precision, forecast double precision) (
    SFUNC = spm._smape_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.smape(double precision, double precision) IS
'Symmetric mean absolute percentage error as in the M4 competition (Makridakis 1993): the mean of 200 x |actual - forecast| / (|actual| + |forecast|), from 0 to 200; 0 where both are 0. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it.
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed.
Example: SELECT spm.smape(actual, forecast) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 12.239...: the mean of 2000 / 190 and 6000 / 430.';

-- ------------------------------------------ in multiples of the naive forecast

CREATE OR REPLACE FUNCTION spm._mase_add(internal, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_mase_add';
REVOKE ALL ON FUNCTION spm._mase_add(internal, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._mase_add(internal, double precision, double precision, double precision) IS 'State function of spm.mase.';

CREATE OR REPLACE AGGREGATE spm.mase(actual double precision, forecast double precision, scale double precision) (
    SFUNC = spm._mase_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.mase(double precision, double precision, double precision) IS
'Mean absolute scaled error (Hyndman and Koehler 2006): the mean of |actual - forecast| / scale. Below 1, forecasts are better than the naive one was one step ahead in the past; rows of many series can be taken together. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it. scale: of the series that the row belongs to, from spm.mase_scale().
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed; 22023 for a scale that is not greater than 0.
Example: SELECT spm.mase(actual, forecast, 40) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 0.5.';

CREATE OR REPLACE FUNCTION spm._rmsse_add(internal, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rmsse_add';
REVOKE ALL ON FUNCTION spm._rmsse_add(internal, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._rmsse_add(internal, double precision, double precision, double precision) IS 'State function of spm.rmsse.';

CREATE OR REPLACE AGGREGATE spm.rmsse(actual double precision, forecast double precision, scale double precision) (
    SFUNC = spm._rmsse_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_root, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.rmsse(double precision, double precision, double precision) IS
'Root mean squared scaled error (Hyndman and Koehler 2006; M5): the root of the mean of ((actual - forecast) / scale) squared. Unlike spm.mase it asks for the mean, not the median, so it is the one for demand that is zero most of the time. Over many series take the mean of the figure of each. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it. scale: of the series, from spm.rmsse_scale().
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed; 22023 for a scale that is not greater than 0.
Example: SELECT spm.rmsse(actual, forecast, 10) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 2.236..., the root of 5.';

CREATE OR REPLACE FUNCTION spm._owa_add(internal, double precision, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_owa_add';
REVOKE ALL ON FUNCTION spm._owa_add(internal, double precision, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._owa_add(internal, double precision, double precision, double precision, double precision) IS 'State function of spm.owa.';

CREATE OR REPLACE AGGREGATE spm.owa(actual double precision, forecast double precision, naive double precision, scale double precision) (
    SFUNC = spm._owa_add, STYPE = internal, SSPACE = 560,
    FINALFUNC = spm._owa_final, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.owa(double precision, double precision, double precision, double precision) IS
'Overall weighted average as in the M4 competition (Makridakis, Spiliotis and Assimakopoulos 2020): the mean of sMAPE and MASE, each over that of the naive forecast. 1 is as good as naive, 0.9 is 10 percent better. Rows with a NULL are left out; NULL for no rows, or where the naive forecast was never off. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. forecast: what was expected of it. naive: what the method to beat expected, in M4 that of method naive2. scale: of the series that the row belongs to, from spm.mase_scale().
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed; 22023 for a scale that is not greater than 0.
Example: SELECT spm.owa(actual, forecast, 2 * forecast - actual, 10) FROM (VALUES (100, 90), (200, 230)) t(actual, forecast) gives 0.5033...: errors are half as large, sMAPE nearly so.';

-- ---------------------------------------------------- limits and probabilities

CREATE OR REPLACE FUNCTION spm._coverage_add(internal, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_coverage_add';
REVOKE ALL ON FUNCTION spm._coverage_add(internal, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._coverage_add(internal, double precision, double precision, double precision) IS 'State function of spm.coverage.';

CREATE OR REPLACE AGGREGATE spm.coverage(actual double precision, lower double precision, upper double precision) (
    SFUNC = spm._coverage_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.coverage(double precision, double precision, double precision) IS
'Share of rows in which what happened lies within the limits: 0.95 is what limits of 95 percent promise. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. lower, upper: limits of the forecast; -infinity and infinity are none.
Errors: 22023 for a lower limit above the upper, NaN, or an actual value that is infinite.
Example: SELECT spm.coverage(actual, lower, upper) FROM (VALUES (100, 80, 110), (200, 210, 250)) t(actual, lower, upper) gives 0.5.';

CREATE OR REPLACE FUNCTION spm._msis_add(internal, double precision, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_msis_add';
REVOKE ALL ON FUNCTION spm._msis_add(internal, double precision, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._msis_add(internal, double precision, double precision, double precision, double precision) IS 'State function of spm.msis.';

CREATE OR REPLACE AGGREGATE spm.msis(actual double precision, lower double precision, upper double precision, scale double precision) (
    SFUNC = spm._msis_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.msis(double precision, double precision, double precision, double precision) IS
'Mean scaled interval score of limits of 95 percent (Gneiting and Raftery 2007; M4): the width of the interval, and 40 times what lies outside of it, over scale. Less is better: narrow limits are worth something only if they hold. Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
actual: what happened. lower, upper: limits of the forecast. scale: of the series that the row belongs to, from spm.mase_scale().
Errors: 22023 for a number that is infinite or NaN; 22003 for numbers too large to be summed; 22023 for a scale that is not greater than 0, or a lower limit above the upper.
Example: SELECT spm.msis(actual, lower, upper, 10) FROM (VALUES (100, 80, 110), (200, 210, 250)) t(actual, lower, upper) gives 23.5: (30 + 40 + 40 x 10) / 2 / 10.';

CREATE OR REPLACE FUNCTION spm._msis_add(internal, double precision, double precision, double precision, double precision, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_msis_add';
REVOKE ALL ON FUNCTION spm._msis_add(internal, double precision, double precision, double precision, double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._msis_add(internal, double precision, double precision, double precision, double precision, double precision) IS 'State function of spm.msis.';

CREATE OR REPLACE AGGREGATE spm.msis(actual double precision, lower double precision, upper double precision, scale double precision, level double precision) (
    SFUNC = spm._msis_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.msis(double precision, double precision, double precision, double precision, double precision) IS
'The same for limits of another level: what lies outside counts 2 / (1 - level) times.
level: share of outcomes that the limits are to hold, between 0 and 1, such as 0.8.
Errors: 22023 for another level, and those without a level.
Example: SELECT spm.msis(actual, lower, upper, 10, 0.8) FROM (VALUES (100, 80, 110), (200, 210, 250)) t(actual, lower, upper) gives 8.5: (30 + 40 + 10 x 10) / 2 / 10.';

CREATE OR REPLACE FUNCTION spm._brier_add(internal, boolean, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_brier_add';
REVOKE ALL ON FUNCTION spm._brier_add(internal, boolean, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._brier_add(internal, boolean, double precision) IS 'State function of spm.brier.';

CREATE OR REPLACE AGGREGATE spm.brier(outcome boolean, probability double precision) (
    SFUNC = spm._brier_add, STYPE = internal, SSPACE = 152,
    FINALFUNC = spm._score_mean, COMBINEFUNC = spm._score_combine,
    SERIALFUNC = spm._score_serialize, DESERIALFUNC = spm._score_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.brier(boolean, double precision) IS
'Brier score (Brier 1950): the mean squared difference between a probability and what came of it, 1 or 0. 0 is perfect; always telling the share p that is won gives p x (1 - p). Rows with a NULL are left out; NULL for no rows. Neither the order of rows nor the number of workers changes a digit.
outcome: what happened. probability: what was told before, 0 to 1.
Errors: 22023 for another probability.
Example: SELECT spm.brier(won, probability) FROM (VALUES (true, 0.8), (false, 0.4)) t(won, probability) gives 0.1: (0.04 + 0.16) / 2.';

-- ---------------------------------------------------------------------- scales

CREATE OR REPLACE FUNCTION spm.mase_scale("values" double precision[], season int DEFAULT 1)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_mase_scale';
COMMENT ON FUNCTION spm.mase_scale(double precision[], int) IS
'What errors of a series are measured by in spm.mase: the mean of |value - value of the season before|, over the past that the forecast knew (Hyndman and Koehler 2006). NULL for a series that is not longer than a season, or never changes.
values: the past, oldest first. season: periods after which a season comes round (12: months of a year); 1: each value is compared with the one before.
Errors: 22023 for a season below 1 or a value that is infinite or NaN; 22004 for a NULL among the values; 2202E for an array of two dimensions.
Example: SELECT spm.mase_scale(''{100,110,100,130}'') gives 16.66...: 50 / 3.';

CREATE OR REPLACE FUNCTION spm.rmsse_scale("values" double precision[], season int DEFAULT 1)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rmsse_scale';
COMMENT ON FUNCTION spm.rmsse_scale(double precision[], int) IS
'What errors of a series are measured by in spm.rmsse: the root of the mean of (value - value of the season before) squared, over the past that the forecast knew (Hyndman and Koehler 2006). NULL for a series that is not longer than a season, or never changes.
values: the past, oldest first. season: periods after which a season comes round (12: months of a year); 1: each value is compared with the one before.
Errors: 22023 for a season below 1 or a value that is infinite or NaN; 22004 for a NULL among the values; 2202E for an array of two dimensions.
Example: SELECT spm.rmsse_scale(''{100,110,100,130}'') gives 19.14..., the root of 1100 / 3.';
