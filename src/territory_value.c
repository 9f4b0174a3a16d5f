/*
 * territory_value.c
 *	  The values of a record, as a book of rules compares them.
 *
 * Text compares by its bytes; a value of a tree by its number; dates and
 * booleans are numbers.  Numbers are exact: times a power of ten that makes all
 * the book asks whole, or, where that does not fit, as bytes in their order.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "dec.h"
#include "kernel/rulebook_key.h"
#include "territory_book.h"

#define KEYS_COLUMN "attributes"	/* jsonb: what a record has besides its columns */
#define SHOWN 60				/* bytes of a value that an error repeats */

/* ---------------------------------------------------------------------------- decimals */

/* As numeric shows it, without zeros at the end; false if it is none, or not finite. */
bool
spm_decimal_canonical(const char *text, char **digits)
{
	const char *p = text;
	bool		has_digit = false;
	Datum		value;

	if (*p == '-' || *p == '+')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		has_digit = true;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			has_digit = true;
	if (!has_digit)
		return false;
	if (*p == 'e' || *p == 'E')
	{
		const char *start;

		p++;
		if (*p == '-' || *p == '+')
			p++;
		for (start = p; *p >= '0' && *p <= '9'; p++)
			;
		if (p == start || p - start > 3)
			return false;
	}
	if (*p != '\0' || p - text > SPM_MAX_DIGITS)
		return false;
	value = DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	*digits = spm_dec_text(DatumGetNumeric(value));
	return true;
}

/* Decimals of a number in canonical form, and its digits before the point. */
int
spm_decimal_scale(const char *digits, int *nwhole)
{
	const char *whole = digits + (*digits == '-');
	const char *point = strchr(whole, '.');

	*nwhole = (int) (point ? point - whole : strlen(whole));
	return point ? (int) strlen(point + 1) : 0;
}

/* The whole number at or below value * 10^scale, and whether the value is above it. */
bool
spm_decimal_scaled(const char *digits, int scale, int64 *scaled, bool *is_beyond)
{
	bool		negative = *digits == '-';
	const char *p = digits + negative;
	int64		sum = 0;
	bool		has_rest = false;
	int			after = -1;		/* decimals taken; -1: before the point */

	for (; *p != '\0'; p++)
	{
		if (*p == '.')
			after = 0;
		else if (after >= scale)
			has_rest |= *p != '0';
		else
		{
			if (__builtin_mul_overflow(sum, INT64CONST(10), &sum) ||
				__builtin_add_overflow(sum, (int64) (*p - '0'), &sum))
				sum = PG_INT64_MAX;
			if (sum > SPM_FAST_MAX)
			{
				*scaled = negative ? PG_INT64_MIN : PG_INT64_MAX;
				*is_beyond = !negative;
				return false;
			}
			if (after >= 0)
				after++;
		}
	}
	for (after = Max(after, 0); after < scale; after++)
	{
		if (__builtin_mul_overflow(sum, INT64CONST(10), &sum) || sum > SPM_FAST_MAX)
		{
			*scaled = negative ? PG_INT64_MIN : PG_INT64_MAX;
			*is_beyond = !negative;
			return false;
		}
	}
	*scaled = negative ? -sum - has_rest : sum;
	*is_beyond = has_rest;
	return true;
}

/* A number of any size in bytes that compare as it does: sign, exponent, digits. */
SpmRuleKey
spm_decimal_key(const char *digits)
{
	bool		negative = *digits == '-';
	const char *p = digits + negative;
	int			length = (int) strlen(p);
	char	   *bytes = palloc(length + 5);
	SpmRuleKey	key = {0, bytes, 0};
	int			nwhole;
	int			exponent;

	spm_decimal_scale(digits, &nwhole);
	exponent = nwhole;
	while (*p == '0' || *p == '.')
	{
		if (*p == '0')
			exponent--;
		p++;
	}
	if (*p == '\0')
	{
		bytes[key.length++] = 1;
		return key;
	}
	bytes[key.length++] = 2;
	bytes[key.length++] = (char) ((exponent + 0x8000) >> 8);
	bytes[key.length++] = (char) (exponent + 0x8000);
	for (; *p != '\0'; p++)
	{
		if (*p != '.')
			bytes[key.length++] = *p;
	}
	/* of a whole number */
	while (bytes[key.length - 1] == '0')
		key.length--;
	if (negative)
	{
		bytes[0] = 0;
		for (uint32 i = 1; i < key.length; i++)
			bytes[i] = (char) ~bytes[i];
		bytes[key.length++] = (char) 0xff;
	}
	return key;
}

