/*
 * schedule_text_test.c: reading schedules, and surviving what is none.
 *
 * Texts are copied to memory of just their length, so that the sanitizer sees
 * any byte read beyond them.
 */
#include "kernel/schedule_text.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static SpmScheduleText out;

static SpmTextError
read_bytes(const char *text, size_t len)
{
	char	   *copy = malloc(len ? len : 1);
	SpmTextError error;

	memcpy(copy, text, len);
	error = spmk_read_schedule(copy, len, &out);
	if (error == SPM_TEXT_OK)
	{
		/* all numbers lie within the text */
		for (int i = 0; i < out.terms.ntiers; i++)
		{
			const SpmNumberText *numbers[] = {&out.tiers[i].floor, &out.tiers[i].end, &out.tiers[i].value};

			for (int k = 0; k < 3; k++)
			{
				if (numbers[k]->at && (numbers[k]->at < copy || numbers[k]->len <= 0 ||
									   numbers[k]->at + numbers[k]->len > copy + len))
					error = (SpmTextError) -1;
			}
		}
	}
	else if (out.error_at < copy || out.error_at + out.error_len > copy + len)
		error = (SpmTextError) -1;
	free(copy);
	return error;
}

static SpmTextError
reads(const char *text)
{
	return read_bytes(text, strlen(text));
}

int
main(void)
{
	static const char full[] =
		"0%..80%: 8%, 80%: 10.5%, 100%..120.25%: .14 interpolated edge closed base 2% per 700.5 cap 5000 floor -1 outside zero zero quota nothing";
	bool		sane = true;
	int			good = 0;
	char		long_text[400];

	ok(reads("0: 5%, 100000: 8%, 150000: 12%") == SPM_TEXT_OK && out.terms.ntiers == 3, "three tiers");
	ok(!out.terms.percent && out.tiers[1].value.percent && out.tiers[1].value.len == 1, "a rate in percent");
	ok(reads("0..100000: 5%, 100000..: 8%") == SPM_TEXT_OK && out.tiers[0].end.len == 6 && out.tiers[1].unbounded,
	   "ends, and none");
	ok(reads(full) == SPM_TEXT_OK && out.terms.percent && out.terms.method == SPM_INTERPOLATED &&
	   out.terms.edge == SPM_EDGE_CLOSED && out.terms.outside_zero && out.terms.zero_quota == SPM_ZERO_NOTHING &&
	   out.terms.has_base && out.terms.has_divisor && out.terms.has_cap && out.terms.has_least, "all options");
	ok(reads("0:5% WHOLE Edge Lower") == SPM_TEXT_OK && out.terms.method == SPM_WHOLE, "capitals will do");
	ok(reads("0: 1 of quota") == SPM_TEXT_OK && out.terms.percent, "plain bounds as shares of quota");
	ok(reads("") == SPM_TEXT_EMPTY, "nothing is no schedule");
	ok(reads("0 5%") == SPM_TEXT_COLON, "a colon is missing");
	ok(reads("0: 5%,") == SPM_TEXT_NUMBER, "a tier is missing");
	ok(reads("0: 1e5") == SPM_TEXT_NUMBER, "no exponents");
	ok(reads("0: NaN") == SPM_TEXT_NOT_FINITE, "NaN");
	ok(reads("-Infinity: 1") == SPM_TEXT_NOT_FINITE, "Infinity");
	ok(reads("0: 5%, 100%: 8%") == SPM_TEXT_MIXED, "bounds in percent and not");
	ok(reads("0%: 5%, 10%..20: 8%") == SPM_TEXT_MIXED, "ends too");
	ok(reads("0: 5% bonus") == SPM_TEXT_PERCENT, "a bonus is money");
	ok(reads("0: 5% cap 10%") == SPM_TEXT_PERCENT, "so is a cap");
	ok(reads("0: 5% curve") == SPM_TEXT_PERCENT, "and a point of a pay curve");
	ok(reads("0: 5% excess per 12") == SPM_TEXT_OK && out.terms.method == SPM_EXCESS && out.divisor.len == 2, "a divisor");
	ok(reads("0: 5% per 12%") == SPM_TEXT_PERCENT, "is no share");
	ok(reads("0: 5% edge middle") == SPM_TEXT_OPTION_VALUE, "no such edge");
	ok(reads("0: 5% zero") == SPM_TEXT_OPTION_VALUE, "half an option");
	ok(reads("0: 5% turbo") == SPM_TEXT_OPTION, "no such option");
	ok(reads("0: 5% whole marginal") == SPM_TEXT_OPTION_TWICE, "two methods");
	memset(long_text, '9', sizeof(long_text));
	ok(read_bytes(long_text, sizeof(long_text)) == SPM_TEXT_DIGITS, "too many digits");
	ok(spmk_read_options("whole cap 5", 11, &out) == SPM_TEXT_OK && out.terms.has_cap, "options alone");

	{
		size_t		size = 1 << 20;
		char	   *tiers = malloc(size);

		for (size_t i = 0; i + 4 <= size; i += 4)
			memcpy(tiers + i, "1:2,", 4);
		ok(read_bytes(tiers, size) == SPM_TEXT_TIERS, "a megabyte of tiers is too many");
		memset(tiers, ' ', size);
		ok(read_bytes(tiers, size) == SPM_TEXT_EMPTY, "a megabyte of spaces is empty");
		free(tiers);
	}

	for (size_t len = 0; len < sizeof(full); len++)
		sane &= (int) read_bytes(full, len) >= 0;
	ok(sane, "every beginning of a schedule is read or refused");
	for (int i = 0; i < 300000; i++)
	{
		char		text[sizeof(full)];
		int			changes = 1 + (int) random_below(4);
		int			error;

		memcpy(text, full, sizeof(full));
		while (changes-- > 0)
			text[random_below(sizeof(full) - 1)] = random_below(2) ? (char) random_below(256) :
				"0123456789.,:%- \tnaeqz"[random_below(22)];
		error = (int) read_bytes(text, sizeof(full) - 1);
		sane &= error >= 0;
		good += error == SPM_TEXT_OK;
	}
	ok(sane, "300,000 damaged schedules are read or refused");
	ok(good > 1000, "some of them are still schedules");
	return done_testing();
}
