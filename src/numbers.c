/*
 * numbers.c
 *	  Memory and arrays of floating point numbers; and rows of them that an
 *	  aggregate gathers, also in parallel, and beyond 1 GB where memory allows.
 */
#include "numbers.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "dec.h"

PG_FUNCTION_INFO_V1(spm_numbers_combine);
PG_FUNCTION_INFO_V1(spm_numbers_serialize);
PG_FUNCTION_INFO_V1(spm_numbers_deserialize);

#define FIRST_ROOM 64

static void
take_breath(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* What kernels call now and then: cancels and signals get through. */
const SpmBreath spm_breath = {take_breath, NULL};

double *
spm_alloc_doubles(Size n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(double));
}

ArrayType *
spm_float8_array(const double *values, int n)
{
	ArrayType  *array;
	Size		overhead;
	double	   *element;
	int			known = 0;

	for (int i = 0; i < n; i++)
		known += !isnan(values[i]);
	if (n == 0)
		return construct_empty_array(FLOAT8OID);
	overhead = known == n ? ARR_OVERHEAD_NONULLS(1) : ARR_OVERHEAD_WITHNULLS(1, n);
	array = palloc0(overhead + known * sizeof(double));
	SET_VARSIZE(array, overhead + known * sizeof(double));
	array->ndim = 1;
	array->dataoffset = known == n ? 0 : overhead;
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	element = (double *) ARR_DATA_PTR(array);
	for (int i = 0; i < n; i++)
	{
		if (isnan(values[i]))
			continue;
		*element++ = values[i];
		if (known < n)
			ARR_NULLBITMAP(array)[i / 8] |= 1 << i % 8;
	}
	return array;
}

static Numbers *
make_numbers(MemoryContext context, int width, double option, int64 room)
{
	Numbers    *numbers = MemoryContextAlloc(context, sizeof(Numbers));

	numbers->n = 0;
	numbers->room = Max(room, FIRST_ROOM);
	numbers->width = width;
	numbers->option = option;
	numbers->values = MemoryContextAllocHuge(context, numbers->room * width * sizeof(double));
	return numbers;
}

/* The state of argument 0, or a new one. */
Numbers *
spm_numbers_state(FunctionCallInfo fcinfo, int width, double option, const char *option_name)
{
	MemoryContext context;
	Numbers    *numbers;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (PG_ARGISNULL(0))
		return make_numbers(context, width, option, FIRST_ROOM);
	numbers = (Numbers *) PG_GETARG_POINTER(0);
	if (numbers->option != option)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same for all rows", option_name),
				 errdetail("It is %g and %g.", numbers->option, option)));
	if (numbers->width != width)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all rows must have the same number of factors"),
				 errdetail("One has %d, another %d.", numbers->width - 1, width - 1)));
	return numbers;
}

static void
reserve(Numbers *numbers, int64 more)
{
	if (numbers->n + more <= numbers->room)
		return;
	numbers->room = Max(numbers->room * 2, numbers->n + more);
	numbers->values = repalloc_huge(numbers->values, numbers->room * numbers->width * sizeof(double));
}

/* A new row, to be filled in. */
double *
spm_numbers_append(Numbers *numbers)
{
	reserve(numbers, 1);
	return numbers->values + numbers->n++ * numbers->width;
}

/* A number that can be reckoned with. */
double
spm_number_arg(FunctionCallInfo fcinfo, int arg, const char *what)
{
	double		number = PG_GETARG_FLOAT8(arg);

	if (!isfinite(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be %s", what, isnan(number) ? "NaN" : "infinite"),
				 errhint("Leave such rows out: FILTER (WHERE ...).")));
	return number;
}

/* The second state may die before us: copy what it holds, never adopt it. */
Datum
spm_numbers_combine(PG_FUNCTION_ARGS)
{
	Numbers    *other;
	Numbers    *numbers;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_POINTER(PG_GETARG_POINTER(0));
	}
	other = (Numbers *) PG_GETARG_POINTER(1);
	numbers = spm_numbers_state(fcinfo, other->width, other->option, "option");
	reserve(numbers, other->n);
	memcpy(numbers->values + numbers->n * numbers->width, other->values,
		   other->n * other->width * sizeof(double));
	numbers->n += other->n;
	PG_RETURN_POINTER(numbers);
}

/* What goes before the numbers; a bytea is not aligned for it. */
typedef struct PackedHeader
{
	double		option;
	int64		n;
	int64		width;
} PackedHeader;

/* Only ever read back by a process of the same server: raw bytes will do. */
Datum
spm_numbers_serialize(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = (Numbers *) PG_GETARG_POINTER(0);
	PackedHeader header = {numbers->option, numbers->n, numbers->width};
	Size		size = numbers->n * numbers->width * sizeof(double);
	bytea	   *bytes;

	if (VARHDRSZ + sizeof(header) + size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one parallel worker"),
				 errdetail("A worker hands over at most 1 GB; it has gathered " INT64_FORMAT " rows.", numbers->n),
				 errhint("SET max_parallel_workers_per_gather = 0;")));
	bytes = palloc(VARHDRSZ + sizeof(header) + size);
	SET_VARSIZE(bytes, VARHDRSZ + sizeof(header) + size);
	memcpy(VARDATA(bytes), &header, sizeof(header));
	memcpy(VARDATA(bytes) + sizeof(header), numbers->values, size);
	PG_RETURN_BYTEA_P(bytes);
}

Datum
spm_numbers_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	PackedHeader header;
	Numbers    *numbers;

	memcpy(&header, VARDATA_ANY(bytes), sizeof(header));
	numbers = make_numbers(CurrentMemoryContext, header.width, header.option, header.n);
	numbers->n = header.n;
	memcpy(numbers->values, VARDATA_ANY(bytes) + sizeof(header), header.n * header.width * sizeof(double));
	PG_RETURN_POINTER(numbers);
}

/* Whole numbers up to 2^53, and powers of 10 up to this one, are doubles. */
#define EXACT_DOUBLE	(INT64CONST(1) << 53)
#define EXACT_POWER		22

/* What a cast makes of it, without the detour by way of text that a cast takes. */
double
spm_double_of_numeric(Datum value)
{
	int64		scaled;
	int			scale;

	if (spm_numeric_to_int(value, &scaled, &scale) && scaled >= -EXACT_DOUBLE && scaled <= EXACT_DOUBLE && scale <= EXACT_POWER)
		return (double) scaled / (double) spmk_pow10(scale);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}
