/*
 * gap.c
 *	  Generalized assignment by prices, and chains of shifts.
 *
 * Prices of capacity come first: they maximise the Lagrangian bound, in which
 * every job goes where cost plus price times load is least.  A plan costs the
 * bound, plus what each job's agent is worse than its best, plus the price of
 * the capacity left over: so only agents that are nearly best for a job are
 * tried, and a good move leaves little room unused.  Where loads are whole the
 * bound is raised by prices of jobs, at which each agent takes the best that fits.
 *
 * The search is annealing over ejection chains: a job goes to another agent,
 * which lets go the job that fits best what is too much, and so on until one
 * finds room (after Yagiura, Ibaraki and Glover, INFORMS J. Computing 16, 2004).
 * Capacities may be exceeded at a price a little above that of the bound, which
 * rises as it gets colder; then it gets warm again.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "gap.h"
#include "knapsack.h"

#define CANDIDATES 8			/* agents that are tried for a job */
#define DEPTH 6					/* jobs that are let go in a chain */
#define CYCLES 9				/* times that it gets cold; every third keeps to the capacities */
#define RESCUES 4				/* more of them where nothing fits yet */
#define WARM 1.0				/* times what the second best agent is worse */
#define COLD 0.1
#define SOFT 1.1				/* times the price */
#define HARD 8.0
#define NEVER 1000.0
#define KNAPSACK_ROOM 65536		/* capacity beyond which no knapsacks are packed */
#define KNAPSACK_WORDS (1 << 19)
#define KNAPSACK_WORK 4e8		/* steps for all knapsacks together */
#define TOLERANCE 1e-9			/* of a capacity */
#define NONE (-1)

typedef struct Solver
{
	SpmGap	   *p;
	int			n;
	int			m;
	int			q;				/* candidates of a job */
	double	   *capacity;		/* m: a little wider where numbers are not whole, for rounding */
	double	   *costs;			/* n x m, INFINITY also where a job alone is too much */
	int32_t    *candidates;		/* n x q, the best first; the last again where there are fewer */
	double	   *price;			/* m */
	double	   *trial;			/* m: prices tried */
	double	   *slope;			/* m: of the bound at those */
	double	   *direction;		/* m */
	double	   *base;			/* m: what exceeding costs at the softest */
	double	   *penalty;		/* m: and now */
	double	   *room;			/* m: left; negative where exceeded */
	int32_t    *first;			/* m: jobs of an agent */
	int32_t    *next;			/* n */
	int32_t    *prev;			/* n */
	int32_t    *agent;			/* n: of a job */
	int32_t    *visited;		/* m: number of the chain */
	double	   *worth;			/* n: prices of jobs */
	double	   *worth_trial;	/* n */
	double	   *worth_slope;	/* n */
	double	   *profits;		/* n: the same of the jobs that an agent would take */
	int32_t    *weights;		/* n */
	int32_t    *packed;			/* n: which these are */
	bool	   *taken;			/* n */
	double	   *values;			/* KNAPSACK_ROOM + 1 */
	uint64_t   *bits;			/* KNAPSACK_WORDS */
	int32_t		chain;
	int			nexceeded;
	double		cost;
	double		scale;			/* of temperatures */
	double		temperature;
	bool		whole_costs;	/* all are whole numbers */
	bool		whole_loads;
	bool		is_found;
	SpmChance	chance;
} Solver;

/* Jobs, each with where it goes. */
typedef struct Chain
{
	int			length;
	int32_t		jobs[DEPTH + 1];
	int32_t		to[DEPTH + 1];
} Chain;

