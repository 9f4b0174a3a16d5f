/*
 * territory_compile.c
 *	  From what territory_source.c has read to the compiled book of rules.
 *
 * A rule is one box, or several where the rules above it that are inherited
 * leave several ways to be met.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"

#include "numbers.h"
#include "territory_source.h"

#define BOXES_OF_RULE	4096	/* ways to meet what it inherits */
#define MAX_LAYERS		63		/* territories above that pass rules on */

/* One way to meet what a territory passes on to those below it: a rule, or no rule on the days without one. */
typedef struct Way
{
	const RawRule *rule;		/* NULL: only the day */
	uint32		day;			/* condition */
} Way;

/* What rules below a territory inherit of it. */
typedef struct Legacy
{
	int32		territory_id;	/* hash key */
	int			nways;
	Way		   *ways;
	uint32		nattributes;	/* at most, of its rules */
} Legacy;

/* ------------------------------------------------------------------------- inheritance */

static int
compare_day_intervals(const void *a, const void *b)
{
	const SpmRuleInterval *x = a;
	const SpmRuleInterval *y = b;
	int64		from = x->flags & SPM_NO_FROM ? PG_INT64_MIN : x->from.number;
	int64		other = y->flags & SPM_NO_FROM ? PG_INT64_MIN : y->from.number;

	return from < other ? -1 : from > other;
}

/* Whether days between the spans of some rules are left. */
static bool
leaves_days(const SpmRuleInterval *spans, int n)
{
	SpmRuleInterval *sorted = palloc(sizeof(SpmRuleInterval) * Max(n, 1));
	int64		end;

	memcpy(sorted, spans, sizeof(SpmRuleInterval) * n);
	qsort(sorted, n, sizeof(SpmRuleInterval), compare_day_intervals);
	if (n == 0 || !(sorted[0].flags & SPM_NO_FROM))
		return true;
	end = PG_INT64_MIN;
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && !(sorted[i].flags & SPM_NO_FROM) && sorted[i].from.number > end)
			return true;
		if (sorted[i].flags & SPM_NO_TO)
			return false;
		end = Max(end, sorted[i].to.number);
	}
	return true;
}

