/*
 * territory_check.c
 *	  What is wrong with a book of rules: who gets what only by chance, rules
 *	  that never win, and what no rule covers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "numbers.h"
#include "territory_book.h"
#include "territory_words.h"

#define MOST_GAPS	500			/* told apart around accounts */
#define ROWS_AT_ONCE 1000

PG_FUNCTION_INFO_V1(spm_territory_conflicts);
PG_FUNCTION_INFO_V1(spm_territory_shadows);
PG_FUNCTION_INFO_V1(spm_territory_gaps);

typedef struct Check
{
	TerritoryBook *book;
	BookLimits	limits;
	SpmBookBoxes them;
	SpmRoom		room;
	SpmRuleIndex *index;
	size_t		nclasses;		/* of all dimensions */
	ReturnSetInfo *result;
} Check;

static void *
get_zeroed(void *arg, size_t size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static const SpmRuleMemory memory = {get_zeroed, NULL};

static const Rule *
rule_of(const Check *check, int box)
{
	return &check->book->rules[check->book->book.boxes[check->them.places[box]].rule];
}

/* The book of a model as boxes; what cannot be in a column of its accounts is left out. */
static void
begin_check(Check *check, FunctionCallInfo fcinfo)
{
	SpmBox	   *box;

	InitMaterializedSRF(fcinfo, 0);
	check->result = (ReturnSetInfo *) fcinfo->resultinfo;
	check->book = spm_territory_book(PG_GETARG_TEXT_PP(0));
	spm_territory_book_pin(check->book, CurrentMemoryContext);
	check->limits = spm_book_limits(check->book, PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1));
	if (!spmk_book_boxes(&check->them, &check->book->book, (const uint8 *const *) check->limits.is_void,
						 check->limits.is_never_null, &memory))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("territory model \"%s\" has too many rules to be checked", check->book->model)));
	box = check->them.box;
	for (int b = 0; b < check->them.boxes.nboxes; b++)
	{
		const Rule *rule = rule_of(check, b);
		const Rule *before = b > 0 ? rule_of(check, b - 1) : rule;
		bool		is_tie = rule->type == before->type && rule->kind == before->kind && rule->precedence == before->precedence;

		box[b].territory = rule->territory_id;
		if (b > 0)
		{
			box[b].tie = box[b - 1].tie + !is_tie;
			box[b].even = box[b - 1].even + !(is_tie && rule->narrowness == before->narrowness);
		}
	}
	for (int d = 0; d < check->them.boxes.nattributes; d++)
		check->nclasses += check->them.boxes.nclasses[d];
	check->room.size = spmk_rulecheck_room(&check->them.boxes);
	check->room.bytes = MemoryContextAllocHuge(CurrentMemoryContext, check->room.size);
	check->index = spmk_rule_index(&check->them.boxes, &check->room);
	if (!check->index)
		elog(ERROR, "room for checking a book of rules is too small");
}

static Datum
jsonb_datum(char *text, bool *is_null)
{
	*is_null = text == NULL;
	return text ? DirectFunctionCall1(jsonb_in, CStringGetDatum(text)) : (Datum) 0;
}

/* ------------------------------------------------------------------- conflicts */

typedef struct Pair
{
	int			box;
	int			other;
} Pair;

typedef struct Pairs
{
	int64		n;
	int64		most;
	int64		size;
	Pair	   *pairs;
} Pairs;

static bool
keep_pair(void *arg, int box, int other)
{
	Pairs	   *pairs = arg;

	if (pairs->n == pairs->size)
	{
		pairs->size *= 2;
		pairs->pairs = repalloc_huge(pairs->pairs, sizeof(Pair) * pairs->size);
	}
	pairs->pairs[pairs->n++] = (Pair) {box, other};
	return pairs->n < pairs->most;
}

/* Flags of the classes that a box takes. */
static void
flag_box(const Check *check, int b, uint8 *flags)
{
	const SpmBoxes *boxes = &check->them.boxes;

	for (int d = 0; d < boxes->nattributes; flags += boxes->nclasses[d++])
	{
		int32		from = boxes->starts[b * boxes->nattributes + d];
		int32		to = boxes->starts[b * boxes->nattributes + d + 1];

		memset(flags, from == to, boxes->nclasses[d]);
		for (int32 s = from; s < to; s++)
			memset(flags + boxes->spans[s].first, 1, boxes->spans[s].last - boxes->spans[s].first + 1);
	}
}

