/*
 * transport.c
 *	  The transport problem by shortest paths between seats.
 *
 * There are many units and few seats, so the network is shrunk to the seats and
 * one node more, the outside, which takes from each seat what lies between its
 * minimum and its capacity: going from seat r to seat s costs what it costs to
 * move that unit of r that minds least.  Units start where cost plus price is
 * least; what seats then have too much goes along shortest paths to where
 * something is missing, and prices follow the distances, so that no unit ever
 * regrets (successive shortest paths with potentials: Ahuja, Magnanti and
 * Orlin, Network Flows, 1993, chapter 9).
 *
 * How many paths that takes depends on the prices at the start.  They are
 * found by solving a quarter of the units, taken at random, with as much
 * less room, whose prices come from a quarter of those, and so on.
 *
 * Amounts are whole numbers inside: a power of two makes the total just less
 * than 2^60, which loses nothing of whole numbers and keeps sums exact.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "transport.h"

#define SAMPLE_RATIO 4
#define SAMPLE_LEAST 6			/* units a seat, or a sample tells little */
#define NONE (-1)

typedef struct Held
{
	int64_t		amount;
	int32_t		unit;
	int32_t		seat;
	int32_t		next;			/* of the seat; of the free ones */
	int32_t		prev;
	int32_t		sibling;		/* the next of the unit */
} Held;

/* Of a tree of seats: what a split unit has here, and at the parent. */
typedef struct Link
{
	int32_t		parent;
	int32_t		here;
	int32_t		there;
} Link;

typedef struct Solver
{
	const SpmTransport *t;
	int			n;
	int			k;				/* seats; also the node outside */
	int			m;				/* nodes, k + 1 */
	double	   *cheapest;		/* m x m: what it costs to move something from r to s */
	int32_t    *mover;			/* m x m: what that is, a Held */
	double	   *price;			/* m; that of the outside is 0 */
	int64_t    *supply;			/* n */
	int64_t    *lower;			/* k: bounds of the level */
	int64_t    *upper;
	int64_t    *out;			/* k: what goes to the outside */
	int64_t    *excess;			/* m: what is there less what goes out */
	int64_t    *whole_lower;	/* k: bounds of the whole */
	int64_t    *whole_upper;
	Held	   *held;
	int32_t		nheld;
	int32_t		nfree;
	int32_t		free;			/* list */
	int32_t    *first;			/* k: Held of a seat */
	int32_t    *of_unit;		/* n: Held of a unit */
	int32_t    *order;			/* n: units, shuffled */
	double	   *distance;		/* m */
	int32_t    *from;			/* m */
	int32_t    *open;			/* m: nodes not yet reached for good */
	int32_t    *closed;			/* m */
	int32_t    *hops;			/* m: what moves along the path */
	Link	   *links;			/* k */
	int64_t		total;
	int			scale;			/* of amounts: 2^scale */
} Solver;

static size_t
rounded(size_t bytes)
{
	return (bytes + 63) & ~(size_t) 63;
}

/* Lays the arrays out in memory, or only counts. */
static size_t
lay_out(Solver *s, char *memory, int n, int k)
{
	size_t		at = 0;
	size_t		m = (size_t) k + 1;

#define ROOM(field, count) \
	do { \
		if (memory) \
			s->field = (void *) (memory + at); \
		at += rounded((size_t) (count) * sizeof(*s->field)); \
	} while (0)
	ROOM(cheapest, m * m);
	ROOM(mover, m * m);
	ROOM(price, m);
	ROOM(supply, n);
	ROOM(lower, k);
	ROOM(upper, k);
	ROOM(out, k);
	ROOM(excess, m);
	ROOM(whole_lower, k);
	ROOM(whole_upper, k);
	ROOM(held, (size_t) n + 4 * m);
	ROOM(first, k);
	ROOM(of_unit, n);
	ROOM(order, n);
	ROOM(distance, m);
	ROOM(from, m);
	ROOM(open, m);
	ROOM(closed, m);
	ROOM(hops, m);
	ROOM(links, k);
#undef ROOM
	return at;
}

size_t
spmk_transport_memory(int nunits, int nseats)
{
	Solver		unused;

	return lay_out(&unused, NULL, nunits, nseats) + 64;
}

static inline const double *
costs_of(const Solver *s, int unit)
{
	return s->t->costs + (size_t) unit * s->k;
}

/*
 * What is held, and what it costs to move it
 */

