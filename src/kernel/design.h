/*
 * design.h
 *	  Units of land or accounts divided among seats: each territory in one piece,
 *	  its loads within tolerance of what the seat can carry, little travel, and
 *	  little taken from those who have it.
 *
 *	  minimise	  sum of weight * distance to the home of its seat
 *				+ disruption * sum of value that changes hands
 *
 * Three steps.  Prices on loads (Lagrange multipliers) tell where the borders of
 * balanced territories run, and where free seats live best; pieces that lie apart
 * are given to who surrounds them; then borders are annealed, a unit at a time,
 * and never across a gap.  The prices also prove how little it can cost.
 */
#ifndef SPMK_DESIGN_H
#define SPMK_DESIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "solve.h"

/* In kilometres; the radius of the sphere with the area of the Earth. */
#define SPM_EARTH_RADIUS 6371.0072

typedef enum SpmDesignStatus
{
	SPM_DESIGN_OK,
	SPM_DESIGN_TOO_LARGE,		/* unit: alone more than any of its seats may carry */
	SPM_DESIGN_BARRED,			/* unit: may go to no seat, or is locked to one that it may not go to */
	SPM_DESIGN_LOCKED,			/* seat: what is locked to it is more than it may carry */
	SPM_DESIGN_FEW,				/* fewer units than seats */
	SPM_DESIGN_APART,			/* unit: not connected with the first */
	SPM_DESIGN_LIMIT			/* what has no seat is alone worth more than may move */
} SpmDesignStatus;

typedef struct SpmDesignInput
{
	int			units;
	int			seats;
	int			activities;
	int			edges;
	const double *points;		/* units * 3: on the unit sphere, or anywhere if radius is 0 */
	const double *loads;		/* units * activities, none negative */
	const double *weights;		/* units: what a kilometre of it costs */
	const double *values;		/* units: what is lost when it changes hands */
	const int32_t *current;		/* units: seat that has it, or -1 */
	const uint8_t *locked;		/* units: whether it stays there */
	const int32_t *pairs;		/* edges * 2: units that touch */
	const double *homes;		/* seats * 3; NAN: free to move */
	const double *targets;		/* seats * activities, all above 0 */
	const double *tolerances;	/* activities, as ratios */
	const double *given;		/* units * seats distances, NAN: by the points, INFINITY: barred; or NULL */
	double		radius;
	bool		contiguous;
	bool		keep;			/* begin with what is, not with a clean map */
	double		disruption;		/* NAN, with keep: strong */
	double		limit;			/* value that may change hands, or INFINITY */
	int64_t		moves;
	uint64_t	seed;
} SpmDesignInput;

typedef struct SpmDesignResult
{
	int32_t    *owner;			/* units */
	double	   *homes;			/* seats * 3 */
	double	   *distances;		/* units: to the home of its seat */
	double		cost;
	double		disruption;		/* as used */
	double		bound;			/* no balanced plan with these homes costs less, contiguous or not */
	double		moved;			/* value that changes hands */
	double		excess;			/* load outside of the tolerances and value over the limit, in targets; 0: all kept */
	int			pieces;			/* more than there are seats: some territory is in more than one */
	int64_t		moves;			/* that were tried */
	int			where;			/* unit or seat of an error */
	int			activity;		/* of an error */
} SpmDesignResult;

extern size_t spmk_design_memory(const SpmDesignInput *in);
extern SpmDesignStatus spmk_design(const SpmDesignInput *in, void *memory,
								   SpmDesignResult *out, const SpmBreath *breath);

/* A point of the unit sphere, from degrees. */
extern void spmk_sphere_point(double latitude, double longitude, double *point);
extern void spmk_sphere_degrees(const double *point, double *latitude, double *longitude);

/* Borders where there are none. */
#define SPM_NEAR_MAX 32
extern int	spmk_near_pairs(const double *points, int n, int count, int32_t *pairs, const SpmBreath *breath);
extern int	spmk_bridge_pairs(const double *points, int n, const int32_t *pairs, int edges, int32_t *bridges,
							  int32_t *part, int32_t *from, double *far, int32_t *queue, const SpmBreath *breath);

#endif
