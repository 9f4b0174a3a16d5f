/*
 * segment.h
 *	  A stretch of totals on which a schedule is a straight line: deal after
 *	  deal costs one product there, and one division by a known power of 10.
 */
#ifndef SPMK_SEGMENT_H
#define SPMK_SEGMENT_H

#include "fast.h"

/* For lo <= x <= hi, E(x) = (at_zero + rate * x) / 10^excess. */
typedef struct SpmSegment
{
	int64_t		lo;
	int64_t		hi;
	int64_t		at_zero;
	int64_t		rate;
	int			excess;
} SpmSegment;

extern bool spmk_segment(const SpmFast *s, int64_t x, int scale, int places, SpmSegment *segment);
extern SpmStatus spmk_fast_for_quota(const SpmFast *percent, int64_t quota, int quota_scale,
									 int64_t *bounds, SpmFast *amounts);

/* value / 10^n, halves away from zero; |value| < 9 * 10^18, n from 0 to 18 */
static inline int64_t
spmk_shift_half_up(int64_t value, int n)
{
	uint64_t	size = value < 0 ? -(uint64_t) value : (uint64_t) value;

	/* A division by a constant is a product. */
#define CASE(k, p) case k: size = (size + UINT64_C(p) / 2) / UINT64_C(p); break
	switch (n)
	{
			CASE(1, 10);
			CASE(2, 100);
			CASE(3, 1000);
			CASE(4, 10000);
			CASE(5, 100000);
			CASE(6, 1000000);
			CASE(7, 10000000);
			CASE(8, 100000000);
			CASE(9, 1000000000);
			CASE(10, 10000000000);
			CASE(11, 100000000000);
			CASE(12, 1000000000000);
			CASE(13, 10000000000000);
			CASE(14, 100000000000000);
			CASE(15, 1000000000000000);
			CASE(16, 10000000000000000);
			CASE(17, 100000000000000000);
			CASE(18, 1000000000000000000);
		default:
			break;
	}
#undef CASE
	return value < 0 ? -(int64_t) size : (int64_t) size;
}

/* round(E(x)), halves away from zero */
static inline int64_t
spmk_segment_earned(const SpmSegment *segment, int64_t x)
{
	return spmk_shift_half_up(segment->at_zero + segment->rate * x, segment->excess);
}

#endif
