/*
 * ets_auto.c
 *	  A model of exponential smoothing for a series: of one form, or of the form
 *	  that AICc finds best; and the methods that forecast with it.
 */
#include "ets_search.h"

#include <string.h>

#include "ets_method.h"
#include "series.h"

#define HASTY			0.1		/* what a step must promise while valleys are compared */
#define ROUGH			2e-2	/* what a step must promise while forms are compared */
#define FINE			1e-5
#define SLACK			4		/* by how much less a case may still come out than its general form promised */
#define TIE				1e-5	/* what rounding may make of the likelihood of an exact fit */
#define LEAST_SHARE		0.01	/* of the best form's weight, to be worth a forecast */
#define MOST_RETREATS	12
#define MOST_VARIANCE	1		/* of an error in proportion, in a season that multiplies */

/* All values above 0, so that errors may be in proportion. */
static bool
is_positive(const double *y, int n)
{
	for (int t = 0; t < n; t++)
		if (!(y[t] > 0))
			return false;
	return true;
}

/* Are there values enough to tell, and values that the form is for? */
bool
spmk_ets_fits(SpmEtsForm form, const SpmSeries *series)
{
	if (form.season != SPM_ETS_NO_SEASON &&
		(series->m < 2 || series->m > SPM_ETS_FREE_SEASONS || series->n < 2 * series->m))
		return false;
	if (series->n < spmk_ets_parameters(form, series->m) + 2)
		return false;
	return !form.relative || is_positive(series->y, series->n);
}

/* y without its size, which is a power of two so that no digit changes. */
static double
rescale(const double *y, int n, double *scaled)
{
	double		sum = 0;
	double		scale;
	int			power;

	for (int t = 0; t < n; t++)
		sum += fabs(y[t]);
	frexp(sum / n, &power);
	scale = sum > 0 ? ldexp(1, power) : 1;
	for (int t = 0; t < n; t++)
		scaled[t] = y[t] / scale;
	return scale;
}

static double
penalty(const EtsProblem *problem)
{
	double		k = spmk_ets_parameters(problem->form, problem->m);

	return 2 * k + 2 * k * (k + 1) / (problem->n - k - 1);
}

/* What the unknowns say, in the series' own size; seasons add up to 0, or are 1 on average. */
static void
to_model(const EtsProblem *problem, double scale, SpmEts *model, double *season)
{
	const double *w = problem->w;
	SpmEtsForm	form = problem->form;
	int			m = problem->m;
	double		mean = 0;

	memset(model, 0, sizeof(*model));
	model->form = form;
	model->m = m;
	model->alpha = w[ETS_ALPHA];
	model->phi = form.trend == SPM_ETS_DAMPED ? w[ETS_PHI] : 1;
	model->level = w[ETS_LEVEL] * scale;
	if (form.trend != SPM_ETS_LEVEL)
	{
		model->beta = model->alpha * w[ETS_BETA];
		model->growth = w[ETS_GROWTH] * scale;
	}
	if (form.season == SPM_ETS_NO_SEASON)
		return;
	model->gamma = (1 - model->alpha) * w[problem->gamma];
	model->season = season;
	memcpy(season, problem->season, m * sizeof(double));
	memcpy(season, w + problem->first_season, problem->free_seasons * sizeof(double));
	for (int j = 0; j < m; j++)
		mean += season[j] / m;
	for (int j = 0; j < m; j++)
		season[j] = form.season == SPM_ETS_TIMES ? season[j] / mean : (season[j] - mean) * scale;
	if (form.season == SPM_ETS_TIMES)
	{
		model->level *= mean;
		model->growth *= mean;
	}
	else
		model->level += mean * scale;
}

/*
 * Searches within the admissible region, too: the usual one leaves it only with a
 * season, where growth or season follow too closely.
 */
static double
search(EtsProblem *problem, double tolerance, double limit)
{
	double		loss = spmk_ets_search(problem, tolerance, limit);
	double		space[2 * (SPM_ETS_FREE_SEASONS + 2)];

	for (int attempt = 0; problem->gamma && loss < limit && attempt < MOST_RETREATS; attempt++)
	{
		double	   *w = problem->w;
		bool		has_trend = problem->form.trend != SPM_ETS_LEVEL;
		SpmEts		model = {.form = problem->form, .m = problem->m, .alpha = w[ETS_ALPHA], .phi = 1};

		model.gamma = (1 - w[ETS_ALPHA]) * w[problem->gamma];
		if (has_trend)
			model.beta = w[ETS_ALPHA] * w[ETS_BETA];
		if (problem->form.trend == SPM_ETS_DAMPED)
			model.phi = w[ETS_PHI];
		if (spmk_ets_is_admissible(&model, space, NULL))
			return loss;
		problem->most_gamma = w[problem->gamma] = fmax(0.5 * w[problem->gamma], ETS_LEAST_WEIGHT);
		if (has_trend)
			problem->most_beta = w[ETS_BETA] = fmax(0.5 * w[ETS_BETA], ETS_LEAST_WEIGHT);
		problem->loss = spmk_ets_loss(problem, w);
		loss = spmk_ets_search(problem, tolerance, limit);
	}
	return loss;
}

/* Runs the model, whose first states stay with the caller, to its end; seasons of the end go to 'season'. */
static bool
finish(const SpmEts *first, const SpmSeries *series, double *fitted, double *season, SpmEts *end, SpmEtsFit *fit)
{
	*end = *first;
	if (first->season)
	{
		end->season = season;
		memcpy(season, first->season, first->m * sizeof(double));
	}
	return spmk_ets_run(end, series->y, series->n, fitted, fit);
}

/* Seasons twice, a scaled series, and what is left of it without its season. */
size_t
spmk_ets_fit_space(int n, int m)
{
	return 2 * (size_t) n + 2 * (size_t) m + 2 * (SPM_ETS_FREE_SEASONS + 2);
}

/* The first states of the best model of this form; its seasons lie in 'space'. */
SpmForecastStatus
spmk_ets_fit(const SpmSeries *series, SpmEtsForm form, SpmEts *model, double *space, const SpmBreath *breath)
{
	EtsProblem	problem;
	double	   *scaled = space + series->m;
	double		scale;

	if (!spmk_ets_fits(form, series))
		return form.relative && !is_positive(series->y, series->n) ? SPM_FORECAST_UNFIT : SPM_FORECAST_SHORT;
	scale = rescale(series->y, series->n, scaled);
	spmk_ets_problem(&problem, form, scaled, series->n, series->m, 0, true, breath);
	spmk_ets_start(&problem, NULL, 0, scaled + series->n);
	if (!(search(&problem, FINE, HUGE_VAL) < HUGE_VAL))
		return SPM_FORECAST_UNFIT;
	to_model(&problem, scale, model, space);
	return SPM_FORECAST_OK;
}

/*
 * The order in which forms are tried, and whose findings each begins with.  A
 * damped form comes before those that it holds in itself, since these cannot be
 * more likely: where it is hopeless even with their fewer parameters, so are they.
 */
typedef struct Turn
{
	signed char form;			/* in spmk_ets_forms */
	signed char general;		/* the one it is a case of; -1: none */
	signed char kin[3];
} Turn;

enum {ANN, AAN, AAdN, MNN, MAN, MAdN, ANA, AAA, AAdA, MNA, MAA, MAdA, MNM, MAM, MAdM};

static const Turn turns[SPM_ETS_FORMS] = {
	{AAdA, -1, {-1, -1, -1}},
	{MAdA, -1, {AAdA, -1, -1}},
	{MAdM, -1, {MAdA, AAdA, -1}},
	{ANA, AAdA, {AAdA, -1, -1}},
	{MNA, MAdA, {ANA, MAdA, -1}},
	{MNM, MAdM, {MNA, MAdM, -1}},
	{AAA, AAdA, {ANA, AAdA, -1}},
	{MAA, MAdA, {AAA, MNA, MAdA}},
	{MAM, MAdM, {MAA, MNM, MAdM}},
	{AAdN, -1, {-1, -1, -1}},
	{MAdN, -1, {AAdN, -1, -1}},
	{ANN, AAdN, {AAdN, -1, -1}},
	{MNN, MAdN, {ANN, MAdN, -1}},
	{AAN, AAdN, {ANN, AAdN, -1}},
	{MAN, MAdN, {AAN, MNN, MAdN}},
};

/* Forms as found for a series: what is not there has an infinite AICc. */
typedef struct Choice
{
	EtsProblem	problems[SPM_ETS_FORMS];
	double		aicc[SPM_ETS_FORMS];
	int			best;			/* -1: none can be had */
	double		scale;
} Choice;

