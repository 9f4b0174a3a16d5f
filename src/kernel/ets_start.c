/*
 * ets_start.c
 *	  Where the search for a model begins: a season by moving averages, a line
 *	  through what is left, and the best of a few parameters.
 */
#include "ets_search.h"

#include <string.h>

#define LEAST_INDEX		0.01
#define ROUNDING		1e-25	/* square of what is next to nothing in a value of 1 */

/*
 * A sum of squares that is but rounding.  In terms of the geometric mean, so that
 * forms that fit exactly are equally likely, whatever their errors are measured by.
 */
double
spmk_ets_least_squares(const double *y, int n)
{
	double		logs = 0;
	double		product = 1;

	for (int t = 0; t < n && y[t] > 0; t++)
	{
		product *= y[t];
		if (!(product > 1e-100 && product < 1e100))
		{
			logs += log(product);
			product = 1;
		}
	}
	return n * ROUNDING * exp(2 * (logs + log(product)) / n);
}

/* The form's unknowns in their order; see ets_search.h. */
void
spmk_ets_problem(EtsProblem *problem, SpmEtsForm form, const double *y, int n, int m,
				 double least_squares, bool seasons_are_free, const SpmBreath *breath)
{
	int			count = form.trend == SPM_ETS_LEVEL ? 2 : form.trend == SPM_ETS_TREND ? 4 : 5;

	problem->form = form;
	problem->y = y;
	problem->breath = breath;
	problem->n = n;
	problem->least_squares = form.relative ? n * ROUNDING : least_squares;
	problem->m = form.season == SPM_ETS_NO_SEASON ? 1 : m;
	problem->gamma = form.season == SPM_ETS_NO_SEASON ? 0 : count++;
	problem->first_season = count;
	problem->free_seasons = seasons_are_free ? problem->m - 1 : 0;
	problem->unknowns = count + problem->free_seasons;
	problem->most_beta = problem->most_gamma = 1;
}

/*
 * What each place in the season adds or multiplies, by classical decomposition;
 * 'rest' is the series without.  Every place is seen once at least: n >= 2 * m.
 */
static void
find_season(EtsProblem *problem, double *rest)
{
	const double *y = problem->y;
	int			n = problem->n;
	int			m = problem->m;
	int			half = m / 2;
	bool		is_product = problem->form.season == SPM_ETS_TIMES;
	double	   *season = problem->season;
	int			count[SPM_ETS_FREE_SEASONS] = {0};
	double		mean = 0;

	memset(season, 0, m * sizeof(double));
	for (int t = half; t + half < n; t++)
	{
		double		sum = 0;

		for (int i = t - half; i <= t + half; i++)
			sum += y[i];
		if (m % 2 == 0)
			sum -= (y[t - half] + y[t + half]) / 2;
		season[t % m] += is_product ? y[t] * m / sum : y[t] - sum / m;
		count[t % m]++;
	}
	for (int j = 0; j < m; j++)
	{
		season[j] /= count[j];
		mean += season[j] / m;
	}
	for (int j = 0; j < m; j++)
	{
		season[j] = is_product ? season[j] / mean : season[j] - mean;
		if (is_product && !(season[j] > LEAST_INDEX))
			season[j] = LEAST_INDEX;
	}
	for (int t = 0; t < n; t++)
		rest[t] = is_product ? y[t] / season[t % m] : y[t] - season[t % m];
}

/* First level and growth from the first values of the rest. */
static void
find_line(EtsProblem *problem, const double *rest)
{
	int			n = problem->m > 5 ? 2 * problem->m : 10;
	double		mean = 0;
	double		slope = 0;
	double		squares = 0;

	if (n > problem->n)
		n = problem->n;
	for (int t = 0; t < n; t++)
		mean += rest[t] / n;
	for (int t = 0; t < n; t++)
	{
		double		at = t - 0.5 * (n - 1);

		slope += at * rest[t];
		squares += at * at;
	}
	slope = squares > 0 ? slope / squares : 0;
	problem->w[ETS_LEVEL] = mean;
	if (problem->form.trend == SPM_ETS_LEVEL)
		return;
	problem->w[ETS_GROWTH] = slope;
	problem->w[ETS_LEVEL] = mean - slope * 0.5 * (n + 1);

	/* Errors in proportion want levels above 0. */
	if (problem->form.relative && !(problem->w[ETS_LEVEL] > 0.01 * fabs(mean)))
	{
		problem->w[ETS_LEVEL] = rest[0] > 0 ? rest[0] : mean;
		problem->w[ETS_GROWTH] = 0;
	}
}

