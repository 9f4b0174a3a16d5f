/*
 * schedule_test.c: what totals earn; the integers against the decimals.
 */
#include "kernel/fast.h"
#include "kernel/schedule.h"

#include <string.h>

#include "tap.h"

#define MOST 8

/* One schedule in both forms. Amounts in cents, rates in 1/10,000. */
typedef struct Both
{
	SpmFast		fast;
	SpmSchedule slow;
	int64_t		floors[MOST + 1];
	int64_t		ends[MOST];
	int64_t		values[MOST];
	Dec			dfloors[MOST];
	Dec			dends[MOST];
	Dec			dvalues[MOST];
} Both;

static void
complete(Both *b)
{
	SpmFast    *f = &b->fast;
	SpmSchedule *s = &b->slow;
	bool		bonus = spmk_values_are_money(f->terms.method);

	f->amount_scale = 2;
	f->rate_scale = bonus ? 0 : 4;
	f->floors = b->floors;
	f->ends = f->terms.has_ends ? b->ends : NULL;
	f->values = b->values;
	if (!f->terms.has_base)
		f->base = spmk_default_base_is_first(f->terms.method, b->floors[0] == 0) ? b->values[0] : 0;
	s->terms = f->terms;
	s->floors = b->dfloors;
	s->ends = b->dends;
	s->values = b->dvalues;
	s->base = dec_from_int(f->base, f->rate_scale);
	s->cap = dec_from_int(f->cap, 2);
	s->least = dec_from_int(f->least, 2);
	s->divisor = dec_from_int(f->divisor, 2);
	for (int i = 0; i < f->terms.ntiers; i++)
	{
		b->dfloors[i] = dec_from_int(b->floors[i], 2);
		b->dends[i] = dec_from_int(f->terms.has_ends ? b->ends[i] : b->floors[i + 1], 2);
		b->dvalues[i] = dec_from_int(b->values[i], bonus ? 2 : 4);
	}
}

/* 5% to 1,000.00, 8% to 1,500.00, 12% above */
static void
make_usual(Both *b, SpmRateMethod method)
{
	memset(b, 0, sizeof(*b));
	b->fast.terms.ntiers = 3;
	b->fast.terms.method = method;
	b->fast.terms.last_open = true;
	b->floors[1] = 100000;
	b->floors[2] = 150000;
	b->values[0] = 500;
	b->values[1] = 800;
	b->values[2] = 1200;
	complete(b);
}

/* In both forms, to cents; a status less than 0 where they differ. */
static int64_t
earns(const Both *b, int64_t x, SpmStatus *status)
{
	Dec			num;
	Dec			den;
	int64_t		fast = 0;
	SpmStatus	slow_status = spmk_earned(&b->slow, dec_from_int(x, 2), &num, &den);

	*status = spmk_fast_earned(&b->fast, x, 2, 2, SPM_HALF_UP, &fast);
	if (*status != slow_status ||
		(*status == SPM_OK && dec_cmp(spmk_round(num, den, 2, SPM_HALF_UP), dec_from_int(fast, 2)) != 0))
		*status = (SpmStatus) -1;
	return fast;
}

static void
is(const Both *b, int64_t x, int64_t expected, const char *name)
{
	SpmStatus	status;
	int64_t		earned = earns(b, x, &status);

	ok(status == SPM_OK && earned == expected, name);
}

