/*
 * territory_words.c
 *	  Sets of classes of a book of rules, in words and as conditions of a rule.
 *
 * A set is told by what it has or by what it has not, whichever is shorter and
 * can be entered as a condition.  Pieces that nothing can be in do not part
 * what is on both sides of them: whole numbers to 99 and from 100 are all.
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "dec.h"
#include "kernel/rulebook_key.h"
#include "territory_words.h"

#define MOST_TOLD	12			/* items of one attribute, in words */
#define MOST_ASKED	10000		/* and in conditions: longer ones are not given */

/* ---------------------------------------------------------------------- limits */

static Domain
domain_of(const Attribute *attribute, bool is_second, Oid type)
{
	Domain		domain = {PG_INT64_MIN, PG_INT64_MAX, 0};

	if (attribute == NULL)
		domain.step = 1;
	else
	{
		switch (attribute->kind)
		{
			case ATTRIBUTE_DATE:
				domain.step = 1;
				break;
			case ATTRIBUTE_BOOLEAN:
				domain = (Domain) {0, 1, 1};
				break;
			case ATTRIBUTE_TREE:
				domain = (Domain) {-1, attribute->tree ? (int64) attribute->tree->n - 1 : -1, 1};
				break;
			case ATTRIBUTE_POINT:
				domain.lowest = spmk_rule_from_double(is_second ? -180 : -90);
				domain.highest = spmk_rule_from_double(is_second ? 180 : 90);
				break;
			case ATTRIBUTE_NUMBER:
				if (attribute->scale >= 0 && (type == INT2OID || type == INT4OID || type == INT8OID))
					domain.step = spmk_pow10(attribute->scale);
				break;
			case ATTRIBUTE_TEXT:
				break;
		}
	}
	return domain;
}

/* The least multiple of step that is at least value; it must fit. */
static int64
step_up(int64 value, int64 step)
{
	int64		rest = value % step;

	return rest > 0 ? value + (step - rest) : value - rest;
}

/* Whether a piece of a dimension of numbers has nothing of its domain. */
static bool
is_void_piece(const SpmRuleDim *dim, uint32 piece, const Domain *domain)
{
	int64		from = domain->lowest;
	int64		to = domain->highest;
	uint32		bound = piece / 2;

	if (piece % 2 == 1)
	{
		int64		number = dim->bounds[bound].number;

		return number < from || number > to || (domain->step > 1 && number % domain->step != 0);
	}
	if (bound > 0)
	{
		int64		below = dim->bounds[bound - 1].number;

		if (below == PG_INT64_MAX)
			return true;
		/* between two numbers there may be fractions */
		if (domain->step == 0)
			from = Max(from, below);
		else
			from = Max(from, below + 1);
	}
	if (bound < dim->nbounds)
	{
		int64		above = dim->bounds[bound].number;

		if (above == PG_INT64_MIN)
			return true;
		if (domain->step == 0)
			to = Min(to, above);
		else
			to = Min(to, above - 1);
	}
	if (domain->step == 0)
		return from >= to;
	if (from > to)
		return true;
	if (domain->step == 1 || from < PG_INT64_MIN + domain->step || to > PG_INT64_MAX - domain->step)
		return false;
	return step_up(from, domain->step) > to;
}

