/*
 * forecast_final.c
 *	  The series that gathered rows make, and its forecast.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "forecast.h"
#include "forecast_state.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_forecast_final);
PG_FUNCTION_INFO_V1(spm_series_final);

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
			spm_no_moment();
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
	Datum		values[4];
	bool		nulls[4] = {false};

	if (!regular_series(state, &series))
		PG_RETURN_NULL();
	values[0] = CStringGetTextDatum(spmk_step_name(series.grid.step));
	values[1] = PointerGetDatum(construct_array(period_starts(series.grid, series.first, series.n), series.n,
												TIMESTAMPOID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[2] = PointerGetDatum(spm_float8_array(series.y, series.n));
	values[3] = spm_seasons_datum(series.seasons, series.nseasons);
	return HeapTupleGetDatum(heap_form_tuple(spm_row_type(fcinfo), values, nulls));
}
