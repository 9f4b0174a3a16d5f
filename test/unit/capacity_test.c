/* capacity_test.c: chances against all ways that people may leave, and hires against fewer of them. */
#include "kernel/capacity.h"

#include <math.h>

#include "tap.h"


static double room[SPMK_CAPACITY_ROOM];

/* Every subset of people, each with its chance. */
static double
brute_force(const SpmGroup *groups, int n, int64_t need)
{
	double		present[20];
	int64_t		units[20];
	int			people = 0;
	double		chance = 0;

	for (int g = 0; g < n; g++)
		for (int i = 0; i < groups[g].heads; i++)
		{
			present[people] = groups[g].present;
			units[people++] = groups[g].units;
		}
	for (int set = 0; set < 1 << people; set++)
	{
		double		p = 1;
		int64_t		sum = 0;

		for (int i = 0; i < people; i++)
		{
			bool		here = set >> i & 1;

			p *= here ? present[i] : 1 - present[i];
			sum += here ? units[i] : 0;
		}
		if (sum >= need)
			chance += p;
	}
	return chance;
}

static bool
chances_are_those_of_all_subsets(void)
{
	SpmChance	chance = {1};

	for (int round = 0; round < 300; round++)
	{
		SpmGroup	groups[4];
		int			n = spmk_chance_below(&chance, 5);
		int64_t		divisor = 0;
		int64_t		need = (int64_t) spmk_chance_below(&chance, 120) - 5;

		for (int g = 0; g < n; g++)
		{
			groups[g].heads = spmk_chance_below(&chance, 4);
			groups[g].present = spmk_chance_below(&chance, 5) / 4.0;
			groups[g].units = 5 * spmk_chance_below(&chance, 5);
			divisor = spmk_common_divisor(divisor, groups[g].units);
		}
		if (divisor == 0)
			divisor = 1;
		if (fabs(spmk_chance_exact(groups, n, divisor, need, room, NULL) - brute_force(groups, n, need)) > 1e-12)
			return false;
	}
	return true;
}

static const int64_t ramp[] = {0, 25, 50};

/* What month m has, with these hires. */
static double
chance_in(const SpmTeam *team, const int *hires, int m)
{
	SpmGroup	groups[40];
	int			n = 0;

	for (int c = 0; c < team->ncohorts + team->months; c++)
	{
		int			start = c < team->ncohorts ? team->cohorts[c].start : c - team->ncohorts;
		int			age = m - start;

		if (age < 0)
			continue;
		groups[n].heads = c < team->ncohorts ? team->cohorts[c].heads : hires[start];
		groups[n].present = pow(1 - team->leaves, start < 0 ? m : age);
		groups[n++].units = age < team->nramp ? team->ramp[age] : team->whole;
	}
	return team->deviation > 0 ? spmk_chance_normal(groups, n, team->needs[m], team->deviation)
		: spmk_chance_exact(groups, n, 1, team->needs[m], room, NULL);
}

/* Each month that can be reached is, and where the last hires are for the last month, one fewer is not enough. */
static bool
hires_are_just_enough(double deviation)
{
	SpmChance	chance = {2};

	for (int round = 0; round < 200; round++)
	{
		SpmCohort	cohorts[2] = {{(int) spmk_chance_below(&chance, 6), -10}, {(int) spmk_chance_below(&chance, 4), -1}};
		int64_t		needs[8];
		int			hires[8];
		double		chances[8];
		SpmGroup	groups[20];
		SpmTeam		team = {cohorts, 2, ramp, 3, 100, spmk_chance_below(&chance, 3) * 0.03, deviation, 8, needs, 0.8,
		(int) spmk_chance_below(&chance, 4), round % 2 ? 100 : 0};
		int			last = -1;

		for (int m = 0; m < 8; m++)
			needs[m] = 100 * spmk_chance_below(&chance, 12);
		spmk_hires(&team, 25, hires, chances, groups, room, NULL);
		for (int m = 0; m < 8; m++)
		{
			if (fabs(chances[m] - chance_in(&team, hires, m)) > 1e-9)
				return false;
			/* the ramp is 0 in the month of the start: one month after the earliest is the first that can be helped */
			if (chances[m] < 0.8 && m > team.earliest + (round % 2 ? 2 : 0))
				return false;
			if (hires[m] > 0)
				last = m;
		}
		if (last >= 0)
		{
			bool		is_needed = false;

			hires[last]--;
			for (int m = last; m < 8; m++)
				is_needed |= chance_in(&team, hires, m) < 0.8;
			if (!is_needed)
				return false;
		}
	}
	return true;
}

int
main(void)
{
	SpmGroup	ten = {10, 0.9, 1};
	SpmGroup	many = {400, 0.9, 100};

	ok(fabs(spmk_chance_exact(&ten, 1, 1, 10, room, NULL) - pow(0.9, 10)) < 1e-15, "all ten are there: 0.9 to the tenth");
	ok(fabs(spmk_chance_exact(&ten, 1, 1, 9, room, NULL) - (pow(0.9, 10) + 10 * pow(0.9, 9) * 0.1)) < 1e-15, "or all but one");
	ok(spmk_chance_exact(&ten, 1, 1, 11, room, NULL) == 0, "eleven of ten are never there");
	ok(spmk_chance_exact(&ten, 1, 1, 0, room, NULL) == 1, "none is always enough for nothing");
	ok(chances_are_those_of_all_subsets(), "any mixture has the chance of all its subsets");
	ok(fabs(spmk_chance_normal(&many, 1, 36000, 0) - 0.5) < 1e-12, "as likely as not, where the need is the mean");
	ok(fabs(spmk_chance_normal(&many, 1, 35000, 0) - spmk_chance_exact(&many, 1, 100, 35000, room, NULL)) < 0.02,
	   "of many, the normal distribution is near the exact one");
	ok(spmk_chance_normal(&many, 1, 35000, 0.5) < spmk_chance_normal(&many, 1, 35000, 0), "what varies is less certain");
	ok(hires_are_just_enough(0), "hires are just enough for every month that they can help");
	ok(hires_are_just_enough(0.3), "also where what one brings varies");
	return done_testing();
}
