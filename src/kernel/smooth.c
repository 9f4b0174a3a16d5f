/*
 * smooth.c
 *	  Simple exponential smoothing, Holt's trend and the damped one, on the series
 *	  without its season (Makridakis & Hibon 2000: the "Comb" of the M competitions).
 *
 * Given the parameters the errors are linear in the first level and growth, which
 * are therefore solved for and not searched.
 */
#include "smooth.h"

#include <string.h>

#include "series.h"

#define ALPHA_LEAST		1e-4
#define ALPHA_MOST		0.9999
#define PHI_LEAST		0.8
#define PHI_MOST		0.98
#define LONG_SERIES		10000	/* one pass of which takes as long as a breath may */

size_t
spmk_smooth_space(int n, int m, int h)
{
	return spmk_adjust_space(n, m) + 2 * (size_t) h;
}

static void
run_level(const double *y, int n, double alpha, SpmSmooth *fit)
{
	double		level = 0;
	double		p = 1;
	double		pp = 0;
	double		pr = 0;
	double		rr = 0;

	for (int t = 0; t < n; t++)
	{
		double		r = y[t] - level;

		pp += p * p;
		pr += p * r;
		rr += r * r;
		level += alpha * r;
		p *= 1 - alpha;
	}
	fit->alpha = alpha;
	fit->beta = 0;
	fit->phi = 1;
	fit->start_level = pr / pp;
	fit->start_growth = 0;
	fit->level = level + p * fit->start_level;
	fit->growth = 0;
	fit->squares = fmax(rr - pr * fit->start_level, 0);
}

void
spmk_smooth_level(const double *y, int n, SpmSmooth *fit, const SpmBreath *breath)
{
	static const double grid[] = {ALPHA_LEAST, 0.03, 0.08, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.93, ALPHA_MOST};
	const int	last = sizeof(grid) / sizeof(grid[0]) - 1;
	int			best = 0;
	double		low;
	double		high;
	SpmSmooth	trial;

	for (int k = 0; k <= last; k++)
	{
		run_level(y, n, grid[k], &trial);
		if (k == 0 || trial.squares < fit->squares)
		{
			*fit = trial;
			best = k;
		}
		if (n > LONG_SERIES)
			spmk_breathe(breath);
	}
	low = best > 0 ? grid[best - 1] : grid[0];
	high = best < last ? grid[best + 1] : grid[last];
	for (int i = 0; i < 10; i++)
	{
		/* the middle of the wider side */
		bool		is_right = high - fit->alpha > fit->alpha - low;
		double		alpha = is_right ? fit->alpha + 0.4 * (high - fit->alpha) : fit->alpha - 0.4 * (fit->alpha - low);

		run_level(y, n, alpha, &trial);
		if (trial.squares < fit->squares)
		{
			if (is_right)
				low = fit->alpha;
			else
				high = fit->alpha;
			*fit = trial;
		}
		else if (is_right)
			high = alpha;
		else
			low = alpha;
		if (n > LONG_SERIES)
			spmk_breathe(breath);
	}
}

static void
run_trend(const double *y, int n, double alpha, double beta, double phi, SpmSmooth *fit)
{
	/* from zero; and what a unit of first level and of first growth does to it */
	double		l = 0,
				b = 0;
	double		ll = 1,
				lb = 0;
	double		gl = 0,
				gb = 1;
	double		aa = 0,
				ac = 0,
				cc = 0,
				ar = 0,
				cr = 0,
				rr = 0;
	double		det;

	for (int t = 0; t < n; t++)
	{
		double		f = l + phi * b;
		double		fl = ll + phi * lb;
		double		fg = gl + phi * gb;
		double		r = y[t] - f;

		aa += fl * fl;
		ac += fl * fg;
		cc += fg * fg;
		ar += fl * r;
		cr += fg * r;
		rr += r * r;
		l = f + alpha * r;
		b = phi * b + beta * r;
		ll = fl - alpha * fl;
		lb = phi * lb - beta * fl;
		gl = fg - alpha * fg;
		gb = phi * gb - beta * fg;
	}
	det = aa * cc - ac * ac;
	fit->start_growth = det > 1e-12 * aa * cc ? (aa * cr - ac * ar) / det : 0;
	fit->start_level = (ar - ac * fit->start_growth) / aa;
	fit->alpha = alpha;
	fit->beta = beta;
	fit->phi = phi;
	fit->level = l + ll * fit->start_level + gl * fit->start_growth;
	fit->growth = b + lb * fit->start_level + gb * fit->start_growth;
	fit->squares = fmax(rr - ar * fit->start_level - cr * fit->start_growth, 0);
}

