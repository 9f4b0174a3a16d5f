/*
 * ces.c
 *	  Complex exponential smoothing.
 *
 * With y = f + e, f = level before, and weights a0 + i a1:
 *	  level' = level - (1 - a1) potential + (a0 - a1) e
 *	  potential' = level + (1 - a0) potential + (a0 + a1) e
 * A season is partial (plus a seasonal term of its own, s' = s + b e) or full (plus
 * a complex one).  The simple one of the paper, where states of a season ago take
 * the place of all others, forecasts worse than none and isn't here.
 *
 * States before the first value are backcast: forward, back, forward again.  All
 * passes carry the derivatives of the states by the weights along, so that a few
 * steps of Levenberg and Marquardt find the least squares; states are never kept.
 */
#include "ces.h"

#include <stdio.h>
#include <string.h>

#define WEIGHTS		4			/* at most: a0, a1, b0, b1 */
#define STEPS		25			/* of the search, at most; most need 6 to 10 */
#define CLOSE		1e-5		/* a step that gains less, relatively, is the last */
#define DEPARTURE		.05		/* of a1 from 1: its standard deviation, before any value is seen */
#define LEAST			.01		/* weight */
#define MEMORY		60			/* values of the beginning that are walked to and fro, or ... */
#define CYCLES		8			/* ... seasons, if that is more */
#define BREATH		20000
#define LEAST_REACH	12			/* periods for which a trend may grow by itself */
#define MOST_REACH	100

typedef enum Form
{
	PLAIN, PARTIAL, FULL
} Form;

static const char *const form_names[] = {"CES(N)", "CES(P)", "CES(F)"};
static const int form_weights[] = {2, 3, 4};

/* Derivatives by two weights, which are reckoned with at once; lanes never meet, so digits do not depend on it. */
typedef double Pair __attribute__((vector_size(16), aligned(8), may_alias));

#define PAIRS		(WEIGHTS / 2)

/* A complex state and its derivatives. */
typedef struct State
{
	double		level;
	double		potential;
	Pair		d_level[PAIRS];
	Pair		d_potential[PAIRS];
} State;

typedef struct Fit
{
	Form		form;
	double		w[WEIGHTS];
	double		squares;
	double		gradient[WEIGHTS];
	double		curve[WEIGHTS][WEIGHTS];
	double		criterion;
} Fit;

typedef struct Work
{
	const double *y;			/* of mean size 1 */
	int			n;
	int			m;
	State	   *start;			/* m: seasonal states to begin with */
	State	   *season;			/* m */
	State		level_start;
	State		level;
	double	   *fitted;
} Work;

static inline __attribute__((always_inline)) void
move(State *state, const int pairs, const int own, const double *a, double e, const Pair *d_e)
{
	double		a0 = a[0];
	double		a1 = a[1];
	double		level = state->level - (1 - a1) * state->potential + (a0 - a1) * e;
	double		potential = state->level + (1 - a0) * state->potential + (a0 + a1) * e;
	const Pair	to_level = {e, state->potential - e};
	const Pair	to_potential = {e - state->potential, e};

	for (int k = 0; k < pairs; k++)
	{
		Pair		d_level = state->d_level[k] - (1 - a1) * state->d_potential[k] + (a0 - a1) * d_e[k];
		Pair		d_potential = state->d_level[k] + (1 - a0) * state->d_potential[k] + (a0 + a1) * d_e[k];

		state->d_level[k] = d_level;
		state->d_potential[k] = d_potential;
	}
	state->d_level[own] += to_level;
	state->d_potential[own] += to_potential;
	state->level = level;
	state->potential = potential;
}

