/*
 * arma.c
 *	  The exact likelihood of an ARMA process without a Kalman filter.
 *
 * Let k be the longest lag.  What values and shocks before the sample add to its
 * first k equations is a vector v ~ N(0, sigma^2 V); given it, the shocks are a
 * plain recursion: e = e0 - Z v, e0 from a start at rest, the columns of Z shifts
 * of the coefficients of 1 / ma(B).  With G = Z'Z = L L' and M = I + L' V L,
 * integrating v out leaves
 *	  S = |e0 - Z G^-1 Z'e0|^2 + (L^-1 Z'e0)' M^-1 (L^-1 Z'e0),	|W| = |M|.
 * (Ljung and Box, 1979, have this for v's own elements.)  Z'e0 is e0 filtered
 * back, G and V follow from their first rows by shifts, so all costs n times the
 * number of coefficients, and k^3: for monthly series some microseconds.
 */
#include "arma.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Smaller coefficients of 1 / ma(B) count for nothing, and denormal ones would be slow. */
#define LEAST_RESPONSE	1e-100

/* Between two breaths. */
#define SUMS			50000

/* A variance in units of the shock's that is none any more. */
#define SETTLED			1e-12

size_t
spmk_arma_space(int n, int k)
{
	return (size_t) 8 * n + (size_t) 4 * k * k + (size_t) 8 * (k + 1);
}

void
spmk_arma_start(SpmArma *arma, const double *w, int n, int k, double *memory, const SpmBreath *breath)
{
	size_t		square = (size_t) k * k;

	arma->w = w;
	arma->n = n;
	arma->mean = 0;
	arma->breath = breath;
	arma->sums = 0;
	arma->filtered = memory;
	arma->adjoint = arma->filtered + 4 * (size_t) n;
	arma->start = arma->adjoint + 4 * (size_t) n;
	arma->gram = arma->start + square;
	arma->product = arma->gram + square;
	arma->joint = arma->product + square;
	arma->small = arma->joint + square;
}

static void
count_sums(SpmArma *arma, double sums)
{
	if ((arma->sums += sums) < SUMS)
		return;
	arma->sums = 0;
	spmk_breathe(arma->breath);
}

static int
last_lag(const SpmLags *lags)
{
	return lags->n > 0 ? lags->lag[lags->n - 1] : 0;
}

/* filtered: w, the mean and a shock at 0 through ar(B) / ma(B), 1 / ma(B). */
static void
filter(SpmArma *arma, const SpmLags *ar, const SpmLags *ma)
{
	const double *w = arma->w;

	for (int t = 0; t < arma->n; t++)
	{
		double	   *out = arma->filtered + 4 * (size_t) t;
		double		x = w[t];
		double		one = 1;
		double		shock = t == 0;

		for (int j = 0; j < ar->n && ar->lag[j] <= t; j++)
		{
			x -= ar->value[j] * w[t - ar->lag[j]];
			one -= ar->value[j];
		}
		for (int j = 0; j < ma->n && ma->lag[j] <= t; j++)
		{
			const double *before = out - 4 * (size_t) ma->lag[j];

			x -= ma->value[j] * before[0];
			one -= ma->value[j] * before[1];
			shock -= ma->value[j] * before[2];
		}
		out[0] = x;
		out[1] = one;
		out[2] = fabs(shock) < LEAST_RESPONSE ? 0 : shock;
	}
}

/* adjoint: the same through 1 / ma(F), backwards: its first k are Z' filtered. */
static void
filter_back(SpmArma *arma, const SpmLags *ma)
{
	int			n = arma->n;

	for (int t = n - 1; t >= 0; t--)
	{
		const double *in = arma->filtered + 4 * (size_t) t;
		double	   *out = arma->adjoint + 4 * (size_t) t;
		double		x = in[0];
		double		one = in[1];
		double		shock = in[2];

		for (int j = 0; j < ma->n && ma->lag[j] < n - t; j++)
		{
			const double *after = out + 4 * (size_t) ma->lag[j];

			x -= ma->value[j] * after[0];
			one -= ma->value[j] * after[1];
			shock -= ma->value[j] * after[2];
		}
		out[0] = x;
		out[1] = one;
		out[2] = shock;
	}
}

