/*
 * ets.c
 *	  What a model of exponential smoothing says of a series: errors, likelihood,
 *	  and the mean and variance of what is to come.
 */
#include "ets.h"

#include <string.h>

#define MOST_SEASONS	10			/* for which errors in proportion raise the mean */

/* Simple forms go first: of two that are equally likely, the first is taken. */
const SpmEtsForm spmk_ets_forms[SPM_ETS_FORMS] = {
	{false, SPM_ETS_LEVEL, SPM_ETS_NO_SEASON},
	{false, SPM_ETS_TREND, SPM_ETS_NO_SEASON},
	{false, SPM_ETS_DAMPED, SPM_ETS_NO_SEASON},
	{true, SPM_ETS_LEVEL, SPM_ETS_NO_SEASON},
	{true, SPM_ETS_TREND, SPM_ETS_NO_SEASON},
	{true, SPM_ETS_DAMPED, SPM_ETS_NO_SEASON},
	{false, SPM_ETS_LEVEL, SPM_ETS_ADDED},
	{false, SPM_ETS_TREND, SPM_ETS_ADDED},
	{false, SPM_ETS_DAMPED, SPM_ETS_ADDED},
	{true, SPM_ETS_LEVEL, SPM_ETS_ADDED},
	{true, SPM_ETS_TREND, SPM_ETS_ADDED},
	{true, SPM_ETS_DAMPED, SPM_ETS_ADDED},
	{true, SPM_ETS_LEVEL, SPM_ETS_TIMES},
	{true, SPM_ETS_TREND, SPM_ETS_TIMES},
	{true, SPM_ETS_DAMPED, SPM_ETS_TIMES},
};

static const char *const trend_letters[] = {"N", "A", "Ad"};
static const char *const season_letters[] = {"N", "A", "M"};

/* "MAdM", "M,Ad,M" or "ETS(M,Ad,M)" */
bool
spmk_ets_form(const char *text, SpmEtsForm *form)
{
	for (int i = 0; i < SPM_ETS_FORMS; i++)
	{
		const SpmEtsForm *f = &spmk_ets_forms[i];
		const char *const parts[] = {f->relative ? "M" : "A", trend_letters[f->trend], season_letters[f->season]};
		const char *at = text;
		bool		is_call = strncmp(at, "ETS(", 4) == 0;
		bool		same = true;

		at += is_call ? 4 : 0;
		for (int part = 0; same && part < 3; part++)
		{
			size_t		size = strlen(parts[part]);

			if (part > 0 && *at == ',')
				at++;
			same = strncmp(at, parts[part], size) == 0;
			at += same ? size : 0;
		}
		if (same && strcmp(at, is_call ? ")" : "") == 0)
		{
			*form = *f;
			return true;
		}
	}
	return false;
}

/* "ETS(M,Ad,M)", into 12 characters at least */
void
spmk_ets_name(SpmEtsForm form, char *name)
{
	strcpy(name, form.relative ? "ETS(M," : "ETS(A,");
	strcat(name, trend_letters[form.trend]);
	strcat(name, ",");
	strcat(name, season_letters[form.season]);
	strcat(name, ")");
}

/* With the first states, of which one season follows from the others, and the variance. */
int
spmk_ets_parameters(SpmEtsForm form, int m)
{
	return 3 + (form.trend != SPM_ETS_LEVEL ? 2 : 0) + (form.trend == SPM_ETS_DAMPED ? 1 : 0) +
		(form.season != SPM_ETS_NO_SEASON ? m : 0);
}

/*
 * Takes the model over n values, to where it stands after the last.  False if
 * it comes to forecasts that it cannot go on from: 0 where errors are in
 * proportion, or a season or level that would be divided by.
 */
