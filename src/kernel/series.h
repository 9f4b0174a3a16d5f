/*
 * series.h
 *	  What methods ask of a series before they forecast it: has it a season, and
 *	  what is left of it without.
 */
#ifndef SPMK_SERIES_H
#define SPMK_SERIES_H

#include <stdbool.h>

#include "forecast.h"

/* Longer seasons are taken out before a method runs: n / m years say too little of each index. */
#define SPMK_SEASON_FREE	24

/*
 * A series without its season: y[t] = rest[t] * index[t % m], or +.  Without a
 * season m is 1 and rest a copy.
 */
typedef struct SpmAdjusted
{
	double	   *rest;			/* n */
	double	   *index;			/* the season's length */
	int			n;
	int			m;				/* 1: no season found */
	bool		is_product;
} SpmAdjusted;

extern bool spmk_has_season(const SpmSeries *series, const SpmBreath *breath);

/*
 * Takes out a season where the test finds one; room for spmk_adjust_space() doubles
 * stays in use.  Indices are drawn towards none by as much as they are in doubt;
 * the classical ones of Naive2 are not.
 */
extern size_t spmk_adjust_space(int n, int m);
extern void spmk_adjust(const SpmSeries *series, SpmAdjusted *adjusted, double *space, const SpmBreath *breath);
extern void spmk_adjust_classical(const SpmSeries *series, SpmAdjusted *adjusted, double *space, const SpmBreath *breath);

/* Puts the season back into a value of time t, first is 0, and into the variance of its error. */
extern double spmk_with_season(const SpmAdjusted *adjusted, int t, double value);
extern double spmk_season_factor(const SpmAdjusted *adjusted, int t);

/* Turns an outlook on the rest into one on the series. */
extern void spmk_restore_season(const SpmAdjusted *adjusted, SpmOutlook *outlook);

#endif
