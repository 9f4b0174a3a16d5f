/*
 * reconcile_spread.c
 *	  How sure forecasts are once they add up.
 *
 * Errors of covariance W become errors of covariance P W P' when z = P y.  Of it
 * the diagonal is wanted, in no more time than z took.  W is that of the past as
 * it was, W = U U': shrunk to its diagonal it serves for weights, but would claim
 * that a sum and its parts err independently, and promise far too much.  What has
 * no past in common with others, a new seller's error, is independent: W = L + U U'.
 * All that follows is in walks up and down the tree:
 *
 * - What is independent, P L P': what the nodes below tell of a node and what all
 *   others tell it have no error in common.
 * - What is shared, (P U)(P U)': a row for each node, the errors of the past as they
 *   would have been.  Where P knows of U (MinT), it is Q U (1 + U'C'(C L C')^-1 C U)^-1
 *   with Q as if it did not.  (What is independent is then
 *   taken for Q's: it is little, and errs on the safe side.)
 */
#include "reconcile_work.h"

#include <string.h>

/* Of one node: what it and all below it tell of it, before the others are heard. */
typedef struct Told
{
	double		below;			/* variance of the sum of its children, as P believes it */
	double		believed;		/* variance of what is told */
	double		sum;			/* true variance of that sum */
	double		variance;		/* true variance of what is told */
	double		kept;			/* how much of what is told remains */
	double		others;			/* true variance of what all others add */
} Told;

/* The node that counts it; -1: none, or nobody knows what it is. */
static int
counted_by(const ReconcileWork *work, int i)
{
	int			up = work->tree->parent[i];

	if (up < 0 || work->kind[i] == REST || work->kind[up] == REST || work->rests[up] > 0)
		return -1;
	return up;
}

/* How much a node's own forecast counts against the sum of its children. */
static inline double
own_weight(const ReconcileWork *work, const Told *told, int i)
{
	if (work->kind[i] != KNOWN)
		return 0;
	return told->below > 0 ? told->below / (work->variance[i] + told->below) : 1;
}

/* Diagonal of P L P'. */
static void
independent_part(ReconcileWork *work, double *variance)
{
	int			n = work->tree->n;
	Told	   *told = (Told *) work->nodes;

	memset(told, 0, n * sizeof(Told));
	for (int i = n - 1; i >= 0; i--)
	{
		Told	   *node = &told[i];
		double		own = own_weight(work, node, i);
		int			up = counted_by(work, i);

		node->believed = work->kind[i] == KNOWN ? own * work->variance[i] : node->below;
		node->variance = own * own * work->error[i] + (1 - own) * (1 - own) * node->sum;
		if (up >= 0)
		{
			told[up].below += node->believed;
			told[up].sum += node->variance;
		}
	}
	for (int i = 0; i < n; i++)
	{
		Told	   *node = &told[i];
		int			up = counted_by(work, i);

		node->kept = 1;
		if (up >= 0 && told[up].below > 0)
		{
			const Told *above = &told[up];
			double		own = own_weight(work, above, up);
			double		share = node->believed / above->below;
			double		siblings = above->kept * (1 - own) - 1;
			double		parent = above->kept * own;

			node->kept = 1 + share * siblings;
			node->others = share * share * (siblings * siblings * fmax(above->sum - node->variance, 0) +
											parent * parent * work->error[up] + above->others);
		}
		variance[i] = node->kept * node->kept * node->variance + node->others;
	}
}

/* What of the past is seen at a node that is a sum; NULL: it is none. */
static inline double *
row_of(const ReconcileWork *work, int i)
{
	return i < 0 || work->row[i] < 0 ? NULL : work->factor + (size_t) work->row[i] * work->t;
}

/* Columns one by one: it is symmetric, and rows are read faster. */
static void
invert_gram(ReconcileWork *work)
{
	int			t = work->t;

	for (int k = 0; k < t; k++)
	{
		double	   *column = work->inverse + (size_t) k * t;

		memset(column, 0, t * sizeof(double));
		column[k] = 1;
		spmk_reconcile_solve_gram(work, column);
		spmk_breathe(work->breath);
	}
}