/* Takes 2 * n doubles. */
static void
compare_forms(const SpmSeries *series, Choice *choice, double *space, const SpmBreath *breath)
{
	EtsProblem	afresh;
	EtsProblem *problem;
	double	   *rest = space + series->n;
	double		least = HUGE_VAL;
	double		loss;
	double		exact;

	choice->best = -1;
	choice->scale = rescale(series->y, series->n, space);
	exact = spmk_ets_least_squares(space, series->n);
	for (int i = 0; i < SPM_ETS_FORMS; i++)
		choice->aicc[i] = HUGE_VAL;
	for (int i = 0; i < SPM_ETS_FORMS; i++)
	{
		int			form = turns[i].form;
		int			general = turns[i].general;
		const EtsProblem *kin[3];
		int			nkin = 0;
		double		aicc;

		if (!spmk_ets_fits(spmk_ets_forms[form], series))
			continue;
		for (int k = 0; k < 3; k++)
			if (turns[i].kin[k] >= 0 && choice->aicc[turns[i].kin[k]] < HUGE_VAL)
				kin[nkin++] = &choice->problems[turns[i].kin[k]];
		problem = &choice->problems[form];
		spmk_ets_problem(problem, spmk_ets_forms[form], space, series->n, series->m, exact, true, breath);
		aicc = penalty(problem);
		if (general >= 0 && choice->aicc[general] < HUGE_VAL &&
			choice->problems[general].floor + aicc > least + SLACK)
			continue;
		spmk_ets_start(problem, kin, nkin, rest);
		aicc += search(problem, ROUGH, least - aicc);
		choice->aicc[form] = aicc;
		if (aicc < least - TIE)
		{
			least = aicc;
			choice->best = form;
		}
	}
	if (choice->best < 0)
		return;

	/* What kindred forms found may lie in another valley than the best; so a winner that had kin also sets out by itself. */
	problem = &choice->problems[choice->best];
	loss = search(problem, FINE, HUGE_VAL);
	choice->aicc[choice->best] = loss + penalty(problem);
	if (choice->best == AAdA || choice->best == AAdN)
		return;
	afresh = *problem;
	afresh.most_beta = afresh.most_gamma = 1;
	spmk_ets_start(&afresh, NULL, 0, rest);
	if (search(&afresh, HASTY, loss) < loss && search(&afresh, FINE, HUGE_VAL) < loss)
	{
		*problem = afresh;
		choice->aicc[choice->best] = problem->loss + penalty(problem);
	}
}

/* The same, of the form with the least AICc. */
SpmForecastStatus
spmk_ets_auto(const SpmSeries *series, SpmEts *model, double *space, const SpmBreath *breath)
{
	Choice		choice;

	compare_forms(series, &choice, space + series->m, breath);
	if (choice.best < 0)
		return SPM_FORECAST_SHORT;
	to_model(&choice.problems[choice.best], choice.scale, model, space);
	return SPM_FORECAST_OK;
}

size_t
spmk_ets_space(int n, int m, int h)
{
	return spmk_ets_fit_space(n, m) + spmk_adjust_space(n, m) + 2 * (size_t) h + n;
}

/*
 * Forecasts with a model whose first states are given.  A season in proportion whose
 * errors are larger than what was expected has met a value that is none of its kind,
 * and would make of one spike a thousand times as much.
 */
static SpmForecastStatus
look_ahead(const SpmEts *first, const SpmSeries *series, SpmOutlook *outlook, double *season, const SpmBreath *breath)
{
	SpmEts		end;
	SpmEtsFit	fit;

	if (!finish(first, series, outlook->fitted, season, &end, &fit) ||
		(first->form.season == SPM_ETS_TIMES && !(fit.sigma2 <= MOST_VARIANCE)))
		return SPM_FORECAST_UNFIT;
	spmk_ets_ahead(&end, fit.sigma2, outlook->h, outlook->mean, outlook->variance, breath);
	for (int i = 0; i < outlook->h; i++)
	{
		if (!(fabs(outlook->mean[i]) <= SPM_SOLVE_MOST))
			return SPM_FORECAST_UNFIT;
		/* errors in proportion grow without end: how far we look must not decide whether the form will do */
		if (!(outlook->variance[i] <= SPM_SOLVE_MOST * SPM_SOLVE_MOST))
			outlook->variance[i] = SPM_SOLVE_MOST * SPM_SOLVE_MOST;
	}
	spmk_ets_name(first->form, outlook->name);
	return SPM_FORECAST_OK;
}

/* A season that is too long to search for is taken out, and put back into what 'run' says of the rest. */
static SpmForecastStatus
without_season(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath,
			   SpmForecastStatus (*run) (const SpmSeries *, SpmOutlook *, double *, const SpmBreath *))
{
	SpmAdjusted adjusted;
	SpmSeries	rest;
	SpmForecastStatus status;

	spmk_adjust(series, &adjusted, space, breath);
	rest = (SpmSeries) {.y = adjusted.rest, .n = series->n, .m = 1};
	status = run(&rest, outlook, space + spmk_adjust_space(series->n, series->m), breath);
	if (status == SPM_FORECAST_OK)
		spmk_restore_season(&adjusted, outlook);
	return status;
}

SpmForecastStatus
spmk_ets_method(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmEts		first;
	SpmForecastStatus status;

	if (series->m > SPM_ETS_FREE_SEASONS)
		return without_season(series, outlook, space, breath, spmk_ets_method);
	status = spmk_ets_auto(series, &first, space, breath);
	if (status != SPM_FORECAST_OK)
		return status;
	return look_ahead(&first, series, outlook, space + series->m, breath);
}

