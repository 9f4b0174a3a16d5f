/*
 * territory_design.c
 *	  Designs of territories: arrays of units, borders and seats to the kernel and
 *	  back.  sql/territory/functions_design.sql reads and writes the tables, and
 *	  knows the names for errors.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "kernel/design.h"
#include "numbers.h"

/* 1 GB of costs. */
#define MAX_COSTS (INT64CONST(1) << 27)
/* So that counts of edges fit an int, and no kernel runs for ever. */
#define MAX_BORDERS 100000000
#define MAX_ACTIVITIES 16

PG_FUNCTION_INFO_V1(spm_design);
PG_FUNCTION_INFO_V1(spm_near_pairs);
PG_FUNCTION_INFO_V1(spm_bridge_pairs);

/* The elements of an array without NULLs, as they lie there. */
static void *
elements(FunctionCallInfo fcinfo, int arg, const char *what, int *count)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);

	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", what)));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return ARR_DATA_PTR(array);
}

static void
check_count(int count, int expected, const char *what)
{
	if (count != expected)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there are %d %s where %d are expected", count, what, expected)));
}

/* Numbers of which there are as many as expected, none NaN, infinite or below the least. */
static double *
numbers(FunctionCallInfo fcinfo, int arg, int expected, double least, const char *what)
{
	int			count;
	double	   *values = elements(fcinfo, arg, what, &count);

	check_count(count, expected, what);
	for (int i = 0; i < count; i++)
	{
		if (!isfinite(values[i]) || values[i] < least || !spmk_is_solvable(values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s cannot be %g", what, values[i])));
	}
	return values;
}

/* Numbers from 1 to most (0: none), counted from 0. */
static int32_t *
ordinals(FunctionCallInfo fcinfo, int arg, int least, int most, const char *what, int *count)
{
	int32	   *given = elements(fcinfo, arg, what, count);
	int32_t    *result = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32_t) * Max(*count, 1));

	for (int i = 0; i < *count; i++)
	{
		if (given[i] < least || given[i] > most)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s %d does not exist", what, given[i])));
		result[i] = given[i] - 1;
	}
	return result;
}

/* Points of the sphere; NaN stays NaN. */
static double *
sphere_points(const double *latitudes, const double *longitudes, int n)
{
	double	   *points = spm_alloc_doubles((Size) 3 * n);

	for (int i = 0; i < n; i++)
		spmk_sphere_point(latitudes[i], longitudes[i], points + (Size) i * 3);
	return points;
}

/* Distances that were given, and pairs that are barred; NULL if there are none. */
static double *
given_distances(FunctionCallInfo fcinfo, int units, int seats)
{
	int			count;
	int			other;
	int32_t    *unit = ordinals(fcinfo, 12, 1, units, "unit of a pair", &count);
	int32_t    *seat = ordinals(fcinfo, 13, 1, seats, "seat of a pair", &other);
	double	   *distance;
	double	   *given;

	check_count(other, count, "seats of pairs");
	distance = elements(fcinfo, 14, "distance of a pair", &other);
	check_count(other, count, "distances of pairs");
	if (count == 0)
		return NULL;
	given = spm_alloc_doubles((Size) units * seats);
	for (int64 i = 0; i < (int64) units * seats; i++)
		given[i] = NAN;
	for (int p = 0; p < count; p++)
		given[(Size) unit[p] * seats + seat[p]] = distance[p];
	return given;
}

static const char *const status_words[] = {
	[SPM_DESIGN_OK] = "ok",
	[SPM_DESIGN_TOO_LARGE] = "too large",
	[SPM_DESIGN_BARRED] = "barred",
	[SPM_DESIGN_LOCKED] = "locked",
	[SPM_DESIGN_FEW] = "few",
	[SPM_DESIGN_APART] = "apart",
	[SPM_DESIGN_LIMIT] = "limit"
};

