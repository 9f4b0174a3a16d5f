/*
 * series.c
 *	  Seasons: the test by autocorrelation, and classical decomposition
 *	  (Makridakis, Wheelwright & Hyndman 1998; the test and the M competitions'
 *	  Naive2 as in Makridakis, Spiliotis & Assimakopoulos 2020).
 */
#include "series.h"

#include <string.h>

/* 90 %, two-sided: as in the M competitions. */
#define CLASSICAL_TEST	1.645

/* Indices that are drawn towards none do little harm where there is no season. */
#define SEASON_TEST		1.0
#define LEAST_INDEX		0.01

static double
covariance(const double *y, int n, double mean, int lag)
{
	double		sum = 0;

	for (int t = lag; t < n; t++)
		sum += (y[t] - mean) * (y[t - lag] - mean);
	return sum;
}

#define LAGS	4				/* that go through the series side by side */

/* Of 'lag' and those after it. */
static void
covariances(const double *y, int n, double mean, int lag, double *sums)
{
	for (int k = 0; k < LAGS; k++)
		sums[k] = 0;
	for (int t = lag; t < n && t < lag + LAGS - 1; t++)
		for (int k = 0; k <= t - lag; k++)
			sums[k] += (y[t] - mean) * (y[t - lag - k] - mean);
	for (int t = lag + LAGS - 1; t < n; t++)
		for (int k = 0; k < LAGS; k++)
			sums[k] += (y[t] - mean) * (y[t - lag - k] - mean);
}

static bool
has_season(const SpmSeries *series, double test, const SpmBreath *breath)
{
	const double *y = series->y;
	int			n = series->n;
	int			m = series->m;
	double		mean = 0;
	double		variance;
	double		squares = 0;

	if (m < 2 || n / 3 < m)
		return false;
	for (int t = 0; t < n; t++)
		mean += y[t];
	mean /= n;
	variance = covariance(y, n, mean, 0);
	if (!(variance > 0))
		return false;
	for (int lag = 1; lag < m; lag += LAGS)
	{
		double		sums[LAGS];

		covariances(y, n, mean, lag, sums);
		for (int k = 0; k < LAGS && lag + k < m; k++)
			squares += sums[k] / variance * (sums[k] / variance);
		if ((lag & 15) == 1)
			spmk_breathe(breath);
	}
	return fabs(covariance(y, n, mean, m) / variance) > test * sqrt((1 + 2 * squares) / n);
}

bool
spmk_has_season(const SpmSeries *series, const SpmBreath *breath)
{
	return has_season(series, CLASSICAL_TEST, breath);
}

size_t
spmk_adjust_space(int n, int m)
{
	return (size_t) n + 2 * (size_t) m;
}

/*
 * What an index is in doubt by, against what indices differ by: James and Stein's
 * shrinkage, for seasons Miller & Williams 2003.  squares: of all ratios about 1 (or
 * differences about 0), of which index holds the means about the same and count how many.
 */
static double
shrinkage(const double *index, const double *count, int m, double squares)
{
	double		total = 0;
	double		signal = 0;
	double		doubt = 0;

	for (int j = 0; j < m; j++)
	{
		total += count[j];
		signal += index[j] * index[j];
		squares -= count[j] * index[j] * index[j];
	}
	if (m < 4 || !(total > m) || !(signal > 0))
		return 1;
	doubt = fmax(squares, 0) / (total - m) / (total / m);
	return fmax(1 - (m - 3) * doubt / signal, 0);
}

/*
 * Means by place in the season of y over (or less) its moving average.  The
 * window's sum is made anew every season, so that its rounding cannot grow.
 */
static void
find_indices(const SpmSeries *series, bool is_product, bool is_classical, double *index, double *count)
{
	const double *y = series->y;
	int			m = series->m;
	int			half = m / 2;
	bool		is_even = m % 2 == 0;
	double		window = 0;
	double		squares = 0;
	double		mean = 0;
	double		kept;

	for (int j = 0; j < m; j++)
		index[j] = count[j] = 0;
	for (int t = half; t + half < series->n; t++)
	{
		double		trend;
		double		off;

		/* the sum of the m values that end at t + half */
		if ((t - half) % m == 0)
		{
			window = 0;
			for (int i = t + half - m + 1; i <= t + half; i++)
				window += y[i];
		}
		else
			window += y[t + half] - y[t + half - m];
		trend = is_even ? (window + 0.5 * (y[t - half] - y[t + half])) / m : window / m;
		if (is_product && !(trend > 0))
			continue;
		off = is_product ? y[t] / trend - 1 : y[t] - trend;
		index[t % m] += off;
		squares += off * off;
		count[t % m]++;
	}
	for (int j = 0; j < m; j++)
	{
		index[j] = count[j] > 0 ? index[j] / count[j] : 0;
		mean += index[j] / m;
	}
	kept = is_classical ? 1 : shrinkage(index, count, m, squares);
	for (int j = 0; j < m; j++)
		index[j] = is_product ? fmax((1 + kept * index[j]) / (1 + kept * mean), LEAST_INDEX) : kept * (index[j] - mean);
}

static void
adjust(const SpmSeries *series, bool is_classical, SpmAdjusted *adjusted, double *space, const SpmBreath *breath)
{
	bool		is_product = true;

	*adjusted = (SpmAdjusted) {.rest = space, .index = space + series->n, .n = series->n, .m = 1};
	memcpy(adjusted->rest, series->y, sizeof(double) * series->n);
	if (!has_season(series, is_classical ? CLASSICAL_TEST : SEASON_TEST, breath))
		return;
	for (int t = 0; t < series->n && is_product; t++)
		is_product = series->y[t] > 0;
	adjusted->m = series->m;
	adjusted->is_product = is_product;
	find_indices(series, is_product, is_classical, adjusted->index, adjusted->index + series->m);
	for (int t = 0, j = 0; t < series->n; t++, j = j + 1 == series->m ? 0 : j + 1)
		if (is_product)
			adjusted->rest[t] /= adjusted->index[j];
		else
			adjusted->rest[t] -= adjusted->index[j];
}

void
spmk_adjust(const SpmSeries *series, SpmAdjusted *adjusted, double *space, const SpmBreath *breath)
{
	adjust(series, false, adjusted, space, breath);
}

void
spmk_adjust_classical(const SpmSeries *series, SpmAdjusted *adjusted, double *space, const SpmBreath *breath)
{
	adjust(series, true, adjusted, space, breath);
}

double
spmk_with_season(const SpmAdjusted *adjusted, int t, double value)
{
	if (adjusted->m < 2)
		return value;
	return adjusted->is_product ? value * adjusted->index[t % adjusted->m] : value + adjusted->index[t % adjusted->m];
}

double
spmk_season_factor(const SpmAdjusted *adjusted, int t)
{
	return adjusted->is_product && adjusted->m > 1 ? adjusted->index[t % adjusted->m] : 1;
}

void
spmk_restore_season(const SpmAdjusted *adjusted, SpmOutlook *outlook)
{
	if (adjusted->m < 2)
		return;
	for (int i = 0; i < outlook->h; i++)
	{
		double		factor = spmk_season_factor(adjusted, adjusted->n + i);

		outlook->mean[i] = spmk_with_season(adjusted, adjusted->n + i, outlook->mean[i]);
		outlook->variance[i] *= factor * factor;
	}
	for (int t = 0; outlook->fitted && t < adjusted->n; t++)
		outlook->fitted[t] = spmk_with_season(adjusted, t, outlook->fitted[t]);
}
