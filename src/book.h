/*
 * book.h
 *	  A book: amounts by payee and period, and the deals that they are made of;
 *	  a rate card: who earns by which schedule when.
 *
 * Both live in the memory of the query that makes them; what SQL passes around
 * is a number under which this backend finds them.
 */
#ifndef SPM_BOOK_H
#define SPM_BOOK_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/execnodes.h"
#include "storage/buffile.h"
#include "utils/date.h"

#include "kernel/keymap.h"
#include "kernel/period.h"
#include "kernel/segment.h"
#include "rate_schedule.h"

/* --------------------------------------------------- numbers for keys: book_keys.c */

typedef enum KeyType
{
	KEY_INT2,
	KEY_INT4,
	KEY_INT8,
	KEY_TEXT
} KeyType;

/* Numbers begin at 1; a null has one of its own. */
typedef struct Keys
{
	MemoryContext context;
	bool		is_text;
	SpmKeyMap	map;			/* of texts only the slots, by their hash */
	uint32		null_number;
	uint32		room;
	int64	   *values;			/* of number - 1: the integer, or where the text begins */
	uint32	   *lengths;
	char	   *bytes;
	Size		nbytes;
	Size		bytes_room;
} Keys;

extern void spm_map_make_room(SpmKeyMap *map, int64 key, MemoryContext context);
extern void spm_keys_init(Keys *keys, MemoryContext context, bool is_text);
extern KeyType spm_key_type(Oid type, const char *what);
extern uint32 spm_keys_add_slow(Keys *keys, int64 key);
extern uint32 spm_keys_null(Keys *keys);
extern uint32 spm_keys_text(Keys *keys, const char *text, uint32 len, bool add);
extern uint64 spm_hash_text(const char *text, uint32 len);
extern uint32 spm_keys_hashed(Keys *keys, const char *text, uint32 len, uint64 hash, bool add);
extern uint32 spm_keys_counterpart(Keys *keys, const Keys *from, uint32 number, bool add);
extern char *spm_keys_show(const Keys *keys, uint32 number);

static inline uint32
spm_keys_add(Keys *keys, int64 key)
{
	uint32		number = spmk_map_find(&keys->map, key);

	return likely(number != 0) ? number : spm_keys_add_slow(keys, key);
}

static inline int64
spm_key_int(KeyType type, Datum value)
{
	return type == KEY_INT8 ? DatumGetInt64(value) :
		type == KEY_INT4 ? DatumGetInt32(value) : DatumGetInt16(value);
}

/* ------------------------------------------------------------- what lives: book_live.c */

typedef enum LiveKind
{
	LIVE_BOOK,
	LIVE_CARD,
	LIVE_SPLITS,
	LIVE_TREE
} LiveKind;

/* The first member of whatever lives. */
typedef struct Live
{
	uint64		id;
	LiveKind	kind;
	MemoryContext context;
	void		(*close) (struct Live *);
} Live;

extern Live *spm_live_new(FunctionCallInfo fcinfo, LiveKind kind, Size size);
extern Live *spm_live_under(MemoryContext parent, LiveKind kind, Size size);
extern Live *spm_live_of(PlanState *scan, LiveKind kind, Size size);
extern Live *spm_live_find(Datum id, LiveKind kind);

/* How many have ended: while it stays, what was found is still there. */
extern uint64 spm_live_ended;

/* ---------------------------------------------------------------- the book: book.c */

#define BOOK_BATCH	256			/* rows that wait to be grouped together */
#define BOOK_TEXTS	32768		/* bytes of their texts */
#define BOOK_CHUNK	32768		/* deals that are kept, and spilled, together */

/* Deals in the order in which they came. */
typedef struct Chunk
{
	int			n;
	int			room;
	int			scale;
	bool		is_wide;		/* an amount is where its numeric lies in bytes */
	uint32	   *groups;			/* NULL: spilled */
	DateADT    *days;
	int64	   *keys;			/* of a text, where it lies in bytes, after its length */
	int64	   *amounts;
	char	   *bytes;
	Size		nbytes;
	Size		bytes_room;
	int			file;			/* where in the file */
	off_t		offset;
} Chunk;

