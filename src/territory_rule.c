/*
 * territory_rule.c
 *	  Records meet rules: whose territory they are, by which rule, and why not
 *	  by another.
 *
 * A call keeps what it needs in fn_extra: the book, where a record of this type
 * has what the rules ask, and the snapshot as of which that was looked up.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "territory_book.h"

/* Arguments with which the columns of the row begin. */
#define TERRITORY_COLUMNS	5
#define TOUCH_COLUMNS		3

/* What a snapshot sees changes with none of these unchanged. */
typedef struct Seen
{
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	int32		subxcnt;
	CommandId	curcid;
} Seen;

typedef struct Matcher
{
	TerritoryBook *book;
	MemoryContext caller;		/* of the call's own memory */
	MemoryContext context;		/* goes with the book */
	Seen		seen;
	bool		model_is_fixed;
	text	   *model;			/* of which it is the book; NULL: the active one */
	ArrayType  *rules;			/* of which alone it is; NULL: all */
	bool		type_is_fixed;
	int			type;
	Oid			record_type;
	int32		record_typmod;
	Reader	   *reader;
	SpmRuleProbe probe;
} Matcher;

static inline bool
is_same_snapshot(const Seen *seen, Snapshot snapshot)
{
	return seen->xmin == snapshot->xmin && seen->xmax == snapshot->xmax && seen->xcnt == snapshot->xcnt &&
		seen->subxcnt == snapshot->subxcnt && seen->curcid == snapshot->curcid;
}

static bool
is_same_varlena(const void *a, const void *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static void *
copy_varlena(MemoryContext context, const void *value)
{
	void	   *copy;

	if (value == NULL)
		return NULL;
	copy = MemoryContextAlloc(context, VARSIZE_ANY(value));
	return memcpy(copy, value, VARSIZE_ANY(value));
}

/* Looks the book up: at first, and whenever something may have changed. */
static void
open_book(Matcher *m, text *model, ArrayType *rules, Snapshot snapshot)
{
	Seen		seen = {snapshot->xmin, snapshot->xmax, snapshot->xcnt, snapshot->subxcnt, snapshot->curcid};
	TerritoryBook *book = NULL;
	MemoryContext context;

	if (rules == NULL)
	{
		book = spm_territory_book(model);
		if (book == m->book && is_same_varlena(model, m->model))
		{
			m->seen = seen;
			return;
		}
	}
	context = AllocSetContextCreate(m->caller, "spm territory", ALLOCSET_SMALL_SIZES);
	if (rules != NULL)
	{
		Datum	   *elements;
		bool	   *nulls;
		int			n;
		int32	   *ids;

		deconstruct_array(rules, INT4OID, sizeof(int32), true, TYPALIGN_INT, &elements, &nulls, &n);
		ids = palloc(sizeof(int32) * Max(n, 1));
		for (int i = 0; i < n; i++)
			ids[i] = nulls[i] ? 0 : DatumGetInt32(elements[i]);
		book = spm_territory_book_of_rules(model, ids, n, context);
	}
	else
		spm_territory_book_pin(book, context);
	model = copy_varlena(context, model);
	rules = copy_varlena(context, rules);
	if (m->context != NULL)
		MemoryContextDelete(m->context);
	m->book = book;
	m->context = context;
	m->model = model;
	m->rules = rules;
	m->reader = NULL;
	m->seen = seen;
	m->probe.book = &book->book;
	m->probe.memos = MemoryContextAllocZero(context, sizeof(SpmRuleMemo) * SPM_RULE_MEMOS * Max(book->book.nactive, 1));
	memset(m->probe.values, 0, sizeof(m->probe.values));
}

static Matcher *
new_matcher(FunctionCallInfo fcinfo, int model_arg, int type_arg)
{
	Matcher    *m = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(*m));

	m->caller = fcinfo->flinfo->fn_mcxt;
	m->model_is_fixed = get_fn_expr_arg_stable(fcinfo->flinfo, model_arg);
	m->type_is_fixed = type_arg >= 0 && get_fn_expr_arg_stable(fcinfo->flinfo, type_arg);
	m->type = -1;
	fcinfo->flinfo->fn_extra = m;
	return m;
}

