/*
 * ARIMA against the definition: a Gaussian vector with the process's covariance
 * matrix, by dense Cholesky factors, which is slow and obvious.
 */
#include "arima.h"

#include <stdlib.h>
#include <string.h>

#include "arima_fit.h"
#include "tap.h"

#define MOST	160				/* values and steps ahead */
#define REACH	20000			/* terms of a response */

static double covariance[MOST][MOST];
static double factor[MOST][MOST];
static double response[REACH];

static double
chance_normal(SpmChance *chance)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += spmk_chance_unit(chance);
	return sum;
}

static void
is_text(const char *got, const char *expected, const char *name)
{
	bool		same = strcmp(got, expected) == 0;

	ok(same, name);
	if (!same)
		printf("# got \"%s\", expected \"%s\"\n", got, expected);
}

static bool
near(double a, double b, double limit)
{
	return fabs(a - b) <= limit * (1 + fabs(b));
}

/* Covariances of the process from its response to a shock, then their factor. */
static void
define(const SpmLags *ar, const SpmLags *ma, int n)
{
	for (int t = 0; t < REACH; t++)
	{
		response[t] = t == 0;
		for (int j = 0; j < ma->n; j++)
			if (ma->lag[j] == t)
				response[t] += ma->value[j];
		for (int j = 0; j < ar->n && ar->lag[j] <= t; j++)
			response[t] += ar->value[j] * response[t - ar->lag[j]];
	}
	for (int lag = 0; lag < n; lag++)
	{
		double		sum = 0;

		for (int t = REACH - 1 - lag; t >= 0; t--)
			sum += response[t] * response[t + lag];
		for (int t = lag; t < n; t++)
			covariance[t][t - lag] = sum;
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = covariance[i][j];

			for (int c = 0; c < j; c++)
				sum -= factor[i][c] * factor[j][c];
			factor[i][j] = i == j ? sqrt(sum) : sum / factor[j][j];
		}
}

/* x = factor^-1 x: innovations over their standard deviations */
static void
whiten(double *x, int n)
{
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			x[i] -= factor[i][j] * x[j];
		x[i] /= factor[i][i];
	}
}

/* An order and stationary, invertible coefficients by chance. */
static void
draw_model(SpmArimaFit *fit, SpmChance *chance)
{
	static const int seasons[] = {1, 4, 7, 12};
	SpmArimaOrder *order = &fit->order;
	double	   *coefficient = fit->coefficient;
	int			widths[4];

	memset(fit, 0, sizeof(*fit));
	order->m = seasons[spmk_chance_below(chance, 4)];
	order->p = spmk_chance_below(chance, 4);
	order->q = spmk_chance_below(chance, 4);
	order->P = order->m > 1 ? spmk_chance_below(chance, 3) : 0;
	order->Q = order->m > 1 ? spmk_chance_below(chance, 3) : 0;
	order->d = spmk_chance_below(chance, 3);
	order->D = order->m > 1 ? spmk_chance_below(chance, 2) : 0;
	order->has_constant = order->d + order->D < 2 && spmk_chance_below(chance, 2);
	fit->constant = order->has_constant ? 10 * chance_normal(chance) : 0;
	widths[0] = order->p;
	widths[1] = order->q;
	widths[2] = order->P;
	widths[3] = order->Q;
	for (int part = 0; part < 4; part++)
	{
		double		partial[SPMK_ARMA_NEAR];

		for (int i = 0; i < widths[part]; i++)
			partial[i] = 1.9 * spmk_chance_unit(chance) - .95;
		spmk_arma_from_partial(partial, widths[part], coefficient);
		if (part % 2)
			for (int i = 0; i < widths[part]; i++)
				coefficient[i] = -coefficient[i];
		coefficient += widths[part];
	}
}

