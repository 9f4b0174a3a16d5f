/*
 * core.c
 *	  Expressions over the columns of a transaction, or of a source.
 *
 * Who is eligible and what is measured are SQL expressions that somebody
 * types.  The server's own parser reads them, and three gates follow:
 *
 * 1. The raw tree, before any name is looked up for good: only plain syntax,
 *	  the columns of the row, and types and schemas we know.  After
 *	  this gate nothing of a user's can run during analysis, not even the input
 *	  function of a type.
 * 2. The analysed tree: only immutable functions that are built in or spm's.
 * 3. The deparsed text must read back as the tree it was written from.
 *
 * Each gate lists what may pass and refuses the rest, so that what a later
 * version of PostgreSQL adds is refused until somebody has looked at it.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#define EXPRESSION_LIMIT 10000	/* bytes, as typed and as written out */
#define ROW_ALIAS "t"
#define COPIES_LIMIT 64			/* of one operand by nested BETWEEN and IN */
#define CONTEXT_LIMIT 100		/* bytes of it that an error repeats */

typedef struct Checker
{
	ParseState *pstate;
	Relation	row;			/* whose columns: spm.transaction_row, or a source's */
	bool		is_transaction;
	Oid			schema;			/* spm */
	Oid			extension;		/* spm */
	List	   *literals;		/* the strings as typed, A_Const */
	int			copies;			/* of this raw node that analysis will make */
	Node	   *node;			/* whose functions are being looked at */
} Checker;

#define refuse(checker, location, hint, ...) \
	ereport(ERROR, \
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION), \
			 errmsg(__VA_ARGS__), \
			 errhint("%s", hint), \
			 parser_errposition((checker)->pstate, location)))

#define HINT_IMMUTABLE "Use only functions and operators that always give the same answer for the same row."
#define HINT_PLAIN "Write one value made of columns, constants, operators and functions."
#define HINT_TYPES "Use boolean, integer, numeric, text, date, timestamp, interval, jsonb, ranges of dates or numbers, or arrays of these."
#define HINT_SCHEMA "Use only what is built into PostgreSQL or belongs to spm."
#define HINT_CLOCK "Use event_date: a rule that looks at the clock, or at who is asking, pays differently tomorrow."

/* How to say the same thing with something that never changes its answer. */
static const struct
{
	const char *function;
	const char *hint;
}			alternatives[] =
{
	{"age", "Subtract dates for days, or write age(event_date::timestamp, other::timestamp)."},
	{"anytextcat", "Convert to text first: quantity::text || ' pieces'."},
	{"clock_timestamp", HINT_CLOCK},
	{"concat", "Write a || b, with coalesce(a, '') where a may be null."},
	{"concat_ws", "Write a || ',' || b, with coalesce(a, '') where a may be null."},
	{"date_part", "Write extract(month FROM event_date), which is numeric."},
	{"date_trunc", "Write date_trunc('month', event_date::timestamp)::date."},
	{"format", "Write a || b, with coalesce(a, '') where a may be null."},
	{"now", HINT_CLOCK},
	{"overlaps", "Write daterange(a, b) && daterange(c, d)."},
	{"statement_timestamp", HINT_CLOCK},
	{"textanycat", "Convert to text first: 'pieces: ' || quantity::text."},
	{"timeofday", HINT_CLOCK},
	{"to_char", "Write extract(month FROM event_date) for a part of a date, round(amount, 2)::text for a number."},
	{"to_date", "Write make_date(year, month, day)."},
	{"to_number", "Convert with ::numeric."},
	{"to_timestamp", "Write make_timestamp(year, month, day, 0, 0, 0)."},
	{"transaction_timestamp", HINT_CLOCK},
};

static const char *
hint_for(Oid function, const char *otherwise)
{
	const char *name = get_func_name(function);

	for (int i = 0; name && i < lengthof(alternatives); i++)
		if (strcmp(name, alternatives[i].function) == 0)
			return alternatives[i].hint;
	return otherwise;
}

/* Built into the server, or a member of the extension. */
static bool
is_ours(Checker *checker, Oid class, Oid object, Oid schema)
{
	if (object < FirstNormalObjectId && schema == PG_CATALOG_NAMESPACE)
		return true;
	return OidIsValid(checker->extension) &&
		getExtensionOfObject(class, object) == checker->extension;
}

