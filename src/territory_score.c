/*
 * territory_score.c
 *	  What accounts and sellers are told apart by: inequality, power to
 *	  discriminate, natural breaks.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "kernel/rank.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_gini_add);
PG_FUNCTION_INFO_V1(spm_gini_final);

/* Another array of n numbers, however many. */
static double *
alloc_numbers(int64 n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(double));
}

static void
sort_values(Numbers *numbers)
{
	double	   *scratch = alloc_numbers(numbers->n);

	spmk_sort_numbers(numbers->values, scratch, numbers->n, &spm_breath);
	pfree(scratch);
}

static Datum
same_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

Datum
spm_gini_add(PG_FUNCTION_ARGS)
{
	double		value;

	if (PG_ARGISNULL(1))
		return same_state(fcinfo);
	value = spm_number_arg(fcinfo, 1, "value");
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be negative"),
				 errdetail("There is a %g.", value),
				 errhint("Shares of a sum have no negative parts: leave them out, or count them as 0 with greatest(value, 0).")));
	{
		Numbers    *numbers = spm_numbers_state(fcinfo, 1, 0, "value");

		*spm_numbers_append(numbers) = value;
		PG_RETURN_POINTER(numbers);
	}
}

/* Sorting in place leaves the state what it is: the numbers, in some order. */
Datum
spm_gini_final(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = (Numbers *) PG_GETARG_POINTER(0);

	sort_values(numbers);
	PG_RETURN_FLOAT8(spmk_gini(numbers->values, numbers->n));
}
