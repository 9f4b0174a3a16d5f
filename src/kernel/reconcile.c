/*
 * reconcile.c
 *	  Forecasts of a tree of series, changed so that they add up.
 *
 * With C a row for each node that has children, saying that it is their sum, the
 * least change is
 *
 *		z = y - W C' (C W C')^-1 C y,	W = L + U U'
 *
 * L is diagonal, U has a column for each period of the past.  K = C L C' has the
 * pattern of the tree: eliminating nodes before their parents fills nothing in.
 * U U' comes back by the formula of Woodbury, with a matrix as large as the past.
 */
#include "kernel/reconcile.h"

#include <string.h>

#include "anomaly.h"
#include "reconcile_work.h"

/* A correlation that is believed to the last digit could not be solved for. */
#define LEAST_SHRINKAGE 1e-4
/* So much of the largest variance is the least that is believed of any node. */
#define LEAST_VARIANCE 1e-14

bool
spmk_tree_order(int n, const int *parent, int *order, int *scratch, int *at)
{
	int			done = 0;

	/* children as chains: the first of i in scratch[i], the next of i in scratch[n + i] */
	for (int i = 0; i < n; i++)
		scratch[i] = -1;
	for (int i = n - 1; i >= 0; i--)
		if (parent[i] >= 0)
		{
			scratch[n + i] = scratch[parent[i]];
			scratch[parent[i]] = i;
		}
		else
			scratch[n + i] = -1;
	for (int i = 0; i < n; i++)
		if (parent[i] < 0)
			order[done++] = i;
	for (int k = 0; k < done; k++)
		for (int child = scratch[order[k]]; child >= 0; child = scratch[n + child])
			order[done++] = child;
	if (done == n)
		return true;

	/* who is not reached stands below a circle or in it: go up until somebody comes again */
	memset(scratch, 0, n * sizeof(int));
	for (int k = 0; k < done; k++)
		scratch[order[k]] = 1;
	for (*at = 0; scratch[*at]; (*at)++)
		;
	while (!scratch[*at])
	{
		scratch[*at] = 1;
		*at = parent[*at];
	}
	return false;
}

/* Periods of the past that are looked at; what top-down has in their place are no errors. */
static int
past_length(const SpmHierarchy *tree)
{
	if (tree->method == SPM_RECONCILE_TOP_DOWN)
		return 0;
	return tree->t < SPMK_RECONCILE_PAST ? tree->t : SPMK_RECONCILE_PAST;
}

/* Doubles it needs. */
size_t
spmk_reconcile_space(const SpmHierarchy *tree)
{
	size_t		t = past_length(tree);
	size_t		sums = 0;

	/* nodes with children: exact where siblings stand together, else a few too many */
	for (int i = 1; i < tree->n; i++)
		sums += tree->parent[i] >= 0 && tree->parent[i] != tree->parent[i - 1];
	return (6 + SPREAD_NUMBERS) * (size_t) tree->n + sums * t + 2 * t * t + 2 * t;
}

/* And integers. */
size_t
spmk_reconcile_marks(const SpmHierarchy *tree)
{
	return 6 * (size_t) tree->n;
}

/* ---------------------------------------------------------- who is part of what */

/*
 * A node without a forecast that is a sum lets its children be counted by the node
 * above.  A leaf without one takes what is left of its parent, so that nothing
 * binds that parent to its children.
 */
static bool
arrange(ReconcileWork *work, int *at)
{
	const SpmHierarchy *tree = work->tree;
	int			rows = 0;

	memset(work->rests, 0, tree->n * sizeof(int));
	for (int i = tree->n - 1; i >= 0; i--)
	{
		if (has_forecast(tree, i) || work->fixed[i])
			work->kind[i] = KNOWN;
		else if (work->is_leaf[i] || work->rests[i] > 0)
			work->kind[i] = REST;
		else
			work->kind[i] = SUM;
		if (work->kind[i] != REST)
			continue;
		*at = i;
		if (tree->parent[i] < 0)
			return false;
		work->rests[tree->parent[i]]++;
	}
	for (int i = 0; i < tree->n; i++)
		work->row[i] = -1;
	for (int i = 0; i < tree->n; i++)
	{
		int			up = tree->parent[i];

		/* parents come first: a sum has passed on its own */
		if (up >= 0 && work->kind[up] == SUM)
			up = work->up[up];
		else if (up >= 0 && (work->rests[up] > 0 || work->kind[up] == REST))
			up = -1;
		work->up[i] = up;
		if (up >= 0 && work->kind[i] == KNOWN && work->row[up] < 0)
			work->row[up] = rows++;
	}
	return true;
}

