/*
 * forecast_reconcile.c
 *	  spm.reconcile: rows of a tree with their forecasts, gathered, changed so
 *	  that they add up, and given back.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "forecast.h"
#include "kernel/reconcile.h"
#include "numbers.h"

#include "compat.h"

PG_FUNCTION_INFO_V1(spm_reconcile_add);
PG_FUNCTION_INFO_V1(spm_reconcile_combine);
PG_FUNCTION_INFO_V1(spm_reconcile_serialize);
PG_FUNCTION_INFO_V1(spm_reconcile_deserialize);
PG_FUNCTION_INFO_V1(spm_reconcile_final);

/* Longer names of nodes are a mistake. */
#define MAX_NODE_NAME	8192

/* Attributes of spm.forecast_path and of spm.reconciled. */
enum
{
	PATH_METHOD, PATH_LEVEL, PATH_PERIOD, PATH_MEAN, PATH_LOWER, PATH_UPPER, PATH_WIDTH
};
enum
{
	ROW_NODE, ROW_PARENT, ROW_DEPTH, ROW_LEAF, ROW_BASE, ROW_PATH, ROW_WIDTH
};

/* How it is to be done; the same for all rows. */
typedef struct Options
{
	int			method;			/* SpmReconcileMethod; -1: what the rows allow */
	bool		is_positive;
} Options;

/* What a row brings.  Its numbers follow: mean, lower, upper, period (h each, as far as there are any), past; then the names. */
typedef struct Entry
{
	int32		size;			/* of all of it, in bytes */
	int32		node_size;
	int32		parent_size;	/* -1: none */
	int32		h;				/* 0: no forecast */
	int32		t;
	bool		has_limits;
	bool		has_periods;
	double		level;
} Entry;

typedef struct Tree
{
	Options		options;
	StringInfoData entries;
} Tree;

static const struct
{
	const char *name;
	const char *shown;
}			methods[] = {
	[SPM_RECONCILE_BOTTOM_UP] = {"bottom_up", "bottom-up"},
	[SPM_RECONCILE_TOP_DOWN] = {"top_down", "top-down"},
	[SPM_RECONCILE_OLS] = {"ols", "OLS"},
	[SPM_RECONCILE_STRUCTURE] = {"structure", "WLS(structure)"},
	[SPM_RECONCILE_VARIANCE] = {"variance", "WLS(variance)"},
	[SPM_RECONCILE_MINT] = {"mint", "MinT"}
};

/* ---------------------------------------------------------------------- arguments */

static int
method_of(const char *name)
{
	for (int i = 0; i < lengthof(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("forecasts cannot be reconciled by \"%s\"", name),
			 errhint("Methods are mint, variance, structure, ols, bottom_up and top_down; NULL chooses.")));
}

/* reconcile(node, parent, forecast [, past [, method, positive]]) */
static Options
options_arg(FunctionCallInfo fcinfo)
{
	Options		options = {-1, false};

	if (PG_NARGS() > 5 && !PG_ARGISNULL(5))
		options.method = method_of(text_to_cstring(PG_GETARG_TEXT_PP(5)));
	if (PG_NARGS() > 6 && !PG_ARGISNULL(6))
		options.is_positive = PG_GETARG_BOOL(6);
	return options;
}

static Tree *
tree_state(FunctionCallInfo fcinfo, Options options)
{
	MemoryContext context;
	MemoryContext old;
	Tree	   *tree;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (!PG_ARGISNULL(0))
	{
		tree = (Tree *) PG_GETARG_POINTER(0);
		if (tree->options.method != options.method || tree->options.is_positive != options.is_positive)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a tree is reconciled in one way"),
					 errhint("Method and positive must be the same for all rows.")));
		return tree;
	}
	old = MemoryContextSwitchTo(context);
	tree = palloc(sizeof(Tree));
	tree->options = options;
	initStringInfo(&tree->entries);
	MemoryContextSwitchTo(old);
	return tree;
}

/* What numbers of an array may be. */
typedef enum Allowed
{
	KNOWN,						/* a number each */
	KNOWN_OR_NULL,
	LIMIT						/* NULL: not known; infinite: none */
} Allowed;

