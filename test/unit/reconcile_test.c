/*
 * reconcile_test.c: forecasts of trees against the textbook's formula with whole
 * matrices, and against answers worked out by hand.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/reconcile.h"

#include "tap.h"

#define MOST 24
#define PAST 60
#define STEPS 3

static int	parent[MOST];
static double base[MOST * STEPS];
static double past[MOST * PAST];
static double result[MOST * STEPS];
static double spread[MOST];
static double space[100000];
static int	marks[MOST * 6];

static double
unit(void)
{
	return random_below(1L << 30) / (double) (1L << 30);
}

static double
bell(void)
{
	double		sum = 0;

	for (int i = 0; i < 12; i++)
		sum += unit();
	return sum - 6;
}

static SpmReconcileStatus
run(SpmHierarchy *tree, double *shrinkage, int *at)
{
	double		ignored;
	int			nowhere;

	return spmk_reconcile(tree, result, spread, space, marks, NULL, shrinkage ? shrinkage : &ignored, at ? at : &nowhere);
}

static bool
is_leaf(const SpmHierarchy *tree, int i)
{
	for (int k = 0; k < tree->n; k++)
		if (tree->parent[k] == i)
			return false;
	return true;
}

/* Gauss with pivots: a x = b, b becomes x; both n x n and n x m. */
static void
gauss(double *a, double *b, int n, int m)
{
	for (int i = 0; i < n; i++)
	{
		int			best = i;

		for (int k = i + 1; k < n; k++)
			if (fabs(a[k * n + i]) > fabs(a[best * n + i]))
				best = k;
		for (int j = 0; j < n; j++)
		{
			double		kept = a[i * n + j];

			a[i * n + j] = a[best * n + j];
			a[best * n + j] = kept;
		}
		for (int j = 0; j < m; j++)
		{
			double		kept = b[i * m + j];

			b[i * m + j] = b[best * m + j];
			b[best * m + j] = kept;
		}
		for (int k = 0; k < n; k++)
		{
			double		f = a[k * n + i] / a[i * n + i];

			if (k == i)
				continue;
			for (int j = i; j < n; j++)
				a[k * n + j] -= f * a[i * n + j];
			for (int j = 0; j < m; j++)
				b[k * m + j] -= f * b[i * m + j];
		}
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < m; j++)
			b[i * m + j] /= a[i * n + i];
}

/* Shrinkage pair by pair. */
static double
plain_shrinkage(const SpmHierarchy *tree)
{
	int			n = tree->n;
	int			t = tree->t;
	double		above = 0;
	double		below = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		vi = 0;
			double		vj = 0;
			double		sum = 0;
			double		squares = 0;

			if (i == j)
				continue;
			for (int k = 0; k < t; k++)
			{
				vi += past[i * t + k] * past[i * t + k] / t;
				vj += past[j * t + k] * past[j * t + k] / t;
			}
			for (int k = 0; k < t; k++)
			{
				double		w = past[i * t + k] * past[j * t + k] / sqrt(vi * vj);

				sum += w;
				squares += w * w;
			}
			above += (squares - sum * sum / t) / (t * (t - 1.0));
			below += sum * sum / t / t;
		}
	return fmax(fmin(above / below, 1), 0);
}

