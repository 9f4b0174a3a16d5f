/*
 * mstl.h
 *	  What a series is made of: a trend, seasons of one or several lengths, and the
 *	  remainder; which seasons it has; and forecasts of long series with several.
 *
 * Seasonal and trend decomposition by loess (Cleveland, Cleveland, McRae and
 * Terpenning, 1990), one season after the other until they settle (Bandara,
 * Hyndman and Bergmeir, 2021).
 */
#ifndef SPMK_MSTL_H
#define SPMK_MSTL_H

#include "forecast.h"

/* More seasons than day, week and year nobody has. */
#define SPMK_SEASONS_MAX	8

/* y[t] = trend[t] + the seasons' [k * n + t] + remainder[t] */
typedef struct SpmParts
{
	double	   *trend;			/* n */
	double	   *seasons;		/* nperiods * n; may be NULL without periods */
	double	   *remainder;		/* n */
	double		trend_strength; /* 0: none, to 1: all but the remainder */
	double		strength[SPMK_SEASONS_MAX]; /* the same of each season */
} SpmParts;

/*
 * Periods are ascending, each from 2 to half of the series; without any there is
 * only a trend.  'robust': outliers go to the remainder and bend nothing.
 */
extern size_t spmk_mstl_space(int n, const int *periods, int nperiods);
extern SpmForecastStatus spmk_mstl(const double *y, int n, const int *periods, int nperiods, bool robust,
								   SpmParts *parts, double *space, const SpmBreath *breath);

/* The seasons that a series shows by itself, ascending: how many, at most 'most'. */
extern size_t spmk_seasons_space(int n);
extern int	spmk_seasons(const double *y, int n, int *periods, int most, double *space, const SpmBreath *breath);

/*
 * A forecast with several seasons: what is left of the series without them is
 * forecast by the method that is asked for, and the last cycle of each is put back.
 * Seasons that the series is too short for must be left out before.
 */
extern size_t spmk_mstl_forecast_space(const SpmForecast *forecast);
extern SpmForecastStatus spmk_mstl_forecast(SpmForecast *forecast, double *space, const SpmBreath *breath);

#endif
