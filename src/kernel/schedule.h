/*
 * schedule.h
 *	  Rate schedules: what a running total has earned.
 *
 * E(x), what a total of x has earned in all, is computed exactly, as a
 * quotient; rounding is the caller's, once, at the end.
 */
#ifndef SPMK_SCHEDULE_H
#define SPMK_SCHEDULE_H

#include "dec.h"

#define SPM_MAX_TIERS 1000

typedef enum SpmStatus
{
	SPM_OK,
	SPM_ERR_NEGATIVE_FLOOR,		/* tier 1 starts below 0 */
	SPM_ERR_ORDER,				/* a tier does not start above the one before */
	SPM_ERR_EMPTY,				/* a tier ends where it starts, or before */
	SPM_ERR_OVERLAP,			/* a tier ends after the next one starts */
	SPM_ERR_GAP,				/* a tier ends before the next one starts */
	SPM_ERR_NO_END,				/* weighted, and the last tier is unbounded */
	SPM_ERR_CAP_NEGATIVE,
	SPM_ERR_CAP_FLOOR,			/* cap below floor */
	SPM_ERR_DIVISOR,			/* not greater than 0 */
	SPM_ERR_ABOVE_END,			/* an amount above the end of the last tier */
	SPM_TOO_BIG					/* does not fit integers: compute with Dec */
} SpmStatus;

typedef enum SpmRateMethod
{
	SPM_MARGINAL,
	SPM_WHOLE,
	SPM_INTERPOLATED,
	SPM_WEIGHTED,
	SPM_BONUS,
	SPM_EXCESS,
	SPM_CURVE
} SpmRateMethod;

typedef enum SpmEdge
{
	SPM_EDGE_UPPER,
	SPM_EDGE_LOWER,
	SPM_EDGE_CLOSED
} SpmEdge;

typedef enum SpmZeroQuota
{
	SPM_ZERO_TOP,
	SPM_ZERO_NOTHING,
	SPM_ZERO_REFUSE
} SpmZeroQuota;

/* All of a schedule but its numbers. */
typedef struct SpmTerms
{
	int			ntiers;
	SpmRateMethod	method;
	SpmEdge		edge;
	SpmZeroQuota zero_quota;
	bool		percent;		/* bounds are shares of a quota */
	bool		outside_zero;	/* gaps, and all above the last end, earn 0 */
	bool		has_ends;		/* else a tier ends where the next one starts */
	bool		last_open;		/* the last tier has no end */
	bool		has_base;		/* else as spmk_default_base() says */
	bool		has_cap;
	bool		has_least;
	bool		has_divisor;	/* what is earned is divided, before limits */
} SpmTerms;

/* ends[] is complete but for the last one of a schedule with last_open. */
typedef struct SpmSchedule
{
	SpmTerms	terms;
	Dec		   *floors;
	Dec		   *ends;
	Dec		   *values;
	Dec			base;
	Dec			cap;
	Dec			least;
	Dec			divisor;
} SpmSchedule;

/* Where an amount lies: a tier's index, or one of these. */
#define SPM_BELOW	(-1)
#define SPM_OUTSIDE	(-2)

extern SpmStatus spmk_schedule_check(const SpmSchedule *s, int *tier);
extern bool spmk_values_are_money(SpmRateMethod method);
extern bool spmk_default_base_is_first(SpmRateMethod method, bool first_floor_is_zero);
extern int	spmk_tier_of(const SpmSchedule *s, Dec x);
extern SpmStatus spmk_rate(const SpmSchedule *s, Dec x, int *tier, Dec *num, Dec *den);
extern SpmStatus spmk_earned_unlimited(const SpmSchedule *s, Dec x, Dec *num, Dec *den);
extern void spmk_apply_cap(const SpmSchedule *s, Dec x, Dec *num, Dec *den);
extern void spmk_apply_least(const SpmSchedule *s, Dec x, Dec *num, Dec *den);
extern SpmStatus spmk_earned(const SpmSchedule *s, Dec x, Dec *num, Dec *den);

/*
 * The line of amounts, cut at every bound: region 2i is what lies before tier
 * i (below the first tier, or a gap, which may be empty), region 2i + 1 is
 * tier i, region 2n what lies above the last end.
 */
extern int	spmk_region_count(const SpmSchedule *s);
extern bool spmk_region_slice(const SpmSchedule *s, int region, Dec *from, Dec *to);

#endif
