/* mstl_test.c: series taken apart, as R's stl() does and as they were made; their seasons found; forecasts with several. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mstl.h"

#include "tap.h"

#define MOST 4000

static double y[MOST];
static double trend[MOST];
static double seasons[3 * MOST];
static double rest[MOST];
static double space[20 * MOST];
static SpmParts parts = {.trend = trend, .seasons = seasons, .remainder = rest};

/* About normal, with a standard deviation of 1. */
static double
noise(void)
{
	double		sum = 0;

	for (int i = 0; i < 12; i++)
		sum += random_below(1000000) / 1e6;
	return sum - 6;
}

static bool
near(double a, double b, double within)
{
	return fabs(a - b) <= within;
}

/* The same formula was given to R 4.2.2's stl(s.degree = 0, s.jump = 1, s.window = 11), and round by round for two seasons. */
static void
as_r_does(void)
{
	int			twelve[] = {12};
	int			two[] = {6, 20};
	bool		same;

	for (int t = 0; t < 72; t++)
		y[t] = 100 + t * 2 + t * t % 7 + 30 * ((t % 12) * (t % 12) % 5) + t * 37 % 11;
	spmk_mstl(y, 72, twelve, 1, false, &parts, space, NULL);
	same = near(trend[0], 158.408101, 1e-6) && near(seasons[0], -54.541773, 1e-6) && near(rest[0], -3.866327, 1e-6) &&
		near(trend[30], 219.482418, 1e-6) && near(seasons[30], -22.059919, 1e-6) && near(trend[70], 299.213332, 1e-6) &&
		near(seasons[70], -53.058633, 1e-6);
	ok(same, "one season: the parts that R's stl() finds");
	spmk_mstl(y, 72, twelve, 1, true, &parts, space, NULL);
	same = near(trend[0], 157.540233, 1e-6) && near(seasons[0], -53.538078, 1e-6) && near(trend[50], 259.487995, 1e-6) &&
		near(rest[70], -.870613, 1e-6);
	ok(same, "robust: the same as R's, with six rounds of weights");
	for (int t = 0; t < 240; t++)
		y[t] = 100 + t + t * t % 7 + 30 * ((t % 6) * (t % 6) % 5) + t * 37 % 11 + 20 * ((t % 20) * (t % 20) % 9);
	spmk_mstl(y, 240, two, 2, false, &parts, space, NULL);
	same = near(trend[0], 204.403676, 1e-6) && near(seasons[0], -55.076741, 1e-6) && near(seasons[240], -44.642399, 1e-6) &&
		near(trend[200], 405.998331, 1e-6) && near(seasons[200], 65.875173, 1e-6) && near(rest[200], 2.551512, 1e-6);
	ok(same, "two seasons: the parts that R's stl() finds, one season after the other and once more");
}

static void
as_it_was_made(void)
{
	int			periods[] = {7, 30};
	double		worst = 0;
	double		adds_up = 0;

	for (int t = 0; t < 600; t++)
		y[t] = 50 + .1 * t + 10 * sin(2 * M_PI * t / 30) + (t % 7 == 6 ? -12 : 2);
	ok(spmk_mstl(y, 600, periods, 2, false, &parts, space, NULL) == SPM_FORECAST_OK, "two seasons and a line are taken apart");
	for (int t = 0; t < 600; t++)
	{
		worst = fmax(worst, fabs(rest[t]));
		adds_up = fmax(adds_up, fabs(y[t] - trend[t] - seasons[t] - seasons[600 + t] - rest[t]));
	}
	ok(worst < .3, "of a sum of a line and two seasons nothing much remains");
	ok(adds_up < 1e-10, "the parts add up to the series");
	ok(parts.trend_strength > .999 && parts.strength[0] > .999 && parts.strength[1] > .999, "each part is as strong as can be");

	for (int t = 0; t < 600; t++)
		y[t] += noise();
	y[300] += 100;
	spmk_mstl(y, 600, periods, 2, true, &parts, space, NULL);
	ok(rest[300] > 96 && fabs(rest[307]) < 4, "robust: an outlier remains whole, and bends nothing around it");
	spmk_mstl(y, 600, periods, 2, false, &parts, space, NULL);
	ok(rest[300] < 90, "which it does without weights");
	ok(spmk_mstl(y, 59, periods, 2, false, &parts, space, NULL) == SPM_FORECAST_SHORT, "less than two cycles are too short");
	periods[0] = 30;
	ok(spmk_mstl(y, 600, periods, 2, false, &parts, space, NULL) == SPM_FORECAST_UNFIT, "the same season twice is refused");
	ok(spmk_mstl(y, 1, periods, 0, true, &parts, space, NULL) == SPM_FORECAST_OK && trend[0] == y[0], "a single value is its trend");
	for (int t = 0; t < 100; t++)
		y[t] = 5;
	spmk_mstl(y, 100, (int[]) {12}, 1, true, &parts, space, NULL);
	ok(near(trend[50], 5, 1e-12) && parts.strength[0] == 0 && parts.trend_strength == 0, "a constant has a trend and no strengths");
}

