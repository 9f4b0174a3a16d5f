/*
 * forecast.c
 *	  The list of methods, and a forecast with limits by any of them.
 */
#include "forecast.h"

#include <string.h>

#include "arima.h"
#include "ces.h"
#include "ets_method.h"
#include "ensemble.h"
#include "intermittent.h"
#include "interval.h"
#include "mstl.h"
#include "naive.h"
#include "series.h"
#include "smooth.h"
#include "theta.h"

const SpmMethod spmk_methods[] = {
	{"auto", "the best that is known of the series, made of several methods", spmk_ensemble_space, spmk_auto, .relative = 0.95},
	{"light", "for millions of series: nearly as good as auto", spmk_ensemble_space, spmk_light, .relative = 0.98},
	{"dotm", "dynamic optimised theta model", spmk_theta_space, spmk_dotm},
	{"theta", "theta method: smoothing with half the trend", spmk_theta_space, spmk_theta, .is_cheap = true},
	{"ses", "simple exponential smoothing", spmk_smooth_space, spmk_ses, .is_cheap = true},
	{"holt", "exponential smoothing with a trend", spmk_smooth_space, spmk_holt, .is_cheap = true},
	{"damped", "exponential smoothing with a trend that dies out", spmk_smooth_space, spmk_damped, .is_cheap = true},
	{"comb", "mean of ses, holt and damped", spmk_smooth_space, spmk_comb},
	{"naive", "the last value again", spmk_naive_space, spmk_naive, .is_cheap = true},
	{"snaive", "the last season again", spmk_naive_space, spmk_snaive, .is_cheap = true},
	{"naive2", "the last value again, with the season of the years before", spmk_naive_space, spmk_naive2, .is_cheap = true},
	{"ces", "complex exponential smoothing: trends and seasons that come and go", spmk_ces_space, spmk_ces},
	SPM_ETS_ROWS,
	{"arima", "autoregression and moving averages of differences, the order by AICc", spmk_arima_method_space, spmk_arima, .relative = 1.05},
	{"intermittent", "demand that mostly is nothing: imapa, less what a long silence says", spmk_intermittent_space, spmk_intermittent, spmk_demand_limits},
	{"croston", "intermittent demand: sizes over intervals", spmk_intermittent_space, spmk_croston, spmk_demand_limits},
	{"sba", "intermittent demand: croston less its bias (Syntetos and Boylan)", spmk_intermittent_space, spmk_sba, spmk_demand_limits},
	{"tsb", "intermittent demand: sizes times chances, which fade (Teunter, Syntetos and Babai)", spmk_intermittent_space, spmk_tsb, spmk_demand_limits},
	{"adida", "intermittent demand: smoothed over buckets of its mean interval", spmk_intermittent_space, spmk_adida, spmk_demand_limits},
	{"imapa", "intermittent demand: mean of adida over all buckets up to its mean interval", spmk_intermittent_space, spmk_imapa, spmk_demand_limits},
	{.name = NULL}
};

/* In whose place the next one comes, when a series is too short or not for it; the last one does any. */
static const char *const simpler[] = {"dotm", "ses", "naive"};

const SpmMethod *
spmk_method(const char *name)
{
	for (const SpmMethod *method = spmk_methods; method->name; method++)
		if (strcmp(method->name, name) == 0)
			return method;
	return NULL;
}

static int
main_season(const SpmForecast *forecast)
{
	int			m = forecast->nseasons > 0 ? forecast->seasons[0] : 1;

	return m < 1 ? 1 : m;
}

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The seasons that the series is long enough to show: how many. */
static int
seen_seasons(const SpmForecast *forecast, int *seasons)
{
	int			count = 0;

	for (int k = 0; k < forecast->nseasons && count < SPMK_SEASONS_MAX; k++)
		if (forecast->seasons[k] > (count > 0 ? seasons[count - 1] : 1) && forecast->seasons[k] <= forecast->n / 2)
			seasons[count++] = forecast->seasons[k];
	return count;
}

/* Demand that mostly is nothing has methods of its own. */
static const SpmMethod *
suited(const SpmMethod *method, const SpmSeries *series)
{
	bool		is_open = method->run == spmk_auto || method->run == spmk_light;

	return is_open && spmk_is_intermittent(series) ? spmk_method("intermittent") : method;
}

size_t
spmk_forecast_space(const SpmForecast *forecast)
{
	int			seasons[SPMK_SEASONS_MAX];
	SpmForecast several = *forecast;
	int			n = forecast->n;
	int			m = main_season(forecast);
	int			h = forecast->h;
	size_t		space = larger(forecast->method->space(n, m, h), spmk_interval_space(forecast, forecast->method, m));

	several.seasons = seasons;
	several.nseasons = seen_seasons(forecast, seasons);
	if (several.nseasons > 1)
		space = larger(space, spmk_mstl_forecast_space(&several));
	space = larger(space, spmk_intermittent_space(n, m, h));
	for (int i = 0; i < sizeof(simpler) / sizeof(simpler[0]); i++)
	{
		const SpmMethod *method = spmk_method(simpler[i]);

		space = larger(space, larger(method->space(n, m, h), spmk_interval_space(forecast, method, m)));
	}
	return space + h;
}

/* What never was below zero is not forecast to be. */
static void
keep_positive(SpmForecast *forecast)
{
	for (int t = 0; t < forecast->n; t++)
		if (forecast->y[t] < 0)
			return;
	for (int i = 0; i < forecast->h; i++)
	{
		double	   *numbers[] = {forecast->mean, forecast->lower, forecast->upper};

		for (int j = 0; j < 3; j++)
			if (numbers[j] && numbers[j][i] < 0)
				numbers[j][i] = 0;
	}
}

SpmForecastStatus
spmk_forecast(SpmForecast *forecast, double *space, const SpmBreath *breath)
{
	SpmSeries	series = {.y = forecast->y, .n = forecast->n, .m = main_season(forecast)};
	SpmOutlook	outlook = {.h = forecast->h, .mean = forecast->mean, .variance = space};
	const SpmMethod *method = suited(forecast->method, &series);
	double	   *rest = space + forecast->h;
	SpmForecastStatus asked;
	SpmForecastStatus status;
	int			seasons[SPMK_SEASONS_MAX];
	int			nseasons = seen_seasons(forecast, seasons);

	if (nseasons > 1 && !method->limits)
	{
		SpmForecast several = *forecast;

		several.seasons = seasons;
		several.nseasons = nseasons;
		asked = spmk_mstl_forecast(&several, space, breath);
		memcpy(forecast->name, several.name, sizeof(forecast->name));
		keep_positive(forecast);
		return asked;
	}
	asked = status = method->run(&series, &outlook, rest, breath);
	for (int i = 0; status != SPM_FORECAST_OK; i++)
	{
		method = spmk_method(simpler[i]);
		status = method->run(&series, &outlook, rest, breath);
	}
	memcpy(forecast->name, outlook.name, sizeof(forecast->name));
	if (forecast->lower && method->limits)
		method->limits(&series, &outlook, forecast->level, forecast->lower, forecast->upper, rest, breath);
	else if (forecast->lower)
		spmk_interval(forecast, method, &series, outlook.variance, rest, breath);
	keep_positive(forecast);
	return asked;
}