/* A few starts, then steps along each parameter that get shorter; beta as a share of alpha. */
void
spmk_smooth_trend(const double *y, int n, bool is_damped, SpmSmooth *fit, const SpmBreath *breath)
{
	static const double alphas[] = {0.1, 0.3, 0.6, 0.9};
	static const double shares[] = {1e-3, 0.1, 0.4};
	static const double least[3] = {ALPHA_LEAST, 1e-4, PHI_LEAST};
	static const double most[3] = {ALPHA_MOST, 1, PHI_MOST};
	double		at[3] = {0, 0, is_damped ? 0.95 : 1};
	double		step[3] = {0.1, 0.1, 0.04};
	SpmSmooth	trial;

	fit->squares = INFINITY;
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 3; j++)
		{
			run_trend(y, n, alphas[i], alphas[i] * shares[j], at[2], &trial);
			if (trial.squares < fit->squares)
			{
				*fit = trial;
				at[0] = alphas[i];
				at[1] = shares[j];
			}
			if (n > LONG_SERIES)
				spmk_breathe(breath);
		}
	for (int round = 0; round < 5; round++)
		for (int k = 0; k < (is_damped ? 3 : 2); k++)
		{
			bool		moved = false;

			for (int side = -1; side <= 1; side += 2)
				for (int tries = 0; tries < 3 && !(moved && side == 1 && tries == 0); tries++)
				{
					double		next[3] = {at[0], at[1], at[2]};

					next[k] = fmin(fmax(at[k] + side * step[k], least[k]), most[k]);
					if (next[k] == at[k])
						break;
					run_trend(y, n, next[0], next[0] * next[1], next[2], &trial);
					if (n > LONG_SERIES)
						spmk_breathe(breath);
					if (!(trial.squares < fit->squares))
						break;
					*fit = trial;
					at[k] = next[k];
					moved = true;
				}
			step[k] *= moved ? 0.7 : 0.4;
		}
}

/* The method's path, and its errors' variances by the formula of the additive model. */
static void
look_ahead(const SpmSmooth *fit, const double *y, int n, int parameters, SpmOutlook *outlook)
{
	double		reach = 0;
	double		power = 1;
	double		sum = 1;
	double		square = fit->squares / (n > parameters ? n - parameters : 1);

	for (int i = 0; i < outlook->h; i++)
	{
		double		weight;

		outlook->variance[i] = square * sum;
		power *= fit->phi;
		reach += power;
		weight = fit->alpha + fit->beta * reach;
		sum += weight * weight;
		outlook->mean[i] = fit->level + reach * fit->growth;
	}
	if (outlook->fitted)
	{
		double		level = fit->start_level;
		double		growth = fit->start_growth;

		for (int t = 0; t < n; t++)
		{
			double		f = level + fit->phi * growth;

			outlook->fitted[t] = f;
			level = f + fit->alpha * (y[t] - f);
			growth = fit->phi * growth + fit->beta * (y[t] - f);
		}
	}
}

SpmForecastStatus
spmk_ses(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;
	SpmSmooth	fit;

	if (series->n < 3)
		return SPM_FORECAST_SHORT;
	spmk_adjust(series, &adjusted, space, breath);
	spmk_smooth_level(adjusted.rest, adjusted.n, &fit, breath);
	look_ahead(&fit, adjusted.rest, adjusted.n, 2, outlook);
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "SES");
	return SPM_FORECAST_OK;
}

static SpmForecastStatus
run_with_trend(const SpmSeries *series, bool is_damped, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;
	SpmSmooth	fit;

	if (series->n < 5 + is_damped)
		return SPM_FORECAST_SHORT;
	spmk_adjust(series, &adjusted, space, breath);
	spmk_smooth_trend(adjusted.rest, adjusted.n, is_damped, &fit, breath);
	look_ahead(&fit, adjusted.rest, adjusted.n, 4 + is_damped, outlook);
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, is_damped ? "damped" : "Holt");
	return SPM_FORECAST_OK;
}

SpmForecastStatus
spmk_holt(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return run_with_trend(series, false, outlook, space, breath);
}

SpmForecastStatus
spmk_damped(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return run_with_trend(series, true, outlook, space, breath);
}

SpmForecastStatus
spmk_comb(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmAdjusted adjusted;
	SpmSmooth	fits[3];
	int			n = series->n;
	int			h = outlook->h;
	double	   *means = space + spmk_adjust_space(n, series->m);

	if (n < 6)
		return SPM_FORECAST_SHORT;
	spmk_adjust(series, &adjusted, space, breath);
	spmk_smooth_level(adjusted.rest, n, &fits[0], breath);
	spmk_smooth_trend(adjusted.rest, n, false, &fits[1], breath);
	spmk_smooth_trend(adjusted.rest, n, true, &fits[2], breath);
	memset(means, 0, sizeof(double) * 2 * h);
	for (int k = 0; k < 3; k++)
	{
		look_ahead(&fits[k], adjusted.rest, n, k + 2 + (k > 0), &(SpmOutlook) {.h = h, .mean = outlook->mean, .variance = outlook->variance});
		for (int i = 0; i < h; i++)
		{
			means[i] += outlook->mean[i] / 3;
			means[h + i] += outlook->variance[i] / 3;
		}
	}
	memcpy(outlook->mean, means, sizeof(double) * h);
	memcpy(outlook->variance, means + h, sizeof(double) * h);
	if (outlook->fitted)
	{
		double		level[3];
		double		growth[3];

		for (int k = 0; k < 3; k++)
		{
			level[k] = fits[k].start_level;
			growth[k] = fits[k].start_growth;
		}
		for (int t = 0; t < n; t++)
		{
			outlook->fitted[t] = 0;
			for (int k = 0; k < 3; k++)
			{
				double		f = level[k] + fits[k].phi * growth[k];
				double		e = adjusted.rest[t] - f;

				outlook->fitted[t] += f / 3;
				level[k] = f + fits[k].alpha * e;
				growth[k] = fits[k].phi * growth[k] + fits[k].beta * e;
			}
		}
	}
	spmk_restore_season(&adjusted, outlook);
	strcpy(outlook->name, "comb");
	return SPM_FORECAST_OK;
}
