/*
 * numbers.h
 *	  Floating point numbers, never money: memory and arrays of them, and rows of
 *	  them that an aggregate gathers.
 */
#ifndef SPM_NUMBERS_H
#define SPM_NUMBERS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

#include "kernel/solve.h"

typedef struct Numbers
{
	int64		n;				/* rows */
	int64		room;			/* rows that 'values' has room for */
	int			width;			/* numbers in a row */
	double		option;			/* what must be the same for all rows */
	double	   *values;
} Numbers;

extern const SpmBreath spm_breath;

extern double *spm_alloc_doubles(Size n);
/* NaN becomes NULL: not known. */
extern ArrayType *spm_float8_array(const double *values, int n);

extern Numbers *spm_numbers_state(FunctionCallInfo fcinfo, int width, double option, const char *option_name);
extern double *spm_numbers_append(Numbers *numbers);
extern double spm_number_arg(FunctionCallInfo fcinfo, int arg, const char *what);
extern double spm_double_of_numeric(Datum value);

#endif
