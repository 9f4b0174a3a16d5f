/* lap_test.c: one to one, at least cost. */
#include <math.h>
#include <stdlib.h>

#include "kernel/lap.h"

#include "tap.h"

static double costs[300 * 400];
static int	columns[400];
static double row_prices[400];
static double column_prices[400];
static SpmLap p;

static bool
solve(int n, int m)
{
	void	   *memory = malloc(spmk_lap_memory(n, m));
	bool		done;

	p = (SpmLap) {.nrows = n, .ncolumns = m, .costs = costs, .columns = columns,
		.row_prices = row_prices, .column_prices = column_prices};
	done = spmk_lap(&p, memory);
	free(memory);
	return done;
}

/* The least cost of rows from 'row' on, with the columns not yet used, by trying all. */
static double
try_all(int n, int m, int row, int used)
{
	double		least = row == n ? 0 : INFINITY;

	for (int j = 0; j < m && row < n; j++)
		if (!(used >> j & 1))
			least = fmin(least, costs[row * m + j] + try_all(n, m, row + 1, used | 1 << j));
	return least;
}

static double
value_if_proven(int n, int m)
{
	bool		used[400] = {false};
	double		value = 0;
	double		bound = 0;

	for (int i = 0; i < n; i++)
	{
		if (used[columns[i]])
			return NAN;
		used[columns[i]] = true;
		value += costs[i * m + columns[i]];
		bound += row_prices[i];
		for (int j = 0; j < m; j++)
			if (row_prices[i] > costs[i * m + j] + column_prices[j])
				return NAN;
	}
	for (int j = 0; j < m; j++)
	{
		if (column_prices[j] < 0 || (column_prices[j] > 0 && !used[j]))
			return NAN;
		bound -= column_prices[j];
	}
	return value == bound ? value : NAN;
}

int
main(void)
{
	int			wrong = 0;
	int			impossible = 0;

	for (int round = 0; round < 2000; round++)
	{
		int			n = 1 + random_below(6);
		int			m = n + random_below(3);
		int			most = round % 2 ? 4 : 1000;
		double		least;

		for (int i = 0; i < n * m; i++)
			costs[i] = random_below(100) < round % 60 ? INFINITY : random_below(most) - most / 2;
		least = try_all(n, m, 0, 0);
		if (solve(n, m) ? value_if_proven(n, m) != least : least < INFINITY)
			wrong++;
		impossible += least == INFINITY;
	}
	ok(wrong == 0 && impossible > 100, "2,000 small tables agree with trying all, also where pairs are not allowed");

	wrong = 0;
	for (int round = 0; round < 20; round++)
	{
		int			n = 100 + random_below(200);
		int			m = n + random_below(100);

		for (int i = 0; i < n * m; i++)
			costs[i] = random_below(round % 2 ? 10 : 100000);
		if (!solve(n, m) || isnan(value_if_proven(n, m)))
			wrong++;
	}
	ok(wrong == 0, "large tables are proven by their prices");

	for (int i = 0; i < 6; i++)
		costs[i] = i % 3 == 1 ? i : INFINITY;
	ok(!solve(2, 3) && p.row >= 0 && p.row < 2, "two rows that may have one column only are refused");
	return done_testing();
}
