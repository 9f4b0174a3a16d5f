/*
 * forecast/functions_snapshot.sql: keeping the pipeline, for CRMs that keep no history.
 */

CREATE OR REPLACE FUNCTION spm._check_snapshot(as_of date)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wrong record;
BEGIN
    IF as_of IS NULL OR as_of > current_date OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'a snapshot cannot be of %', coalesce(as_of::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'It keeps what the CRM says now: leave as_of out, or give the day whose end that was.';
    END IF;
    SELECT max(s.as_of) AS last INTO wrong FROM spm.pipeline_snapshot AS s;
    IF wrong.last > as_of THEN
        RAISE EXCEPTION 'there is a later snapshot, of %', wrong.last
            USING ERRCODE = '22023', DETAIL = format('The new one would be of %s.', as_of), HINT = 'What was kept is not rewritten; snapshots follow each other.';
    END IF;
    IF to_regclass('spm.opportunity') IS NULL THEN
        RAISE EXCEPTION 'no opportunities are mapped' USING ERRCODE = '55000', HINT = 'Map them first: SELECT spm.map_opportunities(...);';
    END IF;
    -- A source that cannot be read, or is being loaded, would make all of its deals look deleted.
    SELECT p.* INTO wrong FROM spm._pipeline_problem() AS p WHERE NOT p.is_history ORDER BY p.source_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'opportunities "%" cannot be read: %', wrong.source, wrong.problem
            USING ERRCODE = wrong.code, HINT = format('Map them as they are now: SELECT spm.map_opportunities(%L, ...); or leave them: SELECT spm.unmap_opportunities(%L);',
                wrong.source, wrong.source);
    END IF;
    SELECT s.name INTO wrong
    FROM spm.opportunity_source AS s
    WHERE s.is_mapped AND EXISTS (SELECT FROM spm.opportunity_record AS r
            WHERE r.opportunity_source_id = s.opportunity_source_id AND upper_inf(r.span) AND NOT r.is_gone AND r.is_won IS NULL)
        AND NOT EXISTS (SELECT FROM spm.opportunity AS o WHERE o.opportunity_source_id = s.opportunity_source_id)
    ORDER BY s.opportunity_source_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'opportunities "%" are empty, and had open deals', wrong.name
            USING ERRCODE = '55000', HINT = format('Is the relation being loaded? If it is no longer used: SELECT spm.unmap_opportunities(%L);', wrong.name);
    END IF;
    SELECT o.source_name, o.opportunity_key INTO wrong
    FROM spm.opportunity AS o
    WHERE o.opportunity_key IS NOT NULL
    GROUP BY o.source_name, o.opportunity_key HAVING count(*) > 1
    ORDER BY o.source_name COLLATE "C", o.opportunity_key COLLATE "C"
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'opportunity "%" is in "%" more than once', wrong.opportunity_key, wrong.source_name
            USING ERRCODE = '23505', HINT = 'Map a view, or a filter, that leaves one row per deal.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_snapshot(date) IS 'Refuses a snapshot that would be wrong; the errors are those of spm.take_snapshot().';
REVOKE ALL ON FUNCTION spm._check_snapshot(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.take_snapshot(name text DEFAULT NULL, as_of date DEFAULT current_date)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    before date;
    this_id int;
    opened bigint;
    appeared bigint;
    differed bigint;
    vanished bigint;
BEGIN
    LOCK TABLE spm.pipeline_snapshot IN SHARE ROW EXCLUSIVE MODE;
    PERFORM spm._check_snapshot(as_of);
    PERFORM spm.load_sales_stages(s.name) FROM spm.opportunity_source AS s WHERE s.is_mapped;
    -- taken again on its day, it takes the place of itself
    DELETE FROM spm.opportunity_record AS r WHERE lower(r.span) = take_snapshot.as_of;
    UPDATE spm.opportunity_record AS r SET span = daterange(lower(r.span), NULL) WHERE upper(r.span) = take_snapshot.as_of;
    SELECT max(s.as_of) INTO before FROM spm.pipeline_snapshot AS s WHERE s.as_of < take_snapshot.as_of;

    CREATE TEMP TABLE spm_seen (LIKE spm.opportunity_record) ON COMMIT DROP;
    INSERT INTO pg_temp.spm_seen (opportunity_record_id, opportunity_source_id, opportunity_key, span, is_gone, name, account_key, owner_key, stage, amount,
        currency_code, created_on, close_date, closed_on, is_won, category, segment, entered_on, list_amount)
    SELECT coalesce(r.opportunity_record_id, -1), o.opportunity_source_id, o.opportunity_key, daterange(take_snapshot.as_of, NULL), false, o.name, o.account_key,
        o.owner_key, o.stage, o.amount, o.currency_code, o.created_on, o.close_date, o.closed_on, o.is_won, o.category, o.segment,
        -- Without a word from the CRM: since it was seen there first; a new deal since it was opened.
        least(coalesce(o.entered_on, CASE WHEN r.stage = o.stage THEN r.entered_on
            WHEN o.closed_on > coalesce(before, '-infinity') THEN o.closed_on
            WHEN r.opportunity_key IS NULL THEN coalesce(o.closed_on, o.created_on) END, take_snapshot.as_of), take_snapshot.as_of), o.list_amount
    FROM spm.opportunity AS o
    LEFT JOIN spm.opportunity_record AS r ON r.opportunity_source_id = o.opportunity_source_id AND r.opportunity_key = o.opportunity_key AND upper_inf(r.span)
    WHERE o.opportunity_key IS NOT NULL AND coalesce(o.created_on <= take_snapshot.as_of, true);
    SELECT count(*) FILTER (WHERE s.is_won IS NULL), count(*) FILTER (WHERE s.opportunity_record_id = -1) INTO opened, appeared FROM pg_temp.spm_seen AS s;

    -- what is as it was is not written again
    DELETE FROM pg_temp.spm_seen AS s USING spm.opportunity_record AS r
    WHERE r.opportunity_record_id = s.opportunity_record_id
        AND (r.is_gone, r.name, r.account_key, r.owner_key, r.stage, r.amount, r.currency_code, r.created_on, r.close_date, r.closed_on, r.is_won,
            r.category, r.segment, r.entered_on, r.list_amount)
        IS NOT DISTINCT FROM (s.is_gone, s.name, s.account_key, s.owner_key, s.stage, s.amount, s.currency_code, s.created_on, s.close_date, s.closed_on, s.is_won,
            s.category, s.segment, s.entered_on, s.list_amount);
    SELECT count(*) FILTER (WHERE s.opportunity_record_id <> -1) INTO differed FROM pg_temp.spm_seen AS s;
    INSERT INTO pg_temp.spm_seen
    SELECT r.opportunity_record_id, r.opportunity_source_id, r.opportunity_key, daterange(take_snapshot.as_of, NULL), true, r.name, r.account_key, r.owner_key, r.stage,
        r.amount, r.currency_code, r.created_on, r.close_date, r.closed_on, r.is_won, r.category, r.segment, r.entered_on, r.list_amount
    FROM spm.opportunity_record AS r
    WHERE upper_inf(r.span) AND NOT r.is_gone
        AND NOT EXISTS (SELECT FROM spm.opportunity AS o
            WHERE o.opportunity_source_id = r.opportunity_source_id AND o.opportunity_key = r.opportunity_key);
    GET DIAGNOSTICS vanished = ROW_COUNT;
    UPDATE spm.opportunity_record AS r SET span = daterange(lower(r.span), take_snapshot.as_of)
    FROM pg_temp.spm_seen AS s WHERE s.opportunity_record_id = r.opportunity_record_id;
    INSERT INTO spm.opportunity_record (opportunity_source_id, opportunity_key, span, is_gone, name, account_key, owner_key, stage, amount, currency_code,
        created_on, close_date, closed_on, is_won, category, segment, entered_on, list_amount)
    SELECT s.opportunity_source_id, s.opportunity_key, s.span, s.is_gone, s.name, s.account_key, s.owner_key, s.stage, s.amount, s.currency_code,
        s.created_on, s.close_date, s.closed_on, s.is_won, s.category, s.segment, s.entered_on, s.list_amount
    FROM pg_temp.spm_seen AS s
    ORDER BY s.opportunity_source_id, s.opportunity_key COLLATE "C";
    DROP TABLE pg_temp.spm_seen;

    INSERT INTO spm.pipeline_snapshot AS s (as_of, name, open_count, new_count, changed_count, gone_count)
    VALUES (take_snapshot.as_of, take_snapshot.name, opened, appeared, differed, vanished)
    ON CONFLICT (as_of) DO UPDATE SET name = coalesce(EXCLUDED.name, s.name), taken_at = EXCLUDED.taken_at, taken_by = EXCLUDED.taken_by,
        open_count = EXCLUDED.open_count, new_count = EXCLUDED.new_count, changed_count = EXCLUDED.changed_count, gone_count = EXCLUDED.gone_count
    RETURNING pipeline_snapshot_id INTO this_id;
    RETURN this_id;
END
$$;
COMMENT ON FUNCTION spm.take_snapshot(text, date) IS
'Keeps the pipeline as the mapped sources have it now, and returns the pipeline_snapshot_id. Only deals that have changed since the snapshot before take a row. Taken again on the same day it replaces itself. Once there are snapshots, spm.pipeline_on() knows the days since, unless a history is mapped. Run it every night, after the CRM has been loaded.
name: for a snapshot that people will ask for, NULL for none. as_of: the day whose end it shows; for copies of a CRM kept before, load and take one after the other, in order.
Errors: 22023 for a day to come or before the last snapshot; 55000 when nothing is mapped, or a source that had open deals is empty; 42P01, 42703 when a source cannot be read; 23505 for a key that is there twice, or a name that is taken.
Example: SELECT cron.schedule(''spm snapshot'', ''55 23 * * *'', ''SELECT spm.take_snapshot()'');';
