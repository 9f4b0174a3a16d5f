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

extern void spm_book_begin(Book *book, bool has_deals, Oid payee_type, Oid deal_type, Oid periods_type,
						   Datum periods, Splits *splits);

#endif
