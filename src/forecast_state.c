/*
 * forecast_state.c
 *	  Dated rows that an aggregate gathers, and the forecast of the series that
 *	  they make.
 *
 * A state is a few words and the rows, 16 bytes each, in one chunk that doubles:
 * 62 rows take 1 kB.  Rows are put in order at the end only, by date and then by
 * value, so neither the order in which they come nor the number of workers has a
 * say in what is summed after what.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "forecast.h"
#include "forecast_options.h"

PG_FUNCTION_INFO_V1(spm_forecast_add_date);
PG_FUNCTION_INFO_V1(spm_forecast_add_timestamp);
PG_FUNCTION_INFO_V1(spm_forecast_add_timestamptz);
PG_FUNCTION_INFO_V1(spm_series_add_date);
PG_FUNCTION_INFO_V1(spm_series_add_timestamp);
PG_FUNCTION_INFO_V1(spm_series_add_timestamptz);
PG_FUNCTION_INFO_V1(spm_forecast_combine);
PG_FUNCTION_INFO_V1(spm_forecast_serialize);
PG_FUNCTION_INFO_V1(spm_forecast_deserialize);
PG_FUNCTION_INFO_V1(spm_forecast_final);
PG_FUNCTION_INFO_V1(spm_series_final);

/* Of a chunk that holds 14 rows. */
#define FIRST_SIZE 256

typedef struct SeriesState
{
	const ForecastOptions *options;
	int64		n;
	int64		room;			/* rows that there is room for */
	int32		horizon;
	bool		is_instant;		/* moments are of UTC, not of a clock on the wall */
	SpmMoment	rows[FLEXIBLE_ARRAY_MEMBER];
} SeriesState;

#define STATE_SIZE(room)	(offsetof(SeriesState, rows) + (Size) (room) * sizeof(SpmMoment))
#define STATE_ROOM(size)	(((size) - offsetof(SeriesState, rows)) / sizeof(SpmMoment))

/* A chunk whose size is a power of 2, as allocators like it, with room for n. */
static SeriesState *
new_state(MemoryContext context, const ForecastOptions *options, int32 horizon, bool is_instant, int64 n)
{
	Size		size = FIRST_SIZE;
	SeriesState *state;

	while (size < STATE_SIZE(n))
		size *= 2;
	state = MemoryContextAllocHuge(context, size);
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
	Size		size = STATE_SIZE(state->room);

	if (state->n + more <= state->room)
		return state;
	size = FIRST_SIZE;
	while (size < STATE_SIZE(state->n + more))
		size *= 2;
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

static SeriesState *
first_state(FunctionCallInfo fcinfo, bool is_instant, bool has_horizon, Jsonb *json)
{
	MemoryContext context = aggregate_context(fcinfo);

	if (has_horizon && PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("horizon must not be null"),
				 errhint("It is the number of periods to come.")));
	if (has_horizon)
		spm_check_horizon(PG_GETARG_INT32(3));
	return new_state(context, spm_forecast_options(fcinfo->flinfo, context, json),
					 has_horizon ? PG_GETARG_INT32(3) : 0, is_instant, 0);
}

/* The options of this row, its last argument; NULL: none. */
static Jsonb *
options_arg(FunctionCallInfo fcinfo, bool has_horizon)
{
	int			arg = has_horizon ? 4 : 3;

	return PG_NARGS() > arg && !PG_ARGISNULL(arg) ? PG_GETARG_JSONB_P(arg) : NULL;
}

/*
 * Arguments are state, moment, value, the horizon of a forecast and perhaps
 * options; 'at' is the moment in microseconds.
 */
static inline Datum
add(FunctionCallInfo fcinfo, int64 at, bool is_instant, bool has_horizon)
{
	SeriesState *state = PG_ARGISNULL(0) ? NULL : (SeriesState *) PG_GETARG_POINTER(0);
	Jsonb	   *json = options_arg(fcinfo, has_horizon);
	double		value = NAN;

	if (state == NULL)
		state = first_state(fcinfo, is_instant, has_horizon, json);
	else if (has_horizon && (PG_ARGISNULL(3) || PG_GETARG_INT32(3) != state->horizon))
		horizons_differ(state->horizon, PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3));
	else if (!spm_same_options(state->options->json, json))
		options_differ();

	if (!PG_ARGISNULL(2))
	{
		value = PG_GETARG_FLOAT8(2);
		if (!spmk_is_solvable(value))
			spm_check_value(value, "value");
	}
	if (state->n == state->room)
		state = reserve(state, 1);
	state->rows[state->n++] = (SpmMoment) {at, value};
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
				 errdetail("It is %g.", PG_GETARG_FLOAT8(2)),
				 errhint("Give it one, or leave it out: FILTER (WHERE ... IS NOT NULL).")));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

SPM_NORETURN static void
no_moment(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("a date of a series is infinite, or beyond what a timestamp holds"),
			 errhint("Leave such rows out: FILTER (WHERE isfinite(...)).")));
}

