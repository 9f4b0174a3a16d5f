/*
 * dec.h
 *	  Between numeric and what the kernels compute with.
 */
#ifndef SPM_DEC_H
#define SPM_DEC_H

#include "postgres.h"

#include "compat.h"
#include "utils/numeric.h"

#include "kernel/dec.h"
#include "kernel/fast.h"
#include "kernel/rounding.h"

/* No number is taken with more digits than this before or after the point. */
#define SPM_MAX_DIGITS 1000

/* Room for a numeric that holds any int64 at any scale up to SPM_FAST_SCALE. */
#define SPM_NUMERIC_ROOM 32

/*
 * value * 10^scale, if the number is shown with just that many decimals and is
 * a small one, as amounts of a column mostly are; if not, it takes
 * spm_amount_to_int() to know.
 */
static inline bool
spm_amount_at_scale(Datum value, int scale, int64 *scaled)
{
	const char *p = DatumGetPointer(value);
	uint16		header;
	uint16		digit;
	int			ndigits;
	int			weight;
	int			after;
	int64		sum = 0;

	if (VARATT_IS_1B(p) && !VARATT_IS_1B_E(p))
	{
		ndigits = VARSIZE_1B(p) - VARHDRSZ_SHORT;
		p += VARHDRSZ_SHORT;
	}
	else if (VARATT_IS_4B_U(p))
	{
		ndigits = VARSIZE_4B(p) - VARHDRSZ;
		p += VARHDRSZ;
	}
	else
		return false;
	ndigits = (ndigits - (int) sizeof(header)) / (int) sizeof(digit);
	memcpy(&header, p, sizeof(header));
	p += sizeof(header);

	/* the short form: see dec.c */
	if ((header & 0xC000) != 0x8000 || (header & 0x1F80) >> 7 != scale || ndigits > 4)
		return false;
	weight = (header & 0x003F) - (header & 0x0040 ? 64 : 0);
	after = ndigits - weight - 1;
	for (int i = 0; i < ndigits; i++, p += sizeof(digit))
	{
		memcpy(&digit, p, sizeof(digit));
		sum = sum * 10000 + digit;
	}
	if (after == 1 && scale == 2)
		sum /= 100;				/* cents: a constant */
	else if (ndigits == 0)
		sum = 0;
	else if (after <= 0)
	{
		if ((weight + 1) * 4 + scale > 18)
			return false;
		sum *= spmk_pow10(-4 * after + scale);
	}
	else if (after * 4 - scale >= 0 && after * 4 - scale < 4)
		sum /= spmk_pow10(after * 4 - scale);
	else
		return false;
	*scaled = header & 0x2000 ? -sum : sum;
	return true;
}

extern Dec	spm_dec_arg(Datum value, const char *what);
extern Dec	spm_dec_trim(Dec value);
extern Numeric spm_copy_numeric(MemoryContext context, Numeric value);
extern Dec	spm_dec_read(const char *digits, int len);
extern char *spm_dec_text(Dec value);
extern int	spm_dec_scale(Dec value);
extern bool spm_dec_fits(Dec value, int before, int after);
extern bool spm_numeric_to_int(Datum value, int64 *scaled, int *scale);
extern bool spm_amount_to_int(Datum value, int64 *scaled, int *scale);
extern bool spm_dec_to_int(Dec value, int64 *scaled, int *scale);
extern int	spm_int_to_numeric(int64 scaled, int scale, char *out);
extern void spm_int_to_numeric_aligned(int64 scaled, int scale, char *out);
extern Datum spm_int_numeric_datum(int64 scaled, int scale);
extern int	spm_places_arg(int places);
extern SpmRounding spm_rounding_arg(text *name);

#endif
