/*
 * arima_search.c
 *	  The order of an ARIMA model by itself: tests for the differences, then steps
 *	  from neighbour to neighbour as long as AICc falls (Hyndman and Khandakar, 2008).
 */
#include "arima.h"

#include <math.h>
#include <string.h>

#include "arima_fit.h"

#define MOST_MODELS		94
#define NEAR_MOST		SPMK_ARIMA_AUTO_NEAR
#define FAR_MOST		SPMK_ARIMA_AUTO_FAR
#define FAR_SEASON		24		/* with longer seasons one seasonal term of a kind has to do */
#define ROOT			1.01	/* closer to the unit circle a model is taken for a wrong difference */

/* To compare orders, and for the one that is chosen. */
static const ArimaEffort quick = {1, 1e-3};
static const ArimaEffort polish = {2, 1e-7};

typedef struct Search
{
	ArimaWork	work;
	SpmArimaOrder most;
	SpmArimaFit best;
	bool		may_have_constant;
	int			models;
	bool		seen[NEAR_MOST + 1][NEAR_MOST + 1][FAR_MOST + 1][FAR_MOST + 1][2];
} Search;

/* True: this order is new, allowed, and better than the best so far. */
static bool
is_better(Search *search, int p, int q, int P, int Q, bool has_constant)
{
	SpmArimaFit fit = search->best;
	bool	   *seen;

	if (p < 0 || q < 0 || P < 0 || Q < 0 ||
		p > search->most.p || q > search->most.q || P > search->most.P || Q > search->most.Q ||
		search->models >= MOST_MODELS)
		return false;
	seen = &search->seen[p][q][P][Q][has_constant];
	if (*seen)
		return false;
	*seen = true;
	search->models++;
	fit.order.p = p;
	fit.order.q = q;
	fit.order.P = P;
	fit.order.Q = Q;
	fit.order.has_constant = has_constant;
	if (spmk_arima_longest(&fit.order) > search->work.n)
		return false;
	if (!arima_fit(&search->work, &fit, isfinite(search->best.aicc) ? &search->best : NULL, search->best.aicc, quick))
		return false;
	if (!(fit.aicc < search->best.aicc) || !arima_is_sound(&fit, ROOT, ROOT))
		return false;
	search->best = fit;
	return true;
}

/* A better neighbour of 'at' becomes the best; false: there is none. */
static bool
step(Search *search, SpmArimaOrder at)
{
	static const signed char moves[][4] = {
		{0, 0, -1, 0}, {0, 0, 0, -1}, {0, 0, 1, 0}, {0, 0, 0, 1},
		{0, 0, -1, -1}, {0, 0, -1, 1}, {0, 0, 1, -1}, {0, 0, 1, 1},
		{-1, 0, 0, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0},
		{-1, -1, 0, 0}, {-1, 1, 0, 0}, {1, -1, 0, 0}, {1, 1, 0, 0}
	};

	for (int i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (is_better(search, at.p + moves[i][0], at.q + moves[i][1], at.P + moves[i][2], at.Q + moves[i][3], at.has_constant))
			return true;
	return search->may_have_constant && is_better(search, at.p, at.q, at.P, at.Q, !at.has_constant);
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* The largest order that is tried: what space is for. */
static SpmArimaOrder
most_of(int n, int m)
{
	SpmArimaOrder most = {.m = m};

	most.p = most.q = least(NEAR_MOST, n / 3);
	if (m > 1)
	{
		most.p = most.q = least(most.p, m - 1);
		if (m <= SPMK_ARIMA_AUTO_SEASON)
			most.P = most.Q = least(m > FAR_SEASON ? 1 : FAR_MOST, n / 3 / m);
	}
	return most;
}

size_t
spmk_arima_auto_space(int n, int m)
{
	SpmArimaOrder most = most_of(n, m);
	size_t		search = spmk_arima_space(n, &most);
	size_t		test = spmk_nsdiffs_space(n, m) + n;

	return search > test ? search : test;
}

SpmForecastStatus
spmk_arima_auto(const SpmSeries *series, SpmArimaFit *fit, double *space, const SpmBreath *breath)
{
	Search		search;
	SpmArimaOrder *order = &search.best.order;
	SpmArimaOrder most = most_of(series->n, series->m);
	SpmArimaOrder middle;
	bool		is_constant = true;
	int			p;
	int			P;
	bool		c;

	if (series->n < 3)
		return SPM_FORECAST_SHORT;
	memset(&search, 0, sizeof(search));
	search.most = most;
	order->m = series->m;
	order->D = spmk_nsdiffs(series->y, series->n, series->m, space, breath);
	{
		int			left = spmk_arima_difference(series->y, series->n, order, space);

		order->d = left > 3 ? spmk_ndiffs(space, left, space + series->n) : 0;
	}
	{
		int			left = spmk_arima_difference(series->y, series->n, order, space);

		for (int t = 1; t < left; t++)
			if (space[t] != space[0])
				is_constant = false;
		c = search.may_have_constant = order->d + order->D < 2;
		if (is_constant || left < 4)
		{
			/* nothing is left to be explained but a mean */
			*fit = (SpmArimaFit) {.order = *order};
			fit->order.has_constant = c && (left > 1 || order->d + order->D == 0);
			return spmk_arima_at_mean(series->y, series->n, fit, space);
		}
		arima_work_start(&search.work, space, left, spmk_arima_longest(&most), spmk_arima_terms(&most) + 2,
						 space + series->n, breath);
	}
	search.best.aicc = INFINITY;
	p = series->n < 10 ? 1 : 2;
	P = series->n < 10 ? 0 : 1;
	p = least(p, most.p);
	P = least(P, most.P);

	is_better(&search, 0, 0, 0, 0, c);
	is_better(&search, least(1, most.p), 0, least(1, most.P), 0, c);
	is_better(&search, 0, least(1, most.q), 0, least(1, most.Q), c);
	if (c)
		is_better(&search, 0, 0, 0, 0, false);
	is_better(&search, p, p, P, P, c);
	middle = (SpmArimaOrder) {.p = least(1, most.p), .q = least(1, most.q), .P = least(1, most.P), .Q = least(1, most.Q), .has_constant = c};
	/* What steps from the best miss, those from a model of one term of each kind often find. */
	while (step(&search, search.best.order) || step(&search, middle))
		;
	if (!isfinite(search.best.aicc))
		return SPM_FORECAST_UNFIT;
	*fit = search.best;
	if (arima_fit(&search.work, &search.best, fit, INFINITY, polish) && search.best.aicc < fit->aicc && arima_is_sound(&search.best, ROOT, ROOT))
		*fit = search.best;
	return SPM_FORECAST_OK;
}

size_t
spmk_arima_method_space(int n, int m, int h)
{
	SpmArimaOrder most = most_of(n, m);
	size_t		search = spmk_arima_auto_space(n, m);
	size_t		outlook = spmk_arima_outlook_space(n, &most, h);

	return search > outlook ? search : outlook;
}

SpmForecastStatus
spmk_arima(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmArimaFit fit;
	SpmForecastStatus status = spmk_arima_auto(series, &fit, space, breath);

	if (status != SPM_FORECAST_OK)
		return status;
	return spmk_arima_outlook(series->y, series->n, &fit, outlook, space, breath);
}
