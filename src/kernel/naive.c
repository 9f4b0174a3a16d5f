/*
 * naive.c
 *	  Repeating the value of one step, or of one season, ago.
 */
#include "naive.h"

#include <string.h>

#include "series.h"

size_t
spmk_naive_space(int n, int m, int h)
{
	(void) h;
	return spmk_adjust_space(n, m);
}

/* A walk in steps of 'lag': its variance grows by one with every lag that is passed. */
static void
repeat(const double *y, int n, int lag, SpmOutlook *outlook)
{
	double		squares = 0;

	for (int t = lag; t < n; t++)
		squares += (y[t] - y[t - lag]) * (y[t] - y[t - lag]);
	for (int i = 0; i < outlook->h; i++)
	{
		outlook->mean[i] = y[n - lag + i % lag];
		outlook->variance[i] = n > lag ? squares / (n - lag) * (i / lag + 1) : NAN;
	}
	for (int t = 0; outlook->fitted && t < n; t++)
		outlook->fitted[t] = t < lag ? NAN : y[t - lag];
}

SpmForecastStatus
spmk_naive(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	(void) space;
	(void) breath;
	if (series->n < 1)
		return SPM_FORECAST_SHORT;
	repeat(series->y, series->n, 1, outlook);
	strcpy(outlook->name, "naive");
	return SPM_FORECAST_OK;
}

SpmForecastStatus
spmk_snaive(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	(void) space;
	(void) breath;
	if (series->n < series->m)
		return SPM_FORECAST_SHORT;
	repeat(series->y, series->n, series->m, outlook);
	strcpy(outlook->name, "snaive");
	return SPM_FORECAST_OK;
}

SpmForecastStatus
spmk_naive2(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;

	if (series->n < 1)
		return SPM_FORECAST_SHORT;
	spmk_adjust_classical(series, &adjusted, space, breath);
	repeat(adjusted.rest, adjusted.n, 1, outlook);
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "naive2");
	return SPM_FORECAST_OK;
}
