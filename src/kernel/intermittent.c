/*
 * intermittent.c
 *	  Forecasts of intermittent demand, and its limits.
 *
 * All of them expect the same of every period to come.
 */
#include "intermittent.h"

#include <stdio.h>
#include <string.h>

#include "rank.h"

#define SPARSE		1.32		/* periods between demands, from which a series is intermittent */
#define SEASONAL	.5			/* correlation with the season before, from which it rather is seasonal */
#define WEIGHTS		30			/* tried: .01 to .30 */
#define FIRST		3			/* values whose mean smoothing begins with */
#define LEVELS		64			/* of aggregation, at most */
#define BREATH		200000

typedef struct Smoothing
{
	double		level;
	double		weight;
} Smoothing;

/* What has been seen of the demand. */
typedef struct Demand
{
	double	   *sizes;			/* n, of which 'count' are used: the demands' */
	double	   *intervals;		/* n: periods from one to the next */
	int			count;
	double		mean_size;
	double		variance;		/* of the sizes */
	double		mean_interval;
	int			silence;		/* periods since the last one */
} Demand;

/* Whether values, or just that there are any, come again after a season: shops close on Sundays. */
static bool
is_seasonal(const SpmSeries *series, bool count_only)
{
	int			n = series->n;
	int			m = series->m;
	double		mean = 0;
	double		squares = 0;
	double		products = 0;

	for (int t = 0; t < n; t++)
		mean += (count_only ? series->y[t] > 0 : series->y[t]) / n;
	for (int t = 0; t < n; t++)
	{
		double		d = (count_only ? series->y[t] > 0 : series->y[t]) - mean;

		squares += d * d;
		if (t >= m)
			products += d * ((count_only ? series->y[t - m] > 0 : series->y[t - m]) - mean);
	}
	return products * n > SEASONAL * squares * (n - m);
}

bool
spmk_is_intermittent(const SpmSeries *series)
{
	int			n = series->n;
	int			demands = 0;

	for (int t = 0; t < n; t++)
	{
		if (series->y[t] < 0)
			return false;
		demands += series->y[t] > 0;
	}
	if (demands == 0 || demands * SPARSE > n)
		return false;
	return series->m < 2 || n / 3 < series->m || !(is_seasonal(series, false) || is_seasonal(series, true));
}

/* False: a negative demand is none. */
static bool
look_back(const SpmSeries *series, double *space, Demand *demand)
{
	int			n = series->n;
	int			before = -1;

	*demand = (Demand) {.sizes = space, .intervals = space + n};
	for (int t = 0; t < n; t++)
	{
		if (series->y[t] < 0)
			return false;
		if (series->y[t] > 0)
		{
			demand->sizes[demand->count] = series->y[t];
			demand->intervals[demand->count++] = t - before;
			before = t;
		}
	}
	demand->silence = n - 1 - before;
	if (demand->count == 0)
		return true;
	demand->mean_interval = (double) n / demand->count;
	for (int i = 0; i < demand->count; i++)
		demand->mean_size += demand->sizes[i] / demand->count;
	for (int i = 0; i < demand->count; i++)
	{
		double		d = demand->sizes[i] - demand->mean_size;

		demand->variance += d * d / demand->count;
	}
	return true;
}

/* Simple smoothing by the weight of least squared errors. */
static Smoothing
smooth(const double *y, int n, const SpmBreath *breath)
{
	Smoothing	best = {0};
	double		least = INFINITY;
	double		start = 0;
	int			first = n < FIRST ? n : FIRST;

	for (int t = 0; t < first; t++)
		start += y[t] / first;
	for (int i = 1; i <= WEIGHTS; i++)
	{
		double		weight = i * .01;
		double		level = start;
		double		squares = 0;

		for (int t = 0; t < n; t++)
		{
			double		e = y[t] - level;

			squares += e * e;
			level += weight * e;
		}
		if (squares < least)
		{
			least = squares;
			best = (Smoothing) {.level = level, .weight = weight};
		}
		if (n > BREATH / WEIGHTS)
			spmk_breathe(breath);
	}
	return best;
}

/* Over sums of 'size' values, the last ones complete; a period's share of the level. */
static double
smooth_buckets(const SpmSeries *series, int size, double *sums, const SpmBreath *breath)
{
	int			count = series->n / size;
	const double *at = series->y + series->n % size;

	for (int b = 0; b < count; b++)
	{
		sums[b] = 0;
		for (int i = 0; i < size; i++)
			sums[b] += at[(size_t) b * size + i];
	}
	return smooth(sums, count, breath).level / size;
}

/* The mean interval, but so that there are some buckets of it. */
static int
bucket_size(const SpmSeries *series, const Demand *demand)
{
	int			most = series->n / FIRST > 1 ? series->n / FIRST : 1;
	double		size = floor(demand->mean_interval + .5);

	return size < most ? (int) size : most;
}

static double
over_buckets(const SpmSeries *series, const Demand *demand, double *sums, const SpmBreath *breath)
{
	int			most = bucket_size(series, demand);
	double		sum = 0;

	if (most > LEVELS)
		most = LEVELS;
	for (int size = 1; size <= most; size++)
	{
		sum += smooth_buckets(series, size, sums, breath);
		spmk_breathe(breath);
	}
	return sum / most;
}

