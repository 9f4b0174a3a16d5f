/*
 * season_find.c
 *	  Which seasons a series shows by itself.
 *
 * Long seasons are looked for in means over buckets, where they are short again:
 * for every length of bucket (1, 2, 4, ...) what is new in each is compared with
 * its means by phase.  What is new, because a series that merely wanders has waves
 * of every length.
 */
#include <stdlib.h>
#include <string.h>

#include "mstl.h"

#define CYCLES		3			/* that a season must be seen for */
#define LONGEST		48			/* in buckets; longer ones come with longer buckets */
#define SHORTEST	20			/* in buckets, but where the bucket is one value */
#define CLEAR		.10			/* of the changes' variance that a season must explain */
#define NO_CHANCE	4.			/* standard errors above what chance explains */
#define PART		.25			/* of what a season leaves: when a longer one explains it, that is the season */
#define NEARLY		.85			/* as much as a multiple explains: then the shorter one is the season */
#define ALIKE		.03			/* of a period: so far from a calendar's one it may be that */
#define ROUNDING	1e-11		/* of the largest value: below it nothing is left but rounding */
#define BREATH		200000

/* A quotient of variances as a normal number, after Paulson (1942). */
static double
normal_of_f(double f, int above, int below)
{
	double		a = 2. / (9 * above);
	double		b = 2. / (9 * below);
	double		root = cbrt(f);

	return ((1 - b) * root - (1 - a)) / sqrt(b * root * root + a);
}

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
	{
		int			count = n / period + (phase < n % period);

		between += sums[phase] * sums[phase] / count;
		sums[phase] /= count;
	}
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
	*errors = normal_of_f(f, period - 1, n - period);
	return 1 - (total - between) / (n - period) / (total / (n - 1));
}

/*
 * The same of what is new in each value: less as much of the value before as the
 * series keeps when the season is out.  All, if it merely wanders.
 */
static double
explained_news(const double *x, int n, int period, double *news, double *sums, double *errors)
{
	double		share = explained(x, n, period, sums, errors);
	double		squares = 0;
	double		products = 0;
	double		before = 0;
	double		keeps;

	if (isinf(*errors))
		return share;
	for (int t = 0, phase = 0; t < n; t++)
	{
		double		rest = x[t] - sums[phase];

		squares += rest * rest;
		products += rest * before;
		before = rest;
		phase = phase + 1 == period ? 0 : phase + 1;
	}
	/* Means of few values take what is kept along. */
	keeps = products / squares;
	keeps += (1 + 3 * keeps) * period / n;
	keeps = keeps < 0 ? 0 : keeps > 1 ? 1 : keeps;
	for (int t = 1; t < n; t++)
		news[t - 1] = x[t] - keeps * x[t - 1];
	return explained(news, n - 1, period, sums, errors);
}

/* Means over buckets, the last ones complete: how many. */
static int
bucket_means(const double *x, int n, int size, double *means)
{
	int			count = n / size;
	const double *at = x + n % size;

	for (int b = 0; b < count; b++)
	{
		double		sum = 0;

		for (int i = 0; i < size; i++)
			sum += at[(size_t) b * size + i];
		means[b] = sum / size;
	}
	return count;
}

/*
 * The series less its mean over a season around each value, which leaves the
 * season; without the half seasons at both ends, which have no such mean.
 */
static int
without_trend(const double *x, int n, int period, double *out)
{
	double		sum = 0;
	int			count = n - period + 1;

	for (int i = 0; i < period; i++)
		sum += x[i];
	for (int i = 0; i < count; i++)
	{
		out[i] = x[i + period / 2] - sum / period;
		if (i + 1 < count)
			sum += x[i + period] - x[i];
	}
	return count;
}

/* The series less its line; may be put in its place. */
static void
without_line(const double *y, int n, double *out)
{
	double		mean = 0;
	double		slope = 0;
	double		middle = (n - 1) / 2.;

	for (int t = 0; t < n; t++)
		mean += y[t] / n;
	for (int t = 0; t < n; t++)
		slope += (t - middle) * (y[t] - mean);
	slope /= n > 1 ? (double) n * ((double) n * n - 1) / 12 : 1;
	for (int t = 0; t < n; t++)
		out[t] = y[t] - mean - slope * (t - middle);
}

