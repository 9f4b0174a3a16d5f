/*
 * book.c
 *	  The book itself: groups by payee and period, deals in order of arrival.
 *
 * Rows come one by one and are grouped by the batch, each look-up of a batch
 * before the next, so that the memory they need is on its way.  Groups stay in
 * memory.  Deals go to a temporary file once they pass the limit.
 */
#include "postgres.h"

#include <sys/mman.h>

#include "catalog/pg_type.h"
#include "commands/tablespace.h"
#include "executor/nodeHash.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "book.h"

/* Deals are kept in this much memory at least, whatever work_mem is. */
#define LEAST_LIMIT		((Size) 16 * 1024 * 1024)

/* Full chunks are cut from slabs: aligned to the system's huge pages, for which it is asked, a slab is paged in by a few faults. */
#define SLAB_CHUNKS		16
#define SLAB_ALIGNMENT	((Size) 2 * 1024 * 1024)

/* Rows of cells may have this many cells for each group. */
#define CELLS_PER_GROUP	32
#define LEAST_CELLS		(1024 * 1024)

static void *
grown(MemoryContext context, void *old, Size size)
{
	return old == NULL ? MemoryContextAllocHuge(context, size) : repalloc_huge(old, size);
}

/* ------------------------------------------------------------------- periods */

static void
set_bounds(Book *book, ArrayType *array)
{
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] < 2 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds of periods must be two dates or more, none of them null"),
				 errhint("Each period ends where the next one begins: '{2026-01-01,2026-04-01,2026-07-01}' are two.")));
	book->nbounds = ARR_DIMS(array)[0];
	book->bounds = (DateADT *) ARR_DATA_PTR(array);
	for (int i = 1; i < book->nbounds; i++)
	{
		if (book->bounds[i] <= book->bounds[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds of periods must be in ascending order"),
					 errdetail("Bound %d is not after the one before.", i + 1)));
	}
}

static void
set_periods(Book *book, Datum periods)
{
	MemoryContext old = MemoryContextSwitchTo(book->live.context);

	book->periods = PG_DETOAST_DATUM_COPY(periods);
	MemoryContextSwitchTo(old);
	if (book->by_grain)
	{
		text	   *name = (text *) book->periods;

		if (!spmk_grain_from_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &book->grain))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is not a kind of period", text_to_cstring(name)),
					 errhint("Use one of day, week, month, quarter, half, year, all, or an array of dates where periods begin and end.")));
	}
	else
		set_bounds(book, (ArrayType *) book->periods);
}

/* The same for every row, or dates would have several meanings. */
void
spm_book_check_periods(Book *book, Datum periods)
{
	struct varlena *value = PG_DETOAST_DATUM(periods);

	if (VARSIZE(value) != VARSIZE(book->periods) ||
		memcmp(VARDATA(value), VARDATA(book->periods), VARSIZE(value) - VARHDRSZ) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows of one book have different periods"),
				 errhint("Give the same periods for every row.")));
}

static bool
ordinal_of(const Book *book, DateADT day, int64 *ordinal)
{
	if (book->by_grain)
	{
		*ordinal = spmk_period_of(book->grain, day);
		return true;
	}
	*ordinal = spmk_period_between(book->bounds, book->nbounds, day);
	return *ordinal >= 0;
}

uint32
spm_book_period_of_ordinal(Book *book, int64 ordinal)
{
	uint32		period = spmk_map_find(&book->ordinals, ordinal);

	if (period != 0)
		return period;
	spm_map_make_room(&book->ordinals, ordinal, book->live.context);
	period = spmk_map_put(&book->ordinals, ordinal);
	if (period > book->ordinal_room)
	{
		book->ordinal_room = Max(64, book->ordinal_room * 2);
		book->ordinal = grown(book->live.context, book->ordinal, book->ordinal_room * sizeof(int64));
	}
	book->ordinal[period - 1] = ordinal;
	return period;
}

static uint32
add_day(Book *book, DateADT day)
{
	int64		ordinal;
	uint32		number;

	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the date of a deal must be finite")));
	if (!ordinal_of(book, day, &ordinal))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a deal of %s lies in no period",
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)))),
				 errhint("Leave out other deals by a WHERE condition, or give more bounds.")));
	spm_map_make_room(&book->days, day, book->live.context);
	number = spmk_map_put(&book->days, day);
	if (number > book->day_room)
	{
		book->day_room = Max(256, book->day_room * 2);
		book->day_period = grown(book->live.context, book->day_period, book->day_room * sizeof(uint32));
	}
	return book->day_period[number - 1] = spm_book_period_of_ordinal(book, ordinal);
}

