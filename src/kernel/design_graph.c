/*
 * design_graph.c
 *	  Which units touch, and whether a territory is in one piece.
 */
#include <math.h>

#include "design_work.h"

/* A way around a unit is given up after so many units. */
#define MAX_WAY 100

/* The edges of each unit, in the order of the pairs. */
void
design_graph(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	int32_t    *fill = w->queue;

	for (int i = 0; i <= in->units; i++)
		w->first[i] = 0;
	for (int e = 0; e < in->edges; e++)
	{
		int			a = in->pairs[2 * e];
		int			b = in->pairs[2 * e + 1];

		if (a == b)
			continue;
		w->first[a + 1]++;
		w->first[b + 1]++;
	}
	for (int i = 0; i < in->units; i++)
	{
		w->first[i + 1] += w->first[i];
		fill[i] = w->first[i];
	}
	for (int e = 0; e < in->edges; e++)
	{
		int			a = in->pairs[2 * e];
		int			b = in->pairs[2 * e + 1];
		int			there;
		int			back;

		if (a == b)
			continue;
		there = fill[a]++;
		back = fill[b]++;
		w->to[there] = b;
		w->from[there] = a;
		w->reverse[there] = back;
		w->to[back] = a;
		w->from[back] = b;
		w->reverse[back] = there;
	}
}

/* The first unit that cannot be reached from unit 0, or -1. */
int
design_unreached(DesignWork *w)
{
	uint32_t	mark = ++w->marks;
	int			head = 0;
	int			tail = 0;

	w->mark[0] = mark;
	w->queue[tail++] = 0;
	while (head < tail)
	{
		int			i = w->queue[head++];

		for (int e = w->first[i]; e < w->first[i + 1]; e++)
		{
			if (w->mark[w->to[e]] != mark)
			{
				w->mark[w->to[e]] = mark;
				w->queue[tail++] = w->to[e];
			}
		}
		design_step(w, 8);
	}
	for (int i = 0; i < w->in->units; i++)
	{
		if (w->mark[i] != mark)
			return i;
	}
	return -1;
}

/*
 * Whether the rest of its territory still hangs together as before without this
 * unit: all its neighbours there find each other on another way.  A way too
 * long to be found counts as none.
 */
bool
design_may_leave(DesignWork *w, int unit)
{
	int			seat = w->owner[unit];
	int			wanted = 0;
	int			head = 0;
	int			tail = 0;
	int			start = -1;
	uint32_t	target;
	uint32_t	seen;

	if (w->size[seat] < 2)
		return false;
	target = ++w->marks;
	seen = ++w->marks;
	w->mark[unit] = seen;
	for (int e = w->first[unit]; e < w->first[unit + 1]; e++)
	{
		int			other = w->to[e];

		if (w->owner[other] == seat && w->mark[other] != target)
		{
			w->mark[other] = target;
			start = other;
			wanted++;
		}
	}
	if (wanted < 2)
		return true;
	w->mark[start] = seen;
	w->queue[tail++] = start;
	wanted--;
	while (head < tail && head < MAX_WAY)
	{
		int			i = w->queue[head++];

		for (int e = w->first[i]; e < w->first[i + 1]; e++)
		{
			int			other = w->to[e];

			if (w->mark[other] == seen || w->owner[other] != seat)
				continue;
			if (w->mark[other] == target && --wanted == 0)
			{
				design_step(w, head);
				return true;
			}
			w->mark[other] = seen;
			w->queue[tail++] = other;
		}
	}
	design_step(w, head);
	return false;
}

/* Numbers the pieces of all territories; how many there are. */
int
design_pieces(DesignWork *w, int32_t *piece)
{
	int			pieces = 0;

	for (int i = 0; i < w->in->units; i++)
		piece[i] = -1;
	for (int i = 0; i < w->in->units; i++)
	{
		int			head = 0;
		int			tail = 0;

		if (piece[i] >= 0 || w->owner[i] < 0)
			continue;
		piece[i] = pieces;
		w->queue[tail++] = i;
		while (head < tail)
		{
			int			at = w->queue[head++];

			for (int e = w->first[at]; e < w->first[at + 1]; e++)
			{
				int			other = w->to[e];

				if (piece[other] < 0 && w->owner[other] == w->owner[at])
				{
					piece[other] = pieces;
					w->queue[tail++] = other;
				}
			}
			design_step(w, 8);
		}
		pieces++;
	}
	return pieces;
}

