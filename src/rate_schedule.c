/*
 * rate_schedule.c
 *	  The type spm.rate_schedule: text and bytes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "kernel/schedule_text.h"
#include "rate_schedule.h"

/* The first byte of the binary form; the text form follows. */
#define BINARY_VERSION 1

static const char *const method_words[] = {"marginal", "whole", "interpolated", "weighted", "bonus",
	"excess", "curve"};
static const char *const edge_words[] = {"upper", "lower", "closed"};
static const char *const zero_words[] = {"top", "nothing", "refuse"};

/* --------------------------------------------------------- numbers and bytes */

/* 80% for a share, 80000 for an amount */
char *
spm_schedule_number(Dec value, bool percent)
{
	return percent ? psprintf("%s%%", spm_dec_text(dec_shift(value, 2))) : spm_dec_text(value);
}

static bool
is_default_base(const SpmSchedule *s)
{
	bool		first = spmk_default_base_is_first(s->terms.method, dec_sign(s->floors[0]) == 0);

	return first ? dec_cmp(s->base, s->values[0]) == 0 : dec_sign(s->base) == 0;
}

static void
set_default_base(SpmSchedule *s)
{
	if (!s->terms.has_base)
		s->base = spmk_default_base_is_first(s->terms.method, dec_sign(s->floors[0]) == 0) ?
			s->values[0] : dec_from_int(0, 0);
}

/*
 * All numbers of a schedule in the order in which they are kept.  A single end
 * of the last tier stands where the floor of one more tier would, so that a
 * tier always ends at the next floor unless there are ends of their own.
 */
static int
list_numbers(SpmSchedule *s, Dec *numbers, bool *is_rate)
{
	const SpmTerms *t = &s->terms;
	int			n = 0;

#define ADD(value, rate) (numbers[n] = (value), is_rate[n++] = (rate))
	for (int i = 0; i < t->ntiers; i++)
		ADD(s->floors[i], false);
	if (t->has_ends)
	{
		for (int i = 0; i < t->ntiers; i++)
			ADD(i == t->ntiers - 1 && t->last_open ? dec_from_int(0, 0) : s->ends[i], false);
	}
	else if (!t->last_open)
		ADD(s->ends[t->ntiers - 1], false);
	for (int i = 0; i < t->ntiers; i++)
		ADD(s->values[i], !spmk_values_are_money(t->method));
	if (t->has_base)
		ADD(s->base, true);
	if (t->has_cap)
		ADD(s->cap, false);
	if (t->has_least)
		ADD(s->least, false);
	if (t->has_divisor)
		ADD(s->divisor, false);
#undef ADD
	return n;
}

int
spm_schedule_count(const SpmTerms *t)
{
	return 2 * t->ntiers + (t->has_ends ? t->ntiers : !t->last_open) +
		t->has_base + t->has_cap + t->has_least + t->has_divisor;
}

static RateSchedule *
new_packed(const SpmTerms *t, Size numbers_size)
{
	Size		size = offsetof(RateSchedule, numbers) + numbers_size;
	RateSchedule *packed = palloc0(size);

	SET_VARSIZE(packed, size);
	packed->ntiers = t->ntiers;
	packed->method = t->method;
	packed->edge = t->edge;
	packed->zero_quota = t->zero_quota;
	packed->flags = (t->percent ? SPM_SCHEDULE_PERCENT : 0) |
		(t->outside_zero ? SPM_SCHEDULE_OUTSIDE_ZERO : 0) |
		(t->has_ends ? SPM_SCHEDULE_ENDS : 0) |
		(t->last_open ? SPM_SCHEDULE_LAST_OPEN : 0) |
		(t->has_base ? SPM_SCHEDULE_BASE : 0) |
		(t->has_cap ? SPM_SCHEDULE_CAP : 0) |
		(t->has_least ? SPM_SCHEDULE_LEAST : 0) |
		(t->has_divisor ? SPM_SCHEDULE_DIVISOR : 0);
	return packed;
}

