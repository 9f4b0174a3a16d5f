/*
 * design_search.c
 *	  Borders annealed: a unit goes over to the territory next to it, or two change
 *	  places, if that is cheaper or chance allows, and if no territory falls apart.
 *
 * Loads outside of their tolerance have a price of their own, steered so that a
 * part of the plans on the way are balanced: a wall would lock the search in,
 * a low price would lead it astray.
 */
#include <math.h>
#include <string.h>

#include "design_work.h"

#define PHASES 3
/* How far the price of an excess may rise; beyond, no unit would move any more. */
#define HIGHEST 20
#define TINY 1e-9

/* What a change would do. */
typedef struct Change
{
	double		cost;
	double		moved;
	double		excess;
} Change;

/* Loads, sizes, borders and sums of the plan as it is. */
static void
recount(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	int			activities = in->activities;

	memset(w->load, 0, sizeof(double) * in->seats * activities);
	memset(w->size, 0, sizeof(int32_t) * in->seats);
	w->total = 0;
	w->moved = 0;
	w->excess = 0;
	for (int i = 0; i < in->units; i++)
	{
		int			seat = w->owner[i];

		w->size[seat]++;
		w->total += w->cost[(size_t) i * in->seats + seat];
		if (in->current[i] >= 0 && in->current[i] != seat)
			w->moved += in->values[i];
		for (int k = 0; k < activities; k++)
			w->load[seat * activities + k] += in->loads[(size_t) i * activities + k];
	}
	for (int j = 0; j < in->seats; j++)
		w->excess += design_excess(w, j);
	w->excess += design_limit_excess(w, w->moved);
	design_step(w, in->units / 8 + 1);
}

static void
set_cut(DesignWork *w, int edge, bool is_cut)
{
	int			place = w->place[edge];

	if (is_cut == (place >= 0))
		return;
	if (is_cut)
	{
		w->place[edge] = w->cuts;
		w->cut[w->cuts++] = edge;
	}
	else
	{
		int			last = w->cut[--w->cuts];

		w->cut[place] = last;
		w->place[last] = place;
		w->place[edge] = -1;
	}
}

void
design_count(DesignWork *w)
{
	int			edges = w->first[w->in->units];

	w->cuts = 0;
	for (int e = 0; e < edges; e++)
		w->place[e] = -1;
	for (int e = 0; e < edges; e++)
		set_cut(w, e, w->owner[w->from[e]] != w->owner[w->to[e]]);
	recount(w);
}

/* What it would do if unit went from its seat to another, and back (if any) from there to its. */
static inline Change
change_of(const DesignWork *w, int unit, int back, int to)
{
	const SpmDesignInput *in = w->in;
	int			activities = in->activities;
	int			from = w->owner[unit];
	Change		change = {0, 0, 0};

	change.cost = w->cost[(size_t) unit * in->seats + to] - w->cost[(size_t) unit * in->seats + from];
	if (in->current[unit] >= 0)
		change.moved = in->values[unit] * ((to != in->current[unit]) - (from != in->current[unit]));
	if (back >= 0)
	{
		change.cost += w->cost[(size_t) back * in->seats + from] - w->cost[(size_t) back * in->seats + to];
		if (in->current[back] >= 0)
			change.moved += in->values[back] * ((from != in->current[back]) - (to != in->current[back]));
	}
	for (int k = 0; k < activities; k++)
	{
		int			a = from * activities + k;
		int			b = to * activities + k;
		double		load = in->loads[(size_t) unit * activities + k] -
			(back >= 0 ? in->loads[(size_t) back * activities + k] : 0);

		change.excess += (design_outside(w->load[a] - load, w->low[a], w->high[a]) -
						  design_outside(w->load[a], w->low[a], w->high[a])) / in->targets[a];
		change.excess += (design_outside(w->load[b] + load, w->low[b], w->high[b]) -
						  design_outside(w->load[b], w->low[b], w->high[b])) / in->targets[b];
	}
	if (change.moved != 0)
		change.excess += design_limit_excess(w, w->moved + change.moved) - design_limit_excess(w, w->moved);
	return change;
}

