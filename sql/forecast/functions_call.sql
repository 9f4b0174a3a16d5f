/*
 * forecast/functions_call.sql: the pipeline added up over the tree of seats, what
 * people say instead, and what came of it.
 */

-- ------------------------------------------------------------ ways of adding up

CREATE OR REPLACE FUNCTION spm.add_forecast_type(name text, currency text DEFAULT NULL, rollup text DEFAULT 'cumulative', rate_type text DEFAULT 'spot')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(name, 'name'), spm._check_text(rate_type, 'rate_type');
    IF currency IS NOT NULL THEN
        PERFORM spm._check_currency(currency);
    END IF;
    IF rollup IS NULL OR rollup NOT IN ('single', 'cumulative') THEN
        RAISE EXCEPTION 'rollup must be single or cumulative, not "%"', rollup
            USING ERRCODE = '22023', HINT = 'single: each category holds its own deals; cumulative: those of surer ones as well.';
    END IF;
    INSERT INTO spm.forecast_type (name, currency_code, rollup, rate_type)
    VALUES (add_forecast_type.name, add_forecast_type.currency, add_forecast_type.rollup, add_forecast_type.rate_type)
    ON CONFLICT DO NOTHING RETURNING forecast_type_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'forecast type "%" already exists', name
            USING ERRCODE = '42710', HINT = 'Calls refer to it as it is; add another one with another name.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_forecast_type(text, text, text, text) IS
'Adds a way of adding up the pipeline, and returns the forecast_type_id. With one of them, or none, it need not be named.
currency: in which it is reported, NULL when all deals have the same; rollup: single, each category holds its own deals, or cumulative, those of surer ones as well: commit is then closed and commit; rate_type: exchange rates that are used.
Errors: 42704 unknown currency; 22023 unknown rollup; 42710 when the name is taken.
Example: SELECT spm.add_forecast_type(''revenue'', currency => ''USD'');';

