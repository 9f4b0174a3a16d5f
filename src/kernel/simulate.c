/*
 * simulate.c
 *	  Monte Carlo of deals with a shock in common: see simulate.h.
 *
 * A path multiplies the speed at which deals are won by exp(shock), the same for
 * all or for all of an owner (a frailty): a probability p becomes 1 - (1 - p)^g, an
 * expected number m becomes m g.  Shocks lie on a grid, and for each point of it the
 * thresholds below which a random 32-bit word is a win are worked out beforehand, such
 * that every deal is won in the share of paths that it should be.
 */
#include "simulate.h"

#include "interval.h"
#include "rank.h"

#define POINTS		64
#define REACH		3.5			/* standard deviations to both sides */
#define NORMALS		1024		/* values that stand for the normal distribution of an owner's shock */
#define WORD		4294967296.0

static double
grid_point(int i)
{
	return (2 * (i + 0.5) / POINTS - 1) * REACH;
}

static int
nearest(double z)
{
	int			i = (int) floor((z / REACH + 1) / 2 * POINTS);

	return i < 0 ? 0 : i >= POINTS ? POINTS - 1 : i;
}

/* Probability of at least one win. */
static double
chance_at(const SpmVenture *v, double speed)
{
	if (v->is_many)
		return 1 - exp(-v->chance * speed);
	return v->chance >= 1 ? 1 : 1 - pow(1 - v->chance, speed);
}

/*
 * How fast deals are won at each point of the grid, such that the total moves by 'shock':
 * a deal that is nearly sure does not move with its speed, so speeds must move more.
 */
static int
make_speeds(const SpmSimulation *s, double speeds[POINTS], double weights[POINTS])
{
	double		shock = sqrt(s->shock * s->shock + s->shock_leaf * s->shock_leaf);
	double		width = shock;
	double		sum = 0;

	if (shock <= 0)
	{
		speeds[0] = weights[0] = 1;
		return 1;
	}
	for (int i = 0; i < POINTS; i++)
		sum += weights[i] = exp(-grid_point(i) * grid_point(i) / 2);
	for (int i = 0; i < POINTS; i++)
		weights[i] /= sum;
	for (int turn = 0; turn < 8; turn++)
	{
		double		mean = 0;
		double		square = 0;
		double		total = 0;

		for (int i = 0; i < POINTS; i++)
			speeds[i] = exp(width * grid_point(i));
		/* an even sample of the ventures will do */
		for (int i = 0; i < POINTS; i++)
		{
			int			step = s->n / 512 + 1;

			total = 0;
			for (int k = 0; k < s->n; k += step)
			{
				const SpmVenture *v = &s->ventures[k];

				total += v->amount * (v->is_many ? v->chance * speeds[i] : chance_at(v, speeds[i]));
			}
			mean += weights[i] * total;
			square += weights[i] * total * total;
		}
		if (!(mean > 0) || square <= mean * mean)
			break;
		width *= shock / (sqrt(square - mean * mean) / mean);
		if (width > 2)
			width = 2;
	}
	for (int i = 0; i < POINTS; i++)
		speeds[i] = exp(width * grid_point(i));
	return POINTS;
}

size_t
spmk_simulate_bytes(const SpmSimulation *s)
{
	size_t		points = s->shock > 0 || s->shock_leaf > 0 ? POINTS : 1;

	return sizeof(uint32_t) * points * s->n + sizeof(double) * (s->n + 1) + sizeof(int) * (2 * s->nleaves + 1);
}

/* Wins of a venture of which many are expected, knowing that there is one: word is below the threshold. */
static int
wins(double word, double threshold)
{
	double		mean = -log1p(-threshold / WORD);
	double		left = word / WORD;	/* uniform from 0 to the probability of at least one */
	double		term = mean * exp(-mean);
	int			n = 1;

	while (left > term && n < 1000)
	{
		left -= term;
		term *= mean / ++n;
	}
	return n;
}

