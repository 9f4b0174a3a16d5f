/*
 * rulecheck_search.c
 *	  Points that no rule of some meets: does a rule ever win, what is uncovered?
 *
 * Both ask whether boxes cover a space.  The search drops boxes that do not
 * touch the space, is done where one contains it, and takes away what a box
 * bars that asks a single attribute more; what then is left is divided by the
 * attribute that most boxes ask, into sets of classes that the same boxes
 * accept.  At most one division an attribute is ever open.  Deciding this is
 * NP-hard in general, so every look at a box is paid from a budget.
 */
#include <string.h>

#include "rulecheck_index.h"

/*
 * A space: of each attribute, how many of its pieces are before piece p, for p
 * from 0 to n.  A span of a box then has counts[last + 1] - counts[first].
 */
static inline int32_t
count_in(const SpmSearch *search, int32_t *const *space, int box, int a, bool *is_asked)
{
	const int32_t *start = search->starts + (size_t) box * search->boxes->nattributes + a;
	int32_t		count = 0;

	*is_asked = start[1] > start[0];
	for (int32_t s = start[0]; s < start[1]; s++)
		count += space[a][search->spans[s].last + 1] - space[a][search->spans[s].first];
	return count;
}

/* Adds 1 to depth where a box has a piece; sums are taken later. */
static void
add_spans(const SpmSearch *search, int box, int a, int32_t *depth)
{
	const int32_t *start = search->starts + (size_t) box * search->boxes->nattributes + a;

	for (int32_t s = start[0]; s < start[1]; s++)
	{
		depth[search->spans[s].first]++;
		depth[search->spans[s].last + 1]--;
	}
}

/* Takes boxes away that ask only attribute a of a space: "counts" of it becomes "left", which may be the same. */
static bool
take_away(SpmSearch *search, const int32_t *counts, int32_t *left, int a, const int32_t *units, const int32_t *asked, int nunits)
{
	int			n = search->pieces[a].n;
	size_t		mark = search->room->used;
	int32_t    *depth = spmk_room_take(search->room, n + 1, sizeof(int32_t));
	int32_t		before = 0;

	if (!depth)
		return false;
	memset(depth, 0, (n + 1) * sizeof(int32_t));
	for (int u = 0; u < nunits; u++)
	{
		if (asked[u] == a)
			add_spans(search, units[u], a, depth);
	}
	left[0] = 0;
	for (int p = 0, covers = 0; p < n; p++)
	{
		int32_t		own = counts[p + 1] - before;

		before = counts[p + 1];
		covers += depth[p];
		left[p + 1] = left[p] + (covers == 0 ? own : 0);
	}
	search->room->used = mark;
	return true;
}

/* A piece, and which boxes have it: equal marks, equal boxes (or a division more). */
typedef struct Part
{
	uint64_t	mark;
	int32_t		nboxes;
	int32_t		piece;
} Part;

static inline bool
part_before(const Part *a, const Part *b)
{
	if (a->nboxes != b->nboxes)
		return a->nboxes < b->nboxes;
	if (a->mark != b->mark)
		return a->mark < b->mark;
	return a->piece < b->piece;
}

/* Heap sort: in place, and never slow. */
static void
sort_parts(Part *parts, int n)
{
	for (int end = n, start = n / 2; end > 1;)
	{
		int			root;
		Part		part;

		if (start > 0)
			part = parts[root = --start];
		else
		{
			part = parts[--end];
			parts[end] = parts[0];
			root = 0;
		}
		for (int child; (child = 2 * root + 1) < end; root = child)
		{
			if (child + 1 < end && part_before(&parts[child], &parts[child + 1]))
				child++;
			if (!part_before(&part, &parts[child]))
				break;
			parts[root] = parts[child];
		}
		parts[root] = part;
	}
}

static SpmSearched search_space(SpmSearch *search, int32_t *const *space, const int32_t *live, int nlive);

