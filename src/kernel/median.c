/*
 * median.c
 *	  Capacitated p-median by simulated annealing.
 *
 * The state is who belongs together: the seat of a cluster is always the member
 * that serves it at least cost, which sums[] knows without another look.  Units
 * shift to a near cluster or change places with a near unit; now and then a
 * seat is closed and another opened elsewhere, without which the number of
 * seats of a region would never change.  Loads may exceed capacities at a
 * price, which is steered so that some three of ten states are within them.
 */
#include <float.h>
#include <string.h>

#include "median.h"

#define CACHED_UNITS 1024		/* up to here distances are kept: 8 MB */
#define NEAR_ENTRIES ((size_t) 16 << 20)
#define WAITS 4096				/* power of 2 */
#define STAGES 100
#define ROUND_UNITS 2400		/* so many units get one round, half as many two ... */
#define MOST_ROUNDS 8
#define ROUND_MOVES 2000		/* a unit: shorter rounds do not settle */
#define HOT 0.3					/* temperatures, in mean distances: at the start of a round ... */
#define HOT_WHEN_FULL 1.0		/* ... when seats are nearly full, and plans lie far apart ... */
#define COLD 0.01				/* ... and at its end */
#define LOOSE_FILL 0.8			/* demand by capacity */
#define FULL_FILL 0.95
#define RELOCATIONS 0.1			/* of all moves; most are dismissed by an estimate */
#define OPTIMISM 2.0			/* how much better than its estimate a relocation may be */
#define FEASIBLE 0.3
#define FORBIDDING 1e200		/* a price of loads above capacity */
#define SMALL_CLUSTER 12		/* up to here an exact look is as cheap as a bound, */
#define SMALL_UNEVEN_CLUSTER 64 /* and up to here worth it where capacities differ */

typedef struct Search
{
	const SpmMedian *problem;
	SpmMedian	cached;			/* the same with cached_matrix */
	double	   *cached_matrix;
	int			n;
	int			p;
	bool		is_uniform;		/* all capacities are equal */
	SpmChance	chance;
	const SpmBreath *breath;
	int			nnear;
	int		   *near;			/* by unit, nearest first */
	double	   *capacity;		/* with rounding */
	float	   *waits;			/* exponentially distributed */

	/* by unit */
	int		   *cluster;
	int		   *next;			/* in the cluster */
	int		   *prev;
	double	   *sums;			/* distance of all its cluster, were it the seat */

	/* by cluster */
	int		   *head;
	int		   *count;
	int		   *seat;
	double	   *load;
	double	   *distance;
	double	   *over;			/* load above capacity */
	double	   *slack_shift;	/* what moving the seat can save at most when a unit comes or goes */
	double	   *slack_swap;

	double		price;			/* of a load above its capacity */
	double		total;			/* distance */
	double		excess;			/* load above capacity */
	int			nover;			/* clusters above it: exact, where excess is rounded */

	double		best_total;
	double		grain;			/* less than this is no improvement */
	int		   *best;
	int		   *changed;		/* units that have moved since the best; n + 1 of them: all */
	int			nchanged;
	int		   *undo;			/* unit and cluster, of a relocation */
	int			nundo;
} Search;

static inline double
distance(const Search *s, int unit, int seat)
{
	return spmk_median_distance(s->problem, unit, seat);
}

static inline double
above(double load, double capacity)
{
	return load > capacity ? load - capacity : 0;
}

/* What the load above capacity of cluster b would cost more, were its load changed. */
static inline double
load_price(const Search *s, int b, double change)
{
	return s->price * (above(s->load[b] + change, s->capacity[s->seat[b]]) - s->over[b]);
}

