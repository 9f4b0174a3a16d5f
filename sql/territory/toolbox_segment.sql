/*
 * territory/toolbox_segment.sql: scores, bands and odds, for anybody's tables.
 */

CREATE OR REPLACE FUNCTION spm._numbers_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_numbers_combine';
REVOKE ALL ON FUNCTION spm._numbers_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._numbers_combine(internal, internal) IS 'Puts together what two workers have gathered.';

CREATE OR REPLACE FUNCTION spm._numbers_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_numbers_serialize';
REVOKE ALL ON FUNCTION spm._numbers_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._numbers_serialize(internal) IS 'Packs what a worker has gathered.';

CREATE OR REPLACE FUNCTION spm._numbers_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_numbers_deserialize';
REVOKE ALL ON FUNCTION spm._numbers_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._numbers_deserialize(bytea, internal) IS 'Unpacks what a worker has gathered.';

-- ---------------------------------------------------------------- inequality

CREATE OR REPLACE FUNCTION spm._gini_add(internal, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_gini_add';
REVOKE ALL ON FUNCTION spm._gini_add(internal, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._gini_add(internal, double precision) IS 'State function of spm.gini.';

CREATE OR REPLACE FUNCTION spm._gini_final(internal)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_gini_final';
REVOKE ALL ON FUNCTION spm._gini_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._gini_final(internal) IS 'Final function of spm.gini.';

CREATE OR REPLACE AGGREGATE spm.gini(value double precision) (
    SFUNC = spm._gini_add, STYPE = internal, SSPACE = 4096,
    FINALFUNC = spm._gini_final, COMBINEFUNC = spm._numbers_combine,
    SERIALFUNC = spm._numbers_serialize, DESERIALFUNC = spm._numbers_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.gini(double precision) IS
'How unequally a sum is spread (Gini 1912), from 0, all have the same, to nearly 1, one has it all: the mean difference between two over twice the mean. NULLs are left out; NULL for no rows; 0 where all are 0. The order of rows changes no digit.
value: zero or more.
Errors: 22023 for a value that is negative, infinite or NaN.
Example: SELECT spm.gini(v) FROM (VALUES (1), (1), (2)) t(v) gives 0.1666..., and of {0,0,0,8} it is 0.75.';

-- ------------------------------------------------------- how well a score tells

CREATE OR REPLACE FUNCTION spm._auc_add(internal, boolean, double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_auc_add';
REVOKE ALL ON FUNCTION spm._auc_add(internal, boolean, double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._auc_add(internal, boolean, double precision) IS 'State function of spm.auc.';

CREATE OR REPLACE FUNCTION spm._auc_final(internal)
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_auc_final';
REVOKE ALL ON FUNCTION spm._auc_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._auc_final(internal) IS 'Final function of spm.auc.';

CREATE OR REPLACE AGGREGATE spm.auc(outcome boolean, score double precision) (
    SFUNC = spm._auc_add, STYPE = internal, SSPACE = 4096,
    FINALFUNC = spm._auc_final, COMBINEFUNC = spm._numbers_combine,
    SERIALFUNC = spm._numbers_serialize, DESERIALFUNC = spm._numbers_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.auc(boolean, double precision) IS
'How well a score tells yes from no: the chance that somebody with outcome true scores higher than somebody with false, where a tie is half a chance (Mann and Whitney 1947; the area under the ROC curve). 0.5 is no better than chance, 1 is perfect. Rows with a NULL are left out; NULL without rows of both kinds.
outcome: what happened. score: what was thought of it, in any unit.
Errors: 22023 for a score that is infinite or NaN.
Example: SELECT spm.auc(won, score) FROM (VALUES (true, 3), (true, 1), (false, 2), (false, 0)) t(won, score) gives 0.75.';

-- ------------------------------------------------------------------------ bands

CREATE OR REPLACE FUNCTION spm._natural_breaks_add(internal, double precision, int)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_natural_breaks_add';
REVOKE ALL ON FUNCTION spm._natural_breaks_add(internal, double precision, int) FROM PUBLIC;
COMMENT ON FUNCTION spm._natural_breaks_add(internal, double precision, int) IS 'State function of spm.natural_breaks.';

CREATE OR REPLACE FUNCTION spm._natural_breaks_final(internal)
    RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_natural_breaks_final';
REVOKE ALL ON FUNCTION spm._natural_breaks_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._natural_breaks_final(internal) IS 'Final function of spm.natural_breaks.';

CREATE OR REPLACE AGGREGATE spm.natural_breaks(value double precision, classes int) (
    SFUNC = spm._natural_breaks_add, STYPE = internal, SSPACE = 4096,
    FINALFUNC = spm._natural_breaks_final, COMBINEFUNC = spm._numbers_combine,
    SERIALFUNC = spm._numbers_serialize, DESERIALFUNC = spm._numbers_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.natural_breaks(double precision, int) IS
'Cuts between classes that differ as little as possible within themselves: the lowest value of each class but the first, ascending, so that width_bucket(value, cuts) is 0 for the lowest class. The sum of squares within classes is the least there is (Fisher 1958, Jenks 1977), not an approximation. NULLs are left out; NULL for no rows; fewer cuts where there are fewer different values than classes.
value: any number. classes: 1 to 100, the same for all rows.
Errors: 22023 for another number of classes, or a value that is infinite or NaN; 54000 for more than 100 million different values.
Example: SELECT spm.natural_breaks(v, 3) FROM (VALUES (1), (2), (10), (11), (30)) t(v) gives {10,30}.';

-- ------------------------------------------------------------------------- odds

CREATE OR REPLACE FUNCTION spm._logistic_add(internal, boolean, double precision[])
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_logistic_add';
REVOKE ALL ON FUNCTION spm._logistic_add(internal, boolean, double precision[]) FROM PUBLIC;
COMMENT ON FUNCTION spm._logistic_add(internal, boolean, double precision[]) IS 'State function of spm.logistic_regression.';

CREATE OR REPLACE FUNCTION spm._logistic_add(internal, boolean, double precision[], double precision)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_logistic_add';
REVOKE ALL ON FUNCTION spm._logistic_add(internal, boolean, double precision[], double precision) FROM PUBLIC;
COMMENT ON FUNCTION spm._logistic_add(internal, boolean, double precision[], double precision) IS 'State function of spm.logistic_regression with a penalty.';

CREATE OR REPLACE FUNCTION spm._logistic_final(internal)
    RETURNS spm.logistic_fit
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_logistic_final';
REVOKE ALL ON FUNCTION spm._logistic_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._logistic_final(internal) IS 'Final function of spm.logistic_regression.';

CREATE OR REPLACE AGGREGATE spm.logistic_regression(outcome boolean, factors double precision[]) (
    SFUNC = spm._logistic_add, STYPE = internal, SSPACE = 8192,
    FINALFUNC = spm._logistic_final, COMBINEFUNC = spm._numbers_combine,
    SERIALFUNC = spm._numbers_serialize, DESERIALFUNC = spm._numbers_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.logistic_regression(boolean, double precision[]) IS
'How the odds of an outcome follow from factors: the likeliest coefficients, by iteratively reweighted least squares (McCullagh and Nelder 1989), in a row of type spm.logistic_fit. Rows with a NULL in them are left out; NULL for no rows. The order of rows changes no digit.
outcome: what happened. factors: numbers known before, 1 to 200, the same number in all rows; a constant is always added.
Errors: 22023 when all outcomes are the same, a factor is the same in all rows or follows from those before it, or factors tell some outcomes for certain; for numbers that are infinite or NaN.
Example: SELECT (f).coefficients FROM (SELECT spm.logistic_regression(won, ARRAY[visits]) FROM (VALUES (true, 1), (false, 0), (true, 1), (false, 1), (true, 0), (false, 0)) t(won, visits)) AS r(f) gives {-0.693...,1.386...}: odds of 1 : 2, times 4 with a visit.';

CREATE OR REPLACE AGGREGATE spm.logistic_regression(outcome boolean, factors double precision[], ridge double precision) (
    SFUNC = spm._logistic_add, STYPE = internal, SSPACE = 8192,
    FINALFUNC = spm._logistic_final, COMBINEFUNC = spm._numbers_combine,
    SERIALFUNC = spm._numbers_serialize, DESERIALFUNC = spm._numbers_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.logistic_regression(boolean, double precision[], double precision) IS
'The same with a penalty on large coefficients (le Cessie and van Houwelingen 1992), so that few rows, or factors that tell an outcome for certain, give no wild ones: ridge / 2 times the sum of squares of the coefficients, for factors brought to mean 0 and standard deviation 1, is taken off the log-likelihood. The constant is free.
ridge: zero or more, the same for all rows; 0 is none.
Errors: 22023 for a ridge that is negative or missing, and those without a ridge.
Example: SELECT spm.logistic_regression(won, ARRAY[employees, visits], 1) FROM deal;';

CREATE OR REPLACE FUNCTION spm.logistic_predict(coefficients double precision[], factors double precision[])
    RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_logistic_predict';
COMMENT ON FUNCTION spm.logistic_predict(double precision[], double precision[]) IS
'Probability of the outcome, 0 to 1: 1 / (1 + exp(-(c0 + c1 x1 + ...))). NULL when a factor is.
coefficients: those of spm.logistic_regression(), the constant first. factors: as there, in the same order.
Errors: 22023 when there is not one coefficient more than factors.
Example: SELECT spm.logistic_predict(''{0,1}'', ''{0}'') gives 0.5.';
