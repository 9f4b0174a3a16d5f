/*
 * logistic.h
 *	  Logistic regression: the odds of yes as a product of what is known.
 */
#ifndef SPMK_LOGISTIC_H
#define SPMK_LOGISTIC_H

#include <stdint.h>

#include "solve.h"

#define SPMK_MAX_FACTORS 200

typedef enum SpmLogisticStatus
{
	SPM_LOGISTIC_OK,
	SPM_LOGISTIC_ONE_OUTCOME,	/* all are yes, or all no */
	SPM_LOGISTIC_CONSTANT,		/* factor 'at' is the same in all rows */
	SPM_LOGISTIC_COLLINEAR,		/* factor 'at' follows from those before it */
	SPM_LOGISTIC_SEPARATED		/* some factors tell the outcome: the best coefficient is infinite */
} SpmLogisticStatus;

/* Different rows of p factors, each with how often it is there and how often with yes. */
typedef struct SpmLogisticRows
{
	int64_t		n;
	int			p;
	const double *const *factors;
	const double *counts;
	const double *yes;
} SpmLogisticRows;

typedef struct SpmLogisticFit
{
	double	   *coefficients;	/* p + 1: constant first */
	double	   *errors;			/* p + 1 */
	double		log_likelihood;
	double		null_log_likelihood;	/* of the constant alone */
	int			iterations;
	int			at;
} SpmLogisticFit;

/* Doubles that the caller gives, besides n x p for scores. */
#define SPMK_LOGISTIC_ROOM(p) (2 * ((p) + 1) * ((p) + 1) + 8 * ((p) + 1))

extern void spmk_sort_rows(const double **rows, const double **scratch, uint64_t *keys, uint64_t *key_scratch,
						   int64_t n, int width, const SpmBreath *breath);
extern SpmLogisticStatus spmk_logistic(const SpmLogisticRows *rows, double ridge, double *scores, double *room,
									   SpmLogisticFit *fit, const SpmBreath *breath);

#endif
