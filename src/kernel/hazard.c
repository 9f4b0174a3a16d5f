/*
 * hazard.c
 *	  Odds of deals by competing risks: see hazard.h.
 *
 * Rates by age are constant over stretches that hold enough ends each; a level of
 * a factor (a segment, an owner, a size) is as many times faster as it had events
 * over what all deals would have had (indirect standardisation), drawn to 1 by
 * empirical Bayes; the calendar likewise.  Probabilities follow by going day by day
 * to the horizon, through stages that deals will still move to (semi-Markov).
 */
#include "hazard.h"

#include <stdlib.h>
#include <string.h>

#include "rank.h"

#define LEAST_EXITS		10.0		/* ends that a stretch of ages must hold */
#define MOST_STRETCHES	40.0
#define PRIOR_ENDS		0.5			/* ends that a stretch is given for the rate of its stage */
#define LEAST_PRIOR		4.0			/* events that stand for all, against those of a level */
#define HALF_LIFE		365.0		/* days after which what was seen counts half */
#define TURNS			3			/* calendar and rates are fitted by turns */
#define LEAST_WON		20		/* wins that a forecast must have to learn from, to be looked at afterwards */
/* Horizons that stand for no drift, and for the usual shock, against those that were seen. */
#define TRUST			1.0
#define MONTH			30
#define TRUST_NEW		4.0
#define TRUST_SHOCK		2.0
#define USUAL_SHOCK		0.15
#define LEAST_SHOCK		0.03
#define DAYS_EARLY		23.4		/* days of a month but its last week */
#define DAYS_LATE		7.0
#define MOST_A_DAY		0.999	/* share of deals that can leave a stage in a day */
#define LEAST_AMOUNT	0.01		/* what is less is as good as nothing */
#define BREATH_ROWS		4096
#define GRID			12.0		/* steps of a factor e in which futures are shared */

/* The few largest deals are most of the money: they are told apart. */
static const double size_shares[SPMK_SIZES - 1] = {0.25, 0.5, 0.75, 0.9, 0.97};

#define EVENTS(h) ((h)->nstages + 2)
#define AT_RISK(h, s, e, a) ((h)->at_risk[((size_t) (s) * SPMK_WAYS + WAY(e)) * (h)->width + (a)])
#define ENDED(h, s, e, a) ((h)->events[((size_t) (s) * EVENTS(h) + (e)) * (h)->width + (a)])
#define RATE(h, s, e, a) ((h)->rate[((size_t) (s) * EVENTS(h) + (e)) * (h)->width + (a)])
#define REACH(h, s, w, a) ((h)->reach[((size_t) (s) * SPMK_WAYS + (w)) * (h)->width + (a)])
#define SPEED(h, s, a) ((h)->speed[(size_t) (s) * (h)->width + (a)])
#define WAY(event) ((event) < SPM_SPELL_MOVED ? (event) : SPM_SPELL_MOVED)

/* Days since 2000-01-01 to a date of the Gregorian calendar. */
void
spmk_day_civil(int day, int *year, int *month, int *mday)
{
	int64_t		z = (int64_t) day + 730425;		/* days since 0000-03-01 */
	int64_t		era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t		doe = z - era * 146097;
	int64_t		yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t		doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t		mp = (5 * doy + 2) / 153;

	*mday = (int) (doy - (153 * mp + 2) / 5 + 1);
	*month = (int) (mp < 10 ? mp + 3 : mp - 9);
	*year = (int) (yoe + era * 400 + (*month <= 2));
}

/* Month of the quarter (of any fiscal year that begins with a month), and whether the month ends within a week. */
int
spmk_day_kind(int day)
{
	int			year;
	int			month;
	int			mday;
	int			later;

	spmk_day_civil(day, &year, &month, &mday);
	later = month;
	spmk_day_civil(day + 7, &year, &month, &mday);
	return (later % 3) * 2 + (later != month);
}

static inline double
survive_day(double x)
{
	double		square = x * x / 12;

	return (1 - x / 2 + square) / (1 + x / 2 + square);
}

/* exp(-x), x >= 0: good to 1e-4 where it matters, and the same on every machine */
static inline double
survive(double x)
{
	double		y;

	if (x > 1)
	{
		y = survive_day(x / 8);
		y *= y;
		y *= y;
		return y * y;
	}
	return survive_day(x);
}

static size_t
factor_doubles(const SpmPipeline *p)
{
	return 3 * SPMK_WAYS * ((size_t) p->nsegments + p->nowners + SPMK_SIZES);
}

/* Spells that began on a day in a stage are of one age on every other day, so they are looked at together. */
typedef struct Start
{
	int			stage;
	int			entered;
	int			spell;
} Start;

size_t
spmk_hazard_bytes(const SpmPipeline *p)
{
	size_t		row = SPMK_AGE_MAX + 1;
	size_t		events = p->nstages + 2;

	return sizeof(double) * (row * p->nstages * (SPMK_WAYS + 2 * events + SPMK_WAYS + 1) + factor_doubles(p) + 2 * (size_t) p->n) +
		SPMK_DAYS_MAX + (sizeof(Start) * p->n + 7) / 8 * 8;
}