/* Give cluster a the seat that is best for it, and count what it costs. */
static void
choose_seat(Search *s, int a)
{
	double		least = DBL_MAX;
	int			seat = -1;
	double		shift = 0;
	double		swap = 0;

	s->total -= s->distance[a];
	s->excess -= s->over[a];
	s->nover -= s->over[a] > 0;
	s->distance[a] = s->over[a] = 0;
	for (int k = s->head[a]; k >= 0; k = s->next[k])
	{
		double		cost = s->sums[k] + s->price * above(s->load[a], s->capacity[k]);

		if (cost < least || seat < 0)
		{
			least = cost;
			seat = k;
		}
	}
	s->seat[a] = seat;
	if (seat < 0)
	{
		s->load[a] = 0;
		return;
	}
	s->distance[a] = s->sums[seat];
	s->over[a] = above(s->load[a], s->capacity[seat]);
	s->total += s->distance[a];
	s->excess += s->over[a];
	s->nover += s->over[a] > 0;

	/* By the triangle inequality: only seats that are nearly as good can gain. */
	if (s->count[a] <= (s->is_uniform ? SMALL_CLUSTER : SMALL_UNEVEN_CLUSTER))
		shift = swap = DBL_MAX / 4;
	else
		for (int k = s->head[a]; k >= 0; k = s->next[k])
		{
			double		behind = s->sums[k] + s->price * above(s->load[a], s->capacity[k]) - least;
			double		d = k == seat ? 0 : distance(s, seat, k);

			if (d - behind > shift)
				shift = d - behind;
			if (2 * d - behind > swap)
				swap = 2 * d - behind;
		}
	s->slack_shift[a] = shift;
	s->slack_swap[a] = swap;
}

static void
take_out(Search *s, int i)
{
	int			a = s->cluster[i];

	if (s->prev[i] >= 0)
		s->next[s->prev[i]] = s->next[i];
	else
		s->head[a] = s->next[i];
	if (s->next[i] >= 0)
		s->prev[s->next[i]] = s->prev[i];
	s->count[a]--;
	s->load[a] -= s->problem->demand[i];
	for (int k = s->head[a]; k >= 0; k = s->next[k])
		s->sums[k] -= distance(s, i, k);
}

static void
put_in(Search *s, int i, int b)
{
	double		sum = distance(s, i, i);

	for (int k = s->head[b]; k >= 0; k = s->next[k])
	{
		s->sums[k] += distance(s, i, k);
		sum += distance(s, k, i);
	}
	s->sums[i] = sum;
	s->next[i] = s->head[b];
	s->prev[i] = -1;
	if (s->head[b] >= 0)
		s->prev[s->head[b]] = i;
	s->head[b] = i;
	s->count[b]++;
	s->load[b] += s->problem->demand[i];
	s->cluster[i] = b;
	if (s->nchanged < s->n)
		s->changed[s->nchanged++] = i;
	else
		s->nchanged = s->n + 1;
}

static void
shift(Search *s, int i, int b)
{
	int			a = s->cluster[i];

	take_out(s, i);
	put_in(s, i, b);
	choose_seat(s, a);
	choose_seat(s, b);
}

/* What cluster a costs more without unit 'out' and with unit 'in'; either may be -1. */
static double
change(const Search *s, int a, int out, int in)
{
	double		load = s->load[a];
	double		least = DBL_MAX;
	double		own = 0;

	if (out >= 0)
		load -= s->problem->demand[out];
	if (in >= 0)
	{
		load += s->problem->demand[in];
		own = distance(s, in, in);
	}
	for (int k = s->head[a]; k >= 0; k = s->next[k])
	{
		double		cost = s->sums[k];

		if (k == out)
			continue;
		if (out >= 0)
			cost -= distance(s, out, k);
		if (in >= 0)
		{
			cost += distance(s, in, k);
			own += distance(s, k, in);
		}
		cost += s->price * above(load, s->capacity[k]);
		if (cost < least)
			least = cost;
	}
	if (in >= 0)
	{
		own += s->price * above(load, s->capacity[in]);
		if (own < least)
			least = own;
	}
	return least - s->distance[a] - s->price * s->over[a];
}

/* Of what a load above its capacity costs: what another seat of the cluster might save. */
static inline double
price_saved(const Search *s, double price)
{
	return s->is_uniform || price < 0 ? 0 : price;
}

/*
 * Unit i to cluster b if that costs less than 'limit' more.  With the seats
 * where they are is a first look: never too low, and too high by the slacks at
 * most.  (Nearly: where the triangle inequality does not hold, or capacities
 * differ, some moves are missed.)
 */
static bool
try_shift(Search *s, int i, int b, double limit)
{
	int			a = s->cluster[i];
	double		q = s->problem->demand[i];
	double		more = DBL_MAX;

	if (s->count[a] < 2)
		return false;
	if (i != s->seat[a])
	{
		double		price = load_price(s, b, q);

		more = distance(s, i, s->seat[b]) - distance(s, i, s->seat[a]) + price + load_price(s, a, -q);
		if (more - s->slack_shift[a] - s->slack_shift[b] - price_saved(s, price) >= limit)
			return false;
	}
	if (more >= limit && change(s, a, i, -1) + change(s, b, -1, i) >= limit)
		return false;
	shift(s, i, b);
	return true;
}