static inline Datum
add_date(FunctionCallInfo fcinfo, bool has_horizon)
{
	DateADT		day = PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1);
	int64		at;

	if (PG_ARGISNULL(1))
		return add_nothing(fcinfo);
	if (DATE_NOT_FINITE(day) || pg_mul_s64_overflow(day, USECS_PER_DAY, &at) || !IS_VALID_TIMESTAMP(at))
		no_moment();
	return add(fcinfo, at, false, has_horizon);
}

static inline Datum
add_timestamp(FunctionCallInfo fcinfo, bool is_instant, bool has_horizon)
{
	if (PG_ARGISNULL(1))
		return add_nothing(fcinfo);
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMP(1)))
		no_moment();
	return add(fcinfo, PG_GETARG_TIMESTAMP(1), is_instant, has_horizon);
}

/* spm.forecast(at, value, horizon [, options]) */
Datum
spm_forecast_add_date(PG_FUNCTION_ARGS)
{
	return add_date(fcinfo, true);
}

Datum
spm_forecast_add_timestamp(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, false, true);
}

Datum
spm_forecast_add_timestamptz(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, true, true);
}

/* spm.series(at, value [, options]) */
Datum
spm_series_add_date(PG_FUNCTION_ARGS)
{
	return add_date(fcinfo, false);
}

Datum
spm_series_add_timestamp(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, false, false);
}

Datum
spm_series_add_timestamptz(PG_FUNCTION_ARGS)
{
	return add_timestamp(fcinfo, true, false);
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

/* Where instants lie on the clocks of a zone. */
static SpmMoment *
on_the_clock(const SeriesState *state)
{
	SpmMoment  *local = MemoryContextAllocHuge(CurrentMemoryContext, state->n * sizeof(SpmMoment));

	for (int64 i = 0; i < state->n; i++)
	{
		struct pg_tm tm;
		fsec_t		fsec;
		int			offset;

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (timestamp2tm(state->rows[i].at, &offset, &tm, &fsec, NULL, state->options->zone) != 0 ||
			tm2timestamp(&tm, fsec, NULL, &local[i].at) != 0)
			no_moment();
		local[i].value = state->rows[i].value;
	}
	return local;
}

static int
moment_order(const void *a, const void *b, void *arg)
{
	return spmk_moment_order(a, b);
}

/* As ISO 8601 has it, whatever DateStyle is. */
static char *
moment_text(int64 at)
{
	char	   *text = palloc(MAXDATELEN + 1);
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		return "one that a timestamp cannot hold";
	EncodeDateTime(&tm, fsec, false, 0, NULL, USE_ISO_DATES, text);
	return text;
}

SPM_NORETURN static void
no_step(SpmGridStatus status, const SpmMoment *rows, int64 n)
{
	const char *why = status == SPM_GRID_SINGLE ? "There is one date alone, %s."
		: status == SPM_GRID_SPARSE ? "Dates are from %s to %s, with too many left out to tell."
		: "Dates are from %s to %s, at all times of the day.";

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the periods of a series cannot be told from its dates"),
			 errdetail(why, moment_text(rows[0].at), moment_text(rows[n - 1].at)),
			 errhint("Say how long a period is: spm.forecast(at, value, horizon, '{\"step\": \"month\"}').")));
}

static SpmGrid
series_grid(const ForecastOptions *options, const SpmMoment *rows, int64 n)
{
	SpmGrid		grid = {options->step, 0};
	SpmGridStatus status;

	if (options->has_step)
		return grid;
	status = spmk_grid_find(rows, n, &grid);
	if (status != SPM_GRID_OK)
		no_step(status, rows, n);
	return grid;
}

/* Seasons that periods of this length usually have, the longer one only where there are three of it. */
static int
usual_seasons(SpmStep step, int n, int *seasons)
{
	static const int usual[SPM_STEPS][2] = {
		[SPM_STEP_HOUR] = {24, 168},
		[SPM_STEP_DAY] = {7, 365},
		[SPM_STEP_WEEK] = {52, 0},
		[SPM_STEP_MONTH] = {12, 0},
		[SPM_STEP_QUARTER] = {4, 0},
		[SPM_STEP_HALF] = {2, 0}
	};

	seasons[0] = usual[step][0];
	seasons[1] = usual[step][1];
	return (seasons[0] > 0) + (seasons[1] > 0 && n >= 3 * seasons[1]);
}

