/*
 * accuracy.c
 *	  Sums that are exact, and the error of the naive forecast.
 */
#include "kernel/accuracy.h"

#include <string.h>

/* A digit holds 32 bits; each number adds less than 1.5 x 2^32 to it. */
#define CARRY_AFTER (INT64_C(1) << 30)

static void
carry(SpmExact *sum)
{
	for (int i = 0; i + 1 < SPMK_EXACT_DIGITS; i++)
	{
		int64_t		over = sum->digit[i] >> 32;

		sum->digit[i + 1] += over;
		sum->digit[i] -= over * (INT64_C(1) << 32);
	}
	sum->waiting = 0;
}

/* False: the number is not finite or too large, and the sum as it was. */
bool
spmk_exact_add(SpmExact *sum, double number)
{
	int			exponent;
	int			place;
	int			sign = number < 0 ? -1 : 1;
	uint64_t	mantissa;
	uint64_t	low;
	uint64_t	high;

	if (!(fabs(number) < SPMK_EXACT_MOST))
		return false;
	mantissa = (uint64_t) ldexp(frexp(fabs(number), &exponent), 53);
	place = exponent - 53 - SPMK_EXACT_LEAST;
	if (place < 0)
	{
		mantissa = place <= -53 ? 0 : mantissa >> -place;
		place = 0;
	}
	low = (mantissa & UINT32_MAX) << (place % 32);
	high = (mantissa >> 32) << (place % 32);
	place /= 32;
	sum->digit[place] += sign * (int64_t) (low & UINT32_MAX);
	sum->digit[place + 1] += sign * (int64_t) (low >> 32);
	sum->digit[place + 1] += sign * (int64_t) (high & UINT32_MAX);
	sum->digit[place + 2] += sign * (int64_t) (high >> 32);
	if (++sum->waiting == CARRY_AFTER)
		carry(sum);
	return true;
}

void
spmk_exact_merge(SpmExact *sum, const SpmExact *other)
{
	SpmExact	copy = *other;

	carry(sum);
	carry(&copy);
	for (int i = 0; i < SPMK_EXACT_DIGITS; i++)
		sum->digit[i] += copy.digit[i];
	carry(sum);
}

/* The nearest double. */
double
spmk_exact_value(const SpmExact *sum)
{
	SpmExact	copy = *sum;
	int			top = SPMK_EXACT_DIGITS - 1;
	bool		negative;
	uint64_t	bits;
	int			spare = 0;

	carry(&copy);
	negative = copy.digit[top] < 0;
	if (negative)
	{
		for (int i = 0; i <= top; i++)
			copy.digit[i] = -copy.digit[i];
		carry(&copy);
	}
	while (top > 0 && copy.digit[top] == 0)
		top--;

	/* 64 bits from the first that is set, the last of them set if any behind it is: rounding sees all */
	bits = (uint64_t) copy.digit[top];
	if (bits == 0)
		return 0;
	while (top > 0)
	{
		int			room = __builtin_clzll(bits);
		uint64_t	next = (uint64_t) copy.digit[--top];

		if (room >= 32)
		{
			bits = bits << 32 | next;
			continue;
		}
		spare = 32 - room;
		bits = bits << room | next >> spare;
		if (next << (64 - spare) != 0)
			bits |= 1;
		for (int i = 0; i < top; i++)
			if (copy.digit[i] != 0)
				bits |= 1;
		break;
	}
	return ldexp(negative ? -(double) bits : (double) bits, 32 * top + spare + SPMK_EXACT_LEAST);
}

double
spmk_naive_error(const double *y, int n, int lag, bool squared)
{
	double		sum = 0;

	for (int t = lag; t < n; t++)
	{
		double		off = fabs(y[t] - y[t - lag]);

		sum += squared ? off * off : off;
	}
	if (n <= lag)
		return NAN;
	return squared ? sqrt(sum / (n - lag)) : sum / (n - lag);
}