/* A series of the model, from a start somewhere. */
static void
draw_series(const SpmArimaFit *fit, double *y, int n, SpmChance *chance)
{
	enum {BEFORE = 400};
	const SpmArimaOrder *order = &fit->order;
	double		w[BEFORE + MOST];
	double		e[BEFORE + MOST];
	int			lost = spmk_arima_lost(order);
	double		mean = order->d == 0 && order->D > 0 ? fit->constant * order->m : fit->constant;
	SpmLags		ar;
	SpmLags		ma;

	arima_lags(order, fit->coefficient, &ar, &ma);
	for (int t = 0; t < BEFORE + n; t++)
	{
		w[t] = e[t] = chance_normal(chance);
		for (int j = 0; j < ar.n && ar.lag[j] <= t; j++)
			w[t] += ar.value[j] * w[t - ar.lag[j]];
		for (int j = 0; j < ma.n && ma.lag[j] <= t; j++)
			w[t] += ma.value[j] * e[t - ma.lag[j]];
	}
	for (int t = 0; t < n; t++)
	{
		y[t] = w[BEFORE + t] + mean;
		if (t < lost)
			y[t] = 100 + chance_normal(chance);
	}
	/* sums of the differences: first those of d, then those of D, as they were taken */
	for (int i = 0; i < order->d; i++)
		for (int t = order->D * order->m + i + 1; t < n; t++)
			if (t >= lost - (order->d - 1 - i))
				y[t] += y[t - 1];
	for (int i = 0; i < order->D; i++)
		for (int t = order->m; t < n; t++)
			y[t] += y[t - order->m];
}

/* Means and variances of what comes, and errors by one step, as the covariance matrix has them. */
static bool
forecasts_agree(const SpmArimaFit *fit, const double *y, int n, int h)
{
	const SpmArimaOrder *order = &fit->order;
	int			lost = spmk_arima_lost(order);
	int			left = n - lost;
	double		mean = order->d == 0 && order->D > 0 ? fit->constant * order->m : fit->constant;
	double		w[MOST];
	double		white[MOST];
	double		path[MOST][MOST];	/* of y: the mean, then what each of the h unknown innovations does */
	double		got_mean[MOST];
	double		got_variance[MOST];
	double		fitted[MOST];
	double	   *space = malloc(sizeof(double) * spmk_arima_outlook_space(n, order, h));
	SpmOutlook	outlook = {.h = h, .mean = got_mean, .variance = got_variance, .fitted = fitted};
	SpmLags		ar;
	SpmLags		ma;
	bool		agrees = true;
	double		delta[MOST] = {1};
	int			top = 0;

	arima_lags(order, fit->coefficient, &ar, &ma);
	define(&ar, &ma, left + h);
	spmk_arima_difference(y, n, order, w);
	for (int t = 0; t < left; t++)
		white[t] = w[t] - mean;
	whiten(white, left);

	for (int i = 0; i < order->d; i++, top++)
		for (int j = top + 1; j > 0; j--)
			delta[j] -= delta[j - 1];
	for (int i = 0; i < order->D; i++, top += order->m)
		for (int j = top + order->m; j >= order->m; j--)
			delta[j] -= delta[j - order->m];
	for (int s = 0; s <= h; s++)
	{
		double		x[MOST];

		for (int t = 0; t < n; t++)
			x[t] = s == 0 ? y[t] : 0;
		for (int t = 0; t < h; t++)
		{
			x[n + t] = s == 0 ? mean : factor[left + t][left + s - 1] * (s <= t + 1);
			if (s == 0)
				for (int c = 0; c < left; c++)
					x[n + t] += factor[left + t][c] * white[c];
			for (int j = 1; j <= lost; j++)
				x[n + t] -= delta[j] * x[n + t - j];
			path[s][t] = x[n + t];
		}
	}
	if (spmk_arima_outlook(y, n, fit, &outlook, space, NULL) != SPM_FORECAST_OK)
		agrees = false;
	for (int t = 0; agrees && t < h; t++)
	{
		double		variance = 0;

		for (int s = 1; s <= h; s++)
			variance += path[s][t] * path[s][t];
		agrees = near(got_mean[t], path[0][t], 1e-7) && near(got_variance[t], variance * fit->sigma2, 1e-7);
	}
	for (int t = 0; agrees && t < n; t++)
		agrees = t < lost ? isnan(fitted[t]) : near(y[t] - fitted[t], white[t - lost] * factor[t - lost][t - lost], 1e-7);
	free(space);
	return agrees;
}

