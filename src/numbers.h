/*
 * numbers.h
 *	  Rows of floating point numbers that an aggregate gathers: scores and
 *	  factors, never money.
 */
#ifndef SPM_NUMBERS_H
#define SPM_NUMBERS_H

#include "postgres.h"

#include "fmgr.h"

#include "kernel/solve.h"

typedef struct Numbers
{
	MemoryContext context;
	int64		n;				/* rows */
	int64		room;			/* rows that 'values' has room for */
	int			width;			/* numbers in a row */
	double		option;			/* what must be the same for all rows */
	double	   *values;
} Numbers;

extern const SpmBreath spm_breath;

extern Numbers *spm_numbers_state(FunctionCallInfo fcinfo, int width, double option, const char *option_name);
extern double *spm_numbers_append(Numbers *numbers);
extern double spm_number_arg(FunctionCallInfo fcinfo, int arg, const char *what);
extern double spm_double_of_numeric(Datum value);

#endif
