/*
 * forecast_odds.c
 *	  Win odds of open deals, what they and deals to come may bring, and how
 *	  likely it reaches a goal: between SQL and src/kernel/{hazard,simulate}.c.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"

#include "kernel/hazard.h"
#include "kernel/poisson_binomial.h"
#include "kernel/simulate.h"
#include "numbers.h"

#define DEALS_MAX 100000		/* the exact distribution takes the square of it */
#define HORIZON_MAX 1100

PG_FUNCTION_INFO_V1(spm_odds);
PG_FUNCTION_INFO_V1(spm_poisson_binomial);
PG_FUNCTION_INFO_V1(spm_simulate_deals);
PG_FUNCTION_INFO_V1(spm_deal_futures);

static const double shares[] = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};

#define NSHARES ((int) lengthof(shares))

/* Elements of an array; NULLs become 'missing', or are refused where there is none. */
typedef struct Column
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
} Column;

static Column
column_arg(FunctionCallInfo fcinfo, int arg, const char *what, int n, bool may_be_null)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	Oid			type = ARR_ELEMTYPE(array);
	Column		column;

	if (type == FLOAT8OID)
		deconstruct_array(array, type, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &column.values, &column.nulls, &column.n);
	else
		deconstruct_array(array, type, sizeof(int32), true, TYPALIGN_INT, &column.values, &column.nulls, &column.n);
	if (n >= 0 && column.n != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be one %s for each deal", what),
				 errdetail("There are %d for %d.", column.n, n)));
	for (int i = 0; i < column.n && !may_be_null; i++)
		if (column.nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s %d is null", what, i + 1)));
	return column;
}

static double
number_at(const Column *column, int i)
{
	return column->nulls[i] ? NAN : DatumGetFloat8(column->values[i]);
}

/* Numbers from 'least' to 'most'. */
static double *
numbers_arg(FunctionCallInfo fcinfo, int arg, const char *what, int *n, double most)
{
	Column		column = column_arg(fcinfo, arg, what, *n, false);
	double	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext, (column.n + 1) * sizeof(double));

	*n = column.n;
	for (int i = 0; i < column.n; i++)
	{
		numbers[i] = DatumGetFloat8(column.values[i]);
		if (!(numbers[i] >= 0 && numbers[i] <= most))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s %d is %g", what, i + 1, numbers[i]),
					 errdetail("It must be from 0 to %g.", most)));
	}
	return numbers;
}

static int
paths_arg(FunctionCallInfo fcinfo, int arg)
{
	int			paths = PG_GETARG_INT32(arg);

	if (paths < 100 || paths > SPMK_PATHS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("paths must be from 100 to %d", SPMK_PATHS_MAX),
				 errhint("10000 is enough for most: limits then move by about 1%% of their width from seed to seed.")));
	return paths;
}

static void
check_shock(double shock)
{
	if (!(shock >= 0 && shock <= 2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("shock must be from 0 to 2"),
				 errhint("0.15: the total goes up and down by 15%% for reasons that all deals share. 0: deals have nothing in common.")));
}

