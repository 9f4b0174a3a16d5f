/*
 * capacity.c
 *	  How likely a team is to be enough, and how many more it takes.
 */
#include "capacity.h"

#include <math.h>
#include <stdbool.h>

#define STRIDE 200000

int64_t
spmk_common_divisor(int64_t a, int64_t b)
{
	while (b != 0)
	{
		int64_t		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int64_t
divide_up(int64_t a, int64_t b)
{
	return a / b + (a % b > 0);
}

/*
 * One more person: dist[k] is the chance of k units, and of 'need' or more at
 * the end.  From the top, so that nobody counts twice.
 */
static void
add_person(double *dist, int64_t need, double present, int64_t units)
{
	double		reached = 0;

	if (units == 0)
		return;
	for (int64_t k = need - 1; k >= 0; k--)
	{
		double		come = dist[k] * present;

		dist[k] -= come;
		if (k + units < need)
			dist[k + units] += come;
		else
			reached += come;
	}
	dist[need] += reached;
}

/* The distribution of nobody. */
static void
start_distribution(double *dist, int64_t need)
{
	for (int64_t k = 1; k <= need; k++)
		dist[k] = 0;
	dist[0] = 1;
}

static void
add_groups(double *dist, int64_t need, const SpmGroup *groups, int n, int64_t divisor, const SpmBreath *breath)
{
	int64_t		steps = 0;

	for (int g = 0; g < n; g++)
		for (int i = 0; i < groups[g].heads; i++)
		{
			add_person(dist, need, groups[g].present, groups[g].units / divisor);
			if ((steps += need + 10) >= STRIDE)
			{
				steps = 0;
				spmk_breathe(breath);
			}
		}
}

/*
 * Chance that those who are there bring 'need' units or more, by convolution:
 * exact but for rounding.  All units are multiples of 'divisor'; 'room' holds
 * need / divisor + 2 numbers.
 */
double
spmk_chance_exact(const SpmGroup *groups, int n, int64_t divisor, int64_t need,
				  double *room, const SpmBreath *breath)
{
	if (need <= 0)
		return 1;
	need = divide_up(need, divisor);
	start_distribution(room, need);
	add_groups(room, need, groups, n, divisor, breath);
	return fmin(room[need], 1);
}

/*
 * The same by the normal distribution of that mean and variance, where what
 * one brings varies, too: for somebody who is there with chance p and then
 * brings u on average, give or take d u, mean p u and variance
 * p u^2 (1 + d^2) - (p u)^2.
 */
double
spmk_chance_normal(const SpmGroup *groups, int n, int64_t need, double deviation)
{
	double		mean = 0;
	double		variance = 0;

	for (int g = 0; g < n; g++)
	{
		double		one = groups[g].present * (double) groups[g].units;

		mean += groups[g].heads * one;
		variance += groups[g].heads * (one * (double) groups[g].units * (1 + deviation * deviation) - one * one);
	}
	if (need <= 0)
		return 1;
	if (!(variance > 0))
		return mean >= (double) need ? 1 : 0;
	return erfc(((double) need - mean) / sqrt(2 * variance)) / 2;
}

static bool
is_exact(int64_t divisor, int64_t need, double deviation)
{
	return deviation == 0 && divide_up(need, divisor) <= SPMK_MAX_STEPS;
}

/* Exact where people are alike and steps are few enough; 'room' holds SPMK_CAPACITY_ROOM numbers. */
double
spmk_chance(const SpmGroup *groups, int n, int64_t divisor, int64_t need, double deviation,
			double *room, const SpmBreath *breath)
{
	if (is_exact(divisor, need, deviation))
		return spmk_chance_exact(groups, n, divisor, need, room, breath);
	return spmk_chance_normal(groups, n, need, deviation);
}

/* What somebody who starts in 'start' is in 'month'. */
static SpmGroup
group_in(const SpmTeam *team, int heads, int start, int month)
{
	SpmGroup	group = {0};
	int			age = month - start;

	if (age >= 0)
	{
		group.heads = heads;
		group.present = pow(1 - team->leaves, start > 0 ? age : month);
		group.units = age < team->nramp ? team->ramp[age] : team->whole;
	}
	return group;
}

/* Everybody in 'month'; returns how many groups. */
static int
groups_in(const SpmTeam *team, const int *hires, int month, SpmGroup *groups)
{
	int			n = 0;

	for (int c = 0; c < team->ncohorts; c++)
		groups[n++] = group_in(team, team->cohorts[c].heads, team->cohorts[c].start, month);
	for (int s = 0; s <= month; s++)
		groups[n++] = group_in(team, hires[s], s, month);
	return n;
}

/*
 * The fewest that must start, month by month: whenever a month's need would
 * not be reached as likely as it shall be, just enough start for it, as late as
 * they can and still have learned, or as early as they can where that is too
 * late and they bring at least 'least' by then.  hires[m] start in month m; chances[m] is what month m then has.
 * 'groups' holds ncohorts + months of them, 'room' SPMK_CAPACITY_ROOM numbers.
 */
void
spmk_hires(const SpmTeam *team, int64_t divisor, int *hires, double *chances,
		   SpmGroup *groups, double *room, const SpmBreath *breath)
{
	for (int m = 0; m < team->months; m++)
		hires[m] = 0;
	for (int m = 0; m < team->months; m++)
	{
		int			start = m - team->nramp > team->earliest ? m - team->nramp : team->earliest;
		int64_t		need = divide_up(team->needs[m], divisor);
		int			n = groups_in(team, hires, m, groups);
		SpmGroup   *more = groups + team->ncohorts + start;
		SpmGroup	one;
		double		chance;

		if (need <= 0 || start > m)
			continue;
		one = group_in(team, 1, start, m);
		if (one.units == 0 || one.units < team->least || one.present == 0)
			continue;
		*more = one;
		more->heads = hires[start];
		chance = spmk_chance(groups, n, divisor, team->needs[m], team->deviation, room, breath);
		while (chance < team->level && hires[start] < SPMK_MAX_HIRES)
		{
			more->heads = ++hires[start];
			if (is_exact(divisor, team->needs[m], team->deviation))
			{
				add_person(room, need, one.present, one.units / divisor);
				chance = room[need];
			}
			else
				chance = spmk_chance_normal(groups, n, team->needs[m], team->deviation);
			if (hires[start] % 64 == 0 || need > STRIDE / 64)
				spmk_breathe(breath);
		}
	}
	/* who was hired for a later month may help an earlier one, too */
	for (int m = 0; m < team->months; m++)
	{
		int			n = groups_in(team, hires, m, groups);

		chances[m] = spmk_chance(groups, n, divisor, team->needs[m], team->deviation, room, breath);
	}
}