/* What each territory passes on: on a day with inherited rules one of them must be met. */
static HTAB *
find_legacies(Sources *s)
{
	HASHCTL		control = {.keysize = sizeof(int32), .entrysize = sizeof(Legacy), .hcxt = CurrentMemoryContext};
	HTAB	   *legacies = hash_create("spm legacies", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	HASH_SEQ_STATUS scan;
	Legacy	   *legacy;

	for (uint32 i = 0; i < s->nrules; i++)
	{
		bool		found;

		if (!s->rules[i].is_inherited)
			continue;
		legacy = hash_search(legacies, &s->rules[i].rule.territory_id, HASH_ENTER, &found);
		if (!found)
		{
			legacy->nways = 0;
			legacy->ways = NULL;
			legacy->nattributes = 0;
		}
		legacy->ways = legacy->ways == NULL ? palloc(sizeof(Way) * 2) : repalloc(legacy->ways, sizeof(Way) * (legacy->nways + 2));
		legacy->ways[legacy->nways++] = (Way) {&s->rules[i], s->rules[i].day};
		legacy->nattributes = Max(legacy->nattributes, s->rules[i].nattributes);
	}
	hash_seq_init(&scan, legacies);
	while ((legacy = hash_seq_search(&scan)) != NULL)
	{
		SpmRuleInterval *spans = palloc(sizeof(SpmRuleInterval) * legacy->nways);
		int			n = 0;
		bool		always = false;

		for (int i = 0; i < legacy->nways; i++)
		{
			if (legacy->ways[i].day == UINT32_MAX)
				always = true;
			else if (s->conditions[legacy->ways[i].day].nintervals > 0)
				spans[n++] = s->intervals[s->conditions[legacy->ways[i].day].first_interval];
		}
		if (always || !leaves_days(spans, n))
			continue;
		spm_sources_add_condition(s, DAY_DIM, true, false);
		for (int i = 0; i < n; i++)
			spm_sources_add_interval(s, spans[i].from, spans[i].to, spans[i].flags);
		legacy->ways[legacy->nways++] = (Way) {NULL, s->source.nconditions - 1};
	}
	return legacies;
}

static void
use_condition(Sources *s, uint32 condition)
{
	if (condition == UINT32_MAX)
		return;
	GROW(s->uses, s->nuse, s->use_room);
	s->uses[s->nuse++] = condition;
	s->boxes[s->source.nboxes - 1].nconditions++;
}

static void
use_rule(Sources *s, const RawRule *rule)
{
	for (uint32 i = 0; i < rule->n; i++)
		use_condition(s, rule->first + i);
	for (uint32 i = 0; i < rule->ncircles; i++)
	{
		GROW(s->circle_uses, s->ncircle_use, s->circle_use_room);
		s->circle_uses[s->ncircle_use++] = rule->first_circle + i;
		s->boxes[s->source.nboxes - 1].ncircles++;
	}
}

/*
 * The territories above a rule that pass rules on to it, at most "room" of them;
 * an exception is bound by nothing but itself.
 */
static int
find_chain(const RawRule *rule, HTAB *legacies, HTAB *parents, const Legacy **chain, int room)
{
	int32		id = rule->rule.territory_id;
	int			n = 0;
	int			steps = 0;
	const Above *above;

	if (legacies == NULL || rule->rule.kind == 0)
		return 0;
	while ((above = hash_search(parents, &id, HASH_FIND, NULL)) != NULL && above->parent_id != 0)
	{
		const Legacy *legacy;

		id = above->parent_id;
		legacy = hash_search(legacies, &id, HASH_FIND, NULL);
		if (++steps > 10000)
			elog(ERROR, "territory %d lies below itself", id);
		if (legacy != NULL && n < room)
			chain[n++] = legacy;
	}
	return n;
}

/* A box for each way to meet what is above. */
static void
add_boxes(Sources *s, const RawRule *rule, uint32 number, HTAB *legacies, HTAB *parents)
{
	const Legacy *chain[MAX_LAYERS + 1];
	int			at[MAX_LAYERS + 1] = {0};
	int			n = find_chain(rule, legacies, parents, chain, lengthof(chain));
	int64		nboxes = 1;

	for (int i = 0; i < n; i++)
	{
		nboxes *= chain[i]->nways;
		if (n > MAX_LAYERS || nboxes > BOXES_OF_RULE)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("rule %d can be met in more than %d ways", rule->rule.id, BOXES_OF_RULE),
					 errdetail("Each inherited rule of a territory above it is one, times those of the next territory above."),
					 errhint("Join inherited rules of one territory: conditions with lists of values, or longer spans.")));
	}
	for (;;)
	{
		int			i;

		GROW(s->boxes, s->source.nboxes, s->box_room);
		s->boxes[s->source.nboxes++] = (SpmRuleInput) {number, rule->rule.type, s->nuse, 0, s->ncircle_use, 0};
		use_condition(s, rule->day);
		use_rule(s, rule);
		for (i = 0; i < n; i++)
		{
			const Way  *way = &chain[i]->ways[at[i]];

			use_condition(s, way->day);
			if (way->rule != NULL)
				use_rule(s, way->rule);
		}
		for (i = 0; i < n && ++at[i] == chain[i]->nways; i++)
			at[i] = 0;
		if (i == n)
			return;
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * How much a rule asks: attributes, its own and those that it inherits, so that
 * it goes before what it inherits from; then layers, then levels of trees.
 */
static uint64
narrowness_of(const RawRule *rule, HTAB *legacies, HTAB *parents)
{
	const Legacy *chain[MAX_LAYERS];
	int			nlayers = find_chain(rule, legacies, parents, chain, lengthof(chain));
	uint64		nattributes = rule->nattributes;

	for (int i = 0; i < nlayers; i++)
		nattributes += chain[i]->nattributes;
	return nattributes << 40 | (uint64) nlayers << 32 | rule->level;
}

/* The order in which rules go. */
static int
compare_rules(const void *a, const void *b)
{
	const Rule *x = &(*(const RawRule *const *) a)->rule;
	const Rule *y = &(*(const RawRule *const *) b)->rule;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->precedence != y->precedence)
		return x->precedence < y->precedence ? -1 : 1;
	if (x->narrowness != y->narrowness)
		return x->narrowness > y->narrowness ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
order_rules(Sources *s)
{
	TerritoryBook *book = s->book;
	RawRule   **order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RawRule *) * Max(s->nrules, 1));
	HTAB	   *legacies = NULL;
	HTAB	   *parents = NULL;
	uint32		n = 0;

	for (uint32 i = 0; i < s->nrules; i++)
	{
		if (s->rules[i].is_wanted)
			order[n++] = &s->rules[i];
		if (s->rules[i].is_inherited && legacies == NULL)
		{
			legacies = find_legacies(s);
			parents = spm_sources_parents(book->model_id);
		}
	}
	for (uint32 i = 0; i < n; i++)
		order[i]->rule.narrowness = narrowness_of(order[i], legacies, parents);
	qsort(order, n, sizeof(RawRule *), compare_rules);
	book->nrules = n;
	book->rules = MemoryContextAllocHuge(book->context, sizeof(Rule) * Max(n, 1));
	for (uint32 i = 0; i < n; i++)
	{
		order[i]->rule.rank = i > 0 && order[i - 1]->rule.type == order[i]->rule.type ? order[i - 1]->rule.rank + 1 : 1;
		book->rules[i] = order[i]->rule;
		add_boxes(s, order[i], i, legacies, parents);
	}
}