static void
lay_out(SpmHazard *h, const SpmPipeline *p, void *memory)
{
	double	   *next = memory;
	size_t		row = SPMK_AGE_MAX + 1;
	int			levels[SPM_FACTORS] = {p->nsegments, p->nowners, SPMK_SIZES};

	memset(memory, 0, spmk_hazard_bytes(p));
	memset(h, 0, sizeof(*h));
	h->nstages = p->nstages;
	h->drift = h->drift_new = 1;
	h->width = (int) row;
	h->at_risk = next;
	next += row * p->nstages * SPMK_WAYS;
	h->events = next;
	next += row * p->nstages * EVENTS(h);
	h->rate = next;
	next += row * p->nstages * EVENTS(h);
	h->speed = next;
	next += row * p->nstages;
	h->reach = next;
	next += row * p->nstages * SPMK_WAYS;
	for (int f = 0; f < SPM_FACTORS; f++)
	{
		h->factor[f].n = levels[f];
		for (int e = 0; e < SPMK_WAYS; e++)
		{
			h->factor[f].observed[e] = next;
			next += levels[f];
			h->factor[f].expected[e] = next;
			next += levels[f];
			h->factor[f].times[e] = next;
			next += levels[f];
			for (int i = 0; i < levels[f]; i++)
				h->factor[f].times[e][i] = 1;
		}
	}
	h->scratch = next;
}

/* What was known of a spell by the end of as_of; false: it had not begun. */
typedef struct Known
{
	int			from;			/* age after which it was at risk */
	int			to;				/* age at its end, or at as_of */
	int			event;
} Known;

static bool
known(const SpmHazard *h, const SpmSpell *s, Known *k)
{
	bool		ended = s->event != SPM_SPELL_OPEN && s->left <= h->as_of;
	int64_t		to = (int64_t) (ended ? s->left : h->as_of) - s->entered;
	int64_t		from = (int64_t) (h->first_day - 1 > s->seen ? h->first_day - 1 : s->seen) - s->entered;

	if (s->entered > h->as_of || s->seen > h->as_of || (ended && s->left < h->first_day))
		return false;
	if (ended && to < 1)
		to = 1;
	k->event = ended ? s->event : SPM_SPELL_OPEN;
	k->from = (int) (from < 0 ? 0 : from > SPMK_AGE_MAX ? SPMK_AGE_MAX : from);
	k->to = (int) (to > SPMK_AGE_MAX ? SPMK_AGE_MAX : to);
	if (k->from > k->to)
		k->from = k->to;
	/* An end at the edge of the table needs a day at risk there. */
	if (k->event != SPM_SPELL_OPEN && k->from == k->to && k->from > 0)
		k->from--;
	return true;
}

static int
level_of(const SpmHazard *h, const SpmSpell *s, int factor)
{
	int			size = 0;

	switch (factor)
	{
		case SPM_FACTOR_SEGMENT:
			return s->segment;
		case SPM_FACTOR_OWNER:
			return s->owner;
		default:
			while (size < SPMK_SIZES - 1 && s->amount > h->size_cut[size])
				size++;
			return size;
	}
}

static void
times_of(const SpmHazard *h, const SpmSpell *s, double times[SPMK_WAYS])
{
	for (int e = 0; e < SPMK_WAYS; e++)
		times[e] = 1;
	for (int f = 0; f < SPM_FACTORS; f++)
		for (int e = 0; e < SPMK_WAYS; e++)
			times[e] *= h->factor[f].times[e][level_of(h, s, f)];
}

/* What a day that lies so many days back counts: the present is like the near past. */
static inline double
weight_of(const SpmHazard *h, int day)
{
	int			back = h->as_of - day;

	return h->weight[back < 0 ? 0 : back < SPMK_WEIGHTS ? back : SPMK_WEIGHTS - 1];
}

/* Kind of the day on which a spell was so old; of one that is older than can be told: of the first day. */
static inline int
kind_of(const SpmHazard *h, const unsigned char *kinds, int day)
{
	return kinds[day < h->first_day ? 0 : day - h->first_day];
}

/* Ends by stage and age, and when half of the wins had come; false: nothing was won. */
static bool
count_ends(SpmHazard *h, const SpmPipeline *p, const SpmBreath *breath)
{
	double		wins[SPMK_AGE_MAX + 1] = {0};
	double		sum = 0;

	h->first_day = INT32_MAX;
	for (int i = 0; i < p->n; i++)
		if (p->spells[i].event != SPM_SPELL_OPEN && p->spells[i].left <= h->as_of && p->spells[i].left < h->first_day)
			h->first_day = p->spells[i].left;
	if (h->first_day == INT32_MAX)
		return false;
	if (h->first_day < h->as_of - SPMK_DAYS_MAX + 2)
		h->first_day = h->as_of - SPMK_DAYS_MAX + 2;
	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];
		Known		k;

		if (i % BREATH_ROWS == 0)
			spmk_breathe(breath);
		if (!known(h, s, &k) || k.event == SPM_SPELL_OPEN)
			continue;
		ENDED(h, s->stage, k.event, k.to) += weight_of(h, s->left);
		h->nlost += k.event == SPM_SPELL_LOST;
		if (k.event == SPM_SPELL_WON)
		{
			h->nwon++;
			wins[k.to]++;
		}
	}
	for (h->ripe = 0; h->ripe < SPMK_AGE_MAX && sum * 2 < h->nwon; h->ripe++)
		sum += wins[h->ripe];
	return h->nwon > 0;
}

