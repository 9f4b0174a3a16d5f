/*
 * arima_fit.c
 *	  The most likely coefficients of an ARIMA model of given order.
 *
 * Each polynomial is searched by its partial autocorrelations (Jones, 1980), so
 * every step is stationary and invertible.  The likelihood is a sum of squares
 * (arma.c) times a determinant, which is made part of the squares: Marquardt's
 * method needs few steps.  The constant follows by least squares from the rest.
 */
#include "arima_fit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define STEPS			100		/* of Marquardt's method */
#define SLOW			3		/* steps after which a valley is taken for narrow */
#define DOUBLED			6		/* times that a good step is doubled */
#define NUDGE			1e-6	/* of a coefficient, for slopes */
#define PRUNE			50		/* gains of this many steps like the last are not to be hoped for */
#define RIDGE			1e-3	/* of regression: a start needn't be exact, but finite */
#define MOST_AR			(1 - 1e-6)
#define TERMS			SPMK_ARIMA_COEFFICIENTS

size_t
arima_work_space(int n, int k, int terms)
{
	size_t		length = (size_t) n + k;

	return spmk_arma_space(n, k) + length * (terms + 2) + n;
}

void
arima_work_start(ArimaWork *work, const double *w, int n, int k, int terms, double *space, const SpmBreath *breath)
{
	size_t		length = (size_t) n + k;

	work->w = w;
	work->n = n;
	work->breath = breath;
	work->has_noise = false;
	spmk_arma_start(&work->arma, w, n, k, space, breath);
	work->residual = space + spmk_arma_space(n, k);
	work->trial = work->residual + length;
	work->slopes = work->trial + length;
	work->noise = work->slopes + length * terms;
}

/* sum of value B^lag in its place; equal lags add up */
static void
add_lag(SpmLags *lags, int lag, double value)
{
	int			i = lags->n;

	if (value == 0)
		return;
	while (i > 0 && lags->lag[i - 1] > lag)
		i--;
	if (i > 0 && lags->lag[i - 1] == lag)
	{
		lags->value[i - 1] += value;
		return;
	}
	for (int j = lags->n; j > i; j--)
	{
		lags->lag[j] = lags->lag[j - 1];
		lags->value[j] = lags->value[j - 1];
	}
	lags->lag[i] = lag;
	lags->value[i] = value;
	lags->n++;
}

/* (1 + sign a(B)) (1 + sign b(B^m)) = 1 + sign lags */
void
arima_expand(const double *a, int p, const double *b, int P, int m, double sign, SpmLags *lags)
{
	lags->n = 0;
	for (int j = 0; j <= P; j++)
	{
		if (j > 0)
			add_lag(lags, j * m, b[j - 1]);
		for (int i = 1; i <= p; i++)
			add_lag(lags, i + j * m, j > 0 ? sign * a[i - 1] * b[j - 1] : a[i - 1]);
	}
}

void
arima_lags(const SpmArimaOrder *order, const double *coefficient, SpmLags *ar, SpmLags *ma)
{
	const double *near_ma = coefficient + order->p;
	const double *far_ar = near_ma + order->q;
	const double *far_ma = far_ar + order->P;

	arima_expand(coefficient, order->p, far_ar, order->P, order->m, -1, ar);
	arima_expand(near_ma, order->q, far_ma, order->Q, order->m, 1, ma);
}

/* Polynomials one after the other: p, q, P, Q. */
static void
widths(const SpmArimaOrder *order, int *width)
{
	width[0] = order->p;
	width[1] = order->q;
	width[2] = order->P;
	width[3] = order->Q;
}

/* MA polynomials have the other sign. */
static void
to_coefficients(const SpmArimaOrder *order, const double *partial, double *coefficient)
{
	int			width[4];

	widths(order, width);
	for (int part = 0; part < 4; part++)
	{
		spmk_arma_from_partial(partial, width[part], coefficient);
		if (part % 2)
			for (int i = 0; i < width[part]; i++)
				coefficient[i] = -coefficient[i];
		partial += width[part];
		coefficient += width[part];
	}
}

