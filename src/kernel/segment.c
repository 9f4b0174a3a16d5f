/*
 * segment.c
 *	  A stretch of totals on which a schedule is a straight line.
 */
#include "segment.h"

#define LIMIT	(INT64_C(4) * 100000000000000000)	/* so that sums of two stay below 10^18 */

static SpmInt128
ceil_div(SpmInt128 a, int64_t b)
{
	return a / b + (a % b > 0);
}

static SpmInt128
floor_div(SpmInt128 a, int64_t b)
{
	return a / b - (a % b < 0);
}

/*
 * The line that x lies on, x being scaled by 10^scale and what is earned by
 * 10^places; false where there is none that fits: then it is
 * spmk_fast_earned() that knows.  Marginal schedules only: their lines meet,
 * so it does not matter to which of two an edge belongs.
 */
bool
spmk_segment(const SpmFast *s, int64_t x, int scale, int places, SpmSegment *segment)
{
	int			finest = scale > s->amount_scale ? scale : s->amount_scale;
	int			n = s->terms.ntiers;
	int64_t		unit;
	int64_t		times;
	int			t = -1;
	SpmInt128	lo = -LIMIT;
	SpmInt128	hi = LIMIT;
	SpmInt128	at_zero = 0;
	SpmInt128	rate;

	if (s->terms.method != SPM_MARGINAL || s->ends != NULL || s->terms.percent ||
		s->terms.has_cap || s->terms.has_least || s->terms.has_divisor ||
		finest > SPM_FAST_SCALE || places < 0 || places > SPM_FAST_SCALE)
		return false;
	segment->excess = finest + s->rate_scale - places;
	if (segment->excess < 0 || segment->excess > 18)
		return false;
	unit = spmk_pow10(finest - s->amount_scale);
	times = spmk_pow10(finest - scale);
	while (t + 1 < n && (SpmInt128) s->floors[t + 1] * unit < (SpmInt128) x * times)
		t++;
	if (t < 0)
	{
		rate = (SpmInt128) s->base * times;
		hi = floor_div((SpmInt128) s->floors[0] * unit, times);
	}
	else
	{
		SpmInt128	sum = (SpmInt128) s->floors[0] * s->base;

		for (int i = 0; i < t; i++)
			sum += (SpmInt128) (s->floors[i + 1] - s->floors[i]) * s->values[i];
		sum -= (SpmInt128) s->floors[t] * s->values[t];
		if (__builtin_mul_overflow(sum, (SpmInt128) unit, &at_zero))
			return false;
		rate = (SpmInt128) s->values[t] * times;
		lo = ceil_div((SpmInt128) s->floors[t] * unit, times);
		if (t < n - 1 || !s->terms.last_open)
			hi = floor_div((SpmInt128) s->floors[t + 1] * unit, times);
	}
	if (at_zero > LIMIT || at_zero < -LIMIT || rate > LIMIT || rate < -LIMIT)
		return false;
	if (rate != 0)
	{
		SpmInt128	reach = LIMIT / (rate < 0 ? -rate : rate);

		if (lo < -reach)
			lo = -reach;
		if (hi > reach)
			hi = reach;
	}
	if (lo < -LIMIT)
		lo = -LIMIT;
	if (hi > LIMIT)
		hi = LIMIT;
	if (x < lo || x > hi)
		return false;
	segment->lo = (int64_t) lo;
	segment->hi = (int64_t) hi;
	segment->at_zero = (int64_t) at_zero;
	segment->rate = (int64_t) rate;
	return true;
}

static bool
times_fits(int64_t a, int64_t b, int64_t *product)
{
	return !__builtin_mul_overflow(a, b, product) &&
		*product <= SPM_FAST_MAX && *product >= -SPM_FAST_MAX;
}

/*
 * A schedule in shares of quota, for a quota above 0: bounds become amounts,
 * exactly.  'bounds' is room for two for each tier and one more.  What is
 * money in the schedule itself, and does not scale with the quota, is left to
 * Dec: SPM_TOO_BIG.
 */
SpmStatus
spmk_fast_for_quota(const SpmFast *percent, int64_t quota, int quota_scale,
					int64_t *bounds, SpmFast *amounts)
{
	const SpmTerms *t = &percent->terms;
	int			nfloors = t->ntiers + (percent->ends == NULL && !t->last_open);

	if (!t->percent || quota <= 0 || spmk_values_are_money(t->method) || t->has_divisor ||
		percent->amount_scale + quota_scale > SPM_FAST_SCALE)
		return SPM_TOO_BIG;
	*amounts = *percent;
	amounts->terms.percent = false;
	amounts->amount_scale += quota_scale;
	if (!times_fits(percent->cap, spmk_pow10(quota_scale), &amounts->cap) ||
		!times_fits(percent->least, spmk_pow10(quota_scale), &amounts->least))
		return SPM_TOO_BIG;
	for (int i = 0; i < nfloors; i++)
	{
		if (!times_fits(percent->floors[i], quota, &bounds[i]))
			return SPM_TOO_BIG;
	}
	amounts->floors = bounds;
	if (percent->ends != NULL)
	{
		for (int i = 0; i < t->ntiers; i++)
		{
			if (!times_fits(percent->ends[i], quota, &bounds[nfloors + i]))
				return SPM_TOO_BIG;
		}
		amounts->ends = bounds + nfloors;
	}
	return SPM_OK;
}
