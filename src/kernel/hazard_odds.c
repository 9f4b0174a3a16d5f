/*
 * hazard_odds.c
 *	  What becomes of a deal: day by day to the horizon, through stages that it will
 *	  still move to (semi-Markov).
 */
#include "hazard_work.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define GRID			12.0		/* steps of a factor e in which futures are shared */

static inline double
survive_day(double x)
{
	double		square = x * x / 12;

	return (1 - x / 2 + square) / (1 + x / 2 + square);
}

/* exp(-x), x >= 0: good to 1e-4 where it matters, and the same on every machine */
static inline double
survive(double x)
{
	double		y;

	if (x > 1)
	{
		y = survive_day(x / 8);
		y *= y;
		y *= y;
		return y * y;
	}
	return survive_day(x);
}

/*
 * What becomes of a spell of stage s that was open at age 'age' at the end of day
 * 'from' (days from as_of), by the horizon; won and lost of deals that enter stage k
 * on day d are futures[(k * (horizon + 1) + d) * 2 ...]; close[d]: how much faster by the close date.
 */
static void
follow(const SpmHazard *h, int s, int64_t age, int from, int horizon, const double times[SPMK_WAYS], const double (*calendar)[2][SPMK_WAYS],
	   const double (*close)[SPMK_WAYS], const double *futures, double *won, double *lost)
{
	double		alive = 1;

	*won = *lost = 0;
	for (int d = from + 1; d <= horizon; d++)
	{
		int			a = age + d - from > SPMK_AGE_MAX ? SPMK_AGE_MAX : (int) (age + d - from);
		double		lose = RATE(h, s, SPM_SPELL_LOST, a) * times[0] * calendar[d][a > h->ripe][0] * close[d][0];
		double		win = RATE(h, s, SPM_SPELL_WON, a) * times[1] * calendar[d][a > h->ripe][1] * close[d][1];
		double		later_won = 0;
		double		later_lost = 0;
		double		moves = times[2] * calendar[d][a > h->ripe][2] * close[d][2];
		double		sum = lose + win;
		double		ends;

		for (int i = 0; i < h->ntargets[s]; i++)
		{
			int			k = h->targets[s][i];
			double		move = RATE(h, s, SPM_SPELL_MOVED + k, a) * moves;
			const double *then = futures + ((size_t) k * (horizon + 1) + d) * 2;

			sum += move;
			later_won += move * then[1];
			later_lost += move * then[0];
		}
		if (sum <= 0)
			continue;
		ends = 1 - survive(sum * SPEED(h, s, a));
		*won += alive * ends / sum * (win + later_won);
		*lost += alive * ends / sum * (lose + later_lost);
		alive *= 1 - ends;
	}
}

typedef struct Futures
{
	int			step[SPMK_WAYS];	/* of the factors, on a grid */
	int			close;			/* week of the close date; or one of these */
	int			item;
} Futures;

#define CLOSE_UNTOLD	(-1)	/* a deal to come, or close dates tell nothing */
#define CLOSE_NONE		(-2)
#define CLOSE_OVERDUE	(-3)
#define CLOSE_LONG_OVERDUE	(-4)

