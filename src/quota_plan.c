/*
 * quota_plan.c
 *	  Quotas divided among many, down a tree and over a season: arrays in,
 *	  arrays out.
 *
 * Amounts become whole units and weights whole numbers of one scale; from there
 * on src/kernel/quota.c is exact.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "dec.h"
#include "kernel/quota.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_quota_allocate);
PG_FUNCTION_INFO_V1(spm_quota_tree);
PG_FUNCTION_INFO_V1(spm_quota_spread);
PG_FUNCTION_INFO_V1(spm_quota_sums);

/* A unit is units / 10^scale. */
typedef struct Unit
{
	int64		units;
	int			scale;
} Unit;

typedef enum Direction
{
	EXACT,
	ROUND,
	INWARD_UP,					/* a lower bound */
	INWARD_DOWN					/* an upper bound */
} Direction;

typedef struct NumericArray
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
} NumericArray;

/*
 * Room for n of a size, more than 1 GB if need be, where a weight may lie: that
 * wants 16 bytes, and palloc gives 8.  It goes with its context.
 */
static void *
room_for(Size n, Size size)
{
	char	   *room = MemoryContextAllocHuge(CurrentMemoryContext, n * size + sizeof(SpmWeight));

	return (void *) TYPEALIGN(sizeof(SpmWeight), room);
}

static NumericArray
numerics(FunctionCallInfo fcinfo, int arg, const char *what)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	NumericArray result;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%ss must be an array of one dimension", what)));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &result.values, &result.nulls, &result.n);
	return result;
}

/* An array that is empty, or has one element for each of n. */
static NumericArray
optional_numerics(FunctionCallInfo fcinfo, int arg, const char *what, int n)
{
	NumericArray result = numerics(fcinfo, arg, what);

	if (result.n != 0 && result.n != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d %ss for %d parts", result.n, what, n),
				 errhint("Give one for each, NULL where there is none, or '{}' where nobody has one.")));
	return result;
}

static Unit
unit_arg(Datum value)
{
	Unit		unit;

	if (!spm_numeric_to_int(value, &unit.units, &unit.scale) || unit.units <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unit cannot be %s", DatumGetCString(DirectFunctionCall1(numeric_out, value))),
				 errhint("Give what amounts are rounded to: 0.01, 1 or 1000.")));
	return unit;
}

static Datum
from_units(int64 amount, const Unit *unit)
{
	int64		scaled;

	if (__builtin_mul_overflow(amount, unit->units, &scaled) || scaled > SPM_FAST_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a quota has too many digits"),
				 errhint("Amounts have at most 18 digits, decimals of the unit included.")));
	return spm_int_numeric_datum(scaled, unit->scale);
}

/* For messages. */
static char *
units_text(int64 amount, const Unit *unit)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, from_units(amount, unit)));
}

/* An amount in whole units; index is said in messages, -1 where there is only one. */
static int64
to_units(Datum value, const Unit *unit, Direction direction, const char *what, int index)
{
	const char *nth = index < 0 ? "" : psprintf(" %d", index + 1);
	int64		scaled;
	int			scale;
	__int128	numerator;
	__int128	denominator = unit->units;
	__int128	whole;
	__int128	rest;

	if (!spm_numeric_to_int(value, &scaled, &scale))
	{
		(void) spm_dec_arg(value, psprintf("%s%s", what, nth));
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s%s has too many digits", what, nth),
				 errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, value))),
				 errhint("Round it: round(amount, 2).")));
	}
	if (scaled < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s%s must not be negative", what, nth),
				 errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, value)))));
	numerator = scaled;
	for (int i = 0; i < unit->scale; i++)
		numerator *= 10;
	for (int i = 0; i < scale; i++)
		denominator *= 10;
	whole = numerator / denominator;
	rest = numerator % denominator;
	if (rest != 0 && direction == EXACT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s%s is no multiple of the unit", what, nth),
				 errdetail("It is %s, the unit is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, value)), units_text(1, unit)),
				 errhint("Round it, or give a finer unit.")));
	if (rest != 0 && (direction == INWARD_UP || (direction == ROUND && 2 * rest >= denominator)))
		whole++;
	if (whole > SPM_QUOTA_MAX || whole > SPM_FAST_MAX / unit->units)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s%s has too many digits", what, nth),
				 errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, value))),
				 errhint("Amounts have at most 18 digits, decimals of the unit included.")));
	return (int64) whole;
}

