/*
 * rulebook_rows.c
 *	  From the pieces that boxes accept to classes, and rows of bits that are
 *	  there once.
 */
#include "rulebook_compile.h"

#include "keymap.h"

#define LEAST_LISTED	4096	/* numbers of a dimension whose rows are listed in any case */
#define VALUES_PER_BOUND 64

static void
grow_slots(Compiler *c, uint32_t **slots, uint32_t *nslots, const uint64_t *hashes, uint32_t n)
{
	*nslots = *nslots == 0 ? 1024 : *nslots * 2;
	*slots = NEW(c->scratch, *nslots, uint32_t);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	at = (uint32_t) hashes[i] & (*nslots - 1);

		while ((*slots)[at] != 0)
			at = (at + 1) & (*nslots - 1);
		(*slots)[at] = i + 1;
	}
}

static void *
grow(Compiler *c, const void *old, uint32_t n, uint32_t *room, size_t size)
{
	void	   *grown;

	*room = *room == 0 ? 256 : *room * 2;
	grown = spmk_rule_take(c->scratch, *room, size);
	if (n > 0)
		memcpy(grown, old, n * size);
	return grown;
}

static uint64_t
hash_line(const uint64_t *line)
{
	uint64_t	hash = 0;

	for (int i = 0; i < SPM_RULE_LINE; i++)
		hash = spmk_mix(hash * 31 + line[i]);
	return hash ^ hash >> 32;
}

static uint32_t
line_number(Compiler *c, const uint64_t *line)
{
	uint32_t	at;

	if (c->book->ndistinct + 1 > c->nline_slots / 2)
	{
		uint64_t   *hashes = NEW(c->scratch, c->book->ndistinct, uint64_t);

		for (uint32_t i = 0; i < c->book->ndistinct; i++)
			hashes[i] = hash_line(c->lines + (size_t) i * SPM_RULE_LINE);
		grow_slots(c, &c->line_slots, &c->nline_slots, hashes, c->book->ndistinct);
	}
	at = (uint32_t) hash_line(line) & (c->nline_slots - 1);
	for (; c->line_slots[at] != 0; at = (at + 1) & (c->nline_slots - 1))
	{
		if (memcmp(c->lines + (size_t) (c->line_slots[at] - 1) * SPM_RULE_LINE, line,
				   SPM_RULE_LINE * sizeof(uint64_t)) == 0)
			return c->line_slots[at] - 1;
	}
	if (c->book->ndistinct == c->line_room)
		c->lines = grow(c, c->lines, c->book->ndistinct, &c->line_room, SPM_RULE_LINE * sizeof(uint64_t));
	memcpy(c->lines + (size_t) c->book->ndistinct * SPM_RULE_LINE, line, SPM_RULE_LINE * sizeof(uint64_t));
	c->line_slots[at] = ++c->book->ndistinct;
	return c->book->ndistinct - 1;
}

static uint64_t
hash_of_line_id(uint32_t line, uint32_t id)
{
	return spmk_mix(spmk_mix((uint64_t) line << 32 | id) + UINT64_C(0x9E3779B97F4A7C15));
}

/* The row of the bits as they are now, of which only some lines have changed. */
static uint32_t
row_number(Compiler *c)
{
	SpmRulebook *book = c->book;
	uint64_t	hash;
	uint32_t	at;
	char	   *row;

	for (uint32_t i = 0; i < c->nchanged; i++)
	{
		uint32_t	line = c->changed[i];
		uint32_t	id = line_number(c, c->bits + (size_t) line * SPM_RULE_LINE);

		c->hash ^= hash_of_line_id(line, c->line_ids[line]) ^ hash_of_line_id(line, id);
		c->line_ids[line] = id;
		c->is_changed[line] = false;
	}
	c->nchanged = 0;
	hash = spmk_mix(c->hash);
	hash ^= hash >> 32;
	if (book->nrows + 1 > c->nrow_slots / 2)
		grow_slots(c, &c->row_slots, &c->nrow_slots, c->row_hashes, book->nrows);
	at = (uint32_t) hash & (c->nrow_slots - 1);
	for (; c->row_slots[at] != 0; at = (at + 1) & (c->nrow_slots - 1))
	{
		uint32_t	number = c->row_slots[at] - 1;

		if (c->row_hashes[number] == hash &&
			memcmp(c->rows + (size_t) number * book->row_size + book->nsummary * sizeof(uint64_t),
				   c->line_ids, book->nlines * sizeof(uint32_t)) == 0)
			return number;
	}
	if (book->nrows == c->row_room)
	{
		uint32_t	room = c->row_room;

		c->row_hashes = grow(c, c->row_hashes, book->nrows, &room, sizeof(uint64_t));
		c->rows = grow(c, c->rows, book->nrows, &c->row_room, book->row_size);
	}
	row = c->rows + (size_t) book->nrows * book->row_size;
	for (uint32_t i = 0; i < book->nwords; i++)
	{
		if (c->bits[i] != 0)
			((uint64_t *) row)[i / 64] |= UINT64_C(1) << i % 64;
	}
	memcpy(row + book->nsummary * sizeof(uint64_t), c->line_ids, book->nlines * sizeof(uint32_t));
	c->row_hashes[book->nrows] = hash;
	c->row_slots[at] = ++book->nrows;
	return book->nrows - 1;
}