/* SpmSearch the parts of a space into which the live boxes divide attribute a, those of the fewest boxes first. */
static SpmSearched
divide(SpmSearch *search, int32_t **space, int a, const int32_t *live, int nlive)
{
	int			n = search->pieces[a].n;
	int			nparts = 0;
	int32_t    *whole = space[a];
	int32_t    *depth = spmk_room_take(search->room, n + 1, sizeof(int32_t));
	uint64_t   *marks = spmk_room_take(search->room, n + 1, sizeof(uint64_t));
	Part	   *parts = spmk_room_take(search->room, n, sizeof(Part));
	int32_t    *counts = spmk_room_take(search->room, n + 1, sizeof(int32_t));
	SpmSearched		verdict = SPM_SEARCH_COVERED;

	if (!depth || !marks || !parts || !counts)
		return SPM_SEARCH_SPENT;
	memset(depth, 0, (n + 1) * sizeof(int32_t));
	memset(marks, 0, (n + 1) * sizeof(uint64_t));
	for (int i = 0; i < nlive; i++)
	{
		const int32_t *start = search->starts + (size_t) live[i] * search->boxes->nattributes + a;
		SpmChance	chance = {live[i]};
		uint64_t	mark = spmk_chance_next(&chance);

		add_spans(search, live[i], a, depth);
		for (int32_t s = start[0]; s < start[1]; s++)
		{
			marks[search->spans[s].first] += mark;
			marks[search->spans[s].last + 1] -= mark;
		}
	}
	for (int p = 0; p < n; p++)
	{
		if (p > 0)
		{
			depth[p] += depth[p - 1];
			marks[p] += marks[p - 1];
		}
		if (whole[p + 1] > whole[p])
			parts[nparts++] = (Part) {marks[p], depth[p], p};
	}
	sort_parts(parts, nparts);

	space[a] = counts;
	for (int from = 0, to; from < nparts; from = to)
	{
		SpmSearched		part;

		memset(counts, 0, (n + 1) * sizeof(int32_t));
		for (to = from; to < nparts && parts[to].mark == parts[from].mark && parts[to].nboxes == parts[from].nboxes; to++)
			counts[parts[to].piece + 1] = 1;
		for (int p = 0; p < n; p++)
			counts[p + 1] += counts[p];
		part = search_space(search, space, live, nlive);
		if (part == SPM_SEARCH_STOPPED || part == SPM_SEARCH_SPENT)
		{
			verdict = part;
			break;
		}
		if (part == SPM_SEARCH_LOOKED)
			verdict = SPM_SEARCH_LOOKED;

		/* Of any other part some box more than these has a piece: it is covered if this one is. */
		if (search->is_any_enough && parts[from].nboxes == 0)
			break;
	}
	space[a] = whole;
	return verdict;
}

static SpmSearched
search_space_in_room(SpmSearch *search, int32_t **space, int32_t *live, int nlive)
{
	int			na = search->boxes->nattributes;
	int32_t    *units = spmk_room_take(search->room, nlive, sizeof(int32_t));
	int32_t    *unit_attributes = spmk_room_take(search->room, nlive, sizeof(int32_t));
	int32_t    *asks = spmk_room_take(search->room, na, sizeof(int32_t));
	uint8_t    *is_own = spmk_room_take(search->room, na, 1);	/* counts that may be changed */
	int			best = 0;

	if (!units || !unit_attributes || !asks || !is_own)
		return SPM_SEARCH_SPENT;
	memset(is_own, 0, na);
	for (;;)
	{
		int			kept = 0;
		int			nunits = 0;

		spmk_breathe(search->breath);
		if ((search->budget -= nlive + 1) < 0)
			return SPM_SEARCH_SPENT;
		memset(asks, 0, na * sizeof(int32_t));
		for (int i = 0; i < nlive; i++)
		{
			int			nasked = 0;
			int			only = 0;
			bool		is_met = true;

			for (int a = 0; a < na && is_met; a++)
			{
				bool		is_asked;
				int32_t		count = count_in(search, space, live[i], a, &is_asked);

				if (is_asked && count < space[a][search->pieces[a].n])
				{
					is_met = count > 0;
					nasked++;
					only = a;
				}
			}
			if (!is_met)
				continue;
			if (nasked == 0)
			{
				search->used[live[i]] = 1;
				return SPM_SEARCH_COVERED;
			}
			if (nasked == 1)
			{
				units[nunits] = live[i];
				unit_attributes[nunits++] = only;
				asks[only] = 1;
				search->used[live[i]] = 1;
				continue;
			}
			live[kept++] = live[i];
		}
		nlive = kept;
		if (nunits == 0)
			break;
		for (int a = 0; a < na; a++)
		{
			int32_t    *left = space[a];

			if (!asks[a])
				continue;
			if (!is_own[a])
				left = spmk_room_take(search->room, search->pieces[a].n + 1, sizeof(int32_t));
			if (!left || !take_away(search, space[a], left, a, units, unit_attributes, nunits))
				return SPM_SEARCH_SPENT;
			space[a] = left;
			is_own[a] = 1;
			if (left[search->pieces[a].n] == 0)
				return SPM_SEARCH_COVERED;
		}
	}
	if (nlive == 0)
		return search->found(search, space) ? SPM_SEARCH_LOOKED : SPM_SEARCH_STOPPED;

	memset(asks, 0, na * sizeof(int32_t));
	for (int i = 0; i < nlive; i++)
	{
		for (int a = 0; a < na; a++)
		{
			bool		is_asked;
			int32_t		count = count_in(search, space, live[i], a, &is_asked);

			asks[a] += is_asked && count < space[a][search->pieces[a].n];
		}
	}
	for (int a = 1; a < na; a++)
	{
		if (asks[a] > asks[best])
			best = a;
	}
	return divide(search, space, best, live, nlive);
}