bool
spmk_ets_run(SpmEts *model, const double *y, int n, double *fitted, SpmEtsFit *fit)
{
	SpmEtsForm	form = model->form;
	double		l = model->level;
	double		b = model->growth;
	double		squares = 0;
	double		logs = 0;
	double		product = 1;
	int			j = 0;

	for (int t = 0; t < n; t++)
	{
		double		q = l + model->phi * b;
		double	   *s = model->season ? model->season + j : NULL;
		double		f = form.season == SPM_ETS_NO_SEASON ? q : form.season == SPM_ETS_ADDED ? q + *s : q * *s;
		double		e = y[t] - f;
		double		to_level = e;

		if (fitted)
			fitted[t] = f;
		if (form.season == SPM_ETS_ADDED)
			*s += model->gamma * e;
		else if (form.season == SPM_ETS_TIMES)
		{
			if (q == 0 || *s == 0)
				return false;
			to_level = e / *s;
			*s += model->gamma * (e / q);
		}
		l = q + model->alpha * to_level;
		b = model->phi * b + model->beta * to_level;
		if (form.relative)
		{
			if (f == 0)
				return false;
			product *= fabs(f);
			if (!(product > 1e-100 && product < 1e100))
			{
				logs += log(product);
				product = 1;
			}
			e /= f;
		}
		squares += e * e;
		if (++j >= model->m)
			j = 0;
	}
	model->level = l;
	model->growth = b;

	/* The season that is due comes first again: turned by three reversals. */
	for (int part = 0; model->season && j > 0 && part < 3; part++)
	{
		int			from = part == 1 ? j : 0;
		int			to = part == 0 ? j : model->m;

		while (from < --to)
		{
			double		swap = model->season[from];

			model->season[from++] = model->season[to];
			model->season[to] = swap;
		}
	}
	if (fit)
	{
		double		over;

		fit->parameters = spmk_ets_parameters(form, model->m);
		fit->squares = squares;
		fit->loglik = -0.5 * (n * log(squares) + 2 * (logs + log(product)));
		fit->sigma2 = squares / (n > fit->parameters ? n - fit->parameters + 1 : 1);
		over = n - fit->parameters - 1;
		fit->aicc = over > 0 ? 2 * (fit->parameters - fit->loglik) + 2.0 * fit->parameters * (fit->parameters + 1) / over : HUGE_VAL;
	}
	return isfinite(l) && isfinite(b) && isfinite(squares);
}

/*
 * A season that multiplies: the exact first two moments of level and growth
 * times each season, for normal errors (the book's class 3, one season at a time).
 * What errors add to the mean compounds with each season, and would be all of it at
 * last; it ends after as many seasons as anybody looks ahead.
 */
static void
ahead_times(const SpmEts *model, double sigma2, int h, double *mean, double *variance, const SpmBreath *breath)
{
	double		a = model->alpha;
	double		b = model->beta;
	double		c = model->gamma;
	double		phi = model->phi;
	double		fourth = 3 * sigma2 * sigma2;

	for (int j = 0; j < model->m && j < h; j++)
	{
		double		s = model->season[j];
		double		l1 = model->level * s;	/* mean of level x season */
		double		b1 = model->growth * s;
		double		ll = l1 * l1;	/* mean of its square */
		double		lb = l1 * b1;
		double		bb = b1 * b1;

		spmk_breathe(breath);
		for (int t = 0; t < h; t++)
		{
			double		q1 = l1 + phi * b1;
			double		qb = lb + phi * bb;
			double		qq = ll + phi * lb + phi * qb;

			if (t % model->m == j)
			{
				bool		is_far = t / model->m >= MOST_SEASONS;

				mean[t] = q1;
				variance[t] = sigma2 * qq + fmax(qq - q1 * q1, 0);
				l1 = q1 * (is_far ? 1 : 1 + a * c * sigma2);
				b1 = phi * b1 + (is_far ? 0 : b * c * sigma2 * q1);
				ll = qq * (1 + sigma2 * (a * a + 4 * a * c + c * c) + fourth * a * a * c * c);
				lb = phi * qb * (1 + sigma2 * (2 * a * c + c * c)) +
					b * qq * (sigma2 * (a + 2 * c) + fourth * a * c * c);
				bb = phi * phi * bb * (1 + sigma2 * c * c) + 4 * phi * b * c * sigma2 * qb +
					b * b * qq * (sigma2 + fourth * c * c);
			}
			else
			{
				l1 = q1;
				b1 = phi * b1;
				ll = qq * (1 + sigma2 * a * a);
				lb = phi * qb + a * b * sigma2 * qq;
				bb = phi * phi * bb + b * b * sigma2 * qq;
			}
		}
	}
}