/* From value 'from' to before 'to', in either direction; counts errors if asked. */
static inline __attribute__((always_inline)) void
walk(const Form form, Fit *fit, Work *work, int from, int to, const bool count)
{
	const int	pairs = form == PLAIN ? 1 : 2;
	const double w[WEIGHTS] = {fit->w[0], fit->w[1], fit->w[2], fit->w[3]};
	const double *y = work->y;
	double	   *fitted = work->fitted;
	int			m = work->m;
	int			way = from < to ? 1 : -1;
	int			phase = form == PLAIN ? 0 : from % m;
	State		level = work->level;
	double		squares = 0;
	Pair		gradient[PAIRS] = {{0}};
	Pair		curve[WEIGHTS][PAIRS] = {{{0}}};

	for (int t = from; t != to; t += way)
	{
		State	   *season = &work->season[phase];
		double		f = form == PLAIN ? level.level : level.level + season->level;
		double		e = y[t] - f;
		Pair		d_e[PAIRS];

		for (int k = 0; k < pairs; k++)
		{
			d_e[k] = -level.d_level[k];
			if (form != PLAIN)
				d_e[k] -= season->d_level[k];
		}
		if (count)
		{
			squares += e * e;
			for (int k = 0; k < pairs; k++)
			{
				gradient[k] += d_e[k] * e;
				for (int i = 0; i < 2 * (k + 1); i++)
					curve[i][k] += d_e[k] * d_e[i / 2][i % 2];
			}
			if (fitted)
				fitted[t] = f;
		}
		move(&level, pairs, 0, w, e, d_e);
		if (form == FULL)
			move(season, pairs, 1, w + 2, e, d_e);
		if (form == PARTIAL)
		{
			const Pair	to_season = {e, 0};

			season->level += w[2] * e;
			for (int k = 0; k < pairs; k++)
				season->d_level[k] += w[2] * d_e[k];
			season->d_level[1] += to_season;
		}
		if (form != PLAIN)
		{
			phase += way;
			phase = phase == m ? 0 : phase < 0 ? m - 1 : phase;
		}
	}
	work->level = level;
	if (!count)
		return;
	fit->squares += squares;
	for (int k = 0; k < 2 * pairs; k++)
	{
		fit->gradient[k] += gradient[k / 2][k % 2];
		for (int i = 0; i <= k; i++)
			fit->curve[k][i] += curve[i][k / 2][k % 2];
	}
}

static void
pass(Fit *fit, Work *work, int from, int to)
{
	switch (fit->form)
	{
		case PLAIN:
			walk(PLAIN, fit, work, from, to, false);
			break;
		case PARTIAL:
			walk(PARTIAL, fit, work, from, to, false);
			break;
		case FULL:
			walk(FULL, fit, work, from, to, false);
			break;
	}
}

static void
pass_and_count(Fit *fit, Work *work, int from, int to)
{
	switch (fit->form)
	{
		case PLAIN:
			walk(PLAIN, fit, work, from, to, true);
			break;
		case PARTIAL:
			walk(PARTIAL, fit, work, from, to, true);
			break;
		case FULL:
			walk(FULL, fit, work, from, to, true);
			break;
	}
}

static void
measure(Fit *fit, Work *work, const SpmBreath *breath)
{
	int			memory = CYCLES * work->m > MEMORY ? CYCLES * work->m : MEMORY;
	int			back = memory < work->n ? memory : work->n;

	fit->squares = 0;
	memset(fit->gradient, 0, sizeof(fit->gradient));
	memset(fit->curve, 0, sizeof(fit->curve));
	work->level = work->level_start;
	if (fit->form != PLAIN)
		memcpy(work->season, work->start, work->m * sizeof(State));
	pass(fit, work, 0, back);
	pass(fit, work, back - 1, -1);
	for (int from = 0; from < work->n; from += BREATH)
	{
		pass_and_count(fit, work, from, work->n - from < BREATH ? work->n : from + BREATH);
		if (work->n > BREATH)
			spmk_breathe(breath);
	}
}

/* The errors of a filter die out when its roots are within the unit circle. */
static bool
is_stable(double a0, double a1)
{
	double		trace = 2 - 2 * a0 + a1;
	double		det = (1 - a0 + a1) * (1 - a0) + (1 - a1) * (1 - a0 - a1);

	return fabs(det) < 1 && fabs(trace) < 1 + det;
}

static bool
may_be(const Fit *fit)
{
	if (!is_stable(fit->w[0], fit->w[1]))
		return false;
	return fit->form != FULL || is_stable(fit->w[2], fit->w[3]);
}

/* Solves the small symmetric system by elimination; curve's lower half is given. */
static bool
solve(int n, const double curve[WEIGHTS][WEIGHTS], double damping, const double *right, double *x)
{
	double		a[WEIGHTS][WEIGHTS + 1];

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < n; j++)
			a[i][j] = i >= j ? curve[i][j] : curve[j][i];
		a[i][i] += damping * curve[i][i] + 1e-12;
		a[i][n] = right[i];
	}
	for (int i = 0; i < n; i++)
	{
		if (!(fabs(a[i][i]) > 1e-300))
			return false;
		for (int r = i + 1; r < n; r++)
		{
			double		times = a[r][i] / a[i][i];

			for (int j = i; j <= n; j++)
				a[r][j] -= times * a[i][j];
		}
	}
	for (int i = n - 1; i >= 0; i--)
	{
		x[i] = a[i][n];
		for (int j = i + 1; j < n; j++)
			x[i] -= a[i][j] * x[j];
		x[i] /= a[i][i];
	}
	return true;
}