/* Amounts of all parts; 'none' where there is none. */
static int64 *
amounts_of(const NumericArray *array, int n, int64 none, const Unit *unit, Direction direction, const char *what)
{
	int64	   *amounts = room_for(n, sizeof(int64));

	for (int i = 0; i < n; i++)
	{
		amounts[i] = array->n == 0 || array->nulls[i] ? none : to_units(array->values[i], unit, direction, what, i);
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return amounts;
}

static void
check_bounds(const int64 *lowers, const int64 *uppers, int n, const char *(*name) (void *arg, int i), void *arg, const Unit *unit)
{
	for (int i = 0; i < n; i++)
	{
		if (uppers[i] != SPM_QUOTA_NONE && lowers[i] > uppers[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is to have at least %s and at most %s", name(arg, i),
							units_text(lowers[i], unit), units_text(uppers[i], unit)),
					 errdetail("Bounds are rounded inward to units of %s.", units_text(1, unit))));
	}
}

/* -------------------------------------------------------------------- weights */

/* Digits and scale of a number, at most 38 digits; false for more. */
static bool
read_weight(Datum value, SpmWeight *digits, int *scale)
{
	int64		small;
	char	   *text;
	bool		after = false;

	if (spm_numeric_to_int(value, &small, scale) && small >= 0)
	{
		*digits = (SpmWeight) small;
		return true;
	}
	text = spm_dec_text(DatumGetNumeric(value));
	*digits = 0;
	*scale = 0;
	for (const char *p = text; *p; p++)
	{
		if (*p == '.')
			after = true;
		else
		{
			if (*digits > SPM_QUOTA_MAX_WEIGHT / 10 - 1)
				return false;
			*digits = *digits * 10 + (*p - '0');
			*scale += after;
		}
	}
	pfree(text);
	return true;
}

/* Weights at one scale, which is told too; where there is none, it is said, or refused. */
static SpmWeight *
weights_of(const NumericArray *array, const char *what, bool may_miss, int *common_scale)
{
	SpmWeight  *weights = room_for(array->n, sizeof(SpmWeight));
	int		   *scales = room_for(array->n, sizeof(int));
	int			scale = 0;

	for (int i = 0; i < array->n; i++)
	{
		Dec			weight;

		if (array->nulls[i])
		{
			if (!may_miss)
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("%s %d is null", what, i + 1)));
			weights[i] = SPM_QUOTA_NO_WEIGHT;
			continue;
		}
		weight = spm_dec_arg(array->values[i], psprintf("%s %d", what, i + 1));
		if (dec_sign(weight) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s %d must not be negative", what, i + 1),
					 errdetail("It is %s.", spm_dec_text(weight))));
		if (!read_weight(NumericGetDatum(weight), &weights[i], &scales[i]))
			goto too_long;
		scale = Max(scale, scales[i]);
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < array->n; i++)
	{
		if (array->nulls[i] || weights[i] == 0)
			continue;
		for (int k = scales[i]; k < scale; k++)
		{
			if (weights[i] > SPM_QUOTA_MAX_WEIGHT / 10 - 1)
				goto too_long;
			weights[i] *= 10;
		}
	}
	if (common_scale)
		*common_scale = scale;
	return weights;

too_long:
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%ss have too many digits", what),
			 errdetail("From the first digit of the largest to the last of the finest there are more than 37."),
			 errhint("Round them: round(weight, 15).")));
	return NULL;				/* not reached */
}

