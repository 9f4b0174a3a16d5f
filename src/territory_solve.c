/*
 * territory_solve.c
 *	  Transport and assignment for SQL: tables of costs in, rows of a plan out.
 *
 * A table is an array of two dimensions, a row a unit and a column a seat.
 * NULL and infinity mean that a pair is not allowed.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "kernel/gap.h"
#include "kernel/lap.h"
#include "kernel/transport.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_transport);
PG_FUNCTION_INFO_V1(spm_linear_assignment);
PG_FUNCTION_INFO_V1(spm_generalized_assignment);
PG_FUNCTION_INFO_V1(spm_generalized_assignment_report);

#define DEFAULT_MOVES INT64CONST(2000000)	/* a few seconds */

static void
refuse_number(double number, const char *what, int row, int column)
{
	char	   *where = column > 0 ? psprintf("[%d][%d]", row, column) : psprintf("[%d]", row);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 isnan(number) ? errmsg("%s%s is NaN", what, where)
			 : isinf(number) ? errmsg("%s%s is infinite", what, where)
			 : !spmk_is_solvable(number) ? errmsg("%s%s is neither 0 nor from 1e-30 to 1e+30: %g", what, where, number)
			 : errmsg("%s%s is negative: %g", what, where, number)));
}

/* The elements as they lie in the array; with NULLs, a copy in which they are infinite. */
static double *
elements(ArrayType *array, const char *what, bool may_miss)
{
	int64		count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double	   *numbers = (double *) ARR_DATA_PTR(array);
	double	   *copy;
	bits8	   *bitmap = ARR_NULLBITMAP(array);
	int64		at = 0;

	if (!ARR_HASNULL(array))
		return numbers;
	copy = spm_alloc_doubles(count);
	for (int64 i = 0; i < count; i++)
	{
		if (bitmap[i / 8] & (1 << i % 8))
			copy[i] = numbers[at++];
		else if (may_miss)
			copy[i] = INFINITY;
		else
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s[%lld] is null", what, (long long) i + 1)));
	}
	return copy;
}

/* A table of costs: not empty, no NaN, nothing of -infinity. */
static const double *
costs_arg(FunctionCallInfo fcinfo, int arg, int *nrows, int *ncolumns)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	const double *costs;

	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 ARR_NDIM(array) == 0 ? errmsg("costs are empty")
				 : errmsg("costs must have two dimensions, not %d", ARR_NDIM(array)),
				 errhint("Give one row for each unit, one column for each seat: ARRAY[[3, 5], [4, 1]].")));
	*nrows = ARR_DIMS(array)[0];
	*ncolumns = ARR_DIMS(array)[1];
	costs = elements(array, "costs", true);
	for (int i = 0; i < *nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < *ncolumns; j++)
		{
			double		cost = costs[(size_t) i * *ncolumns + j];

			if (isnan(cost) || cost == -INFINITY || (!isinf(cost) && !spmk_is_solvable(cost)))
				refuse_number(cost, "costs", i + 1, j + 1);
		}
	}
	return costs;
}

/* A list of 'n' amounts >= 0. */
static const double *
amounts_arg(FunctionCallInfo fcinfo, int arg, const char *what, int n, const char *of, bool may_be_infinite)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *amounts;

	if (ARR_NDIM(array) > 1 || count != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a list with one element for each %s", what, of),
				 errdetail("There are %d elements, and costs for %d.", count, n)));
	amounts = elements(array, what, may_be_infinite);
	for (int i = 0; i < n; i++)
		if (isnan(amounts[i]) || amounts[i] < 0 || (isinf(amounts[i]) ? !may_be_infinite : !spmk_is_solvable(amounts[i])))
			refuse_number(amounts[i], what, i + 1, 0);
	return amounts;
}

static void *
room(Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
}

/* What is needed lives until the rows are out. */
static MemoryContext
enter_context(void)
{
	return MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "spm solver", ALLOCSET_DEFAULT_SIZES));
}

static Datum
leave_context(MemoryContext caller)
{
	MemoryContext own = MemoryContextSwitchTo(caller);

	MemoryContextDelete(own);
	return (Datum) 0;
}

static double
sum_of(const double *numbers, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += numbers[i];
	return sum;
}

/* How to widen what is too narrow. */
#define HINT_TRANSPORT "Raise capacities, lower minimums, or allow more pairs: a cost that is NULL or infinite forbids one."

