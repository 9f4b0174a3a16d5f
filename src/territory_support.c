/*
 * territory_support.c
 *	  The planner's part of spm.territory_of().
 *
 * The row of a table as an argument would be put together anew for every call,
 * with all that is stored out of line.  Its columns one by one cost nothing:
 * so spm.territory_of(a) becomes spm.territory_of_columns(..., a.id, a.state ...).
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"

/* Whether a table may be filled up with NULLs by an outer join: then its row may be NULL as a whole. */
static bool
is_nullable(Node *node, int relation, bool nullable)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblRef))
		return nullable && ((RangeTblRef *) node)->rtindex == relation;
	if (IsA(node, FromExpr))
	{
		foreach(cell, ((FromExpr *) node)->fromlist)
		{
			if (is_nullable(lfirst(cell), relation, nullable))
				return true;
		}
	}
	else if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;
		bool		left = join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
		bool		right = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;

		return is_nullable(join->larg, relation, nullable || left) ||
			is_nullable(join->rarg, relation, nullable || right);
	}
	return false;
}

static Node *
by_columns(PlannerInfo *root, FuncExpr *call)
{
	Var		   *row = linitial(call->args);
	const char *name = get_func_name(call->funcid);
	bool		is_touch = strcmp(name, "_touches_rules") == 0;
	Oid			types[] = {ANYELEMENTOID, DATEOID, TEXTOID, TEXTOID, BOOLOID, ANYOID};
	Oid			touch_types[] = {ANYELEMENTOID, INT4ARRAYOID, TEXTOID, ANYOID};
	int			nfixed = (is_touch ? lengthof(touch_types) : lengthof(types)) - 1;
	Oid			function;
	RangeTblEntry *table;
	TupleDesc	columns;
	List	   *args;
	FuncExpr   *changed;

	if (root == NULL || !IsA(row, Var) || row->varattno != InvalidAttrNumber || row->varlevelsup != 0)
		return NULL;
	table = rt_fetch(row->varno, root->parse->rtable);
	if (table->rtekind != RTE_RELATION || row->vartype == RECORDOID ||
		get_typ_typrelid(row->vartype) != table->relid ||
		is_nullable((Node *) root->parse->jointree, row->varno, false))
		return NULL;
	function = LookupFuncName(list_make2(makeString(get_namespace_name(get_func_namespace(call->funcid))),
										 makeString(pstrdup(is_touch ? "_touches_rules_columns" : "territory_of_columns"))),
							  nfixed + 1, is_touch ? touch_types : types, true);
	if (!OidIsValid(function) || SPM_MAY_EXECUTE(function) != ACLCHECK_OK)
		return NULL;
	columns = lookup_rowtype_tupdesc(row->vartype, -1);
	if (columns->natts + nfixed > FUNC_MAX_ARGS)
	{
		ReleaseTupleDesc(columns);
		return NULL;
	}
	args = list_copy(call->args);
	linitial(args) = makeNullConst(row->vartype, -1, InvalidOid);
	if (!is_touch)
		args = lappend(args, makeBoolConst(strcmp(name, "territory_rule_of") == 0, false));
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		Var		   *var;

		if (column->attisdropped)
		{
			args = lappend(args, makeNullConst(INT4OID, -1, InvalidOid));
			continue;
		}
		/* a copy, for all that else is known of the row */
		var = copyObject(row);
		var->varattno = var->varattnosyn = column->attnum;
		var->vartype = column->atttypid;
		var->vartypmod = column->atttypmod;
		var->varcollid = column->attcollation;
		args = lappend(args, var);
	}
	ReleaseTupleDesc(columns);
	changed = makeFuncExpr(function, call->funcresulttype, args, InvalidOid, call->inputcollid, COERCE_EXPLICIT_CALL);
	changed->location = call->location;
	return (Node *) changed;
}

PG_FUNCTION_INFO_V1(spm_territory_support);

/* spm._territory_support(internal) */
Datum
spm_territory_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	Node	   *changed = NULL;

	if (IsA(request, SupportRequestSimplify))
	{
		SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;

		changed = by_columns(simplify->root, simplify->fcall);
	}
	PG_RETURN_POINTER(changed);
}
