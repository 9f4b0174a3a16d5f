/*
 * deal_commissions.c
 *	  Aggregates: what a period earns, and what each deal of it earns.
 *
 * Both keep amounts as integers of one scale, and change over to numeric for
 * good when one does not fit; the digits are the same.  A group is small at
 * first: there may be hundreds of thousands.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "deals.h"

typedef struct Period
{
	Terms		terms;
	int			scale;
	int64		sum;			/* at scale, unless there is a wide one */
	Numeric		wide;
} Period;

/* ------------------------------------------------------------ terms of a group */

static MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

static RateSchedule *
copy_schedule(MemoryContext context, const void *packed)
{
	Size		size = VARSIZE_ANY_EXHDR(packed);
	RateSchedule *copy = MemoryContextAlloc(context, VARHDRSZ + size);

	SET_VARSIZE(copy, VARHDRSZ + size);
	memcpy(VARDATA(copy), VARDATA_ANY(packed), size);
	return copy;
}

static bool
same_schedule(const RateSchedule *a, const void *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b)) == 0;
}

static const char *
schedule_text(const void *packed)
{
	return packed == NULL ? "null" :
		psprintf("'%s'", spm_schedule_text(copy_schedule(CurrentMemoryContext, packed)));
}

/*
 * The schedule of the group is that of its first row; any other is refused,
 * since the total would then have no meaning.
 */
static void
check_terms(const Terms *terms, const void *schedule, int places, SpmRounding rounding)
{
	if (!same_schedule(terms->schedule, schedule))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows of one group have different rate schedules"),
				 errdetail("One has %s, another %s.",
						   schedule_text(terms->schedule), schedule_text(schedule)),
				 errhint("Group by what the schedule depends on: payee, period, plan.")));
	if (terms->places != places || terms->rounding != rounding)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows of one group have different roundings"),
				 errdetail("One is %s to %d places, another %s to %d.",
						   spmk_rounding_name(terms->rounding), terms->places,
						   spmk_rounding_name(rounding), places)));
}

/* Reads the arguments from the schedule on; *schedule is as it lies in the row. */
static void
get_terms(FunctionCallInfo fcinfo, int arg, const void **schedule, int *places, SpmRounding *rounding)
{
	*places = 2;
	*rounding = SPM_HALF_UP;
	*schedule = NULL;
	if (PG_NARGS() <= arg)
		return;					/* spm.deals() only collects */
	if (!PG_ARGISNULL(arg))
		*schedule = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg));
	if (PG_NARGS() > arg + 1)
	{
		if (PG_ARGISNULL(arg + 1) || PG_ARGISNULL(arg + 2))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("places and rounding must not be null")));
		*places = spm_places_arg(PG_GETARG_INT32(arg + 1));
		*rounding = spm_rounding_arg(PG_GETARG_TEXT_PP(arg + 2));
	}
}

static void
copy_terms(MemoryContext context, Terms *to, const void *schedule, int places, SpmRounding rounding)
{
	to->schedule = schedule ? copy_schedule(context, schedule) : NULL;
	to->places = places;
	to->rounding = rounding;
}

static void
send_terms(StringInfo out, const Terms *terms)
{
	int			size = terms->schedule ? VARSIZE(terms->schedule) : 0;

	appendBinaryStringInfo(out, (char *) terms, sizeof(Terms));
	appendBinaryStringInfo(out, (char *) &size, sizeof(size));
	if (size > 0)
		appendBinaryStringInfo(out, (char *) terms->schedule, size);
}

/* Only ever read back by a process of the same server: raw bytes will do. */
static const char *
receive(const char *from, void *to, Size size)
{
	memcpy(to, from, size);
	return from + size;
}

static const char *
receive_varlena(const char *from, void **to)
{
	int			size;

	from = receive(from, &size, sizeof(size));
	*to = NULL;
	if (size > 0)
	{
		*to = palloc(size);
		from = receive(from, *to, size);
	}
	return from;
}

static const char *
receive_terms(const char *from, Terms *terms)
{
	from = receive(from, terms, sizeof(Terms));
	return receive_varlena(from, (void **) &terms->schedule);
}

