/* knapsack_test.c: the greatest profit, against trying all. */
#include <stdlib.h>

#include "kernel/knapsack.h"

#include "tap.h"

int
main(void)
{
	int			wrong = 0;
	double		values[200];
	uint64_t	bits[16 * 4];
	bool		taken[12];

	for (int round = 0; round < 2000; round++)
	{
		double		profits[12];
		int32_t		weights[12];
		SpmKnapsack k = {.n = random_below(12), .profits = profits, .weights = weights, .capacity = random_below(200),
			.values = values, .bits = bits, .taken = taken};
		double		best = 0;
		double		got;
		double		sum = 0;
		int32_t		weight = 0;

		for (int i = 0; i < k.n; i++)
		{
			profits[i] = 1 + random_below(50);
			weights[i] = random_below(k.capacity + 1);
		}
		for (int set = 0; set < 1 << k.n; set++)
		{
			double		profit = 0;
			int			load = 0;

			for (int i = 0; i < k.n; i++)
				if (set >> i & 1)
				{
					profit += profits[i];
					load += weights[i];
				}
			if (load <= k.capacity && profit > best)
				best = profit;
		}
		got = spmk_knapsack(&k);
		for (int i = 0; i < k.n; i++)
			if (taken[i])
			{
				sum += profits[i];
				weight += weights[i];
			}
		if (got != best || sum != best || weight > k.capacity)
			wrong++;
	}
	ok(wrong == 0, "2,000 small knapsacks are packed best, and say with what");
	return done_testing();
}
