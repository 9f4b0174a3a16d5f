/* rulecheck_book_test.c: what is proven of a compiled book holds for every record that is asked of it. */
#include "kernel/rulecheck_book.h"

#include <stdlib.h>

#include "tap.h"

#define DIMS		5			/* number, bytes, names, latitude, longitude */
#define MAX_BOXES	600
#define MAX_USES	(MAX_BOXES * 6)
#define MAX_INTERVALS 8000

static void *blocks[1000000];
static int	nblocks;

static void *
get(void *arg, size_t size)
{
	void	   *block = NULL;

	if (posix_memalign(&block, 64, size) != 0)
		abort();
	memset(block, 0, size);
	blocks[nblocks++] = block;
	return block;
}

static const SpmRuleMemory memory = {get, NULL};

static void
forget(void)
{
	while (nblocks > 0)
		free(blocks[--nblocks]);
}

static const SpmRuleOrder orders[DIMS] = {SPM_ORDER_NUMBER, SPM_ORDER_BYTES, SPM_ORDER_BYTES, SPM_ORDER_NUMBER, SPM_ORDER_NUMBER};
static SpmRuleInput inputs[MAX_BOXES];
static SpmRuleCondition conditions[MAX_USES];
static SpmRuleInterval intervals[MAX_INTERVALS];
static uint32_t uses[MAX_USES];
static SpmRuleCircle circles[MAX_BOXES];
static uint32_t circle_uses[MAX_BOXES];
static SpmRuleSource source;
static int	nintervals;
static char names[1000][8];
static SpmRulebook book;
static SpmBookBoxes them;
static SpmRuleIndex *index_of_them;
static SpmRoom room;

static SpmRuleKey
some_key(int d)
{
	SpmRuleKey	key = {random_below(12), NULL, 0};

	if (d == 1 || d == 2)
	{
		key.bytes = names[d == 1 ? random_below(12) : random_below(700)];
		key.length = d == 1 ? 1 + random_below(2) : strlen(key.bytes);
	}
	return key;
}

static void
add_condition(SpmRuleInput *input, int d)
{
	SpmRuleCondition *condition = &conditions[source.nconditions];
	int			n = d == 2 ? 1 + random_below(8) : 1 + random_below(2);

	*condition = (SpmRuleCondition) {d, random_below(d == 2 ? 40 : 5) == 0, d != 2 && random_below(8) == 0, nintervals, 0};
	for (int i = 0; i < n && !condition->is_null; i++)
	{
		SpmRuleInterval *interval = &intervals[nintervals++];

		interval->from = interval->to = some_key(d);
		interval->flags = 0;
		condition->nintervals++;
		if (d == 0 && random_below(2))
		{
			interval->to.number = interval->from.number + random_below(6);
			interval->flags = random_below(16);
		}
		else if (d == 1 && random_below(2))
			interval->flags = random_below(2) ? SPM_NO_TO : SPM_NO_FROM;
	}
	uses[source.nconditions] = source.nconditions;
	source.nconditions++;
	input->nconditions++;
}

static void
add_circle(SpmRuleInput *input)
{
	SpmRuleCircle *circle = &circles[source.ncircles];
	double		ends[2][4];
	int			n;

	*circle = (SpmRuleCircle) {3, 4, 40 + random_below(4), -75 + random_below(4), 20 + random_below(200), random_below(3) == 0};
	n = spmk_rule_square(circle, ends[0], ends[1]);
	for (int d = 0; d < 2; d++)
	{
		SpmRuleCondition *condition = &conditions[source.nconditions];

		*condition = (SpmRuleCondition) {3 + d, circle->is_negated, circle->is_negated, nintervals, 0};
		for (int i = 0; i < (d ? n : 1) && !circle->is_negated; i++)
		{
			intervals[nintervals++] = (SpmRuleInterval)
			{
				{spmk_rule_from_double(ends[d][2 * i]), NULL, 0}, {spmk_rule_from_double(ends[d][2 * i + 1]), NULL, 0}, 0
			};
			condition->nintervals++;
		}
		uses[source.nconditions] = source.nconditions;
		source.nconditions++;
		input->nconditions++;
	}
	circle_uses[source.ncircles] = source.ncircles;
	source.ncircles++;
	input->ncircles++;
}