static const SpmRuleKey above_all = {0, "\3", 1};
static const SpmRuleKey below_all = {0, "", 0};

/* YYYY-MM-DD, whatever the settings of the session are. */
bool
spm_iso_date(const char *text, int length, DateADT *day)
{
	int			parts[3] = {0, 0, 0};
	int			part = 0;
	int			ndigits = 0;

	if (length == 8 && memcmp(text, "infinity", 8) == 0)
	{
		DATE_NOEND(*day);
		return true;
	}
	if (length == 9 && memcmp(text, "-infinity", 9) == 0)
	{
		DATE_NOBEGIN(*day);
		return true;
	}
	for (int i = 0; i < length; i++)
	{
		if (text[i] == '-' && part < 2 && ndigits >= 2)
		{
			part++;
			ndigits = 0;
		}
		else if (text[i] >= '0' && text[i] <= '9' && ndigits < 7)
		{
			parts[part] = parts[part] * 10 + text[i] - '0';
			ndigits++;
		}
		else
			return false;
	}
	if (part != 2 || ndigits != 2 || parts[0] < 1 || parts[0] > 5874897 ||
		parts[1] < 1 || parts[1] > 12 || parts[2] < 1 ||
		parts[2] > day_tab[isleap(parts[0])][parts[1] - 1])
		return false;
	*day = date2j(parts[0], parts[1], parts[2]) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Number of a value of a tree, or UINT32_MAX. */
uint32
spm_tree_number(const Tree *tree, const char *bytes, uint32 length)
{
	SpmRuleKey	key = {0, bytes, length};
	uint32		at;

	if (tree == NULL || tree->nslots == 0)
		return UINT32_MAX;
	at = (uint32) spmk_rule_key_hash(SPM_ORDER_BYTES, &key) & (tree->nslots - 1);
	for (; tree->slots[at] != 0; at = (at + 1) & (tree->nslots - 1))
	{
		if (spmk_rule_compare_bytes(&tree->values[tree->slots[at] - 1], &key) == 0)
			return tree->slots[at] - 1;
	}
	return UINT32_MAX;
}

/* ----------------------------------------------------------------------------- a record */

typedef struct Column
{
	const Attribute *attribute;
	uint32		dim;
	const char *name;
	int			name_length;
	AttrNumber	number;			/* 0: a key of the jsonb column */
	Oid			type;
	FmgrInfo	output;
} Column;

struct Reader
{
	const TerritoryBook *book;
	TupleDesc	row;
	TupleTableSlot *slot;
	NullableDatum *cells;		/* by column of the record, those that are needed */
	AttrNumber	last;
	AttrNumber	keys;			/* the jsonb column, if it is needed */
	int			ncolumns;
	Column	   *columns;
};

static AttrNumber
find_column(TupleDesc row, const char *name)
{
	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(row, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return column->attnum;
	}
	return 0;
}

static const char *const kind_words[] = {"a text", "a number", "a date", "a boolean", "a value of a tree", "a coordinate"};

static void
check_type(const Attribute *attribute, const char *name, Oid type)
{
	bool		possible = false;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			possible = true;
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
			possible = attribute->kind != ATTRIBUTE_DATE && attribute->kind != ATTRIBUTE_BOOLEAN;
			break;
		case FLOAT4OID:
		case FLOAT8OID:
			possible = attribute->kind == ATTRIBUTE_NUMBER || attribute->kind == ATTRIBUTE_POINT;
			break;
		case BOOLOID:
			possible = attribute->kind == ATTRIBUTE_BOOLEAN || attribute->kind == ATTRIBUTE_TEXT;
			break;
		case DATEOID:
		case TIMESTAMPOID:
			possible = attribute->kind == ATTRIBUTE_DATE;
			break;
		case NAMEOID:
		case UUIDOID:
		case CHAROID:
			possible = attribute->kind == ATTRIBUTE_TEXT || attribute->kind == ATTRIBUTE_TREE;
			break;
		default:
			possible = get_typtype(type) == TYPTYPE_ENUM &&
				(attribute->kind == ATTRIBUTE_TEXT || attribute->kind == ATTRIBUTE_TREE);
	}
	if (!possible)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, which cannot be read as %s",
						name, format_type_be(type), kind_words[attribute->kind]),
				 errdetail("It is asked by attribute \"%s\".", attribute->name),
				 errhint("Give a record in which %s is converted.", quote_identifier(name))));
}