/* The held may go from its seat to others: is it the one that minds least? */
static void
offer(Solver *s, int32_t at)
{
	int			seat = s->held[at].seat;
	const double *costs = costs_of(s, s->held[at].unit);
	double	   *cheapest = s->cheapest + (size_t) seat * s->m;
	int32_t    *mover = s->mover + (size_t) seat * s->m;
	double		here = costs[seat];

	for (int to = 0; to < s->k; to++)
	{
		double		cost = costs[to] - here;

		if (cost < cheapest[to])
		{
			cheapest[to] = cost;
			mover[to] = at;
		}
	}
}

/* The held has left its seat: who minds least now, where it was the one? */
static void
withdraw(Solver *s, int32_t at)
{
	int			seat = s->held[at].seat;
	double	   *cheapest = s->cheapest + (size_t) seat * s->m;
	int32_t    *mover = s->mover + (size_t) seat * s->m;
	int32_t    *where = s->open;	/* not in use between two searches */
	int			nwhere = 0;

	for (int to = 0; to < s->k; to++)
		if (mover[to] == at)
		{
			cheapest[to] = INFINITY;
			mover[to] = NONE;
			where[nwhere++] = to;
		}
	if (nwhere == 0)
		return;
	for (int32_t h = s->first[seat]; h != NONE; h = s->held[h].next)
	{
		const double *costs = costs_of(s, s->held[h].unit);
		double		here = costs[seat];

		for (int i = 0; i < nwhere; i++)
		{
			int			to = where[i];
			double		cost = costs[to] - here;

			if (cost < cheapest[to])
			{
				cheapest[to] = cost;
				mover[to] = h;
			}
		}
	}
}

static void
hold(Solver *s, int unit, int seat, int64_t amount)
{
	int32_t		at;

	for (at = s->of_unit[unit]; at != NONE; at = s->held[at].sibling)
		if (s->held[at].seat == seat)
		{
			s->held[at].amount += amount;
			return;
		}
	at = s->free;
	s->free = s->held[at].next;
	s->nfree--;
	s->held[at] = (Held) {.amount = amount, .unit = unit, .seat = seat,
		.next = s->first[seat], .prev = NONE, .sibling = s->of_unit[unit]};
	if (s->first[seat] != NONE)
		s->held[s->first[seat]].prev = at;
	s->first[seat] = at;
	s->of_unit[unit] = at;
	offer(s, at);
}

static void
let_go(Solver *s, int32_t at, int64_t amount)
{
	Held	   *h = &s->held[at];
	int32_t    *link = &s->of_unit[h->unit];

	h->amount -= amount;
	if (h->amount > 0)
		return;
	while (*link != at)
		link = &s->held[*link].sibling;
	*link = h->sibling;
	if (h->prev == NONE)
		s->first[h->seat] = h->next;
	else
		s->held[h->prev].next = h->next;
	if (h->next != NONE)
		s->held[h->next].prev = h->prev;
	withdraw(s, at);
	h->next = s->free;
	s->free = at;
	s->nfree++;
}

/* Whether the outside takes more from a seat, and gives back. */
static void
open_outside(Solver *s, int seat)
{
	s->cheapest[(size_t) seat * s->m + s->k] = s->out[seat] < s->upper[seat] ? 0 : INFINITY;
	s->cheapest[(size_t) s->k * s->m + seat] = s->out[seat] > s->lower[seat] ? 0 : INFINITY;
}

/* Makes a seat the root of its tree. */
static void
turn(Link *links, int seat)
{
	Link		above = {NONE, NONE, NONE};

	while (seat != NONE)
	{
		Link		link = links[seat];

		links[seat] = above;
		above = (Link) {seat, link.there, link.here};
		seat = link.parent;
	}
}

/*
 * Around the circle from the seat of a, to that of b by their unit, and down the
 * tree again: an amount leaves each seat as one held and arrives as another.
 */
static void
go_round(Solver *s, int32_t a, int32_t b)
{
	int			root = s->held[b].seat;
	int64_t		amount = INT64_MAX;

	for (int pass = 0; pass < 2; pass++)
	{
		int32_t		leaves = a;
		int			seat = s->held[a].seat;

		for (;;)
		{
			Link		link = s->links[seat];
			int32_t		arrives = seat == root ? b : link.here;

			if (leaves != arrives)
			{
				if (pass == 0)
					amount = s->held[leaves].amount < amount ? s->held[leaves].amount : amount;
				else
				{
					s->held[arrives].amount += amount;
					let_go(s, leaves, amount);
				}
			}
			if (seat == root)
				break;
			leaves = link.there;
			seat = link.parent;
		}
	}
}

/*
 * Ties can split more units than needed: then there is a circle of seats and
 * split units, around which amounts go at no cost until one of them is used up.
 */
