/*
 * arima_fit.h
 *	  What a fit of an ARIMA model is made in; the search uses one for all orders.
 */
#ifndef SPMK_ARIMA_FIT_H
#define SPMK_ARIMA_FIT_H

#include "arima.h"

typedef struct ArimaWork
{
	const double *w;			/* differences */
	int			n;
	SpmArma		arma;
	double	   *residual;		/* n + k: where the search stands */
	double	   *trial;			/* n + k */
	double	   *slopes;			/* (n + k) for each coefficient */
	double	   *noise;			/* n: shocks as a long autoregression sees them */
	bool		has_noise;
	const SpmBreath *breath;
} ArimaWork;

extern size_t arima_work_space(int n, int k, int terms);
extern void arima_work_start(ArimaWork *work, const double *w, int n, int k, int terms, double *space, const SpmBreath *breath);
/* (1 + sign a(B)) (1 + sign b(B^m)) = 1 + sign lags */
extern void arima_expand(const double *a, int p, const double *b, int P, int m, double sign, SpmLags *lags);
extern void arima_lags(const SpmArimaOrder *order, const double *coefficient, SpmLags *ar, SpmLags *ma);

/* Are there as many values as a model of this order needs? */
extern bool arima_is_enough(int n, const SpmArimaOrder *order);

typedef struct ArimaEffort
{
	int			rounds;			/* from how many starts, ARIMA_ROUNDS at most */
	double		settled;		/* change of -2 log likelihood that ends a search */
} ArimaEffort;

#define ARIMA_ROUNDS	12

/*
 * The most likely coefficients.  'near': a fit of a similar order, to start from, or
 * NULL.  A fit that cannot come below the AICc 'hopeless' ends early.
 */
extern bool arima_fit(ArimaWork *work, SpmArimaFit *fit, const SpmArimaFit *near, double hopeless, ArimaEffort effort);

/* Are all roots, seasonal ones m-th powers, farther from 0 than these? */
extern bool arima_is_sound(const SpmArimaFit *fit, double ar_radius, double ma_radius);

/* Fixed coefficients may have a root of the MA part within the unit circle: shocks told from so few values don't yet grow out of bounds. */
#define ARIMA_AT_MOST	.999

/* Lags of the series itself: those of the AR part and of the differences. */
extern void arima_integrate(const SpmArimaFit *fit, SpmLags *full);

/* Variance and AICc of n differences; 'squares' is of standardized innovations. */
extern void arima_conclude(SpmArimaFit *fit, int n, double squares, double log_likelihood);

extern bool arima_at(ArimaWork *work, SpmArimaFit *fit);

#endif
