/*
 * anomaly.c
 *	  Values of a series that its trend and seasons do not explain.
 *
 * The series is taken apart, what lies too far out is replaced by what was
 * expected, and so again until nothing more is found: then unusual values bend
 * neither what is expected nor what counts as far.  Taking it apart robustly in the
 * first place would leave a remainder with many small and many large values, of
 * which too many look unusual.
 */
#include "anomaly.h"

#include <string.h>

#include "interval.h"
#include "rank.h"

#define ROUNDS	20
/* Standard deviations that what was expected may still move by. */
#define SETTLED	0.01
/* Standard deviations of normal numbers, of their median and mean sizes. */
#define OF_MEDIAN	1.4826022185056018
#define OF_MEAN		1.2533141373155003
/* What lies closer than so much of the largest value is rounding. */
#define ROUNDING	1e-9
/* Fewer values tell nothing of what is usual. */
#define LEAST		8

double
spmk_median_of(double *numbers, double *scratch, int n, const SpmBreath *breath)
{
	spmk_sort_numbers(numbers, scratch, n, breath);
	return n % 2 ? numbers[n / 2] : (numbers[n / 2 - 1] + numbers[n / 2]) / 2;
}

size_t
spmk_anomaly_space(int n, const int *periods, int nperiods)
{
	return (size_t) n * (5 + nperiods) + spmk_mstl_space(n, periods, nperiods);
}

/* Middle and spread of what is left. */
static void
judge(const double *rest, int n, double *sorted, double *scratch, double *middle, double *scale, const SpmBreath *breath)
{
	double		mean = 0;

	memcpy(sorted, rest, n * sizeof(double));
	*middle = spmk_median_of(sorted, scratch, n, breath);
	for (int t = 0; t < n; t++)
	{
		sorted[t] = fabs(rest[t] - *middle);
		mean += sorted[t] / n;
	}
	*scale = OF_MEDIAN * spmk_median_of(sorted, scratch, n, breath);
	/* most of them equal: the median tells nothing of the others */
	if (*scale == 0)
		*scale = OF_MEAN * mean;
}

SpmForecastStatus
spmk_anomaly(const double *y, int n, const int *periods, int nperiods, double level,
			 SpmAnomalies *anomalies, double *space, const SpmBreath *breath)
{
	double	   *usual = space;	/* y, but what is expected where y is odd */
	double	   *rest = space + n;
	double	   *sorted = space + 2 * n;
	double	   *scratch = space + 4 * n;
	double	   *seasons = space + 5 * n;
	SpmParts	parts = {.trend = space + 3 * n, .seasons = seasons, .remainder = rest};
	double		far;
	double		largest = 0;
	double		middle = 0;
	bool		has_more = true;

	if (n < LEAST)
		return SPM_FORECAST_SHORT;
	/* a median of few values is no sure measure: as if half of them had told a mean square */
	far = spmk_student_quantile((1 + level) / 2, n / 2 - 2);
	for (int t = 0; t < n; t++)
	{
		anomalies->is_odd[t] = false;
		largest = fmax(largest, fabs(y[t]));
	}
	memcpy(usual, y, n * sizeof(double));
	for (int round = 0; round < ROUNDS && has_more; round++)
	{
		SpmForecastStatus status = spmk_mstl(usual, n, periods, nperiods, false, &parts,
											 seasons + (size_t) n * nperiods, breath);
		double		farthest = 0;

		if (status != SPM_FORECAST_OK)
			return status;
		for (int t = 0; t < n; t++)
		{
			anomalies->expected[t] = usual[t] - rest[t];
			rest[t] = y[t] - anomalies->expected[t];
		}
		judge(rest, n, sorted, scratch, &middle, &anomalies->scale, breath);
		anomalies->scale = fmax(anomalies->scale, ROUNDING * largest);
		for (int t = 0; t < n; t++)
			if (!anomalies->is_odd[t])
				farthest = fmax(farthest, fabs(rest[t] - middle));
		has_more = false;
		for (int t = 0; t < n; t++)
		{
			double		off = fabs(rest[t] - middle);
			double		was = usual[t];

			/* the farthest first: those beside them may only be bent by them */
			anomalies->is_odd[t] = off > far * anomalies->scale && (anomalies->is_odd[t] || off >= farthest / 2);
			usual[t] = anomalies->is_odd[t] ? anomalies->expected[t] + middle : y[t];
			has_more |= fabs(usual[t] - was) > SETTLED * anomalies->scale;
		}
	}
	anomalies->below = middle - far * anomalies->scale;
	anomalies->above = middle + far * anomalies->scale;
	for (int t = 0; t < n; t++)
		anomalies->is_odd[t] = rest[t] < anomalies->below || rest[t] > anomalies->above;
	return SPM_FORECAST_OK;
}
