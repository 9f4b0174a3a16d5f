/*
 * grid.c
 *	  Dated rows become a series.
 */
#include "grid.h"

#include <math.h>
#include <string.h>

#include "period.h"

#define HOUR	INT64_C(3600000000)
#define DAY		(24 * HOUR)

static const struct
{
	const char *name;
	SpmGrain	grain;
	int			months;			/* 0: not made of months */
}			steps[SPM_STEPS] = {
	{"hour", SPM_GRAIN_DAY, 0}, {"day", SPM_GRAIN_DAY, 0}, {"week", SPM_GRAIN_WEEK, 0}, {"month", SPM_GRAIN_MONTH, 1},
	{"quarter", SPM_GRAIN_QUARTER, 3}, {"half", SPM_GRAIN_HALF, 6}, {"year", SPM_GRAIN_YEAR, 12}
};

const char *
spmk_step_name(SpmStep step)
{
	return steps[step].name;
}

bool
spmk_step_from_name(const char *name, SpmStep *step)
{
	for (int i = 0; i < SPM_STEPS; i++)
	{
		if (strcmp(name, steps[i].name) == 0)
		{
			*step = (SpmStep) i;
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

static int64_t
greatest_divisor(int64_t a, int64_t b)
{
	while (b != 0)
	{
		int64_t		rest = a % b;

		a = b;
		b = rest;
	}
	return a < 0 ? -a : a;
}

static int32_t
day_of(int64_t at)
{
	return (int32_t) floor_div(at, DAY);
}

int64_t
spmk_grid_period(SpmGrid grid, int64_t at)
{
	int32_t		day = day_of(at);

	switch (grid.step)
	{
		case SPM_STEP_HOUR:
			return floor_div(at, HOUR);
		case SPM_STEP_DAY:
			return day;
		case SPM_STEP_WEEK:
			return spmk_period_of(SPM_GRAIN_WEEK, day - grid.shift);
		default:
			return floor_div(spmk_period_of(SPM_GRAIN_MONTH, day) - grid.shift, steps[grid.step].months);
	}
}

int64_t
spmk_grid_start(SpmGrid grid, int64_t period)
{
	switch (grid.step)
	{
		case SPM_STEP_HOUR:
			return period * HOUR;
		case SPM_STEP_DAY:
			return period * DAY;
		case SPM_STEP_WEEK:
			return (spmk_period_start(SPM_GRAIN_WEEK, period) + grid.shift) * DAY;
		default:
			return spmk_period_start(SPM_GRAIN_MONTH, period * steps[grid.step].months + grid.shift) * DAY;
	}
}

int
spmk_moment_order(const void *a, const void *b)
{
	const SpmMoment *left = a;
	const SpmMoment *right = b;

	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	if (isnan(left->value) || isnan(right->value))
		return isnan(left->value) - isnan(right->value);
	return (left->value > right->value) - (left->value < right->value);
}

bool
spmk_moments_ordered(const SpmMoment *moments, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		if (moments[i - 1].at >= moments[i].at &&
			spmk_moment_order(&moments[i - 1], &moments[i]) > 0)
			return false;
	}
	return true;
}

/* The same day of all months, or the last one of each. */
static bool
on_one_day_of_month(const SpmMoment *moments, size_t n)
{
	bool		one_day = true;
	bool		last_day = true;
	int64_t		first = -1;

	for (size_t i = 0; i < n && (one_day || last_day); i++)
	{
		int32_t		day = day_of(moments[i].at);
		int64_t		month = spmk_period_of(SPM_GRAIN_MONTH, day);
		int64_t		of_month = day - spmk_period_start(SPM_GRAIN_MONTH, month);

		if (i == 0)
			first = of_month;
		one_day = one_day && of_month == first;
		last_day = last_day && day + 1 == spmk_period_start(SPM_GRAIN_MONTH, month + 1);
	}
	return one_day || last_day;
}

/* What divides all distances between neighbours. */
static int64_t
distance_divisor(SpmGrid grid, const SpmMoment *moments, size_t n)
{
	int64_t		divisor = 0;
	int64_t		before = spmk_grid_period(grid, moments[0].at);

	for (size_t i = 1; i < n && divisor != 1; i++)
	{
		int64_t		period = spmk_grid_period(grid, moments[i].at);

		divisor = greatest_divisor(divisor, period - before);
		before = period;
	}
	return divisor;
}

/* Whether all moments have a period of their own, and too few periods have none. */
static SpmGridStatus
judge(SpmGrid grid, const SpmMoment *moments, size_t n)
{
	int64_t		first = spmk_grid_period(grid, moments[0].at);
	int64_t		before = first;
	size_t		taken = 1;

	for (size_t i = 1; i < n; i++)
	{
		int64_t		period = spmk_grid_period(grid, moments[i].at);

		if (moments[i].at != moments[i - 1].at && period == before)
			return SPM_GRID_UNEVEN;
		taken += period != before;
		before = period;
	}
	if (taken == 1)
		return SPM_GRID_SINGLE;
	return (double) taken * 3 < (double) (before - first + 1) * 2 ? SPM_GRID_SPARSE : SPM_GRID_OK;
}

static bool
at_one_distance(SpmGrid grid, const SpmMoment *moments, size_t n)
{
	int64_t		before = spmk_grid_period(grid, moments[0].at);
	int64_t		distance = 0;

	for (size_t i = 1; i < n; i++)
	{
		int64_t		period = spmk_grid_period(grid, moments[i].at);

		if (distance != 0 && period != before && period - before != distance)
			return false;
		distance = period != before ? period - before : distance;
		before = period;
	}
	return true;
}

/* Where all moments have the same place in a period: the longest step that divides what lies between them. */
static bool
find_even(const SpmMoment *moments, size_t n, SpmGrid *grid)
{
	int64_t		first = moments[0].at;
	bool		of_day = true;	/* all at one time of day */

	for (size_t i = 1; i < n; i++)
	{
		int64_t		distance = moments[i].at - moments[i - 1].at;

		if (distance % HOUR != 0)
			return false;
		of_day = of_day && distance % DAY == 0;
	}
	grid->shift = 0;
	grid->step = of_day ? SPM_STEP_DAY : SPM_STEP_HOUR;
	if (of_day && on_one_day_of_month(moments, n))
	{
		SpmGrid		months = {SPM_STEP_MONTH, 0};
		int64_t		month = spmk_grid_period(months, first);
		int64_t		divisor = distance_divisor(months, moments, n);

		grid->step = SPM_STEP_YEAR;
		while (divisor % steps[grid->step].months != 0)
			grid->step--;
		grid->shift = (int) (month - floor_div(month, steps[grid->step].months) * steps[grid->step].months);
	}
	else if (of_day && distance_divisor(*grid, moments, n) % 7 == 0)
	{
		grid->step = SPM_STEP_WEEK;
		grid->shift = (int) (day_of(first) - day_of(spmk_grid_start(*grid, spmk_grid_period(*grid, first))));
	}
	return true;
}

SpmGridStatus
spmk_grid_find(const SpmMoment *moments, size_t n, SpmGrid *grid)
{
	SpmGridStatus status;

	if (moments[0].at == moments[n - 1].at)
		return SPM_GRID_SINGLE;
	status = find_even(moments, n, grid) ? judge(*grid, moments, n) : SPM_GRID_UNEVEN;
	/* Three dates on the first of a month are no accident, but each other month is no step. */
	if (status == SPM_GRID_SPARSE && steps[grid->step].months > 0 && !at_one_distance(*grid, moments, n))
		status = SPM_GRID_OK;

	/* The last working day of each month, say: two dates would be too few to see that. */
	for (int step = SPM_STEP_YEAR; status != SPM_GRID_OK && step >= 0; step--)
	{
		SpmGrid		calendar = {(SpmStep) step, 0};

		if (judge(calendar, moments, n) == SPM_GRID_OK &&
			spmk_grid_period(calendar, moments[n - 1].at) - spmk_grid_period(calendar, moments[0].at) >= 2)
		{
			*grid = calendar;
			status = SPM_GRID_OK;
		}
	}
	return status;
}

void
spmk_grid_fill(SpmGrid grid, const SpmMoment *moments, size_t n, SpmCombine combine,
			   int64_t first, double *y, int periods)
{
	size_t		i = 0;

	for (int t = 0; t < periods; t++)
	{
		int64_t		end = spmk_grid_start(grid, first + t + 1);
		double		value = NAN;
		double		known = 0;

		for (; i < n && moments[i].at < end; i++)
		{
			if (isnan(moments[i].value))
				continue;
			value = known > 0 && combine != SPM_COMBINE_LAST ? value + moments[i].value : moments[i].value;
			known++;
		}
		y[t] = combine == SPM_COMBINE_MEAN ? value / known : value;
	}
}

/* Straight from the last known value to the next; beyond the first and the last, these. */
static void
interpolate(double *y, int n, int known)
{
	for (int t = 0; t < known; t++)
		y[t] = y[known];
	for (int t = known + 1; t < n; t++)
	{
		double		step;
		int			next = t;

		while (next < n && isnan(y[next]))
			next++;
		step = next < n ? (y[next] - y[known]) / (next - known) : 0;
		for (; t < next; t++)
			y[t] = y[known] + step * (t - known);
		known = next;
	}
}

int
spmk_fill_gaps(double *y, int n, SpmGaps gaps)
{
	int			known = 0;
	int			gap = -1;

	for (int t = n - 1; t >= 0; t--)
		if (isnan(y[t]))
			gap = t;
	if (gap < 0 || gaps == SPM_GAPS_REFUSE)
		return gap;
	while (known < n && isnan(y[known]))
		known++;
	if (known == n && gaps != SPM_GAPS_ZERO)
		return 0;

	switch (gaps)
	{
		case SPM_GAPS_ZERO:
			for (int t = 0; t < n; t++)
				if (isnan(y[t]))
					y[t] = 0;
			break;
		case SPM_GAPS_INTERPOLATE:
			interpolate(y, n, known);
			break;
		default:
			for (int t = 0; t < n; t++)
				if (isnan(y[t]))
					y[t] = t < known ? y[known] : y[t - 1];
			break;
	}
	return -1;
}