static bool
make_book(int nboxes, bool with_names, bool with_circles)
{
	forget();
	nintervals = 0;
	source = (SpmRuleSource) {DIMS, orders, 1 + random_below(2), nboxes, inputs, uses, 0, conditions, intervals, circle_uses, 0, circles};
	for (int b = 0; b < nboxes; b++)
	{
		bool		more = b > 0 && random_below(5) == 0;

		inputs[b] = (SpmRuleInput)
		{
			more ? inputs[b - 1].rule : 1000 + b, more ? inputs[b - 1].type : random_below(source.ntypes),
				source.nconditions, 0, source.ncircles, 0
		};
		if (with_names && random_below(2))
			add_condition(&inputs[b], 2);
		for (int i = random_below(4); i > 0; i--)
			add_condition(&inputs[b], random_below(2));
		if (with_circles && random_below(3) == 0)
			add_circle(&inputs[b]);
		if (with_circles && random_below(8) == 0)
			add_circle(&inputs[b]);
	}
	if (spmk_rulebook_compile(&book, &source, &memory, &memory, NULL) != SPM_RULE_OK ||
		!spmk_book_boxes(&them, &book, NULL, NULL, &memory))
		return false;
	for (int b = 0; b < them.boxes.nboxes; b++)
		them.box[b].territory = them.box[b].rule;
	room = (SpmRoom) {.size = spmk_rulecheck_room(&them.boxes)};
	room.bytes = get(NULL, room.size);
	index_of_them = spmk_rule_index(&them.boxes, &room);
	return index_of_them != NULL;
}

static bool
is_in_spans(int b, const int32_t *point)
{
	for (int d = 0; d < DIMS; d++)
	{
		int32_t		s = them.boxes.starts[b * DIMS + d];
		int32_t		end = them.boxes.starts[b * DIMS + d + 1];
		bool		is_in = s == end;

		for (; s < end; s++)
			is_in |= them.boxes.spans[s].first <= point[d] && point[d] <= them.boxes.spans[s].last;
		if (!is_in)
			return false;
	}
	return true;
}

static bool overlap[MAX_BOXES][MAX_BOXES];

static bool
told(void *arg, int b, int other)
{
	overlap[them.box[b].rule][them.box[other].rule] = true;
	return true;
}

/* Classes say what the book says; who wins is not hidden, who meets the same overlaps, a met point is no gap. */
static bool
holds(int nrecords)
{
	static uint32_t places[MAX_BOXES];
	static bool is_hidden[MAX_BOXES];
	static int32_t by[MAX_BOXES];
	uint8_t    *wide;
	uint8_t    *all;
	size_t		nclasses = 0;
	static const int32_t order[DIMS] = {0, 1, 2, 3, 4};
	SpmRuleProbe probe = {&book};
	bool		good = true;

	for (int d = 0; d < DIMS; d++)
		nclasses += them.boxes.nclasses[d];
	wide = get(NULL, nclasses);
	all = get(NULL, nclasses);
	memset(all, 1, nclasses);
	memset(overlap, 0, sizeof(overlap));
	spmk_rule_conflicts(index_of_them, NULL, told, NULL);
	for (int first = 0, last; first < them.boxes.nboxes; first = last + 1)
	{
		int			nby;
		SpmFate		fate;

		for (last = first; last + 1 < them.boxes.nboxes && them.box[last + 1].rule == them.box[first].rule; last++)
			;
		fate = spmk_rule_fate(index_of_them, first, last, 1000000, NULL, by, &nby);
		is_hidden[them.box[first].rule] = fate == SPM_FATE_HIDDEN_BY_ONE || fate == SPM_FATE_HIDDEN_BY_MANY;
	}
	for (int r = 0; r < nrecords; r++)
	{
		int32_t		point[DIMS];

		for (int d = 0; d < DIMS; d++)
		{
			probe.values[d] = (SpmRuleValue) {some_key(d), random_below(10) == 0, d == 0 && random_below(4) == 0};
			if (d > 2)
				probe.values[d].key.number = spmk_rule_from_double((d == 3 ? 38 : -78) + random_below(9000) / 1000.0);
		}
		spmk_rulebook_locate(&probe);
		good &= spmk_book_point(&them, probe.values, point);
		for (uint32_t type = 0; type < source.ntypes; type++)
		{
			uint32_t	first = spmk_rulebook_first(&probe, type);
			int			n = spmk_rulebook_all(&probe, type, places, MAX_BOXES);
			SpmGapQuestion question = {type, true, all, order};
			int			before = -1;
			bool		is_gap;

			for (int b = 0; b < them.boxes.nboxes; b++)
			{
				bool		is_met = false;
				bool		is_in = is_in_spans(b, point);

				if (them.box[b].type != type)
					continue;
				for (int i = 0; i < n; i++)
					is_met |= places[i] == them.places[b];
				good &= is_met ? is_in : !is_in || them.box[b].is_partial;
				if (!is_met)
					continue;
				if (before < 0)
					good &= them.places[b] == first && !is_hidden[them.box[b].rule];
				else
					good &= before == them.box[b].rule || overlap[before][them.box[b].rule];
				before = them.box[b].rule;
			}
			is_gap = spmk_rule_gap_at(index_of_them, &question, point, wide);
			good &= !is_gap || n == 0 || book.boxes[places[0]].ncircles > 0;
			good &= n > 0 || is_gap;
			question.is_outside_parts = false;
			good &= n == 0 || !spmk_rule_gap_at(index_of_them, &question, point, wide);
		}
	}
	return good;
}

