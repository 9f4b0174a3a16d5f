/*
 * forecast_arima.c
 *	  ARIMA models in SQL: of given or automatic order, at given or the most likely
 *	  coefficients.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "forecast.h"
#include "kernel/arima.h"
#include "kernel/interval.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_arima);
PG_FUNCTION_INFO_V1(spm_arima_fit);
PG_FUNCTION_INFO_V1(spm_arima_at);
PG_FUNCTION_INFO_V1(spm_differences);
PG_FUNCTION_INFO_V1(spm_seasonal_differences);

/* {p, d, q} or {p, d, q, P, D, Q} */
static void
order_arg(FunctionCallInfo fcinfo, int arg, int m, SpmArimaOrder *order)
{
	static const char *const names[] = {"p", "d", "q", "P", "D", "Q"};
	static const int most[] = {SPMK_ARMA_NEAR, SPMK_ARIMA_DIFFERENCES, SPMK_ARMA_NEAR, SPMK_ARMA_FAR, SPMK_ARIMA_DIFFERENCES, SPMK_ARMA_FAR};
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const int32 *numbers = (const int32 *) ARR_DATA_PTR(array);
	int			all[6] = {0};

	if (ARR_NDIM(array) != 1 || (n != 3 && n != 6) || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("orders must be three or six numbers"),
				 errhint("'{0,1,1}' for p, d, q, or '{0,1,1,0,1,1}' with those of the season.")));
	for (int i = 0; i < n; i++)
	{
		all[i] = numbers[i];
		if (all[i] < 0 || all[i] > most[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must be from 0 to %d", names[i], most[i]),
					 errdetail("It is %d.", all[i])));
	}
	*order = (SpmArimaOrder) {.p = all[0], .d = all[1], .q = all[2], .P = all[3], .D = all[4], .Q = all[5], .m = m};
	if (m == 1 && order->P + order->D + order->Q > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a series without a season has no seasonal orders"),
				 errhint("Say after how many values a pattern repeats: season => 12.")));
	if (spmk_arima_longest(order) > SPMK_ARIMA_LAG_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a model looks back at most %d values", SPMK_ARIMA_LAG_MAX),
				 errdetail("This one would by %d.", spmk_arima_longest(order))));
}

static void
coefficients_arg(FunctionCallInfo fcinfo, int arg, SpmArimaFit *fit)
{
	int			terms = spmk_arima_terms(&fit->order);
	int			wanted = terms + fit->order.has_constant;
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *numbers = (const double *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array) || n != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this model has %d coefficient%s", wanted, wanted == 1 ? "" : "s"),
				 errdetail("%d are given. In order they are ar, ma, seasonal ar, seasonal ma%s.",
						   n, fit->order.has_constant ? ", constant" : "")));
	for (int i = 0; i < n; i++)
	{
		spm_check_value(numbers[i], psprintf("coefficient %d", i + 1));
		if (i < terms)
			fit->coefficient[i] = numbers[i];
		else
			fit->constant = numbers[i];
	}
}

static void
no_model(SpmForecastStatus status, int n, bool is_given)
{
	if (status == SPM_FORECAST_SHORT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the series is too short for this model"),
				 errdetail("It has %d values.", n),
				 errhint("Ask for smaller orders, or for none: spm.arima(values).")));
	if (status == SPM_FORECAST_UNFIT && is_given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at these coefficients the model is not stationary, or not invertible"),
				 errdetail("Values, or what past shocks are taken for, would grow without limit."),
				 errhint("spm.arima_fit() finds the most likely ones; a difference, d or D of 1, takes a root of 1.")));
	if (status == SPM_FORECAST_UNFIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no such model fits the series"),
				 errhint("Ask for smaller orders, or for none: spm.arima(values).")));
}

/* ar1, ma1, sar1, sma1 as in R, and the constant's. */
static Datum
coefficient_names(const SpmArimaOrder *order)
{
	static const char *const names[] = {"ar", "ma", "sar", "sma"};
	int			widths[] = {order->p, order->q, order->P, order->Q};
	Datum		datums[SPMK_ARIMA_COEFFICIENTS + 1];
	int			n = 0;

	for (int part = 0; part < 4; part++)
		for (int i = 1; i <= widths[part]; i++)
			datums[n++] = CStringGetTextDatum(psprintf("%s%d", names[part], i));
	if (order->has_constant)
		datums[n++] = CStringGetTextDatum(order->d + order->D > 0 ? "drift" : "mean");
	return PointerGetDatum(construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* What is asked in all three forms; 'at' is where season and horizon are. */
static void
series_args(FunctionCallInfo fcinfo, int at, SpmSeries *series, int *horizon)
{
	series->y = spm_series_arg(fcinfo, 0, "value", &series->n);
	series->m = spm_check_season(PG_GETARG_INT32(at));
	*horizon = PG_GETARG_INT32(at + 1);
	spm_check_horizon(*horizon);
}

/* A model of given order, its constant where there can be one. */
static void
model_args(FunctionCallInfo fcinfo, int constant_arg, int m, SpmArimaFit *fit)
{
	order_arg(fcinfo, 1, m, &fit->order);
	fit->order.has_constant = PG_GETARG_BOOL(constant_arg);
	if (fit->order.has_constant && fit->order.d + fit->order.D > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model of second differences has no constant"),
				 errdetail("It would make the trend a parabola."),
				 errhint("constant => false")));
}

/* How the first values are taken where there are differences. */
static bool
is_diffuse(const char *start, const SpmArimaOrder *order)
{
	if (strcmp(start, "differenced") == 0)
		return false;
	if (strcmp(start, "diffuse") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no start \"%s\"", start),
				 errhint("differenced, or diffuse for the numbers of R's arima().")));
	if (spmk_arima_states(order) > SPMK_ARIMA_STATES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a diffuse start has at most %d states", SPMK_ARIMA_STATES_MAX),
				 errdetail("This model has %d.", spmk_arima_states(order)),
				 errhint("start => 'differenced'")));
	return true;
}

