/*
 * quota.c
 *	  Dividing a number among many within bounds, and down a tree, to the unit.
 *
 * As lambda grows, what the parts add up to grows in straight pieces, which end
 * where a part leaves its lower bound or meets its upper one.  So these ends,
 * in order, tell who is free at the total that is wanted (Brucker 1984 has it
 * for quadratic knapsacks).  Ends are quotients and are compared as such, in
 * 192 bits; the parts that are free share one denominator, so what rounding
 * down leaves goes by largest remainder, exactly.
 */
#include "quota.h"

#include <stddef.h>

#include "rounding.h"

/* A breath every so many steps. */
#define STEPS_PER_BREATH	4096

/* hi * 2^64 + lo */
typedef struct Wide
{
	SpmWeight	hi;
	uint64_t	lo;
} Wide;

static Wide
wide_product(uint64_t a, SpmWeight w)
{
	SpmWeight	low = (SpmWeight) a * (uint64_t) w;
	Wide		product;

	product.lo = (uint64_t) low;
	product.hi = (SpmWeight) a * (uint64_t) (w >> 64) + (low >> 64);
	return product;
}

/* Sign of a * w - b * v. */
static int
compare_products(int64_t a, SpmWeight w, int64_t b, SpmWeight v)
{
	int			a_sign = w == 0 ? 0 : (a > 0) - (a < 0);
	int			b_sign = v == 0 ? 0 : (b > 0) - (b < 0);
	Wide		x;
	Wide		y;

	if (a_sign != b_sign)
		return a_sign < b_sign ? -1 : 1;
	if (a_sign == 0)
		return 0;
	x = wide_product(a < 0 ? -(uint64_t) a : (uint64_t) a, w);
	y = wide_product(b < 0 ? -(uint64_t) b : (uint64_t) b, v);
	if (x.hi != y.hi)
		return x.hi < y.hi ? -a_sign : a_sign;
	if (x.lo != y.lo)
		return x.lo < y.lo ? -a_sign : a_sign;
	return 0;
}

/* a * w / whole, rounded down, and what that leaves; w <= whole. */
static int64_t
quotient(int64_t a, SpmWeight w, SpmWeight whole, SpmWeight *rest)
{
	uint64_t	size = a < 0 ? -(uint64_t) a : (uint64_t) a;
	int64_t		q = 0;
	SpmWeight	r = 0;

	if (w >> 64 == 0)
	{
		SpmWeight	product = (SpmWeight) size * w;

		q = (int64_t) (product / whole);
		r = product % whole;
	}
	else
	{
		/* bit by bit: what the bits so far come to, and what is left of that */
		for (int bit = 63; bit >= 0; bit--)
		{
			q *= 2;
			r = 2 * r + ((size >> bit) & 1 ? w : 0);
			while (r >= whole)
			{
				r -= whole;
				q++;
			}
		}
	}
	if (a >= 0 || r == 0)
	{
		*rest = r;
		return a < 0 ? -q : q;
	}
	*rest = whole - r;
	return -q - 1;
}

/* ---------------------------------------------------------------- who is next */

/* Whether x is before y in the line. */
typedef bool (*IsBefore) (const SpmQuotaGroup *g, const SpmQuotaRoom *room, int x, int y);

static inline int
member(const SpmQuotaGroup *g, int i)
{
	return g->members ? g->members[i] : i;
}

/* Place 2 i in the line: part i leaves its lower bound; 2 i + 1: it meets the upper one. */
static inline int64_t
end_of(const SpmQuotaGroup *g, int place, SpmWeight *weight)
{
	int			m = member(g, place / 2);

	*weight = g->weights[m];
	return (place & 1 ? g->uppers[m] : g->lowers[m]) - g->bases[m];
}

static bool
ends_before(const SpmQuotaGroup *g, const SpmQuotaRoom *room, int x, int y)
{
	SpmWeight	x_weight;
	SpmWeight	y_weight;
	int64_t		x_way = end_of(g, x, &x_weight);
	int64_t		y_way = end_of(g, y, &y_weight);
	int			order = compare_products(x_way, y_weight, y_way, x_weight);

	return order < 0 || (order == 0 && x < y);
}

