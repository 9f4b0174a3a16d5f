/*
 * simulate.h
 *	  What many deals may bring: paths of chance for each seat, so that sums up any
 *	  tree are sums of the same futures.
 */
#ifndef SPMK_SIMULATE_H
#define SPMK_SIMULATE_H

#include <stddef.h>

#include "solve.h"

#define SPMK_PATHS_MAX	1000000

typedef struct SpmVenture
{
	int			leaf;			/* ventures are in order of leaves; in a leaf those that are many come last */
	bool		is_many;		/* chance is an expected number (Poisson), not a probability */
	double		chance;
	double		amount;			/* of one win, on average */
} SpmVenture;

/* Where what a leaf wins is added: leaves of an owner follow each other and have its shock in common. */
typedef struct SpmLeaf
{
	int			owner;			/* a row of the sums */
	int			other;			/* another one; -1: none */
} SpmLeaf;

typedef struct SpmSimulation
{
	const SpmVenture *ventures;
	int			n;
	int			nleaves;
	const SpmLeaf *leaves;		/* NULL: each is its own owner */
	int			paths;
	uint64_t	seed;
	double		shock;			/* standard deviation of the total that all leaves share, as a share of it */
	double		shock_leaf;		/* the same of each owner alone */
	const double *ratios;		/* of mean 1: what the amount of a win is multiplied by; NULL: 1 */
	int			nratios;
} SpmSimulation;

extern size_t spmk_simulate_bytes(const SpmSimulation *simulation);
extern void spmk_simulate(const SpmSimulation *simulation, double *sums, void *memory, const SpmBreath *breath);

typedef struct SpmSpread
{
	double		mean;
	double		sd;
	double		reached;		/* share of paths that reach the goal */
	double		shortfall;		/* what they fall short of it, on average; those that reach it by 0 */
} SpmSpread;

extern void spmk_spread(double *paths, double *scratch, int n, double goal, SpmSpread *spread, const SpmBreath *breath);
extern double spmk_quantile(const double *sorted, int n, double share);

#endif
