/*
 * median_bound.c
 *	  What no plan of a capacitated p-median can be below.
 *
 * Lagrangian relaxation: units need not be served once, but whoever serves unit
 * i is paid price[i].  Each seat then takes what pays best within its capacity (a
 * knapsack), the p seats that earn most are open, and all prices less what is
 * earned is a bound, whatever the prices.  They are raised for units that nobody
 * serves and lowered for those that many do (subgradients with
 * Polyak's step, each deflected by those before: Camerini, Fratta, Maffioli 1975).
 */
#include <float.h>
#include <math.h>

#include "median.h"

#define ENTRIES ((size_t) 16 << 20)
#define STEP_ENTRIES 2e9			/* looked at in all steps, less than 10 s */
#define PATIENCE 25				/* steps without a better bound, until steps are halved */
#define MEMORY 0.8				/* of the direction of the step before */
#define KNAPSACK_NODES 2000		/* then its linear bound does */

/* What is known of the most that a seat can earn. */
typedef enum Grade
{
	EVERYTHING,					/* if all that pays were served */
	DIVIDED,					/* the last of it in part */
	EXACT
} Grade;

typedef struct Seat
{
	double		most;
	int			unit;
	Grade		grade;
} Seat;

typedef struct Item
{
	double		profit;
	double		weight;
	double		ratio;
	int			unit;
} Item;

typedef struct Bound
{
	const SpmMedian *problem;
	const SpmBreath *breath;
	int			n;
	int			p;
	int			nnear;			/* seats that may earn by a unit */
	size_t	   *lists;			/* by seat: where its units begin */
	int		   *near;			/* units, nearest to the seat first */
	float	   *distance;		/* rounded down: the bound stays one */
	double	   *capacity;
	double	   *price;
	double	   *direction;		/* where prices go: served too little, of late */
	double	   *most_price;		/* above it, a seat whose list lacks the unit would earn */
	int		   *served;			/* how often */
	Seat	   *seats;			/* heap, whoever may earn most on top */
	Item	   *items;
	char	   *taken;
	char	   *best_taken;
	double		top_price;
} Bound;

static size_t
lay_out(Bound *b, const SpmMedian *problem, void *memory)
{
	size_t		n = problem->n;
	size_t		nnear = 16 * n / problem->p + 50;
	size_t		used = 0;

	nnear = nnear > ENTRIES / n ? ENTRIES / n + 1 : nnear;
	b->nnear = (int) (nnear > n ? n : nnear);
#define CARVE(field, count) b->field = spmk_carve(memory, &used, count, sizeof(*b->field))
	CARVE(lists, n + 1);
	CARVE(near, n * b->nnear);
	CARVE(distance, n * b->nnear);
	CARVE(capacity, n);
	CARVE(price, n);
	CARVE(direction, n);
	CARVE(most_price, n);
	CARVE(served, n);
	CARVE(seats, n);
	CARVE(items, n);
	CARVE(taken, n);
	CARVE(best_taken, n);
#undef CARVE
	return used;
}

size_t
spmk_median_bound_bytes(const SpmMedian *problem)
{
	Bound		b = {0};

	return lay_out(&b, problem, NULL);
}

static float
round_down(double d)
{
	float		f = (float) d;

	return f > d ? nextafterf(f, -FLT_MAX) : f;
}

/*
 * A unit is listed at the nnear seats that are nearest to it, and never pays
 * more than its distance from the next one: the others cannot earn by it.
 * True if all distances are integers.
 */
static bool
make_lists(Bound *b)
{
	double	   *d = b->price;
	int		   *list = b->served;
	bool		is_integer = true;
	size_t		used = 0;

	for (int i = 0; i < b->n; i++)
	{
		b->most_price[i] = DBL_MAX;
		if (b->nnear == b->n)
			continue;
		for (int k = 0; k < b->n; k++)
		{
			d[k] = spmk_median_distance(b->problem, i, k);
			list[k] = k;
		}
		spmk_nearest_first(list, b->n, b->nnear + 1, d);
		b->most_price[i] = d[list[b->nnear]];
		spmk_breathe(b->breath);
	}
	for (int k = 0; k < b->n; k++)
	{
		int			count = 0;

		for (int i = 0; i < b->n; i++)
		{
			d[i] = spmk_median_distance(b->problem, i, k);
			is_integer &= d[i] == floor(d[i]);
			if (d[i] < b->most_price[i])
				list[count++] = i;
		}
		spmk_nearest_first(list, count, count, d);
		b->lists[k] = used;
		for (int t = 0; t < count; t++, used++)
		{
			b->near[used] = list[t];
			b->distance[used] = round_down(d[list[t]]);
		}
		spmk_breathe(b->breath);
	}
	b->lists[b->n] = used;
	return is_integer;
}

