/*
 * schedule.c
 *	  Rate schedules: what a running total has earned.
 */
#include "schedule.h"

/*
 * Whether the numbers make a schedule; *tier is the index of the tier at
 * fault (of the first of the two, where two do not fit together).
 */
SpmStatus
spmk_schedule_check(const SpmSchedule *s, int *tier)
{
	int			n = s->terms.ntiers;

	*tier = 0;
	if (dec_sign(s->floors[0]) < 0)
		return SPM_ERR_NEGATIVE_FLOOR;
	for (int i = 0; i < n; i++)
	{
		bool		last = i == n - 1;

		*tier = i;
		if (!last && dec_cmp(s->floors[i + 1], s->floors[i]) <= 0)
			return SPM_ERR_ORDER;
		if (last && s->terms.last_open)
			break;
		if (dec_cmp(s->ends[i], s->floors[i]) <= 0)
			return SPM_ERR_EMPTY;
		if (!last)
		{
			int			order = dec_cmp(s->ends[i], s->floors[i + 1]);

			if (order > 0)
				return SPM_ERR_OVERLAP;
			if (order < 0 && !s->terms.outside_zero)
				return SPM_ERR_GAP;
		}
	}
	if (s->terms.method == SPM_WEIGHTED && s->terms.last_open)
		return SPM_ERR_NO_END;
	if (s->terms.has_cap && dec_sign(s->cap) < 0)
		return SPM_ERR_CAP_NEGATIVE;
	if (s->terms.has_cap && s->terms.has_least && dec_cmp(s->cap, s->least) < 0)
		return SPM_ERR_CAP_FLOOR;
	if (s->terms.has_divisor && dec_sign(s->divisor) <= 0)
		return SPM_ERR_DIVISOR;
	return SPM_OK;
}

/* Whether the values are amounts of money, not rates. */
bool
spmk_values_are_money(SpmRateMethod method)
{
	return method == SPM_BONUS || method == SPM_CURVE;
}

/*
 * The rate below the first floor, where none is given: the first tier's (so
 * that refunds below zero take back what they earned), else 0.
 */
bool
spmk_default_base_is_first(SpmRateMethod method, bool first_floor_is_zero)
{
	switch (method)
	{
		case SPM_BONUS:
		case SPM_CURVE:
			return false;
		case SPM_INTERPOLATED:
			return true;		/* clamped to the first point */
		default:
			return first_floor_is_zero;
	}
}

static bool
has_end(const SpmSchedule *s, int i)
{
	return i < s->terms.ntiers - 1 || !s->terms.last_open;
}

/*
 * The tier that x belongs to.  With edge upper a tier is [floor, end), with
 * lower (floor, end], with closed [floor, end] and the first match wins.  An
 * end on which no tier starts belongs to the tier it ends, whatever the edge.
 */