static inline void
flip(Compiler *c, uint32_t place)
{
	uint32_t	line = place / 64 / SPM_RULE_LINE;

	c->bits[place / 64] ^= UINT64_C(1) << place % 64;
	if (!c->is_changed[line])
	{
		c->is_changed[line] = true;
		c->changed[c->nchanged++] = line;
	}
}

/* Where each set of a dimension begins and ends, by piece. */
typedef struct Turns
{
	uint32_t   *starts;			/* piece; npieces + 1 of them */
	uint32_t   *places;
} Turns;

static Turns
find_turns(Compiler *c, const uint32_t *sets, const uint32_t *places, uint32_t n, uint32_t npieces)
{
	Turns		turns;
	uint64_t	sum = 0;

	turns.starts = NEW(c->scratch, (uint64_t) npieces + 2, uint32_t);
	for (int pass = 0; pass < 2; pass++)
	{
		for (uint32_t i = 0; i < n; i++)
		{
			const SpmRuleSet *set = &c->book->sets[sets[i]];

			for (uint32_t j = 0; j < set->nranges; j++)
			{
				const Pieces *pieces = &c->set_pieces[set->first_range + j];

				for (int end = 0; end < 2; end++)
				{
					uint32_t	piece = end ? pieces->last + 1 : pieces->first;

					if (pass == 0)
						turns.starts[piece + 1]++;
					else
						turns.places[turns.starts[piece]++] = places[i];
				}
			}
			if (i % SPM_BREATH_EVERY == 0)
				spmk_breathe(c->breath);
		}
		if (pass == 0)
		{
			for (uint32_t i = 0; i <= npieces; i++)
			{
				sum += turns.starts[i + 1];
				turns.starts[i + 1] = (uint32_t) sum;
			}
			turns.places = NEW(c->scratch, sum, uint32_t);
		}
	}
	/* the second pass has moved each start to its end */
	memmove(turns.starts + 1, turns.starts, ((size_t) npieces + 1) * sizeof(uint32_t));
	turns.starts[0] = 0;
	return turns;
}

/* Begin with the bits of those that ask nothing of the dimension. */
static void
begin_bits(Compiler *c, const uint32_t *places, uint32_t n)
{
	uint32_t	nplaces = c->book->nplaces;

	memset(c->bits, 0, (size_t) c->book->nlines * SPM_RULE_LINE * sizeof(uint64_t));
	memset(c->bits, 0xff, (size_t) (nplaces / 64) * sizeof(uint64_t));
	if (nplaces % 64 != 0)
		c->bits[nplaces / 64] = (UINT64_C(1) << nplaces % 64) - 1;
	for (uint32_t i = 0; i < n; i++)
		c->bits[places[i] / 64] &= ~(UINT64_C(1) << places[i] % 64);
	c->nchanged = 0;
	for (uint32_t i = 0; i < c->book->nlines; i++)
	{
		c->is_changed[i] = true;
		c->changed[c->nchanged++] = i;
	}
}

/* Rows of numbers that lie close together, or near the least bound, are looked up at once. */
static void
list_values(Compiler *c, SpmRuleDim *dim)
{
	uint64_t	spread;
	uint64_t	most = (uint64_t) dim->nbounds * VALUES_PER_BOUND;

	if (dim->order != SPM_ORDER_NUMBER || dim->nbounds == 0 || c->book->nrows > UINT16_MAX)
		return;
	if (most < LEAST_LISTED)
		most = LEAST_LISTED;
	spread = dim->heads[dim->nbounds - 1] - dim->least_head;
	dim->nvalues = spread < most ? spread + 1 : most;
	dim->row_of_value = NEW(c->kept, dim->nvalues, uint16_t);
	for (uint32_t i = 0; i < dim->nbounds && dim->heads[i] - dim->least_head < dim->nvalues; i++)
	{
		uint64_t	at = dim->heads[i] - dim->least_head;
		uint64_t	end = dim->nvalues;

		if (i + 1 < dim->nbounds && dim->heads[i + 1] - dim->least_head < end)
			end = dim->heads[i + 1] - dim->least_head;
		dim->row_of_value[at] = (uint16_t) dim->row_of_piece[2 * i + 1];
		while (++at < end)
			dim->row_of_value[at] = (uint16_t) dim->row_of_piece[2 * i + 2];
	}
}

