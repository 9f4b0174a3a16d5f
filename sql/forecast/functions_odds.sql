/*
 * forecast/functions_odds.sql: odds of open deals, forecasts of the pipeline and of
 * attainment, and how such forecasts would have turned out.
 */

CREATE OR REPLACE FUNCTION spm._check_odds(as_of date, currency text)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    lacking text;
BEGIN
    IF to_regclass('spm.opportunity_change') IS NULL THEN
        RAISE EXCEPTION 'no opportunities are mapped' USING ERRCODE = '55000',
            HINT = 'Map them: SELECT spm.map_opportunities(''crm'', ''crm.deal'', key => ''id'', owner => ''owner_id'', stage => ''stage'', amount => ''amount'', created => ''created_at'', close_date => ''close_date'');';
    END IF;
    IF currency IS NULL THEN
        SELECT string_agg(DISTINCT p.currency_code, ', ') INTO lacking FROM spm.pipeline_on(_check_odds.as_of) AS p HAVING count(DISTINCT p.currency_code) > 1;
        IF lacking IS NOT NULL THEN
            RAISE EXCEPTION 'deals are in several currencies' USING ERRCODE = '22023', DETAIL = format('They are in %s.', lacking),
                HINT = 'Say in which to add them up: currency => ''USD''.';
        END IF;
    ELSE
        PERFORM spm._check_currency(currency);
        SELECT string_agg(DISTINCT p.currency_code, ', ') INTO lacking FROM spm.pipeline_on(_check_odds.as_of) AS p
        WHERE p.currency_code IS NOT NULL AND spm.exchange_rate_on(p.currency_code, _check_odds.currency, _check_odds.as_of) IS NULL;
        IF lacking IS NOT NULL THEN
            RAISE EXCEPTION 'there is no rate from % to % on %', lacking, currency, to_char(as_of, 'YYYY-MM-DD') USING ERRCODE = '22023',
                HINT = format('Set it: SELECT spm.set_exchange_rate(%L, %L, %L, 1.1);', lacking, currency, to_char(as_of, 'YYYY-MM-DD'));
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM spm.pipeline_on(_check_odds.as_of) AS p WHERE p.state = 'won') THEN
        RAISE EXCEPTION 'no deal has been won yet' USING ERRCODE = '55000', DETAIL = 'Odds are learned from deals that were won and lost by the day of the forecast.',
            HINT = format('SELECT state, count(*) FROM spm.pipeline_on(%L) GROUP BY state; tells what was known.', to_char(as_of, 'YYYY-MM-DD'));
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_odds(date, text) IS 'Error where the pipeline as of a day cannot be forecast: 55000 nothing mapped or won, 22023 currencies that do not add up.';
REVOKE ALL ON FUNCTION spm._check_odds(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._odds_spell(as_of date, currency text)
    RETURNS TABLE (spell_no int, deal_no int, source_id int, source text, key text, owner_key text, segment text, stage text, next_stage text,
        entered_on date, seen_on date, left_on date, outcome text, amount numeric, won_amount numeric, account_key text, position_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF to_regclass('spm.opportunity_change') IS NULL THEN
        PERFORM spm._check_odds(as_of, currency);
    END IF;
    RETURN QUERY
    WITH deal AS MATERIALIZED (
        SELECT p.*, r.rate
        FROM spm.pipeline_on(_odds_spell.as_of) AS p
        LEFT JOIN (SELECT c.currency_code, spm.exchange_rate_on(c.currency_code, _odds_spell.currency, _odds_spell.as_of) AS rate
            FROM spm.currency AS c) AS r ON r.currency_code = p.currency_code
    ), before AS (
        -- the last amount that was known before the day on which a deal was closed
        SELECT DISTINCT ON (c.opportunity_source_id, c.opportunity_key) c.opportunity_source_id, c.opportunity_key, c.amount
        FROM spm.opportunity_change AS c
        JOIN deal AS d ON d.opportunity_source_id = c.opportunity_source_id AND d.key = c.opportunity_key AND d.state <> 'open'
        WHERE c.amount IS NOT NULL AND c.changed_at < d.closed_on
        ORDER BY c.opportunity_source_id, c.opportunity_key, c.changed_at DESC, c.amount DESC
    )
    SELECT row_number() OVER w::int, dense_rank() OVER (ORDER BY s.opportunity_source_id, s.key COLLATE "C")::int,
        s.opportunity_source_id, s.source, s.key, coalesce(s.owner_key, ''), coalesce(s.segment, ''), s.stage, s.next_stage,
        s.entered_on, greatest(least(s.seen_on, s.left_on), s.entered_on), s.left_on, s.outcome,
        coalesce(d.rate, 1) * CASE WHEN d.state = 'open' THEN d.amount ELSE coalesce(b.amount, d.list_amount, nullif(d.amount, 0)) END,
        coalesce(d.rate, 1) * CASE WHEN s.outcome = 'won' THEN d.amount END, d.account_key, d.position_id
    FROM spm.stage_spell(_odds_spell.as_of) AS s
    JOIN deal AS d ON d.opportunity_source_id = s.opportunity_source_id AND d.key = s.key
    LEFT JOIN before AS b ON b.opportunity_source_id = s.opportunity_source_id AND b.opportunity_key = s.key
    WHERE isfinite(s.entered_on)
    WINDOW w AS (ORDER BY s.opportunity_source_id, s.key COLLATE "C", s.entered_on, s.left_on NULLS LAST, s.stage COLLATE "C")
    ORDER BY 1;
END
$$;
COMMENT ON FUNCTION spm._odds_spell(date, text) IS
'Spells of deals in stages as known at the end of a day, in the order in which odds are learned. amount: what a deal was known at while it was open; won_amount: what it was won at; both in the currency. account_key: of the deal; position_id: seat of its owner.';
REVOKE ALL ON FUNCTION spm._odds_spell(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._odds_close_date(as_of date)
    RETURNS TABLE (source_id int, key text, told_on date, close_date date)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF to_regclass('spm.opportunity_change') IS NULL THEN
        RETURN;
    END IF;
    -- what a day ended with; today what the CRM says
    RETURN QUERY
    SELECT DISTINCT ON (c.opportunity_source_id, c.opportunity_key, c.day) c.opportunity_source_id, c.opportunity_key, c.day, c.close_date
    FROM (
        SELECT c.opportunity_source_id, c.opportunity_key, c.changed_at::date AS day, c.changed_at, c.close_date
        FROM spm.opportunity_change AS c
        WHERE c.close_date IS NOT NULL AND c.changed_at::date <= _odds_close_date.as_of
        UNION ALL
        SELECT o.opportunity_source_id, o.opportunity_key, _odds_close_date.as_of, 'infinity', o.close_date
        FROM spm.opportunity AS o
        WHERE _odds_close_date.as_of >= current_date AND o.is_won IS NULL AND o.close_date IS NOT NULL) AS c
    WHERE isfinite(c.close_date) AND isfinite(c.day)
    ORDER BY c.opportunity_source_id, c.opportunity_key, c.day, c.changed_at DESC, c.close_date DESC;
END
$$;
COMMENT ON FUNCTION spm._odds_close_date(date) IS 'What the close date of each deal was from the end of told_on on, as far as it was recorded by the end of a day.';
REVOKE ALL ON FUNCTION spm._odds_close_date(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._odds_node(as_of date, owners text[], measure_id int, period_id int)
    RETURNS TABLE (node int, kind text, key text, position_id int, parent int, quota_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH owner AS (
        SELECT (o.nth - 1)::int AS node, o.key, s.position_id
        FROM unnest(_odds_node.owners) WITH ORDINALITY AS o (key, nth)
        LEFT JOIN LATERAL (
            SELECT a.position_id
            FROM spm.payee AS y
            JOIN spm.position_assignment AS a ON a.payee_id = y.payee_id AND a.is_primary AND a.span @> _odds_node.as_of
            WHERE y.payee_key = o.key
            UNION ALL
            SELECT p.position_id FROM spm.position AS p
            WHERE p.position_key = o.key AND NOT EXISTS (SELECT FROM spm.payee AS y WHERE y.payee_key = o.key)) AS s ON true
    ), seat AS (
        SELECT p.position_id, p.position_key,
            (SELECT count(*) FROM spm.position_path AS h WHERE h.position_id = p.position_id AND h.span @> _odds_node.as_of) AS depth
        FROM spm.position AS p
        WHERE p.position_id IN (SELECT o.position_id FROM owner AS o
            UNION SELECT h.ancestor_position_id FROM owner AS o JOIN spm.position_path AS h ON h.position_id = o.position_id AND h.span @> _odds_node.as_of)
    ), numbered AS (
        -- a seat comes after all below it
        SELECT s.*, (cardinality(_odds_node.owners) + row_number() OVER (ORDER BY s.depth DESC, s.position_key COLLATE "C") - 1)::int AS node FROM seat AS s
    ), last AS (
        SELECT (cardinality(_odds_node.owners) + count(*))::int AS node FROM seat AS s
    )
    SELECT o.node, 'owner', o.key, NULL::int, coalesce(n.node, l.node), NULL::numeric
    FROM owner AS o CROSS JOIN last AS l LEFT JOIN numbered AS n ON n.position_id = o.position_id
    UNION ALL
    SELECT n.node, 'seat', n.position_key, n.position_id, coalesce(m.node, l.node),
        CASE WHEN _odds_node.measure_id IS NOT NULL AND _odds_node.period_id IS NOT NULL
            THEN spm.quota_of(n.position_id, _odds_node.measure_id, _odds_node.period_id) END
    FROM numbered AS n
    CROSS JOIN last AS l
    LEFT JOIN spm.reporting_line AS r ON r.position_id = n.position_id AND r.span @> _odds_node.as_of
    LEFT JOIN numbered AS m ON m.position_id = r.manager_position_id
    UNION ALL
    SELECT l.node, 'total', '', NULL, -1, NULL FROM last AS l
    ORDER BY 1;
END
$$;
COMMENT ON FUNCTION spm._odds_node(date, text[], int, int) IS 'The tree up which odds are added: owners, then seats from below, then the total. node counts from 0; parent -1: none.';
REVOKE ALL ON FUNCTION spm._odds_node(date, text[], int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._odds_territory(as_of date, measure_id int, period_id int)
    RETURNS TABLE (territory_id int, territory_key text, parent_territory_id int, depth int, quota_amount numeric, single_position_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- of several active models the one that has territories on the day
    models int[] := ARRAY(SELECT m.territory_model_id FROM spm.territory_model AS m
        WHERE m.state = 'active' AND EXISTS (SELECT FROM spm.territory AS t
            WHERE t.territory_model_id = m.territory_model_id AND t.type = 'primary' AND t.span @> _odds_territory.as_of));
BEGIN
    IF cardinality(models) <> 1 THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE alive AS (
        SELECT t.* FROM spm.territory AS t
        WHERE t.territory_model_id = models[1] AND t.type = 'primary' AND t.span @> _odds_territory.as_of
    ), tree AS (
        SELECT t.territory_id, t.territory_key, NULL::int AS parent_id, 1 AS depth, ARRAY[t.territory_id] AS path
        FROM alive AS t
        WHERE NOT EXISTS (SELECT FROM alive AS p WHERE p.territory_id = t.parent_territory_id)
        UNION ALL
        SELECT t.territory_id, t.territory_key, t.parent_territory_id, p.depth + 1, p.path || t.territory_id
        FROM tree AS p JOIN alive AS t ON t.parent_territory_id = p.territory_id
    ), hold AS (
        SELECT h.position_id, h.share, t.territory_id, t.path
        FROM spm.territory_holder AS h JOIN tree AS t USING (territory_id)
        WHERE h.role = 'owner' AND h.span @> _odds_territory.as_of
    ), top AS (
        -- what a seat holds below another one of its own it holds for that
        SELECT h.position_id, h.share, h.territory_id, count(*) OVER (PARTITION BY h.position_id) AS held
        FROM hold AS h
        WHERE NOT EXISTS (SELECT FROM hold AS o WHERE o.position_id = h.position_id AND o.territory_id <> h.territory_id AND o.territory_id = ANY (h.path))
    ), own AS (
        SELECT h.territory_id, sum(q.amount / h.held) / sum(h.share) AS amount
        FROM top AS h
        CROSS JOIN LATERAL (SELECT spm.quota_of(h.position_id, _odds_territory.measure_id, _odds_territory.period_id) AS amount) AS q
        WHERE _odds_territory.measure_id IS NOT NULL AND _odds_territory.period_id IS NOT NULL AND q.amount IS NOT NULL
        GROUP BY h.territory_id
    ), counted AS (
        -- the quota of whoever holds a territory is for all below it, as that of a seat
        SELECT p.territory_id, sum(w.amount) AS amount
        FROM own AS w
        JOIN tree AS t ON t.territory_id = w.territory_id
        CROSS JOIN LATERAL (SELECT coalesce(max(u.nth), 0) AS nth FROM unnest(t.path) WITH ORDINALITY AS u (territory_id, nth)
            WHERE u.territory_id <> t.territory_id AND u.territory_id IN (SELECT o.territory_id FROM own AS o)) AS nearest
        CROSS JOIN LATERAL unnest(t.path) WITH ORDINALITY AS p (territory_id, nth)
        WHERE p.nth > nearest.nth
        GROUP BY p.territory_id
    ), single AS (
        SELECT min(h.territory_id) AS territory_id, h.position_id FROM hold AS h GROUP BY h.position_id HAVING count(*) = 1
    )
    SELECT t.territory_id, t.territory_key, t.parent_id, t.depth, round(c.amount, 2), NULL::int
    FROM tree AS t LEFT JOIN counted AS c ON c.territory_id = t.territory_id
    UNION ALL
    SELECT s.territory_id, NULL, NULL, NULL, NULL, s.position_id FROM single AS s;
END
$$;
COMMENT ON FUNCTION spm._odds_territory(date, int, int) IS
'Primary territories of the one active model on a day, with their quota; and a row with single_position_id for each seat that holds exactly one of them. No row where no model is active, or several are.
Quota: that of its owners divided by their shares of the credit added up; where no owner has one, the sum of those right below. A seat that holds several territories, none below another, has an even part of its quota in each.';
REVOKE ALL ON FUNCTION spm._odds_territory(date, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._odds_row(as_of date, until date, since date, currency text, measure_id int, period_id int, paths int, seed bigint, shock numeric)
    RETURNS TABLE (kind text, source_id int, source text, key text, owner_key text, segment text, stage text, age_days int, amount numeric,
        position_id int, won_amount numeric, quota_amount numeric, numbers numeric[], territory_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    -- compiling takes seconds, running milliseconds
    SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    IF as_of IS NULL OR until IS NULL OR NOT isfinite(as_of) OR NOT isfinite(until) OR until <= as_of THEN
        RAISE EXCEPTION 'a forecast must end after the day as of which it is made' USING ERRCODE = '22023',
            DETAIL = format('It is as of %s, until %s.', coalesce(to_char(as_of, 'YYYY-MM-DD'), 'NULL'), coalesce(to_char(until, 'YYYY-MM-DD'), 'NULL')),
            HINT = 'until is the last day of the month or quarter that is forecast.';
    ELSIF until - as_of > 1100 THEN
        RAISE EXCEPTION 'a forecast of deals must be for 1 to 1100 days' USING ERRCODE = '22023', DETAIL = format('It is for %s.', until - as_of),
            HINT = 'until is the last day of the month or quarter that is forecast.';
    ELSIF paths < 100 OR paths > 1000000 THEN
        RAISE EXCEPTION 'paths must be from 100 to 1000000' USING ERRCODE = '22023', HINT = '10000 is enough for most.';
    ELSIF shock < 0 OR shock > 2 THEN
        RAISE EXCEPTION 'shock must be from 0 to 2' USING ERRCODE = '22023', HINT = '0.15: the total goes up and down by 15% for reasons that all deals share.';
    END IF;
    PERFORM spm._check_odds(as_of, currency);
    RETURN QUERY
    WITH territory AS MATERIALIZED (
        SELECT t.* FROM spm._odds_territory(_odds_row.as_of, _odds_row.measure_id, _odds_row.period_id) AS t WHERE _odds_row.paths IS NOT NULL
    ), spell AS MATERIALIZED (
        SELECT s.*, CASE WHEN s.account_key IS NULL THEN h.territory_id ELSE t.territory_id END AS territory_id, dense_rank() OVER (ORDER BY s.segment COLLATE "C")::int - 1 AS segment_no,
            dense_rank() OVER (ORDER BY s.owner_key COLLATE "C")::int - 1 AS owner_no,
            dense_rank() OVER (ORDER BY s.source_id, s.stage COLLATE "C")::int - 1 AS stage_no
        FROM spm._odds_spell(_odds_row.as_of, _odds_row.currency) AS s
        LEFT JOIN territory AS h ON h.single_position_id = s.position_id
        LEFT JOIN (SELECT a.account_key, a.territory_id FROM spm.territory_assignment AS a
            WHERE a.type = 'primary' AND a.span @> _odds_row.as_of
                AND a.territory_id IN (SELECT y.territory_id FROM territory AS y WHERE y.territory_key IS NOT NULL)) AS t ON t.account_key = s.account_key
    ), stage AS (
        SELECT DISTINCT s.source_id, s.stage, s.stage_no FROM spell AS s
    ), owner AS (
        SELECT array_agg(o.owner_key ORDER BY o.owner_no) AS keys FROM (SELECT DISTINCT s.owner_key, s.owner_no FROM spell AS s) AS o
    ), won AS (
        SELECT s.owner_key, s.territory_id, s.won_amount AS amount FROM spell AS s
        WHERE s.outcome = 'won' AND s.left_on BETWEEN _odds_row.since AND _odds_row.as_of
    ), seat AS MATERIALIZED (
        SELECT n.*, coalesce(w.amount, 0) AS own_won
        FROM owner AS o CROSS JOIN LATERAL spm._odds_node(_odds_row.as_of, o.keys, _odds_row.measure_id, _odds_row.period_id) AS n
        LEFT JOIN (SELECT w.owner_key, sum(w.amount) AS amount FROM won AS w GROUP BY w.owner_key) AS w ON n.kind = 'owner' AND w.owner_key = n.key
        WHERE _odds_row.paths IS NOT NULL
    ), used AS (
        -- territories with deals or a quota, and those above them
        WITH RECURSIVE up AS (
            SELECT t.territory_id, t.parent_territory_id FROM territory AS t
            WHERE t.territory_key IS NOT NULL AND (t.quota_amount IS NOT NULL OR t.territory_id IN (SELECT s.territory_id FROM spell AS s))
            UNION
            SELECT p.territory_id, p.parent_territory_id FROM up AS u JOIN territory AS p ON p.territory_id = u.parent_territory_id AND p.territory_key IS NOT NULL
        )
        SELECT u.territory_id FROM up AS u
    ), area AS MATERIALIZED (
        -- beside the tree of seats, each after all below it
        SELECT t.*, ((SELECT count(*) FROM seat AS n) + row_number() OVER (ORDER BY t.depth DESC, t.territory_key COLLATE "C") - 1)::int AS node
        FROM territory AS t JOIN used AS u USING (territory_id)
        WHERE t.territory_key IS NOT NULL
    ), node AS MATERIALIZED (
        SELECT n.node, n.kind, n.key, n.position_id, n.parent, n.quota_amount, n.own_won, NULL::int AS territory_id FROM seat AS n
        UNION ALL
        SELECT t.node, 'territory', t.territory_key, NULL, coalesce(p.node, -1), t.quota_amount, coalesce(w.amount, 0), t.territory_id
        FROM area AS t
        LEFT JOIN area AS p ON p.territory_id = t.parent_territory_id
        LEFT JOIN (SELECT w.territory_id, sum(w.amount) AS amount FROM won AS w GROUP BY w.territory_id) AS w ON w.territory_id = t.territory_id
    ), tree AS (
        SELECT array_agg(n.parent ORDER BY n.node) AS parents, array_agg(n.own_won::float8 ORDER BY n.node) AS won,
            array_agg(n.quota_amount::float8 ORDER BY n.node) AS quotas
        FROM node AS n
    ), input AS (
        SELECT array_agg(s.deal_no ORDER BY s.spell_no) AS deal, array_agg(s.stage_no ORDER BY s.spell_no) AS stage,
            array_agg(s.segment_no ORDER BY s.spell_no) AS segment, array_agg(s.owner_no ORDER BY s.spell_no) AS owner,
            array_agg(s.entered_on ORDER BY s.spell_no) AS entered, array_agg(s.seen_on ORDER BY s.spell_no) AS seen,
            array_agg(s.left_on ORDER BY s.spell_no) AS "left",
            array_agg(CASE s.outcome WHEN 'lost' THEN 0 WHEN 'won' THEN 1 WHEN 'moved' THEN 2 + g.stage_no END ORDER BY s.spell_no) AS event,
            array_agg(s.amount::float8 ORDER BY s.spell_no) AS amount, array_agg(s.won_amount::float8 ORDER BY s.spell_no) AS won_amount,
            array_agg(y.node ORDER BY s.spell_no) AS other
        FROM (SELECT s.*, coalesce(s.next_stage, '') AS target FROM spell AS s) AS s
        LEFT JOIN area AS y ON y.territory_id = s.territory_id
        LEFT JOIN stage AS g ON s.outcome = 'moved' AND g.source_id = s.source_id AND g.stage = s.target
    ), told AS (
        SELECT array_agg(d.deal_no ORDER BY d.deal_no, d.told_on) AS deal, array_agg(d.told_on ORDER BY d.deal_no, d.told_on) AS told,
            array_agg(d.close_date ORDER BY d.deal_no, d.told_on) AS date
        FROM (SELECT s.deal_no, c.told_on, c.close_date
            FROM spm._odds_close_date(_odds_row.as_of) AS c
            JOIN (SELECT DISTINCT s.source_id, s.key, s.deal_no FROM spell AS s) AS s ON s.source_id = c.source_id AND s.key = c.key) AS d
    ), result AS MATERIALIZED (
        SELECT o.kind, o.item, ARRAY(SELECT nullif(x, 'NaN')::numeric FROM unnest(o.numbers) WITH ORDINALITY AS u (x, nth) ORDER BY nth) AS numbers
        FROM input AS i CROSS JOIN tree AS t CROSS JOIN told AS c
        CROSS JOIN LATERAL spm._odds(coalesce(i.deal, '{}'), coalesce(i.stage, '{}'), coalesce(i.segment, '{}'), coalesce(i.owner, '{}'),
            coalesce(i.entered, '{}'), coalesce(i.seen, '{}'), coalesce(i."left", '{}'), coalesce(i.event, '{}'), coalesce(i.amount, '{}'),
            coalesce(i.won_amount, '{}'), _odds_row.as_of, _odds_row.until - _odds_row.as_of, 90, 8, _odds_row.paths, _odds_row.seed,
            _odds_row.shock::float8, t.parents, t.won, t.quotas, coalesce(i.other, '{}'),
            coalesce(c.deal, '{}'), coalesce(c.told, '{}'), coalesce(c.date, '{}')) AS o
    ), below AS (
        -- exact sums of what is won, up the tree
        WITH RECURSIVE up AS (
            SELECT n.node, n.parent, n.own_won FROM node AS n WHERE n.own_won <> 0
            UNION ALL
            SELECT p.node, p.parent, u.own_won FROM up AS u JOIN node AS p ON p.node = u.parent
        )
        SELECT u.node, sum(u.own_won) AS won FROM up AS u GROUP BY u.node
    )
    SELECT r.kind, s.source_id, s.source, s.key, s.owner_key, s.segment, s.stage, _odds_row.as_of - s.entered_on, s.amount,
        NULL::int, NULL::numeric, NULL::numeric, r.numbers, s.territory_id
    FROM result AS r JOIN spell AS s ON s.spell_no = r.item
    WHERE r.kind = 'deal'
    UNION ALL
    SELECT n.kind, NULL, NULL, n.key, NULL, NULL, NULL, NULL, NULL, n.position_id, coalesce(b.won, 0), n.quota_amount, r.numbers, n.territory_id
    FROM result AS r JOIN node AS n ON n.node = r.item LEFT JOIN below AS b ON b.node = n.node
    WHERE r.kind = 'seat'
    UNION ALL
    SELECT r.kind, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.numbers, NULL FROM result AS r WHERE r.kind = 'run'
    UNION ALL
    SELECT r.kind, NULL, NULL, x.label, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.numbers, NULL
    FROM result AS r
    JOIN (SELECT DISTINCT 'segment' AS kind, s.segment_no AS item, s.segment AS label FROM spell AS s
        UNION ALL SELECT DISTINCT 'owner', s.owner_no, s.owner_key FROM spell AS s
        UNION ALL SELECT 'size', q, (ARRAY['smallest 25 %', '25 to 50 %', '50 to 75 %', '75 to 90 %', '90 to 97 %', 'largest 3 %'])[q + 1] FROM generate_series(0, 5) AS q
        UNION ALL SELECT 'close_date', q, (ARRAY['none', 'overdue up to 30 days', 'overdue more than 30 days', 'more than 60 days before', '31 to 60 days before',
            '15 to 30 days before', '8 to 14 days before', 'the week before', 'the week after', '8 to 30 days after', 'more than 30 days after'])[q + 1]
            FROM generate_series(0, 10) AS q) AS x
        ON x.kind = r.kind AND x.item = r.item;
END
$$;
COMMENT ON FUNCTION spm._odds_row(date, date, date, text, int, int, int, bigint, numeric) IS
'All that a forecast of the pipeline says: deals, seats, territories, and what it was learned from, with the numbers of spm._odds(). paths NULL: deals alone.';
REVOKE ALL ON FUNCTION spm._odds_row(date, date, date, text, int, int, int, bigint, numeric) FROM PUBLIC;

-- ------------------------------------------------------------- for everybody

CREATE OR REPLACE FUNCTION spm.deal_odds(until date, as_of date DEFAULT current_date, currency text DEFAULT NULL)
    RETURNS TABLE (source text, key text, owner_key text, segment text, stage text, age_days int, amount numeric, win_probability numeric,
        lose_probability numeric, expected_amount numeric, slip_probability numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.source, r.key, nullif(r.owner_key, ''), nullif(r.segment, ''), r.stage, r.age_days, r.amount, round(least(r.numbers[1], 1), 6),
        round(least(r.numbers[2], 1), 6), round(r.numbers[1] * r.numbers[3], 2), CASE WHEN p.slip_probability IS NOT NULL
            THEN least(round(p.slip_probability, 6), greatest(1 - round(least(r.numbers[1], 1), 6) - round(least(r.numbers[2], 1), 6), 0)) END
    FROM spm._odds_row(deal_odds.as_of, deal_odds.until, deal_odds.as_of + 1, deal_odds.currency, NULL, NULL, NULL, 1, NULL) AS r
    LEFT JOIN spm._odds_slip(deal_odds.as_of, deal_odds.until) AS p ON p.source_id = r.source_id AND p.key = r.key
    WHERE r.kind = 'deal'
    ORDER BY r.source COLLATE "C", r.key COLLATE "C"
$$;
COMMENT ON FUNCTION spm.deal_odds(date, date, text) IS
$$One row per deal that is open at the end of a day: the probability that it is won by the last day, that it is lost by then (the rest: still open), and what it is expected to bring; slip_probability: that it is still open at the end of the last day, with a close date that was moved beyond it. Learned from how fast deals of its stage and age were won, lost or moved on, open ones counted (so deals that never close are not forgotten); by how much its segment, its owner and deals of its size are faster or slower than others, as far as that is no chance; by the days of the quarter on which deals move and close; by where the days ahead lie by its close date, as far as past close dates told something; and by how such odds have turned out of late. Slips are counted on deals whose close date was in one of the last periods of the same length, by the part of the period that it was in, slips before, stage and age; slip_probability is NULL for a deal without close date or with one after the last day, and without a history of close dates that is longer than the period.
Arguments: until (last day), as_of (nothing later is known), currency (that amounts are added up in; NULL: all deals have one).
Errors: 55000 nothing is mapped, or no deal was won yet; 22023 until is not after as_of or more than 1,100 days after it, several currencies, a rate is missing.
Source: competing risks in discrete time with left truncation (Kalbfleisch and Prentice 2002), semi-Markov stages, empirical Bayes for segments, owners and sizes; close dates as of landmarks (van Houwelingen 2007).
Example: SELECT key, win_probability FROM spm.deal_odds('2026-03-31') ORDER BY expected_amount DESC;$$;

CREATE OR REPLACE FUNCTION spm.odds_factors(until date, as_of date DEFAULT current_date, currency text DEFAULT NULL)
    RETURNS TABLE (factor text, level text, won_count numeric, expected_won_count numeric, win_speed numeric, lost_count numeric,
        expected_lost_count numeric, lose_speed numeric, moved_count numeric, expected_moved_count numeric, move_speed numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.kind, r.key, round(r.numbers[4], 1), round(r.numbers[5], 1), round(r.numbers[6], 4), round(r.numbers[1], 1), round(r.numbers[2], 1), round(r.numbers[3], 4),
        round(r.numbers[7], 1), round(r.numbers[8], 1), round(r.numbers[9], 4)
    FROM spm._odds_row(odds_factors.as_of, odds_factors.until, odds_factors.as_of + 1, odds_factors.currency, NULL, NULL, NULL, 1, NULL) AS r
    WHERE r.kind IN ('segment', 'owner', 'size', 'close_date')
    ORDER BY r.kind, r.key COLLATE "C"
$$;
COMMENT ON FUNCTION spm.odds_factors(date, date, text) IS
$$Why odds differ: one row per segment, owner, class of amounts and, where close dates are known, place of a day by the close date, with how often deals were won, lost and moved to another stage, how often they would have been had they been like all deals of the same stages and ages, and win_speed, lose_speed and move_speed: how many times faster than others the odds take them to be (the quotient, drawn to 1, or for amounts to a power of them, by as much as levels differ by chance). A close date counts as it was known on earlier days that deals are followed from for as long as until is ahead, whatever it was moved to later; an end that is seen from several such days counts as one.
Arguments, errors: as of spm.deal_odds().
Example: SELECT level, win_speed FROM spm.odds_factors('2026-03-31') WHERE factor = 'owner' ORDER BY win_speed DESC;$$;

CREATE OR REPLACE FUNCTION spm._insert_odds(as_of date, until date, since date, currency text, measure_id int, period_id int, paths int, seed bigint, shock numeric)
    RETURNS int
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    -- One statement, so that deals and seats come from the same look at the pipeline.
    WITH answer AS MATERIALIZED (
        SELECT r.* FROM spm._odds_row(_insert_odds.as_of, _insert_odds.until, _insert_odds.since, _insert_odds.currency, _insert_odds.measure_id,
            _insert_odds.period_id, _insert_odds.paths, _insert_odds.seed, _insert_odds.shock) AS r
    ), run AS (
        INSERT INTO spm.odds_run (as_of, since, until, currency_code, measure_id, period_id, paths, seed, origin_count, drift, drift_new,
            shock, shock_owner, amount_ratio, arrivals_per_day, won_count, lost_count, learned_from)
        SELECT _insert_odds.as_of, _insert_odds.since, _insert_odds.until, _insert_odds.currency, _insert_odds.measure_id, _insert_odds.period_id,
            _insert_odds.paths, _insert_odds.seed, r.numbers[1]::int, round(r.numbers[3], 6), round(r.numbers[4], 6), round(r.numbers[5], 6), round(r.numbers[6], 6),
            round(r.numbers[7], 6), round(r.numbers[8], 6), r.numbers[9]::int, r.numbers[10]::int, '2000-01-01'::date + r.numbers[11]::int
        FROM answer AS r WHERE r.kind = 'run'
        RETURNING odds_run_id
    ), deal AS (
        INSERT INTO spm.odds_deal (odds_run_id, opportunity_source_id, opportunity_key, owner_key, segment, stage, age_days, amount, win_probability,
            lose_probability, expected_amount, territory_id, slip_probability)
        SELECT n.odds_run_id, r.source_id, r.key, nullif(r.owner_key, ''), nullif(r.segment, ''), r.stage, r.age_days, r.amount, round(least(r.numbers[1], 1), 6),
            round(least(r.numbers[2], 1), 6), round(r.numbers[1] * r.numbers[3], 2), r.territory_id,
            CASE WHEN p.slip_probability IS NOT NULL
            THEN least(round(p.slip_probability, 6), greatest(1 - round(least(r.numbers[1], 1), 6) - round(least(r.numbers[2], 1), 6), 0)) END
        FROM run AS n CROSS JOIN answer AS r
        LEFT JOIN spm._odds_slip(_insert_odds.as_of, _insert_odds.until) AS p ON p.source_id = r.source_id AND p.key = r.key
        WHERE r.kind = 'deal'
    ), seat AS (
        INSERT INTO spm.odds_seat (odds_run_id, kind, key, position_id, won_amount, open_amount, new_amount, forecast_amount, sd, q05, q10, q25, median,
            q75, q90, q95, quota_amount, reach_probability, shortfall_amount, territory_id)
        SELECT n.odds_run_id, r.kind, r.key, r.position_id, r.won_amount, round(r.numbers[2], 2), round(r.numbers[3], 2),
            r.won_amount + round(r.numbers[2], 2) + round(r.numbers[3], 2), round(r.numbers[5], 2), round(r.numbers[6], 2), round(r.numbers[7], 2),
            round(r.numbers[8], 2), round(r.numbers[9], 2), round(r.numbers[10], 2), round(r.numbers[11], 2), round(r.numbers[12], 2), r.quota_amount,
            round(r.numbers[13], 6), round(r.numbers[14], 2), r.territory_id
        FROM run AS n CROSS JOIN answer AS r WHERE r.won_amount IS NOT NULL
    )
    SELECT n.odds_run_id FROM run AS n
$$;
COMMENT ON FUNCTION spm._insert_odds(date, date, date, text, int, int, int, bigint, numeric) IS
'Forecasts the pipeline, keeps it and returns the odds_run_id. In SQL, because PL/pgSQL would print all of the statement below every error, and hints be lost in it.';
REVOKE ALL ON FUNCTION spm._insert_odds(date, date, date, text, int, int, int, bigint, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keep_odds(as_of date, until date, since date, currency text, measure_id int, period_id int, paths int, seed bigint, shock numeric)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF since > as_of + 1 THEN
        RAISE EXCEPTION 'the first day must not lie behind the day after the forecast' USING ERRCODE = '22023',
            DETAIL = format('What is won counts from %s; the forecast is as of %s.', to_char(since, 'YYYY-MM-DD'), to_char(as_of, 'YYYY-MM-DD')), HINT = 'Forecast a period that has begun, or give until.';
    END IF;
    RETURN spm._insert_odds(as_of, until, since, currency, measure_id, period_id, paths, seed, shock);
END
$$;
COMMENT ON FUNCTION spm._keep_odds(date, date, date, text, int, int, int, bigint, numeric) IS 'Forecasts the pipeline and keeps it; returns the odds_run_id.';
REVOKE ALL ON FUNCTION spm._keep_odds(date, date, date, text, int, int, int, bigint, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.forecast_pipeline(until date, as_of date DEFAULT current_date, since date DEFAULT NULL, currency text DEFAULT NULL,
    paths int DEFAULT 10000, seed bigint DEFAULT 1, shock numeric DEFAULT NULL)
    RETURNS int
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT spm._keep_odds(forecast_pipeline.as_of, forecast_pipeline.until, coalesce(forecast_pipeline.since, forecast_pipeline.as_of + 1),
        forecast_pipeline.currency, NULL, NULL, forecast_pipeline.paths, forecast_pipeline.seed, forecast_pipeline.shock)
$$;
COMMENT ON FUNCTION spm.forecast_pipeline(date, date, date, text, int, bigint, numeric) IS
$$Forecasts what will be won until a day, and keeps it: the odds of each open deal (spm.odds_deal), and for each owner, each seat with all below it, each territory of the active model with all below it, and the total, what is expected of open deals and of deals to come, with limits (spm.odds_seat). A deal is of the primary territory that its account is assigned to on as_of; without account, of the one that the seat of its owner holds, if it is one. Returns the odds_run_id. BI reads spm_bi.pipeline_outlook and spm_bi.deal_odds.
Arguments: until (last day), as_of (nothing later is known), since (what was won from this day up to as_of counts, too; NULL: nothing), currency (NULL: all deals have one), paths (futures that are drawn, 100 to 1,000,000), seed (the same gives the same), shock (how far totals move for reasons that deals share, 0.15 is 15 %; NULL: as forecasts like this have turned out on up to 8 earlier days).
Errors: as of spm.deal_odds(); 22023 paths or shock out of range, since behind the day after as_of.
Example: SELECT key, forecast_amount, q10, q90 FROM spm_bi.pipeline_outlook WHERE odds_run_id = spm.forecast_pipeline('2026-03-31') AND kind = 'total';$$;

CREATE OR REPLACE FUNCTION spm.forecast_attainment(period text, measure text, as_of date DEFAULT current_date, currency text DEFAULT NULL,
    paths int DEFAULT 10000, seed bigint DEFAULT 1, shock numeric DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT spm._keep_odds(forecast_attainment.as_of, upper(p.span) - 1, lower(p.span), forecast_attainment.currency, spm._measure_id(forecast_attainment.measure),
        p.period_id, forecast_attainment.paths, forecast_attainment.seed, forecast_attainment.shock)
    FROM spm.period AS p
    WHERE p.period_id = spm._period_id(forecast_attainment.period, forecast_attainment.calendar)
$$;
COMMENT ON FUNCTION spm.forecast_attainment(text, text, date, text, int, bigint, numeric, text) IS
$$The same as spm.forecast_pipeline() for a period that has begun: what was won in it counts, and for each seat and territory with a quota in the measure the probability that it is reached and what is missing on average. Quota of a territory: that of its owners divided by their shares of the credit added up; where no owner has one, the sum of those right below; a seat that holds several has an even part of its quota in each. Returns the odds_run_id.
Arguments: period (its name), measure (whose quotas), calendar (of the period, where several have one of that name), the others as there.
Errors: as of spm.forecast_pipeline(); 42704 unknown period, measure or calendar; 22023 the period has ended or not begun.
Example: SELECT key, forecast_amount, quota_amount, reach_probability FROM spm_bi.pipeline_outlook WHERE odds_run_id = spm.forecast_attainment('2026-Q1', 'bookings') AND kind = 'seat';$$;

CREATE OR REPLACE FUNCTION spm._odds_origins(first date, last date, step_days int, horizons int[])
    RETURNS TABLE (as_of date, horizon int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF first IS NULL OR last IS NULL OR NOT isfinite(first) OR NOT isfinite(last) THEN
        RAISE EXCEPTION 'a backtest needs a first and a last day' USING ERRCODE = '22023',
            HINT = 'For example first => ''2025-05-01'', last => ''2025-11-01''.';
    END IF;
    IF step_days IS NULL OR step_days < 1 OR coalesce(cardinality(horizons), 0) = 0 OR array_position(horizons, NULL) IS NOT NULL
        OR (SELECT min(h) FROM unnest(horizons) AS h) < 1 THEN
        RAISE EXCEPTION 'step and horizons must be days, 1 or more' USING ERRCODE = '22023',
            HINT = 'For example step_days => 15, and 30, 60 or 90 days ahead.';
    END IF;
    IF (last - first) / step_days * cardinality(horizons) > 10000 THEN
        RAISE EXCEPTION 'a backtest of more than 10,000 forecasts' USING ERRCODE = '54000', HINT = 'Take larger steps.';
    END IF;
    RETURN QUERY
    SELECT _odds_origins.first + n * step_days, h
    FROM generate_series(0, (_odds_origins.last - _odds_origins.first) / _odds_origins.step_days) AS n, unnest(_odds_origins.horizons) AS h
    WHERE _odds_origins.first + n * step_days <= _odds_origins.last AND current_date - (_odds_origins.first + n * step_days) >= h;
END
$$;
COMMENT ON FUNCTION spm._odds_origins(date, date, int, int[]) IS 'Days as of which a backtest forecasts, and how far; what has not passed is left out.';
REVOKE ALL ON FUNCTION spm._odds_origins(date, date, int, int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.pipeline_backtest(first date, last date, step_days int DEFAULT 15, horizons int[] DEFAULT '{30,60,90}', currency text DEFAULT NULL,
    paths int DEFAULT 2000, seed bigint DEFAULT 1)
    RETURNS TABLE (as_of date, horizon int, forecast_amount numeric, lower_amount numeric, upper_amount numeric, actual_amount numeric, error_ratio numeric,
        is_within boolean, open_forecast numeric, open_actual numeric, last_amount numeric, deal_count int, brier_score numeric, odds_slope numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM spm._check_odds(current_date, currency);
    RETURN QUERY
    WITH won AS MATERIALIZED (
        SELECT s.source_id, s.key, min(s.left_on) AS closed_on, max(s.won_amount) AS amount
        FROM spm._odds_spell(current_date, pipeline_backtest.currency) AS s WHERE s.outcome = 'won'
        GROUP BY s.source_id, s.key
    ), origin AS (
        SELECT o.as_of, o.horizon
        FROM spm._odds_origins(pipeline_backtest.first, pipeline_backtest.last, pipeline_backtest.step_days, pipeline_backtest.horizons) AS o
    ), said AS (
        SELECT o.as_of, o.horizon, r.kind, r.source_id, r.key, r.numbers
        FROM origin AS o
        CROSS JOIN LATERAL spm._odds_row(o.as_of, o.as_of + o.horizon, o.as_of + 1, pipeline_backtest.currency, NULL, NULL, pipeline_backtest.paths, pipeline_backtest.seed, NULL) AS r
        WHERE r.kind IN ('deal', 'total')
    ), deal AS (
        SELECT s.as_of, s.horizon, count(*)::int AS deals, sum(w.amount) AS won, avg((s.numbers[1] - (w.key IS NOT NULL)::int) ^ 2) AS brier,
            regr_slope((w.key IS NOT NULL)::int, s.numbers[1]::float8) AS slope
        FROM said AS s
        LEFT JOIN won AS w ON w.source_id = s.source_id AND w.key = s.key AND w.closed_on > s.as_of AND w.closed_on <= s.as_of + s.horizon
        WHERE s.kind = 'deal'
        GROUP BY s.as_of, s.horizon
    ), actual AS (
        SELECT o.as_of, o.horizon, coalesce(sum(w.amount) FILTER (WHERE w.closed_on > o.as_of), 0) AS amount,
            coalesce(sum(w.amount) FILTER (WHERE w.closed_on <= o.as_of), 0) AS before
        FROM origin AS o
        LEFT JOIN won AS w ON w.closed_on > o.as_of - o.horizon AND w.closed_on <= o.as_of + o.horizon
        GROUP BY o.as_of, o.horizon
    )
    SELECT s.as_of, s.horizon, round(s.numbers[2] + s.numbers[3], 2), round(s.numbers[7], 2), round(s.numbers[11], 2), a.amount,
        round((s.numbers[2] + s.numbers[3]) / nullif(a.amount, 0) - 1, 4), a.amount BETWEEN s.numbers[7] AND s.numbers[11],
        round(s.numbers[2], 2), coalesce(d.won, 0), a.before, coalesce(d.deals, 0), round(d.brier, 6), round(d.slope::numeric, 4)
    FROM said AS s
    JOIN actual AS a USING (as_of, horizon)
    LEFT JOIN deal AS d USING (as_of, horizon)
    WHERE s.kind = 'total'
    ORDER BY s.horizon, s.as_of;
END
$$;
COMMENT ON FUNCTION spm.pipeline_backtest(date, date, int, int[], text, int, bigint) IS
$$How forecasts of your pipeline would have turned out: as of each day and for each horizon, from what was known that day, what is expected to be won and its limits (80 of 100 totals are to be within), and what was won; error_ratio (forecast over actual, less 1), the part of open deals, what was won in as many days before (last_amount: the forecast of those who have none), and for the deals that were open: how many, the Brier score of their odds and the slope of outcome on odds (1: odds mean what they say).
Arguments: first, last (days as of which), step_days (between them), horizons (days ahead), currency, paths, seed. Horizons that have not passed are left out.
Errors: as of spm.deal_odds(); 22023 a step or horizon below 1, days that are none; 54000 more than 10,000 forecasts.
Example: SELECT horizon, avg(abs(error_ratio)) FROM spm.pipeline_backtest('2025-05-01', '2025-11-15') GROUP BY horizon;$$;

CREATE OR REPLACE FUNCTION spm.odds_backtest(first date, last date, step_days int DEFAULT 15, horizon int DEFAULT 90, currency text DEFAULT NULL)
    RETURNS TABLE (as_of date, source text, key text, stage text, age_days int, win_probability numeric, is_won boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH won AS MATERIALIZED (
        SELECT s.source_id, s.key, min(s.left_on) AS closed_on
        FROM spm._odds_spell(current_date, odds_backtest.currency) AS s WHERE s.outcome = 'won'
        GROUP BY s.source_id, s.key
    )
    SELECT o.as_of, r.source, r.key, r.stage, r.age_days, round(least(r.numbers[1], 1), 6), w.key IS NOT NULL
    FROM spm._odds_origins(odds_backtest.first, odds_backtest.last, odds_backtest.step_days, ARRAY[odds_backtest.horizon]) AS o
    CROSS JOIN LATERAL spm._odds_row(o.as_of, o.as_of + o.horizon, o.as_of + 1, odds_backtest.currency, NULL, NULL, NULL, 1, NULL) AS r
    LEFT JOIN won AS w ON w.source_id = r.source_id AND w.key = r.key AND w.closed_on > o.as_of AND w.closed_on <= o.as_of + o.horizon
    WHERE r.kind = 'deal'
    ORDER BY 1, r.source COLLATE "C", r.key COLLATE "C"
$$;
COMMENT ON FUNCTION spm.odds_backtest(date, date, int, int, text) IS
$$The odds that deals open on past days would have been given, from what was known then, and whether they were won by the horizon: to see whether odds mean what they say.
Arguments: first, last, step_days (days as of which), horizon (days ahead), currency.
Errors: as of spm.deal_odds().
Example: SELECT round(win_probability, 1) AS odds, count(*), avg(is_won::int) AS won FROM spm.odds_backtest('2025-05-01', '2025-09-01') GROUP BY 1 ORDER BY 1;$$;
