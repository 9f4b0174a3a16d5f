/*
 * anomaly.h
 *	  Values of a series that its trend and seasons do not explain.
 */
#ifndef SPMK_ANOMALY_H
#define SPMK_ANOMALY_H

#include "mstl.h"

typedef struct SpmAnomalies
{
	double	   *expected;		/* n: trend and seasons, as if unusual values had not been */
	bool	   *is_odd;			/* n */
	double		below;			/* what a usual value may differ by, at most and at least */
	double		above;
	double		scale;			/* what is usual: a standard deviation that unusual values do not move */
} SpmAnomalies;

/* Periods as for spmk_mstl(); level is the share of usual values that limits are to hold. */
extern size_t spmk_anomaly_space(int n, const int *periods, int nperiods);
extern SpmForecastStatus spmk_anomaly(const double *y, int n, const int *periods, int nperiods, double level,
									  SpmAnomalies *anomalies, double *space, const SpmBreath *breath);

/* The middle one, or the mean of the middle two; puts numbers in order, with as much room in 'scratch'. */
extern double spmk_median_of(double *numbers, double *scratch, int n, const SpmBreath *breath);

#endif