/* ------------------------------------------------------------------ uncertainty */

/* Mean square of what is known, and how much that is. */
static double
mean_square(const double *past, int t, int *count)
{
	double		sum = 0;

	*count = 0;
	for (int k = 0; k < t; k++)
		if (!isnan(past[k]))
		{
			sum += past[k] * past[k];
			(*count)++;
		}
	return *count > 0 ? sum / *count : 0;
}

/*
 * The weight of the diagonal that Schaefer and Strimmer (2005) find best for
 * correlations: the sum of their estimated variances over the sum of their
 * squares.  Both are sums over all pairs of nodes; they are taken from products of
 * periods instead, which are fewer.
 */
static double
best_shrinkage(ReconcileWork *work)
{
	const SpmHierarchy *tree = work->tree;
	int			t = work->t;
	double		squares = 0;	/* of scalar products of two different nodes, once each way */
	double		fourths = 0;	/* of products of squares of two different nodes */
	double		share;

	memset(work->gram, 0, (size_t) t * t * sizeof(double));
	for (int i = 0; i < tree->n; i++)
	{
		double		length = 0;

		if (!has_forecast(tree, i) || work->variance[i] == 0)
			continue;
		for (int k = 0; k < t; k++)
		{
			double		z = past_value(work, i, k) / sqrt(work->variance[i]);

			work->v[k] = z;
			length += z * z;
			fourths -= z * z * z * z;
		}
		squares -= length * length;
		for (int k = 0; k < t; k++)
			for (int j = 0; j <= k; j++)
				work->gram[(size_t) k * t + j] += work->v[k] * work->v[j];
		if (i % 64 == 0)
			spmk_breathe(work->breath);
	}
	for (int k = 0; k < t; k++)
	{
		const double *gram = work->gram + (size_t) k * t;

		for (int j = 0; j < k; j++)
			squares += 2 * gram[j] * gram[j];
		squares += gram[k] * gram[k];
		fourths += gram[k] * gram[k];
	}
	if (squares <= 0)
		return 1;
	share = (fourths - squares / t) / (t * (t - 1.0)) / (squares / ((double) t * t));
	return share < LEAST_SHRINKAGE ? LEAST_SHRINKAGE : share > 1 ? 1 : share;
}

/* Mean size of what is expected of a node. */
static double
size_of(const SpmHierarchy *tree, int i)
{
	double		sum = 0;

	for (int step = 0; step < tree->h; step++)
		sum += fabs(tree->base[(size_t) i * tree->h + step]);
	return sum / tree->h;
}

/*
 * Variances of past errors.  Who has hardly a past, a new seller, is believed as
 * the others are for their size: the median of their variances over squared
 * forecasts.  False: nobody has a past.
 */
static bool
past_variances(ReconcileWork *work)
{
	const SpmHierarchy *tree = work->tree;
	int			t = work->t > 0 ? work->t : tree->t;
	double	   *ratios = work->g;
	int			known = 0;
	bool		has_new = false;
	double		typical = 0;

	for (int i = 0; i < tree->n; i++)
	{
		int			count;

		work->variance[i] = mean_square(tree->past + (size_t) i * tree->t + (tree->t - t), t, &count);
		if (!has_forecast(tree, i))
			continue;
		if (count < 2)
		{
			work->variance[i] = -1;
			has_new = true;
		}
		else if (size_of(tree, i) > 0)
			ratios[known++] = work->variance[i] / (size_of(tree, i) * size_of(tree, i));
	}
	if (!has_new)
		return true;
	if (known == 0)
		return false;
	typical = spmk_median_of(ratios, work->z, known, work->breath);
	for (int i = 0; i < tree->n; i++)
		if (work->variance[i] < 0)
			work->variance[i] = typical * size_of(tree, i) * size_of(tree, i);
	return true;
}

