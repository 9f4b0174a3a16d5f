/*
 * forecast_accuracy.c
 *	  Measures of how far forecasts were off, as aggregates.  Their sums are
 *	  exact: neither the order of rows nor the number of workers changes a digit.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "kernel/accuracy.h"
#include "numbers.h"

#include "compat.h"

PG_FUNCTION_INFO_V1(spm_score_combine);
PG_FUNCTION_INFO_V1(spm_score_serialize);
PG_FUNCTION_INFO_V1(spm_score_deserialize);

/* What a measure gathers: up to four sums. */
typedef struct Score
{
	int64		n;
	int			nsums;
	SpmExact	sum[FLEXIBLE_ARRAY_MEMBER];
} Score;

#define SCORE_SIZE(nsums) (offsetof(Score, sum) + (nsums) * sizeof(SpmExact))

/* The state of argument 0, or a new one. */
static Score *
score_state(FunctionCallInfo fcinfo, int nsums)
{
	MemoryContext context;
	Score	   *score;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (!PG_ARGISNULL(0))
		return (Score *) PG_GETARG_POINTER(0);
	score = MemoryContextAllocZero(context, SCORE_SIZE(nsums));
	score->nsums = nsums;
	return score;
}

static void
add(Score *score, int sum, double term)
{
	if (!spmk_exact_add(&score->sum[sum], term))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("errors of forecasts are too large to be summed"),
				 errhint("Leave such rows out: FILTER (WHERE ...).")));
}

/* A row that lacks something tells nothing. */
static bool
is_known(FunctionCallInfo fcinfo)
{
	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return false;
	return true;
}

static Datum
same_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

static double
scale_arg(FunctionCallInfo fcinfo, int arg)
{
	double		scale = spm_number_arg(fcinfo, arg, "scale");

	if (scale <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale must be greater than 0"),
				 errdetail("There is a %g.", scale),
				 errhint("spm.mase_scale(values, season) gives it, and NULL for a series that never changes, whose rows are left out.")));
	return scale;
}

/* Between 0 and 1, and neither. */
static double
share_arg(FunctionCallInfo fcinfo, int arg, const char *what)
{
	double		share = PG_GETARG_FLOAT8(arg);

	if (!(share > 0 && share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must lie between 0 and 1", what),
				 errdetail("There is a %g.", share),
				 errhint("95 percent is 0.95.")));
	return share;
}

/* Takes a row into the state: what happened, what was expected. */
static Score *
score_row(FunctionCallInfo fcinfo, int nsums, double *actual, double *forecast)
{
	Score	   *score = score_state(fcinfo, nsums);

	*actual = spm_number_arg(fcinfo, 1, "actual value");
	*forecast = spm_number_arg(fcinfo, 2, "forecast");
	score->n++;
	return score;
}

#define SQUARE(x) ((x) * (x))

PG_FUNCTION_INFO_V1(spm_mae_add);

/* mae(actual, forecast) */
Datum
spm_mae_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, fabs(actual - forecast));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_rmse_add);

/* rmse(actual, forecast) */
Datum
spm_rmse_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, SQUARE(actual - forecast));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_pinball_add);

/* pinball(actual, forecast, probability) */
Datum
spm_pinball_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, spmk_pinball_term(actual, forecast, share_arg(fcinfo, 3, "probability")));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_wape_add);

/* wape(actual, forecast) */
Datum
spm_wape_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 2, &actual, &forecast);
	add(score, 0, fabs(actual - forecast));
	add(score, 1, fabs(actual));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_bias_add);

/* bias(actual, forecast) */
Datum
spm_bias_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 2, &actual, &forecast);
	add(score, 0, forecast);
	add(score, 0, -actual);
	add(score, 1, fabs(actual));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_mape_add);

/* mape(actual, forecast): where nothing happened there is no percentage */
Datum
spm_mape_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo) || PG_GETARG_FLOAT8(1) == 0)
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, fabs(actual - forecast) / fabs(actual));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_smape_add);