/* Response of w to a shock: 1, psi[1] ... psi[k]. */
static void
responses(const SpmLags *ar, const SpmLags *ma, int k, double *psi)
{
	memset(psi, 0, sizeof(double) * (k + 1));
	psi[0] = 1;
	for (int j = 0; j < ma->n && ma->lag[j] <= k; j++)
		psi[ma->lag[j]] = ma->value[j];
	for (int t = 1; t <= k; t++)
		for (int j = 0; j < ar->n && ar->lag[j] <= t; j++)
			psi[t] += ar->value[j] * psi[t - ar->lag[j]];
}

void
spmk_arma_from_partial(const double *partial, int p, double *coefficient)
{
	for (int i = 0; i < p; i++)
	{
		double		last = partial[i];

		for (int j = 0; j < i / 2; j++)
		{
			double		a = coefficient[j];
			double		b = coefficient[i - 1 - j];

			coefficient[j] = a - last * b;
			coefficient[i - 1 - j] = b - last * a;
		}
		if (i % 2)
			coefficient[i / 2] -= last * coefficient[i / 2];
		coefficient[i] = last;
	}
}

bool
spmk_arma_to_partial(const double *coefficient, int p, double *partial)
{
	memmove(partial, coefficient, sizeof(double) * p);
	for (int i = p - 1; i >= 0; i--)
	{
		double		last = partial[i];
		double		scale = 1 - last * last;

		if (!(scale > 0))
			return false;
		for (int j = 0; j < i / 2; j++)
		{
			double		a = partial[j];
			double		b = partial[i - 1 - j];

			partial[j] = (a + last * b) / scale;
			partial[i - 1 - j] = (b + last * a) / scale;
		}
		if (i % 2)
			partial[i / 2] /= 1 - last;
	}
	return true;
}

/*
 * Autocovariances 0 to 'most' of the process 1 / ar(B), by the recursion of
 * Levinson run back to white noise and forth again.  space: k x k.
 */
static bool
ar_covariances(const SpmLags *ar, int most, double *gamma, double *space)
{
	int			p = last_lag(ar);
	double	   *dense = space;
	double		variance = 1;

	/* row i - 1 of the triangle: coefficients of the best predictor of order i */
	if (p > 0)
	{
		double	   *row = dense + (size_t) (p - 1) * p;

		memset(row, 0, sizeof(double) * p);
		for (int j = 0; j < ar->n; j++)
			row[ar->lag[j] - 1] = ar->value[j];
		for (int i = p; i > 0; i--)
		{
			double		last = row[i - 1];
			double		scale = 1 - last * last;
			double	   *shorter = row - p;

			if (!(scale > 0))
				return false;
			variance /= scale;
			if (i > 1)
				for (int j = 0; j < i - 1; j++)
					shorter[j] = (row[j] + last * row[i - 2 - j]) / scale;
			row = shorter;
		}
	}
	gamma[0] = variance;
	for (int i = 1; i <= most; i++)
	{
		gamma[i] = 0;
		if (i < p)
		{
			const double *row = dense + (size_t) (i - 1) * p;

			for (int j = 0; j < i; j++)
				gamma[i] += row[j] * gamma[i - 1 - j];
		}
		else
			for (int j = 0; j < ar->n; j++)
				gamma[i] += ar->value[j] * gamma[i - ar->lag[j]];
	}
	return isfinite(variance);
}

