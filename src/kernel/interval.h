/*
 * interval.h
 *	  Limits that hold what they say.
 */
#ifndef SPMK_INTERVAL_H
#define SPMK_INTERVAL_H

#include "forecast.h"

/* Of the standard normal and of Student's t: 0 < p < 1 */
extern double spmk_normal_quantile(double p);
extern double spmk_student_quantile(double p, double freedom);

/* Fills lower and upper, having mean and the variances of a method (NaN: none). */
extern size_t spmk_interval_space(int n, int m, int h);
extern void spmk_interval(SpmForecast *forecast, const SpmSeries *series, const double *variance, double *space,
						  const SpmBreath *breath);

#endif
