/*
 * arma.h
 *	  Gaussian ARMA processes with sparse polynomials: exact likelihood at
 *	  given coefficients, forecasts, innovations.
 *
 * w[t] - mean = sum of ar[j] (w[t-j] - mean) + e[t] + sum of ma[j] e[t-j]
 */
#ifndef SPMK_ARMA_H
#define SPMK_ARMA_H

#include <stdbool.h>
#include <stddef.h>

#include "solve.h"

/* Coefficients of a near (lag 1, 2, ...) and a far (lag m, 2m, ...) polynomial. */
#define SPMK_ARMA_NEAR	10
#define SPMK_ARMA_FAR	3
/* Terms of a product of both, each with two differences. */
#define SPMK_ARMA_TERMS	((SPMK_ARMA_NEAR + 3) * (SPMK_ARMA_FAR + 3) - 1)

/* sum of value[i] B^lag[i], without the 1; lags ascend, no value is 0 */
typedef struct SpmLags
{
	int			n;
	int			lag[SPMK_ARMA_TERMS];
	double		value[SPMK_ARMA_TERMS];
} SpmLags;

typedef enum SpmArmaMean
{
	SPM_ARMA_NO_MEAN,
	SPM_ARMA_MEAN_GIVEN,
	SPM_ARMA_MEAN_FITTED		/* the best for the other coefficients */
} SpmArmaMean;

/* A series and what its likelihood is reckoned in; 'memory' has spmk_arma_space(n, k). */
typedef struct SpmArma
{
	const double *w;
	int			n;
	double	   *filtered;		/* 4n: response of w, of the mean and of one shock, from a start at rest */
	double	   *adjoint;		/* 4n: the same filtered back */
	double	   *start;			/* k x k: covariance of what the past adds to the first k values */
	double	   *gram;			/* k x k, then its Cholesky factor */
	double	   *product;		/* k x k */
	double	   *joint;			/* k x k, Cholesky factor of what data and past say together */
	double	   *small;			/* 8 (k + 1) */
	int			k;				/* values that feel the past, of the last call */
	double		mean;
	double		sum_squares;	/* S: of standardized innovations */
	double		log_det;		/* log of the determinant of w's correlation */
	const SpmBreath *breath;	/* taken every few ten thousand sums */
	double		sums;			/* since the last */
} SpmArma;

extern size_t spmk_arma_space(int n, int k);
extern void spmk_arma_start(SpmArma *arma, const double *w, int n, int k, double *memory, const SpmBreath *breath);

/*
 * The exact likelihood, concentrated over the variance, is
 * -n/2 (log(2 pi S / n) + 1) - log_det / 2.  False: the AR part isn't stationary.
 * residual, unless NULL, gets n + k numbers whose squares add up to S.
 */
extern bool spmk_arma_likelihood(SpmArma *arma, const SpmLags *ar, const SpmLags *ma, SpmArmaMean mean, double *residual);
extern double spmk_arma_log_likelihood(const SpmArma *arma);

/*
 * After a call of the likelihood: what is expected of the n shocks, given all values;
 * then what not knowing the past adds to the variances of the next h values of a
 * series whose own lags are full_ar, in units of the shock's (space: n + h).
 */
extern void spmk_arma_shocks(SpmArma *arma, const SpmLags *ma, double *shock);
extern void spmk_arma_past(SpmArma *arma, const SpmLags *ma, const SpmLags *full_ar, int h, double *variance, double *space);

/* After a call of the likelihood, and instead of those two: errors of forecasts by one step. */
extern void spmk_arma_innovations(SpmArma *arma, const SpmLags *ar, const SpmLags *ma, double *error);

/* The polynomial of partial autocorrelations, each within (-1, 1); and back: false when one isn't. */
extern void spmk_arma_from_partial(const double *partial, int p, double *coefficient);
extern bool spmk_arma_to_partial(const double *coefficient, int p, double *partial);

#endif