/* What U does not say of errors whose variance is in 'variance'; at least 'least'. */
static void
set_unsaid(const ReconcileWork *work, double *variance, double least)
{
	for (int i = 0; i < work->tree->n; i++)
	{
		for (int k = 0; k < work->t; k++)
			variance[i] -= past_value(work, i, k) * past_value(work, i, k);
		variance[i] = fmax(variance[i], least);
	}
}

static void
take_past(ReconcileWork *work)
{
	work->t = past_length(work->tree);
	work->past = work->tree->past + (work->tree->t - work->t);
	work->scale = 1;
}

/* L and the scale of U. */
static SpmReconcileStatus
weigh(ReconcileWork *work, double *shrinkage)
{
	const SpmHierarchy *tree = work->tree;
	double		largest = 0;

	switch (tree->method)
	{
		case SPM_RECONCILE_OLS:
			for (int i = 0; i < tree->n; i++)
				work->variance[i] = 1;
			return SPM_RECONCILE_OK;
		case SPM_RECONCILE_STRUCTURE:
			memset(work->variance, 0, tree->n * sizeof(double));
			for (int i = tree->n - 1; i >= 0; i--)
			{
				if (work->variance[i] == 0)
					work->variance[i] = 1;
				if (tree->parent[i] >= 0)
					work->variance[tree->parent[i]] += work->variance[i];
			}
			return SPM_RECONCILE_OK;
		case SPM_RECONCILE_MINT:
			take_past(work);
			break;
		default:
			break;
	}
	if (!past_variances(work))
		return SPM_RECONCILE_NO_PAST;
	for (int i = 0; i < tree->n; i++)
		largest = fmax(largest, work->variance[i]);
	if (work->t > 0)
	{
		*shrinkage = best_shrinkage(work);
		work->scale = sqrt((1 - *shrinkage) / work->t);
		if (*shrinkage == 1)
			work->t = 0;
	}
	set_unsaid(work, work->variance, LEAST_VARIANCE * (largest > 0 ? largest : 1));
	return SPM_RECONCILE_OK;
}

/* ----------------------------------------------------------------- the equations */

/* In place, the lower half; positive definite by construction. */
static void
cholesky(double *a, int n, const SpmBreath *breath)
{
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double		sum = a[(size_t) i * n + j];

			for (int k = 0; k < j; k++)
				sum -= a[(size_t) i * n + k] * a[(size_t) j * n + k];
			a[(size_t) i * n + j] = i == j ? sqrt(sum) : sum / a[(size_t) j * n + j];
		}
		spmk_breathe(breath);
	}
}

void
spmk_reconcile_solve_gram(const ReconcileWork *work, double *x)
{
	const double *a = work->gram;
	int			n = work->t;

	for (int i = 0; i < n; i++)
	{
		for (int k = 0; k < i; k++)
			x[i] -= a[(size_t) i * n + k] * x[k];
		x[i] /= a[(size_t) i * n + i];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			x[i] -= a[(size_t) k * n + i] * x[k];
		x[i] /= a[(size_t) i * n + i];
	}
}

void
spmk_reconcile_factorize(ReconcileWork *work)
{
	int			n = work->tree->n;
	int			t = work->t;

	for (int i = 0; i < n; i++)
	{
		work->pivot[i] = diagonal(work, i);
		if (!is_sum(work, i))
			continue;
		for (int k = 0; k < t; k++)
			work->factor[(size_t) work->row[i] * t + k] = past_value(work, i, k);
	}
	for (int i = n - 1; i >= 0; i--)
	{
		int			up = work->up[i];
		double		carried = 1;	/* of row i in row up, below */
		double		root;
		double	   *row;

		if (work->kind[i] != KNOWN)
			continue;
		if (is_sum(work, i))
			carried = diagonal(work, i) / work->pivot[i];
		if (up >= 0)
			work->pivot[up] += diagonal(work, i) * (is_sum(work, i) ? 1 - carried : 1);
		if (t == 0)
			continue;
		if (up >= 0 && !work->fixed[i])
		{
			double	   *above = work->factor + (size_t) work->row[up] * t;

			for (int k = 0; k < t; k++)
				above[k] -= past_value(work, i, k);
		}
		if (!is_sum(work, i))
			continue;
		row = work->factor + (size_t) work->row[i] * t;
		if (up >= 0)
		{
			double	   *above = work->factor + (size_t) work->row[up] * t;

			for (int k = 0; k < t; k++)
				above[k] += carried * row[k];
		}
		root = sqrt(work->pivot[i]);
		for (int k = 0; k < t; k++)
			row[k] /= root;
		if (i % 64 == 0)
			spmk_breathe(work->breath);
	}
	if (t == 0)
		return;
	memset(work->gram, 0, (size_t) t * t * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		const double *row = work->factor + (size_t) work->row[i] * t;

		if (!is_sum(work, i))
			continue;
		for (int k = 0; k < t; k++)
			for (int j = 0; j <= k; j++)
				work->gram[(size_t) k * t + j] += row[k] * row[j];
		if (i % 64 == 0)
			spmk_breathe(work->breath);
	}
	for (int k = 0; k < t; k++)
		work->gram[(size_t) k * t + k] += 1;
	cholesky(work->gram, t, work->breath);
}

