/*
 * compat.h
 *	  What differs between the PostgreSQL versions that spm builds on (15 to 18).
 *	  PG_VERSION_NUM is looked at nowhere else.
 */
#ifndef SPM_COMPAT_H
#define SPM_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "spm needs PostgreSQL 15 or later"
#endif

/* PostgreSQL 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif
