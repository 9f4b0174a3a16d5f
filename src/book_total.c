/*
 * book_total.c
 *	  Totals of a book's rows: count and sum without GROUP BY, added up where
 *	  the rows are made, as integers.
 *
 * SELECT count(*), sum(commission) FROM spm.book_deal(...) asks for every
 * deal's commission but shows none: no row needs to be handed on.
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "book_rows.h"
#include "book_scan.h"
#include "compat.h"

static create_upper_paths_hook_type previous_hook = NULL;

#define MAX_TOTALS	8

/* What is added up; columns as in the rows, 0 for count(*). */
typedef enum Value
{
	VALUE_ROWS,
	VALUE_AMOUNT,
	VALUE_TOTAL,
	VALUE_COMMISSION
} Value;

typedef struct Total
{
	Value		value;
	bool		is_sum;			/* or a count */
	int64		count;			/* of values that are not null */
	bool		any_int;
	int128		sum;
	Numeric		wide;
} Total;

typedef struct TotalScan
{
	CustomScanState css;
	Oid			function;
	bool		by_deal;
	List	   *args;			/* ExprStates */
	MemoryContext context;
	int			ntotals;
	Total		totals[MAX_TOTALS];
	bool		is_done;
} TotalScan;

/* -------------------------------------------------------------------- execution */

static void
add_wide(TotalScan *scan, Total *total, Numeric value)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	if (total->wide == NULL)
		total->wide = spm_copy_numeric(scan->context, value);
	else
	{
		Numeric		before = total->wide;

		total->wide = dec_add(before, value);
		pfree(before);
	}
	MemoryContextSwitchTo(old);
}

static void
add_batch(TotalScan *scan, const Reader *reader, Total *total)
{
	const int64 *values = total->value == VALUE_AMOUNT ? reader->amounts :
		total->value == VALUE_TOTAL ? reader->totals : reader->commissions;
	Numeric const *wide = total->value == VALUE_AMOUNT ? reader->wide_amounts :
		total->value == VALUE_TOTAL ? reader->wide_totals : reader->wide_commissions;
	int			n = reader->n;

	if (total->value == VALUE_ROWS)
	{
		total->count += n;
		return;
	}
	for (int i = 0; i < n; i++)
	{
		if (likely(reader->states[i] == ROW_INT) ||
			(reader->states[i] == ROW_UNRATED && total->value != VALUE_COMMISSION))
		{
			total->sum += values[i];
			total->any_int = true;
			total->count++;
		}
		else if (reader->states[i] == ROW_WIDE && wide[i] != NULL)
		{
			if (total->is_sum)
				add_wide(scan, total, wide[i]);
			total->count++;
		}
	}
}

/* With as many decimals as sum() over the rows would have. */
static Datum
sum_of(const Reader *reader, const Total *total, bool *is_null)
{
	bool		is_money = total->value != VALUE_COMMISSION;
	SpmInt128	unit = spmk_pow10(18);
	int			scale;
	Dec			sum;

	*is_null = total->count == 0;
	if (*is_null)
		return (Datum) 0;
	scale = is_money ? reader->book->scale : reader->places;
	if (!total->any_int)
		return NumericGetDatum(total->wide);
	sum = dec_from_int((int64) (total->sum % unit), scale);
	if (total->sum / unit != 0)
		sum = dec_add(sum, dec_mul(dec_from_int((int64) (total->sum / unit), scale), int64_to_numeric((int64) unit)));
	if (is_money && reader->book->shown != scale)
		sum = DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(sum),
												  Int32GetDatum(reader->book->shown)));
	if (total->wide != NULL)
		sum = dec_add(sum, total->wide);
	return NumericGetDatum(sum);
}

static TupleTableSlot *
next_totals(ScanState *ss)
{
	TotalScan  *scan = (TotalScan *) ss;
	TupleTableSlot *slot = ss->ss_ScanTupleSlot;
	ExprContext *econtext = ss->ps.ps_ExprContext;
	NullableDatum args[5];
	Reader	   *reader;
	ListCell   *cell;

	ExecClearTuple(slot);
	if (scan->is_done)
		return slot;
	scan->is_done = true;
	foreach(cell, scan->args)
	{
		NullableDatum *arg = &args[foreach_current_index(cell)];

		arg->value = ExecEvalExprSwitchContext((ExprState *) lfirst(cell), econtext, &arg->isnull);
	}
	for (int i = 0; i < scan->ntotals; i++)
	{
		scan->totals[i].count = 0;
		scan->totals[i].any_int = false;
		scan->totals[i].sum = 0;
		scan->totals[i].wide = NULL;
	}
	reader = spm_rows_reader(args, scan->by_deal, scan->context);
	while (reader != NULL && spm_reader_fill(reader))
	{
		for (int i = 0; i < scan->ntotals; i++)
			add_batch(scan, reader, &scan->totals[i]);
	}
	for (int i = 0; i < scan->ntotals; i++)
	{
		const Total *total = &scan->totals[i];

		slot->tts_isnull[i] = false;
		if (!total->is_sum)
			slot->tts_values[i] = Int64GetDatum(total->count);
		else
		{
			MemoryContext old = MemoryContextSwitchTo(scan->context);

			slot->tts_values[i] = sum_of(reader, total, &slot->tts_isnull[i]);
			MemoryContextSwitchTo(old);
		}
	}
	return ExecStoreVirtualTuple(slot);
}