/* V's first 'rows' rows and columns; v[i] is what the past adds to equation i. */
static bool
start_covariance(SpmArma *arma, const SpmLags *ar, const SpmLags *ma, int k, int rows)
{
	double	   *v = arma->start;
	double	   *gamma = arma->small;	/* 2k + 1 */
	double	   *cross = gamma + 2 * k + 1;	/* 2k + 1: of w with 1 / ar(B), then of w */
	double	   *psi = cross + 2 * k + 1;	/* k + 1 */
	double	   *response = psi + k + 1; /* k */
	double	   *corner = response + k;	/* k: V's first row */
	int			q = last_lag(ma);

	if (!ar_covariances(ar, k + q, gamma, arma->product))
		return false;
	for (int i = 0; i <= k + q; i++)
	{
		cross[i] = gamma[i];
		for (int j = 0; j < ma->n; j++)
			cross[i] += ma->value[j] * gamma[i < ma->lag[j] ? ma->lag[j] - i : i - ma->lag[j]];
	}
	for (int i = 0; i <= k; i++)
		for (int j = 0; j < ma->n; j++)
			cross[i] += ma->value[j] * cross[i + ma->lag[j]];
	responses(ar, ma, k, psi);

	memset(response, 0, sizeof(double) * k);
	memset(corner, 0, sizeof(double) * k);
	for (int j = 0; j < ar->n; j++)
	{
		int			lag = ar->lag[j];

		response[lag - 1] += ar->value[j];
		for (int i = 0; i < lag; i++)
			corner[i] += ar->value[j] * cross[lag - i];
	}
	for (int j = 0; j < ma->n; j++)
	{
		int			lag = ma->lag[j];

		response[lag - 1] += ma->value[j];
		for (int i = 0; i < lag; i++)
			corner[i] += ma->value[j] * psi[lag - i];
	}

	/* v one period on: shifted, plus response times the next shock, plus ar times what v[0] makes of w. */
	{
		double	   *phi = psi;		/* no longer needed: ar, dense */

		memset(phi, 0, sizeof(double) * k);
		for (int j = 0; j < ar->n; j++)
			phi[ar->lag[j] - 1] = ar->value[j];
		for (int d = 0; d < rows; d++)
		{
			/* a diagonal, from its foot in the last row of all k to its head in the first */
			double		below = 0;

			for (int i = k - 1 - d; i >= 0; i--)
			{
				int			j = i + d;
				double		right = j + 1 < k ? corner[j + 1] : 0;
				double		down = i + 1 < k ? corner[i + 1] : 0;

				below += phi[i] * right + phi[j] * down + phi[i] * phi[j] * corner[0] + response[i] * response[j];
				if (j < rows)
					v[(size_t) i * rows + j] = v[(size_t) j * rows + i] = below;
			}
		}
	}
	return true;
}

/* A = L L', in place, in the lower triangle; the matrix is positive definite but for rounding. */
static bool
cholesky(SpmArma *arma, double *a, int k)
{
	for (int i = 0; i < k; i++)
	{
		double	   *row = a + (size_t) i * k;

		count_sums(arma, .5 * i * i);
		for (int j = 0; j <= i; j++)
		{
			const double *other = a + (size_t) j * k;
			double		sum = row[j];

			for (int l = 0; l < j; l++)
				sum -= row[l] * other[l];
			if (j < i)
				row[j] = sum / other[j];
			else if (sum > 0)
				row[j] = sqrt(sum);
			else
				return false;
		}
	}
	return true;
}

/* x = L^-1 x */
static void
solve_forward(const double *a, int k, double *x)
{
	for (int i = 0; i < k; i++)
	{
		const double *row = a + (size_t) i * k;

		for (int j = 0; j < i; j++)
			x[i] -= row[j] * x[j];
		x[i] /= row[i];
	}
}

/* x = L'^-1 x */
static void
solve_back(const double *a, int k, double *x)
{
	for (int i = k - 1; i >= 0; i--)
	{
		x[i] /= a[(size_t) i * k + i];
		for (int j = 0; j < i; j++)
			x[j] -= a[(size_t) i * k + j] * x[i];
	}
}