/* spm._territory_conflicts(model text, accounts regclass, top int) */
Datum
spm_territory_conflicts(PG_FUNCTION_ARGS)
{
	Check		check = {0};
	Pairs		pairs = {0, PG_GETARG_INT32(2), 64};
	uint8	   *flags;
	uint8	   *others;
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "row of a conflict", ALLOCSET_DEFAULT_SIZES);

	begin_check(&check, fcinfo);
	pairs.pairs = palloc(sizeof(Pair) * pairs.size);
	spmk_rule_conflicts(check.index, &spm_breath, keep_pair, &pairs);
	flags = get_zeroed(NULL, check.nclasses);
	others = get_zeroed(NULL, check.nclasses);
	for (int64 i = 0; i < pairs.n; i++)
	{
		const Pair *pair = &pairs.pairs[i];
		MemoryContext old = MemoryContextSwitchTo(row);
		bool		is_null[5] = {false};
		Datum		values[5];
		char	   *words;
		char	   *conditions;

		CHECK_FOR_INTERRUPTS();
		flag_box(&check, pair->box, flags);
		flag_box(&check, pair->other, others);
		for (size_t c = 0; c < check.nclasses; c++)
			flags[c] &= others[c];
		spm_book_words(check.book, &check.them, &check.limits, flags, &words, &conditions);
		values[0] = Int32GetDatum(rule_of(&check, pair->box)->id);
		values[1] = Int32GetDatum(rule_of(&check, pair->other)->id);
		values[2] = BoolGetDatum(check.them.box[pair->box].even == check.them.box[pair->other].even);
		values[3] = CStringGetTextDatum(words);
		values[4] = jsonb_datum(conditions, &is_null[4]);
		tuplestore_putvalues(check.result->setResult, check.result->setDesc, values, is_null);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	return (Datum) 0;
}

/* --------------------------------------------------------------------- shadows */

typedef struct Shadow
{
	SpmFate		fate;
	bool		is_never;		/* nothing can meet it */
	bool		is_seen;
	int			nby;
	int32	   *by;				/* rules, as numbers in the book */
} Shadow;

static int
compare_ints(const void *a, const void *b)
{
	return *(const int32 *) a < *(const int32 *) b ? -1 : *(const int32 *) a > *(const int32 *) b;
}

static const char *
verdict_of(const Shadow *shadow)
{
	if (!shadow->is_seen)
		return shadow->is_never ? "never met" : NULL;
	switch (shadow->fate)
	{
		case SPM_FATE_HIDDEN_BY_ONE:
		case SPM_FATE_HIDDEN_BY_MANY:
			return shadow->nby == 1 ? "hidden by one" : "hidden by several";
		case SPM_FATE_UNKNOWN:
			return "not proven";
		case SPM_FATE_WINS:
			break;
	}
	return NULL;
}