/* How many of 50 series show just these seasons. */
static int
count_right(int kind, int n)
{
	int			right = 0;

	for (int round = 0; round < 50; round++)
	{
		int			found[SPMK_SEASONS_MAX];
		int			count;
		double		level = 0;

		for (int t = 0; t < n; t++)
		{
			double		e = noise();

			level += kind == 0 ? e : .05 * e;
			y[t] = kind == 0 ? level : kind == 1 ? e : kind == 2 ? level + 2.8 * sin(2 * M_PI * t / 12) + e :
				kind == 3 ? level + 2 * (t % 7 < 5) + 2 * sin(2 * M_PI * t / 365) + e :
				2 * sin(2 * M_PI * t / 24) + 2 * (t / 24 % 7 < 5) + e;
		}
		count = spmk_seasons(y, n, found, SPMK_SEASONS_MAX, space, NULL);
		if (kind < 2)
			right += count == 0;
		else if (kind == 2)
			right += count == 1 && found[0] == 12;
		else if (kind == 3)
			right += count == 2 && found[0] == 7 && abs(found[1] - 365) <= 8;
		else
			right += count == 2 && found[0] == 24 && found[1] == 168;
	}
	return right;
}

static void
seasons_are_found(void)
{
	int			found[SPMK_SEASONS_MAX];

	ok(count_right(0, 60) >= 48 && count_right(0, 500) >= 48, "what merely wanders has no season");
	ok(count_right(1, 60) >= 47 && count_right(1, 500) >= 47, "nor has noise");
	ok(count_right(2, 120) >= 45, "ten years of months show twelve");
	ok(count_right(3, 1460) >= 40, "four years of days show the week and the year");
	ok(count_right(4, 1500) >= 45, "nine weeks of hours show the day and the week, and no half week");
	for (int t = 0; t < 1000; t++)
		y[t] = t % 5;
	ok(spmk_seasons(y, 1000, found, SPMK_SEASONS_MAX, space, NULL) == 1 && found[0] == 5, "a pure season is found, not its multiple");
	for (int t = 0; t < 1001; t++)
		y[t] = .1 + .01 * t + .37 * (t % 7);
	ok(spmk_seasons(y, 1001, found, SPMK_SEASONS_MAX, space, NULL) == 1 && found[0] == 7, "what rounding leaves of a season and a trend is none");
	for (int t = 0; t < 1000; t++)
		y[t] = 7;
	ok(spmk_seasons(y, 1000, found, SPMK_SEASONS_MAX, space, NULL) == 0 && spmk_seasons(y, 1, found, SPMK_SEASONS_MAX, space, NULL) == 0, "a constant and a single value have none");
}

static void
forecasts_hold(void)
{
	int			periods[] = {7, 365};
	double		mean[60];
	double		lower[60];
	double		upper[60];
	double		error = 0;
	double		again = 0;
	int			inside = 0;
	SpmForecast forecast = {.method = spmk_method("light"), .y = y, .n = 1095, .seasons = periods, .nseasons = 2, .h = 60,
	.level = .95, .mean = mean, .lower = lower, .upper = upper};

	for (int round = 0; round < 20; round++)
	{
		double		level = 300;
		double	   *doubles;

		for (int t = 0; t < 1155; t++)
		{
			level += .3 * noise();
			y[t] = level + 20 * (t % 7 < 5) + 30 * sin(2 * M_PI * t / 365) + 10 * noise();
		}
		doubles = malloc(sizeof(double) * spmk_forecast_space(&forecast));
		spmk_forecast(&forecast, doubles, NULL);
		free(doubles);
		for (int i = 0; i < 60; i++)
		{
			error += fabs(y[1095 + i] - mean[i]) / 1200;
			again += fabs(y[1095 + i] - y[1095 + i - 364]) / 1200;
			inside += y[1095 + i] >= lower[i] && y[1095 + i] <= upper[i];
		}
	}
	/* Noise of 10 alone makes 8. */
	ok(error < 9.5 && error < .8 * again, "days with a week and a year are forecast nearly as well as chance allows");
	ok(inside > 1200 * .9 && inside < 1200 * .99, "and the limits hold what they say");
	ok(strncmp(forecast.name, "MSTL + ", 7) == 0, "the name tells how");
	forecast.n = 300;
	{
		double	   *doubles = malloc(sizeof(double) * spmk_forecast_space(&forecast));

		spmk_forecast(&forecast, doubles, NULL);
		free(doubles);
	}
	ok(strncmp(forecast.name, "MSTL", 4) != 0, "a season of which there are no two cycles is left out");
}

int
main(void)
{
	as_r_does();
	as_it_was_made();
	seasons_are_found();
	forecasts_hold();
	return done_testing();
}