static size_t
lay_out(Solver *s, char *memory, int n, int m)
{
	size_t		at = 0;
	int			q = m < CANDIDATES ? m : CANDIDATES;

#define ROOM(field, count) \
	do { \
		if (memory) \
			s->field = (void *) (memory + at); \
		at += ((size_t) (count) * sizeof(*s->field) + 63) & ~(size_t) 63; \
	} while (0)
	ROOM(costs, (size_t) n * m);
	ROOM(candidates, (size_t) n * q);
	ROOM(price, m);
	ROOM(trial, m);
	ROOM(slope, m);
	ROOM(direction, m);
	ROOM(base, m);
	ROOM(penalty, m);
	ROOM(room, m);
	ROOM(capacity, m);
	ROOM(first, m);
	ROOM(next, n);
	ROOM(prev, n);
	ROOM(agent, n);
	ROOM(visited, m);
	ROOM(worth, n);
	ROOM(worth_trial, n);
	ROOM(worth_slope, n);
	ROOM(profits, n);
	ROOM(weights, n);
	ROOM(packed, n);
	ROOM(taken, n);
	ROOM(values, KNAPSACK_ROOM + 1);
	ROOM(bits, KNAPSACK_WORDS);
#undef ROOM
	return at;
}

size_t
spmk_gap_memory(int njobs, int nagents)
{
	Solver		unused;

	return lay_out(&unused, NULL, njobs, nagents) + 64;
}

/*
 * The bound
 */

/* The bound that prices give, and how it changes with each of them. */
static double
bound_at(Solver *s, const double *price, double *slope)
{
	const SpmGap *p = s->p;
	double		bound = 0;

	for (int j = 0; j < s->m; j++)
	{
		bound -= price[j] * s->capacity[j];
		slope[j] = -s->capacity[j];
	}
	for (int i = 0; i < s->n; i++)
	{
		const double *costs = s->costs + (size_t) i * s->m;
		const double *loads = p->loads + (size_t) i * s->m;
		double		least = INFINITY;
		int			best = 0;

		if (i % 1024 == 0)
			spmk_breathe(p->breath);
		for (int j = 0; j < s->m; j++)
		{
			double		priced = costs[j] + price[j] * loads[j];

			if (priced < least)
			{
				least = priced;
				best = j;
			}
		}
		bound += least;
		slope[best] += loads[best];
	}
	return bound;
}

/*
 * Steps along the slopes, smoothed, to a target above the best bound that comes
 * nearer whenever it is not reached.  Above 'most' no plan is possible.
 */
static void
find_prices(Solver *s, double most)
{
	SpmGap	   *p = s->p;
	double		ahead;
	double		mark;
	double		work = (double) s->n * s->m;
	int			steps = work > 1e6 ? 200 + (int) (1.8e9 / work) : 2000;
	int			waited = 0;

	memset(s->price, 0, s->m * sizeof(double));
	memset(s->trial, 0, s->m * sizeof(double));
	memset(s->direction, 0, s->m * sizeof(double));
	mark = p->bound = bound_at(s, s->price, s->slope);
	ahead = 0.05 * (fabs(mark) + 1);
	for (int step = 0; step < steps && p->bound <= most; step++)
	{
		double		bound = bound_at(s, s->trial, s->slope);
		double		length = 0;
		double		stride;

		if (bound > p->bound)
		{
			p->bound = bound;
			memcpy(s->price, s->trial, s->m * sizeof(double));
		}
		if (p->bound > mark + ahead / 2)
		{
			if (waited <= 1)
				ahead *= 1.5;
			mark = p->bound;
			waited = 0;
		}
		else if (++waited >= 15 + s->m)
		{
			ahead *= 0.6;
			mark = p->bound;
			waited = 0;
			memcpy(s->trial, s->price, s->m * sizeof(double));
			memset(s->direction, 0, s->m * sizeof(double));
			bound = bound_at(s, s->trial, s->slope);
			if (ahead < 1e-7 * fabs(p->bound))
				break;
		}
		for (int smooth = 1; smooth >= 0 && length == 0; smooth--)
			for (int j = 0; j < s->m; j++)
			{
				s->direction[j] = (smooth ? 0.6 * s->direction[j] : 0) + s->slope[j];
				if (s->trial[j] <= 0 && s->direction[j] < 0)
					s->direction[j] = 0;
				length += s->direction[j] * s->direction[j];
			}
		if (length == 0)
			break;				/* no price would be worth changing */
		stride = (p->bound + ahead - bound) / length;
		for (int j = 0; j < s->m; j++)
			s->trial[j] = fmax(0, s->trial[j] + stride * s->direction[j]);
	}
}