static void
make_classes(Compiler *c, SpmRuleDim *dim, const uint32_t *sets, const uint32_t *places, uint32_t n, uint32_t full)
{
	Turns		turns = find_turns(c, sets, places, n, dim->npieces);

	dim->class_of = NEW(c->kept, dim->npieces, uint32_t);
	dim->row_of_piece = NEW(c->kept, dim->npieces, uint32_t);
	dim->nclasses = 1;
	begin_bits(c, places, n);
	for (uint32_t piece = 0; piece < dim->npieces; piece++)
	{
		for (uint32_t i = turns.starts[piece]; i < turns.starts[piece + 1]; i++)
			flip(c, turns.places[i]);
		if (piece == 0 || c->nchanged > 0)
			dim->row_of_piece[piece] = row_number(c);
		else
			dim->row_of_piece[piece] = dim->row_of_piece[piece - 1];
		if (piece == 0 || dim->row_of_piece[piece] != dim->row_of_piece[piece - 1])
			dim->nclasses++;
		dim->class_of[piece] = dim->nclasses - 1;
		if (piece % SPM_BREATH_EVERY == 0)
			spmk_breathe(c->breath);
	}

	dim->first_piece = NEW(c->kept, dim->nclasses, uint32_t);
	dim->row_of_class = NEW(c->kept, dim->nclasses, uint32_t);
	for (uint32_t piece = dim->npieces; piece-- > 0;)
	{
		dim->first_piece[dim->class_of[piece]] = piece;
		dim->row_of_class[dim->class_of[piece]] = dim->row_of_piece[piece];
	}
	begin_bits(c, places, n);
	for (uint32_t i = 0; i < n; i++)
	{
		if (c->set_nulls[sets[i]])
			flip(c, places[i]);
	}
	/* flipped lines are among the changed already */
	dim->row_of_class[0] = row_number(c);
	c->book->nclasses += dim->nclasses;

	for (uint32_t class = 0; class < dim->nclasses; class++)
	{
		if (dim->row_of_class[class] != full)
		{
			c->book->active[c->book->nactive++] = (uint32_t) (dim - c->book->dims);
			return;
		}
	}
}

/* Classes and rows of all dimensions, from the pieces of all sets. */
void
spmk_rule_make_rows(Compiler *c)
{
	SpmRulebook *book = c->book;
	uint32_t   *starts = NEW(c->scratch, (uint64_t) book->ndims + 2, uint32_t);
	uint32_t   *sets = NEW(c->scratch, book->nsets, uint32_t);
	uint32_t   *places = NEW(c->scratch, book->nsets, uint32_t);
	uint32_t	full;

	book->nlines = (book->nplaces + 64 * SPM_RULE_LINE - 1) / (64 * SPM_RULE_LINE);
	if (book->nlines == 0)
		book->nlines = 1;
	book->nwords = book->nlines * SPM_RULE_LINE;
	book->nsummary = (book->nwords + 63) / 64;
	book->row_size = book->nsummary * (uint32_t) sizeof(uint64_t) +
		(book->nlines + 1) / 2 * 2 * (uint32_t) sizeof(uint32_t);
	/* a row begins where a line of the cache does */
	if (book->row_size > 32)
		book->row_size = (book->row_size + 63) / 64 * 64;
	book->active = NEW(c->kept, book->ndims, uint32_t);
	c->bits = NEW(c->scratch, book->nwords, uint64_t);
	c->line_ids = NEW(c->scratch, book->nlines, uint32_t);
	c->is_changed = NEW(c->scratch, book->nlines, bool);
	c->changed = NEW(c->scratch, book->nlines, uint32_t);
	for (uint32_t i = 0; i < book->nlines; i++)
		c->hash ^= hash_of_line_id(i, 0);
	begin_bits(c, NULL, 0);
	full = row_number(c);

	/* sets by dimension */
	for (uint32_t s = 0; s < book->nsets; s++)
		starts[book->sets[s].dim + 2]++;
	for (uint32_t d = 0; d < book->ndims; d++)
		starts[d + 2] += starts[d + 1];
	for (uint32_t p = 0; p < book->nplaces; p++)
	{
		for (uint32_t i = 0; i < book->boxes[p].nsets; i++)
		{
			uint32_t	s = book->boxes[p].first_set + i;
			uint32_t	at = starts[book->sets[s].dim + 1]++;

			sets[at] = s;
			places[at] = p;
		}
	}
	for (uint32_t d = 0; d < book->ndims; d++)
		make_classes(c, &book->dims[d], sets + starts[d], places + starts[d], starts[d + 1] - starts[d], full);
	for (uint32_t d = 0; d < book->ndims; d++)
		list_values(c, &book->dims[d]);
}
