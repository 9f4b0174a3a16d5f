/*
 * design_near.c
 *	  Borders where nobody drew any: the nearest units of each, and the shortest
 *	  ways between parts that nothing connects.
 */
#include <math.h>

#include "design_work.h"

static double
square(const double *points, int a, int b)
{
	const double *p = points + (size_t) a * 3;
	const double *q = points + (size_t) b * 3;
	double		x = p[0] - q[0];
	double		y = p[1] - q[1];
	double		z = p[2] - q[2];

	return x * x + y * y + z * z;
}

/*
 * Pairs of each unit with its nearest ones; the points come in the order of
 * their third coordinate, so that the search can end soon.  Of two units that
 * are near each other, both may say so.  'pairs' has room for 2 * n * count;
 * count is at most SPM_NEAR_MAX.
 */
int
spmk_near_pairs(const double *points, int n, int count, int32_t *pairs, const SpmBreath *breath)
{
	int			found = 0;
	int			steps = 0;
	int32_t		near[SPM_NEAR_MAX];
	double		far[SPM_NEAR_MAX];

	for (int i = 0; i < n; i++)
	{
		int			have = 0;
		int			down = i - 1;
		int			up = i + 1;

		while (down >= 0 || up < n)
		{
			double		below = down >= 0 ? points[(size_t) i * 3 + 2] - points[(size_t) down * 3 + 2] : INFINITY;
			double		above = up < n ? points[(size_t) up * 3 + 2] - points[(size_t) i * 3 + 2] : INFINITY;
			double		gap = below <= above ? below : above;
			int			other = below <= above ? down-- : up++;
			double		distance;
			int			at;

			if (have == count && gap * gap > far[have - 1])
				break;
			if (++steps % BREATH_STEPS == 0)
				spmk_breathe(breath);
			distance = square(points, i, other);
			if (have == count && distance >= far[have - 1])
				continue;
			at = have < count ? have++ : have - 1;
			for (; at > 0 && far[at - 1] > distance; at--)
			{
				far[at] = far[at - 1];
				near[at] = near[at - 1];
			}
			far[at] = distance;
			near[at] = other;
		}
		for (int k = 0; k < have; k++)
		{
			pairs[2 * (size_t) found] = i < near[k] ? i : near[k];
			pairs[2 * (size_t) found + 1] = i < near[k] ? near[k] : i;
			found++;
		}
	}
	return found;
}

/* Follows the chain of leaders to the one of the whole part. */
static int
leader(int32_t *part, int i)
{
	while (part[i] != i)
	{
		part[i] = part[part[i]];
		i = part[i];
	}
	return i;
}

/*
 * The shortest ways that connect all parts of the graph, beginning with the part
 * of the first point.  'part', 'from' and 'queue' have n places each, 'far' too;
 * 'bridges' has room for 2 * (n - 1).
 */
int
spmk_bridge_pairs(const double *points, int n, const int32_t *pairs, int edges, int32_t *bridges,
				  int32_t *part, int32_t *from, double *far, int32_t *queue, const SpmBreath *breath)
{
	int			count = 0;
	int			outside;
	int			fresh;
	int			steps = 0;

	for (int i = 0; i < n; i++)
		part[i] = i;
	for (int e = 0; e < edges; e++)
	{
		int			a = leader(part, pairs[2 * e]);
		int			b = leader(part, pairs[2 * e + 1]);

		if (a != b)
			part[a > b ? a : b] = a < b ? a : b;
	}

	/* queue: those outside first, and at its end those that have just come in */
	outside = 0;
	fresh = n;
	for (int i = 0; i < n; i++)
	{
		far[i] = INFINITY;
		if (leader(part, i) == 0)
			queue[--fresh] = i;
		else
			queue[outside++] = i;
	}
	while (outside > 0)
	{
		int			nearest = -1;
		int			joined;
		int			left = 0;

		for (int o = 0; o < outside; o++)
		{
			int			unit = queue[o];

			for (int f = fresh; f < n; f++)
			{
				double		distance = square(points, unit, queue[f]);

				if (distance < far[unit])
				{
					far[unit] = distance;
					from[unit] = queue[f];
				}
				if (++steps % BREATH_STEPS == 0)
					spmk_breathe(breath);
			}
			if (nearest < 0 || far[unit] < far[nearest])
				nearest = unit;
		}
		bridges[2 * count] = from[nearest] < nearest ? from[nearest] : nearest;
		bridges[2 * count + 1] = from[nearest] < nearest ? nearest : from[nearest];
		count++;
		joined = leader(part, nearest);
		fresh = n;
		for (int o = 0; o < outside; o++)
		{
			int			unit = queue[o];

			if (leader(part, unit) != joined)
				queue[left++] = unit;
			else
				far[unit] = -1;
		}
		/* The places behind those still outside are free: all inside were once outside, or at the end. */
		for (int i = 0; i < n; i++)
		{
			if (far[i] == -1)
			{
				queue[--fresh] = i;
				far[i] = INFINITY;
			}
		}
		outside = left;
	}
	return count;
}
