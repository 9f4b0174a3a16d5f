/*
 * quota_capacity.c
 *	  How likely a team is to be enough, and how many more it takes.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "kernel/capacity.h"
#include "numbers.h"

PG_FUNCTION_INFO_V1(spm_capacity_chance);
PG_FUNCTION_INFO_V1(spm_hires);

/* Elements of an array without NULLs, of a type that is passed by value. */
static Datum *
elements(FunctionCallInfo fcinfo, int arg, Oid type, const char *what, int *n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	int			width = type == INT4OID ? 4 : 8;
	Datum	   *values;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension", what)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain NULL", what)));
	deconstruct_array(array, type, width, width == 4 || FLOAT8PASSBYVAL, width == 4 ? TYPALIGN_INT : TYPALIGN_DOUBLE,
					  &values, NULL, n);
	return values;
}

static void
refuse(const char *what, int nth, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 nth > 0 ? errmsg("%s %d makes no sense", what, nth) : errmsg("%s makes no sense", what),
			 errdetail("%s", detail)));
}

static double
deviation_arg(FunctionCallInfo fcinfo, int arg)
{
	double		deviation = PG_GETARG_FLOAT8(arg);

	if (!isfinite(deviation) || deviation < 0)
		refuse("deviation", 0, "It is a share of what one brings: 0 or more.");
	return deviation;
}

/* spm.capacity_chance(heads int[], present float8[], units bigint[], need bigint, deviation float8) */
Datum
spm_capacity_chance(PG_FUNCTION_ARGS)
{
	int			n;
	int			npresent;
	int			nunits;
	Datum	   *heads = elements(fcinfo, 0, INT4OID, "heads", &n);
	Datum	   *present = elements(fcinfo, 1, FLOAT8OID, "present", &npresent);
	Datum	   *units = elements(fcinfo, 2, INT8OID, "units", &nunits);
	int64		need = PG_GETARG_INT64(3);
	double		deviation = deviation_arg(fcinfo, 4);
	SpmGroup   *groups = palloc(Max(n, 1) * sizeof(SpmGroup));
	int64		divisor = 0;
	double		chance;
	double	   *room;

	if (npresent != n || nunits != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("heads, present and units must be of the same length"),
				 errdetail("They have %d, %d and %d elements.", n, npresent, nunits)));
	for (int i = 0; i < n; i++)
	{
		groups[i].heads = DatumGetInt32(heads[i]);
		groups[i].present = DatumGetFloat8(present[i]);
		groups[i].units = DatumGetInt64(units[i]);
		if (groups[i].heads < 0)
			refuse("group", i + 1, "Its heads are fewer than none.");
		if (!(groups[i].present >= 0 && groups[i].present <= 1))
			refuse("group", i + 1, "The chance to be present is 0 to 1.");
		if (groups[i].units < 0 || groups[i].units > PG_INT64_MAX / 4)
			refuse("group", i + 1, "Units are zero or more.");
		divisor = spmk_common_divisor(divisor, groups[i].units);
	}
	if (need > PG_INT64_MAX / 4)
		refuse("need", 0, "It is too large.");
	room = palloc(SPMK_CAPACITY_ROOM * sizeof(double));
	chance = spmk_chance(groups, n, Max(divisor, 1), need, deviation, room, &spm_breath);
	pfree(room);
	PG_RETURN_FLOAT8(chance);
}

/*
 * spm._hires(starts int[], heads int[], ramp bigint[], whole bigint, leaves float8, deviation float8,
 *			  needs bigint[], level float8, earliest int, least bigint)
 */
Datum
spm_hires(PG_FUNCTION_ARGS)
{
	int			nheads;
	int			nstarts;
	Datum	   *starts = elements(fcinfo, 0, INT4OID, "starts", &nstarts);
	Datum	   *heads = elements(fcinfo, 1, INT4OID, "heads", &nheads);
	Datum	   *ramp;
	Datum	   *needs;
	SpmCohort  *cohorts;
	int64	   *units;
	int64	   *need_units;
	int64		divisor;
	SpmTeam		team;
	int		   *hires;
	double	   *chances;
	double	   *room;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (nheads != nstarts)
		elog(ERROR, "%d starts of %d cohorts", nstarts, nheads);
	cohorts = palloc(Max(nheads, 1) * sizeof(SpmCohort));
	for (int i = 0; i < nheads; i++)
	{
		cohorts[i].heads = DatumGetInt32(heads[i]);
		cohorts[i].start = DatumGetInt32(starts[i]);
		if (cohorts[i].heads < 0)
			refuse("cohort", i + 1, "Its heads are fewer than none.");
	}
	ramp = elements(fcinfo, 2, INT8OID, "ramp", &team.nramp);
	team.whole = PG_GETARG_INT64(3);
	units = palloc(Max(team.nramp, 1) * sizeof(int64));
	divisor = team.whole;
	for (int i = 0; i < team.nramp; i++)
	{
		units[i] = DatumGetInt64(ramp[i]);
		if (units[i] < 0)
			refuse("ramp share", i + 1, "It is less than nothing.");
		divisor = spmk_common_divisor(divisor, units[i]);
	}
	team.leaves = PG_GETARG_FLOAT8(4);
	team.deviation = deviation_arg(fcinfo, 5);
	needs = elements(fcinfo, 6, INT8OID, "needs", &team.months);
	need_units = palloc(Max(team.months, 1) * sizeof(int64));
	for (int m = 0; m < team.months; m++)
		need_units[m] = DatumGetInt64(needs[m]);
	team.level = PG_GETARG_FLOAT8(7);
	team.earliest = PG_GETARG_INT32(8);
	team.least = PG_GETARG_INT64(9);
	if (!(team.leaves >= 0 && team.leaves <= 1) || !(team.level > 0 && team.level < 1) || team.earliest < 0 || team.whole <= 0)
		elog(ERROR, "hires are asked for with nonsense");
	team.cohorts = cohorts;
	team.ncohorts = nheads;
	team.ramp = units;
	team.needs = need_units;

	hires = palloc0(Max(team.months, 1) * sizeof(int));
	chances = palloc0(Max(team.months, 1) * sizeof(double));
	room = palloc(SPMK_CAPACITY_ROOM * sizeof(double));
	spmk_hires(&team, divisor, hires, chances, palloc((nheads + team.months + 1) * sizeof(SpmGroup)), room, &spm_breath);

	starts = palloc(Max(team.months, 1) * sizeof(Datum));
	heads = palloc(Max(team.months, 1) * sizeof(Datum));
	for (int m = 0; m < team.months; m++)
	{
		starts[m] = Int32GetDatum(hires[m]);
		heads[m] = Float8GetDatum(chances[m]);
	}
	values[0] = PointerGetDatum(construct_array(starts, team.months, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(heads, team.months, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
