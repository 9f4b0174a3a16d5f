/*
 * rate_schedule_make.c
 *	  Rate schedules made from arrays, from others, and shown as rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "kernel/schedule_text.h"
#include "rate_schedule.h"

PG_FUNCTION_INFO_V1(spm_rate_schedule);
PG_FUNCTION_INFO_V1(spm_for_quota);
PG_FUNCTION_INFO_V1(spm_with_factor);
PG_FUNCTION_INFO_V1(spm_per);
PG_FUNCTION_INFO_V1(spm_with_limits);
PG_FUNCTION_INFO_V1(spm_scaled);
PG_FUNCTION_INFO_V1(spm_tier);

static Dec *
decs_from_array(ArrayType *array, const char *what, int *n)
{
	Datum	   *values;
	bool	   *nulls;
	Dec		   *decs;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%ss must be an array of one dimension", what)));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &values, &nulls, n);
	decs = palloc(Max(*n, 1) * sizeof(Dec));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s %d is null", what, i + 1)));
		decs[i] = spm_dec_arg(values[i], what);
	}
	return decs;
}

/* spm.rate_schedule(floors numeric[], rates numeric[], options text) */
Datum
spm_rate_schedule(PG_FUNCTION_ARGS)
{
	text	   *options = PG_GETARG_TEXT_PP(2);
	SpmScheduleText *in = palloc(sizeof(SpmScheduleText));
	SpmSchedule s;
	SpmTextError error;
	int			nrates;

	memset(&s, 0, sizeof(s));
	error = spmk_read_options(VARDATA_ANY(options), VARSIZE_ANY_EXHDR(options), in);
	if (error != SPM_TEXT_OK)
		spm_schedule_text_error(error, in, VARDATA_ANY(options));
	s.terms = in->terms;
	s.terms.last_open = true;
	s.floors = decs_from_array(PG_GETARG_ARRAYTYPE_P(0), "floor", &s.terms.ntiers);
	s.values = decs_from_array(PG_GETARG_ARRAYTYPE_P(1), "rate", &nrates);
	if (s.terms.ntiers != nrates || nrates == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rate schedule must have one rate for each floor"),
				 errdetail("There are %d floors and %d rates.", s.terms.ntiers, nrates),
				 errhint("The last rate applies to all above the last floor.")));
	if (nrates > SPM_MAX_TIERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rate schedule has too many tiers"),
				 errdetail("At most %d tiers are accepted; there are %d.", SPM_MAX_TIERS, nrates)));
	s.ends = palloc(nrates * sizeof(Dec));
	for (int i = 0; i < nrates - 1; i++)
		s.ends[i] = s.floors[i + 1];
	spm_schedule_options(&s, in);
	PG_RETURN_POINTER(spm_schedule_finish(&s));
}

/*
 * Bounds (or, with of_rates, what they earn) times a factor that is not 0, in
 * integers; NULL if they do not fit.  Whatever shares a scale with them is
 * rescaled with them.
 */
static RateSchedule *
multiply_ints(const RateSchedule *packed, Dec factor, bool of_rates)
{
	int64		scaled;
	int			scale;
	int64		unit;
	SpmTerms	t;
	int			count;
	int			values_from;
	int			values_to;
	int			rates_to;
	bool		in_rates;
	int			from;
	int			to;
	int			new_scale;
	RateSchedule *result;
	int64	   *ints;

	if (packed->is_wide || !spm_dec_to_int(factor, &scaled, &scale))
		return NULL;
	unit = spmk_pow10(scale);
	spm_schedule_terms(packed, &t);
	count = spm_schedule_count(&t);
	values_from = t.ntiers + (t.has_ends ? t.ntiers : !t.last_open);
	values_to = values_from + t.ntiers;
	rates_to = values_to + t.has_base;
	result = palloc(VARSIZE(packed));
	memcpy(result, packed, VARSIZE(packed));
	ints = (int64 *) result->numbers;

	/* Numbers of the scale that changes: rates, or all that is not a rate. */
	in_rates = of_rates && !spmk_values_are_money(t.method);
	from = in_rates ? values_from : 0;
	to = in_rates ? rates_to : count;
#define IS_CHANGED(i) (in_rates || spmk_values_are_money(t.method) || (i) < values_from || (i) >= rates_to)
	for (int i = from; i < to; i++)
	{
		bool		multiplied = of_rates ? i >= values_from && i < rates_to : i < values_from;

		if (IS_CHANGED(i) &&
			__builtin_mul_overflow(ints[i], multiplied ? scaled : unit, &ints[i]))
			return NULL;
	}
	new_scale = (in_rates ? packed->rate_scale : packed->amount_scale) + scale;
	while (new_scale > 0)
	{
		int			i = from;

		while (i < to && (!IS_CHANGED(i) || ints[i] % 10 == 0))
			i++;
		if (i < to)
			break;
		for (i = from; i < to; i++)
		{
			if (IS_CHANGED(i))
				ints[i] /= 10;
		}
		new_scale--;
	}
#undef IS_CHANGED
	if (new_scale > SPM_FAST_SCALE)
		return NULL;
	for (int i = from; i < to; i++)
	{
		if (ints[i] > SPM_FAST_MAX || ints[i] < -SPM_FAST_MAX)
			return NULL;
	}
	if (in_rates)
		result->rate_scale = new_scale;
	else
		result->amount_scale = new_scale;
	return result;
}