/* Mean and variance of the next h values; sigma2 is the variance of one error. */
void
spmk_ets_ahead(const SpmEts *model, double sigma2, int h, double *mean, double *variance, const SpmBreath *breath)
{
	SpmEtsForm	form = model->form;
	double		reach = 0;		/* phi + phi^2 + ... */
	double		power = 1;
	double		sum = 0;

	if (form.season == SPM_ETS_TIMES)
	{
		ahead_times(model, sigma2, h, mean, variance, breath);
		return;
	}
	for (int t = 0; t < h; t++)
	{
		power *= model->phi;
		reach += power;
		mean[t] = model->level + reach * model->growth;
		if (form.season == SPM_ETS_ADDED)
			mean[t] += model->season[t % model->m];
		variance[t] = sigma2 * (1 + sum);
		if (!form.relative)
		{
			double		weight = model->alpha + model->beta * reach +
				(form.season == SPM_ETS_ADDED && (t + 1) % model->m == 0 ? model->gamma : 0);

			sum += weight * weight;
		}
	}
	if (!form.relative)
		return;

	/* theta[t] = mean[t]^2 + sigma2 * sum over j of weight[j]^2 * theta[t - j] */
	for (int t = 0; t < h; t++)
	{
		reach = 0;
		power = 1;
		sum = 0;
		if (t % 64 == 0)
			spmk_breathe(breath);
		for (int j = 1; j <= t; j++)
		{
			double		weight;

			power *= model->phi;
			reach += power;
			weight = model->alpha + model->beta * reach +
				(form.season == SPM_ETS_ADDED && j % model->m == 0 ? model->gamma : 0);
			sum += weight * weight * variance[t - j];
		}
		variance[t] = mean[t] * mean[t] + sigma2 * sum;
	}
	for (int t = 0; t < h; t++)
		variance[t] = sigma2 * variance[t] + fmax(variance[t] - mean[t] * mean[t], 0);
}

/*
 * Do old values lose their weight?  The roots of the characteristic polynomial
 * must lie within the unit circle (Hyndman, Akram & Archibald 2008; their growth
 * is damped when it is used, ours before, so that their beta is phi * beta),
 * which Schur and Cohn tell without them.  Takes 2 * (m + 2) doubles.
 */
bool
spmk_ets_is_admissible(const SpmEts *model, double *space, const SpmBreath *breath)
{
	double		a = model->alpha;
	double		phi = model->phi;
	double		b = phi * model->beta;
	double		c = model->gamma;
	int			m = model->m;
	int			degree;
	double	   *p = space;
	double	   *next;

	if (model->form.season == SPM_ETS_NO_SEASON)
	{
		if (model->form.trend == SPM_ETS_LEVEL)
			return a > 0 && a < 2;
		return a > 1 - 1 / phi && a < 1 + 1 / phi && b > a * (phi - 1) && b < (1 + phi) * (2 - a);
	}
	if (model->form.trend == SPM_ETS_LEVEL)
		b = phi = 0;			/* a growth that stays 0 */
	degree = m + 1;
	next = space + degree + 1;
	for (int i = 0; i <= degree; i++)
		p[i] = a + b - a * phi;
	p[degree] = 1;
	p[m] = a + b - phi;
	p[1] = a + b - a * phi + c - 1;
	p[0] = phi * (1 - a - c);
	while (degree > 0)
	{
		double		ratio = p[0] / p[degree];
		double	   *swap = p;

		if (!(fabs(ratio) < 1))
			return false;
		spmk_breathe(breath);
		for (int i = 0; i < degree; i++)
			next[i] = p[i + 1] - ratio * p[degree - 1 - i];
		degree--;
		p = next;
		next = swap;
	}
	return true;
}
