/*
 * rulecheck.h
 *	  What can be proven of a book of rules without any data: which rules
 *	  overlap, which never win, and what none of them covers.
 *
 * A rule is one box or several.  A box says of each attribute which classes it
 * takes; classes are the pieces into which all rules together cut what an
 * attribute can be, so that a rule takes a class as a whole or not at all.
 */
#ifndef SPMK_RULECHECK_H
#define SPMK_RULECHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "solve.h"

/* Classes first to last, both included. */
typedef struct SpmSpan
{
	int32_t		first;
	int32_t		last;
} SpmSpan;

typedef struct SpmBox
{
	int32_t		rule;			/* rank, ascending; the boxes of a rule stand together */
	int32_t		type;			/* rules of different types never compete */
	int32_t		territory;
	int32_t		tie;			/* equal where nobody said which goes first; ascending */
	int32_t		even;			/* equal where they are as narrow, too; ascending */
	bool		is_partial;
} SpmBox;

/*
 * What spans cannot say of a box with is_partial: it is only a part of them (a
 * circle in its square).
 */
typedef struct SpmParts
{
	bool		(*apart) (void *arg, int box, int other);	/* certainly */
	bool		(*contains) (void *arg, int outer, int inner);	/* where its spans do: certainly */
	void	   *arg;
} SpmParts;

typedef struct SpmBoxes
{
	int			nattributes;
	const int32_t *nclasses;	/* of each attribute */
	int			nboxes;
	const SpmBox *boxes;
	const int32_t *starts;		/* nboxes * nattributes + 1, into spans */
	const SpmSpan *spans;		/* ascending and apart; none: any class */
	const SpmParts *parts;		/* NULL: no box is partial */
} SpmBoxes;

/* Memory that the caller gives, taken from its beginning on. */
typedef struct SpmRoom
{
	char	   *bytes;			/* aligned to 16 bytes */
	size_t		size;
	size_t		used;
} SpmRoom;

typedef enum SpmFate
{
	SPM_FATE_WINS,				/* somewhere */
	SPM_FATE_HIDDEN_BY_ONE,		/* every point of it is in one rule before it */
	SPM_FATE_HIDDEN_BY_MANY,	/* in several together */
	SPM_FATE_UNKNOWN			/* the budget is spent, or circles are in the way */
} SpmFate;

typedef struct SpmRuleIndex SpmRuleIndex;

/* How much room index and searches need at most. */
extern size_t spmk_rulecheck_room(const SpmBoxes *boxes);

/* NULL: there is less room than that. */
extern SpmRuleIndex *spmk_rule_index(const SpmBoxes *boxes, SpmRoom *room);

/*
 * Calls found for pairs of boxes, one for each pair of rules, that overlap with
 * equal tie and type and different territories: first those that are even, then
 * those that the narrower wins.  Stops when found says false.
 */
typedef bool (*SpmPairFound) (void *arg, int box, int other);
extern void spmk_rule_conflicts(SpmRuleIndex *index, const SpmBreath *breath, SpmPairFound found, void *arg);

/*
 * The fate of a rule, given as its boxes first to last, after at most "budget"
 * looks at a box.  Of a hidden one, by (with room for one a rule) tells the
 * ranks of those that hide it.
 */
extern SpmFate spmk_rule_fate(SpmRuleIndex *index, int first, int last, int64_t budget,
							  const SpmBreath *breath, int32_t *by, int *nby);

/*
 * Where gaps are looked for: rules of one type, in some classes of each
 * attribute.  A set of classes of all attributes is an array of flags, those of
 * attribute a after those of the attributes before it.
 */
typedef struct SpmGapQuestion
{
	int			type;
	bool		is_outside_parts;	/* leave out rules that are partial, else count them as whole */
	const uint8_t *within;
	const int32_t *order;		/* of attributes: what is widened first */
} SpmGapQuestion;

typedef struct SpmGapAnswer
{
	bool		(*is_known) (void *arg, const uint8_t *classes);	/* inside of one that was found */
	bool		(*found) (void *arg, const uint8_t *classes);	/* false: no more are wanted */
	void	   *arg;
} SpmGapAnswer;

/*
 * Tells boxes that no rule meets, as wide as they can be; together they are all
 * there is, and may overlap.  False: the budget is spent or no more are wanted.
 */
extern bool spmk_rule_gaps(SpmRuleIndex *index, const SpmGapQuestion *question, int64_t budget,
						   const SpmBreath *breath, const SpmGapAnswer *answer);

/* The widest gap around a point, a class of each attribute; false: a rule meets it, or there is no room. */
extern bool spmk_rule_gap_at(SpmRuleIndex *index, const SpmGapQuestion *question, const int32_t *point, uint8_t *classes);

#endif
