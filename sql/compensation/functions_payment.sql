/*
 * compensation/functions_payment.sql: what is posted becomes payments: in which
 * currency, at which rate, who approves.
 */

-- ------------------------------------------------------------------ currencies

CREATE OR REPLACE FUNCTION spm._quoted(from_currency text, to_currency text, span daterange, rate_type text, OUT total numeric, OUT days numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _quoted.from_currency = _quoted.to_currency THEN
        total := 1;
        days := 1;
        RETURN;
    END IF;
    SELECT sum(r.rate * (upper(r.span * _quoted.span) - lower(r.span * _quoted.span))), sum(upper(r.span * _quoted.span) - lower(r.span * _quoted.span))
    INTO total, days
    FROM spm.exchange_rate r
    WHERE r.from_currency_code = _quoted.from_currency AND r.to_currency_code = _quoted.to_currency
      AND r.rate_type = _quoted.rate_type AND r.span && _quoted.span;
    IF days IS DISTINCT FROM upper(_quoted.span) - lower(_quoted.span) THEN
        RAISE EXCEPTION 'no % rate from % to % %', _quoted.rate_type, _quoted.from_currency, _quoted.to_currency,
            CASE WHEN upper(_quoted.span) - lower(_quoted.span) = 1 THEN format('on %s', lower(_quoted.span))
                 ELSE format('on each day from %s to %s', lower(_quoted.span), upper(_quoted.span) - 1) END
            USING ERRCODE = 'data_exception',
                  DETAIL = format('%s of %s days have one.', coalesce(days, 0), upper(_quoted.span) - lower(_quoted.span)),
                  HINT = format('SELECT spm.set_exchange_rate(%L, %L, %L, rate, %L);', _quoted.from_currency, _quoted.to_currency, lower(_quoted.span), _quoted.rate_type);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._quoted(text, text, daterange, text) IS 'Sum of the rates of some days, and their number: the average as a fraction. Error 22000 when a day has none.';
REVOKE ALL ON FUNCTION spm._quoted(text, text, daterange, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._payment_rate(from_currency text, to_currency text, span daterange, rate_type text, quote text, base_currency text,
                                             OUT exchange_rate numeric, OUT exchange_divisor numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    other record;
BEGIN
    IF _payment_rate.from_currency = _payment_rate.to_currency THEN
        exchange_rate := 1;
        exchange_divisor := 1;
        RETURN;
    END IF;
    CASE _payment_rate.quote
        WHEN 'direct' THEN
            one := spm._quoted(_payment_rate.from_currency, _payment_rate.to_currency, _payment_rate.span, _payment_rate.rate_type);
            exchange_rate := one.total;
            exchange_divisor := one.days;
        WHEN 'inverse' THEN
            one := spm._quoted(_payment_rate.to_currency, _payment_rate.from_currency, _payment_rate.span, _payment_rate.rate_type);
            exchange_rate := one.days;
            exchange_divisor := one.total;
        ELSE
            one := spm._quoted(_payment_rate.from_currency, _payment_rate.base_currency, _payment_rate.span, _payment_rate.rate_type);
            other := spm._quoted(_payment_rate.to_currency, _payment_rate.base_currency, _payment_rate.span, _payment_rate.rate_type);
            exchange_rate := one.total * other.days;
            exchange_divisor := other.total * one.days;
    END CASE;
END
$$;
COMMENT ON FUNCTION spm._payment_rate(text, text, daterange, text, text, text) IS 'What an amount is multiplied by and divided by to become another currency. Error 22000 when a rate is missing.';
REVOKE ALL ON FUNCTION spm._payment_rate(text, text, daterange, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.converted(amount numeric, from_currency text, to_currency text, date date, rate_type text DEFAULT 'spot',
                                         quote text DEFAULT 'direct', base_currency text DEFAULT NULL, places int DEFAULT NULL, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rate record;
BEGIN
    PERFORM spm._check_currency(converted.from_currency), spm._check_currency(converted.to_currency), spm._check_quote(converted.quote, converted.base_currency);
    IF converted.amount IS NULL OR converted.date IS NULL THEN
        RETURN NULL;
    ELSIF NOT isfinite(converted.date) THEN
        RAISE EXCEPTION 'a rate holds on a day, not on %', converted.date USING ERRCODE = 'invalid_parameter_value';
    END IF;
    rate := spm._payment_rate(converted.from_currency, converted.to_currency, daterange(converted.date, converted.date, '[]'),
                              converted.rate_type, converted.quote, converted.base_currency);
    RETURN spm.rounded(converted.amount * rate.exchange_rate / rate.exchange_divisor,
                       coalesce(converted.places, (SELECT c.minor_digits FROM spm.currency c WHERE c.currency_code = converted.to_currency)::int), converted.rounding);
END
$$;
COMMENT ON FUNCTION spm.converted(numeric, text, text, date, text, text, text, int, text) IS
'An amount in another currency, rounded. The rate is looked up as quote says: nothing is inverted or crossed by itself.
amount: money; NULL gives NULL. from_currency, to_currency: ISO codes. date: day of the rate. rate_type: spot, average, budget ... quote: direct (times the rate from the one to the other), inverse (divided by the rate the other way round), base (times what the one is worth in base_currency, divided by what the other is). places: default those of the currency. rounding: mode.
Errors: 42704 for an unknown currency, 22023 for an unknown quote or mode, 22000 when no rate was set.
Example: SELECT spm.converted(100, ''GBP'', ''USD'', ''2026-01-31'');';

CREATE OR REPLACE FUNCTION spm._check_quote(quote text, base_currency text)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _check_quote.quote IS NULL OR _check_quote.quote NOT IN ('direct', 'inverse', 'base') THEN
        RAISE EXCEPTION 'there is no quote "%"', left(_check_quote.quote, 40) USING ERRCODE = 'invalid_parameter_value', HINT = 'direct, inverse or base.';
    ELSIF (_check_quote.quote = 'base') <> (_check_quote.base_currency IS NOT NULL) THEN
        RAISE EXCEPTION 'quote base needs a base currency, and only that does' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'quote => ''base'', base_currency => ''USD''';
    ELSIF _check_quote.base_currency IS NOT NULL THEN
        PERFORM spm._check_currency(_check_quote.base_currency);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_quote(text, text) IS 'Error 22023 for an unknown quote, or a base currency that is missing or not needed.';
REVOKE ALL ON FUNCTION spm._check_quote(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.set_payment_currency(payee text, currency text, since date DEFAULT '-infinity', until date DEFAULT NULL,
                                                    rate_on text DEFAULT 'payment', rate_type text DEFAULT 'spot', quote text DEFAULT 'direct',
                                                    base_currency text DEFAULT NULL, round_at text DEFAULT 'payment', rounding text DEFAULT 'half_up')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(set_payment_currency.payee);
    room daterange;
    id int;
BEGIN
    PERFORM spm._check_currency(set_payment_currency.currency), spm._check_quote(set_payment_currency.quote, set_payment_currency.base_currency);
    IF set_payment_currency.rate_on IS NULL OR set_payment_currency.rate_on NOT IN ('payment', 'booking', 'average', 'period end', 'fixed') THEN
        RAISE EXCEPTION 'there is no rate_on "%"', set_payment_currency.rate_on
            USING ERRCODE = 'invalid_parameter_value', HINT = 'payment, booking, average, period end or fixed.';
    ELSIF set_payment_currency.round_at IS NULL OR set_payment_currency.round_at NOT IN ('payment', 'payout', 'deal') THEN
        RAISE EXCEPTION 'there is no round_at "%"', set_payment_currency.round_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'payment, payout or deal.';
    END IF;
    PERFORM spm.rounded(0, 2, set_payment_currency.rounding);
    room := spm._make_room('spm.payment_currency', jsonb_build_object('payee_id', of_payee)::text,
        format('the payment currency of %s', set_payment_currency.payee), set_payment_currency.since, set_payment_currency.until);
    INSERT INTO spm.payment_currency (payee_id, span, currency_code, rate_on, rate_type, quote, base_currency_code, round_at, rounding)
    VALUES (of_payee, room, set_payment_currency.currency, set_payment_currency.rate_on, set_payment_currency.rate_type,
            set_payment_currency.quote, set_payment_currency.base_currency, set_payment_currency.round_at, set_payment_currency.rounding)
    RETURNING payment_currency_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_payment_currency(text, text, date, date, text, text, text, text, text, text) IS
'Says in which currency a payee is paid from a day of payment on, and at which rate; returns the payment_currency_id. Without it a payee is paid in the currency of the plan.
payee: key. currency: ISO code. since, until: days of payment, until exclusive. rate_on: payment (day of the payment), booking (day of each deal; what is of no deal at the end of the period), average (over the days of the period in which it was earned), period end, fixed (first day of that period). rate_type: spot, budget ... quote, base_currency: see spm.converted().
round_at: payment, payout or deal. rounding: mode, to the digits of the currency.
Errors: 42704 for an unknown payee or currency, 22023 for an unknown word, 23P01 when one starts on the same day.
Example: SELECT spm.set_payment_currency(''dana'', ''EUR'', ''2026-01-01'', rate_on => ''average'');';

-- --------------------------------------------------------------------- batches

CREATE OR REPLACE FUNCTION spm.propose_payment(period text, calendar text DEFAULT NULL, pay_on date DEFAULT NULL, negative text DEFAULT 'carry')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(propose_payment.period, propose_payment.calendar));
    day date := coalesce(propose_payment.pay_on, upper(this.span));
    batch int;
    n bigint;
BEGIN
    IF NOT isfinite(day) THEN
        RAISE EXCEPTION 'a payment needs a day, not %', day USING ERRCODE = 'invalid_parameter_value';
    ELSIF propose_payment.negative IS NULL OR propose_payment.negative NOT IN ('carry', 'include') THEN
        RAISE EXCEPTION 'there is no treatment "%" of negative payments', propose_payment.negative
            USING ERRCODE = 'invalid_parameter_value', HINT = 'carry (until what follows makes up for it) or include.';
    END IF;
    -- two at a time would gather the same
    LOCK TABLE spm.payment_batch IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.payment_batch (period_id, pay_on) VALUES (this.period_id, day) RETURNING payment_batch_id INTO batch;
    WITH free AS (      -- posted, and in no batch that lives
        SELECT x.payout_id, x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.amount, x.currency_code,
               coalesce(x.kind = 'earning' AND k.rate_on = 'booking', false) AS is_by_deal, coalesce(k.currency_code, x.currency_code) AS paid_currency_code, coalesce(k.rate_type, 'spot') AS rate_type,
               coalesce(k.quote, 'direct') AS quote, k.base_currency_code, coalesce(k.round_at, 'payment') AS round_at,
               coalesce(k.rounding, 'half_up') AS rounding,
               CASE k.rate_on WHEN 'average' THEN e.span
                    WHEN 'fixed' THEN daterange(lower(e.span), lower(e.span), '[]')
                    WHEN 'payment' THEN daterange(day, day, '[]')
                    ELSE daterange(upper(e.span) - 1, upper(e.span)) END AS days
        FROM spm.payout x
        JOIN spm.posting o USING (posting_id)
        JOIN spm.period w ON w.period_id = o.period_id
        JOIN spm.period e ON e.period_id = x.period_id
        LEFT JOIN spm.payment_currency k ON k.payee_id = x.payee_id AND k.span @> day
        WHERE o.state = 'posted' AND w.calendar_id = this.calendar_id AND upper(w.span) <= upper(this.span) AND x.amount <> 0
          AND NOT EXISTS (SELECT FROM spm.payment_item i WHERE i.payout_id = x.payout_id AND i.is_live)
    ), deal AS (        -- each at the rate of its day, where that is asked for
        SELECT f.payout_id, f.currency_code, f.paid_currency_code, f.rate_type, f.quote, f.base_currency_code, e.amount,
               CASE WHEN c.credit_id IS NULL THEN f.days ELSE daterange(c.event_date, c.event_date, '[]') END AS days
        FROM free f
        JOIN spm.earning e USING (posting_id, period_id, payee_id, position_id, component_id)
        LEFT JOIN spm.credit c ON c.credit_id = e.credit_id AND c.period_id = coalesce(e.credit_period_id, e.period_id)
        WHERE f.is_by_deal
        UNION ALL
        SELECT f.payout_id, f.currency_code, f.paid_currency_code, f.rate_type, f.quote, f.base_currency_code, f.amount, f.days
        FROM free f WHERE NOT f.is_by_deal
    ), rate AS MATERIALIZED (
        SELECT k.*, r.exchange_rate, r.exchange_divisor
        FROM (SELECT DISTINCT d.currency_code, d.paid_currency_code, d.rate_type, d.quote, d.base_currency_code, d.days FROM deal d) k
        CROSS JOIN LATERAL spm._payment_rate(k.currency_code, k.paid_currency_code, k.days, k.rate_type, k.quote, k.base_currency_code) r
    ), part AS (
        SELECT d.payout_id, row_number() OVER (PARTITION BY d.payout_id ORDER BY r.exchange_rate, r.exchange_divisor)::int AS part_no,
               f.payee_id, f.currency_code, f.paid_currency_code, f.round_at, f.rounding, m.minor_digits::int AS places,
               r.exchange_rate, r.exchange_divisor, sum(d.amount) AS amount,
               CASE f.round_at WHEN 'deal' THEN sum(spm.rounded(d.amount * r.exchange_rate / r.exchange_divisor, m.minor_digits, f.rounding))
                    ELSE sum(d.amount) * r.exchange_rate / r.exchange_divisor END AS converted
        FROM deal d
        JOIN free f USING (payout_id)
        JOIN rate r ON r.currency_code = d.currency_code AND r.paid_currency_code = d.paid_currency_code AND r.rate_type = d.rate_type
            AND r.quote = d.quote AND r.base_currency_code IS NOT DISTINCT FROM d.base_currency_code AND r.days = d.days
        JOIN spm.currency m ON m.currency_code = f.paid_currency_code
        GROUP BY d.payout_id, f.payee_id, f.currency_code, f.paid_currency_code, f.round_at, f.rounding, m.minor_digits, r.exchange_rate, r.exchange_divisor
    ), item AS (        -- running totals are rounded, so that the items add up to the rounded whole
        SELECT p.*, spm.rounded(sum(p.converted) OVER upto, p.places, p.rounding)
                    - coalesce(spm.rounded(sum(p.converted) OVER before, p.places, p.rounding), 0) AS paid_amount
        FROM part p
        WINDOW whole AS (PARTITION BY p.payee_id, p.paid_currency_code, CASE WHEN p.round_at = 'payment' THEN 0 ELSE p.payout_id END
                         ORDER BY p.payout_id, p.part_no),
               upto AS (whole ROWS UNBOUNDED PRECEDING),
               before AS (whole ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), paid AS (
        INSERT INTO spm.payment (payment_batch_id, payee_id, currency_code, amount)
        SELECT batch, i.payee_id, i.paid_currency_code, sum(i.paid_amount)
        FROM item i
        GROUP BY i.payee_id, i.paid_currency_code
        HAVING sum(i.paid_amount) > 0 OR propose_payment.negative = 'include' AND sum(i.paid_amount) < 0
        ORDER BY i.payee_id, i.paid_currency_code
        RETURNING payment_id, payee_id, currency_code
    )
    INSERT INTO spm.payment_item (payment_id, payout_id, part_no, amount, currency_code, exchange_rate, exchange_divisor, paid_amount)
    SELECT p.payment_id, i.payout_id, i.part_no, i.amount, i.currency_code, i.exchange_rate, i.exchange_divisor, i.paid_amount
    FROM item i JOIN paid p ON p.payee_id = i.payee_id AND p.currency_code = i.paid_currency_code
    ORDER BY i.payout_id, i.part_no;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        RAISE EXCEPTION 'nothing is to be paid up to %', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Nothing is posted that is not in a batch already, or what is nets to nothing or less.',
                  HINT = 'SELECT * FROM spm_bi.unpaid; shows what is posted and waits.';
    END IF;
    RETURN batch;
END
$$;
COMMENT ON FUNCTION spm.propose_payment(text, text, date, text) IS
'Gathers what is posted up to the end of a period and not yet in a batch into a new one, and returns its payment_batch_id. One payment per payee and currency.
period: name. calendar: needed when two calendars have a period of that name. pay_on: planned day, which decides on currencies and rates; default the day after the period. negative: carry (payments that net to zero or less are not made: what they stand for waits for the next batch) or include (those below zero are made: payroll deducts them).
Errors: 55000 when nothing is to be paid; 22000 when an exchange rate is missing; 22023 for a day or word that makes no sense; 42704 for an unknown period.
Example: SELECT spm.propose_payment(''2026-01'', pay_on => ''2026-02-15'');';

CREATE OR REPLACE FUNCTION spm._batch(payment_batch_id int, states text[])
    RETURNS spm.payment_batch
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch;
BEGIN
    SELECT b.* INTO batch FROM spm.payment_batch b WHERE b.payment_batch_id = _batch.payment_batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment batch % does not exist', coalesce(_batch.payment_batch_id::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.payment_batch;';
    ELSIF batch.state <> ALL (_batch.states) THEN
        RAISE EXCEPTION 'payment batch % is %, not %', batch.payment_batch_id, batch.state, array_to_string(_batch.states, ' or ')
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE batch.state WHEN 'proposed' THEN format('SELECT spm.approve_payment(%s); by another login.', batch.payment_batch_id)
                              WHEN 'approved' THEN format('SELECT spm.record_payment(%s, reference, paid_on);', batch.payment_batch_id)
                              WHEN 'paid' THEN 'What was paid stays; differences are paid in a later batch.'
                              ELSE 'Its payouts are free: SELECT spm.propose_payment(...);' END;
    END IF;
    RETURN batch;
END
$$;
COMMENT ON FUNCTION spm._batch(int, text[]) IS 'A batch in one of some states, locked. Errors 42704, 55000.';
REVOKE ALL ON FUNCTION spm._batch(int, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.approve_payment(payment_batch_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch := spm._batch(approve_payment.payment_batch_id, '{proposed}');
BEGIN
    UPDATE spm.payment_batch b SET state = 'approved', approved_at = clock_timestamp(), approved_by = session_user
    WHERE b.payment_batch_id = batch.payment_batch_id;
END
$$;
COMMENT ON FUNCTION spm.approve_payment(int) IS
'Approves a proposed batch: from then on it is in the payroll export, and what it pays is payable. Another login than the one that proposed it.
payment_batch_id: as spm.propose_payment() returned.
Errors: 42501 for the login that proposed it; 42704 for an unknown batch; 55000 unless it is proposed.
Example: SELECT spm.approve_payment(1);';

CREATE OR REPLACE FUNCTION spm.record_payment(payment_batch_id int, reference text, paid_on date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch := spm._batch(record_payment.payment_batch_id, '{approved}');
BEGIN
    IF coalesce(record_payment.reference, '') = '' OR record_payment.paid_on IS NULL OR NOT isfinite(record_payment.paid_on) THEN
        RAISE EXCEPTION 'a payment needs a reference and a day'
            USING ERRCODE = 'invalid_parameter_value', HINT = format('SELECT spm.record_payment(%s, ''PAY-2026-02'', ''2026-02-15'');', batch.payment_batch_id);
    END IF;
    UPDATE spm.payment_batch b SET state = 'paid', reference = record_payment.reference, paid_on = record_payment.paid_on
    WHERE b.payment_batch_id = batch.payment_batch_id;
END
$$;
COMMENT ON FUNCTION spm.record_payment(int, text, date) IS
'Records that an approved batch was paid. It never changes again.
payment_batch_id: batch. reference: at the bank or in payroll. paid_on: day.
Errors: 42704 for an unknown batch; 55000 unless it is approved; 22023 without reference or day.
Example: SELECT spm.record_payment(1, ''PAY-2026-02'', ''2026-02-15'');';

CREATE OR REPLACE FUNCTION spm.reject_payment(payment_batch_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch := spm._batch(reject_payment.payment_batch_id, '{proposed,approved}');
BEGIN
    IF coalesce(reject_payment.reason, '') = '' THEN
        RAISE EXCEPTION 'a batch is rejected for a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say what must be put right.';
    END IF;
    UPDATE spm.payment_batch b SET reason = reject_payment.reason,
           state = CASE WHEN b.state = 'proposed' AND b.proposed_by = session_user THEN 'withdrawn' ELSE 'rejected' END
    WHERE b.payment_batch_id = batch.payment_batch_id;
END
$$;
COMMENT ON FUNCTION spm.reject_payment(int, text) IS
'Takes a batch back that is not paid: rejected, or withdrawn where the login that proposed it does so before it is approved. Nothing is lost: its payouts are free for the next batch.
payment_batch_id: batch. reason: why.
Errors: 42704 for an unknown batch; 55000 unless it is proposed or approved; 22023 without a reason.
Example: SELECT spm.reject_payment(1, ''bonus of dana is disputed'');';

-- --------------------------------------------------------------------- ledgers

CREATE OR REPLACE FUNCTION spm.set_gl_account(purpose text, account_code text, plan text DEFAULT NULL, component text DEFAULT NULL,
                                              since date DEFAULT '-infinity')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := CASE WHEN set_gl_account.plan IS NOT NULL THEN spm._plan_id(set_gl_account.plan) END;
    first date := nullif(set_gl_account.since, '-infinity');
    purposes CONSTANT text[] := '{expense,waiting,payable,cash,held,advance,clearing,rounding,contract cost,amortization,impairment}';
    id int;
BEGIN
    IF set_gl_account.purpose IS NULL OR set_gl_account.purpose <> ALL (purposes) THEN
        RAISE EXCEPTION 'no account is needed for "%"', set_gl_account.purpose
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Purposes are: ' || array_to_string(purposes, ', ') || '.';
    END IF;
    PERFORM spm._check_text(set_gl_account.account_code, 'account_code');
    -- the one before ends where this one begins
    UPDATE spm.gl_account a SET span = daterange(lower(a.span), first)
    WHERE a.purpose = set_gl_account.purpose AND a.plan_id IS NOT DISTINCT FROM of_plan AND a.component_name = coalesce(set_gl_account.component, '')
      AND upper_inf(a.span) AND (lower_inf(a.span) OR lower(a.span) < first) AND first IS NOT NULL;
    INSERT INTO spm.gl_account (purpose, plan_id, component_name, span, account_code)
    VALUES (set_gl_account.purpose, of_plan, coalesce(set_gl_account.component, ''), daterange(first, NULL), set_gl_account.account_code)
    RETURNING gl_account_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'the account for "%" is already set', set_gl_account.purpose
        USING ERRCODE = 'exclusion_violation', DETAIL = format('The new one would hold from %s.', coalesce(first::text, 'the beginning')),
              HINT = 'Give the day of the change: since => ''2026-01-01''.';
END
$$;
COMMENT ON FUNCTION spm.set_gl_account(text, text, text, text, date) IS
'Sets an account of the general ledger from a day on, and returns the gl_account_id; the one before it ends.
purpose: expense, waiting, payable, cash, held, advance, clearing, rounding, contract cost, amortization or impairment. account_code: account. plan, component: names; NULL for all. since: first day of the entries.
Errors: 22023 for an unknown purpose or an empty account; 42704 for an unknown plan; 23P01 where one is set from that day or later.
Example: SELECT spm.set_gl_account(''expense'', ''6100'');';

CREATE OR REPLACE FUNCTION spm._gl_purpose(kind text, method text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _gl_purpose.kind IN ('holdback', 'hold', 'release', 'carried') OR _gl_purpose.kind = 'cap' AND _gl_purpose.method = 'carried' THEN 'held'
                WHEN _gl_purpose.kind IN ('draw', 'recovery', 'negative') THEN 'advance'
                ELSE 'expense' END;
END;
COMMENT ON FUNCTION spm._gl_purpose(text, text) IS 'What a payout of a kind, by a pay rule of a method, is booked against: pay is an expense, what is kept for later a debt, a draw and pay below zero a claim.';
REVOKE ALL ON FUNCTION spm._gl_purpose(text, text) FROM PUBLIC;

-- --------------------------------------------------------------------- spreading

CREATE OR REPLACE FUNCTION spm.spread_pay(plan text, advance_share numeric, parts int, components text[] DEFAULT NULL, release_after int DEFAULT 1, name text DEFAULT 'Spread')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(spread_pay.plan);
    -- named one by one: what a part holds back or releases is not to be spread again
    spread text[] := coalesce(spread_pay.components, ARRAY(SELECT c.name FROM spm.component c WHERE c.plan_version_id = version ORDER BY c.component_no));
BEGIN
    IF spread_pay.advance_share IS NULL OR NOT (spread_pay.advance_share >= 0 AND spread_pay.advance_share < 1) THEN
        RAISE EXCEPTION 'advance_share must be from 0 to less than 1, not %', coalesce(spread_pay.advance_share::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '0.75 pays 75 % at once and spreads the rest.';
    ELSIF spread_pay.parts IS NULL OR spread_pay.parts NOT BETWEEN 1 AND 36 THEN
        RAISE EXCEPTION 'parts must be from 1 to 36, not %', coalesce(spread_pay.parts::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    ELSIF spread_pay.release_after IS NULL OR spread_pay.release_after NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'release_after must be from 1 to 1000 periods, not %', coalesce(spread_pay.release_after::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    ELSIF cardinality(spread) = 0 THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component to spread', spread_pay.plan
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT spm.add_component(%L, ...);', spread_pay.plan);
    END IF;
    PERFORM spm.add_pay_rule(spread_pay.plan, 'holdback', name => format('%s %s', spread_pay.name, n), components => spread,
                             share => round((1 - spread_pay.advance_share) / spread_pay.parts, 20), release_after => spread_pay.release_after + n - 1)
    FROM generate_series(1, spread_pay.parts) n;
    RETURN spread_pay.parts;
END
$$;
COMMENT ON FUNCTION spm.spread_pay(text, numeric, int, text[], int, text) IS
'Pays a share of what components earn at once, and the rest in equal parts in later periods: adds a holdback rule for each part to the draft of a plan, and returns their number. Each part is rounded; what is left of a cent is paid at once.
plan: name. advance_share: share paid at once, from 0 to less than 1. parts: 1 to 36. components: names, which must be there; NULL for all there are. release_after: periods until the first part, 1 or more. name: of the rules, with a number.
Errors: 22023 for a number that makes no sense; 42704 for an unknown plan or component; 23505 when there are rules of that name; 55000 without a draft or components.
Example: SELECT spm.spread_pay(''Agent'', 0.75, 3); pays 990 of 1320 at once, and 110 in each of the three periods after.';

-- ---------------------------------------------------------------------- guards

CREATE OR REPLACE FUNCTION spm._guard_payment_batch()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('approved', 'paid'), ('proposed', 'withdrawn'),
                                                          ('proposed', 'rejected'), ('approved', 'rejected'))
       OR to_jsonb(NEW) - '{state,approved_at,approved_by,paid_on,reference,reason}'::text[]
          <> to_jsonb(OLD) - '{state,approved_at,approved_by,paid_on,reference,reason}'::text[]
       OR NEW.state <> 'approved' AND (NEW.approved_at, NEW.approved_by) IS DISTINCT FROM (OLD.approved_at, OLD.approved_by) THEN
        RAISE EXCEPTION 'payment batch % is %, and does not change in this way', OLD.payment_batch_id, OLD.state
            USING ERRCODE = 'restrict_violation', DETAIL = 'A batch is proposed, then approved, then paid; or rejected or withdrawn.',
                  HINT = 'spm.approve_payment(), spm.record_payment(), spm.reject_payment()';
    END IF;
    IF NEW.state = 'approved' AND (OLD.proposed_by = session_user OR NEW.approved_by <> session_user) THEN
        RAISE EXCEPTION 'payment batch % must be approved by another login', OLD.payment_batch_id
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('It was proposed by %s; this is %s.', OLD.proposed_by, session_user),
                  HINT = 'Ask somebody else: whoever proposes a payment does not approve it.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_payment_batch() IS 'Trigger: the states of a batch, and that two logins take part. Errors 23001, 42501.';
REVOKE ALL ON FUNCTION spm._guard_payment_batch() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._record_payment_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO spm.payment_event (payment_batch_id, from_state, to_state, reason) VALUES (NEW.payment_batch_id, OLD.state, NEW.state, NEW.reason);
    IF NEW.state IN ('rejected', 'withdrawn') THEN
        UPDATE spm.payment_item i SET is_live = false FROM spm.payment p
        WHERE p.payment_id = i.payment_id AND p.payment_batch_id = NEW.payment_batch_id;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._record_payment_event() IS 'Trigger: records a change of state, and frees the payouts of a batch that is not to be paid.';
REVOKE ALL ON FUNCTION spm._record_payment_event() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_payment_item()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.is_live AND NOT NEW.is_live AND to_jsonb(NEW) - 'is_live' = to_jsonb(OLD) - 'is_live'
           AND EXISTS (SELECT FROM spm.payment p JOIN spm.payment_batch b USING (payment_batch_id)
                       WHERE p.payment_id = OLD.payment_id AND b.state IN ('rejected', 'withdrawn')) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'items of a payment do not change'
        USING ERRCODE = 'restrict_violation', HINT = 'Reject the batch and propose another: SELECT spm.reject_payment(batch, reason);';
END
$$;
COMMENT ON FUNCTION spm._guard_payment_item() IS 'Trigger: items stay; they only cease to count when their batch is rejected or withdrawn. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_payment_item() FROM PUBLIC;

CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.payment_batch
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('proposed_by', 'approved_by', 'paid_on');
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.payment_event
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by');
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payment_batch
    FOR EACH ROW EXECUTE FUNCTION spm._guard_payment_batch();
CREATE OR REPLACE TRIGGER recorded AFTER UPDATE ON spm.payment_batch
    FOR EACH ROW EXECUTE FUNCTION spm._record_payment_event();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payment_item
    FOR EACH ROW EXECUTE FUNCTION spm._guard_payment_item();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.payment
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.payment_event
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payment_batch
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payment_item
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