static void
add_column(Reader *reader, const Attribute *attribute, uint32 dim, const char *name, MemoryContext context)
{
	Column	   *column = &reader->columns[reader->ncolumns++];
	Oid			output;
	bool		is_varlena;

	column->attribute = attribute;
	column->dim = dim;
	column->name = name;
	column->name_length = (int) strlen(name);
	column->number = find_column(reader->row, name);
	if (column->number == 0 && attribute->transaction_column)
		column->number = find_column(reader->row, attribute->transaction_column);
	if (column->number == 0)
	{
		AttrNumber	keys = find_column(reader->row, KEYS_COLUMN);

		if (keys == 0 || getBaseType(TupleDescAttr(reader->row, keys - 1)->atttypid) != JSONBOID)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("record has no column \"%s\"", name),
					 errdetail("It is asked by attribute \"%s\" of territory model \"%s\".", attribute->name, reader->book->model),
					 errhint("Give a row of the accounts, or one with a column of that name or a jsonb column \"%s\" with such a key.",
							 KEYS_COLUMN)));
		column->type = JSONBOID;
		reader->keys = keys;
		reader->last = Max(reader->last, keys);
		return;
	}
	column->type = getBaseType(TupleDescAttr(reader->row, column->number - 1)->atttypid);
	check_type(attribute, name, column->type);
	reader->last = Max(reader->last, column->number);
	getTypeOutputInfo(column->type, &output, &is_varlena);
	fmgr_info_cxt(output, &column->output, context);
}

/* Where a kind of record has what the rules ask. */
Reader *
spm_territory_reader(const TerritoryBook *book, TupleDesc columns, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Reader	   *reader = palloc0(sizeof(*reader));

	reader->book = book;
	reader->row = CreateTupleDescCopy(columns);
	reader->slot = MakeSingleTupleTableSlot(reader->row, &TTSOpsHeapTuple);
	reader->cells = palloc0(sizeof(NullableDatum) * Max(columns->natts, 1));
	reader->columns = palloc0(sizeof(Column) * 2 * Max(book->nattributes, 1));
	for (int i = 0; i < book->nattributes; i++)
	{
		const Attribute *attribute = &book->attributes[i];

		if (!book->book.dims[attribute->dim].is_asked &&
			!(attribute->kind == ATTRIBUTE_POINT && book->book.dims[attribute->dim + 1].is_asked))
			continue;
		add_column(reader, attribute, attribute->dim, attribute->column, context);
		if (attribute->kind == ATTRIBUTE_POINT)
			add_column(reader, attribute, attribute->dim + 1, attribute->longitude_column, context);
	}
	MemoryContextSwitchTo(old);
	return reader;
}

static void
refuse_value(const Column *column, const char *bytes, int length)
{
	int			shown = pg_mbcliplen(bytes, length, SHOWN);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("\"%.*s\" is not %s", shown, bytes, kind_words[column->attribute->kind]),
			 errdetail("It is asked by attribute \"%s\", of \"%s\".", column->attribute->name, column->name),
			 errhint("Correct the record; NULL is what is unknown.%s",
					 column->attribute->kind == ATTRIBUTE_DATE ? " A date is written as 2026-12-31." : "")));
}

static void
set_digits(const Attribute *attribute, const char *digits, SpmRuleValue *value)
{
	if (attribute->scale < 0)
		value->key = spm_decimal_key(digits);
	else
		spm_decimal_scaled(digits, attribute->scale, &value->key.number, &value->is_beyond);
}

