/*
 * spm.c
 *	  The module itself.
 */
#include "postgres.h"

#include "fmgr.h"

#include "book_scan.h"
#include "territory_book.h"

PG_MODULE_MAGIC;

extern void _PG_init(void);

void
_PG_init(void)
{
	spm_book_scan_init();
	spm_book_source_init();
	spm_book_heap_init();
	spm_book_total_init();
	spm_territory_book_init();
}
