/*
 * ets_auto.c
 *	  A model of exponential smoothing for a series: of one form, or of the form
 *	  that AICc finds best; and the methods that forecast with it.
 */
#include "ets_search.h"

#include <string.h>

#include "ets_method.h"
#include "series.h"

#define ROUGH			1e-2	/* what a step must promise while forms are compared */
#define FINE			1e-6

/* All values above 0, so that errors may be in proportion. */
static bool
is_positive(const double *y, int n)
{
	for (int t = 0; t < n; t++)
		if (!(y[t] > 0))
			return false;
	return true;
}

/* Are there values enough to tell, and values that the form is for? */
bool
spmk_ets_fits(SpmEtsForm form, const SpmSeries *series)
{
	if (form.season != SPM_ETS_NO_SEASON &&
		(series->m < 2 || series->m > SPM_ETS_FREE_SEASONS || series->n < 2 * series->m))
		return false;
	if (series->n < spmk_ets_parameters(form, series->m) + 2)
		return false;
	return !form.relative || is_positive(series->y, series->n);
}

/* y without its size, which is a power of two so that no digit changes. */
static double
rescale(const double *y, int n, double *scaled)
{
	double		sum = 0;
	double		scale;
	int			power;

	for (int t = 0; t < n; t++)
		sum += fabs(y[t]) / n;
	frexp(sum, &power);
	scale = sum > 0 ? ldexp(1, power) : 1;
	for (int t = 0; t < n; t++)
		scaled[t] = y[t] / scale;
	return scale;
}

static double
penalty(const EtsProblem *problem)
{
	double		k = spmk_ets_parameters(problem->form, problem->m);

	return 2 * k + 2 * k * (k + 1) / (problem->n - k - 1);
}

/* What the unknowns say, in the series' own size; seasons add up to 0, or are 1 on average. */
static void
to_model(const EtsProblem *problem, double scale, SpmEts *model, double *season)
{
	const double *w = problem->w;
	SpmEtsForm	form = problem->form;
	int			m = problem->m;
	double		mean = 0;

	memset(model, 0, sizeof(*model));
	model->form = form;
	model->m = m;
	model->alpha = w[ETS_ALPHA];
	model->phi = form.trend == SPM_ETS_DAMPED ? w[ETS_PHI] : 1;
	model->level = w[ETS_LEVEL] * scale;
	if (form.trend != SPM_ETS_LEVEL)
	{
		model->beta = model->alpha * w[ETS_BETA];
		model->growth = w[ETS_GROWTH] * scale;
	}
	if (form.season == SPM_ETS_NO_SEASON)
		return;
	model->gamma = (1 - model->alpha) * w[problem->gamma];
	model->season = season;
	memcpy(season, problem->season, m * sizeof(double));
	memcpy(season, w + problem->first_season, problem->free_seasons * sizeof(double));
	for (int j = 0; j < m; j++)
		mean += season[j] / m;
	for (int j = 0; j < m; j++)
		season[j] = form.season == SPM_ETS_TIMES ? season[j] / mean : (season[j] - mean) * scale;
	if (form.season == SPM_ETS_TIMES)
	{
		model->level *= mean;
		model->growth *= mean;
	}
	else
		model->level += mean * scale;
}

/* Runs the model, whose first states stay with the caller, to its end; seasons of the end go to 'season'. */
static bool
finish(const SpmEts *first, const SpmSeries *series, double *fitted, double *season, SpmEts *end, SpmEtsFit *fit)
{
	*end = *first;
	if (first->season)
	{
		end->season = season;
		memcpy(season, first->season, first->m * sizeof(double));
	}
	return spmk_ets_run(end, series->y, series->n, fitted, fit);
}

/* Seasons twice, a scaled series, and what is left of it without its season. */
size_t
spmk_ets_fit_space(int n, int m)
{
	return 2 * (size_t) n + 2 * (size_t) m + 2 * (SPM_ETS_FREE_SEASONS + 2);
}

/* The first states of the best model of this form; its seasons lie in 'space'. */
SpmForecastStatus
spmk_ets_fit(const SpmSeries *series, SpmEtsForm form, SpmEts *model, double *space, const SpmBreath *breath)
{
	EtsProblem	problem;
	double	   *scaled = space + series->m;
	double		scale;

	if (!spmk_ets_fits(form, series))
		return form.relative && !is_positive(series->y, series->n) ? SPM_FORECAST_UNFIT : SPM_FORECAST_SHORT;
	scale = rescale(series->y, series->n, scaled);
	spmk_ets_problem(&problem, form, scaled, series->n, series->m, true);
	spmk_ets_start(&problem, scaled + series->n);
	if (!(spmk_ets_search(&problem, FINE, HUGE_VAL, breath) < HUGE_VAL))
		return SPM_FORECAST_UNFIT;
	to_model(&problem, scale, model, space);
	return SPM_FORECAST_OK;
}

