/*
 * book_heap.c
 *	  A book of a whole table, read from its pages without the executor.
 *
 * SELECT spm.book(column, ...) FROM table, without a condition, is planned as
 * one scan that takes what it needs from each tuple.  Everything else (views
 * that do more, joins, conditions, partitions, row security) goes through the
 * aggregate.  Both give the same book.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "book_add.h"
#include "book_scan.h"
#include "compat.h"

static create_upper_paths_hook_type previous_hook = NULL;

/* The columns of a row, in the order of the arguments; there are four at most. */
typedef enum Part
{
	PART_PAYEE,
	PART_DAY,
	PART_DEAL,
	PART_AMOUNT,
	PART_COUNT
} Part;

typedef struct TableBook
{
	CustomScanState css;
	Oid			aggregate;
	bool		has_deals;
	Oid			periods_type;
	Index		rti;
	AttrNumber	columns[PART_COUNT];	/* 0: not there */
	Oid			types[PART_COUNT];
	AttrNumber	last_column;
	List	   *args;			/* ExprStates of periods and splits */
	Relation	relation;
	bool		is_done;

	/* where columns lie in a tuple without nulls; -1: one before it varies */
	int			offsets[PART_COUNT];
	bool		has_offsets;
} TableBook;

/* ---------------------------------------------------------------- reading tuples */

/* What can be said of the offsets beforehand. */
static void
find_offsets(TableBook *scan)
{
	TupleDesc	tupdesc = RelationGetDescr(scan->relation);
	int			offset = 0;

	scan->has_offsets = true;
	for (int p = 0; p < PART_COUNT; p++)
		scan->offsets[p] = -1;
	for (int i = 0; i < scan->last_column; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attlen > 0)
			offset = att_align_nominal(offset, attribute->attalign);
		else if (attribute->attlen != -1 || offset != att_align_nominal(offset, attribute->attalign))
			break;
		for (int p = 0; p < PART_COUNT; p++)
		{
			if (scan->columns[p] == i + 1)
				scan->offsets[p] = offset;
		}
		if (attribute->attlen < 0)
			break;
		offset += attribute->attlen;
	}
	for (int p = 0; p < PART_COUNT; p++)
	{
		if (scan->columns[p] != 0 && scan->offsets[p] < 0)
			scan->has_offsets = false;
	}
}

/* Any tuple, column by column. */
static void
walk_tuple(TableBook *scan, HeapTupleHeader tuple, Datum *values, bool *nulls)
{
	TupleDesc	tupdesc = RelationGetDescr(scan->relation);
	int			natts = Min(HeapTupleHeaderGetNatts(tuple), scan->last_column);
	bool		has_nulls = (tuple->t_infomask & HEAP_HASNULL) != 0;
	char	   *data = (char *) tuple + tuple->t_hoff;
	uint32		offset = 0;
	Datum		value;
	bool		is_null;

	for (int i = 0; i < scan->last_column; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (i >= natts)
			value = getmissingattr(tupdesc, i + 1, &is_null);
		else if (has_nulls && att_isnull(i, tuple->t_bits))
		{
			is_null = true;
			value = (Datum) 0;
		}
		else
		{
			is_null = false;
			if (attribute->attlen == -1)
				offset = att_align_pointer(offset, attribute->attalign, -1, data + offset);
			else
				offset = att_align_nominal(offset, attribute->attalign);
			value = fetchatt(attribute, data + offset);
			offset = att_addlength_pointer(offset, attribute->attlen, data + offset);
		}
		for (int p = 0; p < PART_COUNT; p++)
		{
			if (scan->columns[p] == i + 1)
			{
				values[p] = value;
				nulls[p] = is_null;
			}
		}
	}
}

static void
take_row(TableBook *scan, Book *book, const Datum *values, const bool *nulls)
{
	if (nulls[PART_AMOUNT])
		return;
	if (nulls[PART_DAY] || (scan->has_deals && nulls[PART_DEAL]))
		spm_book_refuse_null(nulls[PART_DAY]);
	spm_book_take(book, nulls[PART_PAYEE], values[PART_PAYEE], DatumGetDateADT(values[PART_DAY]),
				  values[PART_DEAL], values[PART_AMOUNT]);
}

static inline Datum
key_at(const char *data, Oid type, int offset)
{
	switch (type)
	{
		case INT8OID:
			return Int64GetDatum(*(const int64 *) (data + offset));
		case INT4OID:
			return Int32GetDatum(*(const int32 *) (data + offset));
		case INT2OID:
			return Int16GetDatum(*(const int16 *) (data + offset));
		default:
			return PointerGetDatum(data + offset);
	}
}