/* spm.poisson_binomial(odds float8[]) */
Datum
spm_poisson_binomial(PG_FUNCTION_ARGS)
{
	int			n = -1;
	double	   *odds = numbers_arg(fcinfo, 0, "odds", &n, 1);
	double	   *probability;
	Datum	   *datums;

	if (n > DEALS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d deals", DEALS_MAX),
				 errhint("Take spm.simulate_deals(odds, amounts), with amounts of 1.")));
	probability = palloc((n + 1) * sizeof(double));
	datums = palloc((n + 1) * sizeof(Datum));
	spmk_poisson_binomial(odds, n, probability, &spm_breath);
	for (int i = 0; i <= n; i++)
		datums[i] = Float8GetDatum(probability[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, n + 1, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* What deals bring together in each of some futures; the arguments that both functions begin with. */
static double *
futures_of(FunctionCallInfo fcinfo, int *paths)
{
	int			n = -1;
	double	   *odds = numbers_arg(fcinfo, 0, "odds", &n, 1);
	double	   *amounts = numbers_arg(fcinfo, 1, "amount", &n, SPM_SOLVE_MOST);
	SpmVenture *ventures = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(SpmVenture));
	SpmSimulation simulation = {.ventures = ventures, .n = n, .nleaves = 1, .paths = paths_arg(fcinfo, 2),
		.seed = (uint64) PG_GETARG_INT64(3), .shock = PG_GETARG_FLOAT8(4)};
	double	   *sums = MemoryContextAllocHuge(CurrentMemoryContext, simulation.paths * sizeof(double));

	check_shock(simulation.shock);
	for (int i = 0; i < n; i++)
		ventures[i] = (SpmVenture) {.chance = odds[i], .amount = amounts[i]};
	spmk_simulate(&simulation, sums, MemoryContextAllocHuge(CurrentMemoryContext, spmk_simulate_bytes(&simulation)), &spm_breath);
	*paths = simulation.paths;
	return sums;
}

/* spm.simulate_deals(odds, amounts, paths, seed, shock, goal) */
Datum
spm_simulate_deals(PG_FUNCTION_ARGS)
{
	int			paths;
	double	   *sums = futures_of(fcinfo, &paths);
	double	   *scratch = MemoryContextAllocHuge(CurrentMemoryContext, paths * sizeof(double));
	double		goal = PG_GETARG_FLOAT8(5);
	SpmSpread	spread;
	TupleDesc	tupdesc;
	Datum		values[4 + NSHARES];
	bool		nulls[4 + NSHARES] = {false};
	int			k = 0;

	if (isnan(goal))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("goal cannot be NaN")));
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	spmk_spread(sums, scratch, paths, goal, &spread, &spm_breath);
	values[k++] = Float8GetDatum(spread.mean);
	values[k++] = Float8GetDatum(spread.sd);
	for (int i = 0; i < NSHARES; i++)
		values[k++] = Float8GetDatum(spmk_quantile(sums, paths, shares[i]));
	values[k++] = Float8GetDatum(spread.reached);
	values[k++] = Float8GetDatum(spread.shortfall);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
}

