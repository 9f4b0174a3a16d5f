/*
 * ensemble.c
 *	  Means of methods.  Families have an equal say: theta, complex exponential
 *	  smoothing, the forms of exponential smoothing as one (Petropoulos & Svetunkov
 *	  2020 took a median of such a set); and half as much one form that always has
 *	  a damped trend and a season, for what the others find too little evidence of.
 */
#include "ensemble.h"

#include <string.h>

#include "bucket.h"
#include "mstl.h"
#include "series.h"

#define MEMBERS		4
#define SPECIALS	3			/* at most */

/*
 * A season is taken out by means of few values each, and loess does that otherwise
 * than they do.  Where it is too long for models with a state for each phase that
 * is half of what the others weigh.
 */
#define LOESS_METHOD	"damped"
#define LOESS_WEIGHT	3
#define LONG_WEIGHT		7

/* Months are noisy beside what quarters and halves of years tell of where things go. */
#define MONTHS			12
#define BUCKET_METHOD	"ces"
#define BUCKET_WEIGHT	4

static const int buckets[] = {3, 6};

/* How far a member may stand from all others: widths of these, and standard deviations of an error. */
#define WIDTHS		2
#define DEVIATIONS	6

#define EXACT		1e-9		/* an error, in the largest value */

typedef struct Member
{
	const char *name;
	double		weight;
} Member;

static const Member all_members[MEMBERS] = {{"dotm", 4}, {"ces", 4}, {"etsmix", 4}, {"hw", 2}};
static const Member light_members[MEMBERS] = {{"dotm", 1}, {"hw", 1}};

/* A method on the series whose season loess takes out. */
static SpmForecast
by_loess(const SpmSeries *series, const int *season, SpmOutlook *outlook)
{
	return (SpmForecast) {
		.method = spmk_method(LOESS_METHOD), .y = series->y, .n = series->n, .seasons = season, .nseasons = 1,
		.h = outlook->h, .level = 0.5, .mean = outlook->mean
	};
}

static bool
has_loess(int n, int m)
{
	return m > 1 && m <= n / 2;
}

size_t
spmk_ensemble_space(int n, int m, int h)
{
	size_t		most = 0;

	for (int k = 0; k < MEMBERS; k++)
	{
		size_t		space = spmk_method(all_members[k].name)->space(n, m, h);

		most = space > most ? space : most;
	}
	if (has_loess(n, m))
	{
		SpmForecast loess = by_loess(&(SpmSeries) {.n = n, .m = m}, &m, &(SpmOutlook) {.h = h});
		size_t		space = spmk_mstl_forecast_space(&loess);

		most = space > most ? space : most;
	}
	for (int k = 0; m == MONTHS && k < sizeof(buckets) / sizeof(buckets[0]); k++)
	{
		size_t		space = spmk_bucket_space(n, m, h, buckets[k], spmk_method(BUCKET_METHOD));

		most = space > most ? space : most;
	}
	return most + (MEMBERS + SPECIALS) * ((size_t) n + 2 * (size_t) h);
}

/* The least that a member may forecast: what never was below zero is not going to be. */
static double
floor_of(const SpmSeries *series)
{
	for (int t = 0; t < series->n; t++)
		if (series->y[t] < 0)
			return -INFINITY;
	return 0;
}

/* A member that runs away from all others is called back: one may explode. */
static void
call_back(double *numbers, int count, double variance)
{
	for (int k = 0; count > 2 && k < count; k++)
	{
		double		least = INFINITY;
		double		most = -INFINITY;
		double		room;

		for (int j = 0; j < count; j++)
			if (j != k)
			{
				least = fmin(least, numbers[j]);
				most = fmax(most, numbers[j]);
			}
		room = WIDTHS * (most - least) + DEVIATIONS * sqrt(variance);
		numbers[k] = fmin(fmax(numbers[k], least - room), most + room);
	}
}

/* Nothing is left to be explained: what others add to such a forecast is only wrong. */
static bool
is_exact(const SpmSeries *series, const SpmOutlook *outlook)
{
	double		most = 0;

	for (int t = 0; t < series->n; t++)
		most = fmax(most, fabs(series->y[t]));
	return sqrt(outlook->variance[0]) <= EXACT * most;
}