/* The same, of the form with the least AICc. */
SpmForecastStatus
spmk_ets_auto(const SpmSeries *series, SpmEts *model, double *space, const SpmBreath *breath)
{
	EtsProblem	best;
	EtsProblem	problem;
	double	   *scaled = space + series->m;
	double		least = HUGE_VAL;
	double		scale = rescale(series->y, series->n, scaled);

	for (int i = 0; i < SPM_ETS_FORMS; i++)
	{
		SpmEtsForm	form = spmk_ets_forms[i];
		double		aicc;

		if (!spmk_ets_fits(form, series))
			continue;
		spmk_ets_problem(&problem, form, scaled, series->n, series->m, true);
		spmk_ets_start(&problem, scaled + series->n);
		aicc = penalty(&problem);
		aicc += spmk_ets_search(&problem, ROUGH, least - aicc, breath);
		if (aicc < least)
		{
			least = aicc;
			best = problem;
		}
	}
	if (!(least < HUGE_VAL))
		return SPM_FORECAST_SHORT;
	spmk_ets_search(&best, FINE, HUGE_VAL, breath);
	to_model(&best, scale, model, space);
	return SPM_FORECAST_OK;
}

size_t
spmk_ets_space(int n, int m, int h)
{
	(void) h;
	return spmk_ets_fit_space(n, m) + spmk_adjust_space(n, m);
}

/* Forecasts with a model whose first states are given. */
static SpmForecastStatus
look_ahead(const SpmEts *first, const SpmSeries *series, SpmOutlook *outlook, double *season, const SpmBreath *breath)
{
	SpmEts		end;
	SpmEtsFit	fit;

	if (!finish(first, series, outlook->fitted, season, &end, &fit))
		return SPM_FORECAST_UNFIT;
	spmk_ets_ahead(&end, fit.sigma2, outlook->h, outlook->mean, outlook->variance, breath);
	spmk_ets_name(first->form, outlook->name);
	return SPM_FORECAST_OK;
}

/* A season that is too long to search for is taken out, and put back into what 'run' says of the rest. */
static SpmForecastStatus
without_season(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath,
			   SpmForecastStatus (*run) (const SpmSeries *, SpmOutlook *, double *, const SpmBreath *))
{
	SpmAdjusted adjusted;
	SpmSeries	rest;
	SpmForecastStatus status;

	spmk_adjust(series, &adjusted, space, breath);
	rest = (SpmSeries) {.y = adjusted.rest, .n = series->n, .m = 1};
	status = run(&rest, outlook, space + spmk_adjust_space(series->n, series->m), breath);
	if (status == SPM_FORECAST_OK)
		spmk_restore_season(&adjusted, outlook);
	return status;
}

SpmForecastStatus
spmk_ets_method(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmEts		first;
	SpmForecastStatus status;

	if (series->m > SPM_ETS_FREE_SEASONS)
		return without_season(series, outlook, space, breath, spmk_ets_method);
	status = spmk_ets_auto(series, &first, space, breath);
	if (status != SPM_FORECAST_OK)
		return status;
	return look_ahead(&first, series, outlook, space + series->m, breath);
}

/* Damped Holt-Winters; its first seasons are those of a decomposition. */
SpmForecastStatus
spmk_hw_method(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	EtsProblem	problem;
	SpmEts		first;
	SpmEtsForm	form = {.trend = SPM_ETS_DAMPED};
	double	   *scaled = space + series->m;
	double		scale;
	SpmForecastStatus status;

	if (series->m > SPM_ETS_FREE_SEASONS)
		return without_season(series, outlook, space, breath, spmk_hw_method);
	form.relative = is_positive(series->y, series->n);
	if (series->m > 1)
		form.season = form.relative ? SPM_ETS_TIMES : SPM_ETS_ADDED;
	if (!spmk_ets_fits(form, series))
		form.season = SPM_ETS_NO_SEASON;
	if (!spmk_ets_fits(form, series))
		return SPM_FORECAST_SHORT;
	scale = rescale(series->y, series->n, scaled);
	spmk_ets_problem(&problem, form, scaled, series->n, series->m, false);
	spmk_ets_start(&problem, scaled + series->n);
	if (!(spmk_ets_search(&problem, ROUGH, HUGE_VAL, breath) < HUGE_VAL))
		return SPM_FORECAST_UNFIT;
	to_model(&problem, scale, &first, space);
	status = look_ahead(&first, series, outlook, space + series->m, breath);
	strcpy(outlook->name, "hw");
	return status;
}

/* One form each. */
static SpmForecastStatus
one_form(const char *name, const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmEtsForm	form;
	SpmEts		first;
	SpmForecastStatus status;

	if (!spmk_ets_form(name, &form))
		return SPM_FORECAST_UNFIT;
	status = spmk_ets_fit(series, form, &first, space, breath);
	if (status != SPM_FORECAST_OK)
		return status;
	return look_ahead(&first, series, outlook, space + series->m, breath);
}

#define FORM(form) \
	SpmForecastStatus \
	spmk_ets_##form(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath) \
	{ \
		return one_form(#form, series, outlook, space, breath); \
	}

FORM(ANN)
FORM(AAN)
FORM(AAdN)
FORM(MNN)
FORM(MAN)
FORM(MAdN)
FORM(ANA)
FORM(AAA)
FORM(AAdA)
FORM(MNA)
FORM(MAA)
FORM(MAdA)
FORM(MNM)
FORM(MAM)
FORM(MAdM)
