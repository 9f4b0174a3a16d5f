/*
 * interval.c
 *	  Limits of a forecast from errors at rolling origins: a method that is cheap is
 *	  run there itself, for all others the errors of DOTM stand.
 *
 * A formula's limits know that the future is uncertain, but neither that the model
 * is wrong nor that its parameters were fitted to the very values it is judged by;
 * in the M competitions those at 95 % held 80 to 90 % of what came.
 */
#include "interval.h"

#include "series.h"
#include "theta.h"

#define DOTM_ORIGINS	200			/* values that are looked back on */
#define DOTM_LOOKS		50
#define CHEAP_ORIGINS	24

/* See set_limits(): chosen on series of four frequencies cut to every length, not for one of them. */
#define LEAST_FREEDOM	6			/* of Student's t, of no error at all */
#define WALK_WEIGHT		0.2			/* in errors */
#define WIDENED			8.0			/* share of the mean square, of one error */

#define EXACT			1e-9		/* of the largest value: errors that are none */

#define SKEW			0.25		/* 0: limits as far above as below; 0.5: errors in proportion */
#define SKEW_WIDTH		0.7			/* half widths in means, beyond which limits get no more lopsided */

/* Newton's steps on the error function: full precision in at most seven from this start. */
double
spmk_normal_quantile(double p)
{
	bool		is_low = p < 0.5;
	double		tail = is_low ? p : 1 - p;
	double		w = sqrt(-2 * log(tail));
	double		z = w - (2.30753 + 0.27061 * w) / (1 + w * (0.99229 + 0.04481 * w));	/* Hastings 1955 */

	if (p == 0.5)
		return 0;
	for (int i = 0; i < 7; i++)
	{
		double		density = exp(-0.5 * z * z) * 0.3989422804014327;

		if (!(density > 0))
			break;
		z += (0.5 * erfc(z * 0.7071067811865476) - tail) / density;
	}
	return is_low ? -z : z;
}

/*
 * Exact for 1 and 2 degrees, Cornish & Fisher's expansion above: 4 digits from 4
 * on.  z is the normal distribution's quantile.
 */
static double
student_quantile(double p, double z, double freedom)
{
	double		z2 = z * z;
	double		f = 1 / freedom;

	if (freedom <= 1)
		return tan(M_PI * (p - 0.5));
	if (freedom <= 2)
		return (2 * p - 1) * sqrt(1 / (2 * p * (1 - p)));
	return z * (1 + f * ((z2 + 1) / 4 +
						 f * ((5 * z2 * z2 + 16 * z2 + 3) / 96 +
							  f * ((3 * z2 * z2 * z2 + 19 * z2 * z2 + 17 * z2 - 15) / 384 +
								   f * (79 * z2 * z2 * z2 * z2 + 776 * z2 * z2 * z2 + 1482 * z2 * z2 - 1920 * z2 - 945) / 92160))));
}

double
spmk_student_quantile(double p, double freedom)
{
	return student_quantile(p, spmk_normal_quantile(p), freedom);
}

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

/* How far apart origins lie: DOTM's so close that hardly anything more is to be learned. */
static int
origins_of(const SpmForecast *forecast, const SpmMethod *method, int *stride)
{
	int			room = larger(forecast->n - SPMK_DOTM_LEAST, 0);
	int			most = method->is_cheap ? CHEAP_ORIGINS : DOTM_ORIGINS;
	int			origins = room < most ? room : most;

	*stride = 1;
	if (method->is_cheap && origins > 0)	/* from a third of the series on */
		*stride = larger((forecast->n - larger(forecast->n / 3, SPMK_DOTM_LEAST)) / origins, 1);
	else if (!method->is_cheap && origins > DOTM_LOOKS)
	{
		*stride = (origins + DOTM_LOOKS - 1) / DOTM_LOOKS;
		origins /= *stride;
	}
	return origins;
}

size_t
spmk_interval_space(const SpmForecast *forecast, const SpmMethod *method, int m)
{
	int			n = forecast->n;
	int			h = forecast->h;
	int			stride;
	size_t		past = method->is_cheap ? method->space(n, m, h) + 2 * (size_t) h :
		spmk_dotm_hindsight_space(n, h, origins_of(forecast, method, &stride));

	return spmk_adjust_space(n, m) + 3 * (size_t) h + past;
}

/* What the method itself would have erred, at origins that lie 'stride' apart. */
static void
look_back(const SpmForecast *forecast, const SpmMethod *method, const SpmSeries *series, const SpmAdjusted *adjusted,
		  int origins, int stride, SpmHindsight *hindsight, double *space, const SpmBreath *breath)
{
	int			n = series->n;
	SpmOutlook	outlook = {.mean = space, .variance = space + forecast->h};

	for (int i = 1; i <= origins; i++)
	{
		SpmSeries	known = {.y = series->y, .n = n - i * stride, .m = series->m};

		outlook.h = i * stride < forecast->h ? i * stride : forecast->h;
		if (method->run(&known, &outlook, space + 2 * forecast->h, breath) == SPM_FORECAST_OK)
			for (int j = 0; j < outlook.h; j++)
				spmk_hindsight_add(hindsight, known.n, j, (series->y[known.n + j] - outlook.mean[j]) /
								   spmk_season_factor(adjusted, known.n + j));
		spmk_breathe(breath);
	}
}

