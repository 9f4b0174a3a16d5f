/*
 * dec.c
 *	  Between numeric and what the kernels compute with.
 *
 * Dec is a numeric.  The fast path reads numerics straight from their bytes and
 * writes them likewise: that format is what lies on disk, so pg_upgrade holds
 * it still (PostgreSQL 9.1 to 18).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "dec.h"

/* A numeric is a header, then digits of base 10,000, most significant first. */
#define DIGIT_BASE			10000
#define DIGIT_PLACES		4
#define HEADER_SIGN_MASK	0xC000
#define HEADER_NEGATIVE		0x4000
#define HEADER_SHORT		0x8000
#define HEADER_SPECIAL		0xC000
#define SHORT_NEGATIVE		0x2000
#define SHORT_SCALE_SHIFT	7
#define SHORT_SCALE_MASK	0x1F80
#define SHORT_WEIGHT_SIGN	0x0040
#define SHORT_WEIGHT_MASK	0x003F
#define LONG_SCALE_MASK		0x3FFF

typedef struct Digits
{
	bool		negative;
	int			weight;			/* of the first digit, as a power of 10,000 */
	int			scale;
	int			ndigits;
	const char *digits;			/* int16 each, perhaps not aligned */
} Digits;

static uint16
uint16_at(const char *p)
{
	uint16		value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* false for NaN and the infinities; 'value' is not compressed or external */
static bool
numeric_digits(const void *value, Digits *out)
{
	const char *p = VARDATA_ANY(value);
	int			size = VARSIZE_ANY_EXHDR(value);
	uint16		header = uint16_at(p);
	int			head = sizeof(uint16);

	if ((header & HEADER_SIGN_MASK) == HEADER_SPECIAL)
		return false;
	if (header & HEADER_SHORT)
	{
		out->negative = (header & SHORT_NEGATIVE) != 0;
		out->scale = (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT;
		out->weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_SIGN)
			out->weight -= SHORT_WEIGHT_MASK + 1;
	}
	else
	{
		out->negative = (header & HEADER_SIGN_MASK) == HEADER_NEGATIVE;
		out->scale = header & LONG_SCALE_MASK;
		out->weight = (int16) uint16_at(p + sizeof(uint16));
		head += sizeof(int16);
	}
	out->ndigits = (size - head) / (int) sizeof(int16);
	out->digits = p + head;
	return true;
}

/* value * 10^scale where that is a whole number that the fast path takes */
static bool
packed_to_int(const void *value, int64 *scaled, int *scale)
{
	Digits		d;
	int			after;			/* digits of base 10,000 after the point */
	int64		sum = 0;

	if (!numeric_digits(value, &d))
		return false;
	after = Max(d.ndigits - d.weight - 1, 0);
	if (d.ndigits == 0)
		after = 0;
	*scale = Min(d.scale, after * DIGIT_PLACES);
	if (*scale > SPM_FAST_SCALE || d.weight > 5)
		return false;
	for (int i = 0; i < d.ndigits; i++)
	{
		int			digit = uint16_at(d.digits + i * sizeof(int16));
		int			unit = DIGIT_BASE;

		/* The last digit may reach beyond the scale, with zeros. */
		if (i == d.ndigits - 1 && after * DIGIT_PLACES > *scale)
		{
			int			beyond = after * DIGIT_PLACES - *scale;

			if (beyond >= DIGIT_PLACES)
				return false;
			unit = (int) spmk_pow10(DIGIT_PLACES - beyond);
			digit /= (int) spmk_pow10(beyond);
		}
		if (__builtin_mul_overflow(sum, (int64) unit, &sum) ||
			__builtin_add_overflow(sum, (int64) digit, &sum))
			return false;
	}
	for (int i = d.ndigits - 1; i < d.weight; i++)
	{
		if (d.ndigits == 0)
			break;
		if (__builtin_mul_overflow(sum, (int64) DIGIT_BASE, &sum))
			return false;
	}
	if (sum > SPM_FAST_MAX)
		return false;
	*scaled = d.negative ? -sum : sum;
	return true;
}

bool
spm_numeric_to_int(Datum value, int64 *scaled, int *scale)
{
	return packed_to_int(PG_DETOAST_DATUM_PACKED(value), scaled, scale);
}

/* The same at the scale at which the number is shown. */
bool
spm_amount_to_int(Datum value, int64 *scaled, int *scale)
{
	void	   *packed = PG_DETOAST_DATUM_PACKED(value);
	Digits		d;
	int			needed;

	if (!numeric_digits(packed, &d) || d.scale > SPM_FAST_SCALE ||
		!packed_to_int(packed, scaled, &needed))
		return false;
	*scale = d.scale;
	return spmk_rescale(scaled, needed, d.scale);
}

bool
spm_dec_to_int(Dec value, int64 *scaled, int *scale)
{
	return packed_to_int(value, scaled, scale);
}

/* A copy that lives as long as its context. */
Numeric
spm_copy_numeric(MemoryContext context, Numeric value)
{
	Numeric		copy = MemoryContextAlloc(context, VARSIZE(value));

	memcpy(copy, value, VARSIZE(value));
	return copy;
}

/* Writes the numeric scaled / 10^scale, display scale included; returns its size. */
static inline int
put_numeric(int64 scaled, int scale, char *out)
{
	uint64		size = scaled < 0 ? -(uint64) scaled : (uint64) scaled;
	/* cents, as it mostly is: a division by a constant is a product */
	uint64		whole = scale == 2 ? size / 100 : size / spmk_pow10(scale);
	uint64		rest = scale == 2 ? size % 100 : size % spmk_pow10(scale);
	int			after = (scale + DIGIT_PLACES - 1) / DIGIT_PLACES;
	int16		digits[16];
	int			first = 8;		/* digits[8] is the first after the point */
	int			last = 8 + after;
	int			weight;
	uint16		header;
	int			len;

	Assert(scale >= 0 && scale <= SPM_FAST_SCALE);
	rest *= spmk_pow10(after * DIGIT_PLACES - scale);
	for (int i = last - 1; i >= 8; i--)
	{
		digits[i] = rest % DIGIT_BASE;
		rest /= DIGIT_BASE;
	}
	while (whole != 0)
	{
		digits[--first] = whole % DIGIT_BASE;
		whole /= DIGIT_BASE;
	}
	while (first < last && digits[first] == 0)
		first++;
	while (first < last && digits[last - 1] == 0)
		last--;
	weight = first < last ? 8 - first - 1 : 0;
	header = HEADER_SHORT | (scale << SHORT_SCALE_SHIFT) |
		(weight < 0 ? SHORT_WEIGHT_SIGN : 0) | (weight & SHORT_WEIGHT_MASK);
	if (scaled < 0)
		header |= SHORT_NEGATIVE;
	len = (int) sizeof(header) + (last - first) * (int) sizeof(int16);
	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), &digits[first], (last - first) * sizeof(int16));
	return len;
}