static double
mean_of(const double *numbers, const double *weights, int count)
{
	double		sum = 0;
	double		total = 0;

	for (int k = 0; k < count; k++)
	{
		sum += weights[k] * numbers[k];
		total += weights[k];
	}
	return sum / total;
}

static void
add_name(const char *name, char *names, size_t size)
{
	size_t		used = strlen(names);

	if (used + strlen(name) + 4 > size)
		return;
	strcat(names, used > 0 ? " + " : "");
	strcat(names, name);
}

/* One of the members that only some series have. */
static SpmForecastStatus
run_special(int which, const SpmSeries *series, SpmOutlook *outlook, double *weight, double *space, const SpmBreath *breath)
{
	SpmForecast loess;
	SpmForecastStatus status;

	if (which > 0)
	{
		*weight = BUCKET_WEIGHT;
		return series->m == MONTHS ?
			spmk_bucket(series, buckets[which - 1], spmk_method(BUCKET_METHOD), outlook, space, breath) : SPM_FORECAST_UNFIT;
	}
	*weight = series->m > SPMK_SEASON_FREE ? LONG_WEIGHT : LOESS_WEIGHT;
	if (!has_loess(series->n, series->m))
		return SPM_FORECAST_UNFIT;
	loess = by_loess(series, &series->m, outlook);
	status = spmk_mstl_forecast(&loess, space, breath);
	strcpy(outlook->name, "MSTL(" LOESS_METHOD ")");
	return status;
}

static SpmForecastStatus
combine(const SpmSeries *series, const Member *members, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	int			n = series->n;
	int			h = outlook->h;
	int			count = 0;
	double		least = floor_of(series);
	double	   *rest = space + (MEMBERS + SPECIALS) * ((size_t) n + 2 * (size_t) h);
	SpmOutlook	outlooks[MEMBERS + SPECIALS];
	double		weights[MEMBERS + SPECIALS];
	double		numbers[MEMBERS + SPECIALS];
	bool		is_done = false;

	for (const Member *member = members; member < members + MEMBERS && member->name; member++)
	{
		double	   *own = space + count * ((size_t) n + 2 * (size_t) h);

		outlooks[count] = (SpmOutlook) {.h = h, .mean = own, .variance = own + h, .fitted = outlook->fitted ? own + 2 * h : NULL};
		weights[count] = member->weight;
		if (spmk_method(member->name)->run(series, &outlooks[count], rest, breath) != SPM_FORECAST_OK)
			continue;
		count++;
		if (member == members && is_exact(series, &outlooks[0]))
		{
			is_done = true;
			break;
		}
	}
	if (count == 0)
		return SPM_FORECAST_SHORT;
	for (int which = 0; members == all_members && !is_done && which < SPECIALS; which++)
	{
		double	   *own = space + count * ((size_t) n + 2 * (size_t) h);

		outlooks[count] = (SpmOutlook) {.h = h, .mean = own, .variance = own + h};
		if (run_special(which, series, &outlooks[count], &weights[count], rest, breath) == SPM_FORECAST_OK)
			count++;
	}
	for (int i = 0; i < h; i++)
	{
		/* the first member's variance stands for all: the limits are made of other things */
		outlook->variance[i] = outlooks[0].variance[i];
		for (int k = 0; k < count; k++)
			numbers[k] = fmax(outlooks[k].mean[i], least);
		call_back(numbers, count, outlook->variance[i]);
		outlook->mean[i] = mean_of(numbers, weights, count);
	}
	for (int t = 0; outlook->fitted && t < n; t++)
	{
		int			fitting = 0;

		/* special members, which are the last ones, have no fitted values */
		for (int k = 0; k < count && outlooks[k].fitted; k++)
			numbers[fitting++] = outlooks[k].fitted[t];
		outlook->fitted[t] = mean_of(numbers, weights, fitting);
	}
	outlook->name[0] = '\0';
	for (int k = 0; k < count; k++)
		add_name(outlooks[k].name, outlook->name, sizeof(outlook->name));
	return SPM_FORECAST_OK;
}

SpmForecastStatus
spmk_auto(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return combine(series, all_members, outlook, space, breath);
}

SpmForecastStatus
spmk_light(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return combine(series, light_members, outlook, space, breath);
}
