/*
 * book_rate.c
 *	  What a book earns by a rate card, deal by deal or period by period.
 *
 * Deals come out as they came in: each group goes on from where its last deal
 * left it.  Only groups whose deals did not come in order are gathered and
 * sorted, after all others.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "book.h"

extern Datum spm_for_quota(PG_FUNCTION_ARGS);

#define CACHE_LINE		64
#define TERMS_OF_ALL	PG_UINT32_MAX	/* the reader's own schedule */

/* -------------------------------------------------------------- who has what */

static bool
same_terms(const Card *card, uint32 a, uint32 b)
{
	const CardRow *x = &card->rows[a - 1];
	const CardRow *y = &card->rows[b - 1];

	return x->schedule == y->schedule && x->has_quota == y->has_quota &&
		x->quota == y->quota && x->quota_scale == y->quota_scale;
}

static void
set_terms(Reader *reader, uint32 group, uint32 row, bool is_own)
{
	Run		   *run = &reader->runs[group - 1];
	const BookGroup *g = &reader->book->groups[group - 1];
	DateADT		start;
	DateADT		end;

	/* what is said of a period goes before what holds in all of them */
	if (run->terms != 0 && run->terms != TERMS_OF_ALL && !same_terms(reader->card, run->terms, row))
	{
		bool		had_day = reader->card->rows[run->terms - 1].day != DATEVAL_NOBEGIN;

		if (had_day == is_own)
		{
			const char *payee = spm_keys_show(&reader->book->payees, g->payee);

			if (!spm_book_period_span(reader->book, g->period & PERIOD_MASK, &start, &end))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("payee %s has two schedules", payee)));
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("payee %s has two schedules in the period that begins on %s", payee,
							DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(start)))),
					 errhint("Read the book once with each of two rate cards, and add up what they give.")));
		}
		if (had_day)
			return;
	}
	run->terms = row;
}

static void
find_terms(Reader *reader)
{
	Book	   *book = reader->book;
	Card	   *card = reader->card;

	for (uint32 i = 0; reader->schedule != NULL && i < book->ngroups; i++)
		reader->runs[i].terms = TERMS_OF_ALL;
	if (card == NULL)
		return;
	if ((book->payee_type == KEY_TEXT) != (card->payee_type == KEY_TEXT))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("payees of the book and of the rate card differ in type"),
				 errhint("Cast both to text, or both to bigint.")));
	for (uint32 i = 0; i < card->nrows; i++)
	{
		const CardRow *row = &card->rows[i];
		uint32		payee = spm_keys_counterpart(&book->payees, &card->payees, row->payee, false);
		uint32		group;
		uint32		period;

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		if (payee == 0)
			continue;
		if (row->day != DATEVAL_NOBEGIN)
		{
			period = spm_book_find_period(book, row->day);
			group = period ? spm_book_find_group(book, payee, period) : 0;
			if (group != 0)
				set_terms(reader, group, i + 1, true);
		}
		else
		{
			for (period = 1; period <= book->ordinals.count; period++)
			{
				group = spm_book_find_group(book, payee, period);
				if (group != 0)
					set_terms(reader, group, i + 1, false);
			}
		}
	}
}

/*
 * The schedule of a group, in amounts: in integers, or else packed.  NULL and
 * false: neither, it has none.
 */
