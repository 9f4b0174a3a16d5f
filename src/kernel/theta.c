/*
 * theta.c
 *	  The theta method as smoothing with half the trend for a drift (Assimakopoulos
 *	  & Nikolopoulos 2000, Hyndman & Billah 2003), and the dynamic optimised theta
 *	  model (Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler 2016).
 */
#include "theta.h"

#include <string.h>

#include "series.h"
#include "smooth.h"

#define LANES		4			/* values of alpha that go through the series side by side */
#define ALPHA_LEAST	0.1
#define ALPHA_MOST	0.99
#define SKIPPED		3			/* errors of the first values tell of the start only */
#define GRID		3			/* rounds of LANES over all alpha, then FINER ones about the best */
#define FINER		3
#define GRID_STEP	((ALPHA_MOST - ALPHA_LEAST) / (GRID * LANES - 1))
#define LONG_SERIES	10000		/* one round of which takes as long as a breath may */

size_t
spmk_theta_space(int n, int m, int h)
{
	(void) h;
	return spmk_adjust_space(n, m) + 2 * ((size_t) n + 1);
}

SpmForecastStatus
spmk_theta(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;
	SpmSmooth	fit;
	int			n = series->n;
	double		mean = 0;
	double		slope = 0;
	double		faded;

	if (n < SPMK_DOTM_LEAST)
		return SPM_FORECAST_SHORT;
	spmk_adjust(series, &adjusted, space, breath);
	spmk_smooth_level(adjusted.rest, n, &fit, breath);
	for (int t = 0; t < n; t++)
		mean += adjusted.rest[t] / n;
	for (int t = 0; t < n; t++)
		slope += (adjusted.rest[t] - mean) * (t - 0.5 * (n - 1));
	slope /= (double) n * ((double) n * n - 1) / 12;
	faded = (1 - pow(1 - fit.alpha, n)) / fit.alpha;
	for (int i = 0; i < outlook->h; i++)
	{
		outlook->mean[i] = fit.level + 0.5 * slope * (i + faded);
		outlook->variance[i] = fit.squares / (n - 2) * (1 + i * fit.alpha * fit.alpha);
	}
	if (outlook->fitted)
	{
		double		level = fit.start_level;
		double		power = 1;

		for (int t = 0; t < n; t++)
		{
			power *= 1 - fit.alpha;
			outlook->fitted[t] = level + 0.5 * slope * (1 - power) / fit.alpha;
			level += fit.alpha * (adjusted.rest[t] - level);
		}
	}
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "theta");
	return SPM_FORECAST_OK;
}

/*
 * DOTM: the forecast of y[t] is level + w * D[t], where D extrapolates the line of
 * regression through all values before t, and the level is smoothed by alpha.
 * Given alpha the errors are linear in w and in the first level, so that only
 * alpha is searched for: with p = (1 - alpha)^(t - 1) and L the level from 0,
 *
 *		y[t] - L[t - 1] = p * first + w * D[t] + error
 *
 * in which D[t] = p * A + (1 - p * (1 - alpha)) / alpha * B, A and B the line's.
 */
typedef struct Dotm
{
	double		alpha;
	double		first;
	double		w;				/* 1 - 1 / theta */
	double		level;			/* after the last value */
	double		power;			/* of 1 - alpha: as many as values */
	double		squares;
} Dotm;

/* The line of regression, one value on. */
static inline void
add_to_line(double y, double t, double *mean, double *slope)
{
	*slope = ((t - 2) * *slope + 6 * (y - *mean) / t) / (t + 1);
	*mean += (y - *mean) / t;
}

/* a and b: the line through the values before t, for each t to n. */
static void
lines(const double *y, int n, double *a, double *b)
{
	double		mean = y[0];
	double		slope = 0;

	a[0] = b[0] = 0;
	for (int t = 1; t <= n; t++)
	{
		a[t] = mean - 0.5 * (t + 1) * slope;
		b[t] = slope;
		if (t < n)
			add_to_line(y[t], t + 1, &mean, &slope);
	}
}

