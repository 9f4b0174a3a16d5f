/* median_test.c: seats chosen by annealing, and their bound, against all plans of small problems. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/median.h"

#include "tap.h"

#define MOST 7

static SpmMedian problem;
static double x[300], y[300], demand[300], capacity[300], matrix[MOST * MOST];
static double least_own;		/* of plans whose seats serve their own units */
static double least;			/* of all */

/* Units from i on to every open seat that has room. */
static void
try_plans(int i, const int *open, double *load, int *seat_of, double value)
{
	bool		own = true;

	if (i < problem.n)
	{
		for (int a = 0; a < problem.p; a++)
		{
			int			k = open[a];

			if (load[a] + demand[i] > capacity[k] * (1 + SPM_MEDIAN_ROUNDING))
				continue;
			load[a] += demand[i];
			seat_of[i] = k;
			try_plans(i + 1, open, load, seat_of, value + spmk_median_distance(&problem, i, k));
			load[a] -= demand[i];
		}
		return;
	}
	for (int a = 0; a < problem.p; a++)
		own &= seat_of[open[a]] == open[a];
	least = fmin(least, value);
	if (own)
		least_own = fmin(least_own, value);
}

static void
try_seats(int first, int count, int *open)
{
	double		load[MOST] = {0};
	int			seat_of[MOST];

	if (count == problem.p)
		try_plans(0, open, load, seat_of, 0);
	else
		for (int k = first; k < problem.n; k++)
		{
			open[count] = k;
			if (capacity[k] >= 0)
				try_seats(k + 1, count + 1, open);
		}
}

static SpmMedianStatus
solve(int64_t moves, uint64_t seed, int garbage, const SpmBreath *breath, int *seat_of)
{
	SpmMedianTrouble trouble;
	size_t		bytes = spmk_median_bytes(&problem);
	void	   *memory = malloc(bytes);
	SpmMedianStatus status;

	memset(memory, garbage, bytes);
	status = spmk_median(&problem, moves, seed, memory, breath, seat_of, &trouble);
	free(memory);
	return status;
}

static double
bound(const int *seat_of)
{
	size_t		bytes = spmk_median_bound_bytes(&problem);
	void	   *memory = malloc(bytes);
	double		result;

	memset(memory, 0x55, bytes);
	result = spmk_median_bound(&problem, seat_of, 300, memory, NULL);
	free(memory);
	return result;
}

/* Loads within capacity, p seats at most, and each serves its own unit. */
static bool
is_plan(const int *seat_of)
{
	int			seats = 0;

	for (int k = 0; k < problem.n; k++)
	{
		double		load = 0;
		bool		is_seat = false;

		for (int i = 0; i < problem.n; i++)
			if (seat_of[i] == k)
			{
				load += demand[i];
				is_seat = true;
			}
		seats += is_seat;
		if (is_seat && (load > capacity[k] * (1 + SPM_MEDIAN_ROUNDING) || seat_of[k] != k))
			return false;
	}
	return seats <= problem.p;
}

static void
count_breath(void *arg)
{
	(*(int *) arg)++;
}

int
main(void)
{
	bool		agree = true;
	bool		possible = true;
	bool		valid = true;
	bool		below = true;
	bool		same = true;
	int			solved = 0;
	int			tight = 0;
	int			seat_of[300];
	int			again[300];
	int			breaths = 0;
	SpmBreath	breath = {count_breath, &breaths};

	problem.x = x;
	problem.y = y;
	problem.demand = demand;
	problem.capacity = capacity;
	for (int round = 0; round < 300; round++)
	{
		int			open[MOST];
		SpmMedianStatus status;
		double		value;
		double		b;

		problem.n = 1 + (int) random_below(MOST);
		problem.p = 1 + (int) random_below(problem.n < 3 ? problem.n : 3);
		problem.matrix = random_below(2) ? matrix : NULL;
		for (int i = 0; i < problem.n; i++)
		{
			x[i] = random_below(20);
			y[i] = random_below(20);
			demand[i] = random_below(9) / 10.0;
			capacity[i] = round % 3 == 0 ? 2.0 : random_below(8) == 0 ? -1 : random_below(30) / 10.0;
		}
		for (int i = 0; i < problem.n; i++)
			for (int k = 0; k < problem.n; k++)
				matrix[i * problem.n + k] = i == k ? 0 : round % 2 ? 1 + random_below(30) :
					fabs(x[i] - x[k]) + fabs(y[i] - y[k]);
		least = least_own = HUGE_VAL;
		try_seats(0, 0, open);
		status = solve(30000, round, 0x55, NULL, seat_of);
		possible &= (status == SPM_MEDIAN_OK) == (least_own < HUGE_VAL);
		if (status != SPM_MEDIAN_OK)
			continue;
		solved++;
		value = spmk_median_value(&problem, seat_of);
		agree &= fabs(value - least_own) < 1e-9;
		valid &= is_plan(seat_of);
		b = bound(seat_of);
		below &= b <= least;
		tight += b > 0.99 * least;
		solve(30000, round, 0xAA, NULL, again);
		same &= memcmp(seat_of, again, problem.n * sizeof(int)) == 0;
	}
	ok(possible && solved > 150, "a plan is found exactly if there is one");
	ok(agree, "no plan of a small problem is shorter than the one found, whatever distances and capacities");
	ok(valid, "loads are within capacities, and every seat serves its own unit");
	ok(below, "no plan is below the bound, not even one whose seats do not serve themselves");
	ok(tight * 2 > solved, "for most of them the bound is within a hundredth");
	ok(same, "what memory held before changes no plan");

	/* 300 units of a grid: the cached distances are those of the points. */
	problem.n = 300;
	problem.p = 12;
	problem.matrix = NULL;
	for (int i = 0; i < 300; i++)
	{
		x[i] = i % 20;
		y[i] = i / 20;
		demand[i] = 1;
		capacity[i] = 25;
	}
	ok(solve(2000000, 1, 0, &breath, seat_of) == SPM_MEDIAN_OK && is_plan(seat_of), "seats that are exactly full are found");

	/* From the middle of a square of 5 by 5: 4 times each of 1, sqrt 2, 2, sqrt 8, and 8 times sqrt 5. */
	ok(fabs(spmk_median_value(&problem, seat_of) - 12 * 4 * (1 + sqrt(2) + 2 + sqrt(8) + 2 * sqrt(5))) < 1e-6,
	   "a grid falls into squares");
	ok(breaths > 2000000 / 64, "others may speak every 64 moves at least");
	solve(5000, 1, 0, NULL, seat_of);
	solve(5000, 1, 0x77, NULL, again);
	ok(memcmp(seat_of, again, sizeof(seat_of)) == 0, "the same seed gives the same plan");
	solve(5000, 2, 0, NULL, again);
	ok(memcmp(seat_of, again, sizeof(seat_of)) != 0, "another seed searches elsewhere");
	ok(bound(seat_of) <= spmk_median_value(&problem, again), "the bound of one plan is below another");
	return done_testing();
}
