/*
 * ets_slope.c
 *	  The loss of a model of exponential smoothing and its slopes, each form
 *	  compiled by itself: this is where a fit's time goes.
 *
 * With errors e = value - forecast the recursion is linear in the states unless
 * a season multiplies.  Then a first season only acts once it is due, and what
 * season j does is what season 0 does, j periods later: one response serves all.
 *
 * Where a season multiplies, e / season = y / season - q, and the quotient waits
 * for nothing: divisions stay out of the chain from one value to the next.
 */
#include "ets_search.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#define BLOCK		32			/* rows of slopes that are added up at once */

/* Two numbers that are reckoned with at once; lanes never meet, so digits do not depend on it. */
typedef double Pair __attribute__((vector_size(16), aligned(8), may_alias));

typedef struct Parameters
{
	double		alpha;
	double		beta;
	double		gamma;
	double		phi;
	double		level;
	double		growth;
} Parameters;

INLINE Parameters
unpack(const EtsProblem *problem, const double *w, SpmEtsTrend trend, double *season)
{
	Parameters	p = {.alpha = w[ETS_ALPHA], .level = w[ETS_LEVEL], .phi = 1};

	if (trend != SPM_ETS_LEVEL)
	{
		p.beta = p.alpha * w[ETS_BETA];
		p.growth = w[ETS_GROWTH];
	}
	if (trend == SPM_ETS_DAMPED)
		p.phi = w[ETS_PHI];
	if (problem->gamma)
	{
		p.gamma = (1 - p.alpha) * w[problem->gamma];
		memcpy(season, problem->season, problem->m * sizeof(double));
		memcpy(season, w + problem->first_season, problem->free_seasons * sizeof(double));
	}
	return p;
}

/* All arguments but the first two are constants. */
INLINE double
loss(const EtsProblem *problem, const double *w, bool relative, SpmEtsTrend trend, SpmEtsSeason season)
{
	const double *y = problem->y;
	int			n = problem->n;
	int			m = problem->m;
	double		s[SPM_ETS_FREE_SEASONS];
	Parameters	p = unpack(problem, w, trend, s);
	double		l = p.level;
	double		b = p.growth;
	double		squares = 0;
	double		logs = 0;
	double		product = 1;
	int			j = 0;

	for (int t = 0; t < n; t++)
	{
		double		q = trend == SPM_ETS_LEVEL ? l : trend == SPM_ETS_TREND ? l + b : l + p.phi * b;
		double		f = q;
		double		x;			/* to level and growth */

		if (season == SPM_ETS_TIMES)
		{
			double		due = s[j];

			f = q * due;
			x = y[t] / due - q;
			s[j] = due + p.gamma * (y[t] / q - due);
			if (!(q > 0 && s[j] > 0))
				return HUGE_VAL;
		}
		else if (season == SPM_ETS_ADDED)
		{
			f = q + s[j];
			x = y[t] - f;
			s[j] += p.gamma * x;
		}
		else
			x = y[t] - f;
		l = q + p.alpha * x;
		if (trend == SPM_ETS_TREND)
			b += p.beta * x;
		else if (trend == SPM_ETS_DAMPED)
			b = p.phi * b + p.beta * x;
		if (relative)
		{
			double		r = y[t] / f - 1;

			squares += r * r;
			product *= f;
			if (!(product > 1e-100 && product < 1e100))
			{
				/* below 0 or not a number: not a forecast to be in proportion to */
				if (!(f > 0))
					return HUGE_VAL;
				logs += log(product);
				product = 1;
			}
		}
		else if (season == SPM_ETS_TIMES)
			squares += (y[t] - f) * (y[t] - f);
		else
			squares += x * x;
		if (season != SPM_ETS_NO_SEASON && ++j == m)
			j = 0;
	}
	if (!(squares < 1e100))
		return HUGE_VAL;
	return n * log(squares + problem->least_squares) + 2 * (logs + log(product));
}