static int
compare_futures(const void *a, const void *b)
{
	const Futures *x = a;
	const Futures *y = b;

	for (int e = 0; e < SPMK_WAYS; e++)
		if (x->step[e] != y->step[e])
			return x->step[e] < y->step[e] ? -1 : 1;
	if (x->close != y->close)
		return x->close < y->close ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static bool
same_futures(const Futures *x, const Futures *y)
{
	return memcmp(x->step, y->step, sizeof(x->step)) == 0 && x->close == y->close;
}

/* Deals whose close dates are in one week have the same futures in the stages that they will move to. */
static int
close_class(const SpmHazard *h, int date, int horizon)
{
	int64_t		ahead = (int64_t) date - h->as_of;

	if (date == INT_MAX)
		return CLOSE_NONE;
	if (ahead < 0)
		return ahead >= -SPMK_OVERDUE ? CLOSE_OVERDUE : CLOSE_LONG_OVERDUE;
	return (int) ((ahead < horizon + 70 ? ahead : horizon + 70) / 7);
}

/* What the close date makes of each day ahead. */
static void
close_times(const SpmHazard *h, SpmCloseView view, int horizon, double (*close)[SPMK_WAYS])
{
	for (int d = 0; d <= horizon; d++)
	{
		int			level = spmk_close_level(view, h->as_of + d);

		for (int e = 0; e < SPMK_WAYS; e++)
			close[d][e] = h->close.times[e][level];
	}
}

/* The same of a date that stands for a class. */
static void
close_times_of_class(const SpmHazard *h, int class, int horizon, double (*close)[SPMK_WAYS])
{
	SpmCloseView view = {h->as_of, INT_MAX};

	if (class == CLOSE_OVERDUE)
		view.date = h->as_of - 1;
	else if (class == CLOSE_LONG_OVERDUE)
		view.date = h->as_of - SPMK_OVERDUE - 1;
	else if (class >= 0)
		view.date = h->as_of + class * 7 + 3;
	if (class != CLOSE_UNTOLD)
		close_times(h, view, horizon, close);
	for (int d = 0; d <= horizon && class == CLOSE_UNTOLD; d++)
		for (int e = 0; e < SPMK_WAYS; e++)
			close[d][e] = 1;
}

size_t
spmk_hazard_space(const SpmPipeline *p, int horizon)
{
	return sizeof(double) * ((size_t) horizon + 1) * (2 * p->nstages + 4 * SPMK_WAYS) + (sizeof(Futures) + sizeof(int)) * 2 * (size_t) p->n;
}

/* Won and lost of whoever enters each stage on each day. */
static void
make_futures(const SpmHazard *h, const Futures *of, int horizon, const double (*calendar)[2][SPMK_WAYS], const double (*close)[SPMK_WAYS],
			 double *futures, const SpmBreath *breath)
{
	double		times[SPMK_WAYS];

	for (int e = 0; e < SPMK_WAYS; e++)
		times[e] = exp(of->step[e] / GRID);
	for (int d = horizon; d >= 0; d--)
	{
		spmk_breathe(breath);
		for (int k = 0; k < h->nstages; k++)
		{
			double	   *then = futures + ((size_t) k * (horizon + 1) + d) * 2;

			follow(h, k, 0, d, horizon, times, calendar, close, futures, &then[1], &then[0]);
		}
	}
}

/*
 * The open deals with their odds, then one item for each deal that was created within
 * the last 'window' days: deals to come are taken to be like those, 'arrivals' a day of
 * them in all.  There is room for two items a spell.  Returns how many there are.
 */
int
spmk_hazard_items(const SpmHazard *h, const SpmPipeline *p, int horizon, double arrivals, int window,
				  SpmChanceItem *items, void *memory, const SpmBreath *breath)
{
	double		(*calendar)[2][SPMK_WAYS] = memory;
	double		(*close)[SPMK_WAYS] = (double (*)[SPMK_WAYS]) (calendar + horizon + 1);
	double		(*close_later)[SPMK_WAYS] = close + horizon + 1;
	double	   *futures = (double *) (close_later + horizon + 1);
	Futures    *order = (Futures *) (futures + 2 * ((size_t) horizon + 1) * p->nstages);
	int		   *dates = (int *) (order + 2 * (size_t) p->n);
	int			n = 0;
	int			nopen;
	int			nnew;
	int			next = 0;
	int			made = -1;		/* place in the order whose futures there are */

	for (int d = 0; d <= horizon; d++)
		for (int e = 0; e < SPMK_WAYS; e++)
			for (int r = 0; r < 2; r++)
				calendar[d][r][e] = h->calendar[e][r][spmk_day_kind(h->as_of + d)];
	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];

		if (s->entered <= h->as_of && (s->event == SPM_SPELL_OPEN || s->left > h->as_of))
		{
			dates[n] = spmk_close_known(p, s->deal, h->as_of, &next);
			items[n++] = (SpmChanceItem) {.spell = i};
		}
	}
	nopen = n;
	for (int i = 0; i < p->n && arrivals > 0; i++)
	{
		const SpmSpell *s = &p->spells[i];

		if ((i == 0 || s->deal != s[-1].deal) && s->entered <= h->as_of && s->entered > h->as_of - window)
			items[n++] = (SpmChanceItem) {.spell = i, .is_new = true};
	}
	nnew = n - nopen;
	for (int i = 0; i < n; i++)
	{
		double		times[SPMK_WAYS];

		spmk_hazard_times(h, &p->spells[items[i].spell], times);
		if (!items[i].is_new)
			times[1] *= h->drift;
		order[i].item = i;
		order[i].close = items[i].is_new || !h->has_close ? CLOSE_UNTOLD : close_class(h, dates[i], horizon);
		for (int e = 0; e < SPMK_WAYS; e++)
			order[i].step[e] = (int) floor(log(times[e]) * GRID + .5);
	}
	qsort(order, n, sizeof(Futures), compare_futures);
	for (int i = 0; i < n; i++)
	{
		SpmChanceItem *item = &items[order[i].item];
		const SpmSpell *s = &p->spells[item->spell];
		double		times[SPMK_WAYS];

		if (i == 0 || order[i].close != order[i - 1].close)
			close_times_of_class(h, order[i].close, horizon, close_later);
		/* of a stage that nothing moves from there is no later one */
		if ((item->is_new || h->ntargets[s->stage] > 0) && (made < 0 || !same_futures(&order[made], &order[i])))
		{
			make_futures(h, &order[i], horizon, (const double (*)[2][SPMK_WAYS]) calendar, (const double (*)[SPMK_WAYS]) close_later, futures, breath);
			made = i;
		}
		item->amount = (s->amount >= 0 ? s->amount : h->usual_amount) * h->ratio;
		if (item->is_new)
		{
			for (int d = 1; d <= horizon; d++)
				item->won += futures[((size_t) s->stage * (horizon + 1) + d) * 2 + 1] * arrivals / nnew * h->drift_new;
			continue;
		}
		spmk_hazard_times(h, s, times);
		times[1] *= h->drift;
		if (order[i].close != CLOSE_UNTOLD)
			close_times(h, (SpmCloseView) {h->as_of, dates[order[i].item]}, horizon, close);
		follow(h, s->stage, (int64_t) h->as_of - s->entered, 0, horizon, times, (const double (*)[2][SPMK_WAYS]) calendar,
			   (const double (*)[SPMK_WAYS]) (order[i].close == CLOSE_UNTOLD ? close_later : close), futures, &item->won, &item->lost);
	}
	return n;
}

/* Deals created in a day, as of late. */
double
spmk_arrivals(const SpmPipeline *p, int as_of, int window)
{
	double		n = 0;

	for (int i = 0; i < p->n; i++)
		n += (i == 0 || p->spells[i].deal != p->spells[i - 1].deal) && p->spells[i].entered <= as_of &&
			p->spells[i].entered > as_of - window;
	return n / window;
}
