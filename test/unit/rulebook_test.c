/* rulebook_test.c: compiled books say what reading every rule says. */
#include "kernel/rulebook.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/rulebook_key.h"
#include "tap.h"

#define DIMS		6			/* number, number, bytes, bytes (names), latitude, longitude */
#define MAX_BOXES	2000
#define MAX_COND	8000
#define MAX_INTERVAL 60000
#define MAX_CIRCLE	200

static void *blocks[100000];
static int	nblocks;

static void *
get(void *arg, size_t size)
{
	void	   *block = NULL;

	(void) arg;
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

static SpmRuleInput boxes[MAX_BOXES];
static SpmRuleCondition conditions[MAX_COND];
static SpmRuleInterval intervals[MAX_INTERVAL];
static SpmRuleCircle circles[MAX_CIRCLE];
static uint32_t uses[MAX_COND * 4];
static uint32_t circle_uses[MAX_CIRCLE];
static SpmRuleSource source;
static const SpmRuleOrder orders[DIMS] = {SPM_ORDER_NUMBER, SPM_ORDER_NUMBER, SPM_ORDER_BYTES, SPM_ORDER_BYTES,
SPM_ORDER_NUMBER, SPM_ORDER_NUMBER};
static char texts[1000][12];
static SpmChance chance;

static uint32_t
below(uint32_t n)
{
	return spmk_chance_below(&chance, n);
}

/* A key near to many others; of bytes with some that begin with others. */
static SpmRuleKey
some_key(uint32_t dim, uint32_t spread)
{
	SpmRuleKey	key = {0, NULL, 0};

	if (orders[dim] == SPM_ORDER_NUMBER)
		key.number = (int64_t) below(spread) - 10;
	else
	{
		key.bytes = texts[below(spread < 1000 ? spread : 1000)];
		key.length = (uint32_t) strlen(key.bytes);
		if (dim == 2 && below(4) == 0)
			key.length = below(key.length + 1);
	}
	return key;
}

static bool
in_interval(SpmRuleOrder order, const SpmRuleInterval *interval, const SpmRuleValue *value)
{
	int			from = spmk_rule_key_compare(order, &value->key, &interval->from);
	int			to = spmk_rule_key_compare(order, &value->key, &interval->to);

	/* just above: more than the number, less than the next */
	if (value->is_beyond && from == 0)
		from = 1;
	if (value->is_beyond && to == 0)
		to = 1;
	return ((interval->flags & SPM_NO_FROM) || from > 0 || (from == 0 && !(interval->flags & SPM_FROM_OPEN))) &&
		((interval->flags & SPM_NO_TO) || to < 0 || (to == 0 && !(interval->flags & SPM_TO_OPEN)));
}

static bool
meets(const SpmRuleInput *box, const SpmRuleValue *values)
{
	for (uint32_t i = 0; i < box->nconditions; i++)
	{
		const SpmRuleCondition *condition = &conditions[uses[box->first_condition + i]];
		const SpmRuleValue *value = &values[condition->dim];
		bool		found = false;

		if (condition->is_null)
		{
			if (value->is_null == condition->is_negated)
				return false;
			continue;
		}
		if (value->is_null)
			return false;
		for (uint32_t j = 0; j < condition->nintervals; j++)
			found |= in_interval(orders[condition->dim], &intervals[condition->first_interval + j], value);
		if (found == condition->is_negated)
			return false;
	}
	for (uint32_t i = 0; i < box->ncircles; i++)
	{
		const SpmRuleCircle *circle = &circles[circle_uses[box->first_circle + i]];

		if (values[4].is_null || values[5].is_null ||
			(spmk_rule_distance(circle->latitude, circle->longitude,
								spmk_rule_to_double(values[4].key.number),
								spmk_rule_to_double(values[5].key.number)) <= circle->km) == circle->is_negated)
			return false;
	}
	return true;
}

/* To the condition that is being made. */
static void
add_interval(SpmRuleKey from, SpmRuleKey to, int flags)
{
	SpmRuleCondition *condition = &conditions[source.nconditions];

	intervals[condition->first_interval + condition->nintervals++] = (SpmRuleInterval) {from, to, flags};
}

/* The square of a circle, as whoever fills a book must give it. */
static void
add_circle(uint32_t *ninterval, uint32_t *nuse)
{
	SpmRuleCircle *circle = &circles[source.ncircles];
	double		latitudes[2];
	double		longitudes[4];
	int			n;

	*circle = (SpmRuleCircle) {4, 5, below(180) - 90.0, below(360) - 180.0, below(3) == 0 ? below(20000) : below(2000), below(4) == 0};
	if (!circle->is_negated)
	{
		n = spmk_rule_square(circle, latitudes, longitudes);
		for (int d = 0; d < 2; d++)
		{
			SpmRuleCondition *condition = &conditions[source.nconditions];

			*condition = (SpmRuleCondition) {4 + d, false, false, *ninterval, 0};
			for (int i = 0; i < (d == 0 ? 1 : n); i++)
			{
				const double *ends = d == 0 ? latitudes : longitudes + 2 * i;
				SpmRuleKey	from = {spmk_rule_from_double(ends[0]), NULL, 0};
				SpmRuleKey	to = {spmk_rule_from_double(ends[1]), NULL, 0};

				add_interval(from, to, 0);
			}
			*ninterval += condition->nintervals;
			uses[(*nuse)++] = source.nconditions++;
		}
	}
	circle_uses[source.ncircles] = source.ncircles;
	source.ncircles++;
}

static void
make_book(uint32_t nboxes, uint32_t spread, bool with_names, bool with_circles)
{
	uint32_t	ninterval = 0;
	uint32_t	nuse = 0;

	memset(&source, 0, sizeof(source));
	source.ndims = DIMS;
	source.orders = orders;
	source.ntypes = 1 + below(3);
	source.nboxes = nboxes;
	source.boxes = boxes;
	source.uses = uses;
	source.conditions = conditions;
	source.intervals = intervals;
	source.circle_uses = circle_uses;
	source.circles = circles;
	for (uint32_t b = 0; b < nboxes; b++)
	{
		SpmRuleInput *box = &boxes[b];
		uint32_t	n = below(4);

		*box = (SpmRuleInput) {b, below(source.ntypes), nuse, 0, source.ncircles, 0};
		for (uint32_t i = 0; i < n; i++)
		{
			SpmRuleCondition *condition = &conditions[source.nconditions];
			uint32_t	dim = below(3);

			/* now and then what another rule has asked, as heirs do */
			if (source.nconditions > 0 && below(8) == 0)
			{
				uses[nuse++] = below(source.nconditions);
				continue;
			}
			if (with_names && below(2) == 0)
				dim = 3;
			*condition = (SpmRuleCondition) {dim, below(4) == 0, below(10) == 0, ninterval, 0};
			if (!condition->is_null)
			{
				uint32_t	kind = dim == 3 ? 0 : below(3);

				for (uint32_t k = below(dim == 3 ? 3 : 5) + (dim == 3); k > 0; k--)
				{
					SpmRuleKey	from = some_key(dim, spread);
					SpmRuleKey	to = kind == 0 ? from : some_key(dim, spread);

					if (kind == 1 && spmk_rule_key_compare(orders[dim], &to, &from) < 0)
					{
						SpmRuleKey	swap = to;

						to = from;
						from = swap;
					}
					add_interval(from, to, kind == 0 ? 0 : (int) below(16));
				}
				ninterval += condition->nintervals;
			}
			uses[nuse++] = source.nconditions++;
		}
		if (with_circles && below(4) == 0 && source.ncircles < MAX_CIRCLE)
		{
			add_circle(&ninterval, &nuse);
			box->ncircles = 1;
		}
		box->nconditions = nuse - box->first_condition;
	}
}

/* Records asked of a book and of its rules one by one; the number of answers that differ. */
static int
differences(uint32_t nrecords, uint32_t spread)
{
	SpmRulebook book;
	SpmRuleProbe probe;
	uint32_t   *places = malloc(MAX_BOXES * sizeof(uint32_t));
	int			wrong = 0;

	if (spmk_rulebook_compile(&book, &source, &memory, &memory, NULL) != SPM_RULE_OK)
		return -1;
	probe.book = &book;
	probe.memos = below(2) == 0 ? NULL : get(NULL, sizeof(SpmRuleMemo) * SPM_RULE_MEMOS * DIMS);
	for (uint32_t r = 0; r < nrecords; r++)
	{
		for (uint32_t d = 0; d < DIMS; d++)
		{
			SpmRuleValue *value = &probe.values[d];

			value->key = some_key(d, spread);
			value->is_null = below(12) == 0;
			value->is_beyond = d < 2 && below(5) == 0;
			if (d == 4)
				value->key.number = spmk_rule_from_double(180 * spmk_chance_unit(&chance) - 90);
			if (d == 5)
				value->key.number = spmk_rule_from_double(360 * spmk_chance_unit(&chance) - 180);
		}
		probe.values[5].is_null = probe.values[4].is_null;
		spmk_rulebook_locate(&probe);
		for (uint32_t type = 0; type < source.ntypes; type++)
		{
			uint32_t	found = spmk_rulebook_first(&probe, type);
			uint32_t	n = spmk_rulebook_all(&probe, type, places, MAX_BOXES);
			uint32_t	expected = SPM_RULE_NONE;
			uint32_t	nexpected = 0;

			for (uint32_t b = 0; b < source.nboxes; b++)
			{
				if (boxes[b].type == type && meets(&boxes[b], probe.values))
				{
					nexpected++;
					if (expected == SPM_RULE_NONE)
						expected = b;
				}
			}
			wrong += (found == SPM_RULE_NONE ? SPM_RULE_NONE : book.boxes[found].rank) != expected;
			wrong += n != nexpected;
			for (uint32_t i = 0; i < n; i++)
				wrong += !meets(&boxes[book.boxes[places[i]].rank], probe.values);
		}
		for (uint32_t p = 0; p < book.nplaces; p += 1 + below(20))
			wrong += (spmk_rulebook_failed(&probe, p, NULL) == SPM_RULE_NONE) !=
				meets(&boxes[book.boxes[p].rank], probe.values);
	}
	/* what a box says it accepts is what its bits say */
	for (uint32_t p = 0; p < book.nplaces; p++)
	{
		for (uint32_t s = 0; s < book.boxes[p].nsets; s++)
		{
			const SpmRuleSet *set = &book.sets[book.boxes[p].first_set + s];
			const SpmRuleDim *dim = &book.dims[set->dim];
			uint32_t	next = 0;

			for (uint32_t class = 0; class < dim->nclasses; class++)
			{
				bool		in_set;

				while (next < set->nranges && book.ranges[set->first_range + next].last < class)
					next++;
				in_set = next < set->nranges && book.ranges[set->first_range + next].first <= class;
				wrong += in_set != spmk_rule_bit(&book, spmk_rule_row(&book, dim->row_of_class[class]), p);
			}
		}
	}
	free(places);
	forget();
	return wrong;
}

int
main(void)
{
	int			wrong;
	SpmRuleCircle circle = {4, 5, 89, 10, 500, false};
	double		latitudes[2];
	double		longitudes[4];

	chance.state = 7;
	for (int i = 0; i < 1000; i++)
	{
		int			n = 3 + (int) below(8);

		for (int j = 0; j < n; j++)
			texts[i][j] = (char) ("abz\xff"[below(4)]);
		texts[i][n] = '\0';
	}

	ok(spmk_rule_from_double(-1.5) < spmk_rule_from_double(-1.25) && spmk_rule_from_double(-0.0) == 0 &&
	   spmk_rule_from_double(-1e-300) < 0 && spmk_rule_from_double(1e300) < spmk_rule_from_double(HUGE_VAL) &&
	   spmk_rule_to_double(spmk_rule_from_double(-40.75)) == -40.75, "doubles are numbers in the same order");
	ok(fabs(spmk_rule_distance(0, 0, 0, 180) - 20015.114) < 0.001, "half the equator is 20,015.114 km long");
	ok(spmk_rule_square(&circle, latitudes, longitudes) == 1 && longitudes[0] < -180 && longitudes[1] > 180,
	   "a circle around a pole has every longitude");
	circle = (SpmRuleCircle) {4, 5, 0, 179, 300, false};
	ok(spmk_rule_square(&circle, latitudes, longitudes) == 2, "a circle over the date line has two ranges of longitudes");

	make_book(0, 10, false, false);
	ok(differences(20, 10) == 0, "a book without rules is met by nobody");

	wrong = 0;
	for (int i = 0; i < 400; i++)
	{
		make_book(1 + below(20), 10, false, false);
		wrong += differences(50, 15) != 0;
	}
	ok(wrong == 0, "400 small books say what their rules say one by one");
	wrong = 0;
	for (int i = 0; i < 30; i++)
	{
		make_book(600, 60, false, false);
		wrong += differences(100, 70) != 0;
	}
	ok(wrong == 0, "30 books of 600 rules do, too");
	wrong = 0;
	for (int i = 0; i < 20; i++)
	{
		make_book(1500, 1000, true, false);
		wrong += differences(100, 1000) != 0;
	}
	ok(wrong == 0, "20 books with hundreds of names do, too");
	{
		SpmRulebook book;

		make_book(1500, 1000, true, false);
		wrong = spmk_rulebook_compile(&book, &source, &memory, &memory, NULL) != SPM_RULE_OK;
		ok(!wrong && book.nposting == 1 && book.posted_start[0] < book.nplaces && book.dims[3].nposted > 256,
		   "and names are found by hash");
		forget();
	}
	wrong = 0;
	for (int i = 0; i < 60; i++)
	{
		make_book(100, 30, false, true);
		wrong += differences(300, 30) != 0;
	}
	ok(wrong == 0, "60 books with circles do, too");
	source.ndims = SPM_RULE_DIMS + 1;
	{
		SpmRulebook book;

		ok(spmk_rulebook_compile(&book, &source, &memory, &memory, NULL) == SPM_RULE_TOO_MANY,
		   "too many dimensions are refused");
		forget();
	}
	return done_testing();
}
