/*
 * median.h
 *	  Capacitated p-median: which p of n units become seats, and whose each unit
 *	  is, so that no seat serves more than it can and the sum of distances is least.
 */
#ifndef SPMK_MEDIAN_H
#define SPMK_MEDIAN_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "solve.h"

/* Distances are straight lines between points, or a matrix: [unit * n + seat], finite and not negative. */
typedef struct SpmMedian
{
	int			n;
	int			p;
	const double *x;
	const double *y;
	const double *matrix;		/* NULL: by x and y */
	const double *demand;		/* finite, not negative */
	const double *capacity;		/* of a seat at this unit; negative: no seat can be here, infinity: it serves all */
} SpmMedian;

typedef enum SpmMedianStatus
{
	SPM_MEDIAN_OK,
	SPM_MEDIAN_UNIT_TOO_LARGE,	/* no seat can serve this unit */
	SPM_MEDIAN_FEW_SEATS,		/* fewer than p units can be seats */
	SPM_MEDIAN_FULL,			/* the p largest capacities are less than all demand */
	SPM_MEDIAN_NOT_FOUND		/* no plan within capacity was met */
} SpmMedianStatus;

/* Why there is no plan. */
typedef struct SpmMedianTrouble
{
	int			unit;			/* too large */
	int			seats;			/* units that can be seats */
	double		capacity;		/* the largest, or that of the p largest */
	double		demand;			/* of all units */
} SpmMedianTrouble;

/* A load may be that much above its capacity, relatively: 0.1 + 0.2 fits into 0.3. */
#define SPM_MEDIAN_ROUNDING 1e-9

extern int64_t spmk_median_moves(const SpmMedian *problem);
extern size_t spmk_median_bytes(const SpmMedian *problem);
extern SpmMedianStatus spmk_median(const SpmMedian *problem, int64_t moves, uint64_t seed, void *memory,
								   const SpmBreath *breath, int *seat_of, SpmMedianTrouble *trouble);
extern double spmk_median_value(const SpmMedian *problem, const int *seat_of);

extern size_t spmk_median_bound_bytes(const SpmMedian *problem);
extern double spmk_median_bound(const SpmMedian *problem, const int *seat_of, int steps, void *memory,
								const SpmBreath *breath);

/* The k of n units in list[] that are nearest by d[] come first, in order. */
extern void spmk_nearest_first(int *list, int n, int k, const double *d);

/* The next array in the caller's memory; without memory, only how much is used. */
static inline void *
spmk_carve(char *memory, size_t *used, size_t count, size_t size)
{
	void	   *at = memory ? memory + *used : NULL;

	*used += (count * size + 15) & ~(size_t) 15;
	return at;
}

static inline double
spmk_median_distance(const SpmMedian *problem, int unit, int seat)
{
	double		dx;
	double		dy;

	if (problem->matrix)
		return problem->matrix[(size_t) unit * problem->n + seat];
	dx = problem->x[unit] - problem->x[seat];
	dy = problem->y[unit] - problem->y[seat];
	return sqrt(dx * dx + dy * dy);
}

/* A seat serves its own unit. */
static inline bool
spmk_median_can_be_seat(const SpmMedian *problem, int unit)
{
	double		capacity = problem->capacity[unit];

	return capacity >= 0 && problem->demand[unit] <= capacity + SPM_MEDIAN_ROUNDING * capacity;
}

#endif
