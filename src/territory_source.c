/*
 * territory_source.c
 *	  Reads the tables of a model: attributes, trees of values, rules, conditions.
 *
 * Dimension 0 is the day, so that one book serves all dates; each attribute
 * has one, a point two.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "kernel/rulebook_key.h"
#include "territory_source.h"

const char *const territory_type_names[TERRITORY_TYPES] = {"primary", "overlay", "specialist"};
static const char *const kind_names[] = {"text", "number", "date", "boolean", "tree", "point"};
static const char *const rule_kind_names[] = {"exception", "named", "rule"};

void
spm_sources_refuse_size(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("rules of a territory model are too many for one book"),
			 errhint("Divide the model into several, for example by country.")));
}

static int
name_number(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	elog(ERROR, "unknown name \"%s\"", name);
}

/* ----------------------------------------------------------------------- what SPI returns */

static void
run(const char *query, int nargs, Oid *types, Datum *values)
{
	MemoryContext old = CurrentMemoryContext;
	int			result = SPI_execute_with_args(query, nargs, types, values, NULL, true, 0);

	/* SPI leaves its own memory current, which goes with SPI_finish() */
	MemoryContextSwitchTo(old);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

static Datum
cell(uint64 row, int column, bool *is_null)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, is_null);
}

static int32
int_cell(uint64 row, int column)
{
	bool		is_null;
	Datum		value = cell(row, column, &is_null);

	return is_null ? 0 : DatumGetInt32(value);
}

