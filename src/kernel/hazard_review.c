/*
 * hazard_review.c
 *	  How forecasts made on earlier days, from what was known then, have turned out.
 */
#include "hazard_work.h"

#include <string.h>

#define LEAST_WON		20		/* wins that a forecast must have to learn from, to be looked at afterwards */
/* Horizons that stand for no drift, and for the usual shock, against those that were seen. */
#define TRUST			1.0
#define MONTH			30
#define TRUST_NEW		4.0
#define TRUST_SHOCK		2.0
#define USUAL_SHOCK		0.15
#define LEAST_SHOCK		0.03

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
		if (!spmk_hazard_fit(h, p, as_of - horizon - o * step, horizon, tables, breath) || h->nwon < LEAST_WON)
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