/* Of the nearest polynomials that are stationary and invertible with some room. */
static void
to_partials(const SpmArimaOrder *order, const double *coefficient, double *partial)
{
	int			width[4];

	widths(order, width);
	for (int part = 0; part < 4; part++)
	{
		double		sign = part % 2 ? -1 : 1;
		double		shrink = 1;

		for (int tries = 0; tries < 60; tries++)
		{
			double		power = 1;
			bool		holds;

			for (int i = 0; i < width[part]; i++)
				partial[i] = sign * coefficient[i] * (power *= shrink);
			holds = spmk_arma_to_partial(partial, width[part], partial);
			for (int i = 0; holds && i < width[part]; i++)
				holds = fabs(partial[i]) < .97;
			if (holds)
				break;
			shrink *= .9;
			memset(partial, 0, sizeof(double) * width[part]);
		}
		partial += width[part];
		coefficient += width[part];
	}
}

/*
 * -2 log likelihood but for what is the same for all coefficients; residual gets
 * numbers whose squares are exp(that / n).
 */
static double
misfit(ArimaWork *work, const SpmArimaOrder *order, const double *partial, double *residual)
{
	double		coefficient[TERMS];
	SpmLags		ar;
	SpmLags		ma;
	double		scale;

	spmk_breathe(work->breath);
	to_coefficients(order, partial, coefficient);
	arima_lags(order, coefficient, &ar, &ma);
	if (!spmk_arma_likelihood(&work->arma, &ar, &ma, order->has_constant ? SPM_ARMA_MEAN_FITTED : SPM_ARMA_NO_MEAN, residual))
		return INFINITY;
	/* A fit without an error has no logarithm. */
	if (!(work->arma.sum_squares > DBL_MIN))
		work->arma.sum_squares = DBL_MIN;
	if (residual)
	{
		int			length = work->n + spmk_arima_longest(order);

		for (int i = work->n + work->arma.k; i < length; i++)
			residual[i] = 0;
		scale = exp(work->arma.log_det / (2 * work->n));
		for (int i = 0; i < length; i++)
			residual[i] *= scale;
	}
	return work->n * log(work->arma.sum_squares) + work->arma.log_det;
}

/* A x = -g over the free ones, others stay; false: A isn't positive definite. */
static bool
solve_free(const double *a, const double *g, const bool *is_free, int k, double *x)
{
	double		l[TERMS * TERMS];
	int			at[TERMS];
	int			n = 0;

	for (int i = 0; i < k; i++)
	{
		x[i] = 0;
		if (is_free[i])
			at[n++] = i;
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = a[at[i] * k + at[j]];

			for (int c = 0; c < j; c++)
				sum -= l[i * n + c] * l[j * n + c];
			if (i > j)
				l[i * n + j] = sum / l[j * n + j];
			else if (sum > 0)
				l[i * n + i] = sqrt(sum);
			else
				return false;
		}
	for (int i = 0; i < n; i++)
	{
		double		sum = -g[at[i]];

		for (int c = 0; c < i; c++)
			sum -= l[i * n + c] * x[at[c]];
		x[at[i]] = sum / l[i * n + i];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		double		sum = x[at[i]];

		for (int c = i + 1; c < n; c++)
			sum -= l[c * n + i] * x[at[c]];
		x[at[i]] = sum / l[i * n + i];
	}
	return true;
}

/* AR partials stay below 1; a root of the MA part may lie on the unit circle. */
static void
limits(const SpmArimaOrder *order, double *most)
{
	int			width[4];
	int			at = 0;

	widths(order, width);
	for (int part = 0; part < 4; part++)
		for (int i = 0; i < width[part]; i++)
			most[at++] = part % 2 ? 1 : MOST_AR;
}

