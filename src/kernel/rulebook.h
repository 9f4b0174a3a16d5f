/*
 * rulebook.h
 *	  Which of many rules a record meets: packet classification by bit vectors
 *	  (Lakshman and Stiliadis 1998; aggregated: Baboescu and Varghese 2001).
 *
 * A rule is a box: for each dimension that it asks, a set of values.  A
 * dimension is one ordered domain, cut into pieces where the sets of the rules
 * begin and end: 'nbounds' values b0 < b1 < ... make the pieces
 *
 *		0: below b0		1: b0 itself	2: between b0 and b1	3: b1 itself ...
 *
 * Pieces that no rule tells apart are one class; classes are numbered in the
 * order of the domain, and class 0 is NULL.  A class knows the rules that
 * accept it as a row of bits, in the order in which rules go.  The first rule
 * that a record meets is the lowest bit of the AND of its classes' rows.  Rows
 * are made of lines of 512 bits, and equal lines and rows are there once.
 *
 * Values that few rules list by name (accounts) would cut a dimension into too
 * many classes.  Rules that ask nothing else of it are posted instead: found by
 * hash, and checked by their bit in the rows of the other dimensions.
 *
 * Circles: a box holds the square around it; the distance is asked of whoever
 * is in the square.
 */
#ifndef SPMK_RULEBOOK_H
#define SPMK_RULEBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "solve.h"

#define SPM_RULE_LINE		8	/* words of a line */
#define SPM_RULE_DIMS		256
#define SPM_RULE_TYPES		8
#define SPM_RULE_NONE		UINT32_MAX
#define SPM_EARTH_KM		6371.0088	/* mean radius, IUGG */

typedef enum SpmRuleOrder
{
	SPM_ORDER_NUMBER,			/* int64 */
	SPM_ORDER_BYTES				/* as memcmp, a beginning before what goes on */
} SpmRuleOrder;

typedef struct SpmRuleKey
{
	int64_t		number;
	const char *bytes;
	uint32_t	length;
} SpmRuleKey;

/* --------------------------------------------------------- what a book is made of */

typedef enum SpmRuleLimits
{
	SPM_FROM_OPEN = 1,			/* without its first value */
	SPM_TO_OPEN = 2,
	SPM_NO_FROM = 4,			/* no limit */
	SPM_NO_TO = 8
} SpmRuleLimits;

typedef struct SpmRuleInterval
{
	SpmRuleKey	from;
	SpmRuleKey	to;				/* equal to 'from', and no flags: one value */
	int			flags;			/* of SpmRuleLimits */
} SpmRuleInterval;

/* One condition: the value lies in one of the intervals. */
typedef struct SpmRuleCondition
{
	uint32_t	dim;
	bool		is_negated;		/* in none of them, and not NULL */
	bool		is_null;		/* is NULL (negated: is not); no intervals */
	uint32_t	first_interval;
	uint32_t	nintervals;
} SpmRuleCondition;

/* Within km of a point; latitude and longitude are two dimensions of numbers made by spmk_rule_from_double(). */
typedef struct SpmRuleCircle
{
	uint32_t	latitude_dim;
	uint32_t	longitude_dim;
	double		latitude;		/* degrees */
	double		longitude;
	double		km;
	bool		is_negated;
} SpmRuleCircle;

/* A box: all of its conditions and circles are met. */
typedef struct SpmRuleInput
{
	uint32_t	rule;			/* the caller's number */
	uint32_t	type;
	uint32_t	first_condition;	/* in 'uses', which are numbers of conditions */
	uint32_t	nconditions;
	uint32_t	first_circle;	/* in 'circle_uses' */
	uint32_t	ncircles;
} SpmRuleInput;

/* Boxes in the order in which they go, the first first. */
typedef struct SpmRuleSource
{
	uint32_t	ndims;
	const SpmRuleOrder *orders; /* of each dimension */
	uint32_t	ntypes;
	uint32_t	nboxes;
	const SpmRuleInput *boxes;
	const uint32_t *uses;
	uint32_t	nconditions;
	const SpmRuleCondition *conditions;
	const SpmRuleInterval *intervals;
	const uint32_t *circle_uses;
	uint32_t	ncircles;
	const SpmRuleCircle *circles;
} SpmRuleSource;