/* An array of doubles; NULLs among them become NaN, what is too small to be reckoned with 0. */
static double *
doubles_of(Datum datum, const char *what, const char *node, Allowed allowed, int *n)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	Datum	   *values;
	bool	   *nulls;
	double	   *doubles;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s of node \"%s\" must be an array of one dimension", what, node)));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, n);
	doubles = palloc(Max(*n, 1) * sizeof(double));
	for (int i = 0; i < *n; i++)
	{
		double		number = nulls[i] ? NAN : DatumGetFloat8(values[i]);

		if (fabs(number) < SPM_SOLVE_LEAST)
			number = 0;
		doubles[i] = number;
		if (spmk_is_solvable(number) || (allowed != KNOWN && isnan(number)) || (allowed == LIMIT && isinf(number)))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %d of node \"%s\" is not a number up to 1e+30", what, i + 1, node)));
	}
	return doubles;
}

static Timestamp *
periods_of(Datum datum, const char *node, int h)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	Timestamp  *periods;

	deconstruct_array(DatumGetArrayTypeP(datum), TIMESTAMPOID, sizeof(Timestamp), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &n);
	periods = palloc(Max(n, 1) * sizeof(Timestamp));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			periods[i] = DatumGetTimestamp(values[i]);
	if (n != h || memchr(nulls, true, n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the forecast of node \"%s\" must have one period for each step", node)));
	return periods;
}

/* A forecast in pieces: a spm.forecast_path, or only what is expected. */
typedef struct Forecast
{
	int			h;
	double		level;
	double	   *mean;
	double	   *lower;			/* NULL: no limits */
	double	   *upper;
	Timestamp  *period;			/* NULL: no dates */
} Forecast;

static Forecast
path_of(HeapTupleHeader row, const char *node)
{
	Forecast	forecast = {0};
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple;
	Datum		values[PATH_WIDTH];
	bool		nulls[PATH_WIDTH];
	int			n;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	Assert(desc->natts == PATH_WIDTH);
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);
	if (nulls[PATH_MEAN])
		return forecast;
	forecast.mean = doubles_of(values[PATH_MEAN], "forecast", node, KNOWN, &forecast.h);
	forecast.level = nulls[PATH_LEVEL] ? 0 : DatumGetFloat8(values[PATH_LEVEL]);
	if (!nulls[PATH_LOWER] && !nulls[PATH_UPPER])
	{
		forecast.lower = doubles_of(values[PATH_LOWER], "lower limit", node, LIMIT, &n);
		if (n == forecast.h)
			forecast.upper = doubles_of(values[PATH_UPPER], "upper limit", node, LIMIT, &n);
		if (n != forecast.h)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the forecast of node \"%s\" must have limits for each step", node)));
	}
	if (!nulls[PATH_PERIOD])
		forecast.period = periods_of(values[PATH_PERIOD], node, forecast.h);
	return forecast;
}

static Forecast
forecast_arg(FunctionCallInfo fcinfo, int arg, const char *node)
{
	Forecast	forecast = {0};

	if (PG_ARGISNULL(arg))
		return forecast;
	if (get_fn_expr_argtype(fcinfo->flinfo, arg) != FLOAT8ARRAYOID)
		return path_of(PG_GETARG_HEAPTUPLEHEADER(arg), node);
	forecast.mean = doubles_of(PG_GETARG_DATUM(arg), "forecast", node, KNOWN, &forecast.h);
	return forecast;
}

/* ------------------------------------------------------------------------- entries */

static void
append_doubles(StringInfo entries, const void *doubles, int n)
{
	appendBinaryStringInfo(entries, (const char *) doubles, n * sizeof(double));
}