/*
 * The bound that prices of jobs give: an agent gets a job's price for it and
 * takes those that bring most, whether others do as well or nobody does.
 * Counts the work; negative: a knapsack is too large.
 */
static double
packed_bound(Solver *s, const double *worth, double *slope, double *work)
{
	const SpmGap *p = s->p;
	double		bound = 0;

	*work = 0;
	for (int i = 0; i < s->n; i++)
	{
		bound += worth[i];
		slope[i] = 1;
	}
	for (int j = 0; j < s->m; j++)
	{
		SpmKnapsack k = {.profits = s->profits, .weights = s->weights, .taken = s->taken,
			.values = s->values, .bits = s->bits, .capacity = (int32_t) s->capacity[j]};

		for (int i = 0; i < s->n; i++)
		{
			size_t		pair = (size_t) i * s->m + j;

			if (!(s->costs[pair] < worth[i]))
				continue;
			s->packed[k.n] = i;
			s->profits[k.n] = worth[i] - s->costs[pair];
			s->weights[k.n++] = (int32_t) p->loads[pair];
		}
		if (spmk_knapsack_words(k.n, k.capacity) > KNAPSACK_WORDS)
		{
			*work = -1;
			return -INFINITY;
		}
		*work += ((double) k.n + 1) * (k.capacity + 1);
		bound -= spmk_knapsack(&k);
		for (int i = 0; i < k.n; i++)
			if (s->taken[i])
				slope[s->packed[i]] -= 1;
		spmk_breathe(p->breath);
	}
	return bound;
}

/* Raises the bound from where the prices of capacity have left it. */
static void
raise_bound(Solver *s)
{
	SpmGap	   *p = s->p;
	double		left = KNAPSACK_WORK;
	double		ahead = 0.002 * (fabs(p->bound) + 1);
	double		nearest = ahead / 2000;
	double		mark;
	double		work;
	int			waited = 0;

	for (int j = 0; j < s->m; j++)
		if (s->capacity[j] > KNAPSACK_ROOM)
			return;
	for (int i = 0; i < s->n; i++)
	{
		s->worth[i] = INFINITY;
		for (int j = 0; j < s->m; j++)
		{
			size_t		pair = (size_t) i * s->m + j;

			s->worth[i] = fmin(s->worth[i], s->costs[pair] + s->price[j] * p->loads[pair]);
		}
	}
	memcpy(s->worth_trial, s->worth, s->n * sizeof(double));
	mark = p->bound;
	for (;;)
	{
		double		bound = packed_bound(s, s->worth_trial, s->worth_slope, &work);
		double		length = 0;

		left -= work;
		if (work < 0 || left < 0)
			return;
		if (bound > p->bound)
		{
			p->bound = bound;
			memcpy(s->worth, s->worth_trial, s->n * sizeof(double));
		}
		if (p->bound > mark + ahead / 2)
		{
			mark = p->bound;
			waited = 0;
		}
		else if (++waited >= 20)
		{
			ahead *= 0.6;
			mark = p->bound;
			waited = 0;
			memcpy(s->worth_trial, s->worth, s->n * sizeof(double));
			if (ahead < nearest)
				return;
			continue;
		}
		for (int i = 0; i < s->n; i++)
			length += s->worth_slope[i] * s->worth_slope[i];
		if (length == 0)
			return;				/* every job is taken once: this is a plan */
		for (int i = 0; i < s->n; i++)
			s->worth_trial[i] += (p->bound + ahead - bound) / length * s->worth_slope[i];
	}
}

/*
 * The plan
 */

static inline double
exceeding(const Solver *s, int agent, double room)
{
	return room < 0 ? -room * s->penalty[agent] : 0;
}

static inline bool
is_exceeded(const Solver *s, int agent)
{
	return s->room[agent] < 0;
}