/* ---------------------------------------------------------- period_commission */

PG_FUNCTION_INFO_V1(spm_period_commission_add);
PG_FUNCTION_INFO_V1(spm_period_commission_combine);
PG_FUNCTION_INFO_V1(spm_period_commission_serialize);
PG_FUNCTION_INFO_V1(spm_period_commission_deserialize);
PG_FUNCTION_INFO_V1(spm_period_commission_final);

static void
widen_period(Period *period, MemoryContext context)
{
	if (period->wide == NULL)
		period->wide = spm_copy_numeric(context, dec_from_int(period->sum, period->scale));
}

static void
add_wide(Period *period, MemoryContext context, Numeric amount)
{
	Numeric		old = period->wide;

	period->wide = spm_copy_numeric(context, dec_add(old, amount));
	pfree(old);
}

/* Adds where the sum stays within what the fast path takes. */
static bool
add_int(Period *period, int64 amount, int scale)
{
	int			finest = Max(period->scale, scale);
	int64		sum = period->sum;

	if (!spmk_rescale(&amount, scale, finest) ||
		!spmk_rescale(&sum, period->scale, finest) ||
		__builtin_add_overflow(sum, amount, &sum) ||
		sum > SPM_FAST_MAX || sum < -SPM_FAST_MAX)
		return false;
	period->sum = sum;
	period->scale = finest;
	return true;
}

/* spm._period_commission_add(state, amount, schedule [, places, rounding]) */
Datum
spm_period_commission_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	Period	   *period = PG_ARGISNULL(0) ? NULL : (Period *) PG_GETARG_POINTER(0);
	const void *schedule;
	int			places;
	SpmRounding rounding;
	int64		amount;
	int			scale;

	if (PG_ARGISNULL(1))
	{
		if (period == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(period);
	}
	get_terms(fcinfo, 2, &schedule, &places, &rounding);
	if (period == NULL)
	{
		period = MemoryContextAllocZero(context, sizeof(Period));
		copy_terms(context, &period->terms, schedule, places, rounding);
	}
	else
		check_terms(&period->terms, schedule, places, rounding);

	if (period->wide != NULL ||
		!spm_numeric_to_int(PG_GETARG_DATUM(1), &amount, &scale) ||
		!add_int(period, amount, scale))
	{
		Numeric		value = spm_dec_arg(PG_GETARG_DATUM(1), "amount");

		widen_period(period, context);
		add_wide(period, context, value);
	}
	PG_RETURN_POINTER(period);
}

Datum
spm_period_commission_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	Period	   *period = PG_ARGISNULL(0) ? NULL : (Period *) PG_GETARG_POINTER(0);
	Period	   *other = PG_ARGISNULL(1) ? NULL : (Period *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (period == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(period);
	}
	if (period == NULL)
	{
		period = MemoryContextAllocZero(context, sizeof(Period));
		copy_terms(context, &period->terms, other->terms.schedule,
				   other->terms.places, other->terms.rounding);
	}
	else
		check_terms(&period->terms, other->terms.schedule,
					other->terms.places, other->terms.rounding);
	if (period->wide != NULL || other->wide != NULL ||
		!add_int(period, other->sum, other->scale))
	{
		widen_period(period, context);
		add_wide(period, context, other->wide ? other->wide : dec_from_int(other->sum, other->scale));
	}
	PG_RETURN_POINTER(period);
}

Datum
spm_period_commission_serialize(PG_FUNCTION_ARGS)
{
	Period	   *period = (Period *) PG_GETARG_POINTER(0);
	int			size = period->wide ? VARSIZE(period->wide) : 0;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	send_terms(&out, &period->terms);
	appendBinaryStringInfo(&out, (char *) period, sizeof(Period));
	appendBinaryStringInfo(&out, (char *) &size, sizeof(size));
	if (size > 0)
		appendBinaryStringInfo(&out, (char *) period->wide, size);
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P((bytea *) out.data);
}