/* Where a spilled chunk is read back to. */
typedef struct ChunkRoom
{
	Chunk		chunk;
	char	   *buffer;
	Size		size;
} ChunkRoom;

/* The amounts of one payee in one period. */
typedef struct BookGroup
{
	int64		sum;			/* at the scale of the book, unless there is a wide one */
	int64		last_key;
	int64		ndeals;
	DateADT		last_day;
	uint32		last_chunk;		/* of a text key */
	uint32		payee;
	uint32		period;			/* its highest bit: deals came out of order */
} BookGroup;

#define PERIOD_MASK		0x7fffffff
#define PERIOD_UNORDERED	0x80000000
#define IS_UNORDERED(group)	(((group)->period & PERIOD_UNORDERED) != 0)

typedef struct CellRow
{
	uint32	   *groups;			/* by payee number - 1 */
	uint32		room;
} CellRow;

typedef struct Splits Splits;

typedef struct Book
{
	Live		live;
	bool		has_deals;
	KeyType		payee_type;
	KeyType		deal_type;
	Keys		payees;
	Splits	   *splits;
	Datum		splits_id;
	uint64		splits_seen;	/* how many had ended when they were last found */

	/* periods */
	bool		by_grain;
	SpmGrain	grain;
	int			nbounds;
	DateADT    *bounds;
	bool		is_constant;	/* the argument: the same for all rows */
	void	   *periods;		/* a copy of it */
	SpmKeyMap	ordinals;		/* periods as the kernel counts them */
	int64	   *ordinal;		/* of period number - 1 */
	uint32		ordinal_room;
	SpmKeyMap	days;
	uint32	   *day_period;		/* of day number - 1 */
	uint32		day_room;
	DateADT		last_day;
	uint32		last_period;

	/* groups, found by period and payee in rows of cells or, if sparse, by hash */
	BookGroup  *groups;
	uint32		ngroups;
	uint32		group_room;
	CellRow    *rows;
	uint32		row_room;
	uint64		ncells;
	bool		is_sparse;
	SpmKeyMap	pairs;
	Numeric    *wide_sums;		/* by group; NULL while all fit */
	uint32		wide_room;

	/* amounts */
	bool		is_wide;		/* from now on numerics */
	int			scale;			/* of integers */
	int			shown;			/* decimals of the finest amount */
	uint64		largest;		/* no integer amount of a deal is larger */

	/* deals */
	uint64		ndeals;
	Chunk	   *chunks;
	int			nchunks;
	int			chunk_room;
	char	   *slab;			/* of which slab_left full chunks can be cut */
	int			slab_left;
	int			flushed;		/* of the last chunk, those that are grouped */
	Size		used;
	Size		limit;
	BufFile    *spill;
	bool		is_unordered;

	int64		batch_payees[BOOK_BATCH];	/* below 0: a text that waits, at ~batch_payees */
	uint64		batch_hashes[BOOK_BATCH];
	char	   *batch_texts;
	uint32		batch_texts_len;
	uint32		batch_periods[BOOK_BATCH];

	/* rows that wait for their splits */
	int			nwaiting;
	struct ReadRow *waiting;
} Book;

extern void spm_book_init(Book *book, bool has_deals, KeyType payee_type, KeyType deal_type,
						  Datum periods, bool by_grain, Splits *splits);