static void
put(Solver *s, int job, int agent)
{
	s->agent[job] = agent;
	s->prev[job] = NONE;
	s->next[job] = s->first[agent];
	if (s->first[agent] != NONE)
		s->prev[s->first[agent]] = job;
	s->first[agent] = job;
	s->room[agent] -= s->p->loads[(size_t) job * s->m + agent];
	s->cost += s->costs[(size_t) job * s->m + agent];
}

static void
take(Solver *s, int job)
{
	int			agent = s->agent[job];

	if (s->prev[job] == NONE)
		s->first[agent] = s->next[job];
	else
		s->next[s->prev[job]] = s->next[job];
	if (s->next[job] != NONE)
		s->prev[s->next[job]] = s->prev[job];
	s->room[agent] += s->p->loads[(size_t) job * s->m + agent];
	s->cost -= s->costs[(size_t) job * s->m + agent];
}

/* Adds rooms and cost up again: differences of fractions wander. */
static void
add_up(Solver *s)
{
	s->cost = 0;
	s->nexceeded = 0;
	memcpy(s->room, s->capacity, s->m * sizeof(double));
	for (int i = 0; i < s->n; i++)
	{
		size_t		pair = (size_t) i * s->m + s->agent[i];

		s->room[s->agent[i]] -= s->p->loads[pair];
		s->cost += s->costs[pair];
	}
	for (int j = 0; j < s->m; j++)
		s->nexceeded += is_exceeded(s, j);
}

static void
keep_if_best(Solver *s)
{
	SpmGap	   *p = s->p;

	if (s->nexceeded > 0 || (s->is_found && s->cost >= p->value - TOLERANCE * fabs(p->value)))
		return;
	if (!s->whole_costs || !s->whole_loads)
		add_up(s);
	if (s->nexceeded > 0)
		return;
	s->is_found = true;
	p->value = s->cost;
	memcpy(p->agents, s->agent, s->n * sizeof(int));
}

/* Goes on from the best plan. */
static void
go_back(Solver *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->agent[i] != s->p->agents[i])
		{
			take(s, i);
			put(s, i, s->p->agents[i]);
		}
	add_up(s);
}

/* Agents by priced cost, the best few of each job, and the first plan. */
static void
find_candidates(Solver *s)
{
	const SpmGap *p = s->p;
	double		behind[CANDIDATES] = {0};
	double		average = 0;
	double		load = 0;

	for (int j = 0; j < s->m; j++)
	{
		s->first[j] = NONE;
		s->room[j] = s->capacity[j];
		s->visited[j] = 0;
		average += s->price[j] / s->m;
	}
	for (int i = 0; i < s->n; i++)
	{
		const double *costs = s->costs + (size_t) i * s->m;
		const double *loads = p->loads + (size_t) i * s->m;
		int32_t    *candidates = s->candidates + (size_t) i * s->q;
		double		priced[CANDIDATES];
		int			count = 0;

		if (i % 1024 == 0)
			spmk_breathe(p->breath);
		for (int j = 0; j < s->m; j++)
		{
			double		cost = costs[j] + s->price[j] * loads[j];
			int			at = count;

			if (cost == INFINITY || (count == s->q && cost >= priced[count - 1]))
				continue;
			if (count < s->q)
				count++;
			else
				at--;
			for (; at > 0 && priced[at - 1] > cost; at--)
			{
				priced[at] = priced[at - 1];
				candidates[at] = candidates[at - 1];
			}
			priced[at] = cost;
			candidates[at] = j;
		}
		for (int c = 1; c < count; c++)
			behind[c] += priced[c] - priced[0];
		load += loads[candidates[0]];
		for (int c = count; c < s->q; c++)
			candidates[c] = candidates[count - 1];
		put(s, i, candidates[0]);
	}
	s->scale = 0;
	for (int c = 1; c < s->q && s->scale <= 0; c++)
		s->scale = behind[c] / s->n;
	/* where capacity seems free, exceeding it still is not */
	for (int j = 0; j < s->m; j++)
		s->base[j] = fmax(s->price[j], 0.1 * average + (load > 0 ? 0.1 * s->scale * s->n / load : 0) + 1e-9);
}

