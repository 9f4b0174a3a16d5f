/*
 * rulebook_compile.h
 *	  Between the two halves of the compiler: conditions to pieces, pieces to rows.
 */
#ifndef SPMK_RULEBOOK_COMPILE_H
#define SPMK_RULEBOOK_COMPILE_H

#include "rulebook.h"

#define SPM_BREATH_EVERY	256		/* pieces, conditions, boxes */

/* Pieces from 'first' to 'last'. */
typedef SpmRuleRange Pieces;

/* Of a condition. */
typedef struct Cut
{
	uint32_t	first;			/* in 'pieces' */
	uint32_t	n;
	bool		is_name;		/* a list of single values, and nobody else lists most of them */
	bool		is_needed;		/* by a box that is not posted by it */
} Cut;

typedef struct Compiler
{
	SpmRulebook *book;
	const SpmRuleSource *source;
	const SpmRuleMemory *kept;
	const SpmRuleMemory *scratch;
	const SpmBreath *breath;
	Cut		   *cuts;			/* by condition */
	Pieces	   *pieces;
	uint32_t   *posted_by;		/* condition that posts a box, by its rank */
	uint32_t   *place_of;		/* rank */
	Pieces	   *set_pieces;		/* by range, until classes are known */
	bool	   *set_nulls;		/* by set */
	/* the row that is being made */
	uint64_t   *bits;
	uint32_t   *line_ids;
	bool	   *is_changed;		/* line */
	uint32_t   *changed;
	uint32_t	nchanged;
	uint64_t	hash;			/* of line_ids, by place: what changes is taken out and put in */
	/* all lines and rows, once each */
	uint64_t   *lines;
	uint32_t	line_room;
	uint32_t   *line_slots;
	uint32_t	nline_slots;
	char	   *rows;
	uint64_t   *row_hashes;
	uint32_t	row_room;
	uint32_t   *row_slots;
	uint32_t	nrow_slots;
} Compiler;

static inline void *
spmk_rule_take(const SpmRuleMemory *memory, uint64_t n, size_t size)
{
	return memory->get(memory->arg, (size_t) (n > 0 ? n : 1) * size);
}

#define NEW(memory, n, type) ((type *) spmk_rule_take(memory, n, sizeof(type)))

extern void spmk_rule_make_rows(Compiler *c);

#endif