static SpmSearched
search_space(SpmSearch *search, int32_t *const *space, const int32_t *live, int nlive)
{
	int			na = search->boxes->nattributes;
	size_t		mark = search->room->used;
	int32_t   **own_space = spmk_room_take(search->room, na, sizeof(int32_t *));
	int32_t    *own_live = spmk_room_take(search->room, nlive, sizeof(int32_t));
	SpmSearched		verdict = SPM_SEARCH_SPENT;

	if (own_space && own_live)
	{
		memcpy(own_space, space, na * sizeof(int32_t *));
		memcpy(own_live, live, nlive * sizeof(int32_t));
		verdict = search_space_in_room(search, own_space, own_live, nlive);
	}
	search->room->used = mark;
	return verdict;
}

/* --------------------------------------------------------- the space of a search */

/* Bits of positions in 0 .. nclasses, and how many are set before each word. */
typedef struct Cuts
{
	int			nwords;
	uint64_t   *bits;
	int32_t    *before;
} Cuts;

static inline void
cut(Cuts *cuts, int32_t position)
{
	cuts->bits[position / 64] |= UINT64_C(1) << (position % 64);
}

/* Which piece begins at a cut. */
static inline int32_t
piece_at(const Cuts *cuts, int32_t position)
{
	return cuts->before[position / 64] +
		__builtin_popcountll(cuts->bits[position / 64] & ((UINT64_C(1) << (position % 64)) - 1));
}

/*
 * Cuts attribute a of a space (its spans) by the boxes, and gives their spans in
 * pieces.  search->ids are the boxes; starts of this attribute are counted here.
 */