static inline void
take_tuple(TableBook *scan, Book *book, HeapTupleHeader tuple)
{
	if (likely(scan->has_offsets && !(tuple->t_infomask & HEAP_HASNULL) &&
			   HeapTupleHeaderGetNatts(tuple) >= scan->last_column))
	{
		const char *data = (const char *) tuple + tuple->t_hoff;

		spm_book_take(book, false, key_at(data, scan->types[PART_PAYEE], scan->offsets[PART_PAYEE]),
					  *(const DateADT *) (data + scan->offsets[PART_DAY]),
					  scan->has_deals ? key_at(data, scan->types[PART_DEAL], scan->offsets[PART_DEAL]) : (Datum) 0,
					  PointerGetDatum(data + scan->offsets[PART_AMOUNT]));
	}
	else
	{
		Datum		values[PART_COUNT] = {0};
		bool		nulls[PART_COUNT] = {0};

		walk_tuple(scan, tuple, values, nulls);
		take_row(scan, book, values, nulls);
	}
}

/* From the first page to the last, as they were written; whether there was any row. */
static bool
read_table(TableBook *scan, Book *book, EState *estate)
{
	TableScanDesc desc = table_beginscan_strat(scan->relation, estate->es_snapshot, 0, NULL, true, false);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spm rows", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

#ifdef SPM_HEAP_PAGE
	HeapScanDesc heap = (HeapScanDesc) desc;
	bool		any = false;

	for (BlockNumber block = 0; block < heap->rs_nblocks; block++)
	{
		Page		page;

		SPM_HEAP_PAGE(desc, block);
		page = BufferGetPage(heap->rs_cbuf);
		any |= heap->rs_ntuples > 0;
		for (int i = 0; i < heap->rs_ntuples; i++)
		{
			ItemId		item = PageGetItemId(page, heap->rs_vistuples[i]);

			pgstat_count_heap_getnext(scan->relation);
			take_tuple(scan, book, (HeapTupleHeader) PageGetItem(page, item));
		}
		MemoryContextReset(context);
	}
#else
	HeapTuple	tuple;
	uint64		n = 0;
	bool		any;

	while ((tuple = heap_getnext(desc, ForwardScanDirection)) != NULL)
	{
		if ((++n & 0x3f) == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(context);
		}
		take_tuple(scan, book, tuple->t_data);
	}
	any = n > 0;
#endif
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	table_endscan(desc);
	return any;
}

/* -------------------------------------------------------------------- execution */

static TupleTableSlot *
next_book(ScanState *ss)
{
	TableBook  *scan = (TableBook *) ss;
	TupleTableSlot *slot = ss->ss_ScanTupleSlot;
	ExprContext *econtext = ss->ps.ps_ExprContext;
	EState	   *estate = ss->ps.state;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	bool		has_splits = list_length(scan->args) > 1;
	Book	   *book;
	ListCell   *cell;

	ExecClearTuple(slot);
	if (scan->is_done)
		return slot;
	scan->is_done = true;
	foreach(cell, scan->args)
	{
		int			i = foreach_current_index(cell);

		values[i] = ExecEvalExprSwitchContext((ExprState *) lfirst(cell), econtext, &nulls[i]);
	}
	if (nulls[0])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("periods of a book must not be null")));
	book = (Book *) spm_live_of(&ss->ps, LIVE_BOOK, sizeof(Book));
	spm_book_begin(book, scan->has_deals, scan->types[PART_PAYEE], scan->types[PART_DEAL], scan->periods_type,
				   values[0], has_splits && !nulls[1] ? (Splits *) spm_live_find(values[1], LIVE_SPLITS) : NULL);

	/* of an empty table there is none, as from the aggregate */
	slot->tts_isnull[0] = !read_table(scan, book, estate);
	spm_book_finish(book);
	slot->tts_values[0] = UInt64GetDatum(book->live.id);
	return ExecStoreVirtualTuple(slot);
}

static bool
recheck_book(ScanState *ss, TupleTableSlot *slot)
{
	return true;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	TableBook  *scan = (TableBook *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	Aggref	   *call = (Aggref *) ((TargetEntry *) linitial(plan->custom_scan_tlist))->expr;
	int			part = 0;
	ListCell   *cell;

	scan->aggregate = call->aggfnoid;
	scan->has_deals = linitial_int(plan->custom_private) != 0;
	SPM_CHECK_EXECUTE(scan->aggregate);
	foreach(cell, call->args)
	{
		Node	   *arg = strip_implicit_coercions((Node *) ((TargetEntry *) lfirst(cell))->expr);

		if (part == PART_DEAL && !scan->has_deals)
			part++;
		if (part < PART_COUNT)
		{
			Var		   *var = castNode(Var, arg);

			scan->rti = var->varno;
			scan->columns[part] = var->varattno;
			scan->types[part] = getBaseType(var->vartype);
			scan->last_column = Max(scan->last_column, var->varattno);
		}
		else if (part == PART_COUNT)
			scan->periods_type = exprType(arg);
		part++;
	}
	scan->args = ExecInitExprList(plan->custom_exprs, &node->ss.ps);
	scan->relation = ExecOpenScanRelation(estate, scan->rti, eflags);
	find_offsets(scan);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_book, recheck_book);
}