static void
known_values(void)
{
	Both		b;
	SpmStatus	status;

	make_usual(&b, SPM_MARGINAL);
	is(&b, 160000, 10200, "each slice earns the rate of its own tier");
	is(&b, 100000, 5000, "an edge joins the slices");
	is(&b, 0, 0, "nothing earns nothing");
	is(&b, -10000, -500, "a refund below zero takes back what it earned");
	make_usual(&b, SPM_WHOLE);
	is(&b, 160000, 19200, "the whole at the rate of the tier reached");
	is(&b, 100000, 8000, "on an edge the higher tier");
	b.fast.terms.edge = SPM_EDGE_LOWER;
	complete(&b);
	is(&b, 100000, 5000, "or the lower, if so asked for");
	make_usual(&b, SPM_INTERPOLATED);
	is(&b, 50000, 3250, "half way between two points the mean of the rates");
	is(&b, 900000, 108000, "clamped above the last point");
	make_usual(&b, SPM_WEIGHTED);
	b.fast.terms.last_open = false;
	b.floors[3] = 250000;
	complete(&b);
	is(&b, 125000, 11250, "a passed tier gives its rate, the reached one its share");
	earns(&b, 250001, &status);
	ok(status == SPM_ERR_ABOVE_END, "above the last end is refused");
	make_usual(&b, SPM_BONUS);
	is(&b, 160000, 1200, "a bonus is paid as it is");
	make_usual(&b, SPM_EXCESS);
	is(&b, 90000, 4500, "excess: the first tier at its own rate");
	is(&b, 120000, 6600, "all above it at the rate reached");
	is(&b, 160000, 12200, "which may be higher than that of the second tier");
	is(&b, 150000, 11000, "on an edge the rate of the higher tier");
	is(&b, -10000, -500, "below zero as the first tier");
	b.fast.terms.edge = SPM_EDGE_LOWER;
	complete(&b);
	is(&b, 150000, 9000, "or of the lower, if so asked for");
	make_usual(&b, SPM_CURVE);
	is(&b, 50000, 650, "half way between two points the mean of the money");
	is(&b, 100000, 800, "on a point its money");
	is(&b, 900000, 1200, "above the last point no more");
	is(&b, -1, 0, "below the first nothing");
	is(&b, 0, 0, "and nothing for nothing");
	make_usual(&b, SPM_MARGINAL);
	b.fast.terms.has_divisor = true;
	b.fast.divisor = 300;
	complete(&b);
	is(&b, 160000, 3400, "what is earned is divided, exactly");
	is(&b, 10000, 167, "and rounded once");
	b.fast.terms.has_cap = true;
	b.fast.cap = 3000;
	complete(&b);
	is(&b, 160000, 3000, "but the cap is not divided");
	make_usual(&b, SPM_MARGINAL);
	b.fast.terms.has_cap = true;
	b.fast.cap = 7000;
	complete(&b);
	is(&b, 160000, 7000, "a cap is the most");
	b.fast.terms.has_least = true;
	b.fast.least = 1000;
	complete(&b);
	is(&b, 1, 1000, "a floor is the least");
	is(&b, 0, 0, "but not for nothing");
}

static void
refusals(void)
{
	Both		b;
	int			tier;

	make_usual(&b, SPM_MARGINAL);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_OK, "a schedule in order passes");
	b.floors[2] = 100000;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_ORDER && tier == 1, "two equal floors do not");
	make_usual(&b, SPM_MARGINAL);
	b.floors[0] = -1;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_NEGATIVE_FLOOR, "nor one that starts below 0");
	make_usual(&b, SPM_WEIGHTED);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_NO_END, "nor a weighted one without an end");
	make_usual(&b, SPM_MARGINAL);
	b.fast.terms.has_ends = true;
	b.ends[0] = 90000;
	b.ends[1] = 150000;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_GAP && tier == 0, "nor one with a gap");
	b.fast.terms.outside_zero = true;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_OK, "unless gaps are to earn nothing");
	is(&b, 95000, 4500, "and then they do");
	b.ends[0] = 110000;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_OVERLAP, "an overlap never passes");
	make_usual(&b, SPM_MARGINAL);
	b.fast.terms.has_cap = b.fast.terms.has_least = true;
	b.fast.cap = 1;
	b.fast.least = 2;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_CAP_FLOOR, "nor a cap below the floor");
	make_usual(&b, SPM_MARGINAL);
	b.fast.terms.has_divisor = true;
	complete(&b);
	ok(spmk_schedule_check(&b.slow, &tier) == SPM_ERR_DIVISOR, "nor a divisor of 0");
}

static void
make_random(Both *b)
{
	SpmTerms   *t = &b->fast.terms;
	int64_t		at = random_below(2) ? 0 : random_below(5000);

	memset(b, 0, sizeof(*b));
	t->ntiers = 1 + (int) random_below(6);
	t->method = (SpmRateMethod) random_below(7);
	t->edge = (SpmEdge) random_below(3);
	t->outside_zero = random_below(2);
	t->has_ends = t->outside_zero && random_below(2);
	t->last_open = t->method != SPM_WEIGHTED && random_below(2);
	t->has_base = !spmk_values_are_money(t->method) && random_below(3) == 0;
	t->has_cap = random_below(3) == 0;
	t->has_least = random_below(4) == 0;
	t->has_divisor = random_below(3) == 0;
	for (int i = 0; i <= t->ntiers; i++)
	{
		b->floors[i] = at;
		at += 1 + random_below(random_below(3) ? 200000 : 3);
		if (i < t->ntiers)
		{
			b->ends[i] = at;
			b->values[i] = random_below(spmk_values_are_money(t->method) ? 100000 : 3000) - random_below(20) * 10;
			if (t->has_ends && random_below(2))
				at += random_below(20000);
		}
	}
	b->fast.base = t->has_base ? random_below(1000) : 0;
	b->fast.cap = random_below(50000);
	b->fast.least = random_below(200) - 100;
	b->fast.divisor = t->has_divisor ? 1 + random_below(random_below(2) ? 1000 : 30000000) : 100;
	if (b->fast.cap < b->fast.least)
		b->fast.cap = b->fast.least;
	complete(b);
}

