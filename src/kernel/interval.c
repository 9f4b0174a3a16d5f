/*
 * interval.c
 *	  Limits of a forecast, from the method's own variance or, where it has none,
 *	  from the errors of repeating the last value.
 */
#include "interval.h"

#include "naive.h"

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

/* Exact for 1 and 2 degrees, Cornish & Fisher's expansion above: 4 digits from 4 on. */
double
spmk_student_quantile(double p, double freedom)
{
	double		z;
	double		z2;
	double		f = 1 / freedom;

	if (freedom <= 1)
		return tan(M_PI * (p - 0.5));
	if (freedom <= 2)
		return (2 * p - 1) * sqrt(1 / (2 * p * (1 - p)));
	z = spmk_normal_quantile(p);
	z2 = z * z;
	return z * (1 + f * ((z2 + 1) / 4 +
						 f * ((5 * z2 * z2 + 16 * z2 + 3) / 96 +
							  f * ((3 * z2 * z2 * z2 + 19 * z2 * z2 + 17 * z2 - 15) / 384 +
								   f * (79 * z2 * z2 * z2 * z2 + 776 * z2 * z2 * z2 + 1482 * z2 * z2 - 1920 * z2 - 945) / 92160))));
}

size_t
spmk_interval_space(int n, int m, int h)
{
	(void) n;
	(void) m;
	return 2 * (size_t) h;
}

void
spmk_interval(SpmForecast *forecast, const SpmSeries *series, const double *variance, double *space, const SpmBreath *breath)
{
	SpmOutlook	walk = {.h = forecast->h, .mean = space, .variance = space + forecast->h};
	double		wide = spmk_student_quantile(0.5 + forecast->level / 2, series->n - 1);

	spmk_naive(series, &walk, NULL, breath);
	for (int i = 0; i < forecast->h; i++)
	{
		double		sd = sqrt(isnan(variance[i]) ? walk.variance[i] : variance[i]);

		forecast->lower[i] = forecast->mean[i] - wide * sd;
		forecast->upper[i] = forecast->mean[i] + wide * sd;
	}
}
