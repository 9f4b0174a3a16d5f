/*
 * forecast_seasons.c
 *	  Which seasons a series shows.
 */
#include "forecast.h"

#include "catalog/pg_type.h"

#include "kernel/mstl.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_seasons);

/* spm.seasons("values" float8[]) */
Datum
spm_seasons(PG_FUNCTION_ARGS)
{
	int			n;
	const double *values = spm_series_arg(fcinfo, 0, "value", &n);
	double	   *space = MemoryContextAllocHuge(CurrentMemoryContext, spmk_seasons_space(n) * sizeof(double));
	int			periods[SPMK_SEASONS_MAX];
	Datum		datums[SPMK_SEASONS_MAX];
	int			count = spmk_seasons(values, n, periods, SPMK_SEASONS_MAX, space, &spm_breath);

	for (int i = 0; i < count; i++)
		datums[i] = Int32GetDatum(periods[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}