Datum
spm_reconcile_add(PG_FUNCTION_ARGS)
{
	Tree	   *tree = tree_state(fcinfo, options_arg(fcinfo));
	Entry		entry = {0};
	Forecast	forecast;
	double	   *past = NULL;
	text	   *node;
	text	   *parent = NULL;
	char	   *name;
	static const char padding[MAXIMUM_ALIGNOF] = {0};

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a node must have a name"),
				 errhint("Leave out rows that belong to no node: FILTER (WHERE node IS NOT NULL).")));
	node = PG_GETARG_TEXT_PP(1);
	entry.node_size = VARSIZE_ANY_EXHDR(node);
	entry.parent_size = -1;
	if (!PG_ARGISNULL(2))
	{
		parent = PG_GETARG_TEXT_PP(2);
		entry.parent_size = VARSIZE_ANY_EXHDR(parent);
	}
	if (entry.node_size > MAX_NODE_NAME || entry.parent_size > MAX_NODE_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("names of nodes cannot be longer than %d bytes", MAX_NODE_NAME)));
	name = text_to_cstring(node);
	forecast = forecast_arg(fcinfo, 3, name);
	if (forecast.h > 0)
	{
		entry.h = forecast.h;
		entry.level = forecast.level;
		entry.has_limits = forecast.upper != NULL;
		entry.has_periods = forecast.period != NULL;
	}
	if (PG_NARGS() > 4 && !PG_ARGISNULL(4))
		past = doubles_of(PG_GETARG_DATUM(4), "past value", name, KNOWN_OR_NULL, &entry.t);
	entry.size = MAXALIGN(sizeof(Entry) + (entry.h * (1 + 2 * entry.has_limits + entry.has_periods) + entry.t) * sizeof(double) +
						  entry.node_size + Max(entry.parent_size, 0));
	enlargeStringInfo(&tree->entries, entry.size);
	appendBinaryStringInfo(&tree->entries, (char *) &entry, sizeof(Entry));
	append_doubles(&tree->entries, forecast.mean, entry.h);
	if (entry.has_limits)
	{
		append_doubles(&tree->entries, forecast.lower, entry.h);
		append_doubles(&tree->entries, forecast.upper, entry.h);
	}
	if (entry.has_periods)
		append_doubles(&tree->entries, forecast.period, entry.h);
	append_doubles(&tree->entries, past, entry.t);
	appendBinaryStringInfo(&tree->entries, VARDATA_ANY(node), entry.node_size);
	if (parent)
		appendBinaryStringInfo(&tree->entries, VARDATA_ANY(parent), entry.parent_size);
	appendBinaryStringInfo(&tree->entries, padding, MAXALIGN(tree->entries.len) - tree->entries.len);
	PG_RETURN_POINTER(tree);
}

/* The second state may die before us: copy what it holds, never adopt it. */
Datum
spm_reconcile_combine(PG_FUNCTION_ARGS)
{
	Tree	   *other;
	Tree	   *tree;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_POINTER(PG_GETARG_POINTER(0));
	}
	other = (Tree *) PG_GETARG_POINTER(1);
	tree = tree_state(fcinfo, other->options);
	appendBinaryStringInfo(&tree->entries, other->entries.data, other->entries.len);
	PG_RETURN_POINTER(tree);
}

/* Only ever read back by a process of the same server: raw bytes will do. */
Datum
spm_reconcile_serialize(PG_FUNCTION_ARGS)
{
	Tree	   *tree = (Tree *) PG_GETARG_POINTER(0);
	Size		size = VARHDRSZ + sizeof(Options) + tree->entries.len;
	bytea	   *bytes = palloc(size);

	SET_VARSIZE(bytes, size);
	memcpy(VARDATA(bytes), &tree->options, sizeof(Options));
	memcpy(VARDATA(bytes) + sizeof(Options), tree->entries.data, tree->entries.len);
	PG_RETURN_BYTEA_P(bytes);
}

Datum
spm_reconcile_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Tree	   *tree = palloc(sizeof(Tree));

	memcpy(&tree->options, VARDATA_ANY(bytes), sizeof(Options));
	initStringInfo(&tree->entries);
	appendBinaryStringInfo(&tree->entries, VARDATA_ANY(bytes) + sizeof(Options), VARSIZE_ANY_EXHDR(bytes) - sizeof(Options));
	PG_RETURN_POINTER(tree);
}

/* -------------------------------------------------------------------------- nodes */

/* An entry taken apart; or a parent that no row is for. */
typedef struct TreeNode
{
	const char *name;
	int			name_size;
	const char *parent;			/* NULL: none */
	int			parent_size;
	const Entry *entry;			/* NULL: nothing is known of it */
	const double *mean;
	const double *lower;		/* NULL: none */
	const double *upper;
	const Timestamp *period;
	const double *past;
} TreeNode;

