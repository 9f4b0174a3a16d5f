/* score_test.c: order, inequality, natural breaks and odds, against other ways to get them. */
#include "kernel/breaks.h"
#include "kernel/logistic.h"
#include "kernel/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define MOST 100000

static int	breaths;

static void
count_breath(void *arg)
{
	breaths++;
}

static const SpmBreath breath = {count_breath, NULL};

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
any_number(SpmChance *chance)
{
	double		x = spmk_chance_unit(chance) - 0.5;

	switch (spmk_chance_below(chance, 6))
	{
		case 0:
			return 0;
		case 1:
			return -0.0;
		case 2:
			return x * 1e300;
		case 3:
			return x * 1e-300;
		case 4:
			return floor(x * 10);
		default:
			return x;
	}
}

static bool
sorts(void)
{
	static double numbers[MOST],
				expected[MOST],
				scratch[MOST];
	SpmChance	chance = {1};
	static const int sizes[] = {0, 1, 2, 31, 32, 33, 1000, MOST};

	for (int s = 0; s < 8; s++)
	{
		for (int i = 0; i < sizes[s]; i++)
			numbers[i] = expected[i] = any_number(&chance);
		spmk_sort_numbers(numbers, scratch, sizes[s], &breath);
		qsort(expected, sizes[s], sizeof(double), compare);
		for (int i = 0; i < sizes[s]; i++)
			if (numbers[i] != expected[i])
				return false;
	}
	return true;
}

/* Half the mean difference of all pairs over the mean, as it is defined. */
static bool
gini_is_that_of_pairs(void)
{
	SpmChance	chance = {2};

	for (int round = 0; round < 200; round++)
	{
		double		x[40],
					scratch[40];
		int			n = 1 + spmk_chance_below(&chance, 40);
		double		differences = 0;
		double		sum = 0;

		for (int i = 0; i < n; i++)
			x[i] = spmk_chance_below(&chance, 20);
		x[0] = 1;
		for (int i = 0; i < n; i++)
		{
			sum += x[i];
			for (int j = 0; j < n; j++)
				differences += fabs(x[i] - x[j]);
		}
		spmk_sort_numbers(x, scratch, n, NULL);
		if (fabs(spmk_gini(x, n) - differences / (2 * n * sum)) > 1e-12)
			return false;
	}
	return true;
}