/*
 * The chance that there still is a demand after a silence: either it came with
 * its usual chance and kept away so long, or it has ended in one of these
 * periods.  In n periods it has not ended: that it does in the next one then has
 * the chance .5 / (n + 1), by Jeffreys' rule.  So does what is known of the usual
 * chance, from the periods between the first and the last demand; a single one
 * tells nothing of it, and each month of silence tells more.
 */
static double
still_lives(const SpmSeries *series, const Demand *demand)
{
	double		came = demand->count - .5;
	double		periods = series->n - demand->silence - demand->intervals[0] + 1;
	double		end = .5 / (series->n + 1);
	double		alive = 1;
	double		ended = 0;

	for (int t = 0; t < demand->silence && alive > 1e-12; t++)
	{
		ended += alive * end;
		alive *= (1 - end) * (1 - came / (periods + t));
	}
	return alive / (alive + ended);
}

typedef enum Way
{
	CROSTON, SBA, TSB, ADIDA, IMAPA, LIVING
} Way;

static const char *const names[] = {"Croston", "SBA", "TSB", "ADIDA", "iMAPA", "intermittent"};

static SpmForecastStatus
forecast(Way way, const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	int			n = series->n;
	double	   *spare = space + 2 * (size_t) n;
	double		mean = 0;
	double		second;
	Demand		demand;
	Smoothing	interval;

	if (!look_back(series, space, &demand))
		return SPM_FORECAST_UNFIT;
	if (demand.count > 0)
		switch (way)
		{
			case CROSTON:
			case SBA:
				interval = smooth(demand.intervals, demand.count, breath);
				mean = smooth(demand.sizes, demand.count, breath).level / interval.level;
				if (way == SBA)
					mean *= 1 - interval.weight / 2;
				break;
			case TSB:
				for (int t = 0; t < n; t++)
					spare[t] = series->y[t] > 0;
				mean = smooth(demand.sizes, demand.count, breath).level * smooth(spare, n, breath).level;
				break;
			case ADIDA:
				mean = smooth_buckets(series, bucket_size(series, &demand), spare, breath);
				break;
			case IMAPA:
				mean = over_buckets(series, &demand, spare, breath);
				break;
			case LIVING:
				mean = over_buckets(series, &demand, spare, breath) * still_lives(series, &demand);
				break;
		}

	/* Sizes as there were, as often as makes the mean. */
	second = demand.count > 0 ? mean * (demand.mean_size + demand.variance / demand.mean_size) : 0;
	for (int i = 0; i < outlook->h; i++)
	{
		outlook->mean[i] = mean;
		outlook->variance[i] = fmax(second - mean * mean, demand.count > 0 ? demand.variance : 0);
	}
	for (int t = 0; outlook->fitted && t < n; t++)
		outlook->fitted[t] = NAN;
	snprintf(outlook->name, sizeof(outlook->name), "%s", names[way]);
	return SPM_FORECAST_OK;
}

size_t
spmk_intermittent_space(int n, int m, int h)
{
	return 3 * (size_t) n;
}

SpmForecastStatus
spmk_croston(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return forecast(CROSTON, series, outlook, space, breath);
}

SpmForecastStatus
spmk_sba(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return forecast(SBA, series, outlook, space, breath);
}

SpmForecastStatus
spmk_tsb(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return forecast(TSB, series, outlook, space, breath);
}

SpmForecastStatus
spmk_adida(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return forecast(ADIDA, series, outlook, space, breath);
}

SpmForecastStatus
spmk_imapa(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return forecast(IMAPA, series, outlook, space, breath);
}

SpmForecastStatus
spmk_intermittent(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	return forecast(LIVING, series, outlook, space, breath);
}

/* A new size is as likely to be between any two of the old ones; the largest stands for what is beyond. */
static double
quantile(const Demand *demand, double chance, double share)
{
	double		place;

	if (share <= 1 - chance)
		return 0;
	place = floor((share - (1 - chance)) / chance * (demand->count + 1) + .5);
	if (place < 1)
		return demand->sizes[0];
	return demand->sizes[place < demand->count ? (int) place - 1 : demand->count - 1];
}

void
spmk_demand_limits(const SpmSeries *series, const SpmOutlook *outlook, double level, double *lower, double *upper,
				   double *space, const SpmBreath *breath)
{
	Demand		demand;
	double		least = 0;

	look_back(series, space, &demand);
	spmk_sort_numbers(demand.sizes, space + 2 * (size_t) series->n, demand.count, breath);
	/* However low the mean: what came once in eight periods, and nobody knows how often it does, may come again. */
	if (demand.count == 1)
		least = still_lives(series, &demand) * (demand.count + .5) / (series->n + 1);
	for (int i = 0; i < outlook->h; i++)
	{
		double		chance = demand.count > 0 ? outlook->mean[i] / demand.mean_size : 0;
		double		larger = chance > 1 ? chance : 1;

		lower[i] = upper[i] = 0;
		if (!(chance > 0))
			continue;
		chance = fmax(chance, least);
		chance = chance > 1 ? 1 : chance;
		for (int k = 0; k <= LEVELS; k++)
		{
			double		below = (1 - level) * k / LEVELS;
			double		from = quantile(&demand, chance, below) * larger;
			double		to = quantile(&demand, chance, below + level) * larger;

			if (k == 0 || to - from < upper[i] - lower[i])
			{
				lower[i] = from;
				upper[i] = to;
			}
		}
		/* A mean of .1 lies above most of what comes; who reads limits expects it within. */
		lower[i] = fmin(lower[i], outlook->mean[i]);
		upper[i] = fmax(upper[i], outlook->mean[i]);
	}
}
