/*
 * hazard.c
 *	  Odds of deals by competing risks: see hazard.h.
 *
 * Rates by age are constant over stretches that hold enough ends each.  They, the
 * calendar and factors (hazard_factor.c, hazard_close.c) multiply each other, and
 * are learned by turns.  What follows for a deal is worked out in hazard_odds.c; how
 * such odds would have turned out in hazard_review.c.
 */
#include "hazard_work.h"

#include <stdlib.h>
#include <string.h>

#include "rank.h"

#define LEAST_EXITS		10.0		/* ends that a stretch of ages must hold */
#define MOST_STRETCHES	40.0
#define PRIOR_ENDS		0.5			/* ends that a stretch is given for the rate of its stage */
#define HALF_LIFE		365.0		/* days after which what was seen counts half */
#define TURNS			2			/* calendar and rates are fitted by turns, and once more with factors */
#define DAYS_EARLY		23.4		/* days of a month but its last week */
#define DAYS_LATE		7.0
#define MOST_A_DAY		0.999	/* share of deals that can leave a stage in a day */
#define LEAST_AMOUNT	0.01		/* what is less is as good as nothing */
#define LEAST_TOLD		0.8			/* of deals lost, won or open have an amount, where all of the others do */

/* The few largest deals are most of the money: they are told apart. */
static const double size_shares[SPMK_SIZES - 1] = {0.25, 0.5, 0.75, 0.9, 0.97};



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

