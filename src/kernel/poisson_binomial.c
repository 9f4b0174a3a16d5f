/*
 * poisson_binomial.c
 *	  The distribution of a number of wins, deal after deal: O(n^2), only sums of
 *	  products of what is not negative, so nothing cancels.
 */
#include "poisson_binomial.h"

/* probability[k], k from 0 to n: that k of n deals are won. */
void
spmk_poisson_binomial(const double *odds, int n, double *probability, const SpmBreath *breath)
{
	probability[0] = 1;
	for (int i = 0; i < n; i++)
	{
		double		p = odds[i];

		if (i % 64 == 0)
			spmk_breathe(breath);
		probability[i + 1] = probability[i] * p;
		for (int k = i; k > 0; k--)
			probability[k] = probability[k] * (1 - p) + probability[k - 1] * p;
		probability[0] *= 1 - p;
	}
}