static void
end_scan(CustomScanState *node)
{
	/* the executor closes the relation */
}

static void
rescan(CustomScanState *node)
{
	((TableBook *) node)->is_done = false;
	ExecScanReScan(&node->ss);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	ExplainPropertyText("Table", RelationGetRelationName(((TableBook *) node)->relation), es);
}

static CustomExecMethods exec_methods = {
	.CustomName = "spm book of a table",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain
};

static Node *
create_state(CustomScan *plan)
{
	TableBook  *scan = (TableBook *) newNode(sizeof(TableBook), T_CustomScanState);

	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

static CustomScanMethods scan_methods = {
	.CustomName = "spm book of a table",
	.CreateCustomScanState = create_state
};

/* -------------------------------------------------------------------- planning */

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Aggref	   *call = linitial_node(Aggref, rel->reltarget->exprs);
	bool		has_deals = linitial_int(path->custom_private) != 0;

	scan->scan.plan.targetlist = tlist;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_scan_tlist = list_make1(makeTargetEntry((Expr *) copyObject(call), 1, NULL, false));
	for (int i = has_deals ? 4 : 3; i < list_length(call->args); i++)
		scan->custom_exprs = lappend(scan->custom_exprs,
									 copyObject(((TargetEntry *) list_nth(call->args, i))->expr));
	scan->custom_private = list_make1_int(has_deals);
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

static CustomPathMethods path_methods = {
	.CustomName = "spm book of a table",
	.PlanCustomPath = plan_scan
};

/* Whether this is spm.book() over plain columns, of one table or (0) of any. */
bool
spm_is_plain_book(Node *expr, Index relid, bool *has_deals)
{
	Aggref	   *call = (Aggref *) expr;
	HeapTuple	tuple;
	Oid			transition;
	FmgrInfo	info;
	int			ncolumns;

	if (!IsA(expr, Aggref) || call->aggfilter != NULL || call->aggorder != NIL || call->aggdistinct != NIL ||
		call->aggsplit != AGGSPLIT_SIMPLE || call->agglevelsup != 0)
		return false;
	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(call->aggfnoid));
	if (!HeapTupleIsValid(tuple))
		return false;
	transition = ((Form_pg_aggregate) GETSTRUCT(tuple))->aggtransfn;
	ReleaseSysCache(tuple);
	if (!OidIsValid(get_func_support(transition)))
		return false;
	fmgr_info(transition, &info);
	*has_deals = info.fn_addr == spm_book_add_deal;
	if (!*has_deals && info.fn_addr != spm_book_add_amount)
		return false;
	ncolumns = *has_deals ? 4 : 3;
	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *arg = (Node *) ((TargetEntry *) list_nth(call->args, i))->expr;

		if (i >= ncolumns)
		{
			if (!IsA(arg, Const) && !IsA(arg, Param))
				return false;
			continue;
		}
		arg = strip_implicit_coercions(arg);
		if (!IsA(arg, Var) || (relid != 0 && ((Var *) arg)->varno != relid) || ((Var *) arg)->varattno <= 0 ||
			exprType(arg) != exprType((Node *) ((TargetEntry *) list_nth(call->args, i))->expr))
			return false;
	}
	return true;
}

static void
add_table_path(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra)
{
	Query	   *parse = root->parse;
	RangeTblEntry *rte;
	Relation	relation;
	bool		is_heap;
	bool		has_deals;
	CustomPath *path;

	if (previous_hook)
		previous_hook(root, stage, input, output, extra);
	if (stage != UPPERREL_GROUP_AGG || parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->havingQual != NULL || list_length(output->reltarget->exprs) != 1 ||
		input->reloptkind != RELOPT_BASEREL || input->rtekind != RTE_RELATION ||
		input->baserestrictinfo != NIL || IS_DUMMY_REL(input))
		return;
	rte = planner_rt_fetch(input->relid, root);
	if (rte->inh || rte->tablesample != NULL || rte->securityQuals != NIL ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW) ||
		!spm_is_plain_book(linitial(output->reltarget->exprs), input->relid, &has_deals))
		return;
	relation = table_open(rte->relid, NoLock);
	is_heap = relation->rd_tableam == GetHeapamTableAmRoutine();
	table_close(relation, NoLock);
	if (!is_heap)
		return;

	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = output;
	path->path.pathtarget = output->reltarget;
	path->path.rows = 1;
	path->path.startup_cost = input->pages * seq_page_cost + input->tuples * cpu_tuple_cost;
	path->path.total_cost = path->path.startup_cost + cpu_tuple_cost;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make1_int(has_deals);
	path->methods = &path_methods;
	add_path(output, &path->path);
}

void
spm_book_heap_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = add_table_path;
}
