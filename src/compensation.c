/*
 * compensation.c
 *	  What totals earn: commission and its explanation, rounding, splits.
 *
 * Everything here is round(E(b)) - round(E(a)), see kernel/schedule.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "kernel/split.h"
#include "rate_schedule.h"

/* So that a split is done in a moment: nothing interrupts it. */
#define MAX_SHARES 100000

PG_FUNCTION_INFO_V1(spm_commission);
PG_FUNCTION_INFO_V1(spm_commission_between);
PG_FUNCTION_INFO_V1(spm_rate_at);
PG_FUNCTION_INFO_V1(spm_rounded);
PG_FUNCTION_INFO_V1(spm_split);
PG_FUNCTION_INFO_V1(spm_attainment);

/* round(E(amount)) */
static Dec
earned(const SpmSchedule *s, Dec amount, int places, SpmRounding rounding)
{
	Dec			num;
	Dec			den;

	if (spmk_earned(s, amount, &num, &den) == SPM_ERR_ABOVE_END)
		spm_schedule_above_end(s, amount);
	return spmk_round(num, den, places, rounding);
}

/* The same in integers of 10^-places, where they hold it. */
static bool
earned_int(const RateSchedule *packed, const SpmFast *fast, Datum amount,
		   int places, SpmRounding rounding, int64 *result)
{
	int64		x;
	int			scale;

	/* An amount above the end is left to Dec too: that knows how to say it. */
	return spm_numeric_to_int(amount, &x, &scale) &&
		spmk_fast_earned(fast, x, scale, places, rounding, result) == SPM_OK;
}

static Datum
commission(RateSchedule *packed, Datum from, Datum to, int places, SpmRounding rounding)
{
	Dec			from_total;
	Dec			to_total;
	SpmFast		fast;
	SpmSchedule s;
	int64		before = 0;
	int64		after;

	spm_schedule_absolute(packed);
	if (spm_schedule_fast(packed, &fast) &&
		(from == (Datum) 0 || earned_int(packed, &fast, from, places, rounding, &before)) &&
		earned_int(packed, &fast, to, places, rounding, &after) &&
		Abs(after - before) <= SPM_FAST_MAX)
		return spm_int_numeric_datum(after - before, places);

	from_total = from == (Datum) 0 ? dec_from_int(0, 0) : spm_dec_arg(from, "from_total");
	to_total = spm_dec_arg(to, from == (Datum) 0 ? "amount" : "to_total");
	spm_schedule_unpack(packed, &s);
	return NumericGetDatum(dec_sub(earned(&s, to_total, places, rounding),
								   earned(&s, from_total, places, rounding)));
}

/* spm.commission(schedule, amount) */
Datum
spm_commission(PG_FUNCTION_ARGS)
{
	return commission(PG_GETARG_RATE_SCHEDULE(0), (Datum) 0, PG_GETARG_DATUM(1), 2, SPM_HALF_UP);
}

/* spm.commission(schedule, from_total, to_total, places, rounding) */
Datum
spm_commission_between(PG_FUNCTION_ARGS)
{
	return commission(PG_GETARG_RATE_SCHEDULE(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2),
					  spm_places_arg(PG_GETARG_INT32(3)),
					  spm_rounding_arg(PG_GETARG_TEXT_PP(4)));
}

/* spm.rate_at(schedule, amount, places, rounding) */
Datum
spm_rate_at(PG_FUNCTION_ARGS)
{
	RateSchedule *packed = PG_GETARG_RATE_SCHEDULE(0);
	Dec			amount = spm_dec_arg(PG_GETARG_DATUM(1), "amount");
	int			places = spm_places_arg(PG_GETARG_INT32(2));
	SpmRounding rounding = spm_rounding_arg(PG_GETARG_TEXT_PP(3));
	SpmSchedule s;
	int			tier;
	Dec			num;
	Dec			den;

	spm_schedule_absolute(packed);
	spm_schedule_unpack(packed, &s);
	if (spmk_rate(&s, amount, &tier, &num, &den) == SPM_ERR_ABOVE_END)
		spm_schedule_above_end(&s, amount);
	PG_RETURN_NUMERIC(spmk_round(num, den, places, rounding));
}

