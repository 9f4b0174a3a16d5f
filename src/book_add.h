/*
 * book_add.h
 *	  Rows on their way into a book.
 */
#ifndef SPM_BOOK_ADD_H
#define SPM_BOOK_ADD_H

#include "book.h"

/* A row with its amount read, at the scale at which it was shown. */
typedef struct ReadRow
{
	int64		payee;			/* an integer, or the number of a text */
	int64		deal;
	int64		amount;
	Numeric		wide;			/* if no integer holds the amount */
	const char *text;			/* of a deal whose key is one */
	uint32		text_len;
	int			scale;
	DateADT		day;
	bool		payee_is_null;
} ReadRow;

extern Datum spm_book_add_amount(PG_FUNCTION_ARGS);
extern Datum spm_book_add_deal(PG_FUNCTION_ARGS);
SPM_NORETURN extern void spm_book_refuse_null(bool is_date);
extern void spm_book_begin(Book *book, bool has_deals, Oid payee_type, Oid deal_type, Oid periods_type,
						   Datum periods, Splits *splits);

/* One row whose date, deal and amount are not null. */
static inline void
spm_book_take(Book *book, bool payee_is_null, Datum payee, DateADT day, Datum deal, Datum amount)
{
	int64		scaled;
	int64		payee_key;
	int64		deal_key = 0;

	if (unlikely(book->splits != NULL || book->is_wide || payee_is_null ||
				 !spm_amount_at_scale(amount, book->scale, &scaled)))
	{
		spm_book_add_row(book, payee_is_null, payee, day, deal, amount);
		return;
	}
	if (book->has_deals && book->deal_type == KEY_TEXT)
	{
		text	   *key = DatumGetTextPP(deal);

		deal_key = spm_book_keep_text(book, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
	}
	else if (book->has_deals)
		deal_key = spm_key_int(book->deal_type, deal);
	if (book->payee_type == KEY_TEXT)
	{
		text	   *key = DatumGetTextPP(payee);

		payee_key = spm_book_wait_text(book, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
	}
	else
		payee_key = spm_key_int(book->payee_type, payee);
	spm_book_add(book, payee_key, day, deal_key, scaled);
}

#endif