void
spm_schedule_terms(const RateSchedule *packed, SpmTerms *t)
{
	t->ntiers = packed->ntiers;
	t->method = packed->method;
	t->edge = packed->edge;
	t->zero_quota = packed->zero_quota;
	t->percent = (packed->flags & SPM_SCHEDULE_PERCENT) != 0;
	t->outside_zero = (packed->flags & SPM_SCHEDULE_OUTSIDE_ZERO) != 0;
	t->has_ends = (packed->flags & SPM_SCHEDULE_ENDS) != 0;
	t->last_open = (packed->flags & SPM_SCHEDULE_LAST_OPEN) != 0;
	t->has_base = (packed->flags & SPM_SCHEDULE_BASE) != 0;
	t->has_cap = (packed->flags & SPM_SCHEDULE_CAP) != 0;
	t->has_least = (packed->flags & SPM_SCHEDULE_LEAST) != 0;
	t->has_divisor = (packed->flags & SPM_SCHEDULE_DIVISOR) != 0;
}

/* As integers of the coarsest scales that hold them, if they fit. */
static RateSchedule *
pack_ints(const SpmTerms *terms, const Dec *numbers, const bool *is_rate, int n)
{
	int64	   *ints = palloc(n * sizeof(int64));
	int		   *scales = palloc(n * sizeof(int));
	int			finest[2] = {0, 0};
	RateSchedule *packed;

	for (int i = 0; i < n; i++)
	{
		if (!spm_dec_to_int(numbers[i], &ints[i], &scales[i]))
			return NULL;
		while (scales[i] > 0 && ints[i] % 10 == 0)
		{
			ints[i] /= 10;
			scales[i]--;
		}
		finest[is_rate[i]] = Max(finest[is_rate[i]], scales[i]);
	}
	for (int i = 0; i < n; i++)
	{
		if (!spmk_rescale(&ints[i], scales[i], finest[is_rate[i]]))
			return NULL;
	}
	packed = new_packed(terms, n * sizeof(int64));
	packed->amount_scale = finest[0];
	packed->rate_scale = finest[1];
	memcpy(packed->numbers, ints, n * sizeof(int64));
	return packed;
}

/* Puts a checked schedule into its one form. */
static RateSchedule *
pack(SpmSchedule *s)
{
	SpmTerms   *t = &s->terms;
	Dec		   *numbers;
	bool	   *is_rate;
	int			n;
	Size		size = 0;
	RateSchedule *packed;

	t->has_ends = false;
	for (int i = 0; i < t->ntiers - 1; i++)
		t->has_ends |= dec_cmp(s->ends[i], s->floors[i + 1]) != 0;
	if (!t->has_ends && t->last_open)
		t->outside_zero = false;
	if (!t->percent)
		t->zero_quota = SPM_ZERO_TOP;
	if (t->has_base && is_default_base(s))
		t->has_base = false;
	if (t->has_divisor && dec_cmp(s->divisor, dec_from_int(1, 0)) == 0)
		t->has_divisor = false;

	n = spm_schedule_count(t);
	numbers = palloc(n * sizeof(Dec));
	is_rate = palloc(n * sizeof(bool));
	if (list_numbers(s, numbers, is_rate) != n)
		elog(ERROR, "rate schedule has the wrong count of numbers");
	packed = pack_ints(t, numbers, is_rate, n);
	if (packed != NULL)
		return packed;

	for (int i = 0; i < n; i++)
	{
		numbers[i] = spm_dec_trim(numbers[i]);
		size += MAXALIGN(VARSIZE(numbers[i]));
	}
	packed = new_packed(t, size);
	packed->is_wide = 1;
	size = 0;
	for (int i = 0; i < n; i++)
	{
		memcpy(packed->numbers + size, numbers[i], VARSIZE(numbers[i]));
		size += MAXALIGN(VARSIZE(numbers[i]));
	}
	return packed;
}