/* What the columns of the accounts can have; InvalidOid: nothing is known of them. */
BookLimits
spm_book_limits(const TerritoryBook *book, Oid accounts)
{
	const SpmRulebook *rules = &book->book;
	BookLimits	limits;

	limits.domains = palloc0(sizeof(Domain) * rules->ndims);
	limits.is_void = palloc0(sizeof(uint8 *) * rules->ndims);
	limits.is_never_null = palloc0(sizeof(bool) * rules->ndims);
	limits.is_never_null[DAY_DIM] = true;
	for (uint32 d = 0; d < rules->ndims; d++)
	{
		const SpmRuleDim *dim = &rules->dims[d];
		const Attribute *attribute = d == DAY_DIM ? NULL : &book->attributes[book->attribute_of[d]];
		bool		is_second = attribute && d != attribute->dim;
		Oid			type = InvalidOid;

		if (attribute && OidIsValid(accounts))
		{
			const char *column = is_second ? attribute->longitude_column : attribute->column;
			HeapTuple	tuple = SearchSysCacheAttName(accounts, column);

			if (HeapTupleIsValid(tuple))
			{
				Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(tuple);

				limits.is_never_null[d] = form->attnotnull && attribute->kind != ATTRIBUTE_POINT;
				type = getBaseType(form->atttypid);
				ReleaseSysCache(tuple);
			}
		}
		limits.domains[d] = domain_of(attribute, is_second, type);
		if (dim->order != SPM_ORDER_NUMBER)
			continue;
		limits.is_void[d] = palloc0(dim->npieces);
		for (uint32 p = 0; p < dim->npieces; p++)
			limits.is_void[d][p] = is_void_piece(dim, p, &limits.domains[d]);
	}
	return limits;
}

/* ---------------------------------------------------------------------- values */

/* Digits with a point before the last "scale" of them, without zeros at the end. */
static char *
show_scaled(int64 number, int scale)
{
	return spm_dec_text(DatumGetNumeric(spm_int_numeric_datum(number, scale)));
}

/* The number of bytes made by spm_decimal_key(). */
static char *
show_decimal_key(const SpmRuleKey *key)
{
	StringInfoData out;
	bool		negative = key->length > 0 && key->bytes[0] == 0;
	int			ndigits = (int) key->length - 3 - negative;
	uint8		flip = negative ? 0xff : 0;
	int			exponent;

	if (ndigits <= 0)
		return pstrdup("0");
	initStringInfo(&out);
	exponent = (((uint8) key->bytes[1] ^ flip) << 8 | ((uint8) key->bytes[2] ^ flip)) - 0x8000;
	if (negative)
		appendStringInfoChar(&out, '-');
	if (exponent <= 0)
		appendStringInfoString(&out, "0.");
	for (int i = exponent; i < 0; i++)
		appendStringInfoChar(&out, '0');
	for (int i = 0; i < Max(ndigits, exponent); i++)
	{
		if (i == exponent && i > 0)
			appendStringInfoChar(&out, '.');
		appendStringInfoChar(&out, i < ndigits ? (char) ((uint8) key->bytes[3 + i] ^ flip) : '0');
	}
	return out.data;
}

static char *
show_key(const Attribute *attribute, const SpmRuleKey *key)
{
	switch (attribute ? attribute->kind : ATTRIBUTE_DATE)
	{
		case ATTRIBUTE_TEXT:
			return pnstrdup(key->bytes, key->length);
		case ATTRIBUTE_NUMBER:
			return attribute->scale < 0 ? show_decimal_key(key) : show_scaled(key->number, attribute->scale);
		case ATTRIBUTE_BOOLEAN:
			return pstrdup(key->number ? "true" : "false");
		case ATTRIBUTE_TREE:
			if (key->number < 0 || key->number >= attribute->tree->n)
				return NULL;
			return pnstrdup(attribute->tree->values[key->number].bytes, attribute->tree->values[key->number].length);
		case ATTRIBUTE_POINT:
			return psprintf("%.6g", spmk_rule_to_double(key->number));
		case ATTRIBUTE_DATE:
			{
				char	   *shown = palloc(64);
				int			year;
				int			month;
				int			day;

				if (key->number <= DATEVAL_NOBEGIN || key->number >= DATEVAL_NOEND)
					return pstrdup(key->number < 0 ? "-infinity" : "infinity");
				j2date((int) key->number + POSTGRES_EPOCH_JDATE, &year, &month, &day);
				snprintf(shown, 64, "%04d-%02d-%02d", year, month, day);
				return shown;
			}
	}
	return NULL;
}

/* ----------------------------------------------------------------------- items */

typedef enum PhraseKind
{
	PHRASE_VALUE,
	PHRASE_PREFIX,
	PHRASE_UNDER,
	PHRASE_RANGE,
	PHRASE_UNKNOWN				/* what a tree does not have */
} PhraseKind;