/* The larger rest, then the earlier part. */
static bool
lost_more(const SpmQuotaGroup *g, const SpmQuotaRoom *room, int x, int y)
{
	return room->rests[x] > room->rests[y] || (room->rests[x] == room->rests[y] && x < y);
}

static void
sift_down(IsBefore before, const SpmQuotaGroup *g, const SpmQuotaRoom *room, int n, int at)
{
	int		   *line = room->line;

	for (;;)
	{
		int			child = 2 * at + 1;
		int			swap;

		if (child >= n)
			return;
		if (child + 1 < n && before(g, room, line[child + 1], line[child]))
			child++;
		if (!before(g, room, line[child], line[at]))
			return;
		swap = line[at];
		line[at] = line[child];
		line[child] = swap;
		at = child;
	}
}

static void
line_up(IsBefore before, const SpmQuotaGroup *g, const SpmQuotaRoom *room, int n)
{
	for (int i = n / 2; i-- > 0;)
		sift_down(before, g, room, n, i);
}

/* ------------------------------------------------------------------ one group */

/* What those come to that lambda does not move, and what moves the others. */
typedef struct Sweep
{
	SpmInt128	fixed;
	SpmInt128	base;
	SpmWeight	weight;
} Sweep;

#define FREE (-1)

/*
 * Whether nobody who could move meets a bound: then no ends need be looked at.
 */
static bool
is_unbound(const SpmQuotaGroup *g, const Sweep *all, int64_t left, const int64_t *parts)
{
	for (int i = 0; i < g->n; i++)
	{
		int			m = member(g, i);

		if (parts[m] != FREE)
			continue;
		if (compare_products(g->lowers[m] - g->bases[m], all->weight, left, g->weights[m]) > 0)
			return false;
		if (g->uppers[m] != SPM_QUOTA_NONE &&
			compare_products(g->uppers[m] - g->bases[m], all->weight, left, g->weights[m]) < 0)
			return false;
	}
	return true;
}

/* Moves lambda from below all ends up to the total: afterwards parts are FREE, or fixed. */
static void
find_free(int64_t total, const SpmQuotaGroup *g, Sweep *s, int64_t *parts,
		  const SpmQuotaRoom *room, const SpmBreath *breath)
{
	int			n = 0;

	s->base = 0;
	s->weight = 0;
	for (int i = 0; i < g->n; i++)
	{
		int			m = member(g, i);

		if (parts[m] != FREE)
			continue;
		parts[m] = g->lowers[m];
		s->fixed += g->lowers[m];
		room->line[n++] = 2 * i;
		if (g->uppers[m] != SPM_QUOTA_NONE)
			room->line[n++] = 2 * i + 1;
	}
	line_up(ends_before, g, room, n);
	for (int steps = 1; n > 0; steps++)
	{
		int			place = room->line[0];
		int			m = member(g, place / 2);
		SpmWeight	weight;
		int64_t		way = end_of(g, place, &weight);

		/* at this end, the parts would add up to the total or more */
		if (compare_products(way, s->weight, (int64_t) (total - s->fixed - s->base), weight) >= 0)
			break;
		if (place & 1)
		{
			parts[m] = g->uppers[m];
			s->fixed += parts[m];
			s->base -= g->bases[m];
			s->weight -= weight;
		}
		else
		{
			s->fixed -= parts[m];
			parts[m] = FREE;
			s->base += g->bases[m];
			s->weight += weight;
		}
		room->line[0] = room->line[--n];
		sift_down(ends_before, g, room, n, 0);
		if (steps % STEPS_PER_BREATH == 0)
			spmk_breathe(breath);
	}
}

