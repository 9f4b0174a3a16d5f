/*
 * season_find.c
 *	  Which seasons a series shows by itself.
 *
 * Long seasons are looked for in means over buckets, where they are short again:
 * for every length of bucket (1, 2, 4, ...) the changes from bucket to bucket are
 * compared with their means by phase.  Changes, because a series that merely
 * wanders has waves of every length, and its changes have none.
 */
#include <string.h>

#include "mstl.h"

#define CYCLES		3			/* that a season must be seen for */
#define LONGEST		48			/* in buckets; longer ones come with longer buckets */
#define SHORTEST	20			/* in buckets, but where the bucket is one value */
#define CLEAR		.10			/* of the changes' variance that a season must explain */
#define NO_CHANCE	5.			/* standard errors above what chance explains */
#define NEARLY		.9			/* of the best: a shorter one that explains as much is the season, others its multiples */
#define BREATH		200000

/* Share of variance that means by phase explain, as if each cost nothing; 'errors': how far above chance. */
static double
explained(const double *x, int n, int period, double *sums, double *errors)
{
	double		total = 0;
	double		mean = 0;
	double		between = 0;
	double		f;

	memset(sums, 0, period * sizeof(double));
	for (int t = 0, phase = 0; t < n; t++)
	{
		sums[phase] += x[t];
		mean += x[t];
		total += x[t] * x[t];
		phase = phase + 1 == period ? 0 : phase + 1;
	}
	for (int phase = 0; phase < period; phase++)
		between += sums[phase] * sums[phase] / (n / period + (phase < n % period));
	mean /= n;
	between -= n * mean * mean;
	total -= n * mean * mean;
	*errors = 0;
	if (!(total > 0) || n - period < 2)
		return 0;
	if (total - between <= 1e-12 * total)
	{
		*errors = INFINITY;
		return 1;
	}
	f = between / (period - 1) / ((total - between) / (n - period));
	*errors = (f - 1) / sqrt(2. / (period - 1) + 2. / (n - period));
	return 1 - (total - between) / (n - period) / (total / (n - 1));
}

/* Means over buckets, last ones first complete, and their changes: how many. */
static int
bucket_changes(const double *x, int n, int size, double *changes)
{
	int			buckets = n / size;
	const double *at = x + n % size;
	double		before = 0;

	for (int b = 0; b < buckets; b++)
	{
		double		sum = 0;

		for (int i = 0; i < size; i++)
			sum += at[(size_t) b * size + i];
		sum /= size;
		if (b > 0)
			changes[b - 1] = sum - before;
		before = sum;
	}
	return buckets - 1;
}

/* The series less its mean over a season around each value, which leaves the season. */
static void
without_trend(const double *x, int n, int period, double *out)
{
	double		sum = 0;
	int			from = 0;

	for (int i = 0; i < period; i++)
		sum += x[i];
	for (int t = 0; t < n; t++)
	{
		while (from + period < n && t - from > period / 2)
		{
			sum += x[from + period] - x[from];
			from++;
		}
		out[t] = x[t] - sum / period;
	}
}

/* The season as long as 'buckets' of this size, to the value; 0: none after all. */
static int
refine(const double *x, int n, int buckets, int size, double *flat, double *sums, const SpmBreath *breath)
{
	int			best = 0;
	double		most = 0;
	int64_t		count = 0;

	without_trend(x, n, buckets * size, flat);
	for (int period = (buckets - 1) * size + 1; period < (buckets + 1) * size && period <= n / CYCLES; period++)
	{
		double		errors;
		double		share = period < 2 ? 0 : explained(flat, n, period, sums, &errors);

		if (share > most)
		{
			most = share;
			best = period;
		}
		if ((count += n) > BREATH)
		{
			count = 0;
			spmk_breathe(breath);
		}
	}
	return best;
}

static void
take_out(double *x, int n, int period, double *flat, double *sums)
{
	without_trend(x, n, period, flat);
	memset(sums, 0, period * sizeof(double));
	for (int t = 0; t < n; t++)
		sums[t % period] += flat[t];
	for (int phase = 0; phase < period; phase++)
		sums[phase] /= n / period + (phase < n % period);
	for (int t = 0; t < n; t++)
		x[t] -= sums[t % period];
}

size_t
spmk_seasons_space(int n)
{
	return 4 * (size_t) n;
}

int
spmk_seasons(const double *y, int n, int *periods, int most, double *space, const SpmBreath *breath)
{
	double	   *x = space;
	double	   *flat = x + n;
	double	   *sums = flat + n;
	double	   *changes = sums + n;
	int			found = 0;

	memcpy(x, y, n * sizeof(double));
	for (int size = 1; found < most && n / size / CYCLES >= (size == 1 ? 2 : SHORTEST);)
	{
		int			count = bucket_changes(x, n, size, changes);
		double		best = 0;
		int			buckets = 0;
		int			period;

		for (int p = size == 1 ? 2 : SHORTEST; p <= LONGEST && p <= n / size / CYCLES; p++)
		{
			double		errors;
			double		share = explained(changes, count, p, sums, &errors);

			if (share >= CLEAR && errors >= NO_CHANCE && share * NEARLY > best)
			{
				best = share;
				buckets = p;
			}
			spmk_breathe(breath);
		}
		period = buckets == 0 ? 0 : size == 1 ? buckets : refine(x, n, buckets, size, flat, sums, breath);
		for (int k = 0; k < found; k++)
			if (periods[k] == period)
				period = 0;
		if (period == 0)
		{
			size *= 2;
			continue;
		}
		take_out(x, n, period, flat, sums);
		periods[found++] = period;
	}
	for (int i = 1; i < found; i++)
		for (int j = i; j > 0 && periods[j] < periods[j - 1]; j--)
		{
			int			swap = periods[j];

			periods[j] = periods[j - 1];
			periods[j - 1] = swap;
		}
	return found;
}

/* The one that explains most of the series' changes. */
int
spmk_season(const double *y, int n, double *space, const SpmBreath *breath)
{
	int			periods[SPMK_SEASONS_MAX];
	int			found = spmk_seasons(y, n, periods, SPMK_SEASONS_MAX, space, breath);
	double		most = 0;
	int			best = 1;

	for (int k = 0; k < found; k++)
	{
		double		errors;
		double		share;

		for (int t = 1; t < n; t++)
			space[t - 1] = y[t] - y[t - 1];
		share = explained(space, n - 1, periods[k], space + n, &errors);
		if (share > most)
		{
			most = share;
			best = periods[k];
		}
	}
	return best;
}
