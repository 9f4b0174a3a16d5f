/*
 * ets_fit.c
 *	  The parameters and first states that make a series most likely: scoring
 *	  with steps held back (Levenberg-Marquardt) in all unknowns at once.
 *
 * The usual region holds as bounds: each unknown of ets_search.h ranges by
 * itself, so a step that leaves it is solved again with what is at its bound.
 */
#include "ets_search.h"

#include <string.h>

#define MOST_STEPS		60
#define FORESEEN		0.3		/* of the tolerance: how near a gain comes to what was promised where slopes tell all */
#define MOST_WEIGHT		0.9999
#define LEAST_PHI		0.8
#define MOST_PHI		0.98

static bool
bounds(const EtsProblem *problem, int i, double *low, double *high)
{
	*low = -HUGE_VAL;
	*high = HUGE_VAL;
	if (i == ETS_PHI && problem->form.trend == SPM_ETS_DAMPED)
	{
		*low = LEAST_PHI;
		*high = MOST_PHI;
	}
	else if (i == ETS_ALPHA || (i == ETS_BETA && problem->form.trend != SPM_ETS_LEVEL) ||
			 (problem->gamma && i == problem->gamma))
	{
		*low = ETS_LEAST_WEIGHT;
		*high = i == ETS_ALPHA ? MOST_WEIGHT : i == ETS_BETA && i != problem->gamma ? problem->most_beta : problem->most_gamma;
	}
	else
		return false;
	return true;
}

/*
 * Solves (h + damping * diagonal) * step = -slope for those that are free; the
 * others' steps are given.  A direction that h says nothing of stays where it is.
 */
static void
solve(const double *h, const double *slope, int n, double damping, const bool *is_free, double *step)
{
	double		factor[ETS_MOST_UNKNOWNS][ETS_MOST_UNKNOWNS];	/* unit lower triangle ... */
	double		scaled[ETS_MOST_UNKNOWNS];	/* ... and its row times the diagonal */
	double		inverse[ETS_MOST_UNKNOWNS];
	int			who[ETS_MOST_UNKNOWNS];
	double		x[ETS_MOST_UNKNOWNS];
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (is_free[i])
			who[count++] = i;
	for (int i = 0; i < count; i++)
	{
		const double *row = h + who[i] * n;

		x[i] = -slope[who[i]];
		for (int k = 0; k < n; k++)
			if (!is_free[k])
				x[i] -= row[k] * step[k];
	}
	for (int i = 0; i < count; i++)
	{
		const double *row = h + who[i] * n;
		double		pivot = row[who[i]] * (1 + damping);
		double		sum = pivot;

		for (int k = 0; k < i; k++)
		{
			double		dot = row[who[k]];

			for (int c = 0; c < k; c++)
				dot -= scaled[c] * factor[k][c];
			scaled[k] = dot;
			factor[i][k] = dot * inverse[k];
			sum -= dot * factor[i][k];
			x[i] -= factor[i][k] * x[k];
		}
		inverse[i] = sum > 1e-11 * pivot ? 1 / sum : 0;
	}
	for (int i = 0; i < count; i++)
		x[i] *= inverse[i];
	for (int i = count - 1; i >= 0; i--)
	{
		for (int k = 0; k < i; k++)
			x[k] -= factor[i][k] * x[i];
		step[who[i]] = x[i];
	}
}

/* What a step should take off the loss. */
static double
gain_of(const double *h, const double *slope, int n, const double *step)
{
	double		gain = 0;

	for (int i = 0; i < n; i++)
	{
		double		curve = 0;

		for (int k = 0; k < n; k++)
			curve += h[i * n + k] * step[k];
		gain -= step[i] * (slope[i] + 0.5 * curve);
	}
	return gain;
}

/*
 * The step within bounds; gives what it should take off the loss.  'hope' is
 * what it would if bounds ended just where unknowns are.
 */
