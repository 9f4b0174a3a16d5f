/*
 * design_start.c
 *	  Where seats live and where the borders of balanced territories run.
 *
 * Each load of each seat has a price.  Every unit goes where its cost and the
 * prices of its loads are least; prices rise where too much goes and fall where
 * too little does.  For any prices, what the units cost that way less what the
 * allowed loads are worth is no more than what the best balanced plan costs: the
 * bound.  With equal weights these territories are the cells of a weighted
 * Voronoi diagram, so few of them fall to pieces.
 */
#include <math.h>
#include <string.h>

#include "design_work.h"

/* How many assignments of a unit to all seats count as one move of the search. */
#define PAIRS_A_MOVE 256
/* Times the distance now that it is worth to leave things where they are. */
#define STRONG 20
/* Times what a seat costs on the average that a load is worth which is one target off. */
#define LACK 2

double
design_distance(const DesignWork *w, int unit, const double *center)
{
	const double *p = w->in->points + (size_t) unit * 3;
	double		x = p[0] - center[0];
	double		y = p[1] - center[1];
	double		z = p[2] - center[2];
	double		chord = sqrt(x * x + y * y + z * z);

	if (w->in->radius <= 0)
		return chord;
	return 2 * w->in->radius * asin(chord < 2 ? chord / 2 : 1);
}

/* What each unit costs at a seat. */
void
design_costs(DesignWork *w, int seat)
{
	const SpmDesignInput *in = w->in;

	for (int i = 0; i < in->units; i++)
	{
		double	   *cost = w->cost + (size_t) i * in->seats + seat;
		double		distance = in->given ? in->given[(size_t) i * in->seats + seat] : NAN;

		if (isinf(distance) || (in->locked[i] && in->current[i] != seat))
		{
			*cost = INFINITY;
			continue;
		}
		if (isnan(distance))
			distance = design_distance(w, i, w->center + seat * 3);
		*cost = in->weights[i] * distance;
		if (in->current[i] >= 0 && in->current[i] != seat)
			*cost += w->disruption * in->values[i];
	}
	design_step(w, in->units / 4 + 1);
}

/* Numbers for each seat while it looks for a better home. */
#define SUMS 6

/*
 * Moves each free seat to where its territory is nearest by weight (the
 * geometric median, by steps of Weiszfeld), if that is nearer.
 */
void
design_recenter(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	double	   *next = w->home;
	bool		any = false;

	for (int j = 0; j < in->seats; j++)
	{
		any |= w->free[j];
		memcpy(next + j * 3, w->center + j * 3, 3 * sizeof(double));
	}
	if (!any)
		return;

	for (int step = 0; step < 6; step++)
	{
		memset(w->sums, 0, sizeof(double) * SUMS * in->seats);
		for (int i = 0; i < in->units; i++)
		{
			int			seat = w->owner[i];
			double	   *sum = w->sums + (seat < 0 ? 0 : seat) * SUMS;
			const double *p = in->points + (size_t) i * 3;
			const double *c = next + (seat < 0 ? 0 : seat) * 3;
			double		x;
			double		y;
			double		z;
			double		pull;

			if (seat < 0 || !w->free[seat])
				continue;
			x = p[0] - c[0];
			y = p[1] - c[1];
			z = p[2] - c[2];
			/* A unit at the very place would hold it for ever. */
			pull = in->weights[i] / (sqrt(x * x + y * y + z * z) + w->near);
			sum[0] += pull * p[0];
			sum[1] += pull * p[1];
			sum[2] += pull * p[2];
			sum[3] += pull;
		}
		for (int j = 0; j < in->seats; j++)
		{
			double	   *sum = w->sums + j * SUMS;
			double		size;

			if (!w->free[j] || sum[3] <= 0)
				continue;
			for (int d = 0; d < 3; d++)
				next[j * 3 + d] = sum[d] / sum[3];
			if (in->radius <= 0)
				continue;
			size = sqrt(next[j * 3] * next[j * 3] + next[j * 3 + 1] * next[j * 3 + 1] + next[j * 3 + 2] * next[j * 3 + 2]);
			for (int d = 0; d < 3 && size > 0; d++)
				next[j * 3 + d] /= size;
		}
		design_step(w, in->units / 4 + 1);
	}

	memset(w->sums, 0, sizeof(double) * SUMS * in->seats);
	for (int i = 0; i < in->units; i++)
	{
		int			seat = w->owner[i];

		if (seat < 0 || !w->free[seat])
			continue;
		w->sums[seat * SUMS] += in->weights[i] * design_distance(w, i, w->center + seat * 3);
		w->sums[seat * SUMS + 1] += in->weights[i] * design_distance(w, i, next + seat * 3);
	}
	design_step(w, in->units / 2 + 1);
	for (int j = 0; j < in->seats; j++)
	{
		if (w->free[j] && w->sums[j * SUMS + 1] < w->sums[j * SUMS])
		{
			memcpy(w->center + j * 3, next + j * 3, 3 * sizeof(double));
			design_costs(w, j);
		}
	}
}

