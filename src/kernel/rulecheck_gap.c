/*
 * rulecheck_gap.c
 *	  What no rule covers, told as few wide boxes rather than many small ones.
 */
#include <string.h>

#include "rulecheck_index.h"

/* What widening looks at: of each attribute, how many classes of the gap are before each. */
typedef struct Widening
{
	SpmRuleIndex *index;
	const SpmGapQuestion *question;
	size_t	   *offsets;		/* of an attribute's flags */
	int32_t   **counts;
	int32_t    *depth;			/* of boxes over the classes of one attribute */
	int32_t    *nmissed;		/* attributes in which a box does not meet the gap */
} Widening;

static bool
begin(Widening *w, SpmRuleIndex *index, const SpmGapQuestion *question)
{
	const SpmBoxes *boxes = index->boxes;
	int32_t		most = 0;
	size_t		offset = 0;

	w->index = index;
	w->question = question;
	w->offsets = spmk_room_take(index->room, boxes->nattributes, sizeof(size_t));
	w->counts = spmk_room_take(index->room, boxes->nattributes, sizeof(int32_t *));
	w->nmissed = spmk_room_take(index->room, boxes->nboxes, sizeof(int32_t));
	if (!w->offsets || !w->counts || !w->nmissed)
		return false;
	for (int a = 0; a < boxes->nattributes; a++)
	{
		w->offsets[a] = offset;
		offset += boxes->nclasses[a];
		if (boxes->nclasses[a] > most)
			most = boxes->nclasses[a];
		if (!(w->counts[a] = spmk_room_take(index->room, boxes->nclasses[a] + 1, sizeof(int32_t))))
			return false;
	}
	return (w->depth = spmk_room_take(index->room, most + 1, sizeof(int32_t))) != NULL;
}

static inline bool
is_asked_about(const Widening *w, int box)
{
	const SpmBox *b = &w->index->boxes->boxes[box];

	return b->type == w->question->type && !(b->is_partial && w->question->is_outside_parts);
}

static bool
misses(const Widening *w, int box, int a)
{
	const SpmSpan *spans = spmk_box_spans(w->index->boxes, box, a);
	int			n = spmk_box_nspans(w->index->boxes, box, a);

	for (int s = 0; s < n; s++)
	{
		if (w->counts[a][spans[s].last + 1] > w->counts[a][spans[s].first])
			return false;
	}
	return n > 0;
}

static void
count(Widening *w, int a, const uint8_t *flags)
{
	w->counts[a][0] = 0;
	for (int32_t c = 0; c < w->index->boxes->nclasses[a]; c++)
		w->counts[a][c + 1] = w->counts[a][c] + flags[c];
}

/*
 * Widens a box that no rule meets, attribute by attribute, to all classes that
 * keep it so.  False: a rule meets it.
 */
static bool
widen(Widening *w, uint8_t *classes)
{
	const SpmBoxes *boxes = w->index->boxes;

	for (int a = 0; a < boxes->nattributes; a++)
		count(w, a, classes + w->offsets[a]);
	for (int b = 0; b < boxes->nboxes; b++)
	{
		w->nmissed[b] = 0;
		for (int a = 0; a < boxes->nattributes; a++)
			w->nmissed[b] += misses(w, b, a);
		if (w->nmissed[b] == 0 && is_asked_about(w, b))
			return false;
	}
	for (int o = 0; o < boxes->nattributes; o++)
	{
		int			a = w->question->order[o];
		uint8_t    *flags = classes + w->offsets[a];

		/* Rules that only this attribute keeps out bar their classes. */
		memset(w->depth, 0, (boxes->nclasses[a] + 1) * sizeof(int32_t));
		for (int b = 0; b < boxes->nboxes; b++)
		{
			const SpmSpan *spans = spmk_box_spans(boxes, b, a);

			if (w->nmissed[b] == 0 || !misses(w, b, a))
				continue;
			if (w->nmissed[b] > 1 || !is_asked_about(w, b))
			{
				/* It may be met in this attribute once that is widened. */
				w->nmissed[b] = -w->nmissed[b];
				continue;
			}
			for (int s = 0; s < spmk_box_nspans(boxes, b, a); s++)
			{
				w->depth[spans[s].first]++;
				w->depth[spans[s].last + 1]--;
			}
		}
		for (int32_t c = 0, bars = 0; c < boxes->nclasses[a]; c++)
		{
			bars += w->depth[c];
			flags[c] = bars == 0 && w->question->within[w->offsets[a] + c];
		}
		count(w, a, flags);
		for (int b = 0; b < boxes->nboxes; b++)
		{
			if (w->nmissed[b] < 0)
				w->nmissed[b] = -w->nmissed[b] - !misses(w, b, a);
		}
	}
	return true;
}

