/* quota_test.c: parts add up, keep their bounds, and are those that the definition asks for. */
#include "kernel/quota.h"

#include "tap.h"

#define MANY 2000

static SpmWeight rests[MANY];
static int	line[2 * MANY];
static const SpmQuotaRoom room = {rests, line};

/*
 * The definition, tried out: some are at their lower bound, some at their upper
 * one, the rest free; the choice that agrees with its own lambda is it.
 */
static SpmQuotaStatus
by_trial(int64_t total, const SpmQuotaGroup *g, int64_t *parts)
{
	int			choices = 1;
	__int128	least = 0;
	__int128	most = 0;

	for (int i = 0; i < g->n; i++)
	{
		choices *= 3;
		least += g->lowers[i];
		most += g->uppers[i] == SPM_QUOTA_NONE ? SPM_QUOTA_MAX : g->uppers[i];
	}
	if (least > total)
		return SPM_QUOTA_TOO_LITTLE;
	if (most < total)
		return SPM_QUOTA_TOO_MUCH;
	for (int choice = 0; choice < choices; choice++)
	{
		__int128	fixed = 0;
		__int128	weight = 0;
		__int128	left;
		bool		agrees = true;
		__int128	rest[8];

		for (int i = 0, c = choice; i < g->n; i++, c /= 3)
		{
			if (c % 3 == 2 && g->uppers[i] == SPM_QUOTA_NONE)
				agrees = false;
			fixed += c % 3 == 0 ? g->bases[i] : c % 3 == 1 ? g->lowers[i] : g->uppers[i];
			weight += c % 3 == 0 ? (__int128) g->weights[i] : 0;
		}
		if (!agrees || weight == 0)
			continue;
		left = total - fixed;
		for (int i = 0, c = choice; i < g->n; i++, c /= 3)
		{
			/* the part as lambda has it, times weight */
			__int128	x = g->bases[i] * weight + left * (__int128) g->weights[i];

			if (c % 3 == 0)
				agrees &= x >= g->lowers[i] * weight && (g->uppers[i] == SPM_QUOTA_NONE || x <= g->uppers[i] * weight);
			else if (c % 3 == 1)
				agrees &= x <= g->lowers[i] * weight;
			else
				agrees &= x >= g->uppers[i] * weight;
		}
		if (!agrees)
			continue;
		left = total;
		for (int i = 0, c = choice; i < g->n; i++, c /= 3)
		{
			__int128	x = g->bases[i] * weight + (total - fixed) * (__int128) g->weights[i];

			parts[i] = c % 3 == 0 ? (int64_t) (x / weight) : c % 3 == 1 ? g->lowers[i] : g->uppers[i];
			rest[i] = c % 3 == 0 ? x % weight : 0;
			left -= parts[i];
		}
		while (left-- > 0)
		{
			int			best = 0;

			for (int i = 1; i < g->n; i++)
				best = rest[i] > rest[best] ? i : best;
			parts[best]++;
			rest[best] = -1;
		}
		return SPM_QUOTA_OK;
	}
	return SPM_QUOTA_WEIGHTLESS;
}

