/*
 * hazard_close.c
 *	  How much faster deals are won, lost and moved on near their close date.
 *
 * A close date is known as of the day of the forecast only: how it will be moved is not.
 * So it is learned the same way: as of days that are past (landmarks, van Houwelingen
 * 2007) each deal that was open is followed for as long as the forecast looks ahead,
 * with the date that was known on the landmark and without what it was moved to later.
 * Events on days so far before or after that date, over what rates and factors made
 * expect, are the factor, drawn to 1 as others are.
 */
#include "hazard_work.h"

#include <limits.h>

#define LANDMARKS		24
#define PARTS			4		/* landmarks in a horizon */
#define LEAST_STEP		7		/* days between landmarks */

/* Levels: no date known; overdue on the landmark, not long and long; then by the day, up to so many days after the date. */
enum
{
	LEVEL_NONE,
	LEVEL_OVERDUE,
	LEVEL_LONG_OVERDUE,
	LEVEL_AHEAD
};

static const int last_days[SPMK_CLOSE - LEVEL_AHEAD] = {-61, -31, -15, -8, 0, 7, 30, INT_MAX};

int
spmk_close_level(SpmCloseView view, int day)
{
	int64_t		after = (int64_t) day - view.date;
	int			i = 0;

	if (view.date == INT_MAX)
		return LEVEL_NONE;
	if (view.date < view.at)
		return (int64_t) view.at - view.date <= SPMK_OVERDUE ? LEVEL_OVERDUE : LEVEL_LONG_OVERDUE;
	while (after > last_days[i])
		i++;
	return LEVEL_AHEAD + i;
}

/* The date that was known of a deal at the end of a day, INT_MAX: none. Deals are asked for in order; next is where they are looked for. */
int
spmk_close_known(const SpmPipeline *p, int deal, int day, int *next)
{
	int			date = INT_MAX;

	while (*next < p->ndates && p->dates[*next].deal < deal)
		(*next)++;
	for (int i = *next; i < p->ndates && p->dates[i].deal == deal && p->dates[i].told <= day; i++)
		date = p->dates[i].date;
	return date;
}

/* Days at risk of a spell after the landmark, from level to level, and its end. */
static void
count_spell(SpmHazard *h, const SpmSpell *s, SpmCloseView view, int horizon, double share)
{
	SpmFactor  *f = &h->close;
	int64_t		age_at = (int64_t) view.at - s->entered;
	double		times[SPMK_WAYS];
	int64_t		from;
	int64_t		to;
	Known		k;

	if (!spmk_hazard_known(h, s, &k))
		return;
	from = k.from > age_at ? k.from : age_at;
	to = k.to < age_at + horizon ? k.to : age_at + horizon;
	if (from >= to)
		return;
	spmk_hazard_times(h, s, times);
	for (int64_t age = from; age < to;)
	{
		int			level = spmk_close_level(view, (int) (s->entered + age + 1));
		int64_t		end = to;

		if (level >= LEVEL_AHEAD && last_days[level - LEVEL_AHEAD] != INT_MAX)
			end = (int64_t) view.date + last_days[level - LEVEL_AHEAD] - s->entered;
		if (end > to)
			end = to;
		for (int e = 0; e < SPMK_WAYS; e++)
			f->expected[e][level] += share * times[e] * (REACH(h, s->stage, e, end) - REACH(h, s->stage, e, age));
		age = end;
	}
	if (k.event != SPM_SPELL_OPEN && k.to <= to)
		f->observed[WAY(k.event)][spmk_close_level(view, (int) (s->entered + to))] += share;
}

void
spmk_learn_close(SpmHazard *h, const SpmPipeline *p, int horizon, const SpmBreath *breath)
{
	int			step = horizon / PARTS > LEAST_STEP ? horizon / PARTS : LEAST_STEP;
	/* an end is seen from this many landmarks, and still is one end */
	double		share = step < horizon ? (double) step / horizon : 1;

	if (p->ndates == 0)
		return;
	for (int n = 1; n <= LANDMARKS && h->as_of - n * step >= h->first_day; n++)
	{
		SpmCloseView view = {.at = h->as_of - n * step};
		int			next = 0;
		bool		was_there = false;

		spmk_breathe(breath);
		for (int i = 0; i < p->n; i++)
		{
			const SpmSpell *s = &p->spells[i];

			if (i == 0 || s->deal != s[-1].deal)
			{
				was_there = s->entered <= view.at && s->seen <= view.at;
				if (was_there)
					view.date = spmk_close_known(p, s->deal, view.at, &next);
			}
			if (was_there)
				count_spell(h, s, view, horizon, share);
		}
	}
	for (int e = 0; e < SPMK_WAYS; e++)
	{
		spmk_factor_level_off(&h->close, e);
		spmk_factor_draw(&h->close, e);
		for (int i = 0; i < SPMK_CLOSE; i++)
			h->has_close |= h->close.times[e][i] != 1;
	}
}