static int32_t *
cut_attribute(SpmSearch *search, int a, const SpmSpan *domain, int ndomain, Cuts *cuts)
{
	const SpmBoxes *boxes = search->boxes;
	SpmPieces	   *pieces = &search->pieces[a];
	int			nwords = boxes->nclasses[a] / 64 + 1;
	int32_t    *counts;

	cuts->nwords = nwords;
	cuts->bits = spmk_room_take(search->room, nwords, sizeof(uint64_t));
	cuts->before = spmk_room_take(search->room, nwords, sizeof(int32_t));
	if (!cuts->bits || !cuts->before)
		return NULL;
	memset(cuts->bits, 0, nwords * sizeof(uint64_t));
	for (int d = 0; d < ndomain; d++)
	{
		cut(cuts, domain[d].first);
		cut(cuts, domain[d].last + 1);
	}
	for (int i = 0; i < search->n; i++)
	{
		const SpmSpan *spans = spmk_box_spans(boxes, search->ids[i], a);
		int			n = spmk_box_nspans(boxes, search->ids[i], a);

		for (int s = 0, d = 0; s < n && d < ndomain;)
		{
			if (spans[s].last >= domain[d].first && domain[d].last >= spans[s].first)
			{
				if (spans[s].first > domain[d].first)
					cut(cuts, spans[s].first);
				if (spans[s].last < domain[d].last)
					cut(cuts, spans[s].last + 1);
			}
			if (spans[s].last < domain[d].last)
				s++;
			else
				d++;
		}
	}
	pieces->n = -1;
	for (int w = 0; w < nwords; w++)
	{
		cuts->before[w] = pieces->n + 1;
		pieces->n += __builtin_popcountll(cuts->bits[w]);
	}
	pieces->first = spmk_room_take(search->room, pieces->n + 1, sizeof(int32_t));
	counts = spmk_room_take(search->room, pieces->n + 1, sizeof(int32_t));
	if (!pieces->first || !counts)
		return NULL;
	for (int w = 0, p = 0; w < nwords; w++)
	{
		for (uint64_t left = cuts->bits[w]; left; left &= left - 1)
			pieces->first[p++] = w * 64 + __builtin_ctzll(left);
	}
	counts[0] = 0;
	for (int p = 0, d = 0; p < pieces->n; p++)
	{
		while (d < ndomain && domain[d].last < pieces->first[p])
			d++;
		counts[p + 1] = counts[p] + (d < ndomain && domain[d].first <= pieces->first[p]);
	}
	return counts;
}

/* The spans of a box inside of a domain, in pieces (NULL: not wanted); returns how many. */
static int
spans_in_pieces(const SpmSpan *spans, int n, const SpmSpan *domain, int ndomain, const Cuts *cuts, SpmSpan *out)
{
	int			nout = 0;

	for (int s = 0, d = 0; s < n && d < ndomain;)
	{
		int32_t		first = spans[s].first > domain[d].first ? spans[s].first : domain[d].first;
		int32_t		last = spans[s].last < domain[d].last ? spans[s].last : domain[d].last;

		if (first <= last)
		{
			if (out)
				out[nout] = (SpmSpan) {piece_at(cuts, first), piece_at(cuts, last + 1) - 1};
			nout++;
		}
		if (spans[s].last < domain[d].last)
			s++;
		else
			d++;
	}
	return nout;
}

/*
 * Sets a search up over a space, given as spans of each attribute; boxes that do
 * not touch it must have been left out.  NULL: no room.
 */
static int32_t **
begin_search(SpmSearch *search, const SpmSpan *const *domains, const int *ndomains)
{
	const SpmBoxes *boxes = search->boxes;
	int			na = boxes->nattributes;
	int32_t   **space = spmk_room_take(search->room, na, sizeof(int32_t *));
	Cuts	   *cuts = spmk_room_take(search->room, na, sizeof(Cuts));
	size_t		nspans = 0;

	search->pieces = spmk_room_take(search->room, na, sizeof(SpmPieces));
	search->starts = spmk_room_take(search->room, (size_t) search->n * na + 1, sizeof(int32_t));
	search->used = spmk_room_take(search->room, search->n, 1);
	if (!space || !cuts || !search->pieces || !search->starts || !search->used)
		return NULL;
	memset(search->used, 0, search->n);
	for (int a = 0; a < na; a++)
	{
		if (!(space[a] = cut_attribute(search, a, domains[a], ndomains[a], &cuts[a])))
			return NULL;
		for (int i = 0; i < search->n; i++)
		{
			int			n = spmk_box_nspans(boxes, search->ids[i], a);

			nspans += spans_in_pieces(spmk_box_spans(boxes, search->ids[i], a), n, domains[a], ndomains[a], NULL, NULL);
		}
	}
	search->spans = spmk_room_take(search->room, nspans, sizeof(SpmSpan));
	if (!search->spans)
		return NULL;
	nspans = 0;
	for (int i = 0; i < search->n; i++)
	{
		for (int a = 0; a < na; a++)
		{
			search->starts[i * na + a] = nspans;
			nspans += spans_in_pieces(spmk_box_spans(boxes, search->ids[i], a), spmk_box_nspans(boxes, search->ids[i], a),
									  domains[a], ndomains[a], &cuts[a], search->spans + nspans);
		}
	}
	search->starts[search->n * na] = nspans;
	return space;
}