/* spm.deal_futures(odds, amounts, paths, seed, shock) */
Datum
spm_deal_futures(PG_FUNCTION_ARGS)
{
	int			paths;
	double	   *sums = futures_of(fcinfo, &paths);
	Datum	   *datums = palloc(paths * sizeof(Datum));

	for (int i = 0; i < paths; i++)
		datums[i] = Float8GetDatum(sums[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, paths, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* What comes out of spm._odds: rows of a kind, each with its numbers. */
static void
put_row(ReturnSetInfo *result, const char *kind, int item, const double *numbers, int n)
{
	Datum	   *datums = palloc(n * sizeof(Datum));
	Datum		values[3];
	bool		nulls[3] = {false};

	for (int i = 0; i < n; i++)
		datums[i] = Float8GetDatum(numbers[i]);
	values[0] = CStringGetTextDatum(kind);
	values[1] = Int32GetDatum(item);
	values[2] = PointerGetDatum(construct_array(datums, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(datums);
	pfree(DatumGetPointer(values[2]));
	pfree(DatumGetPointer(values[0]));
}

enum
{
	ARG_DEAL,
	ARG_STAGE,
	ARG_SEGMENT,
	ARG_OWNER,
	ARG_ENTERED,
	ARG_SEEN,
	ARG_LEFT,
	ARG_EVENT,
	ARG_AMOUNT,
	ARG_WON_AMOUNT,
	ARG_AS_OF,
	ARG_HORIZON,
	ARG_WINDOW,
	ARG_REVIEWS,
	ARG_PATHS,
	ARG_SEED,
	ARG_SHOCK,
	ARG_PARENT,
	ARG_ALREADY,
	ARG_GOAL,
	ARG_OTHER,
	ARG_DATE_DEAL,
	ARG_DATE_TOLD,
	ARG_DATE
};

static void
read_pipeline(FunctionCallInfo fcinfo, SpmPipeline *pipeline)
{
	static const char *const names[] = {"deal", "stage", "segment", "owner", "entered", "seen", "left", "event", "amount", "won amount"};
	Column		columns[ARG_WON_AMOUNT + 1];
	SpmSpell   *spells;
	int			n = -1;

	for (int i = 0; i <= ARG_WON_AMOUNT; i++)
	{
		columns[i] = column_arg(fcinfo, i, names[i], n, i == ARG_LEFT || i >= ARG_EVENT);
		n = columns[i].n;
	}
	*pipeline = (SpmPipeline) {.n = n, .nstages = 1, .nsegments = 1, .nowners = 1};
	spells = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(SpmSpell));
	pipeline->spells = spells;
	for (int i = 0; i < n; i++)
	{
		SpmSpell   *s = &spells[i];
		bool		is_open = columns[ARG_LEFT].nulls[i] || columns[ARG_EVENT].nulls[i];

		*s = (SpmSpell) {
			.deal = DatumGetInt32(columns[ARG_DEAL].values[i]),
			.stage = DatumGetInt32(columns[ARG_STAGE].values[i]),
			.segment = DatumGetInt32(columns[ARG_SEGMENT].values[i]),
			.owner = DatumGetInt32(columns[ARG_OWNER].values[i]),
			.entered = DatumGetDateADT(columns[ARG_ENTERED].values[i]),
			.seen = DatumGetDateADT(columns[ARG_SEEN].values[i]),
			.left = is_open ? 0 : DatumGetDateADT(columns[ARG_LEFT].values[i]),
			.event = is_open ? SPM_SPELL_OPEN : DatumGetInt32(columns[ARG_EVENT].values[i]),
			.amount = number_at(&columns[ARG_AMOUNT], i),
			.won_amount = number_at(&columns[ARG_WON_AMOUNT], i)
		};
		if (s->stage < 0 || s->segment < 0 || s->owner < 0 || s->event < SPM_SPELL_OPEN ||
			DATE_NOT_FINITE(s->entered) || DATE_NOT_FINITE(s->left))
			elog(ERROR, "spell %d is no spell", i + 1);
		pipeline->nstages = Max(pipeline->nstages, Max(s->stage, s->event - SPM_SPELL_MOVED) + 1);
		pipeline->nsegments = Max(pipeline->nsegments, s->segment + 1);
		pipeline->nowners = Max(pipeline->nowners, s->owner + 1);
	}
	if (pipeline->nstages > SPMK_STAGES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("deals are in more than %d stages", SPMK_STAGES_MAX),
				 errhint("Map stages that mean the same to one word, in a view over the CRM's table.")));
}

/* Close dates of deals, in order of deals and days. */
static void
read_dates(FunctionCallInfo fcinfo, SpmPipeline *pipeline)
{
	Column		deals = column_arg(fcinfo, ARG_DATE_DEAL, "deal", -1, false);
	Column		told = column_arg(fcinfo, ARG_DATE_TOLD, "day", deals.n, false);
	Column		dates = column_arg(fcinfo, ARG_DATE, "close date", deals.n, false);
	SpmCloseDate *rows = MemoryContextAllocHuge(CurrentMemoryContext, (deals.n + 1) * sizeof(SpmCloseDate));

	for (int i = 0; i < deals.n; i++)
	{
		rows[i] = (SpmCloseDate) {
			.deal = DatumGetInt32(deals.values[i]),
			.told = DatumGetDateADT(told.values[i]),
			.date = DatumGetDateADT(dates.values[i])
		};
		if (DATE_NOT_FINITE(rows[i].date) || (i > 0 && (rows[i].deal < rows[i - 1].deal ||
														(rows[i].deal == rows[i - 1].deal && rows[i].told <= rows[i - 1].told))))
			elog(ERROR, "close date %d is out of order", i + 1);
	}
	pipeline->dates = rows;
	pipeline->ndates = deals.n;
}

/* The tree that sums go up: the first nodes are owners, a parent comes after all below it. */
typedef struct Tree
{
	int			n;
	int		   *parent;			/* -1: none */
	double	   *already;		/* won so far, with what is below */
	double	   *goal;			/* NaN: none */
} Tree;

static Tree
read_tree(FunctionCallInfo fcinfo, int nowners)
{
	Column		parents = column_arg(fcinfo, ARG_PARENT, "parent", -1, false);
	Column		already = column_arg(fcinfo, ARG_ALREADY, "amount won", parents.n, false);
	Column		goals = column_arg(fcinfo, ARG_GOAL, "goal", parents.n, true);
	Tree		tree = {.n = parents.n};

	if (tree.n < nowners)
		elog(ERROR, "there are %d nodes for %d owners", tree.n, nowners);
	tree.parent = palloc(tree.n * sizeof(int));
	tree.already = palloc(tree.n * sizeof(double));
	tree.goal = palloc(tree.n * sizeof(double));
	for (int i = 0; i < tree.n; i++)
	{
		tree.parent[i] = DatumGetInt32(parents.values[i]);
		tree.already[i] = number_at(&already, i);
		tree.goal[i] = number_at(&goals, i);
		if (tree.parent[i] >= 0 && (tree.parent[i] <= i || tree.parent[i] >= tree.n))
			elog(ERROR, "node %d comes after its parent", i);
	}
	for (int i = 0; i < tree.n; i++)
		if (tree.parent[i] >= 0)
			tree.already[tree.parent[i]] += tree.already[i];
	return tree;
}

/* A venture and where it goes besides its owner. */
typedef struct Place
{
	int			owner;
	int			other;			/* -1: nowhere */
	int			item;
} Place;

static int
compare_places(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->other != y->other)
		return x->other < y->other ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/* The other node of the deal of each spell: a tree beside that of owners, such as territories. */
static int *
read_other(FunctionCallInfo fcinfo, int nspells, int nowners, int nnodes)
{
	Column		column = column_arg(fcinfo, ARG_OTHER, "node", nspells, true);
	int		   *other = palloc((nspells + 1) * sizeof(int));

	for (int i = 0; i < nspells; i++)
	{
		other[i] = column.nulls[i] ? -1 : DatumGetInt32(column.values[i]);
		if (other[i] >= nnodes || (other[i] >= 0 && other[i] < nowners))
			elog(ERROR, "spell %d goes to node %d", i + 1, other[i]);
	}
	return other;
}

/* The paths of every node, and what each row says of them. */
static void
simulate(FunctionCallInfo fcinfo, ReturnSetInfo *result, const SpmHazard *hazard, const SpmPipeline *pipeline,
		 const SpmChanceItem *items, int n, const SpmReview *review)
{
	int			paths = paths_arg(fcinfo, ARG_PATHS);
	Tree		tree = read_tree(fcinfo, pipeline->nowners);
	SpmVenture *ventures = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(SpmVenture));
	SpmLeaf    *leaves = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(SpmLeaf));
	Place	   *places = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(Place));
	int		   *other = read_other(fcinfo, pipeline->n, pipeline->nowners, tree.n);
	double	   *expected = palloc0(tree.n * 2 * sizeof(double));
	double	   *sums;
	double	   *scratch;
	double		total = 0;
	double		squares = 0;
	SpmSimulation simulation = {.ventures = ventures, .n = n, .leaves = leaves, .paths = paths,
		.seed = (uint64) PG_GETARG_INT64(ARG_SEED), .ratios = hazard->ratios, .nratios = hazard->nratios};

	if ((double) tree.n * paths * sizeof(double) > 4e9)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d paths for %d seats and owners take more than 4 GB", paths, tree.n),
				 errhint("Ask for fewer paths.")));
	for (int i = 0; i < n; i++)
	{
		places[i] = (Place) {.owner = pipeline->spells[items[i].spell].owner, .other = other[items[i].spell], .item = i};
		expected[places[i].owner * 2 + items[i].is_new] += items[i].won * items[i].amount;
		if (places[i].other >= 0)
			expected[places[i].other * 2 + items[i].is_new] += items[i].won * items[i].amount;
	}
	for (int i = 0; i < pipeline->nowners; i++)
	{
		double		own = expected[i * 2] + expected[i * 2 + 1];

		total += own;
		squares += own * own;
	}
	/* by leaf, in the order in which they came: open deals before those to come */
	qsort(places, n, sizeof(Place), compare_places);
	for (int i = 0; i < n; i++)
	{
		const SpmChanceItem *item = &items[places[i].item];

		if (i == 0 || places[i].owner != places[i - 1].owner || places[i].other != places[i - 1].other)
			leaves[simulation.nleaves++] = (SpmLeaf) {.owner = places[i].owner, .other = places[i].other};
		ventures[i] = (SpmVenture) {.leaf = simulation.nleaves - 1, .is_many = item->is_new, .chance = item->won, .amount = item->amount};
	}
	/* the total's shock was seen with those of owners in it */
	simulation.shock_leaf = pipeline->nowners > 1 ? review->shock_owner : 0;
	simulation.shock = review->shock * review->shock -
		(total > 0 ? simulation.shock_leaf * simulation.shock_leaf * squares / (total * total) : 0);
	simulation.shock = simulation.shock > 0 ? sqrt(simulation.shock) : 0;
	sums = MemoryContextAllocHuge(CurrentMemoryContext, (Size) tree.n * paths * sizeof(double));
	scratch = MemoryContextAllocHuge(CurrentMemoryContext, paths * sizeof(double));
	memset(sums, 0, (Size) tree.n * paths * sizeof(double));
	spmk_simulate(&simulation, sums, MemoryContextAllocHuge(CurrentMemoryContext, spmk_simulate_bytes(&simulation)), &spm_breath);
	for (int node = 0; node < tree.n; node++)
	{
		double	   *own = sums + (Size) node * paths;
		double		numbers[8 + NSHARES];
		SpmSpread	spread;
		int			k = 0;

		spmk_breathe(&spm_breath);
		if (tree.parent[node] >= 0)
		{
			double	   *above = sums + (Size) tree.parent[node] * paths;

			for (int i = 0; i < paths; i++)
				above[i] += own[i];
			for (int i = 0; i < 2; i++)
				expected[tree.parent[node] * 2 + i] += expected[node * 2 + i];
		}
		spmk_spread(own, scratch, paths, tree.goal[node] - tree.already[node], &spread, &spm_breath);
		numbers[k++] = tree.already[node];
		numbers[k++] = expected[node * 2];
		numbers[k++] = expected[node * 2 + 1];
		numbers[k++] = spread.mean;
		numbers[k++] = spread.sd;
		for (int i = 0; i < NSHARES; i++)
			numbers[k++] = tree.already[node] + spmk_quantile(own, paths, shares[i]);
		numbers[k++] = isnan(tree.goal[node]) ? NAN : spread.reached;
		numbers[k++] = isnan(tree.goal[node]) ? NAN : spread.shortfall;
		put_row(result, "seat", node, numbers, k);
	}
}

