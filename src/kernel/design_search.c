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
/*
 * How far the price of an excess may rise, in first prices; beyond, no unit would
 * move any more.  If no plan was found that keeps all, the search had better
 * begin anew with a low one.
 */
#define HIGHEST 20
#define LOWEST 0.05
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

/* A unit goes to another seat, and perhaps a unit of that one on to a third, or back to the first. */
typedef struct Move
{
	int			unit;
	int			to;
	int			next;			/* -1: no unit goes on */
	int			on;				/* where that goes */
} Move;

/* What seat j would be out of bounds with a load more, less what it is now. */
static inline double
load_change(const DesignWork *w, int j, int k, double load)
{
	int			at = j * w->in->activities + k;

	return (design_outside(w->load[at] + load, w->low[at], w->high[at]) -
			design_outside(w->load[at], w->low[at], w->high[at])) / w->in->targets[at];
}

static inline double
value_moved(const SpmDesignInput *in, int unit, int from, int to)
{
	int			current = in->current[unit];

	return current < 0 ? 0 : in->values[unit] * ((to != current) - (from != current));
}

static inline Change
change_of(const DesignWork *w, const Move *m)
{
	const SpmDesignInput *in = w->in;
	int			from = w->owner[m->unit];
	const double *loads = in->loads + (size_t) m->unit * in->activities;
	const double *cost = w->cost + (size_t) m->unit * in->seats;
	Change		change;

	change.cost = cost[m->to] - cost[from];
	change.moved = value_moved(in, m->unit, from, m->to);
	change.excess = 0;
	if (m->next < 0)
	{
		for (int k = 0; k < in->activities; k++)
			change.excess += load_change(w, from, k, -loads[k]) + load_change(w, m->to, k, loads[k]);
	}
	else
	{
		const double *others = in->loads + (size_t) m->next * in->activities;

		cost = w->cost + (size_t) m->next * in->seats;
		change.cost += cost[m->on] - cost[m->to];
		change.moved += value_moved(in, m->next, m->to, m->on);
		for (int k = 0; k < in->activities; k++)
		{
			change.excess += load_change(w, m->to, k, loads[k] - others[k]);
			if (m->on == from)
				change.excess += load_change(w, from, k, others[k] - loads[k]);
			else
				change.excess += load_change(w, from, k, -loads[k]) + load_change(w, m->on, k, others[k]);
		}
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

/* Follows the border between two territories from a unit of the one, for a few units. */
static int
along_border(DesignWork *w, int unit, int other)
{
	int			seat = w->owner[unit];
	int			steps = spmk_chance_below(&w->chance, 12);

	for (int s = 0; s < steps; s++)
	{
		int			edges = w->first[unit + 1] - w->first[unit];
		int			next = w->to[w->first[unit] + spmk_chance_below(&w->chance, edges)];

		if (w->owner[next] == seat && touches(w, next, other, -1))
			unit = next;
	}
	return unit;
}

/* A change across a border: a unit of a cut edge goes over, and perhaps one of the other side elsewhere. */
static bool
propose_contiguous(DesignWork *w, Move *m)
{
	uint64_t	kind = spmk_chance_next(&w->chance) >> 60;
	uint64_t	pairs = w->excess > TINY ? 8 : 4;
	int			edge;

	if (w->cuts == 0)
		return false;
	edge = w->cut[spmk_chance_below(&w->chance, w->cuts)];
	m->unit = w->from[edge];
	m->to = w->owner[w->to[edge]];
	if (kind >= pairs)
		return true;
	if (kind % 2 == 0)
	{
		m->next = along_border(w, w->to[edge], w->owner[m->unit]);
		m->on = w->owner[m->unit];
		if (!touches(w, m->next, m->on, m->unit))
			m->next = -1;
		return true;
	}
	for (int attempt = 0; attempt < 16; attempt++)
	{
		edge = w->cut[spmk_chance_below(&w->chance, w->cuts)];
		if (w->owner[w->from[edge]] == m->to && w->owner[w->to[edge]] != w->owner[m->unit])
		{
			m->next = w->from[edge];
			m->on = w->owner[w->to[edge]];
			break;
		}
	}
	return true;
}

/* The same where territories need not be in one piece: to one of the cheapest seats. */
static bool
propose_anywhere(DesignWork *w, Move *m)
{
	const SpmDesignInput *in = w->in;
	uint64_t	kind = spmk_chance_next(&w->chance) >> 60;

	m->unit = spmk_chance_below(&w->chance, in->units);
	m->to = w->near_seats[(size_t) m->unit * w->near_count + spmk_chance_below(&w->chance, w->near_count)];
	if (m->to == w->owner[m->unit])
		return false;
	for (int attempt = 0; kind < 8 && m->next < 0 && attempt < 16; attempt++)
	{
		int			other = spmk_chance_below(&w->chance, in->units);

		if (w->owner[other] == m->to)
			m->next = other;
	}
	if (m->next >= 0)
	{
		m->on = kind % 2 == 0 ? w->owner[m->unit] :
			w->near_seats[(size_t) m->next * w->near_count + spmk_chance_below(&w->chance, w->near_count)];
		if (m->on == m->to)
			m->next = -1;
	}
	return true;
}

static bool
propose(DesignWork *w, Move *m)
{
	m->next = m->on = -1;
	if (w->in->contiguous ? !propose_contiguous(w, m) : !propose_anywhere(w, m))
		return false;
	return design_may(w, m->unit, m->to) && (m->next < 0 || design_may(w, m->next, m->on));
}

/* Carries out what was accepted, unless a territory would fall apart. */
static bool
carry_out(DesignWork *w, const Move *m)
{
	int			from = w->owner[m->unit];
	bool		swap = m->next >= 0 && m->on == from;

	if (!w->in->contiguous)
	{
		if (w->size[from] < 2 && !swap)
			return false;
		set_owner(w, m->unit, m->to);
		if (m->next >= 0)
			set_owner(w, m->next, m->on);
		return true;
	}
	if (!design_may_leave(w, m->unit))
		return false;
	set_owner(w, m->unit, m->to);
	if (m->next < 0)
		return true;
	if (!touches(w, m->next, m->on, -1) || !design_may_leave(w, m->next))
	{
		set_owner(w, m->unit, from);
		return false;
	}
	set_owner(w, m->next, m->on);
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

/* How much a change costs as a rule. */
static double
usual_cost(DesignWork *w)
{
	double		sum = 0;
	int			count = 0;

	for (int s = 0; s < 4000; s++)
	{
		Move		move;

		if (!propose(w, &move) || move.next >= 0)
			continue;
		sum += fabs(change_of(w, &move).cost);
		count++;
		design_step(w, 4);
	}
	return count > 0 ? sum / count : 0;
}

/*
 * How much hotter than others each unit is: in the first search all are alike; where
 * that finds no balance, large units are to move as easily as small ones.
 */
static void
set_heat(DesignWork *w, int search)
{
	const SpmDesignInput *in = w->in;
	double		power = search == 0 ? 0 : search == 1 ? 1 : 0.5;

	for (int i = 0; i < in->units; i++)
		w->scratch[i] = 1;
	for (int k = 0; k < in->activities && power > 0; k++)
	{
		double		sum = 0;

		for (int i = 0; i < in->units; i++)
			sum += in->loads[(size_t) i * in->activities + k];
		for (int i = 0; i < in->units; i++)
			w->scratch[i] = fmax(w->scratch[i], pow(in->loads[(size_t) i * in->activities + k] * in->units / sum, power));
		design_step(w, in->units / 4 + 1);
	}
}

/* Anneals the plan of the owners; how many moves were tried. */
int64_t
design_search(DesignWork *w, int64_t moves, int search)
{
	const SpmDesignInput *in = w->in;
	int64_t		epoch = in->units * 2 > 4096 ? in->units * 2 : 4096;
	int64_t		done = 0;
	double		usual;
	double		price;
	double		first_price;
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
	set_heat(w, search);
	usual = fmax(usual_cost(w), TINY);
	price = 2 * usual * in->units / in->seats + TINY;
	first_price = price;

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
				Move		move;
				Change		change;
				double		worse;

				design_step(w, 2);
				kept += w->excess <= TINY;
				if (!propose(w, &move))
					continue;
				change = change_of(w, &move);
				worse = change.cost + price * change.excess;
				if (strict)
				{
					if (change.excess > -TINY && (change.excess > TINY * 1e-3 || change.cost >= 0))
						continue;
				}
				else if (worse > 0)
				{
					double		hotter = heat * w->scratch[move.unit];

					if (worse > 40 * hotter || spmk_chance_unit(&w->chance) >= exp(-worse / hotter))
						continue;
				}
				if (!carry_out(w, &move))
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
			if (kept * 100 < tried * 20)
				price = price < HIGHEST * first_price ? price * 1.08 : LOWEST * first_price;
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
