/*
 * book_add.c
 *	  The aggregate spm.book: rows into a book, with or without splits.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "book_add.h"
#include "kernel/split.h"

/* ---------------------------------------------------------- a row that is read */

/* Into the book, for its own payee. */
static void
add_read(Book *book, const ReadRow *row)
{
	int64		amount = row->amount;
	int64		deal = row->deal;

	if (row->wide == NULL)
		spm_book_set_scale(book, row->scale, row->scale);
	if (!book->is_wide && row->wide == NULL && spmk_rescale(&amount, row->scale, book->scale))
	{
		if (row->text != NULL)
			deal = spm_book_keep_text(book, row->text, row->text_len);
		if (row->payee_is_null)
			spm_book_add_null_payee(book, row->day, Int64GetDatum(deal), amount);
		else
			spm_book_add(book, row->payee, row->day, deal, amount);
		return;
	}
	{
		Numeric		wide = row->wide ? row->wide : dec_from_int(row->amount, row->scale);
		uint32		payee = row->payee_is_null ? spm_keys_null(&book->payees) :
			book->payee_type == KEY_TEXT ? (uint32) row->payee : spm_keys_add(&book->payees, row->payee);

		spm_book_set_scale(book, book->scale, row->scale);
		if (book->has_deals && !book->is_wide)
		{
			spm_book_flush(book);
			book->is_wide = true;
			spm_book_next_chunk(book);
		}
		if (row->text != NULL)
			deal = spm_book_keep_text(book, row->text, row->text_len);
		spm_book_add_wide(book, payee, row->day, Int64GetDatum(deal), wide);
	}
}

/*
 * The parts of a split amount: largest remainder, in units of its own last
 * decimal, cents at least, so that they add up to it whatever else the book has.
 */
static void
add_parts(Book *book, const ReadRow *row, uint32 number)
{
	Splits	   *splits = book->splits;
	uint32		from = splits->first[number - 1];
	int			n = splits->first[number] - from;
	const SplitShare *shares = splits->shares + from;
	int			places = Max(row->scale, 2);
	int64		units = row->amount;
	int64		few[16];
	int64	   *parts = n <= lengthof(few) ? few : palloc(n * sizeof(int64));
	Dec		   *wide_parts = NULL;
	int64	   *weights = palloc(n * sizeof(int64));

	for (int i = 0; i < n; i++)
		weights[i] = shares[i].share;
	if (row->wide != NULL || !spmk_rescale(&units, row->scale, places) ||
		!spmk_split_int(units, weights, n, parts))
	{
		Dec			amount = row->wide ? row->wide : dec_from_int(row->amount, row->scale);
		Dec		   *wide_weights = palloc(n * sizeof(Dec));

		wide_parts = palloc(n * sizeof(Dec));
		for (int i = 0; i < n; i++)
			wide_weights[i] = dec_from_int(weights[i], splits->scale);
		spmk_split(dec_quotient(dec_shift(amount, places), dec_from_int(1, 0)), wide_weights, n,
				   wide_parts, palloc(n * sizeof(Dec)), palloc(n * sizeof(int)));
	}
	for (int i = 0; i < n; i++)
	{
		uint32	   *payee = &splits->book_payees[shares[i].payee - 1];
		ReadRow		part = *row;

		if (*payee == 0)
			*payee = spm_keys_counterpart(&book->payees, &splits->payees, shares[i].payee, true);
		part.payee_is_null = *payee == book->payees.null_number;
		part.payee = book->payee_type == KEY_TEXT ? *payee : book->payees.values[*payee - 1];
		part.scale = places;
		part.amount = parts[i];
		if (wide_parts != NULL)
			part.wide = DatumGetNumeric(DirectFunctionCall2(numeric_round,
															NumericGetDatum(dec_shift(wide_parts[i], -places)),
															Int32GetDatum(places)));
		add_read(book, &part);
	}
	pfree(weights);
	if (parts != few)
		pfree(parts);
}