static double
clip(double x, double least, double most)
{
	return x < least ? least : x > most ? most : x;
}

/*
 * Beyond 1 the second weight makes trends explode, below it they die: with few
 * values least squares will believe either, so departures from 1 have a price, as
 * if they were drawn from a normal distribution.
 */
static double
price(const Fit *fit, int n)
{
	double		sum = n * log(fit->squares);

	for (int k = 1; k < form_weights[fit->form]; k += 2)
		sum += (fit->w[k] - 1) * (fit->w[k] - 1) / (DEPARTURE * DEPARTURE);
	return sum;
}

static void
search(Fit *fit, Work *work, const SpmBreath *breath)
{
	int			weights = form_weights[fit->form];
	double		damping = .01;
	int64_t		count = 0;

	measure(fit, work, breath);
	for (int step = 0; step < STEPS && fit->squares > 0; step++)
	{
		Fit			now = *fit;
		Fit			next = *fit;
		double		by[WEIGHTS];
		double		gain = -1;

		for (int k = 1; k < weights; k += 2)
		{
			double		stiff = fit->squares / work->n / (DEPARTURE * DEPARTURE);

			now.gradient[k] += stiff * (fit->w[k] - 1);
			now.curve[k][k] += stiff;
		}
		if (!solve(weights, now.curve, damping, now.gradient, by))
			break;
		for (int k = 0; k < weights; k++)
			next.w[k] = clip(fit->w[k] - by[k], LEAST, fit->form == PARTIAL && k == 2 ? 1 : k % 2 ? 1.9 : 1.8);
		if (may_be(&next))
		{
			measure(&next, work, breath);
			gain = (price(fit, work->n) - price(&next, work->n)) / work->n;
		}
		if (gain > 0)
		{
			*fit = next;
			damping *= .1;
		}
		else
			damping *= 8;
		if ((gain > 0 && gain < CLOSE) || damping > 1e6)
			break;
		if ((count += work->n) > BREATH)
		{
			count = 0;
			spmk_breathe(breath);
		}
	}
}

/* Averages by phase of what is above a centred mean over a season; sum 0. */
static void
additive_season(const double *y, int n, int m, State *season)
{
	int			half = m / 2;
	double		sum = 0;
	double		mean = 0;

	memset(season, 0, m * sizeof(State));
	for (int t = 0; t < m; t++)
		sum += y[t];
	for (int t = half; t + half < n; t++)
	{
		double		around = sum;

		/* An even season has no middle: half of the values at both ends. */
		if (m % 2 == 0)
			around += (y[t + half] - y[t - half]) / 2;
		season[t % m].level += y[t] - around / m;
		season[t % m].potential += 1;
		if (t - half + m < n)
			sum += y[t - half + m] - y[t - half];
	}
	for (int j = 0; j < m; j++)
	{
		season[j].level /= fmax(season[j].potential, 1);
		season[j].potential = 0;
		mean += season[j].level / m;
	}
	for (int j = 0; j < m; j++)
		season[j].level -= mean;
}

static void
start(Form form, Work *work)
{
	int			first = work->m > 10 ? work->m : 10;
	double		mean = 0;

	if (first > work->n)
		first = work->n;
	for (int t = 0; t < first; t++)
		mean += work->y[t] / first;
	work->level_start = (State) {.level = mean, .potential = mean / 1.1};
	if (form == PLAIN)
		return;
	additive_season(work->y, work->n, work->m, work->start);
	for (int j = 0; j < work->m && form == FULL; j++)
		work->start[j].potential = work->start[j].level / 1.1;
}

/* Seasonal states count as in other models of exponential smoothing, once: the search has not seen them, they are backcast. */
static double
aicc(const Fit *fit, int n, int m)
{
	int			k = form_weights[fit->form] + 1 + (fit->form == PLAIN ? 2 : m + 1);

	if (n - k - 1 <= 0)
		return INFINITY;
	return n * log(fit->squares / n) + 2 * k + 2. * k * (k + 1) / (n - k - 1);
}