static bool
type_is_allowed(Checker *checker, Oid type)
{
	Oid			element = get_element_type(type);

	switch (OidIsValid(element) ? element : type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case DATEOID:
		case TIMESTAMPOID:
		case INTERVALOID:
		case JSONOID:
		case JSONBOID:
		case DATERANGEOID:
		case INT4RANGEOID:
		case INT8RANGEOID:
		case NUMRANGEOID:
			return true;
		default:
			if (OidIsValid(element))
				type = element;
			return type >= FirstNormalObjectId &&
				get_typtype(type) == TYPTYPE_BASE &&
				is_ours(checker, TypeRelationId, type, InvalidOid);
	}
}

static void
refuse_type(Checker *checker, Oid type, int location, const char *hint)
{
	Oid			element = get_element_type(type);

	switch (OidIsValid(element) ? element : type)
	{
		case FLOAT4OID:
		case FLOAT8OID:
			refuse(checker, location, hint ? hint : "Write numeric, for example 0.05 or quantity::numeric.",
				   "expression uses type %s, and money never goes through floating point",
				   format_type_be(type));
			break;
		case TIMESTAMPTZOID:
		case TIMETZOID:
		case TSTZRANGEOID:
			refuse(checker, location, hint ? hint : "Write date or timestamp.",
				   "expression uses type %s, which depends on the session's time zone",
				   format_type_be(type));
			break;
		default:
			refuse(checker, location,
				   type == UNKNOWNOID ? "Write the type of the constant: 'a'::text." : HINT_TYPES,
				   "expression uses type %s, which is not allowed here",
				   format_type_be(type));
	}
}

/*
 * The first gate: the raw tree
 */

static bool check_raw(Node *node, void *context);

static void
check_raw_schema(Checker *checker, List *names, const char *kind, int location)
{
	const char *schema;

	if (list_length(names) == 1)
		return;
	schema = strVal(linitial(names));
	if (list_length(names) == 2 &&
		(strcmp(schema, "pg_catalog") == 0 ||
		 strcmp(schema, get_namespace_name(checker->schema)) == 0))
		return;
	refuse(checker, location, HINT_SCHEMA,
		   "expression uses %s %s, which is not built in", kind, NameListToString(names));
}

static void
check_raw_type(Checker *checker, TypeName *name)
{
	HeapTuple	tuple;
	Oid			type;

	if (OidIsValid(name->typeOid) || name->pct_type || name->setof)
		refuse(checker, name->location, HINT_TYPES,
			   "expression must name its types plainly, without %%TYPE or SETOF");

	/* without a typmod: that would run a function of the type */
	tuple = LookupTypeName(checker->pstate, name, NULL, true);
	if (tuple == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"%s\" does not exist", TypeNameToString(name)),
				 errhint(HINT_TYPES),
				 parser_errposition(checker->pstate, name->location)));
	type = ((Form_pg_type) GETSTRUCT(tuple))->oid;
	ReleaseSysCache(tuple);
	if (!type_is_allowed(checker, type))
		refuse_type(checker, type, name->location, NULL);
}

static char *
column_list(Relation row)
{
	TupleDesc	columns = RelationGetDescr(row);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < columns->natts; i++)
		if (!TupleDescAttr(columns, i)->attisdropped)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 NameStr(TupleDescAttr(columns, i)->attname));
	return list.data;
}

static void
check_raw_column(Checker *checker, ColumnRef *ref, bool any_type)
{
	Node	   *last = llast(ref->fields);
	int			nfields = list_length(ref->fields);
	const char *name;

	if (IsA(last, A_Star))
		refuse(checker, ref->location, HINT_PLAIN, "expression cannot use *");
	name = strVal(last);
	if (nfields == 1 || (nfields == 2 && strcmp(strVal(linitial(ref->fields)), ROW_ALIAS) == 0))
	{
		TupleDesc	columns = RelationGetDescr(checker->row);

		for (int i = 0; i < columns->natts; i++)
		{
			Form_pg_attribute column = TupleDescAttr(columns, i);

			if (column->attisdropped || strcmp(NameStr(column->attname), name) != 0)
				continue;
			/* a literal next to it may be read as its type, which may be a user's */
			if (!any_type && !type_is_allowed(checker, column->atttypid))
				refuse_type(checker, column->atttypid, ref->location, NULL);
			return;
		}
		if (strcmp(name, ROW_ALIAS) == 0)
			refuse(checker, ref->location, HINT_PLAIN,
				   "expression cannot use the whole row \"%s\"", name);
	}
	if (checker->is_transaction)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of a transaction does not exist", NameListToString(ref->fields)),
				 errhint("The columns are %s. For one that the mapping adds, write attributes->>'%s'.",
						 column_list(checker->row), name),
				 parser_errposition(checker->pstate, ref->location)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of %s does not exist", NameListToString(ref->fields),
					RelationGetRelationName(checker->row)),
			 errhint("The columns are %s.", column_list(checker->row)),
			 parser_errposition(checker->pstate, ref->location)));
}