static bool
fast_terms(Reader *reader, uint32 terms, SpmFast *fast, const RateSchedule **packed)
{
	const CardRow *row;

	*packed = NULL;
	if (terms == TERMS_OF_ALL)
	{
		*packed = reader->schedule;
		return spm_schedule_fast(reader->schedule, fast);
	}
	row = &reader->card->rows[terms - 1];
	if (row->schedule == 0)
		return false;
	*packed = spm_card_schedule(reader->card, row->schedule);
	if (row->has_quota)
	{
		SpmFast		percent;
		Size		need;

		if (spm_schedule_fast(*packed, &percent))
		{
			need = (Size) percent.terms.ntiers * 2 + 1;
			if (reader->bounds_room < need)
			{
				reader->bounds = MemoryContextAlloc(reader->context, need * sizeof(int64));
				reader->bounds_room = need;
			}
			if (spmk_fast_for_quota(&percent, row->quota, row->quota_scale, reader->bounds, fast) == SPM_OK)
				return true;
		}
		*packed = (RateSchedule *) DatumGetPointer(DirectFunctionCall2(spm_for_quota,
																	   PointerGetDatum(*packed),
																	   NumericGetDatum(dec_from_int(row->quota, row->quota_scale))));
	}
	return spm_schedule_fast(*packed, fast);
}

/* As numerics, whatever it is. */
static const RateSchedule *
packed_terms(Reader *reader, uint32 terms)
{
	const CardRow *row;
	const RateSchedule *packed;

	if (terms == TERMS_OF_ALL)
		return reader->schedule;
	row = &reader->card->rows[terms - 1];
	if (row->schedule == 0)
		return NULL;
	packed = spm_card_schedule(reader->card, row->schedule);
	if (!row->has_quota)
		return packed;
	return (RateSchedule *) DatumGetPointer(DirectFunctionCall2(spm_for_quota,
																PointerGetDatum(packed),
																NumericGetDatum(dec_from_int(row->quota, row->quota_scale))));
}

/* --------------------------------------------------------------- what it earns */

/* With the decimals of the book. */
static Numeric
shown(Reader *reader, Numeric value)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(value),
											   Int32GetDatum(reader->book->shown)));
}

static Dec
earned_wide(Reader *reader, const RateSchedule *packed, Dec total)
{
	SpmSchedule s;
	Dec			num;
	Dec			den;

	spm_schedule_unpack(packed, &s);
	if (spmk_earned(&s, total, &num, &den) == SPM_ERR_ABOVE_END)
		spm_schedule_above_end(&s, total);
	return spmk_round(num, den, reader->places, reader->rounding);
}