CREATE OR REPLACE FUNCTION spm._forecast_type_id(forecast_type text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    ids int[] := ARRAY(SELECT t.forecast_type_id FROM spm.forecast_type AS t
        WHERE _forecast_type_id.forecast_type IS NULL OR t.name = _forecast_type_id.forecast_type);
    names text := (SELECT string_agg(t.name, ', ' ORDER BY t.name) FROM spm.forecast_type AS t);
BEGIN
    IF forecast_type IS NULL AND cardinality(ids) > 1 THEN
        RAISE EXCEPTION 'there is more than one forecast type' USING ERRCODE = '22023', DETAIL = format('They are: %s.', names),
            HINT = format('Say which: forecast_type => %L.', split_part(names, ', ', 1));
    ELSIF forecast_type IS NOT NULL AND cardinality(ids) = 0 THEN
        RAISE EXCEPTION 'forecast type "%" does not exist', forecast_type
            USING ERRCODE = '42704', HINT = coalesce('Forecast types are: ' || names || '.', format('Add it: SELECT spm.add_forecast_type(%L);', forecast_type));
    END IF;
    RETURN ids[1];
END
$$;
COMMENT ON FUNCTION spm._forecast_type_id(text) IS 'Key of the forecast type of that name, or of the only one; NULL when there is none and none was named. Errors: 42704, and 22023 when there are several.';
REVOKE ALL ON FUNCTION spm._forecast_type_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refuse_amount(from_currency text, to_currency text, rate_type text, day date)
    RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rate_type IS NULL THEN
        RAISE EXCEPTION 'deals are in several currencies, such as % and %', from_currency, to_currency
            USING ERRCODE = '22023', HINT = 'Say in which they are added up: SELECT spm.add_forecast_type(''revenue'', currency => ''USD'');';
    END IF;
    RAISE EXCEPTION 'there is no % rate from % to % on %', rate_type, from_currency, to_currency, day
        USING ERRCODE = '22023', HINT = format('Set it: SELECT spm.set_exchange_rate(%L, %L, %L, rate => ..., rate_type => %L);', from_currency, to_currency, day, rate_type);
END
$$;
COMMENT ON FUNCTION spm._refuse_amount(text, text, text, date) IS 'Error 22023: an amount cannot be converted. It is called where the amount should be.';
REVOKE ALL ON FUNCTION spm._refuse_amount(text, text, text, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._type_amount(amount numeric, currency_code text, first text, last text, type spm.forecast_type, rate numeric, digits int, day date)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _type_amount.amount IS NULL THEN 0
        WHEN (_type_amount.type).currency_code IS NULL THEN CASE WHEN _type_amount.first <> _type_amount.last THEN spm._refuse_amount(_type_amount.first, _type_amount.last, NULL, NULL) ELSE _type_amount.amount END
        WHEN _type_amount.currency_code IS NULL OR _type_amount.currency_code = (_type_amount.type).currency_code THEN _type_amount.amount
        WHEN _type_amount.rate IS NULL THEN spm._refuse_amount(_type_amount.currency_code, (_type_amount.type).currency_code, (_type_amount.type).rate_type, _type_amount.day)
        ELSE round(_type_amount.amount * _type_amount.rate, _type_amount.digits) END;
END;
COMMENT ON FUNCTION spm._type_amount(numeric, text, text, text, spm.forecast_type, numeric, int, date) IS
'Amount of a deal in the currency of a forecast type, 0 where there is none. first, last: of the currencies that deals have; rate: of the day. Errors: 22023 for several currencies without one to report in, or a rate that is missing.';
REVOKE ALL ON FUNCTION spm._type_amount(numeric, text, text, text, spm.forecast_type, numeric, int, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pipeline_value(as_of date, forecast_type_id int, rate_on date, seat_on date, owners text[] DEFAULT NULL, tells_history boolean DEFAULT true)
    RETURNS TABLE (source_id int, source text, key text, name text, owner_key text, position_id int, state text, category text,
        created_on date, close_date date, closed_on date, amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    type spm.forecast_type := (SELECT t FROM spm.forecast_type AS t WHERE t.forecast_type_id = _pipeline_value.forecast_type_id);
    digits int := (SELECT c.minor_digits FROM spm.currency AS c WHERE c.currency_code = type.currency_code);
    lowest text;
    highest text;
BEGIN
    -- what cannot be added up for all is not added up for one
    IF owners IS NOT NULL AND type.currency_code IS NULL AND to_regclass('spm.opportunity') IS NOT NULL THEN
        SELECT min(o.currency_code), max(o.currency_code) INTO lowest, highest FROM spm.opportunity AS o;
    END IF;
    RETURN QUERY
    SELECT p.source_id, p.source, p.key, p.name, p.owner_key, coalesce(s.position_id, l.position_id), p.state, p.category, p.created_on, p.close_date, p.closed_on,
        spm._type_amount(p.amount, p.currency_code, least(lowest, p.first), greatest(highest, p.last), type, r.rate, digits, _pipeline_value.rate_on)
    FROM (SELECT w.*, min(w.currency_code) OVER () AS first, max(w.currency_code) OVER () AS last
        FROM spm._pipeline_state(_pipeline_value.as_of, _pipeline_value.owners, _pipeline_value.tells_history) AS w) AS p
    LEFT JOIN spm._owner_seat(seat_on) AS s ON s.owner_key = p.owner_key
    -- what somebody won who has left stays with the seat
    LEFT JOIN LATERAL (SELECT a.position_id
        FROM spm.payee AS y
        JOIN spm.position_assignment AS a USING (payee_id)
        WHERE p.state = 'won' AND s.position_id IS NULL AND y.payee_key = p.owner_key AND a.is_primary AND a.span @> p.closed_on) AS l ON true
    LEFT JOIN spm.exchange_rate AS r ON r.from_currency_code = p.currency_code AND r.to_currency_code = type.currency_code
        AND r.rate_type = type.rate_type AND r.span @> rate_on;
END
$$;
COMMENT ON FUNCTION spm._pipeline_value(date, int, date, date, text[], boolean) IS
'The pipeline as known on a day, with amounts in the currency of the forecast type at the rates of rate_on, 0 where there is none, and the seats that owners held on seat_on; what was won by who held none then is with the seat held on that day. owners, tells_history: as for spm._pipeline_state().
Errors: 22023 for several currencies without one to report in, or a rate that is missing.';
REVOKE ALL ON FUNCTION spm._pipeline_value(date, int, date, date, text[], boolean) FROM PUBLIC;

-- ---------------------------------------------------------------- the roll-up

/*
 * A seat's number is what was said of it, or else its own deals and the numbers of
 * the seats below.  Unrolled over the closure of the tree: what a seat brings reaches
 * every seat above it, up to and with the first one of which something was said.
 * All joins are over equality.  Nobody can know how many rows a day's tree has, and
 * a plan that guesses few would walk 5,000 seats against each other for a minute.
 */
CREATE OR REPLACE FUNCTION spm._rollup(period_id int, as_of date, forecast_type_id int, seat int DEFAULT NULL)
    RETURNS TABLE (position_id int, manager_position_id int, category text, own_count bigint, own_amount numeric, deal_count bigint, deal_amount numeric,
        rollup_amount numeric, own_call_amount numeric, manager_call_amount numeric, judge_position_id int, call_as_of date)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    days daterange := (SELECT p.span FROM spm.period AS p WHERE p.period_id = _rollup.period_id);
    is_single boolean := coalesce((SELECT t.rollup = 'single' FROM spm.forecast_type AS t WHERE t.forecast_type_id = _rollup.forecast_type_id), false);
    owners text[];
BEGIN
    IF seat IS NOT NULL THEN
        -- who has ever sat there or below, where the tree of the day has it: what reaches the seat is theirs
        owners := ARRAY(
            WITH below AS (
                SELECT _rollup.seat AS position_id
                UNION ALL
                SELECT x.position_id FROM spm.position_path AS x WHERE x.ancestor_position_id = _rollup.seat AND x.span @> _rollup.as_of
            )
            SELECT s.position_key FROM below AS b JOIN spm.position AS s USING (position_id)
            UNION
            SELECT y.payee_key FROM below AS b JOIN spm.position_assignment AS a USING (position_id) JOIN spm.payee AS y USING (payee_id) WHERE a.is_primary);
        IF cardinality(owners) > (SELECT count(*) FROM spm.position) / 2 THEN
            owners := NULL;    -- to look for nearly all takes longer than to read them
        END IF;
    END IF;
    RETURN QUERY
    WITH category (category, place) AS (
        VALUES ('pipeline', 1), ('best_case', 2), ('most_likely', 3), ('commit', 4), ('closed', 5)
    ), deal AS MATERIALIZED (
        -- deals without a seat belong to seat 0, which nobody has: joins over equality only
        SELECT coalesce(v.position_id, 0) AS position_id, spm._category_order(v.category) AS place, count(*) AS n, sum(v.amount) AS amount
        FROM spm._pipeline_value(_rollup.as_of, _rollup.forecast_type_id, _rollup.as_of, _rollup.as_of, owners, false) AS v
        WHERE v.state = 'open' AND v.close_date <@ days AND v.category <> 'omitted' OR v.state = 'won' AND v.closed_on <@ days
        GROUP BY 1, place
    ), path AS MATERIALIZED (
        SELECT x.position_id, x.ancestor_position_id, x.depth::int AS depth FROM spm.position_path AS x WHERE x.span @> _rollup.as_of
        UNION ALL
        SELECT s.position_id, s.position_id, 0 FROM spm.position AS s
        UNION ALL
        SELECT 0, 0, 0
    ), said AS (
        SELECT DISTINCT ON (c.position_id, c.judge_position_id, c.category) c.position_id, c.judge_position_id, c.category, c.amount, c.as_of, x.depth
        FROM spm.forecast_call AS c
        JOIN path AS x ON x.position_id = c.position_id AND x.ancestor_position_id = c.judge_position_id
        WHERE c.forecast_type_id = _rollup.forecast_type_id AND c.period_id = _rollup.period_id AND c.as_of <= _rollup.as_of
        ORDER BY c.position_id, c.judge_position_id, c.category, c.as_of DESC, c.forecast_call_id DESC
    ), call AS MATERIALIZED (
        -- of several who judge a seat the highest one counts
        SELECT DISTINCT ON (s.position_id, s.category) s.position_id, s.category, s.amount, s.judge_position_id, s.as_of,
            max(s.amount) FILTER (WHERE s.depth = 0) OVER w AS own_amount, s.depth
        FROM said AS s
        WHERE s.amount IS NOT NULL
        WINDOW w AS (PARTITION BY s.position_id, s.category)
        ORDER BY s.position_id, s.category, s.depth DESC
    ), seat AS (
        SELECT DISTINCT x.ancestor_position_id AS position_id
        FROM path AS x
        WHERE x.position_id IN (SELECT d.position_id FROM deal AS d UNION SELECT c.position_id FROM call AS c)
    ), own AS MATERIALIZED (
        SELECT s.position_id, k.category, coalesce(sum(d.n), 0)::bigint AS n, coalesce(sum(d.amount), 0) AS amount
        FROM seat AS s
        CROSS JOIN category AS k
        LEFT JOIN deal AS d ON d.position_id = s.position_id AND (d.place = k.place OR d.place > k.place AND NOT is_single)
        GROUP BY s.position_id, k.category
    ), reach AS (
        SELECT x.position_id, c.category, min(x.depth) AS depth
        FROM path AS x
        JOIN call AS c ON c.position_id = x.ancestor_position_id
        WHERE x.depth > 0
        GROUP BY x.position_id, c.category
    ), brought AS MATERIALIZED (
        SELECT o.position_id, o.category, o.n, o.amount, coalesce(c.amount, o.amount) AS number, r.depth AS reach
        FROM own AS o
        LEFT JOIN call AS c ON c.position_id = o.position_id AND c.category = o.category
        LEFT JOIN reach AS r ON r.position_id = o.position_id AND r.category = o.category
    ), total AS (
        SELECT x.ancestor_position_id AS position_id, b.category, sum(b.n)::bigint AS n, sum(b.amount) AS amount,
            sum(CASE WHEN x.depth = 0 THEN b.amount ELSE b.number END) FILTER (WHERE x.depth <= coalesce(b.reach, x.depth)) AS rollup
        FROM brought AS b
        JOIN path AS x ON x.position_id = b.position_id
        GROUP BY x.ancestor_position_id, b.category
    )
    SELECT nullif(o.position_id, 0), m.ancestor_position_id, o.category, o.n, o.amount, t.n, t.amount, t.rollup,
        c.own_amount, CASE WHEN c.depth > 0 THEN c.amount END, c.judge_position_id, c.as_of
    FROM own AS o
    JOIN total AS t ON t.position_id = o.position_id AND t.category = o.category
    LEFT JOIN path AS m ON m.position_id = o.position_id AND m.depth = 1
    LEFT JOIN call AS c ON c.position_id = o.position_id AND c.category = o.category
    WHERE _rollup.seat IS NULL OR o.position_id = _rollup.seat;
END
$$;
COMMENT ON FUNCTION spm._rollup(int, date, int, int) IS 'The roll-up of a period by keys; the columns are explained at spm.pipeline_rollup(). seat: only the rows of this one, which reads its deals alone; NULL: of all.';
REVOKE ALL ON FUNCTION spm._rollup(int, date, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.pipeline_rollup(period text, as_of date DEFAULT current_date, forecast_type text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (position_id int, position_key text, manager_key text, category text, own_count bigint, own_amount numeric, deal_count bigint, deal_amount numeric,
        rollup_amount numeric, own_call numeric, manager_call numeric, judge_key text, amount numeric, judgement numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.position_id, s.position_key, m.position_key, r.category, r.own_count, r.own_amount, r.deal_count, r.deal_amount, r.rollup_amount,
        r.own_call_amount, r.manager_call_amount, j.position_key, coalesce(r.manager_call_amount, r.own_call_amount, r.rollup_amount),
        coalesce(r.manager_call_amount, r.own_call_amount, r.rollup_amount) - r.deal_amount
    FROM spm._rollup(spm._period_id(pipeline_rollup.period, pipeline_rollup.calendar), pipeline_rollup.as_of, spm._forecast_type_id(pipeline_rollup.forecast_type)) AS r
    LEFT JOIN spm.position AS s ON s.position_id = r.position_id
    LEFT JOIN spm.position AS m ON m.position_id = r.manager_position_id
    LEFT JOIN spm.position AS j ON j.position_id = r.judge_position_id
    ORDER BY s.position_key COLLATE "C" NULLS LAST, spm._category_order(r.category) DESC
$$;
COMMENT ON FUNCTION spm.pipeline_rollup(text, date, text, text) IS
'What a period is to bring, per seat and category, added up over the reporting tree as both were on a day: open deals that are to close in the period, and won ones that did. Omitted deals do not count. What was won by somebody who has left is with the seat held on that day; other deals whose owner has no seat are in a row without position.
period: name of a period; as_of: day; forecast_type: which, if there are several; calendar: if several have the period.
position_key; manager_key: seat above; category: pipeline, best_case, most_likely, commit, closed; in a cumulative type each holds the surer ones as well. own_count, own_amount: deals of the seat itself. deal_count, deal_amount: those of all seats below too. rollup_amount: own_amount and the amount of each seat directly below. own_call: what the seat says; manager_call: what a seat above says of it, the highest one that does; judge_key: who. amount: manager_call, else own_call, else rollup_amount. judgement: amount less deal_amount.
Errors: 42704 unknown period, calendar or type; 22023 when several fit, for several currencies without one to report in, or an exchange rate that is missing.
Example: SELECT position_key, category, deal_amount, amount, judgement FROM spm.pipeline_rollup(''2026-Q2'') WHERE category = ''commit'';';

-- ---------------------------------------------------------------------- calls

CREATE OR REPLACE FUNCTION spm._add_call("position" text, period text, amount numeric, category text, by text, reason text, as_of date, forecast_type text, calendar text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id("position");
    judge int := spm._position_id(coalesce(by, "position"));
    this_period int := spm._period_id(period, calendar);
    this_type int := spm._forecast_type_id(forecast_type);
    wanted text := spm.forecast_category(category);
    now_there record;
    new_id bigint;
BEGIN
    IF wanted IS NULL OR wanted IN ('omitted', 'closed') THEN
        RAISE EXCEPTION 'a call cannot be of category "%"', category
            USING ERRCODE = '22023', HINT = 'Categories of calls are commit, most_likely, best_case and pipeline; what is closed is known.';
    END IF;
    IF as_of IS NULL OR as_of > current_date OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'a call cannot count from %', coalesce(as_of::text, 'NULL') USING ERRCODE = '22023', HINT = 'Leave as_of out to let it count from today.';
    END IF;
    IF judge <> seat AND NOT EXISTS (SELECT FROM spm.position_path AS x
        WHERE x.position_id = seat AND x.ancestor_position_id = judge AND x.span @> _add_call.as_of) THEN
        RAISE EXCEPTION 'position "%" is not above "%" on %', by, "position", as_of
            USING ERRCODE = '22023', HINT = 'A number is given by its own seat or by one above it.';
    END IF;
    IF judge <> seat AND coalesce(btrim(reason), '') = '' THEN
        RAISE EXCEPTION 'judging the number of another seat needs a reason'
            USING ERRCODE = '22023', HINT = 'It is kept with the call: reason => ''two deals depend on one budget''.';
    END IF;
    IF this_type IS NULL THEN
        -- another session may do the same at this moment
        INSERT INTO spm.forecast_type (name) VALUES ('default') ON CONFLICT DO NOTHING;
        this_type := spm._forecast_type_id(forecast_type);
    END IF;
    SELECT r.rollup_amount, r.deal_amount INTO now_there
    FROM spm._rollup(this_period, as_of, this_type, seat) AS r
    WHERE r.category = wanted;
    INSERT INTO spm.forecast_call (forecast_type_id, position_id, judge_position_id, period_id, category, as_of, amount, rollup_amount, deal_amount, reason)
    VALUES (this_type, seat, judge, this_period, wanted, _add_call.as_of, _add_call.amount, coalesce(now_there.rollup_amount, 0), coalesce(now_there.deal_amount, 0),
        nullif(btrim(_add_call.reason), ''))
    RETURNING forecast_call_id INTO new_id;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm._add_call(text, text, numeric, text, text, text, date, text, text) IS 'Adds a row of spm.forecast_call; amount NULL: one that is withdrawn. Errors are those of spm.submit_call().';
REVOKE ALL ON FUNCTION spm._add_call(text, text, numeric, text, text, text, date, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.submit_call("position" text, period text, amount numeric, category text DEFAULT 'commit', by text DEFAULT NULL, reason text DEFAULT NULL,
    as_of date DEFAULT current_date, forecast_type text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF amount IS NULL OR amount IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION 'amount of a call cannot be %', coalesce(amount::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'To take a call back: SELECT spm.withdraw_call(...);';
    END IF;
    RETURN spm._add_call("position", period, amount, category, by, reason, as_of, forecast_type, calendar);
END
$$;
COMMENT ON FUNCTION spm.submit_call(text, text, numeric, text, text, text, date, text, text) IS
'Says what a seat and all below it will bring in a period, and returns the forecast_call_id. From then on it counts in the roll-up instead of the sum of deals; the deals stay as they are, and what the roll-up and the deals came to is kept with the call. Every call stays: the last one of a judge counts.
position, period: whose number, and of when; amount: in the currency of the forecast type, in all, with what is closed when its rollup is cumulative; category: commit, most_likely, best_case or pipeline; by: position_key of who judges, the seat itself or one above it; reason: why, needed when by is another seat; as_of: day from which it counts, not to come; forecast_type, calendar: if there are several. Without a forecast type one named default is made.
Errors: 42704 unknown position, period, calendar or type; 22023 for a category, amount or day that cannot be, a judge who is not above, or a reason that is missing.
Example: SELECT spm.submit_call(''VP-WEST'', ''2026-Q2'', 1200000); SELECT spm.submit_call(''AE-3'', ''2026-Q2'', 150000, by => ''VP-WEST'', reason => ''the budget of ACME is not approved'');';

CREATE OR REPLACE FUNCTION spm.withdraw_call("position" text, period text, category text DEFAULT 'commit', by text DEFAULT NULL, reason text DEFAULT NULL,
    as_of date DEFAULT current_date, forecast_type text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    last numeric;
BEGIN
    SELECT c.amount INTO last FROM spm.forecast_call AS c
    WHERE c.forecast_type_id = spm._forecast_type_id(withdraw_call.forecast_type) AND c.position_id = spm._position_id(withdraw_call."position")
        AND c.judge_position_id = spm._position_id(coalesce(withdraw_call.by, withdraw_call."position"))
        AND c.period_id = spm._period_id(withdraw_call.period, withdraw_call.calendar)
        AND c.category = spm.forecast_category(withdraw_call.category) AND c.as_of <= withdraw_call.as_of
    ORDER BY c.as_of DESC, c.forecast_call_id DESC
    LIMIT 1;
    IF last IS NULL THEN
        RAISE EXCEPTION '"%" has made no call on "%" for %', coalesce(by, "position"), "position", period
            USING ERRCODE = '22023', HINT = 'What was said is in spm_bi.forecast_call.';
    END IF;
    RETURN spm._add_call("position", period, NULL, category, by, reason, as_of, forecast_type, calendar);
END
$$;
COMMENT ON FUNCTION spm.withdraw_call(text, text, text, text, text, date, text, text) IS
'Takes a call back from a day on, and returns the forecast_call_id of the row that says so: the roll-up counts again. What was said before stays.
The arguments are those of spm.submit_call(). Errors: as there, and 22023 when there is no call to take back.
Example: SELECT spm.withdraw_call(''VP-WEST'', ''2026-Q2'');';

CREATE OR REPLACE TRIGGER forecast_call_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.forecast_call
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER forecast_call_author BEFORE INSERT ON spm.forecast_call
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by');

-- ------------------------------------------------------------ what came of them

CREATE OR REPLACE FUNCTION spm.call_outcome(known_on date DEFAULT current_date)
    RETURNS TABLE (forecast_call_id bigint, forecast_type_id int, position_id int, judge_position_id int, depth int, period_id int, category text, as_of date,
        days_left int, amount numeric, rollup_amount numeric, deal_amount numeric, actual_amount numeric, error numeric, rollup_error numeric, deal_error numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH call AS MATERIALIZED (
        SELECT c.*, p.span, upper(p.span) - 1 AS last_day, t.rollup
        FROM spm.forecast_call AS c
        JOIN spm.period AS p USING (period_id)
        JOIN spm.forecast_type AS t USING (forecast_type_id)
        WHERE c.amount IS NOT NULL AND upper(p.span) <= call_outcome.known_on + 1
    ), asked AS MATERIALIZED (
        SELECT DISTINCT c.forecast_type_id, c.period_id, c.span, c.last_day FROM call AS c
    ), day AS (
        SELECT a.forecast_type_id, a.period_id, a.last_day, d::date AS closed_on
        FROM asked AS a CROSS JOIN LATERAL generate_series(lower(a.span)::timestamp, a.last_day::timestamp, '1 day') AS d
    ), known AS MATERIALIZED (
        -- read once for all periods
        SELECT p.owner_key, p.state, p.closed_on, p.amount, p.currency_code, min(p.currency_code) OVER () AS first, max(p.currency_code) OVER () AS last
        FROM spm._pipeline_state(call_outcome.known_on, NULL, false) AS p
        WHERE EXISTS (SELECT FROM call)
    ), seat AS MATERIALIZED (
        SELECT d.last_day, s.owner_key, s.position_id
        FROM (SELECT DISTINCT a.last_day FROM asked AS a) AS d CROSS JOIN LATERAL spm._owner_seat(d.last_day) AS s
    ), won AS MATERIALIZED (
        -- amounts at the rates of the last day of the period, for the seats that owners held on it, or on the day if they had left by then
        SELECT d.forecast_type_id, d.period_id, coalesce(s.position_id, a.position_id) AS position_id, k.closed_on,
            sum(spm._type_amount(k.amount, k.currency_code, k.first, k.last, t, r.rate, u.minor_digits, d.last_day)) AS amount
        FROM day AS d
        JOIN known AS k ON k.closed_on = d.closed_on AND k.state = 'won'
        JOIN spm.forecast_type AS t ON t.forecast_type_id = d.forecast_type_id
        LEFT JOIN spm.currency AS u ON u.currency_code = t.currency_code
        LEFT JOIN seat AS s ON s.last_day = d.last_day AND s.owner_key = k.owner_key
        LEFT JOIN spm.payee AS y ON y.payee_key = k.owner_key AND s.position_id IS NULL
        LEFT JOIN spm.position_assignment AS a ON a.payee_id = y.payee_id AND a.is_primary AND a.span @> k.closed_on
        LEFT JOIN spm.exchange_rate AS r ON r.from_currency_code = k.currency_code AND r.to_currency_code = t.currency_code
            AND r.rate_type = t.rate_type AND r.span @> d.last_day
        GROUP BY d.forecast_type_id, d.period_id, coalesce(s.position_id, a.position_id), k.closed_on
    ), below AS MATERIALIZED (
        SELECT c.forecast_call_id, c.forecast_type_id, c.period_id, c.position_id, CASE c.rollup WHEN 'single' THEN c.as_of END AS since FROM call AS c
        UNION ALL
        SELECT c.forecast_call_id, c.forecast_type_id, c.period_id, x.position_id, CASE c.rollup WHEN 'single' THEN c.as_of END FROM call AS c
        JOIN spm.position_path AS x ON x.ancestor_position_id = c.position_id AND x.span @> c.last_day
    ), actual AS (
        SELECT b.forecast_call_id, sum(w.amount) AS amount
        FROM below AS b
        JOIN won AS w ON w.forecast_type_id = b.forecast_type_id AND w.period_id = b.period_id AND w.position_id = b.position_id
            AND w.closed_on > coalesce(b.since, '-infinity')
        GROUP BY b.forecast_call_id
    )
    SELECT c.forecast_call_id, c.forecast_type_id, c.position_id, c.judge_position_id,
        (SELECT count(*)::int FROM spm.position_path AS x WHERE x.position_id = c.position_id AND x.span @> c.as_of),
        c.period_id, c.category, c.as_of, c.last_day - c.as_of, c.amount, c.rollup_amount, c.deal_amount, e.actual,
        c.amount - e.actual, c.rollup_amount - e.actual, c.deal_amount - e.actual
    FROM call AS c
    LEFT JOIN actual AS a USING (forecast_call_id)
    CROSS JOIN LATERAL (SELECT coalesce(a.amount, 0)) AS e (actual);
END
$$;
COMMENT ON FUNCTION spm.call_outcome(date) IS
'One row per call of a period that is over, with what was won: by the seat and all below it, as the tree was on the last day, of deals that closed in the period. They are with the seat that their owner held on the last day; who had left by then, with the one held when they were won. In a single forecast type only what closed after the day of the call.
known_on: day whose knowledge of the deals is used. depth: seats above the one that was judged, 0 at the top. days_left: from the call to the last day; below 0 for a call after it. amount: what was said; rollup_amount, deal_amount: what the roll-up and the deals came to at that time. error, rollup_error, deal_error: each less actual_amount; above 0: too much was promised.
Errors: 22023 for several currencies without one to report in, or an exchange rate that is missing.
Example: SELECT judge_position_id, avg(abs(error)), avg(abs(deal_error)) FROM spm.call_outcome() WHERE category = ''commit'' GROUP BY 1;';
