/*
 * rulebook_compile.c
 *	  From conditions to a book: pieces, boxes, names.
 */
#include "rulebook_compile.h"

#include "rulebook_key.h"

#define POST_FROM		256		/* names of a dimension; fewer are classes */
#define POST_SHARED		8		/* boxes that may list a name before it is better a class */
#define LIMIT			UINT64_C(0x7fffffff)

/* A bound, or a name, on its way into order. */
typedef struct Entry
{
	SpmRuleKey	key;
	uint64_t	head;
	uint32_t	dim;
	uint32_t	of;				/* condition or place */
} Entry;

/* ------------------------------------------------------------------------------- order */

static int
compare_entries(const SpmRuleSource *source, const Entry *a, const Entry *b)
{
	int			order;

	if (a->dim != b->dim)
		return a->dim < b->dim ? -1 : 1;
	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	order = spmk_rule_key_compare(source->orders[a->dim], &a->key, &b->key);
	if (order != 0)
		return order;
	return a->of < b->of ? -1 : a->of > b->of;
}

/* Merge sort, from the bottom; returns where the result is: 'entries' or 'room'. */
static Entry *
sort_entries(const SpmRuleSource *source, Entry *entries, Entry *room, uint64_t n, const SpmBreath *breath)
{
	uint64_t	steps = 0;

	for (uint64_t width = 1; width < n; width *= 2)
	{
		Entry	   *swap;

		for (uint64_t start = 0; start < n; start += 2 * width)
		{
			uint64_t	a = start;
			uint64_t	a_end = start + width < n ? start + width : n;
			uint64_t	b = a_end;
			uint64_t	b_end = start + 2 * width < n ? start + 2 * width : n;

			for (uint64_t i = start; i < b_end; i++)
			{
				if (b >= b_end || (a < a_end && compare_entries(source, &entries[a], &entries[b]) <= 0))
					room[i] = entries[a++];
				else
					room[i] = entries[b++];
			}
			steps += b_end - start;
			if (steps >= SPM_BREATH_EVERY * 32)
			{
				spmk_breathe(breath);
				steps = 0;
			}
		}
		swap = entries;
		entries = room;
		room = swap;
	}
	return entries;
}

static bool
is_same_key(const SpmRuleSource *source, const Entry *a, const Entry *b)
{
	return a->dim == b->dim && a->head == b->head &&
		spmk_rule_key_compare(source->orders[a->dim], &a->key, &b->key) == 0;
}

static void
put_entry(const SpmRuleSource *source, Entry *entry, uint32_t dim, const SpmRuleKey *key, uint32_t of)
{
	entry->key = *key;
	entry->head = spmk_rule_key_head(source->orders[dim], key);
	entry->dim = dim;
	entry->of = of;
}

/* A key whose bytes are the book's own. */
static SpmRuleKey
keep_key(SpmRuleOrder order, const SpmRuleKey *key, char **bytes)
{
	SpmRuleKey	copy = *key;

	if (order == SPM_ORDER_BYTES)
	{
		if (key->length > 0)
			memcpy(*bytes, key->bytes, key->length);
		copy.bytes = *bytes;
		*bytes += key->length;
	}
	return copy;
}

/* ------------------------------------------------------------------------------- names */

static bool
is_list(const Compiler *c, const SpmRuleCondition *condition)
{
	if (condition->is_negated || condition->is_null || condition->nintervals == 0)
		return false;
	for (uint32_t i = 0; i < condition->nintervals; i++)
	{
		const SpmRuleInterval *interval = &c->source->intervals[condition->first_interval + i];

		if (interval->flags != 0 ||
			spmk_rule_key_compare(c->source->orders[condition->dim], &interval->from, &interval->to) != 0)
			return false;
	}
	return true;
}

