/*
 * breaks.h
 *	  Natural breaks: classes of numbers that differ as little as possible
 *	  within themselves.
 */
#ifndef SPMK_BREAKS_H
#define SPMK_BREAKS_H

#include <stdint.h>

#include "solve.h"

/* What the caller gives: room for that many numbers of each kind. */
#define SPMK_BREAKS_SUMS(n) (5 * ((int64_t) (n) + 1))
#define SPMK_BREAKS_STARTS(n, k) ((int64_t) (n) * (k))

extern double spmk_natural_breaks(const double *values, const double *counts, int n, int k,
								  double *sums, int32_t *starts, int *first, const SpmBreath *breath);

#endif
