/*
 * arima.h
 *	  Seasonal ARIMA models: how often to difference, fits by exact likelihood, a
 *	  search for the order, forecasts.
 *
 * Signs are those of R and of Box and Jenkins' AR: w[t] = ar1 w[t-1] + ... + e[t] + ma1 e[t-1] + ...
 */
#ifndef SPMK_ARIMA_H
#define SPMK_ARIMA_H

#include "arma.h"
#include "forecast.h"

#define SPMK_ARIMA_DIFFERENCES	2	/* d and D, each at most */
#define SPMK_ARIMA_COEFFICIENTS (2 * (SPMK_ARMA_NEAR + SPMK_ARMA_FAR))
#define SPMK_ARIMA_LAG_MAX		1000	/* the longest lag of a polynomial: costs grow by its cube */

/* What the automatic search looks through. */
#define SPMK_ARIMA_AUTO_NEAR	5
#define SPMK_ARIMA_AUTO_FAR		2
#define SPMK_ARIMA_AUTO_SEASON	60	/* longer seasons are differenced, but have no terms of their own */

typedef struct SpmArimaOrder
{
	int			p;
	int			d;
	int			q;
	int			P;				/* the seasonal ones */
	int			D;
	int			Q;
	int			m;
	bool		has_constant;	/* mean if d + D = 0, drift if 1; not more */
} SpmArimaOrder;

typedef struct SpmArimaFit
{
	SpmArimaOrder order;
	double		coefficient[SPMK_ARIMA_COEFFICIENTS];	/* ar, ma, seasonal ar, seasonal ma */
	double		constant;		/* mean, or drift for each period */
	double		sigma2;			/* for the degrees of freedom that are left */
	double		log_likelihood;
	double		aicc;			/* infinite: as many coefficients as values */
	double		partial[SPMK_ARIMA_COEFFICIENTS];		/* partial autocorrelations of each polynomial */
} SpmArimaFit;

static inline int
spmk_arima_terms(const SpmArimaOrder *order)
{
	return order->p + order->q + order->P + order->Q;
}

static inline int
spmk_arima_lost(const SpmArimaOrder *order)
{
	return order->d + order->D * order->m;
}

extern int	spmk_arima_longest(const SpmArimaOrder *order);

/* Differences of a series: n - d - D m of them. */
extern int	spmk_arima_difference(const double *y, int n, const SpmArimaOrder *order, double *w);

/* How often to difference: KPSS test of level at 5 % (at most 2), strength of the season above .64 (at most 1). */
extern double spmk_kpss(const double *y, int n);
extern int	spmk_ndiffs(const double *y, int n, double *space);
extern size_t spmk_nsdiffs_space(int n, int m);
extern int	spmk_nsdiffs(const double *y, int n, int m, double *space, const SpmBreath *breath);

/*
 * 'space' has spmk_arima_space() doubles for the largest order that is tried.
 * at: with fit's own coefficients and constant.  fit: with the most likely ones.
 */
extern size_t spmk_arima_space(int n, const SpmArimaOrder *order);
extern SpmForecastStatus spmk_arima_at(const double *y, int n, SpmArimaFit *fit, double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_arima_fit(const double *y, int n, SpmArimaFit *fit, double *space, const SpmBreath *breath);

/* A mean or drift alone, or nothing, as it is when the differences are all the same. */
extern SpmForecastStatus spmk_arima_at_mean(const double *y, int n, SpmArimaFit *fit, double *space);

/* Forecasts of a fit; fitted needs the most. */
extern size_t spmk_arima_outlook_space(int n, const SpmArimaOrder *order, int h);
extern SpmForecastStatus spmk_arima_outlook(const double *y, int n, const SpmArimaFit *fit, SpmOutlook *outlook, double *space,
											const SpmBreath *breath);

/*
 * Both in one, with the reading of R's arima(): values before the first are drawn with a
 * variance of a million shocks, and innovations that tell of them are left out of the
 * likelihood.  Time and memory grow by the square of the number of states.
 */
#define SPMK_ARIMA_STATES_MAX	2000

extern int	spmk_arima_states(const SpmArimaOrder *order);
extern size_t spmk_arima_state_space(const SpmArimaOrder *order);
extern SpmForecastStatus spmk_arima_state(const double *y, int n, SpmArimaFit *fit, SpmOutlook *outlook, double *space,
										  const SpmBreath *breath);
extern void spmk_arima_name(const SpmArimaOrder *order, char *name, size_t size);

/* The order by itself: SPM_FORECAST_SHORT with less than 3 values. */
extern size_t spmk_arima_auto_space(int n, int m);
extern SpmForecastStatus spmk_arima_auto(const SpmSeries *series, SpmArimaFit *fit, double *space, const SpmBreath *breath);

/* The method of forecast.h. */
extern size_t spmk_arima_method_space(int n, int m, int h);
extern SpmForecastStatus spmk_arima(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath);

#endif