static int64_t
random_amount(const Both *b)
{
	int			n = b->fast.terms.ntiers;

	switch (random_below(4))
	{
		case 0:
			return b->floors[random_below(n)];
		case 1:
			return b->floors[random_below(n)] + random_below(5) - 2;
		case 2:
			return -random_below(100000);
		default:
			return random_below(1200000);
	}
}

static void
random_values(void)
{
	bool		agree = true;
	bool		adds_up = true;
	bool		within = true;
	int			refused = 0;

	for (int i = 0; i < 100000; i++)
	{
		Both		b;
		int			tier;
		int			nregions;
		int			places = (int) random_below(5);
		SpmRounding rounding = (SpmRounding) random_below(7);
		int64_t		x;
		int64_t		fast;
		Dec			from;
		Dec			to;
		Dec			num;
		Dec			den;
		Dec			width = dec_from_int(0, 0);
		SpmStatus	status;

		make_random(&b);
		if (spmk_schedule_check(&b.slow, &tier) != SPM_OK)
			continue;
		x = random_amount(&b);
		status = spmk_fast_earned(&b.fast, x, 2, places, rounding, &fast);
		agree &= status == spmk_earned(&b.slow, dec_from_int(x, 2), &num, &den);
		if (status == SPM_OK)
			agree &= dec_cmp(spmk_round(num, den, places, rounding), dec_from_int(fast, places)) == 0;
		else
			refused++;
		if (status == SPM_OK && b.fast.terms.has_cap)
			within &= dec_cmp(num, dec_mul(b.slow.cap, den)) <= 0;

		/* The regions between -1,000.00 and x cover all of it, once. */
		nregions = spmk_region_count(&b.slow);
		for (int r = 0; r < nregions; r++)
		{
			from = dec_from_int(-100000, 2);
			to = dec_from_int(x, 2);
			if (spmk_region_slice(&b.slow, r, &from, &to))
				width = dec_add(width, dec_sub(to, from));
		}
		if (x >= -100000 && status == SPM_OK)
			adds_up &= dec_cmp(width, dec_from_int(x + 100000, 2)) == 0;
	}
	ok(agree, "100,000 schedules and amounts earn the same in integers and in decimals");
	ok(refused > 1000, "among them amounts above the last end, refused by both");
	ok(within, "none earns more than its cap");
	ok(adds_up, "the slices of an amount add up to it");
}

static void
limits(void)
{
	Both		b;
	int64_t		value = 5;
	int64_t		fast;

	make_usual(&b, SPM_MARGINAL);
	ok(spmk_fast_earned(&b.fast, SPM_FAST_MAX, 2, 2, SPM_HALF_UP, &fast) == SPM_OK, "10^18 still fits");
	ok(spmk_fast_earned(&b.fast, SPM_FAST_MAX, 0, 2, SPM_HALF_UP, &fast) == SPM_TOO_BIG, "what does not fit says so");
	ok(spmk_fast_earned(&b.fast, 1, 2, -1, SPM_HALF_UP, &fast) == SPM_TOO_BIG, "tens are left to decimals");
	ok(spmk_fast_earned(&b.fast, 0, 2, -1, SPM_HALF_UP, &fast) == SPM_TOO_BIG, "for a total of nothing too");
	ok(!spmk_rescale(&value, 2, 1) && value == 5, "a scale is never made coarser");
	ok(spmk_rescale(&value, 0, 16) && value == INT64_C(50000000000000000), "but finer");
	ok(!spmk_rescale(&value, 0, 3), "as long as it fits");
	b.fast.terms.method = SPM_INTERPOLATED;
	complete(&b);
	ok(spmk_fast_earned(&b.fast, INT64_C(100000000000000), 16, 16, SPM_HALF_UP, &fast) != SPM_ERR_ABOVE_END,
	   "the finest scales are computed or declined");
}

int
main(void)
{
	known_values();
	refusals();
	random_values();
	limits();
	return done_testing();
}
