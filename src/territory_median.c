/*
 * territory_median.c
 *	  Where seats should be: capacitated p-median over points or a matrix.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "kernel/median.h"
#include "numbers.h"

#define BOUND_STEPS 1000

PG_FUNCTION_INFO_V1(spm_p_median);
PG_FUNCTION_INFO_V1(spm_p_median_matrix);
PG_FUNCTION_INFO_V1(spm_p_median_report);
PG_FUNCTION_INFO_V1(spm_p_median_report_matrix);

typedef struct MedianPlan
{
	SpmMedian	problem;
	int		   *seat_of;
	double		value;
} MedianPlan;

/* "demand 3", "distance [2][5]" */
static char *
element(const char *what, ArrayType *array, int i)
{
	if (ARR_NDIM(array) == 2)
		return psprintf("%s [%d][%d]", what, i / ARR_DIMS(array)[1] + 1, i % ARR_DIMS(array)[1] + 1);
	return psprintf("%s %d", what, i + 1);
}

static void
element_error(int sqlstate, const char *what, ArrayType *array, int i, const char *problem)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s %s", element(what, array, i), problem)));
}

static bool
element_is_null(ArrayType *array, int i)
{
	const bits8 *bitmap = ARR_NULLBITMAP(array);

	return bitmap && !(bitmap[i / 8] & (1 << (i % 8)));
}

static ArrayType *
array_arg(FunctionCallInfo fcinfo, int arg, int *n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return array;
}

static void
check_length(const char *what, int n, int units)
{
	if (n != units)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be one %s for each unit", what),
				 errdetail("%d are given for %d units.", n, units)));
}

/* Finite numbers, where they lie in the array. */
static const double *
numbers_arg(FunctionCallInfo fcinfo, int arg, const char *what, bool may_be_negative, int *n)
{
	ArrayType  *array = array_arg(fcinfo, arg, n);
	const double *numbers = (const double *) ARR_DATA_PTR(array);

	for (int i = 0; i < *n; i++)
	{
		if (element_is_null(array, i))
			element_error(ERRCODE_NULL_VALUE_NOT_ALLOWED, what, array, i, "is null");
		if (!isfinite(numbers[i]))
			element_error(ERRCODE_INVALID_PARAMETER_VALUE, what, array, i, "is not finite");
		if (numbers[i] < 0 && !may_be_negative)
			element_error(ERRCODE_INVALID_PARAMETER_VALUE, what, array, i, "is negative");
		if (!spmk_is_solvable(numbers[i]))
			element_error(ERRCODE_INVALID_PARAMETER_VALUE, what, array, i, "is neither 0 nor from 1e-30 to 1e+30");
	}
	return numbers;
}

/* One for each unit, or one for all; NULL becomes -1: no seat can be here. */
static const double *
capacities_arg(FunctionCallInfo fcinfo, int arg, int units)
{
	int			n;
	ArrayType  *array = array_arg(fcinfo, arg, &n);
	const double *numbers = (const double *) ARR_DATA_PTR(array);
	double	   *capacities = spm_alloc_doubles(units);

	if (n != 1)
		check_length("capacity", n, units);
	for (int i = 0; i < n; i++)
	{
		if (element_is_null(array, i))
		{
			capacities[i] = -1;
			continue;
		}
		capacities[i] = *numbers++;
		if (isnan(capacities[i]))
			element_error(ERRCODE_INVALID_PARAMETER_VALUE, "capacity", array, i, "is not a number");
		if (capacities[i] < 0)
			element_error(ERRCODE_INVALID_PARAMETER_VALUE, "capacity", array, i, "is negative");
		if (!isinf(capacities[i]) && !spmk_is_solvable(capacities[i]))
			element_error(ERRCODE_INVALID_PARAMETER_VALUE, "capacity", array, i, "is neither 0, infinite nor from 1e-30 to 1e+30");
	}
	for (int i = n; i < units; i++)
		capacities[i] = capacities[0];
	return capacities;
}

static void
no_plan(SpmMedianStatus status, const SpmMedian *problem, const SpmMedianTrouble *trouble)
{
	switch (status)
	{
		case SPM_MEDIAN_OK:
			break;
		case SPM_MEDIAN_FEW_SEATS:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("fewer units can be seats than there are seats"),
					 errdetail("There are %d seats, and %d units whose capacity is not null nor less than their own demand.",
							   problem->p, trouble->seats),
					 errhint("Ask for fewer seats, or give capacities to more units.")));
			break;
		case SPM_MEDIAN_UNIT_TOO_LARGE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unit %d is larger than any seat can serve", trouble->unit + 1),
					 errdetail("Its demand is %g, the largest capacity is %g.",
							   problem->demand[trouble->unit], trouble->capacity),
					 errhint("Split the unit, or raise a capacity.")));
			break;
		case SPM_MEDIAN_FULL:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the seats cannot serve all units"),
					 errdetail("The demand is %g; the %d largest capacities add up to %g.",
							   trouble->demand, problem->p, trouble->capacity),
					 errhint("Ask for more seats, or raise capacities.")));
			break;
		case SPM_MEDIAN_NOT_FOUND:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("no plan within capacity was found"),
					 errdetail("The demand is %g; the %d largest capacities add up to %g, but units are not divided.",
							   trouble->demand, problem->p, trouble->capacity),
					 errhint("Ask for more seats, raise capacities, or try more moves, such as moves => %lld.",
							 (long long) spmk_median_moves(problem) * 5)));
			break;
	}
}

