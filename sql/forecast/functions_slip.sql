/*
 * forecast/functions_slip.sql: how likely the close date of an open deal moves out
 * of the period, counted on deals of earlier days.
 */

CREATE OR REPLACE FUNCTION spm._slip_case(as_of date, until date)
    RETURNS TABLE (source_id int, key text, day date, part int, slip_count int, stage text, age_class int, is_slipped boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    horizon int;
BEGIN
    IF NOT coalesce(isfinite(as_of) AND isfinite(until) AND as_of < until, false) THEN
        RETURN;
    END IF;
    horizon := until - as_of;
    IF to_regclass('spm.opportunity_change') IS NULL
        OR NOT EXISTS (SELECT FROM spm.opportunity_change AS c WHERE c.close_date IS NOT NULL AND c.changed_at::date <= _slip_case.as_of) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH told AS (
        -- what a day ended with; today what the CRM says
        SELECT DISTINCT ON (c.opportunity_source_id, c.opportunity_key, c.day) c.*
        FROM (
            SELECT c.opportunity_source_id, c.opportunity_key, c.changed_at::date AS day, c.changed_at, c.close_date
            FROM spm.opportunity_change AS c
            WHERE c.close_date IS NOT NULL AND c.changed_at::date <= _slip_case.as_of
            UNION ALL
            SELECT o.opportunity_source_id, o.opportunity_key, _slip_case.as_of, 'infinity', o.close_date
            FROM spm.opportunity AS o
            WHERE _slip_case.as_of >= current_date AND o.is_won IS NULL AND o.close_date IS NOT NULL) AS c
        WHERE isfinite(c.close_date)
        ORDER BY c.opportunity_source_id, c.opportunity_key, c.day, c.changed_at DESC, c.close_date DESC
    ), step AS (
        SELECT t.*, lead(t.day) OVER w AS next_day, (t.close_date > lag(t.close_date) OVER w)::int AS slipped
        FROM told AS t
        WINDOW w AS (PARTITION BY t.opportunity_source_id, t.opportunity_key ORDER BY t.day)
    ), known AS MATERIALIZED (
        SELECT s.*, coalesce(sum(s.slipped) OVER (PARTITION BY s.opportunity_source_id, s.opportunity_key ORDER BY s.day), 0)::int AS slips FROM step AS s
    ), spell AS MATERIALIZED (
        SELECT s.* FROM spm.stage_spell(_slip_case.as_of) AS s
    ), origin AS (
        -- periods as long as this one that follow each other up to the day: what became of them is known
        SELECT _slip_case.as_of - n * horizon AS day FROM generate_series(0, least(24, greatest(730 / horizon, 1))) AS n
    ), risk AS MATERIALIZED (
        SELECT s.opportunity_source_id, s.key, o.day, s.stage, o.day - s.entered_on AS age, k.close_date, k.slips
        FROM spell AS s
        JOIN known AS k ON k.opportunity_source_id = s.opportunity_source_id AND k.opportunity_key = s.key
        JOIN origin AS o ON o.day >= s.entered_on AND (s.left_on IS NULL OR o.day < s.left_on)
            AND o.day >= k.day AND (k.next_day IS NULL OR o.day < k.next_day) AND k.close_date <= o.day + horizon
    ), slipped AS (
        SELECT r.opportunity_source_id, r.key, r.day
        FROM risk AS r
        JOIN known AS k ON k.opportunity_source_id = r.opportunity_source_id AND k.opportunity_key = r.key
            AND k.day <= r.day + horizon AND (k.next_day IS NULL OR k.next_day > r.day + horizon) AND k.close_date > r.day + horizon
        JOIN spell AS s ON s.opportunity_source_id = r.opportunity_source_id AND s.key = r.key
            AND s.entered_on <= r.day + horizon AND (s.left_on IS NULL OR s.left_on > r.day + horizon)
        WHERE r.day < _slip_case.as_of
    )
    SELECT r.opportunity_source_id, r.key, r.day, CASE WHEN r.close_date < r.day THEN 0 ELSE 1 + least(3 * (r.close_date - r.day) / horizon, 2) END,
        least(r.slips, 2), r.stage, width_bucket(r.age, ARRAY[30, 90]), CASE WHEN r.day < _slip_case.as_of THEN l.key IS NOT NULL END
    FROM risk AS r
    LEFT JOIN (SELECT DISTINCT x.* FROM slipped AS x) AS l ON l.opportunity_source_id = r.opportunity_source_id AND l.key = r.key AND l.day = r.day;
END
$$;
COMMENT ON FUNCTION spm._slip_case(date, date) IS
'Open deals with a close date in the period that follows a day, for as_of and for earlier days, one period apart. part: 0 overdue, 1 to 3 the third of the period; slip_count: times that the date had been moved to later, 2 for more; age_class: 0 below 30, 1 below 90 days in the stage, else 2; is_slipped: still open at the end of the period, with a close date after it; NULL for as_of.';
REVOKE ALL ON FUNCTION spm._slip_case(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._odds_slip(as_of date, until date)
    RETURNS TABLE (source_id int, key text, slip_probability numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    sources int[];
    keys text[];
    traits int[];               -- four for each case
    outcomes int[];             -- 1 slipped, 0 not; NULL: as_of
    cells int[];
    shares numeric[];
BEGIN
    SELECT array_agg(c.source_id ORDER BY c.nth), array_agg(c.key ORDER BY c.nth), array_agg(c.is_slipped::int ORDER BY c.nth), array_agg(0 ORDER BY c.nth),
        array_agg(c.share ORDER BY c.nth), array_agg(c.trait ORDER BY c.nth)
    INTO sources, keys, outcomes, cells, shares, traits
    FROM (
        SELECT c.*, row_number() OVER (ORDER BY c.day, c.source_id, c.key COLLATE "C", c.stage COLLATE "C") AS nth,
            ARRAY[c.part, c.slip_count, dense_rank() OVER (ORDER BY c.source_id, c.stage COLLATE "C")::int, c.age_class] AS trait,
            (count(*) FILTER (WHERE c.is_slipped) OVER () + 0.5) / (count(c.is_slipped) OVER () + 1) AS share
        FROM spm._slip_case(_odds_slip.as_of, _odds_slip.until) AS c) AS c;
    -- Each finer group is drawn to the one it is part of. rho: correlation within groups by moments, as far as they
    -- differ by more than chance and its standard error.
    FOR level IN 1 .. 4 LOOP
        WITH member AS (
            SELECT u.nth, u.outcome, u.share, dense_rank() OVER (ORDER BY u.cell, traits[u.nth][level])::int AS cell
            FROM unnest(outcomes, cells, shares) WITH ORDINALITY AS u (outcome, cell, share, nth)
        ), counted AS (
            SELECT m.*, count(m.outcome) OVER w AS n, coalesce(sum(m.outcome) OVER w, 0) AS slips FROM member AS m WINDOW w AS (PARTITION BY m.cell)
        ), moment AS (
            -- sums over groups, case by case
            SELECT sum((c.slips - c.n * c.share) ^ 2 / c.n) AS apart, sum(c.share * (1 - c.share)) AS chance,
                sqrt(sum(2 * c.n * (c.share * (1 - c.share)) ^ 2)) AS chance_error, nullif(sum((c.n - 1) * c.share * (1 - c.share)), 0) AS pairs
            FROM counted AS c WHERE c.outcome IS NOT NULL
        ), result AS (
            SELECT c.*, coalesce(greatest(0, least(0.9, (m.apart - m.chance - m.chance_error) / m.pairs)), 0) AS rho FROM counted AS c CROSS JOIN moment AS m
        )
        SELECT array_agg(r.cell ORDER BY r.nth), array_agg(round((r.rho * r.slips + (1 - r.rho) * r.share) / (r.rho * r.n + 1 - r.rho), 12) ORDER BY r.nth)
        INTO cells, shares
        FROM result AS r;
    END LOOP;
    RETURN QUERY
    SELECT u.source_id, u.key, u.share
    FROM unnest(sources, keys, outcomes, shares) AS u (source_id, key, slipped, share)
    WHERE u.slipped IS NULL AND u.source_id IN (SELECT o.source_id FROM unnest(sources, outcomes) AS o (source_id, slipped) WHERE o.slipped IS NOT NULL);
END
$$;
COMMENT ON FUNCTION spm._odds_slip(date, date) IS
'Of deals like each open one whose close date is not after until, the share that was still open at the end of a period as long, with a close date after it. Like: the same part of the period or overdue, slips before, stage and age, each group drawn to the one without the last trait (beta-binomial, empirical Bayes). No row without a history of close dates at least as long as the period.';
REVOKE ALL ON FUNCTION spm._odds_slip(date, date) FROM PUBLIC;
