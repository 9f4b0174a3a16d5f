/*
 * mstl_forecast.c
 *	  Forecasts of series with several seasons, as days have of the week and the year.
 *
 * A year of days is known from two or three years at most: its season is smoothed
 * over neighbouring days as far as that foretells a year better from the others.
 */
#include <stdio.h>
#include <string.h>

#include "interval.h"
#include "mstl.h"

#define SHARP		24			/* seasons up to this long are taken as they are */
#define NARROW		10			/* a smoothed season keeps what is longer than this part of it */

/* A series without its seasons. */
typedef struct Bare
{
	double	   *log_y;			/* n: spare, if the series isn't positive */
	double	   *rest;			/* n: the series without seasons */
	double	   *smooth;			/* n + 1 */
	double	   *profile;		/* 2 * season + 1 */
	SpmParts	parts;
	SpmParts	log_parts;		/* of logarithms: put in the place of those, if they leave less */
	bool		is_log;			/* seasons multiply */
	double		blur;			/* variance of what is believed to be season and isn't */
} Bare;

static SpmParts
parts_in(double *space, size_t n)
{
	return (SpmParts) {.trend = space, .remainder = space + n, .seasons = space + 2 * n};
}

/* Carves the arrays out of 'space', if there is any, and tells how much is used. */
static size_t
lay_out(const SpmForecast *forecast, double *space, Bare *bare)
{
	size_t		n = forecast->n;
	size_t		longest = forecast->seasons[forecast->nseasons - 1];
	size_t		parts = (2 + forecast->nseasons) * n;

	if (space)
	{
		bare->log_y = space;
		bare->rest = bare->log_y + n;
		bare->smooth = bare->rest + n;
		bare->profile = bare->smooth + n + 1;
		bare->parts = parts_in(bare->profile + 2 * longest + 1, n);
		bare->log_parts = parts_in(bare->parts.trend + parts, n);
	}
	return 3 * n + 2 * longest + 2 + 2 * parts;
}

size_t
spmk_mstl_forecast_space(const SpmForecast *forecast)
{
	SpmForecast inner = *forecast;
	size_t		decompose = spmk_mstl_space(forecast->n, forecast->seasons, forecast->nseasons);
	size_t		ahead;

	inner.nseasons = 0;
	ahead = spmk_forecast_space(&inner);
	return lay_out(forecast, NULL, NULL) + (decompose > ahead ? decompose : ahead);
}

/* How many of the phases 0 to x - 1, going round and round, have one value more than the others. */
static int
fuller(int x, int n, int period)
{
	int			rest = n % period;

	return x / period * rest + (x % period < rest ? x % period : rest);
}

/*
 * How well means over the other cycles, and over 'width' phases around, foretell
 * each value: mean square of what they miss.  'sums' and 'before' are of the
 * profile, from its beginning, and of the values.
 */
static double
missed(const double *values, const double *before, const double *sums, int n, int period, int width)
{
	int			half = width / 2;
	double		squares = 0;
	int			count = 0;

	for (int t = half; t < n - half; t++)
	{
		int			from = (t - half) % period;
		int			cycles = width * (n / period - 1) + fuller(from + width, n, period) - fuller(from, n, period);
		double		own = before[t + half + 1] - before[t - half];
		double		others = sums[from + width] - sums[from] - own;
		double		e;

		if (cycles <= 0)
			continue;
		e = values[t] - others / cycles;
		squares += e * e;
		count++;
	}
	return count > 0 ? squares / count : INFINITY;
}

/* Smooths one season, and adds to the blur what it is wrong by, beyond what the remainder says. */
static void
blur_season(double *season, double *remainder, int n, int period, Bare *bare, const SpmBreath *breath)
{
	double	   *values = bare->rest;
	double	   *before = bare->smooth;
	double	   *sums = bare->profile;
	double		least = INFINITY;
	double		mean_square = 0;
	int			best = 1;

	for (int t = 0; t < n; t++)
		values[t] = season[t] + remainder[t];
	before[0] = sums[0] = 0;
	for (int t = 0; t < n; t++)
		before[t + 1] = before[t] + values[t];
	for (int i = 0; i < 2 * period; i++)
	{
		double		sum = 0;

		for (int t = i % period; t < n; t += period)
			sum += values[t];
		sums[i + 1] = sums[i] + sum;
	}
	for (int width = 1; width == 1 || (period > SHARP && width <= period / NARROW); width = 2 * width + 1)
	{
		double		square = missed(values, before, sums, n, period, width);

		if (square < least)
		{
			least = square;
			best = width;
		}
		spmk_breathe(breath);
	}

	before[0] = 0;
	for (int t = 0; t < n; t++)
		before[t + 1] = before[t] + season[t];
	for (int t = 0; t < n; t++)
	{
		int			from = t - best / 2 < 0 ? 0 : t - best / 2;
		int			to = t + best / 2 >= n ? n : t + best / 2 + 1;

		if (best > 1)
		{
			season[t] = (before[to] - before[from]) / (to - from);
			remainder[t] = values[t] - season[t];
		}
		mean_square += remainder[t] * remainder[t] / n;
	}
	if (isfinite(least) && least > mean_square)
		bare->blur += least - mean_square;
}

