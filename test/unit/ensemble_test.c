/* ensemble_test.c: every method on odd series, means of methods, limits that hold what they say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/bucket.h"
#include "kernel/forecast.h"
#include "kernel/interval.h"
#include "kernel/mstl.h"

#include "tap.h"

#define MOST 4000
#define MOST_AHEAD 10000
#define STEPS MOST_AHEAD

static double y[MOST];
static double mean[STEPS];
static double lower[STEPS];
static double upper[STEPS];
static SpmForecast made;

/* With exactly the room that it asks for: the sanitizer sees one step beyond. */
static SpmForecastStatus
forecast(const char *method, int n, int m, int h, double level)
{
	double	   *space;
	SpmForecastStatus status;

	made = (SpmForecast) {.method = spmk_method(method), .y = y, .n = n, .seasons = &m, .nseasons = m > 1, .h = h, .level = level,
		.mean = mean, .lower = lower, .upper = upper};
	space = malloc(spmk_forecast_space(&made) * sizeof(double));
	memset(space, 0xff, spmk_forecast_space(&made) * sizeof(double));
	status = spmk_forecast(&made, space, NULL);
	free(space);
	made.seasons = NULL;
	return status;
}

static double
noise(void)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (random_below(1000000) + 0.5) / 1000000;
	return sum;
}

static double
odd_value(int kind, int t)
{
	switch (kind)
	{
		case 0:
			return 0;
		case 1:
			return 7;
		case 2:
			return t % 2 ? 1e30 : -1e30;
		case 3:
			return t % 3 ? 1e-30 : 0;
		case 4:
			return t == 0 ? 1e30 : 1e-30;
		case 5:
			return t % 7 == 3 ? 5 : 0;
		case 6:
			return pow(1.5, t < 150 ? t : 150);
		case 7:
			return -1000 + 10 * noise();
		case 8:
			return t < 20 ? 0 : 100 + noise();
		case 9:
			return 1e12 + (t % 12) * 1e-3;
		case 10:
			return 100 * exp(0.3 * noise()) * (1 + 0.5 * (t % 12 == 11));
		default:
			return t % 12 == 0 ? 1000 : 1e-3;
	}
}