/* gram += the products of every two columns of these rows, of which there is a multiple of 4. */
static void
add_products(EtsSlopes *slopes, double *rows, int n)
{
	int			stride = slopes->stride;

	for (; n % 4 != 0; n++)
		memset(rows + n * stride, 0, stride * sizeof(double));
	for (int r = 0; r < n; r += 4)
	{
		const double *a = rows + r * stride;
		const double *b = a + stride;
		const double *c = b + stride;
		const double *d = c + stride;

		for (int i = 0; i < stride; i += 2)
		{
			double	   *g0 = slopes->gram + i * stride;
			double	   *g1 = g0 + stride;

			for (int k = i; k < stride; k += 2)
			{
				Pair		ak = *(const Pair *) (a + k);
				Pair		bk = *(const Pair *) (b + k);
				Pair		ck = *(const Pair *) (c + k);
				Pair		dk = *(const Pair *) (d + k);

				*(Pair *) (g0 + k) += (ak * a[i] + bk * b[i]) + (ck * c[i] + dk * d[i]);
				*(Pair *) (g1 + k) += (ak * a[i + 1] + bk * b[i + 1]) + (ck * c[i + 1] + dk * d[i + 1]);
			}
		}
	}
}

/* What an unknown adds to the slope of a state, besides what the states hand on. */
typedef struct Forces
{
	double		alpha[8];
	double		beta[8];
	double		gamma[8];
	double		phi[8];
} Forces;

INLINE void
set_forces(Forces *k, const EtsProblem *problem, const double *w, SpmEtsTrend trend, bool is_seasonal)
{
	memset(k, 0, sizeof(*k));
	k->alpha[ETS_ALPHA] = 1;
	if (trend != SPM_ETS_LEVEL)
	{
		k->beta[ETS_ALPHA] = w[ETS_BETA];
		k->beta[ETS_BETA] = w[ETS_ALPHA];
	}
	if (trend == SPM_ETS_DAMPED)
		k->phi[ETS_PHI] = 1;
	if (is_seasonal)
	{
		k->gamma[ETS_ALPHA] = -w[problem->gamma];
		k->gamma[problem->gamma] = 1 - w[ETS_ALPHA];
	}
}

/* Season none or added: lanes of parameters, level and growth, and one that answers to season 0. */
INLINE void
slopes_linear(const EtsProblem *problem, const double *w, EtsSlopes *slopes, SpmEtsTrend trend, bool is_seasonal)
{
	const int	own = (trend == SPM_ETS_LEVEL ? 2 : trend == SPM_ETS_TREND ? 4 : 5) + (is_seasonal ? 1 : 0);
	const int	lanes = (own + (is_seasonal ? 2 : 1)) & ~1;
	const double *y = problem->y;
	int			m = problem->m;
	int			stride = slopes->stride;
	int			seasons = problem->free_seasons;
	bool		relative = problem->form.relative;
	double		s[SPM_ETS_FREE_SEASONS];
	Parameters	p = unpack(problem, w, trend, s);
	Forces		k;
	double		dl[8] = {0};
	double		db[8] = {0};
	double		ds[SPM_ETS_FREE_SEASONS * 8];
	double		answer[BLOCK + SPM_ETS_FREE_SEASONS];	/* of season 0, the newest first */
	double		rows[BLOCK * ETS_MOST_COLUMNS];
	double		l = p.level;
	double		b = p.growth;
	double		squares = 0;
	int			j = 0;
	int			r = 0;

	set_forces(&k, problem, w, trend, is_seasonal);
	memset(rows, 0, BLOCK * stride * sizeof(double));
	dl[ETS_LEVEL] = 1;
	if (trend != SPM_ETS_LEVEL)
		db[ETS_GROWTH] = 1;
	if (is_seasonal)
	{
		memset(ds, 0, m * lanes * sizeof(double));
		memset(answer, 0, sizeof(answer));
		ds[own] = 1;
	}
	for (int t = 0; t < problem->n; t++)
	{
		double		q = trend == SPM_ETS_LEVEL ? l : trend == SPM_ETS_TREND ? l + b : l + p.phi * b;
		double		f = is_seasonal ? q + s[j] : q;
		double		e = y[t] - f;
		double		scale = relative ? 1 / f : 1;
		double	   *row = rows + r * stride;
		double	   *due = ds + j * lanes;
		double		df[8];

		for (int c = 0; c < lanes; c++)
		{
			double		d = dl[c];

			if (trend == SPM_ETS_TREND)
				d += db[c];
			else if (trend == SPM_ETS_DAMPED)
			{
				db[c] = p.phi * db[c] + k.phi[c] * b;
				d += db[c];
			}
			df[c] = is_seasonal ? d + due[c] : d;
			dl[c] = d - p.alpha * df[c] + k.alpha[c] * e;
			if (trend != SPM_ETS_LEVEL)
				db[c] += k.beta[c] * e - p.beta * df[c];
			if (is_seasonal)
				due[c] += k.gamma[c] * e - p.gamma * df[c];
		}
		for (int c = 0; c < own; c++)
			row[c] = df[c] * scale;
		if (is_seasonal)
		{
			double	   *from = answer + BLOCK - 1 - r;

			*from = df[own];
			for (int c = 0; c < seasons; c++)
				row[own + c] = from[c] * scale;
			s[j] += p.gamma * e;
			if (++j == m)
				j = 0;
		}
		l = q + p.alpha * e;
		if (trend == SPM_ETS_TREND)
			b += p.beta * e;
		else if (trend == SPM_ETS_DAMPED)
			b = p.phi * b + p.beta * e;
		if (relative)
		{
			double		u = y[t] * scale;

			row[slopes->residual] = (u - 1) * u;
			row[slopes->one] = 1;
			squares += (u - 1) * (u - 1);
		}
		else
		{
			row[slopes->residual] = e;
			squares += e * e;
		}
		if (++r == BLOCK)
		{
			add_products(slopes, rows, r);
			spmk_breathe(problem->breath);
			if (is_seasonal)
				memcpy(answer + BLOCK, answer, SPM_ETS_FREE_SEASONS * sizeof(double));
			r = 0;
		}
	}
	add_products(slopes, rows, r);
	slopes->squares = squares;
}