static bool
likelihood_agrees(const SpmArimaFit *fit, const double *y, int n)
{
	const SpmArimaOrder *order = &fit->order;
	int			left = n - spmk_arima_lost(order);
	double		mean = order->d == 0 && order->D > 0 ? fit->constant * order->m : fit->constant;
	double		w[MOST];
	double	   *space = malloc(sizeof(double) * spmk_arima_space(n, order));
	SpmArimaFit got = *fit;
	double		squares = 0;
	double		log_det = 0;
	double		expected;
	SpmLags		ar;
	SpmLags		ma;
	bool		agrees;

	arima_lags(order, fit->coefficient, &ar, &ma);
	define(&ar, &ma, left);
	spmk_arima_difference(y, n, order, w);
	for (int t = 0; t < left; t++)
		w[t] -= mean;
	whiten(w, left);
	for (int t = 0; t < left; t++)
	{
		squares += w[t] * w[t];
		log_det += 2 * log(factor[t][t]);
	}
	expected = -.5 * (left * (log(2 * M_PI * squares / left) + 1) + log_det);
	agrees = spmk_arima_at(y, n, &got, space, NULL) == SPM_FORECAST_OK && near(got.log_likelihood, expected, 1e-9) &&
		near(got.sigma2 * (left - spmk_arima_terms(order) - order->has_constant), squares, 1e-8);
	if (!agrees)
		printf("# (%d,%d,%d)(%d,%d,%d)[%d]: %.12g, by definition %.12g\n", order->p, order->d, order->q,
			   order->P, order->D, order->Q, order->m, got.log_likelihood, expected);
	free(space);
	return agrees;
}

/* No coefficient can be moved for the better, nor is the truth better (by more than flat valleys leave open). */
static bool
is_most_likely(const SpmArimaFit *truth, const double *y, int n)
{
	double	   *space = malloc(sizeof(double) * spmk_arima_space(n, &truth->order));
	SpmArimaFit fit = {.order = truth->order};
	SpmArimaFit other = *truth;
	bool		holds = spmk_arima_fit(y, n, &fit, space, NULL) == SPM_FORECAST_OK;

	if (holds && spmk_arima_at(y, n, &other, space, NULL) == SPM_FORECAST_OK && other.log_likelihood > fit.log_likelihood + 1e-4)
	{
		printf("# %.6f, the truth has %.6f\n", fit.log_likelihood, other.log_likelihood);
		holds = false;
	}
	for (int i = 0; holds && i <= spmk_arima_terms(&fit.order); i++)
		for (int sign = -1; holds && sign <= 1; sign += 2)
		{
			other = fit;
			if (i < spmk_arima_terms(&fit.order))
				other.coefficient[i] += sign * 1e-3;
			else if (fit.order.has_constant)
				other.constant += sign * 1e-3 * (1 + fabs(fit.constant));
			if (spmk_arima_at(y, n, &other, space, NULL) == SPM_FORECAST_OK)
				holds = other.log_likelihood <= fit.log_likelihood + 1e-4;
		}
	free(space);
	return holds;
}

static void
test_definition(void)
{
	SpmChance	chance = {7};
	bool		likelihood = true;
	bool		forecasts = true;
	bool		most_likely = true;

	for (int i = 0; i < 150; i++)
	{
		SpmArimaFit fit;
		double		y[MOST];
		int			n = 75 + spmk_chance_below(&chance, 40);

		draw_model(&fit, &chance);
		draw_series(&fit, y, n, &chance);
		fit.sigma2 = 2;
		likelihood = likelihood && likelihood_agrees(&fit, y, n);
		forecasts = forecasts && forecasts_agree(&fit, y, n, 15);
		if (i < 40)
			most_likely = most_likely && is_most_likely(&fit, y, n);
	}
	ok(likelihood, "the likelihood is that of a Gaussian vector with the model's covariances");
	ok(forecasts, "so are forecasts, the variances of their errors, and those of one step in the sample");
	ok(most_likely, "no other coefficients are more likely than those of a fit, not even the true ones");
}

/*
 * With a diffuse start: each value as a row of what independent standard normals add
 * to it, shocks by their covariance's factor and values before the first by 1000.  What
 * of a row is not in those before it is the value's innovation (Gram and Schmidt).
 */
static long double row[MOST][2 * MOST];
static long double own[MOST][2 * MOST];

