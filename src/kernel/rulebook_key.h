/*
 * rulebook_key.h
 *	  Keys of a dimension: how they compare, and their hash.
 */
#ifndef SPMK_RULEBOOK_KEY_H
#define SPMK_RULEBOOK_KEY_H

#include "keymap.h"
#include "rulebook.h"

static inline int
spmk_rule_compare_bytes(const SpmRuleKey *a, const SpmRuleKey *b)
{
	uint32_t	n = a->length < b->length ? a->length : b->length;
	int			order = n > 0 ? memcmp(a->bytes, b->bytes, n) : 0;

	if (order != 0)
		return order;
	return a->length < b->length ? -1 : a->length > b->length;
}

static inline int
spmk_rule_key_compare(SpmRuleOrder order, const SpmRuleKey *a, const SpmRuleKey *b)
{
	if (order == SPM_ORDER_BYTES)
		return spmk_rule_compare_bytes(a, b);
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Bytes as a number, of which the first counts most. */
static inline uint64_t
spmk_read_8(const char *bytes)
{
	uint64_t	value;

	memcpy(&value, bytes, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

static inline uint64_t
spmk_read_4(const char *bytes)
{
	uint32_t	value;

	memcpy(&value, bytes, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap32(value);
#endif
	return value;
}

/* The first bytes, or the number, in the order of unsigned integers. */
static inline uint64_t
spmk_rule_key_head(SpmRuleOrder order, const SpmRuleKey *key)
{
	uint64_t	head = 0;

	if (order == SPM_ORDER_NUMBER)
		return spmk_rule_head(key->number);
	if (key->length >= 8)
		return spmk_read_8(key->bytes);
	/* two halves that overlap agree where they do */
	if (key->length >= 4)
		return spmk_read_4(key->bytes) << 32 |
			spmk_read_4(key->bytes + key->length - 4) << (64 - 8 * key->length);
	for (uint32_t i = 0; i < key->length; i++)
		head |= (uint64_t) (unsigned char) key->bytes[i] << (56 - 8 * i);
	return head;
}

static inline uint64_t
spmk_rule_key_hash(SpmRuleOrder order, const SpmRuleKey *key)
{
	uint64_t	hash = key->length;
	uint32_t	i = 0;

	if (order == SPM_ORDER_NUMBER)
		hash = (uint64_t) key->number;
	else
	{
		for (; i + 8 <= key->length; i += 8)
		{
			uint64_t	word;

			memcpy(&word, key->bytes + i, sizeof(word));
			hash = spmk_mix(hash ^ word);
		}
		if (i < key->length)
		{
			uint64_t	word = 0;

			memcpy(&word, key->bytes + i, key->length - i);
			hash = spmk_mix(hash ^ word);
		}
	}
	hash = spmk_mix(hash);
	return hash ^ hash >> 32;
}

/* Beside the hash that leads to a slot, bits that do not. */
static inline bool
spmk_rule_is_in_filter(const SpmRuleDim *dim, uint64_t hash)
{
	uint64_t	bit = hash >> 20 & ((uint64_t) dim->nslots * 64 - 1);

	return dim->filter[bit / 64] >> (bit % 64) & 1;
}

static inline void
spmk_rule_put_in_filter(SpmRuleDim *dim, uint64_t hash)
{
	uint64_t	bit = hash >> 20 & ((uint64_t) dim->nslots * 64 - 1);

	dim->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

#endif
