/*
 * breaks.c
 *	  Natural breaks, exactly: Fisher 1958, which Jenks 1977 made known, by
 *	  dynamic programming.
 *
 * best(k, j), the least sum of squares of values 0 to j in k + 1 classes, is
 * the least of best(k - 1, i - 1) + cost(i, j) over the start i of the last
 * class.  That start never moves down as j goes up, so the middle j is solved
 * first and halves what is left to try on both sides: O(k n log n).
 */
#include "breaks.h"

#include <stddef.h>

/* So many tries between two breaths: a fraction of a millisecond. */
#define STRIDE 65536

typedef struct Breaks
{
	const double *count;		/* sums over the values before i: of counts, */
	const double *sum;			/* of values, */
	const double *square;		/* of their squares, all from the mean */
	const double *before;		/* best(k - 1, j) */
	double	   *now;			/* best(k, j) */
	int32_t    *start;			/* where the last class starts */
	int64_t		tries;
	const SpmBreath *breath;
} Breaks;

/* Sum of squares of values i to j around their mean. */
static inline double
cost(const Breaks *b, int i, int j)
{
	double		count = b->count[j + 1] - b->count[i];
	double		sum = b->sum[j + 1] - b->sum[i];
	double		left = b->square[j + 1] - b->square[i] - sum * sum / count;

	return left > 0 ? left : 0;
}

/* Solves lo to hi, whose last class starts between first and last. */
static void
solve(Breaks *b, int lo, int hi, int first, int last)
{
	while (lo <= hi)
	{
		int			j = lo + (hi - lo) / 2;
		int			end = j < last ? j : last;
		int			at = first;
		double		best = b->before[first - 1] + cost(b, first, j);

		for (int i = first + 1; i <= end; i++)
		{
			double		c = b->before[i - 1] + cost(b, i, j);

			if (c < best)
			{
				best = c;
				at = i;
			}
			if (++b->tries % STRIDE == 0)
				spmk_breathe(b->breath);
		}
		b->now[j] = best;
		b->start[j] = at;
		solve(b, lo, j - 1, first, at);
		lo = j + 1;
		first = at;
	}
}

/*
 * Divides n different ascending values, each there 'counts' times, into k
 * classes, 1 <= k <= n; first[c] becomes the index of the lowest value of
 * class c.  Returns the sum of squares that is left within classes.
 */
double
spmk_natural_breaks(const double *values, const double *counts, int n, int k,
					double *sums, int32_t *starts, int *first, const SpmBreath *breath)
{
	double	   *count = sums;
	double	   *sum = count + n + 1;
	double	   *square = sum + n + 1;
	double	   *before = square + n + 1;
	double	   *now = before + n + 1;
	Breaks		b = {count, sum, square, NULL, NULL, NULL, 0, breath};
	double		mean = 0;
	double		total = 0;
	double		left;
	int			j = n - 1;

	/* Squares are taken from the mean, so that big numbers leave room for small differences. */
	for (int i = 0; i < n; i++)
	{
		total += counts[i];
		mean += (values[i] - mean) * counts[i] / total;
	}
	count[0] = sum[0] = square[0] = 0;
	for (int i = 0; i < n; i++)
	{
		double		x = values[i] - mean;

		count[i + 1] = count[i] + counts[i];
		sum[i + 1] = sum[i] + counts[i] * x;
		square[i + 1] = square[i] + counts[i] * x * x;
	}
	for (int i = 0; i < n; i++)
	{
		now[i] = cost(&b, 0, i);
		starts[i] = 0;
	}
	for (int c = 1; c < k; c++)
	{
		double	   *other = before;

		before = now;
		now = other;
		b.before = before;
		b.now = now;
		b.start = starts + (int64_t) c * n;
		spmk_breathe(breath);
		/* c + 1 classes need as many values; the last of them starts at c or later */
		solve(&b, c, n - 1, c, n - 1);
	}
	left = now[n - 1];
	for (int c = k - 1; c >= 0; c--)
	{
		first[c] = starts[(int64_t) c * n + j];
		j = first[c] - 1;
	}
	return left;
}
