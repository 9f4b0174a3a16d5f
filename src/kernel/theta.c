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
#define FADED		1e-12		/* of the first level, what no sum shows any more */
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

/* The line of regression, one value on; divisions wait for nothing. */
static inline void
add_to_line(double y, double t, double *mean, double *slope)
{
	double		inverse = 1 / t;
	double		next = 1 / (t + 1);
	double		off = (y - *mean) * inverse;

	*slope = ((t - 2) * *slope + 6 * off) * next;
	*mean += off;
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
start(const double *y, Lanes *lanes, double *inverse)
{
	for (int k = 0; k < LANES; k++)
	{
		inverse[k] = 1 / lanes->alpha[k];
		lanes->level[k] = lanes->alpha[k] * y[0];
		lanes->p[k] = 1 - lanes->alpha[k];
		for (int j = 0; j < 6; j++)
			lanes->sum[j][k] = 0;
	}
}

/* On by the value y; 'a' and 'b' are the line through those before it. */
static inline void
step(double y, double a, double b, const double *inverse, bool counts, Lanes *at)
{
	double		r[LANES];
	double		p[LANES];
	double		d[LANES];

	for (int k = 0; k < LANES; k++)
	{
		double		next = at->p[k] - at->p[k] * at->alpha[k];

		r[k] = y - at->level[k];
		p[k] = at->p[k];
		d[k] = p[k] * a + (1 - next) * inverse[k] * b;
		at->level[k] += at->alpha[k] * r[k];
		at->p[k] = next;
	}
	if (!counts)
		return;
	for (int k = 0; k < LANES; k++)
	{
		at->sum[0][k] += p[k] * p[k];
		at->sum[1][k] += p[k] * d[k];
		at->sum[2][k] += d[k] * d[k];
		at->sum[3][k] += p[k] * r[k];
		at->sum[4][k] += d[k] * r[k];
		at->sum[5][k] += r[k] * r[k];
	}
}

/* The same where the first level has faded: all that it was part of stays as it is. */
static inline void
step_faded(double y, double b, const double *inverse, Lanes *at)
{
	for (int k = 0; k < LANES; k++)
	{
		double		r = y - at->level[k];
		double		d = inverse[k] * b;

		at->level[k] += at->alpha[k] * r;
		at->sum[2][k] += d * d;
		at->sum[4][k] += d * r;
		at->sum[5][k] += r * r;
	}
}

/* Alphas ascend, so that the first lane's fades last. */
static inline bool
has_faded(const Lanes *lanes)
{
	return lanes->p[0] < FADED;
}

/* Through y[from] to y[to - 1], which are not the first ones. */
static inline void
walk(const double *y, const double *a, const double *b, const double *inverse, int from, int to, Lanes *lanes)
{
	Lanes		at = *lanes;

	for (; from < to && from < SKIPPED; from++)
		step(y[from], a[from], b[from], inverse, false, &at);
	for (; from < to && !has_faded(&at); from++)
		step(y[from], a[from], b[from], inverse, true, &at);
	for (; from < to; from++)
		step_faded(y[from], b[from], inverse, &at);
	*lanes = at;
}

/*
 * Least squares in the first level and w, w kept between 0 and 1: the best of the
 * lanes takes the place of 'best', if it is better.
 */
static inline void
solve(const Lanes *lanes, Dotm *best)
{
	double		w[LANES];
	double		first[LANES];
	double		squares[LANES];

	for (int k = 0; k < LANES; k++)
	{
		double		pp = lanes->sum[0][k];
		double		pd = lanes->sum[1][k];
		double		dd = lanes->sum[2][k];
		double		pr = lanes->sum[3][k];
		double		dr = lanes->sum[4][k];
		double		det = pp * dd - pd * pd;
		bool		is_plane = det > 1e-10 * pp * dd;
		bool		is_line = !(pp > 0) && dd > 0;
		double		top = is_plane ? pp * dr - pd * pr : is_line ? dr : 0;
		double		bottom = is_plane ? det : is_line ? dd : 1;
		double		share = top / bottom;

		share = share < 0 ? 0 : share;
		share = share > 1 ? 1 : share;
		w[k] = share;
		first[k] = (pp > 0 ? pr - share * pd : 0) / (pp > 0 ? pp : 1);
		squares[k] = lanes->sum[5][k] - 2 * (first[k] * pr + share * dr) +
			first[k] * first[k] * pp + 2 * first[k] * share * pd + share * share * dd;
		squares[k] = squares[k] > 0 ? squares[k] : 0;
	}
	for (int k = 0; k < LANES; k++)
		if (squares[k] < best->squares)
			*best = (Dotm) {.alpha = lanes->alpha[k], .first = first[k], .w = w[k],
				.level = lanes->level[k] + lanes->p[k] * first[k], .power = lanes->p[k], .squares = squares[k]};
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
		double		inverse[LANES];

		if (round >= GRID)
		{
			from = best.alpha - wide;
			wide *= 2.0 / (LANES + 1);
			from += wide;
		}
		for (int k = 0; k < LANES; k++)
			lanes.alpha[k] = fmin(fmax(from + k * wide, ALPHA_LEAST), ALPHA_MOST);
		start(y, &lanes, inverse);
		walk(y, a, b, inverse, 1, n, &lanes);
		solve(&lanes, &best);
		if (n > LONG_SERIES)
			spmk_breathe(breath);
	}
	return best;
}

