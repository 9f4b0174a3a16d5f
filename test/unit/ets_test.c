/* ets_test.c: exponential smoothing against plain twins, all futures of a coarse error, and slopes by differences. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/ets_method.h"
#include "kernel/ets_search.h"

#include "tap.h"

#define MOST 200

static double y[MOST];
static double fitted[MOST];

static double
unit(void)
{
	return random_below(1000001) / 1000000.0;
}

static double
noise(void)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += unit();
	return sum;
}

/* Above 0, with a level that moves, a trend and a season. */
static void
make_series(int n, int m, double size)
{
	double		level = 100;

	for (int t = 0; t < n; t++)
	{
		level += 0.5 + noise();
		y[t] = size * (level + 15 * sin(t % m * 6.283 / m) + 4 * noise());
	}
}

static bool
near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b));
}

/* One value after another as the book writes it, seasons in a row that is shifted. */
static void
one_step(SpmEts *x, double *season, double error, double *value)
{
	bool		has_season = x->form.season != SPM_ETS_NO_SEASON;
	double		q = x->level + x->phi * x->growth;
	double		s = has_season ? season[0] : 0;
	double		f = x->form.season == SPM_ETS_TIMES ? q * s : q + s;
	double		e = x->form.relative ? f * error : error;
	double		over_s = x->form.season == SPM_ETS_TIMES ? s : 1;
	double		over_q = x->form.season == SPM_ETS_TIMES ? q : 1;

	*value = f + e;
	x->level = q + x->alpha * e / over_s;
	x->growth = x->phi * x->growth + x->beta * e / over_s;
	for (int j = 0; j + 1 < x->m; j++)
		season[j] = season[j + 1];
	if (has_season)
		season[x->m - 1] = s + x->gamma * e / over_q;
}

static SpmEts
random_model(SpmEtsForm form, int m, double *season)
{
	SpmEts		x = {.form = form, .m = form.season == SPM_ETS_NO_SEASON ? 1 : m, .phi = 1, .level = 80 + 40 * unit()};

	x.alpha = 0.1 + 0.8 * unit();
	if (form.trend != SPM_ETS_LEVEL)
	{
		x.beta = x.alpha * unit();
		x.growth = 4 * unit() - 1;
	}
	if (form.trend == SPM_ETS_DAMPED)
		x.phi = 0.8 + 0.18 * unit();
	if (form.season != SPM_ETS_NO_SEASON)
	{
		x.gamma = (1 - x.alpha) * unit();
		x.season = season;
		for (int j = 0; j < m; j++)
			season[j] = form.season == SPM_ETS_TIMES ? 0.7 + 0.6 * unit() : 30 * unit() - 15;
	}
	return x;
}

/* Every future of h errors that are -3^.5, 0 or 3^.5 sigma: their moments are the normal's, up to the fifth. */
static void
all_futures(SpmEts x, const double *season, double sigma, double weight, int h, double *sum, double *squares)
{
	for (int k = -1; h > 0 && k <= 1; k++)
	{
		SpmEts		next = x;
		double		s[8];
		double		value;
		double		w = weight * (k == 0 ? 2.0 / 3 : 1.0 / 6);

		memcpy(s, season, sizeof(s));
		one_step(&next, s, k * sigma * sqrt(3), &value);
		*sum += w * value;
		*squares += w * value * value;
		all_futures(next, s, sigma, w, h - 1, sum + 1, squares + 1);
	}
}

