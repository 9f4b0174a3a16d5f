/*
 * deals.c
 *	  The deals of one group: keeping them, and packing them into one value.
 *
 * Packed deals travel through SQL as bytea, so anything may come back: every
 * length and every number is checked when they are unpacked.
 */
#include "postgres.h"

#include <limits.h>

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "deals.h"

/* The first bytes of packed deals. */
#define PACKED_VERSION	1
#define PACKED_TEXT		0x01
#define PACKED_WIDE		0x02

/* Room for one more. */
Deal *
spm_new_deal(Deals *deals, MemoryContext context)
{
	if (deals->ndeals == deals->space)
	{
		if (deals->space > INT_MAX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many deals in one group")));
		deals->space = Max(4, deals->space * 2);
		if (deals->deals == NULL)
			deals->deals = MemoryContextAlloc(context, deals->space * sizeof(Deal));
		else
			deals->deals = repalloc_huge(deals->deals, deals->space * sizeof(Deal));
	}
	return &deals->deals[deals->ndeals++];
}

/* Keeps a text key, and says where. */
Size
spm_add_deal_key(Deals *deals, MemoryContext context, const char *key, Size len)
{
	Size		at = deals->keys_len;

	if (at + len > deals->keys_space)
	{
		deals->keys_space = Max(Max(64, at + len), deals->keys_space * 2);
		if (deals->keys == NULL)
			deals->keys = MemoryContextAllocHuge(context, deals->keys_space);
		else
			deals->keys = repalloc_huge(deals->keys, deals->keys_space);
	}
	memcpy(deals->keys + at, key, len);
	deals->keys_len += len;
	return at;
}

bytea *
spm_deals_pack(const Deals *deals)
{
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, PACKED_VERSION);
	pq_sendbyte(&out, (deals->text_keys ? PACKED_TEXT : 0) | (deals->is_wide ? PACKED_WIDE : 0));
	pq_sendint32(&out, deals->scale);
	pq_sendint32(&out, deals->ndeals);
	for (int i = 0; i < deals->ndeals; i++)
	{
		const Deal *deal = &deals->deals[i];

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		pq_sendint32(&out, deal->date);
		if (deals->text_keys)
		{
			pq_sendint32(&out, deal->key_len);
			pq_sendbytes(&out, deals->keys + deal->key.at, deal->key_len);
		}
		else
			pq_sendint64(&out, deal->key.number);
		if (deals->is_wide)
		{
			bytea	   *amount = DatumGetByteaP(DirectFunctionCall1(numeric_send, NumericGetDatum(deal->amount.wide)));

			pq_sendint32(&out, VARSIZE(amount) - VARHDRSZ);
			pq_sendbytes(&out, VARDATA(amount), VARSIZE(amount) - VARHDRSZ);
			pfree(amount);
		}
		else
			pq_sendint64(&out, deal->amount.scaled);
	}
	return pq_endtypsend(&out);
}

static void
refuse_packed(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("these bytes are no packed deals"),
			 errdetail("%s", why),
			 errhint("Use what spm.deals() returns, as it is.")));
}

static Numeric
unpack_amount(StringInfo in)
{
	int			size = pq_getmsgint(in, 4);
	StringInfoData part;
	Datum		amount;

	if (size < 0 || size > in->len - in->cursor)
		refuse_packed("An amount is longer than they are.");
	memset(&part, 0, sizeof(part));
	part.data = (char *) pq_getmsgbytes(in, size);
	part.len = part.maxlen = size;
	amount = DirectFunctionCall3(numeric_recv, PointerGetDatum(&part),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return spm_dec_arg(amount, "amount");
}

Deals *
spm_deals_unpack(bytea *packed)
{
	Deals	   *deals = palloc0(sizeof(Deals));
	StringInfoData in;
	int			flags;
	int			ndeals;

	memset(&in, 0, sizeof(in));
	in.data = VARDATA_ANY(packed);
	in.len = in.maxlen = VARSIZE_ANY_EXHDR(packed);
	if (in.len < 10 || pq_getmsgbyte(&in) != PACKED_VERSION)
		refuse_packed("They do not begin like deals.");
	flags = pq_getmsgbyte(&in);
	deals->text_keys = (flags & PACKED_TEXT) != 0;
	deals->is_wide = (flags & PACKED_WIDE) != 0;
	deals->scale = pq_getmsgint(&in, 4);
	ndeals = pq_getmsgint(&in, 4);
	if ((flags & ~(PACKED_TEXT | PACKED_WIDE)) != 0 || ndeals <= 0 || deals->scale < 0 ||
		deals->scale > (deals->is_wide ? SPM_MAX_DIGITS : SPM_FAST_SCALE))
		refuse_packed("They do not begin like deals.");
	for (int i = 0; i < ndeals; i++)
	{
		Deal		deal;

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		deal.date = (DateADT) pq_getmsgint(&in, 4);
		if (!IS_VALID_DATE(deal.date) && !DATE_NOT_FINITE(deal.date))
			refuse_packed("A date is out of range.");
		deal.key_len = 0;
		if (deals->text_keys)
		{
			const char *key;

			deal.key_len = pq_getmsgint(&in, 4);
			if (deal.key_len < 0 || deal.key_len > in.len - in.cursor)
				refuse_packed("A key is longer than they are.");
			key = pq_getmsgbytes(&in, deal.key_len);
			pg_verifymbstr(key, deal.key_len, false);
			deal.key.at = spm_add_deal_key(deals, CurrentMemoryContext, key, deal.key_len);
		}
		else
			deal.key.number = pq_getmsgint64(&in);
		if (deals->is_wide)
			deal.amount.wide = unpack_amount(&in);
		else
		{
			deal.amount.scaled = pq_getmsgint64(&in);
			if (deal.amount.scaled > SPM_FAST_MAX || deal.amount.scaled < -SPM_FAST_MAX)
				refuse_packed("An amount is out of range.");
		}
		*spm_new_deal(deals, CurrentMemoryContext) = deal;
	}
	if (in.cursor != in.len)
		refuse_packed("Something follows them.");
	return deals;
}