/*
 * spm._design(latitudes, longitudes, loads, weights, worth, current, locked,
 * borders, home_latitudes, home_longitudes, targets, tolerances, pair_units,
 * pair_seats, pair_distances, is_contiguous, keep, disruption, move_limit, moves, seed)
 */
Datum
spm_design(PG_FUNCTION_ARGS)
{
	SpmDesignInput in;
	SpmDesignResult out;
	SpmDesignStatus status;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "design of territories", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum		values[13] = {0};
	bool		nulls[13] = {false};
	TupleDesc	desc;
	Datum	   *datums;
	double	   *latitudes;
	double	   *longitudes;
	double	   *home_latitudes;
	double	   *home_longitudes;
	int			count;

	memset(&out, 0, sizeof(out));
	latitudes = elements(fcinfo, 0, "latitude", &in.units);
	latitudes = numbers(fcinfo, 0, in.units, -90, "latitude");
	longitudes = numbers(fcinfo, 1, in.units, -360, "longitude");
	home_latitudes = elements(fcinfo, 8, "latitude of a home", &in.seats);
	home_longitudes = elements(fcinfo, 9, "longitude of a home", &count);
	check_count(count, in.seats, "longitudes of homes");
	if (in.units < 1 || in.seats < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no %s", in.units < 1 ? "unit" : "seat")));
	if ((int64) in.units * in.seats > MAX_COSTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d units and %d seats are too many for one design", in.units, in.seats),
				 errdetail("Units times seats may be " INT64_FORMAT ".", MAX_COSTS),
				 errhint("Design with larger units, such as postal codes for accounts, or each region by itself.")));
	elements(fcinfo, 11, "tolerance", &in.activities);
	if (in.activities < 1 || in.activities > MAX_ACTIVITIES || (int64) in.units * in.activities > MAX_COSTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a design balances 1 to %d activities, not %d", MAX_ACTIVITIES, in.activities)));
	in.tolerances = numbers(fcinfo, 11, in.activities, 0, "tolerance");
	in.points = sphere_points(latitudes, longitudes, in.units);
	in.homes = sphere_points(home_latitudes, home_longitudes, in.seats);
	in.loads = numbers(fcinfo, 2, in.units * in.activities, 0, "activity");
	in.weights = numbers(fcinfo, 3, in.units, 0, "weight");
	in.values = numbers(fcinfo, 4, in.units, 0, "value");
	in.current = ordinals(fcinfo, 5, 0, in.seats, "seat", &count);
	check_count(count, in.units, "seats of units");
	in.locked = elements(fcinfo, 6, "lock", &count);
	check_count(count, in.units, "locks");
	in.pairs = ordinals(fcinfo, 7, 1, in.units, "unit at a border", &count);
	if (count % 2 != 0 || count / 2 > MAX_BORDERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a border has two units, and a design at most %d borders", MAX_BORDERS)));
	in.edges = count / 2;
	in.targets = numbers(fcinfo, 10, in.seats * in.activities, DBL_MIN, "target");
	in.given = given_distances(fcinfo, in.units, in.seats);
	in.radius = SPM_EARTH_RADIUS;
	in.contiguous = PG_GETARG_BOOL(15);
	in.keep = PG_GETARG_BOOL(16);
	in.disruption = PG_GETARG_FLOAT8(17);
	in.limit = PG_GETARG_FLOAT8(18);
	in.moves = PG_GETARG_INT64(19);
	if (in.moves < 1 || in.moves > SPMK_MOVES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("moves must be from 1 to %lld", (long long) SPMK_MOVES_MAX)));
	in.seed = (uint64_t) PG_GETARG_INT64(20);

	out.owner = palloc(sizeof(int32_t) * in.units);
	out.homes = palloc(sizeof(double) * 3 * in.seats);
	out.distances = palloc(sizeof(double) * in.units);
	status = spmk_design(&in, MemoryContextAllocHuge(context, spmk_design_memory(&in)), &out, &spm_breath);

	MemoryContextSwitchTo(old);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	memset(nulls, status != SPM_DESIGN_OK, sizeof(nulls));
	nulls[0] = nulls[1] = nulls[2] = false;
	values[0] = CStringGetTextDatum(status_words[status]);
	values[1] = Int32GetDatum(out.where + 1);
	values[2] = Int32GetDatum(out.activity + 1);
	if (status == SPM_DESIGN_OK)
	{
		double	   *degrees = palloc(sizeof(double) * 2 * in.seats);

		datums = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * in.units);
		for (int i = 0; i < in.units; i++)
			datums[i] = Int32GetDatum(out.owner[i] + 1);
		values[3] = PointerGetDatum(construct_array(datums, in.units, INT4OID, sizeof(int32), true, TYPALIGN_INT));
		values[4] = PointerGetDatum(spm_float8_array(out.distances, in.units));
		for (int j = 0; j < in.seats; j++)
			spmk_sphere_degrees(out.homes + (Size) j * 3, degrees + j, degrees + in.seats + j);
		values[5] = PointerGetDatum(spm_float8_array(degrees, in.seats));
		values[6] = PointerGetDatum(spm_float8_array(degrees + in.seats, in.seats));
		values[7] = Float8GetDatum(out.cost);
		values[8] = Float8GetDatum(out.bound);
		values[9] = Float8GetDatum(out.excess);
		values[10] = Int32GetDatum(out.pieces);
		values[11] = Int64GetDatum(out.moves);
		values[12] = Float8GetDatum(out.disruption);
	}
	MemoryContextDelete(context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static Datum
pair_array(const int32_t *pairs, int64 count)
{
	Datum	   *datums = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max(count * 2, 1));

	for (int64 i = 0; i < count * 2; i++)
		datums[i] = Int32GetDatum(pairs[i] + 1);
	return PointerGetDatum(construct_array(datums, count * 2, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* spm._near_pairs(latitudes, longitudes, neighbours): latitudes ascend */
Datum
spm_near_pairs(PG_FUNCTION_ARGS)
{
	int			n;
	double	   *latitudes = elements(fcinfo, 0, "latitude", &n);
	double	   *longitudes = numbers(fcinfo, 1, n, -360, "longitude");
	int			count = PG_GETARG_INT32(2);
	int32_t    *pairs;

	if (count < 1 || count > SPM_NEAR_MAX || (int64) n * count > MAX_BORDERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a unit has 1 to %d neighbours, not %d", SPM_NEAR_MAX, count)));
	pairs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32_t) * 2 * Max((Size) n * count, 1));
	count = spmk_near_pairs(sphere_points(latitudes, longitudes, n), n, count, pairs, &spm_breath);
	PG_RETURN_DATUM(pair_array(pairs, count));
}

/* spm._bridge_pairs(latitudes, longitudes, borders) */
Datum
spm_bridge_pairs(PG_FUNCTION_ARGS)
{
	int			n;
	int			borders;
	double	   *latitudes = elements(fcinfo, 0, "latitude", &n);
	double	   *longitudes = numbers(fcinfo, 1, n, -360, "longitude");
	int32_t    *pairs = ordinals(fcinfo, 2, 1, n, "unit at a border", &borders);
	Size		size = Max(n, 1);
	int32_t    *bridges = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32_t) * 2 * size);
	int32_t    *part = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32_t) * size);
	int32_t    *from = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32_t) * size);
	int32_t    *queue = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32_t) * size);
	double	   *far = spm_alloc_doubles(size);
	int			count = 0;

	if (n > 1)
		count = spmk_bridge_pairs(sphere_points(latitudes, longitudes, n), n, pairs, borders / 2,
								  bridges, part, from, far, queue, &spm_breath);
	PG_RETURN_DATUM(pair_array(bridges, count));
}