/* One way through the series for several alphas at once. */
typedef struct Lanes
{
	double		alpha[LANES];
	double		level[LANES];
	double		p[LANES];
	double		sum[6][LANES];	/* of p * p, p * D, D * D, p * r, D * r and r * r, where r is y - L */
} Lanes;

static void
start(const double *y, Lanes *lanes)
{
	for (int k = 0; k < LANES; k++)
	{
		lanes->level[k] = lanes->alpha[k] * y[0];
		lanes->p[k] = 1 - lanes->alpha[k];
		for (int j = 0; j < 6; j++)
			lanes->sum[j][k] = 0;
	}
}

/* Through y[from] to y[to - 1], which are not the first ones. */
static void
step(const double *y, const double *a, const double *b, int from, int to, Lanes *lanes)
{
	Lanes		at = *lanes;
	double		inverse[LANES];

	for (int k = 0; k < LANES; k++)
		inverse[k] = 1 / at.alpha[k];
	for (int t = from; t < to; t++)
	{
		bool		counts = t >= SKIPPED;

		for (int k = 0; k < LANES; k++)
		{
			double		r = y[t] - at.level[k];
			double		p = at.p[k];
			double		next = p - p * at.alpha[k];
			double		d = p * a[t] + (1 - next) * inverse[k] * b[t];

			if (counts)
			{
				at.sum[0][k] += p * p;
				at.sum[1][k] += p * d;
				at.sum[2][k] += d * d;
				at.sum[3][k] += p * r;
				at.sum[4][k] += d * r;
				at.sum[5][k] += r * r;
			}
			at.level[k] += at.alpha[k] * r;
			at.p[k] = next;
		}
	}
	*lanes = at;
}

/* Least squares in the first level and w, w kept between 0 and 1. */
static Dotm
solve(const Lanes *lanes, int k)
{
	Dotm		fit = {.alpha = lanes->alpha[k], .power = lanes->p[k]};
	double		pp = lanes->sum[0][k];
	double		pd = lanes->sum[1][k];
	double		dd = lanes->sum[2][k];
	double		pr = lanes->sum[3][k];
	double		dr = lanes->sum[4][k];
	double		det = pp * dd - pd * pd;

	if (det > 1e-10 * pp * dd)
		fit.w = (pp * dr - pd * pr) / det;
	else if (!(pp > 0) && dd > 0)
		fit.w = dr / dd;
	fit.w = fmin(fmax(fit.w, 0), 1);
	if (pp > 0)
		fit.first = (pr - fit.w * pd) / pp;
	fit.level = lanes->level[k] + fit.power * fit.first;
	fit.squares = lanes->sum[5][k] - 2 * (fit.first * pr + fit.w * dr) +
		fit.first * fit.first * pp + 2 * fit.first * fit.w * pd + fit.w * fit.w * dd;
	fit.squares = fmax(fit.squares, 0);
	return fit;
}

/* A grid over alpha, and three finer ones about the best. */
static Dotm
search(const double *y, const double *a, const double *b, int n, const SpmBreath *breath)
{
	Dotm		best = {.squares = INFINITY};
	double		wide = GRID_STEP;

	for (int round = 0; round < GRID + FINER; round++)
	{
		double		from = ALPHA_LEAST + round * LANES * GRID_STEP;
		Lanes		lanes;

		if (round >= GRID)
		{
			from = best.alpha - wide;
			wide *= 2.0 / (LANES + 1);
			from += wide;
		}
		for (int k = 0; k < LANES; k++)
			lanes.alpha[k] = fmin(fmax(from + k * wide, ALPHA_LEAST), ALPHA_MOST);
		start(y, &lanes);
		step(y, a, b, 1, n, &lanes);
		for (int k = 0; k < LANES; k++)
		{
			Dotm		fit = solve(&lanes, k);

			if (fit.squares < best.squares)
				best = fit;
		}
		if (n > LONG_SERIES)
			spmk_breathe(breath);
	}
	return best;
}