static TreeNode
read_entry(const char *bytes)
{
	const Entry *entry = (const Entry *) bytes;
	const double *numbers = (const double *) (entry + 1);
	TreeNode		node = {.entry = entry};

	node.mean = numbers;
	numbers += entry->h;
	if (entry->has_limits)
	{
		node.lower = numbers;
		node.upper = numbers + entry->h;
		numbers += 2 * entry->h;
	}
	if (entry->has_periods)
	{
		node.period = (const Timestamp *) numbers;
		numbers += entry->h;
	}
	node.past = numbers;
	node.name = (const char *) (numbers + entry->t);
	node.name_size = entry->node_size;
	node.parent = entry->parent_size < 0 ? NULL : node.name + node.name_size;
	node.parent_size = entry->parent_size;
	return node;
}

/* By bytes: the same in every locale. */
static int
compare_names(const char *a, int a_size, const char *b, int b_size)
{
	int			order = memcmp(a, b, Min(a_size, b_size));

	return order != 0 ? order : a_size - b_size;
}

static int
compare_nodes(const void *a, const void *b)
{
	const TreeNode *x = a;
	const TreeNode *y = b;

	return compare_names(x->name, x->name_size, y->name, y->name_size);
}

static char *
node_name(const TreeNode *node)
{
	return pnstrdup(node->name, node->name_size);
}

static int
find_node(const TreeNode *nodes, int n, const char *name, int size)
{
	TreeNode		key = {.name = name, .name_size = size};
	TreeNode	   *found = bsearch(&key, nodes, n, sizeof(TreeNode), compare_nodes);

	return found ? found - nodes : -1;
}

/* All nodes, by name: those of the rows, and parents that have no row. */
static TreeNode *
gather_nodes(const Tree *tree, int *n)
{
	int			room = 0;
	int			rows = 0;
	TreeNode	   *nodes;

	for (int at = 0; at < tree->entries.len; at += ((const Entry *) (tree->entries.data + at))->size)
		room += 2;
	nodes = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(TreeNode));
	for (int at = 0; at < tree->entries.len; at += ((const Entry *) (tree->entries.data + at))->size)
		nodes[rows++] = read_entry(tree->entries.data + at);
	qsort(nodes, rows, sizeof(TreeNode), compare_nodes);
	for (int i = 1; i < rows; i++)
		if (compare_nodes(&nodes[i - 1], &nodes[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("node \"%s\" is there twice", node_name(&nodes[i])),
					 errhint("A node has one row. GROUP BY what else tells rows apart, or add it to the names.")));
	*n = rows;
	for (int i = 0; i < rows; i++)
	{
		if (nodes[i].parent && find_node(nodes, rows, nodes[i].parent, nodes[i].parent_size) < 0)
		{
			memset(&nodes[*n], 0, sizeof(TreeNode));
			nodes[*n].name = nodes[i].parent;
			nodes[*n].name_size = nodes[i].parent_size;
			(*n)++;
		}
	}
	if (*n > rows)
	{
		int			kept = 1;

		qsort(nodes, *n, sizeof(TreeNode), compare_nodes);
		for (int i = 1; i < *n; i++)
			if (compare_nodes(&nodes[kept - 1], &nodes[i]) != 0)
				nodes[kept++] = nodes[i];
		*n = kept;
	}
	return nodes;
}

/* ------------------------------------------------------------------------- result */

static void *
alloc_huge(Size count, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * size);
}

static void
check_status(SpmReconcileStatus status, const SpmHierarchy *tree, const TreeNode *node)
{
	switch (status)
	{
		case SPM_RECONCILE_OK:
			break;
		case SPM_RECONCILE_UNKNOWN_NODE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("nothing tells the forecast of node \"%s\"", node_name(node)),
					 tree->method == SPM_RECONCILE_BOTTOM_UP ? errdetail("Bottom-up needs a forecast of every node that has none below it.") :
					 tree->method == SPM_RECONCILE_TOP_DOWN ? errdetail("Top-down needs a forecast of every node, or of the top and the past of all others.") :
					 errdetail("It has none, and what is below or above it lacks forecasts, too."),
					 errhint("Give a forecast for it: 0 if nothing is expected.")));
			break;
		case SPM_RECONCILE_NO_PAST:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no node has two errors of the past"),
					 errhint("spm.forecast_errors(values, season) gives them; or reconcile by structure, which needs none.")));
			break;
	}
}