/* spm._territory_shadows(model text, accounts regclass, budget bigint) */
Datum
spm_territory_shadows(PG_FUNCTION_ARGS)
{
	Check		check = {0};
	const SpmBox *box;
	Shadow	   *shadows;
	int32	   *first_box;		/* of each rank */
	int32	   *by;

	begin_check(&check, fcinfo);
	box = check.them.box;
	shadows = get_zeroed(NULL, sizeof(Shadow) * (check.book->nrules + 1));
	by = get_zeroed(NULL, sizeof(int32) * (check.them.boxes.nboxes + 1));
	first_box = get_zeroed(NULL, sizeof(int32) * (check.them.boxes.nboxes + 1));
	for (uint32 i = 0; i < check.them.nnever; i++)
		shadows[check.book->book.boxes[check.them.never[i]].rule].is_never = true;
	for (int first = 0, last; first < check.them.boxes.nboxes; first = last + 1)
	{
		Shadow	   *shadow = &shadows[rule_of(&check, first) - check.book->rules];
		SpmFate		fate;
		int			nby;

		first_box[box[first].rule] = first;
		for (last = first; last + 1 < check.them.boxes.nboxes && box[last + 1].rule == box[first].rule; last++)
			;
		fate = spmk_rule_fate(check.index, first, last, PG_GETARG_INT64(2), &spm_breath, by, &nby);
		shadow->is_seen = true;
		shadow->fate = fate;
		shadow->nby = nby;
		shadow->by = palloc(sizeof(int32) * (nby + 1));
		for (int i = 0; i < nby; i++)
			shadow->by[i] = rule_of(&check, first_box[by[i]])->id;
		qsort(shadow->by, nby, sizeof(int32), compare_ints);
	}
	for (uint32 r = 0; r < check.book->nrules; r++)
	{
		const Shadow *shadow = &shadows[r];
		const char *verdict = verdict_of(shadow);
		Datum		values[3];
		bool		is_null[3] = {false};

		if (!verdict)
			continue;
		values[0] = Int32GetDatum(check.book->rules[r].id);
		values[1] = CStringGetTextDatum(verdict);
		is_null[2] = shadow->nby == 0;
		if (shadow->nby > 0)
		{
			Datum	   *ids = palloc(sizeof(Datum) * shadow->nby);

			for (int i = 0; i < shadow->nby; i++)
				ids[i] = Int32GetDatum(shadow->by[i]);
			values[2] = PointerGetDatum(construct_array(ids, shadow->nby, INT4OID, sizeof(int32), true, TYPALIGN_INT));
		}
		tuplestore_putvalues(check.result->setResult, check.result->setDesc, values, is_null);
	}
	return (Datum) 0;
}

/* ------------------------------------------------------------------------ gaps */

typedef struct Gap
{
	uint8	   *classes;
	bool		is_outside;		/* of circles, beside what the classes say */
	int64		naccounts;
	Datum		potential;		/* numeric */
	char	   *account;		/* the first of them */
} Gap;

typedef struct Gaps
{
	Check	   *check;
	int			n;
	int			most;
	Gap		   *gaps;
	MemoryContext context;
	size_t	   *offsets;		/* of each dimension's flags */
} Gaps;

static Datum
no_potential(void)
{
	return DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
}

static Gap *
add_gap(Gaps *gaps, const uint8 *classes, bool is_outside)
{
	MemoryContext old = MemoryContextSwitchTo(gaps->context);
	Gap		   *gap = &gaps->gaps[gaps->n++];

	*gap = (Gap) {.classes = get_zeroed(NULL, gaps->check->nclasses), .is_outside = is_outside, .potential = no_potential()};
	memcpy(gap->classes, classes, gaps->check->nclasses);
	MemoryContextSwitchTo(old);
	return gap;
}

static bool
is_known_gap(void *arg, const uint8_t *classes)
{
	const Gaps *gaps = arg;
	size_t		nclasses = gaps->check->nclasses;

	for (int g = 0; g < gaps->n; g++)
	{
		size_t		c = 0;

		if (gaps->gaps[g].is_outside)
			continue;
		while (c < nclasses && classes[c] <= gaps->gaps[g].classes[c])
			c++;
		if (c == nclasses)
			return true;
	}
	return false;
}

static bool
keep_gap(void *arg, const uint8_t *classes)
{
	Gaps	   *gaps = arg;

	if (!is_known_gap(gaps, classes))
		add_gap(gaps, classes, false);
	return gaps->n < gaps->most;
}

static Gap *
gap_of_point(const Gaps *gaps, const int32_t *point, bool is_outside)
{
	int			nd = gaps->check->them.boxes.nattributes;

	for (int g = 0; g < gaps->n; g++)
	{
		int			d = 0;

		if (gaps->gaps[g].is_outside != is_outside)
			continue;
		while (d < nd && gaps->gaps[g].classes[gaps->offsets[d] + point[d]])
			d++;
		if (d == nd)
			return &gaps->gaps[g];
	}
	return NULL;
}

/* The gap in which a record lies; NULL: it has what its column cannot have, or there are too many gaps. */
static Gap *
gap_of_record(Gaps *gaps, SpmGapQuestion *question, const SpmRuleValue *values, uint8 *classes)
{
	int32_t		point[SPM_RULE_DIMS];

	if (!spmk_book_point(&gaps->check->them, values, point))
		return NULL;
	for (int is_outside = 0; is_outside < 2; is_outside++)
	{
		Gap		   *gap = gap_of_point(gaps, point, is_outside);

		if (gap)
			return gap;
		if (gaps->n == MOST_GAPS)
			continue;
		question->is_outside_parts = is_outside;
		if (spmk_rule_gap_at(gaps->check->index, question, point, classes))
			return add_gap(gaps, classes, is_outside);
	}
	return NULL;
}

