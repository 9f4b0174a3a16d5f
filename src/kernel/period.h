/*
 * period.h
 *	  The period that a day lies in: months, quarters and the like as numbers
 *	  that follow each other.
 *
 * Days count from 1 January 2000 (a Saturday), as PostgreSQL's do.
 */
#ifndef SPMK_PERIOD_H
#define SPMK_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum SpmGrain
{
	SPM_GRAIN_DAY,
	SPM_GRAIN_WEEK,				/* from Monday */
	SPM_GRAIN_MONTH,
	SPM_GRAIN_QUARTER,
	SPM_GRAIN_HALF,
	SPM_GRAIN_YEAR,
	SPM_GRAIN_ALL				/* one period without end */
} SpmGrain;

extern bool spmk_grain_from_name(const char *name, size_t len, SpmGrain *grain);
extern int64_t spmk_period_of(SpmGrain grain, int32_t day);
extern int64_t spmk_period_start(SpmGrain grain, int64_t period);
extern int	spmk_period_between(const int32_t *bounds, int nbounds, int32_t day);

#endif