static char *
text_cell(uint64 row, int column)
{
	bool		is_null;
	Datum		value = cell(row, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

/* ------------------------------------------------------------------------------ attributes */

static void
read_attributes(TerritoryBook *book)
{
	Oid			types[] = {INT4OID};
	Datum		args[] = {Int32GetDatum(book->model_id)};
	MemoryContext old;
	uint32		ndims = 1;

	run("SELECT territory_attribute_id, name, kind, column_name, longitude_column, "
		"CASE WHEN column_name = (SELECT key_column FROM spm.territory_model WHERE territory_model_id = $1) THEN 'account_key' END "
		"FROM spm.territory_attribute WHERE territory_model_id = $1 ORDER BY territory_attribute_id", 1, types, args);
	if (SPI_processed * 2 >= SPM_RULE_DIMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("territory model \"%s\" has more than %d attributes", book->model, SPM_RULE_DIMS / 2 - 1),
				 errhint("Delete from spm.territory_attribute those that no rule asks.")));
	old = MemoryContextSwitchTo(book->context);
	book->nattributes = (int) SPI_processed;
	book->attributes = palloc0(sizeof(Attribute) * Max(book->nattributes, 1));
	book->attribute_of = palloc(sizeof(uint32) * (2 * book->nattributes + 1));
	book->attribute_of[DAY_DIM] = UINT32_MAX;
	for (int i = 0; i < book->nattributes; i++)
	{
		Attribute  *attribute = &book->attributes[i];

		attribute->id = int_cell(i, 1);
		attribute->name = text_cell(i, 2);
		attribute->kind = name_number(text_cell(i, 3), kind_names, lengthof(kind_names));
		attribute->column = text_cell(i, 4);
		attribute->longitude_column = text_cell(i, 5);
		attribute->transaction_column = text_cell(i, 6);
		attribute->dim = ndims;
		book->attribute_of[ndims++] = i;
		if (attribute->kind == ATTRIBUTE_POINT)
			book->attribute_of[ndims++] = i;
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
}

static Attribute *
find_attribute(TerritoryBook *book, int32 id)
{
	int			lo = 0;
	int			hi = book->nattributes;

	while (lo < hi)
	{
		int			mid = (lo + hi) / 2;

		if (book->attributes[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == book->nattributes || book->attributes[lo].id != id)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("a rule of territory model \"%s\" asks an attribute of another model", book->model),
				 errdetail("It is the attribute with territory_attribute_id %d.", id),
				 errhint("Correct territory_attribute_id in spm.territory_condition.")));
	return &book->attributes[lo];
}

/* -------------------------------------------------------------------------------- trees */

typedef struct Value
{
	SpmRuleKey	value;
	SpmRuleKey	parent;			/* length UINT32_MAX: none */
	uint32		first_child;	/* node + 1 */
	uint32		next_sibling;
} Value;

static uint32
node_of(const Value *nodes, const uint32 *slots, uint32 nslots, const SpmRuleKey *value, uint32 *at)
{
	*at = (uint32) spmk_rule_key_hash(SPM_ORDER_BYTES, value) & (nslots - 1);
	for (; slots[*at] != 0; *at = (*at + 1) & (nslots - 1))
	{
		if (spmk_rule_compare_bytes(&nodes[slots[*at] - 1].value, value) == 0)
			return slots[*at];
	}
	return 0;
}

static SpmRuleKey
copy_key(MemoryContext context, const SpmRuleKey *key)
{
	SpmRuleKey	copy = *key;
	char	   *bytes = MemoryContextAlloc(context, Max(key->length, 1));

	memcpy(bytes, key->bytes, key->length);
	copy.bytes = bytes;
	return copy;
}

/*
 * Numbers in the order of a walk from the top down: what is below a value are
 * the numbers that follow it.  'nodes' come in the order of their values.
 */
static Tree *
number_tree(Value *nodes, uint32 n, const Attribute *attribute, MemoryContext context)
{
	Tree	   *tree = MemoryContextAllocZero(context, sizeof(*tree));
	uint32		nslots = 16;
	uint32	   *slots;
	uint32	   *stack = palloc(sizeof(uint32) * Max(n, 1));
	uint32	   *numbers = palloc(sizeof(uint32) * Max(n, 1));
	uint32		top = 0;
	uint32		at;

	while (nslots / 2 < n)
		nslots *= 2;
	slots = palloc0(sizeof(uint32) * nslots);
	for (uint32 i = 0; i < n; i++)
	{
		node_of(nodes, slots, nslots, &nodes[i].value, &at);
		slots[at] = i + 1;
	}
	tree->n = n;
	tree->values = MemoryContextAllocZero(context, sizeof(SpmRuleKey) * Max(n, 1));
	tree->last = MemoryContextAllocZero(context, sizeof(uint32) * Max(n, 1));
	tree->depth = MemoryContextAllocZero(context, sizeof(uint32) * Max(n, 1));
	tree->nslots = nslots;
	tree->slots = MemoryContextAllocZero(context, sizeof(uint32) * nslots);
	/* from the last to the first, so that each list of children is in order */
	for (uint32 i = n; i-- > 0;)
	{
		uint32		parent = nodes[i].parent.length == UINT32_MAX ? 0 :
			node_of(nodes, slots, nslots, &nodes[i].parent, &at);

		if (parent == 0)
			stack[top++] = i;
		else
		{
			nodes[i].next_sibling = nodes[parent - 1].first_child;
			nodes[parent - 1].first_child = i + 1;
		}
	}
	n = 0;
	while (top > 0)
	{
		uint32		i = stack[top - 1];

		if (nodes[i].value.length == UINT32_MAX)
		{
			/* all that is below it has been numbered */
			tree->last[numbers[i]] = n - 1;
			top--;
			continue;
		}
		numbers[i] = n;
		tree->values[n] = copy_key(context, &nodes[i].value);
		tree->depth[n] = 1;
		if (nodes[i].parent.length != UINT32_MAX)
		{
			uint32		above = spm_tree_number(tree, nodes[i].parent.bytes, nodes[i].parent.length);

			if (above != UINT32_MAX)
				tree->depth[n] = tree->depth[above] + 1;
		}
		at = (uint32) spmk_rule_key_hash(SPM_ORDER_BYTES, &tree->values[n]) & (nslots - 1);
		while (tree->slots[at] != 0)
			at = (at + 1) & (nslots - 1);
		tree->slots[at] = ++n;
		nodes[i].value.length = UINT32_MAX;
		for (uint32 child = nodes[i].first_child; child != 0; child = nodes[child - 1].next_sibling)
			stack[top++] = child - 1;
		if (n % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (n < tree->n)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("values of attribute \"%s\" go round in a circle", attribute->name),
				 errdetail("From %u of them no way leads to the top.", tree->n - n),
				 errhint("Correct parent_value in spm.territory_attribute_value where territory_attribute_id is %d.", attribute->id)));
	return tree;
}

static SpmRuleKey
key_cell(uint64 row, int column)
{
	bool		is_null;
	Datum		value = cell(row, column, &is_null);
	SpmRuleKey	key = {0, NULL, UINT32_MAX};

	if (!is_null)
	{
		text	   *packed = DatumGetTextPP(value);

		key.bytes = VARDATA_ANY(packed);
		key.length = (uint32) VARSIZE_ANY_EXHDR(packed);
	}
	return key;
}

/* Values in the hierarchy, and those that only a rule names. */
static void
read_trees(TerritoryBook *book)
{
	Oid			types[] = {INT4OID};
	Datum		args[] = {Int32GetDatum(book->model_id)};
	uint64		n;
	Value	   *nodes;

	run("SELECT territory_attribute_id, value, max(parent_value COLLATE \"C\") AS parent_value FROM ("
		"SELECT v.territory_attribute_id, v.value, v.parent_value "
		"FROM spm.territory_attribute_value v JOIN spm.territory_attribute a USING (territory_attribute_id) "
		"WHERE a.territory_model_id = $1 AND a.kind = 'tree' "
		"AND EXISTS (SELECT FROM spm.territory_condition c WHERE c.territory_attribute_id = a.territory_attribute_id) "
		"UNION ALL "
		"SELECT c.territory_attribute_id, o.value, NULL "
		"FROM spm.territory_condition c JOIN spm.territory_attribute a USING (territory_attribute_id), unnest(c.operands) AS o(value) "
		"WHERE a.territory_model_id = $1 AND a.kind = 'tree' AND o.value IS NOT NULL) AS named "
		"GROUP BY territory_attribute_id, value ORDER BY territory_attribute_id, value COLLATE \"C\"", 1, types, args);
	n = SPI_processed;
	nodes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Value) * Max(n, 1));
	for (uint64 start = 0, end; start < n; start = end)
	{
		int32		id = int_cell(start, 1);

		for (end = start; end < n && int_cell(end, 1) == id; end++)
			nodes[end] = (Value) {key_cell(end, 2), key_cell(end, 3)};
		find_attribute(book, id)->tree = number_tree(nodes + start, (uint32) (end - start), find_attribute(book, id), book->context);
	}
	pfree(nodes);
	SPI_freetuptable(SPI_tuptable);
}