/* Accounts that no rule meets, the most valuable first, into the gaps in which they lie. */
static void
find_gaps_of_accounts(Gaps *gaps, SpmGapQuestion *question, const char *query, DateADT day, Gap *elsewhere)
{
	SpmRuleValue *values = palloc0(sizeof(SpmRuleValue) * SPM_RULE_DIMS);
	uint8	   *classes = get_zeroed(NULL, gaps->check->nclasses);
	Reader	   *reader = NULL;
	MemoryContext own = AllocSetContextCreate(gaps->context, "accounts without a rule", ALLOCSET_DEFAULT_SIZES);
	Portal		portal;

	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, true, 0);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	tuple = SPI_tuptable->vals[i];
			TupleDesc	desc = SPI_tuptable->tupdesc;
			MemoryContext old = MemoryContextSwitchTo(own);
			bool		is_null;
			HeapTupleHeader record = DatumGetHeapTupleHeader(SPI_getbinval(tuple, desc, 1, &is_null));
			Datum		potential = SPI_getbinval(tuple, desc, 3, &is_null);
			Gap		   *gap;

			CHECK_FOR_INTERRUPTS();
			if (!reader)
			{
				TupleDesc	columns = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(record), HeapTupleHeaderGetTypMod(record));

				reader = spm_territory_reader(gaps->check->book, columns, gaps->context);
				ReleaseTupleDesc(columns);
			}
			memset(values, 0, sizeof(SpmRuleValue) * SPM_RULE_DIMS);
			spm_territory_read(reader, record, values);
			values[DAY_DIM].key.number = day;
			gap = gap_of_record(gaps, question, values, classes);
			if (!gap)
				gap = elsewhere;
			MemoryContextSwitchTo(gaps->context);
			if (gap->naccounts++ == 0)
				gap->account = SPI_getvalue(tuple, desc, 2);
			if (!is_null)
			{
				Datum		sum = DirectFunctionCall2(numeric_add, gap->potential, potential);

				pfree(DatumGetPointer(gap->potential));
				gap->potential = sum;
			}
			MemoryContextSwitchTo(old);
			MemoryContextReset(own);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
}

/* Of gaps without accounts those that restrict fewer attributes first. */
static void
order_gaps(Gaps *gaps, int from)
{
	const SpmBoxes *boxes = &gaps->check->them.boxes;
	int		   *asked = palloc(sizeof(int) * (gaps->n + 1));

	for (int g = from; g < gaps->n; g++)
	{
		Gap			gap = gaps->gaps[g];
		int			n = 0;
		int			at = g;

		for (int d = 0; d < boxes->nattributes; d++)
			n += memchr(gap.classes + gaps->offsets[d], 0, boxes->nclasses[d]) != NULL;
		for (; at > from && asked[at - 1] > n; at--)
		{
			asked[at] = asked[at - 1];
			gaps->gaps[at] = gaps->gaps[at - 1];
		}
		asked[at] = n;
		gaps->gaps[at] = gap;
	}
}

static void
put_gap(const Gaps *gaps, const Gap *gap, uint8 *classes)
{
	const Check *check = gaps->check;
	bool		is_null[5] = {false};
	Datum		values[5];
	char	   *words = "elsewhere";
	char	   *conditions = NULL;

	if (gap->classes)
	{
		/* it is about one day, which need not be said */
		memcpy(classes, gap->classes, check->nclasses);
		memset(classes + gaps->offsets[DAY_DIM], 1, check->them.boxes.nclasses[DAY_DIM]);
		spm_book_words(check->book, &check->them, &check->limits, classes, &words, &conditions);
		if (gap->is_outside)
		{
			words = psprintf("%s; outside of every radius", words);
			conditions = NULL;
		}
	}
	values[0] = CStringGetTextDatum(words);
	values[1] = jsonb_datum(conditions, &is_null[1]);
	values[2] = Int64GetDatum(gap->naccounts);
	values[3] = gap->potential;
	is_null[4] = gap->account == NULL;
	if (gap->account)
		values[4] = CStringGetTextDatum(gap->account);
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, is_null);
}

