/*
 * intermittent.h
 *	  Demand that mostly is nothing: spare parts, rare products, one customer's orders.
 *
 * Croston (1972); Syntetos and Boylan (2005) for sba and for what is intermittent;
 * Teunter, Syntetos and Babai (2011) for tsb; Nikolopoulos et al. (2011) for adida;
 * Petropoulos and Kourentzes (2015) for imapa.
 */
#ifndef SPMK_INTERMITTENT_H
#define SPMK_INTERMITTENT_H

#include "forecast.h"

/* No value is negative, demand comes every 1.32 periods at most, and no season says when. */
extern bool spmk_is_intermittent(const SpmSeries *series);

extern size_t spmk_intermittent_space(int n, int m, int h);
extern SpmForecastStatus spmk_croston(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_sba(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_tsb(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_adida(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_imapa(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

/* imapa, less what a long silence says: what 'auto' makes of such series. */
extern SpmForecastStatus spmk_intermittent(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

/*
 * Limits for all of them: the shortest that hold 'level' of what demand may be,
 * nothing or a size as there were before, whose mean is forecast.  Mostly from 0.
 */
extern void spmk_demand_limits(const SpmSeries *series, const SpmOutlook *outlook, double level, double *lower,
							   double *upper, double *space, const SpmBreath *breath);

#endif
