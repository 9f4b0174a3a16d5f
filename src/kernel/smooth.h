/*
 * smooth.h
 *	  Exponential smoothing of what is left without the season: the level alone,
 *	  with a trend, with one that dies out, and the mean of these three.
 */
#ifndef SPMK_SMOOTH_H
#define SPMK_SMOOTH_H

#include "forecast.h"

/* Level and growth after the last value, with the parameters that made them. */
typedef struct SpmSmooth
{
	double		alpha;
	double		beta;
	double		phi;
	double		start_level;
	double		start_growth;
	double		level;
	double		growth;
	double		squares;		/* sum of squared one-step errors */
} SpmSmooth;

/* Least squares over alpha, and over beta and phi where there is a trend. */
extern void spmk_smooth_level(const double *y, int n, SpmSmooth *fit, const SpmBreath *breath);
extern void spmk_smooth_trend(const double *y, int n, bool is_damped, SpmSmooth *fit, const SpmBreath *breath);

extern size_t spmk_smooth_space(int n, int m, int h);
extern SpmForecastStatus spmk_ses(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_holt(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_damped(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_comb(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

#endif
