/*
 * ces.h
 *	  Complex exponential smoothing: level and information potential weigh each
 *	  other with one complex number, so a trend needs no model of its own.
 *
 * Svetunkov, Kourentzes and Ord, 2022 (Naval Research Logistics).
 */
#ifndef SPMK_CES_H
#define SPMK_CES_H

#include "forecast.h"

extern size_t spmk_ces_space(int n, int m, int h);

/* The form (no season, simple, partial or full) of the least AICc. */
extern SpmForecastStatus spmk_ces(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

#endif