static void
check_raw_function(Checker *checker, FuncCall *call)
{
	const char *name = NameListToString(call->funcname);
	TypeName   *type = makeTypeNameFromNameList(call->funcname);
	HeapTuple	tuple;

	check_raw_schema(checker, call->funcname, "function", call->location);
	if (call->agg_star || call->agg_distinct || call->agg_order || call->agg_filter ||
		call->agg_within_group || call->over)
		refuse(checker, call->location, HINT_PLAIN,
			   "expression uses %s as an aggregate or window function", name);

	/* name('literal') may mean the type of that name */
	tuple = LookupTypeName(checker->pstate, type, NULL, true);
	if (tuple != NULL)
	{
		Oid			oid = ((Form_pg_type) GETSTRUCT(tuple))->oid;

		ReleaseSysCache(tuple);
		if (!type_is_allowed(checker, oid))
			refuse_type(checker, oid, call->location, NULL);
	}
}

/*
 * How often analysis copies the operands of an operator: a BETWEEN b AND c is
 * a >= b AND a <= c, and a IN (b, c) is a = b OR a = c for what is not constant.
 * Some dozens of these within each other would take all memory.
 */
static int
raw_copies(A_Expr *expr)
{
	ListCell   *cell;
	int			n = 0;

	switch (expr->kind)
	{
		case AEXPR_BETWEEN:
		case AEXPR_NOT_BETWEEN:
			return 2;
		case AEXPR_BETWEEN_SYM:
		case AEXPR_NOT_BETWEEN_SYM:
			return 4;
		case AEXPR_IN:
			foreach(cell, castNode(List, expr->rexpr))
			{
				Node	   *item = lfirst(cell);

				if (!IsA(item, A_Const) &&
					!(IsA(item, TypeCast) && IsA(((TypeCast *) item)->arg, A_Const)))
					n++;
			}
			return Max(n, 1);
		default:
			return 1;
	}
}

/* What to call a construct that cannot pass. */
static const char *
raw_name(Checker *checker, Node *node)
{
	switch (nodeTag(node))
	{
		case T_SQLValueFunction:
			{
				/* one word, such as CURRENT_DATE: say it as it was typed */
				const char *word = checker->pstate->p_sourcetext +
					((SQLValueFunction *) node)->location;

				return pnstrdup(word, strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
											 "abcdefghijklmnopqrstuvwxyz"));
			}
		case T_SubLink:
		case T_SelectStmt:
			return "a sub-query";
		case T_ParamRef:
			return "a parameter";
		case T_RowExpr:
			return "a row";
		case T_XmlExpr:
		case T_XmlSerialize:
			return "XML";
		case T_GroupingFunc:
			return "GROUPING";
		case T_SetToDefault:
			return "DEFAULT";
		case T_CurrentOfExpr:
			return "CURRENT OF";
		case T_A_Star:
			return "*";
		default:
			return "syntax that is not allowed here";
	}
}