/* A season that multiplies: every unknown has a lane of its own. */
INLINE void
slopes_times(const EtsProblem *problem, const double *w, EtsSlopes *slopes, SpmEtsTrend trend)
{
	const int	own = trend == SPM_ETS_LEVEL ? 3 : trend == SPM_ETS_TREND ? 5 : 6;
	const double *y = problem->y;
	int			m = problem->m;
	int			stride = slopes->stride;
	int			seasons = problem->free_seasons;
	int			lanes = (own + seasons + 1) & ~1;
	double		s[SPM_ETS_FREE_SEASONS];
	Parameters	p = unpack(problem, w, trend, s);
	Forces		k;
	double		dl[ETS_MOST_COLUMNS] = {0};
	double		db[ETS_MOST_COLUMNS] = {0};
	double		ds[SPM_ETS_FREE_SEASONS * ETS_MOST_COLUMNS];
	double		rows[BLOCK * ETS_MOST_COLUMNS];
	double		l = p.level;
	double		b = p.growth;
	double		squares = 0;
	int			j = 0;
	int			r = 0;

	set_forces(&k, problem, w, trend, true);
	memset(rows, 0, BLOCK * stride * sizeof(double));
	dl[ETS_LEVEL] = 1;
	if (trend != SPM_ETS_LEVEL)
		db[ETS_GROWTH] = 1;
	memset(ds, 0, m * lanes * sizeof(double));
	for (int i = 0; i < seasons; i++)
		ds[i * lanes + own + i] = 1;
	for (int t = 0; t < problem->n; t++)
	{
		double		q = trend == SPM_ETS_LEVEL ? l : trend == SPM_ETS_TREND ? l + b : l + p.phi * b;
		double		was = s[j];
		double		x = y[t] / was - q;
		double		z = y[t] / q - was;
		double		u = y[t] / (q * was);
		double		per_q = was / (q * was);	/* slopes of the forecast over the forecast */
		double		per_s = q / (q * was);
		double		to_level = -p.alpha * y[t] / (was * was);
		double		to_growth = -p.beta * y[t] / (was * was);
		double		to_season = -p.gamma * y[t] / (q * q);
		double	   *row = rows + r * stride;
		double	   *due = ds + j * lanes;

		for (int c = 0; c < own; c++)
		{
			double		d = dl[c];
			double		dn = due[c];

			if (trend == SPM_ETS_TREND)
				d += db[c];
			else if (trend == SPM_ETS_DAMPED)
			{
				db[c] = p.phi * db[c] + k.phi[c] * b;
				d += db[c];
			}
			row[c] = d * per_q + dn * per_s;
			dl[c] = (1 - p.alpha) * d + to_level * dn + k.alpha[c] * x;
			if (trend != SPM_ETS_LEVEL)
				db[c] += to_growth * dn - p.beta * d + k.beta[c] * x;
			due[c] = (1 - p.gamma) * dn + to_season * d + k.gamma[c] * z;
		}
		for (int c = own; c < own + seasons; c++)
		{
			double		d = dl[c];
			double		dn = due[c];

			if (trend == SPM_ETS_TREND)
				d += db[c];
			else if (trend == SPM_ETS_DAMPED)
			{
				db[c] *= p.phi;
				d += db[c];
			}
			row[c] = d * per_q + dn * per_s;
			dl[c] = (1 - p.alpha) * d + to_level * dn;
			if (trend != SPM_ETS_LEVEL)
				db[c] += to_growth * dn - p.beta * d;
			due[c] = (1 - p.gamma) * dn + to_season * d;
		}
		s[j] = was + p.gamma * z;
		if (++j == m)
			j = 0;
		l = q + p.alpha * x;
		if (trend == SPM_ETS_TREND)
			b += p.beta * x;
		else if (trend == SPM_ETS_DAMPED)
			b = p.phi * b + p.beta * x;
		row[slopes->residual] = (u - 1) * u;
		row[slopes->one] = 1;
		squares += (u - 1) * (u - 1);
		if (++r == BLOCK)
		{
			add_products(slopes, rows, r);
			spmk_breathe(problem->breath);
			r = 0;
		}
	}
	add_products(slopes, rows, r);
	slopes->squares = squares;
}