/*
 * Amounts err upwards by more than downwards: where none is 0 or less, limits
 * stand halfway between those of errors that add and those of errors in proportion.
 */
static double
skew_of(const SpmForecast *forecast, int step, double half)
{
	if (!(forecast->mean[step] > 0))
		return 0;
	return SKEW * fmin(half / forecast->mean[step], SKEW_WIDTH);
}

/*
 * The half width is a quantile of Student's t times the root of the errors' mean
 * square that many steps ahead.  Overlapping forecasts are nearly one, so that of
 * count errors only count / step are taken to be independent; the little that is
 * known of far steps leans on a random walk from the step before.  A mean square
 * of few errors is itself in error, for which it is widened.
 */
static void
set_limits(SpmForecast *forecast, double relative, const SpmAdjusted *adjusted, const SpmHindsight *hindsight, int stride)
{
	double		widened = relative * sqrt(1 + WIDENED / (hindsight->counts[0] * stride));
	double		p = 0.5 + forecast->level / 2;
	double		z = spmk_normal_quantile(p);
	double		square = 0;
	bool		is_positive = true;

	for (int t = 0; t < forecast->n && is_positive; t++)
		is_positive = forecast->y[t] > 0;
	for (int i = 0; i < forecast->h; i++)
	{
		double		count = fmin(hindsight->counts[i] * stride / (i + 1), hindsight->counts[i]);
		double		walk = i > 0 ? square * (i + 1) / i : 0;
		double		prior = i > 0 || count == 0 ? WALK_WEIGHT : 0;
		double		half;
		double		skew;

		square = count > 0 ? (count * hindsight->squares[i] / hindsight->weights[i] + prior * walk) / (count + prior) : walk;
		half = student_quantile(p, z, LEAST_FREEDOM + 2 * count) * sqrt(square) * widened *
			spmk_season_factor(adjusted, forecast->n + i);
		skew = is_positive ? skew_of(forecast, i, half) : 0;
		forecast->lower[i] = forecast->mean[i] - half * (1 - skew);
		forecast->upper[i] = forecast->mean[i] + half * (1 + skew);
	}
}

/* Nothing to be learned from looking back: the method's own formula, or else a random walk's. */
static void
set_early_limits(SpmForecast *forecast, const SpmSeries *series, const double *variance)
{
	int			n = series->n;
	double		squares = 0;

	for (int t = 1; t < n; t++)
		squares += (series->y[t] - series->y[t - 1]) * (series->y[t] - series->y[t - 1]);
	for (int i = 0; i < forecast->h; i++)
	{
		double		square = variance[i] >= 0 || n < 2 ? variance[i] : squares / (n - 1) * (i + 1);
		double		half = n > 1 ? spmk_student_quantile(0.5 + forecast->level / 2, n - 1) * sqrt(square) : NAN;

		forecast->lower[i] = forecast->mean[i] - half;
		forecast->upper[i] = forecast->mean[i] + half;
	}
}

/* DOTM foretold all of it: what another method errs cannot be told from that. */
static bool
is_exact(const SpmSeries *series, const SpmHindsight *hindsight)
{
	double		most = 0;

	for (int t = 0; t < series->n; t++)
		most = fmax(most, fabs(series->y[t]));
	return sqrt(hindsight->squares[0] / hindsight->weights[0]) <= EXACT * most;
}

/* Errors are those of the series without its season, which is put back into the limits. */
void
spmk_interval(SpmForecast *forecast, const SpmMethod *method, const SpmSeries *series, const double *variance,
			  double *space, const SpmBreath *breath)
{
	int			n = series->n;
	int			h = forecast->h;
	int			stride;
	int			origins = origins_of(forecast, method, &stride);
	SpmHindsight hindsight = {.h = h, .squares = space, .weights = space + h, .counts = space + 2 * h};
	SpmAdjusted adjusted;
	double	   *rest = space + 3 * h + spmk_adjust_space(n, series->m);

	for (int i = 0; i < 3 * h; i++)
		space[i] = 0;
	spmk_adjust(series, &adjusted, space + 3 * h, breath);
	if (method->is_cheap)
		look_back(forecast, method, series, &adjusted, origins, stride, &hindsight, rest, breath);
	else if (origins > 0)
	{
		double		center = 0;

		for (int t = 0; t < n; t++)
			center += adjusted.rest[t] / n;
		for (int t = 0; t < n; t++)
			adjusted.rest[t] -= center;
		spmk_dotm_hindsight(adjusted.rest, n, origins, stride, &hindsight, rest, breath);
	}
	if (hindsight.counts[0] > 0 && (method->is_cheap || !is_exact(series, &hindsight)))
		set_limits(forecast, method->relative > 0 ? method->relative : 1, &adjusted, &hindsight, stride);
	else
		set_early_limits(forecast, series, variance);
}
