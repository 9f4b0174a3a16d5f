/* theta_test.c: simple methods against their definitions, DOTM against trying all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/naive.h"
#include "kernel/series.h"
#include "kernel/smooth.h"
#include "kernel/theta.h"

#include "tap.h"

#define MOST 400
#define STEPS 30

static double y[MOST];
static double mean[STEPS];
static double variance[STEPS];
static double fitted[MOST];
static double space[100 * MOST];

static SpmForecastStatus
run(const char *name, int n, int m, int h)
{
	SpmSeries	series = {.y = y, .n = n, .m = m};
	SpmOutlook	outlook = {.h = h, .mean = mean, .variance = variance, .fitted = fitted};

	return spmk_method(name)->run(&series, &outlook, space, NULL);
}

static double
noise(void)
{
	return (random_below(2001) - 1000) / 1000.0;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-8 * (1 + fabs(a) + fabs(b));
}

/* The line of least squares through the first 'count' values, at time t (1 is the first). */
static double
line_at(const double *values, int count, double t)
{
	double		st = 0,
				sy = 0,
				stt = 0,
				sty = 0;
	double		slope;

	if (count == 1)
		return values[0];
	for (int i = 0; i < count; i++)
	{
		st += i + 1;
		sy += values[i];
		stt += (i + 1.0) * (i + 1.0);
		sty += (i + 1.0) * values[i];
	}
	slope = (count * sty - st * sy) / (count * stt - st * st);
	return (sy - slope * st) / count + slope * t;
}

/*
 * DOTM as it is defined, for one alpha: D by regressions made anew for each value,
 * first level and w by solving for them.  The sum of squares; the path into 'path'.
 */
static double
dotm_by_definition(const double *values, int n, double alpha, int h, double *path)
{
	double		all[MOST + STEPS];
	double		d[MOST + STEPS];
	double		pp = 0,
				pd = 0,
				dd = 0,
				pr = 0,
				dr = 0,
				det;
	double		first;
	double		w;
	double		level;
	double		squares = 0;

	memcpy(all, values, n * sizeof(double));
	for (int t = 1; t <= n; t++)
	{
		double		p = pow(1 - alpha, t - 1);
		double		a = 0,
					b = 0;

		if (t > 1)
		{
			a = line_at(values, t - 1, 0);
			b = line_at(values, t - 1, 1) - a;
		}
		d[t] = p * a + (1 - p * (1 - alpha)) / alpha * b;
	}
	for (int t = 4; t <= n; t++)
	{
		double		p = pow(1 - alpha, t - 1);
		double		r = values[t - 1];

		for (int i = 1; i < t; i++)
			r -= alpha * pow(1 - alpha, t - 1 - i) * values[i - 1];
		pp += p * p;
		pd += p * d[t];
		dd += d[t] * d[t];
		pr += p * r;
		dr += d[t] * r;
	}
	det = pp * dd - pd * pd;
	w = det > 1e-10 * pp * dd ? (pp * dr - pd * pr) / det : 0;
	w = fmin(fmax(w, 0), 1);
	first = (pr - w * pd) / pp;
	level = first;
	for (int t = 1; t <= n + h; t++)
	{
		double		p = pow(1 - alpha, t - 1);
		double		forecast;

		if (t > n)
		{
			double		a = line_at(all, t - 1, 0);
			double		b = line_at(all, t - 1, 1) - a;

			d[t] = p * a + (1 - p * (1 - alpha)) / alpha * b;
		}
		forecast = level + w * d[t];
		if (t > n)
			path[t - n - 1] = all[t - 1] = forecast;
		else if (t > 3)
			squares += (all[t - 1] - forecast) * (all[t - 1] - forecast);
		level += alpha * (all[t - 1] - level);
	}
	return squares;
}