/* ------------------------------------------------------------------------- conditions */

static void
refuse_condition(int32 rule_id, int32 condition_id, const Attribute *attribute, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rule %d asks of attribute \"%s\" what makes no sense: %s", rule_id, attribute->name, what),
			 errhint("Correct it: UPDATE spm.territory_condition SET operands = ... WHERE territory_condition_id = %d; or DELETE it.",
					 condition_id)));
}

SpmRuleCondition *
spm_sources_add_condition(Sources *s, uint32 dim, bool is_negated, bool is_null)
{
	SpmRuleCondition *condition;

	GROW(s->conditions, s->source.nconditions, s->condition_room);
	condition = &s->conditions[s->source.nconditions++];
	*condition = (SpmRuleCondition) {dim, is_negated, is_null, s->ninterval, 0};
	return condition;
}

/* To the condition that was added last. */
void
spm_sources_add_interval(Sources *s, SpmRuleKey from, SpmRuleKey to, int flags)
{
	GROW(s->intervals, s->ninterval, s->interval_room);
	s->intervals[s->ninterval++] = (SpmRuleInterval) {from, to, flags};
	s->conditions[s->source.nconditions - 1].nintervals++;
}

/* The least text after all that begin with this one; false: there is none. */
static bool
after_prefix(const SpmRuleKey *prefix, SpmRuleKey *after)
{
	*after = copy_key(CurrentMemoryContext, prefix);
	while (after->length > 0)
	{
		unsigned char *last = (unsigned char *) after->bytes + after->length - 1;

		if (*last < 0xff)
		{
			(*last)++;
			return true;
		}
		after->length--;
	}
	return false;
}

