/*
 * compensation/types_book.sql: what the aggregates of the toolbox hand to its other functions.
 *
 * A value is a number under which the backend finds something in the memory of the query that
 * made it: it cannot be stored, typed or sent elsewhere.
 */

CREATE TYPE spm.book;
CREATE FUNCTION spm.book_in(cstring)
    RETURNS spm.book
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_live_type_in';
COMMENT ON FUNCTION spm.book_in(cstring) IS 'Text input of spm.book: always refused.';
CREATE FUNCTION spm.book_out(spm.book)
    RETURNS cstring
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_type_out';
COMMENT ON FUNCTION spm.book_out(spm.book) IS 'Text output of spm.book: says what it is.';
CREATE TYPE spm.book (
    INPUT = spm.book_in,
    OUTPUT = spm.book_out,
    INTERNALLENGTH = 8,
    PASSEDBYVALUE,
    ALIGNMENT = double
);
COMMENT ON TYPE spm.book IS 'What spm.book() collects: amounts by payee and period, and the deals that they are made of. It lives as long as the query that makes it.';

CREATE TYPE spm.rate_card;
CREATE FUNCTION spm.rate_card_in(cstring)
    RETURNS spm.rate_card
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_live_type_in';
COMMENT ON FUNCTION spm.rate_card_in(cstring) IS 'Text input of spm.rate_card: always refused.';
CREATE FUNCTION spm.rate_card_out(spm.rate_card)
    RETURNS cstring
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_type_out';
COMMENT ON FUNCTION spm.rate_card_out(spm.rate_card) IS 'Text output of spm.rate_card: says what it is.';
CREATE TYPE spm.rate_card (
    INPUT = spm.rate_card_in,
    OUTPUT = spm.rate_card_out,
    INTERNALLENGTH = 8,
    PASSEDBYVALUE,
    ALIGNMENT = double
);
COMMENT ON TYPE spm.rate_card IS 'What spm.rate_card() collects: who earns by which schedule in which period. It lives as long as the query that makes it.';

CREATE TYPE spm.splits;
CREATE FUNCTION spm.splits_in(cstring)
    RETURNS spm.splits
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_live_type_in';
COMMENT ON FUNCTION spm.splits_in(cstring) IS 'Text input of spm.splits: always refused.';
CREATE FUNCTION spm.splits_out(spm.splits)
    RETURNS cstring
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_type_out';
COMMENT ON FUNCTION spm.splits_out(spm.splits) IS 'Text output of spm.splits: says what it is.';
CREATE TYPE spm.splits (
    INPUT = spm.splits_in,
    OUTPUT = spm.splits_out,
    INTERNALLENGTH = 8,
    PASSEDBYVALUE,
    ALIGNMENT = double
);
COMMENT ON TYPE spm.splits IS 'What spm.splits() collects: who gets which share of a deal. It lives as long as the query that makes it.';

CREATE TYPE spm.payee_tree;
CREATE FUNCTION spm.payee_tree_in(cstring)
    RETURNS spm.payee_tree
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_live_type_in';
COMMENT ON FUNCTION spm.payee_tree_in(cstring) IS 'Text input of spm.payee_tree: always refused.';
CREATE FUNCTION spm.payee_tree_out(spm.payee_tree)
    RETURNS cstring
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_type_out';
COMMENT ON FUNCTION spm.payee_tree_out(spm.payee_tree) IS 'Text output of spm.payee_tree: says what it is.';
CREATE TYPE spm.payee_tree (
    INPUT = spm.payee_tree_in,
    OUTPUT = spm.payee_tree_out,
    INTERNALLENGTH = 8,
    PASSEDBYVALUE,
    ALIGNMENT = double
);
COMMENT ON TYPE spm.payee_tree IS 'What spm.payee_tree() collects: who reports to whom. It lives as long as the query that makes it.';