static Datum
periods_datum(const Timestamp *periods, int n)
{
	Datum	   *values = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = TimestampGetDatum(periods[i]);
	return PointerGetDatum(construct_array(values, n, TIMESTAMPOID, sizeof(Timestamp), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* What the gathered nodes say together. */
typedef struct Problem
{
	SpmHierarchy tree;
	int			n;
	const TreeNode *nodes;
	const int  *order;			/* nodes, parents first */
	const double *base;
	const Timestamp *periods;
	bool		has_limits;
	double		level;			/* of limits; 0: not known */
} Problem;

/* Of all nodes and steps, in the order of the tree. */
typedef struct Answer
{
	const char *method;
	double	   *mean;
	double	   *lower;			/* NULL: nobody has limits; NaN: this one has none, or not for this step */
	double	   *upper;
} Answer;

static void
check_forecasts(Problem *problem)
{
	const TreeNode *first = NULL;

	for (int i = 0; i < problem->n; i++)
	{
		const TreeNode *node = &problem->nodes[i];

		if (node->entry == NULL)
			continue;
		problem->tree.t = Max(problem->tree.t, node->entry->t);
		if (node->entry->h == 0)
			continue;
		if (first && node->entry->h != first->entry->h)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("all forecasts must have the same number of steps"),
					 errdetail("Node \"%s\" has %d, node \"%s\" %d.", node_name(first), first->entry->h, node_name(node), node->entry->h)));
		if (node->period && problem->periods && memcmp(node->period, problem->periods, node->entry->h * sizeof(Timestamp)) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("all forecasts must be for the same periods"),
					 errdetail("Node \"%s\" differs from those before it.", node_name(node)),
					 errhint("Say when the past of all ends: spm.forecast(at, value, horizon, '{\"until\": \"2026-09-30\"}').")));
		if (node->period)
			problem->periods = node->period;
		if (node->lower && problem->level > 0 && node->entry->level != problem->level)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("all limits must be of the same level"),
					 errdetail("They are of %g and %g.", problem->level, node->entry->level)));
		if (node->lower)
		{
			problem->level = node->entry->level;
			problem->has_limits = true;
		}
		if (first == NULL)
			first = node;
	}
	problem->tree.h = first ? first->entry->h : 0;
}

static void
order_nodes(Problem *problem)
{
	int			n = problem->n;
	int		   *up = alloc_huge(n, sizeof(int));
	int		   *order = alloc_huge(n, sizeof(int));
	int		   *scratch = alloc_huge(2 * n, sizeof(int));
	int		   *place = alloc_huge(n, sizeof(int));
	int		   *parent = alloc_huge(n, sizeof(int));
	int			at;

	for (int i = 0; i < n; i++)
		up[i] = problem->nodes[i].parent == NULL ? -1 :
			find_node(problem->nodes, n, problem->nodes[i].parent, problem->nodes[i].parent_size);
	if (!spmk_tree_order(n, up, order, scratch, &at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" is above itself", node_name(&problem->nodes[at])),
				 errhint("The top of a tree has no parent: NULL.")));
	for (int k = 0; k < n; k++)
		place[order[k]] = k;
	for (int k = 0; k < n; k++)
		parent[k] = up[order[k]] < 0 ? -1 : place[up[order[k]]];
	problem->order = order;
	problem->tree.n = n;
	problem->tree.parent = parent;
}