/* The numbers of a schedule, as decimals; those of a wide one stay in it. */
void
spm_schedule_unpack(const RateSchedule *packed, SpmSchedule *s)
{
	SpmTerms   *t = &s->terms;
	int			count;
	int			at = 0;
	Dec		   *numbers;

	memset(s, 0, sizeof(*s));
	spm_schedule_terms(packed, t);
	count = spm_schedule_count(t);
	numbers = palloc((count + 1) * sizeof(Dec));
	if (packed->is_wide)
	{
		const char *p = packed->numbers;

		for (int i = 0; i < count; i++)
		{
			numbers[i] = (Dec) p;
			p += MAXALIGN(VARSIZE(p));
		}
	}
	else
	{
		const int64 *ints = (const int64 *) packed->numbers;
		int			nbounds = t->ntiers + (t->has_ends ? t->ntiers : !t->last_open);
		int			nrates = (spmk_values_are_money(t->method) ? 0 : t->ntiers) + t->has_base;

		for (int i = 0; i < count; i++)
		{
			bool		rate = i >= nbounds && i < nbounds + nrates;

			numbers[i] = dec_from_int(ints[i], rate ? packed->rate_scale : packed->amount_scale);
		}
	}
	s->floors = numbers;
	at = t->ntiers;
	if (t->has_ends)
	{
		s->ends = numbers + at;
		at += t->ntiers;
	}
	else
	{
		s->ends = numbers + 1;	/* the next floor */
		at += !t->last_open;
	}
	s->values = numbers + at;
	at += t->ntiers;
	if (t->has_base)
		s->base = numbers[at++];
	if (t->has_cap)
		s->cap = numbers[at++];
	if (t->has_least)
		s->least = numbers[at++];
	if (t->has_divisor)
		s->divisor = numbers[at++];
	set_default_base(s);
}

/* The same for the fast path, without a copy; false if it is a wide one. */
bool
spm_schedule_fast(const RateSchedule *packed, SpmFast *fast)
{
	SpmTerms   *t = &fast->terms;
	const int64 *at = (const int64 *) packed->numbers;

	if (packed->is_wide)
		return false;
	spm_schedule_terms(packed, t);
	fast->amount_scale = packed->amount_scale;
	fast->rate_scale = packed->rate_scale;
	fast->floors = at;
	fast->ends = NULL;
	at += t->ntiers;
	if (t->has_ends)
	{
		fast->ends = at;
		at += t->ntiers;
	}
	else
		at += !t->last_open;
	fast->values = at;
	at += t->ntiers;
	if (t->has_base)
		fast->base = *at++;
	else
		fast->base = spmk_default_base_is_first(t->method, fast->floors[0] == 0) ? fast->values[0] : 0;
	fast->cap = t->has_cap ? *at++ : 0;
	fast->least = t->has_least ? *at++ : 0;
	fast->divisor = t->has_divisor ? *at++ : 1;
	return true;
}

/* -------------------------------------------------------------------- checks */

static const char *
tier_text(const SpmSchedule *s, int i, Dec floor)
{
	return psprintf("%s: %s", spm_schedule_number(floor, s->terms.percent),
					spm_schedule_number(s->values[i], !spmk_values_are_money(s->terms.method)));
}

