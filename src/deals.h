/*
 * deals.h
 *	  The deals of one group, while they are collected and once they are packed.
 */
#ifndef SPM_DEALS_H
#define SPM_DEALS_H

#include "postgres.h"

#include "utils/date.h"

#include "rate_schedule.h"

/* What all rows of a group have in common. */
typedef struct Terms
{
	RateSchedule *schedule;		/* NULL: a null */
	int			places;
	SpmRounding rounding;
} Terms;

typedef struct Deal
{
	union
	{
		int64		number;
		Size		at;			/* of the text key among all keys */
	}			key;
	union
	{
		int64		scaled;
		Numeric		wide;
	}			amount;
	DateADT		date;
	int			key_len;
} Deal;

typedef struct Deals
{
	Terms		terms;
	int			scale;			/* of all amounts, as they are shown */
	bool		is_wide;
	bool		text_keys;
	int			ndeals;
	int			space;
	Deal	   *deals;
	Size		keys_len;
	Size		keys_space;
	char	   *keys;
} Deals;

extern Deal *spm_new_deal(Deals *deals, MemoryContext context);
extern Size spm_add_deal_key(Deals *deals, MemoryContext context, const char *key, Size len);
extern bytea *spm_deals_pack(const Deals *deals);
extern Deals *spm_deals_unpack(bytea *packed);

#endif
