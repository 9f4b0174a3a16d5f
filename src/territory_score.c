/*
 * territory_score.c
 *	  What accounts and sellers are told apart by: inequality, how well a score
 *	  tells, natural breaks, the odds of a sale.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "kernel/breaks.h"
#include "kernel/logistic.h"
#include "kernel/rank.h"
#include "numbers.h"

/* So that positions fit an int; 100 classes of as many take 40 GB. */
#define MAX_BREAK_VALUES 100000000

PG_FUNCTION_INFO_V1(spm_gini_add);
PG_FUNCTION_INFO_V1(spm_gini_final);

/* Another array of n numbers, however many. */
static double *
alloc_numbers(int64 n)
{
	return spm_alloc_doubles(n);
}

static void
sort_values(Numbers *numbers)
{
	double	   *scratch = alloc_numbers(numbers->n);

	spmk_sort_numbers(numbers->values, scratch, numbers->n, &spm_breath);
	pfree(scratch);
}

static Datum
same_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

Datum
spm_gini_add(PG_FUNCTION_ARGS)
{
	Numbers    *numbers;
	double		value;

	if (PG_ARGISNULL(1))
		return same_state(fcinfo);
	value = spm_number_arg(fcinfo, 1, "value");
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be negative"),
				 errdetail("There is a %g.", value),
				 errhint("Shares of a sum have no negative parts: leave them out, or count them as 0 with greatest(value, 0).")));
	numbers = spm_numbers_state(fcinfo, 1, 0, "value");
	*spm_numbers_append(numbers) = value;
	PG_RETURN_POINTER(numbers);
}

/* Sorting in place leaves the state what it is: the numbers, in some order. */
Datum
spm_gini_final(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = (Numbers *) PG_GETARG_POINTER(0);

	sort_values(numbers);
	PG_RETURN_FLOAT8(spmk_gini(numbers->values, numbers->n));
}

/* ------------------------------------------------------- how well a score tells */

PG_FUNCTION_INFO_V1(spm_auc_add);
PG_FUNCTION_INFO_V1(spm_auc_final);

Datum
spm_auc_add(PG_FUNCTION_ARGS)
{
	Numbers    *numbers;
	double	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return same_state(fcinfo);
	numbers = spm_numbers_state(fcinfo, 2, 0, "outcome");
	row = spm_numbers_append(numbers);
	row[0] = PG_GETARG_BOOL(1);
	row[1] = spm_number_arg(fcinfo, 2, "score");
	PG_RETURN_POINTER(numbers);
}

Datum
spm_auc_final(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = (Numbers *) PG_GETARG_POINTER(0);
	double	   *scores = alloc_numbers(numbers->n);
	double	   *scratch = alloc_numbers(numbers->n);
	int64		nyes = 0;
	int64		nno = 0;
	double		area;

	/* yes from the front, no from the back */
	for (int64 i = 0; i < numbers->n; i++)
	{
		double	   *row = numbers->values + 2 * i;

		if (row[0] != 0)
			scores[nyes++] = row[1];
		else
			scores[numbers->n - ++nno] = row[1];
	}
	if (nyes == 0 || nno == 0)
		PG_RETURN_NULL();
	spmk_sort_numbers(scores, scratch, nyes, &spm_breath);
	spmk_sort_numbers(scores + nyes, scratch, nno, &spm_breath);
	area = spmk_auc(scores, nyes, scores + nyes, nno);
	pfree(scores);
	pfree(scratch);
	PG_RETURN_FLOAT8(area);
}

/* ---------------------------------------------------------------- natural breaks */

PG_FUNCTION_INFO_V1(spm_natural_breaks_add);
PG_FUNCTION_INFO_V1(spm_natural_breaks_final);

#define MAX_CLASSES 100

Datum
spm_natural_breaks_add(PG_FUNCTION_ARGS)
{
	Numbers    *numbers;
	int			classes;

	if (PG_ARGISNULL(1))
		return same_state(fcinfo);
	classes = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	if (classes < 1 || classes > MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 PG_ARGISNULL(2) ? errmsg("number of classes is missing") :
				 errmsg("numbers cannot be divided into %d classes", classes),
				 errhint("Classes are 1 to %d.", MAX_CLASSES)));
	numbers = spm_numbers_state(fcinfo, 1, classes, "number of classes");
	*spm_numbers_append(numbers) = spm_number_arg(fcinfo, 1, "value");
	PG_RETURN_POINTER(numbers);
}