static inline Matcher *
matcher_of(FunctionCallInfo fcinfo, int model_arg, int type_arg, ArrayType *rules)
{
	Matcher    *m = (Matcher *) fcinfo->flinfo->fn_extra;
	Snapshot	snapshot = GetActiveSnapshot();
	bool		is_open;

	if (unlikely(m == NULL))
		m = new_matcher(fcinfo, model_arg, type_arg);
	is_open = m->book != NULL && is_same_snapshot(&m->seen, snapshot);
	if (is_open && !m->model_is_fixed)
		is_open = is_same_varlena(PG_ARGISNULL(model_arg) ? NULL : PG_GETARG_TEXT_PP(model_arg), m->model);
	if (is_open && rules != NULL)
		is_open = is_same_varlena(rules, m->rules);
	if (unlikely(!is_open))
		open_book(m, PG_ARGISNULL(model_arg) ? NULL : PG_GETARG_TEXT_PP(model_arg), rules, snapshot);
	return m;
}

/* Where a record of a type has what the rules ask. */
static void
find_columns(Matcher *m, Oid type, int32 typmod)
{
	TupleDesc	columns = lookup_rowtype_tupdesc(type, typmod);

	m->reader = spm_territory_reader(m->book, columns, m->context);
	m->record_type = type;
	m->record_typmod = typmod;
	ReleaseTupleDesc(columns);
}

/* The record's values and the day, and the rows of the book in which they lie. */
static inline void
probe_record(Matcher *m, HeapTupleHeader record, DateADT day)
{
	if (unlikely(m->reader == NULL || HeapTupleHeaderGetTypeId(record) != m->record_type ||
				 HeapTupleHeaderGetTypMod(record) != m->record_typmod))
		find_columns(m, HeapTupleHeaderGetTypeId(record), HeapTupleHeaderGetTypMod(record));
	spm_territory_read(m->reader, record, m->probe.values);
	m->probe.values[DAY_DIM].key.number = day;
	spmk_rulebook_locate(&m->probe);
}

static HeapTupleHeader
record_arg(FunctionCallInfo fcinfo)
{
	if (unlikely(fcinfo->flinfo->fn_extra == NULL))
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

		if (!type_is_rowtype(type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a territory is found for a record, not for type %s", format_type_be(type)),
					 errhint("Give the row: SELECT spm.territory_of(a) FROM account AS a;")));
	}
	return PG_GETARG_HEAPTUPLEHEADER(0);
}

static int
type_arg(FunctionCallInfo fcinfo, int arg)
{
	if (!PG_ARGISNULL(arg))
	{
		text	   *name = PG_GETARG_TEXT_PP(arg);

		for (int i = 0; i < TERRITORY_TYPES; i++)
		{
			if (VARSIZE_ANY_EXHDR(name) == strlen(territory_type_names[i]) &&
				memcmp(VARDATA_ANY(name), territory_type_names[i], VARSIZE_ANY_EXHDR(name)) == 0)
				return i;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("type of a territory cannot be %s",
					PG_ARGISNULL(arg) ? "NULL" : psprintf("\"%s\"", text_to_cstring(PG_GETARG_TEXT_PP(arg)))),
			 errhint("It is primary, overlay or specialist.")));
	return 0;
}

/* The rule that wins, of (account, as_of, type, model); NULL: none does. */
static inline const Rule *
winner(FunctionCallInfo fcinfo)
{
	HeapTupleHeader record;
	Matcher    *m;
	uint32		place;
	int			type;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return NULL;
	record = record_arg(fcinfo);
	m = matcher_of(fcinfo, 3, 2, NULL);
	type = m->type_is_fixed && m->type >= 0 ? m->type : (m->type = type_arg(fcinfo, 2));
	probe_record(m, record, PG_GETARG_DATEADT(1));
	place = spmk_rulebook_first(&m->probe, (uint32) type);
	return place == SPM_RULE_NONE ? NULL : &m->book->rules[m->book->book.rule_of[place]];
}

PG_FUNCTION_INFO_V1(spm_territory_of);

/* spm.territory_of(account anyelement, as_of date, type text, model text) */
Datum
spm_territory_of(PG_FUNCTION_ARGS)
{
	const Rule *rule = winner(fcinfo);

	if (rule == NULL)
		PG_RETURN_NULL();
	PG_RETURN_INT32(rule->territory_id);
}

PG_FUNCTION_INFO_V1(spm_territory_rule_of);

/* spm.territory_rule_of(account anyelement, as_of date, type text, model text) */
Datum
spm_territory_rule_of(PG_FUNCTION_ARGS)
{
	const Rule *rule = winner(fcinfo);

	if (rule == NULL)
		PG_RETURN_NULL();
	PG_RETURN_INT32(rule->id);
}

