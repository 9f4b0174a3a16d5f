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
	if (season)
	{
		p.gamma = (1 - p.alpha) * w[problem->gamma];
		memcpy(season, problem->season, problem->m * sizeof(double));
		memcpy(season, w + problem->first_season, problem->free_seasons * sizeof(double));
	}
	return p;
}

/* With a season; all arguments but the first two are constants. */
INLINE double
loss_seasonal(const EtsProblem *problem, const double *w, bool relative, SpmEtsTrend trend, SpmEtsSeason season)
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
		else
		{
			f = q + s[j];
			x = y[t] - f;
			s[j] += p.gamma * x;
		}
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
		if (++j == m)
			j = 0;
	}
	if (!(squares < 1e100))
		return HUGE_VAL;
	return n * log(squares + problem->least_squares) + 2 * (logs + log(product));
}

/*
 * Two points where there is no season, one lane each: chains from value to value
 * leave time for others.  Growth is damped already when it is here.
 */
typedef struct PairOfPoints
{
	Pair		alpha;
	Pair		rest;			/* 1 - alpha */
	Pair		to_growth;
	Pair		phi;
	Pair		l;
	Pair		b;
	Pair		squares;
	Pair		product;
	Pair		logs;
} PairOfPoints;

INLINE PairOfPoints
pair_of_points(const EtsProblem *problem, const double *w, const double *w2, SpmEtsTrend trend)
{
	Parameters	p = unpack(problem, w, trend, NULL);
	Parameters	p2 = unpack(problem, w2, trend, NULL);

	return (PairOfPoints) {
		.alpha = {p.alpha, p2.alpha},
		.rest = {1 - p.alpha, 1 - p2.alpha},
		.to_growth = {p.phi * p.beta, p2.phi * p2.beta},
		.phi = {p.phi, p2.phi},
		.l = {p.level, p2.level},
		.b = {p.phi * p.growth, p2.phi * p2.growth},
		.product = {1, 1}
	};
}

INLINE bool
is_of_size(double product)
{
	return product > 1e-100 && product < 1e100;
}

/* A product becomes a logarithm before it leaves the range of doubles. */
INLINE void
settle(PairOfPoints *p, Pair q, const int lane)
{
	if (is_of_size(p->product[lane]))
		return;
	/* below 0 or not a number: not a forecast to be in proportion to */
	if (q[lane] > 0)
		p->logs[lane] += log(p->product[lane]);
	else
		p->squares[lane] = HUGE_VAL;
	p->product[lane] = 1;
}

/* (1 - alpha) q + alpha y is q + alpha (y - q) with less to wait for. */
INLINE void
step_of_points(PairOfPoints *p, double y, bool relative, SpmEtsTrend trend)
{
	Pair		q = p->l;
	Pair		x;

	if (trend != SPM_ETS_LEVEL)
		q += p->b;
	x = y - q;
	p->l = p->rest * q + p->alpha * y;
	if (trend == SPM_ETS_TREND)
		p->b += p->to_growth * x;
	else if (trend == SPM_ETS_DAMPED)
		p->b = p->phi * p->b + p->to_growth * x;
	if (relative)
	{
		x = y / q - 1;
		p->product *= q;
	}
	p->squares += x * x;
	if (relative && !(is_of_size(p->product[0]) && is_of_size(p->product[1])))
	{
		settle(p, q, 0);
		settle(p, q, 1);
	}
}

INLINE double
loss_of_point(const EtsProblem *problem, const PairOfPoints *p, const int lane)
{
	if (!(p->squares[lane] < 1e100))
		return HUGE_VAL;
	return problem->n * log(p->squares[lane] + problem->least_squares) + 2 * (p->logs[lane] + log(p->product[lane]));
}

