/* rulecheck_test.c: what is proven of a book of rules is what all its points say. */
#include <string.h>

#include "kernel/rulecheck.h"

#include "tap.h"

#define BOXES 24
#define DIMS 4
#define CLASSES 8
#define SPANS (BOXES * DIMS * CLASSES)

static SpmBox box[BOXES];
static int32_t nclasses[DIMS];
static int32_t starts[BOXES * DIMS + 1];
static SpmSpan spans[SPANS];
static SpmBoxes book = {.nclasses = nclasses, .boxes = box, .starts = starts, .spans = spans};
static uint8_t takes[BOXES][DIMS][CLASSES];
static uint8_t is_there[BOXES][4096];	/* with its circle: a partial box has not all points */
static int32_t points[4096][DIMS];
static int	npoints;
static int	nrules;
static char room_bytes[8 << 20] __attribute__((aligned(16)));

/* --------------------------------------------------------------- random books */

static void
set_of_classes(int b, int a)
{
	int			n = nclasses[a];

	memset(takes[b][a], 0, CLASSES);
	switch (random_below(4))
	{
		case 0:
			memset(takes[b][a], 1, n);
			break;
		case 1:
			takes[b][a][random_below(n)] = 1;
			break;
		case 2:
			{
				int			first = random_below(n);

				for (int c = first, last = first + random_below(n - first); c <= last; c++)
					takes[b][a][c] = 1;
				break;
			}
		default:
			for (int c = 0; c < n; c++)
				takes[b][a][c] = random_below(2);
			takes[b][a][random_below(n)] = 1;
	}
}

static void
random_book(int most_boxes, bool with_parts)
{
	int			n = 0;

	book.nattributes = 1 + random_below(DIMS);
	book.nboxes = 1 + random_below(most_boxes);
	npoints = 1;
	for (int a = 0; a < book.nattributes; a++)
		npoints *= nclasses[a] = 1 + random_below(random_below(3) ? 4 : CLASSES);
	for (int p = 0; p < npoints; p++)
	{
		for (int a = 0, rest = p; a < book.nattributes; rest /= nclasses[a++])
			points[p][a] = rest % nclasses[a];
	}
	for (int b = 0; b < book.nboxes; b++)
	{
		bool		more = b > 0 && random_below(4) == 0;

		/* Boxes of one rule have all but themselves in common. */
		box[b] = more ? box[b - 1] : (SpmBox)
		{
			.rule = b ? box[b - 1].rule + 1 : 0, .type = random_below(5) == 0, .territory = random_below(3),
			.tie = b ? box[b - 1].tie + (random_below(3) == 0) : 0, .even = b ? box[b - 1].even + (random_below(3) == 0) : 0
		};
		box[b].is_partial = with_parts && random_below(4) == 0;
		for (int a = 0; a < book.nattributes; a++)
		{
			bool		all = true;

			set_of_classes(b, a);
			starts[b * book.nattributes + a] = n;
			for (int c = 0; c < nclasses[a]; c++)
			{
				all &= takes[b][a][c];
				if (!takes[b][a][c])
					continue;
				if (c > 0 && takes[b][a][c - 1])
					spans[n - 1].last = c;
				else
					spans[n++] = (SpmSpan) {c, c};
			}
			if (all && random_below(2))
				n = starts[b * book.nattributes + a];
		}
		for (int p = 0; p < npoints; p++)
		{
			is_there[b][p] = !box[b].is_partial || random_below(3);
			for (int a = 0; a < book.nattributes; a++)
				is_there[b][p] &= takes[b][a][points[p][a]];
		}
	}
	starts[book.nboxes * book.nattributes] = n;
	nrules = box[book.nboxes - 1].rule + 1;
}

static bool
parts_apart(void *arg, int b, int other)
{
	for (int p = 0; p < npoints; p++)
	{
		if (is_there[b][p] && is_there[other][p])
			return false;
	}
	return true;
}

