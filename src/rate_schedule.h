/*
 * rate_schedule.h
 *	  The type spm.rate_schedule as C sees it.
 */
#ifndef SPM_RATE_SCHEDULE_H
#define SPM_RATE_SCHEDULE_H

#include "postgres.h"

#include "dec.h"
#include "kernel/schedule_text.h"

/*
 * On disk.  Numbers follow as int64 where all of them fit (is_wide = 0), else
 * as numerics, each at an aligned offset.  One schedule has one form and one
 * only: equal schedules have equal bytes.
 */
typedef struct RateSchedule
{
	int32		vl_len_;
	uint16		ntiers;
	uint8		is_wide;
	uint8		method;
	uint8		edge;
	uint8		zero_quota;
	uint8		flags;
	uint8		amount_scale;
	uint8		rate_scale;
	uint8		unused[3];		/* zero; puts the numbers on 8 bytes */
	char		numbers[FLEXIBLE_ARRAY_MEMBER];
} RateSchedule;

#define SPM_SCHEDULE_PERCENT		0x01
#define SPM_SCHEDULE_OUTSIDE_ZERO	0x02
#define SPM_SCHEDULE_ENDS			0x04
#define SPM_SCHEDULE_LAST_OPEN		0x08
#define SPM_SCHEDULE_BASE			0x10
#define SPM_SCHEDULE_CAP			0x20
#define SPM_SCHEDULE_LEAST			0x40
#define SPM_SCHEDULE_DIVISOR		0x80

#define PG_GETARG_RATE_SCHEDULE(n) \
	((RateSchedule *) PG_DETOAST_DATUM(PG_GETARG_DATUM(n)))

/* What another file makes a schedule with. */
extern int	spm_schedule_count(const SpmTerms *terms);
extern void spm_schedule_terms(const RateSchedule *packed, SpmTerms *terms);
extern char *spm_schedule_number(Dec value, bool percent);
extern void spm_schedule_options(SpmSchedule *schedule, const SpmScheduleText *in);
SPM_NORETURN extern void spm_schedule_text_error(SpmTextError error, const SpmScheduleText *in, const char *text);
extern RateSchedule *spm_schedule_finish(SpmSchedule *schedule);

extern void spm_schedule_unpack(const RateSchedule *packed, SpmSchedule *schedule);
extern bool spm_schedule_fast(const RateSchedule *packed, SpmFast *fast);
extern char *spm_schedule_text(const RateSchedule *packed);
extern void spm_schedule_absolute(const RateSchedule *packed);
extern void spm_schedule_above_end(const SpmSchedule *schedule, Dec amount);

#endif