static void
test_dotm(void)
{
	bool		is_least = true;
	bool		is_near = true;
	bool		is_sum = true;
	bool		is_moved = true;

	for (int trial = 0; trial < 40; trial++)
	{
		int			n = 8 + (int) random_below(40);
		double		path[STEPS];
		double		best[STEPS];
		double		least = INFINITY;
		double		squares = 0;
		double		before[STEPS];

		y[0] = 50;
		for (int t = 1; t < n; t++)
			y[t] = y[t - 1] + 0.3 * (trial % 3) + noise() * (1 + trial % 5);
		for (int i = 0; i < n; i++)
			squares += y[i] / n;
		for (int i = 0; i < n; i++)
			y[i] -= squares;
		for (double alpha = 0.1; alpha < 0.9901; alpha += 0.0025)
		{
			double		sum = dotm_by_definition(y, n, alpha, 6, path);

			if (sum < least)
			{
				least = sum;
				memcpy(best, path, sizeof(best));
			}
		}
		run("dotm", n, 1, 6);
		squares = 0;
		for (int t = 3; t < n; t++)
			squares += (y[t] - fitted[t]) * (y[t] - fitted[t]);
		if (squares > least * 1.002 + 1e-9)
			is_least = false;
		if (fabs(squares - variance[0] * (n - 3)) > 1e-6 * squares + 1e-9)
			is_sum = false;
		/* where both stand in the same valley */
		if (fabs(squares - least) < 1e-5 * least)
			for (int i = 0; i < 6; i++)
				if (fabs(mean[i] - best[i]) > 0.02 * sqrt(least / n) + 1e-6)
					is_near = false;

		memcpy(before, mean, sizeof(before));
		for (int t = 0; t < n; t++)
			y[t] = 1000 + 3 * y[t];
		run("dotm", n, 1, 6);
		for (int i = 0; i < 6; i++)
			if (fabs(mean[i] - 1000 - 3 * before[i]) > 1e-6)
				is_moved = false;
	}
	ok(is_least, "DOTM errs no more than the best of 357 alphas tried by the definition");
	ok(is_near, "DOTM forecasts what the definition forecasts");
	ok(is_sum, "DOTM's one-step forecasts have the errors that its variance tells");
	ok(is_moved, "DOTM of another unit and zero is the same forecast in these");

	for (int t = 0; t < 20; t++)
		y[t] = 7 + 2 * t;
	run("dotm", 20, 1, 5);
	ok(near(mean[0], 47) && near(mean[4], 55), "DOTM continues a straight line");
	for (int t = 0; t < 20; t++)
		y[t] = 12.5;
	ok(run("dotm", 20, 1, 5) == SPM_FORECAST_OK && mean[0] == 12.5 && mean[4] == 12.5 && variance[4] == 0,
	   "DOTM continues a constant, without error");
	ok(run("dotm", 4, 1, 5) == SPM_FORECAST_SHORT, "DOTM needs five values");
}

static void
test_hindsight(void)
{
	int			n = 30;
	int			origins = 25;
	double		squares[6] = {0};
	double		weights[6] = {0};
	double		counts[6] = {0};
	double		expected[6] = {0};
	double		expected_weights[6] = {0};
	SpmHindsight hindsight = {.h = 6, .squares = squares, .weights = weights, .counts = counts};
	bool		is_same = true;
	double		center = 0;

	y[0] = 20;
	for (int t = 1; t < n; t++)
		y[t] = y[t - 1] + 0.2 + noise();
	for (int t = 0; t < n; t++)
		center += y[t] / n;
	for (int t = 0; t < n; t++)
		y[t] -= center;
	spmk_dotm_hindsight(y, n, origins, 1, &hindsight, space, NULL);
	for (int known = n - origins; known < n; known++)
	{
		double		best[STEPS];
		double		path[STEPS];
		double		least = INFINITY;

		for (int k = 0; k < 12; k++)
		{
			double		sum = dotm_by_definition(y, known, 0.1 + k * 0.89 / 11, 6, path);

			if (sum < least - 1e-12)
			{
				least = sum;
				memcpy(best, path, sizeof(best));
			}
		}
		for (int i = 0; i < 6 && known + i < n; i++)
		{
			expected[i] += (double) known * known * (y[known + i] - best[i]) * (y[known + i] - best[i]);
			expected_weights[i] += (double) known * known;
		}
	}
	for (int i = 0; i < 6; i++)
		if (!near(squares[i], expected[i]) || weights[i] != expected_weights[i] || counts[i] != origins - i)
			is_same = false;
	ok(is_same, "errors at 25 past origins are those of 25 fits to what was known there");
}

static void
test_theta(void)
{
	double		slope;
	double		alpha;
	double		level;

	y[0] = 30;
	for (int t = 1; t < 40; t++)
		y[t] = y[t - 1] + 0.5 + noise();
	run("theta", 40, 1, 8);
	slope = line_at(y, 40, 2) - line_at(y, 40, 1);
	ok(near(mean[7] - mean[0], 7 * slope / 2), "theta drifts by half the slope of the line");

	/* alpha from the errors' variance two steps ahead; the lines of theta 0 and 2, averaged */
	alpha = sqrt(variance[1] / variance[0] - 1);
	level = 2 * (fitted[0] - slope / 2) - line_at(y, 40, 1);
	for (int t = 0; t < 40; t++)
		level += alpha * (2 * y[t] - line_at(y, 40, t + 1) - level);
	ok(fabs((level + line_at(y, 40, 41)) / 2 - mean[0]) < 1e-6,
	   "theta is the mean of the line and of what smooths the double of what is off it");

	for (int t = 0; t < 20; t++)
		y[t] = 7 + 2 * t;
	run("holt", 20, 1, 5);
	ok(fabs(mean[4] - 55) < 1e-6, "Holt continues a straight line");
	run("damped", 20, 1, 5);
	ok(mean[4] > 45 && mean[4] < 55.0001, "a damped trend goes on, and not further than the line");
	for (int t = 0; t < 20; t++)
		y[t] = 5;
	run("comb", 20, 1, 5);
	ok(near(mean[4], 5) && variance[4] < 1e-9, "comb continues a constant");
}

