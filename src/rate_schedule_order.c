/*
 * rate_schedule_order.c
 *	  Comparing rate schedules, for grouping, joins and indexes.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"

#include "compat.h"

PG_FUNCTION_INFO_V1(spm_rate_schedule_compare);
PG_FUNCTION_INFO_V1(spm_rate_schedule_eq);
PG_FUNCTION_INFO_V1(spm_rate_schedule_ne);
PG_FUNCTION_INFO_V1(spm_rate_schedule_lt);
PG_FUNCTION_INFO_V1(spm_rate_schedule_le);
PG_FUNCTION_INFO_V1(spm_rate_schedule_gt);
PG_FUNCTION_INFO_V1(spm_rate_schedule_ge);
PG_FUNCTION_INFO_V1(spm_rate_schedule_hash);

/* Equal schedules have equal bytes; the order means nothing else. */
static int
compare(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	struct varlena *b = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	Size		asize = VARSIZE_ANY_EXHDR(a);
	Size		bsize = VARSIZE_ANY_EXHDR(b);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(asize, bsize));

	if (order != 0)
		return order < 0 ? -1 : 1;
	return asize < bsize ? -1 : asize > bsize;
}

Datum
spm_rate_schedule_compare(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

Datum
spm_rate_schedule_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

Datum
spm_rate_schedule_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

Datum
spm_rate_schedule_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
spm_rate_schedule_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
spm_rate_schedule_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
spm_rate_schedule_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
spm_rate_schedule_hash(PG_FUNCTION_ARGS)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));

	PG_RETURN_INT32(hash_bytes((const unsigned char *) VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a)));
}