/* The number of the period of a day. */
uint32
spm_book_day_period(Book *book, DateADT day)
{
	uint32		number;

	if (day == book->last_day && book->last_period != 0)
		return book->last_period;
	number = spmk_map_find(&book->days, day);
	book->last_period = number != 0 ? book->day_period[number - 1] : add_day(book, day);
	book->last_day = day;
	return book->last_period;
}

/* The same where no new one is wanted: 0. */
uint32
spm_book_find_period(const Book *book, DateADT day)
{
	int64		ordinal;

	if (DATE_NOT_FINITE(day) || !ordinal_of(book, day, &ordinal))
		return 0;
	return spmk_map_find(&book->ordinals, ordinal);
}

/* From start to the day before end; false: without bounds. */
bool
spm_book_period_span(const Book *book, uint32 period, DateADT *start, DateADT *end)
{
	int64		ordinal = book->ordinal[period - 1];

	if (!book->by_grain)
	{
		*start = book->bounds[ordinal];
		*end = book->bounds[ordinal + 1];
		return true;
	}
	if (book->grain == SPM_GRAIN_ALL)
		return false;
	*start = spmk_period_start(book->grain, ordinal);
	*end = spmk_period_start(book->grain, ordinal + 1);
	return true;
}

/* -------------------------------------------------------------------- groups */

static inline int64
pair(uint32 payee, uint32 period)
{
	return (int64) (((uint64) period << 32) | payee);
}