static Datum
from_weight(SpmWeight weight, int scale)
{
	char		text[64];
	char	   *p = text + sizeof(text);
	int			digits = 0;

	if (weight <= (SpmWeight) SPM_FAST_MAX && scale <= SPM_FAST_SCALE)
		return spm_int_numeric_datum((int64) weight, scale);
	*--p = '\0';
	do
	{
		*--p = '0' + (int) (weight % 10);
		weight /= 10;
		if (++digits == scale)
			*--p = '.';
	} while (weight > 0 || digits < scale);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(p), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static void
refuse_size(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amounts or weights add up to too much"),
			 errdetail("Amounts may come to 10^18 units, weights to 37 digits."),
			 errhint("Give a coarser unit, or round weights: round(weight, 15).")));
}

static Datum
amounts_array(const int64 *amounts, int n, const Unit *unit)
{
	Datum	   *values = room_for(n, sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = from_units(amounts[i], unit);
	return PointerGetDatum(construct_array(values, n, NUMERICOID, -1, false, TYPALIGN_INT));
}

/* What has been made in a context of the call moves to that of the caller. */
static Datum
finish(MemoryContext caller, MemoryContext work, Datum array)
{
	ArrayType  *result;

	MemoryContextSwitchTo(caller);
	result = DatumGetArrayTypePCopy(array);
	MemoryContextDelete(work);
	return PointerGetDatum(result);
}

static MemoryContext
begin_work(MemoryContext *caller)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "spm quotas", ALLOCSET_DEFAULT_SIZES);

	*caller = MemoryContextSwitchTo(work);
	return work;
}

/* ------------------------------------------------------------------ one group */

static const char *
part_name(void *arg, int i)
{
	return psprintf("part %d", i + 1);
}

/* spm.quota_allocate(total, weights, lowers, uppers, bases, unit) */
Datum
spm_quota_allocate(PG_FUNCTION_ARGS)
{
	MemoryContext caller;
	MemoryContext work = begin_work(&caller);
	Unit		unit = unit_arg(PG_GETARG_DATUM(5));
	int64		total = to_units(PG_GETARG_DATUM(0), &unit, EXACT, "total", -1);
	NumericArray given = numerics(fcinfo, 1, "weight");
	NumericArray lowers = optional_numerics(fcinfo, 2, "lower bound", given.n);
	NumericArray uppers = optional_numerics(fcinfo, 3, "upper bound", given.n);
	NumericArray bases = optional_numerics(fcinfo, 4, "base", given.n);
	int64	   *least = amounts_of(&lowers, given.n, 0, &unit, INWARD_UP, "lower bound");
	int64	   *most = amounts_of(&uppers, given.n, SPM_QUOTA_NONE, &unit, INWARD_DOWN, "upper bound");
	SpmQuotaGroup group = {given.n, NULL, amounts_of(&bases, given.n, 0, &unit, ROUND, "base"),
	weights_of(&given, "weight", false, NULL), least, most};
	SpmQuotaRoom room = {room_for(given.n, sizeof(SpmWeight)), room_for(2 * (Size) given.n, sizeof(int))};
	int64	   *parts = room_for(given.n, sizeof(int64));
	__int128	low = 0;
	__int128	high = 0;

	check_bounds(least, most, given.n, part_name, NULL, &unit);
	for (int i = 0; i < given.n; i++)
	{
		low += least[i];
		high += most[i];
	}
	switch (spmk_quota_allocate(total, &group, parts, &room, &spm_breath))
	{
		case SPM_QUOTA_OK:
			break;
		case SPM_QUOTA_TOO_LITTLE:
			if (low > SPM_QUOTA_MAX)
				refuse_size();
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("lower bounds come to %s, more than the total of %s", units_text((int64) low, &unit), units_text(total, &unit)),
					 errhint("Give lower ones, or a larger total.")));
			break;
		case SPM_QUOTA_TOO_MUCH:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("upper bounds come to %s, less than the total of %s", units_text((int64) high, &unit), units_text(total, &unit)),
					 errhint("Give higher ones, or a smaller total.")));
			break;
		case SPM_QUOTA_WEIGHTLESS:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("nobody with a weight can take what is left of the total of %s", units_text(total, &unit)),
					 errhint("Give a weight greater than 0 to a part whose bounds leave room.")));
			break;
		default:
			refuse_size();
	}
	PG_RETURN_DATUM(finish(caller, work, amounts_array(parts, given.n, &unit)));
}

/* ------------------------------------------------------------------- the tree */

