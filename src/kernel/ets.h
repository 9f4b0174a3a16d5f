/*
 * ets.h
 *	  Exponential smoothing as a model: error, trend and season, each added or
 *	  times (Hyndman, Koehler, Ord & Snyder 2008).
 *
 * Fifteen forms: an added error with trend none, added or damped and season none
 * or added; an error in proportion with, besides, a season that multiplies.
 *
 *		q = level + phi * growth
 *		forecast = q, q + season or q * season;  e = value - forecast
 *		level  = q + alpha * e					(e / season if it multiplies)
 *		growth = phi * growth + beta * e		(e / season)
 *		season = season + gamma * e				(e / q)
 */
#ifndef SPMK_ETS_H
#define SPMK_ETS_H

#include "forecast.h"

/* Above this the first seasons are those of a decomposition: too many to search for. */
#define SPM_ETS_FREE_SEASONS	24

#define SPM_ETS_FORMS			15

typedef enum SpmEtsTrend
{
	SPM_ETS_LEVEL,
	SPM_ETS_TREND,
	SPM_ETS_DAMPED
} SpmEtsTrend;

typedef enum SpmEtsSeason
{
	SPM_ETS_NO_SEASON,
	SPM_ETS_ADDED,
	SPM_ETS_TIMES
} SpmEtsSeason;

typedef struct SpmEtsForm
{
	bool		relative;		/* the error is in proportion to the forecast */
	SpmEtsTrend trend;
	SpmEtsSeason season;
} SpmEtsForm;

/* A form with its parameters, and where it stands between two values. */
typedef struct SpmEts
{
	SpmEtsForm	form;
	int			m;				/* 1 without a season */
	double		alpha;
	double		beta;			/* 0 without a trend */
	double		gamma;			/* 0 without a season */
	double		phi;			/* 1 where it is not damped */
	double		level;
	double		growth;			/* 0 without a trend */
	double	   *season;			/* m, the one that is due first */
} SpmEts;

/* How far a model is from the values it has seen. */
typedef struct SpmEtsFit
{
	double		squares;		/* sum of errors squared, in proportion if the form is */
	double		loglik;			/* up to a constant, as the field gives it */
	double		sigma2;			/* squares / (n - parameters but the variance) */
	double		aicc;			/* infinite: more parameters than values can tell */
	int			parameters;		/* with the first states and the variance */
} SpmEtsFit;

extern const SpmEtsForm spmk_ets_forms[SPM_ETS_FORMS];

extern bool spmk_ets_form(const char *text, SpmEtsForm *form);
extern void spmk_ets_name(SpmEtsForm form, char *name);
extern int	spmk_ets_parameters(SpmEtsForm form, int m);
extern bool spmk_ets_run(SpmEts *model, const double *y, int n, double *fitted, SpmEtsFit *fit);
extern void spmk_ets_ahead(const SpmEts *model, double sigma2, int h, double *mean, double *variance, const SpmBreath *breath);
extern bool spmk_ets_is_admissible(const SpmEts *model, double *space, const SpmBreath *breath);

/*
 * ets_auto.c: the parameters and first states that make a series most likely, of
 * one form or of the form with the least AICc.  Seasons lie at the start of 'space'.
 */
extern bool spmk_ets_fits(SpmEtsForm form, const SpmSeries *series);
extern size_t spmk_ets_fit_space(int n, int m);
extern SpmForecastStatus spmk_ets_fit(const SpmSeries *series, SpmEtsForm form, SpmEts *model,
									  double *space, const SpmBreath *breath);
extern SpmForecastStatus spmk_ets_auto(const SpmSeries *series, SpmEts *model, double *space, const SpmBreath *breath);

#endif