static int
compare_starts(const void *a, const void *b)
{
	const Start *x = a;
	const Start *y = b;

	if (x->stage != y->stage)
		return x->stage < y->stage ? -1 : 1;
	if (x->entered != y->entered)
		return x->entered < y->entered ? -1 : 1;
	return (x->spell > y->spell) - (x->spell < y->spell);
}

/* How many of those from starts[i] on were at risk at each age, up to the oldest; returns where the next ones begin. */
static int
count_start(const SpmHazard *h, const SpmPipeline *p, const Start *starts, int i, int *at_risk, int *oldest)
{
	int			next = i;

	*oldest = 0;
	memset(at_risk, 0, sizeof(int) * (SPMK_AGE_MAX + 2));
	for (; next < p->n && starts[next].stage == starts[i].stage && starts[next].entered == starts[i].entered; next++)
	{
		Known		k;

		if (!known(h, &p->spells[starts[next].spell], &k) || k.to == k.from)
			continue;
		at_risk[k.from + 1]++;
		at_risk[k.to + 1]--;
		if (k.to > *oldest)
			*oldest = k.to;
	}
	for (int a = 1; a <= *oldest; a++)
		at_risk[a] += at_risk[a - 1];
	return next;
}

/* Days at risk by stage and age; a day counts for as much as days of its kind are busy. */
static void
count_days(SpmHazard *h, const SpmPipeline *p, const Start *starts, const unsigned char *kinds, const SpmBreath *breath)
{
	int			at_risk[SPMK_AGE_MAX + 2];
	int			oldest;

	memset(h->at_risk, 0, sizeof(double) * h->nstages * SPMK_WAYS * h->width);
	for (int i = 0, next; i < p->n; i = next)
	{
		int			stage = starts[i].stage;
		int			entered = starts[i].entered;

		spmk_breathe(breath);
		next = count_start(h, p, starts, i, at_risk, &oldest);
		for (int a = 1; a <= oldest; a++)
			if (at_risk[a] > 0)
			{
				int			kind = kind_of(h, kinds, entered + a);
				double		weight = at_risk[a] * weight_of(h, entered + a);

				for (int e = 0; e < 2; e++)
					AT_RISK(h, stage, e, a) += weight * h->calendar[e][a > h->ripe][kind];
				AT_RISK(h, stage, SPM_SPELL_MOVED, a) += weight;
			}
	}
}

static double
ends_at(const SpmHazard *h, int s, int age)
{
	double		sum = 0;

	for (int e = 0; e < EVENTS(h); e++)
		sum += ENDED(h, s, e, age);
	return sum;
}

/* Rates of one stage, from the first age to the last, stretch by stretch. */
static void
smooth_stage(SpmHazard *h, int s)
{
	double		total[SPMK_STAGES_MAX + 2] = {0};
	double		days[SPMK_WAYS] = {0};
	double		all = 0;
	double		least;
	int			last = 0;

	for (int a = 1; a <= SPMK_AGE_MAX; a++)
	{
		for (int e = 0; e < SPMK_WAYS; e++)
			days[e] += AT_RISK(h, s, e, a);
		for (int e = 0; e < EVENTS(h); e++)
		{
			total[e] += ENDED(h, s, e, a);
			all += ENDED(h, s, e, a);
			if (ENDED(h, s, e, a) > 0)
				last = a;
		}
	}
	if (all == 0)
		return;
	least = fmax(LEAST_EXITS, all / MOST_STRETCHES);
	for (int a = 1, end; a <= SPMK_AGE_MAX; a = end + 1)
	{
		double		ends = 0;
		double		risk[SPMK_WAYS] = {0};

		for (end = a; end <= SPMK_AGE_MAX; end++)
		{
			for (int e = 0; e < SPMK_WAYS; e++)
				risk[e] += AT_RISK(h, s, e, end);
			ends += ends_at(h, s, end);
			if (ends >= least || end == last || end == SPMK_AGE_MAX || ends_at(h, s, end + 1) >= least)
				break;
		}
		for (int e = 0; e < EVENTS(h); e++)
		{
			double		share = total[e] / all;
			double		n = 0;
			double		rate;

			for (int i = a; i <= end; i++)
				n += ENDED(h, s, e, i);
			/* where nothing ended the stage as a whole says a little; where something did, only how it is divided */
			if (ends > 0 && risk[WAY(e)] > 0)
				rate = (n + PRIOR_ENDS * share) * ends / (ends + PRIOR_ENDS) / risk[WAY(e)];
			else
				rate = PRIOR_ENDS * share / (risk[WAY(e)] + PRIOR_ENDS * days[WAY(e)] / all);
			for (int i = a; i <= end; i++)
				RATE(h, s, e, i) = rate;
		}
	}
}

