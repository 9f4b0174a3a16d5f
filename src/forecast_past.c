/*
 * forecast_past.c
 *	  What the past of a series tells: errors of forecasts that would have been
 *	  made, what it consists of, and what in it is unusual.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "forecast.h"
#include "kernel/anomaly.h"
#include "kernel/mstl.h"
#include "numbers.h"

#include "compat.h"

PG_FUNCTION_INFO_V1(spm_backtest);
PG_FUNCTION_INFO_V1(spm_forecast_errors);
PG_FUNCTION_INFO_V1(spm_decompose);
PG_FUNCTION_INFO_V1(spm_anomaly);
PG_FUNCTION_INFO_V1(spm_series_strength);
PG_FUNCTION_INFO_V1(spm_seasons);

/* Those the series shows by itself. */
static SpmSeasons
found_seasons(const double *y, int n)
{
	SpmSeasons	seasons = {0};
	double	   *space = spm_alloc_doubles(spmk_seasons_space(n));

	seasons.n = spmk_seasons(y, n, seasons.period, SPMK_SEASONS_MAX, space, &spm_breath);
	pfree(space);
	return seasons;
}

/* Given, or found where the array is empty; without those that the series does not show twice. */
static SpmSeasons
shown_seasons(FunctionCallInfo fcinfo, int arg, const double *y, int n)
{
	SpmSeasons	seasons = ARR_NDIM(PG_GETARG_ARRAYTYPE_P(arg)) == 0 ? found_seasons(y, n) : spm_seasons_arg(fcinfo, arg);

	while (seasons.n > 0 && seasons.period[seasons.n - 1] > n / 2)
		seasons.n--;
	return seasons;
}

/* NaN is not known. */
static void
put_number(double number, Datum *value, bool *is_null)
{
	*value = Float8GetDatum(number);
	*is_null = isnan(number);
}

/* -------------------------------------------------------------------- backtest */

/* One forecast, made when only the first 'known' values were, as rows. */
static void
put_origin(ReturnSetInfo *result, const SpmForecast *forecast, const double *actual)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = Int32GetDatum(forecast->n);
	values[6] = CStringGetTextDatum(forecast->name);
	for (int i = 0; i < forecast->h; i++)
	{
		values[1] = Int32GetDatum(i + 1);
		values[2] = Float8GetDatum(actual[i]);
		put_number(forecast->mean[i], &values[3], &nulls[3]);
		put_number(forecast->lower[i], &values[4], &nulls[4]);
		put_number(forecast->upper[i], &values[5], &nulls[5]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* backtest(values, horizon, origins, season, method, level) */
Datum
spm_backtest(PG_FUNCTION_ARGS)
{
	int			n;
	const double *y = spm_series_arg(fcinfo, 0, "value", &n);
	int			origins = PG_GETARG_INT32(2);
	SpmSeasons	seasons = spm_seasons_arg(fcinfo, 3);
	MemoryContext once;
	MemoryContext old;
	SpmForecast forecast = {
		.method = spm_method_named(text_to_cstring(PG_GETARG_TEXT_PP(4))),
		.y = y,
		.h = PG_GETARG_INT32(1),
		.level = PG_GETARG_FLOAT8(5),
		.seasons = seasons.period,
		.nseasons = seasons.n
	};

	spm_check_horizon(forecast.h);
	spm_check_level(forecast.level);
	if (origins < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be at least one origin"),
				 errhint("It is the number of forecasts that are made, the last of them one horizon before the end.")));
	InitMaterializedSRF(fcinfo, 0);
	once = AllocSetContextCreate(CurrentMemoryContext, "backtest of one origin", ALLOCSET_DEFAULT_SIZES);
	/* none where the series is too short for one: a new group must not refuse those of the others */
	for (forecast.n = Max(n - forecast.h - Min(origins, n) + 1, 1); forecast.n <= n - forecast.h; forecast.n++)
	{
		old = MemoryContextSwitchTo(once);
		spm_make_forecast(&forecast);
		put_origin((ReturnSetInfo *) fcinfo->resultinfo, &forecast, y + forecast.n);
		MemoryContextSwitchTo(old);
		MemoryContextReset(once);
	}
	MemoryContextDelete(once);
	return (Datum) 0;
}

/* forecast_errors(values, season, method) */
Datum
spm_forecast_errors(PG_FUNCTION_ARGS)
{
	static const char *const simpler[] = {"ses", "naive"};
	int			n;
	const double *y = spm_series_arg(fcinfo, 0, "value", &n);
	SpmSeasons	seasons = spm_seasons_arg(fcinfo, 1);
	const SpmMethod *method = spm_method_named(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	SpmSeries	series = {.y = y, .n = n, .m = seasons.n > 0 ? seasons.period[0] : 1};
	double	   *fitted = spm_alloc_doubles(n);
	double		numbers[2];
	SpmOutlook	outlook = {.h = 1, .mean = &numbers[0], .variance = &numbers[1], .fitted = fitted};

	for (int i = -1; i < (int) lengthof(simpler); i++)
	{
		double	   *space;
		SpmForecastStatus status;

		if (i >= 0)
			method = spmk_method(simpler[i]);
		for (int t = 0; t < n; t++)
			fitted[t] = NAN;
		space = spm_alloc_doubles(method->space(n, series.m, 1));
		status = method->run(&series, &outlook, space, &spm_breath);
		pfree(space);
		/* some methods tell no errors: all they fit is a mean */
		if (status == SPM_FORECAST_OK && (n < 2 || !isnan(fitted[n - 1])))
			break;
	}
	for (int t = 0; t < n; t++)
		fitted[t] = y[t] - fitted[t];
	PG_RETURN_ARRAYTYPE_P(spm_float8_array(fitted, n));
}

/* ---------------------------------------------------------------- what it is made of */

/* spm.seasons("values" float8[]) */
Datum
spm_seasons(PG_FUNCTION_ARGS)
{
	int			n;
	const double *y = spm_series_arg(fcinfo, 0, "value", &n);
	SpmSeasons	seasons = found_seasons(y, n);

	return spm_seasons_datum(seasons.period, seasons.n);
}

typedef struct Parts
{
	SpmSeasons	seasons;
	SpmParts	parts;
} Parts;

static bool
take_apart(FunctionCallInfo fcinfo, int season_arg, bool robust, const double *y, int n, Parts *parts)
{
	double	   *space;
	SpmForecastStatus status;

	parts->seasons = shown_seasons(fcinfo, season_arg, y, n);
	parts->parts.trend = spm_alloc_doubles(n);
	parts->parts.remainder = spm_alloc_doubles(n);
	parts->parts.seasons = spm_alloc_doubles((Size) n * parts->seasons.n);
	space = spm_alloc_doubles(spmk_mstl_space(n, parts->seasons.period, parts->seasons.n));
	status = spmk_mstl(y, n, parts->seasons.period, parts->seasons.n, robust, &parts->parts, space, &spm_breath);
	pfree(space);
	return status == SPM_FORECAST_OK;
}

/* decompose(values, season, robust) */
Datum
spm_decompose(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const double *y;
	int			n;
	Parts		parts;

	InitMaterializedSRF(fcinfo, 0);
	y = spm_series_arg(fcinfo, 0, "value", &n);
	if (!take_apart(fcinfo, 1, PG_GETARG_BOOL(2), y, n, &parts))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the series is too short to be taken apart"),
				 errdetail("There are %d values.", n)));
	for (int t = 0; t < n; t++)
	{
		Datum		values[6];
		bool		nulls[6] = {false};
		double		seasons[SPMK_SEASONS_MAX];
		double		seasonal = 0;

		for (int i = 0; i < parts.seasons.n; i++)
			seasonal += seasons[i] = parts.parts.seasons[(Size) i * n + t];
		values[0] = Int32GetDatum(t + 1);
		values[1] = Float8GetDatum(y[t]);
		values[2] = Float8GetDatum(parts.parts.trend[t]);
		values[3] = Float8GetDatum(seasonal);
		values[4] = Float8GetDatum(parts.parts.remainder[t]);
		values[5] = PointerGetDatum(spm_float8_array(seasons, parts.seasons.n));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[5]));
		if (t % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return (Datum) 0;
}

