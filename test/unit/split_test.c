/* split_test.c: parts add up, and go to whom they are due. */
#include "kernel/split.h"

#include "tap.h"

static Dec	parts[64];
static Dec	rests[64];
static int	order[64];

static void
split(int64_t units, const int *weights, int n)
{
	Dec			shares[64];

	for (int i = 0; i < n; i++)
		shares[i] = dec_from_int(weights[i], 0);
	spmk_split(dec_from_int(units, 0), shares, n, parts, rests, order);
}

static bool
parts_are(const int *expected, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (dec_cmp(parts[i], dec_from_int(expected[i], 0)) != 0)
			return false;
	}
	return true;
}

int
main(void)
{
	bool		adds_up = true;
	bool		near = true;
	bool		mirrors = true;

	split(100, (int[]) {1, 1, 1}, 3);
	ok(parts_are((int[]) {34, 33, 33}, 3), "a tie goes to the earlier share");
	split(-100, (int[]) {1, 1, 1}, 3);
	ok(parts_are((int[]) {-34, -33, -33}, 3), "a negative total mirrors the positive");
	split(100, (int[]) {0, 1, 2}, 3);
	ok(parts_are((int[]) {0, 33, 67}, 3), "the larger remainder gets the unit, no share nothing");
	split(0, (int[]) {3, 4}, 2);
	ok(parts_are((int[]) {0, 0}, 2), "nothing is split into nothings");
	split(2, (int[]) {1, 1, 1, 1, 1}, 5);
	ok(parts_are((int[]) {1, 1, 0, 0, 0}, 5), "fewer units than shares");
	split(7, (int[]) {5}, 1);
	ok(parts_are((int[]) {7}, 1), "one share gets all");

	for (int i = 0; i < 50000; i++)
	{
		int			n = 1 + (int) random_below(12);
		int			weights[64];
		long		sum = 0;
		long		units = random_below(100000);
		Dec			total = dec_from_int(0, 0);
		Dec			first[64];

		for (int k = 0; k < n; k++)
			sum += weights[k] = (int) random_below(random_below(3) ? 1000 : 2);
		if (sum == 0)
			sum = weights[0] = 1;
		split(units, weights, n);
		for (int k = 0; k < n; k++)
		{
			Dec			off = dec_sub(dec_mul(parts[k], dec_from_int(sum, 0)),
									  dec_mul(dec_from_int(units, 0), dec_from_int(weights[k], 0)));

			total = dec_add(total, parts[k]);
			first[k] = parts[k];
			near &= dec_cmp(off, dec_from_int(sum, 0)) < 0 && dec_cmp(off, dec_from_int(-sum, 0)) > 0;
		}
		adds_up &= dec_cmp(total, dec_from_int(units, 0)) == 0;
		split(-units, weights, n);
		for (int k = 0; k < n; k++)
			mirrors &= dec_sign(dec_add(first[k], parts[k])) == 0;
	}
	ok(adds_up, "50,000 splits add up to their totals");
	ok(near, "no part is a unit or more from what is due");
	ok(mirrors, "and each mirrors its negative");
	{
		bool		equal = true;
		int64_t		int_parts[70];
		int64_t		int_shares[70];

		for (int i = 0; i < 50000; i++)
		{
			int			n = 1 + (int) random_below(20);
			int			weights[64];
			int64_t		units = random_below(1000000) - 500000;
			bool		any = false;

			for (int k = 0; k < n; k++)
			{
				weights[k] = random_below(4) == 0 ? 0 : 1 + (int) random_below(50);
				int_shares[k] = weights[k];
				any |= weights[k] > 0;
			}
			if (!any)
			{
				equal &= !spmk_split_int(units, int_shares, n, int_parts);
				continue;
			}
			split(units, weights, n);
			equal &= spmk_split_int(units, int_shares, n, int_parts);
			for (int k = 0; k < n; k++)
				equal &= dec_cmp(parts[k], dec_from_int(int_parts[k], 0)) == 0;
		}
		ok(equal, "integers are split as decimals are");
		for (int k = 0; k < 70; k++)
			int_shares[k] = 1;
		ok(!spmk_split_int(1000, int_shares, 70, int_parts), "many shares are left to decimals");
		int_shares[0] = INT64_MAX / 2;
		ok(!spmk_split_int(1000, int_shares, 2, int_parts), "and what would overflow");
	}
	return done_testing();
}