/* One deal in numerics; what its batch shows is in row_context. */
static void
rate_wide(Reader *reader, int i, uint32 group, Numeric amount)
{
	Run		   *run = &reader->runs[group - 1];
	WideRun    *wide;
	MemoryContext old = MemoryContextSwitchTo(reader->row_context);
	const RateSchedule *packed = run->terms ? packed_terms(reader, run->terms) : NULL;
	Dec			total;

	if (reader->wide_runs == NULL)
		reader->wide_runs = MemoryContextAllocExtended(reader->context, reader->book->ngroups * sizeof(WideRun *),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	wide = reader->wide_runs[group - 1];
	if (wide == NULL)
	{
		wide = MemoryContextAlloc(reader->context, sizeof(WideRun));
		wide->total = spm_copy_numeric(reader->context, dec_from_int(run->total, reader->book->scale));
		wide->earned = spm_copy_numeric(reader->context, dec_from_int(run->earned, reader->places > 0 ? reader->places : 0));
		reader->wide_runs[group - 1] = wide;
		run->is_wide = true;
		run->segment.lo = 1;	/* or the next integer would go on from the old total */
		run->segment.hi = 0;
	}
	total = dec_add(wide->total, amount);
	reader->states[i] = ROW_WIDE;
	reader->wide_amounts[i] = shown(reader, amount);
	reader->wide_totals[i] = shown(reader, total);
	reader->wide_commissions[i] = NULL;
	if (packed != NULL)
	{
		Dec			earned = earned_wide(reader, packed, total);

		reader->wide_commissions[i] = dec_sub(earned, wide->earned);
		pfree(wide->earned);
		wide->earned = spm_copy_numeric(reader->context, earned);
	}
	pfree(wide->total);
	wide->total = spm_copy_numeric(reader->context, total);
	MemoryContextSwitchTo(old);
}

/* One deal that is not on the line where its group stood. */
static void
rate_slow(Reader *reader, int i, uint32 group, int64 amount)
{
	Run		   *run = &reader->runs[group - 1];
	MemoryContext old = MemoryContextSwitchTo(reader->row_context);
	const RateSchedule *packed;
	SpmFast		fast;
	int64		total;
	int64		earned;

	if (run->is_wide ||
		__builtin_add_overflow(run->total, amount, &total) ||
		total > SPM_FAST_MAX || total < -SPM_FAST_MAX)
	{
		rate_wide(reader, i, group, dec_from_int(amount, reader->book->scale));
		MemoryContextSwitchTo(old);
		return;
	}
	reader->totals[i] = total;
	reader->states[i] = ROW_INT;
	if (run->terms == 0)
	{
		reader->states[i] = ROW_UNRATED;
		run->total = total;
	}
	else if (fast_terms(reader, run->terms, &fast, &packed))
	{
		if (reader->rounding == SPM_HALF_UP &&
			spmk_segment(&fast, total, reader->book->scale, reader->places, &run->segment))
			earned = spmk_segment_earned(&run->segment, total);
		else if (spmk_fast_earned(&fast, total, reader->book->scale, reader->places,
								  reader->rounding, &earned) != SPM_OK)
		{
			rate_wide(reader, i, group, dec_from_int(amount, reader->book->scale));
			MemoryContextSwitchTo(old);
			return;
		}
		reader->commissions[i] = earned - run->earned;
		run->earned = earned;
		run->total = total;
	}
	else if (packed == NULL)
	{
		run->terms = 0;
		reader->states[i] = ROW_UNRATED;
		run->total = total;
	}
	else
		rate_wide(reader, i, group, dec_from_int(amount, reader->book->scale));
	MemoryContextSwitchTo(old);
}

static void
rate_batch(Reader *reader)
{
	Run		   *runs = reader->runs;
	int			n = reader->n;

	MemoryContextReset(reader->row_context);
	for (int i = 0; i < n; i++)
		__builtin_prefetch(&runs[reader->groups[i] - 1]);
	if (reader->card != NULL && !reader->is_wide)
	{
		/* who leaves their line will look at the card, where rows are in any order */
		for (int i = 0; i < n; i++)
		{
			const Run  *run = &runs[reader->groups[i] - 1];
			int64		total = run->total + reader->amounts[i];

			if ((total < run->segment.lo || total > run->segment.hi) && run->terms - 1 < reader->card->nrows)
				__builtin_prefetch(&reader->card->rows[run->terms - 1]);
		}
	}
	if (reader->is_wide)
	{
		for (int i = 0; i < n; i++)
			rate_wide(reader, i, reader->groups[i], (Numeric) (uintptr_t) reader->amounts[i]);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		Run		   *run = &runs[reader->groups[i] - 1];
		int64		total = run->total + reader->amounts[i];

		if (likely(total >= run->segment.lo && total <= run->segment.hi))
		{
			int64		earned = spmk_segment_earned(&run->segment, total);

			reader->totals[i] = total;
			reader->commissions[i] = earned - run->earned;
			reader->states[i] = ROW_INT;
			run->total = total;
			run->earned = earned;
		}
		else
			rate_slow(reader, i, reader->groups[i], reader->amounts[i]);
	}
}

/* ------------------------------------------------------- deals in order of arrival */

/* Amounts at the scale of the book; wide ones as addresses. */
static void
read_amounts(Reader *reader, const Chunk *chunk, int from, int n, const int *which)
{
	int			scale = reader->book->scale;

	for (int k = 0; k < n; k++)
	{
		int64		amount = chunk->amounts[which ? which[k] : from + k];

		if (!chunk->is_wide)
		{
			if (likely(chunk->scale == scale) || spmk_rescale(&amount, chunk->scale, scale))
			{
				reader->amounts[k] = amount;
				continue;
			}
			/* one that does not fit makes its batch wide */
			reader->is_wide = true;
			break;
		}
		reader->is_wide = true;
		reader->amounts[k] = (int64) (uintptr_t) (chunk->bytes + amount);
	}
	if (reader->is_wide && !chunk->is_wide)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->batch_context);

		for (int k = 0; k < n; k++)
			reader->amounts[k] = (int64) (uintptr_t) dec_from_int(chunk->amounts[which ? which[k] : from + k], chunk->scale);
		MemoryContextSwitchTo(old);
	}
}