/* A stage that nobody has left yet is taken for all stages together, but nothing moves from it. */
static void
smooth(SpmHazard *h)
{
	double		days[2] = {0};
	double		ends[2] = {0};

	for (int s = 0; s < h->nstages; s++)
	{
		smooth_stage(h, s);
		for (int a = 1; a <= SPMK_AGE_MAX; a++)
			for (int e = 0; e < 2; e++)
			{
				days[e] += AT_RISK(h, s, e, a);
				ends[e] += ENDED(h, s, e, a);
			}
	}
	for (int s = 0; s < h->nstages; s++)
	{
		double		sum = 0;
		double		sum_of_day;

		for (int e = 0; e < EVENTS(h); e++)
			sum += RATE(h, s, e, 1);
		for (int a = 1; a <= SPMK_AGE_MAX; a++)
		{
			for (int e = 0; e < 2 && sum == 0; e++)
				if (days[e] > 0)
					RATE(h, s, e, a) = ends[e] / days[e];
			sum_of_day = 0;
			for (int e = 0; e < SPMK_WAYS; e++)
				REACH(h, s, e, a) = REACH(h, s, e, a - 1);
			for (int e = 0; e < EVENTS(h); e++)
			{
				REACH(h, s, WAY(e), a) += RATE(h, s, e, a);
				sum_of_day += RATE(h, s, e, a);
			}
			sum_of_day = fmin(sum_of_day, MOST_A_DAY);
			SPEED(h, s, a) = sum_of_day > 0 ? -log1p(-sum_of_day) / sum_of_day : 1;
		}
		h->ntargets[s] = 0;
		for (int k = 0; k < h->nstages; k++)
			if (RATE(h, s, SPM_SPELL_MOVED + k, 1) > 0)
				h->targets[s][h->ntargets[s]++] = k;
	}
}

/* How much busier than others each kind of day is: known only as well as there were quarters to see it in. */
static void
learn_calendar(SpmHazard *h, const SpmPipeline *p, const Start *starts, const unsigned char *kinds, const SpmBreath *breath)
{
	double		observed[2][2][SPMK_CALENDAR] = {{{0}}};
	double		expected[2][2][SPMK_CALENDAR] = {{{0}}};
	double		days[SPMK_CALENDAR] = {0};
	int			at_risk[SPMK_AGE_MAX + 2];
	int			oldest;

	for (int day = h->first_day; day <= h->as_of; day++)
		days[kind_of(h, kinds, day)]++;
	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];
		Known		k;

		if (i % BREATH_ROWS == 0)
			spmk_breathe(breath);
		if (known(h, s, &k) && (k.event == SPM_SPELL_LOST || k.event == SPM_SPELL_WON))
			observed[k.event][k.to > h->ripe][kind_of(h, kinds, s->left)]++;
	}
	for (int i = 0, next; i < p->n; i = next)
	{
		spmk_breathe(breath);
		next = count_start(h, p, starts, i, at_risk, &oldest);
		for (int a = 1; a <= oldest; a++)
			for (int e = 0; e < 2 && at_risk[a] > 0; e++)
				expected[e][a > h->ripe][kind_of(h, kinds, starts[i].entered + a)] += at_risk[a] * RATE(h, starts[i].stage, e, a);
	}
	for (int e = 0; e < 2; e++)
		for (int c = 0; c < SPMK_CALENDAR; c++)
		{
			double		quarters = days[c] / (c % 2 ? DAYS_LATE : DAYS_EARLY);
			double		both = 0;
			double		both_expected = 0;

			for (int r = 0; r < 2; r++)
			{
				both += observed[e][r][c];
				both_expected += expected[e][r][c];
			}
			both = (both + LEAST_PRIOR) / (both_expected + LEAST_PRIOR);
			for (int r = 0; r < 2; r++)
			{
				double		quotient = (observed[e][r][c] + LEAST_PRIOR * both) / (expected[e][r][c] + LEAST_PRIOR);

				h->calendar[e][r][c] = exp(log(quotient) * quarters / (quarters + 1));
			}
		}
}