/* Which boxes are found by a name, and by which of their conditions. */
static void
choose_posted(Compiler *c)
{
	const SpmRuleSource *source = c->source;
	uint32_t   *nuses = NEW(c->scratch, source->nconditions, uint32_t);
	uint32_t   *nnames = NEW(c->scratch, source->ndims, uint32_t);
	uint64_t	n = 0;
	Entry	   *entries;

	for (uint32_t b = 0; b < source->nboxes; b++)
	{
		for (uint32_t i = 0; i < source->boxes[b].nconditions; i++)
			nuses[source->uses[source->boxes[b].first_condition + i]]++;
	}
	for (uint32_t i = 0; i < source->nconditions; i++)
	{
		c->cuts[i].is_name = nuses[i] > 0 && is_list(c, &source->conditions[i]);
		if (c->cuts[i].is_name)
			n += source->conditions[i].nintervals;
	}
	entries = NEW(c->scratch, n, Entry);
	n = 0;
	for (uint32_t i = 0; i < source->nconditions; i++)
	{
		const SpmRuleCondition *condition = &source->conditions[i];

		for (uint32_t j = 0; c->cuts[i].is_name && j < condition->nintervals; j++)
			put_entry(source, &entries[n++], condition->dim,
					  &source->intervals[condition->first_interval + j].from, i);
	}
	entries = sort_entries(source, entries, NEW(c->scratch, n, Entry), n, c->breath);
	for (uint64_t i = 0, next; i < n; i = next)
	{
		uint64_t	shared = 0;

		for (next = i; next < n && is_same_key(source, &entries[i], &entries[next]); next++)
		{
			if (next == i || entries[next].of != entries[next - 1].of)
				shared += nuses[entries[next].of];
		}
		if (shared <= POST_SHARED)
			nnames[entries[i].dim]++;
		else
		{
			for (uint64_t j = i; j < next; j++)
				c->cuts[entries[j].of].is_name = false;
		}
	}
	for (uint32_t b = 0; b < source->nboxes; b++)
	{
		const SpmRuleInput *box = &source->boxes[b];

		c->posted_by[b] = SPM_RULE_NONE;
		for (uint32_t i = 0; i < box->nconditions; i++)
		{
			uint32_t	use = source->uses[box->first_condition + i];

			if (c->posted_by[b] == SPM_RULE_NONE && c->cuts[use].is_name &&
				nnames[source->conditions[use].dim] > POST_FROM)
				c->posted_by[b] = use;
		}
		for (uint32_t i = 0; i < box->nconditions; i++)
		{
			uint32_t	use = source->uses[box->first_condition + i];

			if (use != c->posted_by[b])
				c->cuts[use].is_needed = true;
		}
	}
}

/* Places: those not posted type by type, then those that are. */
static void
place_boxes(Compiler *c)
{
	SpmRulebook *book = c->book;
	const SpmRuleSource *source = c->source;
	uint32_t	place = 0;

	book->nplaces = source->nboxes;
	book->boxes = NEW(c->kept, source->nboxes, SpmRuleBox);
	book->rule_of = NEW(c->kept, source->nboxes, uint32_t);
	for (int posted = 0; posted < 2; posted++)
	{
		for (uint32_t type = 0; type < SPM_RULE_TYPES; type++)
		{
			(posted ? book->posted_start : book->type_start)[type] = place;
			for (uint32_t b = 0; type < source->ntypes && b < source->nboxes; b++)
			{
				SpmRuleBox *box = &book->boxes[place];

				if (source->boxes[b].type != type || (c->posted_by[b] != SPM_RULE_NONE) != posted)
					continue;
				box->rule = book->rule_of[place] = source->boxes[b].rule;
				box->type = type;
				box->rank = b;
				box->first_circle = source->boxes[b].first_circle;
				box->ncircles = source->boxes[b].ncircles;
				box->posted_dim = posted ? source->conditions[c->posted_by[b]].dim : SPM_RULE_NONE;
				c->place_of[b] = place++;
			}
		}
		(posted ? book->posted_start : book->type_start)[SPM_RULE_TYPES] = place;
	}
	for (uint32_t p = book->posted_start[0]; p < book->nplaces; p++)
	{
		uint32_t	lo = book->type_start[book->boxes[p].type];
		uint32_t	hi = book->type_start[book->boxes[p].type + 1];

		while (lo < hi)
		{
			uint32_t	mid = lo + (hi - lo) / 2;

			if (book->boxes[mid].rank < book->boxes[p].rank)
				lo = mid + 1;
			else
				hi = mid;
		}
		book->boxes[p].stop = lo;
	}
}