static double
largest(const double *x, int n)
{
	double		most = 0;

	for (int t = 0; t < n; t++)
		most = fmax(most, fabs(x[t]));
	return most;
}

/* Twice or three times as long, it would explain much more: a part of a longer season. */
static bool
is_part(const double *x, int n, int period, double *flat, double *sums)
{
	for (int times = 2; times <= 3 && times * period <= n / CYCLES; times++)
	{
		double		errors;
		double		share;
		int			count;

		count = without_trend(x, n, times * period, flat);
		share = explained(flat, count, period, sums, &errors);
		if (explained(flat, count, times * period, sums, &errors) > share + (1 - share) * PART)
			return true;
	}
	return false;
}

/* The season as long as 'buckets' of this size, to the value; 0: none after all. */
static int
refine(const double *x, int n, int buckets, int size, double *flat, double *sums, const SpmBreath *breath)
{
	int			best = 0;
	double		most = 0;
	int			inner = without_trend(x, n, buckets * size, flat);
	int64_t		count = 0;

	for (int period = (buckets - 1) * size + 1; period < (buckets + 1) * size && period <= n / CYCLES; period++)
	{
		double		errors;
		double		share = period < 2 ? 0 : explained(flat, inner, period, sums, &errors);

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

/* What a calendar has, if it explains as much: few years cannot tell 52 weeks from 53. */
static int
of_calendar(const double *x, int n, int period, double *flat, double *sums)
{
	static const int lengths[] = {7, 12, 24, 48, 52, 96, 168, 336, 365, 672, 8766};
	int			count = without_trend(x, n, period, flat);
	double		errors;
	double		share = explained(flat, count, period, sums, &errors);

	for (int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (lengths[i] != period && abs(lengths[i] - period) <= ALIKE * period && lengths[i] <= n / CYCLES &&
			explained(flat, count, lengths[i], sums, &errors) >= NEARLY * share)
			return lengths[i];
	return period;
}

static void
take_out(double *x, int n, int period, double *flat, double *sums)
{
	double		errors;
	int			count = without_trend(x, n, period, flat);

	explained(flat, count, period, sums, &errors);
	for (int t = 0; t < n; t++)
		x[t] -= sums[(t + period - period / 2) % period];
	without_line(x, n, x);
}

/* The shortest part of a period that does as well; the period is a multiple of it. */
static int
shortest_part(const double *means, int count, int period, double *news, double *sums)
{
	double		errors;
	double		share;

	if (period == 0)
		return 0;
	share = explained_news(means, count, period, news, sums, &errors);
	for (int part = 2; part <= period / 2; part++)
		if (period % part == 0 && explained(news, count - 1, part, sums, &errors) >= NEARLY * share)
			return part;
	return period;
}

size_t
spmk_seasons_space(int n)
{
	return 5 * (size_t) n;
}

int
spmk_seasons(const double *y, int n, int *periods, int most, double *space, const SpmBreath *breath)
{
	double	   *x = space;
	double	   *flat = x + n;
	double	   *sums = flat + n;
	double	   *means = sums + n;
	double	   *news = means + n;
	double		nothing = ROUNDING * largest(y, n);
	int			found = 0;

	without_line(y, n, x);
	for (int size = 1; found < most && largest(x, n) > nothing && n / size / CYCLES >= (size == 1 ? 2 : SHORTEST);)
	{
		int			count = bucket_means(x, n, size, means);
		double		best = 0;
		int			buckets = 0;
		int			period;

		for (int p = size == 1 ? 2 : SHORTEST; p <= LONGEST && p <= count / CYCLES; p++)
		{
			double		errors;
			double		share = explained_news(means, count, p, news, sums, &errors);

			if (share >= CLEAR && errors >= NO_CHANCE && errors > best)
			{
				best = errors;
				buckets = p;
			}
			spmk_breathe(breath);
		}
		buckets = shortest_part(means, count, buckets, news, sums);
		period = buckets == 0 ? 0 : size == 1 ? buckets : refine(x, n, buckets, size, flat, sums, breath);
		if (period > 0)
			period = of_calendar(x, n, period, flat, sums);
		for (int k = 0; k < found; k++)
			if (periods[k] == period)
				period = 0;
		if (period == 0 || is_part(x, n, period, flat, sums))
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
