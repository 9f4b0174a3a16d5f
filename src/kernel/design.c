/*
 * design.c
 *	  The order of the steps of a design, and what is refused before them.
 */
#include <math.h>
#include <string.h>

#include "design_work.h"

/* Of the moves, so much finds homes; the rest is for borders. */
#define START_SHARE 0.25
/* What is hard to balance is searched again, from where it got to. */
#define MAX_SEARCHES 3
/* Seats that a unit may go to when territories need not be in one piece. */
#define NEAR_SEATS 8

void
spmk_sphere_point(double latitude, double longitude, double *point)
{
	double		phi = latitude * (M_PI / 180);
	double		lambda = longitude * (M_PI / 180);

	point[0] = cos(phi) * cos(lambda);
	point[1] = cos(phi) * sin(lambda);
	point[2] = sin(phi);
}

void
spmk_sphere_degrees(const double *point, double *latitude, double *longitude)
{
	*latitude = atan2(point[2], sqrt(point[0] * point[0] + point[1] * point[1])) * (180 / M_PI);
	*longitude = atan2(point[1], point[0]) * (180 / M_PI);
}

/* Takes a piece of the memory, or only counts it if there is none. */
static void *
take(char *memory, size_t *used, size_t count, size_t size)
{
	void	   *piece = memory ? memory + *used : NULL;

	*used += (count * size + 15) & ~(size_t) 15;
	return piece;
}

static size_t
lay_out(const SpmDesignInput *in, char *memory, DesignWork *w)
{
	size_t		used = 0;
	size_t		n = in->units;
	size_t		ends = (size_t) in->edges * 2;
	size_t		loads = (size_t) in->seats * in->activities;

#define TAKE(field, count) w->field = take(memory, &used, (count), sizeof(*w->field))
	w->near_count = in->contiguous ? 1 : in->seats < NEAR_SEATS ? in->seats : NEAR_SEATS;
	TAKE(first, n + 1);
	TAKE(to, ends);
	TAKE(from, ends);
	TAKE(reverse, ends);
	TAKE(cut, ends);
	TAKE(place, ends);
	TAKE(center, (size_t) in->seats * 3);
	TAKE(best_center, (size_t) in->seats * 3);
	TAKE(home, (size_t) in->seats * 3);
	TAKE(free, in->seats);
	TAKE(low, loads);
	TAKE(high, loads);
	TAKE(price, loads);
	TAKE(best_price, loads);
	TAKE(gradient, loads);
	TAKE(load, loads);
	TAKE(size, in->seats);
	TAKE(sums, (size_t) in->seats * 6);
	TAKE(ones, in->seats);
	TAKE(match_price, in->seats);
	TAKE(match, spmk_transport_pieces(in->seats, in->seats));
	TAKE(match_memory, spmk_transport_memory(in->seats, in->seats));
	TAKE(cost, n * in->seats);
	TAKE(owner, n);
	TAKE(best, n);
	TAKE(dirty, n);
	TAKE(is_dirty, n);
	TAKE(queue, n);
	TAKE(scratch, n);
	TAKE(mark, n);
	TAKE(near_seats, n * w->near_count);
#undef TAKE
	return used;
}

size_t
spmk_design_memory(const SpmDesignInput *in)
{
	DesignWork	w;

	return lay_out(in, NULL, &w);
}

static bool
may(const SpmDesignInput *in, int unit, int seat)
{
	return (!in->locked[unit] || in->current[unit] == seat) &&
		(!in->given || !isinf(in->given[(size_t) unit * in->seats + seat]));
}

/* What no search could mend. */
static SpmDesignStatus
check(DesignWork *w, SpmDesignResult *out)
{
	const SpmDesignInput *in = w->in;
	int			activities = in->activities;
	double		homeless = 0;

	out->where = -1;
	out->activity = -1;
	out->moves = 0;
	if (in->units < in->seats)
		return SPM_DESIGN_FEW;
	memset(w->load, 0, sizeof(double) * in->seats * activities);
	for (int i = 0; i < in->units; i++)
	{
		bool		any = false;
		int			heavy = -1;
		bool		fits = false;

		for (int j = 0; j < in->seats; j++)
		{
			int			over = -1;

			if (!may(in, i, j))
				continue;
			any = true;
			for (int k = 0; k < activities && over < 0; k++)
			{
				if (in->loads[(size_t) i * activities + k] > w->high[j * activities + k])
					over = k;
			}
			if (over < 0)
				fits = true;
			else
				heavy = over;
		}
		out->where = i;
		out->activity = heavy;
		if (!any)
			return SPM_DESIGN_BARRED;
		if (!fits)
			return SPM_DESIGN_TOO_LARGE;
		for (int k = 0; k < activities && in->locked[i]; k++)
			w->load[in->current[i] * activities + k] += in->loads[(size_t) i * activities + k];
		if (in->current[i] >= 0 && !may(in, i, in->current[i]))
			homeless += in->values[i];
		design_step(w, in->seats / 4 + 1);
	}
	for (int j = 0; j < in->seats; j++)
	{
		for (int k = 0; k < activities; k++)
		{
			out->where = j;
			out->activity = k;
			if (w->load[j * activities + k] > w->high[j * activities + k])
				return SPM_DESIGN_LOCKED;
		}
	}
	out->activity = -1;
	if (homeless > in->limit)
		return SPM_DESIGN_LIMIT;
	if (in->contiguous && (out->where = design_unreached(w)) >= 0)
		return SPM_DESIGN_APART;
	out->where = -1;
	return SPM_DESIGN_OK;
}

