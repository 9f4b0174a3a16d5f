/*
 * hazard_factor.c
 *	  How much faster deals of a segment, an owner or a size are lost, won and moved on.
 *
 * A level is as many times faster as it had events over what all deals would have
 * had (indirect standardisation), drawn to 1 by empirical Bayes.
 */
#include "hazard_work.h"

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

/* As many events expected as there were. */
void
spmk_factor_level_off(SpmFactor *f, int e)
{
	double		all = 0;
	double		all_expected = 0;

	for (int i = 0; i < f->n; i++)
	{
		all += f->observed[e][i];
		all_expected += f->expected[e][i];
	}
	for (int i = 0; i < f->n && all_expected > 0; i++)
		f->expected[e][i] *= all / all_expected;
}

/* The quotient of what was seen and expected, drawn to what it is thought to be by as much as levels differ by chance. */
void
spmk_factor_draw(SpmFactor *f, int e)
{
	double		excess = 0;
	double		squares = 0;
	double		prior;

	for (int i = 0; i < f->n; i++)
	{
		double		expected = f->expected[e][i] * f->times[e][i];
		double		off = f->observed[e][i] - expected;

		excess += off * off - expected;
		squares += expected * expected;
	}
	if (excess <= 0)
		return;
	prior = fmax(LEAST_PRIOR, squares / excess);
	for (int i = 0; i < f->n; i++)
		f->times[e][i] *= (f->observed[e][i] + prior) / (f->expected[e][i] * f->times[e][i] + prior);
}

void
spmk_learn_factor(SpmHazard *h, const SpmPipeline *p, int factor)
{
	SpmFactor  *f = &h->factor[factor];

	for (int i = 0; i < p->n; i++)
	{
		const SpmSpell *s = &p->spells[i];
		int			level = spmk_hazard_level(h, s, factor);
		double		times[SPMK_WAYS];
		Known		k;

		if (!spmk_hazard_known(h, s, &k))
			continue;
		spmk_hazard_times(h, s, times);
		for (int e = 0; e < SPMK_WAYS; e++)
		{
			f->expected[e][level] += times[e] * (REACH(h, s->stage, e, k.to) - REACH(h, s->stage, e, k.from));
			f->observed[e][level] += k.event != SPM_SPELL_OPEN && WAY(k.event) == e;
		}
	}
	for (int e = 0; e < SPMK_WAYS; e++)
	{
		/* days of the calendar are left out here: they are about the same for all levels */
		spmk_factor_level_off(f, e);
		if (factor == SPM_FACTOR_SIZE)
			follow_size(h, f, e);
		spmk_factor_draw(f, e);
	}
}
