/*
 * split.c
 *	  Dividing a total so that the parts add up to it: largest remainder.
 */
#include "split.h"

/* Whether a comes before b: the larger rest, then the earlier share. */
static bool
comes_before(const Dec *rests, int a, int b)
{
	int			order = dec_cmp(rests[a], rests[b]);

	return order > 0 || (order == 0 && a < b);
}

static void
sift_down(const Dec *rests, int *heap, int n, int at)
{
	for (;;)
	{
		int			child = 2 * at + 1;
		int			swap;

		if (child >= n)
			return;
		if (child + 1 < n && comes_before(rests, heap[child + 1], heap[child]))
			child++;
		if (!comes_before(rests, heap[child], heap[at]))
			return;
		swap = heap[at];
		heap[at] = heap[child];
		heap[child] = swap;
		at = child;
	}
}

/*
 * Gives each share its whole number of 'units', in proportion, cut off; what
 * is left goes, one unit each, to those that lost most by it.  'units' is a
 * whole number; a negative one mirrors the positive.  Shares are >= 0 and
 * their sum is not.  rests and order are room for n.
 */
void
spmk_split(Dec units, const Dec *shares, int n, Dec *parts, Dec *rests, int *order)
{
	Dec			zero = dec_from_int(0, 0);
	Dec			one = dec_from_int(1, 0);
	bool		negative = dec_sign(units) < 0;
	Dec			left;
	Dec			sum = zero;

	if (negative)
		units = dec_sub(zero, units);
	left = units;
	for (int i = 0; i < n; i++)
		sum = dec_add(sum, shares[i]);
	for (int i = 0; i < n; i++)
	{
		Dec			due = dec_mul(units, shares[i]);

		parts[i] = dec_quotient(due, sum);
		rests[i] = dec_sub(due, dec_mul(parts[i], sum));
		left = dec_sub(left, parts[i]);
		order[i] = i;
	}

	/* Fewer than n units are left; a heap finds who gets them. */
	if (dec_sign(left) > 0)
	{
		int			size = n;

		for (int i = n / 2; i-- > 0;)
			sift_down(rests, order, n, i);
		while (dec_sign(left) > 0 && size > 0)
		{
			int			first = order[0];

			parts[first] = dec_add(parts[first], one);
			left = dec_sub(left, one);
			order[0] = order[--size];
			sift_down(rests, order, size, 0);
		}
	}
	if (negative)
	{
		for (int i = 0; i < n; i++)
			parts[i] = dec_sub(zero, parts[i]);
	}
}

#define MAX_INT_SHARES	64

/*
 * The same in integers; false, and nothing said, where they do not hold it or
 * shares are many: who gets a unit is looked for among all of them.
 */
bool
spmk_split_int(int64_t units, const int64_t *shares, int n, int64_t *parts)
{
	int64_t		size = units < 0 ? -units : units;
	int64_t		sum = 0;
	int64_t		left = size;
	int64_t		last_rest = INT64_MAX;
	int			last = -1;

	if (n > MAX_INT_SHARES || units == INT64_MIN)
		return false;
	for (int i = 0; i < n; i++)
	{
		int64_t		due;

		if (shares[i] < 0 || __builtin_add_overflow(sum, shares[i], &sum) ||
			__builtin_mul_overflow(size, shares[i], &due))
			return false;
	}
	if (sum == 0)
		return false;
	for (int i = 0; i < n; i++)
	{
		parts[i] = size * shares[i] / sum;
		left -= parts[i];
	}
	for (; left > 0; left--)
	{
		int64_t		best_rest = -1;
		int			best = -1;

		/* the largest rest, then the earliest, after the one before */
		for (int i = 0; i < n; i++)
		{
			int64_t		rest = size * shares[i] % sum;

			if ((rest < last_rest || (rest == last_rest && i > last)) && rest > best_rest)
			{
				best_rest = rest;
				best = i;
			}
		}
		parts[best]++;
		last_rest = best_rest;
		last = best;
	}
	if (units < 0)
	{
		for (int i = 0; i < n; i++)
			parts[i] = -parts[i];
	}
	return true;
}