/* spm.rounded(value, places, rounding) */
Datum
spm_rounded(PG_FUNCTION_ARGS)
{
	int			places = spm_places_arg(PG_GETARG_INT32(1));
	SpmRounding rounding = spm_rounding_arg(PG_GETARG_TEXT_PP(2));
	int64		value;
	int			scale;

	if (places >= 0 && places <= SPM_FAST_SCALE &&
		spm_numeric_to_int(PG_GETARG_DATUM(0), &value, &scale))
	{
		if (scale > places)
			value = (int64) spmk_round_int(value, spmk_pow10(scale - places), rounding);
		if (scale > places || spmk_rescale(&value, scale, places))
			return spm_int_numeric_datum(value, places);
	}
	PG_RETURN_NUMERIC(spmk_round(spm_dec_arg(PG_GETARG_DATUM(0), "value"),
								 dec_from_int(1, 0), places, rounding));
}

/* spm.attainment(amount, quota, places): NULL when the quota is 0 */
Datum
spm_attainment(PG_FUNCTION_ARGS)
{
	Dec			amount = spm_dec_arg(PG_GETARG_DATUM(0), "amount");
	Dec			quota = spm_dec_arg(PG_GETARG_DATUM(1), "quota");
	int			places = spm_places_arg(PG_GETARG_INT32(2));

	if (dec_sign(quota) == 0)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(spmk_round(amount, quota, places, SPM_HALF_UP));
}

/* spm.split(total, shares, places) */
Datum
spm_split(PG_FUNCTION_ARGS)
{
	Dec			total = spm_dec_arg(PG_GETARG_DATUM(0), "total");
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	int			places = spm_places_arg(PG_GETARG_INT32(2));
	Datum	   *values;
	bool	   *nulls;
	int			n;
	Dec		   *shares;
	Dec		   *parts;
	bool		any = false;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("shares must be an array of one dimension")));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	if (n > MAX_SHARES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many shares"),
				 errdetail("At most %d shares are accepted; there are %d.", MAX_SHARES, n)));
	shares = palloc(Max(n, 1) * sizeof(Dec));
	parts = palloc(Max(n, 1) * sizeof(Dec));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("share %d is null", i + 1)));
		shares[i] = spm_dec_arg(values[i], "share");
		if (dec_sign(shares[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("share must not be negative"),
					 errdetail("Share %d is %s.", i + 1, spm_dec_text(shares[i]))));
		any |= dec_sign(shares[i]) > 0;
	}
	if (!any)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no share is greater than 0"),
				 errdetail("There are %d shares.", n)));

	/* No part is finer than what is asked for, or than the total itself. */
	places = Max(places, spm_dec_scale(total));
	spmk_split(dec_quotient(dec_shift(total, places), dec_from_int(1, 0)), shares, n, parts,
			   palloc(n * sizeof(Dec)), palloc(n * sizeof(int)));
	for (int i = 0; i < n; i++)
		values[i] = NumericGetDatum(dec_shift(parts[i], -places));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, NUMERICOID, -1, false, TYPALIGN_INT));
}

/* ----------------------------------------------------------- the explanation */

PG_FUNCTION_INFO_V1(spm_commission_slice);

/* A deal that takes the total from a to b, while it is taken apart. */
typedef struct Slices
{
	RateSchedule *packed;
	SpmSchedule s;
	bool		is_limited;		/* has a cap or a floor, which have slices of their own */
	Dec			divisor;		/* of rates; 1 if there is none */
	int			places;
	SpmRounding rounding;
	ReturnSetInfo *result;
} Slices;

/* What a total has earned, rounded: before limits, with the cap, with both. */
typedef struct Limits
{
	Dec			unlimited;
	Dec			capped;
	Dec			earned;
} Limits;

static Dec
rounded_unlimited(Slices *x, Dec total)
{
	Dec			num;
	Dec			den;

	if (spmk_earned_unlimited(&x->s, total, &num, &den) == SPM_ERR_ABOVE_END)
		spm_schedule_above_end(&x->s, total);
	return spmk_round(num, den, x->places, x->rounding);
}