/*
 * Steps along the gradient of the bound from the prices so far; leaves the
 * prices of the best bound, which it returns, and gives each unit to its seat.
 */
double
design_prices(DesignWork *w, int rounds)
{
	const SpmDesignInput *in = w->in;
	int			activities = in->activities;
	int			prices = in->seats * activities;
	double		best = -INFINITY;
	double		reach = 0;
	int			since = 0;

	for (int round = 0; round <= rounds; round++)
	{
		double		bound = 0;
		double		square = 0;
		bool		last = round == rounds;

		if (last)
			memcpy(w->price, w->best_price, sizeof(double) * prices);
		memset(w->load, 0, sizeof(double) * prices);
		for (int i = 0; i < in->units; i++)
		{
			const double *cost = w->cost + (size_t) i * in->seats;
			const double *load = in->loads + (size_t) i * activities;
			double		least = INFINITY;
			int			seat = -1;

			if (activities == 1)
			{
				for (int j = 0; j < in->seats; j++)
				{
					double		sum = cost[j] + load[0] * w->price[j];

					if (sum < least)
					{
						least = sum;
						seat = j;
					}
				}
			}
			else
			{
				for (int j = 0; j < in->seats; j++)
				{
					double		sum = cost[j];

					for (int k = 0; k < activities; k++)
						sum += load[k] * w->price[j * activities + k];
					if (sum < least)
					{
						least = sum;
						seat = j;
					}
				}
			}
			w->owner[i] = seat;
			bound += least;
			for (int k = 0; k < activities; k++)
				w->load[seat * activities + k] += load[k];
			design_step(w, in->seats / 4 + 1);
		}
		for (int p = 0; p < prices; p++)
		{
			double		outside;

			bound -= w->price[p] * (w->price[p] > 0 ? w->high[p] : w->low[p]);
			if (w->price[p] > 0)
				outside = w->load[p] - w->high[p];
			else if (w->price[p] < 0)
				outside = w->load[p] - w->low[p];
			else
				outside = w->load[p] > w->high[p] ? w->load[p] - w->high[p] :
					w->load[p] < w->low[p] ? w->load[p] - w->low[p] : 0;
			w->gradient[p] = outside / in->targets[p];
			square += w->gradient[p] * w->gradient[p];
		}
		if (bound > best)
		{
			best = bound;
			memcpy(w->best_price, w->price, sizeof(double) * prices);
			since = 0;
		}
		else if (++since >= 8)
		{
			reach /= 2;
			since = 0;
		}
		if (last || square < 1e-20)
			break;
		if (reach <= 0)
			reach = 0.03 * fabs(best) + 1e-12;
		for (int p = 0; p < prices; p++)
			w->price[p] += (best + reach - bound) / square * w->gradient[p] / in->targets[p];
	}
	return best;
}

static void
forget_prices(DesignWork *w)
{
	memset(w->price, 0, sizeof(double) * w->in->seats * w->in->activities);
}

