/*
 * lap.h
 *	  One row to one column each, at least cost: linear assignment.
 */
#ifndef SPMK_LAP_H
#define SPMK_LAP_H

#include <stdbool.h>
#include <stddef.h>

#include "solve.h"

typedef struct SpmLap
{
	/* given */
	int			nrows;			/* 0 < nrows <= ncolumns: every row is assigned */
	int			ncolumns;
	const double *costs;		/* nrows rows of ncolumns; INFINITY: not allowed */
	const SpmBreath *breath;

	/* out; row_prices[i] <= cost + column_prices[j], equal where assigned; a column's price is >= 0, and 0 where nobody is */
	int		   *columns;		/* nrows */
	double	   *row_prices;		/* nrows */
	double	   *column_prices;	/* ncolumns */
	int			row;			/* that cannot be assigned, if so */
} SpmLap;

/* Bytes that a solution needs beside its arguments. */
extern size_t spmk_lap_memory(int nrows, int ncolumns);

/* false: some rows, 'row' among them, have too few columns allowed between them. */
extern bool spmk_lap(SpmLap *p, void *memory);

#endif
