/*
 * arima_state.c
 *	  ARIMA models with their differences in the state: nothing is taken as given,
 *	  the values before the first are drawn with a variance of a million shocks.
 *
 * The state is that of Harvey (1989): r elements of the ARMA part, where
 *	  a[0] = w[t],  a[i] at t + 1 = phi[i] a[0] + a[i + 1] + theta[i] e[t + 1],
 * then the last d + D m values of the series; y[t] = a[0] + what the differences
 * carry over from those.  Values are observed without an error of their own, so
 * each takes away one of the dimensions in which the state isn't known, and the next
 * shock adds one: a factor S of the covariance S S' keeps its size.  A reflection
 * brings all that a value tells into the first column, whose place the shock takes.
 * No variance is ever a difference of two larger ones, which with a million beside
 * 1 would cost six digits.
 */
#include "arima.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "arima_fit.h"

#define VAGUE		1e6			/* variance of a value before the first, in shocks' */
#define TELLING		1e4			/* an innovation of this variance or more tells of the start, not of the model */

/* Between two breaths. */
#define SUMS		50000

typedef struct State
{
	int			p;
	int			r;				/* elements of the ARMA part */
	int			lost;			/* past values */
	int			size;
	double	   *phi;			/* r, dense */
	double	   *theta;			/* r; theta[0] = 1: what a shock does to the state */
	double	   *delta;			/* lost: y = w + sum of delta[j] times the value j + 1 before */
	double	   *mean;			/* size */
	double	   *factor;			/* size columns */
	double	   *load;			/* size: what each column adds to the next value */
	double	   *told;			/* size */
	double	   *matrix;			/* (r + 1)^2, for the start */
	double	   *gamma;			/* r + 1 */
	double	   *corner;			/* r + 1 */
	const SpmBreath *breath;
	double		sums;
} State;

static int
order_r(const SpmArimaOrder *order)
{
	int			p = order->p + order->P * order->m;
	int			q = order->q + order->Q * order->m;

	return p > q + 1 ? p : q + 1;
}

int
spmk_arima_states(const SpmArimaOrder *order)
{
	return order_r(order) + spmk_arima_lost(order);
}

size_t
spmk_arima_state_space(const SpmArimaOrder *order)
{
	size_t		r = order_r(order);
	size_t		size = spmk_arima_states(order);

	return size * size + (r + 1) * (r + 1) + 4 * size + 3 * (r + 1);
}

static void
count_sums(State *state, double sums)
{
	if ((state->sums += sums) < SUMS)
		return;
	state->sums = 0;
	spmk_breathe(state->breath);
}

static void
lay_out(State *state, const SpmArimaFit *fit, double *space)
{
	const SpmArimaOrder *order = &fit->order;
	SpmArimaFit differences = {.order = {.d = order->d, .D = order->D, .m = order->m}};
	SpmLags		ar;
	SpmLags		ma;
	SpmLags		lags;
	int			r = order_r(order);
	int			size = spmk_arima_states(order);

	state->p = order->p + order->P * order->m;
	state->r = r;
	state->lost = size - r;
	state->size = size;
	memset(space, 0, sizeof(double) * spmk_arima_state_space(order));
	state->factor = space;
	state->matrix = state->factor + (size_t) size * size;
	state->mean = state->matrix + (size_t) (r + 1) * (r + 1);
	state->load = state->mean + size;
	state->told = state->load + size;
	state->gamma = state->told + size;
	state->corner = state->gamma + r + 1;
	state->phi = state->corner + r + 1;
	state->theta = state->phi + r;	/* these and delta: 2 r + lost */
	state->delta = state->theta + r;
	arima_lags(order, fit->coefficient, &ar, &ma);
	arima_integrate(&differences, &lags);
	for (int j = 0; j < ar.n; j++)
		state->phi[ar.lag[j] - 1] = ar.value[j];
	state->theta[0] = 1;
	for (int j = 0; j < ma.n; j++)
		state->theta[ma.lag[j]] = ma.value[j];
	for (int j = 0; j < lags.n; j++)
		state->delta[lags.lag[j] - 1] = lags.value[j];
}