/* A quota of 0: every floor is 0, so that only the top rate is left; or nothing. */
static RateSchedule *
for_zero_quota(const RateSchedule *packed)
{
	SpmSchedule s;
	SpmTerms   *t = &s.terms;
	Dec			zero = dec_from_int(0, 0);
	Dec			top;

	spm_schedule_unpack(packed, &s);
	if (t->zero_quota == SPM_ZERO_REFUSE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quota is 0"),
				 errdetail("The rate schedule says 'zero quota refuse': '%s'.", spm_schedule_text(packed)),
				 errhint("Set a quota, or use 'zero quota top' or 'zero quota nothing'.")));
	top = s.values[t->ntiers - 1];
	if (t->method == SPM_WEIGHTED)
	{
		/* All tiers are filled: each contributes its rate. */
		top = zero;
		for (int i = 0; i < t->ntiers; i++)
			top = dec_add(top, s.values[i]);
		t->method = SPM_WHOLE;
	}
	if (t->zero_quota == SPM_ZERO_NOTHING)
	{
		top = zero;
		t->method = SPM_MARGINAL;
		t->edge = SPM_EDGE_UPPER;
		t->has_base = t->has_cap = t->has_least = t->has_divisor = false;
	}
	t->ntiers = 1;
	t->last_open = true;
	t->percent = false;
	s.floors[0] = zero;
	s.values[0] = top;
	return spm_schedule_finish(&s);
}

/* spm.for_quota(schedule, quota) */
Datum
spm_for_quota(PG_FUNCTION_ARGS)
{
	RateSchedule *packed = PG_GETARG_RATE_SCHEDULE(0);
	Dec			quota = spm_dec_arg(PG_GETARG_DATUM(1), "quota");
	RateSchedule *result;
	SpmSchedule s;

	if (!(packed->flags & SPM_SCHEDULE_PERCENT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rate schedule is not in percent of quota"),
				 errdetail("It is '%s'.", spm_schedule_text(packed)),
				 errhint("Write its bounds as '0%%: ..., 80%%: ...', or use it without spm.for_quota().")));
	if (dec_sign(quota) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quota must not be negative"),
				 errdetail("It is %s.", spm_dec_text(quota))));
	if (dec_sign(quota) == 0)
		PG_RETURN_POINTER(for_zero_quota(packed));
	result = multiply_ints(packed, quota, false);
	if (result != NULL)
	{
		result->flags &= ~SPM_SCHEDULE_PERCENT;
		result->zero_quota = SPM_ZERO_TOP;
		PG_RETURN_POINTER(result);
	}

	spm_schedule_unpack(packed, &s);
	if (s.terms.has_ends)
	{
		for (int i = 0; i < s.terms.ntiers - s.terms.last_open; i++)
			s.ends[i] = dec_mul(s.ends[i], quota);
	}
	else if (!s.terms.last_open)
		s.ends[s.terms.ntiers - 1] = dec_mul(s.ends[s.terms.ntiers - 1], quota);
	for (int i = 0; i < s.terms.ntiers; i++)
		s.floors[i] = dec_mul(s.floors[i], quota);
	s.terms.percent = false;
	PG_RETURN_POINTER(spm_schedule_finish(&s));
}

/* spm.with_factor(schedule, factor) */
Datum
spm_with_factor(PG_FUNCTION_ARGS)
{
	RateSchedule *packed = PG_GETARG_RATE_SCHEDULE(0);
	Dec			factor = spm_dec_arg(PG_GETARG_DATUM(1), "factor");
	RateSchedule *result = dec_sign(factor) == 0 ? NULL : multiply_ints(packed, factor, true);
	SpmSchedule s;

	if (result != NULL)
		PG_RETURN_POINTER(result);
	spm_schedule_unpack(packed, &s);
	for (int i = 0; i < s.terms.ntiers; i++)
		s.values[i] = dec_mul(s.values[i], factor);
	s.base = dec_mul(s.base, factor);
	PG_RETURN_POINTER(spm_schedule_finish(&s));
}

