/*
 * territory_book.c
 *	  Compiled books of rules that this backend keeps.
 *
 * A book is known by the row of its model, whose version every change of
 * territories, attributes and rules counts up.  Whoever uses one pins it; what
 * is not pinned goes, the longest unused first, when all together take more
 * than spm.rule_memory.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "territory_book.h"

static int	rule_memory = 65536;	/* kB */
static TerritoryBook *kept = NULL;	/* the last used first */

void
spm_territory_book_init(void)
{
	DefineCustomIntVariable("spm.rule_memory",
							"Memory for the compiled rules of territories that a session keeps.",
							"A book of rules that takes more is refused. It never changes a result.",
							&rule_memory, 65536, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

/* ------------------------------------------------------------------------------- which */

typedef struct Version
{
	int32		model_id;
	char	   *name;
	int64		version;
	TransactionId xmin;
	CommandId	cmin;
} Version;

static void
refuse_model(const char *message, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("%s", message),
			 detail ? errdetail("%s", detail) : 0,
			 errhint("%s", hint)));
}

/* The model of that name or, without one, the one that is active (of several: with territories today); the only plan where none is. */
static Version
find_version(text *model)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {model ? PointerGetDatum(model) : (Datum) 0};
	char		nulls[] = {model ? ' ' : 'n', '\0'};
	MemoryContext caller = CurrentMemoryContext;
	Version		found;
	bool		ignored;
	HeapTuple	row;
	TupleDesc	columns;

	SPI_connect();
	if (SPI_execute_with_args("SELECT territory_model_id, name, version, xmin, cmin FROM spm.territory_model AS m "
							  "WHERE m.name = $1 OR $1 IS NULL AND (m.state = 'active' AND (EXISTS ("
							  "SELECT FROM spm.territory AS t WHERE t.territory_model_id = m.territory_model_id AND t.span @> current_date) OR NOT EXISTS ("
							  "SELECT FROM spm.territory_model AS a JOIN spm.territory AS t USING (territory_model_id) "
							  "WHERE a.state = 'active' AND t.span @> current_date)) OR m.state = 'plan' AND NOT EXISTS ("
							  "SELECT FROM spm.territory_model AS a WHERE a.state = 'active')) "
							  "ORDER BY m.name COLLATE \"C\"", 1, types, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	if (SPI_processed == 0 && model)
		refuse_model(psprintf("territory model \"%s\" does not exist", text_to_cstring(model)), NULL,
					 "See SELECT name, state FROM spm.territory_model;");
	if (SPI_processed == 0)
		refuse_model("there is no territory model", NULL, "Add one: SELECT spm.add_territory_model('2026');");
	columns = SPI_tuptable->tupdesc;
	row = SPI_tuptable->vals[0];
	if (SPI_processed > 1)
	{
		char	   *first = SPI_getvalue(row, columns, 2);

		refuse_model("it is not clear which territory model is meant",
					 psprintf("There are \"%s\" and \"%s\".", first, SPI_getvalue(SPI_tuptable->vals[1], columns, 2)),
					 psprintf("Name it: model => %s.", quote_literal_cstr(first)));
	}
	found.model_id = DatumGetInt32(SPI_getbinval(row, columns, 1, &ignored));
	found.name = MemoryContextStrdup(caller, SPI_getvalue(row, columns, 2));
	found.version = DatumGetInt64(SPI_getbinval(row, columns, 3, &ignored));
	found.xmin = DatumGetTransactionId(SPI_getbinval(row, columns, 4, &ignored));
	found.cmin = DatumGetCommandId(SPI_getbinval(row, columns, 5, &ignored));
	SPI_finish();
	return found;
}

static Oid
model_relation(void)
{
	return get_relname_relid("territory_model", get_namespace_oid("spm", false));
}

/* ------------------------------------------------------------------------------ keeping */

static void
drop_book(TerritoryBook *book)
{
	MemoryContextDelete(book->context);
}

static void
unpin(void *arg)
{
	TerritoryBook *book = arg;

	if (--book->npins == 0 && !book->is_kept)
		drop_book(book);
}

/* The book stays as long as that memory. */
void
spm_territory_book_pin(TerritoryBook *book, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	callback->func = unpin;
	callback->arg = book;
	MemoryContextRegisterResetCallback(context, callback);
	book->npins++;
}

/* Takes books out until those that stay, and a new one, fit; older versions of its model go in any case. */
static void
make_room(const TerritoryBook *book)
{
	Size		sum = book->size;

	for (TerritoryBook **at = &kept; *at != NULL;)
	{
		TerritoryBook *other = *at;

		sum += other->size;
		if (sum > (Size) rule_memory * 1024 ||
			(other->model_id == book->model_id && other->relation == book->relation && other->reader == book->reader))
		{
			sum -= other->size;
			*at = other->next;
			other->is_kept = false;
			if (other->npins == 0)
				drop_book(other);
		}
		else
			at = &other->next;
	}
}

static TerritoryBook *
compile_book(const Version *version, const int32 *rules, int nrules)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spm book of rules", ALLOCSET_DEFAULT_SIZES);
	TerritoryBook *book = MemoryContextAllocZero(context, sizeof(*book));

	book->context = context;
	book->relation = model_relation();
	book->reader = GetUserId();
	book->model_id = version->model_id;
	book->version = version->version;
	book->xmin = version->xmin;
	book->cmin = version->cmin;
	book->model = MemoryContextStrdup(context, version->name);
	spm_territory_book_compile(book, rules, nrules);
	if (book->size > (Size) rule_memory * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rules of territory model \"%s\" take %zu MB when compiled, more than spm.rule_memory",
						book->model, book->size / (1024 * 1024) + 1),
				 errhint("Allow it: SET spm.rule_memory = '%zuMB';", book->size / (1024 * 1024) * 2 + 1)));
	return book;
}

/* What is asked of the tables means the same whatever the caller's search_path has; as SET does for other functions. */
static int
begin_own_path(void)
{
	int			nest_level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

/* The book of a model as the snapshot that is active sees it. */
static TerritoryBook *
find_book(text *model)
{
	Version		version = find_version(model);
	Oid			relation = model_relation();
	TerritoryBook *book;

	for (TerritoryBook **at = &kept; *at != NULL; at = &(*at)->next)
	{
		book = *at;
		if (book->model_id == version.model_id && book->version == version.version &&
			book->xmin == version.xmin && book->cmin == version.cmin &&
			book->relation == relation && book->reader == GetUserId())
		{
			*at = book->next;
			book->next = kept;
			kept = book;
			return book;
		}
	}
	book = compile_book(&version, NULL, 0);
	make_room(book);
	MemoryContextSetParent(book->context, CacheMemoryContext);
	book->is_kept = true;
	book->next = kept;
	kept = book;
	return book;
}

TerritoryBook *
spm_territory_book(text *model)
{
	int			nest_level = begin_own_path();
	TerritoryBook *book = find_book(model);

	AtEOXact_GUC(true, nest_level);
	return book;
}

/* A book of some rules alone, of any day, which goes with that memory. */
TerritoryBook *
spm_territory_book_of_rules(text *model, const int32 *rules, int nrules, MemoryContext context)
{
	int			nest_level = begin_own_path();
	Version		version = find_version(model);
	TerritoryBook *book = compile_book(&version, rules, nrules);

	AtEOXact_GUC(true, nest_level);
	MemoryContextSetParent(book->context, context);
	return book;
}