typedef struct Phrase
{
	PhraseKind	kind;
	char	   *from;			/* or the only value; NULL: no limit */
	char	   *to;
	bool		is_from_out;	/* without its limits */
	bool		is_to_out;
} Phrase;

/* Names are values too; those that are not meant, though what is around them is, are apart. */
typedef struct Phrases
{
	int			n;
	int			nof[PHRASE_UNKNOWN + 1];
	int			size;
	Phrase	   *items;
	int			nruns;			/* that are not names; in order */
	int			nexcepted;
	char	  **excepted;
} Phrases;

static void
add_phrase(Phrases *items, Phrase item)
{
	if (items->n == items->size)
	{
		items->size = Max(16, items->size * 2);
		items->items = items->items ? repalloc_huge(items->items, sizeof(Phrase) * items->size) :
			palloc(sizeof(Phrase) * items->size);
	}
	items->items[items->n++] = item;
	items->nof[item.kind]++;
}

/* Whether "to" is what comes after all that begins with "from". */
static bool
is_after_prefix(const SpmRuleKey *from, const SpmRuleKey *to)
{
	uint32		n = from->length;

	while (n > 0 && (uint8) from->bytes[n - 1] == 0xff)
		n--;
	return n > 0 && to->length == n && memcmp(from->bytes, to->bytes, n - 1) == 0 &&
		(uint8) to->bytes[n - 1] == (uint8) from->bytes[n - 1] + 1;
}

/* Values of a tree from number to number: whole branches where they are, else single ones. */
static void
add_branches(Phrases *items, const Attribute *attribute, int64 from, int64 to)
{
	const Tree *tree = attribute->tree;

	if (from < 0)
		add_phrase(items, (Phrase) {.kind = PHRASE_UNKNOWN});
	for (int64 i = Max(from, 0); i <= to;)
	{
		SpmRuleKey	key = {i, NULL, 0};
		bool		is_branch = tree->last[i] <= to && tree->last[i] > i;

		add_phrase(items, (Phrase) {is_branch ? PHRASE_UNDER : PHRASE_VALUE, show_key(attribute, &key)});
		i = is_branch ? (int64) tree->last[i] + 1 : i + 1;
	}
}

/* Number of the bound that comes after all that begin with bound "from", up to bound "to"; 0: there is none. */
static uint32
bound_after(const SpmRuleDim *dim, uint32 from, uint32 to)
{
	for (uint32 b = from + 1; b <= to; b++)
	{
		if (is_after_prefix(&dim->bounds[from], &dim->bounds[b]))
			return b;
	}
	return 0;
}

/* A run of texts from one bound to before another, as prefixes that rules have named; false: it is not. */
static bool
add_prefixes(Phrases *phrases, const Attribute *attribute, const SpmRuleDim *dim, uint32 from, uint32 to)
{
	for (uint32 pass = 0; pass < 2; pass++)
	{
		for (uint32 b = from, next; b < to; b = next)
		{
			if ((next = bound_after(dim, b, to)) == 0)
				return false;
			if (pass > 0)
				add_phrase(phrases, (Phrase) {PHRASE_PREFIX, show_key(attribute, &dim->bounds[b])});
		}
	}
	return true;
}

