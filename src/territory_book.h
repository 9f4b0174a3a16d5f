/*
 * territory_book.h
 *	  The rules of a model of territories, compiled; and how records are asked.
 */
#ifndef SPM_TERRITORY_BOOK_H
#define SPM_TERRITORY_BOOK_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "kernel/rulebook.h"

#define TERRITORY_TYPES		3
#define DAY_DIM				0	/* the first dimension of every book: days since 2000-01-01 */

typedef enum AttributeKind
{
	ATTRIBUTE_TEXT,
	ATTRIBUTE_NUMBER,
	ATTRIBUTE_DATE,
	ATTRIBUTE_BOOLEAN,
	ATTRIBUTE_TREE,
	ATTRIBUTE_POINT
} AttributeKind;

/* The values of a hierarchy, numbered so that what is below a value follows it. */
typedef struct Tree
{
	uint32		n;
	SpmRuleKey *values;			/* by number */
	uint32	   *last;			/* the last number below, or its own */
	uint32	   *depth;			/* 1 at the top */
	uint32		nslots;
	uint32	   *slots;			/* number + 1 by hash */
} Tree;

typedef struct Attribute
{
	int32		id;
	char	   *name;
	AttributeKind kind;
	char	   *column;
	char	   *longitude_column;
	char	   *transaction_column; /* what it is called there; NULL: the same */
	uint32		dim;			/* of a point also the next one */
	int			scale;			/* numbers times 10^scale; -1: as bytes, see territory_value.c */
	Tree	   *tree;
} Attribute;

typedef struct Rule
{
	int32		id;
	int32		territory_id;
	uint8		type;			/* number in territory_type_names */
	uint8		kind;			/* 0 exception, 1 named, 2 rule */
	int32		precedence;
	uint32		rank;			/* among the rules of its type, from 1 */
	uint64		narrowness;		/* how much it asks: the more goes first */
} Rule;

/* Rules in the order in which they go, type by type; the boxes of a rule follow each other. */
typedef struct TerritoryBook
{
	struct TerritoryBook *next; /* of those kept */
	MemoryContext context;
	int			npins;
	bool		is_kept;
	/* what it is a book of */
	Oid			relation;		/* spm.territory_model, which may be made anew */
	Oid			reader;			/* whose rights it was read with */
	int32		model_id;
	int64		version;
	TransactionId xmin;
	CommandId	cmin;

	SpmRulebook book;
	char	   *model;
	int			nattributes;
	Attribute  *attributes;
	uint32	   *attribute_of;	/* dimension; of the day: UINT32_MAX */
	uint32		nrules;
	Rule	   *rules;
	Size		size;			/* bytes */
	double		milliseconds;
	TimestampTz built;
} TerritoryBook;

extern const char *const territory_type_names[TERRITORY_TYPES];

/* territory_book.c */
extern TerritoryBook *spm_territory_book(text *model);
extern TerritoryBook *spm_territory_book_of_rules(text *model, const int32 *rules, int nrules, MemoryContext context);
extern void spm_territory_book_pin(TerritoryBook *book, MemoryContext context);
extern void spm_territory_book_init(void);

/* territory_compile.c */
extern void spm_territory_book_compile(TerritoryBook *book, const int32 *rules, int nrules);

/* territory_value.c */
extern bool spm_decimal_canonical(const char *text, char **digits);
extern bool spm_decimal_scaled(const char *digits, int scale, int64 *scaled, bool *is_beyond);
extern int	spm_decimal_scale(const char *digits, int *nwhole);
extern SpmRuleKey spm_decimal_key(const char *digits);
extern bool spm_iso_date(const char *text, int length, DateADT *day);
extern uint32 spm_tree_number(const Tree *tree, const char *bytes, uint32 length);

typedef struct Reader Reader;
extern Reader *spm_territory_reader(const TerritoryBook *book, TupleDesc columns, MemoryContext context);
extern void spm_territory_read_columns(Reader *reader, const NullableDatum *cells, SpmRuleValue *values);
extern void spm_territory_read(Reader *reader, HeapTupleHeader record, SpmRuleValue *values);
extern char *spm_territory_show(Reader *reader, HeapTupleHeader record, uint32 attribute);

#endif