static bool
check_raw(Node *node, void *context)
{
	Checker    *checker = context;

	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_List:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NamedArgExpr:
		case T_A_ArrayExpr:
		case T_A_Indices:
			break;
		case T_A_Const:
			{
				A_Const    *constant = (A_Const *) node;

				if (!constant->isnull && IsA(&constant->val, String))
					checker->literals = lappend(checker->literals, constant);
				return false;
			}
		case T_A_Expr:
			{
				A_Expr	   *expr = (A_Expr *) node;
				int			outer = checker->copies;

				check_raw_schema(checker, expr->name, "operator", expr->location);
				checker->copies *= raw_copies(expr);
				if (checker->copies > COPIES_LIMIT)
					ereport(ERROR,
							(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
							 errmsg("expression has too many BETWEEN and IN within each other"),
							 errhint("Use AND, OR or CASE."),
							 parser_errposition(checker->pstate, expr->location)));
				raw_expression_tree_walker(node, check_raw, context);
				checker->copies = outer;
				return false;
			}
		case T_A_Indirection:
			{
				ListCell   *cell;

				foreach(cell, ((A_Indirection *) node)->indirection)
					if (!IsA(lfirst(cell), A_Indices))
						refuse(checker, exprLocation(node), HINT_PLAIN,
							   "expression cannot take a field of a value");
				break;
			}
		case T_CollateClause:
			check_raw_schema(checker, ((CollateClause *) node)->collname, "collation",
							 ((CollateClause *) node)->location);
			break;
		case T_ColumnRef:
			check_raw_column(checker, (ColumnRef *) node, false);
			return false;
		case T_NullTest:
			{
				Node	   *arg = (Node *) ((NullTest *) node)->arg;

				if (!IsA(arg, ColumnRef))
					break;
				check_raw_column(checker, (ColumnRef *) arg, true);
				return false;
			}
		case T_FuncCall:
			check_raw_function(checker, (FuncCall *) node);
			break;
		case T_TypeCast:
			check_raw_type(checker, ((TypeCast *) node)->typeName);
			return check_raw(((TypeCast *) node)->arg, context);
		default:
			refuse(checker, exprLocation(node),
				   IsA(node, SQLValueFunction) &&
				   ((SQLValueFunction *) node)->op <= SVFOP_LOCALTIMESTAMP_N ?
				   HINT_CLOCK : HINT_PLAIN,
				   "expression uses %s", raw_name(checker, node));
	}
	return raw_expression_tree_walker(node, check_raw, context);
}

/* The one value that the text consists of. */
static Node *
raw_value(Checker *checker, const char *expression)
{
	List	   *statements;
	SelectStmt *select;
	ResTarget  *target;

	statements = raw_parser(expression, RAW_PARSE_PLPGSQL_EXPR);
	select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
	if (select->targetList == NIL)
		refuse(checker, -1, HINT_PLAIN, "expression has no value");
	if (list_length(statements) != 1 || list_length(select->targetList) != 1 ||
		select->distinctClause || select->intoClause || select->fromClause ||
		select->whereClause || select->groupClause || select->havingClause ||
		select->windowClause || select->valuesLists || select->sortClause ||
		select->limitOffset || select->limitCount || select->lockingClause ||
		select->withClause || select->op != SETOP_NONE)
		refuse(checker, -1, HINT_PLAIN,
			   "expression must be one value, without FROM, WHERE or any other clause");
	target = linitial_node(ResTarget, select->targetList);
	if (target->name || target->indirection)
		refuse(checker, target->location, "Is an operator missing in between?",
			   "expression must be one value, without a name for it");
	return target->val;
}

/*
 * The second gate: the analysed tree
 */

/*
 * 'today' as a date would mean the day of the definition for ever.  Letters
 * only: inside an array or range the word may come with quotes and backslashes.
 */
static bool
reads_clock(const char *literal)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
	char	   *letters = palloc(strlen(literal) + 1);
	int			n = 0;

	for (; *literal; literal++)
		if (*literal != '"' && *literal != '\\')
			letters[n++] = pg_ascii_tolower((unsigned char) *literal);
	letters[n] = '\0';
	for (int i = 0; i < lengthof(words); i++)
		if (strstr(letters, words[i]))
			return true;
	return false;
}

static void
check_constant(Checker *checker, Const *constant)
{
	Oid			element = get_element_type(constant->consttype);
	ListCell   *cell;

	switch (OidIsValid(element) ? element : constant->consttype)
	{
		case DATEOID:
		case TIMESTAMPOID:
		case DATERANGEOID:
			break;
		default:
			return;
	}
	foreach(cell, checker->literals)
	{
		A_Const    *literal = lfirst(cell);

		if (literal->location == constant->location &&
			reads_clock(strVal(&literal->val)))
			refuse(checker, constant->location,
				   "Use event_date, or write the date itself: date '2026-01-31'.",
				   "expression would keep the %s \"%s\" of the day it was defined",
				   format_type_be(constant->consttype), strVal(&literal->val));
	}
}

