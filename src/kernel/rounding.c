/*
 * rounding.c
 *	  Rounding an exact quotient, once, to a number of decimal places.
 */
#include "rounding.h"

#include <string.h>

static const char *const rounding_names[] = {
	"half_up", "half_even", "half_down", "up", "down", "floor", "ceil"
};

bool
spmk_rounding_from_name(const char *name, size_t len, SpmRounding *rounding)
{
	for (int i = 0; i <= SPM_CEIL; i++)
	{
		if (strlen(rounding_names[i]) == len && memcmp(rounding_names[i], name, len) == 0)
		{
			*rounding = (SpmRounding) i;
			return true;
		}
	}
	/* PostgreSQL has both words, too */
	if (len == strlen("ceiling") && memcmp("ceiling", name, len) == 0)
	{
		*rounding = SPM_CEIL;
		return true;
	}
	return false;
}

const char *
spmk_rounding_name(SpmRounding rounding)
{
	return rounding_names[rounding];
}

/*
 * Whether a quotient that left a remainder goes one step away from zero.
 * 'half' compares twice the remainder with the divisor.
 */
static bool
steps_away(SpmRounding rounding, bool negative, int half, bool odd)
{
	switch (rounding)
	{
		case SPM_HALF_UP:
			return half >= 0;
		case SPM_HALF_EVEN:
			return half > 0 || (half == 0 && odd);
		case SPM_HALF_DOWN:
			return half > 0;
		case SPM_UP:
			return true;
		case SPM_DOWN:
			return false;
		case SPM_FLOOR:
			return negative;
		case SPM_CEIL:
			return !negative;
	}
	return false;
}

/* num / den to 'places' decimals; den is not zero. */
Dec
spmk_round(Dec num, Dec den, int places, SpmRounding rounding)
{
	Dec			zero = dec_from_int(0, 0);
	bool		negative = dec_sign(num) * dec_sign(den) < 0;
	Dec			quotient;
	Dec			rest;

	/* Magnitudes first: the sign is put back at the end. */
	if (dec_sign(num) < 0)
		num = dec_sub(zero, num);
	if (dec_sign(den) < 0)
		den = dec_sub(zero, den);
	if (places >= 0)
		num = dec_shift(num, places);
	else
		den = dec_shift(den, -places);
	quotient = dec_quotient(num, den);
	rest = dec_sub(num, dec_mul(quotient, den));
	if (dec_sign(rest) != 0)
	{
		Dec			two = dec_from_int(2, 0);
		Dec			half = dec_quotient(quotient, two);
		bool		odd = dec_cmp(dec_mul(half, two), quotient) != 0;

		if (steps_away(rounding, negative, dec_cmp(dec_mul(rest, two), den), odd))
			quotient = dec_add(quotient, dec_from_int(1, 0));
	}
	if (negative)
		quotient = dec_sub(zero, quotient);
	return dec_shift(quotient, -places);
}

/* num / den to a whole number; den is positive. */
SpmInt128
spmk_round_int(SpmInt128 num, SpmInt128 den, SpmRounding rounding)
{
	SpmInt128	quotient;
	SpmInt128	rest;

	if (den == 1)
		return num;

	/* Dividing 128 bits is slow and seldom needed. */
	if ((int64_t) num == num && (int64_t) den == den)
	{
		quotient = (int64_t) num / (int64_t) den;
		rest = (int64_t) num % (int64_t) den;
	}
	else
	{
		quotient = num / den;
		rest = num % den;
	}
	if (rest != 0)
	{
		bool		negative = num < 0;
		SpmInt128	size = negative ? -rest : rest;
		SpmInt128	other = den - size;
		int			half = size < other ? -1 : size > other;

		if (steps_away(rounding, negative, half, (quotient & 1) != 0))
			quotient += negative ? -1 : 1;
	}
	return quotient;
}