extern void spm_book_check_periods(Book *book, Datum periods);
extern void spm_book_add_row(Book *book, bool payee_is_null, Datum payee, DateADT day, Datum deal, Datum amount);
extern void spm_book_flush(Book *book);
extern void spm_book_finish(Book *book);
extern void spm_book_next_chunk(Book *book);
extern void spm_book_set_scale(Book *book, int scale, int shown);
extern void spm_book_add_wide(Book *book, uint32 payee, DateADT day, Datum deal, Numeric amount);
extern void spm_book_add_null_payee(Book *book, DateADT day, Datum deal, int64 amount);
extern int64 spm_book_keep_text(Book *book, const char *text, uint32 len);
extern uint32 spm_book_find_group(const Book *book, uint32 payee, uint32 period);
extern uint32 spm_book_group(Book *book, uint32 payee, uint32 period);
extern uint32 spm_book_day_period(Book *book, DateADT day);
extern uint32 spm_book_period_of_ordinal(Book *book, int64 ordinal);
extern uint32 spm_book_find_period(const Book *book, DateADT day);
extern bool spm_book_period_span(const Book *book, uint32 period, DateADT *start, DateADT *end);
extern Numeric spm_book_total(const Book *book, uint32 group, int64 *sum);
extern void spm_book_add_total(Book *book, uint32 group, int64 sum, Numeric wide, int64 ndeals);
extern const Chunk *spm_book_chunk(const Book *book, int i, ChunkRoom *room, MemoryContext context);
extern Book *spm_book_of(Datum id);

/* What a text key is, where it is kept. */
static inline const char *
spm_kept_text(const char *bytes, int64 at, uint32 *len)
{
	memcpy(len, bytes + at, sizeof(uint32));
	return bytes + at + sizeof(uint32);
}

/* The last chunk, with room for one more row. */
static inline Chunk *
spm_book_open(Book *book)
{
	Chunk	   *chunk = &book->chunks[book->nchunks - 1];

	if (unlikely(chunk->n == chunk->room))
	{
		spm_book_next_chunk(book);
		chunk = &book->chunks[book->nchunks - 1];
	}
	return chunk;
}

/*
 * A payee by text, for the next row: it is looked up together with others of
 * its batch, unless it is long.  The open chunk has room for the row.
 */
static inline int64
spm_book_wait_text(Book *book, const char *text, uint32 len)
{
	Chunk	   *chunk = spm_book_open(book);
	char	   *at = book->batch_texts + book->batch_texts_len;

	if (unlikely(len > BOOK_TEXTS / BOOK_BATCH - sizeof(uint32)))
		return spm_keys_text(&book->payees, text, len, true);
	memcpy(at, &len, sizeof(uint32));
	memcpy(at + sizeof(uint32), text, len);
	book->batch_hashes[chunk->n - book->flushed] = spm_hash_text(text, len);
	book->batch_texts_len += sizeof(uint32) + len;
	return ~(int64) (at - book->batch_texts);
}

/* One amount at the scale of the book; the payee is an integer, or the number of a text. */
static inline void
spm_book_add(Book *book, int64 payee, DateADT day, int64 deal, int64 amount)
{
	Chunk	   *chunk = spm_book_open(book);
	int			i = chunk->n++;

	book->batch_payees[i - book->flushed] = payee;
	chunk->days[i] = day;
	chunk->keys[i] = deal;
	chunk->amounts[i] = amount;
	if (i + 1 - book->flushed == BOOK_BATCH)
		spm_book_flush(book);
}

/* ------------------------------------------------------- rate cards and splits: book_card.c */

typedef struct CardRow
{
	uint32		payee;			/* number in the card's keys */
	DateADT		day;			/* in the period; DATEVAL_NOBEGIN: of every period */
	uint32		schedule;		/* number among its schedules; 0: none */
	bool		has_quota;
	int16		quota_scale;
	int64		quota;
} CardRow;

typedef struct Card
{
	Live		live;
	KeyType		payee_type;
	Keys		payees;
	Keys		schedules;		/* their bytes are the texts */
	uint32		last_schedule;
	CardRow    *rows;
	uint32		nrows;
	uint32		room;
} Card;

typedef struct SplitShare
{
	uint32		deal;			/* number among the deals */
	uint32		payee;			/* number in the splits' keys */
	int64		share;
} SplitShare;