static void
test_models(void)
{
	bool		same_fitted = true;
	bool		same_end = true;
	bool		same_moments = true;
	bool		same_spread = true;
	bool		names = true;

	for (int round = 0; round < 10 * SPM_ETS_FORMS; round++)
	{
		SpmEtsForm	form = spmk_ets_forms[round % SPM_ETS_FORMS];
		int			m = 3 + round % 3;
		int			n = 40 + (int) random_below(5);
		double		season[8] = {0};
		double		twin_season[8] = {0};
		SpmEts		x = random_model(form, m, season);
		SpmEts		twin = x;
		SpmEtsFit	fit;
		double		squares = 0;
		double		logs = 0;
		double		value;
		double		mean[7];
		double		variance[7];
		double		sum1[8] = {0};
		double		sum2[8] = {0};
		char		name[SPMK_NAME_SIZE];
		SpmEtsForm	again;

		make_series(n, m, 1);
		memcpy(twin_season, season, sizeof(season));
		spmk_ets_run(&x, y, n, fitted, &fit);
		for (int t = 0; t < n; t++)
		{
			SpmEts		peek = twin;
			double		s[8];
			double		error;

			memcpy(s, twin_season, sizeof(s));
			one_step(&peek, s, 0, &value);
			same_fitted &= near(value, fitted[t], 1e-9);
			error = form.relative ? (y[t] - value) / value : y[t] - value;
			squares += error * error;
			logs += form.relative ? log(fabs(value)) : 0;
			one_step(&twin, twin_season, error, &value);
		}
		same_fitted &= near(fit.loglik, -0.5 * (n * log(squares) + 2 * logs), 1e-9);
		same_end &= near(x.level, twin.level, 1e-9) && near(x.growth, twin.growth, 1e-9);
		for (int j = 0; x.season && j < m; j++)
			same_end &= near(x.season[j], twin_season[j], 1e-9);

		/* From here on: of the random states, not of those that the series has left. */
		twin = random_model(form, 3, season);
		spmk_ets_ahead(&twin, 0.01, 7, mean, variance, NULL);
		all_futures(twin, season, 0.1, 1, 7, sum1, sum2);
		for (int i = 0; i < 7; i++)
		{
			same_moments &= near(mean[i], sum1[i], 1e-10);
			same_spread &= near(variance[i], sum2[i] - sum1[i] * sum1[i], 1e-8);
		}
		spmk_ets_name(form, name);
		names &= spmk_ets_form(name, &again) && memcmp(&again, &form, sizeof(form)) == 0;
	}
	ok(same_fitted, "every form forecasts each value, and is as likely, as its equations say");
	ok(same_end, "and stands where they lead to");
	ok(same_moments, "the mean of what is to come is that of all futures, seasons that multiply included");
	ok(same_spread, "and so is the variance");
	ok(names, "a form is found by its name");
}

static void
test_names(void)
{
	SpmEtsForm	form;

	ok(spmk_ets_form("MAdM", &form) && form.relative && form.trend == SPM_ETS_DAMPED && form.season == SPM_ETS_TIMES, "MAdM");
	ok(spmk_ets_form("M,Ad,M", &form) && spmk_ets_form("ETS(A,N,N)", &form), "with commas and as the field writes it");
	ok(!spmk_ets_form("AAM", &form) && !spmk_ets_form("MMM", &form) && !spmk_ets_form("", &form) && !spmk_ets_form("ANNA", &form) &&
	   !spmk_ets_form("ETS(A,N,N", &form) && !spmk_ets_form("ETS(", &form), "what is no form is refused");
}

/* An impulse goes through the recursion of the errors: it dies away, or it does not. */
static bool
dies_away(const SpmEts *x)
{
	double		l = 0;
	double		b = 0;
	double		s[8] = {0};
	double		size = 0;

	for (int t = 0; t < 20000; t++)
	{
		double		q = l + x->phi * b;
		double		e = (t == 0) - (q + (x->m > 1 ? s[t % x->m] : 0));

		if (!(fabs(e) < 1e9))
			return false;

		l = q + x->alpha * e;
		b = x->phi * b + x->beta * e;
		s[t % x->m] += x->gamma * e;
		if (t > 19900)
			size = fmax(size, fabs(e));
	}
	return size < 1e-3;
}

static void
test_admissible(void)
{
	bool		agree = true;
	int			stable = 0;
	double		space[40];

	for (int round = 0; round < 600; round++)
	{
		double		season[8];
		SpmEts		x = random_model(spmk_ets_forms[round % 12], 4, season);

		x.alpha = 2.4 * unit() - 0.2;
		if (x.m > 1)
			x.gamma = 2 * unit() - 0.2;
		if (x.form.trend != SPM_ETS_LEVEL)
			x.beta = 3 * unit() - 0.3;
		agree &= spmk_ets_is_admissible(&x, space, NULL) == dies_away(&x);
		stable += dies_away(&x);
	}
	ok(agree && stable > 60 && stable < 500, "a model is stable exactly if what once happened is forgotten");
}

static void
test_slopes(void)
{
	bool		agree = true;
	EtsProblem	problem;
	EtsSlopes	slopes;
	double		space[MOST];

	for (int round = 0; round < 4 * SPM_ETS_FORMS; round++)
	{
		int			n = 60 + round;
		double	   *w = problem.w;

		make_series(n, 6, 0.01);
		spmk_ets_problem(&problem, spmk_ets_forms[round % SPM_ETS_FORMS], y, n, 6, 0, round < 2 * SPM_ETS_FORMS, NULL);
		spmk_ets_start(&problem, NULL, 0, space);
		spmk_ets_slopes(&problem, w, &slopes);
		for (int i = 0; i < problem.unknowns; i++)
		{
			const double *row = slopes.gram + i * slopes.stride;
			double		ratio = n / slopes.squares;
			double		slope = -2 * ratio * row[slopes.residual] + (problem.form.relative ? 2 * slopes.ones[i] : 0);
			double		was = w[i];
			double		step = 1e-5 * (fabs(was) + 0.01);
			double		above;
			double		below;

			w[i] = was + step;
			above = spmk_ets_loss(&problem, w);
			w[i] = was - step;
			below = spmk_ets_loss(&problem, w);
			w[i] = was;
			agree &= near(slope, (above - below) / (2 * step), 1e-4);
		}
	}
	ok(agree, "the slopes of the loss are its differences, for every unknown of every form");
}