/* series_strength(values, season): how strong its seasons and its trend are */
Datum
spm_series_strength(PG_FUNCTION_ARGS)
{
	const double *y;
	int			n;
	Parts		parts;
	Datum		values[3];
	bool		nulls[3] = {false};

	y = spm_series_arg(fcinfo, 0, "value", &n);
	if (take_apart(fcinfo, 1, false, y, n, &parts))
	{
		values[1] = PointerGetDatum(spm_float8_array(parts.parts.strength, parts.seasons.n));
		put_number(parts.parts.trend_strength, &values[2], &nulls[2]);
	}
	else
		nulls[1] = nulls[2] = true;
	values[0] = spm_seasons_datum(parts.seasons.period, parts.seasons.n);
	return HeapTupleGetDatum(heap_form_tuple(spm_row_type(fcinfo), values, nulls));
}

/* ------------------------------------------------------------------ what is unusual */

/* anomaly(values, season, level) */
Datum
spm_anomaly(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const double *y;
	int			n;
	double		level = PG_GETARG_FLOAT8(2);
	SpmSeasons	seasons;
	SpmAnomalies anomalies;
	SpmForecastStatus status;
	double	   *space;

	InitMaterializedSRF(fcinfo, 0);
	spm_check_level(level);
	y = spm_series_arg(fcinfo, 0, "value", &n);
	seasons = shown_seasons(fcinfo, 1, y, n);
	anomalies.expected = spm_alloc_doubles(n);
	anomalies.is_odd = palloc(n * sizeof(bool));
	space = spm_alloc_doubles(spmk_anomaly_space(n, seasons.period, seasons.n));
	status = spmk_anomaly(y, n, seasons.period, seasons.n, level, &anomalies, space, &spm_breath);
	pfree(space);
	for (int t = 0; t < n; t++)
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = Int32GetDatum(t + 1);
		values[1] = Float8GetDatum(y[t]);
		if (status == SPM_FORECAST_OK)
		{
			double		expected = anomalies.expected[t];

			values[2] = Float8GetDatum(expected);
			values[3] = Float8GetDatum(expected + anomalies.below);
			values[4] = Float8GetDatum(expected + anomalies.above);
			put_number(anomalies.scale > 0 ? (y[t] - expected) / anomalies.scale : 0, &values[5], &nulls[5]);
			values[6] = BoolGetDatum(anomalies.is_odd[t]);
		}
		else
			memset(nulls + 2, true, 5);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (t % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return (Datum) 0;
}