Datum
spm_period_commission_deserialize(PG_FUNCTION_ARGS)
{
	const char *from = VARDATA_ANY(PG_GETARG_BYTEA_PP(0));
	Period	   *period = palloc(sizeof(Period));
	Terms		terms;

	from = receive_terms(from, &terms);
	from = receive(from, period, sizeof(Period));
	period->terms = terms;
	receive_varlena(from, (void **) &period->wide);
	PG_RETURN_POINTER(period);
}

Datum
spm_period_commission_final(PG_FUNCTION_ARGS)
{
	Period	   *period = PG_ARGISNULL(0) ? NULL : (Period *) PG_GETARG_POINTER(0);
	Terms	   *terms;
	SpmFast		fast;
	SpmSchedule s;
	int64		earned;
	Dec			total;
	Dec			num;
	Dec			den;

	if (period == NULL || period->terms.schedule == NULL)
		PG_RETURN_NULL();
	terms = &period->terms;
	spm_schedule_absolute(terms->schedule);
	if (period->wide == NULL && spm_schedule_fast(terms->schedule, &fast) &&
		spmk_fast_earned(&fast, period->sum, period->scale, terms->places,
						 terms->rounding, &earned) == SPM_OK)
		return spm_int_numeric_datum(earned, terms->places);
	total = period->wide ? period->wide : dec_from_int(period->sum, period->scale);
	spm_schedule_unpack(terms->schedule, &s);
	if (spmk_earned(&s, total, &num, &den) == SPM_ERR_ABOVE_END)
		spm_schedule_above_end(&s, total);
	PG_RETURN_NUMERIC(spmk_round(num, den, terms->places, terms->rounding));
}

/* ----------------------------------------------------------- deal_commissions */

PG_FUNCTION_INFO_V1(spm_deal_commissions_add);
PG_FUNCTION_INFO_V1(spm_deal_commissions_add_text);
PG_FUNCTION_INFO_V1(spm_deal_commissions_combine);
PG_FUNCTION_INFO_V1(spm_deal_commissions_serialize);
PG_FUNCTION_INFO_V1(spm_deal_commissions_deserialize);
PG_FUNCTION_INFO_V1(spm_deal_commissions_final);

/* From here on amounts are numerics. */
static void
widen_deals(Deals *deals, MemoryContext context)
{
	if (deals->is_wide)
		return;
	for (int i = 0; i < deals->ndeals; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		deals->deals[i].amount.wide = dec_from_int(deals->deals[i].amount.scaled, deals->scale);
		MemoryContextSwitchTo(old);
	}
	deals->is_wide = true;
}

/* Brings all amounts to a finer scale; false, and none changed, if one does not fit. */
static bool
rescale_deals(Deals *deals, int scale)
{
	for (int i = 0; i < deals->ndeals; i++)
	{
		int64		amount = deals->deals[i].amount.scaled;

		if (!spmk_rescale(&amount, deals->scale, scale))
			return false;
	}
	for (int i = 0; i < deals->ndeals; i++)
		spmk_rescale(&deals->deals[i].amount.scaled, deals->scale, scale);
	deals->scale = scale;
	return true;
}

/* Takes an amount in, and says how it is kept in *deal. */
static void
set_amount(Deals *deals, MemoryContext context, Deal *deal, Datum value)
{
	int64		amount;
	int			scale;

	if (!deals->is_wide && spm_amount_to_int(value, &amount, &scale))
	{
		if (scale <= deals->scale ? spmk_rescale(&amount, scale, deals->scale) :
			rescale_deals(deals, scale))
		{
			deal->amount.scaled = amount;
			return;
		}
	}
	widen_deals(deals, context);
	{
		Numeric		wide = spm_dec_arg(value, "amount");

		scale = DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(wide)));
		deals->scale = Max(deals->scale, scale);
		deal->amount.wide = spm_copy_numeric(context, wide);
	}
}

static Deals *
new_deals(MemoryContext context, bool text_keys, const void *schedule, int places, SpmRounding rounding)
{
	Deals	   *deals = MemoryContextAllocZero(context, sizeof(Deals));

	deals->text_keys = text_keys;
	copy_terms(context, &deals->terms, schedule, places, rounding);
	return deals;
}