/* As a varlena with a short header; 'out' has SPM_NUMERIC_ROOM bytes. */
int
spm_int_to_numeric(int64 scaled, int scale, char *out)
{
	int			len = VARHDRSZ_SHORT + put_numeric(scaled, scale, out + VARHDRSZ_SHORT);

	SET_VARSIZE_SHORT(out, len);
	return len;
}

/*
 * With a long header, on 4 bytes: what takes it as an argument need not copy
 * it first.
 */
void
spm_int_to_numeric_aligned(int64 scaled, int scale, char *out)
{
	int			len = VARHDRSZ + put_numeric(scaled, scale, out + VARHDRSZ);

	SET_VARSIZE(out, len);
}

/* The same in memory of its own. */
Datum
spm_int_numeric_datum(int64 scaled, int scale)
{
	char	   *out = palloc(SPM_NUMERIC_ROOM);

	spm_int_to_numeric(scaled, scale, out);
	return PointerGetDatum(out);
}

/* Refuses what is no amount: NaN, infinities, digits without end. */
Dec
spm_dec_arg(Datum value, const char *what)
{
	Numeric		num = DatumGetNumeric(value);
	Digits		d;

	if (!numeric_digits(num, &d))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number", what),
				 errdetail("It is %s.", numeric_is_nan(num) ? "NaN" : "infinite")));
	if (d.ndigits > 0 &&
		(d.weight >= SPM_MAX_DIGITS / DIGIT_PLACES ||
		 d.ndigits - d.weight - 1 > SPM_MAX_DIGITS / DIGIT_PLACES))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s has too many digits", what),
				 errdetail("At most %d digits before the decimal point and %d after it are accepted.",
						   SPM_MAX_DIGITS, SPM_MAX_DIGITS)));
	if (d.scale > SPM_MAX_DIGITS)
		return spm_dec_trim(num);
	return num;
}