static bool
parts_contain(void *arg, int outer, int inner)
{
	for (int p = 0; p < npoints; p++)
	{
		if (is_there[inner][p] && !is_there[outer][p])
			return false;
	}
	return true;
}

static const SpmParts parts = {parts_apart, parts_contain, NULL};

static SpmRuleIndex *
new_index(SpmRoom *room)
{
	*room = (SpmRoom) {room_bytes, sizeof(room_bytes), 0};
	if (spmk_rulecheck_room(&book) < room->size)
		room->size = spmk_rulecheck_room(&book);
	return spmk_rule_index(&book, room);
}

/* --------------------------------------------------------------------- conflicts */

static uint8_t told[BOXES][BOXES];
static int	ntold;
static int	nnarrower;
static bool is_true_pair;

static bool
told_pair(void *arg, int b, int other)
{
	bool		narrower = box[b].even != box[other].even;

	is_true_pair &= !told[box[b].rule][box[other].rule] && !parts_apart(NULL, b, other);
	is_true_pair &= narrower || nnarrower == 0;
	told[box[b].rule][box[other].rule] = 1;
	nnarrower += narrower;
	ntold++;
	return true;
}

static bool
conflicts_hold(void)
{
	SpmRoom		room;
	SpmRuleIndex *index = new_index(&room);
	uint8_t		due[BOXES][BOXES] = {{0}};
	int			ndue = 0;

	memset(told, 0, sizeof(told));
	ntold = nnarrower = 0;
	is_true_pair = index != NULL;
	spmk_rule_conflicts(index, NULL, told_pair, NULL);
	for (int b = 0; b < book.nboxes; b++)
	{
		for (int c = b + 1; c < book.nboxes; c++)
		{
			if (box[b].rule != box[c].rule && box[b].tie == box[c].tie && box[b].type == box[c].type &&
				box[b].territory != box[c].territory && !parts_apart(NULL, b, c) && !due[box[b].rule][box[c].rule])
			{
				due[box[b].rule][box[c].rule] = 1;
				ndue++;
			}
		}
	}
	return is_true_pair && ndue == ntold && memcmp(due, told, sizeof(due)) == 0;
}

/* ------------------------------------------------------------------------- fates */

static uint8_t has[BOXES][4096];	/* rule, point */
static int	type_of[BOXES];

static void
points_of_rules(void)
{
	memset(has, 0, sizeof(has));
	for (int b = 0; b < book.nboxes; b++)
	{
		type_of[box[b].rule] = box[b].type;
		for (int p = 0; p < npoints; p++)
			has[box[b].rule][p] |= is_there[b][p];
	}
}

/* Whether a rule has a point that is in none of the n rules. */
static bool
has_own_point(int rule, const int32_t *others, int n)
{
	for (int p = 0; p < npoints; p++)
	{
		bool		is_own = has[rule][p];

		for (int i = 0; i < n && is_own; i++)
			is_own = type_of[others[i]] != type_of[rule] || !has[others[i]][p];
		if (is_own)
			return true;
	}
	return false;
}

static int	nfates[4];

/* "Hidden" is always true; without circles every fate is known, and true. */
static bool
fates_hold(int64_t budget)
{
	SpmRoom		room;
	SpmRuleIndex *index = new_index(&room);
	bool		holds = index != NULL;
	bool		is_exact = book.parts == NULL && budget > 1000000;

	points_of_rules();
	for (int first = 0, last; first < book.nboxes; first = last + 1)
	{
		int32_t		all[BOXES];
		int32_t		by[BOXES];
		int			nby;
		SpmFate		fate;
		bool		wins;

		for (last = first; last + 1 < book.nboxes && box[last + 1].rule == box[first].rule; last++)
			;
		fate = spmk_rule_fate(index, first, last, budget, NULL, by, &nby);
		nfates[fate]++;
		for (int r = 0; r < box[first].rule; r++)
			all[r] = r;
		wins = has_own_point(box[first].rule, all, box[first].rule);
		switch (fate)
		{
			case SPM_FATE_WINS:
				holds &= wins || book.parts;
				break;
			case SPM_FATE_UNKNOWN:
				holds &= !is_exact;
				break;
			default:
				holds &= !wins && !has_own_point(box[first].rule, by, nby) && (nby == 1) == (fate == SPM_FATE_HIDDEN_BY_ONE);
				for (int i = 0; i < nby; i++)
				{
					int32_t		others[BOXES];

					holds &= by[i] < box[first].rule && type_of[by[i]] == box[first].type && (i == 0 || by[i - 1] < by[i]);
					for (int j = 0; j < nby; j++)
						others[j] = by[j == i ? nby - 1 : j];
					/* none of them is needless */
					holds &= first < last || nby == 1 || book.parts || !is_exact || has_own_point(box[first].rule, others, nby - 1);
				}
		}
	}
	return holds;
}