static double
find_step(const EtsProblem *problem, const double *w, const double *h, const double *slope, double damping,
		  double *step, double *hope)
{
	int			n = problem->unknowns;
	bool		is_free[ETS_MOST_UNKNOWNS];
	bool		is_within = true;

	for (int i = 0; i < n; i++)
	{
		double		low;
		double		high;

		is_free[i] = !bounds(problem, i, &low, &high) ||
			!((w[i] <= low && slope[i] > 0) || (w[i] >= high && slope[i] < 0));
		step[i] = 0;
	}
	solve(h, slope, n, damping, is_free, step);
	*hope = gain_of(h, slope, n, step);
	for (;;)
	{
		double		worst = 0;
		double		at = 0;
		int			who = -1;

		/* The one that goes the farthest beyond its bound stops there; the others are solved anew. */
		for (int i = 0; i < problem->first_season; i++)
		{
			double		low;
			double		high;
			double		over;

			if (!is_free[i] || !bounds(problem, i, &low, &high))
				continue;
			over = fmax(low - (w[i] + step[i]), w[i] + step[i] - high) / (high - low);
			if (over > worst)
			{
				worst = over;
				at = w[i] + step[i] < low ? low : high;
				who = i;
			}
		}
		if (who < 0)
			return is_within ? *hope : gain_of(h, slope, n, step);
		is_within = false;
		step[who] = at - w[who];
		is_free[who] = false;
		solve(h, slope, n, damping, is_free, step);
	}
}

/*
 * Improves problem->w until a step promises less than 'tolerance', or what is
 * promised does not bring the loss near 'limit'.  Gives the loss; problem->floor
 * is what it could hardly be brought below.
 */
double
spmk_ets_search(EtsProblem *problem, double tolerance, double limit)
{
	EtsSlopes	slopes;
	double		h[ETS_MOST_UNKNOWNS * ETS_MOST_UNKNOWNS];
	double		slope[ETS_MOST_UNKNOWNS];
	double		step[ETS_MOST_UNKNOWNS];
	double		next[ETS_MOST_UNKNOWNS];
	double	   *w = problem->w;
	int			n = problem->unknowns;
	double		damping = 1e-3;
	double		least = problem->loss;
	double		before = HUGE_VAL;
	bool		is_foreseen = false;

	problem->floor = -HUGE_VAL;
	if (!(least < HUGE_VAL))
		return least;
	/* A step that gained little, or just what it promised, is the last but for what the next one would gain: less. */
	for (int turn = 0; turn < MOST_STEPS && before - least > tolerance && !is_foreseen; turn++)
	{
		double		ratio;
		double		hope = 0;
		bool		is_better = false;

		spmk_breathe(problem->breath);
		spmk_ets_slopes(problem, w, &slopes);
		ratio = problem->n / slopes.squares;
		if (!isfinite(ratio))
			break;				/* it fits exactly */
		for (int i = 0; i < n; i++)
		{
			const double *row = slopes.gram + i * slopes.stride;
			double		scale = problem->form.relative ? 2 * (ratio + 2) : 2 * ratio;

			for (int k = i; k < n; k++)
				h[i * n + k] = h[k * n + i] = scale * row[k];
			slope[i] = -2 * ratio * row[slopes.residual] + (problem->form.relative ? 2 * slopes.ones[i] : 0);
		}
		for (int attempt = 0; attempt < 8 && !is_better; attempt++)
		{
			double		loss = HUGE_VAL;
			double		gain = find_step(problem, w, h, slope, damping, step, attempt == 0 ? &hope : &loss);

			problem->floor = least - 4 * hope - 1;
			if (!(hope > tolerance))
				break;
			for (int i = 0; i < n; i++)
			{
				double		low;
				double		high;

				next[i] = w[i] + step[i];
				if (i < problem->first_season && bounds(problem, i, &low, &high))
					next[i] = next[i] < low ? low : next[i] > high ? high : next[i];
			}
			loss = gain > 0 ? spmk_ets_loss(problem, next) : HUGE_VAL;
			is_better = loss < least;
			if (is_better)
			{
				is_foreseen = fabs(least - loss - gain) < FORESEEN * tolerance;
				before = least;
				damping *= least - loss > 0.5 * gain ? 0.1 : 2;
				memcpy(w, next, n * sizeof(double));
				least = loss;
			}
			else
				damping = damping < 1e-3 ? 1e-2 : damping * 10;
		}
		if (!is_better || problem->floor > limit)
			break;
	}
	problem->loss = least;
	return least;
}
