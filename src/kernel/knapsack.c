/*
 * knapsack.c
 *	  The knapsack problem by dynamic programming (Bellman, 1957).
 */
#include <string.h>

#include "knapsack.h"

double
spmk_knapsack(SpmKnapsack *k)
{
	int64_t		words = spmk_knapsack_words(1, k->capacity);
	int32_t		left = k->capacity;

	/* values[c]: the greatest profit of the things so far, with a weight of at most c */
	memset(k->values, 0, ((size_t) k->capacity + 1) * sizeof(double));
	memset(k->bits, 0, (size_t) k->n * words * sizeof(uint64_t));
	for (int i = 0; i < k->n; i++)
	{
		uint64_t   *row = k->bits + i * words;
		double		profit = k->profits[i];
		int32_t		weight = k->weights[i];

		for (int32_t c = k->capacity; c >= weight; c--)
		{
			double		value = k->values[c - weight] + profit;

			if (value > k->values[c])
			{
				k->values[c] = value;
				row[c / 64] |= UINT64_C(1) << (c % 64);
			}
		}
	}
	for (int i = k->n; i-- > 0;)
	{
		k->taken[i] = k->bits[i * words + left / 64] >> (left % 64) & 1;
		if (k->taken[i])
			left -= k->weights[i];
	}
	return k->values[k->capacity];
}