/* smape(actual, forecast) */
Datum
spm_smape_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, spmk_smape_term(actual, forecast));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_mase_add);

/* mase(actual, forecast, scale) */
Datum
spm_mase_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, fabs(actual - forecast) / scale_arg(fcinfo, 3));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_rmsse_add);

/* rmsse(actual, forecast, scale) */
Datum
spm_rmsse_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 1, &actual, &forecast);
	add(score, 0, SQUARE((actual - forecast) / scale_arg(fcinfo, 3)));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_owa_add);

/* owa(actual, forecast, naive, scale) */
Datum
spm_owa_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		forecast;
	double		naive;
	double		scale;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	score = score_row(fcinfo, 4, &actual, &forecast);
	naive = spm_number_arg(fcinfo, 3, "naive forecast");
	scale = scale_arg(fcinfo, 4);
	add(score, 0, spmk_smape_term(actual, forecast));
	add(score, 1, spmk_smape_term(actual, naive));
	add(score, 2, fabs(actual - forecast) / scale);
	add(score, 3, fabs(actual - naive) / scale);
	PG_RETURN_POINTER(score);
}

static void
limits_args(FunctionCallInfo fcinfo, double *lower, double *upper)
{
	*lower = PG_GETARG_FLOAT8(2);
	*upper = PG_GETARG_FLOAT8(3);
	if (!(*lower <= *upper) || isnan(*upper))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lower limit must not be above the upper"),
				 errdetail("They are %g and %g.", *lower, *upper)));
}

PG_FUNCTION_INFO_V1(spm_coverage_add);

/* coverage(actual, lower, upper): limits may be infinite */
Datum
spm_coverage_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		lower;
	double		upper;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	actual = spm_number_arg(fcinfo, 1, "actual value");
	limits_args(fcinfo, &lower, &upper);
	score = score_state(fcinfo, 1);
	add(score, 0, actual >= lower && actual <= upper);
	score->n++;
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_msis_add);

/* msis(actual, lower, upper, scale [, level]) */
Datum
spm_msis_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		actual;
	double		lower;
	double		upper;
	double		level = 0.95;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	actual = spm_number_arg(fcinfo, 1, "actual value");
	spm_number_arg(fcinfo, 2, "lower limit");
	spm_number_arg(fcinfo, 3, "upper limit");
	limits_args(fcinfo, &lower, &upper);
	if (PG_NARGS() > 5)
		level = share_arg(fcinfo, 5, "level");
	score = score_state(fcinfo, 1);
	add(score, 0, spmk_interval_score(actual, lower, upper, level) / scale_arg(fcinfo, 4));
	score->n++;
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(spm_brier_add);

/* brier(outcome boolean, probability) */
Datum
spm_brier_add(PG_FUNCTION_ARGS)
{
	Score	   *score;
	double		probability;

	if (!is_known(fcinfo))
		return same_state(fcinfo);
	probability = PG_GETARG_FLOAT8(2);
	if (!(probability >= 0 && probability <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("probability must be from 0 to 1"),
				 errdetail("There is a %g.", probability)));
	score = score_state(fcinfo, 1);
	add(score, 0, SQUARE(probability - PG_GETARG_BOOL(1)));
	score->n++;
	PG_RETURN_POINTER(score);
}

/* ------------------------------------------------------------------ results */

PG_FUNCTION_INFO_V1(spm_score_mean);
PG_FUNCTION_INFO_V1(spm_score_root);
PG_FUNCTION_INFO_V1(spm_score_ratio);
PG_FUNCTION_INFO_V1(spm_owa_final);

Datum
spm_score_mean(PG_FUNCTION_ARGS)
{
	Score	   *score = (Score *) PG_GETARG_POINTER(0);

	PG_RETURN_FLOAT8(spmk_exact_value(&score->sum[0]) / score->n);
}