static bool
check_function(Oid function, void *context)
{
	Checker    *checker = context;
	Node	   *node = checker->node;
	int			location;

	if (func_volatile(function) == PROVOLATILE_IMMUTABLE &&
		is_ours(checker, ProcedureRelationId, function, get_func_namespace(function)))
		return false;

	location = exprLocation(node);
	if (!is_ours(checker, ProcedureRelationId, function, get_func_namespace(function)))
		refuse(checker, location, HINT_SCHEMA,
			   "expression uses function %s, which is not built in",
			   format_procedure_qualified(function));
	if (IsA(node, CoerceViaIO) ||
		(IsA(node, FuncExpr) && (((FuncExpr *) node)->funcformat == COERCE_EXPLICIT_CAST ||
								  ((FuncExpr *) node)->funcformat == COERCE_IMPLICIT_CAST)))
	{
		Node	   *arg = IsA(node, FuncExpr) ? linitial(((FuncExpr *) node)->args) :
			(Node *) ((CoerceViaIO *) node)->arg;
		Oid			from = exprType(arg);
		Oid			to = exprType(node);

		refuse(checker, location,
			   to == DATEOID ? "Write make_date(left(text, 4)::integer, substr(text, 6, 2)::integer, right(text, 2)::integer)." :
			   to == TIMESTAMPTZOID ? "Convert to timestamp first: event_date::timestamp." :
			   from == DATEOID || from == TIMESTAMPOID ? "Write extract(year FROM event_date)::text." :
			   HINT_IMMUTABLE,
			   "expression converts %s to %s, which depends on settings of the session",
			   format_type_be(from), format_type_be(to));
	}
	else if (IsA(node, OpExpr) || IsA(node, DistinctExpr) || IsA(node, NullIfExpr) ||
			 IsA(node, ScalarArrayOpExpr))
		refuse(checker, location, hint_for(function, HINT_IMMUTABLE),
			   "expression uses operator %s, which is not immutable",
			   format_operator(IsA(node, ScalarArrayOpExpr) ?
							   ((ScalarArrayOpExpr *) node)->opno :
							   ((OpExpr *) node)->opno));
	else
		refuse(checker, location, hint_for(function, HINT_IMMUTABLE),
			   "expression uses function %s, which is not immutable",
			   format_procedure(function));
	return false;
}

static bool
check_analysed(Node *node, void *context)
{
	Checker    *checker = context;
	const char *hint = NULL;

	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_List:
		case T_CaseWhen:
			return expression_tree_walker(node, check_analysed, context);
		case T_ArrayCoerceExpr:
		case T_ArrayExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_CoerceViaIO:
		case T_DistinctExpr:
		case T_NamedArgExpr:
		case T_NullIfExpr:
		case T_OpExpr:
		case T_RelabelType:
		case T_ScalarArrayOpExpr:
			break;
		case T_NullTest:
			/* of a column, whatever its type: deleted_at IS NULL */
			if (IsA(((NullTest *) node)->arg, Var) && !((NullTest *) node)->argisrow)
				return false;
			break;
		case T_Const:
			check_constant(checker, (Const *) node);
			break;
		case T_CollateExpr:
			{
				CollateExpr *collate = (CollateExpr *) node;

				if (collate->collOid != C_COLLATION_OID &&
					collate->collOid != DEFAULT_COLLATION_OID)
					refuse(checker, collate->location, "Use COLLATE \"C\".",
						   "expression uses collation \"%s\", which is not the same on every machine",
						   get_collation_name(collate->collOid));
				break;
			}
		case T_FuncExpr:
			hint = hint_for(((FuncExpr *) node)->funcid, NULL);
			if (((FuncExpr *) node)->funcretset)
				refuse(checker, exprLocation(node), HINT_PLAIN,
					   "expression uses function %s, which returns a set",
					   format_procedure(((FuncExpr *) node)->funcid));
			break;
		case T_MinMaxExpr:
			{
				TypeCacheEntry *type = lookup_type_cache(exprType(node), TYPECACHE_CMP_PROC);

				checker->node = node;
				if (OidIsValid(type->cmp_proc))
					check_function(type->cmp_proc, checker);
				break;
			}
		case T_SubscriptingRef:
			if (((SubscriptingRef *) node)->refassgnexpr)
				elog(ERROR, "assignment in an expression");
			break;
		case T_Var:
			{
				Var		   *var = (Var *) node;

				if (var->varlevelsup != 0 || var->varno != 1 || var->varattno <= 0)
					elog(ERROR, "unexpected column %d.%d in an expression",
						 var->varno, var->varattno);
				break;
			}
		case T_Aggref:
			refuse(checker, exprLocation(node),
				   "An expression looks at one transaction; what it adds up to is the component's to say.",
				   "expression uses aggregate function %s",
				   format_procedure(((Aggref *) node)->aggfnoid));
			break;
		default:
			refuse(checker, exprLocation(node), HINT_PLAIN,
				   "expression uses syntax that is not allowed here");
	}

	/*
	 * What an operator works on goes first: now() is to blame, not the
	 * comparison.  A function goes before the casts of its arguments.
	 */
	if (!IsA(node, FuncExpr))
		expression_tree_walker(node, check_analysed, context);
	checker->node = node;
	check_functions_in_node(node, check_function, checker);
	if (!type_is_allowed(checker, exprType(node)))
		refuse_type(checker, exprType(node), exprLocation(node), hint);
	if (IsA(node, FuncExpr))
		expression_tree_walker(node, check_analysed, context);
	return false;
}

