/*
 * quota/functions_seat.sql: the quota of a seat, as a calculation takes it.
 *
 * These run once for each seat and component: no joins that a planner could get
 * wrong, and what most seats do not have is looked for by index.
 */

CREATE OR REPLACE FUNCTION spm._measure_chain(measure_id int)
    RETURNS int[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chain int[] := ARRAY[_measure_chain.measure_id];
    next int := (SELECT m.fallback_measure_id FROM spm.measure m WHERE m.measure_id = _measure_chain.measure_id);
BEGIN
    WHILE next IS NOT NULL LOOP
        chain := chain || next;
        next := (SELECT m.fallback_measure_id FROM spm.measure m WHERE m.measure_id = next);
    END LOOP;
    RETURN chain;
END
$$;
COMMENT ON FUNCTION spm._measure_chain(int) IS 'A measure, the one it falls back to, and so on.';
REVOKE ALL ON FUNCTION spm._measure_chain(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_rows(position_id int, measure_ids int[], period_ids int[])
    RETURNS TABLE (period_id int, amount numeric, step int, kind text, place int)
    LANGUAGE sql STABLE PARALLEL SAFE
    ROWS 1
BEGIN ATOMIC
    SELECT DISTINCT ON (q.period_id) q.period_id, q.amount, q.step, q.kind, 10 * q.step + q.nth
    FROM (SELECT p.period_id, p.amount, array_position(_quota_rows.measure_ids, p.measure_id) AS step, 'position' AS kind, 1 AS nth
          FROM spm.quota p
          WHERE p.superseded_at IS NULL AND p.position_id = _quota_rows.position_id
            AND p.measure_id = ANY (_quota_rows.measure_ids) AND p.period_id = ANY (_quota_rows.period_ids)
          UNION ALL
          SELECT t.period_id, t.amount, array_position(_quota_rows.measure_ids, t.measure_id), 'title', 2
          FROM spm.quota t
          WHERE t.superseded_at IS NULL AND t.title_id = (SELECT s.title_id FROM spm.position s WHERE s.position_id = _quota_rows.position_id)
            AND t.measure_id = ANY (_quota_rows.measure_ids) AND t.period_id = ANY (_quota_rows.period_ids)
          UNION ALL
          SELECT e.period_id, e.amount, array_position(_quota_rows.measure_ids, e.measure_id), 'everybody', 3
          FROM spm.quota e
          WHERE e.superseded_at IS NULL AND e.position_id IS NULL AND e.title_id IS NULL
            AND e.measure_id = ANY (_quota_rows.measure_ids) AND e.period_id = ANY (_quota_rows.period_ids)) q
    ORDER BY q.period_id, q.step, q.nth;
END;
COMMENT ON FUNCTION spm._quota_rows(int, int[], int[]) IS
'The quota that counts for a position in each of several periods: in the first of the measures that has one, that of the position before that of the title before everybody''s. step: place of the measure; kind: position, title or everybody; place: the smaller, the closer.';
REVOKE ALL ON FUNCTION spm._quota_rows(int, int[], int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_parts(calendar_id int, span daterange, whole_period_id int, measure_id int)
    RETURNS int[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(p.period_id ORDER BY p.span)
    FROM spm.period p
    WHERE p.calendar_id = _quota_parts.calendar_id AND p.span <@ _quota_parts.span AND p.period_id IS DISTINCT FROM _quota_parts.whole_period_id
      AND (NOT EXISTS (SELECT FROM spm.period b WHERE b.parent_period_id = p.period_id) OR EXISTS (
          SELECT FROM spm.quota q WHERE q.period_id = p.period_id AND q.measure_id = ANY (spm._measure_chain(_quota_parts.measure_id)) AND q.superseded_at IS NULL));
END;
COMMENT ON FUNCTION spm._quota_parts(int, daterange, int, int) IS
'Periods whose quotas may add up to that of a longer one: the smallest, and the quarters and such that somebody has a quota for.';
REVOKE ALL ON FUNCTION spm._quota_parts(int, daterange, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.quota_of(position_id int, measure_id int, period_id int)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT q.amount FROM spm._quota_rows(quota_of.position_id, spm._measure_chain(quota_of.measure_id), ARRAY[quota_of.period_id]) q;
END;
COMMENT ON FUNCTION spm.quota_of(int, int, int) IS
'Quota that counts for a position, measure and period (their keys), in the unit of the measure: that of the position, else of its title, else of everybody; else the same of the measure fallen back to. NULL: none is set.
Example: SELECT spm.quota_of(1, 1, 1);';

CREATE OR REPLACE FUNCTION spm._absent(payee_id int, is_for_quota boolean)
    RETURNS datemultirange
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days datemultirange := '{}';
    of_kind record;
BEGIN
    -- nobody but the absent pays for what follows
    IF EXISTS (SELECT FROM spm.absence a WHERE a.payee_id = _absent.payee_id AND a.superseded_at IS NULL) THEN
        FOR of_kind IN
            SELECT k.min_days, range_agg(a.span) AS spans
            FROM spm.absence a JOIN spm.absence_kind k USING (absence_kind_id)
            WHERE a.payee_id = _absent.payee_id AND a.superseded_at IS NULL
              AND CASE WHEN _absent.is_for_quota THEN k.is_quota_relieved ELSE k.is_target_reduced END
            GROUP BY k.absence_kind_id
        LOOP
            days := days + coalesce((SELECT range_agg(r) FROM unnest(of_kind.spans) r
                                     WHERE lower_inf(r) OR upper_inf(r) OR upper(r) - lower(r) >= of_kind.min_days), '{}');
        END LOOP;
    END IF;
    RETURN days;
END
$$;
COMMENT ON FUNCTION spm._absent(int, boolean) IS 'Days of absence that relieve the quota of a payee, or else reduce the target: of each kind the stretches that are long enough, all together counted once.';
REVOKE ALL ON FUNCTION spm._absent(int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._ramp_share(payee_id int, span daterange, active datemultirange, prorate text, calendar_id int,
                                           OUT share numeric, OUT whole numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    month date := date_trunc('month', lower(_ramp_share.span)::timestamp)::date;
    days daterange;
    weight numeric;
    of_month numeric;
    used text;
BEGIN
    share := 0;
    whole := 0;
    WHILE month < upper(_ramp_share.span) LOOP
        days := daterange(month, (month + interval '1 month')::date) * _ramp_share.span;
        -- the last ramp begun by then; before the first one, what holds before it
        SELECT CASE WHEN lower(a.span) >= (month + interval '1 month')::date THEN a.share_before
                    WHEN upper(a.span) <= month THEN 1
                    ELSE coalesce(r.shares[1 + 12 * (extract(year FROM month) - extract(year FROM lower(a.span)))::int
                                           + (extract(month FROM month) - extract(month FROM lower(a.span)))::int], 1) END,
               r.month_used
        INTO of_month, used
        FROM spm.ramp_assignment a JOIN spm.ramp r USING (ramp_id)
        WHERE a.payee_id = _ramp_share.payee_id
        ORDER BY lower(a.span) < (month + interval '1 month')::date DESC,
                 CASE WHEN lower(a.span) < (month + interval '1 month')::date THEN -(lower(a.span) - date '2000-01-01') ELSE lower(a.span) - date '2000-01-01' END
        LIMIT 1;
        weight := CASE
            WHEN _ramp_share.prorate = 'none' THEN (upper(days) - lower(days))::numeric / ((month + interval '1 month')::date - month)
            ELSE (SELECT c.active_days FROM spm._day_count(_ramp_share.active, days,
                    regexp_replace(regexp_replace(_ramp_share.prorate, ' rounded .$', ''), '^(exclusive|zero|365)$', 'calendar'), _ramp_share.calendar_id) c) END;
        share := share + of_month * weight;
        whole := whole + weight;
        IF used = 'first' AND lower(days) = lower(_ramp_share.span) OR used = 'last' AND upper(days) = upper(_ramp_share.span) THEN
            share := of_month;
            whole := 1;
            RETURN;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._ramp_share(int, daterange, datemultirange, text, int) IS
'Share of quota that the ramp of a payee leaves in a period, as share of whole: the shares of its months, each weighted by the active days in it or, not prorated, by the month.';
REVOKE ALL ON FUNCTION spm._ramp_share(int, daterange, datemultirange, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._figure(value numeric)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT to_char(trunc(_figure.value), 'FM999,999,999,999,999,999,999,990')
        || coalesce(substring(trim_scale(round(_figure.value, 4))::text FROM '\..*'), '');
END;
COMMENT ON FUNCTION spm._figure(numeric) IS 'A figure as people read it: 12,345.67, at most four places.';
REVOKE ALL ON FUNCTION spm._figure(numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._seat_days(position_id int, payee_id int)
    RETURNS datemultirange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(range_agg(a.span), '{}') FROM spm.position_assignment a
    WHERE a.position_id = _seat_days.position_id AND a.payee_id = _seat_days.payee_id;
END;
COMMENT ON FUNCTION spm._seat_days(int, int) IS 'Days on which a payee sat in a seat.';
REVOKE ALL ON FUNCTION spm._seat_days(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.seat_share(position_id int, payee_id int, spans datemultirange, period_id int, prorate text,
                                          OUT active_days numeric, OUT period_days numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.period;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = seat_share.period_id;
    IF FOUND THEN
        -- a period without a working day has a share of 0, not one that cannot be reckoned
        SELECT c.active_days, greatest(c.period_days, 1) INTO seat_share.active_days, seat_share.period_days
        FROM spm._day_count(coalesce(seat_share.spans, spm._seat_days(seat_share.position_id, seat_share.payee_id))
            - CASE seat_share.prorate WHEN 'none' THEN '{}' ELSE spm._absent(seat_share.payee_id, false) END,
            this.span, seat_share.prorate, this.calendar_id) c;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.seat_share(int, int, datemultirange, int, text) IS
'Time that a payee was on a plan in a seat in a period: active_days of period_days. A target incentive, a salary or the bounds of tiers for the whole period, times active_days, divided by period_days, is what is left of it.
Absences of a kind that reduces the target do not count; ramps and reliefs are a matter of the quota alone, see spm.seat_quota().
position_id, payee_id, period_id: keys. spans: days on the plan; NULL: those in the seat. prorate: a way of spm.day_count(); none: all of the period.
Returns NULLs for an unknown period. Errors: 22023 for another way.
Example: SELECT * FROM spm.seat_share(1, 1, ''{[2026-01-15,)}'', 1, ''calendar'');';

CREATE OR REPLACE FUNCTION spm.seat_quota(position_id int, payee_id int, spans datemultirange, measure_id int,
                                          whole_period_id int, part_period_ids int[], prorate text, places int,
                                          OUT quota_amount numeric, OUT active_days numeric, OUT period_days numeric, OUT because text, OUT base_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chain int[] := ARRAY[seat_quota.measure_id];
    this spm.period;
    active datemultirange;
    has_ramp boolean := EXISTS (SELECT FROM spm.ramp_assignment a WHERE a.payee_id = seat_quota.payee_id);
    -- the quotas that count: of which periods, how many steps down the chain, and whose
    period_ids int[];
    amounts numeric[];
    periods daterange[];
    steps int := 1;
    kind text := 'position';
    days numeric;
    of_days numeric;
    share numeric := 1;
    of_share numeric := 1;
    -- what they come to; in words, those in full, those of which nothing is left, the others
    total numeric := 0;
    source text;
    in_full numeric;
    in_vain numeric;
    reduced text[];
    relief numeric;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = seat_quota.whole_period_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    active := coalesce(seat_quota.spans, spm._seat_days(seat_quota.position_id, seat_quota.payee_id));
    IF seat_quota.prorate <> 'none' THEN
        active := active - spm._absent(seat_quota.payee_id, true);
    END IF;
    IF seat_quota.prorate = 'none' OR seat_quota.prorate = 'calendar' AND active @> this.span THEN
        seat_quota.active_days := upper(this.span) - lower(this.span);
        seat_quota.period_days := seat_quota.active_days;
    ELSE
        SELECT c.active_days, c.period_days INTO seat_quota.active_days, seat_quota.period_days
        FROM spm._day_count(active, this.span, seat_quota.prorate, this.calendar_id) c;
    END IF;

    -- nothing is closer than the seat's own quota of the whole
    SELECT ARRAY[q.period_id], ARRAY[q.amount], ARRAY[this.span] INTO period_ids, amounts, periods
    FROM spm.quota q
    WHERE q.position_id = seat_quota.position_id AND q.measure_id = seat_quota.measure_id AND q.period_id = this.period_id AND q.superseded_at IS NULL;
    IF NOT FOUND THEN
        -- the quota of the whole; or those of its parts, when the closest of them is closer to the seat
        chain := spm._measure_chain(seat_quota.measure_id);
        WITH row AS (
            SELECT r.*, p.span, p.parent_period_id FROM spm._quota_rows(seat_quota.position_id, chain, this.period_id || seat_quota.part_period_ids) r JOIN spm.period p USING (period_id)
        ), part AS (    -- a quarter goes before its months, unless theirs are closer
            SELECT o.* FROM row o
            WHERE o.period_id = this.period_id OR NOT EXISTS (
                SELECT FROM row x WHERE x.period_id NOT IN (o.period_id, this.period_id)
                  -- a quarter of one month has the same days as that
                  AND (x.span @> o.span AND (x.span <> o.span OR x.period_id = o.parent_period_id) AND x.place <= o.place
                       OR x.span <@ o.span AND (x.span <> o.span OR o.period_id = x.parent_period_id) AND x.place < o.place))
        )
        SELECT array_agg(q.period_id ORDER BY q.place, q.span), array_agg(q.amount ORDER BY q.place, q.span), array_agg(q.span ORDER BY q.place, q.span),
               min(q.step), (array_agg(q.kind ORDER BY q.place))[1]
        INTO period_ids, amounts, periods, steps, kind
        FROM (SELECT r.*, min(r.place) FILTER (WHERE r.period_id = this.period_id) OVER () AS whole_place,
                     min(r.place) FILTER (WHERE r.period_id <> this.period_id) OVER () AS part_place
              FROM part r) q
        WHERE CASE WHEN q.part_place < q.whole_place OR q.whole_place IS NULL THEN q.period_id <> this.period_id ELSE q.period_id = this.period_id END;
        IF amounts IS NULL THEN
            RETURN;
        END IF;
        source := concat_ws(' for ',
            CASE kind WHEN 'everybody' THEN 'everybody' WHEN 'title' THEN
                (SELECT 'title ' || t.name FROM spm.position s JOIN spm.title t USING (title_id) WHERE s.position_id = seat_quota.position_id) END,
            CASE WHEN steps > 1 THEN (SELECT m.name FROM spm.measure m WHERE m.measure_id = chain[steps]) END);
    END IF;

    base_amount := 0;
    FOR i IN 1 .. cardinality(amounts) LOOP
        base_amount := base_amount + amounts[i];
        IF period_ids[i] = this.period_id THEN
            days := seat_quota.active_days;
            of_days := seat_quota.period_days;
        ELSIF seat_quota.prorate = 'none' OR active @> periods[i] OR NOT active && periods[i] THEN
            -- all or nothing by any way of counting
            days := (seat_quota.prorate = 'none' OR active && periods[i])::int;
            of_days := 1;
        ELSE
            SELECT c.active_days, c.period_days INTO days, of_days
            FROM spm._day_count(active, periods[i], seat_quota.prorate, this.calendar_id) c;
        END IF;
        IF has_ramp THEN
            SELECT r.share, r.whole INTO share, of_share
            FROM spm._ramp_share(seat_quota.payee_id, periods[i], active, seat_quota.prorate, this.calendar_id) r;
        END IF;
        IF days = of_days AND share = of_share AND of_days > 0 THEN
            total := total + amounts[i];
            in_full := coalesce(in_full, 0) + amounts[i];
        ELSIF days * share = 0 OR of_days = 0 THEN
            in_vain := coalesce(in_vain, 0) + amounts[i];
        ELSE
            -- with places to spare, so that adding up parts does not show
            total := total + amounts[i] * days * share * 1.00000000000000000000 / (of_days * of_share);
            reduced := reduced || concat(spm._figure(amounts[i]),
                CASE WHEN days <> of_days THEN format(' x %s of %s %s', spm._figure(days), spm._figure(of_days),
                    CASE WHEN seat_quota.prorate ~ 'month' THEN 'months' WHEN seat_quota.prorate ~ '^working' THEN 'working days' ELSE 'days' END) END,
                CASE WHEN share <> of_share THEN format(' x %s %% ramp', spm._figure(100 * share / of_share)) END);
        END IF;
    END LOOP;

    relief := (SELECT sum(r.amount) FROM spm.quota_relief r
               WHERE r.payee_id = seat_quota.payee_id AND r.superseded_at IS NULL AND r.measure_id = ANY (chain[1:steps])
                 AND (SELECT p.calendar_id = this.calendar_id AND p.span <@ this.span FROM spm.period p WHERE p.period_id = r.period_id));
    -- what was only added up or taken off stays as it was set
    quota_amount := greatest(total - coalesce(relief, 0), 0);
    IF reduced IS NOT NULL THEN
        quota_amount := round(round(quota_amount, 15), coalesce(seat_quota.places, 2));
    END IF;
    because := array_to_string(
            CASE WHEN in_full IS NOT NULL THEN ARRAY[spm._figure(in_full)] END || reduced
            || CASE WHEN in_vain IS NOT NULL THEN ARRAY[format('nothing of %s', spm._figure(in_vain))] END, ' + ')
        || coalesce(' - ' || spm._figure(nullif(relief, 0)) || ' relief', '')
        || coalesce(' (quota of ' || nullif(source, '') || ')', '');
END
$$;
COMMENT ON FUNCTION spm.seat_quota(int, int, datemultirange, int, int, int[], text, int) IS
'Quota of a payee in a seat, as a calculation takes it, in the unit of the measure; NULL when none is set. With it active_days of period_days; because: the arithmetic in words; base_amount: the quota before days, ramp and relief.
That is the quota of the whole period, else of its parts (position before title before everybody, see spm.quota_of()); times the days on the plan less relieved absences, divided by the days of the period (parts each by their own);
times the share of the ramp, if the payee has one; less reliefs; never below 0; rounded once, at the end, where something was multiplied.
position_id, payee_id, measure_id: keys. spans: days on the plan; NULL: those in the seat. whole_period_id: period; part_period_ids: its parts, NULL: none. prorate: a way of spm.day_count(); none: absences and days on the plan do not matter. places: decimals of what is multiplied.
Errors: 22023 for another way of prorating.
Example: SELECT * FROM spm.seat_quota(1, 1, ''{[2026-01-15,)}'', 1, 1, NULL, ''calendar'', 2) may give 27419.35, 17, 31, "100,000 x 17 of 31 days x 50 % ramp".';

CREATE OR REPLACE FUNCTION spm._is_plain_quota(measure_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM spm.ramp_assignment)
       AND NOT EXISTS (SELECT FROM spm.measure m WHERE m.measure_id = _is_plain_quota.measure_id AND m.fallback_measure_id IS NOT NULL)
       AND NOT EXISTS (SELECT FROM spm.quota_relief r WHERE r.measure_id = _is_plain_quota.measure_id AND r.superseded_at IS NULL)
       AND NOT EXISTS (SELECT FROM spm.quota q WHERE q.measure_id = _is_plain_quota.measure_id AND q.superseded_at IS NULL AND q.position_id IS NULL);
END;
COMMENT ON FUNCTION spm._is_plain_quota(int) IS 'Whether all quotas of a measure belong to seats and nothing reduces them: then a join finds them, and spm.seat_quota() need not be asked seat by seat.';
REVOKE ALL ON FUNCTION spm._is_plain_quota(int) FROM PUBLIC;
