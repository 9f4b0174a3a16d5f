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
