/* rounding_test.c: each way to round, on the values where they differ. */
#include "kernel/rounding.h"

#include <string.h>

#include "tap.h"

/* 2.5, -2.5, 3.5, 2.4, -2.4, 2.6, -2.6, 2.0 under each rounding, to whole numbers */
static const int inputs[] = {25, -25, 35, 24, -24, 26, -26, 20};
static const struct
{
	const char *name;
	int			expected[8];
}			table[] = {
	{"half_up", {3, -3, 4, 2, -2, 3, -3, 2}},
	{"half_even", {2, -2, 4, 2, -2, 3, -3, 2}},
	{"half_down", {2, -2, 3, 2, -2, 3, -3, 2}},
	{"up", {3, -3, 4, 3, -3, 3, -3, 2}},
	{"down", {2, -2, 3, 2, -2, 2, -2, 2}},
	{"floor", {2, -3, 3, 2, -3, 2, -3, 2}},
	{"ceil", {3, -2, 4, 3, -2, 3, -2, 2}},
};

static bool
same(Dec a, int64_t value, int scale)
{
	return dec_cmp(a, dec_from_int(value, scale)) == 0;
}

int
main(void)
{
	SpmRounding rounding;
	bool		agree = true;
	Dec			one = dec_from_int(1, 0);

	for (int t = 0; t < 7; t++)
	{
		bool		found = spmk_rounding_from_name(table[t].name, strlen(table[t].name), &rounding);
		bool		in_dec = found;
		bool		in_int = found;

		for (int i = 0; i < 8; i++)
		{
			in_dec &= same(spmk_round(dec_from_int(inputs[i], 1), one, 0, rounding), table[t].expected[i], 0);
			in_int &= spmk_round_int(inputs[i], 10, rounding) == table[t].expected[i];
		}
		ok(in_dec, table[t].name);
		ok(in_int, "the same in integers");
		ok(strcmp(spmk_rounding_name(rounding), table[t].name) == 0, "its name comes back");
	}
	ok(spmk_rounding_from_name("ceiling", 7, &rounding) && rounding == SPM_CEIL, "ceiling is ceil");
	ok(!spmk_rounding_from_name("half", 4, &rounding), "half is no rounding");
	ok(!spmk_rounding_from_name("half_upwards", 12, &rounding), "nor is half_upwards");
	ok(same(spmk_round(dec_from_int(2, 0), dec_from_int(3, 0), 4, SPM_HALF_UP), 6667, 4), "2/3 to 4 places");
	ok(same(spmk_round(dec_from_int(-2, 0), dec_from_int(-3, 0), 4, SPM_HALF_UP), 6667, 4), "-2/-3 is positive");
	ok(same(spmk_round(dec_from_int(2, 0), dec_from_int(-3, 0), 4, SPM_FLOOR), -6667, 4), "2/-3 is negative");
	ok(same(spmk_round(dec_from_int(12345, 1), one, -2, SPM_HALF_UP), 1200, 0), "1234.5 to hundreds");
	ok(same(spmk_round(dec_from_int(1250, 0), one, -2, SPM_HALF_EVEN), 1200, 0), "1250 to even hundreds");

	for (int i = 0; i < 200000; i++)
	{
		int64_t		num = random_below(2000001) - 1000000;
		int64_t		den = random_below(20) == 0 ? 1 : random_below(1000) + 1;

		rounding = (SpmRounding) random_below(7);
		agree &= same(spmk_round(dec_from_int(num, 0), dec_from_int(den, 0), 0, rounding),
					  (int64_t) spmk_round_int(num, den, rounding), 0);
	}
	ok(agree, "200,000 quotients round to the same in decimals and in integers");

	/* beyond 64 bits: 10^30 + 1/2, and just under */
	{
		SpmInt128	big = (SpmInt128) 1000000000000000 * 1000000000000000;

		ok(spmk_round_int(2 * big + 1, 2, SPM_HALF_UP) == big + 1, "a half beyond 64 bits goes up");
		ok(spmk_round_int(2 * big + 1, 2, SPM_HALF_EVEN) == big, "or to the even neighbour");
		ok(spmk_round_int(-(2 * big + 1), 2, SPM_HALF_UP) == -big - 1, "and so it does below zero");
		ok(spmk_round_int(big - 1, 2 * big, SPM_HALF_UP) == 0, "just under a half goes down");
	}
	return done_testing();
}
