/* hazard_test.c: odds of deals whose true rates are known. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/hazard.h"

#include "tap.h"

#define MOST 60000

static SpmSpell spells[MOST];
static SpmSpell known[MOST];
static SpmChanceItem items[2 * MOST];
static SpmHazard hazard;
static void *tables;

/* A day from 1 on that is geometric with this chance. */
static int
days_until(double chance)
{
	int			day = 1;

	while (random_below(1000000) >= chance * 1000000)
		day++;
	return day;
}

static bool
fit(const SpmPipeline *p, int as_of)
{
	free(tables);
	tables = malloc(spmk_hazard_bytes(p));
	return spmk_hazard_fit(&hazard, p, as_of, 90, tables, NULL);
}

static int
look_ahead(const SpmPipeline *p, int horizon, double arrivals)
{
	void	   *space = malloc(spmk_hazard_space(p, horizon));
	int			n = spmk_hazard_items(&hazard, p, horizon, arrivals, 90, items, space, NULL);

	free(space);
	return n;
}

/* One stage with constant rates, deals created evenly; a share of them nobody ever decides on. */
static SpmPipeline
one_stage(int n, double win, double lose, int never_percent)
{
	for (int i = 0; i < n; i++)
	{
		int			entered = (int) random_below(1000);
		int			day = days_until(win + lose);
		bool		is_won = random_below(1000000) < win / (win + lose) * 1000000;
		bool		never = random_below(100) < never_percent;

		spells[i] = (SpmSpell) {.deal = i, .entered = entered, .seen = entered, .left = entered + day,
			.event = never ? SPM_SPELL_OPEN : is_won, .amount = 100, .won_amount = 90};
	}
	return (SpmPipeline) {.spells = spells, .n = n, .nstages = 1, .nsegments = 1, .nowners = 1};
}

static double
mean_odds(int n, int least_age, int most_age, int as_of)
{
	double		sum = 0;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		int			age = as_of - spells[items[i].spell].entered;

		if (!items[i].is_new && age >= least_age && age <= most_age)
		{
			sum += items[i].won;
			count++;
		}
	}
	return count > 0 ? sum / count : NAN;
}

static void
constant_rates(void)
{
	SpmPipeline p = one_stage(40000, 0.02, 0.01, 0);
	double		truth = 2.0 / 3 * (1 - pow(0.97, 30));
	int			kept = 0;
	double		sum = 0;
	int			n;

	ok(fit(&p, 900), "odds are learned where deals were won");
	n = look_ahead(&p, 30, 0);
	ok(fabs(mean_odds(n, 0, 60, 900) / truth - 1) < 0.04, "constant rates give the odds of the formula");
	ok(items[0].amount == 100 * hazard.ratio && fabs(hazard.ratio - 0.9) < 1e-4, "a deal is worth what such deals are won at");
	n = look_ahead(&p, 30, 4);
	for (int i = 0; i < n; i++)
		sum += items[i].is_new ? items[i].won : 0;
	truth = 0;
	for (int d = 1; d <= 30; d++)
		truth += 4 * 2.0 / 3 * (1 - pow(0.97, 30 - d));
	ok(fabs(sum / truth - 1) < 0.04, "deals to come bring the odds of their day times how many come");

	/* a CRM that was begun on day 500 has no deal that ended before */
	for (int i = 0; i < p.n; i++)
		if (spells[i].left >= 500)
			spells[kept++] = spells[i];
	p.n = kept;
	fit(&p, 900);
	n = look_ahead(&p, 30, 0);
	ok(fabs(mean_odds(n, 0, 60, 900) / (2.0 / 3 * (1 - pow(0.97, 30))) - 1) < 0.05, "a history that begins late does not raise or lower them");
}

static void
never_decided(void)
{
	SpmPipeline p = one_stage(40000, 0.04, 0.02, 30);
	int			n;

	fit(&p, 900);
	n = look_ahead(&p, 60, 0);
	ok(mean_odds(n, 200, 900, 900) < 0.01, "deals older than any that closed have no odds to speak of");
	ok(mean_odds(n, 0, 5, 900) < 0.66 * 0.75 && mean_odds(n, 0, 5, 900) > 0.66 * 0.6, "and young ones bear that some will never close");
}