/* Pasts end together; what is not known of their beginning is NaN. */
static void
fill_numbers(Problem *problem)
{
	int			n = problem->n;
	int			h = problem->tree.h;
	int			t = problem->tree.t;
	double	   *base = alloc_huge((Size) n * h, sizeof(double));
	double	   *past = alloc_huge((Size) n * t, sizeof(double));

	for (int k = 0; k < n; k++)
	{
		const TreeNode *node = &problem->nodes[problem->order[k]];
		int			has = node->entry ? node->entry->t : 0;

		for (int i = 0; i < h; i++)
			base[(Size) k * h + i] = node->entry && node->entry->h > 0 ? node->mean[i] : NAN;
		for (int i = 0; i < t; i++)
			past[(Size) k * t + i] = i < t - has ? NAN : node->past[i - (t - has)];
	}
	problem->tree.base = problem->base = base;
	problem->tree.past = past;
}

/* Top-down divides by what was sold in the past, where that is given. */
static void
fill_weights(Problem *problem)
{
	int			n = problem->n;
	int			t = problem->tree.t;
	double	   *weight = alloc_huge(n, sizeof(double));

	for (int k = 0; k < n; k++)
	{
		weight[k] = 0;
		for (int i = 0; i < t; i++)
			if (!isnan(problem->tree.past[(Size) k * t + i]))
				weight[k] += problem->tree.past[(Size) k * t + i];
		weight[k] = Max(weight[k], 0);
	}
	problem->tree.weight = weight;
}

/*
 * Limits go where the forecast goes, as much narrower or wider as errors have
 * become.  Those of a sum without a forecast begin as if what is known below it
 * erred independently.
 */
static void
set_limits(const Problem *problem, Answer *answer, const double *spread)
{
	int			n = problem->n;
	int			h = problem->tree.h;
	double	   *ends[2];

	answer->lower = ends[0] = alloc_huge((Size) n * h, sizeof(double));
	answer->upper = ends[1] = alloc_huge((Size) n * h, sizeof(double));
	for (int end = 0; end < 2; end++)
	{
		double	   *limits = ends[end];
		int			sign = end == 0 ? -1 : 1;

		/* first how far they are from the mean */
		memset(limits, 0, (Size) n * h * sizeof(double));
		for (int k = n - 1; k >= 0; k--)
		{
			const TreeNode *node = &problem->nodes[problem->order[k]];
			const double *own = end == 0 ? node->lower : node->upper;
			bool		has_forecast = node->entry && node->entry->h > 0;
			int			up = problem->tree.parent[k];

			for (int i = 0; i < h; i++)
			{
				double	   *half = &limits[(Size) k * h + i];

				*half = !has_forecast ? sqrt(*half) : own ? sign * (own[i] - node->mean[i]) : NAN;
				if (up >= 0 && isnan(problem->base[(Size) up * h]))
					limits[(Size) up * h + i] += *half * *half;
			}
		}
		for (int k = 0; k < n; k++)
			for (int i = 0; i < h; i++)
			{
				Size		at = (Size) k * h + i;

				limits[at] = answer->mean[at] + sign * spread[k] * limits[at];
				if (problem->tree.is_positive && limits[at] < 0)
					limits[at] = 0;
			}
		CHECK_FOR_INTERRUPTS();
	}
}

/* Not for a single step, neither below nor above. */
static bool
has_no_limits(const Answer *answer, Size at, int h)
{
	for (int i = 0; i < h; i++)
		if (!isnan(answer->lower[at + i]) || !isnan(answer->upper[at + i]))
			return false;
	return true;
}

