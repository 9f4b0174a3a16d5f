/* grid_test.c: moments and the periods they lie in, steps told from dates, gaps. */
#include "kernel/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define HOUR	INT64_C(3600000000)
#define DAY		(24 * HOUR)

/* Days since 1 January 2000, counted one year and month after the other. */
static int64_t
days_to(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t		days = day - 1;

	for (int y = 2000; y < year; y++)
		days += 365 + ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0);
	for (int m = 1; m < month; m++)
		days += lengths[m - 1] + (m == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));
	return days;
}

static SpmMoment
on(int year, int month, int day)
{
	return (SpmMoment) {days_to(year, month, day) * DAY, 1};
}

static const char *
found(const SpmMoment *moments, size_t n)
{
	SpmGrid		grid = {SPM_STEP_HOUR, 0};
	static char answer[40];

	switch (spmk_grid_find(moments, n, &grid))
	{
		case SPM_GRID_OK:
			snprintf(answer, sizeof(answer), "%s %d", spmk_step_name(grid.step), grid.shift);
			return answer;
		case SPM_GRID_SINGLE:
			return "single";
		case SPM_GRID_UNEVEN:
			return "uneven";
		default:
			return "sparse";
	}
}

#define FOUND(answer, what, ...) \
	do { \
		SpmMoment	moments_[] = {__VA_ARGS__}; \
		ok(strcmp(found(moments_, sizeof(moments_) / sizeof(moments_[0])), answer) == 0, what); \
	} while (0)

static bool
starts_and_periods_agree(SpmGrid grid)
{
	for (int i = 0; i < 20000; i++)
	{
		int64_t		at = ((int64_t) random_below(2000000) - 1000000) * DAY + random_below(24) * HOUR + random_below(1000);
		int64_t		period = spmk_grid_period(grid, at);

		if (spmk_grid_start(grid, period) > at || spmk_grid_start(grid, period + 1) <= at ||
			spmk_grid_period(grid, spmk_grid_start(grid, period)) != period)
			return false;
	}
	return true;
}

static bool
same(const double *a, const double *b, int n)
{
	for (int i = 0; i < n; i++)
		if (isnan(a[i]) != isnan(b[i]) || (!isnan(a[i]) && a[i] != b[i]))
			return false;
	return true;
}

