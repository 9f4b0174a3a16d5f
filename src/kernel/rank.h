/*
 * rank.h
 *	  Numbers in order, and what only depends on their order: how unequal they
 *	  are, and how well one tells two groups apart.
 *
 * Sums go over sorted numbers, so the order of arrival changes no digit.
 */
#ifndef SPMK_RANK_H
#define SPMK_RANK_H

#include <stddef.h>

#include "solve.h"

extern void spmk_sort_numbers(double *numbers, double *scratch, size_t n, const SpmBreath *breath);
extern double spmk_gini(const double *sorted, size_t n);
extern double spmk_auc(const double *yes, size_t nyes, const double *no, size_t nno);

#endif