/* The plan for (x, y | distances), demands, capacities, seats, moves, seed. */
static void
make_plan(FunctionCallInfo fcinfo, bool is_matrix, MedianPlan *plan)
{
	SpmMedian  *problem = &plan->problem;
	SpmMedianTrouble trouble;
	SpmMedianStatus status;
	int			arg = 0;
	int			n;
	int64		moves;
	void	   *memory;

	memset(plan, 0, sizeof(*plan));
	if (is_matrix)
	{
		ArrayType  *array = array_arg(fcinfo, arg, &n);

		if (n > 0 && (ARR_NDIM(array) != 2 || ARR_DIMS(array)[0] != ARR_DIMS(array)[1]))
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("distances must have as many columns as rows"),
					 errhint("distances[i][k] is what it costs that the seat at unit k serves unit i.")));
		problem->n = n > 0 ? ARR_DIMS(array)[0] : 0;
		problem->matrix = numbers_arg(fcinfo, arg++, "distance", false, &n);
	}
	else
	{
		problem->x = numbers_arg(fcinfo, arg++, "x", true, &problem->n);
		problem->y = numbers_arg(fcinfo, arg++, "y", true, &n);
		check_length("y", n, problem->n);
	}
	if (problem->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are no units")));
	problem->demand = numbers_arg(fcinfo, arg++, "demand", false, &n);
	check_length("demand", n, problem->n);
	problem->capacity = capacities_arg(fcinfo, arg++, problem->n);
	problem->p = PG_GETARG_INT32(arg++);
	if (problem->p < 1 || problem->p > problem->n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("seats must be from 1 to the number of units"),
				 errdetail("There are %d units.", problem->n)));
	moves = PG_GETARG_INT64(arg++);
	if (moves < 0 || moves > SPMK_MOVES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("moves must be from 0 to %lld", (long long) SPMK_MOVES_MAX),
				 errhint("Leave it out for %lld.", (long long) spmk_median_moves(problem))));
	if (moves == 0)
		moves = spmk_median_moves(problem);
	plan->seat_of = MemoryContextAllocHuge(CurrentMemoryContext, problem->n * sizeof(int));
	memory = MemoryContextAllocHuge(CurrentMemoryContext, spmk_median_bytes(problem));
	status = spmk_median(problem, moves, (uint64) PG_GETARG_INT64(arg), memory,
						 &spm_breath, plan->seat_of, &trouble);
	pfree(memory);
	no_plan(status, problem, &trouble);
	plan->value = spmk_median_value(problem, plan->seat_of);
}

static Datum
plan_rows(FunctionCallInfo fcinfo, bool is_matrix)
{
	ReturnSetInfo *result;
	MedianPlan		plan;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	make_plan(fcinfo, is_matrix, &plan);
	for (int i = 0; i < plan.problem.n; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false};

		values[0] = Int32GetDatum(i + 1);
		values[1] = Int32GetDatum(plan.seat_of[i] + 1);
		values[2] = Float8GetDatum(spmk_median_distance(&plan.problem, i, plan.seat_of[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Datum
plan_report(FunctionCallInfo fcinfo, bool is_matrix)
{
	TupleDesc	tupdesc;
	MedianPlan		plan;
	double		bound;
	void	   *memory;
	Datum	   *seats;
	Datum		values[5];
	bool		nulls[5] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	make_plan(fcinfo, is_matrix, &plan);
	memory = MemoryContextAllocHuge(CurrentMemoryContext, spmk_median_bound_bytes(&plan.problem));
	bound = spmk_median_bound(&plan.problem, plan.seat_of, BOUND_STEPS, memory, &spm_breath);
	pfree(memory);
	seats = MemoryContextAllocHuge(CurrentMemoryContext, plan.problem.n * sizeof(Datum));
	for (int i = 0; i < plan.problem.n; i++)
		seats[i] = Int32GetDatum(plan.seat_of[i] + 1);
	values[0] = Float8GetDatum(plan.value);
	values[1] = Float8GetDatum(bound);
	nulls[2] = bound <= 0 && plan.value > 0;
	values[2] = Float8GetDatum(plan.value > bound ? plan.value / bound - 1 : 0);
	values[3] = BoolGetDatum(plan.value <= bound);
	values[4] = PointerGetDatum(construct_array(seats, plan.problem.n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
}

/* spm.p_median(x, y, demands, capacities, seats, moves, seed) */
Datum
spm_p_median(PG_FUNCTION_ARGS)
{
	return plan_rows(fcinfo, false);
}

/* spm.p_median(distances, demands, capacities, seats, moves, seed) */
Datum
spm_p_median_matrix(PG_FUNCTION_ARGS)
{
	return plan_rows(fcinfo, true);
}

/* spm.p_median_report(x, y, demands, capacities, seats, moves, seed) */
Datum
spm_p_median_report(PG_FUNCTION_ARGS)
{
	return plan_report(fcinfo, false);
}

/* spm.p_median_report(distances, demands, capacities, seats, moves, seed) */
Datum
spm_p_median_report_matrix(PG_FUNCTION_ARGS)
{
	return plan_report(fcinfo, true);
}
