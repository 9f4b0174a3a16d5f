/*
 * rank.c
 *	  Numbers in order, and what only depends on their order.
 */
#include "rank.h"

#include <math.h>
#include <string.h>

/* So many numbers between two breaths: well under a millisecond. */
#define STRIDE 65536
#define BUCKETS 256

/* Bits that compare as unsigned integers do what the numbers compare. */
static inline uint64_t
bits_of(double number)
{
	uint64_t	bits;

	number += 0.0;				/* there is one zero */
	memcpy(&bits, &number, sizeof(bits));
	return bits & (UINT64_C(1) << 63) ? ~bits : bits | UINT64_C(1) << 63;
}

static void
sort_few(double *numbers, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		double		x = numbers[i];
		size_t		j = i;

		for (; j > 0 && numbers[j - 1] > x; j--)
			numbers[j] = numbers[j - 1];
		numbers[j] = x;
	}
}

/*
 * Ascending, by digits of 8 bits from the last to the first; digits in which
 * all agree cost nothing.  'scratch' has room for n; no number is NaN.
 */
void
spmk_sort_numbers(double *numbers, double *scratch, size_t n, const SpmBreath *breath)
{
	size_t		counts[8][BUCKETS] = {{0}};
	double	   *from = numbers;
	double	   *to = scratch;

	if (n < 32)
	{
		sort_few(numbers, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	bits = bits_of(numbers[i]);

		for (int digit = 0; digit < 8; digit++)
			counts[digit][bits >> 8 * digit & 255]++;
		if (i % STRIDE == 0)
			spmk_breathe(breath);
	}
	for (int digit = 0; digit < 8; digit++)
	{
		size_t	   *count = counts[digit];
		double	   *other = from;
		size_t		begin = 0;

		if (count[bits_of(from[0]) >> 8 * digit & 255] == n)
			continue;
		for (int b = 0; b < BUCKETS; b++)
		{
			size_t		here = count[b];

			count[b] = begin;
			begin += here;
		}
		for (size_t i = 0; i < n; i++)
		{
			to[count[bits_of(from[i]) >> 8 * digit & 255]++] = from[i];
			if (i % STRIDE == 0)
				spmk_breathe(breath);
		}
		from = to;
		to = other;
	}
	if (from != numbers)
		memcpy(numbers, from, n * sizeof(double));
}

/* A sum that remembers what rounding lost (Neumaier 1974). */
typedef struct Sum
{
	double		sum;
	double		lost;
} Sum;

static inline void
add_to(Sum *s, double x)
{
	double		t = s->sum + x;

	s->lost += fabs(s->sum) >= fabs(x) ? (s->sum - t) + x : (x - t) + s->sum;
	s->sum = t;
}

/*
 * How unequally a sum is spread (Gini 1912): 0 when all have the same, near 1
 * when one has it all.  The mean difference of two over twice the mean, which
 * for sorted numbers is sum((2 i - n - 1) x[i]) / (n sum(x)).
 */
double
spmk_gini(const double *sorted, size_t n)
{
	Sum			sum = {0, 0};
	Sum			moment = {0, 0};

	for (size_t i = 0; i < n; i++)
	{
		add_to(&sum, sorted[i]);
		add_to(&moment, (2.0 * (double) (i + 1) - (double) n - 1.0) * sorted[i]);
	}
	if (sum.sum == 0)
		return 0;
	return (moment.sum + moment.lost) / (sum.sum + sum.lost) / (double) n;
}

/*
 * The chance that one of 'yes' is higher than one of 'no', where a tie is half
 * a chance (Mann and Whitney 1947); both are sorted and not empty.
 */
double
spmk_auc(const double *yes, size_t nyes, const double *no, size_t nno)
{
	size_t		below = 0;
	size_t		upto = 0;
	double		twice = 0;

	for (size_t i = 0; i < nyes; i++)
	{
		while (below < nno && no[below] < yes[i])
			below++;
		while (upto < nno && no[upto] <= yes[i])
			upto++;
		twice += (double) below + (double) upto;
	}
	return twice / 2 / (double) nyes / (double) nno;
}