static bool
diffuse_agrees(const SpmArimaFit *fit, const double *y, int n, int h)
{
	const SpmArimaOrder *order = &fit->order;
	int			lost = spmk_arima_lost(order);
	int			width = n + h + lost;
	int			used = n - lost;
	int			counted = 0;
	long double delta[MOST] = {1};
	long double path[MOST];
	long double part[MOST][MOST];
	long double squares = 0;
	long double telling = 0;
	long double log_det = 0;
	double		expected;
	double		got_mean[MOST];
	double		got_variance[MOST];
	double	   *space = malloc(sizeof(double) * spmk_arima_state_space(order));
	SpmArimaFit got = *fit;
	SpmOutlook	outlook = {.h = h, .mean = got_mean, .variance = got_variance};
	SpmLags		ar;
	SpmLags		ma;
	bool		agrees;
	int			top = 0;

	arima_lags(order, fit->coefficient, &ar, &ma);
	define(&ar, &ma, n + h);
	for (int i = 0; i < order->d; i++, top++)
		for (int j = top + 1; j > 0; j--)
			delta[j] -= delta[j - 1];
	for (int i = 0; i < order->D; i++, top += order->m)
		for (int j = top + order->m; j >= order->m; j--)
			delta[j] -= delta[j - order->m];
	memset(row, 0, sizeof(row));
	for (int t = 0; t < n + h; t++)
	{
		for (int c = 0; c <= t; c++)
			row[t][c] = factor[t][c];
		for (int j = 1; j <= lost; j++)
			if (t >= j)
				for (int c = 0; c < width; c++)
					row[t][c] -= delta[j] * row[t - j][c];
			else
				row[t][n + h + j - t - 1] -= 1000 * delta[j];
	}
	for (int t = 0; t < n + h; t++)
	{
		long double variance = 0;
		long double constant = fit->constant * (lost > 0 ? t + 1 : 1);

		memset(part[t], 0, sizeof(part[t]));
		memcpy(own[t], row[t], sizeof(row[t]));
		for (int twice = 0; twice < 2; twice++)
			for (int s = 0; s < t; s++)
			{
				long double along = 0;

				for (int c = 0; c < width; c++)
					along += own[t][c] * own[s][c];
				for (int c = 0; c < width; c++)
					own[t][c] -= along * own[s][c];
				part[t][s] += along;
			}
		for (int c = 0; c < width; c++)
			variance += own[t][c] * own[t][c];
		for (int c = 0; c < width; c++)
			own[t][c] /= sqrtl(variance);
		part[t][t] = sqrtl(variance);
		path[t] = t < n ? y[t] - constant : 0;
		for (int s = 0; t < n && s < t; s++)
			path[t] -= part[t][s] * path[s];
		if (t >= n)
			continue;
		path[t] /= part[t][t];
		squares += path[t] * path[t];
		if (variance >= 1e4L)
			continue;
		telling += path[t] * path[t];
		log_det += logl(variance);
		counted++;
	}
	expected = -.5L * used * (logl(2 * M_PI * telling / counted) + 1 + log_det / counted);
	agrees = spmk_arima_state(y, n, &got, &outlook, space, NULL) == SPM_FORECAST_OK && near(got.log_likelihood, expected, 1e-9) &&
		near(got.sigma2, squares / (used - spmk_arima_terms(order) - order->has_constant), 1e-9);
	if (!agrees)
		printf("# (%d,%d,%d)(%d,%d,%d)[%d]: %.12g, by definition %.12g\n", order->p, order->d, order->q,
			   order->P, order->D, order->Q, order->m, got.log_likelihood, expected);
	for (int t = 0; agrees && t < h; t++)
	{
		long double mean = fit->constant * (lost > 0 ? n + t + 1 : 1);
		long double variance = 0;

		for (int s = 0; s < n; s++)
			mean += part[n + t][s] * path[s];
		for (int s = n; s <= n + t; s++)
			variance += part[n + t][s] * part[n + t][s];
		agrees = near(got_mean[t], mean, 1e-9) && near(got_variance[t] / got.sigma2, variance, 1e-9);
		if (!agrees)
			printf("# step %d: %.12g and %.12g, by definition %.12Lg and %.12Lg\n", t + 1, got_mean[t], got_variance[t] / got.sigma2, mean, variance);
	}
	free(space);
	return agrees;
}

