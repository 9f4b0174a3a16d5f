/*
 * theta.h
 *	  Theta methods: half of the trend, and a level that follows the series.
 */
#ifndef SPMK_THETA_H
#define SPMK_THETA_H

#include "forecast.h"
#include "interval.h"

#define SPMK_DOTM_LEAST 5

extern size_t spmk_theta_space(int n, int m, int h);
extern SpmForecastStatus spmk_theta(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_dotm(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

/* n - origins * stride is SPMK_DOTM_LEAST or more; y best has no season, and a mean near 0. */
extern size_t spmk_dotm_hindsight_space(int n, int h, int origins);
extern void spmk_dotm_hindsight(const double *y, int n, int origins, int stride, SpmHindsight *hindsight, double *space,
								const SpmBreath *breath);

#endif