/* Refuses what is no schedule, in the user's words. */
static void
check_schedule(const SpmSchedule *s)
{
	bool		percent = s->terms.percent;
	int			i;
	SpmStatus	status = spmk_schedule_check(s, &i);

#define FLOOR(i) spm_schedule_number(s->floors[i], percent)
#define END(i) spm_schedule_number(s->ends[i], percent)
	switch (status)
	{
		case SPM_OK:
			return;
		case SPM_ERR_NEGATIVE_FLOOR:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rate schedule starts below 0"),
					 errdetail("Tier 1 starts at %s.", FLOOR(0)),
					 errhint("Use the option 'base' to give the rate of amounts below the first tier.")));
			break;
		case SPM_ERR_ORDER:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rate schedule must be in ascending order"),
					 errdetail("Tier %d starts at %s, tier %d starts at %s.",
							   i + 1, FLOOR(i), i + 2, FLOOR(i + 1)),
					 errhint("Write the tiers in the order in which they start.")));
			break;
		case SPM_ERR_EMPTY:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("tier %d of the rate schedule is empty", i + 1),
					 errdetail("It starts at %s and ends at %s.", FLOOR(i), END(i))));
			break;
		case SPM_ERR_OVERLAP:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("tiers %d and %d of the rate schedule overlap", i + 1, i + 2),
					 errdetail("Tier %d ends at %s, tier %d starts at %s.",
							   i + 1, END(i), i + 2, FLOOR(i + 1)),
					 errhint("Write '%s, %s' to let tier %d end where tier %d starts.",
							 tier_text(s, i, s->floors[i]), tier_text(s, i + 1, s->floors[i + 1]),
							 i + 1, i + 2)));
			break;
		case SPM_ERR_GAP:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rate schedule has no rate between %s and %s", END(i), FLOOR(i + 1)),
					 errdetail("Tier %d ends at %s, tier %d starts at %s.",
							   i + 1, END(i), i + 2, FLOOR(i + 1)),
					 errhint("Write '%s, %s' to let tier %d start where tier %d ends.",
							 tier_text(s, i, s->floors[i]), tier_text(s, i + 1, s->ends[i]),
							 i + 2, i + 1)));
			break;
		case SPM_ERR_NO_END:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weighted rate schedule must end"),
					 errdetail("Tier %d starts at %s and has no end, so no share of it can be filled.",
							   i + 1, FLOOR(i)),
					 errhint("Give the last tier an end: '%s..<end>: %s'.", FLOOR(i),
							 spm_schedule_number(s->values[i], true))));
			break;
		case SPM_ERR_CAP_NEGATIVE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cap of a rate schedule must not be negative"),
					 errdetail("It is %s.", spm_dec_text(s->cap))));
			break;
		case SPM_ERR_CAP_FLOOR:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cap of a rate schedule is below its floor"),
					 errdetail("The cap is %s, the floor %s.",
							   spm_dec_text(s->cap), spm_dec_text(s->least))));
			break;
		case SPM_ERR_DIVISOR:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("divisor of a rate schedule must be greater than 0"),
					 errdetail("It is %s.", spm_dec_text(s->divisor))));
			break;
		default:
			break;
	}
	elog(ERROR, "unexpected status %d of a rate schedule", status);
#undef FLOOR
#undef END
}

/* What a schedule is made from must fit its text form again. */
static Dec
check_number(Dec value)
{
	Dec			trimmed = spm_dec_trim(value);

	if (!spm_dec_fits(trimmed, SPM_TEXT_MAX_DIGITS - 2, SPM_TEXT_MAX_DIGITS))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number in a rate schedule has too many digits"),
				 errdetail("At most %d digits before the decimal point and %d after it are accepted.",
						   SPM_TEXT_MAX_DIGITS - 2, SPM_TEXT_MAX_DIGITS)));
	return trimmed;
}

RateSchedule *
spm_schedule_finish(SpmSchedule *s)
{
	int			n = s->terms.ntiers;

	for (int i = 0; i < n; i++)
	{
		s->floors[i] = check_number(s->floors[i]);
		s->values[i] = check_number(s->values[i]);
		if (i < n - 1 || !s->terms.last_open)
			s->ends[i] = check_number(s->ends[i]);
	}
	set_default_base(s);
	s->base = check_number(s->base);
	if (s->terms.has_cap)
		s->cap = check_number(s->cap);
	if (s->terms.has_least)
		s->least = check_number(s->least);
	if (s->terms.has_divisor)
		s->divisor = check_number(s->divisor);
	check_schedule(s);
	return pack(s);
}

/* An operation on amounts needs amounts. */
void
spm_schedule_absolute(const RateSchedule *packed)
{
	if (packed->flags & SPM_SCHEDULE_PERCENT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rate schedule is in percent of quota"),
				 errdetail("It is '%s'.", spm_schedule_text(packed)),
				 errhint("Use spm.for_quota(schedule, quota) first.")));
}

void
spm_schedule_above_end(const SpmSchedule *s, Dec amount)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amount %s is above the end of the rate schedule", spm_dec_text(amount)),
			 errdetail("The last tier ends at %s.", spm_dec_text(s->ends[s->terms.ntiers - 1])),
			 errhint("Let the last tier have no end, or add 'outside zero' to pay nothing above it.")));
}

/* ---------------------------------------------------------------------- text */

