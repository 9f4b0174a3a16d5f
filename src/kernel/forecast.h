/*
 * forecast.h
 *	  What every method of forecasting a series takes and gives.
 *
 * A method works in doubles that its caller gives (space() says how many), draws
 * no chance of its own, and gives the same answer for the same series always.
 */
#ifndef SPMK_FORECAST_H
#define SPMK_FORECAST_H

#include <stddef.h>

#include "solve.h"

/* Beyond these a series is a mistake, and sizes would not fit. */
#define SPMK_SERIES_MAX		1000000
#define SPMK_SEASON_MAX		10000
#define SPMK_HORIZON_MAX	10000
#define SPMK_NAME_SIZE		80

typedef struct SpmSeries
{
	const double *y;			/* oldest first; each spmk_is_solvable() */
	int			n;
	int			m;				/* seasonal period; 1: none */
} SpmSeries;

typedef enum SpmForecastStatus
{
	SPM_FORECAST_OK,
	SPM_FORECAST_SHORT,			/* fewer values than the method needs */
	SPM_FORECAST_UNFIT			/* not a series for this method: negative demand, no model that holds */
} SpmForecastStatus;

/* What a method says of the next h periods. */
typedef struct SpmOutlook
{
	int			h;
	double	   *mean;			/* h */
	double	   *variance;		/* h: of the error so many steps ahead, by the method's own formula; NaN: it has none */
	double	   *fitted;			/* n: one-step forecasts in the sample, NaN where there is none; NULL: not wanted */
	char		name[SPMK_NAME_SIZE];	/* as the field writes it: ETS(M,Ad,M) */
} SpmOutlook;

typedef struct SpmMethod
{
	const char *name;			/* as users write it: dotm */
	const char *about;			/* one line for people */
	size_t		(*space) (int n, int m, int h);	/* doubles it needs */
	SpmForecastStatus (*run) (const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

	/*
	 * Limits of its own, for errors that are not symmetric (counts): after run(), in
	 * the same space.  NULL: those of interval.c.
	 */
	void		(*limits) (const SpmSeries *series, const SpmOutlook *outlook, double level, double *lower, double *upper,
						   double *space, const SpmBreath *breath);
	bool		is_cheap;		/* microseconds: limits may run it at many past origins */
	double		relative;		/* if not cheap: its errors in DOTM's, by which its limits are made; 0: not known */
} SpmMethod;

/* All methods, ended by one without a name: a new method is a new row in forecast.c. */
extern const SpmMethod spmk_methods[];
extern const SpmMethod *spmk_method(const char *name);

/*
 * A forecast with limits, by any method.  When that one cannot do it, a simpler
 * one does, and 'name' tells which: there always is a forecast.
 */
typedef struct SpmForecast
{
	/* what is asked */
	const SpmMethod *method;
	const double *y;			/* oldest first; each spmk_is_solvable() */
	int			n;				/* 1 or more */
	const int  *seasons;		/* periods, shortest first: {12}, {7, 365} */
	int			nseasons;		/* 0: none */
	int			h;
	double		level;			/* of the limits: above 0, below 1 */

	/* what is answered */
	double	   *mean;			/* h */
	double	   *lower;			/* h; NaN: a single value says nothing of its error; NULL: not wanted */
	double	   *upper;			/* as lower */
	char		name[SPMK_NAME_SIZE];
} SpmForecast;

extern size_t spmk_forecast_space(const SpmForecast *forecast);

/* OK: by the method that was asked for; else why it could not be that. */
extern SpmForecastStatus spmk_forecast(SpmForecast *forecast, double *space, const SpmBreath *breath);

#endif
