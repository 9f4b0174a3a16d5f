/*
 * reconcile_work.h
 *	  What the parts of reconciling share: reconcile.c and reconcile_spread.c.
 */
#ifndef SPMK_RECONCILE_WORK_H
#define SPMK_RECONCILE_WORK_H

#include "reconcile.h"

enum
{
	KNOWN,						/* has a forecast */
	SUM,						/* has none, but all below it have */
	REST						/* is what its parent has more than its siblings */
};

typedef struct ReconcileWork
{
	const SpmHierarchy *tree;
	const SpmBreath *breath;
	int			t;				/* periods of the past that count; 0: W is diagonal */
	const double *past;			/* the first of them, of node 0 */
	double		scale;			/* U is the past times this */
	/* per node */
	int		   *kind;
	int		   *up;				/* node in whose sum it is counted; -1: none */
	int		   *rests;			/* children that are REST */
	int		   *row;			/* its row of 'factor', if it is a sum of others; -1: it is not */
	int		   *fixed;			/* leaf that is held at 0 */
	int		   *is_leaf;
	double	   *variance;		/* diagonal of L */
	double	   *pivot;
	double	   *y;
	double	   *g;
	double	   *z;
	/* of the past */
	double	   *factor;			/* rows of D^-1/2 L^-1 C U */
	double	   *gram;			/* t x t */
	double	   *v;				/* t */
	/* of spreads */
	double	   *error;			/* n: diagonal of the covariance of errors that U does not say, be they believed or not */
	double	   *nodes;			/* n x SPREAD_NUMBERS */
	double	   *inverse;		/* t x t: of what 'gram' is the factor of */
	double	   *told;			/* t */
	double		unshrunk;		/* U as errors were, in U that weights are made of; 0: weights know nothing of U */
} ReconcileWork;

/* Doubles that the spread of a node is reckoned with. */
#define SPREAD_NUMBERS	6

static inline bool
has_forecast(const SpmHierarchy *tree, int i)
{
	return !isnan(tree->base[(size_t) i * tree->h]);
}

/* U of node i and period k; what is not known is as good as no error. */
static inline double
past_value(const ReconcileWork *work, int i, int k)
{
	double		past = work->past[(size_t) i * work->tree->t + k];

	return isnan(past) ? 0 : past * work->scale;
}

static inline bool
is_sum(const ReconcileWork *work, int i)
{
	return work->kind[i] == KNOWN && work->row[i] >= 0;
}

/* Held at zero is certain. */
static inline double
diagonal(const ReconcileWork *work, int i)
{
	return work->fixed[i] ? 0 : work->variance[i];
}

/* K = L D L' down the tree, and the past seen through it. */
extern void spmk_reconcile_factorize(ReconcileWork *work);
/* 'gram' after that: x becomes its solution. */
extern void spmk_reconcile_solve_gram(const ReconcileWork *work, double *x);
/* By how much limits become narrower or wider. */
extern void spmk_reconcile_spread(ReconcileWork *work, double *spread);
#endif