/* Units i and j change places if that costs less than 'limit' more. */
static bool
try_swap(Search *s, int i, int j, double limit)
{
	int			a = s->cluster[i];
	int			b = s->cluster[j];
	double		q = s->problem->demand[j] - s->problem->demand[i];
	double		more = DBL_MAX;

	if (i != s->seat[a] && j != s->seat[b])
	{
		double		price_a = load_price(s, a, q);
		double		price_b = load_price(s, b, -q);

		more = distance(s, i, s->seat[b]) - distance(s, i, s->seat[a]) +
			distance(s, j, s->seat[a]) - distance(s, j, s->seat[b]) + price_a + price_b;
		if (more - s->slack_swap[a] - s->slack_swap[b] - price_saved(s, price_a) - price_saved(s, price_b) >= limit)
			return false;
	}
	if (more >= limit && change(s, a, i, j) + change(s, b, j, i) >= limit)
		return false;
	take_out(s, i);
	take_out(s, j);
	put_in(s, i, b);
	put_in(s, j, a);
	choose_seat(s, a);
	choose_seat(s, b);
	return true;
}

/* Whether a seat at k in place of cluster a may cost less than 'limit' more, at a glance. */
static bool
relocation_may_pay(const Search *s, int a, int k, double limit)
{
	double		gain = distance(s, k, s->seat[s->cluster[k]]);
	double		load = s->problem->demand[k];
	double		room;

	for (int t = 0; t < s->nnear && load < s->capacity[k]; t++)
	{
		int			j = s->near[(size_t) k * s->nnear + t];
		double		saved = distance(s, j, s->seat[s->cluster[j]]) - distance(s, j, k);

		if (s->cluster[j] != a && saved > 0)
		{
			gain += saved;
			load += s->problem->demand[j];
		}
	}
	room = OPTIMISM * gain + limit + s->distance[a];
	for (int i = s->head[a]; i >= 0 && room >= 0; i = s->next[i])
	{
		const int  *near = s->near + (size_t) i * s->nnear;
		int			t = 0;

		while (t < s->nnear && s->cluster[near[t]] == a)
			t++;
		if (t < s->nnear)
			room -= distance(s, i, s->seat[s->cluster[near[t]]]);
	}
	return room >= 0;
}

static void
relocate_unit(Search *s, int i, int to)
{
	s->undo[s->nundo++] = i;
	s->undo[s->nundo++] = s->cluster[i];
	shift(s, i, to);
}

/* Give the units of cluster a to others, and open it again around unit k. */
static bool
try_relocation(Search *s, int a, int k, double limit)
{
	double		before = s->total + s->price * s->excess;

	if (s->cluster[k] == a || s->count[s->cluster[k]] < 2 || !relocation_may_pay(s, a, k, limit))
		return false;
	s->nundo = 0;
	for (int i; (i = s->head[a]) >= 0;)
	{
		const int  *near = s->near + (size_t) i * s->nnear;
		double		least = DBL_MAX;
		int			to = s->cluster[k];

		for (int t = 0; t < s->nnear; t++)
		{
			int			b = s->cluster[near[t]];
			double		cost;

			if (b == a)
				continue;
			cost = distance(s, i, s->seat[b]) + load_price(s, b, s->problem->demand[i]);
			if (cost < least)
			{
				least = cost;
				to = b;
			}
		}
		relocate_unit(s, i, to);
	}
	relocate_unit(s, k, a);
	for (int t = 0; t < s->nnear; t++)
	{
		int			j = s->near[(size_t) k * s->nnear + t];
		int			b = s->cluster[j];
		double		q = s->problem->demand[j];

		if (b != a && s->count[b] > 1 &&
			distance(s, j, k) + s->price * (above(s->load[a] + q, s->capacity[k]) - above(s->load[a], s->capacity[k])) <
			distance(s, j, s->seat[b]) - load_price(s, b, -q))
			relocate_unit(s, j, a);
	}
	if (s->total + s->price * s->excess - before < limit)
		return true;
	while (s->nundo > 0)
	{
		s->nundo -= 2;
		shift(s, s->undo[s->nundo], s->undo[s->nundo + 1]);
	}
	return false;
}

