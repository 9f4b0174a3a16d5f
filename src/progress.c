/*
 * progress.c
 *	  How far a calculation has come, for other sessions to see.
 */
#include "postgres.h"

#include "fmgr.h"

#include "progress.h"

PG_FUNCTION_INFO_V1(spm_progress);

static int64 progress_done;

void
spm_progress_update(int64 done)
{
	progress_done = done;
}

/* spm._progress(phase text, done bigint, total bigint) */
Datum
spm_progress(PG_FUNCTION_ARGS)
{
	if (!PG_ARGISNULL(1))
		spm_progress_update(PG_GETARG_INT64(1));
	PG_RETURN_VOID();
}