Datum
spm_natural_breaks_final(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = (Numbers *) PG_GETARG_POINTER(0);
	int			classes = (int) numbers->option;
	int			first[MAX_CLASSES];
	Datum		cuts[MAX_CLASSES];
	int64		n = 0;
	double	   *values;
	double	   *counts;
	double	   *sums;
	int32_t    *starts;

	sort_values(numbers);
	values = alloc_numbers(numbers->n);
	counts = alloc_numbers(numbers->n);
	for (int64 i = 0; i < numbers->n; i++)
	{
		if (n > 0 && values[n - 1] == numbers->values[i])
			counts[n - 1]++;
		else
		{
			values[n] = numbers->values[i];
			counts[n++] = 1;
		}
	}
	if (n > MAX_BREAK_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different values for natural breaks"),
				 errdetail("There are " INT64_FORMAT "; at most %d are accepted.", n, MAX_BREAK_VALUES),
				 errhint("Round them first: round(value::numeric, 1).")));
	classes = Min(classes, n);
	sums = alloc_numbers(SPMK_BREAKS_SUMS(n));
	starts = MemoryContextAllocHuge(CurrentMemoryContext, SPMK_BREAKS_STARTS(n, classes) * sizeof(int32_t));
	spmk_natural_breaks(values, counts, n, classes, sums, starts, first, &spm_breath);
	for (int c = 1; c < classes; c++)
		cuts[c - 1] = Float8GetDatum(values[first[c]]);
	pfree(starts);
	pfree(sums);
	pfree(counts);
	pfree(values);
	PG_RETURN_ARRAYTYPE_P(construct_array(cuts, Max(classes - 1, 0), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* ------------------------------------------------------------ logistic regression */

PG_FUNCTION_INFO_V1(spm_logistic_add);
PG_FUNCTION_INFO_V1(spm_logistic_final);
PG_FUNCTION_INFO_V1(spm_logistic_predict);

/* The numbers of a float8[]; NULL when one of them is. */
static const double *
numbers_of_array(ArrayType *array, int *n)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("factors must be an array of one dimension")));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return array_contains_nulls(array) ? NULL : (const double *) ARR_DATA_PTR(array);
}

Datum
spm_logistic_add(PG_FUNCTION_ARGS)
{
	double		ridge = 0;
	Numbers    *numbers;
	const double *factors;
	double	   *row;
	int			n;

	if (PG_NARGS() > 3)
	{
		ridge = PG_ARGISNULL(3) ? -1 : PG_GETARG_FLOAT8(3);
		if (!isfinite(ridge) || ridge < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("ridge must be a number that is not negative"),
					 errhint("0 is none; 1 is little.")));
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return same_state(fcinfo);
	factors = numbers_of_array(PG_GETARG_ARRAYTYPE_P(2), &n);
	if (n < 1 || n > SPMK_MAX_FACTORS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a regression cannot have %d factors", n),
				 errhint("It takes 1 to %d.", SPMK_MAX_FACTORS)));
	numbers = spm_numbers_state(fcinfo, n + 1, ridge, "ridge");
	if (factors == NULL)
		PG_RETURN_POINTER(numbers);
	for (int j = 0; j < n; j++)
		if (!isfinite(factors[j]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("factor %d cannot be %s", j + 1, isnan(factors[j]) ? "NaN" : "infinite"),
					 errhint("Leave such rows out: FILTER (WHERE ...).")));
	row = spm_numbers_append(numbers);
	memcpy(row, factors, n * sizeof(double));
	row[n] = PG_GETARG_BOOL(1);
	PG_RETURN_POINTER(numbers);
}

static void
refuse_regression(SpmLogisticStatus status, int at)
{
	switch (status)
	{
		case SPM_LOGISTIC_OK:
			break;
		case SPM_LOGISTIC_ONE_OUTCOME:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("all outcomes are the same"),
					 errhint("A regression learns from rows of both kinds.")));
			break;
		case SPM_LOGISTIC_CONSTANT:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("factor %d is the same in all rows", at),
					 errhint("Leave it out; a constant is always there.")));
			break;
		case SPM_LOGISTIC_COLLINEAR:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("factor %d follows from the factors before it", at),
					 errhint("Leave it out, or give a ridge: spm.logistic_regression(outcome, factors, 1).")));
			break;
		case SPM_LOGISTIC_SEPARATED:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the factors tell some outcomes for certain"),
					 errdetail("The likeliest coefficients are infinite."),
					 errhint("Give a ridge: spm.logistic_regression(outcome, factors, 1); or leave out a factor that knows the outcome.")));
			break;
	}
}

