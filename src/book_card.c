/*
 * book_card.c
 *	  What a book is read with: rate cards, splits of deals, trees of payees.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "book.h"

extern Datum spm_for_quota(PG_FUNCTION_ARGS);

static void *
grown(MemoryContext context, void *old, Size size)
{
	return old == NULL ? MemoryContextAllocHuge(context, size) : repalloc_huge(old, size);
}

/* A key as it comes; nulls are the caller's. */
static uint32
key_number(Keys *keys, KeyType type, Datum value)
{
	if (type == KEY_TEXT)
	{
		text	   *key = DatumGetTextPP(value);
		uint32		number = spm_keys_text(keys, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true);

		if ((Pointer) key != DatumGetPointer(value))
			pfree(key);
		return number;
	}
	return spm_keys_add(keys, spm_key_int(type, value));
}

/* ------------------------------------------------------------------ rate cards */

PG_FUNCTION_INFO_V1(spm_rate_card_add);
PG_FUNCTION_INFO_V1(spm_live_final);

const RateSchedule *
spm_card_schedule(const Card *card, uint32 number)
{
	return (const RateSchedule *) (card->schedules.bytes + card->schedules.values[number - 1]);
}

/* Equal schedules are kept once. */
static uint32
schedule_number(Card *card, const RateSchedule *schedule)
{
	if (card->last_schedule != 0)
	{
		const RateSchedule *last = spm_card_schedule(card, card->last_schedule);

		if (VARSIZE(last) == VARSIZE(schedule) && memcmp(last, schedule, VARSIZE(last)) == 0)
			return card->last_schedule;
	}
	card->last_schedule = spm_keys_text(&card->schedules, (const char *) schedule, VARSIZE(schedule), true);
	return card->last_schedule;
}

/*
 * Whether a quota can be kept beside its schedule in percent; one that cannot
 * is turned into amounts at once.
 */
static bool
keeps_quota(const RateSchedule *schedule, Datum quota, CardRow *row)
{
	int			scale;

	if (!(schedule->flags & SPM_SCHEDULE_PERCENT) || schedule->is_wide ||
		!spm_numeric_to_int(quota, &row->quota, &scale) || row->quota <= 0)
		return false;
	while (scale > 0 && row->quota % 10 == 0)
	{
		row->quota /= 10;
		scale--;
	}
	row->quota_scale = scale;
	row->has_quota = true;
	return true;
}

/* spm._rate_card_add(state, payee, day, schedule [, quota]) */
Datum
spm_rate_card_add(PG_FUNCTION_ARGS)
{
	Card	   *card = PG_ARGISNULL(0) ? NULL : (Card *) PG_GETARG_POINTER(0);
	CardRow		row = {0};

	if (card == NULL)
	{
		card = (Card *) spm_live_new(fcinfo, LIVE_CARD, sizeof(Card));
		card->payee_type = spm_key_type(get_fn_expr_argtype(fcinfo->flinfo, 1), "payee");
		spm_keys_init(&card->payees, card->live.context, card->payee_type == KEY_TEXT);
		spm_keys_init(&card->schedules, card->live.context, true);
	}
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(card);	/* nobody's */
	row.payee = key_number(&card->payees, card->payee_type, PG_GETARG_DATUM(1));
	row.day = PG_ARGISNULL(2) ? DATEVAL_NOBEGIN : PG_GETARG_DATEADT(2);
	if (!PG_ARGISNULL(2) && DATE_NOT_FINITE(row.day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the day of a rate card must be finite"),
				 errhint("Leave it null for a schedule that holds in every period.")));
	if (!PG_ARGISNULL(3) && !(PG_NARGS() > 4 && PG_ARGISNULL(4)))
	{
		RateSchedule *schedule = PG_GETARG_RATE_SCHEDULE(3);
		Pointer		given = DatumGetPointer(PG_GETARG_DATUM(3));

		if (PG_NARGS() > 4 && !keeps_quota(schedule, PG_GETARG_DATUM(4), &row))
			schedule = (RateSchedule *) DatumGetPointer(DirectFunctionCall2(spm_for_quota,
																			PointerGetDatum(schedule),
																			PG_GETARG_DATUM(4)));
		else if (PG_NARGS() == 4)
			spm_schedule_absolute(schedule);
		row.schedule = schedule_number(card, schedule);
		if ((Pointer) schedule != given)
			pfree(schedule);
	}
	if (card->nrows == card->room)
	{
		if (card->room > PG_UINT32_MAX / 4)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many rows in one rate card")));
		card->room = Max(256, card->room * 2);
		card->rows = grown(card->live.context, card->rows, card->room * sizeof(CardRow));
	}
	card->rows[card->nrows++] = row;
	PG_RETURN_POINTER(card);
}