static void
post_names(Compiler *c)
{
	SpmRulebook *book = c->book;
	const SpmRuleSource *source = c->source;
	uint64_t	n = 0;
	uint64_t	start = 0;
	Entry	   *entries;
	uint32_t   *fill;

	for (uint32_t b = 0; b < source->nboxes; b++)
		n += c->posted_by[b] == SPM_RULE_NONE ? 0 : source->conditions[c->posted_by[b]].nintervals;
	entries = NEW(c->scratch, n, Entry);
	n = 0;
	for (uint32_t b = 0; b < source->nboxes; b++)
	{
		const SpmRuleCondition *condition;

		if (c->posted_by[b] == SPM_RULE_NONE)
			continue;
		condition = &source->conditions[c->posted_by[b]];
		for (uint32_t i = 0; i < condition->nintervals; i++)
			put_entry(source, &entries[n++], condition->dim,
					  &source->intervals[condition->first_interval + i].from, c->place_of[b]);
	}
	entries = sort_entries(source, entries, NEW(c->scratch, n, Entry), n, c->breath);

	book->posting = NEW(c->kept, source->ndims, uint32_t);
	for (uint32_t d = 0; d < source->ndims; d++)
	{
		SpmRuleDim *dim = &book->dims[d];
		uint64_t	end = start;
		size_t		nbytes = 0;
		uint32_t	nplaces = 0;
		char	   *bytes;

		for (; end < n && entries[end].dim == d; end++)
		{
			bool		is_new = end == start || !is_same_key(source, &entries[end - 1], &entries[end]);

			/* a list may name a value twice */
			if (!is_new && entries[end - 1].of == entries[end].of)
				continue;
			nplaces++;
			if (is_new)
			{
				dim->nposted++;
				nbytes += entries[end].key.length;
			}
		}
		if (end == start)
			continue;
		book->posting[book->nposting++] = d;
		dim->is_asked = true;
		dim->posted = NEW(c->kept, dim->nposted, SpmRulePosted);
		dim->places = NEW(c->kept, nplaces, uint32_t);
		bytes = NEW(c->kept, nbytes, char);
		dim->nslots = 16;
		while (dim->nslots / 2 < dim->nposted)
			dim->nslots *= 2;
		dim->slots = NEW(c->kept, dim->nslots, uint32_t);
		dim->filter = NEW(c->kept, dim->nslots, uint64_t);
		dim->nposted = 0;
		nplaces = 0;
		for (uint64_t i = start; i < end; i++)
		{
			bool		is_new = i == start || !is_same_key(source, &entries[i - 1], &entries[i]);
			SpmRulePosted *posted = &dim->posted[is_new ? dim->nposted : dim->nposted - 1];

			if (is_new)
			{
				SpmRuleValue value = {entries[i].key, false, false};
				uint64_t	hash = spmk_rule_key_hash(dim->order, &value.key);
				uint32_t	at = (uint32_t) hash & (dim->nslots - 1);

				spmk_rule_put_in_filter(dim, hash);
				posted->key = keep_key(dim->order, &entries[i].key, &bytes);
				posted->first = nplaces;
				posted->class = dim->class_of[spmk_rule_piece(dim, &value)];
				while (dim->slots[at] != 0)
					at = (at + 1) & (dim->nslots - 1);
				dim->slots[at] = ++dim->nposted;
			}
			else if (entries[i - 1].of == entries[i].of)
				continue;
			dim->places[nplaces++] = entries[i].of;
			posted->n++;
			book->boxes[entries[i].of].nposted++;
			if (i % (SPM_BREATH_EVERY * 16) == 0)
				spmk_breathe(c->breath);
		}
		start = end;
	}

	/* the other way round: the names of each box */
	book->posted_uses = NEW(c->kept, n, uint32_t);
	fill = NEW(c->scratch, book->nplaces, uint32_t);
	n = 0;
	for (uint32_t p = book->posted_start[0]; p < book->nplaces; p++)
	{
		book->boxes[p].first_posted = (uint32_t) n;
		n += book->boxes[p].nposted;
	}
	for (uint32_t i = 0; i < book->nposting; i++)
	{
		const SpmRuleDim *dim = &book->dims[book->posting[i]];

		for (uint32_t j = 0; j < dim->nposted; j++)
		{
			for (uint32_t k = 0; k < dim->posted[j].n; k++)
			{
				uint32_t	place = dim->places[dim->posted[j].first + k];

				book->posted_uses[book->boxes[place].first_posted + fill[place]++] = j;
			}
		}
	}
}