/* Looks up the deals that wait, all at once. */
static void
settle_waiting(Book *book)
{
	Splits	   *splits = book->splits;
	uint32		numbers[BOOK_BATCH];
	int			n = book->nwaiting;

	book->nwaiting = 0;
	for (int i = 0; i < n; i++)
		spmk_map_prefetch(&splits->deals.map, book->waiting[i].deal);
	for (int i = 0; i < n; i++)
	{
		numbers[i] = spmk_map_find(&splits->deals.map, book->waiting[i].deal);
		if (numbers[i] != 0)
			__builtin_prefetch(&splits->first[numbers[i] - 1]);
	}
	for (int i = 0; i < n; i++)
	{
		if (numbers[i] != 0)
			__builtin_prefetch(&splits->shares[splits->first[numbers[i] - 1]]);
	}
	for (int i = 0; i < n; i++)
	{
		const ReadRow *row = &book->waiting[i];

		if (numbers[i] != 0)
			add_parts(book, row, numbers[i]);
		else if (likely(row->scale == book->scale && row->wide == NULL && !book->is_wide && !row->payee_is_null))
			spm_book_add(book, row->payee, row->day, row->deal, row->amount);
		else
			add_read(book, row);
		if (row->wide != NULL)
			pfree(row->wide);
	}
}

/* One row of whatever kind. */
void
spm_book_add_row(Book *book, bool payee_is_null, Datum payee, DateADT day, Datum deal, Datum amount)
{
	ReadRow		row = {0};

	row.payee_is_null = payee_is_null;
	row.day = day;
	if (payee_is_null)
		row.payee = 0;
	else if (book->payee_type == KEY_TEXT)
	{
		text	   *key = DatumGetTextPP(payee);

		row.payee = spm_keys_text(&book->payees, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true);
	}
	else
		row.payee = spm_key_int(book->payee_type, payee);
	if (book->has_deals && book->deal_type == KEY_TEXT)
	{
		text	   *key = DatumGetTextPP(deal);

		row.text = VARDATA_ANY(key);
		row.text_len = VARSIZE_ANY_EXHDR(key);
	}
	else if (book->has_deals)
		row.deal = spm_key_int(book->deal_type, deal);
	row.scale = book->scale;
	if (!spm_amount_at_scale(amount, book->scale, &row.amount) &&
		!spm_amount_to_int(amount, &row.amount, &row.scale))
	{
		row.wide = spm_dec_arg(amount, "amount");
		row.scale = DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(row.wide)));
	}
	if (book->splits == NULL)
		add_read(book, &row);
	else if (row.text != NULL)
	{
		uint32		number = spm_keys_text(&book->splits->deals, row.text, row.text_len, false);

		if (number != 0)
			add_parts(book, &row, number);
		else
			add_read(book, &row);
	}
	else
	{
		if (row.wide != NULL)
		{
			Numeric		copy = MemoryContextAlloc(book->live.context, VARSIZE(row.wide));

			memcpy(copy, row.wide, VARSIZE(row.wide));
			row.wide = copy;
		}
		book->waiting[book->nwaiting++] = row;
		if (book->nwaiting == BOOK_BATCH)
			settle_waiting(book);
	}
}

/* No more rows come. */
void
spm_book_finish(Book *book)
{
	if (book->nwaiting > 0)
		settle_waiting(book);
	spm_book_flush(book);
}

/* -------------------------------------------------------------- the aggregate */

PG_FUNCTION_INFO_V1(spm_book_add_amount);
PG_FUNCTION_INFO_V1(spm_book_add_deal);
PG_FUNCTION_INFO_V1(spm_book_final);

void
spm_book_refuse_null(bool is_date)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("a deal has no %s", is_date ? "date" : "key"),
			 is_date ? errdetail("Without it the period of the deal is not known.") :
			 errdetail("Without it the order of the deals is not defined.")));
}

/* What types the arguments have that follow the state. */
void
spm_book_begin(Book *book, bool has_deals, Oid payee_type, Oid deal_type, Oid periods_type,
			   Datum periods, Splits *splits)
{
	KeyType		payee = spm_key_type(payee_type, "payee");
	KeyType		deal = has_deals ? spm_key_type(deal_type, "deal") : KEY_INT8;

	if (splits != NULL)
	{
		if ((payee == KEY_TEXT) != (splits->payee_type == KEY_TEXT) ||
			(deal == KEY_TEXT) != (splits->deal_type == KEY_TEXT))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("keys of the book and of its splits differ in type"),
					 errhint("Cast both to text, or both to bigint.")));
		spm_splits_ready(splits);
		book->waiting = MemoryContextAlloc(book->live.context, BOOK_BATCH * sizeof(ReadRow));
	}
	spm_book_init(book, has_deals, payee, deal, periods, periods_type == TEXTOID, splits);
}

