/*
 * append.c
 *	  The rows of a query into a table, in bulk.
 *
 * INSERT ... SELECT puts rows in one by one: each takes its own lock on a
 * page and its own WAL record.  Here they are gathered and go in a page at a
 * time, as COPY does it.  Defaults, generated columns, NOT NULL and CHECK hold
 * as ever; our own triggers do not fire and foreign keys are not looked at, so
 * this is for rows that the caller has just made out of what they refer to,
 * under locks that keep it.  Where somebody has put triggers or row-level
 * security on the table, rows are inserted after all.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "compat.h"
#include "progress.h"

#define BATCH_ROWS 1000
#define BATCH_BYTES 65536

typedef struct Appender
{
	DestReceiver pub;
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *result;
	int		   *from;			/* which column of the query, for each of the table; -1: its default */
	ExprState **defaults;
	TupleTableSlot **slots;
	int			used;
	Size		bytes;
	CommandId	command;
	int			options;
	int64		appended;
} Appender;

static void
flush(Appender *a)
{
	if (a->used == 0)
		return;
	/* what the table toasts is gone with the batch */
	ResetPerTupleExprContext(a->estate);
	MemoryContextSwitchTo(GetPerTupleMemoryContext(a->estate));
	table_multi_insert(a->relation, a->slots, a->used, a->command, a->options, NULL);
	MemoryContextSwitchTo(a->estate->es_query_cxt);

	for (int i = 0; i < a->used; i++)
	{
		if (a->result->ri_NumIndices > 0)
			list_free(SPM_INSERT_INDEX_TUPLES(a->result, a->slots[i], a->estate));
		ExecClearTuple(a->slots[i]);
	}
	a->appended += a->used;
	a->used = 0;
	a->bytes = 0;
	spm_progress_update(a->appended);
}

static bool
receive(TupleTableSlot *row, DestReceiver *self)
{
	Appender   *a = (Appender *) self;
	TupleDesc	desc = RelationGetDescr(a->relation);
	TupleTableSlot *slot;
	MemoryContext old = MemoryContextSwitchTo(a->estate->es_query_cxt);

	CHECK_FOR_INTERRUPTS();
	if (a->slots[a->used] == NULL)
		a->slots[a->used] = table_slot_create(a->relation, NULL);
	slot = a->slots[a->used];
	slot_getallattrs(row);
	ResetPerTupleExprContext(a->estate);
	for (int i = 0; i < desc->natts; i++)
	{
		if (a->from[i] >= 0)
		{
			slot->tts_values[i] = row->tts_values[a->from[i]];
			slot->tts_isnull[i] = row->tts_isnull[a->from[i]];
		}
		else if (a->defaults[i] != NULL)
			slot->tts_values[i] = ExecEvalExprSwitchContext(a->defaults[i], GetPerTupleExprContext(a->estate), &slot->tts_isnull[i]);
		else
		{
			slot->tts_values[i] = (Datum) 0;
			slot->tts_isnull[i] = true;
		}
	}
	ExecStoreVirtualTuple(slot);
	if (desc->constr && desc->constr->has_generated_stored)
		ExecComputeStoredGenerated(a->result, a->estate, slot, CMD_INSERT);
	if (desc->constr)
		ExecConstraints(a->result, slot, a->estate);
	if (a->relation->rd_rel->relispartition)
		ExecPartitionCheck(a->result, slot, a->estate, true);
	/* the values are the query's, and only until its next row */
	ExecMaterializeSlot(slot);
	a->bytes += ExecFetchSlotHeapTuple(slot, true, NULL)->t_len;
	if (++a->used == BATCH_ROWS || a->bytes >= BATCH_BYTES)
		flush(a);
	MemoryContextSwitchTo(old);
	return true;
}

/* Columns go by name; what the query does not give is the default. */
static void
startup(DestReceiver *self, int operation, TupleDesc given)
{
	Appender   *a = (Appender *) self;
	TupleDesc	desc = RelationGetDescr(a->relation);
	MemoryContext old = MemoryContextSwitchTo(a->estate->es_query_cxt);
	int			taken = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		a->from[i] = -1;
		if (att->attisdropped)
			continue;
		for (int j = 0; j < given->natts; j++)
		{
			Form_pg_attribute column = TupleDescAttr(given, j);

			if (strcmp(NameStr(column->attname), NameStr(att->attname)) != 0)
				continue;
			if (column->atttypid != att->atttypid)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("column \"%s\" of \"%s\" is of type %s, but the query gives %s",
								NameStr(att->attname), RelationGetRelationName(a->relation),
								format_type_be(att->atttypid), format_type_be(column->atttypid))));
			a->from[i] = j;
			taken++;
			break;
		}
		if (a->from[i] < 0 && att->attgenerated == '\0')
		{
			Expr	   *value = (Expr *) build_column_default(a->relation, i + 1);

			if (value)
				a->defaults[i] = ExecInitExpr(expression_planner(value), NULL);
		}
	}
	if (taken < given->natts)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query gives columns that \"%s\" does not have", RelationGetRelationName(a->relation))));
	a->command = GetCurrentCommandId(true);
	MemoryContextSwitchTo(old);
}

