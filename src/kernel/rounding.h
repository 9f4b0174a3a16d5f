/*
 * rounding.h
 *	  Rounding an exact quotient, once, to a number of decimal places.
 */
#ifndef SPMK_ROUNDING_H
#define SPMK_ROUNDING_H

#include "dec.h"

typedef __int128 SpmInt128;

typedef enum SpmRounding
{
	SPM_HALF_UP,				/* ties away from zero */
	SPM_HALF_EVEN,
	SPM_HALF_DOWN,				/* ties toward zero */
	SPM_UP,						/* away from zero */
	SPM_DOWN,					/* toward zero */
	SPM_FLOOR,
	SPM_CEIL
} SpmRounding;

extern bool spmk_rounding_from_name(const char *name, size_t len, SpmRounding *rounding);
extern const char *spmk_rounding_name(SpmRounding rounding);
extern Dec	spmk_round(Dec num, Dec den, int places, SpmRounding rounding);
extern SpmInt128 spmk_round_int(SpmInt128 num, SpmInt128 den, SpmRounding rounding);

#endif
