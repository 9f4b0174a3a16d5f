/*
 * forecast/functions_pipeline_on.sql: the pipeline as it was known on a day, and how
 * long deals stay in their stages.  Nothing that became known later may be read.
 */

CREATE OR REPLACE FUNCTION spm._stage_entry(as_of date, keys text[] DEFAULT NULL)
    RETURNS TABLE (source_id int, key text, stage text, entered_on date, seen_on date, is_won boolean, is_closed boolean,
        left_on date, next_stage text, next_is_won boolean, next_is_closed boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF to_regclass('spm.opportunity_change') IS NULL THEN
        RETURN;
    END IF;
    -- Of changes at one moment the later stage is the last: a history may tell days only.
    RETURN QUERY
    WITH change AS (
        SELECT c.opportunity_source_id, c.opportunity_key, c.stage, c.changed_at, coalesce(g.stage_order, 0) AS stage_order,
            coalesce(g.is_won, false) AS is_won, coalesce(g.is_closed, false) AS is_closed,
            least(c.entered_on, c.changed_at::date) AS day,
            c.entered_on IS NOT NULL AND c.changed_at::date = f.day AS is_first_sight, lag(c.stage) OVER w AS last_stage
        FROM spm.opportunity_change AS c
        LEFT JOIN spm.sales_stage AS g ON g.opportunity_source_id = c.opportunity_source_id AND g.stage = c.stage
        LEFT JOIN (SELECT r.opportunity_source_id, min(lower(r.span)) AS day FROM spm.opportunity_record AS r GROUP BY r.opportunity_source_id) AS f
            ON f.opportunity_source_id = c.opportunity_source_id
        WHERE c.stage IS NOT NULL AND c.changed_at::date <= _stage_entry.as_of AND (_stage_entry.keys IS NULL OR c.opportunity_key = ANY (_stage_entry.keys))
        WINDOW w AS (PARTITION BY c.opportunity_source_id, c.opportunity_key ORDER BY c.changed_at, coalesce(g.stage_order, 0), c.stage COLLATE "C")
    ), entry AS (
        SELECT c.*, max(c.day) OVER (w ROWS UNBOUNDED PRECEDING) AS entered_on
        FROM change AS c
        WHERE c.stage IS DISTINCT FROM c.last_stage
        WINDOW w AS (PARTITION BY c.opportunity_source_id, c.opportunity_key ORDER BY c.changed_at, c.stage_order, c.stage COLLATE "C")
    )
    SELECT e.opportunity_source_id, e.opportunity_key, e.stage, e.entered_on,
        CASE WHEN e.is_first_sight THEN e.changed_at::date ELSE e.entered_on END, e.is_won, e.is_closed,
        lead(e.entered_on) OVER w, lead(e.stage) OVER w, lead(e.is_won) OVER w, lead(e.is_closed) OVER w
    FROM entry AS e
    WINDOW w AS (PARTITION BY e.opportunity_source_id, e.opportunity_key ORDER BY e.changed_at, e.stage_order, e.stage COLLATE "C");
END
$$;
COMMENT ON FUNCTION spm._stage_entry(date, text[]) IS
'One row per time that a deal came into a stage, from recorded changes until the end of a day, with the stage that followed until then.
seen_on: later than entered_on where the first snapshot found the deal in a stage that it had entered before. keys: of these deals; NULL: of all.';
REVOKE ALL ON FUNCTION spm._stage_entry(date, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pipeline_state(as_of date, owners text[] DEFAULT NULL, tells_history boolean DEFAULT true)
    RETURNS TABLE (source_id int, source text, key text, name text, account_key text, owner_key text, segment text, created_on date, currency_code text,
        stage text, spell_stage text, stage_since date, seen_on date, amount numeric, list_amount numeric, close_date date, closed_on date, state text, category text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    is_now boolean := as_of >= current_date;
    keys text[];
    is_read boolean;
BEGIN
    IF to_regclass('spm.opportunity') IS NULL OR as_of IS NULL THEN
        RETURN;
    END IF;
    IF owners IS NOT NULL THEN
        -- who has it, and who is known to have had it
        keys := ARRAY(SELECT o.opportunity_key FROM spm.opportunity AS o WHERE o.owner_key = ANY (_pipeline_state.owners)
            UNION SELECT c.opportunity_key FROM spm.opportunity_change AS c WHERE NOT is_now AND c.owner_key = ANY (_pipeline_state.owners)
            UNION SELECT r.opportunity_key FROM spm.opportunity_record AS r WHERE NOT is_now AND r.owner_key = ANY (_pipeline_state.owners));
    END IF;
    -- Of today the CRM tells all but when stages were entered, and that may be the only day of a closing.
    is_read := NOT is_now OR tells_history OR EXISTS (SELECT FROM spm.opportunity AS o
        WHERE o.is_won IS NOT NULL AND o.closed_on IS NULL AND (keys IS NULL OR o.opportunity_key = ANY (keys)));
    RETURN QUERY
    WITH deal AS (
        SELECT o.* FROM spm.opportunity AS o
        WHERE keys IS NULL OR o.opportunity_key = ANY (keys)
        UNION ALL
        -- what the CRM has deleted since was there all the same
        SELECT r.opportunity_source_id, s.name, r.opportunity_key, r.name, r.account_key, r.owner_key, r.stage, r.amount, r.currency_code, r.created_on,
            r.close_date, r.closed_on, r.is_won, r.category, r.segment, r.entered_on, r.list_amount
        FROM spm.opportunity_record AS r
        JOIN spm.opportunity_source AS s ON s.opportunity_source_id = r.opportunity_source_id AND s.is_mapped
        WHERE r.is_gone AND upper_inf(r.span) AND lower(r.span) > _pipeline_state.as_of
            AND (keys IS NULL OR r.opportunity_key = ANY (keys))
            AND NOT EXISTS (SELECT FROM spm.opportunity AS o
                WHERE o.opportunity_source_id = r.opportunity_source_id AND o.opportunity_key = r.opportunity_key)
    ), entry AS MATERIALIZED (
        SELECT e.* FROM spm._stage_entry(_pipeline_state.as_of, keys) AS e WHERE is_read AND e.left_on IS NULL
    ), change AS (
        SELECT c.opportunity_source_id, c.opportunity_key, g.is_closed, c.amount, c.close_date, c.owner_key, c.category, c.changed_at::date <= _pipeline_state.as_of AS is_known,
            row_number() OVER (PARTITION BY c.opportunity_source_id, c.opportunity_key ORDER BY c.changed_at, coalesce(g.stage_order, 0), c.amount, c.close_date,
                c.owner_key COLLATE "C", c.category COLLATE "C") AS place
        FROM spm.opportunity_change AS c
        LEFT JOIN spm.sales_stage AS g ON g.opportunity_source_id = c.opportunity_source_id AND g.stage = c.stage
        WHERE NOT is_now AND (keys IS NULL OR c.opportunity_key = ANY (keys))
    ), known AS MATERIALIZED (
        -- the last value that was recorded: the greatest pair of place and value, which takes no sort for each
        SELECT c.opportunity_source_id, c.opportunity_key, coalesce(bool_or(c.is_closed), false) AS tells_closing, coalesce(bool_or(c.is_known), false) AS is_known,
            (max(ARRAY[c.place, c.amount]) FILTER (WHERE c.is_known AND c.amount IS NOT NULL))[2] AS amount,
            date '2000-01-01' + (max(ARRAY[c.place, c.close_date - date '2000-01-01']) FILTER (WHERE c.is_known AND c.close_date IS NOT NULL))[2]::int AS close_date,
            (max(ARRAY[lpad(c.place::text, 10, '0'), c.owner_key]) FILTER (WHERE c.is_known AND c.owner_key IS NOT NULL))[2] AS owner_key,
            (max(ARRAY[lpad(c.place::text, 10, '0'), c.category]) FILTER (WHERE c.is_known AND c.category IS NOT NULL))[2] AS category
        FROM change AS c
        GROUP BY c.opportunity_source_id, c.opportunity_key
    ), told AS (
        SELECT o.*, e.stage AS entered_stage, e.entered_on AS stage_since, e.seen_on, e.is_closed AS entered_closed, e.is_won AS entered_won,
            k.amount AS known_amount, k.close_date AS known_close_date, k.owner_key AS known_owner, k.category AS known_category,
            -- a closing that the history tells is known when the history tells it, any other on its day
            CASE WHEN is_now THEN o.is_won
                WHEN e.is_closed THEN e.is_won
                WHEN NOT coalesce(k.tells_closing, false) AND o.closed_on <= _pipeline_state.as_of THEN o.is_won END AS won_then
        FROM deal AS o
        LEFT JOIN entry AS e ON e.source_id = o.opportunity_source_id AND e.key = o.opportunity_key
        LEFT JOIN known AS k ON k.opportunity_source_id = o.opportunity_source_id AND k.opportunity_key = o.opportunity_key
        WHERE is_now OR o.created_on <= _pipeline_state.as_of OR k.is_known
    )
    SELECT t.opportunity_source_id, t.source_name, t.opportunity_key, t.name, t.account_key,
        CASE WHEN is_now THEN t.owner_key ELSE coalesce(t.known_owner, t.owner_key) END, t.segment,
        coalesce(t.created_on, t.stage_since), t.currency_code,
        CASE WHEN is_now THEN t.stage WHEN t.won_then IS NULL OR t.entered_closed THEN coalesce(t.entered_stage, 'open') ELSE t.stage END,
        CASE WHEN t.won_then IS NULL AND NOT t.entered_closed THEN t.entered_stage WHEN t.won_then IS NULL THEN 'open' END,
        CASE WHEN is_now AND t.stage IS DISTINCT FROM t.entered_stage THEN coalesce(t.entered_on, t.closed_on, t.created_on)
            WHEN t.won_then IS NOT NULL AND NOT coalesce(t.entered_closed, false) THEN t.closed_on
            ELSE coalesce(t.stage_since, t.created_on) END,
        t.seen_on,
        CASE WHEN is_now THEN coalesce(t.amount, CASE WHEN t.is_won IS NULL THEN t.list_amount END)
            WHEN t.won_then IS NOT NULL THEN coalesce(t.known_amount, t.amount)
            ELSE coalesce(t.known_amount, t.list_amount) END,
        t.list_amount,
        CASE WHEN is_now THEN t.close_date WHEN t.won_then IS NOT NULL THEN coalesce(t.closed_on, t.known_close_date, t.stage_since) ELSE t.known_close_date END,
        CASE WHEN t.won_then IS NOT NULL THEN coalesce(CASE WHEN t.is_won IS NOT NULL THEN t.closed_on END, t.stage_since) END,
        CASE WHEN t.won_then THEN 'won' WHEN NOT t.won_then THEN 'lost' ELSE 'open' END,
        CASE WHEN t.won_then THEN 'closed' WHEN NOT t.won_then THEN 'omitted' WHEN is_now THEN t.category
            ELSE coalesce(nullif(t.known_category, 'closed'), nullif(g.category, 'closed'), 'pipeline') END
    FROM told AS t
    LEFT JOIN spm.sales_stage AS g ON g.opportunity_source_id = t.opportunity_source_id AND g.stage = t.entered_stage AND NOT g.is_closed;
END
$$;
COMMENT ON FUNCTION spm._pipeline_state(date, text[], boolean) IS
'One row per deal that was known at the end of a day, as it was known then; the columns are explained at spm.pipeline_on().
owners: all deals that were theirs then are there, and some others; NULL: all. tells_history: false leaves out, of today, when the stage was entered, and created_on where only that tells it; which is most of the work.';
REVOKE ALL ON FUNCTION spm._pipeline_state(date, text[], boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._owner_seat(day date)
    RETURNS TABLE (owner_key text, position_id int)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT y.payee_key, a.position_id
        FROM spm.payee AS y
        JOIN spm.position_assignment AS a ON a.payee_id = y.payee_id AND a.is_primary AND a.span @> day
        UNION ALL
        SELECT s.position_key, s.position_id FROM spm.position AS s
        WHERE NOT EXISTS (SELECT FROM spm.payee AS y WHERE y.payee_key = s.position_key);
    END;
COMMENT ON FUNCTION spm._owner_seat(date) IS 'Seat that the deals of an owner belong to on a day: the primary one of the payee of that key, or the seat of that key.';
REVOKE ALL ON FUNCTION spm._owner_seat(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.pipeline_on(as_of date DEFAULT current_date)
    RETURNS TABLE (source text, key text, owner_key text, position_id int, account_key text, segment text, stage text, stage_since date,
        created_on date, amount numeric, close_date date, state text, category text, closed_on date, currency_code text, name text, spell_stage text,
        list_amount numeric, opportunity_source_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.source, p.key, p.owner_key, s.position_id, p.account_key, p.segment, p.stage, p.stage_since, p.created_on, p.amount, p.close_date,
        p.state, p.category, p.closed_on, p.currency_code, p.name, p.spell_stage, p.list_amount, p.source_id
    FROM spm._pipeline_state(pipeline_on.as_of) AS p
    LEFT JOIN spm._owner_seat(pipeline_on.as_of) AS s ON s.owner_key = p.owner_key;
END
$$;
COMMENT ON FUNCTION spm.pipeline_on(date) IS
'One row per deal that was known at the end of a day, open or closed, as it was known then. Today and later: as the CRM has it now. Before: from the mapped history, or else from snapshots; where neither tells, an open deal is in stage open, without close date, and its amount is the list_amount, or NULL. A deal that closed later is open.
source, key: which deal. owner_key: as it was then, if recorded. position_id: seat of the owner on that day, NULL for none. stage_since: day on which it came into its stage. amount: in its currency_code. close_date: expected, or when it closed. state: open, won or lost. category: omitted, pipeline, best_case, most_likely, commit, closed. closed_on: NULL for open. spell_stage: the stage under which spm.stage_spell() tells of an open deal; NULL for a closed one.
No row where nothing is mapped, or for NULL.
Example: SELECT stage, count(*), sum(amount) FROM spm.pipeline_on(''2026-03-31'') WHERE state = ''open'' GROUP BY stage;';

CREATE OR REPLACE FUNCTION spm.stage_spell(as_of date DEFAULT current_date)
    RETURNS TABLE (source text, key text, owner_key text, segment text, amount numeric, stage text, entered_on date, left_on date, outcome text,
        next_stage text, seen_on date, created_on date, opportunity_source_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF stage_spell.as_of IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH deal AS MATERIALIZED (
        SELECT p.* FROM spm._pipeline_state(stage_spell.as_of) AS p
    ), entry AS MATERIALIZED (
        SELECT e.* FROM spm._stage_entry(stage_spell.as_of) AS e
    ), first AS (
        SELECT DISTINCT ON (e.source_id, e.key) e.source_id, e.key, e.stage, e.entered_on, e.is_won, e.is_closed
        FROM entry AS e
        ORDER BY e.source_id, e.key, e.entered_on, e.left_on NULLS LAST
    ), spell AS (
        SELECT e.source_id, e.key, e.stage, e.entered_on, e.seen_on, e.left_on, e.next_stage, e.next_is_won, e.next_is_closed
        FROM entry AS e
        WHERE NOT e.is_closed
        UNION ALL
        -- from the day it was opened to the first stage that anybody wrote down, or all the way;
        -- what was closed when it was first heard of was open before, if only for a moment
        SELECT d.source_id, d.key, 'open', least(d.created_on, f.entered_on), least(d.created_on, f.entered_on), f.entered_on, f.stage, f.is_won, f.is_closed
        FROM deal AS d
        LEFT JOIN first AS f ON f.source_id = d.source_id AND f.key = d.key
        WHERE d.created_on < f.entered_on OR f.is_closed OR f.key IS NULL AND d.created_on IS NOT NULL
    )
    SELECT d.source, d.key, d.owner_key, d.segment, d.amount, s.stage, s.entered_on, x.left_on,
        CASE WHEN s.left_on IS NULL THEN d.state WHEN s.next_is_won THEN 'won' WHEN s.next_is_closed THEN 'lost' ELSE 'moved' END,
        CASE WHEN s.left_on IS NULL AND d.state = 'open' THEN NULL ELSE coalesce(s.next_stage, d.stage) END,
        least(s.seen_on, x.left_on), d.created_on, d.source_id
    FROM spell AS s
    JOIN deal AS d ON d.source_id = s.source_id AND d.key = s.key
    CROSS JOIN LATERAL (SELECT coalesce(s.left_on, CASE WHEN d.state <> 'open' THEN greatest(d.closed_on, s.entered_on) END)) AS x (left_on);
END
$$;
COMMENT ON FUNCTION spm.stage_spell(date) IS
'One row per deal and stay in an open stage, with what was known at the end of a day: what chances of winning are estimated from. Closed stages have no row. A deal without history has one spell, stage open, from the day it was opened to that on which it closed; so has one whose history begins later, or with its closing, until then.
source, key: which deal; owner_key, segment, amount: of the deal, as known that day. entered_on; left_on: NULL, still there. outcome: won, lost, moved or open. next_stage: NULL while it is there. seen_on: from that day on the spell was observed; later than entered_on where the first snapshot found it in a stage that it had entered before: who is there is known only from then. created_on: day on which the deal was opened.
Example: SELECT stage, outcome, count(*), avg(left_on - entered_on) FROM spm.stage_spell() GROUP BY stage, outcome;';