/*
 * The search
 */

/* Of the jobs of an agent that gets 'room' by one more: which one had best go on? */
static int
whom_to_let_go(Solver *s, int agent, double room)
{
	double		price = s->price[agent];
	double		over = s->penalty[agent] - price;
	double		noise = 4 * s->temperature;
	double		least = INFINITY;
	int			best = NONE;

	for (int job = s->first[agent]; job != NONE; job = s->next[job])
	{
		size_t		row = (size_t) job * s->m;
		const int32_t *candidates = s->candidates + (size_t) job * s->q;
		int			other = candidates[0] != agent || s->q == 1 ? candidates[0] : candidates[1];
		double		load = s->p->loads[row + agent];
		double		left = room + load;
		double		score = s->costs[row + other] + s->price[other] * s->p->loads[row + other]
			- s->costs[row + agent] - price * load
			+ (left >= 0 ? price * left : -over * left)
			+ noise * spmk_chance_unit(&s->chance);

		if (score < least)
		{
			least = score;
			best = job;
		}
	}
	return best;
}

/* A chain from a job taken at random, with the best end that it could have; by how much it would change the cost. */
static double
find_chain(Solver *s, Chain *best)
{
	Chain		chain = {0};
	int			job = spmk_chance_below(&s->chance, s->n);
	int			start = s->agent[job];
	size_t		row = (size_t) job * s->m;
	double		start_room = s->room[start] + s->p->loads[row + start];
	double		start_before = exceeding(s, start, s->room[start]);
	double		start_after = exceeding(s, start, start_room);
	double		sum = -s->costs[row + start];
	double		least = INFINITY;

	s->visited[start] = ++s->chain;
	for (;;)
	{
		const int32_t *candidates = s->candidates + (size_t) job * s->q;
		int			to = NONE;
		int			agent;
		double		room;
		int			which;

		/* it may end here */
		row = (size_t) job * s->m;
		for (int c = 0; c < s->q; c++)
		{
			double		change;

			agent = candidates[c];
			if (s->visited[agent] == s->chain)
				continue;
			change = sum + s->costs[row + agent] + start_after - start_before +
				exceeding(s, agent, s->room[agent] - s->p->loads[row + agent]) - exceeding(s, agent, s->room[agent]);
			if (change < least)
			{
				least = change;
				to = agent;
			}
		}
		if (chain.length > 0)
		{
			double		change = sum + s->costs[row + start] +
				exceeding(s, start, start_room - s->p->loads[row + start]) - start_before;

			if (change < least)
			{
				least = change;
				to = start;
			}
		}
		chain.jobs[chain.length] = job;
		if (to != NONE)
		{
			*best = chain;
			best->to[best->length++] = to;
		}
		if (least <= 0 || chain.length == DEPTH)
			return least;

		/* or go on: better agents are likelier */
		which = (int) (spmk_chance_unit(&s->chance) * spmk_chance_unit(&s->chance) * s->q);
		agent = candidates[which];
		if (s->visited[agent] == s->chain)
			agent = candidates[spmk_chance_below(&s->chance, s->q)];
		if (s->visited[agent] == s->chain)
			return least;
		room = s->room[agent] - s->p->loads[row + agent];
		chain.to[chain.length++] = agent;
		sum += s->costs[row + agent];
		job = whom_to_let_go(s, agent, room);
		if (job == NONE)
			return least;
		row = (size_t) job * s->m;
		sum += exceeding(s, agent, room + s->p->loads[row + agent]) - exceeding(s, agent, s->room[agent]);
		sum -= s->costs[row + agent];
		s->visited[agent] = s->chain;
	}
}

static void
follow(Solver *s, const Chain *chain)
{
	for (int i = 0; i < chain->length; i++)
	{
		int			from = s->agent[chain->jobs[i]];
		int			to = chain->to[i];

		s->nexceeded -= is_exceeded(s, from) + is_exceeded(s, to);
		take(s, chain->jobs[i]);
		put(s, chain->jobs[i], to);
		s->nexceeded += is_exceeded(s, from) + is_exceeded(s, to);
	}
}