static void
count_breath(void *arg)
{
	(*(int *) arg)++;
}

static void
test_fits(void)
{
	bool		is_best = true;
	bool		scaled = true;
	bool		same = true;
	bool		chosen = true;
	int			breaths = 0;
	SpmBreath	breath = {count_breath, &breaths};

	for (int round = 0; round < 2 * SPM_ETS_FORMS; round++)
	{
		int			n = 50 + round;
		SpmSeries	series = {.y = y, .n = n, .m = 4};
		size_t		room = spmk_ets_fit_space(n, 4);
		double	   *space = malloc(room * sizeof(double));
		double	   *other = malloc(room * sizeof(double));
		SpmEts		x;
		SpmEts		large;
		SpmEts		end;
		SpmEtsFit	fit;
		SpmEtsFit	near_fit;
		SpmEtsFit	best;
		double		season[8];

		make_series(n, 4, 1);
		memset(space, 0x55, room * sizeof(double));
		memset(other, 0xAA, room * sizeof(double));
		spmk_ets_fit(&series, spmk_ets_forms[round % SPM_ETS_FORMS], &x, space, &breath);
		end = x;
		memcpy(season, space, sizeof(season));
		end.season = x.season ? season : NULL;
		spmk_ets_run(&end, y, n, NULL, &fit);
		for (int i = 0; i < 200; i++)
		{
			end = x;
			memcpy(season, space, sizeof(season));
			end.season = x.season ? season : NULL;
			end.level *= 1 + 1e-3 * noise();
			end.growth += x.form.trend != SPM_ETS_LEVEL ? 1e-2 * noise() : 0;
			end.alpha = fmin(fmax(x.alpha + 1e-2 * noise(), 1e-4), 0.9999);
			end.beta = x.form.trend != SPM_ETS_LEVEL ? fmin(fmax(x.beta + 1e-2 * noise(), 1e-4), end.alpha) : 0;
			if (x.form.trend == SPM_ETS_DAMPED)
				end.phi = fmin(fmax(x.phi + 1e-2 * noise(), 0.8), 0.98);
			if (x.season)
			{
				end.gamma = fmin(fmax(x.gamma + 1e-2 * noise(), 1e-4), 1 - end.alpha);
				season[random_below(4)] *= 1 + 1e-2 * noise();
			}
			spmk_ets_run(&end, y, n, NULL, &near_fit);
			is_best &= near_fit.loglik < fit.loglik + 1e-3;
		}

		/* A thousand times as large, by 1024: the same model to the last digit. */
		for (int t = 0; t < n; t++)
			y[t] *= 1024;
		spmk_ets_fit(&series, spmk_ets_forms[round % SPM_ETS_FORMS], &large, other, NULL);
		same &= large.alpha == x.alpha && large.beta == x.beta && large.gamma == x.gamma && large.phi == x.phi;
		scaled &= large.level == 1024 * x.level && large.growth == 1024 * x.growth;
		for (int j = 0; x.season && j < 4; j++)
			scaled &= large.season[j] == x.season[j] * (x.form.season == SPM_ETS_ADDED ? 1024 : 1);

		/* Nor is any form better than the one that is chosen. */
		spmk_ets_auto(&series, &end, other, NULL);
		spmk_ets_run(&end, y, n, NULL, &best);
		spmk_ets_run(&large, y, n, NULL, &near_fit);
		for (int i = 0; i < SPM_ETS_FORMS; i++)
		{
			spmk_ets_fit(&series, spmk_ets_forms[i], &large, other, NULL);
			spmk_ets_run(&large, y, n, NULL, &near_fit);
			chosen &= best.aicc < near_fit.aicc + 3;
		}
		free(space);
		free(other);
	}
	ok(is_best, "nothing near a fit is more likely, of any form");
	ok(same, "what memory held before, and the size of values, change no parameter");
	ok(scaled, "states are in proportion to the values");
	ok(chosen, "no form is likelier by far than the one that is chosen by AICc");
	ok(breaths > 2 * SPM_ETS_FORMS, "others may speak at every step of a search");
}