/* ------------------------------------------------------------------------------ pieces */

/* So that a value is near to where its bucket begins. */
static void
make_buckets(Compiler *c, SpmRuleDim *dim)
{
	uint64_t	spread;
	uint64_t	most = (uint64_t) dim->nbounds * 4 + 16;

	if (dim->nbounds == 0)
		return;
	dim->least_head = dim->heads[0];
	spread = dim->heads[dim->nbounds - 1] - dim->least_head;
	while (spread >> dim->shift >= most)
		dim->shift++;
	dim->nbuckets = (uint32_t) (spread >> dim->shift) + 1;
	dim->buckets = NEW(c->kept, (uint64_t) dim->nbuckets + 1, uint32_t);
	for (uint32_t i = 0, bucket = 0; bucket <= dim->nbuckets; bucket++)
	{
		while (i < dim->nbounds && (dim->heads[i] - dim->least_head) >> dim->shift < bucket)
			i++;
		dim->buckets[bucket] = i;
	}
}

static SpmRuleStatus
cut_dimensions(Compiler *c)
{
	SpmRulebook *book = c->book;
	const SpmRuleSource *source = c->source;
	uint64_t	n = 0;
	uint64_t	start = 0;
	Entry	   *entries;

	for (uint32_t i = 0; i < source->nconditions; i++)
		n += c->cuts[i].is_needed ? 2 * (uint64_t) source->conditions[i].nintervals : 0;
	if (n >= LIMIT / 2)
		return SPM_RULE_TOO_MANY;
	entries = NEW(c->scratch, n, Entry);
	n = 0;
	for (uint32_t i = 0; i < source->nconditions; i++)
	{
		const SpmRuleCondition *condition = &source->conditions[i];

		for (uint32_t j = 0; c->cuts[i].is_needed && j < condition->nintervals; j++)
		{
			const SpmRuleInterval *interval = &source->intervals[condition->first_interval + j];

			if (!(interval->flags & SPM_NO_FROM))
				put_entry(source, &entries[n++], condition->dim, &interval->from, 0);
			if (!(interval->flags & SPM_NO_TO))
				put_entry(source, &entries[n++], condition->dim, &interval->to, 0);
		}
	}
	entries = sort_entries(source, entries, NEW(c->scratch, n, Entry), n, c->breath);
	for (uint32_t d = 0; d < source->ndims; d++)
	{
		SpmRuleDim *dim = &book->dims[d];
		uint64_t	end = start;
		size_t		nbytes = 0;
		char	   *bytes;

		for (; end < n && entries[end].dim == d; end++)
		{
			if (end == start || !is_same_key(source, &entries[end - 1], &entries[end]))
			{
				dim->nbounds++;
				nbytes += entries[end].key.length;
			}
		}
		dim->heads = NEW(c->kept, dim->nbounds, uint64_t);
		dim->bounds = NEW(c->kept, dim->nbounds, SpmRuleKey);
		bytes = NEW(c->kept, nbytes, char);
		dim->nbounds = 0;
		for (uint64_t i = start; i < end; i++)
		{
			if (i > start && is_same_key(source, &entries[i - 1], &entries[i]))
				continue;
			dim->heads[dim->nbounds] = entries[i].head;
			dim->bounds[dim->nbounds++] = keep_key(dim->order, &entries[i].key, &bytes);
		}
		dim->npieces = 2 * dim->nbounds + 1;
		make_buckets(c, dim);
		start = end;
	}
	return SPM_RULE_OK;
}