/* Whether the arguments from that one on are the columns of a type of row: anybody may call with anything. */
static bool
are_columns(FunctionCallInfo fcinfo, int first, Oid type)
{
	TupleDesc	columns;
	bool		same;

	if (get_fn_expr_variadic(fcinfo->flinfo) || !type_is_rowtype(type) || type == RECORDOID)
		return false;
	columns = lookup_rowtype_tupdesc(type, -1);
	same = columns->natts == PG_NARGS() - first;
	for (int i = 0; same && i < columns->natts; i++)
		same = TupleDescAttr(columns, i)->attisdropped ||
			get_fn_expr_argtype(fcinfo->flinfo, first + i) == TupleDescAttr(columns, i)->atttypid;
	ReleaseTupleDesc(columns);
	return same;
}

/* The same of the columns of a row, which begin with that argument; the first one has its type. */
static inline void
probe_columns(FunctionCallInfo fcinfo, Matcher *m, int first, DateADT day)
{
	if (unlikely(m->reader == NULL))
	{
		Oid			account = get_fn_expr_argtype(fcinfo->flinfo, 0);

		if (!are_columns(fcinfo, first, account))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("columns do not make an account"),
					 errhint("Give the row: SELECT spm.territory_of(a) FROM account AS a;")));
		find_columns(m, account, -1);
	}
	spm_territory_read_columns(m->reader, &fcinfo->args[first], m->probe.values);
	m->probe.values[DAY_DIM].key.number = day;
	spmk_rulebook_locate(&m->probe);
}

PG_FUNCTION_INFO_V1(spm_territory_of_columns);

/* spm.territory_of_columns(account anyelement, as_of date, type text, model text, is_rule boolean, VARIADIC columns "any") */
Datum
spm_territory_of_columns(PG_FUNCTION_ARGS)
{
	Matcher    *m;
	const Rule *rule;
	uint32		place;
	int			type;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	m = matcher_of(fcinfo, 3, 2, NULL);
	type = m->type_is_fixed && m->type >= 0 ? m->type : (m->type = type_arg(fcinfo, 2));
	probe_columns(fcinfo, m, TERRITORY_COLUMNS, PG_GETARG_DATEADT(1));
	place = spmk_rulebook_first(&m->probe, (uint32) type);
	if (place == SPM_RULE_NONE)
		PG_RETURN_NULL();
	rule = &m->book->rules[m->book->book.rule_of[place]];
	PG_RETURN_INT32(!PG_ARGISNULL(4) && PG_GETARG_BOOL(4) ? rule->id : rule->territory_id);
}

static bool
meets_any(const Matcher *m)
{
	for (uint32 type = 0; type < TERRITORY_TYPES; type++)
	{
		if (spmk_rulebook_first(&m->probe, type) != SPM_RULE_NONE)
			return true;
	}
	return false;
}

PG_FUNCTION_INFO_V1(spm_touches_rules);

/* spm._touches_rules(account anyelement, rules int[], model text) */
Datum
spm_touches_rules(PG_FUNCTION_ARGS)
{
	HeapTupleHeader record;
	Matcher    *m;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	record = record_arg(fcinfo);
	m = matcher_of(fcinfo, 2, -1, PG_GETARG_ARRAYTYPE_P(1));
	probe_record(m, record, 0);
	PG_RETURN_BOOL(meets_any(m));
}

PG_FUNCTION_INFO_V1(spm_touches_rules_columns);

/* spm._touches_rules_columns(account anyelement, rules int[], model text, VARIADIC columns "any") */
Datum
spm_touches_rules_columns(PG_FUNCTION_ARGS)
{
	Matcher    *m;

	if (PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	m = matcher_of(fcinfo, 2, -1, PG_GETARG_ARRAYTYPE_P(1));
	probe_columns(fcinfo, m, TOUCH_COLUMNS, 0);
	PG_RETURN_BOOL(meets_any(m));
}

/* -------------------------------------------------------------------------- all of them */

static int
compare_numbers(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/* Numbers of the rules of a type that the record meets, in their order, each once. */
static uint32
met_rules(Matcher *m, uint32 type, uint32 **rules)
{
	uint32		room = 64;
	uint32	   *places = palloc(sizeof(uint32) * room);
	uint32		n = spmk_rulebook_all(&m->probe, type, places, room);
	uint32		out = 0;

	if (n > room)
	{
		places = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) n);
		spmk_rulebook_all(&m->probe, type, places, n);
	}
	for (uint32 i = 0; i < n; i++)
		places[i] = m->book->book.boxes[places[i]].rule;
	qsort(places, n, sizeof(uint32), compare_numbers);
	for (uint32 i = 0; i < n; i++)
	{
		if (i == 0 || places[i] != places[i - 1])
			places[out++] = places[i];
	}
	*rules = places;
	return out;
}