/* From y to z, of all that are KNOWN. */
static void
solve(ReconcileWork *work)
{
	int			n = work->tree->n;
	int			t = work->t;
	double	   *g = work->g;
	double	   *v = work->v;

	/* g = D^-1/2 L^-1 C y */
	for (int i = 0; i < n; i++)
		g[i] = is_sum(work, i) ? work->y[i] : 0;
	for (int i = n - 1; i >= 0; i--)
	{
		int			up = work->up[i];

		if (work->kind[i] != KNOWN)
			continue;
		if (up >= 0)
			g[up] -= work->y[i];
		if (!is_sum(work, i))
			continue;
		if (up >= 0)
			g[up] += diagonal(work, i) / work->pivot[i] * g[i];
		g[i] /= sqrt(work->pivot[i]);
	}

	/* less what the past explains: g - P (1 + P'P)^-1 P' g; then v = P' g is U'C'x */
	if (t > 0)
	{
		memset(v, 0, t * sizeof(double));
		for (int i = 0; i < n; i++)
			for (int k = 0; k < t && is_sum(work, i); k++)
				v[k] += work->factor[(size_t) work->row[i] * t + k] * g[i];
		spmk_reconcile_solve_gram(work, v);
		for (int i = 0; i < n; i++)
			for (int k = 0; k < t && is_sum(work, i); k++)
				g[i] -= work->factor[(size_t) work->row[i] * t + k] * v[k];
	}

	/* x = L'^-1 D^-1/2 g: parents first; z = y - L C'x - U v */
	for (int i = 0; i < n; i++)
	{
		int			up = work->up[i];
		double		change;

		if (work->kind[i] != KNOWN)
			continue;
		if (is_sum(work, i))
		{
			g[i] /= sqrt(work->pivot[i]);
			if (up >= 0)
				g[i] += diagonal(work, i) / work->pivot[i] * g[up];
		}
		change = (is_sum(work, i) ? g[i] : 0) - (up >= 0 ? g[up] : 0);
		work->z[i] = work->y[i] - diagonal(work, i) * change;
		for (int k = 0; k < t && !work->fixed[i]; k++)
			work->z[i] -= past_value(work, i, k) * v[k];
		if (t > 0 && i % 1024 == 0)
			spmk_breathe(work->breath);
	}
}

/* Nodes without a forecast: sums from below, then rests from above. */
static void
complete(ReconcileWork *work)
{
	const SpmHierarchy *tree = work->tree;

	for (int i = 0; i < tree->n; i++)
	{
		if (work->kind[i] != KNOWN)
			work->z[i] = 0;
		work->g[i] = 0;
	}
	/* g: what of a node its children have that are no rest */
	for (int i = tree->n - 1; i >= 0; i--)
	{
		if (work->kind[i] == SUM)
			work->z[i] = work->g[i];
		if (tree->parent[i] >= 0 && work->kind[i] != REST)
			work->g[tree->parent[i]] += work->z[i];
	}
	for (int i = 0; i < tree->n; i++)
		if (work->kind[i] == REST)
			work->z[i] = (work->z[tree->parent[i]] - work->g[tree->parent[i]]) / work->rests[tree->parent[i]];
}

/*
 * Leaves rounded to multiples of a power of 2 so large that no sum of them needs
 * more than the 53 bits of a double; then everything above is summed.
 */