/* What a unit costs at a seat, the price of its loads included. */
static double
priced(const DesignWork *w, int unit, int seat)
{
	int			activities = w->in->activities;
	double		sum = w->cost[(size_t) unit * w->in->seats + seat];

	for (int k = 0; k < activities; k++)
		sum += w->in->loads[(size_t) unit * activities + k] * w->price[seat * activities + k];
	return sum;
}

/* The cheapest seat around a unit that has none, or -1. */
static int
cheapest_around(const DesignWork *w, int unit)
{
	double		least = INFINITY;
	int			best = -1;

	for (int e = w->first[unit]; e < w->first[unit + 1]; e++)
	{
		int			seat = w->owner[w->to[e]];
		double		cost = seat < 0 ? INFINITY : priced(w, unit, seat);

		if (cost < least)
		{
			least = cost;
			best = seat;
		}
	}
	return best;
}

/* The cheapest of all seats. */
static int
cheapest(const DesignWork *w, int unit)
{
	double		least = INFINITY;
	int			best = -1;

	for (int seat = 0; seat < w->in->seats; seat++)
	{
		double		cost = priced(w, unit, seat);

		if (cost < least)
		{
			least = cost;
			best = seat;
		}
	}
	return best;
}

/* Every territory keeps its heaviest piece, and what is locked. */
static void
drop_pieces(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	int32_t    *piece = w->best;
	int32_t    *kept = w->size;	/* of each seat; counted anew later */
	double	   *weight = w->scratch;
	int			pieces = design_pieces(w, piece);

	for (int p = 0; p < pieces; p++)
		weight[p] = 0;
	for (int i = 0; i < in->units; i++)
	{
		if (piece[i] >= 0)
			weight[piece[i]] += in->loads[(size_t) i * in->activities] + 1e-9;
	}
	for (int j = 0; j < in->seats; j++)
		kept[j] = -1;
	for (int i = 0; i < in->units; i++)
	{
		int			seat = w->owner[i];

		if (seat >= 0 && (kept[seat] < 0 || weight[piece[i]] > weight[kept[seat]]))
			kept[seat] = piece[i];
	}
	for (int i = 0; i < in->units; i++)
	{
		if (w->owner[i] >= 0 && piece[i] != kept[w->owner[i]] && !in->locked[i])
			w->owner[i] = -1;
	}
}

/* Gives what has no seat to territories that touch it, from their borders inwards. */
static void
grow(DesignWork *w)
{
	int			n = w->in->units;
	uint32_t	queued = ++w->marks;
	int			head = 0;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		if (w->owner[i] < 0 && cheapest_around(w, i) >= 0)
		{
			w->mark[i] = queued;
			w->queue[count++] = i;
		}
	}
	while (count > 0)
	{
		int			i = w->queue[head];
		int			seat = cheapest_around(w, i);

		head = head + 1 == n ? 0 : head + 1;
		count--;
		w->mark[i] = 0;
		w->owner[i] = seat;
		for (int e = w->first[i]; e < w->first[i + 1]; e++)
		{
			int			other = w->to[e];

			if (w->owner[other] < 0 && w->mark[other] != queued && cheapest_around(w, other) >= 0)
			{
				w->mark[other] = queued;
				w->queue[(head + count++) % n] = other;
			}
		}
		design_step(w, 16);
	}
}

/*
 * Makes a plan of the owners so far: pieces that lie apart, and what has no
 * seat, go to a territory that touches them; what touches none that it may go to
 * goes to the cheapest.
 */
void
design_repair(DesignWork *w)
{
	if (w->in->contiguous)
	{
		drop_pieces(w);
		grow(w);
	}
	for (int i = 0; i < w->in->units; i++)
	{
		if (w->owner[i] < 0)
			w->owner[i] = cheapest(w, i);
	}
}