/*
 * The mean of all forms, each by its Akaike weight: how likely it is to be the
 * best of them (Burnham & Anderson 2002; Kolassa 2011 on exponential smoothing).
 */
SpmForecastStatus
spmk_ets_mixed_method(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	Choice		choice;
	double	   *mean = space + 2 * series->m;
	double	   *variance = mean + outlook->h;
	double	   *fitted = variance + outlook->h;
	double		sum = 0;

	if (series->m > SPM_ETS_FREE_SEASONS)
		return without_season(series, outlook, space, breath, spmk_ets_mixed_method);
	compare_forms(series, &choice, space, breath);
	if (choice.best < 0)
		return SPM_FORECAST_SHORT;
	for (int i = 0; i < outlook->h; i++)
		mean[i] = variance[i] = 0;
	for (int t = 0; outlook->fitted && t < series->n; t++)
		fitted[t] = 0;
	for (int form = 0; form < SPM_ETS_FORMS; form++)
	{
		double		weight = form == choice.best ? 1 : exp(0.5 * (choice.aicc[choice.best] - choice.aicc[form]));
		SpmEts		first;

		if (!(weight > LEAST_SHARE))
			continue;
		to_model(&choice.problems[form], choice.scale, &first, space);
		if (look_ahead(&first, series, outlook, space + series->m, breath) != SPM_FORECAST_OK)
			continue;
		sum += weight;
		weight /= sum;
		for (int i = 0; i < outlook->h; i++)
		{
			double		apart = outlook->mean[i] - mean[i];

			mean[i] += weight * apart;
			variance[i] = (1 - weight) * (variance[i] + weight * apart * apart) + weight * outlook->variance[i];
		}
		for (int t = 0; outlook->fitted && t < series->n; t++)
			fitted[t] += weight * (outlook->fitted[t] - fitted[t]);
	}
	if (!(sum > 0))
		return SPM_FORECAST_UNFIT;
	memcpy(outlook->mean, mean, outlook->h * sizeof(double));
	memcpy(outlook->variance, variance, outlook->h * sizeof(double));
	if (outlook->fitted)
		memcpy(outlook->fitted, fitted, series->n * sizeof(double));
	strcpy(outlook->name, "etsmix");
	return SPM_FORECAST_OK;
}

/* Damped Holt-Winters; its first seasons are those of a decomposition. */
SpmForecastStatus
spmk_hw_method(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	EtsProblem	problem;
	SpmEts		first;
	SpmEtsForm	form = {.trend = SPM_ETS_DAMPED};
	double	   *scaled = space + series->m;
	double		scale;
	SpmForecastStatus status;

	if (series->m > SPM_ETS_FREE_SEASONS)
		return without_season(series, outlook, space, breath, spmk_hw_method);
	form.relative = is_positive(series->y, series->n);
	if (series->m > 1)
		form.season = form.relative ? SPM_ETS_TIMES : SPM_ETS_ADDED;
	if (!spmk_ets_fits(form, series))
		form.season = SPM_ETS_NO_SEASON;
	if (!spmk_ets_fits(form, series))
		return SPM_FORECAST_SHORT;
	scale = rescale(series->y, series->n, scaled);
	spmk_ets_problem(&problem, form, scaled, series->n, series->m, 0, false, breath);
	spmk_ets_start(&problem, NULL, 0, scaled + series->n);
	if (!(search(&problem, ROUGH, HUGE_VAL) < HUGE_VAL))
		return SPM_FORECAST_UNFIT;
	to_model(&problem, scale, &first, space);
	status = look_ahead(&first, series, outlook, space + series->m, breath);
	strcpy(outlook->name, "hw");
	return status;
}

/* One form each. */
static SpmForecastStatus
one_form(const char *name, const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	SpmEtsForm	form;
	SpmEts		first;
	SpmForecastStatus status;

	if (!spmk_ets_form(name, &form))
		return SPM_FORECAST_UNFIT;
	status = spmk_ets_fit(series, form, &first, space, breath);
	if (status != SPM_FORECAST_OK)
		return status;
	return look_ahead(&first, series, outlook, space + series->m, breath);
}

#define FORM(form) \
	SpmForecastStatus \
	spmk_ets_##form(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath) \
	{ \
		return one_form(#form, series, outlook, space, breath); \
	}

FORM(ANN)
FORM(AAN)
FORM(AAdN)
FORM(MNN)
FORM(MAN)
FORM(MAdN)
FORM(ANA)
FORM(AAA)
FORM(AAdA)
FORM(MNA)
FORM(MAA)
FORM(MAdA)
FORM(MNM)
FORM(MAM)
FORM(MAdM)
