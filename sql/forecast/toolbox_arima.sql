/*
 * forecast/toolbox_arima.sql: ARIMA models, and how often a series is to be differenced.
 */

CREATE OR REPLACE FUNCTION spm.arima("values" double precision[], season int DEFAULT 1, horizon int DEFAULT 1, level double precision DEFAULT 0.95,
    OUT model text, OUT coefficient_names text[], OUT estimates double precision[],
    OUT sigma2 double precision, OUT log_likelihood double precision, OUT aicc double precision,
    OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    RETURNS record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_arima';
COMMENT ON FUNCTION spm.arima(double precision[], int, int, double precision) IS
$$An ARIMA model of a series of values, oldest first, its order found by itself: differences by tests, autoregressive and moving average terms and the constant by AICc. Gives the model's name, its coefficients and their names as in R (ar, ma, sar, sma, then mean, or drift for each period), the variance of its shocks (for the degrees of freedom that are left), log likelihood and AICc (of the differences, exact; AICc is NULL with as many coefficients as values), and mean and limits of each period to come. The limits are the model's own; those of spm.forecast(..., method => 'arima') are widened by what the series has shown.
Arguments: values, season (after how many values a pattern repeats; 1: none), horizon (periods to come), level (share of outcomes that the limits are to hold).
Errors: 22004 a value is null; 22023 fewer than three values, one that is not finite or neither 0 nor from 1e-30 to 1e+30, a season or horizon below 1, a level that is not between 0 and 1; 54000 more than 1,000,000 values.
Example: SELECT model, mean FROM spm.arima('{10,12,14,16,18,20,22,24}', horizon => 2) gives ARIMA(0,1,0) with drift and {26,28}.
Source: Hyndman and Khandakar (2008).$$;

CREATE OR REPLACE FUNCTION spm.arima_fit("values" double precision[], orders int[], season int DEFAULT 1, horizon int DEFAULT 1,
    constant boolean DEFAULT false, level double precision DEFAULT 0.95,
    OUT model text, OUT coefficient_names text[], OUT estimates double precision[],
    OUT sigma2 double precision, OUT log_likelihood double precision, OUT aicc double precision,
    OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    RETURNS record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_arima_fit';
COMMENT ON FUNCTION spm.arima_fit(double precision[], int[], int, int, boolean, double precision) IS
$$The most likely ARIMA model of given order, by exact likelihood. Gives what spm.arima() gives.
Arguments: values, orders ({p,d,q}, or {p,d,q,P,D,Q} with those of the season), season, horizon, constant (with a mean, or a drift if there is one difference), level.
Errors: those of spm.arima(), and 22023 for orders that are not three or six numbers from 0 to 10 (of the season 0 to 3, differences 0 to 2), a constant with two differences, a series too short for the orders; 54000 a model that looks back more than 1,000 values.
Example: SELECT model, estimates FROM spm.arima_fit('{5,7,6,8,9,8,10,11,10,12,13,12}', '{1,0,0}', constant => true).
Sources: Box and Jenkins (1970); for the likelihood Ljung and Box (1979), for the parameters Jones (1980).$$;

CREATE OR REPLACE FUNCTION spm.arima_at("values" double precision[], orders int[], coefficients double precision[], season int DEFAULT 1,
    horizon int DEFAULT 1, constant boolean DEFAULT false, level double precision DEFAULT 0.95, start text DEFAULT 'differenced',
    OUT model text, OUT coefficient_names text[], OUT estimates double precision[],
    OUT sigma2 double precision, OUT log_likelihood double precision, OUT aicc double precision,
    OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    RETURNS record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'spm_arima_at';
COMMENT ON FUNCTION spm.arima_at(double precision[], int[], double precision[], int, int, boolean, double precision, text) IS
$$An ARIMA model of given order and coefficients: how likely it is, and what it forecasts. Gives what spm.arima() gives; a model made once can so be kept, and read on with new values.
Arguments: values, orders (as for spm.arima_fit()), coefficients (in the order in which spm.arima_fit() gives them), season, horizon, constant (the last coefficient is one), level, start (how the first values are taken where there are differences: differenced, as given; diffuse, as R's arima() takes them: what was before the first is drawn with a variance of a million shocks, and innovations with a variance of 10,000 shocks or more are left out of the likelihood).
Errors: those of spm.arima_fit(), and 22023 for a wrong number of coefficients, a model that is not stationary or not invertible, or no such start; 54000 more than 2,000 states with a diffuse start, which takes time and memory by their square: max(p + P m, q + Q m + 1) + d + D m.
Example: SELECT log_likelihood, mean FROM spm.arima_at('{5,7,6,8,9,8,10,11,10,12,13,12}', '{0,1,1}', '{-0.4}', horizon => 2).
Source: for the diffuse start Harvey (1989), with the stationary part as McLeod (1975) has it.$$;

CREATE OR REPLACE FUNCTION spm.differences("values" double precision[])
    RETURNS int
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'spm_differences';
COMMENT ON FUNCTION spm.differences(double precision[]) IS
$$How often a series, oldest value first, is to be differenced until it has a level: 0, 1 or 2, by the KPSS test at 5 %.
Argument: values.
Errors: 22004 a value is null; 22023 no values, or one that is not a number to reckon with.
Example: SELECT spm.differences('{1,3,4,6,7,9,10,12,13,15,16,18}') is 1.
Source: Kwiatkowski, Phillips, Schmidt and Shin (1992).$$;

CREATE OR REPLACE FUNCTION spm.seasonal_differences("values" double precision[], season int)
    RETURNS int
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'spm_seasonal_differences';
COMMENT ON FUNCTION spm.seasonal_differences(double precision[], int) IS
$$Whether a series, oldest value first, is to be differenced by its season: 1 if the season is strong (above 0.64 of what is left without the trend), else 0; 0, too, with no more than two seasons of values.
Arguments: values, season (after how many values a pattern repeats).
Errors: 22004 a value is null; 22023 no values, one that is not a number to reckon with, or a season below 1.
Example: SELECT spm.seasonal_differences('{1,5,2,4,2,6,3,5,3,7,4,6,4,8,5,7}', 4) is 1.
Source: Wang, Smith and Hyndman (2006).$$;
