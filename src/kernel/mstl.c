/*
 * mstl.c
 *	  Trend, seasons and remainder of a series.
 */
#include "mstl.h"

#include <string.h>

#define INNER			2		/* passes of season and trend, without and ... */
#define INNER_ROBUST	1		/* ... with weights */
#define OUTER_ROBUST	6		/* times that weights are taken from the remainder */
#define ROUNDS			2		/* of all seasons, when there are several */
#define SEASON_WINDOW	11		/* years that a season is smoothed over; 4 more for each longer season */
#define BREATH			200000	/* sums between two breaths */

/* Doubles of one decomposition, named. */
typedef struct Work
{
	double	   *rest;			/* n: the series without all other seasons */
	double	   *weight;			/* n: robustness */
	double	   *cycle;			/* n + 2m: the season, a cycle longer at both ends */
	double	   *smooth;			/* n + 2m */
	double	   *spare;			/* n + 2m */
	double	   *sub;			/* values of one phase, their weights and what they are smoothed to */
	long		count;			/* sums since the last breath */
	const SpmBreath *breath;
} Work;

static int
next_odd(double x)
{
	int			i = (int) ceil(x);

	return i % 2 == 0 ? i + 1 : i;
}

/*
 * The line through the q values nearest to 'at', nearer ones weighing more, where
 * it is at 'at'; degree 0 takes a level for the line.  False: all weights are 0.
 */
static bool
loess_at(const double *y, const double *weight, int n, int q, int degree, double at, int left, int right, double *fit)
{
	double		reach = fmax(1, fmax(at - left, right - at) + (q > n ? (q - n) / 2 : 0));
	double		sum = 0;
	double		sum_x = 0;
	double		sum_y = 0;
	double		sum_xx = 0;
	double		sum_xy = 0;

	for (int i = left; i <= right; i++)
	{
		double		x = i - at;
		double		far = fabs(x);
		double		w;

		if (far > .999 * reach)
			continue;
		far /= reach;
		w = far <= .001 ? 1 : (1 - far * far * far);
		w = w * w * w;
		if (weight)
			w *= weight[i];
		sum += w;
		sum_x += w * x;
		sum_y += w * y[i];
		sum_xx += w * x * x;
		sum_xy += w * x * y[i];
	}
	if (!(sum > 0))
		return false;
	*fit = sum_y / sum;
	if (degree > 0)
	{
		double		spread = sum_xx - sum_x * sum_x / sum;

		/* Values at one place have no slope. */
		if (sqrt(spread / sum) > .001 * (n - 1))
			*fit -= sum_x / sum * (sum_xy - sum_x * sum_y / sum) / spread;
	}
	return true;
}

/* Smoothed values at 'from' to 'to' (before or behind the series, too); between every jump-th a straight line. */
static void
loess(const double *y, const double *weight, int n, int q, int degree, int jump, int from, int to, double *out,
	  Work *work)
{
	int			left = 0;
	int			span = q < n ? q : n;
	int			before = from;

	for (int at = from;; at = at + jump < to ? at + jump : to)
	{
		double		fit;

		while (left + span < n && at - left > left + span - at)
			left++;
		if (!loess_at(y, weight, n, q, degree, at, left, left + span - 1, &fit))
			fit = y[at < 0 ? 0 : at >= n ? n - 1 : at];
		out[at - from] = fit;
		for (int i = before + 1; i < at; i++)
			out[i - from] = out[before - from] + (fit - out[before - from]) * (i - before) / (at - before);
		before = at;
		if ((work->count += span) > BREATH)
		{
			work->count = 0;
			spmk_breathe(work->breath);
		}
		if (at == to)
			break;
	}
}

/* Means of 'length' values in a row: n - length + 1 of them. */
static void
moving_mean(const double *y, int n, int length, double *out)
{
	double		sum = 0;

	for (int i = 0; i < length; i++)
		sum += y[i];
	out[0] = sum / length;
	for (int i = length; i < n; i++)
	{
		sum += y[i] - y[i - length];
		out[i - length + 1] = sum / length;
	}
}

