/*
 * forecast_ets.c
 *	  Exponential smoothing as a model to look at: parameters, states, likelihood.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "compat.h"
#include "forecast.h"
#include "kernel/ets.h"
#include "kernel/interval.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_ets);
PG_FUNCTION_INFO_V1(spm_ets_fixed);

#define COLUMNS 19

/* What is asked: a series, the steps ahead, and how sure the limits are to be. */
typedef struct EtsRequest
{
	SpmSeries	series;
	int			horizon;
	double		level;
} EtsRequest;

/* Arguments 0 to 2, and the level. */
static EtsRequest
request_args(FunctionCallInfo fcinfo, int level_arg)
{
	EtsRequest	request;

	request.series.y = spm_series_arg(fcinfo, 0, "value", &request.series.n);
	request.series.m = PG_GETARG_INT32(1);
	request.horizon = PG_GETARG_INT32(2);
	request.level = PG_GETARG_FLOAT8(level_arg);
	spm_check_season(request.series.m);
	spm_check_horizon(request.horizon);
	spm_check_level(request.level);
	return request;
}

static SpmEtsForm
form_of(const char *model)
{
	SpmEtsForm	form;

	if (!spmk_ets_form(model, &form))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no model \"%s\"", model),
				 errhint("Error (A, M), trend (N, A, Ad) and season (N, A, M), such as model => 'MAdM'; with errors A no season M.")));
	return form;
}

/* Why a form cannot be had of this series. */
static void
check_form(const SpmSeries *series, SpmEtsForm form)
{
	char		name[16];
	int			least = spmk_ets_parameters(form, series->m) + 2;

	if (spmk_ets_fits(form, series))
		return;
	spmk_ets_name(form, name);
	if (form.season != SPM_ETS_NO_SEASON && series->m < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs a season", name),
				 errhint("season => 12 for months, or a model without: model => '%c%sN'.", form.relative ? 'M' : 'A',
						 form.trend == SPM_ETS_LEVEL ? "N" : form.trend == SPM_ETS_TREND ? "A" : "Ad")));
	if (form.season != SPM_ETS_NO_SEASON)
		least = Max(least, 2 * series->m);
	if (series->n < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs %d values at least", name, least),
				 errdetail("There are %d.", series->n),
				 errhint("spm.forecast() takes a simpler method where values are few.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s needs values above 0", name),
			 errhint("A form whose error and season add up takes any: model => 'AAdA'.")));
}

/* The row that both functions give: the model from its first states on. */
static Datum
model_row(FunctionCallInfo fcinfo, const EtsRequest *request, const SpmEts *first)
{
	const SpmSeries *series = &request->series;
	bool		has_trend = first->form.trend != SPM_ETS_LEVEL;
	bool		has_season = first->form.season != SPM_ETS_NO_SEASON;
	SpmEts		last = *first;
	SpmEtsFit	fit;
	int			h = request->horizon;
	double	   *fitted = spm_alloc_doubles(series->n);
	double	   *mean = palloc(h * sizeof(double));
	double	   *lower = palloc(h * sizeof(double));
	double	   *upper = palloc(h * sizeof(double));
	double		quantile = spmk_normal_quantile(0.5 + request->level / 2);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {false};
	char		name[16];
	int			column = 0;

	if (has_season)
	{
		last.season = palloc(first->m * sizeof(double));
		memcpy(last.season, first->season, first->m * sizeof(double));
	}
	if (!spmk_ets_run(&last, series->y, series->n, fitted, &fit))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the model does not hold for these values"),
				 errdetail("A forecast, level or season comes to 0, or grows beyond all bounds."),
				 errhint("A form whose error and season add up takes any values: model => 'AAdA'.")));
	spmk_ets_ahead(&last, fit.sigma2, h, mean, upper, &spm_breath);
	for (int i = 0; i < h; i++)
	{
		double		width = quantile * sqrt(upper[i]);

		lower[i] = mean[i] - width;
		upper[i] = mean[i] + width;
	}
	spmk_ets_name(first->form, name);
	values[column++] = CStringGetTextDatum(name);
	values[column++] = Float8GetDatum(first->alpha);
	nulls[column] = !has_trend;
	values[column++] = Float8GetDatum(first->beta);
	nulls[column] = !has_season;
	values[column++] = Float8GetDatum(first->gamma);
	nulls[column] = first->form.trend != SPM_ETS_DAMPED;
	values[column++] = Float8GetDatum(first->phi);
	values[column++] = Float8GetDatum(fit.loglik);
	values[column++] = Float8GetDatum(fit.aicc);
	values[column++] = Float8GetDatum(fit.sigma2);
	values[column++] = BoolGetDatum(spmk_ets_is_admissible(first, palloc(2 * (first->m + 2) * sizeof(double)), &spm_breath));
	for (int end = 0; end < 2; end++)
	{
		const SpmEts *model = end ? &last : first;

		values[column++] = Float8GetDatum(model->level);
		nulls[column] = !has_trend;
		values[column++] = Float8GetDatum(model->growth);
		nulls[column] = !has_season;
		values[column++] = has_season ? PointerGetDatum(spm_float8_array(model->season, model->m)) : (Datum) 0;
	}
	values[column++] = PointerGetDatum(spm_float8_array(fitted, series->n));
	values[column++] = PointerGetDatum(spm_float8_array(mean, h));
	values[column++] = PointerGetDatum(spm_float8_array(lower, h));
	values[column++] = PointerGetDatum(spm_float8_array(upper, h));
	Assert(column == COLUMNS);
	return HeapTupleGetDatum(heap_form_tuple(spm_row_type(fcinfo), values, nulls));
}

