/*
 * forecast/functions_waterfall.sql: how the pipeline of one day became that of another.
 */

CREATE OR REPLACE FUNCTION spm._waterfall_order(step text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT array_position('{opening,new,reopened,restored,pulled_in,slipped_in,owner_in,increased,decreased,owner_out,omitted,slipped,pulled_out,removed,lost,won,closing}'::text[], step);
    END;
COMMENT ON FUNCTION spm._waterfall_order(text) IS 'Place of a step in a waterfall, from opening, 1, to closing, 17.';
REVOKE ALL ON FUNCTION spm._waterfall_order(text) FROM PUBLIC;

/*
 * Each deal goes from what it was worth in the one pipeline to what it is worth in
 * the other in at most four steps, so that each deal adds up, and with it any sum.
 */
CREATE OR REPLACE FUNCTION spm._movement(since date, until date, forecast_type_id int, days daterange)
    RETURNS TABLE (source text, key text, name text, owner_key text, position_id int, step text, amount numeric,
        from_amount numeric, to_amount numeric, from_close_date date, to_close_date date, from_category text, to_category text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH both_days AS (
        -- one set of rates and seats for both days: what they do is no movement of a deal
        SELECT coalesce(b.source, a.source) AS source, coalesce(b.key, a.key) AS key, coalesce(b.name, a.name) AS name,
            a.key IS NOT NULL AS was, b.key IS NOT NULL AS is, a.state AS a_state, b.state AS b_state, a.category AS a_category, b.category AS b_category,
            a.amount AS a_amount, b.amount AS b_amount, a.close_date AS a_close, b.close_date AS b_close, b.closed_on,
            a.owner_key AS a_owner, b.owner_key AS b_owner, CASE WHEN a.owner_key = b.owner_key THEN b.position_id ELSE a.position_id END AS a_seat, b.position_id AS b_seat,
            coalesce(a.state = 'open' AND a.category <> 'omitted' AND (days IS NULL OR a.close_date <@ days), false) AS a_in,
            coalesce(b.state = 'open' AND b.category <> 'omitted' AND (days IS NULL OR b.close_date <@ days), false) AS b_in
        FROM spm._pipeline_value(_movement.since, _movement.forecast_type_id, _movement.until, _movement.until) AS a
        FULL JOIN spm._pipeline_value(_movement.until, _movement.forecast_type_id, _movement.until, _movement.until) AS b ON b.source_id = a.source_id AND b.key = a.key
        WHERE a.state = 'open' OR b.state = 'open' OR b.state IS DISTINCT FROM a.state
    ), told AS (
        SELECT d.*, d.b_state = 'won' AND (days IS NULL OR d.closed_on <@ days) AS won_here,
            -- closed without ever having been seen open: it came and went in between
            coalesce(NOT d.a_in AND d.a_state IS DISTINCT FROM d.b_state AND (days IS NULL OR d.closed_on <@ days)
                AND (d.b_state = 'won' OR d.b_state = 'lost' AND NOT d.was), false) AS through
        FROM both_days AS d
    ), way AS (
        SELECT t.*, CASE WHEN t.a_in THEN NULL WHEN NOT (t.b_in OR t.through) THEN NULL
                WHEN NOT t.was THEN 'new' WHEN t.a_state <> 'open' THEN 'reopened' WHEN t.a_category = 'omitted' THEN 'restored'
                WHEN t.a_close < lower(days) THEN 'slipped_in' ELSE 'pulled_in' END AS entry,
            CASE WHEN t.b_in THEN NULL WHEN NOT (t.a_in OR t.through) THEN NULL
                WHEN NOT t.is THEN 'removed' WHEN t.b_state = 'lost' THEN 'lost' WHEN t.won_here THEN 'won'
                WHEN t.b_state = 'open' AND t.b_category = 'omitted' THEN 'omitted'
                WHEN coalesce(t.closed_on, t.b_close) < lower(days) THEN 'pulled_out' ELSE 'slipped' END AS leaving,
            t.a_in AND t.is AND t.a_seat IS DISTINCT FROM t.b_seat AS moved
        FROM told AS t
    )
    SELECT w.source, w.key, w.name, CASE WHEN s.at_start THEN w.a_owner ELSE coalesce(w.b_owner, w.a_owner) END,
        CASE WHEN s.at_start OR NOT w.is THEN w.a_seat ELSE w.b_seat END, s.step, s.amount,
        w.a_amount, w.b_amount, w.a_close, w.b_close, w.a_category, w.b_category
    FROM way AS w
    CROSS JOIN LATERAL (VALUES
        ('opening', true, CASE WHEN w.a_in THEN w.a_amount END),
        ('owner_out', true, CASE WHEN w.moved THEN -w.a_amount END),
        ('owner_in', false, CASE WHEN w.moved THEN w.a_amount END),
        (w.entry, false, CASE WHEN w.entry IS NOT NULL THEN w.b_amount END),
        (CASE WHEN w.b_amount > w.a_amount THEN 'increased' ELSE 'decreased' END, false,
            CASE WHEN w.a_in AND (w.b_in OR w.leaving = 'won') THEN nullif(w.b_amount - w.a_amount, 0) END),
        (w.leaving, false, CASE WHEN w.leaving = 'won' OR w.through THEN -w.b_amount WHEN w.leaving IS NOT NULL THEN -w.a_amount END),
        ('closing', false, CASE WHEN w.b_in THEN w.b_amount END)
    ) AS s (step, at_start, amount)
    WHERE s.amount IS NOT NULL;
END
$$;
COMMENT ON FUNCTION spm._movement(date, date, int, daterange) IS 'The steps of every deal from one day to another; the columns are explained at spm.pipeline_movement().';
REVOKE ALL ON FUNCTION spm._movement(date, date, int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_days(since date, until date)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF since IS NULL OR until IS NULL OR since >= until THEN
        RAISE EXCEPTION 'until must be after since' USING ERRCODE = '22023',
            DETAIL = format('since is %s, until is %s.', coalesce(since::text, 'NULL'), coalesce(until::text, 'NULL')),
            HINT = 'The pipeline at the end of since is compared with that at the end of until.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_days(date, date) IS 'Error 22023 unless until is after since.';
REVOKE ALL ON FUNCTION spm._check_days(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.pipeline_movement(since date, until date DEFAULT current_date, period text DEFAULT NULL, "position" text DEFAULT NULL,
    forecast_type text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (step text, source text, key text, name text, owner_key text, position_id int, amount numeric,
        from_amount numeric, to_amount numeric, from_close_date date, to_close_date date, from_category text, to_category text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    top int := CASE WHEN "position" IS NOT NULL THEN spm._position_id("position") END;
    days daterange := CASE WHEN period IS NOT NULL THEN (SELECT p.span FROM spm.period AS p WHERE p.period_id = spm._period_id(pipeline_movement.period, pipeline_movement.calendar)) END;
BEGIN
    PERFORM spm._check_days(since, until);
    RETURN QUERY
    SELECT m.step, m.source, m.key, m.name, m.owner_key, m.position_id, m.amount, m.from_amount, m.to_amount, m.from_close_date, m.to_close_date, m.from_category, m.to_category
    FROM spm._movement(pipeline_movement.since, pipeline_movement.until, spm._forecast_type_id(pipeline_movement.forecast_type), days) AS m
    WHERE top IS NULL OR m.position_id = top OR m.position_id IN (
        SELECT x.position_id FROM spm.position_path AS x WHERE x.ancestor_position_id = top AND x.span @> pipeline_movement.until)
    ORDER BY spm._waterfall_order(m.step), m.source COLLATE "C", m.key COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.pipeline_movement(date, date, text, text, text, text) IS
'One row per deal and step by which the open pipeline at the end of one day became that of another: the deals behind spm.pipeline_waterfall(). Over any of them opening and the steps between add up to closing. Omitted deals are no part of it.
since, until: the days; period: only deals that are to close in it, NULL for all; position: only the seat and those below it; forecast_type, calendar: if there are several.
step: opening, new, reopened, restored (no longer omitted), pulled_in and slipped_in (the close date came into the period, from later and from earlier), owner_in, increased, decreased, owner_out, omitted, slipped and pulled_out (the close date left the period, to later and to earlier), removed (gone from the CRM), lost, won, closing. A deal that was won counts with what it was won at. amount: with its sign, in the currency of the forecast type, both days at the exchange rates of until. position_id: seat that its owner then or now holds on until; of what was won by who has left, the one held when it was won. from_ and to_: as it was and is.
Errors: 22023 when until is not after since, for several currencies without one to report in, or a rate that is missing; 42704 unknown period, position, type or calendar.
Example: SELECT key, name, amount, from_close_date, to_close_date FROM spm.pipeline_movement(''2026-04-01'', ''2026-05-01'', ''2026-Q2'') WHERE step = ''slipped'';';

CREATE OR REPLACE FUNCTION spm.pipeline_waterfall(since date, until date DEFAULT current_date, period text DEFAULT NULL, "position" text DEFAULT NULL,
    forecast_type text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (step_order int, step text, deal_count bigint, amount numeric, running_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH step AS (
        SELECT m.step, count(*) AS n, sum(m.amount) AS amount
        FROM spm.pipeline_movement(pipeline_waterfall.since, pipeline_waterfall.until, pipeline_waterfall.period, pipeline_waterfall."position",
            pipeline_waterfall.forecast_type, pipeline_waterfall.calendar) AS m
        GROUP BY m.step
        UNION ALL
        SELECT e.step, 0, 0 FROM (VALUES ('opening'), ('closing')) AS e (step)
    ), summed AS (
        SELECT spm._waterfall_order(s.step) AS place, s.step, sum(s.n)::bigint AS n, sum(s.amount) AS amount
        FROM step AS s
        GROUP BY s.step
    )
    SELECT s.place, s.step, s.n, s.amount, sum(s.amount) FILTER (WHERE s.step <> 'closing') OVER (ORDER BY s.place)
    FROM summed AS s
    ORDER BY s.place;
END
$$;
COMMENT ON FUNCTION spm.pipeline_waterfall(date, date, text, text, text, text) IS
'How the open pipeline at the end of one day became that of another: a row per step that occurred, in order. The arguments and steps are those of spm.pipeline_movement().
step_order: from 1, opening, to 17, closing; gaps where a step did not occur. deal_count; amount: with its sign. running_amount: opening and all steps until here; at closing it is the amount of closing, which is worked out from the deals of until alone.
Errors: those of spm.pipeline_movement().
Example: SELECT step, deal_count, amount, running_amount FROM spm.pipeline_waterfall(''2026-04-01'', ''2026-05-01'', ''2026-Q2'');';
