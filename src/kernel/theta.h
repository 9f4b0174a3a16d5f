/*
 * theta.h
 *	  Theta methods: half of the trend, and a level that follows the series.
 */
#ifndef SPMK_THETA_H
#define SPMK_THETA_H

#include "forecast.h"

extern size_t spmk_theta_space(int n, int m, int h);
extern SpmForecastStatus spmk_theta(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_dotm(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

/* n - origins is 5 or more; y best has no season, and its mean is near 0. */
extern size_t spmk_dotm_origins_space(int n, int origins);
extern void spmk_dotm_origins(const double *y, int n, int origins, int h, double *errors, double *space,
							  const SpmBreath *breath);

#endif
