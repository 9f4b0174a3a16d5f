/*
 * dec_unit.c
 *	  Dec without a server: 128-bit integers in units of 10^-12.  What does not
 *	  fit, or would lose a digit, stops the program.
 */
#include "kernel/dec.h"

#include <stdio.h>
#include <stdlib.h>

#define UNIT ((__int128) 1000000000000)

static __int128
checked(bool failed, __int128 value, const char *what)
{
	if (failed)
	{
		printf("Bail out! %s\n", what);
		abort();
	}
	return value;
}

static __int128
power(int n)
{
	__int128	value = 1;

	while (n-- > 0)
		value *= 10;
	return value;
}

Dec
dec_from_int(int64_t value, int scale)
{
	__int128	units = value * UNIT;

	return (Dec) {checked(units % power(scale) != 0, units / power(scale), "a number is too fine")};
}

Dec
dec_add(Dec a, Dec b)
{
	__int128	sum;
	bool		failed = __builtin_add_overflow(a.units, b.units, &sum);

	return (Dec) {checked(failed, sum, "a sum does not fit")};
}

Dec
dec_sub(Dec a, Dec b)
{
	return dec_add(a, (Dec) {-b.units});
}

Dec
dec_mul(Dec a, Dec b)
{
	__int128	product;
	bool		failed = __builtin_mul_overflow(a.units, b.units, &product);

	return (Dec) {checked(failed || product % UNIT != 0, product / UNIT, "a product does not fit")};
}

Dec
dec_quotient(Dec a, Dec b)
{
	return (Dec) {a.units / b.units * UNIT};
}

Dec
dec_shift(Dec a, int places)
{
	__int128	shifted;
	bool		failed;

	if (places < 0)
		return (Dec) {checked(a.units % power(-places) != 0, a.units / power(-places), "a shift loses digits")};
	failed = __builtin_mul_overflow(a.units, power(places), &shifted);
	return (Dec) {checked(failed, shifted, "a shift does not fit")};
}

int
dec_cmp(Dec a, Dec b)
{
	return a.units < b.units ? -1 : a.units > b.units;
}

int
dec_sign(Dec a)
{
	return dec_cmp(a, (Dec) {0});
}
