/*
 * forecast_options.h
 *	  What users say of dated series in a JSON object.
 */
#ifndef SPM_FORECAST_OPTIONS_H
#define SPM_FORECAST_OPTIONS_H

#include "postgres.h"

#include "fmgr.h"
#include "pgtime.h"
#include "utils/jsonb.h"

#include "compat.h"
#include "forecast.h"
#include "kernel/grid.h"

typedef struct ForecastOptions
{
	Jsonb	   *json;			/* as given; NULL: none were */
	const SpmMethod *method;
	double		level;
	bool		has_step;
	SpmStep		step;
	int			nseasons;		/* -1: those usual for the step */
	int			seasons[SPMK_SEASONS_MAX];
	SpmCombine	combine;
	SpmGaps		gaps;
	bool		has_until;
	int64		until;
	pg_tz	   *zone;			/* NULL: UTC */
} ForecastOptions;

/*
 * Those of a JSON object; NULL: none.  Kept with the function that calls, so that
 * the same text is read once; in 'context' when a query has very many.
 */
extern const ForecastOptions *spm_forecast_options(FmgrInfo *caller, MemoryContext context, Jsonb *json);

static inline bool
spm_same_options(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

#endif