static void
refuse_transport(const SpmTransport *t, SpmTransportStatus status)
{
	switch (status)
	{
		case SPM_TRANSPORT_OK:
			break;
		case SPM_TRANSPORT_NO_ROOM:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("supplies of %g do not fit capacities of %g",
							sum_of(t->supplies, t->nunits), sum_of(t->capacities, t->nseats)),
					 errhint(HINT_TRANSPORT)));
			break;
		case SPM_TRANSPORT_TOO_LITTLE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("supplies of %g do not reach minimums of %g",
							sum_of(t->supplies, t->nunits), sum_of(t->minimums, t->nseats)),
					 errhint(HINT_TRANSPORT)));
			break;
		case SPM_TRANSPORT_NO_SEAT:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unit %d may go to no seat", t->unit + 1),
					 errhint(HINT_TRANSPORT)));
			break;
		case SPM_TRANSPORT_OVERFULL:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("units that may go nowhere else do not fit seat %d", t->seat + 1),
					 errdetail("Unit %d is one of them. Other seats that they may go to are full as well.", t->unit + 1),
					 errhint(HINT_TRANSPORT)));
			break;
		case SPM_TRANSPORT_STARVED:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("seat %d cannot be given its minimum", t->seat + 1),
					 errdetail("The units that may go there are too few, or other seats need them."),
					 errhint(HINT_TRANSPORT)));
			break;
	}
}

/* spm.transport(costs, supplies, capacities, minimums) */
Datum
spm_transport(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SpmTransport t = {.breath = &spm_breath};
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = enter_context();
	t.costs = costs_arg(fcinfo, 0, &t.nunits, &t.nseats);
	t.supplies = amounts_arg(fcinfo, 1, "supplies", t.nunits, "unit", false);
	t.capacities = amounts_arg(fcinfo, 2, "capacities", t.nseats, "seat", true);
	if (ARR_NDIM(PG_GETARG_ARRAYTYPE_P(3)) > 0)
		t.minimums = amounts_arg(fcinfo, 3, "minimums", t.nseats, "seat", false);
	for (int j = 0; t.minimums && j < t.nseats; j++)
		if (t.minimums[j] > t.capacities[j])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("minimum of seat %d is above its capacity", j + 1),
					 errdetail("The minimum is %g, the capacity %g.", t.minimums[j], t.capacities[j])));
	t.prices = memset(room(t.nseats * sizeof(double)), 0, t.nseats * sizeof(double));
	t.pieces = room(spmk_transport_pieces(t.nunits, t.nseats) * sizeof(SpmPiece));
	refuse_transport(&t, spmk_transport(&t, room(spmk_transport_memory(t.nunits, t.nseats))));
	for (int i = 0; i < t.npieces; i++)
	{
		SpmPiece	piece = t.pieces[i];
		double		cost = t.costs[(size_t) piece.unit * t.nseats + piece.seat];
		Datum		values[6];
		bool		nulls[6] = {0};

		values[0] = Int32GetDatum(piece.unit + 1);
		values[1] = Int32GetDatum(piece.seat + 1);
		values[2] = Float8GetDatum(piece.amount);
		values[3] = Float8GetDatum(piece.amount * cost);
		values[4] = Float8GetDatum(cost + t.prices[piece.seat]);
		values[5] = Float8GetDatum(t.prices[piece.seat]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return leave_context(caller);
}

/* spm.linear_assignment(costs) */
Datum
spm_linear_assignment(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SpmLap		p = {.breath = &spm_breath};
	MemoryContext caller;
	int			nunits;
	int			nseats;
	const double *costs;
	bool		is_turned;
	int		   *units;			/* of columns, where seats are the rows */

	InitMaterializedSRF(fcinfo, 0);
	caller = enter_context();
	costs = costs_arg(fcinfo, 0, &nunits, &nseats);
	is_turned = nunits > nseats;
	p.nrows = Min(nunits, nseats);
	p.ncolumns = Max(nunits, nseats);
	p.costs = costs;
	if (is_turned)
	{
		double	   *turned = room(sizeof(double) * nunits * nseats);

		for (int i = 0; i < nunits; i++)
			for (int j = 0; j < nseats; j++)
				turned[(size_t) j * nunits + i] = costs[(size_t) i * nseats + j];
		p.costs = turned;
	}
	p.columns = room(p.nrows * sizeof(int));
	p.row_prices = room(p.nrows * sizeof(double));
	p.column_prices = room(p.ncolumns * sizeof(double));
	if (!spmk_lap(&p, room(spmk_lap_memory(p.nrows, p.ncolumns))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %d cannot be assigned together with the others", is_turned ? "seat" : "unit", p.row + 1),
				 errdetail("Too few pairs are allowed."),
				 errhint("A cost that is NULL or infinite forbids a pair: allow more of them.")));

	/* in the order of units */
	units = room(nunits * sizeof(int));
	for (int i = 0; i < nunits; i++)
		units[i] = is_turned ? -1 : p.columns[i];
	for (int j = 0; is_turned && j < nseats; j++)
		units[p.columns[j]] = j;
	for (int i = 0; i < nunits; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {0};

		if (units[i] < 0)
			continue;
		values[0] = Int32GetDatum(i + 1);
		values[1] = Int32GetDatum(units[i] + 1);
		values[2] = Float8GetDatum(costs[(size_t) i * nseats + units[i]]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return leave_context(caller);
}

static const double *
loads_arg(FunctionCallInfo fcinfo, int arg, const SpmGap *p)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	double	   *loads;

	if (ARR_NDIM(array) != 2 || ARR_DIMS(array)[0] != p->njobs || ARR_DIMS(array)[1] != p->nagents)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("loads must have the dimensions of costs: %d jobs by %d agents", p->njobs, p->nagents)));
	loads = elements(array, "loads", true);
	for (int i = 0; i < p->njobs; i++)
		for (int j = 0; j < p->nagents; j++)
		{
			size_t		pair = (size_t) i * p->nagents + j;

			if (isnan(loads[pair]) || loads[pair] < 0 || (isinf(loads[pair]) ? !isinf(p->costs[pair]) : !spmk_is_solvable(loads[pair])))
				refuse_number(loads[pair], "loads", i + 1, j + 1);
		}
	return loads;
}