/* The least sum of squares that smoothing can have, by trying alpha and the first level. */
static void
test_smooth(void)
{
	bool		is_least = true;
	bool		is_trend_least = true;

	for (int trial = 0; trial < 10; trial++)
	{
		int			n = 12 + (int) random_below(30);
		double		least = INFINITY;
		double		least_trend = INFINITY;
		SpmSmooth	fit;

		for (int t = 0; t < n; t++)
			y[t] = 10 + (trial % 2) * 0.5 * t + (t > 0 ? 0.5 * (y[t - 1] - 10) * (trial % 3 == 0) : 0) + noise();
		for (double alpha = 0.0001; alpha < 1; alpha += 0.01)
			for (double first = y[0] - 4; first <= y[0] + 4; first += 0.02)
			{
				double		level = first;
				double		squares = 0;

				for (int t = 0; t < n; t++)
				{
					squares += (y[t] - level) * (y[t] - level);
					level += alpha * (y[t] - level);
				}
				least = fmin(least, squares);
			}
		spmk_smooth_level(y, n, &fit, NULL);
		if (fit.squares > 1.001 * least)
			is_least = false;

		for (double alpha = 0.05; alpha < 1; alpha += 0.1)
			for (double beta = 0; beta <= alpha; beta += 0.05)
				for (double first = y[0] - 3; first <= y[0] + 3; first += 0.25)
					for (double growth = -1; growth <= 1; growth += 0.1)
					{
						double		l = first;
						double		b = growth;
						double		squares = 0;

						for (int t = 0; t < n; t++)
						{
							double		e = y[t] - l - b;

							squares += e * e;
							l += b + alpha * e;
							b += beta * e;
						}
						least_trend = fmin(least_trend, squares);
					}
		spmk_smooth_trend(y, n, false, &fit, NULL);
		if (fit.squares > 1.01 * least_trend)
			is_trend_least = false;
	}
	ok(is_least, "no alpha and first level that were tried smooth better than those found");
	ok(is_trend_least, "no parameters and starts that were tried follow a trend better than Holt's found");
}

static void
test_seasons(void)
{
	static const double index[4] = {0.8, 1.1, 1.3, 0.8};
	double		classical = 0;
	double		drawn = 0;
	SpmAdjusted adjusted;
	SpmSeries	series = {.y = y, .n = 40, .m = 4};

	for (int t = 0; t < 12; t++)
		y[t] = t + 1;
	run("naive", 12, 1, 3);
	ok(mean[0] == 12 && mean[2] == 12 && variance[0] == 1 && variance[2] == 3 && isnan(fitted[0]) && fitted[5] == 5,
	   "naive repeats the last value, and errs as a random walk");
	run("snaive", 12, 4, 6);
	ok(mean[0] == 9 && mean[3] == 12 && mean[4] == 9 && variance[3] == 16 && variance[4] == 32,
	   "snaive repeats the last season");
	ok(run("snaive", 3, 4, 2) == SPM_FORECAST_SHORT, "snaive needs a season");

	for (int t = 0; t < 40; t++)
		y[t] = 100 * index[t % 4];
	ok(spmk_has_season(&series, NULL), "a season is seen");
	for (int k = 0; k < 5; k++)
	{
		static const char *const names[] = {"naive2", "ses", "dotm", "theta", "comb"};
		bool		is_same = true;

		run(names[k], 40, 4, 8);
		for (int i = 0; i < 8; i++)
			if (fabs(mean[i] - 100 * index[i % 4]) > 1e-6)
				is_same = false;
		ok(is_same, "a season that never varies comes again");
	}
	for (int t = 0; t < 40; t++)
		y[t] = 10 * (index[t % 4] - 1);
	run("naive2", 40, 4, 4);
	ok(near(mean[0], y[0]) && near(mean[1], y[1]) && near(mean[2], y[2]), "a season of a series that falls below zero adds");

	/* much noise, little season: what is drawn towards none is nearer to the truth */
	for (int trial = 0; trial < 50; trial++)
	{
		for (int t = 0; t < 60; t++)
			y[t] = 100 + 2 * (t % 12 == 11) + 20 * noise();
		series = (SpmSeries) {.y = y, .n = 60, .m = 12};
		spmk_adjust_classical(&series, &adjusted, space, NULL);
		for (int j = 0; j < 12 && adjusted.m == 12; j++)
			classical += pow(adjusted.index[j] - (j == 11 ? 1.0183 : 0.9983), 2);
		spmk_adjust(&series, &adjusted, space, NULL);
		for (int j = 0; j < 12 && adjusted.m == 12; j++)
			drawn += pow(adjusted.index[j] - (j == 11 ? 1.0183 : 0.9983), 2) / 4;
	}
	ok(drawn < classical, "doubtful indices are drawn towards none");
}

int
main(void)
{
	test_seasons();
	test_smooth();
	test_theta();
	test_dotm();
	test_hindsight();
	return done_testing();
}
