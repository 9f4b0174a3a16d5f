/* design_test.c: designs against all possible ones, and what they promise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/design.h"

#include "tap.h"

#define SIDE 12
#define UNITS (SIDE * SIDE)
#define SEATS 4

static double points[UNITS * 3];
static double loads[UNITS * 2];
static double weights[UNITS];
static double homes[SEATS * 3];
static double targets[SEATS * 2];
static double tolerances[2] = {0.05, 0.1};
static int32_t current[UNITS];
static uint8_t locked[UNITS];
static int32_t pairs[UNITS * 4];
static int32_t owner[UNITS];
static double out_homes[SEATS * 3];
static double distances[UNITS];
static SpmDesignResult out = {owner, out_homes, distances};

/* A grid of columns by rows; every unit weighs one, the second load is random. */
static SpmDesignInput
grid(int columns, int rows, int seats)
{
	SpmDesignInput in = {columns * rows, seats, 1, 0, points, loads, weights, weights, current, locked, pairs, homes, targets,
	tolerances, NULL, 0, true, false, 0, INFINITY, 20000, 1};

	for (int i = 0; i < in.units; i++)
	{
		points[i * 3] = i % columns;
		points[i * 3 + 1] = i / columns;
		points[i * 3 + 2] = 0;
		loads[i] = weights[i] = 1;
		current[i] = -1;
		locked[i] = 0;
		if (i % columns + 1 < columns)
		{
			pairs[in.edges * 2] = i;
			pairs[in.edges++ * 2 + 1] = i + 1;
		}
		if (i / columns + 1 < rows)
		{
			pairs[in.edges * 2] = i;
			pairs[in.edges++ * 2 + 1] = i + columns;
		}
	}
	for (int j = 0; j < seats; j++)
	{
		homes[j * 3] = NAN;
		targets[j] = (double) in.units / seats;
	}
	return in;
}

static SpmDesignStatus
solve(const SpmDesignInput *in)
{
	void	   *memory = malloc(spmk_design_memory(in));
	SpmDesignStatus status = spmk_design(in, memory, &out, NULL);

	free(memory);
	return status;
}

static bool
in_one_piece(const SpmDesignInput *in, const int32_t *plan, int seat)
{
	int			reached[UNITS];
	bool		grows = true;
	int			count = 0;
	int			size = 0;

	for (int i = 0; i < in->units; i++)
	{
		reached[i] = plan[i] == seat && size == 0;
		size += plan[i] == seat;
	}
	while (grows)
	{
		grows = false;
		for (int e = 0; e < in->edges; e++)
		{
			int			a = in->pairs[e * 2];
			int			b = in->pairs[e * 2 + 1];

			if (plan[a] == seat && plan[b] == seat && reached[a] != reached[b])
				reached[a] = reached[b] = grows = 1;
		}
	}
	for (int i = 0; i < in->units; i++)
		count += reached[i];
	return count == size && size > 0;
}

/* The cheapest of all plans of 12 units and 2 or 3 seats with given homes. */
static double
cheapest(const SpmDesignInput *in)
{
	double		best = INFINITY;
	long		plans = 1;

	for (int i = 0; i < in->units; i++)
		plans *= in->seats;
	for (long p = 0; p < plans; p++)
	{
		int32_t		plan[UNITS];
		double		load[SEATS] = {0};
		double		cost = 0;
		bool		fits = true;
		long		rest = p;

		for (int i = 0; i < in->units; i++, rest /= in->seats)
		{
			plan[i] = rest % in->seats;
			load[plan[i]] += in->loads[i];
			cost += in->weights[i] * hypot(points[i * 3] - homes[plan[i] * 3], points[i * 3 + 1] - homes[plan[i] * 3 + 1]);
		}
		for (int j = 0; j < in->seats; j++)
			fits = fits && fabs(load[j] - targets[j]) <= targets[j] * tolerances[0] + 1e-9;
		if (!fits || cost >= best)
			continue;
		for (int j = 0; j < in->seats; j++)
			fits = fits && in_one_piece(in, plan, j);
		if (fits)
			best = cost;
	}
	return best;
}

static int	breaths;

static void
count_breath(void *arg)
{
	breaths++;
}