static void
sort_pieces(Pieces *pieces, Pieces *room, uint32_t n)
{
	Pieces	   *from = pieces;
	Pieces	   *to = room;

	for (uint64_t width = 1; width < n; width *= 2)
	{
		Pieces	   *swap = from;

		for (uint64_t start = 0; start < n; start += 2 * width)
		{
			uint64_t	a = start;
			uint64_t	a_end = start + width < n ? start + width : n;
			uint64_t	b = a_end;
			uint64_t	b_end = start + 2 * width < n ? start + 2 * width : n;

			for (uint64_t i = start; i < b_end; i++)
				to[i] = b >= b_end || (a < a_end && from[a].first <= from[b].first) ? from[a++] : from[b++];
		}
		from = to;
		to = swap;
	}
	if (from != pieces)
		memcpy(pieces, from, n * sizeof(Pieces));
}

/* Neighbours and overlaps become one. */
static uint32_t
join_pieces(Pieces *pieces, uint32_t n)
{
	uint32_t	out = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		if (out > 0 && pieces[i].first <= pieces[out - 1].last + 1)
		{
			if (pieces[i].last > pieces[out - 1].last)
				pieces[out - 1].last = pieces[i].last;
		}
		else
			pieces[out++] = pieces[i];
	}
	return out;
}

/* What is in none of them; 'to' has room for one more. */
static uint32_t
complement_pieces(const Pieces *pieces, uint32_t n, uint32_t npieces, Pieces *to)
{
	uint32_t	out = 0;
	uint32_t	next = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		if (pieces[i].first > next)
			to[out++] = (Pieces) {next, pieces[i].first - 1};
		next = pieces[i].last + 1;
	}
	if (next < npieces)
		to[out++] = (Pieces) {next, npieces - 1};
	return out;
}

static uint32_t
intersect_pieces(const Pieces *a, uint32_t na, const Pieces *b, uint32_t nb, Pieces *to)
{
	uint32_t	out = 0;

	for (uint32_t i = 0, j = 0; i < na && j < nb;)
	{
		uint32_t	first = a[i].first > b[j].first ? a[i].first : b[j].first;
		uint32_t	last = a[i].last < b[j].last ? a[i].last : b[j].last;

		if (first <= last)
			to[out++] = (Pieces) {first, last};
		if (a[i].last < b[j].last)
			i++;
		else
			j++;
	}
	return out;
}

static void
cut_conditions(Compiler *c)
{
	const SpmRuleSource *source = c->source;
	uint64_t	n = 0;
	uint32_t	most = 0;
	Pieces	   *room;
	Pieces	   *found;

	for (uint32_t i = 0; i < source->nconditions; i++)
	{
		n += (uint64_t) source->conditions[i].nintervals + 1;
		if (source->conditions[i].nintervals > most)
			most = source->conditions[i].nintervals;
	}
	c->pieces = NEW(c->scratch, n, Pieces);
	found = NEW(c->scratch, most, Pieces);
	room = NEW(c->scratch, most, Pieces);
	n = 0;
	for (uint32_t i = 0; i < source->nconditions; i++)
	{
		const SpmRuleCondition *condition = &source->conditions[i];
		const SpmRuleDim *dim = &c->book->dims[condition->dim];
		Cut		   *cut = &c->cuts[i];

		cut->first = (uint32_t) n;
		if (!cut->is_needed)
			continue;
		if (condition->is_null)
		{
			if (condition->is_negated)
				c->pieces[cut->first + cut->n++] = (Pieces) {0, dim->npieces - 1};
		}
		else
		{
			uint32_t	nfound = 0;

			for (uint32_t j = 0; j < condition->nintervals; j++)
			{
				const SpmRuleInterval *interval = &source->intervals[condition->first_interval + j];
				SpmRuleValue from = {interval->from, false, false};
				SpmRuleValue to = {interval->to, false, false};
				uint32_t	first = 0;
				uint32_t	last = dim->npieces - 1;

				if (!(interval->flags & SPM_NO_FROM))
					first = spmk_rule_piece(dim, &from) + ((interval->flags & SPM_FROM_OPEN) != 0);
				if (!(interval->flags & SPM_NO_TO))
					last = spmk_rule_piece(dim, &to) - ((interval->flags & SPM_TO_OPEN) != 0);
				if (first <= last)
					found[nfound++] = (Pieces) {first, last};
			}
			sort_pieces(found, room, nfound);
			nfound = join_pieces(found, nfound);
			if (condition->is_negated)
				cut->n = complement_pieces(found, nfound, dim->npieces, c->pieces + cut->first);
			else
			{
				memcpy(c->pieces + cut->first, found, nfound * sizeof(Pieces));
				cut->n = nfound;
			}
		}
		n += cut->n;
		if (i % SPM_BREATH_EVERY == 0)
			spmk_breathe(c->breath);
	}
}

