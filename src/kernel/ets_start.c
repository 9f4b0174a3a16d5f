/*
 * ets_start.c
 *	  Where the search for a model begins: a season by moving averages, a line
 *	  through what is left, and the best of a few parameters.
 */
#include "ets_search.h"

#include <string.h>

#define LEAST_INDEX		0.01

/* The form's unknowns in their order; see ets_search.h. */
void
spmk_ets_problem(EtsProblem *problem, SpmEtsForm form, const double *y, int n, int m, bool seasons_are_free)
{
	int			count = form.trend == SPM_ETS_LEVEL ? 2 : form.trend == SPM_ETS_TREND ? 4 : 5;

	problem->form = form;
	problem->y = y;
	problem->n = n;
	problem->m = form.season == SPM_ETS_NO_SEASON ? 1 : m;
	problem->gamma = form.season == SPM_ETS_NO_SEASON ? 0 : count++;
	problem->first_season = count;
	problem->free_seasons = seasons_are_free ? problem->m - 1 : 0;
	problem->unknowns = count + problem->free_seasons;
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

/* Takes n doubles. */
void
spmk_ets_start(EtsProblem *problem, double *space)
{
	static const double alphas[] = {0.05, 0.2, 0.5, 0.85};
	static const double betas[] = {0.02, 0.2};
	static const double gammas[] = {0.03, 0.25};
	double		best[ETS_MOST_UNKNOWNS];
	double		least = HUGE_VAL;
	double	   *w = problem->w;
	bool		has_trend = problem->form.trend != SPM_ETS_LEVEL;

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
	w[ETS_ALPHA] = alphas[1];
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < (has_trend ? 2 : 1); k++)
			for (int g = 0; g < (problem->gamma ? 2 : 1); g++)
			{
				double		loss;

				w[ETS_ALPHA] = alphas[i];
				if (has_trend)
					w[ETS_BETA] = betas[k];
				if (problem->gamma)
					w[problem->gamma] = gammas[g];
				loss = spmk_ets_loss(problem, w);
				if (loss < least || (i | k | g) == 0)
				{
					least = loss;
					memcpy(best, w, sizeof(best));
				}
			}
	memcpy(w, best, sizeof(best));
}