/* NaN is above all numbers, as everywhere in PostgreSQL. */
static void
set_extreme(const Attribute *attribute, bool is_above, SpmRuleValue *value)
{
	if (attribute->scale < 0)
		value->key = is_above ? above_all : below_all;
	else
	{
		value->key.number = is_above ? PG_INT64_MAX : PG_INT64_MIN;
		value->is_beyond = is_above;
	}
}

/* The number number / 10^scale. */
static void
set_scaled(const Attribute *attribute, int64 number, int scale, SpmRuleValue *value)
{
	if (attribute->scale < 0)
		set_digits(attribute, spm_dec_text(DatumGetNumeric(spm_int_numeric_datum(number, scale))), value);
	else if (scale <= attribute->scale)
	{
		if (__builtin_mul_overflow(number, spmk_pow10(attribute->scale - scale), &value->key.number))
			set_extreme(attribute, number > 0, value);
	}
	else
	{
		int64		unit = spmk_pow10(scale - attribute->scale);
		int64		rest = number % unit;

		value->is_beyond = rest != 0;
		value->key.number = number / unit - (rest < 0);
	}
}

static void
set_int(const Attribute *attribute, int64 number, SpmRuleValue *value)
{
	if (likely(attribute->scale == 0))
		value->key.number = number;
	/* beyond what the fast form of a numeric holds */
	else if (attribute->scale < 0 && (number > SPM_FAST_MAX || number < -SPM_FAST_MAX))
		set_digits(attribute, psprintf(INT64_FORMAT, number), value);
	else
		set_scaled(attribute, number, 0, value);
}

static void
set_numeric(const Attribute *attribute, Datum number, SpmRuleValue *value)
{
	int64		scaled;
	int			scale;
	Numeric		num;

	if (spm_numeric_to_int(number, &scaled, &scale))
	{
		set_scaled(attribute, scaled, scale, value);
		return;
	}
	num = DatumGetNumeric(number);
	if (numeric_is_nan(num) || numeric_is_inf(num))
		set_extreme(attribute, numeric_is_nan(num) ||
					DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(num),
													 NumericGetDatum(int64_to_numeric(0)))), value);
	else
		set_digits(attribute, spm_dec_text(num), value);
}

/* Floating point is the decimal number that it is shown as. */
static void
set_double(const Attribute *attribute, double number, const char *shown, SpmRuleValue *value)
{
	char	   *digits;

	if (isnan(number) || isinf(number))
		set_extreme(attribute, isnan(number) || number > 0, value);
	else if (number == floor(number) && fabs(number) < 1e15)
		set_int(attribute, (int64) number, value);
	else if (spm_decimal_canonical(shown, &digits))
		set_digits(attribute, digits, value);
	else
		elog(ERROR, "cannot read floating point number \"%s\"", shown);
}

/* A place on earth, longitudes from -180 to below 180; others are unknown. */
static void
set_coordinate(const Column *column, double degrees, SpmRuleValue *value)
{
	bool		is_longitude = column->dim != column->attribute->dim;

	if (is_longitude && degrees >= 180 && degrees <= 360)
		degrees -= 360;
	value->is_null = !(degrees >= (is_longitude ? -180 : -90) && degrees <= (is_longitude ? 180 : 90));
	if (!value->is_null)
		value->key.number = spmk_rule_from_double(degrees);
}

static void
set_text(const Column *column, const char *bytes, int length, SpmRuleValue *value)
{
	const Attribute *attribute = column->attribute;
	char	   *digits;

	switch (attribute->kind)
	{
		case ATTRIBUTE_TEXT:
			value->key.bytes = bytes;
			value->key.length = (uint32) length;
			break;
		case ATTRIBUTE_TREE:
			{
				uint32		number = spm_tree_number(attribute->tree, bytes, (uint32) length);

				value->key.number = number == UINT32_MAX ? -1 : (int64) number;
				break;
			}
		case ATTRIBUTE_NUMBER:
			if (!spm_decimal_canonical(pnstrdup(bytes, length), &digits))
				refuse_value(column, bytes, length);
			set_digits(attribute, digits, value);
			break;
		case ATTRIBUTE_DATE:
			{
				DateADT		day;

				if (!spm_iso_date(bytes, length, &day))
					refuse_value(column, bytes, length);
				value->key.number = day;
				break;
			}
		case ATTRIBUTE_BOOLEAN:
			{
				bool		is_true;

				if (!parse_bool_with_len(bytes, length, &is_true))
					refuse_value(column, bytes, length);
				value->key.number = is_true;
				break;
			}
		case ATTRIBUTE_POINT:
			if (!spm_decimal_canonical(pnstrdup(bytes, length), &digits))
				refuse_value(column, bytes, length);
			set_coordinate(column, DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(digits))), value);
			break;
	}
}