/* Dimensions that fewer rules ask first: what few ask is likely to be left out of a gap's words. */
static int32_t *
order_dimensions(const Check *check)
{
	const SpmBoxes *boxes = &check->them.boxes;
	int			nd = boxes->nattributes;
	int32_t    *order = palloc(sizeof(int32_t) * nd);
	int64	   *nasked = palloc0(sizeof(int64) * nd);

	for (int b = 0; b < boxes->nboxes; b++)
	{
		for (int d = 0; d < nd; d++)
			nasked[d] += boxes->starts[b * nd + d + 1] > boxes->starts[b * nd + d];
	}
	for (int d = 0; d < nd; d++)
	{
		int			at = d;

		for (; at > 0 && nasked[order[at - 1]] > nasked[d]; at--)
			order[at] = order[at - 1];
		order[at] = d;
	}
	return order;
}

/*
 * spm._territory_gaps(model text, accounts regclass, type text, day date, query text, top int, budget bigint)
 * query: the record, key and potential of accounts that no rule meets; NULL: there are no accounts.
 */
Datum
spm_territory_gaps(PG_FUNCTION_ARGS)
{
	Check		check = {0};
	char	   *type = text_to_cstring(PG_GETARG_TEXT_PP(2));
	DateADT		day = PG_GETARG_DATEADT(3);
	int			top = PG_GETARG_INT32(5);
	SpmRuleValue today = {.key = {.number = day}};
	SpmGapQuestion question = {.type = -1};
	uint8	   *within;
	Gaps		gaps = {&check, .context = CurrentMemoryContext};
	Gap			elsewhere = {0};
	SpmGapAnswer answer = {is_known_gap, keep_gap, &gaps};
	int32_t		today_class;
	int			naround;		/* accounts */
	bool		is_all;

	begin_check(&check, fcinfo);
	for (int t = 0; t < TERRITORY_TYPES; t++)
	{
		if (strcmp(type, territory_type_names[t]) == 0)
			question.type = t;
	}
	gaps.offsets = palloc(sizeof(size_t) * check.them.boxes.nattributes);
	for (int d = 0; d < check.them.boxes.nattributes; d++)
		gaps.offsets[d] = d == 0 ? 0 : gaps.offsets[d - 1] + check.them.boxes.nclasses[d - 1];
	within = get_zeroed(NULL, check.nclasses);
	memset(within, 1, check.nclasses);
	memset(within + gaps.offsets[DAY_DIM], 0, check.them.boxes.nclasses[DAY_DIM]);
	today_class = check.them.rest[DAY_DIM][check.book->book.dims[DAY_DIM].class_of[spmk_rule_piece(&check.book->book.dims[DAY_DIM], &today)]];
	if (today_class < 0)
		elog(ERROR, "day is in no class of the book of rules");
	within[gaps.offsets[DAY_DIM] + today_class] = 1;
	question.within = within;
	question.order = order_dimensions(&check);
	gaps.gaps = palloc0(sizeof(Gap) * (MOST_GAPS + top));
	elsewhere.potential = no_potential();
	if (!PG_ARGISNULL(4))
		find_gaps_of_accounts(&gaps, &question, text_to_cstring(PG_GETARG_TEXT_PP(4)), day, &elsewhere);
	question.is_outside_parts = false;
	naround = gaps.n;
	gaps.most = gaps.n + top;
	is_all = spmk_rule_gaps(check.index, &question, PG_GETARG_INT64(6), &spm_breath, &answer);
	order_gaps(&gaps, naround);
	for (int g = 0; g < gaps.n; g++)
		put_gap(&gaps, &gaps.gaps[g], within);
	if (elsewhere.naccounts > 0)
		put_gap(&gaps, &elsewhere, within);
	if (!is_all && gaps.n < gaps.most)
		ereport(NOTICE,
				(errmsg("there may be more gaps without accounts"),
				 errhint("Look longer: spm.territory_gap(budget => " INT64_FORMAT ").", PG_GETARG_INT64(6) * 10)));
	return (Datum) 0;
}
