/* simulate_test.c: futures of deals against exact distributions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/poisson_binomial.h"
#include "kernel/simulate.h"

#include "tap.h"

#define PATHS 40000
#define DEALS 300

static SpmVenture ventures[DEALS];
static double sums[4 * PATHS];
static double again[4 * PATHS];

static void
run(const SpmSimulation *s, double *into)
{
	void	   *memory = malloc(spmk_simulate_bytes(s));

	spmk_simulate(s, into, memory, NULL);
	free(memory);
}

static void
moments(const double *x, double *mean, double *sd)
{
	*mean = *sd = 0;
	for (int i = 0; i < PATHS; i++)
		*mean += x[i] / PATHS;
	for (int i = 0; i < PATHS; i++)
		*sd += (x[i] - *mean) * (x[i] - *mean) / PATHS;
	*sd = sqrt(*sd);
}

static void
exact_counts(void)
{
	double		odds[12];
	double		exact[13];
	double		tried[13] = {0};
	double		worst = 0;
	double		sum = 0;

	for (int i = 0; i < 12; i++)
		odds[i] = (i * 37 % 100) / 100.0;
	odds[3] = 0;
	odds[7] = 1;
	spmk_poisson_binomial(odds, 12, exact, NULL);
	for (int set = 0; set < 1 << 12; set++)
	{
		double		p = 1;
		int			n = 0;

		for (int i = 0; i < 12; i++)
		{
			p *= set >> i & 1 ? odds[i] : 1 - odds[i];
			n += set >> i & 1;
		}
		tried[n] += p;
	}
	for (int k = 0; k <= 12; k++)
	{
		worst = fmax(worst, fabs(exact[k] - tried[k]));
		sum += exact[k];
	}
	ok(worst < 1e-14, "the number of wins has the distribution that all ways to win them give");
	ok(fabs(sum - 1) < 1e-14, "which adds up to 1");
	spmk_poisson_binomial(odds, 0, exact, NULL);
	ok(exact[0] == 1, "of no deals none is won");
}

static void
independent(void)
{
	double		odds[DEALS];
	double		exact[DEALS + 1];
	double		seen[DEALS + 1] = {0};
	double		worst = 0;
	SpmSimulation s = {.ventures = ventures, .n = DEALS, .nleaves = 1, .paths = PATHS, .seed = 5};

	for (int i = 0; i < DEALS; i++)
	{
		odds[i] = (i * 7919 % 1000) / 1000.0;
		ventures[i] = (SpmVenture) {.chance = odds[i], .amount = 1};
	}
	spmk_poisson_binomial(odds, DEALS, exact, NULL);
	run(&s, sums);
	for (int i = 0; i < PATHS; i++)
		seen[(int) sums[i]]++;
	for (int k = 0; k <= DEALS; k++)
		if (exact[k] * PATHS > 20)
			worst = fmax(worst, fabs(seen[k] - exact[k] * PATHS) / sqrt(PATHS * exact[k] * (1 - exact[k])));
	ok(worst > 0 && worst < 4, "without a shock numbers of wins come as often as the exact distribution says");
	run(&s, again);
	ok(memcmp(sums, again, PATHS * sizeof(double)) == 0, "a seed gives the same futures again");
	s.seed = 6;
	run(&s, again);
	ok(memcmp(sums, again, PATHS * sizeof(double)) != 0, "another gives others");
}

static void
shocked(void)
{
	SpmSimulation s = {.ventures = ventures, .n = DEALS, .nleaves = 3, .paths = PATHS, .seed = 1, .shock = 0.2};
	double		expected = 0;
	double		chance = 0;
	double		mean;
	double		sd;
	double		wanted;

	for (int i = 0; i < DEALS; i++)
	{
		bool		many = i % 100 >= 60;

		ventures[i] = (SpmVenture) {.leaf = i / 100, .is_many = many, .chance = many ? 0.7 : (i * 7919 % 1000) / 1000.0, .amount = 1 + i % 5};
		expected += ventures[i].chance * ventures[i].amount;
		chance += ventures[i].chance * (many ? 1 : 1 - ventures[i].chance) * ventures[i].amount * ventures[i].amount;
	}
	run(&s, sums);
	for (int i = 0; i < PATHS; i++)
		again[i] = sums[i] + sums[PATHS + i] + sums[2 * PATHS + i];
	moments(again, &mean, &sd);
	wanted = sqrt(0.2 * 0.2 * expected * expected + chance);
	ok(fabs(mean / expected - 1) < 0.005, "a shock that all share changes no expectation");
	ok(fabs(sd / wanted - 1) < 0.03, "and adds to what chance does as much as it says");
	s.shock = 0;
	s.shock_leaf = 0.2;
	run(&s, sums);
	for (int i = 0; i < PATHS; i++)
		again[i] = sums[i] + sums[PATHS + i] + sums[2 * PATHS + i];
	moments(again, &mean, &sd);
	ok(fabs(mean / expected - 1) < 0.005 && sd < 0.8 * wanted, "shocks of each leaf alone even out");
	moments(sums, &mean, &sd);
	ok(sd > 0.2 * mean, "but not within it");
	{
		static const SpmLeaf leaves[3] = {{0, 2}, {0, -1}, {1, 2}};

		s.leaves = leaves;
		memset(sums, 0, 3 * PATHS * sizeof(double));
		run(&s, sums);
		for (int i = 0; i < PATHS; i++)
			again[i] = sums[i] + sums[PATHS + i];
		moments(again, &mean, &sd);
		ok(fabs(mean / expected - 1) < 0.005 && sd > 0.1 * mean && sd < wanted, "leaves of an owner add up, and their shock is one");
		ok(sums[2 * PATHS] <= sums[0] + sums[PATHS] && sums[2 * PATHS] >= sums[PATHS], "what goes to another row as well is the same future");
	}
}

static void
many(void)
{
	SpmSimulation s = {.ventures = ventures, .n = 2, .nleaves = 1, .paths = PATHS, .seed = 1};
	double		ratios[2] = {0.5, 1.5};
	double		mean;
	double		sd;

	ventures[0] = (SpmVenture) {.is_many = true, .chance = 3, .amount = 1};
	ventures[1] = (SpmVenture) {.is_many = true, .chance = 0.001, .amount = 0};
	run(&s, sums);
	moments(sums, &mean, &sd);
	ok(fabs(mean - 3) < 0.04 && fabs(sd - sqrt(3)) < 0.03, "deals to come are Poisson");
	ventures[0] = (SpmVenture) {.chance = 0.5, .amount = 10};
	s.n = 1;
	s.ratios = ratios;
	s.nratios = 2;
	run(&s, sums);
	moments(sums, &mean, &sd);
	/* 0 with 1/2, 5 and 15 with 1/4 each */
	ok(fabs(mean - 5) < 0.12 && fabs(sd - sqrt((25 + 225) / 4.0 - 25)) < 0.06, "what a win brings is drawn, too");
	s.n = 0;
	run(&s, sums);
	ok(sums[0] == 0 && sums[PATHS - 1] == 0, "without deals nothing comes");
}

static void
spreads(void)
{
	double		paths[] = {5, 1, 3, 2, 4};
	double		scratch[5];
	SpmSpread	spread;

	spmk_spread(paths, scratch, 5, 3.5, &spread, NULL);
	ok(fabs(spread.mean - 3) < 1e-12 && fabs(spread.sd - sqrt(2)) < 1e-12, "mean and deviation of five futures");
	ok(fabs(spread.reached - 0.4) < 1e-12, "two of five reach the goal");
	ok(fabs(spread.shortfall - (2.5 + 1.5 + 0.5) / 5) < 1e-12, "and the others lack 0.9 on average of all");
	ok(spmk_quantile(paths, 5, 0.5) == 3 && fabs(spmk_quantile(paths, 5, 0.1) - 1.4) < 1e-12 && spmk_quantile(paths, 5, 1) == 5,
	   "quantiles lie between the two nearest futures");
}

int
main(void)
{
	exact_counts();
	independent();
	shocked();
	many();
	spreads();
	return done_testing();
}
