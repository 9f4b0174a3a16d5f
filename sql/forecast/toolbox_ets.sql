/*
 * forecast/toolbox_ets.sql: exponential smoothing as a model to look at.
 */

CREATE OR REPLACE FUNCTION spm.ets("values" double precision[], season int DEFAULT 1, horizon int DEFAULT 12,
                                   model text DEFAULT 'auto', level double precision DEFAULT 0.95,
                                   OUT form text, OUT alpha double precision, OUT beta double precision,
                                   OUT gamma double precision, OUT phi double precision,
                                   OUT loglik double precision, OUT aicc double precision, OUT sigma2 double precision,
                                   OUT is_stable boolean,
                                   OUT first_level double precision, OUT first_growth double precision, OUT first_season double precision[],
                                   OUT last_level double precision, OUT last_growth double precision, OUT last_season double precision[],
                                   OUT fitted double precision[],
                                   OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_ets';
COMMENT ON FUNCTION spm.ets(double precision[], int, int, text, double precision) IS
$$A series by exponential smoothing (Hyndman, Koehler, Ord and Snyder 2008): the model that makes it most likely, and what that says of the periods to come. Model 'auto' is the one of 15 forms that has the least AICc: those with errors or seasons in proportion only where all values are above 0. One row: form; alpha, beta, gamma, phi (how much of an error goes to level, growth, season; how much of growth stays each period; NULL: not in the form); loglik (up to a constant, as usual for these models), aicc, sigma2 (variance of one error, in proportion where the form's errors are); is_stable (old values lose their weight); first_ and last_ level, growth, season (before the first and after the last value; the season that is due comes first); fitted (forecast of each value from those before it); mean, lower, upper of each period to come, by the formulae of the model. Those limits are of the model as if it were true, and are mostly too narrow: spm.forecast() gives limits that hold.
Arguments: values (oldest first, one for each period), season (periods in a season, 12 for months; at most 24), horizon (periods to come), model (error A or M, trend N, A or Ad, season N, A or M: 'MAdM' or 'ETS(M,Ad,M)'; 'auto': choose), level (share of values that the limits are to hold).
Errors: 22023 an unknown model, too few values for it, values not above 0 where errors or seasons are in proportion, a number that is not finite; 22004 a null among the values; 22003 no model holds.
Example: SELECT form, mean FROM spm.ets('{10,12,14,16,18,20,22,24}', horizon => 2) gives ETS(A,A,N) and {26,28}.$$;

CREATE OR REPLACE FUNCTION spm.ets_fixed("values" double precision[], season int, horizon int, model text,
                                         parameters double precision[], states double precision[],
                                         level double precision DEFAULT 0.95,
                                         OUT form text, OUT alpha double precision, OUT beta double precision,
                                         OUT gamma double precision, OUT phi double precision,
                                         OUT loglik double precision, OUT aicc double precision, OUT sigma2 double precision,
                                         OUT is_stable boolean,
                                         OUT first_level double precision, OUT first_growth double precision, OUT first_season double precision[],
                                         OUT last_level double precision, OUT last_growth double precision, OUT last_season double precision[],
                                         OUT fitted double precision[],
                                         OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'spm_ets_fixed';
COMMENT ON FUNCTION spm.ets_fixed(double precision[], int, int, text, double precision[], double precision[], double precision) IS
$$The same row as spm.ets() for a model whose parameters and first states are given: to check a forecast made elsewhere, or to go on with a model that was once found.
Arguments: parameters (alpha, beta, gamma, phi, in this order, of them those that the model has), states (level, growth, then the season, the one that is due first; of them those that the model has: amounts of a season that adds, factors of one that multiplies), the others as of spm.ets().
Errors: 22023 too few or too many parameters or states, and as of spm.ets(); 22003 the model comes to forecasts of 0 or beyond all bounds.
Example: SELECT mean FROM spm.ets_fixed('{10,14}', 1, 2, 'ANN', '{0.5}', '{10}') gives {12,12}.$$;
