/*
 * rulebook.c
 *	  Which rules a record meets, asked of a compiled book.
 */
#include "rulebook.h"

#include <math.h>

#include "rulebook_key.h"

#define RADIANS (3.14159265358979323846 / 180)

/* ------------------------------------------------------------------- where a value lies */

/* Among bounds of equal heads, the first that is not below the key. */
static uint32_t
lower_bound_of_ties(const SpmRuleDim *dim, const SpmRuleKey *key, uint32_t lo, uint32_t hi)
{
	while (lo < hi)
	{
		uint32_t	mid = lo + (hi - lo) / 2;

		if (spmk_rule_compare_bytes(&dim->bounds[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first bound that is not below the value; without branches that chance decides. */
static inline uint32_t
lower_bound(const SpmRuleDim *dim, const SpmRuleKey *key, uint64_t head)
{
	uint64_t	bucket;
	uint32_t	lo;
	uint32_t	hi;

	if (dim->nbounds == 0 || head < dim->least_head)
		return 0;
	bucket = (head - dim->least_head) >> dim->shift;
	if (bucket >= dim->nbuckets)
		return dim->nbounds;
	lo = dim->buckets[bucket];
	hi = dim->buckets[bucket + 1];
	if (lo == hi)
		return lo;
	for (uint32_t n = hi - lo; n > 1;)
	{
		uint32_t	half = n / 2;

		lo += half & -(uint32_t) (dim->heads[lo + half - 1] < head);
		n -= half;
	}
	lo += dim->heads[lo] < head;
	if (dim->order == SPM_ORDER_BYTES && lo < hi && dim->heads[lo] == head)
		return lower_bound_of_ties(dim, key, lo, hi);
	return lo;
}

uint32_t
spmk_rule_piece(const SpmRuleDim *dim, const SpmRuleValue *value)
{
	uint64_t	head = spmk_rule_key_head(dim->order, &value->key);
	uint32_t	at = lower_bound(dim, &value->key, head);

	if (at == dim->nbounds || dim->heads[at] != head ||
		(dim->order == SPM_ORDER_BYTES && spmk_rule_compare_bytes(&dim->bounds[at], &value->key) != 0))
		return 2 * at;
	return 2 * at + 1 + value->is_beyond;
}

/* Where the row of a number is written, if numbers are listed; else NULL. */
static inline const uint16_t *
listed_row(const SpmRuleDim *dim, const SpmRuleValue *value)
{
	uint64_t	at = spmk_rule_head(value->key.number) - dim->least_head;

	return at < dim->nvalues && !value->is_null && !value->is_beyond ? &dim->row_of_value[at] : NULL;
}

/* The row of a value by search or, if it is a short text, from memory. */
static inline uint32_t
searched_row(const SpmRuleDim *dim, const SpmRuleValue *value, SpmRuleMemo *memos)
{
	if (value->is_null)
		return dim->row_of_class[0];
	if (memos != NULL && dim->order == SPM_ORDER_BYTES && value->key.length <= 8)
	{
		uint64_t	head = spmk_rule_key_head(SPM_ORDER_BYTES, &value->key);
		SpmRuleMemo *memo = &memos[spmk_mix(head) >> 32 & (SPM_RULE_MEMOS - 1)];

		if (memo->head != head || memo->length != value->key.length + 1)
			*memo = (SpmRuleMemo) {head, value->key.length + 1, dim->row_of_piece[spmk_rule_piece(dim, value)]};
		return memo->row;
	}
	return dim->row_of_piece[spmk_rule_piece(dim, value)];
}

/* What will be looked at is asked of the memory as early as it is known. */
void
spmk_rulebook_locate(SpmRuleProbe *probe)
{
	const SpmRulebook *book = probe->book;
	const uint16_t *listed[SPM_RULE_DIMS];

	for (uint32_t i = 0; i < book->nactive; i++)
	{
		listed[i] = listed_row(&book->dims[book->active[i]], &probe->values[book->active[i]]);
		if (listed[i] != NULL)
			__builtin_prefetch(listed[i]);
	}
	for (uint32_t i = 0; i < book->nactive; i++)
	{
		if (listed[i] != NULL)
			continue;
		probe->rows[i] = spmk_rule_row(book, searched_row(&book->dims[book->active[i]], &probe->values[book->active[i]],
														  probe->memos ? probe->memos + (size_t) i * SPM_RULE_MEMOS : NULL));
		__builtin_prefetch(probe->rows[i]);
	}
	for (uint32_t i = 0; i < book->nactive; i++)
	{
		if (listed[i] == NULL)
			continue;
		probe->rows[i] = spmk_rule_row(book, *listed[i]);
		__builtin_prefetch(probe->rows[i]);
	}
}

/* ------------------------------------------------------------------------------ circles */

double
spmk_rule_distance(double latitude1, double longitude1, double latitude2, double longitude2)
{
	double		dy = sin((latitude2 - latitude1) * RADIANS / 2);
	double		dx = sin((longitude2 - longitude1) * RADIANS / 2);
	double		a = dy * dy + cos(latitude1 * RADIANS) * cos(latitude2 * RADIANS) * dx * dx;

	return 2 * SPM_EARTH_KM * asin(sqrt(a < 1 ? a : 1));
}

/* A little wider than it must be: the distance itself decides. */
int
spmk_rule_square(const SpmRuleCircle *circle, double latitudes[2], double longitudes[4])
{
	double		angle = circle->km / SPM_EARTH_KM * (1 + 1e-9) + 1e-9;
	double		height = angle / RADIANS;
	double		width;

	latitudes[0] = circle->latitude - height;
	latitudes[1] = circle->latitude + height;
	longitudes[0] = -HUGE_VAL;
	longitudes[1] = HUGE_VAL;
	/* with a pole inside, every longitude is */
	if (latitudes[0] <= -90 || latitudes[1] >= 90)
		return 1;
	width = asin(sin(angle) / cos(circle->latitude * RADIANS)) / RADIANS * (1 + 1e-9) + 1e-9;
	if (!(width < 180))
		return 1;
	longitudes[0] = circle->longitude - width;
	longitudes[1] = circle->longitude + width;
	if (longitudes[0] < -180)
	{
		longitudes[2] = longitudes[0] + 360;
		longitudes[3] = HUGE_VAL;
		longitudes[0] = -HUGE_VAL;
		return 2;
	}
	if (longitudes[1] >= 180)
	{
		longitudes[2] = -HUGE_VAL;
		longitudes[3] = longitudes[1] - 360;
		longitudes[1] = HUGE_VAL;
		return 2;
	}
	return 1;
}

static bool
meets_circle(const SpmRuleProbe *probe, const SpmRuleCircle *circle)
{
	const SpmRuleValue *latitude = &probe->values[circle->latitude_dim];
	const SpmRuleValue *longitude = &probe->values[circle->longitude_dim];

	if (latitude->is_null || longitude->is_null)
		return false;
	return (spmk_rule_distance(circle->latitude, circle->longitude,
							   spmk_rule_to_double(latitude->key.number),
							   spmk_rule_to_double(longitude->key.number)) <= circle->km) != circle->is_negated;
}

static inline bool
meets_circles(const SpmRuleProbe *probe, const SpmRuleBox *box)
{
	for (uint32_t i = 0; i < box->ncircles; i++)
	{
		if (!meets_circle(probe, &probe->book->circles[probe->book->circle_uses[box->first_circle + i]]))
			return false;
	}
	return true;
}

/* --------------------------------------------------------------------------------- rows */

static inline const uint32_t *
row_lines(const SpmRulebook *book, const char *row)
{
	return (const uint32_t *) (row + book->nsummary * sizeof(uint64_t));
}

/* The first place in [from, stop) of a box that is met. */
static uint32_t
first_between(const SpmRuleProbe *probe, uint32_t from, uint32_t stop)
{
	const SpmRulebook *book = probe->book;
	uint32_t	n = book->nactive;
	uint32_t	first_word = from / 64;
	uint32_t	last_word;

	if (from >= stop)
		return SPM_RULE_NONE;
	last_word = (stop - 1) / 64;
	for (uint32_t s = first_word / 64; s <= last_word / 64; s++)
	{
		uint64_t	live = ~UINT64_C(0);

		for (uint32_t i = 0; i < n; i++)
			live &= ((const uint64_t *) probe->rows[i])[s];
		if (s == first_word / 64)
			live &= ~UINT64_C(0) << first_word % 64;
		if (s == last_word / 64)
			live &= ~UINT64_C(0) >> (63 - last_word % 64);
		for (; live != 0; live &= live - 1)
		{
			uint32_t	word = s * 64 + (uint32_t) __builtin_ctzll(live);
			uint64_t	bits = ~UINT64_C(0);

			/* without a branch: the loads of all dimensions are under way together */
			for (uint32_t i = 0; i < n; i++)
				bits &= book->lines[(size_t) row_lines(book, probe->rows[i])[word / SPM_RULE_LINE] * SPM_RULE_LINE +
									word % SPM_RULE_LINE];
			if (word == first_word)
				bits &= ~UINT64_C(0) << from % 64;
			if (word == last_word)
				bits &= ~UINT64_C(0) >> (63 - (stop - 1) % 64);
			for (; bits != 0; bits &= bits - 1)
			{
				uint32_t	place = word * 64 + (uint32_t) __builtin_ctzll(bits);

				if (book->ncircles == 0 || meets_circles(probe, &book->boxes[place]))
					return place;
			}
		}
	}
	return SPM_RULE_NONE;
}

static bool
meets_rows(const SpmRuleProbe *probe, uint32_t place)
{
	for (uint32_t i = 0; i < probe->book->nactive; i++)
	{
		if (!spmk_rule_bit(probe->book, probe->rows[i], place))
			return false;
	}
	return meets_circles(probe, &probe->book->boxes[place]);
}

/* ------------------------------------------------------------------------------- names */

/* Number of a value that is listed by name, or SPM_RULE_NONE. */
static uint32_t
posted_number(const SpmRuleDim *dim, const SpmRuleValue *value)
{
	uint64_t	hash;
	uint32_t	at;

	if (value->is_null || value->is_beyond || dim->nslots == 0)
		return SPM_RULE_NONE;
	hash = spmk_rule_key_hash(dim->order, &value->key);
	if (!spmk_rule_is_in_filter(dim, hash))
		return SPM_RULE_NONE;
	at = (uint32_t) hash & (dim->nslots - 1);
	for (; dim->slots[at] != 0; at = (at + 1) & (dim->nslots - 1))
	{
		uint32_t	number = dim->slots[at] - 1;

		if (spmk_rule_key_compare(dim->order, &dim->posted[number].key, &value->key) == 0)
			return number;
	}
	return SPM_RULE_NONE;
}

uint32_t
spmk_rulebook_first(const SpmRuleProbe *probe, uint32_t type)
{
	const SpmRulebook *book = probe->book;
	uint32_t	best = SPM_RULE_NONE;
	uint32_t	stop = book->type_start[type + 1];
	uint32_t	found;

	for (uint32_t i = 0; i < book->nposting; i++)
	{
		const SpmRuleDim *dim = &book->dims[book->posting[i]];
		uint32_t	number = posted_number(dim, &probe->values[book->posting[i]]);

		if (number == SPM_RULE_NONE)
			continue;
		for (uint32_t j = 0; j < dim->posted[number].n; j++)
		{
			uint32_t	place = dim->places[dim->posted[number].first + j];

			if (place < book->posted_start[type])
				continue;
			if (place >= book->posted_start[type + 1] || place >= best)
				break;
			if (meets_rows(probe, place))
			{
				best = place;
				break;
			}
		}
	}
	if (best != SPM_RULE_NONE)
		stop = book->boxes[best].stop;
	found = first_between(probe, book->type_start[type], stop);
	return found != SPM_RULE_NONE ? found : best;
}

uint32_t
spmk_rulebook_all(const SpmRuleProbe *probe, uint32_t type, uint32_t *places, uint32_t room)
{
	const SpmRulebook *book = probe->book;
	uint32_t	n = 0;

	for (uint32_t i = 0; i < book->nposting; i++)
	{
		const SpmRuleDim *dim = &book->dims[book->posting[i]];
		uint32_t	number = posted_number(dim, &probe->values[book->posting[i]]);

		if (number == SPM_RULE_NONE)
			continue;
		for (uint32_t j = 0; j < dim->posted[number].n; j++)
		{
			uint32_t	place = dim->places[dim->posted[number].first + j];

			if (place < book->posted_start[type] || place >= book->posted_start[type + 1] ||
				!meets_rows(probe, place))
				continue;
			if (n < room)
				places[n] = place;
			n++;
		}
	}
	for (uint32_t from = book->type_start[type];; from++)
	{
		from = first_between(probe, from, book->type_start[type + 1]);
		if (from == SPM_RULE_NONE)
			return n;
		if (n < room)
			places[n] = from;
		n++;
	}
}

/* --------------------------------------------------------------------------- why not */

static bool
meets_set(const SpmRuleProbe *probe, uint32_t dim, uint32_t place)
{
	const SpmRulebook *book = probe->book;

	for (uint32_t i = 0; i < book->nactive; i++)
	{
		if (book->active[i] == dim)
			return spmk_rule_bit(book, probe->rows[i], place);
	}
	return true;				/* nobody is told apart by it */
}

uint32_t
spmk_rulebook_failed(const SpmRuleProbe *probe, uint32_t place, uint32_t *nfailed)
{
	const SpmRulebook *book = probe->book;
	const SpmRuleBox *box = &book->boxes[place];
	uint32_t	failed = SPM_RULE_NONE;
	uint32_t	n = 0;

	for (uint32_t i = 0; i < box->nsets; i++)
	{
		uint32_t	dim = book->sets[box->first_set + i].dim;

		if (!meets_set(probe, dim, place))
		{
			n++;
			if (failed == SPM_RULE_NONE)
				failed = dim;
		}
	}
	if (box->posted_dim != SPM_RULE_NONE)
	{
		uint32_t	number = posted_number(&book->dims[box->posted_dim], &probe->values[box->posted_dim]);
		const uint32_t *names = book->posted_uses + box->first_posted;
		uint32_t	lo = 0;
		uint32_t	hi = box->nposted;

		while (lo < hi)
		{
			uint32_t	mid = lo + (hi - lo) / 2;

			if (names[mid] < number)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == box->nposted || names[lo] != number)
		{
			n++;
			if (failed == SPM_RULE_NONE || box->posted_dim < failed)
				failed = box->posted_dim;
		}
	}
	for (uint32_t i = 0; i < box->ncircles; i++)
	{
		const SpmRuleCircle *circle = &book->circles[book->circle_uses[box->first_circle + i]];

		if (!meets_circle(probe, circle))
		{
			n++;
			if (failed == SPM_RULE_NONE || circle->latitude_dim < failed)
				failed = circle->latitude_dim;
		}
	}
	if (nfailed)
		*nfailed = n;
	return failed;
}