int
spmk_tier_of(const SpmSchedule *s, Dec x)
{
	int			n = s->terms.ntiers;
	int			lo = 0;
	int			hi = n;
	int			i;
	int			order;

	/* lo: how many floors are at or below x */
	while (lo < hi)
	{
		int			mid = (lo + hi) / 2;

		if (dec_cmp(s->floors[mid], x) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	i = lo - 1;
	if (i < 0)
		return SPM_BELOW;
	if (dec_cmp(s->floors[i], x) == 0 && s->terms.edge != SPM_EDGE_UPPER)
	{
		bool		joined = i > 0 && dec_cmp(s->ends[i - 1], x) == 0;

		if (joined)
			return i - 1;
		if (s->terms.edge == SPM_EDGE_LOWER)
			return i == 0 ? SPM_BELOW : SPM_OUTSIDE;
		return i;
	}
	if (!has_end(s, i))
		return i;
	order = dec_cmp(x, s->ends[i]);
	return order <= 0 ? i : SPM_OUTSIDE;
}

/* Whether x may not be asked for: above the end of the last tier. */
static bool
is_refused(const SpmSchedule *s, Dec x)
{
	int			last = s->terms.ntiers - 1;

	return !s->terms.outside_zero && !s->terms.last_open &&
		dec_cmp(x, s->ends[last]) > 0;
}

/* The rate that applies at x, as num / den; for a bonus or curve, the money. */
SpmStatus
spmk_rate(const SpmSchedule *s, Dec x, int *tier, Dec *num, Dec *den)
{
	int			t = spmk_tier_of(s, x);

	*tier = t;
	*den = s->terms.has_divisor ? s->divisor : dec_from_int(1, 0);
	*num = dec_from_int(0, 0);
	if (is_refused(s, x))
		return SPM_ERR_ABOVE_END;
	if (t == SPM_OUTSIDE)
		return SPM_OK;
	if (t == SPM_BELOW)
	{
		*num = s->base;
		return SPM_OK;
	}
	*num = s->values[t];
	if ((s->terms.method == SPM_INTERPOLATED || s->terms.method == SPM_CURVE) &&
		t < s->terms.ntiers - 1)
	{
		Dec			width = dec_sub(s->floors[t + 1], s->floors[t]);

		*den = dec_mul(*den, width);
		*num = dec_add(dec_mul(s->values[t], width),
					   dec_mul(dec_sub(s->values[t + 1], s->values[t]),
							   dec_sub(x, s->floors[t])));
	}
	else if (s->terms.method == SPM_WEIGHTED)
	{
		Dec			passed = dec_from_int(0, 0);
		Dec			width = dec_sub(s->ends[t], s->floors[t]);

		for (int i = 0; i < t; i++)
			passed = dec_add(passed, s->values[i]);
		*den = dec_mul(*den, width);
		*num = dec_add(dec_mul(passed, width),
					   dec_mul(s->values[t], dec_sub(x, s->floors[t])));
	}
	return SPM_OK;
}

/* What x earns below and in the first n tiers, each slice at its own rate. */
static Dec
by_slices(const SpmSchedule *s, Dec x, int n)
{
	Dec			first = s->floors[0];
	Dec			sum = dec_mul(s->base, dec_cmp(x, first) < 0 ? x : first);

	for (int i = 0; i < n && dec_cmp(s->floors[i], x) < 0; i++)
	{
		bool		full = has_end(s, i) && dec_cmp(s->ends[i], x) < 0;
		Dec			top = full ? s->ends[i] : x;

		sum = dec_add(sum, dec_mul(dec_sub(top, s->floors[i]), s->values[i]));
	}
	return sum;
}

/* E(x) before cap and floor. */
SpmStatus
spmk_earned_unlimited(const SpmSchedule *s, Dec x, Dec *num, Dec *den)
{
	int			tier;
	SpmStatus	status;

	*num = dec_from_int(0, 0);
	*den = dec_from_int(1, 0);
	if (dec_sign(x) == 0)
		return SPM_OK;
	status = spmk_rate(s, x, &tier, num, den);
	if (status != SPM_OK)
		return status;
	switch (s->terms.method)
	{
		case SPM_MARGINAL:
			*num = by_slices(s, x, s->terms.ntiers);
			break;
		case SPM_EXCESS:
			/* above the first tier, all at the rate reached */
			if (has_end(s, 0) && dec_cmp(s->ends[0], x) < 0)
				*num = dec_mul(dec_sub(x, s->ends[0]), *num);
			else
				*num = dec_from_int(0, 0);
			*num = dec_add(*num, by_slices(s, x, 1));
			break;
		case SPM_BONUS:
		case SPM_CURVE:
			break;
		default:
			*num = dec_mul(*num, x);
			break;
	}
	return SPM_OK;
}

/* num / den is at most the cap; den is positive. */
void
spmk_apply_cap(const SpmSchedule *s, Dec x, Dec *num, Dec *den)
{
	if (s->terms.has_cap && dec_sign(x) != 0 && dec_cmp(*num, dec_mul(s->cap, *den)) > 0)
	{
		*num = s->cap;
		*den = dec_from_int(1, 0);
	}
}

/* num / den is at least what any total earns that is not zero. */
void
spmk_apply_least(const SpmSchedule *s, Dec x, Dec *num, Dec *den)
{
	if (s->terms.has_least && dec_sign(x) != 0 && dec_cmp(*num, dec_mul(s->least, *den)) < 0)
	{
		*num = s->least;
		*den = dec_from_int(1, 0);
	}
}

/* E(x) */
SpmStatus
spmk_earned(const SpmSchedule *s, Dec x, Dec *num, Dec *den)
{
	SpmStatus	status = spmk_earned_unlimited(s, x, num, den);

	if (status == SPM_OK)
	{
		spmk_apply_cap(s, x, num, den);
		spmk_apply_least(s, x, num, den);
	}
	return status;
}

int
spmk_region_count(const SpmSchedule *s)
{
	return 2 * s->terms.ntiers + (s->terms.last_open ? 0 : 1);
}

/* Cuts [*from, *to] to the region; false if nothing is left. */
bool
spmk_region_slice(const SpmSchedule *s, int region, Dec *from, Dec *to)
{
	int			i = region / 2;
	bool		is_tier = region % 2 == 1;

	if (is_tier)
	{
		if (dec_cmp(s->floors[i], *from) > 0)
			*from = s->floors[i];
		if (has_end(s, i) && dec_cmp(s->ends[i], *to) < 0)
			*to = s->ends[i];
	}
	else
	{
		if (i > 0 && dec_cmp(s->ends[i - 1], *from) > 0)
			*from = s->ends[i - 1];
		if (i < s->terms.ntiers && dec_cmp(s->floors[i], *to) < 0)
			*to = s->floors[i];
	}
	return dec_cmp(*from, *to) < 0;
}
