/* segment_test.c: straight stretches of schedules against what the whole schedule earns. */
#include "kernel/segment.h"

#include "tap.h"

#define MOST 6

int
main(void)
{
	bool		equal = true;
	bool		inside = true;
	bool		quotas_equal = true;
	long		found = 0;
	long		quotas = 0;
	long		tried = 0;

	for (int i = 0; i < 60000; i++)
	{
		int64_t		floors[MOST + 1];
		int64_t		values[MOST];
		SpmFast		s = {0};
		SpmSegment	segment;
		int64_t		floor = random_below(2) ? 0 : random_below(100000);
		int			scale = (int) random_below(5);
		int			places = (int) random_below(4);
		int64_t		x;

		s.terms.ntiers = 1 + (int) random_below(MOST);
		s.terms.last_open = random_below(4) != 0;
		s.terms.outside_zero = random_below(4) == 0;
		s.terms.has_cap = random_below(10) == 0;
		s.cap = 1000;
		s.divisor = 1;
		s.amount_scale = (int) random_below(4);
		s.rate_scale = (int) random_below(6);
		for (int k = 0; k <= s.terms.ntiers; k++)
		{
			floors[k] = floor;
			floor += 1 + random_below(200000);
			if (k < s.terms.ntiers)
				values[k] = random_below(3000) - 200;
		}
		s.floors = floors;
		s.values = values;
		s.base = spmk_default_base_is_first(SPM_MARGINAL, floors[0] == 0) ? values[0] : random_below(50);
		x = random_below(900000000) - 100000000;
		tried++;
		if (!spmk_segment(&s, x, scale, places, &segment))
			continue;
		found++;
		inside &= segment.lo <= x && x <= segment.hi;
		for (int k = 0; k < 8; k++)
		{
			int64_t		at = k == 0 ? x : k == 1 ? segment.lo : k == 2 ? segment.hi : x + random_below(1000) - 500;
			int64_t		earned;

			if (at < segment.lo || at > segment.hi ||
				spmk_fast_earned(&s, at, scale, places, SPM_HALF_UP, &earned) != SPM_OK)
				continue;
			equal &= spmk_segment_earned(&segment, at) == earned;
		}

		/* the same schedule in percent of a quota, and written out in amounts */
		if (s.terms.has_cap)
			continue;
		{
			SpmFast		percent = s;
			SpmFast		amounts;
			int64_t		bounds[2 * MOST + 1];
			int64_t		quota = 1 + random_below(1000000);
			int			quota_scale = (int) random_below(3);
			int64_t		by_quota;
			int64_t		written;
			int64_t		scaled[MOST + 1];
			SpmFast		by_hand = s;

			percent.terms.percent = true;
			if (spmk_fast_for_quota(&percent, quota, quota_scale, bounds, &amounts) != SPM_OK)
				continue;
			quotas++;
			for (int k = 0; k <= s.terms.ntiers; k++)
				scaled[k] = floors[k] * quota;
			by_hand.floors = scaled;
			by_hand.amount_scale += quota_scale;
			quotas_equal &= spmk_fast_earned(&amounts, x, scale, places, SPM_HALF_EVEN, &by_quota) ==
				spmk_fast_earned(&by_hand, x, scale, places, SPM_HALF_EVEN, &written) && by_quota == written;
		}
	}
	ok(found > tried / 3, "most amounts lie on a line");
	ok(inside, "a line holds the amount it was asked for");
	ok(equal, "on it, all earn what the schedule gives, ends included");
	ok(quotas > tried / 3 && quotas_equal, "shares of a quota are the amounts that they come to");
	ok(spmk_shift_half_up(15, 1) == 2 && spmk_shift_half_up(-15, 1) == -2 && spmk_shift_half_up(14, 1) == 1 &&
	   spmk_shift_half_up(-14, 1) == -1 && spmk_shift_half_up(7, 0) == 7 &&
	   spmk_shift_half_up(INT64_C(-800000000000000000), 18) == -1 &&
	   spmk_shift_half_up(INT64_C(499999999999999999), 18) == 0, "halves go away from zero");
	return done_testing();
}