int
main(void)
{
	bool		agree = true;
	SpmGrid		month = {SPM_STEP_MONTH, 0};
	SpmStep		step;

	for (int s = 0; s < SPM_STEPS; s++)
		for (int shift = 0; shift < (s == SPM_STEP_WEEK ? 7 : s == SPM_STEP_YEAR ? 12 : s == SPM_STEP_HALF ? 6 : s == SPM_STEP_QUARTER ? 3 : 1); shift++)
			agree = agree && starts_and_periods_agree((SpmGrid) {(SpmStep) s, shift});
	ok(agree, "a moment lies in its period, for all steps and shifts, also before 2000");
	ok(spmk_grid_start(month, spmk_grid_period(month, on(2024, 2, 29).at)) == on(2024, 2, 1).at, "29 February lies in the month that begins on the first");
	ok(spmk_grid_start((SpmGrid) {SPM_STEP_WEEK, 0}, spmk_grid_period((SpmGrid) {SPM_STEP_WEEK, 0}, on(2026, 11, 22).at)) == on(2026, 11, 16).at,
	   "a Sunday lies in the week that began on Monday");
	ok(spmk_step_from_name("half", &step) && step == SPM_STEP_HALF && !spmk_step_from_name("decade", &step), "steps have names");

	FOUND("month 0", "firsts of months are months", on(2024, 1, 1), on(2024, 2, 1), on(2024, 3, 1));
	FOUND("month 0", "last days of months, too", on(2024, 1, 31), on(2024, 2, 29), on(2024, 3, 31), on(2024, 4, 30));
	FOUND("month 0", "and the 15th of each, with one left out", on(2024, 1, 15), on(2024, 3, 15), on(2024, 4, 15));
	FOUND("month 0", "and the last working day of each", on(2024, 1, 31), on(2024, 2, 29), on(2024, 3, 29), on(2024, 4, 30), on(2024, 5, 31), on(2024, 6, 28));
	FOUND("month 0", "and firsts of a few months here and there", on(2024, 1, 1), on(2024, 2, 1), on(2025, 7, 1));
	FOUND("sparse", "but not each other month", on(2024, 1, 1), on(2024, 3, 1), on(2024, 5, 1), on(2024, 7, 1));
	FOUND("quarter 0", "each third month is quarters", on(2024, 1, 1), on(2024, 4, 1), on(2024, 7, 1));
	FOUND("quarter 1", "of a year that begins in February, perhaps", on(2024, 2, 1), on(2024, 5, 1), on(2024, 8, 1));
	FOUND("half 0", "each sixth is halves", on(2024, 1, 1), on(2024, 7, 1), on(2025, 1, 1));
	FOUND("year 6", "a day each July is years", on(2022, 7, 1), on(2023, 7, 1), on(2024, 7, 1));
	FOUND("year 1", "29 February and 28 February, too", on(2022, 2, 28), on(2023, 2, 28), on(2024, 2, 29));
	FOUND("week 6", "Sundays are weeks from Sunday", on(2026, 11, 8), on(2026, 11, 15), on(2026, 11, 22));
	FOUND("day 0", "working days are days", on(2026, 11, 9), on(2026, 11, 10), on(2026, 11, 11), on(2026, 11, 12), on(2026, 11, 13), on(2026, 11, 16), on(2026, 11, 17));
	FOUND("day 0", "the same day twice is one", on(2026, 11, 9), on(2026, 11, 9), on(2026, 11, 10));
	FOUND("sparse", "every other week is neither weeks nor months", on(2026, 10, 5), on(2026, 10, 19), on(2026, 11, 2), on(2026, 11, 16), on(2026, 11, 30));
	FOUND("sparse", "a few days here and there are nothing", on(2026, 1, 5), on(2026, 1, 6), on(2026, 2, 19), on(2026, 6, 30), on(2026, 7, 2));
	FOUND("single", "one date alone is nothing", on(2026, 1, 5), on(2026, 1, 5));
	FOUND("hour 0", "moments an hour apart are hours", {90 * HOUR + 7, 1}, {91 * HOUR + 7, 1}, {92 * HOUR + 7, 1});
	FOUND("uneven", "minutes are nothing", {0, 1}, {60000000, 1}, {120000000, 1});
	FOUND("day 0", "one moment of each day, at any time, is days", {3 * HOUR + 5, 1}, {DAY + 9 * HOUR, 1}, {2 * DAY + 1, 1});

	{
		SpmMoment	rows[] = {{DAY, 4}, {DAY, NAN}, {DAY, -2}, {5, 1}, {DAY, 4}};
		double		sum[3];
		double		mean[3];
		double		last[3];
		SpmGrid		day = {SPM_STEP_DAY, 0};

		ok(!spmk_moments_ordered(rows, 5), "what is out of order is seen");
		qsort(rows, 5, sizeof(SpmMoment), spmk_moment_order);
		ok(spmk_moments_ordered(rows, 5) && rows[0].value == 1 && rows[1].value == -2 && rows[3].value == 4 && isnan(rows[4].value),
		   "moments go by time, then by value, the unknown last");
		spmk_grid_fill(day, rows, 5, SPM_COMBINE_SUM, 0, sum, 3);
		spmk_grid_fill(day, rows, 5, SPM_COMBINE_MEAN, 0, mean, 3);
		spmk_grid_fill(day, rows, 5, SPM_COMBINE_LAST, 0, last, 3);
		ok(same(sum, (double[]) {1, 6, NAN}, 3), "values of a period are added up, unknown ones left out");
		ok(same(mean, (double[]) {1, 2, NAN}, 3), "or their mean is taken");
		ok(same(last, (double[]) {1, 4, NAN}, 3), "or the last of them");
	}
	{
		double		y[4][6];
		double		all[2] = {NAN, NAN};

		for (int i = 0; i < 4; i++)
			memcpy(y[i], (double[6]) {NAN, 3, NAN, NAN, 9, NAN}, sizeof(y[i]));
		ok(spmk_fill_gaps(y[0], 6, SPM_GAPS_ZERO) == -1 && same(y[0], (double[]) {0, 3, 0, 0, 9, 0}, 6), "gaps are filled with 0");
		ok(spmk_fill_gaps(y[1], 6, SPM_GAPS_INTERPOLATE) == -1 && same(y[1], (double[]) {3, 3, 5, 7, 9, 9}, 6), "or by a straight line, and level outside");
		ok(spmk_fill_gaps(y[2], 6, SPM_GAPS_LAST) == -1 && same(y[2], (double[]) {3, 3, 3, 3, 9, 9}, 6), "or with the last value");
		ok(spmk_fill_gaps(y[3], 6, SPM_GAPS_REFUSE) == 0, "or the first of them is named");
		ok(spmk_fill_gaps(all, 2, SPM_GAPS_INTERPOLATE) == 0 && spmk_fill_gaps(all, 2, SPM_GAPS_LAST) == 0, "nothing can be made of nothing");
		ok(spmk_fill_gaps(all, 2, SPM_GAPS_ZERO) == -1 && all[1] == 0, "but zeros");
	}
	return done_testing();
}