static size_t
factor_doubles(const SpmPipeline *p)
{
	return 3 * SPMK_WAYS * ((size_t) p->nsegments + p->nowners + SPMK_SIZES + SPMK_CLOSE);
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

static double *
lay_factor(SpmFactor *f, int n, double *next)
{
	f->n = n;
	for (int e = 0; e < SPMK_WAYS; e++)
	{
		f->observed[e] = next;
		f->expected[e] = next + n;
		f->times[e] = next + 2 * n;
		next += 3 * n;
		for (int i = 0; i < n; i++)
			f->times[e][i] = 1;
	}
	return next;
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
		next = lay_factor(&h->factor[f], levels[f], next);
	next = lay_factor(&h->close, SPMK_CLOSE, next);
	h->scratch = next;
}



/* What was known of a spell by the end of as_of; false: it had not begun. */
bool
spmk_hazard_known(const SpmHazard *h, const SpmSpell *s, Known *k)
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

int
spmk_hazard_level(const SpmHazard *h, const SpmSpell *s, int factor)
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

void
spmk_hazard_times(const SpmHazard *h, const SpmSpell *s, double times[SPMK_WAYS])
{
	for (int e = 0; e < SPMK_WAYS; e++)
		times[e] = 1;
	for (int f = 0; f < SPM_FACTORS; f++)
		for (int e = 0; e < SPMK_WAYS; e++)
			times[e] *= h->factor[f].times[e][spmk_hazard_level(h, s, f)];
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
		if (!spmk_hazard_known(h, s, &k) || k.event == SPM_SPELL_OPEN)
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

/* Of spells at risk at an age: how many, and how much faster than others they are together. */
typedef struct Risk
{
	int			n;
	double		speed[SPMK_WAYS];
} Risk;

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

/*
 * Those from starts[i] on that were at risk at each age, up to the oldest; returns where the next ones
 * begin.  *oldest comes as it was left by the last call, in the beginning as SPMK_AGE_MAX.
 */
static int
count_start(const SpmHazard *h, const SpmPipeline *p, const Start *starts, int i, Risk *at_risk, int *oldest)
{
	int			next = i;

	memset(at_risk, 0, sizeof(Risk) * (*oldest + 2));
	*oldest = 0;
	for (; next < p->n && starts[next].stage == starts[i].stage && starts[next].entered == starts[i].entered; next++)
	{
		const SpmSpell *s = &p->spells[starts[next].spell];
		double		times[SPMK_WAYS];
		Known		k;

		if (!spmk_hazard_known(h, s, &k) || k.to == k.from)
			continue;
		spmk_hazard_times(h, s, times);
		at_risk[k.from + 1].n++;
		at_risk[k.to + 1].n--;
		for (int e = 0; e < SPMK_WAYS; e++)
		{
			at_risk[k.from + 1].speed[e] += times[e];
			at_risk[k.to + 1].speed[e] -= times[e];
		}
		if (k.to > *oldest)
			*oldest = k.to;
	}
	for (int a = 1; a <= *oldest; a++)
	{
		at_risk[a].n += at_risk[a - 1].n;
		for (int e = 0; e < SPMK_WAYS; e++)
			at_risk[a].speed[e] += at_risk[a - 1].speed[e];
	}
	return next;
}

/* Days at risk by stage and age; a day counts for as much as days of its kind are busy, a deal for as much as it is faster. */
static void
count_days(SpmHazard *h, const SpmPipeline *p, const Start *starts, const unsigned char *kinds, const SpmBreath *breath)
{
	Risk		at_risk[SPMK_AGE_MAX + 2];
	int			oldest = SPMK_AGE_MAX;

	memset(h->at_risk, 0, sizeof(double) * h->nstages * SPMK_WAYS * h->width);
	for (int i = 0, next; i < p->n; i = next)
	{
		int			stage = starts[i].stage;
		int			entered = starts[i].entered;

		spmk_breathe(breath);
		next = count_start(h, p, starts, i, at_risk, &oldest);
		for (int a = 1; a <= oldest; a++)
			if (at_risk[a].n > 0)
			{
				int			kind = kind_of(h, kinds, entered + a);
				double		weight = weight_of(h, entered + a);

				for (int e = 0; e < SPMK_WAYS; e++)
					AT_RISK(h, stage, e, a) += weight * at_risk[a].speed[e] * h->calendar[e][a > h->ripe][kind];
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
	double		observed[SPMK_WAYS][2][SPMK_CALENDAR] = {{{0}}};
	double		expected[SPMK_WAYS][2][SPMK_CALENDAR] = {{{0}}};
	double		days[SPMK_CALENDAR] = {0};
	Risk		at_risk[SPMK_AGE_MAX + 2];
	int			oldest = SPMK_AGE_MAX;

	for (int day = h->first_day; day <= h->as_of; day++)
		days[kind_of(h, kinds, day)]++;
	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];
		Known		k;

		if (i % BREATH_ROWS == 0)
			spmk_breathe(breath);
		if (spmk_hazard_known(h, s, &k) && k.event != SPM_SPELL_OPEN)
			observed[WAY(k.event)][k.to > h->ripe][kind_of(h, kinds, s->left)]++;
	}
	for (int i = 0, next; i < p->n; i = next)
	{
		spmk_breathe(breath);
		next = count_start(h, p, starts, i, at_risk, &oldest);
		for (int a = 1; a <= oldest; a++)
			for (int e = 0; e < SPMK_WAYS && at_risk[a].n > 0; e++)
				expected[e][a > h->ripe][kind_of(h, kinds, starts[i].entered + a)] +=
					at_risk[a].speed[e] * (REACH(h, starts[i].stage, e, a) - REACH(h, starts[i].stage, e, a - 1));
	}
	for (int e = 0; e < SPMK_WAYS; e++)
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

/*
 * Where a CRM writes the amount when a deal is won, or empties it when it is lost,
 * that an amount is known tells how the deal ends: then size is no factor of the odds.
 */
static bool
amounts_tell_the_end(const SpmHazard *h, const SpmPipeline *p)
{
	double		all[SPM_SPELL_MOVED + 1] = {0};
	double		told[SPM_SPELL_MOVED + 1] = {0};
	double		least = 1;
	double		most = 0;

	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];
		bool		is_open = s->event == SPM_SPELL_OPEN || s->left > h->as_of;
		int			end = is_open ? SPM_SPELL_MOVED : s->event;	/* the last place is theirs */

		if (s->entered > h->as_of || (!is_open && s->event >= SPM_SPELL_MOVED))
			continue;
		all[end]++;
		told[end] += s->amount >= 0;
	}
	for (int end = 0; end <= SPM_SPELL_MOVED; end++)
		if (all[end] > 0)
		{
			least = fmin(least, told[end] / all[end]);
			most = fmax(most, told[end] / all[end]);
		}
	return least < LEAST_TOLD * most;
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
	bool		has_sizes = !amounts_tell_the_end(h, p);

	for (int i = 0; i < p->n; i++)
		if (p->spells[i].entered <= h->as_of && p->spells[i].amount >= 0)
		{
			h->scratch[n++] = p->spells[i].amount;
			sum += p->spells[i].amount;
		}
	h->usual_amount = n > 0 ? sum / n : 0;
	spmk_sort_numbers(h->scratch, h->scratch + p->n, n, breath);
	for (int c = 0; c < SPMK_SIZES - 1; c++)
		h->size_cut[c] = !has_sizes ? INFINITY : n > 0 ? h->scratch[(size_t) (n * size_shares[c])] : 0;
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

/*
 * Learns from what was known by the end of as_of, close dates for odds of so many days;
 * false when no deal had been won.
 */
bool
spmk_hazard_fit(SpmHazard *h, const SpmPipeline *p, int as_of, int horizon, void *memory, const SpmBreath *breath)
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
	/* what began and ended today is at risk tomorrow: see spmk_hazard_known() */
	kinds = (unsigned char *) (h->scratch + 2 * (size_t) p->n);
	for (int day = h->first_day; day <= h->as_of + 1; day++)
		kinds[day - h->first_day] = spmk_day_kind(day);
	starts = (Start *) (kinds + SPMK_DAYS_MAX);
	for (int i = 0; i < p->n; i++)
		starts[i] = (Start) {p->spells[i].stage, p->spells[i].entered, i};
	qsort(starts, p->n, sizeof(Start), compare_starts);
	for (int e = 0; e < SPMK_WAYS; e++)
		for (int c = 0; c < SPMK_CALENDAR; c++)
			h->calendar[e][0][c] = h->calendar[e][1][c] = 1;
	count_days(h, p, starts, kinds, breath);
	smooth(h);
	for (int turn = 0; turn <= TURNS; turn++)
	{
		/* who is faster is known when rates are: rates of late stages and ages are those of the deals that get there */
		for (int f = 0; f < SPM_FACTORS && turn == TURNS; f++)
		{
			spmk_breathe(breath);
			spmk_learn_factor(h, p, f);
		}
		learn_calendar(h, p, starts, kinds, breath);
		count_days(h, p, starts, kinds, breath);
		smooth(h);
	}
	spmk_learn_close(h, p, horizon, breath);
	return true;
}