static bool
fill_from_chunks(Reader *reader)
{
	Book	   *book = reader->book;

	while (reader->chunk < book->nchunks)
	{
		const Chunk *chunk;
		int			n;

		if (reader->current == NULL)
		{
			CHECK_FOR_INTERRUPTS();
			reader->current = spm_book_chunk(book, reader->chunk, &reader->room, reader->context);
			reader->at = 0;
		}
		chunk = reader->current;
		n = Min(BOOK_ROWS, chunk->n - reader->at);
		if (n == 0)
		{
			reader->chunk++;
			reader->current = NULL;
			continue;
		}
		reader->is_wide = false;
		reader->bytes = chunk->bytes;
		MemoryContextReset(reader->batch_context);
		if (!book->is_unordered)
		{
			memcpy(reader->groups, chunk->groups + reader->at, n * sizeof(uint32));
			memcpy(reader->days, chunk->days + reader->at, n * sizeof(DateADT));
			memcpy(reader->keys, chunk->keys + reader->at, n * sizeof(int64));
			read_amounts(reader, chunk, reader->at, n, NULL);
			reader->n = n;
		}
		else
		{
			int			which[BOOK_ROWS];
			int			count = 0;

			for (int i = reader->at; i < reader->at + n; i++)
				__builtin_prefetch(&book->groups[chunk->groups[i] - 1]);
			for (int i = reader->at; i < reader->at + n; i++)
			{
				if (IS_UNORDERED(&book->groups[chunk->groups[i] - 1]))
					continue;
				reader->groups[count] = chunk->groups[i];
				reader->days[count] = chunk->days[i];
				reader->keys[count] = chunk->keys[i];
				which[count++] = i;
			}
			read_amounts(reader, chunk, 0, count, which);
			reader->n = count;
		}
		reader->at += n;
		if (reader->n > 0)
			return true;
	}
	return false;
}

/* --------------------------------------------- deals of groups that are out of order */

static const char *
late_text(const LateDeal *deal, uint32 *len)
{
	return spm_kept_text((const char *) (uintptr_t) deal->key, 0, len);
}

static int
compare_late(const LateDeal *a, const LateDeal *b, const Reader *reader)
{
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (reader->book->deal_type == KEY_TEXT)
	{
		uint32		alen;
		uint32		blen;
		const char *atext = late_text(a, &alen);
		const char *btext = late_text(b, &blen);
		int			order = memcmp(atext, btext, Min(alen, blen));

		if (order != 0)
			return order;
		if (alen != blen)
			return alen < blen ? -1 : 1;
	}
	else if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (reader->late_is_wide)
		return dec_cmp((Numeric) (uintptr_t) a->amount, (Numeric) (uintptr_t) b->amount);
	return a->amount < b->amount ? -1 : a->amount > b->amount;
}

#define ST_SORT sort_late
#define ST_ELEMENT_TYPE LateDeal
#define ST_COMPARE(a, b, reader) compare_late(a, b, reader)
#define ST_COMPARE_ARG_TYPE const Reader
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static inline int
compare_numbers(const LateDeal *a, const LateDeal *b)
{
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->amount < b->amount ? -1 : a->amount > b->amount;
}