/* a x = b by elimination, the largest pivot of a column first; x in b. */
static bool
solve(State *state, double *a, double *b, int k)
{
	for (int c = 0; c < k; c++)
	{
		int			best = c;

		for (int i = c + 1; i < k; i++)
			if (fabs(a[(size_t) i * k + c]) > fabs(a[(size_t) best * k + c]))
				best = i;
		if (!(fabs(a[(size_t) best * k + c]) > 0))
			return false;
		for (int j = c; j < k && best != c; j++)
		{
			double		kept = a[(size_t) c * k + j];

			a[(size_t) c * k + j] = a[(size_t) best * k + j];
			a[(size_t) best * k + j] = kept;
		}
		if (best != c)
		{
			double		kept = b[c];

			b[c] = b[best];
			b[best] = kept;
		}
		count_sums(state, (double) (k - c) * (k - c));
		for (int i = c + 1; i < k; i++)
		{
			double		times = a[(size_t) i * k + c] / a[(size_t) c * k + c];

			if (times == 0)
				continue;
			for (int j = c + 1; j < k; j++)
				a[(size_t) i * k + j] -= times * a[(size_t) c * k + j];
			b[i] -= times * b[c];
		}
	}
	for (int i = k - 1; i >= 0; i--)
	{
		for (int j = i + 1; j < k; j++)
			b[i] -= a[(size_t) i * k + j] * b[j];
		b[i] /= a[(size_t) i * k + i];
	}
	return true;
}

/*
 * Autocovariances 0 to p of the ARMA part, from the equations of Yule and Walker
 * (McLeod, 1975); then the first row of the state's covariance.
 */
static bool
covariances(State *state)
{
	int			p = state->p;
	int			r = state->r;
	double	   *psi = state->told;	/* r: the response to a shock */
	double	   *gamma = state->gamma;
	double	   *a = state->matrix;

	for (int t = 0; t < r; t++)
	{
		psi[t] = state->theta[t];
		for (int j = 0; j < p && j < t; j++)
			psi[t] += state->phi[j] * psi[t - 1 - j];
	}
	for (int k = 0; k <= p; k++)
	{
		double	   *row = a + (size_t) k * (p + 1);

		row[k] += 1;
		for (int j = 1; j <= p; j++)
			row[k > j ? k - j : j - k] -= state->phi[j - 1];
		for (int j = k; j < r; j++)
			gamma[k] += state->theta[j] * psi[j - k];
	}
	if (!solve(state, a, gamma, p + 1))
		return false;
	state->corner[0] = gamma[0];
	for (int i = 1; i < r; i++)
		for (int j = i; j < r; j++)
			state->corner[i] += (j < p ? state->phi[j] * gamma[j - i + 1] : 0) + state->theta[j] * psi[j - i];
	return gamma[0] > 0 && isfinite(gamma[0]);
}

/* The ARMA part as it is at any time, and past values of which nothing is known. */
static bool
begin(State *state)
{
	int			r = state->r;
	int			size = state->size;
	const double *corner = state->corner;	/* r + 1, the last 0 */
	double	   *s = state->factor;

	if (!covariances(state))
		return false;
	/* the covariance's lower triangle, from its foot along each diagonal; column after column */
	for (int d = 0; d < r; d++)
	{
		double		sum = 0;

		for (int j = r - 1 - d; j >= 0; j--)
		{
			int			i = j + d;

			sum += state->phi[i] * corner[j + 1] + state->phi[j] * corner[i + 1] + state->phi[i] * state->phi[j] * corner[0] +
				state->theta[i] * state->theta[j];
			s[(size_t) j * size + i] = sum;
		}
	}
	/* its factor by Cholesky; a dimension that has no variance is left out */
	for (int j = 0; j < r; j++)
	{
		double	   *column = s + (size_t) j * size;
		double		whole = column[j];
		double		pivot;

		count_sums(state, (double) j * (r - j));
		for (int c = 0; c < j; c++)
		{
			const double *other = s + (size_t) c * size;

			for (int i = j; i < r; i++)
				column[i] -= other[i] * other[j];
		}
		pivot = column[j] > r * DBL_EPSILON * whole ? sqrt(column[j]) : 0;
		for (int i = j; i < r; i++)
			column[i] = pivot > 0 ? column[i] / pivot : 0;
	}
	for (int j = r; j < size; j++)
		s[(size_t) j * size + j] = sqrt(VAGUE);
	return true;
}

/* What a state, or a column of its factor, makes of the next value. */
static double
observe(const State *state, const double *x)
{
	double		sum = x[0];

	for (int j = 0; j < state->lost; j++)
		sum += state->delta[j] * x[state->r + j];
	return sum;
}

/* x one period on, when its value is y */
static void
advance(const State *state, double *x, double y)
{
	int			r = state->r;
	double		first = x[0];

	for (int i = 0; i < r; i++)
		x[i] = state->phi[i] * first + (i + 1 < r ? x[i + 1] : 0);
	if (state->lost == 0)
		return;
	memmove(x + r + 1, x + r, sizeof(double) * (state->lost - 1));
	x[r] = y;
}

