/* accuracy_test.c: exact sums against integers of 128 bits, in any order; naive errors. */
#include <stdlib.h>
#include <string.h>

#include "kernel/accuracy.h"

#include "tap.h"

#define N 1000

static double
unit(void)
{
	return random_below(1L << 30) / (double) (1L << 30);
}

static double
sum_of(const double *numbers, int n, int parts)
{
	SpmExact	whole;

	memset(&whole, 0, sizeof(whole));
	for (int p = 0; p < parts; p++)
	{
		SpmExact	part;

		memset(&part, 0, sizeof(part));
		for (int i = p; i < n; i += parts)
			spmk_exact_add(&part, numbers[i]);
		spmk_exact_merge(&whole, &part);
	}
	return spmk_exact_value(&whole);
}

/* In units of 2^-40, which all numbers of the test are multiples of. */
static double
integer_sum(const double *numbers, int n)
{
	__int128	sum = 0;

	for (int i = 0; i < n; i++)
		sum += (__int128) ldexp(numbers[i], 40);
	return ldexp((double) sum, -40);
}

static void
shuffle(double *numbers, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			k = random_below(i + 1);
		double		kept = numbers[i];

		numbers[i] = numbers[k];
		numbers[k] = kept;
	}
}

int
main(void)
{
	static double numbers[N];
	bool		same = true;
	bool		exact = true;
	bool		wide = true;
	SpmExact	sum;

	for (int round = 0; round < 200; round++)
	{
		int			n = 1 + random_below(N);
		double		plain;

		for (int i = 0; i < n; i++)
			numbers[i] = ldexp((double) (random_below(1L << 52) - (1L << 51)), random_below(60) - 40);
		plain = sum_of(numbers, n, 1);
		exact &= plain == integer_sum(numbers, n);
		shuffle(numbers, n);
		same &= plain == sum_of(numbers, n, 1) && plain == sum_of(numbers, n, 7);

		for (int i = 0; i < n; i++)
			numbers[i] = (unit() - 0.5) * pow(10, random_below(120) - 60);
		plain = sum_of(numbers, n, 1);
		shuffle(numbers, n);
		wide &= plain == sum_of(numbers, n, 3);
	}
	ok(exact, "a sum is the double nearest to the true one");
	ok(same, "in any order and in any parts");
	ok(wide, "also of numbers of very different size");

	numbers[0] = 1e60, numbers[1] = 1, numbers[2] = -1e60;
	ok(sum_of(numbers, 3, 1) == 1, "what is small is not lost beside what is large");
	numbers[0] = -0.1;
	ok(sum_of(numbers, 1, 1) == -0.1, "one number is itself, also a negative one");
	ok(sum_of(numbers, 0, 1) == 0, "nothing is zero");
	numbers[0] = 9007199254740992.0, numbers[1] = 1, numbers[2] = 0x1p-200;
	ok(sum_of(numbers, 2, 1) == 9007199254740992.0 && sum_of(numbers, 3, 1) == 9007199254740994.0, "the last bit is rounded by all that follows");
	numbers[0] = 0x1p-250, numbers[1] = 0x1p-300;
	ok(sum_of(numbers, 2, 1) == 0x1p-250, "what lies below the unit is cut off");
	memset(&sum, 0, sizeof(sum));
	ok(!spmk_exact_add(&sum, INFINITY) && !spmk_exact_add(&sum, NAN) && !spmk_exact_add(&sum, -0x1p240) && spmk_exact_value(&sum) == 0,
	   "what is no number, or too large, is refused");
	for (int i = 0; i < 1000000; i++)
		spmk_exact_add(&sum, 0.1);
	ok(spmk_exact_value(&sum) == 100000, "a million tenths are a hundred thousand");

	{
		const double y[] = {100, 110, 100, 130};

		ok(spmk_naive_error(y, 4, 1, false) == 50 / 3.0, "mean size of what the value before is off by");
		ok(spmk_naive_error(y, 4, 2, true) == sqrt(200), "or root of the mean square, of the season before");
		ok(isnan(spmk_naive_error(y, 4, 4, false)), "none for a series that is not longer than the lag");
	}
	ok(spmk_smape_term(0, 0) == 0 && spmk_smape_term(1, 0) == 200, "sMAPE goes from 0 to 200");
	ok(spmk_interval_score(5, 1, 4, 0.5) == 3 + 4, "an interval is paid for by its width and by what lies outside");
	return done_testing();
}