static void
set_owner(DesignWork *w, int unit, int to)
{
	const SpmDesignInput *in = w->in;
	int			activities = in->activities;
	int			from = w->owner[unit];

	for (int k = 0; k < activities; k++)
	{
		double		load = in->loads[(size_t) unit * activities + k];

		w->load[from * activities + k] -= load;
		w->load[to * activities + k] += load;
	}
	w->size[from]--;
	w->size[to]++;
	w->owner[unit] = to;
	for (int e = w->first[unit]; e < w->first[unit + 1]; e++)
	{
		bool		is_cut = w->owner[w->to[e]] != to;

		set_cut(w, e, is_cut);
		set_cut(w, w->reverse[e], is_cut);
	}
	if (!w->is_dirty[unit])
	{
		w->is_dirty[unit] = 1;
		w->dirty[w->dirty_count++] = unit;
	}
}

static void
apply(DesignWork *w, const Change *change)
{
	w->total += change->cost;
	w->moved += change->moved;
	w->excess += change->excess;
}

static bool
touches(const DesignWork *w, int unit, int seat, int but)
{
	for (int e = w->first[unit]; e < w->first[unit + 1]; e++)
	{
		if (w->owner[w->to[e]] == seat && w->to[e] != but)
			return true;
	}
	return false;
}

/* The best plan is kept by the units that differ from it. */
static void
keep_best(DesignWork *w)
{
	for (int d = 0; d < w->dirty_count; d++)
	{
		int			unit = w->dirty[d];

		w->best[unit] = w->owner[unit];
		w->is_dirty[unit] = 0;
	}
	w->dirty_count = 0;
}

static void
back_to_best(DesignWork *w)
{
	memcpy(w->owner, w->best, sizeof(int32_t) * w->in->units);
	for (int d = 0; d < w->dirty_count; d++)
		w->is_dirty[w->dirty[d]] = 0;
	w->dirty_count = 0;
	design_count(w);
}

/* A unit and the seat it might go to, and perhaps a unit that comes back. */
static bool
propose(DesignWork *w, int *unit, int *back, int *to)
{
	const SpmDesignInput *in = w->in;
	bool		two = (spmk_chance_next(&w->chance) >> 40) % 4 == 0;

	*back = -1;
	if (in->contiguous)
	{
		int			edge;
		int			there;

		if (w->cuts == 0)
			return false;
		edge = w->cut[spmk_chance_below(&w->chance, w->cuts)];
		*unit = w->from[edge];
		there = w->to[edge];
		*to = w->owner[there];
		if (two)
		{
			/* what stands at the border nearby */
			int			other = w->to[w->first[there] + spmk_chance_below(&w->chance, w->first[there + 1] - w->first[there])];

			*back = w->owner[other] == *to ? other : there;
			if (!touches(w, *back, w->owner[*unit], *unit))
				*back = -1;
		}
	}
	else
	{
		*unit = spmk_chance_below(&w->chance, in->units);
		*to = w->near_seats[(size_t) *unit * w->near_count + spmk_chance_below(&w->chance, w->near_count)];
		if (*to == w->owner[*unit])
			return false;
		for (int attempt = 0; two && *back < 0 && attempt < 8; attempt++)
		{
			int			other = spmk_chance_below(&w->chance, in->units);

			if (w->owner[other] == *to)
				*back = other;
		}
	}
	return design_may(w, *unit, *to) && (*back < 0 || design_may(w, *back, w->owner[*unit]));
}

/* Carries out what was accepted, unless a territory would fall apart. */
static bool
carry_out(DesignWork *w, int unit, int back, int to)
{
	int			from = w->owner[unit];

	if (back < 0)
	{
		if (w->in->contiguous ? !design_may_leave(w, unit) : w->size[from] < 2)
			return false;
		set_owner(w, unit, to);
		return true;
	}
	if (w->in->contiguous)
	{
		/* The one that comes takes part in the way around the one that goes. */
		if (w->size[from] > 1 && !design_may_leave(w, unit))
			return false;
		set_owner(w, unit, to);
		if (!touches(w, back, from, -1) || !design_may_leave(w, back))
		{
			set_owner(w, unit, from);
			return false;
		}
		set_owner(w, back, from);
		return true;
	}
	set_owner(w, unit, to);
	set_owner(w, back, from);
	return true;
}

