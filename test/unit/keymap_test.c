/* keymap_test.c: keys get their numbers, near together or far apart. */
#include "kernel/keymap.h"

#include <stdlib.h>

#include "tap.h"

/* As the server does it. */
static uint32_t
number_of(SpmKeyMap *map, int64_t key)
{
	uint32_t	number = spmk_map_find(map, key);
	int64_t		base;
	uint64_t	range;

	if (number != 0)
		return number;
	if (spmk_map_is_full(map, key))
	{
		if (spmk_map_wants_dense(map, key, &base, &range))
		{
			uint32_t   *old_dense = map->dense;
			SpmKeySlot *old = map->slots;

			spmk_map_move_dense(map, base, range, calloc(range, sizeof(uint32_t)));
			free(old);
			free(old_dense);
		}
		else
		{
			uint32_t   *old_dense = map->dense;
			SpmKeySlot *old = map->slots;
			uint64_t	nslots = 16;

			while (nslots / 4 <= map->count)
				nslots *= 2;
			spmk_map_move_hash(map, nslots, calloc(nslots, sizeof(SpmKeySlot)));
			free(old);
			free(old_dense);
		}
	}
	spmk_map_prefetch(map, key);
	return spmk_map_put(map, key);
}

/* Keys start + i * step, each looked up twice, in an order of its own. */
static bool
numbers_hold(int64_t start, int64_t step, int n, bool *is_dense)
{
	SpmKeyMap	map = {0};
	uint32_t   *numbers = calloc(n, sizeof(uint32_t));
	bool		holds = true;
	uint32_t	seen = 0;

	for (int i = 0; i < 3 * n; i++)
	{
		int			k = (int) random_below(n);
		int64_t		key = (int64_t) ((uint64_t) start + (uint64_t) k * (uint64_t) step);
		uint32_t	number = number_of(&map, key);

		if (numbers[k] == 0)
			holds &= number == ++seen;
		else
			holds &= number == numbers[k];
		numbers[k] = number;
	}
	holds &= map.count == seen;
	for (int k = 0; k < n; k++)
		holds &= spmk_map_find(&map, (int64_t) ((uint64_t) start + (uint64_t) k * (uint64_t) step)) == numbers[k];
	*is_dense = map.nslots == 0;
	free(map.dense);
	free(map.slots);
	free(numbers);
	return holds;
}

int
main(void)
{
	bool		is_dense;

	ok(numbers_hold(1, 1, 20000, &is_dense) && is_dense, "keys in a row are found in an array");
	ok(numbers_hold(-5000, 7, 10000, &is_dense) && is_dense, "with gaps and below zero, too");
	ok(numbers_hold(1000000, 5, 200000, &is_dense) && is_dense, "many of them, that came far apart at first");
	ok(numbers_hold(INT64_MIN, 1, 3000, &is_dense) && is_dense, "at the lowest number there is");
	ok(numbers_hold(INT64_MAX - 2999, 1, 3000, &is_dense) && is_dense, "and at the highest");
	ok(numbers_hold(12345, INT64_C(1000003), 20000, &is_dense) && !is_dense, "far apart, they are found by hash");
	{
		SpmKeyMap	map = {0};

		map.count = 1;
		ok(number_of(&map, 70000) == 2 && number_of(&map, 1) == 3 && number_of(&map, 70000) == 2,
		   "the first number may be given to what is no key");
		free(map.dense);
		free(map.slots);
	}
	ok(numbers_hold(INT64_MIN, INT64_C(0x0123456789abcdef), 5000, &is_dense) && !is_dense, "all over the numbers");
	ok(numbers_hold(0, INT64_C(1) << 32, 5000, &is_dense) && !is_dense, "alike in their lower half");
	return done_testing();
}