/* G, from its first row: the last of a shifted column falls out of the sample. */
static void
gram(SpmArma *arma, int k)
{
	double	   *g = arma->gram;
	int			n = arma->n;

	for (int d = 0; d < k; d++)
	{
		double		sum = arma->adjoint[4 * (size_t) d + 2];

		for (int i = 0; i + d < k; i++)
		{
			g[(size_t) (i + d) * k + i] = sum;
			sum -= arma->filtered[4 * (size_t) (n - 1 - i) + 2] * arma->filtered[4 * (size_t) (n - 1 - i - d) + 2];
		}
	}
}

/* joint = Cholesky factor of I + L' V L */
static bool
join(SpmArma *arma, int k)
{
	const double *l = arma->gram;
	double	   *vl = arma->product;
	double	   *m = arma->joint;

	for (int i = 0; i < k; i++)
	{
		const double *v = arma->start + (size_t) i * k;
		double	   *row = vl + (size_t) i * k;

		count_sums(arma, .5 * k * k);
		memset(row, 0, sizeof(double) * k);
		for (int j = 0; j < k; j++)
		{
			const double *l_row = l + (size_t) j * k;

			if (v[j] != 0)
				for (int c = 0; c <= j; c++)
					row[c] += v[j] * l_row[c];
		}
	}
	memset(m, 0, sizeof(double) * k * k);
	for (int j = 0; j < k; j++)
	{
		const double *l_row = l + (size_t) j * k;
		const double *row = vl + (size_t) j * k;

		count_sums(arma, .5 * j * j);
		for (int i = 0; i <= j; i++)
			if (l_row[i] != 0)
				for (int c = 0; c <= i; c++)
					m[(size_t) i * k + c] += l_row[i] * row[c];
	}
	for (int i = 0; i < k; i++)
		m[(size_t) i * k + i] += 1;
	return cholesky(arma, m, k);
}

bool
spmk_arma_likelihood(SpmArma *arma, const SpmLags *ar, const SpmLags *ma, SpmArmaMean mean, double *residual)
{
	int			n = arma->n;
	int			longest = last_lag(ar) > last_lag(ma) ? last_lag(ar) : last_lag(ma);
	int			k = longest < n ? longest : n;
	double	   *y = arma->small;	/* L^-1 Z'e0 of w, then of the mean */
	double	   *y1 = y + k;
	double	   *s = y1 + k;		/* the same through the joint factor */
	double	   *s1 = s + k;
	double		sum = 0;

	count_sums(arma, (double) n * (ar->n + 5 * ma->n));
	filter(arma, ar, ma);
	arma->k = k;
	arma->log_det = 0;
	if (k > 0)
	{
		filter_back(arma, ma);
		if (!start_covariance(arma, ar, ma, longest, k))
			return false;
		gram(arma, k);
		if (!cholesky(arma, arma->gram, k) || !join(arma, k))
			return false;
		for (int i = 0; i < k; i++)
		{
			y[i] = arma->adjoint[4 * (size_t) i];
			y1[i] = arma->adjoint[4 * (size_t) i + 1];
			arma->log_det += 2 * log(arma->joint[(size_t) i * k + i]);
		}
		solve_forward(arma->gram, k, y);
		solve_forward(arma->gram, k, y1);
		memcpy(s, y, sizeof(double) * 2 * k);
		solve_forward(arma->joint, k, s);
		solve_forward(arma->joint, k, s1);
	}
	if (mean == SPM_ARMA_NO_MEAN)
		arma->mean = 0;
	else if (mean == SPM_ARMA_MEAN_FITTED)
	{
		double		across = 0;
		double		own = 0;

		for (int t = 0; t < n; t++)
		{
			const double *e = arma->filtered + 4 * (size_t) t;

			across += e[0] * e[1];
			own += e[1] * e[1];
		}
		for (int i = 0; i < k; i++)
		{
			across += s[i] * s1[i] - y[i] * y1[i];
			own += s1[i] * s1[i] - y1[i] * y1[i];
		}
		arma->mean = own > 0 ? across / own : 0;
	}

	/* Shocks from the start that fits best: lane 3 of filtered. */
	for (int i = 0; i < k; i++)
	{
		y[i] -= arma->mean * y1[i];
		s[i] -= arma->mean * s1[i];
		sum += s[i] * s[i];
	}
	if (k > 0)
		solve_back(arma->gram, k, y);
	for (int t = 0; t < n; t++)
	{
		double	   *out = arma->filtered + 4 * (size_t) t;
		double		start = t < k ? y[t] : 0;
		double		e;

		/* out[3]: the start's response */
		for (int j = 0; j < ma->n && ma->lag[j] <= t; j++)
			start -= ma->value[j] * out[3 - 4 * (ptrdiff_t) ma->lag[j]];
		out[3] = start;
		e = out[0] - arma->mean * out[1] - start;
		sum += e * e;
		if (residual)
			residual[t] = e;
	}
	if (residual)
		memcpy(residual + n, s, sizeof(double) * k);
	arma->sum_squares = sum;
	return isfinite(sum) && isfinite(arma->log_det);
}