#define NO_ARG (-1)

typedef struct Tree
{
	SpmQuotaTree kernel;
	SpmQuotaOrder order;
	Datum	   *names;			/* NULL: there are none */
	bool	   *name_nulls;
} Tree;

static const char *
node_name(void *arg, int i)
{
	Tree	   *tree = arg;

	if (tree->names && !tree->name_nulls[i])
		return psprintf("\"%s\"", TextDatumGetCString(tree->names[i]));
	return psprintf("node %d", i + 1);
}

/* parents, and over-assignments and names, where there are such arguments */
static void
tree_args(FunctionCallInfo fcinfo, int over_arg, int name_arg, Tree *tree)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int		   *parents;
	int64	   *assigned;
	int			nnames = 0;
	NumericArray over = {NULL, NULL, 0};
	SpmQuotaFault fault = {0};

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("parents must be an array of one dimension")));
	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &values, &nulls, &n);
	if (name_arg != NO_ARG)
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(name_arg), TEXTOID, -1, false, TYPALIGN_INT, &tree->names, &tree->name_nulls, &nnames);
	if (nnames == 0)
		tree->names = NULL;
	else if (nnames != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d names for %d nodes", nnames, n)));

	parents = room_for(n, sizeof(int));
	for (int i = 0; i < n; i++)
	{
		parents[i] = nulls[i] ? -1 : DatumGetInt32(values[i]) - 1;
		if (!nulls[i] && (parents[i] < 0 || parents[i] >= n))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parent of %s cannot be %d", node_name(tree, i), DatumGetInt32(values[i])),
					 errhint("A parent is the place of a node among the nodes, from 1 to %d; NULL is none.", n)));
	}

	if (over_arg != NO_ARG)
		over = optional_numerics(fcinfo, over_arg, "over-assignment", n);
	assigned = room_for(n, sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		int64		scaled = 0;
		int			scale = 0;

		if (over.n > 0 && !over.nulls[i] &&
			(!spm_numeric_to_int(over.values[i], &scaled, &scale) || scale > 6 || scaled < 0 || scaled > spmk_pow10(scale)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("over-assignment of %s cannot be %s", node_name(tree, i),
							DatumGetCString(DirectFunctionCall1(numeric_out, over.values[i]))),
					 errhint("Give a ratio from 0 to 1 with at most six decimals: 0.05 for 5 %%.")));
		assigned[i] = SPM_QUOTA_WHOLE + scaled * spmk_pow10(6 - scale);
	}

	tree->kernel.n = n;
	tree->kernel.parents = parents;
	tree->kernel.assigned = assigned;
	tree->order.first = room_for((Size) n + 2, sizeof(int));
	tree->order.children = room_for(n, sizeof(int));
	tree->order.order = room_for((Size) n + 1, sizeof(int));
	if (spmk_quota_order(n, parents, &tree->order, &fault) != SPM_QUOTA_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is above itself", node_name(tree, fault.node)),
				 errhint("Parents must form a tree.")));
}

static void
refuse_tree(SpmQuotaStatus status, Tree *tree, const SpmQuotaFault *fault, const Unit *unit)
{
	bool		is_top = fault->node == tree->kernel.n;
	const char *whose = is_top ? "the whole" : node_name(tree, fault->node);

	if (status == SPM_QUOTA_TOO_LITTLE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 is_top ? errmsg("lower bounds come to %s, more than the total of %s", units_text(fault->below, unit), units_text(fault->limit, unit)) :
				 errmsg("lower bounds below %s come to %s, more than its %s", whose, units_text(fault->below, unit), units_text(fault->limit, unit)),
				 errdetail("Fixed amounts are bounds as well; what a node assigns in excess is taken into account."),
				 is_top ? errhint("Give lower ones, take locks away, or raise the total.") :
				 errhint("Lower what is below %s, or raise what it is to have.", whose)));
	if (status == SPM_QUOTA_TOO_MUCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 is_top ? errmsg("upper bounds come to %s, less than the total of %s", units_text(fault->below, unit), units_text(fault->limit, unit)) :
				 errmsg("upper bounds below %s come to %s, less than its %s", whose, units_text(fault->below, unit), units_text(fault->limit, unit)),
				 errdetail("Fixed amounts are bounds as well; what a node assigns in excess is taken into account."),
				 is_top ? errhint("Give higher ones, take locks away, or lower the total.") :
				 errhint("Raise what is below %s, or lower what it is to have.", whose)));
	if (status == SPM_QUOTA_WEIGHTLESS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 is_top ? errmsg("nobody with a weight can take what is left of the total of %s", units_text(fault->limit, unit)) :
				 errmsg("nobody with a weight below %s can take what is left of %s", whose, units_text(fault->limit, unit)),
				 errhint("Give a weight greater than 0 to somebody there whose bounds leave room.")));
	if (status == SPM_QUOTA_UNEQUAL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has %s, but what is below it makes that %s", whose, units_text(fault->limit, unit), units_text(fault->below, unit)),
				 errhint("Allocate again before amounts are spread.")));
	refuse_size();
}