/* Rows that are equal become one, with how often it is there. */
static int64
gather_rows(Numbers *numbers, const double **factors, double *counts, double *yes)
{
	MemoryContext context = CurrentMemoryContext;
	int			p = numbers->width - 1;
	const double **scratch = MemoryContextAllocHuge(context, numbers->n * sizeof(double *));
	uint64_t   *keys = MemoryContextAllocHuge(context, numbers->n * sizeof(uint64_t));
	uint64_t   *key_scratch = MemoryContextAllocHuge(context, numbers->n * sizeof(uint64_t));
	int64		n = 0;

	for (int64 i = 0; i < numbers->n; i++)
		factors[i] = numbers->values + i * numbers->width;
	spmk_sort_rows(factors, scratch, keys, key_scratch, numbers->n, p, &spm_breath);
	pfree(scratch);
	pfree(keys);
	pfree(key_scratch);
	for (int64 i = 0; i < numbers->n; i++)
	{
		const double *row = factors[i];
		bool		same = n > 0;

		for (int j = 0; same && j < p; j++)
			same = factors[n - 1][j] == row[j];
		if (!same)
		{
			factors[n] = row;
			counts[n] = 0;
			yes[n++] = 0;
		}
		counts[n - 1]++;
		yes[n - 1] += row[p];
	}
	return n;
}

Datum
spm_logistic_final(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = (Numbers *) PG_GETARG_POINTER(0);
	int			p = numbers->width - 1;
	const double **factors;
	double	   *counts;
	double	   *yes;
	double	   *room;
	double	   *scores;
	SpmLogisticStatus status;
	SpmLogisticRows rows;
	SpmLogisticFit fit;
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (numbers->n == 0)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	factors = MemoryContextAllocHuge(CurrentMemoryContext, numbers->n * sizeof(double *));
	counts = alloc_numbers(numbers->n);
	yes = alloc_numbers(numbers->n);
	room = palloc(SPMK_LOGISTIC_ROOM(p) * sizeof(double));
	fit.coefficients = palloc((p + 1) * sizeof(double));
	fit.errors = palloc((p + 1) * sizeof(double));
	rows.n = gather_rows(numbers, factors, counts, yes);
	rows.p = p;
	rows.factors = factors;
	rows.counts = counts;
	rows.yes = yes;
	scores = alloc_numbers(rows.n * p);
	status = spmk_logistic(&rows, numbers->option, scores, room, &fit, &spm_breath);
	refuse_regression(status, fit.at);
	pfree(scores);
	pfree(factors);
	pfree(counts);
	pfree(yes);

	values[0] = PointerGetDatum(spm_float8_array(fit.coefficients, p + 1));
	values[1] = PointerGetDatum(spm_float8_array(fit.errors, p + 1));
	values[2] = Int64GetDatum(numbers->n);
	values[3] = Float8GetDatum(fit.log_likelihood);
	values[4] = Float8GetDatum(fit.null_log_likelihood);
	values[5] = Int32GetDatum(fit.iterations);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* spm.logistic_predict(coefficients float8[], factors float8[]) */
Datum
spm_logistic_predict(PG_FUNCTION_ARGS)
{
	int			ncoefficients;
	int			nfactors;
	const double *coefficients = numbers_of_array(PG_GETARG_ARRAYTYPE_P(0), &ncoefficients);
	const double *factors = numbers_of_array(PG_GETARG_ARRAYTYPE_P(1), &nfactors);
	double		eta;

	if (ncoefficients != nfactors + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be one coefficient more than factors"),
				 errdetail("There are %d coefficients and %d factors.", ncoefficients, nfactors),
				 errhint("The first coefficient is the constant.")));
	if (coefficients == NULL || factors == NULL)
		PG_RETURN_NULL();
	eta = coefficients[0];
	for (int j = 0; j < nfactors; j++)
		eta += coefficients[j + 1] * factors[j];
	PG_RETURN_FLOAT8(1 / (1 + exp(-eta)));
}
