/*
 * territory/types_segment.sql: what a regression finds.
 */

CREATE TYPE spm.logistic_fit AS (
    coefficients double precision[],
    standard_errors double precision[],
    row_count bigint,
    log_likelihood double precision,
    null_log_likelihood double precision,
    iterations int
);
COMMENT ON TYPE spm.logistic_fit IS 'What spm.logistic_regression() finds. coefficients: the constant, then one for each factor, in log odds; standard_errors: of each; row_count: rows that were used; log_likelihood: of the outcomes, without the penalty; null_log_likelihood: with the constant alone; iterations: steps taken.';