/* Sizes have an order: most of what they do is a power of the amount, as far as it is no chance. */
static void
follow_size(const SpmHazard *h, SpmFactor *f, int e)
{
	double		sum = 0;
	double		x_mean = 0;
	double		y_mean = 0;
	double		xy = 0;
	double		xx = 0;
	double		power;
	double		scaled = 0;

	for (int i = 0; i < f->n; i++)
	{
		double		y = log((f->observed[e][i] + LEAST_PRIOR) / (f->expected[e][i] + LEAST_PRIOR));

		sum += f->expected[e][i];
		x_mean += f->expected[e][i] * h->size_log[i];
		y_mean += f->expected[e][i] * y;
	}
	if (sum <= 0)
		return;
	x_mean /= sum;
	y_mean /= sum;
	for (int i = 0; i < f->n; i++)
	{
		double		x = h->size_log[i] - x_mean;
		double		y = log((f->observed[e][i] + LEAST_PRIOR) / (f->expected[e][i] + LEAST_PRIOR)) - y_mean;

		xy += f->expected[e][i] * x * y;
		xx += f->expected[e][i] * x * x;
	}
	/* the variance of the slope is 1 / xx */
	if (xx <= 0 || xy * xy <= xx)
		return;
	power = xy / xx * (1 - xx / (xy * xy));
	for (int i = 0; i < f->n; i++)
		scaled += f->expected[e][i] * exp(power * (h->size_log[i] - x_mean));
	for (int i = 0; i < f->n; i++)
		f->times[e][i] = exp(power * (h->size_log[i] - x_mean)) * sum / scaled;
}

static void
learn_factor(SpmHazard *h, const SpmPipeline *p, int factor)
{
	SpmFactor  *f = &h->factor[factor];

	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];
		int			level = level_of(h, s, factor);
		double		times[SPMK_WAYS];
		Known		k;

		if (!known(h, s, &k))
			continue;
		times_of(h, s, times);
		for (int e = 0; e < SPMK_WAYS; e++)
		{
			f->expected[e][level] += times[e] * (REACH(h, s->stage, e, k.to) - REACH(h, s->stage, e, k.from));
			f->observed[e][level] += k.event != SPM_SPELL_OPEN && WAY(k.event) == e;
		}
	}
	for (int e = 0; e < SPMK_WAYS; e++)
	{
		double		excess = 0;
		double		squares = 0;
		double		prior;
		double		all = 0;
		double		all_expected = 0;

		/* days of the calendar are left out here: they are about the same for all levels */
		for (int i = 0; i < f->n; i++)
		{
			all += f->observed[e][i];
			all_expected += f->expected[e][i];
		}
		for (int i = 0; i < f->n && all_expected > 0; i++)
			f->expected[e][i] *= all / all_expected;
		if (factor == SPM_FACTOR_SIZE)
			follow_size(h, f, e);
		for (int i = 0; i < f->n; i++)
		{
			double		expected = f->expected[e][i] * f->times[e][i];
			double		off = f->observed[e][i] - expected;

			excess += off * off - expected;
			squares += expected * expected;
		}
		prior = excess > 0 ? fmax(LEAST_PRIOR, squares / excess) : INFINITY;
		for (int i = 0; i < f->n; i++)
			if (!isinf(prior))
				f->times[e][i] *= (f->observed[e][i] + prior) / (f->expected[e][i] * f->times[e][i] + prior);
	}
}

/* Classes of amounts, and what deals were won at against what they were known at. */
static void
learn_amounts(SpmHazard *h, const SpmPipeline *p, const SpmBreath *breath)
{
	double		sum = 0;
	double		known_sum = 0;
	double		won_sum = 0;
	double		mean = 0;
	double		square = 0;
	int			n = 0;
	int			nwon = 0;
	int			seen = 0;

	for (int i = 0; i < p->n; i++)
		if (p->spells[i].entered <= h->as_of && p->spells[i].amount >= 0)
		{
			h->scratch[n++] = p->spells[i].amount;
			sum += p->spells[i].amount;
		}
	h->usual_amount = n > 0 ? sum / n : 0;
	spmk_sort_numbers(h->scratch, h->scratch + p->n, n, breath);
	for (int c = 0; c < SPMK_SIZES - 1; c++)
		h->size_cut[c] = n > 0 ? h->scratch[(size_t) (n * size_shares[c])] : 0;
	for (int c = 0, i = 0; c < SPMK_SIZES; c++)
	{
		int			first = i;

		for (; i < n && (c == SPMK_SIZES - 1 || h->scratch[i] <= h->size_cut[c]); i++)
			h->size_log[c] += log(fmax(h->scratch[i], LEAST_AMOUNT));
		if (i > first)
			h->size_log[c] /= i - first;
		else
			h->size_log[c] = c > 0 ? h->size_log[c - 1] : 0;
	}
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < p->n; i++)
		{
			const SpmSpell *s = &p->spells[i];

			if (s->event != SPM_SPELL_WON || s->left > h->as_of || !(s->amount > 0) || !(s->won_amount >= 0))
				continue;
			if (pass == 0)
			{
				known_sum += s->amount;
				won_sum += s->won_amount;
				nwon++;
			}
			else if ((int64_t) seen++ * SPMK_RATIOS / nwon >= h->nratios || nwon <= SPMK_RATIOS)
				h->ratios[h->nratios++] = fmin(s->won_amount / s->amount, 10);
		}
	/* as if two deals had been won at what they were known at */
	h->ratio = nwon > 0 ? (won_sum + 2 * known_sum / nwon) / (known_sum + 2 * known_sum / nwon) : 1;
	for (int i = 0; i < h->nratios; i++)
		mean += h->ratios[i] / h->nratios;
	for (int i = 0; i < h->nratios; i++)
	{
		h->ratios[i] = mean > 0 ? h->ratios[i] / mean : 1;
		square += h->ratios[i] * h->ratios[i] / h->nratios;
	}
	h->ratio_square = h->nratios > 0 ? square : 1;
}