static double
dot(const double *a, const double *b, size_t n)
{
	double		sum[4] = {0};
	size_t		t = 0;

	for (; t + 4 <= n; t += 4)
		for (int i = 0; i < 4; i++)
			sum[i] += a[t + i] * b[t + i];
	for (; t < n; t++)
		sum[0] += a[t] * b[t];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Where a search stands: half the gradient of the squares and what is known of their curvature. */
typedef struct Point
{
	int			k;
	double		g[TERMS];
	double		a[TERMS * TERMS];	/* slopes' products */
	double		rest[TERMS * TERMS];	/* curvature of the residuals themselves */
} Point;

static bool
look_around(ArimaWork *work, const SpmArimaOrder *order, double *partial, size_t length, Point *point)
{
	int			k = point->k;

	for (int i = 0; i < k; i++)
	{
		double	   *slope = work->slopes + i * length;
		double		kept = partial[i];
		double		nudge = kept > 0 ? -NUDGE : NUDGE;
		double		found;

		partial[i] += nudge;
		found = misfit(work, order, partial, slope);
		partial[i] = kept;
		if (!isfinite(found))
			return false;
		for (size_t t = 0; t < length; t++)
			slope[t] = (slope[t] - work->residual[t]) / nudge;
		point->g[i] = dot(slope, work->residual, length);
		for (int j = 0; j <= i; j++)
			point->a[i * k + j] = point->a[j * k + i] = dot(slope, work->slopes + j * length, length);
	}
	return true;
}

static double
apply(const double *matrix, int k, const double *x, double *out)
{
	double		product = 0;

	for (int i = 0; i < k; i++)
	{
		out[i] = 0;
		for (int j = 0; j < k; j++)
			out[i] += matrix[i * k + j] * x[j];
		product += out[i] * x[i];
	}
	return product;
}

/*
 * What slopes leave out of the curvature, learnt from the last move: 'change' is
 * that of the gradient, 'turn' what of it slopes' own change has done (Dennis, Gay
 * and Welsch, 1981).
 */
static void
learn(Point *point, const double *move, const double *change, const double *turn)
{
	int			k = point->k;
	double		along = 0;
	double		turned = 0;
	double		known[TERMS];
	double		bend = apply(point->rest, k, move, known);
	double		size = 1;
	double		off = 0;

	for (int i = 0; i < k; i++)
	{
		along += change[i] * move[i];
		turned += turn[i] * move[i];
	}
	if (!(along > 0))
		return;
	if (bend != 0)
		size = fmin(1, fabs(turned / bend));
	for (int i = 0; i < k; i++)
	{
		known[i] = turn[i] - size * known[i];
		off += known[i] * move[i];
	}
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
			point->rest[i * k + j] = size * point->rest[i * k + j] +
				(known[i] * change[j] + change[i] * known[j]) / along -
				off * change[i] * change[j] / (along * along);
}

/* A step from 'partial' within the limits, and how far it should lower the squares. */
static double
propose(const Point *point, const double *partial, const double *most, double damp, bool with_rest, double *there, double *move)
{
	int			k = point->k;
	double		whole[TERMS * TERMS];
	double		bend[TERMS];
	bool		is_free[TERMS] = {false};
	double		gain;

	for (int i = 0; i < k * k; i++)
		whole[i] = point->a[i] + (with_rest ? point->rest[i] : 0);
	for (int i = 0; i < k; i++)
	{
		whole[i * k + i] += damp * point->a[i * k + i] + DBL_MIN;
		is_free[i] = !(fabs(partial[i]) >= most[i] && point->g[i] * partial[i] < 0);
	}
	if (!solve_free(whole, point->g, is_free, k, move))
		return -1;
	for (int i = 0; i < k; i++)
	{
		there[i] = fmax(-most[i], fmin(most[i], partial[i] + move[i]));
		move[i] = there[i] - partial[i];
		whole[i * k + i] -= damp * point->a[i * k + i];
	}
	gain = -apply(whole, k, move, bend);
	for (int i = 0; i < k; i++)
		gain -= 2 * point->g[i] * move[i];
	return gain;
}

/* A step that did better than expected is doubled as long as that helps; work->trial is of the last that did. */
static double
go_on(ArimaWork *work, const SpmArimaOrder *order, const double *most, const double *partial, double *there, double *move,
	  double reached, double *spare)
{
	int			k = spmk_arima_terms(order);
	size_t		length = (size_t) work->n + spmk_arima_longest(order);

	for (int doubled = 0; doubled < DOUBLED; doubled++)
	{
		double		further[TERMS];
		double		next;

		for (int i = 0; i < k; i++)
			further[i] = fmax(-most[i], fmin(most[i], partial[i] + 2 * move[i]));
		next = misfit(work, order, further, spare);
		if (!(next < reached))
			break;
		reached = next;
		memcpy(work->trial, spare, sizeof(double) * length);
		for (int i = 0; i < k; i++)
		{
			there[i] = further[i];
			move[i] = there[i] - partial[i];
		}
	}
	return reached;
}

/*
 * Marquardt's method from 'partial'; returns the misfit there.  Ends early where
 * even many times the last gain would not bring it below 'hopeless'.
 */
static double
descend(ArimaWork *work, const SpmArimaOrder *order, double *partial, double hopeless, double settled)
{
	size_t		length = (size_t) work->n + spmk_arima_longest(order);
	double		most[TERMS];
	double		now = misfit(work, order, partial, work->residual);
	double		damp = 1e-3;
	Point		point = {.k = spmk_arima_terms(order)};
	int			k = point.k;
	double		turn[TERMS];
	double		before[TERMS];
	double		move[TERMS];
	double	   *spare = work->slopes + k * length;

	limits(order, most);
	for (int step = 0; step < STEPS && k > 0 && isfinite(now); step++)
	{
		double		squares = exp(now / work->n);
		double		next = INFINITY;
		double		gain = 0;

		memcpy(before, point.g, sizeof(double) * k);
		if (!look_around(work, order, partial, length, &point))
			return now;
		if (step > 0)
		{
			for (int i = 0; i < k; i++)
			{
				before[i] = point.g[i] - before[i];
				turn[i] = point.g[i] - turn[i];
			}
			learn(&point, move, before, turn);
		}
		for (int tries = 0; tries < 12 && !(next < now); tries++)
		{
			double		there[TERMS];
			double		hope = propose(&point, partial, most, damp, true, there, move);

			if (!(hope > 0))
				hope = propose(&point, partial, most, damp, false, there, move);
			hope *= work->n / squares;
			if (hope < settled && damp > 1e-3 && tries == 0)
			{
				damp /= 10;
				tries--;
				continue;
			}
			if (hope < settled && tries == 0)
				return now;
			next = misfit(work, order, there, work->trial);
			gain = now - next;
			if (gain > .75 * hope)
				damp = fmax(damp / 10, 1e-9);
			else if (!(gain > .25 * hope))
				damp = fmax(damp * 8, 1e-2);
			if (step > SLOW && gain > 1.2 * hope)
			{
				next = go_on(work, order, most, partial, there, move, next, spare);
				gain = now - next;
			}
			if (gain > 0)
				memcpy(partial, there, sizeof(double) * k);
		}
		if (!(next < now))
			return now;
		for (int i = 0; i < k; i++)
			turn[i] = dot(work->slopes + i * length, work->trial, length);
		{
			double	   *kept = work->residual;

			work->residual = work->trial;
			work->trial = kept;
		}
		now = next;
		if ((gain < settled && damp < 1) || (step > 0 && now - PRUNE * gain > hopeless))
			return now;
	}
	return now;
}

/*
 * Shocks as an autoregression long enough for anything sees them (Durbin and
 * Levinson's recursion on the series' own autocovariances).
 */
static void
see_noise(ArimaWork *work, const SpmArimaOrder *order)
{
	int			n = work->n;
	int			p = (int) (10 * log10(n)) + 2 * (order->m < 25 ? order->m : 0);
	double	   *gamma = work->slopes;
	double	   *phi;
	double		mean = 0;
	double		variance;

	if (work->has_noise)
		return;
	work->has_noise = true;
	p = p < n / 3 ? p : n / 3;
	phi = gamma + p + 1;
	if (order->has_constant)
		for (int t = 0; t < n; t++)
			mean += work->w[t] / n;
	for (int lag = 0; lag <= p; lag++)
	{
		gamma[lag] = 0;
		for (int t = lag; t < n; t++)
			gamma[lag] += (work->w[t] - mean) * (work->w[t - lag] - mean);
	}
	variance = gamma[0];
	for (int i = 0; i < p; i++)
	{
		double		last = gamma[i + 1];

		for (int j = 0; j < i; j++)
			last -= phi[j] * gamma[i - j];
		last = variance > 0 ? last / variance : 0;
		for (int j = 0; j < i / 2; j++)
		{
			double		a = phi[j];
			double		b = phi[i - 1 - j];

			phi[j] = a - last * b;
			phi[i - 1 - j] = b - last * a;
		}
		if (i % 2)
			phi[i / 2] -= last * phi[i / 2];
		phi[i] = last;
		variance *= 1 - last * last;
	}
	for (int t = 0; t < n; t++)
	{
		work->noise[t] = work->w[t] - mean;
		for (int j = 0; j < p && j < t; j++)
			work->noise[t] -= phi[j] * (work->w[t - 1 - j] - mean);
	}
}

/* Regression on lagged values and lagged shocks (Hannan and Rissanen, 1982). */
static void
regress(ArimaWork *work, const SpmArimaOrder *order, double *partial)
{
	int			k = spmk_arima_terms(order);
	int			n = work->n;
	int			width[4];
	int			lag[TERMS];
	const double *source[TERMS];
	double		a[TERMS * TERMS];
	double		g[TERMS];
	double		coefficient[TERMS];
	bool		is_free[TERMS];
	double		mean = 0;
	int			from;
	int			at = 0;

	see_noise(work, order);
	if (order->has_constant)
		for (int t = 0; t < n; t++)
			mean += work->w[t] / n;
	widths(order, width);
	from = 0;
	for (int part = 0; part < 4; part++)
		for (int i = 1; i <= width[part]; i++)
		{
			lag[at] = part < 2 ? i : i * order->m;
			source[at] = part % 2 ? work->noise : work->w;
			is_free[at] = true;
			if (lag[at] > from)
				from = lag[at];
			at++;
		}
	for (int i = 0; i < k; i++)
	{
		double		shift = source[i] == work->w ? mean : 0;

		g[i] = 0;
		for (int t = from; t < n; t++)
			g[i] -= (source[i][t - lag[i]] - shift) * (work->w[t] - mean);
		for (int j = 0; j <= i; j++)
		{
			double		other = source[j] == work->w ? mean : 0;
			double		sum = 0;

			for (int t = from; t < n; t++)
				sum += (source[i][t - lag[i]] - shift) * (source[j][t - lag[j]] - other);
			a[i * k + j] = a[j * k + i] = i == j ? sum * (1 + RIDGE) : sum;
		}
	}
	if (!solve_free(a, g, is_free, k, coefficient))
		memset(coefficient, 0, sizeof(double) * k);
	to_partials(order, coefficient, partial);
}

/* A similar order's optimum: what both have, the rest 0. */
static void
borrow(const SpmArimaOrder *order, const SpmArimaFit *near, double *partial)
{
	int			width[4];
	int			its[4];
	const double *from = near->partial;

	widths(order, width);
	widths(&near->order, its);
	for (int part = 0; part < 4; part++)
	{
		for (int i = 0; i < width[part]; i++)
			partial[i] = i < its[part] ? fmax(-.97, fmin(.97, from[i])) : 0;
		partial += width[part];
		from += its[part];
	}
}

void
arima_conclude(SpmArimaFit *fit, int n, double squares, double log_likelihood)
{
	int			counted = spmk_arima_terms(&fit->order) + fit->order.has_constant;

	fit->sigma2 = squares / (n > counted ? n - counted : 1);
	fit->log_likelihood = log_likelihood;
	counted++;
	fit->aicc = n > counted + 1 ? -2 * fit->log_likelihood + 2.0 * counted * n / (n - counted - 1) : INFINITY;
}

static void
conclude(ArimaWork *work, SpmArimaFit *fit)
{
	const SpmArimaOrder *order = &fit->order;

	fit->constant = work->arma.mean;
	if (order->has_constant && order->d == 0 && order->D > 0)
		fit->constant /= order->m;
	arima_conclude(fit, work->n, work->arma.sum_squares, spmk_arma_log_likelihood(&work->arma));
}

/* Stationary and invertible anywhere, half of them near the edge. */
static void
draw(int k, SpmChance *chance, bool is_edge, double *partial)
{
	for (int i = 0; i < k; i++)
	{
		double		unit = 2 * spmk_chance_unit(chance) - 1;

		partial[i] = is_edge ? copysign(.99 - .2 * fabs(unit), unit) : unit * .9;
	}
}

bool
arima_fit(ArimaWork *work, SpmArimaFit *fit, const SpmArimaFit *near, double hopeless, ArimaEffort effort)
{
	int			rounds = effort.rounds;
	const SpmArimaOrder *order = &fit->order;
	int			k = spmk_arima_terms(order);
	int			counted = k + order->has_constant + 1;
	int			n = work->n;
	double		start[ARIMA_ROUNDS][TERMS];
	double		value[ARIMA_ROUNDS];
	SpmChance	chance = {0};
	int			starts = 0;
	double		best = INFINITY;

	if (n <= counted + 1)
		return false;
	/* from an AICc to the misfit that it takes */
	if (isfinite(hopeless))
		hopeless -= 2.0 * counted * n / (n - counted - 1) + n * (log(2 * 3.14159265358979323846 / n) + 1);
	if (near)
		borrow(order, near, start[starts++]);
	if (k > 0)
		regress(work, order, start[starts++]);
	else
		rounds = 1;
	for (int i = 0; starts < rounds || starts == 0; i++, starts++)
	{
		memset(start[starts], 0, sizeof(double) * k);
		if (i > 0)
			draw(k, &chance, i % 2, start[starts]);
	}
	for (int i = 0; i < starts; i++)
		value[i] = misfit(work, order, start[i], NULL);
	for (int round = 0; round < rounds; round++)
	{
		int			first = 0;
		double		found;

		for (int i = 1; i < starts; i++)
			if (value[i] < value[first])
				first = i;
		if (!isfinite(value[first]))
			break;
		value[first] = INFINITY;
		found = descend(work, order, start[first], fmin(hopeless, best), effort.settled);
		if (found < best)
		{
			best = found;
			memcpy(fit->partial, start[first], sizeof(double) * k);
		}
	}
	if (!isfinite(best))
		return false;
	to_coefficients(order, fit->partial, fit->coefficient);
	misfit(work, order, fit->partial, NULL);
	conclude(work, fit);
	return true;
}

/* Are all roots of 1 - a(B) farther from 0 than 'radius'? */
static bool
is_clear(const double *a, int p, double sign, double radius)
{
	double		scaled[SPMK_ARMA_NEAR];
	double		power = 1;

	for (int i = 0; i < p; i++)
		scaled[i] = sign * a[i] * (power *= radius);
	return spmk_arma_to_partial(scaled, p, scaled);
}

bool
arima_is_sound(const SpmArimaFit *fit, double ar_radius, double ma_radius)
{
	int			width[4];
	const double *a = fit->coefficient;

	widths(&fit->order, width);
	for (int part = 0; part < 4; part++)
	{
		double		radius = part % 2 ? ma_radius : ar_radius;

		if (!is_clear(a, width[part], part % 2 ? -1 : 1, part < 2 ? radius : pow(radius, fit->order.m)))
			return false;
		a += width[part];
	}
	return true;
}

bool
arima_at(ArimaWork *work, SpmArimaFit *fit)
{
	const SpmArimaOrder *order = &fit->order;
	SpmLags		ar;
	SpmLags		ma;
	double		given = fit->constant;

	if (!arima_is_sound(fit, 1, ARIMA_AT_MOST))
		return false;
	arima_lags(order, fit->coefficient, &ar, &ma);
	work->arma.mean = order->d == 0 && order->D > 0 ? given * order->m : given;
	if (!spmk_arma_likelihood(&work->arma, &ar, &ma, order->has_constant ? SPM_ARMA_MEAN_GIVEN : SPM_ARMA_NO_MEAN, NULL))
		return false;
	conclude(work, fit);
	if (order->has_constant)
		fit->constant = given;
	return true;
}
