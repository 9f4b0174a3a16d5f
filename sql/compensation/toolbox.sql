/*
 * compensation/toolbox.sql: functions for anybody's tables, no set-up.
 */

CREATE OR REPLACE FUNCTION spm.rate_schedule(floors numeric[], rates numeric[], options text DEFAULT '')
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule';
COMMENT ON FUNCTION spm.rate_schedule(numeric[], numeric[], text) IS
$$Rate schedule whose tier i starts at floors[i] and has rates[i]; each tier ends where the next one starts, the last has no end.
Arguments: floors (money; shares of quota, 0.8 for 80%, with the option 'of quota'), rates (0.05 for 5%; money with the option bonus), options (as in the text form).
Errors: 22023 floors not ascending or arrays of different length; 22004 a null; 22P02 an unknown option.
Example: SELECT spm.rate_schedule('{0,100000}', '{0.05,0.08}') gives 0: 5%, 100000: 8%.$$;

CREATE OR REPLACE FUNCTION spm.for_quota(schedule spm.rate_schedule, quota numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_for_quota';
COMMENT ON FUNCTION spm.for_quota(spm.rate_schedule, numeric) IS
$$The schedule with its bounds in percent of quota turned into amounts, exactly. On a quota of 0 every floor is 0, so the top rate holds from the first cent (a weighted schedule: the sum of its rates), unless the schedule says zero quota nothing or zero quota refuse.
Arguments: schedule (bounds in percent), quota (money, not negative).
Errors: 22023 bounds are amounts already, quota negative, or quota 0 and zero quota refuse.
Example: SELECT spm.for_quota('0%: 8%, 100%: 12%', 50000) gives 0: 8%, 50000: 12%.$$;

CREATE OR REPLACE FUNCTION spm.with_factor(schedule spm.rate_schedule, factor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_with_factor';
COMMENT ON FUNCTION spm.with_factor(spm.rate_schedule, numeric) IS
$$The schedule with every rate (or bonus) and the base times the factor: a payee's own rate, or a multiplier. Cap and floor are money: they stay as they are, and limit what the new rates earn.
Arguments: schedule, factor (1.5 for one and a half times).
Errors: 22023 factor is not finite; 22003 a rate gets too many digits.
Example: SELECT spm.with_factor('0: 5%, 100000: 8%', 1.5) gives 0: 7.5%, 100000: 12%.$$;

CREATE OR REPLACE FUNCTION spm.per(schedule spm.rate_schedule, divisor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_per';
COMMENT ON FUNCTION spm.per(spm.rate_schedule, numeric) IS
$$The schedule with what it earns divided by the divisor, exactly: so that a target incentive times attainment is the incentive as a factor, per quota, rounded once. Cap and floor are money and are not divided. A second divisor multiplies the first.
Arguments: schedule, divisor (greater than 0).
Errors: 22023 divisor is not greater than 0 or not finite; 22003 it gets too many digits.
Example: SELECT spm.commission(spm.per(spm.with_factor('0: 1', 24000), 70000), 12345) gives 4232.57, which is 24000 x 12345 / 70000.$$;

CREATE OR REPLACE FUNCTION spm.with_limits(schedule spm.rate_schedule, cap numeric, floor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_with_limits';
COMMENT ON FUNCTION spm.with_limits(spm.rate_schedule, numeric, numeric) IS
$$The schedule with the smaller of its cap and the given one, and the larger of its floor and the given one. NULL leaves what is there; NULL without a schedule.
Arguments: schedule, cap and floor (money: the most, and the least of a total that is not zero).
Errors: 22023 the cap is negative or below the floor, or a limit is not finite.
Example: SELECT spm.with_limits('0: 5% cap 900', 1000, 50) gives 0: 5% cap 900 floor 50.$$;

CREATE OR REPLACE FUNCTION spm.scaled(schedule spm.rate_schedule, numerator numeric, denominator numeric, places int DEFAULT 2)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_scaled';
COMMENT ON FUNCTION spm.scaled(spm.rate_schedule, numeric, numeric, int) IS
$$The schedule with its bounds times numerator / denominator, each rounded once, halves up: tiers given in amounts, prorated for a part of the period. Rates, bonuses, the money of a pay curve, cap and floor stay.
Arguments: schedule (bounds in amounts), numerator and denominator (46 and 92 for half a quarter), places (decimals of the bounds).
Errors: 22023 the schedule is in percent of quota (prorate the quota instead), the ratio is negative, or two bounds fall together; 22012 denominator is 0.
Example: SELECT spm.scaled('0: 5%, 100000: 8%', 31, 92) gives 0: 5%, 33695.65: 8%.$$;

CREATE OR REPLACE FUNCTION spm.commission(schedule spm.rate_schedule, amount numeric)
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_commission';
COMMENT ON FUNCTION spm.commission(spm.rate_schedule, numeric) IS
$$What a total of amount earns, rounded once to cents, halves away from zero. For other places or roundings use spm.commission(schedule, 0, amount, places, rounding).
Arguments: schedule (bounds in amounts), amount (money).
Errors: 22023 the schedule is in percent of quota, amount is not finite; 22003 the amount is above the end of the last tier.
Example: SELECT spm.commission('0: 5%, 100000: 8%', 160000) gives 9800.00.$$;

CREATE OR REPLACE FUNCTION spm.commission(schedule spm.rate_schedule, from_total numeric, to_total numeric,
                                          places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_commission_between';
COMMENT ON FUNCTION spm.commission(spm.rate_schedule, numeric, numeric, int, text) IS
$$What a deal earns that takes the running total from from_total to to_total: the rounded commission of the one less that of the other, so that deals add up to their period to the last cent.
Arguments: schedule (bounds in amounts), from_total and to_total (money), places (decimals of the result), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22023 the schedule is in percent of quota, an amount is not finite, no such rounding; 22003 an amount is above the end of the last tier.
Example: SELECT spm.commission('0: 5%, 100000: 8%', 90000, 110000) gives 1300.00.$$;

CREATE OR REPLACE FUNCTION spm.rate_at(schedule spm.rate_schedule, amount numeric,
                                       places int DEFAULT 6, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_at';
COMMENT ON FUNCTION spm.rate_at(spm.rate_schedule, numeric, int, text) IS
$$The rate that applies at an amount: the rate of its tier, with method interpolated the rate between two points, with weighted the sum of the shares of the tiers, with excess that of all above the first tier, with bonus or curve the money; divided by the divisor, if there is one.
Arguments: schedule (bounds in amounts), amount (money), places (decimals of the rate), rounding.
Errors: 22023 the schedule is in percent of quota, no such rounding; 22003 the amount is above the end of the last tier.
Example: SELECT spm.rate_at('0: 5%, 100000: 8%', 100000) gives 0.080000.$$;

CREATE OR REPLACE FUNCTION spm.rounded(value numeric, places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rounded';
COMMENT ON FUNCTION spm.rounded(numeric, int, text) IS
$$The value to a number of decimals. half_up, half_even and half_down differ in where a half goes: away from zero, to the even neighbour, toward zero; up is away from zero, down toward zero, floor and ceil are what they say.
Arguments: value, places (-100 to 100), rounding.
Errors: 22023 no such rounding, places out of range, value is not finite.
Example: SELECT spm.rounded(0.125, 2, 'half_even') gives 0.12.$$;

CREATE OR REPLACE FUNCTION spm.split(total numeric, shares numeric[], places int DEFAULT 2)
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_split';
COMMENT ON FUNCTION spm.split(numeric, numeric[], int) IS
$$The total in parts that add up to it exactly, in proportion to the shares (which need not total 1), by largest remainder: what rounding leaves goes to those that lost most by it, on a tie to the earlier. A negative total mirrors the positive one.
Arguments: total (money), shares (not negative, one at least above 0), places (decimals of the parts; more where the total has more).
Errors: 22023 a share is negative or all are 0; 22004 a share is null; 54000 more than 100,000 shares.
Example: SELECT spm.split(100, '{1,1,1}') gives {33.34,33.33,33.33}.$$;

CREATE OR REPLACE FUNCTION spm.attainment(amount numeric, quota numeric, places int DEFAULT 6)
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_attainment';
COMMENT ON FUNCTION spm.attainment(numeric, numeric, int) IS
$$Amount as a share of quota, rounded once, halves away from zero; NULL when the quota is 0, since that has no share.
Arguments: amount and quota (money), places (decimals of the share).
Errors: 22023 a number is not finite.
Example: SELECT spm.attainment(90000, 120000) gives 0.750000.$$;

CREATE OR REPLACE FUNCTION spm.tier(schedule spm.rate_schedule,
                                    OUT tier_no int, OUT tier_from numeric, OUT tier_to numeric, OUT rate numeric)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 5
    AS 'MODULE_PATHNAME', 'spm_tier';
COMMENT ON FUNCTION spm.tier(spm.rate_schedule) IS
$$One row per tier: number, start, end (NULL: none) and rate (money with bonus and curve; before a divisor); shares (0.8 for 80%) where the schedule is in percent of quota.
Argument: schedule.
Example: SELECT * FROM spm.tier('0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm.commission_slice(schedule spm.rate_schedule, from_total numeric, to_total numeric,
                                                places int DEFAULT 2, rounding text DEFAULT 'half_up',
                                                OUT tier_no int, OUT kind text, OUT slice_from numeric, OUT slice_to numeric,
                                                OUT base numeric, OUT rate numeric, OUT amount numeric)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3
    AS 'MODULE_PATHNAME', 'spm_commission_slice';
COMMENT ON FUNCTION spm.commission_slice(spm.rate_schedule, numeric, numeric, int, text) IS
$$How spm.commission(schedule, from_total, to_total, places, rounding) comes about: rows whose amounts add up to it exactly.
Kinds: tier (base at the rate of tier_no), base (below the first tier), outside (in a gap or above the end, earns 0), rerate (methods whole, interpolated, weighted, excess: the earlier total, with excess what of it lies above the first tier, at the change of rate), bonus, curve, cap and floor (what they take or add). A refund runs backwards. Rates that do not end are shown to 10 decimals.
Arguments: schedule (bounds in amounts), from_total and to_total (money), places, rounding.
Errors: as spm.commission.
Example: SELECT * FROM spm.commission_slice('0: 5%, 100000: 8%', 90000, 110000).$$;

-- ---------------------------------------------------------------- aggregates

CREATE OR REPLACE FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_add';
REVOKE ALL ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule) IS 'State function of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_add';
REVOKE ALL ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text) IS 'State function of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_combine';
REVOKE ALL ON FUNCTION spm._period_commission_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_combine(internal, internal) IS 'Combine function of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_serialize';
REVOKE ALL ON FUNCTION spm._period_commission_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_serialize(internal) IS 'Serialization of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_deserialize';
REVOKE ALL ON FUNCTION spm._period_commission_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_deserialize(bytea, internal) IS 'Deserialization of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_final(internal)
    RETURNS numeric
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_final';
REVOKE ALL ON FUNCTION spm._period_commission_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_final(internal) IS 'Final function of spm.period_commission.';

CREATE OR REPLACE AGGREGATE spm.period_commission(amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._period_commission_add, STYPE = internal, SSPACE = 256,
    FINALFUNC = spm._period_commission_final,
    COMBINEFUNC = spm._period_commission_combine,
    SERIALFUNC = spm._period_commission_serialize,
    DESERIALFUNC = spm._period_commission_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.period_commission(numeric, spm.rate_schedule) IS
$$What the total of a group earns: spm.commission(schedule, sum(amount)). Null amounts are left out; no amounts, or a null schedule, give NULL.
Arguments: amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 the total is above the end of the last tier.
Example: SELECT rep, spm.period_commission(amount, '0: 5%, 100000: 8%') FROM sales GROUP BY rep.$$;

CREATE OR REPLACE AGGREGATE spm.period_commission(amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._period_commission_add, STYPE = internal, SSPACE = 256,
    FINALFUNC = spm._period_commission_final,
    COMBINEFUNC = spm._period_commission_combine,
    SERIALFUNC = spm._period_commission_serialize,
    DESERIALFUNC = spm._period_commission_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.period_commission(numeric, spm.rate_schedule, int, text) IS
$$What the total of a group earns, to places decimals with a rounding (half_up, half_even, half_down, up, down, floor, ceil); else as spm.period_commission(amount, schedule).
Errors: 22004 places or rounding null; 22023 rows of one group have different schedules, places or roundings.
Example: SELECT rep, spm.period_commission(amount, '0: 5%', 0, 'half_even') FROM sales GROUP BY rep.$$;

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_combine';
REVOKE ALL ON FUNCTION spm._deal_commissions_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_combine(internal, internal) IS 'Combine function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_serialize';
REVOKE ALL ON FUNCTION spm._deal_commissions_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_serialize(internal) IS 'Serialization of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_deserialize';
REVOKE ALL ON FUNCTION spm._deal_commissions_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_deserialize(bytea, internal) IS 'Deserialization of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_final(internal)
    RETURNS spm.deal_commission[]
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_final';
REVOKE ALL ON FUNCTION spm._deal_commissions_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_final(internal) IS 'Final function of spm.deal_commissions.';

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key bigint, amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, bigint, numeric, spm.rate_schedule) IS
$$What each deal of a group earns, in order of date and key (by number; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key bigint, amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, bigint, numeric, spm.rate_schedule, int, text) IS
$$What each deal of a group earns, in order of date and key (by number; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group); places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%', 0, 'half_even')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key text, amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, text, numeric, spm.rate_schedule) IS
$$What each deal of a group earns, in order of date and key (by bytes; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key text, amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, text, numeric, spm.rate_schedule, int, text) IS
$$What each deal of a group earns, in order of date and key (by bytes; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group); places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%', 0, 'half_even')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE FUNCTION spm._deals_add(internal, date, bigint, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deals_add(internal, date, bigint, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_add(internal, date, bigint, numeric) IS 'State function of spm.deals.';

CREATE OR REPLACE FUNCTION spm._deals_add(internal, date, text, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deals_add(internal, date, text, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_add(internal, date, text, numeric) IS 'State function of spm.deals.';

CREATE OR REPLACE FUNCTION spm._deals_final(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deals_final';
REVOKE ALL ON FUNCTION spm._deals_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_final(internal) IS 'Final function of spm.deals.';

CREATE OR REPLACE AGGREGATE spm.deals(deal_date date, deal_key bigint, amount numeric) (
    SFUNC = spm._deals_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deals_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deals(date, bigint, numeric) IS
$$The deals of a group in one value, to be rated by spm.deal_commissions(deals, schedule): so the schedule is looked up once a group, not once a deal, and the same deals can be rated by several schedules. Null amounts are left out; no amounts give NULL.
Arguments: deal_date, deal_key (ordered by number), amount (money).
Errors: 22004 a deal has no date or key; 22023 an amount is not finite.
Example: SELECT rep, spm.deals(day, deal_id, amount) FROM sales GROUP BY rep.$$;

CREATE OR REPLACE AGGREGATE spm.deals(deal_date date, deal_key text, amount numeric) (
    SFUNC = spm._deals_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deals_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deals(date, text, numeric) IS
$$The deals of a group in one value, to be rated by spm.deal_commissions(deals, schedule): so the schedule is looked up once a group, not once a deal, and the same deals can be rated by several schedules. Null amounts are left out; no amounts give NULL.
Arguments: deal_date, deal_key (ordered by bytes), amount (money).
Errors: 22004 a deal has no date or key; 22023 an amount is not finite.
Example: SELECT rep, spm.deals(day, deal_id, amount) FROM sales GROUP BY rep.$$;

CREATE OR REPLACE FUNCTION spm.deal_commissions(deals bytea, schedule spm.rate_schedule, places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS spm.deal_commission[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_of';
COMMENT ON FUNCTION spm.deal_commissions(bytea, spm.rate_schedule, int, text) IS
$$What each of the deals collected by spm.deals() earns, in order, as the aggregate spm.deal_commissions.
Arguments: deals (what spm.deals() returned), schedule (bounds in amounts), places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22P03 or 08P01 the bytes are no deals; 22023 the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals than an array holds.
Example: SELECT rep, unnest(spm.deal_commissions(deals, '0: 5%, 100000: 8%')) FROM (SELECT rep, spm.deals(day, deal_id, amount) AS deals FROM sales GROUP BY rep) x.$$;
