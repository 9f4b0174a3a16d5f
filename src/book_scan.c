/*
 * book_scan.c
 *	  spm.book_deal() and spm.book_period() in FROM, as scans that hand on row
 *	  by row, and make only the columns that are asked for.
 *
 * The functions' support function is what the planner calls first, which
 * brings this module in, and with it the hook: nothing has to be preloaded.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "book_rows.h"
#include "book_scan.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(spm_book_support);

static set_rel_pathlist_hook_type previous_hook = NULL;

typedef struct RowScan
{
	CustomScanState css;
	Oid			function;
	bool		by_deal;
	List	   *args;			/* ExprStates */
	MemoryContext context;		/* of the reader */
	RowRoom		room;
	bool		is_begun;
	int			ncolumns;
	int			columns[SPM_DEAL_COLUMNS];
} RowScan;

/* -------------------------------------------------------------------- execution */

static TupleTableSlot *
next_row(ScanState *ss)
{
	RowScan    *scan = (RowScan *) ss;
	TupleTableSlot *slot = ss->ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (unlikely(!scan->is_begun))
	{
		ExprContext *econtext = ss->ps.ps_ExprContext;
		NullableDatum args[5];
		ListCell   *cell;

		foreach(cell, scan->args)
		{
			NullableDatum *arg = &args[foreach_current_index(cell)];

			arg->value = ExecEvalExprSwitchContext((ExprState *) lfirst(cell), econtext, &arg->isnull);
		}
		memset(&scan->room, 0, sizeof(scan->room));
		scan->room.reader = spm_rows_reader(args, scan->by_deal, scan->context);
		scan->is_begun = true;
	}
	if (scan->room.reader == NULL || !spm_reader_next(scan->room.reader))
		return slot;
	for (int i = 0; i < scan->ncolumns; i++)
		slot->tts_values[i] = spm_row_column(&scan->room, scan->columns[i], &slot->tts_isnull[i]);
	return ExecStoreVirtualTuple(slot);
}

static bool
recheck_row(ScanState *ss, TupleTableSlot *slot)
{
	return true;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	RowScan    *scan = (RowScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	ListCell   *cell;

	scan->function = linitial_oid(linitial(plan->custom_private));
	scan->by_deal = linitial_int(lsecond(plan->custom_private)) != 0;
	SPM_CHECK_EXECUTE(scan->function);
	scan->args = ExecInitExprList(plan->custom_exprs, &node->ss.ps);
	foreach(cell, lthird(plan->custom_private))
		scan->columns[scan->ncolumns++] = lfirst_int(cell);
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "spm reader", ALLOCSET_DEFAULT_SIZES);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck_row);
}

static void
end_scan(CustomScanState *node)
{
	MemoryContextDelete(((RowScan *) node)->context);
}

static void
rescan(CustomScanState *node)
{
	RowScan    *scan = (RowScan *) node;

	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	MemoryContextReset(scan->context);
	scan->is_begun = false;
	ExecScanReScan(&node->ss);
}

static CustomExecMethods exec_methods = {
	.CustomName = "spm book",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan
};

static Node *
create_state(CustomScan *plan)
{
	RowScan    *scan = (RowScan *) newNode(sizeof(RowScan), T_CustomScanState);

	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

static CustomScanMethods scan_methods = {
	.CustomName = "spm book",
	.CreateCustomScanState = create_state
};

/* -------------------------------------------------------------------- planning */

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	FuncExpr   *call = (FuncExpr *) ((RangeTblFunction *) linitial(rte->functions))->funcexpr;
	TupleDesc	tupdesc = get_expr_result_tupdesc((Node *) call, false);
	List	   *columns = NIL;
	Bitmapset  *attributes = NULL;
	List	   *quals = extract_actual_clauses(clauses, false);

	/* the list of columns may be replaced by another that makes something of the same */
	pull_varattnos((Node *) tlist, rel->relid, &attributes);
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &attributes);
	pull_varattnos((Node *) quals, rel->relid, &attributes);
	for (int i = 1; i <= tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i - 1);
		Var		   *var;

		if (!bms_is_member(i - FirstLowInvalidHeapAttributeNumber, attributes))
			continue;
		var = makeVar(rel->relid, i, attribute->atttypid, attribute->atttypmod, attribute->attcollation, 0);
		columns = lappend_int(columns, i);
		scan->custom_scan_tlist = lappend(scan->custom_scan_tlist,
										  makeTargetEntry((Expr *) var, list_length(columns), NULL, false));
	}
	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = quals;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_exprs = copyObject(call->args);
	scan->custom_private = list_make3(list_make1_oid(call->funcid),
									  copyObject(linitial(path->custom_private)), columns);
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

static CustomPathMethods path_methods = {
	.CustomName = "spm book",
	.PlanCustomPath = plan_scan
};

/* Which of the two functions this calls; false for any other. */
bool
spm_is_book_call(Node *expr, bool *by_deal)
{
	FuncExpr   *call = (FuncExpr *) expr;
	Oid			support;
	FmgrInfo	info;

	if (!IsA(expr, FuncExpr) || list_length(call->args) != 5)
		return false;
	support = get_func_support(call->funcid);
	if (!OidIsValid(support))
		return false;
	fmgr_info(support, &info);
	if (info.fn_addr != spm_book_support)
		return false;
	fmgr_info(call->funcid, &info);
	*by_deal = info.fn_addr == spm_book_deal;
	return *by_deal || info.fn_addr == spm_book_period;
}

static void
add_book_path(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	bool		by_deal;
	CustomPath *path;
	Bitmapset  *attributes = NULL;

	if (previous_hook)
		previous_hook(root, rel, rti, rte);
	if (rte->rtekind != RTE_FUNCTION || rte->funcordinality || list_length(rte->functions) != 1 ||
		rel->pathlist == NIL || IS_DUMMY_REL(rel) ||
		!spm_is_book_call(((RangeTblFunction *) linitial(rte->functions))->funcexpr, &by_deal))
		return;

	/* a row as a whole is left to the function, in a condition too */
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &attributes);
	pull_varattnos((Node *) extract_actual_clauses(rel->baserestrictinfo, false), rel->relid, &attributes);
	if (bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, attributes))
		return;
	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = get_baserel_parampathinfo(root, rel, rel->lateral_relids);
	path->path.parallel_safe = false;
	path->path.rows = rel->rows;
	path->path.startup_cost = ((Path *) linitial(rel->pathlist))->startup_cost;
	path->path.total_cost = path->path.startup_cost + rel->tuples * cpu_tuple_cost + rel->reltarget->cost.startup +
		rel->reltarget->cost.per_tuple * rel->rows;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make1(list_make1_int(by_deal));
	path->methods = &path_methods;
	rel->pathlist = NIL;
	add_path(rel, &path->path);
}

/*
 * spm._book_support(internal): what the planner asks about the functions and
 * aggregates of books.  It has nothing to say; being called is enough.
 */
Datum
spm_book_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

void
spm_book_scan_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = add_book_path;
}
