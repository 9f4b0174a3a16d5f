/*
 * fast.c
 *	  What a running total has earned, in checked integers.
 *
 * Bounds are kept small (10^18, scales of 16) so that most sums and products
 * of two cannot overflow 128 bits; what could is checked.
 */
#include "fast.h"

static const int64_t pow10_table[] = {
	INT64_C(1), INT64_C(10), INT64_C(100), INT64_C(1000), INT64_C(10000),
	INT64_C(100000), INT64_C(1000000), INT64_C(10000000), INT64_C(100000000),
	INT64_C(1000000000), INT64_C(10000000000), INT64_C(100000000000),
	INT64_C(1000000000000), INT64_C(10000000000000), INT64_C(100000000000000),
	INT64_C(1000000000000000), INT64_C(10000000000000000),
	INT64_C(100000000000000000), INT64_C(1000000000000000000)
};

/* 10^n, n from 0 to 18 */
int64_t
spmk_pow10(int n)
{
	return pow10_table[n];
}

/* To a finer scale; false if the result does not fit. */
bool
spmk_rescale(int64_t *value, int from_scale, int to_scale)
{
	int64_t		scaled;

	if (from_scale == to_scale)
		return true;
	if (to_scale < from_scale || to_scale - from_scale > 18 ||
		__builtin_mul_overflow(*value, spmk_pow10(to_scale - from_scale), &scaled) ||
		scaled > SPM_FAST_MAX || scaled < -SPM_FAST_MAX)
		return false;
	*value = scaled;
	return true;
}

static bool
has_end(const SpmFast *s, int i)
{
	return i < s->terms.ntiers - 1 || !s->terms.last_open;
}

/* Bounds come at the schedule's scale, x at a finer one: 'unit' apart. */
static SpmInt128
floor_at(const SpmFast *s, int i, int64_t unit)
{
	return (SpmInt128) s->floors[i] * unit;
}

static SpmInt128
end_at(const SpmFast *s, int i, int64_t unit)
{
	return (SpmInt128) (s->ends ? s->ends[i] : s->floors[i + 1]) * unit;
}

/* As spmk_tier_of() */
static int
tier_of(const SpmFast *s, int64_t x, int64_t unit)
{
	int			lo = 0;
	int			hi = s->terms.ntiers;
	int			i;

	while (lo < hi)
	{
		int			mid = (lo + hi) / 2;

		if (floor_at(s, mid, unit) <= x)
			lo = mid + 1;
		else
			hi = mid;
	}
	i = lo - 1;
	if (i < 0)
		return SPM_BELOW;
	if (floor_at(s, i, unit) == x && s->terms.edge != SPM_EDGE_UPPER)
	{
		if (i > 0 && end_at(s, i - 1, unit) == x)
			return i - 1;
		if (s->terms.edge == SPM_EDGE_LOWER)
			return i == 0 ? SPM_BELOW : SPM_OUTSIDE;
		return i;
	}
	if (!has_end(s, i))
		return i;
	return x <= end_at(s, i, unit) ? i : SPM_OUTSIDE;
}

/* The first n tiers.  Slices are no wider than x, so no sum passes 10^36. */
static SpmInt128
by_slices(const SpmFast *s, int64_t x, int64_t unit, int n)
{
	SpmInt128	first = floor_at(s, 0, unit);
	SpmInt128	sum;

	if (x < first)
		return (SpmInt128) s->base * x;
	sum = first * s->base;
	for (int i = 0; i < n; i++)
	{
		SpmInt128	from = floor_at(s, i, unit);
		SpmInt128	to = x;

		if (from >= x)
			break;
		if (has_end(s, i) && end_at(s, i, unit) < x)
			to = end_at(s, i, unit);
		sum += (SpmInt128) (int64_t) (to - from) * s->values[i];
	}
	return sum;
}

