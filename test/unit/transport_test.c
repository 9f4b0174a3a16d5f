/* transport_test.c: plans are within bounds, and prices prove them cheapest. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/transport.h"

#include "tap.h"

#define MOST 4000

static double costs[MOST * 16];
static double supplies[MOST];
static double minimums[64];
static double capacities[64];
static double prices[64];
static SpmPiece pieces[MOST + 64];
static SpmTransport t;

static SpmTransportStatus
solve(int n, int k, bool with_minimums)
{
	void	   *memory = malloc(spmk_transport_memory(n, k));
	SpmTransportStatus status;

	t = (SpmTransport) {.nunits = n, .nseats = k, .costs = costs, .supplies = supplies,
		.minimums = with_minimums ? minimums : NULL, .capacities = capacities,
		.prices = prices, .pieces = pieces};
	status = spmk_transport(&t, memory);
	free(memory);
	return status;
}

/* All that a plan promises, checked against what was given; whole numbers are exact. */
static bool
is_proven(int n, int k, double tolerance)
{
	double		loads[64] = {0};
	double		value = 0;
	double		bound = 0;
	int			p = 0;

	for (int i = 0; i < n; i++)
	{
		double		sum = 0;
		double		least = INFINITY;

		for (int j = 0; j < k; j++)
			least = fmin(least, costs[i * k + j] + prices[j]);
		for (; p < t.npieces && pieces[p].unit == i; p++)
		{
			int			j = pieces[p].seat;

			if (pieces[p].amount < 0 || fabs(costs[i * k + j] + prices[j] - least) > tolerance)
				return false;
			sum += pieces[p].amount;
			loads[j] += pieces[p].amount;
			value += pieces[p].amount * costs[i * k + j];
		}
		if (fabs(sum - supplies[i]) > tolerance)
			return false;
		bound += supplies[i] * least;
	}
	for (int j = 0; j < k; j++)
	{
		double		lower = t.minimums ? minimums[j] : 0;

		if (loads[j] > capacities[j] + tolerance || loads[j] < lower - tolerance)
			return false;
		if ((prices[j] > tolerance && loads[j] < capacities[j] - tolerance) ||
			(prices[j] < -tolerance && loads[j] > lower + tolerance))
			return false;
		if (prices[j] > 0)
			bound -= prices[j] * capacities[j];
		else
			bound -= prices[j] * lower;
	}
	return p == t.npieces && p <= n + k - 1 &&
		fabs(value - bound) <= tolerance * n && fabs(t.value - value) <= tolerance * n &&
		fabs(t.bound - bound) <= tolerance * n;
}

static void
draw(int n, int k, int largest_cost, int forbidden)
{
	double		total = 0;
	double		room = 0;

	for (int i = 0; i < n; i++)
	{
		supplies[i] = random_below(10);
		total += supplies[i];
		for (int j = 0; j < k; j++)
			costs[i * k + j] = random_below(100) < forbidden ? INFINITY : random_below(largest_cost) - largest_cost / 3;
	}
	for (int j = 0; j < k; j++)
	{
		capacities[j] = floor(total / k) + random_below(4);
		minimums[j] = floor(capacities[j] * random_below(100) / 100);
		room += capacities[j];
		prices[j] = random_below(3) == 0 ? random_below(2 * largest_cost) - largest_cost : 0;
	}
	if (forbidden > 0)
		return;
	if (room < total)
		capacities[0] += total - room;
	for (int j = 0; j < k; j++)
	{
		minimums[j] = fmin(minimums[j], total);
		total -= minimums[j];
	}
}

/* Whether all that may only go into a set of seats fits it, and all that may go there fills it, for every set. */
static bool
can_be_done(int n, int k)
{
	for (int set = 1; set < 1 << k; set++)
	{
		double		forced = 0;
		double		able = 0;
		double		room = 0;
		double		least = 0;

		for (int j = 0; j < k; j++)
			if (set >> j & 1)
			{
				room += capacities[j];
				least += minimums[j];
			}
		for (int i = 0; i < n; i++)
		{
			int			may = 0;

			for (int j = 0; j < k; j++)
				if (costs[i * k + j] < INFINITY)
					may |= 1 << j;
			if ((may & ~set) == 0)
				forced += supplies[i];
			if (may & set)
				able += supplies[i];
			if (may == 0)
				return false;
		}
		if (forced > room || able < least)
			return false;
	}
	return true;
}

