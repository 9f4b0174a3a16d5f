/*
 * forecast_state.h
 *	  Dated rows that an aggregate gathers.
 */
#ifndef SPM_FORECAST_STATE_H
#define SPM_FORECAST_STATE_H

#include "postgres.h"

#include "compat.h"
#include "forecast_options.h"
#include "kernel/grid.h"

typedef struct SeriesState
{
	const ForecastOptions *options;
	int64		n;
	int64		room;			/* rows that there is room for */
	int32		horizon;
	bool		is_instant;		/* moments are of UTC, not of a clock on the wall */
	SpmMoment	rows[FLEXIBLE_ARRAY_MEMBER];
} SeriesState;

/* A moment that no timestamp, or no series, can have. */
SPM_NORETURN extern void spm_no_moment(void);

#endif
