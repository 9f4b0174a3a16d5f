/*
 * logistic.c
 *	  Logistic regression by Newton's method, which is iteratively reweighted
 *	  least squares (McCullagh and Nelder 1989).
 *
 * Factors are taken as standard scores, so that their units matter neither to
 * the arithmetic nor to the ridge penalty; coefficients are given for the
 * factors as they came.
 */
#include "logistic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define MAX_ITERATIONS 60
#define STEP_LIMIT 1e-8			/* of a standardized coefficient; the next step would be its square */
#define PIVOT_LIMIT 1e-9		/* what of a factor must not follow from others */
#define STRIDE 100000			/* products between two breaths */

/* ------------------------------------------------------- rows in a set order */

/* Mixes a row into a number that it is sorted by: any order does that is always the same. */
static uint64_t
key_of(const double *row, int width)
{
	SpmChance	mix = {(uint64_t) width};
	uint64_t	key = 0;

	for (int i = 0; i < width; i++)
	{
		double		x = row[i] + 0.0;
		uint64_t	bits;

		memcpy(&bits, &x, sizeof(bits));
		mix.state ^= bits;
		key = spmk_chance_next(&mix);
		mix.state = key;
	}
	return key;
}

static inline bool
goes_before(uint64_t key, const double *row, uint64_t other_key, const double *other, int width)
{
	if (key != other_key)
		return key < other_key;
	for (int i = 0; i < width; i++)
		if (row[i] != other[i])
			return row[i] < other[i];
	return false;
}

/*
 * Puts rows into an order that does not depend on how they came; rows that are
 * equal end up side by side.  Merges runs of 1, 2, 4 ...
 */
void
spmk_sort_rows(const double **rows, const double **scratch, uint64_t *keys, uint64_t *key_scratch,
			   int64_t n, int width, const SpmBreath *breath)
{
	const double **from = rows;
	const double **to = scratch;
	uint64_t   *from_keys = keys;
	uint64_t   *to_keys = key_scratch;

	for (int64_t i = 0; i < n; i++)
		keys[i] = key_of(rows[i], width);
	for (int64_t run = 1; run < n; run *= 2)
	{
		const double **other = from;
		uint64_t   *other_keys = from_keys;

		for (int64_t begin = 0; begin < n; begin += 2 * run)
		{
			int64_t		middle = begin + run < n ? begin + run : n;
			int64_t		end = middle + run < n ? middle + run : n;
			int64_t		a = begin;
			int64_t		b = middle;

			for (int64_t i = begin; i < end; i++)
			{
				bool		left = a < middle &&
					(b == end || !goes_before(from_keys[b], from[b], from_keys[a], from[a], width));
				int64_t		take = left ? a++ : b++;

				to[i] = from[take];
				to_keys[i] = from_keys[take];
				if (i % STRIDE == 0)
					spmk_breathe(breath);
			}
		}
		from = to;
		to = other;
		from_keys = to_keys;
		to_keys = other_keys;
	}
	if (from != rows)
		memcpy(rows, from, n * sizeof(*rows));
}

/* ------------------------------------------------------------ the regression */

typedef struct Work
{
	const SpmLogisticRows *rows;
	double		ridge;
	double	   *scores;			/* of all rows: factors as standard scores */
	int			dim;			/* p + 1 */
	double	   *mean;			/* of each factor; [0] is the constant's */
	double	   *deviation;
	double	   *beta;			/* for standard scores */
	double	   *trial;
	double	   *step;
	double	   *gradient;
	double	   *z;
	double	   *factor;			/* Cholesky factor of the curvature, row by row */
	double	   *inverse;
	const SpmBreath *breath;
	int64_t		products;
} Work;

static void
breathe_after(Work *w, int64_t products)
{
	w->products += products;
	if (w->products >= STRIDE)
	{
		w->products = 0;
		spmk_breathe(w->breath);
	}
}

