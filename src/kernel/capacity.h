/*
 * capacity.h
 *	  How likely a team is to be enough, when some leave and some still learn,
 *	  and how many more it takes.
 *
 * What people bring is counted in whole units, so that sums are exact.
 */
#ifndef SPMK_CAPACITY_H
#define SPMK_CAPACITY_H

#include <stdint.h>

#include "solve.h"

/* No month gets more than this. */
#define SPMK_MAX_HIRES 100000

/*
 * A need of more steps than this takes a team so large, or units so fine, that
 * the normal distribution is as good as the exact one, and far quicker.
 */
#define SPMK_MAX_STEPS 200000
#define SPMK_CAPACITY_ROOM (SPMK_MAX_STEPS + 2)

/* Some people who are alike: how many, how likely each is there, what each brings. */
typedef struct SpmGroup
{
	int			heads;
	double		present;
	int64_t		units;
} SpmGroup;

/* People who start in a month, counted from the first of the plan; less than 0: before. */
typedef struct SpmCohort
{
	int			heads;
	int			start;
} SpmCohort;

typedef struct SpmTeam
{
	const SpmCohort *cohorts;
	int			ncohorts;
	const int64_t *ramp;		/* units in the month of the start, in the next ... */
	int			nramp;
	int64_t		whole;			/* units after that */
	double		leaves;			/* chance to leave at the end of a month */
	double		deviation;		/* of what one brings, as a share of it */
	int			months;
	const int64_t *needs;		/* units, for each month */
	double		level;			/* how likely they are to be reached */
	int			earliest;		/* first month in which somebody hired can start */
	int64_t		least;			/* units that one must bring to be hired for a month */
} SpmTeam;

extern int64_t spmk_common_divisor(int64_t a, int64_t b);
extern double spmk_chance_exact(const SpmGroup *groups, int n, int64_t divisor, int64_t need,
								double *room, const SpmBreath *breath);
extern double spmk_chance_normal(const SpmGroup *groups, int n, int64_t need, double deviation);
extern double spmk_chance(const SpmGroup *groups, int n, int64_t divisor, int64_t need, double deviation,
						  double *room, const SpmBreath *breath);
extern void spmk_hires(const SpmTeam *team, int64_t divisor, int *hires, double *chances,
					   SpmGroup *groups, double *room, const SpmBreath *breath);

#endif