/* Free seats far from each other: each the next with a chance by weight and distance to those before. */
static void
scatter(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	double	   *far = w->scratch;

	for (int i = 0; i < in->units; i++)
		far[i] = INFINITY;
	for (int pass = 0; pass < 2; pass++)
	{
		/* those that are where they are go first */
		for (int j = 0; j < in->seats; j++)
		{
			double	   *center = w->center + j * 3;

			if (w->free[j] != (pass == 1))
				continue;
			if (pass == 1)
			{
				double		sum = 0;
				double		drawn;
				int			unit = 0;

				for (int i = 0; i < in->units; i++)
					sum += in->weights[i] * (isinf(far[i]) ? 1 : far[i]);
				drawn = spmk_chance_unit(&w->chance) * sum;
				for (int i = 0; i < in->units; i++)
				{
					drawn -= in->weights[i] * (isinf(far[i]) ? 1 : far[i]);
					unit = i;
					if (drawn < 0)
						break;
				}
				memcpy(center, in->points + (size_t) unit * 3, 3 * sizeof(double));
			}
			for (int i = 0; i < in->units; i++)
			{
				double		distance = design_distance(w, i, center);

				if (distance < far[i])
					far[i] = distance;
			}
			design_step(w, in->units);
		}
	}
}

/*
 * From homes to balanced cells and back, a few times; what the last cells cost,
 * with a price for what they lack in balance.
 */
static double
settle(DesignWork *w, int rounds, int steps)
{
	const SpmDesignInput *in = w->in;
	double		total = 0;
	double		excess = 0;

	forget_prices(w);
	for (int j = 0; j < in->seats; j++)
		design_costs(w, j);
	design_prices(w, 3 * steps);
	for (int round = 0; round < rounds; round++)
	{
		design_recenter(w);
		design_prices(w, steps);
	}
	for (int i = 0; i < in->units; i++)
		total += w->cost[(size_t) i * in->seats + w->owner[i]];
	for (int j = 0; j < in->seats; j++)
		excess += design_excess(w, j);
	return total * (1 + LACK * excess / in->seats);
}

/* Puts a free seat beside another, near where much is far from everybody. */
static void
relocate(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	double		sum = 0;
	double		drawn;
	int			seat;
	int			unit = 0;

	do
		seat = spmk_chance_below(&w->chance, in->seats);
	while (!w->free[seat]);
	for (int i = 0; i < in->units; i++)
		sum += in->weights[i] * design_distance(w, i, w->center + w->owner[i] * 3);
	drawn = spmk_chance_unit(&w->chance) * sum;
	for (int i = 0; i < in->units; i++)
	{
		drawn -= in->weights[i] * design_distance(w, i, w->center + w->owner[i] * 3);
		unit = i;
		if (drawn < 0)
			break;
	}
	memcpy(w->center + seat * 3, in->points + (size_t) unit * 3, 3 * sizeof(double));
}

/*
 * Free seats of one size are as good as each other: each gets the new territory
 * in which most of what it has lies.
 */
static void
match_seats(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	int			seats = in->seats;
	double	   *cost = w->cost;	/* units * seats: large enough, and worked out anew below */
	SpmTransport match = {seats, seats, cost, w->ones, w->ones, w->ones, w->breath, w->match_price, w->match};

	memset(cost, 0, sizeof(double) * seats * seats);
	for (int i = 0; i < in->units; i++)
	{
		if (in->current[i] >= 0)
			cost[(size_t) w->owner[i] * seats + in->current[i]] -= in->values[i];
	}
	for (int j = 0; j < seats; j++)
	{
		w->ones[j] = 1;
		w->match_price[j] = 0;
		for (int other = 0; other < seats && other != j; other++)
		{
			bool		alike = w->free[j] && w->free[other];

			for (int k = 0; k < in->activities && alike; k++)
				alike = in->targets[j * in->activities + k] == in->targets[other * in->activities + k];
			if (!alike)
				cost[(size_t) j * seats + other] = cost[(size_t) other * seats + j] = INFINITY;
		}
		design_step(w, seats);
	}
	if (spmk_transport(&match, w->match_memory) != SPM_TRANSPORT_OK)
		return;
	memcpy(w->best_center, w->center, sizeof(double) * 3 * seats);
	for (int p = 0; p < match.npieces; p++)
	{
		if (w->match[p].amount > 0.5)
			memcpy(w->center + w->match[p].seat * 3, w->best_center + w->match[p].unit * 3, 3 * sizeof(double));
	}
}

/*
 * Homes, prices and owners to begin with: from several random homes, then with
 * one seat after another put elsewhere, as long as the budget (of moves) lasts.
 */