static Datum
add_deal(FunctionCallInfo fcinfo, bool text_keys)
{
	MemoryContext context = state_context(fcinfo);
	Deals	   *deals = PG_ARGISNULL(0) ? NULL : (Deals *) PG_GETARG_POINTER(0);
	const void *schedule;
	int			places;
	SpmRounding rounding;
	Deal		deal;

	/* arguments: state, date, key, amount, schedule */
	if (PG_ARGISNULL(3))
	{
		if (deals == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(deals);
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a deal has no %s", PG_ARGISNULL(1) ? "date" : "key"),
				 errdetail("Without it the order of the deals is not defined.")));
	get_terms(fcinfo, 4, &schedule, &places, &rounding);
	if (deals == NULL)
		deals = new_deals(context, text_keys, schedule, places, rounding);
	else
		check_terms(&deals->terms, schedule, places, rounding);

	deal.date = PG_GETARG_DATEADT(1);
	deal.key_len = 0;
	set_amount(deals, context, &deal, PG_GETARG_DATUM(3));
	if (text_keys)
	{
		text	   *key = PG_GETARG_TEXT_PP(2);

		deal.key_len = VARSIZE_ANY_EXHDR(key);
		deal.key.at = spm_add_deal_key(deals, context, VARDATA_ANY(key), deal.key_len);
	}
	else
		deal.key.number = PG_GETARG_INT64(2);
	*spm_new_deal(deals, context) = deal;
	PG_RETURN_POINTER(deals);
}

/* spm._deal_commissions_add(state, deal_date, deal_key bigint, amount, schedule [, places, rounding]) */
Datum
spm_deal_commissions_add(PG_FUNCTION_ARGS)
{
	return add_deal(fcinfo, false);
}

/* The same with text keys. */
Datum
spm_deal_commissions_add_text(PG_FUNCTION_ARGS)
{
	return add_deal(fcinfo, true);
}

/* The second state may die before us: copy what it holds, never adopt it. */
Datum
spm_deal_commissions_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	Deals	   *deals = PG_ARGISNULL(0) ? NULL : (Deals *) PG_GETARG_POINTER(0);
	Deals	   *other = PG_ARGISNULL(1) ? NULL : (Deals *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (deals == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(deals);
	}
	if (deals == NULL)
		deals = new_deals(context, other->text_keys, other->terms.schedule,
						  other->terms.places, other->terms.rounding);
	else
		check_terms(&deals->terms, other->terms.schedule,
					other->terms.places, other->terms.rounding);

	/* One scale, or none of the two fits: then both are wide. */
	if (!deals->is_wide && !other->is_wide && deals->scale < other->scale)
		if (!rescale_deals(deals, other->scale))
			widen_deals(deals, context);
	for (int i = 0; i < other->ndeals; i++)
	{
		Deal		deal = other->deals[i];

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (deals->is_wide || other->is_wide ||
			!spmk_rescale(&deal.amount.scaled, other->scale, deals->scale))
		{
			widen_deals(deals, context);
			if (other->is_wide)
				deal.amount.wide = spm_copy_numeric(context, deal.amount.wide);
			else
			{
				MemoryContext old = MemoryContextSwitchTo(context);

				deal.amount.wide = dec_from_int(deal.amount.scaled, other->scale);
				MemoryContextSwitchTo(old);
			}
		}
		if (deals->text_keys)
			deal.key.at = spm_add_deal_key(deals, context, other->keys + deal.key.at, deal.key_len);
		*spm_new_deal(deals, context) = deal;
	}
	deals->scale = Max(deals->scale, other->scale);
	PG_RETURN_POINTER(deals);
}

