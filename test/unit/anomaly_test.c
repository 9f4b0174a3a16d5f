/* anomaly_test.c: how often usual values are called unusual, and unusual ones found. */
#include <stdlib.h>
#include <string.h>

#include "kernel/anomaly.h"

#include "tap.h"

#define MOST 240

static double
unit(void)
{
	return (random_below(1L << 30) + 0.5) / (double) (1L << 30);
}

static double
bell(void)
{
	return sqrt(-2 * log(unit())) * cos(6.283185307179586 * unit());
}

static double expected[MOST];
static bool is_odd[MOST];
static SpmAnomalies anomalies = {expected, is_odd};

static SpmForecastStatus
find(const double *y, int n, int season, double level)
{
	double	   *space = malloc(spmk_anomaly_space(n, &season, season > 1) * sizeof(double));
	SpmForecastStatus status = spmk_anomaly(y, n, &season, season > 1, level, &anomalies, space, NULL);

	free(space);
	return status;
}

int
main(void)
{
	static const int lengths[] = {60, 120, 240};
	static const int periods[] = {1, 4, 12};
	double		y[MOST];
	long		usual = 0;
	long		called = 0;
	long		spikes = 0;
	long		found = 0;
	long		beside = 0;

	for (int round = 0; round < 900; round++)
	{
		int			n = lengths[round % 3];
		int			m = periods[round / 3 % 3];
		int			a = random_below(n);
		int			b = (a + 1 + random_below(n - 1)) % n;

		for (int t = 0; t < n; t++)
			y[t] = 100 + 0.3 * t + 10 * sin(6.283185307179586 * t / m) + bell();
		find(y, n, m, 0.99);
		for (int t = 0; t < n; t++)
			called += is_odd[t];
		usual += n;
		y[a] += 10;
		y[b] -= 10;
		find(y, n, m, 0.999);
		found += is_odd[a] + is_odd[b];
		spikes += 2;
		for (int t = 0; t < n; t++)
			beside += is_odd[t] && t != a && t != b;
	}
	ok(called > 0.008 * usual && called < 0.015 * usual, "at a level of 0.99 about one in a hundred usual values is called unusual");
	ok(found > 0.97 * spikes, "what is ten standard deviations off is found");
	ok(beside < 0.003 * usual, "and its neighbours are not suspected for it");

	{
		double		plain[] = {5, 6, 5, 7, 6, 5, 6, 60, 6, 5, 7, 6, 5, 6, 5, 6, 7, 6, 5, 6};
		double		same[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 9, 5};
		int			odd = 0;

		find(plain, 20, 1, 0.999);
		for (int t = 0; t < 20; t++)
			odd += is_odd[t];
		ok(odd == 1 && is_odd[7] && fabs(expected[7] - 6) < 1, "a single one is found, and what was expected is what is usual");
		find(same, 12, 1, 0.999);
		ok(is_odd[10], "also where all others are the same");
		find(same, 10, 1, 0.999);
		for (int t = 0, any = 0; t < 10; any |= is_odd[t++])
			odd -= any;
		ok(odd == 1 && anomalies.above < 1e-6, "where all are the same nothing is unusual");
		ok(find(plain, 7, 1, 0.999) == SPM_FORECAST_SHORT, "of seven values nothing is said");
	}
	{
		double		numbers[] = {3, 1, 2, 10};
		double		scratch[4];

		ok(spmk_median_of(numbers, scratch, 3, NULL) == 2 && spmk_median_of(numbers, scratch, 4, NULL) == 2.5, "a median is the middle, or the mean of the two");
	}
	return done_testing();
}