static void
set_value(Column *column, Datum datum, SpmRuleValue *value)
{
	const Attribute *attribute = column->attribute;
	int64		number;

	switch (column->type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			{
				text	   *packed = DatumGetTextPP(datum);
				int			length = VARSIZE_ANY_EXHDR(packed);

				if (column->type == BPCHAROID)
					length = bpchartruelen(VARDATA_ANY(packed), length);
				set_text(column, VARDATA_ANY(packed), length, value);
				return;
			}
		case INT2OID:
			number = DatumGetInt16(datum);
			break;
		case INT4OID:
			number = DatumGetInt32(datum);
			break;
		case INT8OID:
			number = DatumGetInt64(datum);
			break;
		case BOOLOID:
			if (attribute->kind == ATTRIBUTE_BOOLEAN)
				value->key.number = DatumGetBool(datum);
			else if (DatumGetBool(datum))
				set_text(column, "true", 4, value);
			else
				set_text(column, "false", 5, value);
			return;
		case DATEOID:
			value->key.number = DatumGetDateADT(datum);
			return;
		case TIMESTAMPOID:
			value->key.number = DatumGetDateADT(DirectFunctionCall1(timestamp_date, datum));
			return;
		case FLOAT4OID:
		case FLOAT8OID:
			{
				double		real = column->type == FLOAT8OID ? DatumGetFloat8(datum) : DatumGetFloat4(datum);

				if (attribute->kind == ATTRIBUTE_POINT)
					set_coordinate(column, real, value);
				else
					set_double(attribute, real,
							   real == floor(real) && fabs(real) < 1e15 ? NULL : OutputFunctionCall(&column->output, datum), value);
				return;
			}
		case NUMERICOID:
			if (attribute->kind == ATTRIBUTE_NUMBER)
			{
				set_numeric(attribute, datum, value);
				return;
			}
			if (attribute->kind == ATTRIBUTE_POINT)
			{
				set_coordinate(column, DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, datum)), value);
				return;
			}
			/* FALLTHROUGH */
		default:
			{
				char	   *shown = OutputFunctionCall(&column->output, datum);

				set_text(column, shown, (int) strlen(shown), value);
				return;
			}
	}
	if (attribute->kind == ATTRIBUTE_NUMBER)
		set_int(attribute, number, value);
	else if (attribute->kind == ATTRIBUTE_POINT)
		set_coordinate(column, (double) number, value);
	else
	{
		char	   *shown = palloc(MAXINT8LEN + 1);

		set_text(column, shown, pg_lltoa(number, shown), value);
	}
}

/* Text of a value of jsonb; NULL: it is null, or not there. */
static char *
json_text(const Column *column, const JsonbValue *json)
{
	if (json == NULL || json->type == jbvNull)
		return NULL;
	switch (json->type)
	{
		case jbvString:
			return pnstrdup(json->val.string.val, json->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));
		case jbvBool:
			return pstrdup(json->val.boolean ? "true" : "false");
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("key \"%s\" of column \"%s\" is not a single value", column->name, KEYS_COLUMN),
					 errdetail("It is asked by attribute \"%s\".", column->attribute->name),
					 errhint("Give a text, a number or a boolean; lists can be asked by a column of their own.")));
	}
	return NULL;
}

static void
set_json(const Column *column, const JsonbValue *json, SpmRuleValue *value)
{
	char	   *shown;

	if (json != NULL && json->type == jbvString)
		set_text(column, json->val.string.val, json->val.string.len, value);
	else if (json != NULL && json->type == jbvNumeric && column->attribute->kind == ATTRIBUTE_NUMBER)
		set_numeric(column->attribute, NumericGetDatum(json->val.numeric), value);
	else if ((shown = json_text(column, json)) == NULL)
		value->is_null = true;
	else
		set_text(column, shown, (int) strlen(shown), value);
}