/* Of each unit the seats that it costs least at. */
static void
find_near(DesignWork *w)
{
	const SpmDesignInput *in = w->in;

	for (int i = 0; i < in->units && !in->contiguous; i++)
	{
		const double *cost = w->cost + (size_t) i * in->seats;
		int32_t    *near = w->near_seats + (size_t) i * w->near_count;
		int			count = 0;

		for (int j = 0; j < in->seats; j++)
		{
			int			at = count < w->near_count ? count++ : w->near_count;

			for (; at > 0 && cost[near[at - 1]] > cost[j]; at--)
			{
				if (at < w->near_count)
					near[at] = near[at - 1];
			}
			if (at < w->near_count)
				near[at] = j;
		}
		design_step(w, in->seats / 8 + 1);
	}
}

/* How much a change costs as a rule, and how much of a target it is. */
static double
usual_cost(DesignWork *w)
{
	double		sum = 0;
	int			count = 0;

	for (int s = 0; s < 4000; s++)
	{
		int			unit;
		int			back;
		int			to;
		Change		change;

		if (!propose(w, &unit, &back, &to) || back >= 0)
			continue;
		change = change_of(w, unit, back, to);
		sum += fabs(change.cost);
		count++;
		design_step(w, 4);
	}
	return count > 0 ? sum / count : 0;
}

/* Anneals the plan of the owners; how many moves were tried. */
int64_t
design_search(DesignWork *w, int64_t moves)
{
	const SpmDesignInput *in = w->in;
	int64_t		epoch = in->units * 2 > 4096 ? in->units * 2 : 4096;
	int64_t		done = 0;
	double		usual;
	double		price;
	double		highest;
	double		best_total;
	double		best_excess;
	int			since_center = 0;

	design_count(w);
	memcpy(w->best, w->owner, sizeof(int32_t) * in->units);
	memset(w->is_dirty, 0, in->units);
	w->dirty_count = 0;
	best_total = w->total;
	best_excess = w->excess;
	if (in->seats < 2)
		return 0;
	find_near(w);
	usual = usual_cost(w);
	price = 2 * usual * in->units / in->seats + TINY;
	highest = HIGHEST * price;

	for (int phase = 0; phase <= PHASES; phase++)
	{
		/* The last part only goes downhill. */
		bool		strict = phase == PHASES;
		int64_t		part = strict ? moves / 10 : moves * 9 / 10 / PHASES;
		double		hot = usual * pow(0.6, phase);
		double		cold = usual * 0.01;

		if (phase > 0)
		{
			back_to_best(w);
			design_recenter(w);
			recount(w);
			best_total = w->total;
			best_excess = w->excess;
			find_near(w);
		}
		for (int64_t step = 0; step < part;)
		{
			double		heat = hot * pow(cold / hot, (double) step / part);
			int64_t		end = step + epoch < part ? step + epoch : part;
			int64_t		tried = end - step;
			int64_t		kept = 0;

			for (; step < end; step++)
			{
				int			unit;
				int			back;
				int			to;
				Change		change;
				double		worse;

				design_step(w, 2);
				kept += w->excess <= TINY;
				if (!propose(w, &unit, &back, &to))
					continue;
				change = change_of(w, unit, back, to);
				worse = change.cost + price * change.excess;
				if (strict)
				{
					if (change.excess > -TINY && (change.excess > TINY * 1e-3 || change.cost >= 0))
						continue;
				}
				else if (worse > 0 && (worse > 40 * heat || spmk_chance_unit(&w->chance) >= exp(-worse / heat)))
					continue;
				if (!carry_out(w, unit, back, to))
					continue;
				apply(w, &change);
				if (w->excess < best_excess - TINY ||
					(w->excess < best_excess + TINY && w->total < best_total - TINY))
				{
					best_total = w->total;
					best_excess = w->excess;
					keep_best(w);
				}
			}
			done += tried;
			recount(w);
			if (strict)
				continue;
			if (kept * 100 < tried * 20 && price < highest)
				price *= 1.05;
			else if (kept * 100 > tried * 50)
				price *= 0.96;
			if (++since_center >= 16)
			{
				since_center = 0;
				design_recenter(w);
				recount(w);
				find_near(w);
			}
		}
	}
	back_to_best(w);
	return done;
}
