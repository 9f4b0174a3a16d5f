/*
 * core/toolbox.sql: expressions over a transaction.
 */

CREATE OR REPLACE FUNCTION spm.checked_expression(expression text, result_type regtype)
    RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET bytea_output = 'hex'
    SET datestyle = 'ISO, YMD'
    SET extra_float_digits = 1
    SET intervalstyle = 'iso_8601'
    SET quote_all_identifiers = off
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_checked_expression';
COMMENT ON FUNCTION spm.checked_expression(text, regtype) IS
'An expression over the columns of a transaction, checked and written out in full; it is never executed.
expression: one SQL value over the columns of spm.transaction_row, at most 10,000 bytes, as typed and as returned. result_type: boolean for a condition, numeric for a measure; whole numbers become numeric.
Only immutable functions and operators that are built in or spm''s may be used. The result is to be read with search_path pg_catalog and gives itself when checked again.
Errors: 42P17 for what is refused, 42703 for an unknown column, 42804 for another result type, 54000 for one too long, 22023 for a result type that no expression can have, and those of the parser.
Example: spm.checked_expression(''amount - cost'', ''numeric'') is (t.amount - t.cost).';

CREATE OR REPLACE FUNCTION spm.checked_expression(expression text, result_type regtype, relation regclass)
    RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET bytea_output = 'hex'
    SET datestyle = 'ISO, YMD'
    SET extra_float_digits = 1
    SET intervalstyle = 'iso_8601'
    SET quote_all_identifiers = off
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_checked_expression';
COMMENT ON FUNCTION spm.checked_expression(text, regtype, regclass) IS
'The same over the columns of a table or view, which the result calls t: the filter of a source. Columns of other types than an expression may use can only be tested with IS NULL.
relation: the table or view. Errors: as without a relation, and 42809 for a relation that has no rows, such as an index.
Example: spm.checked_expression(''total > 0'', ''boolean'', ''public.orders'') is (t.total > (0)::numeric).';

CREATE OR REPLACE FUNCTION spm.expression_columns(expression text)
    RETURNS text[]
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'iso_8601'
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_expression_columns';
COMMENT ON FUNCTION spm.expression_columns(text) IS
'Columns of spm.transaction_row that an expression uses, in the order of that type. The expression is checked as by spm.checked_expression, whose errors it shares; its type may be any.
Example: spm.expression_columns(''amount - cost'') is {amount,cost}.';
