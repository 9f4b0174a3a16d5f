/*
 * period.c
 *	  The period that a day lies in.
 */
#include "period.h"

#include <string.h>

#define DAYS_PER_ERA	146097	/* 400 years */
#define MARCH_0000		730425	/* days from 1 March of year 0 to 1 January 2000 */
#define FIRST_MONDAY	(-5)	/* 27 December 1999 */

static const struct
{
	const char *name;
	int			months;			/* 0: not made of months */
}			grains[] = {
	{"day", 0}, {"week", 0}, {"month", 1}, {"quarter", 3}, {"half", 6}, {"year", 12}, {"all", 0}
};

bool
spmk_grain_from_name(const char *name, size_t len, SpmGrain *grain)
{
	for (int i = 0; i <= SPM_GRAIN_ALL; i++)
	{
		if (strlen(grains[i].name) == len && memcmp(grains[i].name, name, len) == 0)
		{
			*grain = (SpmGrain) i;
			return true;
		}
	}
	return false;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/*
 * Months since January of year 0, in the Gregorian calendar of all times.  A
 * year that begins in March has its leap day at the end, and months of 31 and
 * 30 days in turn: 153 days are 5 of them.
 */
static int64_t
month_of(int32_t day)
{
	int64_t		days = (int64_t) day + MARCH_0000;
	int64_t		era = floor_div(days, DAYS_PER_ERA);
	int64_t		of_era = days - era * DAYS_PER_ERA;
	int64_t		year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_PER_ERA - 1)) / 365;
	int64_t		of_year = of_era - (365 * year + year / 4 - year / 100);

	return (era * 400 + year) * 12 + 2 + (5 * of_year + 2) / 153;
}

static int64_t
month_start(int64_t month)
{
	int64_t		since_march = month - 2;
	int64_t		year = floor_div(since_march, 12);
	int64_t		of_year = since_march - year * 12;
	int64_t		era = floor_div(year, 400);
	int64_t		of_era = year - era * 400;

	return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
		(153 * of_year + 2) / 5 - MARCH_0000;
}

/* Any number, one more for the period after. */
int64_t
spmk_period_of(SpmGrain grain, int32_t day)
{
	switch (grain)
	{
		case SPM_GRAIN_DAY:
			return day;
		case SPM_GRAIN_WEEK:
			return floor_div((int64_t) day - FIRST_MONDAY, 7);
		case SPM_GRAIN_ALL:
			return 0;
		default:
			return floor_div(month_of(day), grains[grain].months);
	}
}

/* Its first day; a grain of all has none. */
int64_t
spmk_period_start(SpmGrain grain, int64_t period)
{
	switch (grain)
	{
		case SPM_GRAIN_DAY:
		case SPM_GRAIN_ALL:
			return period;
		case SPM_GRAIN_WEEK:
			return period * 7 + FIRST_MONDAY;
		default:
			return month_start(period * grains[grain].months);
	}
}

/* The period [bounds[i], bounds[i + 1]) that a day lies in; -1 if in none. */
int
spmk_period_between(const int32_t *bounds, int nbounds, int32_t day)
{
	int			lo = 0;
	int			hi = nbounds;

	while (lo < hi)
	{
		int			mid = lo + (hi - lo) / 2;

		if (bounds[mid] <= day)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == nbounds ? -1 : lo - 1;
}