/* One or two points or, if there are more, three or four. */
INLINE void
losses_unseasonal(const EtsProblem *problem, const double *w, int count, double *losses, bool more, bool relative, SpmEtsTrend trend)
{
	const int	stride = ETS_MOST_UNKNOWNS;
	PairOfPoints p = pair_of_points(problem, w, count > 1 ? w + stride : w, trend);
	PairOfPoints p2;

	if (more)
		p2 = pair_of_points(problem, w + 2 * stride, count > 3 ? w + 3 * stride : w, trend);
	for (int t = 0; t < problem->n; t++)
	{
		step_of_points(&p, problem->y[t], relative, trend);
		if (more)
			step_of_points(&p2, problem->y[t], relative, trend);
	}
	losses[0] = loss_of_point(problem, &p, 0);
	if (count > 1)
		losses[1] = loss_of_point(problem, &p, 1);
	if (more)
		losses[2] = loss_of_point(problem, &p2, 0);
	if (more && count > 3)
		losses[3] = loss_of_point(problem, &p2, 1);
}

/* gram += the products of every two columns of these rows, of which there is a multiple of 4. */
INLINE void
add_products_of(double *gram, const double *rows, int n, int stride)
{
	for (int r = 0; r < n; r += 4)
	{
		const double *a = rows + r * stride;
		const double *b = a + stride;
		const double *c = b + stride;
		const double *d = c + stride;

		for (int i = 0; i < stride; i += 2)
		{
			double	   *g0 = gram + i * stride;
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

/* Few columns are added up in registers. */
static void
add_products(EtsSlopes *slopes, double *rows, int n)
{
	int			stride = slopes->stride;

	for (; n % 4 != 0; n++)
		memset(rows + n * stride, 0, stride * sizeof(double));
	switch (stride)
	{
		case 4:
			add_products_of(slopes->gram, rows, n, 4);
			break;
		case 6:
			add_products_of(slopes->gram, rows, n, 6);
			break;
		case 8:
			add_products_of(slopes->gram, rows, n, 8);
			break;
		default:
			add_products_of(slopes->gram, rows, n, stride);
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
set_forces(Forces *k, const EtsProblem *problem, const double *w, SpmEtsTrend trend)
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
	k->gamma[ETS_ALPHA] = -w[problem->gamma];
	k->gamma[problem->gamma] = 1 - w[ETS_ALPHA];
}

/* The slopes of the states, and so of the next forecast, by two unknowns. */
typedef struct PairOfSlopes
{
	Pair		l;
	Pair		b;
} PairOfSlopes;

/* One value on; what the unknowns add to level, damped growth and growth is NULL where it is nothing. */
INLINE Pair
step_of_slopes(PairOfSlopes *d, const Parameters *p, SpmEtsTrend trend, const Pair *to_l, const Pair *to_damping, const Pair *to_b)
{
	Pair		df = d->l;

	if (trend == SPM_ETS_DAMPED)
		d->b *= p->phi;
	if (to_damping)
		d->b += *to_damping;
	if (trend != SPM_ETS_LEVEL)
		df += d->b;
	d->l = (1 - p->alpha) * df;
	if (to_l)
		d->l += *to_l;
	if (to_b)
		d->b += *to_b;
	if (trend != SPM_ETS_LEVEL)
		d->b -= p->beta * df;
	return df;
}

/* Without a season. */
INLINE void
slopes_unseasonal(const EtsProblem *problem, const double *w, EtsSlopes *slopes, bool relative, SpmEtsTrend trend)
{
	const int	stride = trend == SPM_ETS_LEVEL ? 4 : 6;
	const int	residual = trend == SPM_ETS_LEVEL ? 2 : trend == SPM_ETS_TREND ? 4 : 5;
	const double *y = problem->y;
	Parameters	p = unpack(problem, w, trend, NULL);
	double		to_growth = trend != SPM_ETS_LEVEL ? w[ETS_BETA] : 0;
	PairOfSlopes first = {.l = {0, 1}};	/* by alpha, level */
	PairOfSlopes second = {.b = {0, 1}};	/* beta, growth */
	PairOfSlopes third = {.l = {0, 0}};	/* phi */
	Pair		ones[3] = {{0}};
	double		rows[BLOCK * 6];
	double		l = p.level;
	double		b = p.growth;
	double		squares = 0;
	int			r = 0;

	memset(rows, 0, sizeof(rows));
	for (int t = 0; t < problem->n; t++)
	{
		double		q = trend == SPM_ETS_LEVEL ? l : trend == SPM_ETS_TREND ? l + b : l + p.phi * b;
		double		e = y[t] - q;
		double		scale = relative ? 1 / q : 1;
		double		u = relative ? y[t] * scale : 1;
		double	   *row = rows + r * stride;
		const Pair	error = {e, 0};
		const Pair	by_alpha = {to_growth * e, 0};
		const Pair	by_beta = {p.alpha * e, 0};
		const Pair	by_phi = {b, 0};
		Pair		df = step_of_slopes(&first, &p, trend, &error, NULL, trend == SPM_ETS_LEVEL ? NULL : &by_alpha);

		if (relative)
			ones[0] += df *= scale;
		*(Pair *) row = df;
		if (trend != SPM_ETS_LEVEL)
		{
			df = step_of_slopes(&second, &p, trend, NULL, NULL, &by_beta);
			if (relative)
				ones[1] += df *= scale;
			*(Pair *) (row + 2) = df;
		}
		if (trend == SPM_ETS_DAMPED)
		{
			df = step_of_slopes(&third, &p, trend, NULL, &by_phi, NULL);
			if (relative)
				ones[2] += df *= scale;
			row[4] = df[0];
		}
		l = q + p.alpha * e;
		if (trend == SPM_ETS_TREND)
			b += p.beta * e;
		else if (trend == SPM_ETS_DAMPED)
			b = p.phi * b + p.beta * e;
		row[residual] = relative ? (u - 1) * u : e;
		squares += relative ? (u - 1) * (u - 1) : e * e;
		if (++r == BLOCK)
		{
			add_products(slopes, rows, r);
			spmk_breathe(problem->breath);
			r = 0;
		}
	}
	add_products(slopes, rows, r);
	slopes->squares = squares;
	memcpy(slopes->ones, ones, sizeof(ones));
}

/* A season that is added: lanes of parameters, level and growth, and one that answers to season 0. */
INLINE void
slopes_added(const EtsProblem *problem, const double *w, EtsSlopes *slopes, SpmEtsTrend trend)
{
	const int	own = trend == SPM_ETS_LEVEL ? 3 : trend == SPM_ETS_TREND ? 5 : 6;
	const int	lanes = (own + 2) & ~1;
	const double *y = problem->y;
	int			m = problem->m;
	int			stride = slopes->stride;
	int			one = problem->unknowns + 1;
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

	set_forces(&k, problem, w, trend);
	memset(rows, 0, BLOCK * stride * sizeof(double));
	dl[ETS_LEVEL] = 1;
	if (trend != SPM_ETS_LEVEL)
		db[ETS_GROWTH] = 1;
	memset(ds, 0, m * lanes * sizeof(double));
	memset(answer, 0, sizeof(answer));
	ds[own] = 1;
	for (int t = 0; t < problem->n; t++)
	{
		double		q = trend == SPM_ETS_LEVEL ? l : trend == SPM_ETS_TREND ? l + b : l + p.phi * b;
		double		f = q + s[j];
		double		e = y[t] - f;
		double		scale = relative ? 1 / f : 1;
		double	   *row = rows + r * stride;
		double	   *due = ds + j * lanes;
		double	   *from;
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
			df[c] = d + due[c];
			dl[c] = d - p.alpha * df[c] + k.alpha[c] * e;
			if (trend != SPM_ETS_LEVEL)
				db[c] += k.beta[c] * e - p.beta * df[c];
			due[c] += k.gamma[c] * e - p.gamma * df[c];
		}
		for (int c = 0; c < own; c++)
			row[c] = df[c] * scale;
		from = answer + BLOCK - 1 - r;
		*from = df[own];
		for (int c = 0; c < seasons; c++)
			row[own + c] = from[c] * scale;
		s[j] += p.gamma * e;
		if (++j == m)
			j = 0;
		l = q + p.alpha * e;
		if (trend == SPM_ETS_TREND)
			b += p.beta * e;
		else if (trend == SPM_ETS_DAMPED)
			b = p.phi * b + p.beta * e;
		if (relative)
		{
			double		u = y[t] * scale;

			row[slopes->residual] = (u - 1) * u;
			row[one] = 1;
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
	int			one = problem->unknowns + 1;
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

	set_forces(&k, problem, w, trend);
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
		row[one] = 1;
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

/* Of 'count' points, ETS_POINTS at most. */
void
spmk_ets_losses(const EtsProblem *problem, const double (*points)[ETS_MOST_UNKNOWNS], int count, double *losses)
{
	SpmEtsForm	form = problem->form;

	if (form.season != SPM_ETS_NO_SEASON)
	{
		for (int i = 0; i < count; i++)
			losses[i] = spmk_ets_loss(problem, points[i]);
		return;
	}
#define CASE(more, trend) \
	case 3 * more + trend: \
		if (form.relative) \
			losses_unseasonal(problem, points[0], count, losses, more, true, trend); \
		else \
			losses_unseasonal(problem, points[0], count, losses, more, false, trend); \
		break
	switch (3 * (count > 2) + form.trend)
	{
		CASE(0, SPM_ETS_LEVEL);
		CASE(0, SPM_ETS_TREND);
		CASE(0, SPM_ETS_DAMPED);
		CASE(1, SPM_ETS_LEVEL);
		CASE(1, SPM_ETS_TREND);
		CASE(1, SPM_ETS_DAMPED);
	}
#undef CASE
}

double
spmk_ets_loss(const EtsProblem *problem, const double *w)
{
	SpmEtsForm	form = problem->form;
	double		loss = HUGE_VAL;

	if (form.season == SPM_ETS_NO_SEASON)
	{
		spmk_ets_losses(problem, (const double (*)[ETS_MOST_UNKNOWNS]) w, 1, &loss);
		return loss;
	}
#define CASE(trend, season) \
	case trend * 3 + season: \
		return form.relative ? loss_seasonal(problem, w, true, trend, season) : loss_seasonal(problem, w, false, trend, season)
	switch (form.trend * 3 + form.season)
	{
		CASE(SPM_ETS_LEVEL, SPM_ETS_ADDED);
		CASE(SPM_ETS_LEVEL, SPM_ETS_TIMES);
		CASE(SPM_ETS_TREND, SPM_ETS_ADDED);
		CASE(SPM_ETS_TREND, SPM_ETS_TIMES);
		CASE(SPM_ETS_DAMPED, SPM_ETS_ADDED);
		CASE(SPM_ETS_DAMPED, SPM_ETS_TIMES);
	}
#undef CASE
	return loss;
}

/* Where the loss is finite only. */
void
spmk_ets_slopes(const EtsProblem *problem, const double *w, EtsSlopes *slopes)
{
	SpmEtsForm	form = problem->form;
	bool		is_seasonal = form.season != SPM_ETS_NO_SEASON;

	/* Those with a season count the ones as a column after the residual. */
	slopes->residual = problem->unknowns;
	slopes->stride = (problem->unknowns + (form.relative && is_seasonal ? 2 : 1) + 1) & ~1;
	memset(slopes->gram, 0, slopes->stride * slopes->stride * sizeof(double));
#define CASE(trend) \
	case trend: \
		if (form.season == SPM_ETS_TIMES) \
			slopes_times(problem, w, slopes, trend); \
		else if (form.season == SPM_ETS_ADDED) \
			slopes_added(problem, w, slopes, trend); \
		else if (form.relative) \
			slopes_unseasonal(problem, w, slopes, true, trend); \
		else \
			slopes_unseasonal(problem, w, slopes, false, trend); \
		break
	switch (form.trend)
	{
		CASE(SPM_ETS_LEVEL);
		CASE(SPM_ETS_TREND);
		CASE(SPM_ETS_DAMPED);
	}
#undef CASE
	for (int i = 0; form.relative && is_seasonal && i < problem->unknowns; i++)
		slopes->ones[i] = slopes->gram[i * slopes->stride + problem->unknowns + 1];
}
