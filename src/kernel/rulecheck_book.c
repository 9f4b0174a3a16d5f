/*
 * rulecheck_book.c
 *	  A compiled book of rules as boxes of which things can be proven.
 */
#include "rulecheck_book.h"

#include "rulebook_key.h"

#define NEW(memory, n, type) ((type *) (memory)->get((memory)->arg, ((size_t) (n) + 1) * sizeof(type)))

/* --------------------------------------------------------------------- classes */

/* Numbers the classes of a dimension; first[c] is where those of class c of the book begin. */
static int32_t
number_classes(SpmBookBoxes *it, uint32_t d, const uint8_t *is_void, bool is_never_null, int32_t *first,
			   const SpmRuleMemory *memory)
{
	const SpmRuleDim *dim = &it->book->dims[d];
	bool	   *is_met = NEW(memory, dim->nclasses, bool);
	int32_t		n = 0;
	uint32_t	name = 0;
	uint32_t   *order = NEW(memory, dim->nposted, uint32_t);
	uint32_t   *starts = NEW(memory, dim->nclasses + 1, uint32_t);

	is_met[0] = !is_never_null;
	for (uint32_t p = 0; p < dim->npieces; p++)
		is_met[dim->class_of ? dim->class_of[p] : 1] |= !is_void || !is_void[p];

	/* names by class */
	for (uint32_t i = 0; i < dim->nposted; i++)
		starts[dim->posted[i].class + 1]++;
	for (uint32_t c = 0; c < dim->nclasses; c++)
		starts[c + 1] += starts[c];
	for (uint32_t i = 0; i < dim->nposted; i++)
		order[starts[dim->posted[i].class]++] = i;

	it->classes[d] = NEW(memory, dim->nclasses + dim->nposted, SpmBookClass);
	it->rest[d] = NEW(memory, dim->nclasses, int32_t);
	it->named[d] = NEW(memory, dim->nposted, int32_t);
	for (uint32_t c = 0; c < dim->nclasses; c++)
	{
		first[c] = n;
		it->rest[d][c] = -1;
		if (is_met[c])
		{
			it->classes[d][n] = (SpmBookClass) {c, SPM_RULE_NONE};
			it->rest[d][c] = n++;
		}
		for (; name < starts[c]; name++)
		{
			it->classes[d][n] = (SpmBookClass) {c, order[name]};
			it->named[d][order[name]] = n++;
		}
	}
	first[dim->nclasses] = n;
	return n;
}

/* ----------------------------------------------------------------------- boxes */

static inline void
add_span(SpmSpan *spans, int32_t *n, int32_t start, int32_t first, int32_t last)
{
	if (first > last)
		return;
	if (*n > start && spans[*n - 1].last + 1 >= first)
		spans[*n - 1].last = last;
	else
		spans[(*n)++] = (SpmSpan) {first, last};
}

/* The spans of a box in one dimension; false: there are none, nothing can meet it. */
static bool
add_spans(const SpmBookBoxes *it, const SpmRuleBox *box, uint32_t d, const SpmRuleSet *set, const int32_t *first,
		  SpmSpan *spans, int32_t *n)
{
	const SpmRulebook *book = it->book;
	const SpmRuleDim *dim = &book->dims[d];
	const SpmRuleRange *ranges = set ? book->ranges + set->first_range : NULL;
	int32_t		start = *n;

	if (box->posted_dim == d)
	{
		for (uint32_t i = 0; i < box->nposted; i++)
		{
			uint32_t	name = book->posted_uses[box->first_posted + i];
			uint32_t	class = dim->posted[name].class;
			bool		is_met = !set;

			for (uint32_t r = 0; set && r < set->nranges; r++)
				is_met |= ranges[r].first <= class && class <= ranges[r].last;
			if (is_met)
				add_span(spans, n, start, it->named[d][name], it->named[d][name]);
		}
		return *n > start;
	}
	if (!set)
		return true;
	for (uint32_t r = 0; r < set->nranges; r++)
		add_span(spans, n, start, first[ranges[r].first], first[ranges[r].last + 1] - 1);
	if (*n == start)
		return false;
	if (*n == start + 1 && spans[start].first == 0 && spans[start].last == it->boxes.nclasses[d] - 1)
		*n = start;
	return true;
}