/* ----------------------------------------------------------------------------- memory */

static void *
get_memory(void *arg, size_t size)
{
	char	   *block = MemoryContextAllocHuge((MemoryContext) arg, size + PG_CACHE_LINE_SIZE);

	block = (char *) TYPEALIGN(PG_CACHE_LINE_SIZE, block);
	memset(block, 0, size);
	return block;
}

/* Reads the model and fills in the book, whose context and key are there; 'rules': only of these, of any day. */
void
spm_territory_book_compile(TerritoryBook *book, const int32 *rules, int nrules)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "spm rules", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = CurrentMemoryContext;
	SpmRuleMemory kept = {get_memory, book->context};
	SpmRuleMemory room = {get_memory, scratch};
	Sources		s = {book};
	SpmRuleOrder orders[SPM_RULE_DIMS] = {SPM_ORDER_NUMBER};
	TimestampTz start = GetCurrentTimestamp();

	SPI_connect();
	MemoryContextSwitchTo(scratch);
	s.ignores_days = rules != NULL;
	s.source.orders = orders;
	spm_sources_read(&s, rules, nrules, orders);
	order_rules(&s);
	SPI_finish();

	s.source.ndims = book->nattributes == 0 ? 1 :
		book->attributes[book->nattributes - 1].dim + 1 + (book->attributes[book->nattributes - 1].kind == ATTRIBUTE_POINT);
	s.source.ntypes = TERRITORY_TYPES;
	s.source.boxes = s.boxes;
	s.source.uses = s.uses;
	s.source.conditions = s.conditions;
	s.source.intervals = s.intervals;
	s.source.circle_uses = s.circle_uses;
	s.source.circles = s.circles;
	if (spmk_rulebook_compile(&book->book, &s.source, &kept, &room, &spm_breath) != SPM_RULE_OK)
		spm_sources_refuse_size();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	book->size = MemoryContextMemAllocated(book->context, true);
	book->built = GetCurrentTimestamp();
	book->milliseconds = (double) (book->built - start) / 1000;
}