/* z = P y with P = S (S' W^-1 S)^-1 S' W^-1, as in the books; and how P V P' compares with V, the covariance of errors; half of it. */
static void
textbook(const SpmHierarchy *tree, double *z, double *grown)
{
	static double p[MOST * MOST], v[MOST * MOST], w[MOST * MOST], s[MOST * MOST], ws[MOST * MOST], normal[MOST * MOST], right[MOST * MOST];
	int			n = tree->n;
	int			leaf[MOST];
	int			m = 0;
	double		shrinkage = fmax(plain_shrinkage(tree), 1e-4);

	for (int i = 0; i < n; i++)
		if (is_leaf(tree, i))
			leaf[m++] = i;
	memset(s, 0, sizeof(s));
	for (int j = 0; j < m; j++)
		for (int i = leaf[j]; i >= 0; i = tree->parent[i])
			s[i * m + j] = 1;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		sum = 0;

			for (int k = 0; k < tree->t; k++)
				sum += past[i * tree->t + k] * past[j * tree->t + k] / tree->t;
			v[i * n + j] = sum;
			w[i * n + j] = i == j ? sum : tree->method == SPM_RECONCILE_MINT ? sum * (1 - shrinkage) : 0;
			if (i != j)
				continue;
			if (tree->method == SPM_RECONCILE_OLS)
				w[i * n + j] = 1;
			if (tree->method == SPM_RECONCILE_STRUCTURE)
			{
				w[i * n + j] = 0;
				for (int k = 0; k < m; k++)
					w[i * n + j] += s[i * m + k];
			}
		}
	if (tree->method == SPM_RECONCILE_OLS || tree->method == SPM_RECONCILE_STRUCTURE)
		for (int i = 0; i < n * n; i++)
			if (i / n != i % n)
				w[i] = 0;
	memcpy(ws, s, sizeof(s));
	gauss(w, ws, n, m);
	memset(normal, 0, sizeof(normal));
	for (int i = 0; i < n; i++)
		for (int a = 0; a < m; a++)
		{
			right[a * n + i] = ws[i * m + a];
			for (int b = 0; b < m; b++)
				normal[a * m + b] += s[i * m + a] * ws[i * m + b];
		}
	gauss(normal, right, m, n);
	if (tree->method == SPM_RECONCILE_BOTTOM_UP)
		for (int a = 0; a < m; a++)
			for (int i = 0; i < n; i++)
				right[a * n + i] = leaf[a] == i;
	memset(p, 0, sizeof(p));
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			for (int a = 0; a < m; a++)
				p[i * n + j] += s[i * m + a] * right[a * n + j];
	for (int i = 0; i < n; i++)
	{
		double		variance = 0;

		for (int j = 0; j < n; j++)
			for (int k = 0; k < n; k++)
				variance += p[i * n + j] * v[j * n + k] * p[i * n + k];
		grown[i] = sqrt((1 + variance / v[i * n + i]) / 2);
		for (int step = 0; step < tree->h; step++)
		{
			z[i * tree->h + step] = 0;
			for (int j = 0; j < n; j++)
				z[i * tree->h + step] += p[i * n + j] * base[j * tree->h + step];
		}
	}
}

static void
make_tree(SpmHierarchy *tree, int n, int roots)
{
	memset(tree, 0, sizeof(*tree));
	tree->n = n;
	tree->parent = parent;
	tree->h = STEPS;
	tree->base = base;
	tree->past = past;
	tree->t = 5 + random_below(PAST - 5);
	for (int i = 0; i < n; i++)
		parent[i] = i < roots ? -1 : i == 1 ? 0 : random_below(i < 4 ? i : i - 1);
	for (int i = 0; i < n * STEPS; i++)
		base[i] = 100 * unit();
	for (int k = 0; k < tree->t; k++)
	{
		double		shock = bell();

		for (int i = 0; i < n; i++)
			past[i * tree->t + k] = (1 + i % 5) * (bell() + shock);
	}
}

static double
farthest(const double *a, const double *b, int n)
{
	double		most = 0;

	for (int i = 0; i < n; i++)
		most = fmax(most, fabs(a[i] - b[i]));
	return most;
}

/* Backwards, so that any order will do. */
static bool
adds_up(const SpmHierarchy *tree)
{
	for (int step = 0; step < tree->h; step++)
		for (int i = 0; i < tree->n; i++)
		{
			double		forth = 0;
			double		back = 0;

			if (is_leaf(tree, i))
				continue;
			for (int k = 0; k < tree->n; k++)
				if (tree->parent[k] == i)
					forth += result[k * tree->h + step];
			for (int k = tree->n - 1; k >= 0; k--)
				if (tree->parent[k] == i)
					back += result[k * tree->h + step];
			if (forth != result[i * tree->h + step] || back != forth)
				return false;
		}
	return true;
}

static void
test_textbook(void)
{
	static const char *const names[] = {
		[SPM_RECONCILE_BOTTOM_UP] = "sums of leaves are what the textbook's matrices give",
		[SPM_RECONCILE_OLS] = "and so are ordinary least squares",
		[SPM_RECONCILE_STRUCTURE] = "weights by structure",
		[SPM_RECONCILE_VARIANCE] = "weights by variance",
		[SPM_RECONCILE_MINT] = "and a covariance that is shrunk"
	};
	bool		sums = true;
	double		shrinkage_off = 0;
	double		spread_off = 0;

	for (int method = SPM_RECONCILE_BOTTOM_UP; method <= SPM_RECONCILE_MINT; method++)
	{
		double		most = 0;

		if (method == SPM_RECONCILE_TOP_DOWN)
			continue;
		for (int round = 0; round < 200; round++)
		{
			SpmHierarchy tree;
			double		z[MOST * STEPS];
			double		grown[MOST];
			double		shrinkage;

			make_tree(&tree, 2 + random_below(MOST - 2), 1 + random_below(2));
			tree.method = method;
			if (run(&tree, &shrinkage, NULL) != SPM_RECONCILE_OK)
				most = INFINITY;
			textbook(&tree, z, grown);
			most = fmax(most, farthest(z, result, tree.n * STEPS));
			spread_off = fmax(spread_off, farthest(grown, spread, tree.n));
			sums &= adds_up(&tree);
			if (method == SPM_RECONCILE_MINT)
				shrinkage_off = fmax(shrinkage_off, fabs(shrinkage - fmax(plain_shrinkage(&tree), 1e-4)));
		}
		ok(most < 1e-7, names[method]);
	}
	ok(shrinkage_off < 1e-9, "shrinkage taken from periods is that of all pairs");
	ok(spread_off < 1e-7, "by each of them errors shrink and grow as the covariance of all says");
	ok(sums, "children add up to their parent to the last bit, in any order");
}