static void
keep_best(Search *s)
{
	if (s->nover > 0 || s->total >= s->best_total - s->grain)
		return;
	s->best_total = s->total;
	if (s->nchanged > s->n)
		memcpy(s->best, s->cluster, s->n * sizeof(int));
	else
		for (int t = 0; t < s->nchanged; t++)
			s->best[s->changed[t]] = s->cluster[s->changed[t]];
	s->nchanged = 0;
}

/* Take a state from clusters; 'from' may be s->cluster itself, to shed what rounding has left, or s->changed. */
static void
set_state(Search *s, const int *from)
{
	s->total = s->excess = 0;
	s->nover = 0;
	s->nchanged = s->n + 1;
	for (int a = 0; a < s->p; a++)
	{
		s->head[a] = -1;
		s->count[a] = 0;
		s->load[a] = s->distance[a] = s->over[a] = 0;
	}
	for (int i = s->n - 1; i >= 0; i--)
	{
		put_in(s, i, from[i]);
		if (i % 64 == 0)
			spmk_breathe(s->breath);
	}
	for (int a = 0; a < s->p; a++)
		choose_seat(s, a);
}

static void
take_best(Search *s)
{
	set_state(s, s->best);
	s->nchanged = 0;
}

/* What is met on the way may have seats that are cheaper to overload than to move. */
static void
keep_if_within(Search *s, const int *from)
{
	double		price = s->price;

	s->price = FORBIDDING;
	set_state(s, from);
	keep_best(s);
	s->price = price;
	set_state(s, s->cluster);
}

static inline bool
is_nearer(const double *d, int i, int j)
{
	return d[i] < d[j] || (d[i] == d[j] && i < j);
}