static SpmRuleKey
operand_key(const Attribute *attribute, const char *operand, int32 rule_id, int32 condition_id)
{
	SpmRuleKey	key = {0, operand, (uint32) strlen(operand)};
	char	   *digits;
	DateADT		day;
	bool		is_true;
	bool		is_beyond;

	switch (attribute->kind)
	{
		case ATTRIBUTE_TEXT:
		case ATTRIBUTE_POINT:
			break;
		case ATTRIBUTE_NUMBER:
			if (!spm_decimal_canonical(operand, &digits))
				refuse_condition(rule_id, condition_id, attribute, psprintf("\"%s\" is not a number", operand));
			if (attribute->scale < 0)
				return spm_decimal_key(digits);
			spm_decimal_scaled(digits, attribute->scale, &key.number, &is_beyond);
			break;
		case ATTRIBUTE_DATE:
			if (!spm_iso_date(operand, (int) key.length, &day))
				refuse_condition(rule_id, condition_id, attribute,
								 psprintf("\"%s\" is not a date written as 2026-12-31", operand));
			key.number = day;
			break;
		case ATTRIBUTE_BOOLEAN:
			if (!parse_bool(operand, &is_true))
				refuse_condition(rule_id, condition_id, attribute, psprintf("\"%s\" is not true or false", operand));
			key.number = is_true;
			break;
		case ATTRIBUTE_TREE:
			key.number = spm_tree_number(attribute->tree, operand, key.length);
			break;
	}
	return key;
}

/* A circle, and the square around it. */
static void
add_within(Sources *s, const Attribute *attribute, bool is_negated, char **operands, int n, int32 rule_id, int32 condition_id)
{
	SpmRuleCircle circle = {attribute->dim, attribute->dim + 1};
	double		numbers[3];
	double		latitudes[2];
	double		longitudes[4];
	int			nlongitudes;

	if (n != 3)
		refuse_condition(rule_id, condition_id, attribute, "within needs latitude, longitude and kilometres");
	for (int i = 0; i < 3; i++)
	{
		char	   *digits = NULL;

		if (operands[i] == NULL || !spm_decimal_canonical(operands[i], &digits))
			refuse_condition(rule_id, condition_id, attribute,
							 psprintf("\"%s\" is not a number", operands[i] ? operands[i] : "NULL"));
		numbers[i] = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(digits)));
	}
	circle.latitude = numbers[0];
	circle.longitude = numbers[1] >= 180 && numbers[1] <= 360 ? numbers[1] - 360 : numbers[1];
	circle.km = numbers[2];
	circle.is_negated = is_negated;
	if (circle.latitude < -90 || circle.latitude > 90 || circle.longitude < -180 || circle.longitude >= 180 || circle.km < 0)
		refuse_condition(rule_id, condition_id, attribute, "this is no circle on earth");
	if (!is_negated)
	{
		nlongitudes = spmk_rule_square(&circle, latitudes, longitudes);
		for (int d = 0; d < 2; d++)
		{
			spm_sources_add_condition(s, attribute->dim + d, false, false);
			for (int i = 0; i < (d == 0 ? 1 : nlongitudes); i++)
			{
				const double *ends = d == 0 ? latitudes : longitudes + 2 * i;

				spm_sources_add_interval(s, (SpmRuleKey) {spmk_rule_from_double(ends[0])},
							 (SpmRuleKey) {spmk_rule_from_double(ends[1])}, 0);
			}
		}
	}
	else
		spm_sources_add_condition(s, attribute->dim, true, true);
	GROW(s->circles, s->source.ncircles, s->circle_room);
	s->circles[s->source.ncircles++] = circle;
}