/* sums[row * paths + path]: what each leaf, or all leaves of a row, win on each path. With leaves given, rows must be 0 before. */
void
spmk_simulate(const SpmSimulation *s, double *sums, void *memory, const SpmBreath *breath)
{
	double		speeds[POINTS];
	double		weights[POINTS];
	int			points = make_speeds(s, speeds, weights);
	double	   *amounts = memory;
	uint32_t   *thresholds = (uint32_t *) (amounts + s->n + 1);
	int		   *first = (int *) (thresholds + (size_t) points * s->n);
	int		   *singles = first + s->nleaves + 1;
	double		shock = sqrt(s->shock * s->shock + s->shock_leaf * s->shock_leaf);
	double		share = shock > 0 ? s->shock / shock : 0;
	double		share_leaf = shock > 0 ? s->shock_leaf / shock : 0;
	double		normals[NORMALS];
	static const double always = 1;
	const double *ratios = s->nratios > 0 ? s->ratios : &always;
	uint64_t	nratios = s->nratios > 0 ? s->nratios : 1;
	SpmChance	chance = {s->seed};

	for (int leaf = 0, i = 0; leaf <= s->nleaves; leaf++)
	{
		while (i < s->n && s->ventures[i].leaf < leaf)
			i++;
		first[leaf] = i;
	}
	for (int leaf = 0; leaf < s->nleaves; leaf++)
		for (singles[leaf] = 0; first[leaf] + singles[leaf] < first[leaf + 1]; singles[leaf]++)
			if (s->ventures[first[leaf] + singles[leaf]].is_many)
				break;
	/* thresholds of a leaf lie together: point by point, venture by venture */
	for (int leaf = 0; leaf < s->nleaves; leaf++)
		for (int i = first[leaf]; i < first[leaf + 1]; i++)
		{
			const SpmVenture *v = &s->ventures[i];
			uint32_t   *own = thresholds + (size_t) first[leaf] * points + (i - first[leaf]);
			int			width = first[leaf + 1] - first[leaf];
			double		mean = 0;

			if (i % 256 == 0)
				spmk_breathe(breath);
			amounts[i] = v->amount;
			for (int k = 0; k < points; k++)
				mean += weights[k] * (v->is_many ? speeds[k] : chance_at(v, speeds[k]));
			for (int k = 0; k < points; k++)
			{
				double		p;

				if (v->is_many)
					p = 1 - exp(-v->chance * speeds[k] / mean);
				else
					p = mean > 0 ? chance_at(v, speeds[k]) * v->chance / mean : 0;
				p = floor(p * WORD + 0.5);
				own[(size_t) k * width] = p >= WORD ? UINT32_MAX : p < 0 ? 0 : (uint32_t) p;
			}
		}
	for (int i = 0; i < NORMALS; i++)
		normals[i] = spmk_normal_quantile((i + 0.5) / NORMALS);
	for (int path = 0; path < s->paths; path++)
	{
		/* evenly spread, in an order that has nothing to do with what else is drawn */
		double		z = share * spmk_normal_quantile((path + 0.5) / s->paths);
		double		here = z;

		for (int leaf = 0; leaf < s->nleaves; leaf++)
		{
			int			width = first[leaf + 1] - first[leaf];
			int			many = singles[leaf];
			const double *amount = amounts + first[leaf];
			const uint32_t *own = thresholds + (size_t) first[leaf] * points;
			double		sum = 0;

			if (leaf % 64 == 0)
				spmk_breathe(breath);
			if (points > 1)
			{
				bool		is_first = !s->leaves || leaf == 0 || s->leaves[leaf].owner != s->leaves[leaf - 1].owner;

				if (share_leaf > 0 && is_first)
					here = z + share_leaf * normals[spmk_chance_next(&chance) % NORMALS];
				own += (size_t) nearest(here) * width;
			}
			/* no branches: which deal is won cannot be guessed */
			for (int i = 0; i < many; i++)
			{
				uint64_t	random = spmk_chance_next(&chance);
				double		one = (uint32_t) (random >> 32) < own[i] ? amount[i] : 0;

				sum += one * ratios[((random & 0xFFFFFFFF) * nratios) >> 32];
			}
			for (int i = many; i < width; i++)
			{
				uint64_t	random = spmk_chance_next(&chance);
				uint32_t	word = (uint32_t) (random >> 32);

				if (word < own[i])
					sum += amount[i] * wins(word, own[i]) * ratios[((random & 0xFFFFFFFF) * nratios) >> 32];
			}
			if (!s->leaves)
				sums[(size_t) leaf * s->paths + path] = sum;
			else
			{
				sums[(size_t) s->leaves[leaf].owner * s->paths + path] += sum;
				if (s->leaves[leaf].other >= 0)
					sums[(size_t) s->leaves[leaf].other * s->paths + path] += sum;
			}
		}
	}
}

/* Sorts the paths; 'scratch' has room for them. */
void
spmk_spread(double *paths, double *scratch, int n, double goal, SpmSpread *spread, const SpmBreath *breath)
{
	double		square = 0;

	*spread = (SpmSpread) {0};
	spmk_sort_numbers(paths, scratch, n, breath);
	for (int i = 0; i < n; i++)
		spread->mean += paths[i] / n;
	for (int i = 0; i < n; i++)
	{
		square += (paths[i] - spread->mean) * (paths[i] - spread->mean) / n;
		spread->reached += paths[i] >= goal;
		spread->shortfall += fmax(goal - paths[i], 0) / n;
	}
	spread->reached /= n;
	spread->sd = sqrt(square);
}

/* Between the two nearest, in proportion. */
double
spmk_quantile(const double *sorted, int n, double share)
{
	double		place = share * (n - 1);
	int			below = (int) floor(place);

	return below + 1 < n ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[n - 1];
}