void
design_start(DesignWork *w, int64_t budget)
{
	const SpmDesignInput *in = w->in;
	int			rounds = 8;
	int			steps = 15;
	double		pairs = (double) in->units * in->seats;
	double		a_try = pairs * ((rounds + 3) * steps + 24 * rounds) / PAIRS_A_MOVE;
	int			tries = (int) (a_try <= 0 ? 1 : budget / a_try < 1 ? 1 : budget / a_try > 400 ? 400 : budget / a_try);
	int			scattered = tries / 4 < 1 ? 1 : tries / 4;
	double		best = INFINITY;
	bool		any = false;

	for (int j = 0; j < in->seats; j++)
		any |= w->free[j];
	if (!any)
	{
		settle(w, 0, 60);
		return;
	}
	for (int attempt = 0; attempt < tries; attempt++)
	{
		double		cost;

		if (attempt < scattered)
			scatter(w);
		else
		{
			memcpy(w->center, w->best_center, sizeof(double) * 3 * in->seats);
			memcpy(w->owner, w->best, sizeof(int32_t) * in->units);
			relocate(w);
		}
		cost = settle(w, rounds, steps);
		if (cost < best)
		{
			best = cost;
			memcpy(w->best_center, w->center, sizeof(double) * 3 * in->seats);
			memcpy(w->best, w->owner, sizeof(int32_t) * in->units);
		}
	}
	memcpy(w->center, w->best_center, sizeof(double) * 3 * in->seats);
	memcpy(w->owner, w->best, sizeof(int32_t) * in->units);
	if (in->given == NULL)
		match_seats(w);
	settle(w, 2, 60);
}

/* So much that hardly anything moves that need not: many times what reaching it costs now. */
static double
strong_disruption(const DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	double		sum = 0;
	double		value = 0;

	for (int i = 0; i < in->units; i++)
	{
		if (in->current[i] < 0)
			continue;
		sum += in->weights[i] * design_distance(w, i, w->center + in->current[i] * 3);
		value += in->values[i];
	}
	return value > 0 ? STRONG * sum / value : 0;
}

/* A seat that has nothing yet begins where most is far from everybody. */
static void
settle_new(DesignWork *w, int seat, const bool *settled)
{
	const SpmDesignInput *in = w->in;
	double		most = -1;

	for (int i = 0; i < in->units; i++)
	{
		double		nearest = INFINITY;

		for (int j = 0; j < in->seats; j++)
		{
			if (settled[j])
				nearest = fmin(nearest, design_distance(w, i, w->center + j * 3));
		}
		if (isinf(nearest))
			nearest = 1;
		if (in->weights[i] * nearest > most)
		{
			most = in->weights[i] * nearest;
			memcpy(w->center + seat * 3, in->points + (size_t) i * 3, 3 * sizeof(double));
		}
		design_step(w, in->seats);
	}
}

/* To begin with what is: free seats live amid what they have; what has no seat is given later. */
void
design_keep(DesignWork *w)
{
	const SpmDesignInput *in = w->in;
	bool	   *settled = (bool *) w->dirty;

	memset(w->sums, 0, sizeof(double) * 4 * in->seats);
	for (int i = 0; i < in->units; i++)
	{
		w->owner[i] = in->current[i];
		for (int d = 0; d < 3 && in->current[i] >= 0; d++)
			w->sums[in->current[i] * 4 + d] += in->weights[i] * in->points[(size_t) i * 3 + d];
		if (in->current[i] >= 0)
			w->sums[in->current[i] * 4 + 3] += in->weights[i];
	}
	for (int j = 0; j < in->seats; j++)
	{
		const double *sum = w->sums + j * 4;
		double		size = sum[3];

		settled[j] = !w->free[j] || size > 0;
		if (!w->free[j] || size <= 0)
			continue;
		if (in->radius > 0)
			size = sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
		for (int d = 0; d < 3; d++)
			w->center[j * 3 + d] = sum[d] / size;
	}
	for (int j = 0; j < in->seats; j++)
	{
		if (!settled[j])
			settle_new(w, j, settled);
		settled[j] = true;
	}
	w->disruption = isnan(in->disruption) ? strong_disruption(w) : in->disruption;
	for (int j = 0; j < in->seats; j++)
		design_costs(w, j);
	forget_prices(w);
	design_prices(w, 100);
	for (int i = 0; i < in->units; i++)
		w->owner[i] = in->current[i] >= 0 && design_may(w, i, in->current[i]) ? in->current[i] : -1;
	design_recenter(w);
}