/* The splits that a book began with must be those of every row, and still be there. */
static void
check_splits(Book *book, bool is_null, Datum id)
{
	if (is_null != (book->splits == NULL) || (!is_null && id != book->splits_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows of one book have different splits"),
				 errhint("Make one list for all rows, by a query that does not refer to the row: (SELECT spm.splits(deal, payee, share) FROM ...).")));
	if (!is_null && unlikely(book->splits_seen != spm_live_ended))
	{
		spm_live_find(id, LIVE_SPLITS);
		book->splits_seen = spm_live_ended;
	}
}

/* Whether an argument of the aggregate is the same for all rows, whatever these are. */
static bool
is_constant(FunctionCallInfo fcinfo, int arg)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	Node	   *expr;

	if (aggref == NULL || list_length(aggref->args) < arg)
		return false;
	expr = (Node *) ((TargetEntry *) list_nth(aggref->args, arg - 1))->expr;
	return IsA(expr, Const) || (IsA(expr, Param) && ((Param *) expr)->paramkind == PARAM_EXTERN);
}

static Datum
add(FunctionCallInfo fcinfo, bool has_deals)
{
	int			amount_arg = has_deals ? 4 : 3;
	int			periods_arg = amount_arg + 1;
	Book	   *book = PG_ARGISNULL(0) ? NULL : (Book *) PG_GETARG_POINTER(0);

	if (unlikely(PG_ARGISNULL(periods_arg)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("periods of a book must not be null")));
	if (unlikely(book == NULL))
	{
		Splits	   *splits = PG_NARGS() > periods_arg + 1 && !PG_ARGISNULL(periods_arg + 1) ?
			(Splits *) spm_live_find(PG_GETARG_DATUM(periods_arg + 1), LIVE_SPLITS) : NULL;

		book = (Book *) spm_live_new(fcinfo, LIVE_BOOK, sizeof(Book));
		spm_book_begin(book, has_deals, get_fn_expr_argtype(fcinfo->flinfo, 1),
					   get_fn_expr_argtype(fcinfo->flinfo, 3),
					   get_fn_expr_argtype(fcinfo->flinfo, periods_arg),
					   PG_GETARG_DATUM(periods_arg), splits);
		book->is_constant = is_constant(fcinfo, periods_arg);
		book->splits_id = splits ? PG_GETARG_DATUM(periods_arg + 1) : (Datum) 0;
		book->splits_seen = spm_live_ended;
	}
	if (PG_NARGS() > periods_arg + 1)
		check_splits(book, PG_ARGISNULL(periods_arg + 1), PG_GETARG_DATUM(periods_arg + 1));
	if (!book->is_constant)
		spm_book_check_periods(book, PG_GETARG_DATUM(periods_arg));
	if (PG_ARGISNULL(amount_arg))
		PG_RETURN_POINTER(book);
	if (unlikely(PG_ARGISNULL(2) || (has_deals && PG_ARGISNULL(3))))
		spm_book_refuse_null(PG_ARGISNULL(2));
	spm_book_take(book, PG_ARGISNULL(1), PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2),
				  has_deals ? PG_GETARG_DATUM(3) : (Datum) 0, PG_GETARG_DATUM(amount_arg));
	PG_RETURN_POINTER(book);
}

/* spm._book_add(state, payee, day, amount, periods) */
Datum
spm_book_add_amount(PG_FUNCTION_ARGS)
{
	return add(fcinfo, false);
}

/* spm._book_add(state, payee, day, deal, amount, periods [, splits]) */
Datum
spm_book_add_deal(PG_FUNCTION_ARGS)
{
	return add(fcinfo, true);
}

/* NULL where there was no row. */
Datum
spm_book_final(PG_FUNCTION_ARGS)
{
	Book	   *book;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	book = (Book *) PG_GETARG_POINTER(0);
	if (book->nwaiting > 0)
		check_splits(book, false, book->splits_id);
	spm_book_finish(book);
	PG_RETURN_DATUM(UInt64GetDatum(book->live.id));
}
