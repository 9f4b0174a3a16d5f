/*
 * forecast.c
 *	  Forecasts of series that are given as arrays, and what all forecasts share.
 */
#include "forecast.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_forecast_values);
PG_FUNCTION_INFO_V1(spm_forecast_method);

/* What can be reckoned with; 'what' is "value 3" or the like. */
void
spm_check_value(double value, const char *what)
{
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %s", what, isnan(value) ? "NaN" : "infinite"),
				 errhint("Leave it out, or say what it is: coalesce(nullif(value, 'NaN'), 0).")));
	if (!spmk_is_solvable(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is neither 0 nor from 1e-30 to 1e+30", what),
				 errdetail("It is %g.", value),
				 errhint("Measure in another unit.")));
}

/* The numbers of an array where they lie, in the order of its elements. */
const double *
spm_series_arg(FunctionCallInfo fcinfo, int arg, const char *what, int *n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	const double *values = (const double *) ARR_DATA_PTR(array);

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%ss must be an array of one dimension", what)));
	if (*n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are no %ss", what)));
	if (*n > SPMK_SERIES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a series has at most %d values", SPMK_SERIES_MAX),
				 errhint("Take longer periods, or only the latest values.")));
	if (array_contains_nulls(array))
		for (int i = 0; i < *n; i++)
			if (!(ARR_NULLBITMAP(array)[i / 8] & (1 << (i % 8))))
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("%s %d is null", what, i + 1),
						 errhint("Say what it is, as 0, or give dates and values as rows: spm.forecast(at, value, horizon) fills gaps.")));
	for (int i = 0; i < *n; i++)
		if (!spmk_is_solvable(values[i]) || !isfinite(values[i]))
			spm_check_value(values[i], psprintf("%s %d", what, i + 1));
	return values;
}

const SpmMethod *
spm_method_named(const char *name)
{
	const SpmMethod *method = spmk_method(name);

	if (method == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no method of forecasting \"%s\"", name),
				 errhint("Those that there are: SELECT * FROM spm.forecast_method();")));
	return method;
}

void
spm_check_horizon(int horizon)
{
	if (horizon < 1 || horizon > SPMK_HORIZON_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be from 1 to %d periods", SPMK_HORIZON_MAX),
				 errdetail("It is %d.", horizon)));
}

void
spm_check_level(double level)
{
	/* the upper of two tails must not be lost in rounding */
	if (!(level > 0 && 0.5 + level / 2 < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be between 0 and 1"),
				 errdetail("It is %g.", level),
				 errhint("Limits that are to hold 95 of 100 outcomes have level 0.95.")));
}

int
spm_check_season(double season)
{
	if (!(season >= 1 && season <= SPMK_SEASON_MAX && season == floor(season)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season must be a whole number of periods from 1 to %d", SPMK_SEASON_MAX),
				 errdetail("It is %g.", season),
				 errhint("12 for months that repeat each year, 7 for days that repeat each week, 1 for none.")));
	return (int) season;
}

/* Shortest first; 1 is none.  Returns how many there are. */
int
spm_add_season(int *seasons, int n, double season)
{
	int			period = spm_check_season(season);
	int			at = n;

	if (period == 1)
		return n;
	while (at > 0 && seasons[at - 1] > period)
		at--;
	if (at > 0 && seasons[at - 1] == period)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season %d is given twice", period)));
	if (n == SPMK_SEASONS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a series cannot have more than %d seasons", SPMK_SEASONS_MAX)));
	memmove(seasons + at + 1, seasons + at, (n - at) * sizeof(int));
	seasons[at] = period;
	return n + 1;
}

/* One season, or an array of them. */
SpmSeasons
spm_seasons_arg(FunctionCallInfo fcinfo, int arg)
{
	SpmSeasons	seasons = {0};
	ArrayType  *array;
	const int32 *periods;
	int			n;

	if (get_fn_expr_argtype(fcinfo->flinfo, arg) == INT4OID)
	{
		seasons.n = spm_add_season(seasons.period, 0, PG_GETARG_INT32(arg));
		return seasons;
	}
	array = PG_GETARG_ARRAYTYPE_P(arg);
	periods = (const int32 *) ARR_DATA_PTR(array);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n > SPMK_SEASONS_MAX || ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("seasons must be an array of at most %d numbers", SPMK_SEASONS_MAX)));
	for (int i = 0; i < n; i++)
		seasons.n = spm_add_season(seasons.period, seasons.n, periods[i]);
	return seasons;
}

Datum
spm_seasons_datum(const int *seasons, int n)
{
	Datum		periods[SPMK_SEASONS_MAX];

	for (int i = 0; i < n; i++)
		periods[i] = Int32GetDatum(seasons[i]);
	return PointerGetDatum(construct_array(periods, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

void
spm_make_forecast(SpmForecast *forecast)
{
	Size		h = forecast->h;
	double	   *room;

	CHECK_FOR_INTERRUPTS();
	room = spm_alloc_doubles(3 * h + spmk_forecast_space(forecast));
	forecast->mean = room;
	forecast->lower = room + h;
	forecast->upper = room + 2 * h;
	spmk_forecast(forecast, room + 3 * h, &spm_breath);
}

TupleDesc
spm_row_type(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	type;

		if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = BlessTupleDesc(type);
		MemoryContextSwitchTo(old);
	}
	return fcinfo->flinfo->fn_extra;
}

Datum
spm_forecast_path(FunctionCallInfo fcinfo, const SpmForecast *forecast, Datum *periods)
{
	int			h = forecast->h;
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = CStringGetTextDatum(forecast->name);
	values[1] = Float8GetDatum(forecast->level);
	if (periods)
		values[2] = PointerGetDatum(construct_array(periods, h, TIMESTAMPOID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	else
		nulls[2] = true;
	values[3] = PointerGetDatum(spm_float8_array(forecast->mean, h));
	values[4] = PointerGetDatum(spm_float8_array(forecast->lower, h));
	values[5] = PointerGetDatum(spm_float8_array(forecast->upper, h));
	return HeapTupleGetDatum(heap_form_tuple(spm_row_type(fcinfo), values, nulls));
}

/* spm.forecast("values" float8[], horizon int, season int or int[], method text, level float8) */
Datum
spm_forecast_values(PG_FUNCTION_ARGS)
{
	int			n;
	const double *y = spm_series_arg(fcinfo, 0, "value", &n);
	SpmSeasons	seasons = spm_seasons_arg(fcinfo, 2);
	SpmForecast forecast = {
		.method = spm_method_named(text_to_cstring(PG_GETARG_TEXT_PP(3))),
		.y = y,
		.n = n,
		.seasons = seasons.period,
		.nseasons = seasons.n,
		.h = PG_GETARG_INT32(1),
		.level = PG_GETARG_FLOAT8(4)
	};

	spm_check_horizon(forecast.h);
	spm_check_level(forecast.level);
	spm_make_forecast(&forecast);
	return spm_forecast_path(fcinfo, &forecast, NULL);
}

/* spm.forecast_method() */
Datum
spm_forecast_method(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (const SpmMethod *method = spmk_methods; method->name; method++)
	{
		Datum		values[2] = {CStringGetTextDatum(method->name), CStringGetTextDatum(method->about)};
		bool		nulls[2] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