Datum
spm_deal_commissions_serialize(PG_FUNCTION_ARGS)
{
	Deals	   *deals = (Deals *) PG_GETARG_POINTER(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	send_terms(&out, &deals->terms);
	appendBinaryStringInfo(&out, (char *) deals, sizeof(Deals));
	if ((Size) deals->ndeals * sizeof(Deal) + deals->keys_len > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many deals in one group"),
				 errhint("SET max_parallel_workers_per_gather = 0, or use shorter periods.")));
	appendBinaryStringInfo(&out, (char *) deals->deals, deals->ndeals * sizeof(Deal));
	if (deals->keys_len > 0)
		appendBinaryStringInfo(&out, deals->keys, deals->keys_len);
	for (int i = 0; deals->is_wide && i < deals->ndeals; i++)
	{
		int			size = VARSIZE(deals->deals[i].amount.wide);

		appendBinaryStringInfo(&out, (char *) &size, sizeof(size));
		appendBinaryStringInfo(&out, (char *) deals->deals[i].amount.wide, size);
	}
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P((bytea *) out.data);
}

Datum
spm_deal_commissions_deserialize(PG_FUNCTION_ARGS)
{
	const char *from = VARDATA_ANY(PG_GETARG_BYTEA_PP(0));
	Deals	   *deals = palloc(sizeof(Deals));
	Terms		terms;

	from = receive_terms(from, &terms);
	from = receive(from, deals, sizeof(Deals));
	deals->terms = terms;
	deals->space = deals->ndeals;
	deals->keys_space = deals->keys_len;
	deals->deals = palloc(deals->ndeals * sizeof(Deal));
	from = receive(from, deals->deals, deals->ndeals * sizeof(Deal));
	if (deals->keys_len > 0)
	{
		deals->keys = palloc(deals->keys_len);
		from = receive(from, deals->keys, deals->keys_len);
	}
	for (int i = 0; deals->is_wide && i < deals->ndeals; i++)
		from = receive_varlena(from, (void **) &deals->deals[i].amount.wide);
	PG_RETURN_POINTER(deals);
}

/* ---- in order: date, key, amount */

static inline int
compare_numbers(const Deal *a, const Deal *b)
{
	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	if (a->key.number != b->key.number)
		return a->key.number < b->key.number ? -1 : 1;
	if (a->amount.scaled != b->amount.scaled)
		return a->amount.scaled < b->amount.scaled ? -1 : 1;
	return 0;
}

static int
compare_any(const Deal *a, const Deal *b, const Deals *deals)
{
	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	if (deals->text_keys)
	{
		int			order = memcmp(deals->keys + a->key.at, deals->keys + b->key.at,
								   Min(a->key_len, b->key_len));

		if (order != 0)
			return order;
		if (a->key_len != b->key_len)
			return a->key_len < b->key_len ? -1 : 1;
	}
	else if (a->key.number != b->key.number)
		return a->key.number < b->key.number ? -1 : 1;
	if (deals->is_wide)
		return dec_cmp(a->amount.wide, b->amount.wide);
	if (a->amount.scaled != b->amount.scaled)
		return a->amount.scaled < b->amount.scaled ? -1 : 1;
	return 0;
}

#define ST_SORT sort_numbers
#define ST_ELEMENT_TYPE Deal
#define ST_COMPARE(a, b) compare_numbers(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_any
#define ST_ELEMENT_TYPE Deal
#define ST_COMPARE(a, b, deals) compare_any(a, b, deals)
#define ST_COMPARE_ARG_TYPE const Deals
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Both look first whether all is in order already, as it mostly is. */
static void
sort_deals(Deals *deals)
{
	if (deals->text_keys || deals->is_wide)
		sort_any(deals->deals, deals->ndeals, deals);
	else
		sort_numbers(deals->deals, deals->ndeals);
}

/* ---- the result: an array of composites, written element by element */

typedef struct DealArray
{
	char	   *data;
	Size		len;
	Size		space;
	TupleDesc	tupdesc;
	Size		hoff;
	char		header[64];		/* as the server makes it; the same for all rows */
	const Deals *deals;
} DealArray;

