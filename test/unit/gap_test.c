/* gap_test.c: whole jobs within capacities; small ones against trying all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/gap.h"

#include "tap.h"

#define MOST 600

static double costs[MOST * 12];
static double loads[MOST * 12];
static double capacities[12];
static int	agents[MOST];
static double prices[12];
static SpmGap p;

static SpmGapStatus
solve(int n, int m, int64_t moves, uint64_t seed)
{
	void	   *memory = malloc(spmk_gap_memory(n, m));
	SpmGapStatus status;

	p = (SpmGap) {.njobs = n, .nagents = m, .costs = costs, .loads = loads, .capacities = capacities,
		.moves = moves, .seed = seed, .agents = agents, .prices = prices};
	status = spmk_gap(&p, memory);
	free(memory);
	return status;
}

static double
try_all(int n, int m, int job, double *room)
{
	double		least = job == n ? 0 : INFINITY;

	for (int j = 0; j < m && job < n; j++)
	{
		double		load = loads[job * m + j];

		if (costs[job * m + j] == INFINITY || load > room[j] + 1e-9)
			continue;
		room[j] -= load;
		least = fmin(least, costs[job * m + j] + try_all(n, m, job + 1, room));
		room[j] += load;
	}
	return least;
}

static bool
is_plan(int n, int m)
{
	double		room[12];
	double		value = 0;

	memcpy(room, capacities, sizeof(room));
	for (int i = 0; i < n; i++)
	{
		room[agents[i]] -= loads[i * m + agents[i]];
		value += costs[i * m + agents[i]];
	}
	for (int j = 0; j < m; j++)
		if (room[j] < -1e-8 * (1 + capacities[j]))
			return false;
	return fabs(value - p.value) <= 1e-9 * (1 + fabs(value)) && p.bound <= p.value + 1e-9 * fabs(p.value);
}

static void
draw(int n, int m, double tight, int forbidden, double unit)
{
	double		total = 0;

	for (int i = 0; i < n * m; i++)
	{
		costs[i] = random_below(100) < forbidden ? INFINITY : (random_below(60) - 10) * unit;
		loads[i] = random_below(20) * unit;
		total += loads[i];
	}
	for (int j = 0; j < m; j++)
		capacities[j] = ceil(total / m / m * tight / unit) * unit;
}

int
main(void)
{
	int			wrong = 0;
	int			fits = 0;
	int			proven = 0;
	int			best = 0;

	for (int round = 0; round < 600; round++)
	{
		int			n = 1 + random_below(8);
		int			m = 1 + random_below(3);
		double		room[12];
		double		least;
		SpmGapStatus status;

		draw(n, m, 0.6 + random_below(60) / 100.0, round % 3 ? 0 : 30, round % 2 ? 1 : 0.3);
		memcpy(room, capacities, sizeof(room));
		least = try_all(n, m, 0, room);
		status = solve(n, m, 4000, round);
		if (status == SPM_GAP_OK ? !is_plan(n, m) || p.value < least - 1e-9 || p.bound > least + 1e-9
			: least < INFINITY && status != SPM_GAP_NOT_FOUND)
			wrong++;
		fits += least < INFINITY;
		best += status == SPM_GAP_OK && p.value <= least + 1e-9;
		proven += status == SPM_GAP_OK && p.value <= p.bound + 1e-9;
	}
	ok(wrong == 0, "600 small plans are within capacities, none below the best, no bound above it, no refusal of what can be done");
	ok(fits > 300 && fits < 590 && best >= fits - 3 && proven > 50, "nearly all of them are the best");

	draw(MOST, 12, 0.8, 0, 1);
	ok(solve(MOST, 12, 20000, 1) == SPM_GAP_OK && is_plan(MOST, 12) && p.value - p.bound < 0.02 * fabs(p.bound), "a large plan is near its bound");
	{
		int			before[MOST];
		double		value = p.value;

		memcpy(before, agents, sizeof(before));
		ok(solve(MOST, 12, 20000, 1) == SPM_GAP_OK && p.value == value && memcmp(before, agents, sizeof(before)) == 0,
		   "the same seed gives the same plan");
		solve(MOST, 12, 20000, 2);
		ok(memcmp(before, agents, sizeof(before)) != 0, "another seed another one");
	}
	draw(2, 2, 1, 0, 1);
	capacities[0] = capacities[1] = 0;
	for (int i = 0; i < 4; i++)
		loads[i] = i > 0;
	ok(solve(2, 2, 100, 1) == SPM_GAP_NO_AGENT && p.job == 1, "a job too large for every agent is named");
	for (int i = 0; i < 3 * 2; i++)
		loads[i] = 6;
	capacities[0] = 8;
	capacities[1] = 9;
	ok(solve(3, 2, 100, 1) == SPM_GAP_NO_ROOM, "that jobs cannot fit is proven where even split ones would not");
	return done_testing();
}