/* parts are of all members; 0 <= total and bounds <= SPM_QUOTA_MAX, lowers[i] <= uppers[i]. */
SpmQuotaStatus
spmk_quota_allocate(int64_t total, const SpmQuotaGroup *g, int64_t *parts,
					const SpmQuotaRoom *room, const SpmBreath *breath)
{
	SpmInt128	least = 0;
	SpmInt128	most = 0;
	SpmInt128	bases = 0;
	bool		has_limit = true;
	Sweep		s = {0, 0, 0};
	int64_t		left;
	int			n = 0;

	for (int i = 0; i < g->n; i++)
	{
		int			m = member(g, i);

		least += g->lowers[m];
		if (g->uppers[m] == SPM_QUOTA_NONE)
			has_limit = false;
		else
			most += g->uppers[m];
		bases += g->bases[m];
		if (bases > SPM_QUOTA_MAX || g->weights[m] >= SPM_QUOTA_MAX_WEIGHT)
			return SPM_QUOTA_TOO_BIG;
		if (g->weights[m] == 0 || g->lowers[m] == g->uppers[m])
		{
			parts[m] = g->bases[m];
			if (parts[m] < g->lowers[m])
				parts[m] = g->lowers[m];
			else if (g->uppers[m] != SPM_QUOTA_NONE && parts[m] > g->uppers[m])
				parts[m] = g->uppers[m];
			s.fixed += parts[m];
		}
		else
		{
			parts[m] = FREE;
			s.base += g->bases[m];
			s.weight += g->weights[m];
			if (s.weight >= SPM_QUOTA_MAX_WEIGHT)
				return SPM_QUOTA_TOO_BIG;
		}
	}
	if (least > total)
		return SPM_QUOTA_TOO_LITTLE;
	if (has_limit && most < total)
		return SPM_QUOTA_TOO_MUCH;

	if (s.weight > 0 && !is_unbound(g, &s, (int64_t) (total - s.fixed - s.base), parts))
		find_free(total, g, &s, parts, room, breath);
	left = (int64_t) (total - s.fixed - s.base);
	if (s.weight == 0)
		return left == 0 ? SPM_QUOTA_OK : SPM_QUOTA_WEIGHTLESS;

	for (int i = 0; i < g->n; i++)
	{
		int			m = member(g, i);
		int64_t		q;

		if (parts[m] != FREE)
			continue;
		q = quotient((int64_t) (total - s.fixed - s.base), g->weights[m], s.weight, &room->rests[i]);
		parts[m] = g->bases[m] + q;
		left -= q;
		/* who has a rest is below its upper bound, and by a unit at least */
		if (room->rests[i] > 0)
			room->line[n++] = i;
		if (i % STEPS_PER_BREATH == 0)
			spmk_breathe(breath);
	}
	line_up(lost_more, g, room, n);
	for (; left > 0 && n > 0; left--)
	{
		parts[member(g, room->line[0])]++;
		room->line[0] = room->line[--n];
		sift_down(lost_more, g, room, n, 0);
		if (left % STEPS_PER_BREATH == 0)
			spmk_breathe(breath);
	}
	return SPM_QUOTA_OK;
}

/* ------------------------------------------------------------------- the tree */

/* Who is below whom; SPM_QUOTA_CIRCLE where that is no tree. */
SpmQuotaStatus
spmk_quota_order(int n, const int *parents, const SpmQuotaOrder *order, SpmQuotaFault *fault)
{
	int			last = 1;

	for (int i = 0; i < n + 2; i++)
		order->first[i] = 0;
	/* count, add up, and fill from behind, so that children stay in order */
	for (int i = 0; i < n; i++)
		order->first[(parents[i] < 0 ? n : parents[i]) + 1]++;
	for (int i = 0; i <= n; i++)
		order->first[i + 1] += order->first[i];
	for (int i = 0; i <= n; i++)
		order->order[i] = order->first[i + 1];
	for (int i = n; i-- > 0;)
		order->children[--order->order[parents[i] < 0 ? n : parents[i]]] = i;

	order->order[0] = n;
	for (int at = 0; at < last; at++)
	{
		int			node = order->order[at];

		for (int c = order->first[node]; c < order->first[node + 1]; c++)
			order->order[last++] = order->children[c];
	}
	if (last == n + 1)
		return SPM_QUOTA_OK;

	/* Somebody from whom the top is not reached: n steps up end in the circle. */
	for (int i = 0; i < n; i++)
	{
		int			node = i;

		for (int step = 0; step <= n && node >= 0; step++)
			node = parents[node];
		if (node >= 0)
		{
			fault->node = node;
			break;
		}
	}
	return SPM_QUOTA_CIRCLE;
}