static char *
reserve(DealArray *r, Size size)
{
	if (r->len + size > r->space)
	{
		Size		space = Min(Max(r->len + size, r->space * 2), MaxAllocSize);

		if (r->len + size > MaxAllocSize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many deals in one group"),
					 errdetail("The result of %d deals would not fit an array of 1 GB.", r->deals->ndeals),
					 errhint("Use shorter periods, or spm.period_commission() for the total.")));
		r->data = repalloc(r->data, space);
		r->space = space;
	}
	return r->data + r->len;
}

static void
put_row(DealArray *r, const Deal *deal, Datum amount, Datum total, Datum commission)
{
	bool		nulls[5] = {false};
	Datum		values[5];
	char		number[VARHDRSZ_SHORT + MAXINT8LEN + 1];
	Size		data_size;
	Size		size;
	HeapTupleHeader tuple;

	if (r->deals->text_keys)
	{
		/* Room for the header was not kept with the key. */
		text	   *key = cstring_to_text_with_len(r->deals->keys + deal->key.at, deal->key_len);

		values[0] = PointerGetDatum(key);
	}
	else
	{
		int			len = pg_lltoa(deal->key.number, number + VARHDRSZ_SHORT);

		SET_VARSIZE_SHORT(number, VARHDRSZ_SHORT + len);
		values[0] = PointerGetDatum(number);
	}
	values[1] = DateADTGetDatum(deal->date);
	values[2] = amount;
	values[3] = total;
	values[4] = commission;
	if (r->hoff == 0)
	{
		HeapTuple	first = heap_form_tuple(r->tupdesc, values, nulls);
		Datum		datum = heap_copy_tuple_as_datum(first, r->tupdesc);

		r->hoff = first->t_data->t_hoff;
		if (r->hoff > sizeof(r->header))
			elog(ERROR, "tuple header is too long");
		memcpy(r->header, DatumGetPointer(datum), r->hoff);
	}
	data_size = heap_compute_data_size(r->tupdesc, values, nulls);
	size = MAXALIGN(r->hoff + data_size);
	tuple = (HeapTupleHeader) reserve(r, size);
	memset(tuple, 0, size);
	memcpy(tuple, r->header, r->hoff);
	HeapTupleHeaderSetDatumLength(tuple, r->hoff + data_size);
	heap_fill_tuple(r->tupdesc, values, nulls, (char *) tuple + r->hoff, data_size,
					&tuple->t_infomask, NULL);
	r->len += size;
	if (r->deals->text_keys)
		pfree(DatumGetPointer(values[0]));
}

/* In integers; false, at whatever row, if they do not hold it. */
static bool
put_rows_int(DealArray *r, const Deals *deals)
{
	const Terms *terms = &deals->terms;
	SpmFast		fast;
	int64		total = 0;
	int64		earned = 0;

	if (deals->is_wide || !spm_schedule_fast(terms->schedule, &fast))
		return false;
	for (int i = 0; i < deals->ndeals; i++)
	{
		const Deal *deal = &deals->deals[i];
		int64		before = earned;
		char		amounts[3][SPM_NUMERIC_ROOM];

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		total += deal->amount.scaled;
		if (total > SPM_FAST_MAX || total < -SPM_FAST_MAX ||
			spmk_fast_earned(&fast, total, deals->scale, terms->places,
							 terms->rounding, &earned) != SPM_OK ||
			Abs(earned - before) > SPM_FAST_MAX)
			return false;
		spm_int_to_numeric(deal->amount.scaled, deals->scale, amounts[0]);
		spm_int_to_numeric(total, deals->scale, amounts[1]);
		spm_int_to_numeric(earned - before, terms->places, amounts[2]);
		put_row(r, deal, PointerGetDatum(amounts[0]), PointerGetDatum(amounts[1]),
				PointerGetDatum(amounts[2]));
	}
	return true;
}

