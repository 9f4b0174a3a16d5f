/*
 * ets_search.h
 *	  What the parts of the search for a model share: the unknowns of a form in
 *	  one row, the loss they make, and its slopes.
 *
 * Unknowns go in the order alpha, level, [beta / alpha, growth, [phi]],
 * [gamma / (1 - alpha)], first seasons but the last: of a season, what all of it
 * has in common is the level's.  So each ranges by itself.
 */
#ifndef SPMK_ETS_SEARCH_H
#define SPMK_ETS_SEARCH_H

#include "ets.h"

/* unknowns with all seasons free; one row of slopes, even */
#define ETS_MOST_UNKNOWNS	(5 + SPM_ETS_FREE_SEASONS)
#define ETS_MOST_COLUMNS	32

/* No parameter is less: states always learn a little. */
#define ETS_LEAST_WEIGHT	1e-4

enum {ETS_ALPHA, ETS_LEVEL, ETS_BETA, ETS_GROWTH, ETS_PHI};

typedef struct EtsProblem
{
	SpmEtsForm	form;
	const double *y;			/* of a size about 1 */
	const SpmBreath *breath;
	int			n;
	int			m;				/* 1 without a season */
	int			gamma;			/* where the season's parameter is; 0: none */
	int			first_season;	/* where the first seasons are */
	int			unknowns;
	int			free_seasons;	/* 0: they stay as they are, m - 1 else */
	double		least_squares;	/* errors below this are those of rounding: no form is more exact than exact */
	double		loss;			/* at w */
	double		floor;			/* of the loss, once searched */
	double		most_beta;		/* bounds of what w says of growth and season: 1, or less to be admissible */
	double		most_gamma;
	double		w[ETS_MOST_UNKNOWNS];
	double		season[SPM_ETS_FREE_SEASONS];	/* at first; those that are free are in w */
} EtsProblem;

/* Points that losses are found of at once: a chain from value to value leaves time for others. */
#define ETS_POINTS			4

/* Sums over time of products of slopes, scaled by 1 / forecast where errors are in proportion. */
typedef struct EtsSlopes
{
	int			stride;
	int			residual;		/* column */
	double		squares;
	double		ones[ETS_MOST_COLUMNS];	/* sums of slopes; errors in proportion only */
	double		gram[ETS_MOST_COLUMNS * ETS_MOST_COLUMNS];
} EtsSlopes;

/* -2 log likelihood; infinite where the form cannot go on. */
extern double spmk_ets_loss(const EtsProblem *problem, const double *w);
extern void spmk_ets_losses(const EtsProblem *problem, const double (*points)[ETS_MOST_UNKNOWNS], int count, double *losses);
extern void spmk_ets_slopes(const EtsProblem *problem, const double *w, EtsSlopes *slopes);

/* ets_start.c */
extern double spmk_ets_least_squares(const double *y, int n);
extern void spmk_ets_problem(EtsProblem *problem, SpmEtsForm form, const double *y, int n, int m,
							 double least_squares, bool seasons_are_free, const SpmBreath *breath);
extern void spmk_ets_start(EtsProblem *problem, const EtsProblem *const *kin, int nkin, double *space);

/* ets_fit.c */
extern double spmk_ets_search(EtsProblem *problem, double tolerance, double limit);

#endif