static void
test_diffuse(void)
{
	SpmChance	chance = {11};
	bool		holds = true;
	SpmArimaFit edge = {.order = {.p = 1, .d = 1, .q = 1, .m = 1}, .coefficient = {.99999, -.4}};
	SpmArimaFit common = {.order = {.p = 1, .q = 1, .m = 1}, .coefficient = {.5, -.5}};
	SpmArimaFit none = {.order = {.m = 1}};
	double		y[] = {3, 5, 4, 8, 6};
	double		mean[2];
	double		variance[2];
	SpmOutlook	outlook = {.h = 2, .mean = mean, .variance = variance};
	double		space[200];

	for (int i = 0; i < 60; i++)
	{
		SpmArimaFit fit;
		double		series[MOST];

		draw_model(&fit, &chance);
		draw_series(&fit, series, 80, &chance);
		holds = holds && diffuse_agrees(&fit, series, 80, 10);
	}
	ok(holds, "with a diffuse start likelihood, variance, forecasts and their errors are those of a Gaussian vector");
	ok(spmk_arima_state(y, 5, &edge, &outlook, space, NULL) == SPM_FORECAST_OK && isfinite(edge.log_likelihood), "a root of .99999 has an answer");
	/* squares of 3, 5, 4, 8 and 6 are 150 */
	ok(spmk_arima_state(y, 5, &none, &outlook, space, NULL) == SPM_FORECAST_OK && none.sigma2 == 30 && variance[1] == 30, "noise has its squares' mean");
	ok(spmk_arima_state(y, 5, &common, &outlook, space, NULL) == SPM_FORECAST_OK && near(common.log_likelihood, none.log_likelihood, 1e-14) &&
	   fabs(mean[0]) < 1e-14, "terms that cancel each other are none");
	edge.coefficient[0] = 1.01;
	ok(spmk_arima_state(y, 5, &edge, &outlook, space, NULL) == SPM_FORECAST_UNFIT, "one that explodes has no start");
	ok(spmk_arima_state(y, 2, &edge, &outlook, space, NULL) == SPM_FORECAST_SHORT, "two values are too few for it");
}

static void
test_partials(void)
{
	SpmChance	chance = {3};
	bool		same = true;
	double		unstable[] = {1.5, -.3};
	double		back[2];

	for (int i = 0; i < 100; i++)
	{
		int			p = 1 + spmk_chance_below(&chance, 8);
		double		partial[8];
		double		coefficient[8];
		double		again[8];

		for (int j = 0; j < p; j++)
			partial[j] = 1.8 * spmk_chance_unit(&chance) - .9;
		spmk_arma_from_partial(partial, p, coefficient);
		same = same && spmk_arma_to_partial(coefficient, p, again);
		for (int j = 0; same && j < p; j++)
			same = near(again[j], partial[j], 1e-9);
	}
	ok(same, "partial autocorrelations make a polynomial, and come back from it");
	ok(!spmk_arma_to_partial(unstable, 2, back), "one with a root within the unit circle has none");
}

static void
test_differences(void)
{
	double		trend[] = {1, 2, 3, 4, 5, 6};
	double		swing[] = {1, -1, 1, -1};
	double		y[] = {1, 4, 9, 16, 25, 36, 49};
	double		w[7];
	double		space[400];
	SpmArimaOrder second = {.d = 2, .m = 1};
	SpmArimaOrder both = {.d = 1, .D = 1, .m = 2};
	double		walk[100];
	double		noise[100];
	SpmChance	chance = {5};

	/* deviations -2.5 ... 2.5: sums -2.5 -4 -4.5 -4 -2.5 0, squares 64.75; over 36 times 17.5 / 6 */
	ok(near(spmk_kpss(trend, 6), 64.75 / (6 * 17.5), 1e-12), "the KPSS statistic of six values is as by hand");
	ok(near(spmk_kpss(swing, 4), 2.0 / 16, 1e-12), "and that of four about zero");
	ok(spmk_arima_difference(y, 7, &second, w) == 5 && w[0] == 2 && w[4] == 2, "second differences of squares are 2");
	ok(spmk_arima_difference(y, 7, &both, w) == 4 && w[0] == 4 && w[3] == 4, "differences of seasonal differences of squares are twice the season");
	for (int t = 0; t < 100; t++)
	{
		noise[t] = chance_normal(&chance);
		walk[t] = noise[t] + (t > 0 ? walk[t - 1] : 0);
	}
	ok(spmk_ndiffs(noise, 100, space) == 0, "noise needs no difference");
	ok(spmk_ndiffs(walk, 100, space) == 1, "a random walk one");
	for (int t = 1; t < 100; t++)
		walk[t] += walk[t - 1];
	ok(spmk_ndiffs(walk, 100, space) == 2, "its sum two");
}