/* What is to come is taken as if it came as forecast. */
static void
look_ahead(Dotm fit, double a, double b, int n, int h, double *path)
{
	double		mean = a + 0.5 * (n + 1) * b;
	double		slope = b;

	for (int i = 0; i < h; i++)
	{
		double		t = n + i + 1;

		path[i] = fit.level + fit.w * (fit.power * (mean - 0.5 * t * slope) +
									   (1 - fit.power * (1 - fit.alpha)) / fit.alpha * slope);
		add_to_line(path[i], t, &mean, &slope);
		fit.level += fit.alpha * (path[i] - fit.level);
		fit.power *= 1 - fit.alpha;
	}
}

size_t
spmk_dotm_hindsight_space(int n, int h, int origins)
{
	return 2 * ((size_t) n + 1) + h + (sizeof(Dotm) / sizeof(double) + 1) * origins;
}

/*
 * What DOTM would have erred, had it stood at each of the last origins.  All of
 * them cost little more than one fit, for the sums of a prefix are those that a
 * pass comes by.
 */
void
spmk_dotm_hindsight(const double *y, int n, int origins, SpmHindsight *hindsight, double *space, const SpmBreath *breath)
{
	double	   *a = space;
	double	   *b = a + n + 1;
	double	   *path = b + n + 1;
	Dotm	   *best = (Dotm *) (path + hindsight->h);
	int			first = n - origins;

	lines(y, n, a, b);
	for (int i = 0; i < origins; i++)
		best[i].squares = INFINITY;
	for (int round = 0; round < GRID; round++)
	{
		Lanes		lanes;

		for (int k = 0; k < LANES; k++)
			lanes.alpha[k] = ALPHA_LEAST + (round * LANES + k) * GRID_STEP;
		start(y, &lanes);
		step(y, a, b, 1, first, &lanes);
		for (int i = 0; i < origins; i++)
		{
			for (int k = 0; k < LANES; k++)
			{
				Dotm		fit = solve(&lanes, k);

				if (fit.squares < best[i].squares)
					best[i] = fit;
			}
			step(y, a, b, first + i, first + i + 1, &lanes);
		}
		spmk_breathe(breath);
	}
	for (int i = 0; i < origins; i++)
	{
		int			known = first + i;
		int			left = n - known < hindsight->h ? n - known : hindsight->h;

		look_ahead(best[i], a[known], b[known], known, left, path);
		for (int j = 0; j < left; j++)
			spmk_hindsight_add(hindsight, known, j, y[known + j] - path[j]);
	}
}

SpmForecastStatus
spmk_dotm(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;
	int			n = series->n;
	double	   *a = space + spmk_adjust_space(n, series->m);
	double	   *b = a + n + 1;
	double	   *y;
	double		center = 0;
	Dotm		fit;

	if (n < SPMK_DOTM_LEAST)
		return SPM_FORECAST_SHORT;
	spmk_adjust(series, &adjusted, space, breath);

	/* The model does not mind where zero is, but differences of sums do. */
	y = adjusted.rest;
	for (int t = 0; t < n; t++)
		center += y[t] / n;
	for (int t = 0; t < n; t++)
		y[t] -= center;
	lines(y, n, a, b);
	fit = search(y, a, b, n, breath);
	look_ahead(fit, a[n], b[n], n, outlook->h, outlook->mean);
	for (int i = 0; i < outlook->h; i++)
	{
		outlook->mean[i] += center;
		outlook->variance[i] = fit.squares / (n - SKIPPED) * (1 + i * fit.alpha * fit.alpha);
	}
	if (outlook->fitted)
	{
		double		level = fit.first;
		double		power = 1;

		for (int t = 0; t < n; t++)
		{
			outlook->fitted[t] = center + level +
				fit.w * (power * a[t] + (1 - power * (1 - fit.alpha)) / fit.alpha * b[t]);
			level += fit.alpha * (y[t] - level);
			power *= 1 - fit.alpha;
		}
	}
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "DOTM");
	return SPM_FORECAST_OK;
}
