/*
 * rulecheck_index.h
 *	  What the halves of rulecheck share: the index of boxes.
 */
#ifndef SPMK_RULECHECK_INDEX_H
#define SPMK_RULECHECK_INDEX_H

#include "rulecheck.h"

typedef struct SpmEntry
{
	int32_t		first;
	int32_t		last;
	int32_t		highest;		/* last class of any span in the half this is the middle of */
	int32_t		box;
} SpmEntry;

typedef struct SpmAttributeIndex
{
	SpmEntry   *entries;		/* ascending by first */
	int32_t		nentries;
	uint64_t   *any;			/* boxes that take every class */
	int32_t    *nfree;			/* classes before this one that no span has */
	uint64_t   *rows;			/* of few classes: of each, the boxes that take it; else NULL */
} SpmAttributeIndex;

struct SpmRuleIndex
{
	const SpmBoxes *boxes;
	SpmRoom    *room;
	int			nwords;			/* of a set of boxes */
	SpmAttributeIndex *attributes;
	uint64_t   *met;			/* answer of spmk_boxes_met */
	uint64_t   *hits;			/* scratch of it */
	int32_t    *seen;			/* of each rule, whose conflicts it was last told among */
};

/* Pieces of one attribute: classes that none of the boxes looked at tells apart. */
typedef struct SpmPieces
{
	int			n;
	int32_t    *first;			/* class; n + 1 of them */
} SpmPieces;

/* A search for points of a space that no box covers. */
typedef struct SpmSearch
{
	const SpmBoxes *boxes;
	SpmRoom    *room;
	const SpmBreath *breath;
	int64_t		budget;			/* looks at a box */
	bool		is_any_enough;	/* one uncovered point is */
	bool		(*found) (struct SpmSearch *search, int32_t *const *space); /* false: stop */
	void	   *arg;
	int			n;				/* boxes that may cover, all of which touch the space */
	int32_t    *ids;
	int32_t    *starts;			/* n * nattributes + 1, into spans */
	SpmSpan    *spans;			/* of pieces; none: all of the space */
	SpmPieces  *pieces;
	uint8_t    *used;			/* which boxes the proof is made of */
} SpmSearch;

typedef enum SpmSearched
{
	SPM_SEARCH_COVERED,
	SPM_SEARCH_LOOKED,			/* at everything; there was something */
	SPM_SEARCH_STOPPED,			/* found said so */
	SPM_SEARCH_SPENT			/* budget or room */
} SpmSearched;

extern SpmSearched spmk_search(SpmSearch *search, const SpmSpan *const *domains, const int *ndomains);

extern void *spmk_room_take(SpmRoom *room, size_t count, size_t size);
extern void spmk_boxes_met(SpmRuleIndex *index, int box, int from, int to);
extern bool spmk_box_contains(const SpmBoxes *boxes, int outer, int inner);

static inline const SpmSpan *
spmk_box_spans(const SpmBoxes *boxes, int box, int attribute)
{
	return boxes->spans + boxes->starts[box * boxes->nattributes + attribute];
}

/* 0: any class */
static inline int
spmk_box_nspans(const SpmBoxes *boxes, int box, int attribute)
{
	const int32_t *start = boxes->starts + (size_t) box * boxes->nattributes + attribute;

	return start[1] - start[0];
}

#endif
