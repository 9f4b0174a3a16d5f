/*
 * book_keys.c
 *	  Numbers for the payees and deals of a book, integers or texts.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "book.h"

KeyType
spm_key_type(Oid type, const char *what)
{
	switch (getBaseType(type))
	{
		case INT2OID:
			return KEY_INT2;
		case INT4OID:
			return KEY_INT4;
		case INT8OID:
			return KEY_INT8;
		case TEXTOID:
		case VARCHAROID:
			return KEY_TEXT;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s has type %s", what, format_type_be(type)),
			 errdetail("Keys are smallint, integer, bigint, text or varchar."),
			 errhint("Cast it to text.")));
	return KEY_TEXT;
}

static void *
zeroed(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* So that spmk_map_put() can take the key. */
void
spm_map_make_room(SpmKeyMap *map, int64 key, MemoryContext context)
{
	int64		base;
	uint64		range;

	if (!spmk_map_is_full(map, key))
		return;
	if (map->count == PG_UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different keys")));
	if (spmk_map_wants_dense(map, key, &base, &range))
	{
		uint32	   *old_dense = map->dense;
		SpmKeySlot *old = map->slots;

		spmk_map_move_dense(map, base, range, zeroed(context, range * sizeof(uint32)));
		if (old != NULL)
			pfree(old);
		if (old_dense != NULL)
			pfree(old_dense);
	}
	else
	{
		uint32	   *old_dense = map->dense;
		SpmKeySlot *old = map->slots;
		uint64		nslots = 1024;

		while (nslots / 4 <= map->count)
			nslots *= 2;
		spmk_map_move_hash(map, nslots, zeroed(context, nslots * sizeof(SpmKeySlot)));
		if (old != NULL)
			pfree(old);
		if (old_dense != NULL)
			pfree(old_dense);
	}
}

void
spm_keys_init(Keys *keys, MemoryContext context, bool is_text)
{
	memset(keys, 0, sizeof(Keys));
	keys->context = context;
	keys->is_text = is_text;
	if (is_text)
	{
		/* only hashed, never an array */
		keys->map.nslots = 256;
		keys->map.slots = zeroed(context, keys->map.nslots * sizeof(SpmKeySlot));
	}
}

static void
make_room(Keys *keys)
{
	if (keys->map.count < keys->room)
		return;
	keys->room = Max(256, keys->room * 2);
	if (keys->values == NULL)
	{
		keys->values = MemoryContextAllocHuge(keys->context, keys->room * sizeof(int64));
		if (keys->is_text)
			keys->lengths = MemoryContextAllocHuge(keys->context, keys->room * sizeof(uint32));
	}
	else
	{
		keys->values = repalloc_huge(keys->values, keys->room * sizeof(int64));
		if (keys->is_text)
			keys->lengths = repalloc_huge(keys->lengths, keys->room * sizeof(uint32));
	}
}

uint32
spm_keys_add_slow(Keys *keys, int64 key)
{
	uint32		number;

	make_room(keys);
	spm_map_make_room(&keys->map, key, keys->context);
	number = spmk_map_put(&keys->map, key);
	keys->values[number - 1] = key;
	return number;
}

/* The number of a null: one that no key is found by. */
uint32
spm_keys_null(Keys *keys)
{
	if (keys->null_number == 0)
	{
		make_room(keys);
		keys->null_number = ++keys->map.count;
		keys->values[keys->null_number - 1] = 0;
		if (keys->is_text)
			keys->lengths[keys->null_number - 1] = 0;
	}
	return keys->null_number;
}

/* Every bit of every byte counts in the lowest bits, by which slots are found. */
static uint64
mixed(uint64 hash)
{
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xFF51AFD7ED558CCD);
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xC4CEB9FE1A85EC53);
	hash ^= hash >> 33;
	return hash;
}

uint64
spm_hash_text(const char *text, uint32 len)
{
	uint64		hash = len;
	uint64		word;

	for (; len > 8; len -= 8, text += 8)
	{
		memcpy(&word, text, 8);
		hash = mixed(hash ^ word) + UINT64CONST(0x9E3779B97F4A7C15);
	}
	word = 0;
	memcpy(&word, text, len);
	return mixed(hash ^ word);
}

