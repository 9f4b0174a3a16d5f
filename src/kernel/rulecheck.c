/*
 * rulecheck.c
 *	  Which boxes of a book of rules overlap, and what is asked of all of them.
 *
 * A set of boxes is a bitmap.  An attribute of few classes has one for each.  Of
 * the others the spans of all boxes are kept in one array, ascending by first
 * class and with the highest last class of each half: what meets a span is found
 * in steps as many as there are answers; or, once few boxes are left, these are
 * asked one by one.
 */
#include <string.h>

#include "rulecheck_index.h"

#define ALIGNED(n) (((n) + 15) & ~(size_t) 15)
#define ROW_CLASSES	128			/* of an attribute that has rows */

/* NULL: there is no room.  The searches take that for an empty budget. */
void *
spmk_room_take(SpmRoom *room, size_t count, size_t size)
{
	size_t		bytes = ALIGNED(count * size);
	void	   *start = room->bytes + room->used;

	if (room->size - room->used < bytes)
		return NULL;
	room->used += bytes;
	return start;
}

size_t
spmk_rulecheck_room(const SpmBoxes *boxes)
{
	size_t		a = boxes->nattributes;
	size_t		n = boxes->nboxes;
	size_t		spans = boxes->starts[n * a];
	size_t		classes = a;

	for (size_t i = 0; i < a; i++)
		classes += boxes->nclasses[i];

	/* index; what a search looks at; and at most one level of it for each attribute, and a few besides */
	return (size_t) 65536 + a * (4096 + ROW_CLASSES * (n / 8 + 64)) +
		spans * (sizeof(SpmEntry) + 2 * sizeof(SpmSpan)) + (a + 8) * (n / 8 + 64) + classes * 16 +
		n * a * 8 + n * 64 +
		(a + 3) * (classes * 40 + n * 24 + a * 256);
}

/* Sets each entry's "highest" to that of the half it is the middle of. */
static int32_t
raise(SpmEntry *entries, int32_t from, int32_t to)
{
	int32_t		middle = from + (to - from) / 2;
	int32_t		highest;

	if (from >= to)
		return -1;
	highest = entries[middle].last;
	for (int side = 0; side < 2; side++)
	{
		int32_t		other = side ? raise(entries, middle + 1, to) : raise(entries, from, middle);

		if (other > highest)
			highest = other;
	}
	return entries[middle].highest = highest;
}

static void
collect(const SpmEntry *entries, int32_t from, int32_t to, SpmSpan span, uint64_t *set)
{
	while (from < to)
	{
		int32_t		middle = from + (to - from) / 2;

		if (entries[middle].highest < span.first)
			return;
		collect(entries, from, middle, span, set);
		if (entries[middle].first > span.last)
			return;
		if (entries[middle].last >= span.first)
			set[entries[middle].box / 64] |= UINT64_C(1) << (entries[middle].box % 64);
		from = middle + 1;
	}
}

static bool
make_rows(SpmRuleIndex *index, int a, SpmRoom *room)
{
	const SpmBoxes *boxes = index->boxes;
	SpmAttributeIndex *at = &index->attributes[a];
	size_t		n = (size_t) boxes->nclasses[a] * index->nwords;

	at->rows = spmk_room_take(room, n, sizeof(uint64_t));
	if (!at->rows)
		return false;
	for (int32_t c = 0; c < boxes->nclasses[a]; c++)
		memcpy(at->rows + (size_t) c * index->nwords, at->any, index->nwords * sizeof(uint64_t));
	for (int b = 0; b < boxes->nboxes; b++)
	{
		const SpmSpan *spans = spmk_box_spans(boxes, b, a);

		for (int s = 0; s < spmk_box_nspans(boxes, b, a); s++)
		{
			for (int32_t c = spans[s].first; c <= spans[s].last; c++)
				at->rows[(size_t) c * index->nwords + b / 64] |= UINT64_C(1) << (b % 64);
		}
	}
	return true;
}

