/*
 * naive.h
 *	  What anybody would say: the last value again, last year again.  Methods are
 *	  measured by these.
 */
#ifndef SPMK_NAIVE_H
#define SPMK_NAIVE_H

#include "forecast.h"

extern size_t spmk_naive_space(int n, int m, int h);
extern SpmForecastStatus spmk_naive(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_snaive(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_naive2(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

#endif
