/*
 * forecast/toolbox_ets.sql: exponential smoothing as a model to look at.
 */

CREATE OR REPLACE FUNCTION spm.ets("values" double precision[], season int DEFAULT 1, horizon int DEFAULT 12,
                                   model text DEFAULT NULL, level double precision DEFAULT 0.95,
                                   OUT form text, OUT alpha double precision, OUT beta double precision,
                                   OUT gamma double precision, OUT phi double precision,
                                   OUT loglik double precision, OUT aicc double precision, OUT sigma2 double precision,
                                   OUT is_stable boolean,
                                   OUT first_level double precision, OUT first_growth double precision, OUT first_season double precision[],
                                   OUT last_level double precision, OUT last_growth double precision, OUT last_season double precision[],
                                   OUT fitted double precision[],
                                   OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_ets';
COMMENT ON FUNCTION spm.ets(double precision[], int, int, text, double precision) IS
$$A series by exponential smoothing (Hyndman, Koehler, Ord and Snyder 2008): the model that makes it most likely, and what that says of the periods to come. Without a model the one of 15 forms that has the least AICc; forms with errors or seasons in proportion only where all values are above 0. One row: form; alpha, beta, gamma, phi (how much of an error goes to level, growth, season; how much of growth stays each period; NULL: not in the form); loglik (up to a constant, as usual for these models), aicc, sigma2 (variance of one error, in proportion where the form's errors are); is_stable (old values lose their weight); first_ and last_ level, growth, season (before the first and after the last value; the season that is due comes first); fitted (forecast of each value from those before it); mean, lower, upper of each period to come, by the formulae of the model. Those limits are of the model as if it were true, and are mostly too narrow: spm.forecast() gives limits that hold.
Arguments: values (oldest first, one for each period), season (periods in a season, 12 for months; at most 24), horizon (periods to come), model (error A or M, trend N, A or Ad, season N, A or M: 'MAdM' or 'ETS(M,Ad,M)'; NULL: choose), level (share of values that the limits are to hold). NULL in any other gives NULL.
Errors: 22023 an unknown model, too few values for it, values not above 0 where errors or seasons are in proportion, a number that is not finite; 22004 a null among the values; 22003 no model holds.
Example: SELECT form, mean FROM spm.ets('{10,12,14,16,18,20,22,24}', horizon => 2) gives ETS(A,A,N) and {26,28}.$$;

CREATE OR REPLACE FUNCTION spm.ets_fixed("values" double precision[], season int, horizon int, model text,
                                         alpha double precision, beta double precision, gamma double precision, phi double precision,
                                         first_level double precision, first_growth double precision, first_season double precision[],
                                         level double precision DEFAULT 0.95,
                                         OUT form text, OUT used_alpha double precision, OUT used_beta double precision,
                                         OUT used_gamma double precision, OUT used_phi double precision,
                                         OUT loglik double precision, OUT aicc double precision, OUT sigma2 double precision,
                                         OUT is_stable boolean,
                                         OUT used_level double precision, OUT used_growth double precision, OUT used_season double precision[],
                                         OUT last_level double precision, OUT last_growth double precision, OUT last_season double precision[],
                                         OUT fitted double precision[],
                                         OUT mean double precision[], OUT lower double precision[], OUT upper double precision[])
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'spm_ets_fixed';
COMMENT ON FUNCTION spm.ets_fixed(double precision[], int, int, text, double precision, double precision, double precision, double precision, double precision, double precision, double precision[], double precision) IS
$$The same row as spm.ets() for a model whose parameters and first states are given: to check a forecast made elsewhere, or to go on with a model that was once found. The columns that say what was given have names of their own (used_alpha ...).
Arguments: as of spm.ets(); alpha, beta, gamma, phi, first_level, first_growth, first_season (as there: of additive seasons amounts, of others factors; NULL: not in the model). NULL for values, season, horizon, model or level gives NULL.
Errors: 22004 a parameter is missing; 22023 one that the model does not have, seasons that are not one for each place; the others as of spm.ets().
Example: SELECT mean FROM spm.ets_fixed('{10,14}', 1, 2, 'ANN', 0.5, NULL, NULL, NULL, 10, NULL, NULL) gives {12,12}.$$;