/* -------------------------------------------------------------------------- gaps */

static uint8_t gaps[4096][DIMS * CLASSES];
static int	ngaps;
static int	nclasses_of_all;
static SpmGapQuestion question;

static bool
gap_is_known(void *arg, const uint8_t *classes)
{
	for (int g = 0; g < ngaps; g++)
	{
		bool		is_inside = true;

		for (int c = 0; c < nclasses_of_all; c++)
			is_inside &= !classes[c] || gaps[g][c];
		if (is_inside)
			return true;
	}
	return false;
}

static bool
gap_found(void *arg, const uint8_t *classes)
{
	memcpy(gaps[ngaps++], classes, nclasses_of_all);
	return true;
}

static const SpmGapAnswer answer = {gap_is_known, gap_found, NULL};

static bool
is_in(const uint8_t *classes, const int32_t *point)
{
	for (int a = 0, offset = 0; a < book.nattributes; offset += nclasses[a++])
	{
		if (!classes[offset + point[a]])
			return false;
	}
	return true;
}

/* Whole spans count, but for partial boxes where those are left out. */
static bool
is_covered(const int32_t *point)
{
	for (int b = 0; b < book.nboxes; b++)
	{
		bool		covers = box[b].type == question.type && !(box[b].is_partial && question.is_outside_parts);

		for (int a = 0; a < book.nattributes && covers; a++)
			covers = takes[b][a][point[a]];
		if (covers)
			return true;
	}
	return false;
}

static bool
is_gap(const uint8_t *classes)
{
	bool		is_empty = true;

	for (int p = 0; p < npoints; p++)
	{
		if (!is_in(classes, points[p]))
			continue;
		is_empty = false;
		if (is_covered(points[p]) || !is_in(question.within, points[p]))
			return false;
	}
	return !is_empty;
}

/* A gap, and none with any class more. */
static bool
is_widest_gap(const uint8_t *classes)
{
	uint8_t		wider[DIMS * CLASSES];

	if (!is_gap(classes))
		return false;
	for (int c = 0; c < nclasses_of_all; c++)
	{
		memcpy(wider, classes, nclasses_of_all);
		wider[c] = 1;
		if (!classes[c] && is_gap(wider))
			return false;
	}
	return true;
}

static bool
gaps_hold(void)
{
	static const int32_t order[DIMS] = {3, 1, 0, 2};
	uint8_t		within[DIMS * CLASSES];
	int32_t		own_order[DIMS];
	SpmRoom		room;
	SpmRuleIndex *index = new_index(&room);
	bool		holds = index != NULL;

	ngaps = nclasses_of_all = 0;
	for (int i = 0, n = 0; i < DIMS; i++)
	{
		if (order[i] < book.nattributes)
			own_order[n++] = order[i];
	}
	for (int a = 0; a < book.nattributes; a++)
		nclasses_of_all += nclasses[a];
	for (int c = 0; c < nclasses_of_all; c++)
		within[c] = random_below(8) > 0;
	question = (SpmGapQuestion) {random_below(2), random_below(2), within, own_order};
	holds &= spmk_rule_gaps(index, &question, 100000000, NULL, &answer);
	for (int g = 0; g < ngaps; g++)
		holds &= is_widest_gap(gaps[g]);
	for (int p = 0; p < npoints; p++)
	{
		bool		is_free = is_in(within, points[p]) && !is_covered(points[p]);
		bool		is_told = false;

		for (int g = 0; g < ngaps; g++)
			is_told |= is_in(gaps[g], points[p]);
		holds &= is_told == is_free;
	}
	for (int i = 0; i < 10; i++)
	{
		uint8_t		wide[DIMS * CLASSES];
		int			p = random_below(npoints);

		if (!is_in(within, points[p]))
			continue;
		if (spmk_rule_gap_at(index, &question, points[p], wide))
			holds &= is_widest_gap(wide) && is_in(wide, points[p]);
		else
			holds &= is_covered(points[p]);
	}
	return holds;
}