/* What 'fit' has, and its forecasts; with a diffuse start the fit comes with them. */
static Datum
answer(FunctionCallInfo fcinfo, const SpmSeries *series, SpmArimaFit *fit, bool diffuse, int horizon, double level)
{
	int			terms = spmk_arima_terms(&fit->order);
	double		coefficients[SPMK_ARIMA_COEFFICIENTS + 1];
	double	   *paths = spm_alloc_doubles((Size) 4 * horizon);	/* mean, lower, upper, variance */
	SpmOutlook	outlook = {.h = horizon, .mean = paths, .variance = paths + (Size) 3 * horizon};
	SpmForecastStatus status;
	double		reach;
	Datum		values[9];
	bool		nulls[9] = {false};

	spm_check_level(level);
	if (diffuse)
		status = spmk_arima_state(series->y, series->n, fit, &outlook, spm_alloc_doubles(spmk_arima_state_space(&fit->order)), &spm_breath);
	else
		status = spmk_arima_outlook(series->y, series->n, fit, &outlook,
									spm_alloc_doubles(spmk_arima_outlook_space(series->n, &fit->order, horizon)), &spm_breath);
	no_model(status, series->n, true);
	reach = spmk_normal_quantile(.5 + level / 2);
	for (int i = 0; i < horizon; i++)
	{
		paths[horizon + i] = outlook.mean[i] - reach * sqrt(outlook.variance[i]);
		paths[2 * horizon + i] = outlook.mean[i] + reach * sqrt(outlook.variance[i]);
	}
	memcpy(coefficients, fit->coefficient, sizeof(fit->coefficient));
	coefficients[terms] = fit->constant;
	values[0] = CStringGetTextDatum(outlook.name);
	values[1] = coefficient_names(&fit->order);
	values[2] = PointerGetDatum(spm_float8_array(coefficients, terms + fit->order.has_constant));
	values[3] = Float8GetDatum(fit->sigma2);
	values[4] = Float8GetDatum(fit->log_likelihood);
	values[5] = Float8GetDatum(fit->aicc);
	nulls[5] = isinf(fit->aicc) && fit->aicc > 0;
	for (int i = 0; i < 3; i++)
		values[6 + i] = PointerGetDatum(spm_float8_array(paths + (Size) i * horizon, horizon));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(spm_row_type(fcinfo), values, nulls)));
}

/* spm.arima(values, season, horizon, level) */
Datum
spm_arima(PG_FUNCTION_ARGS)
{
	SpmArimaFit fit;
	SpmSeries	series;
	int			horizon;

	series_args(fcinfo, 1, &series, &horizon);
	no_model(spmk_arima_auto(&series, &fit, spm_alloc_doubles(spmk_arima_auto_space(series.n, series.m)), &spm_breath), series.n, false);
	return answer(fcinfo, &series, &fit, false, horizon, PG_GETARG_FLOAT8(3));
}

/* spm.arima_fit(values, orders, season, horizon, constant, level) */
Datum
spm_arima_fit(PG_FUNCTION_ARGS)
{
	SpmArimaFit fit = {.constant = 0};
	SpmSeries	series;
	int			horizon;

	series_args(fcinfo, 2, &series, &horizon);
	model_args(fcinfo, 4, series.m, &fit);
	no_model(spmk_arima_fit(series.y, series.n, &fit, spm_alloc_doubles(spmk_arima_space(series.n, &fit.order)), &spm_breath), series.n, false);
	return answer(fcinfo, &series, &fit, false, horizon, PG_GETARG_FLOAT8(5));
}

/* spm.arima_at(values, orders, coefficients, season, horizon, constant, level, start) */
Datum
spm_arima_at(PG_FUNCTION_ARGS)
{
	SpmArimaFit fit = {.constant = 0};
	SpmSeries	series;
	int			horizon;
	bool		diffuse;

	series_args(fcinfo, 3, &series, &horizon);
	model_args(fcinfo, 5, series.m, &fit);
	coefficients_arg(fcinfo, 2, &fit);
	diffuse = is_diffuse(text_to_cstring(PG_GETARG_TEXT_PP(7)), &fit.order);
	if (!diffuse)
		no_model(spmk_arima_at(series.y, series.n, &fit, spm_alloc_doubles(spmk_arima_space(series.n, &fit.order)), &spm_breath), series.n, true);
	return answer(fcinfo, &series, &fit, diffuse, horizon, PG_GETARG_FLOAT8(6));
}

/* spm.differences(values) */
Datum
spm_differences(PG_FUNCTION_ARGS)
{
	int			n;
	const double *y = spm_series_arg(fcinfo, 0, "value", &n);

	PG_RETURN_INT32(spmk_ndiffs(y, n, spm_alloc_doubles(n)));
}

/* spm.seasonal_differences(values, season) */
Datum
spm_seasonal_differences(PG_FUNCTION_ARGS)
{
	int			n;
	const double *y = spm_series_arg(fcinfo, 0, "value", &n);
	int			m = spm_check_season(PG_GETARG_INT32(1));

	PG_RETURN_INT32(spmk_nsdiffs(y, n, m, spm_alloc_doubles(spmk_nsdiffs_space(n, m)), &spm_breath));
}