double
spmk_arma_log_likelihood(const SpmArma *arma)
{
	return -.5 * (arma->n * (log(2 * 3.14159265358979323846 * arma->sum_squares / arma->n) + 1) + arma->log_det);
}

/*
 * What is expected of the shocks, given all values: the recursion from the start
 * that is expected, V L M^-1 L^-1 Z'e0.
 */
void
spmk_arma_shocks(SpmArma *arma, const SpmLags *ma, double *shock)
{
	int			k = arma->k;
	double	   *x = arma->small + 2 * k;	/* as the likelihood has left it: through both factors */
	double	   *start = arma->small;

	solve_back(arma->joint, k, x);
	for (int i = 0; i < k; i++)
	{
		start[i] = 0;
		for (int c = 0; c < k; c++)
			start[i] += arma->product[(size_t) i * k + c] * x[c];
	}
	for (int t = 0; t < arma->n; t++)
	{
		double		e = arma->filtered[4 * (size_t) t] - arma->mean * arma->filtered[4 * (size_t) t + 1];
		double		past = t < k ? start[t] : 0;

		/* lane 3 again, now of this start */
		for (int j = 0; j < ma->n && ma->lag[j] <= t; j++)
			past -= ma->value[j] * arma->filtered[4 * (size_t) (t - ma->lag[j]) + 3];
		arma->filtered[4 * (size_t) t + 3] = past;
		shock[t] = e - past;
	}
}

/*
 * Adds to variance[h] what forecasts may err, in units of the shock's variance,
 * because values and shocks before the sample aren't known: matters as long as
 * 1 / ma(B) remembers them.  The start's covariance is now V - V L M^-1 L' V.
 */