void
spm_schedule_text_error(SpmTextError error, const SpmScheduleText *in, const char *text)
{
	int			code = ERRCODE_INVALID_TEXT_REPRESENTATION;
	const char *detail;
	const char *hint = "A rate schedule reads like '0: 5%, 100000: 8%, 150000: 12%', or in shares of quota '0%: 8%, 80%: 10%, 100%: 14%'.";
	char	   *token = pnstrdup(in->error_at, pg_mbcliplen(in->error_at, in->error_len, in->error_len));

	switch (error)
	{
		case SPM_TEXT_EMPTY:
			detail = "It is empty.";
			break;
		case SPM_TEXT_NUMBER:
			detail = "A number is expected there.";
			break;
		case SPM_TEXT_NOT_FINITE:
			detail = "Bounds and rates are finite numbers.";
			break;
		case SPM_TEXT_DIGITS:
			code = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
			detail = psprintf("At most %d digits before the decimal point and %d after it are accepted.",
							  SPM_TEXT_MAX_DIGITS, SPM_TEXT_MAX_DIGITS);
			hint = NULL;
			break;
		case SPM_TEXT_COLON:
			detail = "A colon and a rate are expected there.";
			break;
		case SPM_TEXT_TIERS:
			code = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
			detail = psprintf("At most %d tiers are accepted.", SPM_MAX_TIERS);
			hint = NULL;
			break;
		case SPM_TEXT_OPTION:
			detail = "This is no option of a rate schedule.";
			hint = "Options are marginal, whole, interpolated, weighted, bonus, excess, curve, edge, base, per, cap, floor, outside, zero quota, of quota.";
			break;
		case SPM_TEXT_OPTION_VALUE:
			detail = "This is no value of the option before it.";
			hint = "Write edge upper, lower or closed; outside refuse or zero; zero quota top, nothing or refuse; of quota.";
			break;
		case SPM_TEXT_OPTION_TWICE:
			detail = "An option is given twice.";
			hint = NULL;
			break;
		case SPM_TEXT_MIXED:
			detail = "Either all bounds are in percent of quota or none is.";
			break;
		case SPM_TEXT_PERCENT:
			detail = "This is an amount of money and takes no percent sign.";
			hint = NULL;
			break;
		default:
			detail = "It cannot be read.";
			break;
	}
	if (error == SPM_TEXT_EMPTY || *token == '\0')
		ereport(ERROR,
				(errcode(code),
				 errmsg("rate schedule cannot be read at its end"),
				 errdetail_internal("%s", detail), hint ? errhint("%s", hint) : 0));
	ereport(ERROR,
			(errcode(code),
			 errmsg("rate schedule cannot be read at \"%s\"", token),
			 errdetail_internal("Character %d: %s", (int) pg_mbstrlen_with_len(text, in->error_at - text) + 1, detail),
			 hint ? errhint("%s", hint) : 0));
}

static Dec
read_number(const SpmNumberText *number, bool percent)
{
	Dec			value = spm_dec_read(number->at, number->len);

	return percent ? dec_shift(value, -2) : value;
}

/* Options that come with tiers of any origin. */
void
spm_schedule_options(SpmSchedule *s, const SpmScheduleText *in)
{
	if (in->terms.has_base)
	{
		if (in->terms.method == SPM_BONUS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a schedule of bonuses has no base"),
					 errdetail("Below the first tier no bonus is paid.")));
		if (in->terms.method == SPM_CURVE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a pay curve has no base"),
					 errdetail("Below its first point nothing is paid.")));
		s->base = read_number(&in->base, in->base.percent);
	}
	if (in->terms.has_cap)
		s->cap = read_number(&in->cap, false);
	if (in->terms.has_least)
		s->least = read_number(&in->least, false);
	if (in->terms.has_divisor)
		s->divisor = read_number(&in->divisor, false);
	if (in->terms.zero_quota != SPM_ZERO_TOP && !s->terms.percent)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"zero quota\" needs bounds in percent of quota"),
				 errhint("Write bounds as '0%%: ..., 80%%: ...', or add 'of quota'.")));
}

