/*
 * schedule_text.c
 *	  Reading the text form of a rate schedule.
 *
 * The text need not end in a zero byte.  Numbers stay text: turning them into
 * decimals, and checking that they make a schedule, is for later.
 */
#include "schedule_text.h"

#include <string.h>

typedef struct Reader
{
	const char *at;
	const char *end;
	SpmScheduleText *out;
} Reader;

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

static bool
is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static void
skip_space(Reader *r)
{
	while (r->at < r->end && is_space(*r->at))
		r->at++;
}

static bool
accept(Reader *r, char c)
{
	skip_space(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* The error is at what comes next, up to a space or comma. */
static SpmTextError
fail(Reader *r, SpmTextError error)
{
	skip_space(r);
	r->out->error_at = r->at;
	r->out->error_len = 0;
	while (r->at + r->out->error_len < r->end && r->out->error_len < 40 &&
		   !is_space(r->at[r->out->error_len]) &&
		   (r->at[r->out->error_len] != ',' || r->out->error_len == 0))
		r->out->error_len++;
	return error;
}

static SpmTextError
fail_at(Reader *r, const char *at, SpmTextError error)
{
	r->at = at;
	return fail(r, error);
}

/* The word that comes next, without taking it. */
static int
peek_word(Reader *r)
{
	int			len = 0;

	skip_space(r);
	while (r->at + len < r->end && is_letter(r->at[len]))
		len++;
	return len;
}

static bool
word_is(const char *at, int len, const char *word)
{
	if ((size_t) len != strlen(word))
		return false;
	for (int i = 0; i < len; i++)
	{
		if (lower(at[i]) != word[i])
			return false;
	}
	return true;
}

static bool
accept_word(Reader *r, const char *word)
{
	int			len = peek_word(r);

	if (!word_is(r->at, len, word))
		return false;
	r->at += len;
	return true;
}

static SpmTextError
read_number(Reader *r, SpmNumberText *number)
{
	const char *start;
	const char *p;
	int			before = 0;
	int			after = 0;

	skip_space(r);
	start = p = r->at;
	if (p < r->end && (*p == '-' || *p == '+'))
		p++;
	r->at = p;
	if (accept_word(r, "nan") || accept_word(r, "inf") || accept_word(r, "infinity"))
		return fail_at(r, start, SPM_TEXT_NOT_FINITE);
	r->at = start;
	while (p < r->end && is_digit(*p))
	{
		p++;
		before++;
	}

	/* In '0..100' the dots are not part of the number. */
	if (p < r->end && *p == '.' && !(p + 1 < r->end && p[1] == '.'))
	{
		p++;
		while (p < r->end && is_digit(*p))
		{
			p++;
			after++;
		}
	}
	if (before + after == 0 || (p < r->end && is_letter(*p) && (lower(*p) == 'e' || lower(*p) == 'k' || lower(*p) == 'm')))
		return fail_at(r, start, SPM_TEXT_NUMBER);
	if (before > SPM_TEXT_MAX_DIGITS || after > SPM_TEXT_MAX_DIGITS)
		return fail_at(r, start, SPM_TEXT_DIGITS);
	number->at = start;
	number->len = (int) (p - start);
	r->at = p;
	number->percent = accept(r, '%');
	return SPM_TEXT_OK;
}

static SpmTextError
read_tier(Reader *r, SpmTierText *tier)
{
	SpmTextError error = read_number(r, &tier->floor);

	if (error != SPM_TEXT_OK)
		return error;
	skip_space(r);
	if (r->end - r->at >= 2 && r->at[0] == '.' && r->at[1] == '.')
	{
		r->at += 2;
		skip_space(r);
		if (r->at < r->end && *r->at == ':')
			tier->unbounded = true;
		else if ((error = read_number(r, &tier->end)) != SPM_TEXT_OK)
			return error;
	}
	if (!accept(r, ':'))
		return fail(r, SPM_TEXT_COLON);
	return read_number(r, &tier->value);
}

/* Options that have been read, to refuse one that comes twice. */
enum
{
	SEEN_METHOD = 1,
	SEEN_EDGE = 2,
	SEEN_BASE = 4,
	SEEN_CAP = 8,
	SEEN_FLOOR = 16,
	SEEN_OUTSIDE = 32,
	SEEN_ZERO = 64,
	SEEN_OF_QUOTA = 128,
	SEEN_DIVISOR = 256
};

static bool
accept_choice(Reader *r, const char *const *words, int nwords, int *choice)
{
	for (int i = 0; i < nwords; i++)
	{
		if (accept_word(r, words[i]))
		{
			*choice = i;
			return true;
		}
	}
	return false;
}

static SpmTextError
read_amount(Reader *r, SpmNumberText *number)
{
	const char *start = r->at;
	SpmTextError error = read_number(r, number);

	if (error == SPM_TEXT_OK && number->percent)
		return fail_at(r, start, SPM_TEXT_PERCENT);
	return error;
}

static SpmTextError
read_options(Reader *r)
{
	static const char *const methods[] = {"marginal", "whole", "interpolated", "weighted", "bonus",
		"excess", "curve"};
	static const char *const edges[] = {"upper", "lower", "closed"};
	static const char *const outsides[] = {"refuse", "zero"};
	static const char *const zeros[] = {"top", "nothing", "refuse"};
	SpmScheduleText *out = r->out;
	int			seen = 0;

	for (skip_space(r); r->at < r->end; skip_space(r))
	{
		const char *start = r->at;
		SpmTextError error = SPM_TEXT_OK;
		bool		known = true;
		int			option;
		int			choice = 0;

		if (accept_choice(r, methods, 7, &choice))
		{
			option = SEEN_METHOD;
			out->terms.method = (SpmRateMethod) choice;
		}
		else if (accept_word(r, "edge"))
		{
			option = SEEN_EDGE;
			known = accept_choice(r, edges, 3, &choice);
			out->terms.edge = (SpmEdge) choice;
		}
		else if (accept_word(r, "outside"))
		{
			option = SEEN_OUTSIDE;
			known = accept_choice(r, outsides, 2, &choice);
			out->terms.outside_zero = choice == 1;
		}
		else if (accept_word(r, "zero"))
		{
			option = SEEN_ZERO;
			known = accept_word(r, "quota") && accept_choice(r, zeros, 3, &choice);
			out->terms.zero_quota = (SpmZeroQuota) choice;
		}
		else if (accept_word(r, "of"))
		{
			option = SEEN_OF_QUOTA;
			known = accept_word(r, "quota");
			out->of_quota = true;
		}
		else if (accept_word(r, "base"))
		{
			option = SEEN_BASE;
			error = read_number(r, &out->base);
			out->terms.has_base = true;
		}
		else if (accept_word(r, "per"))
		{
			option = SEEN_DIVISOR;
			error = read_amount(r, &out->divisor);
			out->terms.has_divisor = true;
		}
		else if (accept_word(r, "cap"))
		{
			option = SEEN_CAP;
			error = read_amount(r, &out->cap);
			out->terms.has_cap = true;
		}
		else if (accept_word(r, "floor"))
		{
			option = SEEN_FLOOR;
			error = read_amount(r, &out->least);
			out->terms.has_least = true;
		}
		else
			return fail(r, SPM_TEXT_OPTION);
		if (error != SPM_TEXT_OK)
			return error;
		if (!known)
			return fail(r, SPM_TEXT_OPTION_VALUE);
		if (seen & option)
			return fail_at(r, start, SPM_TEXT_OPTION_TWICE);
		seen |= option;
	}
	return SPM_TEXT_OK;
}

/* Bounds are all in percent, or none is; the values of a bonus or curve are money. */
static SpmTextError
check_percent(Reader *r)
{
	SpmScheduleText *out = r->out;

	for (int i = 0; i < out->terms.ntiers; i++)
	{
		const SpmTierText *tier = &out->tiers[i];

		if (tier->floor.percent != out->tiers[0].floor.percent)
			return fail_at(r, tier->floor.at, SPM_TEXT_MIXED);
		if (tier->end.at != NULL && tier->end.percent != out->tiers[0].floor.percent)
			return fail_at(r, tier->end.at, SPM_TEXT_MIXED);
		if (spmk_values_are_money(out->terms.method) && tier->value.percent)
			return fail_at(r, tier->value.at, SPM_TEXT_PERCENT);
	}
	out->terms.percent = out->of_quota || (out->terms.ntiers > 0 && out->tiers[0].floor.percent);
	return SPM_TEXT_OK;
}

SpmTextError
spmk_read_schedule(const char *text, size_t len, SpmScheduleText *out)
{
	Reader		r = {text, text + len, out};
	SpmTextError error;

	memset(out, 0, sizeof(*out));
	skip_space(&r);
	if (r.at == r.end)
		return fail(&r, SPM_TEXT_EMPTY);
	do
	{
		if (out->terms.ntiers == SPM_MAX_TIERS)
			return fail(&r, SPM_TEXT_TIERS);
		error = read_tier(&r, &out->tiers[out->terms.ntiers]);
		if (error != SPM_TEXT_OK)
			return error;
		out->terms.ntiers++;
	} while (accept(&r, ','));
	error = read_options(&r);
	if (error != SPM_TEXT_OK)
		return error;
	return check_percent(&r);
}

/* Options alone, for tiers that come as arrays. */
SpmTextError
spmk_read_options(const char *text, size_t len, SpmScheduleText *out)
{
	Reader		r = {text, text + len, out};
	SpmTextError error;

	memset(out, 0, sizeof(*out));
	error = read_options(&r);
	if (error != SPM_TEXT_OK)
		return error;
	return check_percent(&r);
}