/* Looks for what the boxes of a search leave uncovered of a space that they all touch, the spans of each attribute. */
SpmSearched
spmk_search(SpmSearch *search, const SpmSpan *const *domains, const int *ndomains)
{
	int32_t   **space = begin_search(search, domains, ndomains);
	int32_t    *live = spmk_room_take(search->room, search->n, sizeof(int32_t));

	if (!space || !live)
		return SPM_SEARCH_SPENT;
	for (int i = 0; i < search->n; i++)
		live[i] = i;
	return search_space(search, space, live, search->n);
}

/* --------------------------------------------------------------- does a rule win */

static bool
stop_at_first(SpmSearch *search, int32_t *const *space)
{
	return false;
}

/*
 * Leaves in index->met the boxes of the type before "first" that can matter for
 * whether a box wins: where the box takes a class that no span has, a point
 * there is met only by boxes that take any.
 */
static void
boxes_before(SpmRuleIndex *index, int box, int first)
{
	const SpmBoxes *boxes = index->boxes;

	spmk_boxes_met(index, box, 0, first);
	for (int a = 0; a < boxes->nattributes; a++)
	{
		const SpmAttributeIndex *at = &index->attributes[a];
		SpmSpan		all = {0, boxes->nclasses[a] - 1};
		int			n = spmk_box_nspans(boxes, box, a);
		const SpmSpan *spans = n ? spmk_box_spans(boxes, box, a) : &all;

		for (int s = 0; s < (n ? n : 1); s++)
		{
			if (at->nfree[spans[s].last + 1] == at->nfree[spans[s].first])
				continue;
			for (int w = 0; w < (first + 63) / 64; w++)
				index->met[w] &= at->any[w];
			break;
		}
	}
}

/*
 * Leaves of the boxes of a search that cover a space only those of rules that
 * the proof needs: without any one of them it would fail.  The last go first.
 */
static void
drop_needless(SpmSearch *search, const SpmSpan *const *domains, const int *ndomains)
{
	const SpmBox *box = search->boxes->boxes;
	int32_t    *all = search->ids;
	int32_t    *fewer = spmk_room_take(search->room, search->n, sizeof(int32_t));
	int			n = 0;

	if (!fewer)
		return;

	/* boxes of a rule stand together */
	for (int first = 0, end; first < search->n; first = end)
	{
		bool		is_used = false;

		for (end = first; end < search->n && box[all[end]].rule == box[all[first]].rule; end++)
			is_used |= search->used[end];
		for (int i = first; i < end && is_used; i++)
			all[n++] = all[i];
	}
	for (int end = n, first; end > 0; end = first)
	{
		size_t		mark = search->room->used;
		SpmSearched searched;

		for (first = end - 1; first > 0 && box[all[first - 1]].rule == box[all[first]].rule; first--)
			;
		memcpy(fewer, all, first * sizeof(int32_t));
		memcpy(fewer + first, all + end, (n - end) * sizeof(int32_t));
		search->ids = fewer;
		search->n = n - (end - first);
		searched = spmk_search(search, domains, ndomains);
		search->room->used = mark;
		if (searched == SPM_SEARCH_SPENT)
			break;
		if (searched == SPM_SEARCH_COVERED)
		{
			memmove(all + first, all + end, (n - end) * sizeof(int32_t));
			n = search->n;
		}
	}
	search->ids = all;
	search->n = n;
}

/*
 * The fate of one box of a rule whose first is "first".  A partial box before
 * it counts where it certainly contains it; with is_hopeful, as if it were whole.
 */
