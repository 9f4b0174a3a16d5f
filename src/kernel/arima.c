/*
 * arima.c
 *	  ARIMA models of given order: fits, and forecasts with the exact variance of
 *	  their errors.
 */
#include "arima.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arima_fit.h"

static const ArimaEffort thorough = {ARIMA_ROUNDS, 1e-7};

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

int
spmk_arima_longest(const SpmArimaOrder *order)
{
	return larger(order->p + order->P * order->m, order->q + order->Q * order->m);
}

size_t
spmk_arima_space(int n, const SpmArimaOrder *order)
{
	return n + arima_work_space(n, spmk_arima_longest(order), spmk_arima_terms(order) + 2);
}

bool
arima_is_enough(int n, const SpmArimaOrder *order)
{
	int			left = n - spmk_arima_lost(order);

	return left > 0 && left >= spmk_arima_longest(order) && left > spmk_arima_terms(order) + order->has_constant;
}

/* Differences into the space's first n, the rest for the work; false: too few are left. */
static bool
start(const double *y, int n, const SpmArimaOrder *order, ArimaWork *work, double *space, const SpmBreath *breath)
{
	int			longest = spmk_arima_longest(order);
	int			left;

	if (!arima_is_enough(n, order))
		return false;
	left = spmk_arima_difference(y, n, order, space);
	arima_work_start(work, space, left, longest, spmk_arima_terms(order) + 2, space + n, breath);
	return true;
}

SpmForecastStatus
spmk_arima_at(const double *y, int n, SpmArimaFit *fit, double *space, const SpmBreath *breath)
{
	ArimaWork	work;

	if (!start(y, n, &fit->order, &work, space, breath))
		return SPM_FORECAST_SHORT;
	return arima_at(&work, fit) ? SPM_FORECAST_OK : SPM_FORECAST_UNFIT;
}

SpmForecastStatus
spmk_arima_fit(const double *y, int n, SpmArimaFit *fit, double *space, const SpmBreath *breath)
{
	ArimaWork	work;

	if (!start(y, n, &fit->order, &work, space, breath) || work.n <= spmk_arima_terms(&fit->order) + fit->order.has_constant + 2)
		return SPM_FORECAST_SHORT;
	return arima_fit(&work, fit, NULL, INFINITY, thorough) ? SPM_FORECAST_OK : SPM_FORECAST_UNFIT;
}

SpmForecastStatus
spmk_arima_at_mean(const double *y, int n, SpmArimaFit *fit, double *space)
{
	int			left = spmk_arima_difference(y, n, &fit->order, space);
	double		sum = 0;

	if (left < 1)
		return SPM_FORECAST_SHORT;
	for (int t = 0; t < left; t++)
		sum += space[t];
	fit->constant = fit->order.has_constant ? sum / left / (fit->order.d == 0 && fit->order.D > 0 ? fit->order.m : 1) : 0;
	return spmk_arima_at(y, n, fit, space, NULL);
}

/* a[0 ... p - 1] of 1 - a(B), times 1 - B */
static void
difference(double *a, int p)
{
	a[p] = p > 0 ? -a[p - 1] : 1;
	for (int i = p - 1; i > 0; i--)
		a[i] -= a[i - 1];
	if (p > 0)
		a[0] += 1;
}

void
arima_integrate(const SpmArimaFit *fit, SpmLags *full)
{
	const SpmArimaOrder *order = &fit->order;
	double		near[SPMK_ARMA_NEAR + SPMK_ARIMA_DIFFERENCES];
	double		far[SPMK_ARMA_FAR + SPMK_ARIMA_DIFFERENCES];

	memcpy(near, fit->coefficient, sizeof(double) * order->p);
	memcpy(far, fit->coefficient + order->p + order->q, sizeof(double) * order->P);
	for (int i = 0; i < order->d; i++)
		difference(near, order->p + i);
	for (int i = 0; i < order->D; i++)
		difference(far, order->P + i);
	arima_expand(near, order->p + order->d, far, order->P + order->D, order->m, -1, full);
}