/* spm.per(schedule, divisor) */
Datum
spm_per(PG_FUNCTION_ARGS)
{
	Dec			divisor = spm_dec_arg(PG_GETARG_DATUM(1), "divisor");
	SpmSchedule s;

	spm_schedule_unpack(PG_GETARG_RATE_SCHEDULE(0), &s);
	s.divisor = s.terms.has_divisor ? dec_mul(s.divisor, divisor) : divisor;
	s.terms.has_divisor = true;
	PG_RETURN_POINTER(spm_schedule_finish(&s));
}

/* spm.with_limits(schedule, cap, floor): a null leaves what is there. */
Datum
spm_with_limits(PG_FUNCTION_ARGS)
{
	SpmSchedule s;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	spm_schedule_unpack(PG_GETARG_RATE_SCHEDULE(0), &s);
	if (!PG_ARGISNULL(1))
	{
		Dec			cap = spm_dec_arg(PG_GETARG_DATUM(1), "cap");

		if (!s.terms.has_cap || dec_cmp(cap, s.cap) < 0)
			s.cap = cap;
		s.terms.has_cap = true;
	}
	if (!PG_ARGISNULL(2))
	{
		Dec			least = spm_dec_arg(PG_GETARG_DATUM(2), "floor");

		if (!s.terms.has_least || dec_cmp(least, s.least) > 0)
			s.least = least;
		s.terms.has_least = true;
	}
	PG_RETURN_POINTER(spm_schedule_finish(&s));
}

static void
check_ratio(Dec numerator, Dec denominator)
{
	if (dec_sign(denominator) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DIVISION_BY_ZERO),
				 errmsg("denominator is 0"),
				 errdetail("Tiers cannot be scaled by %s of 0.", spm_dec_text(numerator))));
	if (dec_sign(numerator) * dec_sign(denominator) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tiers cannot be scaled by a negative number"),
				 errdetail("It is %s / %s.", spm_dec_text(numerator), spm_dec_text(denominator))));
}

/* Two bounds that were apart and are not any more would lose a tier. */
static void
check_apart(const SpmSchedule *s, Dec lower, Dec upper, int tier, const char *what)
{
	if (dec_cmp(lower, upper) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds of the rate schedule fall together"),
				 errdetail("After scaling, tier %d starts at %s and %s there too.",
						   tier + 1, spm_dec_text(s->floors[tier]), what),
				 errhint("Round to more places, or give the tiers in percent of quota and prorate the quota.")));
}

/* spm.scaled(schedule, numerator, denominator, places) */
Datum
spm_scaled(PG_FUNCTION_ARGS)
{
	RateSchedule *packed = PG_GETARG_RATE_SCHEDULE(0);
	Dec			numerator = spm_dec_arg(PG_GETARG_DATUM(1), "numerator");
	Dec			denominator = spm_dec_arg(PG_GETARG_DATUM(2), "denominator");
	int			places = spm_places_arg(PG_GETARG_INT32(3));
	SpmSchedule s;
	Dec		   *ends;
	int			n;

	spm_schedule_absolute(packed);
	check_ratio(numerator, denominator);
	spm_schedule_unpack(packed, &s);
	n = s.terms.ntiers;
#define SCALED(bound) spmk_round(dec_mul(bound, numerator), denominator, places, SPM_HALF_UP)
	ends = palloc(n * sizeof(Dec));
	for (int i = 0; i < n - s.terms.last_open; i++)
		ends[i] = SCALED(s.ends[i]);
	for (int i = 0; i < n; i++)
		s.floors[i] = SCALED(s.floors[i]);
#undef SCALED
	s.ends = ends;
	for (int i = 0; i < n; i++)
	{
		if (i < n - s.terms.last_open)
			check_apart(&s, s.floors[i], ends[i], i, "ends");
		if (i < n - 1)
			check_apart(&s, s.floors[i], s.floors[i + 1], i, "the next one");
	}

	/* A first floor that becomes 0 does not bring a base of its own. */
	s.terms.has_base |= !spmk_values_are_money(s.terms.method);
	PG_RETURN_POINTER(spm_schedule_finish(&s));
}

/* spm.tier(schedule): one row per tier */
Datum
spm_tier(PG_FUNCTION_ARGS)
{
	RateSchedule *packed = PG_GETARG_RATE_SCHEDULE(0);
	ReturnSetInfo *result;
	SpmSchedule s;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	spm_schedule_unpack(packed, &s);
	for (int i = 0; i < s.terms.ntiers; i++)
	{
		bool		open = i == s.terms.ntiers - 1 && s.terms.last_open;
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = Int32GetDatum(i + 1);
		values[1] = NumericGetDatum(spm_dec_trim(s.floors[i]));
		nulls[2] = open;
		values[2] = open ? (Datum) 0 : NumericGetDatum(spm_dec_trim(s.ends[i]));
		values[3] = NumericGetDatum(spm_dec_trim(s.values[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