/* NULL where there was no row. */
Datum
spm_live_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(UInt64GetDatum(((Live *) PG_GETARG_POINTER(0))->id));
}

/* ---------------------------------------------------------------------- splits */

PG_FUNCTION_INFO_V1(spm_splits_add);

/* Brings all shares to a finer scale. */
static void
rescale_shares(Splits *splits, int scale)
{
	for (uint32 i = 0; i < splits->nshares; i++)
	{
		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		if (!spmk_rescale(&splits->shares[i].share, splits->scale, scale))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("shares have too many digits")));
	}
	splits->scale = scale;
}

/* spm._splits_add(state, deal, payee, share) */
Datum
spm_splits_add(PG_FUNCTION_ARGS)
{
	Splits	   *splits = PG_ARGISNULL(0) ? NULL : (Splits *) PG_GETARG_POINTER(0);
	SplitShare	share;
	int			scale;

	if (splits == NULL)
	{
		splits = (Splits *) spm_live_new(fcinfo, LIVE_SPLITS, sizeof(Splits));
		splits->deal_type = spm_key_type(get_fn_expr_argtype(fcinfo->flinfo, 1), "deal");
		splits->payee_type = spm_key_type(get_fn_expr_argtype(fcinfo->flinfo, 2), "payee");
		spm_keys_init(&splits->deals, splits->live.context, splits->deal_type == KEY_TEXT);
		spm_keys_init(&splits->payees, splits->live.context, splits->payee_type == KEY_TEXT);
	}
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(splits);
	if (PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a split has no %s", PG_ARGISNULL(2) ? "payee" : "share")));
	if (!spm_amount_at_scale(PG_GETARG_DATUM(3), splits->scale, &share.share))
	{
		if (!spm_numeric_to_int(PG_GETARG_DATUM(3), &share.share, &scale))
		{
			spm_dec_arg(PG_GETARG_DATUM(3), "share");
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("shares have too many digits")));
		}
		if (scale > splits->scale)
			rescale_shares(splits, scale);
		else if (!spmk_rescale(&share.share, scale, splits->scale))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("shares have too many digits")));
	}
	if (share.share < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share must not be negative")));
	share.deal = key_number(&splits->deals, splits->deal_type, PG_GETARG_DATUM(1));
	share.payee = key_number(&splits->payees, splits->payee_type, PG_GETARG_DATUM(2));
	if (splits->nshares == splits->room)
	{
		if (splits->room > PG_UINT32_MAX / 4)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many splits")));
		splits->room = Max(1024, splits->room * 2);
		splits->shares = grown(splits->live.context, splits->shares, splits->room * sizeof(SplitShare));
	}
	splits->shares[splits->nshares++] = share;
	PG_RETURN_POINTER(splits);
}

/* By payee: which of two gets the odd cent must not hang on who came first. */
static int
compare_payees(const void *a, const void *b, void *arg)
{
	const Splits *splits = arg;
	const SplitShare *x = a;
	const SplitShare *y = b;
	const Keys *keys = &splits->payees;
	int64		xv = keys->values[x->payee - 1];
	int64		yv = keys->values[y->payee - 1];

	if (keys->is_text && x->payee != y->payee)
	{
		uint32		xlen = keys->lengths[x->payee - 1];
		uint32		ylen = keys->lengths[y->payee - 1];
		int			order = memcmp(keys->bytes + xv, keys->bytes + yv, Min(xlen, ylen));

		if (order != 0)
			return order;
		return xlen < ylen ? -1 : 1;
	}
	if (xv != yv)
		return xv < yv ? -1 : 1;
	return x->share < y->share ? 1 : x->share > y->share ? -1 : 0;
}