/* Each phase of the season smoothed over the cycles, and one cycle more before and behind: work->cycle. */
static void
smooth_phases(const double *y, const double *weight, int n, int period, int window, Work *work)
{
	int			most = n / period + 1;
	double	   *values = work->sub;
	double	   *weights = values + most;
	double	   *fits = weights + most;

	for (int phase = 0; phase < period; phase++)
	{
		int			k = 0;

		for (int t = phase; t < n; t += period, k++)
		{
			values[k] = y[t];
			weights[k] = weight ? weight[t] : 1;
		}
		loess(values, weight ? weights : NULL, k, window, 0, 1, -1, k, fits, work);
		for (int i = 0; i < k + 2; i++)
			work->cycle[phase + i * period] = fits[i];
	}
}

/* One season of work->rest, with its trend. */
static void
one_pass(int n, int period, int window, bool weigh, double *trend, double *season, Work *work)
{
	const double *weight = weigh ? work->weight : NULL;
	int			long_n = n + 2 * period;
	int			trend_window = next_odd(1.5 * period / (1 - 1.5 / window));
	int			low_window = next_odd(period);

	for (int t = 0; t < n; t++)
		work->smooth[t] = work->rest[t] - trend[t];
	smooth_phases(work->smooth, weight, n, period, window, work);

	/* What of it is slower than a season belongs to the trend. */
	moving_mean(work->cycle, long_n, period, work->spare);
	moving_mean(work->spare, long_n - period + 1, period, work->smooth);
	moving_mean(work->smooth, long_n - 2 * period + 2, 3, work->spare);
	loess(work->spare, NULL, n, low_window, 1, (low_window + 9) / 10, 0, n - 1, work->smooth, work);
	for (int t = 0; t < n; t++)
		season[t] = work->cycle[period + t] - work->smooth[t];

	for (int t = 0; t < n; t++)
		work->spare[t] = work->rest[t] - season[t];
	loess(work->spare, weight, n, trend_window, 1, (trend_window + 9) / 10, 0, n - 1, trend, work);
}

/* The k-th of n numbers in ascending order; reorders them. */
static double
kth(double *x, int n, int k)
{
	int			from = 0;
	int			to = n - 1;

	while (from < to)
	{
		double		pivot = x[from + (to - from) / 2];
		int			i = from;
		int			j = to;

		while (i <= j)
		{
			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i <= j)
			{
				double		swap = x[i];

				x[i++] = x[j];
				x[j--] = swap;
			}
		}
		if (k <= j)
			to = j;
		else if (k >= i)
			from = i;
		else
			break;
	}
	return x[k];
}

/* Remainders beyond six medians weigh nothing, small ones 1. */
static void
weigh(int n, const double *trend, const double *season, Work *work)
{
	double		limit;

	for (int t = 0; t < n; t++)
		work->spare[t] = fabs(work->rest[t] - trend[t] - season[t]);
	memcpy(work->smooth, work->spare, n * sizeof(double));
	limit = 3 * kth(work->smooth, n, n / 2);
	limit += 3 * kth(work->smooth, n, (n - 1) / 2);
	for (int t = 0; t < n; t++)
	{
		double		share = limit > 0 ? work->spare[t] / limit : work->spare[t] > 0;

		work->weight[t] = share > .999 ? 0 : share <= .001 ? 1 : (1 - share * share) * (1 - share * share);
	}
}

static void
one_season(int n, int period, int window, bool robust, double *trend, double *season, Work *work)
{
	memset(trend, 0, n * sizeof(double));
	for (int outer = 0; outer <= (robust ? OUTER_ROBUST : 0); outer++)
	{
		for (int inner = 0; inner < (robust ? INNER_ROBUST : INNER); inner++)
			one_pass(n, period, window, outer > 0, trend, season, work);
		if (robust)
			weigh(n, trend, season, work);
	}
}