/* Too many empty cells: by hash from now on. */
static void
become_sparse(Book *book)
{
	MemoryContext context = book->live.context;
	uint64		nslots = 4096;

	for (uint32 i = 0; i < book->row_room; i++)
	{
		if (book->rows[i].groups)
			pfree(book->rows[i].groups);
	}
	while (nslots / 4 <= book->ngroups)
		nslots *= 2;
	spmk_map_move_hash(&book->pairs, nslots,
					   MemoryContextAllocExtended(context, nslots * sizeof(SpmKeySlot),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	for (uint32 i = 0; i < book->ngroups; i++)
		spmk_map_put(&book->pairs, pair(book->groups[i].payee, book->groups[i].period & PERIOD_MASK));
	book->is_sparse = true;
}

static void
make_cells(Book *book, uint32 payee, uint32 period)
{
	CellRow    *row;
	uint32		room;

	if (period > book->row_room)
	{
		uint32		more = Max(64, Max(period, book->row_room * 2));

		book->rows = grown(book->live.context, book->rows, more * sizeof(CellRow));
		memset(book->rows + book->row_room, 0, (more - book->row_room) * sizeof(CellRow));
		book->row_room = more;
	}
	row = &book->rows[period - 1];
	if (payee <= row->room)
		return;
	room = Max(row->room * 2, 64);
	while (room < payee || room < book->payees.map.count)
		room *= 2;
	book->ncells += room - row->room;
	if (book->ncells > (uint64) book->ngroups * CELLS_PER_GROUP + LEAST_CELLS)
	{
		become_sparse(book);
		return;
	}
	row->groups = grown(book->live.context, row->groups, room * sizeof(uint32));
	memset(row->groups + row->room, 0, (room - row->room) * sizeof(uint32));
	row->room = room;
}

uint32
spm_book_find_group(const Book *book, uint32 payee, uint32 period)
{
	if (book->is_sparse)
		return spmk_map_find(&book->pairs, pair(payee, period));
	if (period > book->row_room || payee > book->rows[period - 1].room)
		return 0;
	return book->rows[period - 1].groups[payee - 1];
}

static uint32
add_group(Book *book, uint32 payee, uint32 period)
{
	BookGroup  *group;

	if (!book->is_sparse)
		make_cells(book, payee, period);
	if (book->ngroups == book->group_room)
	{
		if (book->group_room > PG_UINT32_MAX / 4)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many payees and periods in one book")));
		book->group_room = Max(256, book->group_room * 2);
		book->groups = grown(book->live.context, book->groups, book->group_room * sizeof(BookGroup));
		if (book->wide_sums != NULL)
		{
			book->wide_sums = repalloc_huge(book->wide_sums, book->group_room * sizeof(Numeric));
			memset(book->wide_sums + book->ngroups, 0, (book->group_room - book->ngroups) * sizeof(Numeric));
		}
	}
	group = &book->groups[book->ngroups++];
	memset(group, 0, sizeof(BookGroup));
	group->payee = payee;
	group->period = period;
	group->last_day = DATEVAL_NOBEGIN;
	if (book->is_sparse)
	{
		spm_map_make_room(&book->pairs, pair(payee, period), book->live.context);
		spmk_map_put(&book->pairs, pair(payee, period));
	}
	else
		book->rows[period - 1].groups[payee - 1] = book->ngroups;
	return book->ngroups;
}

uint32
spm_book_group(Book *book, uint32 payee, uint32 period)
{
	uint32		group = spm_book_find_group(book, payee, period);

	return likely(group != 0) ? group : add_group(book, payee, period);
}

/* -------------------------------------------------------------------- sums */

/* The sum of a group becomes a numeric. */
static void
widen(Book *book, uint32 group)
{
	if (book->wide_sums == NULL)
		book->wide_sums = MemoryContextAllocExtended(book->live.context, book->group_room * sizeof(Numeric),
													 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (book->wide_sums[group - 1] == NULL)
		book->wide_sums[group - 1] = spm_copy_numeric(book->live.context,
											dec_from_int(book->groups[group - 1].sum, book->scale));
}

static void
add_wide(Book *book, uint32 group, Numeric amount)
{
	Numeric		old;
	Numeric		sum;

	widen(book, group);
	old = book->wide_sums[group - 1];
	sum = dec_add(old, amount);
	book->wide_sums[group - 1] = spm_copy_numeric(book->live.context, sum);
	pfree(sum);
	pfree(old);
}

static inline bool
is_wide(const Book *book, uint32 group)
{
	return unlikely(book->wide_sums != NULL) && book->wide_sums[group - 1] != NULL;
}

/* What a group has; NULL if *sum holds it, at the scale of the book. */
Numeric
spm_book_total(const Book *book, uint32 group, int64 *sum)
{
	if (is_wide(book, group))
		return book->wide_sums[group - 1];
	*sum = book->groups[group - 1].sum;
	return NULL;
}

static inline void
add_int(Book *book, uint32 group, int64 amount)
{
	int64		sum;

	if (unlikely(is_wide(book, group)) ||
		unlikely(__builtin_add_overflow(book->groups[group - 1].sum, amount, &sum) ||
				 sum > SPM_FAST_MAX || sum < -SPM_FAST_MAX))
	{
		Numeric		value = dec_from_int(amount, book->scale);

		add_wide(book, group, value);
		pfree(value);
	}
	else
		book->groups[group - 1].sum = sum;
}

void
spm_book_add_total(Book *book, uint32 group, int64 sum, Numeric wide, int64 ndeals)
{
	book->groups[group - 1].ndeals += ndeals;
	if (wide != NULL)
		add_wide(book, group, wide);
	else
		add_int(book, group, sum);
}

/* -------------------------------------------------------------------- deals */

static Size
chunk_size(const Chunk *chunk)
{
	return (Size) chunk->room * (sizeof(uint32) + sizeof(DateADT) + 2 * sizeof(int64));
}

static void
set_columns(Chunk *chunk, char *block)
{
	chunk->keys = (int64 *) block;
	chunk->amounts = chunk->keys + chunk->room;
	chunk->groups = (uint32 *) (chunk->amounts + chunk->room);
	chunk->days = (DateADT *) (chunk->groups + chunk->room);
}

static void
spill_chunk(Book *book, Chunk *chunk)
{
	if (book->spill == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(book->live.context);

		PrepareTempTablespaces();
		book->spill = BufFileCreateTemp(false);
		MemoryContextSwitchTo(old);
	}
	BufFileTell(book->spill, &chunk->file, &chunk->offset);
	BufFileWrite(book->spill, chunk->keys, chunk_size(chunk));
	if (chunk->nbytes > 0)
		BufFileWrite(book->spill, chunk->bytes, chunk->nbytes);
	chunk->groups = NULL;
}

/* Memory for a chunk, which stays as long as the book does. */
static char *
chunk_block(Book *book, const Chunk *chunk)
{
	Size		size = chunk_size(chunk);
	char	   *block;

	if (chunk->room < BOOK_CHUNK)
		return MemoryContextAllocHuge(book->live.context, size);
	if (book->slab_left == 0)
	{
		Size		all = TYPEALIGN(SLAB_ALIGNMENT, SLAB_CHUNKS * size);

		book->slab = (char *) TYPEALIGN(SLAB_ALIGNMENT, MemoryContextAllocHuge(book->live.context, all + SLAB_ALIGNMENT));
		book->slab_left = SLAB_CHUNKS;
#ifdef MADV_HUGEPAGE
		/* it may say no */
		(void) madvise(book->slab, all, MADV_HUGEPAGE);
#endif
	}
	block = book->slab;
	book->slab += size;
	book->slab_left--;
	return block;
}

/* Begins the next chunk; the one before is spilled if there is no room for both. */
void
spm_book_next_chunk(Book *book)
{
	MemoryContext context = book->live.context;
	Chunk	   *old = book->nchunks > 0 ? &book->chunks[book->nchunks - 1] : NULL;
	Chunk		next = {0};
	char	   *block = NULL;

	CHECK_FOR_INTERRUPTS();
	spm_book_flush(book);
	book->flushed = 0;
	next.scale = book->scale;
	next.is_wide = book->is_wide;
	next.room = book->has_deals ? Min(BOOK_CHUNK, (old ? old->room * 4 : 1024)) : BOOK_BATCH;
	if (old != NULL && !book->has_deals)
	{
		/* totals only: nothing is kept */
		old->n = 0;
		old->nbytes = 0;
		old->scale = next.scale;
		return;
	}
	if (old != NULL && book->used + chunk_size(old) + old->bytes_room > book->limit)
	{
		char	   *bytes = old->bytes;
		Size		room = old->bytes_room;

		block = (char *) old->keys;
		next.room = old->room;
		spill_chunk(book, old);
		old->bytes = NULL;
		next.bytes = bytes;
		next.bytes_room = room;
	}
	else if (old != NULL)
		book->used += chunk_size(old) + old->bytes_room;
	if (block == NULL)
		block = chunk_block(book, &next);
	set_columns(&next, block);
	if (book->nchunks == book->chunk_room)
	{
		book->chunk_room = Max(16, book->chunk_room * 2);
		book->chunks = grown(context, book->chunks, book->chunk_room * sizeof(Chunk));
	}
	book->chunks[book->nchunks++] = next;
}

/* A chunk to read, perhaps back from the file into 'room'. */
const Chunk *
spm_book_chunk(const Book *book, int i, ChunkRoom *room, MemoryContext context)
{
	const Chunk *chunk = &book->chunks[i];
	Size		size = chunk_size(chunk) + chunk->nbytes;

	if (chunk->groups != NULL)
		return chunk;
	if (room->size < size)
	{
		room->buffer = grown(context, room->buffer, size);
		room->size = size;
	}
	if (BufFileSeek(book->spill, chunk->file, chunk->offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in a temporary file: %m")));
	if (BufFileRead(book->spill, room->buffer, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from a temporary file")));
	room->chunk = *chunk;
	set_columns(&room->chunk, room->buffer);
	room->chunk.bytes = room->buffer + chunk_size(chunk);
	return &room->chunk;
}

/* Room for bytes of the open chunk, aligned. */
static char *
keep_bytes(Book *book, Size size, int64 *at)
{
	Chunk	   *chunk = spm_book_open(book);

	*at = MAXALIGN(chunk->nbytes);
	if (*at + size > chunk->bytes_room)
	{
		chunk->bytes_room = Max(Max(8192, chunk->bytes_room * 2), *at + size);
		chunk->bytes = grown(book->live.context, chunk->bytes, chunk->bytes_room);
	}
	chunk->nbytes = *at + size;
	return chunk->bytes + *at;
}

/* Keeps a text key for the next row. */
int64
spm_book_keep_text(Book *book, const char *text, uint32 len)
{
	Chunk	   *chunk = spm_book_open(book);
	int64		at = chunk->nbytes;

	if (unlikely(at + len + sizeof(uint32) > chunk->bytes_room))
	{
		chunk->bytes_room = Max(Max(8192, chunk->bytes_room * 2), at + len + sizeof(uint32));
		chunk->bytes = grown(book->live.context, chunk->bytes, chunk->bytes_room);
	}
	memcpy(chunk->bytes + at, &len, sizeof(uint32));
	memcpy(chunk->bytes + at + sizeof(uint32), text, len);
	chunk->nbytes = at + sizeof(uint32) + len;
	return at;
}

/* Whether a deal comes after the last of its group; no, if that cannot be told. */
static bool
text_comes_after(const Book *book, const Chunk *chunk, const BookGroup *group, int64 key)
{
	const Chunk *last = &book->chunks[group->last_chunk];
	uint32		a_len;
	uint32		b_len;
	const char *a;
	const char *b;
	int			order;

	if (last->groups == NULL)
		return false;
	a = spm_kept_text(last->bytes, group->last_key, &a_len);
	b = spm_kept_text(chunk->bytes, key, &b_len);
	order = memcmp(a, b, Min(a_len, b_len));
	return order < 0 || (order == 0 && a_len < b_len);
}

static inline void
check_order(Book *book, const Chunk *chunk, BookGroup *group, DateADT day, int64 key)
{
	if (unlikely(day <= group->last_day) && group->ndeals > 0 &&
		(day < group->last_day ||
		 (book->deal_type == KEY_TEXT ? !text_comes_after(book, chunk, group, key) :
		  key <= group->last_key)))
	{
		group->period |= PERIOD_UNORDERED;
		book->is_unordered = true;
	}
	group->last_day = day;
	group->last_key = key;
	group->last_chunk = book->nchunks - 1;
}

/* Finds the groups of the rows that wait, and adds these up. */
void
spm_book_flush(Book *book)
{
	Chunk	   *chunk = book->nchunks > 0 ? &book->chunks[book->nchunks - 1] : NULL;
	int			from = book->flushed;
	int			n = chunk ? chunk->n - from : 0;
	uint32		payees[BOOK_BATCH];
	uint32	   *groups;

	if (n == 0)
		return;
	groups = chunk->groups + from;
	if (book->payee_type == KEY_TEXT)
	{
		const Keys *keys = &book->payees;

		for (int i = 0; i < n; i++)
			__builtin_prefetch(&keys->map.slots[book->batch_hashes[i] & (keys->map.nslots - 1)]);
		for (int i = 0; i < n; i++)
		{
			const SpmKeySlot *slot = &keys->map.slots[book->batch_hashes[i] & (keys->map.nslots - 1)];

			if (slot->number != 0)
				__builtin_prefetch(keys->bytes + (Size) slot->place * MAXIMUM_ALIGNOF);
		}
		for (int i = 0; i < n; i++)
		{
			uint32		len;
			const char *text;

			payees[i] = (uint32) book->batch_payees[i];
			if (book->batch_payees[i] >= 0)
				continue;
			text = spm_kept_text(book->batch_texts, ~book->batch_payees[i], &len);
			payees[i] = spm_keys_hashed(&book->payees, text, len, book->batch_hashes[i], true);
		}
		book->batch_texts_len = 0;
	}
	else
	{
		for (int i = 0; i < n; i++)
			spmk_map_prefetch(&book->payees.map, book->batch_payees[i]);
		for (int i = 0; i < n; i++)
			payees[i] = spm_keys_add(&book->payees, book->batch_payees[i]);
	}
	for (int i = 0; i < n; i++)
	{
		uint32		period = spm_book_day_period(book, chunk->days[from + i]);

		book->batch_periods[i] = period;
		if (book->is_sparse)
			spmk_map_prefetch(&book->pairs, pair(payees[i], period));
		else if (period <= book->row_room && payees[i] <= book->rows[period - 1].room)
			__builtin_prefetch(&book->rows[period - 1].groups[payees[i] - 1]);
	}
	for (int i = 0; i < n; i++)
	{
		groups[i] = spm_book_group(book, payees[i], book->batch_periods[i]);
		__builtin_prefetch(&book->groups[groups[i] - 1]);
	}
	for (int i = 0; i < n; i++)
	{
		BookGroup  *group = &book->groups[groups[i] - 1];

		add_int(book, groups[i], chunk->amounts[from + i]);
		if (book->has_deals)
		{
			check_order(book, chunk, group, chunk->days[from + i], chunk->keys[from + i]);
			book->largest |= Abs(chunk->amounts[from + i]);
		}
		group->ndeals++;
	}
	book->ndeals += n;
	if (book->has_deals)
		book->flushed = chunk->n;
	else
	{
		chunk->n = 0;
		book->flushed = 0;
	}
}

/* From here on amounts have more decimals; sums that do not take them become numerics. */
void
spm_book_set_scale(Book *book, int scale, int shown)
{
	if (scale <= book->scale && shown <= book->shown)
		return;
	spm_book_flush(book);
	if (scale > book->scale)
	{
		for (uint32 i = 1; i <= book->ngroups; i++)
		{
			if ((i & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			if (!is_wide(book, i) && !spmk_rescale(&book->groups[i - 1].sum, book->scale, scale))
				widen(book, i);
		}
		/* deals are brought to that scale when they are read: all of them, or as numerics */
		if (book->has_deals && book->largest > (uint64) (SPM_FAST_MAX / spmk_pow10(scale - book->scale)))
			book->is_wide = true;
		book->largest *= spmk_pow10(scale - book->scale);
		book->scale = scale;
		if (book->chunks[book->nchunks - 1].n > 0)
			spm_book_next_chunk(book);
		else
		{
			book->chunks[book->nchunks - 1].scale = scale;
			book->chunks[book->nchunks - 1].is_wide = book->is_wide;
		}
	}
	book->shown = Max(book->shown, shown);
}

/* One row by itself: its payee is null, so it has a number already. */
void
spm_book_add_null_payee(Book *book, DateADT day, Datum deal, int64 amount)
{
	spm_book_flush(book);
	{
		uint32		group = spm_book_group(book, spm_keys_null(&book->payees), spm_book_day_period(book, day));
		Chunk	   *chunk = spm_book_open(book);
		int			i = chunk->n;

		add_int(book, group, amount);
		if (book->has_deals)
		{
			chunk->groups[i] = group;
			chunk->days[i] = day;
			chunk->keys[i] = DatumGetInt64(deal);
			chunk->amounts[i] = amount;
			chunk->n++;
			book->largest |= Abs(amount);
			check_order(book, chunk, &book->groups[group - 1], day, chunk->keys[i]);
			book->flushed = chunk->n;
		}
		book->groups[group - 1].ndeals++;
		book->ndeals++;
	}
}

/* The same for an amount that no integer holds: a numeric, and all after it. */
void
spm_book_add_wide(Book *book, uint32 payee, DateADT day, Datum deal, Numeric amount)
{
	uint32		group;
	Chunk	   *chunk;
	int64		at;
	int			i;

	spm_book_flush(book);
	group = spm_book_group(book, payee, spm_book_day_period(book, day));
	add_wide(book, group, amount);
	if (book->has_deals)
	{
		/* the caller has seen to it that the open chunk takes it, and its key */
		Assert(book->is_wide && spm_book_open(book)->is_wide);
		memcpy(keep_bytes(book, VARSIZE(amount), &at), amount, VARSIZE(amount));
		chunk = spm_book_open(book);
		i = chunk->n++;
		chunk->groups[i] = group;
		chunk->days[i] = day;
		chunk->keys[i] = DatumGetInt64(deal);
		chunk->amounts[i] = at;
		check_order(book, chunk, &book->groups[group - 1], day, chunk->keys[i]);
		book->flushed = chunk->n;
	}
	book->groups[group - 1].ndeals++;
	book->ndeals++;
}

/* ------------------------------------------------------------- begin and end */

static void
close_book(Live *live)
{
	Book	   *book = (Book *) live;

	if (book->spill != NULL)
		BufFileClose(book->spill);
}

void
spm_book_init(Book *book, bool has_deals, KeyType payee_type, KeyType deal_type,
			  Datum periods, bool by_grain, Splits *splits)
{
	MemoryContext context = book->live.context;

	book->live.close = close_book;
	book->has_deals = has_deals;
	book->payee_type = payee_type;
	book->deal_type = deal_type;
	book->splits = splits;
	book->by_grain = by_grain;
	book->limit = Max(LEAST_LIMIT, get_hash_memory_limit());
	spm_keys_init(&book->payees, context, payee_type == KEY_TEXT);
	if (payee_type == KEY_TEXT)
		book->batch_texts = MemoryContextAlloc(context, BOOK_TEXTS);
	set_periods(book, periods);
	spm_book_next_chunk(book);
}

Book *
spm_book_of(Datum id)
{
	return (Book *) spm_live_find(id, LIVE_BOOK);
}
