/*
 * design_work.h
 *	  What the parts of the design kernel share: design.c, design_graph.c,
 *	  design_start.c and design_search.c.
 */
#ifndef SPMK_DESIGN_WORK_H
#define SPMK_DESIGN_WORK_H

#include "design.h"
#include "transport.h"

/* Steps between two breaths: a millisecond or so. */
#define BREATH_STEPS 8192

typedef struct DesignWork
{
	const SpmDesignInput *in;
	const SpmBreath *breath;
	SpmChance	chance;
	int			steps;			/* since the last breath */

	/* the graph: edges of unit i are first[i] .. first[i + 1] - 1 */
	int32_t    *first;			/* units + 1 */
	int32_t    *to;				/* edges * 2 */
	int32_t    *from;			/* edges * 2 */
	int32_t    *reverse;		/* edges * 2: the same edge seen from the other end */

	/* seats */
	double	   *center;			/* seats * 3 */
	double	   *best_center;	/* seats * 3 */
	double	   *home;			/* seats * 3 */
	bool	   *free;			/* seats */
	double	   *low;			/* seats * activities */
	double	   *high;
	double	   *price;			/* seats * activities, of one target */
	double	   *best_price;
	double	   *gradient;
	double	   *load;			/* seats * activities, of owner */
	int32_t    *size;			/* seats: units of owner */
	double	   *sums;			/* seats * 8, for whoever needs it */

	/* territories and seats to be matched */
	double	   *ones;			/* seats */
	double	   *match_price;	/* seats */
	SpmPiece   *match;			/* seats * 2 */
	char	   *match_memory;

	/* units */
	double	   *cost;			/* units * seats; INFINITY: barred */
	int32_t    *owner;
	int32_t    *best;
	int32_t    *dirty;			/* units whose owner may not be the best plan's */
	uint8_t    *is_dirty;
	int			dirty_count;
	int32_t    *queue;
	double	   *scratch;		/* units */
	uint32_t   *mark;
	uint32_t	marks;

	/* edges between territories */
	int32_t    *cut;			/* edges * 2 */
	int32_t    *place;			/* edges * 2: where it is in cut, or -1 */
	int			cuts;

	double		total;			/* of cost over the plan */
	double		moved;			/* value in other hands */
	double		excess;			/* sum of design_excess over seats */
	double		limit_scale;
	double		disruption;
	double		near;			/* too near to tell directions */
	int32_t    *near_seats;		/* units * near_count: the cheapest of each, unless contiguous */
	int			near_count;
} DesignWork;

static inline void
design_step(DesignWork *w, int steps)
{
	w->steps += steps;
	if (w->steps >= BREATH_STEPS)
	{
		w->steps = 0;
		spmk_breathe(w->breath);
	}
}

/* How far a load lies outside its bounds. */
static inline double
design_outside(double load, double low, double high)
{
	return load > high ? load - high : load < low ? low - load : 0;
}

/* The same for a seat with its loads, in targets. */
static inline double
design_excess(const DesignWork *w, int seat)
{
	int			activities = w->in->activities;
	double		sum = 0;

	for (int k = seat * activities; k < (seat + 1) * activities; k++)
		sum += design_outside(w->load[k], w->low[k], w->high[k]) / w->in->targets[k];
	return sum;
}

static inline double
design_limit_excess(const DesignWork *w, double moved)
{
	return moved > w->in->limit ? (moved - w->in->limit) / w->limit_scale : 0;
}

static inline bool
design_may(const DesignWork *w, int unit, int seat)
{
	return w->cost[(size_t) unit * w->in->seats + seat] < 1e300;
}

/* design_graph.c */
extern void design_graph(DesignWork *w);
extern bool design_may_leave(DesignWork *w, int unit);
extern int	design_pieces(DesignWork *w, int32_t *piece);
extern void design_repair(DesignWork *w);
extern int	design_unreached(DesignWork *w);

/* design_start.c */
extern double design_distance(const DesignWork *w, int unit, const double *center);
extern void design_costs(DesignWork *w, int seat);
extern void design_recenter(DesignWork *w);
extern double design_prices(DesignWork *w, int rounds);
extern void design_keep(DesignWork *w);
extern void design_start(DesignWork *w, int64_t budget);

/* design_search.c */
extern void design_count(DesignWork *w);
extern int64_t design_search(DesignWork *w, int64_t moves, int search);

#endif