void
spmk_arma_past(SpmArma *arma, const SpmLags *ma, const SpmLags *full_ar, int h, double *variance, double *space)
{
	int			n = arma->n;
	int			k = arma->k;
	double	   *posterior = arma->start;
	double	   *column = space; /* n + h */
	double	   *ahead = column + n; /* response of the forecasts */

	/* rows of V L through the joint factor, and their products off V */
	for (int i = 0; i < k; i++)
	{
		count_sums(arma, .5 * k * k);
		solve_forward(arma->joint, k, arma->product + (size_t) i * k);
	}
	for (int i = 0; i < k; i++)
	{
		count_sums(arma, (double) i * k);
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int c = 0; c < k; c++)
				sum += arma->product[(size_t) i * k + c] * arma->product[(size_t) j * k + c];
			posterior[(size_t) i * k + j] -= sum;
		}
	}
	for (int c = 0; c < k; c++)
	{
		double		pivot = posterior[(size_t) c * k + c];

		if (!(pivot > DBL_EPSILON))
			continue;
		count_sums(arma, (double) n * ma->n + .5 * (k - c) * (k - c));
		pivot = sqrt(pivot);
		memset(column, 0, sizeof(double) * n);
		for (int i = c; i < k; i++)
			column[i] = posterior[(size_t) i * k + c] / pivot;
		for (int i = c + 1; i < k; i++)
			for (int j = c + 1; j <= i; j++)
				posterior[(size_t) i * k + j] -= column[i] * column[j];
		for (int t = 0; t < n; t++)
		{
			for (int j = 0; j < ma->n && ma->lag[j] <= t; j++)
				column[t] -= ma->value[j] * column[t - ma->lag[j]];
			if (fabs(column[t]) < LEAST_RESPONSE)
				column[t] = 0;
		}
		for (int t = 0; t < h; t++)
		{
			ahead[t] = 0;
			for (int j = 0; j < ma->n; j++)
				if (ma->lag[j] > t && ma->lag[j] - t <= n)
					ahead[t] += ma->value[j] * column[n + t - ma->lag[j]];
			for (int j = 0; j < full_ar->n && full_ar->lag[j] <= t; j++)
				ahead[t] += full_ar->value[j] * ahead[t - full_ar->lag[j]];
		}
		for (int t = 0; t < h; t++)
			variance[t] += ahead[t] * ahead[t];
	}
}

/* Kalman's filter over v: what the values so far say of what they add to those to come. */
void
spmk_arma_innovations(SpmArma *arma, const SpmLags *ar, const SpmLags *ma, double *error)
{
	int			k = arma->k;
	double	   *p = arma->start;	/* covariance of v */
	double	   *v = arma->small;
	double	   *phi = v + k + 1;
	double	   *response = phi + k;
	double	   *gain = response + k;
	double	   *corner = gain + k;	/* first row of p */
	bool		is_settled = false;

	memset(v, 0, sizeof(double) * (4 * k + 1));
	for (int j = 0; j < ar->n; j++)
		phi[ar->lag[j] - 1] = response[ar->lag[j] - 1] = ar->value[j];
	for (int j = 0; j < ma->n; j++)
		response[ma->lag[j] - 1] += ma->value[j];
	for (int t = 0; t < arma->n; t++)
	{
		double		expected = k > 0 ? v[0] : 0;
		double		unknown = k > 0 && !is_settled ? p[0] : 0;
		double		variance = 1 + unknown;

		error[t] = arma->w[t] - arma->mean - expected;
		for (int i = 0; i < k; i++)
		{
			gain[i] = response[i];
			if (!is_settled)
				gain[i] += phi[i] * unknown + (i + 1 < k ? p[(size_t) (i + 1) * k] : 0);
			v[i] = v[i + 1] * (i + 1 < k) + phi[i] * expected + gain[i] / variance * error[t];
		}
		count_sums(arma, is_settled ? k : (double) k * k);
		if (is_settled || k == 0)
			continue;
		memcpy(corner, p, sizeof(double) * k);
		is_settled = true;
		for (int i = 0; i < k; i++)
			for (int j = 0; j < k; j++)
			{
				double		right = j + 1 < k ? corner[j + 1] : 0;
				double		down = i + 1 < k ? corner[i + 1] : 0;
				double		both = i + 1 < k && j + 1 < k ? p[(size_t) (i + 1) * k + j + 1] : 0;

				p[(size_t) i * k + j] = both + phi[i] * right + phi[j] * down + phi[i] * phi[j] * corner[0] +
					response[i] * response[j] - gain[i] * gain[j] / variance;
				if (i == j && p[(size_t) i * k + i] > SETTLED)
					is_settled = false;
			}
	}
}
