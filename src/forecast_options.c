/*
 * forecast_options.c
 *	  What users say of dated series in a JSON object, read and checked.
 */
#include "forecast_options.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "kernel/period.h"

/* Sets of options that a query may have before we keep them no longer. */
#define KEPT_MAX 64

typedef struct KeptOptions
{
	int			n;
	ForecastOptions *options[KEPT_MAX];
} KeptOptions;

static const char *const combine_names[] = {"sum", "mean", "last", NULL};
static const char *const gap_names[] = {"zero", "interpolate", "last", "refuse", NULL};

SPM_NORETURN static void
bad_option(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of a forecast cannot be read", name),
			 errhint("%s", hint)));
}

static char *
option_text(const char *name, const JsonbValue *value, const char *hint)
{
	if (value->type != jbvString)
		bad_option(name, hint);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static double
option_number(const char *name, const JsonbValue *value, const char *hint)
{
	if (value->type != jbvNumeric)
		bad_option(name, hint);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

static int
option_choice(const char *name, const JsonbValue *value, const char *const *choices, const char *hint)
{
	char	   *text = option_text(name, value, hint);

	for (int i = 0; choices[i]; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	bad_option(name, hint);
}

/* A day to its end, or a minute of it, as ISO 8601 has them: no setting has a say in how it is read. */
static int64
option_moment(const char *name, const JsonbValue *value)
{
	const char *hint = "It is a day such as \"2026-06-30\", or an hour such as \"2026-06-30 17:00\".";
	char	   *text = option_text(name, value, hint);
	int			year;
	int			month;
	int			day;
	int			hour = 23;
	int			minute = 59;
	int			end = -1;
	int64		days;

	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 ||
		(text[end] != '\0' &&
		 (sscanf(text + end, "%*1[ T]%2d:%2d%n", &hour, &minute, &end) != 2 || strlen(text) != 16)) ||
		year < 1 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
		bad_option(name, hint);
	days = spmk_period_start(SPM_GRAIN_MONTH, (int64) year * 12 + month - 1) + day - 1;
	if (days >= spmk_period_start(SPM_GRAIN_MONTH, (int64) year * 12 + month))
		bad_option(name, hint);
	return days * USECS_PER_DAY + hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE;
}

static void
read_seasons(ForecastOptions *options, const JsonbValue *season)
{
	const char *hint = "It is a number of periods, or a few of them: 12, or [7, 365].";
	JsonbIterator *walk;
	JsonbValue	value;
	JsonbIteratorToken token;

	options->nseasons = 0;
	if (season->type != jbvBinary)
	{
		options->seasons[0] = spm_check_season(option_number("season", season, hint));
		options->nseasons = options->seasons[0] > 1;
		return;
	}
	if (!JsonContainerIsArray(season->val.binary.data) || JsonContainerSize(season->val.binary.data) > SPMK_SEASONS_MAX)
		bad_option("season", hint);
	walk = JsonbIteratorInit(season->val.binary.data);
	while ((token = JsonbIteratorNext(&walk, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			options->nseasons = spm_add_season(options->seasons, options->nseasons, option_number("season", &value, hint));
}

static void
read_option(ForecastOptions *options, const char *name, const JsonbValue *value)
{
	if (strcmp(name, "method") == 0)
		options->method = spm_method_named(option_text(name, value, "Methods that there are: SELECT * FROM spm.forecast_method();"));
	else if (strcmp(name, "level") == 0)
	{
		options->level = option_number(name, value, "It is a share such as 0.95.");
		spm_check_level(options->level);
	}
	else if (strcmp(name, "step") == 0)
	{
		const char *hint = "It is one of hour, day, week, month, quarter, half, year.";

		options->has_step = true;
		if (!spmk_step_from_name(option_text(name, value, hint), &options->step))
			bad_option(name, hint);
	}
	else if (strcmp(name, "season") == 0)
		read_seasons(options, value);
	else if (strcmp(name, "combine") == 0)
		options->combine = option_choice(name, value, combine_names, "It is one of sum, mean, last.");
	else if (strcmp(name, "gaps") == 0)
		options->gaps = option_choice(name, value, gap_names, "It is one of zero, interpolate, last, refuse.");
	else if (strcmp(name, "until") == 0)
	{
		options->has_until = true;
		options->until = option_moment(name, value);
	}
	else if (strcmp(name, "zone") == 0)
	{
		const char *hint = "Names of time zones: SELECT name FROM pg_timezone_names;";
		char	   *zone = option_text(name, value, hint);

		options->zone = pg_strcasecmp(zone, "UTC") == 0 ? NULL : pg_tzset(zone);
		if ((options->zone == NULL) != (pg_strcasecmp(zone, "UTC") == 0) || (options->zone && !pg_tz_acceptable(options->zone)))
			bad_option(name, hint);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a forecast has no option \"%s\"", name),
				 errhint("Options are method, level, step, season, gaps, combine, until and zone.")));
}

static ForecastOptions *
read_options(MemoryContext context, Jsonb *json)
{
	ForecastOptions *options = MemoryContextAllocZero(context, sizeof(ForecastOptions));
	bool		has_gaps = false;
	JsonbIterator *walk;
	JsonbValue	value;
	JsonbIteratorToken token;

	options->method = spm_method_named("auto");
	options->level = 0.95;
	options->nseasons = -1;
	if (json)
	{
		if (!JB_ROOT_IS_OBJECT(json))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("options of a forecast must be a JSON object"),
					 errhint("As in '{\"step\": \"month\", \"level\": 0.8}'.")));
		options->json = MemoryContextAlloc(context, VARSIZE(json));
		memcpy(options->json, json, VARSIZE(json));
		walk = JsonbIteratorInit(&options->json->root);
		while ((token = JsonbIteratorNext(&walk, &value, true)) != WJB_DONE)
		{
			char	   *name;

			if (token != WJB_KEY)
				continue;
			name = pnstrdup(value.val.string.val, value.val.string.len);
			JsonbIteratorNext(&walk, &value, true);
			has_gaps = has_gaps || (strcmp(name, "gaps") == 0 && value.type != jbvNull);
			if (value.type != jbvNull)
				read_option(options, name, &value);
		}
	}
	/* Nothing sold is 0; a price or a stock that nobody noted is not. */
	if (!has_gaps)
		options->gaps = options->combine == SPM_COMBINE_SUM ? SPM_GAPS_ZERO : SPM_GAPS_INTERPOLATE;
	return options;
}

const ForecastOptions *
spm_forecast_options(FmgrInfo *caller, MemoryContext context, Jsonb *json)
{
	KeptOptions *kept = caller->fn_extra;

	if (kept == NULL)
		kept = caller->fn_extra = MemoryContextAllocZero(caller->fn_mcxt, sizeof(KeptOptions));
	for (int i = 0; i < kept->n; i++)
		if (spm_same_options(kept->options[i]->json, json))
			return kept->options[i];

	if (kept->n == KEPT_MAX)
		return read_options(context, json);
	return kept->options[kept->n++] = read_options(caller->fn_mcxt, json);
}
