/*
 * rulecheck_book.h
 *	  A compiled book of rules as boxes of which things can be proven.
 *
 * Its classes are those of the book, but a name that is posted is a class of
 * its own, and classes that nothing can be in are left out.
 */
#ifndef SPMK_RULECHECK_BOOK_H
#define SPMK_RULECHECK_BOOK_H

#include "rulebook.h"
#include "rulecheck.h"

/* One class of a dimension: a class of the book, without its names or one of them. */
typedef struct SpmBookClass
{
	uint32_t	class;
	uint32_t	name;			/* number in posted, or SPM_RULE_NONE */
} SpmBookClass;

typedef struct SpmBookBoxes
{
	const SpmRulebook *book;
	SpmBoxes	boxes;			/* types and rules (runs of boxes of one rule) are set; the rest is the caller's */
	SpmBox	   *box;			/* the same as boxes.boxes */
	uint32_t   *places;			/* of each box, in the book */
	SpmBookClass **classes;		/* of each dimension */
	int32_t	  **rest;			/* class of the book: what is left of it without its names; -1: nothing can be in it */
	int32_t	  **named;			/* number in posted: its class */
	uint32_t	nnever;			/* places of boxes that nothing can meet */
	uint32_t   *never;
	SpmParts	parts;
} SpmBookBoxes;

/*
 * is_void tells of each dimension which pieces nothing can be in, and
 * is_never_null which are never NULL; both may be NULL, and so may is_void[d].
 */
extern bool spmk_book_boxes(SpmBookBoxes *it, const SpmRulebook *book, const uint8_t *const *is_void,
							const bool *is_never_null, const SpmRuleMemory *memory);

/* The class of each dimension in which a record lies; false: in none, it has what nothing can have. */
extern bool spmk_book_point(const SpmBookBoxes *it, const SpmRuleValue *values, int32_t *point);

#endif
