/*
 * arima_difference.c
 *	  How often a series is to be differenced before it is stationary.
 */
#include "arima.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mstl.h"

#define KPSS_LIMIT		.463	/* 5 % of stationary series exceed it (Kwiatkowski et al., 1992) */
#define SEASON_STRENGTH .64		/* above it a seasonal difference forecasts better (Wang, Smith and Hyndman, 2006) */

static bool
is_constant(const double *y, int n)
{
	for (int t = 1; t < n; t++)
		if (y[t] != y[0])
			return false;
	return true;
}

int
spmk_arima_difference(const double *y, int n, const SpmArimaOrder *order, double *w)
{
	memcpy(w, y, sizeof(double) * n);
	for (int i = 0; i < order->D && n > order->m; i++)
	{
		n -= order->m;
		for (int t = 0; t < n; t++)
			w[t] = w[t + order->m] - w[t];
	}
	for (int i = 0; i < order->d && n > 1; i++)
	{
		n--;
		for (int t = 0; t < n; t++)
			w[t] = w[t + 1] - w[t];
	}
	return n;
}

/*
 * Squares of the running sum about the mean, over n^2 times the variance of a
 * mean that knows of 3/13 sqrt(n) autocovariances (weights of Bartlett).
 */
double
spmk_kpss(const double *y, int n)
{
	int			lags = (int) (3 * sqrt((double) n) / 13);
	double		mean = 0;
	double		sum = 0;
	double		squares = 0;
	double		variance = 0;

	for (int t = 0; t < n; t++)
		mean += y[t];
	mean /= n;
	for (int t = 0; t < n; t++)
	{
		sum += y[t] - mean;
		squares += sum * sum;
	}
	for (int lag = 0; lag <= lags && lag < n; lag++)
	{
		double		covariance = 0;

		for (int t = lag; t < n; t++)
			covariance += (y[t] - mean) * (y[t - lag] - mean);
		variance += (lag == 0 ? 1 : 2 * (1 - lag / (lags + 1.0))) * covariance;
	}
	return variance > 0 ? squares / n / variance : 0;
}

/* space: n */
int
spmk_ndiffs(const double *y, int n, double *space)
{
	int			d = 0;

	memcpy(space, y, sizeof(double) * n);
	while (d < SPMK_ARIMA_DIFFERENCES && n > 2 && !is_constant(space, n) && spmk_kpss(space, n) > KPSS_LIMIT)
	{
		d++;
		n--;
		for (int t = 0; t < n; t++)
			space[t] = space[t + 1] - space[t];
	}
	return d;
}

size_t
spmk_nsdiffs_space(int n, int m)
{
	return n > 2 * m && m > 1 ? spmk_mstl_space(n, &m, 1) + (size_t) 3 * n : 0;
}

/* 1 - var(remainder) / var(remainder + season) of a decomposition by loess */
int
spmk_nsdiffs(const double *y, int n, int m, double *space, const SpmBreath *breath)
{
	SpmParts	parts = {.trend = space, .seasons = space + n, .remainder = space + (size_t) 2 * n};
	double		mean = 0;
	double		season_mean = 0;
	double		rest = 0;
	double		both = 0;

	if (m < 2 || n <= 2 * m || is_constant(y, n))
		return 0;
	if (spmk_mstl(y, n, &m, 1, false, &parts, space + (size_t) 3 * n, breath) != SPM_FORECAST_OK)
		return 0;
	for (int t = 0; t < n; t++)
	{
		mean += parts.remainder[t] / n;
		season_mean += parts.seasons[t] / n;
	}
	for (int t = 0; t < n; t++)
	{
		double		alone = parts.remainder[t] - mean;
		double		together = alone + parts.seasons[t] - season_mean;

		rest += alone * alone;
		both += together * together;
	}
	return both > 0 && 1 - rest / both > SEASON_STRENGTH;
}