/* amount * numerator / denominator, halves up */
static inline int64_t
times(int64_t amount, int64_t numerator, int64_t denominator)
{
	return (int64_t) (((SpmInt128) amount * numerator * 2 + denominator) / (2 * (SpmInt128) denominator));
}

/* What is below a node, when it is 'amount': 'below' is what bounds allow. */
static inline int64_t
above(const SpmQuotaTree *tree, int node, int64_t below)
{
	return node == tree->n ? below : times(below, SPM_QUOTA_WHOLE, tree->assigned[node]);
}

/*
 * From below: the bounds of a node are its own and those that the nodes below
 * it leave; so what is decided above never turns out impossible further down.
 */
static SpmQuotaStatus
gather(const SpmQuotaTree *tree, const SpmQuotaOrder *order, int64_t *least, int64_t *most, SpmQuotaFault *fault)
{
	int			n = tree->n;
	SpmWeight	all = 0;

	for (int at = n; at >= 0; at--)
	{
		int			node = order->order[at];
		int64_t		lower = node == n ? 0 : tree->lowers[node];
		int64_t		upper = node == n ? SPM_QUOTA_NONE : tree->uppers[node];

		if (order->first[node] < order->first[node + 1])
		{
			SpmInt128	low = 0;
			SpmInt128	high = 0;
			SpmInt128	base = 0;
			SpmWeight	weight = 0;

			for (int c = order->first[node]; c < order->first[node + 1]; c++)
			{
				int			child = order->children[c];

				low += least[child];
				high = high < 0 || most[child] == SPM_QUOTA_NONE ? SPM_QUOTA_NONE : high + most[child];
				base += tree->bases[child];
				weight += tree->weights[child];
			}
			fault->node = node;
			if (low > SPM_QUOTA_MAX || base > SPM_QUOTA_MAX)
				return SPM_QUOTA_TOO_BIG;
			if (high > SPM_QUOTA_MAX)
				high = SPM_QUOTA_MAX;
			fault->is_bound = true;
			if (upper != SPM_QUOTA_NONE && above(tree, node, (int64_t) low) > upper)
			{
				fault->below = (int64_t) low;
				fault->limit = upper;
				return SPM_QUOTA_TOO_LITTLE;
			}
			if (high != SPM_QUOTA_NONE && above(tree, node, (int64_t) high) < lower)
			{
				fault->below = (int64_t) high;
				fault->limit = lower;
				return SPM_QUOTA_TOO_MUCH;
			}
			if (above(tree, node, (int64_t) low) > lower)
				lower = above(tree, node, (int64_t) low);
			if (high != SPM_QUOTA_NONE && (upper == SPM_QUOTA_NONE || above(tree, node, (int64_t) high) < upper))
				upper = above(tree, node, (int64_t) high);
			if (node < n && tree->bases[node] == SPM_QUOTA_NONE)
				tree->bases[node] = above(tree, node, (int64_t) base);
			if (node < n && tree->weights[node] == SPM_QUOTA_NO_WEIGHT)
				tree->weights[node] = weight;
		}
		else if (node < n)
		{
			if (tree->bases[node] == SPM_QUOTA_NONE)
				tree->bases[node] = 0;
			if (tree->weights[node] == SPM_QUOTA_NO_WEIGHT)
				tree->weights[node] = 0;
		}
		least[node] = lower;
		most[node] = upper;
		if (node < n)
		{
			fault->node = node;
			if (tree->weights[node] >= SPM_QUOTA_MAX_WEIGHT || (all += tree->weights[node]) >= SPM_QUOTA_MAX_WEIGHT)
				return SPM_QUOTA_TOO_BIG;
		}
	}
	return SPM_QUOTA_OK;
}

/*
 * Divides the total among the tops, and what each gets among those below it.
 * A node is what the nodes below it come to, divided by what it assigns,
 * rounded.  least and most have room for n + 1.
 */