Dec
spm_dec_trim(Dec value)
{
	return DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(value)));
}

/* digits: [+-]digits[.digits], checked by the caller */
Dec
spm_dec_read(const char *digits, int len)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(pnstrdup(digits, len)),
											   ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

char *
spm_dec_text(Dec value)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(spm_dec_trim(value))));
}

/* How many decimals the value needs. */
int
spm_dec_scale(Dec value)
{
	return DatumGetInt32(DirectFunctionCall1(numeric_min_scale, NumericGetDatum(value)));
}

/* Whether a trimmed value has no more digits than these. */
bool
spm_dec_fits(Dec value, int before, int after)
{
	Digits		d;
	int			first = 0;

	if (!numeric_digits(value, &d))
		return false;
	if (d.ndigits == 0)
		return true;
	for (int digit = uint16_at(d.digits); digit > 0; digit /= 10)
		first++;
	return d.weight * DIGIT_PLACES + first <= before && d.scale <= after;
}

int
spm_places_arg(int places)
{
	if (places < -100 || places > 100)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("places must be between -100 and 100"),
				 errdetail("It is %d.", places)));
	return places;
}

SpmRounding
spm_rounding_arg(text *name)
{
	SpmRounding rounding;

	if (!spmk_rounding_from_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &rounding))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a rounding", text_to_cstring(name)),
				 errhint("Use one of half_up, half_even, half_down, up, down, floor, ceil.")));
	return rounding;
}

/* ---------------------------------------------------- what kernel/dec.h asks */

Dec
dec_from_int(int64_t value, int scale)
{
	return int64_div_fast_to_numeric(value, scale);
}

Dec
dec_add(Dec a, Dec b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

Dec
dec_sub(Dec a, Dec b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_sub, NumericGetDatum(a), NumericGetDatum(b)));
}

Dec
dec_mul(Dec a, Dec b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a), NumericGetDatum(b)));
}

Dec
dec_quotient(Dec a, Dec b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_div_trunc, NumericGetDatum(a), NumericGetDatum(b)));
}

Dec
dec_shift(Dec a, int places)
{
	StringInfoData power;

	if (places == 0)
		return a;
	if (places > 0 && places <= 18)
		return dec_mul(a, int64_to_numeric(spmk_pow10(places)));
	if (places < 0 && places >= -18)
		return dec_mul(a, int64_div_fast_to_numeric(1, -places));
	initStringInfo(&power);
	appendStringInfoString(&power, places > 0 ? "1" : "0.");
	for (int i = 1; i <= places; i++)
		appendStringInfoChar(&power, '0');
	for (int i = 1; i < -places; i++)
		appendStringInfoChar(&power, '0');
	if (places < 0)
		appendStringInfoChar(&power, '1');
	return dec_mul(a, spm_dec_read(power.data, power.len));
}

int
dec_cmp(Dec a, Dec b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

int
dec_sign(Dec a)
{
	Digits		d;

	if (!numeric_digits(a, &d))
		elog(ERROR, "numeric is not finite");
	return d.ndigits == 0 ? 0 : d.negative ? -1 : 1;
}