PG_FUNCTION_INFO_V1(spm_territories_of);

/* spm.territories_of(account anyelement, as_of date, type text, model text) */
Datum
spm_territories_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Matcher    *m;
	int			only = -1;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	if (!PG_ARGISNULL(2))
		only = type_arg(fcinfo, 2);
	{
		HeapTupleHeader record = record_arg(fcinfo);

		m = matcher_of(fcinfo, 3, 2, NULL);
		probe_record(m, record, PG_GETARG_DATEADT(1));
	}
	for (int type = 0; type < TERRITORY_TYPES; type++)
	{
		uint32	   *rules;
		uint32		n;

		if (only >= 0 && type != only)
			continue;
		n = met_rules(m, (uint32) type, &rules);
		for (uint32 i = 0; i < n; i++)
		{
			const Rule *rule = &m->book->rules[rules[i]];
			Datum		values[5] = {CStringGetTextDatum(territory_type_names[type]), Int32GetDatum(rule->territory_id),
			Int32GetDatum(rule->id), Int32GetDatum((int32) rule->rank), BoolGetDatum(i == 0)};
			bool		nulls[5] = {false};

			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
		CHECK_FOR_INTERRUPTS();
	}
	return (Datum) 0;
}

static char *
show_day(DateADT day)
{
	char	   *shown = palloc(MAXDATELEN + 1);
	struct pg_tm tm;

	if (DATE_NOT_FINITE(day))
		return pstrdup(DATE_IS_NOEND(day) ? "infinity" : "-infinity");
	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, shown);
	return shown;
}

PG_FUNCTION_INFO_V1(spm_territory_trial);

/*
 * spm._territory_trial(account anyelement, as_of date, type text, model text):
 * every rule of a type, and the first attribute in which the record does not
 * meet it, of the way in which it comes nearest.
 */
Datum
spm_territory_trial(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HeapTupleHeader record;
	const SpmRulebook *book;
	Matcher    *m;
	uint32		type;
	uint32	   *dims;
	uint32	   *nfailed;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	record = record_arg(fcinfo);
	type = (uint32) type_arg(fcinfo, 2);
	m = matcher_of(fcinfo, 3, 2, NULL);
	book = &m->book->book;
	probe_record(m, record, PG_GETARG_DATEADT(1));
	dims = palloc(sizeof(uint32) * Max(m->book->nrules, 1));
	nfailed = palloc(sizeof(uint32) * Max(m->book->nrules, 1));
	memset(nfailed, 0xff, sizeof(uint32) * m->book->nrules);
	for (uint32 place = 0; place < book->nplaces; place++)
	{
		uint32		rule = book->boxes[place].rule;
		uint32		n;
		uint32		dim;

		if (book->boxes[place].type != type)
			continue;
		dim = spmk_rulebook_failed(&m->probe, place, &n);
		if (n < nfailed[rule])
		{
			nfailed[rule] = n;
			dims[rule] = dim;
		}
		if (place % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (uint32 i = 0; i < m->book->nrules; i++)
	{
		const Rule *rule = &m->book->rules[i];
		Datum		values[6] = {Int32GetDatum((int32) rule->rank), Int32GetDatum(rule->id),
		Int32GetDatum(rule->territory_id), BoolGetDatum(nfailed[i] == 0)};
		bool		nulls[6] = {false, false, false, false, true, true};

		if (rule->type != type)
			continue;
		if (nfailed[i] > 0 && dims[i] == DAY_DIM)
		{
			nulls[5] = false;
			values[5] = CStringGetTextDatum(show_day(PG_GETARG_DATEADT(1)));
		}
		else if (nfailed[i] > 0)
		{
			uint32		attribute = m->book->attribute_of[dims[i]];
			char	   *shown = spm_territory_show(m->reader, record, attribute);

			nulls[4] = false;
			values[4] = Int32GetDatum(m->book->attributes[attribute].id);
			nulls[5] = shown == NULL;
			values[5] = shown ? CStringGetTextDatum(shown) : (Datum) 0;
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(spm_territory_book_of);

/* spm.territory_book(model text) */
Datum
spm_territory_book_of(PG_FUNCTION_ARGS)
{
	TerritoryBook *book = spm_territory_book(PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0));
	TupleDesc	columns;
	Datum		values[7] = {CStringGetTextDatum(book->model), Int32GetDatum((int32) book->nrules),
	Int64GetDatum((int64) book->book.nplaces), Int64GetDatum((int64) book->book.nclasses),
	Int64GetDatum((int64) book->size), Float8GetDatum(book->milliseconds), TimestampTzGetDatum(book->built)};
	bool		nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