static void
test_groups(void)
{
	int			seen[SPM_QUOTA_UNEQUAL + 1] = {0};
	bool		same_status = true;
	bool		equal = true;
	bool		adds_up = true;

	for (int round = 0; round < 60000; round++)
	{
		int			n = 1 + (int) random_below(6);
		int64_t		bases[8];
		SpmWeight	weights[8];
		int64_t		lowers[8];
		int64_t		uppers[8];
		int64_t		parts[8];
		int64_t		expected[8];
		int64_t		total = random_below(random_below(2) ? 30 : 3000);
		SpmQuotaGroup group = {n, NULL, bases, weights, lowers, uppers};
		SpmQuotaStatus status;
		SpmQuotaStatus wanted;
		__int128	sum = 0;
		/* large weights take the long way through the division */
		int			shift = random_below(3) == 0 ? 62 : 0;

		for (int i = 0; i < n; i++)
		{
			bases[i] = random_below(3) ? 0 : random_below(500);
			weights[i] = (SpmWeight) (1 + random_below(random_below(2) ? 4 : 1000)) << shift;
			lowers[i] = random_below(2) ? 0 : random_below(400);
			uppers[i] = random_below(2) ? SPM_QUOTA_NONE : lowers[i] + random_below(600);
		}
		status = spmk_quota_allocate(total, &group, parts, &room, NULL);
		for (int i = 0; shift && i < n; i++)
			weights[i] >>= shift;
		wanted = by_trial(total, &group, expected);
		/* all are fixed: nobody is free, and there is nothing to try */
		if (wanted == SPM_QUOTA_WEIGHTLESS)
		{
			for (int i = 0; i < n; i++)
				same_status &= lowers[i] == uppers[i] || status == SPM_QUOTA_OK;
			wanted = status;
			for (int i = 0; i < n; i++)
				expected[i] = parts[i];
		}
		seen[status]++;
		same_status &= status == wanted;
		if (status != SPM_QUOTA_OK)
			continue;
		for (int i = 0; i < n; i++)
		{
			equal &= parts[i] == expected[i];
			adds_up &= parts[i] >= lowers[i] && (uppers[i] == SPM_QUOTA_NONE || parts[i] <= uppers[i]);
			sum += parts[i];
		}
		adds_up &= sum == total;
	}
	ok(same_status, "60,000 groups are possible where trying all ways finds one");
	ok(equal, "and each part is the one that the definition has, to the unit");
	ok(adds_up, "parts add up and keep their bounds");
	ok(seen[SPM_QUOTA_OK] > 20000 && seen[SPM_QUOTA_TOO_LITTLE] > 2000 && seen[SPM_QUOTA_TOO_MUCH] > 500, "of all kinds there were many");
}

static void
test_edges(void)
{
	int64_t		bases[4] = {0};
	int64_t		lowers[4] = {0};
	int64_t		uppers[4] = {SPM_QUOTA_NONE, SPM_QUOTA_NONE, SPM_QUOTA_NONE, SPM_QUOTA_NONE};
	SpmWeight	weights[4] = {1, 1, 1, 0};
	int64_t		parts[4];
	SpmQuotaGroup group = {4, NULL, bases, weights, lowers, uppers};

	ok(spmk_quota_allocate(100, &group, parts, &room, NULL) == SPM_QUOTA_OK &&
	   parts[0] == 34 && parts[1] == 33 && parts[2] == 33 && parts[3] == 0, "a tie goes to the earlier part, no weight gets nothing");
	uppers[0] = 10;
	lowers[2] = 60;
	ok(spmk_quota_allocate(100, &group, parts, &room, NULL) == SPM_QUOTA_OK &&
	   parts[0] == 10 && parts[1] == 30 && parts[2] == 60, "who is free takes what the bounds of others leave");
	uppers[1] = 20;
	uppers[2] = 60;
	ok(spmk_quota_allocate(100, &group, parts, &room, NULL) == SPM_QUOTA_WEIGHTLESS, "what only somebody without weight could take is refused");
	uppers[3] = 9;
	ok(spmk_quota_allocate(100, &group, parts, &room, NULL) == SPM_QUOTA_TOO_MUCH, "as is what nobody could");

	/* the largest numbers that are taken */
	lowers[2] = 0;
	for (int i = 0; i < 4; i++)
	{
		uppers[i] = SPM_QUOTA_NONE;
		weights[i] = SPM_QUOTA_MAX_WEIGHT / 8 - i;
	}
	uppers[3] = SPM_QUOTA_MAX / 8;
	ok(spmk_quota_allocate(SPM_QUOTA_MAX, &group, parts, &room, NULL) == SPM_QUOTA_OK &&
	   parts[3] == SPM_QUOTA_MAX / 8 && parts[0] + parts[1] + parts[2] == SPM_QUOTA_MAX / 8 * 7 && parts[0] - parts[2] <= 1 && parts[0] >= parts[2],
	   "amounts and weights as large as can be");
	weights[0] = SPM_QUOTA_MAX_WEIGHT - 1;
	ok(spmk_quota_allocate(1, &group, parts, &room, NULL) == SPM_QUOTA_TOO_BIG, "and larger ones are refused");
	for (int i = 0; i < 4; i++)
	{
		bases[i] = SPM_QUOTA_MAX / 4;
		weights[i] = 1;
	}
	uppers[3] = SPM_QUOTA_NONE;
	ok(spmk_quota_allocate(2, &group, parts, &room, NULL) == SPM_QUOTA_OK && parts[0] == 1 && parts[1] == 1 && parts[2] == 0,
	   "bases far above the total come down alike");
}

