/*
 * schedule_text.h
 *	  Reading the text form of a rate schedule.
 *
 *	  tier (',' tier)* option*	   tier := bound ['..' [bound]] ':' value
 */
#ifndef SPMK_SCHEDULE_TEXT_H
#define SPMK_SCHEDULE_TEXT_H

#include "schedule.h"

/* A number as it was written: [+-]digits[.digits], without a percent sign. */
typedef struct SpmNumberText
{
	const char *at;				/* NULL: not given */
	int			len;
	bool		percent;
} SpmNumberText;

typedef struct SpmTierText
{
	SpmNumberText floor;
	SpmNumberText end;
	SpmNumberText value;
	bool		unbounded;		/* 'a..': an explicit end at infinity */
} SpmTierText;

typedef enum SpmTextError
{
	SPM_TEXT_OK,
	SPM_TEXT_EMPTY,
	SPM_TEXT_NUMBER,			/* a number is expected */
	SPM_TEXT_NOT_FINITE,		/* NaN or Infinity */
	SPM_TEXT_DIGITS,			/* too many digits */
	SPM_TEXT_COLON,				/* ':' is expected after a bound */
	SPM_TEXT_TIERS,				/* too many tiers */
	SPM_TEXT_OPTION,			/* not an option */
	SPM_TEXT_OPTION_VALUE,		/* not a value of this option */
	SPM_TEXT_OPTION_TWICE,
	SPM_TEXT_MIXED,				/* bounds in percent and bounds that are not */
	SPM_TEXT_PERCENT			/* a percent sign on an amount of money */
} SpmTextError;

/* A number may have so many digits before the point, and as many after. */
#define SPM_TEXT_MAX_DIGITS 100

typedef struct SpmScheduleText
{
	SpmTerms	terms;			/* but for has_ends and last_open */
	bool		of_quota;		/* 'of quota' was said */
	SpmNumberText base;
	SpmNumberText cap;
	SpmNumberText least;
	SpmNumberText divisor;
	SpmTierText tiers[SPM_MAX_TIERS];
	const char *error_at;		/* where, if an error was found */
	int			error_len;
} SpmScheduleText;

extern SpmTextError spmk_read_schedule(const char *text, size_t len, SpmScheduleText *out);
extern SpmTextError spmk_read_options(const char *text, size_t len, SpmScheduleText *out);

#endif