/* Learns from what was known by the end of as_of; false when no deal had been won. */
bool
spmk_hazard_fit(SpmHazard *h, const SpmPipeline *p, int as_of, void *memory, const SpmBreath *breath)
{
	unsigned char *kinds;
	Start	   *starts;

	lay_out(h, p, memory);
	h->as_of = as_of;
	for (int i = 0; i < SPMK_WEIGHTS; i++)
		h->weight[i] = exp(-i * log(2) / HALF_LIFE);
	if (!count_ends(h, p, breath))
		return false;
	learn_amounts(h, p, breath);
	/* what began and ended today is at risk tomorrow: see known() */
	kinds = (unsigned char *) (h->scratch + 2 * (size_t) p->n);
	for (int day = h->first_day; day <= h->as_of + 1; day++)
		kinds[day - h->first_day] = spmk_day_kind(day);
	starts = (Start *) (kinds + SPMK_DAYS_MAX);
	for (int i = 0; i < p->n; i++)
		starts[i] = (Start) {p->spells[i].stage, p->spells[i].entered, i};
	qsort(starts, p->n, sizeof(Start), compare_starts);
	for (int e = 0; e < 2; e++)
		for (int c = 0; c < SPMK_CALENDAR; c++)
			h->calendar[e][0][c] = h->calendar[e][1][c] = 1;
	count_days(h, p, starts, kinds, breath);
	smooth(h);
	for (int turn = 0; turn < TURNS; turn++)
	{
		learn_calendar(h, p, starts, kinds, breath);
		count_days(h, p, starts, kinds, breath);
		smooth(h);
	}
	for (int f = 0; f < SPM_FACTORS; f++)
	{
		spmk_breathe(breath);
		learn_factor(h, p, f);
	}
	return true;
}

/*
 * What becomes of a spell of stage s that was open at age 'age' at the end of day
 * 'from' (days from as_of), by the horizon; won and lost of deals that enter stage k
 * on day d are futures[(k * (horizon + 1) + d) * 2 ...].
 */
static void
follow(const SpmHazard *h, int s, int64_t age, int from, int horizon, const double times[SPMK_WAYS], const double (*calendar)[2][2],
	   const double *futures, double *won, double *lost)
{
	double		alive = 1;

	*won = *lost = 0;
	for (int d = from + 1; d <= horizon; d++)
	{
		int			a = age + d - from > SPMK_AGE_MAX ? SPMK_AGE_MAX : (int) (age + d - from);
		double		lose = RATE(h, s, SPM_SPELL_LOST, a) * times[0] * calendar[d][a > h->ripe][0];
		double		win = RATE(h, s, SPM_SPELL_WON, a) * times[1] * calendar[d][a > h->ripe][1];
		double		later_won = 0;
		double		later_lost = 0;
		double		sum = lose + win;
		double		ends;

		for (int i = 0; i < h->ntargets[s]; i++)
		{
			int			k = h->targets[s][i];
			double		move = RATE(h, s, SPM_SPELL_MOVED + k, a) * times[SPM_SPELL_MOVED];
			const double *then = futures + ((size_t) k * (horizon + 1) + d) * 2;

			sum += move;
			later_won += move * then[1];
			later_lost += move * then[0];
		}
		if (sum <= 0)
			continue;
		ends = 1 - survive(sum * SPEED(h, s, a));
		*won += alive * ends / sum * (win + later_won);
		*lost += alive * ends / sum * (lose + later_lost);
		alive *= 1 - ends;
	}
}

typedef struct Futures
{
	int			step[SPMK_WAYS];	/* of the factors, on a grid */
	int			item;
} Futures;

