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
