/*
 * lap.c
 *	  Linear assignment by shortest augmenting paths.
 *
 * Most rows find their column by bidding: a row takes the column that is best
 * for it and raises its price to where the second best is as good; whoever had
 * it bids again.  The rest are brought in along shortest paths (Jonker and
 * Volgenant, Computing 38, 1987).
 */
#include <math.h>

#include "lap.h"

#define NONE (-1)

typedef struct Lap
{
	SpmLap	   *p;
	double	   *distance;		/* of a column from the row to be brought in */
	int		   *owner;			/* row of a column */
	int		   *before;			/* row from which a column was reached */
	int		   *open;			/* columns not yet reached for good */
	int		   *waiting;		/* rows without a column */
	int			nwaiting;
} Lap;

size_t
spmk_lap_memory(int nrows, int ncolumns)
{
	return (size_t) ncolumns * (sizeof(double) + 3 * sizeof(int)) + (size_t) nrows * sizeof(int);
}

/* What a row would pay for each column, less its price; the best, and how much worse the second is. */
static int
best_column(const SpmLap *p, int row, int *second, double *behind)
{
	const double *costs = p->costs + (size_t) row * p->ncolumns;
	double		least = INFINITY;
	double		next = INFINITY;
	int			best = NONE;

	*second = NONE;
	for (int column = 0; column < p->ncolumns; column++)
	{
		double		cost = costs[column] + p->column_prices[column];

		if (cost >= next)
			continue;
		if (cost < least)
		{
			next = least;
			*second = best;
			least = cost;
			best = column;
		}
		else
		{
			next = cost;
			*second = column;
		}
	}
	*behind = next - least;
	return best;
}

/* Two rounds of bids; prices go up only where somebody holds the column. */
static void
bid(Lap *l)
{
	SpmLap	   *p = l->p;
	long		left = 4L * p->nrows;

	for (int round = 0; round < 2; round++)
	{
		int			count = l->nwaiting;
		int			at = 0;

		l->nwaiting = 0;
		while (at < count)
		{
			int			row = l->waiting[at++];
			int			second;
			double		behind;
			int			column = best_column(p, row, &second, &behind);
			int			loser;

			spmk_breathe(p->breath);
			if (left-- <= 0 || second == NONE)
			{
				l->waiting[l->nwaiting++] = row;
				continue;
			}
			if (behind > 0)
				p->column_prices[column] += behind;
			else if (l->owner[column] != NONE)
				column = second;
			loser = l->owner[column];
			l->owner[column] = row;
			if (loser == NONE)
				continue;
			if (behind > 0)
				l->waiting[--at] = loser;
			else
				l->waiting[l->nwaiting++] = loser;
		}
	}
}

/* Brings a row in along the shortest path to a column that nobody has. */
static bool
bring_in(Lap *l, int start)
{
	SpmLap	   *p = l->p;
	int			nopen = p->ncolumns;
	int			row = start;
	int			column;
	double		reached = 0;

	for (column = 0; column < p->ncolumns; column++)
	{
		l->open[column] = column;
		l->distance[column] = INFINITY;
	}
	for (;;)
	{
		const double *costs = p->costs + (size_t) row * p->ncolumns;
		double		nearest = INFINITY;
		double		own;
		int			which = NONE;

		/* what the row pays now; the first one pays nothing yet */
		own = row == start ? 0 : costs[column] + p->column_prices[column];
		for (int i = 0; i < nopen; i++)
		{
			int			to = l->open[i];
			double		there = reached + (costs[to] + p->column_prices[to] - own);

			if (there < l->distance[to])
			{
				l->distance[to] = there;
				l->before[to] = row;
			}
			if (l->distance[to] < nearest || (l->distance[to] == nearest && which != NONE && l->owner[to] == NONE))
			{
				nearest = l->distance[to];
				which = i;
			}
		}
		if (which == NONE)
		{
			p->row = start;
			return false;
		}
		column = l->open[which];
		l->open[which] = l->open[--nopen];
		l->open[nopen] = column;	/* behind those still open: the ones reached for good */
		reached = nearest;
		if (l->owner[column] == NONE)
			break;
		row = l->owner[column];
	}
	for (int i = nopen; i < p->ncolumns; i++)
		p->column_prices[l->open[i]] += reached - l->distance[l->open[i]];
	for (row = NONE; row != start;)
	{
		int			next;

		row = l->before[column];
		next = p->columns[row];
		p->columns[row] = column;
		l->owner[column] = row;
		column = next;
	}
	return true;
}

bool
spmk_lap(SpmLap *p, void *memory)
{
	Lap			lap = {.p = p};
	Lap		   *l = &lap;

	l->distance = memory;
	l->owner = (int *) (l->distance + p->ncolumns);
	l->before = l->owner + p->ncolumns;
	l->open = l->before + p->ncolumns;
	l->waiting = l->open + p->ncolumns;
	for (int column = 0; column < p->ncolumns; column++)
	{
		l->owner[column] = NONE;
		p->column_prices[column] = 0;
	}
	for (int row = 0; row < p->nrows; row++)
	{
		p->columns[row] = NONE;
		l->waiting[l->nwaiting++] = row;
	}
	bid(l);
	for (int column = 0; column < p->ncolumns; column++)
		if (l->owner[column] != NONE)
			p->columns[l->owner[column]] = column;
	for (int i = 0; i < l->nwaiting; i++)
	{
		spmk_breathe(p->breath);
		if (!bring_in(l, l->waiting[i]))
			return false;
	}
	for (int row = 0; row < p->nrows; row++)
	{
		const double *costs = p->costs + (size_t) row * p->ncolumns;

		p->row_prices[row] = costs[p->columns[row]] + p->column_prices[p->columns[row]];
	}
	return true;
}