static int
compare_futures(const void *a, const void *b)
{
	const Futures *x = a;
	const Futures *y = b;

	for (int e = 0; e < SPMK_WAYS; e++)
		if (x->step[e] != y->step[e])
			return x->step[e] < y->step[e] ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

size_t
spmk_hazard_space(const SpmPipeline *p, int horizon)
{
	return sizeof(double) * 2 * ((size_t) horizon + 1) * (p->nstages + 2) + sizeof(Futures) * 2 * (size_t) p->n;
}

/*
 * The open deals with their odds, then one item for each deal that was created within
 * the last 'window' days: deals to come are taken to be like those, 'arrivals' a day of
 * them in all.  There is room for two items a spell.  Returns how many there are.
 */
int
spmk_hazard_items(const SpmHazard *h, const SpmPipeline *p, int horizon, double arrivals, int window,
				  SpmChanceItem *items, void *memory, const SpmBreath *breath)
{
	double		(*calendar)[2][2] = memory;
	double	   *futures = (double *) (calendar + horizon + 1);
	Futures    *order = (Futures *) (futures + 2 * ((size_t) horizon + 1) * p->nstages);
	int			n = 0;
	int			nopen;
	int			nnew;

	for (int d = 0; d <= horizon; d++)
		for (int e = 0; e < 2; e++)
			for (int r = 0; r < 2; r++)
				calendar[d][r][e] = h->calendar[e][r][spmk_day_kind(h->as_of + d)];
	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];

		if (s->entered <= h->as_of && (s->event == SPM_SPELL_OPEN || s->left > h->as_of))
			items[n++] = (SpmChanceItem) {.spell = i};
	}
	nopen = n;
	for (int i = 0; i < p->n && arrivals > 0; i++)
	{
		const SpmSpell *s = &p->spells[i];

		if ((i == 0 || s->deal != s[-1].deal) && s->entered <= h->as_of && s->entered > h->as_of - window)
			items[n++] = (SpmChanceItem) {.spell = i, .is_new = true};
	}
	nnew = n - nopen;
	for (int i = 0; i < n; i++)
	{
		double		times[SPMK_WAYS];

		times_of(h, &p->spells[items[i].spell], times);
		if (!items[i].is_new)
			times[1] *= h->drift;
		order[i].item = i;
		for (int e = 0; e < SPMK_WAYS; e++)
			order[i].step[e] = (int) floor(log(times[e]) * GRID + .5);
	}
	qsort(order, n, sizeof(Futures), compare_futures);
	for (int i = 0; i < n; i++)
	{
		SpmChanceItem *item = &items[order[i].item];
		const SpmSpell *s = &p->spells[item->spell];
		double		times[SPMK_WAYS];

		if (i == 0 || memcmp(order[i].step, order[i - 1].step, sizeof(order[i].step)) != 0)
		{
			for (int e = 0; e < SPMK_WAYS; e++)
				times[e] = exp(order[i].step[e] / GRID);
			for (int d = horizon; d >= 0; d--)
			{
				spmk_breathe(breath);
				for (int k = 0; k < h->nstages; k++)
				{
					double	   *then = futures + ((size_t) k * (horizon + 1) + d) * 2;

					follow(h, k, 0, d, horizon, times, (const double (*)[2][2]) calendar, futures, &then[1], &then[0]);
				}
			}
		}
		item->amount = (s->amount >= 0 ? s->amount : h->usual_amount) * h->ratio;
		if (item->is_new)
		{
			for (int d = 1; d <= horizon; d++)
				item->won += futures[((size_t) s->stage * (horizon + 1) + d) * 2 + 1] * arrivals / nnew * h->drift_new;
			continue;
		}
		times_of(h, s, times);
		times[1] *= h->drift;
		follow(h, s->stage, (int64_t) h->as_of - s->entered, 0, horizon, times, (const double (*)[2][2]) calendar, futures,
			   &item->won, &item->lost);
	}
	return n;
}

/* Deals created in a day, as of late. */
double
spmk_arrivals(const SpmPipeline *p, int as_of, int window)
{
	double		n = 0;

	for (int i = 0; i < p->n; i++)
		n += (i == 0 || p->spells[i].deal != p->spells[i - 1].deal) && p->spells[i].entered <= as_of &&
			p->spells[i].entered > as_of - window;
	return n / window;
}

/* What was won of open deals [0] and of those that came later [1], by number and by amount, from as_of to the horizon. */
static void
won_since(const SpmHazard *h, const SpmPipeline *p, int horizon, double count[2], double amount[2], double (*owners)[3])
{
	bool		is_new = false;

	count[0] = count[1] = amount[0] = amount[1] = 0;
	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];

		if (i == 0 || s->deal != s[-1].deal)
			is_new = s->entered > h->as_of;
		if (s->event != SPM_SPELL_WON || s->left <= h->as_of || s->left > (int64_t) h->as_of + horizon)
			continue;
		count[is_new]++;
		owners[s->owner][0]++;
		amount[is_new] += s->won_amount >= 0 ? s->won_amount : s->amount >= 0 ? s->amount : h->usual_amount;
	}
}

size_t
spmk_review_bytes(const SpmPipeline *p, int horizon)
{
	return spmk_hazard_bytes(p) + sizeof(SpmChanceItem) * 2 * (size_t) p->n + spmk_hazard_space(p, horizon) + sizeof(SpmHazard) +
		3 * sizeof(double) * p->nowners;
}

/* Forecasts as of earlier days, the last one a horizon ago, and what became of them: open deals [0], later ones [1]. */
typedef struct Walk
{
	int			origins;
	double		independent;	/* origins, were their horizons not to overlap */
	double		log_drift[2];	/* mean log of wins over expected wins */
	double		owner_excess;	/* variance of owners beyond chance, as a share of their wins squared */
	struct
	{
		double		expected[2];	/* amounts */
		double		actual;
		double		chance;		/* relative variance that single deals make */
	}			at[SPMK_ORIGINS_MAX];
} Walk;

