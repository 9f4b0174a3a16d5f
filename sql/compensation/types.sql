/*
 * compensation/types.sql: the rate schedule, and what a deal has earned.
 */

CREATE TYPE spm.rate_schedule;

CREATE FUNCTION spm.rate_schedule_in(cstring)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_in';
COMMENT ON FUNCTION spm.rate_schedule_in(cstring) IS 'Text input of spm.rate_schedule.';

CREATE FUNCTION spm.rate_schedule_out(spm.rate_schedule)
    RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_out';
COMMENT ON FUNCTION spm.rate_schedule_out(spm.rate_schedule) IS 'Text output of spm.rate_schedule.';

CREATE FUNCTION spm.rate_schedule_recv(internal)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_recv';
COMMENT ON FUNCTION spm.rate_schedule_recv(internal) IS 'Binary input of spm.rate_schedule.';

CREATE FUNCTION spm.rate_schedule_send(spm.rate_schedule)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_send';
COMMENT ON FUNCTION spm.rate_schedule_send(spm.rate_schedule) IS 'Binary output of spm.rate_schedule: a version byte and the text.';

CREATE TYPE spm.rate_schedule (
    INPUT = spm.rate_schedule_in,
    OUTPUT = spm.rate_schedule_out,
    RECEIVE = spm.rate_schedule_recv,
    SEND = spm.rate_schedule_send,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE spm.rate_schedule IS $$What a running total earns, as one value: tiers of amounts ('0: 5%, 100000: 8%, 150000: 12%') or of shares of a quota ('0%: 8%, 80%: 10%, 100%: 14%'), and options after them. Equal schedules are written alike.
Options, each with its default first: method marginal | whole | interpolated | weighted | bonus | excess | curve; edge upper | lower | closed; base RATE below the first tier; per DIVISOR of what is earned; cap AMOUNT; floor AMOUNT; outside refuse | zero; zero quota top | nothing | refuse.$$;

-- Equality lets schedules be grouped, joined and compared; the order means nothing.

CREATE FUNCTION spm.rate_schedule_compare(spm.rate_schedule, spm.rate_schedule)
    RETURNS int
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_compare';
COMMENT ON FUNCTION spm.rate_schedule_compare(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_eq(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_eq';
COMMENT ON FUNCTION spm.rate_schedule_eq(spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules are the same.';

CREATE FUNCTION spm.rate_schedule_ne(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_ne';
COMMENT ON FUNCTION spm.rate_schedule_ne(spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules differ.';

CREATE FUNCTION spm.rate_schedule_lt(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_lt';
COMMENT ON FUNCTION spm.rate_schedule_lt(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_le(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_le';
COMMENT ON FUNCTION spm.rate_schedule_le(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_gt(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_gt';
COMMENT ON FUNCTION spm.rate_schedule_gt(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_ge(spm.rate_schedule, spm.rate_schedule)
    RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_ge';
COMMENT ON FUNCTION spm.rate_schedule_ge(spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE FUNCTION spm.rate_schedule_hash(spm.rate_schedule)
    RETURNS int
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule_hash';
COMMENT ON FUNCTION spm.rate_schedule_hash(spm.rate_schedule) IS 'Hash of a rate schedule, for joins and grouping.';

CREATE OPERATOR spm.= (
    FUNCTION = spm.rate_schedule_eq, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.=), NEGATOR = OPERATOR(spm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR spm.= (spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules are the same.';

CREATE OPERATOR spm.<> (
    FUNCTION = spm.rate_schedule_ne, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.<>), NEGATOR = OPERATOR(spm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR spm.<> (spm.rate_schedule, spm.rate_schedule) IS 'Whether two rate schedules differ.';

CREATE OPERATOR spm.< (
    FUNCTION = spm.rate_schedule_lt, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.>), NEGATOR = OPERATOR(spm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR spm.< (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR spm.<= (
    FUNCTION = spm.rate_schedule_le, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.>=), NEGATOR = OPERATOR(spm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR spm.<= (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR spm.> (
    FUNCTION = spm.rate_schedule_gt, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.<), NEGATOR = OPERATOR(spm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR spm.> (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR spm.>= (
    FUNCTION = spm.rate_schedule_ge, LEFTARG = spm.rate_schedule, RIGHTARG = spm.rate_schedule,
    COMMUTATOR = OPERATOR(spm.<=), NEGATOR = OPERATOR(spm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR spm.>= (spm.rate_schedule, spm.rate_schedule) IS 'Order of two rate schedules, for indexes and grouping.';

CREATE OPERATOR CLASS spm.rate_schedule_order DEFAULT FOR TYPE spm.rate_schedule USING btree AS
    OPERATOR 1 spm.<, OPERATOR 2 spm.<=, OPERATOR 3 spm.=, OPERATOR 4 spm.>=, OPERATOR 5 spm.>,
    FUNCTION 1 spm.rate_schedule_compare(spm.rate_schedule, spm.rate_schedule);
COMMENT ON OPERATOR CLASS spm.rate_schedule_order USING btree IS 'Sorting and grouping of rate schedules.';

CREATE OPERATOR CLASS spm.rate_schedule_hashing DEFAULT FOR TYPE spm.rate_schedule USING hash AS
    OPERATOR 1 spm.=,
    FUNCTION 1 spm.rate_schedule_hash(spm.rate_schedule);
COMMENT ON OPERATOR CLASS spm.rate_schedule_hashing USING hash IS 'Hash joins and grouping of rate schedules.';

CREATE TYPE spm.deal_commission AS (
    deal_key text,
    deal_date date,
    amount numeric,
    running_total numeric,
    commission numeric
);
COMMENT ON TYPE spm.deal_commission IS 'What one deal earned, in the order of its period.';
COMMENT ON COLUMN spm.deal_commission.deal_key IS 'Key of the deal.';
COMMENT ON COLUMN spm.deal_commission.deal_date IS 'Day of the deal.';
COMMENT ON COLUMN spm.deal_commission.amount IS 'Amount of the deal.';
COMMENT ON COLUMN spm.deal_commission.running_total IS 'Total of the period up to and with this deal.';
COMMENT ON COLUMN spm.deal_commission.commission IS 'What the deal earned: the commission of the running total less that of the total before it.';