/* Two stages: the odds of the first go through the second. */
static void
two_stages(void)
{
	const double move = 0.05;
	const double drop = 0.02;
	const double win = 0.04;
	const double lose = 0.03;
	double		second[61] = {0};
	double		first[61] = {0};
	SpmPipeline p = {.spells = spells, .nstages = 2, .nsegments = 1, .nowners = 1};
	int			n = 0;
	double		sums[2] = {0};
	int			counts[2] = {0};

	for (int deal = 0; deal < 20000; deal++)
	{
		int			entered = (int) random_below(1000);
		int			day = days_until(move + drop);
		bool		moves = random_below(7) < 5;

		spells[n++] = (SpmSpell) {.deal = deal, .entered = entered, .seen = entered, .left = entered + day, .event = moves ? SPM_SPELL_MOVED + 1 : SPM_SPELL_LOST, .amount = 1, .won_amount = 1};
		if (!moves)
			continue;
		entered += day;
		spells[n++] = (SpmSpell) {.deal = deal, .stage = 1, .entered = entered, .seen = entered, .left = entered + days_until(win + lose), .event = random_below(7) < 4, .amount = 1, .won_amount = 1};
	}
	p.n = n;
	fit(&p, 900);
	n = look_ahead(&p, 60, 0);
	for (int i = 0; i < n; i++)
	{
		int			stage = spells[items[i].spell].stage;

		sums[stage] += items[i].won;
		counts[stage]++;
	}
	/* odds with so many days left */
	for (int left = 1; left <= 60; left++)
	{
		second[left] = win + (1 - win - lose) * second[left - 1];
		first[left] = move * second[left - 1] + (1 - move - drop) * first[left - 1];
	}
	ok(fabs(sums[1] / counts[1] / second[60] - 1) < 0.04, "odds in the last stage are those of its rates");
	ok(fabs(sums[0] / counts[0] / first[60] - 1) < 0.04, "odds in the first stage go through the second");
}

/* Owners: one wins twice as fast; the others are alike. */
static void
owners(void)
{
	SpmPipeline p = {.spells = spells, .n = 20000, .nstages = 1, .nsegments = 1, .nowners = 10};
	double		most = 0;

	for (int i = 0; i < p.n; i++)
	{
		int			entered = (int) random_below(1000);
		int			owner = i % 10;
		double		win = owner == 3 ? 0.02 : 0.01;

		spells[i] = (SpmSpell) {.deal = i, .owner = owner, .entered = entered, .seen = entered, .left = entered + days_until(win + 0.01),
			.event = random_below(1000000) < win / (win + 0.01) * 1000000, .amount = 1};
	}
	fit(&p, 900);
	for (int i = 0; i < 10; i++)
		if (i != 3)
			most = fmax(most, fabs(hazard.factor[SPM_FACTOR_OWNER].times[1][i] / hazard.factor[SPM_FACTOR_OWNER].times[1][0] - 1));
	ok(fabs(hazard.factor[SPM_FACTOR_OWNER].times[1][3] / hazard.factor[SPM_FACTOR_OWNER].times[1][0] - 2) < 0.25, "who wins twice as fast is found to");
	ok(most < 0.15, "and those who are alike stay alike");
}