/* The run of pieces first to last, none of which is void at its ends. */
static void
add_run(Phrases *items, const Attribute *attribute, const SpmRuleDim *dim, const Domain *domain, uint32 first, uint32 last)
{
	const SpmRuleKey *from = first == 0 ? NULL : &dim->bounds[(first - 1) / 2];
	const SpmRuleKey *to = last == dim->npieces - 1 ? NULL : &dim->bounds[last / 2];
	Phrase		item = {PHRASE_RANGE, NULL, NULL, first % 2 == 0, last % 2 == 0};
	SpmRuleKey	keys[2];

	if (domain->step > 0)
	{
		int64		lowest = PG_INT64_MIN;
		int64		highest = PG_INT64_MAX;

		/* of whole numbers there is a first and a last */
		if (from)
			lowest = step_up(from->number + item.is_from_out, domain->step);
		if (to)
		{
			highest = to->number - item.is_to_out;
			highest = -step_up(-highest, domain->step);
		}
		lowest = Max(lowest, domain->lowest);
		highest = Min(highest, domain->highest);
		if (attribute && attribute->kind == ATTRIBUTE_TREE)
		{
			add_branches(items, attribute, lowest, highest);
			return;
		}
		keys[0] = (SpmRuleKey) {lowest, NULL, 0};
		keys[1] = (SpmRuleKey) {highest, NULL, 0};
		from = lowest == PG_INT64_MIN ? NULL : &keys[0];
		to = highest == PG_INT64_MAX ? NULL : &keys[1];
		item.is_from_out = item.is_to_out = false;
		if (attribute && attribute->kind == ATTRIBUTE_BOOLEAN && lowest < highest)
		{
			add_phrase(items, (Phrase) {PHRASE_VALUE, pstrdup("false")});
			add_phrase(items, (Phrase) {PHRASE_VALUE, pstrdup("true")});
			return;
		}
		if (lowest == highest)
			item.kind = PHRASE_VALUE;
	}
	else if (first == last && first % 2 == 1)
		item.kind = PHRASE_VALUE;
	else if (attribute->kind == ATTRIBUTE_TEXT && from && !item.is_from_out && to && item.is_to_out &&
			 add_prefixes(items, attribute, dim, (first - 1) / 2, last / 2))
		return;
	item.from = from ? show_key(attribute, from) : NULL;
	item.to = to ? show_key(attribute, to) : NULL;
	add_phrase(items, item);
}

/* What a set has (or has not), from the runs of pieces and the names that differ from what is around them. */
static Phrases
phrases_of(const Attribute *attribute, const SpmBookBoxes *them, const uint8 *is_void, const Domain *domain,
		 uint32 d, const uint8 *classes, bool is_wanted)
{
	const SpmRuleDim *dim = &them->book->dims[d];
	Phrases		items = {0};
	int64		first = -1;
	int64		last = -1;

	for (uint32 p = 0; p <= dim->npieces; p++)
	{
		int32		rest = p == dim->npieces ? -1 : them->rest[d][dim->class_of[p]];

		if (p < dim->npieces && ((is_void && is_void[p]) || rest < 0))
			continue;
		if (p < dim->npieces && (classes[rest] != 0) == is_wanted)
		{
			if (first < 0)
				first = p;
			last = p;
		}
		else if (first >= 0)
		{
			add_run(&items, attribute, dim, domain, (uint32) first, (uint32) last);
			first = -1;
		}
	}
	items.nruns = items.n;
	for (uint32 i = 0; i < dim->nposted; i++)
	{
		int32		rest = them->rest[d][dim->posted[i].class];
		bool		has = (classes[them->named[d][i]] != 0) == is_wanted;
		bool		has_rest = rest >= 0 && (classes[rest] != 0) == is_wanted;

		if (has && !has_rest)
			add_phrase(&items, (Phrase) {PHRASE_VALUE, show_key(attribute, &dim->posted[i].key)});
		else if (!has && has_rest)
		{
			if (items.nexcepted == 0)
				items.excepted = palloc(sizeof(char *) * dim->nposted);
			items.excepted[items.nexcepted++] = show_key(attribute, &dim->posted[i].key);
		}
	}
	return items;
}

/*
 * Where a set is what lies between its ends but for some of it: that range, and
 * what is taken out.  False: it is not.
 */
