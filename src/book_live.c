/*
 * book_live.c
 *	  What lives as long as the query that made it, and goes by a number.
 *
 * A number is found in the backend that gave it, while the query runs; any
 * other (stored, typed, sent elsewhere) is refused.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "port.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "book.h"

typedef struct Entry
{
	uint64		id;
	Live	   *live;
} Entry;

static HTAB *entries = NULL;
static uint64 last_id = 0;
uint64		spm_live_ended = 0;

static const char *const kind_names[] = {"book", "rate card", "list of splits", "tree"};

/* The memory goes: after an error without anything else having happened. */
static void
forget(void *arg)
{
	hash_search(entries, &((Live *) arg)->id, HASH_REMOVE, NULL);
	spm_live_ended++;
}

/* The query ends, or the scan begins anew; not called after an error. */
static void
shut(Datum arg)
{
	Live	   *live = (Live *) DatumGetPointer(arg);

	if (live->close)
		live->close(live);
	MemoryContextDelete(live->context);
}

static Live *
make(MemoryContext parent, LiveKind kind, Size size)
{
	MemoryContext context = AllocSetContextCreate(parent, "spm book", ALLOCSET_DEFAULT_SIZES);
	Live	   *live = MemoryContextAllocZero(context, size);
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(*callback));
	Entry	   *entry;

	if (entries == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(Entry)};

		if (!pg_strong_random(&last_id, sizeof(last_id)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not make a random number")));
		entries = hash_create("spm books", 64, &control, HASH_ELEM | HASH_BLOBS);
	}
	live->id = ++last_id;
	live->kind = kind;
	live->context = context;
	entry = hash_search(entries, &live->id, HASH_ENTER, NULL);
	entry->live = live;
	callback->func = forget;
	callback->arg = live;
	MemoryContextRegisterResetCallback(context, callback);
	return live;
}

/* Lives as long as that memory; it must hold nothing but memory. */
Live *
spm_live_under(MemoryContext parent, LiveKind kind, Size size)
{
	return make(parent, kind, size);
}

/* What a scan makes: it goes when the scan begins anew, or with the query. */
Live *
spm_live_of(PlanState *scan, LiveKind kind, Size size)
{
	Live	   *live = make(scan->state->es_query_cxt, kind, size);

	RegisterExprContextCallback(scan->ps_ExprContext, shut, PointerGetDatum(live));
	return live;
}

/*
 * What an aggregate makes.  One without GROUP BY goes when its input is read
 * anew; those of groups stay to the end of the query, since their rows may be
 * sorted before they are used.
 */
Live *
spm_live_new(FunctionCallInfo fcinfo, LiveKind kind, Size size)
{
	MemoryContext context;
	AggState   *state = (AggState *) fcinfo->context;

	if (AggCheckCallContext(fcinfo, &context) != AGG_CONTEXT_AGGREGATE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a %s cannot be made by a window function", kind_names[kind])));
	if (((Agg *) state->ss.ps.plan)->aggstrategy == AGG_PLAIN)
	{
		Live	   *live = make(context, kind, size);

		AggRegisterCallback(fcinfo, shut, PointerGetDatum(live));
		return live;
	}
	{
		EState	   *estate = state->ss.ps.state;
		Live	   *live = make(estate->es_query_cxt, kind, size);

		RegisterExprContextCallback(CreateExprContext(estate), shut, PointerGetDatum(live));
		return live;
	}
}

Live *
spm_live_find(Datum id, LiveKind kind)
{
	uint64		key = DatumGetUInt64(id);
	Entry	   *entry = entries ? hash_search(entries, &key, HASH_FIND, NULL) : NULL;

	if (entry == NULL || entry->live->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this %s is not there any more", kind_names[kind]),
				 errdetail("A %s lives as long as the query that makes it.", kind_names[kind]),
				 errhint("Make it and read it in one query.")));
	return entry->live;
}

/* ------------------------------------------------------- the types, as SQL sees them */

PG_FUNCTION_INFO_V1(spm_live_type_in);
PG_FUNCTION_INFO_V1(spm_live_type_out);

Datum
spm_live_type_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a value of this type cannot be typed in"),
			 errhint("It is what an aggregate of the toolbox returns.")));
	PG_RETURN_NULL();
}

Datum
spm_live_type_out(PG_FUNCTION_ARGS)
{
	uint64		key = DatumGetUInt64(PG_GETARG_DATUM(0));
	Entry	   *entry = entries ? hash_search(entries, &key, HASH_FIND, NULL) : NULL;
	StringInfoData out;

	initStringInfo(&out);
	if (entry == NULL)
		appendStringInfoString(&out, "not there any more");
	else if (entry->live->kind == LIVE_BOOK)
	{
		Book	   *book = (Book *) entry->live;

		appendStringInfo(&out, "book of %u payees, " UINT64_FORMAT " deals", book->payees.map.count, book->ndeals);
	}
	else
		appendStringInfoString(&out, kind_names[entry->live->kind]);
	PG_RETURN_CSTRING(out.data);
}