/* Places in the order in which their boxes go. */
static void
order_places(const SpmRulebook *book, uint32_t *places, const SpmRuleMemory *memory)
{
	uint32_t	most = 0;
	uint32_t   *place_of;

	for (uint32_t p = 0; p < book->nplaces; p++)
	{
		if (book->boxes[p].rank > most)
			most = book->boxes[p].rank;
	}
	place_of = NEW(memory, most + 1, uint32_t);
	for (uint32_t p = 0; p < book->nplaces; p++)
		place_of[book->boxes[p].rank] = p + 1;
	for (uint32_t r = 0, n = 0; r <= most; r++)
	{
		if (place_of[r])
			places[n++] = place_of[r] - 1;
	}
}

/* --------------------------------------------------------------------- circles */

#define MARGIN	1e-6			/* kilometres: what rounding may do to a distance, many times over */

static const SpmRuleCircle *
circle_of(const SpmBookBoxes *it, int box, uint32_t i)
{
	return &it->book->circles[it->book->circle_uses[it->book->boxes[it->places[box]].first_circle + i]];
}

static uint32_t
ncircles_of(const SpmBookBoxes *it, int box)
{
	return it->book->boxes[it->places[box]].ncircles;
}

static bool
is_same_circle(const SpmRuleCircle *a, const SpmRuleCircle *b)
{
	return a->latitude == b->latitude && a->longitude == b->longitude && a->km == b->km;
}

/* Whether what circle a lets through, and what b lets through, have certainly nothing in common. */
static bool
circles_apart(const SpmRuleCircle *a, const SpmRuleCircle *b)
{
	double		distance;

	if (a->latitude_dim != b->latitude_dim || a->longitude_dim != b->longitude_dim)
		return false;
	distance = spmk_rule_distance(a->latitude, a->longitude, b->latitude, b->longitude);
	if (!a->is_negated && !b->is_negated)
		return distance > a->km + b->km + MARGIN;
	if (a->is_negated && b->is_negated)
		return false;
	if (a->is_negated)
		return circles_apart(b, a);
	return is_same_circle(a, b) || distance + a->km + MARGIN < b->km;
}

static bool
boxes_apart(void *arg, int box, int other)
{
	const SpmBookBoxes *it = arg;

	for (uint32_t i = 0; i < ncircles_of(it, box); i++)
	{
		for (uint32_t j = 0; j < ncircles_of(it, other); j++)
		{
			if (circles_apart(circle_of(it, box, i), circle_of(it, other, j)))
				return true;
		}
	}
	return false;
}