static double
dot(const double *a, const double *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static double
penalty(const Work *w, const double *beta)
{
	return w->ridge / 2 * dot(beta + 1, beta + 1, w->dim - 1);
}

/*
 * The penalized log-likelihood of coefficients; its slope into 'gradient', its
 * curvature into 'factor'.
 */
static double
evaluate(Work *w, const double *beta)
{
	int			dim = w->dim;
	double		sum = 0;

	memset(w->gradient, 0, dim * sizeof(double));
	memset(w->factor, 0, dim * dim * sizeof(double));
	for (int64_t i = 0; i < w->rows->n; i++)
	{
		const double *z = w->scores + i * (dim - 1) - 1;	/* z[1] is the first factor */
		double		eta = beta[0] + dot(z + 1, beta + 1, dim - 1);
		double		small = exp(-fabs(eta));	/* never overflows */
		double		p = (eta > 0 ? 1 : small) / (1 + small);
		double		error = w->rows->yes[i] - w->rows->counts[i] * p;
		double		weight = w->rows->counts[i] * small / ((1 + small) * (1 + small));

		sum += w->rows->yes[i] * eta - w->rows->counts[i] * (fmax(eta, 0) + log1p(small));
		w->gradient[0] += error;
		w->factor[0] += weight;
		for (int j = 1; j < dim; j++)
		{
			double		wz = weight * z[j];
			double	   *row = w->factor + j * dim;

			w->gradient[j] += error * z[j];
			row[0] += wz;
			for (int k = 1; k <= j; k++)
				row[k] += wz * z[k];
		}
		breathe_after(w, (int64_t) dim * dim / 2 + 20);
	}
	for (int j = 1; j < dim; j++)
	{
		w->gradient[j] -= w->ridge * beta[j];
		w->factor[j * dim + j] += w->ridge;
	}
	return sum - penalty(w, beta);
}

/* Lower triangle in place; the row at which it is not positive, or -1. */
static int
cholesky(double *a, int dim)
{
	for (int j = 0; j < dim; j++)
	{
		double		whole = a[j * dim + j];

		for (int k = 0; k < j; k++)
			a[j * dim + k] = (a[j * dim + k] - dot(a + j * dim, a + k * dim, k)) / a[k * dim + k];
		a[j * dim + j] = whole - dot(a + j * dim, a + j * dim, j);
		if (!(a[j * dim + j] > PIVOT_LIMIT * whole))
			return j;
		a[j * dim + j] = sqrt(a[j * dim + j]);
	}
	return -1;
}

/* x = (L L')^-1 b */
static void
cholesky_solve(const double *l, int dim, const double *b, double *x)
{
	for (int j = 0; j < dim; j++)
		x[j] = (b[j] - dot(l + j * dim, x, j)) / l[j * dim + j];
	for (int j = dim - 1; j >= 0; j--)
	{
		for (int k = j + 1; k < dim; k++)
			x[j] -= l[k * dim + j] * x[k];
		x[j] /= l[j * dim + j];
	}
}

/* Means, deviations and standard scores; the first factor that is constant, or 0. */
static int
standardize(Work *w, double total)
{
	int			p = w->rows->p;

	for (int j = 1; j <= p; j++)
	{
		double		mean = 0;
		double		square = 0;
		double		least = w->rows->factors[0][j - 1];
		double		most = least;

		for (int64_t i = 0; i < w->rows->n; i++)
		{
			double		x = w->rows->factors[i][j - 1];

			mean += w->rows->counts[i] * (x / total);
			least = x < least ? x : least;
			most = x > most ? x : most;
			breathe_after(w, 1);
		}
		for (int64_t i = 0; i < w->rows->n; i++)
		{
			double		x = w->rows->factors[i][j - 1] - mean;

			square += w->rows->counts[i] * x * x;
			breathe_after(w, 1);
		}
		w->mean[j] = mean;
		w->deviation[j] = sqrt(square / total);
		if (least == most || !(w->deviation[j] > 0))
			return j;
		for (int64_t i = 0; i < w->rows->n; i++)
			w->scores[i * p + j - 1] = (w->rows->factors[i][j - 1] - mean) / w->deviation[j];
	}
	return 0;
}

/* From standard scores to the factors as they came. */
static void
unstandardize(Work *w, SpmLogisticFit *fit)
{
	int			dim = w->dim;
	double		constant = w->beta[0];
	double		variance;

	for (int j = 0; j < dim; j++)
	{
		memset(w->z, 0, dim * sizeof(double));
		w->z[j] = 1;
		cholesky_solve(w->factor, dim, w->z, w->inverse + j * dim);
	}
	w->z[0] = 1;
	for (int j = 1; j < dim; j++)
	{
		fit->coefficients[j] = w->beta[j] / w->deviation[j];
		fit->errors[j] = sqrt(w->inverse[j * dim + j]) / w->deviation[j];
		constant -= fit->coefficients[j] * w->mean[j];
		w->z[j] = -w->mean[j] / w->deviation[j];
	}
	fit->coefficients[0] = constant;
	variance = 0;
	for (int j = 0; j < dim; j++)
		variance += w->z[j] * dot(w->inverse + j * dim, w->z, dim);
	fit->errors[0] = sqrt(variance);
}

/*
 * Coefficients under which the outcomes are likeliest, less 'ridge' / 2 times
 * the squares of those for standard scores.  'scores' has room for n x p
 * numbers, 'room' for SPMK_LOGISTIC_ROOM(p).
 */
SpmLogisticStatus
spmk_logistic(const SpmLogisticRows *rows, double ridge, double *scores, double *room,
			  SpmLogisticFit *fit, const SpmBreath *breath)
{
	int			dim = rows->p + 1;
	Work		w = {rows, ridge, scores, dim};
	double		total = 0;
	double		yes = 0;
	double		now;

	w.breath = breath;
	w.mean = room;
	w.deviation = w.mean + dim;
	w.beta = w.deviation + dim;
	w.trial = w.beta + dim;
	w.step = w.trial + dim;
	w.gradient = w.step + dim;
	w.z = w.gradient + dim;
	w.factor = w.z + dim;
	w.inverse = w.factor + dim * dim;

	for (int64_t i = 0; i < rows->n; i++)
	{
		total += rows->counts[i];
		yes += rows->yes[i];
	}
	if (yes == 0 || yes == total)
		return SPM_LOGISTIC_ONE_OUTCOME;
	fit->at = standardize(&w, total);
	if (fit->at > 0)
		return SPM_LOGISTIC_CONSTANT;

	memset(w.beta, 0, dim * sizeof(double));
	w.beta[0] = log(yes / (total - yes));
	fit->null_log_likelihood = yes * log(yes / total) + (total - yes) * log1p(-yes / total);
	now = evaluate(&w, w.beta);
	for (fit->iterations = 1;; fit->iterations++)
	{
		double		length = 1;
		double		longest = 0;
		double		then;

		fit->at = cholesky(w.factor, dim);
		if (fit->at >= 0)
			return fit->iterations == 1 ? SPM_LOGISTIC_COLLINEAR : SPM_LOGISTIC_SEPARATED;
		cholesky_solve(w.factor, dim, w.gradient, w.step);
		for (int j = 0; j < dim; j++)
			longest = fmax(longest, fabs(w.step[j]));

		/* A step that overshoots is halved; the last ones are too small to tell. */
		for (;;)
		{
			for (int j = 0; j < dim; j++)
				w.trial[j] = w.beta[j] + length * w.step[j];
			then = evaluate(&w, w.trial);
			if (then >= now || longest * length < 1e-3)
				break;
			length /= 2;
		}
		memcpy(w.beta, w.trial, dim * sizeof(double));
		now = then;
		if (longest < STEP_LIMIT)
			break;
		if (fit->iterations == MAX_ITERATIONS)
			return SPM_LOGISTIC_SEPARATED;
	}
	if (cholesky(w.factor, dim) >= 0)
		return SPM_LOGISTIC_SEPARATED;
	fit->log_likelihood = now + penalty(&w, w.beta);
	unstandardize(&w, fit);
	return SPM_LOGISTIC_OK;
}