static bool
hull_of(const Attribute *attribute, const Phrases *has, const Phrases *has_not, Phrases *hull, Phrases *holes)
{
	AttributeKind kind = attribute ? attribute->kind : ATTRIBUTE_DATE;
	const Phrase *first;
	const Phrase *last;
	char	   *to;

	if ((kind != ATTRIBUTE_TEXT && kind != ATTRIBUTE_NUMBER && kind != ATTRIBUTE_DATE) ||
		has->nruns < 2 || has->nruns < has->n || has_not->nexcepted > 0)
		return false;
	first = &has->items[0];
	last = &has->items[has->nruns - 1];
	to = last->kind == PHRASE_VALUE ? last->from : last->to;
	if (first->kind == PHRASE_PREFIX || last->kind == PHRASE_PREFIX || (!first->from && !to))
		return false;
	memset(hull, 0, sizeof(*hull));
	memset(holes, 0, sizeof(*holes));
	add_phrase(hull, (Phrase) {PHRASE_RANGE, first->from, to, first->is_from_out, last->is_to_out});
	/* what is below the one end and above the other is one phrase each */
	for (int i = first->from != NULL; i < has_not->n; i++)
	{
		if (i != has_not->nruns - 1 || to == NULL)
			add_phrase(holes, has_not->items[i]);
	}
	return true;
}

/* ------------------------------------------------------------------- in words */

static const char *const kind_words[] = {"", "beginning with ", "under ", "", "not in the tree"};

static void
say_phrase(StringInfo out, const Phrase *phrase, const Phrase *before)
{
	if (phrase->kind != PHRASE_RANGE)
	{
		if (!before || before->kind != phrase->kind)
			appendStringInfoString(out, kind_words[phrase->kind]);
		if (phrase->from)
			appendStringInfoString(out, phrase->from[0] ? phrase->from : "\"\"");
	}
	else if (phrase->from && phrase->to && !phrase->is_from_out && !phrase->is_to_out)
		appendStringInfo(out, "%s to %s", phrase->from, phrase->to);
	else if (phrase->from)
	{
		appendStringInfo(out, "%s %s", phrase->is_from_out ? "above" : "from", phrase->from);
		if (phrase->to)
			appendStringInfo(out, " and %s %s", phrase->is_to_out ? "below" : "to", phrase->to);
	}
	else if (phrase->to)
		appendStringInfo(out, "%s %s", phrase->is_to_out ? "below" : "to", phrase->to);
}

static void
say_phrases(StringInfo out, const Phrases *phrases)
{
	for (int i = 0; i < phrases->n && i < MOST_TOLD; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		say_phrase(out, &phrases->items[i], i > 0 ? &phrases->items[i - 1] : NULL);
	}
	if (phrases->n > MOST_TOLD)
		appendStringInfo(out, " and %d more", phrases->n - MOST_TOLD);
	for (int i = 0; i < phrases->nexcepted && i < MOST_TOLD; i++)
		appendStringInfo(out, "%s%s", i == 0 ? " except " : ", ", phrases->excepted[i]);
	if (phrases->nexcepted > MOST_TOLD)
		appendStringInfo(out, " and %d more", phrases->nexcepted - MOST_TOLD);
}

/* --------------------------------------------------------------- as conditions */

static const char *const list_keys[] = {"in", "prefix", "under"};

static bool
is_open(const Phrase *range)
{
	return (range->from && range->is_from_out) || (range->to && range->is_to_out);
}

static const Phrase *
range_of(const Phrases *phrases)
{
	for (int i = 0; i < phrases->n; i++)
	{
		if (phrases->items[i].kind == PHRASE_RANGE)
			return &phrases->items[i];
	}
	return NULL;
}

/* A number of JSON, or a string of it. */
static void
append_operand(StringInfo out, const Attribute *attribute, const char *value)
{
	if (attribute->kind == ATTRIBUTE_NUMBER || attribute->kind == ATTRIBUTE_BOOLEAN)
		appendStringInfoString(out, value);
	else
		escape_json(out, value);
}