/* What the stretch between two totals earns before limits. */
static Dec
earned_between(Slices *x, Dec from, Dec to)
{
	if (!x->is_limited)
		return DatumGetNumeric(commission(x->packed, NumericGetDatum(from), NumericGetDatum(to),
										  x->places, x->rounding));
	return dec_sub(rounded_unlimited(x, to), rounded_unlimited(x, from));
}

static Limits
limits_at(Slices *x, Dec total)
{
	Limits		limits;
	Dec			num;
	Dec			den;

	limits.unlimited = rounded_unlimited(x, total);
	spmk_earned_unlimited(&x->s, total, &num, &den);
	spmk_apply_cap(&x->s, total, &num, &den);
	limits.capped = spmk_round(num, den, x->places, x->rounding);
	spmk_apply_least(&x->s, total, &num, &den);
	limits.earned = spmk_round(num, den, x->places, x->rounding);
	return limits;
}

/* One row; tier is an index, or less than 0 for none; no rate if den is 0. */
static void
put_slice(Slices *x, int tier, const char *kind, Dec from, Dec to, Dec base,
		  Dec num, Dec den, Dec amount)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	if (dec_sign(base) == 0 && dec_sign(amount) == 0)
		return;
	nulls[0] = tier < 0;
	values[0] = Int32GetDatum(tier + 1);
	values[1] = CStringGetTextDatum(kind);
	values[2] = NumericGetDatum(from);
	values[3] = NumericGetDatum(to);
	values[4] = NumericGetDatum(base);
	nulls[5] = dec_sign(den) == 0;
	values[5] = nulls[5] ? (Datum) 0 : NumericGetDatum(num);
	if (!nulls[5] && dec_cmp(den, dec_from_int(1, 0)) != 0)
		values[5] = NumericGetDatum(spmk_round(num, den, 10, SPM_HALF_UP));
	if (!nulls[5])
		values[5] = NumericGetDatum(spm_dec_trim(DatumGetNumeric(values[5])));
	values[6] = NumericGetDatum(amount);
	tuplestore_putvalues(x->result->setResult, x->result->setDesc, values, nulls);
}

/* Each stretch between two bounds at its own rate. */
static void
marginal_slices(Slices *x, Dec a, Dec b)
{
	SpmSchedule *s = &x->s;
	bool		back = dec_cmp(b, a) < 0;
	int			nregions = spmk_region_count(s);

	for (int k = 0; k < nregions; k++)
	{
		int			region = back ? nregions - 1 - k : k;
		bool		is_tier = region % 2 == 1;
		Dec			from = back ? b : a;
		Dec			to = back ? a : b;
		Dec			rate;

		CHECK_FOR_INTERRUPTS();
		if (!spmk_region_slice(s, region, &from, &to))
			continue;
		if (back)
		{
			Dec			swap = from;

			from = to;
			to = swap;
		}
		rate = is_tier ? s->values[region / 2] : region == 0 ? s->base : dec_from_int(0, 0);
		put_slice(x, is_tier ? region / 2 : -1, is_tier ? "tier" : region == 0 ? "base" : "outside",
				  from, to, dec_sub(to, from), rate, x->divisor, earned_between(x, from, to));
	}
}

/*
 * The deal at the rate reached, and what came before it at the change of rate;
 * of both what lies above 'from', where the rate of what is reached begins.
 */
static void
whole_slices(Slices *x, Dec a, Dec b, Dec from, Dec earned)
{
	Dec			base = dec_sub(b, a);
	Dec			earlier = dec_sub(a, from);
	Dec			anum;
	Dec			aden;
	Dec			bnum;
	Dec			bden;
	Dec			change;
	Dec			own = earned;
	bool		rerated;
	int			atier;
	int			tier;
	const char *kind;

	spmk_rate(&x->s, a, &atier, &anum, &aden);
	spmk_rate(&x->s, b, &tier, &bnum, &bden);
	change = dec_sub(dec_mul(bnum, aden), dec_mul(anum, bden));
	kind = tier >= 0 ? "tier" : tier == SPM_BELOW ? "base" : "outside";
	rerated = dec_sign(earlier) != 0 && dec_sign(change) != 0;
	if (rerated)
		own = spmk_round(dec_mul(base, bnum), bden, x->places, x->rounding);
	put_slice(x, tier, kind, a, b, base, bnum, bden, own);
	if (rerated)
		put_slice(x, tier, "rerate", from, a, earlier, change, dec_mul(aden, bden),
				  dec_sub(earned, own));
}