static bool
auc_is_that_of_pairs(void)
{
	SpmChance	chance = {3};

	for (int round = 0; round < 200; round++)
	{
		double		yes[20],
					no[20],
					scratch[20];
		int			nyes = 1 + spmk_chance_below(&chance, 20);
		int			nno = 1 + spmk_chance_below(&chance, 20);
		double		won = 0;

		for (int i = 0; i < nyes; i++)
			yes[i] = spmk_chance_below(&chance, 12);
		for (int i = 0; i < nno; i++)
			no[i] = spmk_chance_below(&chance, 10);
		for (int i = 0; i < nyes; i++)
			for (int j = 0; j < nno; j++)
				won += yes[i] > no[j] ? 1 : yes[i] == no[j] ? 0.5 : 0;
		spmk_sort_numbers(yes, scratch, nyes, NULL);
		spmk_sort_numbers(no, scratch, nno, NULL);
		if (fabs(spmk_auc(yes, nyes, no, nno) - won / nyes / nno) > 1e-12)
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- natural breaks */

static double
squares_within(const double *values, const double *counts, int from, int until)
{
	double		n = 0;
	double		mean = 0;
	double		sum = 0;

	for (int i = from; i < until; i++)
	{
		n += counts[i];
		mean += values[i] * counts[i];
	}
	mean /= n;
	for (int i = from; i < until; i++)
		sum += counts[i] * (values[i] - mean) * (values[i] - mean);
	return sum;
}

/* The least over all ways to cut. */
static double
brute_force(const double *values, const double *counts, int from, int n, int k)
{
	double		best = INFINITY;

	if (k == 1)
		return squares_within(values, counts, from, n);
	for (int until = from + 1; until <= n - k + 1; until++)
		best = fmin(best, squares_within(values, counts, from, until) + brute_force(values, counts, until, n, k - 1));
	return best;
}

static bool
breaks_are_the_best(double offset)
{
	SpmChance	chance = {4};

	for (int round = 0; round < 300; round++)
	{
		double		values[16],
					counts[16],
					sums[SPMK_BREAKS_SUMS(16)];
		int32_t		starts[SPMK_BREAKS_STARTS(16, 16)];
		int			first[16];
		int			n = 1 + spmk_chance_below(&chance, 16);
		int			k = 1 + spmk_chance_below(&chance, n < 6 ? n : 6);
		double		left;
		double		mine = 0;
		double		best;

		values[0] = offset;
		for (int i = 0; i < n; i++)
		{
			values[i] = (i ? values[i - 1] : offset) + 1 + spmk_chance_below(&chance, 30);
			counts[i] = 1 + spmk_chance_below(&chance, 4);
		}
		left = spmk_natural_breaks(values, counts, n, k, sums, starts, first, NULL);
		if (first[0] != 0)
			return false;
		for (int c = 0; c < k; c++)
		{
			int			until = c + 1 < k ? first[c + 1] : n;

			if (until <= first[c])
				return false;
			mine += squares_within(values, counts, first[c], until);
		}
		best = brute_force(values, counts, 0, n, k);
		if (fabs(mine - best) > 1e-9 * (1 + best) || fabs(left - best) > 1e-6 * (1 + best))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------ logistic regression */

#define ROWS 400
#define FACTORS 3

typedef struct Sample
{
	double		x[ROWS][FACTORS];
	const double *factors[ROWS];
	double		counts[ROWS];
	double		yes[ROWS];
	double		scores[ROWS * FACTORS];
	double		room[SPMK_LOGISTIC_ROOM(FACTORS)];
	double		coefficients[FACTORS + 1];
	double		errors[FACTORS + 1];
} Sample;

static Sample sample;

static SpmLogisticStatus
regress(int n, int p, double ridge, SpmLogisticFit *fit)
{
	SpmLogisticRows rows = {n, p, sample.factors, sample.counts, sample.yes};

	for (int i = 0; i < n; i++)
		sample.factors[i] = sample.x[i];
	fit->coefficients = sample.coefficients;
	fit->errors = sample.errors;
	return spmk_logistic(&rows, ridge, sample.scores, sample.room, fit, &breath);
}

/* Where the likelihood is highest, what happened and what was expected agree in every factor. */
static bool
is_stationary(int n, int p, const SpmLogisticFit *fit)
{
	for (int j = 0; j <= p; j++)
	{
		double		left = 0;
		double		size = 0;

		for (int i = 0; i < n; i++)
		{
			double		x = j ? sample.x[i][j - 1] : 1;
			double		eta = fit->coefficients[0];
			double		expected;

			for (int k = 0; k < p; k++)
				eta += fit->coefficients[k + 1] * sample.x[i][k];
			expected = sample.counts[i] / (1 + exp(-eta));
			left += (sample.yes[i] - expected) * x;
			size += fabs(expected * x);
		}
		if (fabs(left) > 1e-9 * (size + 1))
			return false;
	}
	return true;
}

static bool
fits_are_stationary(void)
{
	SpmChance	chance = {5};

	for (int round = 0; round < 50; round++)
	{
		SpmLogisticFit fit;
		double		scale[FACTORS];

		for (int j = 0; j < FACTORS; j++)
			scale[j] = pow(10, (double) spmk_chance_below(&chance, 13) - 6);
		for (int i = 0; i < ROWS; i++)
		{
			double		eta = -0.5;

			for (int j = 0; j < FACTORS; j++)
			{
				double		u = spmk_chance_unit(&chance) * 4;

				sample.x[i][j] = scale[j] * (u + 3);
				eta += (j - 1) * (u - 2);
			}
			sample.counts[i] = 1 + spmk_chance_below(&chance, 3);
			sample.yes[i] = 0;
			for (int c = 0; c < sample.counts[i]; c++)
				sample.yes[i] += spmk_chance_unit(&chance) < 1 / (1 + exp(-eta));
		}
		if (regress(ROWS, FACTORS, 0, &fit) != SPM_LOGISTIC_OK || !is_stationary(ROWS, FACTORS, &fit))
			return false;
	}
	return true;
}

/* 40 rows with a factor, 40 without. */
static void
two_by_two(double yes_with, double yes_without)
{
	memset(&sample, 0, sizeof(sample));
	sample.x[0][0] = 1;
	sample.counts[0] = sample.counts[1] = 40;
	sample.yes[0] = yes_with;
	sample.yes[1] = yes_without;
}

int
main(void)
{
	SpmLogisticFit fit;
	SpmLogisticStatus status;

	ok(sorts(), "numbers are sorted as the C library sorts them, tiny, huge and both zeros");
	ok(breaths > 0, "and others are let through meanwhile");
	ok(gini_is_that_of_pairs(), "the Gini coefficient is the mean difference of all pairs over twice the mean");
	ok(auc_is_that_of_pairs(), "the area under the curve is the share of pairs told apart");
	ok(breaks_are_the_best(0), "natural breaks are the best of all ways to cut");
	ok(breaks_are_the_best(1e9), "for big numbers with small differences, too");

	/* 30 of 40 with, 10 of 40 without: odds of 1 : 3, times 9 */
	two_by_two(30, 10);
	ok(regress(2, 1, 0, &fit) == SPM_LOGISTIC_OK, "a table of two by two");
	ok(fabs(fit.coefficients[0] + log(3)) < 1e-13 && fabs(fit.coefficients[1] - log(9)) < 1e-13, "gives the logarithms of its odds");
	ok(fabs(fit.errors[1] - sqrt(1 / 30. + 1 / 10. + 1 / 10. + 1 / 30.)) < 1e-13 && fabs(fit.errors[0] - sqrt(1 / 10. + 1 / 30.)) < 1e-13,
	   "with the standard error of a log odds ratio: the root of the sum of reciprocals");
	ok(fabs(fit.null_log_likelihood + 80 * log(2)) < 1e-10, "and the likelihood of a coin for what is known of nothing");
	ok(fits_are_stationary(), "random fits leave no slope, in factors from millionths to millions");

	two_by_two(40, 0);
	status = regress(2, 1, 0, &fit);
	ok(status == SPM_LOGISTIC_SEPARATED, "a factor that tells all is refused");
	/* x = 0 and 1 have scores -1 and 1: 40 (1 - p) 2 = ridge b, with p = 1 / (1 + exp(-b)) */
	status = regress(2, 1, 2, &fit);
	{
		double		b = fit.coefficients[1] / 2;

		ok(status == SPM_LOGISTIC_OK && fabs(80 / (1 + exp(b)) - 2 * b) < 1e-9, "and a ridge keeps it finite, where slope and penalty balance");
	}
	two_by_two(40, 40);
	ok(regress(2, 1, 0, &fit) == SPM_LOGISTIC_ONE_OUTCOME, "one outcome is none to learn from");
	for (int i = 0; i < 10; i++)
	{
		sample.x[i][0] = i;
		sample.x[i][1] = i * i % 7;
		sample.x[i][2] = 2 * sample.x[i][0] - 3 * sample.x[i][1] + 1;
		sample.counts[i] = 2;
		sample.yes[i] = 1;
	}
	ok(regress(10, 3, 0, &fit) == SPM_LOGISTIC_COLLINEAR && fit.at == 3, "a factor that follows from others is named");
	ok(regress(10, 3, 1, &fit) == SPM_LOGISTIC_OK, "or bears with a ridge");
	for (int i = 0; i < 10; i++)
		sample.x[i][1] = 0.1;
	ok(regress(10, 3, 0, &fit) == SPM_LOGISTIC_CONSTANT && fit.at == 2, "and one that never changes");
	return done_testing();
}