double
spmk_ets_loss(const EtsProblem *problem, const double *w)
{
	SpmEtsForm	form = problem->form;

#define CASE(trend, season) \
	case trend * 3 + season: \
		return form.relative ? loss(problem, w, true, trend, season) : loss(problem, w, false, trend, season)
	switch (form.trend * 3 + form.season)
	{
		CASE(SPM_ETS_LEVEL, SPM_ETS_NO_SEASON);
		CASE(SPM_ETS_LEVEL, SPM_ETS_ADDED);
		CASE(SPM_ETS_LEVEL, SPM_ETS_TIMES);
		CASE(SPM_ETS_TREND, SPM_ETS_NO_SEASON);
		CASE(SPM_ETS_TREND, SPM_ETS_ADDED);
		CASE(SPM_ETS_TREND, SPM_ETS_TIMES);
		CASE(SPM_ETS_DAMPED, SPM_ETS_NO_SEASON);
		CASE(SPM_ETS_DAMPED, SPM_ETS_ADDED);
		CASE(SPM_ETS_DAMPED, SPM_ETS_TIMES);
	}
#undef CASE
	return HUGE_VAL;
}

/* Where the loss is finite only. */
void
spmk_ets_slopes(const EtsProblem *problem, const double *w, EtsSlopes *slopes)
{
	SpmEtsForm	form = problem->form;

	slopes->residual = problem->unknowns;
	slopes->one = problem->unknowns + 1;
	slopes->stride = (problem->unknowns + (form.relative ? 2 : 1) + 1) & ~1;
	memset(slopes->gram, 0, slopes->stride * slopes->stride * sizeof(double));
#define CASE(trend) \
	case trend: \
		if (form.season == SPM_ETS_TIMES) \
			slopes_times(problem, w, slopes, trend); \
		else if (form.season == SPM_ETS_ADDED) \
			slopes_linear(problem, w, slopes, trend, true); \
		else \
			slopes_linear(problem, w, slopes, trend, false); \
		break
	switch (form.trend)
	{
		CASE(SPM_ETS_LEVEL);
		CASE(SPM_ETS_TREND);
		CASE(SPM_ETS_DAMPED);
	}
#undef CASE
}