/*
 * What is to come is taken as if it came as forecast: by several fits side by side,
 * each of the n[k] values before it and their line a[k], b[k].
 */
static inline void
look_ahead(int lanes, const Dotm *fits, const double *a, const double *b, const int *n, int h, double *path)
{
	double		level[LANES];
	double		power[LANES];
	double		mean[LANES];
	double		slope[LANES];
	double		inverse[LANES];

	for (int k = 0; k < lanes; k++)
	{
		level[k] = fits[k].level;
		power[k] = fits[k].power;
		mean[k] = a[k] + 0.5 * (n[k] + 1) * b[k];
		slope[k] = b[k];
		inverse[k] = 1 / fits[k].alpha;
	}
	for (int i = 0; i < h; i++)
		for (int k = 0; k < lanes; k++)
		{
			double		t = n[k] + i + 1;
			double		next = power[k] - power[k] * fits[k].alpha;
			double		y = level[k] + fits[k].w * (power[k] * (mean[k] - 0.5 * t * slope[k]) + (1 - next) * inverse[k] * slope[k]);

			path[i * lanes + k] = y;
			add_to_line(y, t, &mean[k], &slope[k]);
			level[k] += fits[k].alpha * (y - level[k]);
			power[k] = next;
		}
}

size_t
spmk_dotm_hindsight_space(int n, int h, int origins)
{
	return 2 * ((size_t) n + 1) + LANES * (size_t) h + (sizeof(Dotm) / sizeof(double) + 1) * (origins + LANES);
}

/*
 * What DOTM would have erred, had it stood at origins 'stride' apart.  All of
 * them cost little more than one fit, for the sums of a prefix are those that a
 * pass comes by.
 */
void
spmk_dotm_hindsight(const double *y, int n, int origins, int stride, SpmHindsight *hindsight, double *space, const SpmBreath *breath)
{
	double	   *a = space;
	double	   *b = a + n + 1;
	double	   *path = b + n + 1;
	Dotm	   *best = (Dotm *) (path + LANES * (size_t) hindsight->h);
	int			first = n - origins * stride;

	lines(y, n, a, b);
	for (int i = 0; i < origins; i++)
		best[i].squares = INFINITY;
	for (int round = 0; round < GRID; round++)
	{
		Lanes		lanes;
		double		inverse[LANES];

		for (int k = 0; k < LANES; k++)
			lanes.alpha[k] = ALPHA_LEAST + (round * LANES + k) * GRID_STEP;
		start(y, &lanes, inverse);
		walk(y, a, b, inverse, 1, first, &lanes);
		for (int i = 0; i < origins; i++)
		{
			int			known = first + i * stride;

			solve(&lanes, &best[i]);
			if (has_faded(&lanes))
				for (int t = known; t < known + stride; t++)
					step_faded(y[t], b[t], inverse, &lanes);
			else
				for (int t = known; t < known + stride; t++)
					step(y[t], a[t], b[t], inverse, true, &lanes);
		}
		spmk_breathe(breath);
	}
	for (int i = 0; i < origins; i += LANES)
	{
		double		line_a[LANES];
		double		line_b[LANES];
		int			known[LANES];
		int			left = n - first - i * stride;
		int			most = left < hindsight->h ? left : hindsight->h;

		for (int k = 0; k < LANES; k++)
		{
			/* beyond the last origin the same once more, and nothing is done with it */
			int			at = i + k < origins ? i + k : origins - 1;

			best[i + k] = best[at];
			known[k] = first + at * stride;
			line_a[k] = a[known[k]];
			line_b[k] = b[known[k]];
		}
		look_ahead(LANES, best + i, line_a, line_b, known, most, path);
		for (int k = 0; k < LANES && i + k < origins; k++)
			for (int j = 0; j < most && known[k] + j < n; j++)
				spmk_hindsight_add(hindsight, known[k], j, y[known[k] + j] - path[j * LANES + k]);
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
	look_ahead(1, &fit, &a[n], &b[n], &n, outlook->h, outlook->mean);
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
			/* the first level was free to be anything for those that no error is counted of */
			outlook->fitted[t] = t < SKIPPED ? NAN : center + level +
				fit.w * (power * a[t] + (1 - power * (1 - fit.alpha)) / fit.alpha * b[t]);
			level += fit.alpha * (y[t] - level);
			power *= 1 - fit.alpha;
		}
	}
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "DOTM");
	return SPM_FORECAST_OK;
}
