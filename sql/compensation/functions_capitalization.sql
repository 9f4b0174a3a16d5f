/*
 * compensation/functions_capitalization.sql: the arithmetic of amortisation,
 * and how contract costs are declared and written off.
 *
 * Time is counted in units of a month's part, so that everything stays exact:
 * days of the first month where it counts by days, halves, or whole months.
 */

CREATE OR REPLACE FUNCTION spm._month(date date)
    RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT date_trunc('month', _month.date::timestamp)::date;
END;
COMMENT ON FUNCTION spm._month(date) IS 'First day of the month.';
REVOKE ALL ON FUNCTION spm._month(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._month_unit(since date, first_month text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE _month_unit.first_month
        WHEN 'partial' THEN extract(day FROM date_trunc('month', _month_unit.since::timestamp) + interval '1 month' - interval '1 day')::int
        WHEN 'half' THEN 2 ELSE 1 END;
END;
COMMENT ON FUNCTION spm._month_unit(date, text) IS 'Into how many units a month is divided: its days, halves, or one.';
REVOKE ALL ON FUNCTION spm._month_unit(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._first_units(since date, first_month text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE _first_units.first_month
        WHEN 'partial' THEN spm._month_unit(_first_units.since, 'partial') - extract(day FROM _first_units.since)::int + 1
        WHEN 'next' THEN 0 ELSE 1 END;
END;
COMMENT ON FUNCTION spm._first_units(date, text) IS 'How many units of spm._month_unit() count in the first month.';
REVOKE ALL ON FUNCTION spm._first_units(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._last_no(since date, first_month text, months int)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT _last_no.months - CASE WHEN spm._first_units(_last_no.since, _last_no.first_month) = spm._month_unit(_last_no.since, _last_no.first_month) THEN 1 ELSE 0 END;
END;
COMMENT ON FUNCTION spm._last_no(date, text, int) IS 'Number of the month in which the last part is amortised; the first is 0.';
REVOKE ALL ON FUNCTION spm._last_no(date, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._month_no(date date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (extract(year FROM _month_no.date) * 12 + extract(month FROM _month_no.date))::int;
END;
COMMENT ON FUNCTION spm._month_no(date) IS 'Months up to a day, since the beginning of our era.';
REVOKE ALL ON FUNCTION spm._month_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.amortization(amount numeric, months int, since date, first_month text DEFAULT 'full', places int DEFAULT 2,
                                            OUT month date, OUT amortized_amount numeric, OUT carrying_amount numeric)
    RETURNS SETOF record
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF amortization.months NOT BETWEEN 1 AND 1200 THEN
        RAISE EXCEPTION 'months must be from 1 to 1200, not %', amortization.months USING ERRCODE = 'invalid_parameter_value';
    ELSIF amortization.first_month NOT IN ('full', 'partial', 'half', 'next') THEN
        RAISE EXCEPTION 'there is no first_month "%"', left(amortization.first_month, 40)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full, partial (by days), half or next.';
    ELSIF amortization.since NOT BETWEEN '0001-01-01' AND '9000-01-01' THEN
        RAISE EXCEPTION 'since must be a day of our era, not %', amortization.since USING ERRCODE = 'invalid_parameter_value';
    ELSIF amortization.amount IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION 'amount must be a number, not %', amortization.amount USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
        SELECT s.month, coalesce(lag(s.left_amount) OVER (ORDER BY s.month), amortization.amount) - s.left_amount, s.left_amount
        FROM (SELECT (spm._month(amortization.since) + make_interval(months => g.no))::date AS month,
                     spm.rounded(amortization.amount * (t.total - least(t.total, u.first + g.no * u.unit)) / t.total, amortization.places) AS left_amount
              FROM (SELECT spm._month_unit(amortization.since, amortization.first_month) AS unit,
                           spm._first_units(amortization.since, amortization.first_month) AS first) u
              CROSS JOIN LATERAL (SELECT amortization.months * u.unit AS total) t
              CROSS JOIN generate_series(0, spm._last_no(amortization.since, amortization.first_month, amortization.months)) g(no)) s
        ORDER BY s.month;
END
$$;
COMMENT ON FUNCTION spm.amortization(numeric, int, date, text, int) IS
'An amount spread in a straight line, month by month: first day of the month, what is amortised in it, what is left at its end. What is left is rounded, so that the months add up to the amount exactly.
amount: money. months: 1 to 1200. since: day it starts. first_month: full (counts whole), partial (its days that are left; the rest falls into one more month at the end), half, next (begins with the following month). places: decimal places.
Errors: 22023 for an argument that makes no sense.
Example: SELECT * FROM spm.amortization(2400, 24, ''2026-01-15'') is 100 a month.
Source: straight line over the months, ASC 340-40-35-1.';

CREATE OR REPLACE FUNCTION spm.set_capitalization(plan text, component text, months int, term text DEFAULT NULL,
                                                  since date DEFAULT '-infinity', until date DEFAULT NULL, type text DEFAULT NULL,
                                                  first_month text DEFAULT 'full', expedient boolean DEFAULT true, late text DEFAULT 'catch-up')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(set_capitalization.plan);
    room daterange;
    posted daterange;
    id int;
BEGIN
    IF set_capitalization.component IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
        WHERE v.plan_id = of_plan AND c.name = set_capitalization.component) THEN
        RAISE EXCEPTION 'plan "%" has no component "%"', set_capitalization.plan, set_capitalization.component
            USING ERRCODE = 'undefined_object', HINT = 'Components are: '
                || coalesce((SELECT string_agg(DISTINCT c.name, ', ') FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
                             WHERE v.plan_id = of_plan), 'none') || '. NULL means all.';
    END IF;
    IF set_capitalization.months IS NULL OR set_capitalization.months NOT BETWEEN 1 AND 1200 THEN
        RAISE EXCEPTION 'months must be from 1 to 1200, not %', coalesce(set_capitalization.months::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give the benefit period; with term it counts where a transaction has no usable term.';
    ELSIF set_capitalization.first_month NOT IN ('full', 'partial', 'half', 'next') THEN
        RAISE EXCEPTION 'there is no first_month "%"', set_capitalization.first_month
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full, partial (by days), half or next.';
    ELSIF set_capitalization.late NOT IN ('catch-up', 'prospective') THEN
        RAISE EXCEPTION 'there is no treatment "%" of late differences', set_capitalization.late
            USING ERRCODE = 'invalid_parameter_value', HINT = 'catch-up or prospective.';
    END IF;
    room := spm._make_room('spm.capitalization',
        jsonb_build_object('plan_id', of_plan, 'component_name', coalesce(set_capitalization.component, ''),
                           'transaction_type', coalesce(set_capitalization.type, ''))::text,
        'the capitalization', set_capitalization.since, set_capitalization.until);
    -- what is posted keeps the treatment that it had
    SELECT p.span INTO posted
    FROM spm.period p JOIN spm.plan n USING (calendar_id)
    WHERE n.plan_id = of_plan AND p.state = 'posted' AND p.span && room
      AND EXISTS (SELECT FROM spm.capitalization k
                  WHERE k.plan_id = of_plan AND k.span && p.span
                    AND (k.component_name = '' OR coalesce(set_capitalization.component, k.component_name) = k.component_name)
                    AND (k.transaction_type = '' OR coalesce(set_capitalization.type, k.transaction_type) = k.transaction_type))
    ORDER BY p.span DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'contract costs of posted periods keep their treatment'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Periods are posted until %s.', upper(posted)),
                  HINT = format('Let it begin later: since => %L.', upper(posted));
    END IF;
    INSERT INTO spm.capitalization (plan_id, component_name, transaction_type, span, months, term_attribute, first_month, is_expedient, late)
    VALUES (of_plan, coalesce(set_capitalization.component, ''), coalesce(set_capitalization.type, ''), room, set_capitalization.months,
            nullif(set_capitalization.term, ''), set_capitalization.first_month, set_capitalization.expedient, set_capitalization.late)
    RETURNING capitalization_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_capitalization(text, text, int, text, date, date, text, text, boolean, text) IS
'Says that what deals earn by a component is a cost of obtaining the contract, spread over months (ASC 340-40, IFRS 15); returns the capitalization_id. One that holds already ends where it begins.
plan: name. component: name, NULL for all. months: benefit period. term: attribute of the transaction with the contract term in months, which goes before months. since, until: days of the transactions, until exclusive. type: type of the transaction, NULL for all; what is more particular counts.
first_month: full, partial (by days), half or next. expedient: whether twelve months or less are expensed at once. late: differences to posted earnings are caught up at once (catch-up) or spread over the rest (prospective).
Errors: 42704 for an unknown plan or component; 22023 for months or a word that makes no sense; 23P01 when one starts on the same day; 23001 when it would change the treatment of what is posted.
Example: SELECT spm.set_capitalization(''Account Executive'', ''Commission'', 60, term => ''term_months'');';

CREATE OR REPLACE FUNCTION spm.impair("transaction" text, impaired_on date, reason text, share numeric DEFAULT 1,
                                      source text DEFAULT NULL, line text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_source text;
    sources bigint;
    last_day date;
    posted spm.period;
    n int;
BEGIN
    IF impair.share IS NULL OR NOT (impair.share > 0 AND impair.share <= 1) THEN
        RAISE EXCEPTION 'share must be above 0 and at most 1, not %', coalesce(impair.share::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 writes all off that is left; 0.25 a quarter of it.';
    ELSIF coalesce(impair.reason, '') = '' THEN
        RAISE EXCEPTION 'an impairment needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'reason => ''contract cancelled''';
    ELSIF impair.impaired_on IS NULL OR NOT isfinite(impair.impaired_on) THEN
        RAISE EXCEPTION 'an impairment needs a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'impaired_on => ''2026-05-10''';
    END IF;
    -- what is left is told by the one before
    LOCK TABLE spm.impairment IN SHARE ROW EXCLUSIVE MODE;
    SELECT min(c.source), count(DISTINCT c.source), max(c.event_date) INTO of_source, sources, last_day
    FROM spm.credit c JOIN spm.earning e ON e.credit_id = c.credit_id AND coalesce(e.credit_period_id, e.period_id) = c.period_id
    WHERE c.transaction_key = impair."transaction" AND c.source = coalesce(impair.source, c.source) AND c.line = coalesce(impair.line, c.line);
    IF sources = 0 THEN
        RAISE EXCEPTION 'transaction % has earned nothing', impair."transaction"
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.contract_cost; shows what there is.';
    ELSIF sources > 1 THEN
        RAISE EXCEPTION 'transaction % is in more than one source', impair."transaction"
            USING ERRCODE = 'ambiguous_alias', HINT = format('Say which: source => %L.', of_source);
    ELSIF impair.impaired_on < last_day THEN
        RAISE EXCEPTION 'transaction % is of %, after %', impair."transaction", last_day, impair.impaired_on
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT p.* INTO posted FROM spm.period p
    WHERE p.state = 'posted' AND p.span @> impair.impaired_on
      AND EXISTS (SELECT FROM spm.capitalization k JOIN spm.plan n USING (plan_id) WHERE n.calendar_id = p.calendar_id)
    ORDER BY p.span DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is posted', posted.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'What is posted does not change.',
                  HINT = format('Write it off in an open period: impaired_on => %L.', upper(posted.span));
    END IF;
    SELECT max(i.impaired_on) INTO last_day FROM spm.impairment i
    WHERE i.transaction_key = impair."transaction" AND i.source = of_source AND i.line = coalesce(impair.line, i.line);
    IF last_day > impair.impaired_on THEN
        RAISE EXCEPTION 'transaction % has an impairment of % already', impair."transaction", last_day
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'They are recorded in order of time: give a later day.';
    END IF;
    INSERT INTO spm.impairment (source, transaction_key, line, impaired_on, share, kept, reason)
    SELECT of_source, impair."transaction", d.line, impair.impaired_on, impair.share, coalesce(b.kept, 1) * (1 - impair.share), impair.reason
    FROM (SELECT DISTINCT c.line FROM spm.credit c JOIN spm.earning e ON e.credit_id = c.credit_id AND coalesce(e.credit_period_id, e.period_id) = c.period_id
          WHERE c.transaction_key = impair."transaction" AND c.source = of_source AND c.line = coalesce(impair.line, c.line)) d
    LEFT JOIN LATERAL (SELECT i.kept FROM spm.impairment i
                       WHERE i.transaction_key = impair."transaction" AND i.source = of_source AND i.line = d.line
                       ORDER BY i.impairment_id DESC LIMIT 1) b ON true
    WHERE b.kept IS DISTINCT FROM 0;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        RAISE EXCEPTION 'transaction % is written off already', impair."transaction" USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.impair(text, date, text, numeric, text, text) IS
'Writes contract costs of a transaction off before their time, at the end of the month of a day; returns the number of lines. Until its period is posted it can be taken back: DELETE FROM spm.impairment.
transaction: key. impaired_on: day of the cancellation. reason: why. share: of what is left; 1 is all. source: needed when two sources have the key. line: NULL for all.
Errors: 42704 when the transaction has earned nothing; 42P09 when two sources have it; 22023 for a share, reason or day that makes no sense; 55000 when the day is posted, lies before another impairment, or nothing is left.
Example: SELECT spm.impair(''SO-1001'', ''2026-05-10'', ''contract cancelled'');';

CREATE OR REPLACE FUNCTION spm.impair_cancelled(period text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(impair_cancelled.period, impair_cancelled.calendar));
    n int;
BEGIN
    IF this.state <> 'calculated' THEN
        RAISE EXCEPTION 'period % is %, not calculated', this.name, this.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'open' THEN format('CALL spm.calculate(%L);', this.name) ELSE 'What is posted does not change.' END;
    END IF;
    LOCK TABLE spm.impairment IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.impairment (source, transaction_key, line, impaired_on, share, kept, reason)
    WITH refund AS (    -- what this period takes back of deals, and of what earned nothing of its own
        SELECT c.source, c.reference_key AS transaction_key, c.transaction_key AS refund_key, c.line, min(c.event_date) AS event_date, -sum(c.credited_amount) AS amount
        FROM spm.credit c JOIN spm.posting o USING (posting_id)
        WHERE o.period_id = this.period_id AND o.state = 'draft' AND c.reference_key IS NOT NULL AND c.kind = 'direct' AND c.event = 'booking'
        GROUP BY c.source, c.reference_key, c.transaction_key, c.line
        HAVING sum(c.credited_amount) < 0
    ), deal AS (
        SELECT c.source, c.transaction_key, c.line, sum(c.credited_amount) AS amount
        FROM spm.standing_credit c
        WHERE c.kind = 'direct' AND c.event = 'booking' AND (c.source, c.transaction_key) IN (SELECT r.source, r.transaction_key FROM refund r)
        GROUP BY c.source, c.transaction_key, c.line
    ), before AS (      -- taken back by earlier postings
        SELECT c.source, c.reference_key AS transaction_key, c.line, -sum(c.credited_amount) AS amount
        FROM spm.credit c JOIN spm.posting o USING (posting_id)
        WHERE o.state = 'posted' AND c.kind = 'direct' AND c.event = 'booking'
          AND (c.source, c.reference_key) IN (SELECT r.source, r.transaction_key FROM refund r)
        GROUP BY c.source, c.reference_key, c.line
    ), part AS (        -- of the same line; of all where the deal has no such line
        SELECT d.source, d.transaction_key, d.line, sum(r.amount) AS refunded, max(d.amount) AS amount,
               max(r.event_date) AS event_date, string_agg(r.refund_key, ', ' ORDER BY r.refund_key) AS refund_keys
        FROM refund r
        JOIN deal d ON d.source = r.source AND d.transaction_key = r.transaction_key
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM deal e WHERE e.source = r.source AND e.transaction_key = r.transaction_key AND e.line = r.line) AS is_known) k
        WHERE d.amount > 0 AND (d.line = r.line OR NOT k.is_known)
          AND NOT EXISTS (SELECT FROM spm.credit c JOIN spm.earning e ON e.credit_id = c.credit_id AND coalesce(e.credit_period_id, e.period_id) = c.period_id
                          WHERE c.source = r.source AND c.transaction_key = r.refund_key AND e.amount <> 0)
        GROUP BY d.source, d.transaction_key, d.line
    ), whole AS (       -- a refund without a line of the deal is of the sum of all lines
        SELECT p.*, CASE WHEN EXISTS (SELECT FROM refund r WHERE r.source = p.source AND r.transaction_key = p.transaction_key AND r.line = p.line) THEN p.amount
                         ELSE (SELECT sum(d.amount) FROM deal d WHERE d.source = p.source AND d.transaction_key = p.transaction_key) END
                    - coalesce((SELECT sum(b.amount) FROM before b WHERE b.source = p.source AND b.transaction_key = p.transaction_key
                                AND (b.line = p.line OR NOT EXISTS (SELECT FROM deal d WHERE d.source = b.source AND d.transaction_key = b.transaction_key AND d.line = b.line))), 0) AS left_amount
        FROM part p
    )
    SELECT w.source, w.transaction_key, w.line, greatest(w.event_date, lower(this.span)), s.share, coalesce(b.kept, 1) * (1 - s.share), 'taken back by ' || w.refund_keys
    FROM whole w
    CROSS JOIN LATERAL (SELECT CASE WHEN w.refunded >= w.left_amount THEN 1 ELSE w.refunded / w.left_amount END AS share) s
    LEFT JOIN LATERAL (SELECT i.kept, i.impaired_on FROM spm.impairment i
                       WHERE i.source = w.source AND i.transaction_key = w.transaction_key AND i.line = w.line ORDER BY i.impairment_id DESC LIMIT 1) b ON true
    WHERE b.kept IS DISTINCT FROM 0 AND coalesce(b.impaired_on <= greatest(w.event_date, lower(this.span)), true)
      AND EXISTS (SELECT FROM spm.contract_cost_lot l
                  WHERE l.source = w.source AND l.transaction_key = w.transaction_key AND l.line = w.line AND NOT l.is_expensed)
      AND NOT EXISTS (SELECT FROM spm.impairment i WHERE i.source = w.source AND i.transaction_key = w.transaction_key AND i.line = w.line
                        AND i.reason = 'taken back by ' || w.refund_keys)
    ORDER BY w.source, w.transaction_key, w.line;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.impair_cancelled(text, text) IS
'Writes off the contract costs of deals that a calculated period takes back (by transactions with a reference to them) without taking back any commission; returns the number of lines. What takes back commission takes its asset along anyway; write off by spm.impair() what others keep. A second call adds nothing.
period: name. calendar: needed when two calendars have a period of that name.
The share that is written off is what is taken back of what was left of the deal.
Errors: 55000 unless the period is calculated and not yet posted; 42704 for an unknown period.
Example: SELECT spm.impair_cancelled(''2026-05'');';

CREATE OR REPLACE FUNCTION spm._guard_capitalization()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed datemultirange := datemultirange(OLD.span);
    posted daterange;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - 'span' = to_jsonb(OLD) - 'span' THEN
            changed := datemultirange(OLD.span) + datemultirange(NEW.span) - datemultirange(OLD.span * NEW.span);
        ELSE
            changed := changed + datemultirange(NEW.span);
        END IF;
    END IF;
    SELECT p.span INTO posted
    FROM spm.period p JOIN spm.plan n USING (calendar_id)
    WHERE n.plan_id = OLD.plan_id AND p.state = 'posted' AND p.span && changed
    ORDER BY p.span DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'contract costs of posted periods keep their treatment'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Periods are posted until %s.', upper(posted)),
                  HINT = format('Let a new one begin later: spm.set_capitalization(..., since => %L).', upper(posted));
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_capitalization() IS 'Trigger: the treatment of deals in posted periods does not change. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_capitalization() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_impairment()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       OR EXISTS (SELECT FROM spm.period p WHERE p.state = 'posted' AND p.span @> OLD.impaired_on
                  AND EXISTS (SELECT FROM spm.capitalization k JOIN spm.plan n USING (plan_id) WHERE n.calendar_id = p.calendar_id))
       OR EXISTS (SELECT FROM spm.impairment i WHERE i.transaction_key = OLD.transaction_key AND i.source = OLD.source AND i.line = OLD.line
                  AND i.impairment_id > OLD.impairment_id) THEN
        RAISE EXCEPTION 'an impairment does not change'
            USING ERRCODE = 'restrict_violation',
                  DETAIL = format('Transaction %s/%s, of %s.', OLD.source, OLD.transaction_key, OLD.impaired_on),
                  HINT = 'The last of a deal can be deleted until its period is posted.';
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION spm._guard_impairment() IS 'Trigger: an impairment does not change; the last of a deal can be deleted until its period is posted. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_impairment() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.capitalization
    FOR EACH ROW EXECUTE FUNCTION spm._guard_capitalization();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.impairment
    FOR EACH ROW EXECUTE FUNCTION spm._guard_impairment();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.capitalization
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.impairment
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
