/*
 * reconcile.h
 *	  Forecasts of a tree of series, changed so that they add up.
 *
 * Each node has a forecast of its own (or none); the sum over the nodes below a
 * node is to be its forecast.  The linear methods change all forecasts as little
 * as possible, each measured by how uncertain it is:
 *
 *		minimise (z - y)' W^-1 (z - y)  so that  z adds up
 *
 * with W the identity (OLS), diagonal (leaves below a node, or variances of past
 * errors), or the covariance of past errors shrunk towards its diagonal, which
 * gives the least variance of all (MinT: Wickramasuriya, Athanasopoulos and
 * Hyndman 2019; the shrinkage of Schaefer and Strimmer 2005).  W is never written
 * down: its rank is that of the past, and the equations that are left follow the
 * tree, so that n nodes with t past errors take O(n t^2), not O(n^3).
 */
#ifndef SPMK_RECONCILE_H
#define SPMK_RECONCILE_H

#include <stddef.h>

#include "solve.h"

/* More errors of the past tell no more of a covariance than these. */
#define SPMK_RECONCILE_PAST	500

typedef enum SpmReconcileMethod
{
	SPM_RECONCILE_BOTTOM_UP,	/* what is expected of the leaves */
	SPM_RECONCILE_TOP_DOWN,		/* what is expected of the top, divided */
	SPM_RECONCILE_OLS,			/* everybody is changed alike */
	SPM_RECONCILE_STRUCTURE,	/* by the number of leaves below */
	SPM_RECONCILE_VARIANCE,		/* by the variance of past errors */
	SPM_RECONCILE_MINT			/* by variance and correlation of past errors */
} SpmReconcileMethod;

typedef enum SpmReconcileStatus
{
	SPM_RECONCILE_OK,
	SPM_RECONCILE_UNKNOWN_NODE, /* has no forecast, and those around do not tell it */
	SPM_RECONCILE_NO_PAST		/* no node has two errors of the past */
} SpmReconcileStatus;

typedef struct SpmHierarchy
{
	SpmReconcileMethod method;
	int			n;
	const int  *parent;			/* n: comes before its children; -1: none */
	int			h;
	const double *base;			/* n x h: forecasts; a row of NaN: none */
	int			t;
	const double *past;			/* n x t: errors of one-step forecasts, of the same periods for all, NaN: not known */
	const double *weight;		/* n: what top-down divides by, 0 or more; NULL: by the forecasts */
	bool		is_positive;	/* nothing may become negative */
} SpmHierarchy;

/* Orders nodes so that each comes after its parent; false: 'at' is its own ancestor. */
extern bool spmk_tree_order(int n, const int *parent, int *order, int *scratch, int *at);

extern size_t spmk_reconcile_space(const SpmHierarchy *tree);
extern size_t spmk_reconcile_marks(const SpmHierarchy *tree);

/*
 * Fills in 'result' (n x h).  Sums are exact: children add up to their parent as
 * doubles do, in any order.  'at' is the node that is unknown.
 *
 * 'spread' (n, or NULL) is what the widths of limits are to be multiplied by, after
 * what would have become of the errors of the past; for a sum that had no forecast,
 * the root of the squared widths of what is known nearest below it.  Without errors
 * of the past 1, or NaN for what had no forecast.
 */
extern SpmReconcileStatus spmk_reconcile(const SpmHierarchy *tree, double *result, double *spread, double *space, int *marks,
										 const SpmBreath *breath, double *shrinkage, int *at);

#endif
