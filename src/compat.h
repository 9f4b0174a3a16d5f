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

/* A function that does not return: before its declaration in 18, where C wants it; the attribute may stand there, too. */
#if PG_VERSION_NUM >= 180000
#define SPM_NORETURN pg_noreturn
#else
#define SPM_NORETURN pg_attribute_noreturn()
#endif

/* PostgreSQL 16 calls files of a relation locators, and can leave indexes that summarize alone. */
#if PG_VERSION_NUM >= 160000
#define SPM_FIRST_FILE(rel) ((rel)->rd_firstRelfilelocatorSubid)
#define SPM_INSERT_INDEX_TUPLES(result, slot, estate) ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL, false)
#else
#define SPM_FIRST_FILE(rel) ((rel)->rd_firstRelfilenodeSubid)
#define SPM_INSERT_INDEX_TUPLES(result, slot, estate) ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL)
#endif

/* Shared memory that is found by its name without being preloaded: 17 has it, 15 and 16 do with the main segment. */
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#define SPM_NAMED_SEGMENT(name, size, init, found) GetNamedDSMSegment(name, size, init, found)
#endif

/* Whether the current user may call a function; error if not. */
#if PG_VERSION_NUM >= 160000
#define SPM_MAY_EXECUTE(function) object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE)
#else
#define SPM_MAY_EXECUTE(function) pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE)
#endif
#define SPM_CHECK_EXECUTE(function) \
	do { \
		AclResult	aclresult_ = SPM_MAY_EXECUTE(function); \
		if (aclresult_ != ACLCHECK_OK) \
			aclcheck_error(aclresult_, OBJECT_FUNCTION, get_func_name(function)); \
	} while (0)

/* The visible tuples of a page of a heap, in one go; 17 reads ahead by itself, and has them one by one. */
#if PG_VERSION_NUM < 170000
#define SPM_HEAP_PAGE(scan, block) heapgetpage(scan, block)
#endif

#endif