static void
walk(Walk *w, const SpmPipeline *p, int as_of, int horizon, int window, int most, void *memory, const SpmBreath *breath)
{
	SpmHazard  *h = memory;
	char	   *tables = (char *) (h + 1);
	SpmChanceItem *items = (SpmChanceItem *) (tables + spmk_hazard_bytes(p));
	double		(*owners)[3] = (double (*)[3]) (items + 2 * (size_t) p->n);	/* won, expected, variance */
	char	   *space = (char *) (owners + p->nowners);
	int			step = horizon / 3 > 7 ? horizon / 3 : 7;
	double		squares = 0;

	memset(w, 0, sizeof(*w));
	for (int o = 0; o < most && o < SPMK_ORIGINS_MAX; o++)
	{
		double		count[2];
		double		amount[2];
		double		expected[2] = {0};
		double	   *mean = w->at[o].expected;
		double		variance = 0;
		double		share;
		int			n;

		memset(owners, 0, 3 * sizeof(double) * p->nowners);
		if (!spmk_hazard_fit(h, p, as_of - horizon - o * step, tables, breath) || h->nwon < LEAST_WON)
			break;
		n = spmk_hazard_items(h, p, horizon, spmk_arrivals(p, h->as_of, window), window, items, space, breath);
		for (int i = 0; i < n; i++)
		{
			const SpmChanceItem *item = &items[i];
			double	   *owner = owners[p->spells[item->spell].owner];

			expected[item->is_new] += item->won;
			owner[1] += item->won;
			owner[2] += item->won * (item->is_new ? 1 : 1 - item->won);
			mean[item->is_new] += item->won * item->amount;
			variance += item->amount * item->amount * item->won * (h->ratio_square - (item->is_new ? 0 : item->won));
		}
		if (!(mean[0] + mean[1] > 0))
			break;
		won_since(h, p, horizon, count, amount, owners);
		share = (count[0] + count[1]) / (expected[0] + expected[1]);
		for (int i = 0; i < p->nowners; i++)
		{
			double		off = owners[i][0] - owners[i][1] * share;

			w->owner_excess += off * off - owners[i][2] * share;
			squares += owners[i][1] * owners[i][1] * share * share;
		}
		for (int k = 0; k < 2; k++)
			w->log_drift[k] += log((count[k] + LEAST_PRIOR) / (expected[k] + LEAST_PRIOR));
		w->at[o].actual = amount[0] + amount[1];
		w->at[o].chance = variance / ((mean[0] + mean[1]) * (mean[0] + mean[1]));
		w->origins++;
	}
	for (int k = 0; k < 2 && w->origins > 0; k++)
		w->log_drift[k] /= w->origins;
	if (w->origins > 0)
		w->independent = 1 + (double) (w->origins - 1) * step / horizon;
	w->owner_excess = squares > 0 ? w->owner_excess / squares : 0;
}

/* Variance beyond what chance makes of single deals; where few horizons were seen, drawn to what is usual. */
static double
shock_of(const Walk *w, const SpmReview *r, double usual)
{
	double		excess = 0;

	for (int o = 0; o < w->origins; o++)
	{
		double		mean = w->at[o].expected[0] * r->drift + w->at[o].expected[1] * r->drift_new;
		double		off = log((w->at[o].actual + .01 * mean) / (1.01 * mean));

		excess += (off * off - w->at[o].chance) / w->origins;
	}
	return fmax((excess * w->independent + usual * TRUST_SHOCK) / (w->independent + TRUST_SHOCK), LEAST_SHOCK * LEAST_SHOCK);
}

/*
 * How forecasts as of at most so many earlier days turned out.  Drift is learned over a
 * month, of which there are more; shocks over the horizon itself as far as history goes.
 */
void
spmk_review(SpmReview *r, const SpmPipeline *p, int as_of, int horizon, int window, int most, void *memory, const SpmBreath *breath)
{
	Walk		w;
	double		shock;

	*r = (SpmReview) {.drift = 1, .drift_new = 1};
	walk(&w, p, as_of, horizon < MONTH ? horizon : MONTH, window, most, memory, breath);
	if (w.origins > 0)
	{
		r->drift = exp(w.independent / (w.independent + TRUST) * w.log_drift[0]);
		r->drift_new = exp(w.independent / (w.independent + TRUST_NEW) * w.log_drift[1]);
	}
	shock = shock_of(&w, r, USUAL_SHOCK * USUAL_SHOCK);
	r->origins = w.origins;
	r->independent = w.independent;
	r->shock_owner = sqrt(fmax((w.owner_excess * w.independent + USUAL_SHOCK * USUAL_SHOCK * TRUST_SHOCK) / (w.independent + TRUST_SHOCK), 0));
	if (horizon > MONTH)
	{
		walk(&w, p, as_of, horizon, window, most, memory, breath);
		/* of what moves a month, about half lasts */
		shock = shock_of(&w, r, shock * (1 + (double) MONTH / horizon) / 2);
	}
	r->shock = sqrt(shock);
}