static const char *
auto_name(int n, int m, SpmForecastStatus *status, double *mean, int h)
{
	static SpmOutlook outlook;
	static double variance[10];
	static double space[20 * MOST];
	SpmSeries	series = {.y = y, .n = n, .m = m};

	outlook = (SpmOutlook) {.h = h, .mean = mean, .variance = variance};
	*status = spmk_ets_method(&series, &outlook, space, NULL);
	return outlook.name;
}

static void
test_odd(void)
{
	SpmForecastStatus status;
	double		mean[10];
	SpmEtsForm	form = {.relative = true};
	SpmSeries	series = {.y = y, .n = 20, .m = 1};
	SpmEts		x;
	double		space[20 * MOST];

	for (int t = 0; t < 20; t++)
		y[t] = 7;
	ok(strcmp(auto_name(20, 1, &status, mean, 3), "ETS(A,N,N)") == 0 && mean[2] == 7, "what never changes is a level");
	for (int t = 0; t < 20; t++)
		y[t] = 0;
	ok(strcmp(auto_name(20, 4, &status, mean, 3), "ETS(A,N,N)") == 0 && mean[2] == 0, "and so is nothing at all");
	ok(spmk_ets_fit(&series, form, &x, space, NULL) == SPM_FORECAST_UNFIT, "errors in proportion to nothing are refused");
	for (int t = 0; t < 20; t++)
		y[t] = 10 + 2 * t;
	ok(strcmp(auto_name(20, 1, &status, mean, 3), "ETS(A,A,N)") == 0 && near(mean[2], 54, 1e-9), "a line goes on");
	for (int t = 0; t < 20; t++)
		y[t] = 10 + t % 4;
	ok(strcmp(auto_name(20, 4, &status, mean, 6), "ETS(A,N,A)") == 0 && near(mean[5], 11, 1e-9), "a season comes again");
	for (int t = 0; t < 20; t++)
		y[t] = t % 2 ? 1e30 : 1e-30;
	auto_name(20, 4, &status, mean, 6);
	ok(status == SPM_FORECAST_OK && isfinite(mean[5]), "numbers of any size are reckoned with");
	for (int t = 0; t < 20; t++)
		y[t] = t == 9 ? 1000 : 0;
	auto_name(20, 4, &status, mean, 6);
	ok(status == SPM_FORECAST_OK && isfinite(mean[5]), "a single sale, too");
	auto_name(4, 1, &status, mean, 3);
	ok(status == SPM_FORECAST_SHORT, "four values are too few");
	auto_name(5, 12, &status, mean, 3);
	ok(status == SPM_FORECAST_OK, "five are enough, without a season");
}

/* Sales that are rare, huge, tiny, exact, negative: what is said of them are numbers. */
static void
test_any(void)
{
	static const SpmMethod methods[] = {SPM_ETS_ROWS};
	int			count = sizeof(methods) / sizeof(methods[0]);
	int			said = 0;
	bool		sane = true;

	for (int round = 0; round < 1500; round++)
	{
		const SpmMethod *method = &methods[round % count];
		int			n = 1 + (int) random_below(80);
		int			m = 1 + (int) random_below(30);
		int			kind = (int) random_below(8);
		double		mean[9];
		double		variance[9];
		SpmSeries	series = {.y = y, .n = n, .m = m};
		SpmOutlook	outlook = {.h = 9, .mean = mean, .variance = variance, .fitted = round % 2 ? fitted : NULL};
		double	   *space = malloc(method->space(n, m, 9) * sizeof(double));

		for (int t = 0; t < n; t++)
			y[t] = kind == 0 ? (random_below(8) == 0 ? unit() : 0) : kind == 1 ? pow(10, 40 * unit() - 20) : kind == 2 ? -unit() :
				kind == 3 ? t % m : kind == 4 ? 1 + 1e-13 * unit() : kind == 5 ? exp(0.3 * t) : kind == 6 ? 1e5 * (t > n / 2) + 1 : noise();
		if (method->run(&series, &outlook, space, NULL) == SPM_FORECAST_OK)
		{
			said++;
			for (int i = 0; i < 9; i++)
				sane &= isfinite(mean[i]) && isfinite(variance[i]) && variance[i] >= 0;
		}
		free(space);
	}
	ok(sane && said > 500, "of any series a method says numbers, or that it is not for it");
}

int
main(void)
{
	test_names();
	test_models();
	test_admissible();
	test_slopes();
	test_fits();
	test_odd();
	test_any();
	return done_testing();
}