/*
 * The analysed tree of an expression that has passed both gates, as a value
 * of the given type or, without one, of its own.
 */
static Node *
analysed_expression(Checker *checker, const char *expression, Oid result_type)
{
	Node	   *raw;
	Node	   *node;
	Node	   *result;
	ParseNamespaceItem *item;

	checker->literals = NIL;
	checker->copies = 1;
	checker->pstate = make_parsestate(NULL);
	checker->pstate->p_sourcetext = expression;
	item = addRangeTableEntryForRelation(checker->pstate, checker->row, AccessShareLock,
										 makeAlias(ROW_ALIAS, NIL), false, true);
	addNSItemToQuery(checker->pstate, item, true, true, true);

	raw = raw_value(checker, expression);
	check_raw(raw, checker);
	node = transformExpr(checker->pstate, raw, EXPR_KIND_OTHER);
	if (exprType(node) != UNKNOWNOID)
		check_analysed(node, checker);	/* before its type is criticised */
	if (!OidIsValid(result_type))
		return node;

	result = coerce_to_target_type(checker->pstate, node, exprType(node), result_type, -1,
								   COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("expression must be of type %s, not %s",
						format_type_be(result_type), format_type_be(exprType(node))),
				 result_type == BOOLOID ?
				 errhint("Compare it with something, for example amount > 0.") :
				 errhint("Convert it, for example (attributes->>'weight')::%s.",
						 format_type_be(result_type)),
				 parser_errposition(checker->pstate, exprLocation(node))));
	check_analysed(result, checker);
	assign_expr_collations(checker->pstate, result);
	return result;
}

/*
 * The text
 */

/*
 * A backslash in '...' means what standard_conforming_strings says where the
 * text is read one day; E'...' means the same everywhere.
 */
static char *
unambiguous_literals(const char *sql)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*sql)
	{
		char		quote = *sql;
		const char *end = sql + 1;
		bool		escapes = false;

		if (quote == '\'' || quote == '"')
			for (;; end++)
			{
				if (*end == quote && *++end != quote)
					break;
				escapes |= *end == '\\';
			}
		if (escapes && quote == '\'')
		{
			appendStringInfoChar(&out, 'E');
			for (; sql < end; sql++)
			{
				if (*sql == '\\')
					appendStringInfoChar(&out, '\\');
				appendStringInfoChar(&out, *sql);
			}
		}
		else
			appendBinaryStringInfo(&out, sql, end - sql);
		sql = end;
	}
	return out.data;
}

/* An error says where in the expression it is, not where in the query. */
static void
expression_context(void *arg)
{
	const char *expression = arg;
	int			length = strlen(expression);
	int			shown = pg_mbcliplen(expression, length, CONTEXT_LIMIT);
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(expression);
	}
	errcontext("spm expression \"%.*s%s\"", shown, expression, shown < length ? "..." : "");
}

