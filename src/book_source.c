/*
 * book_source.c
 *	  A book of any query's rows, taken from them without an expression for
 *	  each: SELECT spm.book(columns ...) FROM whatever, without GROUP BY.
 *
 * The node takes the place of the aggregate.  What is not a plain column, or
 * stands beside other aggregates, is left to that; both give the same book.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "book_add.h"
#include "book_scan.h"
#include "compat.h"

static create_upper_paths_hook_type previous_hook = NULL;

typedef struct SourceBook
{
	CustomScanState css;
	Oid			aggregate;
	bool		has_deals;
	int			columns[4];		/* payee, day, [deal,] amount: where in the child's rows, from 1 */
	Oid			types[4];
	int			last_column;
	Oid			periods_type;
	List	   *args;			/* ExprStates of periods and splits */
	bool		is_done;
} SourceBook;

/* -------------------------------------------------------------------- execution */

static bool
read_rows(SourceBook *scan, Book *book)
{
	PlanState  *child = (PlanState *) linitial(scan->css.custom_ps);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spm rows", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = CurrentMemoryContext;
	int			payee = scan->columns[0] - 1;
	int			day = scan->columns[1] - 1;
	int			deal = scan->has_deals ? scan->columns[2] - 1 : payee;
	int			amount = scan->columns[scan->has_deals ? 3 : 2] - 1;
	uint64		n = 0;

	for (;;)
	{
		TupleTableSlot *slot = ExecProcNode(child);

		if (TupIsNull(slot))
			break;
		if ((++n & 0x3f) == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(context);
		}
		slot_getsomeattrs(slot, scan->last_column);
		if (slot->tts_isnull[amount])
			continue;
		if (slot->tts_isnull[day] || (scan->has_deals && slot->tts_isnull[deal]))
			spm_book_refuse_null(slot->tts_isnull[day]);
		MemoryContextSwitchTo(context);
		spm_book_take(book, slot->tts_isnull[payee], slot->tts_values[payee],
					  DatumGetDateADT(slot->tts_values[day]), slot->tts_values[deal], slot->tts_values[amount]);
		MemoryContextSwitchTo(old);
	}
	MemoryContextDelete(context);
	return n > 0;
}

static TupleTableSlot *
next_book(ScanState *ss)
{
	SourceBook *scan = (SourceBook *) ss;
	TupleTableSlot *slot = ss->ss_ScanTupleSlot;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	Book	   *book;
	ListCell   *cell;

	ExecClearTuple(slot);
	if (scan->is_done)
		return slot;
	scan->is_done = true;
	foreach(cell, scan->args)
	{
		int			i = foreach_current_index(cell);

		values[i] = ExecEvalExprSwitchContext((ExprState *) lfirst(cell), ss->ps.ps_ExprContext, &nulls[i]);
	}
	if (nulls[0])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("periods of a book must not be null")));
	book = (Book *) spm_live_of(&ss->ps, LIVE_BOOK, sizeof(Book));
	spm_book_begin(book, scan->has_deals, scan->types[0], scan->types[2], scan->periods_type, values[0],
				   nulls[1] ? NULL : (Splits *) spm_live_find(values[1], LIVE_SPLITS));

	/* of no rows there is none, as from the aggregate */
	slot->tts_isnull[0] = !read_rows(scan, book);
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
	SourceBook *scan = (SourceBook *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	Aggref	   *call = (Aggref *) ((TargetEntry *) linitial(plan->custom_scan_tlist))->expr;
	ListCell   *cell;

	scan->aggregate = call->aggfnoid;
	SPM_CHECK_EXECUTE(scan->aggregate);
	foreach(cell, plan->custom_private)
	{
		int			i = foreach_current_index(cell);

		scan->columns[i] = lfirst_int(cell);
		scan->types[i] = exprType((Node *) ((TargetEntry *) list_nth(call->args, i))->expr);
		scan->last_column = Max(scan->last_column, scan->columns[i]);
	}
	scan->has_deals = list_length(plan->custom_private) == 4;
	scan->periods_type = exprType(linitial(plan->custom_exprs));
	scan->args = ExecInitExprList(plan->custom_exprs, &node->ss.ps);
	node->custom_ps = list_make1(ExecInitNode(linitial(plan->custom_plans), estate, eflags));
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_book, recheck_book);
}

