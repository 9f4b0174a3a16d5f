/*
 * book_rows.c
 *	  A book as rows: spm.book_deal() and spm.book_period().
 *
 * In FROM they are planned as scans of their own (book_scan.c) that hand on
 * row by row; anywhere else they are ordinary functions and keep their rows.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"

#include "book_rows.h"

/* -------------------------------------------------------------------- columns */

static Datum
text_column(RowRoom *room, int which, const char *text, uint32 len)
{
	Size		size = len + VARHDRSZ;
	char	   *at;

	if (room->text_size[which] < size)
	{
		MemoryContext context = room->reader->context;

		if (room->text[which] != NULL)
			pfree(room->text[which]);
		room->text_size[which] = Max(size, 64) * 2;
		room->text[which] = MemoryContextAlloc(context, room->text_size[which]);
	}
	at = room->text[which];
	SET_VARSIZE(at, size);
	memcpy(VARDATA(at), text, len);
	return PointerGetDatum(at);
}

static Datum
int_as_text(RowRoom *room, int which, int64 value)
{
	char		digits[MAXINT8LEN + 1];
	int			len = pg_lltoa(value, digits);

	return text_column(room, which, digits, len);
}

/* An amount of money with the decimals of the book. */
static inline Datum
money(RowRoom *room, int which, int64 value)
{
	const Book *book = room->reader->book;

	if (likely(book->shown == book->scale))
	{
		spm_int_to_numeric_aligned(value, book->scale, room->numbers[which]);
		return PointerGetDatum(room->numbers[which]);
	}
	return DirectFunctionCall2(numeric_round, NumericGetDatum(dec_from_int(value, book->scale)),
							   Int32GetDatum(book->shown));
}

static Datum
commission(RowRoom *room, int i, bool *is_null)
{
	Reader	   *reader = room->reader;

	if (likely(reader->states[i] == ROW_INT))
	{
		spm_int_to_numeric_aligned(reader->commissions[i], reader->places, room->numbers[2]);
		return PointerGetDatum(room->numbers[2]);
	}
	*is_null = reader->states[i] == ROW_UNRATED || reader->wide_commissions[i] == NULL;
	return *is_null ? (Datum) 0 : NumericGetDatum(reader->wide_commissions[i]);
}

/* What both kinds of rows begin with. */
static Datum
group_column(RowRoom *room, const BookGroup *group, int column, bool *is_null)
{
	const Book *book = room->reader->book;
	const Keys *keys = &book->payees;
	DateADT		start = 0;
	DateADT		end = 0;

	switch (column)
	{
		case 1:
			*is_null = keys->is_text || group->payee == keys->null_number;
			return *is_null ? (Datum) 0 : Int64GetDatum(keys->values[group->payee - 1]);
		case 2:
			*is_null = group->payee == keys->null_number;
			if (*is_null)
				return (Datum) 0;
			if (!keys->is_text)
				return int_as_text(room, 0, keys->values[group->payee - 1]);
			return text_column(room, 0, keys->bytes + keys->values[group->payee - 1],
							   keys->lengths[group->payee - 1]);
		default:
			*is_null = !spm_book_period_span(book, group->period & PERIOD_MASK, &start, &end);
			return DateADTGetDatum(column == 3 ? start : end);
	}
}

/* A column, from 1, of the row that the reader stands on. */
Datum
spm_row_column(RowRoom *room, int column, bool *is_null)
{
	Reader	   *reader = room->reader;
	int			i = reader->row;
	const BookGroup *group = &reader->book->groups[reader->groups[i] - 1];
	bool		is_wide = reader->states[i] == ROW_WIDE;

	*is_null = false;
	if (column <= 4)
		return group_column(room, group, column, is_null);
	if (!reader->by_deal)
	{
		switch (column)
		{
			case 5:
				return Int64GetDatum(group->ndeals);
			case 6:
				return is_wide ? NumericGetDatum(reader->wide_totals[i]) : money(room, 1, reader->totals[i]);
			default:
				return commission(room, i, is_null);
		}
	}
	switch (column)
	{
		case 5:
			*is_null = reader->book->deal_type == KEY_TEXT;
			return *is_null ? (Datum) 0 : Int64GetDatum(reader->keys[i]);
		case 6:
			if (reader->book->deal_type == KEY_TEXT)
			{
				uint32		len;
				const char *text = reader->bytes ?
					spm_kept_text(reader->bytes, reader->keys[i], &len) :
					spm_kept_text((const char *) (uintptr_t) reader->keys[i], 0, &len);

				return text_column(room, 1, text, len);
			}
			return int_as_text(room, 1, reader->keys[i]);
		case 7:
			return DateADTGetDatum(reader->days[i]);
		case 8:
			return is_wide ? NumericGetDatum(reader->wide_amounts[i]) : money(room, 0, reader->amounts[i]);
		case 9:
			return is_wide ? NumericGetDatum(reader->wide_totals[i]) : money(room, 1, reader->totals[i]);
		default:
			return commission(room, i, is_null);
	}
}

/*
 * A reader from the arguments of either function: book, card, schedule,
 * places, rounding; NULL if there is no book.
 */
Reader *
spm_rows_reader(const NullableDatum *args, bool by_deal, MemoryContext context)
{
	Reader	   *reader;
	Card	   *card;
	const RateSchedule *schedule = NULL;

	if (args[0].isnull)
		return NULL;
	if (args[3].isnull || args[4].isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("places and rounding must not be null")));
	card = args[1].isnull ? NULL : (Card *) spm_live_find(args[1].value, LIVE_CARD);
	if (!args[2].isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		schedule = (RateSchedule *) PG_DETOAST_DATUM_COPY(args[2].value);
		MemoryContextSwitchTo(old);
	}
	reader = MemoryContextAlloc(context, sizeof(Reader));
	spm_reader_init(reader, spm_book_of(args[0].value), card, schedule,
					spm_places_arg(DatumGetInt32(args[3].value)),
					spm_rounding_arg(DatumGetTextPP(args[4].value)), by_deal, context);
	return reader;
}

/* ---------------------------------------------------------- ordinary functions */

PG_FUNCTION_INFO_V1(spm_book_deal);
PG_FUNCTION_INFO_V1(spm_book_period);

static Datum
all_rows(FunctionCallInfo fcinfo, bool by_deal)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			ncolumns = by_deal ? SPM_DEAL_COLUMNS : SPM_PERIOD_COLUMNS;
	Datum		values[SPM_DEAL_COLUMNS];
	bool		nulls[SPM_DEAL_COLUMNS];
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spm reader", ALLOCSET_DEFAULT_SIZES);
	RowRoom		room = {0};

	InitMaterializedSRF(fcinfo, 0);
	room.reader = spm_rows_reader(fcinfo->args, by_deal, context);
	while (room.reader != NULL && spm_reader_next(room.reader))
	{
		for (int i = 0; i < ncolumns; i++)
			values[i] = spm_row_column(&room, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	MemoryContextDelete(context);
	return (Datum) 0;
}

/* spm.book_deal(book, card, schedule, places, rounding) */
Datum
spm_book_deal(PG_FUNCTION_ARGS)
{
	return all_rows(fcinfo, true);
}

/* spm.book_period(book, card, schedule, places, rounding) */
Datum
spm_book_period(PG_FUNCTION_ARGS)
{
	return all_rows(fcinfo, false);
}