#define ST_SORT sort_numbers
#define ST_ELEMENT_TYPE LateDeal
#define ST_COMPARE(a, b) compare_numbers(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Collects the deals of as many groups as fit the limit, each group's side by
 * side, and sorts them.  Several passes over the deals where they do not all
 * fit: each reads them once.
 */
static bool
load_late(Reader *reader)
{
	Book	   *book = reader->book;
	uint32		from = reader->late_to;
	uint32		to = from;
	Size		limit = book->limit / sizeof(LateDeal);
	Size		n = 0;
	Size	   *next;

	while (from < book->ngroups && !IS_UNORDERED(&book->groups[from]))
		from++;
	if (from == book->ngroups)
		return false;
	for (to = from; to < book->ngroups; to++)
	{
		const BookGroup *group = &book->groups[to];

		if (!IS_UNORDERED(group))
			continue;
		if (n > 0 && n + group->ndeals > limit)
			break;
		n += group->ndeals;
	}
	MemoryContextReset(reader->late_context);
	reader->late = MemoryContextAllocHuge(reader->late_context, n * sizeof(LateDeal));
	next = MemoryContextAllocHuge(reader->late_context, (Size) (to - from) * sizeof(Size));
	n = 0;
	for (uint32 g = from; g < to; g++)
	{
		next[g - from] = n;
		if (IS_UNORDERED(&book->groups[g]))
			n += book->groups[g].ndeals;
	}
	reader->nlate = n;
	reader->late_is_wide = book->is_wide;
	for (int i = 0; i < book->nchunks; i++)
	{
		const Chunk *chunk = spm_book_chunk(book, i, &reader->room, reader->context);
		bool		is_spilled = book->chunks[i].groups == NULL;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < chunk->n; k++)
		{
			uint32		g = chunk->groups[k] - 1;
			LateDeal   *deal;

			if (k + 16 < chunk->n)
			{
				uint32		ahead = chunk->groups[k + 16] - 1;

				if (ahead >= from && ahead < to)
					__builtin_prefetch(&reader->late[next[ahead - from]], 1);
			}
			if (g < from || g >= to || !IS_UNORDERED(&book->groups[g]))
				continue;
			deal = &reader->late[next[g - from]++];
			deal->group = g + 1;
			deal->day = chunk->days[k];
			deal->key = chunk->keys[k];
			deal->amount = chunk->amounts[k];
			if (book->deal_type == KEY_TEXT)
			{
				const char *text = chunk->bytes + chunk->keys[k];

				if (is_spilled)
				{
					uint32		len;
					char	   *copy;

					memcpy(&len, text, sizeof(len));
					copy = MemoryContextAlloc(reader->late_context, len + sizeof(len));
					memcpy(copy, text, len + sizeof(len));
					text = copy;
				}
				deal->key = (int64) (uintptr_t) text;
			}
			if (chunk->is_wide)
			{
				Numeric		amount = (Numeric) (chunk->bytes + chunk->amounts[k]);

				if (is_spilled)
					amount = spm_copy_numeric(reader->late_context, amount);
				deal->amount = (int64) (uintptr_t) amount;
			}
			else if (book->is_wide)
			{
				MemoryContext old = MemoryContextSwitchTo(reader->late_context);

				deal->amount = (int64) (uintptr_t) dec_from_int(chunk->amounts[k], chunk->scale);
				MemoryContextSwitchTo(old);
			}
			else if (!spmk_rescale(&deal->amount, chunk->scale, book->scale))
				elog(ERROR, "amount does not fit the scale of its book");
		}
	}
	n = 0;
	for (uint32 g = from; g < to; g++)
	{
		Size		count = book->groups[g].ndeals;

		if (!IS_UNORDERED(&book->groups[g]))
			continue;
		CHECK_FOR_INTERRUPTS();
		if (book->deal_type == KEY_TEXT || reader->late_is_wide)
			sort_late(reader->late + n, count, reader);
		else
			sort_numbers(reader->late + n, count);
		n += count;
	}
	reader->late_to = to;
	reader->late_at = 0;
	return true;
}

