/*
 * book_scan.h
 *	  Scans of books, and books that read their table themselves.
 */
#ifndef SPM_BOOK_SCAN_H
#define SPM_BOOK_SCAN_H

#include "postgres.h"

#include "fmgr.h"

extern Datum spm_book_support(PG_FUNCTION_ARGS);
extern void spm_book_scan_init(void);

#endif