static void
grow_text_slots(Keys *keys)
{
	SpmKeyMap  *map = &keys->map;
	SpmKeySlot *old = map->slots;
	uint64		nold = map->nslots;

	map->nslots *= 4;
	map->slots = zeroed(keys->context, map->nslots * sizeof(SpmKeySlot));
	for (uint64 i = 0; i < nold; i++)
	{
		uint64		at;

		if ((i & 0xfffff) == 0xfffff)
			CHECK_FOR_INTERRUPTS();
		if (old[i].number == 0)
			continue;
		for (at = old[i].key & (map->nslots - 1); map->slots[at].number != 0;
			 at = (at + 1) & (map->nslots - 1))
			;
		map->slots[at] = old[i];
	}
	pfree(old);
}

/* A text is kept after its length, aligned: from its slot it is one step. */
#define LENGTH_ROOM		MAXIMUM_ALIGNOF

/* The number of a text; 0 if it is not there and not to be added. */
uint32
spm_keys_text(Keys *keys, const char *text, uint32 len, bool add)
{
	return spm_keys_hashed(keys, text, len, spm_hash_text(text, len), add);
}

uint32
spm_keys_hashed(Keys *keys, const char *text, uint32 len, uint64 hash, bool add)
{
	SpmKeyMap  *map = &keys->map;
	uint64		at;
	uint32		number;

	for (at = hash & (map->nslots - 1); map->slots[at].number != 0; at = (at + 1) & (map->nslots - 1))
	{
		const char *kept = keys->bytes + (Size) map->slots[at].place * MAXIMUM_ALIGNOF;
		uint32		kept_len;

		if ((uint64) map->slots[at].key != hash)
			continue;
		memcpy(&kept_len, kept, sizeof(kept_len));
		if (kept_len == len && memcmp(kept + LENGTH_ROOM, text, len) == 0)
			return map->slots[at].number;
	}
	if (!add)
		return 0;
	if (map->count == PG_UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different keys")));
	make_room(keys);
	if (keys->nbytes / MAXIMUM_ALIGNOF > PG_UINT32_MAX - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different keys")));
	if (keys->nbytes + LENGTH_ROOM + MAXALIGN(len) > keys->bytes_room)
	{
		keys->bytes_room = Max(Max(1024, keys->bytes_room * 2), keys->nbytes + LENGTH_ROOM + MAXALIGN(len));
		keys->bytes = keys->bytes == NULL ?
			MemoryContextAllocHuge(keys->context, keys->bytes_room) :
			repalloc_huge(keys->bytes, keys->bytes_room);
	}
	number = ++map->count;
	keys->values[number - 1] = keys->nbytes + LENGTH_ROOM;
	keys->lengths[number - 1] = len;
	map->slots[at].key = hash;
	map->slots[at].number = number;
	map->slots[at].place = keys->nbytes / MAXIMUM_ALIGNOF;
	memcpy(keys->bytes + keys->nbytes, &len, sizeof(len));
	memcpy(keys->bytes + keys->nbytes + LENGTH_ROOM, text, len);
	keys->nbytes += LENGTH_ROOM + MAXALIGN(len);
	if ((uint64) map->count * 2 > map->nslots)
		grow_text_slots(keys);
	return number;
}

/* The number here of a key that has another number there. */
uint32
spm_keys_counterpart(Keys *keys, const Keys *from, uint32 number, bool add)
{
	if (number == from->null_number)
		return add ? spm_keys_null(keys) : keys->null_number;
	if (keys->is_text)
		return spm_keys_text(keys, from->bytes + from->values[number - 1],
							 from->lengths[number - 1], add);
	return add ? spm_keys_add(keys, from->values[number - 1]) :
		spmk_map_find(&keys->map, from->values[number - 1]);
}

/* For messages and as a column. */
char *
spm_keys_show(const Keys *keys, uint32 number)
{
	if (number == keys->null_number)
		return pstrdup("null");
	if (keys->is_text)
		return pnstrdup(keys->bytes + keys->values[number - 1], keys->lengths[number - 1]);
	return psprintf(INT64_FORMAT, keys->values[number - 1]);
}
