/*
 * gap.h
 *	  Generalized assignment: each job whole to one agent, each pair with a cost
 *	  and a load of its own, within the agents' capacities.
 */
#ifndef SPMK_GAP_H
#define SPMK_GAP_H

#include <stddef.h>
#include <stdint.h>

#include "solve.h"

typedef enum SpmGapStatus
{
	SPM_GAP_OK,
	SPM_GAP_NO_AGENT,			/* job 'job' fits no agent that it may go to */
	SPM_GAP_NO_ROOM,			/* it is proven that the jobs do not fit */
	SPM_GAP_NOT_FOUND			/* no plan within capacities was found */
} SpmGapStatus;

typedef struct SpmGap
{
	/* given */
	int			njobs;			/* > 0 */
	int			nagents;		/* > 0 */
	const double *costs;		/* njobs rows of nagents; INFINITY: not allowed */
	const double *loads;		/* njobs rows of nagents, finite, >= 0 */
	const double *capacities;	/* of agents, finite, >= 0 */
	int64_t		moves;			/* chains of shifts that are tried; 0: only the first plan and the bound */
	uint64_t	seed;
	const SpmBreath *breath;

	/* out */
	int		   *agents;			/* njobs */
	double	   *prices;			/* nagents: what a unit of capacity is worth */
	double		value;			/* sum of the costs */
	double		bound;			/* no plan costs less */
	int			job;			/* see status */
} SpmGap;

/* Bytes that a solution needs beside its arguments. */
extern size_t spmk_gap_memory(int njobs, int nagents);
extern SpmGapStatus spmk_gap(SpmGap *p, void *memory);

#endif