bool
spmk_rule_gap_at(SpmRuleIndex *index, const SpmGapQuestion *question, const int32_t *point, uint8_t *classes)
{
	size_t		mark = index->room->used;
	Widening	w;
	bool		is_gap = begin(&w, index, question);

	if (is_gap)
	{
		for (int a = 0; a < index->boxes->nattributes; a++)
		{
			memset(classes + w.offsets[a], 0, index->boxes->nclasses[a]);
			classes[w.offsets[a] + point[a]] = 1;
		}
		is_gap = widen(&w, classes);
	}
	index->room->used = mark;
	return is_gap;
}

/* ------------------------------------------------------------------- all of them */

typedef struct Sweep
{
	Widening	w;
	const SpmGapAnswer *answer;
	uint8_t    *classes;
} Sweep;

/* A space that no rule meets, in pieces. */
static bool
sweep_found(SpmSearch *search, int32_t *const *space)
{
	Sweep	   *sweep = search->arg;
	const SpmBoxes *boxes = search->boxes;

	for (int a = 0; a < boxes->nattributes; a++)
	{
		const SpmPieces *pieces = &search->pieces[a];

		memset(sweep->classes + sweep->w.offsets[a], 0, boxes->nclasses[a]);
		for (int p = 0; p < pieces->n; p++)
		{
			if (space[a][p + 1] > space[a][p])
				memset(sweep->classes + sweep->w.offsets[a] + pieces->first[p], 1, pieces->first[p + 1] - pieces->first[p]);
		}
	}
	if (sweep->answer->is_known(sweep->answer->arg, sweep->classes))
		return true;
	search->budget -= boxes->nboxes;
	return !widen(&sweep->w, sweep->classes) || sweep->answer->found(sweep->answer->arg, sweep->classes);
}

bool
spmk_rule_gaps(SpmRuleIndex *index, const SpmGapQuestion *question, int64_t budget,
			   const SpmBreath *breath, const SpmGapAnswer *answer)
{
	const SpmBoxes *boxes = index->boxes;
	int			na = boxes->nattributes;
	size_t		mark = index->room->used;
	Sweep		sweep = {.answer = answer};
	SpmSearch	search = {boxes, index->room, breath, budget, .found = sweep_found, .arg = &sweep};
	const SpmSpan **domains = spmk_room_take(index->room, na, sizeof(SpmSpan *));
	int		   *ndomains = spmk_room_take(index->room, na, sizeof(int));
	bool		is_empty = false;
	bool		is_all = false;

	search.ids = spmk_room_take(index->room, boxes->nboxes, sizeof(int32_t));
	if (!domains || !ndomains || !search.ids || !begin(&sweep.w, index, question))
		goto done;
	sweep.classes = spmk_room_take(index->room, sweep.w.offsets[na - 1] + boxes->nclasses[na - 1], 1);
	if (!sweep.classes)
		goto done;
	for (int a = 0; a < na; a++)
	{
		const uint8_t *flags = question->within + sweep.w.offsets[a];
		SpmSpan    *domain = spmk_room_take(index->room, boxes->nclasses[a] / 2 + 1, sizeof(SpmSpan));

		if (!domain)
			goto done;
		domains[a] = domain;
		ndomains[a] = 0;
		count(&sweep.w, a, flags);
		for (int32_t c = 0; c < boxes->nclasses[a]; c++)
		{
			if (!flags[c])
				continue;
			if (c > 0 && flags[c - 1])
				domain[ndomains[a] - 1].last = c;
			else
				domain[ndomains[a]++] = (SpmSpan) {c, c};
		}
		is_empty |= ndomains[a] == 0;
	}
	if (is_empty)
	{
		is_all = true;
		goto done;
	}
	for (int b = 0; b < boxes->nboxes; b++)
	{
		bool		is_met = is_asked_about(&sweep.w, b);

		for (int a = 0; a < na && is_met; a++)
			is_met = !misses(&sweep.w, b, a);
		if (is_met)
			search.ids[search.n++] = b;
	}
	is_all = spmk_search(&search, domains, ndomains) <= SPM_SEARCH_LOOKED;
done:
	index->room->used = mark;
	return is_all;
}