/* Odds as of a day are the same whether or not later days are in the input. */
static void
nothing_leaks(void)
{
	SpmPipeline p = one_stage(5000, 0.02, 0.01, 20);
	SpmPipeline then = {.spells = known, .nstages = 1, .nsegments = 1, .nowners = 1};
	static double odds[MOST];
	SpmReview	now;
	SpmReview	before;
	int			n;
	int			differ = 0;
	void	   *space = malloc(spmk_review_bytes(&p, 60));

	fit(&p, 600);
	n = look_ahead(&p, 60, 2);
	for (int i = 0; i < n; i++)
		odds[i] = items[i].won;
	memset(&now, 0, sizeof(now));		/* its gaps are compared, too */
	memset(&before, 0, sizeof(before));
	spmk_review(&now, &p, 600, 60, 90, 8, space, NULL);
	for (int i = 0; i < p.n; i++)
		if (spells[i].entered <= 600)
		{
			known[then.n] = spells[i];
			if (spells[i].left > 600)
			{
				known[then.n].event = SPM_SPELL_OPEN;
				known[then.n].left = 0;
				known[then.n].won_amount = NAN;
			}
			then.n++;
		}
	fit(&then, 600);
	differ = look_ahead(&then, 60, 2) != n;
	for (int i = 0; i < n; i++)
		differ += items[i].won != odds[i];
	ok(n > 500 && differ == 0, "nothing that became known later moves the odds by a bit");
	spmk_review(&before, &then, 600, 60, 90, 8, space, NULL);
	ok(now.origins == 8 && memcmp(&now, &before, sizeof(now)) == 0, "nor what is learned from forecasts of earlier days");
	ok(fabs(now.drift - 1) < 0.1 && now.shock < 0.2, "rates that do not change show no drift and little shock");
	free(space);
}

static void
odd_input(void)
{
	SpmPipeline p = {.spells = spells, .nstages = 1, .nsegments = 1, .nowners = 1};
	int			year;
	int			month;
	int			day;
	bool		sane = true;
	int			n;

	ok(!fit(&p, 100), "no deals: nothing is learned");
	spells[0] = (SpmSpell) {.event = SPM_SPELL_LOST, .left = 5, .amount = 1};
	p.n = 1;
	ok(!fit(&p, 100), "no wins: nothing is learned");
	spells[0] = (SpmSpell) {.deal = 0, .entered = -2451507, .seen = -2451507, .left = 90, .event = SPM_SPELL_WON, .amount = NAN, .won_amount = NAN};
	spells[1] = (SpmSpell) {.deal = 1, .entered = -2451507, .seen = -2451507, .event = SPM_SPELL_OPEN, .amount = 0};
	spells[2] = (SpmSpell) {.deal = 2, .entered = 2000000000, .seen = 2000000000, .event = SPM_SPELL_OPEN, .amount = 1e300};
	spells[3] = (SpmSpell) {.deal = 3, .entered = 100, .seen = 100, .left = 100, .event = SPM_SPELL_WON, .amount = -5, .won_amount = -5};
	spells[4] = (SpmSpell) {.deal = 4, .entered = 90, .seen = 99, .left = 80, .event = SPM_SPELL_LOST, .amount = 1};
	spells[5] = (SpmSpell) {.deal = 5, .entered = -1000000, .seen = -1000000, .left = -900000, .event = SPM_SPELL_WON, .amount = 7, .won_amount = 8};
	spells[6] = (SpmSpell) {.deal = 6, .entered = 50, .seen = 50, .event = SPM_SPELL_OPEN, .amount = 10};
	p.n = 7;
	ok(fit(&p, 100), "days of all ages can be learned from");
	n = look_ahead(&p, 1000, 1);
	for (int i = 0; i < n; i++)
		sane = sane && items[i].won >= 0 && items[i].lost >= 0 && isfinite(items[i].amount) &&
			(items[i].is_new || items[i].won + items[i].lost <= 1);
	ok(n > 2 && sane, "and what comes out are odds");
	spmk_day_civil(0, &year, &month, &day);
	ok(year == 2000 && month == 1 && day == 1, "day 0 is the first of 2000");
	spmk_day_civil(59, &year, &month, &day);
	ok(year == 2000 && month == 2 && day == 29, "2000 has a leap day");
	spmk_day_civil(-2451507, &year, &month, &day);
	ok(year == -4712 && month == 1 && day == 1, "days before our era are days");
	ok(spmk_day_kind(90) == spmk_day_kind(181) && spmk_day_kind(82) != spmk_day_kind(90), "the last week of a quarter is a kind of day");
}

int
main(void)
{
	constant_rates();
	never_decided();
	two_stages();
	owners();
	nothing_leaks();
	odd_input();
	free(tables);
	return done_testing();
}