/* Puts the shares of a deal side by side, in order of payee. */
void
spm_splits_ready(Splits *splits)
{
	MemoryContext context = splits->live.context;
	uint32		ndeals = splits->deals.map.count;
	bool		is_ordered = true;

	if (splits->first != NULL)
		return;
	splits->first = MemoryContextAllocExtended(context, ((Size) ndeals + 1) * sizeof(uint32),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	splits->book_payees = MemoryContextAllocExtended(context, ((Size) splits->payees.map.count + 1) * sizeof(uint32),
													 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < splits->nshares; i++)
	{
		splits->first[splits->shares[i].deal]++;
		is_ordered &= i == 0 || splits->shares[i].deal >= splits->shares[i - 1].deal;
	}
	for (uint32 i = 0; i < ndeals; i++)
		splits->first[i + 1] += splits->first[i];
	if (!is_ordered)
	{
		SplitShare *sorted = MemoryContextAllocHuge(context, splits->room * sizeof(SplitShare));
		uint32	   *next = MemoryContextAllocHuge(context, ((Size) ndeals + 1) * sizeof(uint32));

		memcpy(next, splits->first, ((Size) ndeals + 1) * sizeof(uint32));
		for (uint32 i = 0; i < splits->nshares; i++)
		{
			if ((i & 0xffff) == 0xffff)
				CHECK_FOR_INTERRUPTS();
			sorted[next[splits->shares[i].deal - 1]++] = splits->shares[i];
		}
		pfree(next);
		pfree(splits->shares);
		splits->shares = sorted;
	}
	for (uint32 i = 0; i < ndeals; i++)
	{
		SplitShare *shares = splits->shares + splits->first[i];
		uint32		n = splits->first[i + 1] - splits->first[i];
		bool		any = false;

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		for (uint32 k = 0; k < n; k++)
			any |= shares[k].share > 0;
		if (!any)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no share of deal %s is greater than 0", spm_keys_show(&splits->deals, i + 1))));
		for (uint32 k = 1; k < n; k++)
		{
			if (compare_payees(&shares[k - 1], &shares[k], splits) > 0)
			{
				qsort_arg(shares, n, sizeof(SplitShare), compare_payees, splits);
				break;
			}
		}
	}
}

/* ------------------------------------------------------------------ a tree */

PG_FUNCTION_INFO_V1(spm_tree_add);
PG_FUNCTION_INFO_V1(spm_rolled_up);

/* spm._tree_add(state, payee, parent) */
Datum
spm_tree_add(PG_FUNCTION_ARGS)
{
	Tree	   *tree = PG_ARGISNULL(0) ? NULL : (Tree *) PG_GETARG_POINTER(0);
	uint32		child;
	uint32		parent;
	uint32		most;

	if (tree == NULL)
	{
		tree = (Tree *) spm_live_new(fcinfo, LIVE_TREE, sizeof(Tree));
		tree->type = spm_key_type(get_fn_expr_argtype(fcinfo->flinfo, 1), "payee");
		tree->parent_type = spm_key_type(get_fn_expr_argtype(fcinfo->flinfo, 2), "parent");
		if ((tree->type == KEY_TEXT) != (tree->parent_type == KEY_TEXT))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("payee and parent differ in type"),
					 errhint("Cast both to text, or both to bigint.")));
		spm_keys_init(&tree->keys, tree->live.context, tree->type == KEY_TEXT);
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(tree);	/* the top of the tree */
	child = key_number(&tree->keys, tree->type, PG_GETARG_DATUM(1));
	parent = key_number(&tree->keys, tree->parent_type, PG_GETARG_DATUM(2));
	most = Max(child, parent);
	if (most > tree->room)
	{
		uint32		room = Max(1024, Max(most, tree->room * 2));

		tree->parents = grown(tree->live.context, tree->parents, room * sizeof(uint32));
		memset(tree->parents + tree->room, 0, (room - tree->room) * sizeof(uint32));
		tree->room = room;
	}
	if (tree->parents[child - 1] != 0 && tree->parents[child - 1] != parent)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("payee %s has two parents", spm_keys_show(&tree->keys, child)),
				 errdetail("One is %s, another %s.",
						   spm_keys_show(&tree->keys, tree->parents[child - 1]),
						   spm_keys_show(&tree->keys, parent))));
	tree->parents[child - 1] = parent;
	PG_RETURN_POINTER(tree);
}