/* Nodes without a forecast are the limit of very uncertain ones. */
static void
test_missing(void)
{
	double		most = 0;
	double		spread_off = 0;
	bool		sums = true;
	int			answers = 0;

	for (int round = 0; round < 500; round++)
	{
		SpmHierarchy tree;
		double		z[MOST * STEPS];
		double		grown[MOST];
		bool		missing[MOST];

		make_tree(&tree, 4 + random_below(MOST - 4), 1);
		tree.method = SPM_RECONCILE_MINT;
		for (int i = 0; i < tree.n; i++)
			if (random_below(5) == 0)
				for (int step = 0; step < STEPS; step++)
					base[i * STEPS + step] = NAN;
		tree.method = round % 2 ? SPM_RECONCILE_MINT : SPM_RECONCILE_VARIANCE;
		if (run(&tree, NULL, NULL) != SPM_RECONCILE_OK)
			continue;
		answers++;
		sums &= adds_up(&tree);
		if (tree.method == SPM_RECONCILE_MINT)
			continue;
		memcpy(z, result, sizeof(z));
		memcpy(grown, spread, sizeof(grown));
		for (int i = 0; i < tree.n; i++)
			if ((missing[i] = isnan(base[i * STEPS])))
			{
				for (int step = 0; step < STEPS; step++)
					base[i * STEPS + step] = 50;
				for (int k = 0; k < tree.t; k++)
					past[i * tree.t + k] = 3e4;
			}
		textbook(&tree, result, spread);
		/* several that are missing side by side may share what is left in another way */
		for (int i = 0; i < tree.n; i++)
			if (!missing[i])
			{
				most = fmax(most, farthest(z + i * STEPS, result + i * STEPS, STEPS));
				spread_off = fmax(spread_off, fabs(grown[i] - spread[i]));
			}
	}
	ok(answers > 100 && most < 1e-3, "a node without a forecast is as good as one that is not believed at all");
	ok(spread_off < 1e-3, "and moves the errors of others as little");
	ok(sums, "and all adds up");
}

/* No other change that keeps the leaves above zero is smaller: tried by pushing every pair of leaves. */
static void
test_positive(void)
{
	bool		positive = true;
	bool		sums = true;
	bool		same = true;

	for (int round = 0; round < 300; round++)
	{
		SpmHierarchy tree;
		double		free_result[MOST * STEPS];
		bool		negative = false;

		make_tree(&tree, 3 + random_below(MOST - 3), 1);
		tree.method = SPM_RECONCILE_OLS + round % 4;
		run(&tree, NULL, NULL);
		memcpy(free_result, result, sizeof(result));
		tree.is_positive = true;
		run(&tree, NULL, NULL);
		sums &= adds_up(&tree);
		for (int step = 0; step < STEPS; step++)
		{
			for (int i = 0; i < tree.n; i++)
				if (is_leaf(&tree, i))
					negative |= free_result[i * STEPS + step] < 0;
			for (int i = 0; i < tree.n; i++)
				positive &= result[i * STEPS + step] >= 0;
		}
		if (!negative)
			same &= memcmp(free_result, result, tree.n * STEPS * sizeof(double)) == 0;
	}
	ok(positive && sums, "nothing becomes negative when it must not, and all adds up");
	ok(same, "and nothing changes where nothing was negative");
}

/* Pasts with holes, and nodes without any: those who are left say how wide limits are. */
static void
test_new(void)
{
	bool		sound = true;
	bool		sums = true;

	for (int round = 0; round < 300; round++)
	{
		SpmHierarchy tree;

		make_tree(&tree, 3 + random_below(MOST - 3), 1);
		tree.method = round % 2 ? SPM_RECONCILE_MINT : SPM_RECONCILE_VARIANCE;
		for (int i = 1; i < tree.n; i++)
			for (int k = 0, known = random_below(3) ? tree.t : random_below(tree.t); k < tree.t - known; k++)
				past[i * tree.t + k] = NAN;
		run(&tree, NULL, NULL);
		sums &= adds_up(&tree);
		for (int i = 0; i < tree.n; i++)
			sound &= spread[i] >= sqrt(0.5) && spread[i] < 10;
	}
	ok(sound && sums, "who has hardly a past makes no limit absurd");
}

