/*
 * hazard.h
 *	  Odds of deals: how fast deals of a stage are won, lost or move on, by their age in it.
 *
 * Competing risks in discrete time.  A spell is the time of one deal in one stage;
 * it is at risk from the day after it began, or from the first day of history if
 * that is later (left truncation), to the day it ended or is still open (right
 * censoring).  So deals that are open count, which the share of won among closed
 * deals forgets.
 */
#ifndef SPMK_HAZARD_H
#define SPMK_HAZARD_H

#include <stddef.h>

#include "solve.h"

#define SPMK_STAGES_MAX		32
#define SPMK_ORIGINS_MAX	64
#define SPMK_AGE_MAX		2047	/* days; older spells are all alike */
#define SPMK_WEIGHTS		4096
#define SPMK_DAYS_MAX		36600	/* of history, a century */
#define SPMK_CALENDAR		6		/* kinds of days: month of the quarter, last week of the month or not */
#define SPMK_SIZES			6		/* classes of amounts */
#define SPMK_WAYS			3		/* out of a stage: lost, won, moved on */
#define SPMK_CLOSE			11			/* where a day lies by the close date that was known: see hazard_close.c */
#define SPMK_RATIOS			512		/* won amount over known amount: so many are kept to draw from */

/* How a spell ended; SPM_SPELL_MOVED + k: the deal went to stage k. */
#define SPM_SPELL_OPEN		(-1)
#define SPM_SPELL_LOST		0
#define SPM_SPELL_WON		1
#define SPM_SPELL_MOVED		2

/* What a deal is like, besides its stage and age. */
enum
{
	SPM_FACTOR_SEGMENT,
	SPM_FACTOR_OWNER,
	SPM_FACTOR_SIZE,
	SPM_FACTORS
};

typedef struct SpmSpell
{
	int			deal;			/* spells of a deal follow each other, oldest first */
	int			stage;
	int			segment;
	int			owner;
	int			entered;		/* days, as PostgreSQL counts them: from 2000-01-01 */
	int			seen;			/* known of from the end of this day on: then it was there already, or had just begun */
	int			left;			/* not looked at while open */
	int			event;
	double		amount;			/* known when the spell began; NaN: not known */
	double		won_amount;		/* of a spell that was won; NaN: not known */
} SpmSpell;

/* What a deal's close date was from the end of a day on, until the next row of the deal. */
typedef struct SpmCloseDate
{
	int			deal;
	int			told;
	int			date;
} SpmCloseDate;

typedef struct SpmPipeline
{
	const SpmSpell *spells;		/* in order of deals */
	int			n;
	const SpmCloseDate *dates;	/* in order of deals, then days */
	int			ndates;
	int			nstages;
	int			nsegments;
	int			nowners;
} SpmPipeline;

/* A factor: how much faster than others the deals of each level are lost [0], won [1] and moved on [2]. */
typedef struct SpmFactor
{
	int			n;
	double	   *observed[SPMK_WAYS];	/* events */
	double	   *expected[SPMK_WAYS];	/* events, were the level like all */
	double	   *times[SPMK_WAYS];		/* the quotient, drawn to 1 by as much as levels differ by chance */
} SpmFactor;

/* What was learned by the end of a day. */
typedef struct SpmHazard
{
	int			as_of;
	int			first_day;		/* of history */
	int			nstages;
	int			width;			/* ages in a row of the tables */
	double	   *at_risk;		/* [stage][lost, won, moved][age]: days, each as busy as its kind is */
	double	   *events;			/* [stage][event][age] */
	double	   *rate;			/* [stage][event][age]: share of those at risk a day, smoothed */
	double	   *speed;			/* [stage][age]: intensity for a share, so that any multiple of it leaves a share */
	double	   *reach;			/* [stage][lost, won, moved][age]: sums of rates up to an age */
	int			ntargets[SPMK_STAGES_MAX];	/* stages that deals of a stage move to */
	int			targets[SPMK_STAGES_MAX][SPMK_STAGES_MAX];
	int			ripe;			/* age by which half of what is won has been won */
	double		calendar[SPMK_WAYS][2][SPMK_CALENDAR];	/* [lost, won, moved][young, ripe]: how much busier such days are */
	double		drift;			/* wins of open deals against what such rates gave of late */
	double		drift_new;		/* the same of deals to come */
	double		size_cut[SPMK_SIZES - 1];
	double		size_log[SPMK_SIZES];	/* mean logarithm of the amounts of a class */
	SpmFactor	factor[SPM_FACTORS];
	SpmFactor	close;			/* by where a day lies by the close date */
	bool		has_close;		/* close dates tell something */
	double		usual_amount;	/* of deals whose amount is not known */
	double		ratio;			/* won amount over known amount */
	double		ratio_square;	/* mean square of the ratio over the square of its mean */
	int			nratios;
	double		ratios[SPMK_RATIOS];	/* of mean 1 */
	double		nwon;
	double		nlost;
	double		weight[SPMK_WEIGHTS];	/* of a day by how long ago it is */
	double	   *scratch;		/* amounts, to be sorted */
} SpmHazard;

/* The deals that can still bring something: open ones, and those that stand for deals to come. */
typedef struct SpmChanceItem
{
	int			spell;			/* the open one, or the first one of the deal it stands for */
	bool		is_new;			/* then won is how many such deals are expected to be created and won */
	double		won;			/* probability within the horizon */
	double		lost;
	double		amount;			/* when won, on average */
} SpmChanceItem;

extern size_t spmk_hazard_bytes(const SpmPipeline *pipeline);
extern bool spmk_hazard_fit(SpmHazard *hazard, const SpmPipeline *pipeline, int as_of, int horizon, void *memory,
							const SpmBreath *breath);
extern size_t spmk_hazard_space(const SpmPipeline *pipeline, int horizon);
extern int	spmk_hazard_items(const SpmHazard *hazard, const SpmPipeline *pipeline, int horizon, double arrivals, int window,
							  SpmChanceItem *items, void *memory, const SpmBreath *breath);
/* How forecasts made on earlier days, from what was known then, have turned out. */
typedef struct SpmReview
{
	int			origins;
	double		independent;	/* origins, were their horizons not to overlap */
	double		drift;			/* of open deals: won over expected, drawn to 1 */
	double		drift_new;		/* of deals that came later: likewise */
	double		shock_owner;	/* the same of each owner alone, by the number of wins, besides what all have in common */
	double		shock;			/* standard deviation of the total, as a share of it, beyond chance of single deals */
} SpmReview;

extern size_t spmk_review_bytes(const SpmPipeline *pipeline, int horizon);
extern void spmk_review(SpmReview *review, const SpmPipeline *pipeline, int as_of, int horizon, int window, int most,
						void *memory, const SpmBreath *breath);
extern double spmk_arrivals(const SpmPipeline *pipeline, int as_of, int window);
extern int	spmk_day_kind(int day);
extern void spmk_day_civil(int day, int *year, int *month, int *mday);

#endif
