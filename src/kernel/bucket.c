/*
 * bucket.c
 *	  Forecasts of a series by means of several of its values.
 */
#include "bucket.h"

#include <stdio.h>
#include <string.h>

#include "series.h"

/* One more bucket than the horizon reaches into: values are read off between the middles of two. */
static int
buckets_ahead(int h, int size)
{
	return (h + size - 1) / size + 1;
}

size_t
spmk_bucket_space(int n, int m, int h, int size, const SpmMethod *method)
{
	int			ahead = buckets_ahead(h, size);

	return spmk_adjust_space(n, m) + n / size + 2 * (size_t) ahead + method->space(n / size, 1, ahead);
}

SpmForecastStatus
spmk_bucket(const SpmSeries *series, int size, const SpmMethod *method, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	int			n = series->n / size;
	int			ahead = buckets_ahead(outlook->h, size);
	double	   *means = space + spmk_adjust_space(series->n, series->m);
	SpmSeries	buckets = {.y = means, .n = n, .m = 1};
	SpmOutlook	path = {.h = ahead, .mean = means + n, .variance = means + n + ahead};
	SpmAdjusted adjusted;
	SpmForecastStatus status;

	spmk_adjust(series, &adjusted, space, breath);

	/* The last bucket is complete; what the first one lacks is left out. */
	for (int i = 0; i < n; i++)
	{
		const double *y = adjusted.rest + series->n % size + (size_t) i * size;

		means[i] = 0;
		for (int j = 0; j < size; j++)
			means[i] += y[j] / size;
	}
	status = method->run(&buckets, &path, means + n + 2 * ahead, breath);
	if (status != SPM_FORECAST_OK)
		return status;
	for (int i = 0; i < outlook->h; i++)
	{
		double		at = (i - 0.5 * (size - 1)) / size;
		int			left = at > 0 ? (int) at : 0;
		double		mean;

		if (left > ahead - 2)
			left = ahead - 2;
		mean = path.mean[left] + (at - left) * (path.mean[left + 1] - path.mean[left]);
		outlook->mean[i] = spmk_with_season(&adjusted, series->n + i, mean);
		outlook->variance[i] = NAN;
	}
	snprintf(outlook->name, sizeof(outlook->name), "%d x %.60s", size, path.name);
	return SPM_FORECAST_OK;
}
