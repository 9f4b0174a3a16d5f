/*
 * book_rows.h
 *	  A book as rows.
 */
#ifndef SPM_BOOK_ROWS_H
#define SPM_BOOK_ROWS_H

#include "book.h"

#define SPM_DEAL_COLUMNS	10
#define SPM_PERIOD_COLUMNS	7

/* What the columns of one row lie in until the next. */
typedef struct RowRoom
{
	Reader	   *reader;
	char		numbers[3][SPM_NUMERIC_ROOM];
	char	   *text[2];
	Size		text_size[2];
} RowRoom;

extern Datum spm_row_column(RowRoom *room, int column, bool *is_null);
extern Reader *spm_rows_reader(const NullableDatum *args, bool by_deal, MemoryContext context);

extern Datum spm_book_deal(PG_FUNCTION_ARGS);
extern Datum spm_book_period(PG_FUNCTION_ARGS);

#endif