int
main(void)
{
	SpmDesignInput in = grid(SIDE, SIDE, SEATS);
	int32_t		before[UNITS];
	bool		fine = true;
	bool		optimal = true;
	bool		bounded = true;
	double		first;

	ok(solve(&in) == SPM_DESIGN_OK && out.excess == 0 && out.pieces == SEATS, "a square is cut into four, balanced and in one piece each");
	for (int j = 0; j < SEATS; j++)
		fine = fine && in_one_piece(&in, owner, j);
	ok(fine, "as a count of its own says");
	ok(out.bound <= out.cost * (1 + 1e-9) && out.cost <= 1.02 * out.bound, "and proven to be within two percent of the best for its homes");
	memcpy(before, owner, sizeof(before));
	first = out.cost;
	solve(&in);
	ok(memcmp(before, owner, sizeof(before)) == 0 && first == out.cost, "the same seed makes the same plan to the bit");

	for (int t = 0; t < 20; t++)
	{
		double		least;
		double		total = 0;

		in = grid(4, 3, 2 + t % 2);
		tolerances[0] = 0.2;
		in.seed = t;
		for (int i = 0; i < in.units; i++)
			total += loads[i] = weights[i] = 1 + random_below(3);
		for (int j = 0; j < in.seats; j++)
		{
			homes[j * 3] = random_below(4);
			homes[j * 3 + 1] = random_below(3);
			homes[j * 3 + 2] = 0;
			targets[j] = total / in.seats;
		}
		least = cheapest(&in);
		if (isinf(least))
			continue;
		fine = solve(&in) == SPM_DESIGN_OK && out.excess == 0;
		optimal = optimal && fine && out.cost <= least * (1 + 1e-9);
		bounded = bounded && fine && out.bound <= least * (1 + 1e-9);
	}
	ok(optimal, "small designs are the cheapest of all possible ones");
	ok(bounded, "and their bound is not above these");

	tolerances[0] = 0.05;
	in = grid(SIDE, SIDE, SEATS);
	for (int i = 0; i < in.units; i++)
	{
		loads[i * 2] = 1;
		loads[i * 2 + 1] = random_below(10);
	}
	in.activities = 2;
	for (int j = 0; j < SEATS; j++)
	{
		targets[j * 2] = targets[j * 2 + 1] = 0;
		for (int i = 0; i < in.units; i++)
		{
			targets[j * 2] += loads[i * 2] / SEATS;
			targets[j * 2 + 1] += loads[i * 2 + 1] / SEATS;
		}
	}
	in.moves = 200000;
	ok(solve(&in) == SPM_DESIGN_OK && out.excess == 0 && out.pieces == SEATS, "two activities are balanced at once");

	in = grid(SIDE, SIDE, SEATS);
	for (int i = 0; i < in.units; i++)
		current[i] = i / SIDE / 3;	/* stripes */
	for (int i = 0; i < SIDE; i++)
		current[i] = -1;
	in.keep = true;
	in.disruption = NAN;
	in.moves = 200000;
	fine = solve(&in) == SPM_DESIGN_OK && out.excess == 0;
	ok(fine && out.moved <= 40, "what has no seat is divided with little taken from others");
	in.limit = 0;
	fine = solve(&in) == SPM_DESIGN_OK;
	ok(fine && out.moved == 0, "and with nothing where nothing may move");
	in.limit = INFINITY;
	for (int i = SIDE; i < in.units; i++)
		locked[i] = 1;
	fine = solve(&in) == SPM_DESIGN_OK;
	for (int i = SIDE; i < in.units; i++)
		fine = fine && owner[i] == current[i];
	ok(fine, "what is locked stays");

	in = grid(SIDE, SIDE, SEATS);
	in.contiguous = false;
	in.edges = 0;
	ok(solve(&in) == SPM_DESIGN_OK && out.excess == 0, "without borders they are balanced, too");

	in = grid(SIDE, SIDE, SEATS);
	in.edges = 5;
	ok(solve(&in) == SPM_DESIGN_APART && out.where > 0, "a unit that nothing connects is named");
	in = grid(SIDE, SIDE, SEATS);
	loads[7] = 50;
	ok(solve(&in) == SPM_DESIGN_TOO_LARGE && out.where == 7, "so is one that is too large for any seat");
	in = grid(1, 3, SEATS);
	ok(solve(&in) == SPM_DESIGN_FEW, "fewer units than seats are refused");
	{
		SpmBreath	breath = {count_breath, NULL};
		void	   *memory;

		in = grid(SIDE, SIDE, SEATS);
		memory = malloc(spmk_design_memory(&in));
		spmk_design(&in, memory, &out, &breath);
		free(memory);
		ok(breaths > in.moves / 8192, "others may speak every few thousand steps");
	}
	return done_testing();
}
