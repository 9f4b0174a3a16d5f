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

extern Dec	spm_dec_arg(Datum value, const char *what);
extern Dec	spm_dec_trim(Dec value);
extern Dec	spm_dec_read(const char *digits, int len);
extern char *spm_dec_text(Dec value);
extern int	spm_dec_scale(Dec value);
extern bool spm_dec_fits(Dec value, int before, int after);
extern bool spm_numeric_to_int(Datum value, int64 *scaled, int *scale);
extern bool spm_amount_to_int(Datum value, int64 *scaled, int *scale);
extern bool spm_dec_to_int(Dec value, int64 *scaled, int *scale);
extern int	spm_int_to_numeric(int64 scaled, int scale, char *out);
extern Datum spm_int_numeric_datum(int64 scaled, int scale);
extern int	spm_places_arg(int places);
extern SpmRounding spm_rounding_arg(text *name);

#endif
