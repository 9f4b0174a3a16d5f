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
#define LEAST_VALUES 5
#define BREATH_WORK	(1 << 20)

size_t
spmk_theta_space(int n, int m, int h)
{
	(void) h;
	return spmk_adjust_space(n, m) + 2 * (size_t) n;
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

	if (n < LEAST_VALUES)
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
typedef struct Sums
{
	double		pp,
				pd,
				dd,
				pr,
				dr,
				rr;
} Sums;

typedef struct Dotm
{
	double		alpha;
	double		first;
	double		w;				/* 1 - 1 / theta */
	double		squares;
} Dotm;

/* a and b: the line through the values before t, for each t; what follows n needs means. */
static double
lines(const double *y, int n, double *a, double *b)
{
	double		mean = y[0];
	double		slope = 0;

	a[0] = b[0] = 0;
	for (int i = 1; i < n; i++)
	{
		double		t = i + 1;

		a[i] = mean - 0.5 * t * slope;
		b[i] = slope;
		slope = ((t - 2) * slope + 6 * (y[i] - mean) / t) / (t + 1);
		mean += (y[i] - mean) / t;
	}
	return mean;
}

static void
sums_of(const double *y, const double *a, const double *b, int n, const double *alpha, Sums *sums)
{
	double		fade[LANES];
	double		inverse[LANES];
	double		level[LANES];
	double		p[LANES];
	double		sum[6][LANES];

	for (int k = 0; k < LANES; k++)
	{
		fade[k] = 1 - alpha[k];
		inverse[k] = 1 / alpha[k];
		level[k] = alpha[k] * y[0];
		p[k] = fade[k];
		for (int j = 0; j < 6; j++)
			sum[j][k] = 0;
	}
	for (int t = 1; t < n; t++)
	{
		bool		counts = t >= SKIPPED;

		for (int k = 0; k < LANES; k++)
		{
			double		r = y[t] - level[k];
			double		pn = p[k] * fade[k];
			double		d = p[k] * a[t] + (1 - pn) * inverse[k] * b[t];

			if (counts)
			{
				sum[0][k] += p[k] * p[k];
				sum[1][k] += p[k] * d;
				sum[2][k] += d * d;
				sum[3][k] += p[k] * r;
				sum[4][k] += d * r;
				sum[5][k] += r * r;
			}
			level[k] += alpha[k] * r;
			p[k] = pn;
		}
	}
	for (int k = 0; k < LANES; k++)
		sums[k] = (Sums) {sum[0][k], sum[1][k], sum[2][k], sum[3][k], sum[4][k], sum[5][k]};
}

/* Least squares in the first level and w, w kept between 0 and 1. */
static Dotm
solve(const Sums *s, double alpha)
{
	Dotm		fit = {.alpha = alpha};
	double		det = s->pp * s->dd - s->pd * s->pd;

	if (det > 1e-10 * s->pp * s->dd)
		fit.w = (s->pp * s->dr - s->pd * s->pr) / det;
	else if (!(s->pp > 0) && s->dd > 0)
		fit.w = s->dr / s->dd;
	fit.w = fmin(fmax(fit.w, 0), 1);
	if (s->pp > 0)
		fit.first = (s->pr - fit.w * s->pd) / s->pp;
	fit.squares = s->rr - 2 * (fit.first * s->pr + fit.w * s->dr) +
		fit.first * fit.first * s->pp + 2 * fit.first * fit.w * s->pd + fit.w * fit.w * s->dd;
	fit.squares = fmax(fit.squares, 0);
	return fit;
}

/* A grid over alpha, and three finer ones about the best. */
static Dotm
search(const double *y, const double *a, const double *b, int n, const SpmBreath *breath)
{
	Dotm		best = {.squares = INFINITY};
	double		step = (ALPHA_MOST - ALPHA_LEAST) / (3 * LANES - 1);
	double		from = ALPHA_LEAST;

	for (int round = 0; round < 6; round++)
	{
		double		alpha[LANES];
		Sums		sums[LANES];

		if (round >= 3)
		{
			from = best.alpha - step;
			step *= 2.0 / (LANES + 1);
			from += step;
		}
		for (int k = 0; k < LANES; k++)
			alpha[k] = fmin(fmax(from + ((round < 3 ? round * LANES : 0) + k) * step, ALPHA_LEAST), ALPHA_MOST);
		sums_of(y, a, b, n, alpha, sums);
		for (int k = 0; k < LANES; k++)
		{
			Dotm		fit = solve(&sums[k], alpha[k]);

			if (fit.squares < best.squares)
				best = fit;
		}
		if (n > BREATH_WORK / 64)
			spmk_breathe(breath);
	}
	return best;
}

SpmForecastStatus
spmk_dotm(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;
	int			n = series->n;
	double	   *a = space + spmk_adjust_space(n, series->m);
	double	   *b = a + n;
	double	   *y;
	double		center = 0;
	double		mean;
	double		slope;
	double		level;
	double		power = 1;
	Dotm		fit;

	if (n < LEAST_VALUES)
		return SPM_FORECAST_SHORT;
	spmk_adjust(series, &adjusted, space, breath);

	/* The model does not mind where zero is, but differences of sums do. */
	y = adjusted.rest;
	for (int t = 0; t < n; t++)
		center += y[t] / n;
	for (int t = 0; t < n; t++)
		y[t] -= center;
	mean = lines(y, n, a, b);
	fit = search(y, a, b, n, breath);

	level = fit.first;
	for (int t = 0; t < n; t++)
	{
		if (outlook->fitted)
			outlook->fitted[t] = center + level +
				fit.w * (power * a[t] + (1 - power * (1 - fit.alpha)) / fit.alpha * b[t]);
		level += fit.alpha * (y[t] - level);
		power *= 1 - fit.alpha;
	}

	/* What is to come is taken as if it came as forecast. */
	slope = ((n - 2.0) * b[n - 1] + 6 * (y[n - 1] - (n > 1 ? a[n - 1] + 0.5 * n * b[n - 1] : 0)) / n) / (n + 1.0);
	for (int i = 0; i < outlook->h; i++)
	{
		double		t = n + i + 1;
		double		forecast = level + fit.w * (power * (mean - 0.5 * t * slope) +
												(1 - power * (1 - fit.alpha)) / fit.alpha * slope);

		outlook->mean[i] = center + forecast;
		outlook->variance[i] = fit.squares / (n - SKIPPED) * (1 + i * fit.alpha * fit.alpha);
		slope = ((t - 2) * slope + 6 * (forecast - mean) / t) / (t + 1);
		mean += (forecast - mean) / t;
		level += fit.alpha * (forecast - level);
		power *= 1 - fit.alpha;
	}
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "DOTM");
	return SPM_FORECAST_OK;
}
