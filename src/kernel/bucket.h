/*
 * bucket.h
 *	  Forecasts by means of several periods: less noise, and what moves slowly shows.
 *
 * Athanasopoulos, Hyndman, Kourentzes & Petropoulos 2017 (temporal hierarchies).
 */
#ifndef SPMK_BUCKET_H
#define SPMK_BUCKET_H

#include "forecast.h"

/* The method runs on the means of 'size' values without their season, each of them a value of a series with none. */
extern size_t spmk_bucket_space(int n, int m, int h, int size, const SpmMethod *method);
extern SpmForecastStatus spmk_bucket(const SpmSeries *series, int size, const SpmMethod *method, SpmOutlook *outlook,
									 double *space, const SpmBreath *breath);

#endif