static void
put_rows_dec(DealArray *r, const Deals *deals)
{
	const Terms *terms = &deals->terms;
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext row = AllocSetContextCreate(outer, "spm deal", ALLOCSET_DEFAULT_SIZES);
	SpmSchedule s;
	Dec			total = dec_from_int(0, 0);
	Dec			earned = dec_from_int(0, 0);
	Datum		scale = Int32GetDatum(deals->scale);

	spm_schedule_unpack(terms->schedule, &s);
	for (int i = 0; i < deals->ndeals; i++)
	{
		const Deal *deal = &deals->deals[i];
		Dec			amount;
		Dec			new_total;
		Dec			new_earned;
		Dec			num;
		Dec			den;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(row);
		amount = deals->is_wide ? deal->amount.wide : dec_from_int(deal->amount.scaled, deals->scale);
		new_total = dec_add(total, amount);
		if (spmk_earned(&s, new_total, &num, &den) == SPM_ERR_ABOVE_END)
			spm_schedule_above_end(&s, new_total);
		new_earned = spmk_round(num, den, terms->places, terms->rounding);

		/* The array grows where it was born. */
		put_row(r, deal,
				DirectFunctionCall2(numeric_round, NumericGetDatum(amount), scale),
				DirectFunctionCall2(numeric_round, NumericGetDatum(new_total), scale),
				NumericGetDatum(dec_sub(new_earned, earned)));
		MemoryContextSwitchTo(outer);
		pfree(total);
		pfree(earned);
		total = spm_copy_numeric(outer, new_total);
		earned = spm_copy_numeric(outer, new_earned);
		MemoryContextReset(row);
	}
	MemoryContextDelete(row);
}

/* The deals by their schedule, in order. */
static Datum
rate_deals(FunctionCallInfo fcinfo, Deals *deals)
{
	Size		head = ARR_OVERHEAD_NONULLS(1);
	DealArray		r;
	ArrayType  *array;
	Oid			element = (Oid) (uintptr_t) fcinfo->flinfo->fn_extra;

	if (!OidIsValid(element))
	{
		element = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
		fcinfo->flinfo->fn_extra = (void *) (uintptr_t) element;
	}
	spm_schedule_absolute(deals->terms.schedule);
	sort_deals(deals);

	r.deals = deals;
	r.hoff = 0;
	r.tupdesc = lookup_rowtype_tupdesc(element, -1);
	if (r.tupdesc->natts != 5)
		elog(ERROR, "type of a deal's commission has %d columns", r.tupdesc->natts);
	r.len = head;
	r.space = head + deals->ndeals * (Size) 96;
	r.space = Min(r.space, MaxAllocSize);
	r.data = palloc(r.space);
	if (!put_rows_int(&r, deals))
	{
		r.len = head;
		put_rows_dec(&r, deals);
	}
	ReleaseTupleDesc(r.tupdesc);

	array = (ArrayType *) r.data;
	memset(array, 0, head);
	SET_VARSIZE(array, r.len);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = element;
	ARR_DIMS(array)[0] = deals->ndeals;
	ARR_LBOUND(array)[0] = 1;
	PG_RETURN_ARRAYTYPE_P(array);
}

Datum
spm_deal_commissions_final(PG_FUNCTION_ARGS)
{
	Deals	   *deals = PG_ARGISNULL(0) ? NULL : (Deals *) PG_GETARG_POINTER(0);

	if (deals == NULL || deals->terms.schedule == NULL)
		PG_RETURN_NULL();
	return rate_deals(fcinfo, deals);
}

/* Collected first, rated later: spm.deals(), and what its result earns. */
PG_FUNCTION_INFO_V1(spm_deals_final);
PG_FUNCTION_INFO_V1(spm_deal_commissions_of);

Datum
spm_deals_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(spm_deals_pack((Deals *) PG_GETARG_POINTER(0)));
}

/* spm.deal_commissions(deals, schedule, places, rounding) */
Datum
spm_deal_commissions_of(PG_FUNCTION_ARGS)
{
	Deals	   *deals = spm_deals_unpack(PG_GETARG_BYTEA_PP(0));

	deals->terms.schedule = PG_GETARG_RATE_SCHEDULE(1);
	deals->terms.places = spm_places_arg(PG_GETARG_INT32(2));
	deals->terms.rounding = spm_rounding_arg(PG_GETARG_TEXT_PP(3));
	return rate_deals(fcinfo, deals);
}