/* The items that pay for seat k, best ratio first; their weight is its load. */
static int
list_items(Bound *b, int k)
{
	const int  *near = b->near + b->lists[k];
	const float *distance = b->distance + b->lists[k];
	size_t		nnear = b->lists[k + 1] - b->lists[k];
	Item	   *items = b->items;
	int			count = 0;

	for (size_t t = 0; t < nnear && distance[t] < b->top_price; t++)
	{
		double		profit = b->price[near[t]] - distance[t];
		double		weight = b->problem->demand[near[t]];

		if (profit > 0 && weight <= b->capacity[k])
		{
			items[count].profit = profit;
			items[count].weight = weight;
			items[count].ratio = weight > 0 ? profit / weight : DBL_MAX;
			items[count++].unit = near[t];
		}
	}
	for (int step = count > 40 ? 40 : count > 13 ? 13 : count > 4 ? 4 : 1; step > 0; step = step == 1 ? 0 : (step - 1) / 3)
		for (int t = step; t < count; t++)
		{
			Item		moving = items[t];
			int			at = t;

			for (; at >= step && items[at - step].ratio < moving.ratio; at -= step)
				items[at] = items[at - step];
			items[at] = moving;
		}
	return count;
}

/* What items from the first on can earn in the room, the last in part. */
static double
divided(const Item *items, int first, int count, double room)
{
	double		profit = 0;

	for (int t = first; t < count; t++)
	{
		if (items[t].weight > room)
			return profit + room * items[t].ratio;
		profit += items[t].profit;
		room -= items[t].weight;
	}
	return profit;
}

/*
 * The most that seat k can earn, and in best_taken[] by which items (Horowitz
 * and Sahni 1974).  If that takes too long, the divided most, by the best items
 * that were met.
 */
static double
knapsack(Bound *b, int k, int *nitems)
{
	const Item *items = b->items;
	int			count = list_items(b, k);
	double		room = b->capacity[k];
	double		profit = 0;
	double		best = -1;
	int			at = 0;
	int			nodes = 0;

	*nitems = count;
	for (;;)
	{
		if (++nodes > KNAPSACK_NODES && best >= 0)
			return divided(items, 0, count, b->capacity[k]);
		if (profit + divided(items, at, count, room) > best)
		{
			while (at < count && items[at].weight <= room)
			{
				b->taken[at] = true;
				room -= items[at].weight;
				profit += items[at++].profit;
			}
			if (at < count)
			{
				b->taken[at++] = false;
				continue;
			}
			if (profit > best)
			{
				best = profit;
				for (int t = 0; t < count; t++)
					b->best_taken[t] = b->taken[t];
			}
		}
		/* Back to the last one taken, and without it. */
		while (at > 0 && !b->taken[at - 1])
			at--;
		if (at == 0)
			return best;
		b->taken[at - 1] = false;
		room += items[at - 1].weight;
		profit -= items[at - 1].profit;
	}
}

static void
sift(Seat *seats, int size, int at)
{
	Seat		moving = seats[at];

	for (int child; (child = 2 * at + 1) < size; at = child)
	{
		if (child + 1 < size && seats[child + 1].most > seats[child].most)
			child++;
		if (seats[child].most <= moving.most)
			break;
		seats[at] = seats[child];
	}
	seats[at] = moving;
}