/* Where memory comes from: zeroed, aligned to 64 bytes; it does not come back without (an error). */
typedef struct SpmRuleMemory
{
	void	   *(*get) (void *arg, size_t size);
	void	   *arg;
} SpmRuleMemory;

/* --------------------------------------------------------------------- the book */

/* A value that is listed by name, and the places of the boxes that do. */
typedef struct SpmRulePosted
{
	SpmRuleKey	key;
	uint32_t	first;			/* in 'places' of the dimension, the first to go first */
	uint32_t	n;
	uint32_t	class;			/* in which it lies for the rules that are not posted */
} SpmRulePosted;

typedef struct SpmRuleDim
{
	SpmRuleOrder order;
	bool		is_asked;		/* by any rule: else values of it need not be known */
	uint32_t	nbounds;
	uint64_t   *heads;			/* of each bound: the number, or its first 8 bytes, in an order of uint64 */
	SpmRuleKey *bounds;
	uint64_t	least_head;		/* buckets of heads, by (head - least_head) >> shift */
	int			shift;
	uint32_t	nbuckets;
	uint32_t   *buckets;		/* the first bound of each; one more than buckets */
	uint64_t	nvalues;		/* numbers from the least bound on whose rows are listed; the others are searched */
	uint16_t   *row_of_value;
	uint32_t	npieces;		/* 2 * nbounds + 1 */
	uint32_t   *class_of;		/* piece */
	uint32_t   *row_of_piece;
	uint32_t	nclasses;		/* with class 0 */
	uint32_t   *first_piece;	/* class; of class 0: unused */
	uint32_t   *row_of_class;
	uint32_t	nposted;
	SpmRulePosted *posted;		/* in the order of their keys */
	uint32_t   *places;
	uint32_t	nslots;			/* a power of 2; 0: nothing is posted */
	uint32_t   *slots;			/* number in 'posted' + 1 by hash; 0: free */
	uint64_t   *filter;			/* nslots words, a bit of which says that a name may be there: most are not */
} SpmRuleDim;

/* Classes from 'first' to 'last', both included. */
typedef struct SpmRuleRange
{
	uint32_t	first;
	uint32_t	last;
} SpmRuleRange;

/* What a box accepts of one dimension; class 0 is in the ranges if NULL is accepted. */
typedef struct SpmRuleSet
{
	uint32_t	dim;
	uint32_t	first_range;
	uint32_t	nranges;		/* in order, apart; 0: nothing, the box is empty */
} SpmRuleSet;

typedef struct SpmRuleBox
{
	uint32_t	rule;			/* the caller's number */
	uint32_t	type;
	uint32_t	rank;			/* its number in the source: the lower goes first */
	uint32_t	first_set;		/* sets by dimension, ascending; no set: everything, NULL too */
	uint32_t	nsets;
	uint32_t	first_circle;	/* in circle_uses */
	uint32_t	ncircles;
	uint32_t	posted_dim;		/* or SPM_RULE_NONE; its set of this dimension is what is asked besides the names */
	uint32_t	first_posted;	/* in posted_uses: numbers in 'posted' of the dimension, ascending */
	uint32_t	nposted;
	uint32_t	stop;			/* posted: the first place of its type's others that goes after it */
} SpmRuleBox;

/*
 * A place is a bit of the rows.  First come the boxes that are not posted, type
 * by type in the order in which they go; then those that are, likewise.
 */
typedef struct SpmRulebook
{
	uint32_t	ndims;
	SpmRuleDim *dims;
	uint32_t	ntypes;
	uint32_t	type_start[SPM_RULE_TYPES + 1]; /* places of those not posted, by type */
	uint32_t	posted_start[SPM_RULE_TYPES + 1];
	uint32_t	nplaces;
	SpmRuleBox *boxes;			/* by place */
	uint32_t   *rule_of;		/* place: boxes[].rule once more, close together */
	uint32_t	nsets;
	SpmRuleSet *sets;
	uint32_t	nranges;
	SpmRuleRange *ranges;
	uint32_t   *posted_uses;
	uint32_t   *circle_uses;
	uint32_t	ncircles;
	SpmRuleCircle *circles;
	uint32_t	nwords;			/* of a row */
	uint32_t	nlines;			/* of a row */
	uint32_t	nsummary;		/* words with a bit for each word of a row that is not 0 */
	uint32_t	row_size;		/* bytes: the summary, then numbers of lines */
	uint32_t	nrows;
	char	   *rows;
	uint32_t	ndistinct;		/* lines */
	uint64_t   *lines;			/* SPM_RULE_LINE words each */
	uint32_t	nactive;		/* dimensions that tell anything apart among those not posted */
	uint32_t   *active;
	uint32_t	nposting;		/* dimensions with names */
	uint32_t   *posting;
	uint64_t	nclasses;		/* of all dimensions */
} SpmRulebook;