int
main(void)
{
	SpmHierarchy tree = {.n = 3, .h = 1, .parent = parent, .base = base, .past = past};
	double		shrinkage;
	int			at;
	int			order[MOST];

	test_textbook();
	test_missing();
	test_positive();
	test_new();

	/* 100 above 40 and 30: 30 too many, a third for each */
	parent[0] = -1, parent[1] = parent[2] = 0;
	base[0] = 100, base[1] = 40, base[2] = 30;
	tree.method = SPM_RECONCILE_OLS;
	run(&tree, NULL, NULL);
	ok(fabs(result[0] - 90) < 1e-12 && fabs(result[1] - 50) < 1e-12 && fabs(result[2] - 40) < 1e-12, "what does not add up is shared alike");
	tree.method = SPM_RECONCILE_STRUCTURE;
	run(&tree, NULL, NULL);
	ok(fabs(result[0] - 85) < 1e-12 && fabs(result[1] - 47.5) < 1e-12, "or by the leaves below: half of it by the sum");
	tree.method = SPM_RECONCILE_BOTTOM_UP;
	run(&tree, NULL, NULL);
	ok(result[0] == 70 && result[1] == 40, "bottom-up believes the leaves");
	tree.method = SPM_RECONCILE_TOP_DOWN;
	run(&tree, NULL, NULL);
	ok(result[0] == 100 && fabs(result[1] - 400 / 7.0) < 1e-12, "top-down the top, divided as they forecast");
	tree.weight = (const double[]) {0, 1, 3};
	run(&tree, NULL, NULL);
	ok(result[1] == 25 && result[2] == 75, "or by weights");
	tree.weight = (const double[]) {0, 0, 0};
	run(&tree, NULL, NULL);
	ok(result[1] == 50 && result[2] == 50, "alike where there are none");

	tree.method = SPM_RECONCILE_OLS;
	base[1] = NAN;
	run(&tree, NULL, NULL);
	ok(result[0] == 100 && result[1] == 70 && result[2] == 30, "a leaf without a forecast takes what is left");
	base[2] = 130;
	tree.is_positive = true;
	run(&tree, NULL, NULL);
	ok(result[1] == 0 && fabs(result[0] - 115) < 1e-12 && result[2] == result[0], "but never less than nothing");
	base[0] = NAN;
	ok(run(&tree, NULL, &at) == SPM_RECONCILE_UNKNOWN_NODE && at == 0, "where nothing tells a forecast it is refused");
	tree.method = SPM_RECONCILE_BOTTOM_UP;
	ok(run(&tree, NULL, &at) == SPM_RECONCILE_UNKNOWN_NODE && at == 1, "bottom-up must know every leaf");
	tree.method = SPM_RECONCILE_MINT;
	base[0] = 100, base[1] = 40, tree.t = 2;
	past[0] = 1, past[1] = 2, past[2] = 1, past[3] = NAN, past[4] = 3, past[5] = 1;
	/* a variance of 5 for the size of 100, and for that of 130: the median is the mean of both; 70 too many below */
	tree.method = SPM_RECONCILE_VARIANCE;
	past[0] = 3, past[1] = 1, past[4] = 3, past[5] = 1;
	run(&tree, NULL, NULL);
	{
		double		own = (5 / 1e4 + 5 / 16900.0) / 2 * 1600;

		ok(fabs(result[1] - 40 + 70 * own / (own + 10)) < 1e-9, "a node with one error of the past is believed as others of its size are");
	}
	past[1] = past[4] = NAN;
	ok(run(&tree, NULL, NULL) == SPM_RECONCILE_NO_PAST, "where nobody has two it is refused");
	tree.method = SPM_RECONCILE_MINT;
	past[1] = past[4] = 1;
	past[3] = 0, past[2] = 0;
	ok(run(&tree, &shrinkage, NULL) == SPM_RECONCILE_OK && fabs(result[1] - 40) < 1e-9, "a node that was never off is believed");

	parent[0] = 2, parent[1] = -1, parent[2] = 1, parent[3] = 2;
	ok(spmk_tree_order(4, parent, order, marks, &at) && order[0] == 1 && order[1] == 2 && order[2] == 0 && order[3] == 3, "parents come before children");
	parent[1] = 0;
	ok(!spmk_tree_order(4, parent, order, marks, &at) && at != 3, "who is his own ancestor is found");
	return done_testing();
}
