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

/* The first bytes, or the number, in the order of unsigned integers. */
static inline uint64_t
spmk_rule_key_head(SpmRuleOrder order, const SpmRuleKey *key)
{
	uint64_t	head = 0;

	if (order == SPM_ORDER_NUMBER)
		return spmk_rule_head(key->number);
	if (key->length >= 8)
	{
		for (int i = 0; i < 8; i++)
			head = head << 8 | (unsigned char) key->bytes[i];
		return head;
	}
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

#endif