static int	parents[MANY];
static int64_t assigned[MANY];
static SpmWeight tree_weights[MANY];
static int64_t tree_bases[MANY];
static int64_t tree_lowers[MANY];
static int64_t tree_uppers[MANY];
static int64_t amounts[MANY];
static int64_t least[MANY + 1];
static int64_t most[MANY + 1];
static int	first[MANY + 2];
static int	children[MANY];
static int	order[MANY + 1];
static int64_t parts[MANY * 12];
static int	seasons[MANY];
static const SpmQuotaOrder tree_order = {first, children, order};

/* What the nodes below a node come to, over what it assigns. */
static bool
adds_up(const SpmQuotaTree *tree, const int64_t *of, int stride)
{
	for (int i = 0; i < tree->n; i++)
	{
		__int128	sum = 0;

		if (first[i] == first[i + 1])
			continue;
		for (int c = first[i]; c < first[i + 1]; c++)
			sum += of[children[c] * stride];
		if ((sum * SPM_QUOTA_WHOLE * 2 + assigned[i]) / (2 * assigned[i]) != of[i * stride])
			return false;
	}
	return true;
}

static void
test_trees(void)
{
	SpmQuotaTree tree = {0, parents, assigned, tree_weights, tree_bases, tree_lowers, tree_uppers};
	int			possible = 0;
	int			refused = 0;
	bool		fine = true;
	bool		in_bounds = true;
	bool		over_time = true;
	bool		up_the_tree = true;
	bool		gathered = true;

	for (int round = 0; round < 3000; round++)
	{
		SpmQuotaFault fault = {0};
		int64_t		total = random_below(10000000);
		SpmQuotaStatus status;
		__int128	tops = 0;
		SpmWeight	shares[24];

		tree.n = 1 + (int) random_below(round < 2900 ? 12 : MANY);
		for (int i = 0; i < tree.n; i++)
		{
			parents[i] = i == 0 || random_below(10) == 0 ? -1 : (int) random_below(i);
			assigned[i] = SPM_QUOTA_WHOLE + (random_below(2) ? 0 : random_below(300000));
			tree_weights[i] = 1 + random_below(1000);
			tree_bases[i] = random_below(4) ? 0 : random_below(100000);
			tree_lowers[i] = random_below(4) ? 0 : random_below(tree.n > 12 ? 500 : 500000);
			tree_uppers[i] = random_below(4) ? SPM_QUOTA_NONE : tree_lowers[i] + random_below(3000000);
			seasons[i] = (int) random_below(2);
		}
		fine &= spmk_quota_order(tree.n, parents, &tree_order, &fault) == SPM_QUOTA_OK;
		for (int i = 0; i < tree.n; i++)
		{
			if (first[i] < first[i + 1] && random_below(2))
				tree_weights[i] = SPM_QUOTA_NO_WEIGHT;
		}
		status = spmk_quota_cascade(total, &tree, &tree_order, least, most, amounts, &room, NULL, &fault);
		if (status != SPM_QUOTA_OK)
		{
			refused++;
			fine &= status == SPM_QUOTA_TOO_LITTLE || status == SPM_QUOTA_TOO_MUCH;
			/* bounds are found out from below, never on the way down */
			gathered &= fault.is_bound || fault.node == tree.n;
			continue;
		}
		possible++;
		for (int i = 0; i < tree.n; i++)
		{
			in_bounds &= amounts[i] >= tree_lowers[i] && (tree_uppers[i] == SPM_QUOTA_NONE || amounts[i] <= tree_uppers[i]);
			tops += parents[i] < 0 ? amounts[i] : 0;
		}
		fine &= tops == total && adds_up(&tree, amounts, 1);

		for (int k = 0; k < 24; k++)
			shares[k] = random_below(5) ? 1 + random_below(100) : 0;
		shares[3] = shares[15] = 1;
		fine &= spmk_quota_spread(&tree, &tree_order, amounts, 12, shares, seasons, parts, NULL, &fault) == SPM_QUOTA_OK;
		for (int i = 0; i < tree.n; i++)
		{
			int64_t		sum = 0;

			for (int k = 0; k < 12; k++)
			{
				sum += parts[i * 12 + k];
				over_time &= parts[i * 12 + k] >= 0;
			}
			over_time &= sum == amounts[i];
		}
		/* up the tree, what is due by the end of each part adds up */
		for (int i = 0; i < tree.n; i++)
		{
			for (int k = 1; k < 12; k++)
				parts[i * 12 + k] += parts[i * 12 + k - 1];
		}
		for (int k = 0; k < 12; k++)
			up_the_tree &= adds_up(&tree, parts + k, 12);
	}
	ok(fine, "3,000 trees: every node is what is below it, and the tops the total");
	ok(in_bounds, "within all bounds");
	ok(gathered, "and where that is not possible, bounds of a node contradict those below it, or all of them the total");
	ok(possible > 1000 && refused > 300, "both were met often");
	ok(over_time, "spread over a season, parts are never negative and add up to the amount");
	ok(up_the_tree, "and what is due by the end of each part adds up the tree");
}