/* From warm to cold, and from soft to hard. */
static void
cycle(Solver *s, int64_t moves, double soft, double hard)
{
	Chain		chain = {0};
	int64_t		step = moves / 64;

	step = step < 1 ? 1 : step > 1024 ? 1024 : step;
	for (int64_t move = 0; move < moves; move++)
	{
		double		change;

		if (move % step == 0)
		{
			double		part = (double) move / (double) moves;
			double		factor = soft * pow(hard / soft, part);

			spmk_breathe(s->p->breath);
			add_up(s);
			if (s->chain > INT32_MAX / 2)
			{
				memset(s->visited, 0, s->m * sizeof(int32_t));
				s->chain = 0;
			}
			s->temperature = s->scale * WARM * pow(COLD / WARM, part);
			for (int j = 0; j < s->m; j++)
				s->penalty[j] = factor * s->base[j];
		}
		change = find_chain(s, &chain);
		if (change == INFINITY)
			continue;
		if (change > 0 && (change > 20 * s->temperature ||
						   spmk_chance_unit(&s->chance) >= exp(-change / s->temperature)))
			continue;
		follow(s, &chain);
		keep_if_best(s);
	}
}

SpmGapStatus
spmk_gap(SpmGap *p, void *memory)
{
	Solver		solver = {.p = p, .n = p->njobs, .m = p->nagents, .whole_costs = true, .whole_loads = true};
	Solver	   *s = &solver;
	double		most = 0;
	int64_t		moves = p->moves / CYCLES + (p->moves % CYCLES > 0);

	lay_out(s, (char *) (((uintptr_t) memory + 63) & ~(uintptr_t) 63), s->n, s->m);
	s->q = s->m < CANDIDATES ? s->m : CANDIDATES;
	s->chance.state = p->seed;
	p->value = INFINITY;
	p->job = NONE;
	for (int i = 0; i < s->n; i++)
	{
		double		dearest = -INFINITY;

		for (int j = 0; j < s->m; j++)
		{
			size_t		pair = (size_t) i * s->m + j;

			s->costs[pair] = p->loads[pair] > p->capacities[j] * (1 + TOLERANCE) ? INFINITY : p->costs[pair];
			if (s->costs[pair] == INFINITY)
				continue;
			dearest = fmax(dearest, s->costs[pair]);
			if (s->costs[pair] != floor(s->costs[pair]))
				s->whole_costs = false;
			if (p->loads[pair] != floor(p->loads[pair]))
				s->whole_loads = false;
		}
		if (dearest == -INFINITY)
		{
			p->job = i;
			return SPM_GAP_NO_AGENT;
		}
		most += dearest;
	}
	most += 1e-9 * fabs(most);
	for (int j = 0; j < s->m; j++)
		s->capacity[j] = s->whole_loads ? floor(p->capacities[j] * (1 + 1e-12)) : p->capacities[j] * (1 + TOLERANCE);
	find_prices(s, most);
	memcpy(p->prices, s->price, s->m * sizeof(double));
	if (p->bound > most)
		return SPM_GAP_NO_ROOM;
	if (s->whole_loads)
		raise_bound(s);
	if (p->bound > most)
		return SPM_GAP_NO_ROOM;
	if (s->whole_costs)
		p->bound = ceil(p->bound - 1e-9 * fabs(p->bound));

	find_candidates(s);
	add_up(s);
	keep_if_best(s);
	for (int i = 0; i < CYCLES && !(s->is_found && p->value <= p->bound); i++)
	{
		bool		strictly = i % 3 == 2;

		if (strictly && s->is_found)
			go_back(s);
		cycle(s, moves, strictly ? NEVER : SOFT, strictly ? NEVER : HARD);
	}
	for (int i = 0; i < RESCUES && !s->is_found; i++)
		cycle(s, moves, SOFT, HARD * pow(10, i + 1));
	return s->is_found ? SPM_GAP_OK : SPM_GAP_NOT_FOUND;
}
