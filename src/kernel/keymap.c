/*
 * keymap.c
 *	  Numbers for keys in the order in which they are first seen.
 */
#include "keymap.h"

#include <string.h>

#define LEAST_RANGE		1024
#define FREE_RANGE		32768	/* whatever the number of keys */

/* An array may have this many places for each key that is in it. */
#define PLACES_PER_KEY	32

/* Whether the key has no place yet, so that memory is needed before it is put. */
bool
spmk_map_is_full(const SpmKeyMap *map, int64_t key)
{
	if (map->nslots == 0)
		return (uint64_t) key - (uint64_t) map->base >= map->range;
	return (uint64_t) map->count + 1 > map->nslots / 2;
}

/*
 * Whether an array is the thing when this key comes, and of which range: it
 * reaches twice as far as it must, on the side to which keys go.  Keys that
 * began far apart may have come closer since, as more of them were seen.
 */
bool
spmk_map_wants_dense(const SpmKeyMap *map, int64_t key, int64_t *base, uint64_t *range)
{
	uint64_t	most = (uint64_t) (map->count + 1) * PLACES_PER_KEY;
	int64_t		first = key;
	int64_t		last = key;
	uint64_t	size;
	uint64_t	slack;

	if (most < FREE_RANGE)
		most = FREE_RANGE;
	if (map->nkeys > 0)
	{
		if (map->least < first)
			first = map->least;
		if (map->most > last)
			last = map->most;
	}
	size = (uint64_t) last - (uint64_t) first;
	if (size >= most)
		return false;
	size++;
	slack = size < LEAST_RANGE ? LEAST_RANGE : size;
	if (map->nkeys == 0)
	{
		/* the first key: others may come on both sides */
		*base = first < INT64_MIN + LEAST_RANGE / 4 ? INT64_MIN : first - LEAST_RANGE / 4;
		*range = LEAST_RANGE;
	}
	else if (key == first)
	{
		*base = first < INT64_MIN + (int64_t) slack ? INT64_MIN : first - (int64_t) slack;
		*range = (uint64_t) last - (uint64_t) *base + 1;
	}
	else
	{
		*base = first;
		*range = size + slack;
	}
	/* no key lies beyond the last number there is */
	if (*range - 1 > (uint64_t) INT64_MAX - (uint64_t) *base)
		*range = (uint64_t) INT64_MAX - (uint64_t) *base + 1;
	return true;
}

/* To an array, zeroed by the caller, that holds all keys there are. */
void
spmk_map_move_dense(SpmKeyMap *map, int64_t base, uint64_t range, uint32_t *dense)
{
	if (map->nslots != 0)
	{
		for (uint64_t i = 0; i < map->nslots; i++)
		{
			if (map->slots[i].number != 0)
				dense[(uint64_t) map->slots[i].key - (uint64_t) base] = map->slots[i].number;
		}
		map->nslots = 0;
		map->slots = NULL;
	}
	else if (map->nkeys > 0)
	{
		uint64_t	from = (uint64_t) map->least - (uint64_t) map->base;

		memcpy(dense + ((uint64_t) map->least - (uint64_t) base), map->dense + from,
			   ((uint64_t) map->most - (uint64_t) map->least + 1) * sizeof(uint32_t));
	}
	map->base = base;
	map->range = range;
	map->dense = dense;
}

static void
put_slot(SpmKeyMap *map, int64_t key, uint32_t number)
{
	uint64_t	at = spmk_mix(key) & (map->nslots - 1);

	while (map->slots[at].number != 0)
		at = (at + 1) & (map->nslots - 1);
	map->slots[at].key = key;
	map->slots[at].number = number;
}

/* To a hash, zeroed by the caller, of more than twice as many slots as keys. */
void
spmk_map_move_hash(SpmKeyMap *map, uint64_t nslots, SpmKeySlot *slots)
{
	SpmKeyMap	old = *map;

	map->nslots = nslots;
	map->slots = slots;
	if (old.nslots == 0)
	{
		for (uint64_t i = 0; i < old.range; i++)
		{
			if (old.dense[i] != 0)
				put_slot(map, (int64_t) ((uint64_t) old.base + i), old.dense[i]);
		}
		map->dense = NULL;
		map->range = 0;
		return;
	}
	for (uint64_t i = 0; i < old.nslots; i++)
	{
		if (old.slots[i].number != 0)
			put_slot(map, old.slots[i].key, old.slots[i].number);
	}
}

/* The number of a key that is not there, and for which there is room. */
uint32_t
spmk_map_put(SpmKeyMap *map, int64_t key)
{
	uint32_t	number = ++map->count;

	if (map->nkeys == 0 || key < map->least)
		map->least = key;
	if (map->nkeys == 0 || key > map->most)
		map->most = key;
	map->nkeys++;
	if (map->nslots == 0)
		map->dense[(uint64_t) key - (uint64_t) map->base] = number;
	else
		put_slot(map, key, number);
	return number;
}