static void
test_odd(void)
{
	static const int lengths[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 17, 24, 25, 29, 36, 37, 60, 130};
	static const int seasons[] = {1, 2, 4, 12, 52};

	for (const SpmMethod *method = spmk_methods; method->name; method++)
	{
		char		name[200];
		bool		is_fine = true;

		for (int kind = 0; kind < 12; kind++)
			for (int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
				for (int j = 0; j < 5; j++)
				{
					int			n = lengths[i];
					char		first[sizeof(made.name)];
					double		before;
					bool		is_odd = false;

					random_state = 42 + kind;
					for (int t = 0; t < n; t++)
						y[t] = odd_value(kind, t);
					forecast(method->name, n, seasons[j], 1 + n % 9, 0.95);
					strcpy(first, made.name);
					before = mean[n % 9];
					for (int k = 0; k < 1 + n % 9; k++)
						if (!isfinite(mean[k]) || (n > 1 && !(lower[k] <= upper[k])) ||
							(!made.method->limits && strcmp(made.name, "intermittent") != 0 &&
							 (n > 1 ? !(lower[k] <= mean[k] && mean[k] <= upper[k]) : isfinite(lower[k]))))
							is_odd = true;
					forecast(method->name, n, seasons[j], 1 + n % 9, 0.95);
					if (strcmp(first, made.name) != 0 || first[0] == '\0' || before != mean[n % 9])
						is_odd = true;
					if (is_odd && is_fine)
					{
						printf("# %s: kind %d, %d values, season %d: %s %g (%g to %g)\n", method->name, kind, n, seasons[j],
							   made.name, mean[0], lower[0], upper[0]);
						is_fine = false;
					}
				}
		snprintf(name, sizeof(name), "%s answers odd series, twice the same", method->name);
		ok(is_fine, name);
	}
}

/* Of the 60 values whose season loess takes out: for whom no limits are wanted. */
static void
path_without_limits(int m, double *path)
{
	SpmForecast bare = {.method = spmk_method("damped"), .y = y, .n = 60, .seasons = &m, .nseasons = 1, .h = 6, .level = 0.95, .mean = path};
	double	   *space = malloc(spmk_mstl_forecast_space(&bare) * sizeof(double));

	ok(spmk_mstl_forecast(&bare, space, NULL) == SPM_FORECAST_OK && strcmp(bare.name, "MSTL + damped") == 0,
	   "a season can be taken out by loess, and limits be left out");
	free(space);
}

static void
test_mean(void)
{
	static const char *const names[] = {"dotm", "ces", "etsmix", "hw"};
	static const double weights[] = {4, 4, 4, 2};
	double		expected[6] = {0};
	double		path[6];
	double		variance[6];
	bool		is_mean = true;
	bool		is_called_back = true;

	random_state = 7;
	for (int m = 4; m <= 12; m += 8)
	{
		for (int t = 0; t < 60; t++)
			y[t] = (100 + t) * (1 + 0.2 * sin(t * 2 * M_PI / m)) + 3 * noise();
		memset(expected, 0, sizeof(expected));
		for (int k = 0; k < 4; k++)
		{
			forecast(names[k], 60, m, 6, 0.95);
			for (int i = 0; i < 6; i++)
				expected[i] += weights[k] * mean[i] / 14;
		}
		path_without_limits(m, path);
		for (int i = 0; i < 6; i++)
			expected[i] = (14 * expected[i] + 3 * path[i]) / 17;
		for (int size = 3; m == 12 && size <= 6; size += 3)
		{
			static double space[10000];

			ok(spmk_bucket(&(SpmSeries) {.y = y, .n = 60, .m = 12}, size, spmk_method("ces"),
						   &(SpmOutlook) {.h = 6, .mean = path, .variance = variance}, space, NULL) == SPM_FORECAST_OK,
			   "months are forecast by quarters and by half years");
			for (int i = 0; i < 6; i++)
				expected[i] = ((size == 3 ? 17 : 21) * expected[i] + 4 * path[i]) / (size == 3 ? 21 : 25);
		}
		forecast("auto", 60, m, 6, 0.95);
		for (int i = 0; i < 6; i++)
			if (fabs(mean[i] - expected[i]) > 1e-9)
				is_mean = false;
	}
	ok(is_mean, "auto is the mean of theta, complex smoothing, all forms of exponential smoothing, half of Holt-Winters, and what loess leaves; of months, with quarters and halves of years");
	ok(strstr(made.name, "DOTM + CES") == made.name, "auto tells of what it is made");

	forecast("dotm", 60, 12, 6, 0.95);
	memcpy(expected, mean, sizeof(expected));
	forecast("hw", 60, 12, 6, 0.95);
	for (int i = 0; i < 6; i++)
		expected[i] = (expected[i] + mean[i]) / 2;
	forecast("light", 60, 12, 6, 0.95);
	for (int i = 0; i < 6; i++)
		if (fabs(mean[i] - expected[i]) > 1e-9)
			is_called_back = false;
	ok(is_called_back, "light is the mean of theta and Holt-Winters");

	for (int t = 0; t < 40; t++)
		y[t] = t % 6 == 5 ? 3 : 0;
	forecast("auto", 40, 1, 6, 0.95);
	ok(strstr(made.name, "DOTM") == NULL && mean[0] > 0.2 && mean[0] < 1, "auto sees that demand is intermittent");
	ok(forecast("ets", 2, 1, 2, 0.95) == SPM_FORECAST_SHORT && strcmp(made.name, "naive") == 0,
	   "what is too short for a method is forecast by a simpler one, and says so");
	for (int t = 0; t < 30; t++)
		y[t] = 30 - t;
	forecast("holt", 30, 1, 9, 0.95);
	ok(mean[8] == 0 && lower[8] == 0, "what never was below zero is not forecast to be");
}

static void
test_buckets(void)
{
	static double space[10000];
	double		path[10];
	double		variance[10];
	bool		is_line = true;

	/* 31 values of a season on a line: the first one is left out of ten buckets */
	for (int t = 0; t < 31; t++)
		y[t] = 50 + 2 * t;
	spmk_bucket(&(SpmSeries) {.y = y, .n = 31, .m = 1}, 3, spmk_method("holt"),
				&(SpmOutlook) {.h = 10, .mean = path, .variance = variance}, space, NULL);
	for (int i = 0; i < 10; i++)
		if (fabs(path[i] - (50 + 2 * (31 + i))) > 1e-6)
			is_line = false;
	ok(is_line, "means of three values tell where a line goes on");
}

static void
test_limits(void)
{
	double		squares = 0;
	double		weights = 0;
	double		half;

	ok(fabs(spmk_normal_quantile(0.975) - 1.959963984540054) < 1e-12 &&
	   fabs(spmk_normal_quantile(1e-9) + 5.997807015007687) < 1e-9 && spmk_normal_quantile(0.5) == 0,
	   "quantiles of the normal distribution");
	ok(fabs(spmk_student_quantile(0.975, 1) - 12.706204736) < 1e-6 && fabs(spmk_student_quantile(0.975, 2) - 4.302652730) < 1e-6 &&
	   fabs(spmk_student_quantile(0.975, 6) - 2.446911851) < 2e-4 && fabs(spmk_student_quantile(0.9, 30) - 1.310415025) < 1e-6,
	   "quantiles of Student's t");

	/* naive on nine values: looked back at from five, six, seven and eight */
	for (int t = 0; t < 9; t++)
		y[t] = (t * t) % 7;
	for (int known = 5; known < 9; known++)
	{
		squares += known * known * (y[known] - y[known - 1]) * (y[known] - y[known - 1]);
		weights += known * known;
	}
	half = spmk_student_quantile(0.975, 6 + 2 * 4) * sqrt(squares / weights * (1 + 8.0 / 4));
	forecast("naive", 9, 1, 1, 0.95);
	ok(fabs(upper[0] - mean[0] - half) < 1e-9, "limits are made of past errors");
	y[0] = 5;
	forecast("naive", 1, 1, 1, 0.95);
	ok(mean[0] == 5 && isnan(lower[0]) && isnan(upper[0]), "a single value says nothing of its error");
	y[1] = 8;
	forecast("naive", 2, 1, 1, 0.95);
	ok(fabs(upper[0] - 8 - 3 * 12.706204736) < 1e-6, "two values say little of it");
}

/* Series whose truth is known: how many of what came the limits held. */
static void
test_coverage(void)
{
	static const char *const kinds[] = {"values about a level", "a random walk", "a trend that turns slowly", "months of a growing business"};
	static const char *const methods[] = {"dotm", "auto"};

	for (int kind = 0; kind < 4; kind++)
		for (int method = 0; method < 2; method++)
			for (int wide = 0; wide < 2; wide++)
			{
				double		level = wide ? 0.95 : 0.8;
				double		held = 0;
				int			trials = 150;
				int			h = 12;
				char		name[200];

				random_state = 1234 + kind;
				for (int trial = 0; trial < trials; trial++)
				{
					int			n = 36 + (int) random_below(60);
					double		at = 1000;
					double		growth = 0;

					for (int t = 0; t < n + h; t++)
					{
						growth = 0.95 * growth + noise();
						at += kind == 1 ? 10 * noise() : kind == 2 ? growth : kind == 3 ? 3 + 5 * noise() : 0;
						y[t] = kind == 3 ? at * (1 + 0.3 * cos(t * M_PI / 6)) * (1 + 0.03 * noise()) : at + 10 * noise();
					}
					forecast(methods[method], n, 12, h, level);
					for (int i = 0; i < h; i++)
						held += (y[n + i] >= lower[i] && y[n + i] <= upper[i]) / (double) (trials * h);
				}
				snprintf(name, sizeof(name), "limits of %s at %.0f %% hold that, for %s", methods[method], 100 * level, kinds[kind]);
				if (fabs(held - level) > (wide ? 0.035 : 0.08))
					printf("# %.3f\n", held);
				ok(fabs(held - level) <= (wide ? 0.035 : 0.08), name);
			}
}

/* The largest number that a method says of the next h periods, and whether the first 'near' are the same for a horizon of h. */
static double
farthest(const char *method, int n, int m, int h, int near, bool *is_same)
{
	double		first[100];
	double		most = 0;

	forecast(method, n, m, near, 0.95);
	memcpy(first, mean, near * sizeof(double));
	forecast(method, n, m, h, 0.95);
	*is_same = memcmp(first, mean, near * sizeof(double)) == 0;
	for (int i = 0; i < h; i++)
		most = fmax(most, fabs(mean[i]));
	return most;
}

static void
test_runaways(void)
{
	static const char *const methods[] = {"auto", "light", "ces", "ets", "etsmix", "hw", "MNM", "MAM", "MAdM"};
	bool		is_line = true;
	char		name[200];

	for (int t = 0; t < 24; t++)
		y[t] = 5 + 3 * t;
	for (int method = 0; method < 2; method++)
	{
		forecast(methods[method], 24, 12, 12, 0.95);
		for (int i = 0; i < 12; i++)
			is_line = is_line && fabs(mean[i] - (5 + 3 * (24 + i))) < 1e-6;
	}
	ok(is_line, "auto and light go on with a straight line, to which no member adds what it makes of it");

	for (int method = 0; method < sizeof(methods) / sizeof(methods[0]); method++)
	{
		bool		same_after_line;
		bool		same_after_spike;
		double		line = farthest(methods[method], 24, 12, MOST_AHEAD, 12, &same_after_line);
		double		spike;

		random_state = 4;
		for (int t = 0; t < 43; t++)
			y[t] = t == 42 ? 1e6 : 1 + 0.01 * noise();
		spike = farthest(methods[method], 43, 3, MOST_AHEAD, 12, &same_after_spike);
		snprintf(name, sizeof(name), "%s: neither a line nor a spike makes it run away, and periods near by do not depend on the horizon", methods[method]);
		if (!(line < 3 * (24.0 + MOST_AHEAD) + 10 && spike < 1e6 * MOST_AHEAD && same_after_line && same_after_spike))
			printf("# %g %g %d %d\n", line, spike, same_after_line, same_after_spike);
		ok(line < 3 * (24.0 + MOST_AHEAD) + 10 && spike < 1e6 * MOST_AHEAD && same_after_line && same_after_spike, name);
		for (int t = 0; t < 24; t++)
			y[t] = 5 + 3 * t;
	}
}

int
main(void)
{
	test_mean();
	test_buckets();
	test_limits();
	test_runaways();
	test_coverage();
	test_odd();
	return done_testing();
}