/*
 * Trends that grow by themselves are believed for half as long as the series is; then
 * the second weight is 1, and they rest.
 */
static Fit
at_rest(const Fit *fit)
{
	Fit			rest = *fit;

	for (int k = 1; k < form_weights[fit->form]; k += 2)
		rest.w[k] = fmin(rest.w[k], 1);
	return rest;
}

/* One period without news. */
static double
step_ahead(const Fit *fit, State *level, State *season)
{
	double		f = fit->form == PLAIN ? level->level : level->level + season->level;
	double		old = level->level;

	level->level = old - (1 - fit->w[1]) * level->potential;
	level->potential = old + (1 - fit->w[0]) * level->potential;
	if (fit->form == FULL)
	{
		old = season->level;
		season->level = old - (1 - fit->w[3]) * season->potential;
		season->potential = old + (1 - fit->w[2]) * season->potential;
	}
	return f;
}

/* The variance so many steps ahead is that of what errors leave behind, by running one through empty states. */
static void
look_ahead(const Fit *fit, Work *work, double scale, SpmOutlook *outlook)
{
	int			m = fit->form == PLAIN ? 1 : work->m;
	int			freedom = work->n - form_weights[fit->form] - 1;
	double		variance = fit->squares / (freedom > 1 ? freedom : 1) * scale * scale;
	double		sum = 1;
	State		level = work->level;
	Fit			rest = at_rest(fit);
	int			reach = fmin(fmax(work->n / 2, LEAST_REACH), MOST_REACH);

	for (int i = 0; i < outlook->h; i++)
		outlook->mean[i] = scale * step_ahead(i < reach ? fit : &rest, &level, &work->season[(work->n + i) % m]);

	level = (State) {.level = fit->w[0] - fit->w[1], .potential = fit->w[0] + fit->w[1]};
	memset(work->season, 0, m * sizeof(State));
	if (fit->form == FULL)
		work->season[m - 1] = (State) {.level = fit->w[2] - fit->w[3], .potential = fit->w[2] + fit->w[3]};
	if (fit->form == PARTIAL)
		work->season[m - 1] = (State) {.level = fit->w[2]};
	for (int i = 0; i < outlook->h; i++)
	{
		double		left;

		outlook->variance[i] = variance * sum;
		left = step_ahead(i < reach ? fit : &rest, &level, &work->season[i % m]);
		sum += left * left;
	}
}

size_t
spmk_ces_space(int n, int m, int h)
{
	return (size_t) n + 2 * (size_t) m * (sizeof(State) / sizeof(double));
}

SpmForecastStatus
spmk_ces(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	int			n = series->n;
	int			m = series->m;
	double	   *y = space;
	Work		work = {.y = y, .n = n, .m = m, .start = (State *) (space + n)};
	Fit			best = {.criterion = INFINITY};
	double		scale = 0;
	bool		any = false;

	work.season = work.start + m;
	if (n < 4)
		return SPM_FORECAST_SHORT;
	for (int t = 0; t < n; t++)
		scale += fabs(series->y[t]) / n;
	for (int t = 0; t < n; t++)
		y[t] = scale > 0 ? series->y[t] / scale : 0;

	for (Form form = PLAIN; form <= FULL; form++)
	{
		Fit			fit = {.form = form, .w = {1.3, 1, form == PARTIAL ? .1 : 1.3, 1}};

		if (form != PLAIN && (m < 2 || n < 2 * m + 2))
			break;
		start(form, &work);
		search(&fit, &work, breath);
		fit.criterion = aicc(&fit, n, m);
		if (!any || fit.criterion < best.criterion)
			best = fit;
		any = true;
	}
	start(best.form, &work);
	work.fitted = outlook->fitted;
	measure(&best, &work, breath);
	for (int t = 0; outlook->fitted && t < n; t++)
		outlook->fitted[t] *= scale;
	look_ahead(&best, &work, scale, outlook);
	for (int i = 0; i < outlook->h; i++)
		if (!isfinite(outlook->mean[i]) || !isfinite(outlook->variance[i]))
			return SPM_FORECAST_UNFIT;
	snprintf(outlook->name, sizeof(outlook->name), "%s", form_names[best.form]);
	return SPM_FORECAST_OK;
}