static SpmFate
box_fate(SpmRuleIndex *index, int box, int first, bool is_hopeful, int64_t *budget,
		 const SpmBreath *breath, uint8_t *hides, bool *is_doubtful)
{
	const SpmBoxes *boxes = index->boxes;
	const SpmParts *parts = boxes->parts;
	int			na = boxes->nattributes;
	SpmSearch		search = {boxes, index->room, breath, *budget, .is_any_enough = true, .found = stop_at_first};
	const SpmSpan **domains = spmk_room_take(index->room, na, sizeof(SpmSpan *));
	int		   *ndomains = spmk_room_take(index->room, na, sizeof(int));
	SpmSpan    *alls = spmk_room_take(index->room, na, sizeof(SpmSpan));
	SpmSearched		verdict;

	search.ids = spmk_room_take(index->room, first, sizeof(int32_t));
	if (!domains || !ndomains || !alls || !search.ids)
		return SPM_FATE_UNKNOWN;
	if (first == 0)
		return SPM_FATE_WINS;
	boxes_before(index, box, first);
	for (int w = 0; w < (first + 63) / 64; w++)
	{
		for (uint64_t left = index->met[w]; left; left &= left - 1)
		{
			int			other = w * 64 + __builtin_ctzll(left);

			if (boxes->boxes[other].type != boxes->boxes[box].type)
				continue;
			if (boxes->boxes[other].is_partial && !parts->contains(parts->arg, other, box))
			{
				*is_doubtful = true;
				if (!is_hopeful)
					continue;
			}
			if (spmk_box_contains(boxes, other, box))
			{
				hides[boxes->boxes[other].rule] = 1;
				return SPM_FATE_HIDDEN_BY_ONE;
			}
			search.ids[search.n++] = other;
		}
	}
	if (search.n == 0)
		return SPM_FATE_WINS;
	for (int a = 0; a < na; a++)
	{
		ndomains[a] = spmk_box_nspans(boxes, box, a);
		domains[a] = spmk_box_spans(boxes, box, a);
		if (ndomains[a] == 0)
		{
			alls[a] = (SpmSpan) {0, boxes->nclasses[a] - 1};
			domains[a] = &alls[a];
			ndomains[a] = 1;
		}
	}
	verdict = spmk_search(&search, domains, ndomains);
	if (verdict == SPM_SEARCH_COVERED)
		drop_needless(&search, domains, ndomains);
	*budget = search.budget;
	if (verdict == SPM_SEARCH_SPENT)
		return SPM_FATE_UNKNOWN;
	if (verdict != SPM_SEARCH_COVERED)
		return SPM_FATE_WINS;
	for (int i = 0; i < search.n; i++)
		hides[boxes->boxes[search.ids[i]].rule] = 1;
	return SPM_FATE_HIDDEN_BY_MANY;
}

SpmFate
spmk_rule_fate(SpmRuleIndex *index, int first, int last, int64_t budget,
			   const SpmBreath *breath, int32_t *by, int *nby)
{
	size_t		mark = index->room->used;
	int			nrules = index->boxes->boxes[first].rule;
	uint8_t    *hides = spmk_room_take(index->room, nrules + 1, 1);
	SpmFate		fate = SPM_FATE_UNKNOWN;

	*nby = 0;
	if (!hides)
		return fate;
	for (int is_hopeful = 0; is_hopeful < 2; is_hopeful++)
	{
		bool		is_doubtful = false;

		memset(hides, 0, nrules + 1);
		for (int b = first; b <= last; b++)
		{
			size_t		inner = index->room->used;

			fate = box_fate(index, b, first, is_hopeful, &budget, breath, hides, &is_doubtful);
			index->room->used = inner;
			if (fate == SPM_FATE_WINS || fate == SPM_FATE_UNKNOWN)
				break;
		}
		if (fate != SPM_FATE_WINS || !is_doubtful)
		{
			if (is_hopeful && fate != SPM_FATE_WINS)
				fate = SPM_FATE_UNKNOWN;
			break;
		}
	}
	if (fate == SPM_FATE_HIDDEN_BY_ONE || fate == SPM_FATE_HIDDEN_BY_MANY)
	{
		for (int r = 0; r < nrules; r++)
		{
			if (hides[r])
				by[(*nby)++] = r;
		}
		fate = *nby == 1 ? SPM_FATE_HIDDEN_BY_ONE : SPM_FATE_HIDDEN_BY_MANY;
	}
	index->room->used = mark;
	return fate;
}
