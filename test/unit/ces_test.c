/* ces_test.c: complex exponential smoothing against a slow twin, and on series whose future is known. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/ces.h"

#include "tap.h"

#define MOST 400

static double y[MOST];
static double fitted[MOST];
static double mean[40];
static double variance[40];
static SpmOutlook outlook = {.h = 24, .mean = mean, .variance = variance, .fitted = fitted};

static SpmForecastStatus
run(int n, int m)
{
	double	   *space = malloc(sizeof(double) * spmk_ces_space(n, m, 24));
	SpmForecastStatus status = spmk_ces(&(SpmSeries) {.y = y, .n = n, .m = m}, &outlook, space, NULL);

	free(space);
	return status;
}

static double
squares_of(int n)
{
	double		squares = 0;

	for (int t = 0; t < n; t++)
		squares += (y[t] - fitted[t]) * (y[t] - fitted[t]);
	return squares;
}

/* Without a season, written from the definition with complex numbers' parts apart: forward, back, and forward. */
static double
twin(int n, double a0, double a1)
{
	double		l = 0;
	double		c;
	double		squares = 0;

	for (int t = 0; t < 10; t++)
		l += y[t] / 10;
	c = l / 1.1;
	for (int pass = 0; pass < 3; pass++)
	{
		squares = 0;
		for (int i = 0; i < n; i++)
		{
			double		e = y[pass == 1 ? n - 1 - i : i] - l;
			double		next = l - (1 - a1) * c + (a0 - a1) * e;

			c = l + (1 - a0) * c + (a0 + a1) * e;
			l = next;
			squares += e * e;
		}
	}
	return squares;
}

static void
against_twin(void)
{
	bool		as_good = true;
	bool		no_better = true;

	for (int round = 0; round < 10; round++)
	{
		int			n = 30 + 3 * round;
		double		level = 100;
		double		best = INFINITY;
		double		least = INFINITY;

		for (int t = 0; t < n; t++)
		{
			level += round / 4. + (random_below(1000) - 500) / 200.;
			y[t] = level + (random_below(1000) - 500) / 100.;
		}
		run(n, 1);
		for (double a0 = .01; a0 < 1.8; a0 += .01)
			for (double a1 = .5; a1 < 1.5; a1 += .005)
			{
				double		squares = twin(n, a0, a1);

				if (!isfinite(squares))
					continue;
				least = fmin(least, squares);
				best = fmin(best, n * log(squares) + (a1 - 1) * (a1 - 1) / .0025);
			}
		as_good = as_good && n * log(squares_of(n)) < best + .02;
		no_better = no_better && squares_of(n) > .98 * least;
	}
	ok(as_good, "the weights are as good as the best of a grid of 36,000");
	ok(no_better, "and not better than it can be: the twin reckons the same");
}

static void
known_futures(void)
{
	double		worst = 0;
	double		spread = 0;

	for (int t = 0; t < 60; t++)
		y[t] = 7;
	ok(run(60, 12) == SPM_FORECAST_OK && fabs(mean[0] - 7) < 1e-12 && fabs(mean[23] - 7) < 1e-12 && variance[23] < 1e-12, "a constant goes on, and nothing is in doubt");

	for (int t = 0; t < 60; t++)
		y[t] = 100 + 2 * t;
	run(60, 1);
	for (int i = 0; i < 6; i++)
		worst = fmax(worst, fabs(mean[i] - (220 + 2 * i)));
	ok(worst < 6, "a line is followed for some steps");

	for (int t = 0; t < 84; t++)
		y[t] = 100 + 10 * sin(2 * M_PI * t / 12) + (t % 12 == 11 ? 30 : 0) + (random_below(1000) - 500) / 500.;
	run(84, 12);
	worst = 0;
	for (int i = 0; i < 24; i++)
		worst = fmax(worst, fabs(mean[i] - (100 + 10 * sin(2 * M_PI * (84 + i) / 12) + ((84 + i) % 12 == 11 ? 30 : 0))));
	ok(worst < 2.5 && strcmp(outlook.name, "CES(N)") != 0, "a season comes again, for two years");
	ok(fabs(squares_of(84) / variance[0] - (84 - (strcmp(outlook.name, "CES(F)") == 0 ? 5 : 4))) < 1e-9,
	   "the variance one step ahead is that of the errors in the sample");

	for (int t = 0; t < 200; t++)
		y[t] = 50 + (random_below(1000) - 500) / 50.;
	run(200, 1);
	for (int i = 1; i < 24; i++)
		if (variance[i] < variance[i - 1])
			spread = 1;
	ok(fabs(mean[5] - 50) < 3 && fabs(variance[0] / 33.3 - 1) < .3, "noise about a level is forecast at its level, with its variance");
	ok(spread == 0, "further ahead nothing is surer");
}

static void
odd_input(void)
{
	double		first[24];
	bool		same = true;
	bool		finite = true;

	ok(run(3, 1) == SPM_FORECAST_SHORT, "three values are too short");
	ok(run(4, 1) == SPM_FORECAST_OK, "four are not");
	for (int t = 0; t < 70; t++)
		y[t] = 20 + t % 12 + random_below(10);
	run(70, 12);
	memcpy(first, mean, sizeof(first));
	for (int t = 0; t < 70; t++)
		y[t] *= 1048576;
	run(70, 12);
	for (int i = 0; i < 24; i++)
		same = same && fabs(mean[i] / 1048576 - first[i]) < 1e-9 * fabs(first[i]);
	ok(same, "units do not matter");
	memcpy(first, mean, sizeof(first));
	run(70, 12);
	ok(memcmp(first, mean, sizeof(first)) == 0, "asked again it says the same, to the last bit");

	for (int round = 0; round < 300; round++)
	{
		int			n = 4 + random_below(60);
		int			m = 1 + random_below(13);
		double		size = pow(10, random_below(60) - 30);

		for (int t = 0; t < n; t++)
			y[t] = random_below(3) == 0 ? 0 : (random_below(2001) - 1000) * size * (random_below(20) == 0 ? 1000 : 1) / 1e6;
		if (run(n, m) == SPM_FORECAST_OK)
			for (int i = 0; i < 24; i++)
				finite = finite && isfinite(mean[i]) && isfinite(variance[i]) && variance[i] >= 0;
	}
	ok(finite, "wild series are answered in numbers, or not at all");
}

int
main(void)
{
	against_twin();
	known_futures();
	odd_input();
	return done_testing();
}