/* The plan, or an error that says why there is none. */
static SpmGap
generalized_assignment(FunctionCallInfo fcinfo)
{
	SpmGap		p = {.moves = PG_GETARG_INT64(3), .seed = (uint64_t) PG_GETARG_INT64(4), .breath = &spm_breath};
	SpmGapStatus status;

	if (p.moves < 0 || p.moves > SPMK_MOVES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("moves must be from 0 to %lld", (long long) SPMK_MOVES_MAX),
				 errhint("Leave it out for %lld.", (long long) DEFAULT_MOVES)));
	p.costs = costs_arg(fcinfo, 0, &p.njobs, &p.nagents);
	p.loads = loads_arg(fcinfo, 1, &p);
	p.capacities = amounts_arg(fcinfo, 2, "capacities", p.nagents, "agent", false);
	p.agents = room(p.njobs * sizeof(int));
	p.prices = room(p.nagents * sizeof(double));
	if (p.moves == 0)
		p.moves = DEFAULT_MOVES;
	status = spmk_gap(&p, room(spmk_gap_memory(p.njobs, p.nagents)));
	if (status == SPM_GAP_NO_AGENT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("job %d fits no agent that it may go to", p.job + 1),
				 errhint("Raise the capacity of an agent, or allow more pairs: a cost that is NULL or infinite forbids one.")));
	if (status == SPM_GAP_NO_ROOM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("jobs do not fit the capacities, however they are divided"),
				 errhint("Raise capacities, or allow more pairs: a cost that is NULL or infinite forbids one.")));
	if (status == SPM_GAP_NOT_FOUND)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("no plan within all capacities was found"),
				 errdetail("It is not proven that there is none: the capacities leave little room."),
				 errhint("Raise capacities, or search longer: moves => %lld.", (long long) p.moves * 10)));
	return p;
}

/* spm.generalized_assignment(costs, loads, capacities, moves, seed) */
Datum
spm_generalized_assignment(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;
	SpmGap		p;

	InitMaterializedSRF(fcinfo, 0);
	caller = enter_context();
	p = generalized_assignment(fcinfo);
	for (int i = 0; i < p.njobs; i++)
	{
		size_t		pair = (size_t) i * p.nagents + p.agents[i];
		Datum		values[4];
		bool		nulls[4] = {0};

		values[0] = Int32GetDatum(i + 1);
		values[1] = Int32GetDatum(p.agents[i] + 1);
		values[2] = Float8GetDatum(p.costs[pair]);
		values[3] = Float8GetDatum(p.loads[pair]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return leave_context(caller);
}

/* spm.generalized_assignment_report(costs, loads, capacities, moves, seed) */
Datum
spm_generalized_assignment_report(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {0};
	MemoryContext caller = enter_context();
	MemoryContext own;
	SpmGap		p = generalized_assignment(fcinfo);
	Datum	   *agents = palloc(p.njobs * sizeof(Datum));
	Datum	   *prices = palloc(p.nagents * sizeof(Datum));
	HeapTuple	tuple;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < p.njobs; i++)
		agents[i] = Int32GetDatum(p.agents[i] + 1);
	for (int j = 0; j < p.nagents; j++)
		prices[j] = Float8GetDatum(p.prices[j]);
	values[0] = Float8GetDatum(p.value);
	values[1] = Float8GetDatum(p.bound);
	values[2] = Float8GetDatum((p.value - p.bound) / fabs(p.bound));
	nulls[2] = p.bound == 0;
	values[3] = BoolGetDatum(p.value <= p.bound);
	values[4] = PointerGetDatum(construct_array(agents, p.njobs, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[5] = PointerGetDatum(construct_array(prices, p.nagents, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	own = MemoryContextSwitchTo(caller);
	tuple = heap_form_tuple(BlessTupleDesc(desc), values, nulls);
	MemoryContextDelete(own);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