/* Sets: the conditions of a box on one dimension, taken together. */
static SpmRuleStatus
make_sets(Compiler *c)
{
	SpmRulebook *book = c->book;
	const SpmRuleSource *source = c->source;
	uint64_t	nsets = 0;
	uint64_t	nranges = 0;
	uint64_t	most = 0;
	uint32_t	most_uses = 0;
	uint32_t   *order;
	Pieces	   *room;

	for (uint32_t b = 0; b < source->nboxes; b++)
	{
		uint64_t	n = 0;

		for (uint32_t i = 0; i < source->boxes[b].nconditions; i++)
			n += c->cuts[source->uses[source->boxes[b].first_condition + i]].n;
		nsets += source->boxes[b].nconditions;
		nranges += n;
		if (n > most)
			most = n;
		if (source->boxes[b].nconditions > most_uses)
			most_uses = source->boxes[b].nconditions;
	}
	if (nsets >= LIMIT || nranges >= LIMIT)
		return SPM_RULE_TOO_MANY;
	book->sets = NEW(c->kept, nsets, SpmRuleSet);
	c->set_nulls = NEW(c->scratch, nsets, bool);
	c->set_pieces = NEW(c->scratch, nranges, Pieces);
	room = NEW(c->scratch, most, Pieces);
	order = NEW(c->scratch, most_uses, uint32_t);
	nranges = 0;
	for (uint32_t p = 0; p < book->nplaces; p++)
	{
		SpmRuleBox *box = &book->boxes[p];
		const SpmRuleInput *input = &source->boxes[box->rank];
		uint32_t	n = 0;

		for (uint32_t i = 0; i < input->nconditions; i++)
		{
			uint32_t	use = source->uses[input->first_condition + i];
			uint32_t	at = n;

			if (use == c->posted_by[box->rank])
				continue;
			while (at > 0 && source->conditions[order[at - 1]].dim > source->conditions[use].dim)
			{
				order[at] = order[at - 1];
				at--;
			}
			order[at] = use;
			n++;
		}
		box->first_set = book->nsets;
		for (uint32_t i = 0, next; i < n; i = next)
		{
			uint32_t	d = source->conditions[order[i]].dim;
			SpmRuleSet *set = &book->sets[book->nsets];
			Pieces	   *pieces = c->set_pieces + nranges;
			bool		with_null = true;

			set->dim = d;
			book->dims[d].is_asked = true;
			for (next = i; next < n && source->conditions[order[next]].dim == d; next++)
			{
				const SpmRuleCondition *condition = &source->conditions[order[next]];
				const Cut  *cut = &c->cuts[order[next]];

				with_null = with_null && condition->is_null && !condition->is_negated;
				if (next == i)
				{
					memcpy(pieces, c->pieces + cut->first, cut->n * sizeof(Pieces));
					set->nranges = cut->n;
				}
				else
				{
					set->nranges = intersect_pieces(pieces, set->nranges, c->pieces + cut->first, cut->n, room);
					memcpy(pieces, room, set->nranges * sizeof(Pieces));
				}
			}
			set->first_range = (uint32_t) nranges;
			nranges += set->nranges;
			c->set_nulls[book->nsets++] = with_null;
			box->nsets++;
		}
		if (p % SPM_BREATH_EVERY == 0)
			spmk_breathe(c->breath);
	}
	book->nranges = (uint32_t) nranges;
	return SPM_RULE_OK;
}

