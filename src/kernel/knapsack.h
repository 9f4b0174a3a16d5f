/*
 * knapsack.h
 *	  What of some things to take so that the profit is greatest and the weight
 *	  within a capacity; weights are whole.
 */
#ifndef SPMK_KNAPSACK_H
#define SPMK_KNAPSACK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct SpmKnapsack
{
	/* given */
	int			n;
	const double *profits;		/* > 0 */
	const int32_t *weights;		/* from 0 to the capacity */
	int32_t		capacity;

	/* room: capacity + 1 numbers, and spmk_knapsack_words() of bits */
	double	   *values;
	uint64_t   *bits;

	/* out */
	bool	   *taken;			/* n */
} SpmKnapsack;

static inline int64_t
spmk_knapsack_words(int64_t n, int64_t capacity)
{
	return n * (capacity / 64 + 1);
}

/* The greatest profit. */
extern double spmk_knapsack(SpmKnapsack *k);

#endif