/* No territory is left without a unit: it gets the nearest that another can spare. */
static void
fill_empty(DesignWork *w)
{
	const SpmDesignInput *in = w->in;

	memset(w->size, 0, sizeof(int32_t) * in->seats);
	for (int i = 0; i < in->units; i++)
	{
		if (w->owner[i] >= 0)
			w->size[w->owner[i]]++;
	}
	for (int j = 0; j < in->seats; j++)
	{
		int			nearest = -1;

		for (int i = 0; i < in->units && w->size[j] == 0; i++)
		{
			size_t		at = (size_t) i * in->seats + j;

			if (in->locked[i] || !design_may(w, i, j) || (w->owner[i] >= 0 && w->size[w->owner[i]] < 2))
				continue;
			if (nearest < 0 || w->cost[at] < w->cost[(size_t) nearest * in->seats + j])
				nearest = i;
		}
		if (nearest < 0)
			continue;
		if (w->owner[nearest] >= 0)
			w->size[w->owner[nearest]]--;
		w->owner[nearest] = j;
		w->size[j]++;
		design_step(w, in->units / 4 + 1);
	}
}

SpmDesignStatus
spmk_design(const SpmDesignInput *in, void *memory, SpmDesignResult *out, const SpmBreath *breath)
{
	DesignWork	work;
	DesignWork *w = &work;
	SpmDesignStatus status;
	double		all_values = 0;
	int64_t		moves = in->moves;

	memset(w, 0, sizeof(*w));
	lay_out(in, memory, w);
	w->in = in;
	w->breath = breath;
	w->chance.state = in->seed;
	w->disruption = isnan(in->disruption) ? 0 : in->disruption;
	w->near = in->radius > 0 ? 1e-6 : 1e-9;
	memset(w->mark, 0, sizeof(uint32_t) * in->units);
	for (int i = 0; i < in->units; i++)
		all_values += in->values[i];
	w->limit_scale = all_values > 0 ? all_values / in->seats : 1;
	for (int j = 0; j < in->seats; j++)
	{
		w->free[j] = isnan(in->homes[j * 3]);
		for (int d = 0; d < 3; d++)
			w->center[j * 3 + d] = w->free[j] ? 0 : in->homes[j * 3 + d];
		for (int k = 0; k < in->activities; k++)
		{
			double		target = in->targets[j * in->activities + k];

			w->low[j * in->activities + k] = target * (1 - in->tolerances[k]);
			w->high[j * in->activities + k] = target * (1 + in->tolerances[k]);
		}
	}
	design_graph(w);
	status = check(w, out);
	if (status != SPM_DESIGN_OK)
		return status;

	if (in->keep)
		design_keep(w);
	else
		design_start(w, (int64_t) (moves * START_SHARE));
	fill_empty(w);
	design_repair(w);
	for (int search = 0; search < MAX_SEARCHES; search++)
	{
		out->moves += design_search(w, moves - (int64_t) (moves * START_SHARE), search);
		if (w->excess >= 1e-9)
			continue;
		/* A balance that was hard to find is not yet a good one. */
		if (search > 0)
			out->moves += design_search(w, moves - (int64_t) (moves * START_SHARE), 0);
		break;
	}

	out->pieces = in->contiguous ? design_pieces(w, w->best) : in->seats;
	out->cost = w->total;
	out->disruption = w->disruption;
	out->moved = w->moved;
	out->excess = w->excess < 1e-9 ? 0 : w->excess;
	memcpy(out->owner, w->owner, sizeof(int32_t) * in->units);
	memcpy(out->homes, w->center, sizeof(double) * 3 * in->seats);
	for (int i = 0; i < in->units; i++)
	{
		double		given = in->given ? in->given[(size_t) i * in->seats + w->owner[i]] : NAN;

		out->distances[i] = isnan(given) ? design_distance(w, i, w->center + w->owner[i] * 3) : given;
	}
	out->bound = design_prices(w, 400);
	return SPM_DESIGN_OK;
}