static void
sift(int *heap, int size, int at, const double *d)
{
	int			moving = heap[at];

	for (int child; (child = 2 * at + 1) < size; at = child)
	{
		if (child + 1 < size && is_nearer(d, heap[child], heap[child + 1]))
			child++;
		if (!is_nearer(d, moving, heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = moving;
}

void
spmk_nearest_first(int *list, int n, int k, const double *d)
{
	for (int at = k / 2 - 1; at >= 0; at--)
		sift(list, k, at, d);
	for (int t = k; t < n; t++)
		if (is_nearer(d, list[t], list[0]))
		{
			list[0] = list[t];
			sift(list, k, 0, d);
		}
	for (int size = k - 1; size > 0; size--)
	{
		int			farthest = list[0];

		list[0] = list[size];
		list[size] = farthest;
		sift(list, size, 0, d);
	}
}

/* sums[] and best[] serve as scratch. */
static void
find_near(Search *s)
{
	for (int i = 0; i < s->n; i++)
	{
		int			count = 0;

		for (int j = 0; j < s->n; j++)
		{
			s->sums[j] = distance(s, i, j);
			if (j != i)
				s->best[count++] = j;
		}
		spmk_nearest_first(s->best, count, s->nnear, s->sums);
		memcpy(s->near + (size_t) i * s->nnear, s->best, s->nnear * sizeof(int));
		spmk_breathe(s->breath);
	}
}

/* Seats drawn in proportion to the distance from those before; each unit goes to its nearest. */
static void
draw_start(Search *s)
{
	double	   *away = s->sums;
	int		   *to = s->changed;

	for (int i = 0; i < s->n; i++)
		away[i] = DBL_MAX;
	for (int a = 0; a < s->p; a++)
	{
		double		sum = 0;
		double		drawn;
		int			seat = -1;

#define WEIGHT(i) (!spmk_median_can_be_seat(s->problem, i) || away[i] < 0 ? 0 : a == 0 ? 1 : away[i])
		for (int i = 0; i < s->n; i++)
			sum += WEIGHT(i);
		drawn = spmk_chance_unit(&s->chance) * sum;
		for (int i = 0; i < s->n; i++)
		{
			/* All at one place: the first that is free. */
			if (seat < 0 && spmk_median_can_be_seat(s->problem, i) && away[i] >= 0)
				seat = i;
			if (drawn < WEIGHT(i))
			{
				seat = i;
				break;
			}
			drawn -= WEIGHT(i);
		}
#undef WEIGHT
		for (int i = 0; i < s->n; i++)
		{
			double		d = i == seat ? -1 : distance(s, i, seat);

			if (d < away[i])
			{
				away[i] = d;
				to[i] = a;
			}
		}
		spmk_breathe(s->breath);
	}
	set_state(s, to);
}

static void
anneal(Search *s, int64_t moves, double hot, double cold)
{
	double		cooling = hot > 0 ? (float) pow(cold / hot, 1.0 / STAGES) : 0;
	double		temperature = hot;
	double		least_price = s->price / 1e3;
	double		most_price = s->price * 1e6;
	int			seen = 0;
	int			feasible = 0;

	for (int64_t move = 0; move < moves; move++)
	{
		uint64_t	chance = spmk_chance_next(&s->chance);
		int			i = (int) (((chance >> 32) * s->n) >> 32);
		double		limit = temperature * s->waits[chance & (WAITS - 1)];
		bool		is_swap = chance & WAITS;
		bool		moved;

		chance = spmk_chance_next(&s->chance);
		if ((uint32_t) chance < (uint32_t) (RELOCATIONS * UINT32_MAX))
			moved = try_relocation(s, (int) (((chance >> 32) * s->p) >> 32), i, limit);
		else
		{
			double		u = (chance >> 32) * (1.0 / 4294967296.0);
			int			j = s->near[(size_t) i * s->nnear + (int) (u * u * s->nnear)];

			if (s->cluster[i] == s->cluster[j])
				moved = false;
			else if (is_swap)
				moved = try_swap(s, i, j, limit);
			else
				moved = try_shift(s, i, s->cluster[j], limit);
		}
		if (moved)
			keep_best(s);
		if (move % 64 != 0)
			continue;
		spmk_breathe(s->breath);
		feasible += s->nover == 0;
		if (++seen == 32)
		{
			s->price *= feasible < FEASIBLE * seen ? 1.1 : 1 / 1.1;
			s->price = fmin(fmax(s->price, least_price), most_price);
			seen = feasible = 0;
		}
		if (move / (moves / STAGES + 1) != (move - 64) / (moves / STAGES + 1))
			temperature *= cooling;
	}
}

/* The arrays of a search in memory; without memory, only how much it takes. */
static size_t
lay_out(Search *s, const SpmMedian *problem, void *memory)
{
	size_t		n = problem->n;
	size_t		p = problem->p;
	size_t		nnear = 3 * n / p;
	size_t		used = 0;

	nnear = nnear < 16 ? 16 : nnear;
	nnear = nnear > NEAR_ENTRIES / n ? NEAR_ENTRIES / n + 1 : nnear;
	s->nnear = (int) (nnear > n - 1 ? n - 1 : nnear);
#define CARVE(field, count) s->field = spmk_carve(memory, &used, count, sizeof(*s->field))
	CARVE(near, n * s->nnear);
	CARVE(capacity, n);
	CARVE(waits, WAITS);
	CARVE(cluster, n);
	CARVE(next, n);
	CARVE(prev, n);
	CARVE(sums, n);
	CARVE(head, p);
	CARVE(count, p);
	CARVE(seat, p);
	CARVE(load, p);
	CARVE(distance, p);
	CARVE(over, p);
	CARVE(slack_shift, p);
	CARVE(slack_swap, p);
	CARVE(best, n);
	CARVE(changed, n);
	CARVE(undo, 4 * n);
	if (!problem->matrix && n <= CACHED_UNITS)
		CARVE(cached_matrix, n * n);
#undef CARVE
	return used;
}

size_t
spmk_median_bytes(const SpmMedian *problem)
{
	Search		s = {0};

	return lay_out(&s, problem, NULL);
}

/*
 * Moves after which a plan is hardly improved by as many again: two seconds for
 * 300 units, some 15 for 3,000.  A move takes longer in large clusters.
 */
int64_t
spmk_median_moves(const SpmMedian *problem)
{
	double		n = problem->n;
	double		moves = n <= 300 ? 64000 * n : 64000 * 300.0 + 45000 * (n - 300);

	moves = fmax(4e6, fmin(moves, 2e8));
	return (int64_t) (moves * 50 / (50 + n / problem->p));
}

/* Whether there may be a plan at all; sums[] and best[] serve as scratch. */
static SpmMedianStatus
check(Search *s, SpmMedianTrouble *trouble)
{
	const SpmMedian *problem = s->problem;
	int			count = 0;

	trouble->demand = 0;
	trouble->capacity = -1;
	for (int i = 0; i < s->n; i++)
	{
		trouble->demand += problem->demand[i];
		if (!spmk_median_can_be_seat(problem, i))
			continue;
		s->sums[i] = -s->capacity[i];
		s->best[count++] = i;
		trouble->capacity = fmax(trouble->capacity, s->capacity[i]);
	}
	trouble->seats = count;
	for (int i = 0; i < s->n && count > 0; i++)
		if (problem->demand[i] > trouble->capacity)
		{
			trouble->unit = i;
			return SPM_MEDIAN_UNIT_TOO_LARGE;
		}
	if (count < s->p)
		return SPM_MEDIAN_FEW_SEATS;
	if (count < s->p)
		return SPM_MEDIAN_FEW_SEATS;
	spmk_nearest_first(s->best, count, s->p, s->sums);
	trouble->capacity = 0;
	for (int a = 0; a < s->p; a++)
		trouble->capacity += s->capacity[s->best[a]];
	return trouble->demand > trouble->capacity ? SPM_MEDIAN_FULL : SPM_MEDIAN_OK;
}

/*
 * seat_of[unit] becomes the unit at which its seat is.  memory:
 * spmk_median_bytes() of it.  Without a plan, trouble says what is known.
 */
SpmMedianStatus
spmk_median(const SpmMedian *problem, int64_t moves, uint64_t seed, void *memory,
			const SpmBreath *breath, int *seat_of, SpmMedianTrouble *trouble)
{
	Search		search = {0};
	Search	   *s = &search;
	SpmMedianStatus status;
	double		demand;
	double		mean;
	double		fill;
	double		hot;
	int			rounds;

	s->problem = problem;
	s->n = problem->n;
	s->p = problem->p;
	s->chance.state = seed;
	s->breath = breath;
	s->is_uniform = true;
	lay_out(s, problem, memory);
	for (int i = 0; i < s->n; i++)
	{
		s->capacity[i] = problem->capacity[i] * (1 + SPM_MEDIAN_ROUNDING);
		s->is_uniform &= problem->capacity[i] == problem->capacity[0];
	}
	status = check(s, trouble);
	if (status != SPM_MEDIAN_OK)
		return status;
	if (s->cached_matrix)
	{
		for (int i = 0; i < s->n; i++)
			for (int k = 0; k < s->n; k++)
				s->cached_matrix[(size_t) i * s->n + k] = distance(s, i, k);
		s->cached = *problem;
		s->cached.matrix = s->cached_matrix;
		s->problem = &s->cached;
	}
	for (int i = 0; i < WAITS; i++)
		s->waits[i] = (float) -log((i + 0.5) / WAITS);
	find_near(s);

	draw_start(s);
	mean = s->total / s->n;
	demand = trouble->demand;
	s->price = mean > 0 && demand > 0 ? s->total / demand : 1;
	s->grain = 1e-9 * mean;
	s->best_total = DBL_MAX;
	keep_if_within(s, s->cluster);

	fill = fmax(0, fmin((demand / trouble->capacity - LOOSE_FILL) / (FULL_FILL - LOOSE_FILL), 1));
	hot = HOT + (HOT_WHEN_FULL - HOT) * fill;

	/* Chance evens out among many units; few gain more by another try, unless there is little room. */
	rounds = ROUND_UNITS / s->n;
	rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
	rounds -= (int) (rounds * fill / 2);
	if (moves / rounds < (int64_t) ROUND_MOVES * s->n)
		rounds = (int) (moves / ((int64_t) ROUND_MOVES * s->n)) + 1;

	/* Starts afresh and from the best plan take turns.  Without one there are some more. */
	for (int round = 0; s->p < s->n && (round < rounds || (s->best_total == DBL_MAX && round < MOST_ROUNDS)); round++)
	{
		if (round % 2 == 1 && s->best_total < DBL_MAX)
			take_best(s);
		else if (round > 0)
			draw_start(s);
		anneal(s, moves / rounds, mean * hot, mean * COLD);
		keep_if_within(s, s->cluster);
	}
	if (s->best_total == DBL_MAX)
		return SPM_MEDIAN_NOT_FOUND;

	/* What is left are moves downhill. */
	take_best(s);
	if (s->p < s->n)
		anneal(s, moves / 32, 0, 0);
	s->price = FORBIDDING;
	take_best(s);
	for (int i = 0; i < s->n; i++)
		seat_of[i] = s->seat[s->cluster[i]];
	return SPM_MEDIAN_OK;
}

/* The sum of distances, unit by unit. */
double
spmk_median_value(const SpmMedian *problem, const int *seat_of)
{
	double		value = 0;

	for (int i = 0; i < problem->n; i++)
		value += spmk_median_distance(problem, i, seat_of[i]);
	return value;
}