/* Without a season: a line through the nearest third. */
static void
only_trend(int n, bool robust, double *trend, double *none, Work *work)
{
	int			window = next_odd(n / 3 < 7 ? 7 : n / 3);

	memset(none, 0, n * sizeof(double));
	for (int outer = 0; outer <= (robust ? OUTER_ROBUST : 0); outer++)
	{
		loess(work->rest, outer > 0 ? work->weight : NULL, n, window, 1, (window + 9) / 10, 0, n - 1, trend, work);
		if (robust)
			weigh(n, trend, none, work);
	}
}

static double
variance_of_sum(const double *a, const double *b, int n)
{
	double		mean = 0;
	double		sum = 0;

	for (int t = 0; t < n; t++)
		mean += a[t] + (b ? b[t] : 0);
	mean /= n;
	for (int t = 0; t < n; t++)
	{
		double		d = a[t] + (b ? b[t] : 0) - mean;

		sum += d * d;
	}
	return sum / n;
}

static double
strength_of(const double *part, const double *remainder, int n)
{
	double		both = variance_of_sum(part, remainder, n);

	return both > 0 ? fmax(0, 1 - variance_of_sum(remainder, NULL, n) / both) : 0;
}

static SpmForecastStatus
check_periods(int n, const int *periods, int nperiods)
{
	for (int k = 0; k < nperiods; k++)
	{
		if (periods[k] < 2 || nperiods > SPMK_SEASONS_MAX || (k > 0 && periods[k] <= periods[k - 1]))
			return SPM_FORECAST_UNFIT;
		if (n / 2 < periods[k])
			return SPM_FORECAST_SHORT;
	}
	return n < 1 ? SPM_FORECAST_SHORT : SPM_FORECAST_OK;
}

size_t
spmk_mstl_space(int n, const int *periods, int nperiods)
{
	int			longest = nperiods > 0 ? periods[nperiods - 1] : 1;

	/* Phases of the shortest season are longest: n / 2 values. */
	return 2 * (size_t) n + 3 * ((size_t) n + 2 * (size_t) longest) + 3 * ((size_t) n / 2 + 4);
}

SpmForecastStatus
spmk_mstl(const double *y, int n, const int *periods, int nperiods, bool robust, SpmParts *parts, double *space,
		  const SpmBreath *breath)
{
	SpmForecastStatus status = check_periods(n, periods, nperiods);
	int			long_n;
	Work		work = {.breath = breath};

	if (status != SPM_FORECAST_OK)
		return status;
	long_n = n + 2 * (nperiods > 0 ? periods[nperiods - 1] : 1);
	work.rest = space;
	work.weight = work.rest + n;
	work.cycle = work.weight + n;
	work.smooth = work.cycle + long_n;
	work.spare = work.smooth + long_n;
	work.sub = work.spare + long_n;

	memcpy(work.rest, y, n * sizeof(double));
	if (nperiods == 0)
		only_trend(n, robust, parts->trend, parts->remainder, &work);
	else
		memset(parts->seasons, 0, (size_t) nperiods * n * sizeof(double));
	for (int round = 0; round < (nperiods > 1 ? ROUNDS : 1); round++)
		for (int k = 0; k < nperiods; k++)
		{
			double	   *season = parts->seasons + (size_t) k * n;

			for (int t = 0; t < n; t++)
				work.rest[t] += season[t];
			one_season(n, periods[k], SEASON_WINDOW + 4 * k, robust, parts->trend, season, &work);
			for (int t = 0; t < n; t++)
				work.rest[t] -= season[t];
		}

	for (int t = 0; t < n; t++)
		parts->remainder[t] = work.rest[t] - parts->trend[t];
	parts->trend_strength = strength_of(parts->trend, parts->remainder, n);
	for (int k = 0; k < nperiods; k++)
		parts->strength[k] = strength_of(parts->seasons + (size_t) k * n, parts->remainder, n);
	return SPM_FORECAST_OK;
}
