/*
 * ensemble.h
 *	  Several methods at once: their errors differ, and cancel in part.
 */
#ifndef SPMK_ENSEMBLE_H
#define SPMK_ENSEMBLE_H

#include "forecast.h"

extern size_t spmk_ensemble_space(int n, int m, int h);
extern SpmForecastStatus spmk_auto(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_light(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

#endif