int
main(void)
{
	bool		small = true;
	bool		named = true;
	bool		round = true;
	bool		both = true;
	bool		is_posted = true;

	for (int i = 0; i < 1000; i++)
	{
		int			n = 3 + random_below(4);

		for (int j = 0; j < n; j++)
			names[i][j] = "abcz"[random_below(4)];
	}
	for (int i = 0; i < 500; i++)
		small &= make_book(1 + random_below(30), false, false) && holds(100);
	ok(small, "500 books, 100 records each: whoever wins was not called hidden, who meets the same was told to overlap, gaps are met by nobody");
	for (int i = 0; i < 20; i++)
	{
		named &= make_book(400 + random_below(150), true, false) && holds(300);
		is_posted &= book.nposting > 0;
	}
	ok(named, "with named accounts, too");
	ok(is_posted, "which are looked up by name");
	for (int i = 0; i < 300; i++)
		round &= make_book(1 + random_below(30), false, true) && holds(200);
	ok(round, "with circles and what is outside of circles, too");
	for (int i = 0; i < 10; i++)
		both &= make_book(500, true, true) && holds(200);
	ok(both, "and with all of it");
	{
		/* from 1 to 3, and from 4 to 9, of whole numbers that are never NULL: nothing is between, all is covered */
		static const uint8_t fractions[9] = {1, 0, 1, 0, 1, 0, 1, 0, 1};
		const uint8_t *is_void[DIMS] = {fractions};
		const bool	is_never_null[DIMS] = {true};
		int32_t		point[DIMS];
		SpmRuleValue values[DIMS] = {{{3}, .is_beyond = true}, {.is_null = true}, {.is_null = true}, {.is_null = true}, {.is_null = true}};

		forget();
		source = (SpmRuleSource) {DIMS, orders, 1, 2, inputs, uses, 2, conditions, intervals, circle_uses, 0, circles};
		for (int i = 0; i < 2; i++)
		{
			intervals[i] = (SpmRuleInterval) {{i ? 4 : 1}, {i ? 9 : 3}, 0};
			conditions[i] = (SpmRuleCondition) {0, false, false, i, 1};
			uses[i] = i;
			inputs[i] = (SpmRuleInput) {i, 0, i, 1, 0, 0};
		}
		ok(spmk_rulebook_compile(&book, &source, &memory, &memory, NULL) == SPM_RULE_OK && book.dims[0].npieces == 9 &&
		   spmk_book_boxes(&them, &book, is_void, is_never_null, &memory) && them.boxes.nclasses[0] == 2 &&
		   !spmk_book_point(&them, values, point), "classes that nothing can be in are left out");
		forget();
	}
	return done_testing();
}