/*
 * Seasons that grow with the level are taken out of logarithms: there the
 * remainder is what is left of 1.  Whichever leaves less of the series stays.
 */
static SpmForecastStatus
undress(const SpmForecast *forecast, Bare *bare, double *space, const SpmBreath *breath)
{
	int			n = forecast->n;
	const double *y = forecast->y;
	SpmParts   *parts = &bare->parts;
	bool		is_positive = true;
	double		lost = 0;
	double		lost_log = 0;
	SpmForecastStatus status = spmk_mstl(y, n, forecast->seasons, forecast->nseasons, false, parts, space, breath);

	if (status != SPM_FORECAST_OK)
		return status;
	for (int t = 0; t < n; t++)
		is_positive = is_positive && y[t] > 0;
	if (is_positive)
	{
		for (int t = 0; t < n; t++)
			bare->log_y[t] = log(y[t]);
		spmk_mstl(bare->log_y, n, forecast->seasons, forecast->nseasons, false, &bare->log_parts, space, breath);
		for (int t = 0; t < n; t++)
		{
			lost += fabs(parts->remainder[t]);
			lost_log += fabs(y[t] - exp(bare->log_y[t] - bare->log_parts.remainder[t]));
		}
		bare->is_log = lost_log < lost;
		if (bare->is_log)
			*parts = bare->log_parts;
	}

	for (int k = 0; k < forecast->nseasons; k++)
		blur_season(parts->seasons + (size_t) k * n, parts->remainder, n, forecast->seasons[k], bare, breath);
	for (int t = 0; t < n; t++)
	{
		bare->rest[t] = parts->trend[t] + parts->remainder[t];
		if (bare->is_log)
			bare->rest[t] = exp(bare->rest[t]);
	}
	return SPM_FORECAST_OK;
}

/* The last cycle again, as many times as it takes. */
static double
season_ahead(const SpmForecast *forecast, const Bare *bare, int i)
{
	double		sum = 0;

	for (int k = 0; k < forecast->nseasons; k++)
	{
		int			period = forecast->seasons[k];

		sum += bare->parts.seasons[(size_t) k * forecast->n + forecast->n - period + i % period];
	}
	return sum;
}

SpmForecastStatus
spmk_mstl_forecast(SpmForecast *forecast, double *space, const SpmBreath *breath)
{
	Bare		bare = {0};
	double	   *more = space + lay_out(forecast, space, &bare);
	SpmForecast inner = *forecast;
	SpmForecastStatus status = undress(forecast, &bare, more, breath);
	double		wide = spmk_normal_quantile(.5 + forecast->level / 2);

	if (status != SPM_FORECAST_OK)
		return status;
	inner.y = bare.rest;
	inner.nseasons = 0;
	status = spmk_forecast(&inner, more, breath);
	for (int i = 0; i < forecast->h; i++)
	{
		double		season = season_ahead(forecast, &bare, i);
		double		mean = inner.mean[i];
		double		times = bare.is_log ? exp(season) : 1;
		double		unsure = wide * wide * bare.blur * (bare.is_log ? mean * mean : 1);

		if (bare.is_log)
			season = 0;
		forecast->mean[i] = mean * times + season;
		if (forecast->lower)
		{
			double		below = sqrt((mean - inner.lower[i]) * (mean - inner.lower[i]) + unsure);
			double		above = sqrt((inner.upper[i] - mean) * (inner.upper[i] - mean) + unsure);

			forecast->lower[i] = (mean - below) * times + season;
			forecast->upper[i] = (mean + above) * times + season;
		}
	}
	snprintf(forecast->name, sizeof(forecast->name), "MSTL + %.70s", inner.name);
	return status;
}