/* As spmk_rate(): *num / *den, den in the scale of x */
static bool
rate_at(const SpmFast *s, int64_t x, int64_t unit, SpmInt128 *num, SpmInt128 *den)
{
	int			t = tier_of(s, x, unit);

	*den = 1;
	*num = 0;
	if (t == SPM_OUTSIDE)
		return true;
	if (t == SPM_BELOW)
	{
		*num = s->base;
		return true;
	}
	*num = s->values[t];
	if ((s->terms.method == SPM_INTERPOLATED || s->terms.method == SPM_CURVE) &&
		t < s->terms.ntiers - 1)
	{
		SpmInt128	width = floor_at(s, t + 1, unit) - floor_at(s, t, unit);

		if (width > SPM_FAST_MAX)
			return false;
		*den = width;
		*num = s->values[t] * width +
			((SpmInt128) s->values[t + 1] - s->values[t]) * (x - floor_at(s, t, unit));
	}
	else if (s->terms.method == SPM_WEIGHTED)
	{
		SpmInt128	width = end_at(s, t, unit) - floor_at(s, t, unit);
		SpmInt128	passed = 0;

		/* 1,000 tiers of 10^18 times a width of 10^16 */
		if (width > SPM_FAST_MAX / 100)
			return false;
		for (int i = 0; i < t; i++)
			passed += s->values[i];
		*den = width;
		*num = passed * width + s->values[t] * (x - floor_at(s, t, unit));
	}
	return true;
}

/* round(E(x)) in units of 10^-places, where x comes at a scale of its own. */
SpmStatus
spmk_fast_earned(const SpmFast *s, int64_t x, int scale,
				 int places, SpmRounding rounding, int64_t *earned)
{
	SpmInt128	num;
	SpmInt128	den = 1;
	SpmInt128	result;
	int64_t		unit;
	int			last = s->terms.ntiers - 1;
	int			excess;

	*earned = 0;
	if (places < 0 || places > SPM_FAST_SCALE || x > SPM_FAST_MAX || x < -SPM_FAST_MAX)
		return SPM_TOO_BIG;
	if (x == 0)
		return SPM_OK;
	if (scale < s->amount_scale)
	{
		if (!spmk_rescale(&x, scale, s->amount_scale))
			return SPM_TOO_BIG;
		scale = s->amount_scale;
	}
	unit = spmk_pow10(scale - s->amount_scale);
	if (!s->terms.outside_zero && !s->terms.last_open && x > end_at(s, last, unit))
		return SPM_ERR_ABOVE_END;

	if (s->terms.method == SPM_MARGINAL)
		num = by_slices(s, x, unit, s->terms.ntiers);
	else
	{
		SpmInt128	times = x;

		if (!rate_at(s, x, unit, &num, &den))
			return SPM_TOO_BIG;
		if (spmk_values_are_money(s->terms.method))
			times = unit;
		else if (s->terms.method == SPM_EXCESS)
			times = has_end(s, 0) && end_at(s, 0, unit) < x ? x - end_at(s, 0, unit) : 0;
		if (__builtin_mul_overflow(num, times, &num))
			return SPM_TOO_BIG;
		if (s->terms.method == SPM_EXCESS)
			num += by_slices(s, x, unit, 1);
	}
	if (s->terms.has_divisor &&
		(__builtin_mul_overflow(num, (SpmInt128) spmk_pow10(s->amount_scale), &num) ||
		 __builtin_mul_overflow(den, (SpmInt128) s->divisor, &den)))
		return SPM_TOO_BIG;

	if (s->terms.has_cap || s->terms.has_least)
	{
		SpmInt128	one;		/* of money, in units of num */
		SpmInt128	limit;

		if (__builtin_mul_overflow((SpmInt128) unit * spmk_pow10(s->rate_scale), den, &one))
			return SPM_TOO_BIG;
		if (s->terms.has_cap)
		{
			if (__builtin_mul_overflow(one, (SpmInt128) s->cap, &limit))
				return SPM_TOO_BIG;
			if (num > limit)
				num = limit;
		}
		if (s->terms.has_least)
		{
			if (__builtin_mul_overflow(one, (SpmInt128) s->least, &limit))
				return SPM_TOO_BIG;
			if (num < limit)
				num = limit;
		}
	}

	excess = scale + s->rate_scale - places;
	while (excess > 0)
	{
		int			step = excess > 18 ? 18 : excess;

		if (__builtin_mul_overflow(den, (SpmInt128) spmk_pow10(step), &den))
			return SPM_TOO_BIG;
		excess -= step;
	}
	if (excess < 0 && __builtin_mul_overflow(num, (SpmInt128) spmk_pow10(-excess), &num))
		return SPM_TOO_BIG;
	result = spmk_round_int(num, den, rounding);
	if (result > SPM_FAST_MAX || result < -SPM_FAST_MAX)
		return SPM_TOO_BIG;
	*earned = (int64_t) result;
	return SPM_OK;
}