/* The bound at these prices; served[] becomes how often each unit is served. */
static double
bound_at_prices(Bound *b)
{
	Seat	   *seats = b->seats;
	int			size = 0;
	int			open = 0;
	double		bound = 0;

	b->top_price = 0;
	for (int i = 0; i < b->n; i++)
	{
		b->served[i] = 0;
		bound += b->price[i];
		if (b->price[i] > b->top_price)
			b->top_price = b->price[i];
	}
	for (int k = 0; k < b->n; k++)
	{
		const int  *near = b->near + b->lists[k];
		const float *distance = b->distance + b->lists[k];
		size_t		nnear = b->lists[k + 1] - b->lists[k];
		double		most = 0;

		if (!spmk_median_can_be_seat(b->problem, k))
			continue;
		for (size_t t = 0; t < nnear && distance[t] < b->top_price; t++)
			if (b->price[near[t]] > distance[t])
				most += b->price[near[t]] - distance[t];
		seats[size].most = most;
		seats[size].unit = k;
		seats[size++].grade = EVERYTHING;
	}
	spmk_breathe(b->breath);
	for (int at = size / 2 - 1; at >= 0; at--)
		sift(seats, size, at);
	while (open < b->p && size > 0)
	{
		Seat	   *top = &seats[0];
		int			count;

		if (top->grade == EVERYTHING)
		{
			count = list_items(b, top->unit);
			top->most = divided(b->items, 0, count, b->capacity[top->unit]);
			top->grade = DIVIDED;
		}
		else
		{
			double		most = knapsack(b, top->unit, &count);

			if (top->grade == EXACT ||
				((size < 2 || most >= seats[1].most) && (size < 3 || most >= seats[2].most)))
			{
				for (int t = 0; t < count; t++)
					b->served[b->items[t].unit] += b->best_taken[t];
				bound -= most;
				open++;
				seats[0] = seats[--size];
			}
			else
			{
				top->most = most;
				top->grade = EXACT;
			}
			spmk_breathe(b->breath);
		}
		sift(seats, size, 0);
	}
	return bound;
}

/* A start: what a unit would pay to the second nearest seat of the plan. */
static void
first_prices(Bound *b, const int *seat_of)
{
	for (int i = 0; i < b->n; i++)
		b->served[seat_of[i]] = -1;
	for (int i = 0; i < b->n; i++)
	{
		double		nearest = DBL_MAX;
		double		second = DBL_MAX;

		for (int k = 0; k < b->n; k++)
		{
			double		d;

			if (b->served[k] != -1)
				continue;
			d = spmk_median_distance(b->problem, i, k);
			if (d < nearest)
			{
				second = nearest;
				nearest = d;
			}
			else if (d < second)
				second = d;
		}
		b->price[i] = fmin(second < DBL_MAX ? second : nearest, b->most_price[i]);
		spmk_breathe(b->breath);
	}
}

/*
 * Seats that the plan of p_median opens serve their own units, which the bound
 * does not ask for: it holds for plans where they need not, too.  memory:
 * spmk_median_bound_bytes() of it; seat_of: a plan.
 */
double
spmk_median_bound(const SpmMedian *problem, const int *seat_of, int steps, void *memory, const SpmBreath *breath)
{
	Bound		bound = {0};
	Bound	   *b = &bound;
	double		value = spmk_median_value(problem, seat_of);
	double		best = -DBL_MAX;
	double		pace = 1;
	int			since_best = 0;
	bool		is_integer;

	b->problem = problem;
	b->breath = breath;
	b->n = problem->n;
	b->p = problem->p;
	lay_out(b, problem, memory);
	for (int k = 0; k < b->n; k++)
		b->capacity[k] = problem->capacity[k] * (1 + SPM_MEDIAN_ROUNDING);
	is_integer = make_lists(b);
	steps = (int) fmin(steps, STEP_ENTRIES / b->lists[b->n] + 50);
	first_prices(b, seat_of);
	for (int i = 0; i < b->n; i++)
		b->direction[i] = 0;
	for (int step = 0; step < steps && best < value; step++)
	{
		double		now = bound_at_prices(b);
		double		square = 0;

		if (now > best)
		{
			best = now;
			since_best = 0;
		}
		else if (++since_best >= PATIENCE)
		{
			pace /= 2;
			since_best = 0;
		}
		for (int i = 0; i < b->n; i++)
		{
			b->direction[i] = MEMORY * b->direction[i] + 1 - b->served[i];
			square += b->direction[i] * b->direction[i];
		}
		if (square == 0)
			break;
		for (int i = 0; i < b->n; i++)
		{
			double		price = b->price[i] + pace * (value - now) / square * b->direction[i];

			b->price[i] = fmin(fmax(price, 0), b->most_price[i]);
		}
	}
	/* What rounding may have added comes off; between integers there is nothing. */
	best -= 1e-9 * fabs(best);
	if (is_integer)
		best = ceil(best - 1e-6);
	return fmax(0, fmin(best, value));
}
