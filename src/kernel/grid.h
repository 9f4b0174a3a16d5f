/*
 * grid.h
 *	  Periods of one length that follow each other, and moments put into them:
 *	  how dated rows become a series.
 *
 * Moments are microseconds since 1 January 2000, 0:00, of one clock.
 */
#ifndef SPMK_GRID_H
#define SPMK_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum SpmStep
{
	SPM_STEP_HOUR,
	SPM_STEP_DAY,
	SPM_STEP_WEEK,
	SPM_STEP_MONTH,
	SPM_STEP_QUARTER,
	SPM_STEP_HALF,
	SPM_STEP_YEAR
} SpmStep;

#define SPM_STEPS (SPM_STEP_YEAR + 1)

typedef struct SpmGrid
{
	SpmStep		step;
	int			shift;			/* days (weeks), months (quarters, halves, years) that periods begin after the calendar's */
} SpmGrid;

typedef struct SpmMoment
{
	int64_t		at;
	double		value;			/* NaN: it is not known */
} SpmMoment;

/* Why no step could be told. */
typedef enum SpmGridStatus
{
	SPM_GRID_OK,
	SPM_GRID_SINGLE,			/* one moment alone has none */
	SPM_GRID_UNEVEN,			/* moments that lie nowhere in particular */
	SPM_GRID_SPARSE				/* on a grid of which more than a third is empty */
} SpmGridStatus;

/* What the values of one period make. */
typedef enum SpmCombine
{
	SPM_COMBINE_SUM,
	SPM_COMBINE_MEAN,
	SPM_COMBINE_LAST
} SpmCombine;

/* What a period without a value has. */
typedef enum SpmGaps
{
	SPM_GAPS_ZERO,
	SPM_GAPS_INTERPOLATE,
	SPM_GAPS_LAST,
	SPM_GAPS_REFUSE
} SpmGaps;

extern const char *spmk_step_name(SpmStep step);
extern bool spmk_step_from_name(const char *name, SpmStep *step);

/* Periods have any number, the next one more. */
extern int64_t spmk_grid_period(SpmGrid grid, int64_t at);
extern int64_t spmk_grid_start(SpmGrid grid, int64_t period);

/* By time, then by value, the unknown last: a total order, whatever order rows come in. */
extern int	spmk_moment_order(const void *a, const void *b);
extern bool spmk_moments_ordered(const SpmMoment *moments, size_t n);

/*
 * The longest step that has each of the moments, which are in order, at the same
 * place in a period of its own; or if there is none, anywhere in one.
 */
extern SpmGridStatus spmk_grid_find(const SpmMoment *moments, size_t n, SpmGrid *grid);

/* Values of 'periods' periods from the one of 'first' on; those without are NaN.  Moments are in order and none is earlier. */
extern void spmk_grid_fill(SpmGrid grid, const SpmMoment *moments, size_t n, SpmCombine combine,
						   int64_t first, double *y, int periods);

/* Fills gaps; returns the first that it was to refuse, or could not fill, else -1. */
extern int	spmk_fill_gaps(double *y, int n, SpmGaps gaps);

#endif