static void
add_up(const SpmHierarchy *tree, const int *is_leaf, double *z, double *size)
{
	memset(size, 0, tree->n * sizeof(double));
	for (int i = tree->n - 1; i >= 0; i--)
	{
		if (is_leaf[i])
			size[i] = fabs(z[i]);
		if (tree->parent[i] >= 0)
			size[tree->parent[i]] += size[i];
	}
	for (int i = 0; i < tree->n; i++)
	{
		int			exponent;

		if (tree->parent[i] >= 0)
			size[i] = size[tree->parent[i]];
		else
		{
			frexp(size[i], &exponent);
			size[i] = ldexp(1, exponent - 52);
		}
		z[i] = is_leaf[i] ? nearbyint(z[i] / size[i]) * size[i] : 0;
	}
	for (int i = tree->n - 1; i >= 0; i--)
		if (tree->parent[i] >= 0)
			z[tree->parent[i]] += z[i];
}

/* ------------------------------------------------------------------- the methods */

static void
take_step(ReconcileWork *work, int step)
{
	const SpmHierarchy *tree = work->tree;

	for (int i = 0; i < tree->n; i++)
		work->y[i] = work->fixed[i] ? 0 : tree->base[(size_t) i * tree->h + step];
}

/* Leaves below zero are held at zero from now on; whether there were any. */
static bool
hold_negative(ReconcileWork *work)
{
	bool		held = false;

	for (int i = 0; i < work->tree->n; i++)
		if (work->is_leaf[i] && work->z[i] < 0)
		{
			work->fixed[i] = true;
			held = true;
		}
	return held;
}

static void
give_step(ReconcileWork *work, int step, double *result)
{
	const SpmHierarchy *tree = work->tree;

	add_up(tree, work->is_leaf, work->z, work->g);
	for (int i = 0; i < tree->n; i++)
		result[(size_t) i * tree->h + step] = work->z[i];
}

static SpmReconcileStatus
reconcile_linear(ReconcileWork *work, double *result, double *shrinkage, int *at)
{
	const SpmHierarchy *tree = work->tree;
	bool		is_stale = true;
	SpmReconcileStatus status;

	if (!arrange(work, at))
		return SPM_RECONCILE_UNKNOWN_NODE;
	status = weigh(work, shrinkage);
	if (status != SPM_RECONCILE_OK)
		return status;
	for (int step = 0; step < tree->h; step++)
	{
		bool		again = true;

		while (again)
		{
			if (is_stale)
			{
				arrange(work, at);
				spmk_reconcile_factorize(work);
			}
			take_step(work, step);
			solve(work);
			complete(work);
			spmk_breathe(work->breath);
			again = is_stale = tree->is_positive && hold_negative(work);
		}
		give_step(work, step, result);
		for (int i = 0; i < tree->n; i++)
		{
			is_stale |= work->fixed[i];
			work->fixed[i] = false;
		}
	}
	return SPM_RECONCILE_OK;
}

static SpmReconcileStatus
bottom_up(ReconcileWork *work, double *result, int *at)
{
	const SpmHierarchy *tree = work->tree;

	for (*at = 0; *at < tree->n; (*at)++)
		if (work->is_leaf[*at] && !has_forecast(tree, *at))
			return SPM_RECONCILE_UNKNOWN_NODE;
	for (int step = 0; step < tree->h; step++)
	{
		for (int i = 0; i < tree->n; i++)
		{
			work->z[i] = tree->base[(size_t) i * tree->h + step];
			if (tree->is_positive && work->z[i] < 0)
				work->z[i] = 0;
		}
		give_step(work, step, result);
		spmk_breathe(work->breath);
	}
	return SPM_RECONCILE_OK;
}

