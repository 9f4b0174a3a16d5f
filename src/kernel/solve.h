/*
 * solve.h
 *	  What all solvers share: how they let others speak, and where chance comes from.
 *
 * A solver works in memory that its caller gives, counts moves and not seconds,
 * and draws from a generator of its own: the same input, seed and moves give
 * the same answer on every machine.
 */
#ifndef SPMK_SOLVE_H
#define SPMK_SOLVE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* More would take weeks; a few times as many still fit into 64 bits. */
#define SPMK_MOVES_MAX INT64_C(1000000000000)

/* Called every few thousand steps; it may not come back (a cancel). */
typedef struct SpmBreath
{
	void		(*take) (void *arg);
	void	   *arg;
} SpmBreath;

static inline void
spmk_breathe(const SpmBreath *breath)
{
	if (breath && breath->take)
		breath->take(breath->arg);
}

/* splitmix64: one word of state, good enough to choose moves by. */
typedef struct SpmChance
{
	uint64_t	state;
} SpmChance;

static inline uint64_t
spmk_chance_next(SpmChance *chance)
{
	uint64_t	z = (chance->state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* 0 to n - 1 */
static inline uint32_t
spmk_chance_below(SpmChance *chance, uint32_t n)
{
	return (uint32_t) (((spmk_chance_next(chance) >> 32) * n) >> 32);
}

/* [0, 1) */
static inline double
spmk_chance_unit(SpmChance *chance)
{
	return (double) (spmk_chance_next(chance) >> 11) * (1.0 / 9007199254740992.0);
}

/* Numbers of which squares, sums and quotients are numbers, too: what solvers can take. */
#define SPM_SOLVE_LEAST		1e-30
#define SPM_SOLVE_MOST		1e30

static inline bool
spmk_is_solvable(double number)
{
	double		size = fabs(number);

	return size == 0 || (size >= SPM_SOLVE_LEAST && size <= SPM_SOLVE_MOST);
}

#endif