static void
put_factor(ReturnSetInfo *result, const char *name, const SpmFactor *factor)
{
	for (int i = 0; i < factor->n; i++)
	{
		double		numbers[3 * SPMK_WAYS];

		for (int e = 0; e < SPMK_WAYS; e++)
		{
			numbers[e * 3] = factor->observed[e][i];
			numbers[e * 3 + 1] = factor->expected[e][i];
			numbers[e * 3 + 2] = factor->times[e][i];
		}
		put_row(result, name, i, numbers, lengthof(numbers));
	}
}

/*
 * spm._odds(...): rows (kind, item, numbers).  deal: an open spell, {won, lost, amount when won}; seat: a node, {already,
 * open deals, deals to come, mean, sd, quantiles, reached, shortfall}; run: {origins, independent, drift, drift_new, shock,
 * shock_owner, ratio, arrivals, won, lost, first day}; segment, owner, size, close_date: {observed, expected, times of lost, then of won, of moved}.
 */
Datum
spm_odds(PG_FUNCTION_ARGS)
{
	static const char *const factors[SPM_FACTORS] = {"segment", "owner", "size"};
	ReturnSetInfo *result;
	SpmPipeline pipeline;
	SpmHazard  *hazard = palloc0(sizeof(SpmHazard));
	SpmReview	review = {.drift = 1, .drift_new = 1};
	SpmChanceItem *items;
	int			as_of = PG_GETARG_DATEADT(ARG_AS_OF);
	int			horizon = PG_GETARG_INT32(ARG_HORIZON);
	int			window = PG_GETARG_INT32(ARG_WINDOW);
	int			reviews = PG_GETARG_INT32(ARG_REVIEWS);
	double		arrivals;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (horizon < 1 || horizon > HORIZON_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a forecast of deals must be for 1 to %d days", HORIZON_MAX),
				 errdetail("It is for %d.", horizon)));
	if (window < 1 || window > HORIZON_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window must be from 1 to %d days", HORIZON_MAX)));
	read_pipeline(fcinfo, &pipeline);
	read_dates(fcinfo, &pipeline);
	if (!spmk_hazard_fit(hazard, &pipeline, as_of, horizon,
						 MemoryContextAllocHuge(CurrentMemoryContext, spmk_hazard_bytes(&pipeline)), &spm_breath))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no deal has been won yet"),
				 errdetail("Odds are learned from deals that were won and lost by the day of the forecast."),
				 errhint("SELECT state, count(*) FROM spm.pipeline_on('%s') GROUP BY state; tells what was known.",
						 DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(as_of))))));
	if (reviews > 0)
	{
		void	   *memory = MemoryContextAllocHuge(CurrentMemoryContext, spmk_review_bytes(&pipeline, horizon));

		spmk_review(&review, &pipeline, as_of, horizon, window, reviews, memory, &spm_breath);
		pfree(memory);
		hazard->drift = review.drift;
		hazard->drift_new = review.drift_new;
	}
	if (!PG_ARGISNULL(ARG_SHOCK))
	{
		check_shock(PG_GETARG_FLOAT8(ARG_SHOCK));
		review.shock = PG_GETARG_FLOAT8(ARG_SHOCK);
		review.shock_owner = 0;
	}
	arrivals = spmk_arrivals(&pipeline, as_of, window);
	items = MemoryContextAllocHuge(CurrentMemoryContext, (2 * (Size) pipeline.n + 1) * sizeof(SpmChanceItem));
	n = spmk_hazard_items(hazard, &pipeline, horizon, arrivals, window, items,
						  MemoryContextAllocHuge(CurrentMemoryContext, spmk_hazard_space(&pipeline, horizon)), &spm_breath);
	for (int i = 0; i < n && !items[i].is_new; i++)
	{
		double		numbers[] = {items[i].won, items[i].lost, items[i].amount};

		put_row(result, "deal", items[i].spell + 1, numbers, lengthof(numbers));
	}
	{
		double		numbers[] = {review.origins, review.independent, review.drift, review.drift_new, review.shock, review.shock_owner,
		hazard->ratio, arrivals, hazard->nwon, hazard->nlost, hazard->first_day};

		put_row(result, "run", 0, numbers, lengthof(numbers));
	}
	for (int f = 0; f < SPM_FACTORS; f++)
		put_factor(result, factors[f], &hazard->factor[f]);
	if (pipeline.ndates > 0)
		put_factor(result, "close_date", &hazard->close);
	if (!PG_ARGISNULL(ARG_PATHS))
		simulate(fcinfo, result, hazard, &pipeline, items, n, &review);
	return (Datum) 0;
}
