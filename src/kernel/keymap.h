/*
 * keymap.h
 *	  Numbers for keys in the order in which they are first seen: 1, 2, 3 ...
 *
 * Keys that lie close together are looked up in an array, others by hash.  All
 * memory is the caller's: spmk_map_add() says when there is too little of it.
 */
#ifndef SPMK_KEYMAP_H
#define SPMK_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SpmKeySlot
{
	int64_t		key;
	uint32_t	number;			/* 0: free */
	uint32_t	place;			/* the caller's: where more is known of the key */
} SpmKeySlot;

typedef struct SpmKeyMap
{
	uint32_t	count;			/* numbers given; the caller may give some to what is no key */
	uint32_t	nkeys;
	int64_t		least;			/* of the keys */
	int64_t		most;
	int64_t		base;			/* of the array: the key of dense[0] */
	uint64_t	range;
	uint32_t   *dense;
	uint64_t	nslots;			/* of the hash, a power of 2; 0: an array */
	SpmKeySlot *slots;
} SpmKeyMap;

extern bool spmk_map_wants_dense(const SpmKeyMap *map, int64_t key, int64_t *base, uint64_t *range);
extern void spmk_map_move_dense(SpmKeyMap *map, int64_t base, uint64_t range, uint32_t *dense);
extern void spmk_map_move_hash(SpmKeyMap *map, uint64_t nslots, SpmKeySlot *slots);
extern bool spmk_map_is_full(const SpmKeyMap *map, int64_t key);
extern uint32_t spmk_map_put(SpmKeyMap *map, int64_t key);

static inline uint64_t
spmk_mix(uint64_t key)
{
	key ^= key >> 32;
	key *= UINT64_C(0x9E3779B97F4A7C15);
	key ^= key >> 29;
	return key;
}

/* The number of a key, or 0. */
static inline uint32_t
spmk_map_find(const SpmKeyMap *map, int64_t key)
{
	uint64_t	at;

	if (map->nslots == 0)
	{
		at = (uint64_t) key - (uint64_t) map->base;
		return at < map->range ? map->dense[at] : 0;
	}
	for (at = spmk_mix(key) & (map->nslots - 1); map->slots[at].number != 0;
		 at = (at + 1) & (map->nslots - 1))
	{
		if (map->slots[at].key == key)
			return map->slots[at].number;
	}
	return 0;
}

static inline void
spmk_map_prefetch(const SpmKeyMap *map, int64_t key)
{
	if (map->nslots == 0)
	{
		uint64_t	at = (uint64_t) key - (uint64_t) map->base;

		if (at < map->range)
			__builtin_prefetch(&map->dense[at]);
	}
	else
		__builtin_prefetch(&map->slots[spmk_mix(key) & (map->nslots - 1)]);
}

#endif