static bool
break_circle(Solver *s)
{
	Link	   *links = s->links;

	for (int seat = 0; seat < s->k; seat++)
		links[seat] = (Link) {NONE, NONE, NONE};
	for (int unit = 0; unit < s->n; unit++)
	{
		int32_t		a = s->of_unit[unit];

		if (a == NONE)
			continue;
		for (int32_t b = s->held[a].sibling; b != NONE; b = s->held[b].sibling)
		{
			int			top = s->held[a].seat;

			turn(links, s->held[b].seat);
			while (links[top].parent != NONE)
				top = links[top].parent;
			if (top == s->held[b].seat)
			{
				go_round(s, a, b);
				return true;
			}
			links[s->held[b].seat] = (Link) {s->held[a].seat, b, a};
		}
	}
	return false;
}

static void
break_circles(Solver *s)
{
	while (break_circle(s))
		spmk_breathe(s->t->breath);
}

/*
 * Paths
 */

/* The nearest node where something is missing; NONE: none can be reached. */
static int
search(Solver *s, int source, int *nclosed)
{
	double	   *distance = s->distance;
	const double *price = s->price;
	int			nopen = 0;
	int			at = source;

	for (int node = 0; node < s->m; node++)
	{
		distance[node] = INFINITY;
		if (node != source)
			s->open[nopen++] = node;
	}
	distance[source] = 0;
	*nclosed = 0;
	while (s->excess[at] >= 0)
	{
		const double *row = s->cheapest + (size_t) at * s->m;
		double		nearest = INFINITY;
		int			which = NONE;

		if (*nclosed % 256 == 255)
			spmk_breathe(s->t->breath);
		s->closed[(*nclosed)++] = at;
		for (int i = 0; i < nopen; i++)
		{
			int			node = s->open[i];
			double		step = row[node] + price[node] - price[at];
			double		reached = distance[at] + (step > 0 ? step : 0);

			if (reached < distance[node])
			{
				distance[node] = reached;
				s->from[node] = at;
			}
			if (distance[node] < nearest)
			{
				nearest = distance[node];
				which = i;
			}
		}
		if (which == NONE)
			return NONE;
		at = s->open[which];
		s->open[which] = s->open[--nopen];
	}
	return at;
}

/* Sends as much as the path to 'target' carries. */
static void
send(Solver *s, int source, int target)
{
	int64_t		amount = s->excess[source];
	int			nhops = 0;

	if (-s->excess[target] < amount)
		amount = -s->excess[target];
	for (int to = target; to != source; to = s->from[to])
	{
		int			at = s->from[to];
		int64_t		can;
		int32_t		moves = NONE;

		if (to == s->k)
			can = s->upper[at] - s->out[at];
		else if (at == s->k)
			can = s->out[to] - s->lower[to];
		else
		{
			moves = s->mover[(size_t) at * s->m + to];
			can = s->held[moves].amount;
		}
		if (can < amount)
			amount = can;
		s->hops[nhops++] = moves;
	}
	nhops = 0;
	for (int to = target; to != source; to = s->from[to])
	{
		int			at = s->from[to];
		int32_t		moves = s->hops[nhops++];

		if (to == s->k)
		{
			s->out[at] += amount;
			open_outside(s, at);
		}
		else if (at == s->k)
		{
			s->out[to] -= amount;
			open_outside(s, to);
		}
		else
		{
			hold(s, s->held[moves].unit, to, amount);
			let_go(s, moves, amount);
		}
	}
	s->excess[source] -= amount;
	s->excess[target] += amount;
}

/* Where cost and price are least; of several seats the one with most room. */
static int
best_seat(const Solver *s, int unit)
{
	const double *costs = costs_of(s, unit);
	double		least = INFINITY;
	int			best = 0;

	for (int seat = 0; seat < s->k; seat++)
	{
		double		cost = costs[seat] + s->price[seat];

		if (cost > least)
			continue;
		if (cost < least || s->excess[seat] - s->upper[seat] < s->excess[best] - s->upper[best])
		{
			least = cost;
			best = seat;
		}
	}
	return best;
}