static void
read_condition(Sources *s, RawRule *rule, Attribute *attribute, const char *operator, bool is_negated,
			   char **operands, int n, int32 condition_id)
{
	/* by kind, with a blank around each */
	static const char *const possible[] = {
		" in range prefix null ", " in range null ", " in range null ", " in null ", " in under null ", " within null "
	};
	int32		id = rule->rule.id;
	uint32		level = UINT32_MAX;
	uint32		dim = attribute->dim;

	if (strstr(possible[attribute->kind], psprintf(" %s ", operator)) == NULL)
		refuse_condition(id, condition_id, attribute,
						 psprintf("a %s cannot be asked for \"%s\"", kind_names[attribute->kind], operator));
	if (strcmp(operator, "null") == 0)
	{
		spm_sources_add_condition(s, dim, is_negated, true);
		return;
	}
	if (strcmp(operator, "within") == 0)
	{
		add_within(s, attribute, is_negated, operands, n, id, condition_id);
		return;
	}
	spm_sources_add_condition(s, dim, is_negated, false);
	if (strcmp(operator, "range") == 0)
	{
		SpmRuleKey	ends[2] = {{0}, {0}};
		int			flags = 0;

		if (n != 2)
			refuse_condition(id, condition_id, attribute, "a range has two ends, of which one may be NULL");
		for (int i = 0; i < 2; i++)
		{
			if (operands[i] == NULL)
				flags |= i == 0 ? SPM_NO_FROM : SPM_NO_TO;
			else
				ends[i] = operand_key(attribute, operands[i], id, condition_id);
		}
		/* ends the wrong way round are met by nothing */
		if (flags != 0 || spmk_rule_key_compare(s->source.orders[dim], &ends[0], &ends[1]) <= 0)
			spm_sources_add_interval(s, ends[0], ends[1], flags);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		SpmRuleKey	key;

		if (operands[i] == NULL)
			refuse_condition(id, condition_id, attribute, "NULL is in a list of values");
		key = operand_key(attribute, operands[i], id, condition_id);
		if (strcmp(operator, "in") == 0)
			spm_sources_add_interval(s, key, key, 0);
		else if (strcmp(operator, "under") == 0)
			spm_sources_add_interval(s, key, (SpmRuleKey) {attribute->tree->last[key.number]}, 0);
		else
		{
			SpmRuleKey	after;

			if (after_prefix(&key, &after))
				spm_sources_add_interval(s, key, after, SPM_TO_OPEN);
			else
				spm_sources_add_interval(s, key, after, SPM_NO_TO);
		}
		if (attribute->kind == ATTRIBUTE_TREE)
			level = Min(level, attribute->tree->depth[key.number]);
	}
	if (!is_negated && level != UINT32_MAX)
		rule->level += level;
}

static uint32
add_days(Sources *s, bool is_empty, const Datum ends[2], const bool is_null[2])
{
	SpmRuleKey	from = {is_null[0] ? 0 : DatumGetDateADT(ends[0])};
	SpmRuleKey	to = {is_null[1] ? 0 : DatumGetDateADT(ends[1])};

	if (!is_empty && is_null[0] && is_null[1])
		return UINT32_MAX;
	spm_sources_add_condition(s, DAY_DIM, false, false);
	if (!is_empty)
		spm_sources_add_interval(s, from, to, SPM_TO_OPEN | (is_null[0] ? SPM_NO_FROM : 0) | (is_null[1] ? SPM_NO_TO : 0));
	return s->source.nconditions - 1;
}

