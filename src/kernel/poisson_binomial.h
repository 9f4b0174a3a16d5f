/*
 * poisson_binomial.h
 *	  How many of several deals are won: exactly, when they have nothing in common.
 */
#ifndef SPMK_POISSON_BINOMIAL_H
#define SPMK_POISSON_BINOMIAL_H

#include "solve.h"

extern void spmk_poisson_binomial(const double *odds, int n, double *probability, const SpmBreath *breath);

#endif