static RateSchedule *
read_schedule(const char *text, Size len)
{
	SpmScheduleText *in = palloc(sizeof(SpmScheduleText));
	SpmSchedule s;
	SpmTextError error = spmk_read_schedule(text, len, in);
	int			n;
	bool		percent;

	if (error != SPM_TEXT_OK)
		spm_schedule_text_error(error, in, text);
	memset(&s, 0, sizeof(s));
	s.terms = in->terms;
	n = s.terms.ntiers;
	percent = in->tiers[0].floor.percent;
	s.floors = palloc(n * sizeof(Dec));
	s.ends = palloc(n * sizeof(Dec));
	s.values = palloc(n * sizeof(Dec));
	for (int i = 0; i < n; i++)
	{
		s.floors[i] = read_number(&in->tiers[i].floor, percent);
		s.values[i] = read_number(&in->tiers[i].value, in->tiers[i].value.percent);
	}
	for (int i = 0; i < n; i++)
	{
		if (in->tiers[i].end.at != NULL)
			s.ends[i] = read_number(&in->tiers[i].end, percent);
		else if (i == n - 1)
			s.terms.last_open = true;
		else if (in->tiers[i].unbounded)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("tiers %d and %d of the rate schedule overlap", i + 1, i + 2),
					 errdetail("Tier %d has no end, tier %d starts at %s.", i + 1, i + 2,
							   spm_schedule_number(s.floors[i + 1], s.terms.percent))));
		else
			s.ends[i] = s.floors[i + 1];
	}
	spm_schedule_options(&s, in);
	return spm_schedule_finish(&s);
}

char *
spm_schedule_text(const RateSchedule *packed)
{
	SpmSchedule s;
	const SpmTerms *t = &s.terms;
	StringInfoData out;

	spm_schedule_unpack(packed, &s);
	initStringInfo(&out);
	for (int i = 0; i < t->ntiers; i++)
	{
		bool		last = i == t->ntiers - 1;
		bool		has_end = last ? !t->last_open :
			t->has_ends && dec_cmp(s.ends[i], s.floors[i + 1]) != 0;

		if (i > 0)
			appendStringInfoString(&out, ", ");
		appendStringInfoString(&out, spm_schedule_number(s.floors[i], t->percent));
		if (has_end)
			appendStringInfo(&out, "..%s", spm_schedule_number(s.ends[i], t->percent));
		appendStringInfo(&out, ": %s", spm_schedule_number(s.values[i], !spmk_values_are_money(t->method)));
	}
	if (t->method != SPM_MARGINAL)
		appendStringInfo(&out, " %s", method_words[t->method]);
	if (t->edge != SPM_EDGE_UPPER)
		appendStringInfo(&out, " edge %s", edge_words[t->edge]);
	if (t->has_base)
		appendStringInfo(&out, " base %s", spm_schedule_number(s.base, true));
	if (t->has_divisor)
		appendStringInfo(&out, " per %s", spm_dec_text(s.divisor));
	if (t->has_cap)
		appendStringInfo(&out, " cap %s", spm_dec_text(s.cap));
	if (t->has_least)
		appendStringInfo(&out, " floor %s", spm_dec_text(s.least));
	if (t->outside_zero)
		appendStringInfoString(&out, " outside zero");
	if (t->zero_quota != SPM_ZERO_TOP)
		appendStringInfo(&out, " zero quota %s", zero_words[t->zero_quota]);
	return out.data;
}

PG_FUNCTION_INFO_V1(spm_rate_schedule_in);
PG_FUNCTION_INFO_V1(spm_rate_schedule_out);
PG_FUNCTION_INFO_V1(spm_rate_schedule_recv);
PG_FUNCTION_INFO_V1(spm_rate_schedule_send);

Datum
spm_rate_schedule_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(read_schedule(text, strlen(text)));
}

Datum
spm_rate_schedule_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(spm_schedule_text(PG_GETARG_RATE_SCHEDULE(0)));
}

/* As with jsonb, the binary form is a version and the text. */
Datum
spm_rate_schedule_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(message);
	char	   *text;
	int			len;

	if (version != BINARY_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version %d of a binary rate schedule", version)));
	text = pq_getmsgtext(message, message->len - message->cursor, &len);
	PG_RETURN_POINTER(read_schedule(text, len));
}

Datum
spm_rate_schedule_send(PG_FUNCTION_ARGS)
{
	char	   *text = spm_schedule_text(PG_GETARG_RATE_SCHEDULE(0));
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, BINARY_VERSION);
	pq_sendtext(&out, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}
