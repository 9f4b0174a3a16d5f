/*
 * forecast_state.c
 *	  Dated rows that an aggregate gathers.
 *
 * A state is a few words and the rows, 16 bytes each, in one chunk that doubles:
 * 62 rows take 1 kB.  Rows are put in order at the end only, by date and then by
 * value, so neither the order in which they come nor the number of workers has a
 * say in what is summed after what.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "fmgr.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "forecast_state.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_forecast_add_date);
PG_FUNCTION_INFO_V1(spm_forecast_add_timestamp);
PG_FUNCTION_INFO_V1(spm_forecast_add_timestamptz);
PG_FUNCTION_INFO_V1(spm_forecast_add_date_numeric);
PG_FUNCTION_INFO_V1(spm_forecast_add_timestamp_numeric);
PG_FUNCTION_INFO_V1(spm_forecast_add_timestamptz_numeric);
PG_FUNCTION_INFO_V1(spm_series_add_date);
PG_FUNCTION_INFO_V1(spm_series_add_timestamp);
PG_FUNCTION_INFO_V1(spm_series_add_timestamptz);
PG_FUNCTION_INFO_V1(spm_forecast_combine);
PG_FUNCTION_INFO_V1(spm_forecast_serialize);
PG_FUNCTION_INFO_V1(spm_forecast_deserialize);

/* Of a chunk that holds 14 rows. */
#define FIRST_SIZE 256

#define STATE_SIZE(room)	(offsetof(SeriesState, rows) + (Size) (room) * sizeof(SpmMoment))
#define STATE_ROOM(size)	(((size) - offsetof(SeriesState, rows)) / sizeof(SpmMoment))

/* A power of 2, as allocators like it, with room for n. */
static Size
chunk_size(int64 n)
{
	Size		size = FIRST_SIZE;

	while (size < STATE_SIZE(n))
		size *= 2;
	return size;
}

static SeriesState *
new_state(MemoryContext context, const ForecastOptions *options, int32 horizon, bool is_instant, int64 n)
{
	Size		size = chunk_size(n);
	SeriesState *state = MemoryContextAllocHuge(context, size);

	state->options = options;
	state->n = 0;
	state->room = STATE_ROOM(size);
	state->horizon = horizon;
	state->is_instant = is_instant;
	return state;
}

static SeriesState *
reserve(SeriesState *state, int64 more)
{
	Size		size;

	if (state->n + more <= state->room)
		return state;
	size = chunk_size(state->n + more);
	state = repalloc_huge(state, size);
	state->room = STATE_ROOM(size);
	return state;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

SPM_NORETURN static void
horizons_differ(int32 one, int32 other)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("horizon must be the same for all rows of a series"),
			 errdetail("It is %d and %d.", one, other)));
}

SPM_NORETURN static void
options_differ(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("options must be the same for all rows of a series")));
}

/* What the arguments of a state function are. */
typedef enum Arguments
{
	HAS_HORIZON = 1,			/* after the value; without, what is gathered is only made a series */
	IS_INSTANT = 2,				/* a moment is of UTC */
	IS_NUMERIC = 4				/* the value is */
} Arguments;

static SeriesState *
first_state(FunctionCallInfo fcinfo, Arguments kind, Jsonb *json)
{
	MemoryContext context = aggregate_context(fcinfo);
	int32		horizon = 0;

	if (kind & HAS_HORIZON)
	{
		if (PG_ARGISNULL(3))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("horizon must not be null"),
					 errhint("It is the number of periods to come.")));
		horizon = PG_GETARG_INT32(3);
		spm_check_horizon(horizon);
	}
	return new_state(context, spm_forecast_options(fcinfo->flinfo, context, json), horizon, (kind & IS_INSTANT) != 0, 0);
}

/* The options of this row, its last argument; NULL: none. */
static inline Jsonb *
options_arg(FunctionCallInfo fcinfo, Arguments kind)
{
	int			arg = kind & HAS_HORIZON ? 4 : 3;

	return PG_NARGS() > arg && !PG_ARGISNULL(arg) ? PG_GETARG_JSONB_P(arg) : NULL;
}

static inline double
value_arg(FunctionCallInfo fcinfo, Arguments kind)
{
	double		value;

	if (PG_ARGISNULL(2))
		return NAN;
	value = kind & IS_NUMERIC ? spm_double_of_numeric(PG_GETARG_DATUM(2)) : PG_GETARG_FLOAT8(2);
	if (!spmk_is_solvable(value))
		spm_check_value(value, "value");
	return value;
}

/*
 * Arguments are state, moment, value, the horizon of a forecast and perhaps
 * options; 'at' is the moment in microseconds.
 */
static inline Datum
add(FunctionCallInfo fcinfo, int64 at, Arguments kind)
{
	SeriesState *state = PG_ARGISNULL(0) ? NULL : (SeriesState *) PG_GETARG_POINTER(0);
	Jsonb	   *json = options_arg(fcinfo, kind);

	if (state == NULL)
		state = first_state(fcinfo, kind, json);
	else if ((kind & HAS_HORIZON) && (PG_ARGISNULL(3) || PG_GETARG_INT32(3) != state->horizon))
		horizons_differ(state->horizon, PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3));
	else if (!spm_same_options(state->options->json, json))
		options_differ();

	if (state->n == state->room)
		state = reserve(state, 1);
	state->rows[state->n++] = (SpmMoment) {at, value_arg(fcinfo, kind)};
	PG_RETURN_POINTER(state);
}

/* A row of an outer join that found nothing is none; an amount without a day cannot be left out without a word. */
static Datum
add_nothing(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a value has no date"),
				 errhint("Give it one, or leave it out: FILTER (WHERE ... IS NOT NULL).")));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

