/*
 * accuracy.h
 *	  How far forecasts were off: terms of the usual measures, and sums that
 *	  are exact, so that no order of adding changes a digit.
 */
#ifndef SPMK_ACCURACY_H
#define SPMK_ACCURACY_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A sum of doubles as one long integer in units of 2^-256, in digits of 32 bits
 * with room for carries (Kulisch 1981).  What of a number lies below the unit is
 * cut off, of each by itself: so the sum is the same in every order.
 */
#define SPMK_EXACT_DIGITS	16
#define SPMK_EXACT_LEAST	(-256)	/* the unit, as a power of 2 */
#define SPMK_EXACT_MOST		0x1p240 /* numbers are less than this */

typedef struct SpmExact
{
	int64_t		digit[SPMK_EXACT_DIGITS];	/* least first */
	int64_t		waiting;		/* numbers added since carries were made */
} SpmExact;

extern bool spmk_exact_add(SpmExact *sum, double number);
extern void spmk_exact_merge(SpmExact *sum, const SpmExact *other);
extern double spmk_exact_value(const SpmExact *sum);

/* Makridakis 1993 as in M4: from 0 to 200. */
static inline double
spmk_smape_term(double actual, double forecast)
{
	double		size = fabs(actual) + fabs(forecast);

	return size == 0 ? 0 : 200 * (fabs(actual - forecast) / size);
}

/* Gneiting and Raftery 2007: the width, and what lies outside at 2 / (1 - level) times. */
static inline double
spmk_interval_score(double actual, double lower, double upper, double level)
{
	return (upper - lower) + 2 / (1 - level) * (fmax(lower - actual, 0) + fmax(actual - upper, 0));
}

/* Koenker and Bassett 1978: what a quantile is paid for being off. */
static inline double
spmk_pinball_term(double actual, double forecast, double probability)
{
	return actual >= forecast ? probability * (actual - forecast) : (1 - probability) * (forecast - actual);
}

/* Mean size, or root of the mean square, of what the value 'lag' before is off by; NaN where there is none. */
extern double spmk_naive_error(const double *y, int n, int lag, bool squared);

#endif