/* spm.quota_tree(parents, weights, total, lowers, uppers, bases, over_assignments, unit, names) */
Datum
spm_quota_tree(PG_FUNCTION_ARGS)
{
	MemoryContext caller;
	MemoryContext work = begin_work(&caller);
	Unit		unit = unit_arg(PG_GETARG_DATUM(7));
	int64		total = to_units(PG_GETARG_DATUM(2), &unit, EXACT, "total", -1);
	Tree		tree;
	NumericArray weights = numerics(fcinfo, 1, "weight");
	NumericArray lowers;
	NumericArray uppers;
	NumericArray bases;
	int			n;
	int64	   *amounts;
	SpmQuotaRoom room;
	SpmQuotaStatus status;
	SpmQuotaFault fault = {0};

	tree_args(fcinfo, 6, 8, &tree);
	n = tree.kernel.n;
	if (weights.n != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d weights for %d nodes", weights.n, n),
				 errhint("Give one for each; NULL: the sum of those below.")));
	lowers = optional_numerics(fcinfo, 3, "lower bound", n);
	uppers = optional_numerics(fcinfo, 4, "upper bound", n);
	bases = optional_numerics(fcinfo, 5, "base", n);
	tree.kernel.weights = weights_of(&weights, "weight", true, NULL);
	tree.kernel.lowers = amounts_of(&lowers, n, 0, &unit, INWARD_UP, "lower bound");
	tree.kernel.uppers = amounts_of(&uppers, n, SPM_QUOTA_NONE, &unit, INWARD_DOWN, "upper bound");
	tree.kernel.bases = amounts_of(&bases, n, bases.n == 0 ? 0 : SPM_QUOTA_NONE, &unit, ROUND, "base");
	check_bounds(tree.kernel.lowers, tree.kernel.uppers, n, node_name, &tree, &unit);

	amounts = room_for(n, sizeof(int64));
	room.rests = room_for(n, sizeof(SpmWeight));
	room.line = room_for(2 * (Size) n, sizeof(int));
	status = spmk_quota_cascade(total, &tree.kernel, &tree.order, room_for((Size) n + 1, sizeof(int64)),
								room_for((Size) n + 1, sizeof(int64)), amounts, &room, &spm_breath, &fault);
	if (status != SPM_QUOTA_OK)
		refuse_tree(status, &tree, &fault, &unit);
	PG_RETURN_DATUM(finish(caller, work, amounts_array(amounts, n, &unit)));
}

/* spm._quota_sums(parents, weights): of each node with all that is below it */
Datum
spm_quota_sums(PG_FUNCTION_ARGS)
{
	MemoryContext caller;
	MemoryContext work = begin_work(&caller);
	NumericArray weights = numerics(fcinfo, 1, "weight");
	Tree		tree;
	SpmWeight  *sums;
	SpmWeight	all = 0;
	int			scale;

	tree_args(fcinfo, NO_ARG, NO_ARG, &tree);
	if (weights.n != tree.kernel.n)
		elog(ERROR, "there are %d weights for %d nodes", weights.n, tree.kernel.n);
	sums = weights_of(&weights, "weight", false, &scale);
	for (int at = tree.kernel.n; at > 0; at--)
	{
		int			node = tree.order.order[at];
		int			parent = tree.kernel.parents[node];

		if (sums[node] >= SPM_QUOTA_MAX_WEIGHT || (all += sums[node]) >= SPM_QUOTA_MAX_WEIGHT)
			refuse_size();
		if (parent >= 0)
			sums[parent] += sums[node];
	}
	for (int i = 0; i < weights.n; i++)
		weights.values[i] = from_weight(sums[i], scale);
	PG_RETURN_DATUM(finish(caller, work, PointerGetDatum(construct_array(weights.values, weights.n, NUMERICOID, -1, false, TYPALIGN_INT))));
}