/* Whether each circle of the outer box lets through all that one of the inner does. */
static bool
box_contains(void *arg, int outer, int inner)
{
	const SpmBookBoxes *it = arg;

	for (uint32_t i = 0; i < ncircles_of(it, outer); i++)
	{
		SpmRuleCircle against = *circle_of(it, outer, i);
		bool		is_inside = false;

		/* what is apart from all that is not let through */
		against.is_negated = !against.is_negated;
		for (uint32_t j = 0; j < ncircles_of(it, inner) && !is_inside; j++)
			is_inside = circles_apart(circle_of(it, inner, j), &against);
		if (!is_inside)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------- all of it */

bool
spmk_book_boxes(SpmBookBoxes *it, const SpmRulebook *book, const uint8_t *const *is_void,
				const bool *is_never_null, const SpmRuleMemory *memory)
{
	uint32_t	nd = book->ndims;
	uint64_t	most_spans = 0;
	int32_t	  **first = NEW(memory, nd, int32_t *);
	int32_t    *nclasses = NEW(memory, nd, int32_t);
	uint32_t   *order = NEW(memory, book->nplaces, uint32_t);
	int32_t    *starts;
	SpmSpan    *spans;
	int32_t		nspans = 0;
	int			n = 0;

	memset(it, 0, sizeof(*it));
	it->book = book;
	it->classes = NEW(memory, nd, SpmBookClass *);
	it->rest = NEW(memory, nd, int32_t *);
	it->named = NEW(memory, nd, int32_t *);
	for (uint32_t d = 0; d < nd; d++)
	{
		first[d] = NEW(memory, book->dims[d].nclasses + 1, int32_t);
		nclasses[d] = number_classes(it, d, is_void ? is_void[d] : NULL, is_never_null && is_never_null[d], first[d], memory);
	}
	for (uint32_t p = 0; p < book->nplaces; p++)
	{
		const SpmRuleBox *box = &book->boxes[p];

		for (uint32_t s = 0; s < box->nsets; s++)
			most_spans += book->sets[box->first_set + s].nranges;
		if (box->posted_dim != SPM_RULE_NONE)
			most_spans += box->nposted;
	}
	if (most_spans > INT32_MAX || (uint64_t) book->nplaces * nd >= INT32_MAX)
		return false;

	it->box = NEW(memory, book->nplaces, SpmBox);
	it->places = NEW(memory, book->nplaces, uint32_t);
	it->never = NEW(memory, book->nplaces, uint32_t);
	starts = NEW(memory, (size_t) book->nplaces * nd + 1, int32_t);
	spans = NEW(memory, most_spans, SpmSpan);
	it->boxes = (SpmBoxes) {nd, nclasses, 0, it->box, starts, spans, &it->parts};
	it->parts = (SpmParts) {boxes_apart, box_contains, it};
	order_places(book, order, memory);
	for (uint32_t o = 0; o < book->nplaces; o++)
	{
		const SpmRuleBox *box = &book->boxes[order[o]];
		const SpmRuleSet *set = book->sets + box->first_set;
		const SpmRuleSet *end = set + box->nsets;
		bool		is_met = true;
		int32_t		mark = nspans;

		for (uint32_t d = 0; d < nd && is_met; d++)
		{
			while (set < end && set->dim < d)
				set++;
			starts[(size_t) n * nd + d] = nspans;
			is_met = nclasses[d] > 0 && add_spans(it, box, d, set < end && set->dim == d ? set : NULL, first[d], spans, &nspans);
		}
		if (!is_met)
		{
			nspans = mark;
			it->never[it->nnever++] = order[o];
			continue;
		}
		it->box[n] = (SpmBox) {
			.rule = n == 0 ? 0 : it->box[n - 1].rule + (book->boxes[it->places[n - 1]].rule != box->rule),
			.type = box->type, .is_partial = box->ncircles > 0
		};
		it->places[n++] = order[o];
	}
	starts[(size_t) n * nd] = nspans;
	it->boxes.nboxes = n;
	return true;
}

bool
spmk_book_point(const SpmBookBoxes *it, const SpmRuleValue *values, int32_t *point)
{
	for (uint32_t d = 0; d < it->book->ndims; d++)
	{
		const SpmRuleDim *dim = &it->book->dims[d];
		uint32_t	class = values[d].is_null ? 0 : dim->class_of ? dim->class_of[spmk_rule_piece(dim, &values[d])] : 1;
		uint32_t	lo = 0;
		uint32_t	hi = values[d].is_null || values[d].is_beyond ? 0 : dim->nposted;

		point[d] = it->rest[d][class];
		while (lo < hi)
		{
			uint32_t	middle = lo + (hi - lo) / 2;
			int			order = spmk_rule_key_compare(dim->order, &dim->posted[middle].key, &values[d].key);

			if (order == 0)
			{
				point[d] = it->named[d][middle];
				break;
			}
			if (order < 0)
				lo = middle + 1;
			else
				hi = middle;
		}
		if (point[d] < 0)
			return false;
	}
	return true;
}