static void
test_tree_faults(void)
{
	int			circle[4] = {-1, 2, 3, 1};
	SpmQuotaTree tree = {3, (int[]) {-1, 0, 0}, (int64_t[]) {SPM_QUOTA_WHOLE * 11 / 10, SPM_QUOTA_WHOLE, SPM_QUOTA_WHOLE},
		(SpmWeight[]) {SPM_QUOTA_NO_WEIGHT, 2, 1}, (int64_t[]) {SPM_QUOTA_NONE, 0, 0},
		(int64_t[]) {0, 0, 0}, (int64_t[]) {SPM_QUOTA_NONE, SPM_QUOTA_NONE, SPM_QUOTA_NONE}};
	int64_t		lowers[3] = {0, 700, 500};
	int64_t		uppers[3] = {1000, SPM_QUOTA_NONE, SPM_QUOTA_NONE};
	SpmWeight	flat[2] = {1, 1};
	SpmQuotaFault fault = {-1, 0, 0, false};

	ok(spmk_quota_order(4, circle, &tree_order, &fault) == SPM_QUOTA_CIRCLE && fault.node >= 1, "a circle is found, and who is in it");
	spmk_quota_order(3, tree.parents, &tree_order, &fault);
	ok(spmk_quota_cascade(1000, &tree, &tree_order, least, most, amounts, &room, NULL, &fault) == SPM_QUOTA_OK &&
	   amounts[0] == 1000 && amounts[1] == 733 && amounts[2] == 367, "a level that assigns a tenth more than it has");
	seasons[0] = seasons[1] = seasons[2] = 0;
	ok(spmk_quota_spread(&tree, &tree_order, amounts, 2, flat, seasons, parts, NULL, &fault) == SPM_QUOTA_OK &&
	   parts[0] == 501 && parts[1] == 499 && parts[2] == 367 && parts[3] == 366 && parts[4] == 184 && parts[5] == 183,
	   "its halves are those of the nodes below it, over a tenth more");
	amounts[0] = 999;
	ok(spmk_quota_spread(&tree, &tree_order, amounts, 2, flat, seasons, parts, NULL, &fault) == SPM_QUOTA_UNEQUAL && fault.node == 0,
	   "an amount that is not what is below it is refused");
	tree.lowers = lowers;
	tree.uppers = uppers;
	ok(spmk_quota_cascade(1000, &tree, &tree_order, least, most, amounts, &room, NULL, &fault) == SPM_QUOTA_TOO_LITTLE &&
	   fault.node == 0 && fault.below == 1200 && fault.limit == 1000 && fault.is_bound, "lower bounds below that come to more than the upper bound above");
	uppers[0] = SPM_QUOTA_NONE;
	ok(spmk_quota_cascade(1000, &tree, &tree_order, least, most, amounts, &room, NULL, &fault) == SPM_QUOTA_TOO_LITTLE &&
	   fault.node == 3 && fault.below == 1091 && fault.limit == 1000 && !fault.is_bound, "or than the total");
}

int
main(void)
{
	test_groups();
	test_edges();
	test_trees();
	test_tree_faults();
	return done_testing();
}