/* A row of Q U becomes one of P U. */
static void
hear_past(ReconcileWork *work, double *v)
{
	int			t = work->t;
	double	   *restrict told = work->told;

	memset(told, 0, t * sizeof(double));
	for (int k = 0; k < t; k++)
	{
		const double *restrict row = work->inverse + (size_t) k * t;
		double		own = v[k];

		for (int j = 0; j < t; j++)
			told[j] += own * row[j];
	}
	memcpy(v, told, t * sizeof(double));
}

/* Adds what is shared: the squares of rows of P U. */
static void
shared_part(ReconcileWork *work, double *variance)
{
	int			n = work->tree->n;
	int			t = work->t;
	double		scale = work->unshrunk > 0 ? work->unshrunk : 1;
	int			rows = 0;

	if (work->unshrunk > 0)
		invert_gram(work);
	/* rows become K^-1 C U, parents first; sums without a forecast begin one */
	for (int i = 0; i < n; i++)
	{
		double	   *row = row_of(work, i);
		const double *above = row_of(work, work->up[i]);
		double		root = sqrt(work->pivot[i]);

		if (!is_sum(work, i))
			continue;
		rows++;
		for (int k = 0; k < t; k++)
			row[k] = row[k] / root + (above ? work->variance[i] / work->pivot[i] * above[k] : 0);
	}
	for (int i = 0; i < n; i++)
		if (work->kind[i] == SUM)
		{
			work->row[i] = rows++;
			memset(row_of(work, i), 0, t * sizeof(double));
		}
	for (int i = n - 1; i >= 0; i--)
	{
		const double *row = row_of(work, i);
		const double *above = row_of(work, work->up[i]);
		int			up = counted_by(work, i);
		double	   *v = work->v;

		if (work->kind[i] == REST)
			continue;
		for (int k = 0; k < t; k++)
			v[k] = work->kind[i] == SUM ? row[k] :
				past_value(work, i, k) - work->variance[i] * ((row ? row[k] : 0) - (above ? above[k] : 0));
		if (up >= 0 && work->kind[up] == SUM)
			for (int k = 0; k < t; k++)
				row_of(work, up)[k] += v[k];
		if (work->unshrunk > 0)
			hear_past(work, v);
		for (int k = 0; k < t; k++)
			variance[i] += scale * scale * v[k] * v[k];
		if (i % 64 == 0)
			spmk_breathe(work->breath);
	}
}

/*
 * Root of the variance after over that before, of which half is believed: errors of
 * the sample, one period ahead, gain and lose about twice what those to come do.  A
 * sum without a forecast had none before: it is compared with what is known below
 * it, as if errors were independent.
 */
void
spmk_reconcile_spread(ReconcileWork *work, double *spread)
{
	const SpmHierarchy *tree = work->tree;
	double	   *before = work->z;
	double		scale = work->unshrunk > 0 ? work->unshrunk : 1;

	spmk_reconcile_factorize(work);
	independent_part(work, spread);
	if (work->t > 0)
		shared_part(work, spread);
	memset(before, 0, tree->n * sizeof(double));
	for (int i = tree->n - 1; i >= 0; i--)
	{
		bool		has_own = has_forecast(tree, i);
		double		ratio;

		if (has_own)
		{
			before[i] = work->error[i];
			for (int k = 0; k < work->t; k++)
				before[i] += scale * scale * past_value(work, i, k) * past_value(work, i, k);
		}
		if (tree->parent[i] >= 0 && !has_forecast(tree, tree->parent[i]))
			before[tree->parent[i]] += before[i];
		ratio = before[i] > 0 ? spread[i] / before[i] : 1;
		spread[i] = work->kind[i] == REST ? NAN : sqrt(has_own ? (1 + ratio) / 2 : ratio);
	}
}
