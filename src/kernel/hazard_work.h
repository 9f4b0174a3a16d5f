/*
 * hazard_work.h
 *	  What the files of hazard.h have in common.
 */
#ifndef SPMK_HAZARD_WORK_H
#define SPMK_HAZARD_WORK_H

#include "hazard.h"

#define LEAST_PRIOR		4.0			/* events that stand for all, against those of a level */
#define BREATH_ROWS		4096
#define SPMK_OVERDUE	30			/* days after which a close date is long overdue */

#define EVENTS(h) ((h)->nstages + 2)
#define AT_RISK(h, s, e, a) ((h)->at_risk[((size_t) (s) * SPMK_WAYS + WAY(e)) * (h)->width + (a)])
#define ENDED(h, s, e, a) ((h)->events[((size_t) (s) * EVENTS(h) + (e)) * (h)->width + (a)])
#define RATE(h, s, e, a) ((h)->rate[((size_t) (s) * EVENTS(h) + (e)) * (h)->width + (a)])
#define REACH(h, s, w, a) ((h)->reach[((size_t) (s) * SPMK_WAYS + (w)) * (h)->width + (a)])
#define SPEED(h, s, a) ((h)->speed[(size_t) (s) * (h)->width + (a)])
#define WAY(event) ((event) < SPM_SPELL_MOVED ? (event) : SPM_SPELL_MOVED)

/* What was known of a spell by the end of as_of; false: it had not begun. */
typedef struct Known
{
	int			from;			/* age after which it was at risk */
	int			to;				/* age at its end, or at as_of */
	int			event;
} Known;

/* Where days lie by a close date, as it was known at the end of a day. */
typedef struct SpmCloseView
{
	int			at;				/* that day */
	int			date;			/* INT_MAX: none was known */
} SpmCloseView;

extern bool spmk_hazard_known(const SpmHazard *hazard, const SpmSpell *spell, Known *known);
extern int	spmk_hazard_level(const SpmHazard *hazard, const SpmSpell *spell, int factor);
extern void spmk_hazard_times(const SpmHazard *hazard, const SpmSpell *spell, double times[SPMK_WAYS]);
extern void spmk_learn_factor(SpmHazard *hazard, const SpmPipeline *pipeline, int factor);
extern void spmk_factor_level_off(SpmFactor *factor, int way);
extern void spmk_factor_draw(SpmFactor *factor, int way);
extern void spmk_learn_close(SpmHazard *hazard, const SpmPipeline *pipeline, int horizon, const SpmBreath *breath);
extern int	spmk_close_known(const SpmPipeline *pipeline, int deal, int day, int *next);
extern int	spmk_close_level(SpmCloseView view, int day);

#endif