static void
end_scan(CustomScanState *node)
{
	ExecEndNode(linitial(node->custom_ps));
}

static void
rescan(CustomScanState *node)
{
	PlanState  *child = linitial(node->custom_ps);

	((SourceBook *) node)->is_done = false;
	ExecScanReScan(&node->ss);
	if (node->ss.ps.chgParam != NULL)
		UpdateChangedParamSet(child, node->ss.ps.chgParam);
	if (child->chgParam == NULL)
		ExecReScan(child);
}

static CustomExecMethods exec_methods = {
	.CustomName = "spm book of rows",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan
};

static Node *
create_state(CustomScan *plan)
{
	SourceBook *scan = (SourceBook *) newNode(sizeof(SourceBook), T_CustomScanState);

	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

static CustomScanMethods scan_methods = {
	.CustomName = "spm book of rows",
	.CreateCustomScanState = create_state
};

/* -------------------------------------------------------------------- planning */

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Aggref	   *call = linitial_node(Aggref, rel->reltarget->exprs);
	Plan	   *child = linitial(plans);
	int			ncolumns = linitial_int(path->custom_private);

	/* a scan of a table hands on its tuples as they are, if nobody asks for less */
	if (IsA(child, SeqScan))
	{
		List	   *physical = build_physical_tlist(root, find_base_rel(root, ((Scan *) child)->scanrelid));

		if (physical != NIL)
			child->targetlist = physical;
	}
	for (int i = 0; i < list_length(call->args); i++)
	{
		Expr	   *arg = ((TargetEntry *) list_nth(call->args, i))->expr;
		TargetEntry *entry;

		if (i >= ncolumns)
		{
			scan->custom_exprs = lappend(scan->custom_exprs, copyObject(arg));
			continue;
		}
		entry = tlist_member((Expr *) strip_implicit_coercions((Node *) arg), child->targetlist);
		if (entry == NULL)
			elog(ERROR, "a column of the book is not among those of its source");
		scan->custom_private = lappend_int(scan->custom_private, entry->resno);
	}
	scan->scan.plan.targetlist = tlist;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_plans = plans;
	scan->custom_scan_tlist = list_make1(makeTargetEntry((Expr *) copyObject(call), 1, NULL, false));
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

static CustomPathMethods path_methods = {
	.CustomName = "spm book of rows",
	.PlanCustomPath = plan_scan
};

static void
add_source_path(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra)
{
	Query	   *parse = root->parse;
	Aggref	   *call;
	bool		has_deals;
	Path	   *source;
	CustomPath *path;
	int			ncolumns;

	if (previous_hook)
		previous_hook(root, stage, input, output, extra);
	if (stage != UPPERREL_GROUP_AGG || parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->havingQual != NULL || parse->hasTargetSRFs || list_length(output->reltarget->exprs) != 1 ||
		IS_DUMMY_REL(input) || !spm_is_plain_book(linitial(output->reltarget->exprs), 0, &has_deals))
		return;
	call = linitial_node(Aggref, output->reltarget->exprs);
	ncolumns = has_deals ? 4 : 3;
	source = input->cheapest_total_path;

	/* all columns must be among what the source gives */
	for (int i = 0; i < ncolumns; i++)
	{
		Node	   *arg = strip_implicit_coercions((Node *) ((TargetEntry *) list_nth(call->args, i))->expr);

		if (!list_member(source->pathtarget->exprs, arg))
			return;
	}
	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = output;
	path->path.pathtarget = output->reltarget;
	path->path.rows = 1;
	path->path.startup_cost = source->total_cost + source->rows * cpu_operator_cost;
	path->path.total_cost = path->path.startup_cost + cpu_tuple_cost;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(source);
	path->custom_private = list_make1_int(ncolumns);
	path->methods = &path_methods;
	add_path(output, &path->path);
}

void
spm_book_source_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = add_source_path;
}