static void
check_length(const char *expression, const char *detail)
{
	if (strlen(expression) > EXPRESSION_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("expression is longer than %d bytes", EXPRESSION_LIMIT),
				 errdetail(detail, (int) strlen(expression)),
				 errhint("Keep long lists of keys in a column of the source, and test that.")));
}

static void
open_row(Checker *checker, FunctionCallInfo fcinfo, bool is_transaction, Oid row)
{
	Oid			function = fcinfo->flinfo->fn_oid;

	checker->schema = get_func_namespace(function);
	checker->extension = getExtensionOfObject(ProcedureRelationId, function);
	checker->is_transaction = is_transaction;
	if (is_transaction)
		row = get_relname_relid("transaction_row", checker->schema);
	checker->row = try_relation_open(row, AccessShareLock);
	if (checker->row == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", row)));
	switch (checker->row->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_COMPOSITE_TYPE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" has no columns for an expression",
							RelationGetRelationName(checker->row)),
					 errhint("Name a table or a view.")));
	}
}

PG_FUNCTION_INFO_V1(spm_checked_expression);

/*
 * spm.checked_expression(expression text, result_type regtype)
 * spm.checked_expression(expression text, result_type regtype, relation regclass)
 */
Datum
spm_checked_expression(PG_FUNCTION_ARGS)
{
	char	   *expression = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			result_type = PG_GETARG_OID(1);
	ErrorContextCallback context = {error_context_stack, expression_context, expression};
	Checker		checker = {0};
	List	   *names;
	Node	   *node;
	char	   *text;
	int			rounds = 0;

	error_context_stack = &context;
	check_length(expression, "It has %d bytes.");
	open_row(&checker, fcinfo, PG_NARGS() == 2, PG_NARGS() > 2 ? PG_GETARG_OID(2) : InvalidOid);
	if (!type_is_allowed(&checker, result_type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expression cannot have type %s",
						format_type_extended(result_type, -1, FORMAT_TYPE_ALLOW_INVALID)),
				 errhint("%s", HINT_TYPES)));
	names = deparse_context_for(ROW_ALIAS, RelationGetRelid(checker.row));
	node = analysed_expression(&checker, expression, result_type);

	/*
	 * The third gate: what is kept passes the others and reads back as what
	 * it was written from.  BETWEEN and IN take a second round: they make an
	 * AND within an AND, which is read as one.
	 */
	for (;;)
	{
		Node	   *again;

		text = unambiguous_literals(deparse_expression(node, names, true, true));
		check_length(text, "Written out in full it has %d bytes.");
		again = analysed_expression(&checker, text, result_type);
		if (equal(node, again))
			break;
		if (++rounds == 5)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("expression reads differently each time it is written out"),
					 errdetail("It became: %s", text),
					 errhint("Write out the types of constants and results.")));
		node = again;
	}

	relation_close(checker.row, AccessShareLock);
	error_context_stack = context.previous;
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

static bool
collect_columns(Node *node, void *used)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		((bool *) used)[((Var *) node)->varattno - 1] = true;
	return expression_tree_walker(node, collect_columns, used);
}

PG_FUNCTION_INFO_V1(spm_expression_columns);

/* spm.expression_columns(expression text) */
Datum
spm_expression_columns(PG_FUNCTION_ARGS)
{
	char	   *expression = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ErrorContextCallback context = {error_context_stack, expression_context, expression};
	Checker		checker = {0};
	bool		used[MaxHeapAttributeNumber] = {0};
	Datum		names[MaxHeapAttributeNumber];
	TupleDesc	columns;
	int			n = 0;

	error_context_stack = &context;
	check_length(expression, "It has %d bytes.");
	open_row(&checker, fcinfo, true, InvalidOid);
	collect_columns(analysed_expression(&checker, expression, InvalidOid), used);
	columns = RelationGetDescr(checker.row);
	for (int i = 0; i < columns->natts; i++)
		if (used[i])
			names[n++] = CStringGetTextDatum(NameStr(TupleDescAttr(columns, i)->attname));

	relation_close(checker.row, AccessShareLock);
	error_context_stack = context.previous;
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}