/* -------------------------------------------------------------------------- size */

static int	nbreaths;

static void
breathe(void *arg)
{
	nbreaths++;
}

/* n boxes of 4 attributes, one class or a few of each: so many that a budget matters. */
static bool
budget_holds(void)
{
	SpmBreath	breath = {breathe, NULL};
	SpmRoom		room;
	SpmRuleIndex *index;
	int32_t		by[BOXES];
	int			nby;
	SpmFate		fate;
	int			n = 0;

	book.nattributes = DIMS;
	book.nboxes = BOXES;
	book.parts = NULL;
	for (int a = 0; a < DIMS; a++)
		nclasses[a] = CLASSES;
	for (int b = 0; b < BOXES; b++)
	{
		box[b] = (SpmBox) {.rule = b};
		for (int a = 0; a < DIMS; a++)
		{
			int			first = random_below(CLASSES);

			starts[b * DIMS + a] = n;
			if (b < BOXES - 1)
				spans[n++] = (SpmSpan) {first, first + random_below(CLASSES - first)};
		}
	}
	starts[BOXES * DIMS] = n;
	index = new_index(&room);
	nbreaths = 0;
	fate = spmk_rule_fate(index, BOXES - 1, BOXES - 1, 30, &breath, by, &nby);
	return fate == SPM_FATE_UNKNOWN && nby == 0 && nbreaths > 0 &&
		spmk_rule_fate(index, BOXES - 1, BOXES - 1, 30000, NULL, by, &nby) != SPM_FATE_UNKNOWN;
}

int
main(void)
{
	bool		conflicts = true;
	bool		fates = true;
	bool		found_gaps = true;
	bool		parts_fates = true;
	bool		parts_conflicts = true;
	bool		parts_gaps = true;
	bool		poor = true;

	for (int i = 0; i < 20000; i++)
	{
		book.parts = NULL;
		random_book(i % 3 ? 8 : BOXES, false);
		conflicts &= conflicts_hold();
		fates &= fates_hold(100000000);
		found_gaps &= gaps_hold();
		poor &= fates_hold(random_below(60));

		book.parts = &parts;
		random_book(8, true);
		parts_conflicts &= conflicts_hold();
		parts_fates &= fates_hold(100000000);
		parts_gaps &= gaps_hold();
	}
	ok(conflicts, "20,000 random books: every pair of rules that overlap undecided, and no other, once, the even ones first");
	ok(fates, "whether each rule ever wins, and that those named do hide it, point by point, and none of them is needless");
	ok(found_gaps, "gaps are all that is uncovered, each as wide as can be, from spaces and from points");
	ok(parts_conflicts, "circles that are apart do not conflict though their squares overlap");
	ok(parts_fates, "a rule is not called hidden by squares");
	ok(parts_gaps, "gaps beside squares, or without circles");
	ok(poor, "with a small budget nothing false is said");
	ok(nfates[SPM_FATE_WINS] > 10000 && nfates[SPM_FATE_HIDDEN_BY_ONE] > 10000 &&
	   nfates[SPM_FATE_HIDDEN_BY_MANY] > 5000 && nfates[SPM_FATE_UNKNOWN] > 1000, "all fates were met often");
	ok(budget_holds(), "a spent budget leaves a fate unknown, a larger one finds it");
	return done_testing();
}