/* spm.quota_season(parents, amounts, shares, over_assignments, seasons, unit, names) */
Datum
spm_quota_spread(PG_FUNCTION_ARGS)
{
	MemoryContext caller;
	MemoryContext work = begin_work(&caller);
	Unit		unit = unit_arg(PG_GETARG_DATUM(5));
	ArrayType  *share_array = PG_GETARG_ARRAYTYPE_P(2);
	NumericArray amounts = numerics(fcinfo, 1, "amount");
	Tree		tree;
	NumericArray shares;
	Datum	   *season_values;
	bool	   *season_nulls;
	int			ngiven;
	int		   *seasons;
	int			nseasons;
	int			nparts;
	int			n;
	int64	   *parts;
	Datum	   *values;
	SpmQuotaStatus status;
	SpmQuotaFault fault = {0};
	int			dims[2];
	int			lower_bounds[2] = {1, 1};

	tree_args(fcinfo, 3, 6, &tree);
	n = tree.kernel.n;
	if (ARR_NDIM(share_array) < 1 || ARR_NDIM(share_array) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("shares must be an array of one season, or of several alike")));
	nseasons = ARR_NDIM(share_array) == 1 ? 1 : ARR_DIMS(share_array)[0];
	nparts = ARR_DIMS(share_array)[ARR_NDIM(share_array) - 1];
	deconstruct_array(share_array, NUMERICOID, -1, false, TYPALIGN_INT, &shares.values, &shares.nulls, &shares.n);
	if (amounts.n != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d amounts for %d nodes", amounts.n, n)));
	for (int i = 0; i < n; i++)
	{
		if (amounts.nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("amount of %s is null", node_name(&tree, i))));
	}
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(4), INT4OID, sizeof(int32), true, TYPALIGN_INT, &season_values, &season_nulls, &ngiven);
	if (ngiven != 0 && ngiven != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d seasons for %d nodes", ngiven, n)));
	seasons = room_for(n, sizeof(int));
	for (int i = 0; i < n; i++)
	{
		seasons[i] = ngiven == 0 || season_nulls[i] ? 0 : DatumGetInt32(season_values[i]) - 1;
		if (seasons[i] < 0 || seasons[i] >= nseasons)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("season of %s cannot be %d", node_name(&tree, i), seasons[i] + 1),
					 errdetail("There are %d.", nseasons)));
	}
	parts = room_for((Size) n * nparts, sizeof(int64));
	status = spmk_quota_spread(&tree.kernel, &tree.order, amounts_of(&amounts, n, 0, &unit, EXACT, "amount"), nparts,
							   weights_of(&shares, "share", false, NULL), seasons, parts, &spm_breath, &fault);
	if (status == SPM_QUOTA_WEIGHTLESS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season of %s has no share greater than 0", node_name(&tree, fault.node))));
	if (status != SPM_QUOTA_OK)
		refuse_tree(status, &tree, &fault, &unit);

	values = room_for((Size) n * nparts, sizeof(Datum));
	for (Size i = 0; i < (Size) n * nparts; i++)
		values[i] = from_units(parts[i], &unit);
	dims[0] = n;
	dims[1] = nparts;
	PG_RETURN_DATUM(finish(caller, work, PointerGetDatum(n == 0 ? construct_empty_array(NUMERICOID) :
														 construct_md_array(values, NULL, 2, dims, lower_bounds, NUMERICOID, -1, false, TYPALIGN_INT))));
}
