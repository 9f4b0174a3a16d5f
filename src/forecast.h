/*
 * forecast.h
 *	  What functions about series share: arguments, and a forecast as a value.
 */
#ifndef SPM_FORECAST_H
#define SPM_FORECAST_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/array.h"

#include "kernel/mstl.h"

/* Shortest first. */
typedef struct SpmSeasons
{
	int			n;
	int			period[SPMK_SEASONS_MAX];
} SpmSeasons;

/* Arguments, or an error in the user's words. */
extern const double *spm_series_arg(FunctionCallInfo fcinfo, int arg, const char *what, int *n);
extern void spm_check_value(double value, const char *what);
extern const SpmMethod *spm_method_named(const char *name);
extern void spm_check_horizon(int horizon);
extern void spm_check_level(double level);
extern int	spm_check_season(double season);
extern int	spm_add_season(int *seasons, int n, double season);
extern SpmSeasons spm_seasons_arg(FunctionCallInfo fcinfo, int arg);
extern Datum spm_seasons_datum(const int *seasons, int n);

/* The row type that a function returns, looked up once for all rows of a query. */
extern TupleDesc spm_row_type(FunctionCallInfo fcinfo);

/* Makes the forecast, in memory of the current context; 'forecast' has what is asked. */
extern void spm_make_forecast(SpmForecast *forecast);

/* A spm.forecast_path; periods are timestamps, or NULL. */
extern Datum spm_forecast_path(FunctionCallInfo fcinfo, const SpmForecast *forecast, Datum *periods);

#endif