struct Splits
{
	Live		live;
	KeyType		deal_type;
	KeyType		payee_type;
	Keys		deals;
	Keys		payees;
	int			scale;
	SplitShare *shares;			/* of one deal together, by payee, once it is ready */
	uint32		nshares;
	uint32		room;
	uint32	   *first;			/* by deal number - 1; one more at the end */
	uint32	   *book_payees;	/* numbers in the book, by number - 1 */
};

typedef struct Tree
{
	Live		live;
	KeyType		type;
	KeyType		parent_type;
	Keys		keys;
	uint32	   *parents;		/* by number - 1; 0: none */
	uint32		room;
} Tree;

extern void spm_splits_ready(Splits *splits);
extern const RateSchedule *spm_card_schedule(const Card *card, uint32 number);

/* --------------------------------------------------------- what is earned: book_rate.c */

/* Where a group stands while its deals go by. */
typedef struct Run
{
	int64		total;
	int64		earned;
	SpmSegment	segment;
	uint32		terms;			/* row of the card + 1; 0: none */
	bool		is_wide;		/* numerics, in wide_runs */
} Run;

typedef struct WideRun
{
	Numeric		total;
	Numeric		earned;
} WideRun;

#define BOOK_ROWS 256

typedef enum RowState
{
	ROW_INT,
	ROW_UNRATED,				/* no schedule: the commission is null */
	ROW_WIDE
} RowState;

typedef struct LateDeal
{
	int64		key;			/* of a text, the address of its length */
	int64		amount;			/* of a wide one, the address of the numeric */
	uint32		group;
	DateADT		day;
} LateDeal;

/* Reads a book deal by deal, or period by period. */
typedef struct Reader
{
	Book	   *book;
	Card	   *card;
	Datum		book_id;
	Datum		card_id;
	uint64		seen;			/* how many had ended when both were last found */
	const RateSchedule *schedule;	/* of those that are not on the card */
	int			places;
	SpmRounding rounding;
	bool		by_deal;
	MemoryContext context;
	MemoryContext row_context;	/* of what a batch of wide rows needs */
	Run		   *runs;			/* by group - 1 */
	WideRun   **wide_runs;
	MemoryContext batch_context;	/* of its amounts */
	int64	   *bounds;			/* room for those of one schedule */
	Size		bounds_room;

	/* where it is */
	int			chunk;
	int			at;
	const Chunk *current;
	ChunkRoom	room;
	uint32		period_at;
	uint32		late_to;		/* groups before it are done */
	LateDeal   *late;
	Size		nlate;
	Size		late_at;
	bool		late_is_wide;
	MemoryContext late_context;

	/* a batch of rows */
	int			n;
	int			row;
	uint32		groups[BOOK_ROWS];
	DateADT		days[BOOK_ROWS];
	int64		keys[BOOK_ROWS];
	int64		amounts[BOOK_ROWS];
	int64		totals[BOOK_ROWS];
	int64		commissions[BOOK_ROWS];
	uint8		states[BOOK_ROWS];
	const char *bytes;			/* of text keys */
	bool		is_wide;		/* amounts are addresses of numerics */
	Numeric		wide_amounts[BOOK_ROWS];
	Numeric		wide_totals[BOOK_ROWS];
	Numeric		wide_commissions[BOOK_ROWS];
} Reader;

extern void spm_reader_init(Reader *reader, Book *book, Card *card, const RateSchedule *schedule,
							int places, SpmRounding rounding, bool by_deal, MemoryContext context);
extern bool spm_reader_fill(Reader *reader);
extern void spm_reader_check(Reader *reader);

static inline bool
spm_reader_next(Reader *reader)
{
	if (unlikely(reader->seen != spm_live_ended))
		spm_reader_check(reader);
	if (++reader->row < reader->n)
		return true;
	return spm_reader_fill(reader);
}

#endif
