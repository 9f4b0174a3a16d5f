/*
 * dec.h
 *	  Exact decimals as the kernels see them.
 *
 * In the server a Dec is a numeric (src/dec.c); in the unit tests it is a
 * fixed-point integer (test/unit/dec_unit.c).  Kernels use nothing but these
 * functions, never the representation.
 */
#ifndef SPMK_DEC_H
#define SPMK_DEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef SPM_UNIT
typedef struct Dec
{
	__int128	units;
}			Dec;
#else
typedef struct NumericData *Dec;
#endif

/* value / 10^scale */
extern Dec	dec_from_int(int64_t value, int scale);
extern Dec	dec_add(Dec a, Dec b);
extern Dec	dec_sub(Dec a, Dec b);
extern Dec	dec_mul(Dec a, Dec b);

/* integer part of a / b, toward zero; exact */
extern Dec	dec_quotient(Dec a, Dec b);

/* a * 10^places */
extern Dec	dec_shift(Dec a, int places);
extern int	dec_cmp(Dec a, Dec b);
extern int	dec_sign(Dec a);

#endif
