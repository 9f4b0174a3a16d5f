/*
 * book_scan.h
 *	  Scans of books, and books that read their table themselves.
 */
#ifndef SPM_BOOK_SCAN_H
#define SPM_BOOK_SCAN_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/nodes.h"

extern Datum spm_book_support(PG_FUNCTION_ARGS);
extern bool spm_is_book_call(Node *expr, bool *by_deal);
extern void spm_book_scan_init(void);
extern void spm_book_total_init(void);
extern bool spm_is_plain_book(Node *expr, Index relid, bool *has_deals);
extern void spm_book_heap_init(void);
extern void spm_book_source_init(void);

#endif