typedef enum SpmRuleStatus
{
	SPM_RULE_OK,
	SPM_RULE_TOO_MANY			/* more than 2^31 pieces, places or ranges */
} SpmRuleStatus;

/* One value of a record. */
typedef struct SpmRuleValue
{
	SpmRuleKey	key;
	bool		is_null;
	bool		is_beyond;		/* just above the number: what is between it and the next */
} SpmRuleValue;

/* Of short texts that came before: the same few come again and again. */
#define SPM_RULE_MEMOS		512		/* by dimension */

typedef struct SpmRuleMemo
{
	uint64_t	head;
	uint32_t	length;			/* + 1; 0: free */
	uint32_t	row;
} SpmRuleMemo;

/* A record, and what has been found out about it. */
typedef struct SpmRuleProbe
{
	const SpmRulebook *book;
	SpmRuleMemo *memos;			/* the caller's, zeroed, SPM_RULE_MEMOS for each active dimension; or NULL */
	SpmRuleValue values[SPM_RULE_DIMS];
	const char *rows[SPM_RULE_DIMS];	/* spmk_rulebook_locate() */
} SpmRuleProbe;

extern SpmRuleStatus spmk_rulebook_compile(SpmRulebook *book, const SpmRuleSource *source,
										   const SpmRuleMemory *kept, const SpmRuleMemory *scratch,
										   const SpmBreath *breath);

/* From the values of all dimensions that are asked, find the rows. */
extern void spmk_rulebook_locate(SpmRuleProbe *probe);

/* The place of the first box of a type that the record meets, or SPM_RULE_NONE. */
extern uint32_t spmk_rulebook_first(const SpmRuleProbe *probe, uint32_t type);

/* All that it meets of a type, at most 'room', in no order; returns how many there are. */
extern uint32_t spmk_rulebook_all(const SpmRuleProbe *probe, uint32_t type, uint32_t *places, uint32_t room);

/* The first dimension in which the record does not meet a box, or SPM_RULE_NONE if it meets it. */
extern uint32_t spmk_rulebook_failed(const SpmRuleProbe *probe, uint32_t place, uint32_t *nfailed);

/* The piece of a dimension in which a value lies that is not NULL. */
extern uint32_t spmk_rule_piece(const SpmRuleDim *dim, const SpmRuleValue *value);

/* Great circle, kilometres (haversine), of degrees. */
extern double spmk_rule_distance(double latitude1, double longitude1, double latitude2, double longitude2);

/* The square around a circle: one interval of latitudes, one or two of longitudes (returned). */
extern int	spmk_rule_square(const SpmRuleCircle *circle, double latitudes[2], double longitudes[4]);

/* Doubles, but NaN, as numbers in the same order; 0 and -0 are the same. */
static inline int64_t
spmk_rule_from_double(double value)
{
	int64_t		bits;

	value += 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits >= 0 ? bits : (int64_t) (UINT64_C(0x8000000000000000) - (uint64_t) bits);
}

static inline double
spmk_rule_to_double(int64_t number)
{
	int64_t		bits = number >= 0 ? number : (int64_t) (UINT64_C(0x8000000000000000) - (uint64_t) number);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline uint64_t
spmk_rule_head(int64_t number)
{
	return (uint64_t) number ^ UINT64_C(0x8000000000000000);
}

/* Whether a row has the bit of a place. */
static inline bool
spmk_rule_bit(const SpmRulebook *book, const char *row, uint32_t place)
{
	const uint32_t *lines = (const uint32_t *) (row + book->nsummary * sizeof(uint64_t));
	uint32_t	word = place / 64;

	return book->lines[(size_t) lines[word / SPM_RULE_LINE] * SPM_RULE_LINE + word % SPM_RULE_LINE] >> (place % 64) & 1;
}

static inline const char *
spmk_rule_row(const SpmRulebook *book, uint32_t row)
{
	return book->rows + (size_t) row * book->row_size;
}

#endif