static Datum
path_datum(TupleDesc desc, const Problem *problem, const Answer *answer, int k)
{
	int			h = problem->tree.h;
	Size		at = (Size) k * h;
	Datum		values[PATH_WIDTH] = {0};
	bool		nulls[PATH_WIDTH] = {false};

	values[PATH_METHOD] = CStringGetTextDatum(answer->method);
	nulls[PATH_LEVEL] = problem->level == 0;
	values[PATH_LEVEL] = Float8GetDatum(problem->level);
	nulls[PATH_PERIOD] = problem->periods == NULL;
	if (problem->periods)
		values[PATH_PERIOD] = periods_datum(problem->periods, h);
	values[PATH_MEAN] = PointerGetDatum(spm_float8_array(answer->mean + at, h));
	nulls[PATH_LOWER] = nulls[PATH_UPPER] = answer->lower == NULL || has_no_limits(answer, at, h);
	if (!nulls[PATH_LOWER])
	{
		values[PATH_LOWER] = PointerGetDatum(spm_float8_array(answer->lower + at, h));
		values[PATH_UPPER] = PointerGetDatum(spm_float8_array(answer->upper + at, h));
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static Datum
rows_datum(FunctionCallInfo fcinfo, const Problem *problem, const Answer *answer)
{
	Oid			row_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	TupleDesc	desc = lookup_rowtype_tupdesc(row_type, -1);
	TupleDesc	path_desc = lookup_rowtype_tupdesc(TupleDescAttr(desc, ROW_PATH)->atttypid, -1);
	int			n = problem->n;
	int			h = problem->tree.h;
	Datum	   *rows = alloc_huge(n, sizeof(Datum));
	int		   *depth = alloc_huge(n, sizeof(int));
	bool	   *is_leaf = alloc_huge(n, sizeof(bool));

	for (int k = 0; k < n; k++)
	{
		int			up = problem->tree.parent[k];

		is_leaf[k] = true;
		depth[k] = up < 0 ? 0 : depth[up] + 1;
		if (up >= 0)
			is_leaf[up] = false;
	}
	for (int k = 0; k < n; k++)
	{
		const TreeNode *node = &problem->nodes[problem->order[k]];
		Datum		values[ROW_WIDTH];
		bool		nulls[ROW_WIDTH] = {false};

		CHECK_FOR_INTERRUPTS();
		values[ROW_NODE] = PointerGetDatum(cstring_to_text_with_len(node->name, node->name_size));
		nulls[ROW_PARENT] = node->parent == NULL;
		if (node->parent)
			values[ROW_PARENT] = PointerGetDatum(cstring_to_text_with_len(node->parent, node->parent_size));
		values[ROW_DEPTH] = Int32GetDatum(depth[k]);
		values[ROW_LEAF] = BoolGetDatum(is_leaf[k]);
		nulls[ROW_BASE] = node->entry == NULL || node->entry->h == 0;
		values[ROW_BASE] = PointerGetDatum(spm_float8_array(problem->base + (Size) k * h, h));
		values[ROW_PATH] = path_datum(path_desc, problem, answer, k);
		rows[k] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	ReleaseTupleDesc(path_desc);
	ReleaseTupleDesc(desc);
	return PointerGetDatum(construct_array(rows, n, row_type, -1, false, TYPALIGN_DOUBLE));
}

Datum
spm_reconcile_final(PG_FUNCTION_ARGS)
{
	Tree	   *state = (Tree *) PG_GETARG_POINTER(0);
	Problem		problem = {0};
	SpmHierarchy *tree = &problem.tree;
	SpmReconcileStatus status;
	double		shrinkage;
	double	   *space;
	int		   *marks;
	double	   *spread;
	Answer		answer = {0};
	int			at = 0;

	problem.nodes = gather_nodes(state, &problem.n);
	check_forecasts(&problem);
	if (tree->h == 0)
		PG_RETURN_NULL();
	order_nodes(&problem);
	fill_numbers(&problem);
	tree->is_positive = state->options.is_positive;
	if (state->options.method >= 0)
		tree->method = state->options.method;
	else
		tree->method = tree->t > 0 ? SPM_RECONCILE_MINT : SPM_RECONCILE_STRUCTURE;
	if (tree->method == SPM_RECONCILE_TOP_DOWN && tree->t > 0)
		fill_weights(&problem);
	space = alloc_huge(spmk_reconcile_space(tree), sizeof(double));
	marks = alloc_huge(spmk_reconcile_marks(tree), sizeof(int));
	answer.mean = alloc_huge((Size) tree->n * tree->h, sizeof(double));
	spread = problem.has_limits ? alloc_huge(tree->n, sizeof(double)) : NULL;
	status = spmk_reconcile(tree, answer.mean, spread, space, marks, &spm_breath, &shrinkage, &at);
	check_status(status, tree, &problem.nodes[problem.order[at]]);
	answer.method = isnan(shrinkage) ? methods[tree->method].shown : psprintf("%s(%.2f)", methods[tree->method].shown, shrinkage);
	if (spread)
		set_limits(&problem, &answer, spread);
	return rows_datum(fcinfo, &problem, &answer);
}