/* The values of n periods, gaps filled. */
static double *
series_values(const ForecastOptions *options, SpmGrid grid, const SpmMoment *rows, int64 nrows, int64 first, int n)
{
	double	   *y = palloc(n * sizeof(double));
	int			gap;

	spmk_grid_fill(grid, rows, nrows, options->combine, first, y, n);
	gap = spmk_fill_gaps(y, n, options->gaps);
	if (gap >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 options->gaps == SPM_GAPS_REFUSE
				 ? errmsg("a period of a series has no value")
				 : errmsg("no period of a series has a value"),
				 errdetail("It is the %s that begins %s.", spmk_step_name(grid.step), moment_text(spmk_grid_start(grid, first + gap))),
				 errhint("Option \"gaps\" says what such a period has: zero, interpolate or last.")));
	for (int t = 0; t < n; t++)
	{
		/* what rounding leaves of sums that cancel out */
		if (fabs(y[t]) < SPM_SOLVE_LEAST)
			y[t] = 0;
		else if (!spmk_is_solvable(y[t]))
			spm_check_value(y[t], psprintf("value of the %s that begins %s", spmk_step_name(grid.step),
										   moment_text(spmk_grid_start(grid, first + t))));
	}
	return y;
}

static Datum *
period_starts(SpmGrid grid, int64 first, int h)
{
	Datum	   *periods = palloc(h * sizeof(Datum));

	for (int i = 0; i < h; i++)
	{
		int64		start = spmk_grid_start(grid, first + i);

		if (!IS_VALID_TIMESTAMP(start))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("a forecast reaches beyond what a timestamp holds"),
					 errhint("Ask for fewer periods.")));
		periods[i] = TimestampGetDatum(start);
	}
	return periods;
}

/* A value for each period. */
typedef struct RegularSeries
{
	SpmGrid		grid;
	int64		first;			/* period */
	int			n;
	double	   *y;
	const int  *seasons;
	int			nseasons;
	int			usual[2];
} RegularSeries;

/* False: there is none. */
static bool
regular_series(SeriesState *state, RegularSeries *series)
{
	const ForecastOptions *options;
	SpmMoment  *rows;
	int64		last;

	if (state == NULL || state->n == 0)
		return false;
	options = state->options;
	rows = state->is_instant && options->zone ? on_the_clock(state) : state->rows;
	/* Rows may be put in order where they are: more of them may still come. */
	if (!spmk_moments_ordered(rows, state->n))
		qsort_interruptible(rows, state->n, sizeof(SpmMoment), moment_order, NULL);

	series->grid = series_grid(options, rows, state->n);
	series->first = spmk_grid_period(series->grid, rows[0].at);
	last = spmk_grid_period(series->grid, options->has_until ? options->until : rows[state->n - 1].at);
	if (last < series->first)
		return false;
	if (last - series->first >= SPMK_SERIES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a series has at most %d periods", SPMK_SERIES_MAX),
				 errdetail("There are " INT64_FORMAT " from %s to %s.", last - series->first + 1,
						   moment_text(rows[0].at), moment_text(rows[state->n - 1].at)),
				 errhint("Leave out rows whose date is wrong, or take longer periods.")));

	series->n = (int) (last - series->first + 1);
	series->y = series_values(options, series->grid, rows, state->n, series->first, series->n);
	series->seasons = options->nseasons >= 0 ? options->seasons : series->usual;
	series->nseasons = options->nseasons >= 0 ? options->nseasons :
		usual_seasons(series->grid.step, series->n, series->usual);
	return true;
}

Datum
spm_forecast_final(PG_FUNCTION_ARGS)
{
	SeriesState *state = PG_ARGISNULL(0) ? NULL : (SeriesState *) PG_GETARG_POINTER(0);
	RegularSeries series;
	SpmForecast forecast;

	if (!regular_series(state, &series))
		PG_RETURN_NULL();
	memset(&forecast, 0, sizeof(forecast));
	forecast.method = state->options->method;
	forecast.n = series.n;
	forecast.y = series.y;
	forecast.h = state->horizon;
	forecast.level = state->options->level;
	forecast.seasons = series.seasons;
	forecast.nseasons = series.nseasons;
	spm_make_forecast(&forecast);
	PG_RETURN_DATUM(spm_forecast_path(fcinfo, &forecast, period_starts(series.grid, series.first + series.n, forecast.h)));
}

/* A spm.series */
Datum
spm_series_final(PG_FUNCTION_ARGS)
{
	SeriesState *state = PG_ARGISNULL(0) ? NULL : (SeriesState *) PG_GETARG_POINTER(0);
	RegularSeries series;
	TupleDesc	type;
	Datum	   *seasons;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (!regular_series(state, &series))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	seasons = palloc(Max(series.nseasons, 1) * sizeof(Datum));
	for (int i = 0; i < series.nseasons; i++)
		seasons[i] = Int32GetDatum(series.seasons[i]);
	values[0] = CStringGetTextDatum(spmk_step_name(series.grid.step));
	values[1] = PointerGetDatum(construct_array(period_starts(series.grid, series.first, series.n), series.n,
												TIMESTAMPOID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[2] = PointerGetDatum(spm_float8_array(series.y, series.n));
	values[3] = PointerGetDatum(construct_array(seasons, series.nseasons, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(type), values, nulls));
}
