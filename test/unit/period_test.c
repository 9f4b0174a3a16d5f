/* period_test.c: days and the periods that they lie in, against a calendar that counts. */
#include "kernel/period.h"

#include "tap.h"

static bool
is_leap(long year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_of(long year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month] + (month == 1 && is_leap(year));
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int
main(void)
{
	static const int months[] = {0, 0, 1, 3, 6, 12};
	SpmGrain	grain;
	bool		months_agree = true;
	bool		starts_agree = true;
	bool		in_between = true;
	int32_t		day = 0;
	long		year = 2000;
	int			month = 0;

	/* every day from 2000 on, then backwards, month by month */
	while (year < 2900)
	{
		for (int d = 0; d < days_of(year, month); d++, day++)
		{
			for (grain = SPM_GRAIN_MONTH; grain <= SPM_GRAIN_YEAR; grain++)
				months_agree &= spmk_period_of(grain, day) == floor_div(year * 12 + month, months[grain]);
		}
		if (++month == 12)
		{
			month = 0;
			year++;
		}
		starts_agree &= spmk_period_start(SPM_GRAIN_MONTH, year * 12 + month) == day;
	}
	day = 0;
	year = 2000;
	month = 0;
	while (year > -5000)
	{
		if (--month < 0)
		{
			month = 11;
			year--;
		}
		for (int d = days_of(year, month); d > 0; d--)
		{
			day--;
			months_agree &= spmk_period_of(SPM_GRAIN_MONTH, day) == year * 12 + month;
		}
		starts_agree &= spmk_period_start(SPM_GRAIN_MONTH, year * 12 + month) == day;
	}
	ok(months_agree, "every day lies in its month, quarter, half and year, from 5000 BC on");
	ok(starts_agree, "months start on their first day");
	ok(spmk_period_of(SPM_GRAIN_WEEK, 1) + 1 == spmk_period_of(SPM_GRAIN_WEEK, 2) &&
	   spmk_period_start(SPM_GRAIN_WEEK, spmk_period_of(SPM_GRAIN_WEEK, 1)) == -5, "a week starts on Monday");
	for (int i = 0; i < 200000; i++)
	{
		int32_t		any = (int32_t) (random_below(2147483647) - random_below(2147483647)) % 2000000000;

		for (grain = SPM_GRAIN_DAY; grain < SPM_GRAIN_ALL; grain++)
		{
			int64_t		period = spmk_period_of(grain, any);

			in_between &= spmk_period_start(grain, period) <= any && spmk_period_start(grain, period + 1) > any;
		}
	}
	ok(in_between, "any day lies between the starts of its period and the next");
	ok(spmk_period_of(SPM_GRAIN_ALL, 77) == spmk_period_of(SPM_GRAIN_ALL, -77), "all is one period");
	ok(spmk_grain_from_name("quarter", 7, &grain) && grain == SPM_GRAIN_QUARTER &&
	   !spmk_grain_from_name("quart", 5, &grain) && !spmk_grain_from_name("", 0, &grain), "grains have names");
	{
		const int32_t bounds[] = {10, 20, 25};

		ok(spmk_period_between(bounds, 3, 9) == -1 && spmk_period_between(bounds, 3, 10) == 0 &&
		   spmk_period_between(bounds, 3, 19) == 0 && spmk_period_between(bounds, 3, 20) == 1 &&
		   spmk_period_between(bounds, 3, 24) == 1 && spmk_period_between(bounds, 3, 25) == -1,
		   "between bounds, the first belongs to the period and the last does not");
	}
	return done_testing();
}