/* Spans of one attribute, sorted by counting; and which classes no span has. */
static bool
index_attribute(SpmRuleIndex *index, int a, SpmRoom *room)
{
	const SpmBoxes *boxes = index->boxes;
	SpmAttributeIndex *at = &index->attributes[a];
	int32_t		nclasses = boxes->nclasses[a];
	size_t		mark;
	int32_t    *places;
	int32_t    *depth;

	at->any = spmk_room_take(room, index->nwords, sizeof(uint64_t));
	at->nfree = spmk_room_take(room, nclasses + 1, sizeof(int32_t));
	if (!at->any || !at->nfree)
		return false;
	memset(at->any, 0, index->nwords * sizeof(uint64_t));
	at->nentries = 0;
	for (int b = 0; b < boxes->nboxes; b++)
	{
		int			n = spmk_box_nspans(boxes, b, a);

		if (n == 0)
			at->any[b / 64] |= UINT64_C(1) << (b % 64);
		at->nentries += n;
	}
	at->entries = spmk_room_take(room, at->nentries, sizeof(SpmEntry));
	mark = room->used;
	places = spmk_room_take(room, nclasses + 1, sizeof(int32_t));
	depth = spmk_room_take(room, nclasses + 1, sizeof(int32_t));
	if (!at->entries || !places || !depth)
		return false;
	memset(places, 0, (nclasses + 1) * sizeof(int32_t));
	memset(depth, 0, (nclasses + 1) * sizeof(int32_t));

	for (int b = 0; b < boxes->nboxes; b++)
	{
		const SpmSpan *spans = spmk_box_spans(boxes, b, a);

		for (int s = 0; s < spmk_box_nspans(boxes, b, a); s++)
		{
			places[spans[s].first + 1]++;
			depth[spans[s].first]++;
			depth[spans[s].last + 1]--;
		}
	}
	at->nfree[0] = 0;
	for (int32_t c = 0, covers = 0; c < nclasses; c++)
	{
		places[c + 1] += places[c];
		covers += depth[c];
		at->nfree[c + 1] = at->nfree[c] + (covers == 0);
	}
	for (int b = 0; b < boxes->nboxes; b++)
	{
		const SpmSpan *spans = spmk_box_spans(boxes, b, a);

		for (int s = 0; s < spmk_box_nspans(boxes, b, a); s++)
			at->entries[places[spans[s].first]++] = (SpmEntry) {spans[s].first, spans[s].last, -1, b};
	}
	room->used = mark;
	raise(at->entries, 0, at->nentries);
	at->rows = NULL;
	return nclasses > ROW_CLASSES || make_rows(index, a, room);
}

/* NULL: the room is less than spmk_rulecheck_room() says. */
SpmRuleIndex *
spmk_rule_index(const SpmBoxes *boxes, SpmRoom *room)
{
	SpmRuleIndex *index = spmk_room_take(room, 1, sizeof(SpmRuleIndex));

	if (!index)
		return NULL;
	index->boxes = boxes;
	index->room = room;
	index->nwords = (boxes->nboxes + 63) / 64;
	index->attributes = spmk_room_take(room, boxes->nattributes, sizeof(SpmAttributeIndex));
	index->met = spmk_room_take(room, index->nwords, sizeof(uint64_t));
	index->hits = spmk_room_take(room, index->nwords, sizeof(uint64_t));
	index->seen = spmk_room_take(room, boxes->nboxes, sizeof(int32_t));
	if (!index->attributes || !index->met || !index->hits || !index->seen)
		return NULL;
	for (int a = 0; a < boxes->nattributes; a++)
	{
		if (!index_attribute(index, a, room))
			return NULL;
	}
	return index;
}

static bool
spans_meet(const SpmSpan *a, int na, const SpmSpan *b, int nb)
{
	for (int i = 0, j = 0; i < na && j < nb;)
	{
		if (a[i].last < b[j].first)
			i++;
		else if (b[j].last < a[i].first)
			j++;
		else
			return true;
	}
	return false;
}

/* Takes from index->met, in words first to end - 1, what a box does not meet in one attribute; returns how many are left. */
static int
keep_met(SpmRuleIndex *index, int box, int a, int first, int end, int nmet)
{
	const SpmBoxes *boxes = index->boxes;
	const SpmAttributeIndex *at = &index->attributes[a];
	const SpmSpan *spans = spmk_box_spans(boxes, box, a);
	int			n = spmk_box_nspans(boxes, box, a);
	size_t		bytes = (end - first) * sizeof(uint64_t);
	int			left = 0;

	if (!at->rows && nmet < at->nentries / 4)
	{
		for (int w = first; w < end; w++)
		{
			for (uint64_t rest = index->met[w] & ~at->any[w]; rest; rest &= rest - 1)
			{
				int			other = w * 64 + __builtin_ctzll(rest);

				if (!spans_meet(spans, n, spmk_box_spans(boxes, other, a), spmk_box_nspans(boxes, other, a)))
					index->met[w] &= ~(rest & -rest);
			}
			left += __builtin_popcountll(index->met[w]);
		}
		return left;
	}
	if (at->rows)
	{
		memset(index->hits + first, 0, bytes);
		for (int s = 0; s < n; s++)
		{
			for (int32_t c = spans[s].first; c <= spans[s].last; c++)
			{
				const uint64_t *row = at->rows + (size_t) c * index->nwords;

				for (int w = first; w < end; w++)
					index->hits[w] |= row[w];
			}
		}
	}
	else
	{
		memcpy(index->hits + first, at->any + first, bytes);
		for (int s = 0; s < n; s++)
			collect(at->entries, 0, at->nentries, spans[s], index->hits);
	}
	for (int w = first; w < end; w++)
		left += __builtin_popcountll(index->met[w] &= index->hits[w]);
	return left;
}