SpmQuotaStatus
spmk_quota_cascade(int64_t total, const SpmQuotaTree *tree, const SpmQuotaOrder *order,
				   int64_t *least, int64_t *most, int64_t *amounts,
				   const SpmQuotaRoom *room, const SpmBreath *breath, SpmQuotaFault *fault)
{
	int			n = tree->n;
	SpmQuotaStatus status = gather(tree, order, least, most, fault);

	for (int at = 0; status == SPM_QUOTA_OK && at <= n; at++)
	{
		int			node = order->order[at];
		int			first = order->first[node];
		SpmQuotaGroup group = {order->first[node + 1] - first, order->children + first,
		tree->bases, tree->weights, least, most};
		SpmInt128	below = total;
		SpmInt128	low = 0;
		SpmInt128	high = 0;

		if (group.n == 0)
			continue;
		for (int i = 0; i < group.n; i++)
		{
			int			child = group.members[i];

			low += least[child];
			high = high < 0 || most[child] == SPM_QUOTA_NONE ? SPM_QUOTA_NONE : high + most[child];
		}
		fault->node = node;
		fault->is_bound = false;
		if (node < n)
		{
			below = ((SpmInt128) amounts[node] * tree->assigned[node] * 2 + SPM_QUOTA_WHOLE) / (2 * SPM_QUOTA_WHOLE);
			/* bounds may ask for a unit or so more or less, which rounds to the same */
			if (below < low)
				below = low;
			if (high >= 0 && below > high)
				below = high;
			if (below > SPM_QUOTA_MAX)
				return SPM_QUOTA_TOO_BIG;
		}
		fault->limit = (int64_t) below;
		status = spmk_quota_allocate((int64_t) below, &group, amounts, room, breath);
		if (status == SPM_QUOTA_TOO_LITTLE)
			fault->below = (int64_t) low;
		else if (status == SPM_QUOTA_TOO_MUCH)
			fault->below = (int64_t) high;
		if (at % STEPS_PER_BREATH == 0)
			spmk_breathe(breath);
	}
	return status;
}

/*
 * Divides the amounts over nparts parts of the time, by the shares of their
 * season; shares[s * nparts + k].  At the bottom, what is due by the end of
 * each part is rounded; above, it is what is due below, divided by what the
 * node assigns: so parts add up both over time and up the tree.
 */
SpmQuotaStatus
spmk_quota_spread(const SpmQuotaTree *tree, const SpmQuotaOrder *order, const int64_t *amounts,
				  int nparts, const SpmWeight *shares, const int *seasons, int64_t *parts,
				  const SpmBreath *breath, SpmQuotaFault *fault)
{
	int			n = tree->n;

	for (size_t i = 0; i < (size_t) n * nparts; i++)
		parts[i] = 0;
	for (int at = n; at > 0; at--)
	{
		int			node = order->order[at];
		int			parent = tree->parents[node];
		int64_t    *due = parts + (size_t) node * nparts;
		bool		is_bottom = order->first[node] == order->first[node + 1];
		const SpmWeight *share = shares + (size_t) seasons[node] * nparts;
		SpmWeight	whole = 0;
		SpmWeight	until = 0;

		for (int k = 0; k < nparts; k++)
		{
			if (share[k] >= SPM_QUOTA_MAX_WEIGHT || (whole += share[k]) >= SPM_QUOTA_MAX_WEIGHT)
				return SPM_QUOTA_TOO_BIG;
		}
		fault->node = node;
		if (whole == 0)
			return SPM_QUOTA_WEIGHTLESS;
		for (int k = 0; k < nparts; k++)
		{
			if (is_bottom)
			{
				SpmWeight	rest;

				until += share[k];
				due[k] = quotient(amounts[node], until, whole, &rest);
				if (2 * rest >= whole)
					due[k]++;
			}
			else
				due[k] = above(tree, node, due[k]);
			if (parent >= 0)
				parts[(size_t) parent * nparts + k] += due[k];
		}
		if (due[nparts - 1] != amounts[node])
		{
			fault->below = due[nparts - 1];
			fault->limit = amounts[node];
			return SPM_QUOTA_UNEQUAL;
		}
		if (at % STEPS_PER_BREATH == 0)
			spmk_breathe(breath);
	}
	/* from what is due by the end of a part to what is due in it */
	for (int node = 0; node < n; node++)
	{
		for (int k = nparts - 1; k > 0; k--)
			parts[(size_t) node * nparts + k] -= parts[(size_t) node * nparts + k - 1];
	}
	return SPM_QUOTA_OK;
}