static bool
recheck_totals(ScanState *ss, TupleTableSlot *slot)
{
	return true;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	TotalScan  *scan = (TotalScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	ListCell   *cell;

	scan->function = linitial_oid(linitial(plan->custom_private));
	SPM_CHECK_EXECUTE(scan->function);
	foreach(cell, plan->custom_scan_tlist)
		SPM_CHECK_EXECUTE(((Aggref *) ((TargetEntry *) lfirst(cell))->expr)->aggfnoid);
	scan->by_deal = linitial_int(lsecond(plan->custom_private)) != 0;
	foreach(cell, lthird(plan->custom_private))
	{
		int			code = lfirst_int(cell);

		scan->totals[scan->ntotals].value = code / 2;
		scan->totals[scan->ntotals++].is_sum = code % 2 != 0;
	}
	scan->args = ExecInitExprList(plan->custom_exprs, &node->ss.ps);
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "spm totals", ALLOCSET_DEFAULT_SIZES);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_totals, recheck_totals);
}

static void
end_scan(CustomScanState *node)
{
	MemoryContextDelete(((TotalScan *) node)->context);
}

static void
rescan(CustomScanState *node)
{
	TotalScan  *scan = (TotalScan *) node;

	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	MemoryContextReset(scan->context);
	scan->is_done = false;
	ExecScanReScan(&node->ss);
}

static CustomExecMethods exec_methods = {
	.CustomName = "spm book totals",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan
};

static Node *
create_state(CustomScan *plan)
{
	TotalScan  *scan = (TotalScan *) newNode(sizeof(TotalScan), T_CustomScanState);

	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

static CustomScanMethods scan_methods = {
	.CustomName = "spm book totals",
	.CreateCustomScanState = create_state
};

/* -------------------------------------------------------------------- planning */

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	FuncExpr   *call = linitial_node(FuncExpr, path->custom_private);
	ListCell   *cell;

	scan->scan.plan.targetlist = tlist;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	foreach(cell, rel->reltarget->exprs)
		scan->custom_scan_tlist = lappend(scan->custom_scan_tlist,
										  makeTargetEntry((Expr *) copyObject(lfirst(cell)),
														  foreach_current_index(cell) + 1, NULL, false));
	scan->custom_exprs = copyObject(call->args);
	scan->custom_private = list_make3(list_make1_oid(call->funcid), lsecond(path->custom_private),
									  lthird(path->custom_private));
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

static CustomPathMethods path_methods = {
	.CustomName = "spm book totals",
	.PlanCustomPath = plan_scan
};

/* A count or sum that is added up here: two times its value, one more for a sum; -1: no. */
static int
total_code(Node *expr, Index relid, bool by_deal)
{
	Aggref	   *call = (Aggref *) expr;
	Var		   *var;
	Value		value;

	if (!IsA(expr, Aggref) || call->aggfilter != NULL || call->aggorder != NIL || call->aggdistinct != NIL ||
		call->aggsplit != AGGSPLIT_SIMPLE || call->agglevelsup != 0)
		return -1;
	if (call->aggfnoid == F_COUNT_)
		return VALUE_ROWS * 2;
	if ((call->aggfnoid != F_SUM_NUMERIC && call->aggfnoid != F_COUNT_ANY) || list_length(call->args) != 1)
		return -1;
	var = (Var *) ((TargetEntry *) linitial(call->args))->expr;
	if (!IsA(var, Var) || var->varno != relid || var->vartype != NUMERICOID)
		return -1;
	if (by_deal)
		value = var->varattno == 8 ? VALUE_AMOUNT : var->varattno == 9 ? VALUE_TOTAL : VALUE_COMMISSION;
	else
		value = var->varattno == 6 ? VALUE_TOTAL : VALUE_COMMISSION;
	return value * 2 + (call->aggfnoid == F_SUM_NUMERIC);
}

static void
add_total_path(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra)
{
	Query	   *parse = root->parse;
	RangeTblEntry *rte;
	Node	   *call;
	bool		by_deal;
	List	   *codes = NIL;
	ListCell   *cell;
	CustomPath *path;

	if (previous_hook)
		previous_hook(root, stage, input, output, extra);
	if (stage != UPPERREL_GROUP_AGG || parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->havingQual != NULL || input->reloptkind != RELOPT_BASEREL || input->rtekind != RTE_FUNCTION ||
		input->baserestrictinfo != NIL || IS_DUMMY_REL(input) || !bms_is_empty(input->lateral_relids) ||
		output->reltarget->exprs == NIL || list_length(output->reltarget->exprs) > MAX_TOTALS)
		return;
	rte = planner_rt_fetch(input->relid, root);
	if (rte->funcordinality || list_length(rte->functions) != 1)
		return;
	call = ((RangeTblFunction *) linitial(rte->functions))->funcexpr;
	if (!spm_is_book_call(call, &by_deal))
		return;
	foreach(cell, output->reltarget->exprs)
	{
		int			code = total_code(lfirst(cell), input->relid, by_deal);

		if (code < 0)
			return;
		codes = lappend_int(codes, code);
	}
	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = output;
	path->path.pathtarget = output->reltarget;
	path->path.rows = 1;
	path->path.startup_cost = input->cheapest_total_path->total_cost;
	path->path.total_cost = path->path.startup_cost + cpu_tuple_cost;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make3(call, list_make1_int(by_deal), codes);
	path->methods = &path_methods;
	add_path(output, &path->path);
}

void
spm_book_total_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = add_total_path;
}