/* What was in pieces is in classes from now on. */
static void
ranges_of_classes(Compiler *c)
{
	SpmRulebook *book = c->book;
	SpmRuleRange *ranges = NEW(c->scratch, (uint64_t) book->nranges + book->nsets, SpmRuleRange);
	uint32_t	n = 0;

	for (uint32_t s = 0; s < book->nsets; s++)
	{
		SpmRuleSet *set = &book->sets[s];
		const SpmRuleDim *dim = &book->dims[set->dim];
		uint32_t	first = n;

		if (c->set_nulls[s])
			ranges[n++] = (SpmRuleRange) {0, 0};
		for (uint32_t i = 0; i < set->nranges; i++)
		{
			const Pieces *pieces = &c->set_pieces[set->first_range + i];
			SpmRuleRange range = {dim->class_of[pieces->first], dim->class_of[pieces->last]};

			if (n > first && ranges[n - 1].last + 1 >= range.first)
				ranges[n - 1].last = range.last;
			else
				ranges[n++] = range;
		}
		set->first_range = first;
		set->nranges = n - first;
	}
	book->nranges = n;
	book->ranges = NEW(c->kept, n, SpmRuleRange);
	memcpy(book->ranges, ranges, n * sizeof(SpmRuleRange));
}

SpmRuleStatus
spmk_rulebook_compile(SpmRulebook *book, const SpmRuleSource *source,
					  const SpmRuleMemory *kept, const SpmRuleMemory *scratch, const SpmBreath *breath)
{
	Compiler	compiler = {book, source, kept, scratch, breath};
	Compiler   *c = &compiler;
	uint64_t	nuses = 0;
	uint64_t	ncircle_uses = 0;
	SpmRuleStatus status;

	memset(book, 0, sizeof(*book));
	if (source->ndims > SPM_RULE_DIMS || source->ntypes > SPM_RULE_TYPES || source->nboxes >= LIMIT)
		return SPM_RULE_TOO_MANY;
	for (uint32_t b = 0; b < source->nboxes; b++)
	{
		nuses += source->boxes[b].nconditions;
		ncircle_uses += source->boxes[b].ncircles;
	}
	if (nuses >= LIMIT || ncircle_uses >= LIMIT)
		return SPM_RULE_TOO_MANY;
	book->ndims = source->ndims;
	book->ntypes = source->ntypes;
	book->dims = NEW(kept, source->ndims, SpmRuleDim);
	for (uint32_t d = 0; d < source->ndims; d++)
		book->dims[d].order = source->orders[d];
	c->cuts = NEW(scratch, source->nconditions, Cut);
	c->posted_by = NEW(scratch, source->nboxes, uint32_t);
	c->place_of = NEW(scratch, source->nboxes, uint32_t);

	choose_posted(c);
	place_boxes(c);
	status = cut_dimensions(c);
	if (status != SPM_RULE_OK)
		return status;
	cut_conditions(c);
	status = make_sets(c);
	if (status != SPM_RULE_OK)
		return status;
	spmk_rule_make_rows(c);
	ranges_of_classes(c);
	post_names(c);

	book->circles = NEW(kept, source->ncircles, SpmRuleCircle);
	memcpy(book->circles, source->circles, source->ncircles * sizeof(SpmRuleCircle));
	book->ncircles = source->ncircles;
	book->circle_uses = NEW(kept, ncircle_uses, uint32_t);
	for (uint32_t p = 0, n = 0; p < book->nplaces; p++)
	{
		SpmRuleBox *box = &book->boxes[p];

		for (uint32_t i = 0; i < box->ncircles; i++)
		{
			uint32_t	circle = source->circle_uses[box->first_circle + i];

			book->circle_uses[n + i] = circle;
			book->dims[source->circles[circle].latitude_dim].is_asked = true;
			book->dims[source->circles[circle].longitude_dim].is_asked = true;
		}
		box->first_circle = n;
		n += box->ncircles;
	}
	book->lines = NEW(kept, (uint64_t) book->ndistinct * SPM_RULE_LINE, uint64_t);
	memcpy(book->lines, c->lines, (size_t) book->ndistinct * SPM_RULE_LINE * sizeof(uint64_t));
	book->rows = NEW(kept, (uint64_t) book->nrows * book->row_size, char);
	memcpy(book->rows, c->rows, (size_t) book->nrows * book->row_size);
	return SPM_RULE_OK;
}