/* The members of an object that say each of these kinds: a range, lists of values, of prefixes, of branches. */
static const char *
append_members(StringInfo out, const Attribute *attribute, const Phrases *phrases, const char *comma)
{
	const Phrase *range = range_of(phrases);

	if (range && range->from)
	{
		appendStringInfo(out, "%s\"from\": ", comma);
		append_operand(out, attribute, range->from);
		comma = ", ";
	}
	if (range && range->to)
	{
		appendStringInfo(out, "%s\"to\": ", comma);
		append_operand(out, attribute, range->to);
		comma = ", ";
	}
	for (PhraseKind kind = PHRASE_VALUE; kind <= PHRASE_UNDER; kind++)
	{
		const char *inner = "";

		if (phrases->nof[kind] == 0)
			continue;
		appendStringInfo(out, "%s\"%s\": [", comma, list_keys[kind]);
		for (int i = 0; i < phrases->n; i++)
		{
			if (phrases->items[i].kind != kind)
				continue;
			appendStringInfoString(out, inner);
			append_operand(out, attribute, phrases->items[i].from);
			inner = ", ";
		}
		appendStringInfoChar(out, ']');
		comma = ", ";
	}
	return comma;
}

/* Phrases of one kind, or one range: what a condition can ask for. */
static bool
can_ask_for(const Phrases *phrases)
{
	if (phrases->n + phrases->nexcepted > MOST_ASKED || phrases->nof[PHRASE_UNKNOWN] > 0)
		return false;
	return phrases->nof[PHRASE_RANGE] == 1 ? phrases->n == 1 : phrases->nof[PHRASE_VALUE] == phrases->n ||
		phrases->nof[PHRASE_PREFIX] == phrases->n || phrases->nof[PHRASE_UNDER] == phrases->n;
}

/* Any kinds, but at most one range with its ends: what a condition can bar, with the open ends of what is asked for. */
static bool
can_bar(const Phrases *phrases)
{
	const Phrase *range = range_of(phrases);

	return phrases->n <= MOST_ASKED && phrases->nexcepted == 0 && phrases->nof[PHRASE_UNKNOWN] == 0 &&
		phrases->nof[PHRASE_RANGE] <= 1 && !(range && is_open(range));
}

/* The condition on one attribute: what is asked for (NULL: any value), and what of it is barred (may be NULL). */
static void
append_condition(StringInfo out, const Attribute *attribute, const Phrases *asked, const Phrases *barred)
{
	Phrases		bars = {0};
	const char *comma = "";

	if (barred)
	{
		for (int i = 0; i < barred->n; i++)
			add_phrase(&bars, barred->items[i]);
	}
	for (int i = 0; asked && i < asked->nexcepted; i++)
		add_phrase(&bars, (Phrase) {PHRASE_VALUE, asked->excepted[i]});
	for (int i = 0; asked && i < asked->n; i++)
	{
		const Phrase *phrase = &asked->items[i];

		if (phrase->kind == PHRASE_RANGE && phrase->from && phrase->is_from_out)
			add_phrase(&bars, (Phrase) {PHRASE_VALUE, phrase->from});
		if (phrase->kind == PHRASE_RANGE && phrase->to && phrase->is_to_out)
			add_phrase(&bars, (Phrase) {PHRASE_VALUE, phrase->to});
	}
	if (asked && bars.n == 0 && asked->n == 1 && asked->nof[PHRASE_VALUE] == 1)
	{
		append_operand(out, attribute, asked->items[0].from);
		return;
	}
	appendStringInfoChar(out, '{');
	if (asked)
		comma = append_members(out, attribute, asked, comma);
	if (bars.n > 0)
	{
		appendStringInfo(out, "%s\"not\": {", comma);
		append_members(out, attribute, &bars, "");
		appendStringInfoChar(out, '}');
	}
	else if (comma[0] == '\0')
		appendStringInfoString(out, "\"null\": false");
	appendStringInfoChar(out, '}');
}

/* How much there is to read; stretches of texts, and what a tree does not have, are harder to read than names. */
static int
cost_of(const Attribute *attribute, const Phrases *phrases)
{
	bool		is_text = attribute && attribute->kind == ATTRIBUTE_TEXT;

	return phrases->n + phrases->nexcepted + (is_text ? 3 * phrases->nof[PHRASE_RANGE] : 0) + 3 * phrases->nof[PHRASE_UNKNOWN];
}

/* ------------------------------------------------------------------- all of it */