void
spm_no_moment(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("a date of a series is infinite, or beyond what a timestamp holds"),
			 errhint("Leave such rows out: FILTER (WHERE isfinite(...)).")));
}

static inline Datum
add_date(FunctionCallInfo fcinfo, Arguments kind)
{
	DateADT		day = PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1);
	int64		at;

	if (PG_ARGISNULL(1))
		return add_nothing(fcinfo);
	if (DATE_NOT_FINITE(day) || pg_mul_s64_overflow(day, USECS_PER_DAY, &at) || !IS_VALID_TIMESTAMP(at))
		spm_no_moment();
	return add(fcinfo, at, kind);
}

/* Both kinds of timestamp are the same number of microseconds. */
static inline Datum
add_timestamp(FunctionCallInfo fcinfo, Arguments kind)
{
	if (PG_ARGISNULL(1))
		return add_nothing(fcinfo);
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMP(1)))
		spm_no_moment();
	return add(fcinfo, PG_GETARG_TIMESTAMP(1), kind);
}

/* spm.forecast(at, value, horizon [, options]), at and value of all their types */
Datum
spm_forecast_add_date(PG_FUNCTION_ARGS)
{
	return add_date(fcinfo, HAS_HORIZON);
}

Datum
spm_forecast_add_timestamp(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, HAS_HORIZON);
}

Datum
spm_forecast_add_timestamptz(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, HAS_HORIZON | IS_INSTANT);
}

Datum
spm_forecast_add_date_numeric(PG_FUNCTION_ARGS)
{
	return add_date(fcinfo, HAS_HORIZON | IS_NUMERIC);
}

Datum
spm_forecast_add_timestamp_numeric(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, HAS_HORIZON | IS_NUMERIC);
}

Datum
spm_forecast_add_timestamptz_numeric(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, HAS_HORIZON | IS_INSTANT | IS_NUMERIC);
}

/* spm.series(at, value [, options]) */
Datum
spm_series_add_date(PG_FUNCTION_ARGS)
{
	return add_date(fcinfo, 0);
}

Datum
spm_series_add_timestamp(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, 0);
}

Datum
spm_series_add_timestamptz(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, IS_INSTANT);
}

/* The second state may die before us: copy what it holds, never adopt it. */
Datum
spm_forecast_combine(PG_FUNCTION_ARGS)
{
	SeriesState *state = PG_ARGISNULL(0) ? NULL : (SeriesState *) PG_GETARG_POINTER(0);
	SeriesState *other = PG_ARGISNULL(1) ? NULL : (SeriesState *) PG_GETARG_POINTER(1);

	if (other == NULL && state == NULL)
		PG_RETURN_NULL();
	if (other == NULL)
		PG_RETURN_POINTER(state);
	if (state == NULL)
	{
		MemoryContext context = aggregate_context(fcinfo);

		state = new_state(context, spm_forecast_options(fcinfo->flinfo, context, other->options->json),
						  other->horizon, other->is_instant, other->n);
	}
	if (state->horizon != other->horizon)
		horizons_differ(Min(state->horizon, other->horizon), Max(state->horizon, other->horizon));
	if (!spm_same_options(state->options->json, other->options->json))
		options_differ();
	state = reserve(state, other->n);
	memcpy(state->rows + state->n, other->rows, other->n * sizeof(SpmMoment));
	state->n += other->n;
	PG_RETURN_POINTER(state);
}

/* What goes before the rows and the options; a bytea is not aligned for it. */
typedef struct PackedHeader
{
	int64		n;
	int32		horizon;
	bool		is_instant;
	bool		has_options;
} PackedHeader;

/* Only ever read back by a process of the same server: raw bytes will do. */
Datum
spm_forecast_serialize(PG_FUNCTION_ARGS)
{
	SeriesState *state = (SeriesState *) PG_GETARG_POINTER(0);
	Jsonb	   *json = state->options->json;
	PackedHeader header = {state->n, state->horizon, state->is_instant, json != NULL};
	Size		rows = state->n * sizeof(SpmMoment);
	Size		size = VARHDRSZ + sizeof(header) + rows + (json ? VARSIZE(json) : 0);
	bytea	   *bytes;
	char	   *out;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows of one series for one parallel worker"),
				 errdetail("A worker hands over at most 1 GB; it has gathered " INT64_FORMAT " rows.", state->n),
				 errhint("SET max_parallel_workers_per_gather = 0;")));
	bytes = palloc(size);
	SET_VARSIZE(bytes, size);
	out = VARDATA(bytes);
	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), state->rows, rows);
	if (json)
		memcpy(out + sizeof(header) + rows, json, VARSIZE(json));
	PG_RETURN_BYTEA_P(bytes);
}

Datum
spm_forecast_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	char	   *in = VARDATA_ANY(bytes);
	PackedHeader header;
	Jsonb	   *json = NULL;
	SeriesState *state;

	memcpy(&header, in, sizeof(header));
	in += sizeof(header);
	if (header.has_options)
	{
		Size		rows = header.n * sizeof(SpmMoment);
		Size		size = VARSIZE_ANY_EXHDR(bytes) - sizeof(header) - rows;

		json = palloc(size);
		memcpy(json, in + rows, size);
	}
	state = new_state(CurrentMemoryContext, spm_forecast_options(fcinfo->flinfo, CurrentMemoryContext, json),
					  header.horizon, header.is_instant, header.n);
	state->n = header.n;
	memcpy(state->rows, in, header.n * sizeof(SpmMoment));
	PG_RETURN_POINTER(state);
}