static SpmForecastStatus
run(const double *y, int n, int m, int h, double *mean, double *variance, char *name)
{
	double	   *space = malloc(sizeof(double) * spmk_arima_method_space(n, m, h));
	SpmSeries	series = {.y = y, .n = n, .m = m};
	SpmOutlook	outlook = {.h = h, .mean = mean, .variance = variance};
	SpmForecastStatus status = spmk_arima(&series, &outlook, space, NULL);

	snprintf(name, SPMK_NAME_SIZE, "%s", status == SPM_FORECAST_OK ? outlook.name : "");
	free(space);
	return status;
}

static void
test_search(void)
{
	double		y[MOST];
	double		mean[24];
	double		variance[24];
	double		again[24];
	char		name[SPMK_NAME_SIZE];
	SpmChance	chance = {15};
	bool		holds = true;

	for (int t = 0; t < 20; t++)
		y[t] = 3;
	ok(run(y, 20, 1, 3, mean, variance, name) == SPM_FORECAST_OK && mean[2] == 3 && variance[2] == 0, "a constant series goes on, and nothing is uncertain");
	for (int t = 0; t < 20; t++)
		y[t] = 5 + 2 * t;
	ok(run(y, 20, 1, 3, mean, variance, name) == SPM_FORECAST_OK && near(mean[2], 49, 1e-9) && near(variance[2], 0, 1e-9), "so does a straight line");
	is_text(name, "ARIMA(0,1,0) with drift", "which is a drift");
	for (int t = 0; t < 48; t++)
		y[t] = 10 + t % 12 * t % 12;
	ok(run(y, 48, 12, 12, mean, variance, name) == SPM_FORECAST_OK && near(mean[5], y[5], 1e-9), "and a season that repeats to the digit");
	for (int t = 0; t < 120; t++)
		y[t] = chance_normal(&chance) + 50;
	run(y, 120, 1, 3, mean, variance, name);
	is_text(name, "ARIMA(0,0,0) with mean", "noise about a level is taken for that");
	y[0] = 10;
	for (int t = 1; t < 150; t++)
		y[t] = 10 + .8 * (y[t - 1] - 10) + chance_normal(&chance);
	run(y, 150, 1, 3, mean, variance, name);
	is_text(name, "ARIMA(1,0,0) with mean", "an autoregression is found");
	ok(run(y, 2, 1, 3, mean, variance, name) == SPM_FORECAST_SHORT, "two values are too few");
	for (int n = 3; n <= 40; n++)
		for (int m = 1; m <= 12; m += 11)
		{
			holds = holds && run(y, n, m, 24, mean, variance, name) == SPM_FORECAST_OK;
			for (int t = 0; t < 24; t++)
				holds = holds && isfinite(mean[t]) && variance[t] >= 0;
		}
	ok(holds, "from three values on there is a forecast");
	for (int t = 0; t < 60; t++)
		y[t] = (t % 7 == 0 ? 1e30 : 1e-30) * (t % 2 ? 1 : -1);
	ok(run(y, 60, 12, 24, mean, variance, name) != SPM_FORECAST_SHORT && isfinite(mean[23]), "of the largest and smallest numbers, too");
	for (int t = 0; t < 96; t++)
		y[t] = 100 + t + 20 * sin(t * 2 * M_PI / 12) + 5 * chance_normal(&chance);
	run(y, 96, 12, 24, mean, variance, name);
	run(y, 96, 12, 24, again, variance, name);
	ok(memcmp(mean, again, sizeof(mean)) == 0, "the same series gives the same digits");
	for (int t = 0; t < 96; t++)
		y[t] = y[t] * 1e6;
	run(y, 96, 12, 24, again, variance, name);
	holds = true;
	for (int t = 0; t < 24; t++)
		holds = holds && near(again[t] / 1e6, mean[t], 1e-4);
	ok(holds, "in another unit the same forecast");
}

int
main(void)
{
	test_partials();
	test_definition();
	test_diffuse();
	test_differences();
	test_search();
	return done_testing();
}