static void
read_rules(Sources *s, const int32 *rules, int nrules)
{
	Oid			types[] = {INT4OID, INT4ARRAYOID};
	Datum		args[2] = {Int32GetDatum(s->book->model_id)};
	ArrayType  *ids = NULL;

	if (rules != NULL)
	{
		Datum	   *elements = palloc(sizeof(Datum) * Max(nrules, 1));

		for (int i = 0; i < nrules; i++)
			elements[i] = Int32GetDatum(rules[i]);
		ids = construct_array(elements, nrules, INT4OID, sizeof(int32), true, TYPALIGN_INT);
		args[1] = PointerGetDatum(ids);
	}
	run(rules == NULL ?
		"SELECT r.territory_rule_id, r.territory_id, t.type, r.kind, r.precedence, r.is_inherited, true, "
		"isempty(r.span * t.span), lower(r.span * t.span), upper(r.span * t.span) "
		"FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) "
		"WHERE t.territory_model_id = $1 ORDER BY r.territory_rule_id" :
		"SELECT r.territory_rule_id, r.territory_id, t.type, r.kind, r.precedence, r.is_inherited, r.territory_rule_id = ANY ($2), "
		"isempty(r.span * t.span), lower(r.span * t.span), upper(r.span * t.span) "
		"FROM spm.territory_rule r JOIN spm.territory t USING (territory_id) "
		"WHERE t.territory_model_id = $1 AND (r.territory_rule_id = ANY ($2) OR r.is_inherited) ORDER BY r.territory_rule_id",
		rules == NULL ? 1 : 2, types, args);
	s->nrules = (uint32) SPI_processed;
	s->rules = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RawRule) * Max(s->nrules, 1));
	for (uint32 i = 0; i < s->nrules; i++)
	{
		RawRule    *rule = &s->rules[i];
		bool		is_null[2];
		bool		ignored;
		Datum		ends[2];

		*rule = (RawRule) {{.id = int_cell(i, 1), .territory_id = int_cell(i, 2), .precedence = int_cell(i, 5)}};
		rule->rule.type = name_number(text_cell(i, 3), territory_type_names, TERRITORY_TYPES);
		rule->rule.kind = name_number(text_cell(i, 4), rule_kind_names, lengthof(rule_kind_names));
		rule->is_inherited = DatumGetBool(cell(i, 6, &ignored));
		rule->is_wanted = DatumGetBool(cell(i, 7, &ignored));
		ends[0] = cell(i, 9, &is_null[0]);
		ends[1] = cell(i, 10, &is_null[1]);
		rule->day = s->ignores_days ? UINT32_MAX :
			add_days(s, DatumGetBool(cell(i, 8, &ignored)), ends, is_null);
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	SPI_freetuptable(SPI_tuptable);
}

typedef struct RawCondition
{
	int32		rule_id;
	int32		id;
	Attribute  *attribute;
	char	   *operator;
	bool		is_negated;
	char	  **operands;
	int			n;
} RawCondition;

/* The scale at which all numbers that rules ask of an attribute are whole; -1: there is none. */
static void
choose_scales(TerritoryBook *book, const RawCondition *raw, uint64 n)
{
	int		   *whole = palloc0(sizeof(int) * Max(book->nattributes, 1));

	for (uint64 i = 0; i < n; i++)
	{
		Attribute  *attribute = raw[i].attribute;

		for (int j = 0; attribute->kind == ATTRIBUTE_NUMBER && j < raw[i].n; j++)
		{
			char	   *digits;
			int			nwhole;

			if (raw[i].operands[j] == NULL || !spm_decimal_canonical(raw[i].operands[j], &digits))
				continue;		/* refused where it is read */
			attribute->scale = Max(attribute->scale, spm_decimal_scale(digits, &nwhole));
			whole[attribute - book->attributes] = Max(whole[attribute - book->attributes], nwhole);
			pfree(digits);
		}
	}
	for (int i = 0; i < book->nattributes; i++)
	{
		if (whole[i] + book->attributes[i].scale > 18)
			book->attributes[i].scale = -1;
	}
	pfree(whole);
}