/*
 * The members of a tree, each after all that are below it; a circle leaves
 * some out, and is refused.
 */
static uint32 *
from_below(const Tree *tree)
{
	uint32		n = tree->keys.map.count;
	uint32	   *order = palloc_extended((Size) Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint32	   *below = palloc_extended((Size) Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32		count = 0;

	for (uint32 i = 0; i < n; i++)
	{
		if (tree->parents[i] != 0)
			below[tree->parents[i] - 1]++;
	}
	for (uint32 i = 0; i < n; i++)
	{
		if (below[i] == 0)
			order[count++] = i + 1;
	}
	for (uint32 i = 0; i < count; i++)
	{
		uint32		parent = tree->parents[order[i] - 1];

		if (parent != 0 && --below[parent - 1] == 0)
			order[count++] = parent;
	}
	for (uint32 i = 0; count < n && i < n; i++)
	{
		if (below[i] != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the tree of payees has a circle"),
					 errdetail("Payee %s is above itself, or above somebody who is.", spm_keys_show(&tree->keys, i + 1))));
	}
	pfree(below);
	return order;
}

/*
 * spm.rolled_up(book, tree): what everybody has with all below, by period.
 * The new book holds totals only and lives in the memory of this call's query.
 */
Datum
spm_rolled_up(PG_FUNCTION_ARGS)
{
	Book	   *book = spm_book_of(PG_GETARG_DATUM(0));
	Tree	   *tree = (Tree *) spm_live_find(PG_GETARG_DATUM(1), LIVE_TREE);
	uint32		n = tree->keys.map.count;
	uint32		nperiods = book->ordinals.count;
	Book	   *sums;
	uint32	   *order;
	uint32	   *numbers;

	if ((book->payee_type == KEY_TEXT) != (tree->type == KEY_TEXT))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("keys of the book and of the tree differ in type"),
				 errhint("Cast both to text, or both to bigint.")));
	order = from_below(tree);
	sums = (Book *) spm_live_under(fcinfo->flinfo->fn_mcxt, LIVE_BOOK, sizeof(Book));
	spm_book_init(sums, false, book->payee_type, KEY_INT8, PointerGetDatum(book->periods), book->by_grain, NULL);
	spm_book_set_scale(sums, book->scale, book->shown);
	sums->ndeals = book->ndeals;

	/* everybody's own, under the same numbers */
	for (uint32 i = 1; i <= book->payees.map.count; i++)
		spm_keys_counterpart(&sums->payees, &book->payees, i, true);
	for (uint32 i = 0; i < nperiods; i++)
		spm_book_period_of_ordinal(sums, book->ordinal[i]);
	for (uint32 i = 1; i <= book->ngroups; i++)
	{
		const BookGroup *group = &book->groups[i - 1];
		int64		sum = 0;
		Numeric		wide = spm_book_total(book, i, &sum);

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		spm_book_add_total(sums, spm_book_group(sums, group->payee, group->period & PERIOD_MASK),
						   sum, wide, group->ndeals);
	}

	/* then from below, each sum to the one above */
	numbers = palloc_extended((Size) Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 1; i <= n; i++)
		numbers[i - 1] = spm_keys_counterpart(&sums->payees, &tree->keys, i, true);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		parent = tree->parents[order[i] - 1];

		if (parent == 0)
			continue;
		if ((i & 0x3ff) == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint32 period = 1; period <= nperiods; period++)
		{
			uint32		group = spm_book_find_group(sums, numbers[order[i] - 1], period);
			uint32		above;
			int64		sum = 0;
			Numeric		wide;

			if (group == 0)
				continue;
			above = spm_book_group(sums, numbers[parent - 1], period);
			wide = spm_book_total(sums, group, &sum);
			spm_book_add_total(sums, above, sum, wide, sums->groups[group - 1].ndeals);
		}
	}
	pfree(order);
	pfree(numbers);
	PG_RETURN_DATUM(UInt64GetDatum(sums->live.id));
}