static void
shutdown(DestReceiver *self)
{
	Appender   *a = (Appender *) self;
	MemoryContext old = MemoryContextSwitchTo(a->estate->es_query_cxt);

	flush(a);
	MemoryContextSwitchTo(old);
}

static void
destroy(DestReceiver *self)
{
}

/* A partition has the rights of the table that it is part of, and its rules. */
static Oid
whole_of(Relation relation)
{
	Oid			id = RelationGetRelid(relation);

	return relation->rd_rel->relispartition ? llast_oid(get_partition_ancestors(id)) : id;
}

static bool
has_foreign_trigger(Oid id, Oid our_schema)
{
	Relation	relation = table_open(id, AccessShareLock);
	bool		found = false;

	for (int i = 0; relation->trigdesc != NULL && i < relation->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &relation->trigdesc->triggers[i];

		found |= !trigger->tgisinternal && TRIGGER_FOR_INSERT(trigger->tgtype) &&
			trigger->tgenabled != TRIGGER_DISABLED && get_func_namespace(trigger->tgfoid) != our_schema;
	}
	table_close(relation, AccessShareLock);
	return found;
}

/* What somebody else wants to see of each row, row by row. */
static int64
insert(Oid whole, const char *query)
{
	StringInfoData command;
	SPIPlanPtr	plan;
	TupleDesc	given;
	int64		n;

	initStringInfo(&command);
	SPI_connect();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("only the rows of a SELECT can be appended")));
	given = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	appendStringInfo(&command, "INSERT INTO %s (",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(whole)), get_rel_name(whole)));
	for (int i = 0; i < given->natts; i++)
		appendStringInfo(&command, "%s%s", i > 0 ? ", " : "", quote_identifier(NameStr(TupleDescAttr(given, i)->attname)));
	appendStringInfo(&command, ") %s", query);
	if (SPI_execute(command.data, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(SPI_result));
	n = SPI_processed;
	SPI_finish();
	return n;
}

PG_FUNCTION_INFO_V1(spm_append);

/* spm._append(relation regclass, query text) */
Datum
spm_append(PG_FUNCTION_ARGS)
{
	Oid			id = PG_GETARG_OID(0);
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Appender   *a = palloc0(sizeof(Appender));
	SPIExecuteOptions options = {0};
	SPIPlanPtr	plan;
	int			natts;
	Oid			whole;
	MemoryContext old;

	a->relation = table_open(id, RowExclusiveLock);
	if (a->relation->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(a->relation))));
	whole = whole_of(a->relation);
	if (pg_class_aclcheck(whole, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(whole));
	if (check_enable_rls(whole, InvalidOid, false) == RLS_ENABLED ||
		has_foreign_trigger(whole, get_func_namespace(fcinfo->flinfo->fn_oid)))
	{
		table_close(a->relation, NoLock);
		PG_RETURN_INT64(insert(whole, query));
	}
	natts = RelationGetNumberOfAttributes(a->relation);

	a->pub.receiveSlot = receive;
	a->pub.rStartup = startup;
	a->pub.rShutdown = shutdown;
	a->pub.rDestroy = destroy;
	a->pub.mydest = DestTransientRel;
	a->estate = CreateExecutorState();
	old = MemoryContextSwitchTo(a->estate->es_query_cxt);
	a->from = palloc(natts * sizeof(int));
	a->defaults = palloc0(natts * sizeof(ExprState *));
	a->slots = palloc0(BATCH_ROWS * sizeof(TupleTableSlot *));
	a->result = makeNode(ResultRelInfo);
	InitResultRelInfo(a->result, a->relation, 0, NULL, 0);
	ExecOpenIndices(a->result, false);
	/* a table of this transaction has no holes that somebody else might fill */
	if (a->relation->rd_createSubid != InvalidSubTransactionId || SPM_FIRST_FILE(a->relation) != InvalidSubTransactionId)
		a->options = TABLE_INSERT_SKIP_FSM;
	MemoryContextSwitchTo(old);

	SPI_connect();
	/* not in parallel: workers would forbid nextval(), and writing is most of the work */
	plan = SPI_prepare_cursor(query, 0, NULL, 0);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	options.dest = &a->pub;
	if (SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("only the rows of a SELECT can be appended")));
	SPI_finish();

	ExecCloseIndices(a->result);
	table_finish_bulk_insert(a->relation, a->options);
	for (int i = 0; i < BATCH_ROWS && a->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(a->slots[i]);
	FreeExecutorState(a->estate);
	table_close(a->relation, NoLock);
	PG_RETURN_INT64(a->appended);
}