static bool
fill_from_late(Reader *reader)
{
	int			n;

	if (!reader->book->is_unordered)
		return false;
	if (reader->late_at == reader->nlate && !load_late(reader))
		return false;
	n = Min(BOOK_ROWS, reader->nlate - reader->late_at);
	for (int i = 0; i < n; i++)
	{
		const LateDeal *deal = &reader->late[reader->late_at++];

		reader->groups[i] = deal->group;
		reader->days[i] = deal->day;
		reader->keys[i] = deal->key;
		reader->amounts[i] = deal->amount;
	}
	reader->bytes = NULL;
	reader->is_wide = reader->late_is_wide;
	reader->n = n;
	return true;
}

/* ------------------------------------------------------------------- periods */

static bool
fill_periods(Reader *reader)
{
	Book	   *book = reader->book;
	int			n = Min(BOOK_ROWS, book->ngroups - reader->period_at);

	if (n == 0)
		return false;
	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(reader->row_context);
	for (int i = 0; i < n; i++)
	{
		uint32		group = ++reader->period_at;
		int64		sum = 0;
		Numeric		wide = spm_book_total(book, group, &sum);

		reader->groups[i] = group;
		if (wide != NULL)
			rate_wide(reader, i, group, wide);
		else
			rate_slow(reader, i, group, sum);
	}
	reader->n = n;
	return true;
}

/* ---------------------------------------------------------------------- reader */

/* The next rows; false at the end. */
bool
spm_reader_fill(Reader *reader)
{
	reader->row = 0;
	reader->n = 0;
	if (!reader->by_deal)
		return fill_periods(reader);
	if (!fill_from_chunks(reader) && !fill_from_late(reader))
		return false;
	rate_batch(reader);
	return true;
}

/* A cursor may be read on after the query that made its book. */
void
spm_reader_check(Reader *reader)
{
	spm_live_find(reader->book_id, LIVE_BOOK);
	if (reader->card != NULL)
		spm_live_find(reader->card_id, LIVE_CARD);
	reader->seen = spm_live_ended;
}

void
spm_reader_init(Reader *reader, Book *book, Card *card, const RateSchedule *schedule,
				int places, SpmRounding rounding, bool by_deal, MemoryContext context)
{
	if (by_deal && !book->has_deals)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this book holds totals only, no deals"),
				 errhint("Give spm.book() the keys of the deals: spm.book(payee, day, deal, amount, periods).")));
	memset(reader, 0, sizeof(Reader));
	reader->book = book;
	reader->book_id = UInt64GetDatum(book->live.id);
	reader->card = card;
	reader->card_id = card ? UInt64GetDatum(card->live.id) : (Datum) 0;
	reader->seen = spm_live_ended;
	reader->schedule = schedule;
	reader->places = places;
	reader->rounding = rounding;
	reader->by_deal = by_deal;
	reader->context = context;
	reader->row_context = AllocSetContextCreate(context, "spm rows", ALLOCSET_DEFAULT_SIZES);
	reader->batch_context = AllocSetContextCreate(context, "spm batch", ALLOCSET_DEFAULT_SIZES);
	reader->late_context = AllocSetContextCreate(context, "spm late deals", ALLOCSET_DEFAULT_SIZES);
	if (schedule != NULL)
		spm_schedule_absolute(schedule);
	/* each in a line of the cache */
	reader->runs = (Run *) TYPEALIGN(CACHE_LINE,
									 MemoryContextAllocExtended(context, (Size) book->ngroups * sizeof(Run) + CACHE_LINE,
																MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	/* a stretch without totals: the first deal of a group looks for its own */
	for (uint32 i = 0; i < book->ngroups; i++)
	{
		reader->runs[i].segment.lo = 1;
		reader->runs[i].segment.hi = 0;
	}
	find_terms(reader);
}