Datum
spm_score_root(PG_FUNCTION_ARGS)
{
	Score	   *score = (Score *) PG_GETARG_POINTER(0);

	PG_RETURN_FLOAT8(sqrt(spmk_exact_value(&score->sum[0]) / score->n));
}

Datum
spm_score_ratio(PG_FUNCTION_ARGS)
{
	Score	   *score = (Score *) PG_GETARG_POINTER(0);
	double		whole = spmk_exact_value(&score->sum[1]);

	if (whole == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(spmk_exact_value(&score->sum[0]) / whole);
}

Datum
spm_owa_final(PG_FUNCTION_ARGS)
{
	Score	   *score = (Score *) PG_GETARG_POINTER(0);
	double		naive_smape = spmk_exact_value(&score->sum[1]);
	double		naive_mase = spmk_exact_value(&score->sum[3]);

	if (naive_smape == 0 || naive_mase == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((spmk_exact_value(&score->sum[0]) / naive_smape +
					  spmk_exact_value(&score->sum[2]) / naive_mase) / 2);
}

/* ----------------------------------------------------------------- parallel */

/* The second state may die before us: copy what it holds, never adopt it. */
Datum
spm_score_combine(PG_FUNCTION_ARGS)
{
	Score	   *other;
	Score	   *score;

	if (PG_ARGISNULL(1))
		return same_state(fcinfo);
	other = (Score *) PG_GETARG_POINTER(1);
	score = score_state(fcinfo, other->nsums);
	for (int i = 0; i < score->nsums; i++)
		spmk_exact_merge(&score->sum[i], &other->sum[i]);
	score->n += other->n;
	PG_RETURN_POINTER(score);
}

/* Only ever read back by a process of the same server: raw bytes will do. */
Datum
spm_score_serialize(PG_FUNCTION_ARGS)
{
	Score	   *score = (Score *) PG_GETARG_POINTER(0);
	Size		size = SCORE_SIZE(score->nsums);
	bytea	   *bytes = palloc(VARHDRSZ + size);

	SET_VARSIZE(bytes, VARHDRSZ + size);
	memcpy(VARDATA(bytes), score, size);
	PG_RETURN_BYTEA_P(bytes);
}

Datum
spm_score_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Size		size = VARSIZE_ANY_EXHDR(bytes);
	Score	   *score = palloc(size);

	memcpy(score, VARDATA_ANY(bytes), size);
	PG_RETURN_POINTER(score);
}

/* ------------------------------------------------------------------- scales */

PG_FUNCTION_INFO_V1(spm_mase_scale);
PG_FUNCTION_INFO_V1(spm_rmsse_scale);

/* NULL: too short, or it never changes, so there is nothing to measure errors by. */
static Datum
naive_error(FunctionCallInfo fcinfo, bool squared)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			lag = PG_GETARG_INT32(1);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *y = (const double *) ARR_DATA_PTR(array);
	double		error;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("values must be an array of one dimension")));
	if (lag < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season must be at least 1"),
				 errhint("1 compares each value with the one before, 12 with that of the same month a year before.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("values must not be null"),
				 errhint("Fill the gaps first, or leave them out.")));
	for (int i = 0; i < n; i++)
		if (!isfinite(y[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("value %d is not finite", i + 1)));
	error = spmk_naive_error(y, n, lag, squared);
	if (!(error > 0))
		PG_RETURN_NULL();
	if (isinf(error))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("values are too large to be compared")));
	PG_RETURN_FLOAT8(error);
}

/* spm.mase_scale(values, season) */
Datum
spm_mase_scale(PG_FUNCTION_ARGS)
{
	return naive_error(fcinfo, false);
}

/* spm.rmsse_scale(values, season) */
Datum
spm_rmsse_scale(PG_FUNCTION_ARGS)
{
	return naive_error(fcinfo, true);
}