/* The unknowns of this form as a kindred one found them; what that one does not have stays. */
static void
adopt(const EtsProblem *kin, const EtsProblem *problem, double *w)
{
	w[ETS_ALPHA] = kin->w[ETS_ALPHA];
	if (problem->gamma && kin->gamma)
		w[problem->gamma] = kin->w[kin->gamma];
	if (problem->form.trend != SPM_ETS_LEVEL && kin->form.trend != SPM_ETS_LEVEL)
		w[ETS_BETA] = kin->w[ETS_BETA];
	if (problem->form.trend == SPM_ETS_DAMPED && kin->form.trend == SPM_ETS_DAMPED)
		w[ETS_PHI] = kin->w[ETS_PHI];
	if (problem->form.season != kin->form.season)
		return;
	w[ETS_LEVEL] = kin->w[ETS_LEVEL];
	if (problem->form.trend != SPM_ETS_LEVEL)
		w[ETS_GROWTH] = kin->form.trend != SPM_ETS_LEVEL ? kin->w[ETS_GROWTH] : 0;
	memcpy(w + problem->first_season, kin->w + kin->first_season, problem->free_seasons * sizeof(double));
}

/*
 * The best of a few points: the decomposition's states with parameters of a
 * grid, and what kindred forms found.  Takes n doubles.
 */
void
spmk_ets_start(EtsProblem *problem, const EtsProblem *const *kin, int nkin, double *space)
{
	static const double alphas[] = {0.2, 0.5, 0.05, 0.85};
	static const double betas[] = {0.02, 0.2};
	static const double gammas[] = {0.03, 0.25};
	double		next[ETS_POINTS][ETS_MOST_UNKNOWNS] = {{0}};
	double		losses[ETS_POINTS];
	double		best[ETS_MOST_UNKNOWNS] = {0};
	int			count = 0;
	double	   *w = problem->w;
	bool		has_trend = problem->form.trend != SPM_ETS_LEVEL;
	int			points = (nkin > 0 ? 1 : 4) * (has_trend ? 2 : 1) * (problem->gamma ? 2 : 1);

	if (problem->gamma)
	{
		find_season(problem, space);
		find_line(problem, space);
		memcpy(w + problem->first_season, problem->season, problem->free_seasons * sizeof(double));
	}
	else
		find_line(problem, problem->y);
	if (problem->form.trend == SPM_ETS_DAMPED)
		w[ETS_PHI] = 0.95;
	problem->loss = HUGE_VAL;
	for (int i = 0; i < points + nkin; i++)
	{
		int			place = i;

		if (i < points)
		{
			if (has_trend)
			{
				w[ETS_BETA] = betas[place % 2];
				place /= 2;
			}
			if (problem->gamma)
			{
				w[problem->gamma] = gammas[place % 2];
				place /= 2;
			}
			w[ETS_ALPHA] = alphas[place];
		}
		memcpy(next[count], w, sizeof(best));
		if (i >= points)
			adopt(kin[i - points], problem, next[count]);
		if (++count < ETS_POINTS && i < points + nkin - 1)
			continue;
		spmk_breathe(problem->breath);
		spmk_ets_losses(problem, next, count, losses);
		for (int k = 0; k < count; k++)
			if (losses[k] < problem->loss)
			{
				problem->loss = losses[k];
				memcpy(best, next[k], sizeof(best));
			}
		count = 0;
	}
	memcpy(w, best, sizeof(best));
}