/* What a set has of one dimension, in words and, if "ask" is given, as a condition; false: no condition says it. */
static bool
tell(const TerritoryBook *book, const SpmBookBoxes *them, const BookLimits *limits, uint32 d, const uint8 *classes,
	 StringInfo say, StringInfo ask)
{
	const Attribute *attribute = d == DAY_DIM ? NULL : &book->attributes[book->attribute_of[d]];
	Phrases		has = phrases_of(attribute, them, limits->is_void[d], &limits->domains[d], d, classes, true);
	Phrases		has_not = phrases_of(attribute, them, limits->is_void[d], &limits->domains[d], d, classes, false);
	Phrases		hull;
	Phrases		holes;
	int			cost = cost_of(attribute, &has);
	int			cost_not = has_not.nexcepted > 0 ? INT_MAX : cost_of(attribute, &has_not);
	int			cost_hull = hull_of(attribute, &has, &has_not, &hull, &holes) ? cost_of(attribute, &holes) + cost_of(attribute, &hull) : INT_MAX;

	if (cost_not == 0)
		appendStringInfoString(say, "not empty");
	else if (has.n > 2 && cost_hull <= cost && cost_hull <= cost_not)
	{
		say_phrases(say, &hull);
		appendStringInfoString(say, " except ");
		say_phrases(say, &holes);
	}
	else if (cost_not < cost)
	{
		appendStringInfoString(say, "other than ");
		say_phrases(say, &has_not);
	}
	else
		say_phrases(say, &has);

	if (!ask)
		return true;
	if (cost_not < INT_MAX && can_bar(&has_not) && (cost_not < cost || !can_ask_for(&has)))
		append_condition(ask, attribute, NULL, &has_not);
	else if (can_ask_for(&has))
		append_condition(ask, attribute, &has, NULL);
	else if (cost_hull < INT_MAX && can_bar(&holes))
		append_condition(ask, attribute, &hull, &holes);
	else
		return false;
	return true;
}

/*
 * Words for a set of classes of all dimensions, and the conditions of a rule for
 * it: NULL where no conditions say it.  Conditions leave out NULLs that are in a
 * set beside values, and the day.
 */
void
spm_book_words(const TerritoryBook *book, const SpmBookBoxes *them, const BookLimits *limits,
			   const uint8 *classes, char **words, char **conditions)
{
	StringInfoData say;
	StringInfoData ask;
	bool		can_ask = true;

	initStringInfo(&say);
	initStringInfo(&ask);
	appendStringInfoChar(&ask, '{');
	for (uint32 d = 0; d < them->book->ndims; classes += them->boxes.nclasses[d++])
	{
		const Attribute *attribute = d == DAY_DIM ? NULL : &book->attributes[book->attribute_of[d]];
		bool		is_point = attribute && attribute->kind == ATTRIBUTE_POINT;
		int32		null = them->rest[d][0];
		bool		with_null = null >= 0 && classes[null];
		int32		n = 0;

		for (int32 c = 0; c < them->boxes.nclasses[d]; c++)
			n += classes[c] != 0;
		if (n == them->boxes.nclasses[d])
			continue;
		appendStringInfo(&say, "%s%s%s: ", say.len > 0 ? "; " : "", attribute ? attribute->name : "day",
						 !is_point ? "" : d == attribute->dim ? " latitude" : " longitude");
		can_ask &= !is_point;
		if (attribute && can_ask)
		{
			if (ask.len > 1)
				appendStringInfoString(&ask, ", ");
			escape_json(&ask, attribute->name);
			appendStringInfoString(&ask, ": ");
		}
		if (with_null && n == 1)
		{
			appendStringInfoString(&say, "empty");
			appendStringInfoString(&ask, "null");
			continue;
		}
		can_ask &= tell(book, them, limits, d, classes, &say, attribute && can_ask ? &ask : NULL);
		if (with_null)
			appendStringInfoString(&say, " or empty");
	}
	appendStringInfoChar(&ask, '}');
	*words = say.len > 0 ? say.data : pstrdup("everything");
	*conditions = can_ask ? ask.data : NULL;
}