int
main(void)
{
	int			wrong = 0;
	int			feasible = 0;

	/* two units, two seats: 3 of the first unit have to go the long way, 3 * 1 + 2 * 10 + 4 * 1 */
	memcpy(costs, (double[]) {1, 10, 5, 1}, 4 * sizeof(double));
	memcpy(supplies, (double[]) {5, 4}, 2 * sizeof(double));
	memcpy(capacities, (double[]) {3, 7}, 2 * sizeof(double));
	ok(solve(2, 2, false) == SPM_TRANSPORT_OK && t.value == 27 && t.bound == 27 && t.npieces == 3 &&
	   pieces[0].amount == 3 && pieces[1].amount == 2 && prices[0] == 9 && prices[1] == 0,
	   "what does not fit goes to the next, and the price says what room would be worth");

	for (int round = 0; round < 3000; round++)
	{
		int			n = 1 + random_below(30);
		int			k = 1 + random_below(6);

		draw(n, k, round % 2 ? 4 : 100, 0);
		if (solve(n, k, round % 3 == 0) != SPM_TRANSPORT_OK || !is_proven(n, k, 1e-9))
			wrong++;
	}
	ok(wrong == 0, "3,000 small plans are within bounds, proven, and split fewer units than there are seats");

	wrong = 0;
	for (int round = 0; round < 3000; round++)
	{
		int			n = 1 + random_below(12);
		int			k = 1 + random_below(5);
		SpmTransportStatus status;
		bool		can;

		draw(n, k, 20, 40);
		can = can_be_done(n, k);
		status = solve(n, k, true);
		if ((status == SPM_TRANSPORT_OK) != can || (can && !is_proven(n, k, 1e-9)))
			wrong++;
		feasible += can;
	}
	ok(wrong == 0 && feasible > 300 && feasible < 2700, "with pairs that are not allowed, what cannot be done is told from what can");

	draw(MOST, 16, 1000, 0);
	memset(prices, 0, sizeof(prices));
	ok(solve(MOST, 16, true) == SPM_TRANSPORT_OK && is_proven(MOST, 16, 1e-6), "4,000 units start from prices of samples");
	{
		double		value = t.value;

		for (int j = 0; j < 16; j++)
			prices[j] = random_below(1000) - 500;
		ok(solve(MOST, 16, true) == SPM_TRANSPORT_OK && t.value == value, "prices at the start never change what is best");
	}
	for (int i = 0; i < MOST; i++)
		for (int j = 0; j < 16; j++)
			costs[i * 16 + j] = 7;
	ok(solve(MOST, 16, true) == SPM_TRANSPORT_OK && is_proven(MOST, 16, 1e-6), "nothing but ties is still a forest");

	wrong = 0;
	for (int round = 0; round < 200; round++)
	{
		int			n = 1 + random_below(40);
		int			k = 1 + random_below(6);
		double		total = 0;
		double		share = 0;

		draw(n, k, 100, 0);
		for (int i = 0; i < n; i++)
			total += supplies[i] = exp(random_below(4000) / 100.0 - 20);
		for (int j = 0; j < k; j++)
			share += capacities[j] = 1 + random_below(100) / 7.0;
		for (int j = 0; j < k; j++)
			minimums[j] = capacities[j] *= total / share;
		for (int j = 0; j < k; j++)
			minimums[j] *= 1 - round % 2 * 1e-3;
		if (solve(n, k, true) != SPM_TRANSPORT_OK || !is_proven(n, k, 1e-9 * (1 + total)))
			wrong++;
	}
	ok(wrong == 0, "fractions fit exactly, though their sums differ in the last digit");

	draw(3, 2, 10, 0);
	supplies[0] = 100;
	ok(solve(3, 2, false) == SPM_TRANSPORT_NO_ROOM, "more supply than capacity is refused");
	draw(3, 2, 10, 0);
	minimums[0] = capacities[0] = 1000;
	ok(solve(3, 2, true) == SPM_TRANSPORT_TOO_LITTLE, "less supply than the minimums is refused");
	draw(3, 2, 10, 0);
	costs[4] = costs[5] = INFINITY;
	ok(solve(3, 2, false) == SPM_TRANSPORT_NO_SEAT && t.unit == 2, "a unit that may go nowhere is named");
	return done_testing();
}