/* Takes in a value; returns its innovation, and the variance of that. */
static double
take_in(State *state, double y, double *variance)
{
	int			size = state->size;
	double	   *load = state->load;
	double	   *told = state->told;
	double	   *first = state->factor;
	double		error = y - observe(state, state->mean);
	double		squares = 0;
	double		both;			/* u'u */
	double		length;

	memset(told, 0, sizeof(double) * size);
	for (int c = 0; c < size; c++)
	{
		load[c] = observe(state, state->factor + (size_t) c * size);
		squares += load[c] * load[c];
	}
	*variance = squares;

	/* the reflection I - 2 u u' / u'u that takes load to (-length, 0, ...) */
	length = copysign(sqrt(squares), load[0]);
	both = 2 * (squares + fabs(load[0] * length));
	load[0] += length;
	for (int c = 0; c < size; c++)
	{
		const double *column = state->factor + (size_t) c * size;

		count_sums(state, 4.0 * size);
		for (int i = 0; i < size; i++)
			told[i] += load[c] * column[i];
	}
	for (int c = 0; c < size; c++)
	{
		double	   *column = state->factor + (size_t) c * size;
		double		times = 2 * load[c] / both;

		for (int i = 0; i < size; i++)
			column[i] -= times * told[i];
	}
	for (int i = 0; i < size; i++)
		state->mean[i] -= first[i] * error / length;

	/* of the other columns the value holds nothing any more */
	advance(state, state->mean, y);
	for (int c = 1; c < size; c++)
		advance(state, state->factor + (size_t) c * size, 0);
	memset(first, 0, sizeof(double) * size);
	memcpy(first, state->theta, sizeof(double) * state->r);
	return error;
}

/* Forecasts without the constant, and the variances of their errors in units of the shock's. */
static void
look_ahead(State *state, SpmOutlook *outlook)
{
	int			r = state->r;
	int			lost = state->lost;
	int			size = state->size;
	double	   *row = state->load;	/* what the state of the next period is to the value then */
	double		later = 0;		/* variance of shocks since */

	memset(row, 0, sizeof(double) * size);
	row[0] = 1;
	memcpy(row + r, state->delta, sizeof(double) * lost);
	for (int t = 0; t < outlook->h; t++)
	{
		double		variance = later;
		double		shock = 0;
		double		first = 0;
		double		past = lost > 0 ? row[r] : 0;

		for (int c = 0; c < size; c++)
		{
			const double *column = state->factor + (size_t) c * size;
			double		x = 0;

			count_sums(state, size);
			for (int i = 0; i < size; i++)
				x += row[i] * column[i];
			variance += x * x;
		}
		outlook->mean[t] = observe(state, state->mean);
		outlook->variance[t] = variance;
		advance(state, state->mean, outlook->mean[t]);

		for (int i = 0; i < r; i++)
		{
			shock += row[i] * state->theta[i];
			first += row[i] * state->phi[i];
		}
		later += shock * shock;
		memmove(row + 1, row, sizeof(double) * (r - 1));
		row[0] = first + past;
		for (int j = 0; j < lost; j++)
			row[r + j] = past * state->delta[j] + (j + 1 < lost ? row[r + j + 1] : 0);
	}
}

SpmForecastStatus
spmk_arima_state(const double *y, int n, SpmArimaFit *fit, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	const SpmArimaOrder *order = &fit->order;
	State		state = {.breath = breath};
	bool		is_drift = order->d + order->D > 0;
	double		constant = order->has_constant ? fit->constant : 0;
	double		squares = 0;	/* of all innovations in their own deviations */
	double		telling = 0;	/* of those that count */
	double		log_det = 0;
	int			counted = 0;

	if (!arima_is_enough(n, order))
		return SPM_FORECAST_SHORT;
	if (!arima_is_sound(fit, 1, ARIMA_AT_MOST))
		return SPM_FORECAST_UNFIT;
	lay_out(&state, fit, space);
	if (!begin(&state))
		return SPM_FORECAST_UNFIT;
	for (int t = 0; t < n; t++)
	{
		double		variance;
		double		error = take_in(&state, y[t] - constant * (is_drift ? t + 1 : 1), &variance);

		squares += error * error / variance;
		if (!(variance < TELLING))
			continue;
		telling += error * error / variance;
		log_det += log(variance);
		counted++;
	}
	if (counted == 0)
		return SPM_FORECAST_UNFIT;
	arima_conclude(fit, n - state.lost, squares,
				   -.5 * (n - state.lost) * (log(2 * 3.14159265358979323846 * telling / counted) + 1 + log_det / counted));
	look_ahead(&state, outlook);
	for (int t = 0; t < outlook->h; t++)
	{
		outlook->mean[t] += constant * (is_drift ? n + t + 1 : 1);
		outlook->variance[t] *= fit->sigma2;
	}
	spmk_arima_name(order, outlook->name, sizeof(outlook->name));
	return isfinite(squares) ? SPM_FORECAST_OK : SPM_FORECAST_UNFIT;
}
