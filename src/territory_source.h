/*
 * territory_source.h
 *	  Rules and their conditions as the tables of a model have them, for the compiler.
 */
#ifndef SPM_TERRITORY_SOURCE_H
#define SPM_TERRITORY_SOURCE_H

#include "territory_book.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

/* A rule as it is in the table. */
typedef struct RawRule
{
	Rule		rule;
	bool		is_inherited;
	bool		is_wanted;		/* else it is read only for those below it */
	uint32		first;			/* its conditions */
	uint32		n;
	uint32		first_circle;
	uint32		ncircles;
	uint32		day;			/* condition on the day, or UINT32_MAX */
	uint32		nattributes;
	uint32		level;			/* of the values of trees that it asks */
} RawRule;

/* Conditions, and more as they come. */
typedef struct Sources
{
	TerritoryBook *book;
	SpmRuleSource source;
	SpmRuleCondition *conditions;
	uint32		condition_room;
	SpmRuleInterval *intervals;
	uint32		ninterval;
	uint32		interval_room;
	SpmRuleCircle *circles;
	uint32		circle_room;
	SpmRuleInput *boxes;
	uint32		box_room;
	uint32	   *uses;
	uint32		nuse;
	uint32		use_room;
	uint32	   *circle_uses;
	uint32		ncircle_use;
	uint32		circle_use_room;
	RawRule    *rules;
	uint32		nrules;
	bool		ignores_days;
} Sources;

/* What lies above a territory. */
typedef struct Above
{
	int32		territory_id;	/* hash key */
	int32		parent_id;		/* 0: the top */
} Above;

#define GROW(array, n, room) \
	do { \
		if ((n) >= (room)) \
		{ \
			Size		room_ = Max((Size) (room) * 2, (Size) 64); \
			if (room_ > PG_INT32_MAX) \
				spm_sources_refuse_size(); \
			(array) = (array) == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, room_ * sizeof(*(array))) : \
				repalloc_huge(array, room_ * sizeof(*(array))); \
			(room) = (uint32) room_; \
		} \
	} while (0)

/* territory_source.c */
extern void spm_sources_refuse_size(void);
extern void spm_sources_read(Sources *s, const int32 *rules, int nrules, SpmRuleOrder *orders);
extern HTAB *spm_sources_parents(int32 model_id);
extern SpmRuleCondition *spm_sources_add_condition(Sources *s, uint32 dim, bool is_negated, bool is_null);
extern void spm_sources_add_interval(Sources *s, SpmRuleKey from, SpmRuleKey to, int flags);

#endif