/* Forgets all that is held, and sets the bounds for the order's first n units. */
static void
begin(Solver *s, int n)
{
	int64_t		total = 0;

	for (size_t i = 0; i < (size_t) s->m * s->m; i++)
	{
		s->cheapest[i] = INFINITY;
		s->mover[i] = NONE;
	}
	s->free = NONE;
	s->nfree = s->nheld;
	for (int32_t at = s->nheld; at-- > 0;)
	{
		s->held[at].next = s->free;
		s->free = at;
	}
	for (int unit = 0; unit < s->n; unit++)
		s->of_unit[unit] = NONE;
	for (int i = 0; i < n; i++)
		total += s->supply[s->order[i]];
	for (int seat = 0; seat < s->k; seat++)
	{
		double		part = n < s->n ? (double) total / (double) s->total : 1;

		s->first[seat] = NONE;
		s->excess[seat] = 0;
		s->lower[seat] = s->whole_lower[seat];
		s->upper[seat] = s->whole_upper[seat];
		if (part < 1)
		{
			s->lower[seat] = (int64_t) floor((double) s->lower[seat] * part);
			s->upper[seat] = (int64_t) ceil((double) s->upper[seat] * part);
		}
	}
	s->excess[s->k] = -total;
}

/* Puts units where they are best off, and makes what a price says of a seat true of what goes outside. */
static void
start(Solver *s, int n)
{
	for (int i = 0; i < n; i++)
	{
		int			unit = n == s->n ? i : s->order[i];

		if (i % 1024 == 0)
			spmk_breathe(s->t->breath);
		if (s->supply[unit] > 0)
		{
			int			seat = best_seat(s, unit);

			hold(s, unit, seat, s->supply[unit]);
			s->excess[seat] += s->supply[unit];
		}
	}
	for (int seat = 0; seat < s->k; seat++)
	{
		int64_t		out = s->excess[seat];

		if (s->price[seat] > 0 || (s->price[seat] == 0 && out > s->upper[seat]))
			out = s->upper[seat];
		else if (s->price[seat] < 0 || out < s->lower[seat])
			out = s->lower[seat];
		s->out[seat] = out;
		s->excess[seat] -= out;
		s->excess[s->k] += out;
		open_outside(s, seat);
	}
}

/* Solves for the order's first n units; a node that has too much for all that it can reach, or NONE. */
static int
solve(Solver *s, int n)
{
	int			nclosed;

	begin(s, n);
	start(s, n);
	for (int source = 0; source < s->m; source++)
		while (s->excess[source] > 0)
		{
			int			target;
			double		outside;

			if (s->nfree < s->m)
				break_circles(s);
			spmk_breathe(s->t->breath);
			target = search(s, source, &nclosed);
			if (target == NONE)
				return source;
			for (int i = 0; i < nclosed; i++)
				s->price[s->closed[i]] += s->distance[target] - s->distance[s->closed[i]];
			outside = s->price[s->k];
			if (outside != 0)
				for (int node = 0; node < s->m; node++)
					s->price[node] -= outside;
			send(s, source, target);
		}
	return NONE;
}

/*
 * In and out
 */

/* Amounts as whole numbers; bounds that are met but for rounding are met. */
static SpmTransportStatus
take_in(Solver *s)
{
	const SpmTransport *t = s->t;
	double		total = 0;
	double		room = 0;
	double		least = 0;
	int64_t		whole_room = 0;
	int64_t		whole_least = 0;
	int			widest = 0;
	int			highest = 0;

	for (int unit = 0; unit < s->n; unit++)
		total += t->supplies[unit];
	for (int seat = 0; seat < s->k; seat++)
	{
		room += t->capacities[seat];
		least += t->minimums ? t->minimums[seat] : 0;
	}
	if (room < total * (1 - 1e-12))
		return SPM_TRANSPORT_NO_ROOM;
	if (least > total * (1 + 1e-12))
		return SPM_TRANSPORT_TOO_LITTLE;
	frexp(total, &s->scale);
	s->scale = total > 0 ? 59 - s->scale : 0;
	s->total = 0;
	for (int unit = 0; unit < s->n; unit++)
	{
		s->supply[unit] = llrint(ldexp(t->supplies[unit], s->scale));
		s->total += s->supply[unit];
	}
	for (int seat = 0; seat < s->k; seat++)
	{
		double		upper = ldexp(t->capacities[seat], s->scale);
		double		lower = t->minimums ? ldexp(t->minimums[seat], s->scale) : 0;

		/* more than all that there is, so that such a seat is never full */
		s->whole_upper[seat] = upper > (double) s->total ? s->total + 1 : llrint(upper);
		s->whole_lower[seat] = lower > (double) s->total ? s->total : llrint(lower);
		if (s->whole_upper[seat] < s->whole_lower[seat])
			s->whole_upper[seat] = s->whole_lower[seat];
		whole_least += s->whole_lower[seat];
		if (whole_room <= s->total)
			whole_room += s->whole_upper[seat];
		if (s->whole_upper[seat] > s->whole_upper[widest])
			widest = seat;
		if (s->whole_lower[seat] > s->whole_lower[highest])
			highest = seat;
	}
	if (whole_room < s->total)
		s->whole_upper[widest] += s->total - whole_room;
	if (whole_least > s->total)
		s->whole_lower[highest] -= whole_least - s->total;
	return SPM_TRANSPORT_OK;
}

/* The pieces of a unit in the order of seats; its amounts add up to its supply. */
static void
give_out_unit(Solver *s, SpmTransport *t, int unit)
{
	SpmPiece   *pieces = t->pieces + t->npieces;
	const double *costs = costs_of(s, unit);
	double		left = t->supplies[unit];
	int			best = best_seat(s, unit);
	int			count = 0;
	int			largest = 0;

	for (int32_t at = s->of_unit[unit]; at != NONE; at = s->held[at].sibling)
	{
		int			i = count++;

		for (; i > 0 && pieces[i - 1].seat > s->held[at].seat; i--)
			pieces[i] = pieces[i - 1];
		pieces[i] = (SpmPiece) {unit, s->held[at].seat, ldexp((double) s->held[at].amount, -s->scale)};
	}
	if (count == 0)
		pieces[count++] = (SpmPiece) {unit, best, left};
	for (int i = 1; i < count; i++)
		if (pieces[i].amount > pieces[largest].amount)
			largest = i;
	for (int i = 0; i < count; i++)
		if (i != largest)
			left -= pieces[i].amount;
	pieces[largest].amount = left;
	for (int i = 0; i < count; i++)
		t->value += pieces[i].amount * costs[pieces[i].seat];
	t->bound += t->supplies[unit] * (costs[best] + s->price[best]);
	t->npieces += count;
}

/* Why a search from 'source' has found nothing. */
static SpmTransportStatus
explain(Solver *s, SpmTransport *t, int source)
{
	if (source < s->k)
	{
		t->seat = source;
		t->unit = s->held[s->first[source]].unit;
		return SPM_TRANSPORT_OVERFULL;
	}
	for (int seat = 0; seat < s->k; seat++)
		if (s->excess[seat] < 0)
			t->seat = seat;
	return SPM_TRANSPORT_STARVED;
}

SpmTransportStatus
spmk_transport(SpmTransport *t, void *memory)
{
	Solver		solver = {.t = t, .n = t->nunits, .k = t->nseats, .m = t->nseats + 1};
	Solver	   *s = &solver;
	SpmChance	chance = {0};
	SpmTransportStatus status;
	int			levels = 0;
	int			source = NONE;

	t->npieces = 0;
	t->value = t->bound = 0;
	t->unit = t->seat = 0;
	lay_out(s, (char *) (((uintptr_t) memory + 63) & ~(uintptr_t) 63), s->n, s->k);
	s->nheld = s->n + 4 * s->m;
	for (int unit = 0; unit < s->n; unit++)
	{
		double		least = INFINITY;

		if (unit % 1024 == 0)
			spmk_breathe(t->breath);
		for (int seat = 0; seat < s->k && least == INFINITY; seat++)
			least = costs_of(s, unit)[seat];
		if (least == INFINITY)
		{
			t->unit = unit;
			return SPM_TRANSPORT_NO_SEAT;
		}
		s->order[unit] = unit;
	}
	status = take_in(s);
	if (status != SPM_TRANSPORT_OK)
		return status;

	for (int unit = s->n; unit-- > 1;)
	{
		int			other = spmk_chance_below(&chance, unit + 1);
		int32_t		swap = s->order[unit];

		s->order[unit] = s->order[other];
		s->order[other] = swap;
	}
	memcpy(s->price, t->prices, s->k * sizeof(double));
	s->price[s->k] = 0;
	while (s->n / pow(SAMPLE_RATIO, levels + 1) > (double) SAMPLE_LEAST * s->k)
		levels++;
	for (; levels >= 0; levels--)
		source = solve(s, (int) (s->n / pow(SAMPLE_RATIO, levels)));
	if (source != NONE)
		return explain(s, t, source);
	break_circles(s);

	for (int unit = 0; unit < s->n; unit++)
		give_out_unit(s, t, unit);
	for (int seat = 0; seat < s->k; seat++)
	{
		double		price = s->price[seat];

		t->prices[seat] = price;
		if (price > 0)
			t->bound -= price * t->capacities[seat];
		else if (price < 0 && t->minimums)
			t->bound -= price * t->minimums[seat];
	}
	return SPM_TRANSPORT_OK;
}
