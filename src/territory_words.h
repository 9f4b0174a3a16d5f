/*
 * territory_words.h
 *	  Sets of classes of a book of rules, in words and as conditions of a rule.
 */
#ifndef SPM_TERRITORY_WORDS_H
#define SPM_TERRITORY_WORDS_H

#include "lib/stringinfo.h"

#include "kernel/rulecheck_book.h"
#include "territory_book.h"

/* What can be in a dimension of numbers: multiples of step from lowest to highest.  Step 0: all there is between. */
typedef struct Domain
{
	int64		lowest;
	int64		highest;
	int64		step;
} Domain;

/* Of each dimension. */
typedef struct BookLimits
{
	Domain	   *domains;
	uint8	  **is_void;		/* pieces that nothing can be in; NULL: none is */
	bool	   *is_never_null;
} BookLimits;

extern BookLimits spm_book_limits(const TerritoryBook *book, Oid accounts);
extern void spm_book_words(const TerritoryBook *book, const SpmBookBoxes *them, const BookLimits *limits,
						   const uint8 *classes, char **words, char **conditions);

#endif