/* Forecasts with y's own past, and in 'unit' their variances for a shock of 1. */
static void
extend(const double *y, int n, const SpmLags *ar, const SpmLags *ma, const SpmLags *full,
	   double mean, const double *shock, int left, SpmOutlook *outlook, double *psi)
{
	double		constant = mean;
	double		unit = 0;

	for (int j = 0; j < ar->n; j++)
		constant -= ar->value[j] * mean;
	for (int t = 0; t < outlook->h; t++)
	{
		double		x = constant;

		psi[t] = t == 0;
		for (int j = 0; j < full->n; j++)
		{
			int			at = t - full->lag[j];

			x += full->value[j] * (at >= 0 ? outlook->mean[at] : y[n + at]);
			if (at >= 0)
				psi[t] += full->value[j] * psi[at];
		}
		for (int j = 0; j < ma->n; j++)
		{
			int			at = t - ma->lag[j];

			if (at < 0)
				x += ma->value[j] * shock[left + at];
			else if (at == 0)
				psi[t] += ma->value[j];
		}
		unit += psi[t] * psi[t];
		outlook->mean[t] = x;
		outlook->variance[t] = unit;
	}
}

size_t
spmk_arima_outlook_space(int n, const SpmArimaOrder *order, int h)
{
	return spmk_arima_space(n, order) + (size_t) 2 * n + (size_t) 2 * h;
}

SpmForecastStatus
spmk_arima_outlook(const double *y, int n, const SpmArimaFit *fit, SpmOutlook *outlook, double *space, const SpmBreath *breath)
{
	const SpmArimaOrder *order = &fit->order;
	SpmArmaMean mean = order->has_constant ? SPM_ARMA_MEAN_GIVEN : SPM_ARMA_NO_MEAN;
	double	   *shock = space + spmk_arima_space(n, order);
	double	   *scratch = shock + n;	/* n + 2h */
	ArimaWork	work;
	SpmLags		ar;
	SpmLags		ma;
	SpmLags		full;

	if (!start(y, n, order, &work, space, breath))
		return SPM_FORECAST_SHORT;
	arima_lags(order, fit->coefficient, &ar, &ma);
	arima_integrate(fit, &full);
	work.arma.mean = order->d == 0 && order->D > 0 ? fit->constant * order->m : fit->constant;
	if (!spmk_arma_likelihood(&work.arma, &ar, &ma, mean, NULL))
		return SPM_FORECAST_UNFIT;
	spmk_arma_shocks(&work.arma, &ma, shock);
	extend(y, n, &ar, &ma, &full, order->has_constant ? work.arma.mean : 0, shock, work.n, outlook, scratch);
	spmk_arma_past(&work.arma, &ma, &full, outlook->h, outlook->variance, scratch);
	for (int t = 0; t < outlook->h; t++)
		outlook->variance[t] *= fit->sigma2;
	spmk_arima_name(order, outlook->name, sizeof(outlook->name));
	if (outlook->fitted)
	{
		if (!spmk_arma_likelihood(&work.arma, &ar, &ma, mean, NULL))
			return SPM_FORECAST_UNFIT;
		spmk_arma_innovations(&work.arma, &ar, &ma, shock);
		for (int t = 0; t < n; t++)
			outlook->fitted[t] = t < n - work.n ? NAN : y[t] - shock[t - (n - work.n)];
	}
	return SPM_FORECAST_OK;
}

/* ARIMA(1,1,1)(0,1,1)[12] with drift */
void
spmk_arima_name(const SpmArimaOrder *order, char *name, size_t size)
{
	const char *constant = !order->has_constant ? "" : order->d + order->D > 0 ? " with drift" : " with mean";

	if (order->P + order->D + order->Q > 0)
		snprintf(name, size, "ARIMA(%d,%d,%d)(%d,%d,%d)[%d]%s", order->p, order->d, order->q,
				 order->P, order->D, order->Q, order->m, constant);
	else
		snprintf(name, size, "ARIMA(%d,%d,%d)%s", order->p, order->d, order->q, constant);
}