/* Up to the end of the first tier slices; above it all at the rate reached. */
static void
excess_slices(Slices *x, Dec a, Dec b, Dec earned)
{
	SpmSchedule *s = &x->s;
	bool		has_end = s->terms.ntiers > 1 || !s->terms.last_open;
	Dec			end = has_end ? s->ends[0] : dec_from_int(0, 0);
	bool		a_above = has_end && dec_cmp(a, end) > 0;
	bool		b_above = has_end && dec_cmp(b, end) > 0;
	Dec			above;

	if (!a_above)
		marginal_slices(x, a, b_above ? end : b);
	above = earned;
	if (a_above != b_above)
	{
		Dec			at_end = rounded_unlimited(x, end);

		above = a_above ? dec_sub(at_end, rounded_unlimited(x, a)) :
			dec_sub(rounded_unlimited(x, b), at_end);
	}
	if (a_above && b_above)
		whole_slices(x, a, b, end, above);
	else if (b_above)
		whole_slices(x, end, b, end, above);
	else if (a_above)
	{
		int			tier;
		Dec			num;
		Dec			den;

		/* what is taken back was earned at the rate once reached */
		spmk_rate(s, a, &tier, &num, &den);
		put_slice(x, tier, tier >= 0 ? "tier" : "outside", a, end, dec_sub(end, a), num, den, above);
		marginal_slices(x, end, b);
	}
}

/* spm.commission_slice(schedule, from_total, to_total, places, rounding) */
Datum
spm_commission_slice(PG_FUNCTION_ARGS)
{
	RateSchedule *packed = PG_GETARG_RATE_SCHEDULE(0);
	Dec			a = spm_dec_arg(PG_GETARG_DATUM(1), "from_total");
	Dec			b = spm_dec_arg(PG_GETARG_DATUM(2), "to_total");
	Dec			zero = dec_from_int(0, 0);
	Slices		x;
	Limits		before = {0};
	Limits		after = {0};
	Dec			unlimited = zero;

	x.packed = packed;
	x.places = spm_places_arg(PG_GETARG_INT32(3));
	x.rounding = spm_rounding_arg(PG_GETARG_TEXT_PP(4));
	spm_schedule_absolute(packed);
	spm_schedule_unpack(packed, &x.s);
	x.divisor = x.s.terms.has_divisor ? x.s.divisor : dec_from_int(1, 0);
	x.is_limited = x.s.terms.has_cap || x.s.terms.has_least;
	/* the commonest plans need none of these: each stretch tells for itself */
	if (x.is_limited || x.s.terms.method != SPM_MARGINAL || dec_cmp(a, b) == 0)
	{
		before = limits_at(&x, a);
		after = limits_at(&x, b);
		unlimited = dec_sub(after.unlimited, before.unlimited);
	}

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	x.result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (dec_cmp(a, b) == 0)
		return (Datum) 0;
	switch (x.s.terms.method)
	{
		case SPM_MARGINAL:
			marginal_slices(&x, a, b);
			break;
		case SPM_EXCESS:
			excess_slices(&x, a, b, unlimited);
			break;
		case SPM_BONUS:
		case SPM_CURVE:
			put_slice(&x, spmk_tier_of(&x.s, b), x.s.terms.method == SPM_BONUS ? "bonus" : "curve",
					  a, b, dec_sub(b, a), zero, zero, unlimited);
			break;
		default:
			whole_slices(&x, a, b, zero, unlimited);
			break;
	}
	if (!x.is_limited)
		return (Datum) 0;
	put_slice(&x, -1, "cap", a, b, zero, zero, zero,
			  dec_sub(dec_sub(after.capped, after.unlimited),
					  dec_sub(before.capped, before.unlimited)));
	put_slice(&x, -1, "floor", a, b, zero, zero, zero,
			  dec_sub(dec_sub(after.earned, after.capped),
					  dec_sub(before.earned, before.capped)));
	return (Datum) 0;
}