/* By weights, or by the forecasts of those that stand side by side (Athanasopoulos, Ahmed and Hyndman 2009). */
static SpmReconcileStatus
top_down(ReconcileWork *work, double *result, int *at)
{
	const SpmHierarchy *tree = work->tree;
	int		   *children = work->rests;

	memset(children, 0, tree->n * sizeof(int));
	for (int i = 0; i < tree->n; i++)
	{
		*at = i;
		if (!has_forecast(tree, i) && (tree->parent[i] < 0 || tree->weight == NULL))
			return SPM_RECONCILE_UNKNOWN_NODE;
		if (tree->parent[i] >= 0)
			children[tree->parent[i]]++;
	}
	for (int step = 0; step < tree->h; step++)
	{
		double	   *weight = work->y;
		double	   *below = work->g;

		memset(below, 0, tree->n * sizeof(double));
		for (int i = tree->n - 1; i >= 0; i--)
		{
			double		base = tree->base[(size_t) i * tree->h + step];

			if (tree->weight == NULL)
				weight[i] = fmax(base, 0);
			else
				weight[i] = work->is_leaf[i] ? tree->weight[i] : below[i];
			if (tree->parent[i] >= 0)
				below[tree->parent[i]] += weight[i];
			else
				work->z[i] = tree->is_positive ? fmax(base, 0) : base;
		}
		for (int i = 0; i < tree->n; i++)
		{
			int			up = tree->parent[i];

			if (up >= 0)
				work->z[i] = work->z[up] * (below[up] > 0 ? weight[i] / below[up] : 1.0 / children[up]);
		}
		give_step(work, step, result);
		spmk_breathe(work->breath);
	}
	return SPM_RECONCILE_OK;
}

/* Where no errors of the past are known, neither is what becomes of them: limits keep their width. */
static void
give_spread(ReconcileWork *work, double *spread)
{
	const SpmHierarchy *tree = work->tree;
	double		believed;
	int			at;

	for (int i = 0; i < tree->n; i++)
		spread[i] = has_forecast(tree, i) ? 1 : NAN;
	if (tree->method == SPM_RECONCILE_TOP_DOWN || tree->t == 0)
		return;
	if (tree->method == SPM_RECONCILE_BOTTOM_UP)
		for (int i = 0; i < tree->n; i++)
		{
			work->kind[i] = work->is_leaf[i] ? KNOWN : SUM;
			work->rests[i] = 0;
			work->up[i] = work->row[i] = -1;
			work->variance[i] = 1;
		}
	else
		arrange(work, &at);
	/* weights stay, while variances of all errors are wanted beside them */
	believed = tree->method == SPM_RECONCILE_MINT && work->t > 0 ? work->scale : 0;
	memcpy(work->y, work->variance, tree->n * sizeof(double));
	take_past(work);
	if (!past_variances(work))
		return;
	memcpy(work->error, work->variance, tree->n * sizeof(double));
	memcpy(work->variance, work->y, tree->n * sizeof(double));
	work->scale = 1 / sqrt(work->t);
	set_unsaid(work, work->error, 0);
	if (believed > 0)
	{
		work->unshrunk = work->scale / believed;
		work->scale = believed;
	}
	spmk_reconcile_spread(work, spread);
}

SpmReconcileStatus
spmk_reconcile(const SpmHierarchy *tree, double *result, double *spread, double *space, int *marks,
			   const SpmBreath *breath, double *shrinkage, int *at)
{
	SpmReconcileStatus status;
	size_t		n = tree->n;
	size_t		t = past_length(tree);
	ReconcileWork		work = {.tree = tree, .breath = breath};

	work.kind = marks;
	work.up = marks + n;
	work.rests = marks + 2 * n;
	work.row = marks + 3 * n;
	work.fixed = marks + 4 * n;
	work.is_leaf = marks + 5 * n;
	work.variance = space;
	work.pivot = space + n;
	work.y = space + 2 * n;
	work.g = space + 3 * n;
	work.z = space + 4 * n;
	work.error = space + 5 * n;
	work.nodes = space + 6 * n;
	work.gram = space + (6 + SPREAD_NUMBERS) * n;
	work.v = work.gram + t * t;
	work.inverse = work.v + t;
	work.told = work.inverse + t * t;
	work.factor = work.told + t;
	*shrinkage = NAN;
	for (int i = 0; i < tree->n; i++)
	{
		work.fixed[i] = false;
		work.is_leaf[i] = true;
		if (tree->parent[i] >= 0)
			work.is_leaf[tree->parent[i]] = false;
	}
	switch (tree->method)
	{
		case SPM_RECONCILE_BOTTOM_UP:
			status = bottom_up(&work, result, at);
			break;
		case SPM_RECONCILE_TOP_DOWN:
			status = top_down(&work, result, at);
			break;
		default:
			status = reconcile_linear(&work, result, shrinkage, at);
	}
	if (status == SPM_RECONCILE_OK && spread)
		give_spread(&work, spread);
	return status;
}