/* spm.ets(values, season, horizon, model, level) */
Datum
spm_ets(PG_FUNCTION_ARGS)
{
	EtsRequest	request = request_args(fcinfo, 4);
	char	   *model = text_to_cstring(PG_GETARG_TEXT_PP(3));
	SpmEts		first;
	SpmForecastStatus status;
	double	   *space;

	if (request.series.m > SPM_ETS_FREE_SEASONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season must be from 1 to %d", SPM_ETS_FREE_SEASONS),
				 errhint("spm.forecast(values, horizon, season => %d, method => 'ets') takes a longer season out before it smoothes.",
						 request.series.m)));
	space = spm_alloc_doubles(spmk_ets_fit_space(request.series.n, request.series.m));
	if (strcmp(model, "auto") == 0)
	{
		check_form(&request.series, spmk_ets_forms[0]);
		status = spmk_ets_auto(&request.series, &first, space, &spm_breath);
	}
	else
	{
		SpmEtsForm	form = form_of(model);

		check_form(&request.series, form);
		status = spmk_ets_fit(&request.series, form, &first, space, &spm_breath);
	}
	if (status != SPM_FORECAST_OK)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("no model holds for these values"),
				 errhint("spm.forecast() takes a simpler method where one fails.")));
	return model_row(fcinfo, &request, &first);
}

/* spm.ets_fixed(values, season, horizon, model, parameters, states, level) */
Datum
spm_ets_fixed(PG_FUNCTION_ARGS)
{
	EtsRequest	request = request_args(fcinfo, 6);
	SpmEtsForm	form = form_of(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	bool		has_trend = form.trend != SPM_ETS_LEVEL;
	bool		has_season = form.season != SPM_ETS_NO_SEASON;
	SpmEts		first = {.form = form, .phi = 1};
	int			nparameters;
	int			nstates;
	const double *parameter = spm_series_arg(fcinfo, 4, "parameter", &nparameters);
	const double *state = spm_series_arg(fcinfo, 5, "state", &nstates);
	char		name[16];

	first.m = has_season ? request.series.m : 1;
	spmk_ets_name(form, name);
	if (nparameters != 1 + has_trend + has_season + (form.trend == SPM_ETS_DAMPED))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has the parameters alpha%s%s%s", name, has_trend ? ", beta" : "", has_season ? ", gamma" : "",
						form.trend == SPM_ETS_DAMPED ? ", phi" : ""),
				 errdetail("%d are given.", nparameters)));
	if (nstates != 1 + has_trend + (has_season ? first.m : 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 has_season ? errmsg("%s has the states level%s and %d of a season", name, has_trend ? ", growth" : "", first.m) :
				 errmsg("%s has the states level%s", name, has_trend ? ", growth" : ""),
				 errdetail("%d are given.", nstates)));
	first.alpha = *parameter++;
	first.level = *state++;
	if (has_trend)
	{
		first.beta = *parameter++;
		first.growth = *state++;
	}
	if (has_season)
	{
		first.gamma = *parameter++;
		first.season = (double *) state;
	}
	if (form.trend == SPM_ETS_DAMPED)
		first.phi = *parameter;
	return model_row(fcinfo, &request, &first);
}