static void
read_conditions(Sources *s, const int32 *rules, SpmRuleOrder *orders)
{
	TerritoryBook *book = s->book;
	Oid			types[] = {INT4OID};
	Datum		args[] = {Int32GetDatum(book->model_id)};
	uint64		n;
	uint64		nraw = 0;
	RawCondition *raw;
	uint32		r = 0;

	/* of a few rules, look them up by their keys */
	if (rules != NULL)
	{
		Datum	   *ids = palloc(sizeof(Datum) * Max(s->nrules, 1));

		for (uint32 i = 0; i < s->nrules; i++)
			ids[i] = Int32GetDatum(s->rules[i].rule.id);
		types[0] = INT4ARRAYOID;
		args[0] = PointerGetDatum(construct_array(ids, s->nrules, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	}
	run(rules == NULL ?
		"SELECT c.territory_rule_id, c.territory_condition_id, c.territory_attribute_id, c.operator, c.is_negated, c.operands "
		"FROM spm.territory_condition c JOIN spm.territory_rule r USING (territory_rule_id) JOIN spm.territory t USING (territory_id) "
		"WHERE t.territory_model_id = $1 ORDER BY c.territory_rule_id, c.territory_attribute_id, c.territory_condition_id" :
		"SELECT c.territory_rule_id, c.territory_condition_id, c.territory_attribute_id, c.operator, c.is_negated, c.operands "
		"FROM spm.territory_condition c "
		"WHERE c.territory_rule_id = ANY ($1) ORDER BY c.territory_rule_id, c.territory_attribute_id, c.territory_condition_id",
		1, types, args);
	n = SPI_processed;
	raw = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RawCondition) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		RawCondition *c = &raw[nraw++];
		bool		ignored;
		ArrayType  *array = DatumGetArrayTypeP(cell(i, 6, &ignored));
		Datum	   *elements;
		bool	   *nulls;

		c->rule_id = int_cell(i, 1);
		c->id = int_cell(i, 2);
		c->attribute = find_attribute(book, int_cell(i, 3));
		c->operator = text_cell(i, 4);
		c->is_negated = DatumGetBool(cell(i, 5, &ignored));
		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &c->n);
		c->operands = palloc(sizeof(char *) * Max(c->n, 1));
		for (int j = 0; j < c->n; j++)
			c->operands[j] = nulls[j] ? NULL : TextDatumGetCString(elements[j]);
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	choose_scales(book, raw, nraw);
	for (int i = 0; i < book->nattributes; i++)
	{
		const Attribute *attribute = &book->attributes[i];

		orders[attribute->dim] = attribute->kind == ATTRIBUTE_TEXT ||
			(attribute->kind == ATTRIBUTE_NUMBER && attribute->scale < 0) ? SPM_ORDER_BYTES : SPM_ORDER_NUMBER;
		if (attribute->kind == ATTRIBUTE_POINT)
			orders[attribute->dim + 1] = SPM_ORDER_NUMBER;
	}
	for (uint64 i = 0; i < nraw; i++)
	{
		RawRule    *rule;

		while (r < s->nrules && s->rules[r].rule.id < raw[i].rule_id)
			r++;
		if (r == s->nrules || s->rules[r].rule.id != raw[i].rule_id)
			continue;
		rule = &s->rules[r];
		if (i == 0 || raw[i - 1].rule_id != raw[i].rule_id)
		{
			rule->first = s->source.nconditions;
			rule->first_circle = s->source.ncircles;
		}
		if (rule->nattributes == 0 || raw[i - 1].attribute != raw[i].attribute)
			rule->nattributes++;
		read_condition(s, rule, raw[i].attribute, raw[i].operator, raw[i].is_negated, raw[i].operands, raw[i].n, raw[i].id);
		rule->n = s->source.nconditions - rule->first;
		rule->ncircles = s->source.ncircles - rule->first_circle;
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	SPI_freetuptable(SPI_tuptable);
}

HTAB *
spm_sources_parents(int32 model_id)
{
	HASHCTL		control = {.keysize = sizeof(int32), .entrysize = sizeof(Above), .hcxt = CurrentMemoryContext};
	HTAB	   *parents = hash_create("spm territories", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Oid			types[] = {INT4OID};
	Datum		args[] = {Int32GetDatum(model_id)};

	run("SELECT territory_id, parent_territory_id FROM spm.territory WHERE territory_model_id = $1", 1, types, args);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		int32		id = int_cell(i, 1);
		Above	   *above = hash_search(parents, &id, HASH_ENTER, NULL);

		above->parent_id = int_cell(i, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return parents;
}

/* All but what lies above; 'rules': only these and what they may inherit, of any day.  'orders' are by dimension. */
void
spm_sources_read(Sources *s, const int32 *rules, int nrules, SpmRuleOrder *orders)
{
	read_attributes(s->book);
	read_trees(s->book);
	read_rules(s, rules, nrules);
	read_conditions(s, rules, orders);
}