/* What is needed of a record; it lies in the record itself. */
static void
open_record(Reader *reader, HeapTupleHeader record)
{
	TupleTableSlot *slot = reader->slot;
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(record);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = record;
	ExecStoreHeapTuple(&tuple, slot, false);
	slot_getsomeattrs(slot, reader->last);
	for (int i = 0; i < reader->ncolumns; i++)
	{
		int			at = (reader->columns[i].number ? reader->columns[i].number : reader->keys) - 1;

		reader->cells[at].value = slot->tts_values[at];
		reader->cells[at].isnull = slot->tts_isnull[at];
	}
	ExecClearTuple(slot);
}

static JsonbContainer *
record_keys(const Reader *reader, const NullableDatum *cells)
{
	if (reader->keys == 0 || cells[reader->keys - 1].isnull)
		return NULL;
	return &DatumGetJsonbP(cells[reader->keys - 1].value)->root;
}

static const JsonbValue *
find_key(JsonbContainer *keys, const Column *column, JsonbValue *room)
{
	if (keys == NULL || !JsonContainerIsObject(keys))
		return NULL;
	return getKeyJsonValueFromContainer(keys, column->name, column->name_length, room);
}

/* All that the rules ask, of the columns of a record; the day is the caller's. */
void
spm_territory_read_columns(Reader *reader, const NullableDatum *cells, SpmRuleValue *values)
{
	JsonbContainer *keys = record_keys(reader, cells);

	for (int i = 0; i < reader->ncolumns; i++)
	{
		Column	   *column = &reader->columns[i];
		SpmRuleValue *value = &values[column->dim];

		value->is_beyond = false;
		value->is_null = false;
		if (column->number == 0)
		{
			JsonbValue	room;

			set_json(column, find_key(keys, column, &room), value);
		}
		else if (cells[column->number - 1].isnull)
			value->is_null = true;
		else
			set_value(column, cells[column->number - 1].value, value);
		/* half a point is none */
		if (column->dim != column->attribute->dim)
			values[column->dim].is_null = values[column->dim - 1].is_null =
				values[column->dim].is_null || values[column->dim - 1].is_null;
	}
}

void
spm_territory_read(Reader *reader, HeapTupleHeader record, SpmRuleValue *values)
{
	open_record(reader, record);
	spm_territory_read_columns(reader, reader->cells, values);
}

/* What a record has for an attribute, for people; NULL: nothing. */
char *
spm_territory_show(Reader *reader, HeapTupleHeader record, uint32 attribute)
{
	char	   *shown = NULL;

	open_record(reader, record);
	for (int i = 0; i < reader->ncolumns; i++)
	{
		Column	   *column = &reader->columns[i];
		char	   *part = NULL;

		if (column->attribute != &reader->book->attributes[attribute])
			continue;
		if (column->number == 0)
		{
			JsonbValue	room;

			part = json_text(column, find_key(record_keys(reader, reader->cells), column, &room));
		}
		else if (!reader->cells[column->number - 1].isnull)
		{
			Datum		datum = reader->cells[column->number - 1].value;

			if (column->type == BOOLOID)
				part = pstrdup(DatumGetBool(datum) ? "true" : "false");
			else if (column->type == DATEOID)
			{
				part = palloc(MAXDATELEN + 1);
				if (DATE_NOT_FINITE(DatumGetDateADT(datum)))
					strcpy(part, DATE_IS_NOEND(DatumGetDateADT(datum)) ? "infinity" : "-infinity");
				else
				{
					struct pg_tm tm;

					j2date(DatumGetDateADT(datum) + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
					EncodeDateOnly(&tm, USE_ISO_DATES, part);
				}
			}
			else
				part = OutputFunctionCall(&column->output, datum);
		}
		if (part == NULL)
			part = pstrdup("NULL");
		shown = shown ? psprintf("%s, %s", shown, part) : part;
	}
	return shown;
}
