/*
 * fast.h
 *	  The same as schedule.h in checked integers, for schedules and amounts
 *	  that fit.  Where they do not, SPM_TOO_BIG: the caller turns to Dec.
 */
#ifndef SPMK_FAST_H
#define SPMK_FAST_H

#include "rounding.h"
#include "schedule.h"

/* No integer beyond 10^18 and no scale beyond 16 enters the fast path. */
#define SPM_FAST_MAX	INT64_C(1000000000000000000)
#define SPM_FAST_SCALE	16

/* Amounts are scaled by 10^amount_scale, rates by 10^rate_scale. */
typedef struct SpmFast
{
	SpmTerms	terms;
	int			amount_scale;
	int			rate_scale;
	const int64_t *floors;
	const int64_t *ends;		/* NULL unless terms.has_ends */
	const int64_t *values;		/* those of a bonus or curve are amounts */
	int64_t		base;
	int64_t		cap;
	int64_t		least;
	int64_t		divisor;		/* scaled as an amount */
} SpmFast;

extern int64_t spmk_pow10(int n);
extern bool spmk_rescale(int64_t *value, int from_scale, int to_scale);
extern SpmStatus spmk_fast_earned(const SpmFast *s, int64_t x, int scale,
								  int places, SpmRounding rounding, int64_t *earned);

#endif