/*
 * index->met := boxes from "from" to "to" - 1 (a stretch of the order) that
 * overlap a box.  Words outside of the stretch are left alone.
 */
void
spmk_boxes_met(SpmRuleIndex *index, int box, int from, int to)
{
	int			na = index->boxes->nattributes;
	int			first = from / 64;
	int			end = (to + 63) / 64;
	int			nmet = to - from;

	memset(index->met + first, 0xff, (end - first) * sizeof(uint64_t));
	index->met[first] &= ~UINT64_C(0) << (from % 64);
	if (to % 64)
		index->met[end - 1] &= ~UINT64_C(0) >> (64 - to % 64);
	for (int pass = 0; pass < 2; pass++)
	{
		for (int a = 0; a < na && nmet > 0; a++)
		{
			if ((index->attributes[a].rows != NULL) == (pass == 0) && spmk_box_nspans(index->boxes, box, a) > 0)
				nmet = keep_met(index, box, a, first, end, nmet);
		}
	}
}

/* Whether "outer" has all classes of "inner". */
static bool
spans_contain(const SpmSpan *outer, int nouter, const SpmSpan *inner, int ninner)
{
	int			o = 0;

	for (int i = 0; i < ninner; i++)
	{
		int32_t		first = inner[i].first;

		for (;;)
		{
			while (o < nouter && outer[o].last < first)
				o++;
			if (o == nouter || outer[o].first > first)
				return false;
			if (outer[o].last >= inner[i].last)
				break;
			first = outer[o].last + 1;
		}
	}
	return true;
}

bool
spmk_box_contains(const SpmBoxes *boxes, int outer, int inner)
{
	for (int a = 0; a < boxes->nattributes; a++)
	{
		SpmSpan		all = {0, boxes->nclasses[a] - 1};
		int			nouter = spmk_box_nspans(boxes, outer, a);
		int			ninner = spmk_box_nspans(boxes, inner, a);

		if (nouter > 0 &&
			!spans_contain(spmk_box_spans(boxes, outer, a), nouter,
						   ninner ? spmk_box_spans(boxes, inner, a) : &all, ninner ? ninner : 1))
			return false;
	}
	return true;
}

/* Pairs of the rule that has boxes first to last with rules in boxes from to to - 1. */
static bool
conflicts_of(SpmRuleIndex *index, int first, int last, int from, int to, SpmPairFound found, void *arg)
{
	const SpmBox *box = index->boxes->boxes;
	const SpmParts *parts = index->boxes->parts;

	if (from >= to)
		return true;
	for (int b = first; b <= last; b++)
	{
		spmk_boxes_met(index, b, from, to);
		for (int w = from / 64; w < (to + 63) / 64; w++)
		{
			for (uint64_t left = index->met[w]; left; left &= left - 1)
			{
				int			other = w * 64 + __builtin_ctzll(left);

				if (box[other].type != box[b].type || box[other].territory == box[b].territory ||
					index->seen[box[other].rule] == box[b].rule)
					continue;
				if ((box[b].is_partial || box[other].is_partial) && parts->apart(parts->arg, b, other))
					continue;
				index->seen[box[other].rule] = box[b].rule;
				if (!found(arg, b, other))
					return false;
			}
		}
	}
	return true;
}

void
spmk_rule_conflicts(SpmRuleIndex *index, const SpmBreath *breath, SpmPairFound found, void *arg)
{
	const SpmBox *box = index->boxes->boxes;
	int			n = index->boxes->nboxes;

	for (int narrower = 0; narrower < 2; narrower++)
	{
		int			tie = 0;
		int			even = 0;

		memset(index->seen, 0xff, n * sizeof(int32_t));
		for (int first = 0, last; first < n; first = last + 1)
		{
			for (last = first; last + 1 < n && box[last + 1].rule == box[first].rule; last++)
				;
			if (tie <= last)
				tie = last + 1;
			if (even <= last)
				even = last + 1;
			while (tie < n && box[tie].tie == box[first].tie)
				tie++;
			while (even < n && box[even].tie == box[first].tie && box[even].even == box[first].even)
				even++;
			spmk_breathe(breath);
			if (!conflicts_of(index, first, last, narrower ? even : last + 1, narrower ? tie : even, found, arg))
				return;
		}
	}
}
