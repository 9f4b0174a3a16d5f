/*
 * interval.h
 *	  Limits that hold what they say, because they are made of what a method would
 *	  have erred in the past.
 */
#ifndef SPMK_INTERVAL_H
#define SPMK_INTERVAL_H

#include "forecast.h"

/* Of the standard normal and of Student's t: 0 < p < 1 */
extern double spmk_normal_quantile(double p);
extern double spmk_student_quantile(double p, double freedom);

/* Errors of forecasts made at past origins, by steps ahead. */
typedef struct SpmHindsight
{
	int			h;
	double	   *squares;		/* h: weighted sums */
	double	   *weights;		/* h */
	double	   *counts;			/* h */
} SpmHindsight;

/*
 * An error counts by the square of how much was known then: who knew little erred
 * otherwise than one who knows all, and what is long ago tells less.
 */
static inline void
spmk_hindsight_add(SpmHindsight *hindsight, int known, int step, double error)
{
	double		weight = (double) known * known;

	hindsight->squares[step] += weight * error * error;
	hindsight->weights[step] += weight;
	hindsight->counts[step]++;
}

/* Fills lower and upper of the method that ran, having mean and, where nothing can be seen by hindsight, its variance. */
extern size_t spmk_interval_space(const SpmForecast *forecast, const SpmMethod *method, int m);
extern void spmk_interval(SpmForecast *forecast, const SpmMethod *method, const SpmSeries *series, const double *variance,
						  double *space, const SpmBreath *breath);

#endif
