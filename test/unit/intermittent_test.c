/* intermittent_test.c: demand that mostly is nothing, by hand and by drawing it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/intermittent.h"

#include "tap.h"

#define MOST 2000

static double y[MOST];
static double space[4 * MOST];
static double mean[1];
static double variance[1];
static SpmOutlook outlook = {.h = 1, .mean = mean, .variance = variance};

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* What a method says of the first n values; -1 if it refuses. */
static double
say(const char *name, int n)
{
	SpmSeries	series = {.y = y, .n = n, .m = 1};

	return spmk_method(name)->run(&series, &outlook, space, NULL) == SPM_FORECAST_OK ? mean[0] : -1;
}

static void
demand_every(int interval, double size, int n)
{
	for (int t = 0; t < n; t++)
		y[t] = t % interval == interval - 1 ? size : 0;
}

static void
by_hand(void)
{
	double		alive = 1;
	double		gone = 0;

	demand_every(3, 6, 36);
	ok(near(say("croston", 36), 2), "croston: 6 every third period is 2 a period");
	ok(near(say("sba", 36), 2 * (1 - .01 / 2)), "sba: the same less half of its weight, the least where nothing changes");
	ok(near(say("adida", 36), 2), "adida: in buckets of three it is the same every time");
	ok(strcmp(outlook.name, "ADIDA") == 0, "a method tells its name");
	ok(fabs(say("tsb", 36) - 2) < .1 && fabs(say("imapa", 36) - 2) < .1, "tsb and imapa come near to it");
	ok(near(variance[0], mean[0] * 6 - mean[0] * mean[0]), "its variance is that of 6 by chance");

	/* After the first demand 11 more came in 33 periods, then nothing for 24. */
	for (int t = 36; t < 60; t++)
		y[t] = 0;
	for (int t = 0; t < 24; t++)
	{
		gone += alive * .5 / 61;
		alive *= (60.5 / 61) * (1 - 11.5 / (34 + t));
	}
	ok(near(say("intermittent", 60), say("imapa", 60) * alive / (alive + gone)),
	   "intermittent: imapa times the chance that the demand still lives");
	ok(say("intermittent", 60) < .01 * say("croston", 60), "which croston never doubts");
	ok(near(say("intermittent", 36), say("imapa", 36)), "without a silence they agree");

	memset(y, 0, sizeof(y));
	ok(say("intermittent", 20) == 0 && say("croston", 20) == 0 && say("tsb", 1) == 0 && variance[0] == 0, "no demand at all: none is expected");
	y[3] = 5;
	ok(say("imapa", 4) > 0 && say("adida", 4) > 0 && say("intermittent", 1000) < .01, "a single demand is enough");
	y[3] = -5;
	ok(say("sba", 20) == -1, "a negative demand is refused");
}

static bool
is_intermittent(int n, int m)
{
	return spmk_is_intermittent(&(SpmSeries) {.y = y, .n = n, .m = m});
}

static void
which_series(void)
{
	memset(y, 0, sizeof(y));
	ok(!is_intermittent(20, 1), "a series of zeros is not intermittent");
	for (int t = 0; t < 132; t++)
		y[t] = t < 100;
	ok(is_intermittent(132, 1) && !is_intermittent(131, 1), "demand in 100 of 132 periods is, in 100 of 131 it is not");
	y[5] = -1;
	ok(!is_intermittent(132, 1), "nor is what falls below zero");
	demand_every(12, 5, 60);
	ok(is_intermittent(60, 1) && !is_intermittent(60, 12), "each December is a season, if a year is twelve periods");
	for (int t = 0; t < 140; t++)
		y[t] = t % 7 < 5 ? 1 + random_below(100) * random_below(100) : 0;
	ok(is_intermittent(140, 1) && !is_intermittent(140, 7), "and so are closed weekends, however much sales vary");
}

static double
size_drawn(void)
{
	return 1 + random_below(3) + random_below(3);
}

/* Of what share of values yet to come the limits hold, drawn from a demand that stays as it is. */
static double
share_held(const char *name, double chance, double level, double *above_zero)
{
	const SpmMethod *method = spmk_method(name);
	double		lower[1];
	double		upper[1];
	int			held = 0;

	*above_zero = 0;
	for (int round = 0; round < 2000; round++)
	{
		SpmSeries	series = {.y = y, .n = 60, .m = 1};

		for (int t = 0; t < 61; t++)
			y[t] = random_below(1000) < 1000 * chance ? size_drawn() : 0;
		method->run(&series, &outlook, space, NULL);
		method->limits(&series, &outlook, level, lower, upper, space, NULL);
		held += y[60] >= lower[0] && y[60] <= upper[0];
		*above_zero += (lower[0] > 0) / 2000.;
	}
	return held / 2000.;
}

static void
limits_hold(void)
{
	double		above;
	double		held = share_held("intermittent", .3, .95, &above);

	ok(held > .93 && held < .99 && above < .01, "95 % limits hold 95 % of a rare demand, from nothing upwards");
	held = share_held("croston", .9, .8, &above);
	ok(held > .76 && held < .9 && above > .2, "80 % limits hold 80 % of a frequent one, and need not begin with nothing");

	demand_every(3, 6, 36);
	say("imapa", 36);
	{
		SpmSeries	series = {.y = y, .n = 36, .m = 1};
		double		lower[1];
		double		upper[1];

		spmk_demand_limits(&series, &outlook, .5, lower, upper, space, NULL);
		ok(lower[0] == 0 && upper[0] == mean[0], "half of all periods see nothing: that is the shortest 50 %, but that it holds the mean");
		spmk_demand_limits(&series, &outlook, .9, lower, upper, space, NULL);
		ok(lower[0] == 0 && upper[0] == 6, "for 90 % it takes the only size there was");
		mean[0] = 0;
		spmk_demand_limits(&series, &outlook, .9, lower, upper, space, NULL);
		ok(lower[0] == 0 && upper[0] == 0, "nothing expected, nothing within the limits");
	}
}

/* A demand that stays as it is: means over many draws come near to it, but Croston's, which are known to exceed it. */
static void
bias(void)
{
	static const char *const names[] = {"croston", "sba", "tsb", "adida", "imapa", "intermittent"};
	double		sums[6] = {0};
	bool		fair = true;

	for (int round = 0; round < 2000; round++)
	{
		for (int t = 0; t < 60; t++)
			y[t] = random_below(100) < 25 ? size_drawn() : 0;
		for (int k = 0; k < 6; k++)
			sums[k] += say(names[k], 60) / 2000;
	}
	/* A quarter of sizes whose mean is 3. */
	for (int k = 1; k < 6; k++)
		fair = fair && fabs(sums[k] / .75 - 1) < .08;
	ok(fair, "on average they expect what comes, within 8 %");
	ok(sums[0] > sums[1], "and croston more than sba");
}

int
main(void)
{
	by_hand();
	which_series();
	limits_hold();
	bias();
	return done_testing();
}
